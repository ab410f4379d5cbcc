"""The transcripts stage: shapes, order and determinism, with a small net that has learnt nothing,
and, with the shipped weights, a drawn word read right."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core import geometry
from core.reading import Parents, Segments
from core.recognizer import net, window
from core.recognizer.alphabet import N_CLASSES
from core.recognizer.architecture import NetSettings
from core.recognizer.transcribe import (
    TranscriptSettings,
    batches_by_width,
    read_windows,
    transcripts,
)

WEIGHTS = Path(__file__).parents[1] / "resources" / "models" / "words-synthetic.pt"


@pytest.fixture(scope="module")
def loaded():
    torch.manual_seed(0)
    model = net.WordNet(NetSettings(channels=(4, 8, 8, 8), hidden=8))
    with torch.no_grad():
        model.out.weight.mul_(20)  # so that it says something
    return net.LoadedNet(model, "tiny", "", bf16=False)


def segments_of(windows):
    stack, width = window.pad_windows(windows)
    n = len(windows)
    span = np.stack([np.zeros(n), width], 1).astype(np.float32)
    box = np.zeros((n, 4), np.float32)
    return Segments(np.zeros((n, 2, 3)), stack, width, span, np.zeros((n, 2), np.uint8),
                    geometry.quads_from_boxes(box), box, Parents.one_each("boxes", np.arange(n)))


def noise(*widths):
    rng = np.random.default_rng(1)
    return [rng.integers(0, 255, (32, w)).astype(np.uint8) for w in widths]


def test_no_segments_give_no_transcripts(loaded):
    table = transcripts(segments_of([]), TranscriptSettings(), loaded)
    assert len(table) == 0 and len(table.parents) == 0
    assert list(table.char_offsets) == [0] and list(table.top_offsets) == [0]


def test_each_segment_has_its_transcript_whatever_the_batching(loaded):
    windows = noise(40, 160, 64, 36, 12, 160)
    one = transcripts(segments_of(windows), TranscriptSettings(batch_size=1), loaded)
    many = transcripts(segments_of(windows), TranscriptSettings(), loaded)
    assert list(one.text) == list(many.text)
    np.testing.assert_allclose(one.confidence, many.confidence, atol=1e-5)
    alone = [transcripts(segments_of([w]), TranscriptSettings(), loaded).text[0] for w in windows]
    assert list(many.text) == alone
    assert list(many.parents.rows) == list(range(6))


def test_the_table_holds_together(loaded):
    table = transcripts(segments_of(noise(40, 160, 64)), TranscriptSettings(sure=1.01), loaded)
    assert table.log_probs.shape == (3, 40, N_CLASSES) and table.log_probs.dtype == np.float16
    assert list(np.diff(table.char_offsets)) == [len(t) for t in table.text]
    assert (table.char_t > 0).all()
    for row, width in enumerate((40, 160, 64)):
        a, b = table.char_offsets[row:row + 2]
        assert (table.char_t[a:b] < width / 4).all()
        assert (np.diff(table.char_t[a:b]) > 0).all()
        a, b = table.top_offsets[row:row + 2]
        assert table.text[row] == table.top_text[a] and table.path_text[row] in table.top_text[a:b]
        assert len(set(table.top_text[a:b])) == b - a
        # noise: what is chosen among bad readings is no better for it
        assert table.confidence[row] < 0.01
    alone = transcripts(segments_of(noise(40, 160, 64)), TranscriptSettings(sure=1.01, prior=0),
                        loaded)
    best = alone.top_score[alone.top_offsets[:-1]]
    assert np.exp(best) == pytest.approx(alone.confidence, rel=1e-3)


def test_the_same_windows_give_the_same_table(loaded):
    segments = segments_of(noise(40, 160, 64))
    first, again = (transcripts(segments, TranscriptSettings(), loaded) for _ in range(2))
    assert np.array_equal(first.log_probs, again.log_probs)
    assert list(first.top_text) == list(again.top_text)


def test_batches_hold_each_row_once_and_are_wide_enough():
    width = np.array([8, 320, 33, 32, 64, 65])
    batches = batches_by_width(width, 2)
    assert sorted(np.concatenate([rows for rows, _ in batches])) == list(range(6))
    assert all((width[rows] <= full).all() and full % 32 == 0 for rows, full in batches)


@pytest.mark.skipif(not WEIGHTS.exists(), reason="no shipped weights")
@pytest.mark.parametrize("word", ["Reading", "table", "London", "42.50"])
def test_shipped_weights_read_a_printed_word(word):
    import pymupdf

    page = pymupdf.open().new_page(width=200, height=60)
    page.insert_text((20, 40), word, fontname="helv", fontsize=20)
    box = page.search_for(word)[0] * (150 / 72)
    pixels = page.get_pixmap(dpi=150, colorspace=pymupdf.csGRAY)
    gray = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.h, pixels.w)
    cut, _ = window.cut_window(gray, geometry.quads_from_boxes(np.array(list(box)))[0], margin=0)
    texts, confidence = read_windows([cut], TranscriptSettings(), net.load(WEIGHTS))
    assert texts == [word]
    assert 0 < confidence[0] <= 1


def test_blank_windows_of_one_gray_do_not_break_the_reading(loaded):
    blank = np.full((32, 40), 255, np.uint8)
    texts, confidence = read_windows([blank], TranscriptSettings(), loaded)
    assert len(texts) == 1 and np.isfinite(confidence).all()
