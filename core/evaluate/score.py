"""How well a reading agrees with the truth of a page: words, characters and boxes.

Words: the bag of words per document of ICDAR 2019 SROIE, task 2 ("Scanned receipts OCR"): every
word of the truth counts once, wherever it stands; precision, recall and F1 over the counts of all
documents. Documents typed in plain ASCII are compared in typed form. Items marked `ignore` are
neither hit nor miss, and a word found there is not false.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.engines.engine import PageWords
from core.errors import Unreadable
from core.evaluate.typed import is_typed, typed_form

IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
HIT_IOU = 0.5       # a box is found from this overlap on, as in the ICDAR robust reading contests
INSIDE = 0.5        # of a found word's area: it lies in an ignored item
SAME_ROW = 0.5      # of the lower one's height: two boxes stand side by side


@dataclass(frozen=True)
class Truth:
    """What is printed on one page.

    image, category  the image file, and the name of the folder that it is in
    level            "word", or "line" where an item is a line segment of one or more words
    folded           labels are upper case whatever is printed: compare without regard to case
    text             (n,) <U; box (n, 4) float32 page px; ignore (n,) bool
    """

    image: Path
    category: str
    level: str
    folded: bool
    text: NDArray[np.str_]
    box: NDArray[np.float32]
    ignore: NDArray[np.bool_]

    @cached_property
    def typed(self) -> bool:
        """Whether it was transcribed in plain ASCII (`core.evaluate.typed`)."""
        return is_typed(map(str, self.text))

    def comparable(self, text: str) -> str:
        """A text of the truth or of a reading as both are compared."""
        text = typed_form(text) if self.typed else text
        return text.casefold() if self.folded else text


@dataclass(frozen=True)
class Score:
    """Counts that add up over pages; `figures` turns them into ratios."""

    pages: int = 0
    words: int = 0          # of the truth, less ignored ones
    found: int = 0          # words read, less forgiven ones
    hits: int = 0
    characters: int = 0     # of the truth, spaces between words included
    edits: int = 0
    box_pages: int = 0      # pages whose truth has a box for each word
    box_truth: int = 0
    box_found: int = 0
    box_hits: int = 0
    cpu_seconds: float = 0.0

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def figures(self) -> dict[str, float | int | None]:
        """precision, recall, f1, cer, box_f1, pages, words, cpu_seconds_per_page; None = not measured."""
        precision, recall = _ratio(self.hits, self.found), _ratio(self.hits, self.words)
        return {"precision": _rounded(precision), "recall": _rounded(recall),
                "f1": _rounded(_ratio(2 * self.hits, self.found + self.words)),
                "cer": _rounded(_ratio(self.edits, self.characters)),
                "box_f1": _rounded(_ratio(2 * self.box_hits, self.box_found + self.box_truth)),
                "pages": self.pages, "words": self.words,
                "cpu_seconds_per_page": _rounded(_ratio(self.cpu_seconds, self.pages))}


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def read_truth(path: Path) -> Truth:
    """The truth of one document from its JSON file. Raises Unreadable naming file and what is wrong."""
    image = next((path.with_suffix(s) for s in IMAGES if path.with_suffix(s).exists()), None)
    if image is None:
        raise Unreadable(f"{path}: no image beside it; put a .png or .jpg of the same name there")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        items = document["items"]
        box = np.array([item["box"] for item in items], np.float32).reshape(-1, 4)
        return Truth(image, path.resolve().parent.name, document.get("level", "word"),
                     document.get("case", "printed") == "folded",
                     np.array([item["text"] for item in items] or np.zeros(0, "<U1"), dtype=np.str_),
                     box, np.array([bool(item.get("ignore")) for item in items], bool))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{path} is not the truth of a document: {type(error).__name__}: {error}; "
                         "it needs `items` with `text` and `box`") from error


def score(truth: Truth, found: PageWords, cpu_seconds: float = 0.0) -> Score:
    """The counts of one page; `found` in px of the truth's image, one word or more per row."""
    inside = in_ignored(found.box, truth)
    hits, n_truth, n_found = _bag(truth, found, inside)
    edits, characters = _characters(truth, found, inside)
    box_hits, box_truth, box_found = _boxes(truth, found, inside) if truth.level == "word" else (0,) * 3
    return Score(1, n_truth, n_found, hits, characters, edits, int(truth.level == "word"), box_truth,
                 box_found, box_hits, cpu_seconds)


def in_ignored(box: NDArray, truth: Truth) -> NDArray[np.bool_]:
    """(n,) whether at least half of each box (page px) lies in one ignored item."""
    shared = geometry.intersection(box, truth.box[truth.ignore])
    area = geometry.areas(np.reshape(box, (-1, 4)))
    return (shared >= INSIDE * np.maximum(area, 1e-6)[:, None]).any(1)


def _bag(truth: Truth, found: PageWords, inside: NDArray) -> tuple[int, int, int]:
    """(hits, words of the truth, words found that count)."""
    fold = truth.comparable
    wanted, ignored = Counter(), Counter()
    for text, ignore in zip(truth.text, truth.ignore, strict=True):
        (ignored if ignore else wanted).update(fold(w) for w in str(text).split())
    mine, mine_inside = Counter(), Counter()
    for text, within in zip(found.text, inside, strict=True):
        words = [fold(w) for w in str(text).split()]
        mine.update(words)
        if within:
            mine_inside.update(words)
    hits = (wanted & mine).total()
    surplus = mine - wanted
    # a surplus word that lies in an ignored item, or says what one says, is not held against us
    forgiven = (surplus & (mine_inside | ignored)).total()
    return hits, wanted.total(), mine.total() - forgiven


def _characters(truth: Truth, found: PageWords, inside: NDArray) -> tuple[int, int]:
    """(edits, characters of the truth): Levenshtein distance of the texts in reading order.

    Both sides are put in the same order, rows from top to bottom and from left to right in a row,
    so that the order in which a file lists its items does not count.
    """
    from rapidfuzz.distance import Levenshtein
    fold = truth.comparable
    kept = ~truth.ignore
    wanted = fold(in_reading_order(truth.text[kept], truth.box[kept]))
    mine = fold(in_reading_order(found.text[~inside], found.box[~inside]))
    return Levenshtein.distance(wanted, mine), len(wanted)


def in_reading_order(text: NDArray, box: NDArray) -> str:
    """Texts joined by spaces: rows of boxes that share half their height, each left to right."""
    order = np.argsort((box[:, 1] + box[:, 3]) / 2, kind="stable")
    rows: list[list[int]] = []
    for i in order:
        row = rows[-1] if rows else None
        if row is not None:
            top, bottom = np.median(box[row, 1]), np.median(box[row, 3])
            shared = min(bottom, box[i, 3]) - max(top, box[i, 1])
            if shared >= SAME_ROW * min(bottom - top, box[i, 3] - box[i, 1]):
                row.append(int(i))
                continue
        rows.append([int(i)])
    ordered = [i for row in rows for i in sorted(row, key=lambda i: box[i, 0])]
    return " ".join(" ".join(str(text[i]).split()) for i in ordered)


def _boxes(truth: Truth, found: PageWords, inside: NDArray) -> tuple[int, int, int]:
    """(hits, boxes of the truth, boxes found that count), each box in at most one pair."""
    wanted, mine = truth.box[~truth.ignore], found.box[~inside]
    overlap = geometry.iou(wanted, mine)
    rows, columns = np.nonzero(overlap >= HIT_IOU)
    best_first = np.argsort(-overlap[rows, columns], kind="stable")
    taken_rows, taken_columns = set(), set()
    for i in best_first:
        if rows[i] not in taken_rows and columns[i] not in taken_columns:
            taken_rows.add(rows[i])
            taken_columns.add(columns[i])
    return len(taken_rows), len(wanted), len(mine)
