"""The inner loops of `core.recognizer.ctc`, compiled: forward sums and the prefix beam search."""

from __future__ import annotations

from math import exp, inf, log

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def forward(log_probs, rows, classes, offsets):
    """(m,) natural log of the probability that window rows[k] of (n, T, C) spells text k.

    classes, offsets (m + 1,): the texts' classes, one text after the other. The sums are kept in
    proportion to each step's total (Rabiner 1989, section V.A), so that no logarithm is taken
    within; -inf where nothing is left of a text, e.g. since it does not fit into T steps.
    """
    steps = log_probs.shape[1]
    found = np.zeros(len(rows))
    for k in range(len(rows)):
        text = classes[offsets[k]:offsets[k + 1]]
        size = len(text)
        blank, said = np.zeros(size + 1), np.zeros(size)  # states: after i characters; in the i-th
        total = 0.0
        for t in range(steps):
            emitted = log_probs[rows[k], t]
            p_blank = exp(emitted[0])
            if t == 0:
                blank[0] = p_blank
                if size:
                    said[0] = exp(emitted[text[0]])
            else:
                for i in range(size - 1, -1, -1):  # backwards: all but state i are of the step before
                    blank[i + 1] = (blank[i + 1] + said[i]) * p_blank
                    into = said[i] + blank[i]
                    if i and text[i] != text[i - 1]:
                        into += said[i - 1]
                    said[i] = into * exp(emitted[text[i]])
                blank[0] *= p_blank
            mass = blank.sum() + said.sum()
            if mass <= 0.0:
                total = -inf
                break
            blank /= mass
            said /= mass
            total += log(mass)
        end = blank[size] + (said[size - 1] if size else 0.0)
        if steps == 0:
            found[k] = 0.0 if size == 0 else -inf
        else:
            found[k] = total + log(end) if end > 0.0 and total > -inf else -inf
    return found


@njit(cache=True, nogil=True)
def plus(a, b):
    """log(exp a + exp b)."""
    if a == -inf:
        return b
    if b == -inf:
        return a
    high, low = (a, b) if a > b else (b, a)
    return high + log(1.0 + exp(low - high))


@njit(cache=True, nogil=True)
def beam(log_probs, width, followed, faint, surely):
    """(scores (b,), offsets (b + 1,), classes): the prefixes left at the end of (T, C), unordered.

    width     prefixes kept per step; followed: classes of a step that are tried at most
    faint     log probability below which a class is not tried
    surely    log probability of blank above which a step only ends the character before it
    """
    steps = len(log_probs)
    parent = np.full(steps * width + 1, -1)  # of each prefix: without its last character
    last = np.zeros(steps * width + 1, np.int64)
    n_nodes = 1
    node, n = np.zeros(width, np.int64), 1
    p_blank, p_char = np.full(width, -inf), np.full(width, -inf)
    p_blank[0] = 0.0
    most = width * (followed + 2)  # each stays, or goes on with each class tried
    new_node, new_parent = np.zeros(most, np.int64), np.zeros(most, np.int64)
    new_last, new_blank, new_char = np.zeros(most, np.int64), np.zeros(most), np.zeros(most)
    tried, kept, score = np.zeros(followed + 1, np.int64), np.zeros(width, np.int64), np.zeros(most)
    for t in range(steps):
        step = log_probs[t]
        blank = float(step[0])
        if blank > surely:
            for b in range(n):
                p_blank[b], p_char[b] = plus(p_blank[b], p_char[b]) + blank, -inf
            continue
        m = n
        for b in range(n):  # each prefix may stay as it is
            new_node[b] = node[b]
            new_blank[b] = plus(p_blank[b], p_char[b]) + blank
            new_char[b] = p_char[b] + step[last[node[b]]] if node[b] else -inf
        n_tried = 0  # the likeliest classes; sorting by hand compiles in a third of the time
        for c in range(1, len(step)):
            if step[c] <= faint:
                continue
            place = min(n_tried, followed)
            while place > 0 and step[tried[place - 1]] < step[c]:
                tried[place] = tried[place - 1]
                place -= 1
            if place <= followed:
                tried[place] = c
            n_tried = min(n_tried + 1, followed + 1)
        for k in range(min(n_tried, followed)):
            c = tried[k]
            p = float(step[c])
            for b in range(n):
                repeated = node[b] > 0 and last[node[b]] == c  # only after a blank
                grown = (p_blank[b] if repeated else plus(p_blank[b], p_char[b])) + p
                if grown == -inf:
                    continue
                known = -1
                for other in range(n):
                    if parent[node[other]] == node[b] and last[node[other]] == c:
                        known = other
                        break
                if known >= 0:
                    new_char[known] = plus(new_char[known], grown)
                else:
                    new_node[m], new_parent[m], new_last[m] = -1, node[b], c
                    new_blank[m], new_char[m] = -inf, grown
                    m += 1
        for k in range(m):
            score[k] = plus(new_blank[k], new_char[k])
        n = 0
        while n < min(width, m):  # the best, one after the other; ties in order
            best = 0
            for k in range(1, m):
                if score[k] > score[best]:
                    best = k
            if score[best] == -inf:
                break
            score[best], kept[n] = -inf, best
            n += 1
        for b in range(n):
            k = kept[b]
            if new_node[k] < 0:
                parent[n_nodes], last[n_nodes] = new_parent[k], new_last[k]
                new_node[k] = n_nodes
                n_nodes += 1
            node[b], p_blank[b], p_char[b] = new_node[k], new_blank[k], new_char[k]
    scores, offsets = np.zeros(n), np.zeros(n + 1, np.int64)
    classes = np.zeros(n * steps, np.int64)
    at = 0
    for b in range(n):
        scores[b] = plus(p_blank[b], p_char[b])
        size, k = 0, node[b]
        while k > 0:
            size += 1
            k = parent[k]
        k = node[b]
        for place in range(at + size - 1, at - 1, -1):
            classes[place] = last[k]
            k = parent[k]
        at += size
        offsets[b + 1] = at
    return scores, offsets, classes[:at]
