"""Which blobs stand beside each other on a line: pairs, their groups, and the lines' slopes.

Coordinates are upright px. Everything is relative to the blobs' own heights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

REACH = 2.0           # blob heights: how far the tree looks; the rules below decide
OVERLAP_BACK = 0.6    # of the lower height that neighbours' boxes may run into each other
NEIGHBOURS = 6        # candidates looked at for a small mark
FIT_ROUNDS = 4        # of the baseline fit; it settles in two or three
DESCENDER = 0.14      # of the line height off the baseline that is no longer noise
ENOUGH_TO_FIT = 5     # letters on the baseline that can give a slope of their own
STEEPEST = 0.3        # slope, about 17 degrees


def groups(box: NDArray, apart: NDArray, gap: float, overlap: float, ratio: float,
           mark_gap: float) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(group (n,), is_mark (n,)): blobs in a row share a group; marks joined one neighbour's.

    box     (n, 4) upright px; apart (n,) blobs of different values are never linked (polarity)
    gap     largest space between neighbours, in heights of the higher one
    overlap least shared height, as part of the lower one; ratio of the lower to the higher
    mark_gap  reach of a dot, comma or hyphen, in heights of its neighbour
    """
    n = len(box)
    if n == 0:
        return np.zeros(0, np.int64), np.zeros(0, bool)
    left, right = _neighbours(box, apart, gap, overlap, ratio)
    group = _components(n, left, right)
    height = box[:, 3] - box[:, 1]
    tallest = np.zeros(group.max() + 1)
    np.maximum.at(tallest, group, height)
    size = np.bincount(group)
    mark, host = _hosts(box, apart, tallest[group], size[group], ratio, mark_gap)
    merged = _components(n, np.concatenate([left, mark]), np.concatenate([right, host]))
    is_mark = np.zeros(n, bool)
    is_mark[mark] = True
    return merged, is_mark


def _components(n: int, a: NDArray, b: NDArray) -> NDArray[np.int64]:
    """(n,) number of the connected component under the links a-b."""
    links = coo_matrix((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _neighbours(box: NDArray, apart: NDArray, gap: float, overlap: float, ratio: float
                ) -> tuple[NDArray, NDArray]:
    """Pairs (left, right) of rows: `right` begins about where `left` ends, on the same line."""
    x0, y0, x1, y1 = box.T.astype(np.float64)
    height, middle = y1 - y0, (y0 + y1) / 2
    lift = apart * (4.0 * (middle.max() + 1) + REACH * height.max())  # keeps polarities out of reach
    starts, ends = np.stack([x0, middle + lift], 1), np.stack([x1, middle + lift], 1)
    # Small and large letters in one search by the largest radius would pair everything with all.
    found = [cKDTree(starts).query_ball_point(ends, REACH * height),
             cKDTree(ends).query_ball_point(starts, REACH * height)]
    a = [np.repeat(np.arange(len(box)), [len(rows) for rows in f]) for f in found]
    b = [np.concatenate([np.asarray(rows, np.int64) for rows in f]) for f in found]
    left, right = np.concatenate([a[0], b[1]]), np.concatenate([b[0], a[1]])
    low = np.minimum(height[left], height[right])
    high = np.maximum(height[left], height[right])
    shared = np.minimum(y1[left], y1[right]) - np.maximum(y0[left], y0[right])
    space = x0[right] - x1[left]
    fits = ((left != right) & (shared >= overlap * low) & (low >= ratio * high)
            & (space <= gap * high) & (space >= -OVERLAP_BACK * low)
            & (x0[left] <= x0[right])
            & (np.abs(middle[left] - middle[right]) <= 0.6 * low))
    return left[fits], right[fits]


def _hosts(box: NDArray, apart: NDArray, line_height: NDArray, group_size: NDArray, ratio: float,
           mark_gap: float) -> tuple[NDArray, NDArray]:
    """(mark, host) rows: each low blob in a group of its kind, with its single best neighbour.

    Also fragments of broken letters, which lie over or under the rest of their letter.
    """
    x0, y0, x1, y1 = box.T.astype(np.float64)
    height = y1 - y0
    lift = apart * (4.0 * (y1.max() + 1))
    centre = np.stack([(x0 + x1) / 2, (y0 + y1) / 2 + lift], 1)
    k = min(NEIGHBOURS + 1, len(box))
    near = cKDTree(centre).query(centre, k=k)[1].reshape(len(box), -1)
    # wide neighbours (letters that touch) have their middle far away: look at their ends as well
    by_end = [cKDTree(np.stack([x, centre[:, 1]], 1)).query(centre, k=k)[1].reshape(len(box), -1)
              for x in (x0, x1)]
    near = np.concatenate([near, *by_end], 1)
    mark = np.repeat(np.arange(len(box)), near.shape[1])
    host = near.ravel()
    dx = np.maximum(0, np.maximum(x0[host] - x1[mark], x0[mark] - x1[host]))
    dy = np.maximum(0, np.maximum(y0[host] - y1[mark], y0[mark] - y1[host]))
    reach = height[host]
    alone = (group_size[mark] <= 3) & (group_size[mark] <= group_size[host])
    fits = ((mark != host) & (apart[mark] == apart[host]) & alone
            & (height[mark] < 0.72 * line_height[host])
            & (line_height[mark] < 0.8 * line_height[host])
            & (height[mark] < height[host])
            & (dx <= mark_gap * reach) & (dy <= 0.35 * reach)
            & (y0[mark] >= y0[host] - 0.6 * reach) & (y1[mark] <= y1[host] + 0.45 * reach))
    mark, host, distance = mark[fits], host[fits], np.hypot(dx, 2 * dy)[fits]
    order = np.lexsort((distance, mark))
    mark, first = np.unique(mark[order], return_index=True)
    return mark, host[order][first]


def baseline(box: NDArray, is_mark: NDArray, slope: float | None = None
             ) -> tuple[float, float, float, int]:
    """(slope, y at x = 0, line height px, letters on it) of the line that the letters stand on.

    box: (n, 4) of one line, n >= 1. slope: given where the line is too short for its own.
    Least squares over the lower edges, leaving out in turn what hangs below or stands above.
    """
    letters = box if is_mark.all() else box[~is_mark]
    x, y = (letters[:, 0] + letters[:, 2]) / 2, letters[:, 3].astype(np.float64)
    height = float(np.median(letters[:, 3] - letters[:, 1]))
    weight = np.ones(len(x), bool)
    a = 0.0 if slope is None else slope
    if slope is None and len(x) >= ENOUGH_TO_FIT:
        middle = (letters[:, 1] + letters[:, 3]) / 2
        a = float(np.polyfit(x, middle, 1)[0]) if np.ptp(x) > 3 * height else 0.0
    b = float(np.median(y - a * x))
    for _ in range(FIT_ROUNDS):
        near = np.abs(y - a * x - b) <= max(DESCENDER * height, 1.0)
        if not near.any() or (near == weight).all():
            break
        weight = near
        if slope is None and weight.sum() >= ENOUGH_TO_FIT and np.ptp(x[weight]) > 3 * height:
            a, b = (float(v) for v in np.polyfit(x[weight], y[weight], 1))
        else:
            b = float(np.mean((y - a * x)[weight]))
    return float(np.clip(a, -STEEPEST, STEEPEST)), b, height, int(weight.sum())
