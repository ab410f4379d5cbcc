"""Pages drawn with known words, so that the truth is exact.

    gray, words = draw_page(["two words", "below"], size=(400, 120))

Coordinates are px of the drawn page; boxes are tight around each word's ink, half-open.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.geometry import IDENTITY
from core.reading import Upright

FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Drawn:
    """One word on a drawn page: its text and the bound of its ink, x0 y0 x1 y1."""

    text: str
    box: tuple[int, int, int, int]


def draw_page(lines: list[str], *, size: tuple[int, int] = (640, 240), scale: float = 1.0,
              thickness: int = 2, left: int = 20, top: int = 50, leading: int = 60,
              word_gap: int = 16, ink: int = 20, paper: int = 235
              ) -> tuple[NDArray[np.uint8], list[Drawn]]:
    """((H, W) uint8, the words in reading order).

    size: (width, height) px. top: baseline of the first line, px; leading: px between baselines.
    word_gap: px of paper between the words of a line, beside the letters' own bearings.
    """
    gray = np.full((size[1], size[0]), paper, np.uint8)
    words: list[Drawn] = []
    for row, line in enumerate(lines):
        x, y = left, top + row * leading
        for text in line.split():
            alone = np.zeros_like(gray)
            cv2.putText(alone, text, (x, y), FONT, scale, 255, thickness, cv2.LINE_AA)
            inked = np.argwhere(alone > 127)
            (y0, x0), (y1, x1) = inked.min(0), inked.max(0) + 1
            words.append(Drawn(text, (int(x0), int(y0), int(x1), int(y1))))
            share = alone.astype(np.float32) / 255
            gray = np.rint(gray * (1 - share) + ink * share).astype(np.uint8)
            x = int(x1) + word_gap
    return gray, words


def boxes_of(words: list[Drawn]) -> NDArray[np.float32]:
    """(n, 4) boxes of drawn words."""
    return np.array([word.box for word in words], np.float32).reshape(-1, 4)


def upright_of(gray: NDArray[np.uint8]) -> Upright:
    """The stage's table for a page that already stands upright."""
    return Upright(0, np.array([1, 0, 0, 0], np.float32), gray, IDENTITY, "drawn upright")
