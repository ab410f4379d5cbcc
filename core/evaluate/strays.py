"""Windows that the Word Detector proposes where the truth has no text: they should read as nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.detector import chopping
from core.errors import Missing
from core.evaluate.boxes import IMAGES, read_truth, upright_of, word_detector
from core.recognizer.transcribe import TranscriptSettings, read_windows

if TYPE_CHECKING:
    from core.recognizer.net import LoadedNet

# Categories whose every word has a box. Receipts are not among them: their handwriting has none.
COMPLETE = ("screenshots", "letter_sized", "scanned_docs")
APART = 0.02  # of a window's area may lie in truth boxes, which are drawn a pixel too wide at times


@dataclass(frozen=True)
class Stray:
    """A window without text: (32, w) uint8 dark on light, box (x0, y0, x1, y1) px of the image."""

    file: Path
    box: tuple[float, ...]
    window: NDArray[np.uint8]


def stray_windows(split: Path, categories: tuple[str, ...] = COMPLETE) -> Iterator[Stray]:
    """The detector's windows outside every truth box (ignored items too) of the pages in
    split/CATEGORY, page after page. Raises Missing where no category is there."""
    images = [p for name in categories for p in sorted((Path(split) / name).glob("*"))
              if p.suffix.lower() in IMAGES and p.with_suffix(".json").exists()]
    if not images:
        raise Missing(f"{split}: no pages of {', '.join(categories)} with their truth (.json)")
    for path in images:
        upright = upright_of(path)
        found = chopping.segments(upright, word_detector(upright))
        truth = read_truth(path.with_suffix(".json"))
        shared = geometry.intersection(found.box, truth.box).sum(1)
        for row in np.flatnonzero(shared <= APART * np.maximum(geometry.areas(found.box), 1.0)):
            yield Stray(path, tuple(float(v) for v in found.box[row]),
                        found.window[row, :, :found.width[row]].copy())


@dataclass(frozen=True)
class EmptyScore:
    """Windows without text: how many, and the share read as nothing (or, with a limit on the
    confidence, taken for noise)."""

    n: int
    empty: float
    dropped: float


def score_empty(windows: list[NDArray[np.uint8]], net: LoadedNet, drop_below: float = 0.3,
                ) -> EmptyScore | None:
    """How windows without text are read; `dropped` counts those that no reading at least
    `drop_below` confident comes of. None without a window."""
    if not windows:
        return None
    texts, confidence = read_windows(windows, TranscriptSettings(), net)
    empty = np.array([not text.strip() for text in texts])
    return EmptyScore(len(windows), float(empty.mean()),
                      float((empty | (confidence < drop_below)).mean()))


def drawn_negatives(n: int, seed: int) -> list[NDArray[np.uint8]]:
    """`n` windows of the generator that hold no text."""
    from core.synth.sample import SampleSettings, sample

    return [sample(SampleSettings(negative=1.0), seed, i).image for i in range(n)]
