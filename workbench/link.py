"""The seam between the core and Qt: starts the worker, reads its pipe, one signal per message.

Each worker process has two threads here: one reads its pipe, one packs and sends, so the window
never waits for a busy worker. What is read lies in a queue until the window's thread takes it out
and emits it: no Python object crosses threads inside a Qt event, only the call to look. When a
process ends, expected or not, what it had sent is still read to the end, its shared memory is
unlinked and `ended` tells.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from core.pipeline import RESOURCES
from workbench import worker
from workbench.shared import Parcel, Sender, sweep, unlink, unpack

END_PATIENCE = 5.0  # s for a process whose pipe has closed to leave the process table
WorkerMain = Callable[[Connection, str, Path], None]  # a module's function: spawn imports it by name
_numbers = itertools.count()  # of workers of this process, for the names of shared memory


class Link(QObject):
    """One worker process at a time; `main(pipe, prefix, resources)` is what it runs."""

    arrived = Signal(object)   # a message of workbench.messages; parcels are unpacked already
    ended = Signal(int, bool)  # exit code (negative: a signal), whether it was meant to end
    _look = Signal()           # from the threads that read: one thing more lies in the inbox

    def __init__(self, resources: Path = RESOURCES, parent: QObject | None = None,
                 main: WorkerMain = worker.main) -> None:
        super().__init__(parent)
        self._resources, self._main = resources, main
        self._child: _Child | None = None
        self._all: list[_Child] = []
        self._inbox: queue.SimpleQueue[Any | _End] = queue.SimpleQueue()
        self._look.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)

    @property
    def pid(self) -> int | None:
        """Of the present worker, None where there is none."""
        return self._child.process.pid if self._child else None

    def start(self) -> None:
        """Start a fresh worker; it loads its tools as soon as nothing else is asked of it."""
        self._all = [child for child in self._all if child.reader.is_alive()]
        self._child = _Child(self._put, self._resources, self._main)
        self._all.append(self._child)

    def send(self, request: Any) -> None:
        """Hand a request to the worker, or to nobody where it has just ended (`ended` tells)."""
        if self._child is not None:
            self._child.outbox.put(request)

    def kill(self) -> None:
        """End the worker at once. What it had sent still arrives, then `ended`."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def close(self) -> None:
        """End everything and wait for it; nothing is emitted any more."""
        self.blockSignals(True)
        self.kill()
        for child in self._all:
            child.reader.join(END_PATIENCE)

    def _put(self, thing: Any | _End) -> None:
        """Called in the threads that read."""
        self._inbox.put(thing)
        try:
            self._look.emit()
        except RuntimeError:  # Qt has deleted this object: the application is leaving
            pass

    @Slot()
    def _hand_over(self) -> None:
        """One thing for each call to look, in the order of coming."""
        thing = self._inbox.get()
        if not isinstance(thing, _End):
            self.arrived.emit(thing)
            return
        if self._child is thing.child:
            self._child = None
        self.ended.emit(thing.code, thing.child.is_meant_to_end)


@dataclass(frozen=True)
class _End:
    """A worker process is gone."""

    child: _Child
    code: int


class _Child:
    """A worker process with the two threads that talk to it."""

    def __init__(self, put: Callable[[Any | _End], None], resources: Path, main: WorkerMain) -> None:
        spawn = multiprocessing.get_context("spawn")  # a fork would copy Qt's threads' locks
        number = next(_numbers)
        self.theirs, mine = f"ocrw{os.getpid()}-{number}w", f"ocrw{os.getpid()}-{number}s"
        self.sender = Sender(mine)
        self.outbox: queue.SimpleQueue = queue.SimpleQueue()
        self.is_meant_to_end = False
        self.n_received = 0  # segments of theirs that were unlinked here
        self.put = put
        self.pipe, its_end = spawn.Pipe()
        self.process = spawn.Process(target=main, args=(its_end, self.theirs, resources),
                                     daemon=True, name=f"ocr-workbench {main.__module__}")
        self.process.start()
        its_end.close()  # or the end of the process would go unnoticed here
        self.reader = threading.Thread(target=self._listen, daemon=True, name="worker pipe, reading")
        self.writer = threading.Thread(target=self._talk, daemon=True, name="worker pipe, writing")
        self.reader.start()
        self.writer.start()

    def kill(self) -> None:
        self.is_meant_to_end = True
        self.process.kill()
        self.outbox.put(None)

    def _talk(self) -> None:
        while (request := self.outbox.get()) is not None:
            try:
                self.pipe.send(self._packed(request))
            except (OSError, ValueError):  # it has ended; `_listen` notices too
                return

    def _packed(self, request: Any) -> Any:
        """The request with what must cross in shared memory made into parcels."""
        parcels = {name: self.sender.pack(value) for name in ("source", "known", "replaced")
                   if (value := getattr(request, name, None)) is not None
                   and not isinstance(value, Parcel)}
        return replace(request, **parcels) if parcels else request

    def _listen(self) -> None:
        try:
            while True:
                message = self.pipe.recv()
                self.put(self._unpacked(message))
        except (EOFError, OSError):  # closed, or cut short in the middle of a message by a kill
            pass
        finally:
            self._bury()

    def _bury(self) -> None:
        """The process has ended: leave nothing of it behind, then tell."""
        self.process.join(END_PATIENCE)
        self.outbox.put(None)
        sweep(self.theirs, self.n_received)
        self.writer.join(END_PATIENCE)
        self.sender.received()
        for number in range(self.sender.n_segments):  # those the worker had not read yet
            unlink(self.sender.prefix, number)
        code = self.process.exitcode
        self.pipe.close()
        self.put(_End(self, 0 if code is None else code))

    def _unpacked(self, message: Any) -> Any:
        """The message with what its parcels hold in their place."""
        parcels = {f.name: parcel for f in fields(message)
                   if isinstance(parcel := getattr(message, f.name), Parcel)}
        self.n_received += sum(bool(parcel.segment) for parcel in parcels.values())
        return replace(message, **{name: unpack(p) for name, p in parcels.items()})
