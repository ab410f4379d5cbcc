"""The font workspace: makes the view and its session and connects them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFileDialog, QInputDialog, QWidget

from core.fonts.catalogue import CLASSES, REASONS
from core.fonts.findings import FontReport
from core.fonts.stock import kind_of
from core.fonts.trial import Likeness
from views.font_inspector import ACROSS, CLEAN, KEYS, SHEET, FontInspector, across_slots
from views.fonts import FontRow
from views.glyphs import Slot
from workbench.font_messages import (
    CharacterDrawn,
    CropRead,
    GlyphDrawn,
    GlyphsRead,
    LinesDrawn,
    NearestFound,
    SheetDrawn,
    WordsTried,
)
from workbench.font_session import LATER, NOW, SOON, FontSession

AHEAD = 12  # fonts whose sheets are drawn before they are shown
SETTLE = 60  # ms that a font must stay before what costs time is asked for
READ_AFTER = 350  # ms before the recogniser reads it
REFRESH = 400  # ms in which reports that arrive together are listed as one
NEAREST = 8  # fonts shown
MOST_NAMED = 9  # signs that a clean font lacks, named below it; more are counted
LOOK = 1.5  # s that a drawn sheet of clean fonts is on screen before it can be accepted
PICTURE_FILTER = "Pictures (*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.webp)"


class FontDocks(QObject):
    """Owns the session; `view` is what the window shows."""

    said = Signal(str)  # a sentence for the status bar

    def __init__(self, session: FontSession | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session or FontSession()
        self.session.setParent(self)
        self.view = FontInspector()
        self.key = ""            # of the font shown
        self.readings: dict[str, Any] = {}
        self.trials: dict[str, Any] = {}
        self._crop: Any = None
        self._nearest: list[Likeness] = []
        self._offer: tuple[list[str], list[str], str] = ([], [], "")
        self._resume = ""        # the font that was shown at the end of last time
        self._chosen_here = ""   # the font that nobody asked for: it gives way to a worse one
        self._drawn_since = 0.0  # when the sheet of clean fonts was on screen whole, 0 = it is not
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self._settled)
        self._read = QTimer(self, singleShot=True, interval=READ_AFTER)
        self._read.timeout.connect(self._ask_reading)
        self._refresh = QTimer(self, singleShot=True, interval=REFRESH)
        self._refresh.timeout.connect(self.list_fonts)
        self._connect()
        self._make_actions()

    def _make_actions(self) -> None:
        """For menu, palette and keys list; the view itself answers the keys."""
        for key in KEYS:
            action = QAction(key.text, self.view)
            keys = key.key | Qt.KeyboardModifier.ShiftModifier if key.shift else key.key
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _=False, verb=key.verb: self.act(verb))
            self.view.addAction(action)
        opening = QAction("Open a folder of fonts …", self.view)
        opening.triggered.connect(lambda _=False: self.ask_open())
        self.view.addAction(opening)

    def _connect(self) -> None:
        session, view = self.session, self.view
        session.checked.connect(self._checked)
        session.removed.connect(self._removed)
        session.progress.connect(self._checking)
        session.drawn.connect(self._drawn)
        session.undrawable.connect(self._undrawable)
        session.judged.connect(self._judged)
        session.said.connect(self.said)
        session.failed.connect(lambda failure: self.said.emit(failure.message))
        view.picked.connect(self.show_font)
        view.glyph_picked.connect(self._show_glyph)
        view.acted.connect(self.act)
        view.wants_character.connect(lambda c, keys: session.ask_character(c, keys, NOW))
        view.wants_lines.connect(session.ask_lines)
        view.dropped.connect(lambda paths: self.open([Path(p) for p in paths]))
        view.fonts.filtered.connect(lambda _: self._show_mode())
        view.detail.crop_wanted.connect(self._ask_crop)
        view.detail.nearest_wanted.connect(self._ask_nearest)

    # ---- which fonts ---------------------------------------------------------------------------

    def open(self, paths: list[Path] | None = None) -> None:
        """Check these files and folders; none: as it was left, else the shipped fonts."""
        self._resume = self.session.place.at if paths is None else ""
        self.session.open(paths)

    def ask_open(self) -> None:
        """Ask for a folder."""
        start = str(self.session.paths[0]) if self.session.paths else ""
        folder = QFileDialog.getExistingDirectory(self.view, "Folder of fonts", start)
        if folder:
            self.open([Path(folder)])

    def _checked(self, reports: list) -> None:
        for report in reports:
            self.view.forget_font(report.sha256)
            self.readings.pop(report.sha256, None)
            self.trials.pop(report.sha256, None)
        self._list_soon()

    def _removed(self, keys: list[str]) -> None:
        for key in keys:
            self.view.forget_font(key)
        self._list_soon()

    def _list_soon(self) -> None:
        if not self._refresh.isActive():  # listing 3,500 fonts takes 70 ms: then less often
            self._refresh.start(REFRESH + len(self.session.reports) // 2)

    def _checking(self, done: int, total: int) -> None:
        self.view.show_checking(done, total)
        if done >= total:
            self.list_fonts()

    def list_fonts(self) -> None:
        """List the fonts as they are known now, most suspicious first."""
        self._refresh.stop()
        session = self.session
        self.view.fonts.show_fonts([
            FontRow(report, session.verdict(key), kind_of(report), session.copies.get(key, 0))
            for key, report in session.reports.items()])
        if self.key not in session.reports:
            self.key = ""
        if not self.key or self.key == self._chosen_here:
            self._choose_first()
        else:
            self.view.fonts.choose(self.key, tell=False)
        self._show_progress()
        self._show_mode()

    def _choose_first(self) -> None:
        """The font of last time; without one the most suspicious, once more when all are checked."""
        fonts = self.view.fonts
        if self._resume in self.session.reports and fonts.choose(self._resume):
            self._chosen_here = ""
        elif self.session.checking.is_idle or not self._resume:
            keys = fonts.model.keys
            worst = next((k for k in keys if not self.session.verdict(k)), next(iter(keys), ""))
            if worst:
                self._chosen_here = "" if self.session.checking.is_idle else worst
                fonts.choose(worst)

    # ---- showing a font ------------------------------------------------------------------------

    def show_font(self, key: str) -> None:
        """Show a font at once with what is known; what takes longer follows."""
        session = self.session
        if key not in session.reports:
            return
        if self.key and key != self.key:
            self._leave(self.key)
        is_new, self.key = key != self.key, key
        session.remember(key)
        view = self.view
        view.show_font(session.reports[key], session.glyph_verdicts(key), session.verdict(key))
        if is_new and view.mode == SHEET:
            view.choose_worst()
        session.forget_prefetch()
        if not view.has_sheet(key):
            session.ask_sheet(key, NOW)
        view.show_offer("")
        self._settle.start()
        self._read.start()

    def _leave(self, key: str) -> None:
        """A second look is over: its own verdict may be seen again."""
        if self.session.seconds.open == key:
            self.session.leave(key)
            self.view.fonts.set_verdict(key, self.session.verdict(key))

    def _settled(self) -> None:
        """What costs time: the large glyph, prices, words, sheets of the fonts that come next."""
        self._show_progress()  # a progress bar paints at once: not between a key and its font
        if self.key not in self.session.reports:
            return
        self._show_glyph(self.view.character)
        self.view.detail.show_draws(self.session.draws(self.key))
        self._show_costs()
        self._show_reading()
        self.view.detail.show_trial(self.trials.get(self.key))
        for n, key in enumerate(self.view.fonts.neighbours(AHEAD)):
            if not self.view.has_sheet(key) and key in self.session.reports:
                self.session.ask_sheet(key, SOON if n < 3 else LATER)

    def _show_glyph(self, character: str) -> None:
        if self.key in self.session.reports:
            self.session.ask_glyph(self.key, character, with_words=True)
            self._show_reading()

    def _ask_reading(self) -> None:
        if self.key in self.session.reports and self.key not in self.readings:
            self._show_reading("reading …")
            self.session.ask_reading(self.key)

    def _show_reading(self, note: str = "") -> None:
        self.view.detail.show_reading(self.readings.get(self.key), self.view.character, note)

    def _show_costs(self) -> None:
        session, view = self.session, self.view
        if self.key not in session.reports or view.mode == CLEAN:
            view.show_cost(self._clean_words() if view.mode == CLEAN else "")
            return
        characters = view.selected if view.mode == SHEET else [view.character]
        whole = session.cost_of_rejecting(self.key, []) or "costs nothing that counts"
        text = f"<b>X</b> rejecting the font: {whole}"
        if characters:
            named = " ".join(characters[:12]).replace("<", "&lt;") + (" …" if len(characters) > 12
                                                                       else "")
            part = session.cost_of_rejecting(self.key, characters) or "costs nothing that counts"
            text += f"<br><b>G</b> flagging {named}: {part}"
        view.show_cost(text)

    def _show_progress(self) -> None:
        session = self.session
        total, left = len(session.reports), session.left()
        pace = session.pace.per_minute
        said = [f"{pace:.0f} fonts/min"] if pace else []
        if session.pace.left(left):
            said.append(f"{session.pace.left(left)} left")
        if not left and total:
            said.append(session.agreement() or "all judged")
        self.view.show_progress(total - left, total, ", ".join(said))

    def _drawn(self, answer: Any) -> None:
        view = self.view
        if isinstance(answer, SheetDrawn):
            view.put_sheet(answer.key, answer.cells.characters, answer.cells.pixels, answer.line)
        elif isinstance(answer, CharacterDrawn):
            view.put_character(answer.character, answer.keys, answer.cells.pixels)
        elif isinstance(answer, LinesDrawn):
            view.put_lines(answer.keys, answer.lines)
            self._show_costs()
        elif isinstance(answer, GlyphDrawn):
            if (answer.key, answer.character) == (self.key, view.character):
                k = ord(answer.character) - 0x20
                distance = self.session.reports[self.key].distance
                view.detail.show_closeup(answer.closeup, distance[k] if distance else -1)
                if answer.words:
                    view.detail.show_words(answer.words)
        elif isinstance(answer, GlyphsRead):
            self.readings[answer.key] = answer.readings
            self._show_reading()
            if self.key in self.session.reports:
                view.detail.show_draws(self.session.draws(self.key))
        elif isinstance(answer, WordsTried):
            self.trials[answer.key] = answer.trial
            view.detail.show_trial(self.trials.get(self.key))
        elif isinstance(answer, CropRead):
            self._crop = answer.pixels
            view.detail.show_crop(answer.pixels, answer.text)
        elif isinstance(answer, NearestFound):
            self._take_nearest(answer)

    def _undrawable(self, key: str, why: str) -> None:
        self.view.show_undrawable(key, why)
        if key == self.key:
            self.view.detail.show_closeup(None, note=why)
            self.view.detail.show_trial(self.trials.get(key))
            if key not in self.readings:
                self._show_reading("could not be read")

    # ---- nearest fonts -------------------------------------------------------------------------

    def _ask_crop(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self.view, "Picture of one word", "", PICTURE_FILTER)
        if path:
            self.session.ask_crop(Path(path))

    def _ask_nearest(self, text: str) -> None:
        if self._crop is None:
            self.session.said.emit("Choose the picture of a word first")
            return
        self._nearest = []
        self.session.ask_nearest(self._crop, text)

    def _take_nearest(self, answer: NearestFound) -> None:
        self._nearest = sorted([*self._nearest, *answer.likenesses],
                               key=lambda like: -like.score)[:NEAREST]
        note = (f"comparing, {answer.done:,} of {answer.total:,} …" if answer.done < answer.total
                else "A guess by shape alone; blur and print weight count too:")
        reports = self.session.reports
        self.view.detail.show_nearest([(f"{reports[x.sha256].family} {reports[x.sha256].style}", x)
                                       for x in self._nearest if x.sha256 in reports], note)

    # ---- the other modes -----------------------------------------------------------------------

    def _listed(self) -> list:
        reports = self.session.reports
        return [reports[key] for key in self.view.fonts.model.keys if key in reports]

    def _show_mode(self) -> None:
        view = self.view
        if view.mode == ACROSS:
            # verdicts of all fonts on one character: only those that have any are asked for
            verdicts = {r.sha256: self.session.glyph_verdicts(r.sha256) for r in self._listed()}
            view.show_across_slots(across_slots(self._listed(), view.character, verdicts), self.key)
        elif view.mode == CLEAN:
            self._show_clean()
        elif self.key in self.session.reports:
            self.show_font(self.key)
        self._show_costs()

    def _show_clean(self) -> None:
        clean = [r for r in self._listed() if not self.session.catalogue.judged(r.sha256)
                 and not r.needs_look and "" not in r.rejected()
                 and r.sha256 not in self.view.left_out][:self.view.clean.capacity]
        self._drawn_since = 0.0
        self.view.show_clean_slots([Slot(r.sha256, _clean_caption(r), r.file) for r in clean])

    def _clean_words(self) -> str:
        slots = self.view.clean.cells.slots
        if not slots:
            return "No clean font is left to judge among those listed."
        drawn = sum(self.view.has_line(s.key) for s in slots)
        left_out = sum(s.key in self.view.left_out for s in slots)
        if drawn + left_out < len(slots):
            return f"Drawing {len(slots)} fonts …"
        self._drawn_since = self._drawn_since or time.monotonic()
        return (f"<b>A</b> accepts the {len(slots) - left_out} fonts of this sheet after a look; "
                f"<b>G</b> or <b>X</b> leaves the selected out ({left_out} left out)")

    # ---- verbs ---------------------------------------------------------------------------------

    def act(self, verb: str) -> None:
        """Do what a key or a button says, see `views.font_inspector.KEYS`."""
        view = self.view
        if verb not in ("selected", "mode"):
            self._chosen_here = ""
        simple = {
            "next_glyph": lambda: view.step_glyph(1), "previous_glyph": lambda: view.step_glyph(-1),
            "more_glyphs": view.extend, "next_font": lambda: view.fonts.step(1),
            "previous_font": lambda: view.fonts.step(-1), "open": self.ask_open,
            "accept": self.accept, "reject": self.reject, "flag": self.flag,
            "flag_class": self.flag_class, "weight": self.ask_weight, "undo": self.undo,
            "siblings": self.apply_offer, "trial": self.try_words, "selected": self._show_costs,
            "mode": self._show_mode, "character": self._show_mode,
            "across": self._switch_across, "next_character": lambda: view.step_character(1),
            "previous_character": lambda: view.step_character(-1),
            "clean": lambda: view.show_mode(SHEET if view.mode == CLEAN else CLEAN),
            "next_to_judge": self.go_on}
        if verb in simple:
            simple[verb]()
        elif verb.startswith("reason_"):
            self.flag(REASONS[int(verb[-1]) - 1])

    def accept(self) -> None:
        """Accept the font and go on; on a clean sheet all of it that is not left out."""
        if self.view.mode == CLEAN:
            self._accept_clean()
        elif self.key:
            self.session.accept([self.key])
            self.go_on()

    def _accept_clean(self) -> None:
        view = self.view
        keys = [s.key for s in view.clean.cells.slots]
        if not self._drawn_since or time.monotonic() - self._drawn_since < LOOK:
            self.said.emit("Look at the sheet first, then accept it")
            return
        self.session.accept([k for k in keys if k not in view.left_out])
        self._show_clean()
        self._show_costs()

    def reject(self, reason: str = "") -> None:
        """Reject the font and go on; on a clean sheet leave the selected out."""
        if self.view.mode == CLEAN:
            self._leave_out()
        elif self.key:
            key = self.key
            self.session.reject([key], reason)
            self._make_offer(key, [])
            self.go_on(keep_offer=True)

    def _leave_out(self) -> None:
        view = self.view
        view.left_out ^= set(view.clean.selected)
        slots = [Slot(s.key, s.caption, s.tip, verdict="reject" if s.key in view.left_out else "")
                 for s in view.clean.cells.slots]
        view.clean.update_slots(slots)
        self._show_costs()

    def flag(self, reason: str = "") -> None:
        """Flag the selected glyphs of the font, or the character in the selected fonts."""
        view, session = self.view, self.session
        if view.mode == CLEAN:
            self._leave_out()
        elif view.mode == ACROSS:
            for key in view.across.selected:
                session.flag(key, [view.character], reason)
        elif self.key and view.sheet.selected:
            characters = view.sheet.selected
            session.flag(self.key, characters, reason)
            if session.glyph_verdicts(self.key).get(characters[0]) == "reject":
                self._make_offer(self.key, characters)

    def flag_class(self) -> None:
        """Flag the class that the current glyph belongs to."""
        name = next((n for n, members in CLASSES.items() if self.view.character in members), "")
        if self.key and name and self.view.mode == SHEET:
            self.session.flag_class(self.key, name)

    def _make_offer(self, key: str, characters: list[str]) -> None:
        """Offer the verdict to fonts with the same finding."""
        alike, what = self.session.siblings(key, characters)
        found = [c for c in characters if what.endswith(f" {c}")]
        self._offer = alike, found, self.session.reason(key, *found[:1])
        if not alike:
            self.view.show_offer("")
            return
        report = self.session.reports[key]
        of = ("of this family" if self.session.reports[alike[0]].family == report.family
              else "of other families")
        deed = f"flag {' '.join(found)} there too" if found else "reject them too"
        self.view.show_offer(f"{len(alike)} more font{'s' * (len(alike) > 1)} {of} with the same "
                             f"finding ({what}): {deed} (S)")

    def apply_offer(self) -> None:
        """The same verdict for the fonts of the offer."""
        keys, characters, reason = self._offer
        self._offer = [], [], ""
        self.view.show_offer("")
        if keys:
            self.session.apply_to_siblings(keys, characters, reason)
            self.session.said.emit(f"The same verdict for {len(keys)} fonts; U takes it back")

    def ask_weight(self) -> None:
        """Ask for the family's weight."""
        if not self.key:
            return
        family = self.session.reports[self.key].family
        dialog = QInputDialog(self.view)
        dialog.setWindowTitle("Weight in training")
        dialog.setLabelText(f"Factor on how often {family} is drawn (1 = as it comes, 0 = never)")
        dialog.setInputMode(QInputDialog.InputMode.DoubleInput)
        dialog.setDoubleRange(0, 1000)
        dialog.setDoubleDecimals(2)
        dialog.setDoubleValue(self.session.catalogue.weight(family))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.doubleValueSelected.connect(lambda w: self.session.set_weight(family, w))
        dialog.open()

    def undo(self) -> None:
        """Take the last deed back and show its font."""
        keys = self.session.undo()
        if keys and self.view.mode == SHEET:
            self.view.fonts.choose(keys[0])
        elif keys and self.view.mode == CLEAN:
            self._show_clean()

    def try_words(self) -> None:
        """Errors on held-out words."""
        if self.key:
            self.view.detail.show_trial(None, "drawing and reading words …")
            self.session.ask_trial(self.key)

    def _switch_across(self) -> None:
        if self.view.mode == ACROSS:
            self.view.show_mode(SHEET)
        else:
            self.view.show_across(self.view.character)

    def go_on(self, keep_offer: bool = False) -> None:
        """To the next font that nobody has judged, now and then to one for a second look."""
        offer = self.view.offer.text() if keep_offer else ""
        following = self.view.fonts.next_to_judge()
        again = self.session.seconds.take(at_end=not following)
        if again and again in self.session.reports and again != self.key:
            self.view.fonts.set_verdict(again, "")
            following = again
        if following:
            if not self.view.fonts.choose(following):
                self.show_font(following)
        else:
            self._leave(self.key)
            self.session.said.emit(self.session.agreement() or "All listed fonts are judged")
        self.view.show_offer(offer)

    def _judged(self, keys: list[str]) -> None:
        for key in keys:
            self.view.fonts.set_verdict(key, self.session.verdict(key))
        if self.key in keys:
            self.view.show_glyph_verdicts(self.session.glyph_verdicts(self.key))
        if self.view.mode == ACROSS:
            self._show_mode()
        self._settle.start()

    def close(self) -> None:
        """Keep the place, end the processes."""
        for timer in (self._settle, self._read, self._refresh):
            timer.stop()
        self.session.close()


def _clean_caption(report: FontReport) -> str:
    """The font's name, and what certain checks leave out of it."""
    without = sorted(report.rejected())
    signs = f"{len(without)} signs" if len(without) > MOST_NAMED else " ".join(without)
    return f"{report.family} {report.style}" + (f", without {signs}" if signs else "")


def workspace(parent: QWidget) -> tuple[QWidget, FontDocks]:
    """(what the window shows, who owns it), the fonts of last time already being checked."""
    docks = FontDocks(parent=parent)
    docks.open()
    return docks.view, docks
