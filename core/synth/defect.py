"""What a transform is: a named defect that draws its numbers and then applies them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.synth.fonts import Face, Setting
from core.synth.stream import Stream

Numbers = tuple[float, ...]


class Step(NamedTuple):
    """A transform that was applied to a sample, with the numbers it drew."""

    name: str
    numbers: Numbers


@dataclass
class Drawing:
    """A word on its canvas, before the warp. y down, canvas px."""

    canvas: NDArray[np.uint8]  # (h, w), 255 = ink
    face: Face
    setting: Setting
    x: int  # pen start
    y: int  # baseline
    box: tuple[float, float, float, float]  # what a detector would give: x0 y0 x1 y1


class Transform(NamedTuple):
    """One defect. `SampleSettings.<name>` is the probability that a sample has it.

    labels  what the numbers are, for the previewer
    draw    (own stream, severity of the sample in 0 .. 1) -> the numbers
    apply   (what the place works on, numbers) -> the same kind of thing; see transforms.PLACES
    """

    name: str
    labels: tuple[str, ...]
    draw: Callable[[Stream, float], Numbers]
    apply: Callable
