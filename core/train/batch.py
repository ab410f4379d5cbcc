"""What a training step takes: a batch of windows with texts, and where batches come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Batch(NamedTuple):
    """A batch of B windows.

    window  (B, 32, W) uint8, padded on the right; width (B,) px in use
    cased   (B,) bool, whether a text's case is what is printed; None = all of them
    fonts   the font file that each was drawn with, "" or () where there is none
    """

    window: NDArray[np.uint8]
    width: NDArray[np.int32]
    texts: list[str]
    cased: NDArray[np.bool_] | None = None
    fonts: tuple[str, ...] = ()


# A source yields batches from a sample index on; the same index gives the same batches.
Source = Callable[[int], Iterator[Batch]]


def stacked(parts: list[Batch]) -> Batch:
    """One batch of several, padded to the widest; fonts are kept where every part has them."""
    full = max(b.window.shape[2] for b in parts)
    n = sum(len(b.texts) for b in parts)
    window, cased, row = np.full((n, 32, full), 255, np.uint8), np.ones(n, bool), 0
    for b in parts:
        end = row + len(b.texts)
        window[row:end, :, :b.window.shape[2]] = b.window
        if b.cased is not None:
            cased[row:end] = b.cased
        row = end
    fonts = tuple(f for b in parts for f in (b.fonts or ("",) * len(b.texts)))
    return Batch(window, np.concatenate([b.width for b in parts]),
                 [text for b in parts for text in b.texts], cased, fonts)
