"""Which number is the best confidence: path probabilities normalised in several ways, compared.

    python tests/bench/bench_confidence.py --fit TRAIN.tsv --eval DEV.tsv [--model FILE] [--most N]

Each candidate goes through a logistic curve fitted on the documents of TRAIN that fine-tuning leaves
out; measured on DEV without forms: area under the ROC curve (does it sort right from wrong?), mean
negative log likelihood, expected calibration error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import rankdata

sys.path.insert(0, str(Path(__file__).parents[2]))
from core.evaluate.words import WordTruth, cut_truth, is_right, read_truth, some_of
from core.pipeline import RESOURCES, default_words
from core.recognizer import ctc, net
from core.recognizer.calibration import logit, reliability
from core.recognizer.transcribe import TranscriptSettings, log_probs_of
from core.recognizer.window import pad_windows
from core.train.real import training_rows

FAR = 20.0  # nats: the margin of a text without a rival
SURE = np.log(0.995)  # above, no rival is looked for


def candidates(truth: list[WordTruth], root: Path, loaded: net.LoadedNet,
               ) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.float64]]]:
    """(right (n,), candidate -> (n, k) what the curve is fitted to)."""
    window, width = pad_windows(cut_truth(truth, root, loaded.settings.max_width))
    log_probs = log_probs_of(window, width, TranscriptSettings(), loaded)
    paths = ctc.best_paths(log_probs)
    forward = ctc.log_likelihoods(log_probs, paths.texts)
    n = np.maximum(np.diff(paths.char_offsets), 1)
    parts = [paths.char_confidence[a:b] for a, b in zip(paths.char_offsets, paths.char_offsets[1:])]
    least = np.array([p.min() if len(p) else 1.0 for p in parts])
    mean = np.array([np.log(p.clip(1e-6)).mean() if len(p) else 0.0 for p in parts])
    margin = np.full(len(truth), FAR)
    for row in np.flatnonzero(forward < SURE):
        others = [ctc.log_likelihood(log_probs[row], text) for text, _ in
                  ctc.beam_search(log_probs[row], 3, 8) if text != paths.texts[row]]
        margin[row] = forward[row] - max(others, default=forward[row] - FAR)
    p = logit(np.exp(forward))
    right = np.array([is_right(w, t) for w, t in zip(truth, paths.texts)])
    return right, {
        "forward probability": p[:, None],
        "best path's probability": logit(np.exp(paths.path_score))[:, None],
        "forward, per character": logit(np.exp(forward / n))[:, None],
        "forward, per root of characters": logit(np.exp(forward / np.sqrt(n)))[:, None],
        "least sure character": logit(least)[:, None],
        "mean of characters": logit(np.exp(mean))[:, None],
        "margin to the best other text": margin[:, None],
        "forward and length": np.stack([p, np.log(n)], 1),
        "forward and margin": np.stack([p, margin], 1),
        "forward, length, least sure": np.stack([p, np.log(n), logit(least)], 1)}


def fitted(x: NDArray, right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights (1 + k,) of the logistic curve."""
    design, sign = np.column_stack([np.ones(len(x)), x]), np.where(right, 1, -1)
    return minimize(lambda w: np.logaddexp(0, -sign * (design @ w)).mean(),
                    np.zeros(design.shape[1])).x


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", type=Path, required=True, metavar="TSV")
    parser.add_argument("--eval", type=Path, required=True, dest="exam", metavar="TSV")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--model", type=Path, default=default_words(RESOURCES / "models"))
    parser.add_argument("--most", type=int, default=4000)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    root, loaded = args.root or args.fit.resolve().parent.parent, net.load(args.model)
    known, x = candidates(some_of(training_rows(args.fit, root, held_out=True), args.most), root, loaded)
    right, z = candidates(some_of([w for w in read_truth(args.exam) if w.category != "forms"],
                                  args.most), root, loaded)
    print(f"{len(known)} words to fit on, {100 * known.mean():.1f} % right; "
          f"{len(right)} to measure on, {100 * right.mean():.1f} % right")
    print("| candidate | AUC | log loss | calibration error |\n|---|---|---|---|")
    for name in x:
        # standardised, so that the fit is well conditioned
        low, scale = x[name].mean(0), x[name].std(0) + 1e-9
        w = fitted((x[name] - low) / scale, known)
        score = w[0] + ((z[name] - low) / scale) @ w[1:]
        rank = rankdata(score)
        n_right, n_wrong = right.sum(), (~right).sum()
        auc = (rank[right].sum() - n_right * (n_right + 1) / 2) / (n_right * n_wrong)
        loss = np.logaddexp(0, -np.where(right, 1, -1) * score).mean()
        error = reliability(1 / (1 + np.exp(-score)), right).error
        print(f"| {name} | {auc:.4f} | {loss:.4f} | {error:.4f} |")


if __name__ == "__main__":
    main()
