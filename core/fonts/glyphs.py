"""The printable ASCII glyphs of a face, rasterised once and measured, as the checks need them."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.recognizer.alphabet import ASCII

EM = 64  # px per em of the rasters that the checks compare; a hairline of 10/1000 em still shows
INK = 1  # level of 255 from which a pixel counts as ink, as in the generator
POSITION = {c: k for k, c in enumerate(ASCII)}  # column of a character in all tables here
CLIP = 4096  # px; a glyph with a larger raster (an outline gone astray) is cut off


@dataclass(frozen=True)
class Glyphs:
    """A row for each of alphabet.ASCII. Lengths in em, y up from the baseline.

    index    (95,) int32 glyph number, 0 = the font does not have the character
    outline  the points in font units, moved to the left edge, as bytes: equal for equal outlines
             wherever they stand on the line; rasters of those differ by parts of a pixel
    bitmap   the ink, cut to it: (h, w) uint8, 255 = ink; (0, 0) where there is none
    box      (95, 4) float32 left, bottom, right, top of the ink; zeros without any
    advance  (95,) float32
    blank_*  the same of the sign for missing characters
    failed   characters that FreeType cannot draw
    """

    index: NDArray[np.int32]
    outline: tuple[bytes, ...]
    bitmap: tuple[NDArray[np.uint8], ...]
    box: NDArray[np.float32]
    advance: NDArray[np.float32]
    blank_bitmap: NDArray[np.uint8]
    blank_outline: bytes
    failed: frozenset[str] = frozenset()

    @property
    def inked(self) -> NDArray[np.bool_]:
        """(95,) whether a character is in the font and draws anything."""
        return (self.index > 0) & np.array([b.size > 0 for b in self.bitmap])

    def has(self, characters: str) -> str:
        """Those of the characters that are in the font and draw something."""
        inked = self.inked
        return "".join(c for c in characters if inked[POSITION[c]])

    def tops(self, characters: str) -> NDArray[np.float32]:
        return self.box[[POSITION[c] for c in self.has(characters)], 3]

    def bottoms(self, characters: str) -> NDArray[np.float32]:
        return self.box[[POSITION[c] for c in self.has(characters)], 1]

    @property
    def cap_height(self) -> float:
        """em: of flat capitals, else of any; 0.7 in a font without."""
        for characters in ("HEITLZFNMK", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "bdhkl0123456789"):
            tops = self.tops(characters)
            if len(tops):
                return max(float(np.median(tops)), 0.1)
        return 0.7


def rasterise(face: Any) -> Glyphs:
    """The glyphs of a freetype face at EM px, unhinted as the generator draws large print."""
    import freetype

    flags = freetype.FT_LOAD_RENDER | freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP
    face.set_pixel_sizes(0, EM)
    index = np.array([face.get_char_index(c) for c in ASCII], np.int32)
    outlines = tuple(_outline(face, int(number)) for number in index)
    bitmaps, failed = [], set()
    box = np.zeros((len(ASCII), 4), np.float32)
    advance = np.zeros(len(ASCII), np.float32)
    for k, number in enumerate(index):
        try:
            bitmap, box[k], advance[k] = _glyph(face, int(number), flags)
        except freetype.FT_Exception:
            bitmap = np.zeros((0, 0), np.uint8)
            failed.add(ASCII[k])
        bitmaps.append(bitmap)
    try:
        blank = _glyph(face, 0, flags)[0]
    except freetype.FT_Exception:
        blank = np.zeros((0, 0), np.uint8)
    return Glyphs(index, outlines, tuple(bitmaps), box, advance, blank, _outline(face, 0),
                  frozenset(failed))


def _outline(face: Any, number: int) -> bytes:
    import freetype
    try:
        face.load_glyph(number, freetype.FT_LOAD_NO_SCALE)
    except freetype.FT_Exception:
        return b""
    drawn = face.glyph._FT_GlyphSlot.contents.outline
    if drawn.n_points <= 0:
        return b""
    flat = ctypes.cast(drawn.points, ctypes.POINTER(ctypes.c_long))
    points = np.ctypeslib.as_array(flat, (drawn.n_points, 2)).copy()
    points[:, 0] -= points[:, 0].min()
    return points.tobytes() + ctypes.string_at(drawn.contours, 2 * drawn.n_contours)


def glyph_names(face: Any, glyphs: Glyphs) -> dict[str, str]:
    """Character -> name of its glyph; empty where the font keeps no names."""
    if not face.has_glyph_names:
        return {}
    return {c: face.get_glyph_name(int(glyphs.index[k])).decode("latin-1")
            for k, c in enumerate(ASCII) if glyphs.index[k]}


def _glyph(face: Any, number: int, flags: int) -> tuple[NDArray[np.uint8], NDArray, float]:
    face.load_glyph(number, flags)
    slot = face.glyph._FT_GlyphSlot.contents
    raw, advance = slot.bitmap, slot.linearHoriAdvance / 65536 / EM
    none = np.zeros((0, 0), np.uint8), np.zeros(4, np.float32), advance
    if not raw.rows or not raw.width or raw.pitch <= 0:
        return none
    rows, width = min(raw.rows, CLIP), min(raw.width, CLIP)
    flat = np.ctypeslib.as_array(raw.buffer, (raw.rows * raw.pitch,))
    bitmap = flat.reshape(raw.rows, raw.pitch)[:rows, :width]
    ink = bitmap >= INK
    in_rows, in_columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not len(in_rows):
        return none
    y0, y1, x0, x1 = in_rows[0], in_rows[-1] + 1, in_columns[0], in_columns[-1] + 1
    left, top = slot.bitmap_left + x0, slot.bitmap_top - y0
    box = np.array([left, top - (y1 - y0), left + x1 - x0, top], np.float32) / EM
    return bitmap[y0:y1, x0:x1].copy(), box, advance
