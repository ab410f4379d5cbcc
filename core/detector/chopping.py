"""Segments: word boxes as windows of the net; long ones chopped, short neighbours joined if asked.

A box that is wider than the net's widest window is cut into pieces of about equal length, each cut
at the widest gap in reach; only where there is no gap does a cut go through ink. Pieces see a
little of each other (`context`); `span` says what belongs to which, and the spans of a box's
pieces tile it without a gap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.detector.spacing import PADDING
from core.parameters import check_limits, param
from core.reading import Boxes, Parents, Segments, Upright, kept
from core.recognizer.window import HEIGHT, MARGIN, STEP, cut_window, pad_windows, window_affine

WHOLE, AT_GAP, THROUGH_INK = range(3)  # codes of Segments.CUTS
UNLIMITED = 1 << 20    # window px; a strip is cut as long as it is before it is chopped
INK = 0.25             # of the strip's contrast: a column with a darker pixel holds ink
EARLIEST = 0.6         # of the ideal piece: no cut before this, or pieces become crumbs
LOW_BOX = 0.55         # of the line's usual box height; lower boxes (a dash) are framed like their line


@dataclass(frozen=True)
class SegmentSettings:
    """How boxes become windows, 32 px high."""

    width_max: int = param(512, unit="window px", low=64, high=2048,
                           help="widest window of the net; longer boxes are chopped")
    margin: float = param(MARGIN, unit="box heights", low=0.0, high=1.0,
                          help="paper around the ink, as the net was trained")
    padding: float = param(PADDING, unit="box heights", low=0.0, high=0.5,
                           help="paper that the boxes hold around their ink already")
    context: float = param(8.0, unit="window px", low=0.0, high=32.0,
                           help="what a piece sees of its neighbour beyond the cut")
    join_neighbours: bool = param(False, help="let short neighbours on a line share a window")
    join_gap: float = param(1.2, unit="box heights", low=0.0, high=5.0,
                            help="largest space between boxes that share a window")

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass
class _Columns:
    """The table while it grows: one entry per segment."""

    affine: list[NDArray] = field(default_factory=list)
    window: list[NDArray] = field(default_factory=list)
    span: list[tuple[float, float]] = field(default_factory=list)
    cut: list[tuple[int, int]] = field(default_factory=list)
    quad: list[NDArray] = field(default_factory=list)
    parents: list[list[int]] = field(default_factory=list)


def segments(upright: Upright, boxes: Boxes, settings: SegmentSettings = SegmentSettings()
             ) -> Segments:
    """Windows of all kept boxes, in the boxes' order; `quad` is the span on the page, upright px."""
    columns = _Columns()
    frames = framed(boxes)
    rows = kept(boxes)
    groups = _joined(boxes, rows, settings) if settings.join_neighbours else [[int(r)] for r in rows]
    for group in groups:
        whole, frame = boxes.quad[group[0]], frames[group[0]]
        if len(group) > 1:
            whole = frame = _spanning(boxes.quad[group])
        _add(columns, upright.gray, whole, _ink(frame, settings.padding),
             int(boxes.polarity[group[0]]), group, settings)
    window, width = pad_windows(columns.window)
    quad = np.array(columns.quad, np.float32).reshape(-1, 4, 2)
    return Segments(
        upright_from_window=np.array(columns.affine, np.float64).reshape(-1, 2, 3),
        window=window, width=width, span=np.array(columns.span, np.float32).reshape(-1, 2),
        cut=np.array(columns.cut, np.uint8).reshape(-1, 2), quad=quad,
        box=geometry.boxes_from_quads(quad), parents=Parents.from_lists("boxes", columns.parents))


def framed(boxes: Boxes) -> NDArray[np.float32]:
    """(n, 4, 2) quads to cut: the boxes' own, but a low one gets the height of its line's boxes.

    A dash or a row of dots blown up to 32 px would be a bar or a row of discs to the net.
    """
    quad = boxes.quad.copy()
    rows = kept(boxes)
    for line in np.unique(boxes.line[rows]):
        mine = rows[boxes.line[rows] == line]
        q = quad[mine].astype(np.float64)
        along = (q[:, 1] - q[:, 0]).sum(0)
        along /= max(np.hypot(*along), 1e-6)
        down = np.array([-along[1], along[0]])
        v = q @ down  # (n, 4) place of each corner across the line
        top, bottom = v[:, :2].mean(1), v[:, 2:].mean(1)
        usual = np.median(bottom - top)
        low = bottom - top < LOW_BOX * usual
        if not low.any():
            continue
        line_top, line_bottom = np.median(top[~low]), np.median(bottom[~low])
        for i in np.flatnonzero(low):
            up, by = min(line_top - top[i], 0.0), max(line_bottom - bottom[i], 0.0)
            quad[mine[i], :2] += (up * down).astype(np.float32)
            quad[mine[i], 2:] += (by * down).astype(np.float32)
    return quad


def _ink(quad: NDArray, padding: float) -> NDArray[np.float64]:
    """(4, 2) the quad without the paper around its ink."""
    q = np.asarray(quad, np.float64)
    part = padding / (1 + 2 * padding)   # of the padded height
    inset = part * (q[3] - q[0]), part * _tall(q) * (q[1] - q[0]) / _long(q)
    if 2 * part * _tall(q) >= 0.9 * _long(q):
        return q                          # no box of ours: it is all padding
    return q + np.array([inset[0] + inset[1], inset[0] - inset[1],
                         -inset[0] - inset[1], inset[1] - inset[0]])


def _add(columns: _Columns, gray: NDArray, whole: NDArray, frame: NDArray, polarity: int,
         parents: list[int], settings: SegmentSettings) -> None:
    """Append the window of one box, or those of its pieces.

    whole: the box's quad, which the pieces' spans tile; frame: the quad to cut, around its ink.
    """
    _, width = window_affine(frame, HEIGHT, settings.margin, UNLIMITED)
    cuts, codes = np.array([0.0, 1.0]), [WHOLE, WHOLE]
    if width > settings.width_max:
        cuts, codes = _chopped(gray, frame, polarity, settings)
    ends = _along(whole, frame, cuts)
    for i in range(len(cuts) - 1):
        reach = settings.context * _tall(frame) * (1 + 2 * settings.margin) / HEIGHT / _long(frame)
        seen = _part(frame, max(0.0, cuts[i] - (i > 0) * reach),
                     min(1.0, cuts[i + 1] + (i < len(cuts) - 2) * reach))
        window, affine = cut_window(gray, seen, polarity, HEIGHT, settings.margin,
                                    settings.width_max)
        mine = _part(whole, ends[i], ends[i + 1])
        x = geometry.apply(geometry.invert(affine), mine)[:, 0]
        columns.affine.append(affine)
        columns.window.append(window)
        columns.span.append((float(x[[0, 3]].mean()), float(x[[1, 2]].mean())))
        columns.cut.append((codes[i], codes[i + 1]))
        columns.quad.append(mine)
        columns.parents.append(list(parents))


def _part(quad: NDArray, start: float, end: float) -> NDArray[np.float64]:
    """(4, 2) the part of a quad between two fractions of its length."""
    q = np.asarray(quad, np.float64)
    top, bottom = q[1] - q[0], q[2] - q[3]
    return np.array([q[0] + start * top, q[0] + end * top, q[3] + end * bottom, q[3] + start * bottom])


def _along(whole: NDArray, frame: NDArray, cuts: NDArray) -> NDArray[np.float64]:
    """Fractions of `whole`'s length at which fractions `cuts` of `frame`'s lie; the ends stay ends."""
    paper = (_long(whole) - _long(frame)) / 2
    ends = (paper + cuts * _long(frame)) / _long(whole)
    ends[0], ends[-1] = 0.0, 1.0
    return ends


def _tall(quad: NDArray) -> float:
    return max(float(np.hypot(*(quad[3] - quad[0]))), 1e-3)


def _long(quad: NDArray) -> float:
    return max(float(np.hypot(*(quad[1] - quad[0]))), 1e-3)


def _chopped(gray: NDArray, frame: NDArray, polarity: int, settings: SegmentSettings
             ) -> tuple[NDArray[np.float64], list[int]]:
    """(fractions of the quad's length from 0 to 1, code of the cut at each)."""
    strip, affine = cut_window(gray, frame, polarity, HEIGHT, settings.margin, UNLIMITED)
    x = geometry.apply(geometry.invert(affine), frame)[:, 0]
    begin, end = float(x[[0, 3]].mean()), float(x[[1, 2]].mean())
    margin_px = HEIGHT * settings.margin / (1 + 2 * settings.margin)
    # one step less: a window's width is rounded to a multiple of STEP
    room = settings.width_max - 2 * (margin_px + settings.context) - STEP
    room = max(room, settings.width_max / 2)
    ink = ink_of_columns(strip)
    places, codes = [begin], [WHOLE]
    while end - places[-1] > room:
        rest = end - places[-1]
        ideal = rest / np.ceil(rest / room)
        place, code = best_cut(ink, places[-1] + EARLIEST * ideal, places[-1] + room)
        places.append(place)
        codes.append(code)
    return (np.array([*places, end]) - begin) / (end - begin), [*codes, WHOLE]


def ink_of_columns(window: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(w,) darkest pixel of each column of a (h, w) window against its paper, 0..1."""
    paper, black = np.percentile(window, (90, 1))
    return np.clip((paper - window.min(0).astype(np.float64)) / max(paper - black, 8.0), 0, 1)


def best_cut(ink: NDArray[np.float64], low: float, high: float) -> tuple[float, int]:
    """(place in window px, code) of the best cut between two places, low < high.

    The middle of the widest run of columns without ink; the column with least ink without one.
    """
    first = int(np.clip(np.ceil(low), 0, len(ink) - 1))
    last = int(np.clip(np.floor(high), first + 1, len(ink)))
    here = ink[first:last]
    clear = np.concatenate([[False], here < INK, [False]])
    edges = np.flatnonzero(clear[1:] != clear[:-1]).reshape(-1, 2)  # (runs, begin and end)
    if len(edges):
        begin, end = edges[np.argmax(edges[:, 1] - edges[:, 0])]
        return first + (begin + end) / 2, AT_GAP
    return first + int(np.argmin(here)) + 0.5, THROUGH_INK


# ---- short neighbours in one window ------------------------------------------------------------

def _joined(boxes: Boxes, rows: NDArray, settings: SegmentSettings) -> list[list[int]]:
    """Runs of box rows that share a window, in the boxes' order."""
    groups: list[list[int]] = []
    for row in rows.tolist():
        if groups and _may_join(boxes, groups[-1], row, settings):
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _may_join(boxes: Boxes, group: list[int], row: int, settings: SegmentSettings) -> bool:
    before = group[-1]
    if boxes.line[before] != boxes.line[row] or boxes.polarity[before] != boxes.polarity[row]:
        return False
    space = float(np.hypot(*(boxes.quad[row][0] - boxes.quad[before][1])))
    if space > settings.join_gap * max(_tall(boxes.quad[row]), _tall(boxes.quad[before])):
        return False
    together = _spanning(boxes.quad[[*group, row]])
    _, width = window_affine(together, HEIGHT, settings.margin, UNLIMITED)
    return width <= settings.width_max


def _spanning(quad: NDArray) -> NDArray[np.float64]:
    """(4, 2) the tight quad along the first one's baseline around quads (n, 4, 2)."""
    q = np.asarray(quad, np.float64)
    first = q[0, 1] - q[0, 0]
    along = first / max(np.hypot(*first), 1e-6)
    down = np.array([-along[1], along[0]])
    u, v = q @ along, q @ down
    corners = [(u.min(), v.min()), (u.max(), v.min()), (u.max(), v.max()), (u.min(), v.max())]
    return np.array([a * along + b * down for a, b in corners])
