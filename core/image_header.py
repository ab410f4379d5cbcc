"""What an image file says about itself, read from its header without decoding a pixel.

A picture of 40,000 x 40,000 px is 4.5 GiB once decoded, from a file of a few kB; so size comes
first, decoding after. The same walk over the file tells whether it was cut short: OpenCV fills
the missing part of a JPEG with grey and says nothing.

Sources: PNG (W3C, 3rd edition), JPEG (ITU T.81 annex B), JFIF 1.02, Exif 2.32, TIFF 6.0, WebP
container (RFC 9649), BMP (Windows GDI), GIF89a, Netpbm.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

CM_PER_INCH = 2.54
METRES_PER_INCH = 0.0254
MAX_TIFF_PAGES = 10_000           # a chain of directories longer than this is a loop or an attack
TIFF_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8,
                   16: 8, 17: 8, 18: 8}
TIFF_TYPE_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q", 17: "q", 18: "Q"}
# JPEG: start of frame, all but DHT (C4), JPG (C8) and DAC (CC), which share the range.
SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# In the scan: 0xFF followed by what is neither stuffing, nor a restart, nor fill.
NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True)
class ImageHeader:
    """One picture's header.

    kind         "png", "jpeg", "tiff", "bmp", "webp", "gif", "pnm", "jp2"
    width, height  px as stored, before EXIF is applied; 0 where the header holds none
    dpi          (across, down) px per inch as stored, None where the file does not say
    orientation  EXIF orientation 1 to 8
    n_pages      pictures in the file (TIFF), else 1
    cut          what is missing, in words; "" for a whole file
    """

    kind: str
    width: int
    height: int
    dpi: tuple[float, float] | None = None
    orientation: int = 1
    n_pages: int = 1
    cut: str = ""


def image_kind(content: bytes) -> str | None:
    """The kind of image by its first bytes (the name's ending is not trusted), None if none."""
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if content[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if content[:12] == b"\0\0\0\x0cjP  \r\n\x87\n" or content[:4] == b"\xff\x4f\xff\x51":
        return "jp2"
    if content[:2] == b"BM" and len(content) > 14:
        return "bmp"
    if re.match(rb"P[1-6]\s", content[:3]):
        return "pnm"
    return None


def read_header(content: bytes, page: int = 0) -> ImageHeader:
    """The header of the picture `page` (0-based) of an image file.

    Raises ValueError, in words, where the header itself is broken or its kind unknown.
    """
    kind = image_kind(content)
    if kind is None:
        raise ValueError("it starts like no image format known here")
    try:
        return READERS[kind](content, page)
    except (struct.error, IndexError, OverflowError) as error:  # Overflow: an offset beyond 2**63
        raise ValueError(f"its {kind.upper()} header is cut short") from error


# ---- PNG ---------------------------------------------------------------------------------------

def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """(type, body, whole) of each chunk; `whole` is False where the file ends or the CRC is wrong."""
    at = 8
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        body = content[at + 8:at + 8 + length]
        crc = content[at + 8 + length:at + 12 + length]
        whole = len(crc) == 4 and struct.unpack(">I", crc)[0] == zlib.crc32(kind + body)
        yield kind, body, whole
        if len(crc) < 4:
            return
        at += 12 + length


def _png(content: bytes, page: int) -> ImageHeader:
    width, height = struct.unpack_from(">II", content, 16)
    header = ImageHeader("png", width, height)
    ended = False
    for kind, body, whole in _png_chunks(content):
        if not whole and kind in (b"IDAT", b"IHDR", b"PLTE") and not header.cut:
            header = replace(header, cut="a block of its pixels is cut short or damaged")
        if kind == b"pHYs" and len(body) == 9 and body[8] == 1:
            across, down = struct.unpack(">II", body[:8])
            header = replace(header, dpi=(across * METRES_PER_INCH, down * METRES_PER_INCH))
        if kind == b"eXIf":
            header = replace(header, orientation=_exif(body)[0])
        if kind == b"IEND":
            ended = True
            break
    if not ended and not header.cut:
        header = replace(header, cut="the file ends before the picture does")
    return header


# ---- JPEG --------------------------------------------------------------------------------------

def _jpeg(content: bytes, page: int) -> ImageHeader:
    """Walks all segments and scans to the end-of-image marker, a few ms for 5 MB."""
    header = ImageHeader("jpeg", 0, 0)
    exif_dpi = None
    at = 2
    while True:
        match = NEXT_MARKER.search(content, at)
        if match is None:
            return replace(header, dpi=header.dpi or exif_dpi,
                           cut="the file ends before the picture does")
        marker, at = content[match.start() + 1], match.end()
        if marker == 0xD9:
            return replace(header, dpi=header.dpi or exif_dpi)
        if marker in (0x01, 0xD8):
            continue
        if at + 2 > len(content):
            continue
        length = struct.unpack_from(">H", content, at)[0]
        body = content[at + 2:at + length]
        if marker in SOF_MARKERS and not header.width and len(body) >= 5:
            height, width = struct.unpack_from(">HH", body, 1)
            header = replace(header, width=width, height=height)
        elif marker == 0xE0 and body[:5] == b"JFIF\0" and len(body) >= 12:
            header = replace(header, dpi=_jfif_dpi(body))
        elif marker == 0xE1 and body[:6] == b"Exif\0\0":
            orientation, exif_dpi = _exif(body[6:])
            header = replace(header, orientation=orientation)
        at += length


def _jfif_dpi(body: bytes) -> tuple[float, float] | None:
    unit, across, down = struct.unpack_from(">BHH", body, 7)
    per_inch = {1: 1.0, 2: CM_PER_INCH}.get(unit)
    return None if per_inch is None or not across or not down else (across * per_inch,
                                                                    down * per_inch)


# ---- TIFF, which is EXIF too -------------------------------------------------------------------

@dataclass(frozen=True)
class _Directory:
    """Tags of one TIFF directory: tag -> its values; `next` is the offset of the following one."""

    tags: dict[int, tuple]
    next: int


def _tiff_directory(content: bytes, at: int, order: str, big: bool) -> _Directory:
    n_entries, = struct.unpack_from(order + ("Q" if big else "H"), content, at)
    at += 8 if big else 2
    size, inline = (20, 8) if big else (12, 4)
    tags = {}
    for entry in range(at, at + min(n_entries, 4096) * size, size):
        tag, kind = struct.unpack_from(order + "HH", content, entry)
        count, = struct.unpack_from(order + ("Q" if big else "I"), content, entry + 4)
        n_bytes = TIFF_TYPE_BYTES.get(kind, 0) * count
        where = entry + (12 if big else 8)
        if n_bytes > inline:
            where, = struct.unpack_from(order + ("Q" if big else "I"), content, where)
        if not n_bytes or where + n_bytes > len(content):
            continue
        if kind in (5, 10):
            pairs = struct.unpack_from(order + ("I" if kind == 5 else "i") * 2 * count, content, where)
            tags[tag] = tuple(a / b if b else 0.0 for a, b in zip(pairs[::2], pairs[1::2]))
        elif kind in TIFF_TYPE_CODES:
            tags[tag] = struct.unpack_from(f"{order}{count}{TIFF_TYPE_CODES[kind]}", content, where)
    following, = struct.unpack_from(order + ("Q" if big else "I"), content, at + n_entries * size)
    return _Directory(tags, following)


def _tiff_directories(content: bytes) -> list[_Directory]:
    """All directories, in order. A chain that leaves the file ends there."""
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", content, 2)[0] == 43
    at, = struct.unpack_from(order + ("Q" if big else "I"), content, 8 if big else 4)
    found, seen = [], set()
    while at and at not in seen and len(found) < MAX_TIFF_PAGES:
        seen.add(at)
        try:
            found.append(_tiff_directory(content, at, order, big))
        except (struct.error, OverflowError):
            if not found:
                raise
            break
        at = found[-1].next
    return found


def _tag_dpi(tags: dict[int, tuple]) -> tuple[float, float] | None:
    """Tags 282, 283 (resolution) and 296 (unit: 2 inch, 3 cm; absent = inch)."""
    per_inch = {2: 1.0, 3: CM_PER_INCH}.get(tags.get(296, (2,))[0])
    if per_inch is None or 282 not in tags:
        return None
    across = tags[282][0] * per_inch
    return across, tags.get(283, tags[282])[0] * per_inch


def _tag_orientation(tags: dict[int, tuple]) -> int:
    value = tags.get(274, (1,))[0]
    return int(value) if 1 <= value <= 8 else 1


def _exif(body: bytes) -> tuple[int, tuple[float, float] | None]:
    """(orientation, dpi) of an Exif block; a broken block says nothing."""
    if body[:4] not in (b"II*\0", b"MM\0*"):
        return 1, None
    order = "<" if body[:2] == b"II" else ">"
    try:
        at, = struct.unpack_from(order + "I", body, 4)
        tags = _tiff_directory(body, at, order, False).tags
    except struct.error:
        return 1, None
    return _tag_orientation(tags), _tag_dpi(tags)


def _tiff(content: bytes, page: int) -> ImageHeader:
    directories = _tiff_directories(content)
    if page >= len(directories):
        raise ValueError(f"it has {len(directories)} pages")
    tags = directories[page].tags
    header = ImageHeader("tiff", int(tags.get(256, (0,))[0]), int(tags.get(257, (0,))[0]),
                         _tag_dpi(tags), _tag_orientation(tags), len(directories))
    offsets = tags.get(273) or tags.get(324) or ()
    counts = tags.get(279) or tags.get(325) or ()
    if any(at + n > len(content) for at, n in zip(offsets, counts)) or not offsets:
        header = replace(header, cut="the file ends before the picture does")
    if directories[-1].next >= len(content):
        header = replace(header, cut="the file ends before its last page")
    return header


# ---- the rest ----------------------------------------------------------------------------------

def _bmp(content: bytes, page: int) -> ImageHeader:
    n_bytes, = struct.unpack_from("<I", content, 2)
    cut = "the file ends before the picture does" if n_bytes > len(content) else ""
    if struct.unpack_from("<I", content, 14)[0] == 12:
        width, height = struct.unpack_from("<HH", content, 18)
        return ImageHeader("bmp", width, height, cut=cut)
    width, height = struct.unpack_from("<ii", content, 18)
    across, down = struct.unpack_from("<ii", content, 38)
    dpi = (across * METRES_PER_INCH, down * METRES_PER_INCH) if across > 0 and down > 0 else None
    return ImageHeader("bmp", abs(width), abs(height), dpi, cut=cut)


def _webp(content: bytes, page: int) -> ImageHeader:
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(content[at:at + 3], "little") for at in (24, 27))
    elif kind == b"VP8L":
        bits, = struct.unpack_from("<I", content, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (n & 0x3FFF for n in struct.unpack_from("<HH", content, 26))
    header = ImageHeader("webp", width, height)
    at = 12
    while at + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, at)
        if kind == b"EXIF":
            body = content[at + 8:at + 8 + length].removeprefix(b"Exif\0\0")
            header = replace(header, orientation=_exif(body)[0], dpi=_exif(body)[1])
        at += 8 + length + length % 2
    if struct.unpack_from("<I", content, 4)[0] + 8 > len(content):
        header = replace(header, cut="the file ends before the picture does")
    return header


def _gif(content: bytes, page: int) -> ImageHeader:
    width, height = struct.unpack_from("<HH", content, 6)
    cut = "" if b";" in content[-64:] else "the file ends before the picture does"
    return ImageHeader("gif", width, height, cut=cut)


def _pnm(content: bytes, page: int) -> ImageHeader:
    numbers = re.findall(rb"\d+", re.sub(rb"#[^\n]*", b"", content[2:512]))
    return ImageHeader("pnm", int(numbers[0]), int(numbers[1]))


def _jp2(content: bytes, page: int) -> ImageHeader:
    at = content.find(b"\xff\x4f\xff\x51")  # start of codestream, then its size segment
    if at < 0:
        raise ValueError("its JP2 header is cut short")
    x1, y1, x0, y0 = struct.unpack_from(">IIII", content, at + 8)
    cut = "" if b"\xff\xd9" in content[-4096:] else "the file ends before the picture does"
    return ImageHeader("jp2", x1 - x0, y1 - y0, cut=cut)


READERS = {"png": _png, "jpeg": _jpeg, "tiff": _tiff, "bmp": _bmp, "webp": _webp, "gif": _gif,
           "pnm": _pnm, "jp2": _jp2}
