"""Square tiles of a page where there is ink, at a scale where letters can be told apart."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

TILE = 192  # px, edge of a tile
TYPICAL = 1200  # px: pages are scaled to this geometric mean of width and height (A4: 1009 x 1427)
ENLARGE = 1.5  # at most; a small picture holds no more detail than it holds
SCALES = (1.0, 0.65)  # a narrow receipt's print is large at the first, a table's right at it
EDGE = 10  # grey levels between neighbours, after SOFT, that count as ink's edge
SOFT = 1.5  # px, blur before looking for edges: dither and noise would outrank the text
LEAST_INK = 0.01  # share of edge pixels below which a tile counts as empty


def to_reading_scale(gray: NDArray[np.uint8], scale: float = 1.0) -> NDArray[np.uint8]:
    """The page shrunk (or a little enlarged) to TYPICAL times `scale`."""
    height, width = gray.shape
    factor = min(TYPICAL * scale / np.sqrt(height * width), ENLARGE)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if size == (width, height):
        return gray
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


def inky_corners(gray: NDArray[np.uint8], n: int, edge: int = TILE) -> list[tuple[int, int]]:
    """Up to `n` (y, x) corners of tiles with the most edges, richest first, overlapping at most
    by half. A page smaller than a tile gives its own corner."""
    height, width = gray.shape
    low = cv2.GaussianBlur(gray, (0, 0), SOFT).astype(np.int16)
    edges = np.zeros(gray.shape, np.float32)
    edges[:, 1:] += np.abs(np.diff(low, axis=1)) > EDGE
    edges[1:] += np.abs(np.diff(low, axis=0)) > EDGE
    total = cv2.integral(np.minimum(edges, 1))
    ys = np.unique(np.r_[0:max(1, height - edge + 1):edge // 2, max(0, height - edge)])
    xs = np.unique(np.r_[0:max(1, width - edge + 1):edge // 2, max(0, width - edge)])
    y1, x1 = np.minimum(ys + edge, height), np.minimum(xs + edge, width)
    ink = (total[y1][:, x1] - total[ys][:, x1] - total[y1][:, xs] + total[ys][:, xs]) / edge ** 2
    chosen: list[tuple[int, int]] = []
    for k in np.argsort(-ink, axis=None, kind="stable"):
        a, b = divmod(int(k), len(xs))
        if len(chosen) >= n or ink[a, b] < LEAST_INK:
            break
        y, x = int(ys[a]), int(xs[b])
        if all(abs(y - v) + abs(x - u) >= edge // 2 for v, u in chosen):
            chosen.append((y, x))
    return chosen


def page_tiles(gray: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    """(m, TILE, TILE) uint8, m <= n + 1: the inkiest tiles of the page at each of SCALES."""
    each = -(-n // len(SCALES))
    return np.concatenate([cut_tiles(to_reading_scale(gray, scale), each) for scale in SCALES])


def cut_tiles(gray: NDArray[np.uint8], n: int, edge: int = TILE) -> NDArray[np.uint8]:
    """(m, edge, edge) uint8, m <= n: the inkiest tiles; a narrow page is filled up with its
    median."""
    tiles = np.full((n, edge, edge), np.uint8(np.median(gray)), np.uint8)
    corners = inky_corners(gray, n, edge)
    for k, (y, x) in enumerate(corners):
        part = gray[y:y + edge, x:x + edge]
        tiles[k, :part.shape[0], :part.shape[1]] = part
    return tiles[:len(corners)]


def standardise(tile: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, S, S): zero mean, unit spread (at least 6 grey levels), dark ink on light."""
    x = tile.astype(np.float32)
    x -= x.mean((1, 2), keepdims=True)
    x /= np.maximum(x.std((1, 2), keepdims=True), 6.0)
    # Ink covers the lesser part of a tile: where most of it is darker than the mean, the page is
    # light on dark and is inverted.
    dark = np.median(x, (1, 2)) < 0
    x[dark] *= -1
    return x
