"""Compiled: how steep a page's lines are, as a whole and run by run. Boxes as in `line_build`."""

from __future__ import annotations

import numpy as np
from numba import njit

from core.detector.line_build import straight_fit

RUN_LETTERS = 5       # letters that show a line's slope at one place
RUN_TOLERANCE = (0.5, 0.25, 0.15)  # letter heights off it, round by round; descenders hang out


@njit(cache=True, nogil=True)
def sharpness(x, y, strip, angles, bins_per_px):
    """(k,) float64: sum of squares of the profile of points x, y (n,) across lines at each angle.

    angles (k,) radians; strip (n,) int64 from 0 up: each has a profile of its own.
    """
    score = np.empty(len(angles))
    n_strips = strip.max() + 1
    v = np.empty(len(x))
    for k in range(len(angles)):
        cos, sin = np.cos(angles[k]), np.sin(angles[k])
        for i in range(len(x)):
            v[i] = (y[i] * cos - x[i] * sin) * bins_per_px
        low = v.min()
        n_rows = int(v.max() - low) + 1
        count = np.zeros(n_rows * n_strips)
        for i in range(len(x)):
            count[int(v[i] - low) + strip[i] * n_rows] += 1
        score[k] = (count * count).sum()
    return score


@njit(cache=True, nogil=True)
def runs(box, is_mark, offsets, window):
    """(k, 4) float64: u, v, slope and weight of runs of `window` letter heights along the lines.

    box by line and along it. A run's slope is fitted to the lower edges of its letters; its weight
    is the sum of squares of their places in letter heights, on which the slope's error depends.
    """
    found = np.empty((2 * len(box) + 1, 4))
    m = 0
    for k in range(len(offsets) - 1):
        letters = np.flatnonzero(~is_mark[offsets[k]:offsets[k + 1]]) + offsets[k]
        if len(letters) < RUN_LETTERS:
            continue
        x = (box[letters, 0].astype(np.float64) + box[letters, 2]) / 2
        y = box[letters, 3].astype(np.float64)
        height = np.median(y - box[letters, 1])
        a, b, reach = 0, 0, window * height
        while b < len(x):
            while b < len(x) and x[b] - x[a] <= reach:
                b += 1
            if b - a >= RUN_LETTERS and x[b - 1] - x[a] > reach / 2:
                xs, ys = x[a:b], y[a:b]
                near = np.ones(b - a, np.bool_)
                slope, start = straight_fit(xs, ys, near)
                for tolerance in RUN_TOLERANCE:
                    off = ys - slope * xs - start
                    some = np.abs(off - np.median(off)) <= max(tolerance * height, 1.0)
                    if some.sum() < RUN_LETTERS or some.sum() < (b - a) / 2:
                        near[:] = False
                        break
                    near = some
                    slope, start = straight_fit(xs, ys, near)
                if near.any() and xs[near].max() - xs[near].min() > reach / 2:
                    at = xs[near].mean()
                    found[m, 0], found[m, 1], found[m, 2] = at, slope * at + start, slope
                    found[m, 3] = ((xs[near] - at) ** 2).sum() / height ** 2
                    m += 1
            half = x[a] + reach / 2
            while a < b and x[a] < half:
                a += 1
    return found[:m]
