"""Learn the consensus of fonts: python -m core.fonts.learn_consensus FOLDER... [--out FILE]

Writes resources/fonts/consensus.npz from the glyphs of every font below the folders. What an outline
check rejects is left out, and families with many files count as little more than those with one.
Nets that saw no font of its folder read each font first: fonts of which they read less than half,
and glyphs that look like another character, are then left out, for twelve sizes of one dingbat font
would else teach that dingbats are letters. Prints how many glyphs of unseen fonts were read right.
"""

from __future__ import annotations

import argparse
import os
import zlib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.fonts import consensus
from core.fonts.formats import Refused, font_files, open_font
from core.fonts.glyphs import rasterise
from core.recognizer.alphabet import ASCII

HIDDEN = 192
EPOCHS = 12
FOLDS = 3  # a font is judged by a net that learnt from the other folds
READABLE = 0.5  # share of a font's glyphs read as themselves, below which it is left out
BELIEVED = 0.02  # probability of its own character below which a glyph is left out
DROPOUT = 0.3
SEED = 1


class Rows(NamedTuple):
    """Glyphs of fonts: features (n, F) float16, class (n,) uint8, font (n,), fold (n,), weight (n,)."""

    x: NDArray[np.float16]
    y: NDArray[np.uint8]
    font: NDArray[np.int64]
    fold: NDArray[np.int64]
    weight: NDArray[np.float32]

    def where(self, keep: NDArray[np.bool_]) -> Rows:
        return Rows(*(column[keep] for column in self))


def font_rows(path: Path) -> tuple[str, NDArray[np.float16], NDArray[np.uint8]]:
    """(family, features (n, F), class (n,)) of a font's good glyphs; none for a refused file."""
    try:
        opened = open_font(path)
        glyphs = rasterise(opened.face)
    except Refused:
        return "", np.zeros((0, 0), np.float16), np.zeros(0, np.uint8)
    x = consensus.features(glyphs)
    seen: dict[bytes, list[int]] = {}
    for k in np.flatnonzero(glyphs.inked):
        seen.setdefault(glyphs.bitmap[k].tobytes(), []).append(int(k))
    blank = glyphs.blank_bitmap.tobytes()
    good = [k for same, ks in seen.items() if len(ks) < 4 and same != blank for k in ks if k]
    rows = np.array(good, np.int64)
    return opened.names.family, x[rows].astype(np.float16), (rows - 1).astype(np.uint8)


def gather(paths: list[Path], jobs: int) -> Rows:
    """The good glyphs of all fonts, raster twins once. Fonts of one folder are in one fold."""
    parts, families, seen = [], [], set()
    with ProcessPoolExecutor(jobs) as pool:
        for path, (family, x, y) in zip(paths, pool.map(font_rows, paths, chunksize=16), strict=True):
            digest = hash(x.tobytes())
            if len(y) < 20 or digest in seen:
                continue
            seen.add(digest)
            fold = zlib.crc32(str(path.parent).encode()) % FOLDS  # with it sizes and styles
            parts.append((x, y, np.full(len(y), len(parts)), np.full(len(y), fold)))
            families.append(family)
    n_files = Counter(families)
    weights = [np.full(len(part[1]), 1 / np.sqrt(n_files[family]), np.float32)
               for part, family in zip(parts, families, strict=True)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Rows(*columns, np.concatenate(weights))


def believable(rows: Rows) -> NDArray[np.bool_]:
    """(n,) glyphs that nets which did not see their folder take for what they are."""
    own = np.zeros(len(rows.y), np.float32)
    right = np.zeros(len(rows.y), bool)
    for fold in range(FOLDS):
        held = rows.fold == fold
        probability = _read(learn(rows.where(~held)), rows.x[held])
        alike = consensus.groups()[rows.y[held].astype(int) + 1]
        own[held] = (probability * alike).sum(1)
        right[held] = probability.argmax(1) == rows.y[held]
    print(f"{len(rows.y)} glyphs of {rows.font.max() + 1} fonts: {right.mean():.1%} read right by "
          f"nets that saw no font of their folders, {np.mean(own > 0.5):.1%} right or as one alike")
    share = np.bincount(rows.font, own > 0.5) / np.bincount(rows.font)
    keep = (share[rows.font] >= READABLE) & (own >= BELIEVED)
    print(f"left out: {np.sum(share < READABLE)} fonts, {np.mean(~keep):.1%} of glyphs")
    return keep


def _read(weights: dict[str, NDArray], x: NDArray) -> NDArray[np.float32]:
    w = {name: value.astype(np.float32) for name, value in weights.items()}
    z = (x.astype(np.float32) - w["mean"]) / w["scale"]
    return consensus.softmax(np.maximum(z @ w["w1"] + w["b1"], 0) @ w["w2"] + w["b2"])


def learn(rows: Rows) -> dict[str, NDArray]:
    """The weights of `consensus.Consensus`, by Adam on cross entropy with smoothed labels."""
    import torch
    from torch import nn

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    mean, scale = rows.x.mean(0, dtype=np.float64), rows.x.std(0, dtype=np.float64) + 0.05
    x = torch.from_numpy(((rows.x - mean) / scale).astype(np.float32))
    y = torch.from_numpy(rows.y.astype(np.int64))
    weight = torch.from_numpy(rows.weight)
    net = nn.Sequential(nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT),
                        nn.Linear(HIDDEN, len(ASCII) - 1))
    adam = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.02)
    steps = EPOCHS * (len(x) // 512)
    fall = torch.optim.lr_scheduler.OneCycleLR(adam, 3e-3, total_steps=steps + 1)
    loss_of = nn.CrossEntropyLoss(reduction="none", label_smoothing=0.01)
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for batch in order[:len(x) // 512 * 512].split(512):
            adam.zero_grad(set_to_none=True)
            (loss_of(net(x[batch]), y[batch]) * weight[batch]).mean().backward()
            adam.step()
            fall.step()
    first, last = net[0], net[3]
    numbers = (mean, scale, first.weight.T, first.bias, last.weight.T, last.bias)
    return {name: np.asarray(t.detach() if hasattr(t, "detach") else t).astype(np.float16)
            for name, t in zip(("mean", "scale", "w1", "b1", "w2", "b2"), numbers, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=consensus.WEIGHTS)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    rows = gather(font_files(args.folders), args.jobs)
    part = args.out.with_suffix(".part.npz")
    np.savez_compressed(part, **learn(rows.where(believable(rows))))
    os.replace(part, args.out)


if __name__ == "__main__":
    main()
