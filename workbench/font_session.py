"""The fonts that are judged, the verdicts given, and the three processes that draw, check and read.

The window asks; answers come as signals. The catalogue is only written here.
"""

from __future__ import annotations

import getpass
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from core.errors import OcrError, Unreadable
from core.fonts import stock
from core.fonts.catalogue import CLASSES, FONTS, Catalogue, Verdict, own_verdicts, sha256_of
from core.fonts.findings import CHECKS, Finding, FontReport
from core.pipeline import RESOURCES
from core.recognizer.alphabet import ASCII
from workbench import messages
from workbench.font_desk import Desk
from workbench.font_memory import Pace, Place, SecondLooks
from workbench.font_messages import (
    CheckedFonts,
    CheckFonts,
    DrawCharacter,
    DrawGlyph,
    DrawLines,
    DrawSheet,
    FindNearest,
    FontRef,
    Found,
    ReadCrop,
    ReadGlyphs,
    TryWords,
)

NOW, SOON, LATER = 0, 1, 2  # urgencies of drawings: on screen, about to be, perhaps
CHANGED = 700  # ms from the last change in a folder to looking at it again
TRIAL = 200  # words
MAX_WATCHED = 500  # folders
AT_ONCE = 48  # fonts whose character is drawn in one job
# check -> the reason that a verdict for it gives, one of catalogue.REASONS; else "other"
REASON_OF = {"missing": "missing", "symbol-cmap": "missing", "notdef": "square", "odd-notdef": "square",
             "duplicate": "square", "wrong-symbol": "wrong symbol", "unlike-others": "wrong symbol",
             "reading": "wrong symbol", "look-alike": "wrong symbol", "one-case": "case",
             "small-caps": "case", "swapped-case": "case", "unparseable": "broken", "empty": "broken",
             "damaged-table": "broken", "format": "broken", "zero-advance": "broken",
             "negative-advance": "broken", "huge-advance": "broken", "space": "broken",
             "clipping": "broken", "vertical-metrics": "broken", "baseline": "broken",
             "pangram": "broken"}


class FontSession(QObject):
    """Signals
    checked(list)        reports of fonts that are new or were read again
    removed(list)        keys of fonts that are gone
    progress(int, int)   files checked, of how many; equal when all are
    drawn(object)        an answer of workbench.font_messages, pictures and readings alike
    undrawable(str, str) a font's key, why it cannot be drawn or read
    judged(list)         keys of fonts whose verdicts changed
    said(str), failed(object)  a sentence for the status bar; a messages.Failed
    """

    checked, removed, progress = Signal(list), Signal(list), Signal(int, int)
    drawn, undrawable, judged = Signal(object), Signal(str, str), Signal(list)
    said, failed = Signal(str), Signal(object)

    def __init__(self, own: Path | None = None, resources: Path = RESOURCES,
                 store: Path | None = None, parent: QObject | None = None) -> None:
        """own: the user's verdict file; store: folder of kept reports (both: the usual places)."""
        super().__init__(parent)
        self.judge_into(own or own_verdicts())
        self.reports: dict[str, FontReport] = {}
        self.copies: dict[str, int] = {}
        self.paths: tuple[Path, ...] = ()
        self.who = _who()
        self.store = store
        self.trained_on = 0
        self._files: tuple[Path, ...] = ()
        self._seen: set[Path] = set()
        self._suspect: Path | None = None  # the file that the checking process died on once
        self.drawing, self.checking = Desk(resources, self), Desk(resources, self)
        self.reading = Desk(resources, self)
        for desk in (self.drawing, self.reading):
            desk.answered.connect(self._answered)
            desk.failed.connect(self._drawing_failed)
            desk.died.connect(self._drawing_died)
        self.checking.answered.connect(self._check_answered)
        self.checking.failed.connect(lambda _, failure: self.failed.emit(failure))
        self.checking.died.connect(self._check_died)
        self.checking.finished.connect(self._check_finished)
        self._watch = QFileSystemWatcher(self)
        self._changed = QTimer(self, singleShot=True, interval=CHANGED)
        self._changed.timeout.connect(self.rescan)
        self._watch.directoryChanged.connect(lambda _: self._changed.start())

    def judge_into(self, own: Path) -> None:
        """Take the verdicts of a file, and give further ones into it."""
        self.folder = own.parent
        self.catalogue = Catalogue.load(own)
        self.seconds = SecondLooks(self.folder)
        self.pace, self.place = Pace(), Place.load(self.folder)
        self._done: list[list[str]] = []  # ids of the verdicts of each deed, for undo
        self._stock: stock.Stock | None = None

    # ---- which fonts ---------------------------------------------------------------------------

    def open(self, paths: list[Path] | None = None) -> None:
        """Check font files and folders; none: those of last time, else the shipped ones."""
        if paths is None:
            paths = [Path(p) for p in self.place.paths if Path(p).exists()] or [FONTS]
        gone = list(self.reports)
        self.reports, self.copies, self._stock = {}, {}, None
        self.paths = tuple(Path(p).absolute() for p in paths)
        self.place = replace(self.place, paths=tuple(map(str, self.paths)))
        if gone:
            self.removed.emit(gone)
        self.rescan()

    def rescan(self) -> None:
        """Look at the folders again; what has not changed comes from the store."""
        self.checking.stop(CheckFonts)
        self._seen, self._suspect = set(), None
        self.drawing.warm()
        self._start_check(())

    def _start_check(self, files: tuple[Path, ...]) -> None:
        self.checking.ask(CheckFonts(Desk.job(), self.paths, files, self.store),
                          ("check", len(files)), NOW)

    def _check_answered(self, message: Any) -> None:
        if isinstance(message, Found):
            if not self._seen:
                self._files = message.files
            self._watch_folders(message.files)
        elif isinstance(message, CheckedFonts):
            self._take(list(message.reports))
            self._seen |= {r.path for r in message.reports}
            self.progress.emit(len(self._seen), max(len(self._files), 1))

    def _take(self, reports: list[FontReport]) -> None:
        new = []
        for report in reports:
            if not report.sha256:
                report = replace(report, sha256=f"unread:{report.file}")
            known = self.reports.get(report.sha256)
            if known is not None and known.file != report.file:
                if known.path.exists():
                    self.copies[report.sha256] = self.copies.get(report.sha256, 0) + 1
                    continue
            elif known == report:
                continue
            self.reports[report.sha256] = report
            new.append(report)
        if new:
            self._stock = None
            self.checked.emit(new)

    def _check_finished(self, request: CheckFonts, complete: bool) -> None:
        if not complete:
            return
        present = set(self._files)
        gone = [key for key, report in self.reports.items() if report.path not in present]
        replaced = self._replaced()
        for key in {*gone, *replaced}:
            self.reports.pop(key, None)
        if gone or replaced:
            self._stock = None
            self.removed.emit([*gone, *replaced])
        self.progress.emit(len(self._files), len(self._files))

    def _replaced(self) -> list[str]:
        """Keys of fonts whose file has been read anew as another since."""
        newest: dict[tuple[str, int], str] = {}
        for key, report in self.reports.items():
            newest[report.file, report.index] = key
        return [key for key, r in self.reports.items() if newest[r.file, r.index] != key]

    def _check_died(self, request: CheckFonts) -> None:
        """The process crashed: on the first file not reported. Once more; then without it."""
        left = [path for path in self._files if path not in self._seen]
        if not left:
            self.said.emit("Looking for fonts failed; try again with fewer folders")
            return
        culprit = left[0]
        if culprit == self._suspect:
            self._seen.add(culprit)
            self._take([crashed(culprit)])
            left = left[1:]
        self._suspect = culprit
        if left:
            self._start_check(tuple(left))

    def _watch_folders(self, files: tuple[Path, ...]) -> None:
        folders = {str(p) for p in self.paths if p.is_dir()} | {str(p.parent) for p in files}
        new = sorted(folders - set(self._watch.directories()))[:MAX_WATCHED]
        if new:
            self._watch.addPaths(new)

    def ref(self, key: str) -> FontRef:
        """How the processes are told of a font."""
        report = self.reports[key]
        return FontRef(key, report.path, report.index)

    # ---- pictures and readings -----------------------------------------------------------------

    def ask_sheet(self, key: str, urgency: int = NOW) -> None:
        """All glyphs of a font."""
        self.drawing.ask(DrawSheet(Desk.job(), self.ref(key)), ("sheet", key), urgency)

    def ask_character(self, character: str, keys: list[str], urgency: int = NOW) -> None:
        """One character in these fonts; what waited for other characters is given up."""
        self.drawing.forget(DrawCharacter)
        for start in range(0, len(keys), AT_ONCE):
            some = tuple(self.ref(k) for k in keys[start:start + AT_ONCE] if k in self.reports)
            self.drawing.ask(DrawCharacter(Desk.job(), character, some),
                             ("character", character, keys[start]), urgency)

    def ask_lines(self, keys: list[str]) -> None:
        """The line of text of these fonts."""
        self.drawing.forget(DrawLines)
        self.drawing.ask(DrawLines(Desk.job(), tuple(self.ref(k) for k in keys)),
                         ("lines", *keys), NOW)

    def ask_glyph(self, key: str, character: str, with_words: bool) -> None:
        """One glyph large; only the last one asked for is drawn."""
        self.drawing.forget(DrawGlyph)
        self.drawing.ask(DrawGlyph(Desk.job(), self.ref(key), character, with_words),
                         ("glyph", key, character, with_words), SOON)

    def forget_prefetch(self) -> None:
        """Sheets that wait are of a place in the list that has been left."""
        self.drawing.forget(DrawSheet)

    def ask_reading(self, key: str) -> None:
        """What the recogniser reads; only the last font asked for."""
        self.reading.forget(ReadGlyphs)
        self.reading.ask(ReadGlyphs(Desk.job(), self.ref(key)), ("reading", key), SOON)

    def ask_trial(self, key: str) -> None:
        """Errors on held-out words in a font, with what may be drawn of it."""
        allowed = stock.allowed_row(self.reports[key], self.catalogue)
        characters = frozenset(c for c, good in zip(ASCII, allowed, strict=True) if good)
        self.reading.ask(TryWords(Desk.job(), self.ref(key), characters, TRIAL), ("trial", key), NOW)

    def ask_crop(self, path: Path) -> None:
        """Read a real word from a picture file."""
        self.reading.ask(ReadCrop(Desk.job(), path), ("crop", str(path)), NOW)

    def ask_nearest(self, pixels: NDArray[np.uint8], text: str) -> None:
        """Fonts that a real word looks like; an older search is given up."""
        said = "".join(c for c in text if c in set(ASCII)).strip()
        if not said:
            self.said.emit("Type what the word says first")
            return
        self.reading.stop(FindNearest)
        fonts = tuple(self.ref(k) for k, r in self.reports.items() if "" not in r.rejected())
        self.reading.ask(FindNearest(Desk.job(), pixels, said, fonts), ("nearest", said), SOON)

    def _answered(self, message: Any) -> None:
        self.trained_on = getattr(message, "trained_on", 0) or self.trained_on
        self.drawn.emit(message)

    def _drawing_failed(self, request: Any, failure: messages.Failed) -> None:
        font = getattr(request, "font", None)
        if font is not None:
            self.undrawable.emit(font.key, failure.message)
        else:
            self.failed.emit(failure)

    def _drawing_died(self, request: Any) -> None:
        font = getattr(request, "font", None)
        if font is not None:
            self.undrawable.emit(font.key, f"{font.path.name} crashes the program that draws it; "
                                 "reject it")
        else:
            self.said.emit("A font crashed the drawing of a page of cells; look at fonts one by one")

    # ---- verdicts ------------------------------------------------------------------------------

    def catalogue_of(self, key: str) -> Catalogue:
        """The verdicts that are shown for a font: at a second look none of the first."""
        return self.seconds.catalogue if key and key == self.seconds.open else self.catalogue

    def verdict(self, key: str) -> str:
        """"accept", "reject", "some" or "", as it is shown."""
        return self.catalogue_of(key).judged(key)

    def glyph_verdicts(self, key: str) -> dict[str, str]:
        """Character -> "reject" or "accept", of those that a person or a certain check judged."""
        report, catalogue = self.reports[key], self.catalogue_of(key)
        found = {c: "reject" for c in report.rejected() if c}
        for verdict in catalogue.of(key):
            if verdict.scope == "class" and verdict.decision == "reject":
                found.update(dict.fromkeys(CLASSES[verdict.target], "reject"))
        found.update({v.target: v.decision for v in catalogue.of(key) if v.scope == "character"})
        return found

    def accept(self, keys: list[str]) -> None:
        """Accept fonts; what certain checks reject in them stays rejected, glyph by glyph."""
        lines = []
        for key in self._judgeable(keys):
            report = self.reports[key]
            by_rules = self.catalogue_of(key).judge_by_rules([report])
            lines += [line for line in by_rules if line.scope == "character"]
            lines.append(self._line(key, "font", "", "accept", ""))
        self._give(lines, fonts=keys)

    def reject(self, keys: list[str], reason: str = "") -> None:
        """Reject whole fonts; the reason is guessed from their findings if none is given."""
        self._give([self._line(key, "font", "", "reject", reason or self.reason(key))
                    for key in self._judgeable(keys)], fonts=keys)

    def flag(self, key: str, characters: list[str], reason: str = "") -> None:
        """Reject these characters of a font, or accept them if all are rejected already."""
        verdicts = self.glyph_verdicts(key)
        decision = "accept" if all(verdicts.get(c) == "reject" for c in characters) and \
            not reason else "reject"
        absent = [c for c in characters if self._is_absent(key, c)]
        if decision == "accept" and absent:
            self.said.emit(f"{' '.join(absent)}: there is no such glyph in the font to accept")
            characters = [c for c in characters if c not in absent]
        self._give([self._line(key, "character", c, decision,
                               (reason or self.reason(key, c)) if decision == "reject" else "")
                    for c in characters if self._judgeable([key])])

    def _is_absent(self, key: str, character: str) -> bool:
        distance = self.reports[key].distance
        return bool(distance) and distance[ASCII.index(character)] < 0

    def flag_class(self, key: str, name: str, reason: str = "") -> None:
        """Reject a class of characters of a font, or accept it if it is rejected already."""
        now = self.catalogue_of(key).current(key, "class", name)
        decision = "accept" if now and now.decision == "reject" else "reject"
        self._give([self._line(key, "class", name, decision, reason or "other")
                    for key in self._judgeable([key])])

    def apply_to_siblings(self, keys: list[str], characters: list[str], reason: str) -> None:
        """The same verdict for other fonts: these characters rejected, or all of it if none."""
        if characters:
            self._give([self._line(key, "character", c, "reject", reason)
                        for key in self._judgeable(keys) for c in characters])
        else:
            self.reject(keys, reason)

    def set_weight(self, family: str, weight: float) -> None:
        """The factor on how often a family is picked."""
        verdict = self._guarded(lambda: self.catalogue.verdict("", "family", family, "weight", "",
                                                               self.who, weight=weight))
        if verdict is not None:
            self._done.append([verdict.id])
            self._tell([k for k, r in self.reports.items() if r.family == family])

    def undo(self) -> list[str]:
        """Take back the last deed; the fonts it concerned."""
        ids = self._done.pop() if self._done else [""]
        keys = []
        for verdict_id in reversed(ids):
            second = any(line.id == verdict_id for line in self.seconds.catalogue.lines)
            catalogue = self.seconds.catalogue if verdict_id and second else self.catalogue
            taken = self._guarded(lambda c=catalogue, i=verdict_id: c.undo(self.who, i))
            if taken is not None:
                keys += ([taken.sha256] if taken.sha256 else
                         [k for k, r in self.reports.items() if r.family == taken.target])
        if not keys:
            self.said.emit("Nothing to undo")
        self._tell(list(dict.fromkeys(keys)))
        return [key for key in dict.fromkeys(keys) if key in self.reports]

    def reason(self, key: str, character: str = "") -> str:
        """The reason that findings suggest: of the character, else of the font's worst."""
        report = self.reports[key]
        found = report.of(character) if character else report.findings
        worst = sorted(found, key=lambda f: ("reject", "doubt", "information").index(f.severity))
        return REASON_OF.get(worst[0].check, "other") if worst else "other"

    def siblings(self, key: str, characters: list[str]) -> tuple[list[str], str]:
        """(fonts that nobody has judged with the same serious finding, which finding).

        Of the same family where there are any, else of all fonts.
        """
        report = self.reports[key]
        mine = {(f.check, f.character) for f in report.findings if f.severity != "information"
                and (not characters or f.character in characters)}
        if not mine:
            return [], ""
        alike = [k for k, r in self.reports.items() if k != key and not self.catalogue.judged(k)
                 and mine & {(f.check, f.character) for f in r.findings
                             if f.severity != "information"}]
        same = [k for k in alike if self.reports[k].family == report.family]
        check, character = min(mine, key=lambda pair: list(CHECKS).index(pair[0]))
        return same or alike, f"{check} {character}".strip()

    def _line(self, key: str, scope: str, target: str, decision: str, reason: str) -> Verdict:
        from core.fonts.catalogue import RULES, _now
        return Verdict(key, scope, target, decision, reason, self.who, _now(), RULES,
                       self.reports[key].path.name)

    def _judgeable(self, keys: list[str]) -> list[str]:
        """Those that have a SHA-256; a file that could not be read at all has none."""
        return [key for key in keys if key in self.reports and not key.startswith("unread:")]

    def _give(self, lines: list[Verdict], fonts: list[str] = ()) -> None:
        """Append the lines, each to the catalogue that its font is shown by."""
        if not lines:
            return
        second = [line for line in lines if self.seconds.open and line.sha256 == self.seconds.open]
        first = [line for line in lines if line not in second]
        if second:
            self._guarded(lambda: self.seconds.catalogue.append(second))
        if first:
            self._guarded(lambda: self.catalogue.append(first))
        self._done.append([line.id for line in lines])
        for key in fonts:
            self.pace.count()
            if key != self.seconds.open:
                self.seconds.judged(key)
        self._tell(list(dict.fromkeys(line.sha256 for line in lines)))

    def _guarded(self, deed: Any) -> Any:
        try:
            return deed()
        except OcrError as error:
            self.failed.emit(messages.Failed(messages.NO_JOB, "", str(error), "",
                                             type(error).__name__, error.exit_code))
            return None

    def _tell(self, keys: list[str]) -> None:
        self._stock_changed(keys)
        self.judged.emit([key for key in keys if key in self.reports])

    # ---- what a verdict costs ------------------------------------------------------------------

    @property
    def stock(self) -> stock.Stock:
        """The fonts with their weights and what may be drawn of each."""
        if self._stock is None:
            self._stock = stock.stock(self.reports.values(), self.catalogue)
        return self._stock

    def _stock_changed(self, keys: list[str]) -> None:
        if self._stock is None:
            return
        now = self._stock
        allowed, weight, rows = now.allowed.copy(), now.weight, now.row
        for key in keys:
            if key in rows and key in self.reports:
                allowed[rows[key]] = stock.allowed_row(self.reports[key], self.catalogue)
        self._stock = stock.Stock(now.key, now.kind, weight, allowed)
        if len(keys) and any(v.scope == "family" for v in self.catalogue.lines[-1:]):
            self._stock = None  # a weight: counted anew when next asked for

    def cost_of_rejecting(self, key: str, characters: list[str]) -> str:
        """What rejecting the font, or some characters of it, would take from training."""
        row = self.stock.row.get(key)
        if row is None:
            return ""
        good = self.stock.allowed[row].copy()
        if characters:
            good[[ASCII.index(c) for c in characters]] = False
        else:
            good[:] = False
        return stock.cost(self.stock, {key: good})

    def draws(self, key: str) -> str:
        """How often training draws with a font, in words."""
        report, share = self.reports[key], self.stock.share(key)
        weight = self.catalogue.weight(report.family)
        factor = f", family weight × {weight:g}" if weight != 1 else ""
        if not stock.is_shipped(report):
            return (f"not in the shipped set, so never drawn now{factor}\n"
                    f"among the {len(self.stock.key):,} fonts opened here it would have "
                    f"{share:.2%} of the words")
        n = f"; about {share * self.trained_on:,.0f} of the {self.trained_on:,} samples that the " \
            "present weights have seen" if self.trained_on else ""
        return f"{share:.2%} of synthetic words (weights of families.tsv and verdicts){factor}{n}"

    # ---- going on ------------------------------------------------------------------------------

    def left(self) -> int:
        """Fonts that nobody has judged as a whole."""
        return sum(self.catalogue.judged(k) not in ("accept", "reject") for k in self.reports)

    def leave(self, key: str) -> None:
        """Another font is shown: a second look at this one is over."""
        if self.seconds.open and self.seconds.open == key:
            self.seconds.open = ""

    def remember(self, key: str) -> None:
        """Keep which font is shown, for the next start."""
        self.place = replace(self.place, at=key)

    def agreement(self) -> str:
        """"You agreed with yourself on 19 of 20 fonts" or "", with those that differ by name."""
        n, differ = self.seconds.agreement(self.catalogue)
        if not n:
            return ""
        names = ", ".join(self.reports[k].path.name for k in differ if k in self.reports)
        return (f"{n - len(differ)} of {n} fonts that were shown twice were judged the same both times"
                + (f"; look again at {names}" if names else ""))

    def keep_place(self) -> None:
        """Keep which folders are open and which font is shown."""
        if self.reports:
            self.place.save(self.folder)

    def close(self) -> None:
        """Keep the place, end the processes."""
        self._changed.stop()
        self.keep_place()
        for desk in (self.drawing, self.checking, self.reading):
            desk.close()


def crashed(path: Path) -> FontReport:
    """The report of a file that ends every process that opens it."""
    finding = Finding("unparseable", "", "reject", 0, 1,
                      f"{path.name} crashes the program that reads it; remove it")
    try:
        key = sha256_of(path)
    except Unreadable:
        key = ""
    return FontReport(str(path), key, family=path.stem, findings=(finding,))


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "curator"
