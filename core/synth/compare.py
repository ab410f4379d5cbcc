"""How like real crops synthetic ones are: six measures of a window, and the crops nearest to one.

Both kinds are windows (32, W) uint8, cut by the same function as those the net reads. Each measure
is one number a window, in a unit that a person can picture, robust rather than fine: what counts
is whether two distributions lie on each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import pi
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.errors import Missing, Unreadable
from core.evaluate.words import WordTruth, read_truth, some_of
from core.recognizer.window import MAX_WIDTH, cut_window, guess_polarity

LEAST_CONTRAST = 12.0  # gray levels; below it edges and slant of a window are noise
STEEPEST = 0.7  # tan of the largest slant looked for; italics have about 0.2
SHEARS = 29  # slants tried between -STEEPEST and STEEPEST
PAPER, INK = 90, 2  # percentiles of gray that stand for paper and ink
DERIVATIVE_SPREAD = 1 / 3 + 1 / 12  # px^2 that a central difference and a pixel's own area add
PER_FILE = 25  # words taken from one page: opening it costs more than cutting them
LEVELS_PER_MAD = 1 / 0.6745  # standard deviations per median absolute deviation, of a normal


@dataclass(frozen=True)
class Measures:
    """(n,) float32 each; NaN where a window has too little contrast to tell.

    height    px of the window's 32 between which the middle 90 % of the ink lies
    width     px of the window
    contrast  gray levels between paper and ink
    blur      px, standard deviation of the Gaussian that would make its sharpest edges
    noise     gray levels, standard deviation on flat ground
    slant     degrees from upright, positive as italics lean
    """

    height: NDArray[np.float32]
    width: NDArray[np.float32]
    contrast: NDArray[np.float32]
    blur: NDArray[np.float32]
    noise: NDArray[np.float32]
    slant: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.width)

    def columns(self) -> NDArray[np.float32]:
        """(n, 6) in the order of MEASURES."""
        return np.stack([getattr(self, name) for name in MEASURES], 1)


MEASURES = tuple(f.name for f in fields(Measures))
UNITS = {"height": "px", "width": "px", "contrast": "levels", "blur": "px", "noise": "levels",
         "slant": "°"}


@dataclass(frozen=True)
class Gap:
    """How far two samples of one measure lie apart.

    real, drawn  their 10th, 50th and 90th percentiles; apart in 0 .. 1: the largest difference of
    their cumulative distributions (Kolmogorov and Smirnov), 0 = the same
    """

    name: str
    real: tuple[float, float, float]
    drawn: tuple[float, float, float]
    apart: float


@dataclass(frozen=True)
class RealCrops:
    """Windows of real words, dark on light, with where they come from."""

    windows: tuple[NDArray[np.uint8], ...]
    rows: tuple[WordTruth, ...]
    measures: Measures


# ---- measuring ---------------------------------------------------------------------------------

def measured(windows: Sequence[NDArray[np.uint8]]) -> Measures:
    """The measures of windows (32, w) uint8 of any widths; ink may be darker or lighter."""
    found = np.array([_measures(window) for window in windows], np.float32)
    return Measures(*found.reshape(-1, len(MEASURES)).T)


def joined(parts: Sequence[Measures]) -> Measures:
    """Several measures, one after the other."""
    if not parts:
        return measured([])
    return Measures(*(np.concatenate([getattr(p, name) for p in parts]) for name in MEASURES))


def _measures(window: NDArray[np.uint8]) -> tuple[float, ...]:
    """In the order of MEASURES."""
    gray = dark_on_light(window).astype(np.float32)
    paper, ink = np.percentile(gray, (PAPER, INK))
    contrast = float(paper - ink)
    if contrast < LEAST_CONTRAST:
        return np.nan, window.shape[1], contrast, np.nan, _noise(gray), np.nan
    strength = np.clip((paper - gray) / contrast - 0.25, 0, 0.75)
    return (_height(strength), window.shape[1], contrast, _blur(gray, contrast), _noise(gray),
            _slant(strength))


def dark_on_light(window: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The window, inverted where what differs most from its median is lighter than it."""
    low, middle, high = np.percentile(window, (INK, 50, 100 - INK))
    return 255 - window if high - middle > middle - low else window


def _height(strength: NDArray[np.float32]) -> float:
    share = np.cumsum(strength.sum(1))
    share = np.concatenate([[0.0], share / share[-1]])
    low, high = np.interp((0.05, 0.95), share, np.arange(len(share)))
    return float(high - low)


def _blur(gray: NDArray[np.float32], contrast: float) -> float:
    """From the steepest slope: a step blurred by s has contrast / (s sqrt(2 pi))."""
    dx = np.abs(gray[:, 2:] - gray[:, :-2]) / 2
    dy = np.abs(gray[2:] - gray[:-2]) / 2
    slope = max(np.percentile(dx, 99), np.percentile(dy, 99), 1e-3)
    spread = (contrast / slope) ** 2 / (2 * pi) - DERIVATIVE_SPREAD
    return float(np.sqrt(max(spread, 0.0)))


def _noise(gray: NDArray[np.float32]) -> float:
    """Immerkaer 1996, "Fast noise variance estimation", on the half of the window that is
    flattest, by the median instead of the mean: a stroke is no noise."""
    kernel = np.float32([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])  # of norm 6
    rest = np.abs(cv2.filter2D(gray, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT_101))
    smooth = cv2.GaussianBlur(gray, (0, 0), 1.5)
    slope = np.abs(cv2.Sobel(smooth, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    flat = rest[slope <= np.median(slope)]
    return float(np.median(flat) * LEVELS_PER_MAD / 6)


def _slant(strength: NDArray[np.float32]) -> float:
    """The shear that makes the columns' ink least even, as upright strokes do; found in steps of
    a twentieth, then finer about the best."""
    coarse = np.linspace(-STEEPEST, STEEPEST, SHEARS)
    step = coarse[1] - coarse[0]
    best = coarse[_unevenness(strength, coarse).argmax()]
    fine = best + np.linspace(-0.8, 0.8, 9) * step
    return float(np.degrees(np.arctan(fine[_unevenness(strength, fine).argmax()])))


def _unevenness(strength: NDArray[np.float32], slants: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) sums of squares of the columns' ink, the window sheared upright from each slant (tan)."""
    height, width = strength.shape
    room = int(STEEPEST * height / 2) + 2
    found = []
    for tan in slants:
        # upright x = x + tan * (y - middle): a stroke leaning right lies further left below
        matrix = np.float32([[1, tan, room - tan * (height - 1) / 2], [0, 1, 0]])
        moved = cv2.warpAffine(strength, matrix, (width + 2 * room, height))
        found.append(float(np.square(moved.sum(0)).sum()))
    return np.array(found)


# ---- comparing ---------------------------------------------------------------------------------

def gaps(real: Measures, drawn: Measures) -> tuple[Gap, ...]:
    """One row for each of MEASURES that both sides have values of."""
    found = []
    for name in MEASURES:
        a, b = (finite(getattr(m, name)) for m in (real, drawn))
        if len(a) and len(b):
            found.append(Gap(name, _spread(a), _spread(b), apart(a, b)))
    return tuple(found)


def finite(values: NDArray) -> NDArray:
    """Those that are numbers."""
    return values[np.isfinite(values)]


def _spread(values: NDArray) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, (10, 50, 90)).tolist()
    return low, middle, high


def apart(a: NDArray, b: NDArray) -> float:
    """0 .. 1, the largest difference of the cumulative distributions of two samples."""
    a, b = np.sort(a), np.sort(b)
    at = np.concatenate([a, b])
    return float(np.abs(np.searchsorted(a, at, "right") / len(a)
                        - np.searchsorted(b, at, "right") / len(b)).max())


def nearest(one: Measures, many: Measures, n: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(rows (n,) of `many`, distances (n,)): those most like the single window `one`, nearest first.

    The distance is Euclidean over the measures, each in units of its spread over `many` (from the
    25th to the 75th percentile), width by its logarithm. A measure that one side lacks counts as
    one unit apart, unless both lack it.
    """
    here, there = _comparable(one), _comparable(many)
    low, high = np.nanpercentile(there, (25, 75), axis=0)
    unit = np.where(high - low > 1e-3, high - low, 1.0)
    away = (there - here) / unit
    lacking = np.isnan(here) & np.isnan(there)
    away = np.where(lacking, 0.0, np.where(np.isnan(away), 1.0, away))
    distance = np.sqrt(np.square(away).sum(1)).astype(np.float32)
    rows = np.argsort(distance, kind="stable")[:n]
    return rows, distance[rows]


def _comparable(measures: Measures) -> NDArray[np.float64]:
    columns = measures.columns().astype(np.float64)
    columns[:, MEASURES.index("width")] = np.log(columns[:, MEASURES.index("width")])
    return columns


def nearest_text(text: str, texts: Sequence[str], n: int) -> NDArray[np.int64]:
    """Rows (n,) of the texts most like `text`, whatever the case, likest first."""
    from rapidfuzz.distance import Levenshtein
    away = np.array([Levenshtein.normalized_distance(text.casefold(), other.casefold())
                     for other in texts])
    return np.argsort(away, kind="stable")[:n]


# ---- real crops --------------------------------------------------------------------------------

def chosen_rows(tsv: Path, n: int, category: str = "") -> list[WordTruth]:
    """About n rows of a words TSV, PER_FILE of a page, pages spread evenly over the list.

    category  of the images' folder; "" = all. Raises Missing where there is none.
    """
    by_file: dict[str, list[WordTruth]] = {}
    for row in read_truth(tsv, [category] if category else None):
        by_file.setdefault(row.file, []).append(row)
    if not by_file:
        raise Missing(f"{tsv} has no word{f' of {category}' if category else ''}; choose another "
                      "list or category")
    files = list(by_file)
    wanted = min(len(files), -(-n // PER_FILE))
    files = [files[k * len(files) // wanted] for k in range(wanted)]
    return [row for file in files for row in some_of(by_file[file], -(-n // wanted))]


def categories(tsv: Path) -> tuple[str, ...]:
    """The categories of a words TSV, in order. Raises Missing or Unreadable."""
    return tuple(sorted({row.category for row in read_truth(tsv)}))


def cut_crops(rows: Sequence[WordTruth], root: Path, max_width: int = MAX_WIDTH) -> RealCrops:
    """The windows of real words as the net would get them, and their measures.

    root  folder that the rows' files are relative to. Raises Unreadable for a missing image.
    """
    windows, name, gray = [], "", None
    for row in rows:
        if row.file != name or gray is None:
            name, gray = row.file, cv2.imread(str(Path(root) / row.file), cv2.IMREAD_GRAYSCALE)
            if gray is None:
                raise Unreadable(f"{Path(root) / row.file}: cannot be read as an image; choose the "
                                 "folder that the word list's files are relative to")
        quad = geometry.quads_from_boxes(np.array(row.box, np.float32))[0]
        polarity = guess_polarity(gray, quad)
        windows.append(cut_window(gray, quad, polarity, max_width=max_width)[0])
    return RealCrops(tuple(windows), tuple(rows), measured(windows))


def all_crops(parts: Sequence[RealCrops]) -> RealCrops:
    """Several sets of crops, one after the other."""
    return RealCrops(tuple(w for part in parts for w in part.windows),
                     tuple(row for part in parts for row in part.rows),
                     joined([part.measures for part in parts]))


def some_crops(crops: RealCrops, rows: NDArray[np.int64]) -> RealCrops:
    """The crops of these rows, in their order."""
    return RealCrops(tuple(crops.windows[r] for r in rows), tuple(crops.rows[r] for r in rows),
                     Measures(*(getattr(crops.measures, name)[rows] for name in MEASURES)))
