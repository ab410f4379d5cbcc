"""What a till prints: its tokens, and the rows of dots that its head loses."""

from __future__ import annotations

import re

import numpy as np

from core.synth import corpus, printed, till
from core.synth.stream import Stream

N = 5000


def _tokens() -> list[str]:
    return [till.token(Stream(5, i, "text"), corpus.load()) for i in range(N)]


def test_every_sixth_token_is_an_amount_and_most_amounts_end_in_a_round_number() -> None:
    amounts = [t for t in _tokens() if re.fullmatch(r"[^\d]{0,4}[\d,]*\.\d\d[^\d]{0,3}", t)]
    assert 0.12 * N < len(amounts) < 0.22 * N
    assert sum(bool(re.search(r"\.\d0", t)) for t in amounts) > 0.5 * len(amounts)


def test_a_lone_ring_is_a_zero_and_a_lone_colon_is_common() -> None:
    tokens = _tokens()
    assert "O" not in tokens and "o" not in tokens
    assert tokens.count("0") > 0.005 * N
    assert 0.005 * N < tokens.count(":") < 0.03 * N


def test_numbers_of_a_series_are_as_long_as_their_zeros_make_them() -> None:
    drawn = [till.number_padded(Stream(6, i, "text")) for i in range(400)]
    assert all(t.isdigit() and 3 <= len(t) <= 10 for t in drawn)
    assert sum(t.startswith("0") for t in drawn) > 200


def test_rows_lost_at_the_top_leave_the_stem_of_a_t() -> None:
    """pitch 1 px: two to four rows go; the rest of the letter is untouched."""
    ink = np.zeros((32, 40), np.uint8)
    ink[6:9, 8:32] = 255  # the bar
    ink[6:26, 18:22] = 255  # the stem
    whole = (1.0, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 0.4, 0.5)
    kept = printed.thermal(ink, (*whole, 0.0, 0.2)).astype(int)
    lost = printed.thermal(ink, (*whole, 1.0, 0.2)).astype(int)
    assert kept[6:9, 8:32].mean() > 180
    assert lost[6:9, 8:32].mean() < 40
    assert np.array_equal(kept[12:], lost[12:])
