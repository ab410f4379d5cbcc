"""Glyphs in equal cells: all of one font, one character in all fonts, or a line of each clean font.

Every glyph comes as pixels that the generator's rasteriser drew. The small captions name the
character that a cell is for; they are never the glyph itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QImage, QPainter, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from views.layers import AMBER, BLUE, GREEN, GREY, VERMILION

Index = QModelIndex | QPersistentModelIndex
NO_PARENT = QModelIndex()
CELL = 64           # px, side of a raster
CAPTION = 16        # px below it
GAP = 4             # px between cells
LINE_WIDTH, LINE_HEIGHT = 424, 54  # px of a font in the sheet of clean ones
SETTLE = 30         # ms after scrolling before rasters are asked for
SLOT = Qt.ItemDataRole.UserRole
# severity -> colour and dash of the frame; the corner sign says it without colour
FRAMES = {"reject": (VERMILION, "✕"), "doubt": (AMBER, "?"), "information": (GREY, "·")}


@dataclass(frozen=True)
class Slot:
    """What a cell says beside its picture.

    key       names the cell: a character, or a font
    caption   below the picture; `tip` in full
    severity  of the worst finding, "" without any
    verdict   "reject" = flagged (by a person or by a certain check), "accept" = said to be good, ""
    """

    key: str
    caption: str
    tip: str = ""
    severity: str = ""
    verdict: str = ""


class CellModel(QAbstractListModel):
    """Slots in order; their pictures come when they come."""

    def __init__(self, size: QSize, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slots: list[Slot] = []
        self.size = size
        self._row_of: dict[str, int] = {}

    def set_slots(self, slots: list[Slot]) -> None:
        """Show other slots; without a reset (and a new layout) where their number stays."""
        if len(slots) != len(self.slots):
            self.beginResetModel()
            self.slots = slots
            self._row_of = {s.key: n for n, s in enumerate(slots)}
            self.endResetModel()
            return
        self.slots = slots
        self._row_of = {s.key: n for n, s in enumerate(slots)}
        self.refresh()

    def refresh(self) -> None:
        """All pictures may have changed."""
        if self.slots:
            self.dataChanged.emit(self.index(0), self.index(len(self.slots) - 1))

    def row_of(self, key: str) -> int:
        """Where a slot is, -1 if nowhere."""
        return self._row_of.get(key, -1)

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.slots)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or not 0 <= index.row() < len(self.slots):
            return None
        slot = self.slots[index.row()]
        if role == SLOT:
            return slot
        if role == Qt.ItemDataRole.SizeHintRole:
            return self.size
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return slot.tip or slot.caption
        return None


class CellDelegate(QStyledItemDelegate):
    """Draws a cell: paper, picture, caption, the frame of its finding and the flag."""

    def __init__(self, picture: Callable[[Slot], QImage | None], view: QWidget,
                 left: bool = False) -> None:
        super().__init__(view)
        self._picture, self._left = picture, left

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return index.data(Qt.ItemDataRole.SizeHintRole)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        slot: Slot = index.data(SLOT)
        cell = option.rect.adjusted(GAP // 2, GAP // 2, -GAP // 2, -GAP // 2)
        paper = QRect(cell.left(), cell.top(), cell.width(), cell.height() - CAPTION)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        current = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.fillRect(paper, QColor("#ffffff"))
        image = self._picture(slot)
        if image is not None:
            place = image.rect()
            place.moveCenter(paper.center())
            if self._left:
                place.moveLeft(paper.left() + 4)
            if not paper.contains(place):
                place = place.intersected(paper)
            painter.drawImage(place.topLeft(), image, QRect(0, 0, place.width(), place.height()))
        else:
            painter.fillRect(paper, QColor("#ececec"))
        if slot.verdict == "reject":
            painter.fillRect(paper, QColor(213, 94, 0, 46))
            painter.setPen(QPen(QColor(VERMILION), 1))
            painter.drawLine(paper.topLeft(), paper.bottomRight())
            painter.drawLine(paper.topRight(), paper.bottomLeft())
        self._frame(painter, paper, slot)
        caption = QRect(cell.left(), paper.bottom() + 1, cell.width(), CAPTION)
        palette = option.palette
        if chosen:
            painter.fillRect(caption, palette.color(QPalette.ColorRole.Highlight))
            painter.setPen(QPen(QColor(BLUE), 3))
            painter.drawRect(cell.adjusted(1, 1, -2, -2))
        elif current:
            painter.setPen(QPen(QColor(BLUE), 1, Qt.PenStyle.DotLine))
            painter.drawRect(cell.adjusted(0, 0, -1, -1))
        painter.setPen(palette.color(QPalette.ColorRole.HighlightedText if chosen
                                     else QPalette.ColorRole.Text))
        said = painter.fontMetrics().elidedText(slot.caption, Qt.TextElideMode.ElideRight,
                                                caption.width() - 2)
        painter.drawText(caption, Qt.AlignmentFlag.AlignCenter, said)

    @staticmethod
    def _frame(painter: QPainter, paper: QRect, slot: Slot) -> None:
        if not slot.severity and slot.verdict != "accept":
            painter.setPen(QPen(QColor("#c8c8c8"), 1))
            painter.drawRect(paper.adjusted(0, 0, -1, -1))
            return
        colour, sign = FRAMES.get(slot.severity, (GREEN, ""))
        if slot.verdict == "accept":
            colour, sign = GREEN, "✓"
        painter.setPen(QPen(QColor(colour), 2))
        painter.drawRect(paper.adjusted(1, 1, -1, -1))
        corner = QRect(paper.right() - 14, paper.top() + 1, 14, 14)
        painter.fillRect(corner, QColor(colour))
        painter.setPen(QColor("#ffffff"))
        painter.drawText(corner, Qt.AlignmentFlag.AlignCenter, sign)


class Cells(QListView):
    """Slots in a grid, several selectable; only those in view are drawn and asked for."""

    current_changed = Signal(str)      # the key of the cell that is current now
    opened = Signal(str)               # a cell was double-clicked
    wanted = Signal(list)              # keys in view (and a little beyond) that may lack a picture

    def __init__(self, picture: Callable[[Slot], QImage | None], size: QSize, name: str,
                 left: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.cells = CellModel(size, self)
        self.setModel(self.cells)
        self.setItemDelegate(CellDelegate(picture, self, left))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setGridSize(size)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.selectionModel().currentChanged.connect(self._current_changed)
        self.doubleClicked.connect(lambda index: self.opened.emit(index.data(SLOT).key))
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self._ask)
        self.verticalScrollBar().valueChanged.connect(lambda _: self._settle.start())

    def show_slots(self, slots: list[Slot], current: str = "") -> None:
        """Show these; the cell named `current`, else the one of the same place, becomes current."""
        old = self.currentIndex().row()
        self.selectionModel().blockSignals(True)
        self.cells.set_slots(slots)
        row = self.cells.row_of(current) if current else old
        if 0 <= row < len(slots):
            self.selectionModel().setCurrentIndex(
                self.cells.index(row), QItemSelectionModel.SelectionFlag.ClearAndSelect)
        else:
            self.selectionModel().clear()
        self.selectionModel().blockSignals(False)
        self.viewport().update()
        self._settle.start()

    def update_slots(self, slots: list[Slot]) -> None:
        """The same cells with other marks; what is selected stays so."""
        self.cells.set_slots(slots)

    @property
    def current(self) -> str:
        """Key of the current cell, "" where none is."""
        slot = self.currentIndex().data(SLOT)
        return slot.key if slot else ""

    @property
    def selected(self) -> list[str]:
        """Keys of the selected cells, in order."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self.cells.slots[row].key for row in rows]

    def choose(self, key: str) -> bool:
        """Make one cell current and alone selected; whether it is there."""
        row = self.cells.row_of(key)
        if row < 0:
            return False
        self.selectionModel().setCurrentIndex(self.cells.index(row),
                                              QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.scrollTo(self.cells.index(row))
        return True

    def step(self, by: int) -> str:
        """Go on by so many cells; the key of the one reached."""
        n = len(self.cells.slots)
        if not n:
            return ""
        row = min(max(self.currentIndex().row() + by, 0), n - 1)
        self.choose(self.cells.slots[row].key)
        return self.cells.slots[row].key

    @property
    def capacity(self) -> int:
        """How many cells are in view at once."""
        size, view = self.gridSize(), self.viewport().size()
        return max(1, view.width() // size.width()) * max(1, view.height() // size.height())

    def in_view(self) -> list[str]:
        """Keys of the cells in view and of one row above and below."""
        n = len(self.cells.slots)
        if not n:
            return []
        step = self.gridSize().height()
        view = self.viewport().rect().adjusted(0, -step, 0, step)
        columns = max(1, self.viewport().width() // self.gridSize().width())
        first = (self.verticalScrollBar().value() + view.top()) // step * columns
        last = (self.verticalScrollBar().value() + view.bottom()) // step * columns + columns
        return [slot.key for slot in self.cells.slots[max(0, first):max(0, min(last, n))]]

    def _ask(self) -> None:
        self.wanted.emit(self.in_view())

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._settle.start()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self._settle.start()

    def _current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        slot = index.data(SLOT)
        if slot is not None:
            self.current_changed.emit(slot.key)

    def cell_at(self, key: str) -> QPoint:
        """Where the middle of a cell is in the viewport, px."""
        return self.visualRect(self.cells.index(self.cells.row_of(key))).center()


class Pictures:
    """Rasters by name as images, the oldest forgotten first. 255 = paper."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._kept: OrderedDict[object, tuple[QImage, NDArray[np.uint8]]] = OrderedDict()

    def put(self, name: object, pixels: NDArray[np.uint8]) -> None:
        """Keep the pixels (h, w) uint8 under a name."""
        self.drop(name)
        pixels = np.ascontiguousarray(pixels)
        self._kept[name] = as_image(pixels), pixels
        self._size += pixels.nbytes
        while self._size > self._limit and len(self._kept) > 1:
            self._size -= self._kept.popitem(last=False)[1][1].nbytes

    def get(self, name: object) -> QImage | None:
        """The image of that name, None if it was never there or is forgotten."""
        found = self._kept.get(name)
        if found is None:
            return None
        self._kept.move_to_end(name)
        return found[0]

    def drop(self, name: object) -> None:
        """Forget one."""
        found = self._kept.pop(name, None)
        if found is not None:
            self._size -= found[1].nbytes

    def __contains__(self, name: object) -> bool:
        return name in self._kept

    def __len__(self) -> int:
        return len(self._kept)


def as_image(pixels: NDArray[np.uint8]) -> QImage:
    """(h, w) uint8 contiguous as a grey image with pixels of its own."""
    h, w = pixels.shape
    return QImage(pixels.data, w, h, w, QImage.Format.Format_Grayscale8).copy()
