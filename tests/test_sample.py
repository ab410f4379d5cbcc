"""Samples are a pure function of settings, seed and number, and readable by what they say."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from core.errors import Usage
from core.recognizer.alphabet import CHARACTERS
from core.synth import loader, transforms
from core.synth.sample import SampleSettings, sample

DEFAULT = SampleSettings()
PLAIN = replace(DEFAULT, negative=0.0, faint=0.0, screen=0.0,
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


@pytest.mark.parametrize("name", [t.name for _, place in transforms.PLACES for t in place])
def test_switching_a_transform_off_leaves_the_others_draws_alone(name: str) -> None:
    strong = replace(DEFAULT, **{t.name: 0.5 for _, place in transforms.PLACES for t in place})
    changed = 0
    for i in range(40):
        with_it, without = sample(strong, 3, i), sample(replace(strong, **{name: 0.0}), 3, i)
        assert with_it.text == without.text
        kept = tuple(step for step in with_it.recipe.steps if step.name != name)
        assert kept == without.recipe.steps
        changed += kept != with_it.recipe.steps
    assert changed


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
    assert set("".join(texts)) == set(CHARACTERS)
    assert all(text == text.strip() for text in texts)


def test_one_window_in_sixteen_says_nothing() -> None:
    n = 3000
    empty = sum(not sample(DEFAULT, 2, i).text for i in range(n))
    assert abs(empty / n - DEFAULT.negative) < 5 * (0.06 * 0.94 / n) ** 0.5


def test_a_plain_word_is_dark_ink_that_fills_the_window() -> None:
    for i in range(300):
        s = sample(replace(PLAIN, tight=1.0, squeeze=0.0), 4, i)
        image = s.image.astype(np.int16)
        ink = image.max() - image > (image.max() - image.min()) / 3
        rows = np.flatnonzero(ink.any(1))
        if set(s.text) & set("bdfhklABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"):
            # box and its margin of a tenth, which scatters from about 0 to 0.32 on each side
            assert rows[-1] - rows[0] >= 32 / 1.7 - 2, (i, s.text)
        assert np.median(np.concatenate([image[:, 0], image[:, -1]])) > image.min(), (i, s.text)


def test_more_text_is_cut_not_shrunk() -> None:
    settings = replace(PLAIN, width_max=96, several=1.0, word=0.0, numeric=0.0)
    for i in range(200):
        s = sample(settings, 6, i)
        assert s.image.shape[1] <= 96
        assert len(s.text) <= 24


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
