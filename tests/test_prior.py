"""The prior over texts: a proper distribution, and what it decides."""

import numpy as np
import pytest

from core.errors import Mismatch, Missing
from core.recognizer import alphabet, ctc, prior
from core.recognizer.alphabet import CHARACTERS, N_CLASSES
from core.recognizer.calibration import Calibration
from core.recognizer.transcribe import NET_ALONE, TranscriptSettings, choose

TEXTS = ["ab", "ab", "abba", "ba", "b", "aab"]


def _next(made: prior.Prior, before: tuple[int, ...], code: int) -> float:
    """log P(code | before), by the definition of a back-off model, code by code."""
    before = before[max(0, len(before) - made.order + 1):]
    pack = lambda codes: sum(int(c) << 8 * k for k, c in enumerate(reversed(codes)))
    table = lambda n, values: dict(zip(made.keys[n - 1].tolist(), values[n - 1].tolist(), strict=True))
    n = len(before) + 1
    if (found := table(n, made.log_p).get(pack((*before, code)))) is not None:
        return found
    if n == 1:
        return made.unseen
    return table(n - 1, made.back_off).get(pack(before), 0.0) + _next(made, before[1:], code)


@pytest.mark.parametrize(("order", "once"), [(1, 9), (2, 9), (3, 9), (4, 3)])
def test_chances_of_what_may_follow_add_up_to_one(order, once):
    made = prior.fitted(TEXTS, order, once)
    begin = (prior.BEGIN,) * (order - 1)
    codes = [*range(1, len(CHARACTERS) + 1), prior.END]
    for before in ("", "a", "ab", "zz"):
        context = (*begin, *alphabet.encode(before))
        total = sum(np.exp(_next(made, context, code)) for code in codes)
        assert total == pytest.approx(1, abs=1e-4), before


def test_a_text_weighs_what_its_characters_weigh_one_after_the_other():
    made = prior.fitted(TEXTS, 4, 3)
    for text in ("", "ab", "abbab", "zebra", "a b"):
        codes = [*[prior.BEGIN] * 3, *alphabet.encode(text), prior.END]
        each = [_next(made, tuple(codes[k - 3:k]), codes[k]) for k in range(3, len(codes))]
        assert made.log_likelihoods([text])[0] == pytest.approx(sum(each), abs=1e-4)


def test_a_text_seen_often_is_likelier_than_its_anagram():
    made = prior.fitted(["the", "then", "there", "than"] * 5, 4)
    the, teh, unseen = made.log_likelihoods(["the", "teh", "§§§"])
    assert the > teh > unseen


def test_a_long_text_is_weighed_without_end():
    made = prior.fitted(TEXTS, 3)
    assert np.isfinite(made.log_likelihoods(["ab" * 5000])).all()
    assert made.log_likelihoods([]).shape == (0,)


def test_a_stored_prior_is_the_same_to_half_precision(tmp_path):
    made = prior.fitted(TEXTS, 4)
    made.save(tmp_path / "prior.npz")
    again = prior.load(tmp_path / "prior.npz")
    assert np.allclose(again.log_likelihoods(TEXTS), made.log_likelihoods(TEXTS), rtol=2e-3)
    assert [p.name for p in tmp_path.iterdir()] == ["prior.npz"]


def test_files_that_are_no_prior_are_named(tmp_path):
    with pytest.raises(Missing, match=r"none\.npz"):
        prior.load(tmp_path / "none.npz")
    (tmp_path / "junk.npz").write_bytes(b"junk")
    with pytest.raises(Mismatch, match=r"junk\.npz"):
        prior.load(tmp_path / "junk.npz")


def _window(*steps: dict[str, float]) -> np.ndarray:
    """(1, 2 T, C) log probabilities: each step's characters, a sure blank after it."""
    found = np.full((1, 2 * len(steps), N_CLASSES), -30.0, np.float32)
    for k, step in enumerate(steps):
        found[0, 2 * k + 1, 0] = 0.0
        for c, p in step.items():
            found[0, 2 * k, alphabet.encode(c)[0] if c else 0] = np.log(p)
    return found


def _chosen(window: np.ndarray, settings: TranscriptSettings) -> str:
    return choose(window, ctc.best_paths(window).texts, settings, Calibration()).texts[0]


def test_neighbours_decide_what_the_net_leaves_open():
    window = _window({"T": 1}, {"0": .52, "O": .48}, {"T": 1}, {"A": 1}, {"L": 1})
    assert _chosen(window, NET_ALONE) == "T0TAL"
    assert _chosen(window, TranscriptSettings()) == "TOTAL"
    digits = _window({"1": 1}, {"0": .48, "O": .52}, {"3": 1}, {".": 1}, {"5": 1}, {"0": 1})
    assert _chosen(digits, TranscriptSettings()) == "103.50"


def test_what_the_net_is_sure_of_is_left_alone():
    window = _window({"T": 1}, {"0": .995, "O": .005}, {"T": 1}, {"A": 1}, {"L": 1})
    assert _chosen(window, TranscriptSettings()) == "T0TAL"


def test_an_empty_window_is_not_filled_and_a_full_one_not_emptied():
    empty = _window({"": .6, "e": .4})
    assert _chosen(empty, TranscriptSettings()) == ""
    choice = choose(empty, [""], TranscriptSettings(), Calibration())
    assert choice.confidence[0] == pytest.approx(.6, abs=1e-3)
    # the likeliest text at one or the other of two steps, though no path of it is the likeliest
    either = _window({"": .6, "F": .4}, {"": .6, "F": .4})
    assert _chosen(either, TranscriptSettings()) == ""
    full = _window({"": .4, "~": .6})
    assert _chosen(full, TranscriptSettings()) == "~"


def test_confidence_is_the_share_of_what_all_texts_weigh():
    window = _window({"T": 1}, {"0": .5, "O": .5}, {"T": 1}, {"A": 1}, {"L": 1})
    settings = TranscriptSettings()
    choice = choose(window, ctc.best_paths(window).texts, settings, Calibration())
    likely = prior.shipped().log_likelihoods(["TOTAL", "T0TAL"])
    odds = np.exp(settings.prior * (likely[0] - likely[1]))
    assert choice.confidence[0] == pytest.approx(odds / (1 + odds), abs=1e-3)
