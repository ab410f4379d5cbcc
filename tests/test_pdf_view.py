"""The written PDF: words read back stand where they were placed."""

import pytest
from hand_readings import WORDS, small_reading
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QLineEdit, QScrollBar, QTableView

from views.pdf_view import PdfView


@pytest.fixture
def view(qtbot):
    view = PdfView()
    qtbot.addWidget(view)
    view.resize(800, 640)
    reading = small_reading()
    words = [(text, 0.72 * box) for text, box in zip(WORDS, reading.words.box, strict=True)]
    view.show(reading.page.image, words, reading.page.points_from_page)
    view.show()
    qtbot.waitExposed(view)
    return view


def test_the_word_under_the_cursor_is_named(view):
    at = QPointF(view._view.mapFromScene(180, 135))
    assert view.word_at(at) == "world"
    assert view.word_at(QPointF(view._view.mapFromScene(300, 250))) == ""


def test_a_page_without_words_is_shown(view):
    view.show(small_reading().page.image, [], small_reading().page.points_from_page)
    assert view._count.text().startswith("0 words")
    view.grab()


def test_boxes_and_text_change_the_picture(view):
    whole = view._view.grab().toImage()
    view.words.show_text(False)
    boxes = view._view.grab().toImage()
    view.words.show_boxes(False)
    assert whole != boxes and boxes != view._view.grab().toImage()


def test_every_control_has_a_name_for_screen_readers(view):
    controls = [*view.findChildren(QAbstractButton), *view.findChildren(QAbstractSlider),
                *view.findChildren(QLineEdit)]
    mine = [c for c in controls if not isinstance(c, QScrollBar)
            and not c.objectName().startswith("qt_") and "Header" not in type(c.parent()).__name__]
    silent = [c for c in mine if not c.accessibleName() and not getattr(c, "text", str)()
              and type(c.parent()) is not QLineEdit and type(c.parent()) is not QTableView]
    assert silent == []
