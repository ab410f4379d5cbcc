"""The lineage panel tells the road of a row and what lies in a region."""

import numpy as np
import pytest
from hand_readings import large_reading, small_reading
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QLabel,
    QLineEdit,
    QScrollBar,
    QTableView,
    QTreeWidgetItemIterator,
)

from core.reading import STAGES, Reading, Ref, lineage
from views.lineage_facts import ROWS_SHOWN, as_text, facts, region, road
from views.lineage_panel import LineagePanel


@pytest.fixture
def panel(qtbot):
    panel = LineagePanel()
    qtbot.addWidget(panel)
    panel.show(small_reading())
    return panel


def test_the_road_of_a_word_names_every_stage_from_blobs_to_pdf():
    reading = small_reading()
    names = [node.name for node in road(reading, lineage(reading, Ref("words", 3)))]
    assert names == ["1 page", "2 upright", "3 blobs", "4 lines", "5 boxes", "6 segments", "7 transcripts",
                     "7 buckets", "8 attempts", "8 words", "9 placed"]


def test_the_road_tells_the_attempt_that_lost_and_why():
    reading = small_reading()
    text = as_text(road(reading, lineage(reading, Ref("words", 3))))
    assert "w0rld is not in the lexicon" in text and "one letter changed, 0 to o" in text
    assert "0 0.55" in text                         # the doubtful character
    assert "“hello world”  log probability -0.90" in text


def test_facts_of_each_stage_name_what_the_table_holds():
    reading = small_reading()
    told = {stage: as_text(facts(reading, Ref(stage, 0))) for stage in STAGES}
    assert "area: 542 px" in told["blobs"] and "dark on light" in told["blobs"]
    assert "x-height: 14.0 px" in told["lines"]
    assert "first of its line" in told["boxes"]
    assert "20.0 px, word gap from 9.0 px" in as_text(facts(reading, Ref("boxes", 1)))
    assert "own part: 2 to 82 of 84 window px" in told["segments"]
    assert "font size: 15.00 pt" in told["placed"] and "space after: 14.40 pt" in told["placed"]


def test_a_refused_blob_tells_rule_value_and_limit():
    assert "fate: too small (9 < 12)" in as_text(facts(small_reading(), Ref("blobs", 9)))


def test_bucket_limits_come_from_the_settings():
    from dataclasses import dataclass, field

    @dataclass(frozen=True)
    class Limits:
        keep_from: float = 0.85

    @dataclass(frozen=True)
    class All:
        buckets: Limits = field(default_factory=Limits)

    assert "limit keep_from: 0.85" in as_text(facts(small_reading(), Ref("buckets", 0), All()))


def test_a_region_lists_what_was_refused_there():
    text = as_text(region(small_reading(), np.array([290, 190, 320, 220], np.float32)))
    assert "3 blobs: 1 here, 1 refused" in text and "too small (9 < 12)" in text
    assert "8 words: none here" in text


def test_a_region_inside_a_word_names_the_word_and_its_box():
    text = as_text(region(small_reading(), np.array([50, 50, 60, 60], np.float32)))
    assert "word 0: “Total”" in text and "box 0" in text and "line 0" in text


def test_a_region_before_the_later_stages_says_so():
    reading = small_reading()
    early = Reading(page=reading.page, upright=reading.upright, blobs=reading.blobs)
    assert "8 words: not made yet" in as_text(region(early, np.array([0, 0, 400, 300])))


def test_a_crowded_region_is_counted_not_listed():
    text = as_text(region(large_reading(2000, 500, 500), np.array([0, 0, 500, 500])))
    assert "more" in text and text.count("\n") < 20 * ROWS_SHOWN * 12


def items(panel):
    walk = QTreeWidgetItemIterator(panel.tree)
    while walk.value():
        yield walk.value()
        walk += 1


def test_a_double_click_on_a_row_picks_it(panel, qtbot):
    panel.highlight(lineage(small_reading(), Ref("words", 3)))
    item = next(i for i in items(panel) if i.text(0).startswith("attempt 2"))
    with qtbot.waitSignal(panel.picked) as told:
        panel.tree.itemActivated.emit(item, 0)
    assert told.args == [Ref("attempts", 2)]


def test_the_crop_of_the_segment_is_shown(panel):
    panel.highlight(lineage(small_reading(), Ref("words", 0)))
    pictures = [label for label in panel.tree.findChildren(QLabel) if not label.pixmap().isNull()]
    assert len(pictures) == 1 and pictures[0].toolTip() == "left: end of the box; right: end of the box"


def test_doubtful_characters_are_told_by_underline_not_colour_alone(panel):
    panel.highlight(lineage(small_reading(), Ref("words", 3)))
    label = next(l for l in panel.tree.findChildren(QLabel) if "<table" in l.text())
    assert label.text().count("<u ") == 1 and "55" in label.text()


def test_what_is_shown_can_be_copied(panel, qtbot):
    panel.highlight(lineage(small_reading(), Ref("words", 3)))
    panel.copy()
    assert QGuiApplication.clipboard().text() == panel.text()
    assert panel.text().startswith("words 3 “world”")


@pytest.mark.parametrize("stage", STAGES)
def test_every_row_of_every_table_can_be_shown(panel, stage):
    reading = small_reading()
    for row in range(len(reading.table(stage))):
        panel.highlight(lineage(reading, Ref(stage, row)))
        assert panel.tree.topLevelItemCount()


def test_a_lineage_of_a_longer_reading_is_no_error(panel):
    panel.highlight(lineage(small_reading(), Ref("words", 3)))
    panel.show(large_reading(2))


def test_nothing_picked_empties_the_panel(panel):
    panel.highlight(lineage(small_reading(), Ref("words", 3)))
    panel.highlight(None)
    assert panel.tree.topLevelItemCount() == 0


def test_every_control_has_a_name_for_screen_readers(panel):
    controls = [*panel.findChildren(QAbstractButton), *panel.findChildren(QAbstractSlider),
                *panel.findChildren(QLineEdit)]
    mine = [c for c in controls if not isinstance(c, QScrollBar)
            and not c.objectName().startswith("qt_") and "Header" not in type(c.parent()).__name__]
    silent = [c for c in mine if not c.accessibleName() and not getattr(c, "text", str)()
              and type(c.parent()) is not QLineEdit and type(c.parent()) is not QTableView]
    assert silent == []
