"""Many rectangles or lines in one draw call.

`pyqtgraph.Qt.internals.PrimitiveArray` lays QRectF or QLineF over a NumPy array, so 50,000 boxes
cost no Python objects. It is "not part of the public API" of pyqtgraph: this module is the only
place that knows it, and falls back to lists of Qt objects when it is gone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter

try:
    from pyqtgraph.Qt.internals import PrimitiveArray
except ImportError:  # another pyqtgraph
    PrimitiveArray = None


class Shapes:
    """Buffers that are used again for each draw call."""

    def __init__(self, fallback: bool = False) -> None:
        plain = fallback or PrimitiveArray is None
        self._rects = None if plain else PrimitiveArray(QRectF, 4)
        self._lines = None if plain else PrimitiveArray(QLineF, 4)

    def draw_boxes(self, painter: QPainter, box: NDArray) -> None:
        """Draw boxes (n, 4), x0 y0 x1 y1 in the painter's frame."""
        if not len(box):
            return
        if self._rects is None:
            painter.drawRects([QRectF(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in box.tolist()])
            return
        self._rects.resize(len(box))
        xywh = self._rects.ndarray()
        xywh[:, :2] = box[:, :2]
        np.subtract(box[:, 2:], box[:, :2], out=xywh[:, 2:])
        painter.drawRects(*self._rects.drawargs())

    def draw_quads(self, painter: QPainter, quad: NDArray) -> None:
        """Draw the four sides of quads (n, 4, 2)."""
        if not len(quad):
            return
        sides = np.concatenate([quad, np.roll(quad, -1, axis=1)], axis=2).reshape(-1, 4)
        self.draw_lines(painter, sides)

    def draw_lines(self, painter: QPainter, line: NDArray) -> None:
        """Draw line segments (n, 4), x0 y0 x1 y1."""
        if not len(line):
            return
        if self._lines is None:
            painter.drawLines([QLineF(*ends) for ends in line.tolist()])
            return
        self._lines.resize(len(line))
        self._lines.ndarray()[:] = line
        painter.drawLines(*self._lines.drawargs())
