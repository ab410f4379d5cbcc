"""Batches of samples for training, in the same order over any number of processes.

Samples of one length of window go together, so that little of a batch is padding. Which samples
share a batch depends only on settings, seed, start and batch size: whole blocks of consecutive
samples are sorted by width and cut into batches, and a block is made by one process.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.synth.fonts import default_atlas
from core.synth.sample import SampleSettings, sample
from core.synth.stream import Stream
from core.synth.transforms import HEIGHT

BUCKET = 32  # px, batches are padded to multiples of it: core.recognizer batches alike
BLOCK = 16  # batches that are sorted by width together
AHEAD = 2  # blocks that each process may be ahead of the training


class Batch(NamedTuple):
    """`window` (n, 32, W) uint8, W a multiple of 32; `width` (n,) px in use, the rest is the
    median of each window's last two columns; `text` of each; `first` is the number of the first
    sample of the block, where a run can go on."""

    window: NDArray[np.uint8]
    width: NDArray[np.int32]
    text: tuple[str, ...]
    first: int


def block(settings: SampleSettings, seed: int, start: int, batch_size: int) -> list[Batch]:
    """The batches made of samples start .. start + BLOCK * batch_size - 1, in a shuffled order."""
    made = [sample(settings, seed, i) for i in range(start, start + BLOCK * batch_size)]
    order = sorted(range(len(made)), key=lambda k: (made[k].image.shape[1], k))
    parts = [order[k:k + batch_size] for k in range(0, len(order), batch_size)]
    stream = Stream(seed, start, "batch order")
    for k in range(len(parts) - 1, 0, -1):
        j = stream.below(k + 1)
        parts[k], parts[j] = parts[j], parts[k]
    return [_batch([made[k] for k in part], start) for part in parts]


def _batch(samples: list, first: int) -> Batch:
    width = np.array([s.image.shape[1] for s in samples], np.int32)
    full = -(-int(width.max()) // BUCKET) * BUCKET
    window = np.empty((len(samples), HEIGHT, full), np.uint8)
    for row, s in enumerate(samples):
        w = s.image.shape[1]
        window[row, :, :w] = s.image
        if w < full:
            window[row, :, w:] = np.median(s.image[:, -2:])
    return Batch(window, width, tuple(s.text for s in samples), first)


def batches(settings: SampleSettings, seed: int, start: int, batch_size: int,
            n_workers: int = 0) -> Iterator[Batch]:
    """An endless stream of batches, from sample `start` on.

    n_workers  processes that make samples; 0 makes them in the caller's. The order is the same
               for any number. Close the iterator (or let it be collected) to end them.
    To go on with a run, give the `first` of a batch whose block was used up plus
    BLOCK * batch_size.
    """
    stride = BLOCK * batch_size
    if n_workers == 0:
        while True:
            yield from block(settings, seed, start, batch_size)
            start += stride
    default_atlas()  # left in the cache folder here, so that no two workers build it at once
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    with context.Pool(n_workers, initializer=_one_thread) as pool:
        waiting: deque = deque()
        while True:
            while len(waiting) < n_workers * AHEAD:
                waiting.append(pool.apply_async(block, (settings, seed, start, batch_size)))
                start += stride
            yield from waiting.popleft().get()


def _one_thread() -> None:
    import cv2
    cv2.setNumThreads(1)
