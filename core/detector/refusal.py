"""Which blobs can be ink of a letter: one rule after the other, the first that bites is the fate.

Sizes are relative to the page's own letters, contrasts to its own strong letters, so that no
constant depends on resolution or on how faint the print is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.reading import Blobs

if TYPE_CHECKING:
    from core.detector.mser import BlobSettings

FATE = {name: code for code, name in enumerate(Blobs.FATES)}
# A refused blob's value lies below its limit for these fates and above it for the others.
BELOW_LIMIT = frozenset({"too small", "too faint", "hole of another blob"})
LETTER_FILL = (0.12, 0.9)    # ink part of a letter's box
LETTER_ASPECT = (0.1, 3.0)   # width to height of one letter, or of a few that touch
WIDE = 1.3                   # width to height above which a node may be letters that touch
LETTER_LOWEST = 5            # px, the lowest thing that takes part in the median
STRONG = 85                  # percentile of contrast that stands for the page's strong letters
WEAKEST = 12.0               # grey levels: contrast below this is noise whatever the page
HOLE = 0.0                   # grey levels: not darker than its paper, so not ink of this polarity
DOT = 0.4                    # letter heights: the largest dot or comma
DOT_GAIN = 1.4               # times its contrast that a dot of the same ink would have as a letter
SPECKLED = 0.5               # specks to letters: text has fewer dots
PART_OF_STRONG = 0.45        # letters this strong take part in the median height
MOST_INK = 0.025             # of all ink that one region counts for in the median height
CAP_ROUNDS = 6               # until no region counts for more; a few giant ones take three or four


@dataclass(frozen=True)
class Measures:
    """What the rules look at, a row per region of either polarity; contrasts in grey levels.

    box (n, 4) float32, area (n,), polarity (n,) uint8; parent (n,) row of the smallest region of the
    same polarity around it, or -1, parents first; level, variation as in `Blobs`; contrast of the
    mean, edge_contrast of the weakest and peak_contrast of the strongest pixel against the paper,
    positive for ink.
    """

    box: NDArray[np.float32]
    area: NDArray[np.int32]
    parent: NDArray[np.int32]
    polarity: NDArray[np.uint8]
    level: NDArray[np.uint8]
    variation: NDArray[np.float32]
    contrast: NDArray[np.float32]
    edge_contrast: NDArray[np.float32]
    peak_contrast: NDArray[np.float32]


@dataclass(frozen=True)
class Letters:
    """The page's own scale: median height of its letters in px, contrast of its strong ones."""

    height: float
    contrast: float


def fates(m: Measures, settings: BlobSettings
          ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """(fate, value, limit), each (n,)."""
    n = len(m.area)
    fate = np.zeros(n, np.uint8)
    value, limit = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    if n == 0:
        return fate, value, limit

    def refuse(name: str, measured: NDArray, bound: float) -> None:
        breaks = measured < bound if name in BELOW_LIMIT else measured > bound
        rows = np.flatnonzero(breaks & (fate == 0))
        fate[rows], value[rows], limit[rows] = FATE[name], measured[rows], bound

    # Larger nodes reach down to the paper, smaller ones are only the letters' cores.
    refuse("hole of another blob", m.contrast, HOLE)
    wide = (m.box[:, 2] - m.box[:, 0]) > WIDE * (m.box[:, 3] - m.box[:, 1])
    fraction = np.where(wide, settings.wide_contrast, settings.branch_contrast)
    taken = one_per_branch(m.parent, m.edge_contrast, m.peak_contrast, fraction)
    refuse("duplicate of a tree neighbour", steps_to(m.parent, taken), 0)
    letters = page_letters(m, fate == 0)
    w, h = m.box[:, 2] - m.box[:, 0], m.box[:, 3] - m.box[:, 1]
    # a dot of the page's ink is fainter than its letters: all of it is edge
    gain = np.where(np.maximum(w, h) < DOT * letters.height, DOT_GAIN, 1.0)
    refuse("too faint", gain * m.contrast, max(WEAKEST, settings.min_contrast * letters.contrast))
    fill = m.area / (w * h)
    small = np.sqrt(m.area.astype(np.float64))
    refuse("too small", small, settings.min_side * letters.height)
    specks = (fate == 0) & (small < settings.min_speck)
    as_high = (fate == 0) & (h > 0.5 * letters.height) & (h < 2 * letters.height)
    if specks.sum() > SPECKLED * as_high.sum():
        refuse("too small", small, settings.min_speck)
    refuse("too big", h, settings.max_height * letters.height)
    # A rule is long and thin; letters that touch are long, but as high as letters.
    long_side, thickness = np.maximum(w, h), m.area / np.maximum(w, h)
    can_be_rule = (long_side > 1.6 * letters.height) & (thickness < 0.4 * letters.height)
    upright_rule = (h > w) & (long_side < 2.2 * letters.height)
    refuse("rule or frame", np.where(can_be_rule & ~upright_rule & (fill > 0.5),
                                     long_side / thickness, 0), settings.rule_ratio)
    # A frame or a grid: much box, little ink. Its measure is paper to box, so above is worse.
    large = np.minimum(w, h) > 1.8 * letters.height
    refuse("rule or frame", np.where(large, 1 - fill, 0), 1 - settings.frame_fill)
    solid = (np.minimum(w, h) > 0.75 * letters.height)
    refuse("solid", np.where(solid, fill, 0), settings.solid_fill)
    # a hole punched in the paper is no larger than a heading, but blacker
    refuse("solid", np.where(np.minimum(w, h) > 1.4 * letters.height, fill, 0), settings.big_fill)
    return fate, value, limit


def page_letters(m: Measures, eligible: NDArray[np.bool_]) -> Letters:
    """Median height and strong contrast of the letter-like regions among the eligible ones."""
    w, h = m.box[:, 2] - m.box[:, 0], m.box[:, 3] - m.box[:, 1]
    fill, aspect = m.area / (w * h), w / h
    like = (eligible & (h >= LETTER_LOWEST) & (fill > LETTER_FILL[0]) & (fill < LETTER_FILL[1])
            & (aspect > LETTER_ASPECT[0]) & (aspect < LETTER_ASPECT[1]) & (m.contrast > WEAKEST))
    if not like.any():
        return Letters(float(LETTER_LOWEST), 0.0)
    strong = float(np.percentile(m.contrast[like], STRONG))
    rows = np.flatnonzero(like & (m.contrast >= PART_OF_STRONG * strong))
    # weighted by area: a speckled fax has more specks than letters
    rows = rows[np.argsort(h[rows], kind="stable")]
    ink = np.cumsum(_capped(m.area[rows]))
    return Letters(float(h[rows[np.searchsorted(ink, ink[-1] / 2)]]), strong)


def _capped(area: NDArray) -> NDArray[np.float64]:
    """(n,) areas, none of which is more than MOST_INK of them all: letters come in numbers.

    The table around a photographed sheet falls into a few regions with more ink than all its text.
    """
    weight = area.astype(np.float64)
    for _ in range(CAP_ROUNDS):
        weight = np.minimum(weight, max(MOST_INK * weight.sum(), float(np.median(area))))
    return weight


def one_per_branch(parent: NDArray[np.int32], edge: NDArray[np.float32],
                   peak: NDArray[np.float32], fraction: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) the largest node of each branch whose edge keeps its `fraction` of the branch's contrast.

    That is a binarisation whose threshold follows each letter's own darkness. A leaf above which
    no node passes is taken itself, else its branch would vanish. Parents come first.
    """
    from core.detector import branches
    passes = edge >= fraction * peak
    leaf = np.ones(len(parent), bool)
    leaf[parent[parent >= 0]] = False
    return branches.outermost(parent, passes | leaf)


def steps_to(parent: NDArray[np.int32], taken: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n,) tree steps from each node up, or else down, to the nearest taken node; 0 for itself."""
    from core.detector import branches
    return branches.steps_to(parent, taken)
