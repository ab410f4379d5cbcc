"""The lab notebook: a numbered entry per experiment, Markdown to read and JSON to compute with.

Entries lie in resources/notebook as NNNN-slug.md and NNNN-slug.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from core.errors import Missing, Unreadable, Usage

FOLDER = Path(__file__).parents[1] / "resources" / "notebook"


@dataclass(frozen=True)
class Entry:
    """One experiment, enough to do it again and to compare it with another.

    goal      a sentence; command: what makes it again; settings: plain values
    sources   what it was trained and measured on, with licences
    samples   seen in training (0 for a measurement); seconds: wall time
    table     category -> metric -> value (shares in 0..1, unit in the name otherwise)
    curve     one dict per evaluation: "samples" and the shares measured then
    learnt    what to do differently
    sha, machine, day are filled in by `write` where they are empty
    """

    title: str
    goal: str
    command: str
    settings: dict
    seed: int
    sources: str
    samples: int
    seconds: float
    table: dict[str, dict[str, float | None]]
    curve: list[dict[str, float]] = field(default_factory=list)
    learnt: str = ""
    sha: str = ""
    machine: str = ""
    day: str = ""
    number: int = 0


def write(entry: Entry, folder: Path = FOLDER) -> Path:
    """Write the entry under the next free number; the Markdown file's path comes back."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    number = entry.number or 1 + max([0, *(e.number for e in entries(folder))])
    entry = Entry(**{**asdict(entry), "number": number, "sha": entry.sha or git_sha(),
                     "machine": entry.machine or machine(),
                     "day": entry.day or date.today().isoformat()})
    slug = re.sub(r"[^a-z0-9]+", "-", entry.title.lower()).strip("-")
    stem = folder / f"{number:04d}-{slug}"
    _replace(stem.with_suffix(".json"), json.dumps(asdict(entry), indent=1) + "\n")
    _replace(stem.with_suffix(".md"), markdown(entry))
    return stem.with_suffix(".md")


def entries(folder: Path = FOLDER) -> list[Entry]:
    """All entries, newest first. Raises Unreadable naming a file that is no entry."""
    found = []
    for path in sorted(Path(folder).glob("[0-9][0-9][0-9][0-9]-*.json"), reverse=True):
        try:
            found.append(Entry(**json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, TypeError) as error:
            raise Unreadable(f"{path}: no notebook entry ({error}); restore or remove it") from None
    return found


def entry_of(number: int, folder: Path = FOLDER) -> Entry:
    """The entry with that number. Raises Missing."""
    for entry in entries(folder):
        if entry.number == number:
            return entry
    raise Missing(f"{folder}: no entry {number}; `python main.py notebook list` names them")


def markdown(entry: Entry) -> str:
    """The entry as a page: what, how to do it again, figures, curve, what was learnt."""
    parts = [f"# {entry.number:04d} {entry.title}", "", entry.goal, "",
             f"- day {entry.day}, commit `{entry.sha or 'none'}`, machine: {entry.machine}",
             f"- command: `{entry.command}`", f"- seed {entry.seed}; sources: {entry.sources}",
             f"- {entry.samples:,} samples, {entry.seconds / 60:.1f} minutes",
             f"- settings: `{json.dumps(entry.settings)}`", ""]
    parts += _table("category", list(entry.table.items()))
    if entry.curve:
        parts += ["", "## Curve", ""]
        parts += _table("samples", [(f"{int(point['samples']):,}",
                                     {k: v for k, v in point.items() if k != "samples"})
                                    for point in entry.curve])
    if entry.learnt:
        parts += ["", "## Learnt", "", entry.learnt]
    return "\n".join(parts) + "\n"


def _table(first: str, rows: list[tuple[str, dict]]) -> list[str]:
    """A Markdown table; shares are shown in percent, names with a unit and counts as they are."""
    columns = list(dict.fromkeys(name for _, values in rows for name in values))
    lines = [f"| {first} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, values in rows:
        cells = [_cell(column, values.get(column)) for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int) or "ms" in column.split("_"):
        return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
    return f"{100 * value:.1f} %" if 0 <= value <= 1 else f"{value:.4g}"


def git_sha() -> str:
    """The checked-out commit, with + when files differ from it; empty outside a checkout."""
    try:
        here = Path(__file__).parent
        sha = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=here, text=True,
                             capture_output=True, check=True).stdout.strip()
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=here, text=True,
                                 capture_output=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
    return sha + ("+" if changed else "")


def machine() -> str:
    """CPU model, cores and Python, for comparing times."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


# ---- command line: main.py notebook ------------------------------------------------------------

def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `main.py notebook`."""
    parser.add_argument("verb", choices=("list", "show"))
    parser.add_argument("number", nargs="?", type=int, help="the entry to show")
    parser.add_argument("--folder", type=Path, default=FOLDER)


def run(args: argparse.Namespace) -> int:
    """`main.py notebook list|show N`. Returns an exit code."""
    if args.verb == "show":
        if args.number is None:
            raise Usage("notebook show needs the entry's number; `notebook list` names them")
        print(markdown(entry_of(args.number, args.folder)))
        return 0
    for entry in entries(args.folder):
        print(f"{entry.number:04d}  {entry.day}  {entry.sha:<13}  {entry.samples:>11,}  "
              f"{entry.title}")
    return 0
