"""Glyph atlases: what may be drawn, and what words set from them look like."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from core.errors import Missing, Unreadable
from core.fonts.catalogue import CLASSES, Catalogue, FontFile, sha256_of, shipped
from core.recognizer.alphabet import ASCII, CHARACTERS
from core.synth import fonts
from core.synth.sample import SampleSettings, sample

LARGE = 5  # index into fonts.SIZES: 40 px an em


def _bar(x0: int, y0: int, x1: int, y1: int):
    pen = TTGlyphPen(None)
    pen.moveTo((x0, y0))
    for point in ((x0, y1), (x1, y1), (x1, y0)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


def _font(path: Path, missing: str = "", empty: str = "", boxed: str = "",
          plain: str = "") -> FontFile:
    """A font of bars, each character of another height, with the named defects.

    plain  letters drawn without their accent
    """
    builder = FontBuilder(1000, isTTF=True)
    glyphs, cmap, metrics = {".notdef": _bar(50, 0, 450, 700)}, {}, {".notdef": (500, 50)}
    for k, c in enumerate(CHARACTERS):
        if c in missing:
            continue
        name = f"u{ord(c):04x}"
        glyphs[name] = (TTGlyphPen(None).glyph() if c == " " or c in empty else
                        _bar(50, 0, 450, 700) if c in boxed else _bar(50, 0, 300, 200 + 4 * k))
        cmap[ord(c)] = name
        metrics[name] = (500, 50)
    for c in plain:
        glyphs[f"u{ord(c):04x}"] = glyphs[f"u{ord(unicodedata.normalize('NFD', c)[0]):04x}"]
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(metrics)
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return FontFile(path, path.stem, 1.0)


def test_a_letter_has_one_form_at_all_sizes() -> None:
    # a font's own bitmaps were once read as if they had a byte a pixel
    atlas = fonts.default_atlas()
    for f, font in enumerate(atlas.fonts):
        large = atlas.face(f, 7).glyph["O"][0]
        for size, em in enumerate(fonts.SIZES):
            glyph = atlas.face(f, size).glyph["O"][0]
            if em >= 16:
                forms = [cv2.resize(g, (12, 12), interpolation=cv2.INTER_AREA).ravel()
                         for g in (glyph, large)]
                assert np.corrcoef(*forms)[0, 1] > 0.35, (font.path.name, em)


def test_missing_empty_and_boxed_glyphs_are_not_usable(tmp_path) -> None:
    atlas = fonts.build((_font(tmp_path / "broken.ttf", missing="Q~", empty="x5", boxed="%&"),))
    refused = {c for k, c in enumerate(CHARACTERS) if not atlas.usable[0, k]}
    assert refused == set("Q~x5%&")


def test_letters_drawn_without_their_accent_are_not_usable(tmp_path) -> None:
    atlas = fonts.build((_font(tmp_path / "english.ttf", plain="éÜ"),))
    assert {c for k, c in enumerate(CHARACTERS) if not atlas.usable[0, k]} == set("éÜ")


def test_signs_beyond_ascii_follow_the_verdict_on_what_they_are_like() -> None:
    left = dict(zip(CHARACTERS, fonts.permitted(frozenset(ASCII) - set("e\"-")), strict=True))
    assert {c for c, good in left.items() if not good} == set("e\"-èéêë“”„–—")
    letters = frozenset(c for c in ASCII if c.isalnum() or c == " ")
    left = dict(zip(CHARACTERS, fonts.permitted(letters), strict=True))
    assert left["é"] and left["ß"] and not (left["€"] or left["»"] or left["…"])


def test_words_stay_apart_in_fonts_with_narrow_spaces() -> None:
    face = fonts.default_atlas().face(3, LARGE)
    set_ = fonts.set_text(face, "HI IH", -0.1 * face.em, 0.1, 1e9)
    pens = [x for _, x, _ in set_.places]
    close = fonts.set_text(face, "HIIH", -0.1 * face.em, 0.1, 1e9)
    assert pens[2] - close.places[2][1] >= 0.15 * face.em


def test_no_sample_shows_a_glyph_that_its_font_lacks(tmp_path) -> None:
    broken = "aeiou0123456789%&"
    atlas = fonts.build((_font(tmp_path / "broken.ttf", missing=broken[:6], empty=broken[6:12],
                               boxed=broken[12:]), replace(shipped()[50], weight=0.2)))
    seen = set()
    for i in range(600):
        s = sample(SampleSettings(negative=0.0), 9, i, atlas)
        if s.recipe.font == "broken.ttf":
            seen |= set(s.text)
    assert len(seen) > 30 and not seen & set(broken)


def test_a_rejected_character_class_or_font_is_never_drawn(tmp_path) -> None:
    files = tuple(replace(f, weight=1.0) for f in shipped()[40:44])
    catalogue = Catalogue(tmp_path / "verdicts.jsonl")
    sha = [sha256_of(f.path) for f in files]
    catalogue.verdict(sha[0], "font", "", "reject", "broken", "A")
    catalogue.verdict(sha[1], "character", "e", "reject", "wrong symbol", "A")
    catalogue.verdict(sha[2], "class", "digits", "reject", "square", "A")
    catalogue.verdict("", "family", files[3].family, "weight", "", "A", weight=0.0) \
        if files[3].family not in {f.family for f in files[:3]} else None
    atlas = fonts.obeying(fonts.cached(files), catalogue)
    said: dict[str, set[str]] = {}
    for i in range(900):
        made = sample(SampleSettings(negative=0.0), 9, i, atlas)
        said.setdefault(made.recipe.font, set()).update(made.text)
    assert files[0].path.name not in said
    assert "e" not in said[files[1].path.name] and "i" in said[files[1].path.name]
    assert not said[files[2].path.name] & CLASSES["digits"]
    if files[3].family not in {f.family for f in files[:3]}:
        assert files[3].path.name not in said


def test_a_font_whose_lower_case_is_rejected_writes_capitals(tmp_path) -> None:
    (file,) = shipped()[40:41]
    catalogue = Catalogue(tmp_path / "verdicts.jsonl")
    catalogue.verdict(sha256_of(file.path), "class", "lower", "reject", "case", "A")
    atlas = fonts.obeying(fonts.cached((file,)), catalogue)
    texts = "".join(sample(SampleSettings(), 2, i, atlas).text for i in range(200))
    assert "E" in texts and not set(texts) & CLASSES["lower"]


def test_without_any_font_left_it_is_said(tmp_path) -> None:
    (file,) = shipped()[40:41]
    catalogue = Catalogue(tmp_path / "verdicts.jsonl")
    catalogue.verdict(sha256_of(file.path), "font", "", "reject", "broken", "A")
    with pytest.raises(Missing, match="every font"):
        fonts.obeying(fonts.cached((file,)), catalogue)


def test_kerned_letters_stand_closer() -> None:
    # the table of the font itself, in font units
    file = next(f for f in shipped() if f.path.name == "LiberationSans-Regular.ttf")
    with TTFont(file.path) as font:
        pairs, units = font["kern"].kernTables[0].kernTable, font["head"].unitsPerEm
        moved = pairs[("A", "V")] / units
    face = fonts.build((file,)).face(0, 7)
    em = face.em
    assert moved < -0.05 and abs(face.kern["AV"] - moved * em) < 0.01 * em
    apart = face.glyph["A"][3] + face.glyph["V"][1]
    at = {c: x for c, x, _ in fonts.set_text(face, "AV", 0, 1, 1e9).places}
    assert abs(at["V"] - (apart + moved * em)) <= 1  # glyphs stand at whole pixels


def test_a_font_of_one_case_writes_capitals_only(tmp_path) -> None:
    atlas = fonts.default_atlas()
    one_case = {f.path.stem for f, one in zip(atlas.fonts, atlas.unicase) if one}
    assert {"BebasNeue-Regular", "Bungee_400Regular", "Silkscreen_400Regular"} <= one_case
    assert not any(name.startswith(("Liberation", "DejaVu", "Carlito")) for name in one_case)


def test_ink_of_a_setting_is_where_it_says() -> None:
    face = fonts.default_atlas().face(50, LARGE)
    setting = fonts.set_text(face, "Ag j.", 1.5, 1.2, 1e9)
    x0, y0, x1, y1 = setting.ink
    canvas = np.zeros((120, x1 - x0 + 20), np.uint8)
    fonts.paint(canvas, face, setting, 10 - x0, 60)
    rows, columns = np.flatnonzero(canvas.any(1)), np.flatnonzero(canvas.any(0))
    assert (columns[0], columns[-1] + 1) == (10, x1 - x0 + 10)
    assert (rows[0], rows[-1] + 1) == (60 + y0, 60 + y1)


def test_a_text_too_long_is_cut_at_a_character() -> None:
    face = fonts.default_atlas().face(50, LARGE)
    whole = fonts.set_text(face, "one two three", 0, 1, 1e9)
    for limit in range(20, whole.ink[2] - whole.ink[0], 7):
        part = fonts.set_text(face, "one two three", 0, 1, limit)
        assert "one two three".startswith(part.text) and part.text == part.text.strip()
        assert part.ink[2] - part.ink[0] <= limit or len(part.text) == 1


def test_an_atlas_from_the_cache_is_the_one_that_was_built(tmp_path) -> None:
    few = shipped()[40:43]
    built, found = fonts.cached(few, tmp_path), fonts.cached(few, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    for name in ("pixels", "start", "shape", "advance", "kern", "usable", "unicase"):
        assert (getattr(built, name) == getattr(found, name)).all()


def test_a_torn_cache_file_is_made_anew(tmp_path) -> None:
    few = shipped()[40:41]
    fonts.cached(few, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    assert fonts.cached(few, tmp_path).usable.all()


def test_a_file_that_is_no_font_is_named(tmp_path) -> None:
    path = tmp_path / "letter.ttf"
    path.write_text("no font")
    with pytest.raises(Unreadable, match="letter.ttf"):
        fonts.build((FontFile(path, "letter", 1.0),))


def test_a_list_with_a_file_that_is_not_there_is_refused(tmp_path) -> None:
    with pytest.raises(Missing, match="families.tsv"):
        shipped(tmp_path)
    (tmp_path / "families.tsv").write_text("file\tfamily\tweight\nx.ttf\tX\t1\n")
    with pytest.raises(Missing, match="line 2: x.ttf"):
        shipped(tmp_path)
    (tmp_path / "families.tsv").write_text("file\tfamily\tweight\nx.ttf\tX\tmuch\n")
    with pytest.raises(Unreadable, match="line 2"):
        shipped(tmp_path)


def test_every_shipped_font_has_its_licence_and_source() -> None:
    folder = shipped()[0].path.parent
    sources = (folder / "SOURCES.md").read_text()
    for font in shipped():
        row = next(line for line in sources.splitlines() if line.startswith(f"| {font.path.name} "))
        assert (folder / row.split("|")[4].strip()).stat().st_size > 100
