"""What all fonts agree on: how much each glyph looks like what other fonts draw for its character.

A small net (one hidden layer) has learnt the printable ASCII characters from the glyphs of some
three thousand fonts. It only ranks: ornate and cursive letters are unlike others and right, so what
it says is a doubt at most. Where it stands in a font's favour it is taken as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import Missing
from core.fonts.glyphs import POSITION, Glyphs
from core.recognizer.alphabet import ASCII

WEIGHTS = Path(__file__).parents[2] / "resources" / "fonts" / "consensus.npz"
CELL = 20  # px; a glyph's ink is fitted into a square of this, its shape kept
MARKS = ASCII[1:]  # what has ink: class k is MARKS[k]
N_MEASURES = 7
# Characters that fonts draw alike, so that one read as the other tells nothing. To each come the
# other case of its letters (one-case fonts, small capitals), see `_groups`.
ALIKE = ("0Oo", "1lI|!i", "'`,", "-_~", ".,", "5S", "8B", "2Z", "([{<", ")]}>", "^", "\"", "gq9", "uv",
         "*", "/|", "\\|", ":;", "=", "Dd", "6b")
FARTHEST = 6.0  # the distance of a glyph that is given a probability of 1e-6 or less


@dataclass(frozen=True)
class Consensus:
    """The net's weights: features @ w1 + b1, ReLU, @ w2 + b2, softmax over MARKS."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    w1: NDArray[np.float32]
    b1: NDArray[np.float32]
    w2: NDArray[np.float32]
    b2: NDArray[np.float32]

    def probabilities(self, glyphs: Glyphs) -> NDArray[np.float32]:
        """(95, 94): of each of alphabet.ASCII' glyphs, how likely it is each of MARKS.

        Rows without ink are zero.
        """
        x = (features(glyphs) - self.mean) / self.scale
        p = softmax(np.maximum(x @ self.w1 + self.b1, 0) @ self.w2 + self.b2)
        p[~glyphs.inked] = 0
        return p


def softmax(score: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, C) probabilities of scores (n, C)."""
    p = np.exp(score - score.max(1, keepdims=True))
    return (p / p.sum(1, keepdims=True)).astype(np.float32)


@cache
def load(path: Path = WEIGHTS) -> Consensus:
    """The shipped consensus, once a process. Raises Missing when the file is not there."""
    try:
        with np.load(path) as stored:
            return Consensus(**{name: stored[name].astype(np.float32) for name in
                                ("mean", "scale", "w1", "b1", "w2", "b2")})
    except FileNotFoundError as error:
        raise Missing(f"no consensus of fonts at {path}; restore resources/fonts from the "
                      "repository") from error


def features(glyphs: Glyphs) -> NDArray[np.float32]:
    """(95, CELL * CELL + N_MEASURES): each glyph's ink fitted into a cell, and where it stands.

    The measures are in cap heights, so that a font's em does not matter: bottom, top, height,
    width, advance, log of width to height, ink to its box.
    """
    unit = glyphs.cap_height
    out = np.zeros((len(ASCII), CELL * CELL + N_MEASURES), np.float32)
    for k, bitmap in enumerate(glyphs.bitmap):
        if not bitmap.size:
            continue
        out[k, :-N_MEASURES] = fitted(bitmap).ravel() / 255
        left, bottom, right, top = glyphs.box[k] / unit
        high, wide = top - bottom, right - left
        out[k, -N_MEASURES:] = (bottom, top, high, wide, glyphs.advance[k] / unit,
                                np.log((wide + 0.02) / (high + 0.02)), bitmap.mean() / 255)
    np.clip(out[:, -N_MEASURES:], -3, 3, out=out[:, -N_MEASURES:])
    return out


def fitted(bitmap: NDArray[np.uint8], cell: int = CELL) -> NDArray[np.uint8]:
    """(cell, cell) uint8: a glyph's ink scaled to fill a square, in its middle, its shape kept."""
    h, w = bitmap.shape
    factor = cell / max(h, w)
    size = max(1, round(w * factor)), max(1, round(h * factor))
    small = cv2.resize(bitmap, size, interpolation=cv2.INTER_AREA if factor < 1 else
                       cv2.INTER_LINEAR)
    darkest = max(int(small.max()), 1)  # hairlines count as much as black strokes
    small = (small.astype(np.uint16) * 255 // darkest).astype(np.uint8)
    out = np.zeros((cell, cell), np.uint8)
    y, x = (cell - size[1]) // 2, (cell - size[0]) // 2
    out[y:y + size[1], x:x + size[0]] = small
    return out


@cache
def groups() -> NDArray[np.float32]:
    """(95, 94): row of a character -> 1 for each of MARKS that counts as the same, itself too."""
    table = np.zeros((len(ASCII), len(MARKS)), np.float32)
    for k, c in enumerate(ASCII):
        alike = {c} | {o for group in ALIKE if c in group for o in group}
        alike |= {o.swapcase() for o in alike}
        for o in alike & set(MARKS):
            table[k, MARKS.index(o)] = 1
    return table


def distances(probabilities: NDArray[np.float32], glyphs: Glyphs) -> NDArray[np.float32]:
    """(95,) 0 = like all others, FARTHEST = unlike any; -1 without ink.

    -log10 of the probability that the glyph is its character or one that fonts draw alike.
    """
    own = (probabilities * groups()).sum(1)
    far = np.minimum(-np.log10(np.maximum(own, 1e-9)), FARTHEST)
    return np.where(glyphs.inked, np.maximum(far, 0), -1).astype(np.float32)


def best(probabilities: NDArray[np.float32], character: str) -> tuple[str, float]:
    """(what the glyph of a character looks like most, how likely that is)."""
    row = probabilities[POSITION[character]]
    k = int(row.argmax())
    return MARKS[k], float(row[k])
