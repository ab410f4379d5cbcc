"""Verdicts: the last line stands, an undo is a line, two writers lose nothing, training obeys."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import Missing, Unreadable, Usage
from core.fonts import catalogue
from core.fonts.catalogue import CLASSES, Catalogue, Verdict, shipped, to_line
from core.fonts.findings import Finding, FontReport
from core.recognizer.alphabet import ASCII

ROOT = Path(__file__).parents[1]
A, B = "a" * 64, "b" * 64


@pytest.fixture
def own(tmp_path) -> Path:
    return tmp_path / "config" / "verdicts.jsonl"


@pytest.fixture
def empty(own) -> Catalogue:
    return Catalogue(own)


def test_without_verdicts_every_character_is_allowed(empty) -> None:
    assert empty.allowed(A) == frozenset(ASCII)
    assert empty.weight("Lato") == 1.0 and empty.judged(A) == ""


def test_a_rejected_character_is_not_allowed_in_that_font_only(empty) -> None:
    empty.verdict(A, "character", "R", "reject", "wrong symbol", "ann")
    assert empty.allowed(A) == frozenset(ASCII) - {"R"}
    assert empty.allowed(B) == frozenset(ASCII)


@pytest.mark.parametrize("name", CLASSES)
def test_a_rejected_class_takes_its_characters(empty, name) -> None:
    empty.verdict(A, "class", name, "reject", "case", "ann")
    assert frozenset(ASCII) - empty.allowed(A) == CLASSES[name]


def test_a_character_goes_before_its_class_and_the_class_before_the_font(empty) -> None:
    empty.verdict(A, "character", "7", "accept", "", "ann")
    empty.verdict(A, "class", "digits", "reject", "broken", "ann")
    empty.verdict(A, "font", "", "accept", "", "ann")
    assert empty.allowed(A) == frozenset(ASCII) - CLASSES["digits"] | {"7"}


def test_of_a_rejected_font_nothing_is_allowed(empty) -> None:
    empty.verdict(A, "character", "7", "accept", "", "ann")
    empty.verdict(A, "font", "", "reject", "other", "ann")
    assert empty.allowed(A) == frozenset() and empty.judged(A) == "reject"


def test_the_last_line_wins(empty) -> None:
    for decision in ("reject", "accept", "reject", "accept"):
        empty.verdict(A, "font", "", decision, "other", "ann")
    assert empty.judged(A) == "accept"
    assert len(empty.lines) == 4


def test_the_users_lines_come_after_the_shipped_ones(own, tmp_path) -> None:
    lines = tmp_path / "shipped.jsonl"
    lines.write_text(to_line(Verdict(A, "font", "", "reject", "broken", "rules 1"))
                     + to_line(Verdict(B, "font", "", "reject", "broken", "rules 1")))
    Catalogue.load(own, lines).verdict(A, "font", "", "accept", "", "ann")
    again = Catalogue.load(own, lines)
    assert (again.judged(A), again.judged(B)) == ("accept", "reject")
    assert lines.read_text().count("\n") == 2


def test_undo_brings_back_what_stood_before_step_by_step(empty) -> None:
    empty.verdict(A, "font", "", "accept", "", "ann")
    empty.verdict(A, "character", "x", "reject", "broken", "ann")
    empty.verdict(A, "font", "", "reject", "other", "ann")
    assert empty.undo().decision == "reject" and empty.judged(A) == "accept"
    assert empty.undo().target == "x" and empty.allowed(A) == frozenset(ASCII)
    assert empty.undo().scope == "font" and empty.judged(A) == ""
    assert empty.undo() is None
    assert len(empty.lines) == 6  # three verdicts and three lines that take them back


def test_what_is_undone_can_be_given_again(empty) -> None:
    empty.verdict(A, "font", "", "reject", "other", "ann")
    empty.undo()
    empty.verdict(A, "font", "", "reject", "other", "ann")
    assert empty.judged(A) == "reject"
    assert Catalogue(empty.own).judged(A) == "reject"


def test_undo_of_one_person_leaves_the_others(empty) -> None:
    empty.verdict(A, "font", "", "reject", "other", "ann")
    empty.verdict(B, "font", "", "reject", "other", "bob")
    assert empty.undo(who="ann").sha256 == A
    assert (empty.judged(A), empty.judged(B)) == ("", "reject")


def test_a_shipped_verdict_can_be_taken_back_by_its_id(own) -> None:
    line = Verdict(A, "font", "", "reject", "broken", "rules 1")
    both = Catalogue(own, [line])
    both.undo("ann", line.id)
    assert Catalogue(own, [line]).judged(A) == ""


def test_family_weights_are_kept_and_undone(empty) -> None:
    empty.verdict("", "family", "Lato", "weight", "", "ann", weight=2.5)
    assert Catalogue(empty.own).weight("Lato") == 2.5
    empty.undo()
    assert empty.weight("Lato") == 1.0


def test_another_writers_lines_are_taken_in(empty) -> None:
    other = Catalogue(empty.own)
    other.verdict(A, "font", "", "reject", "other", "bob")
    assert empty.judged(A) == "" and empty.refresh() and empty.judged(A) == "reject"
    assert not empty.refresh()


def test_two_writers_lose_no_line_and_tear_none(own) -> None:
    code = ("import sys; from pathlib import Path; from core.fonts.catalogue import Catalogue\n"
            "c = Catalogue(Path(sys.argv[1]))\n"
            "for k in range(150):\n"
            "    c.verdict('%064x' % k, 'font', '', 'reject', 'x' * 300, sys.argv[2])\n")
    writers = [subprocess.Popen([sys.executable, "-c", code, str(own), who], cwd=ROOT)
               for who in ("ann", "bob")]
    assert [w.wait() for w in writers] == [0, 0]
    lines = [json.loads(line) for line in own.read_text().splitlines()]
    for who in ("ann", "bob"):
        assert [int(x["sha256"], 16) for x in lines if x["who"] == who] == list(range(150))
    assert len(Catalogue(own).lines) == 300


def test_a_line_being_written_is_read_when_it_is_whole(own) -> None:
    first, second = (to_line(Verdict(s, "font", "", "reject")) for s in (A, B))
    own.parent.mkdir()
    own.write_text(first + second[:40])
    reader = Catalogue(own)
    assert (reader.judged(A), reader.judged(B)) == ("reject", "")
    with own.open("a") as file:
        file.write(second[40:])
    assert reader.refresh() and reader.judged(B) == "reject"


@pytest.mark.parametrize("line", ["not JSON", '{"sha256": "x"}', '["a"]',
                                  '{"sha256": "x", "scope": "page", "target": "", "decision": "reject"}'])
def test_a_bad_line_is_named(own, line) -> None:
    own.parent.mkdir()
    own.write_text(to_line(Verdict(A, "font", "", "reject")) + line + "\n")
    with pytest.raises(Unreadable, match="line 2"):
        Catalogue(own)


@pytest.mark.parametrize(("scope", "target", "decision"), [
    ("character", "ab", "reject"), ("character", "é", "reject"), ("class", "vowels", "reject"),
    ("page", "", "reject"), ("font", "", "maybe"), ("font", "", "weight"),
    ("family", "Lato", "reject")])
def test_a_senseless_verdict_is_refused_and_not_written(empty, scope, target, decision) -> None:
    with pytest.raises(Usage):
        empty.verdict(A, scope, target, decision, "", "ann")
    assert not empty.own.exists()


def _report(*findings: tuple[str, str, str]) -> FontReport:
    return FontReport("x.ttf", A, findings=tuple(Finding(check, c, severity, 0, 1, "")
                                                 for check, c, severity in findings))


def test_rules_judge_what_is_certain_and_leave_what_a_person_judged(empty) -> None:
    report = _report(("missing", "Q", "reject"), ("empty", "@", "reject"), ("baseline", "H", "doubt"))
    empty.verdict(A, "character", "Q", "accept", "", "ann")
    given = empty.judge_by_rules([report])
    assert [(v.target, v.reason, v.by_rules) for v in given] == [("@", "empty", True)]
    empty.append(given)
    assert empty.judge_by_rules([report]) == []


def test_rules_reject_a_whole_font_with_one_verdict(empty) -> None:
    report = _report(("symbol-cmap", "", "reject"), ("missing", "Q", "reject"))
    (given,) = empty.judge_by_rules([report])
    assert (given.scope, given.decision) == ("font", "reject")


def test_the_shipped_verdicts_are_on_shipped_fonts_and_leave_them_something() -> None:
    shas = {catalogue.sha256_of(f.path): f for f in shipped()}
    standing = Catalogue.load(own=Path("no such file"))
    assert standing.lines, "the shipped set is judged"
    for line in standing.lines:
        assert line.scope == "family" or line.sha256 in shas, line
        assert line.who and line.when and line.reason
    allowed = [standing.allowed(sha) for sha in shas]
    assert sum(bool(a) for a in allowed) > 80
    covered = frozenset().union(*allowed)
    assert covered == frozenset(ASCII)


def test_a_lacking_font_list_is_said(tmp_path) -> None:
    with pytest.raises(Missing, match="families.tsv"):
        shipped(tmp_path)
