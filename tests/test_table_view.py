"""Any core table as rows: what cells say, sorting, filtering, picking."""

import numpy as np
import pytest
from hand_readings import large_reading, small_reading
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QLineEdit, QScrollBar, QTableView

from core.reading import STAGES, Ref
from views.table import TableModel, TableView, cell_text, matching


@pytest.fixture
def view(qtbot):
    view = TableView()
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show_table(small_reading().blobs)
    return view


def column(model: TableModel, name: str) -> list[str]:
    place = model.columns.index(name)
    return [model.data(model.index(row, place)) for row in range(model.rowCount())]


@pytest.mark.parametrize("stage", STAGES)
def test_the_model_keeps_qts_rules_for_every_table(qapp, stage):
    model = TableModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_table(small_reading().table(stage))
    for place in range(model.columnCount()):
        model.sort(place, Qt.SortOrder.DescendingOrder)
        for row in range(model.rowCount()):
            assert model.data(model.index(row, place)) is not None
    model.set_filter("total")
    model.set_filter("")
    model.set_table(None)
    assert model.rowCount() == 0 and model.rowCount(QModelIndex()) == 0
    del tester


def test_codes_are_named_and_boxes_are_whole_pixels():
    reading = small_reading()
    assert cell_text(reading.blobs, "fate", 9) == "too small"
    assert cell_text(reading.blobs, "box", 9) == "300 200 303 203"
    assert cell_text(reading.blobs, "area", 10) == "106,400"
    assert cell_text(reading.boxes, "gap", 0) == "–"        # first of its line
    assert cell_text(reading.segments, "cut", 2) == "end of the box / cut at a gap"
    assert cell_text(reading.attempts, "chosen", 2) == "no"
    assert cell_text(reading.boxes, "parents", 1) == "blobs 3, 4, 5"


def test_sorting_is_by_value_and_equal_rows_stay_in_reading_order(view):
    model = view.model
    place = model.columns.index("area")
    model.sort(place, Qt.SortOrder.DescendingOrder)
    area = small_reading().blobs.area[model.order]
    assert (np.diff(area) <= 0).all() and model.order[:4].tolist() == [10, 6, 7, 8]
    model.sort(place, Qt.SortOrder.AscendingOrder)
    assert model.order[0] == 9 and model.order[1:4].tolist() == [0, 1, 2]


def test_codes_sort_by_name(view):
    view.model.sort(view.model.columns.index("fate"))
    names = column(view.model, "fate")
    assert names == sorted(names)


@pytest.mark.parametrize(("text", "rows"), [
    ("area<12", [9]), ("fate=kept area>1000", [6, 7, 8]), ("too", [9, 10]), ("small", [9]),
    ("row=7", [7]), ("11", [11]), ("width>300", [10]), ("fate!=kept", [9, 10, 11]),
    ("nothing=1", []), ("area<twelve", []), ("too big", [10])])
def test_filters_of_words_and_conditions(text, rows):
    assert np.flatnonzero(matching(small_reading().blobs, text)).tolist() == rows


def test_texts_are_found_whatever_the_case():
    reading = small_reading()
    assert np.flatnonzero(matching(reading.words, "TOT")).tolist() == [0]
    assert np.flatnonzero(matching(reading.words, "confidence<0.5")).tolist() == [3]
    assert np.flatnonzero(matching(reading.attempts, "chosen=no")).tolist() == [2]


def test_the_filter_line_counts(view):
    view.filter.setText("fate=kept")
    assert view._count.text() == "9 of 12" and view.model.rowCount() == 9
    view.filter.clear()
    assert view._count.text() == "12 rows"


def test_choosing_a_row_picks_it_and_highlighting_does_not(view, qtbot):
    found = []
    view.picked.connect(found.append)
    view.model.sort(view.model.columns.index("area"))
    view.table.selectRow(0)
    assert found == [Ref("blobs", 9)]
    view.highlight(np.array([4, 5]))
    chosen = {view.model.row_of(i) for i in view.table.selectionModel().selectedRows()}
    assert chosen == {4, 5} and found == [Ref("blobs", 9)]


def test_a_new_table_picks_nothing(view):
    found = []
    view.picked.connect(found.append)
    view.table.selectRow(3)
    found.clear()
    view.show_table(small_reading().words)
    view.show_table(None)
    assert found == []


def test_filtered_rows_lose_their_index_and_others_keep_it(view):
    model = view.model
    kept, lost = (QPersistentModelIndex(model.index(row, 0)) for row in (3, 9))
    model.set_filter("fate=kept")
    assert kept.isValid() and model.row_of(kept) == 3 and not lost.isValid()


def test_fifty_thousand_rows_are_shown_sorted_and_filtered(view):
    blobs = large_reading(50_000).blobs
    view.show_table(blobs)
    view.table.sortByColumn(view.model.columns.index("area"), Qt.SortOrder.AscendingOrder)
    view.filter.setText("fate=kept area<200")
    wanted = (blobs.fate == 0) & (blobs.area < 200)
    assert view.model.rowCount() == wanted.sum()
    assert (np.diff(blobs.area[view.model.order]) >= 0).all()


def test_every_control_has_a_name_for_screen_readers(view):
    controls = [*view.findChildren(QAbstractButton), *view.findChildren(QAbstractSlider),
                *view.findChildren(QLineEdit)]
    mine = [c for c in controls if not isinstance(c, QScrollBar)
            and not c.objectName().startswith("qt_") and "Header" not in type(c.parent()).__name__]
    silent = [c for c in mine if not c.accessibleName() and not getattr(c, "text", str)()
              and type(c.parent()) is not QLineEdit and type(c.parent()) is not QTableView]
    assert silent == []
