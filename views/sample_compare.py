"""Synthetic samples beside real crops: a table of how six measures are distributed on both sides,
the real crops nearest to the selected sample, and the histogram of characters.

Real crops are shown and measured, never stored.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.recognizer.alphabet import ASCII, CHARACTERS
from core.synth.compare import UNITS, Gap, Measures, RealCrops, finite, gaps
from views.film_strip import picture
from views.layers import BLUE, SKY, VERMILION
from views.samples import faded, is_dark

ALL = "all categories"
BINS = 24
CURVES = Qt.ItemDataRole.UserRole
COLUMNS = ("measure", "real", "synthetic", "apart", "real filled, synthetic line")
ROW_HEIGHT = 40  # px
FAR = 0.25  # from this on two distributions lie clearly apart: told by a mark
CROP = QSize(180, 40)  # px that a real crop may take up
MARGIN = 18  # px under the bars of characters, for the characters
LEAST_BAR = 10  # px of a bar's width where there is room


@dataclass(frozen=True)
class Curves:
    """Two histograms over the same bins, heights (k,) in 0 .. 1."""

    real: NDArray[np.float32]
    drawn: NDArray[np.float32]


class RealSource(QWidget):
    """Where real words come from. `listed(Path)`: say its categories; `chosen(tsv, root,
    category)`: cut some."""

    listed, chosen = Signal(object), Signal(object, object, str)

    def __init__(self, tsv: Path | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tsv, self.root = QLineEdit(), QLineEdit()
        self.tsv.setAccessibleName("Word list of real crops")
        self.tsv.setPlaceholderText("word list: file x0 y0 x1 y1 text printed")
        self.root.setAccessibleName("Folder of the real pages")
        self.root.setPlaceholderText("folder that the list's files are relative to")
        self.category = QComboBox()
        self.category.setAccessibleName("Category of the real crops")
        self.category.addItem(ALL)
        for narrow in (self.tsv, self.root, self.category):
            narrow.setMinimumWidth(80)
        self.cut = QPushButton("Compare")
        self.cut.setToolTip("Cut words of these pages and measure them; nothing is stored")
        self.cut.clicked.connect(self._choose)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for row, (label, line, ask) in enumerate((("Words", self.tsv, self._ask_tsv),
                                                  ("Pages", self.root, self._ask_root))):
            button = QToolButton(text="…")
            button.setAccessibleName(f"Choose: {line.accessibleName()}")
            button.clicked.connect(ask)
            layout.addWidget(QLabel(label), row, 0)
            layout.addWidget(line, row, 1)
            layout.addWidget(button, row, 2)
        below = QHBoxLayout()
        below.addWidget(self.category, 1)
        below.addWidget(self.cut)
        layout.addLayout(below, 2, 0, 1, 3)
        self.tsv.editingFinished.connect(self._tsv_edited)
        if tsv is not None:
            self.set_tsv(tsv)

    def set_tsv(self, tsv: Path) -> None:
        """Take a word list; its pages are looked for two folders up, as the lists here have it."""
        self.tsv.setText(str(tsv))
        self.root.setText(str(tsv.parent.parent))

    def show_categories(self, names: tuple[str, ...]) -> None:
        """What the word list holds."""
        before = self.category.currentText()
        self.category.clear()
        self.category.addItems([ALL, *names])
        self.category.setCurrentText(before)

    def ask_categories(self) -> None:
        """Have the list looked at, if one is named."""
        if self.tsv.text():
            self.listed.emit(Path(self.tsv.text()))

    def _tsv_edited(self) -> None:
        if self.tsv.isModified():
            self.tsv.setModified(False)
            self.ask_categories()

    def _ask_tsv(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Word list of real crops", self.tsv.text(),
                                              "Word lists (*.tsv)")
        if path:
            self.set_tsv(Path(path))
            self.ask_categories()

    def _ask_root(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of the real pages", self.root.text())
        if path:
            self.root.setText(path)

    def _choose(self) -> None:
        if self.tsv.text():
            category = self.category.currentText()
            self.chosen.emit(Path(self.tsv.text()), Path(self.root.text() or "."),
                             "" if category == ALL else category)


class Distributions(QWidget):
    """The table of measures."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Distributions of real and synthetic windows")
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Measures of real and synthetic windows")
        self.table.setHorizontalHeaderLabels(COLUMNS)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.setItemDelegateForColumn(4, CurvesDelegate(self.table))
        for column, width in enumerate((92, 110, 110, 56)):
            self.table.setColumnWidth(column, width)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.note)
        layout.addWidget(self.table)
        self.show_measures(None, None)

    def show_measures(self, real: Measures | None, drawn: Measures | None) -> None:
        """Compare; either side may not be there yet."""
        if real is None or not len(real) or drawn is None or not len(drawn):
            self.note.setText("Choose a word list and press Compare: median (10th to 90th "
                              "percentile) of both sides are shown here.")
            self.table.setRowCount(0)
            return
        self.note.setText(f"{len(real):,} real and {len(drawn):,} synthetic windows: median (10th "
                          f"to 90th percentile). ▲ marks measures that lie apart by {FAR} or more.")
        rows = sorted(gaps(real, drawn), key=lambda gap: -gap.apart)
        self.table.setRowCount(len(rows))
        for row, gap in enumerate(rows):
            texts = (f"{gap.name} ({UNITS[gap.name]})", spread_text(gap.real),
                     spread_text(gap.drawn), f"{'▲ ' if gap.apart >= FAR else ''}{gap.apart:.2f}")
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(TIPS[gap.name] if column == 0 else text)
                self.table.setItem(row, column, item)
            item = QTableWidgetItem()
            item.setData(CURVES, curves(gap, real, drawn))
            self.table.setItem(row, 4, item)


TIPS = {"height": "px of the window's 32 between which the middle 90 % of the ink lies",
        "width": "px of the window",
        "contrast": "gray levels between paper and ink",
        "blur": "standard deviation of the Gaussian that would make its sharpest edges",
        "noise": "standard deviation of gray on flat ground",
        "slant": "degrees from upright, positive as italics lean"}


def spread_text(spread: tuple[float, float, float]) -> str:
    """"213 (96 – 245)"."""
    low, middle, high = (f"{v:.0f}" if max(map(abs, spread)) >= 100 else f"{v:.1f}" for v in spread)
    return f"{middle} ({low} – {high})"


def curves(gap: Gap, real: Measures, drawn: Measures) -> Curves:
    """Both histograms over the range that holds 98 % of both."""
    a, b = finite(getattr(real, gap.name)), finite(getattr(drawn, gap.name))
    both = np.concatenate([np.percentile(a, (1, 99)), np.percentile(b, (1, 99))])
    low, high = float(both.min()), max(float(both.max()), float(both.min()) + 1e-3)
    heights = [np.histogram(np.clip(x, low, high), BINS, (low, high))[0] / len(x) for x in (a, b)]
    top = max(float(h.max()) for h in heights)
    return Curves(*((h / top).astype(np.float32) for h in heights))


class CurvesDelegate(QStyledItemDelegate):
    """Draws `Curves`: the real ones filled, the synthetic ones as a line."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem,
              index: QModelIndex | QPersistentModelIndex) -> None:
        super().paint(painter, option, index)
        shown: Curves | None = index.data(CURVES)
        if shown is None:
            return
        rect = QRectF(option.rect).adjusted(4, 4, -4, -3)
        step = rect.width() / len(shown.real)
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(faded(option.palette) if is_dark(option.palette) else QColor("#a8a8a8"))
        for k, height in enumerate(shown.real.tolist()):
            painter.drawRect(QRectF(rect.left() + k * step, rect.bottom() - height * rect.height(),
                                    step, height * rect.height()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(SKY if is_dark(option.palette) else BLUE), 1))
        line = QPolygonF()
        for k, height in enumerate(shown.drawn.tolist()):
            y = rect.bottom() - height * rect.height()
            line += [QPointF(rect.left() + k * step, y), QPointF(rect.left() + (k + 1) * step, y)]
        painter.drawPolyline(line)
        painter.restore()


class NearestCrops(QWidget):
    """The real crops most like the selected sample. `by_changed("look" | "text")`."""

    by_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Nearest real crops")
        self.by = QComboBox()
        self.by.setAccessibleName("What makes a real crop near")
        self.by.setToolTip("Look: height, width, contrast, blur, noise and slant together")
        self.by.addItem("alike in look", "look")
        self.by.addItem("alike in text", "text")
        self.by.currentIndexChanged.connect(lambda _: self.by_changed.emit(self.by.currentData()))
        self.list = QListWidget()
        self.list.setAccessibleName("Real crops, nearest first")
        self.list.setIconSize(CROP)
        self.list.setSpacing(1)
        self.list.setAlternatingRowColors(True)
        self.note = QLabel("Choose a word list, press Compare and select a sample.")
        self.note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.by)
        layout.addWidget(self.note)
        layout.addWidget(self.list)

    def show_nothing(self) -> None:
        """No sample is selected, or no real crops are there."""
        self.list.clear()
        self.note.show()

    def show_crops(self, crops: RealCrops, distances: NDArray[np.float32]) -> None:
        """Show crops, nearest first."""
        self.list.clear()
        self.note.hide()
        for window, row, distance in zip(crops.windows, crops.rows, distances, strict=True):
            far = "" if np.isnan(distance) else f"\n{distance:.2f} apart"
            text = row.printed or row.text
            item = QListWidgetItem(QIcon(picture(window, CROP)), f"{text}{far}")
            item.setSizeHint(QSize(0, CROP.height() + 8))
            item.setToolTip(f"{row.file}\nbox {' '.join(f'{v:.0f}' for v in row.box)}\n{row.text}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{text}, {row.category}")
            self.list.addItem(item)


class CharacterBars(QWidget):
    """How often each character is drawn: a bar each, ASCII above, the signs beyond it below; the
    tenth of ASCII's median as a line. Bars of all rows have one scale."""

    SHARE = 0.1  # of the median; no symbol should be rarer

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Histogram of characters")
        self.setMouseTracking(True)
        self.setMinimumHeight(150)
        self.counts = np.zeros(len(CHARACTERS), np.int64)
        self.n = 0
        self._columns: list[tuple[QRectF, int]] = []  # where each character's bar may stand

    def show_counts(self, counts: NDArray[np.int64], n: int) -> None:
        """(C,) counts of alphabet.CHARACTERS in n samples."""
        self.counts, self.n = np.asarray(counts, np.int64), n
        self.setAccessibleDescription(self._title())
        self.update()

    def median(self) -> float:
        """Of ASCII but the space."""
        return float(np.median(self.counts[1:len(ASCII)]))

    def rare(self) -> str:
        """Characters of ASCII rarer than a tenth of the median; those beyond it may be rare."""
        return "".join(c for c, n in zip(ASCII[1:], self.counts[1:len(ASCII)].tolist(), strict=True)
                       if n < self.SHARE * self.median())

    def never(self) -> str:
        """Characters beyond ASCII that were not drawn at all."""
        return "".join(c for c, n in zip(CHARACTERS, self.counts.tolist()) if not n and c not in ASCII)

    def _title(self) -> str:
        rare, never = self.rare(), self.never()
        return (f"{int(self.counts.sum()):,} characters in {self.n:,} samples; "
                + (f"rarer than a tenth of ASCII's median (dashed): {' '.join(rare)}" if rare
                   else "none of ASCII rarer than a tenth of its median (dashed)")
                + (f"; never drawn: {' '.join(never)}" if never else ""))

    def sizeHint(self) -> QSize:
        return QSize(360, 240)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().base())
        painter.setPen(self.palette().text().color())
        if not self.n:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Counting …")
            return
        title = painter.boundingRect(QRectF(6, 4, self.width() - 12, self.height()),
                                     int(Qt.TextFlag.TextWordWrap), self._title())
        painter.drawText(title, int(Qt.TextFlag.TextWordWrap), self._title())
        top = title.bottom() + 6
        rows = bar_rows(self.width() - 12)
        tall = [max(float(np.sqrt(self.counts[row].max(initial=1))), 1.0) for row in rows]
        # px of a bar for each root of a count: rare characters stay visible beside the commonest
        scale = max(0.0, self.height() - 6 - top - MARGIN * len(rows)) / sum(tall)
        self._columns = []
        for row, root in zip(rows, tall, strict=True):
            self._row(painter, row, top, top + scale * root, scale)
            top += scale * root + MARGIN

    def _row(self, painter: QPainter, row: NDArray[np.int64], top: float, base: float,
             scale: float) -> None:
        palette, rare = self.palette(), self.rare()
        blue = SKY if is_dark(palette) else BLUE
        width = (self.width() - 12) / len(row)
        for place, k in enumerate(row.tolist()):
            x, character = 6 + place * width, CHARACTERS[k]
            height = scale * float(np.sqrt(self.counts[k]))
            painter.fillRect(QRectF(x + 1, base - height, max(width - 2, 1), height),
                             QColor(VERMILION if character in rare else blue))
            painter.setPen(palette.text().color())
            painter.drawText(QRectF(x - 4, base, width + 8, MARGIN), Qt.AlignmentFlag.AlignCenter,
                             shown(character))
            self._columns.append((QRectF(x, top, width, base + MARGIN - top), k))
        if row[0] < len(ASCII):
            limit = base - scale * float(np.sqrt(self.SHARE * self.median()))
            painter.setPen(QPen(faded(palette), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(6, limit), QPointF(self.width() - 6, limit))

    def told(self, point: QPointF) -> str:
        """What is to be said of a point: its character's name and count, else the rarest ones."""
        for column, k in self._columns:
            if column.contains(point):
                name = unicodedata.name(CHARACTERS[k], "").lower()
                return (f"{shown(CHARACTERS[k])}  {name} (U+{ord(CHARACTERS[k]):04X}): "
                        f"{self.counts[k]:,} in {self.n:,} samples")
        order = np.argsort(self.counts[:len(ASCII)], kind="stable")
        rarest = ", ".join(f"{shown(CHARACTERS[k])} {self.counts[k]:,}" for k in order[:8])
        return (f"Heights are square roots of counts. Rarest of ASCII: {rarest}; median "
                f"{self.median():,.0f}")

    def event(self, event) -> bool:  # QEvent of several kinds
        if event.type() == event.Type.ToolTip and self.n:
            self.setToolTip(self.told(QPointF(event.pos())))
        return super().event(event)


def bar_rows(width: float) -> list[NDArray[np.int64]]:
    """Numbers of the characters in each row of bars of a width in px: ASCII, then all others."""
    rows: list[NDArray[np.int64]] = []
    for first, stop in ((0, len(ASCII)), (len(ASCII), len(CHARACTERS))):
        n = max(1, min(3, -(-(stop - first) * LEAST_BAR // max(int(width), 1))))
        rows += np.array_split(np.arange(first, stop), n)
    return rows


def shown(character: str) -> str:
    """A character as it can be seen alone."""
    return "␣" if character == " " else character
