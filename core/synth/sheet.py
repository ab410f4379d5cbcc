"""A blank page that words, rules and boxes are put on, which keeps the truth of what it says.

Frame: page px, y down, boxes half-open; text is set from glyph atlases, so a box is where its ink
lies, to the pixel.
"""

from __future__ import annotations

from bisect import bisect
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.synth import corpus
from core.synth.corpus import Corpus
from core.synth.fonts import Atlas, Face, paint, set_text
from core.synth.stream import Stream
from core.synth.templates import numeric

PLAIN = "".join(map(chr, range(0x21, 0x7F)))


class Item(NamedTuple):
    """A word as printed, and the box of its ink: x0, y0, x1, y1, page px."""

    text: str
    box: tuple[float, float, float, float]


class Sheet:
    """A page in the making: `ink` (H, W) uint8, 255 = full ink, and the words on it so far."""

    def __init__(self, stream: Stream, atlas: Atlas, width: int, height: int) -> None:
        self.stream, self.atlas = stream, atlas
        self.corpus: Corpus = corpus.load()
        self.ink: NDArray[np.uint8] = np.zeros((height, width), np.uint8)
        self.items: list[Item] = []
        self.fonts: list[str] = []

    @property
    def width(self) -> int:
        return self.ink.shape[1]

    @property
    def height(self) -> int:
        return self.ink.shape[0]

    def font(self, even: bool = False) -> int:
        """A font that has both cases and every character; even: with all advances the same."""
        for _ in range(200):
            f = bisect(self.atlas.bounds, self.stream.unit())
            whole = self.atlas.drawable[f].issuperset(PLAIN) and not self.atlas.unicase[f]
            if whole and (not even or np.ptp(self.atlas.advance[f, 5, 1:]) < 0.5):
                break
        self.fonts.append(self.atlas.fonts[f].path.name)
        return f

    def face(self, font: int, size: int) -> Face:
        """A font at an index into fonts.SIZES."""
        return self.atlas.face(font, size)

    def wide(self, text: str, face: Face) -> float:
        """px from pen start to the pen after a text, as `write` moves it."""
        words = [self._set(word, face).ink[2] for word in text.split()]
        return sum(words) + face.space * max(0, len(words) - 1)

    def write(self, text: str, x: float, y: float, face: Face, align: str = "left") -> float:
        """Words side by side on baseline y, from x (or to x, or about it); the pen after them.

        A word that would pass the page's rim is not written.
        """
        if align != "left":
            x -= self.wide(text, face) / (1 if align == "right" else 2)
        for word in text.split():
            setting = self._set(word, face)
            left, baseline = round(x), round(y)
            x0, y0, x1, y1 = (setting.ink[0] + left, setting.ink[1] + baseline,
                              setting.ink[2] + left, setting.ink[3] + baseline)
            inside = x0 >= 2 and y0 >= 2 and x1 <= self.width - 2 and y1 <= self.height - 2
            if setting.places and inside:
                paint(self.ink, face, setting, left, baseline)
                self.items.append(Item(setting.text, (x0, y0, x1, y1)))
            x = left + setting.ink[2] + face.space
        return x - face.space

    def _set(self, word: str, face: Face):
        return set_text(face, "".join(c for c in word if c in face.glyph), 0.0, 1.0, 1e9)

    def paragraph(self, text: str, x: float, y: float, width: float, face: Face,
                  leading: float = 1.35, bottom: float = 1e9) -> float:
        """A text broken into lines; the baseline after its last. Stops above `bottom`."""
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self.wide(longer, face) > width:
                if y > bottom:
                    return y
                self.write(line, x, y, face)
                y, line = y + leading * face.em, word
            else:
                line = longer
        if line and y <= bottom:
            self.write(line, x, y, face)
            y += leading * face.em
        return y

    def rule(self, x0: float, y0: float, x1: float, y1: float, thick: int = 1) -> None:
        """A level or upright line."""
        cv2.line(self.ink, (round(x0), round(y0)), (round(x1), round(y1)), 255, thick)

    def frame(self, x0: float, y0: float, x1: float, y1: float, thick: int = 1) -> None:
        cv2.rectangle(self.ink, (round(x0), round(y0)), (round(x1), round(y1)), 255, thick)

    # ---- texts -----------------------------------------------------------------------------

    def sentence(self, n_low: int = 5, n_high: int = 18) -> str:
        """Words of the lexicon with a capital before and a mark behind."""
        s, words = self.stream, []
        for _ in range(s.whole(n_low, n_high)):
            word = self.corpus.word(s) if s.chance(0.93) else numeric(s)
            words.append(word + ("," if s.chance(0.07) else ""))
        text = " ".join(words).rstrip(",")
        return text[:1].upper() + text[1:] + s.pick("....?!")

    def text(self, sentences: int) -> str:
        return " ".join(self.sentence() for _ in range(sentences))

    def title(self) -> str:
        words = " ".join(self.corpus.word(self.stream) for _ in range(self.stream.whole(2, 5)))
        return self.stream.pick((words.title(), words.upper(), words.capitalize()))

    def name(self) -> str:
        return f"{self.stream.pick(self.corpus.names)} {self.stream.pick(self.corpus.names)}"

    def company(self) -> str:
        return f"{self.stream.pick(self.corpus.companies)} " \
            + self.stream.pick(("Inc.", "Ltd", "Co.", "LLC", "SDN BHD"))

    def address(self) -> list[str]:
        """Two or three lines of an address."""
        s, places = self.stream, self.corpus.places
        return [f"{s.whole(1, 999)} {s.pick(places)} {s.pick(('Street', 'Road', 'Ave.', 'Lane'))}",
                f"{s.pick(places)} {10000 + s.below(89999)}"] + (["USA"] if s.chance(.2) else [])
