"""Cyclic garbage with Qt objects in it ends in the window's thread, whoever made it."""

import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QObject

from workbench.collector import Collector, collect_due

ROOT = Path(__file__).parents[1]
# Objects that signals are still on their way to become garbage while threads allocate: without the
# collector this ends with a segmentation fault at the second or third of them.
DANGEROUS = """
import sys, threading
from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot
from workbench.collector import Collector
app = QCoreApplication([])
collector = Collector(app) if "with" in sys.argv else None

class Teller(QObject):
    told = Signal(object)
    def __init__(self):
        super().__init__()
        self.me = self
        self.told.connect(self.hear)
    @Slot(object)
    def hear(self, thing):
        self.heard = thing

def run(work):
    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        app.processEvents()

def emit(teller):
    run(lambda: [teller.told.emit((k,)) for k in range(200)])

for _ in range(200):
    emit(Teller())
    run(lambda: [[] for _ in range(5000)])
"""
MANY = 20_000  # objects: many times the first threshold


class _Told(QObject):
    """Tells in which thread it ended."""

    def __init__(self, ends: list[threading.Thread]) -> None:
        super().__init__()
        self.ends, self.me = ends, self  # a cycle: only the collector ends it

    def __del__(self) -> None:
        self.ends.append(threading.current_thread())


@pytest.fixture
def collector(qapp):
    was_on = gc.isenabled()
    collector = Collector()
    yield collector
    collector.stop()
    if not was_on:
        gc.disable()


def allocate() -> None:
    """As a thread that unpickles a large message; it runs the automatic collector if that is on."""
    kept = [[] for _ in range(MANY)]
    del kept


def in_a_thread(work) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_qt_objects_end_in_the_windows_thread(collector, qtbot):
    ends: list[threading.Thread] = []
    for _ in range(20):
        _Told(ends)
        in_a_thread(allocate)
    assert ends == []  # nothing was collected in the threads
    usual = gc.get_threshold()
    gc.set_threshold(usual[0], 1, 1)  # what other tests left may have aged these: all ages are due soon
    try:
        allocate()
        qtbot.waitUntil(lambda: allocate() or len(ends) == 20, timeout=20_000)
    finally:
        gc.set_threshold(*usual)
    assert set(ends) == {threading.main_thread()}


def test_without_it_they_end_where_memory_is_asked_for(collector):
    """The fault that it prevents; were this no longer so, the module could go."""
    collector.stop()
    ends: list[threading.Thread] = []
    gc.collect()
    _Told(ends)
    in_a_thread(allocate)
    gc.disable()
    assert ends and ends[0] is not threading.main_thread()


def test_the_interpreter_has_its_collector_back_afterwards(collector):
    assert not gc.isenabled()
    collector.stop()
    assert gc.isenabled()


def test_only_what_is_due_is_collected(collector):
    gc.collect()
    assert collect_due() == -1
    kept = [[] for _ in range(MANY)]
    assert collect_due() == 0
    del kept


def test_a_program_lives_whose_objects_become_garbage_under_way(qapp):
    done = subprocess.run([sys.executable, "-c", DANGEROUS, "with"], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
