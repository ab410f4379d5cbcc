"""The words of the page: each chosen attempt cut at its spaces, every word with its own quad."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.parameters import check_limits, param
from core.reading import (
    Attempts,
    Boxes,
    Parents,
    Segments,
    Transcripts,
    Upright,
    Words,
    text_array,
)
from core.wordinator.characters import Characters, aligned, pitch, together
from core.wordinator.moves import word_spans

MARGIN_ROWS = 2  # window px left out above and below: neighbouring lines reach into the margin


@dataclass(frozen=True)
class WordSettings:
    """Where one word ends and the next begins inside a box."""

    ink: float = param(0.35, unit="of the contrast", low=0.05, high=0.95, help=(
        "A column holds ink when a pixel is darker than the background by this part of the "
        "window's contrast; lower it when faint strokes are cut off at a word's end"))
    min_gap: int = param(1, unit="window px", low=1, high=16, help=(
        "A gap of fewer columns without ink is not trusted; the words then part halfway"))

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class _Frame:
    """The direction of one unit's baseline: u runs along it, v down, both upright px."""

    along: NDArray[np.float64]
    down: NDArray[np.float64]

    def quad(self, u0: float, u1: float, v0: float, v1: float) -> NDArray[np.float64]:
        """(4, 2) upright px; `along` and `down` need not be at right angles (sheared windows)."""
        uv = np.array([[u0, v0], [u1, v0], [u1, v1], [u0, v1]])
        return uv @ np.stack([self.along, self.down])

    def uv(self, xy: NDArray) -> NDArray[np.float64]:
        """(..., 2) coordinates of points (..., 2)."""
        return np.asarray(xy, np.float64) @ np.linalg.inv(np.stack([self.along, self.down]))


def words(upright: Upright, boxes: Boxes, segments: Segments, transcripts: Transcripts,
          attempts: Attempts, settings: WordSettings) -> Words:
    """The words of the chosen attempts, in reading order, upright px.

    A word's quad runs along its box's baseline and has the box's height. It begins and ends where
    the box does, and inside a box at the ink on both sides of the gap (the middle between the
    characters where no gap is found). Quads are kept inside the page.
    Confidence is the mean over the word's characters; a character that was exchanged keeps the
    confidence of the one it replaced, an added one has the lower of its neighbours'.
    """
    texts, quads, confidence, lines, spans, parents = [], [], [], [], [], []
    for attempt in np.flatnonzero(attempts.chosen):
        text = str(attempts.text[attempt])
        rows = [int(r) for r in attempts.parents.of(attempt)]
        if not text.strip() or not rows:
            continue
        read = together(rows, segments, transcripts)
        read = aligned(text, read)
        cutter = _Cutter(read, boxes, segments, transcripts, settings)
        for start, end in word_spans(text):
            quad, line = cutter.word(start, end)
            texts.append(text[start:end])
            quads.append(quad)
            confidence.append(float(read.confidence[start:end].mean()))
            lines.append(line)
            spans.append((start, end))
            parents.append(int(attempt))
    width, height = upright.size
    quad = np.array(quads, np.float32).reshape(-1, 4, 2)
    quad = np.clip(quad, 0, np.array([width, height], np.float32)).astype(np.float32)
    span = np.array(spans, np.int32).reshape(-1, 2)
    return Words(text_array(texts), quad, geometry.boxes_from_quads(quad),
                 np.array(confidence, np.float32), np.array(lines, np.int32),
                 span[:, 0], span[:, 1], Parents.one_each("attempts", parents))


class _Cutter:
    """Cuts one attempt's characters into word quads."""

    def __init__(self, read: Characters, boxes: Boxes, segments: Segments,
                 transcripts: Transcripts, settings: WordSettings) -> None:
        self.read, self.segments, self.settings = read, segments, settings
        segment_of = {int(t): int(transcripts.parents.of(int(t))[0])
                      for t in np.unique(read.transcript)}
        self.segment = np.array([segment_of[int(t)] for t in read.transcript], np.int64)
        affine = segments.upright_from_window[self.segment[0]]
        self.frame = _Frame(*(affine[:, i] / np.hypot(*affine[:, i]) for i in (0, 1)))
        self.u = self.frame.uv(read.xy)[:, 0]
        rows = segments.parents.of_rows(np.unique(self.segment))
        uv = self.frame.uv(boxes.quad[rows])  # (n_boxes, 4, 2)
        self.extent = {int(row): (q[[0, 3], 0].mean(), q[[1, 2], 0].mean(),
                                  q[[0, 1], 1].mean(), q[[2, 3], 1].mean())
                       for row, q in zip(rows, uv, strict=True)}  # box row -> u0 u1 v0 v1
        self.line_of = {int(row): int(boxes.line[row]) for row in rows}
        self.box = [self._box_at(i) for i in range(len(read))]
        self.pitch = pitch(read)

    def _box_at(self, i: int) -> int:
        """The box, of those in the character's window, that its centre lies in or nearest to."""
        u = self.u[i]

        def distance(row: int) -> float:
            u0, u1, _, _ = self.extent[row]
            return max(u0 - u, u - u1, 0.0)

        return min((int(r) for r in self.segments.parents.of(self.segment[i])), key=distance)

    def word(self, start: int, end: int) -> tuple[NDArray[np.float64], int]:
        """(quad (4, 2) upright px, line row) of the characters start to end."""
        mine = sorted(set(self.box[start:end]))
        extents = np.array([self.extent[row] for row in mine])
        before, after = self._neighbour(start, -1), self._neighbour(end - 1, 1)
        u0, u1 = self.extent[self.box[start]][0], self.extent[self.box[end - 1]][1]
        if before is not None:
            u0 = self._gap(before, start)[1]
        if after is not None:
            u1 = self._gap(end - 1, after)[0]
        if u1 <= u0:  # centres too close to tell apart; keep a sliver so the word can be clicked
            u0, u1 = self.u[start] - 0.5, self.u[end - 1] + 0.5
        v0, v1 = extents[:, 2].min(), extents[:, 3].max()
        return self.frame.quad(u0, u1, v0, v1), self.line_of[self.box[start]]

    def _neighbour(self, i: int, step: int) -> int | None:
        """The nearest character of another word on that side in the same box, None at a box's end."""
        j = i + step
        while 0 <= j < len(self.read) and self.read.text[j] == " ":
            j += step
        return j if 0 <= j < len(self.read) and self.box[j] == self.box[i] else None

    def _gap(self, i: int, j: int) -> tuple[float, float]:
        """(end of character i's word, start of character j's word), u."""
        low, high = self.u[i], self.u[j]
        ink = None
        if self.segment[i] == self.segment[j]:
            ink = self._ink_gap(int(self.segment[i]), self.read.window_x[i], self.read.window_x[j])
        if ink is not None:
            return ink
        middle, half = (low + high) / 2, self.pitch / 2 or (high - low) / 2
        return min(low + half, middle), max(high - half, middle)

    def _ink_gap(self, segment: int, x0: float, x1: float) -> tuple[float, float] | None:
        """The widest run of columns without ink between two centres (window px), as u."""
        width = int(self.segments.width[segment])
        window = self.segments.window[segment][MARGIN_ROWS:-MARGIN_ROWS, :width]
        first, last = max(0, int(np.ceil(x0))), min(width, int(x1))
        if window.size == 0 or last - first < self.settings.min_gap:
            return None
        background, darkest = np.percentile(window, (90, 1))
        if background - darkest < 8:  # a blank window: no ink to go by
            return None
        limit = background - self.settings.ink * (background - darkest)
        clear = np.concatenate([[False], window[:, first:last].min(0) >= limit, [False]])
        edges = np.flatnonzero(np.diff(clear.astype(np.int8)))
        if not len(edges):
            return None
        runs = edges.reshape(-1, 2)
        run = runs[np.argmax(runs[:, 1] - runs[:, 0])]
        if run[1] - run[0] < self.settings.min_gap:
            return None
        ends = np.column_stack([first + run, np.full(2, window.shape[0] / 2 + MARGIN_ROWS)])
        u = self.frame.uv(geometry.apply(self.segments.upright_from_window[segment], ends))[:, 0]
        return float(u[0]), float(u[1])
