"""Receipts among the samples: a till's fonts, set narrow, and nothing else changed by them."""

from dataclasses import replace

import numpy as np

from core.fonts.catalogue import RECEIPTS, shipped
from core.synth import pictured, printed, tape
from core.synth.fonts import SIZES, default_atlas
from core.synth.sample import SampleSettings, sample

N = 150
ON = SampleSettings(tape=1.0, negative=0.0)


def _tape(made):
    """What the recipe tells of the receipt, by tape.LABELS; nothing of what is none."""
    return next((dict(zip(tape.LABELS, step.numbers, strict=True))
                 for step in made.recipe.steps if step.name == "tape"), {})


def test_tills_and_computers_print_in_their_own_fonts_and_set_as_narrow_as_recorded():
    fonts = shipped()
    tills, desks, needles = ({f.path.name for f in fonts if getattr(f, column) > 0}
                             for column in RECEIPTS)
    assert max(len(tills), len(desks), len(needles)) < len(fonts)
    printed = others = 0
    for i in range(N):
        made = sample(ON, 3, i)
        layout = next(step.numbers for step in made.recipe.steps if step.name == "layout")
        receipt = _tape(made)
        assert receipt["width"] == layout[8]
        if not receipt["computer"]:
            assert made.recipe.font in (needles if receipt["needles"] else tills)
            continue
        printed += 1
        others += made.recipe.font not in desks
    assert 0.2 * N < printed < 0.5 * N
    assert 0 < others < 0.3 * printed


def test_most_noughts_of_receipts_have_nothing_in_their_middle():
    atlas, size = default_atlas(), len(SIZES) - 1
    font = next(k for k, f in enumerate(atlas.fonts) if f.path.name == "DejaVuSansMono.ttf")
    dotted, plain = (atlas.face(font, size, is_plain).glyph["0"] for is_plain in (False, True))
    h, w = dotted[0].shape
    middle = slice(h // 2 - 1, h // 2 + 2), slice(w // 2 - 1, w // 2 + 2)
    assert dotted[0][middle].max() > 200
    assert plain[0][middle].max() < 50
    assert plain[0].shape == (h, w) and plain[1:] == dotted[1:]  # in the same place
    assert 0.7 < np.mean([_tape(sample(ON, 3, i))["plain zero"] for i in range(N)]) < 0.9


def test_a_needle_printer_burns_nothing_and_prints_capitals_in_dots():
    struck = [s for s in (sample(ON, 5, i) for i in range(2 * N)) if _tape(s)["needles"]]
    assert 0.12 * 2 * N < len(struck) < 0.32 * 2 * N
    assert not any(step.name == "thermal" for s in struck for step in s.recipe.steps)
    assert np.mean([any(step.name == "dots" for step in s.recipe.steps) for s in struck]) > 0.5
    assert np.mean([s.text == s.text.upper() for s in struck]) > 0.6


def test_what_is_switched_off_stays_off_on_receipts():
    off = replace(ON, thermal=0.0, squeeze=0.0)
    for i in range(N):
        steps = dict(sample(off, 3, i).recipe.steps)
        assert "thermal" not in steps
        assert steps["layout"][8] == 1.0


def test_windows_without_text_are_part_of_no_receipt():
    assert not any(_tape(sample(replace(ON, negative=1.0), 3, i)) for i in range(N))


def test_points_starve_before_stems_do():
    ink = np.zeros((32, 40), np.uint8)
    ink[4:28, 8:13] = 255  # a stem
    ink[25:28, 28:31] = 255  # a point
    pale = printed.starved(ink, (0.6, 0.2))
    assert pale[16, 10] == 255
    assert 40 < pale[26, 29] < 160
    assert not pale[ink == 0].any()


def test_what_is_read_between_its_pixels_loses_grain_and_no_light():
    grain = np.random.default_rng(1).integers(100, 156, (32, 64), np.uint8)
    soft = pictured.resampled(grain, (0.5, 0.5))
    assert soft.std() < 0.7 * grain.std()
    assert abs(soft.mean() - grain.mean()) < 2
    assert np.array_equal(pictured.resampled(grain, (0.0, 0.0)), grain)
