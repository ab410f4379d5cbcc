"""The seam to Qt: one signal per message, and what happens when the worker's process ends."""

import os
from multiprocessing.shared_memory import SharedMemory

import pytest
from test_worker import drawn_page

from core.reading import Page
from core.settings import Settings
from workbench import messages
from workbench.link import Link

PATIENCE = 60_000  # ms


@pytest.fixture
def link(qtbot):
    link = Link()
    link.start()
    yield link
    link.close()


def opened(qtbot, link, path):
    with qtbot.waitSignal(link.arrived, timeout=PATIENCE,
                          check_params_cb=lambda m: isinstance(m, messages.Opened)) as caught:
        link.send(messages.Open(1, str(path)))
    return caught.args[0].source


def test_tables_arrive_unpacked(qtbot, link, tmp_path):
    source = opened(qtbot, link, drawn_page(tmp_path / "page.png", ("Seam",)))
    with qtbot.waitSignal(link.arrived, timeout=PATIENCE,
                          check_params_cb=lambda m: isinstance(m, messages.MadeTable)) as caught:
        link.send(messages.Read(2, source.digest, 0, Settings(), "page"))
    assert isinstance(caught.args[0].table, Page)


def test_a_worker_that_dies_is_told_of(qtbot, link):
    with qtbot.waitSignal(link.arrived, timeout=PATIENCE):  # Ready
        pass
    with qtbot.waitSignal(link.ended, timeout=PATIENCE) as caught:
        os.kill(link.pid, 11)  # as native code would
    assert caught.args == [-11, False]
    assert link.pid is None


def test_a_kill_is_meant_and_leaves_no_shared_memory(qtbot, link, tmp_path):
    source = opened(qtbot, link, drawn_page(tmp_path / "page.png", ("Kill", "me")))
    theirs = link._child.theirs
    link.send(messages.Read(2, source.digest, 0, Settings(), "blobs", source=source))
    with qtbot.waitSignal(link.ended, timeout=PATIENCE) as caught:
        link.kill()
    assert caught.args[1] is True
    for number in range(20):
        with pytest.raises(FileNotFoundError):
            SharedMemory(f"{theirs}-{number}")


def test_after_a_kill_a_fresh_worker_answers(qtbot, link, tmp_path):
    first = link.pid
    link.kill()
    link.start()
    assert link.pid != first
    assert opened(qtbot, link, drawn_page(tmp_path / "page.png", ("Again",))).n_pages == 1
