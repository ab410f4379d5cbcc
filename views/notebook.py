"""The lab notebook: its entries, each as a page, their curves side by side, two of them compared.

Every figure opens the words behind it. Whoever owns the view answers `asked` by `words.show_words`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, QUrl, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QDesktopServices,
    QImage,
    QPainter,
    QPalette,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSplitter,
    QTabWidget,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.notebook import RESULTS, Entry, attachments, cell, markdown
from views.notebook_compare import CompareView
from views.notebook_curves import (
    ON_DARK,
    ON_LIGHT,
    CurvesView,
    ReliabilityView,
    TrendView,
    bin_of,
)
from views.notebook_words import OVERALL, Ask, AskTable, WordsPanel
from views.samples import faded, is_dark

COLUMNS = ("no.", "day", "title", "samples", "exact", "F1")
TITLE = 2  # the column that takes the room that is left
TEXTS = (".log.gz", ".json", ".md", ".txt", ".tsv", ".svg")  # shown as text in the page's place
MOST_TEXT = 1_000_000  # characters of a file shown; the log of a long run is longer


def f1_of(entry: Entry) -> float | None:
    """Harmonic mean of precision and recall over all words; None where they were not measured."""
    overall = entry.table.get(OVERALL, {})
    if overall.get("f1") is not None:
        return overall["f1"]
    precision, recall = overall.get("precision"), overall.get("recall")
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


class EntryList(QWidget):
    """The entries, newest first. `chosen()`: others are selected; `asked(Ask)`."""

    chosen, asked = Signal(), Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []
        self.filter = QLineEdit(clearButtonEnabled=True)
        self.filter.setPlaceholderText("Filter entries")
        self.filter.setAccessibleName("Filter the entries")
        self.filter.setToolTip("Words of the title, goal, sources, settings or what was learnt")
        self.filter.textChanged.connect(lambda _: self._filter())
        self.table = AskTable("Entries of the notebook, newest first", COLUMNS)
        self.table.setToolTip("Ctrl+click or Shift+click selects several: their curves are shown "
                              "in one plot, two are compared")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.horizontalHeader().setSectionResizeMode(
            TITLE, QHeaderView.ResizeMode.Stretch)
        self.table.asked.connect(self.asked)
        self.table.itemSelectionChanged.connect(self.chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 2, 4)
        layout.addWidget(self.filter)
        layout.addWidget(self.table, 1)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """List these; those that were selected stay so, at first the newest is."""
        before = {e.number for e in self.selected}
        current = self.current.number if self.current else None
        self.entries = list(entries)
        self.table.blockSignals(True)
        self.table.clearSelection()
        self.table.setRowCount(len(self.entries))
        for row, entry in enumerate(self.entries):
            self._put(row, entry)
        rows = [r for r, e in enumerate(self.entries) if e.number in before] or [0]
        at = next((r for r, e in enumerate(self.entries) if e.number == current), rows[0])
        if self.entries:
            self.table.setCurrentCell(at, TITLE)
            for row in rows:
                self._select(row)
        self.table.blockSignals(False)
        for column in range(len(COLUMNS)):
            if column != TITLE:
                self.table.resizeColumnToContents(column)
        self._filter()
        self.chosen.emit()

    def _select(self, row: int) -> None:
        model, selection = self.table.model(), self.table.selectionModel()
        flag = selection.SelectionFlag
        selection.select(model.index(row, 0), flag.Select | flag.Rows)

    def _put(self, row: int, entry: Entry) -> None:
        overall = entry.table.get(OVERALL, {})
        self.table.put(row, 0, f"{entry.number}", tip=entry.goal, is_number=True)
        self.table.put(row, 1, entry.day, tip=f"commit {entry.sha}")
        self.table.put(row, TITLE, entry.title, tip=f"{entry.title}\n{entry.goal}")
        self.table.put(row, 3, f"{entry.samples:,}" if entry.samples else "",
                       tip=f"{entry.samples:,} samples seen in training", is_number=True)
        for column, name, value in ((4, "exact", overall.get("exact")), (5, "F1", f1_of(entry))):
            text = "" if value is None else cell(name, value)
            self.table.put(row, column, text, Ask(entry.number) if text else None, name,
                           is_number=True)

    @property
    def selected(self) -> list[Entry]:
        """The selected entries, newest first."""
        rows = {index.row() for index in self.table.selectedIndexes()}
        return [self.entries[r] for r in sorted(rows) if r < len(self.entries)]

    @property
    def current(self) -> Entry | None:
        """The entry that was picked last."""
        row = self.table.currentRow()
        return self.entries[row] if 0 <= row < len(self.entries) else None

    def select(self, *numbers: int) -> None:
        """Select these entries, the first as the current one."""
        rows = [r for n in numbers for r, e in enumerate(self.entries) if e.number == n]
        self.table.blockSignals(True)
        self.table.clearSelection()
        if rows:
            self.table.setCurrentCell(rows[0], TITLE)
        for row in rows:
            self._select(row)
        self.table.blockSignals(False)
        self.chosen.emit()

    def _filter(self) -> None:
        words = self.filter.text().lower().split()
        for row, entry in enumerate(self.entries):
            text = " ".join((str(entry.number), entry.title, entry.goal, entry.sources, entry.day,
                             entry.learnt, entry.sha, json.dumps(entry.settings))).lower()
            self.table.setRowHidden(row, not all(word in text for word in words))


# ---- an entry as a page --------------------------------------------------------------------------

class EntryPage(QWidget):
    """An entry's Markdown. Figures of its tables and links to files beside it can be followed.

    asked(Ask): the words of a figure; said(str): what could not be opened
    """

    asked, said = Signal(object), Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = Path()
        self._entry: Entry | None = None
        self._asks: dict[str, Ask] = {}
        self._written = ""  # the Markdown shown
        self.browser = _Browser(self)
        self.browser.setAccessibleName("The entry")
        self.browser.setOpenLinks(False)
        self.browser.anchorClicked.connect(self.follow)
        self.back = QToolButton(text="◀ Back to the entry")
        self.back.setAccessibleName("Back to the entry")
        self.back.clicked.connect(lambda: self._show())
        self.name = QLabel()
        self.name.setTextFormat(Qt.TextFormat.PlainText)
        self._head = QWidget()
        head = QHBoxLayout(self._head)
        head.setContentsMargins(4, 2, 4, 2)
        head.addWidget(self.back)
        head.addWidget(self.name, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._head)
        layout.addWidget(self.browser, 1)

    def show_entry(self, entry: Entry | None, folder: Path) -> None:
        """Show an entry of a notebook folder; the same one, unchanged, stays where it was."""
        text = "" if entry is None else text_of(entry, folder)
        if entry == self._entry and folder == self.folder and text == self._written:
            return
        self._entry, self.folder, self._written = entry, folder, text
        self._show()

    def _show(self) -> None:
        self._head.hide()
        self._asks = {}
        self.browser.folder = self.folder
        document = self.browser.document()
        document.setDocumentMargin(12)
        if self._entry is None:
            self.browser.setPlainText("The notebook has no entries.")
            return
        # Qt leaves out a picture that has no text to be read in its place
        self.browser.setMarkdown(self._written.replace("![](", "![graph]("))
        self._colour_links()
        self._lay_out_tables()
        self.browser.moveCursor(QTextCursor.MoveOperation.Start)

    def _colour_links(self) -> None:
        """Links as they can be read on this ground: Markdown gives them the blue of light ones."""
        style = QTextCharFormat()
        style.setForeground(QBrush(QColor(ON_DARK[0] if is_dark(self.palette()) else ON_LIGHT[0])))
        style.setFontUnderline(True)
        block = self.browser.document().begin()
        spans = []
        while block.isValid():
            pieces = block.begin()
            while not pieces.atEnd():
                piece = pieces.fragment()
                if piece.charFormat().isAnchor():
                    spans.append((piece.position(), piece.position() + piece.length()))
                pieces += 1
            block = block.next()
        cursor = QTextCursor(self.browser.document())
        for start, stop in spans:
            cursor.setPosition(start)
            cursor.setPosition(stop, QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(style)

    def _lay_out_tables(self) -> None:
        for frame in self.browser.document().rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                self._lay_out(frame)
                self._link_figures(frame)

    def _lay_out(self, table: QTextTable) -> None:
        """Thin lines, room in the cells, numbers to the right."""
        style = table.format()
        style.setBorder(1)
        style.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        style.setBorderBrush(QBrush(self.palette().color(QPalette.ColorRole.Mid)))
        style.setBorderCollapse(True)
        style.setCellPadding(4)
        style.setCellSpacing(0)
        style.setTopMargin(8)
        style.setBottomMargin(8)
        style.setWidth(QTextLength())
        table.setFormat(style)
        for row in range(table.rows()):
            for column in range(1, table.columns()):
                cursor = table.cellAt(row, column).firstCursorPosition()
                block = cursor.blockFormat()
                block.setAlignment(Qt.AlignmentFlag.AlignRight)
                cursor.setBlockFormat(block)

    def _link_figures(self, table: QTextTable) -> None:
        """Figures by category, by confidence and by least confidence become links to words."""
        kind = _text_at(table, 0, 0)
        for row in range(1, table.rows()):
            ask = self._ask_of(kind, _text_at(table, row, 0))
            if ask is None:
                continue
            for column in range(1, table.columns()):
                if _text_at(table, row, column):
                    href = f"words:{len(self._asks)}"
                    self._asks[href] = ask
                    self._make_link(table, row, column, href, ask)

    def _make_link(self, table: QTextTable, row: int, column: int, href: str, ask: Ask) -> None:
        place = table.cellAt(row, column)
        cursor = place.firstCursorPosition()
        cursor.setPosition(place.lastPosition(), QTextCursor.MoveMode.KeepAnchor)
        style = QTextCharFormat()
        style.setAnchor(True)
        style.setAnchorHref(href)
        style.setToolTip(f"Show the words: {ask.title}")
        style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        style.setUnderlineColor(faded(self.palette()))
        cursor.mergeCharFormat(style)

    def _ask_of(self, kind: str, name: str) -> Ask | None:
        entry = self._entry
        if entry is None:
            return None
        if kind == "category" and name in entry.table:
            return Ask(entry.number, name)
        try:
            value = float(name)
        except ValueError:
            return None
        if kind == "confidence":
            return bin_of(entry, value)
        return Ask(entry.number, low=value) if kind == "kept from" else None

    def follow(self, url: QUrl) -> None:
        """A link was clicked: words of a figure, a file beside the entry, or a page elsewhere."""
        target = url.toString()
        if target in self._asks:
            self.asked.emit(self._asks[target])
        elif url.scheme() in ("http", "https"):
            QDesktopServices.openUrl(url)
        else:
            self._open(url.fileName() if url.isRelative() or url.isLocalFile() else target)

    def _open(self, name: str) -> None:
        path = self.folder / name
        if not path.is_file():
            self.said.emit(f"{name} does not lie in {self.folder}")
        elif name.endswith(RESULTS) and self._entry is not None:
            self.asked.emit(Ask(self._entry.number))
        elif name.endswith(TEXTS):
            self._show_file(path)
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self.said.emit(f"No program on this machine opens {path}")

    def _show_file(self, path: Path) -> None:
        """A file's text in the entry's place."""
        try:
            content = path.read_bytes()
            text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode(
                errors="replace")
        except (OSError, EOFError) as error:
            self.said.emit(f"{path}: cannot be read ({error}); restore it")
            return
        self.name.setText(path.name + ("" if len(text) <= MOST_TEXT else
                                       f", the last {MOST_TEXT:,} of {len(text):,} characters"))
        self._head.show()
        self.browser.setPlainText(text[-MOST_TEXT:])
        self.back.setFocus()

    def changeEvent(self, event: QEvent) -> None:
        """Another palette: lines of tables and links are drawn in it."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_head") \
                and self._head.isHidden():
            self._show()


class _Browser(QTextBrowser):
    """Pictures come from the notebook's folder alone, graphs as sharp as the screen is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = Path()

    def loadResource(self, kind: int, url: QUrl) -> Any:
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return None
        path = self.folder / url.fileName()
        if path.suffix != ".svg":
            return QImage(str(path))
        renderer = QSvgRenderer(str(path))
        ratio = self.devicePixelRatioF()
        image = QImage(renderer.defaultSize() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
        if not image.isNull():
            image.setDevicePixelRatio(ratio)
            image.fill(Qt.GlobalColor.white)
            with QPainter(image) as painter:
                renderer.render(painter)
        self.document().addResource(kind, url, image)  # else it is asked for at every layout
        return image


def text_of(entry: Entry, folder: Path) -> str:
    """The entry's Markdown as it lies in the folder; made from its figures where it does not."""
    try:
        return (folder / f"{entry.stem}.md").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return markdown(entry, attachments(entry, folder))


def _text_at(table: QTextTable, row: int, column: int) -> str:
    place = table.cellAt(row, column)
    cursor = place.firstCursorPosition()
    cursor.setPosition(place.lastPosition(), QTextCursor.MoveMode.KeepAnchor)
    return cursor.selectedText().strip()


# ---- all of it -----------------------------------------------------------------------------------

class NotebookView(QWidget):
    """List, page, plots, and the words below. asked(Ask): show the words behind a figure."""

    asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Lab notebook")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._folder = Path()
        self.problem = QLabel(wordWrap=True)
        self.problem.setAccessibleName("Problem")
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.setMargin(6)
        self.problem.hide()
        self.list, self.page, self.curves = EntryList(), EntryPage(), CurvesView()
        self.trend, self.comparison = TrendView(), CompareView()
        self.reliability = ReliabilityView()
        self.words = WordsPanel()
        self.words.hide()
        self.words.closed.connect(self.words.hide)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Views of the notebook")
        self.tabs.setDocumentMode(True)
        for widget, name in ((self.page, "Entry"), (self.curves, "Curves"), (self.trend, "Trend"),
                             (self.comparison, "Compare"), (self.reliability, "Reliability")):
            self.tabs.addTab(widget, name)
        self.tabs.currentChanged.connect(lambda _: self._show_tab())
        for part in (self.list, self.page, self.curves, self.trend, self.comparison,
                     self.reliability):
            part.asked.connect(self.asked)
        self.list.chosen.connect(self._chosen)
        self._lay_out()

    def _lay_out(self) -> None:
        above = QSplitter(Qt.Orientation.Horizontal)
        above.addWidget(self.list)
        above.addWidget(self.tabs)
        above.setStretchFactor(1, 1)
        above.setSizes([470, 900])
        above.setChildrenCollapsible(False)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(above)
        split.addWidget(self.words)
        split.setStretchFactor(0, 1)
        split.setSizes([460, 260])
        split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.problem)
        layout.addWidget(split, 1)

    def show_notebook(self, entries: Sequence[Entry], folder: Path) -> None:
        """Show the entries (newest first) of a notebook folder."""
        self._folder = Path(folder)
        self.problem.hide()
        self.trend.show_entries(entries)
        self.comparison.set_entries(entries)
        self.list.show_entries(entries)

    def tell_problem(self, sentence: str) -> None:
        """What went wrong, above all; "" takes it away."""
        self.problem.setText(f"⚠ {sentence}")
        self.problem.setVisible(bool(sentence))

    def open_words(self) -> None:
        """Show the words panel."""
        self.words.show()

    def _chosen(self) -> None:
        selected = self.list.selected
        if len(selected) > 1:
            pair = selected[-1].number, selected[0].number
            if pair != self.comparison.pair:
                self.comparison.compare(*pair)
        self._show_tab()

    def _show_tab(self) -> None:
        """Bring the tab that is shown up to date."""
        shown = self.tabs.currentWidget()
        if shown is self.page:
            self.page.show_entry(self.list.current, self._folder)
        elif shown in (self.curves, self.reliability):
            shown.show_entries(self.list.selected)
