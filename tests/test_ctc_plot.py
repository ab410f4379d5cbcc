"""The net's output over time: classes, path, and the way from a time step to the page."""

from dataclasses import replace

import numpy as np
import pytest
from hand_readings import ALPHABET, WORD_BOXES, small_reading
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QLineEdit, QScrollBar, QTableView

from core.reading import Reading, Ref, lineage
from views.ctc_plot import MOST_ROWS, STEP, CtcPlot, likely_classes


@pytest.fixture
def plot(qtbot):
    plot = CtcPlot()
    qtbot.addWidget(plot)
    plot.resize(700, 400)
    plot.show(small_reading())
    plot.highlight(lineage(small_reading(), Ref("words", 3)))
    plot.show()
    qtbot.waitExposed(plot)
    return plot


def test_only_classes_above_one_percent_are_rows_and_the_blank_is_none():
    probability = np.exp(small_reading().transcripts.log_probs[2].astype(np.float32))
    classes = likely_classes(probability)
    assert {ALPHABET[c - 1] for c in classes} == set("hello w0rld")
    assert len(likely_classes(np.full((5, 96), 0.5, np.float32))) == MOST_ROWS
    assert len(likely_classes(np.zeros((0, 0), np.float32))) == 0


def test_classes_stand_in_the_order_in_which_they_peak():
    probability = np.exp(small_reading().transcripts.log_probs[0].astype(np.float32))
    assert "".join(ALPHABET[c - 1] for c in likely_classes(probability)) == "Total"


def test_the_title_names_the_transcript(plot):
    assert "“hello w0rld”" in plot._title.text() and "0.550" in plot._title.text()


def test_a_time_step_leads_to_its_place_on_the_page(plot, qtbot):
    """Step 28 of 56 ends at the window's middle, which is the box's middle."""
    with qtbot.waitSignal(plot.time_hovered) as told:
        plot._map.set_step(28)
    x, y = told.args
    x0, y0, x1, y1 = WORD_BOXES[2]
    half_step = 0.5 * STEP * (x1 - x0) / 224
    assert x == pytest.approx((x0 + x1) / 2 + half_step, abs=0.01)
    assert y == pytest.approx((y0 + y1) / 2, abs=0.01)


def test_hovering_the_doubtful_character_names_both_readings(plot, qtbot):
    step = int(small_reading().transcripts.char_t[5 + 5 + 7])
    place = QPoint(round(plot._map._x((step + 0.5) * STEP)), 30)
    qtbot.mouseMove(plot._map, place)
    qtbot.waitUntil(lambda: "0 0.55" in plot._told.text(), timeout=2000)
    assert "o 0.40" in plot._told.text()


def test_leaving_takes_the_mark_off_the_page(plot, qtbot):
    plot._map.set_step(3)
    with qtbot.waitSignal(plot.time_hovered) as told:
        plot._map.set_step(None)
    assert np.isnan(told.args).all()


def test_several_transcripts_are_gone_through(plot):
    found = []
    plot.picked.connect(found.append)
    plot.highlight(lineage(small_reading(), Ref("lines", 0)))
    assert "transcript 0 (1 of 2)" in plot._title.text()
    plot._steps[1].click()
    assert "“12.50”" in plot._title.text() and found == [Ref("transcripts", 1)]


def test_picking_the_next_transcript_keeps_the_others_at_hand(plot):
    """Whoever listens picks what ◀ ▶ tell, and the lineage of that comes back."""
    plot.highlight(lineage(small_reading(), Ref("lines", 0)))
    plot.picked.connect(lambda ref: plot.highlight(lineage(small_reading(), ref)))
    plot._steps[1].click()
    assert "transcript 1 (2 of 2)" in plot._title.text()
    plot._steps[0].click()
    assert "transcript 0 (1 of 2)" in plot._title.text()


def test_dropped_probabilities_are_said_and_the_crop_stays(plot):
    reading = small_reading()
    bare = replace(reading.transcripts, log_probs=np.zeros((0, 0, 0), np.float16))
    plot.show(reading.with_table(bare))
    assert "probabilities were not kept" in plot._title.text()
    assert not plot._map._window.isNull()
    plot.grab()


def test_nothing_picked_and_nothing_read_are_said(plot):
    plot.highlight(None)
    assert "Pick a word" in plot._title.text()
    plot.show(Reading())
    assert "No transcripts" in plot._title.text()
    plot.grab()


def test_the_likeliest_class_is_the_darkest_cell(plot):
    """At the step of the "h", its row is darker than the others on a light palette."""
    step = int(small_reading().transcripts.char_t[10])
    heat = plot._map._heat
    values = [heat.pixelColor(step, row).lightness() for row in range(heat.height())]
    dark = plot.palette().base().color().lightness() < 128
    assert int(np.argmax(values) if dark else np.argmin(values)) == 0


def test_every_control_has_a_name_for_screen_readers(plot):
    controls = [*plot.findChildren(QAbstractButton), *plot.findChildren(QAbstractSlider),
                *plot.findChildren(QLineEdit)]
    mine = [c for c in controls if not isinstance(c, QScrollBar)
            and not c.objectName().startswith("qt_") and "Header" not in type(c.parent()).__name__]
    silent = [c for c in mine if not c.accessibleName() and not getattr(c, "text", str)()
              and type(c.parent()) is not QLineEdit and type(c.parent()) is not QTableView]
    assert silent == []
