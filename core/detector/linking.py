"""Which blobs stand beside each other on a line, in a frame in which the page's lines lie level.

Letters are small against a line, so their boxes are moved into that frame without turning them,
only taken a little narrower and lower, as a turned letter's bound is too wide and too high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEEPEST_PAGE = 12.0   # degrees of skew that are looked for
COARSE, FINE = 1.0, 0.1  # degrees between the angles that are tried
LEAST_SKEW = 0.3       # degrees: less is taken as no skew at all
BINS = 3.0             # of the profile to a letter's height
GAIN = 1.08            # times the level page's score that a skew must reach
STRIP = 30.0           # letter heights: lines of a bent or tilted page are level together no wider
FEWEST = 12            # letters that can show a skew
ROUND = 0.6            # of a rectangle's growth by turning that a letter shows


@dataclass(frozen=True)
class Frame:
    """Levelled px: u along the page's lines, v across them, about upright (0, 0)."""

    degrees: float

    @property
    def turn(self) -> NDArray[np.float64]:
        """(2, 2): levelled = upright @ turn.T."""
        angle = np.radians(self.degrees)
        return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def boxes(self, box: NDArray) -> NDArray[np.float32]:
        """(n, 4) boxes of blobs, upright px, in levelled px."""
        if self.degrees == 0:
            return np.ascontiguousarray(box, np.float32)
        middle, half = unturned(box, np.radians(self.degrees))
        middle = middle @ self.turn.T
        return np.concatenate([middle - half, middle + half], 1).astype(np.float32)

    def upright(self, xy: NDArray) -> NDArray[np.float64]:
        """Points (..., 2) in levelled px, in upright px."""
        return np.asarray(xy, np.float64) @ self.turn


def unturned(box: NDArray, angle: NDArray | float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(middle (n, 2), half sides (n, 2)) of letters whose line is turned by `angle` (radians)."""
    b = np.asarray(box, np.float64)
    middle, half = (b[:, :2] + b[:, 2:]) / 2, (b[:, 2:] - b[:, :2]) / 2
    growth = ROUND * np.abs(np.sin(np.broadcast_to(angle, len(b))))[:, None] * half[:, ::-1]
    return middle, np.maximum(half - growth, half / 2)


def skew(box: NDArray) -> float:
    """Degrees by which the page's lines fall to the right, from letters' boxes (n, 4); 0 = level.

    The lower edges of letters pile up in few rows when the page lies level: the angle is sought at
    which the profile of lower edges is sharpest (Postl 1986 does this with pixels). Strips of the
    page have a profile each, for on a photograph lines bend, and their angles differ.
    """
    if len(box) < FEWEST:
        return 0.0
    height = float(np.median(box[:, 3] - box[:, 1]))
    x = (box[:, 0] + box[:, 2]).astype(np.float64) / 2
    y = box[:, 3].astype(np.float64)
    strip = ((x - x.min()) / (STRIP * height)).astype(np.int64)
    x = x - (strip + 0.5) * STRIP * height - x.min()
    y = y - y.mean()

    def score(degrees: float) -> float:
        angle = np.radians(degrees)
        v = (y * np.cos(angle) - x * np.sin(angle)) * (BINS / height)
        row = (v - v.min()).astype(np.int64)
        count = np.bincount(row + strip * (row.max() + 1))
        return float((count.astype(np.float64) ** 2).sum())

    angles = np.arange(-STEEPEST_PAGE, STEEPEST_PAGE + COARSE / 2, COARSE / 2)
    best = angles[int(np.argmax([score(a) for a in angles]))]
    angles = best + np.arange(-COARSE / 2, COARSE / 2 + FINE / 2, FINE)
    scores = [score(a) for a in angles]
    best = float(angles[int(np.argmax(scores))])
    if abs(best) < LEAST_SKEW or max(scores) < GAIN * score(0.0):
        return 0.0
    return best
