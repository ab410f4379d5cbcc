"""Words laid into points: their boxes, their line's font size and baseline, their gaps."""

import numpy as np
import pytest
from pdf_pages import lines_of, upright_of, words_table

from core import geometry
from core.errors import Usage
from core.pdf.placing import ADVANCE_EM, PlacingSettings, placed
from core.reading import Page

DPI = 144  # 2 px to a point


def page(width=600, height=400):
    return Page(np.zeros((height, width), np.uint8), DPI, geometry.scaling(72 / DPI), "d")


def boxes_placed(boxes, line=None, baseline=None, turns=0, texts=None):
    """Words with these boxes (upright px) on one page, placed."""
    p = page()
    texts = texts or ["word"] * len(boxes)
    words = words_table(texts, geometry.quads_from_boxes(boxes), line or [0] * len(boxes))
    return placed(p, upright_of(p, turns), words, lines_of(words, baseline), PlacingSettings())


def test_boxes_are_scaled_to_points():
    found = boxes_placed([[100, 40, 180, 60], [190, 40, 250, 60]])
    assert np.allclose(geometry.boxes_from_quads(found.quad), [[50, 20, 90, 30], [95, 20, 125, 30]])
    assert np.allclose(found.space_after, [5, 0])


def test_stretch_and_font_size_fill_the_word_exactly():
    found = boxes_placed([[100, 40, 180, 60], [190, 40, 250, 60]], texts=["abcd", "e"])
    n_chars = np.array([4, 1])
    assert np.allclose(found.font_size * ADVANCE_EM * n_chars * found.stretch / 100, [40, 30])


def test_font_sizes_of_a_line_are_one_part_of_the_words_heights_and_its_last_word_has_no_gap():
    found = boxes_placed([[10, 40, 50, 60], [60, 44, 90, 60], [100, 40, 140, 65], [10, 80, 50, 100]],
                         line=[0, 0, 0, 1], baseline=None)
    height = found.quad[:3, 2, 1] - found.quad[:3, 1, 1]
    assert np.ptp(found.font_size[:3] / height) < 1e-6
    assert (found.space_after == 0).tolist() == [False, False, True, True]


def test_a_word_that_touches_the_next_is_shortened_so_that_readers_part_them():
    found = boxes_placed([[10, 40, 50, 60], [50, 40, 90, 60]])
    box = geometry.boxes_from_quads(found.quad)
    assert box[1, 0] - box[0, 2] == pytest.approx(0.2 * found.font_size[0], abs=1e-3)
    assert np.allclose(box[1], [25, 20, 45, 30]) and box[0, 0] == 5


def test_a_page_turned_by_hand_is_placed_where_the_page_lies():
    # Upright is 400 x 600 px: the page (600 x 400) turned once counterclockwise.
    found = boxes_placed([[100, 40, 180, 60]], turns=1)
    # upright (x, y) came from page (W - y, x): y 40..60 -> x 540..560; x 100..180 -> y 100..180
    assert np.allclose(geometry.boxes_from_quads(found.quad), [[270, 50, 280, 90]])
    along = found.quad[0, 2] - found.quad[0, 3]
    assert np.allclose(along, [0, 40])  # reads downwards on the page as it lies


def test_a_dash_reaches_down_to_its_lines_baseline():
    found = boxes_placed([[10, 40, 50, 60], [60, 48, 70, 51], [80, 40, 120, 60]],
                         texts=["word", "-", "word"], baseline=60)
    box = geometry.boxes_from_quads(found.quad)
    assert np.allclose(box[1], [30, 24, 35, 30])
    assert np.allclose(box[[0, 2], 3], 30)


def test_a_descender_keeps_its_box():
    found = boxes_placed([[10, 40, 50, 60], [60, 40, 100, 66]], texts=["word", "gyp"],
                         baseline=60)
    assert np.allclose(geometry.boxes_from_quads(found.quad)[:, 3], [30, 33])


def test_words_that_overlap_keep_a_gap_above_zero_and_most_of_their_width():
    found = boxes_placed([[10, 40, 50, 60], [20, 40, 90, 60]])
    assert found.quad[0, 2, 0] - found.quad[0, 3, 0] == pytest.approx(0.75 * 20)
    assert found.space_after[0] > 0 and found.space_after[1] == 0


def test_wide_gaps_raise_the_font_size():
    narrow = boxes_placed([[10, 40, 50, 60], [55, 40, 90, 60], [95, 40, 130, 60]])
    wide = boxes_placed([[10, 40, 50, 60], [65, 40, 90, 60], [105, 40, 130, 60]])
    assert wide.font_size[0] > narrow.font_size[0]
    assert np.allclose(narrow.font_size, 5.0)  # half of 10 pt


def test_no_words_are_an_empty_table():
    p = page()
    words = words_table([], np.zeros((0, 4, 2)), [])
    assert len(placed(p, upright_of(p), words, None, PlacingSettings())) == 0


def test_without_lines_words_have_their_own_baseline():
    p = page()
    words = words_table(["a", "b"], geometry.quads_from_boxes([[10, 40, 20, 60], [30, 42, 40, 62]]),
                        [-1, -1])
    found = placed(p, upright_of(p), words, None, PlacingSettings())
    assert np.allclose(geometry.boxes_from_quads(found.quad)[1], [15, 21, 20, 31], atol=0.51)


def test_words_of_an_engine_without_lines_are_parted_where_the_next_stands_below():
    p = page()
    words = words_table(["a", "b", "c", "d"], geometry.quads_from_boxes(
        [[10, 40, 50, 60], [60, 41, 90, 60], [10, 80, 50, 100], [60, 80, 90, 100]]), [-1] * 4)
    found = placed(p, upright_of(p), words, None, PlacingSettings())
    assert (found.space_after > 0).tolist() == [True, False, True, False]


def test_settings_out_of_range_are_refused():
    with pytest.raises(Usage, match="flatten"):
        PlacingSettings(flatten=-1)
