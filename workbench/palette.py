"""Two small dialogs over all actions: the command palette and the list of keys."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.actions import plain

NATIVE = QKeySequence.SequenceFormat.NativeText


class Palette(QDialog):
    """Type a part of a name, Enter runs the action."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Command palette")
        self.resize(520, 420)
        self.search = QLineEdit(placeholderText="What do you want to do?", clearButtonEnabled=True)
        self.search.setAccessibleName("Search actions")
        self.found = QListWidget()
        self.found.setAccessibleName("Actions found")
        layout = QVBoxLayout(self)
        layout.addWidget(self.search)
        layout.addWidget(self.found)
        self.actions_listed = [a for a in actions if a.isEnabled()]
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self.search.returnPressed.connect(self._run)
        self.found.itemActivated.connect(self._run)
        self._filter("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys in the search field move in the list."""
        if event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self.found.setCurrentRow((self.found.currentRow() + step) % max(self.found.count(), 1))
            return True
        return super().eventFilter(watched, event)

    def _filter(self, text: str) -> None:
        parts = text.casefold().split()
        self.found.clear()
        for action in self.actions_listed:
            name = plain(action.text())
            if all(part in name.casefold() for part in parts):
                keys = action.shortcut().toString(NATIVE)
                item = QListWidgetItem(f"{name}    {keys}" if keys else name)
                item.setToolTip(action.statusTip())
                item.setData(Qt.ItemDataRole.UserRole, action)
                self.found.addItem(item)
        self.found.setCurrentRow(0)

    def _run(self) -> None:
        item = self.found.currentItem()
        if item is not None:
            self.accept()
            item.data(Qt.ItemDataRole.UserRole).trigger()


class Keys(QDialog):
    """All actions that have keys."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.resize(860, 680)
        rows = [(plain(a.text()), _keys_text(a), a.statusTip()) for a in actions if a.shortcuts()]
        rows.append(("Hide overlays while held", "H", "The bare page"))
        table = QTableWidget(len(rows), 3)
        table.setHorizontalHeaderLabels(["Action", "Keys", "What it does"])
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setAccessibleName("Keys")
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                table.setItem(i, j, QTableWidgetItem(text))
        table.resizeColumnsToContents()
        table.setAlternatingRowColors(True)
        table.setShowGrid(False)
        table.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        QVBoxLayout(self).addWidget(table)


def _keys_text(action: QAction) -> str:
    """An action's keys; Backtab is but another name of Shift+Tab."""
    keys = [key.toString(NATIVE) for key in action.shortcuts()]
    return "   ".join(key for key in keys if "Backtab" not in key)
