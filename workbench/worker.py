"""The child process that reads pages: it owns the nets and the documents, never Qt.

`serve` answers one request after the other over a pipe (see `workbench.messages`). The process
holds only its loaded tools, the last document and the tables of the last page, and starts no
thread of its own. A crash in native code or a kill costs the page that is read, not the window.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from core.errors import Mismatch, Missing, OcrError, StageFailed
from core.pipeline import Memo, Stage, Tools
from core.reading import Table
from workbench import messages
from workbench.shared import Sender, unpack

IDLE_BEFORE_LOADING = 0.2  # s; a request that waits goes first, so the page is seen before torch loads
UNLIMITED = 1 << 62        # bytes; the window's memo does the forgetting


def main(pipe: Connection, prefix: str, resources: Path) -> None:
    """Entry of the child process. `prefix`: of the shared memory it may make."""
    serve_until_closed(lambda: Worker(pipe, prefix, resources))


def serve_until_closed(make: Callable[[], Server]) -> None:
    """What each child process does: make its worker and answer until the window is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is the window's to answer
    faulthandler.enable()
    try:
        make().serve()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the window is gone


class Server(Protocol):
    """A worker: `serve` answers requests; EOFError when the window's end of the pipe is closed."""

    def serve(self) -> None: ...


class Worker:
    """Answers requests until the pipe closes."""

    def __init__(self, pipe: Connection, prefix: str, resources: Path) -> None:
        self.pipe, self.sender, self.resources = pipe, Sender(prefix), resources
        self.stages: tuple[Stage, ...] = ()
        self.may_load_early = True
        self.source: Any = None              # core.load.Source
        self.tables: dict[str, Table] = {}   # of the last page, by key
        self.stopped: set[int] = set()

    def serve(self) -> None:
        """The loop. Raises EOFError when the window's end of the pipe is closed."""
        self.pipe.send(messages.Ready(os.getpid()))
        while True:
            if self.may_load_early and not self.stages and not self.pipe.poll(IDLE_BEFORE_LOADING):
                self._load_early()
            request = self.pipe.recv()
            if isinstance(request, messages.Quit):
                return
            if not isinstance(request, messages.Stop):
                self.sender.received()
                self._answer(request)

    def _answer(self, request: Any) -> None:
        work = {messages.Open: self._open, messages.Read: self._read, messages.Write: self._write,
                messages.Prove: self._prove}
        try:
            complete = work[type(request)](request)
        except Exception as error:  # noqa: BLE001  # everything becomes a sentence for the user
            self.pipe.send(failed(request.job, error))
        else:
            self.pipe.send(messages.Done(request.job, complete))

    def _open(self, request: messages.Open) -> bool:
        from core import load
        self.source = load.open_source(request.path, password=request.password)
        self.tables = {}
        self.pipe.send(messages.Opened(request.job, self.sender.pack(self.source)))
        return True

    # ---- reading -------------------------------------------------------------------------------

    def _read(self, request: messages.Read) -> bool:
        self._take(request)
        replaced = unpack(request.replaced) if request.replaced else {}
        source = self.source.page_source(request.page)
        memo, self.tables = self._memo(), {}
        # The page is shown before the nets are loaded: it needs none.
        if not self._pull(request, source, (), memo, "page", replaced):
            return False
        if request.until == "page":
            return True
        return self._pull(request, source, self._loaded_stages(), memo, request.until, replaced,
                          skip_page=True)

    def _pull(self, request: messages.Read, source: Any, stages: tuple[Stage, ...], memo: Memo,
              until: str, replaced: dict[str, Table], skip_page: bool = False) -> bool:
        """Run the stages and send each table; False when a `Stop` came in between."""
        from core.pipeline import read
        reading = read(source, stages, request.settings, memo, until, replaced)
        for name in ("page", *(stage.name for stage in stages)):
            if self._is_stopped(request.job):
                return False
            if not (skip_page and name == "page"):
                self.pipe.send(messages.Progress(request.job, name))
            made = next(reading)
            self.tables[made.key] = made.table
            if not (skip_page and name == "page"):
                parcel = None if made.key in request.have else self.sender.pack(made.table)
                self.pipe.send(messages.MadeTable(request.job, made.name, made.key, made.seconds,
                                                  made.known, parcel))
            if name == until:
                return True
        return True

    def _take(self, request: messages.Read | messages.Write | messages.Prove) -> None:
        """Keep what the request brings along: the document and known tables."""
        if request.source is not None:
            self.source, self.tables = unpack(request.source), {}
        if request.known is not None:
            self.tables.update(unpack(request.known))
        if self.source is None or self.source.digest != request.digest:
            raise Mismatch("the document to read is no longer there; open it again")

    def _is_stopped(self, job: int) -> bool:
        while self.pipe.poll():
            request = self.pipe.recv()  # only `Stop` and `Quit` are sent while a job runs
            if type(request) is messages.Quit:
                raise EOFError
            self.stopped.add(request.job)
        return job in self.stopped

    # ---- writing -------------------------------------------------------------------------------

    def _write(self, request: messages.Write) -> bool:
        from workbench import writing
        self._take(request)
        turns, readings = dict(request.turns), {}
        for i, page in enumerate(request.pages):
            if self._is_stopped(request.job):
                return False
            self.pipe.send(messages.Progress(request.job, "", i, len(request.pages)))
            readings[page] = writing.page_reading(
                self.source, page, self._loaded_stages(),
                writing.with_turn(request.settings, turns.get(page)), self._memo(),
                writing.needs_pixels(self.source, request.format, request.existing_text))
        writing.write(self.source, readings, request.path, request.format, request.existing_text)
        self.pipe.send(messages.Wrote(request.job, request.path))
        return True

    def _prove(self, request: messages.Prove) -> bool:
        from workbench import writing
        self._take(request)
        reading = writing.page_reading(self.source, request.page, self._loaded_stages(),
                                       request.settings, self._memo())
        words = writing.proof(self.source, request.page, reading)
        self.pipe.send(messages.Proved(request.job, self.sender.pack(words)))
        return True

    def _memo(self) -> Memo:
        memo = Memo(UNLIMITED)
        for key, table in self.tables.items():
            memo.put(key, table)
        return memo

    # ---- tools ---------------------------------------------------------------------------------

    def _load_early(self) -> None:
        self.may_load_early = False
        try:
            self._loaded_stages()
        except OcrError as error:  # said again, and fatal to the job, when a page needs the tools
            self.pipe.send(failed(messages.NO_JOB, error))

    def _loaded_stages(self) -> tuple[Stage, ...]:
        from core import pipeline
        if not self.stages:
            try:
                tools = pipeline.load_tools(self.resources)
            except ImportError as error:
                raise Missing(f"a program library is missing: {error}; install the dependencies "
                              "again (see the README)") from error
            self.stages = pipeline.stages(tools)
            self.pipe.send(loaded(tools))
        return self.stages


def loaded(tools: Tools) -> messages.Loaded:
    """What the window needs to know of the tools to compute the keys of tables."""
    return messages.Loaded(tools.orientation_net.digest, tools.word_net.digest, tools.lexicon.digest)


def failed(job: int, error: Exception) -> messages.Failed:
    """Any exception as data: a sentence, the traceback, and the exit code the command line gives."""
    trace = "".join(traceback.format_exception(error))
    kind = type(error).__name__
    if isinstance(error, StageFailed):
        return messages.Failed(job, error.stage, str(error), error.traceback or trace, kind,
                               error.exit_code)
    if isinstance(error, OcrError):
        return messages.Failed(job, "", str(error), trace, kind, error.exit_code)
    if isinstance(error, MemoryError):
        text = "there is not enough memory for this page; lower page.dpi or scale the image down"
    else:
        text = f"an error in the program: {kind}: {error}; the log holds where it happened"
    return messages.Failed(job, "", text, trace, kind, OcrError.exit_code)
