"""Evaluation of an engine on a folder of documents: by category (the folder's name) and overall."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from core.engines.engine import Engine, engine, page_words
from core.errors import Missing, OcrError
from core.evaluate.score import Score, Truth, read_truth, score
from core.settings import Settings

Progress = Callable[[int, int, str], None]  # done, total, name of the document just done


@dataclass(frozen=True)
class DocumentScore:
    """One document's counts, and why it could not be read ("" when it could)."""

    path: Path
    category: str
    score: Score
    error: OcrError | None = None


@dataclass(frozen=True)
class Evaluation:
    """All documents' scores."""

    documents: tuple[DocumentScore, ...] = field(default=())

    @property
    def overall(self) -> Score:
        """The sum over all documents."""
        return sum((d.score for d in self.documents), Score())

    @property
    def categories(self) -> dict[str, Score]:
        """The sum over each category, by name."""
        sums: dict[str, Score] = {}
        for document in sorted(self.documents, key=lambda d: d.category):
            sums[document.category] = sums.get(document.category, Score()) + document.score
        return sums

    @property
    def errors(self) -> list[OcrError]:
        """What went wrong, in the order of the documents."""
        return [d.error for d in self.documents if d.error is not None]

    def figures(self) -> dict:
        """`{"overall": {...}, "categories": {NAME: {...}}}`, see `Score.figures`."""
        return {"overall": self.overall.figures(),
                "categories": {name: s.figures() for name, s in self.categories.items()}}

    def to_json(self) -> str:
        """The figures as JSON; what was not measured is null."""
        return json.dumps(self.figures(), indent=2) + "\n"

    def to_text(self) -> str:
        """The figures as a table for people."""
        keys = ("pages", "words", "precision", "recall", "f1", "cer", "box_f1",
                "cpu_seconds_per_page")
        heads = (*keys[:-1], "cpu s/page")
        rows = [f"{'category':<16}" + "".join(f"{h:>11}" for h in heads)]
        for name, s in [*self.categories.items(), ("overall", self.overall)]:
            figures = s.figures()
            rows.append(f"{name:<16}" + "".join(f"{_cell(figures[k]):>11}" for k in keys))
        return "\n".join(rows)


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def documents(folder: Path) -> list[Path]:
    """The truth files under a folder, sorted. Raises Missing when there are none."""
    if not folder.is_dir():
        raise Missing(f"{folder} is no folder; give one that holds CATEGORY/NAME.json with images")
    found = sorted(p for p in folder.rglob("*.json") if not p.name.startswith("."))
    if not found:
        raise Missing(f"no documents under {folder}: it needs CATEGORY/NAME.json beside an image")
    return found


def evaluate(documents_dir: Path, engine_name: str = "ours", settings: Settings | None = None,
             progress: Progress | None = None, jobs: int = 1) -> Evaluation:
    """Read every document under a folder and score it.

    A document that cannot be read counts as one on which nothing was found, and its error is kept.
    jobs: processes that read at the same time, one thread each; CPU seconds are summed over them.
    Raises Missing (no documents, no model, engine not installed).
    """
    paths = documents(Path(documents_dir))
    results = []
    for i, result in enumerate(_results(paths, engine_name, settings, jobs), 1):
        results.append(result)
        if progress is not None:
            progress(i, len(paths), result.path.stem)
    return Evaluation(tuple(results))


def _results(paths: list[Path], engine_name: str, settings: Settings | None,
             jobs: int) -> Iterator[DocumentScore]:
    if jobs <= 1:
        mine = engine(engine_name, settings)
        yield from (score_document(path, mine, settings or Settings()) for path in paths)
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # spawned processes read these as they start
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _start, (engine_name, settings)) as pool:
        yield from pool.map(_score_in_child, paths)


_child: tuple[Engine, Settings] | None = None  # of a pool's process: its engine is loaded once


def _start(engine_name: str, settings: Settings | None) -> None:
    global _child
    import cv2
    cv2.setNumThreads(1)
    _child = (engine(engine_name, settings), settings or Settings())


def _score_in_child(path: Path) -> DocumentScore:
    return score_document(path, *_child)


def score_document(path: Path, reader: Engine, settings: Settings) -> DocumentScore:
    """Read the image beside a truth file and score the reading."""
    from core import load
    category = path.resolve().parent.name
    truth: Truth | None = None
    start = cpu_seconds()
    try:
        truth = read_truth(path)
        page = load.page(load.open_source(truth.image).page_source(0), settings.page)
        reading = reader.read(page)
    except Missing:
        raise
    except OcrError as error:
        failed = Score() if truth is None else score(truth, _nothing())
        return DocumentScore(path, category, failed, error)
    spent = cpu_seconds() - start
    return DocumentScore(path, category, score(truth, page_words(reading), spent))


def _nothing():
    from core.reading import Reading
    return page_words(Reading())


def cpu_seconds() -> float:
    """CPU time of this process and of the children it has waited for (another engine's command)."""
    spent = os.times()  # getrusage is finer but does not exist on Windows
    return spent.user + spent.system + spent.children_user + spent.children_system


def first_exit_code(errors: Iterable[OcrError]) -> int:
    """The first error's exit code, 0 without any."""
    return next((error.exit_code for error in errors), 0)
