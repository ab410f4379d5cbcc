"""Windows that are not sure are looked at again: who is asked, and what the looks say together."""

import numpy as np
import pytest

from core.recognizer import alphabet, ctc
from core.recognizer.alphabet import N_CLASSES
from core.recognizer.calibration import Calibration
from core.recognizer.transcribe import TranscriptSettings, choose
from core.recognizer.window import moved_window

NO_PRIOR = TranscriptSettings(prior=0.0)


def window_of(*steps: dict[str, float]) -> np.ndarray:
    """(2 T, C) log probabilities: each step's characters, a sure blank after it."""
    found = np.full((2 * len(steps), N_CLASSES), -30.0, np.float32)
    for k, step in enumerate(steps):
        found[2 * k + 1, 0] = 0.0
        for c, p in step.items():
            found[2 * k, alphabet.encode(c)[0] if c else 0] = np.log(p)
    return found


def chosen(first: list[np.ndarray], *looks: np.ndarray, settings: TranscriptSettings = NO_PRIOR):
    """(the choice, the rows that were looked at again); `looks` are those of every such row."""
    asked: list[int] = []

    def look_again(rows):
        asked.extend(rows.tolist())
        return [np.stack([look] * len(rows)) for look in looks]

    log_probs = np.stack(first)
    return choose(log_probs, ctc.best_paths(log_probs).texts, settings, Calibration(),
                  look_again), asked


def test_only_windows_that_say_something_unsurely_are_looked_at_again():
    sure, unsure = window_of({"7": .99, "1": .01}), window_of({"7": .6, "1": .4})
    empty = window_of({"": .6, ".": .4})
    choice, asked = chosen([sure, unsure, empty], window_of({"7": 1}))
    assert asked == [1]
    assert choice.texts == ["7", "7", ""]


def test_what_later_looks_see_outweighs_the_first():
    first = window_of({"7": .6, "1": .4})
    assert chosen([first])[0].texts == ["7"]
    choice, _ = chosen([first], window_of({"7": .1, "1": .9}), window_of({"7": .3, "1": .7}))
    assert choice.texts == ["1"]
    one, seven = (.4 * .9 * .7) ** (1 / 3), (.6 * .1 * .3) ** (1 / 3)
    # no look knows another text: the two have all of the probability
    assert np.exp(choice.top_score[:2]) == pytest.approx([one / (one + seven), seven / (one + seven)],
                                                         abs=1e-3)
    assert choice.confidence[0] == pytest.approx(one / (one + seven), abs=1e-3)


def test_a_later_look_may_find_a_text_that_the_first_did_not():
    first = window_of({"m": .6, "n": .3, "w": .1})
    look = window_of({"m": .01, "w": .99})
    assert chosen([first], look, look)[0].texts == ["w"]


def test_a_window_is_empty_that_all_looks_together_take_for_it():
    first = window_of({"/": .6, "": .4})
    settings = TranscriptSettings()
    assert chosen([first], settings=settings)[0].texts == ["/"]
    assert chosen([first], window_of({"/": .2, "": .8}), settings=settings)[0].texts == [""]
    assert chosen([first], window_of({"/": .5, "": .5}), settings=settings)[0].texts == ["/"]


def test_a_text_that_the_first_look_has_no_room_for_is_no_alternative():
    first = window_of({"m": .6, "n": .4})  # two time steps
    choice, _ = chosen([first], window_of({"r": .5, "m": .5}, {"n": 1.0}, {"e": 1.0}))
    assert all(len(text) <= 2 for text in choice.top_texts)
    assert np.isfinite(choice.log_p).all() and (choice.top_score > -1e6).all()


def test_a_moved_window_has_its_print_where_it_was_moved_to():
    window = np.full((32, 100), 255, np.uint8)
    window[10:20, 50:60] = 0
    moved = moved_window(window, 1.2, 1.0)
    assert moved.shape == (32, 120)
    rows, columns = np.nonzero(moved < 128)
    assert (rows.min(), rows.max()) == (11, 20)
    # px 50 to 60, edges counted, are 60 to 72
    assert (columns.min(), columns.max()) == (60, 71)
    assert moved_window(window[:, :8], 0.1, 0.0).shape == (32, 8)
