"""Blobs: extremal regions of both polarities, as a tree, each with its fate.

The tree of our own gives every region of either polarity and how stable it is; `cv2.MSER` can be
chosen for comparison. One region per branch is kept: the largest one that still stands out by a
fraction of the branch's contrast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.detector import background, cv2_regions, refusal
from core.detector.rules import Rules, rules, without_rules
from core.detector.surroundings import without_surroundings
from core.parameters import check_limits, param
from core.reading import Blobs, Parents, Upright


@dataclass(frozen=True)
class BlobSettings:
    """How blobs are found and which are refused. Heights are relative to the page's median letter."""

    engine: str = param("tree", choices=("tree", "cv2"),
                        help="the component tree of our own, or cv2.MSER for comparison")
    delta: int = param(2, unit="grey levels", low=1, high=50,
                       help="cv2: step over which stability is measured; small finds more")
    min_area: int = param(4, unit="px", low=1, high=1000,
                          help="smallest region; the dots of small print have 4")
    max_area: int = param(30_000, unit="px", low=100, high=4_000_000, help="cv2: largest region")
    max_variation: float = param(0.5, low=0.01, high=2.0,
                                 help="cv2: growth over delta above which a region is not stable")
    blur: int = param(3, unit="px", low=0, high=9, help="cv2: box blur before; 0 or 1 = none")
    clahe_clip: float = param(2.0, low=0.0, high=40.0,
                              help="cv2: contrast limit of the tile-wise equalisation; 0 = none")
    small_print: float = param(14.0, unit="px", low=0.0, high=60.0,
                               help="tree: pages with lower letters are enlarged first; 0 = never")
    branch_contrast: float = param(0.3, low=0.05, high=0.95,
                                   help="part of a branch's contrast at which its node is taken")
    wide_contrast: float = param(0.5, low=0.05, high=0.95,
                                 help="the same for wide nodes, so that letters that touch part")
    min_contrast: float = param(0.22, low=0.0, high=1.0,
                                help="least contrast, as part of the page's strong letters'")
    min_side: float = param(0.08, unit="letter heights", low=0.0, high=1.0,
                            help="least square root of the area")
    min_speck: float = param(2.4, unit="px", low=0.0, high=20.0,
                             help="least square root of the area on pages full of specks")
    max_height: float = param(7.0, unit="letter heights", low=1.0, high=100.0,
                              help="tallest blob that can be a letter")
    sheet_only: bool = param(True, help="look for text only on the sheet where the page shows what "
                                        "lies around it")
    take_off_rules: bool = param(True, help="take ruled lines off the page before blobs are found")
    rule_skew: float = param(11.0, unit="degrees", low=0.0, high=20.0,
                             help="how far askew ruled lines are taken off; 0 = level ones only")
    rule_ratio: float = param(7.0, low=2.0, high=100.0,
                              help="length to thickness above which a thin blob is a rule")
    frame_fill: float = param(0.13, low=0.0, high=1.0,
                              help="ink part of its box below which a big blob is a frame")
    solid_fill: float = param(0.92, low=0.5, high=1.01,
                              help="ink part of its box above which a big blob is a filled area")

    big_fill: float = param(0.72, low=0.3, high=1.01,
                            help="the same for blobs higher than letters")

    def __post_init__(self) -> None:
        check_limits(self)


def blobs(upright: Upright, settings: BlobSettings = BlobSettings()) -> Blobs:
    """All regions of both polarities in upright px, parents first, each with its fate.

    `level`: for the tree the level of contrast at the region's edge (`tree.Choice.grey` tells the
    grey levels); for cv2 the grey up to which it reaches, of the negative for light on dark.
    """
    gray, ruled = without_its_rules(upright, settings)
    if settings.engine == "cv2":
        m = cv2_regions.measures(_filtered(gray, settings), upright.gray, settings)
        parent = m.parent
    else:
        from core.detector import tree_regions  # numba takes a third of a second
        found, scale = tree_regions.built(gray, settings)
        m, parent = tree_regions.of_tree(found, scale), found.parent
    fate, value, limit = refusal.fates(m, settings)
    n = len(parent)
    table = Blobs(
        box=m.box, polarity=m.polarity, area=m.area, variation=m.variation, level=m.level,
        tree_parent=parent, fate=fate, fate_value=value, fate_limit=limit,
        parents=Parents.one_each("upright", np.zeros(n, np.int64)))
    return table if ruled is None else _with_rules(table, ruled, settings)


def without_its_rules(upright: Upright, settings: BlobSettings
                      ) -> tuple[NDArray[np.uint8], Rules | None]:
    """((H, W) uint8 the page in which blobs are sought, the rules taken off it).

    What lies around a photographed sheet is painted as paper.
    """
    gray = without_surroundings(upright.gray) if settings.sheet_only else upright.gray
    if not settings.take_off_rules:
        return gray, None
    paper = background.background(gray)
    ruled = rules(gray, paper, settings.rule_skew)
    return without_rules(gray, paper, ruled), ruled


def _filtered(gray: NDArray[np.uint8], settings: BlobSettings) -> NDArray[np.uint8]:
    """The page as `cv2.MSER` sees it."""
    return background.filtered(gray, settings.blur, settings.clahe_clip)


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
    """(m, 2) x y of one blob's pixels, upright px, found again on the page.

    settings: those the blobs were made with. Raises ValueError where they were not.
    """
    gray, ruled = without_its_rules(upright, settings)
    if ruled is not None and blobs.fate[row] == refusal.FATE["rule or frame"]:
        of_rule = ruled.pixels(blobs.box[row])
        if len(of_rule) == blobs.area[row]:
            return of_rule
    if settings.engine == "cv2":
        return cv2_regions.pixels(_filtered(gray, settings), blobs.box[row],
                                  int(blobs.area[row]), int(blobs.level[row]),
                                  int(blobs.polarity[row]))
    from core.detector import tree_regions
    return tree_regions.pixels(gray, settings, row, blobs.box[row])
