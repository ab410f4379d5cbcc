"""The curator's view: families on the left, glyphs in the middle, all about one glyph on the right.

It shows what it is given and says what the user does; it judges nothing and opens no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.fonts.findings import FontReport
from core.recognizer.alphabet import ASCII
from views.fonts import FontList
from views.glyph_detail import GlyphDetail
from views.glyphs import CAPTION, CELL, GAP, LINE_HEIGHT, LINE_WIDTH, Cells, Pictures, Slot

MARKS = ASCII[1:]  # what has ink, in the order of the grid below
# Letters and digits first: they are most of what is drawn, and where faults cost most.
GRID = "".join(sorted(MARKS, key=lambda c: (not c.isalpha(), not c.isdigit(), MARKS.index(c))))
SHEET, ACROSS, CLEAN = range(3)
MODES = ("One font", "One character in all fonts", "Clean fonts")
PICTURES = 256 << 20  # bytes of rasters kept: some 600 fonts' sheets
BLANKS = {"\"": "quote", "'": "apostr.", "`": "grave", ",": "comma", ".": "stop", "-": "hyphen",
          "_": "low line", "|": "bar", "\\": "backsl.", "^": "caret", "~": "tilde", ":": "colon",
          ";": "semic."}
ORDER = {"reject": 3, "doubt": 2, "information": 1}


@dataclass(frozen=True)
class Key:
    """A key of this view: what it does, in the words of the keys list."""

    verb: str
    key: Qt.Key
    text: str
    shown: str
    shift: bool = False


KEYS = (
    Key("next_glyph", Qt.Key.Key_J, "Next glyph", "J"),
    Key("previous_glyph", Qt.Key.Key_K, "Previous glyph", "K"),
    Key("more_glyphs", Qt.Key.Key_J, "Next glyph too", "Shift+J", shift=True),
    Key("next_font", Qt.Key.Key_Down, "Next font", "↓"),
    Key("previous_font", Qt.Key.Key_Up, "Previous font", "↑"),
    Key("accept", Qt.Key.Key_A, "Accept the font (a sheet of clean fonts: all of it)", "A"),
    Key("reject", Qt.Key.Key_X, "Reject the font", "X"),
    Key("flag", Qt.Key.Key_G, "Flag the selected glyphs, or take the flag away", "G"),
    Key("flag_class", Qt.Key.Key_G, "Flag all symbols, digits, lower or upper case", "Shift+G",
        shift=True),
    *(Key(f"reason_{n}", getattr(Qt.Key, f"Key_{n}"), f"Flag with the reason: {reason}", str(n))
      for n, reason in enumerate(("missing", "square", "wrong symbol", "case", "broken", "other"), 1)),
    Key("weight", Qt.Key.Key_W, "Weight of the family in training", "W"),
    Key("undo", Qt.Key.Key_U, "Undo", "U"),
    Key("siblings", Qt.Key.Key_S, "The same verdict for the fonts with the same finding", "S"),
    Key("across", Qt.Key.Key_C, "This character in all fonts, or back to the font", "C"),
    Key("next_character", Qt.Key.Key_BracketRight, "Next character in all fonts", "]"),
    Key("previous_character", Qt.Key.Key_BracketLeft, "Previous character in all fonts", "["),
    Key("clean", Qt.Key.Key_B, "Sheets of clean fonts, to accept together", "B"),
    Key("trial", Qt.Key.Key_E, "Errors on held-out words in this font", "E"),
    Key("next_to_judge", Qt.Key.Key_N, "Next font nobody has judged", "N"),
)
HINT = ("<b>J K</b> glyph  <b>↑ ↓</b> font  <b>A</b> accept  <b>X</b> reject  <b>G</b> flag glyph  "
        "<b>1–6</b> reason  <b>W</b> weight  <b>U</b> undo  <b>S</b> siblings  "
        "<b>C</b> character in all fonts  <b>B</b> clean sheet  <b>E</b> errors")


class FontInspector(QWidget):
    """Signals
    picked(str)          key of a font that is to be shown
    glyph_picked(str)    a character of it
    acted(str)           the verb of a key or button, see KEYS; "open" for the folder button
    wants_character(str, list), wants_lines(list)   rasters of cells in view that are not there
    dropped(list)        paths
    """

    picked, glyph_picked, acted = Signal(str), Signal(str), Signal(str)
    wants_character, wants_lines = Signal(str, list), Signal(list)
    dropped = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Font inspector")
        self.setAcceptDrops(True)
        self.pictures = Pictures(PICTURES)
        self.fonts, self.detail = FontList(), GlyphDetail()
        cell = QSize(CELL + GAP + 8, CELL + CAPTION + GAP + 2)
        self.sheet = Cells(self._sheet_picture, cell, "Glyphs of the font")
        self.across = Cells(self._across_picture, cell, "One character in all fonts")
        self.clean = Cells(self._clean_picture, QSize(LINE_WIDTH, LINE_HEIGHT),
                           "Clean fonts", left=True)
        self.shown = ""          # key of the font on the sheet
        self.character = "A"     # that the detail and `across` are about
        self.left_out: set[str] = set()  # fonts of the clean sheet that are not to be accepted
        self._report: FontReport | None = None
        self._make()
        self._connect()

    # ---- making --------------------------------------------------------------------------------

    def _make(self) -> None:
        self.stack = QStackedWidget()
        for view in (self.sheet, self.across, self.clean):
            self.stack.addWidget(view)
        self.stack.currentChanged.connect(lambda _: self._say_mode())
        self.title, self.cost, self.note = QLabel(), QLabel(), QLabel()
        self.cost.setWordWrap(True)
        self.cost.setAccessibleName("What a verdict costs")
        self.note.hide()
        self.note.setAccessibleName("Why the font cannot be drawn")
        self.note.setWordWrap(True)
        self.offer = QPushButton()
        self.offer.hide()
        self.hint = QLabel(HINT)
        self.hint.setWordWrap(True)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        column.addLayout(self._mode_row())
        column.addWidget(self.note)
        column.addWidget(self.stack, 1)
        column.addWidget(self.offer)
        column.addWidget(self.cost)
        column.addWidget(self.hint)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        for part, stretch in ((self.fonts, 0), (centre, 1), (self.detail, 0)):
            self.splitter.addWidget(part)
            self.splitter.setStretchFactor(self.splitter.count() - 1, stretch)
        self.splitter.setSizes([280, 860, 420])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._top_row())
        layout.addWidget(self.splitter, 1)

    def _top_row(self) -> QHBoxLayout:
        self.open_button = QPushButton("Fonts …")
        self.open_button.setToolTip("Open a folder of fonts, or drop one here")
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Fonts judged")
        self.progress.setFixedWidth(240)
        self.pace = QLabel()
        self.checking = QLabel()
        row = QHBoxLayout()
        row.setContentsMargins(6, 4, 6, 2)
        for widget in (self.open_button, self.progress, self.pace):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.checking)
        return row

    def _mode_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.modes = QButtonGroup(self)
        for n, name in enumerate(MODES):
            button = QToolButton(text=name, checkable=True, autoRaise=True)
            self.modes.addButton(button, n)
            row.addWidget(button)
        self.modes.button(SHEET).setChecked(True)
        self.modes.idClicked.connect(self.show_mode)
        self.characters = QComboBox()
        self.characters.addItems(list(GRID))
        self.characters.setAccessibleName("Character shown in all fonts")
        self.characters.activated.connect(lambda k: self.show_across(GRID[k]))
        row.addWidget(self.characters)
        row.addSpacing(12)
        row.addWidget(self.title, 1)
        return row

    def _connect(self) -> None:
        self.fonts.picked.connect(self.picked)
        self.sheet.current_changed.connect(self._glyph_chosen)
        self.sheet.opened.connect(self.show_across)
        self.across.current_changed.connect(self._across_chosen)
        self.across.opened.connect(lambda _: self.show_mode(SHEET))
        self.across.wanted.connect(self._want_character)
        self.clean.wanted.connect(self._want_lines)
        self.clean.opened.connect(self._look_at)
        for view in (self.sheet, self.across, self.clean):
            view.selectionModel().selectionChanged.connect(lambda *_: self.acted.emit("selected"))
        self.open_button.clicked.connect(lambda: self.acted.emit("open"))
        self.offer.clicked.connect(lambda: self.acted.emit("siblings"))
        self.detail.trial_wanted.connect(lambda: self.acted.emit("trial"))
        self.detail.chosen.connect(self._look_at)
        for view in (self.fonts.list, self.sheet, self.across, self.clean, self.detail, self):
            view.installEventFilter(self)

    # ---- showing a font ------------------------------------------------------------------------

    def show_font(self, report: FontReport, verdicts: dict[str, str], verdict: str) -> None:
        """Show a font's glyphs, findings marked.

        verdicts  character -> "reject" or "accept"; verdict on the whole, "" = none
        """
        self._report, self.shown = report, report.sha256
        if not self.sheet.current:
            worst = sorted((f for f in report.findings if f.character in set(GRID)),
                           key=lambda f: -ORDER[f.severity])
            self.character = worst[0].character if worst else self.character
        self.sheet.show_slots(slots_of(report, verdicts), self.character)
        self.note.hide()
        self.title.setText(f"<b>{escape(report.family)}</b> {escape(report.style)}")
        facts = ", ".join(x for x in (report.path.name, report.kind,
                                      report.licence or "licence not said",
                                      "monospaced" if report.monospaced else "") if x)
        self.detail.show_title(report.family, report.style, facts, VERDICT_WORDS[verdict])
        self.detail.show_findings(report.findings, self.character)

    def show_glyph_verdicts(self, verdicts: dict[str, str]) -> None:
        """Mark the glyphs of the font shown; the selection stays."""
        if self._report is not None:
            self.sheet.update_slots(slots_of(self._report, verdicts))

    def show_undrawable(self, key: str, why: str) -> None:
        """Say why the font shown cannot be drawn or read."""
        if key == self.shown:
            self.note.setText(f"⚠ {escape(why)}")
            self.note.show()

    def choose_worst(self) -> None:
        """Make the first of the most serious findings the current glyph."""
        worst = [s for s in self.sheet.cells.slots if s.severity in ("reject", "doubt")]
        worst.sort(key=lambda s: -ORDER[s.severity])
        self.sheet.choose(worst[0].key if worst else GRID[0])

    # ---- one character in all fonts ------------------------------------------------------------

    def show_across(self, character: str) -> None:
        """Show one character in all fonts listed, those least like the consensus first."""
        self.character = character
        self.characters.setCurrentText(character)
        self.show_mode(ACROSS)
        self.acted.emit("character")

    def show_across_slots(self, slots: list[Slot], current: str) -> None:
        """The cells of `show_across`: a slot per font, its key the font's."""
        self.across.show_slots(slots, current)

    def show_clean_slots(self, slots: list[Slot]) -> None:
        """A sheet of clean fonts: a slot per font."""
        self.clean.show_slots(slots)

    def show_mode(self, mode: int) -> None:
        """One font, one character in all fonts, or a sheet of clean fonts."""
        if self.stack.currentIndex() != mode:
            self.stack.setCurrentIndex(mode)
            self.stack.currentWidget().setFocus()
            self.acted.emit("mode")
        self.modes.button(mode).setChecked(True)
        self._say_mode()

    @property
    def mode(self) -> int:
        """SHEET, ACROSS or CLEAN."""
        return self.stack.currentIndex()

    def _say_mode(self) -> None:
        self.characters.setVisible(self.mode == ACROSS)

    @property
    def selected(self) -> list[str]:
        """Of the mode: characters of the font, or keys of fonts."""
        return self.stack.currentWidget().selected

    # ---- pictures ------------------------------------------------------------------------------

    def put_sheet(self, key: str, characters: str, pixels: NDArray[np.uint8],
                  line: NDArray[np.uint8]) -> None:
        """The rasters of a font: (n, CELL, CELL) uint8, a cell for each character; its line."""
        for character, cell in zip(characters, pixels, strict=True):
            self.pictures.put((key, character), cell)
        self._put_line(key, line)
        if key == self.shown:
            self.sheet.viewport().update()

    def put_character(self, character: str, keys: tuple[str, ...], pixels: NDArray[np.uint8]) -> None:
        """One character's rasters in some fonts."""
        for key, cell in zip(keys, pixels, strict=True):
            self.pictures.put((key, character), cell)
        if character == self.character:
            self.across.viewport().update()

    def put_lines(self, keys: tuple[str, ...], lines: tuple[NDArray[np.uint8], ...]) -> None:
        """The lines of text of some fonts."""
        for key, line in zip(keys, lines, strict=True):
            self._put_line(key, line)
        self.clean.viewport().update()

    def _put_line(self, key: str, line: NDArray[np.uint8]) -> None:
        if line.size:
            self.pictures.put((key, "line"), line[:, :LINE_WIDTH - 16])
        else:
            self.left_out.add(key)

    def forget_font(self, key: str) -> None:
        """Its file has changed: rasters are to be drawn again."""
        for name in (*MARKS, "line"):
            self.pictures.drop((key, name))

    def has_sheet(self, key: str) -> bool:
        """Whether all of a font's rasters are there."""
        return all((key, c) in self.pictures for c in (GRID[0], GRID[-1], "line"))

    def has_line(self, key: str) -> bool:
        """Whether a font's line of text is there."""
        return (key, "line") in self.pictures

    def _sheet_picture(self, slot: Slot) -> QImage | None:
        return self.pictures.get((self.shown, slot.key))

    def _across_picture(self, slot: Slot) -> QImage | None:
        return self.pictures.get((slot.key, self.character))

    def _clean_picture(self, slot: Slot) -> QImage | None:
        return self.pictures.get((slot.key, "line"))

    def _want_character(self, keys: list[str]) -> None:
        lacking = [k for k in keys if (k, self.character) not in self.pictures]
        if lacking and self.mode == ACROSS:
            self.wants_character.emit(self.character, lacking)

    def _want_lines(self, keys: list[str]) -> None:
        lacking = [k for k in keys if (k, "line") not in self.pictures]
        if lacking and self.mode == CLEAN:
            self.wants_lines.emit(lacking)

    # ---- what is said around it ----------------------------------------------------------------

    def show_cost(self, text: str) -> None:
        """What a verdict would cost, before it is given."""
        self.cost.setText(text)

    def show_offer(self, text: str) -> None:
        """Offer the verdict to other fonts; "" takes the offer away."""
        self.offer.setText(text)
        self.offer.setVisible(bool(text))

    def show_progress(self, judged: int, total: int, pace: str) -> None:
        """How far the judging is."""
        self.progress.setRange(0, max(total, 1))
        self.progress.setValue(judged)
        self.progress.setFormat(f"{judged:,} of {total:,} judged")
        self.pace.setText(pace)

    def show_checking(self, done: int, total: int) -> None:
        """How far the checks are; nothing once they are done."""
        self.checking.setText(f"Checking fonts: {done:,} of {total:,}" if done < total else "")

    # ---- what the user does --------------------------------------------------------------------

    def _glyph_chosen(self, character: str) -> None:
        self.character = character
        if self._report is not None:
            self.detail.show_findings(self._report.findings, character)
        self.glyph_picked.emit(character)

    def _across_chosen(self, key: str) -> None:
        self.fonts.choose(key, tell=False)
        self.picked.emit(key)

    def _look_at(self, key: str) -> None:
        self.show_mode(SHEET)
        if not self.fonts.choose(key):
            self.picked.emit(key)

    def step_glyph(self, by: int) -> None:
        """To the next cell of the mode."""
        self.stack.currentWidget().step(by)

    def extend(self) -> None:
        """Take the next cell into the selection."""
        from PySide6.QtCore import QItemSelectionModel
        view = self.stack.currentWidget()
        row = view.currentIndex().row() + 1
        if row < view.model().rowCount():
            view.selectionModel().setCurrentIndex(view.model().index(row, 0),
                                                  QItemSelectionModel.SelectionFlag.Select)

    def step_character(self, by: int) -> None:
        """The next character in all fonts."""
        self.show_across(GRID[(GRID.index(self.character) + by) % len(GRID)])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys of this view, before the window's shortcuts and the lists' own searching."""
        if event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            verb = self._verb(event)
            if verb:
                event.accept()
                if event.type() == QEvent.Type.KeyPress:
                    self.acted.emit(verb)
                return True
        return super().eventFilter(watched, event)

    def _verb(self, event: QKeyEvent) -> str:
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        shift = modifiers == Qt.KeyboardModifier.ShiftModifier
        if modifiers not in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier):
            return ""
        verb = next((k.verb for k in KEYS if k.key == event.key() and k.shift == shift), "")
        if verb in ("next_font", "previous_font") and self.mode != SHEET:
            return ""  # there the arrows walk over the cells
        return verb

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Font files and folders may be dropped."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)


VERDICT_WORDS = {"accept": "✓ accepted", "reject": "✕ rejected",
                 "some": "◐ single glyphs judged, the font is not", "": ""}


def slots_of(report: FontReport, verdicts: dict[str, str]) -> list[Slot]:
    """The cells of one font's sheet, in the order of GRID."""
    worst: dict[str, tuple[str, list[str]]] = {}
    for finding in report.findings:
        if finding.character:
            severity, said = worst.get(finding.character, ("information", []))
            if ORDER[finding.severity] > ORDER[severity]:
                severity = finding.severity
            worst[finding.character] = severity, [*said, f"{finding.check}: {finding.message}"]
    slots = []
    for c in GRID:
        severity, said = worst.get(c, ("", []))
        caption = f"{c}  {BLANKS[c]}" if c in BLANKS else c
        slots.append(Slot(c, caption, "\n".join([f"{c}  U+{ord(c):04X}", *said]), severity,
                          verdicts.get(c, "")))
    return slots


def across_slots(reports: list[FontReport], character: str, verdicts: dict[str, dict[str, str]],
                 ) -> list[Slot]:
    """The cells of one character in fonts, farthest from the consensus first, missing ones last.

    verdicts  font's key -> (character -> verdict)
    """
    k = ASCII.index(character)
    far = {r.sha256: r.distance[k] if r.distance else -1.0 for r in reports}
    slots = []
    for report in sorted(reports, key=lambda r: (-far[r.sha256], r.family.lower())):
        found = report.of(character)
        severity = max((f.severity for f in found), key=ORDER.get, default="")
        distance = far[report.sha256]
        caption = f"{distance:.1f} {report.family}" if distance >= 0 else f"– {report.family}"
        tip = "\n".join([f"{report.family} {report.style}, {report.path.name}",
                         f"{distance:.1f} of 6 from the consensus" if distance >= 0 else "no glyph",
                         *(f"{f.check}: {f.message}" for f in found)])
        slots.append(Slot(report.sha256, caption, tip, severity,
                          verdicts.get(report.sha256, {}).get(character, "")))
    return slots
