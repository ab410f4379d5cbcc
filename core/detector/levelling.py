"""Bent pages: how far the lines run off level, from place to place, in a frame turned by the skew.

A sheet that curls, is folded or seen at an angle has no one skew. Runs of neighbouring letters
show the slope where they stand; a smooth field through these slopes, summed up along the lines, is
how far each point lies below where it would on a flat page. What bends alike over the whole page is
taken for the page; a single line that runs its own way is left to its baseline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.detector.linking import weighted_median

COLUMNS, ROWS = 12, 6  # of the field, intervals of its nodes over the page
FINE = 8               # steps to a column in which the slopes are summed up
STIFF = 1.0            # weight of a change of slope from node to node against the letters seen
STEADY = 0.05          # the same, of the slope's difference from the page's where nothing is seen
TOLERANCE = (0.1, 0.05, 0.03)  # slope off the field at which a run counts for half, by round: a
                       # strongly bent page is far off the level field that the fit begins with
WINDOW = 14.0          # letter heights along a line that show one slope
FLAT = 0.005           # mean slope of runs on a flat page, from the unevenness of its letters
STEEP = 0.05           # a run counts for no more in that mean: texture has slopes as it likes
FEWEST_RUNS = 8        # that can show how a page is bent
LEAST_BEND = 0.5       # letter heights that some line is off the page's own slope


@dataclass(frozen=True)
class Bend:
    """How far points lie too low, in px, on a grid over a turned page.

    left, top, step_u, step_v: place of the first node and distance of the nodes, turned px;
    drop (rows, columns): v that a point there has too much.
    """

    left: float
    top: float
    step_u: float
    step_v: float
    drop: NDArray[np.float64]

    def at(self, uv: NDArray) -> NDArray[np.float64]:
        """(n,) drop at turned points (n, 2)."""
        row, column, y, x = self._cells(uv)
        d = self.drop
        upper = d[row, column] * (1 - x) + d[row, column + 1] * x
        return upper * (1 - y) + (d[row + 1, column] * (1 - x) + d[row + 1, column + 1] * x) * y

    def slope(self, uv: NDArray) -> NDArray[np.float64]:
        """(n,) slope of a line that passes turned points (n, 2)."""
        row, column, y, _ = self._cells(uv)
        rise = np.diff(self.drop, axis=1) / self.step_u
        return rise[row, column] * (1 - y) + rise[row + 1, column] * y

    def _cells(self, uv: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Row and column of the cell of each point, and its place in it, 0 to 1."""
        x = np.clip((uv[:, 0] - self.left) / self.step_u, 0, self.drop.shape[1] - 1.001)
        y = np.clip((uv[:, 1] - self.top) / self.step_v, 0, self.drop.shape[0] - 1.001)
        row, column = y.astype(np.int64), x.astype(np.int64)
        return row, column, y - row, x - column


def bend(box: NDArray, is_mark: NDArray, offsets: NDArray) -> Bend | None:
    """How the page is bent, from its lines' blobs (m, 4), turned px; None where it lies flat.

    offsets (n + 1,) into box, which goes by line and along it; is_mark (m,).
    """
    from core.detector import slopes  # numba takes a third of a second
    if len(box) == 0:
        return None
    runs = slopes.runs(box, is_mark, offsets, WINDOW)       # (k, 4) u v slope weight
    if len(runs) < FEWEST_RUNS:
        return None
    if np.average(np.minimum(np.abs(runs[:, 2]), STEEP), weights=runs[:, 3]) < FLAT:
        return None
    low, high = box[:, :2].min(0), box[:, 2:].max(0)
    size = np.maximum(high - low, 1.0)
    place = (runs[:, :2] - low) / size * (COLUMNS, ROWS)
    nodes = _field(place, runs[:, 2], runs[:, 3])
    fine = np.linspace(0, COLUMNS, COLUMNS * FINE + 1)
    slope = np.stack([np.interp(fine, np.arange(COLUMNS + 1), row) for row in nodes])
    step = size[0] / (COLUMNS * FINE)
    drop = np.concatenate([np.zeros((len(slope), 1)),
                           np.cumsum((slope[:, 1:] + slope[:, :-1]) / 2, 1)], 1) * step
    drop -= drop[:, [drop.shape[1] // 2]]
    found = Bend(float(low[0]), float(low[1]), step, size[1] / ROWS, drop)
    height = float(np.median(box[:, 3] - box[:, 1]))
    if np.abs(found.at(runs[:, :2])).max() < LEAST_BEND * height:
        return None
    return found


def _field(place: NDArray, slope: NDArray, weight: NDArray) -> NDArray[np.float64]:
    """(ROWS + 1, COLUMNS + 1) slopes at the nodes: smooth, near the runs' (k,).

    place (k, 2): in nodes along u and v.
    """
    n_u, n_v = COLUMNS + 1, ROWS + 1
    cell = np.minimum(place.astype(np.int64), (COLUMNS - 1, ROWS - 1))
    x, y = (place - cell).T
    first = cell[:, 1] * n_u + cell[:, 0]
    share = np.zeros((len(place), n_u * n_v))
    at = np.arange(len(place))
    for step, part in ((0, (1 - x) * (1 - y)), (1, x * (1 - y)), (n_u, (1 - x) * y),
                       (n_u + 1, x * y)):
        share[at, first + step] = part
    bending = _stiffness(n_u, n_v)
    weight = weight / weight.mean() * (100 / len(weight))
    level = weighted_median(slope, weight)
    off = slope - level
    nodes = np.zeros(n_u * n_v)
    for tolerance in TOLERANCE:
        trust = weight / (1 + ((share @ nodes - off) / tolerance) ** 2)
        pull = share.T @ (share * trust[:, None])
        nodes = np.linalg.solve(pull + bending, share.T @ (trust * off))
    return (nodes + level).reshape(n_v, n_u)


def _stiffness(n_u: int, n_v: int) -> NDArray[np.float64]:
    """(n, n) the quadratic form a field pays for bending, and little for being there at all."""
    def second(n: int) -> NDArray:
        d = np.diff(np.eye(n), 2, axis=0)
        return d.T @ d
    along = np.kron(np.eye(n_v), second(n_u)) / n_v
    across = np.kron(second(n_v), np.eye(n_u)) / n_u
    return STIFF * (along + across) + STEADY * np.eye(n_u * n_v) / (n_u * n_v)
