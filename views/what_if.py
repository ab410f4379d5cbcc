"""What if one rule were laxer: the rule that refused a row, and what comes and goes without it.

The page is read again beside the reading on screen; this view compares the two and asks whether to
keep the setting. It reads no page itself: `asked`, `kept` and `discarded` tell what is wanted.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core import geometry
from core.detector.inspect import SETTINGS, relaxed
from core.errors import OcrError
from core.reading import Lineage, Reading, Ref, Table, kept
from core.settings import Settings, changed
from views.layers import GREEN, VERMILION, fate_text, number

COMPARED = ("blobs", "lines", "boxes", "words")
SAME = 0.5           # IoU from which a row of one reading is a row of the other
AT_ONCE = 128        # rows whose overlaps are computed together
MOST_TOLD = 12       # words named
NOTHING = "Pick a refused blob, line or box to see its rule and what would happen without it."


@dataclass(frozen=True)
class Changes:
    """What differs between two tables of a page; kept rows only.

    come (n,) rows of the new table that the old one has nothing like; gone (m,) rows of the old
    table; altered (k,) rows of the new table at the place of an old one, with another text.
    """

    come: NDArray[np.int64]
    gone: NDArray[np.int64]
    altered: NDArray[np.int64]


def changes(old: Table, new: Table) -> Changes:
    """Compare two tables of the same stage by IoU >= SAME of their boxes, words also by text."""
    if old is new:
        none = np.zeros(0, np.int64)
        return Changes(none, none, none)
    mine, theirs = kept(old), kept(new)
    partner = partners(new.box[theirs], old.box[mine])
    back = partners(old.box[mine], new.box[theirs])
    altered = np.zeros(0, np.int64)
    text = getattr(new, "text", None)
    if text is not None:
        met = np.flatnonzero(partner >= 0)
        altered = met[text[theirs[met]] != old.text[mine[partner[met]]]]
    return Changes(theirs[partner < 0], mine[back < 0], theirs[altered])


def partners(a: NDArray, b: NDArray) -> NDArray[np.int64]:
    """(n,) for each box of a (n, 4) the box of b (m, 4) it overlaps most, -1 below SAME."""
    found = np.full(len(a), -1, np.int64)
    if not len(a) or not len(b):
        return found
    # Nearly all boxes are the same to the last bit: only the others need their overlaps computed.
    at = {box.tobytes(): i for i, box in enumerate(np.ascontiguousarray(b))}
    found[:] = [at.get(box.tobytes(), -1) for box in np.ascontiguousarray(a)]
    rest = np.flatnonzero(found < 0)
    rest = rest[np.argsort(a[rest, 1], kind="stable")]   # top to bottom: few boxes meet each piece
    for start in range(0, len(rest), AT_ONCE):
        some = rest[start:start + AT_ONCE]
        near = np.flatnonzero((b[:, 3] > a[some, 1].min()) & (b[:, 1] < a[some, 3].max()))
        if len(near):
            overlap = geometry.iou(a[some], b[near])
            best = overlap.argmax(1)
            is_same = overlap[np.arange(len(some)), best] >= SAME
            found[some] = np.where(is_same, near[best], -1)
    return found


class WhatIf(QWidget):
    """Says which rule refused the picked row, has it tried without, and counts the changes.

    asked(Settings, str)   read the page with these settings; the path of the one that differs
    kept(), discarded()    take the tried settings, or forget them
    marked(object, object) quads (n, 4, 2) upright px of what comes and what goes, to be drawn
    """

    asked = Signal(object, str)
    kept, discarded = Signal(), Signal()
    marked = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("What if a rule were laxer")
        self._reading, self._settings = Reading(), Settings()
        self._picked: Ref | None = None
        self._wanted: tuple[Settings, str] | None = None
        self._trial, self._state = Reading(), ""
        self._asked_box = np.zeros((1, 4), np.float32)   # of the row whose rule is tried without
        self._table = "blobs"            # whose changes are marked on the page
        self._known: dict[str, tuple[Table, Table, Changes]] = {}
        self._facts = QLabel(NOTHING, wordWrap=True)
        self._facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._facts.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.relax = QPushButton("Relax just this rule")
        self.relax.setToolTip("Read the page again with the rule just lax enough for this row, "
                              "beside the present reading")
        self.relax.clicked.connect(self._ask)
        self._frame = QFrame()
        self._told = QLabel(wordWrap=True)
        self.counts = QTableWidget(len(COMPARED), 3)
        self._words = QLabel(wordWrap=True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.keep, self.discard = QPushButton("Keep"), QPushButton("Discard")
        self._lay_out()
        self._tell_rule()
        for widget in (self._frame, self.keep, self.discard):
            widget.hide()

    def _lay_out(self) -> None:
        self.counts.setAccessibleName("What comes and goes, by stage")
        self.counts.setHorizontalHeaderLabels(["comes", "goes", "altered"])
        self.counts.setVerticalHeaderLabels(COMPARED)
        self.counts.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.counts.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.counts.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.counts.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.counts.verticalHeader().setDefaultSectionSize(
            self.counts.fontMetrics().height() + 6)
        self.counts.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.counts.setFixedHeight(self.counts.horizontalHeader().sizeHint().height()
                                   + len(COMPARED) * (self.counts.fontMetrics().height() + 6) + 4)
        self.counts.setToolTip("Choose whose changes are marked on the page: new ones green and "
                               "filled, lost ones dashed")
        self.counts.currentCellChanged.connect(lambda row, *_: self._mark_table(row))
        self.keep.setToolTip("Take this setting (Undo takes it back)")
        self.discard.setToolTip("Forget the trial; the present reading was not touched")
        self.keep.clicked.connect(self.kept)
        self.discard.clicked.connect(self.discarded)
        inner = QVBoxLayout(self._frame)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self._told)
        inner.addWidget(self.counts)
        inner.addWidget(self._words)
        buttons = QHBoxLayout()   # above what may need scrolling
        buttons.addWidget(self.relax)
        buttons.addStretch(1)
        buttons.addWidget(self.keep)
        buttons.addWidget(self.discard)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        column.addWidget(self._facts)
        column.addLayout(buttons)
        column.addWidget(self._frame)
        column.addStretch(1)
        area = QScrollArea(widgetResizable=True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

    # ---- the rule ------------------------------------------------------------------------------

    def show(self, reading: Reading | None = None) -> None:
        """Take the reading on screen; without one this is QWidget.show."""
        if reading is None:
            super().show()
            return
        self._reading = reading
        self._tell_rule()

    def set_settings(self, settings: Settings) -> None:
        """Those the reading on screen was made with."""
        self._settings = settings
        self._tell_rule()

    def highlight(self, lineage: Lineage | None) -> None:
        """Tell the rule that refused the picked row."""
        self._picked = lineage.picked if lineage else None
        self._tell_rule()

    @property
    def is_offering(self) -> bool:
        """Whether a rule refused the picked row that a setting decides."""
        return self._wanted is not None

    def _tell_rule(self) -> None:
        self._wanted = None
        table = self._refused_table()
        if table is None:
            self._facts.setText(NOTHING)
            self._facts.setToolTip("")
        else:
            row = self._picked.row
            rule = table.FATES[int(table.fate[row])]
            text = (f"<b>{table.name} {row}</b> refused: <b>{rule}</b>, "
                    f"value {number(float(table.fate_value[row]))}, "
                    f"limit {number(float(table.fate_limit[row]))}")
            try:
                mine = relaxed(getattr(self._settings, table.name), table, row)
            except OcrError as error:
                self._facts.setText(f"{text}<br>It cannot be relaxed: {html.escape(str(error))}.")
            else:
                self._want(table.name, mine, text)
        self.relax.setVisible(table is not None)
        self.relax.setEnabled(self._wanted is not None)

    def _want(self, stage: str, mine: Any, text: str) -> None:
        old = getattr(self._settings, stage)
        field = next(f for f in fields(mine) if getattr(mine, f.name) != getattr(old, f.name))
        new, path = getattr(mine, field.name), f"{stage}.{field.name}"
        unit = field.metadata.get("unit", "")
        self._wanted = changed(self._settings, path, new), path
        self._facts.setText(f"{text}<br>It would pass with <b>{path}</b> "
                            f"{number(getattr(old, field.name))} → {number(new)} {unit}")
        self._facts.setToolTip(f"{path}: {field.metadata.get('help', '')}")

    def _refused_table(self) -> Table | None:
        """The table of the picked row where a rule refused that row."""
        if self._picked is None or self._picked.table not in SETTINGS:
            return None
        table = self._reading.table(self._picked.table)
        if table is None or self._picked.row >= len(table) or not table.fate[self._picked.row]:
            return None
        return table

    def _ask(self) -> None:
        if self._wanted is not None:
            self._table = self._picked.table
            self._asked_box = self._refused_table().box[self._picked.row][None]
            self.asked.emit(*self._wanted)

    # ---- the trial -----------------------------------------------------------------------------

    def show_trial(self, trial: Reading, settings: Settings | None, what: str, state: str) -> None:
        """Compare the trial's tables with those on screen, as far as they are made.

        settings: of the trial, None while there is none; state: "reading", "done" or "failed".
        """
        self._trial, self._state = trial, state
        for widget in (self._frame, self.keep, self.discard):
            widget.setVisible(settings is not None)
        if settings is None:
            self._known = {}
            self.marked.emit(*(np.zeros((0, 4, 2), np.float32),) * 2)
            return
        value, old = (self._value(of, what) for of in (settings, self._settings))
        said = {"reading": "reading …", "failed": "the reading failed"}.get(state, "read")
        self._told.setText(f"<b>Trial</b>: {what} {old} → {value}, {said}"
                           f"{self._fate_now(what.partition('.')[0])}")
        for row, name in enumerate(COMPARED):
            self._count(row, name)
        self._name_words()
        self.keep.setEnabled(state != "failed")
        row = COMPARED.index(self._table)
        if self.counts.currentRow() != row:
            self.counts.selectRow(row)   # which marks
        else:
            self._mark_table(row)

    @staticmethod
    def _value(settings: Settings, path: str) -> str:
        stage, _, field = path.partition(".")
        return number(getattr(getattr(settings, stage), field))

    def _fate_now(self, stage: str) -> str:
        """What becomes of the row that was asked for: another rule may refuse it then."""
        table = self._trial.table(stage)
        row = -1 if table is None else int(partners(self._asked_box, table.box)[0])
        if row < 0:
            return ""
        fate = html.escape(fate_text(table, row))
        return f"<br>That row is now {'' if table.fate[row] == 0 else 'refused: '}<b>{fate}</b>"

    def changes_of(self, name: str) -> Changes | None:
        """Of that stage; None while either reading lacks its table."""
        old, new = self._reading.table(name), self._trial.table(name)
        if old is None or new is None:
            return None
        found = self._known.get(name)
        if found is None or found[0] is not old or found[1] is not new:
            self._known[name] = found = old, new, changes(old, new)
        return found[2]

    def _count(self, row: int, name: str) -> None:
        found = self.changes_of(name)
        texts = ("…",) * 3
        if found is not None:
            n_come, n_gone = len(found.come), len(found.gone)
            texts = (f"+{n_come}" if n_come else "0", f"−{n_gone}" if n_gone else "0",
                     f"{len(found.altered)}" if name == "words" else "")
        elif self._state != "reading":
            texts = ("–",) * 3
        for column, (text, colour) in enumerate(zip(texts, (GREEN, VERMILION, ""), strict=True)):
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            if colour and text[:1] in "+−":
                font = item.font()
                font.setBold(True)
                item.setFont(font)
                item.setForeground(self._ink(colour))
            self.counts.setItem(row, column, item)

    def _ink(self, colour: str) -> QColor:
        is_dark = self.palette().base().color().lightness() < 128
        return QColor(colour).lighter(170 if is_dark else 100)

    def _name_words(self) -> None:
        found = self.changes_of("words")
        parts = []
        if found is not None:
            for what, table, rows in (("new", self._trial.words, found.come),
                                      ("lost", self._reading.words, found.gone),
                                      ("now", self._trial.words, found.altered)):
                if len(rows):
                    more = " …" if len(rows) > MOST_TOLD else ""
                    some = " ".join(f"“{word}”" for word in table.text[rows[:MOST_TOLD]])
                    parts.append(f"{what}: {some}{more}")
        self._words.setTextFormat(Qt.TextFormat.PlainText)   # a word may look like a tag
        self._words.setText("\n".join(parts))
        self._words.setVisible(bool(parts))

    def _mark_table(self, row: int) -> None:
        if row < 0 or self._frame.isHidden():
            return
        self._table = COMPARED[row]
        found = self.changes_of(self._table)
        none = np.zeros((0, 4, 2), np.float32)
        if found is None:
            self.marked.emit(none, none)
            return
        self.marked.emit(_quads(self._trial.table(self._table), found.come),
                         _quads(self._reading.table(self._table), found.gone))


def _quads(table: Table, rows: NDArray) -> NDArray[np.float32]:
    quad = getattr(table, "quad", None)
    return geometry.quads_from_boxes(table.box[rows]) if quad is None else quad[rows]
