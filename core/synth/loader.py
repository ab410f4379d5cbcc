"""Batches of samples for training, in the same order over any number of processes.

Samples of one length of window go together, so that little of a batch is padding. Which samples
share a batch depends only on settings, seed, start and batch size: whole blocks of consecutive
samples are sorted by width and cut into batches, and a block is made by one process.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.synth.fonts import default_atlas
from core.synth.pools import HEIGHT
from core.synth.sample import SampleSettings, sample
from core.synth.stream import Stream

BUCKET = 32  # px, batches are padded to multiples of it: core.recognizer batches alike
BLOCK = 16  # batches that are sorted by width together
AHEAD = 2  # blocks that each process may be ahead of the training


class Batch(NamedTuple):
    """`window` (n, 32, W) uint8, W a multiple of 32; `width` (n,) px in use, the rest is the
    median of each window's last two columns; `text` of each; `first` is the number of the first
    sample of the block, where a run can go on; `font` is each sample's font file, "" where there
    is none."""

    window: NDArray[np.uint8]
    width: NDArray[np.int32]
    text: tuple[str, ...]
    first: int
    font: tuple[str, ...] = ()


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
    return Batch(window, width, tuple(s.text for s in samples), first,
                 tuple(s.recipe.font for s in samples))


def batches(settings: SampleSettings, seed: int, start: int, batch_size: int,
            n_workers: int = 0, every: int = 1, cache: Path | None = None,
            ) -> Iterator[Batch]:
    """An endless stream of batches, from sample `start` on.

    n_workers  processes that make samples; 0 makes them in the caller's. The order is the same
               for any number. Close the iterator (or let it be collected) to end them.
    every      take one block of so many: several training processes share the samples
    cache      a folder that blocks are left in and read from, memory-mapped, the next time they
               are wanted; some 0.2 MB per 64 samples, and nothing is ever removed from it
    To go on with a run, give the `first` of a batch whose block was used up plus
    BLOCK * batch_size.
    """
    stride = BLOCK * batch_size
    if n_workers == 0:
        while True:
            yield from _kept(settings, seed, start, batch_size, cache)
            start += every * stride
    default_atlas()  # left in the cache folder here, so that no two workers build it at once
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    with context.Pool(n_workers, initializer=_one_thread) as pool:
        waiting: deque = deque()
        while True:
            while len(waiting) < n_workers * AHEAD:
                waiting.append(pool.apply_async(
                    _kept, (settings, seed, start, batch_size, cache)))
                start += every * stride
            yield from waiting.popleft().get()


def _kept(settings: SampleSettings, seed: int, start: int, batch_size: int, cache: Path | None,
          ) -> list[Batch]:
    """A block from the cache folder, or made and left there."""
    if cache is None:
        return block(settings, seed, start, batch_size)
    key = f"{settings.digest} {default_atlas().digest} {seed} {start} {batch_size} {BLOCK}"
    path = cache / f"block-{hashlib.sha256(key.encode()).hexdigest()[:24]}"
    pixels, rest = path.with_suffix(".npy"), path.with_suffix(".npz")
    try:
        with np.load(rest) as stored:
            columns = stored["width"], stored["text"], stored["font"], stored["size"]
        return _cut(np.load(pixels, mmap_mode="r"), *columns, start)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        pass  # not there yet, or torn: make it
    made = block(settings, seed, start, batch_size)
    cache.mkdir(parents=True, exist_ok=True)
    _write(pixels, lambda file: np.save(file, np.concatenate([b.window.ravel() for b in made])))
    _write(rest, lambda file: np.savez(
        file, width=np.concatenate([b.width for b in made]),
        text=np.array([t for b in made for t in b.text]),
        font=np.array([f for b in made for f in b.font]),
        size=np.array([(len(b.width), b.window.shape[2]) for b in made])))
    return made


def _cut(pixels: NDArray[np.uint8], widths: NDArray[np.int32], texts: NDArray[np.str_],
         fonts: NDArray[np.str_], sizes: NDArray[np.int64], first: int) -> list[Batch]:
    """The batches of a stored block. `sizes` (n_batches, 2): samples and padded width of each."""
    made, at, row = [], 0, 0
    for n, full in sizes.tolist():
        window = pixels[at:at + n * HEIGHT * full].reshape(n, HEIGHT, full)
        made.append(Batch(window, widths[row:row + n], tuple(texts[row:row + n].tolist()), first,
                          tuple(fonts[row:row + n].tolist())))
        at, row = at + n * HEIGHT * full, row + n
    if at != pixels.size or row != len(texts):
        raise ValueError("the stored block is torn")
    return made


def _write(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        write(part)
    os.replace(part.name, path)


def _one_thread() -> None:
    import cv2
    cv2.setNumThreads(1)
