"""Any core table in a QTableView: sorted and filtered by NumPy inside the model.

At 20,000 rows a QSortFilterProxyModel over a Python model takes 6 s to sort, an argsort 2 ms.
"""

from __future__ import annotations

import operator
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from core.reading import Attempts, Blobs, Boxes, Buckets, Lines, Ref, Segments, Table
from views.layers import number

Index = QModelIndex | QPersistentModelIndex
NO_PARENT = QModelIndex()
SHOWN_PARENTS = 6          # parents named in a cell
_NAMES = {("blobs", "polarity"): Blobs.POLARITIES, ("lines", "polarity"): Blobs.POLARITIES,
          ("boxes", "polarity"): Blobs.POLARITIES, ("blobs", "fate"): Blobs.FATES,
          ("lines", "fate"): Lines.FATES, ("boxes", "fate"): Boxes.FATES,
          ("segments", "cut"): Segments.CUTS, ("buckets", "bucket"): Buckets.BUCKETS,
          ("attempts", "move"): Attempts.MOVES}
_LEFT_OUT = ("window", "upright_from_window", "quad")   # pictures and numbers nobody reads in a cell
_COMPARE = {"<=": operator.le, ">=": operator.ge, "!=": operator.ne, "<": operator.lt,
            ">": operator.gt, "=": operator.eq}
_TERM = re.compile(r"^(\w+)(<=|>=|!=|<|>|=)(.+)$")
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class TableModel(QAbstractTableModel):
    """The rows of one table in the order and choice of `order` (m,) int64."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table: Table | None = None
        self.columns: list[str] = []
        self.order = np.zeros(0, np.int64)
        self._filter = ""
        self._sorted_by: tuple[int, Qt.SortOrder] = (0, Qt.SortOrder.AscendingOrder)

    def set_table(self, table: Table | None) -> None:
        """Show another table; the filter and, for the same kind of table, the sorting stay."""
        self.beginResetModel()
        if table is None or self._table is None or table.name != self._table.name:
            self._sorted_by = (0, Qt.SortOrder.AscendingOrder)
        self._table = table
        self.columns = _columns(table)
        self.order = self._ordered()
        self.endResetModel()

    @property
    def table(self) -> Table | None:
        """The table that is shown."""
        return self._table

    def set_filter(self, text: str) -> None:
        """Keep the rows that fulfil every term of `text` (see `matching`)."""
        self._filter = text
        self._reorder()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if 0 <= column < len(self.columns):
            self._sorted_by = column, order
            self._reorder()

    def _reorder(self) -> None:
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        rows = [int(self.order[index.row()]) for index in old]
        self.order = self._ordered()
        place = np.full(self._n_rows(), -1)
        place[self.order] = np.arange(len(self.order))
        self.changePersistentIndexList(old, [
            self.index(int(place[row]), index.column()) if place[row] >= 0 else QModelIndex()
            for row, index in zip(rows, old, strict=True)])
        self.layoutChanged.emit()

    def _n_rows(self) -> int:
        return 0 if self._table is None else len(self._table)

    def _ordered(self) -> NDArray[np.int64]:
        if self._table is None or not self.columns:
            return np.zeros(0, np.int64)
        rows = np.flatnonzero(matching(self._table, self._filter))
        column, order = self._sorted_by
        if column == 0:
            return rows if order == Qt.SortOrder.AscendingOrder else rows[::-1]
        keys = _sort_keys(self._table, self.columns[column])[rows]
        by = np.argsort(keys, kind="stable")
        if order == Qt.SortOrder.DescendingOrder:
            # Reversed from the back, so that equal rows stay in reading order.
            by = len(keys) - 1 - np.argsort(keys[::-1], kind="stable")[::-1]
        return rows[by]

    def row_of(self, index: Index) -> int:
        """The table's row shown at an index."""
        return int(self.order[index.row()])

    def places_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the rows are shown, sorted; filtered ones are left out."""
        return np.flatnonzero(np.isin(self.order, rows))

    # ---- Qt ------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.order)

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.order):
            return None
        name = self.columns[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return cell_text(self._table, name, self.row_of(index))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if _is_number(self._table, name) else LEFT
        return None

    def headerData(self, section: int, orientation: Qt.Orientation,
                   role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        return self.columns[section].replace("_", " ") if section < len(self.columns) else None


def _columns(table: Table | None) -> list[str]:
    if table is None or not table.ROWS:
        return []
    columns = ["row", *(name for name in table.ROWS if name not in _LEFT_OUT)]
    return [*columns, "parents"] if getattr(table, "parents", None) is not None else columns


def _column(table: Table, name: str) -> NDArray:
    return np.arange(len(table)) if name == "row" else getattr(table, name)


def _is_number(table: Table, name: str) -> bool:
    if name in ("parents", "box") or (table.name, name) in _NAMES:
        return False
    column = _column(table, name)
    return column.ndim == 1 and column.dtype.kind in "iuf"


def _sort_keys(table: Table, name: str) -> NDArray:
    """(n,) by which a column is sorted: codes by name, boxes from the top, parents by the first."""
    if name == "parents":
        first = np.full(len(table), -1, np.int64)
        some = np.diff(table.parents.offsets) > 0
        first[some] = table.parents.rows[table.parents.offsets[:-1][some]]
        return first
    column = _column(table, name)
    if name == "box":
        return column[:, 1]
    if column.ndim > 1:
        column = column.reshape(len(column), -1)[:, 0]
    names = _NAMES.get((table.name, name))
    if names:
        return np.argsort(np.argsort(np.array(names)))[column]
    return np.char.lower(column) if column.dtype.kind == "U" else column


def cell_text(table: Table, name: str, row: int) -> str:
    """One cell as it is read: codes by name, boxes as whole px."""
    if name == "row":
        return f"{row:,}"
    if name == "parents":
        parents = table.parents.of(row).tolist()
        more = f" +{len(parents) - SHOWN_PARENTS}" if len(parents) > SHOWN_PARENTS else ""
        return f"{table.parents.table} {', '.join(map(str, parents[:SHOWN_PARENTS]))}{more}"
    value = getattr(table, name)[row]
    names = _NAMES.get((table.name, name))
    if names:
        return " / ".join(names[int(code)] for code in np.atleast_1d(value))
    if value.dtype.kind == "b":
        return "yes" if value else "no"
    if value.dtype.kind == "U":
        return str(value)
    if value.ndim:
        return " ".join(f"{v:.0f}" for v in value.ravel().tolist())
    return "–" if value.dtype.kind == "f" and np.isnan(value) else number(float(value))


def matching(table: Table, text: str) -> NDArray[np.bool_]:
    """(n,) rows that fulfil every term of a filter.

    A term is `column<value` (or <=, >, >=, =, !=; "area<12", "fate=kept", "width>100") or a word,
    which must occur in a text column or a code's name, or be the row's number.
    """
    mask = np.ones(len(table), bool)
    for term in text.lower().split():
        found = _TERM.match(term)
        mask &= _compared(table, *found.groups()) if found else _containing(table, term)
    return mask


def _compared(table: Table, name: str, sign: str, wanted: str) -> NDArray[np.bool_]:
    compare = _COMPARE[sign]
    if name in ("width", "height") and name not in table.ROWS and "box" in table.ROWS:
        side = 0 if name == "width" else 1
        column = table.box[:, 2 + side] - table.box[:, side]
    elif name in ("row", *table.ROWS):
        column = _column(table, name)
    else:
        return np.zeros(len(table), bool)
    names = _NAMES.get((table.name, name))
    if names:
        codes = [code for code, label in enumerate(names) if wanted in label.lower()]
        hit = np.isin(column, codes)
        hit = hit.any(1) if hit.ndim > 1 else hit
        return ~hit if sign == "!=" else hit
    if column.dtype.kind == "U":
        return compare(np.char.lower(column), wanted)
    if column.dtype.kind == "b":
        return compare(column, wanted in ("yes", "true", "1"))
    try:
        limit = float(wanted)
    except ValueError:
        return np.zeros(len(table), bool)
    return compare(column, limit) if column.ndim == 1 else np.zeros(len(table), bool)


def _containing(table: Table, word: str) -> NDArray[np.bool_]:
    mask = np.zeros(len(table), bool)
    if word.isdigit() and int(word) < len(table):
        mask[int(word)] = True
    for name in table.ROWS:
        column, names = getattr(table, name), _NAMES.get((table.name, name))
        if names:
            hit = np.isin(column, [c for c, label in enumerate(names) if word in label.lower()])
            mask |= hit.any(1) if hit.ndim > 1 else hit
        elif column.dtype.kind == "U":
            mask |= np.char.find(np.char.lower(column), word) >= 0
    return mask


class TableView(QWidget):
    """A table with a filter line. Selecting a row picks it."""

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Rows of the chosen stage")
        self._silent = False
        self.model = TableModel(self)
        self.filter = QLineEdit(clearButtonEnabled=True)
        self.filter.setPlaceholderText("Filter: a word, or area<12, fate=small, width>100, row=7")
        self.filter.setAccessibleName("Filter the rows")
        self.filter.setToolTip("Words and conditions, all must hold: total  area<12  fate=kept  "
                               "confidence<0.5")
        self.filter.textChanged.connect(self._filter)
        self._count = QLabel()
        self.table = QTableView()
        self.table.setAccessibleName("Rows")
        self.table.setModel(self.model)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.setAlternatingRowColors(True)
        self.table.setWordWrap(False)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.selectionModel().currentRowChanged.connect(self._current)
        head = QHBoxLayout()
        head.addWidget(self.filter, 1)
        head.addWidget(self._count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addLayout(head)
        layout.addWidget(self.table)

    def show_table(self, table: Table | None) -> None:
        """Show a table, or nothing; the same table again changes nothing."""
        before = self.model.table
        if table is before:
            return
        self._silent = True
        self.model.set_table(table)
        column, order = self.model._sorted_by
        self.table.horizontalHeader().setSortIndicator(column, order)
        self._silent = False
        if table is not None and (before is None or before.name != table.name):
            self._fit_columns()
        self._tell()

    def highlight(self, rows: NDArray[np.int64]) -> None:
        """Select these rows and scroll to the first, without picking it."""
        places = self.model.places_of(np.asarray(rows, np.int64))
        self._silent = True
        last = max(self.model.columnCount() - 1, 0)
        chosen = QItemSelection()
        for place in places[:1000].tolist():
            chosen.select(self.model.index(place, 0), self.model.index(place, last))
        model = self.table.selectionModel()
        model.select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if len(places):
            index = self.model.index(int(places[0]), 0)
            current = self.table.currentIndex()
            if not current.isValid() or current.row() not in places:
                model.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.table.scrollTo(index)
        self._silent = False

    def _fit_columns(self) -> None:
        """Widths for the names and some rows; resizeColumnsToContents reads every row."""
        metrics = self.table.fontMetrics()
        table, n = self.model.table, len(self.model.order)
        shown = self.model.order[np.linspace(0, n - 1, min(n, 40)).astype(int)] if n else ()
        for i, name in enumerate(self.model.columns):
            texts = [name, *(cell_text(table, name, int(row)) for row in shown)]
            width = max(metrics.horizontalAdvance(text) for text in texts) + 24
            self.table.setColumnWidth(i, min(width, 320))

    def _filter(self, text: str) -> None:
        self.model.set_filter(text)
        self._tell()

    def _tell(self) -> None:
        table = self.model.table
        total, shown = 0 if table is None else len(table), len(self.model.order)
        self._count.setText(f"{shown:,} of {total:,}" if shown < total else f"{total:,} rows")

    def _current(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid() and not self._silent and self.model.table is not None:
            self.picked.emit(Ref(self.model.table.name, self.model.row_of(index)))
