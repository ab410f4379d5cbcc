"""Which blobs stand beside each other on a line, in a frame in which the page's lines lie level.

Letters are small against a line, so their boxes are moved into that frame without turning them,
only taken a little narrower and lower, as a turned letter's bound is too wide and too high.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from core.detector.levelling import Bend

STEEPEST_PAGE = 12.0   # degrees of skew that are looked for
COARSE, FINE = 1.0, 0.1  # degrees between the angles that are tried
LEAST_SKEW = 0.3       # degrees: less is taken as no skew at all
BINS = 3.0             # of the profile to a letter's height
GAIN = 1.08            # times the level page's score that a skew must reach
STRIP = 30.0           # letter heights: lines of a bent or tilted page are level together no wider
FEWEST = 12            # letters that can show a skew
UNBENT = 4             # rounds in which a point is bent again; each is about ten times as near
ROUND = 0.5            # of a rectangle's growth by turning that a letter shows


@dataclass(frozen=True)
class Frame:
    """Levelled px: u along the page's lines, v across them, about upright (0, 0).

    Upright px are turned by the skew; then what the page is bent is taken off v.
    """

    degrees: float
    bend: Bend | None = None

    @property
    def turn(self) -> NDArray[np.float64]:
        """(2, 2): levelled = upright @ turn.T."""
        angle = np.radians(self.degrees)
        return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def boxes(self, box: NDArray) -> NDArray[np.float32]:
        """(n, 4) boxes of blobs, upright px, in levelled px."""
        if self.degrees == 0 and self.bend is None:
            return np.ascontiguousarray(box, np.float32)
        middle, half = unturned(box, np.radians(self.degrees))
        middle = middle @ self.turn.T
        if self.bend is not None:
            _, half = unturned(box, np.radians(self.degrees) + np.arctan(self.bend.slope(middle)))
            middle = middle - np.stack([np.zeros(len(middle)), self.bend.at(middle)], 1)
        return np.concatenate([middle - half, middle + half], 1).astype(np.float32)

    def upright(self, xy: NDArray) -> NDArray[np.float64]:
        """Points (..., 2) in levelled px, in upright px."""
        level = np.asarray(xy, np.float64)
        if self.bend is None:
            return level @ self.turn
        turned, level = level.reshape(-1, 2).copy(), level.reshape(-1, 2)
        for _ in range(UNBENT):
            turned[:, 1] = level[:, 1] + self.bend.at(turned)
        return turned.reshape(np.shape(xy)) @ self.turn


def unturned(box: NDArray, angle: NDArray | float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(middle (n, 2), half sides (n, 2)) of letters whose line is turned by `angle` (radians)."""
    b = np.asarray(box, np.float64)
    middle, half = (b[:, :2] + b[:, 2:]) / 2, (b[:, 2:] - b[:, :2]) / 2
    growth = ROUND * np.abs(np.sin(np.broadcast_to(angle, len(b))))[:, None] * half[:, ::-1]
    return middle, np.maximum(half - growth, half / 2)


def weighted_median(values: NDArray, weights: NDArray) -> float:
    """The value at which half of the weight is reached."""
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])


def skew(box: NDArray) -> float:
    """Degrees by which the page's lines fall to the right, from letters' boxes (n, 4); 0 = level.

    The lower edges of letters pile up in few rows when the page lies level: the angle is sought at
    which the profile of lower edges is sharpest (Postl 1986 does this with pixels). Strips of the
    page have a profile each, for on a photograph lines bend, and their angles differ.
    """
    from core.detector import slopes  # numba takes a third of a second
    if len(box) < FEWEST:
        return 0.0
    height = float(np.median(box[:, 3] - box[:, 1]))
    x = (box[:, 0] + box[:, 2]).astype(np.float64) / 2
    y = box[:, 3].astype(np.float64)
    strip = ((x - x.min()) / (STRIP * height)).astype(np.int64)
    x = x - (strip + 0.5) * STRIP * height - x.min()
    y = y - y.mean()

    def scores(degrees: NDArray) -> NDArray:
        return slopes.sharpness(x, y, strip, np.radians(degrees), BINS / height)

    angles = np.arange(-STEEPEST_PAGE, STEEPEST_PAGE + COARSE / 2, COARSE / 2)
    best = angles[int(np.argmax(scores(angles)))]
    angles = np.append(best + np.arange(-COARSE / 2, COARSE / 2 + FINE / 2, FINE), 0.0)
    found = scores(angles)
    best = float(angles[int(np.argmax(found))])
    if abs(best) < LEAST_SKEW or found.max() < GAIN * found[-1]:
        return 0.0
    return best
