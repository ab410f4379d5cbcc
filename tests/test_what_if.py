"""Relaxing one rule: what is offered, what comes and goes, and that the reading stays untouched."""

from dataclasses import replace

import numpy as np
import pytest
from hand_readings import small_reading
from test_worker import drawn_page

from core.detector import mser
from core.reading import Reading, Ref, lineage, text_array
from core.settings import Settings
from tests.pages import draw_page, upright_of
from views.what_if import WhatIf, changes, partners
from workbench.session import Session

PATIENCE = 60_000  # ms


# ---- comparing ---------------------------------------------------------------------------------

def test_a_table_differs_in_nothing_from_itself():
    blobs = small_reading().blobs
    for other in (blobs, replace(blobs, box=blobs.box.copy())):
        found = changes(blobs, other)
        assert len(found.come) == len(found.gone) == len(found.altered) == 0


def test_a_blob_that_is_no_longer_refused_comes_and_one_newly_refused_goes():
    old = small_reading().blobs
    fate = old.fate.copy()
    fate[9], fate[0] = 0, 2
    found = changes(old, replace(old, fate=fate))
    assert found.come.tolist() == [9] and found.gone.tolist() == [0]


def test_a_box_shifted_a_little_is_the_same_and_far_away_another():
    boxes = small_reading().boxes
    near, far = boxes.box.copy(), boxes.box.copy()
    near[0] += 2
    far[0, ::2] += 150
    far[0, 1::2] += 150
    assert len(changes(boxes, replace(boxes, box=near)).come) == 0
    found = changes(boxes, replace(boxes, box=far))
    assert found.come.tolist() == [0] and found.gone.tolist() == [0]


def test_a_word_with_another_text_in_its_place_is_altered():
    words = small_reading().words
    texts = [*words.text.tolist()]
    texts[1] = "72.50"
    found = changes(words, replace(words, text=text_array(texts)))
    assert found.altered.tolist() == [1] and len(found.come) == len(found.gone) == 0


def test_partners_of_many_boxes_are_found_in_pieces():
    x = np.arange(2_000) * 20.0
    a = np.stack([x, 0 * x, x + 10, 0 * x + 10], axis=1).astype(np.float32)
    b = a[::-1] + np.float32(1)
    assert (partners(a, b) == np.arange(2_000)[::-1]).all()
    assert (partners(a, b[:0]) == -1).all()


# ---- the view ----------------------------------------------------------------------------------

@pytest.fixture
def view(qtbot):
    view = WhatIf()
    qtbot.addWidget(view)
    view.resize(400, 320)
    view.show()
    view.asks = []
    view.asked.connect(lambda settings, path: view.asks.append((settings, path)))
    return view


def faint_page() -> Reading:
    """Ink, and faint bars beside it that `min_contrast` refuses."""
    gray, _ = draw_page(["some words of ink", "and more below it"], size=(640, 400))
    for x in range(20, 400, 24):
        gray[330:345, x:x + 9] = 213
    upright = upright_of(gray)
    return Reading(upright=upright, blobs=mser.blobs(upright))


def faint_row(reading: Reading) -> int:
    code = reading.blobs.FATES.index("too faint")
    return int(np.flatnonzero((reading.blobs.fate == code) & (reading.blobs.box[:, 1] > 320))[0])


def test_a_kept_blob_offers_nothing(view):
    reading = small_reading()
    view.show(reading)
    view.highlight(lineage(reading, Ref("blobs", 0)))
    assert not view.relax.isVisible()


def test_a_duplicate_cannot_be_relaxed_and_says_so(view):
    reading = small_reading()
    view.show(reading)
    view.highlight(lineage(reading, Ref("blobs", 11)))
    assert not view.relax.isEnabled() and "no setting decides" in view._facts.text()


def test_relaxing_a_faint_blob_changes_the_contrast_alone_and_lets_it_pass(view):
    reading = faint_page()
    row = faint_row(reading)
    view.show(reading)
    view.highlight(lineage(reading, Ref("blobs", row)))
    assert "too faint" in view._facts.text()
    view.relax.click()
    (settings, path), = view.asks
    assert path == "blobs.min_contrast"
    assert settings.blobs.min_contrast < Settings().blobs.min_contrast
    assert replace(settings.blobs, min_contrast=Settings().blobs.min_contrast) == Settings().blobs
    trial = Reading(upright=reading.upright, blobs=mser.blobs(reading.upright, settings.blobs))
    marks = []
    view.marked.connect(lambda come, gone: marks.append((len(come), len(gone))))
    view.show_trial(trial, settings, path, "done")
    assert row in changes(reading.blobs, trial.blobs).come
    n_come = len(changes(reading.blobs, trial.blobs).come)
    assert view.counts.item(0, 0).text() == f"+{n_come}" and marks[-1] == (n_come, 0)
    assert "That row is now <b>kept</b>" in view._told.text()
    view.show_trial(Reading(), None, "", "")
    assert marks[-1] == (0, 0) and not view.keep.isVisible()


# ---- with a session ----------------------------------------------------------------------------

@pytest.fixture(scope="module")
def session(qapp):
    session = Session()
    yield session
    session.close()


def test_a_trial_leaves_the_reading_alone_and_keeping_it_runs_nothing(qtbot, session, tmp_path):
    path = drawn_page(tmp_path / "page.png", ("Invoice number", "Total amount"))
    session.open(path)
    qtbot.waitUntil(lambda: session.reading.placed is not None and not session.is_busy,
                    timeout=PATIENCE)
    before, settings = session.reading, session.settings
    tried = replace(settings, boxes=replace(settings.boxes, min_area=0.05))
    session.try_settings(tried, "boxes.min_area")
    qtbot.waitUntil(lambda: session.trial.state == "done", timeout=PATIENCE)
    assert session.reading is before and session.settings == settings
    assert session.trial.reading.blobs is before.blobs      # what comes before is shared
    assert session.trial.reading.boxes is not before.boxes
    assert session.history.undo_text == ""
    of_trial, ran = session.trial.reading, []
    session.state.connect(lambda name, state, _: state == "done" and ran.append(name))

    session.keep_trial()
    assert session.trial.settings is None and session.settings == tried
    assert not session.is_busy and session.reading.words is of_trial.words
    session.history.undo()
    session.read()
    assert not session.is_busy and session.reading.words is before.words and ran == []

    session.try_settings(tried, "boxes.min_area")           # known by now: there at once
    assert session.trial.state == "done" and session.trial.reading.words is of_trial.words
    session.leave_trial()
    assert session.trial.settings is None and session.reading.words is before.words


def test_a_new_reading_ends_the_trial(qtbot, session):
    assert session.source is not None
    tried = replace(session.settings, boxes=replace(session.settings.boxes, min_area=0.04))
    session.try_settings(tried, "boxes.min_area")
    session.set_setting("words.ink", session.settings.words.ink * 0.98)
    session.read()
    assert session.trial.settings is None
    qtbot.waitUntil(lambda: not session.is_busy, timeout=PATIENCE)
    assert session.reading.placed is not None and session.trial.state == ""
