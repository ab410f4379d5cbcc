"""Windows that a too eager detector finds and that say nothing: their text is "".

Only ink is made here; paper, light, blur and the rest come from the same transforms as for words.
"""

from __future__ import annotations

from math import pi

import cv2
import numpy as np
from numpy.typing import NDArray

from core.synth.fonts import Atlas, paint, set_text
from core.synth.stream import Stream
from core.synth.transforms import HEIGHT, pool_piece

Ink = NDArray[np.uint8]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LARGE = 5  # index into fonts.SIZES: 40 px an em


def draw(stream: Stream, width_max: int, atlas: Atlas) -> tuple[str, Ink]:
    """(kind, ink (32, W) uint8, 255 = ink), W a multiple of 4 from 8 to width_max."""
    width = 4 * stream.whole(2, max(2, min(width_max, 160) // 4))
    kind, make = KINDS[stream.below(len(KINDS))]
    return kind, make(stream, width, atlas)


def _empty(width: int) -> Ink:
    return np.zeros((HEIGHT, width), np.uint8)


def nothing(s: Stream, width: int, atlas: Atlas) -> Ink:
    return _empty(width)


def ground(s: Stream, width: int, atlas: Atlas) -> Ink:
    """Cloth, wood, a bit of a photo: a field of some grain."""
    field = pool_piece(s.pick(("cloud", "grain", "noise", "cloud")), width, s.unit(), s.unit())
    return np.clip(128 + field * s.between(20, 90), 0, 255).astype(np.uint8)


def rules(s: Stream, width: int, atlas: Atlas) -> Ink:
    """One to three lines, level or upright, some dashed; table corners."""
    ink = _empty(width)
    for _ in range(s.whole(1, 3)):
        t = s.whole(1, 4)
        if s.chance(0.65):
            y, tilt = s.below(HEIGHT), s.between(-2, 2)
            cv2.line(ink, (0, y), (width, int(y + tilt)), 255, t)
            if s.chance(0.3):
                period = s.whole(4, 14)
                ink[:, np.arange(width) % period < period // 3] = 0
        else:
            x = s.below(width)
            cv2.line(ink, (x, 0), (int(x + s.between(-2, 2)), HEIGHT), 255, t)
    return ink


def speckle(s: Stream, width: int, atlas: Atlas) -> Ink:
    """Dust: scattered spots."""
    field = pool_piece(s.pick(("grain", "grain", "noise")), width, s.unit(), s.unit())
    return ((field > s.between(1.6, 3.0)) * 255).astype(np.uint8)


def cut_text(s: Stream, width: int, atlas: Atlas) -> Ink:
    """Only the tops or the feet of a line of text: at most a quarter of its height shows."""
    face = atlas.face(s.below(len(atlas.fonts)), LARGE)
    text = "".join(s.pick(LETTERS) for _ in range(20))
    setting = set_text(face, "".join(c for c in text if c in face.glyph), 0.0, 1.0, width)
    ink = _empty(width)
    if not setting.places:
        return ink
    show = int(s.between(0.05, 0.25) * face.x_height) + 1
    if s.chance(0.5):  # tops at the lower rim: measured at x-height, ascenders show a bit more
        paint(ink, face, setting, -setting.ink[0], HEIGHT - show + face.x_height)
    else:  # feet at the upper rim
        paint(ink, face, setting, -setting.ink[0], show)
    return ink


def shapes(s: Stream, width: int, atlas: Atlas) -> Ink:
    """Discs, rings, bars and blots: bullets, logos, stamps, fingers."""
    ink = _empty(width)
    for _ in range(s.whole(1, 3)):
        centre = (s.below(width), s.below(HEIGHT))
        if s.chance(0.6):
            axes = (s.whole(4, 40), s.whole(4, 24))
            cv2.ellipse(ink, centre, axes, s.between(0, 180), 0, s.pick((360, 360, 200)),
                        s.whole(100, 255), s.pick((-1, -1, 2, 4)))
        else:
            corner = (centre[0] + s.whole(6, 60), centre[1] + s.whole(8, 30))
            cv2.rectangle(ink, centre, corner, s.whole(100, 255), s.pick((-1, 2)))
    return ink


def barcode(s: Stream, width: int, atlas: Atlas) -> Ink:
    ink, x = _empty(width), 0
    while x < width:
        bar = s.whole(1, 4)
        ink[:, x:x + bar] = 255
        x += bar + s.whole(1, 5)
    if s.chance(0.4):
        ink[:s.below(12)] = 0
    return ink


def waves(s: Stream, width: int, atlas: Atlas) -> Ink:
    """A screen of lines: guilloche, halftone, fabric, a scribble."""
    x, y = np.arange(width, dtype=np.float32)[None], np.arange(HEIGHT, dtype=np.float32)[:, None]
    angle, period = s.between(0, pi), s.between(3, 16)
    phase = (x * np.cos(angle) + y * np.sin(angle)) * np.float32(2 * pi / period)
    phase = phase + s.between(0, 3) * np.sin(x * np.float32(s.between(0.02, 0.3)))
    return np.clip(128 + s.between(40, 200) * np.sin(phase), 0, 255).astype(np.uint8)


KINDS = (("nothing", nothing), ("ground", ground), ("rules", rules), ("speckle", speckle),
         ("cut text", cut_text), ("cut text", cut_text), ("shapes", shapes), ("barcode", barcode),
         ("waves", waves))
