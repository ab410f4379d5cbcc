"""One training sample: `sample(settings, seed, i)` -> window, text and how it came to be.

A pure function: the trainer, the previewer and a bug report that name the same settings, seed and
i see the same pixels. Only the shipped fonts and lists and the pinned packages matter beside.
"""

from __future__ import annotations

import hashlib
from bisect import bisect
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.parameters import check_limits, param
from core.synth import corpus, negatives, transforms
from core.synth.fonts import SIZES, Atlas, Face, Setting, default_atlas, paint, set_text
from core.synth.stream import Stream
from core.synth.transforms import HEIGHT, Drawing, Step

STEP = 4  # px, widths are multiples of the net's horizontal stride
FILL = 26.0  # px of the window's 32 that a box without margins takes up, near enough
MEASURE_AT = 5  # index into SIZES: the size at which a text is measured before the real one
PAD = 0.5  # em of blank canvas around a text, for margins, lines and neighbours
MARGIN = 0.1  # of the box height: core.recognizer.window.MARGIN, about which margins scatter


@dataclass(frozen=True)
class SampleSettings:
    """Odds of texts and of transforms. Zero switches a thing off and leaves the others alone."""

    width_max: int = param(256, unit="px", low=32, high=512, help="the widest window; longer "
                           "texts are cut to the characters that fit")
    negative: float = param(0.06, low=0, high=1, help="windows without text, to be read as nothing")
    word: float = param(0.42, low=0, high=1, help="single words (weight among texts)")
    punctuated: float = param(0.10, low=0, high=1, help="words with punctuation (weight)")
    numeric: float = param(0.21, low=0, high=1, help="numbers, prices, dates, codes (weight)")
    address: float = param(0.02, low=0, high=1, help="e-mails, URLs and file paths (weight)")
    code_text: float = param(0.04, low=0, high=1, help="pieces of programs (weight)")
    symbols: float = param(0.06, low=0, high=1, help="random characters and symbols (weight)")
    joined: float = param(0.02, low=0, high=1, help="two tokens without a space (weight)")
    several: float = param(0.17, low=0, high=1, help="several words with spaces (weight)")
    screen: float = param(0.22, low=0, high=1, help="set small with hinted glyphs, then enlarged, "
                          "as text on screens is")
    tight: float = param(0.6, low=0, high=1, help="odds of each of top and bottom that the box "
                         "ends at the ink, not at the font's line")
    tracking: float = param(0.2, low=0, high=1, help="letters set tighter or wider")
    squeeze: float = param(0.4, low=0, high=1, help="text made narrower or wider")
    faint: float = param(0.18, low=0, high=1, help="little contrast between ink and paper")
    neighbours: float = param(0.12, low=0, high=1, help="parts of the lines above and below")
    beside: float = param(0.06, low=0, high=1, help="parts of the words to the left and right")
    lines: float = param(0.08, low=0, high=1, help="underline, strike-out, lines of a table")
    rotation: float = param(0.45, low=0, high=1, help="turned by a degree or two")
    shear: float = param(0.25, low=0, high=1, help="slanted")
    perspective: float = param(0.08, low=0, high=1, help="seen at an angle")
    curve: float = param(0.05, low=0, high=1, help="bent baseline")
    spread: float = param(0.15, low=0, high=1, help="ink spread or worn off")
    thermal: float = param(0.17, low=0, high=1, help="specks, faint rows, dead dots, fading")
    dots: float = param(0.05, low=0, high=1, help="printed with dots")
    bilevel: float = param(0.06, low=0, high=1, help="ink without grey edges")
    texture: float = param(0.10, low=0, high=1, help="uneven ground")
    gradient: float = param(0.3, low=0, high=1, help="uneven light")
    shadow: float = param(0.04, low=0, high=1, help="the edge of a shadow, or a crease")
    motion: float = param(0.04, low=0, high=1, help="motion blur")
    blur: float = param(0.35, low=0, high=1, help="out of focus")
    low_resolution: float = param(0.14, low=0, high=1, help="enlarged from fewer pixels")
    sharpen: float = param(0.08, low=0, high=1, help="a scanner's unsharp mask")
    specks: float = param(0.06, low=0, high=1, help="dust and toner")
    noise: float = param(0.4, low=0, high=1, help="sensor noise")
    threshold: float = param(0.05, low=0, high=1, help="scanned to black and white")
    jpeg: float = param(0.18, low=0, high=1, help="JPEG at low quality")
    inversion: float = param(0.08, low=0, high=1, help="light on dark: the detector's polarity "
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
    steps    each part of the layout and each transform with its numbers, in order
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


def sample(settings: SampleSettings, seed: int, i: int, atlas: Atlas | None = None) -> Sample:
    """The i-th sample of a seed: dark on light mostly, 32 px high, at most width_max wide.

    The same arguments give the same bytes for the same pinned packages on the same kind of CPU.
    `atlas` is the shipped fonts unless a curator's set is given.
    """
    atlas = atlas or default_atlas()
    steps: list[Step] = []
    if Stream(seed, i, "negative").chance(settings.negative):
        kind, ink = negatives.draw(Stream(seed, i, "blank"), settings.width_max, atlas)
        text, font, size = "", "", 0
    else:
        kind, text, font, size, ink = _text_ink(settings, seed, i, atlas, steps)
    ink = _through(transforms.INK, ink, settings, seed, i, steps)
    levels = _levels(Stream(seed, i, "levels"), settings.faint)
    steps.append(Step("levels", levels))
    tones = transforms.compose(ink, levels)
    tones = _through(transforms.TONE, tones, settings, seed, i, steps)
    image = np.clip(tones, 0, 255).astype(np.uint8)
    image = _through(transforms.PICTURE, image, settings, seed, i, steps)
    return Sample(image, text, Recipe(kind, font, size, tuple(steps)))


def _drawn(place: tuple[transforms.Transform, ...], settings: SampleSettings, seed: int, i: int,
           steps: list[Step]) -> list[tuple[transforms.Transform, tuple[float, ...]]]:
    """The transforms of a place that this sample has, with their numbers."""
    found = []
    for t in place:
        odds = getattr(settings, t.name)
        if odds:
            stream = Stream(seed, i, t.name)
            if stream.unit() < odds:
                numbers = t.draw(stream)
                steps.append(Step(t.name, numbers))
                found.append((t, numbers))
    return found


def _through(place: tuple[transforms.Transform, ...], thing: NDArray, settings: SampleSettings,
             seed: int, i: int, steps: list[Step]) -> NDArray:
    for t, numbers in _drawn(place, settings, seed, i, steps):
        thing = t.apply(thing, numbers)
    return thing


def _levels(stream: Stream, faint: float) -> tuple[float, float]:
    """(paper, ink) tones: white and black, gray papers, faint print."""
    u = stream.unit()
    paper = 255.0 if u < 0.35 else stream.between(225, 255) if u < 0.7 else stream.between(140, 255)
    contrast = stream.between(30, 100) if stream.chance(faint) else stream.between(100, 280)
    return paper, max(0.0, paper - contrast)


def _text_ink(settings: SampleSettings, seed: int, i: int, atlas: Atlas, steps: list[Step],
              ) -> tuple[str, str, str, int, NDArray[np.uint8]]:
    """(kind, text, font file, px per em, ink (32, W)): a text set, placed and warped."""
    odds = tuple(getattr(settings, name) for name, _ in corpus.KINDS)
    kind, text = corpus.draw_text(Stream(seed, i, "text"), odds)
    font, text = _font_for(text, Stream(seed, i, "font"), atlas)
    layout = Stream(seed, i, "layout")
    frame = _frame(layout, settings)
    face, size, setting, box, width = _set(text, font, frame, atlas, settings)
    steps.append(Step("layout", frame))
    pad = int(PAD * face.em) + 1
    x0, y0, x1, y1 = setting.ink
    top, bottom = min(box[1], y0), max(box[3], y1)
    canvas = np.zeros((int(bottom - top) + 2 * pad, x1 - x0 + 2 * pad), np.uint8)
    dx, dy = pad - x0, pad - int(top)
    paint(canvas, face, setting, dx, dy)
    placed = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
    drawing = Drawing(canvas, face, setting, dx, dy, placed)
    for t, numbers in _drawn(transforms.CANVAS, settings, seed, i, steps):
        t.apply(drawing, numbers)
    shapes = {t.name: numbers for t, numbers
              in _drawn(transforms.SHAPE, settings, seed, i, steps)}
    matrix = transforms.warp_matrix(placed, frame[:4], width, shapes)
    return (kind, setting.text, atlas.fonts[font].path.name, size,
            transforms.warp(canvas, matrix, width))


def _font_for(text: str, stream: Stream, atlas: Atlas) -> tuple[int, str]:
    """(a font that has every character, the text as it can be drawn in it).

    Without a font that has all of them after eight picks, the characters the last one lacks are
    left out; a font of one case only makes the text upper case.
    """
    for _ in range(8):
        font = bisect(atlas.bounds, stream.unit())
        said = text.upper() if atlas.unicase[font] else text
        if atlas.drawable[font].issuperset(said.replace(" ", "")):
            return font, said
    kept = "".join(c for c in said if c == " " or c in atlas.drawable[font]).strip()
    return (font, kept) if kept else _font_for("A", stream, atlas)


def _frame(s: Stream, settings: SampleSettings) -> tuple[float, ...]:
    """The layout's numbers: margins top, bottom, left, right (box heights); whether top and
    bottom are tight (0 = at the ink, else how far the line's height is overdone); tracking (em),
    space, squeeze, screen size (0 = none, else which)."""
    def margin(wide: float) -> float:
        u = s.unit()
        return MARGIN + (s.between(-0.04, 0.05) if u < 0.6 else s.between(-0.09, wide))
    top, bottom, left, right = margin(0.28), margin(0.28), margin(0.35), margin(0.35)
    high = s.between(1.0, 1.15)
    low = s.between(1.0, 1.15)
    high = 0.0 if s.chance(settings.tight) else high
    low = 0.0 if s.chance(settings.tight) else low
    tracking = s.between(-0.05, 0.12)
    tracking = tracking if s.chance(settings.tracking) else 0.0
    space = s.between(0.75, 1.3) if s.chance(0.7) else s.between(1.0, 2.5)
    squeeze = s.between(0.6, 1.25)
    squeeze = squeeze if s.chance(settings.squeeze) else 1.0
    small = s.between(0.01, 1)
    small = small if s.chance(settings.screen) else 0.0
    return top, bottom, left, right, high, low, tracking, space, squeeze, small


def _set(text: str, font: int, frame: tuple[float, ...], atlas: Atlas, settings: SampleSettings,
         ) -> tuple[Face, int, Setting, tuple[float, float, float, float], int]:
    """(face, px per em, setting, box in px from pen start and baseline, window width)."""
    top, bottom, left, right, high, low, tracking, space, squeeze, small = frame
    face = atlas.face(font, MEASURE_AT)
    setting = set_text(face, text, 0.0, 1.0, 1e9)
    y0, y1 = _box_rows(setting, face, high, low)
    wanted = FILL * face.em / (y1 - y0)  # px per em at which the box is about FILL px high
    fitting = [k for k, em in enumerate(SIZES) if em <= 20 and 0.4 * wanted <= em <= wanted]
    if small and fitting:
        size = fitting[int(small * len(fitting)) if small < 1 else -1]
    else:
        size = min((k for k, em in enumerate(SIZES) if em >= wanted), default=len(SIZES) - 1)
    face = atlas.face(font, size)
    limit = 1e9
    for _ in range(4):
        setting = set_text(face, text, tracking * face.em, space, limit)
        y0, y1 = _box_rows(setting, face, high, low)
        height = y1 - y0
        ink = setting.ink[2] - setting.ink[0]
        full = (ink * squeeze + (left + right) * height) * HEIGHT / (height * (1 + top + bottom))
        if full <= settings.width_max:
            break
        limit = min(ink - 1, ink * settings.width_max / full)
    width = max(round(full / STEP) * STEP, 2 * STEP, _least_width(setting.text))
    return (face, face.em, setting, (setting.ink[0], y0, setting.ink[2], y1),
            min(width, settings.width_max))


def _box_rows(setting: Setting, face: Face, high: float, low: float) -> tuple[float, float]:
    """The box's top and bottom, px from the baseline, y down.

    A text of little height (dashes, dots, quotes) keeps its place in the line: a window that is
    filled by a full stop could be anything.
    """
    y0, y1 = setting.ink[1], setting.ink[3]
    if y1 - y0 < 0.28 * face.em:
        high, low = high or 1.0, low or 1.0
    top = min(y0, -face.ascent * high) if high else y0
    bottom = max(y1, face.descent * low) if low else y1
    return top, max(bottom, top + 4)


def _least_width(text: str) -> int:
    """px below which CTC cannot write a text: a step a character, one more between equal ones."""
    doubled = sum(a == b for a, b in pairwise(text))
    return STEP * (len(text) + doubled + 1)
