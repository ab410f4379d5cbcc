"""One drawn page: `page(settings, seed, i)` -> image, its words with boxes, how it came to be.

A pure function, as `sample` is. The page is as a good scan shows it; `page_transforms.photograph`
makes a phone's picture of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.parameters import check_limits, param
from core.synth.defect import Step
from core.synth.fonts import Atlas, default_atlas
from core.synth.page_kinds import KINDS
from core.synth.sheet import Item
from core.synth.stream import Stream

DARK_SLIDES = 0.4  # share of slides with light text on dark
LEAST_SCALE, MOST_SCALE = 0.9, 1.4  # of the page's 150 dpi


@dataclass(frozen=True)
class PageSettings:
    """How often each kind of page comes, and the odds of what a scanner does to it."""

    letter: float = param(0.2, low=0, high=1, help="letters (weight among pages)")
    invoice: float = param(0.15, low=0, high=1, help="invoices (weight)")
    table: float = param(0.1, low=0, high=1, help="ruled tables (weight)")
    columns: float = param(0.15, low=0, high=1, help="text in two or three columns (weight)")
    form: float = param(0.1, low=0, high=1, help="forms with boxes or lines (weight)")
    receipt: float = param(0.2, low=0, high=1, help="receipts (weight)")
    slide: float = param(0.1, low=0, high=1, help="slides (weight)")
    scaled: float = param(0.7, low=0, high=1, help="another resolution than 150 dpi")
    blur: float = param(0.4, low=0, high=1, help="softened")
    noise: float = param(0.4, low=0, high=1, help="sensor noise")
    jpeg: float = param(0.4, low=0, high=1, help="through a JPEG file")

    def __post_init__(self) -> None:
        check_limits(self)


class SynthPage(NamedTuple):
    """`image` (H, W) uint8; `items`, the words with their boxes in px of the image; `kind`, a key
    of page_kinds.KINDS; `recipe`: fonts and steps with their numbers."""

    image: NDArray[np.uint8]
    items: tuple[Item, ...]
    kind: str
    recipe: tuple[Step, ...]
    fonts: tuple[str, ...]


def page(settings: PageSettings, seed: int, i: int, atlas: Atlas | None = None) -> SynthPage:
    """The i-th page of a seed, upright, every word on it in `items`."""
    atlas = atlas or default_atlas()
    kind = _kind(settings, Stream(seed, i, "page kind"))
    sheet = KINDS[kind](Stream(seed, i, "page"), atlas)
    steps: list[Step] = []
    ink, scale = sheet.ink, np.ones(2)
    s = Stream(seed, i, "page scale")
    if s.chance(settings.scaled):
        factor = s.between(LEAST_SCALE, MOST_SCALE)
        size = round(ink.shape[1] * factor), round(ink.shape[0] * factor)
        scale = np.array(size) / (ink.shape[1], ink.shape[0])
        ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if factor < 1 else
                         cv2.INTER_CUBIC)
        steps.append(Step("scaled", (factor,)))
    image = _scanned(ink, kind, settings, seed, i, steps)
    items = tuple(Item(item.text, tuple(
        round(float(v), 1) for v in np.array(item.box) * np.tile(scale, 2)))
        for item in sheet.items)
    return SynthPage(image, items, kind, tuple(steps), tuple(dict.fromkeys(sheet.fonts)))


def _kind(settings: PageSettings, stream: Stream) -> str:
    weights = np.cumsum([getattr(settings, name) for name in KINDS])
    k = int(np.searchsorted(weights, stream.unit() * weights[-1], side="right"))
    return list(KINDS)[min(k, len(KINDS) - 1)]


def _scanned(ink: NDArray[np.uint8], kind: str, settings: PageSettings, seed: int, i: int,
             steps: list[Step]) -> NDArray[np.uint8]:
    """Ink on paper through a scanner: tones, softness, noise, a file. The steps are added."""
    s = Stream(seed, i, "page levels")
    paper, dark = s.between(215, 255), s.between(0, 90)
    if kind == "slide" and s.chance(DARK_SLIDES):
        paper, dark = s.between(10, 80), s.between(190, 255)
    steps.append(Step("levels", (paper, dark)))
    image = np.float32(paper) + ink * np.float32((dark - paper) / 255)
    s = Stream(seed, i, "page blur")
    if s.chance(settings.blur):
        sigma = s.between(0.3, 0.9)
        steps.append(Step("blur", (sigma,)))
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    s = Stream(seed, i, "page noise")
    if s.chance(settings.noise):
        deviation, salt = s.between(0.5, 7), s.below(2 ** 31)
        steps.append(Step("noise", (deviation, salt)))
        image = image + np.float32(deviation) * np.random.Generator(
            np.random.PCG64(salt)).standard_normal(image.shape, np.float32)
    image = np.clip(image, 0, 255).astype(np.uint8)
    s = Stream(seed, i, "page jpeg")
    if s.chance(settings.jpeg):
        quality = s.whole(40, 92)
        steps.append(Step("jpeg", (quality,)))
        packed = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
        image = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    return image
