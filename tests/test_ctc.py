"""CTC against the definition: every path of tiny matrices enumerated."""

from collections import defaultdict
from itertools import groupby, product

import numpy as np
import pytest

from core.errors import Mismatch
from core.recognizer import alphabet, ctc

CLASSES = (0, 34, 35, 66)  # blank, "A", "B", "a"


def matrix(seed: int, steps: int, sharp: float = 1.0) -> np.ndarray:
    """(steps, 96) log probabilities with all mass on CLASSES."""
    scores = np.full((steps, alphabet.N_CLASSES), -60.0)
    scores[:, CLASSES] = np.random.default_rng(seed).normal(size=(steps, len(CLASSES))) * sharp
    return scores - np.log(np.exp(scores).sum(1, keepdims=True))


def all_texts(log_probs: np.ndarray) -> dict[str, float]:
    """Probability of each text, by summing over every path (Graves 2006, equation 3)."""
    total = defaultdict(float)
    for path in product(CLASSES, repeat=len(log_probs)):
        text = alphabet.decode(k for k, _ in groupby(path))
        total[text] += float(np.exp(log_probs[range(len(log_probs)), path].sum()))
    return total


@pytest.mark.parametrize("seed", range(4))
def test_likelihood_is_the_sum_over_all_paths(seed):
    log_probs = matrix(seed, 5)
    truth = all_texts(log_probs)
    texts = sorted(truth)
    got = ctc.log_likelihoods(np.repeat(log_probs[None], len(texts), 0), texts)
    np.testing.assert_allclose(np.exp(got), [truth[t] for t in texts], rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_beam_search_finds_the_most_likely_texts_in_order(seed):
    log_probs = matrix(seed, 5)
    truth = sorted(all_texts(log_probs).items(), key=lambda item: -item[1])[:5]
    found = ctc.beam_search(log_probs, top_k=5, beam=200, sure_blank=1)
    assert [text for text, _ in found] == [text for text, _ in truth]
    np.testing.assert_allclose([np.exp(s) for _, s in found], [p for _, p in truth], rtol=1e-6)


def test_skipping_sure_blanks_keeps_the_best_texts():
    sure = np.full((1, alphabet.N_CLASSES), -40.0)
    sure[0, 0] = 0.0
    log_probs = np.concatenate([matrix(1, 3), sure, sure, matrix(2, 2)])
    fast = ctc.beam_search(log_probs, top_k=3, beam=50)
    slow = ctc.beam_search(log_probs, top_k=3, beam=50, sure_blank=1)
    assert [t for t, _ in fast] == [t for t, _ in slow]


def test_a_sure_blank_parts_equal_characters():
    log_probs = np.full((3, alphabet.N_CLASSES), -40.0)
    log_probs[[0, 1, 2], [34, 0, 34]] = 0.0
    assert ctc.beam_search(log_probs)[0][0] == "AA"
    assert ctc.best_path(log_probs).texts == ["AA"]


def test_best_path_merges_repeats_and_places_characters():
    log_probs = np.full((8, alphabet.N_CLASSES), -40.0)
    log_probs[range(8), [0, 34, 34, 0, 34, 35, 35, 35]] = 0.0
    paths = ctc.best_path(log_probs)
    assert paths.texts == ["AAB"]
    # middles of the runs 1..2, 4, 5..7, in steps at edges
    np.testing.assert_allclose(paths.char_t, [2.0, 4.5, 6.5], atol=1e-5)
    np.testing.assert_allclose(paths.char_confidence, 1.0, atol=1e-5)


def test_best_paths_of_several_windows_do_not_mix():
    log_probs = np.stack([matrix(s, 6, sharp=4) for s in range(5)])
    together = ctc.best_paths(log_probs)
    alone = [ctc.best_path(one) for one in log_probs]
    assert together.texts == [p.texts[0] for p in alone]
    np.testing.assert_allclose(together.char_t, np.concatenate([p.char_t for p in alone]))
    np.testing.assert_allclose(together.path_score, [p.path_score[0] for p in alone])


def test_no_windows_and_no_steps_give_no_text():
    assert ctc.best_paths(np.zeros((0, 5, 96), np.float32)).texts == []
    assert ctc.best_paths(np.zeros((2, 0, 96), np.float32)).texts == ["", ""]
    assert ctc.log_likelihoods(np.zeros((0, 5, 96)), []).shape == (0,)


@pytest.mark.parametrize("seed", range(3))
def test_alignment_is_the_best_path_that_spells_the_text(seed):
    log_probs = matrix(seed, 5)
    best = max(float(log_probs[range(5), p].sum()) for p in product(CLASSES, repeat=5)
               if alphabet.decode(k for k, _ in groupby(p)) == "AB")
    found = ctc.align(log_probs, "AB")
    assert found.score == pytest.approx(best)
    assert found.char_t[0] < found.char_t[1]


def test_a_text_longer_than_the_window_does_not_fit():
    assert ctc.align(matrix(0, 2), "ABa") is None
    assert ctc.log_likelihood(matrix(0, 2), "ABa") < -1e20
    assert ctc.log_likelihood(matrix(0, 3), "AA") > -1e3  # A, blank, A just fits
    assert ctc.align(matrix(0, 2), "AA") is None


def test_empty_text_is_all_blank():
    log_probs = matrix(3, 4)
    assert ctc.log_likelihood(log_probs, "") == pytest.approx(log_probs[:, 0].sum())


def test_characters_outside_the_alphabet_are_named():
    with pytest.raises(Mismatch, match="ж"):
        ctc.log_likelihood(matrix(0, 3), "ж")
    assert alphabet.decode(alphabet.encode("Az 0~é»")) == "Az 0~é»"
