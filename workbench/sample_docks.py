"""The sample workspace: makes its views and its session, puts them side by side and connects them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDockWidget,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QSpinBox,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.fonts.catalogue import own_verdicts
from core.synth import transforms
from core.synth.sample_files import Shelf
from core.synth.survey import Query
from views.film_strip import FilmStrip, frames_of
from views.recipe_tree import RecipeTree
from views.sample_compare import CharacterBars, Distributions, NearestCrops, RealSource
from views.samples import Cell, ContactSheet
from views.settings_tree import SettingsTree
from workbench import sample_messages as told
from workbench.messages import Failed
from workbench.sample_session import MOST, MOST_FACTS, MOST_NUMBER, SampleSession

# Where the word list of real crops is looked for at first, from the program's folder: a directory
# of documents beside it. Any other may be chosen.
REAL_WORDS = Path(__file__).resolve().parents[2] / "shared" / "data" / "words" / "train.tsv"
REFRESH = 300  # ms in which facts that arrive together are shown as one
ANY = "any transform"
EXPORTED = 1000  # samples exported where none or one is selected, at most
SIDES, BOTTOM = [390, 300], 370  # px of the docks at first
LEAST_SIDE = 250  # px; Qt narrows docks at will when another tab is raised
Area = Qt.DockWidgetArea
# Key -> what it is called and what it does, for menu, palette and keys list
KEYS = (("R", "Resample", "Other samples: of the next seed, or the next ones of a locked seed"),
        ("L", "Lock the seed", "Resample then goes on within this seed"),
        ("E", "Export samples …", "Write the selected samples, or those on the sheet, with recipes"),
        ("N", "Negatives only", "Show only windows without text, or all of them again"),
        ("/", "Search the texts", "Show only samples whose text contains …"))
COPY = ("Copy the address", "Settings' hash, seed and number, to be pasted below a film strip")


def user_shelf() -> Shelf:
    """Where settings that were used are kept, by hash, in the user's data folder."""
    return Shelf(Path(platformdirs.user_data_dir("ocr-workbench", appauthor=False))
                 / "sample-settings")


class SheetBar(QWidget):
    """The controls above the sheet."""

    def __init__(self, session: SampleSession) -> None:
        super().__init__()
        self.seed = QSpinBox(minimum=0, maximum=MOST_NUMBER, value=session.seed)
        self.count = QSpinBox(minimum=1, maximum=MOST, value=session.count)
        self.start = QSpinBox(minimum=0, maximum=MOST_NUMBER)
        self.count.setGroupSeparatorShown(True)
        self.start.setGroupSeparatorShown(True)
        for box, name in ((self.seed, "Seed"), (self.count, "Samples on the sheet"),
                          (self.start, "First sample")):
            box.setAccessibleName(name)
            box.setKeyboardTracking(False)
        self.lock = QToolButton(text="Lock", checkable=True)
        self.lock.setToolTip("Keep the seed: Resample goes on with its next samples (L)")
        self.lock.setAccessibleName("Lock the seed")
        self.resample = QPushButton("Resample")
        self.resample.setToolTip("Other samples: of the next seed (R)")
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText("Text contains  (/)")
        self.search.setAccessibleName("Search the texts")
        self.font = QLineEdit(clearButtonEnabled=True)
        self.font.setPlaceholderText("Font contains")
        self.font.setAccessibleName("Filter by font")
        self.transform = QComboBox()
        self.transform.setAccessibleName("Filter by transform")
        self.transform.addItem(ANY, "")
        for name in transforms.NAMES:
            self.transform.addItem(name.replace("_", " "), name)
        self.negatives = QCheckBox("Negatives only")
        self.negatives.setToolTip("Only windows without text (N)")
        self.read = QCheckBox("Read")
        self.read.setToolTip("Have the net read every sample: its text, confidence and loss")
        self.hardest = QCheckBox("Hardest first")
        self.hardest.setToolTip("Order by the net's loss; every sample of the sheet is read")
        self.export = QPushButton("Export …")
        self.export.setToolTip("Write samples as PNG with texts and recipes (E)")
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Stop writing or cutting")
        self.progress = QLabel()
        for widget in (self.stop, self.progress):
            widget.hide()
        self.found = QLabel()
        above, below = QHBoxLayout(), QHBoxLayout()
        for label, widget in (("Seed", self.seed), ("", self.lock), ("from", self.start),
                              ("show", self.count), ("", self.resample)):
            if label:
                above.addWidget(QLabel(label))
            above.addWidget(widget)
        above.addStretch(1)
        for widget in (self.progress, self.stop, self.read, self.hardest, self.export):
            above.addWidget(widget)
        for widget, stretch in ((self.search, 3), (self.font, 2), (self.transform, 1),
                                (self.negatives, 0), (self.found, 1)):
            below.addWidget(widget, stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 2)
        layout.addLayout(above)
        layout.addLayout(below)

    def query(self) -> Query:
        """What the controls ask for."""
        # composed as our alphabet is: some keyboards give é as e and an accent
        text = unicodedata.normalize("NFC", self.search.text().strip())
        return Query(text, self.font.text().strip(),
                     self.transform.currentData() or "", self.negatives.isChecked())


class SampleDocks(QObject):
    """Owns the session; `view` is what the window shows. `said`: a sentence for the status bar."""

    said = Signal(str)

    def __init__(self, session: SampleSession | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session or SampleSession(user_shelf())
        self.session.setParent(self)
        self.view = QMainWindow()
        self.view.setWindowFlags(Qt.WindowType.Widget)
        self.view.setAccessibleName("Synthetic samples")
        self.bar = SheetBar(self.session)
        self.sheet = ContactSheet(self._cell)
        self.sheet.setToolTip("Click a sample to see how it came to be.  Keys: "
                              + ",  ".join(f"{key} {what.lower()}" for key, what, _ in KEYS)
                              + ",  Ctrl+C copy its address")
        self.settings, self.recipes = SettingsTree(), RecipeTree()
        self.strip = FilmStrip()
        self.source = RealSource(REAL_WORDS if REAL_WORDS.exists() else None)
        self.distributions, self.nearest = Distributions(), NearestCrops()
        self.characters = CharacterBars()
        self.docks = self._make_docks()
        self._refresh = QTimer(self, singleShot=True, interval=REFRESH)
        self._refresh.timeout.connect(self._show_facts)
        self._query = QTimer(self, singleShot=True, interval=REFRESH)
        self._query.timeout.connect(lambda: self.session.set_query(self.bar.query()))
        self._facts_shown: tuple = ()  # what the recipe tree shows
        self._verdicts: tuple[int, int] | None = None  # as they were when the view was last shown
        self.view.installEventFilter(self)
        self._connect_session()
        self._connect_views()
        self._make_keys()
        self.settings.show_settings(self.session.settings)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whenever the view is shown again it draws with the fonts as they are judged by then."""
        if event.type() == QEvent.Type.Show and watched is self.view:
            before, self._verdicts = self._verdicts, _verdicts_state()
            if before is not None and before != self._verdicts:
                self.session.reload_fonts()
                self.said.emit("The verdicts on fonts have changed; the samples are drawn anew")
        return super().eventFilter(watched, event)

    def open(self) -> None:
        """Start drawing, at the first look."""
        self.session.open()
        self.source.ask_categories()
        QTimer.singleShot(0, self, self.arrange)

    def close(self) -> None:
        """End the worker."""
        self.session.close()

    # ---- places --------------------------------------------------------------------------------

    def _make_docks(self) -> dict[str, QDockWidget]:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.problem = QLabel(wordWrap=True)
        self.problem.setAccessibleName("Problem")
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.setMargin(6)
        self.problem.hide()
        for widget in (self.bar, self.problem, self.sheet):
            column.addWidget(widget)
        column.setStretch(2, 1)
        self.view.setCentralWidget(centre)
        real = QWidget()
        beside = QVBoxLayout(real)
        beside.setContentsMargins(4, 4, 4, 2)
        beside.addWidget(self.source)
        beside.addWidget(self.nearest, 1)
        places = (("odds", "Odds", self.settings, Area.LeftDockWidgetArea),
                  ("recipes", "Recipes", self.recipes, Area.LeftDockWidgetArea),
                  ("nearest", "Nearest real crops", real, Area.RightDockWidgetArea),
                  ("strip", "Film strip", self.strip, Area.BottomDockWidgetArea),
                  ("distributions", "Real and synthetic", self.distributions,
                   Area.BottomDockWidgetArea),
                  ("characters", "Characters", self.characters, Area.BottomDockWidgetArea))
        docks, first = {}, {}  # first: of each area, the dock that the others become tabs with
        for name, title, widget, area in places:
            if area != Area.BottomDockWidgetArea:
                widget.setMinimumWidth(max(LEAST_SIDE, widget.minimumWidth()))
            dock = QDockWidget(title, self.view)
            dock.setObjectName(f"dock-samples-{name}")
            dock.setWidget(widget)
            if area in first:
                self.view.tabifyDockWidget(first[area], dock)
            else:
                self.view.addDockWidget(area, dock)
                first[area] = dock
            docks[name] = dock
        self.view.setCorner(Qt.Corner.BottomLeftCorner, Area.LeftDockWidgetArea)
        self.view.setCorner(Qt.Corner.BottomRightCorner, Area.BottomDockWidgetArea)
        docks["recipes"].raise_()
        docks["strip"].raise_()
        # Before it is shown, Qt 6.11 makes a tab bar too many, a line across the sheet later; those
        # that are in use it shows again.
        for bar in self.view.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.hide()
        return docks

    def arrange(self) -> None:
        """Sizes of a first start; Qt takes them once the view is laid out."""
        self.view.resizeDocks([self.docks["recipes"], self.docks["nearest"]], SIDES,
                              Qt.Orientation.Horizontal)
        self.view.resizeDocks([self.docks["strip"]], [BOTTOM], Qt.Orientation.Vertical)

    # ---- connections ---------------------------------------------------------------------------

    def _connect_session(self) -> None:
        session = self.session
        session.changed.connect(self._changed)
        session.order_changed.connect(self._show_order)
        session.made.connect(self.sheet.refresh)
        session.surveyed.connect(lambda: self._refresh.isActive() or self._refresh.start())
        session.picked.connect(self._picked)
        session.strip_made.connect(self._show_strip)
        session.counted.connect(lambda m: self.characters.show_counts(m.counts, m.n))
        session.real_listed.connect(lambda m: self.source.show_categories(m.categories))
        session.nearest_found.connect(lambda m: self.nearest.show_crops(m.crops, m.distances))
        session.measured.connect(self._show_measures)
        session.reading_changed.connect(self._reading_changed)
        session.failed.connect(self.tell_failure)
        session.said.connect(self.said)
        session.progress.connect(self._show_progress)

    def _connect_views(self) -> None:
        session, bar = self.session, self.bar
        self.sheet.wanted.connect(session.want)
        self.sheet.picked.connect(session.pick)
        self.settings.changed.connect(self._setting_edited)
        self.settings.failed.connect(self.tell_problem)
        self.strip.without_changed.connect(session.set_without)
        self.strip.followed.connect(self.follow)
        self.recipes.transform_wanted.connect(self._filter_transform)
        self.recipes.font_wanted.connect(bar.font.setText)
        self.source.listed.connect(session.list_real)
        self.source.chosen.connect(self._compare)
        self.nearest.by_changed.connect(session.set_by)
        bar.seed.valueChanged.connect(session.set_seed)
        bar.start.valueChanged.connect(lambda n: session.set_range(n, session.count))
        bar.count.valueChanged.connect(lambda n: session.set_range(session.start, n))
        bar.lock.toggled.connect(session.set_locked)
        bar.resample.clicked.connect(session.resample)
        bar.read.toggled.connect(session.set_reading)
        bar.hardest.toggled.connect(session.set_hardest_first)
        bar.export.clicked.connect(self.ask_export)
        bar.stop.clicked.connect(session.stop)
        for line in (bar.search, bar.font):
            line.textChanged.connect(lambda _: self._query.start())
            line.returnPressed.connect(self.sheet.setFocus)
        bar.transform.currentIndexChanged.connect(lambda _: self._query.start())
        bar.negatives.toggled.connect(lambda _: self._query.start())
        self.docks["characters"].visibilityChanged.connect(
            lambda shown: shown and session.count_characters())

    def _make_keys(self) -> None:
        deeds: dict[str, Callable[[], Any]] = {
            "R": self.session.resample, "L": self.bar.lock.toggle, "E": self.ask_export,
            "N": self.bar.negatives.toggle, "/": self._search}
        for key, what, tip in KEYS:
            action = self._action(what, QKeySequence(key), tip, deeds[key])
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        copy = self._action(COPY[0], QKeySequence(QKeySequence.StandardKey.Copy), COPY[1],
                            self._copy_address)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.sheet.addAction(copy)

    def _action(self, text: str, keys: QKeySequence, tip: str, deed: Callable[[], Any]) -> QAction:
        """An action of the view, listed in its menu, the palette and the keys list."""
        action = QAction(text, self.view)
        action.setShortcut(keys)
        action.setStatusTip(tip)
        action.triggered.connect(lambda _=False: deed())
        self.view.addAction(action)
        return action

    # ---- showing -------------------------------------------------------------------------------

    def _cell(self, i: int) -> Cell | None:
        """Sample i as the sheet shows it."""
        sample, read = self.session.sample(i), self.session.reading(i)
        if sample is None:
            return None
        about = ", ".join(filter(None, (sample.recipe.kind, sample.recipe.font)))
        if read is None:
            return Cell(sample.image, sample.text, about)
        return Cell(sample.image, sample.text, about, *read)

    def _changed(self) -> None:
        session, bar = self.session, self.bar
        self.problem.hide()
        for box, value in ((bar.seed, session.seed), (bar.start, session.start),
                           (bar.count, session.count)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self.settings.show_settings(session.settings)
        self._show_query()
        self._show_measures()

    def _show_query(self) -> None:
        """The controls as the session has it, where it was not they that changed it."""
        query, bar = self.session.query, self.bar
        if query != bar.query() and not self._query.isActive():
            bar.search.setText(query.text)
            bar.font.setText(query.font)
            bar.transform.setCurrentIndex(max(0, bar.transform.findData(query.transform)))
            bar.negatives.setChecked(query.negatives)
            self._query.stop()
        bar.hardest.setChecked(self.session.is_hardest_first)

    def _show_order(self) -> None:
        session = self.session
        numbers = session.numbers
        self.sheet.show_numbers(numbers, session.seed, session.selected)
        self._show_found(len(numbers))

    def _show_found(self, n: int) -> None:
        session = self.session
        if session.query.is_empty and not session.is_hardest_first:
            self.bar.found.setText(f"{n:,} samples")
            return
        more = " …" if session.looked < session.count else ""
        looked = f"{session.looked:,} of {session.count:,}" if more else f"{session.count:,}"
        self.bar.found.setText(f"{looked} read{more}" if session.query.is_empty
                               else f"{n:,} found in {looked}{more}")

    def _show_facts(self) -> None:
        session = self.session
        shown = (session.settings, session.seed, session.start, session.count, session.selected,
                 min(session.looked, MOST_FACTS))
        if shown != self._facts_shown:
            self._facts_shown = shown
            self.recipes.show_facts(session.facts, session.selected, session.count)
        if not (session.query.is_empty and not session.is_hardest_first):
            self._show_found(len(session.numbers))

    def _picked(self, i: int | None) -> None:
        self.sheet.mark(i)
        self._refresh.start()
        if i is None:
            self.strip.show_nothing()
            self.nearest.show_nothing()

    def _show_strip(self, made: told.StripMade) -> None:
        frames = frames_of(made.stills, made.all, made.without, made.readings)
        self.strip.show_strip(frames, made.text, str(self.session.address()), made.without)

    def _show_measures(self) -> None:
        self.distributions.show_measures(self.session.real, self.session.drawn)

    def _reading_changed(self, on: bool) -> None:
        self.bar.read.setChecked(on)
        if not on:
            self.bar.hardest.setChecked(False)

    # ---- deeds ---------------------------------------------------------------------------------

    def _setting_edited(self, path: str, value: Any) -> None:
        self.session.set_settings(replace(self.session.settings, **{path: value}))

    def _filter_transform(self, name: str) -> None:
        at = self.bar.transform.findData(name)
        if at < 0:  # layout, levels: every sample has them, or legible, which few have
            self.bar.transform.addItem(name, name)
            at = self.bar.transform.count() - 1
        self.bar.transform.setCurrentIndex(at)

    def _compare(self, tsv: Path, root: Path, category: str) -> None:
        self.session.compare()
        self.session.cut_real(tsv, root, category)
        self.docks["distributions"].raise_()

    def _search(self) -> None:
        self.bar.search.setFocus()
        self.bar.search.selectAll()

    def _copy_address(self) -> None:
        self.strip.copy_address()
        if self.strip.address:
            self.said.emit(f"Copied {self.strip.address}")

    def follow(self, text: str) -> None:
        """Show the sample at an address."""
        self.problem.hide()
        self.session.follow(text)

    def ask_export(self) -> None:
        """Ask for a folder and write the selected samples, or those the sheet shows."""
        numbers = self.exported()
        if not numbers:
            self.said.emit("There is no sample to export: nothing on the sheet fulfils the filter")
            return
        folder = QFileDialog.getExistingDirectory(self.view, f"Folder for {len(numbers):,} samples")
        if folder:
            self.session.write(Path(folder), numbers)

    def exported(self) -> list[int]:
        """Numbers of what an export writes: several selected samples, else the first of the sheet."""
        chosen = self.sheet.chosen()
        return chosen if len(chosen) > 1 else [int(i) for i in self.session.numbers[:EXPORTED]]

    # ---- what is said --------------------------------------------------------------------------

    def _show_progress(self, sentence: str) -> None:
        self.bar.progress.setText(sentence)
        for widget in (self.bar.progress, self.bar.stop):
            widget.setVisible(bool(sentence))

    def tell_problem(self, sentence: str) -> None:
        """What went wrong, above the sheet."""
        self.problem.setText(f"⚠ {sentence}")
        self.problem.show()

    def tell_failure(self, failed: Failed) -> None:
        """An error from the session or its worker."""
        self._show_progress("")
        self.tell_problem(failed.message)


def _verdicts_state() -> tuple[int, int]:
    """Changes whenever the user has judged a font: size and time of the file of verdicts."""
    try:
        stat = own_verdicts().stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def workspace(parent: QWidget) -> tuple[QWidget, SampleDocks]:
    """The view and its owner, at work."""
    docks = SampleDocks(parent=parent)
    docks.open()
    return docks.view, docks
