"""Which synthetic samples are shown, and what is known of them: the one mutable object of the
previewer.

A sample is a function of settings, seed and number, so nothing is kept but a cache: the sheet asks
for the numbers it shows, the worker makes them. What is seen goes first: one request is under way
at a time, each short, and the next is always the most urgent one.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from core.errors import OcrError, Usage
from core.pipeline import RESOURCES
from core.synth import compare, survey
from core.synth.compare import Measures
from core.synth.sample import Sample, SampleSettings
from core.synth.sample_files import Address, Shelf, parse_address
from core.synth.survey import Facts, Query, ReadBack
from workbench import messages, sample_worker
from workbench import sample_messages as asked
from workbench.link import Link
from workbench.sample_export import Exports
from workbench.session import failure

DEBOUNCE = 200  # ms from the last edit of a setting to other samples
SETTLE = 400  # ms between two new orders of the sheet while samples are looked through
CACHED = 4096  # samples kept, some 6 kB each
AT_ONCE, SURVEYED_AT_ONCE, MEASURED_AT_ONCE = 24, 64, 100  # samples a request
MOST_FACTS = 10_000  # samples whose numbers are shown as histograms
RECIPES = 1000  # samples looked through for the recipe tree when no filter asks for more
MEASURED = 1000  # drawn samples and real crops that are compared
COUNTED = 5000  # samples whose characters are counted
NEAREST = 12  # real crops shown beside a sample
MOST = 1_000_000  # samples of a sheet
MOST_NUMBER = 2**31 - 1  # a seed or a sample's number: what a spin box holds
MAX_DEATHS = 3  # workers that may end in a row, no job done between, before none is started


class SampleSession(QObject):
    """Settings, seed and range of the samples shown, the selected one, and the worker.

    Signals
    changed()             other samples are shown; nothing is known of them yet
    order_changed()       `numbers` changed: a filter, an order, or more samples were looked through
    made(object)          numbers (tuple) of samples that are in the cache now
    surveyed()            `facts` grew
    picked(object)        number of the selected sample, or None
    strip_made(object), counted(object), real_listed(object), nearest_found(object)
                          the worker's answers of workbench.sample_messages
    measured()            `drawn` or `real` measures changed
    reading_changed(bool) whether the net reads the samples
    written(str)          folder of an exported batch
    failed(object)        a `messages.Failed`
    said(str)             a sentence for the status bar
    progress(str)         how far a long job is, "" when it is over
    """

    changed, order_changed, made, surveyed = Signal(), Signal(), Signal(object), Signal()
    picked, strip_made, counted = Signal(object), Signal(object), Signal(object)
    real_listed, nearest_found, measured = Signal(object), Signal(object), Signal()
    reading_changed, written = Signal(bool), Signal(str)
    failed, said, progress = Signal(object), Signal(str), Signal(str)

    def __init__(self, shelf: Shelf, settings: SampleSettings | None = None, seed: int = 1,
                 count: int = 1000, resources: Path = RESOURCES,
                 parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.shelf = shelf
        self.settings, self.seed = settings or SampleSettings(), seed
        self.start, self.count = 0, count
        self.is_locked = self.is_reading = self.is_hardest_first = False
        self.query = Query()
        self.selected: int | None = None
        self.without: frozenset[str] = frozenset()
        self.fonts = ""  # digest of the atlas, "" until the worker has told it
        self.real: Measures | None = None
        self.by = "look"
        self._samples: OrderedDict[int, tuple[Sample, ReadBack | None]] = OrderedDict()
        self._survey = survey.Collection()
        self._drawn: list[Measures] = []
        self._measured_to: int | None = None  # None: nobody compares
        self._visible: tuple[int, ...] = ()
        self._wants_strip = self._wants_nearest = self._wants_count = False
        self._is_counting = False  # somebody looks at the histogram of characters
        self._asked: list[Any] = []  # single requests, in order
        self._cutting: asked.CutReal | None = None  # the next part of the real crops, job left open
        self._exports = Exports()
        self._running: Any = None
        self._is_halted = False  # after a failure, until something changes
        self._deaths = 0
        self._jobs = itertools.count(messages.NO_JOB + 1)
        self._debounce = QTimer(self, singleShot=True, interval=DEBOUNCE)
        self._debounce.timeout.connect(self._restart)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self.order_changed)
        self.link = Link(resources, self, sample_worker.main)
        self.link.arrived.connect(self._receive)
        self.link.ended.connect(self._worker_ended)
        self._is_started = False

    def open(self) -> None:
        """Start the worker, at the first look."""
        if not self._is_started:
            self._is_started = True
            self.link.start()
            self._restart()

    def reload_fonts(self) -> None:
        """Draw with the fonts as the verdicts leave them now: the worker has read them once."""
        if self._is_started:
            self.link.kill()
            self._running, self.fonts, self.real = None, "", None
            self._begin_cutting_anew()
            self._give_up_exports("the fonts have changed")
            self.link.start()
            self._restart()

    def close(self) -> None:
        """End the worker."""
        self.link.close()

    # ---- which samples -------------------------------------------------------------------------

    def set_settings(self, settings: SampleSettings) -> None:
        """Show samples drawn with other settings."""
        if settings != self.settings:
            self.settings = settings
            self._debounce.start()

    def set_seed(self, seed: int) -> None:
        """Show samples of another seed."""
        seed = max(0, min(seed, MOST_NUMBER))
        if seed != self.seed:
            self.seed = seed
            self._restart()

    def set_range(self, start: int, count: int) -> None:
        """Show samples start .. start + count - 1."""
        start, count = max(0, min(start, MOST_NUMBER)), max(1, min(count, MOST))
        if (start, count) != (self.start, self.count):
            self.start, self.count = start, count
            self._restart()

    def set_locked(self, is_locked: bool) -> None:
        """Keep the seed: `resample` then goes on within it."""
        self.is_locked = is_locked

    def resample(self) -> None:
        """Other samples: of the next seed, or the next ones of this seed while it is locked."""
        if self.is_locked:
            self.set_range(self.start + self.count, self.count)
        else:
            self.start = 0
            self.set_seed(self.seed + 1)

    def set_query(self, query: Query) -> None:
        """Show only samples that fulfil it; all are looked through for that."""
        if query != self.query:
            self.query = query
            self.order_changed.emit()
            self._next()

    def set_hardest_first(self, on: bool) -> None:
        """Order by the net's loss; all samples are read for that."""
        self.is_hardest_first = on
        if on:
            self.set_reading(True)
        self.order_changed.emit()
        self._next()

    def set_reading(self, on: bool) -> None:
        """Have the net read every sample that is shown or looked through."""
        if on == self.is_reading:
            return
        self.is_reading = on
        if not on:
            self.is_hardest_first = False
        self._forget_survey()
        self.reading_changed.emit(on)
        self._wants_strip = self.selected is not None
        self.order_changed.emit()
        self._is_halted = False
        self._next()

    @property
    def numbers(self) -> NDArray[np.int64] | range:
        """Numbers of the samples shown, in order; of those looked through where that is asked."""
        if self.query.is_empty and not self.is_hardest_first:
            return range(self.start, self.start + self.count)
        return self._survey.numbers(self.query, self.is_hardest_first)

    @property
    def looked(self) -> int:
        """How many samples have been looked through."""
        return len(self._survey)

    @property
    def facts(self) -> Facts:
        """Of the first samples looked through, from `start` on, MOST_FACTS or a few more."""
        return self._survey.first(MOST_FACTS)

    # ---- one sample ----------------------------------------------------------------------------

    def sample(self, i: int) -> Sample | None:
        """Sample i if it is in the cache."""
        found = self._samples.get(i)
        return None if found is None else found[0]

    def reading(self, i: int) -> ReadBack | None:
        """What the net reads in sample i, where it has read it."""
        found = self._samples.get(i)
        return found[1] if found is not None and self.is_reading else None

    def want(self, numbers: Iterable[int]) -> None:
        """These samples are looked at now: make those that are not in the cache."""
        self._visible = tuple(numbers)
        self._next()

    def pick(self, i: int | None) -> None:
        """Select sample i and show how it came to be."""
        if i == self.selected:
            return
        self.selected, self.without = i, frozenset()
        self._wants_strip = self._wants_nearest = i is not None
        self.picked.emit(i)
        self._next()

    def set_without(self, without: frozenset[str]) -> None:
        """Leave these transforms out of the film strip."""
        if without != self.without:
            self.without = without
            self._wants_strip = self.selected is not None
            self._next()

    # ---- addresses -----------------------------------------------------------------------------

    def address(self) -> Address | None:
        """Of the selected sample."""
        if self.selected is None:
            return None
        return Address(self.settings.digest, self.seed, self.selected, self.fonts)

    def follow(self, text: str) -> None:
        """Show the sample at the address in a text; what is wrong with it is told."""
        try:
            address = parse_address(text)
            if max(address.seed, address.i) > MOST_NUMBER:
                raise Usage(f"{text.strip()[:60]}: seed and number up to {MOST_NUMBER:,} can be shown")
            settings = self.shelf.get(address.settings)
        except OcrError as error:
            self.failed.emit(failure("", error))
            return
        self.settings, self.seed = settings, address.seed
        if not self.start <= address.i < self.start + self.count:
            self.start = address.i // self.count * self.count
        self.query, self.is_hardest_first = Query(), False
        self.selected = None
        self._restart()
        self.pick(address.i)
        if address.fonts and self.fonts and address.fonts != self.fonts:
            self.said.emit("The fonts or their verdicts have changed since this address was copied: "
                           "the sample may look different")

    # ---- single questions ----------------------------------------------------------------------

    def count_characters(self) -> None:
        """Count the characters of the samples, now and after each change."""
        if self._is_counting:
            return
        self._is_counting = self._wants_count = True
        self._next()

    def compare(self) -> None:
        """Measure drawn samples, now and after each change."""
        if self._measured_to is None:
            self._measured_to = 0
        self._next()

    def list_real(self, tsv: Path) -> None:
        """Ask which categories a words TSV has."""
        self._ask(asked.ListReal(next(self._jobs), tsv))

    def cut_real(self, tsv: Path, root: Path, category: str = "") -> None:
        """Cut and measure real words, for the comparison and the nearest crops."""
        self._cutting = asked.CutReal(messages.NO_JOB, tsv, root, MEASURED, category)
        self._wants_nearest = self.selected is not None
        self._begin_long_job()

    def set_by(self, by: str) -> None:
        """How the nearest real crops are found: by "look" or "text"."""
        if by != self.by:
            self.by, self._wants_nearest = by, self.selected is not None
            self._next()

    def write(self, folder: Path, numbers: Iterable[int]) -> None:
        """Export samples into a folder, while what is looked at goes on being drawn."""
        self._keep(self.settings)
        self._exports.add(self.settings, self.seed, numbers, folder)
        self._begin_long_job()

    def stop(self) -> None:
        """Give up exports and the cutting of real crops."""
        self._asked.clear()
        self._give_up_exports("you stopped it")
        if self._cutting is not None:
            self._cutting = None
            self.progress.emit("")
            self.said.emit("Stopped")

    def _begin_long_job(self) -> None:
        self.progress.emit(self._progress)
        self._is_halted = False
        self._next()

    def _give_up_exports(self, why: str) -> None:
        sentence = self._exports.give_up(why)
        if sentence:
            self.progress.emit(self._progress)
            self.said.emit(sentence)

    def _begin_cutting_anew(self) -> None:
        """What was cut so far was in a process that is gone."""
        if self._cutting is not None:
            self._cutting = replace(self._cutting, start=0)

    @property
    def _progress(self) -> str:
        """How far the long job under way is."""
        if self._cutting is None:
            return self._exports.progress
        return f"cutting real word {self._cutting.start:,} of about {self._cutting.n:,} …"

    @property
    def drawn(self) -> Measures:
        """Measures of the drawn samples so far."""
        return compare.joined(self._drawn)

    def _ask(self, request: Any) -> None:
        self._asked.append(request)
        self._is_halted = False
        self._next()

    # ---- the worker ----------------------------------------------------------------------------

    def _restart(self) -> None:
        """Settings, seed or range are others: nothing is known of the samples any more."""
        self._debounce.stop()
        self._samples.clear()
        self._forget_survey()
        self._drawn = []
        if self._measured_to is not None:
            self._measured_to = 0
        self._visible = ()
        self._is_halted = False
        self._wants_strip = self._wants_nearest = self.selected is not None
        self._keep(self.settings)
        if self._is_started and self.link.pid is None:
            self.link.start()
        self.changed.emit()
        self.order_changed.emit()
        self._wants_count = self._is_counting
        self._next()

    def _keep(self, settings: SampleSettings) -> None:
        try:
            self.shelf.put(settings)
        except OcrError as error:
            self.failed.emit(failure("", error))

    def _forget_survey(self) -> None:
        self._survey = survey.Collection()
        self.surveyed.emit()

    def _goal(self) -> int:
        """How many samples are to be looked through."""
        everything = not self.query.is_empty or self.is_hardest_first
        return self.count if everything else min(self.count, RECIPES)

    def _next(self) -> None:
        if self._running is None and self._is_started and not self._is_halted \
                and self.link.pid is not None:
            self._running = self._most_urgent()
            if self._running is not None:
                self.link.send(self._running)

    def _most_urgent(self) -> Any:
        """The next request, or None where everything is known."""
        here = self.settings, self.seed
        if self._wants_strip:
            return asked.MakeStrip(next(self._jobs), *here, self.selected, self.without,
                                   self.is_reading)
        missing = [i for i in self._visible if not self._is_known(i)][:AT_ONCE]
        if missing:
            return asked.MakeSamples(next(self._jobs), *here, tuple(missing), self.is_reading)
        if self._wants_nearest and self.real is not None:
            return asked.FindNearest(next(self._jobs), *here, self.selected, NEAREST, self.by)
        if self._asked:
            return self._asked.pop(0)
        if self._cutting is not None:
            return replace(self._cutting, job=next(self._jobs))
        if self._exports:
            return self._exports.next_part(next(self._jobs))
        if self._wants_count:
            return asked.CountCharacters(next(self._jobs), *here, COUNTED)
        if self._measured_to is not None and self._measured_to < MEASURED:
            start = self.start + self._measured_to
            return asked.MeasureDrawn(next(self._jobs), *here, start, start + MEASURED_AT_ONCE)
        if self.looked < self._goal():
            start = self.start + self.looked
            stop = min(start + SURVEYED_AT_ONCE, self.start + self._goal())
            return asked.Survey(next(self._jobs), *here, start, stop, self.is_reading)
        return None

    def _is_known(self, i: int) -> bool:
        found = self._samples.get(i)
        return found is not None and (found[1] is not None or not self.is_reading)

    def _receive(self, message: Any) -> None:
        if isinstance(message, asked.FontsLoaded):
            self.fonts = message.digest
        elif isinstance(message, messages.Done | messages.Failed):
            self._ended(message)
        elif not isinstance(message, messages.Ready):
            self._take(message)

    def _take(self, message: Any) -> None:
        """An answer; what belongs to samples that are no longer shown is dropped."""
        request = self._running
        if request is None or request.job != message.job:
            return
        if hasattr(request, "settings") and not isinstance(request, asked.WriteSamples) \
                and (request.settings, request.seed) != (self.settings, self.seed):
            return
        take = {asked.SamplesMade: self._take_samples, asked.Surveyed: self._take_facts,
                asked.StripMade: self._take_strip, asked.CharactersCounted: self._take_counts,
                asked.DrawnMeasured: self._take_measures, asked.RealListed: self.real_listed.emit,
                asked.RealCut: self._take_real, asked.NearestFound: self._take_nearest,
                asked.SamplesWritten: self._take_written}
        take[type(message)](message)

    def _take_samples(self, message: asked.SamplesMade) -> None:
        readings = message.readings or (None,) * len(message.numbers)
        for i, sample, read in zip(message.numbers, message.samples, readings, strict=True):
            self._samples[i] = sample, read
            self._samples.move_to_end(i)
        while len(self._samples) > max(CACHED, len(self._visible)):
            self._samples.popitem(last=False)
        self.made.emit(message.numbers)

    def _take_facts(self, message: asked.Surveyed) -> None:
        if self._running.read != self.is_reading or self._running.start != self.start + self.looked:
            return
        self._survey.add(message.facts)
        self.surveyed.emit()
        if not (self.query.is_empty and not self.is_hardest_first) and not self._settle.isActive():
            self._settle.start()

    def _take_strip(self, message: asked.StripMade) -> None:
        if (message.i, message.without) == (self.selected, self.without):
            self._wants_strip = self._running.read != self.is_reading
            self.strip_made.emit(message)

    def _take_counts(self, message: asked.CharactersCounted) -> None:
        self._wants_count = False
        self.counted.emit(message)

    def _take_measures(self, message: asked.DrawnMeasured) -> None:
        if self._measured_to is not None and self._running.start == self.start + self._measured_to:
            self._measured_to += MEASURED_AT_ONCE
            self._drawn.append(message.measures)
            self.measured.emit()

    def _take_real(self, message: asked.RealCut) -> None:
        if not self._is_still_cut(self._running):
            return
        is_whole = message.measures is not None
        self._cutting = None if is_whole else replace(self._cutting, start=message.n_cut)
        self.progress.emit(self._progress)
        if is_whole:
            self.real = message.measures
            self.said.emit(f"{len(message.measures):,} real crops measured")
            self.measured.emit()

    def _is_still_cut(self, request: asked.CutReal) -> bool:
        """Whether it was neither stopped nor replaced by another list meanwhile."""
        return replace(request, job=messages.NO_JOB) == self._cutting

    def _take_nearest(self, message: asked.NearestFound) -> None:
        if (message.i, self._running.by) == (self.selected, self.by):
            self._wants_nearest = False
            self.nearest_found.emit(message)

    def _take_written(self, message: asked.SamplesWritten) -> None:
        whole = self._exports.take(message)
        self.progress.emit(self._progress)
        if whole is not None:
            self.said.emit(f"{len(whole.numbers):,} samples written to {whole.folder}")
            self.written.emit(str(whole.folder))

    def _ended(self, message: messages.Done | messages.Failed) -> None:
        request, self._running = self._running, None
        if request is None or request.job != message.job:
            self._running = request
            return
        self._deaths = 0
        if isinstance(message, messages.Failed):
            self._fail(request, message)
        self._next()

    def _fail(self, request: Any, message: messages.Failed) -> None:
        """Tell what failed, and do not try the same thing again and again."""
        self.failed.emit(message)
        if isinstance(request, asked.FindNearest):
            self._wants_nearest = False
        elif isinstance(request, asked.CountCharacters):
            self._wants_count = False
        elif isinstance(request, asked.WriteSamples):
            self._exports.drop(request.export)
            self.progress.emit(self._progress)
        elif isinstance(request, asked.CutReal):
            if self._is_still_cut(request):
                self._cutting = None
            self.progress.emit(self._progress)
        elif getattr(request, "read", False) and message.kind in ("Missing", "Mismatch"):
            self.set_reading(False)
        elif not isinstance(request, asked.ListReal):
            self._is_halted = True

    def _worker_ended(self, code: int, is_meant: bool) -> None:
        if is_meant:
            return
        request, self._running = self._running, None
        self._deaths += 1
        self.real = None  # its pixels were the worker's
        if isinstance(request, asked.CutReal):
            self._cutting = None  # it may have been the cause
        self._begin_cutting_anew()
        self.progress.emit(self._progress)
        self._give_up_exports("the process that wrote it ended")
        what = type(request).__name__ if request is not None else "nothing"
        again = self._deaths < MAX_DEATHS
        self.failed.emit(messages.Failed(
            messages.NO_JOB, "", f"the process that draws samples ended ({code}) while asked for "
            f"{what}; " + ("it was started again" if again else "open the view again to retry"),
            "", "Crash", 1))
        self.measured.emit()
        if again:
            self.link.start()
            self._next()
        else:
            self._deaths = 0
