"""The compiled core of the component tree: one pass over the signed contrast levels of a page.

A pixel's *key* is 0 for paper, its level 1..127 for ink darker than the paper, and its level + 128
for ink lighter than it. Keys of one polarity order like their levels, and neighbours of different
polarity are never joined, so one pass builds the trees of both.

Each row is split into spans of one polarity. A stack builds a span's own one-dimensional tree;
then it is merged with the tree of the rows above. Joining the pixels (x, y - 1) and (x, y) at the
lesser of their keys is needed only where that lesser key has a local maximum along x: from any
other place the rows themselves lead up to one (Wilkinson et al. 2008 merge strips the same way).
Neighbours are the four that share an edge, for both polarities, as in `cv2.MSER`.

While a tree is built its nodes hold only their own pixels (those of exactly the node's key);
`settle` adds the children up.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LIGHT = 128     # added to the key of what is lighter than its paper
N_KEYS = 256
ROOT = 0        # node above all: it lets every climb end, and is no region

# Columns of a node under construction: a row of 8 uint32 is half a cache line. Unsigned, because
# Numba checks signed indices for the sign: 14 % of the time.
KEY, PARENT, LINK, AREA, X0, X1, Y1, SEED = range(8)
WIDTH = 8


@njit(cache=True, nogil=True, boundscheck=False)
def find(nodes, i):
    """The node that `i` was merged into; shortens the way for the next call."""
    while nodes[i, LINK] != i:
        above = nodes[nodes[i, LINK], LINK]
        nodes[i, LINK] = above
        i = above
    return i


@njit(cache=True, nogil=True, boundscheck=False)
def connect(nodes, a, b):
    """Make one branch of the ancestors of `a` and of `b`, two touching pixels' nodes.

    The branches are zipped: equal keys become one node, the older one, which so keeps its seed.
    """
    a, b = find(nodes, a), find(nodes, b)
    key_a, key_b = nodes[a, KEY], nodes[b, KEY]
    while a != b:
        if key_a < key_b:
            a, b, key_a, key_b = b, a, key_b, key_a
        above = find(nodes, nodes[a, PARENT])
        key_above = nodes[above, KEY]
        if key_a > key_b:
            if key_above < key_b:
                nodes[a, PARENT] = b
                if above == ROOT:
                    return
            a, key_a = above, key_above
            continue
        other = find(nodes, nodes[b, PARENT])
        key_other = nodes[other, KEY]
        if b < a:
            a, b = b, a
        nodes[b, LINK] = a
        nodes[a, AREA] += nodes[b, AREA]
        nodes[a, X0] = min(nodes[a, X0], nodes[b, X0])
        nodes[a, X1] = max(nodes[a, X1], nodes[b, X1])
        nodes[a, Y1] = max(nodes[a, Y1], nodes[b, Y1])
        nodes[a, SEED] = min(nodes[a, SEED], nodes[b, SEED])
        nodes[a, PARENT] = above if key_above >= key_other else other
        if above == ROOT or other == ROOT:
            return
        a, b, key_a, key_b = above, other, key_above, key_other


@njit(cache=True, nogil=True, boundscheck=False)
def row_keys(gray, paper, least, shift, keys):
    """Fill `keys` (>= W,) uint8 from a row of grey and of the paper's grey, both (W,) uint8."""
    for x in range(len(gray)):
        p, g = paper[x], gray[x]
        contrast = np.uint8(max(p, g) - min(p, g))
        level = np.uint8((np.uint8(contrast - least) >> shift) + np.uint8(1))
        level = np.uint8(level | (np.uint8(LIGHT) if g > p else np.uint8(0)))
        keys[x] = level if contrast >= least else np.uint8(0)


@njit(cache=True, nogil=True, boundscheck=False)
def grown(nodes, needed):
    """`nodes` with room for `needed` rows at least."""
    more = np.empty((max(needed, 2 * len(nodes)), WIDTH), np.uint32)
    more[:len(nodes)] = nodes
    return more


@njit(cache=True, nogil=True, boundscheck=False)
def build(gray, paper, least, shift):
    """(nodes (n, 8) uint32, n): own pixels of each node; row 0 is `ROOT`.

    gray, paper (H, W) uint8; least: the contrast of level 1, grey levels; 2 ** shift grey levels
    to a level.
    """
    height, width = gray.shape
    nodes = np.empty((max(1024, gray.size // 8), WIDTH), np.uint32)
    nodes[ROOT] = 0
    n = 1
    padded = (width // 8 + 1) * 8             # at least one key of paper after the last
    keys, keys_above = np.zeros(padded, np.uint8), np.zeros(padded, np.uint8)
    at, at_above = np.zeros(padded, np.uint32), np.zeros(padded, np.uint32)
    stack, stack_key = np.zeros(LIGHT + 1, np.uint32), np.zeros(LIGHT + 1, np.uint8)
    joins = np.empty(padded, np.int32)
    least, shift = np.uint8(least), np.uint8(shift)
    for y in range(height):
        keys, keys_above = keys_above, keys
        at, at_above = at_above, at
        row_keys(gray[y], paper[y], least, shift, keys)
        if n + width > len(nodes):
            nodes = grown(nodes, n + width)
        eight = keys.view(np.uint64)
        x = 0
        while x < width:
            if keys[x] == 0:
                x += 1
                if x & 7 == 0:
                    while x < width and eight[x >> 3] == 0:
                        x += 8
                continue
            polarity = keys[x] & LIGHT
            top, key, start, n_joins = 0, 0, x, 0
            both, rising = 0, False           # the lesser key of this row and the row above
            while True:
                k = keys[x]
                if k != key:
                    if key:
                        node = stack[top]
                        nodes[node, AREA] += x - start
                        nodes[node, X1] = x
                    if k == 0 or k & LIGHT != polarity:
                        break
                    popped = -1
                    while stack_key[top] > k:
                        popped = stack[top]
                        top -= 1
                    if stack_key[top] < k:
                        nodes[n, KEY], nodes[n, PARENT], nodes[n, LINK] = k, stack[top], n
                        nodes[n, AREA], nodes[n, X0], nodes[n, X1] = 0, x, x
                        nodes[n, Y1], nodes[n, SEED] = y + 1, y * width + x
                        if popped >= 0:
                            nodes[popped, PARENT] = n   # lies between that branch and the stack
                        top += 1
                        stack[top], stack_key[top] = n, k
                        n += 1
                    key, start = k, x
                at[x] = stack[top]
                above = keys_above[x]
                lesser = min(k, above) if above & LIGHT == polarity else 0
                if lesser < both:
                    if rising:
                        joins[n_joins] = x - 1
                        n_joins += 1
                    rising = False
                elif lesser > both:
                    rising = True
                both = lesser
                x += 1
            if rising:
                joins[n_joins] = x - 1
                n_joins += 1
            for j in range(n_joins):
                connect(nodes, at_above[joins[j]], at[joins[j]])
    return nodes, n


@njit(cache=True, nogil=True, boundscheck=False)
def settle(nodes, n, width, min_area):
    """Flat columns of all regions of at least `min_area` px, each below its parent.

    (parent (-1 = none), key, peak, area, box (m, 4), seed, level_sum): `peak` is the greatest level
    inside, `level_sum` the sum of the levels of all pixels, `seed` y * width + x of one pixel.
    `nodes` is used up.
    """
    count = np.zeros(LIGHT + 1, np.int64)     # of level - 1, then the place of each level's next
    for i in range(1, n):
        if nodes[i, LINK] == i:
            nodes[i, PARENT] = find(nodes, nodes[i, PARENT])
            count[(nodes[i, KEY] & 127) + 1] += 1
    for level in range(1, LIGHT + 1):
        count[level] += count[level - 1]
    order = np.empty(count[LIGHT], np.uint32)  # by level, lowest first
    level_sum = np.empty(n, np.int64)
    for i in range(1, n):
        if nodes[i, LINK] == i:
            level = nodes[i, KEY] & 127
            order[count[level]] = i
            count[level] += 1
            level_sum[i] = level * nodes[i, AREA]
            nodes[i, LINK] = level            # from here on the greatest level inside
    m = 0
    for j in range(len(order) - 1, -1, -1):   # children first
        i = order[j]
        m += nodes[i, AREA] >= min_area
        above = nodes[i, PARENT]
        if above != ROOT:
            nodes[above, AREA] += nodes[i, AREA]
            nodes[above, LINK] = max(nodes[above, LINK], nodes[i, LINK])
            nodes[above, X0] = min(nodes[above, X0], nodes[i, X0])
            nodes[above, X1] = max(nodes[above, X1], nodes[i, X1])
            nodes[above, Y1] = max(nodes[above, Y1], nodes[i, Y1])
            nodes[above, SEED] = min(nodes[above, SEED], nodes[i, SEED])
            level_sum[above] += level_sum[i]
    parent, area, seed = np.empty(m, np.int32), np.empty(m, np.int32), np.empty(m, np.int32)
    key, peak = np.empty(m, np.uint8), np.empty(m, np.uint8)
    box, sums = np.empty((m, 4), np.int32), np.empty(m, np.int64)
    row = 0
    nodes[ROOT, KEY] = 0                      # from here on KEY is the node's row + 1
    for i in order:
        if nodes[i, AREA] < min_area:
            continue
        parent[row] = np.int64(nodes[nodes[i, PARENT], KEY]) - 1
        key[row], peak[row] = nodes[i, KEY], nodes[i, LINK]
        area[row], seed[row], sums[row] = nodes[i, AREA], nodes[i, SEED], level_sum[i]
        box[row, 0], box[row, 1] = nodes[i, X0], nodes[i, SEED] // width
        box[row, 2], box[row, 3] = nodes[i, X1], nodes[i, Y1]
        row += 1
        nodes[i, KEY] = row
    return parent, key, peak, area, box, seed, sums


@njit(cache=True, nogil=True, boundscheck=False)
def stability(parent, level, area, delta, max_variation):
    """(variation (n,) float32, stable (n,) bool) of nodes of which parents come first.

    variation: (area `delta` levels further down - area) / area, inf where no region is left there.
    stable: at most `max_variation`, less than the parent's, not more than the largest child's.
    """
    n = len(parent)
    variation = np.empty(n, np.float32)
    for i in range(n):
        wanted = np.int64(level[i]) - delta   # of the region around i at this threshold
        j = i
        while parent[j] >= 0 and level[parent[j]] >= wanted:
            j = parent[j]
        variation[i] = (area[j] - area[i]) / area[i] if wanted >= 1 else np.inf
    largest = np.full(n, -1, np.int32)
    for i in range(n):
        above = parent[i]
        if above >= 0 and (largest[above] < 0 or area[i] > area[largest[above]]):
            largest[above] = i
    stable = np.empty(n, np.bool_)
    for i in range(n):
        above, below = parent[i], largest[i]
        stable[i] = (variation[i] <= max_variation
                     and (above < 0 or variation[i] < variation[above])
                     and (below < 0 or variation[i] <= variation[below]))
    return variation, stable


@njit(cache=True, nogil=True, boundscheck=False)
def kept_parents(parent, keep):
    """(kept,) new parent row of each kept node, of nodes of which parents come first."""
    n, m = len(parent), 0
    row = np.empty(n, np.int32)               # of the node itself, or of its nearest kept ancestor
    kept = np.empty(keep.sum(), np.int32)
    for i in range(n):
        above = row[parent[i]] if parent[i] >= 0 else -1
        if keep[i]:
            kept[m] = above
            row[i] = m
            m += 1
        else:
            row[i] = above
    return kept


@njit(cache=True, nogil=True, boundscheck=False)
def solid_rows(parent, level, area, box, least_level, side, length, thickness, fill_low, fill_high):
    """Rows of big filled nodes whose parent is none; see `tree.panels` for the measures."""
    n = len(parent)
    solid = np.zeros(n, np.bool_)
    for i in range(n):
        w, h = box[i, 2] - box[i, 0], box[i, 3] - box[i, 1]
        if min(w, h) >= side and max(w, h) >= length and level[i] >= least_level:
            solid[i] = (area[i] >= thickness * (w + h)
                        and fill_low * w * h <= area[i] <= fill_high * w * h)
    return np.array([i for i in range(n) if solid[i] and not (parent[i] >= 0 and solid[parent[i]])],
                    np.int64)


@njit(cache=True, nogil=True, boundscheck=False)
def outline(gray, bound, by, contrast, polarity):
    """Share of the pixels `by` px inside a bound (4,) that stand out from those `by` px outside it.

    They do by at least `contrast` grey levels from the outside's median, darker for polarity 0.
    1 where the bound leaves no outside.
    """
    height, width = gray.shape
    x0, y0, x1, y1 = bound
    rows = np.array([y0 + by, y1 - 1 - by])
    columns = np.array([x0 + by, x1 - 1 - by])
    n_outside, outside = 0, np.empty(2 * (x1 - x0 + y1 - y0), np.uint8)
    for y in (y0 - 1 - by, y1 + by):
        if 0 <= y < height:
            for x in range(x0, x1):
                outside[n_outside] = gray[y, x]
                n_outside += 1
    for x in (x0 - 1 - by, x1 + by):
        if 0 <= x < width:
            for y in range(y0, y1):
                outside[n_outside] = gray[y, x]
                n_outside += 1
    if n_outside == 0:
        return 1.0
    paper = np.int64(np.median(outside[:n_outside]))
    n, standing_out, sign = 0, 0, 1 - 2 * np.int64(polarity)
    for y in rows:
        for x in range(x0 + by, x1 - by):
            n += 1
            standing_out += sign * (paper - gray[y, x]) >= contrast
    for x in columns:
        for y in range(y0 + by, y1 - by):
            n += 1
            standing_out += sign * (paper - gray[y, x]) >= contrast
    return standing_out / n


@njit(cache=True, nogil=True, boundscheck=False)
def mark_inside(box, polarity, wanted, bound, marks):
    """Set `marks` of nodes of the wanted polarity that lie in `bound` (4,)."""
    for i in range(len(box)):
        if (polarity[i] == wanted and box[i, 0] >= bound[0] and box[i, 1] >= bound[1]
                and box[i, 2] <= bound[2] and box[i, 3] <= bound[3]):
            marks[i] = True


@njit(cache=True, nogil=True, boundscheck=False)
def mark_counters(parent, box, polarity, panel, inner, ratio, marks):
    """Set `marks` of what shows through the letters on a panel: the panel's colour within a letter.

    inner (m, 4): boxes of letters; a counter's box lies in one of at most `ratio` times its size.
    """
    n = len(parent)
    bound = box[panel]
    under = np.zeros(n, np.bool_)             # the panel itself and its cores
    under[panel] = True
    for i in range(n):
        if parent[i] >= 0 and under[parent[i]]:
            under[i] = True
        if (under[i] or polarity[i] != polarity[panel] or box[i, 0] <= bound[0]
                or box[i, 1] <= bound[1] or box[i, 2] >= bound[2] or box[i, 3] >= bound[3]):
            continue
        if parent[i] >= 0 and marks[parent[i]]:
            marks[i] = True
            continue
        largest = ratio * (box[i, 2] - box[i, 0]) * (box[i, 3] - box[i, 1])
        for j in range(len(inner)):
            if (inner[j, 0] <= box[i, 0] and inner[j, 1] <= box[i, 1] and inner[j, 2] >= box[i, 2]
                    and inner[j, 3] >= box[i, 3]
                    and (inner[j, 2] - inner[j, 0]) * (inner[j, 3] - inner[j, 1]) <= largest):
                marks[i] = True
                break


@njit(cache=True, nogil=True, boundscheck=False)
def outermost(parent, inherited, passes):
    """(n,) nodes that pass and have no ancestor that does; ancestry ends where not `inherited`."""
    n = len(parent)
    taken, covered = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(n):
        covered[i] = inherited[i] and (covered[parent[i]] or taken[parent[i]])
        taken[i] = passes[i] and not covered[i]
    return taken
