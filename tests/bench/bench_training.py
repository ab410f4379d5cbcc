"""Training throughput: drawing samples, one step, and both, in samples per second.

    python tests/bench/bench_training.py [--threads 1] [--batch 64] [--seconds 10]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
from core.recognizer import net
from core.recognizer.architecture import NetSettings
from core.train.words import Trainer, TrainSettings, synthetic

SHAPES = {"M": NetSettings(), "L": NetSettings(channels=(48, 96, 192, 288), hidden=192)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each figure")
    parser.add_argument("--shapes", default="M", help="of M, L")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(args.threads)
    print(f"torch {torch.__version__}, {args.threads} thread(s), batch {args.batch}, "
          f"bf16 in hardware: {net.has_bf16()}")
    settings = TrainSettings(samples=1, batch_size=args.batch)
    batches = synthetic(settings)(0)
    held = [next(batches) for _ in range(16)]
    print(f"drawing alone   {rate(lambda k: next(batches), args):8,.0f} samples/s")
    for name in args.shapes.split(","):
        trainer = Trainer(TrainSettings(net=SHAPES[name], samples=1, batch_size=args.batch))
        alone = rate(lambda k, t=trainer: t.step(held[k % 16], 1e-3, k), args)
        both = rate(lambda k, t=trainer: t.step(next(batches), 1e-3, k), args)
        print(f"{name}: {net.n_parameters(trainer.model):,} parameters")
        print(f"  steps alone   {alone:8,.0f} samples/s")
        print(f"  both          {both:8,.0f} samples/s")


def rate(work, args: argparse.Namespace) -> float:
    """Samples a second of `work(k)`, which takes a batch."""
    work(0)
    start, k = time.perf_counter(), 0
    while time.perf_counter() - start < args.seconds:
        k += 1
        work(k)
    return k * args.batch / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
