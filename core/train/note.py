"""The notebook entry of a training run of words: figures, curve and the command that made it."""

from __future__ import annotations

import json
from pathlib import Path

from core import notebook
from core.evaluate.words import WordScores
from core.train import checkpoint
from core.train.words import LOG, STATE

SOURCES = "words drawn by core/synth (resources/fonts, resources/corpus); no real document"


def entry_of_run(folder: Path, scores: WordScores, title: str, goal: str, command: str,
                 learnt: str = "", sources: str = SOURCES) -> notebook.Entry:
    """The entry of the run in `folder`; `scores` are those of its final weights, by category.

    Write it with `notebook.write`. Raises Missing when the folder holds no finished run.
    """
    state = checkpoint.load(Path(folder) / STATE)
    lines = [json.loads(line) for line in (Path(folder) / LOG).read_text("utf-8").splitlines()]
    curve = [{"samples": line["samples"], **line["evaluation"]}
             for line in lines if "evaluation" in line]
    table = {name: {"exact": s.exact, "folded": s.folded, "no spaces": s.no_spaces, "cer": s.cer,
                    "ms_per_word": s.ms_per_word, "n": s.n}
             for name, s in [*scores.categories.items(), ("overall", scores.overall)]}
    return notebook.Entry(
        title=title, goal=goal, command=command, settings=state.settings,
        seed=state.settings["seed"], sources=sources, samples=state.samples,
        seconds=state.seconds, table=table, curve=curve, learnt=learnt)
