"""Glyphs, words and outlines of a font for the eye, drawn as the generator draws them.

A window's own text would take missing glyphs from another font and so hide the very fault. These
open font files: call them from a process that may crash, not from the window's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import OcrError
from core.fonts.formats import open_font
from core.fonts.glyphs import Glyphs, rasterise
from core.recognizer.alphabet import ASCII
from core.synth.fonts import HINTED_TO, draw_glyph

EM_OF_CELL = 0.56  # em by cell; leaves room for ascenders, descenders and wide letters
BASELINE_OF_CELL = 0.70  # row of the baseline by cell
MARGIN = 4  # px of paper round a word
WIDEST = 4000  # px; a word of absurd advances is cut there


@dataclass(frozen=True)
class Cells:
    """Equal cells, a glyph in each, dark on light.

    pixels   (n, size, size) uint8, 255 = paper
    present  (n,) whether the font has the character; where not, the cell shows what would be drawn
    baseline row of the baseline in every cell
    """

    characters: str
    pixels: NDArray[np.uint8]
    present: NDArray[np.bool_]
    baseline: int


@dataclass(frozen=True)
class Outline:
    """A glyph's outline and the lines it is judged by. Lengths in em, y up from the baseline.

    contours  of (n, 2) float32 points, closed; `on_curve` tells for each of them which are on the
              curve, the others are control points (two off in a row: `cubic` says of which kind)
    """

    character: str
    contours: tuple[NDArray[np.float32], ...]
    on_curve: tuple[NDArray[np.bool_], ...]
    cubic: bool
    advance: float
    ascent: float
    descent: float
    cap_height: float
    x_height: float
    box: tuple[float, float, float, float]  # left, bottom, right, top of the ink


def glyph_cells(path: Path, index: int = 0, characters: str = ASCII[1:],
                size: int = 64) -> Cells:
    """The grid of one font: a cell of `size` px for each character.

    Raises Unreadable for a file that cannot be opened.
    """
    face = open_font(path, index).face
    em, baseline = _set_size(face, size)
    pixels = np.full((len(characters), size, size), 255, np.uint8)
    present = np.zeros(len(characters), bool)
    for k, c in enumerate(characters):
        present[k] = face.get_char_index(c) > 0
        _into_cell(pixels[k], face, c, em, baseline)
    return Cells(characters, pixels, present, baseline)


def character_cells(fonts: list[tuple[Path, int]], character: str, size: int = 64) -> Cells:
    """One character in many fonts, a cell for each (path, index); about 1 ms a font.

    A font that cannot be opened has an empty cell and is not `present`.
    """
    pixels = np.full((len(fonts), size, size), 255, np.uint8)
    present = np.zeros(len(fonts), bool)
    baseline = round(size * BASELINE_OF_CELL)
    for k, (path, index) in enumerate(fonts):
        try:
            face = _quick(path, index)
        except OcrError:
            continue
        em, _ = _set_size(face, size)
        present[k] = face.get_char_index(character) > 0
        _into_cell(pixels[k], face, character, em, baseline)
    return Cells(character * len(fonts), pixels, present, baseline)


def word(path: Path, text: str, em: int = 40, index: int = 0) -> NDArray[np.uint8]:
    """(h, w) uint8, 255 = paper: a text as the font sets it, faults and all, on a white strip.

    em  px; up to 20 glyphs are hinted as on screens. Raises Unreadable as `glyph_cells` does.
    """
    face = open_font(path, index).face
    flags = _flags(em)
    face.set_pixel_sizes(0, em)
    pen, placed = 0.0, []
    x0 = y0 = 0
    x1, y1 = 1, 1
    for c in text:
        bitmap, left, top, advance = _drawn(face, c, flags)
        if bitmap.size:
            x, y = round(pen) + left, -top
            placed.append((bitmap, x, y))
            x0, y0 = min(x0, x), min(y0, y)
            x1, y1 = max(x1, x + bitmap.shape[1]), max(y1, y + bitmap.shape[0])
        pen += advance
    x1 = min(max(x1, round(pen)), x0 + WIDEST)
    canvas = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for bitmap, x, y in placed:
        spot = canvas[y - y0:y - y0 + bitmap.shape[0], x - x0:x - x0 + bitmap.shape[1]]
        np.maximum(spot, bitmap[:, :spot.shape[1]], out=spot)
    return 255 - np.pad(canvas, MARGIN)


def outline(path: Path, character: str, index: int = 0) -> Outline:
    """The outline of a character, or of .notdef where the font lacks it.

    Raises Unreadable for a file that cannot be opened.
    """
    import freetype

    face = open_font(path, index).face
    units = face.units_per_EM or 1000
    glyphs = rasterise(face)
    try:
        face.load_char(character, freetype.FT_LOAD_NO_SCALE)
        drawn = face.glyph.outline
        points, tags, ends = drawn.points, drawn.tags, drawn.contours
    except freetype.FT_Exception:
        points, tags, ends = [], [], []
    points = np.array(points, np.float32).reshape(-1, 2) / units
    on = np.array([t & 1 for t in tags], bool)
    cuts = [e + 1 for e in ends[:-1]]
    k = ASCII.index(character)
    return Outline(character, tuple(np.split(points, cuts)) if len(points) else (),
                   tuple(np.split(on, cuts)) if len(points) else (),
                   any((t & 3) == 2 for t in tags), float(glyphs.advance[k]),
                   face.ascender / units, face.descender / units, glyphs.cap_height,
                   _x_height(glyphs), tuple(float(v) for v in glyphs.box[k]))


def _x_height(glyphs: Glyphs) -> float:
    tops = glyphs.tops("xzvw")
    return float(np.median(tops)) if len(tops) else 0.0


def _quick(path: Path, index: int) -> Any:
    """A freetype face without a look at its tables. Raises Unreadable."""
    import freetype
    try:
        face = freetype.Face(str(path), index)
        return face if face.is_scalable else open_font(path, index).face
    except freetype.FT_Exception:
        return open_font(path, index).face  # says why not


def _set_size(face: Any, size: int) -> tuple[int, int]:
    em = max(4, round(size * EM_OF_CELL))
    face.set_pixel_sizes(0, em)
    return em, round(size * BASELINE_OF_CELL)


def _flags(em: int) -> int:
    import freetype
    return freetype.FT_LOAD_RENDER | (freetype.FT_LOAD_TARGET_LIGHT if em <= HINTED_TO
                                      else freetype.FT_LOAD_NO_HINTING)


def _drawn(face: Any, c: str, flags: int) -> tuple[NDArray[np.uint8], int, int, float]:
    import freetype
    try:
        bitmap, (left, top, advance) = draw_glyph(face, face.get_char_index(c), flags)
    except freetype.FT_Exception:
        return np.zeros((0, 0), np.uint8), 0, 0, 0.0
    return bitmap, int(left), int(top), float(advance)


def _into_cell(cell: NDArray[np.uint8], face: Any, c: str, em: int, baseline: int) -> None:
    """Draw a character into a white cell, in its middle, cut where it does not fit."""
    bitmap, _, top, _ = _drawn(face, c, _flags(em))
    if not bitmap.size:
        return
    size = len(cell)
    x, y = (size - bitmap.shape[1]) // 2, baseline - top
    a, b = max(0, -y), min(bitmap.shape[0], size - y)
    d, e = max(0, -x), min(bitmap.shape[1], size - x)
    if a < b and d < e:
        spot = cell[y + a:y + b, x + d:x + e]
        np.minimum(spot, 255 - bitmap[a:b, d:e], out=spot)
