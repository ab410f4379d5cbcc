"""What is open, how it is read, and what is selected: the one mutable object of the window.

The session owns the memo (tables by key), so ending the worker loses no table: a setting changed
back finds its tables here and no stage runs, also after a cancel. It asks the worker for one job
at a time; a newer reading of the page stops the older one between two stages.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from core import geometry, pipeline
from core.errors import OcrError, Unreadable
from core.load import Source
from core.reading import STAGES, Lineage, Reading, Ref, Table, bounds, lineage
from core.settings import Settings, changed
from workbench import messages
from workbench.edits import History, Said
from workbench.link import Link
from workbench.trial import Trial
from workbench.writing import with_turn

DEBOUNCE = 150          # ms from the last edit of a setting to the new reading
MAX_DEATHS = 3          # workers that may end in a row, no job done between, before none is started
SAME_PLACE = 0.5        # IoU from which a row of the new reading is the one that was selected


@dataclass(frozen=True)
class _Digest:
    """Stands for a loaded tool: all that the key of a table needs of it."""

    digest: str = ""


@dataclass
class _Worker:
    """What the present worker process holds."""

    source: str = ""                              # digest of its document
    keys: set[str] = field(default_factory=set)   # of its tables


class Session(QObject):
    """The open document, its readings, the settings and the selection.

    Signals
    opened()                       there is a new document
    page_changed(int)              another page of it is read now
    made(str)                      the reading has a new table of that name, or lost it
    state(str, str, float)         a stage is waiting, running, done, known or failed; its seconds
    picked(object)                 the selected `Ref`, or None
    settings_changed(object)       the new `Settings`
    failed(object)                 a `messages.Failed`
    needs_password(str, str)       path of the PDF, the sentence that says so
    wrote(str)                     path of a file that has been written
    write_refused(str, str)        path of a PDF not written for the text it has, the reason
    proved(object)                 `FoundWords` read back from a PDF written of the page
    busy(bool), said(str)          whether a job runs; a sentence for the status bar
    """

    opened, page_changed, made = Signal(), Signal(int), Signal(str)
    state = Signal(str, str, float)
    picked, settings_changed, failed = Signal(object), Signal(object), Signal(object)
    needs_password, wrote, write_refused = Signal(str, str), Signal(str), Signal(str, str)
    proved, busy, said = Signal(object), Signal(bool), Signal(str)

    def __init__(self, settings: Settings | None = None, resources: Path = pipeline.RESOURCES,
                 parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.source: Source | None = None
        self.path = ""
        self.page = 0
        self.reading = Reading()
        self.selection: Ref | None = None
        self.memo = pipeline.Memo()
        self.seconds: dict[str, float] = {}     # key -> what making the table cost
        self.until = STAGES[-1]
        self.history = History(Said(settings or Settings()), self)
        self.history.changed.connect(self._said_changed)
        self.plan: dict[str, str] = {}          # stage -> key of the table that belongs on screen
        self._stages: tuple[pipeline.Stage, ...] | None = None
        self._anchor: tuple[str, NDArray] | None = None  # table and box of a selection to find again
        self._jobs = itertools.count(messages.NO_JOB + 1)
        self._running: Any = None               # the request that is being answered
        self._is_telling_busy = False           # what `busy` said last
        self._asked: list[Any] = []             # opens and writes that wait
        self._is_reading_asked = False
        self._worker, self._deaths = _Worker(), 0
        self.trial = Trial(self)
        self._debounce = QTimer(self, singleShot=True, interval=DEBOUNCE)
        self._debounce.timeout.connect(self.read)
        self.link = Link(resources, self)
        self.link.arrived.connect(self._receive)
        self.link.ended.connect(self._worker_ended)
        self.link.start()

    # ---- what a user does ----------------------------------------------------------------------

    def open(self, path: str | Path, password: str | None = None) -> None:
        """Open a document; the one on screen stays until the new one has proved readable."""
        self._asked = [r for r in self._asked if not isinstance(r, messages.Open)]
        self._asked.insert(0, messages.Open(next(self._jobs), str(path), password))
        self._stop_reading()
        self._next()

    def go_to(self, page: int) -> None:
        """Read another page, 0-based; beyond the ends nothing happens."""
        if self.source is None or not 0 <= page < self.source.n_pages or page == self.page:
            return
        self.page = page
        self._anchor = None
        self._select(None)
        self.page_changed.emit(page)
        self.read()

    def set_setting(self, path: str, value: Any) -> None:
        """Change one setting ("blobs.delta"), undoably; a wrong value is told, not taken."""
        try:
            new = changed(self.settings, path, value)
        except OcrError as error:
            self.failed.emit(failure("", error))
            return
        self.history.edit(path, replace(self.history.said, settings=new))

    def set_settings(self, settings: Settings, what: str = "all settings") -> None:
        """Take other settings as a whole, undoably."""
        self.history.edit(what, replace(self.history.said, settings=settings))

    def try_settings(self, settings: Settings, what: str) -> None:
        """Read the page with other settings beside the reading on screen, see `trial`."""
        if self.source is not None and self._stages:
            if self.trial.is_mine(self._running):
                self._stop_reading()
            self.trial.begin(settings, what)
            self._next()

    def leave_trial(self) -> None:
        """Forget the trial; what it has made stays known."""
        if self.trial.is_mine(self._running):
            self._stop_reading()
        self.trial.end()

    def keep_trial(self) -> None:
        """Take the trial's settings, undoably; what it has made is on screen at once."""
        settings, what = self.trial.settings, self.trial.what
        if settings is not None:
            self.leave_trial()
            self.set_settings(settings, what)
            self.read()

    def turn_by_hand(self, turns: int | None) -> None:
        """Turn this page by `turns` counterclockwise quarter turns in all, or None: as the net says."""
        if self.source is None:
            return
        others = {page: by_hand for page, by_hand in self.turns.items() if page != self.page}
        mine = {} if turns is None else {self.page: turns}
        self.history.edit(f"turn of page {self.page + 1}",
                          replace(self.history.said, turns=others | mine))

    def pick(self, ref: Ref | None) -> None:
        """Select a row of a table, or nothing."""
        table = self.reading.table(ref.table) if ref else None
        if ref is not None and (table is None or not 0 <= ref.row < len(table)):
            return
        self._anchor = place(self.reading, ref) if ref else None
        self._select(ref)

    def cancel(self) -> None:
        """End the running job by ending its process; all tables it had made are kept."""
        self._debounce.stop()
        if self._running is None:
            return
        self.link.kill()
        self._forget_worker()
        self.link.start()
        self._asked, self._is_reading_asked = [], False
        self.trial.end()
        self._set_running(None)
        self._show_states()
        self.said.emit("Cancelled; the stages that were done are kept")

    def write(self, path: str | Path, format: str, existing_text: str = "refuse") -> None:
        """Read all pages that are not read yet and write "pdf", "json" or "txt" to `path`.

        existing_text: what to do with a PDF's own text, see `core.pdf.layer.LayerSettings`.
        """
        if self.source is None:
            self.failed.emit(failure("", Unreadable("there is no document to save; open one first")))
            return
        self._asked.append(messages.Write(
            next(self._jobs), self.source.digest, tuple(range(self.source.n_pages)), self.settings,
            str(path), format, tuple(sorted(self.turns.items())), existing_text))
        self._next()

    def prove(self) -> None:
        """Have a PDF written of this page and its words read back; `proved` brings them."""
        self._asked = [r for r in self._asked if not isinstance(r, messages.Prove)]
        if self.source is not None and self.reading.placed is not None:
            self._asked.append(messages.Prove(next(self._jobs), self.source.digest, self.page,
                                              self.page_settings(self.page)))
            self._next()

    def close(self) -> None:
        """End the worker."""
        self._debounce.stop()
        self.link.close()

    # ---- the reading ---------------------------------------------------------------------------

    def lineage(self) -> Lineage | None:
        """Of the selection."""
        return lineage(self.reading, self.selection) if self.selection else None

    def page_settings(self, page: int) -> Settings:
        """The settings with what a person has said about that page."""
        return with_turn(self.settings, self.turns.get(page))

    @property
    def settings(self) -> Settings:
        """As they are now, pages' own turns not counted."""
        return self.history.said.settings

    @property
    def turns(self) -> Mapping[int, int]:
        """Page -> quarter turns by hand."""
        return self.history.said.turns

    def _said_changed(self, _said: Said) -> None:
        """Settings or turns are others now: tell, and read again shortly."""
        self.settings_changed.emit(self.settings)
        self._debounce.start()

    def read(self) -> None:
        """Show what is known of the page with these settings; have the rest made."""
        if self.source is None:
            return
        self._debounce.stop()
        self._stop_reading()
        self._make_plan()
        self._is_reading_asked = any(self.reading.table(name) is None for name in self._wanted())
        self._next()

    def _wanted(self) -> tuple[str, ...]:
        return STAGES[:STAGES.index(self.until) + 1]

    def _make_plan(self) -> None:
        """Compute the keys that belong on screen, and put the tables known by them there."""
        self.trial.end()
        before, old = self.plan, self.reading
        self.plan = self._keys()
        self.reading = Reading()
        for name, key in self.plan.items():
            table = self.memo.get(key)
            if table is not None:
                self.reading = self.reading.with_table(table)
        if self.selection and self.plan.get(self.selection.table) != before.get(self.selection.table):
            self._select(None)
        for name in STAGES:
            if self.reading.table(name) is not old.table(name):
                self._tell_made(name)
        self._show_states()

    def _keys(self) -> dict[str, str]:
        return self.keys_of(self.settings)

    def keys_of(self, settings: Settings) -> dict[str, str]:
        """Stage -> key of the table that these settings give of the present page."""
        return pipeline.keys(self.source.page_source(self.page).digest, self._stages or (),
                             with_turn(settings, self.turns.get(self.page)))

    def _tell_made(self, name: str) -> None:
        self.made.emit(name)
        if self._anchor is not None and self.selection is None:
            ref = ref_at(self.reading, *self._anchor)
            if ref is not None:
                self._select(ref)

    def _select(self, ref: Ref | None) -> None:
        if ref != self.selection:
            self.selection = ref
            self.picked.emit(ref)

    def _show_states(self) -> None:
        for name in STAGES:
            is_there = self.reading.table(name) is not None
            self.state.emit(name, "known" if is_there else "waiting",
                            self.seconds.get(self.plan.get(name, ""), 0.0))

    # ---- jobs ----------------------------------------------------------------------------------

    def _stop_reading(self) -> None:
        """Have a running reading given up after its present stage; its tables still arrive."""
        if isinstance(self._running, messages.Read):
            self.link.send(messages.Stop(self._running.job))

    def _next(self) -> None:
        """Send the next request when the worker is free: opens, then the reading, then writes."""
        if self._running is not None:
            return
        opens = [r for r in self._asked if isinstance(r, messages.Open)]
        if opens:
            self._asked.remove(opens[0])
            self._send(opens[0])
        elif self._is_reading_asked:
            self._is_reading_asked = False
            self._send(self._read_request(self.settings))
        elif self.trial.is_asked:
            self._send(self.trial.sent(self._read_request(self.trial.settings, is_trial=True)))
        elif self._asked:
            self._send(self._with_known(self._asked.pop(0)))
        else:
            self._set_running(None)

    def _send(self, request: Any) -> None:
        self._set_running(request)
        if self.link.pid is None:  # too many had ended; the user asks again
            self.link.start()
        self.link.send(request)

    @property
    def is_busy(self) -> bool:
        """Whether a job runs."""
        return self._running is not None

    def _set_running(self, request: Any) -> None:
        was_busy, self._running = self._is_telling_busy, request
        self._is_telling_busy = request is not None
        if was_busy != self._is_telling_busy:
            self.busy.emit(self._is_telling_busy)

    def _read_request(self, settings: Settings, is_trial: bool = False) -> messages.Read:
        request = messages.Read(next(self._jobs), self.source.digest, self.page,
                                with_turn(settings, self.turns.get(self.page)), self.until,
                                have=frozenset(self.memo.keys()), is_trial=is_trial)
        request = self._with_known(request)
        self._worker.keys = set()  # it keeps the tables of its last reading alone, told as they come
        return request

    def _with_known(self, request: messages.Read | messages.Write | messages.Prove) -> Any:
        """The request with the document and the tables that the worker lacks."""
        if self._worker.source != self.source.digest:
            self._worker = _Worker(self.source.digest)
            request = replace(request, source=self.source)
        known = {key: table for name, key in self.plan.items()
                 if key not in self._worker.keys
                 and (table := self.reading.table(name)) is not None}
        self._worker.keys |= set(known)
        return replace(request, known=known) if known else request

    # ---- answers -------------------------------------------------------------------------------

    def _receive(self, message: Any) -> None:
        answer = {messages.Loaded: self._tools_loaded, messages.Opened: self._document_opened,
                  messages.Progress: self._stage_begins, messages.MadeTable: self._table_made,
                  messages.Wrote: self._file_written, messages.Proved: self._page_proved, messages.Failed: self._job_failed,
                  messages.Done: self._job_done}.get(type(message))
        if answer is not None:
            answer(message)

    def _is_current(self, message: Any) -> bool:
        return self._running is not None and message.job == self._running.job

    def _tools_loaded(self, message: messages.Loaded) -> None:
        tools = pipeline.Tools(_Digest(message.orientation_net), _Digest(message.word_net),
                               _Digest(message.lexicon))
        self._stages = pipeline.stages(tools)
        if self.source is not None:
            before = self.plan
            self.plan = self._keys()
            if any(self.plan[name] != key for name, key in before.items()):
                self._make_plan()  # other weights than before the restart

    def _document_opened(self, message: messages.Opened) -> None:
        if not self._is_current(message):
            return
        self.source, self.path, self.page = message.source, self._running.path, 0
        self._worker = _Worker(self.source.digest)
        self._anchor = None
        self._select(None)
        self.history.forget(Said(self.settings))
        self._debounce.stop()  # the page is asked for below
        self.opened.emit()
        self.page_changed.emit(0)
        self._make_plan()
        self._is_reading_asked = True

    def _stage_begins(self, message: messages.Progress) -> None:
        if not self._is_current(message):
            return
        if isinstance(self._running, messages.Write):
            self.said.emit(f"Reading page {message.page + 1} of {message.n_pages} to save it …")
        elif not self.trial.is_mine(self._running) and self.reading.table(message.stage) is None:
            self.state.emit(message.stage, "running", 0.0)

    def _table_made(self, message: messages.MadeTable) -> None:
        """Keep the table whatever it belongs to; show it where it is the one to be shown."""
        table = message.table if message.table is not None else self.memo.get(message.key)
        if table is None:
            return
        if message.key not in self.memo:
            self.memo.put(message.key, table)
        if not message.known:
            self.seconds[message.key] = message.seconds
        if self._is_current(message):
            self._worker.keys.add(message.key)
        self.trial.take(message.name, message.key, table)
        if self.plan.get(message.name) == message.key:
            if self.reading.table(message.name) is None:
                self.reading = self.reading.with_table(table)
                self._tell_made(message.name)
            self.state.emit(message.name, "known" if message.known else "done",
                            self.seconds.get(message.key, 0.0))

    def _file_written(self, message: messages.Wrote) -> None:
        self.said.emit(f"Saved {message.path}")
        self.wrote.emit(message.path)

    def _page_proved(self, message: messages.Proved) -> None:
        if self._is_current(message) and self._running.page == self.page:
            self.proved.emit(message.words)

    def _job_failed(self, message: messages.Failed) -> None:
        request = self._running if self._is_current(message) else None
        if isinstance(request, messages.Open) and message.kind == "NeedsPassword":
            self.needs_password.emit(request.path, message.message)
        elif (isinstance(request, messages.Write) and message.kind == "Usage"
              and request.existing_text == "refuse"):
            self.write_refused.emit(request.path, message.message)
        else:
            self.failed.emit(message)
        if self.trial.is_mine(request):
            self.trial.finish(request, "failed")
        elif isinstance(request, messages.Read):
            self.state.emit(message.stage or self._first_missing(), "failed", 0.0)
        if request is not None:
            self._finish()

    def _first_missing(self) -> str:
        return next((name for name in STAGES if self.reading.table(name) is None), STAGES[-1])

    def _job_done(self, message: messages.Done) -> None:
        if self._is_current(message):
            self._deaths = 0
            if self.trial.is_mine(self._running):
                self.trial.finish(self._running, "done")
            elif isinstance(self._running, messages.Read) and self.reading.words is not None:
                self.said.emit(f"Page {self.page + 1}: {len(self.reading.words):,} words in "
                               f"{self._seconds_of_page():.1f} s")
            self._finish()

    def _seconds_of_page(self) -> float:
        """What making the tables on screen has cost."""
        return sum(self.seconds.get(key, 0.0) for key in self.plan.values())

    def _finish(self) -> None:
        self._running = None
        self._next()

    def _forget_worker(self) -> None:
        self._worker = _Worker()

    def _worker_ended(self, code: int, is_meant: bool) -> None:
        """A worker that ended by itself is replaced; what it did is not tried again unasked."""
        if is_meant:
            return
        self._deaths += 1
        request, stage = self._running, self._first_missing()
        self._forget_worker()
        is_trial = self.trial.is_mine(request)
        self.trial.end()
        self._is_reading_asked, self._running = False, None
        what = f"signal {-code}" if code < 0 else f"exit code {code}"
        where = f" at stage {stage!r}" if isinstance(request, messages.Read) and not is_trial else ""
        if self._deaths < MAX_DEATHS:
            self.link.start()
            advice = "it was started again; change a setting or press Ctrl+R to try once more"
        else:
            advice = "it ended several times in a row; Ctrl+R starts it once more"
        text = f"the reading process ended unexpectedly{where} ({what}); {advice}"
        self.failed.emit(messages.Failed(request.job if request else messages.NO_JOB, stage if where
                                         else "", text, "", "WorkerEnded", 6))
        self._show_states()
        if where:
            self.state.emit(stage, "failed", 0.0)
        self._next()


def failure(stage: str, error: OcrError) -> messages.Failed:
    """An error that arose in the window, in the form of the worker's."""
    return messages.Failed(messages.NO_JOB, stage, str(error), "", type(error).__name__,
                           error.exit_code)


def place(reading: Reading, ref: Ref) -> tuple[str, NDArray] | None:
    """(table, box) by which a row is found again in another reading of the page.

    The box is the row's own where its table has geometry, else that of the segments it came from.
    """
    box = bounds(reading.table(ref.table))
    if box is not None:
        return ref.table, box[ref.row]
    rows = lineage(reading, ref).rows.get("segments")
    return (ref.table, geometry.union(reading.segments.box[rows])) if rows is not None else None


def ref_at(reading: Reading, name: str, box: NDArray) -> Ref | None:
    """The row of table `name` that lies where `box` is, None when none does or it is not made."""
    table: Table | None = reading.table(name)
    if table is None or not len(table):
        return None
    own = bounds(table)
    among = own if own is not None else bounds(reading.segments) if reading.segments else None
    if among is None or not len(among):
        return None
    overlap = geometry.iou(box, among)[0]
    row = int(np.argmax(overlap))
    if overlap[row] < SAME_PLACE:
        return None
    if own is not None:
        return Ref(name, row)
    rows = lineage(reading, Ref("segments", row)).rows.get(name)
    return None if rows is None else Ref(name, int(rows[0]))
