"""The previewer's views: the sheet asks only for what is in view, the strip shows each step before
and after, the recipe tree has every number as a range, and the keys do what they say."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QSpinBox,
    QTabBar,
    QTableView,
)

from core.recognizer.alphabet import CHARACTERS
from core.synth import compare, survey, transforms
from core.synth.sample import SampleSettings, character_histogram, sample, strip
from core.synth.sample_files import Shelf
from core.synth.survey import ReadBack
from views.film_strip import AFTER, BEFORE, READ, STEP, FilmStrip, StripModel, frames_of
from views.recipe_tree import BARS, RecipeTree, histogram
from views.sample_compare import CharacterBars, Distributions, NearestCrops
from views.samples import Cell, ContactSheet, SheetModel, faded, verdict_colour
from workbench.sample_docks import SampleDocks
from workbench.sample_session import MOST_NUMBER, SampleSession

PATIENCE = 60_000  # ms
RICH = replace(SampleSettings(), negative=0.0, blur=1.0, jpeg=1.0, noise=1.0, rotation=1.0)


def cell(i: int) -> Cell:
    one = sample(SampleSettings(), 3, i)
    return Cell(one.image, one.text, one.recipe.font, one.text, 0.9, 0.1)


@pytest.fixture
def sheet(qtbot):
    sheet = ContactSheet(lambda i: None)
    qtbot.addWidget(sheet)
    sheet.resize(900, 400)
    sheet.show()
    return sheet


# ---- the sheet -----------------------------------------------------------------------------------

def test_the_model_keeps_qts_rules(qapp) -> None:
    model = SheetModel(cell)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_numbers(range(10), 3)
    model.set_columns(3)
    model.set_numbers(np.array([4, 1, 7]), 3)
    model.set_numbers(range(0), 3)
    assert model.rowCount() == 0
    del tester


def test_a_hundred_thousand_samples_ask_for_those_in_view_only(sheet, qtbot) -> None:
    with qtbot.waitSignal(sheet.wanted, timeout=PATIENCE) as caught:
        sheet.show_numbers(range(100_000), 3)
    asked = caught.args[0]
    assert asked[0] == 0 and len(asked) < 60
    with qtbot.waitSignal(sheet.wanted, timeout=PATIENCE) as caught:
        sheet.scrollToBottom()
    asked = caught.args[0]
    assert asked[-1] == 99_999 and len(asked) < 60


def test_every_sample_has_one_cell(sheet) -> None:
    numbers = np.array([5, 3, 99, 12, 0, 44, 7])
    sheet.show_numbers(numbers, 3)
    model = sheet.sheet
    found = [model.number_at(model.index(row, column)) for row in range(model.rowCount())
             for column in range(model.columnCount())]
    assert [n for n in found if n is not None] == numbers.tolist()
    assert all(model.number_at(model.index_of(int(n))) == n for n in numbers)
    assert not model.index_of(6).isValid()


def test_a_click_picks_and_a_mark_does_not(sheet) -> None:
    picked = []
    sheet.picked.connect(picked.append)
    sheet.show_numbers(range(50), 3)
    sheet.mark(7)
    assert picked == [] and sheet.chosen() == [7]
    sheet.setCurrentIndex(sheet.sheet.index_of(9))
    assert picked == [9]


def test_the_marked_sample_stays_marked_when_the_sheet_grows_wider(sheet) -> None:
    sheet.show_numbers(range(50), 3)
    sheet.mark(17)
    columns = sheet.sheet.n_columns
    sheet.resize(1500, 400)
    assert sheet.sheet.n_columns > columns and sheet.chosen() == [17]


def test_a_cell_says_text_number_and_what_the_net_reads(qapp) -> None:
    model = SheetModel(lambda i: Cell(np.zeros((32, 40), np.uint8), "Total", "word", "Tota1", .5, 3))
    model.set_numbers(range(20), 8)
    tip = model.data(model.index(1, 2), Qt.ItemDataRole.ToolTipRole)
    for part in ("Total", "seed 8", "sample 6", "'Tota1'", "0.500", "3.00"):
        assert part in tip


# ---- the strip -----------------------------------------------------------------------------------

def strip_frames(without: frozenset[str] = frozenset(), readings=()) -> list:
    every = strip(RICH, 3, 4)
    return frames_of(strip(RICH, 3, 4, without), every, without, readings)


def test_each_step_begins_where_the_one_before_it_ended() -> None:
    frames = strip_frames()
    assert frames[0].before is None and frames[0].name == "layout"
    for one, after in itertools.pairwise(frames):
        assert after.before is one.after
    assert (frames[-1].after == sample(RICH, 3, 4).image).all()


def test_a_step_that_is_off_keeps_its_place_and_its_numbers() -> None:
    whole, cut = strip_frames(), strip_frames(frozenset({"noise"}))
    k = [f.name for f in whole].index("noise")
    assert cut[k].name == "noise" and not cut[k].is_on and cut[k].after is None
    assert cut[k].numbers == whole[k].numbers
    assert cut[k + 1].before is cut[k - 1].after
    assert {f.name: f.numbers for f in cut if f.is_on and f.can_switch} == \
        {f.name: f.numbers for f in whole if f.can_switch and f.name != "noise"}


def test_only_transforms_have_a_tick_and_the_tick_switches(qtbot) -> None:
    view = FilmStrip()
    qtbot.addWidget(view)
    view.show_strip(strip_frames(), "text", "address", frozenset())
    model = view.model
    ticked = {frame.name for row, frame in enumerate(model.frames)
              if model.flags(model.index(row, STEP)) & Qt.ItemFlag.ItemIsUserCheckable}
    assert ticked == {f.name for f in model.frames} & set(transforms.NAMES)
    row = [f.name for f in model.frames].index("jpeg")
    with qtbot.waitSignal(view.without_changed) as caught:
        model.setData(model.index(row, STEP), Qt.CheckState.Unchecked.value,
                      Qt.ItemDataRole.CheckStateRole)
    assert caught.args[0] == {"jpeg"}
    with qtbot.waitSignal(view.without_changed) as caught:
        model.setData(model.index(row, STEP), Qt.CheckState.Checked.value,
                      Qt.ItemDataRole.CheckStateRole)
    assert caught.args[0] == frozenset()


def test_a_misreading_is_marked_by_more_than_colour(qtbot) -> None:
    view = FilmStrip()
    qtbot.addWidget(view)
    text = sample(RICH, 3, 4).text
    n = len(strip(RICH, 3, 4))
    readings = [ReadBack(text, 0.9, 0.1)] * (n - 1) + [ReadBack("wrong", 0.2, 7.0)]
    view.show_strip(strip_frames(readings=readings), text, "address", frozenset())
    model: StripModel = view.model
    said = [model.data(model.index(row, READ)) for row in (0, n - 1)]
    assert said == [f"✓ {text}", "✗ wrong"]
    assert model.data(model.index(1, BEFORE), Qt.ItemDataRole.DecorationRole) is not None
    assert model.data(model.index(1, AFTER), Qt.ItemDataRole.DecorationRole) is not None


def test_the_address_is_copied_and_a_pasted_one_followed(qtbot) -> None:
    view = FilmStrip()
    qtbot.addWidget(view)
    view.show_strip(strip_frames(), "text", "(0123456789abcdef, 3, 4)", frozenset())
    view.copy.click()
    assert QGuiApplication.clipboard().text() == "(0123456789abcdef, 3, 4)"
    with qtbot.waitSignal(view.followed) as caught:
        view.goto.setText("(0123456789abcdef, 3, 9)")
        qtbot.keyClick(view.goto, Qt.Key.Key_Return)
    assert caught.args == ["(0123456789abcdef, 3, 9)"]


# ---- recipes -------------------------------------------------------------------------------------

def test_every_number_is_a_range_with_its_histogram(qtbot) -> None:
    facts = survey.facts_of([sample(RICH, 3, i) for i in range(150)], range(150))
    tree = RecipeTree()
    qtbot.addWidget(tree)
    tree.show_facts(facts, 4, 150)
    for name in ("blur", "jpeg", "rotation", "layout"):
        numbers = facts.of(name).numbers
        step = tree._items[f"step/{name}"]
        assert step.text(1) == "100.0 %" and step.childCount() == numbers.shape[1]
        for k in range(numbers.shape[1]):
            low, _, high = step.child(k).text(2).partition(" – ")
            assert float(low) == pytest.approx(numbers[:, k].min(), rel=0.06)
            assert float(high) == pytest.approx(numbers[:, k].max(), rel=0.06)
            assert step.child(k).data(3, BARS).mark is not None  # where sample 4 lies
    assert tree._items["step/thermal"].text(1) not in ("100.0 %", "")


def test_a_histogram_counts_all_values_and_marks_the_selected() -> None:
    values = np.array([0.0, 0.1, 0.1, 0.1, 1.0])
    bars = histogram(values, 0.5)
    assert bars.heights.max() == 1 and bars.mark == 0.5
    assert (bars.heights > 0).sum() == 3
    assert histogram(np.ones(5)).heights.tolist() == [1]


def test_the_tree_stays_unfolded_when_more_samples_come(qtbot) -> None:
    samples = [sample(RICH, 3, i) for i in range(60)]
    tree = RecipeTree()
    qtbot.addWidget(tree)
    tree.show_facts(survey.facts_of(samples[:30], range(30)), None, 60)
    tree._items["step/blur"].setExpanded(True)
    tree.show_facts(survey.facts_of(samples, range(60)), None, 60)
    assert tree._items["step/blur"].isExpanded()
    assert "all 60" in tree.note.text()


def test_activating_a_transform_asks_for_its_samples(qtbot) -> None:
    tree = RecipeTree()
    qtbot.addWidget(tree)
    tree.show_facts(survey.facts_of([sample(RICH, 3, i) for i in range(20)], range(20)), None, 20)
    with qtbot.waitSignal(tree.transform_wanted) as caught:
        tree.tree.itemActivated.emit(tree._items["step/blur"], 0)
    assert caught.args == ["blur"]
    with qtbot.waitSignal(tree.font_wanted):
        tree.tree.itemActivated.emit(tree._items["fonts"].child(0), 0)


# ---- real and synthetic --------------------------------------------------------------------------

def test_measures_that_lie_apart_come_first_and_are_marked(qtbot) -> None:
    windows = [sample(SampleSettings(), 3, i).image for i in range(60)]
    drawn = compare.measured(windows)
    real = compare.measured([np.uint8(w // 2 + 60) for w in windows])  # half the contrast
    view = Distributions()
    qtbot.addWidget(view)
    view.show_measures(real, drawn)
    assert view.table.item(0, 0).text().startswith("contrast")
    assert view.table.item(0, 3).text().startswith("▲")
    assert view.table.rowCount() == len(compare.MEASURES)
    view.show_measures(None, drawn)
    assert view.table.rowCount() == 0 and "word list" in view.note.text()


def test_nearest_crops_are_listed_with_text_and_distance(qtbot) -> None:
    from core.evaluate.words import WordTruth
    windows = tuple(sample(SampleSettings(), 3, i).image for i in (1, 2))
    rows = tuple(WordTruth(f"documents/slips/{k}.png", (0, 0, 9, 9), f"word{k}", "", "truth")
                 for k in (1, 2))
    view = NearestCrops()
    qtbot.addWidget(view)
    view.show_crops(compare.RealCrops(windows, rows, compare.measured(windows)),
                    np.array([0.5, 1.25], np.float32))
    assert [view.list.item(k).text() for k in (0, 1)] == ["word1\n0.50 apart", "word2\n1.25 apart"]


def test_rare_characters_are_named(qtbot) -> None:
    view = CharacterBars()
    qtbot.addWidget(view)
    counts = np.full(95, 100)
    counts[ord("~") - 32] = 9
    view.show_counts(counts, 500)
    assert view.rare() == "~" and "~" in view.accessibleDescription()
    view.show_counts(character_histogram(SampleSettings(), 3, 300), 300)
    view.resize(400, 240)
    view.grab()


@pytest.mark.parametrize("width", [250, 400, 1200, 3000])
def test_every_character_has_a_bar_that_says_its_name(qtbot, width) -> None:
    view = CharacterBars()
    qtbot.addWidget(view)
    counts = np.arange(len(CHARACTERS)) + 1
    counts[CHARACTERS.index("¾")] = 0
    view.show_counts(counts, 500)
    assert view.never() == "¾" and "¾" in view.accessibleDescription()
    view.resize(width, 300)
    view.grab()
    columns = {CHARACTERS[k]: column for column, k in view._columns}
    assert set(columns) == set(CHARACTERS)
    assert all(view.rect().toRectF().adjusted(-1, -1, 1, 1).contains(c) for c in columns.values())
    assert columns["~"].bottom() <= columns["À"].top() + 0.01  # what is beyond ASCII stands below
    told = view.told(columns["é"].center())
    assert "e with acute" in told and f"{counts[CHARACTERS.index('é')]} in" in told
    assert "right single quotation mark" in view.told(columns["’"].center())


# ---- all together --------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def running(qapp, tmp_path_factory):
    session = SampleSession(Shelf(tmp_path_factory.mktemp("shelf")), seed=3, count=100_000)
    docks = SampleDocks(session)
    docks.view.resize(1400, 900)
    docks.view.show()
    docks.open()
    yield docks
    docks.close()
    docks.view.deleteLater()


def test_a_sheet_of_a_hundred_thousand_opens_and_the_first_are_drawn(running, qtbot) -> None:
    qtbot.waitUntil(lambda: running.session.sample(0) is not None, timeout=PATIENCE)
    assert len(running.sheet.sheet.numbers) == 100_000
    assert len(running.session._samples) < 200
    assert running.bar.found.text() == "100,000 samples"


def test_picking_a_sample_shows_its_strip(running, qtbot) -> None:
    with qtbot.waitSignal(running.session.strip_made, timeout=PATIENCE):
        running.sheet.setCurrentIndex(running.sheet.sheet.index_of(6))
    assert (running.strip.model.frames[-1].after == sample(SampleSettings(), 3, 6).image).all()
    assert str(running.session.address()) == running.strip.address


def test_pasting_an_address_shows_the_same_picture(running, qtbot) -> None:
    address = f"({SampleSettings().digest}, 8, 2)"
    with qtbot.waitSignal(running.session.strip_made, timeout=PATIENCE):
        running.strip.goto.setText(address)
        qtbot.keyClick(running.strip.goto, Qt.Key.Key_Return)
    assert (running.strip.model.frames[-1].after == sample(SampleSettings(), 8, 2).image).all()
    assert running.bar.seed.value() == 8 and running.sheet.chosen() == [2]
    running.session.set_seed(3)


def test_an_unknown_address_is_said_above_the_sheet(running) -> None:
    running.follow("(0123456789abcdef, 1, 1)")
    assert running.problem.isVisible() and "0123456789abcdef" in running.problem.text()
    running.session.resample()
    assert not running.problem.isVisible()


@pytest.mark.parametrize("text", [
    "", "nonsense", "(d17126834fe8fe40)", f"({SampleSettings().digest}, 99999999999, 2)",
    f"({SampleSettings().digest}, 1, 99999999999999999999999)"])
def test_an_address_that_cannot_be_shown_is_said_and_nothing_changes(running, text) -> None:
    before = running.session.settings, running.session.seed, running.session.start
    running.follow(text)
    assert running.problem.isVisible() and running.problem.text()
    assert (running.session.settings, running.session.seed, running.session.start) == before
    running.problem.hide()


def test_the_last_numbers_that_can_be_shown_are_not_passed(running) -> None:
    session = running.session
    session.set_seed(MOST_NUMBER)
    session.resample()
    session.set_locked(True)
    session.set_range(MOST_NUMBER - 5, 1000)
    session.resample()
    assert (running.bar.seed.value(), running.bar.start.value()) == (MOST_NUMBER, MOST_NUMBER)
    session.set_locked(False)
    session.set_range(0, 100_000)
    session.set_seed(3)


def test_keys_resample_lock_filter_and_search(running, qtbot) -> None:
    session, bar = running.session, running.bar
    running.view.activateWindow()
    running.sheet.setFocus()
    seed = session.seed
    qtbot.keyClick(running.sheet, Qt.Key.Key_R)
    assert session.seed == seed + 1
    qtbot.keyClick(running.sheet, Qt.Key.Key_L)
    qtbot.keyClick(running.sheet, Qt.Key.Key_R)
    assert session.is_locked and (session.seed, session.start) == (seed + 1, 100_000)
    qtbot.keyClick(running.sheet, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: session.query.negatives, timeout=PATIENCE)
    qtbot.keyClick(running.sheet, Qt.Key.Key_Slash)
    assert running.view.focusWidget() is bar.search
    qtbot.keyClicks(bar.search, "rln/")
    assert bar.search.text() == "rln/" and session.is_locked  # letters are typed, not obeyed
    bar.search.clear()
    bar.negatives.setChecked(False)
    bar.lock.setChecked(False)
    session.set_range(0, 1000)


def test_a_text_filter_takes_accents_however_they_are_typed(running) -> None:
    bar = running.bar
    for typed in ("é", "e\u0301"):  # as one character, and as a letter and an accent
        bar.search.setText(typed)
        assert bar.query().text == "é"
    bar.search.clear()
    facts = survey.facts_of([replace_text(sample(RICH, 3, i), text) for i, text in
                             enumerate(("déjà", "RÉSERVÉ", "deja"))], range(3))
    assert survey.matching(facts, survey.Query("é")).tolist() == [True, True, False]


def replace_text(one, text: str):
    """A sample that says something else."""
    return one._replace(text=text)


def test_its_keys_are_in_the_keys_list_and_the_palette(running) -> None:
    from workbench.palette import Keys
    dialog = Keys(running.view.actions())
    table = dialog.findChild(QTableView)
    listed = {table.model().index(k, 1).data(): table.model().index(k, 0).data()
              for k in range(table.model().rowCount())}
    assert set("RLEN/") | {"Ctrl+C"} <= set(listed)
    assert listed["E"].startswith("Export")
    assert all(action.statusTip() for action in running.view.actions())


def test_ctrl_c_on_the_sheet_copies_the_address(running, qtbot) -> None:
    session = running.session
    qtbot.waitUntil(lambda: session.query.is_empty and not running._query.isActive(),
                    timeout=PATIENCE)  # what the tests before have typed and cleared
    session.pick(None)
    running.view.activateWindow()
    with qtbot.waitSignal(session.strip_made, timeout=PATIENCE):
        running.sheet.setCurrentIndex(running.sheet.sheet.index_of(session.start + 4))
    running.sheet.setFocus()
    qtbot.keyClick(running.sheet, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == running.strip.address != ""


def test_only_tab_bars_that_are_in_use_are_seen(running) -> None:
    seen = [bar for bar in running.view.findChildren(QTabBar) if bar.isVisible()]
    tabs = [bar.tabText(k) for bar in seen for k in range(bar.count())]
    assert len(tabs) == len(set(tabs)) == 5


def test_with_nothing_on_the_sheet_an_export_is_refused(running, qtbot) -> None:
    running.session.set_query(survey.Query("no such text in any sample"))
    with qtbot.waitSignal(running.said, timeout=PATIENCE) as caught:
        running.ask_export()
    assert "no sample" in caught.args[0]
    running.session.set_query(survey.Query())


def test_an_edited_setting_changes_the_sheet(running, qtbot) -> None:
    with qtbot.waitSignal(running.session.changed, timeout=PATIENCE):
        running.settings.changed.emit("inversion", 1.0)
    assert running.session.settings.inversion == 1.0
    qtbot.waitUntil(lambda: running.session.sample(0) is not None, timeout=PATIENCE)
    one = sample(replace(SampleSettings(), inversion=1.0), running.session.seed, 0)
    assert (running.session.sample(0).image == one.image).all()


def test_an_export_takes_the_selected_samples(running) -> None:
    running.sheet.show_numbers(range(40), 3)
    model = running.sheet.selectionModel()
    model.clear()
    for i in (3, 8):
        model.select(running.sheet.sheet.index_of(i), QItemSelectionModel.SelectionFlag.Select)
    assert running.exported() == [3, 8]
    model.clear()
    assert running.exported() == [int(i) for i in running.session.numbers[:1000]]


def test_every_control_has_a_name_for_screen_readers(running) -> None:
    kinds = (QAbstractButton, QLineEdit, QComboBox, QSpinBox, QTableView)
    mine = [c for kind in kinds for c in running.view.findChildren(kind)
            if not c.objectName().startswith("qt_") and not isinstance(c, QScrollBar)
            and not isinstance(c.parent(), QSpinBox | QLineEdit | QComboBox | QTableView)
            and "Dock" not in type(c.parent()).__name__ and "Tree" not in type(c.parent()).__name__]
    silent = [c for c in mine if not c.accessibleName() and not getattr(c, "text", str)()
              and running.settings not in _above(c) and running.recipes not in _above(c)]
    assert silent == []


def _above(widget) -> list:
    found = []
    while widget is not None:
        found.append(widget)
        widget = widget.parent()
    return found


def contrast(a: QColor, b: QColor) -> float:
    """WCAG 2.1 contrast ratio."""
    def luminance(c: QColor) -> float:
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
                  for v in (c.redF(), c.greenF(), c.blueF())]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#f4f4f4", "#1e1e1e", "#2b2b2b"])
def test_words_on_the_sheet_can_be_read_on_both_palettes(qapp, ground) -> None:
    palette = QPalette()
    palette.setColor(QPalette.ColorRole.Base, QColor(ground))
    for colour in (faded(palette), verdict_colour(palette, True), verdict_colour(palette, False)):
        assert contrast(colour, QColor(ground)) >= 4.5


def test_the_workspace_is_listed_and_its_modules_import_without_torch() -> None:
    from workbench.workspaces import WORKSPACES
    assert "Samples" in [workspace.name for workspace in WORKSPACES]
    code = "import sys, workbench.sample_docks; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_other_verdicts_on_fonts_draw_the_samples_anew(running, qtbot) -> None:
    session = running.session
    qtbot.waitUntil(lambda: session.fonts != "", timeout=PATIENCE)
    first = session.link.pid
    running.view.hide()
    running.view.show()
    assert session.link.pid == first  # nothing was judged in between
    running._verdicts = (-1, -1)
    running.view.hide()
    running.view.show()
    assert session.link.pid != first
    qtbot.waitUntil(lambda: session.sample(session.start) is not None, timeout=PATIENCE)
