"""The notebook's views: entries as pages, curves, trends, two entries compared, and behind every
figure the words that it stands for."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt, QUrl
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QTextBrowser,
    QWidget,
)

from core import notebook
from core.notebook_results import WordResult
from views.notebook_compare import change, is_better
from views.notebook_curves import SYMBOLS, Plot, error_curves, late_top, reliability_curves
from views.notebook_words import Ask, cut_strip, page_of, shown, worst_first
from workbench.notebook_docks import NotebookDocks
from workbench.workspaces import WORKSPACES

PAGE = "pages/receipts/one.png"  # of every word below, under a documents folder


def word(x, text, read, confidence=0.9, category="receipts"):
    return WordResult(PAGE, x, 10, x + 30, 22, category, text, text, read, confidence, text == read)


BEFORE = [word(0, "total", "total", 0.95), word(40, "cash", "cosh", 0.35), word(80, "12.50", "12.5O", 0.92),
          word(120, "Dear", "Dear", 0.99, "letters"), word(160, "Sir", "S1r", 0.41, "letters")]
AFTER = [word(0, "total", "tota1", 0.62), word(40, "cash", "cash", 0.88), word(80, "12.50", "12.50", 0.97),
         word(120, "Dear", "Dear", 1.0, "letters"), word(160, "Sir", "S1r", 0.55, "letters")]


def shares(words):
    right = sum(w.right for w in words) / len(words)
    return {"exact": right, "precision": right, "recall": 0.5, "cer": 1 - right, "n": len(words)}


def entry(title, words, **others):
    table = {name: shares([w for w in words if name in (w.category, "overall")])
             for name in ("receipts", "letters", "overall")}
    fields = {"goal": "To see.", "command": "python main.py train words", "settings": {"rate": 0.002},
              "seed": 1, "sources": "drawn words", "samples": 1000, "seconds": 60.0, "table": table,
              "curve": [{"samples": 500, "exact": 0.5, "receipts": 0.25},
                        {"samples": 1000, "exact": 0.9, "receipts": 0.75}]}
    return notebook.Entry(title=title, **{**fields, **others})


def measured_confidence(words):
    """Bins of a tenth, as an entry keeps them."""
    bins = []
    for k in range(10):
        of = [w for w in words if min(int(w.confidence * 10), 9) == k]
        if of:
            bins.append({"confidence": float(np.mean([w.confidence for w in of])),
                         "right": sum(w.right for w in of) / len(of), "n": len(of)})
    return {"error": 0.1, "bins": bins, "trades": [{"above": 0.9, "precision": 1.0, "recall": 0.4}]}


@pytest.fixture
def folder(tmp_path):
    """A notebook of three entries: before, after (with reliability), and one without words."""
    folder = tmp_path / "notebook"
    notebook.write(entry("Before", BEFORE), folder, BEFORE, "a line of the log")
    notebook.write(entry("After", AFTER, settings={"rate": 0.001}, samples=9000,
                         reliability=measured_confidence(AFTER)), folder, AFTER)
    notebook.write(entry("A measurement", BEFORE, curve=[], samples=0,
                         table={"fp32": {"ms_per_word": 0.8}, "int8": {"ms_per_word": 0.4}}), folder)
    return folder


@pytest.fixture
def docks(folder, tmp_path, qtbot):
    store = QSettings(str(tmp_path / "store.ini"), QSettings.Format.IniFormat)
    store.setValue("notebook/documents", str(tmp_path))  # holds no pages yet
    docks = NotebookDocks(folder, store)
    qtbot.addWidget(docks.view)
    docks.view.resize(1200, 800)
    docks.view.show()
    return docks


def rows_of(docks):
    """What the words table shows: rows of column -> text."""
    model = docks.view.words.words.model
    return [{name: model.index(r, c).data() for c, name in enumerate(model.columns)}
            for r in range(model.rowCount())]


def cells(table):
    return [[table.item(r, c).text() if table.item(r, c) else "" for c in range(table.columnCount())]
            for r in range(table.rowCount())]


def tab(docks, widget):
    docks.view.tabs.setCurrentWidget(widget)


# ---- the list and the page -----------------------------------------------------------------------

def test_entries_are_listed_newest_first_with_their_figures(docks) -> None:
    listed = cells(docks.view.list.table)
    assert [row[0] for row in listed] == ["3", "2", "1"]
    assert listed[1][2:] == ["After", "9,000", "60.0 %", "54.5 %"]  # F1 of 0.6 and 0.5
    assert listed[0][3:] == ["", "", ""]
    assert docks.view.list.current.number == 3


def test_the_filter_hides_entries_without_the_word(docks) -> None:
    docks.view.list.filter.setText("0.001")  # a setting of entry 2
    table = docks.view.list.table
    assert [table.isRowHidden(r) for r in range(3)] == [True, False, True]


def test_an_entry_is_shown_as_a_page_with_its_graph(docks) -> None:
    docks.view.list.select(2)
    browser = docks.view.page.browser
    assert "0002 After" in browser.toPlainText() and "**" not in browser.toPlainText()
    assert browser.toPlainText().count("\N{OBJECT REPLACEMENT CHARACTER}") == 3
    graph = browser.loadResource(2, QUrl("0002-after.svg"))
    assert isinstance(graph, QImage) and graph.width() >= 300
    assert browser.loadResource(2, QUrl("../0002-after.png")).isNull()


def anchors(browser: QTextBrowser) -> list[str]:
    """Where the page's links lead."""
    found, block = [], browser.document().begin()
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            found.append(pieces.fragment().charFormat().anchorHref())
            pieces += 1
        block = block.next()
    return [href for href in found if href]


def test_every_figure_by_category_on_the_page_opens_its_words(docks) -> None:
    docks.view.list.select(1)
    page = docks.view.page
    links = [href for href in anchors(page.browser) if href.startswith("words:")]
    assert len(links) == 3 * 5  # categories and metrics
    page.follow(QUrl(links[0]))
    assert docks.view.words.title.text() == "receipts of entry 1"
    assert [r["label"] for r in rows_of(docks)] == ["12.50", "cash", "total"]


def test_a_link_to_the_log_shows_its_text_and_leads_back(docks) -> None:
    docks.view.list.select(1)
    page = docks.view.page
    assert "0001-before.log.gz" in anchors(page.browser)
    page.follow(QUrl("0001-before.log.gz"))
    assert page.browser.toPlainText() == "a line of the log"
    page.back.click()
    assert "0001 Before" in page.browser.toPlainText()


def test_a_link_out_of_the_folder_is_not_followed(docks, qtbot) -> None:
    with qtbot.waitSignal(docks.said) as told:
        docks.view.page.follow(QUrl("../../secret.txt"))
    assert "does not lie in" in told.args[0]


def test_the_words_file_opens_all_words(docks) -> None:
    docks.view.list.select(1)
    docks.view.page.follow(QUrl("0001-before.tsv.gz"))
    assert len(rows_of(docks)) == len(BEFORE)


def test_the_notebook_is_read_again_when_it_is_shown_again(docks, folder) -> None:
    docks.view.list.select(1)
    docks.view.hide()
    notebook.write(entry("Later", AFTER), folder, AFTER)
    docks.view.show()
    assert [row[0] for row in cells(docks.view.list.table)] == ["4", "3", "2", "1"]
    assert [e.number for e in docks.view.list.selected] == [1]


def test_a_damaged_entry_is_named_and_what_was_read_stays(docks, folder) -> None:
    docks.view.hide()
    (folder / "0009-bad.json").write_text("{}")
    docks.view.show()
    assert "0009-bad.json" in docks.view.problem.text() and docks.view.problem.isVisible()
    assert docks.view.list.table.rowCount() == 3
    (folder / "0009-bad.json").unlink()
    docks.read()
    assert not docks.view.problem.isVisible()


def test_an_empty_notebook_says_so(tmp_path, qtbot) -> None:
    docks = NotebookDocks(tmp_path / "none", QSettings(str(tmp_path / "s.ini"),
                                                      QSettings.Format.IniFormat))
    qtbot.addWidget(docks.view)
    docks.view.show()
    for k in range(docks.view.tabs.count()):
        docks.view.tabs.setCurrentIndex(k)
    assert "holds no entries" in docks.view.problem.text()


# ---- words ---------------------------------------------------------------------------------------

def test_wrong_words_come_first_the_surest_of_them_on_top() -> None:
    assert [w.text for w in worst_first(BEFORE)] == ["12.50", "Sir", "cash", "total", "Dear"]


def test_a_click_on_a_figure_opens_its_words(docks, qtbot) -> None:
    table = docks.view.list.table
    place = table.visualItemRect(table.item(2, 4)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert docks.view.words.isVisible()
    first = rows_of(docks)[0]
    assert (first["verdict"], first["label"], first["reading"], first["box"], first["file"]) == (
        "✗ wrong", "12.50", "12.5O", "80 10 110 22", PAGE)
    assert first["confidence"] == "0.92"


def test_words_are_filtered_by_text_figure_and_verdict(docks) -> None:
    docks.show_words(Ask(1))
    panel = docks.view.words
    panel.words.filter.setText("confidence<0.5 category=letters")
    assert [r["label"] for r in rows_of(docks)] == ["Sir"]
    panel.words.filter.clear()
    panel.which.setCurrentIndex(2)
    assert {r["verdict"] for r in rows_of(docks)} == {"✓ right"}
    docks.show_words(Ask(1))
    assert len(rows_of(docks)) == len(BEFORE)


def test_words_of_a_confidence_are_those_of_its_bin(docks) -> None:
    docks.show_words(Ask(1, low=0.9, high=1.0))
    assert {r["label"] for r in rows_of(docks)} == {"total", "12.50", "Dear"}


def test_an_entry_without_words_says_what_to_do(docks) -> None:
    docks.show_words(Ask(3, "fp32"))
    assert "entry 3 keeps no words" in docks.view.words.title.text()
    assert rows_of(docks) == []
    docks.show_words(Ask(1, "forms"))
    assert "letters, receipts" in docks.view.words.title.text()


def test_spaces_at_the_ends_of_a_reading_can_be_seen() -> None:
    assert [shown(t) for t in (" Tip", "a b ", "", "  ")] == ["␣Tip", "a b␣", "(no text)", "␣␣"]


def test_a_word_is_cut_from_its_page_where_that_is_found(docks, tmp_path) -> None:
    docks.show_words(Ask(1, "letters"))
    panel = docks.view.words
    assert panel.strip.is_empty and "not under" in panel.told.text()
    page = QImage(300, 60, QImage.Format.Format_Grayscale8)
    page.fill(255)
    for x in range(160, 190):
        page.setPixelColor(x, 16, QColor(Qt.GlobalColor.black))
    path = tmp_path / "documents" / PAGE
    path.parent.mkdir(parents=True)
    assert page.save(str(path))
    docks.set_documents(path.parent)  # one inside the root finds it too
    assert not panel.strip.is_empty and "read “S1r”" in panel.told.text()
    image, box = cut_strip(path, BEFORE[4].place[1:])
    assert (box.width(), box.height()) == (30, 12)
    assert image.pixelColor(round(box.x()), round(box.y()) + 6).value() == 0
    assert image.pixelColor(round(box.x()) - 1, round(box.y()) + 6).value() == 255
    assert docks.store.value("notebook/documents") == str(path.parent)


def test_no_picture_is_looked_for_outside_the_documents(tmp_path) -> None:
    (tmp_path / "one.png").write_bytes(b"")
    (tmp_path / "documents").mkdir()
    assert page_of(replace(BEFORE[0], file="../one.png"), tmp_path / "documents") is None
    assert page_of(replace(BEFORE[0], file=str(tmp_path / "one.png")), tmp_path) is None


# ---- plots ---------------------------------------------------------------------------------------

def test_curves_of_several_entries_are_errors_against_samples(docks) -> None:
    docks.view.list.select(2, 1, 3)
    tab(docks, docks.view.curves)
    curves = docks.view.curves.plot.curves
    assert [c.name for c in curves] == ["2 After", "1 Before"]
    assert curves[0].x == (500.0, 1000.0) and curves[0].y == pytest.approx((50, 10))
    assert "entry 3" in docks.view.curves.note.text()
    docks.view.curves.metric.setCurrentText("all")
    assert len(docks.view.curves.plot.curves) == 4
    docks.view.curves.log.setChecked(True)
    assert len(docks.view.curves.plot.curves) == 4


def test_the_last_point_of_a_curve_has_words_behind_it(docks, qtbot) -> None:
    docks.view.list.select(1)
    tab(docks, docks.view.curves)
    plot = docks.view.curves.plot
    points = plot.plotItem.listDataItems()[0].scatter.points()
    with qtbot.assertNotEmitted(docks.view.asked):
        plot._clicked(plot.curves[0], [points[0]])
    with qtbot.waitSignal(docks.view.asked):
        plot._clicked(plot.curves[0], [points[-1]])
    assert docks.view.words.title.text() == "All words of entry 1"


def test_a_perfect_score_can_be_drawn_on_a_logarithmic_axis(docks, folder) -> None:
    notebook.write(entry("Perfect", AFTER, curve=[{"samples": 5, "exact": 1.0},
                                                  {"samples": 9, "exact": 0.5}]), folder)
    docks.read()
    docks.view.list.select(4)
    tab(docks, docks.view.curves)
    docks.view.curves.log.setChecked(True)
    assert docks.view.curves.plot.curves[0].x == (9.0,)


def test_curves_are_told_apart_by_more_than_colour(docks) -> None:
    plot = docks.view.curves.plot
    curves = error_curves([entry(str(k), AFTER, number=k) for k in range(9)])
    plot.show_curves(curves)
    looks = [(item.opts["symbol"], item.opts["pen"].style()) for item in plot.plotItem.listDataItems()]
    assert len(looks) == 9 and len({s for s, _ in looks}) == len(SYMBOLS)


def test_early_errors_do_not_set_the_scale() -> None:
    early = [{"samples": n, "exact": v} for n, v in ((1, 0.0), (2, 0.9), (3, 0.9), (4, 0.9))]
    assert late_top(error_curves([entry("A", AFTER, curve=early)])) == pytest.approx(13)


def test_trends_list_every_metric_by_category_over_entries(docks) -> None:
    trend = docks.view.trend
    tab(docks, trend)
    trend.category.setCurrentText("receipts")
    rows = cells(trend.table)
    assert [row[:2] + row[3:] for row in rows if row[1] == "exact"] == [
        ["receipts", "exact", "33.3 %", "66.7 %"]]
    trend.category.setCurrentText("all")
    assert {row[0] for row in cells(trend.table)} == {"receipts", "letters", "overall", "fp32", "int8"}
    assert "another unit" in trend.note.text()


def test_a_figure_of_the_trends_opens_its_words(docks) -> None:
    trend = docks.view.trend
    trend.category.setCurrentText("letters")
    trend.table.cellClicked.emit(0, 4)
    assert docks.view.words.title.text() == "letters of entry 2"
    assert [r["label"] for r in rows_of(docks)] == ["Sir", "Dear"]


def test_only_the_selected_rows_of_the_trends_are_plotted(docks) -> None:
    trend = docks.view.trend
    trend.category.setCurrentText("overall")
    trend.table.selectRow(0)
    assert [c.name for c in trend.plot.curves] == ["overall exact"]
    assert trend.plot.curves[0].x == (1.0, 2.0)
    assert trend.plot.curves[0].y == pytest.approx((40, 60))


def test_reliability_lies_on_the_diagonal_where_confidence_is_honest() -> None:
    honest = {"error": 0.0, "trades": [], "bins": [{"confidence": c, "right": c, "n": 5}
                                                   for c in (0.25, 0.75)]}
    guide, curve = reliability_curves([entry("A", AFTER, number=1, reliability=honest)])
    assert guide.is_guide and curve.x == curve.y == (25.0, 75.0)
    assert (curve.asks[1].low, curve.asks[1].high) == (0.7, 0.8)


def test_a_bin_of_the_reliability_plot_holds_as_many_words_as_it_says(docks) -> None:
    docks.view.list.select(2, 1)
    tab(docks, docks.view.reliability)
    table = docks.view.reliability.table
    assert "entry 1" in docks.view.reliability.note.text()
    rows = cells(table)
    assert len(rows) == 4
    for row, texts in enumerate(rows):
        table.cellClicked.emit(row, 4)
        assert len(rows_of(docks)) == int(texts[4])
    docks.view.list.select(3)
    assert not table.isVisible()


# ---- two entries ---------------------------------------------------------------------------------

def test_two_selected_entries_are_compared_the_older_first(docks) -> None:
    docks.view.list.select(2, 1)
    view = docks.view.comparison
    tab(docks, view)
    assert view.pair == (1, 2)
    rows = {row[0]: row[1:] for row in cells(view.table)}
    assert rows["setting rate"] == ["0.002", "0.001", ""]
    assert rows["receipts · exact"] == ["33.3 %", "66.7 %", "▲ +33.33 points, better"]
    assert rows["overall · cer"][2] == "▼ -20.00 points, better"
    assert "letters · exact" not in rows and "seed" not in rows  # they are equal
    assert rows["receipts · words"][:2] == ["✓ 2 fixed", "✗ 1 broken"]
    view.all.setChecked(True)
    assert {"letters · exact", "seed"} <= {row[0] for row in cells(view.table)}


def test_fixed_and_broken_words_are_listed(docks) -> None:
    docks.view.list.select(2, 1)
    view = docks.view.comparison
    tab(docks, view)
    view.broken.click()
    (broken,) = rows_of(docks)
    assert (broken["label"], broken["before"], broken["reading"]) == ("total", "total", "tota1")
    docks.view.words.which.setCurrentIndex(0)
    assert [r["verdict"] for r in rows_of(docks)] == ["✓ fixed", "✓ fixed", "✗ broken"]
    view.swap.click()
    assert view.pair == (2, 1) and view.fixed.text() == "✓ Fixed  1"


def test_entries_without_words_are_compared_by_figures_alone(docks) -> None:
    docks.view.list.select(3, 1)
    view = docks.view.comparison
    tab(docks, view)
    assert "entry 3 keeps no words" in view.note.text() and not view.fixed.isVisible()


def test_less_of_an_error_or_a_time_is_better() -> None:
    assert is_better("ms_per_word", 2, 1) and is_better("calibration error", 0.2, 0.1)
    assert is_better("exact", 0.8, 0.9) and not is_better("cer", 0.1, 0.2)
    assert change("ms_per_word", 2.0, 2.0) == "="


# ---- the window ----------------------------------------------------------------------------------

def test_every_control_has_a_name(docks) -> None:
    docks.show_words(Ask(1))
    kinds = (QAbstractButton, QComboBox, QLineEdit, QAbstractItemView, QTextBrowser, Plot)
    for widget in docks.view.findChildren(QWidget):
        if not isinstance(widget, kinds) or isinstance(widget, QScrollBar):
            continue
        if widget.objectName().startswith("qt_") or isinstance(
                widget.parent(), (QLineEdit, QComboBox, QAbstractItemView)):
            continue
        if "Private" in type(widget).__name__ or widget.metaObject().className().startswith("QTab") \
                or widget.parent().metaObject().className() in (
                    "QTabBar", "QTableView", "QTableWidget", "QComboBoxPrivateContainer"):
            continue
        assert widget.accessibleName() or getattr(widget, "text", str)(), widget


def contrast(a: QColor, b: QColor) -> float:
    """WCAG 2.2, 1.4.3."""
    def light(c):
        parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
                 for v in (c.redF(), c.greenF(), c.blueF())]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    low, high = sorted((light(a), light(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#1e1e1e"])
def test_curves_stand_out_from_both_grounds(docks, ground) -> None:
    palette = QPalette(QColor(ground))
    palette.setColor(QPalette.ColorRole.Base, QColor(ground))
    docks.view.setPalette(palette)
    plot = docks.view.curves.plot
    plot.setPalette(palette)
    plot.show_curves(error_curves([entry(str(k), AFTER, number=k) for k in range(7)]))
    for item in plot.plotItem.listDataItems():
        assert contrast(item.opts["pen"].color(), QColor(ground)) >= 3  # WCAG 1.4.11, graphics


def test_it_is_a_workspace_and_torch_stays_out_of_the_window(tmp_path) -> None:
    assert "Notebook" in [w.name for w in WORKSPACES]
    code = ("import sys; from PySide6.QtWidgets import QApplication; app = QApplication([]);"
            "from PySide6.QtCore import QSettings; from workbench.notebook_docks import NotebookDocks;"
            f"d = NotebookDocks(store=QSettings({str(tmp_path / 's.ini')!r}, QSettings.Format.IniFormat));"
            "d.view.show(); app.processEvents(); assert d.view.list.entries;"
            "d.view.comparison.compare(1, 2); assert 'torch' not in sys.modules")
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[1],
                          capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
