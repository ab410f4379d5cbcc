"""The session: what is read again and what is not, cancelling, bad files, undo, the selection."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_worker import drawn_page

from core.reading import STAGES, Ref
from core.settings import Settings, changed
from workbench.edits import Said
from workbench.session import Session, place, ref_at

PATIENCE = 60_000  # ms
LINES = ("Invoice number", "Total amount")


class Log:
    """What a session said, in order."""

    def __init__(self, session: Session) -> None:
        self.ran: list[str] = []       # stages whose table was made, not known
        self.failures, self.passwords, self.picks, self.wrote = [], [], [], []
        session.state.connect(lambda name, state, _: state == "done" and self.ran.append(name))
        session.failed.connect(self.failures.append)
        session.needs_password.connect(lambda path, _: self.passwords.append(path))
        session.picked.connect(self.picks.append)
        session.wrote.connect(self.wrote.append)


@pytest.fixture(scope="module")
def shared_session(qapp):
    session = Session()
    yield session
    session.close()


@pytest.fixture
def session(shared_session, qtbot):
    """One worker for all tests; settings, memo and log start afresh."""
    session = shared_session
    qtbot.waitUntil(lambda: not session.is_busy, timeout=PATIENCE)
    session.history.forget(Said())
    session.memo, session.log = type(session.memo)(), Log(session)
    yield session
    for signal in (session.state, session.failed, session.needs_password, session.picked,
                   session.wrote):
        signal.disconnect()


@pytest.fixture
def page(tmp_path):
    return drawn_page(tmp_path / "page.png", LINES)


def read(qtbot, session, path):
    session.open(path)
    qtbot.waitUntil(lambda: session.path == str(path) and not session.is_busy, timeout=PATIENCE)
    assert session.log.failures == []


def settle(qtbot, session):
    """Wait until an edit has been read."""
    session.read()
    qtbot.waitUntil(lambda: not session.is_busy, timeout=PATIENCE)


def test_a_page_is_read_to_the_end(qtbot, session, page):
    read(qtbot, session, page)
    assert all(session.reading.table(name) is not None for name in STAGES)
    assert session.log.ran == list(STAGES)


def test_a_bucket_limit_never_runs_the_net(qtbot, session, page):
    read(qtbot, session, page)
    session.log.ran.clear()
    limit = bucket_limit(session.settings)
    session.set_setting(*limit)
    settle(qtbot, session)
    assert "buckets" in session.log.ran
    assert not set(session.log.ran) & set(STAGES[:STAGES.index("buckets")])


def bucket_limit(settings: Settings) -> tuple[str, float]:
    """A setting of the buckets, moved a little within its limits."""
    from dataclasses import fields
    name = next(f.name for f in fields(settings.buckets)
                if isinstance(getattr(settings.buckets, f.name), float))
    return f"buckets.{name}", getattr(settings.buckets, name) * 0.98


def test_changing_a_setting_back_is_free(qtbot, session, page):
    read(qtbot, session, page)
    before = session.reading
    session.set_setting("blobs.delta", session.settings.blobs.delta + 3)
    settle(qtbot, session)
    assert session.reading.blobs is not before.blobs
    session.log.ran.clear()
    session.history.undo()
    assert session.settings == Settings()
    session.read()
    assert not session.is_busy  # the worker is not even asked
    assert session.log.ran == []
    assert session.reading.placed is before.placed


def has_ended(pid: int) -> bool:
    """Whether there is no such process any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_cancel_ends_the_process_and_keeps_all_tables(qtbot, session, page):
    read(qtbot, session, page)
    before, pid = session.reading, session.link.pid
    session.set_setting("page.max_megapixels", 300.0)  # all stages again
    session.read()
    assert session.is_busy
    session.cancel()
    assert not session.is_busy
    qtbot.waitUntil(lambda: has_ended(pid), timeout=500)  # ms: the promise to the user
    assert session.link.pid not in (None, pid)
    session.log.ran.clear()
    session.history.undo()
    session.read()
    assert not session.is_busy and session.log.ran == []
    assert session.reading.placed is before.placed


def test_after_a_cancel_only_what_is_missing_is_read(qtbot, session, page):
    read(qtbot, session, page)
    session.set_setting(*bucket_limit(session.settings))
    session.read()
    session.cancel()
    session.log.ran.clear()
    settle(qtbot, session)  # by a fresh worker, to which the known tables are handed
    assert session.reading.placed is not None
    assert not set(session.log.ran) & set(STAGES[:STAGES.index("buckets")])


def test_a_killed_worker_is_replaced_and_told_of(qtbot, session, page):
    read(qtbot, session, page)
    with qtbot.waitSignal(session.failed, timeout=PATIENCE):
        os.kill(session.link.pid, 9)
    assert "ended unexpectedly" in session.log.failures[0].message
    session.log.failures.clear()
    session.set_setting("blobs.delta", session.settings.blobs.delta + 2)
    settle(qtbot, session)
    assert session.reading.placed is not None


@pytest.mark.parametrize("content", [b"", b"no picture", b"%PDF-1.4\ncut", b"\xff\xd8\xff\xe0cut"])
def test_a_bad_file_is_told_and_the_old_one_stays(qtbot, session, page, tmp_path, content):
    read(qtbot, session, page)
    bad = tmp_path / "broken.dat"
    bad.write_bytes(content)
    with qtbot.waitSignal(session.failed, timeout=PATIENCE):
        session.open(bad)
    assert "broken.dat" in session.log.failures[0].message
    qtbot.waitUntil(lambda: not session.is_busy, timeout=PATIENCE)
    assert session.path == str(page) and session.reading.placed is not None


def test_a_locked_pdf_asks_for_its_password(qtbot, session, tmp_path):
    import pymupdf
    path = tmp_path / "locked.pdf"
    with pymupdf.open() as pdf:
        pdf.new_page(width=200, height=100)
        pdf.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="open sesame", owner_pw="x")
    with qtbot.waitSignal(session.needs_password, timeout=PATIENCE):
        session.open(path)
    assert session.log.passwords == [str(path)]
    session.open(path, "open sesame")
    qtbot.waitUntil(lambda: session.path == str(path) and not session.is_busy, timeout=PATIENCE)
    assert session.reading.placed is not None


def test_a_wrong_value_is_told_and_not_taken(session):
    session.set_setting("blobs.delta", "high")
    session.set_setting("blobs.no_such_thing", 1)
    assert len(session.log.failures) == 2
    assert session.settings == Settings() and len(session.history) == 0


def test_quick_edits_of_one_setting_undo_as_one(qtbot, session, page):
    read(qtbot, session, page)
    for delta in range(3, 9):
        session.set_setting("blobs.delta", type(session.settings.blobs.delta)(delta))
    assert len(session.history) == 1
    session.history.undo()
    assert session.settings == Settings()


def test_a_page_turned_by_hand_is_turned(qtbot, session, page):
    read(qtbot, session, page)
    width, height = session.reading.page.size
    session.turn_by_hand(1)
    settle(qtbot, session)
    assert session.reading.upright.quarter_turns == 1
    assert session.reading.upright.size == (height, width)
    session.history.undo()
    session.read()
    assert session.turns == {}


def test_the_selection_is_found_again_after_another_reading(qtbot, session, page):
    read(qtbot, session, page)
    box = session.reading.boxes.box[1]
    session.pick(Ref("boxes", 1))
    session.set_setting("blobs.delta", session.settings.blobs.delta + 1)
    settle(qtbot, session)
    assert session.selection is not None and session.selection.table == "boxes"
    assert np.abs(session.reading.boxes.box[session.selection.row] - box).max() < 4  # px


def test_a_row_without_geometry_is_found_by_its_segment(qtbot, session, page):
    read(qtbot, session, page)
    ref = Ref("transcripts", len(session.reading.transcripts) - 1)
    assert ref_at(session.reading, *place(session.reading, ref)) == ref


@pytest.mark.parametrize("format", ["pdf", "json", "txt"])
def test_documents_are_written_whole_or_not_at_all(qtbot, session, page, tmp_path, format):
    read(qtbot, session, page)
    out = tmp_path / f"out.{format}"
    with qtbot.waitSignal(session.wrote, timeout=PATIENCE):
        session.write(out, format)
    assert out.stat().st_size > 0
    assert [p.name for p in tmp_path.iterdir() if p not in (page, out)] == []
    with qtbot.waitSignal(session.failed, timeout=PATIENCE):
        session.write(tmp_path / "page.png" / f"out.{format}", format)  # its folder is a file
    assert "page.png" in session.log.failures[0].message


def test_pages_of_a_document_are_read_one_by_one(qtbot, session, tmp_path):
    path = tmp_path / "two.tiff"
    pages = [np.full((120 + 20 * i, 300), 255, np.uint8) for i in range(2)]
    assert cv2.imwritemulti(str(path), pages)
    read(qtbot, session, Path(path))
    assert session.reading.page.size == (300, 120)
    session.go_to(1)
    qtbot.waitUntil(lambda: not session.is_busy, timeout=PATIENCE)
    assert session.reading.page.size == (300, 140)
    session.log.ran.clear()
    session.go_to(0)
    assert not session.is_busy and session.log.ran == []  # known still
    session.go_to(7)
    assert session.page == 0


def test_settings_of_a_page_carry_its_turn(session):
    session.history.edit("turn", Said(Settings(), {2: 3}))
    assert session.page_settings(2) == changed(Settings(), "upright.turn", 3)
    assert session.page_settings(0) == Settings()
