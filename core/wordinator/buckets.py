"""The verdict on each transcript: keep it, look it up in the lexicon, or drop it as noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import Usage
from core.parameters import check_limits, param
from core.reading import Buckets, Parents, Transcripts

KEEP, LOOK_UP, DROP = range(3)  # codes of Buckets.BUCKETS


@dataclass(frozen=True)
class BucketSettings:
    """The two limits on the confidence of a transcript."""

    keep_above: float = param(0.9, low=0.0, high=1.0, help=(
        "A reading at least this confident is kept as it is; raise it to have more words looked up"))
    drop_below: float = param(0.3, low=0.0, high=1.0, help=(
        "A reading less confident than this is taken for noise; raise it when specks become words"))

    def __post_init__(self) -> None:
        check_limits(self)
        if self.drop_below > self.keep_above:
            raise Usage(f"BucketSettings.drop_below ({self.drop_below}) is above "
                        f"keep_above ({self.keep_above}); lower it")


def buckets(transcripts: Transcripts, settings: BucketSettings) -> Buckets:
    """A bucket per transcript. A reading without any character is dropped, however confident."""
    confidence = transcripts.confidence
    bucket = np.full(len(transcripts), LOOK_UP, np.uint8)
    bucket[confidence >= settings.keep_above] = KEEP
    bucket[~(confidence >= settings.drop_below)] = DROP  # a NaN is dropped too
    bucket[np.char.strip(transcripts.text) == ""] = DROP
    return Buckets(bucket, Parents.one_each("transcripts", np.arange(len(transcripts))))
