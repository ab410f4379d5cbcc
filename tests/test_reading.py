"""The record: tables are frozen, columns fit, and parents lead from blob to PDF and back."""

import pickle
from itertools import pairwise

import numpy as np
import pytest

from core.reading import (
    Blobs,
    Boxes,
    Buckets,
    Lines,
    Parents,
    Reading,
    Ref,
    Upright,
    lineage,
    ragged,
    text_array,
)


def blobs_table(n: int) -> Blobs:
    box = np.array([[10 * i, 0, 10 * i + 8, 12] for i in range(n)], np.float32).reshape(n, 4)
    codes, values = np.zeros(n, np.uint8), np.zeros(n, np.float32)
    return Blobs(box, codes, np.full(n, 50, np.int32), values, codes, np.full(n, -1, np.int32),
                 codes, values, values, Parents.one_each("upright", np.zeros(n, int)))


def lines_table(lists) -> Lines:
    n = len(lists)
    zeros, codes = np.zeros(n, np.float32), np.zeros(n, np.uint8)
    return Lines(np.zeros((n, 4, 2), np.float32), np.zeros((n, 4), np.float32), np.zeros(n + 1, np.int64),
                 np.zeros((0, 2), np.float32), zeros, codes, codes, zeros, zeros,
                 Parents.from_lists("blobs", lists))


def boxes_table(lists, line) -> Boxes:
    n = len(lists)
    zeros, codes = np.zeros(n, np.float32), np.zeros(n, np.uint8)
    return Boxes(np.array(line, np.int32), np.zeros((n, 4, 2), np.float32), np.zeros((n, 4), np.float32),
                 codes, zeros, zeros, codes, zeros, zeros, Parents.from_lists("blobs", lists))


@pytest.fixture
def two_lines() -> Reading:
    """Five blobs: 0 1 | 2 are two boxes of line 0, 3 4 are the one box of line 1."""
    upright = Upright(0, np.array([1, 0, 0, 0], np.float32), np.zeros((20, 60), np.uint8),
                      np.array([[1.0, 0, 0], [0, 1.0, 0]]))
    return Reading(upright=upright, blobs=blobs_table(5), lines=lines_table([[0, 1, 2], [3, 4]]),
                   boxes=boxes_table([[0, 1], [2], [3, 4]], [0, 0, 1]))


def test_arrays_cannot_be_written_to_even_after_a_pickle(two_lines):
    for reading in (two_lines, pickle.loads(pickle.dumps(two_lines))):
        with pytest.raises(ValueError):
            reading.blobs.box[0, 0] = 1
        with pytest.raises(ValueError):
            reading.blobs.parents.rows[0] = 1


def test_freezing_a_table_leaves_the_caller_his_own_array():
    mine = np.zeros(1, np.uint8)
    Buckets(mine, Parents.one_each("transcripts", [0]))
    mine[0] = 2
    assert mine[0] == 2


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="buckets"):
        Buckets(np.zeros(2, np.uint8), Parents.one_each("transcripts", [0]))


def test_parents_that_do_not_span_their_rows_are_refused():
    with pytest.raises(ValueError, match="offsets"):
        Parents("blobs", np.array([0, 1]), np.array([0, 1]))


def test_a_box_leads_back_to_its_blobs_and_its_line(two_lines):
    rows = lineage(two_lines, Ref("boxes", 0)).rows
    assert rows["blobs"].tolist() == [0, 1]
    assert rows["lines"].tolist() == [0]
    assert rows["upright"].tolist() == [0]


def test_a_blob_leads_forward_to_its_box_and_line(two_lines):
    rows = lineage(two_lines, Ref("blobs", 4)).rows
    assert (rows["boxes"].tolist(), rows["lines"].tolist()) == ([2], [1])


def test_a_line_leads_to_its_boxes_and_all_its_blobs(two_lines):
    rows = lineage(two_lines, Ref("lines", 0)).rows
    assert (rows["boxes"].tolist(), rows["blobs"].tolist()) == ([0, 1], [0, 1, 2])


def test_the_lineage_of_one_box_leaves_its_neighbours_out(two_lines):
    rows = lineage(two_lines, Ref("boxes", 1)).rows
    assert (rows["blobs"].tolist(), rows["boxes"].tolist()) == ([2], [1])


def test_ragged_columns_come_apart_where_they_were_joined():
    offsets, values = ragged([[1, 2], [], [3]], np.float32)
    assert [values[a:b].tolist() for a, b in pairwise(offsets)] == [[1, 2], [], [3]]


def test_text_of_nothing_survives_a_pickle():
    assert pickle.loads(pickle.dumps(text_array([""]))).tolist() == [""]
    assert len(text_array([])) == 0
