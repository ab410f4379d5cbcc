"""Connectionist temporal classification: from log probabilities per time step to text.

Graves, Fernandez, Gomez, Schmidhuber 2006, "Connectionist temporal classification", section 3.2
(best path) and 4.1 (forward variables); prefix beam search as in Hannun et al. 2014, "First-pass
large vocabulary continuous speech recognition using bi-directional recurrent DNNs".
Everything here is NumPy, on natural log probabilities (T, C) with class 0 = blank.

Time: step t covers window px [4 t, 4 t + 4); a position given as "t" is in steps at edges, so
`4 * t` is window px and the middle of step 3 is 3.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log

import numpy as np
from numpy.typing import NDArray

from core.recognizer.alphabet import BLANK, decode, encode

SURE_BLANK = 0.999  # a step more blank than this cannot change the order of the best few texts
FAINT = log(1e-4)  # a class below this in a step is not followed by the beam
FOLLOWED = 8  # classes of a step the beam follows at most; an untrained net has all alike
ALIKE = 96  # texts whose forward sums are made at once
NEVER = -1e30  # log of nothing that still adds up without NaN


@dataclass(frozen=True)
class Paths:
    """Best paths of n windows.

    texts            n strings
    char_offsets     (n + 1,) int64 into the columns below, one entry per character
    char_t           (m,) float32, steps: centre of the character's run, weighted by probability
    char_confidence  (m,) float32, the highest probability within its run
    path_score       (n,) float64, log probability of the one best path
    """

    texts: list[str]
    char_offsets: NDArray[np.int64]
    char_t: NDArray[np.float32]
    char_confidence: NDArray[np.float32]
    path_score: NDArray[np.float64]


def best_paths(log_probs: NDArray) -> Paths:
    """Best path of each window of `log_probs` (n, T, C): the most likely class of each step,
    repeats merged, blanks removed (Graves 2006, 3.2)."""
    n, steps, _ = log_probs.shape
    classes = log_probs.argmax(2) if steps else np.zeros((n, 0), np.int64)          # (n, T)
    top = np.take_along_axis(log_probs, classes[..., None], 2)[..., 0].astype(np.float64)
    fresh = np.ones_like(classes, bool)
    fresh[:, 1:] = classes[:, 1:] != classes[:, :-1]
    starts = np.flatnonzero(fresh.ravel())  # runs in reading order; none crosses a window's end
    of_run = classes.ravel()[starts]
    if len(starts):
        weight = np.exp(top).ravel()
        mass = np.add.reduceat(weight, starts)
        middle = np.tile(np.arange(steps) + 0.5, n)
        centre = np.add.reduceat(weight * middle, starts) / mass
        peak = np.maximum.reduceat(weight, starts)
    else:
        centre = peak = np.zeros(0)
    is_char = of_run != BLANK
    row = starts[is_char] // max(steps, 1)
    counts = np.bincount(row, minlength=n)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    all_text = decode(of_run[is_char])
    texts = [all_text[a:b] for a, b in pairwise(offsets)]
    return Paths(texts, offsets, centre[is_char].astype(np.float32),
                 peak[is_char].astype(np.float32), top.sum(1))


def best_path(log_probs: NDArray) -> Paths:
    """`best_paths` of a single window (T, C)."""
    return best_paths(np.asarray(log_probs)[None])


def confidences(log_probs: NDArray, texts: list[str]) -> NDArray[np.float32]:
    """(n,) probability in 0..1 that window i spells exactly `texts[i]`.

    It is the path probability normalised over alignments: the sum over all paths that collapse to
    the text (the forward score). The single best path understates it, because the same character
    may sit a step earlier or later. For an empty text it is the probability of blanks only.
    """
    return np.exp(log_likelihoods(log_probs, texts)).clip(0, 1).astype(np.float32)


def log_likelihood(log_probs: NDArray, text: str) -> float:
    """Natural log of the probability that a window (T, C) spells exactly `text` (Graves, eq. 8).

    -1e30 or less when the text does not fit into T steps. Raises Mismatch for a character outside
    the alphabet.
    """
    return float(log_likelihoods(np.asarray(log_probs)[None], [text])[0])


def log_likelihoods(log_probs: NDArray, texts: list[str]) -> NDArray[np.float64]:
    """(n,) forward scores of `texts[i]` in window i of `log_probs` (n, T, C)."""
    log_probs, found = np.asarray(log_probs), np.zeros(len(texts))
    # texts of like length together: the sums are as long as the longest of them
    order = np.argsort([len(text) for text in texts], kind="stable")
    for start in range(0, len(order), ALIKE):
        rows = order[start:start + ALIKE]
        found[rows] = _forward(log_probs, rows, [texts[row] for row in rows])
    return found


def _forward(log_probs: NDArray, rows: NDArray, texts: list[str]) -> NDArray[np.float64]:
    """Forward scores of `texts` in the windows `rows` of `log_probs` (n, T, C)."""
    states, skip, last = _states(texts)                       # (m, S), (m, S), (m,)
    steps = log_probs.shape[1]
    emitted = log_probs[rows[:, None, None], np.arange(steps)[:, None], states[:, None, :]]
    emitted = emitted.astype(np.float64)                      # (m, T, S)
    alpha = np.full(states.shape, NEVER)
    alpha[:, :2] = 0.0  # the first step is the first blank or the first character
    for t in range(steps):
        alpha = np.maximum((_arrivals(alpha, skip) if t else alpha) + emitted[:, t], NEVER)
    row = np.arange(len(rows))
    return np.logaddexp(alpha[row, last], np.where(last > 0, alpha[row, last - 1], NEVER))


def _states(texts: list[str]) -> tuple[NDArray, NDArray, NDArray]:
    """The blank-interleaved texts: classes (n, S), where a step may skip the blank before (n, S),
    index of each text's last state (n,). Padding states are blanks that nothing ends in."""
    n, longest = len(texts), max(map(len, texts), default=0)
    states = np.zeros((n, 2 * longest + 1), np.int64)
    for row, text in enumerate(texts):
        states[row, 1:2 * len(text):2] = encode(text)
    skip = np.zeros(states.shape, bool)
    skip[:, 3::2] = (states[:, 3::2] != states[:, 1:-2:2]) & (states[:, 3::2] != BLANK)
    return states, skip, np.array([2 * len(text) for text in texts], np.int64)


def _arrivals(alpha: NDArray, skip: NDArray) -> NDArray:
    """Log sum over the states from which each state may be entered: itself, the one before, and,
    where `skip`, the one before that."""
    stay = alpha.copy()
    stay[:, 1:] = np.logaddexp(stay[:, 1:], alpha[:, :-1])
    stay[:, 2:] = np.where(skip[:, 2:], np.logaddexp(stay[:, 2:], alpha[:, :-2]), stay[:, 2:])
    return stay


@dataclass(frozen=True)
class Alignment:
    """Where each character of a given text sits in a window.

    char_t           (len(text),) float32, steps, centre of its run
    char_confidence  (len(text),) float32, highest probability of that character within its run
    score            log probability of the best path that spells the text
    """

    char_t: NDArray[np.float32]
    char_confidence: NDArray[np.float32]
    score: float


def align(log_probs: NDArray, text: str) -> Alignment | None:
    """The best path through (T, C) that spells `text` (Viterbi over the states of Graves 2006),
    None when the text does not fit into T steps."""
    log_probs = np.asarray(log_probs, np.float64)
    steps = len(log_probs)
    states, skip, last = (a[0] for a in _states([text]))
    n_states = len(states)
    score = np.full((steps + 1, n_states), NEVER)
    came = np.zeros((steps, n_states), np.int64)  # 0 stayed, 1 from the state before, 2 skipped
    for t in range(steps):
        if t == 0:
            options = np.full((3, n_states), NEVER)
            options[0, :min(2, n_states)] = 0.0
        else:
            options = np.full((3, n_states), NEVER)
            options[0] = score[t]
            options[1, 1:] = score[t, :-1]
            options[2, 2:] = np.where(skip[2:], score[t, :-2], NEVER)
        came[t] = options.argmax(0)
        score[t + 1] = options.max(0) + log_probs[t, states]
    ends = [last] if last == 0 else [last, last - 1]
    state = max(ends, key=lambda s: score[steps, s]) if steps else 0
    if score[steps, state] < NEVER / 2 or (steps == 0 and text):
        return None
    total, path = score[steps, state], np.zeros(steps, np.int64)
    for t in range(steps - 1, -1, -1):
        path[t] = state
        state -= came[t, state]
    centres, peaks = [], []
    for k in range(len(text)):
        at = np.flatnonzero(path == 2 * k + 1)
        weight = np.exp(log_probs[at, states[2 * k + 1]])
        # a run of probability zero has no weighted centre, but it has a middle
        centre = np.average(at, weights=weight) if weight.sum() > 0 else at.mean()
        centres.append(centre + 0.5)
        peaks.append(weight.max())
    return Alignment(np.array(centres, np.float32), np.array(peaks, np.float32), float(total))


def beam_search(log_probs: NDArray, top_k: int = 5, beam: int = 8,
                sure_blank: float = SURE_BLANK) -> list[tuple[str, float]]:
    """Up to `top_k` most likely texts of a window (T, C) with their log probabilities, best first.

    beam        prefixes kept per step; more finds rarer texts and takes proportionally longer
    sure_blank  steps whose blank is likelier only end the character before them; 1 = follow all
    Scores are those of the paths the beam followed, so at most the forward score.
    """
    # prefix (tuple of classes) -> (log p ending in blank, log p ending in its last character)
    prefixes: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -inf)}
    surely = log(sure_blank) if sure_blank < 1 else inf
    for step in np.asarray(log_probs, np.float64):
        p_blank = float(step[BLANK])
        if p_blank > surely:
            prefixes = {prefix: (_plus(pb, pc) + p_blank, -inf)
                        for prefix, (pb, pc) in prefixes.items()}
            continue
        likely = np.argpartition(-step, FOLLOWED)[:FOLLOWED + 1]
        followed = [(int(c), float(step[c])) for c in likely if c != BLANK and step[c] > FAINT]
        grown: dict[tuple[int, ...], tuple[float, float]] = {}
        for prefix, (pb, pc) in prefixes.items():
            either = _plus(pb, pc)
            _add(grown, prefix, either + p_blank, -inf)
            for c, p in followed:
                if prefix and c == prefix[-1]:
                    _add(grown, prefix, -inf, pc + p)         # the same character goes on
                    _add(grown, (*prefix, c), -inf, pb + p)   # a second one after a blank
                else:
                    _add(grown, (*prefix, c), -inf, either + p)
        kept = sorted(grown.items(), key=lambda item: -_plus(*item[1]))[:beam]
        prefixes = dict(kept)
    found = [(decode(prefix), _plus(*p)) for prefix, p in prefixes.items()]
    return sorted((f for f in found if f[1] > -inf), key=lambda f: (-f[1], f[0]))[:top_k]


def _add(table: dict, key: tuple[int, ...], pb: float, pc: float) -> None:
    old_pb, old_pc = table.get(key, (-inf, -inf))
    table[key] = (_plus(old_pb, pb), _plus(old_pc, pc))


def _plus(a: float, b: float) -> float:
    """log(exp a + exp b) of two floats; NumPy's costs twenty times as much on scalars."""
    if a == -inf:
        return b
    if b == -inf:
        return a
    high, low = (a, b) if a > b else (b, a)
    return high + log(1.0 + exp(low - high))
