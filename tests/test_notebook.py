"""The lab notebook: numbered entries that say the same in Markdown and JSON."""

import argparse
from xml.etree import ElementTree

import pytest

from core import notebook, notebook_command
from core.errors import Missing, Unreadable, Usage
from core.notebook_graph import graph, ticks
from core.notebook_results import WordResult, fixed_and_broken, read_results, write_results


def entry(title="A run", **others):
    fields = {"goal": "To see.", "command": "python main.py train words", "settings": {"rate": 0.002},
                  "seed": 1, "sources": "drawn words", "samples": 1000, "seconds": 60.0, "learnt": "More.",
                  "table": {"letters": {"exact": 0.944, "n": 12, "cer": None}},
                  "curve": [{"samples": 500, "exact": 0.5}]}
    return notebook.Entry(title=title, **{**fields, **others})


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


def result(x, read, right, text='say "a\\b"'):
    return WordResult("d/a.png", x, 2.5, x + 9, 12, "letters", text, text, read, 0.5, right)


def told(capsys, folder, *argv):
    """What `main.py notebook ARGV` prints."""
    parser = argparse.ArgumentParser()
    notebook_command.add_arguments(parser)
    assert notebook_command.run(parser.parse_args([*argv, "--folder", str(folder)])) == 0
    return capsys.readouterr().out


def test_words_behind_an_entry_come_back_as_they_were(tmp_path):
    words = [result(0, 'a "quote', False), result(20.5, "", False), result(40, "t\tab", True)]
    write_results(words, tmp_path / "w.tsv.gz")
    assert read_results(tmp_path / "w.tsv.gz") == words
    first = (tmp_path / "w.tsv.gz").read_bytes()
    write_results(words, tmp_path / "w.tsv.gz")
    assert (tmp_path / "w.tsv.gz").read_bytes() == first
    (tmp_path / "w.tsv.gz").write_bytes(first[:30])
    with pytest.raises(Unreadable, match="w.tsv.gz"):
        read_results(tmp_path / "w.tsv.gz")


def test_fixed_and_broken_words_are_those_read_differently():
    before = [result(0, "x", False), result(20, "y", True), result(40, "z", True)]
    after = [result(0, "X", True), result(20, "q", False), result(60, "new", True)]
    fixed, broken, n = fixed_and_broken(before, after)
    assert n == 2
    assert [(a.read, b.read) for a, b in fixed] == [("x", "X")]
    assert [(a.read, b.read) for a, b in broken] == [("y", "q")]


def test_an_entry_links_to_its_graph_words_and_log(tmp_path):
    path = notebook.write(entry(curve=[{"samples": 500, "exact": 0.5}, {"samples": 1000,
                                                                        "exact": 0.9}]),
                          tmp_path, [result(0, "x", False)], "full log")
    page = path.read_text()
    for name in ("0001-a-run.svg", "0001-a-run.tsv.gz", "0001-a-run.log.gz", "0001-a-run.json"):
        assert (tmp_path / name).is_file() and f"({name})" in page, name
    drawing = ElementTree.parse(tmp_path / "0001-a-run.svg")
    assert len(drawing.findall(".//{*}circle")) == 2


def test_a_calibration_is_shown_with_its_graphs(tmp_path):
    kept = {"error": 0.0123, "bins": [{"confidence": 0.95, "right": 0.93, "n": 40}],
            "trades": [{"above": 0.9, "precision": 0.97, "recall": 0.8}]}
    page = notebook.write(entry(reliability=kept), tmp_path).read_text()
    assert "0.0123" in page and "0001-a-run.reliability.svg" in page and "| 0.9 | 97.0 % |" in page
    assert notebook.entries(tmp_path)[0].reliability == kept


def test_the_command_lists_shows_compares_and_follows(tmp_path, capsys):
    notebook.write(entry("First"), tmp_path, [result(0, "wrnog", False), result(20, "fine", True)])
    later = entry("Second")
    later.table["letters"]["exact"] = 0.95
    notebook.write(later, tmp_path, [result(0, "right", True), result(20, "fime", False)])
    listed = told(capsys, tmp_path, "list").splitlines()
    assert "Second" in listed[0] and "First" in listed[1]
    assert "'wrnog'" in told(capsys, tmp_path, "show", "1", "--wrong")
    compared = told(capsys, tmp_path, "compare", "1", "2")
    assert "94.4 %" in compared and "95.0 %" in compared
    assert "1 fixed, 1 broken" in compared
    assert "'wrnog' -> 'right'" in compared and "'fine' -> 'fime'" in compared
    followed = told(capsys, tmp_path, "trend", "--metric", "exact", "--svg", str(tmp_path / "t.svg"))
    assert "1: 94.4 %  2: 95.0 %" in followed
    ElementTree.parse(tmp_path / "t.svg")
    with pytest.raises(Usage, match="2 entry numbers"):
        told(capsys, tmp_path, "compare", "1")
    with pytest.raises(Missing, match="category"):
        told(capsys, tmp_path, "trend", "--category", "nowhere")


def test_ticks_are_round_and_reach_the_top():
    assert ticks(100) == [0, 20, 40, 60, 80, 100]
    assert ticks(0.9)[1] == pytest.approx(0.2)
    assert graph({}, "t", "x", "y") == ""
