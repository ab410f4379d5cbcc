"""Boxes, quads and affines: the only box arithmetic of the project.

Conventions
-----------
box     (n, 4) float32, x0 y0 x1 y1, half-open, measured at pixel edges, y down
quad    (n, 4, 2) float32, corners along the baseline: top left, top right, bottom right, bottom left
        as the text is read (so the bottom edge runs along the baseline, whatever the rotation)
affine  (2, 3) float64, `target_from_source`: target = A[:, :2] @ source + A[:, 2]
Frames are named by whoever calls: page px, upright px, window px, PDF points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


# ---- affines -----------------------------------------------------------------------------------

def apply(target_from_source: NDArray, points: NDArray) -> NDArray[np.float64]:
    """Points (..., 2) of the source frame in the target frame."""
    a = np.asarray(target_from_source, np.float64)
    return np.asarray(points, np.float64) @ a[:, :2].T + a[:, 2]


def compose(c_from_b: NDArray, b_from_a: NDArray) -> NDArray[np.float64]:
    """`c_from_a`: first the right one, then the left one."""
    p, q = np.asarray(c_from_b, np.float64), np.asarray(b_from_a, np.float64)
    return np.hstack([p[:, :2] @ q[:, :2], (p[:, :2] @ q[:, 2] + p[:, 2])[:, None]])


def invert(target_from_source: NDArray) -> NDArray[np.float64]:
    """`source_from_target`. Raises numpy.linalg.LinAlgError when the affine is flat."""
    a = np.asarray(target_from_source, np.float64)
    inverse = np.linalg.inv(a[:, :2])
    return np.hstack([inverse, (-inverse @ a[:, 2])[:, None]])


def scaling(sx: float, sy: float | None = None) -> NDArray[np.float64]:
    """An affine that multiplies x by `sx` and y by `sy` (default: the same)."""
    return np.array([[sx, 0.0, 0.0], [0.0, sx if sy is None else sy, 0.0]])


def translation(dx: float, dy: float) -> NDArray[np.float64]:
    """An affine that adds (dx, dy)."""
    return np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])


def quarter_turns(turns: int, width: float, height: float) -> NDArray[np.float64]:
    """`turned_from_page` for `numpy.rot90(page, turns)`: counterclockwise quarter turns.

    width, height: of the page before turning, px. A page (x, y) turned once lands at (y, W - x).
    """
    turns %= 4
    if turns == 1:
        return np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, width]])
    if turns == 2:
        return np.array([[-1.0, 0.0, width], [0.0, -1.0, height]])
    if turns == 3:
        return np.array([[0.0, -1.0, height], [1.0, 0.0, 0.0]])
    return IDENTITY.copy()


def scale_of(affine: NDArray) -> float:
    """The geometric mean scale of an affine (square root of |determinant|)."""
    return float(np.sqrt(abs(np.linalg.det(np.asarray(affine, np.float64)[:, :2]))))


# ---- boxes and quads ---------------------------------------------------------------------------

def quads_from_boxes(box: NDArray) -> NDArray[np.float32]:
    """(n, 4, 2): axis-parallel quads of boxes (n, 4)."""
    b = np.asarray(box, np.float32).reshape(-1, 4)
    return b[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def boxes_from_quads(quad: NDArray) -> NDArray[np.float32]:
    """(n, 4): the axis-parallel bounds of quads (n, 4, 2)."""
    q = np.asarray(quad, np.float32).reshape(-1, 4, 2)
    return np.concatenate([q.min(1), q.max(1)], axis=1) if len(q) else np.zeros((0, 4), np.float32)


def transform_quads(target_from_source: NDArray, quad: NDArray) -> NDArray[np.float32]:
    """Quads (n, 4, 2) in the target frame."""
    return apply(target_from_source, quad).astype(np.float32).reshape(-1, 4, 2)


def transform_boxes(target_from_source: NDArray, box: NDArray) -> NDArray[np.float32]:
    """Bounds (n, 4), in the target frame, of boxes (n, 4)."""
    return boxes_from_quads(transform_quads(target_from_source, quads_from_boxes(box)))


def union(box: NDArray) -> NDArray[np.float32]:
    """(4,): the bound of boxes (n, 4), n >= 1."""
    b = np.asarray(box, np.float32)
    return np.concatenate([b[:, :2].min(0), b[:, 2:].max(0)])


def areas(box: NDArray) -> NDArray[np.float64]:
    """(n,) areas; inverted boxes count as empty."""
    b = np.asarray(box, np.float64)
    return np.clip(b[..., 2] - b[..., 0], 0, None) * np.clip(b[..., 3] - b[..., 1], 0, None)


def intersection(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """(n, m) areas shared by boxes a (n, 4) and b (m, 4)."""
    a, b = np.asarray(a, np.float64).reshape(-1, 4), np.asarray(b, np.float64).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    side = np.clip(high - low, 0, None)
    return side[..., 0] * side[..., 1]


def iou(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """(n, m) intersection over union of boxes a (n, 4) and b (m, 4)."""
    shared = intersection(a, b)
    total = areas(np.reshape(a, (-1, 4)))[:, None] + areas(np.reshape(b, (-1, 4)))[None] - shared
    return np.divide(shared, total, out=np.zeros_like(shared), where=total > 0)


def rows_at(box: NDArray, x: float, y: float) -> NDArray[np.int64]:
    """Rows of boxes (n, 4) that contain the point, smallest area first."""
    b = np.asarray(box)
    rows = np.flatnonzero((b[:, 0] <= x) & (x < b[:, 2]) & (b[:, 1] <= y) & (y < b[:, 3]))
    return rows[np.argsort(areas(b[rows]), kind="stable")]


def rows_within(box: NDArray, region: NDArray) -> NDArray[np.int64]:
    """Rows of boxes (n, 4) whose centre lies in `region` (4,), in row order."""
    b, (x0, y0, x1, y1) = np.asarray(box), region
    x, y = (b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2
    return np.flatnonzero((x0 <= x) & (x < x1) & (y0 <= y) & (y < y1))
