"""Faults that end the process: resizing without end, foreign memory, what a thread holds last."""

import gc
import sys
import threading
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyledItemDelegate, QTreeWidget, QTreeWidgetItem
from shiboken6 import isValid

from views import page_image
from views.glyph_detail import GlyphDetail, Strips
from views.page_image import PageImage, _Halving, _shown_as, image_of

LARGE = (1500, 2000)  # px: copies of it are made in a thread
DEPTH = 5             # resizings within one another that a layout may need


# ---- resizing --------------------------------------------------------------------------------------

@pytest.fixture
def depth(monkeypatch):
    """[now, most] resizings of strips within one another; refuses to go on long before the stack ends."""
    depth, resize = [0, 0], Strips.resizeEvent

    def counted(strips, event):
        depth[0] += 1
        depth[1] = max(depth)
        if depth[0] <= 3 * DEPTH:
            resize(strips, event)
        depth[0] -= 1
    monkeypatch.setattr(Strips, "resizeEvent", counted)
    return depth


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_no_height_of_the_window_makes_the_glyph_detail_resize_without_end(qtbot, depth, step):
    detail = GlyphDetail()
    qtbot.addWidget(detail)
    detail.show()
    strips = tuple(np.zeros((48, 900), np.uint8) for _ in range(20))  # wider, so also higher
    detail.show_words(strips)
    detail.resize(420, 3000)
    QTest.qWait(20)
    full = detail.widget().sizeHint().height()
    for height in range(full - 120, full + 60, step):
        detail.resize(420, height)
        QTest.qWait(1)
    assert depth[1] <= DEPTH


# ---- pictures --------------------------------------------------------------------------------------

@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (300, 401), (300, 401, 3)])
@pytest.mark.parametrize("converted_up_to", [1, 10**9])
def test_pictures_hold_their_own_pixels(qapp, monkeypatch, shape, converted_up_to):
    monkeypatch.setattr(page_image, "CONVERTED_UP_TO", converted_up_to)
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    wanted = pixels.copy() if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    for make in (image_of, _shown_as):
        source = pixels.copy()
        image = make(source)
        source[:] = 77  # what is drawn must not be this
        assert np.array_equal(rgb(image), wanted)


def rgb(image: QImage) -> np.ndarray:
    """(H, W, 3) copy of the pixels."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, :3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def test_a_picture_closed_while_its_copies_are_made_ends_in_the_windows_thread(qtbot, monkeypatch):
    ends: list[threading.Thread] = []
    may_go_on = threading.Event()
    halve = page_image.halved_copies
    gc.collect()  # what earlier tests left does not count as an end below
    monkeypatch.setattr(page_image, "halved_copies",
                        lambda pixels: [may_go_on.wait(20), halve(pixels)][1])
    monkeypatch.setattr(_Halving, "__del__", lambda _: ends.append(threading.current_thread()),
                        raising=False)
    picture = PageImage()
    picture.set_pixels(np.zeros(LARGE, np.uint8))
    gone = weakref.ref(picture)
    del picture
    may_go_on.set()

    def ended() -> bool:
        gc.collect()
        return bool(ends) and gone() is None
    qtbot.waitUntil(ended, timeout=20_000)
    assert set(ends) == {threading.main_thread()}


# ---- reference counts ------------------------------------------------------------------------------

class _Teller(QObject):
    told = Signal(object)
    sized = Signal(str, float, bool)


def test_qt_takes_no_references_of_what_everybody_shares(qtbot):
    """A binding that drops one reference too many per call ends the process after some time."""
    shared = (None, True, False, "", 0, 1, int, QTreeWidgetItem, QStyledItemDelegate)
    teller, tree = _Teller(), QTreeWidget()
    qtbot.addWidget(tree)
    item = QTreeWidgetItem(["a"])
    tree.addTopLevelItem(item)
    teller.told.connect(lambda _: None)
    teller.sized.connect(lambda *_: None)
    picture = QImage(QSize(4, 4), QImage.Format.Format_RGB32)

    def emits() -> None:
        for _ in range(500):
            for value in (None, True, "", 1, int):
                teller.told.emit(value)
            teller.sized.emit("", 1.0, False)

    def rounds() -> list[int]:
        for _ in range(500):
            for value in (None, True, "", 1, int):
                item.setData(0, 256, value)
                item.data(0, 256)
            item.setHidden(False)
            tree.setEnabled(True)
            picture.fill(0)
            np.frombuffer(picture.bits(), np.uint8)
        emits()
        thread = threading.Thread(target=emits)  # its signals are queued
        thread.start()
        thread.join()
        QTest.qWait(10)
        return [sys.getrefcount(thing) for thing in shared]
    before, after = rounds(), rounds()
    lost = {repr(thing): b - a for thing, b, a in zip(shared, before, after, strict=True)
            if b - a > 100}
    assert lost == {}
    assert isValid(tree)
