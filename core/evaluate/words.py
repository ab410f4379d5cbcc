"""Single Word Accuracy: the net alone, on word boxes whose text is known.

The truth is a TSV `file x0 y0 x1 y1 text printed how ...` (read with quoting off), boxes in px of
the stored image, `file` relative to a root folder. `printed` is the text in the case that is
printed and may be empty: such a row is scored with case folded only.

Windows are those that the Word Detector would cut of these boxes: a low box (a dash, dots) gets
the height of its line. A word that is longer than the net was trained on is read as it is, up to
WIDEST, not squeezed.

Documents that were typed in plain ASCII are compared in typed form (`core.evaluate.typed`).
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.errors import Missing, Unreadable
from core.evaluate.typed import is_typed, typed_form
from core.files import write_text
from core.recognizer.transcribe import TranscriptSettings, read_windows
from core.recognizer.window import MAX_WIDTH, cut_window, guess_polarity

if TYPE_CHECKING:
    from core.recognizer.net import LoadedNet

N_NEGATIVES, NEGATIVE_SEED = 2000, 77_001  # drawn windows without text; a seed no run trains with
WARM_UP = 128  # words read before the clock starts
WIDEST = 512  # px of a window; the net reads on beyond the width it was trained at, by trial to here
LOW_BOX = 0.55  # of the usual height beside it: a box so low is framed like its line, see chopping
BESIDE = 6  # boxes of a line, the nearest ones, that say what height is usual


@dataclass(frozen=True)
class WordTruth:
    """One row of a words TSV; box (x0, y0, x1, y1) in px of the stored image, category = folder.

    typed: its document was transcribed in plain ASCII, whatever marks are printed.
    """

    file: str
    box: tuple[float, float, float, float]
    text: str
    printed: str
    how: str
    typed: bool = False

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
    """Scores overall, by category, by `how` and by length; the readings themselves in the order of
    the truth. `reader` says what read them."""

    overall: WordScore
    categories: dict[str, WordScore]
    hows: dict[str, WordScore]
    texts: list[str]
    confidence: NDArray[np.float32]
    lengths: dict[str, WordScore] = field(default_factory=dict)
    truth: list[WordTruth] = field(default_factory=list)
    reader: str = ""

    def to_json(self) -> dict:
        """{"overall": {...}, "categories": {NAME: {...}}, "hows", "lengths", "characters":
        {C: {"n", "right"}}, "confusions": [[truth, read, count]], "reader"}"""
        from core.evaluate.confusions import confusions_of

        def plain(scores: dict[str, WordScore]) -> dict:
            return {name: asdict(s) for name, s in scores.items()}

        return {"reader": self.reader, "overall": asdict(self.overall),
                "categories": plain(self.categories), "hows": plain(self.hows),
                "lengths": plain(self.lengths), **confusions_of(self.truth, self.texts).to_json()}

    def write(self, path: Path) -> None:
        """Write `to_json`, atomically."""
        write_text(path, json.dumps(self.to_json(), indent=1) + "\n")

    def table(self, details: bool = False) -> str:
        """A Markdown table in percent, a row per category; with details, per how and length too,
        and the confusions."""
        rows = ["| words | n | exact | folded | no spaces | CER | precision | recall | ms/word |",
                "|---" * 9 + "|"]
        groups = [self.categories, {"overall": self.overall}]
        if details:
            groups += [{f"how: {k or 'unknown'}": s for k, s in self.hows.items()},
                       {f"{k} characters": s for k, s in self.lengths.items()}]
        for name, s in (item for group in groups for item in group.items()):
            ms = "" if s.ms_per_word is None else f"{s.ms_per_word:.2f}"
            shares = (s.exact, s.folded, s.no_spaces, s.cer, s.precision, s.recall)
            rows.append(f"| {name} | {s.n} | " + " | ".join(map(_percent, shares)) + f" | {ms} |")
        if details:
            from core.evaluate.confusions import confusions_of
            rows += ["", confusions_of(self.truth, self.texts).table()]
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
    labels: dict[str, list[str]] = {}
    for word in truth:
        labels.setdefault(word.file, []).append(word.printed or word.text)
    typed = {file for file, texts in labels.items() if is_typed(texts)}
    return [replace(word, typed=True) if word.file in typed else word for word in truth]


def some_of(truth: list[WordTruth], n: int) -> list[WordTruth]:
    """About `n` rows spread evenly over the list: the same rows each time."""
    return truth if len(truth) <= n else [truth[i * len(truth) // n] for i in range(n)]


def framed(truth: list[WordTruth]) -> list[WordTruth]:
    """The rows with the boxes to cut: a low one gets the top and bottom of the nearest boxes of
    its line, as the Word Detector frames it. A dash blown up to 32 px would be a bar."""
    of_file: dict[str, list[int]] = {}
    for row, word in enumerate(truth):
        of_file.setdefault(word.file, []).append(row)
    found = list(truth)
    for rows in of_file.values():
        boxes = np.array([truth[row].box for row in rows])
        tall = boxes[:, 3] - boxes[:, 1]
        lowish = np.flatnonzero(tall < LOW_BOX * np.median(tall))
        for k in lowish:
            x0, y0, x1, y1 = boxes[k]
            middle, gap = (y0 + y1) / 2, np.maximum(boxes[:, 0] - x1, x0 - boxes[:, 2])
            beside = np.flatnonzero((boxes[:, 1] <= middle) & (boxes[:, 3] >= middle)
                                    & (tall * LOW_BOX > tall[k]))
            beside = beside[np.argsort(gap[beside], kind="stable")][:BESIDE]
            if len(beside):
                top, bottom = np.median(boxes[beside, 1]), np.median(boxes[beside, 3])
                box = (float(x0), float(min(y0, top)), float(x1), float(max(y1, bottom)))
                found[rows[k]] = replace(truth[rows[k]], box=box)
    return found


def cut_truth(truth: list[WordTruth], root: Path, max_width: int = MAX_WIDTH,
              ) -> list[NDArray[np.uint8]]:
    """One window (32, w) uint8, dark on light, per row, cut like the Word Detector's.

    Polarity is judged from border against inside. Raises Unreadable for a missing image.
    """
    windows, name, gray = [], None, None
    for word in framed(truth):
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
    truth = framed(read_truth(tsv, categories))  # before any row is left out: a line frames its dash
    return score_net(truth if most is None else some_of(truth, most), root, net, settings)


def score_net(truth: list[WordTruth], root: Path, net: LoadedNet,
              settings: TranscriptSettings | None = None) -> WordScores:
    """The same for rows that were read already."""
    windows = cut_truth(truth, root, max(WIDEST, net.settings.max_width))
    # a few of each width first: the kernels for a shape are made when it is first seen
    read_windows(windows[::max(1, len(windows) // WARM_UP)], settings or TranscriptSettings(), net)
    start = time.perf_counter()
    texts, confidence = read_windows(windows, settings or TranscriptSettings(), net)
    ms = 1000 * (time.perf_counter() - start) / max(1, len(truth))
    return replace(scores_of(truth, texts, confidence, ms), reader=net.name)


def score_peer(name: str, truth: list[WordTruth], root: Path) -> WordScores:
    """The same of another recogniser (`core.evaluate.peers.NAMES`), on crops of the same boxes."""
    from core.evaluate import peers

    reader, read = peers.recogniser(name)
    texts, confidence, ms = peers.read_with(read, peers.crops_of(truth, root))
    return replace(scores_of(truth, texts, confidence, ms), reader=reader)


def scores_of(truth: list[WordTruth], texts: list[str], confidence: NDArray[np.float32],
              ms_per_word: float | None = None) -> WordScores:
    """Scores of readings `texts[i]` of `truth[i]`, by category and by `how`."""
    def by(key) -> dict[str, WordScore]:
        names = sorted({key(word) for word in truth})
        return {name: _score([(w, t) for w, t in zip(truth, texts) if key(w) == name], ms_per_word)
                for name in names}

    lengths = by(lambda w: length_of(w.text))
    return WordScores(_score(list(zip(truth, texts)), ms_per_word), by(lambda w: w.category),
                      by(lambda w: w.how), texts, confidence,
                      {name: lengths[name] for name in LENGTHS if name in lengths}, truth)


LENGTHS = {"1": 1, "2": 2, "3": 3, "4 to 5": 5, "6 to 8": 8, "9 to 12": 12, "13 and more": 10 ** 9}


def length_of(text: str) -> str:
    """The class of a text's length, a name of LENGTHS."""
    return next(name for name, longest in LENGTHS.items() if len(text) <= longest)


def is_right(word: WordTruth, text: str) -> bool:
    """Whether a reading is right: as printed where that is known, else with case folded and
    spaces left out."""
    label, text = comparable(word, text)
    return text == label if word.printed else _bare(text) == _bare(label)


def comparable(word: WordTruth, text: str) -> tuple[str, str]:
    """(label as printed where known, reading) as they are compared: both in typed form where the
    label's document is typed and the reading has marks that a typewriter lacks."""
    label = word.printed or word.text
    if not word.typed or (label + text).isascii():
        return label, text
    return typed_form(label), typed_form(text)


def _score(pairs: list[tuple[WordTruth, str]], ms_per_word: float | None) -> WordScore:
    from rapidfuzz.distance import Levenshtein

    compared = [comparable(word, text) for word, text in pairs]
    printed = [label == text for (word, _), (label, text) in zip(pairs, compared) if word.printed]
    folded = [label.casefold() == text.casefold() for label, text in compared]
    no_spaces = [_bare(label) == _bare(text) for label, text in compared]
    edits = sum(Levenshtein.distance(a.casefold(), b.casefold()) for a, b in compared)
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
    parser.add_argument("--engine", default="ours", help="ours, tesseract or rapidocr; several with "
                        "commas give one table after the other, on the same words")
    parser.add_argument("--categories", metavar="LIST", help="only these, with commas between")
    parser.add_argument("--how", metavar="LIST", help="only rows cut like this: truth, single, "
                        "split, ocr")
    parser.add_argument("--empty", action="store_true", help="windows without text too: 2,000 drawn "
                        "ones, and what the detector finds besides text on the list's pages")
    parser.add_argument("--details", action="store_true", help="by how, length and character, with "
                        "the confusions (--json always has them)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here; of "
                        "several engines, the first one's")
    parser.add_argument("--most", type=int, metavar="N", help="only so many rows, evenly spread")
    parser.add_argument("--threads", type=int, default=0, help="0 = torch's choice")
    parser.add_argument("--note", metavar="TITLE", help="write a notebook entry; the words behind "
                        "its figures are the first engine's")
    parser.add_argument("--goal", default="", help="with --note: its first sentence")
    parser.add_argument("--learnt", default="", help="with --note: its last")


def run(args: argparse.Namespace) -> int:
    """`main.py evaluate --words`: print the tables, write the JSON. Returns an exit code."""
    # framed before rows are left out: a line that lacks its words cannot frame its dash
    truth = framed(read_truth(args.words, args.categories.split(",") if args.categories else None))
    if args.how:
        truth = [word for word in truth if word.how in args.how.split(",")]
    if args.most is not None:
        truth = some_of(truth, args.most)
    root = args.root or args.words.resolve().parent.parent
    read: list[WordScores] = []
    for engine in args.engine.split(","):
        scores = _ours(truth, root, args) if engine == "ours" else score_peer(engine, truth, root)
        print(f"{scores.reader}\n\n{scores.table(args.details)}\n")
        read.append(scores)
    if args.empty:
        _print_empty(truth, root, args)
    if args.json:
        read[0].write(args.json)
    if args.note:
        _note(read, args)
    return 0


def _ours(truth: list[WordTruth], root: Path, args: argparse.Namespace) -> WordScores:
    from core.pipeline import RESOURCES, default_words
    from core.recognizer import net

    loaded = net.load(args.model or default_words(RESOURCES / "models"))
    return score_net(truth, root, loaded, TranscriptSettings(threads=args.threads))


def _print_empty(truth: list[WordTruth], root: Path, args: argparse.Namespace) -> None:
    from core.evaluate.strays import drawn_negatives, score_empty, stray_windows
    from core.pipeline import RESOURCES, default_words
    from core.recognizer import net

    loaded = net.load(args.model or default_words(RESOURCES / "models"))
    splits = {(Path(root) / word.file).parent.parent for word in truth}
    strays = [stray.window for split in sorted(splits) for stray in stray_windows(split)]
    for name, windows in (("drawn without text", drawn_negatives(N_NEGATIVES, NEGATIVE_SEED)),
                          ("found besides text", strays)):
        score = score_empty(windows, loaded)
        if score is not None:
            print(f"{name}: {score.n:,} windows, {100 * score.empty:.1f} % read as nothing, "
                  f"{100 * score.dropped:.1f} % read as nothing or not believed")


def _note(read: list[WordScores], args: argparse.Namespace, folder: Path | None = None) -> None:
    """A notebook entry: a row per category, of engines after the first with their names behind it."""
    from core import notebook

    options = [f"--{name} {value}" for name in ("categories", "how", "most", "threads")
               if (value := getattr(args, name))]
    if len(read) > 1:
        options.append(f"--engine {args.engine}")
    table = {name + (f", {scores.reader}" if k else ""): row for k, scores in enumerate(read)
             for name, row in notebook.table_of(scores).items()}
    entry = notebook.Entry(
        title=args.note, goal=args.goal or "Single Word Accuracy of weights.",
        command=" ".join(["python main.py evaluate --words", args.words.name, *options]),
        settings={"reader": ", ".join(scores.reader for scores in read)}, seed=0,
        sources=f"measured on {args.words.name}", samples=0,
        seconds=sum((scores.overall.ms_per_word or 0) * scores.overall.n for scores in read) / 1000,
        table=table, learnt=args.learnt)
    print(notebook.write(entry, folder or notebook.FOLDER, notebook.results_of(read[0])))
