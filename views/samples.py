"""The contact sheet: any number of synthetic samples, each with its text and its number.

Only the cells in view are drawn, and only their samples are asked for, so a sheet of a million
opens as fast as one of ten. Whoever owns the sheet answers `wanted` by `set_sample`s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

Index = QModelIndex | QPersistentModelIndex
NO_PARENT = QModelIndex()
CELL = QSize(220, 88)  # px
PICTURE = QSize(204, 40)  # px of a cell that the window may take up
GAP = 8  # px
ASK_DELAY = 30  # ms after scrolling until samples are asked for: a wheel passes many rows
ROLE = Qt.ItemDataRole.UserRole
NO_TEXT = "(no text)"
MOST_ROWS = 200_000  # of the grid; scroll bars count px in 32 bits
GOOD, BAD = ("#00694a", "#6fd6a8"), ("#a03000", "#ffab7a")  # (on light, on dark)


@dataclass(frozen=True)
class Cell:
    """A sample as the sheet shows it.

    image    (32, w) uint8
    text     what it says, "" for nothing
    about    kind and font, for the tool tip
    reading  what the net reads, None where it was not asked
    confidence in 0 .. 1 and loss in nats go with `reading`
    """

    image: NDArray[np.uint8]
    text: str
    about: str = ""
    reading: str | None = None
    confidence: float = 0.0
    loss: float = 0.0

    @property
    def is_right(self) -> bool:
        """Whether the net reads just the text."""
        return self.reading == self.text


class SheetModel(QAbstractTableModel):
    """Samples `numbers` in rows of `n_columns`; `cell_of(i)` gives a sample or None."""

    def __init__(self, cell_of: Callable[[int], Cell | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cell_of = cell_of
        self.numbers: Sequence[int] | NDArray[np.int64] = range(0)
        self.n_columns = 4
        self.seed = 0

    def set_numbers(self, numbers: Sequence[int] | NDArray[np.int64], seed: int) -> None:
        """Show other samples."""
        self.beginResetModel()
        self.numbers, self.seed = numbers, seed
        self.endResetModel()

    def set_columns(self, n: int) -> None:
        """So many samples a row."""
        if n != self.n_columns:
            self.beginResetModel()
            self.n_columns = n
            self.endResetModel()

    def number_at(self, index: Index) -> int | None:
        """The sample's number in a cell; None beyond the last one."""
        if not index.isValid():
            return None
        place = index.row() * self.n_columns + index.column()
        return int(self.numbers[place]) if place < len(self.numbers) else None

    def index_of(self, number: int) -> QModelIndex:
        """The cell of a sample, invalid where it is not shown."""
        if isinstance(self.numbers, range):
            place = number - self.numbers.start if number in self.numbers else -1
        else:
            found = np.flatnonzero(np.asarray(self.numbers) == number)
            place = int(found[0]) if len(found) else -1
        return self.index(place // self.n_columns, place % self.n_columns) if place >= 0 \
            else QModelIndex()

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        if parent.isValid():
            return 0
        return min(-(-len(self.numbers) // self.n_columns), MOST_ROWS)

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else self.n_columns

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.number_at(index) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        number = self.number_at(index)
        if number is None:
            return None
        if role == ROLE:
            return number
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole,
                        Qt.ItemDataRole.ToolTipRole):
            return None
        cell = self.cell_of(number)
        if cell is None:
            return f"sample {number}" if role != Qt.ItemDataRole.ToolTipRole else None
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text or NO_TEXT
        said = "" if cell.reading is None else (
            f"\nread as {cell.reading!r}, confidence {cell.confidence:.3f}, loss {cell.loss:.2f}")
        return f"{cell.text or NO_TEXT}\nseed {self.seed}, sample {number}\n{cell.about}{said}"


class SheetDelegate(QStyledItemDelegate):
    """Draws a sample: its window, its text, its number and what the net makes of it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model: SheetModel = index.model()
        number = model.number_at(index)
        if number is None:
            return
        painter.save()
        rect = option.rect.adjusted(3, 3, -3, -3)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        palette = option.palette
        painter.fillRect(rect, palette.alternateBase() if not chosen else palette.highlight())
        cell = model.cell_of(number)
        if cell is not None:
            self._picture(painter, rect, cell)
        self._words(painter, rect, option, cell, number, model.seed, chosen)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(palette.text().color())
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        painter.restore()

    @staticmethod
    def _picture(painter: QPainter, rect: QRect, cell: Cell) -> None:
        image = image_of(cell.image)
        h, w = cell.image.shape
        scale = min(PICTURE.width() / w, PICTURE.height() / h, 1.25)
        scale = 1.0 if 1.0 <= scale < 1.25 else scale
        target = QRect(rect.left() + GAP - 3, rect.top() + 4, max(1, round(w * scale)),
                       round(h * scale))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
        painter.drawImage(target, image)

    @staticmethod
    def _words(painter: QPainter, rect: QRect, option: QStyleOptionViewItem, cell: Cell | None,
               number: int, seed: int, chosen: bool) -> None:
        ink = option.palette.highlightedText() if chosen else option.palette.text()
        painter.setPen(ink.color())
        metrics = option.fontMetrics
        left, width = rect.left() + GAP - 3, rect.width() - 2 * GAP + 6
        row = QRect(left, rect.top() + PICTURE.height() + 5, width, metrics.height())
        text = "…" if cell is None else cell.text or NO_TEXT
        font = QFont(option.font)
        font.setItalic(cell is not None and not cell.text)
        painter.setFont(font)
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft,
                         metrics.elidedText(text, Qt.TextElideMode.ElideRight, width))
        small = QFont(option.font)
        small.setPointSizeF(max(6.0, option.font.pointSizeF() * 0.85))
        painter.setFont(small)
        row.translate(0, metrics.height())
        place = f"{seed} / {number:,}"
        painter.setPen(ink.color() if chosen else faded(option.palette))
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft, place)
        if cell is not None and cell.reading is not None:
            if not chosen:
                painter.setPen(verdict_colour(option.palette, cell.is_right))
            taken = painter.fontMetrics().horizontalAdvance(place) + 10
            said = "✓" if cell.is_right else f"✗ {cell.reading or NO_TEXT}"
            said = painter.fontMetrics().elidedText(said, Qt.TextElideMode.ElideRight,
                                                    max(20, width - taken - 62))
            painter.drawText(row, Qt.AlignmentFlag.AlignRight, f"{said}  {cell.loss:.2f}")


class ContactSheet(QTableView):
    """The sheet. `wanted(numbers)`: samples in view that are not here; `picked(number)`."""

    wanted, picked = Signal(object), Signal(object)

    def __init__(self, cell_of: Callable[[int], Cell | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Contact sheet of samples")
        self.setToolTip("Click a sample to see how it came to be")
        self.sheet = SheetModel(cell_of, self)
        self.setModel(self.sheet)
        self.setItemDelegate(SheetDelegate(self))
        self.setShowGrid(False)
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        for header, size in ((self.horizontalHeader(), CELL.width()),
                             (self.verticalHeader(), CELL.height())):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setMinimumSectionSize(size)
            header.setDefaultSectionSize(size)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(CELL.height() // 2)
        self.setTabKeyNavigation(False)
        self._is_silent = False
        self._ask = QTimer(self, singleShot=True, interval=ASK_DELAY)
        self._ask.timeout.connect(self._tell_wanted)
        self.verticalScrollBar().valueChanged.connect(lambda _: self._ask.start())
        self.selectionModel().currentChanged.connect(self._current)

    def show_numbers(self, numbers: Sequence[int] | NDArray[np.int64], seed: int,
                     selected: int | None = None) -> None:
        """Show these samples, `selected` marked if it is among them; the place stays in view."""
        before = self.verticalScrollBar().value()
        self._is_silent = True
        self.sheet.set_numbers(numbers, seed)
        self._select(selected)
        self.verticalScrollBar().setValue(before)
        self._is_silent = False
        self._ask.start()

    def mark(self, number: int | None) -> None:
        """Select a sample without picking it, and bring it into view."""
        self._is_silent = True
        self._select(number)
        self._is_silent = False
        index = self.currentIndex()
        if index.isValid():
            self.scrollTo(index)

    def refresh(self, numbers: Sequence[int]) -> None:
        """These samples have come."""
        self.viewport().update()

    def chosen(self) -> list[int]:
        """Numbers of the selected samples, in the sheet's order."""
        indexes = sorted(self.selectedIndexes(), key=lambda i: (i.row(), i.column()))
        return [n for index in indexes if (n := self.sheet.number_at(index)) is not None]

    def in_view(self) -> list[int]:
        """Numbers of the samples in view, and a row more below."""
        first = self.rowAt(0)
        if first < 0 or not len(self.sheet.numbers):
            return []
        last = self.rowAt(self.viewport().height() - 1)
        last = self.sheet.rowCount() - 1 if last < 0 else min(last + 1, self.sheet.rowCount() - 1)
        n = self.sheet.n_columns
        return [int(i) for i in self.sheet.numbers[first * n:(last + 1) * n]]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many columns as fit."""
        n = max(1, self.viewport().width() // CELL.width())
        number = self.sheet.number_at(self.currentIndex())
        self._is_silent = True
        self.sheet.set_columns(n)
        self._select(number)
        self._is_silent = False
        width = self.viewport().width() // n
        self.horizontalHeader().setDefaultSectionSize(max(width, CELL.width()))
        super().resizeEvent(event)
        self._ask.start()

    def _select(self, number: int | None) -> None:
        index = self.sheet.index_of(number) if number is not None else QModelIndex()
        if index.isValid():
            self.selectionModel().setCurrentIndex(
                index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        else:
            self.selectionModel().clear()

    def _current(self, index: QModelIndex, _before: QModelIndex) -> None:
        number = self.sheet.number_at(index)
        if number is not None and not self._is_silent:
            self.picked.emit(number)

    def _tell_wanted(self) -> None:
        self.wanted.emit(self.in_view())


def image_of(window: NDArray[np.uint8]) -> QImage:
    """A gray window as an image of its own."""
    window = np.ascontiguousarray(window)
    h, w = window.shape
    return QImage(window.data, w, h, w, QImage.Format.Format_Grayscale8).copy()


def is_dark(palette: QPalette) -> bool:
    """Whether texts stand on a dark ground."""
    return palette.base().color().lightness() < 128


def faded(palette: QPalette) -> QColor:
    """For what is said by the way; still 4.5 : 1 against the ground."""
    return QColor("#b5b5b5" if is_dark(palette) else "#5a5a5a")


def verdict_colour(palette: QPalette, is_right: bool) -> QColor:
    """Of a reading; a ✓ or ✗ beside it says the same."""
    return QColor((GOOD if is_right else BAD)[is_dark(palette)])
