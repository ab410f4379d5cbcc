"""The notebook entry of a training run of words: figures, curve and the command that made it."""

from __future__ import annotations

import json
from pathlib import Path

from core import notebook
from core.evaluate.words import WordScores, score_words
from core.recognizer import net
from core.train import checkpoint
from core.train.words import LOG, STATE, WEIGHTS

DRAWN = "words drawn by core/synth (resources/fonts, resources/corpus)"
SOURCES = DRAWN + "; no real document"
SOURCES_TUNED = DRAWN + ("; words of receipts (ICDAR 2019 SROIE train) and screenshots (Debian "
                         "documentation, train); no form")


def entry_of_run(folder: Path, scores: WordScores, title: str, goal: str, command: str,
                 learnt: str = "", sources: str = "") -> notebook.Entry:
    """The entry of the run in `folder`; `scores` are those of its final weights, by category.

    Write it with `notebook.write`. Raises Missing when the folder holds no finished run.
    """
    state = checkpoint.load(Path(folder) / STATE)
    lines = [json.loads(line) for line in (Path(folder) / LOG).read_text("utf-8").splitlines()]
    curve = [{"samples": line["samples"], **line["evaluation"]}
             for line in lines if "evaluation" in line]
    if not sources:
        sources = SOURCES_TUNED if state.settings.get("real") else SOURCES
    return notebook.Entry(
        title=title, goal=goal, command=command, settings=state.settings,
        seed=state.settings["seed"], sources=sources, samples=state.samples,
        seconds=state.seconds, table=notebook.table_of(scores), curve=curve, learnt=learnt)


def note_of_run(folder: Path, tsv: Path, root: Path, title: str, goal: str, command: str,
                learnt: str = "", into: Path = notebook.FOLDER,
                weights: Path | None = None) -> Path:
    """Score a run's weights on a whole words TSV and write its entry, with the words behind it and
    the run's log; the Markdown file's path comes back. weights: what is scored instead, if given."""
    scores = score_words(tsv, root, net.load(weights or Path(folder) / WEIGHTS))
    entry = entry_of_run(folder, scores, title, goal, command, learnt)
    log = (Path(folder) / LOG).read_text(encoding="utf-8")
    return notebook.write(entry, into, notebook.results_of(scores), log)
