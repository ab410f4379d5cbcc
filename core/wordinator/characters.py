"""The characters of one or several transcripts as one string, each with its place on the page.

Pieces of a chopped box overlap: each window shows some context beyond its span, so what stands in
the overlap is read twice. Both the moves and the words need the same answer to "which characters
are there, and where", so it is given here once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from core import geometry
from core.reading import Segments, Transcripts

STEP = 4  # window px per CTC time step (core.reading.Transcripts.char_t)
SAME_PLACE = 0.35  # pitches: two readings nearer than this are of one printed character ("ll" is 0.44)
SPACE_PITCH = 1.8  # pitches: centres this far apart have a space between them ("m m" is about 2)
CUT_THROUGH_INK = Segments.CUTS.index("cut through ink")


@dataclass(frozen=True)
class Characters:
    """Characters in reading order; `text` holds a space wherever words part.

    xy          (n, 2) float64, upright px: centre of each character, halfway up its window
    confidence  (n,) float32; a space put in between windows has 1
    transcript  (n,) int64, the transcript that read it
    window_x    (n,) float64, window px of the centre in that transcript's window
    """

    text: str
    xy: NDArray[np.float64]
    confidence: NDArray[np.float32]
    transcript: NDArray[np.int64]
    window_x: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.text)

    def rows(self, index: NDArray) -> Characters:
        """Some of the characters, in the order of `index`."""
        index = np.asarray(index, np.int64)
        return Characters("".join(self.text[i] for i in index), self.xy[index],
                          self.confidence[index], self.transcript[index], self.window_x[index])

    def slice(self, start: int, end: int) -> Characters:
        """Characters start to end (exclusive)."""
        return self.rows(np.arange(start, end))

    @property
    def confidence_of_text(self) -> float:
        """The mean over characters that are not spaces; 0 without any."""
        solid = np.array([c != " " for c in self.text], bool)
        return float(self.confidence[solid].mean()) if solid.any() else 0.0


def of_transcript(row: int, segments: Segments, transcripts: Transcripts) -> Characters:
    """All characters that one transcript read, those in the shared context included."""
    text = str(transcripts.text[row])
    start, end = transcripts.char_offsets[row:row + 2]
    x = transcripts.char_t[start:end].astype(np.float64) * STEP
    segment = int(transcripts.parents.of(row)[0])
    middle = np.full(len(x), segments.window.shape[1] / 2)
    xy = geometry.apply(segments.upright_from_window[segment], np.column_stack([x, middle]))
    return Characters(text, xy, transcripts.char_confidence[start:end],
                      np.full(len(x), row, np.int64), x)


def together(rows: Sequence[int], segments: Segments, transcripts: Transcripts) -> Characters:
    """The characters of several transcripts, left to right, read as one string.

    Transcripts of the same box are pieces of it and flow into each other: doubled context is read
    once, and a space stands between them only where one was read or the gap is wide. Transcripts of
    different boxes are parted by a space. One transcript alone is given as it is, trimmed of
    spaces at the ends.
    """
    whole = of_transcript(rows[0], segments, transcripts)
    before = rows[0]
    if len(rows) > 1 and _share_a_box(rows[0], rows[1], segments, transcripts):
        whole = _left_of_span_end(whole, segments, transcripts, rows[0])
    for row, after in zip(rows[1:], [*rows, None][2:], strict=True):
        mine = of_transcript(row, segments, transcripts)
        if after is not None and _share_a_box(row, after, segments, transcripts):
            mine = _left_of_span_end(mine, segments, transcripts, row)
        if _share_a_box(before, row, segments, transcripts):
            whole = _flow(whole, mine, before, row, segments, transcripts)
        else:
            whole = _append(whole, mine, space=True)
        before = row
    return _trimmed(whole)


def aligned(text: str, read: Characters) -> Characters:
    """`read` brought onto another text of the same ink, character by character.

    Equal and exchanged characters keep their place; added ones stand evenly between their
    neighbours, with the lower of the neighbours' confidences. Minimal edit distance (Levenshtein).
    """
    if text == read.text:
        return read
    if not len(read):
        raise ValueError(f"no character was read where {text!r} is placed")
    place = np.zeros(len(text))  # fractional index into `read`
    for op in Levenshtein.opcodes(read.text, text):
        n = op.dest_end - op.dest_start
        if n == 0:
            continue
        if op.tag in ("equal", "replace"):
            place[op.dest_start:op.dest_end] = np.arange(op.src_start, op.src_start + n)
        else:
            place[op.dest_start:op.dest_end] = op.src_start - 1 + np.arange(1, n + 1) / (n + 1)
    place = np.clip(place, 0, len(read) - 1)
    index = np.arange(len(read))
    low, near = np.floor(place).astype(int), np.round(place).astype(int)
    high = np.ceil(place).astype(int)
    xy = np.column_stack([np.interp(place, index, read.xy[:, i]) for i in (0, 1)])
    window_x = np.where(read.transcript[low] == read.transcript[high],
                        np.interp(place, index, read.window_x), read.window_x[near])
    return Characters(text, xy, np.minimum(read.confidence[low], read.confidence[high]),
                      read.transcript[near], window_x)


def pitch(characters: Characters) -> float:
    """The median distance of neighbouring centres within words, upright px; 0 when unknown."""
    step = np.hypot(*np.diff(characters.xy, axis=0).T) if len(characters) > 1 else np.zeros(0)
    solid = np.array([c != " " for c in characters.text], bool)
    step = step[solid[1:] & solid[:-1]]
    return float(np.median(step)) if len(step) else 0.0


def _share_a_box(a: int, b: int, segments: Segments, transcripts: Transcripts) -> bool:
    boxes = [segments.parents.of(int(transcripts.parents.of(row)[0])) for row in (a, b)]
    return bool(np.isin(*boxes).any())


def _left_of_span_end(mine: Characters, segments: Segments, transcripts: Transcripts,
                      row: int) -> Characters:
    """Without the context on the right: the next piece reads that as its own."""
    end = segments.span[int(transcripts.parents.of(row)[0])][1]
    keep = np.flatnonzero(mine.window_x < end)
    beyond = np.flatnonzero(mine.window_x >= end)
    # a space just behind the cut is evidence that the next piece may not see
    if len(beyond) and mine.text[beyond[0]] == " ":
        keep = np.append(keep, beyond[0])
    return mine.rows(keep)


def _flow(whole: Characters, mine: Characters, before: int, row: int, segments: Segments,
          transcripts: Transcripts) -> Characters:
    """The next piece of the same box added, its context on the left read once."""
    segment = int(transcripts.parents.of(row)[0])
    start, axis = segments.span[segment][0], segments.upright_from_window[segment][:, 0]
    axis = axis / np.hypot(*axis)
    typical = pitch(whole) or pitch(mine) or float(np.ptp(mine.xy @ axis) or 1.0)
    near = SAME_PLACE * typical
    first = int(np.searchsorted(mine.window_x, start))
    if first and _beyond_both(mine, first - 1, axis, near, before, segments, transcripts):
        first -= 1
    space_read = (whole.text.endswith(" ") or mine.text[first:first + 1] == " " or first > 0
                  and mine.text[first - 1] == " " and len(whole) > 0
                  and mine.xy[first - 1] @ axis > whole.xy[-1] @ axis)
    mine = mine.slice(first, len(mine))
    whole, mine = _trimmed(whole), mine.rows(_solid_from(mine.text))
    along = mine.xy @ axis
    while len(whole) and len(mine) and along[0] - whole.xy[-1] @ axis < near:
        own = mine.window_x[0] >= start
        if own and mine.text[0] != whole.text[-1] and mine.confidence[0] > whole.confidence[-1]:
            whole = whole.slice(0, len(whole) - 1)  # the same ink, read better by this piece
            break
        mine, along = mine.slice(1, len(mine)), along[1:]
        if mine.text.startswith(" "):
            space_read = True
            skip = _solid_from(mine.text)
            mine, along = mine.rows(skip), along[skip]
    if not len(whole) or not len(mine):
        return _append(whole, mine, space=space_read)
    through_ink = segments.cut[segment][0] == CUT_THROUGH_INK
    wide = along[0] - whole.xy[-1] @ axis > SPACE_PITCH * typical
    return _append(whole, mine, space=space_read or (wide and not through_ink))


def _beyond_both(mine: Characters, i: int, axis: NDArray, near: float, before: int,
                 segments: Segments, transcripts: Transcripts) -> bool:
    """Whether the piece before read the same character too, in its context, so that neither owns it.

    A letter on the cut may be placed beyond it by both windows. Half a letter at a window's edge is
    no such case: only one of them reads it there.
    """
    theirs = of_transcript(before, segments, transcripts)
    end = segments.span[int(transcripts.parents.of(before)[0])][1]
    close = np.abs(theirs.xy @ axis - mine.xy[i] @ axis) < 2 * near
    same = np.array([c == mine.text[i] != " " for c in theirs.text], bool)
    return bool((close & same & (theirs.window_x >= end)).any())


def _solid_from(text: str) -> NDArray[np.int64]:
    return np.arange(len(text) - len(text.lstrip(" ")), len(text))


def _trimmed(mine: Characters) -> Characters:
    start = len(mine) - len(mine.text.lstrip(" "))
    return mine.slice(start, max(start, len(mine.text.rstrip(" "))))


def _append(a: Characters, b: Characters, space: bool) -> Characters:
    """b after a; the space between them, where there is one, lies halfway."""
    if not len(a) or not len(b):
        return a if len(a) else b
    a, b = _trimmed(a), _trimmed(b)
    if not space or not len(a) or not len(b):
        parts = (a, b)
    else:
        gap = Characters(" ", (a.xy[-1:] + b.xy[:1]) / 2, np.ones(1, np.float32),
                         a.transcript[-1:], a.window_x[-1:])
        parts = (a, gap, b)
    return Characters("".join(p.text for p in parts), np.concatenate([p.xy for p in parts]),
                      np.concatenate([p.confidence for p in parts]).astype(np.float32),
                      np.concatenate([p.transcript for p in parts]),
                      np.concatenate([p.window_x for p in parts]))
