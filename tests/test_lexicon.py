"""What the lexicon knows, and how tokens without a word in them are named."""

from __future__ import annotations

import gzip
import subprocess
import sys

import pytest

from core import lexicon
from core.errors import Missing, Unreadable


@pytest.mark.parametrize("word", [
    "word", "Word", "WORD", "colour", "color", "London", "LONDON", "london", "(London),", "world's",
    "dogs'", "don't", "DON'T", "well-known", "and/or", "total:", "\"quoted\"", "a", "I", "end."])
def test_words_are_known_in_any_case_and_dress(word: str) -> None:
    assert lexicon.load().known(word)


@pytest.mark.parametrize("word", ["wo rld", "rld", "tbe", "w0rd", "", "-", "12.50", "q",
                                  "well-knwon",
                                  "T0TAL", "xqzt's", "..."])
def test_nonsense_is_not_known(word: str) -> None:
    assert not lexicon.load().known(word)


@pytest.mark.parametrize(("text", "kind"), [
    ("12/03/2018", "date"), ("3-5-18", "date"), ("2018-03-04", "date"), ("25-MAR-2018", "date"),
    ("12:30", "time"), ("06:18:40", "time"), ("5PM", "time"), ("9.30 am", "time"),
    ("6%", "percent"), ("10.5%", "percent"), ("RM12.50", "price"), ("$1,234.00", "price"),
    ("12.50", "price"), ("(489.30)", "price"), ("637", "number"), ("1,234", "number"),
    ("0.345", "number"), ("2nd", "ordinal"), ("sales@example.com", "email"),
    ("www.example.org/a?b=1", "url"), ("https://example.org", "url"), ("example.com.my", "url"),
    ("+60 12 345678", "phone"), ("(03) 1234-5678", "phone"), ("24QT", "size"), ("1.5L", "size"),
    ("12 oz", "size"), ("2x", "quantity"), ("6.2.2", "version"), ("R000121653", "code"),
    ("ESS447-004439", "code"), ("G7", "code"), ("1A", "code"), ("-----", "rule")])
def test_patterns_are_named(text: str, kind: str) -> None:
    assert lexicon.load().pattern(text) == kind


@pytest.mark.parametrize("text", ["hello", "Total", "", " ", "(", "tbe", "12.5o", "a.b", "--x-",
                                  "T0TAL", "l2ab"])
def test_other_texts_have_no_pattern(text: str) -> None:
    assert lexicon.load().pattern(text) is None


def test_a_missing_list_is_named(tmp_path) -> None:
    with pytest.raises(Missing, match="nowhere.gz"):
        lexicon.Lexicon(tmp_path / "nowhere.gz")


def test_a_file_that_is_no_list_is_named(tmp_path) -> None:
    plain, empty = tmp_path / "plain.gz", tmp_path / "empty.gz"
    plain.write_bytes(b"not gzipped")
    empty.write_bytes(gzip.compress(b""))
    for path in (plain, empty):
        with pytest.raises(Unreadable, match=path.name):
            lexicon.Lexicon(path)


def test_another_list_has_another_digest(tmp_path) -> None:
    path = tmp_path / "few.gz"
    path.write_bytes(gzip.compress(b"# 10\nfox\n# 35\nvixen\n", mtime=0))
    few = lexicon.Lexicon(path)
    assert few.levels == {10: ("fox",), 35: ("vixen",)} and len(few) == 2
    assert few.digest != lexicon.load().digest


def test_the_lexicon_needs_neither_torch_nor_opencv() -> None:
    code = ("import sys; from core.lexicon import load; load().known('x'); "
            "sys.exit(any(m in sys.modules for m in ('torch', 'cv2', 'PySide6')))")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
