"""What our own recogniser reads in a font: right in a plain face, wrong where glyphs are exchanged."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from core.fonts.findings import CHECKS, Finding, FontReport
from core.fonts.inspect import inspect
from core.fonts.reading_check import MODELS, PANGRAM, load_net, read_font, read_fonts

FONTS = Path(__file__).parents[1] / "resources" / "fonts"
PLAIN = FONTS / "LiberationSans-Regular.ttf"


@pytest.fixture(scope="module")
def net():
    if not any(MODELS.glob("words*.pt")):
        pytest.skip("no weights of the recogniser in resources/models")
    import torch
    torch.set_num_threads(1)
    return load_net()


def _exchanged(path: Path, pairs: str) -> Path:
    """Liberation Sans with glyphs exchanged: "K7Rg" exchanges K with 7 and R with g."""
    font = TTFont(PLAIN)
    glyf, cmap = font["glyf"], font.getBestCmap()
    for a, b in zip(pairs[::2], pairs[1::2], strict=True):
        a, b = cmap[ord(a)], cmap[ord(b)]
        one, other = copy.deepcopy(glyf[a]), copy.deepcopy(glyf[b])
        glyf[a], glyf[b] = other, one
        font["hmtx"][a], font["hmtx"][b] = font["hmtx"][b], font["hmtx"][a]
    font.save(path)
    return path


def _told(report: FontReport, check: str) -> set[str]:
    return {f.character for f in report.findings if f.check == check}


def test_a_plain_face_is_read_and_not_doubted(net, tmp_path) -> None:
    (report,) = read_fonts([inspect(PLAIN)], net, store=tmp_path)
    assert report.read and not report.needs_look
    assert len(_told(report, "reading")) <= 3  # of 94 glyphs alone
    readings = read_font(PLAIN, net, characters="ABR7?")
    assert readings.glyphs == ("A", "B", "R", "7", "?") and readings.error < 0.2
    assert len(readings.pangram.split(" ")) == len(PANGRAM.split(" "))


def test_exchanged_glyphs_are_read_as_what_they_show(net, tmp_path) -> None:
    path = _exchanged(tmp_path / "odd.ttf", "K7RG")
    readings = read_font(path, net, characters="K7RGB")
    assert readings.glyphs == ("7", "K", "G", "R", "B")
    (report,) = read_fonts([inspect(path)], net, store=tmp_path)
    assert set("K7RG") <= _told(report, "reading")
    assert all(f.severity == "information" for f in report.findings if f.check == "reading")


def test_a_font_of_exchanged_letters_is_doubted_by_the_sentence(net, tmp_path) -> None:
    path = _exchanged(tmp_path / "code.ttf", "aqetiboxnursldckmgvyphjz125036")
    (report,) = read_fonts([inspect(path)], net, store=tmp_path)
    (finding,) = [f for f in report.findings if f.check == "pangram"]
    assert finding.severity == "doubt" and PANGRAM in finding.message
    unlike = Finding("unlike-others", "", "information", 0.8, 0.5, "readable once filled")
    told = replace(report, findings=(unlike,))
    (after,) = read_fonts([told], net, store=tmp_path)  # that check has decided on the font
    assert not after.needs_look and _told(after, "pangram") == {""}


def test_what_was_read_is_kept_by_font_and_net(net, tmp_path) -> None:
    reports = [inspect(PLAIN), inspect(FONTS / "OSP-DIN.ttf")]
    first = list(read_fonts(reports, net, store=tmp_path))
    (kept,) = tmp_path.glob("readings-*.jsonl")
    lines = kept.read_bytes()
    assert lines.count(b"\n") == 2
    assert list(read_fonts(reports, net, store=tmp_path)) == first
    assert kept.read_bytes() == lines  # nothing was read again
    other = copy.copy(net)
    other.digest = "another net"
    list(read_fonts(reports[:1], other, store=tmp_path))
    assert kept.read_bytes().count(b"\n") == 3


def test_a_torn_line_is_read_anew(net, tmp_path) -> None:
    first = list(read_fonts([inspect(PLAIN)], net, store=tmp_path))
    (kept,) = tmp_path.glob("readings-*.jsonl")
    kept.write_bytes(kept.read_bytes()[:200] + b"\n")
    assert list(read_fonts([inspect(PLAIN)], net, store=tmp_path)) == first


def test_a_font_rejected_whole_is_not_read_and_keeps_its_report(net, tmp_path) -> None:
    page = tmp_path / "page.ttf"
    page.write_text("<html>")
    report = inspect(page)
    assert list(read_fonts([report], net, store=tmp_path)) == [report]


def test_older_readings_are_replaced(net, tmp_path) -> None:
    old = Finding("pangram", "", "doubt", 1.0, 0.5, "from another net")
    before = inspect(PLAIN)
    report = replace(before, findings=(*before.findings, old))
    (after,) = read_fonts([report], net, store=tmp_path)
    assert old not in after.findings and {f.check for f in after.findings} <= set(CHECKS)
