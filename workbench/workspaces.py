"""The window's workspaces: documents, and beside them views of other things, made when first shown.

A new one is a line in WORKSPACES: its name and a function that makes (what is shown, who owns it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

DOCUMENTS = "Documents"


class Owner(Protocol):
    """Who connects a workspace's view to what it works on."""

    said: Any  # Signal(str): a sentence for the status bar

    def close(self) -> None:
        """End its processes, keep what is to be kept; nothing is shown any more."""


@dataclass(frozen=True)
class Workspace:
    """`make(parent)` gives the view and its owner."""

    name: str
    make: Callable[[QWidget], tuple[QWidget, Owner]]


def fonts(parent: QWidget) -> tuple[QWidget, Owner]:
    """Fonts and the verdicts on them."""
    from workbench import font_docks
    return font_docks.workspace(parent)


def samples(parent: QWidget) -> tuple[QWidget, Owner]:
    """Synthetic samples and how each came to be."""
    from workbench import sample_docks
    return sample_docks.workspace(parent)


def notebook(parent: QWidget) -> tuple[QWidget, Owner]:
    """The lab notebook and the words behind its figures."""
    from workbench import notebook_docks
    return notebook_docks.workspace(parent)


WORKSPACES: tuple[Workspace, ...] = (
    Workspace("Fonts", fonts),
    Workspace("Samples", samples),
    Workspace("Notebook", notebook),
)


class Workspaces(QWidget):
    """Tabs above a stack of workspaces, documents first."""

    shown = Signal(str)  # the name of the workspace that is shown now
    said = Signal(str)

    def __init__(self, documents: QWidget, parent: QWidget | None = None,
                 others: tuple[Workspace, ...] = WORKSPACES) -> None:
        super().__init__(parent)
        self._others = others
        self._made: dict[str, tuple[QWidget, Owner]] = {}
        self.tabs, self._stack = QTabBar(), QStackedWidget()
        self.tabs.setAccessibleName("Workspaces")
        self.tabs.setDocumentMode(True)
        self.tabs.setExpanding(False)
        self._stack.addWidget(documents)
        for name in (DOCUMENTS, *(w.name for w in others)):
            self.tabs.addTab(name)
        self.tabs.currentChanged.connect(self._show)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tabs)
        layout.addWidget(self._stack, 1)

    @property
    def current(self) -> str:
        """The name of the workspace that is shown."""
        return self.tabs.tabText(self.tabs.currentIndex())

    def show_workspace(self, name: str) -> None:
        """Show one by its name; it is made if it was never shown."""
        names = [self.tabs.tabText(k) for k in range(self.tabs.count())]
        self.tabs.setCurrentIndex(names.index(name))

    @property
    def actions_here(self) -> list[QAction]:
        """What can be done in the workspace that is shown: the actions its view was given."""
        return [] if self.current == DOCUMENTS else self._made[self.current][0].actions()

    def owner(self, name: str) -> Owner | None:
        """Who owns a workspace, None while it has never been shown."""
        made = self._made.get(name)
        return made[1] if made else None

    def _show(self, tab: int) -> None:
        name = self.tabs.tabText(tab)
        if name == DOCUMENTS:
            self._stack.setCurrentIndex(0)
        else:
            if name not in self._made:
                view, owner = self._others[tab - 1].make(self)
                self._made[name] = view, owner
                self._stack.addWidget(view)
                owner.said.connect(self.said)
            view = self._made[name][0]
            self._stack.setCurrentWidget(view)
            view.setFocus()
        self.shown.emit(name)

    def close_all(self) -> None:
        """Close what was made."""
        for _, owner in self._made.values():
            owner.close()
