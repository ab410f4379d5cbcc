"""Receipts among the samples: a till's fonts, set narrow, and nothing else changed by them."""

from dataclasses import replace

import numpy as np

from core.fonts.catalogue import shipped
from core.synth.sample import SampleSettings, sample

N = 150
ON = SampleSettings(tape=1.0, negative=0.0)


def _tape(made):
    return next((step.numbers for step in made.recipe.steps if step.name == "tape"), None)


def test_receipts_are_printed_in_a_tills_fonts_and_set_as_narrow_as_recorded():
    tills = {font.path.name for font in shipped() if font.tape > 0}
    assert 0 < len(tills) < len(shipped())
    for i in range(N):
        made = sample(ON, 3, i)
        assert made.recipe.font in tills
        layout = next(step.numbers for step in made.recipe.steps if step.name == "layout")
        assert _tape(made) == (layout[8],)


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
    assert 0.2 * N < receipts < 0.4 * N


def test_what_is_switched_off_stays_off_on_receipts():
    off = replace(ON, thermal=0.0, squeeze=0.0)
    for i in range(N):
        steps = dict(sample(off, 3, i).recipe.steps)
        assert "thermal" not in steps
        assert steps["layout"][8] == 1.0


def test_windows_without_text_are_part_of_no_receipt():
    assert all(_tape(sample(replace(ON, negative=1.0), 3, i)) is None for i in range(N))
