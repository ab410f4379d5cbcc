import json
import math
from pathlib import Path

import numpy as np
import pytest

from core import geometry
from core.engines.engine import PageWords
from core.errors import Missing, Unreadable
from core.evaluate.run import DocumentScore, Evaluation, documents
from core.evaluate.score import Score, Truth, in_reading_order, read_truth, score


def row_of(texts, y=0.0):
    """Boxes 40 px wide and 10 px high, side by side 10 px apart."""
    return [[50.0 * i, y, 50.0 * i + 40, y + 10] for i in range(len(texts))]


def truth(texts, box=None, ignore=(), level="word", folded=False):
    box = np.array(row_of(texts) if box is None else box, np.float32).reshape(-1, 4)
    return Truth(Path("page.png"), "forms", level, folded, np.array(list(texts) or ["x"])[:len(texts)],
                 box, np.array([i in ignore for i in range(len(texts))], bool))


def found(texts, box=None):
    box = np.array(row_of(texts) if box is None else box, np.float32).reshape(-1, 4)
    return PageWords(np.array(list(texts) or ["x"])[:len(texts)], geometry.quads_from_boxes(box), box,
                     np.ones(len(texts), np.float32), np.zeros(len(texts), np.int32))


def figures(a, b):
    return score(a, b).figures()


def test_words_are_counted_wherever_they_stand():
    got = figures(truth(["one", "two", "two"]), found(["two", "six", "one"]))
    # two of three found words are right, two of three wanted words were found
    assert (got["precision"], got["recall"], got["f1"]) == (0.6667, 0.6667, 0.6667)


def test_a_word_counts_as_often_as_it_is_printed():
    got = figures(truth(["a"]), found(["a", "a", "a"]))
    assert (got["precision"], got["recall"], got["f1"]) == (0.3333, 1.0, 0.5)


def test_case_counts_unless_the_truth_is_folded():
    assert figures(truth(["TOTAL"]), found(["Total"]))["f1"] == 0.0
    folded = figures(truth(["TOTAL"], folded=True), found(["Total"]))
    assert folded["f1"] == 1.0
    assert folded["cer"] == 0.0


def test_a_line_segment_is_split_at_its_spaces():
    page = truth(["TAN WOON YANN"], [[0, 0, 200, 10]], level="line")
    got = figures(page, found(["TAN", "WOON", "YAN"]))
    assert (got["words"], got["precision"], got["recall"]) == (3, 0.6667, 0.6667)
    assert got["box_f1"] is None  # a segment's box says nothing about its words'


def test_an_ignored_item_is_neither_hit_nor_miss():
    page = truth(["one", "blurred"], ignore=[1])
    assert figures(page, found(["one"]))["recall"] == 1.0
    right = figures(page, found(["one", "blurred"]))
    assert (right["precision"], right["recall"], right["words"]) == (1.0, 1.0, 1)


def test_anything_read_inside_an_ignored_box_is_not_false():
    page = truth(["one", "blurred"], ignore=[1])
    got = figures(page, found(["one", "bl@rr"]))  # its box is the ignored item's
    assert (got["precision"], got["cer"], got["box_f1"]) == (1.0, 0.0, 1.0)
    elsewhere = figures(page, found(["one", "bl@rr"], [*row_of(["one"]), [500, 0, 540, 10]]))
    assert elsewhere["precision"] == 0.5


def test_a_word_of_an_ignored_item_still_counts_where_it_is_wanted():
    page = truth(["one", "one"], ignore=[1])
    assert figures(page, found(["one"]))["recall"] == 1.0
    assert figures(page, found(["one", "one"]))["precision"] == 1.0
    assert figures(page, found(["one", "one", "one"]))["precision"] == 0.5  # one right, one forgiven, one false


def test_the_character_error_rate_is_edits_per_character_of_the_truth():
    got = figures(truth(["kitten", "on"]), found(["sitting", "on"]))
    # kitten -> sitting is 3 edits; "kitten on" has 9 characters
    assert got["cer"] == round(3 / 9, 4)


def test_the_order_in_which_a_file_lists_its_items_does_not_count():
    page = truth(["right", "below", "left"], [[50, 0, 90, 10], [0, 20, 40, 30], [0, 1, 40, 11]])
    mine = found(["left", "right", "below"], [[0, 0, 40, 10], [50, 1, 90, 11], [0, 20, 40, 30]])
    assert in_reading_order(page.text, page.box) == "left right below"
    assert figures(page, mine)["cer"] == 0.0


def test_a_box_is_found_from_an_overlap_of_one_half_on():
    page = truth(["one", "two"])
    # the first is shifted by a quarter of its width (IoU 30/50), the second by half (20/60)
    got = score(page, found(["one", "two"], [[10, 0, 50, 10], [70, 0, 110, 10]]))
    assert (got.box_hits, got.box_truth, got.box_found) == (1, 2, 2)
    assert got.figures()["box_f1"] == 0.5


def test_one_found_box_serves_one_box_of_the_truth():
    page = truth(["one", "two"], [[0, 0, 40, 10], [0, 0, 40, 11]])
    assert score(page, found(["one"], [[0, 0, 40, 10]])).box_hits == 1


def test_nothing_found_and_nothing_printed():
    nothing = figures(truth(["one"]), found([]))
    assert (nothing["precision"], nothing["recall"], nothing["cer"]) == (None, 0.0, 1.0)
    blank = figures(truth([]), found([]))
    assert (blank["precision"], blank["recall"], blank["f1"], blank["cer"]) == (None,) * 4


def test_counts_of_pages_add_up_before_ratios_are_taken():
    total = score(truth(["a"]), found(["a"]), 1.0) + score(truth(["b", "c", "d"]), found([]), 3.0)
    assert total.figures() == {"precision": 1.0, "recall": 0.25, "f1": 0.4, "cer": round(5 / 6, 4),
                               "box_f1": 0.4, "pages": 2, "words": 4, "cpu_seconds_per_page": 2.0}


def test_an_evaluation_is_given_by_category_and_overall_as_json():
    pages = (DocumentScore(Path("a"), "forms", score(truth(["a"]), found(["a"]))),
             DocumentScore(Path("b"), "tapes", score(truth(["b"], level="line"), found(["x"]))))
    written = json.loads(Evaluation(pages).to_json())
    assert list(written) == ["overall", "categories"]
    assert list(written["categories"]) == ["forms", "tapes"]
    keys = {"precision", "recall", "f1", "cer", "box_f1", "pages", "words", "cpu_seconds_per_page"}
    assert all(set(part) == keys for part in (written["overall"], *written["categories"].values()))
    assert written["categories"]["forms"]["f1"] == 1.0
    assert written["categories"]["tapes"]["box_f1"] is None
    assert math.isclose(written["overall"]["f1"], 0.5)
    assert json.loads(Evaluation().to_json())["overall"]["f1"] is None


def test_a_truth_file_without_image_or_items_is_named(tmp_path):
    (tmp_path / "alone.json").write_text('{"items": []}')
    with pytest.raises(Unreadable, match="alone.json: no image"):
        read_truth(tmp_path / "alone.json")
    (tmp_path / "odd.json").write_text('{"items": [{"text": "x"}]}')
    (tmp_path / "odd.png").write_bytes(b"")
    with pytest.raises(Unreadable, match="odd.json is not the truth"):
        read_truth(tmp_path / "odd.json")


def test_a_folder_without_documents_is_missing(tmp_path):
    with pytest.raises(Missing, match="no documents under"):
        documents(tmp_path)
    with pytest.raises(Missing, match="is no folder"):
        documents(tmp_path / "nowhere")


def test_an_empty_score_adds_nothing():
    one = score(truth(["a"]), found(["b"]), 2.0)
    assert one + Score() == one


def test_marks_that_were_typed_as_ascii_count_as_read():
    read = found(["“No,”", "it’s", "a—b"])
    assert figures(truth(['"No,"', "it's", "a--b"]), read)["recall"] == 1.0
    slip = truth(['"No,"', "it's", "a--b"] + ["'x'"] * 20 + ["“y”"])
    assert slip.typed and slip.comparable("“y”") == '"y"'
    printed = truth(["“No,”", "it's", "a--b"])  # marks are labelled here, so all must be
    assert figures(printed, read)["recall"] == 0.3333
