"""Wear put on real crops: the print as another, worse printer and scanner would have left it.

The words of a few shops make up half of a collection of receipts, and most are printed well. What
a net meets elsewhere is worn heads, dry ribbons and gray paper: the generator's transforms of ink,
paper and picture, here on a real word.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.synth import pictured, printed
from core.synth.defect import Transform
from core.synth.stream import Stream

# Odds of each, in the order in which they befall a print.
INK = {"spread": 0.3, "uneven": 0.3, "thermal": 0.45, "dots": 0.06}
TONE = {"texture": 0.3, "gradient": 0.2}
PICTURE = {"motion": 0.05, "blur": 0.3, "defocus": 0.06, "low_resolution": 0.12, "noise": 0.6,
           "specks": 0.1, "tone_curve": 0.15, "jpeg": 0.3}
LEGIBLE = 0.62  # correlation with the crop as it was; what is worn more is not used
MILD = 1.5  # most crops wear little: severity is a uniform number to this power
CONTRAST = (35, 230)  # gray levels between paper and ink


def worn(window: NDArray[np.uint8], stream: Stream) -> NDArray[np.uint8]:
    """The window (32, w) with wear, or as it is where the wear would have made it illegible."""
    light, dark = np.percentile(window, (85, 1))
    ink = np.clip((light - window.astype(np.float32)) * (255 / max(light - dark, 24.0)), 0, 255)
    severity = stream.unit() ** MILD
    ink = _through(printed.INK, INK, ink.astype(np.uint8), stream, severity)
    paper = 255.0 if stream.chance(0.35) else stream.between(150, 255)
    low, high = CONTRAST
    contrast = low + (min(high, paper - 5) - low) * stream.unit() ** (0.3 + severity)
    tones = pictured.compose(ink, (paper, paper - contrast))
    tones = _through(pictured.TONE, TONE, tones, stream, severity)
    picture = np.clip(tones, 0, 255).astype(np.uint8)
    picture = _through(pictured.PICTURE, PICTURE, picture, stream, severity)
    return picture if _alike(window, picture) >= LEGIBLE else window


def _through(place: tuple[Transform, ...], odds: dict[str, float], thing: NDArray, stream: Stream,
             severity: float) -> NDArray:
    for transform in place:
        if stream.chance(odds.get(transform.name, 0.0)):
            thing = transform.apply(thing, transform.draw(stream, severity))
    return thing


def _alike(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Correlation of two pictures, both softened: grain alone does not make a word illegible."""
    a, b = (cv2.GaussianBlur(np.float32(x), (0, 0), 1.0).ravel() for x in (a, b))
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / max(np.sqrt(float(a @ a) * float(b @ b)), 1e-6))
