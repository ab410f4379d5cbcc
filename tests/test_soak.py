"""Windows opened, resized, filled and closed again and again, while threads make garbage (slow)."""

import gc
import threading

import numpy as np
import pytest
from PySide6.QtCore import QSettings, QSize
from PySide6.QtTest import QTest
from shiboken6 import isValid
from test_worker import drawn_page

from views.page_image import PageImage
from workbench.collector import Collector
from workbench.session import Session
from workbench.window import Window
from workbench.workspaces import DOCUMENTS, WORKSPACES

PATIENCE = 120  # s
ROUNDS = 3
LARGE = (3000, 2400)  # px: its copies are made in a thread
SIZES = [QSize(w, h) for w in (500, 640, 901, 1280, 1920) for h in range(300, 1200, 37)]

pytestmark = pytest.mark.slow


def wait(is_so) -> None:
    for _ in range(PATIENCE * 50):
        if is_so():
            return
        QTest.qWait(20)
    raise AssertionError("it did not happen in time")


def test_windows_live_through_resizing_changing_documents_and_threads_full_of_garbage(qapp, tmp_path):
    was_on = gc.isenabled()
    collector, is_over = Collector(), threading.Event()

    def churn() -> None:
        while not is_over.wait(0.01):
            kept = [[] for _ in range(5_000)]
            kept.append(kept)
    thread = threading.Thread(target=churn, daemon=True)
    thread.start()
    try:
        pages = [drawn_page(tmp_path / f"{k}.png", (f"Page {k}", "Total amount")) for k in range(2)]
        for k in range(ROUNDS):
            store = QSettings(str(tmp_path / f"store{k}.ini"), QSettings.Format.IniFormat)
            window = Window(Session(), store)
            window.show()
            for page in pages:
                window.open(page)
                wait(lambda session=window.session, page=page: session.path == str(page)
                     and session.reading.placed is not None)
            for name in (*(w.name for w in WORKSPACES), DOCUMENTS):
                window.workspaces.show_workspace(name)
                QTest.qWait(3000)
                for size in SIZES:
                    window.resize(size)
                    qapp.processEvents()
            window.close()
            window.deleteLater()
            QTest.qWait(20)
            assert not isValid(window)
    finally:
        is_over.set()
        thread.join()
        collector.stop()
        if not was_on:
            gc.disable()


def test_pictures_closed_while_their_copies_are_made_do_no_harm(qapp):
    was_on = gc.isenabled()
    collector = Collector()
    for k in range(60):
        picture = PageImage()
        picture.set_pixels(np.full(LARGE, k, np.uint8))
        QTest.qWait(k % 7)
        del picture
    wait(lambda: not any(t.name == "page copies" for t in threading.enumerate()))
    QTest.qWait(1500)
    collector.stop()
    if not was_on:
        gc.disable()
