"""One training sample: `sample(settings, seed, i)` -> window, text and how it came to be.

A pure function: the trainer, the previewer and a bug report that name the same settings, seed and
i see the same pixels. Only the shipped fonts and lists and the pinned packages matter beside.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from math import sqrt
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import Usage
from core.parameters import check_limits, param
from core.recognizer.alphabet import N_CLASSES, encode
from core.synth import corpus, display, layout, negatives, tape, transforms
from core.synth.fonts import Atlas, default_atlas, paint
from core.synth.layout import Frame
from core.synth.stream import Stream
from core.synth.transforms import Drawing, Step, Transform

PAD = 0.5  # em of blank canvas around a text, for margins, lines and neighbours
EASY = 0.3  # severity below which transforms become rarer, too
LEGIBLE = 0.7  # correlation of a window with its clean ink under which it is mended

@dataclass(frozen=True)
class SampleSettings:
    """Odds of texts and of transforms. Zero switches a thing off and leaves the others alone."""

    width_max: int = param(320, unit="px", low=32, high=512, help="the widest window; longer "
                           "texts are cut to the characters that fit")
    negative: float = param(0.06, low=0, high=1, help="windows without text, to be read as nothing")
    severity: float = param(1.5, low=0.1, high=10, help="how mild most samples are: their severity "
                            "is a uniform number to this power")
    word: float = param(0.42, low=0, high=1, help="single words (weight among texts)")
    piece: float = param(0.025, low=0, high=1, help="parts of long words, as chopping makes "
                           "them (weight)")
    punctuated: float = param(0.09, low=0, high=1, help="words with punctuation (weight)")
    numeric: float = param(0.22, low=0, high=1, help="numbers, prices, dates, codes (weight)")
    entity: float = param(.04, low=0, high=1, help="names, places, companies, addresses (weight)")
    receipt: float = param(.03, low=0, high=1, help="receipt lines (weight)")
    address: float = param(0.015, low=0, high=1, help="e-mails, URLs and file paths (weight)")
    code_text: float = param(0.03, low=0, high=1, help="pieces of programs (weight)")
    symbols: float = param(0.06, low=0, high=1, help="random characters and symbols (weight)")
    accented: float = param(0.04, low=0, high=1, help="words with letters beyond ASCII (weight)")
    typographic: float = param(0.04, low=0, high=1, help="curly quotes, long dashes, currencies, "
                               "bullets and other signs beyond ASCII (weight)")
    joined: float = param(.012, low=0, high=1, help="two tokens without a space (weight)")
    several: float = param(.06, low=0, high=1, help="several words with spaces (weight)")
    till: float = param(.02, low=0, high=1, help="words as tills print them (weight)")
    filled: float = param(0.85, low=0, high=1, help="windows that go on with more texts of their "
                          "sort: a sample teaches as many characters as its window holds")
    tape: float = param(0.5, low=0, high=1, help="receipts: a till's texts, fonts and wear, set "
                        "narrow")
    display: float = param(0.28, low=0, high=1, help="of the others: screenshots, small hinted "
                           "glyphs in exact boxes, hardly worn")
    screen: float = param(0.25, low=0, high=1, help="set small with hinted glyphs, then "
                           "enlarged, as on screens")
    tight: float = param(0.6, low=0, high=1, help="odds of each of top and bottom that the "
                           "box ends at the ink")
    loose: float = param(0.4, low=0, high=1, help="odds of each side of the box that it misses "
                         "its ink")
    paper: float = param(0.25, low=0, high=1, help="boxes that hold paper about their ink")
    tracking: float = param(0.2, low=0, high=1, help="letters set tighter or wider")
    squeeze: float = param(0.4, low=0, high=1, help="text made narrower or wider")
    faint: float = param(0.12, low=0, high=1, help="little contrast between ink and paper")
    weight: float = param(0.12, low=0, high=1, help="bolder or thinner than the font")
    neighbours: float = param(0.1, low=0, high=1, help="parts of the lines above and below")
    beside: float = param(0.05, low=0, high=1, help="parts of the words to the left and right")
    lines: float = param(0.08, low=0, high=1, help="underline, strike-out, lines of a table or box")
    rotation: float = param(0.35, low=0, high=1, help="turned by a degree or two")
    shear: float = param(0.12, low=0, high=1, help="slanted a little, either way")
    oblique: float = param(0.04, low=0, high=1, help="slanted like italics")
    perspective: float = param(0.06, low=0, high=1, help="seen at an angle")
    curve: float = param(0.05, low=0, high=1, help="bent baseline")
    elastic: float = param(0.05, low=0, high=1, help="crumpled")
    spread: float = param(0.13, low=0, high=1, help="ink spread or worn off")
    starved: float = param(0.08, low=0, high=1, help="points, commas and thin strokes paler than "
                           "the rest")
    uneven: float = param(0.18, low=0, high=1, help="ink with rough edges and pale patches")
    thermal: float = param(0.22, low=0, high=1, help="thermal print: dots, missing rows, "
                           "fading, smear")
    dots: float = param(0.04, low=0, high=1, help="dot matrix print")
    bilevel: float = param(0.04, low=0, high=1, help="ink without gray edges")
    texture: float = param(0.06, low=0, high=1, help="uneven paper")
    pattern: float = param(0.025, low=0, high=1, help="printed paper behind the text")
    gradient: float = param(0.1, low=0, high=1, help="uneven light")
    shadow: float = param(0.025, low=0, high=1, help="the edge of a shadow")
    crease: float = param(0.025, low=0, high=1, help="a fold")
    glare: float = param(0.02, low=0, high=1, help="a lamp's reflection")
    motion: float = param(0.01, low=0, high=1, help="motion blur")
    blur: float = param(0.2, low=0, high=1, help="softened by lens or scaling")
    defocus: float = param(0.02, low=0, high=1, help="out of focus")
    low_resolution: float = param(0.06, low=0, high=1, help="enlarged from fewer pixels")
    sharpen: float = param(0.03, low=0, high=1, help="a scanner's unsharp mask")
    tone_curve: float = param(0.1, low=0, high=1, help="paper made white and ink black, as "
                           "scanners do")
    specks: float = param(0.015, low=0, high=1, help="dust and toner")
    noise: float = param(0.06, low=0, high=1, help="sensor noise")
    threshold: float = param(0.015, low=0, high=1, help="scanned to black and white")
    fax: float = param(0.005, low=0, high=1, help="through a fax")
    jpeg: float = param(0.1, low=0, high=1, help="JPEG at low to fair quality")
    resampled: float = param(0.3, low=0, high=1, help="read between the pixels of a page")
    inversion: float = param(0.04, low=0, high=1, help="light on dark: the detector's polarity "
                           "was wrong")

    def __post_init__(self) -> None:
        check_limits(self)

    @property
    def digest(self) -> str:
        """16 hex digits that name these settings, with seed and i an address of a sample."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


class Recipe(NamedTuple):
    """How a sample came to be.

    kind     the kind of text (corpus.KINDS) or of negative
    font     file name, "" for a negative that is drawn without one
    size     px per em at which the glyphs were set
    steps    each part of the layout and each transform with its numbers, in order: "severity",
             "tape" for a receipt (labels tape.LABELS) or "display" for a screenshot, "layout"
             (layout.LABELS), the transforms (transforms.LABELS), "levels" (paper and ink tone) and
             "legible" (correlation found, share of clean print mixed in)
    """

    kind: str
    font: str
    size: int
    steps: tuple[Step, ...]


class Sample(NamedTuple):
    """A window (32, W) uint8, W a multiple of 4, its text ("" for no text), its recipe."""

    image: NDArray[np.uint8]
    text: str
    recipe: Recipe


class Still(NamedTuple):
    """One picture of a film strip: the window (32, W) uint8 after the step `name`."""

    name: str
    image: NDArray[np.uint8]
    numbers: tuple[float, ...]


def sample(settings: SampleSettings, seed: int, i: int, atlas: Atlas | None = None) -> Sample:
    """The i-th sample of a seed: dark on light mostly, 32 px high, at most width_max wide.

    The same arguments give the same bytes for the same pinned packages on the same kind of CPU.
    `atlas` is the shipped fonts, as the standing verdicts leave them, unless one is given.
    """
    return _Making(settings, seed, i, atlas or default_atlas()).made()


def strip(settings: SampleSettings, seed: int, i: int, without: frozenset[str] = frozenset(),
          atlas: Atlas | None = None) -> list[Still]:
    """How sample i came to be: the window after each step, in order; the last is the sample.

    without  names of transforms (transforms.NAMES) that are left out; the others draw what they
             draw with them. Raises Usage for a name that is none.
    The first still is the text as laid out, and each one's `before` is the still that precedes
    it. Steps before the paper are shown as black ink on white.
    """
    unknown = sorted(without - set(transforms.NAMES))
    if unknown:
        raise Usage(f"no transform is called {unknown[0]!r}; there are "
                    + ", ".join(transforms.NAMES))
    stills: list[Still] = []
    off = replace(settings, **dict.fromkeys(without, 0.0))
    _Making(off, seed, i, atlas or default_atlas(), stills).made()
    return stills


def character_histogram(settings: SampleSettings, seed: int, n: int, atlas: Atlas | None = None,
                        ) -> NDArray[np.int64]:
    """(C,) how often each of alphabet.CHARACTERS is drawn in samples 0 .. n - 1 of a seed."""
    atlas, counts = atlas or default_atlas(), np.zeros(N_CLASSES, np.int64)
    for i in range(n):
        said = _Making(settings, seed, i, atlas).said()
        counts += np.bincount(encode(said), minlength=N_CLASSES)
    return counts[1:]


class _Making:
    """One sample while it is made. `stills` is filled where a film strip is asked for."""

    def __init__(self, settings: SampleSettings, seed: int, i: int, atlas: Atlas,
                 stills: list[Still] | None = None) -> None:
        self.settings, self.seed, self.i, self.atlas = settings, seed, i, atlas
        self.stills = stills
        self.severity = self._stream("severity").unit() ** settings.severity
        self.steps = [Step("severity", (self.severity,))]
        self.is_negative = self._stream("negative").chance(settings.negative)
        # a sample without text is part of no receipt and of no screen
        self.tape = None if self.is_negative else tape.draw_tape(self._stream("tape"), settings.tape)
        self.texts: dict[str, float] | None = None  # weights of corpus.KINDS, None: the settings'
        self.odds: dict[str, float] = {}  # of defects, where they differ from the settings'
        if self.tape:
            self.texts, self.odds = tape.TEXTS, self.tape.odds
            self.steps.append(Step("tape", self.tape.numbers))
        elif not self.is_negative and self._stream("display").chance(settings.display):
            self.texts, self.odds = display.TEXTS, display.ODDS
            self.steps.append(Step("display", ()))

    def _stream(self, name: str) -> Stream:
        return Stream(self.seed, self.i, name)

    def _odds(self, name: str) -> float:
        """The odds of a defect on what the sample is part of; settings of 0 and 1 hold for all."""
        odds = getattr(self.settings, name)
        return self.odds.get(name, odds) if 0.0 < odds < 1.0 else odds

    def said(self) -> str:
        """The text of the sample, without its picture."""
        if self.is_negative:
            return ""
        return " ".join(self._laid_out()[3].setting.text.split())

    def made(self) -> Sample:
        settings = self.settings
        if self.is_negative:
            kind, ink = negatives.draw(self._stream("blank"), settings.width_max, self.atlas)
            text, font, size = "", "", 0
            self._show("layout", ink, ())
        else:
            kind, text, font, size, ink = self._text_ink()
        ink = clean = self._through(transforms.BEND, ink)
        ink = self._through(transforms.INK, ink)
        levels = _levels(self._stream("levels"), self._odds("faint"))
        self.steps.append(Step("levels", levels))
        tones = transforms.compose(ink, levels)
        self._show("levels", tones, levels)
        tones = self._through(transforms.TONE, tones)
        image = np.clip(tones, 0, 255).astype(np.uint8)
        image = self._through(transforms.PICTURE, image)
        if text:
            image = self._legible(image, clean, levels)
        return Sample(image, text, Recipe(kind, font, size, tuple(self.steps)))

    def _drawn(self, place: tuple[Transform, ...],
               ) -> list[tuple[Transform, tuple[float, ...]]]:
        """The transforms of a place that this sample has, with their numbers."""
        found, severity = [], self.severity
        rarer = 1.0 + 2.0 * max(0.0, EASY - severity) / EASY  # exponent: 1 stays 1, 0 stays 0
        for t in place:
            odds = self._odds(t.name)
            if odds:
                stream = self._stream(t.name)
                if stream.unit() < (odds ** rarer if rarer > 1 else odds):
                    numbers = t.draw(stream, severity)
                    self.steps.append(Step(t.name, numbers))
                    found.append((t, numbers))
        return found

    def _through(self, place: tuple[Transform, ...], thing: NDArray) -> NDArray:
        for t, numbers in self._drawn(place):
            thing = t.apply(thing, numbers)
            self._show(t.name, thing, numbers, place in (transforms.BEND, transforms.INK))
        return thing

    def _show(self, name: str, thing: NDArray, numbers: tuple[float, ...], ink: bool = False,
              ) -> None:
        if self.stills is not None:
            if thing.dtype != np.uint8:
                thing = np.clip(thing, 0, 255).astype(np.uint8)
            ink = ink or name == "layout"
            self.stills.append(Still(name, 255 - thing if ink else thing, numbers))

    def _laid_out(self) -> tuple[str, int, Frame, layout.Placed]:
        """(kind of text, number of the font, layout's numbers, the text as it is set)."""
        settings, atlas = self.settings, self.atlas
        names = [name for name, _ in corpus.KINDS]
        odds = tuple(getattr(settings, name) if self.texts is None else self.texts.get(name, 0.0)
                     for name in names)
        kind, text = corpus.draw_text(self._stream("text"), odds)
        more = self._stream("filled")
        if more.chance(settings.filled):
            text = corpus.filled(text, more, odds)
        if self.tape and self.tape.upper:
            text = text.upper()
        font, text = layout.font_for(text, self._stream("font"), atlas,
                                     self.tape.font_bounds(atlas) if self.tape else atlas.bounds)
        frame = layout.draw_frame(self._stream("layout"), self._odds("tight"), self._odds("tracking"),
                                  self._odds("squeeze"), self._odds("screen"), self._odds("paper"),
                                  self._odds("loose"))
        if self.tape and settings.squeeze:
            frame = frame._replace(squeeze=self.tape.squeeze)
        return kind, font, frame, layout.place(text, font, frame, atlas, settings.width_max,
                                               bool(self.tape and self.tape.plain_zero))

    def _text_ink(self) -> tuple[str, str, str, int, NDArray[np.uint8]]:
        """(kind, text, font file, px per em, ink (32, W)): a text set, painted and warped."""
        kind, font, frame, (face, setting, box, width) = self._laid_out()
        self.steps.append(Step("layout", frame))
        pad = int(PAD * face.em) + 1
        x0, y0, x1, y1 = setting.ink
        top, bottom = min(box[1], y0), max(box[3], y1)
        canvas = np.zeros((int(bottom - top) + 2 * pad, x1 - x0 + 2 * pad), np.uint8)
        dx, dy = pad - x0, pad - int(top)
        paint(canvas, face, setting, dx, dy)
        placed = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
        drawing = Drawing(canvas, face, setting, dx, dy, placed)
        ink = self._warped(drawing, frame, width)
        # a wide space, which is drawn as several, says one
        return kind, " ".join(setting.text.split()), \
            self.atlas.fonts[font].path.name, face.em, ink

    def _warped(self, drawing: Drawing, frame: Frame, width: int) -> NDArray[np.uint8]:
        """The (32, width) window of a drawing, after its CANVAS and SHAPE transforms."""
        shapes: dict[str, tuple[float, ...]] = {}

        def window() -> NDArray[np.uint8]:
            matrix = transforms.warp_matrix(drawing.box, frame[:4], width, shapes)
            return transforms.warp(drawing.canvas, matrix, width)

        if self.stills is not None:
            self._show("layout", window(), tuple(frame))
        for t, numbers in self._drawn(transforms.CANVAS):
            t.apply(drawing, numbers)
            if self.stills is not None:
                self._show(t.name, window(), numbers, ink=True)
        for t, numbers in self._drawn(transforms.SHAPE):
            shapes[t.name] = numbers
            if self.stills is not None:
                self._show(t.name, window(), numbers, ink=True)
        return window()

    def _legible(self, image: NDArray[np.uint8], clean: NDArray[np.uint8],
                 levels: tuple[float, float]) -> NDArray[np.uint8]:
        """The picture, with clean print mixed in where too much befell it at once.

        What no person could read must not be labelled. Transforms are drawn apart from each
        other, so that one can be switched off alone; what they do together is judged here, by the
        correlation of the picture with its ink before print and wear.
        """
        found = _correlation(image, clean)
        if abs(found) >= LEGIBLE:
            return image
        share = float(np.float32((LEGIBLE - abs(found)) / LEGIBLE * 0.5 + 0.25))
        # in the picture's own tones: fainter print than its flaws would not help
        low, high = float(image.min()), float(image.max())
        low, high = min(low, *levels), max(high, *levels)
        inverted = any(step.name == "inversion" for step in self.steps)
        print_ = transforms.compose(clean, (low, high) if inverted else (high, low))
        print_ = print_.astype(np.uint8)
        self.steps.append(Step("legible", (round(found, 3), share)))
        image = cv2.addWeighted(print_, share, image, 1 - share, 0)
        self._show("legible", image, self.steps[-1].numbers)
        return image


def _correlation(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Pearson's correlation of two pictures; 1 where one of them has but one tone."""
    x, y = a.ravel().astype(np.int32), b.ravel().astype(np.int32)  # exact on any machine
    n, sx, sy = x.size, int(x.sum()), int(y.sum())
    spread = (n * int(x @ x) - sx * sx) * (n * int(y @ y) - sy * sy)
    return (n * int(x @ y) - sx * sy) / sqrt(spread) if spread else 1.0


def _levels(stream: Stream, faint: float) -> tuple[float, float]:
    """(paper, ink) tones: white and black, gray and coloured papers, faint print."""
    u = stream.unit()
    paper = 255.0 if u < 0.6 else stream.between(244, 255) if u < 0.92 else stream.between(150, 255)
    contrast = stream.between(50, 130) if stream.chance(faint) else stream.between(140, 400)
    return paper, max(0.0, paper - contrast)
