"""Words of real documents for fine-tuning: crops with labels, and windows that hold no text.

Only receipts and screenshots are taken. Forms are not: their terms are non-commercial.

A label says whether its case is known. Receipt labels are upper case whatever is printed, so a row
that does not say how it is printed is either re-cased by the net's own reading, where the two
agree otherwise, or trained on with a loss that takes either case.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.errors import Missing, Unreadable
from core.evaluate.words import WIDEST, WordTruth, framed, read_truth
from core.parameters import check_limits, param
from core.recognizer import alphabet
from core.recognizer.transcribe import NET_ALONE, read_windows
from core.recognizer.window import MIN_WIDTH, STEP, cut_window, guess_polarity
from core.synth.stream import Stream
from core.train.negatives import blank_pieces, drawn_pieces, stray_pieces
from core.train.pictures import picture_pieces
from core.train.piece import RealWord
from core.train.wear import worn

if TYPE_CHECKING:
    from core.recognizer.net import LoadedNet

CATEGORIES = ("register_tapes", "screenshots")  # what may be trained on
AROUND = 0.7  # box heights of page kept about a word, for margins, shifts and neighbours
HELD_OUT_OF = 8  # one group or document in so many is kept for calibrating, never trained on
# A label that the net reads quite otherwise, and surely, is a label's mistake, not the net's.
WRONG_EDITS, WRONG_FROM = 0.5, 0.9  # edits per character of the longer text; confidence
SURELY_FROM = 0.95  # confidence from which any other reading says so: half of such labels are wrong
DOUBTED = 0.8  # confidence below which a word is hard, though it be read right
RECASE_FROM = 0.5  # confidence from which the net's reading says how a word is printed
# Words of a line may be joined to one window: the detector does so where gaps are narrow.
LONGEST = 384  # px of a crop; longer words are squeezed. Some longer than drawn words ever were
JOIN_OVERLAP = 0.7  # of the lower one's height
JOIN_GAP = (0.12, 1.2)  # box heights: less may be a word cut in two, more is another column


@dataclass(frozen=True)
class RealSettings:
    """How real crops are varied. Odds are per crop, sizes in box heights unless said."""

    share: float = param(0.5, low=0.0, high=1.0, help="of each batch that is real; the rest is "
                         "drawn, so that nothing is forgotten")
    screenshots: float = param(0.2, low=0.0, high=1.0, help="of the real ones; receipts otherwise")
    negative: float = param(0.22, low=0.0, high=1.0, help="windows without text, of the real ones")
    joined: float = param(0.12, low=0.0, high=1.0, help="two or three words of a line in one window")
    hard: float = param(3.0, low=1.0, high=20.0, help="how many times as often a word is taken that "
                        "the first weights misread or doubt")
    even: float = param(0.5, low=0.0, high=1.0, help="how much less often the words of a shop are "
                        "taken that has many: 0 = every word alike, 1 = every shop alike")
    worn: float = param(0.5, low=0.0, high=1.0, help="odds of wear: worse print, paper and scan")
    shift: float = param(0.06, low=0.0, high=0.5, help="each side of the box moved so far, standard "
                         "deviation: the detector's boxes differ from the truth's")
    wider: float = param(0.1, low=0.0, high=1.0, help="a box taller or longer than its word by more")
    turn: float = param(1.0, unit="degrees", low=0.0, high=10.0, help="standard deviation")
    stretch: float = param(0.1, low=0.0, high=0.5, help="width changed by, standard deviation")
    contrast: float = param(0.3, low=0.0, high=1.0, help="odds of less or more of it")
    blur: float = param(0.15, low=0.0, high=1.0, help="odds")
    coarse: float = param(0.1, low=0.0, high=1.0, help="odds of fewer pixels, enlarged again")
    noise: float = param(0.2, low=0.0, high=1.0, help="odds")
    inversion: float = param(0.04, low=0.0, high=1.0, help="odds of the wrong polarity")

    def __post_init__(self) -> None:
        check_limits(self)


class Crop(NamedTuple):
    """window (32, w) uint8 dark on light, its text, whether the text's case is known."""

    window: NDArray[np.uint8]
    text: str
    cased: bool


def is_held_out(file: str, root: Path) -> bool:
    """Whether a document is kept from training, for calibrating: a fixed eighth of the receipts'
    groups (the shops: their receipts look alike) and of the other documents, by name."""
    name = Path(file).name
    if Path(file).parent.name == "register_tapes":
        name = _group(Path(root) / file) or name
    return zlib.crc32(name.encode()) % HELD_OUT_OF == 0


@cache
def _group(image: Path) -> str:
    """The group that a document's truth file names, "" without one."""
    try:
        return str(json.loads(image.with_suffix(".json").read_text(encoding="utf-8"))["group"])
    except (OSError, ValueError, KeyError):
        return ""


def training_rows(tsv: Path, root: Path, held_out: bool = False) -> list[WordTruth]:
    """Rows of a words TSV that may be trained on; with `held_out` those kept for calibrating."""
    return [row for row in framed(read_truth(tsv, CATEGORIES))
            if row.text and alphabet.covers(row.text)
            and is_held_out(row.file, root) is held_out]


# ---- crops -------------------------------------------------------------------------------------

def cut_pieces(rows: list[WordTruth], root: Path) -> list[RealWord]:
    """The words of `rows` with the page about them. Raises Unreadable for a missing image."""
    words, name, gray = [], None, None
    for row in rows:
        if row.file != name:
            name, gray = row.file, cv2.imread(str(Path(root) / row.file), cv2.IMREAD_GRAYSCALE)
            if gray is None:
                raise Unreadable(f"{Path(root) / row.file}: cannot be read as an image; give the "
                                 "folder that the word list's files are relative to (--root)")
        words.append(_piece(gray, row, _group(Path(root) / row.file)))
    return words


def _piece(gray: NDArray[np.uint8], row: WordTruth, shop: str = "") -> RealWord:
    x0, y0, x1, y1 = row.box
    reach = AROUND * max(y1 - y0, 4.0) + 2
    left, top = max(0, int(x0 - reach)), max(0, int(y0 - reach))
    piece = gray[top:int(y1 + reach) + 1, left:int(x1 + reach) + 1].copy()
    polarity = guess_polarity(gray, geometry.quads_from_boxes(np.array(row.box))[0])
    box = (x0 - left, y0 - top, x1 - left, y1 - top)
    return RealWord(piece, box, polarity, row.printed or row.text, bool(row.printed), row, shop)


def joined_rows(rows: list[WordTruth]) -> list[WordTruth]:
    """Two and three neighbours of a line as one row each, their texts with spaces between."""
    found = []
    for k in range(len(rows) - 1):
        if not _beside(rows[k], rows[k + 1]):
            continue
        found.append(_joined(rows[k:k + 2]))
        if k + 2 < len(rows) and _beside(rows[k + 1], rows[k + 2]):
            found.append(_joined(rows[k:k + 3]))
    return found


def _beside(a: WordTruth, b: WordTruth) -> bool:
    height = min(a.box[3] - a.box[1], b.box[3] - b.box[1])
    shared = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    gap = b.box[0] - a.box[2]
    return (a.file == b.file and height > 0 and shared > JOIN_OVERLAP * height
            and JOIN_GAP[0] * height < gap < JOIN_GAP[1] * height)


def _joined(rows: list[WordTruth]) -> WordTruth:
    box = tuple(float(v) for v in geometry.union(np.array([row.box for row in rows])))
    printed = " ".join(row.printed for row in rows) if all(row.printed for row in rows) else ""
    return replace(rows[0], box=box, text=" ".join(row.text for row in rows), printed=printed)


# ---- labels ------------------------------------------------------------------------------------

def with_checked_labels(words: list[RealWord], net: LoadedNet) -> list[RealWord]:
    """The words whose labels can be believed, those of unknown case re-cased where the net reads
    the same letters. What the net reads quite otherwise and surely is left out."""
    from rapidfuzz.distance import Levenshtein

    windows = [word.window(WIDEST) for word in words]
    texts, confidence = read_windows(windows, NET_ALONE, net)
    kept = []
    for word, text, sure in zip(words, texts, confidence):
        away = Levenshtein.normalized_distance(word.text.casefold(), text.casefold())
        other = "".join(text.split()).casefold() != "".join(word.text.split()).casefold()
        if sure >= WRONG_FROM and away > WRONG_EDITS or sure >= SURELY_FROM and other:
            continue
        same = text.casefold() == word.text.casefold()
        # the surer a reading that is not the label, the likelier the label is at fault
        word = replace(word, hard=bool(sure < (DOUBTED if same else WRONG_FROM)))
        if not word.cased and same and (sure >= RECASE_FROM or text.upper() == text.lower()):
            word = replace(word, text=text, cased=True)
        kept.append(word)
    return kept


# ---- variation ---------------------------------------------------------------------------------

def varied(word: RealWord, stream: Stream, settings: RealSettings, max_width: int) -> Crop:
    """One crop of a word: box moved, turned and stretched, then contrast, blur, grain."""
    window = _varied_cut(word, stream, settings, max_width)
    if stream.chance(settings.contrast):
        paper, factor = np.percentile(window, 90), stream.between(0.45, 1.3)
        window = stream.between(150, 255) - (paper - window) * factor
    if stream.chance(settings.blur):
        window = cv2.GaussianBlur(np.float32(window), (0, 0), stream.between(0.4, 1.1))
    if stream.chance(settings.coarse):
        h, w = window.shape
        factor = stream.between(0.4, 0.75)
        small = cv2.resize(np.float32(window), (max(4, int(w * factor)), int(h * factor)),
                           interpolation=cv2.INTER_AREA)
        window = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    if stream.chance(settings.noise):
        grain = np.random.default_rng(int(stream.unit() * 2 ** 53)).standard_normal(window.shape)
        window = window + grain * stream.between(1.0, 9.0)
    window = np.clip(window, 0, 255).astype(np.uint8)
    if stream.chance(settings.inversion):
        window = 255 - window
    return Crop(window, word.text, word.cased)


def _varied_cut(word: RealWord, stream: Stream, settings: RealSettings, max_width: int,
                ) -> NDArray[np.uint8]:
    x0, y0, x1, y1 = word.box
    tall = y1 - y0
    move = [settings.shift * tall * np.clip(stream.normal(), -1.8, 1.8) for _ in range(4)]
    extra = [stream.between(0, 0.3) * tall if stream.chance(settings.wider) else 0.0
             for _ in range(4)]
    # inwards less than outwards: a letter half cut off has another text
    box = np.array([x0 + min(move[0], 0.05 * tall) - extra[0],
                    y0 + min(move[1], 0.08 * tall) - extra[1],
                    x1 + max(move[2], -0.05 * tall) + extra[2],
                    y1 + max(move[3], -0.08 * tall) + extra[3]])
    quad = geometry.quads_from_boxes(box)[0].astype(np.float64)
    angle = np.deg2rad(settings.turn) * np.clip(stream.normal(), -2, 2) * min(1.0, 3 * tall / (x1 - x0))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    quad = (quad - quad.mean(0)) @ turn + quad.mean(0)
    window, _ = cut_window(word.piece, quad, word.polarity, max_width=max_width)
    if stream.chance(settings.worn) and word.text:
        window = worn(window, stream)
    width = window.shape[1] * float(np.exp(settings.stretch * np.clip(stream.normal(), -2, 2)))
    # CTC needs a step for each character and one more between equal ones
    steps = 1 + len(word.text) + sum(a == b for a, b in pairwise(word.text))
    least = min(max(MIN_WIDTH, STEP * steps), window.shape[1])
    width = int(np.clip(round(width / STEP) * STEP, least, max_width))
    if width != window.shape[1]:
        window = cv2.resize(window, (width, window.shape[0]), interpolation=cv2.INTER_LINEAR)
    return window


# ---- the set of a run --------------------------------------------------------------------------

Draw = Callable[[int, int], Crop]


def _shares(pool: list[RealWord], settings: RealSettings) -> NDArray[np.float64]:
    """(n,) cumulated shares of the words of a pool, from above 0 to 1: hard ones more, those of
    shops (or of documents, where there are no groups) with many words less."""
    counts = Counter(word.shop for word in pool)
    weight = np.array([counts[word.shop] ** -settings.even * (settings.hard if word.hard else 1.0)
                       for word in pool])
    shares = np.cumsum(weight) / weight.sum()
    shares[-1] = 1.0
    return shares


@dataclass(frozen=True)
class RealWords:
    """What a fine-tuning run draws from, by kind; crop i depends on (settings, seed, i) alone."""

    receipts: list[RealWord]
    screenshots: list[RealWord]
    joined: list[RealWord]
    empty: list[RealWord]
    max_width: int

    def drawn(self, settings: RealSettings) -> Draw:
        """What gives crop number i of a seed; made once, since it weighs every word."""
        pools = [(settings.negative, self.empty), (settings.joined, self.joined),
                 (settings.screenshots, self.screenshots), (1.0, self.receipts)]
        odds = [(odds, pool, _shares(pool, settings)) for odds, pool in pools if pool]
        odds[-1] = (1.0, *odds[-1][1:])

        def crop(seed: int, i: int) -> Crop:
            stream = Stream(seed, i, "real word")
            pool, shares = next(rest for chance, *rest in odds if stream.chance(chance))
            word = pool[int(np.searchsorted(shares, stream.unit(), "right"))]
            return varied(word, stream, settings, self.max_width)

        return crop

    def __str__(self) -> str:
        words = self.receipts + self.screenshots
        return (f"{len(self.receipts):,} words of receipts, {len(self.screenshots):,} of "
                f"screenshots ({sum(w.cased for w in words):,} of known case), "
                f"{len(self.joined):,} joined, {len(self.empty):,} without text")


def real_words(tsv: Path, root: Path, net: LoadedNet, most: int | None = None, seed: int = 1,
               ) -> RealWords:
    """Everything of a words TSV that may be trained on, labels checked by `net`.

    most: rows at most, spread evenly, for a trial. The images' folder also gives the windows
    without text: bare paper, and what the detector finds on screenshots besides text.
    Raises Missing where nothing is left to train on.
    """
    rows = training_rows(tsv, root)
    if most is not None and most < len(rows):
        rows = [row for k, row in enumerate(rows) if (k // 50) % (len(rows) // most + 1) == 0]
    if not rows:
        raise Missing(f"{tsv}: no word of {' or '.join(CATEGORIES)}; these may be trained on")
    words = with_checked_labels(cut_pieces(rows, root), net)
    kept = {(w.truth.file, w.truth.box): w for w in words}
    # joined words only of labels that were believed, in the case that was found
    rows = [replace(row, text=w.text, printed=w.text if w.cased else "")
            for row in rows if (w := kept.get((row.file, row.box)))]
    several = joined_rows(rows)
    stream = Stream(seed, 0, "joined")
    several = [row for row in several if stream.unit() < 0.5]  # more than enough; memory
    split = (Path(root) / rows[0].file).parent.parent
    n = max(200, len(rows) // 60)
    empty = (stray_pieces(split, net) + blank_pieces(rows, root, n, seed)
             + drawn_pieces(n, seed) + picture_pieces(n // 10, seed))
    by = {name: [w for w in words if w.truth.category == name] for name in CATEGORIES}
    return RealWords(by["register_tapes"], by["screenshots"], cut_pieces(several, root), empty,
                     LONGEST)
