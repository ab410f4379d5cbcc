"""Undoable edits of the settings and of what a person says about pages.

Plain values on two lists, not a QUndoStack of commands: an edit is known by what was said before
and after it, so nothing has to do or undo anything itself.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from core.settings import Settings

SAME_EDIT = 1.0  # s within which further changes of one setting (a wheel, a drag) undo as one
LIMIT = 500      # edits kept


@dataclass(frozen=True)
class Said:
    """What a person has set: the settings, and page -> quarter turns by hand."""

    settings: Settings = field(default_factory=Settings)
    turns: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Edit:
    """One step of the history. `what`: a setting's path, or words."""

    what: str
    before: Said
    after: Said
    when: float


class History(QObject):
    """Edits done and undone. `changed` comes after each of them, with what is now said."""

    changed = Signal(object)

    def __init__(self, said: Said, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.said = said
        self._done: list[Edit] = []
        self._undone: list[Edit] = []

    def __len__(self) -> int:
        return len(self._done)

    @property
    def undo_text(self) -> str:
        """What would be undone, "" for nothing."""
        return self._done[-1].what if self._done else ""

    @property
    def redo_text(self) -> str:
        """What would be done again, "" for nothing."""
        return self._undone[-1].what if self._undone else ""

    def edit(self, what: str, after: Said) -> None:
        """Say something else; quick edits of the same thing become one."""
        if after == self.said:
            return
        edit = Edit(what, self.said, after, time.monotonic())
        last = self._done[-1] if self._done else None
        if last is not None and last.what == what and edit.when - last.when < SAME_EDIT:
            edit = Edit(what, last.before, after, edit.when)
            self._done.pop()
        if edit.before != edit.after:
            self._done = [*self._done, edit][-LIMIT:]
        self._undone.clear()
        self._say(after)

    def undo(self) -> None:
        """Take the last edit back."""
        if self._done:
            self._undone.append(self._done.pop())
            self._say(self._undone[-1].before)

    def redo(self) -> None:
        """Do the last undone edit again."""
        if self._undone:
            self._done.append(self._undone.pop())
            self._say(self._done[-1].after)

    def forget(self, said: Said) -> None:
        """Start afresh: another document."""
        self._done, self._undone = [], []
        self._say(said)

    def _say(self, said: Said) -> None:
        self.said = said
        self.changed.emit(said)
