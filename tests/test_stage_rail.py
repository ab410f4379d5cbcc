"""The stage rail: counts, states, eyes, solo, keys."""

import pytest
from hand_readings import small_reading
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScrollArea, QWidget

from core.reading import STAGES, Reading
from views.stage_rail import STATES, StageRail, count_text, time_text


@pytest.fixture
def rail(qtbot):
    rail = StageRail()
    qtbot.addWidget(rail)
    rail.show(small_reading())
    return rail


def test_counts_tell_rows_and_kept_ones():
    reading = small_reading()
    assert count_text(reading, "blobs") == "12 / 9 kept"
    assert count_text(reading, "buckets") == "2 keep, 1 look up, 0 drop"
    assert count_text(reading, "attempts") == "4 / 3 chosen"
    assert count_text(reading, "words") == "4"
    assert count_text(reading, "upright") == "not turned"
    assert count_text(Reading(), "words") == ""


def test_times_are_readable():
    assert [time_text(s) for s in (0.0004, 0.081, 2.34)] == ["0.4 ms", "81 ms", "2.3 s"]


def test_every_stage_has_a_row_and_every_state_a_sign_and_words(rail):
    assert tuple(rail.rows) == STAGES
    for state, (_, meaning) in STATES.items():
        rail.set_stage_state("lines", state, 0.2)
        assert meaning in rail.rows["lines"]._sign.toolTip()


def test_a_failure_is_told_and_goes_away_when_the_stage_is_made(rail):
    rail.set_stage_state("transcripts", "failed", note="no weights")
    assert "no weights" in rail._note.text() and not rail._note.isHidden()
    rail.set_stage_state("transcripts", "done", 0.5)
    assert rail._note.isHidden()


def test_the_eye_shows_and_hides_a_layer(rail, qtbot):
    with qtbot.waitSignal(rail.layer_changed) as told:
        rail.rows["boxes"].eye.click()
    assert told.args == ["boxes", True, 1.0]
    with qtbot.waitSignal(rail.layer_changed) as told:
        rail.rows["boxes"].eye.click()
    assert told.args == ["boxes", False, 1.0]


def test_alt_and_eye_shows_a_layer_alone_and_again_all(rail, qtbot):
    told = []
    rail.solo.connect(told.append)
    for name in ("lines", "lines", "blobs", "words"):
        qtbot.mouseClick(rail.rows[name].eye, Qt.MouseButton.LeftButton,
                         Qt.KeyboardModifier.AltModifier)
    assert told == ["lines", "", "blobs", "words"]
    assert not rail.layer("lines")[0]       # solo leaves the eyes as they are


def test_the_slider_is_the_chosen_stages_opacity(rail, qtbot):
    qtbot.mouseClick(rail.rows["lines"], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(rail.layer_changed) as told:
        rail._slider.setValue(40)
    assert told.args == ["lines", False, 0.4]
    with qtbot.assertNotEmitted(rail.layer_changed):
        rail.choose("boxes")
    assert rail._slider.value() == 100 and rail.layer("lines")[1] == 0.4


def test_choosing_is_told(rail, qtbot):
    with qtbot.waitSignal(rail.chosen) as told:
        qtbot.mouseClick(rail.rows["boxes"], Qt.MouseButton.LeftButton)
    assert told.args == ["boxes"]


def test_a_key_of_two_tables_goes_through_both(rail):
    seen = []
    for _ in range(4):
        rail.press(8)
        seen.append((rail.layer("attempts")[0], rail.layer("words")[0]))
    # words are shown at first: next is none, attempts, both, words
    assert seen == [(False, False), (True, False), (True, True), (False, True)]


def test_key_zero_ends_solo(rail):
    told = []
    rail.toggle_solo("lines")
    rail.solo.connect(told.append)
    rail.press(0)
    rail.press(0)
    assert told == [""]


def test_every_control_has_an_accessible_name(rail):
    from PySide6.QtWidgets import QAbstractButton, QSlider
    controls = [*rail.findChildren(QSlider), *rail.findChildren(QAbstractButton)]
    assert len(controls) > len(STAGES)
    assert [c for c in controls if not c.accessibleName()] == []


def test_every_eye_is_in_reach_in_a_narrow_low_window_whatever_the_counts(qtbot, rail):
    rail.rows["buckets"].count.setText("12,345 keep, 23,456 look up, 34,567 drop")
    for name in STAGES:
        rail.set_stage_state(name, "done", 12.3)
    QWidget.show(rail)
    QTest.qWait(20)  # the layout hears of the new texts
    rail.resize(rail.minimumSizeHint().width(), 200)
    area = rail.findChild(QScrollArea)
    qtbot.waitUntil(lambda: area.verticalScrollBar().isVisible())
    for row in rail.rows.values():
        right = row.eye.mapTo(area.viewport(), row.eye.rect().topRight()).x()
        assert right < area.viewport().width(), row.name
