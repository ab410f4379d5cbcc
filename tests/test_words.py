from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wordinator_tables import (
    HEIGHT,
    PITCH,
    SmallLexicon,
    boxes,
    lines,
    one_window_per_box,
    segments,
    transcripts,
    upright,
)

from core import geometry
from core.reading import Segments
from core.wordinator.buckets import BucketSettings, buckets
from core.wordinator.moves import AttemptSettings, attempts
from core.wordinator.words import WordSettings, words

NOTHING_KNOWN = SmallLexicon()
CONTEXT = 2 * PITCH


def words_of(tables, lexicon=NOTHING_KNOWN, n_lines=1):
    word_boxes, windows, read = tables
    table = attempts(word_boxes, lines(n_lines), windows, read, buckets(read, BucketSettings()),
                     AttemptSettings(), lexicon)
    return words(upright(), word_boxes, windows, read, table, WordSettings())


def test_one_word_has_its_boxs_own_extent():
    table = words_of(one_window_per_box(["total"], [0.97], x0s=[40.0]))
    assert list(table.text) == ["total"]
    assert table.box[0] == pytest.approx([40, 0, 40 + 5 * PITCH, HEIGHT])
    assert table.confidence[0] == pytest.approx(0.97)


def test_two_words_of_one_box_part_at_the_gap():
    table = words_of(one_window_per_box(["of Engineering"], [0.97]))
    assert list(table.text) == ["of", "Engineering"]
    # no ink is drawn in these windows: each word ends half a pitch beyond its last centre
    assert table.box[:, [0, 2]] == pytest.approx(np.array([[0, 24], [36, 168]]), abs=0.01)
    assert list(table.char_start) == [0, 3]
    assert list(table.char_end) == [2, 14]


def test_where_there_is_ink_words_end_at_it():
    word_boxes, windows, read = one_window_per_box(["of it"], [0.97])
    ink = windows.window.copy()
    for x0, x1 in ((1, 11), (13, 27), (40, 47), (49, 59)):  # o f _ i t, the f reaching far right
        ink[:, 6:26, x0:x1] = 0
    windows = Segments(**{**vars(windows), "window": ink})
    table = words_of((word_boxes, windows, read))
    assert table.box[:, [0, 2]] == pytest.approx(np.array([[0, 27], [40, 60]]), abs=0.01)


def test_a_split_moves_the_words_into_their_own_boxes():
    lexicon = SmallLexicon("of", "engineering")
    table = words_of(one_window_per_box(["ofEngineering"], [0.8]), lexicon)
    assert list(table.text) == ["of", "Engineering"]
    assert table.box[0, 2] == pytest.approx(2 * PITCH, abs=0.01)
    assert table.box[1, 0] == pytest.approx(2 * PITCH, abs=0.01)


def test_a_joined_word_covers_both_boxes():
    lexicon = SmallLexicon("world")
    table = words_of(one_window_per_box(["wo", "rld"], [0.8, 0.8], gap=3.0), lexicon)
    assert list(table.text) == ["world"]
    assert table.box[0] == pytest.approx([0, 0, 5 * PITCH + 3, HEIGHT])


def test_a_correction_of_another_length_keeps_the_box():
    table = words_of(one_window_per_box(["arnount due"], [0.7]), SmallLexicon("amount", "due"))
    assert list(table.text) == ["amount", "due"]
    assert table.box[0, [0, 2]] == pytest.approx([0, 7 * PITCH], abs=0.01)


def test_noise_leaves_no_word():
    assert list(words_of(one_window_per_box([".-'", "total"], [0.4, 0.95])).text) == ["total"]


def test_words_of_a_slanted_box_run_along_its_baseline():
    word_boxes, windows, read = one_window_per_box(["of it"], [0.97])
    c, s = np.cos(0.1), np.sin(0.1)
    turn = np.array([[c, -s, 50.0], [s, c, 60.0]])
    quad = geometry.transform_quads(turn, word_boxes.quad)
    word_boxes = type(word_boxes)(**{**vars(word_boxes), "quad": quad,
                                     "box": geometry.boxes_from_quads(quad)})
    affine = np.array([geometry.compose(turn, windows.upright_from_window[0])])
    windows = Segments(**{**vars(windows), "upright_from_window": affine})
    table = words_of((word_boxes, windows, read))
    back = geometry.transform_quads(geometry.invert(turn), table.quad)
    assert geometry.boxes_from_quads(back) == pytest.approx(
        np.array([[0, 0, 24, HEIGHT], [36, 0, 60, HEIGHT]]), abs=0.01)


def test_a_word_takes_the_line_of_its_box():
    table = words_of(one_window_per_box(["one", "two"], [0.97, 0.97], line=[0, 1]), n_lines=2)
    assert list(table.line) == [0, 1]


def test_boxes_in_one_window_give_words_with_their_own_boxes():
    word_boxes = boxes([(0, 24), (40, 76)])
    windows = segments([(0, 76)], [[0, 1]])
    centres = [6, 18, 32, 46, 58, 70]
    table = words_of((word_boxes, windows, transcripts(["to sea"], [centres], [0.97])))
    assert list(table.text) == ["to", "sea"]
    assert table.box[:, [0, 2]] == pytest.approx(np.array([[0, 24], [40, 76]]))


LETTERS = st.sampled_from("abcdefghklmnopqrstuvwxyzABCDEFGH0123456789")
LINE = st.lists(st.text(LETTERS, min_size=1, max_size=9), min_size=1, max_size=6)


@given(LINE, st.data())
@settings(max_examples=150, deadline=None)
def test_any_segmentation_with_perfect_transcripts_gives_back_the_words(line, draw):
    """Boxes hold one or more words, each box is one window or chopped anywhere, with context."""
    text = " ".join(line)
    centre = (np.arange(len(text)) + 0.5) * PITCH
    parts = [i for i, c in enumerate(text) if c == " "]
    box_ends = [i for i in parts if draw.draw(st.booleans())]
    extents, windows, parents, spans, cuts, texts, centres = [], [], [], [], [], [], []
    for start, end in zip([0, *(i + 1 for i in box_ends)], [*box_ends, len(text)], strict=True):
        extents.append((start * PITCH, end * PITCH))
        inner = draw.draw(st.lists(st.floats(start + 1, end - 1), max_size=3).map(sorted)
                          ) if end - start > 2 else []
        inner = [x for i, x in enumerate(inner) if i == 0 or x - inner[i - 1] > 1]
        edges = [start * PITCH, *(x * PITCH for x in inner), end * PITCH]
        for left, right in pairwise(edges):
            w0 = left if left == edges[0] else left - CONTEXT
            w1 = right if right == edges[-1] else right + CONTEXT
            seen = np.flatnonzero((centre >= w0) & (centre < w1)
                                  & (centre > edges[0]) & (centre < edges[-1]))
            windows.append((w0, w1))
            parents.append([len(extents) - 1])
            spans.append((left - w0, right - w0))
            cuts.append((int(left != edges[0]), int(right != edges[-1])))
            texts.append("".join(text[i] for i in seen))
            centres.append(centre[seen] - w0)
    tables = (boxes(extents), segments(windows, parents, spans, cuts),
              transcripts(texts, centres, [0.99] * len(texts)))
    table = words_of(tables)
    assert list(table.text) == line
    starts = np.cumsum([0, *(len(w) + 1 for w in line)])[:-1] * PITCH
    ends = starts + np.array([len(w) for w in line]) * PITCH
    assert table.box[:, 0] == pytest.approx(starts, abs=PITCH / 2 + 0.01)
    assert table.box[:, 2] == pytest.approx(ends, abs=PITCH / 2 + 0.01)
