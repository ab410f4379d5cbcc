"""The lab notebook on the command line: `main.py notebook list|show N|compare A B|trend`."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.errors import Missing, Usage
from core.files import write_text
from core.notebook import (
    FOLDER,
    Entry,
    attachments,
    cell,
    entries,
    entry_of,
    markdown,
    results_path,
)
from core.notebook_graph import graph
from core.notebook_results import WordResult, fixed_and_broken, read_results

BARS = "▁▂▃▄▅▆▇█"
SHOWN = 40  # words of each kind that `compare` prints unless told otherwise


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `main.py notebook`."""
    parser.add_argument("verb", choices=("list", "show", "compare", "trend"))
    parser.add_argument("numbers", nargs="*", type=int, metavar="N",
                        help="show N; compare A B (what B fixed and broke)")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--category", help="trend, compare: only this category")
    parser.add_argument("--metric", help="trend: only this metric")
    parser.add_argument("--wrong", action="store_true", help="show: the words it read wrong, too")
    parser.add_argument("--most", type=int, default=SHOWN, help="words listed of each kind")
    parser.add_argument("--svg", type=Path, metavar="FILE",
                        help="compare: curves of both; trend: values over entries")


def run(args: argparse.Namespace) -> int:
    """`main.py notebook ...`. Returns an exit code."""
    wanted = {"list": 0, "show": 1, "compare": 2, "trend": 0}[args.verb]
    if len(args.numbers) != wanted:
        raise Usage(f"notebook {args.verb} takes {wanted} entry numbers; `notebook list` names them")
    if args.verb == "list":
        for entry in entries(args.folder):
            print(line_of(entry))
    elif args.verb == "show":
        _show(entry_of(args.numbers[0], args.folder), args)
    elif args.verb == "compare":
        _compare(*(entry_of(n, args.folder) for n in args.numbers), args)
    else:
        _trend(args)
    return 0


def line_of(entry: Entry) -> str:
    """An entry in one line: number, day, commit, samples, overall accuracy, title."""
    overall = entry.table.get("overall", {})
    exact = overall.get("exact")
    return (f"{entry.number:04d}  {entry.day}  {entry.sha:<13}  {entry.samples:>11,}  "
            f"{'' if exact is None else f'{100 * exact:.1f} %':>7}  {entry.title}")


def _show(entry: Entry, args: argparse.Namespace) -> None:
    print(markdown(entry, attachments(entry, args.folder)))
    if args.wrong:
        wrong = [r for r in results_for(entry, args.folder)
                 if not r.right and args.category in (None, r.category)]
        print(f"{len(wrong):,} words read wrong, the surest first:")
        for r in sorted(wrong, key=lambda r: -r.confidence)[:args.most]:
            print(f"  {r.category:<16} {r.printed or r.text!r} read {r.read!r} "
                  f"({r.confidence:.2f})  {_where(r)}")


def results_for(entry: Entry, folder: Path = FOLDER) -> list[WordResult]:
    """The words behind an entry. Raises Missing when they were not kept."""
    path = results_path(entry, folder)
    if path is None:
        raise Missing(f"entry {entry.number} keeps no words ({entry.stem}.tsv.gz); "
                      "measure its weights again")
    return read_results(path)


def _where(r: WordResult) -> str:
    return f"{r.file} {r.x0:g},{r.y0:g},{r.x1:g},{r.y1:g}"


# ---- two entries -------------------------------------------------------------------------------

def differences(a: Entry, b: Entry) -> list[tuple[str, str, float, float]]:
    """(category, metric, value in a, value in b) of what both have, but counts."""
    found = []
    for category, row in b.table.items():
        for metric, after in row.items():
            before = a.table.get(category, {}).get(metric)
            if before is not None and after is not None and metric != "n":
                found.append((category, metric, before, after))
    return found


def _compare(a: Entry, b: Entry, args: argparse.Namespace) -> None:
    print(f"{line_of(a)}\n{line_of(b)}\n")
    for name in sorted({*a.settings, *b.settings}):
        if a.settings.get(name) != b.settings.get(name):
            print(f"{name}: {a.settings.get(name)} -> {b.settings.get(name)}")
    for category, metric, before, after in differences(a, b):
        if args.category in (None, category):
            print(f"{category:<16} {metric:<16} {cell(metric, before):>9} -> "
                  f"{cell(metric, after):>9}")
    if args.svg:
        curves = {f"{e.number} {name}": [(p["samples"], 100 * (1 - p[name])) for p in e.curve
                                         if p.get(name) is not None]
                  for e in (a, b) for name in ("exact", "receipts")}
        _write_svg(args.svg, graph(curves, f"{a.number} and {b.number}", "samples", "error, %"))
    if results_path(a, args.folder) is None or results_path(b, args.folder) is None:
        print("\n(the words of both are not kept: nothing to list)")
        return
    fixed, broken, n = fixed_and_broken(results_for(a, args.folder), results_for(b, args.folder))
    print(f"\n{n:,} words in both, {len(fixed):,} fixed, {len(broken):,} broken")
    for name, pairs in (("fixed", fixed), ("broken", broken)):
        pairs = [p for p in pairs if args.category in (None, p[1].category)]
        for before, after in pairs[:args.most]:
            print(f"{name:<7} {after.category:<16} {after.printed or after.text!r}: "
                  f"{before.read!r} -> {after.read!r}  {_where(after)}")
        if len(pairs) > args.most:
            print(f"        and {len(pairs) - args.most:,} more (--most)")


# ---- over time ---------------------------------------------------------------------------------

def trend(of: list[Entry]) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """(category, metric) -> [(entry number, value)], oldest first."""
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for entry in sorted(of, key=lambda e: e.number):
        for category, row in entry.table.items():
            for metric, value in row.items():
                if value is not None and metric != "n":
                    found.setdefault((category, metric), []).append((entry.number, value))
    return found


def _trend(args: argparse.Namespace) -> None:
    shown = {}
    for (category, metric), values in sorted(trend(entries(args.folder)).items()):
        if args.category in (None, category) and args.metric in (None, metric):
            shown[f"{category} {metric}"] = values
            said = "  ".join(f"{n}: {cell(metric, value)}" for n, value in values)
            print(f"{category:<16} {metric:<16} {bars([v for _, v in values])}  {said}")
    if not shown:
        raise Missing("no entry has such a category and metric; `notebook trend` lists them all")
    if args.svg:
        _write_svg(args.svg, graph(shown, "over entries", "entry", args.metric or "value"))


def bars(values: list[float]) -> str:
    """The values as a row of bars, lowest to highest."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(BARS[round((v - low) / span * (len(BARS) - 1))] for v in values)


def _write_svg(path: Path, svg: str) -> None:
    print(write_text(path, svg))
