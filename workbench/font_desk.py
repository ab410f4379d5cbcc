"""A font process and what waits for it: the most urgent first, one at a time, nothing twice."""

from __future__ import annotations

import heapq
import itertools
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.pipeline import RESOURCES
from workbench import font_worker, messages
from workbench.link import Link

MAX_DEATHS = 3  # crashes in a row, no job done between, before what waits is given up


class Desk(QObject):
    """Asks a process of its own; it is started with the first request."""

    answered = Signal(object)        # an answer, see workbench.font_messages
    failed = Signal(object, object)  # the request, messages.Failed
    finished = Signal(object, bool)  # the request, whether it was done to its end
    died = Signal(object)            # the request that the process crashed on

    _jobs = itertools.count(1)

    def __init__(self, resources: Path = RESOURCES, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: list[tuple[int, int, object, Any]] = []
        self._names: dict[object, int] = {}  # of what waits -> its order number
        self._order = itertools.count()
        self._running: tuple[object, Any] | None = None
        self._deaths, self._is_started = 0, False
        self.link = Link(resources, self, font_worker.main)
        self.link.arrived.connect(self._receive)
        self.link.ended.connect(self._ended)

    @classmethod
    def job(cls) -> int:
        """A number for a request."""
        return next(cls._jobs)

    def warm(self) -> None:
        """Start the process before it is needed."""
        if not self._is_started:
            self._is_started = True
            self.link.start()

    def ask(self, request: Any, name: object, urgency: int) -> None:
        """Have a request answered; the same name again only makes it more urgent (0 = most)."""
        if self._running is not None and self._running[0] == name:
            return
        order = next(self._order)
        self._names[name] = order
        heapq.heappush(self._waiting, (urgency, order, name, request))
        self._next()

    def forget(self, kind: type) -> None:
        """Give up what waits of one kind of request."""
        kept = [entry for entry in self._waiting if not isinstance(entry[3], kind)]
        if len(kept) < len(self._waiting):
            self._waiting = kept
            heapq.heapify(self._waiting)
            self._names = {name: order for _, order, name, _ in kept}

    def stop(self, kind: type) -> None:
        """Give up what waits of one kind, and what runs of it too."""
        self.forget(kind)
        if self._running is not None and isinstance(self._running[1], kind):
            self.link.send(messages.Stop(self._running[1].job))

    @property
    def running(self) -> Any:
        """The request that is being answered, None where there is none."""
        return self._running[1] if self._running else None

    @property
    def is_idle(self) -> bool:
        return self._running is None and not self._waiting

    def close(self) -> None:
        """End the process."""
        self._waiting = []
        self.link.close()

    def _next(self) -> None:
        while self._running is None and self._waiting:
            _, order, name, request = heapq.heappop(self._waiting)
            if self._names.get(name) != order:
                continue  # asked again since, with another urgency
            del self._names[name]
            self._running = name, request
            self.warm()
            self.link.send(request)

    def _receive(self, message: Any) -> None:
        running = self.running
        if running is None or getattr(message, "job", None) != running.job:
            return  # Ready, or of a job that is over
        if isinstance(message, messages.Done | messages.Failed):
            self._running, self._deaths = None, 0
            if isinstance(message, messages.Failed):
                self.failed.emit(running, message)
            self.finished.emit(running, isinstance(message, messages.Done) and message.complete)
            self._next()
        else:
            self.answered.emit(message)

    def _ended(self, _code: int, was_meant: bool) -> None:
        running, self._running = self.running, None
        if was_meant:
            return
        self._deaths += 1
        self._is_started = False
        if self._deaths >= MAX_DEATHS:
            self._waiting, self._names = [], {}
        if running is not None:
            self.died.emit(running)
        self._next()
