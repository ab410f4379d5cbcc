"""The score of word boxes, on boxes whose score is known by hand."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from core.errors import Missing, Unreadable
from core.evaluate import boxes as score
from core.evaluate.boxes import BoxScore, Truth
from tests.pages import boxes_of, draw_page


def truth(*boxes, level: str = "word", ignore=()) -> Truth:
    box = np.array(boxes, np.float32).reshape(-1, 4)
    return Truth(level, box, np.isin(np.arange(len(box)), list(ignore)))


def test_recall_and_precision_count_one_to_one():
    wanted = truth((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10))
    found = np.array([(0, 0, 10, 10), (0, 0, 10, 9), (21, 0, 31, 10), (80, 0, 90, 10)])
    figures = score.score_boxes(found, wanted).figures()
    assert figures["recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["precision"] == pytest.approx(2 / 4)
    assert figures["covered"] is None


def test_half_overlap_is_a_hit_and_less_is_none():
    wanted = truth((0, 0, 10, 10))
    assert score.score_boxes(np.array([(0, 0, 10, 5)]), wanted).hits == 1
    assert score.score_boxes(np.array([(0, 0, 10, 4.9)]), wanted).hits == 0


def test_ignored_items_are_neither_hit_nor_miss():
    wanted = truth((0, 0, 10, 10), (20, 0, 30, 10), ignore=[1])
    result = score.score_boxes(np.array([(0, 0, 10, 10), (20, 0, 30, 10)]), wanted)
    assert (result.hits, result.truths, result.predictions) == (1, 1, 1)


def test_line_documents_measure_covered_width_only():
    wanted = truth((0, 0, 100, 10), (0, 20, 100, 30), level="line")
    # 40 of the first line, with an overlap counted once; a box of the next line covers nothing
    found = np.array([(0, 1, 30, 9), (20, 1, 40, 9), (60, 9, 90, 19)])
    figures = score.score_boxes(found, wanted).figures()
    assert figures["covered"] == pytest.approx(40 / 200)
    assert figures["recall"] is None and figures["precision"] is None


def test_a_space_counts_as_covered_where_the_text_has_one_and_no_wider_than_the_line():
    found = np.array([(0, 0, 30, 10), (36, 0, 60, 10), (64, 0, 100, 10)])

    def figures(spaces: int, boxes=found) -> dict:
        wanted = Truth("line", np.array([(0, 0, 100, 10)], np.float32), np.zeros(1, bool),
                       np.array([spaces]))
        return score.score_boxes(boxes, wanted).figures()

    assert [figures(n)["covered"] for n in range(4)] == [0.9, 0.94, 1.0, 1.0]
    assert [figures(n)["covered_strict"] for n in range(4)] == [0.9] * 4
    # a gap of 16 px, wider than the line is high, and what is missed at an end stay uncovered
    assert figures(2, np.array([(10, 0, 30, 10), (46, 0, 95, 10)]))["covered"] == 0.69


def test_spaces_are_counted_in_the_items_texts(tmp_path):
    items = [{"text": "THREE WORDS HERE", "box": [0, 0, 9, 9]}, {"text": "1.20", "box": [9, 0, 18, 9]}]
    (tmp_path / "x.json").write_text(json.dumps({"level": "line", "items": items}))
    assert score.read_truth(tmp_path / "x.json").spaces.tolist() == [2, 0]


def test_scores_add_up_over_pages():
    total = BoxScore(hits=1, truths=2, predictions=4, pages=1) + BoxScore(hits=3, truths=4,
                                                                         predictions=4, pages=1)
    assert total.figures()["recall"] == pytest.approx(4 / 6, abs=1e-4)
    assert total.figures()["precision"] == 0.5


def test_no_boxes_and_no_truth_are_no_error():
    assert score.score_boxes(np.zeros((0, 4)), truth((0, 0, 5, 5))).figures()["recall"] == 0
    assert score.score_boxes(np.zeros((0, 4)), truth()).figures()["recall"] is None


def test_a_drawn_document_scores_full_marks(tmp_path):
    gray, words = draw_page(["some drawn words", "on two lines"])
    folder = tmp_path / "drawn"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), gray)
    items = [{"text": w.text, "box": w.box} for w in words]
    (folder / "a.json").write_text(json.dumps({"level": "word", "items": items}))
    figures = score.evaluate(tmp_path)
    assert figures["overall"]["recall"] == figures["overall"]["precision"] == 1
    assert list(figures["categories"]) == ["drawn"]
    assert figures["overall"]["ms_per_page"] > 0
    assert len(boxes_of(words)) == 6


def test_an_empty_folder_says_what_it_must_hold(tmp_path):
    with pytest.raises(Missing, match="CATEGORY"):
        score.evaluate(tmp_path)


def test_a_broken_truth_file_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(Unreadable, match="x.json"):
        score.read_truth(tmp_path / "x.json")
