"""Fit a net's confidence to how often it is right: `main.py train words --calibrate WEIGHTS`.

It is fitted on the documents that fine-tuning leaves out (`core.train.real.is_held_out`), so on
words that the net has not learnt by heart, and stored in the weights file.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import Missing, Usage
from core.evaluate.words import WordTruth, cut_truth, is_right, read_truth
from core.recognizer import net
from core.recognizer.calibration import Calibration, Reliability, fit, reliability
from core.recognizer.transcribe import CHUNK, TranscriptSettings, read_at
from core.recognizer.window import pad_windows
from core.train.real import training_rows

STEPS = (0.0, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)  # limits of the table


@dataclass(frozen=True)
class Readings:
    """What a net reads of known words: texts, log probabilities (n,), which are right (n,)."""

    truth: list[WordTruth]
    texts: list[str]
    log_p: NDArray[np.float64]
    right: NDArray[np.bool_]

    def confidence(self, calibration: Calibration) -> NDArray[np.float32]:
        return calibration.confidences(self.log_p, [len(text) for text in self.texts])


def readings_of(truth: list[WordTruth], root: Path, loaded: net.LoadedNet) -> Readings:
    """The readings of a net over words of images under `root`."""
    texts: list[str] = [""] * len(truth)
    log_p = np.zeros(len(truth))
    windows = cut_truth(truth, root, loaded.settings.max_width)
    order = np.argsort([w.shape[1] for w in windows], kind="stable")
    for start in range(0, len(order), CHUNK):
        rows = order[start:start + CHUNK]
        window, width = pad_windows([windows[row] for row in rows])
        choice = read_at(window, width, TranscriptSettings(), loaded)[1]
        log_p[rows] = choice.log_p
        for row, text in zip(rows, choice.texts):
            texts[row] = text
    right = np.array([is_right(word, text) for word, text in zip(truth, texts)], bool)
    return Readings(truth, texts, log_p, right)


@dataclass(frozen=True)
class Trade:
    """Of the words read at least this confidently: how many are right, and how many of all words
    that are (precision and recall)."""

    above: float
    precision: float | None
    recall: float


def trades(confidence: NDArray, texts: list[str], right: NDArray[np.bool_]) -> list[Trade]:
    """Precision and recall over the limits STEPS; words read as nothing are not returned."""
    read = np.array([bool(text.strip()) for text in texts], bool)
    found = []
    for limit in STEPS:
        kept = read & (confidence >= limit)
        found.append(Trade(limit, float(right[kept].mean()) if kept.any() else None,
                           float((right & kept).sum() / max(1, len(right)))))
    return found


def table(measured: Reliability, traded: list[Trade]) -> str:
    """Both as Markdown."""
    lines = [f"Expected calibration error {measured.error:.4f}", "",
             "| confidence | n | mean | right |", "|---|---|---|---|"]
    for k, n in enumerate(measured.n):
        if n:
            lines.append(f"| {k / len(measured.n):.1f} to {(k + 1) / len(measured.n):.1f} | {n:,} | "
                         f"{measured.confidence[k]:.3f} | {measured.right[k]:.3f} |")
    lines += ["", "| at least | precision | recall |", "|---|---|---|"]
    lines += [f"| {t.above:g} | {'' if t.precision is None else f'{t.precision:.4f}'} | "
              f"{t.recall:.4f} |" for t in traded]
    return "\n".join(lines)


def calibrate(weights: Path, fit_tsv: Path, root: Path) -> Calibration:
    """Fit on the held-out documents of a words TSV and store it in the weights file.

    Raises Missing where the list has none of them.
    """
    rows = training_rows(fit_tsv, root, held_out=True)
    if not rows:
        raise Missing(f"{fit_tsv}: no words of documents that are kept for calibrating; give the "
                      "list that fine-tuning uses")
    found = readings_of(rows, root, net.load(weights))
    read = np.array([bool(text) for text in found.texts])
    calibration = fit(found.log_p[read], found.right[read])
    net.save_calibration(weights, calibration)
    return calibration


def command(args: argparse.Namespace) -> int:
    """`main.py train words --calibrate WEIGHTS --fit TSV [--eval TSV] [--note TITLE]`."""
    from core import notebook
    from core.train.real import CATEGORIES
    from core.train.words_command import root_of

    if args.fit:
        calibration = calibrate(args.calibrate, args.fit, root_of(args, args.fit))
        print(f"{args.calibrate}: {calibration}")
    elif not args.exam:
        raise Usage("--calibrate needs words to fit on (--fit TRAIN.tsv), to measure on "
                    "(--eval DEV.tsv), or both")
    if not args.exam:
        return 0
    loaded = net.load(args.calibrate)
    found = readings_of(read_truth(args.exam), root_of(args, args.exam), loaded)
    confidence = found.confidence(loaded.calibration)
    raw = reliability(found.confidence(Calibration()), found.right)
    measured = reliability(confidence, found.right)
    traded = trades(confidence, found.texts, found.right)
    by: dict[str, dict] = {}
    for name in sorted({word.category for word in found.truth}):
        of = np.array([word.category == name for word in found.truth])
        own = reliability(confidence[of], found.right[of])
        by[name] = {"calibration error": own.error, "right": float(found.right[of].mean()),
                    "mean confidence": float(confidence[of].mean()), "n": int(of.sum())}
        print(f"{name:<16} n {of.sum():>6,}  right {found.right[of].mean():.4f}  calibration "
              f"error {own.error:.4f}")
    print(table(measured, traded))
    print(f"\nbefore calibration {raw.error:.4f}")
    by["overall"] = {"calibration error": measured.error, "right": float(found.right.mean()),
                     "mean confidence": float(confidence.mean()), "n": len(found.truth)}
    if args.note:
        entry = notebook.Entry(
            title=args.note, goal=args.goal or "A confidence that is right as often as it says.",
            command="python main.py train words --calibrate WEIGHTS --fit TRAIN.tsv --eval DEV.tsv",
            settings={"calibration": loaded.calibration.to_plain(), "weights": loaded.name},
            seed=0, sources=f"fitted on held-out documents of {' and '.join(CATEGORIES)} (train), "
            "measured on dev", samples=0, seconds=0.0, table=by, learnt=args.learnt,
            reliability=notebook.reliability_of(measured, traded))
        print(notebook.write(entry))
    return 0
