"""Single Word Accuracy: the net alone, on word boxes whose text is known.

The truth is a TSV `file x0 y0 x1 y1 text printed how ...` (read with quoting off), boxes in px of
the stored image, `file` relative to a root folder. `printed` is the text in the case that is
printed and may be empty: such a row is scored with case folded only.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.errors import Missing, Unreadable
from core.recognizer.transcribe import TranscriptSettings, read_windows
from core.recognizer.window import MAX_WIDTH, cut_window, guess_polarity

if TYPE_CHECKING:
    from core.recognizer.net import LoadedNet


@dataclass(frozen=True)
class WordTruth:
    """One row of a words TSV; box (x0, y0, x1, y1) in px of the stored image, category = folder."""

    file: str
    box: tuple[float, float, float, float]
    text: str
    printed: str
    how: str

    @property
    def category(self) -> str:
        return Path(self.file).parent.name


@dataclass(frozen=True)
class WordScore:
    """Figures of one set of words; None where there is nothing to count.

    exact      share read exactly as printed, of the `n_printed` rows that say how they are printed
    folded     share right with case folded; no_spaces: with spaces left out as well
    cer        edits / characters with case folded, over all rows
    precision  right (folded) of the words read as something; recall: right (folded) of all
    """

    n: int
    n_printed: int
    exact: float | None
    folded: float | None
    no_spaces: float | None
    cer: float | None
    precision: float | None
    recall: float | None
    ms_per_word: float | None


@dataclass(frozen=True)
class WordScores:
    """Scores overall, by category, by `how`; the readings themselves in the order of the truth."""

    overall: WordScore
    categories: dict[str, WordScore]
    hows: dict[str, WordScore]
    texts: list[str]
    confidence: NDArray[np.float32]

    def to_json(self) -> dict:
        """{"overall": {...}, "categories": {NAME: {...}}, "hows": {NAME: {...}}}"""
        return {"overall": asdict(self.overall),
                "categories": {name: asdict(s) for name, s in self.categories.items()},
                "hows": {name: asdict(s) for name, s in self.hows.items()}}

    def write(self, path: Path) -> None:
        """Write `to_json`, atomically."""
        temporary = Path(path).with_name(f".{Path(path).name}.{os.getpid()}")
        temporary.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")
        os.replace(temporary, path)

    def table(self) -> str:
        """A Markdown table in percent, one row per category."""
        rows = ["| words | n | exact | folded | no spaces | CER | ms/word |",
                "|---|---|---|---|---|---|---|"]
        for name, s in [*self.categories.items(), ("overall", self.overall)]:
            ms = "" if s.ms_per_word is None else f"{s.ms_per_word:.2f}"
            rows.append(f"| {name} | {s.n} | {_percent(s.exact)} | {_percent(s.folded)} | "
                        f"{_percent(s.no_spaces)} | {_percent(s.cer)} | {ms} |")
        return "\n".join(rows)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def read_truth(tsv: Path, categories: Iterable[str] | None = None) -> list[WordTruth]:
    """Rows of a words TSV, only of `categories` when given. Raises Missing or Unreadable."""
    tsv = Path(tsv)
    if not tsv.is_file():
        raise Missing(f"{tsv}: no such word list")
    wanted = None if categories is None else set(categories)
    truth = []
    with open(tsv, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        for number, row in enumerate(reader, start=2):
            try:
                box = tuple(float(row[k]) for k in ("x0", "y0", "x1", "y1"))
                word = WordTruth(row["file"], box, row["text"], row.get("printed") or "",
                                 row.get("how") or "")
            except (KeyError, TypeError, ValueError) as error:
                raise Unreadable(f"{tsv}, line {number}: {error}; the columns must be "
                                 "file x0 y0 x1 y1 text printed how") from None
            if wanted is None or word.category in wanted:
                truth.append(word)
    return truth


def some_of(truth: list[WordTruth], n: int) -> list[WordTruth]:
    """About `n` rows spread evenly over the list: the same rows each time."""
    return truth if len(truth) <= n else [truth[i * len(truth) // n] for i in range(n)]


def cut_truth(truth: list[WordTruth], root: Path, max_width: int = MAX_WIDTH,
              ) -> list[NDArray[np.uint8]]:
    """One window (32, w) uint8, dark on light, per row, cut like the Word Detector's.

    Polarity is judged from border against inside. Raises Unreadable for a missing image.
    """
    windows, name, gray = [], None, None
    for word in truth:
        if word.file != name:
            name, gray = word.file, cv2.imread(str(Path(root) / word.file), cv2.IMREAD_GRAYSCALE)
            if gray is None:
                raise Unreadable(f"{Path(root) / word.file}: cannot be read as an image; "
                                 "give the folder that the word list's files are relative to")
        quad = geometry.quads_from_boxes(np.array(word.box))[0]
        windows.append(cut_window(gray, quad, guess_polarity(gray, quad), max_width=max_width)[0])
    return windows


def score_words(tsv: Path, root: Path, net: LoadedNet,
                settings: TranscriptSettings | None = None,
                categories: Iterable[str] | None = None, most: int | None = None) -> WordScores:
    """Single Word Accuracy of a net over a words TSV (at most `most` rows, spread evenly).

    The time is that of reading alone: windows in memory to text, without cutting them out.
    """
    truth = read_truth(tsv, categories)
    if most is not None:
        truth = some_of(truth, most)
    windows = cut_truth(truth, root, net.settings.max_width)
    start = time.perf_counter()
    texts, confidence = read_windows(windows, settings or TranscriptSettings(), net)
    ms = 1000 * (time.perf_counter() - start) / max(1, len(truth))
    return scores_of(truth, texts, confidence, ms)


def scores_of(truth: list[WordTruth], texts: list[str], confidence: NDArray[np.float32],
              ms_per_word: float | None = None) -> WordScores:
    """Scores of readings `texts[i]` of `truth[i]`, by category and by `how`."""
    def by(key) -> dict[str, WordScore]:
        names = sorted({key(word) for word in truth})
        return {name: _score([(w, t) for w, t in zip(truth, texts) if key(w) == name], ms_per_word)
                for name in names}

    return WordScores(_score(list(zip(truth, texts)), ms_per_word), by(lambda w: w.category),
                      by(lambda w: w.how), texts, confidence)


def _score(pairs: list[tuple[WordTruth, str]], ms_per_word: float | None) -> WordScore:
    from rapidfuzz.distance import Levenshtein

    printed = [word.printed == text for word, text in pairs if word.printed]
    folded = [word.text.casefold() == text.casefold() for word, text in pairs]
    no_spaces = [_bare(word.text) == _bare(text) for word, text in pairs]
    edits = sum(Levenshtein.distance(w.text.casefold(), t.casefold()) for w, t in pairs)
    characters = sum(len(word.text) for word, _ in pairs)
    read = sum(bool(text.strip()) for _, text in pairs)
    return WordScore(
        n=len(pairs), n_printed=len(printed), exact=_share(sum(printed), len(printed)),
        folded=_share(sum(folded), len(pairs)), no_spaces=_share(sum(no_spaces), len(pairs)),
        cer=_share(edits, characters), precision=_share(sum(folded), read),
        recall=_share(sum(folded), len(pairs)), ms_per_word=ms_per_word)


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


# ---- command line: main.py evaluate --words ---------------------------------------------------

def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `main.py evaluate --words`."""
    parser.add_argument("--words", type=Path, required=True, metavar="TSV",
                        help="columns file x0 y0 x1 y1 text printed how")
    parser.add_argument("--root", type=Path, metavar="DIR", help="what the list's files are "
                        "relative to (default: the folder above the list's)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="weights (default: the shipped)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--most", type=int, metavar="N", help="only so many rows, evenly spread")
    parser.add_argument("--threads", type=int, default=0, help="0 = torch's choice")


def run(args: argparse.Namespace) -> int:
    """`main.py evaluate --words`: print the table, write the JSON. Returns an exit code."""
    from core.recognizer import net

    model = args.model
    if model is None:
        models = Path(__file__).parents[2] / "resources" / "models"
        tuned = models / "words.pt"
        model = tuned if tuned.exists() else models / "words-synthetic.pt"
    root = args.root or args.words.resolve().parent.parent
    scores = score_words(args.words, root, net.load(model),
                         TranscriptSettings(threads=args.threads), most=args.most)
    print(scores.table())
    if args.json:
        scores.write(args.json)
    return 0
