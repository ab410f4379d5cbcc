"""The legend of the shown layers: a sample of line, a name and a count, which switches the rows."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from views.layers import BLOB_FILTERS, LAYER_STYLES, POLARITY_FILTERS, LayerRows, LayerStyle
from views.overlay import BASELINE, pen_of

FILTER_TIPS = {"raw": "Every region of the tree", "stable": "The stable region of each branch, kept or refused",
               "kept": "Only the kept blobs",
               "refused": "Only stable regions that a rule refused",
               "both": "Blobs of either polarity", "dark": "Only dark on light",
               "light": "Only light on dark"}
SAMPLE = QSize(30, 12)  # px of the line sample


def line_sample(style: LayerStyle) -> QIcon:
    """A stroke of the style on white, so it looks as it does on a page in dark windows too."""
    picture = QPixmap(SAMPLE)
    picture.fill(Qt.GlobalColor.white)
    painter = QPainter(picture)
    painter.setPen(pen_of(style, 1.0, 2.0))
    painter.drawLine(2, SAMPLE.height() // 2, SAMPLE.width() - 2, SAMPLE.height() // 2)
    painter.end()
    return QIcon(picture)


class Legend(QFrame):
    """Floats over the canvas. A click on an entry hides or shows the rows of that code."""

    toggled = Signal(str, int, bool)   # layer, code, shown
    filtered = Signal(str)             # a name of BLOB_FILTERS or POLARITY_FILTERS
    baselines_shown = Signal(bool)

    LARGEST_SHARE = 0.4   # of the canvas' width; a legend that needs more starts folded

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Legend")
        self.setAutoFillBackground(True)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._head = QToolButton(self, text="Legend", checkable=True, checked=True, autoRaise=True)
        self._head.setAccessibleName("Show or fold the legend")
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setArrowType(Qt.ArrowType.DownArrow)
        self._head.toggled.connect(self._fold)
        self._head.pressed.connect(self._folded_by_hand)  # which comes before `toggled`
        self._area = QScrollArea(self, widgetResizable=True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 4)
        layout.setSpacing(2)
        layout.addWidget(self._head)
        layout.addWidget(self._area)
        self._is_as_wanted = False   # a person has folded or opened it: it stays so
        self._key: tuple = ()
        self.entries: dict[tuple[str, int], QCheckBox] = {}
        self.filters: dict[str, QToolButton] = {}
        self._polarity, self._are_baselines_on = "both", True   # outlive the entries

    def show_layers(self, layers: list[LayerRows], shown: Callable[[str, int], bool]) -> None:
        """Entries for these layers, topmost first; `shown(layer, code)` says which are on."""
        key = tuple((rows.name, tuple(rows.counts.tolist())) for rows in layers)
        if key == self._key:
            return
        self._key, self.entries, self.filters = key, {}, {}
        body = QWidget()
        body.setAutoFillBackground(True)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        for rows in reversed(layers):
            title = QLabel(f"<b>{rows.name}</b>  {len(rows):,}")
            column.addWidget(title)
            if rows.name == "blobs":
                column.addLayout(self._filter_row(tuple(BLOB_FILTERS), None))
                column.addLayout(self._filter_row(tuple(POLARITY_FILTERS), self._polarity))
            for code, n in enumerate(rows.counts.tolist()):
                if n:
                    column.addWidget(self._entry(rows.name, code, n, shown(rows.name, code)))
            if rows.name == "lines":
                column.addWidget(self._baseline_entry())
        column.addStretch(1)
        self._area.setWidget(body)
        self.setVisible(bool(layers))
        self.fit()

    def _entry(self, layer: str, code: int, n: int, shown: bool) -> QCheckBox:
        style = LAYER_STYLES[layer][code]
        entry = QCheckBox(checked=shown)
        entry.setIcon(line_sample(style))
        entry.setIconSize(SAMPLE)
        entry.setAccessibleName(f"{layer}: {style.label}, {n} rows")
        entry.setToolTip(f"Show or hide the {n:,} {layer}: {style.label}")
        text = f"{style.label}  {n:,}"
        entry.toggled.connect(lambda on: self._switch(entry, layer, code, text, on))
        self._write(entry, text, shown)
        self.entries[layer, code] = entry
        return entry

    def _filter_row(self, names: tuple[str, ...], chosen: str | None) -> QHBoxLayout:
        """Small buttons of which the chosen one stays down; None: they only switch the entries."""
        row = QHBoxLayout()
        row.setSpacing(1)
        group = QButtonGroup(row)
        for name in names:
            button = QToolButton(text=name, checkable=chosen is not None, autoRaise=True,
                                 toolTip=FILTER_TIPS[name])
            button.setChecked(name == chosen)
            button.setAccessibleName(f"blobs: {FILTER_TIPS[name]}")
            button.clicked.connect(lambda _=False, name=name: self._choose_filter(name))
            group.addButton(button)
            row.addWidget(button)
            self.filters[name] = button
        row.addStretch(1)
        return row

    def _choose_filter(self, name: str) -> None:
        if name in POLARITY_FILTERS:
            self._polarity = name
        self.filtered.emit(name)

    def _baseline_entry(self) -> QCheckBox:
        entry = QCheckBox("baseline, x-height", checked=self._are_baselines_on)
        entry.setObjectName("baselines")
        entry.setIcon(line_sample(BASELINE))
        entry.setIconSize(SAMPLE)
        entry.setToolTip("Show or hide baselines (solid) and x-heights (dashed) of the kept lines")
        entry.toggled.connect(self._switch_baselines)
        return entry

    def _switch_baselines(self, on: bool) -> None:
        self._are_baselines_on = on
        self.baselines_shown.emit(on)

    def check(self, shown: Callable[[str, int], bool]) -> None:
        """Switch the entries to what is shown now, without saying so."""
        for (layer, code), entry in self.entries.items():
            entry.blockSignals(True)
            entry.setChecked(shown(layer, code))
            entry.blockSignals(False)
            self._write(entry, entry.text(), entry.isChecked())

    def _switch(self, entry: QCheckBox, layer: str, code: int, text: str, on: bool) -> None:
        self._write(entry, text, on)
        self.toggled.emit(layer, code, on)

    def _write(self, entry: QCheckBox, text: str, on: bool) -> None:
        font = entry.font()
        font.setStrikeOut(not on)   # hidden rows are told by the stroke, not by a paler colour only
        entry.setFont(font)
        entry.setText(text)

    def _fold(self, open_: bool) -> None:
        self._head.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)
        self._area.setVisible(open_)
        self.fit()

    def _folded_by_hand(self) -> None:
        self._is_as_wanted = True

    def _fold_where_narrow(self, room: int) -> None:
        """Until a person says otherwise: folded where it would hide most of the page."""
        body = self._area.widget()
        if body is not None and not self._is_as_wanted:
            bar = self._area.verticalScrollBar().sizeHint().width()
            self._head.setChecked(body.sizeHint().width() + bar <= self.LARGEST_SHARE * room)

    def fit(self) -> None:
        """Take the size of the entries, at most the parent's height, in its top right corner."""
        parent = self.parentWidget()
        if parent is None:
            return
        self._fold_where_narrow(parent.width())
        size = self._head.sizeHint()
        body = self._area.widget()
        if body is not None and self._head.isChecked():
            hint = body.sizeHint()
            bar = self._area.verticalScrollBar().sizeHint().width()
            size = QSize(max(size.width(), hint.width() + bar), size.height() + hint.height() + 2)
        size += QSize(12, 10)
        height = min(size.height(), max(parent.height() - 16, 40))
        self.setGeometry(parent.width() - size.width() - 8, 8, size.width(), height)
        self.raise_()
