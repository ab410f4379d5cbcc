"""Several training settings side by side: `main.py train words --sweep FILE --eval DEV.tsv`.

FILE is TOML: a table per run, named by its title, with options of `train words` as keys (dashes as
underscores) and `goal`. A top table [all] holds what they share. Each run gets a folder in --out
and, when it is done, a numbered notebook entry; a run whose folder has a finished state is skipped,
so a sweep that was broken off goes on where it was.

    [all]
    minutes = 10
    [rate-1e-3]
    rate = 1e-3
    goal = "Is half the rate better?"
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

from core.errors import Unreadable, Usage
from core.notebook import FOLDER
from core.train import checkpoint, processes
from core.train.note import note_of_run
from core.train.words import STATE, TrainSettings, train
from core.train.words_command import exam_for, root_of, settings_from

# What a run of a sweep may set; the other options are the sweep's own.
OPTIONS = ("minutes", "samples", "decay_start", "batch", "rate", "seed", "workers", "threads",
           "channels", "hidden", "goal")
SHARED = "all"
FINISHED = 0.999  # of the budget


def read_sweep(path: Path) -> dict[str, dict]:
    """Title -> options of each run of a sweep file. Raises Unreadable, or Usage for an option that
    is none."""
    try:
        tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path}: no sweep file ({error})") from None
    shared = tables.pop(SHARED, {})
    runs = {}
    for title, own in tables.items():
        if not isinstance(own, dict):
            raise Usage(f"{path}: {title} stands outside a table; write it below [{SHARED}]")
        runs[title] = {**shared, **own}
        for name in runs[title]:
            if name not in OPTIONS:
                raise Usage(f"{path}, [{title}]: {name} is no option of a run; "
                            f"choose of {', '.join(OPTIONS)}")
    if not runs:
        raise Usage(f"{path}: no run; give each a table")
    return runs


def settings_of_run(args: argparse.Namespace, options: dict) -> TrainSettings:
    """The command's own options with those of one run over them."""
    own = {**options, "channels": tuple(options.get("channels", args.channels))}
    own.pop("goal", None)
    return settings_from(argparse.Namespace(**{**vars(args), **own}))


def command(args: argparse.Namespace, into: Path = FOLDER) -> int:
    """Run all of a sweep file, one after the other. Returns an exit code."""
    if not args.exam:
        raise Usage("a sweep needs the words to compare its runs on: --eval WORDS.tsv")
    runs, crew = read_sweep(args.sweep), processes.join()
    settings = {title: settings_of_run(args, options) for title, options in runs.items()}
    for title, options in runs.items():
        folder = args.out / title
        state = folder / STATE
        if state.exists() and checkpoint.load(state).spent >= FINISHED:
            print(f"{title}: done already")
            continue
        exam = exam_for(args, settings[title]) if crew.leads else None
        train(settings[title], folder, state if state.exists() else None, exam=exam,
              say=lambda line, t=title: print(f"{t}: {line}", flush=True), crew=crew)
        if crew.leads:
            said = " ".join(f"--{k.replace('_', '-')} {_plain(v)}" for k, v in options.items()
                            if k != "goal")
            print(note_of_run(folder, args.exam, root_of(args, args.exam), title,
                              options.get("goal") or f"One run of the sweep {args.sweep.name}.",
                              f"python main.py train words {said}", into=into))
    return 0


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
