"""A small pyqtgraph plot in the window's own colours that tells where it was clicked."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget

SMALLEST = QSize(120, 40)   # px: a dock may be pressed down to this
FAINT = 60                  # alpha of the grid, of 255


class PlotArea(pg.PlotWidget):
    """No menu, no own zoom: the plot always shows all it has. `clicked` gives plot coordinates."""

    clicked = Signal(float, float)
    _is_made = False   # pyqtgraph changes the palette before it has axes

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setMouseEnabled(x=False, y=False)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.getAxis("left").enableAutoSIPrefix(False)   # "variation (x0.001)" tells nobody anything
        self.showGrid(x=False, y=True, alpha=FAINT / 255)
        self.setMinimumSize(SMALLEST)
        self.scene().sigMouseClicked.connect(self._click)
        self._is_made = True
        self._paint_as_window()

    def sizeHint(self) -> QSize:
        """Small: docks share what there is."""
        return QSize(300, 110)

    def _click(self, event) -> None:
        box = self.plotItem.vb
        if event.button() == Qt.MouseButton.LeftButton and box.sceneBoundingRect().contains(
                event.scenePos()):
            at = box.mapSceneToView(event.scenePos())
            self.clicked.emit(at.x(), at.y())

    def _paint_as_window(self) -> None:
        palette = self.palette()
        self.setBackground(palette.color(QPalette.ColorRole.Base))
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(palette.color(QPalette.ColorRole.Mid))
            axis.setTextPen(palette.color(QPalette.ColorRole.Text))

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        if event.type() == QEvent.Type.PaletteChange and self._is_made:
            self._paint_as_window()
        super().changeEvent(event)
