"""Samples are a pure function of settings, seed and number, and readable by what they say."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from core.errors import Usage
from core.recognizer.alphabet import ASCII, CHARACTERS
from core.synth import loader, transforms
from core.synth.sample import SampleSettings, character_histogram, sample, strip

DEFAULT = SampleSettings()
PLAIN = replace(DEFAULT, negative=0.0, tape=0.0, display=0.0, faint=0.0, screen=0.0,
                **{t.name: 0.0 for _, place in transforms.PLACES for t in place})
DIGEST = """
import hashlib
from core.synth.sample import SampleSettings, sample
h = hashlib.sha256()
for i in range({first}, {last}):
    s = sample(SampleSettings(), 42, i)
    h.update(s.image.tobytes()), h.update(repr((s.image.shape, s.text, s.recipe)).encode())
print(h.hexdigest())
"""


def _digest_here(first: int, last: int) -> str:
    h = hashlib.sha256()
    for i in range(first, last):
        s = sample(DEFAULT, 42, i)
        h.update(s.image.tobytes())
        h.update(repr((s.image.shape, s.text, s.recipe)).encode())
    return h.hexdigest()


def test_another_process_makes_the_same_bytes() -> None:
    # this process has drawn other samples before: no state may carry over
    for i in range(30):
        sample(DEFAULT, 7, i)
    out = subprocess.run([sys.executable, "-c", DIGEST.format(first=100, last=400)],
                         capture_output=True, text=True, check=True).stdout.strip()
    assert out == _digest_here(100, 400)


def test_seed_and_number_make_different_samples() -> None:
    images = {sample(DEFAULT, seed, i).image.tobytes() for seed in (0, 1, 2) for i in range(60)}
    assert len(images) > 175  # a few blank windows may be alike


STRONG = replace(DEFAULT, **dict.fromkeys(transforms.NAMES, 0.5))


def _drawn(made) -> tuple:
    """The steps that were drawn; what mends an illegible window depends on all of them."""
    return tuple(step for step in made.recipe.steps if step.name != "legible")


@pytest.mark.parametrize("name", transforms.NAMES)
def test_switching_a_transform_off_leaves_the_others_draws_alone(name: str) -> None:
    changed = 0
    for i in range(30):
        with_it, without = sample(STRONG, 3, i), sample(replace(STRONG, **{name: 0.0}), 3, i)
        assert with_it.text == without.text
        kept = tuple(step for step in _drawn(with_it) if step.name != name)
        assert kept == _drawn(without)
        changed += kept != _drawn(with_it)
    assert changed


@pytest.mark.parametrize("settings", [DEFAULT, STRONG])
def test_a_film_strip_ends_with_the_sample(settings: SampleSettings) -> None:
    for i in range(60):
        made, stills = sample(settings, 12, i), strip(settings, 12, i)
        assert (stills[-1].image == made.image).all()
        shown = [(still.name, still.numbers) for still in stills]
        expected = [tuple(step) for step in made.recipe.steps if step.name not in ("severity", "tape", "display")]
        assert [s for s in shown if s[0] != "layout"] == [s for s in expected if s[0] != "layout"]
        assert shown[0][0] == "layout"
        assert all(still.image.shape == made.image.shape and still.image.dtype == np.uint8
                   for still in stills)


def test_a_film_strip_without_a_transform_is_that_of_settings_without_it() -> None:
    for i in range(40):
        for name in ("weight", "rotation", "thermal", "gradient", "blur", "inversion"):
            stills = strip(STRONG, 4, i, frozenset({name}))
            assert name not in {still.name for still in stills}
            assert (stills[-1].image == sample(replace(STRONG, **{name: 0.0}), 4, i).image).all()


def test_an_unknown_transform_cannot_be_switched_off() -> None:
    with pytest.raises(Usage, match="blurr"):
        strip(DEFAULT, 1, 1, frozenset({"blurr"}))


def test_each_number_of_a_recipe_has_a_label() -> None:
    for i in range(200):
        for step in sample(STRONG, 6, i).recipe.steps:
            if step.name in transforms.LABELS:
                assert len(step.numbers) == len(transforms.LABELS[step.name]), step.name


@pytest.mark.parametrize("place", [name for name, _ in transforms.PLACES])
def test_every_transform_changes_windows(place: str) -> None:
    settings = replace(PLAIN, screen=0.0, severity=0.1)  # severity near 1
    before = [sample(settings, 5, i).image for i in range(12)]
    for t in dict(transforms.PLACES)[place]:
        after = [sample(replace(settings, **{t.name: 1.0}), 5, i).image for i in range(12)]
        assert sum((a != b).any() for a, b in zip(after, before)) >= 3, t.name


def test_easy_samples_remain() -> None:
    n = 600
    steps = [sample(DEFAULT, 30, i).recipe.steps for i in range(n)]
    drawn = [sum(step.name in transforms.LABELS for step in s) for s in steps]
    assert sum(k <= 1 for k in drawn) > 0.15 * n
    assert sum(k >= 5 for k in drawn) > 0.03 * n


@pytest.mark.parametrize(("name", "least", "most"), [("tape", 0.35, 0.6), ("display", 0.1, 0.25)])
def test_samples_that_are_no_part_of_a_whole_are_the_same_without_any(
        name: str, least: float, most: float) -> None:
    """Receipts are made as a whole (tape), and screenshots (display)."""
    n, without = 150, replace(DEFAULT, **{name: 0.0})
    parts = 0
    for i in range(n):
        made, other = sample(DEFAULT, 3, i), sample(without, 3, i)
        assert all(step.name != name for step in other.recipe.steps)
        if any(step.name == name for step in made.recipe.steps):
            parts += 1
        else:
            assert (made.text, made.recipe) == (other.text, other.recipe)
            assert np.array_equal(made.image, other.image)
    assert least * n < parts < most * n


def test_a_window_still_shows_its_text_when_all_befalls_it_at_once() -> None:
    settings = replace(STRONG, severity=0.1, negative=0.0, tape=0.0, display=0.0, curve=0.0, elastic=0.0)
    kept = dict.fromkeys(("weight", "neighbours", "beside", "lines", *(
        t.name for t in transforms.SHAPE)), 0.0)
    settings = replace(settings, **kept)
    bare = replace(PLAIN, **{n: getattr(settings, n) for n in ("tight", "tracking", "squeeze",
                                                                  "screen")})
    for i in range(80):
        image, clean = sample(settings, 14, i).image, sample(bare, 14, i).image
        assert abs(np.corrcoef(image.ravel(), clean.ravel())[0, 1]) > 0.5, i


def test_widths_are_like_those_of_real_words() -> None:
    single = replace(DEFAULT, filled=0.0)
    widths = [s.image.shape[1] for s in (sample(single, 33, i) for i in range(1500)) if s.text]
    # words of receipts and screenshots have a median of 63 and 86 px; longer ones are taught, too
    assert 60 <= np.median(widths) <= 105
    assert np.percentile(widths, 99) > 256 and max(widths) <= 320


def test_no_window_shows_a_lone_speck() -> None:
    texts = {sample(DEFAULT, 17, i).text for i in range(3000)}
    assert not texts & set(".,'`_~^\"‘’“”°")


def test_windows_fit_the_net() -> None:
    for i in range(1500):
        s = sample(DEFAULT, 8, i)
        height, width = s.image.shape
        assert s.image.dtype == np.uint8 and height == 32
        assert width % 4 == 0 and 8 <= width <= DEFAULT.width_max
        doubled = sum(a == b for a, b in itertools.pairwise(s.text))
        assert width // 4 >= min(len(s.text) + doubled, DEFAULT.width_max // 4)


def test_all_printable_ascii_occurs_and_no_text_has_spaces_around() -> None:
    texts = [sample(DEFAULT, 21, i).text for i in range(6000)]
    assert set(ASCII) <= set("".join(texts)) <= set(CHARACTERS)
    assert all(text == text.strip() for text in texts)


def test_one_window_in_sixteen_says_nothing() -> None:
    n = 3000
    empty = sum(not sample(DEFAULT, 2, i).text for i in range(n))
    assert abs(empty / n - DEFAULT.negative) < 5 * (0.06 * 0.94 / n) ** 0.5


def test_a_plain_word_is_dark_ink_that_fills_the_window() -> None:
    for i in range(300):
        s = sample(replace(PLAIN, tight=1.0, squeeze=0.0, paper=0.0), 4, i)
        image = s.image.astype(np.int16)
        ink = image.max() - image > (image.max() - image.min()) / 3
        rows = np.flatnonzero(ink.any(1))
        if set(s.text) & set("bdfhklABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"):
            # box and its margin of a tenth, which scatters from about 0 to 0.32 on each side
            assert rows[-1] - rows[0] >= 32 / 1.7 - 2, (i, s.text)
        assert np.median(np.concatenate([image[:, 0], image[:, -1]])) > image.min(), (i, s.text)


def test_a_box_that_holds_paper_has_the_same_word_smaller() -> None:
    """Truth boxes of receipts hold about a tenth of their height of paper on each side."""
    for i in range(100):
        tight = sample(replace(PLAIN, paper=0.0), 4, i)
        wide = sample(replace(PLAIN, paper=1.0), 4, i)
        before, after = (dict(s.recipe.steps)["layout"] for s in (tight, wide))
        held = np.array(after[:4]) - before[:4]
        assert wide.text.startswith(tight.text)  # smaller, so more of it fits
        assert np.allclose(held, held[0])  # the same paper on all four sides
        assert 0.03 <= held[0] <= 0.17


def test_a_filled_window_goes_on_where_the_single_text_ends() -> None:
    settings = replace(PLAIN, width_max=512)
    on = 0
    for i in range(200):
        single = sample(replace(settings, filled=0.0), 4, i).text
        filled = sample(replace(settings, filled=1.0), 4, i).text
        # a font that lacks a character of the longer text may have been exchanged for another
        on += filled.startswith(single + " ") or (len(single) >= 15 and filled == single)
    assert on > 180


def test_more_text_is_cut_not_shrunk() -> None:
    settings = replace(PLAIN, width_max=96, receipt=1.0, several=1.0, word=0.0, numeric=0.0)
    for i in range(200):
        s = sample(settings, 6, i)
        assert s.image.shape[1] <= 96
        assert len(s.text) <= 24


def test_no_printable_character_is_rarer_than_a_tenth_of_the_median() -> None:
    counts = character_histogram(DEFAULT, 11, 20000)
    assert counts.shape == (len(CHARACTERS),)
    inked = counts[1:len(ASCII)]
    assert inked.min() >= np.median(inked) / 10
    assert counts.min() > 0
    said = Counter("".join(sample(DEFAULT, 11, i).text for i in range(300)))
    few = character_histogram(DEFAULT, 11, 300)
    assert {c: n for c, n in zip(CHARACTERS, few.tolist()) if n} == said


def test_settings_outside_their_limits_are_refused() -> None:
    with pytest.raises(Usage, match="blur"):
        SampleSettings(blur=1.5)


def test_other_settings_have_another_digest() -> None:
    assert replace(DEFAULT, blur=0.1).digest != DEFAULT.digest == SampleSettings().digest


def test_batches_are_the_same_from_one_process_and_from_two() -> None:
    here = itertools.islice(loader.batches(DEFAULT, 5, 64, 8), 40)
    there = itertools.islice(loader.batches(DEFAULT, 5, 64, 8, n_workers=2), 40)
    for a, b in zip(here, there, strict=True):
        assert a.text == b.text and a.first == b.first
        assert (a.window == b.window).all() and (a.width == b.width).all()


def test_a_block_holds_each_of_its_samples_once() -> None:
    block = loader.block(DEFAULT, 5, 1000, 4)
    expected = [sample(DEFAULT, 5, i) for i in range(1000, 1000 + 4 * loader.BLOCK)]
    assert sorted(t for b in block for t in b.text) == sorted(s.text for s in expected)
    images = {s.image.tobytes() for s in expected}
    for b in block:
        assert b.window.shape[2] % loader.BUCKET == 0
        for window, width in zip(b.window, b.width):
            assert window[:, :width].tobytes() in images


def test_a_cache_of_blocks_gives_the_same_batches_again(tmp_path) -> None:
    n = loader.BLOCK + 3
    made, kept, found = ([*itertools.islice(loader.batches(DEFAULT, 5, 64, 4, cache=cache), n)]
                         for cache in (None, tmp_path, tmp_path))
    assert isinstance(found[0].window, np.memmap) or isinstance(found[0].window.base, np.memmap)
    for a, b, c in zip(made, kept, found, strict=True):
        assert a.text == b.text == c.text and a.first == b.first == c.first
        assert a.font == c.font
        assert (a.window == b.window).all() and (a.window == c.window).all()
        assert (a.width == c.width).all()


def test_a_torn_cache_file_is_made_anew(tmp_path) -> None:
    first = next(loader.batches(DEFAULT, 5, 0, 4, cache=tmp_path))
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:200])
    assert (next(loader.batches(DEFAULT, 5, 0, 4, cache=tmp_path)).window == first.window).all()


def test_a_scanners_contrast_leaves_faint_print_darker_than_its_paper():
    from core.synth.pictured import tone_curve
    faint = np.full((32, 40), 235, np.uint8)
    faint[10:20, 10:30] = 190
    shown = tone_curve(faint, (0.1, 0.1, 1.0))
    assert int(shown[0, 0]) - int(shown[15, 15]) > 45  # more contrast than the 45 there was
