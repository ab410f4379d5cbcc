"""Lines and word boxes on drawn pages."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core import geometry
from core.detector import grouping, line_build, mser, spacing
from core.detector.order import reading_order
from core.reading import Boxes, Lines, kept
from tests.pages import boxes_of, draw_page, upright_of


def ink_of(boxes: Boxes) -> np.ndarray:
    """(n, 4) bounds of the boxes without the paper around their ink."""
    return geometry.boxes_from_quads(spacing.padded(boxes.quad, -spacing.PADDING / (1 + 2 * spacing.PADDING)))


def found(gray: np.ndarray):
    """(blobs, lines, boxes) of a drawn page."""
    upright = upright_of(gray)
    blobs = mser.blobs(upright)
    lines = grouping.lines(upright, blobs)
    return blobs, lines, grouping.word_boxes(upright, blobs, lines)


@pytest.mark.parametrize(("ink", "paper", "polarity"), [(20, 235, 0), (235, 20, 1)])
def test_words_are_found_in_reading_order(ink, paper, polarity):
    gray, words = draw_page(["the quick brown fox", "jumps over the lazy", "dog, 12.50 euro"],
                            ink=ink, paper=paper)
    _, lines, boxes = found(gray)
    rows = kept(boxes)
    assert len(rows) == len(words)
    overlap = geometry.iou(ink_of(boxes)[rows], boxes_of(words))
    assert (overlap.diagonal() > 0.85).all()
    assert (boxes.polarity[rows] == polarity).all()
    assert len(kept(lines)) == 3


def test_a_spaced_pair_gives_two_boxes_and_a_tight_one_gives_one():
    def n_words(gap: int) -> int:
        gray, _ = draw_page(["winter", "some winter words"], word_gap=16)
        pair, _ = draw_page(["green house"], word_gap=gap, size=(640, 70))
        _, _, boxes = found(np.vstack([gray, pair]))
        return int((boxes.box[kept(boxes), 1] > 240).sum())
    assert n_words(18) == 2
    assert n_words(2) == 1


def test_a_rule_is_no_word():
    gray, words = draw_page(["above the rule", "below the rule"], leading=100, top=60)
    gray[100:103, 10:630] = 20
    _, _, boxes = found(gray)
    assert len(kept(boxes)) == len(words)


def test_dots_and_commas_belong_to_their_words():
    gray, words = draw_page(["in.", "it, ;", "12.50"])
    _, _, boxes = found(gray)
    overlap = geometry.iou(ink_of(boxes)[kept(boxes)], boxes_of([words[0], words[1], words[3]]))
    assert (overlap.max(0) > 0.8).all()


def test_parents_are_kept_blobs_and_a_box_has_only_blobs_of_its_line():
    gray, _ = draw_page(["parents of", "some boxes"])
    blobs, lines, boxes = found(gray)
    assert lines.parents.table == boxes.parents.table == "blobs"
    assert (blobs.fate[lines.parents.rows] == 0).all()
    for row in range(len(boxes)):
        mine = boxes.parents.of(row)
        assert len(mine)
        assert np.isin(mine, lines.parents.of(int(boxes.line[row]))).all()
        # 2 px: on a page of two lines the fitted slope may be a third of a degree off
        assert np.abs(geometry.union(blobs.box[mine]) - ink_of(boxes)[row]).max() < 2


def test_boxes_are_made_of_kept_lines_only_and_gaps_break_the_lines_limit():
    gray, _ = draw_page(["one two three", "four five six"])
    rng = np.random.default_rng(0)
    for x, y in rng.integers((0, 0), (630, 230), (30, 2)):
        gray[y:y + 4, x:x + 4] = 20
    _, lines, boxes = found(gray)
    assert (lines.fate[boxes.line] == 0).all()
    later = ~np.isnan(boxes.gap)
    assert later.any() and (boxes.gap[later] > boxes.gap_limit[later]).all()


def test_refused_lines_and_boxes_broke_their_limit():
    gray, _ = draw_page(["one two three", "four five six"])
    rng = np.random.default_rng(0)
    for x, y in rng.integers((0, 0), (630, 230), (60, 2)):
        gray[y:y + 5, x:x + 5] = 20
    _, lines, boxes = found(gray)
    assert lines.fate.any()
    for table, names in ((lines, Lines.FATES), (boxes, Boxes.FATES)):
        for row in np.flatnonzero(table.fate):
            value, limit = table.fate_value[row], table.fate_limit[row]
            name = names[table.fate[row]]
            assert value < limit if name in grouping.BELOW_LIMIT else value > limit, name


@pytest.mark.parametrize("degrees", [-3.0, 3.0])
def test_a_slightly_turned_line_keeps_its_words_and_its_slope(degrees):
    gray, words = draw_page(["several words on a line", "and as many below it"],
                            size=(700, 300), top=120)
    turn = cv2.getRotationMatrix2D((350, 150), -degrees, 1.0)
    turned = cv2.warpAffine(gray, turn, (700, 300), borderValue=235)
    _, lines, boxes = found(turned)
    assert len(kept(boxes)) == len(words)
    edge = lines.quad[kept(lines), 2] - lines.quad[kept(lines), 3]
    slope = np.degrees(np.arctan2(edge[:, 1], edge[:, 0]))
    assert np.abs(slope - degrees).max() < 0.7  # descenders pull on a line of 20 letters


def test_the_baseline_runs_under_the_letters():
    gray, words = draw_page(["Hamburg letters stand"], top=60, scale=1.2)
    _, lines, _ = found(gray)
    row = int(kept(lines)[0])
    y = lines.baseline_xy[lines.baseline_offsets[row]:lines.baseline_offsets[row + 1], 1]
    assert np.abs(y - words[1].box[3]).max() <= 3  # px; the blur adds one


def test_columns_of_text_are_read_one_after_the_other_and_rows_of_a_receipt_across():
    column = [(0, 0, 200, 10), (0, 20, 200, 30), (0, 40, 200, 50), (0, 60, 200, 70)]
    other = [(x0 + 260, y0, x1 + 260, y1) for x0, y0, x1, y1 in column]
    text = np.array([box for pair in zip(column, other) for box in pair], np.float32)
    assert reading_order(text).tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    prices = [(300, y0, 330, y1) for _, y0, _, y1 in column]
    receipt = np.array([*column, *prices], np.float32)
    assert reading_order(receipt).tolist() == [0, 4, 1, 5, 2, 6, 3, 7]


def test_every_line_is_read_once():
    rng = np.random.default_rng(5)
    for n in (0, 1, 7, 60):
        corner = rng.uniform(0, 500, (n, 2))
        box = np.hstack([corner, corner + rng.uniform(5, 200, (n, 2))]).astype(np.float32)
        assert sorted(reading_order(box).tolist()) == list(range(n))


@pytest.mark.parametrize("shape", [(1, 1), (40, 60)])
def test_a_blank_page_gives_empty_tables(shape):
    blobs, lines, boxes = found(np.full(shape, 255, np.uint8))
    assert len(blobs) == len(lines) == len(boxes) == 0
    assert boxes.quad.shape == (0, 4, 2) and lines.baseline_offsets.tolist() == [0]


def test_otsu_parts_two_kinds_of_gaps():
    threshold, ratio, upper = line_build.otsu(np.array([0.1, 0.12, 0.08, 0.5, 0.6, 0.55]))
    assert 0.12 < threshold < 0.5 and ratio > 4
    assert upper == pytest.approx(0.55)


@pytest.mark.parametrize("degrees", [-10.0, -5.0, 5.0, 10.0])
def test_a_page_turned_by_up_to_ten_degrees_keeps_its_words(degrees):
    gray, words = draw_page(["several words on a line", "and as many below it", "with a third one"],
                            size=(800, 500), left=150, top=200)
    turn = cv2.getRotationMatrix2D((400, 250), -degrees, 1.0)
    turned = cv2.warpAffine(gray, turn, (800, 500), borderValue=235)
    _, lines, boxes = found(turned)
    rows = kept(boxes)
    assert len(rows) == len(words) and len(kept(lines)) == 3
    truth = geometry.transform_boxes(turn, boxes_of(words))
    assert (geometry.iou(boxes.box[rows], truth).diagonal() > 0.5).all()
    edge = boxes.quad[rows, 1] - boxes.quad[rows, 0]
    slope = np.degrees(np.arctan2(edge[:, 1], edge[:, 0]))
    assert np.abs(slope - degrees).max() < 1.0


def test_a_bent_line_has_a_bent_baseline_and_turned_words():
    gray, words = draw_page(["a long line of many small words that bends like the page of a book"],
                            size=(1500, 300), top=120, scale=0.9)
    y, x = np.mgrid[0:300, 0:1500].astype(np.float32)
    sag = 40 * ((x - 750) / 750) ** 2          # px: the ends hang lower than the middle
    bent = cv2.remap(gray, x, y - sag + 20, cv2.INTER_LINEAR, borderValue=235)
    _, lines, boxes = found(bent)
    assert len(kept(lines)) == 1 and len(kept(boxes)) == len(words)
    row = int(kept(lines)[0])
    xy = lines.baseline_xy[lines.baseline_offsets[row]:lines.baseline_offsets[row + 1]]
    assert len(xy) > 2
    base = words[0].box[3] + 40 * ((xy[:, 0] - 750) / 750) ** 2 - 20
    assert np.abs(xy[:, 1] - base).max() < 8   # px, a third of the x-height
    edge = boxes.quad[kept(boxes), 1] - boxes.quad[kept(boxes), 0]
    assert edge[0, 1] < 0 < edge[-1, 1]


def test_columns_are_not_merged():
    gray, words = draw_page(["left column text", "in three lines", "and its end"], size=(400, 240))
    other, _ = draw_page(["right column too", "has three lines", "until the end"], size=(400, 240))
    _, lines, boxes = found(np.hstack([gray, other]))
    assert len(kept(lines)) == 6
    order = boxes.box[kept(boxes), 0]
    assert (order[:len(words)] < 400).all() and (order[len(words):] > 400).all()


def test_letters_of_a_fixed_pitch_stay_together_whatever_their_width():
    gray = np.full((120, 900), 235, np.uint8)
    for i, letter in enumerate("BaseSelector(unregister) illicit"):
        (w, _), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
        cv2.putText(gray, letter, (20 + 24 * i + (24 - w) // 2, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.0,
                    20, 2, cv2.LINE_AA)
    _, _, boxes = found(gray)
    assert len(kept(boxes)) == 2


def test_a_dotted_rule_is_no_text():
    gray, words = draw_page(["above the dots", "below the dots"], leading=100, top=60)
    for x in range(20, 620, 8):
        gray[100:104, x:x + 4] = 20
    _, lines, boxes = found(gray)
    assert len(kept(boxes)) == len(words)
    dots = np.flatnonzero((lines.box[:, 1] > 90) & (lines.box[:, 3] < 115))
    assert len(dots) and (lines.fate[dots] != 0).all()


def rotated(gray: np.ndarray, text: str, x: int, y: int) -> None:
    """Draw `text` turned clockwise on `gray`, its upper left corner at px (x, y)."""
    strip, words = draw_page([text], size=(400, 60), top=40, left=10)
    x0, y0, x1, y1 = words[0].box
    turned = np.rot90(strip[y0:y1, x0:x1], -1)
    gray[y:y + turned.shape[0], x:x + turned.shape[1]] = turned


def test_a_number_that_runs_down_the_margin_is_one_word_along_its_digits():
    gray, words = draw_page(["a page with some words", "and a number beside"], size=(700, 400))
    rotated(gray, "20837465", 640, 100)
    _, _, boxes = found(gray)
    rows = kept(boxes)
    assert len(rows) == len(words) + 1
    number = rows[boxes.box[rows, 0] > 600]
    assert len(number) == 1
    along, down = (boxes.quad[number[0], k] - boxes.quad[number[0], 0] for k in (1, 3))
    assert along[1] > 5 * abs(along[0]) and down[0] < 0      # reads downwards, feet at the left
    assert boxes.box[number[0], 1] < 102 and boxes.box[number[0], 3] > 220
    upright = upright_of(gray)
    blobs = mser.blobs(upright)
    as_they_stand = grouping.lines(upright, blobs, grouping.LineSettings(find_turned=False))
    apart = grouping.word_boxes(upright, blobs, as_they_stand)
    assert (apart.box[kept(apart), 0] > 600).sum() > 1


def test_figures_in_a_column_are_words_of_their_own():
    gray, words = draw_page(["1", "2", "3", "4", "5", "6"], size=(300, 400), leading=50)
    _, _, boxes = found(gray)
    assert len(kept(boxes)) == len(words)


def test_a_word_set_wide_is_one_word():
    gray, _ = draw_page(["normal words above", "and more words", "of usual setting"],
                        size=(640, 300))
    for i, letter in enumerate("TOTAL"):
        cv2.putText(gray, letter, (20 + 38 * i, 260), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 20, 2,
                    cv2.LINE_AA)
    _, _, boxes = found(gray)
    rows = kept(boxes)
    assert (boxes.box[rows, 1] > 220).sum() == 1


def test_pieces_of_an_underline_do_not_tie_two_lines_together():
    above = [(x, 0, x + 12, 20) for x in range(0, 90, 15)]
    below = [(x, 30, x + 12, 50) for x in range(0, 90, 15)]
    pieces = [(20, 22, 30, 25), (33, 25, 43, 28)]   # one nearer to the upper line, one to the lower
    box = np.array(above + below + pieces, np.float32)
    group = np.repeat([0, 1, 2], [6, 6, 2])
    by_x = np.argsort(box[:, 0], kind="stable")
    joined, is_mark = line_build.with_marks(box[by_x], np.zeros(14, np.int64), group[by_x], 1.2)
    line = np.empty(14, np.int64)
    line[by_x] = joined
    assert line[0] != line[6] and len(set(line.tolist())) == 2
    assert line[12] == line[13] and is_mark.sum() == 2


def test_bullets_are_refused_and_dashes_are_words():
    gray, words = draw_page(["first item", "second item", "this - that"], left=80)
    gray[38:46, 30:38] = gray[98:106, 30:38] = 20
    _, _, boxes = found(gray)
    assert len(kept(boxes)) == len(words)
    bullets = np.flatnonzero(boxes.box[:, 2] < 60)
    assert (boxes.fate[bullets] == Boxes.FATES.index("too small")).all()


def test_low_blobs_that_stand_alone_are_refused_and_figures_are_not():
    gray, words = draw_page(["HEADING OF SOME LENGTH", "8"], leading=100)
    for x in (200, 330, 470):
        gray[140:153, x:x + 9] = 20             # 0.6 of the capitals' height
    _, lines, boxes = found(gray)
    assert len(kept(boxes)) == len(words)
    specks = np.flatnonzero((lines.box[:, 1] > 130) & (lines.box[:, 0] > 150))
    assert len(specks) == 3
    assert (lines.fate[specks] == Lines.FATES.index("drawing or texture")).all()


def test_a_threshold_moves_to_the_room_between_a_lines_own_gaps():
    gap = np.array([np.nan, 0.05, 0.08, 0.06, 0.30, 0.07, 0.32, 0.05])
    offsets = np.array([0, len(gap)])
    moved = line_build.emptiest(gap, offsets, np.array([0.3]), 1.5, 0.5, 3)
    assert 0.08 < moved[0] < 0.30
    assert line_build.emptiest(gap, offsets, np.array([0.3]), 1.0, 0.5, 3)[0] == 0.3
    few = line_build.emptiest(gap[:3], np.array([0, 3]), np.array([0.3]), 1.5, 0.5, 3)
    assert few[0] == 0.3
