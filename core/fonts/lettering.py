"""Display lettering brought back to plain strokes, so that the consensus of fonts can read it.

Letters drawn as contours only, white on black tiles, or by dots and hatching are readable and unlike
any plain letter. What their contour encloses, or what is left when their gaps are closed, is like one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.fonts.glyphs import EM, Glyphs

GAP = 7  # px at glyphs.EM; dots and strokes nearer than that are joined
HALF = 128  # ink from which a pixel parts inside from outside

Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def plain_forms(glyphs: Glyphs) -> tuple[Glyphs, ...]:
    """The glyphs as other fonts might draw them: what is enclosed, and with their gaps closed.

    Only `bitmap` and `box` differ; a glyph that encloses nothing is without ink. Some 20 ms.
    """
    return changed(glyphs, enclosed), changed(glyphs, closed)


def enclosed(bitmap: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w) uint8: the paper that ink shuts in, as ink; the outline of an A gives a plain A."""
    around = np.pad(bitmap, 1)
    paper = (around < HALF).astype(np.uint8)
    _, label = cv2.connectedComponents(paper, connectivity=4)
    inside = (label != label[0, 0]) & (paper > 0)
    return np.where(inside, 255 - around, 0).astype(np.uint8)[1:-1, 1:-1]


def closed(bitmap: NDArray[np.uint8], gap: int = GAP) -> NDArray[np.uint8]:
    """(h, w) uint8: the ink with gaps of up to `gap` px filled."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap))
    return cv2.morphologyEx(np.pad(bitmap, gap), cv2.MORPH_CLOSE, disc)[gap:-gap, gap:-gap]


def changed(glyphs: Glyphs, change: Change) -> Glyphs:
    """The glyphs with each raster changed to another of its size, cut to its ink again."""
    box, bitmaps = glyphs.box.copy(), []
    for k, bitmap in enumerate(glyphs.bitmap):
        if bitmap.size:
            bitmap, margins = _cut(change(bitmap))
            box[k] += margins if bitmap.size else -box[k]
        bitmaps.append(bitmap)
    return replace(glyphs, bitmap=tuple(bitmaps), box=box)


def _cut(bitmap: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(the ink alone, what its box moves by in em: left, bottom, right, top)."""
    rows, columns = np.flatnonzero(bitmap.any(1)), np.flatnonzero(bitmap.any(0))
    if not len(rows):
        return bitmap[:0, :0], np.zeros(4, np.float32)
    h, w = bitmap.shape
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    margins = np.array([x0, h - y1, x1 - w, -y0], np.float32) / EM
    return bitmap[y0:y1, x0:x1], margins
