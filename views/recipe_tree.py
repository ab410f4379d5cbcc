"""What the samples were made of: every step, how many have it, and of each of its numbers the range
and the histogram, with a mark where the selected sample lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPolygonF
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.synth import transforms
from core.synth.survey import Facts, labels
from views.layers import BLUE, SKY, VERMILION
from views.samples import is_dark

COLUMNS = ("step", "samples", "range", "distribution")
BINS = 24
ROLE = Qt.ItemDataRole.UserRole
TRANSFORM, BARS = ROLE, ROLE + 1
MOST_NAMES = {"kind": 30, "font": 12}  # kinds of text and of negatives: all; fonts: the commonest
HEIGHT = 22  # px of a row
LEAST_WIDTH = 350  # px at which a histogram still shows its shape
ALWAYS = (("severity", "how strongly all transforms act"),
          ("tape", "receipts: a till's print"), ("display", "screenshots"),
          ("layout", "how the text is set"),
          ("levels", "paper and ink"), ("legible", "mended where nobody could read it"))


@dataclass(frozen=True)
class Bars:
    """A histogram: heights (k,) in 0 .. 1, and where in 0 .. 1 the selected sample lies, if it
    does; `share` draws one level bar instead."""

    heights: NDArray[np.float32]
    mark: float | None = None
    is_share: bool = False


class RecipeTree(QWidget):
    """The tree. `transform_wanted(name)`: show only samples that have this step; `font_wanted`."""

    transform_wanted, font_wanted = Signal(str), Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Recipes of the samples")
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Steps and the numbers they drew")
        self.tree.setHeaderLabels(COLUMNS)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(12)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setAlternatingRowColors(True)
        self.tree.setItemDelegateForColumn(3, BarsDelegate(self.tree))
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.tree.header().setStretchLastSection(True)
        for column, width in enumerate((150, 62, 88)):
            self.tree.setColumnWidth(column, width)
        self.tree.itemActivated.connect(self._activated)
        self.tree.setToolTip("Double-click a transform or a font to see only its samples")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.note)
        layout.addWidget(self.tree)
        self.setMinimumWidth(LEAST_WIDTH)
        self._items: dict[str, QTreeWidgetItem] = {}

    def show_facts(self, facts: Facts, selected: int | None, total: int) -> None:
        """Show the distributions over the samples looked through, of `total` on the sheet."""
        self.note.setText(f"Over the first {len(facts):,} of {total:,} samples"
                          if len(facts) < total else f"Over all {total:,} samples")
        if not len(facts):
            self.note.setText("Looking through the samples …")
            return
        self._names("texts", "kind", facts.kind)
        self._names("fonts", "font", facts.font)
        for name, tip in ALWAYS:
            self._step(None, name, facts, selected, tip)
        for place, steps in transforms.PLACES:
            top = self._item(place, None, place)
            members = np.zeros(len(facts), bool)
            for step in steps:
                self._step(top, step.name, facts, selected)
                members |= np.isin(facts.i, facts.of(step.name).i)
            _set_share(top, int(members.sum()), len(facts))

    # ---- rows ----------------------------------------------------------------------------------

    def _item(self, key: str, parent: QTreeWidgetItem | None, text: str) -> QTreeWidgetItem:
        """The row of that key, made where it is new: the tree stays as it was unfolded."""
        item = self._items.get(key)
        if item is None:
            item = QTreeWidgetItem(parent if parent is not None else self.tree, [text])
            item.setSizeHint(0, QSize(0, HEIGHT))
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._items[key] = item
            if parent is None and key in dict(transforms.PLACES):
                item.setExpanded(True)
        return item

    def _names(self, title: str, column: str, values: NDArray[np.str_]) -> None:
        """Kinds of text or fonts, by how often they occur."""
        top = self._item(title, None, title)
        names, counts = np.unique(values[values != ""], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        top.setText(1, f"{len(names):,}")
        top.setToolTip(1, f"{len(names):,} different ones")
        top.takeChildren()
        for key in [key for key in self._items if key.startswith(f"{title}/")]:
            del self._items[key]
        most = MOST_NAMES[column]
        for k in order[:most]:
            item = self._item(f"{title}/{names[k]}", top, str(names[k]))
            _set_share(item, int(counts[k]), len(values))
            item.setToolTip(0, str(names[k]))
            if column == "font":
                item.setData(0, TRANSFORM, f"font:{names[k]}")
        rest = int(counts[order[most:]].sum())
        if rest:
            item = self._item(f"{title}/ others", top, f"{len(names) - most:,} others")
            _set_share(item, rest, len(values))

    def _step(self, parent: QTreeWidgetItem | None, name: str, facts: Facts, selected: int | None,
              tip: str = "") -> None:
        drawn = facts.of(name)
        item = self._item(f"step/{name}", parent, name.replace("_", " "))
        item.setData(0, TRANSFORM, name)
        item.setToolTip(0, tip)
        _set_share(item, len(drawn.i), len(facts))
        at = np.flatnonzero(drawn.i == selected) if selected is not None else ()
        for k, label in enumerate(_told_apart(labels(name, drawn.numbers.shape[1]))):
            column = drawn.numbers[:, k]
            row = self._item(f"step/{name}/{k}", item, label)
            row.setData(0, TRANSFORM, name)
            low, high = float(column.min()), float(column.max())
            row.setText(2, f"{low:.2g} – {high:.2g}")
            here = float(column[at[0]]) if len(at) else None
            row.setData(3, BARS, histogram(column, here))
            row.setToolTip(3, f"median {np.median(column):.3g}"
                           + ("" if here is None else f", the selected sample {here:.3g}"))

    def _activated(self, item: QTreeWidgetItem, _column: int) -> None:
        name = item.data(0, TRANSFORM) or ""
        if name.startswith("font:"):
            self.font_wanted.emit(name.removeprefix("font:"))
        elif name:
            self.transform_wanted.emit(name)


def histogram(values: NDArray, mark: float | None = None) -> Bars:
    """The distribution of finite values over BINS equal steps of their range."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return Bars(np.ones(1, np.float32), None if mark is None else 0.5)
    counts, _ = np.histogram(values, BINS, (low, high))
    heights = (counts / counts.max()).astype(np.float32)
    return Bars(heights, None if mark is None else (mark - low) / (high - low))


def _told_apart(names: tuple[str, ...]) -> list[str]:
    """Labels with numbers behind those that occur several times."""
    return [f"{name} {names[:k].count(name) + 1}" if names.count(name) > 1 else name
            for k, name in enumerate(names)]


def _set_share(item: QTreeWidgetItem, count: int, total: int) -> None:
    share = count / total if total else 0.0
    item.setText(1, f"{100 * share:.1f} %" if count else "–")
    item.setToolTip(1, f"{count:,} of {total:,} samples")
    item.setData(3, BARS, Bars(np.array([share], np.float32), None, True))


class BarsDelegate(QStyledItemDelegate):
    """Draws `Bars`."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem,
              index: QModelIndex | QPersistentModelIndex) -> None:
        super().paint(painter, option, index)
        bars: Bars | None = index.data(BARS)
        if bars is None:
            return
        dark = is_dark(option.palette)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        colour = option.palette.highlightedText().color() if chosen else QColor(SKY if dark else BLUE)
        rect = QRectF(option.rect).adjusted(4, 3, -4, -3)
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        if bars.is_share:
            painter.drawRect(QRectF(rect.left(), rect.center().y() - 3,
                                    max(1.0, rect.width() * float(bars.heights[0])), 6)
                             if bars.heights[0] else QRectF())
        else:
            step = rect.width() / len(bars.heights)
            for k, height in enumerate(bars.heights.tolist()):
                tall = rect.height() * height
                if height:
                    painter.drawRect(QRectF(rect.left() + k * step, rect.bottom() - max(tall, 1),
                                            max(step - 1, 1), max(tall, 1)))
        if bars.mark is not None:
            x = rect.left() + bars.mark * rect.width()
            painter.setBrush(option.palette.highlightedText().color() if chosen else
                             QColor("#ff9a66" if dark else VERMILION))
            painter.drawPolygon(QPolygonF([QPointF(x - 4, rect.top() - 2),
                                           QPointF(x + 4, rect.top() - 2),
                                           QPointF(x, rect.top() + 5)]))
            painter.drawRect(QRectF(x - 0.5, rect.top(), 1, rect.height()))
        painter.restore()
