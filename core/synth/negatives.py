"""Windows that a too eager detector finds and that say nothing: their text is "".

Only ink is made here; paper, light, blur and the rest come from the same transforms as for words.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from math import cos, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from core.synth.fonts import Atlas, paint, set_text
from core.synth.pools import HEIGHT, pool, pool_piece
from core.synth.stream import Stream

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
    """Cloth, wood, stone: a field of some grain."""
    name = s.pick(("cloud", "grain", "noise", "fibre"))
    field = pool_piece(name, width, s.unit(), s.unit())
    return np.clip(128 + field * s.between(20, 90), 0, 255).astype(np.uint8)


def photo(s: Stream, width: int, atlas: Atlas) -> Ink:
    """A bit of a photo: soft areas, an edge or two between them, some detail at all scales."""
    field = np.zeros((HEIGHT, width), np.float32)
    for zoom in (1, 2, 4):  # parts of a smooth field, enlarged: energy falls with frequency
        u, v = s.unit(), s.unit()
        small = pool_piece("cloud", -(-width // zoom), u, v, HEIGHT // zoom)
        field += cv2.resize(small, (width, HEIGHT)) * np.float32(s.between(5, 16) * zoom)
    x = np.arange(width, dtype=np.float32)[None]
    y = np.arange(HEIGHT, dtype=np.float32)[:, None]
    for _ in range(s.whole(1, 3)):
        angle, at = s.between(0, 2 * pi), s.between(-0.4, 0.4)
        side = (x - width / 2) * np.float32(cos(angle)) + (y - 16) * np.float32(sin(angle))
        field += np.float32(s.between(20, 90)) \
            * np.tanh((side - np.float32(at * width)) / np.float32(s.between(0.5, 5)))
    return np.clip(field + 128, 0, 255).astype(np.uint8)


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


def _letters(s: Stream, atlas: Atlas, n: int, width_max: float) -> tuple:
    """(face, setting) of n random letters of a random font that may be picked."""
    face = atlas.face(bisect(atlas.bounds, s.unit()), LARGE)
    text = "".join(s.pick(LETTERS) for _ in range(n))
    text = "".join(c for c in text if c in face.glyph)
    return face, set_text(face, text, 0.0, 1.0, width_max)


def cut_text(s: Stream, width: int, atlas: Atlas) -> Ink:
    """Only the tops or the feet of a line of text: at most a quarter of its height shows."""
    face, setting = _letters(s, atlas, 20, width)
    ink = _empty(width)
    if not setting.places:
        return ink
    _, top, _, bottom = setting.ink
    show = int(s.between(0.05, 0.25) * (bottom - top)) + 1
    # tops at the lower rim, or feet at the upper one
    y = HEIGHT - show - top if s.chance(0.5) else show - bottom
    paint(ink, face, setting, -setting.ink[0], y)
    return ink


def half_letter(s: Stream, width: int, atlas: Atlas) -> Ink:
    """A sliver of one character at the left or right rim: less than a third of it."""
    ink = _empty(min(width, 4 * s.whole(2, 6)))
    face, setting = _letters(s, atlas, 1, 1e9)
    if setting.places:
        x0, _, x1, _ = setting.ink
        show = max(1, int((x1 - x0) * s.between(0.08, 0.3)))
        x = ink.shape[1] - show - x0 if s.chance(0.5) else show - x1
        paint(ink, face, setting, x, 28)
    return ink


def shapes(s: Stream, width: int, atlas: Atlas) -> Ink:
    """Discs, rings, bars and blots: bullets, fingers, parts of pictures."""
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


def logo(s: Stream, width: int, atlas: Atlas) -> Ink:
    """A company's mark: polygons, stars, arcs about one middle, some cut out of others."""
    ink, cx, cy = _empty(width), width / 2, HEIGHT / 2
    for k in range(s.whole(2, 4)):
        corners, turn = s.whole(3, 9), s.between(0, 2 * pi)
        inner, outer = s.between(0.35, 1), s.between(5, 17)
        points = [(cx + (outer if n % 2 else outer * inner) * cos(turn + pi * n / corners)
                   * max(1, width / 64), cy + (outer if n % 2 else outer * inner)
                   * sin(turn + pi * n / corners)) for n in range(2 * corners)]
        cv2.fillPoly(ink, [np.int32(points)], 0 if k and s.chance(.5) else 255, cv2.LINE_AA)
    if s.chance(0.4):
        cv2.ellipse(ink, (int(cx), int(cy)), (max(4, width // 2 - 3), 14), 0, 0,
                    s.pick((360, 250)), 255, s.whole(1, 3), cv2.LINE_AA)
    return ink


def stamp(s: Stream, width: int, atlas: Atlas) -> Ink:
    """The rim of a round or square rubber stamp, patchy; no letters of it in the window."""
    ink, radius = _empty(width), s.whole(20, 70)
    angle, thick = s.between(0, 2 * pi), s.whole(1, 3)
    centre = (int(width / 2 + radius * cos(angle)), int(HEIGHT / 2 + radius * sin(angle)))
    if s.chance(0.7):
        cv2.circle(ink, centre, radius, 255, thick, cv2.LINE_AA)
        cv2.circle(ink, centre, radius - s.whole(4, 7), 255, 1, cv2.LINE_AA)
    else:
        corners = cv2.boxPoints((centre, (2.0 * radius, 1.6 * radius), s.between(-30, 30)))
        cv2.polylines(ink, [np.int32(corners)], True, 255, thick + 1, cv2.LINE_AA)
    patchy = np.clip(1 + 0.6 * pool_piece("grain", width, s.unit(), s.unit()), 0.1, 1)
    return (ink * patchy).astype(np.uint8)


def barcode(s: Stream, width: int, atlas: Atlas) -> Ink:
    """Bars, or the squares of a matrix code."""
    if s.chance(0.3):
        cell = s.whole(2, 5)
        top, left = int(s.unit() * 60), int(s.unit() * 1900)
        cells = pool("noise")[top:top + HEIGHT // cell + 1, left:left + width // cell + 1] > 0
        return np.ascontiguousarray(np.kron(cells, np.ones((cell, cell)))[:HEIGHT, :width]
                                    * 255).astype(np.uint8)
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


KINDS: tuple[tuple[str, Callable[[Stream, int, Atlas], Ink]], ...] = (
    ("nothing", nothing), ("ground", ground), ("photo", photo), ("rules", rules),
    ("speckle", speckle), ("cut text", cut_text), ("cut text", cut_text),
    ("half letter", half_letter), ("shapes", shapes), ("logo", logo), ("stamp", stamp),
    ("barcode", barcode), ("waves", waves))
