"""The histogram of a line's gaps: which line, which threshold, which blob a click picks."""

from dataclasses import replace

import numpy as np
import pytest
from hand_readings import small_reading
from PySide6.QtWidgets import QCheckBox

from core.detector import grouping, mser
from core.reading import Reading, Ref, kept, lineage
from tests.pages import draw_page, upright_of
from views.canvas import Canvas
from views.gap_plot import GapPlot
from views.layers import baselines


@pytest.fixture(scope="module")
def page() -> Reading:
    gray, _ = draw_page(["some words of ink", "and more below it"], size=(640, 400))
    upright = upright_of(gray)
    blobs = mser.blobs(upright)
    lines = grouping.lines(upright, blobs)
    return Reading(upright=upright, blobs=blobs, lines=lines,
                   boxes=grouping.word_boxes(upright, blobs, lines))


@pytest.fixture
def gaps(qtbot, page):
    view = GapPlot()
    qtbot.addWidget(view)
    view.resize(400, 240)
    view.show()
    view.show(page)
    return view


def middle(page: Reading, line: int) -> tuple[float, float]:
    x0, y0, x1, y1 = page.lines.box[line].tolist()
    return (x0 + x1) / 2, (y0 + y1) / 2


def test_the_line_under_the_pointer_is_shown(gaps, page):
    for line in kept(page.lines):
        gaps.point(*middle(page, line))
        assert gaps.line == line
        assert len(gaps.found.gap) == len(page.lines.parents.of(line)) - 1


def test_a_line_of_four_words_has_three_gaps_above_its_threshold(gaps, page):
    for line in kept(page.lines):
        gaps.point(*middle(page, line))
        assert (gaps.found.gap > gaps.found.threshold).sum() == 3


def test_the_pointer_gives_way_to_the_selection_when_it_leaves(gaps, page):
    first, second = kept(page.lines)[:2].tolist()
    gaps.highlight(lineage(page, Ref("lines", first)))
    gaps.point(*middle(page, second))
    assert gaps.line == second
    gaps.point(float("nan"), float("nan"))
    assert gaps.line == first


def test_without_a_selection_the_last_line_stays(gaps, page):
    gaps.point(*middle(page, int(kept(page.lines)[0])))
    shown = gaps.found
    gaps.point(float("nan"), float("nan"))
    assert gaps.found is shown


def test_a_click_picks_the_blob_right_of_the_nearest_gap(gaps, page):
    line = int(kept(page.lines)[0])
    gaps.point(*middle(page, line))
    picked = []
    gaps.picked.connect(picked.append)
    widest = int(np.argmax(gaps.found.gap))
    gaps.plot.clicked.emit(float(gaps.found.gap[widest]), 1.0)
    assert picked == [Ref("blobs", int(gaps.found.after[widest]))]
    assert picked[0].row in page.lines.parents.of(line)


def test_a_refused_line_is_told_not_plotted(gaps, page):
    fate = page.lines.fate.copy()
    fate[int(kept(page.lines)[0])] = 1
    line = int(kept(page.lines)[0])
    refused = replace(page, lines=replace(page.lines, fate=fate))
    gaps.show(refused)
    gaps.highlight(lineage(refused, Ref("lines", line)))
    assert gaps.found is None and "refused" in gaps._title.text()


# ---- baselines on the page -----------------------------------------------------------------------

def test_the_x_height_runs_beside_a_slanted_baseline_at_its_height():
    lines = small_reading().lines
    xy = lines.baseline_xy.copy()
    xy[:2] = [[20, 66], [170, 186]]   # 150 across, 120 down: length 192.1
    base, top = baselines(replace(lines, baseline_xy=xy))
    assert base[0].tolist() == [20, 66, 170, 186]
    along = np.array([150, 120]) / np.hypot(150, 120)
    away = top[0, :2] - base[0, :2]
    assert away @ along == pytest.approx(0, abs=1e-3)
    assert np.hypot(*away) == pytest.approx(lines.x_height[0], abs=1e-3) and away[1] < 0
    assert len(base) == len(top) == 2


def test_refused_lines_have_no_baseline_on_the_page():
    lines = small_reading().lines
    base, _ = baselines(replace(lines, fate=np.array([0, 1], np.uint8)))
    assert base[:, 1].tolist() == [66]


def test_baselines_are_drawn_with_the_layer_of_lines_until_switched_off(qtbot):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.show(small_reading())
    assert not canvas._baselines.isVisible()
    canvas.set_layer("lines", True)
    assert canvas._baselines.isVisible()
    canvas._legend.findChild(QCheckBox, "baselines").click()
    assert not canvas._baselines.isVisible()
