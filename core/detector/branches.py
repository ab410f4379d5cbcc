"""Walks over a forest of regions, compiled: parents come before their children."""

from __future__ import annotations

import numpy as np
from numba import njit

FAR = np.float32(2 ** 31)  # steps: there is no taken node on the branch


@njit(cache=True, nogil=True)
def outermost(parent, passes):
    """(n,) bool: nodes that pass and have no ancestor that does. parent (n,) row or -1."""
    n = len(parent)
    taken, covered = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(n):
        above = parent[i]
        covered[i] = above >= 0 and (covered[above] or taken[above])
        taken[i] = passes[i] and not covered[i]
    return taken


@njit(cache=True, nogil=True)
def steps_to(parent, taken):
    """(n,) float32: steps from each node up, or else down, to the nearest taken node; 0 for itself."""
    n = len(parent)
    up, down = np.empty(n, np.float32), np.empty(n, np.float32)
    for i in range(n):
        up[i] = 0 if taken[i] else FAR if parent[i] < 0 else up[parent[i]] + 1
        down[i] = 0 if taken[i] else FAR
    for i in range(n - 1, -1, -1):
        if parent[i] >= 0:
            down[parent[i]] = min(down[parent[i]], down[i] + 1)
    for i in range(n):
        if up[i] >= FAR:
            up[i] = down[i]
    return up
