"""Font files of every kind, opened as faces, or refused with a reason.

FreeType reads TrueType, CFF, collections, variable fonts, WOFF and Type 1, so that what is inspected
is what the generator draws. Bitmap fonts have pixels at a few sizes only and are refused, and so is
WOFF2, which the generator could not draw either.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import Missing, Unreadable

SUFFIXES = (".ttf", ".otf", ".ttc", ".otc", ".woff", ".woff2", ".pfb", ".pfa", ".t1",
            ".bdf", ".pcf", ".pcf.gz", ".otb", ".fon", ".fnt", ".dfont")
LARGEST = 100_000_000  # bytes; the largest font files (all of Chinese) have some 30 MB
# First bytes -> kind
MAGIC = ((b"\0\1\0\0", "TrueType"), (b"true", "TrueType"), (b"OTTO", "CFF"),
         (b"ttcf", "collection"), (b"wOFF", "WOFF"), (b"wOF2", "WOFF2"), (b"%!", "Type 1"),
         (b"\x80\x01", "Type 1"), (b"STARTFONT", "bitmap"), (b"\1fcp", "bitmap"))
TABLES = ("head", "hhea", "maxp", "OS/2", "name", "fvar")  # small, and quick to parse
# Table tags and numbers of the name table (OpenType 1.9, "name")
logging.getLogger("fontTools").setLevel(logging.ERROR)  # odd dates in 'head' are no news here
FAMILY, SUBFAMILY, LICENCE, LICENCE_URL, TYPO_FAMILY, TYPO_SUBFAMILY = 1, 2, 13, 14, 16, 17


class Refused(Unreadable):
    """A font file that cannot be inspected; `check` says by which check, `kind` what it is."""

    def __init__(self, check: str, kind: str, message: str) -> None:
        super().__init__(message)
        self.check, self.kind, self.message = check, kind, message

    def __reduce__(self):
        return Refused, (self.check, self.kind, self.message)


@dataclass(frozen=True)
class Names:
    """What a font says about itself."""

    family: str
    style: str
    licence: str  # short, from what the name table says: "" where it says nothing


@dataclass(frozen=True)
class Opened:
    """A face of a font file.

    face      freetype.Face, set to no size
    sfnt      fontTools TTFont with the tables of TABLES, None for Type 1
    damaged   (table, error) of each of TABLES that cannot be parsed
    instances names of a variable font's named instances, in order
    """

    path: Path
    index: int
    kind: str
    face: Any
    sfnt: Any
    damaged: tuple[tuple[str, str], ...]
    names: Names
    instances: tuple[str, ...]


def font_files(paths: list[Path]) -> list[Path]:
    """The font files named, and those in the folders named, each once, in order of their paths.

    A file is taken whatever its name; in folders those with one of SUFFIXES. Links to files that
    are found anyway are left out. Raises Missing naming a path that is not there.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*")
                            if p.name.lower().endswith(SUFFIXES) and p.is_file())
        elif path.exists():
            inside = [path]
        else:
            raise Missing(f"{path} is not there; name a font file or a folder of fonts")
        for p in sorted(inside, key=Path.is_symlink):
            found.setdefault(p.resolve(), p)
    return sorted(found.values())


def kind_of(start: bytes) -> str:
    """The kind of font file from its first bytes, "unknown" for anything else."""
    if start[:2] == b"\x1f\x8b":
        return "bitmap"  # a gzipped pcf, the only fonts kept so
    return next((kind for magic, kind in MAGIC if start.startswith(magic)), "unknown")


def n_faces(path: Path) -> int:
    """How many faces a file holds: more than one only in a collection."""
    with path.open("rb") as file:
        start = file.read(12)
    if not start.startswith(b"ttcf") or len(start) < 12:
        return 1
    return max(1, min(struct.unpack(">I", start[8:12])[0], 1000))


def open_font(path: Path, index: int = 0) -> Opened:
    """A face of a font file. Raises Refused with the reason."""
    import freetype

    start = _checked_start(path)
    kind = kind_of(start)
    if kind == "bitmap":
        raise Refused("format", kind, f"{path.name} is a bitmap font: it has pixels at fixed sizes "
                      "and no outlines; use an outline version of it")
    if kind == "WOFF2":  # the pinned FreeType is built without Brotli
        raise Refused("format", kind, f"{path.name} is WOFF2, whose Brotli compression the "
                      "generator's rasteriser cannot unpack; convert it to TTF or OTF (fonttools "
                      "ttLib.woff2 decompress)")
    try:
        face = freetype.Face(str(path), index)
    except freetype.FT_Exception as error:
        said = "" if kind != "unknown" else f"; it starts with {_printable(start)!r}"
        raise Refused("unparseable", kind, f"{path.name} is no font that can be read "
                      f"({_reason(error)}{said}); remove it") from error
    if not face.is_scalable:
        raise Refused("format", "bitmap", f"{path.name} has bitmaps at fixed sizes and no "
                      "outlines; use an outline version of it")
    sfnt, damaged = _tables(face) if face.is_sfnt else (None, ())
    damaged = (*_cut_off(path), *damaged)
    instances: tuple[str, ...] = ()
    if face.has_multiple_masters and sfnt is not None and "fvar" in sfnt:
        kind = "variable" if kind in ("TrueType", "CFF") else kind
        instances = tuple(_name(sfnt, i.subfamilyNameID) or f"instance {n}"
                          for n, i in enumerate(sfnt["fvar"].instances, start=1))
    return Opened(path, index, kind, face, sfnt, damaged, _names(face, sfnt), instances)


def instance_faces(opened: Opened) -> Iterator[tuple[str, Any]]:
    """(name, freetype face) of each named instance of a variable font."""
    import freetype

    for n, name in enumerate(opened.instances):
        face = freetype.Face(str(opened.path), opened.index)
        face.set_var_design_coords(tuple(opened.sfnt["fvar"].instances[n].coordinates.values()))
        yield name, face


def _checked_start(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise Refused("unparseable", "unknown", f"{path.name} cannot be read: {error.strerror}; "
                      "check the path and its permissions") from error
    if size > LARGEST:
        raise Refused("unparseable", "unknown", f"{path.name} has {size / 1e6:.0f} MB, fonts have "
                      "at most a third of that; remove it")
    if not size:
        raise Refused("unparseable", "unknown", f"{path.name} is empty; remove it")
    return start


def _tables(face: Any) -> tuple[Any, tuple[tuple[str, str], ...]]:
    """(TTFont of the small tables, those that cannot be parsed), from what FreeType unpacked.

    So WOFF2 needs no decompressor in Python, and a damaged glyf or CFF table none of its parsing.
    """
    from fontTools.ttLib import TTFont, newTable

    sfnt, damaged = TTFont(), []
    for tag in TABLES:
        content = _table_bytes(face, tag)
        if content is None:
            continue
        table = newTable(tag)
        try:
            table.decompile(content, sfnt)
            sfnt[tag] = table
        except Exception as error:  # noqa: BLE001  whatever a damaged table makes it stumble on
            damaged.append((tag, f"{type(error).__name__}: {error}"))
    return sfnt, tuple(damaged)


def _cut_off(path: Path) -> list[tuple[str, str]]:
    """(table, how) of the tables of a plain sfnt that reach beyond the end of its file."""
    with path.open("rb") as file:
        start = file.read(12)
        if kind_of(start) not in ("TrueType", "CFF") or len(start) < 12:
            return []
        directory = file.read(16 * struct.unpack(">H", start[4:6])[0])
    size, cut = path.stat().st_size, []
    for at in range(0, len(directory) - 15, 16):
        tag, _, offset, length = struct.unpack(">4sIII", directory[at:at + 16])
        if offset + length > size:
            beyond = f"{offset + length - size} bytes of it lie beyond the end of the file"
            cut.append((tag.decode("latin-1"), beyond))
    return cut


def _table_bytes(face: Any, tag: str) -> bytes | None:
    import ctypes

    import freetype

    number = struct.unpack(">I", tag.encode())[0]
    length = ctypes.c_ulong(0)
    if freetype.FT_Load_Sfnt_Table(face._FT_Face, number, 0, None, ctypes.byref(length)):
        return None
    content = ctypes.create_string_buffer(length.value)
    freetype.FT_Load_Sfnt_Table(face._FT_Face, number, 0, content, ctypes.byref(length))
    return content.raw


def _names(face: Any, sfnt: Any) -> Names:
    family = style = licence = ""
    if sfnt is not None and "name" in sfnt:
        family = _name(sfnt, TYPO_FAMILY) or _name(sfnt, FAMILY)
        style = _name(sfnt, TYPO_SUBFAMILY) or _name(sfnt, SUBFAMILY)
        licence = short_licence(_name(sfnt, LICENCE) + " " + _name(sfnt, LICENCE_URL)
                                + " " + _name(sfnt, 0))
    return Names(family or (face.family_name or b"").decode("latin-1"),
                 style or (face.style_name or b"").decode("latin-1"), licence)


def _name(sfnt: Any, number: int) -> str:
    try:
        return (sfnt["name"].getDebugName(number) or "").strip()
    except (KeyError, UnicodeDecodeError, LookupError):
        return ""


def short_licence(text: str) -> str:
    """The licence that a name table's text speaks of, "" where it names none we know.

    What a package says about its fonts goes before this; it serves to filter a list.
    """
    low = text.lower()
    for short, marks in (("OFL", ("open font license", "scripts.sil.org/ofl", "openfontlicense")),
                         ("Apache", ("apache license", "apache.org/licenses")),
                         ("AGPL", ("affero",)), ("GPL", ("general public license", "gnu gpl", "gpl")),
                         ("LPPL", ("lppl", "latex project", "gust font")),
                         ("CC", ("creative commons", "creativecommons")),
                         ("Bitstream", ("bitstream",)), ("MIT", ("mit license",)),
                         ("public domain", ("public domain",)),
                         ("proprietary", ("all rights reserved",))):
        if any(mark in low for mark in marks):
            return short
    return ""


def _printable(start: bytes) -> str:
    return "".join(chr(b) if 32 <= b < 127 else "." for b in start[:16])


def _reason(error: Exception) -> str:
    return str(error).removeprefix("FT_Exception:").strip().removesuffix(")").replace("(", "") or "?"
