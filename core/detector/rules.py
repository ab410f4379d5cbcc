"""Ruled lines: found as long thin straight runs of ink, and taken off the page before blobs.

Letters that stand on a form's line, or touch the side of a box, would be one blob with it.
All in upright px.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detector.background import STRIDE

CONTRAST = 0.45     # of the page's strong ink: the grey between bold letters that touch is less
STRONG = 99.5       # percentile of contrast that stands for the page's strong ink
WEAKEST = 20        # grey levels: less than this is no ink on any page
LEAST_LENGTH = 60   # px; on large pages LONG_SIDE_PART of the longer side. At 40 px the serifs of
LONG_SIDE_PART = 1 / 25   # a bold word in small print made a "rule"
TALLER = 1.5        # a vertical rule must be longer: stems of large letters are straight as well
SLOPE_STEP = 0.03   # between slopes of rules: over 60 px a px off on either side, which steps meet
OF_LONGEST = 0.6    # of the longest run at any slope that one through the same place must have
THICKNESS = 0.12    # of the least length; thicker runs are filled areas


@dataclass(frozen=True)
class Rules:
    """Masks (H, W) bool of horizontal and vertical rules."""

    horizontal: NDArray[np.bool_]
    vertical: NDArray[np.bool_]

    def components(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(box (n, 4), area (n,)) of each rule, horizontal ones first."""
        found = [cv2.connectedComponentsWithStats(mask.astype(np.uint8))[2][1:]
                 for mask in (self.horizontal, self.vertical)]
        stats = np.concatenate(found).astype(np.int32)  # x y w h area
        box = stats[:, :4].copy()
        box[:, 2:] += box[:, :2]
        return box, stats[:, 4].copy()

    def pixels(self, box: NDArray) -> NDArray[np.int32]:
        """(m, 2) x y of the rule with that box; (0, 2) where there is none."""
        x0, y0, x1, y1 = np.asarray(box).astype(int)
        for mask in (self.horizontal, self.vertical):
            _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
            same = np.flatnonzero((stats[1:, :4] == (x0, y0, x1 - x0, y1 - y0)).all(1))
            if len(same):
                y, x = np.nonzero(labels[y0:y1, x0:x1] == same[0] + 1)
                return np.stack([x + x0, y + y0], 1).astype(np.int32)
        return np.zeros((0, 2), np.int32)


def rules(gray: NDArray[np.uint8], paper: NDArray[np.uint8], steepest: float = 0.0) -> Rules:
    """Rules of `gray` (H, W), darker or lighter than `paper` (its low-resolution background).

    steepest: degrees by which a rule may be askew.
    """
    ink = _ink(gray, paper)
    least = max(LEAST_LENGTH, round(LONG_SIDE_PART * max(gray.shape)))
    horizontal = _runs(ink, least, steepest)
    vertical = _runs(np.ascontiguousarray(ink.T), round(TALLER * least), steepest).T
    return Rules(horizontal, np.ascontiguousarray(vertical))


def _ink(gray: NDArray[np.uint8], paper: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) 1 where the grey is far from that of the paper (given at low resolution)."""
    full = cv2.resize(np.ascontiguousarray(paper), None, fx=STRIDE, fy=STRIDE,
                      interpolation=cv2.INTER_NEAREST)[:gray.shape[0], :gray.shape[1]]
    contrast = cv2.absdiff(full, np.ascontiguousarray(gray))
    strong = np.percentile(contrast[::STRIDE, ::STRIDE], STRONG)
    return (contrast > max(WEAKEST, CONTRAST * strong)).astype(np.uint8)


def _runs(ink: NDArray[np.uint8], least: int, steepest: float) -> NDArray[np.bool_]:
    """(H, W) bool: horizontal runs of at least `least` px that are not part of something thick.

    A run may step up or down by a px, as rules of a page do that lies a little askew. Those of a
    page that is turned or bent run at up to `steepest` degrees.
    """
    from core.detector import rule_runs  # numba takes a third of a second
    stepping = cv2.dilate(ink, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(stepping, cv2.MORPH_OPEN, np.ones((1, least), np.uint8)) & ink
    steps = int(np.ceil(np.tan(np.radians(steepest)) / SLOPE_STEP))
    if steps:
        slopes = SLOPE_STEP * np.arange(-steps, steps + 1)
        runs |= rule_runs.sloping(ink, stepping, slopes, least, OF_LONGEST)
    thick = max(4, round(THICKNESS * least))
    core = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((thick + 1, 1), np.uint8))
    return (runs & ~cv2.dilate(core, np.ones((3, 3), np.uint8))).astype(bool)


def without_rules(gray: NDArray[np.uint8], paper: NDArray[np.uint8], found: Rules
                  ) -> NDArray[np.uint8]:
    """`gray` with its rules and their fringe painted as paper, save where a stroke crosses them."""
    if not (found.horizontal.any() or found.vertical.any()):
        return gray
    erase = _erased(gray, paper, found.horizontal)
    erase |= _erased(gray.T, paper.T, found.vertical.T).T
    height, width = gray.shape
    full = cv2.resize(paper, None, fx=STRIDE, fy=STRIDE, interpolation=cv2.INTER_LINEAR)
    return np.where(erase, full[:height, :width], gray)


def _erased(gray: NDArray[np.uint8], paper: NDArray[np.uint8], mask: NDArray[np.bool_]
            ) -> NDArray[np.bool_]:
    """(H, W) bool: horizontal rules with 1 px of fringe, without the places where ink goes through."""
    fringe = cv2.dilate(np.ascontiguousarray(mask, np.uint8), np.ones((3, 1), np.uint8))
    beside = _ink(gray, paper) & ~fringe
    # ink right above and right below the same column of the rule: a stroke that crosses it
    reach = 2 * max(4, round(THICKNESS * LEAST_LENGTH)) + 3
    kernel = np.ones((reach // 2 + 1, 1), np.uint8)
    above = cv2.dilate(beside, kernel, anchor=(0, kernel.shape[0] - 1))
    below = cv2.dilate(beside, kernel, anchor=(0, 0))
    crossing = cv2.morphologyEx(fringe & above & below, cv2.MORPH_OPEN, np.ones((1, 2), np.uint8))
    return (fringe & ~crossing).astype(bool)
