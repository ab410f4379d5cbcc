"""Compiled: long runs of ink along directions near the horizontal."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def sloping(ink, stepping, slopes, least, of_longest):
    """(H, W) uint8: 1 where `ink` is on a run of at least `least` px of `stepping` at some slope.

    ink, stepping (H, W) uint8, 0 or 1; slopes (k,) px down per px to the right. A run counts only
    if no place on it lies on one that is so long at another slope that this is less than
    `of_longest` of it: text that touches its rule gives short runs from the rule into the letters.
    """
    height, width = ink.shape
    longest = np.zeros((height, width), np.int32)
    start, first, last, which = _runs(stepping, slopes, least)
    for i in range(len(start)):
        length = last[i] - first[i] + 1
        for x in range(first[i], last[i] + 1):
            row = start[i] + _rise(slopes[which[i]], x)
            longest[row, x] = max(longest[row, x], length)
    found = np.zeros((height, width), np.uint8)
    for i in range(len(start)):
        most = 0
        for x in range(first[i], last[i] + 1):
            most = max(most, longest[start[i] + _rise(slopes[which[i]], x), x])
        if last[i] - first[i] + 1 >= of_longest * most:
            for x in range(first[i], last[i] + 1):
                row = start[i] + _rise(slopes[which[i]], x)
                found[row, x] |= ink[row, x]
    return found


@njit(cache=True, nogil=True, inline="always")
def _rise(slope, x):
    return int(np.floor(slope * x + 0.5))


@njit(cache=True, nogil=True)
def _runs(stepping, slopes, least):
    """(start, first, last, which), each (n,) int64: runs of at least `least` px.

    A run is the pixels (x, start + slopes[which] * x) for x from `first` to `last`. It is sought
    from columns half of `least` apart, for a long run crosses one of them.
    """
    height, width = stepping.shape
    runs = np.empty((1024, 4), np.int64)
    n = 0
    for k in range(len(slopes)):
        rise = np.empty(width, np.int64)
        for x in range(width):
            rise[x] = _rise(slopes[k], x)
        reached = np.full(2 * height + 2 * width, -1, np.int64)  # end of the last run, by start
        for anchor in range(least // 2, width, max(1, least // 2)):
            for y in range(height):
                if not stepping[y, anchor]:
                    continue
                start = y - rise[anchor]
                if reached[start + width] >= anchor:      # met from an anchor before this one
                    continue
                first, last = anchor, anchor
                while first > 0:
                    row = start + rise[first - 1]
                    if row < 0 or row >= height or not stepping[row, first - 1]:
                        break
                    first -= 1
                while last < width - 1:
                    row = start + rise[last + 1]
                    if row < 0 or row >= height or not stepping[row, last + 1]:
                        break
                    last += 1
                reached[start + width] = last
                if last - first + 1 >= least:
                    if n == len(runs):
                        more = np.empty((2 * n, 4), np.int64)
                        more[:n] = runs
                        runs = more
                    runs[n, 0], runs[n, 1], runs[n, 2], runs[n, 3] = start, first, last, k
                    n += 1
    return runs[:n, 0], runs[:n, 1], runs[:n, 2], runs[:n, 3]
