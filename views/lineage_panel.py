"""The road of the picked row, from blobs to its box in the PDF, as a tree."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QKeySequence, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.reading import Lineage, Reading, Ref
from views.layers import DOUBTFUL, SURE
from views.lineage_facts import Node, Window, as_text, region, road
from views.page_image import image_of

CROP_HEIGHT = 48   # px on screen of a segment's window
CROP_WIDTH = 320   # px on screen at most
SPAN_COLOUR = QColor("#d55e00")
REF_ROLE = Qt.ItemDataRole.UserRole


class LineagePanel(QWidget):
    """Shows the road of a row, or what lies in a region. A double click on a row picks it."""

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Lineage of the picked row")
        self._reading, self._lineage, self._settings = Reading(), None, None
        self.nodes: list[Node] = []
        self._title = QLabel("Click a word, a box or a blob.")
        self._title.setWordWrap(True)
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy = QPushButton("Copy")
        copy.setAccessibleName("Copy the lineage as text")
        copy.setToolTip("Copy everything below as text")
        copy.clicked.connect(self.copy)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(copy)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Stages and facts")
        self.tree.setHeaderLabels(["stage", "what was recorded"])
        self.tree.setUniformRowHeights(False)
        self.tree.setAlternatingRowColors(True)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setStretchLastSection(True)
        self.tree.itemActivated.connect(self._activate)
        self.tree.setToolTip("Double click or Enter on a row: go to it")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(head)
        layout.addWidget(self.tree)

    # ---- what is shown -------------------------------------------------------------------------

    def show(self, reading: Reading | None = None) -> None:
        """Take a reading; without one this is QWidget.show."""
        if reading is None:
            super().show()
            return
        self._reading = reading
        self.highlight(self._lineage)

    def set_settings(self, settings: Any) -> None:
        """Settings the reading was made with; their bucket limits are told beside the bucket."""
        self._settings = settings

    def highlight(self, lineage: Lineage | None) -> None:
        """Show the road of a row; None empties the panel."""
        self._lineage = lineage
        if lineage is None:
            self._fill("Click a word, a box or a blob.", [])
            return
        nodes = road(self._reading, lineage, self._settings)
        picked = lineage.picked
        text = next((f" “{table.text[picked.row]}”" for table in [self._reading.table(picked.table)]
                     if getattr(table, "text", None) is not None and picked.row < len(table)), "")
        self._fill(f"{picked.table} {picked.row}{text}", nodes)

    def show_region(self, reading: Reading, box: NDArray[np.float32]) -> None:
        """List every blob, line, box and reading in a box (4,), upright px, with what refused it."""
        self._reading, self._lineage = reading, None
        self._fill("What is in the rectangle, and what refused it", region(reading, box))

    def text(self) -> str:
        """What is shown, as indented lines."""
        return f"{self._title.text()}\n{as_text(self.nodes)}"

    def copy(self) -> None:
        """Put the text on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    def _fill(self, title: str, nodes: list[Node]) -> None:
        self.nodes = nodes
        self._title.setText(title)
        self.tree.setUpdatesEnabled(False)
        self.tree.clear()
        for node in nodes:
            self._add(self.tree.invisibleRootItem(), node, stage=True)
        self.tree.setUpdatesEnabled(True)

    def _add(self, parent: QTreeWidgetItem, node: Node, stage: bool = False) -> None:
        item = QTreeWidgetItem(parent, [node.name, node.value])
        item.setData(0, REF_ROLE, node.ref)
        item.setToolTip(1, node.value)
        if stage:
            font = QFont(self.tree.font())
            font.setBold(True)
            item.setFont(0, font)
        if self._lineage is not None and node.ref == self._lineage.picked:
            item.setText(0, f"▸ {node.name}")
        if node.window is not None:
            self._put(item, _picture(node.window), "picture of the window")
        if node.characters:
            self._put(item, _characters(node.characters, self.tree), node.value)
        for child in node.children:
            self._add(item, child)
        item.setExpanded(node.open)

    def _put(self, item: QTreeWidgetItem, label: QLabel, name: str) -> None:
        item.setText(1, "")
        label.setAccessibleName(name)
        self.tree.setItemWidget(item, 1, label)

    def _activate(self, item: QTreeWidgetItem, _column: int) -> None:
        ref = item.data(0, REF_ROLE)
        if isinstance(ref, Ref):
            self.picked.emit(ref)

    def keyPressEvent(self, event) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)


def _picture(window: Window) -> QLabel:
    """The crop, its own part between two lines; a line through ink is dashed."""
    height, width = window.pixels.shape
    scale = min(CROP_HEIGHT / height, CROP_WIDTH / width)
    picture = QPixmap.fromImage(image_of(window.pixels)).scaled(
        round(width * scale), round(height * scale), Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation)
    painter = QPainter(picture)
    for x, end in zip(window.span, window.ends, strict=True):
        through = end == "cut through ink"
        painter.setPen(QPen(SPAN_COLOUR, 2, Qt.PenStyle.DashLine if through else Qt.PenStyle.SolidLine))
        painter.drawLine(QPointF(x * scale, 0), QPointF(x * scale, picture.height()))
    painter.end()
    label = QLabel()
    label.setPixmap(picture)
    label.setToolTip(f"left: {window.ends[0]}; right: {window.ends[1]}")
    return label


def _characters(pairs: tuple[tuple[str, float], ...], tree: QTreeWidget) -> QLabel:
    """Each character above its confidence; doubtful ones underlined, unlikely ones boxed in bold."""
    def cell(text: str, sure: float) -> str:
        text = html.escape(text).replace(" ", "␣")
        dark = tree.palette().base().color().lightness() < 128
        if sure >= SURE:
            return text
        if sure >= DOUBTFUL:
            return f'<u style="color:{"#ffc266" if dark else "#8a5800"}">{text}</u>'
        return f'<b><u style="color:{"#ff9a66" if dark else "#b04000"}">{text}</u></b>'
    top = "".join(f'<td align="center"><span style="font-size:large">{cell(c, p)}</span></td>'
                  for c, p in pairs)
    bottom = "".join(f'<td align="center"><small>{100 * p:.0f}</small></td>' for _, p in pairs)
    label = QLabel(f'<table cellspacing="3"><tr>{top}</tr><tr>{bottom}</tr></table>')
    label.setToolTip("confidence in % below each character")
    return label
