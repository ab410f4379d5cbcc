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
    other, more = draw_page(["right column too", "has three lines", "until the end"], size=(400, 240))
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
