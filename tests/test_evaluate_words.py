"""Single Word Accuracy on a small list with known readings."""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core import notebook
from core.errors import Missing, Unreadable, Usage
from core.evaluate import words
from core.evaluate.confusions import confusions_of

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


def test_a_low_box_is_framed_like_its_line():
    def row(x0, y0, x1, y1):
        return words.WordTruth("a.png", (x0, y0, x1, y1), "w", "w", "truth")
    line = [row(0, 10, 40, 30), row(46, 11, 80, 31), row(84, 19, 94, 22), row(100, 10, 150, 30)]
    below = row(84, 60, 130, 80)
    found = words.framed([*line, below])
    assert [w.box for w in found if w.box not in [x.box for x in (*line, below)]] \
        == [(84, 10, 94, 30)]
    assert [w.text for w in found] == ["w"] * 5 and words.framed(found) == found
    alone = [row(0, 10, 40, 30), row(0, 50, 40, 53), row(0, 90, 40, 110)]
    assert words.framed(alone) == alone  # a rule between two lines has no line of its own


def test_long_words_are_not_squeezed(tmp_path):
    page = np.full((60, 600), 255, np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), page)
    rows = [words.WordTruth("a.png", (20, 20, 20 + 20 * k, 40), "w", "w", "") for k in (3, 12, 28)]
    widths = [w.shape[1] for w in words.cut_truth(rows, tmp_path, words.WIDEST)]
    assert widths[1] > 256 and widths[2] == words.WIDEST
    assert widths[1] == pytest.approx(32 * (240 + 4) / 24, abs=4)  # its own aspect


def test_printed_quotes_and_dashes_are_right_where_the_label_is_typed(tmp_path):
    tsv = tmp_path / "words.tsv"
    rows = [("typed", '"I\'ve'), ("typed", "tia--people"), ("typed", "a-b"), ("typed", "no"),
            ("exact", '"I\'ve'), ("exact", "\u201cYes\u201d")]
    tsv.write_text(HEAD + "".join(f"documents/dev/letters/{file}.png\t1\t2\t30\t12\t{text}\t{text}"
                                  "\ttruth\t0\n" for file, text in rows), encoding="utf-8")
    truth = words.read_truth(tsv)
    read = ["\u201cI\u2019ve", "tia\u2014people", "a--b", "n\u2014o", "\u201cI\u2019ve", "\u201cYes\u201d"]
    right = [words.is_right(word, text) for word, text in zip(truth, read)]
    # two hyphens for one are wrong all the same, and exact labels are taken exactly
    assert right == [True, True, False, False, False, True]
    scores = words.scores_of(truth, read, np.ones(6, np.float32))
    assert scores.overall.exact == 0.5 and scores.overall.folded == 0.5


def test_faults_are_named(tmp_path):
    with pytest.raises(Missing, match="gone.tsv"):
        words.read_truth(tmp_path / "gone.tsv")
    (tmp_path / "bad.tsv").write_text(HEAD + "a.png\tx\t2\t3\t4\tt\t\t\t\n")
    with pytest.raises(Unreadable, match="line 2"):
        words.read_truth(tmp_path / "bad.tsv")
    with pytest.raises(Unreadable, match="no.png"):
        words.cut_truth([words.WordTruth("no.png", (0, 0, 5, 5), "a", "", "")], tmp_path)


def test_lengths_and_ways_of_cutting_are_scored_apart():
    truth = truth_of(("a", "x", "x"), ("a", "abcdefg", "abcdefg"))
    scores = words.scores_of(truth, ["x", "abcdefh"], np.ones(2, np.float32))
    assert scores.lengths["1"].exact == 1.0 and scores.lengths["6 to 8"].exact == 0.0
    assert list(scores.lengths) == ["1", "6 to 8"] and scores.hows["truth"].n == 2
    table = scores.table(details=True)
    assert "6 to 8 characters" in table and "g > h 1" in table


def test_characters_are_aligned_with_what_was_read():
    truth = truth_of(("a", "l0st", "l0st"), ("a", "row", "row"), ("t", "TOTAL", ""))
    found = confusions_of(truth, ["lost", "rows", "tota"])
    assert found.confusions == {("0", "o"): 1, ("", "s"): 1, ("L", ""): 1}
    assert found.n["0"] == 1 and found.right["0"] == 0
    assert found.n["o"] == 1 == found.right["o"] and found.right["T"] == 2
    plain = words.scores_of(truth, ["lost", "rows", "tota"], np.ones(3, np.float32)).to_json()
    assert plain["characters"]["0"] == {"n": 1, "right": 0.0} and ["0", "o", 1] in plain["confusions"]


def test_a_reading_is_right_as_printed_or_else_folded():
    as_printed, unknown = truth_of(("a", "NO 1", "No 1"), ("a", "NO 1", ""))
    assert words.is_right(as_printed, "No 1") and not words.is_right(as_printed, "NO 1")
    assert words.is_right(unknown, "no1") and not words.is_right(unknown, "no2")


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_another_recogniser_reads_the_same_crops(tmp_path):
    page = np.full((80, 400), 255, np.uint8)
    cv2.putText(page, "Hello", (30, 50), cv2.FONT_HERSHEY_DUPLEX, 1.2, 0, 2)
    cv2.putText(page, "World", (220, 50), cv2.FONT_HERSHEY_DUPLEX, 1.2, 0, 2)
    cv2.imwrite(str(tmp_path / "a.png"), page)
    truth = [words.WordTruth("a.png", (28, 20, 145, 54), "Hello", "Hello", ""),
             words.WordTruth("a.png", (218, 20, 345, 54), "World", "World", "")]
    scores = words.score_peer("tesseract", truth, tmp_path)
    assert scores.texts == ["Hello", "World"] and scores.reader.startswith("Tesseract ")
    assert scores.overall.ms_per_word > 0


def test_an_unknown_recogniser_is_named(tmp_path):
    with pytest.raises(Usage, match="nobody"):
        words.score_peer("nobody", [], tmp_path)


def test_a_note_of_two_engines_has_the_rows_of_both(tmp_path):
    truth = truth_of(("letters", "Word", "Word"), ("letters", "two", "two"))
    read = [replace(words.scores_of(truth, texts, np.ones(2, np.float32), 1.0), reader=name)
            for name, texts in (("net.pt", ["Word", "two"]), ("Other 1.0", ["Word", "tvo"]))]
    words._note(read, argparse.Namespace(
        note="Side by side", goal="", learnt="", words=Path("w.tsv"), categories=None, how="truth",
        most=None, threads=0, engine="ours,tesseract"), tmp_path)
    entry = notebook.entry_of(1, tmp_path)
    assert entry.table["letters"]["exact"] == 1.0
    assert entry.table["letters, Other 1.0"]["exact"] == 0.5
    assert entry.command.endswith("w.tsv --how truth --engine ours,tesseract")
