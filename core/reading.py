"""The record of one reading of one page with one set of settings: a table per stage.

A stage is named like its table, everywhere: code, `--stage`, rail, keys, JSON.

    page -> upright -> blobs -> lines -> boxes -> segments -> transcripts -> buckets
         -> attempts -> words -> placed

Rules
-----
* A table is a frozen struct of equal-length, read-only arrays; text is `<U`, codes are uint8 with
  a class-level tuple of names, and there are no object arrays.
* Geometry is float32 in *upright px* (see `core.geometry` for box and quad), except `placed`,
  which is in PDF points; affines are float64.
* `parents` is the only link: for each row the rows of one earlier table it was made from.
* Nothing is thrown away: a refused row stays, with the rule that refused it in `fate`
  (0 = kept), the measured value and the limit it broke ("area 9 < 12").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from core import geometry

STAGES = ("page", "upright", "blobs", "lines", "boxes", "segments", "transcripts", "buckets",
          "attempts", "words", "placed")


@dataclass(frozen=True)
class Frozen:
    """A dataclass whose arrays cannot be written to.

    NumPy forgets `writeable=False` in a pickle, so arrays are frozen again in `__setstate__`.
    """

    def __post_init__(self) -> None:
        self._freeze()
        self.check()

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._freeze()

    def _freeze(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                view = value.view()
                view.flags.writeable = False
                object.__setattr__(self, f.name, view)

    def check(self) -> None:
        """Raise ValueError where the columns do not fit each other."""

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, nested ones included."""
        total = 0
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray | Frozen):
                total += value.nbytes
        return total


@dataclass(frozen=True)
class Parents(Frozen):
    """For each row, the rows of one earlier table it was made from.

    table    name of that table
    offsets  (n + 1,) int64, row i's parents are rows[offsets[i]:offsets[i + 1]]
    rows     (m,) int64
    """

    table: str
    offsets: NDArray[np.int64]
    rows: NDArray[np.int64]

    def check(self) -> None:
        if self.table not in STAGES:
            raise ValueError(f"{self.table!r} is no stage")
        if len(self.offsets) == 0 or self.offsets[0] != 0 or self.offsets[-1] != len(self.rows):
            raise ValueError(f"parents in {self.table}: offsets do not span the rows")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def of(self, row: int) -> NDArray[np.int64]:
        """Parents of one row."""
        return self.rows[self.offsets[row]:self.offsets[row + 1]]

    def of_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Parents of several rows, sorted, each once."""
        mine = np.zeros(len(self), bool)
        mine[rows] = True
        return np.unique(self.rows[np.repeat(mine, np.diff(self.offsets))])

    def children_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows that cite any of `rows` of the earlier table, sorted."""
        children = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        return np.unique(children[np.isin(self.rows, rows)])

    @staticmethod
    def one_each(table: str, rows: NDArray) -> Parents:
        """Row i was made from `rows[i]` alone."""
        rows = np.asarray(rows, np.int64)
        return Parents(table, np.arange(len(rows) + 1, dtype=np.int64), rows)

    @staticmethod
    def from_lists(table: str, lists: Iterable[Iterable[int]]) -> Parents:
        """Row i was made from the rows in the i-th list."""
        lists = [np.asarray(list(rows), np.int64) for rows in lists]
        offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in lists])]).astype(np.int64)
        return Parents(table, offsets, np.concatenate([np.zeros(0, np.int64), *lists]))


def ragged(lists: Iterable[Iterable], dtype) -> tuple[NDArray[np.int64], NDArray]:
    """(offsets, values) of a list of lists, as `Parents` and `Transcripts` store them."""
    arrays = [np.asarray(values, dtype).reshape(-1) for values in lists]
    offsets = np.concatenate([[0], np.cumsum([len(a) for a in arrays])]).astype(np.int64)
    return offsets, np.concatenate([np.zeros(0, dtype), *arrays]).astype(dtype)


def text_array(texts: Iterable[str]) -> NDArray[np.str_]:
    """Fixed-width unicode, at least one character wide (`<U0` does not survive a pickle)."""
    texts = list(texts)
    return np.array(texts, dtype=f"<U{max([1, *map(len, texts)])}")


@dataclass(frozen=True)
class Table(Frozen):
    """Rows with `parents`. A subclass lists in ROWS the columns that have one entry per row."""

    name: ClassVar[str]
    ROWS: ClassVar[tuple[str, ...]]

    def check(self) -> None:
        lengths = {column: len(getattr(self, column)) for column in self.ROWS}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"{self.name}: columns differ in length: {lengths}")
        parents = getattr(self, "parents", None)
        if parents is not None and len(parents) != len(self):
            raise ValueError(f"{self.name}: {len(parents)} parents for {len(self)} rows")

    def __len__(self) -> int:
        return len(getattr(self, self.ROWS[0]))


@dataclass(frozen=True)
class Page(Table):
    """Stage 1, one row: the page as a person would see it, EXIF and /Rotate already applied.

    image             (H, W) or (H, W, 3) uint8, RGB
    dpi               px per inch, 300 where the file does not say or says something absurd
    points_from_page  (2, 3): page px -> PDF points of the visible, unrotated-by-viewer page
                      (origin top left, y down: MuPDF's page space). For an image file 72 / dpi.
    digest            hash of the pixels and of the page's place in its document
    exif_orientation  1 to 8, what was applied; 1 = nothing
    note              what the reader of the page should know ("repaired", "scaled down from ..."), or ""
    """

    image: NDArray[np.uint8]
    dpi: float
    points_from_page: NDArray[np.float64]
    digest: str
    exif_orientation: int = 1
    note: str = ""
    name: ClassVar[str] = "page"
    ROWS: ClassVar[tuple[str, ...]] = ()

    def __len__(self) -> int:
        return 1

    @property
    def size(self) -> tuple[int, int]:
        """Width, height in page px."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True)
class Upright(Table):
    """Stage 2, one row: the page turned upright and, above 40 megapixels, scaled down.

    quarter_turns      0 to 3, counterclockwise turns that were applied to the page (numpy.rot90)
    scores             (4,) float32 probability that the page needs 0, 1, 2, 3 counterclockwise turns
    gray               (H, W) uint8
    page_from_upright  (2, 3) float64
    reason             why it was turned or left alone, in words
    """

    quarter_turns: int
    scores: NDArray[np.float32]
    gray: NDArray[np.uint8]
    page_from_upright: NDArray[np.float64]
    reason: str = ""
    name: ClassVar[str] = "upright"
    ROWS: ClassVar[tuple[str, ...]] = ()

    def __len__(self) -> int:
        return 1

    @property
    def size(self) -> tuple[int, int]:
        """Width, height in upright px."""
        return self.gray.shape[1], self.gray.shape[0]


@dataclass(frozen=True)
class Blobs(Table):
    """Stage 3: MSER regions of both polarities, upright px.

    box          (n, 4) float32
    polarity     (n,) uint8, code of POLARITIES
    area         (n,) int32, px
    variation    (n,) float32, MSER variation (0 = most stable); NaN where not known
    level        (n,) uint8, the grey level (contrast, for the signed tree) at which the region is taken
    tree_parent  (n,) int32, row of the enclosing region, -1 = root
    fate         (n,) uint8, code of FATES; fate_value, fate_limit (n,) float32
    """

    box: NDArray[np.float32]
    polarity: NDArray[np.uint8]
    area: NDArray[np.int32]
    variation: NDArray[np.float32]
    level: NDArray[np.uint8]
    tree_parent: NDArray[np.int32]
    fate: NDArray[np.uint8]
    fate_value: NDArray[np.float32]
    fate_limit: NDArray[np.float32]
    parents: Parents
    name: ClassVar[str] = "blobs"
    POLARITIES: ClassVar[tuple[str, ...]] = ("dark on light", "light on dark")
    FATES: ClassVar[tuple[str, ...]] = (
        "kept", "duplicate of a tree neighbour", "too small", "too big", "too elongated",
        "too faint", "rule or frame", "solid", "hole of another blob", "not stable")
    ROWS: ClassVar[tuple[str, ...]] = ("box", "polarity", "area", "variation", "level",
                                       "tree_parent", "fate", "fate_value", "fate_limit")


@dataclass(frozen=True)
class Lines(Table):
    """Stage 4: text lines, upright px, in reading order.

    quad              (n, 4, 2) float32; box (n, 4) float32 its bound
    baseline_offsets  (n + 1,) int64; baseline_xy (m, 2) float32: polyline per line, left to right
    x_height          (n,) float32, px
    polarity          (n,) uint8, code of Blobs.POLARITIES
    fate              (n,) uint8, code of FATES; fate_value, fate_limit (n,) float32
    parents           blobs
    """

    quad: NDArray[np.float32]
    box: NDArray[np.float32]
    baseline_offsets: NDArray[np.int64]
    baseline_xy: NDArray[np.float32]
    x_height: NDArray[np.float32]
    polarity: NDArray[np.uint8]
    fate: NDArray[np.uint8]
    fate_value: NDArray[np.float32]
    fate_limit: NDArray[np.float32]
    parents: Parents
    name: ClassVar[str] = "lines"
    FATES: ClassVar[tuple[str, ...]] = (
        "kept", "too few blobs", "too irregular", "too faint", "inside another line",
        "drawing or texture")
    ROWS: ClassVar[tuple[str, ...]] = ("quad", "box", "x_height", "polarity", "fate",
                                       "fate_value", "fate_limit")


@dataclass(frozen=True)
class Boxes(Table):
    """Stage 5: Word Detector boxes, upright px, in reading order.

    line      (n,) int32, row of `lines`
    quad      (n, 4, 2) float32; box (n, 4) float32 its bound
    polarity  (n,) uint8, code of Blobs.POLARITIES
    gap       (n,) float32, px to the box before it on its line; NaN for a line's first
    gap_limit (n,) float32, px: the line's threshold between letter and word gap
    fate      (n,) uint8, code of FATES; fate_value, fate_limit (n,) float32
    parents   blobs
    """

    line: NDArray[np.int32]
    quad: NDArray[np.float32]
    box: NDArray[np.float32]
    polarity: NDArray[np.uint8]
    gap: NDArray[np.float32]
    gap_limit: NDArray[np.float32]
    fate: NDArray[np.uint8]
    fate_value: NDArray[np.float32]
    fate_limit: NDArray[np.float32]
    parents: Parents
    name: ClassVar[str] = "boxes"
    FATES: ClassVar[tuple[str, ...]] = (
        "kept", "too small", "too big", "covered by another box", "line was refused")
    ROWS: ClassVar[tuple[str, ...]] = ("line", "quad", "box", "polarity", "gap", "gap_limit",
                                       "fate", "fate_value", "fate_limit")


@dataclass(frozen=True)
class Segments(Table):
    """Stage 6: windows of the net: a box, a piece of a long box, or several short boxes joined.

    upright_from_window  (n, 2, 3) float64
    window               (n, 32, W) uint8, dark text on light, padded on the right to the widest
    width                (n,) int32, px of the window in use, a multiple of 4
    span                 (n, 2) float32, window px: what lies between belongs to this segment;
                         the rest is margin, or context shared with the next piece
    cut                  (n, 2) uint8, code of CUTS for the left and the right end
    quad, box            (n, 4, 2), (n, 4) float32, upright px: the span on the page
    parents              boxes (one for a whole or chopped box, several for joined neighbours)
    """

    upright_from_window: NDArray[np.float64]
    window: NDArray[np.uint8]
    width: NDArray[np.int32]
    span: NDArray[np.float32]
    cut: NDArray[np.uint8]
    quad: NDArray[np.float32]
    box: NDArray[np.float32]
    parents: Parents
    name: ClassVar[str] = "segments"
    CUTS: ClassVar[tuple[str, ...]] = ("end of the box", "cut at a gap", "cut through ink")
    ROWS: ClassVar[tuple[str, ...]] = ("upright_from_window", "window", "width", "span", "cut",
                                       "quad", "box")


@dataclass(frozen=True)
class Transcripts(Table):
    """Stage 7: what the net read in each window.

    text             (n,) <U, may hold spaces; confidence (n,) float32 in 0..1
    char_offsets     (n + 1,) int64 into the two columns below, one entry per character of `text`
    char_t           (m,) float32, CTC time step (window px / 4) of each character's centre
    char_confidence  (m,) float32
    top_offsets      (n + 1,) int64 into top_text (k,) <U and top_score (k,) float32, log
                     probability by the net alone, the mean of its looks; the chosen text first
    path_text        (n,) <U, what the net's best path says at first sight; `text` differs from it
                     where further looks, or how likely texts are beforehand, outweighed that
    log_probs        (n, T, C) float16, class 0 = blank; (0, 0, 0) where they were dropped
    parents          segments, one each
    """

    text: NDArray[np.str_]
    confidence: NDArray[np.float32]
    char_offsets: NDArray[np.int64]
    char_t: NDArray[np.float32]
    char_confidence: NDArray[np.float32]
    top_offsets: NDArray[np.int64]
    top_text: NDArray[np.str_]
    top_score: NDArray[np.float32]
    path_text: NDArray[np.str_]
    log_probs: NDArray[np.float16]
    parents: Parents
    name: ClassVar[str] = "transcripts"
    ROWS: ClassVar[tuple[str, ...]] = ("text", "confidence")


@dataclass(frozen=True)
class Buckets(Table):
    """Stage 7, the verdict: bucket (n,) uint8, code of BUCKETS. Parents: transcripts, one each."""

    bucket: NDArray[np.uint8]
    parents: Parents
    name: ClassVar[str] = "buckets"
    BUCKETS: ClassVar[tuple[str, ...]] = ("keep", "look up", "drop")
    ROWS: ClassVar[tuple[str, ...]] = ("bucket",)


@dataclass(frozen=True)
class Attempts(Table):
    """Stage 8: each reading the Wordinator tried, in reading order.

    text        (n,) <U; spaces part words
    move        (n,) uint8, code of MOVES
    score       (n,) float32, higher is better, comparable among attempts of the same transcripts
    reason      (n,) <U, in words
    in_lexicon  (n,) bool, all its words are
    chosen      (n,) bool, exactly one per transcript that was not dropped
    parents     transcripts (several for joined or re-assembled pieces, left to right)
    """

    text: NDArray[np.str_]
    move: NDArray[np.uint8]
    score: NDArray[np.float32]
    reason: NDArray[np.str_]
    in_lexicon: NDArray[np.bool_]
    chosen: NDArray[np.bool_]
    parents: Parents
    name: ClassVar[str] = "attempts"
    MOVES: ClassVar[tuple[str, ...]] = ("keep", "split", "join", "correct", "assemble", "drop")
    ROWS: ClassVar[tuple[str, ...]] = ("text", "move", "score", "reason", "in_lexicon", "chosen")


@dataclass(frozen=True)
class Words(Table):
    """Stage 8: the words of the page, each with its own box, upright px, in reading order.

    text                  (n,) <U, no spaces
    quad, box             (n, 4, 2), (n, 4) float32
    confidence            (n,) float32
    line                  (n,) int32, row of `lines`
    char_start, char_end  (n,) int32, the word's characters in its attempt's text
    parents               attempts, the one chosen attempt it is cut from
    """

    text: NDArray[np.str_]
    quad: NDArray[np.float32]
    box: NDArray[np.float32]
    confidence: NDArray[np.float32]
    line: NDArray[np.int32]
    char_start: NDArray[np.int32]
    char_end: NDArray[np.int32]
    parents: Parents
    name: ClassVar[str] = "words"
    ROWS: ClassVar[tuple[str, ...]] = ("text", "quad", "box", "confidence", "line",
                                       "char_start", "char_end")


@dataclass(frozen=True)
class Placed(Table):
    """Stage 9: words in the PDF's hidden text layer, in PDF points (page.points_from_page).

    text, quad   (n,) <U, (n, 4, 2) float32 pt, along the baseline
    font_size    (n,) float32 pt
    stretch      (n,) float32 %, horizontal scaling (Tz)
    space_after  (n,) float32 pt to the next word of the line; 0 at a line's end
    parents      words, one each
    """

    text: NDArray[np.str_]
    quad: NDArray[np.float32]
    font_size: NDArray[np.float32]
    stretch: NDArray[np.float32]
    space_after: NDArray[np.float32]
    parents: Parents
    name: ClassVar[str] = "placed"
    ROWS: ClassVar[tuple[str, ...]] = ("text", "quad", "font_size", "stretch", "space_after")


@dataclass(frozen=True)
class Reading:
    """One reading of one page: a table per stage, None until made."""

    page: Page | None = None
    upright: Upright | None = None
    blobs: Blobs | None = None
    lines: Lines | None = None
    boxes: Boxes | None = None
    segments: Segments | None = None
    transcripts: Transcripts | None = None
    buckets: Buckets | None = None
    attempts: Attempts | None = None
    words: Words | None = None
    placed: Placed | None = None

    def with_table(self, table: Table) -> Reading:
        """This reading with one table put in its place."""
        return replace(self, **{table.name: table})

    def table(self, name: str) -> Table | None:
        """The table of that stage, None while it is not made."""
        if name not in STAGES:
            raise KeyError(name)
        return getattr(self, name)


@dataclass(frozen=True, order=True)
class Ref:
    """One row of one table."""

    table: str
    row: int


@dataclass(frozen=True)
class Lineage:
    """Everything that one row came from and everything that came of it.

    rows: table name -> sorted rows, only tables that have any; the picked row is among them.
    """

    picked: Ref
    rows: dict[str, NDArray[np.int64]]


def lineage(reading: Reading, ref: Ref) -> Lineage:
    """Ancestors of `ref` back to the page and descendants of `ref` forward to its place in the PDF.

    Lines are no parents of boxes (both are made of blobs), but a box knows its line, so the line
    of each box on the road is on the road too. Buckets hang beside transcripts in the same way.
    """
    found: dict[str, NDArray[np.int64]] = {ref.table: np.array([ref.row], np.int64)}
    names = [name for name in STAGES if getattr(reading, name) is not None]
    table, rows = ref.table, found[ref.table]
    while table in names and getattr(reading.table(table), "parents", None) is not None:
        parents = reading.table(table).parents
        table, rows = parents.table, parents.of_rows(rows)
        found[table] = rows
    for name in names[names.index(ref.table) + 1:] if ref.table in names else ():
        parents = getattr(reading.table(name), "parents", None)
        if name in found or parents is None or parents.table not in _forward(found, ref.table):
            continue
        rows = parents.children_of(found[parents.table])
        if len(rows):
            found[name] = rows
    if "lines" not in found and "boxes" in found and reading.lines is not None:
        found["lines"] = np.unique(reading.boxes.line[found["boxes"]]).astype(np.int64)
    if ref.table == "lines" and reading.boxes is not None and "boxes" not in found:
        return _through_line(reading, ref, found)
    if "transcripts" in found and reading.buckets is not None and "buckets" not in found:
        found["buckets"] = reading.buckets.parents.children_of(found["transcripts"])
    if "upright" in found and reading.page is not None:
        found["page"] = np.zeros(1, np.int64)  # both have one row, so neither stores parents
    return Lineage(ref, {name: found[name] for name in STAGES if name in found})


def _forward(found: dict, start: str) -> set[str]:
    """Tables that may hand rows on: the picked one and what came of it, not its ancestors."""
    return {name for name in found if STAGES.index(name) >= STAGES.index(start)}


def _through_line(reading: Reading, ref: Ref, found: dict) -> Lineage:
    """A picked line: its boxes are those that name it; then forward from each of them."""
    boxes = np.flatnonzero(reading.boxes.line == ref.row)
    found["boxes"] = boxes.astype(np.int64)
    for name in STAGES[STAGES.index("boxes") + 1:]:
        table = reading.table(name)
        if table is not None and table.parents.table in found:
            found[name] = table.parents.children_of(found[table.parents.table])
    return Lineage(ref, {name: found[name] for name in STAGES if name in found and len(found[name])})


def kept(table: Table) -> NDArray[np.int64]:
    """Rows that no rule refused (all rows of a table without fates)."""
    fate = getattr(table, "fate", None)
    return np.arange(len(table)) if fate is None else np.flatnonzero(fate == 0)


def bounds(table: Table) -> NDArray[np.float32] | None:
    """(n, 4) boxes of a table's rows in its own frame, None for tables without geometry."""
    box = getattr(table, "box", None)
    if box is not None:
        return box
    quad = getattr(table, "quad", None)
    return None if quad is None else geometry.boxes_from_quads(quad)
