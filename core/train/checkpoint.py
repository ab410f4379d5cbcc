"""The state of a training run in one file: enough to continue the same curve after a kill.

Weights for reading are another, smaller file (`core.recognizer.net.save`); this one is for
training on.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch

from core.errors import Mismatch, Missing
from core.recognizer import alphabet
from core.recognizer.architecture import NetSettings
from core.recognizer.net import WordNet, longer, widen, write_atomically

PART_BYTES = 16 << 20  # what the repository takes as one file
KIND = "training state 1"  # raise the number when the fields below change


@dataclass
class State:
    """What a checkpoint holds.

    model, average, optimiser  state dicts; average is the EMA of the weights, {} without one
    settings   the training settings as plain values, architecture included
    samples    training samples seen, which is also the index of the next synthetic sample
    first      samples seen when this run's budget began (a branch, a fine-tuning)
    steps      optimiser steps taken
    spent      share of the budget used up, 0..1, as the schedule counts it
    seconds    time trained so far, all sessions together
    random     torch's generator state (dropout)
    draws      how often each font and glyph was drawn (core.train.draws)
    card       a sentence about data and licences, for the weights made from it
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
    first: int = 0
    draws: dict = field(default_factory=dict)
    card: str = "Trained on synthetic words only."


def save(state: State, path: Path) -> None:
    """Write atomically: a kill at any moment leaves the last whole checkpoint."""
    write_atomically({"kind": KIND, "digest": alphabet.DIGEST, "alphabet": alphabet.CHARACTERS,
                      **vars(state)}, path)


def split(path: Path, folder: Path, most: int = PART_BYTES) -> list[Path]:
    """Copy a checkpoint to `folder` as NAME.part00, NAME.part01, ... of at most `most` bytes."""
    content = Path(path).read_bytes()
    Path(folder).mkdir(parents=True, exist_ok=True)
    parts = []
    for number, start in enumerate(range(0, len(content), most)):
        part = Path(folder) / f"{Path(path).name}.part{number:02d}"
        temporary = part.with_name(f".{part.name}.{os.getpid()}")
        temporary.write_bytes(content[start:start + most])
        os.replace(temporary, part)
        parts.append(part)
    return parts


def load(path: Path) -> State:
    """Read a checkpoint, whole or from its parts (`split`). Raises Missing or Mismatch.

    A state made for a shorter alphabet that ours begins with is widened to ours.
    """
    path = Path(path)
    parts = sorted(path.parent.glob(path.name + ".part[0-9][0-9]"))
    if not path.is_file() and not parts:
        raise Missing(f"{path}: no such checkpoint; start without --resume")
    source = path if path.is_file() else io.BytesIO(b"".join(p.read_bytes() for p in parts))
    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
        kind, digest = content.pop("kind"), content.pop("digest")
        characters = content.pop("alphabet", alphabet.ASCII)  # what states without one were for
    except Exception as error:  # torch raises half a dozen kinds here
        raise Mismatch(f"{path} is no checkpoint ({error}); give a state.pt") from error
    if kind != KIND:
        raise Mismatch(f"{path} is a {kind!r}, this program continues {KIND!r}")
    state = State(**content)
    alphabet.check(digest, str(path), characters)
    return widened(state, len(characters) + 1)


def widened(state: State, n_classes: int) -> State:
    """A state made for the first `n_classes` classes of the alphabet, with the others added.

    The optimiser's moments of the added start at zero.
    """
    more = alphabet.N_CLASSES - n_classes
    if not more:
        return state
    for weights in (state.model, state.average):
        if weights:
            widen(weights, float(weights["out.bias"].min()))  # low, but within reach of training
    for number in _numbers_of(state, ("out.weight", "out.bias")):
        moments = state.optimiser["state"].get(number, {})
        for name in ("exp_avg", "exp_avg_sq"):
            if name in moments:
                moments[name] = longer(moments[name], more)
    if state.draws:
        counts = state.draws["counts"]
        state.draws["counts"] = torch.cat([counts, counts.new_zeros(len(counts), more)], 1)
    return state


def _numbers_of(state: State, names: tuple[str, ...]) -> list[int]:
    """The optimiser's numbers of parameters: those with two axes and more come first (Trainer)."""
    parameters = [name for name, _ in WordNet(NetSettings(**state.settings["net"])).named_parameters()]
    order = sorted(parameters, key=lambda name: state.model[name].ndim <= 1)
    return [order.index(name) for name in names]
