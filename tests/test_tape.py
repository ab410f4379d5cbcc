"""Receipts among the samples: a till's fonts, set narrow, and nothing else changed by them."""

from dataclasses import replace

import numpy as np

from core.fonts.catalogue import shipped
from core.synth import printed
from core.synth.sample import SampleSettings, sample

N = 150
ON = SampleSettings(tape=1.0, negative=0.0)


def _tape(made):
    return next((step.numbers for step in made.recipe.steps if step.name == "tape"), None)


def test_most_receipts_are_printed_in_a_tills_fonts_and_set_as_narrow_as_recorded():
    tills = {font.path.name for font in shipped() if font.tape > 0}
    assert 0 < len(tills) < len(shipped())
    others = 0
    for i in range(N):
        made = sample(ON, 3, i)
        layout = next(step.numbers for step in made.recipe.steps if step.name == "layout")
        squeeze, needles = _tape(made)
        assert squeeze == layout[8]
        if made.recipe.font not in tills:
            others += 1
            assert not needles
    assert 0 < others < 0.25 * N


def test_a_needle_printer_burns_nothing_and_prints_capitals_in_dots():
    struck = [s for s in (sample(ON, 5, i) for i in range(2 * N)) if _tape(s)[1]]
    assert 0.1 * 2 * N < len(struck) < 0.3 * 2 * N
    assert not any(step.name == "thermal" for s in struck for step in s.recipe.steps)
    assert np.mean([any(step.name == "dots" for step in s.recipe.steps) for s in struck]) > 0.5
    assert np.mean([s.text == s.text.upper() for s in struck]) > 0.6


def test_samples_that_are_no_receipts_are_the_same_without_any():
    some, none = SampleSettings(), SampleSettings(tape=0.0)
    receipts = 0
    for i in range(N):
        made, other = sample(some, 3, i), sample(none, 3, i)
        assert _tape(other) is None
        if _tape(made):
            receipts += 1
        else:
            assert (made.text, made.recipe) == (other.text, other.recipe)
            assert np.array_equal(made.image, other.image)
    assert 0.3 * N < receipts < 0.5 * N


def test_what_is_switched_off_stays_off_on_receipts():
    off = replace(ON, thermal=0.0, squeeze=0.0)
    for i in range(N):
        steps = dict(sample(off, 3, i).recipe.steps)
        assert "thermal" not in steps
        assert steps["layout"][8] == 1.0


def test_windows_without_text_are_part_of_no_receipt():
    assert all(_tape(sample(replace(ON, negative=1.0), 3, i)) is None for i in range(N))


def test_points_starve_before_stems_do():
    ink = np.zeros((32, 40), np.uint8)
    ink[4:28, 8:13] = 255  # a stem
    ink[25:28, 28:31] = 255  # a point
    pale = printed.starved(ink, (0.6, 0.2))
    assert pale[16, 10] == 255
    assert 40 < pale[26, 29] < 160
    assert not pale[ink == 0].any()
