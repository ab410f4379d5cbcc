"""A word, or nothing, in its piece of page: what a real crop is cut from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.evaluate.words import WordTruth
from core.recognizer.window import cut_window


@dataclass(frozen=True)
class RealWord:
    """A word in its piece of page.

    piece  (h, w) uint8, the page about it; box (x0, y0, x1, y1) in px of the piece
    text   "" for a window without text; cased: whether its case is what is printed
    truth  the row it comes from, None for a window without text
    shop   group of its document: what looks alike; hard: misread or doubted by the first weights
    """

    piece: NDArray[np.uint8]
    box: tuple[float, float, float, float]
    polarity: int
    text: str
    cased: bool
    truth: WordTruth | None = None
    shop: str = ""
    hard: bool = False

    def window(self, max_width: int) -> NDArray[np.uint8]:
        """(32, w) uint8 dark on light, cut as the stage cuts it, nothing varied."""
        quad = geometry.quads_from_boxes(np.array(self.box))[0]
        return cut_window(self.piece, quad, self.polarity, max_width=max_width)[0]
