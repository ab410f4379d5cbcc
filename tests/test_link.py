"""The seam to Qt: one signal per message, and what happens when the worker's process ends."""

import os
from multiprocessing.shared_memory import SharedMemory

import pytest
from PySide6.QtCore import QObject, Slot
from test_worker import drawn_page

from core.reading import Page
from core.settings import Settings
from workbench import messages
from workbench.link import Link

PATIENCE = 60_000  # ms


class Inbox(QObject):
    """Keeps what a link says. The link's signals come from other threads, so they must end at slots of
    an object of the window's thread; qtbot.waitSignal connects a plain function and can crash."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.messages: list = []
        self.ends: list[tuple[int, bool]] = []
        link.arrived.connect(self.keep)
        link.ended.connect(self.end)

    @Slot(object)
    def keep(self, message: object) -> None:
        self.messages.append(message)

    @Slot(int, bool)
    def end(self, code: int, is_meant: bool) -> None:
        self.ends.append((code, is_meant))

    def of(self, kind: type) -> list:
        return [message for message in self.messages if isinstance(message, kind)]


@pytest.fixture
def link(qtbot):
    link = Link()
    link.inbox = Inbox(link)
    link.start()
    yield link
    link.close()


def opened(qtbot, link, path):
    link.send(messages.Open(1, str(path)))
    qtbot.waitUntil(lambda: bool(link.inbox.of(messages.Opened)), timeout=PATIENCE)
    return link.inbox.of(messages.Opened)[0].source


def test_tables_arrive_unpacked(qtbot, link, tmp_path):
    source = opened(qtbot, link, drawn_page(tmp_path / "page.png", ("Seam",)))
    link.send(messages.Read(2, source.digest, 0, Settings(), "page"))
    qtbot.waitUntil(lambda: bool(link.inbox.of(messages.MadeTable)), timeout=PATIENCE)
    assert isinstance(link.inbox.of(messages.MadeTable)[0].table, Page)


def test_a_worker_that_dies_is_told_of(qtbot, link):
    qtbot.waitUntil(lambda: bool(link.inbox.messages), timeout=PATIENCE)  # Ready
    os.kill(link.pid, 11)  # as native code would
    qtbot.waitUntil(lambda: bool(link.inbox.ends), timeout=PATIENCE)
    assert link.inbox.ends == [(-11, False)]
    assert link.pid is None


def test_a_kill_is_meant_and_leaves_no_shared_memory(qtbot, link, tmp_path):
    source = opened(qtbot, link, drawn_page(tmp_path / "page.png", ("Kill", "me")))
    theirs = link._child.theirs
    link.send(messages.Read(2, source.digest, 0, Settings(), "blobs", source=source))
    link.kill()
    qtbot.waitUntil(lambda: bool(link.inbox.ends), timeout=PATIENCE)
    assert link.inbox.ends[0][1] is True
    for number in range(20):
        with pytest.raises(FileNotFoundError):
            SharedMemory(f"{theirs}-{number}")


def test_after_a_kill_a_fresh_worker_answers(qtbot, link, tmp_path):
    first = link.pid
    link.kill()
    link.start()
    assert link.pid != first
    assert opened(qtbot, link, drawn_page(tmp_path / "page.png", ("Again",))).n_pages == 1
