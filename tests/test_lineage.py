"""Every word of every bundled sample leads back to its blobs and forward to its place in the PDF."""

from pathlib import Path

import numpy as np
import pytest

from core import geometry, load
from core.pipeline import load_tools, read_page, stages
from core.reading import STAGES, Reading, Ref, lineage
from core.settings import Settings

SAMPLES = sorted((Path(__file__).parents[1] / "resources" / "samples").glob("*/*.png"))


@pytest.fixture(scope="module")
def readings() -> dict[str, Reading]:
    """A whole reading of each sample."""
    road = stages(load_tools())
    return {path.stem: read_page(load.open_source(path).page_source(0), road, Settings()) for path in SAMPLES}


@pytest.mark.parametrize("name", [path.stem for path in SAMPLES])
def test_each_word_reaches_blobs_and_its_place_in_the_pdf(readings, name):
    reading = readings[name]
    assert len(reading.words) > 20
    for row in range(len(reading.words)):
        rows = lineage(reading, Ref("words", row)).rows
        assert set(rows) == set(STAGES), f"word {row} {reading.words.text[row]!r} misses a stage"
        assert rows["placed"].tolist() == [row]
        assert reading.placed.text[row] == reading.words.text[row]


@pytest.mark.parametrize("name", [path.stem for path in SAMPLES])
def test_a_words_blobs_lie_where_the_word_lies(readings, name):
    reading = readings[name]
    for row in range(len(reading.words)):
        blobs = lineage(reading, Ref("words", row)).rows["blobs"]
        shared = geometry.intersection(reading.words.box[row:row + 1], reading.blobs.box[blobs])
        assert (shared > 0).any(), f"word {row} {reading.words.text[row]!r} has none of its blobs in it"


@pytest.mark.parametrize("name", [path.stem for path in SAMPLES])
def test_each_reading_that_was_not_dropped_is_chosen_once(readings, name):
    reading = readings[name]
    attempts = reading.attempts
    cited = np.zeros(len(reading.transcripts), int)
    for row in np.flatnonzero(attempts.chosen):
        cited[attempts.parents.of(row)] += 1
    dropped = reading.buckets.bucket == reading.buckets.BUCKETS.index("drop")
    assert (cited[~dropped] == 1).all()
    assert (cited <= 1).all()


@pytest.mark.parametrize("name", [path.stem for path in SAMPLES])
def test_the_blobs_of_a_word_lead_forward_to_it_again(readings, name):
    reading = readings[name]
    for row in range(0, len(reading.words), 7):
        blob = lineage(reading, Ref("words", row)).rows["blobs"][0]
        assert row in lineage(reading, Ref("blobs", int(blob))).rows["words"]
