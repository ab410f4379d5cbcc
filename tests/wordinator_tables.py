"""Small tables written by hand: boxes, windows and perfect transcripts of known lines of text.

A character is PITCH px wide and the page is at window scale (32 px tall lines), so a character's
centre is known exactly on the page and in the window.
"""

from __future__ import annotations

import numpy as np

from core import geometry
from core.reading import (
    Boxes,
    Lines,
    Parents,
    Segments,
    Transcripts,
    Upright,
    ragged,
    text_array,
)

PITCH = 12.0  # px per character, spaces too
HEIGHT = 32


class SmallLexicon:
    """A word list of a few words; numbers are the only pattern."""

    digest = "small"

    def __init__(self, *words: str) -> None:
        self.words = {word.lower() for word in words}

    def known(self, word: str) -> bool:
        return word.lower() in self.words

    def pattern(self, text: str) -> str | None:
        return "number" if text.replace(".", "").isdigit() else None


def upright(width: int = 2000, height: int = 400) -> Upright:
    return Upright(0, np.array([1, 0, 0, 0], np.float32), np.full((height, width), 255, np.uint8),
                   geometry.IDENTITY.copy())


def lines(n: int = 1) -> Lines:
    box = np.array([[0, 100 * i, 2000, 100 * i + HEIGHT] for i in range(n)], np.float32)
    return Lines(geometry.quads_from_boxes(box), box, np.zeros(n + 1, np.int64),
                 np.zeros((0, 2), np.float32), np.full(n, 14, np.float32), np.zeros(n, np.uint8),
                 np.zeros(n, np.uint8), np.zeros(n, np.float32), np.zeros(n, np.float32),
                 Parents.from_lists("blobs", [[]] * n))


def boxes(extents, line=None, gap=None, gap_limit=8.0) -> Boxes:
    """extents: (x0, x1) of each box, upright px."""
    n = len(extents)
    line = np.zeros(n, np.int32) if line is None else np.asarray(line, np.int32)
    box = np.array([[x0, 100 * row, x1, 100 * row + HEIGHT]
                    for (x0, x1), row in zip(extents, line, strict=True)], np.float32)
    gap = ([np.nan] + [extents[i][0] - extents[i - 1][1] if line[i] == line[i - 1] else np.nan
                      for i in range(1, n)])[:n] if gap is None else gap
    return Boxes(line, geometry.quads_from_boxes(box), box.reshape(-1, 4), np.zeros(n, np.uint8),
                 np.asarray(gap, np.float32), np.full(n, gap_limit, np.float32),
                 np.zeros(n, np.uint8), np.zeros(n, np.float32), np.zeros(n, np.float32),
                 Parents.from_lists("blobs", [[]] * n))


def segments(windows, parents, spans=None, cuts=None, tops=None) -> Segments:
    """windows: (x0, x1) upright px of each window; spans in window px, default the whole window."""
    n = len(windows)
    widths = np.array([int(np.ceil((x1 - x0) / 4) * 4) for x0, x1 in windows], np.int32)
    spans = [(0, w) for w in widths] if spans is None else spans
    tops = [0.0] * n if tops is None else tops
    affine = np.array([geometry.translation(x0, y)
                       for (x0, _), y in zip(windows, tops, strict=True)])
    box = np.array([[x0 + s0, y, x0 + s1, y + HEIGHT] for (x0, _), (s0, s1), y
                    in zip(windows, spans, tops, strict=True)], np.float32).reshape(-1, 4)
    return Segments(affine.reshape(-1, 2, 3), np.full((n, HEIGHT, max([4, *widths])), 255, np.uint8),
                    widths, np.array(spans, np.float32).reshape(-1, 2),
                    np.array(cuts if cuts is not None else [(0, 0)] * n, np.uint8).reshape(-1, 2),
                    geometry.quads_from_boxes(box), box, Parents.from_lists("boxes", parents))


def transcripts(texts, centres, confidence, tops=None) -> Transcripts:
    """centres: window px of each character; confidence: one number, or one per character, each."""
    n = len(texts)
    per_char = [np.full(len(t), c) if np.ndim(c) == 0 else np.asarray(c)
                for t, c in zip(texts, confidence, strict=True)]
    char_offsets, char_t = ragged([np.asarray(c, float) / 4 for c in centres], np.float32)
    _, char_confidence = ragged(per_char, np.float32)
    tops = [[(t, -0.1)] for t in texts] if tops is None else tops
    top_offsets, top_score = ragged([[s for _, s in top] for top in tops], np.float32)
    return Transcripts(
        text_array(texts), np.array([c.min() if len(c) else 1.0 for c in per_char], np.float32),
        char_offsets, char_t, char_confidence, top_offsets,
        text_array(t for top in tops for t, _ in top), top_score, text_array(texts),
        np.zeros((0, 0, 0), np.float16),
        Parents.one_each("segments", np.arange(n)))


def one_window_per_box(texts, confidence, x0s=None, gap=20.0, gap_limit=8.0, tops=None, line=None):
    """(boxes, segments, transcripts) of boxes that each hold one text, set in PITCH px characters."""
    starts, x = [], 0.0
    for i, text in enumerate(texts):
        starts.append(x if x0s is None else x0s[i])
        x = starts[-1] + PITCH * len(text) + gap
    extents = [(s, s + PITCH * len(t)) for s, t in zip(starts, texts, strict=True)]
    centres = [(np.arange(len(t)) + 0.5) * PITCH for t in texts]
    rows = np.zeros(len(texts), int) if line is None else line
    return (boxes(extents, line=line, gap_limit=gap_limit),
            segments(extents, [[i] for i in range(len(texts))], tops=[100.0 * r for r in rows]),
            transcripts(texts, centres, confidence, tops))
