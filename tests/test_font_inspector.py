"""The font view: what it shows of a set with known faults, and what each key does to the verdicts."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QAbstractItemModelTester, QTest

from core.fonts import drawing, stock
from core.fonts.catalogue import FONTS, Catalogue
from core.fonts.findings import Finding, FontReport
from core.recognizer.alphabet import ASCII
from views.font_inspector import (
    ACROSS,
    CLEAN,
    GRID,
    KEYS,
    SHEET,
    FontInspector,
    across_slots,
    slots_of,
)
from views.fonts import Filter, FontList, FontRow
from workbench.font_docks import LOOK, FontDocks
from workbench.font_memory import ONE_IN, Pace, Place, SecondLooks
from workbench.font_session import FontSession

PATIENCE = 60  # s
Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


# ---- fonts with known faults -----------------------------------------------------------------------

def faulty(source: str, target: Path, family: str, style: str, without: str = "",
           same: tuple[str, str] | None = None, still: str = "") -> None:
    """A font of that family and style that lacks characters, draws one character as another, and
    does not move the pen after some."""
    font = TTFont(FONTS / source)
    for table in font["cmap"].tables:
        for c in without:
            table.cmap.pop(ord(c), None)
        if same and ord(same[0]) in table.cmap:
            table.cmap[ord(same[0])] = table.cmap[ord(same[1])]
    for record in font["name"].names:
        if record.nameID in (1, 16):
            record.string = family
        elif record.nameID in (2, 17):
            record.string = style
    for c in still:
        glyph = font.getBestCmap()[ord(c)]
        font["hmtx"][glyph] = 0, font["hmtx"][glyph][1]
    font.save(target)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two sound families and one whose two styles lack "&" and draw "Q" as "A"."""
    folder = tmp_path_factory.mktemp("fonts")
    for name in ("LiberationSerif-Regular.ttf", "LiberationSerif-Bold.ttf", "DejaVuSansMono.ttf"):
        (folder / name).write_bytes((FONTS / name).read_bytes() + bytes(4))  # shipped ones are judged
    for style in ("Regular", "Bold"):
        faulty(f"LiberationSans-{style}.ttf", folder / f"Faulty-{style}.ttf", "Faulty", style,
               without="&", same=("Q", "A"), still="~")
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory, folder, qapp) -> Path:
    """A store in which the folder's reports are kept, so that each test has them at once."""
    from core.fonts.check import reports_of
    store = tmp_path_factory.mktemp("store")
    reports_of(sorted(folder.iterdir()), jobs=0, store=store)
    return store


@pytest.fixture(scope="module")
def opened(qapp, tmp_path_factory, folder, store):
    """The view on the folder's fonts."""
    own = tmp_path_factory.mktemp("own") / "verdicts.jsonl"
    docks = FontDocks(FontSession(own, store=store))
    docks.view.resize(1500, 900)
    docks.view.show()
    docks.open([folder])
    wait(lambda: docks.session.checking.is_idle and docks.key)
    yield docks
    docks.close()
    docks.view.close()


@pytest.fixture
def docks(opened, tmp_path, folder):
    """The view on the folder's fonts, nothing judged, the most suspicious font shown."""
    opened.session.judge_into(tmp_path / "own" / "verdicts.jsonl")
    opened.session.place = Place((str(folder),))
    opened.view.show_mode(SHEET)
    opened.view.left_out.clear()
    opened.list_fonts()
    opened.view.fonts.set_filter(Filter())
    opened.view.fonts.choose(opened.view.fonts.model.keys[0])
    opened.show_font(opened.view.fonts.model.keys[0])
    opened.view.choose_worst()
    opened.view.sheet.setFocus()
    return opened


def wait(is_so, seconds: float = PATIENCE) -> None:
    for _ in range(int(seconds * 50)):
        if is_so():
            return
        QTest.qWait(20)
    raise AssertionError("it did not happen in time")


def press(docks: FontDocks, key: Qt.Key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(docks.view.stack.currentWidget(), key, modifier)


def named(docks: FontDocks, name: str) -> str:
    return next(k for k, r in docks.session.reports.items() if r.path.name == name)


def report(key: str, family: str, *findings: Finding, style: str = "Regular", **more) -> FontReport:
    """A report as the checks would give it; its key is `key` in hexadecimal, 64 digits."""
    return FontReport(f"/fonts/{family}-{style}.ttf", key.rjust(64, "0"), family=family, style=style,
                      kind="TrueType", findings=findings, distance=(0.0,) * 95, **more)


def doubt(character: str = "") -> Finding:
    return Finding("wrong-symbol", character, "doubt", 0.99, 0.97, "looks like another")


def missing(character: str) -> Finding:
    return Finding("missing", character, "reject", 0, 1, "is not there")


# ---- the list --------------------------------------------------------------------------------------

def test_families_come_most_suspicious_first_with_their_files_within(qapp):
    fonts = FontList()
    QAbstractItemModelTester(fonts.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    fonts.show_fonts([FontRow(r) for r in (
        report("a1", "Sound"), report("b1", "Mixed"), report("b2", "Mixed", doubt("A"), style="Bold"),
        report("c1", "Worst", doubt("A"), replace(doubt("B"), check="duplicate")))])
    shown = [fonts.model.index(n).data() for n in range(fonts.model.rowCount())]
    assert [text.split(",")[0] for text in shown] == [
        "Worst Regular", "Mixed (2)", "Mixed Bold", "Mixed Regular", "Sound Regular"]


def test_filters_narrow_by_verdict_check_licence_style_and_text(qapp):
    fonts = FontList()
    fonts.show_fonts([
        FontRow(report("a", "Alpha", missing("&"), licence="OFL"), "reject", "serif"),
        FontRow(report("b", "Beta", doubt("A"), licence="OFL"), "", "dot-matrix"),
        FontRow(report("c", "Gamma", licence="GPL"), "accept", "serif")])
    for wanted, families in ((Filter(), "abc"), (Filter(verdict="to judge"), "b"),
                             (Filter(verdict="rejected"), "a"), (Filter(check="missing"), "a"),
                             (Filter(licence="OFL"), "ab"), (Filter(style="serif"), "ac"),
                             (Filter(look="needs a look"), "b"), (Filter(text="gam"), "c")):
        fonts.set_filter(wanted)
        assert sorted(key[-1] for key in fonts.model.keys) == list(families), wanted


def test_a_verdict_does_not_move_the_list_under_the_eyes(qapp):
    fonts = FontList()
    fonts.show_fonts([FontRow(report(f"{k}", f"Family {k}", doubt("A"))) for k in range(5)])
    fonts.set_filter(Filter(verdict="to judge"))
    before = fonts.model.keys
    fonts.set_verdict(before[1], "accept")
    assert fonts.model.keys == before


def test_of_thousands_of_fonts_only_those_in_view_are_asked_for(qapp):
    view = FontInspector()
    view.resize(1400, 900)
    wanted = []
    view.wants_character.connect(lambda _c, keys: wanted.extend(keys))
    view.show()
    reports = [report(f"{k:x}", f"F{k}") for k in range(3500)]
    view.show_across("A")
    view.show_across_slots(across_slots(reports, "A", {}), "")
    wait(lambda: wanted)
    assert 20 < len(set(wanted)) < 300
    view.across.verticalScrollBar().setValue(view.across.verticalScrollBar().maximum())
    wanted.clear()
    wait(lambda: wanted)
    assert view.across.cells.slots[-1].key in wanted
    view.close()


# ---- the sheet -------------------------------------------------------------------------------------

def test_the_most_suspicious_font_is_shown_with_its_glyphs_as_the_rasteriser_draws_them(docks):
    view, shown = docks.view, docks.session.reports[docks.key]
    assert shown.family == "Faulty"
    wait(lambda: view.has_sheet(docks.key))
    cells = drawing.glyph_cells(shown.path)
    for c in "AQ&g":
        image = view.pictures.get((docks.key, c))
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(64, -1)[:, :64]
        np.testing.assert_array_equal(pixels, cells.pixels[cells.characters.index(c)])


def test_what_certain_checks_reject_is_flagged_before_anybody_judges(docks):
    slots = {s.key: s for s in docks.view.sheet.cells.slots}
    assert (slots["&"].severity, slots["&"].verdict) == ("reject", "reject")
    assert slots["b"].severity == "" and slots["b"].verdict == ""
    assert slots["Q"].severity != ""
    assert docks.view.sheet.current in ("&", "Q", "A")  # the worst is looked at first


def test_the_large_glyph_and_its_words_follow_the_glyph_keys(docks):
    view = docks.view
    view.sheet.choose("A")
    press(docks, Key.Key_J)
    assert view.sheet.current == "B"
    press(docks, Key.Key_K)
    assert view.sheet.current == "A"
    wait(lambda: view.detail.picture.closeup is not None
         and view.detail.picture.closeup.outline.character == "A")
    assert len(view.detail.words) > 3
    assert "U+0041" in view.detail.measures.text()
    press(docks, Key.Key_J, SHIFT)
    assert view.sheet.selected == ["A", "B"]


def test_g_flags_several_glyphs_at_once_and_takes_the_flags_away(docks):
    view, key = docks.view, docks.key
    view.sheet.choose("A")
    press(docks, Key.Key_J, SHIFT)
    press(docks, Key.Key_G)
    verdicts = docks.session.glyph_verdicts(key)
    assert verdicts["A"] == verdicts["B"] == "reject"
    assert not {"A", "B"} & docks.session.catalogue.allowed(key)
    press(docks, Key.Key_G)
    assert {"A", "B"} <= docks.session.catalogue.allowed(key)


def test_g_on_a_glyph_that_a_check_flagged_lets_it_in(docks):
    key = docks.key
    docks.view.sheet.choose("~")
    assert {s.key: s for s in docks.view.sheet.cells.slots}["~"].verdict == "reject"
    press(docks, Key.Key_G)
    assert {s.key: s for s in docks.view.sheet.cells.slots}["~"].verdict == "accept"
    press(docks, Key.Key_A)
    assert "~" in docks.session.catalogue.allowed(key)


def test_a_glyph_that_is_not_there_cannot_be_accepted(docks):
    said = []
    docks.said.connect(said.append)
    docks.view.sheet.choose("&")
    press(docks, Key.Key_G)
    assert said and docks.session.glyph_verdicts(docks.key)["&"] == "reject"


def test_digits_flag_with_their_reason(docks):
    key = docks.key
    docks.view.sheet.choose("Q")
    press(docks, Key.Key_3)
    assert docks.session.catalogue.current(key, "character", "Q").reason == "wrong symbol"


def test_a_whole_class_is_flagged_with_shift_g(docks):
    key = docks.key
    docks.view.sheet.choose("7")
    press(docks, Key.Key_G, SHIFT)
    assert not set("0123456789") & docks.session.catalogue.allowed(key)
    assert {s.key for s in docks.view.sheet.cells.slots if s.verdict == "reject"} >= set("0123456789")


# ---- judging ---------------------------------------------------------------------------------------

def test_accepting_goes_on_and_keeps_what_checks_reject_out_of_training(docks):
    first = docks.key
    press(docks, Key.Key_A)
    assert docks.key != first
    assert docks.session.catalogue.judged(first) == "accept"
    assert "&" not in docks.session.catalogue.allowed(first)
    assert "A" in docks.session.catalogue.allowed(first)
    lines = [json.loads(x) for x in docks.session.catalogue.own.read_text().splitlines()]
    assert all(line["sha256"] == first and line["when"] for line in lines)


def test_every_font_is_reached_and_then_undone_step_by_step(docks):
    order = []
    while docks.session.left():
        order.append(docks.key)
        press(docks, Key.Key_X if len(order) == 2 else Key.Key_A)
        assert len(order) <= 5
    assert sorted(order) == sorted(docks.session.reports)
    assert docks.session.catalogue.allowed(order[1]) == frozenset()
    press(docks, Key.Key_U)
    press(docks, Key.Key_U)
    assert docks.session.left() == 2
    assert docks.key == order[3]
    assert "&" in Catalogue.load(docks.session.catalogue.own).allowed(order[4])


def test_the_same_verdict_is_offered_to_the_other_style_of_the_family(docks):
    docks.view.sheet.choose("&")
    first = docks.key
    press(docks, Key.Key_1)
    assert "1 more font" in docks.view.offer.text() and "missing &" in docks.view.offer.text()
    press(docks, Key.Key_S)
    other = next(k for k, r in docks.session.reports.items() if r.family == "Faulty" and k != first)
    assert docks.session.catalogue.current(other, "character", "&").reason == "missing"
    press(docks, Key.Key_U)
    assert docks.session.catalogue.current(other, "character", "&") is None


def test_the_cost_is_told_before_the_verdict(docks):
    key = named(docks, "DejaVuSansMono.ttf")
    docks.view.fonts.choose(key)
    QTest.qWait(150)
    assert "leaves no monospaced fonts" in docks.view.cost.text()
    assert docks.session.catalogue.judged(key) == ""


def test_costs_count_fonts_of_a_kind_and_rare_signs():
    reports = [report(str(k), name) for k, name in enumerate(
        ["Doto", "Matrix Dots", "Receipt 5x7", "Plain One", "Plain Two"], start=1)]
    fonts = stock.stock(reports, Catalogue(Path("/nonexistent/verdicts.jsonl")))
    none = np.zeros(95, bool)
    said = stock.cost(fonts, {reports[0].sha256: none})
    assert "leaves 2 dot-matrix fonts" in said and "rare signs −20.0%" in said
    without_hash = np.array([c != "#" for c in ASCII])
    assert "nothing left that draws #" in stock.cost(
        fonts, {r.sha256: without_hash for r in reports})


def test_clean_fonts_are_accepted_together_after_the_sheet_is_drawn(docks):
    press(docks, Key.Key_B)
    view = docks.view
    assert view.mode == CLEAN
    keys = [s.key for s in view.clean.cells.slots]
    assert {docks.session.reports[k].family for k in keys} == {"Liberation Serif", "DejaVu Sans Mono"}
    docks.act("accept")  # too early: nobody can have looked at it
    assert docks.session.left() == 5
    wait(lambda: all(view.has_line(k) for k in keys))
    QTest.qWait(round(1000 * LOOK) + 200)
    view.clean.choose(keys[0])
    press(docks, Key.Key_G)
    # a busy machine draws late, and it is too early until a second after
    wait(lambda: press(docks, Key.Key_A) or docks.session.left() < 5)
    assert docks.session.catalogue.judged(keys[0]) == ""
    assert [docks.session.catalogue.judged(k) for k in keys[1:]] == ["accept"] * (len(keys) - 1)
    press(docks, Key.Key_U)
    assert docks.session.left() == 5


def test_one_character_in_all_fonts_stands_in_order_of_distance_and_flags_there(docks):
    docks.view.sheet.choose("Q")
    press(docks, Key.Key_C)
    view = docks.view
    assert view.mode == ACROSS and view.character == "Q"
    k = ASCII.index("Q")
    far = [docks.session.reports[s.key].distance[k] for s in view.across.cells.slots]
    assert far == sorted(far, reverse=True)
    assert {docks.session.reports[s.key].family for s in view.across.cells.slots[:2]} == {"Faulty"}
    wait(lambda: all((s.key, "Q") in view.pictures for s in view.across.cells.slots))
    view.across.choose(view.across.cells.slots[0].key)
    press(docks, Key.Key_J, SHIFT)
    press(docks, Key.Key_G)
    for slot in view.across.cells.slots[:2]:
        assert "Q" not in docks.session.catalogue.allowed(slot.key)
    press(docks, Key.Key_C)
    assert view.mode == SHEET


def test_a_familys_weight_changes_how_often_it_is_drawn(docks):
    key = named(docks, "LiberationSerif-Bold.ttf")
    before = docks.session.stock.share(key)
    docks.session.set_weight("Liberation Serif", 3.0)
    assert docks.session.stock.share(key) == pytest.approx(before * 3 / (1 + 4 * before))
    docks.undo()
    assert docks.session.stock.share(key) == pytest.approx(before)


# ---- coming back -----------------------------------------------------------------------------------

def test_the_next_start_shows_the_same_font(docks, folder, store):
    last = docks.view.fonts.model.keys[3]
    docks.view.fonts.choose(last)
    docks.session.keep_place()
    again = FontDocks(FontSession(docks.session.catalogue.own, store=store))
    again.open()
    wait(lambda: again.session.checking.is_idle and again.key)
    assert again.session.paths == (folder,)
    assert again.key == last
    again.close()


def test_a_second_look_hides_the_first_verdict_and_counts_agreement(docks):
    first = docks.key
    press(docks, Key.Key_X)
    docks.session.seconds._due = [(0, first)]
    press(docks, Key.Key_A)
    assert docks.key == first
    assert docks.session.verdict(first) == ""
    assert docks.view.fonts.model.font(first).verdict == ""
    press(docks, Key.Key_A)
    assert docks.session.catalogue.judged(first) == "reject"  # the first verdict stands
    assert docks.session.seconds.agreement(docks.session.catalogue) == (1, [first])
    assert "0 of 1" in docks.session.agreement()
    assert docks.view.fonts.model.font(first).verdict == "reject"


def test_about_one_font_in_fifty_is_drawn_for_a_second_look(tmp_path):
    import hashlib
    keys = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(10_000)]
    looks = SecondLooks(tmp_path)
    shown = []
    for key in keys:
        looks.judged(key)
        shown += [again] if (again := looks.take()) else []
    while again := looks.take(at_end=True):
        shown.append(again)
    # 4 standard deviations of a binomial count
    assert abs(len(shown) - len(keys) / ONE_IN) < 4 * (len(keys) / ONE_IN) ** 0.5
    assert len(set(shown)) == len(shown)


def test_pace_leaves_pauses_out():
    pace = Pace()
    for second in (0, 4, 8, 12, 1000, 1004, 1008):
        pace.count(second)
    assert pace.per_minute == pytest.approx(15)
    assert pace.left(900) == "1 h 00 min"


def test_a_damaged_place_is_no_place(tmp_path):
    (tmp_path / "font-view.json").write_text("{")
    assert Place.load(tmp_path) == Place()


def test_a_changed_file_is_checked_again_and_a_new_one_is_listed(qapp, tmp_path, store):
    fonts = tmp_path / "watched"
    fonts.mkdir()
    shutil.copy(FONTS / "DejaVuSansMono.ttf", fonts / "one.ttf")
    docks = FontDocks(FontSession(tmp_path / "own" / "verdicts.jsonl", store=store))
    docks.open([fonts])
    wait(lambda: docks.session.checking.is_idle and docks.key)
    before = docks.key
    faulty("LiberationSans-Regular.ttf", tmp_path / "made.ttf", "Faulty", "Regular", without="z")
    (tmp_path / "made.ttf").replace(fonts / "one.ttf")
    shutil.copy(FONTS / "LiberationSerif-Bold.ttf", fonts / "two.ttf")
    wait(lambda: len(docks.session.reports) == 2 and before not in docks.session.reports)
    wait(lambda: docks.session.checking.is_idle)
    assert "z" in docks.session.reports[named(docks, "one.ttf")].rejected()
    (fonts / "two.ttf").unlink()
    wait(lambda: len(docks.session.reports) == 1)
    docks.close()


def test_a_dropped_folder_is_opened(qapp, tmp_path, store):
    docks = FontDocks(FontSession(tmp_path / "own" / "verdicts.jsonl", store=store))
    fonts = tmp_path / "dropped"
    fonts.mkdir()
    shutil.copy(FONTS / "LiberationSerif-Bold.ttf", fonts)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(fonts))])
    docks.view.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime,
                                    Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier))
    wait(lambda: docks.session.checking.is_idle and len(docks.session.reports) == 1)
    assert docks.session.reports[docks.key].path.parent == fonts
    docks.close()


def test_every_key_is_named_once():
    pressed = [(k.key, k.shift) for k in KEYS]
    assert len(set(pressed)) == len(pressed)
    assert sorted(GRID) == sorted(ASCII[1:])


def test_findings_are_in_the_cell_and_in_words(qapp):
    slots = {s.key: s for s in slots_of(report("1", "F", missing("&"), doubt("A")), {"&": "reject"})}
    assert slots["&"].severity == "reject" and "missing: is not there" in slots["&"].tip
    assert slots["A"].severity == "doubt" and slots["A"].verdict == ""
