"""A document's readings under a cap of bytes, overrides, and corrections that find their word."""

import numpy as np
import pytest
from pdf_pages import pdf_page, upright_of, words_table

from core import geometry
from core.document import Corrections, Document, Overrides, corrected, is_light
from core.errors import Unreadable
from core.load import open_source
from core.reading import Page, Reading


def blank_page(n_bytes=1000):
    return Page(np.zeros((n_bytes // 10, 10), np.uint8), 300, geometry.IDENTITY, "d")


def document(n_pages=3, cap=2500):
    return Document(open_source(pdf_page(n_pages=n_pages), "a.pdf"), cap)


# ---- readings ----------------------------------------------------------------------------------

def test_the_least_recently_used_pixels_go_first():
    doc = document()
    for index in (0, 1):
        doc.keep(index, "ours", Reading(page=blank_page()))
    doc.reading(0, "ours")  # looked at again
    doc.keep(2, "ours", Reading(page=blank_page()))
    assert [is_light(doc.reading(i, "ours")) for i in range(3)] == [False, True, False]
    assert doc.heavy_bytes == 2000


def test_words_outlive_the_pixels():
    doc = document(cap=500)
    words = words_table(["a"], [[(0, 0), (9, 0), (9, 9), (0, 9)]], [0])
    doc.keep(0, "ours", Reading(page=blank_page(), words=words))
    doc.keep(1, "ours", Reading(page=blank_page()))
    assert doc.reading(0, "ours").page is None
    assert doc.reading(0, "ours").words is words


def test_an_image_shared_by_two_runs_counts_once():
    doc, shared = document(), blank_page()
    for run in ("ours", "tesseract"):
        doc.keep(0, run, Reading(page=shared))
    assert doc.heavy_bytes == 1000
    assert doc.runs(0) == ("ours", "tesseract")


def test_the_newest_reading_stays_whole_even_above_the_cap():
    doc = document(cap=10)
    doc.keep(0, "ours", Reading(page=blank_page()))
    assert not is_light(doc.reading(0, "ours"))


def test_what_was_not_read_is_none_and_a_forgotten_run_is_gone():
    doc = document()
    assert doc.reading(0, "ours") is None
    doc.keep(0, "ours", Reading(page=blank_page()))
    doc.forget("ours")
    assert doc.runs(0) == () and doc.heavy_bytes == 0


def test_a_turn_by_hand_is_kept_per_page():
    doc = document()
    doc.override(1, Overrides(quarter_turns=3))
    assert [doc.overrides(i).quarter_turns for i in range(3)] == [None, 3, None]
    with pytest.raises(Unreadable, match="no page 4"):
        doc.override(3, Overrides())


# ---- corrections -------------------------------------------------------------------------------

BOXES = [[10, 10, 50, 20], [60, 10, 90, 20], [10, 30, 50, 40]]


def words(texts=("teh", "cat", "sat"), shift=0.0):
    return words_table(list(texts), geometry.quads_from_boxes(np.array(BOXES) + shift), [0, 0, 1])


def page():
    return Page(np.zeros((100, 200), np.uint8), 300, geometry.IDENTITY, "d")


def quad(row):
    return geometry.quads_from_boxes([BOXES[row]])[0]


def test_a_correction_changes_its_word_and_no_other():
    table = Corrections.none().with_row(0, quad(0), "teh", "the")
    found = corrected(words(), upright_of(page()), table, 0)
    assert found.words.text.tolist() == ["the", "cat", "sat"] and found.row.tolist() == [0]


def test_a_longer_correction_is_not_cut():
    table = Corrections.none().with_row(0, quad(0), "teh", "theatre")
    assert corrected(words(), upright_of(page()), table, 0).words.text[0] == "theatre"


def test_a_correction_holds_when_the_word_moves_a_little_or_reads_otherwise():
    table = Corrections.none().with_row(0, quad(0), "teh", "the")
    found = corrected(words(("tch", "cat", "sat"), shift=2), upright_of(page()), table, 0)
    assert found.words.text.tolist() == ["the", "cat", "sat"]


def test_a_correction_whose_word_is_gone_stays_listed_and_changes_nothing():
    table = Corrections.none().with_row(0, quad(0) + 100, "teh", "the")
    found = corrected(words(), upright_of(page()), table, 0)
    assert found.row.tolist() == [-1] and found.words.text.tolist() == ["teh", "cat", "sat"]
    assert len(table) == 1


def test_a_correction_of_another_page_is_left_out():
    table = Corrections.none().with_row(1, quad(0), "teh", "the")
    assert corrected(words(), upright_of(page()), table, 0).row.tolist() == [-1]


def test_a_correction_holds_when_the_page_is_turned():
    upright = upright_of(page(), turns=1)
    on_upright = geometry.transform_quads(geometry.invert(upright.page_from_upright),
                                          geometry.quads_from_boxes(BOXES))
    table = Corrections.none().with_row(0, quad(1), "cat", "car")
    found = corrected(words_table(["teh", "cat", "sat"], on_upright, [0, 0, 1]), upright, table, 0)
    assert found.words.text.tolist() == ["teh", "car", "sat"]


def test_a_second_correction_of_a_word_replaces_the_first_and_keeps_what_was_read():
    table = Corrections.none().with_row(0, quad(0), "teh", "thc").with_row(0, quad(0), "thc", "the")
    assert (len(table), table.old[0], table.new[0]) == (1, "teh", "the")
    assert len(table.without_rows(np.array([0]))) == 0


def test_of_two_words_in_one_place_the_one_with_the_old_text_is_corrected():
    both = words_table(["tho", "teh"], geometry.quads_from_boxes([[10, 10, 50, 20], [11, 10, 51, 20]]),
                       [0, 0])
    table = Corrections.none().with_row(0, quad(0), "teh", "the")
    assert corrected(both, upright_of(page()), table, 0).words.text.tolist() == ["tho", "the"]
