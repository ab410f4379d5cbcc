"""What the workbench shows of the Word Detector beside its tables: no stage, nothing is stored.

The way through the tree at a blob, the gaps of a line with their threshold, and settings in which
one refused row would pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.detector import spacing
from core.detector.grouping import LineSettings
from core.detector.mser import BlobSettings
from core.detector.refusal import WEAKEST
from core.detector.spacing import BoxSettings
from core.errors import Usage
from core.reading import Blobs, Boxes, Lines, kept

SLACK = 1e-4     # of the value by which a limit is set past it; values are float32


@dataclass(frozen=True)
class TreeWalk:
    """A blob's place in the tree; all rows are of `blobs`.

    ancestors (n,) from the smallest region around the blob to the root; children (m,) directly in
    it; branch (k,) the regions from the root down to the blob and on through the largest child of
    each, with level, area, variation and fate (k,) of each: stability by level.
    """

    row: int
    ancestors: NDArray[np.int64]
    children: NDArray[np.int64]
    branch: NDArray[np.int64]
    level: NDArray[np.uint8]
    area: NDArray[np.int32]
    variation: NDArray[np.float32]
    fate: NDArray[np.uint8]


def tree_walk(blobs: Blobs, row: int) -> TreeWalk:
    """The branch of one blob. Raises IndexError where `blobs` has no such row."""
    if not 0 <= row < len(blobs):
        raise IndexError(f"blobs has no row {row}")
    above = []
    at = int(blobs.tree_parent[row])
    while at >= 0:
        above.append(at)
        at = int(blobs.tree_parent[at])
    children = np.flatnonzero(blobs.tree_parent == row)
    below, inside = [], children
    while len(inside):
        below.append(int(inside[np.argmax(blobs.area[inside])]))
        inside = np.flatnonzero(blobs.tree_parent == below[-1])
    branch = np.array([*above[::-1], row, *below], np.int64)
    return TreeWalk(row, np.array(above, np.int64), children, branch, blobs.level[branch],
                    blobs.area[branch], blobs.variation[branch], blobs.fate[branch])


@dataclass(frozen=True)
class GapHistogram:
    """The gaps of one line, in line heights.

    gap (n,) left to right, before each blob but the first; after (n,) row of `blobs` to its right;
    edges (k + 1,), count (k,): histogram of the line, page_count (k,) of all kept lines;
    threshold: above it a gap parts words; page: that of the whole page; height: px of the line.
    """

    gap: NDArray[np.float64]
    after: NDArray[np.int64]
    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    page_count: NDArray[np.int64]
    threshold: float
    page: float
    height: float


def gap_histogram(blobs: Blobs, lines: Lines, line: int, settings: BoxSettings = BoxSettings(),
                  bins: int = 30) -> GapHistogram:
    """The gaps on a kept line (row of `lines`). Raises ValueError where the line was refused."""
    if line not in kept(lines):
        raise ValueError(f"line {line} was refused; it has no words and no gaps")
    s = spacing.spaced(blobs, lines, settings)
    k = int(np.flatnonzero(s.line == line)[0])
    first, last = int(s.offsets[k]) + 1, int(s.offsets[k + 1])
    gap = s.gap[first:last]
    edges = np.linspace(0.0, spacing.LARGEST_GAP, bins + 1)

    def counted(values: NDArray) -> NDArray[np.int64]:
        return np.histogram(np.clip(values, 0, spacing.LARGEST_GAP), edges)[0].astype(np.int64)

    return GapHistogram(gap, s.rows[first:last], edges, counted(gap),
                        counted(s.gap[~np.isnan(s.gap)]), float(s.threshold[k]), s.page,
                        float(s.height[k]))


# The settings field behind each refusal, and how its limit follows from the field: "value" where
# the limit is the field itself, "part" where it is the field times something of the page.
RULES: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {
    "blobs": {"too faint": (("min_contrast", "part"),),
              "too small": (("min_speck", "value"), ("min_side", "part")),
              "too big": (("max_height", "part"),),
              "rule or frame": (("rule_ratio", "value"), ("frame_fill", "rest")),
              "solid": (("solid_fill", "value"), ("big_fill", "value"))},
    "lines": {"too irregular": (("max_spread", "value"),),
              "inside another line": (("max_covered", "value"),),
              "drawing or texture": (("max_lower", "value"), ("max_lone", "value"),
                                     ("max_bar", "value"), ("max_alone", "value"))},
    "boxes": {"too small": (("min_area", "value"), ("min_dot", "value")),
              "covered by another box": (("max_covered", "value"),)},
}
SETTINGS = {"blobs": BlobSettings, "lines": LineSettings, "boxes": BoxSettings}


def relaxed(settings: BlobSettings | LineSettings | BoxSettings, table: Blobs | Lines | Boxes,
            row: int) -> Any:
    """`settings` with the one rule that refused `row` of `table` relaxed so far that the row passes.

    A later rule may then refuse it. Raises `Usage` where the row was kept, or where no setting
    refused it (the other regions of its branch, a hole, a lone speck), or where its field's limits
    do not reach so far.
    """
    code = int(table.fate[row])
    name = table.FATES[code]
    value, limit = float(table.fate_value[row]), float(table.fate_limit[row])
    for field, kind in RULES[table.name].get(name, ()):
        old = getattr(settings, field)
        if field == "min_contrast" and limit <= WEAKEST:
            continue                          # that little contrast is noise on any page
        if kind == "value" and not np.isclose(old, limit, rtol=1e-5):
            continue
        if kind == "rest" and not np.isclose(1 - old, limit, rtol=1e-5):
            continue
        new = {"value": value, "rest": 1 - value, "part": old * value / limit}[kind]
        grows = (new > old) if new != old else value > limit
        new += (1 if grows else -1) * SLACK * max(abs(new), 1e-3)
        return replace(settings, **{field: new})
    reason = "was kept" if code == 0 else f"is {name!r}, which no setting decides"
    raise Usage(f"row {row} of {table.name} {reason}; choose a row that a rule refused")
