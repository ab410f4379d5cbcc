"""Stage 2, upright: the page in gray, turned by quarters where the net is sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.orientation.tiles import page_tiles
from core.parameters import check_limits, param
from core.reading import Page, Upright

if TYPE_CHECKING:
    from core.orientation.net import LoadedUprightNet

DOUBT = 0.01  # probability that a tile leaves to each turn, however sure it is


@dataclass(frozen=True)
class UprightSettings:
    """When a page is turned."""

    enabled: bool = param(True, help="let the net turn pages; off: only `turn` counts")
    turn: int = param(-1, unit="quarter turns", low=-1, high=3,
                      help="counterclockwise turns by hand; -1 = the net decides")
    margin: float = param(0.5, low=0.0, high=1.0,
                          help="a page is turned only when the best turn is this much more "
                               "probable than leaving it alone")
    tiles: int = param(12, unit="tiles", low=1, high=64, help="looked at per page")
    megapixels: float = param(40.0, unit="Mpx", low=0.1, high=400.0,
                              help="larger pages are scaled down to this")

    def __post_init__(self) -> None:
        check_limits(self)


def upright(page: Page, settings: UprightSettings, net: LoadedUprightNet | None) -> Upright:
    """The page as gray, at most `megapixels` large, turned by 0 to 3 quarters counterclockwise.

    net may be None when `settings` leave it nothing to decide. `page_from_upright` carries turn
    and scale.
    """
    gray = to_gray(page.image)
    height, width = gray.shape
    factor = np.sqrt(settings.megapixels * 1e6 / (width * height))
    if factor < 1:
        small = max(1, round(width * factor)), max(1, round(height * factor))
        gray = cv2.resize(gray, small, interpolation=cv2.INTER_AREA)
    scores = np.array([1, 0, 0, 0], np.float32)
    if settings.turn >= 0:
        turns, reason = settings.turn, "turned by hand"
    elif not settings.enabled:
        turns, reason = 0, "turning is switched off"
    else:
        tile = page_tiles(gray, settings.tiles)
        scores = page_scores(net.log_scores(tile))
        turns, reason = decide(scores, len(tile), settings.margin)
    scaled_height, scaled_width = gray.shape
    turned_from_scaled = geometry.quarter_turns(turns, scaled_width, scaled_height)
    scaled_from_page = geometry.scaling(scaled_width / width, scaled_height / height)
    return Upright(quarter_turns=turns, scores=scores,
                   gray=np.ascontiguousarray(np.rot90(gray, turns)),
                   page_from_upright=geometry.invert(
                       geometry.compose(turned_from_scaled, scaled_from_page)),
                   reason=reason)


def to_gray(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) of an RGB or gray page (Rec. 601 luma, as in OpenCV)."""
    return image if image.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(image),
                                                      cv2.COLOR_RGB2GRAY)


def page_scores(log_scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4,) probabilities of a page from those of its tiles (n, 4) in logs.

    Tiles of one page are not independent (same font, same scan), so their evidence is added and
    then weakened to that of sqrt(n) tiles. No tile has a veto, as a logo or a shadow may mislead:
    its probabilities count as DOUBT at least. No tiles: the page stays as it is.
    """
    n = len(log_scores)
    if n == 0:
        return np.array([1, 0, 0, 0], np.float32)
    total = np.maximum(log_scores.astype(np.float64), np.log(DOUBT)).sum(0) / np.sqrt(n)
    scores = np.exp(total - total.max())
    return (scores / scores.sum()).astype(np.float32)


def decide(scores: NDArray[np.float32], n_tiles: int, margin: float) -> tuple[int, str]:
    """(quarter turns counterclockwise, the reason in words)."""
    if n_tiles == 0:
        return 0, "nothing on the page to judge by"
    best = int(scores.argmax())
    lead = float(scores[best] - scores[0])
    if best == 0:
        return 0, f"looks upright ({scores[0]:.2f})"
    if lead < margin:
        return 0, f"{90 * best} degrees leads by {lead:.2f} only, less than {margin:.2f}"
    return best, f"turned {90 * best} degrees counterclockwise, leads by {lead:.2f}"
