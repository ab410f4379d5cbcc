"""How one sample came to be: a row for each step, the window before and after it, its numbers, and
what the net reads by then. A transform's tick switches it off; the others draw what they drew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QGuiApplication, QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from core.synth import transforms
from core.synth.sample import Still
from core.synth.survey import ReadBack, labels
from views.samples import NO_TEXT, faded, image_of, verdict_colour

Index = QModelIndex | QPersistentModelIndex
NO_PARENT = QModelIndex()
COLUMNS = ("step", "before", "after", "read as", "confidence", "loss", "numbers drawn")
STEP, BEFORE, AFTER, READ, CONFIDENCE, LOSS, NUMBERS = range(len(COLUMNS))
PICTURE = QSize(270, 44)  # px that a window may take up
WIDTHS = (130, PICTURE.width() + 12, PICTURE.width() + 12, 160, 84, 60)  # px, all but the last
ROW_HEIGHT = PICTURE.height() + 10
LARGEST = 1.4  # times its own size at most
NOT_READ = "–"
LETTERS = 6  # numbers of a step named in full; neighbours draw a dozen letters


@dataclass(frozen=True)
class Frame:
    """A row of the strip.

    name    of the step; can_switch: whether it is a transform, which may be left out
    is_on   whether it was applied; `before` and `after` (32, w) uint8 are None where it was not
    """

    name: str
    numbers: tuple[float, ...]
    can_switch: bool
    is_on: bool
    before: NDArray[np.uint8] | None = None
    after: NDArray[np.uint8] | None = None
    reading: ReadBack | None = None


def frames_of(stills: Sequence[Still], every: Sequence[Still], without: frozenset[str],
              readings: Sequence[ReadBack] = ()) -> list[Frame]:
    """The rows of a strip: the stills that were made, and the transforms that were left out of it
    in their place among `every`, the stills with nothing left out."""
    made = {still.name: k for k, still in enumerate(stills)}
    order = [still.name for still in every]
    order += [still.name for still in stills if still.name not in order]
    drawn = {still.name: still.numbers for still in (*stills, *every)}
    frames = []
    for name in order:
        k = made.get(name)
        if k is None:
            if name in without:
                frames.append(Frame(name, drawn[name], True, False))
            continue
        frames.append(Frame(name, stills[k].numbers, name in transforms.NAMES, True,
                            stills[k - 1].image if k else None, stills[k].image,
                            readings[k] if readings else None))
    return frames


class StripModel(QAbstractTableModel):
    """Frames as rows. `switched(name, is_on)` when a tick is changed."""

    switched = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.frames: list[Frame] = []
        self.text = ""

    def set_frames(self, frames: list[Frame], text: str) -> None:
        """Show the strip of a sample that says `text`."""
        self.beginResetModel()
        self.frames, self.text = frames, text
        self.endResetModel()

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.frames)

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation,
                   role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.isValid() and index.column() == STEP and self.frames[index.row()].can_switch:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        frame, column = self.frames[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._said(frame, column)
        if role == Qt.ItemDataRole.CheckStateRole and column == STEP and frame.can_switch:
            return Qt.CheckState.Checked if frame.is_on else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole and column in (BEFORE, AFTER):
            window = frame.before if column == BEFORE else frame.after
            return None if window is None else picture(window)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (CONFIDENCE, LOSS):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(frame, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(frame, column)
        if role == Qt.ItemDataRole.FontRole and column == STEP and not frame.is_on:
            font = QFont(self.parent().font())
            font.setStrikeOut(True)
            return font
        return None

    def _said(self, frame: Frame, column: int) -> str | None:
        if column == STEP:
            return frame.name.replace("_", " ")
        if column == NUMBERS:
            return numbers_text(frame)
        if column == AFTER and not frame.is_on:
            return "switched off"
        if column in (READ, CONFIDENCE, LOSS):
            read = frame.reading
            if read is None:
                return NOT_READ if frame.is_on else ""
            if column == READ:
                return f"{'✓' if read.text == self.text else '✗'} {read.text or NO_TEXT}"
            return f"{read.confidence:.3f}" if column == CONFIDENCE else f"{read.loss:.2f}"
        return None

    def _colour(self, frame: Frame, column: int) -> Any:
        palette = self.parent().palette()
        if column == READ and frame.reading is not None:
            return verdict_colour(palette, frame.reading.text == self.text)
        return None if frame.is_on else faded(palette)

    @staticmethod
    def _tip(frame: Frame, column: int) -> str | None:
        if column == STEP and frame.can_switch:
            return ("Untick to see the sample without it: the other transforms draw what they "
                    "drew" if frame.is_on else "Tick to have it back")
        if column in (READ, CONFIDENCE, LOSS) and frame.reading is None and frame.is_on:
            return "Tick Read above the sheet to have the net read every step"
        if column == NUMBERS:
            named = labels(frame.name, len(frame.numbers))
            return "\n".join(f"{label}: {number:.4g}" for label, number in
                             zip(named, frame.numbers, strict=True)) or None
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        frame = self.frames[index.row()]
        self.switched.emit(frame.name, Qt.CheckState(value) == Qt.CheckState.Checked)
        return True


class FilmStrip(QWidget):
    """The strip with the sample's text and address above it.

    without_changed(frozenset)  the transforms that are to be left out
    followed(str)               an address was typed or pasted
    """

    without_changed, followed = Signal(object), Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Film strip of the selected sample")
        self.without: frozenset[str] = frozenset()
        self.address = ""
        self.model = StripModel(self)
        self.model.switched.connect(self._switch)
        self.title = QLabel("Select a sample to see how it came to be")
        self.title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.all_on = QPushButton("All on")
        self.all_on.setToolTip("Switch every transform on again")
        self.all_on.clicked.connect(lambda: self._set_without(frozenset()))
        self.copy = QPushButton("&Copy address")
        self.copy.setToolTip("Copy (settings hash, seed, number), by which anybody with these "
                             "settings sees the same sample")
        self.copy.clicked.connect(self.copy_address)
        self.goto = QLineEdit(clearButtonEnabled=True)
        self.goto.setPlaceholderText("Paste an address, then Enter")
        self.goto.setAccessibleName("Address of a sample to show")
        self.goto.setMinimumWidth(280)
        self.goto.returnPressed.connect(lambda: self.followed.emit(self.goto.text()))
        self.table = QTableView()
        self.table.setAccessibleName("Steps of the selected sample")
        self.table.setModel(self.model)
        self._shape_table()
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        for widget in (self.all_on, self.copy, self.goto):
            head.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addLayout(head)
        layout.addWidget(self.table)
        self.show_nothing()

    def _shape_table(self) -> None:
        table = self.table
        table.setIconSize(PICTURE)
        table.setWordWrap(True)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setAlternatingRowColors(True)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        table.horizontalHeader().setStretchLastSection(True)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        for column, width in enumerate(WIDTHS):
            table.setColumnWidth(column, width)

    def show_nothing(self) -> None:
        """No sample is selected."""
        self.model.set_frames([], "")
        self.title.setText("Select a sample to see how it came to be")
        self.address = ""
        self.copy.setEnabled(False)
        self.all_on.setEnabled(False)

    def show_strip(self, frames: list[Frame], text: str, address: str,
                   without: frozenset[str]) -> None:
        """Show how the sample at `address`, which says `text`, came to be."""
        place = self.table.verticalScrollBar().value()
        current = self.table.currentIndex()
        self.without, self.address = without, address
        self.model.set_frames(frames, text)
        self.title.setText(f"<b>{_escaped(text) or NO_TEXT}</b> &nbsp; {address}")
        self.copy.setEnabled(True)
        self.all_on.setEnabled(bool(without))
        if current.isValid() and current.row() < len(frames):
            self.table.setCurrentIndex(self.model.index(current.row(), current.column()))
        self.table.verticalScrollBar().setValue(place)

    def copy_address(self) -> None:
        """Put the address on the clipboard."""
        if self.address:
            QGuiApplication.clipboard().setText(self.address)

    def _switch(self, name: str, is_on: bool) -> None:
        self._set_without(self.without - {name} if is_on else self.without | {name})

    def _set_without(self, without: frozenset[str]) -> None:
        self.without = without
        self.without_changed.emit(without)


def picture(window: NDArray[np.uint8], room: QSize = PICTURE) -> QPixmap:
    """A window as large as `room` px hold."""
    h, w = window.shape
    scale = min(room.width() / w, room.height() / h, LARGEST)
    image: QImage = image_of(window)
    return QPixmap.fromImage(image.scaled(
        max(1, round(w * scale)), round(h * scale), Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation))


def numbers_text(frame: Frame) -> str:
    """The numbers by their labels, the first few."""
    named = list(zip(labels(frame.name, len(frame.numbers)), frame.numbers, strict=True))
    more = f"  +{len(named) - LETTERS}" if len(named) > LETTERS else ""
    return "   ".join(f"{label} {number:.3g}" for label, number in named[:LETTERS]) + more


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
