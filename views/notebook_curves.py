"""Plots of notebook entries: error against samples, every metric over entries, reliability.

A curve is told from the others by its colour, its symbol and its line, and is named in the legend.
A click on a point opens the words behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log10

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from core.notebook import UNITS, Entry, cell
from core.notebook_command import bars, trend
from core.notebook_graph import number
from views.layers import AMBER, BLUE, GREEN, GREY, PURPLE, SKY, VERMILION
from views.notebook_words import OVERALL, Ask, AskTable
from views.samples import faded, is_dark

ON_LIGHT = (BLUE, VERMILION, GREEN, PURPLE, AMBER, GREY, SKY)
ON_DARK = ("#6fc1f2", "#ff9d5c", "#5fd6ae", "#e9a5cd", "#f0c24d", "#c4c4c4", "#9ad7ff")
SYMBOLS = ("o", "s", "t1", "d", "+", "x", "star")
LINES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine,
         Qt.PenStyle.DashDotLine)
ALL = "all"
FIRST_METRIC = "exact"
LINE_STEP = 3  # by which the symbol moves on with the line: single points have no line
MOST_CURVES = 12  # in a plot of trends: more cannot be told apart
MOST_POINTS = 60  # of a curve whose every point gets a symbol
N_BINS = 10  # of equal width: core.recognizer.calibration.reliability
BESIDE = 3  # the column of pyqtgraph's plot layout to the right of the axes
LONGEST = 26  # characters of a title in a legend
LATE = 4  # the first quarter of a curve does not set the scale: the net knew nothing yet


@dataclass(frozen=True)
class Curve:
    """Points of a plot: x and y; what is said about each, and the words behind each, if any."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    tips: tuple[str, ...] = ()
    asks: tuple[Ask | None, ...] = ()
    is_guide: bool = False  # dashed and gray, without points
    look: tuple[int, int] | None = None  # colour and symbol, line; None: the next


class _Legend(pg.LegendItem):
    """Stands beside the plot, where it hides no curve, and takes the room that its names need."""

    def updateSize(self) -> None:
        super().updateSize()
        size = self.layout.effectiveSizeHint(Qt.SizeHint.PreferredSize)
        self.setMinimumSize(size)
        self.setMaximumSize(size)

    def mouseDragEvent(self, event) -> None:
        """It stays where it is."""


class Plot(pg.PlotWidget):
    """Curves in the window's palette. `asked(Ask)`."""

    asked = Signal(object)

    def __init__(self, name: str, x_label: str, y_label: str,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setMinimumSize(220, 160)
        self.curves: list[Curve] = []
        self._labels = {"bottom": x_label, "left": y_label}
        self._log_y = False
        self.plotItem.showGrid(x=True, y=True, alpha=0.18)
        self.plotItem.setMenuEnabled(False)
        self.plotItem.hideButtons()
        self.legend = _Legend()
        self.plotItem.layout.addItem(self.legend, 2, BESIDE, Qt.AlignmentFlag.AlignTop)
        self.plotItem.legend = self.legend
        self._style()

    def show_curves(self, curves: Sequence[Curve], y_label: str = "", log_y: bool = False,
                    y_range: tuple[float, float] | None = None,
                    x_range: tuple[float, float] | None = None) -> None:
        """Draw these instead; ranges None: all points."""
        self.curves, self._log_y = list(curves), log_y
        if y_label:
            self._labels["left"] = y_label
        self._draw()
        box = self.plotItem.getViewBox()
        box.enableAutoRange()
        if y_range is not None:
            low, high = (log10(v) for v in y_range) if log_y else y_range
            self.setYRange(low, high, padding=0.02)
        if x_range is not None:
            self.setXRange(*x_range, padding=0.03)
        self.setAccessibleDescription("; ".join(
            f"{c.name}: {c.tips[-1] if c.tips else ''}" for c in self.curves if not c.is_guide))

    def name_entries(self, numbers: Sequence[int]) -> None:
        """The x axis counts entries: a tick for each."""
        self.plotItem.getAxis("bottom").setTicks([[(n, str(n)) for n in numbers], []])

    def _draw(self) -> None:
        self.plotItem.clear()
        self.plotItem.setLogMode(y=self._log_y)
        colours = ON_DARK if is_dark(self.palette()) else ON_LIGHT
        for k, curve in enumerate(self.curves):
            if curve.is_guide:
                pen = pg.mkPen(faded(self.palette()), width=1, style=Qt.PenStyle.DashLine)
                self.plotItem.plot(curve.x, curve.y, pen=pen, name=curve.name)
                continue
            look, line = curve.look or (k, k // len(colours))
            colour = QColor(colours[look % len(colours)])
            pen = pg.mkPen(colour, width=2, style=LINES[line % len(LINES)])
            many = len(curve.x) > MOST_POINTS
            item = self.plotItem.plot(
                curve.x, curve.y, pen=pen, name=curve.name, data=list(range(len(curve.x))),
                antialias=True, symbol=SYMBOLS[(look + LINE_STEP * line) % len(SYMBOLS)],
                symbolSize=4 if many else 8, symbolPen=pg.mkPen(colour, width=1),
                symbolBrush=QBrush(colour))
            # its setData would take the points away that the plot has just given it
            item.scatter.opts.update(hoverable=True, hoverSize=12,
                                     tip=lambda x, y, data, c=curve: self._tip(c, data))
            item.sigPointsClicked.connect(
                lambda _item, points, *_, c=curve: self._clicked(c, points))

    @staticmethod
    def _tip(curve: Curve, at: int | None) -> str:
        return curve.tips[int(at)] if at is not None and int(at) < len(curve.tips) else curve.name

    def _clicked(self, curve: Curve, points: Sequence) -> None:
        at = points[0].data() if len(points) else None
        ask = curve.asks[int(at)] if at is not None and int(at) < len(curve.asks) else None
        if ask is not None:
            self.asked.emit(ask)

    def _style(self) -> None:
        palette = self.palette()
        ink = palette.text().color()
        self.setBackground(palette.base().color())
        for side in ("bottom", "left"):
            axis = self.plotItem.getAxis(side)
            axis.setPen(pg.mkPen(faded(palette)))
            axis.setTextPen(pg.mkPen(ink))
            axis.enableAutoSIPrefix(False)
            axis.setLabel(self._labels[side], color=ink.name())
        self.plotItem.getAxis("bottom").tickStrings = _tick_strings
        self.legend.setLabelTextColor(ink)

    def _restyle(self) -> None:
        self._style()
        view = self.plotItem.viewRange()
        self._draw()
        self.plotItem.setRange(xRange=view[0], yRange=view[1], padding=0)

    def changeEvent(self, event: QEvent) -> None:
        """Another palette: all is drawn in it."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "legend"):
            self._restyle()

    def showEvent(self, event: QShowEvent) -> None:
        """The palette may be another since the plot was last seen."""
        self._style()
        super().showEvent(event)


def _tick_strings(values: Sequence[float], scale: float, spacing: float) -> list[str]:
    return [number(round(v * scale, 6)) for v in values]


# ---- error against samples -----------------------------------------------------------------------

def error_curves(entries: Sequence[Entry], metric: str = FIRST_METRIC) -> list[Curve]:
    """Error in percent against samples of every entry that was evaluated while it ran.

    metric  "all": each that was measured, told apart by its line; its entry by colour and symbol
    """
    with_curve = [e for e in entries if e.curve]
    names = metrics_of(with_curve) if metric == ALL else [metric]
    found = []
    for k, entry in enumerate(with_curve):
        for line, name in enumerate(names):
            points = [(p["samples"], p[name]) for p in entry.curve if p.get(name) is not None]
            if points:
                called = name if metric == ALL else _short(entry.title)
                found.append(_error_curve(entry, name, points, (k, line), called))
    return found


def _error_curve(entry: Entry, name: str, points: list[tuple[float, float]],
                 look: tuple[int, int], called: str) -> Curve:
    tips = tuple(f"entry {entry.number}, {int(n):,} samples\n{name} {100 * v:.2f} %, "
                 f"error {100 * (1 - v):.2f} %" for n, v in points)
    # words are kept of the finished run only: they stand behind the last evaluation
    ask = Ask(entry.number, name if name in entry.table else OVERALL)
    tips = (*tips[:-1], f"{tips[-1]}\nClick: words that the finished run was measured on")
    return Curve(f"{entry.number} {called}", tuple(float(n) for n, _ in points),
                 tuple(100 * (1 - v) for _, v in points), tips,
                 (None,) * (len(points) - 1) + (ask,), look=look)


def _short(title: str) -> str:
    return title if len(title) <= LONGEST else title[:LONGEST - 1].rstrip() + "…"


def metrics_of(entries: Sequence[Entry]) -> list[str]:
    """Names of what was measured while the entries' runs went on."""
    return list(dict.fromkeys(name for entry in entries for point in entry.curve
                              for name in point if name != "samples"))


def late_top(curves: Sequence[Curve]) -> float:
    """Where the y axis ends, so that the first evaluations do not press the rest onto the axis."""
    late = sorted(y for c in curves for y in c.y[len(c.y) // LATE:])
    return max(1.3 * late[int(0.97 * (len(late) - 1))], 1.0) if late else 100.0


class CurvesView(QWidget):
    """Error against samples of the selected entries, in one plot."""

    asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self.metric = QComboBox()
        self.metric.setAccessibleName("Metric of the curves")
        self.log = QCheckBox("logarithmic error")
        self.note = QLabel()
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.plot = Plot("Error against samples", "samples", "error, %")
        self.plot.asked.connect(self.asked)
        self.metric.currentIndexChanged.connect(lambda _: self._show())
        self.log.toggled.connect(lambda _: self._show())
        head = QHBoxLayout()
        head.addWidget(QLabel("Error of"))
        head.addWidget(self.metric)
        head.addWidget(self.log)
        head.addWidget(self.note, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show the curves of these; the metric stays where they have it."""
        self._entries = list(entries)
        wanted = self.metric.currentText() or FIRST_METRIC
        names = metrics_of(self._entries)
        self.metric.blockSignals(True)
        self.metric.clear()
        self.metric.addItems([*names, ALL] if len(names) > 1 else names)
        at = self.metric.findText(wanted)
        self.metric.setCurrentIndex(max(at, 0))
        self.metric.blockSignals(False)
        self._show()

    def _show(self) -> None:
        curves = error_curves(self._entries, self.metric.currentText())
        is_log = self.log.isChecked()
        if is_log:
            curves = [_above_zero(c) for c in curves]
            curves = [c for c in curves if c.x]
        without = [str(e.number) for e in self._entries if not e.curve]
        self.note.setText(f"no curve: entry {', '.join(without)}" if without else
                          "" if self._entries else "Select entries in the list")
        top = late_top(curves)
        lowest = min((y for c in curves for y in c.y), default=1.0)
        right = max((x for c in curves for x in c.x), default=1.0)
        y_range = (max(lowest / 1.3, 1e-3), max(top, 1.01 * lowest)) if is_log else (0.0, top)
        self.plot.show_curves(curves, log_y=is_log, y_range=y_range, x_range=(0.0, right))


def _above_zero(curve: Curve) -> Curve:
    """Without the points that a logarithm cannot show."""
    some = [i for i, y in enumerate(curve.y) if y > 0]
    return Curve(curve.name, *(tuple(column[i] for i in some) for column in
                               (curve.x, curve.y, curve.tips, curve.asks)), look=curve.look)


# ---- every metric by category over entries -------------------------------------------------------

def unit_of(metric: str, values: Sequence[float]) -> str:
    """What a plot's axis counts in: "ms", "seconds", "%" of shares, else ""."""
    units = UNITS.intersection(metric.split("_"))
    if units:
        return min(units)
    return "%" if all(isinstance(v, float) and 0 <= v <= 1 for v in values) else ""


class TrendView(QWidget):
    """A row for each category and metric, a column for each entry; the selected rows as a plot."""

    asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self.rows: list[tuple[str, str, list[tuple[int, float]]]] = []  # category, metric, values
        self.category, self.metric = QComboBox(), QComboBox()
        head = QHBoxLayout()
        for box, name in ((self.category, "Category"), (self.metric, "Metric")):
            box.setAccessibleName(f"{name} of the trends")
            box.currentIndexChanged.connect(lambda _: self._list())
            head.addWidget(QLabel(name))
            head.addWidget(box)
        self.note = QLabel()
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        head.addWidget(self.note, 1)
        self.plot = Plot("Metrics over entries", "entry", "%")
        self.plot.asked.connect(self.asked)
        self.table = AskTable("Metrics by category over entries")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.asked.connect(self.asked)
        self.table.itemSelectionChanged.connect(self._plot)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.plot)
        split.addWidget(self.table)
        split.setChildrenCollapsible(False)
        split.setSizes([300, 260])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(head)
        layout.addWidget(split, 1)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """All entries of the notebook."""
        self._entries = sorted(entries, key=lambda e: e.number)
        found = trend(self._entries)
        for box, at in ((self.category, 0), (self.metric, 1)):
            before = box.currentText()
            names = list(dict.fromkeys(key[at] for key in found))
            if OVERALL in names:
                names = [OVERALL, *(n for n in names if n != OVERALL)]
            box.blockSignals(True)
            box.clear()
            box.addItems([ALL, *names])
            first = OVERALL if at == 0 else ALL
            box.setCurrentIndex(max(box.findText(before or first), 0))
            box.blockSignals(False)
        self._list()

    def _list(self) -> None:
        category, metric = self.category.currentText(), self.metric.currentText()
        self.rows = [(c, m, values) for (c, m), values in trend(self._entries).items()
                     if category in (ALL, c) and metric in (ALL, m)]
        numbers = sorted({n for _, _, values in self.rows for n, _ in values})
        self.table.blockSignals(True)
        self.table.clear()
        self.table.setRowCount(len(self.rows))
        heads = ["category", "metric", "trend", *map(str, numbers)]
        self.table.setColumnCount(len(heads))
        self.table.setHorizontalHeaderLabels(heads)
        titles = {e.number: e.title for e in self._entries}
        for column, n in enumerate(numbers, 3):
            self.table.horizontalHeaderItem(column).setToolTip(f"entry {n}: {titles[n]}")
        for row, (c, m, values) in enumerate(self.rows):
            self.table.put(row, 0, c)
            self.table.put(row, 1, m)
            self.table.put(row, 2, bars([v for _, v in values]), tip="lowest to highest")
            for n, value in values:
                self.table.put(row, 3 + numbers.index(n), cell(m, value), Ask(n, c),
                               f"entry {n}: {titles[n]}", is_number=True)
        self.table.blockSignals(False)
        self.table.resizeColumnsToContents()
        self._plot()

    def _plot(self) -> None:
        chosen = sorted({i.row() for i in self.table.selectedIndexes()}) or range(len(self.rows))
        rows = [self.rows[r] for r in chosen]
        units = [unit_of(m, [v for _, v in values]) for _, m, values in rows]
        unit = units[0] if units else "%"
        same = [row for row, u in zip(rows, units, strict=True) if u == unit]
        left_out = len(rows) - len(same[:MOST_CURVES])
        self.note.setText(f"{left_out} rows are not in the plot (another unit, or too many): "
                          "select those to see" if left_out else "")
        curves = [self._curve(*row, unit) for row in same[:MOST_CURVES]]
        numbers = sorted({int(x) for c in curves for x in c.x})
        self.plot.name_entries(numbers)
        self.plot.show_curves(curves, unit or "value",
                              x_range=(numbers[0] - 0.3, numbers[-1] + 0.3) if numbers else None)
        self.plot.setLabel("left", unit or "value", color=self.palette().text().color().name())

    @staticmethod
    def _curve(category: str, metric: str, values: list[tuple[int, float]], unit: str) -> Curve:
        by = 100.0 if unit == "%" else 1.0
        return Curve(f"{category} {metric}", tuple(float(n) for n, _ in values),
                     tuple(by * v for _, v in values),
                     tuple(f"entry {n}\n{category} {metric} {cell(metric, v)}" for n, v in values),
                     tuple(Ask(n, category) for n, _ in values))


# ---- reliability ---------------------------------------------------------------------------------

def bin_of(entry: Entry, confidence: float) -> Ask:
    """The words of the bin that has this mean confidence."""
    k = min(int(confidence * N_BINS), N_BINS - 1)
    return Ask(entry.number, low=k / N_BINS, high=(k + 1) / N_BINS if k < N_BINS - 1 else inf)


def reliability_curves(entries: Sequence[Entry]) -> list[Curve]:
    """Share right against confidence, percent; the diagonal is honest."""
    found = [Curve("honest", (0.0, 100.0), (0.0, 100.0), is_guide=True)]
    for k, entry in enumerate(entries):
        rows = entry.reliability.get("bins", [])
        found.append(Curve(
            f"{entry.number}, error {entry.reliability['error']:.4f}",
            tuple(100 * r["confidence"] for r in rows), tuple(100 * r["right"] for r in rows),
            tuple(f"entry {entry.number}\nconfidence {r['confidence']:.3f}, right "
                  f"{100 * r['right']:.1f} %\n{r['n']:,} words" for r in rows),
            tuple(bin_of(entry, r["confidence"]) for r in rows), look=(k, 0)))
    return found


def trade_curves(entries: Sequence[Entry]) -> list[Curve]:
    """Precision and recall over the least confidence kept, percent."""
    found = []
    for k, entry in enumerate(entries):
        for line, name in enumerate(("precision", "recall")):
            rows = [r for r in entry.reliability.get("trades", []) if r.get(name) is not None]
            found.append(Curve(
                f"{entry.number} {name}", tuple(100 * r["above"] for r in rows),
                tuple(100 * r[name] for r in rows),
                tuple(f"entry {entry.number}, kept from {r['above']:g}\n{name} "
                      f"{100 * r[name]:.2f} %" for r in rows),
                tuple(Ask(entry.number, low=r["above"]) for r in rows), look=(k, line)))
    return [c for c in found if c.x]


class ReliabilityView(QWidget):
    """Whether confidence means what it says, of the selected entries that measured it."""

    asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note = QLabel(wordWrap=True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.plot = Plot("Share right against confidence", "confidence, %", "right, %")
        self.trade = Plot("Precision and recall over confidence", "least confidence kept, %",
                          "share, %")
        self.table = AskTable("Words by confidence",
                              ("entry", "confidence", "right", "gap", "words"))
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        plots = QSplitter(Qt.Orientation.Horizontal)
        plots.addWidget(self.plot)
        plots.addWidget(self.trade)
        self.split = QSplitter(Qt.Orientation.Vertical)
        for widget in (plots, self.table):
            self.split.addWidget(widget)
        self.split.setSizes([330, 200])
        for part in (self.plot, self.trade, self.table):
            part.asked.connect(self.asked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.note)
        layout.addWidget(self.split, 1)
        layout.addStretch(0)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these, where confidence was measured."""
        have = [e for e in entries if e.reliability.get("bins")]
        without = [str(e.number) for e in entries if e not in have]
        self.split.setVisible(bool(have))
        self.note.setText("" if have and not without else
                          "Select an entry whose confidence was measured to see its reliability."
                          if not have else f"confidence not measured: entry {', '.join(without)}")
        self.note.setVisible(bool(self.note.text()))
        full = (0.0, 100.0)
        self.plot.show_curves(reliability_curves(have), y_range=full, x_range=full)
        trades = trade_curves(have)
        low = min((y for c in trades for y in c.y), default=0.0)
        self.trade.show_curves(trades, y_range=(max(low - 5, 0.0), 100.0), x_range=full)
        rows = [(e, r) for e in have for r in e.reliability["bins"]]
        self.table.setRowCount(len(rows))
        for row, (entry, r) in enumerate(rows):
            ask = bin_of(entry, r["confidence"])
            gap = r["confidence"] - r["right"]
            said = "" if not isfinite(gap) else f"{'▲ too sure' if gap > 0 else '▼ too modest'} " \
                                                f"{100 * abs(gap):.1f} points"
            for column, text in enumerate((str(entry.number), f"{r['confidence']:.3f}",
                                           f"{100 * r['right']:.1f} %", said, f"{r['n']:,}")):
                self.table.put(row, column, text, ask if column else None, is_number=True)
