"""Evaluation while a net trains: drawn words, real words and windows that hold no text."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import Missing
from core.evaluate.words import WordTruth, cut_truth, framed, read_truth, scores_of, some_of
from core.recognizer import net
from core.recognizer.transcribe import NET_ALONE, read_windows
from core.train.batch import Batch

# Documents with exact truth, and those whose labels are folded (receipts): scored differently.
EXACT = ("screenshots", "letter_sized", "scanned_docs")
FOLDED = ("register_tapes",)


@dataclass(frozen=True)
class Exam:
    """Windows with known text, cut once: true words scored exactly, receipts folded; `strays` are
    what the Word Detector finds besides text, to be read as nothing."""

    truth: list[WordTruth]
    windows: list[NDArray[np.uint8]]
    strays: list[NDArray[np.uint8]] = field(default_factory=list)


def exam_of(tsv: Path, root: Path, each: int, max_width: int) -> Exam:
    """About `each` rows of the true words and as many of the receipts of a words TSV, and the
    strays of the screenshots and letters among its documents."""
    from core.evaluate.strays import stray_windows

    truth = (some_of(framed(read_truth(tsv, EXACT)), each)
             + some_of([w for w in framed(read_truth(tsv, FOLDED)) if w.how != "ocr"], each))
    strays = []
    if truth:
        try:
            split = (Path(root) / truth[0].file).parent.parent
            strays = [s.window for s in stray_windows(split)]
        except Missing:
            pass  # a word list without such pages: there is nothing to find besides text
    return Exam(truth, cut_truth(truth, root, max_width), strays)


def examine(reader: net.WordNet, exam: Exam | None, drawn: Batch) -> dict[str, float]:
    """Shares right: `exact` on true words, `receipts` (folded, no spaces), `synthetic` on drawn
    words, `empty` on drawn windows without text, `strays` on the detector's. The net reads alone,
    without a prior."""
    loaded = net.LoadedNet(copy.deepcopy(reader), "in training", "")
    read = NET_ALONE
    found: dict[str, float] = {}
    windows = [w[:, :n] for w, n in zip(drawn.window, drawn.width)]
    texts, _ = read_windows(windows, read, loaded)
    for name, keep in (("synthetic", True), ("empty", False)):
        right = [a == b for a, b in zip(texts, drawn.texts) if bool(b) is keep]
        if right:
            found[name] = float(np.mean(right))
    if exam is None:
        return found
    if exam.strays:
        texts, _ = read_windows(exam.strays, read, loaded)
        found["strays"] = float(np.mean([not text.strip() for text in texts]))
    if exam.truth:
        texts, confidence = read_windows(exam.windows, read, loaded)
        scores = scores_of(exam.truth, texts, confidence)
        words = [(w, t) for w, t in zip(exam.truth, texts) if w.category in EXACT and w.printed]
        if words:
            found["exact"] = float(np.mean([w.printed == t for w, t in words]))
        tapes = [s for name, s in scores.categories.items() if name in FOLDED]
        if tapes:
            found["receipts"] = tapes[0].no_spaces
    return found
