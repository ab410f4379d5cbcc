"""A blob's place in the tree of regions: what is around it, in it and beside it, and how stable.

The upper plot shows the variation along the blob's branch, the lower one its area, both by level;
the kept region is marked. Every region that is shown can be picked.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSplitter,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.detector.inspect import TreeWalk, tree_walk
from core.reading import Blobs, Lineage, Reading, Ref
from views.layers import BLUE, GREY, VERMILION, fate_text, number
from views.plot_area import PlotArea

ROW = Qt.ItemDataRole.UserRole
MOST_LISTED = 40   # of children and of siblings, the largest
LEAST_HEIGHT = 80  # px of list and plots together, in a window of 600 px
MOST_TICKS = 8     # levels named below the plots
COLUMNS = ("region", "level", "area", "variation", "fate")
NO_BLOB = "Pick a blob to walk its tree (show the blobs layer and click one)."
WALKS = ((Qt.ArrowType.UpArrow, "parent", "The region around it"),
         (Qt.ArrowType.DownArrow, "child", "The largest region in it"),
         (Qt.ArrowType.LeftArrow, "previous", "The sibling before it"),
         (Qt.ArrowType.RightArrow, "next", "The sibling after it"))


def siblings(blobs: Blobs, row: int) -> NDArray[np.int64]:
    """The other rows directly in the same region, left to right; none for a root."""
    parent = int(blobs.tree_parent[row])
    if parent < 0:
        return np.zeros(0, np.int64)
    beside = np.flatnonzero(blobs.tree_parent == parent)
    return _left_to_right(blobs, beside[beside != row])


class BlobTree(QWidget):
    """Shows the walk of the picked blob, or of the largest blob on the picked row's road."""

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Tree of regions at the picked blob")
        self._blobs: Blobs | None = None
        self._lineage: Lineage | None = None
        self.walk: TreeWalk | None = None
        self._beside = np.zeros(0, np.int64)
        self._title = QLabel(NO_BLOB, wordWrap=True)
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._title.setMinimumHeight(2 * self._title.fontMetrics().lineSpacing() + 2)
        head = QHBoxLayout()
        self.steps: dict[str, QToolButton] = {}
        for arrow, name, tip in WALKS:
            button = QToolButton(arrowType=arrow, autoRaise=True, toolTip=tip)
            button.setAccessibleName(tip)
            button.clicked.connect(lambda _=False, name=name: self._step(name))
            self.steps[name] = button
            head.addWidget(button)
        head.addWidget(self._title, 1)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Parent, children and siblings")
        self.tree.setHeaderLabels(COLUMNS)
        self.tree.setAlternatingRowColors(True)
        self.tree.setIndentation(12)
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.tree.itemClicked.connect(self._pick_item)
        self.tree.itemActivated.connect(self._pick_item)
        self.tree.setToolTip("Click or Enter: go to that region")
        self.variation = PlotArea("Variation by level; a click picks the region of that level")
        self.area = PlotArea("Area by level; a click picks the region of that level")
        self.variation.setLabel("left", "variation")
        self.variation.getAxis("bottom").setStyle(showValues=False)
        self.area.setLabel("left", "area, px")
        self.area.setLabel("bottom", "level, grey levels of contrast")
        self.area.setXLink(self.variation)
        for plot in (self.variation, self.area):
            plot.getAxis("left").setWidth(52)
            plot.clicked.connect(lambda level, _y: self._pick_level(level))
            plot.setToolTip("Blue: the kept region; ring: the picked one. Click to pick a level")
        plots = QSplitter(Qt.Orientation.Vertical)
        plots.addWidget(self.variation)
        plots.addWidget(self.area)
        plots.setSizes([50, 70])
        body = QSplitter(Qt.Orientation.Vertical)
        body.addWidget(self.tree)
        body.addWidget(plots)
        body.setSizes([100, 120])
        body.setMinimumHeight(LEAST_HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(head)
        layout.addWidget(body, 1)
        self._fill()

    # ---- what is shown -------------------------------------------------------------------------

    def show(self, reading: Reading | None = None) -> None:
        """Take a reading; without one this is QWidget.show."""
        if reading is None:
            super().show()
            return
        if reading.blobs is not self._blobs:
            self._blobs = reading.blobs
            self._choose()

    def highlight(self, lineage: Lineage | None) -> None:
        """Walk to the picked blob. Another row gives its largest blob; None empties the view."""
        self._lineage = lineage
        self._choose()

    def showEvent(self, event) -> None:
        """What was not worked out while nobody looked."""
        super().showEvent(event)
        self._choose()

    def _choose(self) -> None:
        """Work out the walk; a page has 100,000 regions, so only while somebody looks."""
        if not self.isVisible():
            return
        rows = self._lineage.rows.get("blobs", ()) if self._lineage else ()
        n = len(self._blobs) if self._blobs is not None else 0
        rows = [int(row) for row in rows if row < n]   # a lineage may be of an older reading
        row = max(rows, key=lambda row: self._blobs.area[row], default=None)
        if row is None:
            self.walk, self._beside = None, np.zeros(0, np.int64)
        else:
            self.walk, self._beside = tree_walk(self._blobs, row), siblings(self._blobs, row)
        self._fill()

    def _fill(self) -> None:
        self.tree.setUpdatesEnabled(False)
        self.tree.clear()
        for name, button in self.steps.items():
            button.setEnabled(self._target(name) is not None)
        if self.walk is None:
            self._title.setText(NO_BLOB)
        else:
            self._fill_tree(self._blobs, self.walk)
        self.tree.setUpdatesEnabled(True)
        self._draw()

    def _fill_tree(self, blobs: Blobs, walk: TreeWalk) -> None:
        depth = len(walk.ancestors)
        around = f"{depth} around it" if depth else "a root"
        self._title.setText(f"<b>blob {walk.row}</b> · {Blobs.POLARITIES[blobs.polarity[walk.row]]} · "
                            f"{html.escape(fate_text(blobs, walk.row))} · {around}, "
                            f"{len(walk.branch)} on its branch")
        self._group("parent", walk.ancestors[:1])
        self._group("this region", [walk.row])
        self._group("children", _largest(blobs, walk.children), len(walk.children))
        self._group("siblings", _largest(blobs, self._beside), len(self._beside))

    def _group(self, name: str, rows: Iterable[int], n: int = 1) -> None:
        rows = [int(row) for row in rows]
        if not rows:
            name = f"no {name}"
        elif n > len(rows):
            name = f"{name} ({n:,}, the {len(rows)} largest)"
        elif name in ("children", "siblings"):
            name = f"{name} ({n})"
        group = QTreeWidgetItem(self.tree, [name])
        group.setFirstColumnSpanned(True)
        for row in rows:
            self._add(group, row)
        group.setExpanded(True)

    def _add(self, group: QTreeWidgetItem, row: int) -> None:
        blobs = self._blobs
        item = QTreeWidgetItem(group, [
            f"blob {row}", str(blobs.level[row]), f"{blobs.area[row]:,}",
            number(float(blobs.variation[row])) if np.isfinite(blobs.variation[row]) else "–",
            fate_text(blobs, row)])
        item.setData(0, ROW, row)
        item.setToolTip(len(COLUMNS) - 1, item.text(len(COLUMNS) - 1))
        for column in (1, 2, 3):
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
        if blobs.fate[row] == 0:
            font = QFont(self.tree.font())
            font.setBold(True)
            for column in range(len(COLUMNS)):
                item.setFont(column, font)

    def _draw(self) -> None:
        for plot in (self.variation, self.area):
            plot.clear()
        if self.walk is None:
            return
        walk, level = self.walk, self.walk.level.astype(float)
        known = np.isfinite(walk.variation)
        self._curve(self.variation, level[known], walk.variation[known].astype(float),
                    walk.branch[known], walk.fate[known])
        self._curve(self.area, level, np.log10(np.maximum(walk.area, 1)), walk.branch, walk.fate)
        lowest, highest = np.log10(max(walk.area.min(), 1)), np.log10(max(walk.area.max(), 2))
        self.area.getAxis("left").setTicks([_area_ticks(lowest, highest)])
        self.area.setYRange(lowest, highest, padding=0.12)
        top = float(walk.variation[known].max(initial=0))
        self.variation.setYRange(0, top or 1, padding=0.12)
        step = max(1, -(-int(np.ptp(level)) // MOST_TICKS))
        self.area.getAxis("bottom").setTicks(
            [[(at, str(at)) for at in range(int(level.min()), int(level.max()) + 1, step)]])
        self.area.setXRange(level.min() - 1, level.max() + 1, padding=0)
        for plot in (self.variation, self.area):
            for at in level[walk.fate == 0]:
                plot.addItem(pg.InfiniteLine(at, pen=pg.mkPen(BLUE, width=1,
                                                              style=Qt.PenStyle.DashLine)))

    def _curve(self, plot: PlotArea, x: NDArray, y: NDArray, rows: NDArray, fate: NDArray) -> None:
        plot.addItem(pg.PlotCurveItem(x, y, pen=pg.mkPen(GREY, width=1), antialias=True))
        mine = rows == self.walk.row
        ring, none = pg.mkPen(VERMILION, width=2), pg.mkPen(None)
        plot.addItem(pg.ScatterPlotItem(
            x, y, antialias=True, size=np.where(mine, 11, np.where(fate == 0, 9, 5)),
            pen=[ring if is_mine else none for is_mine in mine],
            brush=[pg.mkBrush(QColor(BLUE if code == 0 else GREY)) for code in fate]))

    # ---- walking -------------------------------------------------------------------------------

    def _pick(self, row: int) -> None:
        self.picked.emit(Ref("blobs", row))

    def _pick_item(self, item: QTreeWidgetItem, _column: int) -> None:
        row = item.data(0, ROW)
        if row is not None and (self.walk is None or row != self.walk.row):
            self._pick(row)

    def _pick_level(self, level: float) -> None:
        if self.walk is not None:
            self._pick(int(self.walk.branch[np.argmin(abs(self.walk.level - level))]))

    def _step(self, name: str) -> None:
        row = self._target(name)
        if row is not None:
            self._pick(row)

    def _target(self, name: str) -> int | None:
        """Where a step leads, None where it leads nowhere."""
        if self.walk is None:
            return None
        if name == "parent":
            return int(self.walk.ancestors[0]) if len(self.walk.ancestors) else None
        if name == "child":
            inside = self.walk.children
            return int(inside[np.argmax(self._blobs.area[inside])]) if len(inside) else None
        if not len(self._beside):
            return None
        row = _left_to_right(self._blobs, np.append(self._beside, self.walk.row)).tolist()
        at = row.index(self.walk.row) + (1 if name == "next" else -1)
        return row[at % len(row)]


def _area_ticks(lowest: float, highest: float) -> list[tuple[float, str]]:
    """At most four round areas between two decadic logarithms, else these two themselves."""
    round_ = np.array([digit * 10.0 ** power for power in range(10) for digit in (1, 2, 5)])
    at = round_[(np.log10(round_) >= lowest) & (np.log10(round_) <= highest)]
    if len(at) < 2:
        at = np.unique(np.round(10.0 ** np.array([lowest, highest])))
    at = at[::-(-len(at) // 4)] if len(at) > 4 else at
    return [(float(np.log10(value)), number(float(value))) for value in at]


def _left_to_right(blobs: Blobs, rows: NDArray) -> NDArray[np.int64]:
    return rows[np.lexsort((rows, blobs.box[rows, 1], blobs.box[rows, 0]))]


def _largest(blobs: Blobs, rows: NDArray) -> NDArray[np.int64]:
    return rows[np.argsort(-blobs.area[rows], kind="stable")][:MOST_LISTED]
