"""The child process for samples: it draws them, reads them back with the net, and cuts real crops.

Never Qt. The net is loaded when a reading is first asked for. Real crops are held in memory only.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import Missing
from core.evaluate.words import WordTruth
from core.synth import compare, sample_files, survey
from core.synth.fonts import default_atlas
from core.synth.sample import character_histogram, sample, strip
from core.synth.survey import ReadBack
from workbench import sample_messages as said
from workbench.job_server import JobServer
from workbench.worker import serve_until_closed

CUT_AT_ONCE = 100  # real crops a part


def main(pipe: Connection, prefix: str, resources: Path) -> None:
    """Entry of the child process. `prefix` (of shared memory) is not used: windows are small."""
    serve_until_closed(lambda: SampleWorker(pipe, resources))


class SampleWorker(JobServer):
    """Answers requests on samples."""

    def __init__(self, pipe: Connection, resources: Path) -> None:
        super().__init__(pipe)
        self.resources = resources
        self.real: compare.RealCrops | None = None
        self.rows: list[WordTruth] = []  # of the real words being cut; `parts` are their crops so far
        self.parts: list[compare.RealCrops] = []
        self.fonts_told = False
        self.export = 0  # the export that is being written; `batch` is what it has written
        self.batch: sample_files.Batch | None = None

    def answer(self, request: Any) -> bool | None:
        """Do what is asked, see the methods."""
        self._tell_fonts()
        return {said.MakeSamples: self._make, said.Survey: self._survey,
                said.MakeStrip: self._strip, said.CountCharacters: self._count,
                said.MeasureDrawn: self._measure, said.ListReal: self._list,
                said.CutReal: self._cut, said.FindNearest: self._nearest,
                said.WriteSamples: self._write}[type(request)](request)

    def _tell_fonts(self) -> None:
        """The atlas is loaded (or built, some seconds the first time) before the first answer."""
        if not self.fonts_told:
            atlas = default_atlas()
            self.pipe.send(said.FontsLoaded(atlas.digest, len(atlas.fonts)))
            self.fonts_told = True

    # ---- drawing -------------------------------------------------------------------------------

    def _make(self, request: said.MakeSamples) -> None:
        made = tuple(sample(request.settings, request.seed, i) for i in request.numbers)
        readings = self._readings([s.image for s in made], [s.text for s in made]) \
            if request.read else ()
        self.pipe.send(said.SamplesMade(request.job, request.numbers, made, readings))

    def _survey(self, request: said.Survey) -> None:
        numbers = range(request.start, request.stop)
        made = [sample(request.settings, request.seed, i) for i in numbers]
        readings = self._readings([s.image for s in made], [s.text for s in made]) \
            if request.read else ()
        self.pipe.send(said.Surveyed(request.job, survey.facts_of(made, numbers, readings)))

    def _strip(self, request: said.MakeStrip) -> None:
        address = request.settings, request.seed, request.i
        text = sample(*address).text
        every = strip(*address)
        stills = strip(*address, request.without) if request.without else every
        readings = self._readings([s.image for s in stills], [text] * len(stills)) \
            if request.read else ()
        self.pipe.send(said.StripMade(request.job, request.i, text, request.without, tuple(stills),
                                      tuple(every), readings))

    def _count(self, request: said.CountCharacters) -> None:
        counts = character_histogram(request.settings, request.seed, request.n)
        self.pipe.send(said.CharactersCounted(request.job, request.n, counts))

    # ---- reading -------------------------------------------------------------------------------

    @cached_property
    def _net(self) -> Any:
        from core.pipeline import default_words
        from core.recognizer import net
        try:
            return net.load(default_words(self.resources / "models"))
        except ImportError as error:
            raise Missing(f"a program library is missing: {error}; install the dependencies "
                          "again (see the README)") from error

    def _readings(self, windows: Sequence[NDArray[np.uint8]], texts: Sequence[str],
                  ) -> tuple[ReadBack, ...]:
        """What the net reads in windows whose true texts are known."""
        from core.recognizer import ctc
        from core.recognizer.transcribe import TranscriptSettings, log_probs_of
        from core.recognizer.window import pad_windows
        if not windows:
            return ()
        window, width = pad_windows(list(windows))
        log_probs = log_probs_of(window, width, TranscriptSettings(), self._net)
        read = ctc.best_paths(log_probs).texts
        sure = ctc.confidences(log_probs, read)
        loss = -ctc.log_likelihoods(log_probs, list(texts))
        return tuple(ReadBack(*row) for row in zip(read, sure.tolist(), loss.tolist(), strict=True))

    # ---- real crops ----------------------------------------------------------------------------

    def _measure(self, request: said.MeasureDrawn) -> None:
        made = (sample(request.settings, request.seed, i)
                for i in range(request.start, request.stop))
        windows = [s.image for s in made if s.text]
        self.pipe.send(said.DrawnMeasured(request.job, compare.measured(windows)))

    def _list(self, request: said.ListReal) -> None:
        self.pipe.send(said.RealListed(request.job, request.tsv, compare.categories(request.tsv)))

    def _cut(self, request: said.CutReal) -> None:
        if request.start == 0:
            self.rows = compare.chosen_rows(request.tsv, request.n, request.category)
            self.parts = []
        stop = min(request.start + CUT_AT_ONCE, len(self.rows))
        self.parts.append(compare.cut_crops(self.rows[request.start:stop], request.root))
        measures = None
        if stop == len(self.rows):
            self.real, self.parts = compare.all_crops(self.parts), []
            measures = self.real.measures
        self.pipe.send(said.RealCut(request.job, stop, measures))

    def _nearest(self, request: said.FindNearest) -> None:
        if self.real is None:
            raise Missing("no real crops are loaded; choose a word list first")
        one = sample(request.settings, request.seed, request.i)
        if request.by == "text":
            texts = [row.printed or row.text for row in self.real.rows]
            rows = compare.nearest_text(one.text, texts, request.n)
            distances = np.full(len(rows), np.nan, np.float32)
        else:
            rows, distances = compare.nearest(compare.measured([one.image]), self.real.measures,
                                              request.n)
        found = compare.some_crops(self.real, rows)
        self.pipe.send(said.NearestFound(request.job, request.i, found, distances))

    # ---- writing -------------------------------------------------------------------------------

    def _write(self, request: said.WriteSamples) -> None:
        if request.export != self.export:
            batch = sample_files.Batch(request.folder, request.settings, request.seed)
            self.export, self.batch = request.export, batch
        for i in request.numbers:
            self.batch.add(i, sample(request.settings, request.seed, i))
        if request.is_last:
            self.batch.finish()
        self.pipe.send(said.SamplesWritten(request.job, request.export, len(request.numbers)))
