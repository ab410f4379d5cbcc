"""Lines from blobs: runs of neighbouring blobs of one polarity, all of about one height.

What looks like no text is refused with the rule that says so. Word boxes are made in
`core.detector.spacing`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.detector import levelling
from core.detector.linking import Frame, skew, unturned, weighted_median
from core.detector.order import reading_order, row_by_row
from core.detector.spacing import TEXT_BLOBS, BoxSettings, word_boxes  # noqa: F401  the next stage
from core.parameters import check_limits, param
from core.reading import Blobs, Lines, Parents, Upright, kept

FATE = {name: code for code, name in enumerate(Lines.FATES)}
# A refused row's value lies below its limit for these fates and above it for the others.
BELOW_LIMIT = frozenset({"too few blobs", "too faint", "too small"})
LEVEL = 0.006          # slope, a third of a degree: less is taken as no skew at all
ENOUGH_TO_FIT = 5      # letters on the baseline that can give a slope of their own
LONG = 12.0            # heights: a line that long may have a slope unlike the page's
LIKE_PAGE = 0.02       # slope that a short line's own may differ from the page's
KNOT = 6.0             # heights between the knots of a bent baseline
KNOT_WINDOW = 5.0      # heights on either side whose letters place a knot
LEAST_BEND = 0.2       # heights off the straight line
REGULAR_BLOBS = 4      # lines of as many blobs, with less spread, show the page's letter height
REGULAR_SPREAD = 0.25
WIDEST_TURNED = 3.0    # letter heights of the page: the largest letter of turned text
MIXED_BLOBS = 4        # of a line that may be two
MIXED_OVERLAP, MIXED_RATIO, MIXED_MIDDLE = 0.6, 0.55, 0.4  # of what links them anew
MOST_LETTER = 1.5      # times the height of most blobs on such lines
FEW = 2                # blobs that stand alone
LOW_LETTERS = 35       # percentile of the letters' tops that stands for the x-height


@dataclass(frozen=True)
class LineSettings:
    """How blobs link to lines, and which lines are no text. Heights are those of the blobs."""

    gap: float = param(1.6, unit="heights", low=0.2, high=5.0,
                       help="largest space between neighbours on a line")
    overlap: float = param(0.45, low=0.05, high=1.0, help="least height that neighbours share")
    height_ratio: float = param(0.42, low=0.1, high=1.0, help="least ratio of neighbours' heights")
    mark_gap: float = param(1.2, unit="heights", low=0.0, high=3.0,
                            help="reach of a dot, comma or hyphen to its one neighbour")
    find_skew: bool = param(True, help="look for the angle at which the page's lines lie level")
    find_turned: bool = param(True, help="take letters one below the other as a line turned "
                                         "clockwise")
    find_bend: bool = param(True, help="look for how the page is bent, and level it place by place")
    min_height: float = param(0.55, unit="letter heights", low=0.0, high=1.0,
                              help="lowest line, by the page's median letter")
    max_spread: float = param(0.6, low=0.05, high=5.0,
                              help="spread of the letters' lower edges in line heights")
    max_covered: float = param(0.7, low=0.1, high=1.0,
                               help="part of a line that may lie in a larger line")
    max_lower: float = param(2.2, unit="times", low=1.0, high=20.0,
                             help="how much lower than the page's letters a line's may be; "
                                  "dotted rules and texture are lower")
    max_lone: float = param(1.25, unit="times", low=1.0, high=20.0,
                            help="the same for a single blob: specks stand alone, low letters "
                                 "seldom")
    max_bar: float = param(4.5, unit="widths", low=1.0, high=50.0,
                           help="height of what stands alone; remains of rules are higher")
    max_alone: float = param(3.0, unit="letter heights", low=1.0, high=50.0,
                             help="height of what stands alone; seals and drawings are higher")

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class _Built:
    """Lines while they are made, in the levelled frame.

    rows (m,) of the kept blobs, by line and u; offsets (n + 1,); is_mark (m,); box (m, 4) levelled;
    fits (n, 5): see `line_build.baselines`; turned (n,) lines that run down the page.
    """

    frame: Frame
    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    is_mark: NDArray[np.bool_]
    box: NDArray[np.float32]
    fits: NDArray[np.float64]
    turned: NDArray[np.bool_]


def lines(upright: Upright, blobs: Blobs, settings: LineSettings = LineSettings()) -> Lines:
    """Text lines of the kept blobs, upright px, in reading order; refused ones after the kept."""
    from core.detector import line_build
    chosen = kept(blobs)
    box = blobs.box[chosen]
    built = _built(box, blobs.polarity[chosen], settings)
    bound = _bounds(built)
    fate, value, limit = _fates(built, bound, settings)
    quad = _quads(box, built)
    good, refused = np.flatnonzero(fate == 0), np.flatnonzero(fate)
    order = np.concatenate([good[reading_order(bound[good])],
                            refused[row_by_row(bound[refused])]]).astype(np.int64)
    knot_offsets, knots = line_build.bends(built.box, built.is_mark, built.offsets, built.fits,
                                           KNOT, KNOT_WINDOW, LEAST_BEND,
                                           built.frame.bend is not None)
    first = knot_offsets[:-1][built.turned]   # its left edge, for the letters' feet are there
    knots[first], knots[first + 1] = bound[built.turned, :2], bound[built.turned][:, [0, 3]]
    baseline_offsets, knot_rows = _reordered(knot_offsets, order)
    offsets, rows = _reordered(built.offsets, order)
    return Lines(
        quad=quad[order], box=geometry.boxes_from_quads(quad)[order],
        baseline_offsets=baseline_offsets,
        baseline_xy=built.frame.upright(knots)[knot_rows].astype(np.float32).reshape(-1, 2),
        x_height=_x_heights(built)[order],
        polarity=blobs.polarity[chosen[built.rows[built.offsets[:-1]]]][order],
        fate=fate[order], fate_value=value[order], fate_limit=limit[order],
        parents=Parents("blobs", offsets, chosen[built.rows[rows]]))


def _reordered(offsets: NDArray, order: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(offsets, rows) of runs `offsets` (n + 1,) when the runs are put in `order` (n,)."""
    length = np.diff(offsets)[order]
    new = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    rows = np.arange(new[-1]) + np.repeat(offsets[:-1][order] - new[:-1], length)
    return new, rows.astype(np.int64)


def _built(box: NDArray, polarity: NDArray, settings: LineSettings) -> _Built:
    """Groups of neighbours of the kept blobs (n, 4) and their baselines."""
    frame = Frame(skew(box) if settings.find_skew else 0.0)
    built = _linked(box, polarity, frame, settings)
    if settings.find_bend:
        bent = levelling.bend(built.box, built.is_mark, built.offsets)
        if bent is not None:
            built = _linked(box, polarity, Frame(frame.degrees, bent), settings)
    fits = _with_page_slope(built.box, built.is_mark, built.offsets, built.fits)
    return replace(built, fits=fits)


def _linked(box: NDArray, polarity: NDArray, frame: Frame, settings: LineSettings) -> _Built:
    """Groups of neighbours in a frame, and their baselines."""
    from core.detector import line_build
    level = frame.boxes(box)
    by_x = np.argsort(level[:, 0], kind="stable")
    sorted_box, apart = np.ascontiguousarray(level[by_x]), polarity[by_x].astype(np.int64)
    group = line_build.linked(sorted_box, apart, settings.gap, settings.overlap,
                              settings.height_ratio)
    by_line, offsets, is_mark, fits = _fitted(sorted_box, apart, group, settings)
    mixed = (fits[:, 4] > settings.max_spread) & (np.diff(offsets) >= MIXED_BLOBS)
    if mixed.any():
        rows = np.sort(by_line[np.repeat(mixed, np.diff(offsets))])
        group = _unmixed(sorted_box, apart, group, rows, settings)
        by_line, offsets, is_mark, fits = _fitted(sorted_box, apart, group, settings)
    turned = np.zeros(len(fits), bool)
    if settings.find_turned and len(fits):
        count = np.diff(offsets)
        stack = line_build.stacked(_runs_bounds(sorted_box[by_line], offsets), count,
                                   WIDEST_TURNED * weighted_median(fits[:, 2], count))
        if (stack >= 0).any():
            by_line, offsets, is_mark, fits, turned = _with_stacks(
                sorted_box, by_line, offsets, is_mark, stack)
    return _Built(frame, by_x[by_line], offsets, is_mark, sorted_box[by_line], fits, turned)


def _with_stacks(box: NDArray, by_line: NDArray, offsets: NDArray, is_mark: NDArray, stack: NDArray
                 ) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """What `_fitted` tells, with each stack of lines (see `line_build.stacked`) as one turned line.

    The last of the five: which lines are turned.
    """
    from core.detector import line_build
    n = len(stack)
    new, old = np.unique(np.where(stack >= 0, stack + n, np.arange(n)), return_inverse=True)
    line = np.repeat(old, np.diff(offsets))
    order = np.lexsort((by_line, line))
    by_line, is_mark = by_line[order], is_mark[order]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(line))]).astype(np.int64)
    fits = line_build.baselines(box[by_line], is_mark, offsets, ENOUGH_TO_FIT)
    return by_line, offsets, is_mark, fits, new >= n


def _fitted(box: NDArray, apart: NDArray, group: NDArray, settings: LineSettings
            ) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """(rows of `box` by line, offsets, is_mark by line, fits) of groups with their marks."""
    from core.detector import line_build
    group, is_mark = line_build.with_marks(box, apart, group, settings.mark_gap)
    by_line = np.argsort(group, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(group))]).astype(np.int64)
    is_mark = is_mark[by_line]
    return (by_line, offsets, is_mark,
            line_build.baselines(box[by_line], is_mark, offsets, ENOUGH_TO_FIT))


def _unmixed(box: NDArray, apart: NDArray, group: NDArray, rows: NDArray, settings: LineSettings
             ) -> NDArray[np.int64]:
    """`group` (n,) with `rows` of it linked anew, of like height and level only.

    Pieces of an underline, low between two lines and near to both, tie the lines together.
    """
    from core.detector import line_build
    parted = group.copy()
    parted[rows] = len(box) + line_build.linked(
        np.ascontiguousarray(box[rows]), apart[rows], settings.gap, MIXED_OVERLAP,
        max(settings.height_ratio, MIXED_RATIO), MIXED_MIDDLE)
    return np.unique(parted, return_inverse=True)[1]


def _with_page_slope(box: NDArray, is_mark: NDArray, offsets: NDArray, fits: NDArray
                     ) -> NDArray[np.float64]:
    """`fits`, of lines too short for a slope of their own with the page's."""
    from core.detector import line_build
    if len(fits) == 0:
        return fits
    slope, height, n_on = fits[:, 0], fits[:, 2], fits[:, 3]
    weight = np.where(n_on >= ENOUGH_TO_FIT, n_on, 0)
    page = weighted_median(slope, weight) if weight.any() else 0.0
    page = 0.0 if abs(page) < LEVEL else page
    first = box[offsets[:-1], 0]
    reach = np.maximum.reduceat(box[:, 2], offsets[:-1]) - first
    own = (n_on >= ENOUGH_TO_FIT) & ((reach > LONG * height) | (np.abs(slope - page) < LIKE_PAGE))
    given = np.where(own, np.where(np.abs(slope) < LEVEL, 0.0, slope), page)
    changed = ~own | (np.abs(slope) < LEVEL)
    start = line_build.refit(box, is_mark, offsets, given)
    fits = fits.copy()
    fits[:, 0] = given
    fits[:, 1] = np.where(changed, start, fits[:, 1])
    return fits


def _bounds(built: _Built) -> NDArray[np.float32]:
    """(n, 4) bounds of the lines in levelled px."""
    return _runs_bounds(built.box, built.offsets)


def _runs_bounds(box: NDArray, offsets: NDArray) -> NDArray[np.float32]:
    """(n, 4) bounds of runs box[offsets[i]:offsets[i + 1]] of boxes (m, 4)."""
    if len(box) == 0:
        return np.zeros((0, 4), np.float32)
    low = np.minimum.reduceat(box[:, :2], offsets[:-1])
    return np.concatenate([low, np.maximum.reduceat(box[:, 2:], offsets[:-1])], 1)


def _quads(box: NDArray, built: _Built) -> NDArray[np.float32]:
    """(n, 4, 2) the lines' quads along their baselines, upright px. box: of the kept blobs."""
    angle = np.radians(built.frame.degrees) + np.arctan(built.fits[:, 0])
    if built.frame.bend is not None and len(angle):  # from end to end
        bound = _bounds(built)
        ends = np.stack([np.stack([x, built.fits[:, 1] + built.fits[:, 0] * x], 1)
                         for x in (bound[:, 0], bound[:, 2])])
        along = np.diff(built.frame.upright(ends), axis=0)[0]
        angle = np.arctan2(along[:, 1], along[:, 0])
    quad = quads_along(box[built.rows], built.offsets, angle)
    if built.turned.any():  # turned clockwise: the letters' tops are at the right
        corners = _bounds(built)[built.turned][:, [2, 1, 2, 3, 0, 3, 0, 1]].reshape(-1, 4, 2)
        quad[built.turned] = built.frame.upright(corners)
    return quad


def quads_along(box: NDArray, offsets: NDArray, angle: NDArray) -> NDArray[np.float32]:
    """(n, 4, 2) tight quads of runs of blobs' boxes, each turned by its `angle` (n,), radians.

    box (m, 4) upright px; run i is box[offsets[i]:offsets[i + 1]], none is empty.
    """
    if len(box) == 0:
        return np.zeros((0, 4, 2), np.float32)
    each = np.repeat(angle, np.diff(offsets))
    middle, half = unturned(box, each)
    cos, sin = np.cos(each), np.sin(each)
    u = middle[:, 0] * cos + middle[:, 1] * sin
    v = middle[:, 1] * cos - middle[:, 0] * sin
    low = np.minimum.reduceat(np.stack([u, v], 1) - half, offsets[:-1])
    high = np.maximum.reduceat(np.stack([u, v], 1) + half, offsets[:-1])
    corner = np.stack([low, np.stack([high[:, 0], low[:, 1]], 1), high,
                       np.stack([low[:, 0], high[:, 1]], 1)], 1)      # (n, 4, 2) u, v
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return np.stack([corner[..., 0] * cos - corner[..., 1] * sin,
                     corner[..., 0] * sin + corner[..., 1] * cos], 2).astype(np.float32)


def _x_heights(built: _Built) -> NDArray[np.float32]:
    """(n,) px from the baseline up to the tops of the low letters."""
    n = len(built.fits)
    line = np.repeat(np.arange(n), np.diff(built.offsets))
    x = (built.box[:, 0] + built.box[:, 2]) / 2
    above = built.fits[line, 1] + built.fits[line, 0] * x - built.box[:, 1]
    letters = ~built.is_mark | (np.bincount(line, ~built.is_mark, n) == 0)[line]
    line, above = line[letters], above[letters]
    order = np.lexsort((above, line))
    count = np.bincount(line, minlength=n)
    first = np.cumsum(count) - count
    place = first + np.floor((count - 1) * LOW_LETTERS / 100).astype(np.int64)
    return np.maximum(1.0, above[order][place]).astype(np.float32)


def _fates(built: _Built, bound: NDArray, settings: LineSettings
           ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """(fate, value, limit) of lines; bound (n, 4) in levelled px."""
    from core.detector import line_build
    n = len(bound)
    fate = np.zeros(n, np.uint8)
    value, limit = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    if n == 0:
        return fate, value, limit

    def refuse(name: str, measured: NDArray, bound_: float) -> None:
        breaks = measured < bound_ if name in BELOW_LIMIT else measured > bound_
        rows = np.flatnonzero(breaks & (fate == 0) & ~built.turned)
        fate[rows], value[rows], limit[rows] = FATE[name], measured[rows], bound_

    height, n_blobs, area = built.fits[:, 2], np.diff(built.offsets), geometry.areas(bound)
    # by area: specks are many, but small; of what lies on a baseline: texture is large
    regular = (n_blobs >= REGULAR_BLOBS) & (built.fits[:, 4] <= REGULAR_SPREAD)
    page_height = weighted_median(height, np.where(regular, area, 0) if regular.any() else area)
    if regular.any():  # the bars of a large table lie on lines as well, but are few
        most = weighted_median(height, np.where(regular, n_blobs * height, 0))
        page_height = min(page_height, MOST_LETTER * most)
    small = height < settings.min_height * page_height
    refuse("too few blobs", np.where(small & (n_blobs <= 2), n_blobs, 3), 3)
    refuse("drawing or texture", page_height / height, settings.max_lower)
    refuse("drawing or texture", np.where(n_blobs == 1, page_height / height, 0), settings.max_lone)
    tall, wide = bound[:, 3] - bound[:, 1], bound[:, 2] - bound[:, 0]
    alone = n_blobs <= FEW
    refuse("drawing or texture", np.where(alone, tall / wide, 0), settings.max_bar)
    refuse("drawing or texture", np.where(alone, tall / page_height, 0), settings.max_alone)
    refuse("too irregular", np.where(n_blobs >= 4, built.fits[:, 4], 0), settings.max_spread)
    # text on a panel lies inside what is left of the panel, not the other way round
    part = line_build.inside(bound, _ranks(area, n_blobs >= TEXT_BLOBS), built.box, built.offsets,
                             settings.max_covered)
    refuse("inside another line", part, settings.max_covered)
    return fate, value, limit


def _ranks(area: NDArray, text: NDArray) -> NDArray[np.int64]:
    """(n,) place of each: lines that are `text` for sure above the others, then by area."""
    rank = np.empty(len(area), np.int64)
    rank[np.lexsort((area, text))] = np.arange(len(area))
    return rank
