"""Fonts as bitmaps: every glyph of the alphabet at a few sizes, and words set from them.

Rasterising glyphs word by word would be half the cost of a sample, so each font is rasterised
once, into an `Atlas` that is kept in the user's cache folder and set up by one process in a few
seconds. A word is glyph bitmaps put side by side; one warp afterwards gives it its final size.
A glyph that is missing, empty or drawn like the font's "no such glyph" box is never drawn.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
import unicodedata
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

import cv2
import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_dir

from core.errors import Missing, Unreadable
from core.fonts.catalogue import (
    CLASSES,
    RECEIPTS,
    Catalogue,
    FontFile,
    sha256_of,
    shipped,
    standing,
)
from core.fonts.install import FOLDER_VARIABLE
from core.recognizer.alphabet import ASCII, CHARACTERS

# px per em. The small ones are hinted and set at whole pixels as screens do; the steps of about
# 1.4 keep the final warp from shrinking so far that bilinear sampling aliases.
SIZES = (11, 13, 16, 20, 28, 40, 56, 78)
HINTED_TO = 20  # px per em; above it glyphs are drawn unhinted, as printers do
ATLAS_VERSION = 6  # raise it when rasterising changes: the cached files are then made anew
# Letters whose capital has another form: where these look alike, the font has no lower case.
UNLIKE = "abdeghnqrt"
ALIKE_FROM = 0.8  # overlap of two glyphs scaled to one box above which they look the same
ALIKE_SIZE = 5  # index into SIZES at which glyphs are compared (40 px)
LEAST_SPACE = 0.18  # em; a narrower gap between words cannot be told from one between letters
# What a sign beyond ASCII is drawn like: a font whose likeness is rejected does not draw it.
LIKE = dict(zip("‘’“”„–—…æœßÆŒøØ¡¿×", "''\"\"\"--.aosAOoO!?x", strict=True))
LEAST_KERN = 0.004  # em; a smaller correction than this moves no glyph at any of SIZES
MOST_FACES = 2000  # kept ready to set, some 60 kB each; the shipped fonts have 800


@dataclass(frozen=True)
class Atlas:
    """Glyph bitmaps of a set of fonts.

    `pixels` is one long uint8 array, 255 = ink. Of glyph (font f, size s, character c of
    alphabet.CHARACTERS), `start[f, s, c]` is its first pixel and `shape[f, s, c]` its height,
    width, left bearing and rise of its top row above the baseline, in px; `advance[f, s, c]` the
    pen's step in px; `kern[f, c, d]` is added, in em, between c and d. `usable[f, c]` tells
    whether it may be drawn at all, `unicase[f]` that the font has one case only, so that its
    texts are upper case.
    """

    fonts: tuple[FontFile, ...]
    pixels: NDArray[np.uint8]
    start: NDArray[np.int64]  # (F, S, C)
    shape: NDArray[np.int16]  # (F, S, C, 4)
    advance: NDArray[np.float32]  # (F, S, C)
    kern: NDArray[np.float16]  # (F, C, C)
    usable: NDArray[np.bool_]  # (F, C)
    unicase: NDArray[np.bool_]  # (F,)
    bounds: tuple[float, ...] = ()  # cumulative font weights, ending at 1
    # the same of the weights on receipts, by printer (catalogue.RECEIPTS)
    receipt_bounds: dict[str, tuple[float, ...]] = field(default_factory=dict)
    drawable: tuple[frozenset[str], ...] = ()  # usable characters of each font
    _faces: dict[tuple[int, int, bool], Face] = field(default_factory=dict, repr=False)

    def face(self, font: int, size: int, plain_zero: bool = False) -> Face:
        """One font at one size (an index into SIZES), its glyphs ready to set."""
        key = font, size, plain_zero
        if key not in self._faces:
            if len(self._faces) >= MOST_FACES:
                self._faces.pop(next(iter(self._faces)))
            self._faces[key] = Face(self, font, size, plain_zero)
        return self._faces[key]

    @property
    def digest(self) -> str:
        """16 hex digits of the fonts, their weights and what may be drawn of them: settings, seed
        and number name the same sample wherever this is the same."""
        h = hashlib.sha256(atlas_digest(self.fonts).encode())
        bounds = self.bounds, *self.receipt_bounds.values()
        h.update(repr(bounds).encode() + self.usable.tobytes() + self.unicase.tobytes())
        return h.hexdigest()[:16]


class Face:
    """A font at one size. Heights are px above the baseline (`descent` below it, positive).

    plain_zero  a nought with a dot or stroke in it, as fonts of one pitch have it, is replaced by
                the font's O at the nought's size, as tills print it
    """

    __slots__ = ("ascent", "descent", "em", "glyph", "kern", "rows", "space", "x_height")

    def __init__(self, atlas: Atlas, font: int, size: int, plain_zero: bool = False) -> None:
        self.em = SIZES[size]
        # character -> (bitmap (h, w), left, top, advance); only usable ones
        self.glyph: dict[str, tuple[NDArray[np.uint8], int, int, float]] = {}
        starts, shapes = atlas.start[font, size].tolist(), atlas.shape[font, size].tolist()
        advances = atlas.advance[font, size].tolist()
        for k, c in enumerate(CHARACTERS):
            if atlas.usable[font, k]:
                h, w, left, top = shapes[k]
                bitmap = atlas.pixels[starts[k]:starts[k] + h * w].reshape(h, w)
                self.glyph[c] = bitmap, left, top, advances[k]
        if plain_zero and {"0", "O"} <= self.glyph.keys():
            bitmap, *rest = self.glyph["0"]
            if _is_crossed(bitmap):
                self.glyph["0"] = cv2.resize(self.glyph["O"][0], bitmap.shape[::-1],
                                             interpolation=cv2.INTER_AREA), *rest
        # rows of ink, y down from the baseline, half-open
        self.rows = {c: (-top, g.shape[0] - top) for c, (g, _, top, _) in self.glyph.items()}
        pairs = np.argwhere(np.abs(atlas.kern[font]) >= LEAST_KERN).tolist()
        # "AV" -> px; empty for most fonts of one pitch
        self.kern = {CHARACTERS[a] + CHARACTERS[b]: float(atlas.kern[font, a, b]) * self.em
                     for a, b in pairs}
        tops = [self.glyph[c][2] for c in "bdhklEHT" if c in self.glyph]
        lows = [self.glyph[c][0].shape[0] - self.glyph[c][2] for c in "gpqy" if c in self.glyph]
        heights = [self.glyph[c][2] for c in "xzvno" if c in self.glyph]
        self.ascent = max(tops, default=round(0.7 * self.em))
        self.descent = max(lows, default=round(0.2 * self.em))
        self.x_height = min(heights, default=round(0.45 * self.em))
        step = self.glyph[" "][3] if " " in self.glyph else 0.0
        # a space of no width, or as wide as two letters, is the font maker's slip
        self.space = step if 0.1 * self.em < step < 1.2 * self.em else 0.3 * self.em


def _is_crossed(zero: NDArray[np.uint8]) -> bool:
    """Whether a nought has ink in its middle."""
    h, w = zero.shape
    return bool(zero[2 * h // 5:3 * h // 5 + 1, 2 * w // 5:3 * w // 5 + 1].max(initial=0) > 96)


@dataclass(frozen=True)
class Setting:
    """A text in glyphs: where each bitmap goes, and the ink they cover.

    places  (character, x, y) of each bitmap's top left corner, px from pen start and baseline
    ink     x0, y0, x1, y1 of all of it, half-open; y down, 0 = baseline
    """

    text: str
    places: tuple[tuple[str, int, int], ...]
    ink: tuple[int, int, int, int]


def set_text(face: Face, text: str, tracking: float, space: float, width_max: float) -> Setting:
    """As much of a text as fits, in glyphs side by side.

    tracking   px added after each character
    space      factor on the font's space, which never gets narrower than LEAST_SPACE
    width_max  px; the first glyph whose ink passes it and all after it are left out, and then
               spaces at the end. The `text` of the result is what is really set.
    """
    pen, places, length, last = 0.0, [], 0, ""
    x0, y0, x1, y1 = 10 ** 6, 10 ** 6, -10 ** 6, -10 ** 6
    glyphs, kern = face.glyph, face.kern
    for n, c in enumerate(text):
        if c == " ":
            pen += max(face.space * space, LEAST_SPACE * face.em) + max(tracking, 0.0)
            last = c
            continue
        bitmap, left, top, step = glyphs[c]
        h, w = bitmap.shape
        if kern:
            pen += kern.get(last + c, 0.0)
            last = c
        x = int(pen + 0.5) + left
        if places and x + w - x0 > width_max:
            break
        places.append((c, x, -top))
        x0, x1 = min(x0, x), max(x1, x + w)
        y0, y1 = min(y0, -top), max(y1, h - top)
        pen += step + tracking
        length = n + 1
    return Setting(text[:length], tuple(places), (x0, y0, x1, y1))


def paint(canvas: NDArray[np.uint8], face: Face, setting: Setting, x: int, y: int) -> None:
    """Add a setting's ink to a canvas (255 = ink), its pen start at column x, baseline at row y.

    Where glyphs overlap the darker wins. What lies outside the canvas is cut.
    """
    height, width = canvas.shape
    for c, gx, gy in setting.places:
        bitmap = face.glyph[c][0]
        h, w = bitmap.shape
        left, top = x + gx, y + gy
        if left >= 0 and top >= 0 and left + w <= width and top + h <= height:
            spot = canvas[top:top + h, left:left + w]
            np.maximum(spot, bitmap, out=spot)
            continue
        a, b = max(0, -top), min(h, height - top)
        d, e = max(0, -left), min(w, width - left)
        if a < b and d < e:
            spot = canvas[top + a:top + b, left + d:left + e]
            np.maximum(spot, bitmap[a:b, d:e], out=spot)


class Rasters(NamedTuple):
    """The glyphs of one font file; see `Atlas`, whose rows they become."""

    bitmaps: list[NDArray[np.uint8]]
    shape: NDArray[np.int16]  # (S, C, 4)
    advance: NDArray[np.float32]  # (S, C)
    kern: NDArray[np.float16]  # (C, C)
    usable: NDArray[np.bool_]  # (C,)


def rasterise(path: Path) -> Rasters:
    """The glyphs of one font file.

    Bitmaps are in order of sizes, then characters. Raises Unreadable naming the file.
    """
    import freetype  # only the process that makes an atlas needs it
    n_sizes, n = len(SIZES), len(CHARACTERS)
    shape = np.zeros((n_sizes, n, 4), np.int16)
    advance = np.zeros((n_sizes, n), np.float32)
    usable = np.zeros(n, bool)
    bitmaps: list[NDArray[np.uint8]] = []
    drawn: dict[str, NDArray[np.uint8]] = {}
    try:
        face = freetype.Face(str(path))
        for s, em in enumerate(SIZES):
            # bitmaps that a font carries (Terminus) are 1 bit deep and of other sizes
            flags = freetype.FT_LOAD_RENDER | freetype.FT_LOAD_NO_BITMAP
            flags |= (freetype.FT_LOAD_TARGET_LIGHT if em <= HINTED_TO
                      else freetype.FT_LOAD_NO_HINTING)
            face.set_pixel_sizes(0, em)
            blank, _ = draw_glyph(face, 0, flags)
            for k, c in enumerate(CHARACTERS):
                index = face.get_char_index(c)
                bitmap, metrics = draw_glyph(face, index, flags)
                bitmaps.append(bitmap)
                shape[s, k] = (*bitmap.shape, *metrics[:2])
                advance[s, k] = metrics[2]
                if s == ALIKE_SIZE:
                    has_ink = bool(bitmap.size and bitmap.any())
                    boxed = has_ink and bitmap.shape == blank.shape and (bitmap == blank).all()
                    usable[k] = index > 0 and (c == " " or (has_ink and not boxed))
                    drawn[c] = bitmap
            if s == ALIKE_SIZE:
                usable &= [not _lacks_accent(c, drawn) for c in CHARACTERS]
        kern = _kerning(face)
    except freetype.FT_Exception as error:
        raise Unreadable(f"{path} cannot be rasterised ({error}); remove it from the font list "
                         "or replace the file") from error
    return Rasters(bitmaps, shape, advance, kern, usable)


def _lacks_accent(c: str, drawn: dict[str, NDArray[np.uint8]]) -> bool:
    """Whether a letter with an accent is drawn like the letter alone (fonts made for English)."""
    base = unicodedata.normalize("NFD", c)[0]
    return base != c and drawn[c].shape == drawn[base].shape and bool((drawn[c] == drawn[base]).all())


def permitted(allowed: frozenset[str]) -> NDArray[np.bool_]:
    """(C,) what may be drawn of alphabet.CHARACTERS where verdicts leave `allowed` of ASCII.

    Verdicts speak of ASCII only. A letter with an accent goes with its letter, a sign with the one
    it is drawn like (LIKE), any other with most of the symbols.
    """
    signs = 2 * len(CLASSES["symbols"] & allowed) > len(CLASSES["symbols"])
    found = []
    for c in CHARACTERS:
        base = LIKE.get(c, unicodedata.normalize("NFD", c)[0])
        found.append(base in allowed if base in ASCII else signs)
    return np.array(found)


def _kerning(face: object) -> NDArray[np.float16]:
    """(C, C) em, from the font's `kern` table: FreeType reads no GPOS, and most that have only
    that are set well enough without."""
    import freetype
    kern = np.zeros((len(CHARACTERS),) * 2, np.float16)
    if face.has_kerning:
        for a, left in enumerate(CHARACTERS):
            for b, right in enumerate(CHARACTERS):
                moved = face.get_kerning(left, right, freetype.FT_KERNING_UNSCALED).x
                kern[a, b] = moved / face.units_per_EM
    return np.clip(kern, -0.3, 0.3)


def draw_glyph(face: object, index: int, flags: int) -> tuple[NDArray[np.uint8], tuple]:
    """(bitmap (h, w), (left, top, advance)) of a glyph, cut to its ink."""
    face.load_glyph(index, flags)
    slot = face.glyph
    raw = slot.bitmap
    bitmap = np.array(raw.buffer, np.uint8).reshape(raw.rows, raw.pitch)[:, :raw.width] \
        if raw.rows and raw.width else np.zeros((0, 0), np.uint8)
    left, top = slot.bitmap_left, slot.bitmap_top
    if bitmap.any():
        rows, columns = np.flatnonzero(bitmap.any(1)), np.flatnonzero(bitmap.any(0))
        left, top = left + columns[0], top - rows[0]
        bitmap = bitmap[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    else:
        bitmap = np.zeros((0, 0), np.uint8)
    return np.ascontiguousarray(bitmap), (left, top, slot.advance.x / 64)


def is_unicase(glyphs: dict[str, NDArray[np.uint8]]) -> bool:
    """Whether lower case letters look like their capitals, scaled or not (bitmaps by character)."""
    alike = sum(_overlap(glyphs[c], glyphs[c.upper()]) > ALIKE_FROM for c in UNLIKE
                if c in glyphs and c.upper() in glyphs)
    return alike >= len(UNLIKE) // 2


def _overlap(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Intersection over union of two glyphs' ink, both stretched to one 24 px box."""
    if not a.size or not b.size:
        return 0.0
    x, y = (cv2.resize(g, (24, 24), interpolation=cv2.INTER_AREA).astype(np.float32)
            for g in (a, b))
    return float(np.minimum(x, y).sum() / max(np.maximum(x, y).sum(), 1.0))


def build(fonts: tuple[FontFile, ...]) -> Atlas:
    """An atlas rasterised from the font files; about 0.1 s a font."""
    shape = (len(fonts), len(SIZES), len(CHARACTERS))
    start, advance = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
    kern = np.zeros((len(fonts), len(CHARACTERS), len(CHARACTERS)), np.float16)
    box, usable = np.zeros((*shape, 4), np.int16), np.zeros((len(fonts), len(CHARACTERS)), bool)
    unicase, chunks, total = np.zeros(len(fonts), bool), [], 0
    for f, font in enumerate(fonts):
        bitmaps, box[f], advance[f], kern[f], usable[f] = rasterise(font.path)
        lengths = np.array([b.size for b in bitmaps])
        start[f] = (total + np.concatenate([[0], np.cumsum(lengths)[:-1]])).reshape(shape[1:])
        total += int(lengths.sum())
        chunks += [b.ravel() for b in bitmaps]
        at = ALIKE_SIZE * len(CHARACTERS)
        unicase[f] = is_unicase({c: bitmaps[at + k] for k, c in enumerate(CHARACTERS)
                                 if usable[f, k]})
    return _finished(fonts, np.concatenate(chunks), start, box, advance, kern, usable, unicase)


def _finished(fonts: tuple[FontFile, ...], pixels: NDArray, start: NDArray, shape: NDArray,
              advance: NDArray, kern: NDArray, usable: NDArray, unicase: NDArray) -> Atlas:
    bounds = _cumulative([f.weight for f in fonts])
    receipts = {name: [getattr(f, name) if f.weight > 0 else 0.0 for f in fonts] for name in RECEIPTS}
    receipt_bounds = {name: _cumulative(s) if any(s) else bounds for name, s in receipts.items()}
    drawable = tuple(frozenset(c for k, c in enumerate(CHARACTERS) if row[k]) for row in usable)
    return Atlas(fonts, pixels, start, shape, advance, kern, usable, unicase, bounds,
                 receipt_bounds, drawable)


def _cumulative(weights: list[float]) -> tuple[float, ...]:
    """Shares of a total, added up; the last is 1 exactly."""
    total = np.cumsum(weights)
    return *(total[:-1] / total[-1]).tolist(), 1.0


def atlas_digest(fonts: tuple[FontFile, ...]) -> str:
    """What an atlas depends on: the bytes of the fonts, sizes, this module's version, FreeType."""
    import freetype
    h = hashlib.sha256(repr((ATLAS_VERSION, SIZES, HINTED_TO, freetype.version())).encode())
    for font in fonts:
        h.update(font.path.name.encode())
        h.update(hashlib.sha256(font.path.read_bytes()).digest())
    return h.hexdigest()[:16]


def cached(fonts: tuple[FontFile, ...], folder: Path | None = None) -> Atlas:
    """The atlas of these fonts, from the cache folder or built and left there.

    Building takes some 5 s for the shipped fonts, reading the file 0.1 s. A cache folder that
    cannot be written only costs the next process the building.
    """
    folder = folder or Path(user_cache_dir("ocr-workbench"))
    path = folder / f"atlas-{atlas_digest(fonts)}.npz"
    names = ("pixels", "start", "shape", "advance", "kern", "usable", "unicase")
    try:
        with np.load(path) as stored:
            return _finished(fonts, _mapped(path, names[0]), *(stored[n] for n in names[1:]))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        pass  # not there yet, or torn: build it
    atlas = build(fonts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as part:
            np.savez(part, **{name: getattr(atlas, name) for name in names})
        os.replace(part.name, path)
    except OSError:
        pass
    return atlas


def _mapped(path: Path, name: str) -> NDArray:
    """An array of an .npz that was saved without compression, mapped: processes share its memory,
    0.9 MB a font."""
    with ZipFile(path) as packed:
        start = packed.getinfo(f"{name}.npy").header_offset
    with path.open("rb") as file:
        file.seek(start + 26)  # of the local header, ZIP specification (APPNOTE) 4.3.7
        n_name, n_extra = struct.unpack("<HH", file.read(4))
        file.seek(n_name + n_extra, os.SEEK_CUR)
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        return np.asarray(np.memmap(path, dtype, "r", file.tell(), shape))


def obeying(atlas: Atlas, catalogue: Catalogue) -> Atlas:
    """The atlas as a curator's verdicts leave it.

    A character that is rejected, alone or with its class, is not drawn; a rejected font is never
    picked, and a family's picks are multiplied by its weight. A font whose lower case is rejected
    writes capitals. Raises Missing where no font is left.
    """
    usable, fonts = atlas.usable.copy(), []
    for f, font in enumerate(atlas.fonts):
        allowed = catalogue.allowed(sha256_of(font.path))
        usable[f] &= permitted(allowed)
        factor = catalogue.weight(font.family) if usable[f, 1:].any() else 0.0
        fonts.append(replace(font, **{name: getattr(font, name) * factor
                                      for name in ("weight", *RECEIPTS)}))
    if not any(font.weight > 0 for font in fonts):
        raise Missing("every font is rejected; accept one in the font view, or undo a verdict")
    lower = [CHARACTERS.index(c) for c in "aeinost"]
    unicase = atlas.unicase | ~usable[:, lower].any(1)
    return _finished(tuple(fonts), atlas.pixels, atlas.start, atlas.shape, atlas.advance,
                     atlas.kern, usable, unicase)


@cache
def default_atlas() -> Atlas:
    """The atlas of the shipped fonts as the standing verdicts leave it, once a process; with those
    of the folder that the environment's OCR_WORKBENCH_FONTS names beside them, if it names one.

    The environment, since every process that draws (of a training, of the window) must agree.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        from core.synth.full_set import atlas_of  # which needs this module
        return atlas_of(Path(folder))
    return obeying(cached(shipped()), standing())
