"""A reading of the same page with other settings, made beside the one on screen.

Its tables go to the session's memo like all others, so taking the settings afterwards runs no stage
again, and leaving them costs nothing: the reading on screen was never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.reading import Reading, Table
from core.settings import Settings
from workbench import messages

if TYPE_CHECKING:
    from workbench.session import Session


class Trial(QObject):
    """At most one at a time. `changed` comes when it begins, has another table, fails or ends.

    settings  it is made with, None while there is none
    what      the setting that is tried ("blobs.min_side")
    state     "", "reading", "done" or "failed"
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self.settings: Settings | None = None
        self.what, self.state = "", ""
        self.reading = Reading()
        self._plan: dict[str, str] = {}
        self._job = messages.NO_JOB
        self.is_asked = False    # a request is to be sent

    def begin(self, settings: Settings, what: str) -> None:
        """Read the page with `settings`; tables that are known are there at once."""
        session = self._session
        self.settings, self.what, self.reading = settings, what, Reading()
        self._plan, self._job = session.keys_of(settings), messages.NO_JOB
        for key in self._plan.values():
            table = session.memo.get(key)
            if table is not None:
                self.reading = self.reading.with_table(table)
        self.is_asked = any(self.reading.table(name) is None for name in self._plan)
        self.state = "reading" if self.is_asked else "done"
        self.changed.emit()

    def end(self) -> None:
        """There is none any more."""
        if self.settings is None:
            return
        self.settings, self.what, self.state = None, "", ""
        self.reading, self._plan = Reading(), {}
        self._job, self.is_asked = messages.NO_JOB, False
        self.changed.emit()

    def sent(self, request: messages.Read) -> messages.Read:
        """The request is on its way."""
        self._job, self.is_asked = request.job, False
        return request

    def is_mine(self, request: object) -> bool:
        """Whether a request is the one that reads this trial (or an earlier one, since ended)."""
        return isinstance(request, messages.Read) and request.is_trial

    def take(self, name: str, key: str, table: Table) -> None:
        """A table was made; keep it where it belongs to this trial."""
        if self._plan.get(name) == key and self.reading.table(name) is None:
            self.reading = self.reading.with_table(table)
            self.changed.emit()

    def finish(self, request: messages.Read, state: str) -> None:
        """The job of a request is over."""
        if request.job == self._job:
            self.state, self._job = state, messages.NO_JOB
            self.changed.emit()
