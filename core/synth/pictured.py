"""TONE and PICTURE: the paper and the light on it, then what lens, sensor and file make of them.

TONE works on gray tones (32, W) float32, 0 .. 255; PICTURE on the finished picture (32, W) uint8.
"""

from __future__ import annotations

from functools import cache
from math import cos, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from core.synth.defect import Numbers, Transform
from core.synth.pools import HEIGHT, Ink, Tones, pool_piece, ramp
from core.synth.stream import Stream

FAX_LINES = 2  # px of the window per line of a fax at its coarse resolution, 98 lines an inch


def tone_range(tones: Tones | Ink) -> float:
    """From the darkest to the lightest tone; never so little that an empty window stays clean."""
    return max(24.0, float(tones.max()) - float(tones.min()))


# ---- TONE ------------------------------------------------------------------------------------

def compose(ink: Ink, numbers: Numbers) -> Tones:
    """Ink on paper: (32, W) gray tones. numbers: paper and ink tone, 0 .. 255."""
    paper, dark = numbers
    return ink * np.float32((dark - paper) / 255) + np.float32(paper)


def texture(tones: Tones, numbers: Numbers) -> Tones:
    """Paper that is not even: cloudy, grainy, fibrous."""
    depth, coarse, u, v = numbers
    name = "cloud" if coarse < 0.5 else "grain" if coarse < 0.75 else "fibre"
    field = pool_piece(name, tones.shape[1], u, v)
    return tones + np.float32(depth * tone_range(tones)) * field


def pattern(tones: Tones, numbers: Numbers) -> Tones:
    """Printed paper: a screen of lines or dots, or a tinted band behind the text."""
    kind, depth, period, angle, phase = numbers
    x, y = ramp(tones.shape[1])
    x, y = x * np.float32(tones.shape[1] / 2), y * np.float32(HEIGHT / 2)
    k = np.float32(2 * pi / period)
    along = x * np.float32(cos(angle)) + y * np.float32(sin(angle))
    if kind < 0.45:  # hatching, security lines, halftone bands
        field = np.sin(along * k + np.float32(phase))
    elif kind < 0.75:  # halftone dots
        across = y * np.float32(cos(angle)) - x * np.float32(sin(angle))
        field = np.sin(along * k) * np.sin(across * k + np.float32(phase)) * 1.4
    else:  # the edge of a coloured field
        field = np.tanh(along - np.float32((phase / pi - 1) * tones.shape[1] / 2)) - 1
    return tones + np.float32(depth * tone_range(tones) / 2) * field


def gradient(tones: Tones, numbers: Numbers) -> Tones:
    """Light that falls off to one side."""
    along, across = numbers
    x, y = ramp(tones.shape[1])
    full = np.float32(max(0.5, 1 - abs(along) - abs(across)))  # the brightest corner keeps its tone
    return tones * (full + np.float32(along) * x + np.float32(across) * y)


def shadow(tones: Tones, numbers: Numbers) -> Tones:
    """The edge of a shadow: one side of the window is darker."""
    at, slope, depth, softness = numbers
    side = 0.5 + 0.5 * np.tanh(_distance(tones, at, slope) / np.float32(0.02 + softness * 0.3))
    return tones * (1 - np.float32(depth) * side)


def crease(tones: Tones, numbers: Numbers) -> Tones:
    """A fold across the window: a dark line, a bright one beside it."""
    at, slope, depth, width = numbers
    d = _distance(tones, at, slope) / np.float32(0.03 + 0.1 * width)
    line = np.exp(-np.square(d)) - 0.5 * np.exp(-np.square(d - 2))
    return tones * (1 - np.float32(depth) * line)


def _distance(tones: Tones, at: float, slope: float) -> Tones:
    """How far each pixel lies from a slanted line, in window heights."""
    x, y = ramp(tones.shape[1])
    return (x - np.float32(2 * at - 1)) * np.float32(tones.shape[1] / HEIGHT) \
        + np.float32(slope) * y


def glare(tones: Tones, numbers: Numbers) -> Tones:
    """A lamp's reflection: a bright spot in which ink pales."""
    at, high, wide, strength = numbers
    x, y = ramp(tones.shape[1])
    dx = (x - np.float32(2 * at - 1)) * np.float32(tones.shape[1] / HEIGHT / wide)
    spot = np.exp(-np.square(dx) - np.square((y - np.float32(high)) * np.float32(0.7 / wide)))
    return tones + (np.float32(275) - tones) * (np.float32(strength) * spot)


# ---- PICTURE ---------------------------------------------------------------------------------

def low_resolution(image: Ink, numbers: Numbers) -> Ink:
    """Taken at fewer pixels and enlarged again."""
    factor, smooth = numbers
    width = image.shape[1]
    small = cv2.resize(image, (max(4, round(width * factor)), max(8, round(HEIGHT * factor))),
                       interpolation=cv2.INTER_AREA)
    how = cv2.INTER_LINEAR if smooth < 0.7 else cv2.INTER_CUBIC if smooth < 0.94 \
        else cv2.INTER_NEAREST
    return cv2.resize(small, (width, HEIGHT), interpolation=how)


def blur(image: Ink, numbers: Numbers) -> Ink:
    """Softened, the same in all directions or more along one axis."""
    along, across = numbers
    return cv2.GaussianBlur(image, (0, 0), sigmaX=along, sigmaY=across)


def _draw_blur(s: Stream, severity: float) -> Numbers:
    sigma = s.between(0.35, 0.7 + 0.75 * severity)
    return sigma, sigma * s.between(0.8, 1.25)


@cache
def _disc(radius: float) -> NDArray[np.float32]:
    """A disc of this radius in px, its rim in parts of pixels, of sum 1."""
    n = int(np.ceil(radius))
    y, x = np.mgrid[-n:n + 1, -n:n + 1].astype(np.float32)
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return disc / disc.sum()


def defocus(image: Ink, numbers: Numbers) -> Ink:
    """Out of focus: every point becomes a disc, which has edges where a Gaussian has none."""
    return cv2.filter2D(image, -1, _disc(numbers[0]), borderType=cv2.BORDER_REPLICATE)


def motion(image: Ink, numbers: Numbers) -> Ink:
    """The camera moved: a box blur along a line."""
    length, upright = numbers
    n = 2 + int(length)
    return cv2.blur(image, (n, 1) if upright < 0.6 else (1, n))


def sharpen(image: Ink, numbers: Numbers) -> Ink:
    """A scanner's unsharp mask, with its bright rims."""
    (amount,) = numbers
    return cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), 1.2), -amount, 0)


def tone_curve(image: Ink, numbers: Numbers) -> Ink:
    """A scanner's or app's contrast: paper turns quite white, ink quite black, by degrees."""
    black, white, gamma = numbers
    low, high = float(image.min()), float(image.max())
    span = max(high - low, 1.0)
    tone = (np.arange(256) - (low + black * span)) / (span * (1 - black - white))
    dark = 0.75 * low  # faint print darkens, too, and never turns lighter than its paper
    table = dark + (255 - dark) * np.clip(tone, 0, 1) ** gamma
    return cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8))


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
    field = pool_piece("noise" if grain < 0.5 else "grain", image.shape[1], u, v)
    return np.clip(image + np.float32(deviation * tone_range(image)) * field,
                   0, 255).astype(np.uint8)


def jpeg(image: Ink, numbers: Numbers) -> Ink:
    """Through a JPEG file of this quality."""
    packed = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, int(numbers[0])))[1]
    return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)


def resampled(image: Ink, numbers: Numbers) -> Ink:
    """Read between its pixels, as a window is that was cut from a page: fine grain softens."""
    dx, dy = numbers
    return cv2.warpAffine(image, np.float32([[1, 0, dx], [0, 1, dy]]), image.shape[::-1],
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_REPLICATE)


def threshold(image: Ink, numbers: Numbers) -> Ink:
    """Black and white, at a level between the darkest and the lightest tone."""
    low, high = int(image.min()), int(image.max())
    return cv2.threshold(image, low + numbers[0] * (high - low), 255, cv2.THRESH_BINARY)[1]


def fax(image: Ink, numbers: Numbers) -> Ink:
    """Through a fax: black and white, half as many lines as columns, a lost line repeated."""
    level, lost, scale = numbers
    width = image.shape[1]
    n = (max(8, round(width * scale)), round(HEIGHT / FAX_LINES))
    small = cv2.resize(image, n, interpolation=cv2.INTER_AREA)
    low, high = int(small.min()), int(small.max())
    small = cv2.threshold(small, low + level * (high - low), 255, cv2.THRESH_BINARY)[1]
    if lost < 0.5:
        row = 1 + int(lost * 2 * (n[1] - 1))
        small[row] = small[row - 1]
    return cv2.resize(small, (width, HEIGHT), interpolation=cv2.INTER_LINEAR)


def inversion(image: Ink, numbers: Numbers) -> Ink:
    """Light text on dark."""
    return cv2.bitwise_not(image)


TONE = (
    Transform("texture", ("depth", "coarse", "u", "v"),
              lambda s, v: (s.between(.005, .03 + .1 * v), s.unit(), s.unit(), s.unit()), texture),
    Transform("pattern", ("kind", "depth", "period px", "angle", "phase"),
              lambda s, v: (s.unit(), s.between(.04, .12 + .3 * v), s.between(2.5, 14),
                            s.between(0, pi), s.between(0, 2 * pi)), pattern),
    Transform("gradient", ("along", "across"),
              lambda s, v: (s.normal() * (.02 + .1 * v), s.normal() * (.01 + .07 * v)), gradient),
    Transform("shadow", ("at", "slope", "depth", "softness"),
              lambda s, v: (s.unit(), s.between(-1, 1), s.between(.08, .2 + .3 * v), s.unit()),
              shadow),
    Transform("crease", ("at", "slope", "depth", "width"),
              lambda s, v: (s.unit(), s.between(-1, 1), s.between(.08, .2 + .3 * v), s.unit()),
              crease),
    Transform("glare", ("at", "high", "wide heights", "strength"),
              lambda s, v: (s.unit(), s.between(-1, 1), s.between(.5, 2.5),
                            s.between(.2, .4 + .4 * v)), glare),
)
PICTURE = (
    Transform("motion", ("length px", "upright"),
              lambda s, v: (s.between(0, 1 + 1.9 * v), s.unit()), motion),
    Transform("blur", ("sigma x", "sigma y"), _draw_blur, blur),
    Transform("defocus", ("radius px",),
              lambda s, v: (round(s.between(0.6, 1.1 + 1.1 * v), 1),), defocus),
    Transform("low_resolution", ("factor", "smooth"),
              lambda s, v: (s.between(.62 - .24 * v, .85), s.unit()), low_resolution),
    Transform("sharpen", ("amount",), lambda s, v: (s.between(.3, .8 + .8 * v),), sharpen),
    Transform("tone_curve", ("black", "white", "gamma"),
              lambda s, v: (s.between(0, .2), s.between(.02, .3), s.between(.7, 1.4)), tone_curve),
    Transform("specks", ("level", "light", "u", "v"),
              lambda s, v: (s.between(3.2 - v, 3.6), s.unit(), s.unit(), s.unit()), specks),
    Transform("noise", ("deviation", "grain", "u", "v"),
              lambda s, v: (0.004 + (.03 + .1 * v) * s.unit() ** 2, s.unit(), s.unit(), s.unit()),
              noise),
    Transform("threshold", ("level",), lambda s, v: (s.between(.38, .62),), threshold),
    Transform("fax", ("level", "lost line", "scale"),
              lambda s, v: (s.between(.45, .65), s.unit(), s.between(.75, 1)), fax),
    Transform("jpeg", ("quality",), lambda s, v: (float(int(s.between(55 - 40 * v, 90))),), jpeg),
    Transform("resampled", ("dx px", "dy px"),
              lambda s, v: (s.between(-.5, .5), s.between(-.5, .5)), resampled),
    Transform("inversion", (), lambda s, v: (), inversion),
)
