"""The gaps of a line as a histogram with the threshold above which a gap parts two words."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from core import geometry
from core.detector.inspect import GapHistogram, gap_histogram
from core.detector.spacing import BoxSettings
from core.reading import Lineage, Reading, Ref, kept
from views.layers import AMBER, BLUE, GREY, VERMILION, number
from views.plot_area import PlotArea

NO_LINE = "Point at a line of text, or pick one, to see its gaps."
RUG = -0.06    # of the highest bar: where the single gaps lie below the axis


class GapPlot(QWidget):
    """Shows the line of the selection, or while the pointer is on the page the line under it.

    picked: the blob to the right of a gap that was clicked.
    """

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Gaps of a line")
        self._reading, self._settings = Reading(), BoxSettings()
        self._lines = np.zeros(0, np.int64)   # kept ones
        self._selected: int | None = None     # line of the selection
        self._pointed: int | None = None      # line under the pointer
        self._shown: tuple = (None, None, None)   # lines, settings and line of the present plot
        self.found: GapHistogram | None = None
        self._title = QLabel(NO_LINE, wordWrap=True)
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.plot = PlotArea("Histogram of gaps; a click picks the blob right of the nearest gap")
        self.plot.setLabel("bottom", "gap, line heights")
        self.plot.setLabel("left", "gaps")
        self.plot.setToolTip("Outline: the gaps of all lines of the page, to scale. Dashed: the page's "
                             "threshold. Dots: the single gaps; click one to go there")
        self.plot.clicked.connect(lambda gap, _y: self._pick(gap))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self._title)
        layout.addWidget(self.plot, 1)

    # ---- what is shown -------------------------------------------------------------------------

    def show(self, reading: Reading | None = None) -> None:
        """Take a reading; without one this is QWidget.show."""
        if reading is None:
            super().show()
            return
        if reading.lines is not self._reading.lines:
            self._pointed = self._selected = None
            self._lines = kept(reading.lines) if reading.lines is not None else self._lines[:0]
        self._reading = reading
        self._choose()

    def set_settings(self, settings: BoxSettings) -> None:
        """Those the boxes were made with."""
        self._settings = settings
        self._choose()

    def highlight(self, lineage: Lineage | None) -> None:
        """Show the line of the picked row."""
        rows = lineage.rows.get("lines", ()) if lineage else ()
        self._selected = int(rows[0]) if len(rows) else None
        self._choose()

    def point(self, x: float, y: float) -> None:
        """Show the line at an upright point; beside all lines, or NaN, the selection's."""
        lines = self._reading.lines
        at = geometry.rows_at(lines.box[self._lines], x, y) if lines is not None else ()
        self._pointed = int(self._lines[at[0]]) if len(at) else None
        self._choose()

    def showEvent(self, event) -> None:
        """What was not worked out while nobody looked."""
        super().showEvent(event)
        self._choose()

    @property
    def line(self) -> int | None:
        """The row of `lines` that is to be shown."""
        return self._selected if self._pointed is None else self._pointed

    def _choose(self) -> None:
        """Work out the gaps where they are not shown yet; only while somebody looks."""
        if not self.isVisible():
            return
        line, (lines, settings, shown) = self.line, self._shown
        is_same = lines is self._reading.lines and settings == self._settings
        if is_same and (line is None or line == shown):
            return  # without a line the last one stays: the pointer may leave the page for this plot
        self._shown, self.found = (self._reading.lines, self._settings, line), None
        self._title.setText(NO_LINE)
        if line is not None and self._reading.blobs is not None:
            self._find(line)
        self._draw()

    def _find(self, line: int) -> None:
        if line not in self._lines:
            self._title.setText(f"Line {line} was refused; it has no words and no gaps.")
            return
        self.found = found = gap_histogram(self._reading.blobs, self._reading.lines, line,
                                           self._settings)
        n_words = int((found.gap > found.threshold).sum()) + 1
        self._title.setText(
            f"<b>line {line}</b> · {len(found.gap)} gaps, {n_words} word{'s' * (n_words > 1)} · "
            f"threshold {number(found.threshold)} heights = "
            f"{number(found.threshold * found.height)} px · page's {number(found.page)}")

    def _draw(self) -> None:
        self.plot.clear()
        found = self.found
        if found is None:
            return
        middle, width = (found.edges[1:] + found.edges[:-1]) / 2, np.diff(found.edges)
        highest = max(int(found.count.max(initial=0)), 1)
        part = found.page_count / max(int(found.page_count.max(initial=0)), 1) * highest
        self.plot.addItem(pg.PlotCurveItem(found.edges, part, stepMode="center",
                                           pen=pg.mkPen(GREY, width=1)))
        is_word = middle > found.threshold
        for mine, colour in ((~is_word, BLUE), (is_word, AMBER)):
            self.plot.addItem(pg.BarGraphItem(x=middle[mine], height=found.count[mine],
                                              width=width[mine] * .9, brush=QColor(colour),
                                              pen=pg.mkPen(None)))
        self.plot.addItem(pg.ScatterPlotItem(
            self._places(), np.full(len(found.gap), RUG * highest), size=5, pen=pg.mkPen(None),
            brush=[pg.mkBrush(AMBER if gap > found.threshold else BLUE) for gap in found.gap]))
        self._mark(found.threshold, VERMILION, Qt.PenStyle.SolidLine, "threshold")
        self._mark(found.page, GREY, Qt.PenStyle.DashLine, "")
        self.plot.setXRange(0, found.edges[-1], padding=0.01)
        self.plot.setYRange(2 * RUG * highest, highest, padding=0.05)

    def _mark(self, at: float, colour: str, style: Qt.PenStyle, text: str) -> None:
        self.plot.addItem(pg.InfiniteLine(
            at, pen=pg.mkPen(colour, width=2 if text else 1, style=style), label=text,
            labelOpts={"color": colour, "position": 0.9, "anchors": [(0, 0.5), (0, 0.5)]}))

    def _places(self) -> NDArray[np.float64]:
        """(n,) x of each gap: overlaps lie at 0, very wide gaps at the right edge."""
        return np.clip(self.found.gap, 0, self.found.edges[-1])

    def _pick(self, gap: float) -> None:
        if self.found is not None and len(self.found.gap):
            nearest = int(np.argmin(abs(self._places() - gap)))
            self.picked.emit(Ref("blobs", int(self.found.after[nearest])))
