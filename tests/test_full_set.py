"""Drawing with a folder of fonts beside the shipped ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

import main
from core.errors import Missing
from core.fonts.catalogue import Catalogue, sha256_of, shipped, standing
from core.fonts.install import FOLDER_VARIABLE
from core.synth import fonts, full_set
from core.synth.sample import SampleSettings, sample

SETTINGS = SampleSettings(negative=0.0, tape=0.0, display=0.0)
FONTS = shipped()[0].path.parent


def _changed(source: str, path: Path, lacking: str = "") -> None:
    """A shipped font under another name, some characters taken out of it."""
    with TTFont(FONTS / source) as font:
        for table in font["cmap"].tables:
            for c in lacking:
                table.cmap.pop(ord(c), None)
        font["head"].fontRevision += 1.0
        font.save(path)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder of fonts: good ones, one without q, one without digits, a copy of a shipped one,
    a broken file; and a user whose cache is empty and who has given no verdict."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    few = tuple(f for f in shipped() if f.path.name.startswith("LiberationSans-"))
    monkeypatch.setattr(full_set, "shipped", lambda: few)
    monkeypatch.setattr(full_set, "standing", lambda: Catalogue(tmp_path / "verdicts.jsonl"))
    (tmp_path / "fonts" / "one").mkdir(parents=True)
    (tmp_path / "fonts" / "two").mkdir()
    _changed("Caladea-Bold.ttf", tmp_path / "fonts" / "one" / "Good.ttf")
    _changed("Caladea-Bold.ttf", tmp_path / "fonts" / "two" / "good.otf")  # the same name again
    _changed("Caladea-Regular.ttf", tmp_path / "fonts" / "one" / "NoQ.ttf", "q")
    _changed("Caladea-Regular.ttf", tmp_path / "fonts" / "two" / "NoDigits.ttf", "0123456789")
    shutil.copy(few[0].path, tmp_path / "fonts" / "two" / "Copy.ttf")
    (tmp_path / "fonts" / "two" / "Page.ttf").write_text("<html>")
    full_set.atlas_of.cache_clear()
    yield tmp_path / "fonts"
    full_set.atlas_of.cache_clear()


def test_the_folders_fonts_are_drawn_beside_the_shipped_ones_and_flagged_glyphs_are_not(
        folder) -> None:
    atlas = full_set.atlas_of(folder)
    names = {font.path.name for font in atlas.fonts}
    assert {"Good.ttf", "NoQ.ttf", "LiberationSans-Regular.ttf"} <= names
    assert not names & {"good.otf", "NoDigits.ttf", "Copy.ttf", "Page.ttf"}
    drawn, said = [], set()
    for i in range(1200):
        made = sample(SETTINGS, 5, i, atlas)
        drawn.append(made.recipe.font)
        said |= set(made.text) if made.recipe.font == "NoQ.ttf" else set()
    tail = sum(name in ("Good.ttf", "NoQ.ttf") for name in drawn) / len(drawn)
    # some texts need a font with every character: 0.08 is five standard deviations
    assert abs(tail - full_set.TAIL) < 0.08
    assert "q" not in said and len(said) > 40


def test_a_verdict_on_a_font_of_the_folder_is_obeyed(folder, tmp_path) -> None:
    catalogue = Catalogue(tmp_path / "verdicts.jsonl")
    catalogue.verdict(sha256_of(folder / "one" / "Good.ttf"), "font", "", "reject", "broken", "A")
    atlas = full_set.atlas_of(folder)
    assert "Good.ttf" not in {font.path.name for font in atlas.fonts if font.weight}


def test_the_environment_names_the_folder_for_every_process(folder, monkeypatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    fonts.default_atlas.cache_clear()
    try:
        assert fonts.default_atlas().digest == full_set.atlas_of(folder).digest
    finally:
        fonts.default_atlas.cache_clear()


def test_a_folder_without_fonts_is_said(tmp_path, capsys) -> None:
    with pytest.raises(Missing, match="no font in"):
        full_set.atlas_of(tmp_path)
    assert main.main(["synth", "--fonts", str(tmp_path / "none"), "--out", str(tmp_path)]) == 4
    assert "none" in capsys.readouterr().err


def test_more_fonts_leave_the_shipped_ones_as_they_are_among_each_other(folder) -> None:
    few = [f for f in shipped() if f.path.name.startswith("LiberationSans-")]
    reports = full_set.checked(folder)
    more = full_set.weighed(full_set.chosen(reports, standing(), few), few)
    shipped_weight, tail = sum(f.weight for f in few), sum(f.weight for f in more)
    assert tail / (tail + shipped_weight) == pytest.approx(full_set.TAIL)


def test_a_font_in_doubt_waits_for_a_persons_verdict(folder, tmp_path) -> None:
    swapped = folder / "one" / "Swapped.ttf"
    with TTFont(FONTS / "Caladea-Bold.ttf") as font:  # A to Z show other letters
        upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for table in font["cmap"].tables:
            glyphs = [table.cmap[ord(c)] for c in upper]
            table.cmap.update(zip(map(ord, upper), [*glyphs[7:], *glyphs[:7]]))
        font.save(swapped)
    reports = full_set.checked(folder)
    catalogue = Catalogue(tmp_path / "verdicts.jsonl")
    assert "Swapped.ttf" not in {r.path.name for r in full_set.chosen(reports, catalogue, ())}
    catalogue.verdict(sha256_of(swapped), "font", "", "accept", "", "A")
    assert "Swapped.ttf" in {r.path.name for r in full_set.chosen(reports, catalogue, ())}
