"""The page with its overlays: one camera, pan, zoom, picking, probing and the legend.

Scene frame: upright px. The canvas knows readings and lineages, no session and no other view.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPixmapCache,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsItem,
    QGraphicsLineItem,
    QGraphicsScene,
    QGraphicsView,
    QRubberBand,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from core.reading import Lineage, Reading, Ref
from views.layers import (
    BLOB_CODES,
    BLOB_FILTERS,
    IMAGES,
    LAYERS,
    POLARITY_FILTERS,
    SHOWN_AT_FIRST,
    caption,
)
from views.legend import Legend
from views.overlay import DIMMED, BaselineItem, ChangeItem, HighlightItem, OverlayItem
from views.page_image import PageImage

REACH = 6.0                    # screen px from which the nearest row is still picked
STILL = 4                      # screen px: a shorter drag is a click
ZOOM_STEP = 1.25               # per notch of the wheel
ZOOM_RESTS = 150               # ms after the last step of a zoom until the overlay may be cached
LARGEST_ZOOM, SMALLEST_ZOOM = 64.0, 0.01   # screen px per upright px
PIXMAP_CACHE_KB = 262_144      # Qt's 10 MB do not hold one overlay of a large window
ZOOM_TO_WIDTH, ZOOM_TO_HEIGHT = 0.5, 0.12   # of the view that a box zoomed to fills at most
NAMES_IN_STATUS = 4            # rows per layer named in the status text


class Canvas(QWidget):
    """Shows a reading. `picked` on a click, `probed` by dragging a rectangle, `hovered` on moves.

    probed gives a (4,) float32 box in upright px. Left drag from an empty place of the page (or
    anywhere with Shift) draws the rectangle; middle drag, Space and left drag, or a left drag from
    a row or from beside the page moves the page.
    """

    picked = Signal(object)
    probed = Signal(object)
    hovered = Signal(str)
    pointed = Signal(float, float)   # upright px under the pointer; NaN when it leaves
    zoomed = Signal(float)     # screen px per upright px

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        QPixmapCache.setCacheLimit(max(QPixmapCache.cacheLimit(), PIXMAP_CACHE_KB))
        self.setAccessibleName("Page with overlays")
        self._reading = Reading()
        self._lineage: Lineage | None = None
        self._picked: Ref | None = None
        self._hovered: Ref | None = None
        self._camera_of: tuple | None = None
        self._fitted = True
        self._shown_images = {name: name in SHOWN_AT_FIRST for name in IMAGES}
        self._image_opacity = dict.fromkeys(IMAGES, 1.0)
        self._overlays_hidden = False
        self.overlay, self._marked, self._hover_mark = OverlayItem(), HighlightItem(), HighlightItem()
        self._baselines, self._changes = BaselineItem(), ChangeItem()
        self._are_baselines_on = True
        self._images = {name: PageImage() for name in IMAGES}
        self._scene = QGraphicsScene(self)
        self._scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self._time = QGraphicsLineItem()
        pen = QPen(QColor("#d55e00"), 2)
        pen.setCosmetic(True)
        self._time.setPen(pen)
        self._time.hide()
        for item in (*self._images.values(), self.overlay, self._baselines, self._marked,
                     self._changes, self._hover_mark, self._time):
            self._scene.addItem(item)
        self._view = _View(self._scene, self)
        self._resting = QTimer(self, singleShot=True, interval=ZOOM_RESTS)
        self._resting.timeout.connect(self._tune)
        self._legend = Legend(self._view)
        self._legend.toggled.connect(self._filter)
        self._legend.filtered.connect(self.filter_blobs)
        self._legend.baselines_shown.connect(self.show_baselines)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)
        self.setFocusProxy(self._view)

    # ---- what is shown -------------------------------------------------------------------------

    def show(self, reading: Reading | None = None) -> None:
        """Show a reading; the camera stays while it is the same page, turned the same way.

        Without a reading this is QWidget.show.
        """
        if reading is None:
            super().show()
            return
        self._reading = reading
        self._set_images()
        self.overlay.show(reading)
        self._baselines.show(reading)
        self._scene.setSceneRect(self._roam())
        camera_of = self._page_key()
        if camera_of != self._camera_of and camera_of is not None:
            self._camera_of = camera_of
            self.highlight(None)
            self.fit()
        else:
            self._marked.mark(self.overlay.layers, self._lineage)
            self._hover_mark.mark(self.overlay.layers, None)
        self._refresh()

    def _page_key(self) -> tuple | None:
        page, upright = self._reading.page, self._reading.upright
        if page is None:
            return None
        return page.digest, (self._size(), upright.quarter_turns) if upright else None

    def _size(self) -> tuple[int, int]:
        """Width and height of the scene's page, px."""
        made = self._reading.upright or self._reading.page
        return made.size if made else (1, 1)

    def _set_images(self) -> None:
        page, upright = self._reading.page, self._reading.upright
        self._images["upright"].set_pixels(upright.gray if upright else None)
        turn = QTransform()
        if upright is not None:
            a = np.asarray(upright.page_from_upright)
            turn = QTransform(a[0, 0], a[1, 0], a[0, 1], a[1, 1], a[0, 2], a[1, 2]).inverted()[0]
        self._images["page"].set_pixels(page.image if page else None, turn)
        self._place_images()

    def _place_images(self) -> None:
        # While `upright` is not made the page stands in for it, so there is always a picture.
        alone = self._reading.upright is None
        for name, item in self._images.items():
            item.setVisible(self._shown_images[name] or (name == "page" and alone))
            item.setOpacity(1.0 if name == "page" and alone else self._image_opacity[name])

    def _roam(self) -> QRectF:
        """The page and its longer side around it, so that any corner can be brought to the middle."""
        width, height = self._size()
        around = max(width, height)
        return QRectF(-around, -around, width + 2 * around, height + 2 * around)

    def set_layer(self, name: str, visible: bool, opacity: float = 1.0) -> None:
        """Show or hide one stage's layer or picture, opacity 0 to 1."""
        if name in IMAGES:
            self._shown_images[name], self._image_opacity[name] = visible, opacity
            self._place_images()
        elif name in LAYERS:
            self.overlay.visible[name], self.overlay.opacity_of[name] = visible, opacity
        else:
            raise KeyError(name)
        self._refresh()

    def solo(self, name: str | None) -> None:
        """Draw only this layer; None or "" brings the others back. Pictures stay."""
        self.overlay.solo = name if name in LAYERS else None
        self._refresh()

    def hide_overlays(self, hidden: bool) -> None:
        """Hide every overlay, highlight and legend while true (a key held down)."""
        self._overlays_hidden = hidden
        self.overlay.setVisible(not hidden)
        self._changes.setVisible(not hidden and bool(len(self._changes.come)
                                                     + len(self._changes.gone)))
        self._place_baselines()
        self._marked.setVisible(not hidden and self._marked.n_marked > 0)
        self._hover_mark.setVisible(not hidden and self._hover_mark.n_marked > 0)
        self._legend.setVisible(not hidden and bool(self._legend.entries))

    def highlight(self, lineage: Lineage | None) -> None:
        """Emphasise a row with its ancestors and descendants and dim the rest; None ends it."""
        self._lineage, self._picked = lineage, lineage.picked if lineage else None
        self._marked.mark(self.overlay.layers, lineage)
        self.overlay.setOpacity(DIMMED if lineage else 1.0)
        if self._overlays_hidden:
            self._marked.hide()

    def mark_changes(self, come: NDArray, gone: NDArray) -> None:
        """Draw what another reading has more and less, quads (n, 4, 2) in upright px."""
        self._changes.mark(come, gone)
        if self._overlays_hidden:
            self._changes.hide()

    def show_baselines(self, shown: bool) -> None:
        """Draw baselines and x-heights with the layer of lines, or do not."""
        self._are_baselines_on = shown
        self._place_baselines()

    def _place_baselines(self) -> None:
        is_layer_shown = any(rows.name == "lines" for rows in self.overlay.shown())
        self._baselines.setVisible(self._are_baselines_on and is_layer_shown
                                   and not self._overlays_hidden)

    def filter_blobs(self, name: str) -> None:
        """Show the blobs of one of BLOB_FILTERS or POLARITY_FILTERS."""
        if name in POLARITY_FILTERS:
            self.overlay.polarity = POLARITY_FILTERS[name]
        else:
            hidden = {("blobs", code) for code in BLOB_CODES if code not in BLOB_FILTERS[name]}
            self.overlay.hidden_codes -= {("blobs", code) for code in BLOB_CODES}
            self.overlay.hidden_codes |= hidden
            self._legend.check(self.overlay.code_shown)
        self._refresh()

    def mark_time(self, x: float, y: float) -> None:
        """Draw a short line across the text at this upright point; NaN takes it away."""
        if not np.isfinite([x, y]).all():
            self._time.hide()
            return
        half = 30 / self._scale()
        self._time.setLine(QLineF(x, y - half, x, y + half))
        self._time.show()

    def _filter(self, layer: str, code: int, shown: bool) -> None:
        (self.overlay.hidden_codes.discard if shown else self.overlay.hidden_codes.add)((layer, code))
        self._refresh()

    def _refresh(self) -> None:
        self._legend.show_layers(self.overlay.shown(), self.overlay.code_shown)
        if self._overlays_hidden:
            self._legend.hide()
        self._place_baselines()
        self._tune()
        self.overlay.update()

    # ---- the camera ----------------------------------------------------------------------------

    def fit(self) -> None:
        """Show the whole page; it stays whole when the window changes size, until one zooms."""
        width, height = self._size()
        self._view.fitInView(QRectF(0, 0, width, height).adjusted(-width * .01, -height * .01,
                                                                  width * .01, height * .01),
                             Qt.AspectRatioMode.KeepAspectRatio)
        self._fitted = True
        self._tune()

    def zoom_to(self, box: NDArray) -> None:
        """Bring a box (4,), upright px, to the middle, at a readable size."""
        x0, y0, x1, y1 = np.asarray(box, float).tolist()
        width, height = max(x1 - x0, 8.0), max(y1 - y0, 8.0)
        view = self._view.viewport()
        scale = min(view.width() * ZOOM_TO_WIDTH / width, view.height() * ZOOM_TO_HEIGHT / height)
        self._set_scale(float(np.clip(scale, SMALLEST_ZOOM, 8.0)))
        self._view.centerOn((x0 + x1) / 2, (y0 + y1) / 2)
        self._tune()

    def is_in_view(self, box: NDArray) -> bool:
        """Whether a box (4,), upright px, lies wholly in the view."""
        x0, y0, x1, y1 = self.view_box().tolist()
        return bool(x0 <= box[0] and y0 <= box[1] and box[2] <= x1 and box[3] <= y1)

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom by a factor, keeping the point `at` (viewport px, default the middle) in place."""
        view = self._view
        at = at or QPointF(view.viewport().rect().center())
        # A cached overlay is drawn twice in each step of a zoom: leave the cache until it rests.
        self.overlay.setCacheMode(QGraphicsItem.CacheMode.NoCache)
        before = view.viewportTransform().inverted()[0].map(at)
        self._set_scale(float(np.clip(self._scale() * factor, SMALLEST_ZOOM, LARGEST_ZOOM)))
        moved = view.viewportTransform().map(before) - at
        view.horizontalScrollBar().setValue(view.horizontalScrollBar().value() + round(moved.x()))
        view.verticalScrollBar().setValue(view.verticalScrollBar().value() + round(moved.y()))
        self._resting.start()
        self.zoomed.emit(self._scale())

    def view_box(self) -> NDArray[np.float64]:
        """(4,) the part of the scene that is in view, upright px."""
        rect = self._view.mapToScene(self._view.viewport().rect()).boundingRect()
        return np.array(rect.getCoords())

    def camera(self) -> tuple[float, float, float]:
        """Scale (screen px per upright px) and the point in the middle, upright px."""
        middle = self._view.mapToScene(self._view.viewport().rect().center())
        return self._scale(), middle.x(), middle.y()

    def set_camera(self, scale: float, x: float, y: float) -> None:
        """Take the camera of another canvas."""
        self._set_scale(scale)
        self._view.centerOn(x, y)
        self._tune()

    def _scale(self) -> float:
        return self._view.transform().m11()

    def _set_scale(self, scale: float) -> None:
        self._fitted = False
        self._view.setTransform(QTransform.fromScale(scale, scale))

    def _tune(self) -> None:
        self._resting.stop()
        self.overlay.tune_cache(self.view_box())
        self.zoomed.emit(self._scale())

    # ---- the mouse -----------------------------------------------------------------------------

    def is_empty_place(self, at: QPointF) -> bool:
        """Whether a point of the page, viewport px, lies on no row."""
        x, y = self._view.mapToScene(at.toPoint()).toTuple()
        width, height = self._size()
        return 0 <= x < width and 0 <= y < height and not self.overlay.rows_under(x, y)

    def click(self, at: QPointF, below: bool = False) -> None:
        """Pick at viewport px; `below` takes the next row of the stack under the picked one."""
        x, y = self._view.viewportTransform().inverted()[0].map(at).toTuple()
        ref = self.overlay.pick(x, y, REACH / self._scale(), self._picked if below else None)
        if ref is not None:
            self._picked = ref
            self.picked.emit(ref)

    def probe(self, rect: QRect) -> None:
        """Report a rectangle of the viewport as a box in upright px."""
        corners = self._view.mapToScene(rect).boundingRect().getCoords()
        self.probed.emit(np.array(corners, np.float32))

    def hover(self, at: QPointF) -> None:
        """Report what lies under the point and mark its topmost row."""
        x, y = self._view.viewportTransform().inverted()[0].map(at).toTuple()
        self.pointed.emit(x, y)
        under = [] if self._overlays_hidden else self.overlay.rows_under(x, y)
        top = under[0] if under else None
        if top != self._hovered:
            self._hovered = top
            self._hover_mark.mark(self.overlay.layers,
                                  Lineage(top, {top.table: np.array([top.row])}) if top else None)
        self.hovered.emit(self._status(x, y, under))

    def _status(self, x: float, y: float, under: list[Ref]) -> str:
        parts = [f"x {x:.0f}, y {y:.0f}"]
        upright = self._reading.upright
        if upright is not None and 0 <= x < upright.size[0] and 0 <= y < upright.size[1]:
            parts.append(f"grey {upright.gray[int(y), int(x)]}")
        for name in reversed(LAYERS):
            rows = [str(ref.row) for ref in under if ref.table == name]
            if rows:
                more = f" +{len(rows) - NAMES_IN_STATUS}" if len(rows) > NAMES_IN_STATUS else ""
                parts.append(f"{name} {', '.join(rows[:NAMES_IN_STATUS])}{more}")
        return " · ".join([*parts, f"zoom {100 * self._scale():.0f} %"])

    def tip(self, at: QPointF) -> str:
        """Text about the rows under a viewport point, topmost first."""
        x, y = self._view.viewportTransform().inverted()[0].map(at).toTuple()
        under = self.overlay.rows_under(x, y)[:8]
        return "\n".join(caption(self._reading, ref.table, ref.row) for ref in under)

    # ---- pictures ------------------------------------------------------------------------------

    def save_picture(self, path: str | Path) -> None:
        """Write the page with its shown overlays as PNG (one pixel per upright px) or SVG."""
        width, height = self._size()
        page = QRectF(0, 0, width, height)
        if str(path).lower().endswith(".svg"):
            from PySide6.QtSvg import QSvgGenerator
            target = QSvgGenerator()
            target.setFileName(str(path))
            target.setSize(QSize(width, height))
            target.setViewBox(page)
        else:
            target = QImage(width, height, QImage.Format.Format_RGB32)
            target.fill(Qt.GlobalColor.white)
        painter = QPainter(target)
        self._hover_mark.hide()
        self._scene.render(painter, page, page)
        painter.end()
        if isinstance(target, QImage) and not target.save(str(path)):
            raise OSError(f"cannot write the picture {path}: choose a folder you may write to")

    def refit(self) -> None:
        """Keep a fitted page fitted after the view changed size."""
        self._legend.fit()
        if self._fitted:
            self.fit()


class _View(QGraphicsView):
    """The viewport: turns mouse and wheel into the canvas' verbs."""

    def __init__(self, scene: QGraphicsScene, canvas: Canvas) -> None:
        super().__init__(scene)
        self._canvas = canvas
        self._pressed: QPointF | None = None
        self._mode = ""                 # "", "pan", "probe", "click"
        self._last = QPointF()
        self._space = False
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, self.viewport())
        self.setAccessibleName("Page")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setBackgroundBrush(self.palette().mid())

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120
        if notches:
            self._canvas.zoom(ZOOM_STEP ** notches, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = self._last = event.position()
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._space):
            self._mode = "pan"
        elif left:
            self._mode = "click"
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor if self._mode == "pan"
                                  else Qt.CursorShape.ArrowCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._mode == "click" and (at - self._pressed).manhattanLength() > STILL:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            probing = shift or self._canvas.is_empty_place(self._pressed)
            self._mode = "probe" if probing else "pan"
        if self._mode == "probe":
            self._band.setGeometry(QRect(self._pressed.toPoint(), at.toPoint()).normalized())
            self._band.show()
        elif self._mode == "pan":
            moved = (at - self._last).toPoint()
            self._last = at
            self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - moved.x())
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() - moved.y())
            self._canvas._fitted = False
        elif not self._mode:
            self._canvas.hover(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        mode, self._mode = self._mode, ""
        self.viewport().unsetCursor()
        self._band.hide()
        if mode == "click":
            below = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            self._canvas.click(event.position(), below)
        elif mode == "probe":
            self._canvas.probe(QRect(self._pressed.toPoint(), event.position().toPoint()).normalized())
        elif mode == "pan":
            self._canvas._tune()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space = True
                self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._canvas.zoom(ZOOM_STEP)
        elif event.key() == Qt.Key.Key_Minus:
            self._canvas.zoom(1 / ZOOM_STEP)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self.viewport().unsetCursor()
        else:
            super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.setBackgroundBrush(self.palette().mid())
        super().changeEvent(event)

    def focusOutEvent(self, event) -> None:
        self._space = False
        super().focusOutEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._canvas.hovered.emit("")
        self._canvas.pointed.emit(float("nan"), float("nan"))
        super().leaveEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self._canvas.tip(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), text, self.viewport()) if text else QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._canvas.refit()
