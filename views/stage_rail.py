"""The stages from top to bottom: key, name, rows, time, state, and the eye of each layer."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.reading import STAGES, Buckets, Reading
from views.layers import SHOWN_AT_FIRST, STAGE_KEYS

# state -> sign and what it says; a sign, so that no meaning hangs on colour
STATES = {"idle": ("", "not made yet"), "queued": ("…", "waiting"), "running": ("▶", "running"),
          "done": ("✓", "made"), "known": ("✓", "taken from memory"), "failed": ("⚠", "failed"),
          "cancelled": ("✕", "cancelled")}


def count_text(reading: Reading, name: str) -> str:
    """Rows of a stage: "41,208 / 9,310 kept", "0° turn", "400 keep, 31 drop"; "" before it is made."""
    table = reading.table(name)
    if table is None:
        return ""
    if name == "page":
        width, height = table.size
        return f"{width:,} × {height:,} px"
    if name == "upright":
        return f"turned {90 * table.quarter_turns}°" if table.quarter_turns else "not turned"
    if name == "buckets":
        counts = np.bincount(table.bucket, minlength=len(Buckets.BUCKETS))
        return ", ".join(f"{n:,} {bucket}" for n, bucket in zip(counts, Buckets.BUCKETS, strict=True))
    if name == "attempts":
        return f"{len(table):,} / {int(table.chosen.sum()):,} chosen"
    fate = getattr(table, "fate", None)
    if fate is None:
        return f"{len(table):,}"
    return f"{len(table):,} / {int((fate == 0).sum()):,} kept"


def time_text(seconds: float) -> str:
    """"0.4 ms", "81 ms", "2.3 s"."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.1f} ms"


class StageRail(QWidget):
    """One row per stage. The eye shows a layer, Alt and eye shows it alone, a click chooses it.

    Keys 7 and 8 each stand for two tables: transcripts and buckets, attempts and words.
    """

    layer_changed = Signal(str, bool, float)   # stage, visible, opacity 0 to 1
    chosen = Signal(str)
    solo = Signal(str)                         # "" ends it

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Stages")
        self.rows = {name: _StageRow(name, self) for name in STAGES}
        self._solo = ""
        self._chosen = ""
        self._opacity = dict.fromkeys(STAGES, 1.0)
        self._note = QLabel()
        self._note.setWordWrap(True)
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._note.hide()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for name, row in self.rows.items():
            row.eye.toggled.connect(lambda on, name=name: self._show_layer(name))
            column.addWidget(row)
        column.addWidget(self._note)
        column.addStretch(1)
        area = _Column(widgetResizable=True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(area)
        layout.addLayout(self._opacity_row())
        self.choose("words", tell=False)

    def _opacity_row(self) -> QHBoxLayout:
        self._slider = QSlider(Qt.Orientation.Horizontal, minimum=10, maximum=100, value=100)
        self._slider.setAccessibleName("Opacity of the chosen stage")
        self._slider.setToolTip("Opacity of the chosen stage's layer")
        self._slider.valueChanged.connect(self._fade)
        self._slider_label = QLabel()
        row = QHBoxLayout()
        row.addWidget(self._slider_label)
        row.addWidget(self._slider, 1)
        return row

    # ---- what is shown -------------------------------------------------------------------------

    def show(self, reading: Reading | None = None) -> None:
        """Show the counts of a reading; without one this is QWidget.show."""
        if reading is None:
            super().show()
            return
        for name, row in self.rows.items():
            row.count.setText(count_text(reading, name))
            if reading.table(name) is None:
                self.set_stage_state(name, "idle")
            elif row.state == "idle":
                self.set_stage_state(name, "done")

    def set_stage_state(self, name: str, state: str, seconds: float | None = None,
                        note: str = "") -> None:
        """State of one stage (a key of STATES), its seconds, and for a failure what to read."""
        row = self.rows[name]
        row.set_state(state, seconds, note)
        failed = [row for row in self.rows.values() if row.state == "failed" and row.note]
        self._note.setVisible(bool(failed))
        self._note.setText("\n".join(f"⚠ {row.name}: {row.note}" for row in failed))

    # ---- layers --------------------------------------------------------------------------------

    def layer(self, name: str) -> tuple[bool, float]:
        """Whether a layer is shown, and its opacity."""
        return self.rows[name].eye.isChecked(), self._opacity[name]

    def set_visible(self, name: str, visible: bool) -> None:
        """Open or close the eye of a stage; tells layer_changed when that is a change."""
        self.rows[name].eye.setChecked(visible)

    def choose(self, name: str, tell: bool = True) -> None:
        """Make a stage the chosen one: its row is marked and the slider is its opacity."""
        self._chosen = name
        for other, row in self.rows.items():
            row.set_chosen(other == name)
        self._slider_label.setText(f"{name} opacity")
        self._slider.blockSignals(True)
        self._slider.setValue(round(100 * self._opacity[name]))
        self._slider.blockSignals(False)
        if tell:
            self.chosen.emit(name)

    def toggle_solo(self, name: str) -> None:
        """Show only this stage's layer, or all shown ones again."""
        self._solo = "" if self._solo == name else name
        for other, row in self.rows.items():
            row.set_solo(bool(self._solo) and other == self._solo)
        self.solo.emit(self._solo)

    def press(self, key: int) -> None:
        """Keys 1 to 9 choose a stage and open its eye, once more they close it; 0 ends solo.

        A key of two tables goes through: first table, both, second, none.
        """
        if key == 0:
            if self._solo:
                self.toggle_solo(self._solo)
            return
        names = [name for name in STAGES if STAGE_KEYS[name] == key]
        # 0: none, 1: first only, 2: both, 3: second only (a single table only knows 0 and 1)
        order = [(False,) * len(names), *([(True,)] if len(names) == 1 else
                                          [(True, False), (True, True), (False, True)])]
        now = tuple(self.rows[name].eye.isChecked() for name in names)
        wanted = order[(order.index(now) + 1) % len(order)]
        for name, on in zip(names, wanted, strict=True):
            self.set_visible(name, on)
        self.choose(names[wanted.index(True)] if any(wanted) else names[0])

    def _show_layer(self, name: str) -> None:
        self.layer_changed.emit(name, *self.layer(name))

    def _fade(self, percent: int) -> None:
        self._opacity[self._chosen] = percent / 100
        self._show_layer(self._chosen)


class _StageRow(QFrame):
    """Key, name, state and eye above; count and time below."""

    def __init__(self, name: str, rail: StageRail) -> None:
        super().__init__()
        self.name, self.state, self.note = name, "idle", ""
        self._rail = rail
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName(f"Stage {STAGE_KEYS[name]}, {name}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.eye = _Eye(name, rail)
        self._key, self._title = QLabel(f"<b>{STAGE_KEYS[name]}</b>"), QLabel(name)
        self._sign, self.count, self._time = QLabel(), _Elided(), QLabel()
        self._sign.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._time.setAlignment(Qt.AlignmentFlag.AlignRight)
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.9)
        self.count.setFont(small)
        self._time.setFont(small)
        self.setToolTip(f"{name}: click to choose, the eye shows its layer (key "
                        f"{STAGE_KEYS[name]}), Alt and click on the eye shows it alone")
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 2, 4, 2)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(0)
        grid.addWidget(self._key, 0, 0)
        grid.addWidget(self._title, 0, 1)
        grid.addWidget(self._sign, 0, 2)
        grid.addWidget(self.eye, 0, 3, 2, 1)
        grid.addWidget(self.count, 1, 1)
        grid.addWidget(self._time, 1, 2)
        grid.setColumnStretch(1, 1)

    def set_state(self, state: str, seconds: float | None, note: str) -> None:
        sign, meaning = STATES[state]
        self.state, self.note = state, note
        self._sign.setText(sign)
        self._sign.setToolTip(f"{meaning}. {note}" if note else meaning)
        self._sign.setAccessibleName(meaning)
        if seconds is not None:
            self._time.setText("known" if state == "known" else time_text(seconds))
        elif state in ("idle", "queued", "running"):
            self._time.setText("")

    def set_chosen(self, chosen: bool) -> None:
        font = self._title.font()
        font.setBold(chosen)
        self._title.setFont(font)
        self.setFrameShadow(QFrame.Shadow.Sunken if chosen else QFrame.Shadow.Plain)
        self.setLineWidth(2 if chosen else 1)
        self.setBackgroundRole(self.palette().ColorRole.AlternateBase if chosen
                               else self.palette().ColorRole.Window)
        self.setAutoFillBackground(chosen)

    def set_solo(self, alone: bool) -> None:
        self._title.setText(f"{self.name} (alone)" if alone else self.name)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._rail.choose(self.name)

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._rail.choose(self.name)
        else:
            super().keyPressEvent(event)


class _Column(QScrollArea):
    """Never narrower than what is in it and its scroll bar, so that no eye is out of sight."""

    def minimumSizeHint(self) -> QSize:
        body, bar = self.widget(), self.verticalScrollBar().sizeHint().width()
        return QSize((body.minimumSizeHint().width() if body else 0) + bar,
                     super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class _Elided(QLabel):
    """Gives way where it is narrow: ends in dots, so that a long count pushes no eye out of sight."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(text)

    def paintEvent(self, event: QPaintEvent) -> None:
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        with QPainter(self) as painter:
            self.style().drawItemText(painter, self.rect(), int(self.alignment()), self.palette(),
                                      self.isEnabled(), text, self.foregroundRole())


class _Eye(QToolButton):
    """Shows or hides a layer; Alt and click shows it alone."""

    def __init__(self, name: str, rail: StageRail) -> None:
        super().__init__(checkable=True, checked=name in SHOWN_AT_FIRST, autoRaise=True)
        self._name, self._rail = name, rail
        self.setAccessibleName(f"Show {name}")
        self.setToolTip(f"Show or hide {name}; with Alt: show it alone")
        self.toggled.connect(self._draw)
        self._draw(self.isChecked())

    def _draw(self, on: bool) -> None:
        self.setText("◉" if on else "◌")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._rail.toggle_solo(self._name)
        else:
            super().mousePressEvent(event)
