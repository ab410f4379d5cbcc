"""Pictures of nothing, as they are printed, and what in them has the size of letters.

A net is asked about windows that a detector proposes. On a photo, screened for print or scanned
to black and white, these are blobs, strands and grain framed as letters are, with more of the
picture about them. Windows drawn without text, each for itself, lack just that.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.recognizer.window import DARK_ON_LIGHT, LIGHT_ON_DARK
from core.train.piece import RealWord

SIZE = (560, 760)  # px, a page with one picture
EDGE = 30  # px of paper around it
LETTER = (5, 44)  # px, heights of what may pass for a letter
SLENDER = (0.12, 2.5)  # its width over its height
FILLED = (0.08, 0.95)  # its area over its box's
APART = 0.9  # heights: pieces no further apart than this may pass for a word
EACH = 60  # pieces of one picture at most
AROUND = 8  # px of the picture kept about a piece


def picture_pieces(n: int, seed: int) -> list[RealWord]:
    """Pieces that say nothing, of `n` drawn pictures: connected parts of the size of letters, dark
    and light, some of them with the next ones in their row."""
    found: list[RealWord] = []
    for number in range(n):
        rng = np.random.default_rng([seed, number])
        gray = page(rng)
        boxes = [(box, polarity) for polarity in (DARK_ON_LIGHT, LIGHT_ON_DARK)
                 for box in _parts(gray if polarity == DARK_ON_LIGHT else 255 - gray)]
        for k in rng.permutation(len(boxes))[:EACH]:
            box, polarity = boxes[k]
            if rng.random() < 0.3:
                others = np.array([b for b, p in boxes if p == polarity])
                box = _row(others, box, int(rng.integers(2, 6)))
            found.append(_piece(gray, box, polarity))
    return found


def _parts(gray: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
    """Boxes of the dark connected parts that may pass for letters, over a local threshold."""
    level = cv2.GaussianBlur(gray, (0, 0), 15).astype(np.int16) - 12
    dark = (gray < np.minimum(level, 128)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    x, y, w, h, area = stats[1:].T
    keep = ((h >= LETTER[0]) & (h <= LETTER[1]) & (w >= SLENDER[0] * h) & (w <= SLENDER[1] * h)
            & (area >= FILLED[0] * w * h) & (area <= FILLED[1] * w * h))
    return [tuple(int(v) for v in row) for row in np.stack([x, y, x + w, y + h], 1)[keep]]


def _row(boxes: NDArray, first: tuple[int, int, int, int], most: int) -> tuple[int, int, int, int]:
    """The box of a part and of up to `most` - 1 that follow it, each near the one before."""
    x0, y0, x1, y1 = first
    for _ in range(most - 1):
        tall = y1 - y0
        gap = boxes[:, 0] - x1
        level = np.minimum(boxes[:, 3], y1) - np.maximum(boxes[:, 1], y0)
        near = np.flatnonzero((gap >= 0) & (gap <= APART * tall) & (level > 0.5 * tall)
                              & (boxes[:, 3] - boxes[:, 1] < 2 * tall))
        if not len(near):
            break
        a = boxes[near[np.argmin(gap[near])]]
        x1, y0, y1 = int(a[2]), min(y0, int(a[1])), max(y1, int(a[3]))
    return x0, y0, x1, y1


def _piece(gray: NDArray[np.uint8], box: tuple[int, int, int, int], polarity: int) -> RealWord:
    x0, y0, x1, y1 = box
    left, top = max(0, x0 - AROUND), max(0, y0 - AROUND)
    piece = gray[top:y1 + AROUND, left:x1 + AROUND].copy()
    inside = (float(x0 - left), float(y0 - top), float(x1 - left), float(y1 - top))
    return RealWord(piece, inside, polarity, "", True)


def page(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A page (560, 760) with a picture of no subject in one of the ways pictures are printed."""
    height, width = SIZE[0] - 2 * EDGE, SIZE[1] - 2 * EDGE
    tone = _strands(rng, _things(rng, _light(rng, height, width)))
    for pattern in (_stripes, _lattice):
        if rng.random() < 0.6:
            tone = pattern(rng, tone)
    tone = np.clip((tone - 0.5) * rng.uniform(0.8, 2.2) + rng.uniform(0.2, 0.75), 0, 1)
    screen = (_plain, _plain, _dots, _threshold, _threshold, _random)[rng.integers(6)]
    tone = screen(rng, tone)
    gray = np.full(SIZE, 255, np.float32)
    gray[EDGE:-EDGE, EDGE:-EDGE] = rng.uniform(0, 60) + rng.uniform(170, 195) * tone
    if rng.random() < 0.5:
        gray = cv2.GaussianBlur(gray, (0, 0), rng.uniform(0.4, 1.0))
    if rng.random() < 0.3:
        gray = gray + rng.standard_normal(gray.shape).astype(np.float32) * rng.uniform(1, 8)
    return np.clip(gray, 0, 255).astype(np.uint8)


def _light(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """Soft areas with detail at all scales: energy falls with frequency, as in photos."""
    tone = np.full((height, width), 0.5, np.float32)
    for scale in (2, 4, 9, 20, 45, 100):
        small = rng.standard_normal((height // scale + 3, width // scale + 3)).astype(np.float32)
        tone += (0.012 * scale ** 0.55) * cv2.resize(small, (width, height),
                                                     interpolation=cv2.INTER_CUBIC)
    return tone


def _things(rng: np.random.Generator, tone: NDArray[np.float32]) -> NDArray[np.float32]:
    """Ellipses and polygons with sharp and with soft edges."""
    height, width = tone.shape
    for _ in range(rng.integers(10, 60)):
        mask = np.zeros_like(tone)
        centre = rng.integers(0, width), rng.integers(0, height)
        reach = rng.uniform(3, 90)
        if rng.random() < 0.5:
            axes = max(1, int(reach)), max(1, int(reach * rng.uniform(0.15, 1)))
            cv2.ellipse(mask, tuple(map(int, centre)), axes, rng.uniform(0, 180), 0, 360, 1.0, -1)
        else:
            points = np.array(centre) + rng.normal(0, reach, (rng.integers(3, 7), 2))
            cv2.fillPoly(mask, [points.astype(np.int32)], 1.0)
        if rng.random() < 0.6:
            mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.7, 6))
        tone = tone + mask * np.float32(rng.normal(0, 0.22))
    return tone


def _strands(rng: np.random.Generator, tone: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bundles of thin curves: hair, grass, branches, folds of cloth."""
    height, width = tone.shape
    for _ in range(rng.integers(2, 9)):
        start = rng.uniform((0, 0), (width, height))
        angle, shade = rng.uniform(0, np.pi), rng.normal(0, 0.3)
        for _ in range(rng.integers(3, 30)):
            steps = np.cumsum(np.full(12, angle) + np.cumsum(rng.normal(0, 0.12, 12)) * 0.3)
            steps = angle + (steps - steps[0]) * 0.02 + np.cumsum(rng.normal(0, 0.1, 12))
            length = rng.uniform(2, 16)
            path = start + rng.normal(0, 14, 2) + np.cumsum(
                length * np.stack([np.cos(steps), np.sin(steps)], 1), 0)
            mask = np.zeros_like(tone)
            cv2.polylines(mask, [(path * 8).astype(np.int32)], False, 1.0, int(rng.integers(1, 4)),
                          cv2.LINE_AA, 3)
            tone = tone + mask * np.float32(shade + rng.normal(0, 0.1))
    return tone


def _stripes(rng: np.random.Generator, tone: NDArray[np.float32]) -> NDArray[np.float32]:
    """Poles, fences, bars of light: straight lines side by side at a slant, now and then broken."""
    height, width = tone.shape
    for _ in range(rng.integers(1, 4)):
        start, slant = rng.uniform((0, 0), (width, height)), rng.uniform(0.25, 1.45)
        slant *= rng.choice((-1, 1))
        step, fan = rng.uniform(5, 40), rng.normal(0, 0.04)
        length, shade = rng.uniform(12, 70), rng.choice((-1, 1)) * rng.uniform(0.3, 0.9)
        for k in range(rng.integers(3, 16)):
            way = np.array([np.cos(slant + k * fan), np.sin(slant + k * fan)])
            a = start + (k * step + rng.normal(0, 2), rng.normal(0, 0.15 * length))
            b = a + way * length * rng.uniform(0.4, 1.3)
            mask = np.zeros_like(tone)
            cv2.line(mask, *(tuple(int(8 * v) for v in p) for p in (a, b)), 1.0,
                     int(rng.integers(1, 4)), cv2.LINE_AA, 3)
            if rng.random() < 0.4:
                mask = mask * (rng.random(tone.shape, np.float32) < rng.uniform(0.4, 0.9))
            tone = tone + mask * np.float32(shade)
    return tone


def _lattice(rng: np.random.Generator, tone: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows of a house, tiles, a crowd: small uneven blots in slanting rows."""
    height, width = tone.shape
    for _ in range(rng.integers(1, 4)):
        start, turn = rng.uniform((0, 0), (width, height)), rng.uniform(-0.6, 0.6)
        lean = turn + np.pi / 2 + rng.uniform(-0.6, 0.6)
        across = np.array([np.cos(turn), np.sin(turn)]) * rng.uniform(7, 26)
        down = np.array([np.cos(lean), np.sin(lean)]) * rng.uniform(7, 26)
        size, shade = rng.uniform(1.5, 7, 2), rng.choice((-1, 1)) * rng.uniform(0.25, 0.8)
        mask = np.zeros_like(tone)
        for row in range(rng.integers(2, 9)):
            for column in range(rng.integers(3, 14)):
                x, y = start + column * across + row * down + rng.normal(0, 1, 2)
                if rng.random() < 0.85:
                    axes = np.maximum(1, size * rng.uniform(0.5, 1.4, 2)).astype(int)
                    cv2.ellipse(mask, (int(x), int(y)), tuple(int(v) for v in axes),
                                np.rad2deg(turn), 0, 360, float(rng.uniform(0.3, 1)), -1)
        tone = tone + cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.3, 1.2)) * np.float32(shade)
    return tone


# ---- how it is printed -------------------------------------------------------------------------

def _plain(rng: np.random.Generator, tone: NDArray[np.float32]) -> NDArray[np.float32]:
    return tone


def _dots(rng: np.random.Generator, tone: NDArray[np.float32]) -> NDArray[np.float32]:
    """A halftone of dots on a turned grid, scanned sharply or so that the dots run together."""
    height, width = tone.shape
    angle, period = rng.uniform(0, np.pi / 2), rng.uniform(2.6, 7.0)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    k = np.float32(2 * np.pi / period)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    grid = 0.5 + 0.25 * (np.cos(k * u) + np.cos(k * v))
    return np.clip((tone - grid) * rng.uniform(2, 12) + 0.5, 0, 1).astype(np.float32)


def _threshold(rng: np.random.Generator, tone: NDArray[np.float32]) -> NDArray[np.float32]:
    """Black and white, by one level or by the surroundings' mean."""
    level = np.float32(rng.uniform(0.35, 0.65))
    if rng.random() < 0.5:
        level = cv2.GaussianBlur(tone, (0, 0), rng.uniform(6, 30)) - rng.uniform(0.0, 0.08)
    grain = rng.standard_normal(tone.shape).astype(np.float32) * rng.uniform(0, 0.06)
    return (tone + grain > level).astype(np.float32)


def _random(rng: np.random.Generator, tone: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grain that is denser where it is darker."""
    return (rng.random(tone.shape, np.float32) < tone).astype(np.float32)
