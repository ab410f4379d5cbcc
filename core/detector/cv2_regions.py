"""Regions by `cv2.MSER`, kept for comparison with the tree of our own.

It is asked once for the page and once for its negative, so the polarity is known. Regions of one
polarity are nested or apart, which gives the tree.

Sources: Nister & Stewenius 2008, "Linear Time Maximally Stable Extremal Regions"; opencv#29652
(with the default min_diversity the most stable regions are dropped).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detector import background
from core.detector.refusal import Measures

if TYPE_CHECKING:
    from core.detector.mser import BlobSettings

MIN_DIVERSITY = 0.0   # opencv#29652: anything above drops the most stable regions
PAD = 1               # px: cv2.MSER never visits the outermost pixel
SMALLEST_SIDE = 3     # px: below this there is nothing to find, and cv2.MSER raises


@dataclass(frozen=True)
class Regions:
    """Regions of one polarity of one image, before any is judged; flat arrays, parents first.

    box (n, 4) int32; area (n,) int32; low, high (n,) uint8 darkest and lightest grey inside, of the
    image in which ink is dark; mean (n,) float32; parent (n,) int32, row or -1.
    """

    box: NDArray[np.int32]
    area: NDArray[np.int32]
    low: NDArray[np.uint8]
    high: NDArray[np.uint8]
    mean: NDArray[np.float32]
    parent: NDArray[np.int32]


def measures(image: NDArray[np.uint8], gray: NDArray[np.uint8], settings: BlobSettings) -> Measures:
    """Regions of both polarities of the filtered `image`, dark on light first, parents first.

    gray: the page before equalisation. `level` is the grey (of the image, of its negative for light
    on dark) up to which a region reaches; `variation` is NaN, cv2 does not tell it.
    """
    paper = background.background(image, gray)
    judged = []
    for polarity in range(2):
        found = regions(image if polarity == 0 else 255 - image, settings)
        judged.append((found, _paper_under(found, paper if polarity == 0 else 255 - paper)))
    shift = len(judged[0][0].area)
    parent = np.concatenate([f.parent + np.where(f.parent >= 0, k * shift, 0)
                             for k, (f, _) in enumerate(judged)]).astype(np.int32)
    return Measures(
        box=np.concatenate([f.box for f, _ in judged]).astype(np.float32),
        area=np.concatenate([f.area for f, _ in judged]), parent=parent,
        polarity=np.repeat(np.arange(2, dtype=np.uint8), [len(f.area) for f, _ in judged]),
        level=np.concatenate([f.high for f, _ in judged]).astype(np.uint8),
        variation=np.full(len(parent), np.nan, np.float32),
        contrast=np.concatenate([p - f.mean for f, p in judged]).astype(np.float32),
        edge_contrast=np.concatenate([p - f.high for f, p in judged]).astype(np.float32),
        peak_contrast=np.concatenate([p - f.low for f, p in judged]).astype(np.float32))


def pixels(image: NDArray[np.uint8], box: NDArray, area: int, level: int, polarity: int
           ) -> NDArray[np.int32]:
    """(m, 2) x y of a region, found again by flooding its box at its level.

    Raises ValueError where the image has no such region.
    """
    x0, y0, x1, y1 = np.asarray(box).astype(int)
    crop = image[y0:y1, x0:x1]
    if polarity:
        crop = 255 - crop
    inside = (crop <= level).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    fits = (stats[1:, 2] == x1 - x0) & (stats[1:, 3] == y1 - y0) & (stats[1:, 4] == area)
    if not fits.any():
        raise ValueError("the blob is not in this image: give the settings it was made with")
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
    order = np.argsort([-len(p) for p in points], kind="stable")  # parents first
    points = [points[i] for i in order]
    box = np.asarray(corner, np.int32)[order]  # (n, 4) x y w h in padded px
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
                   _tree(start, place, ink_dark.size))


def _tree(start: NDArray, place: NDArray, n_pixels: int) -> NDArray[np.int32]:
    """(n,) the smallest region that holds each region, -1 where none does.

    Regions are painted from the largest down; what a region's pixels showed just before is the
    region that holds it. place: the pixels of region i are place[start[i]:start[i + 1]].
    """
    owner = np.full(n_pixels, -1, np.int32)
    parent = np.empty(len(start) - 1, np.int32)
    for i in range(len(parent)):
        mine = place[start[i]:start[i + 1]]
        parent[i] = owner[mine[0]]
        owner[mine] = i
    return parent


def _paper_under(found: Regions, paper: NDArray[np.uint8]) -> NDArray[np.int16]:
    """(n,) grey of the paper at the middle of each region."""
    middle = (found.box[:, :2] + found.box[:, 2:]) // 2
    return background.at(paper, middle[:, 0], middle[:, 1])
