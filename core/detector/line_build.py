"""Compiled loops over blobs, lines and gaps. Boxes are (n, 4) float32 in the page's levelled frame.

Everything is relative to the blobs' own heights; see `linking` and `spacing` for what it means.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BACK = 0.6            # of the lower height that neighbours' boxes may run into each other
MIDDLE = 0.6          # of the lower height that neighbours' middles may differ
MARK_HEIGHT = 0.72    # of its neighbour's line that a mark or a fragment is lower than
MARK_LINE = 0.8       # the same for the line it stands on now
MARK_GROUP = 3        # blobs in a group that can still be a mark (dots of an ellipsis)
MARK_WIDTH = 2.0      # heights of its neighbour: the widest mark, a dash
MARK_DROP = 0.35      # heights over or under its neighbour
MARK_ABOVE, MARK_BELOW = 0.6, 0.45  # heights of the neighbour beyond its edges
SET_WIDE = 4          # gaps of a line that can show letters set wide
LETTER_GAPS = 0.4     # of a line's gaps that are letter gaps, at least, else it is set wide
WIDEST_SET = 1.1      # heights between letters set wide; figures in a table's columns stand further
SET_ALIKE = 1.5       # times the lower gaps: what is wider parts words set wide
STACK_BLOBS = 3       # of a letter of turned text, in pieces
STACK_LEAST = 5       # letters one below the other
STACK_GAP = 0.5       # of their width between two
STACK_ALIKE = 0.6     # of the wider one's width that neighbours are wide
STACK_SHARED = 0.8    # of the narrower one's width that neighbours share
STACK_FLAT = 0.6      # of the letters that are wider than high
FIT_ROUNDS = 4        # of the baseline fit; it settles in two or three
DESCENDER = 0.14      # of the line height off the baseline that is no longer noise
SPAN_TO_FIT = 3.0     # heights: shorter runs of letters have no slope of their own
STEEPEST = 0.3        # slope against the page's, about 17 degrees


@njit(cache=True, nogil=True)
def root_of(above, i):
    """The root of i in a union-find forest; shortens the way."""
    while above[i] != i:
        above[i] = above[above[i]]
        i = above[i]
    return i


@njit(cache=True, nogil=True)
def linked(box, apart, gap, overlap, ratio, middle=MIDDLE):
    """(n,) int64 group of each blob: neighbours on a line share one.

    box by rising x0; apart (n,): blobs of different values are never linked; middle: of the lower
    height that the middles of two may differ.
    """
    n = len(box)
    above = np.arange(n)
    for i in range(n):
        x1, y0, y1 = box[i, 2], box[i, 1], box[i, 3]
        h = y1 - y0
        reach = x1 + gap * h / ratio
        for j in range(i + 1, n):
            if box[j, 0] > reach:
                break
            if apart[i] != apart[j]:
                continue
            low, high = min(h, box[j, 3] - box[j, 1]), max(h, box[j, 3] - box[j, 1])
            space = box[j, 0] - x1
            if (low < ratio * high or space > gap * high or space < -BACK * low
                    or min(y1, box[j, 3]) - max(y0, box[j, 1]) < overlap * low
                    or abs(y0 + y1 - box[j, 1] - box[j, 3]) > 2 * middle * low):
                continue
            a, b = root_of(above, i), root_of(above, j)
            above[max(a, b)] = min(a, b)
    return numbered(above)


@njit(cache=True, nogil=True)
def numbered(above):
    """(n,) int64 number of each one's root, from 0 up in order of appearance."""
    n = len(above)
    number, group, m = np.full(n, -1, np.int64), np.empty(n, np.int64), 0
    for i in range(n):
        r = root_of(above, i)
        if number[r] < 0:
            number[r] = m
            m += 1
        group[i] = number[r]
    return group


@njit(cache=True, nogil=True)
def with_marks(box, apart, group, mark_gap):
    """(group (n,), is_mark (n,)): small marks joined to the group of their one best neighbour.

    Marks are dots, commas, hyphens, and fragments of broken letters, which lie over or under the
    rest of their letter. box by rising x0.
    """
    n = len(box)
    m = group.max() + 1 if n else 0
    size, tall = np.zeros(m, np.int64), np.zeros(m, np.float64)
    for i in range(n):
        size[group[i]] += 1
        tall[group[i]] = max(tall[group[i]], box[i, 3] - box[i, 1])
    small = np.empty(n, np.int64)             # blobs that can be marks, by rising x0
    n_small = 0
    for i in range(n):
        if size[group[i]] <= MARK_GROUP:
            small[n_small] = i
            n_small += 1
    starts = box[small[:n_small], 0]
    host, best = np.full(n, -1, np.int64), np.full(n, np.inf)
    for j in range(n):
        h = box[j, 3] - box[j, 1]
        reach = mark_gap * h
        first = np.searchsorted(starts, box[j, 0] - reach - MARK_WIDTH * h)
        for k in range(first, n_small):
            i = small[k]
            if box[i, 0] > box[j, 2] + reach:
                break
            own = box[i, 3] - box[i, 1]
            if (i == j or apart[i] != apart[j] or size[group[i]] > size[group[j]] or own >= h
                    or own >= MARK_HEIGHT * tall[group[j]]
                    or tall[group[i]] >= MARK_LINE * tall[group[j]]
                    or box[i, 1] < box[j, 1] - MARK_ABOVE * h
                    or box[i, 3] > box[j, 3] + MARK_BELOW * h):
                continue
            dx = max(0.0, max(box[j, 0] - box[i, 2], box[i, 0] - box[j, 2]))
            dy = max(0.0, max(box[j, 1] - box[i, 3], box[i, 1] - box[j, 3]))
            if dx > reach or dy > MARK_DROP * h:
                continue
            distance = dx * dx + 4 * dy * dy
            if distance < best[i]:
                best[i], host[i] = distance, j
    above = np.empty(m, np.int64)
    for g in range(m):
        above[g] = g
    # the marks of one group go to one neighbour: else an underline's pieces tie two lines together
    nearest = np.full(m, -1, np.int64)
    for i in range(n):
        g = group[i]
        if host[i] >= 0 and (nearest[g] < 0 or best[i] < best[nearest[g]]):
            nearest[g] = i
    for g in range(m):
        if nearest[g] >= 0:
            a, b = root_of(above, g), root_of(above, group[host[nearest[g]]])
            above[max(a, b)] = min(a, b)
    number = numbered(above)
    joined = np.empty(n, np.int64)
    for i in range(n):
        joined[i] = number[group[i]]
    return joined, host >= 0


@njit(cache=True, nogil=True)
def straight_fit(x, y, weight):
    """(slope, y at x = 0) of the least-squares line through the points of weight True."""
    n, sx, sy = 0, 0.0, 0.0
    for i in range(len(x)):
        if weight[i]:
            n, sx, sy = n + 1, sx + x[i], sy + y[i]
    mx, my, sxx, sxy = sx / n, sy / n, 0.0, 0.0
    for i in range(len(x)):
        if weight[i]:
            sxx += (x[i] - mx) ** 2
            sxy += (x[i] - mx) * (y[i] - my)
    slope = sxy / sxx if sxx > 0 else 0.0
    return slope, my - slope * mx


@njit(cache=True, nogil=True)
def baselines(box, is_mark, offsets, enough):
    """(lines, 5) float64: slope, y at x = 0, letter height px, letters on it, spread in heights.

    box by line, offsets (lines + 1,). Least squares over the letters' lower edges, leaving out in
    turn what hangs below or stands above. A line of fewer than `enough` letters lies level. Spread
    is the mean distance of the lower edges from the baseline.
    """
    n_lines = len(offsets) - 1
    fits = np.zeros((n_lines, 5))
    for k in range(n_lines):
        a, b = offsets[k], offsets[k + 1]
        letters = np.flatnonzero(~is_mark[a:b]) + a
        if len(letters) == 0:
            letters = np.arange(a, b)
        n = len(letters)
        x = (box[letters, 0].astype(np.float64) + box[letters, 2]) / 2
        y = box[letters, 3].astype(np.float64)
        height = np.median(y - box[letters, 1])
        span = x.max() - x.min()
        everything = np.ones(n, np.bool_)
        slope = 0.0
        if n >= enough and span > SPAN_TO_FIT * height:
            slope, _ = straight_fit(x, y - (y - box[letters, 1]) / 2, everything)
        start = np.median(y - slope * x)
        before, n_on = everything, n
        for _ in range(FIT_ROUNDS):
            near = np.abs(y - slope * x - start) <= max(DESCENDER * height, 1.0)
            n_near = near.sum()
            if n_near == 0 or (near == before).all():
                break
            before, n_on = near, n_near
            xs = x[near]
            if n_near >= enough and xs.max() - xs.min() > SPAN_TO_FIT * height:
                slope, start = straight_fit(x, y, near)
            else:
                start = (y - slope * x)[near].mean()
        slope = min(max(slope, -STEEPEST), STEEPEST)
        fits[k, 0], fits[k, 1], fits[k, 2], fits[k, 3] = slope, start, height, n_on
        fits[k, 4] = np.abs(y - slope * x - start).mean() / height
    return fits


@njit(cache=True, nogil=True)
def refit(box, is_mark, offsets, slope):
    """(lines,) y at x = 0 of baselines whose slope is given: the mean of the lower edges near it."""
    start = np.empty(len(offsets) - 1)
    for k in range(len(offsets) - 1):
        a, b = offsets[k], offsets[k + 1]
        letters = np.flatnonzero(~is_mark[a:b]) + a
        if len(letters) == 0:
            letters = np.arange(a, b)
        x = (box[letters, 0].astype(np.float64) + box[letters, 2]) / 2
        rest = box[letters, 3] - slope[k] * x
        middle = np.median(rest)
        near = np.abs(rest - middle) <= max(DESCENDER * np.median(box[letters, 3] - box[letters, 1]),
                                            1.0)
        start[k] = rest[near].mean() if near.any() else middle
    return start


@njit(cache=True, nogil=True)
def fill(values):
    """Replace NaNs by what lies between the known values, beyond them by where the last two lead.

    All zero where none is known.
    """
    known = np.flatnonzero(~np.isnan(values))
    if len(known) == 0:
        values[:] = 0.0
        return
    if len(known) == 1:
        values[:] = values[known[0]]
        return
    k = 0
    for i in range(len(values)):
        if np.isnan(values[i]):
            while k < len(known) - 2 and known[k + 1] < i:
                k += 1
            a, b = known[k], known[k + 1]
            values[i] = values[a] + (values[b] - values[a]) * (i - a) / (b - a)


@njit(cache=True, nogil=True)
def bends(box, is_mark, offsets, fits, step, window, least, always):
    """(knot offsets (lines + 1,), knots (m, 2)): baselines as polylines in the frame of `box`.

    A knot about every `step` heights: a local fit of the lower edges within `window` heights of it.
    A line of which no knot is `least` heights off is straight: its two ends, or with `always` as
    many knots on the straight line.
    """
    n_lines = len(offsets) - 1
    knot_offsets = np.zeros(n_lines + 1, np.int64)
    knots = np.empty((2 * n_lines + 16, 2))
    m = 0
    for k in range(n_lines):
        a, b = offsets[k], offsets[k + 1]
        slope, start, height = fits[k, 0], fits[k, 1], fits[k, 2]
        x0, x1 = box[a:b, 0].min(), box[a:b, 2].max()
        n = int((x1 - x0) / (step * height)) + 1
        if n >= 3:
            n = min(n, 40)
            x = (box[a:b, 0].astype(np.float64) + box[a:b, 2]) / 2
            rest = box[a:b, 3] - slope * x - start
            off = np.full(n, np.nan)
            for i in range(n):
                at = x0 + (x1 - x0) * i / (n - 1)
                near = (np.abs(x - at) <= window * height) & ~is_mark[a:b]
                if near.sum() < 5:
                    continue
                here = np.median(rest[near])
                for tolerance in (0.5, 0.25):  # of the height; descenders hang out of it
                    some = near & (np.abs(rest - here) <= tolerance * height)
                    if some.sum() < 4:
                        break
                    tilt, level = straight_fit(x - at, rest, some)
                    off[i] = level
                    # against the fitted line from here on
                    near = near & (np.abs(rest - level - tilt * (x - at)) <= tolerance / 2 * height)
            fill(off)
            straight = np.abs(off).max() < max(least * height, 1.0)
            if straight:
                off[:] = 0.0
            if always or not straight:
                if m + n > len(knots) - 2 * (n_lines - k) - 2:
                    more = np.empty((2 * len(knots) + n, 2))
                    more[:m] = knots[:m]
                    knots = more
                for i in range(n):
                    at = x0 + (x1 - x0) * i / (n - 1)
                    knots[m, 0], knots[m, 1] = at, start + slope * at + off[i]
                    m += 1
                knot_offsets[k + 1] = m
                continue
        for at in (x0, x1):
            knots[m, 0], knots[m, 1] = at, start + slope * at
            m += 1
        knot_offsets[k + 1] = m
    return knot_offsets, knots[:m]


@njit(cache=True, nogil=True)
def stacked(bound, count, widest):
    """(lines,) first line of the stack that each stands in, -1 for none: letters of turned text.

    bound (lines, 4); count (lines,) of their blobs; widest px of a letter from foot to top. Upright
    text one below the other is higher than wide and leaves more room between its lines.
    """
    n = len(bound)
    some = np.empty(n, np.int64)
    m = 0
    for i in np.argsort(bound[:, 1]):
        if count[i] <= STACK_BLOBS and bound[i, 2] - bound[i, 0] <= widest:
            some[m] = i
            m += 1
    above = np.arange(n)
    for a in range(m):
        i = some[a]
        w = bound[i, 2] - bound[i, 0]
        for b in range(a + 1, m):
            j = some[b]
            low, high = min(w, bound[j, 2] - bound[j, 0]), max(w, bound[j, 2] - bound[j, 0])
            space = bound[j, 1] - bound[i, 3]
            if space > STACK_GAP * w:
                break
            if (space < -STACK_GAP * low or low < STACK_ALIKE * high or space > STACK_GAP * low
                    or min(bound[i, 2], bound[j, 2]) - max(bound[i, 0], bound[j, 0])
                    < STACK_SHARED * low):
                continue
            r, q = root_of(above, i), root_of(above, j)
            above[max(r, q)] = min(r, q)
    size, flat = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for a in range(m):
        i = some[a]
        r = root_of(above, i)
        size[r] += 1
        flat[r] += bound[i, 2] - bound[i, 0] > bound[i, 3] - bound[i, 1]
    stack = np.full(n, -1, np.int64)
    for a in range(m):
        r = root_of(above, some[a])
        if size[r] >= STACK_LEAST and flat[r] > STACK_FLAT * size[r]:
            stack[some[a]] = r
    return stack


@njit(cache=True, nogil=True)
def covered(box, rank):
    """(n,) float64: largest part of each box (n, 4) that lies in one box of higher rank.

    rank (n,): all different.
    """
    n = len(box)
    order = np.argsort(box[:, 0])
    part = np.zeros(n)
    for a in range(n):
        i = order[a]
        for b in range(a + 1, n):
            j = order[b]
            if box[j, 0] >= box[i, 2]:
                break
            w = min(box[i, 2], box[j, 2]) - box[j, 0]
            h = min(box[i, 3], box[j, 3]) - max(box[i, 1], box[j, 1])
            if w <= 0 or h <= 0:
                continue
            low = i if rank[i] < rank[j] else j
            size = (box[low, 2] - box[low, 0]) * (box[low, 3] - box[low, 1])
            part[low] = max(part[low], w * h / max(size, 1e-6))
    return part


@njit(cache=True, nogil=True)
def inside(bound, rank, box, offsets, enough):
    """(lines,) float64: largest part of each line that lies in one line of higher rank.

    bound (lines, 4); box (m, 4) of their blobs by line, offsets (lines + 1,). Where bounds share
    more than `enough`, the other line counts only as high as it is along this one: the bound of a
    bent or tilted line holds whole lines that it does not touch.
    """
    n = len(bound)
    order = np.argsort(bound[:, 0])
    part = np.zeros(n)
    for a in range(n):
        i = order[a]
        for b in range(a + 1, n):
            j = order[b]
            if bound[j, 0] >= bound[i, 2]:
                break
            low, high = (i, j) if rank[i] < rank[j] else (j, i)
            x0, x1 = bound[low, 0], bound[low, 2]
            w = min(x1, bound[high, 2]) - max(x0, bound[high, 0])
            h = min(bound[low, 3], bound[high, 3]) - max(bound[low, 1], bound[high, 1])
            size = max((x1 - x0) * (bound[low, 3] - bound[low, 1]), 1e-6)
            if w <= 0 or h <= 0 or w * h / size <= max(enough, part[low]):
                continue
            top, bottom, left, right = np.inf, -np.inf, np.inf, -np.inf
            for k in range(offsets[high], offsets[high + 1]):
                if box[k, 0] < x1 and box[k, 2] > x0:
                    top, bottom = min(top, box[k, 1]), max(bottom, box[k, 3])
                    left, right = min(left, box[k, 0]), max(right, box[k, 2])
            w = min(x1, right) - max(x0, left)
            h = min(bound[low, 3], bottom) - max(bound[low, 1], top)
            if w > 0 and h > 0:
                part[low] = max(part[low], w * h / size)
    return part


@njit(cache=True, nogil=True)
def spaces(start, end, offsets, height, narrow):
    """(n,) space before each blob in line heights, NaN for a line's first; negative where they overlap.

    start, end (n,): of the blobs along their line, by line and start. What is narrower than
    `narrow` heights counts as that wide.
    """
    gap = np.full(len(start), np.nan)
    for k in range(len(offsets) - 1):
        h = height[k]
        reached = -np.inf
        for i in range(offsets[k], offsets[k + 1]):
            widen = max(0.0, narrow * h - (end[i] - start[i])) / 2
            if i > offsets[k]:
                gap[i] = (start[i] - widen - reached) / h
            reached = max(reached, end[i] + widen)
    return gap


@njit(cache=True, nogil=True)
def otsu(values):
    """(threshold midway between the two classes of Otsu 1979, their means' ratio, the upper mean).

    values (n,), n >= 2.
    """
    v = np.sort(values)
    total, n = v.sum(), len(v)
    best, k, below = -1.0, 1, 0.0
    for i in range(1, n):
        below += v[i - 1]
        low, high = below / i, (total - below) / (n - i)
        score = i * (n - i) * (high - low) ** 2
        if score > best:
            best, k = score, i
    below = v[:k].sum()
    low, high = below / k, (total - below) / (n - k)
    return (v[k - 1] + v[k]) / 2, high / max(low, 0.02), high


@njit(cache=True, nogil=True)
def letter_gaps(gap, offsets, page, wide, alone, single):
    """(lines,) the wider letter gaps of each line: the `wide` quantile of its gaps below `page`.

    A line of few such gaps leans on the page's mean of it, half at `alone` gaps. In a line set wide
    ("T O T A L") the gaps not far above its lower ones are those of the letters. single (lines,):
    its blobs are single letters; where letters touch, few gaps are letter gaps in any line.
    """
    n = len(offsets) - 1
    own, count = np.zeros(n), np.zeros(n)
    for k in range(n):
        values = gap[offsets[k] + 1:offsets[k + 1]]
        letters = values[values < page]
        if single[k] and len(values) >= SET_WIDE and len(letters) < LETTER_GAPS * len(values):
            low = np.sort(values)[len(values) // 4]
            if low < WIDEST_SET:
                letters = values[values < SET_ALIKE * low]
        count[k] = len(letters)
        if len(letters):
            own[k] = max(0.0, np.quantile(letters, wide))
    total = count.sum()
    usual = (own * count).sum() / total if total else page / 2
    for k in range(n):
        own[k] = (own[k] * count[k] + usual * alone) / (count[k] + alone)
    return own


@njit(cache=True, nogil=True)
def emptiest(gap, offsets, threshold, reach, pull, fewest):
    """(lines,) thresholds moved to where the line's own gaps leave the most room around them.

    gap (n,) with NaN for a line's first; threshold (lines,). Room is sought up to `reach` times
    above and below, its width counted in parts of its middle and less the further off, by the power
    `pull`. A line of less than `fewest` gaps keeps its threshold.
    """
    moved = threshold.copy()
    for k in range(len(offsets) - 1):
        values = np.sort(gap[offsets[k] + 1:offsets[k + 1]])
        t = threshold[k]
        if len(values) < fewest or t <= 0:
            continue
        best, below = -1.0, t / reach
        for i in range(len(values) + 1):
            above = min(values[i], t * reach) if i < len(values) else t * reach
            if above <= below:
                continue
            middle = (above + below) / 2
            room = (above - below) / middle * min(middle / t, t / middle) ** pull
            if room > best:
                quarter = (above - below) / 4
                best, moved[k] = room, min(max(t, below + quarter), above - quarter)
            if above >= t * reach:
                break
            below = above
    return moved


@njit(cache=True, nogil=True)
def misfit(middle, pitch):
    """(mean distance of neighbours' spacings from whole pitches, in pitches, and their number)."""
    total, n = 0.0, 0
    for i in range(1, len(middle)):
        cells = (middle[i] - middle[i - 1]) / pitch
        if 0.35 < cells < 6.0:                # else the dot of an i, or another column
            total += abs(cells - np.rint(cells))
            n += 1
    return (total / n if n else 1.0), n


@njit(cache=True, nogil=True)
def pitches(start, end, offsets, height, low, high, most_misfit, fewest):
    """(lines,) px from letter to letter where a line is set in a fixed pitch, else 0.

    The pitch between `low` and `high` heights whose multiples fit best the distances between the
    letters' middles. A line too short to show it takes that of its page, if that fits.
    """
    n_lines = len(offsets) - 1
    pitch = np.zeros(n_lines)
    for k in range(n_lines):
        a, b = offsets[k], offsets[k + 1]
        if b - a <= fewest:
            continue
        middle = np.sort((start[a:b] + end[a:b]) / 2)
        best, at = most_misfit, 0.0
        p = low * height[k]
        while p <= high * height[k]:
            off, n = misfit(middle, p)
            if n >= fewest and off < best:
                best, at = off, p
            p *= 1.01
        pitch[k] = at
    return pitch


@njit(cache=True, nogil=True)
def cell_spaces(start, end, offsets, height, pitch, gap):
    """Replace `gap` on lines of fixed pitch by the space between the letters' cells, line heights.

    A blob takes as many cells as it is wide; it stands in their middle.
    """
    for k in range(len(offsets) - 1):
        p = pitch[k]
        if p <= 0:
            continue
        reached = -np.inf
        for i in range(offsets[k], offsets[k + 1]):
            cells = max(1.0, np.rint((end[i] - start[i]) / p + 0.15))
            middle, half = (start[i] + end[i]) / 2, cells * p / 2
            if i > offsets[k]:
                gap[i] = (middle - half - reached) / height[k]
            reached = max(reached, middle + half)
