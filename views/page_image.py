"""A page picture as a graphics item: halved copies of it, nearest pixels close up.

Drawing from the copy nearest to the screen's scale costs 1 to 2 ms a frame for a 12 megapixel page;
scaling the full picture each time costs 11 (design measurements, offscreen raster engine). The
copies of a large page take up to a second to make, so a thread makes them and a coarse picture of
every nth pixel stands in until they are there.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget
from shiboken6 import isValid

SHARP_FROM = 2.0   # screen px per image px from which single pixels are shown instead of blended
SMALLEST_SIDE = 256  # px: no copy is made below this
AT_ONCE = 1_000_000  # px: up to here the copies are made at once, in a few milliseconds
COARSE_SIDE = 1_200  # px: the stand-in's longer side at most
CONVERTED_UP_TO = 16_000_000  # px: a larger picture would cost more memory than its frames gain


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """A QImage of its own memory from (H, W) grey or (H, W, 3) RGB pixels.

    RGB32 is the raster engine's own format: it draws without converting in each frame. OpenCV
    converts, since it lets the other threads run meanwhile; Qt would hold them.
    """
    image = QImage(pixels.shape[1], pixels.shape[0], QImage.Format.Format_RGB32)
    if not image.isNull():
        code = cv2.COLOR_GRAY2BGRA if pixels.ndim == 2 else cv2.COLOR_RGB2BGRA
        cv2.cvtColor(np.ascontiguousarray(pixels), code, dst=_rows_of(image, 4))
    return image


def halved_copies(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The picture and its copies of half the size each, down to SMALLEST_SIDE."""
    copies = [np.ascontiguousarray(pixels)]
    while min(copies[-1].shape[:2]) >= 2 * SMALLEST_SIDE:
        height, width = copies[-1].shape[:2]
        copies.append(cv2.resize(copies[-1], (width // 2, height // 2),
                                 interpolation=cv2.INTER_AREA))
    return copies


def _shown_as(pixels: NDArray[np.uint8]) -> QImage:
    """A picture to draw from: converted, or the bare pixels where they are too many for that."""
    height, width = pixels.shape[:2]
    if height * width <= CONVERTED_UP_TO:
        return image_of(pixels)
    is_grey = pixels.ndim == 2
    kind = QImage.Format.Format_Grayscale8 if is_grey else QImage.Format.Format_RGB888
    image = QImage(width, height, kind)
    if not image.isNull():
        rows = _rows_of(image, 1 if is_grey else 3)
        np.copyto(rows[..., 0] if is_grey else rows, pixels)
    return image


def _rows_of(image: QImage, channels: int) -> NDArray[np.uint8]:
    """(H, W, channels) uint8 view into the image's memory; not to be kept longer than the image.

    The image must own its memory: Qt draws from it at times that Python does not know of, so no
    array may have to outlive it.
    """
    height, width = image.height(), image.width()
    whole = np.frombuffer(image.bits(), np.uint8).reshape(height, image.bytesPerLine())
    return whole[:, :width * channels].reshape(height, width, channels)


class _Halving(QObject):
    """Makes the copies of one picture in a thread and hands them over in the window's thread.

    take(pixels they are of, list[QImage]). The signal ends at a slot of this object, whose thread
    Qt knows; connected to a plain function it might call that one in the thread that emits. It
    carries nothing: what was made lies in a queue, so that no Python object travels in a Qt event.
    """

    made = Signal()

    def __init__(self, take: Callable[[NDArray[np.uint8], list[QImage]], None]) -> None:
        super().__init__()
        self._taker = take
        self._done: queue.SimpleQueue = queue.SimpleQueue()
        self.made.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)

    @Slot()
    def _hand_over(self) -> None:
        self._taker(*self._done.get())

    def begin(self, pixels: NDArray[np.uint8]) -> None:
        """Start; nothing can stop it, and what comes too late is not taken."""
        threading.Thread(target=self._make, args=(pixels,), daemon=True, name="page copies").start()

    def _make(self, pixels: NDArray[np.uint8]) -> None:
        images = [_shown_as(copy) for copy in halved_copies(pixels)]
        try:
            self._done.put((pixels, images))
            self.made.emit()
        except RuntimeError:  # Qt has deleted this object: the application is leaving
            pass


class PageImage(QGraphicsItem):
    """One picture in the scene, its top left pixel edge at (0, 0), one unit per pixel."""

    def __init__(self) -> None:
        super().__init__()
        self._levels: list[QImage] = []
        self._pixels: NDArray[np.uint8] | None = None
        self._halving = _Halving(self._take)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_pixels(self, pixels: NDArray[np.uint8] | None, item_transform: QTransform | None = None
                   ) -> None:
        """Show (H, W) grey or (H, W, 3) RGB pixels, or nothing; the same array costs nothing."""
        if pixels is not self._pixels:
            self.prepareGeometryChange()
            self._pixels = pixels
            self._levels = self._first_levels()
        self.setTransform(item_transform or QTransform())
        self.update()

    def _first_levels(self) -> list[QImage]:
        """All copies of a small picture, a coarse stand-in for a large one."""
        pixels = self._pixels
        if pixels is None or not pixels.size:
            return []
        if pixels.shape[0] * pixels.shape[1] <= AT_ONCE:
            return [_shown_as(copy) for copy in halved_copies(pixels)]
        self._halving.begin(pixels)
        step = -(-max(pixels.shape[:2]) // COARSE_SIDE)
        return [image_of(pixels[::step, ::step])]

    def _take(self, pixels: NDArray[np.uint8], levels: list[QImage]) -> None:
        if pixels is self._pixels and isValid(self):  # a closed window deletes its scene's items
            self._levels = levels
            self.update()

    @property
    def is_sharp(self) -> bool:
        """Whether the copies are there, so that what is drawn is no stand-in."""
        return bool(self._levels) and self._levels[0].width() == self._pixels.shape[1]

    def boundingRect(self) -> QRectF:
        if self._pixels is None:
            return QRectF()
        return QRectF(0, 0, self._pixels.shape[1], self._pixels.shape[0])

    def _level(self, scale: float) -> QImage:
        """The smallest copy that is not coarser than the screen."""
        wanted = 0 if scale >= 1 else int(np.floor(-np.log2(max(scale, 1e-6)) + 1e-6))
        return self._levels[min(wanted, len(self._levels) - 1)]

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem,
              widget: QWidget | None = None) -> None:
        if self._pixels is None or not self._levels:
            return
        scale = option.levelOfDetailFromTransform(painter.worldTransform())
        image = self._level(scale)
        whole = self.boundingRect()
        fx, fy = image.width() / whole.width(), image.height() / whole.height()
        part = option.exposedRect.adjusted(-1, -1, 1, 1).intersected(whole)
        source = QRectF(part.x() * fx, part.y() * fy, part.width() * fx, part.height() * fy)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < SHARP_FROM)
        painter.drawImage(part, image, source)
