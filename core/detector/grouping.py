"""Lines from blobs, and word boxes from lines.

A line is a run of neighbouring blobs of one polarity, all of about one height. Words are parted at
gaps above the line's own threshold between letter gap and word gap (Otsu), which is kept near the
page's. What looks like no text is refused with the rule that says so.

Sources: the design of Tesseract `tospace.cpp` (thresholds per row); Otsu 1979.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.detector import linking
from core.detector.order import reading_order
from core.parameters import check_limits, param
from core.reading import Blobs, Boxes, Lines, Parents, Upright, kept

LINE_FATE = {name: code for code, name in enumerate(Lines.FATES)}
BOX_FATE = {name: code for code, name in enumerate(Boxes.FATES)}
# A refused row's value lies below its limit for these fates and above it for the others.
BELOW_LIMIT = frozenset({"too few blobs", "too faint", "too small"})
LEVEL = 0.006          # slope, a third of a degree: less is taken as no skew at all
FEWEST_GAPS = 5        # gaps on a line that can give a threshold of its own
LARGEST_GAP = 1.5      # line heights; wider gaps all count as this in Otsu's histogram
LEAST_SPACE = 0.25     # line heights: a mean word gap below this is the gap of loose letters
CLEAR = 2.2            # word gaps to letter gaps, means: below this Otsu has split noise


@dataclass(frozen=True)
class LineSettings:
    """How blobs link to lines, and which lines are no text. Heights are those of the blobs."""

    gap: float = param(1.3, unit="heights", low=0.2, high=5.0,
                       help="largest space between neighbours on a line")
    overlap: float = param(0.45, low=0.05, high=1.0, help="least height that neighbours share")
    height_ratio: float = param(0.42, low=0.1, high=1.0, help="least ratio of neighbours' heights")
    mark_gap: float = param(0.6, unit="heights", low=0.0, high=3.0,
                            help="reach of a dot, comma or hyphen to its one neighbour")
    min_height: float = param(0.55, unit="letter heights", low=0.0, high=1.0,
                              help="lowest line, by the page's median letter")
    max_spread: float = param(0.6, low=0.05, high=5.0,
                              help="spread of the letters' lower edges in line heights")
    max_covered: float = param(0.7, low=0.1, high=1.0,
                               help="part of a line that may lie in a larger line")

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class BoxSettings:
    """Where a line is parted into words, and which boxes are refused."""

    least_gap: float = param(0.12, unit="line heights", low=0.02, high=2.0,
                             help="lowest threshold between letter gap and word gap")
    most_gap: float = param(0.5, unit="line heights", low=0.05, high=3.0, help="highest threshold")
    page_gap: float = param(0.28, unit="line heights", low=0.05, high=3.0,
                            help="threshold where the page's gaps show no two kinds")
    below_page: float = param(0.5, low=0.1, high=1.0,
                              help="least part of the page's threshold that a line may use")
    above_page: float = param(1.5, low=1.0, high=5.0,
                              help="most times the page's threshold that a line may use")
    narrow: float = param(0.25, unit="line heights", low=0.0, high=1.0,
                          help="a narrower letter (1, i, a dot) counts as this wide in gaps")
    min_area: float = param(0.06, unit="line heights squared", low=0.0, high=2.0,
                            help="smallest word box")
    max_covered: float = param(0.65, low=0.1, high=1.0,
                               help="part of a box that may lie in a larger box")

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class _Row:
    """One line while it is built: rows of `blobs` left to right, and its frame."""

    rows: NDArray[np.int64]
    is_mark: NDArray[np.bool_]
    slope: float
    start: float          # y of the baseline at x = 0
    height: float         # px, median of its letters


# ---- lines -------------------------------------------------------------------------------------

def lines(upright: Upright, blobs: Blobs, settings: LineSettings = LineSettings()) -> Lines:
    """Text lines of the kept blobs, upright px, in reading order; refused ones after the kept."""
    chosen = kept(blobs)
    box = blobs.box[chosen]
    group, is_mark = linking.groups(box, blobs.polarity[chosen].astype(np.int64), settings.gap,
                                    settings.overlap, settings.height_ratio, settings.mark_gap)
    built = _rows(box, group, is_mark)
    quad = np.array([_quad(box[r.rows], r.slope) for r in built], np.float32).reshape(-1, 4, 2)
    bound = geometry.boxes_from_quads(quad)
    fate, value, limit = _line_fates(box, built, bound, settings)
    good, refused = np.flatnonzero(fate == 0), np.flatnonzero(fate)
    order = np.concatenate([good[reading_order(bound[good])],
                            refused[reading_order(bound[refused])]]).astype(np.int64)
    built = [built[i] for i in order]
    ends = [np.array([[box[r.rows, 0].min(), 0], [box[r.rows, 2].max(), 0]]) for r in built]
    for r, xy in zip(built, ends, strict=True):
        xy[:, 1] = r.start + r.slope * xy[:, 0]
    offsets = 2 * np.arange(len(built) + 1, dtype=np.int64)
    return Lines(
        quad=quad[order], box=bound[order], baseline_offsets=offsets,
        baseline_xy=np.concatenate([np.zeros((0, 2)), *ends]).astype(np.float32),
        x_height=np.array([_x_height(box[r.rows], r) for r in built], np.float32),
        polarity=np.array([blobs.polarity[chosen[r.rows[0]]] for r in built], np.uint8),
        fate=fate[order], fate_value=value[order], fate_limit=limit[order],
        parents=Parents.from_lists("blobs", [chosen[r.rows] for r in built]))


def _rows(box: NDArray, group: NDArray, is_mark: NDArray) -> list[_Row]:
    """One `_Row` per group; lines too short for a slope of their own take the page's."""
    if len(group) == 0:
        return []
    order = np.lexsort((box[:, 0], group))
    members = np.split(order, np.cumsum(np.bincount(group))[:-1])
    fits = [linking.baseline(box[rows], is_mark[rows]) for rows in members]
    weight = np.array([f[3] if f[3] >= linking.ENOUGH_TO_FIT else 0 for f in fits])
    slopes = np.array([f[0] for f in fits])
    page = _weighted_median(slopes, weight) if weight.any() else 0.0
    page = 0.0 if abs(page) < LEVEL else page
    built = []
    for rows, (slope, start, height, n_on) in zip(members, fits, strict=True):
        wide = np.ptp(box[rows, 0]) > 12 * height
        own = n_on >= linking.ENOUGH_TO_FIT and (wide or abs(slope - page) < 0.02)
        if not own or abs(slope) < LEVEL:
            slope = page if not own else 0.0
            _, start, height, _ = linking.baseline(box[rows], is_mark[rows], slope)
        built.append(_Row(rows, is_mark[rows], slope, start, height))
    return built


def _weighted_median(values: NDArray, weights: NDArray) -> float:
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])


def _quad(box: NDArray, slope: float) -> NDArray[np.float64]:
    """(4, 2) the tight quad of blobs (n, 4) along a baseline of `slope`.

    Blobs are letters, small against the line, so their half sides are taken unturned: turning
    each letter's corners would make the quad of a skewed line too high.
    """
    angle = np.arctan(slope)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = (box[:, 0] + box[:, 2]) / 2.0, (box[:, 1] + box[:, 3]) / 2.0
    half_w, half_h = (box[:, 2] - box[:, 0]) / 2.0, (box[:, 3] - box[:, 1]) / 2.0
    half_h = np.maximum(half_h - np.abs(sin) * half_w, half_h / 2)  # letters that touch
    u, v = x * cos + y * sin, -x * sin + y * cos
    u0, u1 = (u - half_w).min(), (u + half_w).max()
    v0, v1 = (v - half_h).min(), (v + half_h).max()
    corners = np.array([[u0, v0], [u1, v0], [u1, v1], [u0, v1]])
    return corners @ np.array([[cos, sin], [-sin, cos]])


def _x_height(box: NDArray, row: _Row) -> float:
    """Px from the baseline up to the tops of the low letters (their 35th percentile)."""
    letters = box if row.is_mark.all() else box[~row.is_mark]
    x = (letters[:, 0] + letters[:, 2]) / 2
    above = row.start + row.slope * x - letters[:, 1]
    return float(max(1.0, np.percentile(above, 35)))


def _line_fates(box: NDArray, built: list[_Row], bound: NDArray, settings: LineSettings
                ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """(fate, value, limit) of lines; box: of the kept blobs, bound (n, 4) of the lines."""
    n = len(built)
    fate = np.zeros(n, np.uint8)
    value, limit = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    if n == 0:
        return fate, value, limit

    def refuse(name: str, measured: NDArray, bound_: float) -> None:
        breaks = measured < bound_ if name in BELOW_LIMIT else measured > bound_
        rows = np.flatnonzero(breaks & (fate == 0))
        fate[rows], value[rows], limit[rows] = LINE_FATE[name], measured[rows], bound_

    height = np.array([r.height for r in built])
    n_blobs = np.array([len(r.rows) for r in built])
    # by area: specks are many, but small
    page_height = _weighted_median(height, geometry.areas(bound))
    small = height < settings.min_height * page_height
    refuse("too few blobs", np.where(small & (n_blobs <= 2), n_blobs, 3), 3)
    spread = np.array([_spread(box[r.rows], r) for r in built])
    refuse("too irregular", np.where(n_blobs >= 4, spread, 0), settings.max_spread)
    refuse("inside another line", _covered(bound, np.maximum(n_blobs, 1)), settings.max_covered)
    return fate, value, limit


def _spread(box: NDArray, row: _Row) -> float:
    """Mean distance of the letters' lower edges from the baseline, in line heights."""
    letters = box if row.is_mark.all() else box[~row.is_mark]
    x = (letters[:, 0] + letters[:, 2]) / 2
    return float(np.abs(row.start + row.slope * x - letters[:, 3]).mean() / row.height)


def _covered(bound: NDArray, size: NDArray) -> NDArray[np.float64]:
    """(n,) largest part of each box (n, 4) that lies in one larger box; size breaks ties."""
    if len(bound) < 2:
        return np.zeros(len(bound))
    area = np.maximum(geometry.areas(bound), 1e-6)
    part = geometry.intersection(bound, bound) / area[:, None]
    rank = np.empty(len(area), np.int64)
    rank[np.lexsort((size, area))] = np.arange(len(area))
    part[rank[None, :] <= rank[:, None]] = 0
    return part.max(1)


# ---- word boxes --------------------------------------------------------------------------------

def word_boxes(upright: Upright, blobs: Blobs, lines: Lines, settings: BoxSettings = BoxSettings()
               ) -> Boxes:
    """Word boxes of the kept lines, upright px, in reading order, tight around their blobs."""
    frames = [_frame(blobs, lines, int(i)) for i in kept(lines)]
    gaps = [_gaps(box, height, settings.narrow) for _, _, box, _, height in frames]
    page = _page_threshold(gaps, settings)
    rows, parents, quads, between, limits, heights = [], [], [], [], [], []
    for (line, members, box, slope, height), gap in zip(frames, gaps, strict=True):
        threshold = _line_threshold(gap, page, settings)
        cuts = np.flatnonzero(gap > threshold) + 1
        first = np.concatenate([[np.nan], gap[cuts - 1] * height])
        for part, space in zip(np.split(np.arange(len(members)), cuts), first, strict=True):
            rows.append(line)
            parents.append(members[part])
            quads.append(_quad(box[part], slope))
            between.append(space)
            limits.append(threshold * height)
            heights.append(height)
    quad = np.array(quads, np.float32).reshape(-1, 4, 2)
    bound = geometry.boxes_from_quads(quad)
    fate, value, limit = _box_fates(bound, np.array(heights), settings)
    return Boxes(
        line=np.array(rows, np.int32), quad=quad, box=bound,
        polarity=lines.polarity[np.array(rows, np.int64)],
        gap=np.array(between, np.float32), gap_limit=np.array(limits, np.float32),
        fate=fate, fate_value=value, fate_limit=limit,
        parents=Parents.from_lists("blobs", parents))


def _frame(blobs: Blobs, lines: Lines, line: int) -> tuple[int, NDArray, NDArray, float, float]:
    """(line, its blobs left to right, their boxes, slope, median letter height px)."""
    members = lines.parents.of(line)
    box = blobs.box[members]
    xy = lines.baseline_xy[lines.baseline_offsets[line]:lines.baseline_offsets[line + 1]]
    run = float(xy[-1, 0] - xy[0, 0])
    slope = float(xy[-1, 1] - xy[0, 1]) / run if run > 0 else 0.0
    tall = box[:, 3] - box[:, 1]
    letters = tall[tall >= 0.5 * np.percentile(tall, 75)]  # dots and commas do not count
    return line, members, box, slope, float(np.median(letters))


def _gaps(box: NDArray, height: float, narrow: float) -> NDArray[np.float64]:
    """(n - 1,) space before each blob but the first, in line heights; negative where they overlap.

    box (n, 4) by x0. In fixed-pitch print a `1` or a dot stands in wide space of its own: what is
    narrower than `narrow` heights counts as that wide, or numbers would be torn at each `1`.
    """
    widen = np.maximum(0, narrow * height - (box[:, 2] - box[:, 0])) / 2
    reached = np.maximum.accumulate(box[:, 2] + widen)
    return (box[1:, 0] - widen[1:] - reached[:-1]) / height


def otsu(values: NDArray) -> tuple[float, float, float]:
    """(threshold midway between the two classes of Otsu 1979, their means' ratio, the upper mean).

    values (n,), n >= 2.
    """
    v = np.sort(values)
    n = np.arange(1, len(v))
    total = np.cumsum(v)
    low, high = total[:-1] / n, (total[-1] - total[:-1]) / (len(v) - n)
    k = int(np.argmax(n * (len(v) - n) * (high - low) ** 2))
    return float(v[k] + v[k + 1]) / 2, float(high[k] / max(low[k], 0.02)), float(high[k])


def _page_threshold(gaps: list[NDArray], settings: BoxSettings) -> float:
    """The page's threshold between letter gaps and word gaps, in line heights."""
    values = np.clip(np.concatenate([np.zeros(0), *gaps]), 0, LARGEST_GAP)
    if len(values) < 2 * FEWEST_GAPS:
        return settings.page_gap
    threshold, ratio, upper = otsu(values)
    if ratio < CLEAR or upper < LEAST_SPACE:
        return settings.page_gap
    return float(np.clip(threshold, settings.least_gap, settings.most_gap))


def _line_threshold(gap: NDArray, page: float, settings: BoxSettings) -> float:
    """The line's own threshold, near the page's `page`; both in line heights."""
    values = np.clip(gap, 0, LARGEST_GAP)
    if len(values) < FEWEST_GAPS:
        return page
    threshold, ratio, upper = otsu(values)
    if ratio < CLEAR or upper < LEAST_SPACE:
        return page
    return float(np.clip(threshold, settings.below_page * page, settings.above_page * page))


def _box_fates(bound: NDArray, height: NDArray, settings: BoxSettings
               ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """(fate, value, limit) of word boxes (n, 4) on lines of `height` (n,) px."""
    n = len(bound)
    fate = np.zeros(n, np.uint8)
    value, limit = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    if n:
        area = geometry.areas(bound) / height ** 2
        rows = np.flatnonzero(area < settings.min_area)
        fate[rows], value[rows], limit[rows] = BOX_FATE["too small"], area[rows], settings.min_area
        part = _covered(bound, np.arange(n))
        rows = np.flatnonzero((part > settings.max_covered) & (fate == 0))
        fate[rows] = BOX_FATE["covered by another box"]
        value[rows], limit[rows] = part[rows], settings.max_covered
    return fate, value, limit
