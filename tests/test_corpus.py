"""What synthetic windows say."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from core.recognizer.alphabet import ASCII, CHARACTERS
from core.synth import corpus, templates
from core.synth.sample import SampleSettings
from core.synth.stream import Stream

DEFAULT = SampleSettings()
ODDS = tuple(getattr(DEFAULT, name) for name, _ in corpus.KINDS)
N = 20_000


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str]]:
    return [corpus.draw_text(Stream(11, i, "text"), ODDS) for i in range(N)]


def test_every_text_is_in_the_alphabet_without_spaces_around(texts) -> None:
    for _, text in texts:
        assert text and text == text.strip() and set(text) <= set(CHARACTERS)


def test_no_character_is_much_rarer_than_the_median(texts) -> None:
    counts = Counter("".join(text for _, text in texts))
    inked = sorted(counts[c] for c in ASCII if c != " ")
    assert inked[0] >= inked[len(inked) // 2] / 10


def test_kinds_come_as_often_as_their_odds_say(texts) -> None:
    counts = Counter(kind for kind, _ in texts)
    for (name, _), weight in zip(corpus.KINDS, ODDS):
        expected = weight / sum(ODDS)
        deviation = (expected * (1 - expected) / N) ** 0.5
        assert abs(counts[name] / N - expected) < 5 * deviation, name


def test_words_come_in_three_cases(texts) -> None:
    words = [t for kind, t in texts if kind == "word" and len(t) > 2 and t.isalpha()]
    for share in (sum(map(str.islower, words)), sum(map(str.isupper, words)),
                  sum(map(str.istitle, words))):
        assert share > 0.1 * len(words)


def test_dates_come_in_a_dozen_forms() -> None:
    forms = {re.sub(r"[A-Z][a-z]+", "Mon", re.sub(r"\d", "9", templates.date(Stream(3, i, "d"))))
             for i in range(800)}
    assert len(forms) >= 12


def test_several_words_have_missing_single_and_wide_spaces(texts) -> None:
    several = [text for kind, text in texts if kind == "several"]
    wide = sum("  " in text for text in several)
    assert 0.1 * len(several) < wide < 0.7 * len(several)
    joined = [text for kind, text in texts if kind == "joined"]
    assert sum(" " not in text for text in joined) > 0.7 * len(joined)


def test_a_mark_never_stands_alone(texts) -> None:
    assert not {text for _, text in texts} & corpus.NOT_ALONE


def test_real_kinds_of_text_occur(texts) -> None:
    said = [text for _, text in texts]
    for pattern in (r"\S+@\S+\.\w+", r"https?://\S+", r"[A-Z]:\\\S+", r"\(\d{3}\) \d{3}-\d{4}",
                    r"\d+(\.\d+)?%", r"GB\d{9}", r"\d\d:\d\d(:\d\d)?", r"\d+ ?(OZ|LB|QT|KG)",
                    r"\$\d+\.\d\d"):
        assert any(re.fullmatch(pattern, text) for text in said), pattern


def test_a_kind_that_is_switched_off_never_comes() -> None:
    odds = tuple(0.0 if name == "symbols" else w for (name, _), w in zip(corpus.KINDS, ODDS))
    kinds = {corpus.draw_text(Stream(5, i, "text"), odds)[0] for i in range(2000)}
    assert kinds == {name for name, _ in corpus.KINDS} - {"symbols"}


def test_streams_differ_by_seed_number_and_name() -> None:
    first = {Stream(*key).unit() for key in
             [(s, i, n) for s in range(5) for i in range(50) for n in ("a", "b")]}
    assert len(first) == 500


def test_a_stream_is_uniform() -> None:
    stream = Stream(1, 2, "even")
    counts = Counter(stream.below(16) for _ in range(16_000))
    # chi squared with 15 degrees of freedom: 44 has probability 1e-4
    assert sum((counts[k] - 1000) ** 2 / 1000 for k in range(16)) < 44
    assert abs(sum(stream.normal() for _ in range(10_000)) / 10_000) < 0.05
