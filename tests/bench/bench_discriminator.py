"""Can a small net, or a line through a dozen measures, tell drawn windows from real ones?

    python tests/bench/bench_discriminator.py WORDS_TSV [--categories register_tapes,screenshots]

50 % right is chance: the windows are alike. Real windows are cut from the words of a TSV (its
files beside it), drawn ones are picked so that their texts are as long as the real ones, character
by character, and have text at all; those drawn as receipts stand against receipts, those drawn as
screenshots against screenshots. `--any` picks from the whole mix instead, most of which is meant to
be like neither. Test documents are not among the training ones. The measures' weights say what
gives the drawn ones away. `--sheet FILE.png` puts 200 of each side by side.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))
from core import geometry
from core.evaluate.words import read_truth
from core.recognizer.window import cut_window, guess_polarity
from core.synth.sample import SampleSettings, sample

HEIGHT = 32
CROP = 64  # px of a window that the net sees, from a random place; narrower ones are padded
DRAWN_AS = {"register_tapes": "tape", "screenshots": "display"}  # a step of the recipe that says so
PER_DOCUMENT = {"register_tapes": 15, "screenshots": 60}
MEASURES = ("paper tone", "ink tone", "mean tone", "deviation", "share at 255", "share mid tones",
            "edge strength", "edge share", "high frequencies", "row of top ink", "row of low ink",
            "columns left free", "columns right free", "paper noise", "paper slope",
            "slant", "stroke width", "width per letter", "ink share", "light rims")


def real_windows(tsv: Path, categories: list[str], n: int, seed: int,
                 ) -> list[tuple[str, str, NDArray[np.uint8]]]:
    """n (document, text, window) in equal parts of the categories."""
    rng, found = random.Random(seed), []
    for category in categories:
        by_file = defaultdict(list)
        for word in read_truth(tsv, [category]):
            by_file[word.file].append(word)
        files, taken = sorted(by_file), []
        rng.shuffle(files)
        for file in files:
            gray = cv2.imread(str(tsv.parent.parent / file), cv2.IMREAD_GRAYSCALE)
            words = by_file[file]
            for word in rng.sample(words, min(len(words), PER_DOCUMENT.get(category, 30))):
                quad = geometry.quads_from_boxes(np.float32([word.box]))[0]
                window, _ = cut_window(gray, quad, guess_polarity(gray, quad), max_width=320)
                taken.append((file, word.printed or word.text, window))
            if len(taken) >= n // len(categories):
                break
        found += taken[:n // len(categories)]
    return found


def drawn_windows(real: list[tuple[str, str, NDArray[np.uint8]]], settings: SampleSettings,
                  seed: int, of_any_kind: bool) -> list[tuple[str, str, NDArray[np.uint8]]]:
    """As many drawn windows, of texts of the same lengths and of the same kinds."""
    wanted = defaultdict(int)
    for file, text, _ in real:
        kind = "" if of_any_kind else DRAWN_AS.get(Path(file).parent.name, "")
        wanted[kind, min(len(text), 25)] += 1
    found, i = [], 0
    while len(found) < len(real) and i < 60 * len(real):
        made = sample(settings, seed, i)
        i += 1
        kind = "" if of_any_kind else next((step.name for step in made.recipe.steps
                                            if step.name in DRAWN_AS.values()), "")
        key = kind, min(len(made.text), 25)
        if made.text and wanted[key] > 0:
            wanted[key] -= 1
            found.append((f"drawn {i}", made.text, made.image))
    return found


def measures(window: NDArray[np.uint8], text: str) -> list[float]:
    """The MEASURES of a window, in their order."""
    x = window.astype(np.float32)
    paper, ink = np.percentile(x, 95), np.percentile(x, 2)
    span = max(paper - ink, 8.0)
    inked = x < (paper + ink) / 2
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    gx, gy = cv2.Sobel(x, cv2.CV_32F, 1, 0), cv2.Sobel(x, cv2.CV_32F, 0, 1)
    strength = np.hypot(gx, gy) / span
    fine = x - cv2.GaussianBlur(x, (0, 0), 1)
    bare = cv2.erode((x > paper - 0.35 * span).astype(np.uint8), np.ones((3, 3))) > 0
    noise = float(fine[bare].std()) if bare.sum() > 20 else 0.0
    slope = abs(float(x[bare & (np.arange(HEIGHT) < 16)[:, None]].mean()
                      - x[bare & (np.arange(HEIGHT) >= 16)[:, None]].mean())) \
        if bare[:16].any() and bare[16:].any() else 0.0
    width = x.shape[1]
    return [paper, ink, x.mean(), x.std(), (x >= 254).mean(),
            ((x > ink + .25 * span) & (x < paper - .25 * span)).mean(),
            float(np.percentile(strength, 98)), (strength > 1).mean(), float(fine.std() / span),
            rows[0] if len(rows) else 16, 31 - rows[-1] if len(rows) else 16,
            columns[0] if len(columns) else 8, width - 1 - columns[-1] if len(columns) else 8,
            noise, slope, float((gx * gy).mean() / span ** 2),
            2 * inked.sum() / max(1.0, (strength > 1).sum() / 2), width / len(text), inked.mean(),
            float((x > paper + .06 * span).mean())]


def line_through(train: NDArray, target: NDArray, test: NDArray, truth: NDArray,
                 ) -> tuple[float, NDArray]:
    """(share right on the test windows, weights) of logistic regression."""
    mean, deviation = train.mean(0), train.std(0) + 1e-6
    a, b = np.clip((train - mean) / deviation, -4, 4), np.clip((test - mean) / deviation, -4, 4)
    w, bias = np.zeros(a.shape[1]), 0.0
    for _ in range(600):
        p = 1 / (1 + np.exp(-(a @ w + bias)))
        w -= 0.5 * (a.T @ (p - target) / len(a) + 1e-3 * w)
        bias -= 0.5 * float((p - target).mean())
    return float((((b @ w + bias) > 0) == (truth > 0.5)).mean()), w


def crops(windows: list[NDArray[np.uint8]], seed: int) -> NDArray[np.float32]:
    """(n, 1, 32, CROP) float32, about 0 to 1."""
    rng, stack = random.Random(seed), []
    for w in windows:
        if w.shape[1] < CROP:
            w = np.pad(w, ((0, 0), (0, CROP - w.shape[1])), mode="reflect"
                       if w.shape[1] > CROP // 2 else "wrap")
        x = rng.randrange(w.shape[1] - CROP + 1)
        stack.append(w[:, x:x + CROP])
    return (np.stack(stack)[:, None] / np.float32(255)).astype(np.float32)


def small_net(train: list, target: NDArray, test: list, truth: NDArray, epochs: int) -> float:
    """Share right on the test windows of a net of three convolutions (10,000 weights)."""
    import torch
    from torch import nn
    torch.set_num_threads(1)
    torch.manual_seed(1)
    layers = []
    for a, b in ((1, 12), (12, 24), (24, 32)):
        layers += [nn.Conv2d(a, b, 3, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 1))
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    y = torch.tensor(target, dtype=torch.float32)[:, None]
    for epoch in range(epochs):
        # without an end at a low rate the result hangs on its last few steps: 53 to 83 % right
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - epoch / epochs)
        x = torch.from_numpy(crops(train, epoch))
        for part in torch.randperm(len(x)).split(64):
            loss = nn.functional.binary_cross_entropy_with_logits(model(x[part]), y[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()
    with torch.inference_mode():
        votes = sum(model(torch.from_numpy(crops(test, 100 + k))) for k in range(3))
    return float(((votes[:, 0] > 0).numpy() == (truth > 0.5)).mean())


def sheet(windows: list[NDArray[np.uint8]], path: Path, wide: int = 1000) -> None:
    """A picture of windows in rows."""
    rows, row, x = [], np.full((36, wide), 128, np.uint8), 0
    for w in windows:
        if x + w.shape[1] + 4 > wide:
            rows, row, x = [*rows, row], np.full((36, wide), 128, np.uint8), 0
        row[2:34, x + 2:x + 2 + w.shape[1]] = w
        x += w.shape[1] + 4
    cv2.imwrite(str(path), np.vstack([*rows, row]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", type=Path, metavar="WORDS_TSV")
    parser.add_argument("--categories", default="register_tapes,screenshots")
    parser.add_argument("--count", type=int, default=4000, help="windows of each sort")
    parser.add_argument("--epochs", type=int, default=12, help="of the net; 0 = measures only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--any", action="store_true", help="drawn windows of all kinds, as mixed")
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    began = time.process_time()
    real = real_windows(args.words, args.categories.split(","), args.count, args.seed)
    # real windows are cut word by word
    drawn = drawn_windows(real, SampleSettings(filled=0.0), args.seed, args.any)
    files = sorted({f for f, _, _ in real})
    random.Random(args.seed).shuffle(files)
    held = set(files[:len(files) // 3])
    sets = [[], []]
    for k, (file, text, window) in enumerate(real):
        sets[file in held].append((window, text, 0.0))
    for k, (_, text, window) in enumerate(drawn):
        sets[k % 3 == 0].append((window, text, 1.0))
    balanced = []
    for part in sets:  # as many of each sort, so that chance is 50 %
        zero, one = [p for p in part if not p[2]], [p for p in part if p[2]]
        n = min(len(zero), len(one))
        balanced.append(zero[:n] + one[:n])
    (train, test), targets = balanced, [np.array([p[2] for p in part]) for part in balanced]
    features = [np.array([measures(w, t) for w, t, _ in part], np.float64) for part in balanced]
    right, weights = line_through(features[0], targets[0], features[1], targets[1])
    print(f"{len(train)} windows to learn from, {len(test)} to tell apart")
    print(f"measures: {right:.1%} right; by (weight, mean real, mean drawn):")
    for k in np.argsort(-np.abs(weights))[:10]:
        means = [features[0][targets[0] == t, k].mean() for t in (0, 1)]
        print(f"  {MEASURES[k]:<20}{weights[k]:+.2f}  {means[0]:8.3f} {means[1]:8.3f}")
    if args.epochs:
        share = small_net([p[0] for p in train], targets[0], [p[0] for p in test], targets[1],
                          args.epochs)
        print(f"small net: {share:.1%} right")
    if args.sheet:
        sheet([p[0] for p in test if not p[2]][:200] + [p[0] for p in test if p[2]][:200],
              args.sheet)
    print(f"{time.process_time() - began:.0f} CPU-seconds")


if __name__ == "__main__":
    main()
