"""What every engine can do: read a page. And the words of a reading in page px, whoever read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.reading import Page, Reading

NAMES = ("ours", "tesseract", "rapidocr")


class Engine(Protocol):
    """One way to read a page."""

    name: str

    def read(self, page: Page) -> Reading:
        """A reading with at least `page` and `words`. Raises Missing, StageFailed.

        Another engine's reading has no `upright`: its words are in page px.
        """


@dataclass(frozen=True)
class PageWords:
    """The words of a reading in page px, in reading order.

    text (n,) <U; quad (n, 4, 2), box (n, 4) float32; confidence (n,) float32 0..1; line (n,) int
    """

    text: NDArray[np.str_]
    quad: NDArray[np.float32]
    box: NDArray[np.float32]
    confidence: NDArray[np.float32]
    line: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.text)


def page_words(reading: Reading) -> PageWords:
    """The words of a reading, turned back into page px. A reading without words gives none."""
    words = reading.words
    if words is None:
        none = np.zeros((0, 4, 2), np.float32)
        return PageWords(np.zeros(0, "<U1"), none, np.zeros((0, 4), np.float32),
                         np.zeros(0, np.float32), np.zeros(0, np.int32))
    quad = words.quad
    if reading.upright is not None:
        quad = geometry.transform_quads(reading.upright.page_from_upright, quad)
    return PageWords(words.text, quad, geometry.boxes_from_quads(quad), words.confidence, words.line)


def engine(name: str, settings=None) -> Engine:
    """The engine of that name. Raises Usage for an unknown name, Missing where it is not installed.

    settings: core.settings.Settings for ours, None = defaults; other engines take none.
    """
    from core.errors import Usage
    if name == "ours":
        from core.engines.ours import Ours
        return Ours(settings)
    if name == "tesseract":
        from core.engines.outside import Tesseract
        return Tesseract()
    if name == "rapidocr":
        from core.engines.outside import Rapid
        return Rapid()
    raise Usage(f"there is no engine {name!r}; choose one of {', '.join(NAMES)}")
