"""A phone's picture of a page: bent, folded, seen at an angle, badly lit, blurred; its truth too.

`photograph` is a pure function of the page, settings, seed and number. Each defect has a random
stream of its own, as for words. Frames: *page px* are those of the image given, *photo px* those
of the picture made; both at pixel edges, y down.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.errors import Usage
from core.parameters import check_limits, param
from core.synth.defect import Step
from core.synth.pools import pool
from core.synth.stream import Stream

EDGE_POINTS = 9  # points along each edge of a box, whose bound is its box on bent paper
FULL_BLUR = 1000  # px, the shorter side of a photo below which blur is less: its print is smaller
LIGHT_GRID = 16  # px between the points at which light is worked out


@dataclass(frozen=True)
class PhotoSettings:
    """The odds of each defect; zero switches it off and leaves the others alone."""

    severity: float = param(1.2, low=0.1, high=10, help="how mild most photos are: their severity "
                            "is a uniform number to this power")
    turn: float = param(0.8, low=0, high=1, help="turned by a few degrees")
    perspective: float = param(0.8, low=0, high=1, help="seen at an angle")
    curl: float = param(0.6, low=0, high=1, help="paper that is bent")
    fold: float = param(0.35, low=0, high=1, help="creases where it was folded")
    gradient: float = param(0.8, low=0, high=1, help="light that falls off")
    shadow: float = param(0.4, low=0, high=1, help="the shadow of a hand or phone")
    glare: float = param(0.2, low=0, high=1, help="a lamp's reflection")
    blur: float = param(0.5, low=0, high=1, help="out of focus")
    motion: float = param(0.15, low=0, high=1, help="the hand moved")
    noise: float = param(0.7, low=0, high=1, help="sensor noise")
    jpeg: float = param(0.9, low=0, high=1, help="through a JPEG file")

    def __post_init__(self) -> None:
        check_limits(self)


class Photo(NamedTuple):
    """`image` (H, W[, 3]) uint8; `quads` (n, 4, 2) float32 the given boxes' corners, `box` (n, 4)
    float32 the bounds of their bent outlines, photo px; `recipe` the steps with their numbers."""

    image: NDArray[np.uint8]
    quads: NDArray[np.float32]
    box: NDArray[np.float32]
    recipe: tuple[Step, ...]


class Bend(NamedTuple):
    """Photo px from page px: shifts along x by y, along y by x, then a homography.

    lift (w,) px added to y at each page column, push (h,) px added to x at each page row.
    """

    lift: NDArray[np.float64]
    push: NDArray[np.float64]
    photo_from_flat: NDArray[np.float64]  # (3, 3)

    def forward(self, points: NDArray) -> NDArray[np.float64]:
        """(..., 2) photo px of page px, both at edges."""
        p = np.asarray(points, np.float64)
        y = p[..., 1] + _at(self.lift, p[..., 0])
        x = p[..., 0] + _at(self.push, y)
        q = np.stack([x, y, np.ones_like(x)], -1) @ self.photo_from_flat.T
        return q[..., :2] / q[..., 2:]

    def backward(self, points: NDArray) -> NDArray[np.float64]:
        """(..., 2) page px of photo px, both at edges: the inverse of `forward`."""
        p = np.asarray(points, np.float64)
        q = np.concatenate([p, np.ones((*p.shape[:-1], 1))], -1) \
            @ np.linalg.inv(self.photo_from_flat).T
        x, y = q[..., 0] / q[..., 2], q[..., 1] / q[..., 2]
        x = x - _at(self.push, y)
        return np.stack([x, y - _at(self.lift, x)], -1)


def _at(values: NDArray, where: NDArray) -> NDArray[np.float64]:
    """A shift between its sample points, held at the ends."""
    return np.interp(where, np.arange(len(values)) + 0.5, values)


def photograph(image: NDArray[np.uint8], quads: NDArray, settings: PhotoSettings, seed: int,
               i: int) -> Photo:
    """The i-th photo of a page, and where its words have gone.

    image  (H, W) or (H, W, 3) uint8
    quads  (n, 4) boxes or (n, 4, 2) quads, page px
    Raises Usage for truth of another shape.
    """
    quads = np.asarray(quads, np.float64)
    if quads.ndim == 2 and quads.shape[1] == 4 or quads.size == 0:
        quads = np.asarray(geometry.quads_from_boxes(quads.reshape(-1, 4)), np.float64)
    if quads.ndim != 3 or quads.shape[1:] != (4, 2):
        raise Usage(f"truth of shape {quads.shape}; give boxes (n, 4) or quads (n, 4, 2)")
    severity = Stream(seed, i, "photo severity").unit() ** settings.severity
    making = _Photo(settings, seed, i, severity)
    height, width = image.shape[:2]
    bend, size, folds = making.bend(width, height)
    picture = making.rendered(image, bend, size)
    picture = making.lit(picture, bend, folds)
    picture = making.taken(picture)
    corners = bend.forward(quads)
    t = np.linspace(0, 1, EDGE_POINTS)[:, None]
    outline = np.concatenate([quads[:, None, k] * (1 - t) + quads[:, None, (k + 1) % 4] * t
                              for k in range(4)], 1)
    bent = bend.forward(outline)
    box = np.concatenate([bent.min(1), bent.max(1)], 1) if len(quads) else np.zeros((0, 4))
    return Photo(picture, corners.astype(np.float32), box.astype(np.float32),
                 tuple(making.steps))


class _Photo:
    """One photo while it is made."""

    def __init__(self, settings: PhotoSettings, seed: int, i: int, severity: float) -> None:
        self.settings, self.seed, self.i, self.severity = settings, seed, i, severity
        self.steps = [Step("severity", (severity,))]

    def _stream(self, name: str) -> Stream | None:
        """The stream of a defect if this photo has it."""
        s = Stream(self.seed, self.i, "photo " + name)
        return s if s.unit() < getattr(self.settings, name) else None

    def _noted(self, name: str, *numbers: float) -> tuple[float, ...]:
        self.steps.append(Step(name, numbers))
        return numbers

    # ---- shape -----------------------------------------------------------------------------

    def bend(self, width: int, height: int) -> tuple[Bend, tuple[int, int], list]:
        """(the map, the photo's width and height, folds as (along x?, position, depth))."""
        v, short = self.severity, min(width, height)
        lift, push, folds = np.zeros(width), np.zeros(height), []
        if s := self._stream("curl"):
            a, waves, phase, b = self._noted(
                "curl", s.between(0.2, 1) * (0.003 + 0.02 * v) * short, s.between(0.3, 1.2),
                s.between(0, 2 * pi), s.between(-1, 1) * 0.006 * v * short)
            lift += a * np.sin(np.linspace(0, 2 * pi * waves, width) + phase)
            push += b * np.sin(np.linspace(0, pi, height) + phase)
        if s := self._stream("fold"):
            for k in range(s.whole(1, 2)):
                upright, at, depth = self._noted("fold", float(s.chance(.4)), s.between(0.2, 0.8),
                                                 s.between(0.2, 1) * (0.2 + v))
                folds.append((bool(upright), at, depth))
                n = width if upright else height
                kink = -np.abs(np.arange(n) - at * n) * (0.012 * depth)
                if upright:  # the page bends about an upright crease: its halves tilt
                    lift += kink - kink.mean()
                else:
                    push += kink - kink.mean()
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        moved = corners.copy()
        if s := self._stream("turn"):
            (degrees,) = self._noted("turn", max(-9.0, min(9.0, s.normal() * (0.6 + 3.5 * v))))
            c, n = cos(degrees * pi / 180), sin(degrees * pi / 180)
            middle = corners.mean(0)
            moved = (moved - middle) @ np.array([[c, n], [-n, c]]) + middle
        if s := self._stream("perspective"):
            far = (0.01 + 0.06 * v) * short
            moved = moved + np.reshape(self._noted(
                "perspective", *(s.between(-far, far) for _ in range(8))), (4, 2))
        s = Stream(self.seed, self.i, "photo rim")
        rim = self._noted("rim", *(s.between(0.01, 0.07) * short for _ in range(4)))
        slack = np.abs(lift).max(), np.abs(push).max()
        low = moved.min(0) - (rim[0] + slack[1], rim[1] + slack[0])
        high = moved.max(0) + (rim[2] + slack[1], rim[3] + slack[0])
        homography = cv2.getPerspectiveTransform(np.float32(corners), np.float32(moved - low))
        size = tuple(int(v) for v in np.ceil(high - low))
        return Bend(lift, push, np.asarray(homography, np.float64)), size, folds

    def rendered(self, image: NDArray[np.uint8], bend: Bend, size: tuple[int, int],
                 ) -> NDArray[np.float32]:
        """The page bent, on a table: (H, W[, 3]) float32."""
        x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
        source = (bend.backward(np.stack([x, y], -1)) - 0.5).astype(np.float32)
        page = cv2.remap(image, source[..., 0], source[..., 1], cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        height, width = image.shape[:2]
        inside = (np.clip(np.minimum(source[..., 0] + 1, width - source[..., 0]), 0, 1)
                  * np.clip(np.minimum(source[..., 1] + 1, height - source[..., 1]), 0, 1))
        s = Stream(self.seed, self.i, "photo table")
        tone, grain, wood = self._noted("table", s.between(20, 150), s.between(2, 14), s.unit())
        field = cv2.resize(pool("fibre" if wood < .6 else "cloud"), size)
        table = np.float32(tone) + np.float32(grain) * field
        if image.ndim == 3:
            inside, table = inside[..., None], np.repeat(table[..., None], 3, 2)
        return page * inside + table * (1 - inside)

    # ---- light -----------------------------------------------------------------------------

    def lit(self, picture: NDArray[np.float32], bend: Bend, folds: list) -> NDArray[np.float32]:
        """Uneven light, creases, shadow, glare. Worked out on a coarse grid: light is smooth."""
        height, width = picture.shape[:2]
        n_x, n_y = width // LIGHT_GRID + 2, height // LIGHT_GRID + 2
        x, y = np.meshgrid(np.linspace(-1, 1, n_x), np.linspace(-1, 1, n_y))
        light, v = np.ones((n_y, n_x)), self.severity
        if s := self._stream("gradient"):
            a, b, c = self._noted("gradient", s.normal() * (.04 + .1 * v),
                                  s.normal() * (.04 + .1 * v), s.between(0, .05 + .15 * v))
            light *= np.clip(1 + a * x + b * y - c * (x * x + y * y), 0.3, 1.3)
        if s := self._stream("shadow"):
            angle, at, soft, depth = self._noted("shadow", s.between(0, 2 * pi), s.between(-.6, .6),
                                                 s.between(.03, .4), s.between(.1, .2 + .35 * v))
            side = (x * cos(angle) + y * sin(angle) - at
                    + 0.15 * np.sin(3 * (x * sin(angle) - y * cos(angle)))) / soft
            light *= 1 - depth * (0.5 + 0.5 * np.tanh(side))
        picture = picture * _spread(light, picture)
        for upright, at, depth in folds:
            picture *= self._crease(picture, bend, upright, at, depth)
        if s := self._stream("glare"):
            gx, gy, wide, strength = self._noted("glare", s.between(-.8, .8), s.between(-.8, .8),
                                                 s.between(.1, .4), s.between(.2, .4 + .35 * v))
            spot = strength * np.exp(-((x - gx) ** 2 + (y - gy) ** 2) / wide ** 2)
            picture += (np.float32(265) - picture) * _spread(spot, picture)
        return picture

    def _crease(self, picture: NDArray[np.float32], bend: Bend, upright: bool, at: float,
                depth: float) -> NDArray[np.float32]:
        """(H, W[, 1]) factors: a thin dark line with a bright one beside it, along the fold."""
        height, width = picture.shape[:2]
        n = len(bend.lift) if upright else len(bend.push)
        length = len(bend.push) if upright else len(bend.lift)
        t = np.linspace(0, length, 40)
        line = np.stack([np.full(40, at * n), t] if upright else [t, np.full(40, at * n)], -1)
        mask = np.zeros((height, width), np.float32)
        points = np.round(bend.forward(line)).astype(np.int32)
        cv2.polylines(mask, [points], False, 1.0, 2, cv2.LINE_AA)
        cv2.polylines(mask, [points + (3, 3)], False, -0.5, 2, cv2.LINE_AA)
        mask = 1 - np.float32(0.45 * min(depth, 1.0)) * cv2.GaussianBlur(mask, (0, 0), 1.5)
        return mask if picture.ndim == 2 else mask[..., None]

    # ---- camera ----------------------------------------------------------------------------

    def taken(self, picture: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Blur, noise and a file."""
        v = self.severity
        fine = min(1.0, min(picture.shape[:2]) / FULL_BLUR)
        if s := self._stream("blur"):
            (sigma,) = self._noted("blur", s.between(0.3, 0.7 + 0.9 * v))
            picture = cv2.GaussianBlur(picture, (0, 0), fine * sigma)
        if s := self._stream("motion"):
            length, angle = self._noted("motion", s.between(1.5, 2 + 3 * v), s.between(0, pi))
            picture = cv2.filter2D(picture, -1, _stroke(fine * length, angle),
                                   borderType=cv2.BORDER_REPLICATE)
        if s := self._stream("noise"):
            deviation, salt = self._noted("noise", s.between(1, 3 + 9 * v),
                                          float(s.below(2 ** 31)))
            rng = np.random.Generator(np.random.PCG64(int(salt)))
            picture = picture + np.float32(deviation) * rng.standard_normal(picture.shape,
                                                                            np.float32)
        image = np.clip(picture, 0, 255).astype(np.uint8)
        if s := self._stream("jpeg"):
            (quality,) = self._noted("jpeg", float(s.whole(int(80 - 45 * v), 92)))
            packed = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, int(quality)))[1]
            image = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
        return image


def _spread(coarse: NDArray[np.float64], picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """A coarse field enlarged to a picture's size, with a channel axis if the picture has one."""
    fine = cv2.resize(coarse.astype(np.float32), picture.shape[1::-1],
                      interpolation=cv2.INTER_LINEAR)
    return fine if picture.ndim == 2 else fine[..., None]


def _stroke(length: float, angle: float) -> NDArray[np.float32]:
    """A line of this length in px, as a kernel of sum 1."""
    n = int(np.ceil(length))
    kernel = np.zeros((2 * n + 1, 2 * n + 1), np.float32)
    for t in np.linspace(-length / 2, length / 2, 4 * n + 1):
        kernel[n + round(t * sin(angle)), n + round(t * cos(angle))] += 1
    return kernel / kernel.sum()
