"""What is drawn of each table: its boxes in upright px, a style code per row, and the legend.

`LAYER_STYLES` is the legend: canvas, stage rail and exported pictures all read it. Colours are of
the palette of Okabe and Ito (told apart with any colour vision), darkened where a white page asks
for it; refused rows are dashed or dotted as well, so no meaning hangs on hue alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.reading import (
    STAGES,
    Attempts,
    Blobs,
    Boxes,
    Buckets,
    Lines,
    Parents,
    Reading,
    Segments,
    Table,
)

BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#00855f", "#b0508a"
AMBER, SKY, GREY, BLACK = "#b37400", "#2f8fc9", "#7a7a7a", "#303030"
SOLID, DASH, DOT = "solid", "dash", "dot"

LAYERS = STAGES[2:]                     # tables with rows on the page, bottom to top
IMAGES = STAGES[:2]                     # "page" and "upright" are the pictures below them
SHOWN_AT_FIRST = ("upright", "words")
HIDDEN_AT_FIRST = (("blobs", 2),)       # duplicates lie on the region they repeat
STAGE_KEYS = {"page": 1, "upright": 2, "blobs": 3, "lines": 4, "boxes": 5, "segments": 6,
              "transcripts": 7, "buckets": 7, "attempts": 8, "words": 8, "placed": 9}
# The legend's quick filters of the blobs: which codes of LAYER_STYLES each shows. A page has one
# stable region per branch of its tree; the others of the branch are "duplicates".
BLOB_CODES = range(len(Blobs.FATES) + 1)
_STABLE = frozenset(BLOB_CODES) - {Blobs.FATES.index(fate) + 1 for fate in (
    "duplicate of a tree neighbour", "not stable")}
_KEPT = frozenset({0, 1})
BLOB_FILTERS: dict[str, frozenset[int]] = {
    "raw": frozenset(BLOB_CODES), "stable": _STABLE, "kept": _KEPT, "refused": _STABLE - _KEPT}
POLARITY_FILTERS: dict[str, int | None] = {"both": None, "dark": 0, "light": 1}
SURE, DOUBTFUL = 0.9, 0.5               # confidence bands of the colours; not the bucket limits


@dataclass(frozen=True)
class LayerStyle:
    """How the rows of one code are drawn, and what the legend calls them."""

    label: str
    colour: str
    dash: str = SOLID


def _refused(fates: tuple[str, ...]) -> tuple[LayerStyle, ...]:
    """Styles of the fates after "kept": three quiet colours, each dashed and then dotted."""
    colours = (GREY, VERMILION, PURPLE, AMBER, SKY)
    return tuple(LayerStyle(fate, colours[i % 5], DASH if i < 5 else DOT)
                 for i, fate in enumerate(fates[1:]))


_CONFIDENCE = (LayerStyle(f"confidence from {SURE:g}", BLUE),
               LayerStyle(f"from {DOUBTFUL:g} to {SURE:g}", AMBER, DASH),
               LayerStyle(f"below {DOUBTFUL:g}", VERMILION, DOT))
_MOVE_COLOURS = dict(zip(Attempts.MOVES, (GREEN, PURPLE, BLUE, AMBER, SKY, GREY), strict=True))

LAYER_STYLES: dict[str, tuple[LayerStyle, ...]] = {
    "blobs": (LayerStyle(f"kept, {Blobs.POLARITIES[0]}", BLUE),
              LayerStyle(f"kept, {Blobs.POLARITIES[1]}", AMBER), *_refused(Blobs.FATES)),
    "lines": (LayerStyle("kept", GREEN), *_refused(Lines.FATES)),
    "boxes": (LayerStyle("kept", PURPLE), *_refused(Boxes.FATES)),
    "segments": tuple(LayerStyle(cut, colour, dash) for cut, colour, dash in zip(
        Segments.CUTS, (AMBER, BLUE, VERMILION), (SOLID, DASH, DOT), strict=True)),
    "transcripts": _CONFIDENCE,
    "buckets": tuple(LayerStyle(bucket, colour, dash) for bucket, colour, dash in zip(
        Buckets.BUCKETS, (GREEN, AMBER, VERMILION), (SOLID, DASH, DOT), strict=True)),
    "attempts": tuple(LayerStyle(f"{move}, {word}", colour, dash)
                      for move, colour in _MOVE_COLOURS.items()
                      for word, dash in (("chosen", SOLID), ("tried", DOT))),
    "words": _CONFIDENCE,
    "placed": (LayerStyle("in the PDF layer", BLACK),),
}


@dataclass(frozen=True)
class LayerRows:
    """One table as it is drawn, row for row.

    box      (n, 4) float32, upright px
    quad     (n, 4, 2) float32, upright px
    code     (n,) uint8, into LAYER_STYLES[name]
    polarity (n,) uint8, code of Blobs.POLARITIES; None for tables other than blobs
    """

    name: str
    box: NDArray[np.float32]
    quad: NDArray[np.float32]
    code: NDArray[np.uint8]
    polarity: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.box)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Rows per code, (len(LAYER_STYLES[name]),)."""
        return np.bincount(self.code, minlength=len(LAYER_STYLES[self.name]))

    @cached_property
    def by_code(self) -> NDArray[np.int64]:
        """Rows sorted by code; those of code c are the slice that `counts` gives."""
        return np.argsort(self.code, kind="stable")

    @cached_property
    def slanted(self) -> NDArray[np.bool_]:
        """Rows whose quad differs from its box by more than half a pixel."""
        if not len(self):
            return np.zeros(0, bool)
        x, y = self.quad[..., 0], self.quad[..., 1]
        left, right = self.box[:, None, 0], self.box[:, None, 2]
        top, bottom = self.box[:, None, 1], self.box[:, None, 3]
        dx = np.minimum(abs(x - left), abs(x - right))
        dy = np.minimum(abs(y - top), abs(y - bottom))
        return (np.maximum(dx, dy) > 0.5).any(1)


def layer_rows(reading: Reading, name: str) -> LayerRows | None:
    """The table as it is drawn; None while it, or what places it on the page, is not made."""
    table = reading.table(name)
    if table is None or name in IMAGES:
        return None
    quad = _quads(reading, name, table)
    if quad is None:
        return None
    box = table.box if getattr(table, "box", None) is not None else geometry.boxes_from_quads(quad)
    return LayerRows(name, np.asarray(box, np.float32).reshape(-1, 4), quad, _codes(name, table),
                     table.polarity if name == "blobs" else None)


def baselines(lines: Lines) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(m, 4) and (m, 4) x0 y0 x1 y1, upright px: pieces of the kept lines' baselines and x-heights.

    The x-height runs beside the baseline, at the line's own angle.
    """
    base, top = [], []
    for row in np.flatnonzero(lines.fate == 0):
        xy = lines.baseline_xy[lines.baseline_offsets[row]:lines.baseline_offsets[row + 1]]
        if len(xy) < 2:
            continue
        along = xy[-1] - xy[0]
        up = np.array([along[1], -along[0]]) / max(float(np.hypot(*along)), 1e-6)
        raised = xy + up * lines.x_height[row]
        base.append(np.concatenate([xy[:-1], xy[1:]], axis=1))
        top.append(np.concatenate([raised[:-1], raised[1:]], axis=1))
    none = np.zeros((0, 4), np.float32)
    return (np.concatenate([none, *base]).astype(np.float32),
            np.concatenate([none, *top]).astype(np.float32))


def _quads(reading: Reading, name: str, table: Table) -> NDArray[np.float32] | None:
    if name == "placed":
        if reading.page is None or reading.upright is None:
            return None
        upright_from_points = geometry.invert(
            geometry.compose(reading.page.points_from_page, reading.upright.page_from_upright))
        return geometry.transform_quads(upright_from_points, table.quad)
    if name in ("transcripts", "buckets", "attempts"):
        parents = _segments_of(reading, name, table)
        return None if parents is None else _quads_over(reading.segments, parents)
    quad = getattr(table, "quad", None)
    return geometry.quads_from_boxes(table.box) if quad is None else quad


def _segments_of(reading: Reading, name: str, table: Table) -> Parents | None:
    """The segments below each transcript, bucket or attempt (the last two through transcripts)."""
    if reading.segments is None or reading.transcripts is None:
        return None
    if name == "transcripts":
        return table.parents
    through = reading.transcripts.parents.rows      # one segment per transcript
    return Parents("segments", table.parents.offsets, through[table.parents.rows])


def _quads_over(segments: Segments, parents: Parents) -> NDArray[np.float32]:
    """(n, 4, 2): the segment's quad, or the bound of several segments."""
    n = np.diff(parents.offsets)
    quad = np.zeros((len(parents), 4, 2), np.float32)
    some = np.flatnonzero(n)
    if not len(some):
        return quad
    starts, box = parents.offsets[:-1][some], segments.box[parents.rows]
    bound = np.concatenate([np.minimum.reduceat(box[:, :2], starts),
                            np.maximum.reduceat(box[:, 2:], starts)], axis=1)
    quad[some] = geometry.quads_from_boxes(bound)
    single = n == 1
    quad[single] = segments.quad[parents.rows[parents.offsets[:-1][single]]]
    return quad


def _codes(name: str, table: Table) -> NDArray[np.uint8]:
    if name == "blobs":
        return np.where(table.fate == 0, table.polarity, table.fate + 1).astype(np.uint8)
    if name in ("lines", "boxes"):
        return table.fate
    if name == "segments":
        return table.cut.max(1) if len(table) else np.zeros(0, np.uint8)
    if name == "buckets":
        return table.bucket
    if name == "attempts":
        return (2 * table.move + ~table.chosen).astype(np.uint8)
    if name in ("transcripts", "words"):
        return ((table.confidence < SURE) + (table.confidence < DOUBTFUL).astype(np.uint8)).astype(
            np.uint8)
    return np.zeros(len(table), np.uint8)


def caption(reading: Reading, name: str, row: int) -> str:
    """One line about a row, for tips and the status bar: "box 12 · kept", "word 3 “Total” 0.98"."""
    table = reading.table(name)
    if table is None or not 0 <= row < len(table):
        return f"{name} {row}"
    parts = [f"{name} {row}"]
    if getattr(table, "text", None) is not None:
        parts.append(f"“{table.text[row]}”")
    if getattr(table, "confidence", None) is not None:
        parts.append(f"{table.confidence[row]:.2f}")
    if getattr(table, "fate", None) is not None:
        parts.append(fate_text(table, row))
    elif name in ("buckets", "segments", "attempts"):
        parts.append(LAYER_STYLES[name][int(_codes(name, table)[row])].label)
    return " · ".join(parts)


def fate_text(table: Table, row: int) -> str:
    """"kept", or the rule that refused the row with its value and limit: "too small (9 < 12)"."""
    fate = int(table.fate[row])
    text = table.FATES[fate]
    if fate == 0:
        return text
    value, limit = float(table.fate_value[row]), float(table.fate_limit[row])
    sign = "<" if value < limit else ">" if value > limit else "="
    return f"{text} ({number(value)} {sign} {number(limit)})"


def number(value: float) -> str:
    """Four significant digits, whole numbers in full: "0.1234", "9", "106,400"."""
    return f"{value:,.0f}" if abs(value) >= 1000 or value == round(value) else f"{value:.4g}"
