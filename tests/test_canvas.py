"""The canvas shows a reading: camera, clicks, drags, hovering, the legend."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from hand_readings import HEIGHT, WIDTH, large_reading, small_reading
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QGraphicsScene,
    QLineEdit,
    QScrollBar,
    QTableView,
    QToolButton,
)

from core import geometry
from core.reading import Reading, Ref, lineage
from views import page_image
from views.canvas import Canvas
from views.page_image import PageImage, image_of


@pytest.fixture
def canvas(qtbot):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(800, 600)
    canvas.show(small_reading())
    canvas.show()
    qtbot.waitExposed(canvas)
    return canvas


def at(canvas, x, y) -> QPoint:
    """Viewport px of an upright point."""
    return canvas._view.mapFromScene(x, y)


def picture(canvas) -> np.ndarray:
    image = canvas._view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return pixels[:, :3 * image.width()].reshape(image.height(), -1, 3).copy()


def test_a_page_is_fitted_whole(canvas):
    x0, y0, x1, y1 = canvas.view_box()
    assert x0 <= 0 and y0 <= 0 and x1 >= WIDTH and y1 >= HEIGHT


def test_the_same_page_keeps_the_camera_and_another_page_is_fitted(canvas):
    canvas.set_camera(5.0, 100, 60)
    before = canvas.camera()
    canvas.show(replace(small_reading(), words=None))
    assert canvas.camera() == before
    canvas.show(large_reading(5))
    assert canvas.camera()[0] < 1


def test_a_turned_page_is_fitted_anew(canvas):
    canvas.set_camera(5.0, 100, 60)
    reading = small_reading()
    turned = replace(reading.upright, quarter_turns=1, gray=np.rot90(reading.upright.gray),
                     page_from_upright=geometry.invert(geometry.quarter_turns(1, WIDTH, HEIGHT)))
    canvas.show(Reading(page=reading.page, upright=turned))
    x0, y0, x1, y1 = canvas.view_box()
    assert x0 <= 0 and y0 <= 0 and x1 >= HEIGHT and y1 >= WIDTH


def test_the_page_picture_is_turned_with_the_upright_one(canvas):
    """Page and upright picture of a turned page show the same grey at the same place."""
    reading = small_reading()
    turned = replace(reading.upright, quarter_turns=1, gray=np.rot90(reading.upright.gray),
                     page_from_upright=geometry.invert(geometry.quarter_turns(1, WIDTH, HEIGHT)))
    canvas.show(Reading(page=reading.page, upright=turned))
    upright = picture(canvas)
    canvas.set_layer("upright", False)
    canvas.set_layer("page", True)
    page = picture(canvas)
    # Half a pixel of resampling at ink's edges may differ, no more.
    assert np.mean(np.abs(upright.astype(int) - page) > 40) < 0.01


def test_a_click_picks_and_alt_click_the_next_below(canvas, qtbot):
    canvas.set_layer("boxes", True)
    found = []
    canvas.picked.connect(found.append)
    view = canvas._view.viewport()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=at(canvas, 60, 55))
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier,
                     at(canvas, 60, 55))
    assert found == [Ref("words", 0), Ref("boxes", 0)]


def test_a_click_near_a_word_picks_it_and_far_from_it_nothing(canvas, qtbot):
    found = []
    canvas.picked.connect(found.append)
    view = canvas._view.viewport()
    edge = at(canvas, 20, 55)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=edge - QPoint(5, 0))
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=edge - QPoint(12, 0))
    assert found == [Ref("words", 0)]


def drag(canvas, qtbot, start, end, button=Qt.MouseButton.LeftButton, keys=Qt.KeyboardModifier.NoModifier):
    view = canvas._view.viewport()
    steps = [(QEvent.Type.MouseButtonPress, start), (QEvent.Type.MouseMove, (start + end) / 2),
             (QEvent.Type.MouseMove, end), (QEvent.Type.MouseButtonRelease, end)]
    for kind, point in steps:
        changed = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
        place = QPointF(point)
        QApplication.sendEvent(view, QMouseEvent(kind, place, view.mapToGlobal(place), changed, held, keys))


def test_a_rectangle_from_an_empty_place_is_probed_in_upright_px(canvas, qtbot):
    found = []
    canvas.probed.connect(found.append)
    drag(canvas, qtbot, at(canvas, 50, 180), at(canvas, 250, 260))
    assert len(found) == 1 and found[0].dtype == np.float32
    np.testing.assert_allclose(found[0], [50, 180, 250, 260], atol=2)   # whole screen px


def test_with_shift_a_rectangle_may_begin_on_a_word(canvas, qtbot):
    found = []
    canvas.probed.connect(found.append)
    drag(canvas, qtbot, at(canvas, 60, 55), at(canvas, 200, 90))
    assert not found
    canvas.fit()
    drag(canvas, qtbot, at(canvas, 60, 55), at(canvas, 200, 90), keys=Qt.KeyboardModifier.ShiftModifier)
    assert len(found) == 1


def test_a_middle_drag_moves_the_page_with_the_mouse(canvas, qtbot):
    canvas.set_camera(4.0, 200, 150)
    before = canvas._view.mapToScene(QPoint(300, 300))
    drag(canvas, qtbot, QPoint(300, 300), QPoint(360, 260), Qt.MouseButton.MiddleButton)
    after = canvas._view.mapToScene(QPoint(360, 260))
    assert (after - before).manhattanLength() < 1.5     # upright px, whole screen px at 4


def test_zooming_keeps_the_point_under_the_cursor(canvas):
    place = QPointF(500, 200)
    before = canvas._view.mapToScene(place.toPoint())
    for _ in range(6):
        canvas.zoom(1.25, place)
    after = canvas._view.mapToScene(place.toPoint())
    assert canvas.camera()[0] > 4 and (after - before).manhattanLength() < 2


def test_zoom_to_brings_a_word_into_view(canvas):
    canvas.set_camera(8.0, 350, 280)
    box = small_reading().words.box[0]
    assert not canvas.is_in_view(box)
    canvas.zoom_to(box)
    assert canvas.is_in_view(box)


def test_hovering_tells_place_grey_and_rows(canvas):
    told = []
    canvas.hovered.connect(told.append)
    canvas.set_layer("boxes", True)
    canvas.hover(QPointF(at(canvas, 60, 42)))
    assert "grey 245" in told[-1] and "words 0" in told[-1] and "boxes 0" in told[-1]
    assert "blobs" not in told[-1]
    assert "“Total”" in canvas.tip(QPointF(at(canvas, 60, 42)))


def test_the_legend_counts_the_shown_layers_and_filters(canvas):
    entries = canvas._legend.entries
    assert {layer for layer, _ in entries} == {"words"}
    assert entries["words", 2].text().endswith("1")
    assert canvas.overlay.pick(150, 130) == Ref("words", 3)
    entries["words", 2].click()                      # confidence below 0.5
    assert canvas.overlay.pick(150, 130) is None
    canvas._legend.entries["words", 2].click()
    assert canvas.overlay.pick(150, 130) == Ref("words", 3)


def test_overlays_hide_and_come_back(canvas):
    canvas.highlight(lineage(small_reading(), Ref("words", 0)))
    shown = picture(canvas)
    canvas.hide_overlays(True)
    bare = picture(canvas)
    canvas.hide_overlays(False)
    assert (shown != bare).any()
    np.testing.assert_array_equal(picture(canvas), shown)


def test_every_shown_layer_changes_the_picture(canvas):
    for name in ("blobs", "lines", "boxes", "segments", "buckets", "attempts", "placed"):
        canvas.set_layer("words", False)
        before = picture(canvas)
        canvas.set_layer(name, True, 0.8)
        assert (picture(canvas) != before).any(), name
        canvas.set_layer(name, False)


def test_a_layer_that_does_not_exist_is_an_error(canvas):
    with pytest.raises(KeyError):
        canvas.set_layer("letters", True)


def test_solo_is_ended_by_none_or_an_empty_name(canvas):
    for end in (None, ""):
        canvas.solo("lines")
        assert [rows.name for rows in canvas.overlay.shown()] == ["lines"]
        canvas.solo(end)
        assert [rows.name for rows in canvas.overlay.shown()] == ["words"]


def test_readings_grow_table_by_table(canvas):
    whole, reading = small_reading(), Reading()
    canvas.show(reading)
    for name in ("page", "upright", "blobs", "lines", "boxes", "segments", "transcripts", "buckets",
                 "attempts", "words", "placed"):
        reading = reading.with_table(whole.table(name))
        canvas.show(reading)
        picture(canvas)


def test_a_picture_is_written_as_png_and_svg(canvas, tmp_path):
    canvas.save_picture(tmp_path / "page.png")
    assert QImage(str(tmp_path / "page.png")).size().toTuple() == (WIDTH, HEIGHT)
    canvas.save_picture(tmp_path / "page.svg")
    assert "<svg" in (tmp_path / "page.svg").read_text()


def test_panning_keeps_the_references_to_none(canvas, qtbot):
    """PySide6 6.12 on Python 3.11 lost a reference to None in each void call, and aborted."""
    bar = canvas._view.horizontalScrollBar()
    canvas.set_camera(4.0, 200, 150)
    before = sys.getrefcount(None)
    for i in range(100):
        bar.setValue(bar.value() + (5 if i % 2 else -5))
        qtbot.wait(0)
    assert sys.getrefcount(None) > before - 50


def test_every_control_has_a_name_for_screen_readers(canvas):
    controls = [*canvas.findChildren(QAbstractButton), *canvas.findChildren(QAbstractSlider),
                *canvas.findChildren(QLineEdit)]
    mine = [c for c in controls if not isinstance(c, QScrollBar)
            and not c.objectName().startswith("qt_") and "Header" not in type(c.parent()).__name__]
    silent = [c for c in mine if not c.accessibleName() and not getattr(c, "text", str)()
              and type(c.parent()) is not QLineEdit and type(c.parent()) is not QTableView]
    assert silent == []


def test_a_large_page_is_shown_coarse_at_once_and_sharp_soon(qtbot):
    pixels = np.full((1500, 2000), 255, np.uint8)
    pixels[:, 1000:] = 60
    image = PageImage()
    image.set_pixels(pixels)
    assert not image.is_sharp
    assert drawn(image, 0.25)[0] == [255, 60]
    qtbot.waitUntil(lambda: image.is_sharp, timeout=20_000)
    assert drawn(image, 0.25)[0] == [255, 60]
    assert drawn(image, 1.0)[0] == [255, 60]


def test_copies_that_come_after_the_page_was_changed_are_not_shown(qtbot):
    image, first = PageImage(), np.zeros((1500, 2000), np.uint8)
    image.set_pixels(first)
    second = np.full((400, 500), 200, np.uint8)
    image.set_pixels(second)
    image._take(first, [image_of(first)])
    assert drawn(image, 0.25)[0] == [200, 200]


def test_a_page_too_large_to_be_converted_is_drawn_from_its_own_pixels(qtbot, monkeypatch):
    monkeypatch.setattr(page_image, "CONVERTED_UP_TO", 10_000)
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[:, 200:] = (10, 200, 30)
    image = PageImage()
    image.set_pixels(pixels)
    assert drawn(image, 1.0)[1] == [(0, 0, 0), (10, 200, 30)]


def drawn(item, scale):
    """(grey levels, colours) at a quarter and three quarters across the item's middle row."""
    width, height = (round(s * scale) for s in (item.boundingRect().width(),
                                                item.boundingRect().height()))
    target = QImage(width, height, QImage.Format.Format_RGB32)
    target.fill(Qt.GlobalColor.magenta)
    scene = QGraphicsScene()
    scene.addItem(item)
    painter = QPainter(target)
    scene.render(painter, QRectF(0, 0, width, height), item.boundingRect())
    painter.end()
    scene.removeItem(item)
    colours = [target.pixelColor(width * k // 4, height // 2) for k in (1, 3)]
    return [c.red() for c in colours], [c.getRgb()[:3] for c in colours]


def test_the_legend_starts_folded_where_it_would_hide_the_page_and_obeys_a_click(qtbot, canvas):
    legend = canvas._legend
    head = legend.findChild(QToolButton)
    canvas.resize(1200, 600)
    qtbot.waitUntil(lambda: head.isChecked())
    canvas.resize(240, 400)
    qtbot.waitUntil(lambda: not head.isChecked())
    head.click()
    assert head.isChecked()
    canvas.resize(250, 400)
    qtbot.wait(20)
    assert head.isChecked()
