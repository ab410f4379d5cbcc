"""The state of a training run in one file: enough to continue the same curve after a kill.

Weights for reading are another, smaller file (`core.recognizer.net.save`); this one is for
training on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from core.errors import Mismatch, Missing
from core.recognizer import alphabet
from core.recognizer.net import write_atomically

KIND = "training state 1"  # raise the number when the fields below change


@dataclass
class State:
    """What a checkpoint holds.

    model, average, optimiser  state dicts; average is the EMA of the weights, {} without one
    settings   the training settings as plain values, architecture included
    samples    training samples seen, which is also the index of the next synthetic sample
    steps      optimiser steps taken
    spent      share of the budget used up, 0..1, as the schedule counts it
    seconds    time trained so far, all sessions together
    random     torch's generator state (dropout)
    """

    model: dict
    average: dict
    optimiser: dict
    settings: dict
    samples: int = 0
    steps: int = 0
    spent: float = 0.0
    seconds: float = 0.0
    random: torch.Tensor | None = None
    best: dict = field(default_factory=dict)


def save(state: State, path: Path) -> None:
    """Write atomically: a kill at any moment leaves the last whole checkpoint."""
    write_atomically({"kind": KIND, "digest": alphabet.DIGEST, **vars(state)}, path)


def load(path: Path) -> State:
    """Read a checkpoint. Raises Missing or Mismatch."""
    if not Path(path).is_file():
        raise Missing(f"{path}: no such checkpoint; start without --resume")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        kind, digest = content.pop("kind"), content.pop("digest")
    except Exception as error:  # torch raises half a dozen kinds here
        raise Mismatch(f"{path} is no checkpoint ({error}); give a state.pt") from error
    if kind != KIND:
        raise Mismatch(f"{path} is a {kind!r}, this program continues {KIND!r}")
    alphabet.check(digest, str(path))
    return State(**content)
