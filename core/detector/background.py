"""The paper under the ink: filtered grey, and the grey of what lies around each letter.

Contrast is measured against this background, with a sign: what is darker than its paper is
"dark on light". A dark panel with light text is its own paper.
All arrays in upright px.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

STRIDE = 4            # px; the background is kept at a quarter of the size
WINDOW = 51           # low-resolution px, so about 204 px: wider than a letter, narrower than a page
PANEL_CONTRAST = 50   # grey levels between a panel and the paper around it
PANEL_CORE = 3        # low-resolution px: thinner things (strokes) are no panel
PANEL_HEIGHT = 4      # low-resolution px, the lowest panel that can hold text
PANEL_WIDTH = 10      # low-resolution px
PANEL_FILL = 0.75     # of its bound that a panel's outline fills
PANEL_TEXT = (0.02, 0.6)  # part of a panel that is covered by something else, its text


def filtered(gray: NDArray[np.uint8], blur: int, clahe_clip: float) -> NDArray[np.uint8]:
    """(H, W) uint8: `gray` blurred with a `blur` px box and equalised tile by tile; 0 leaves out.

    The blur gives bilevel scans the slopes without which MSER finds nothing on them.
    """
    if blur > 1:
        gray = cv2.blur(gray, (blur, blur))
    if clahe_clip > 0 and min(gray.shape) >= 8:
        gray = cv2.createCLAHE(clahe_clip, (8, 8)).apply(gray)
    return np.ascontiguousarray(gray)


def background(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(ceil(H / STRIDE), ceil(W / STRIDE)) uint8: grey of the paper at low resolution.

    A median over about 204 px, in which panels that hold text are painted with their own grey.
    """
    low = np.ascontiguousarray(gray[::STRIDE, ::STRIDE])
    paper = cv2.medianBlur(cv2.copyMakeBorder(low, *[WINDOW // 2] * 4, cv2.BORDER_REFLECT_101)
                           if min(low.shape) > WINDOW else low, WINDOW)
    if paper.shape != low.shape:
        margin = WINDOW // 2
        paper = paper[margin:-margin, margin:-margin].copy()
    smooth = cv2.resize(gray, low.shape[::-1], interpolation=cv2.INTER_AREA)
    painted = paper.copy()
    for x0, y0, x1, y1, grey in _panels(smooth, paper):
        painted[y0:y1, x0:x1] = grey
    return painted


def at(paper: NDArray[np.uint8], x: NDArray, y: NDArray) -> NDArray[np.int16]:
    """Grey of the paper at upright px (x, y)."""
    rows = np.clip(np.asarray(y, np.int64) // STRIDE, 0, paper.shape[0] - 1)
    columns = np.clip(np.asarray(x, np.int64) // STRIDE, 0, paper.shape[1] - 1)
    return paper[rows, columns].astype(np.int16)


def _panels(smooth: NDArray[np.uint8], paper: NDArray[np.uint8]) -> list[tuple[int, ...]]:
    """(x0, y0, x1, y1, grey) in low-resolution px of filled boxes that hold something, big first."""
    difference = paper.astype(np.int16) - smooth
    found = []
    for solid in (difference > PANEL_CONTRAST, difference < -PANEL_CONTRAST):
        core = cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_OPEN,
                                np.ones((PANEL_CORE, PANEL_CORE), np.uint8))
        # text eats into its panel: close the holes again before the outline is judged
        shape = cv2.morphologyEx(core, cv2.MORPH_CLOSE, np.ones((5, 9), np.uint8))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(shape)
        for label, (x, y, w, h, area) in enumerate(stats[1:], start=1):
            if h < PANEL_HEIGHT or w < PANEL_WIDTH or area < PANEL_FILL * w * h:
                continue
            inside = slice(y, y + h), slice(x, x + w)
            own = solid[inside]
            text = 1 - own.mean()
            if PANEL_TEXT[0] <= text <= PANEL_TEXT[1]:
                found.append((x, y, x + w, y + h, int(np.median(smooth[inside][own]))))
    return sorted(found, key=lambda p: (p[1] - p[3]) * (p[2] - p[0]))
