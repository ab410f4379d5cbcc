"""How often a run has drawn each font and each of its glyphs: what the net has seen, and what not."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from core.recognizer import alphabet


class Draws:
    """Counts by font file: column 0 is the texts set in it, column k the character of class k."""

    def __init__(self) -> None:
        self.counts: dict[str, NDArray[np.int64]] = {}

    def add(self, fonts: tuple[str, ...], texts: list[str]) -> None:
        """Count a batch; a text without a font ("" for a window without text) is left out."""
        for font, text in zip(fonts, texts):
            if not font:
                continue
            if font not in self.counts:
                self.counts[font] = np.zeros(alphabet.N_CLASSES, np.int64)
            row = self.counts[font]
            row[0] += 1
            row += np.bincount(alphabet.encode(text), minlength=alphabet.N_CLASSES)

    def merge(self, other: Draws) -> None:
        """Add another's counts."""
        for font, row in other.counts.items():
            self.counts[font] = self.counts.get(font, np.zeros_like(row)) + row

    def state(self) -> dict:
        """{"fonts": names, "counts": (n, C) int64}, for a checkpoint."""
        fonts = sorted(self.counts)
        rows = np.stack([self.counts[f] for f in fonts]) if fonts else \
            np.zeros((0, alphabet.N_CLASSES), np.int64)
        return {"fonts": fonts, "counts": torch.from_numpy(rows)}

    @classmethod
    def of_state(cls, state: dict) -> Draws:
        """The inverse of `state`; no draws for {}."""
        draws = cls()
        if state:
            draws.counts = dict(zip(state["fonts"], state["counts"].numpy().copy()))
        return draws

    def rarest(self, n: int = 10) -> list[tuple[str, str, int]]:
        """(font, character, count) of the glyphs that were drawn least, but at least once."""
        found = [(int(row[k]), font, alphabet.CHARACTERS[k - 1])
                 for font, row in self.counts.items() for k in np.flatnonzero(row[1:]) + 1]
        return [(font, character, count) for count, font, character in sorted(found)[:n]]
