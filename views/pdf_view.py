"""The written PDF as a viewer finds it: the page's picture under the words read back from the file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGraphicsItem,
    QGraphicsScene,
    QGraphicsView,
    QHBoxLayout,
    QLabel,
    QSlider,
    QStyleOptionGraphicsItem,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from core import geometry
from views.page_image import PageImage
from views.primitives import Shapes

ZOOM_STEP = 1.25
LARGEST_ZOOM, SMALLEST_ZOOM = 64.0, 0.01
TEXT_FROM = 5.0             # screen px of box height from which the text is drawn
FONT_PX = 100               # size at which text is measured, then scaled into its box
COLOUR = QColor("#0072b2")


class PdfView(QWidget):
    """Pure display: it gets a raster and words, and opens no file."""

    hovered = Signal(str)   # the word under the cursor

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Page of the written PDF")
        self._image, self.words = PageImage(), _WordsItem()
        self._scene = QGraphicsScene(self)
        self._scene.addItem(self._image)
        self._scene.addItem(self.words)
        self._view = _View(self._scene, self)
        self._fitted, self._size = True, (1, 1)
        self._count = QLabel("No PDF yet.")
        boxes, text = QCheckBox("Boxes", checked=True), QCheckBox("Text", checked=True)
        boxes.setToolTip("Show where a viewer selects each word")
        text.setToolTip("Show what a viewer copies")
        boxes.toggled.connect(self.words.show_boxes)
        text.toggled.connect(self.words.show_text)
        fade = QSlider(Qt.Orientation.Horizontal, minimum=0, maximum=100, value=45, maximumWidth=140)
        fade.setAccessibleName("Strength of the page picture")
        fade.setToolTip("Strength of the page picture below the words")
        fade.valueChanged.connect(lambda percent: self._image.setOpacity(percent / 100))
        self._image.setOpacity(0.45)
        head = QHBoxLayout()
        head.setContentsMargins(6, 2, 6, 2)
        head.addWidget(self._count, 1)
        for control in (boxes, text, QLabel("Picture"), fade):
            head.addWidget(control)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._view, 1)

    def show(self, image: NDArray[np.uint8] | None = None,
             words: list[tuple[str, NDArray]] | None = None,
             points_from_page: NDArray[np.float64] | None = None) -> None:
        """Show a page; without a picture this is QWidget.show.

        image             (H, W) or (H, W, 3) uint8, the page's raster, page px
        words             (text, box x0 y0 x1 y1 in PDF points of points_from_page) as read back
        points_from_page  (2, 3): page px -> those points
        """
        if image is None:
            super().show()
            return
        words = words or []
        box = np.array([box for _, box in words], np.float32).reshape(-1, 4)
        page_from_points = geometry.invert(geometry.IDENTITY if points_from_page is None
                                           else points_from_page)
        self._image.set_pixels(image)
        self.words.set_words([text for text, _ in words],
                             geometry.transform_boxes(page_from_points, box))
        self._count.setText(f"{len(words):,} words read back from the file")
        size = image.shape[1], image.shape[0]
        margin = max(size)
        self._scene.setSceneRect(-margin, -margin, size[0] + 2 * margin, size[1] + 2 * margin)
        if size != self._size:
            self._size = size
            self.fit()

    def fit(self) -> None:
        """Show the whole page."""
        self._view.fitInView(QRectF(0, 0, *self._size), Qt.AspectRatioMode.KeepAspectRatio)
        self._fitted = True

    def zoom(self, factor: float, at: QPointF) -> None:
        """Zoom by a factor, the point `at` (viewport px) staying in place."""
        self._fitted = False
        view = self._view
        before = view.viewportTransform().inverted()[0].map(at)
        scale = float(np.clip(view.transform().m11() * factor, SMALLEST_ZOOM, LARGEST_ZOOM))
        view.resetTransform()
        view.scale(scale, scale)
        moved = view.viewportTransform().map(before) - at
        view.horizontalScrollBar().setValue(view.horizontalScrollBar().value() + round(moved.x()))
        view.verticalScrollBar().setValue(view.verticalScrollBar().value() + round(moved.y()))

    def refit(self) -> None:
        """Keep a fitted page fitted after a change of size."""
        if self._fitted:
            self.fit()

    def word_at(self, at: QPointF) -> str:
        """The word under a viewport point, "" where there is none."""
        x, y = self._view.viewportTransform().inverted()[0].map(at).toTuple()
        rows = geometry.rows_at(self.words.box, x, y)
        return self.words.texts[rows[0]] if len(rows) else ""


class _WordsItem(QGraphicsItem):
    """Boxes and texts of the words, page px; one item."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.box = np.zeros((0, 4), np.float32)
        self._boxes_shown = self._text_shown = True
        self._font = QFont()
        self._font.setPixelSize(FONT_PX)
        self._widths: list[float] = []
        self._shapes = Shapes()
        self._bounds = QRectF()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)

    def set_words(self, texts: list[str], box: NDArray[np.float32]) -> None:
        self.prepareGeometryChange()
        self.texts, self.box = texts, box
        metrics = QFontMetricsF(self._font)
        self._widths = [max(metrics.horizontalAdvance(text), 1.0) for text in texts]
        self._bounds = QRectF()
        if len(box):
            x0, y0, x1, y1 = geometry.union(box).tolist()
            self._bounds = QRectF(x0, y0, x1 - x0, y1 - y0).adjusted(-2, -2, 2, 2)
        self.update()

    def show_boxes(self, shown: bool) -> None:
        self._boxes_shown = shown
        self.update()

    def show_text(self, shown: bool) -> None:
        self._text_shown = shown
        self.update()

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem,
              widget: QWidget | None = None) -> None:
        x0, y0, x1, y1 = option.exposedRect.getCoords()
        meets = ((self.box[:, 2] >= x0) & (self.box[:, 0] <= x1)
                 & (self.box[:, 3] >= y0) & (self.box[:, 1] <= y1))
        rows = np.flatnonzero(meets)
        if self._boxes_shown:
            pen = QPen(COLOUR, 1)
            pen.setCosmetic(True)
            painter.setPen(pen)
            self._shapes.draw_boxes(painter, self.box[rows])
        if self._text_shown:
            self._paint_text(painter, rows,
                             option.levelOfDetailFromTransform(painter.worldTransform()))

    def _paint_text(self, painter: QPainter, rows: NDArray[np.int64], scale: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setFont(self._font)
        painter.setPen(QColor("#7a1f00"))
        ascent = QFontMetricsF(self._font).ascent()
        for row in rows.tolist():
            x0, y0, x1, y1 = self.box[row].tolist()
            if (y1 - y0) * scale < TEXT_FROM:
                continue
            painter.save()
            painter.translate(x0, y0)
            painter.scale((x1 - x0) / self._widths[row], (y1 - y0) / (1.25 * FONT_PX))
            painter.drawText(QPointF(0, ascent), self.texts[row])
            painter.restore()


class _View(QGraphicsView):
    """Wheel zooms, drag pans, hovering names the word."""

    def __init__(self, scene: QGraphicsScene, owner: PdfView) -> None:
        super().__init__(scene)
        self._owner = owner
        self.setAccessibleName("Page of the PDF")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setBackgroundBrush(QColor("white"))   # a faded picture must not turn grey

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._owner.zoom(ZOOM_STEP ** (event.angleDelta().y() / 120), event.position())

    def mouseMoveEvent(self, event) -> None:
        super().mouseMoveEvent(event)
        self._owner.hovered.emit(self._owner.word_at(event.position()))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._owner.word_at(QPointF(event.pos())),
                              self.viewport())
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._owner.refit()
