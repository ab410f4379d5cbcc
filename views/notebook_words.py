"""The words behind a figure of the lab notebook: a table, and the picked word cut from its page.

Pages are not part of a notebook. They are shown where the documents folder is found on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QImageReader, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.notebook_results import WordResult
from core.reading import Ref, Table
from views.layers import VERMILION
from views.samples import NO_TEXT
from views.table import TableView

ASK = Qt.ItemDataRole.UserRole
OVERALL = "overall"  # the category of all words
AROUND = 0.6, 1.0  # of the box's width and height: the strip of page about a word
LEAST_AROUND, MOST_AROUND = 12, 160  # px of the page
MOST_SCALE = 6.0  # screen px per page px: beyond, a crop is only squares
UP = 3  # folders above the chosen one that are tried too
WHICH = ("", "fixed", "broken")  # what is chosen from words that two entries read differently
Pair = tuple[WordResult, WordResult]


@dataclass(frozen=True)
class Ask:
    """Which words a figure stands for: those of an entry and a category, or of two entries the
    ones that `number` fixed or broke against entry `before`.

    low, high  confidence, low <= c < high
    which      of two entries: "fixed", "broken" or "" for both
    """

    number: int
    category: str = OVERALL
    low: float = 0.0
    high: float = inf
    before: int = 0
    which: str = ""

    def holds(self, word: WordResult) -> bool:
        """Whether it asks for this word."""
        return (self.category in (OVERALL, word.category)
                and self.low <= word.confidence < self.high)

    @property
    def title(self) -> str:
        """"forms of entry 2, confidence from 0.9"."""
        of = f"entry {self.number}" if not self.before else f"entries {self.before} → {self.number}"
        parts = [f"{'All words' if self.category == OVERALL else self.category} of {of}"]
        if self.low > 0:
            parts.append(f"confidence from {self.low:g}")
        if self.high <= 1:
            parts.append(f"{'' if self.low > 0 else 'confidence '}below {self.high:g}")
        return ", ".join(parts)


class AskTable(QTableWidget):
    """A small table whose figures open the words behind them: a click, or Enter. `asked(Ask)`."""

    asked = Signal(object)

    def __init__(self, name: str, columns: Sequence[str] = (),
                 parent: QWidget | None = None) -> None:
        super().__init__(0, len(columns), parent)
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(columns))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 7)
        self.horizontalHeader().setHighlightSections(False)
        self.cellClicked.connect(self._ask)
        self.cellActivated.connect(self._ask)

    def put(self, row: int, column: int, text: str, ask: Ask | None = None, tip: str = "",
            is_number: bool = False) -> QTableWidgetItem:
        """Write a cell; one that opens words is underlined."""
        item = QTableWidgetItem(text)
        if is_number:
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if ask is not None:
            font = QFont(self.font())
            font.setUnderline(True)
            item.setFont(font)
            item.setData(ASK, ask)
            tip = (tip + "\n" if tip else "") + f"Show the words: {ask.title}"
        item.setToolTip(tip or text)
        self.setItem(row, column, item)
        return item

    def ask_at(self, row: int, column: int) -> Ask | None:
        """What a cell's figure stands for, None where no words are behind it."""
        item = self.item(row, column)
        return None if item is None else item.data(ASK)

    def _ask(self, row: int, column: int) -> None:
        ask = self.ask_at(row, column)
        if ask is not None:
            self.asked.emit(ask)


# ---- the table -----------------------------------------------------------------------------------

@dataclass(frozen=True)
class Words(Table):
    """Words and what was read: texts (n,) str, confidence (n,) in 0..1, box (n, 4) px of the
    stored image."""

    verdict: NDArray[np.str_]
    category: NDArray[np.str_]
    label: NDArray[np.str_]
    reading: NDArray[np.str_]
    confidence: NDArray[np.float64]
    box: NDArray[np.float64]
    file: NDArray[np.str_]
    name: ClassVar[str] = "notebook words"
    ROWS: ClassVar[tuple[str, ...]] = ("verdict", "label", "reading", "confidence", "category",
                                       "box", "file")


@dataclass(frozen=True)
class Pairs(Table):
    """Words that two entries read differently; `before` and `sure_before` are the older one's."""

    verdict: NDArray[np.str_]
    category: NDArray[np.str_]
    label: NDArray[np.str_]
    before: NDArray[np.str_]
    reading: NDArray[np.str_]
    sure_before: NDArray[np.float64]
    confidence: NDArray[np.float64]
    box: NDArray[np.float64]
    file: NDArray[np.str_]
    name: ClassVar[str] = "notebook pairs"
    ROWS: ClassVar[tuple[str, ...]] = ("verdict", "label", "before", "reading", "sure_before",
                                       "confidence", "category", "box", "file")


def shown(text: str) -> str:
    """A text with the spaces at its ends made visible."""
    if not text.strip():
        return NO_TEXT if not text else "␣" * len(text)
    left, right = len(text) - len(text.lstrip(" ")), len(text) - len(text.rstrip(" "))
    return "␣" * left + text.strip(" ") + "␣" * right


def worst_first(words: Sequence[WordResult]) -> list[WordResult]:
    """Wrong ones first, the surest of them first; then right ones, the least sure first."""
    return sorted(words, key=lambda w: (w.right, w.confidence if w.right else -w.confidence))


def words_table(words: Sequence[WordResult]) -> Words:
    """The words as a table, in their order."""
    return Words(_texts("✓ right" if w.right else "✗ wrong" for w in words), **_shared(words))


def pairs_table(fixed: Sequence[Pair], broken: Sequence[Pair]) -> Pairs:
    """Fixed words, then broken ones."""
    both = [*fixed, *broken]
    verdicts = ["✓ fixed"] * len(fixed) + ["✗ broken"] * len(broken)
    return Pairs(_texts(verdicts), before=_texts(shown(a.read) for a, _ in both),
                 sure_before=np.array([a.confidence for a, _ in both], float),
                 **_shared([b for _, b in both]))


def _shared(words: Sequence[WordResult]) -> dict[str, NDArray]:
    return {"category": _texts(w.category for w in words),
            "label": _texts(w.printed or w.text for w in words),
            "reading": _texts(shown(w.read) for w in words),
            "confidence": np.array([w.confidence for w in words], float),
            "file": _texts(w.file for w in words),
            "box": np.array([w.place[1:] for w in words], float).reshape(-1, 4)}


def _texts(texts) -> NDArray[np.str_]:
    return np.array(list(texts), dtype=np.str_)


# ---- the picture ---------------------------------------------------------------------------------

def page_of(word: WordResult, documents: Path | None) -> Path | None:
    """The file of a word's page under a documents folder or one of those that hold it."""
    if documents is None or Path(word.file).is_absolute() or ".." in Path(word.file).parts:
        return None
    for root in (documents, *documents.parents[:UP]):
        if (root / word.file).is_file():
            return root / word.file
    return None


def cut_strip(page: Path, box: tuple[float, float, float, float]) -> tuple[QImage, QRectF]:
    """The strip of page about a box, and where the box lies in it, both px of the page's file.

    The image is null where the file cannot be read.
    """
    reader = QImageReader(str(page))
    x0, y0, x1, y1 = box
    dx, dy = (min(max(share * size, LEAST_AROUND), MOST_AROUND)
              for share, size in zip(AROUND, (x1 - x0, y1 - y0), strict=True))
    strip = QRect(round(x0 - dx), round(y0 - dy), max(1, round(x1 - x0 + 2 * dx)),
                  max(1, round(y1 - y0 + 2 * dy)))
    strip = strip.intersected(QRect(0, 0, reader.size().width(), reader.size().height()))
    if strip.isEmpty():
        return QImage(), QRectF()
    reader.setClipRect(strip)
    return reader.read(), QRectF(x0 - strip.x(), y0 - strip.y(), x1 - x0, y1 - y0)


class Strip(QWidget):
    """A word on its strip of page, its box outlined."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("The picked word on its page")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._image, self._box = QImage(), QRectF()

    def sizeHint(self) -> QSize:
        return QSize(280, 90)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 48)

    @property
    def is_empty(self) -> bool:
        """Whether no picture is shown."""
        return self._image.isNull()

    def set_picture(self, image: QImage, box: QRectF) -> None:
        """Show a strip, `box` in its px; a null image shows nothing."""
        self._image, self._box = image, box
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image.isNull():
            return
        with QPainter(self) as painter:
            scale = min(self.width() / self._image.width(), self.height() / self._image.height(),
                        MOST_SCALE)
            painter.translate((self.width() - scale * self._image.width()) / 2,
                              (self.height() - scale * self._image.height()) / 2)
            painter.scale(scale, scale)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(0, 0, self._image)
            pen = QPen(QColor(VERMILION), 2)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawRect(self._box)


class WordsPanel(QWidget):
    """Words with a filter, and the picked one. `documents_wanted()`: where are the pages?"""

    documents_wanted, closed = Signal(), Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Words behind a figure")
        self.documents: Path | None = None
        self._words: list[WordResult] = []  # those of the table's rows
        self._befores: list[WordResult] = []  # as another entry read them, where two are compared
        self._all: tuple = ()  # what `which` chooses from
        self.title = QLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setAccessibleName("What these words are")
        self.which = QComboBox()
        self.which.setAccessibleName("Which of these words")
        self.which.currentIndexChanged.connect(self._show_which)
        shut = QToolButton(text="✕", autoRaise=True)
        shut.setAccessibleName("Close the words")
        shut.setToolTip("Close the words")
        shut.clicked.connect(self.closed)
        self.words = TableView()
        self.words.setAccessibleName("Words, labels and readings")
        self.words.filter.setPlaceholderText("Filter: a word, or confidence<0.5, category=forms, "
                                             "width>100")
        self.words.filter.setToolTip("Words and conditions, all must hold: total  "
                                     "confidence>0.9  category=forms  file=…")
        self.words.table.setAccessibleName("Words")
        self.words.picked.connect(self._picked)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.which)
        head.addWidget(shut)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(self.words)
        self.split.addWidget(self._make_beside())
        self.split.setStretchFactor(0, 1)
        self.split.setSizes([900, 300])
        self.split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.split, 1)

    def _make_beside(self) -> QWidget:
        """The picked word, and where its page is looked for."""
        beside = QWidget()
        beside.setMinimumWidth(190)
        column = QVBoxLayout(beside)
        column.setContentsMargins(6, 2, 2, 2)
        self.strip, self.told = Strip(), QLabel(wordWrap=True)
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.told.setAccessibleName("The picked word")
        self.told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.choose = QPushButton("Documents folder …")
        self.choose.setToolTip("Where the pages lie on this machine; a notebook keeps none of them")
        self.choose.clicked.connect(self.documents_wanted)
        column.addWidget(self.strip, 1)
        column.addWidget(self.told)
        column.addWidget(self.choose)
        return beside

    # ---- what is shown -------------------------------------------------------------------------

    def show_words(self, title: str, words: Sequence[WordResult]) -> None:
        """Words of one entry, the wrong ones first."""
        words = worst_first(words)
        wrong = [w for w in words if not w.right]
        right = [w for w in words if w.right]
        self._offer(title, (("All", (words,)), ("✗ Wrong", (wrong,)), ("✓ Right", (right,))))

    def show_pairs(self, title: str, fixed: Sequence[Pair], broken: Sequence[Pair],
                   which: str = "") -> None:
        """Words that two entries read differently; `which`: "fixed", "broken" or "" for both."""
        self._offer(title, (("All", (fixed, broken)), ("✓ Fixed", (fixed, ())),
                            ("✗ Broken", ((), broken))), WHICH.index(which))

    def show_problem(self, sentence: str) -> None:
        """Say why there are no words."""
        self._offer(f"⚠ {sentence}", (("All", ([],)),))
        self.split.hide()

    def set_documents(self, folder: Path | None) -> None:
        """Where pages are looked for."""
        self.documents = folder
        self._tell()

    def _offer(self, title: str, choices: tuple, which: int = 0) -> None:
        self.title.setText(title)
        self.title.setToolTip(title)
        self._all = choices
        self.split.show()
        self.words.show_table(None)  # a filter or an order was for the words before
        self.words.filter.clear()
        self.which.blockSignals(True)
        self.which.clear()
        self.which.addItems([f"{name}  {sum(map(len, rows)):,}" for name, rows in choices])
        self.which.setCurrentIndex(which)
        self.which.blockSignals(False)
        self.which.setVisible(len(choices) > 1)
        self._show_which(which)

    def _show_which(self, which: int) -> None:
        rows = self._all[which][1]
        if len(rows) == 2:
            both = [*rows[0], *rows[1]]
            self._befores, self._words = [a for a, _ in both], [b for _, b in both]
            table: Table = pairs_table(*rows)
        else:
            self._befores, self._words = [], list(rows[0])
            table = words_table(self._words)
        self.words.show_table(table)
        self.words.table.scrollToTop()
        if len(self.words.model.order):
            self.words.table.setCurrentIndex(self.words.model.index(0, 0))
        self._tell()

    @property
    def picked(self) -> WordResult | None:
        """The word of the current row."""
        index = self.words.table.currentIndex()
        return self._words[self.words.model.row_of(index)] if index.isValid() else None

    def _picked(self, _: Ref) -> None:
        self._tell()

    def _tell(self) -> None:
        """Show the picked word: what was read, and its page where that is found."""
        word = self.picked
        image, box = QImage(), QRectF()
        self.choose.setVisible(word is not None)
        if word is None:
            self.told.setText("")
        else:
            page = page_of(word, self.documents)
            if page is not None:
                image, box = cut_strip(page, word.place[1:])
            self.told.setText(self._sentences(word, page, image.isNull()))
        self.strip.set_picture(image, box)
        self.strip.setVisible(not image.isNull())

    def _sentences(self, word: WordResult, page: Path | None, is_blank: bool) -> str:
        label = word.printed or word.text
        lines = [f"label “{label}”, read “{word.read}” at {word.confidence:.4f}"]
        if self._befores:
            before = self._befores[self.words.model.row_of(self.words.table.currentIndex())]
            lines.insert(1, f"before: read “{before.read}” at {before.confidence:.4f}")
        if page is None:
            where = "no documents folder is chosen" if self.documents is None else \
                f"it is not under {self.documents}"
            lines.append(f"Its page is not shown: {where}.")
        elif is_blank:
            lines.append(f"{page.name} cannot be read as a picture there.")
        return "\n".join(lines)
