"""Reading order of lines: columns of running text one after the other, everything else row by row.

A recursive X-Y cut (Nagy & Seth 1984) that parts a page into columns only where both sides hold
several long lines: the prices of a receipt stand in a column too, but are read with their item.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COLUMN_LINES = 3       # lines on each side of a gutter
COLUMN_LENGTH = 8.0    # heights: median length of the lines on each side
GUTTER = 1.0           # median line heights
SAME_ROW = 0.5         # of the lower height that two lines of one row share
DEEPEST = 20           # cuts within cuts; a page has far fewer


def reading_order(box: NDArray) -> NDArray[np.int64]:
    """(n,) rows of lines' boxes (n, 4) in the order they are read."""
    return np.array(_ordered(box, np.arange(len(box)), 0), np.int64)


def _ordered(box: NDArray, rows: NDArray, depth: int) -> list[int]:
    if len(rows) < 2 * COLUMN_LINES or depth >= DEEPEST:
        return _row_by_row(box, rows)
    height = _median(box[rows, 3] - box[rows, 1])
    left = _split(box[rows, 0], box[rows, 2], GUTTER * height)
    if left is not None:
        sides = rows[left], rows[~left]
        if all(_is_column(box[side]) for side in sides):
            return [i for side in sides for i in _ordered(box, side, depth + 1)]
    top = _split(box[rows, 1], box[rows, 3], 0.0)
    if top is None:
        return _row_by_row(box, rows)
    return [i for part in (rows[top], rows[~top]) for i in _ordered(box, part, depth + 1)]


def _is_column(box: NDArray) -> bool:
    if len(box) < COLUMN_LINES:
        return False
    long = (box[:, 2] - box[:, 0]) / np.maximum(box[:, 3] - box[:, 1], 1)
    return _median(long) >= COLUMN_LENGTH


def _median(values: NDArray) -> float:
    """np.median takes half of the time of grouping for a few values at a time."""
    ordered = np.sort(values)
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _split(low: NDArray, high: NDArray, least: float) -> NDArray[np.bool_] | None:
    """Which intervals lie before the widest empty space of more than `least`; None without one."""
    order = np.argsort(low, kind="stable")
    space = low[order][1:] - np.maximum.accumulate(high[order])[:-1]
    if len(space) == 0 or space.max() <= least:
        return None
    before = np.zeros(len(low), bool)
    before[order[:int(np.argmax(space)) + 1]] = True
    return before


def row_by_row(box: NDArray) -> NDArray[np.int64]:
    """(n,) rows of boxes (n, 4) from top to bottom, left to right, whatever the columns."""
    return np.array(_row_by_row(box, np.arange(len(box))), np.int64)


def _row_by_row(box: NDArray, rows: NDArray) -> list[int]:
    """Rows from top to bottom; lines that share half their height are one row, left to right."""
    placed: list[list[int]] = []
    spans: list[tuple[float, float]] = []
    rows = rows[np.argsort(box[rows, 1] + box[rows, 3], kind="stable")]
    for i, y0, y1 in zip(rows.tolist(), box[rows, 1].tolist(), box[rows, 3].tolist(), strict=True):
        if spans:
            shared = min(y1, spans[-1][1]) - max(y0, spans[-1][0])
            if shared > SAME_ROW * min(y1 - y0, spans[-1][1] - spans[-1][0]):
                placed[-1].append(i)
                continue
        placed.append([i])
        spans.append((y0, y1))
    return [i for row in placed for i in sorted(row, key=lambda i: box[i, 0])]
