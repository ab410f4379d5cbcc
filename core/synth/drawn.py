"""CANVAS and SHAPE: what is drawn beside a word's glyphs, and the warp to the window.

CANVAS transforms paint on a `Drawing`; SHAPE transforms are terms of `warp_matrix`.
"""

from __future__ import annotations

from math import cos, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from core.synth.defect import Drawing, Numbers, Transform
from core.synth.fonts import Setting, paint, set_text
from core.synth.pools import HEIGHT, Ink
from core.synth.stream import Stream

NEIGHBOUR_LETTERS = "aeiourntlscdpgyhbkfmTLABESRCDO0123456789gpyjq"
MOST_LIFT = 5.0  # px that a rotation may move the ends of a text


# ---- CANVAS ----------------------------------------------------------------------------------

def weight(d: Drawing, numbers: Numbers) -> None:
    """A bolder or thinner cut of the font, made by moving the outline."""
    (amount,) = numbers
    n = max(1, round(abs(amount) * d.face.em))
    if amount > 0:
        cv2.dilate(d.canvas, np.ones((1 + n // 2, 1 + n), np.uint8), dst=d.canvas)
    elif n == 1:  # thinner by half a pixel: by a whole one a thin stem would be gone
        cv2.addWeighted(cv2.erode(d.canvas, np.ones((1, 2), np.uint8)), 0.6, d.canvas, 0.4, 0,
                        dst=d.canvas)


def _draw_neighbours(s: Stream, severity: float) -> Numbers:
    # above, below: gap in text heights (more than 2 = no neighbour); 12 letters
    gap = 0.1 - 0.22 * severity
    return (s.between(gap, 0.16) if s.chance(.6) else 9.0,
            s.between(gap, 0.16) if s.chance(.6) else 9.0, s.between(-1, 1),
            *(s.unit() for _ in range(12)))


def neighbours(d: Drawing, numbers: Numbers) -> None:
    """The descenders of the line above and the tops of the line below reach into the box."""
    above, below, shift, *letters = numbers
    x0, y0, x1, y1 = d.box
    text = "".join(NEIGHBOUR_LETTERS[int(u * len(NEIGHBOUR_LETTERS))] for u in letters)
    text = "".join(c for c in text * 3 if c in d.face.glyph)
    line = set_text(d.face, text, 0.0, 1.0, x1 - x0 + d.face.em)
    x, height = int(x0 + shift * d.face.em / 2), y1 - y0
    if not line.places:
        return
    if above < 2:  # its lowest ink ends `above` heights above the box
        paint(d.canvas, d.face, line, x, int(y0 - above * height - line.ink[3]))
    if below < 2:
        paint(d.canvas, d.face, line, x, int(y1 + below * height - line.ink[1]))


def beside(d: Drawing, numbers: Numbers) -> None:
    """The letters of the words to the left and right reach into the margins."""
    left, right, a, b = numbers
    glyphs, gap = d.face.glyph, 0.1 * (d.box[3] - d.box[1])
    for there, u, side in ((left, a, 0), (right, b, 1)):
        c = NEIGHBOUR_LETTERS[int(u * len(NEIGHBOUR_LETTERS))]
        if there > 1 or c not in glyphs:
            continue
        one = Setting(c, ((c, 0, -glyphs[c][2]),), (0, 0, 0, 0))
        width = glyphs[c][0].shape[1]
        at = d.box[2] + gap * (0.5 + there) if side else d.box[0] - gap * (0.5 + there) - width
        paint(d.canvas, d.face, one, int(at), d.y)


def _draw_lines(s: Stream, severity: float) -> Numbers:
    return (s.unit(), s.between(0.02, 0.04 + 0.07 * severity), s.unit(), s.between(-.3, 1),
            s.between(120, 255))


def lines(d: Drawing, numbers: Numbers) -> None:
    """An underline, a line through the text, or the lines of a table cell or box around it."""
    kind, thickness, offset, reach, strength = numbers
    x0, y0, x1, y1 = d.box
    height, em = y1 - y0, d.face.em
    t = max(1, round(thickness * em))
    a, b = int(x0 - reach * em), int(x1 + reach * em)
    value = int(strength)
    if kind < 0.5:  # under the baseline, sometimes through the descenders
        y = int(d.y + (0.06 + 0.14 * offset) * em)
        cv2.rectangle(d.canvas, (a, y), (b, y + t - 1), value, -1)
    elif kind < 0.58:
        y = int(d.y - (0.3 + 0.1 * offset) * d.face.ascent)
        cv2.rectangle(d.canvas, (a, y), (b, y + t - 1), value, -1)
    elif kind < 0.76:  # a rule above or below, at the rim of the window
        y = int(y1 + offset * 0.12 * height) if kind < 0.67 else int(y0 - offset * 0.12 * height)
        cv2.rectangle(d.canvas, (0, y), (d.canvas.shape[1], y + t - 1), value, -1)
    elif kind < 0.88:
        x = int(x0 - 0.08 * height - t) if kind < 0.82 else int(x1 + 0.08 * height)
        cv2.rectangle(d.canvas, (x, 0), (x + t - 1, d.canvas.shape[0]), value, -1)
    else:  # a box around it
        far = (0.05 + 0.1 * offset) * height + t
        cv2.rectangle(d.canvas, (int(x0 - far), int(y0 - far)), (int(x1 + far), int(y1 + far)),
                      value, t)


# ---- SHAPE -----------------------------------------------------------------------------------

def warp_matrix(box: tuple[float, float, float, float], margins: Numbers, width: int,
                shapes: dict[str, Numbers]) -> NDArray[np.float64]:
    """(3, 3) window px from canvas px, both at pixel centres.

    margins  top, bottom, left, right, in box heights
    shapes   the numbers of the SHAPE transforms that were drawn, by name
    The box with its margins fills the (32, width) window; rotation and shear turn about its
    middle. A rotation that would lift the ends of a long text out of the window is lessened.
    """
    x0, y0, x1, y1 = box
    height = y1 - y0
    top, bottom, left, right = margins
    x0, x1 = x0 - left * height, x1 + right * height
    y0, y1 = y0 - top * height, y1 + bottom * height
    sx, sy = width / (x1 - x0), HEIGHT / (y1 - y0)
    angle = shapes["rotation"][0] * pi / 180 if "rotation" in shapes else 0.0
    most = MOST_LIFT / max(width / 2, HEIGHT)
    angle = min(max(angle, -most), most)
    slant = shapes["shear"][0] if "shear" in shapes else 0.0
    slant -= shapes["oblique"][0] if "oblique" in shapes else 0.0
    c, s = cos(angle), sin(angle)
    # window = centre + R Sh S (canvas - middle)
    a, b = c * sx, (-s + c * slant) * sy
    d, e = s * sx, (c + s * slant) * sy
    mx, my = (x0 + x1) / 2 - 0.5, (y0 + y1) / 2 - 0.5
    cx, cy = width / 2 - 0.5, HEIGHT / 2 - 0.5
    m = np.array([[a, b, cx - a * mx - b * my], [d, e, cy - d * mx - e * my], [0, 0, 1]])
    if "perspective" in shapes:
        corners = np.float32([[0, 0], [width, 0], [width, HEIGHT], [0, HEIGHT]])
        moved = corners + np.float32(shapes["perspective"]).reshape(4, 2) * HEIGHT
        m = cv2.getPerspectiveTransform(corners, moved) @ m
    return m


def warp(canvas: Ink, matrix: NDArray[np.float64], width: int) -> Ink:
    """The (32, width) window of a canvas; outside of it there is no ink."""
    if matrix[2, 0] or matrix[2, 1]:
        return cv2.warpPerspective(canvas, matrix, (width, HEIGHT), flags=cv2.INTER_LINEAR)
    return cv2.warpAffine(canvas, matrix[:2], (width, HEIGHT), flags=cv2.INTER_LINEAR)


def _no_change(thing: object, numbers: Numbers) -> object:
    return thing


def _small_angle(s: Stream, severity: float) -> Numbers:
    return (max(-6.0, min(6.0, (0.4 + 2 * severity) * s.normal())),)


def _draw_perspective(s: Stream, severity: float) -> Numbers:
    far = 0.05 + 0.12 * severity
    return tuple(s.between(-far, far) for _ in range(8))


CANVAS = (
    Transform("weight", ("stroke em",),
              lambda s, v: (s.between(.02, .05) if s.chance(.35) else -.03,), weight),
    Transform("neighbours", ("above", "below", "shift", *("letter",) * 12), _draw_neighbours,
              neighbours),
    Transform("beside", ("left", "right", "letter", "letter"),
              lambda s, v: (s.between(0, 1.8), s.between(0, 1.8), s.unit(), s.unit()), beside),
    Transform("lines", ("kind", "thickness em", "offset", "reach em", "strength"), _draw_lines,
              lines),
)
SHAPE = (
    Transform("rotation", ("degrees",), _small_angle, _no_change),
    Transform("shear", ("slant",), lambda s, v: (s.normal() * (0.04 + 0.16 * v),), _no_change),
    Transform("oblique", ("slant",), lambda s, v: (s.between(0.12, 0.26),), _no_change),
    Transform("perspective", ("dx", "dy") * 4, _draw_perspective, _no_change),
)
