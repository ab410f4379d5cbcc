"""Single Word Accuracy on a small list with known readings."""

import json

import cv2
import numpy as np
import pytest

from core.errors import Missing, Unreadable
from core.evaluate import words

HEAD = "file\tx0\ty0\tx1\ty1\ttext\tprinted\thow\tseg\n"


def truth_of(*rows):
    return [words.WordTruth(f"documents/dev/{category}/a.png", (0, 0, 9, 9), text, printed, "truth")
            for category, text, printed in rows]


def test_figures_of_known_readings():
    truth = truth_of(("letters", "Word", "Word"), ("letters", "two", "two"),
                     ("tapes", "TOTAL", ""), ("tapes", "NO.1", ""))
    scores = words.scores_of(truth, ["word", "two", "Total", "No. 1"], np.ones(4, np.float32))
    assert scores.categories["letters"].exact == 0.5
    assert scores.categories["letters"].folded == 1.0
    assert scores.categories["tapes"].exact is None  # nobody knows how they are printed
    assert scores.categories["tapes"].folded == 0.5
    assert scores.categories["tapes"].no_spaces == 1.0
    assert scores.overall.cer == pytest.approx(1 / 16)
    assert scores.overall.n == 4 and scores.overall.n_printed == 2


def test_precision_leaves_out_what_was_read_as_nothing():
    scores = words.scores_of(truth_of(("a", "x", "x"), ("a", "y", "y")), ["x", ""],
                             np.ones(2, np.float32))
    assert scores.overall.precision == 1.0 and scores.overall.recall == 0.5


def test_no_words_have_no_figures(tmp_path):
    scores = words.scores_of([], [], np.zeros(0, np.float32))
    assert scores.overall.n == 0 and scores.overall.exact is None
    scores.write(tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text())["overall"]["n"] == 0


def test_quotes_in_a_word_list_are_characters(tmp_path):
    tsv = tmp_path / "words.tsv"
    tsv.write_text(HEAD + 'documents/dev/tapes/a.png\t1\t2\t30\t12\t"A\t\tsingle\t0\n')
    (word,) = words.read_truth(tsv)
    assert word.text == '"A' and word.category == "tapes" and word.box == (1, 2, 30, 12)
    assert words.read_truth(tsv, ["letters"]) == []


def test_windows_come_from_the_boxes_dark_on_light(tmp_path):
    page = np.zeros((60, 200), np.uint8)
    cv2.putText(page, "word", (40, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 2)
    cv2.imwrite(str(tmp_path / "a.png"), page)
    (window,) = words.cut_truth([words.WordTruth("a.png", (38, 15, 120, 44), "word", "", "")],
                                tmp_path)
    assert window.shape[0] == 32 and np.median(window) > 200 and window.min() < 60


def test_faults_are_named(tmp_path):
    with pytest.raises(Missing, match="gone.tsv"):
        words.read_truth(tmp_path / "gone.tsv")
    (tmp_path / "bad.tsv").write_text(HEAD + "a.png\tx\t2\t3\t4\tt\t\t\t\n")
    with pytest.raises(Unreadable, match="line 2"):
        words.read_truth(tmp_path / "bad.tsv")
    with pytest.raises(Unreadable, match="no.png"):
        words.cut_truth([words.WordTruth("no.png", (0, 0, 5, 5), "a", "", "")], tmp_path)
