"""Connectionist temporal classification: from log probabilities per time step to text.

Graves, Fernandez, Gomez, Schmidhuber 2006, "Connectionist temporal classification", section 3.2
(best path) and 4.1 (forward variables); prefix beam search as in Hannun et al. 2014, "First-pass
large vocabulary continuous speech recognition using bi-directional recurrent DNNs".
Everything here works on natural log probabilities (T, C) with class 0 = blank; what loops over
steps is compiled (`ctc_loops`).

Time: step t covers window px [4 t, 4 t + 4); a position given as "t" is in steps at edges, so
`4 * t` is window px and the middle of step 3 is 3.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from core.recognizer import ctc_loops
from core.recognizer.alphabet import BLANK, decode, encode

SURE_BLANK = 0.999  # a step more blank than this cannot change the order of the best few texts
FAINT = log(1e-4)  # a class below this in a step is not followed by the beam
FOLLOWED = 8  # classes of a step the beam follows at most; an untrained net has all alike
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


def log_likelihoods(log_probs: NDArray, texts: list[str], rows: NDArray | None = None,
                    ) -> NDArray[np.float64]:
    """(m,) forward scores of `texts[i]` in window `rows[i]` (without rows: i) of (n, T, C)."""
    rows = np.arange(len(texts)) if rows is None else np.asarray(rows, np.int64)
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    found = ctc_loops.forward(_compiled(log_probs), rows,
                              encode("".join(texts)), offsets)
    return np.maximum(found, NEVER)


def _compiled(log_probs: NDArray) -> NDArray:
    """The log probabilities as the compiled loops take them: readings store them as float16."""
    log_probs = np.ascontiguousarray(log_probs)
    return log_probs if log_probs.dtype == np.float64 else log_probs.astype(np.float32, copy=False)


def _states(text: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The blank-interleaved text: classes (2 len + 1,), where a step may skip the blank before."""
    states = np.zeros(2 * len(text) + 1, np.int64)
    states[1::2] = encode(text)
    skip = np.zeros(states.shape, bool)
    skip[3::2] = states[3::2] != states[1:-2:2]
    return states, skip


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
    states, skip = _states(text)
    n_states, last = len(states), len(states) - 1
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
    surely = log(sure_blank) if sure_blank < 1 else inf
    scores, offsets, classes = ctc_loops.beam(_compiled(log_probs), beam,
                                              FOLLOWED, FAINT, surely)
    texts = [decode(classes[a:b]) for a, b in pairwise(offsets)]
    found = [(text, score) for text, score in zip(texts, scores.tolist(), strict=True)
             if score > -inf]
    return sorted(found, key=lambda f: (-f[1], f[0]))[:top_k]
