"""A font on trial: synthetic words that training never saw, and which fonts a real word looks like.

torch comes with the net that the caller gives; nothing here imports it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import Missing
from core.fonts import drawing
from core.fonts.catalogue import FontFile
from core.recognizer.alphabet import CHARACTERS
from core.synth import fonts as synth_fonts
from core.synth.sample import SampleSettings, sample

HELD_OUT = 0x7E57_F0_17  # seed of the words; training counts its seeds up from 0
WORDS = SampleSettings(negative=0.0)
HEIGHT = 32  # px of the windows that likeness compares
EM = 48  # px per em at which a word is drawn for it
Z = 1.96  # standard errors of a 95 % interval


@dataclass(frozen=True)
class Misread:
    """A word as drawn (32, w) uint8, what it says and what was read."""

    window: NDArray[np.uint8]
    text: str
    read: str
    confidence: float


@dataclass(frozen=True)
class Trial:
    """Words read in one font.

    n, n_wrong  words read, words misread (not equal character by character)
    misread     all of those, surest first
    confusions  (true, read, how often) of single characters, most frequent first; "" = nothing
    """

    n: int
    n_wrong: int
    misread: tuple[Misread, ...]
    confusions: tuple[tuple[str, str, int], ...]

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share misread (Wilson 1927, score interval)."""
        n, p = max(self.n, 1), self.n_wrong / max(self.n, 1)
        middle, spread = p + Z * Z / (2 * n), Z * (p * (1 - p) / n + Z * Z / (4 * n * n)) ** 0.5
        return max(0.0, (middle - spread) / (1 + Z * Z / n)), (middle + spread) / (1 + Z * Z / n)


@dataclass(frozen=True)
class Likeness:
    """How like a real word is the same word in a font: 0 to 1, and the word as drawn."""

    sha256: str
    score: float
    strip: NDArray[np.uint8]


def held_out(path: Path, allowed: frozenset[str], n: int, seed: int = HELD_OUT) -> list:
    """n samples (`core.synth.sample.Sample`) in one font, of words that training never draws.

    allowed  the characters that verdicts leave. Raises Missing where none is left, Unreadable.
    """
    atlas = synth_fonts.build((FontFile(path, path.stem, 1.0),))
    usable = atlas.usable & synth_fonts.permitted(allowed)[None]
    drawable = frozenset(c for c, good in zip(CHARACTERS, usable[0], strict=True) if good)
    if not drawable - {" "}:
        raise Missing(f"{path.name} has no character that may be drawn; accept some first")
    atlas = replace(atlas, usable=usable, drawable=(drawable,))
    found, i = [], 0
    while len(found) < n and i < 4 * n:
        made = sample(WORDS, seed, i, atlas)
        i += 1
        if made.text:
            found.append(made)
    return found


def try_words(path: Path, allowed: frozenset[str], net: Any, n: int = 200,
              seed: int = HELD_OUT) -> Trial:
    """The trial of one font with `n` words; `net` is a `core.recognizer.net.LoadedNet`.

    Raises Missing and Unreadable as `held_out` does. Takes a second or two.
    """
    from core.recognizer.transcribe import NET_ALONE, read_windows

    samples = held_out(path, allowed, n, seed)
    texts, confidence = read_windows([s.image for s in samples], NET_ALONE, net)
    wrong = [Misread(s.image, s.text, read, float(sure)) for s, read, sure
             in zip(samples, texts, confidence, strict=True) if s.text != read]
    wrong.sort(key=lambda m: -m.confidence)
    return Trial(len(samples), len(wrong), tuple(wrong), confusions(wrong))


def confusions(misread: list[Misread]) -> tuple[tuple[str, str, int], ...]:
    """(true, read, how often) of the single characters that alignment finds wrong."""
    from rapidfuzz.distance import Levenshtein

    found: Counter[tuple[str, str]] = Counter()
    for m in misread:
        for op in Levenshtein.editops(m.text, m.read):
            true = m.text[op.src_pos] if op.tag != "insert" else ""
            read = m.read[op.dest_pos] if op.tag != "delete" else ""
            found[true, read] += 1
    return tuple((a, b, k) for (a, b), k in found.most_common())


def likeness(crop: NDArray[np.uint8], text: str, fonts: list[tuple[str, Path, int]],
             ) -> list[Likeness]:
    """How like each font's drawing of `text` is to a crop (h, w) uint8, dark on light.

    fonts  (sha256, path, index); those that cannot be opened are left out. A guess: blur, weight
    of the print and rotation count as much as the typeface. About 10 ms a font.
    """
    target = normalised(crop)
    found = []
    for sha256, path, index in fonts:
        try:
            strip = drawing.word(path, text, EM, index)
        except Exception:  # noqa: BLE001, S112  # whatever a broken font raises: it is not the one
            continue
        found.append(Likeness(sha256, alike(target, normalised(strip)), strip))
    return found


def normalised(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(HEIGHT, w) float32, 0 = paper, 1 = ink: cut to the ink and scaled to one height."""
    paper = float(np.percentile(picture, 90))
    ink = np.clip((paper - picture.astype(np.float32)) / max(paper - float(picture.min()), 1), 0, 1)
    mask = ink > 0.35
    if not mask.any():
        return np.zeros((HEIGHT, HEIGHT), np.float32)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    ink = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    width = int(np.clip(round(ink.shape[1] * HEIGHT / ink.shape[0]), 4, 40 * HEIGHT))
    return cv2.resize(ink, (width, HEIGHT), interpolation=cv2.INTER_AREA)


def alike(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """0 to 1: correlation of two normalised words after stretching, less for unlike widths."""
    aspect = abs(float(np.log(b.shape[1] / a.shape[1])))
    b = cv2.resize(b, (a.shape[1], HEIGHT), interpolation=cv2.INTER_AREA)
    a, b = (cv2.GaussianBlur(x, (0, 0), 1.0) for x in (a, b))
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return max(0.0, float((a * b).sum()) / norm) * float(np.exp(-2 * aspect)) if norm else 0.0
