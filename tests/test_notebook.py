"""The lab notebook: numbered entries that say the same in Markdown and JSON."""

import pytest

from core import notebook
from core.errors import Missing, Unreadable


def entry(title="A run", **others):
    return notebook.Entry(title=title, goal="To see.", command="python main.py train words",
                          settings={"rate": 0.002}, seed=1, sources="drawn words", samples=1000,
                          seconds=60.0, table={"letters": {"exact": 0.944, "n": 12, "cer": None}},
                          curve=[{"samples": 500, "exact": 0.5}], learnt="More.", **others)


def test_entries_are_numbered_and_come_back_newest_first(tmp_path):
    first = notebook.write(entry(), tmp_path)
    second = notebook.write(entry("Another: longer run!"), tmp_path)
    assert (first.name, second.name) == ("0001-a-run.md", "0002-another-longer-run.md")
    assert [e.number for e in notebook.entries(tmp_path)] == [2, 1]
    assert notebook.entry_of(1, tmp_path).table == entry().table
    with pytest.raises(Missing, match="7"):
        notebook.entry_of(7, tmp_path)


def test_the_page_shows_shares_in_percent_and_counts_as_they_are(tmp_path):
    text = notebook.write(entry(), tmp_path).read_text()
    assert "| letters | 94.4 % | 12 |  |" in text
    assert "| 500 | 50.0 % |" in text and "More." in text


def test_a_broken_entry_is_named(tmp_path):
    (tmp_path / "0003-bad.json").write_text("{}")
    with pytest.raises(Unreadable, match="0003-bad"):
        notebook.entries(tmp_path)
