"""Stage 7, transcripts: what the net reads in each window, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.parameters import check_limits, param
from core.reading import Parents, Segments, Transcripts, text_array
from core.recognizer import ctc, prior
from core.recognizer.alphabet import BLANK, N_CLASSES
from core.recognizer.architecture import BEYOND, TIME_STRIDE
from core.recognizer.calibration import Calibration
from core.recognizer.window import moved_window, pad_windows

if TYPE_CHECKING:
    from core.recognizer.net import LoadedNet

CHUNK = 1024  # windows whose log probabilities are held at once by `read_windows`: 25 MB at 256 px
PER_CHARACTER = 2.0  # nats: the prior makes long texts unlikely as such, which print does not
# How a window that is not sure is looked at again: stretched, and moved down by so many px. Narrow
# letters get more time steps, and what a pixel's place decides is no reading.
LOOKS = ((1.2, -1.0), (1.2, 1.0))
# rows (m,) -> for each further look (m, T', C) log probabilities
LookAgain = Callable[[NDArray[np.int64]], list[NDArray[np.float32]]]
BUCKET = 32  # px: windows are batched by width in steps of this (0.42 -> 0.30 ms a word)


@dataclass(frozen=True)
class TranscriptSettings:
    """How windows are read."""

    batch_size: int = param(64, unit="windows", low=1, high=4096,
                            help="windows read at once; 64 is as fast as 256 and takes less memory")
    top_k: int = param(8, unit="texts", low=1, high=50,
                       help="alternatives kept for windows that are not sure")
    beam: int = param(12, unit="prefixes", low=1, high=200,
                      help="prefixes the beam search keeps; more finds rarer alternatives, slower")
    sure: float = param(0.9, low=0.0, high=1.01,
                        help="a window at least this confident keeps no alternatives; "
                             "1.01 looks for them everywhere")
    prior: float = param(0.25, low=0.0, high=2.0,
                         help="weight of how likely a text is before it is seen (of its log "
                              "probability), in choosing among alternatives; 0 = the net alone")
    looks: int = param(len(LOOKS), low=0, high=len(LOOKS),
                       help="times a window that is not sure is read again, wider and moved by a "
                            "pixel; what all looks say together counts")
    threads: int = param(0, unit="threads", low=0, high=256, help="for the net; 0 = torch's choice")

    def __post_init__(self) -> None:
        check_limits(self)


# What the net says at first sight, weighed with nothing.
NET_ALONE = TranscriptSettings(prior=0.0, looks=0, top_k=1)


def transcripts(segments: Segments, settings: TranscriptSettings, net: LoadedNet) -> Transcripts:
    """One row per segment: text, confidence, character positions, alternatives, log probabilities.

    `confidence` is the probability, summed over alignments, that the window spells exactly `text`
    (`choose`), calibrated by what the weights file carries; `top_score` is the net's own, not
    calibrated. Positions and log probabilities are those of the first look; its time steps beyond
    a window's own width say blank. The same windows give the same table.
    """
    log_probs, choice = read_at(segments.window, segments.width, settings, net)
    return _table(log_probs, choice, Parents.one_each("segments", np.arange(len(segments))),
                  net.calibration)


def read_windows(windows: list[NDArray[np.uint8]], settings: TranscriptSettings,
                 net: LoadedNet) -> tuple[list[str], NDArray[np.float32]]:
    """(texts, confidence (n,)) of windows (32, w) uint8, dark on light, of any widths.

    Windows of like width are read together, CHUNK at a time, so that memory stays small however
    many there are and the CTC sums are as short as the windows.
    """
    texts, confidence = [""] * len(windows), np.zeros(len(windows), np.float32)
    order = np.argsort([w.shape[1] for w in windows], kind="stable")
    for start in range(0, len(order), CHUNK):
        rows = order[start:start + CHUNK]
        window, width = pad_windows([windows[row] for row in rows])
        choice = read_at(window, width, settings, net)[1]
        confidence[rows] = choice.confidence
        for row, text in zip(rows, choice.texts):
            texts[row] = text
    return texts, confidence


def read_at(window: NDArray[np.uint8], width: NDArray[np.int32], settings: TranscriptSettings,
            net: LoadedNet) -> tuple[NDArray[np.float32], Choice]:
    """(log probabilities (n, T, C) of the first look, what is read) of windows (n, 32, W)."""
    def look_again(rows: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        found = []
        for stretch, down in LOOKS[:settings.looks]:
            moved = [moved_window(window[row, :, :width[row]], stretch, down) for row in rows]
            found.append(log_probs_of(*pad_windows(moved), settings, net))
        return found

    log_probs = log_probs_of(window, width, settings, net)
    return log_probs, choose(log_probs, ctc.best_paths(log_probs).texts, settings, net.calibration,
                             look_again)


def log_probs_of(window: NDArray[np.uint8], width: NDArray[np.int32], settings: TranscriptSettings,
                 net: LoadedNet) -> NDArray[np.float32]:
    """(n, T, C) log probabilities of windows (n, 32, W), T = W / 4 rounded up."""
    import torch

    n, _, widest = window.shape
    found = np.full((n, -(-widest // TIME_STRIDE), N_CLASSES), BEYOND, np.float32)
    found[:, :, BLANK] = 0.0
    threads = torch.get_num_threads()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    try:
        for rows, full in batches_by_width(width, settings.batch_size):
            part = np.full((len(rows), window.shape[1], full), 255, np.uint8)
            used = min(full, widest)
            part[:, :, :used] = window[rows, :, :used]
            steps = min(full // TIME_STRIDE, found.shape[1])
            found[rows, :steps] = net.log_probs(part, width[rows])[:, :steps]
    finally:
        torch.set_num_threads(threads)
    return found


def batches_by_width(width: NDArray, batch_size: int) -> list[tuple[NDArray[np.int64], int]]:
    """[(rows, padded width)]: rows of like width, rounded up to BUCKET px, in a fixed order."""
    full = np.maximum(-(-np.asarray(width, np.int64) // BUCKET), 1) * BUCKET
    batches = []
    for value in np.unique(full):
        rows = np.flatnonzero(full == value)
        batches += [(rows[a:a + batch_size], int(value)) for a in range(0, len(rows), batch_size)]
    return batches


@dataclass(frozen=True)
class Choice:
    """What windows say, chosen among alternatives.

    texts       n of them; log_p, confidence (n,) log probability, and the same calibrated
    offsets     (n + 1,) into the alternatives of each, the chosen one first
    top_texts   m of them; top_score (m,) the net's log probability of each (forward score)
    """

    texts: list[str]
    log_p: NDArray[np.float64]
    confidence: NDArray[np.float32]
    offsets: NDArray[np.int64]
    top_texts: list[str]
    top_score: NDArray[np.float64]


def choose(log_probs: NDArray[np.float32], paths: list[str], settings: TranscriptSettings,
           calibration: Calibration, look_again: LookAgain | None = None) -> Choice:
    """Choose between what the best paths through (n, T, C) say and their alternatives.

    Windows that are not sure have alternatives (beam search) and are looked at again; the score of
    a text is its mean over the looks (a geometric mean of probabilities). Of the alternatives
    the one of most weight is chosen: log probability by the net, and `settings.prior` times how
    likely the text is beforehand (`core.recognizer.prior`). A window that the net takes for empty
    stays so, and one is empty that all looks together take for it.

    look_again  None = one look only
    """
    row, texts, top = _alternatives(log_probs, paths, settings, calibration, look_again)
    gain = _prior_gain(row, texts, top, paths, settings)
    order = np.lexsort((-(top + gain), row))
    row, top, gain, texts = row[order], top[order], gain[order], [texts[k] for k in order]
    offsets = _offsets(row, len(paths))
    log_p = _posterior(row, top, gain, offsets)
    chosen = [texts[first] for first in offsets[:-1]]
    confidence = calibration.confidences(log_p, [len(text) for text in chosen])
    # a wider look has time steps for texts that the first one has no room for
    possible = top > ctc.NEVER / 10
    kept = np.flatnonzero(possible & (np.arange(len(row)) - offsets[row] < settings.top_k))
    return Choice(chosen, log_p, confidence, _offsets(row[kept], len(paths)),
                  [texts[k] for k in kept], top[kept])


def _alternatives(log_probs: NDArray[np.float32], paths: list[str], settings: TranscriptSettings,
                  calibration: Calibration, look_again: LookAgain | None,
                  ) -> tuple[NDArray[np.int64], list[str], NDArray[np.float64]]:
    """(row (m,) sorted, text, log probability (m,) by the net) of every text that is weighed."""
    score = ctc.log_likelihoods(log_probs, paths)
    confidence = calibration.confidences(score, [len(path) for path in paths])
    unsure = (confidence < settings.sure) & (settings.top_k > 1)
    again = np.flatnonzero(unsure & np.array([bool(path) for path in paths], bool))
    looks = look_again(again) if look_again and len(again) else []
    place = np.full(len(paths), -1)  # of a row in each further look
    if looks:
        place[again] = np.arange(len(again))
    rows, texts = [], []
    for k, path in enumerate(paths):
        found = {path: None}
        if unsure[k]:
            for seen in [log_probs[k], *(look[place[k]] for look in looks if place[k] >= 0)]:
                found |= dict.fromkeys(
                    text for text, _ in ctc.beam_search(seen, settings.top_k, settings.beam))
        rows += [k] * len(found)
        texts += found
    # Scored alike by the forward sum: the beam's own scores leave out paths it dropped.
    row = np.array(rows, np.int64)
    top = ctc.log_likelihoods(log_probs, texts, row)
    if looks:
        seen_again = np.flatnonzero(place[row] >= 0)
        some, at = [texts[k] for k in seen_again], place[row[seen_again]]
        top[seen_again] = _together(np.stack([top[seen_again], *(
            ctc.log_likelihoods(look, some, at) for look in looks)]), at, len(again))
    return row, texts, top


def _together(scores: NDArray[np.float64], row: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """(m,) log probabilities of texts by several looks (looks, m), texts of `row` (m,) of n.

    Geometric means, for a text that one look rules out is none; they are raised so that a row's
    texts have together what the looks give them on average, for what the means lose no text gets.
    """
    mean = scores.mean(0)
    given = np.bincount(row, np.exp(scores).mean(0), n)
    kept = np.bincount(row, np.exp(mean), n)
    known = (kept > 0) & (given > 0)
    raised = np.log(np.where(known, given, 1.0)) - np.log(np.where(known, kept, 1.0))
    return np.minimum(mean + raised[row], 0.0)


def _offsets(row: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """(n + 1,) where the entries of each of n rows begin, `row` sorted."""
    return np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int64)


def _prior_gain(row: NDArray, texts: list[str], top: NDArray, paths: list[str],
                settings: TranscriptSettings) -> NDArray[np.float64]:
    """(m,) what the prior adds to each alternative's log probability `top`."""
    gain = np.zeros(len(texts))
    said = np.array([bool(text) for text in texts], bool)
    best = np.full(len(paths), -np.inf)
    np.maximum.at(best, row, np.where(said, top, -np.inf))
    emptied = np.zeros(len(paths), bool)
    emptied[row[~said & (top > best[row])]] = True
    read = np.array([bool(path) for path in paths], bool)[row] & ~emptied[row]
    # the prior knows texts, not how often a window holds none
    gain[said != read] = -np.inf
    weighed = np.flatnonzero(said & read & (np.bincount(row, minlength=len(paths))[row] > 1))
    if settings.prior and len(weighed):
        some = [texts[k] for k in weighed]
        likely = prior.shipped().log_likelihoods(some)
        gain[weighed] = settings.prior * (likely + PER_CHARACTER * np.array([len(t) for t in some]))
    return gain


def _posterior(row: NDArray, top: NDArray, gain: NDArray, offsets: NDArray) -> NDArray[np.float64]:
    """(n,) log probability of each row's first alternative among all texts.

    What the alternatives leave of the net's probability counts as likely beforehand as the chosen
    text: noise, of which every reading is a bad one, must not be believed for the best of them.
    """
    first = offsets[:-1]
    if not len(first):
        return np.zeros(0)
    total = np.add.reduceat(np.exp(top + gain - gain[first][row]), first)
    listed = np.add.reduceat(np.where(np.isfinite(gain), np.exp(top), 0.0), first)
    left = np.clip(1 - listed, 0, 1)
    return np.minimum(top[first] - np.log(np.maximum(total + left, 1e-300)), 0.0)


def _table(log_probs: NDArray[np.float32], choice: Choice, parents: Parents,
           calibration: Calibration) -> Transcripts:
    """What was read of log probabilities (n, T, C), with each character's place."""
    paths = ctc.best_paths(log_probs)
    bounds = paths.char_offsets
    char_t = [paths.char_t[a:b] for a, b in pairwise(bounds)]
    char_p = [paths.char_confidence[a:b] for a, b in pairwise(bounds)]
    for k, (text, path) in enumerate(zip(choice.texts, paths.texts, strict=True)):
        if text != path and (found := ctc.align(log_probs[k], text)) is not None:
            char_t[k], char_p[k] = found.char_t, found.char_confidence
    counts = np.array([len(t) for t in char_t], np.int64)
    none = [np.zeros(0, np.float32)]
    return Transcripts(
        text=text_array(choice.texts), confidence=choice.confidence,
        char_offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        char_t=np.concatenate(none + char_t),
        char_confidence=calibration.characters(choice.confidence, choice.log_p,
                                               np.concatenate(none + char_p), counts),
        top_offsets=choice.offsets, top_text=text_array(choice.top_texts),
        top_score=choice.top_score.astype(np.float32), path_text=text_array(paths.texts),
        log_probs=log_probs.astype(np.float16), parents=parents)
