"""Pages that are bent, turned with their tables, or lie on a table, drawn with known words."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core import geometry
from core.detector import grouping, line_build, mser
from core.detector.linking import Frame
from core.detector.refusal import Measures, page_letters
from core.detector.surroundings import without_surroundings
from core.reading import kept
from tests.pages import boxes_of, draw_page, upright_of

TEXT = ["a long line of many small words that bends like",
        "the page of a book that lies on its back and",
        "whose middle is held down while the two sides rise",
        "so that every line of it goes up at its ends",
        "and none of them is straight or level anywhere",
        "as long as nobody presses the book to the table"]


def found(gray: np.ndarray, settings: grouping.LineSettings = grouping.LineSettings()):
    upright = upright_of(gray)
    blobs = mser.blobs(upright)
    lines = grouping.lines(upright, blobs, settings)
    return lines, grouping.word_boxes(upright, blobs, lines, grouping.BoxSettings(padding=0.0))


def frame_of(gray: np.ndarray) -> Frame:
    blobs = mser.blobs(upright_of(gray))
    rows = kept(blobs)
    return grouping._built(blobs.box[rows], blobs.polarity[rows], grouping.LineSettings()).frame


def sagging(sag: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(page whose sides hang `sag` px lower than its middle, its words, how low each column is)."""
    gray, words = draw_page(TEXT, size=(1000, 480), top=100, scale=0.8, leading=50)
    y, x = np.mgrid[0:480, 0:1000].astype(np.float32)
    low = sag * ((np.arange(1000) - 500) / 500) ** 2
    bent = cv2.remap(gray, x, y - low.astype(np.float32)[None], cv2.INTER_LINEAR, borderValue=235)
    box = boxes_of(words)
    ends = np.clip(box[:, [0, 2]].astype(int), 0, 999)
    drop = low[ends]
    box[:, 1] += np.where((box[:, 0] < 500) & (box[:, 2] > 500), 0, drop.min(1))
    box[:, 3] += drop.max(1)
    return bent, box, low


def test_words_of_a_bent_page_are_found_and_its_lines_are_level_in_its_frame():
    gray, box, low = sagging(60.0)
    lines, boxes = found(gray)
    assert len(kept(lines)) == len(TEXT) and len(kept(boxes)) == len(box)
    assert (geometry.iou(boxes.box[kept(boxes)], box).max(0) > 0.5).all()
    frame = frame_of(gray)
    x = np.linspace(60, 600, 20)
    for y in (100, 150, 200, 250):           # baselines of the bent page
        level = np.stack([x, y + np.interp(x, np.arange(1000), low)], 1) @ frame.turn.T
        level[:, 1] -= frame.bend.at(level)
        assert np.ptp(level[:, 1]) < 6        # px, a third of the x-height; the page sags 46 here


def test_a_point_goes_into_the_bent_frame_and_back():
    frame = frame_of(sagging(60.0)[0])
    xy = np.random.default_rng(1).uniform((50, 80), (650, 380), (50, 2))
    turned = xy @ frame.turn.T
    level = turned - np.stack([np.zeros(50), frame.bend.at(turned)], 1)
    assert np.abs(frame.upright(level) - xy).max() < 0.1   # px


def test_a_flat_page_is_neither_turned_nor_bent():
    gray, _ = draw_page(TEXT, size=(1000, 480), top=100, scale=0.8, leading=50)
    frame = frame_of(gray)
    assert frame.degrees == 0 and frame.bend is None


@pytest.mark.parametrize("degrees", [-8.0, -3.0, 0.0, 3.0, 8.0])
def test_the_rules_of_a_turned_table_are_taken_off_and_its_cells_are_words(degrees):
    gray = np.full((620, 900), 235, np.uint8)
    words = []
    for row in range(8):
        for column, text in enumerate(("winter", "12.50", "Bread", "seven")):
            x, y = 112 + 180 * column, 134 + 50 * row
            cv2.putText(gray, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 20, 2, cv2.LINE_AA)
            words.append((x, y - 19, x + 15 * len(text), y + 1))
    for y in range(100, 501, 50):
        gray[y:y + 2, 90:812] = 20
    for x in range(90, 811, 180):
        gray[100:500, x:x + 2] = 20
    turn = cv2.getRotationMatrix2D((450, 310), -degrees, 1.0)
    turned = cv2.warpAffine(gray, turn, (900, 620), flags=cv2.INTER_CUBIC, borderValue=235)
    _, boxes = found(turned)
    truth = geometry.transform_boxes(turn, np.array(words, np.float32))
    rows = kept(boxes)
    assert len(rows) == len(words)
    assert (geometry.iou(boxes.box[rows], truth).max(0) > 0.5).all()


def on_a_table(turn_by: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(a sheet on a grained table, its words' boxes, mask of the sheet)."""
    sheet, words = draw_page(TEXT[:3], size=(800, 260), top=60, scale=0.8)
    turn = cv2.getRotationMatrix2D((400, 130), -turn_by, 1.0)
    turn[:, 2] += (80, 110)
    size = (960, 480)
    mask = cv2.warpAffine(np.full_like(sheet, 255), turn, size) > 127
    grain = np.random.default_rng(3).normal(70, 14, (480, 120))
    table = np.clip(cv2.resize(grain, size), 0, 255).astype(np.uint8)
    gray = np.where(mask, cv2.warpAffine(sheet, turn, size, borderValue=235), table)
    return gray, geometry.transform_boxes(turn, boxes_of(words)), mask


@pytest.mark.parametrize("degrees", [0.0, 5.0])
def test_what_lies_around_a_sheet_is_no_text(degrees):
    gray, truth, _ = on_a_table(degrees)
    _, boxes = found(gray)
    rows = kept(boxes)
    assert len(rows) == len(truth)
    assert (geometry.iou(boxes.box[rows], truth).max(0) > 0.5).all()


def test_a_soft_shadow_on_the_sheet_stays_on_the_sheet():
    gray, _, mask = on_a_table(0.0)
    shade = 1 - 0.4 / (1 + np.exp((np.arange(960) - 300) / 40))
    shaded = (gray * shade).astype(np.uint8)
    inner = cv2.erode(mask.astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool)
    painted = without_surroundings(shaded)
    assert np.array_equal(painted[inner], shaded[inner])
    assert not np.array_equal(painted, shaded)


def test_a_light_window_on_a_dark_desktop_with_text_is_no_sheet():
    desktop, _ = draw_page(["files edit view tools windows help"] * 6, size=(900, 600), top=40,
                           leading=100, ink=235, paper=30)
    window, _ = draw_page(TEXT[:4], size=(760, 380), top=60, scale=0.8)
    desktop[110:490, 70:830] = window
    assert without_surroundings(desktop) is desktop


def test_dots_between_two_lines_do_not_make_one_of_them():
    letters = [(x, y, x + 12, y + 20) for y in (0, 42) for x in range(0, 300, 16)]
    dots = [(x, y, x + 4, y + 4) for x, y in ((100, 22), (108, 28), (116, 34))]
    box = np.array(sorted(letters + dots), np.float32)
    apart = np.zeros(len(box), np.int64)
    group = np.where(box[:, 3] - box[:, 1] < 10, 2, (box[:, 1] > 20).astype(int)).astype(np.int64)
    joined, is_mark = line_build.with_marks(box, apart, group, 0.8)
    assert is_mark.any()
    top, below = joined[box[:, 3] == 20], joined[box[:, 3] == 62]
    assert len(set(top)) == len(set(below)) == 1 and top[0] != below[0]


def test_unknown_knots_lie_between_the_known_ones_and_none_stays_unknown():
    values = np.array([np.nan, 1.0, np.nan, np.nan, 4.0, 4.0, np.nan])
    line_build.fill(values)
    assert np.allclose(values, [0, 1, 2, 3, 4, 4, 4])


def test_a_letters_height_is_not_that_of_a_few_giant_regions():
    height = np.array([20.0] * 200 + [300.0] * 6, np.float32)
    box = np.stack([np.zeros(206), np.zeros(206), 0.7 * height, height], 1).astype(np.float32)
    area = (0.3 * 0.7 * height ** 2).astype(np.int32)
    some = np.full(206, 100.0, np.float32)
    m = Measures(box, area, np.full(206, -1, np.int32), np.zeros(206, np.uint8),
                 np.zeros(206, np.uint8), some, some, some, some)
    assert page_letters(m, np.ones(206, bool)).height == 20
