"""Regions from the component tree: what the rules look at, of small print enlarged first.

Letters a few pixels high run into each other before any threshold parts them. A page whose letters
are that low is enlarged, cubic, and the tree is built once more: the slopes between the pixels
then show where one letter ends. A page printed in dots is blurred instead, until they join.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detector import refusal, tree
from core.detector.refusal import Measures

if TYPE_CHECKING:
    from core.detector.mser import BlobSettings

DOTS_BLUR = (5, 9)        # px, joins the dots of a matrix printer, of small and of large ones
MANY_BLOBS = 100          # a page of fewer is not looked at for dots
LOWEST = 3                # px: lower blobs are specks
HIGHEST = 5.0             # letter heights: higher blobs are drawings
STRONG = 0.3              # of the page's strong contrast
DOTTED = 0.65             # part of the blobs that lie on lines: less where letters fall into dots
DOTS_JOINED = 0.12        # of the blobs, that must lie on lines more than before the blur
GAP, OVERLAP, RATIO = 1.6, 0.45, 0.42  # of neighbours on a line, see `grouping.LineSettings`
ON_LINE = 4               # blobs of a line whose lower edges spread at most REGULAR heights
REGULAR = 0.25
ENLARGED = 2              # times
MOST_PIXELS = 40_000_000  # of an enlarged page


def built(gray: NDArray[np.uint8], settings: BlobSettings) -> tuple[tree.Tree, int]:
    """(tree, scale): scale 2 where the page was enlarged; the tree's px are then half upright px."""
    found = tree.build(gray, settings.min_area)
    if len(found) == 0:
        return found, 1
    height, n, on_lines = _letters(found, settings)
    if n >= MANY_BLOBS and on_lines < DOTTED:
        for blur in DOTS_BLUR:
            whole = tree.build(gray, settings.min_area, replace(found.choice, blur=blur))
            if len(whole) and _letters(whole, settings)[2] >= on_lines + DOTS_JOINED:
                return whole, 1
    if height >= settings.small_print or ENLARGED ** 2 * gray.size > MOST_PIXELS:
        return found, 1
    return tree.build(enlarged(gray), settings.min_area * ENLARGED ** 2), ENLARGED


def _letters(found: tree.Tree, settings: BlobSettings) -> tuple[float, int, float]:
    """(median letter height px, number of strong blobs that are not low, part of them on lines)."""
    m = of_tree(found, 1)
    taken = tree.dedupe(found, settings.branch_contrast)
    letters = refusal.page_letters(m, taken)
    tall = m.box[:, 3] - m.box[:, 1]
    some = (taken & (tall > LOWEST) & (tall < HIGHEST * letters.height)
            & (m.contrast > STRONG * letters.contrast))
    return letters.height, int(some.sum()), _on_lines(m.box[some], m.polarity[some])


def _on_lines(box: NDArray, polarity: NDArray) -> float:
    """Part of the blobs (n, 4) that stand on a line with others, as letters do and dots do not."""
    from core.detector import line_build
    if len(box) == 0:
        return 0.0
    by_x = np.argsort(box[:, 0], kind="stable")
    box = np.ascontiguousarray(box[by_x])
    group = line_build.linked(box, polarity[by_x].astype(np.int64), GAP, OVERLAP, RATIO)
    count = np.bincount(group)
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    box = box[np.argsort(group, kind="stable")]
    spread = line_build.baselines(box, np.zeros(len(box), bool), offsets, ON_LINE + 1)[:, 4]
    return float(count[(count >= ON_LINE) & (spread <= REGULAR)].sum() / len(box))


def enlarged(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The page at ENLARGED times its size."""
    return cv2.resize(gray, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)


def of_tree(found: tree.Tree, scale: int) -> Measures:
    """A row per node of the tree, in upright px; `parent` only where it has the node's polarity."""
    choice = found.choice
    step = np.float32(1 << choice.shift)

    def grey(level: NDArray) -> NDArray[np.float32]:
        return np.float32(choice.least) + (level.astype(np.float32) - 1) * step

    same = (found.parent >= 0) & (found.polarity[found.parent] == found.polarity)
    return Measures(
        box=(found.box / scale).astype(np.float32),
        area=np.maximum(found.area // scale ** 2, 1).astype(np.int32),
        parent=np.where(same, found.parent, -1).astype(np.int32), polarity=found.polarity,
        level=np.asarray(found.level, np.uint8), variation=found.variation,
        contrast=grey(found.mean), edge_contrast=grey(found.level), peak_contrast=grey(found.peak))


def pixels(gray: NDArray[np.uint8], settings: BlobSettings, row: int, box: NDArray
           ) -> NDArray[np.int32]:
    """(m, 2) x y, upright px, of the tree's row with that box.

    Raises ValueError where the page's tree has no such row.
    """
    found, scale = built(gray, settings)
    if row >= len(found) or not np.array_equal(found.box[row] / scale, np.asarray(box)):
        raise ValueError("the blob is not in this image: give the settings it was made with")
    xy = tree.pixels(gray if scale == 1 else enlarged(gray), found, row)
    return xy if scale == 1 else np.unique(xy // scale, axis=0).astype(np.int32)
