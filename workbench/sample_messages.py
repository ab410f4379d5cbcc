"""What the window and its sample process say to each other. Plain frozen dataclasses, no Qt.

`workbench.messages` has what all processes say (Ready, Done, Failed). A sample is
named by settings, seed and number, so no process needs to know what another has made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.synth.compare import Measures, RealCrops
from core.synth.sample import Sample, SampleSettings, Still
from core.synth.survey import Facts, ReadBack

# ---- requests ----------------------------------------------------------------------------------

@dataclass(frozen=True)
class MakeSamples:
    """Make samples `numbers` of a seed, with what the net reads in them if `read`."""

    job: int
    settings: SampleSettings
    seed: int
    numbers: tuple[int, ...] = field(repr=False)
    read: bool = False


@dataclass(frozen=True)
class Survey:
    """Say what samples start .. stop - 1 are made of."""

    job: int
    settings: SampleSettings
    seed: int
    start: int
    stop: int
    read: bool = False


@dataclass(frozen=True)
class MakeStrip:
    """Show how sample i came to be, without the transforms named; see core.synth.sample.strip."""

    job: int
    settings: SampleSettings
    seed: int
    i: int
    without: frozenset[str] = frozenset()
    read: bool = False


@dataclass(frozen=True)
class CountCharacters:
    """Count the characters of the first n samples of a seed."""

    job: int
    settings: SampleSettings
    seed: int
    n: int


@dataclass(frozen=True)
class MeasureDrawn:
    """Measure samples start .. stop - 1 that have a text."""

    job: int
    settings: SampleSettings
    seed: int
    start: int
    stop: int


@dataclass(frozen=True)
class ListReal:
    """Say which categories a words TSV has."""

    job: int
    tsv: Path


@dataclass(frozen=True)
class CutReal:
    """Cut and measure the next of about n real words; all are kept for `FindNearest`.

    They come in parts so that what is looked at can be drawn between them. `start` is how many
    there are already; 0 begins anew.
    """

    job: int
    tsv: Path
    root: Path
    n: int
    category: str = ""
    start: int = 0


@dataclass(frozen=True)
class FindNearest:
    """Find the n real crops most like sample i: in "look" or in "text"."""

    job: int
    settings: SampleSettings
    seed: int
    i: int
    n: int
    by: str = "look"


@dataclass(frozen=True)
class WriteSamples:
    """Write samples `numbers` into a folder: PNG each; the part of an export that `is_last` writes
    samples.tsv and recipes.jsonl of all its parts, too.

    An export comes in parts so that what is looked at can be drawn between them.
    """

    job: int
    settings: SampleSettings
    seed: int
    numbers: tuple[int, ...] = field(repr=False)
    folder: Path
    export: int
    is_last: bool


# ---- answers -----------------------------------------------------------------------------------

@dataclass(frozen=True)
class FontsLoaded:
    """The fonts that samples are drawn with: their digest (Atlas.digest) and how many there are."""

    digest: str
    n_fonts: int


@dataclass(frozen=True)
class SamplesMade:
    """Samples `numbers`; `readings` is empty where they were not asked for."""

    job: int
    numbers: tuple[int, ...] = field(repr=False)
    samples: tuple[Sample, ...] = field(repr=False)
    readings: tuple[ReadBack, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Surveyed:
    """The facts of the samples asked for."""

    job: int
    facts: Facts = field(repr=False)


@dataclass(frozen=True)
class StripMade:
    """The stills of sample i, in order, each with what the net reads in it, if asked for.

    text  of the sample as it is drawn
    all   the stills with no transform left out, for the numbers of those that are
    """

    job: int
    i: int
    text: str
    without: frozenset[str]
    stills: tuple[Still, ...] = field(repr=False)
    all: tuple[Still, ...] = field(repr=False)
    readings: tuple[ReadBack, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class CharactersCounted:
    """(C,) how often each of alphabet.CHARACTERS occurs in the first n samples."""

    job: int
    n: int
    counts: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True)
class DrawnMeasured:
    """Measures of drawn samples."""

    job: int
    measures: Measures = field(repr=False)


@dataclass(frozen=True)
class RealListed:
    """The categories of a words TSV."""

    job: int
    tsv: Path
    categories: tuple[str, ...]


@dataclass(frozen=True)
class RealCut:
    """n_cut real crops are there; their measures once all are, None before. The pixels stay with
    the process, which keeps them in memory."""

    job: int
    n_cut: int
    measures: Measures | None = field(repr=False)


@dataclass(frozen=True)
class NearestFound:
    """The real crops nearest to sample i, nearest first; distances (n,), NaN where by text."""

    job: int
    i: int
    crops: RealCrops = field(repr=False)
    distances: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True)
class SamplesWritten:
    """n samples, one part of an export, are there."""

    job: int
    export: int
    n: int
