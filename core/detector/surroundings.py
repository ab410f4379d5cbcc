"""What lies around a photographed sheet, or around a page on a scanner's glass: painted as paper.

Table and sheet have each a grey of their own, so at the sheet's edge either is "ink" to the other's
paper: strips along the edge would be blobs as high as headings and join the lines that end there,
and letters near the edge would be measured against the table. All in upright px.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

STRIDE = 4           # px; the sheet is sought at a quarter of the size
LEAST_SIDE = 40      # low-resolution px of a page on which it is sought
CONTRAST = 40        # grey levels between the paper and what is around it
TABLE, PAPER = 0.3, 0.6  # from the table's grey to the paper's: below it is table, above it paper
MIDDLE = 0.25        # of the page's sides on either side of the middle, where paper is
RING = 0.6           # of the page's outermost cells that are surroundings; fewer may be a dark bar
SHEET = (0.3, 0.98)  # of the page that the sheet takes up
SOLIDITY = 0.9       # of its convex hull: a window on a dark desktop has a frame and neighbours
MARKED = 0.008       # of the surroundings that is as far from its own grey as half the paper's is:
                     # more is text, and no table
LOCAL = 9            # low-resolution px over which the surroundings' own grey is taken
EDGE = 5             # px of shade and unsharpness along the sheet's edge, painted too


def without_surroundings(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`gray` (H, W) with what lies around its sheet in the grey of the paper next to it.

    The page itself where it fills the image.
    """
    low = np.ascontiguousarray(gray[::STRIDE, ::STRIDE])
    around = surroundings(low)
    if around is None:
        return gray
    paper = _carried_on(cv2.medianBlur(low, LOCAL), around)
    height, width = gray.shape
    full = cv2.resize(around.astype(np.uint8), None, fx=STRIDE, fy=STRIDE,
                      interpolation=cv2.INTER_NEAREST)[:height, :width]
    full = cv2.dilate(full, np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8))
    return np.where(full, cv2.resize(paper, None, fx=STRIDE, fy=STRIDE)[:height, :width], gray)


def surroundings(low: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """(h, w) bool what is not the sheet, of a page at low resolution; None where none shows."""
    h, w = low.shape
    if min(h, w) < LEAST_SIDE:
        return None
    inner = low[int(MIDDLE * h):h - int(MIDDLE * h), int(MIDDLE * w):w - int(MIDDLE * w)]
    rim = np.concatenate([low[0], low[-1], low[1:-1, 0], low[1:-1, -1]])
    paper, table = float(np.median(inner)), float(np.median(rim))
    contrast = abs(paper - table)
    if contrast < CONTRAST:
        return None
    smooth = cv2.medianBlur(low, 5)
    like_paper = (smooth.astype(np.float32) - table) / (paper - table)
    square = np.ones((3, 3), np.uint8)
    beyond = _from_the_border(cv2.erode((like_paper < TABLE).astype(np.uint8), square))
    within = _largest(cv2.erode((like_paper > PAPER).astype(np.uint8), square) > 0)
    # between the two: the sheet's edge is sharp, while light falls off and shadows are soft
    marks = beyond + 2 * within.astype(np.int32)
    around = cv2.watershed(cv2.cvtColor(smooth, cv2.COLOR_GRAY2BGR), marks) != 2
    around[[0, -1]] = around[[1, -2]]                 # the watershed marks the border as an edge
    around[:, [0, -1]] = around[:, [1, -2]]
    ring = np.concatenate([around[0], around[-1], around[1:-1, 0], around[1:-1, -1]]).mean()
    sheet = _largest(~around)
    if ring < RING or not SHEET[0] <= sheet.mean() <= SHEET[1] or _solidity(sheet) < SOLIDITY:
        return None
    inside = cv2.erode((~sheet).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    off = cv2.absdiff(low, cv2.medianBlur(low, LOCAL))[inside]
    if len(off) and (off > contrast / 2).mean() > MARKED:
        return None
    return ~sheet


def _from_the_border(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(h, w) the parts of `mask` that reach the border."""
    labels = cv2.connectedComponents(mask, connectivity=4)[1]
    met = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.isin(labels, met[met > 0])


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w) the largest connected part of `mask`."""
    n, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return labels == 1 + int(np.argmax(stats[1:, 4])) if n > 1 else mask


def _solidity(mask: NDArray[np.bool_]) -> float:
    """Its part of its convex hull."""
    points = cv2.findNonZero(mask.astype(np.uint8))
    if points is None:
        return 0.0
    return float(mask.sum() / max(cv2.contourArea(cv2.convexHull(points)), 1.0))


def _carried_on(paper: NDArray[np.uint8], around: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """`paper` (h, w), outside and at the edge of the sheet as at the nearest place well inside it.

    A median near the sheet's corner is that of the table.
    """
    inside = cv2.erode((~around).astype(np.uint8), np.ones((7, 7), np.uint8))
    labels = cv2.distanceTransformWithLabels(1 - inside, cv2.DIST_L2, 3,
                                             labelType=cv2.DIST_LABEL_PIXEL)[1]
    grey = np.zeros(labels.max() + 1, np.uint8)
    grey[labels[inside > 0]] = paper[inside > 0]
    return np.where(inside, paper, cv2.blur(grey[labels], (LOCAL, LOCAL)))
