"""Batches of samples to be written, in parts, so that what is looked at is drawn between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.synth.sample import SampleSettings
from workbench.sample_messages import SamplesWritten, WriteSamples

AT_ONCE = 50  # samples a part, some 0.1 s


@dataclass(frozen=True)
class Export:
    """Samples that are to be written into a folder."""

    number: int
    settings: SampleSettings
    seed: int
    numbers: tuple[int, ...]
    folder: Path


class Exports:
    """Exports in order, the first under way. `progress` is a sentence on it, "" without one."""

    def __init__(self) -> None:
        self._waiting: list[Export] = []
        self._n_written = 0  # samples of the first
        self._n_exports = 0  # ever

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def progress(self) -> str:
        if not self._waiting:
            return ""
        return f"writing sample {self._n_written:,} of {len(self._waiting[0].numbers):,} …"

    def add(self, settings: SampleSettings, seed: int, numbers: Iterable[int], folder: Path) -> None:
        """Put an export behind the others."""
        self._n_exports += 1
        self._waiting.append(Export(self._n_exports, settings, seed, tuple(map(int, numbers)), folder))

    def next_part(self, job: int) -> WriteSamples:
        """What is to be written next."""
        one, start = self._waiting[0], self._n_written
        part = one.numbers[start:start + AT_ONCE]
        return WriteSamples(job, one.settings, one.seed, part, one.folder, one.number,
                            start + len(part) == len(one.numbers))

    def take(self, message: SamplesWritten) -> Export | None:
        """Note that a part is there; the export that is whole by it. Parts of one that was given
        up are nobody's."""
        if not self._waiting or self._waiting[0].number != message.export:
            return None
        self._n_written += message.n
        return self._pop() if self._n_written == len(self._waiting[0].numbers) else None

    def drop(self, number: int) -> None:
        """One export has failed."""
        if self._waiting and self._waiting[0].number == number:
            self._pop()

    def give_up(self, why: str) -> str:
        """Forget them all; what there is to be said on that."""
        if not self._waiting:
            return ""
        n, one = self._n_written, self._pop()
        self._waiting = []
        return (f"The export was given up, since {why}: {n:,} of {len(one.numbers):,} samples are "
                f"in {one.folder}, without a list")

    def _pop(self) -> Export:
        self._n_written = 0
        return self._waiting.pop(0)
