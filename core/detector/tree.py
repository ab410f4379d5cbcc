"""A component tree of the page's signed contrast: every region of both polarities in one pass.

contrast = grey of the paper - grey of the page; its sign is the polarity, and its size, in steps
of a few grey levels, the level of a pixel. A region is a connected set of pixels of one polarity
at or above some level, as large as it can be: an extremal region of the contrast (Nister &
Stewenius 2008, "Linear Time Maximally Stable Extremal Regions"). Pixels with less contrast than
`Choice.least` are paper and cost next to nothing, which is where the time goes in other trees.

Neighbours are the four that share an edge, for either polarity (regions of both can lie next to
each other, but never join). All coordinates are px of the image that was given (upright px).
Where a solid panel holds inverse text, the panel is read again against its own colour.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detector import tree_build
from core.reading import Frozen

WINDOW = 200              # px: paper is the median over this, wider than a letter
SAMPLES_IN_WINDOW = 25    # along one side of the window, at most
SAMPLES = 8               # along the short side of the image at least
DELTA = 1                 # levels: step over which a region's stability is measured
MAX_VARIATION = 0.5       # growth over DELTA above which a region is not stable
MIN_AREA = 10             # px
WEAKEST = 12              # grey levels: contrast below this says nothing about the ink's strength
STRONG = 0.85             # quantile of contrast that stands for the page's strong ink
BILEVEL = 0.8             # half steps per full step along the rows: 2 and more on antialiased text
NOISY = 3.0               # grey levels of noise from which the page is blurred
FAINT = 150.0             # grey levels of strong contrast below which it is
PANEL_CONTRAST = 40       # grey levels between a panel and the page's paper
PANEL_SIDE = 14           # px, the lowest panel that can hold text
PANEL_LENGTH = 40         # px
PANEL_THICKNESS = 10      # px: area / (width + height); frames and letters are thinner
PANEL_FILL = (0.2, 0.98)  # of its box; one wider than WINDOW is a broad ring, a full one blank
PANEL_EDGE = 2            # px in from a panel's bound, and out of it, where the two must differ
PANEL_OUTLINE = 0.75      # of the edge at least
GROUND_STRIDE = 4         # px between the samples from which broad grounds are told
GROUND_WINDOW = 13        # samples, about 50 px: broader than strokes, narrower than the page's edge
GROUND_CONTRAST = 14      # grey levels between a ground and the paper guessed over `WINDOW`
ONE_GREY = 24             # grey levels at most from a ground to where it goes on
FLAT = 30                 # grey levels between most cells of a ground; pictures have more
OPEN = 0.25               # of its surroundings that are of its grey: a panel's are less
TILE = 32                 # samples along the side of the parts in which grounds are drawn
GROUND_SIDE = 5           # samples, the narrowest ground
COUNTER = 16              # a letter's box is at most that many times the box of its counter


@dataclass(frozen=True)
class Choice:
    """How a page is looked at, from its own pixels.

    blur    px, side of the box filter before; 0 = none
    least   grey levels of contrast at which level 1 begins
    shift   2 ** shift grey levels to a level
    noise   grey levels, robust deviation of the paper; contrast of the page's strong ink
    reason  why, in words
    """

    blur: int
    least: int
    shift: int
    noise: float
    contrast: float
    reason: str

    def grey(self, level: NDArray) -> NDArray[np.uint8]:
        """Least contrast, in grey levels, of pixels at `level` (1 and up)."""
        return (self.least + ((np.asarray(level, np.int64) - 1) << self.shift)).astype(np.uint8)


@dataclass(frozen=True)
class Tree(Frozen):
    """All regions of an image, flat; a parent comes before its children.

    parent     (n,) int32, row of the smallest region around it, -1 = none. A region whose polarity
               is not its parent's was found on the parent's panel, against the panel's colour.
    level      (n,) uint8, 1 and up; `choice.grey(level)` is the contrast at the region's edge
    peak       (n,) uint8, the greatest level inside
    mean       (n,) float32, mean level inside
    area       (n,) int32, px
    box        (n, 4) int32, x0 y0 x1 y1, half-open, px
    polarity   (n,) uint8: 0 dark on light, 1 light on dark
    seed       (n,) int32, y * width + x of one pixel of the region
    variation  (n,) float32: (area DELTA levels further down - area) / area; inf where that is paper
    stable     (n,) bool: a local minimum of `variation` along its branch, at most MAX_VARIATION
    """

    parent: NDArray[np.int32]
    level: NDArray[np.uint8]
    peak: NDArray[np.uint8]
    mean: NDArray[np.float32]
    area: NDArray[np.int32]
    box: NDArray[np.int32]
    polarity: NDArray[np.uint8]
    seed: NDArray[np.int32]
    variation: NDArray[np.float32]
    stable: NDArray[np.bool_]
    choice: Choice

    def __len__(self) -> int:
        return len(self.parent)

    def _freeze(self) -> None:
        for name in COLUMNS:                  # `fields` takes longer than a small panel
            view = getattr(self, name).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def check(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in COLUMNS}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"tree: columns differ in length: {lengths}")


COLUMNS = tuple(f.name for f in fields(Tree) if f.name != "choice")


# ---- what is paper, what is ink ------------------------------------------------------------------

def paper(gray: NDArray[np.uint8], window: int = WINDOW) -> NDArray[np.uint8]:
    """Grey of the paper, one sample every `_stride` px: the median over about `window` px.

    The image is mirrored beyond its edges; OpenCV's own border repeats the edge, which on a narrow
    panel outvotes the panel.
    """
    stride = _stride(gray.shape, window)
    half = max(1, window // stride // 2)
    low = cv2.copyMakeBorder(np.ascontiguousarray(gray[::stride, ::stride]), half, half, half, half,
                             cv2.BORDER_REFLECT_101)
    return cv2.medianBlur(low, 2 * half + 1)[half:-half, half:-half]


def _stride(shape: tuple[int, ...], window: int = WINDOW) -> int:
    """px between the samples from which the paper is guessed."""
    return max(1, min(min(shape) // SAMPLES, window // SAMPLES_IN_WINDOW))


def ground(gray: NDArray[np.uint8], low: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) uint8: the paper `low` at the size of `gray`, sharp where broad grounds meet.

    Along the edge of a sheet on a table, of a bar or of a column, the median over `WINDOW` is that
    of the wrong side. Where the median over about 50 px is far from it over a broad area, it stands
    instead. Pixels amid the step from one ground to the next are paper.
    """
    full = _full(low, gray.shape)
    sample = np.ascontiguousarray(gray[::GROUND_STRIDE, ::GROUND_STRIDE])
    if min(sample.shape) <= 2 * GROUND_WINDOW:
        return full
    near = cv2.medianBlur(sample, GROUND_WINDOW)
    coarse = cv2.resize(full, sample.shape[::-1], interpolation=cv2.INTER_NEAREST)
    other = (cv2.absdiff(near, coarse) > GROUND_CONTRAST).astype(np.uint8)
    other = cv2.morphologyEx(other, cv2.MORPH_OPEN, np.ones((GROUND_SIDE, GROUND_SIDE), np.uint8))
    lighter = near > coarse
    other = _going_on(other & lighter, near) | _going_on(other & ~lighter, near)
    if not other.any():
        return full
    mended = np.where(other, near, coarse)
    three = np.ones((3, 3), np.uint8)
    darkest, lightest = cv2.erode(mended, three), cv2.dilate(mended, three)
    step = cv2.dilate((cv2.subtract(lightest, darkest) > GROUND_CONTRAST).astype(np.uint8), three)
    changed = cv2.dilate(other, three) > 0
    for y, x in _tiles(changed):
        rows = slice(y * GROUND_STRIDE, (y + TILE) * GROUND_STRIDE)
        columns = slice(x * GROUND_STRIDE, (x + TILE) * GROUND_STRIDE)
        cells = slice(y, y + TILE), slice(x, x + TILE)
        here = gray[rows, columns]
        low_here, high_here, step_here, changed_here, mended_here = (
            _enlarged(part[cells], here.shape)
            for part in (darkest, lightest, step, changed.astype(np.uint8), mended))
        between = np.clip(here, low_here, high_here)
        full[rows, columns] = np.where(
            step_here > 0, between, np.where(changed_here > 0, mended_here, full[rows, columns]))
    return full


def _going_on(other: NDArray[np.uint8], near: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The parts of `other` that are of one grey, which goes on beyond them.

    Panels end all around, and are regions of the tree; pictures are of many greys.
    """
    n, label, stats, _ = cv2.connectedComponentsWithStats(other, connectivity=4)
    kernel = np.ones((3, 3), np.uint8)
    for k in range(1, n):
        x, y, w, h, _ = stats[k]
        cells = slice(max(0, y - 3), y + h + 3), slice(max(0, x - 3), x + w + 3)
        mine, grey = (label[cells] == k).astype(np.uint8), near[cells]
        beyond = cv2.dilate(mine, kernel, iterations=3) - cv2.dilate(mine, kernel)
        own = grey[cv2.erode(mine, kernel) > 0]
        if not len(own) or not beyond.any():
            other[cells][mine > 0] = 0
            continue
        alike = np.abs(grey[beyond > 0].astype(np.int16) - int(np.median(own))) <= ONE_GREY
        if np.percentile(own, 90) - np.percentile(own, 10) > FLAT or alike.mean() < OPEN:
            other[cells][mine > 0] = 0
    return other


def _tiles(cells: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(y, x) of the tiles of TILE samples in which any of `cells` is set."""
    found = []
    for y in range(0, cells.shape[0], TILE):
        for x in range(0, cells.shape[1], TILE):
            if cells[y:y + TILE, x:x + TILE].any():
                found.append((y, x))
    return found


def _enlarged(cells: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Samples at the size of their part of the image."""
    return np.repeat(np.repeat(cells, GROUND_STRIDE, 0), GROUND_STRIDE, 1)[:shape[0], :shape[1]]


def panel_paper(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`paper` of a panel cut out of its page: it is at least as wide as what stands on it."""
    return paper(crop, min(WINDOW, 2 * min(crop.shape)))


def choose(gray: NDArray[np.uint8], low: NDArray[np.uint8] | None = None) -> Choice:
    """How to look at a page of any kind, from a sample of its pixels and of its rows.

    Noise is the median contrast, for most of a page is paper; strong ink is a high quantile of the
    contrast that noise cannot explain. On faint, noisy and bilevel pages a blur finds more words,
    on clean ones it only makes letters touch. low: `paper(gray)` where it is known already.
    """
    low = paper(gray) if low is None else low
    stride = _stride(gray.shape)
    sample = np.ascontiguousarray(gray[::stride, ::stride])
    histogram = np.bincount(cv2.absdiff(sample, low).ravel(), minlength=256)
    noise = 1.4826 * float(np.searchsorted(np.cumsum(histogram), 0.5 * histogram.sum()))
    histogram[:max(WEAKEST, int(4 * noise))] = 0
    strong = float(np.searchsorted(np.cumsum(histogram), STRONG * histogram.sum()))
    reasons = [f"noise {noise:.0f}", f"strong contrast {strong:.0f}"]
    blur = 3
    if noise >= NOISY:
        reasons.append("noisy: blurred 3 x 3")
    elif 0 < strong < FAINT:
        reasons.append("faint: blurred 3 x 3, which closes broken strokes")
    elif strong and _steep(gray[::stride], strong) < BILEVEL:
        reasons.append("bilevel: blurred 3 x 3, which gives edges their slopes")
    else:
        blur = 0
    left = 0.65 * noise if blur else noise    # 3 / 8 for white noise, more for that of JPEG
    least = int(np.clip(max(3 * left, 0.1 * strong), 8, 28))
    # steps below the noise, or below a tenth of the ink's contrast, cost time and find nothing
    shift = 2 if strong < 72 else 4 if noise >= NOISY and strong >= 160 else 3
    reasons.append(f"ink from {least} in steps of {1 << shift}")
    return Choice(blur, least, shift, noise, strong, "; ".join(reasons))


def _steep(rows: NDArray[np.uint8], strong: float) -> float:
    """Pixels amid a slope along x for each full step from one pixel to the next; 0 = bilevel."""
    if rows.shape[1] < 2:
        return np.inf
    step = cv2.absdiff(np.ascontiguousarray(rows[:, 1:]), np.ascontiguousarray(rows[:, :-1]))
    full = int((step > 0.75 * strong).sum())
    half = int(((step > 0.2 * strong) & (step <= 0.75 * strong)).sum())
    return half / full if full else np.inf


def filtered(gray: NDArray[np.uint8], choice: Choice) -> NDArray[np.uint8]:
    """`gray` as the tree sees it."""
    if choice.blur == 3:  # weighted 1 2 1: as calm as a box on noise, and dots keep more contrast
        return cv2.GaussianBlur(gray, (3, 3), 0)
    return cv2.blur(gray, (choice.blur, choice.blur)) if choice.blur else gray


def contrast(gray: NDArray[np.uint8], choice: Choice,
             low: NDArray[np.uint8] | None = None) -> NDArray[np.int16]:
    """(H, W) grey of the paper - grey: positive for what is darker than its paper.

    low: the paper where it is not that of a whole page.
    """
    full = ground(gray, paper(gray)) if low is None else _full(low, gray.shape)
    return full.astype(np.int16) - filtered(gray, choice)


def _full(low: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Coarse paper at the size of the image."""
    return cv2.resize(low, shape[1::-1], interpolation=cv2.INTER_LINEAR)


# ---- the tree ------------------------------------------------------------------------------------

def build(gray: NDArray[np.uint8], min_area: int = MIN_AREA, choice: Choice | None = None) -> Tree:
    """The tree of (H, W) uint8 `gray`, regions of at least `min_area` px, panels read again."""
    gray = np.ascontiguousarray(gray)
    low = paper(gray)
    choice = choose(gray, low) if choice is None else choice
    tree = _one_pass(gray, ground(gray, low), choice, min_area)
    return _with_panels(tree, gray, min_area)


def _one_pass(gray: NDArray[np.uint8], full: NDArray[np.uint8], choice: Choice,
              min_area: int) -> Tree:
    """The tree of an image against its paper `full`, of the same size."""
    if (255 - choice.least) >> choice.shift > 126:
        raise ValueError(f"{choice} makes more than 127 levels: take a greater shift")
    seen = np.ascontiguousarray(filtered(gray, choice))
    nodes, n = tree_build.build(seen, full, choice.least, choice.shift)
    parent, key, peak, area, box, seed, level_sum = tree_build.settle(
        nodes, n, gray.shape[1], min_area)
    level = key & 127
    variation, stable = tree_build.stability(parent, level, area, DELTA, MAX_VARIATION)
    return Tree(parent, level, peak, (level_sum / area).astype(np.float32), area, box, key >> 7,
                seed, variation, stable, choice)


def pixels(gray: NDArray[np.uint8], tree: Tree, row: int) -> NDArray[np.int32]:
    """(m, 2) x y of one region's pixels, flooded from its seed. gray: that of the tree."""
    gray, choice = np.ascontiguousarray(gray), tree.choice
    panel = panel_of(tree, row)
    dx, dy = (0, 0) if panel is None else panel[:2]
    if panel is None:
        signed = contrast(gray, choice)
    else:
        crop = np.ascontiguousarray(gray[panel[1]:panel[3], panel[0]:panel[2]])
        signed = contrast(crop, choice, panel_paper(crop))
    x0, y0, x1, y1 = tree.box[row] - [dx, dy, dx, dy]
    inside = signed[y0:y1, x0:x1] * (-1 if tree.polarity[row] else 1)
    mask = (inside >= int(choice.grey(tree.level[row]))).astype(np.uint8)
    _, label = cv2.connectedComponents(mask, connectivity=4)
    sy, sx = divmod(int(tree.seed[row]), gray.shape[1])
    y, x = np.nonzero(label == label[sy - dy - y0, sx - dx - x0])
    return np.stack([x + x0 + dx, y + y0 + dy], 1).astype(np.int32)


# ---- panels --------------------------------------------------------------------------------------

def panels(tree: Tree, gray: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Rows of solid regions that may hold inverse text, none within another, largest first.

    A panel stands out from the page all along its edge; words that touch, and big letters, do not.
    """
    least_level = 1 + (max(0, PANEL_CONTRAST - tree.choice.least) >> tree.choice.shift)
    rows = tree_build.solid_rows(tree.parent, tree.level, tree.area, tree.box, least_level,
                                 PANEL_SIDE, PANEL_LENGTH, PANEL_THICKNESS, *PANEL_FILL)
    # of equal boxes the lowest level, which comes first, stays first
    size = (tree.box[rows, 2:] - tree.box[rows, :2]).prod(1)
    rows = rows[np.argsort(-size, kind="stable")]
    mean = tree.choice.grey(tree.mean[rows].astype(np.int64)).astype(np.int64)
    taken: list[int] = []
    for row, contrast_here in zip(rows, mean, strict=True):
        x0, y0, x1, y1 = tree.box[row]
        outer = tree.box[taken]
        nested = ((outer[:, 0] <= x0) & (outer[:, 1] <= y0) & (outer[:, 2] >= x1)
                  & (outer[:, 3] >= y1)).any()
        if not nested and tree_build.outline(gray, tree.box[row], PANEL_EDGE, contrast_here // 2,
                                             tree.polarity[row]) >= PANEL_OUTLINE:
            taken.append(row)
    return np.array(taken, np.int64)


def panel_of(tree: Tree, row: int) -> NDArray[np.int32] | None:
    """Box of the panel against whose colour a region was found, None for the page's paper."""
    above = int(tree.parent[row])
    while above >= 0:
        if tree.polarity[above] != tree.polarity[row]:
            return tree.box[above]
        above = int(tree.parent[above])
    return None


def _with_panels(tree: Tree, gray: NDArray[np.uint8], min_area: int) -> Tree:
    """The tree with what stands on panels, in the opposite polarity of each.

    What the first pass found there in that polarity, against a paper that was part panel and part
    page, gives way to it, and so do the counters of the letters, in which the panel shows.
    """
    replaced = np.zeros(len(tree), bool)
    found = []
    for row in panels(tree, gray):
        x0, y0, x1, y1 = (int(v) for v in tree.box[row])
        crop = np.ascontiguousarray(gray[y0:y1, x0:x1])
        inner = _one_pass(crop, _full(panel_paper(crop), crop.shape), tree.choice, min_area)
        box = inner.box
        touches = (box[:, :2] == 0).any(1) | (box[:, 2] == x1 - x0) | (box[:, 3] == y1 - y0)
        inner = subset(inner, (inner.polarity != tree.polarity[row]) & ~touches)
        if len(inner):
            tree_build.mark_inside(tree.box, tree.polarity, 1 - tree.polarity[row], tree.box[row],
                                   replaced)
            tree_build.mark_counters(
                tree.parent, tree.box, tree.polarity, row,
                inner.box[inner.parent < 0] + np.array([x0, y0, x0, y0], np.int32), COUNTER,
                replaced)
            found.append((row, inner))
    if not found:
        return tree
    new_row = np.cumsum(~replaced) - 1
    parts, n = [subset(tree, ~replaced)], int((~replaced).sum())
    for row, inner in found:
        x0, y0, x1, _ = tree.box[row]
        y, x = np.divmod(inner.seed, x1 - x0)
        parts.append(replace(
            inner, box=inner.box + np.array([x0, y0, x0, y0], np.int32),
            parent=np.where(inner.parent >= 0, inner.parent + n, new_row[row]).astype(np.int32),
            seed=((y + y0) * gray.shape[1] + x + x0).astype(np.int32)))
        n += len(inner)
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return Tree(**columns, choice=tree.choice)


# ---- choosing among regions ----------------------------------------------------------------------

def subset(tree: Tree, keep: NDArray[np.bool_]) -> Tree:
    """The rows in `keep`; each one's parent is its nearest ancestor that is kept."""
    if keep.all():
        return tree
    parent = tree_build.kept_parents(tree.parent, np.ascontiguousarray(keep))
    rows = np.flatnonzero(keep)
    columns = {name: np.take(getattr(tree, name), rows, 0) for name in COLUMNS if name != "parent"}
    return Tree(parent=parent, **columns, choice=tree.choice)


def dedupe(tree: Tree, fraction: float | NDArray[np.floating],
           eligible: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """(n,) one region per branch: the largest whose edge keeps `fraction` of the peak's contrast.

    That is a binarisation whose threshold follows each letter's own darkness: 0.20 to 0.35 is best
    for recall, more parts letters that touch; an array (n,) gives each region its own. No region
    taken lies in another of its polarity. A leaf whose core was too small to be kept is taken for
    its branch, which would vanish otherwise. What stands on a panel is taken beside the panel.

    eligible: (n,) regions that may be taken, for instance those not higher than a letter can be;
    where a region is not, the largest ones inside it that are stand in for it.
    """
    inherited = (tree.parent >= 0) & (tree.polarity[tree.parent] == tree.polarity)
    passes = tree.choice.grey(tree.level) >= fraction * tree.choice.grey(tree.peak)
    leaf = np.ones(len(tree), bool)
    leaf[tree.parent[inherited]] = False
    passes |= leaf
    if eligible is not None:
        passes &= eligible
    return tree_build.outermost(tree.parent, inherited, passes)
