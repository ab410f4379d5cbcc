"""Two entries of the lab notebook side by side: how they were made, what they measured, and the
words that one reads right and the other wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.notebook import Entry, cell
from core.notebook_command import differences
from views.notebook_words import OVERALL, Ask, AskTable, Pair

# Words of a metric's name that make less of it the better.
LOWER_IS_BETTER = frozenset(("cer", "ms", "seconds", "error", "loss", "price", "differ", "turned"))


def is_better(metric: str, before: float, after: float) -> bool:
    """Whether a metric's change is to the good."""
    lower = not LOWER_IS_BETTER.isdisjoint(metric.lower().replace("_", " ").split())
    return (after < before) if lower else (after > before)


class CompareView(QWidget):
    """Two entries side by side: settings and metrics that differ, words that were fixed and broken.

    pair_chosen(before, after): count their words; asked(Ask)
    """

    pair_chosen, asked = Signal(int, int), Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: dict[int, Entry] = {}
        self._counts: dict[str, tuple[int, int]] = {}  # category -> words fixed, broken
        self._said = ""
        self._is_counted = False
        self.a, self.b = QComboBox(), QComboBox()
        for box, name in ((self.a, "Entry before"), (self.b, "Entry after")):
            box.setAccessibleName(name)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(18)
            box.currentIndexChanged.connect(lambda _: self._chosen())
        self.swap = QToolButton(text="⇄")
        self.swap.setAccessibleName("Exchange the two entries")
        self.swap.setToolTip("Exchange the two entries")
        self.swap.clicked.connect(lambda: self.compare(self.pair[1], self.pair[0]))
        self.all = QCheckBox("also what is equal")
        self.all.toggled.connect(lambda _: self._show())
        self.fixed, self.broken = QPushButton(), QPushButton()
        for button, name in ((self.fixed, "Show the words fixed"),
                             (self.broken, "Show the words broken")):
            button.setAccessibleName(name)
            button.setToolTip(name)
        self.fixed.clicked.connect(lambda: self.asked.emit(self._pair_ask("fixed")))
        self.broken.clicked.connect(lambda: self.asked.emit(self._pair_ask("broken")))
        self.note = QLabel(wordWrap=True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.table = AskTable("Two entries side by side", ("", "before", "after", "change"))
        self.table.asked.connect(self.asked)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.table.horizontalHeader().setStretchLastSection(True)
        head, below = QHBoxLayout(), QHBoxLayout()
        for widget, stretch in ((self.a, 1), (self.swap, 0), (self.b, 1)):
            head.addWidget(widget, stretch)
        for widget, stretch in ((self.fixed, 0), (self.broken, 0), (self.note, 1), (self.all, 0)):
            below.addWidget(widget, stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(head)
        layout.addLayout(below)
        layout.addWidget(self.table, 1)

    @property
    def pair(self) -> tuple[int, int]:
        """Numbers of the entries before and after, 0 where none is."""
        return self.a.currentData() or 0, self.b.currentData() or 0

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """What can be compared; the two stay chosen where they are still there."""
        before = self.pair
        self._entries = {e.number: e for e in entries}
        for box in (self.a, self.b):
            box.blockSignals(True)
            box.clear()
            for e in entries:
                box.addItem(f"{e.number}  {e.title}", e.number)
            box.blockSignals(False)
        newest = list(self._entries)[:2]
        if all(n in self._entries for n in before):
            self.compare(*before)
        elif newest:
            self.compare(newest[-1], newest[0])

    def compare(self, before: int, after: int) -> None:
        """Compare these two."""
        for box, number in ((self.a, before), (self.b, after)):
            box.blockSignals(True)
            box.setCurrentIndex(box.findData(number))
            box.blockSignals(False)
        self._chosen()

    def _chosen(self) -> None:
        self._counts, self._said, self._is_counted = {}, "", False
        self._show()
        if self.isVisible():
            self._count()

    def _count(self) -> None:
        """Have the words compared, once: reading them takes a moment."""
        if all(self.pair) and not self._is_counted:
            self._is_counted = True
            self.pair_chosen.emit(*self.pair)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._count()

    def show_pairs(self, fixed: Sequence[Pair], broken: Sequence[Pair], n: int) -> None:
        """How many words were fixed and broken, of `n` that both read."""
        names = dict.fromkeys([OVERALL, *sorted({b.category for _, b in [*fixed, *broken]})])
        self._counts = {name: (sum(_is_of(p, name) for p in fixed),
                               sum(_is_of(p, name) for p in broken)) for name in names}
        self._said = f"of {n:,} words in both" if n else "They read no word in common."
        self._show()

    def show_problem(self, sentence: str) -> None:
        """Why there are no words to compare."""
        self._counts, self._said = {}, sentence
        self._show()

    def _pair_ask(self, which: str, category: str = OVERALL) -> Ask:
        return Ask(self.pair[1], category, before=self.pair[0], which=which)

    # ---- the table -----------------------------------------------------------------------------

    def _show(self) -> None:
        fixed, broken = self._counts.get(OVERALL, (0, 0))
        for button, name, n in ((self.fixed, "✓ Fixed", fixed), (self.broken, "✗ Broken", broken)):
            button.setText(f"{name}  {n:,}")
            button.setVisible(bool(self._counts))
            button.setEnabled(n > 0)
        self.note.setText(self._said)
        pair = [self._entries.get(n) for n in self.pair]
        self.table.setRowCount(0)
        if None in pair:
            return
        a, b = pair
        self.table.setHorizontalHeaderLabels(
            ["", f"entry {a.number}", f"entry {b.number}", "change"])
        for name, before, after in facts(a, b):
            if before != after or self.all.isChecked():
                self._row(name, before, after)
        self._metrics(a, b)
        for category, (n_fixed, n_broken) in self._counts.items():
            self._row(f"{category} · words", f"✓ {n_fixed:,} fixed", f"✗ {n_broken:,} broken",
                      f"{n_fixed - n_broken:+,} words" if n_fixed != n_broken else "as many",
                      (self._pair_ask("fixed", category), self._pair_ask("broken", category)))
        self.table.resizeColumnToContents(0)
        room = max(self.table.viewport().width() - self.table.columnWidth(0), 360)
        for column in (1, 2):
            self.table.setColumnWidth(column, round(0.36 * room))

    def _metrics(self, a: Entry, b: Entry) -> None:
        equal = 0
        for category, metric, before, after in differences(a, b):
            texts = cell(metric, before), cell(metric, after)
            if before == after and not self.all.isChecked():
                equal += 1
                continue
            self._row(f"{category} · {metric}", *texts, change(metric, before, after),
                      (Ask(a.number, category), Ask(b.number, category)))
        for category, metric, before, after in only_one(a, b):
            asks = (None if before is None else Ask(a.number, category),
                    None if after is None else Ask(b.number, category))
            self._row(f"{category} · {metric}", *("–" if v is None else cell(metric, v)
                                                  for v in (before, after)), "", asks)
        notes = [self._said, f"{equal} metrics are equal" if equal else ""]
        self.note.setText(".  ".join(note.rstrip(".") for note in notes if note))

    def _row(self, name: str, before: str, after: str, said: str = "",
             asks: tuple[Ask | None, Ask | None] = (None, None)) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        self.table.put(row, 0, name)
        is_figure = asks != (None, None)
        self.table.put(row, 1, before, asks[0], is_number=is_figure)
        self.table.put(row, 2, after, asks[1], is_number=is_figure)
        self.table.put(row, 3, said)


def facts(a: Entry, b: Entry) -> list[tuple[str, str, str]]:
    """(name, in a, in b): how the entries were made, then their settings."""
    rows = [(name, str(getattr(a, name)), str(getattr(b, name)))
            for name in ("title", "day", "sha", "machine", "command", "seed", "sources")]
    rows += [("samples", f"{a.samples:,}", f"{b.samples:,}"),
             ("minutes", f"{a.seconds / 60:.1f}", f"{b.seconds / 60:.1f}")]
    for name in dict.fromkeys([*a.settings, *b.settings]):
        rows.append((f"setting {name}", *(_plain(e.settings[name]) if name in e.settings else "–"
                                          for e in (a, b))))
    return rows


def only_one(a: Entry, b: Entry) -> list[tuple[str, str, float | None, float | None]]:
    """(category, metric, value in a, value in b) of what only one of them measured."""
    keys = dict.fromkeys((c, m) for e in (a, b) for c, row in e.table.items() for m in row)
    both = [(c, m, a.table.get(c, {}).get(m), b.table.get(c, {}).get(m)) for c, m in keys if m != "n"]
    return [row for row in both if (row[2] is None) != (row[3] is None)]


def change(metric: str, before: float, after: float) -> str:
    """"▲ +1.2 points, better": shares in points of percent, others as they are."""
    if after == before:
        return "="
    by = after - before
    shares = cell(metric, before).endswith("%") and cell(metric, after).endswith("%")
    size = f"{100 * by:+.2f} points" if shares else f"{by:+,.4g}"
    word = "better" if is_better(metric, before, after) else "worse"
    return f"{'▲' if by > 0 else '▼'} {size}, {word}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_of(pair: Pair, category: str) -> bool:
    return category in (OVERALL, pair[1].category)
