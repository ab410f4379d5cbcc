"""What happens to a word between its glyphs and the window the net sees: one transform a defect.

A transform draws its numbers from a stream of its own and then applies them; the numbers go into
the recipe. They are fractions (of the text's height, of the range of tones), never indices into
something that other transforms change, so a transform can be switched off alone. There are five
places where one can act, in this order:

    CANVAS   beside the glyphs, before the warp: lines and neighbours (`Drawing` in, painted on)
    SHAPE    terms of the warp (`warp_matrix` puts them together; nothing is applied here)
    INK      the warped ink (32, W) uint8, 255 = full ink
    TONE     the gray picture (32, W) float32, 0 .. 255
    PICTURE  the finished picture (32, W) uint8
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import cos, pi, sin
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.synth.fonts import Face, Setting, paint, set_text
from core.synth.stream import Stream

HEIGHT = 32  # px of every window: core.recognizer.window.HEIGHT, which needs no import here
POOL = (96, 2048)  # px, the size of the noise pools that windows are cut from
POOL_SEED = 20240229  # of the pools; another one makes other samples

Ink = NDArray[np.uint8]
Tones = NDArray[np.float32]
Numbers = tuple[float, ...]


class Step(NamedTuple):
    """A transform that was applied to a sample, with the numbers it drew."""

    name: str
    numbers: Numbers


@dataclass
class Drawing:
    """A word on its canvas, before the warp. y down, canvas px."""

    canvas: Ink  # (h, w), 255 = ink
    face: Face
    setting: Setting
    x: int  # pen start
    y: int  # baseline
    box: tuple[float, float, float, float]  # what a detector would give: x0 y0 x1 y1


class Transform(NamedTuple):
    """One defect. `SampleSettings.<name>` is the probability that a sample has it.

    labels  what the numbers are, for the previewer
    draw    the numbers, from the transform's own stream
    apply   (what the place works on, numbers) -> the same kind of thing; see PLACES
    """

    name: str
    labels: tuple[str, ...]
    draw: Callable[[Stream], Numbers]
    apply: Callable


# ---- pools -----------------------------------------------------------------------------------

@cache
def _pool(name: str) -> Tones:
    """A (96, 2048) float32 field made once a process: "noise" white, "grain" of 2 px, "cloud" of
    12 px; each of mean 0 and standard deviation 1."""
    salt = {"noise": 0, "grain": 1, "cloud": 2}[name]
    noise = np.random.Generator(np.random.PCG64([POOL_SEED, salt])) \
        .standard_normal(POOL, np.float32)
    blur = {"noise": 0.0, "grain": 1.0, "cloud": 6.0}[name]
    if blur:
        noise = cv2.GaussianBlur(noise, (0, 0), blur)
        noise = (noise - noise.mean()) / noise.std()
    return np.ascontiguousarray(noise, np.float32)


def pool_piece(name: str, width: int, u: float, v: float) -> Tones:
    """A (32, width) piece of a pool; u and v in [0, 1) choose where."""
    top, left = int(u * (POOL[0] - HEIGHT)), int(v * (POOL[1] - width))
    return _pool(name)[top:top + HEIGHT, left:left + width]


@cache
def _ramp(width: int) -> tuple[Tones, Tones]:
    """(1, width) and (32, 1): -1 to 1 along x and along y."""
    return (np.linspace(-1, 1, width, dtype=np.float32)[None],
            np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None])


# ---- CANVAS ----------------------------------------------------------------------------------

def _draw_neighbours(s: Stream) -> Numbers:
    # above, below: gap in text heights (1 = none of the neighbour in the box); 12 letters
    return (s.between(-0.12, 0.15) if s.chance(.6) else 9.0,
            s.between(-0.12, 0.15) if s.chance(.6) else 9.0, s.between(-1, 1),
            *(s.unit() for _ in range(12)))


_NEIGHBOUR_LETTERS = "aeiourntlscdpgyhbkfmTLABESRCDO0123456789gpyjq"


def neighbours(d: Drawing, numbers: Numbers) -> None:
    """The descenders of the line above and the tops of the line below reach into the box."""
    above, below, shift, *letters = numbers
    x0, y0, x1, y1 = d.box
    text = "".join(_NEIGHBOUR_LETTERS[int(u * len(_NEIGHBOUR_LETTERS))] for u in letters)
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
        c = _NEIGHBOUR_LETTERS[int(u * len(_NEIGHBOUR_LETTERS))]
        if there > 1 or c not in glyphs:
            continue
        one = Setting(c, ((c, 0, -glyphs[c][2]),), (0, 0, 0, 0))
        width = glyphs[c][0].shape[1]
        at = d.box[2] + gap * (0.5 + there) if side else d.box[0] - gap * (0.5 + there) - width
        paint(d.canvas, d.face, one, int(at), d.y)


def lines(d: Drawing, numbers: Numbers) -> None:
    """An underline, a line through the text, or the lines of a table cell around it."""
    kind, thickness, offset, reach, strength = numbers
    x0, y0, x1, y1 = d.box
    height, em = y1 - y0, d.face.em
    t = max(1, round(thickness * em))
    a, b = int(x0 - reach * em), int(x1 + reach * em)
    value = int(strength)
    if kind < 0.6:  # under the baseline, sometimes through the descenders
        y = int(d.y + (0.06 + 0.14 * offset) * em)
        cv2.rectangle(d.canvas, (a, y), (b, y + t - 1), value, -1)
    elif kind < 0.7:
        y = int(d.y - (0.3 + 0.1 * offset) * d.face.ascent)
        cv2.rectangle(d.canvas, (a, y), (b, y + t - 1), value, -1)
    elif kind < 0.9:  # a rule above or below, at the rim of the window
        y = int(y1 + offset * 0.12 * height) if kind < 0.8 else int(y0 - offset * 0.12 * height)
        cv2.rectangle(d.canvas, (0, y), (d.canvas.shape[1], y + t - 1), value, -1)
    else:
        x = int(x0 - 0.08 * height - t) if kind < 0.95 else int(x1 + 0.08 * height)
        cv2.rectangle(d.canvas, (x, 0), (x + t - 1, d.canvas.shape[0]), value, -1)


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
    most = 5.0 / max(width / 2, HEIGHT)  # the ends of the text move 5 px at most
    angle = min(max(angle, -most), most)
    slant = shapes["shear"][0] if "shear" in shapes else 0.0
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


# ---- INK -------------------------------------------------------------------------------------

def curve(ink: Ink, numbers: Numbers) -> Ink:
    """The baseline bends like a sine: columns move up and down by up to 3 px."""
    amplitude, waves, phase = numbers
    width = ink.shape[1]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    y += np.float32(amplitude) * np.sin(x * np.float32(2 * pi * waves / width) + np.float32(phase))
    return cv2.remap(ink, x, y, cv2.INTER_LINEAR)


def spread(ink: Ink, numbers: Numbers) -> Ink:
    """Ink runs (amount > 0) or wears off (< 0), mixed with the sharp form by |amount|."""
    amount, wide, tall = numbers
    kernel = np.ones((1 + (tall < 0.7) + (tall < 0.12), 1 + (wide < 0.7) + (wide < 0.12)), np.uint8)
    changed = cv2.dilate(ink, kernel) if amount > 0 else cv2.erode(ink, kernel)
    weight = abs(amount)
    return cv2.addWeighted(changed, weight, ink, 1 - weight, 0)


def thermal(ink: Ink, numbers: Numbers) -> Ink:
    """A worn thermal head: specks, faded rows, dead columns, one side fading."""
    speck, grain, fade, rows, column, u, v, w = numbers
    width = ink.shape[1]
    out = ink.astype(np.float32)
    if speck > 0:  # dropouts where the field is low
        field = pool_piece("grain" if grain < 0.6 else "noise", width, u, v)
        out *= np.clip((field + np.float32(2.6 - 2.2 * speck)) * 1.5, 0, 1)
    if rows > 0:  # paper feed: some rows get less heat
        heat = 1.25 - rows * np.abs(_pool("grain")[:HEIGHT, int(w * 2000)])
        out *= np.clip(heat, 0.15, 1)[:, None]
    if column > 0:  # dead dots of the head
        n = 1 + int(column * 3)
        for k in range(n):
            out[:, int((w * 7.3 + k * 0.37 + u) % 1 * width)] *= 0.1
    if fade:
        x, y = _ramp(width)
        out *= np.clip(0.75 + fade * (x if v < 0.7 else y), 0.1, 1)
    return out.astype(np.uint8)


def dots(ink: Ink, numbers: Numbers) -> Ink:
    """Printed with dots: ink only on a grid of round spots (dot matrix, coarse thermal heads)."""
    pitch, phase_x, phase_y, depth = numbers
    width = ink.shape[1]
    k = 2 * pi / pitch
    x = np.cos(np.arange(width, dtype=np.float32) * k + phase_x * 6.28)
    y = np.cos(np.arange(HEIGHT, dtype=np.float32) * k + phase_y * 6.28)
    grid = np.clip(0.75 + 0.5 * (x[None] + y[:, None]), 0, 1)
    return (ink * (1 - np.float32(depth) * (1 - grid))).astype(np.uint8)


def bilevel(ink: Ink, numbers: Numbers) -> Ink:
    """Ink or no ink, nothing between: fax, stamps, screens without smoothing."""
    return cv2.threshold(ink, int(numbers[0]), 255, cv2.THRESH_BINARY)[1]


def _range(tones: Tones | Ink) -> float:
    """From the darkest to the lightest tone; never so little that an empty window stays clean."""
    return max(24.0, float(tones.max()) - float(tones.min()))


# ---- TONE ------------------------------------------------------------------------------------

def compose(ink: Ink, numbers: Numbers) -> Tones:
    """Ink on paper: (32, W) gray tones. numbers: paper and ink tone, 0 .. 255."""
    paper, dark = numbers
    return ink * np.float32((dark - paper) / 255) + np.float32(paper)


def texture(tones: Tones, numbers: Numbers) -> Tones:
    """Paper or a coloured ground that is not even."""
    depth, coarse, u, v = numbers
    field = pool_piece("cloud" if coarse < 0.6 else "grain", tones.shape[1], u, v)
    return tones + np.float32(depth * _range(tones)) * field


def gradient(tones: Tones, numbers: Numbers) -> Tones:
    """Light that falls off to one side."""
    along, across = numbers
    x, y = _ramp(tones.shape[1])
    full = np.float32(max(0.5, 1 - abs(along) - abs(across)))  # the brightest corner keeps its tone
    return tones * (full + np.float32(along) * x + np.float32(across) * y)


def shadow(tones: Tones, numbers: Numbers) -> Tones:
    """A hard shadow's edge, or a crease: a dark line across the window."""
    at, slope, depth, crease, softness = numbers
    x, y = _ramp(tones.shape[1])
    distance = (x - np.float32(2 * at - 1)) * (tones.shape[1] / HEIGHT) + np.float32(slope) * y
    if crease > 0.5:
        line = np.exp(-np.square(distance / np.float32(0.03 + 0.1 * softness)))
        return tones * (1 - np.float32(depth) * line)
    side = 0.5 + 0.5 * np.tanh(distance / np.float32(0.02 + softness * 0.3))
    return tones * (1 - np.float32(depth) * side)


# ---- PICTURE ---------------------------------------------------------------------------------

def low_resolution(image: Ink, numbers: Numbers) -> Ink:
    """Taken at fewer pixels and enlarged again."""
    factor, smooth = numbers
    width = image.shape[1]
    small = cv2.resize(image, (max(4, round(width * factor)), max(8, round(HEIGHT * factor))),
                       interpolation=cv2.INTER_AREA)
    how = cv2.INTER_LINEAR if smooth < 0.6 else cv2.INTER_CUBIC if smooth < 0.92 \
        else cv2.INTER_NEAREST
    return cv2.resize(small, (width, HEIGHT), interpolation=how)


def blur(image: Ink, numbers: Numbers) -> Ink:
    """Out of focus, the same in all directions or more along one axis."""
    along, across = numbers
    return cv2.GaussianBlur(image, (0, 0), sigmaX=along, sigmaY=across)


def _draw_blur(s: Stream) -> Numbers:
    sigma = s.between(0.3, 1.5)
    return sigma, sigma * s.between(0.8, 1.25)


def motion(image: Ink, numbers: Numbers) -> Ink:
    """The camera moved: a box blur along a line."""
    length, upright = numbers
    n = 2 + int(length)
    return cv2.blur(image, (n, 1) if upright < 0.6 else (1, n))


def sharpen(image: Ink, numbers: Numbers) -> Ink:
    """A scanner's unsharp mask, with its bright rims."""
    (amount,) = numbers
    return cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), 1.2), -amount, 0)


def specks(image: Ink, numbers: Numbers) -> Ink:
    """Dust and toner: dark (or light) dots."""
    level, light, u, v = numbers
    spots = pool_piece("grain" if u < 0.7 else "noise", image.shape[1], v, u) > level
    out = image.copy()
    out[spots] = 255 if light < 0.25 else int(image.min())
    return out


def noise(image: Ink, numbers: Numbers) -> Ink:
    """A sensor's noise, white or of 2 px grain; its deviation is a part of the range of tones."""
    deviation, grain, u, v = numbers
    field = pool_piece("noise" if grain < 0.7 else "grain", image.shape[1], u, v)
    return np.clip(image + np.float32(deviation * _range(image)) * field, 0, 255).astype(np.uint8)


def jpeg(image: Ink, numbers: Numbers) -> Ink:
    """Through a JPEG file of this quality."""
    packed = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, int(numbers[0])))[1]
    return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)


def threshold(image: Ink, numbers: Numbers) -> Ink:
    """Black and white, at a level between the darkest and the lightest tone."""
    low, high = int(image.min()), int(image.max())
    return cv2.threshold(image, low + numbers[0] * (high - low), 255, cv2.THRESH_BINARY)[1]


def inversion(image: Ink, numbers: Numbers) -> Ink:
    """Light text on dark."""
    return cv2.bitwise_not(image)


def _small_angle(s: Stream) -> Numbers:
    return (max(-6.0, min(6.0, 1.4 * s.normal())),)


CANVAS = (
    Transform("neighbours", ("above", "below", "shift", *("letter",) * 12), _draw_neighbours,
              neighbours),
    Transform("beside", ("left", "right", "letter", "letter"),
              lambda s: (s.between(0, 1.8), s.between(0, 1.8), s.unit(), s.unit()), beside),
    Transform("lines", ("kind", "thickness em", "offset", "reach em", "strength"),
              lambda s: (s.unit(), s.between(0.03, 0.1), s.unit(), s.between(-.3, 1),
                         s.between(120, 255)), lines),
)
SHAPE = (
    Transform("rotation", ("degrees",), _small_angle, _no_change),
    Transform("shear", ("slant",), lambda s: (s.normal() * 0.12,), _no_change),
    Transform("perspective", ("dx", "dy") * 4,
              lambda s: tuple(s.between(-0.14, 0.14) for _ in range(8)), _no_change),
)
INK = (
    Transform("curve", ("amplitude px", "waves", "phase"),
              lambda s: (s.between(0.5, 2.5), s.between(0.3, 1.5), s.between(0, 6.28)), curve),
    Transform("spread", ("amount", "wide", "tall"),
              lambda s: (s.between(0.3, 1) * (1 if s.chance(.6) else -0.8), s.unit(), s.unit()),
              spread),
    Transform("thermal", ("specks", "grain", "fade", "rows", "columns", "u", "v", "w"),
              lambda s: (s.unit() if s.chance(.6) else 0.0, s.unit(),
                         s.between(-.6, .6) if s.chance(.3) else 0.0,
                         s.between(.2, 1) if s.chance(.4) else 0.0,
                         s.unit() if s.chance(.2) else 0.0, s.unit(), s.unit(), s.unit()), thermal),
    Transform("dots", ("pitch px", "phase x", "phase y", "depth"),
              lambda s: (s.between(2.2, 4.5), s.unit(), s.unit(), s.between(.4, 1)), dots),
    Transform("bilevel", ("level",), lambda s: (s.between(70, 180),), bilevel),
)
TONE = (
    Transform("texture", ("depth", "coarse", "u", "v"),
              lambda s: (s.between(.01, .14), s.unit(), s.unit(), s.unit()), texture),
    Transform("gradient", ("along", "across"),
              lambda s: (s.normal() * .07, s.normal() * .05), gradient),
    Transform("shadow", ("at", "slope", "depth", "crease", "softness"),
              lambda s: (s.unit(), s.between(-1, 1), s.between(.1, .5), s.unit(), s.unit()),
              shadow),
)
PICTURE = (
    Transform("motion", ("length px", "upright"), lambda s: (s.between(0, 2.9), s.unit()), motion),
    Transform("blur", ("sigma x", "sigma y"),
              _draw_blur, blur),
    Transform("low_resolution", ("factor", "smooth"),
              lambda s: (s.between(.3, .75), s.unit()), low_resolution),
    Transform("sharpen", ("amount",), lambda s: (s.between(.3, 1.6),), sharpen),
    Transform("specks", ("level", "light", "u", "v"),
              lambda s: (s.between(2.2, 3.4), s.unit(), s.unit(), s.unit()), specks),
    Transform("noise", ("deviation", "grain", "u", "v"),
              lambda s: (0.005 + 0.16 * s.unit() ** 3, s.unit(), s.unit(), s.unit()), noise),
    Transform("threshold", ("level",), lambda s: (s.between(.35, .65),), threshold),
    Transform("jpeg", ("quality",), lambda s: (float(s.whole(12, 80)),), jpeg),
    Transform("inversion", (), lambda s: (), inversion),
)
PLACES: tuple[tuple[str, tuple[Transform, ...]], ...] = (
    ("canvas", CANVAS), ("shape", SHAPE), ("ink", INK), ("tone", TONE), ("picture", PICTURE))
