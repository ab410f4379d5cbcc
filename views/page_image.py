"""A page picture as a graphics item: halved copies made when first needed, nearest pixels close up.

Drawing from the copy nearest to the screen's scale costs 1 to 2 ms a frame for a 12 megapixel page;
scaling the full picture each time costs 11 (design measurements, offscreen raster engine).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

SHARP_FROM = 2.0   # screen px per image px from which single pixels are shown instead of blended
SMALLEST_SIDE = 256  # px: no copy is made below this


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """A QImage of its own memory from (H, W) grey or (H, W, 3) RGB pixels."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    kind = QImage.Format.Format_Grayscale8 if pixels.ndim == 2 else QImage.Format.Format_RGB888
    # RGB32 is the raster engine's own format: it draws without converting in each frame.
    return QImage(pixels.data, width, height, pixels.strides[0], kind).convertToFormat(
        QImage.Format.Format_RGB32)


class PageImage(QGraphicsItem):
    """One picture in the scene, its top left pixel edge at (0, 0), one unit per pixel."""

    def __init__(self) -> None:
        super().__init__()
        self._levels: list[QImage] = []
        self._pixels: NDArray[np.uint8] | None = None
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_pixels(self, pixels: NDArray[np.uint8] | None, item_transform: QTransform | None = None
                   ) -> None:
        """Show (H, W) grey or (H, W, 3) RGB pixels, or nothing; the same array costs nothing."""
        if pixels is not self._pixels:
            self.prepareGeometryChange()
            self._pixels = pixels
            self._levels = []
        self.setTransform(item_transform or QTransform())
        self.update()

    def boundingRect(self) -> QRectF:
        if self._pixels is None:
            return QRectF()
        return QRectF(0, 0, self._pixels.shape[1], self._pixels.shape[0])

    def _level(self, scale: float) -> tuple[QImage, int]:
        """The smallest copy that is not coarser than the screen, and how often it was halved."""
        if not self._levels:
            self._levels = [image_of(self._pixels)]
        wanted = 0 if scale >= 1 else int(np.floor(-np.log2(max(scale, 1e-6)) + 1e-6))
        while len(self._levels) <= wanted:
            last = self._levels[-1]
            if min(last.width(), last.height()) < 2 * SMALLEST_SIDE:
                break
            self._levels.append(last.scaled(
                last.width() // 2, last.height() // 2, Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation))
        index = min(wanted, len(self._levels) - 1)
        return self._levels[index], index

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem,
              widget: QWidget | None = None) -> None:
        if self._pixels is None or not self._pixels.size:
            return
        scale = option.levelOfDetailFromTransform(painter.worldTransform())
        image, _ = self._level(scale)
        whole = self.boundingRect()
        fx, fy = image.width() / whole.width(), image.height() / whole.height()
        part = option.exposedRect.adjusted(-1, -1, 1, 1).intersected(whole)
        source = QRectF(part.x() * fx, part.y() * fy, part.width() * fx, part.height() * fy)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < SHARP_FROM)
        painter.drawImage(part, image, source)
