"""Stage 7, transcripts: what the net reads in each window, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.parameters import check_limits, param
from core.reading import Parents, Segments, Transcripts, text_array
from core.recognizer import ctc
from core.recognizer.alphabet import BLANK, N_CLASSES
from core.recognizer.architecture import BEYOND, TIME_STRIDE
from core.recognizer.calibration import Calibration
from core.recognizer.window import pad_windows

if TYPE_CHECKING:
    from core.recognizer.net import LoadedNet

CHUNK = 1024  # windows whose log probabilities are held at once by `read_windows`: 25 MB at 256 px
BUCKET = 32  # px: windows are batched by width in steps of this (0.42 -> 0.30 ms a word)


@dataclass(frozen=True)
class TranscriptSettings:
    """How windows are read."""

    batch_size: int = param(64, unit="windows", low=1, high=4096,
                            help="windows read at once; 64 is as fast as 256 and takes less memory")
    top_k: int = param(5, unit="texts", low=1, high=50,
                       help="alternatives kept for windows that are not sure")
    beam: int = param(8, unit="prefixes", low=1, high=200,
                      help="prefixes the beam search keeps; more finds rarer alternatives, slower")
    sure: float = param(0.97, low=0.0, high=1.01,
                        help="a window at least this confident keeps no alternatives; "
                             "1.01 looks for them everywhere")
    threads: int = param(0, unit="threads", low=0, high=256, help="for the net; 0 = torch's choice")

    def __post_init__(self) -> None:
        check_limits(self)


def transcripts(segments: Segments, settings: TranscriptSettings, net: LoadedNet) -> Transcripts:
    """One row per segment: text, confidence, character positions, alternatives, log probabilities.

    `confidence` is the probability, summed over alignments, that the window spells exactly `text`
    (`ctc.log_likelihoods`), calibrated by what the weights file carries; `top_score` is not
    calibrated. Time steps beyond a window's own width say blank. The same windows give
    the same table.
    """
    log_probs = log_probs_of(segments.window, segments.width, settings, net)
    return decoded(log_probs, settings, Parents.one_each("segments", np.arange(len(segments))),
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
        log_probs = log_probs_of(window, width, settings, net)
        found = ctc.best_paths(log_probs).texts
        log_p = ctc.log_likelihoods(log_probs, found)
        confidence[rows] = net.calibration.confidences(log_p, [len(text) for text in found])
        for row, text in zip(rows, found):
            texts[row] = text
    return texts, confidence


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


def decoded(log_probs: NDArray[np.float32], settings: TranscriptSettings,
            parents: Parents, calibration: Calibration) -> Transcripts:
    """The table of log probabilities (n, T, C): best paths, confidences, alternatives."""
    paths = ctc.best_paths(log_probs)
    log_p, counts = ctc.log_likelihoods(log_probs, paths.texts), np.diff(paths.char_offsets)
    confidence = calibration.confidences(log_p, counts)
    rows, texts = [], []  # every alternative with the row it belongs to
    for row, text in enumerate(paths.texts):
        others = ([] if confidence[row] >= settings.sure or settings.top_k == 1 else
                  ctc.beam_search(log_probs[row], settings.top_k, settings.beam))
        several = list(dict.fromkeys([text, *(other for other, _ in others)]))[:settings.top_k]
        rows += [row] * len(several)
        texts += several
    # Scored alike by the forward sum: the beam's own scores leave out paths it dropped.
    rows = np.array(rows, np.int64)
    scores = ctc.log_likelihoods(log_probs[rows], texts)
    order = np.lexsort((-scores, rows))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(log_probs)))])
    return Transcripts(
        text=text_array(paths.texts), confidence=confidence,
        char_offsets=paths.char_offsets, char_t=paths.char_t,
        char_confidence=calibration.characters(confidence, log_p, paths.char_confidence, counts),
        top_offsets=offsets.astype(np.int64), top_text=text_array(texts[k] for k in order),
        top_score=scores[order].astype(np.float32),
        log_probs=log_probs.astype(np.float16), parents=parents)
