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
PANEL_FLAT = 12       # grey levels: a panel is no further from its own grey (bold text is)
MOST_SHADES = 8       # greys of panels that are looked for on one page
PANEL_RING = 0.6      # of a panel's outermost cells that are of its grey
PANEL_TEXT = (0.02, 0.6)  # part of a panel's inside that is not of its grey: its text


def filtered(gray: NDArray[np.uint8], blur: int, clahe_clip: float) -> NDArray[np.uint8]:
    """(H, W) uint8: `gray` blurred with a `blur` px box and equalised tile by tile; 0 leaves out.

    The blur gives bilevel scans the slopes without which MSER finds nothing on them.
    """
    if blur > 1:
        gray = cv2.blur(gray, (blur, blur))
    if clahe_clip > 0 and min(gray.shape) >= 8:
        gray = cv2.createCLAHE(clahe_clip, (8, 8)).apply(gray)
    return np.ascontiguousarray(gray)


def background(gray: NDArray[np.uint8], plain: NDArray[np.uint8] | None = None
               ) -> NDArray[np.uint8]:
    """(ceil(H / STRIDE), ceil(W / STRIDE)) uint8: grey of the paper at low resolution.

    A median over about 204 px, in which panels that hold text are painted with their own grey.
    plain: the page before equalisation, on which panels still have one grey each; default `gray`.
    """
    painted = _median(gray)
    plain = gray if plain is None else plain
    paper = painted.copy() if plain is gray else _median(plain)
    smooth = cv2.resize(plain, paper.shape[::-1], interpolation=cv2.INTER_AREA)
    low = gray[::STRIDE, ::STRIDE]
    for x0, y0, x1, y1, own in _panels(smooth, paper):
        painted[y0:y1, x0:x1] = np.median(low[y0:y1, x0:x1][own])
    return painted


def _median(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The median over WINDOW of every STRIDE-th pixel, mirrored at the border."""
    low = np.ascontiguousarray(gray[::STRIDE, ::STRIDE])
    if min(low.shape) <= WINDOW:
        return cv2.medianBlur(low, WINDOW)
    margin = WINDOW // 2
    wide = cv2.copyMakeBorder(low, margin, margin, margin, margin, cv2.BORDER_REFLECT_101)
    return cv2.medianBlur(wide, WINDOW)[margin:-margin, margin:-margin].copy()


def at(paper: NDArray[np.uint8], x: NDArray, y: NDArray) -> NDArray[np.int16]:
    """Grey of the paper at upright px (x, y)."""
    rows = np.clip(np.asarray(y, np.int64) // STRIDE, 0, paper.shape[0] - 1)
    columns = np.clip(np.asarray(x, np.int64) // STRIDE, 0, paper.shape[1] - 1)
    return paper[rows, columns].astype(np.int16)


def _panels(smooth: NDArray[np.uint8], paper: NDArray[np.uint8]
            ) -> list[tuple[int, int, int, int, NDArray[np.bool_]]]:
    """(x0, y0, x1, y1, cells of its grey), low-resolution px, of filled boxes that hold something.

    The largest comes first.
    """
    difference = np.abs(paper.astype(np.int16) - smooth)
    found = []
    # one grey after the other: a dark bar right above a black one are two panels, not one
    for shade in _shades(smooth[difference > PANEL_CONTRAST]):
        solid = (np.abs(smooth.astype(np.int16) - shade) <= PANEL_FLAT) & \
            (difference > PANEL_CONTRAST)
        core = cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_OPEN,
                                np.ones((PANEL_CORE, PANEL_CORE), np.uint8))
        # text eats into its panel: close the holes again before the outline is judged
        shape = cv2.morphologyEx(core, cv2.MORPH_CLOSE, np.ones((5, 9), np.uint8))
        stats = cv2.connectedComponentsWithStats(shape)[2]
        for x, y, w, h, area in stats[1:]:
            if h < PANEL_HEIGHT or w < PANEL_WIDTH or area < PANEL_FILL * w * h:
                continue
            inside = slice(y, y + h), slice(x, x + w)
            own = solid[inside]
            text = 1 - own[1:-1, 1:-1].mean()
            ring = np.concatenate([own[0], own[-1], own[:, 0], own[:, -1]]).mean()
            if PANEL_TEXT[0] <= text <= PANEL_TEXT[1] and ring >= PANEL_RING:
                found.append((x, y, x + w, y + h, own))
    return sorted(found, key=lambda p: (p[1] - p[3]) * (p[2] - p[0]))


def _shades(grey: NDArray[np.uint8]) -> list[int]:
    """The greys that many cells share, the most frequent first, at least PANEL_FLAT apart."""
    count = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    near = np.convolve(count, np.ones(2 * PANEL_FLAT + 1), "same")
    shades: list[int] = []
    while len(shades) < MOST_SHADES and near.max() >= PANEL_HEIGHT * PANEL_WIDTH:
        shades.append(int(np.argmax(near)))
        near[max(0, shades[-1] - 2 * PANEL_FLAT):shades[-1] + 2 * PANEL_FLAT + 1] = 0
    return shades
