"""The notebook workspace: reads the notebook's folder and finds the words behind a figure."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSettings, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QWidget

from core.errors import Missing, OcrError
from core.notebook import FOLDER, entries, entry_of, results_path
from core.notebook_command import results_for
from core.notebook_results import WordResult, fixed_and_broken
from views.notebook import NotebookView
from views.notebook_words import OVERALL, Ask, Pair

# Where the pages behind the words are looked for at first, from the program's folder: a directory
# of documents beside it. Any other may be chosen.
DOCUMENTS = Path(__file__).resolve().parents[2] / "shared" / "data"
KEPT = 4  # entries whose words stay in memory
STORED = "notebook/documents"  # the chosen documents folder in the store


class NotebookDocks(QObject):
    """Owns nothing but what it has read; `view` is what the window shows.

    folder  of the notebook; store: where the chosen documents folder is remembered
    """

    said = Signal(str)  # a sentence for the status bar

    def __init__(self, folder: Path = FOLDER, store: QSettings | None = None,
                 parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = Path(folder)
        self.store = store or QSettings("ocr-workbench", "ocr-workbench")
        self.view = NotebookView()
        self._state: tuple = ()  # of the folder when it was last read
        self._words: OrderedDict[tuple, list[WordResult]] = OrderedDict()
        self._pairs: tuple = ()  # what was compared last, and what came of it
        self.view.asked.connect(self.show_words)
        self.view.page.said.connect(self.said)
        self.view.comparison.pair_chosen.connect(self._count_pairs)
        self.view.words.documents_wanted.connect(self.ask_documents)
        self.view.words.set_documents(self._stored_documents())
        self.view.installEventFilter(self)
        self._make_actions()

    def _make_actions(self) -> None:
        """For menu and palette."""
        for text, deed in (("Read the notebook again", lambda: self.read(again=True)),
                           ("Choose the documents folder of the notebook's words …",
                            self.ask_documents),
                           ("Show all words of the entry", self._show_all)):
            action = QAction(text, self.view)
            action.triggered.connect(lambda _=False, deed=deed: deed())
            self.view.addAction(action)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whenever the view is shown it shows the notebook as it is by then."""
        if event.type() == QEvent.Type.Show and watched is self.view:
            self.read()
        return super().eventFilter(watched, event)

    def close(self) -> None:
        """Nothing runs and all that is to be kept has been written."""

    # ---- the notebook --------------------------------------------------------------------------

    def read(self, again: bool = False) -> None:
        """Read the folder where it has changed since it was last read, or anyhow."""
        state = folder_state(self.folder)
        if state == self._state and not again:
            return
        self._state = state
        try:
            found = entries(self.folder)
        except OcrError as error:
            self.view.tell_problem(str(error))
            return
        self._pairs = ()
        self.view.show_notebook(found, self.folder)
        if not found:
            self.view.tell_problem(f"{self.folder} holds no entries; a training run or "
                                   "measurement writes one")

    def words_of(self, number: int) -> list[WordResult]:
        """The words behind an entry. Raises OcrError where they were not kept or are damaged."""
        entry = entry_of(number, self.folder)
        path = results_path(entry, self.folder)
        key = (number, path, path.stat().st_mtime_ns if path else 0)
        if key not in self._words:
            self._words[key] = results_for(entry, self.folder)
            while len(self._words) > KEPT:
                self._words.popitem(last=False)
        self._words.move_to_end(key)
        return self._words[key]

    # ---- words ---------------------------------------------------------------------------------

    def show_words(self, ask: Ask) -> None:
        """Show the words behind a figure, or say why there are none."""
        panel = self.view.words
        try:
            if ask.before:
                fixed, broken, _ = self._compared(ask.before, ask.number)
                chosen = [[p for p in pairs if ask.holds(p[1])] for pairs in (fixed, broken)]
                panel.show_pairs(ask.title, *chosen, ask.which)
            else:
                panel.show_words(ask.title, self._asked_for(ask))
        except OcrError as error:
            panel.show_problem(str(error))
        self.view.open_words()

    def _asked_for(self, ask: Ask) -> list[WordResult]:
        words = self.words_of(ask.number)
        if ask.category != OVERALL and not any(w.category == ask.category for w in words):
            raise Missing(f"entry {ask.number} keeps no words of {ask.category}; those it keeps "
                          f"are of {', '.join(sorted({w.category for w in words}))}")
        return [w for w in words if ask.holds(w)]

    def _compared(self, before: int, after: int) -> tuple[list[Pair], list[Pair], int]:
        if self._pairs[:2] != (before, after):
            self._pairs = (before, after,
                           fixed_and_broken(self.words_of(before), self.words_of(after)))
        return self._pairs[2]

    def _count_pairs(self, before: int, after: int) -> None:
        try:
            self.view.comparison.show_pairs(*self._compared(before, after))
        except OcrError as error:
            self.view.comparison.show_problem(str(error))

    def _show_all(self) -> None:
        if self.view.list.current is not None:
            self.show_words(Ask(self.view.list.current.number))

    # ---- pages ---------------------------------------------------------------------------------

    def _stored_documents(self) -> Path | None:
        stored = self.store.value(STORED)
        for folder in (Path(str(stored)) if stored else None, DOCUMENTS):
            if folder is not None and folder.is_dir():
                return folder
        return None

    def ask_documents(self) -> None:
        """Ask where the pages lie on this machine."""
        start = str(self.view.words.documents or "")
        folder = QFileDialog.getExistingDirectory(self.view, "Documents folder of the words", start)
        if folder:
            self.set_documents(Path(folder))

    def set_documents(self, folder: Path) -> None:
        """Look for pages there from now on."""
        self.store.setValue(STORED, str(folder))
        self.view.words.set_documents(folder)


def folder_state(folder: Path) -> tuple:
    """Changes whenever a file of the folder is written, added or taken away."""
    try:
        return tuple(sorted((p.name, p.stat().st_size, p.stat().st_mtime_ns)
                            for p in Path(folder).iterdir()))
    except OSError:
        return (str(folder),)


def workspace(parent: QWidget) -> tuple[QWidget, NotebookDocks]:
    """The view and its owner."""
    docks = NotebookDocks(parent=parent)
    return docks.view, docks
