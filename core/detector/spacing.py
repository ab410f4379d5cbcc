"""Word boxes from lines: parted at gaps above the line's own threshold between letter and word gap.

The threshold follows the line's own letter gaps and the page's threshold, which is Otsu's over all
its gaps: on one line there are too few gaps, of too few kinds, to part them by themselves. From
there it moves to the emptiest place near by among the line's gaps. On a line of fixed pitch the
gaps between the letters' cells are taken instead: there a dot stands in more paper than some spaces
have.

Sources: the design of Tesseract `tospace.cpp` (thresholds per row); Otsu 1979.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.detector.linking import unturned
from core.parameters import check_limits, param
from core.reading import Blobs, Boxes, Lines, Parents, Upright, kept

FATE = {name: code for code, name in enumerate(Boxes.FATES)}
FEWEST_GAPS = 10       # gaps on a page that can give a threshold of its own
PITCH = (0.6, 1.7)     # line heights: from condensed capitals to wide lower case
FEWEST_IN_PITCH = 6    # distances between letters that can show a fixed pitch
WIDE_LETTER_GAP = 0.75 # quantile of a line's letter gaps
GAPS_ALONE = 2.0       # letter gaps at which a line counts as much as the page
LARGEST_GAP = 1.5      # line heights; wider gaps all count as this in Otsu's histogram
LEAST_SPACE = 0.25     # line heights: a mean word gap below this is the gap of loose letters
CLEAR = 2.2            # word gaps to letter gaps, means: below this Otsu has split noise
PADDING = 0.1          # box heights; about what people leave around a word when they frame it
PULL = 0.5             # power by which room far from a line's threshold counts less
SINGLE = 1.3           # line heights: where most blobs are wider, letters touch
FEWEST_ROOM = 3        # gaps of a line that can move its threshold
TEXT_BLOBS = 6         # blobs of a line that is text for sure
DASH = 1.6             # times as wide as high is no dot
CLINGING = 0.6         # line heights: the largest dot or comma, which belongs to the word before it
DEEP = 0.5             # heights of the letter before it that a dot's top lies below the letter's
CLINGING_GAP = 0.6     # line heights before a dot of a loose fixed pitch
HIGH = 0.75            # quantile of a line's blobs, weighted, that is high
LOW_BLOB = 0.5         # of the line's high blobs: lower ones (dots, commas) do not count as letters


@dataclass(frozen=True)
class BoxSettings:
    """Where a line is parted into words, and which boxes are refused."""

    least_gap: float = param(0.12, unit="line heights", low=0.02, high=2.0,
                             help="lowest threshold between letter gap and word gap")
    most_gap: float = param(0.55, unit="line heights", low=0.05, high=3.0, help="highest threshold")
    page_gap: float = param(0.28, unit="line heights", low=0.05, high=3.0,
                            help="threshold where the page's gaps show no two kinds")
    beyond: float = param(0.1, unit="line heights", low=-0.5, high=1.0,
                          help="a line's threshold: this, and the two parts below")
    of_page: float = param(0.3, low=0.0, high=1.0, help="part of the page's threshold in a line's")
    of_letters: float = param(1.0, low=0.0, high=5.0,
                              help="times the line's wider letter gaps in its threshold")
    reach: float = param(1.5, unit="times", low=1.0, high=4.0,
                         help="how far a line's threshold moves, up or down, to where its own gaps "
                              "leave the most room; 1 = not at all")
    narrow: float = param(0.3, unit="line heights", low=0.0, high=1.0,
                          help="a narrower letter (1, i, a dot) counts as this wide in gaps")
    max_misfit: float = param(0.07, unit="pitches", low=0.0, high=0.25,
                              help="how far letters of a line of fixed pitch stand off their cells")
    of_cell: float = param(0.36, unit="pitches", low=0.05, high=1.0,
                           help="threshold between the cells of a line of fixed pitch")
    min_area: float = param(0.06, unit="line heights squared", low=0.0, high=2.0,
                            help="smallest word box")
    min_dot: float = param(0.65, unit="line heights", low=0.0, high=2.0,
                           help="smallest word of one blob; bullets and specks are smaller, "
                                "a dash is as wide")
    max_covered: float = param(0.65, low=0.1, high=1.0,
                               help="part of a box that may lie in a larger box")
    padding: float = param(PADDING, unit="box heights", low=0.0, high=0.5,
                           help="paper around the ink on each side; give segments the same")

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class Spaced:
    """Blobs of the kept lines, by line and place along it, and the spaces between them.

    line     (n,) int64, rows of `lines`; height (n,) px, the line's median letter
    offsets  (n + 1,) int64 into the columns below
    rows     (m,) int64, rows of `blobs`; box (m, 4) theirs
    slope    (m,) slope of the line's baseline at each blob
    gap      (m,) space before each blob in line heights; NaN for a line's first
    threshold (n,) between letter gap and word gap, line heights; page: that of the page
    """

    line: NDArray[np.int64]
    height: NDArray[np.float64]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int64]
    box: NDArray[np.float32]
    slope: NDArray[np.float64]
    gap: NDArray[np.float64]
    threshold: NDArray[np.float64]
    page: float


def word_boxes(upright: Upright, blobs: Blobs, lines: Lines, settings: BoxSettings = BoxSettings()
               ) -> Boxes:
    """Word boxes of the kept lines, upright px, in reading order, `padding` around their blobs."""
    from core.detector.grouping import quads_along
    s = spaced(blobs, lines, settings)
    of_line = np.repeat(np.arange(len(s.line)), np.diff(s.offsets))
    turned = _turned(lines.quad)[s.line]
    begins = np.isnan(s.gap) | ((s.gap > s.threshold[of_line]) & ~_clings(s, of_line)
                                & ~turned[of_line])
    first = np.flatnonzero(begins)
    offsets = np.append(first, len(s.rows)).astype(np.int64)
    line, height = of_line[first], s.height[of_line[first]]
    n_in = np.diff(offsets)
    angle = np.arctan(np.add.reduceat(s.slope, first) / n_in) if len(first) else np.zeros(0)
    ink = quads_along(s.box, offsets, angle)
    ink[turned[line]] = lines.quad[s.line[line][turned[line]]]  # a number in the margin, one word
    text = (np.diff(s.offsets) >= TEXT_BLOBS)[line]
    fate, value, limit = _fates(geometry.boxes_from_quads(ink), height, n_in, text, settings)
    quad = padded(ink, settings.padding)
    bound = geometry.boxes_from_quads(quad)
    return Boxes(
        line=s.line[line].astype(np.int32), quad=quad, box=bound,
        polarity=lines.polarity[s.line[line]],
        gap=(s.gap[first] * height).astype(np.float32),
        gap_limit=(s.threshold[line] * height).astype(np.float32),
        fate=fate, fate_value=value, fate_limit=limit,
        parents=Parents("blobs", offsets if len(first) else np.zeros(1, np.int64), s.rows))


def _turned(quad: NDArray) -> NDArray[np.bool_]:
    """(n,) which lines' quads (n, 4, 2) run down the page."""
    along = np.abs(quad[:, 1] - quad[:, 0])
    return along[:, 1] > along[:, 0]


def _clings(s: Spaced, of_line: NDArray) -> NDArray[np.bool_]:
    """(m,) blobs low on their line, as dots and commas are, that belong to what is before them.

    Of several in a row, a leader, none does.
    """
    height = s.height[of_line]
    top, low = s.box[:, 1].astype(np.float64), s.box[:, 3] - s.box[:, 1] < CLINGING * height
    before = np.roll(s.box, 1, 0)
    beneath = (top - before[:, 1] > DEEP * (before[:, 3] - before[:, 1])) & (
        before[:, 3] - before[:, 1] > LOW_BLOB * height)
    mark = low & (s.box[:, 2] - s.box[:, 0] < CLINGING * height)
    same_line = np.append(of_line[1:] == of_line[:-1], False)
    leader = np.roll(mark, -1) & same_line
    return mark & beneath & ~leader & ~np.isnan(s.gap) & (s.gap < CLINGING_GAP)


def padded(quad: NDArray, padding: float) -> NDArray[np.float32]:
    """Quads (n, 4, 2) with `padding` times their height more on each side."""
    q = np.asarray(quad, np.float64).reshape(-1, 4, 2)
    along, down = q[:, 1] - q[:, 0], q[:, 3] - q[:, 0]
    tall = np.hypot(*down.T)[:, None]
    out = padding * tall * along / np.maximum(np.hypot(*along.T)[:, None], 1e-6)
    low = padding * down
    return (q + np.stack([-out - low, out - low, out + low, low - out], 1)).astype(np.float32)


def spaced(blobs: Blobs, lines: Lines, settings: BoxSettings = BoxSettings()) -> Spaced:
    """The kept lines' blobs with the gaps before them and the thresholds."""
    from core.detector import line_build
    line = kept(lines)
    count = np.diff(lines.parents.offsets)[line]
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], count)
    rows = lines.parents.rows[np.repeat(lines.parents.offsets[:-1][line], count) + within]
    box = blobs.box[rows]
    run = np.repeat(np.arange(len(line)), count)
    slope = _slopes(lines, line, run, (box[:, 0] + box[:, 2]) / 2)
    chord = np.arctan(_chords(lines, line))[run]
    middle, half = unturned(box, np.arctan(slope))
    # along the line's chord, stretched by how much steeper the baseline is here
    u = middle[:, 0] * np.cos(chord) + middle[:, 1] * np.sin(chord)
    order = np.lexsort((u - half[:, 0], run))
    rows, box, slope, u, half = rows[order], box[order], slope[order], u[order], half[order]
    height = _heights(2 * half[:, 1], run, len(line))
    start, end = u - half[:, 0], u + half[:, 0]
    gap = line_build.spaces(start, end, offsets, height, settings.narrow)
    pitch = line_build.pitches(start, end, offsets, height, *PITCH, settings.max_misfit,
                               FEWEST_IN_PITCH)
    free = (pitch == 0)[run] & ~np.isnan(gap)
    page = page_threshold(gap[free], settings)
    wide = _medians(end - start, run, len(line)) > SINGLE * height
    letters = line_build.letter_gaps(gap, offsets, page, WIDE_LETTER_GAP, GAPS_ALONE, ~wide)
    threshold = settings.beyond + settings.of_page * page + settings.of_letters * letters
    threshold = line_build.emptiest(gap, offsets, threshold, settings.reach, PULL,
                                    FEWEST_ROOM)
    line_build.cell_spaces(start, end, offsets, height, pitch, gap)
    threshold = np.where(pitch > 0, settings.of_cell * pitch / height, threshold)
    return Spaced(line, height, offsets, rows, box, slope, gap, threshold, page)


def _chords(lines: Lines, line: NDArray) -> NDArray[np.float64]:
    """(n,) slope from end to end of the baselines of `line` (n,)."""
    first, last = lines.baseline_offsets[line], lines.baseline_offsets[line + 1] - 1
    run = lines.baseline_xy[last].astype(np.float64) - lines.baseline_xy[first]
    return np.divide(run[:, 1], run[:, 0], out=np.zeros(len(line)),
                     where=run[:, 0] > np.abs(run[:, 1]))    # turned text is taken as it stands


def _slopes(lines: Lines, line: NDArray, run: NDArray, x: NDArray) -> NDArray[np.float64]:
    """(m,) slope of the baseline of `line[run]` at each `x` (m,)."""
    slope = _chords(lines, line)[run]
    for k in np.flatnonzero(np.diff(lines.baseline_offsets)[line] > 2):  # bent ones only
        a, b = lines.baseline_offsets[line[k]], lines.baseline_offsets[line[k] + 1]
        knot = lines.baseline_xy[a:b].astype(np.float64)
        mine = run == k
        piece = np.diff(knot[:, 1]) / np.maximum(np.diff(knot[:, 0]), 1e-6)
        middle = (knot[:-1, 0] + knot[1:, 0]) / 2
        slope[mine] = np.interp(x[mine], middle, piece)
    return slope


def _heights(tall: NDArray, run: NDArray, n: int) -> NDArray[np.float64]:
    """(n,) median height of each run's letters; what is low against the run's high ones is none.

    High is where three quarters of the blobs end that are weighted by their height squared: among
    the specks of faint print, most of a line's blobs can be low.
    """
    order = np.lexsort((tall, run))
    ordered, of = tall[order], run[order]
    weight = np.cumsum(ordered ** 2)
    first = np.searchsorted(of, np.arange(n))
    before = np.where(first > 0, weight[first - 1], 0.0)
    total = np.append(before[1:], weight[-1:]) - before
    high = ordered[np.searchsorted(weight, before + HIGH * total)]
    letters = tall >= LOW_BLOB * high[run]
    some = np.bincount(run[letters], minlength=n)
    ordered = tall[letters][np.lexsort((tall[letters], run[letters]))]
    begin = np.cumsum(some) - some
    lower, upper = ordered[begin + (some - 1) // 2], ordered[begin + some // 2]
    return np.maximum((lower + upper) / 2, 1e-3)


def _medians(values: NDArray, run: NDArray, n: int) -> NDArray[np.float64]:
    """(n,) lower median of the values of each run; runs are not empty."""
    count = np.bincount(run, minlength=n)
    return values[np.lexsort((values, run))][np.cumsum(count) - count + (count - 1) // 2]


def page_threshold(gap: NDArray, settings: BoxSettings) -> float:
    """The page's threshold between letter gaps and word gaps (m,), in line heights."""
    from core.detector import line_build
    if len(gap) < FEWEST_GAPS:
        return settings.page_gap
    threshold, ratio, upper = line_build.otsu(np.clip(gap, 0, LARGEST_GAP))
    if ratio < CLEAR or upper < LEAST_SPACE:
        return settings.page_gap
    return float(np.clip(threshold, settings.least_gap, settings.most_gap))


def _fates(bound: NDArray, height: NDArray, n_in: NDArray, text: NDArray, settings: BoxSettings
           ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """(fate, value, limit) of word boxes (n, 4) of `n_in` (n,) blobs, on lines of `height` (n,) px.

    text (n,) bool: on lines of many blobs; what is left of a panel covers no text.
    """
    from core.detector import line_build
    n = len(bound)
    fate = np.zeros(n, np.uint8)
    value, limit = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    if n:
        area = geometry.areas(bound) / height ** 2
        rows = np.flatnonzero(area < settings.min_area)
        fate[rows], value[rows], limit[rows] = FATE["too small"], area[rows], settings.min_area
        wide, tall = (bound[:, 2] - bound[:, 0]) / height, (bound[:, 3] - bound[:, 1]) / height
        side = np.where(wide > DASH * tall, np.inf, np.maximum(wide, tall))
        rows = np.flatnonzero((n_in == 1) & (side < settings.min_dot) & (fate == 0))
        fate[rows], value[rows], limit[rows] = FATE["too small"], side[rows], settings.min_dot
        rank = np.empty(n, np.int64)
        rank[np.lexsort((geometry.areas(bound), text))] = np.arange(n)
        part = line_build.covered(bound, rank)
        rows = np.flatnonzero((part > settings.max_covered) & (fate == 0))
        fate[rows] = FATE["covered by another box"]
        value[rows], limit[rows] = part[rows], settings.max_covered
    return fate, value, limit
