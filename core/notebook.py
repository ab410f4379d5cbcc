"""The lab notebook: a numbered entry per experiment, Markdown to read and JSON to compute with.

Entries lie in resources/notebook as NNNN-slug.md and NNNN-slug.json, and beside them, where there
are any, the words behind the figures (.tsv.gz), the run's log (.log.gz) and graphs (.svg).
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from core import notebook_graph
from core.errors import Missing, Unreadable
from core.files import write_bytes
from core.notebook_results import WordResult, write_results

if TYPE_CHECKING:
    from core.evaluate.words import WordScores
    from core.recognizer.calibration import Reliability
    from core.train.calibrate import Trade

FOLDER = Path(__file__).parents[1] / "resources" / "notebook"
UNITS = frozenset(("ms", "seconds"))  # in a column's name: its values are no shares
RESULTS, LOG = ".tsv.gz", ".log.gz"  # what follows an entry's name


@dataclass(frozen=True)
class Entry:
    """One experiment, enough to do it again and to compare it with another.

    goal      a sentence; command: what makes it again; settings: plain values
    sources   what it was trained and measured on, with licences
    samples   seen in training (0 for a measurement); seconds: wall time
    table     category -> metric -> value (shares in 0..1, unit in the name otherwise)
    curve     one dict per evaluation: "samples" and the shares measured then
    learnt    what to do differently
    reliability  {"error", "bins": [{"confidence", "right", "n"}], "trades": [{"above",
              "precision", "recall"}]}, {} where confidence was not measured
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
    reliability: dict = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The name of its files, without what follows the dot."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
        return f"{self.number:04d}-{slug}"


def write(entry: Entry, folder: Path = FOLDER, results: Sequence[WordResult] = (),
          log: str = "") -> Path:
    """Write the entry under the next free number; the Markdown file's path comes back.

    results  the words behind the figures; log: the run's full log, kept compressed
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    number = entry.number or 1 + max([0, *(e.number for e in entries(folder))])
    entry = Entry(**{**asdict(entry), "number": number, "sha": entry.sha or git_sha(),
                     "machine": entry.machine or machine(),
                     "day": entry.day or date.today().isoformat()})
    stem = folder / entry.stem
    if results:
        write_results(results, folder / (entry.stem + RESULTS))
    if log:
        write_bytes(folder / (entry.stem + LOG), gzip.compress(log.encode(), 9, mtime=0))
    for name, svg in graphs(entry).items():
        write_bytes(folder / (entry.stem + name), svg.encode())
    write_bytes(stem.with_suffix(".json"), (json.dumps(asdict(entry), indent=1) + "\n").encode())
    path = stem.with_suffix(".md")
    write_bytes(path, markdown(entry, attachments(entry, folder)).encode())
    return path


def attachments(entry: Entry, folder: Path = FOLDER) -> list[str]:
    """Names of the files that lie beside an entry, besides its Markdown."""
    return sorted(p.name for p in Path(folder).glob(entry.stem + ".*") if p.suffix != ".md")


def results_path(entry: Entry, folder: Path = FOLDER) -> Path | None:
    """Where the words behind an entry's figures are, None when they were not kept."""
    path = Path(folder) / (entry.stem + RESULTS)
    return path if path.is_file() else None


def results_of(scores: WordScores) -> list[WordResult]:
    """The words behind scores, to write with an entry."""
    from core.evaluate.words import is_right

    return [WordResult(w.file, *w.box, w.category, w.text, w.printed, text, float(c),
                       is_right(w, text))
            for w, text, c in zip(scores.truth, scores.texts, scores.confidence)]


def table_of(scores: WordScores) -> dict[str, dict[str, float | None]]:
    """The table of an entry from Single Word Accuracy, by category and overall."""
    return {name: {"exact": s.exact, "folded": s.folded, "no spaces": s.no_spaces, "cer": s.cer,
                   "precision": s.precision, "recall": s.recall, "ms_per_word": s.ms_per_word,
                   "n": s.n}
            for name, s in [*scores.categories.items(), ("overall", scores.overall)]}


def reliability_of(measured: Reliability, trades: Sequence[Trade]) -> dict:
    """What an entry keeps of a calibration, as plain values."""
    bins = [{"confidence": float(c), "right": float(r), "n": int(n)}
            for n, c, r in zip(measured.n, measured.confidence, measured.right) if n]
    return {"error": measured.error, "bins": bins, "trades": [asdict(t) for t in trades]}


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


def graphs(entry: Entry) -> dict[str, str]:
    """What follows the entry's name -> SVG, of those graphs that it has figures for."""
    title = f"{entry.number:04d} {entry.title}"
    found = {".svg": notebook_graph.error_graph(entry.curve, title)}
    if entry.reliability:
        found[".reliability.svg"] = notebook_graph.reliability_graph(
            entry.reliability["bins"], title)
        found[".trade.svg"] = notebook_graph.trade_graph(entry.reliability["trades"], title)
    return {name: svg for name, svg in found.items() if svg}


def markdown(entry: Entry, files: Sequence[str] = ()) -> str:
    """The entry as a page: what, how to do it again, figures, curve, what was learnt.

    files: names of the files beside it, which it links to; graphs are shown.
    """
    parts = [f"# {entry.number:04d} {entry.title}", "", entry.goal, "",
             f"- day {entry.day}, commit `{entry.sha or 'none'}`, machine: {entry.machine}",
             f"- command: `{entry.command}`", f"- seed {entry.seed}; sources: {entry.sources}",
             f"- {entry.samples:,} samples, {entry.seconds / 60:.1f} minutes",
             f"- settings: `{json.dumps(entry.settings)}`", ""]
    parts += _table("category", list(entry.table.items()))
    parts += [line for name in files if name.endswith(".svg") for line in ("", f"![]({name})")]
    others = [f"[{name}]({name})" for name in files if not name.endswith(".svg")]
    if others:
        parts += ["", "Beside it: " + ", ".join(others)]
    if entry.curve:
        parts += ["", "## Curve", ""]
        parts += _table("samples", [(f"{int(point['samples']):,}",
                                     {k: v for k, v in point.items() if k != "samples"})
                                    for point in entry.curve])
    if entry.reliability:
        parts += ["", f"Expected calibration error {entry.reliability['error']:.4f}", ""]
        parts += _table("confidence", [(f"{row['confidence']:.3f}",
                                        {"right": row["right"], "n": row["n"]})
                                       for row in entry.reliability["bins"]])
        parts += ["", *_table("kept from", [(f"{row['above']:g}", {k: row[k] for k in
                                             ("precision", "recall")})
                                            for row in entry.reliability["trades"]])]
    if entry.learnt:
        parts += ["", "## Learnt", "", entry.learnt]
    return "\n".join(parts) + "\n"


def _table(first: str, rows: list[tuple[str, dict]]) -> list[str]:
    """A Markdown table; shares are shown in percent, names with a unit and counts as they are."""
    columns = list(dict.fromkeys(name for _, values in rows for name in values))
    lines = [f"| {first} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, values in rows:
        cells = [cell(column, values.get(column)) for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def cell(column: str, value: float | None) -> str:
    """A value as a table shows it: shares in percent, counts and times as they are."""
    if value is None:
        return ""
    if isinstance(value, int) or not UNITS.isdisjoint(column.split("_")):
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
