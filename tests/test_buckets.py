import numpy as np
import pytest
from wordinator_tables import one_window_per_box

from core.errors import Usage
from core.reading import Buckets
from core.wordinator.buckets import BucketSettings, buckets


def names(texts, confidence, settings=None):
    _, _, transcripts = one_window_per_box(texts, confidence)
    table = buckets(transcripts, settings or BucketSettings())
    assert np.array_equal(table.parents.rows, np.arange(len(texts)))
    return [Buckets.BUCKETS[code] for code in table.bucket]


def test_confidence_decides_between_keep_look_up_and_drop():
    assert names(["one", "two", "six"], [0.95, 0.6, 0.1]) == ["keep", "look up", "drop"]


def test_the_keep_limit_itself_is_kept_and_the_drop_limit_is_looked_up():
    settings = BucketSettings(keep_above=0.75, drop_below=0.25)  # exact in binary
    assert names(["a", "b"], [0.75, 0.25], settings) == ["keep", "look up"]


def test_an_empty_reading_is_dropped_however_confident():
    assert names(["", " ", "x"], [1.0, 1.0, 1.0]) == ["drop", "drop", "keep"]


def test_no_transcripts_give_an_empty_table():
    assert names([], []) == []


def test_limits_the_wrong_way_round_are_refused():
    with pytest.raises(Usage, match="drop_below"):
        BucketSettings(keep_above=0.2, drop_below=0.5)
