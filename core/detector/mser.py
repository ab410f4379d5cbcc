"""Blobs: maximally stable extremal regions of both polarities, as a tree, each with its fate.

`cv2.MSER` finds the regions; it is asked once for the page and once for its negative, so the
polarity is known. Regions of one polarity are nested or apart, which gives the tree; one node per
branch is kept, the largest one that still stands out by a fraction of the branch's contrast.

Sources: Nister & Stewenius 2008, "Linear Time Maximally Stable Extremal Regions"; opencv#29652
(with the default min_diversity the most stable regions are dropped).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detector import background, refusal
from core.detector.rules import Rules, rules, without_rules
from core.parameters import check_limits, param
from core.reading import Blobs, Parents, Upright

MIN_DIVERSITY = 0.0   # opencv#29652: anything above drops the most stable regions
PAD = 1               # px: cv2.MSER never visits the outermost pixel
SMALLEST_SIDE = 3     # px: below this there is nothing to find, and cv2.MSER raises


@dataclass(frozen=True)
class BlobSettings:
    """How blobs are found and which are refused. Heights are relative to the page's median letter."""

    delta: int = param(2, unit="grey levels", low=1, high=50,
                       help="step over which a region's stability is measured; small finds more")
    min_area: int = param(15, unit="px", low=4, high=1000, help="smallest region")
    max_area: int = param(30_000, unit="px", low=100, high=4_000_000, help="largest region")
    max_variation: float = param(0.5, low=0.01, high=2.0,
                                 help="growth over delta above which a region is not stable")
    blur: int = param(3, unit="px", low=0, high=9, help="box blur before; 0 or 1 = none")
    clahe_clip: float = param(2.0, low=0.0, high=40.0,
                              help="contrast limit of the tile-wise equalisation; 0 = none")
    branch_contrast: float = param(0.3, low=0.05, high=0.95,
                                   help="part of a branch's contrast at which its node is taken")
    wide_contrast: float = param(0.42, low=0.05, high=0.95,
                                 help="the same for wide nodes, so that letters that touch part")
    min_contrast: float = param(0.22, low=0.0, high=1.0,
                                help="least contrast, as part of the page's strong letters'")
    min_side: float = param(0.08, unit="letter heights", low=0.0, high=1.0,
                            help="least square root of the area")
    max_height: float = param(7.0, unit="letter heights", low=1.0, high=100.0,
                              help="tallest blob that can be a letter")
    take_off_rules: bool = param(True, help="take ruled lines off the page before blobs are found")
    rule_ratio: float = param(7.0, low=2.0, high=100.0,
                              help="length to thickness above which a thin blob is a rule")
    frame_fill: float = param(0.13, low=0.0, high=1.0,
                              help="ink part of its box below which a big blob is a frame")
    solid_fill: float = param(0.92, low=0.5, high=1.01,
                              help="ink part of its box above which a big blob is a filled area")

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class Regions:
    """Regions of one polarity of one image, before any is judged; flat arrays, children anywhere.

    box (n, 4) int32; area (n,) int32; low, high (n,) uint8 darkest and lightest grey inside, of the
    image in which ink is dark; mean (n,) float32; parent (n,) int32, row or -1.
    """

    box: NDArray[np.int32]
    area: NDArray[np.int32]
    low: NDArray[np.uint8]
    high: NDArray[np.uint8]
    mean: NDArray[np.float32]
    parent: NDArray[np.int32]


def blobs(upright: Upright, settings: BlobSettings = BlobSettings()) -> Blobs:
    """All regions of both polarities in upright px, dark on light first, each with its fate.

    `level` is the grey (of the filtered image, of its negative for light on dark) up to which the
    region reaches; `variation` is NaN, cv2 does not tell it.
    """
    image, ruled = prepared(upright, settings)
    paper = background.background(image, upright.gray)
    judged = []
    for polarity in range(2):
        ink_dark = image if polarity == 0 else 255 - image
        found = regions(ink_dark, settings)
        judged.append((found, _paper_under(found, paper if polarity == 0 else 255 - paper)))
    shift = len(judged[0][0].area)
    parent = np.concatenate([f.parent + np.where(f.parent >= 0, k * shift, 0)
                             for k, (f, _) in enumerate(judged)]).astype(np.int32)
    columns = refusal.Measures(
        box=np.concatenate([f.box for f, _ in judged]).astype(np.float32),
        area=np.concatenate([f.area for f, _ in judged]),
        parent=parent,
        contrast=np.concatenate([p - f.mean for f, p in judged]).astype(np.float32),
        edge_contrast=np.concatenate([p - f.high for f, p in judged]).astype(np.float32),
        peak_contrast=np.concatenate([p - f.low for f, p in judged]).astype(np.float32))
    fate, value, limit = refusal.fates(columns, upright.gray.shape, settings)
    n = len(parent)
    found = Blobs(
        box=columns.box,
        polarity=np.repeat(np.arange(2, dtype=np.uint8), [len(f.area) for f, _ in judged]),
        area=columns.area.astype(np.int32), variation=np.full(n, np.nan, np.float32),
        level=np.concatenate([f.high for f, _ in judged]).astype(np.uint8), tree_parent=parent,
        fate=fate, fate_value=value, fate_limit=limit,
        parents=Parents.one_each("upright", np.zeros(n, np.int64)))
    return found if ruled is None else _with_rules(found, ruled, settings)


def prepared(upright: Upright, settings: BlobSettings
             ) -> tuple[NDArray[np.uint8], Rules | None]:
    """((H, W) uint8 image that MSER sees, the rules taken off it)."""
    gray, ruled = upright.gray, None
    if settings.take_off_rules:
        paper = background.background(gray)
        ruled = rules(gray, paper)
        gray = without_rules(gray, paper, ruled)
    return background.filtered(gray, settings.blur, settings.clahe_clip), ruled


def _with_rules(found: Blobs, ruled: Rules, settings: BlobSettings) -> Blobs:
    """The blobs, and behind them a refused row for each rule that was taken off the page."""
    box, area = ruled.components()
    ratio = (np.max(box[:, 2:] - box[:, :2], axis=1, initial=0) ** 2 / area).astype(np.float32)
    thin = ratio > settings.rule_ratio
    box, area, ratio = box[thin], area[thin], ratio[thin]
    n = len(area)

    def longer(column: NDArray, more: object) -> NDArray:
        return np.concatenate([column, np.broadcast_to(more, (n, *column.shape[1:]))]
                              ).astype(column.dtype)

    return Blobs(
        box=longer(found.box, box), polarity=longer(found.polarity, 0),
        area=longer(found.area, area), variation=longer(found.variation, np.nan),
        level=longer(found.level, 0), tree_parent=longer(found.tree_parent, -1),
        fate=longer(found.fate, refusal.FATE["rule or frame"]),
        fate_value=longer(found.fate_value, ratio),
        fate_limit=longer(found.fate_limit, settings.rule_ratio),
        parents=Parents.one_each("upright", np.zeros(len(found) + n, np.int64)))


def pixels(upright: Upright, blobs: Blobs, row: int,
           settings: BlobSettings = BlobSettings()) -> NDArray[np.int32]:
    """(m, 2) x y of one blob's pixels, upright px, found again by flooding its box at its level.

    settings: those the blobs were made with. Raises ValueError where they were not.
    """
    x0, y0, x1, y1 = blobs.box[row].astype(int)
    image, ruled = prepared(upright, settings)
    if ruled is not None and blobs.fate[row] == refusal.FATE["rule or frame"]:
        of_rule = ruled.pixels(blobs.box[row])
        if len(of_rule) == blobs.area[row]:
            return of_rule
    crop = image[y0:y1, x0:x1]
    if blobs.polarity[row]:
        crop = 255 - crop
    inside = (crop <= blobs.level[row]).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    fits = (stats[1:, 2] == x1 - x0) & (stats[1:, 3] == y1 - y0) & \
        (stats[1:, 4] == blobs.area[row])
    if not fits.any():
        raise ValueError(f"blob {row} is not in this image: give the settings it was made with")
    y, x = np.nonzero(labels == 1 + int(np.argmax(fits)))
    return np.stack([x + x0, y + y0], 1).astype(np.int32)


def regions(ink_dark: NDArray[np.uint8], settings: BlobSettings) -> Regions:
    """All MSER regions of `ink_dark` (H, W) that are darker than what surrounds them, with their tree."""
    empty = np.zeros(0, np.int32)
    nothing = Regions(empty.reshape(0, 4), empty, empty.astype(np.uint8), empty.astype(np.uint8),
                      empty.astype(np.float32), empty)
    if min(ink_dark.shape) < SMALLEST_SIDE or ink_dark.min() == ink_dark.max():
        return nothing
    detector = cv2.MSER_create(settings.delta, settings.min_area,
                               max(settings.max_area, settings.min_area + 1),
                               settings.max_variation, MIN_DIVERSITY)
    detector.setPass2Only(True)  # the pass that finds what is lighter than its surround
    padded = cv2.copyMakeBorder(255 - ink_dark, PAD, PAD, PAD, PAD, cv2.BORDER_REPLICATE)
    points, corner = detector.detectRegions(padded)
    if len(points) == 0:
        return nothing
    box = np.asarray(corner, np.int32)  # (n, 4) x y w h in padded px
    box[:, :2] -= PAD
    box[:, 2:] += box[:, :2]
    area = np.array([len(p) for p in points], np.int32)
    start = np.concatenate([[0], np.cumsum(area)])
    xy = np.concatenate(points)
    place = (xy[:, 1] - PAD) * ink_dark.shape[1] + (xy[:, 0] - PAD)  # (sum of areas,)
    grey = ink_dark.ravel()[place]
    return Regions(box, area, np.minimum.reduceat(grey, start[:-1]),
                   np.maximum.reduceat(grey, start[:-1]),
                   (np.add.reduceat(grey, start[:-1], dtype=np.int64) / area).astype(np.float32),
                   _tree(area, start, place, ink_dark.size))


def _tree(area: NDArray, start: NDArray, place: NDArray, n_pixels: int) -> NDArray[np.int32]:
    """(n,) the smallest region that holds each region, -1 where none does.

    Regions are painted from the largest down; what a region's pixels showed just before is the
    region that holds it. place: the pixels of region i are place[start[i]:start[i + 1]].
    """
    owner = np.full(n_pixels, -1, np.int32)
    parent = np.empty(len(area), np.int32)
    for i in np.argsort(-area, kind="stable").tolist():
        mine = place[start[i]:start[i + 1]]
        parent[i] = owner[mine[0]]
        owner[mine] = i
    return parent


def _paper_under(found: Regions, paper: NDArray[np.uint8]) -> NDArray[np.int16]:
    """(n,) grey of the paper at the middle of each region."""
    middle = (found.box[:, :2] + found.box[:, 2:]) // 2
    return background.at(paper, middle[:, 0], middle[:, 1])
