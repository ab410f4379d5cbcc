"""Real and drawn windows that hold no text, for fine-tuning: they are to be read as nothing.

Receipts carry handwriting that nobody labelled, so only bare paper is taken from them. What the
Word Detector finds besides text is taken from screenshots, whose every word should have a box;
where the net reads words there all the same, a box is missing.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import Missing
from core.evaluate.words import WordTruth
from core.recognizer.transcribe import NET_ALONE, read_windows
from core.synth.stream import Stream
from core.train.piece import RealWord

if TYPE_CHECKING:
    from core.recognizer.net import LoadedNet

BLANK_STD = 7.0  # gray levels: paper and its grain; the faintest handwriting has more
TEXT_AT_LEAST = 2  # letters or digits read in a stray: it may be a word without a box
UNLABELLED = 4  # such strays on one page: text is missing from its truth, the page is left out


def blank_pieces(rows: list[WordTruth], root: Path, most: int, seed: int) -> list[RealWord]:
    """Bare paper from the pages of `rows`, at random places, of the size of their words."""
    by_file: dict[str, list[WordTruth]] = {}
    for row in rows:
        by_file.setdefault(row.file, []).append(row)
    found: list[RealWord] = []
    each = -(-most // max(1, len(by_file)))
    for number, (file, words) in enumerate(by_file.items()):
        gray = cv2.imread(str(Path(root) / file), cv2.IMREAD_GRAYSCALE)
        stream, before = Stream(seed, number, "blank paper"), len(found)
        for _ in range(8 * each):
            x0, y0, x1, y1 = words[stream.below(len(words))].box
            width, height = int(x1 - x0) + 4, int(y1 - y0) + 4
            x, y = (stream.below(max(1, n)) for n in (gray.shape[1] - width, gray.shape[0] - height))
            piece = gray[y:y + height, x:x + width]
            if piece.size and piece.std() < BLANK_STD and len(found) < before + each:
                box = (2.0, 2.0, float(piece.shape[1] - 2), float(piece.shape[0] - 2))
                found.append(RealWord(piece.copy(), box, stream.below(2), "", True))
    return found[:most]


def stray_pieces(split: Path, net: LoadedNet) -> list[RealWord]:
    """What the Word Detector takes for words on screenshots where the truth has none; [] where
    there are no screenshots. Strays that may be words are left out."""
    from core.evaluate.strays import stray_windows

    try:
        strays = list(stray_windows(split, ("screenshots",)))
    except Missing:
        return []
    texts, _ = read_windows([s.window for s in strays], NET_ALONE, net)
    is_text = [sum(c.isalnum() for c in text) >= TEXT_AT_LEAST for text in texts]
    on_page = Counter(s.file for s, word in zip(strays, is_text) if word)
    return [RealWord(s.window, (3.0, 3.0, s.window.shape[1] - 3.0, 29.0), 0, "", True)
            for s, word in zip(strays, is_text) if not word and on_page[s.file] < UNLABELLED]


def drawn_pieces(n: int, seed: int) -> list[RealWord]:
    """`n` pieces of what pictures on pages are made of: dithered shades, blotches, dots, icons,
    lone strokes of line drawings, clusters of specks."""
    return [_drawn(Stream(seed, i, "no text")) for i in range(n)]


def _drawn(stream: Stream) -> RealWord:
    """A piece 5 to 34 px high; small ones become coarse windows, as small blobs on a page do."""
    height = stream.whole(5, 34)
    width = max(4, int(height * stream.between(0.25, 3.5)))
    rng = np.random.default_rng(stream.whole(0, 2 ** 31))
    make = (_dithered, _ordered, _blotches, _shape, _strokes, _specks)[stream.below(6)]
    tone = make(rng, height, width)                        # 0..1, 1 = paper
    dark, light = stream.between(0, 110), stream.between(150, 255)
    piece = (dark + (light - dark) * tone).astype(np.uint8)
    return RealWord(piece, (0.0, 0.0, float(width), float(height)), 0, "", True)


def _field(rng: np.random.Generator, height: int, width: int, sigma: float) -> NDArray[np.float32]:
    """Smooth noise with a mean of 0 and a deviation of 1."""
    noise = rng.standard_normal((height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
    return (smooth - smooth.mean()) / max(float(smooth.std()), 1e-6)


def _dithered(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    shade = 0.6 + 0.25 * _field(rng, height, width, rng.uniform(2, 8))
    return (rng.random((height, width)) < shade).astype(np.float32)


BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16  # Bayer 1973


def _ordered(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    shade = rng.uniform(0.3, 0.9) + 0.2 * _field(rng, height, width, rng.uniform(3, 9))
    screen = np.tile(BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width]
    return (screen < shade).astype(np.float32)


def _blotches(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    field = _field(rng, height, width, rng.uniform(0.6, 3.0))
    return np.clip(0.5 + (rng.uniform(0.6, 1.6) + field) * rng.uniform(0.5, 4.0), 0, 1)


def _shape(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """A filled disc, triangle or box, as bullets and buttons are; four times too large, shrunk."""
    big = np.ones((4 * height, 4 * width), np.float32)
    x, y = rng.uniform(0.35, 0.65) * 4 * width, rng.uniform(0.4, 0.6) * 4 * height
    r = rng.uniform(0.2, 0.5) * 4 * min(height, width)
    kind = rng.integers(3)
    if kind == 0:
        cv2.circle(big, (int(x), int(y)), int(r), 0.0, -1)
    else:
        corners = np.deg2rad(np.array([0, 120, 240]) if kind == 1 else np.array([45, 135, 225, 315]))
        turned = corners + np.pi / 2 * rng.integers(4)
        points = np.stack([x + r * np.cos(turned), y + r * np.sin(turned)], 1)
        cv2.fillPoly(big, [points.astype(np.int32)], 0.0)
    return cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA)


def _strokes(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """One to three hairlines, slanted alike: too thin for their length to be slashes in print."""
    big = np.ones((4 * height, 4 * width), np.float32)
    slant = rng.uniform(0.6, 1.35) * rng.choice((-1, 1))  # neither a dash nor an upright bar
    for _ in range(rng.integers(1, 4)):
        turns = slant + rng.normal(0, 0.08) + np.cumsum(rng.normal(0, 0.05, 10))
        steps = rng.uniform(0.2, 0.7) * height * np.stack([np.cos(turns), np.sin(turns)], 1)
        path = np.cumsum(steps, 0)
        path += rng.uniform((0, 0), (4 * width, 4 * height)) - path.mean(0)
        thick = max(1, round(4 * height * rng.uniform(0.015, 0.05)))
        cv2.polylines(big, [path.astype(np.int32)], False, 0.0, thick)
    return cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA)


FEW = 6  # specks: fewer could be a full stop, a colon, dots


def _specks(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """Blots without shape or order, where print would have dots of one size in a line."""
    field = _field(rng, height, width, rng.uniform(0.5, 1.4))
    near = _field(rng, height, width, max(2.0, height / 6)) > rng.uniform(0.3, 1.3)
    dark = near & (field > rng.uniform(0.2, 1.0))
    if cv2.connectedComponents(dark.astype(np.uint8))[0] - 1 < FEW:
        return _blotches(rng, height, width)
    return cv2.GaussianBlur(1.0 - dark.astype(np.float32), (0, 0), rng.uniform(0.3, 1.0))
