"""What many samples were made of, as columns: to filter samples by and to draw histograms of.

A survey keeps texts and numbers of every sample looked at and none of the pictures, so hundreds
of thousands fit into memory; any picture is made again from its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.synth import layout, tape, transforms
from core.synth.sample import Sample

# steps of a recipe that are no transform
ALWAYS = ("severity", "tape", "display", "layout", "levels", "legible")
LABELS = {"severity": ("severity",), "tape": tape.LABELS, "display": (), "layout": layout.LABELS,
          "levels": ("paper", "ink"), "legible": ("correlation", "clean print mixed in")} | transforms.LABELS


class Draws(NamedTuple):
    """The numbers that one step drew: i (m,) int64, numbers of the samples that have the step, and
    numbers (m, k) float32, a column for each of `labels(name)`."""

    name: str
    i: NDArray[np.int64]
    numbers: NDArray[np.float32]


class ReadBack(NamedTuple):
    """What the net makes of a window: its text, the probability it gives that text in 0 .. 1, and
    the CTC loss of the true text in nats."""

    text: str
    confidence: float
    loss: float


@dataclass(frozen=True)
class Facts:
    """One row a sample, one `Draws` a step.

    i           (n,) int64, the samples' numbers, rising
    text, kind, font   (n,) <U; see sample.Recipe
    width       (n,) int32, px
    reading     (n,) <U, confidence, loss (n,) float32: see ReadBack; "" and NaN where not read
    """

    i: NDArray[np.int64]
    text: NDArray[np.str_]
    kind: NDArray[np.str_]
    font: NDArray[np.str_]
    width: NDArray[np.int32]
    reading: NDArray[np.str_]
    confidence: NDArray[np.float32]
    loss: NDArray[np.float32]
    draws: tuple[Draws, ...] = ()

    def __len__(self) -> int:
        return len(self.i)

    def of(self, name: str) -> Draws:
        """The draws of one step; of one that no sample has, none."""
        for drawn in self.draws:
            if drawn.name == name:
                return drawn
        return Draws(name, np.zeros(0, np.int64), np.zeros((0, 0), np.float32))


@dataclass(frozen=True)
class Query:
    """Which samples to show; all conditions must hold, an empty one holds always.

    text       occurs in the text, in any case
    font       occurs in the font's file name, in any case
    transform  the sample has this step
    negatives  only samples without text
    """

    text: str = ""
    font: str = ""
    transform: str = ""
    negatives: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it lets every sample through."""
        return self == Query()


def labels(name: str, n: int) -> tuple[str, ...]:
    """What the n numbers of a step are called."""
    known = LABELS.get(name, ())[:n]
    return (*known, *(f"number {k + 1}" for k in range(len(known), n)))


def facts_of(samples: Sequence[Sample], numbers: Sequence[int],
             readings: Sequence[ReadBack] = ()) -> Facts:
    """The facts of samples, `numbers[k]` being the number of samples[k], in rising order."""
    n = len(samples)
    drawn: dict[str, tuple[list[int], list[tuple[float, ...]]]] = {}
    for i, sample in zip(numbers, samples, strict=True):
        for step in sample.recipe.steps:
            rows = drawn.setdefault(step.name, ([], []))
            rows[0].append(i)
            rows[1].append(tuple(step.numbers))
    draws = tuple(Draws(name, np.array(i, np.int64), np.array(values, np.float32))
                  for name, (i, values) in sorted(drawn.items()))
    nothing = np.full(n, np.nan, np.float32)
    return Facts(
        np.array(numbers, np.int64), _texts(s.text for s in samples),
        _texts(s.recipe.kind for s in samples), _texts(s.recipe.font for s in samples),
        np.array([s.image.shape[1] for s in samples], np.int32),
        _texts(r.text for r in readings) if readings else np.full(n, "", "<U1"),
        np.array([r.confidence for r in readings], np.float32) if readings else nothing,
        np.array([r.loss for r in readings], np.float32) if readings else nothing, draws)


def _texts(texts) -> NDArray[np.str_]:
    found = list(texts)
    return np.array(found, dtype=f"<U{max(map(len, found), default=1) or 1}")


def joined(parts: Sequence[Facts]) -> Facts:
    """The facts of several surveys, one after the other."""
    if not parts:
        return facts_of((), ())
    columns = {name: np.concatenate([getattr(part, name) for part in parts])
               for name in ("i", "text", "kind", "font", "width", "reading", "confidence", "loss")}
    names = sorted({drawn.name for part in parts for drawn in part.draws})
    draws = []
    for name in names:
        found = [drawn for part in parts if len((drawn := part.of(name)).i)]
        draws.append(Draws(name, np.concatenate([d.i for d in found]),
                           np.concatenate([d.numbers for d in found])))
    return Facts(**columns, draws=tuple(draws))


def matching(facts: Facts, query: Query) -> NDArray[np.bool_]:
    """(n,) which samples fulfil a query."""
    mask = np.ones(len(facts), bool)
    if query.text:
        mask &= np.char.find(np.char.lower(facts.text), query.text.lower()) >= 0
    if query.font:
        mask &= np.char.find(np.char.lower(facts.font), query.font.lower()) >= 0
    if query.transform:
        mask &= np.isin(facts.i, facts.of(query.transform).i)
    if query.negatives:
        mask &= facts.text == ""
    return mask


class Collection:
    """Facts that keep coming, with the samples among them that fulfil a query.

    Parts are joined by the block, and each block is searched once a query, so that hundreds of
    thousands of samples can be looked through while they are shown.
    """

    BLOCK = 32  # parts

    def __init__(self) -> None:
        self._blocks: list[Facts] = []
        self._tail: list[Facts] = []
        self._query = Query()
        self._found: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []  # of each block
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def add(self, part: Facts) -> None:
        """Take the facts of the samples that follow."""
        self._tail.append(part)
        self._n += len(part)
        if len(self._tail) == self.BLOCK:
            self._blocks.append(joined(self._tail))
            self._tail = []

    def first(self, n: int) -> Facts:
        """The facts of about the first n samples, whole parts of them."""
        parts, count = [], 0
        for part in (*self._blocks, *self._tail):
            if count >= n:
                break
            parts.append(part)
            count += len(part)
        return joined(parts)

    def numbers(self, query: Query, hardest_first: bool = False) -> NDArray[np.int64]:
        """Numbers of the samples that fulfil a query, in order or by falling loss; those that were
        not read come last."""
        if query != self._query:
            self._query, self._found = query, []
        for block in self._blocks[len(self._found):]:
            self._found.append(_chosen(block, query))
        found = [*self._found, *(_chosen(part, query) for part in self._tail)]
        if not found:
            return np.zeros(0, np.int64)
        i, loss = (np.concatenate(column) for column in zip(*found, strict=True))
        if not hardest_first:
            return i
        return i[np.argsort(-np.nan_to_num(loss, nan=-np.inf), kind="stable")]


def _chosen(facts: Facts, query: Query) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    mask = matching(facts, query)
    return facts.i[mask], facts.loss[mask]
