"""Inspect fonts, list those that training draws with, and give verdicts on them."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from pathlib import Path

from core.errors import Missing, Usage
from core.fonts.catalogue import CLASSES, REASONS, Catalogue, sha256_of, shipped
from core.fonts.check import check_fonts
from core.fonts.findings import CHECKS, SEVERITIES, FontReport
from core.fonts.formats import font_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `check`, `list` and `verdict` to the parser of `main.py fonts`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="check|list|verdict")
    check = verbs.add_parser("check", help="findings of font files and folders of them")
    check.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    check.add_argument("--json", type=Path, metavar="FILE",
                       help="write a list of {file, sha256, family, findings}; - = standard output")
    check.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default 2)")
    check.add_argument("--read", action="store_true",
                       help="let our own recogniser read each glyph and a pangram too (slow)")
    check.add_argument("--store", type=Path, metavar="DIR",
                       help="where results are kept (default: the user's cache folder)")
    check.add_argument("--judge", action="store_true",
                       help="write the verdicts of certain checks into the catalogue")
    listing = verbs.add_parser("list", help="the fonts that training draws with")
    listing.add_argument("--verdicts", action="store_true", help="with what was decided on each")
    verdict = verbs.add_parser("verdict", help="decide on a font, a class or a character of it")
    verdict.add_argument("file", type=Path, metavar="FILE")
    scope = verdict.add_mutually_exclusive_group()
    scope.add_argument("--character", metavar="X")
    scope.add_argument("--class", dest="class_", choices=tuple(CLASSES))
    scope.add_argument("--font", action="store_true", help="the whole font (the default)")
    verdict.add_argument("decision", choices=("accept", "reject", "undo", "show"),
                         help="undo takes back your last one on FILE, show lists what stands")
    verdict.add_argument("--reason", default="", help=f"such as {', '.join(REASONS)}")
    verdict.add_argument("--who", default="", help="default: the name you are logged in by")


def run(args: argparse.Namespace) -> int:
    """Run the verb; the exit code."""
    return {"check": _check, "list": _list, "verdict": _verdict}[args.verb](args)


def _check(args: argparse.Namespace) -> int:
    if args.jobs < 1:
        raise Usage(f"--jobs is {args.jobs}; give 1 or more")
    files = font_files(args.paths)
    if not files:
        raise Missing(f"no font file in {', '.join(map(str, args.paths))}")
    start, fresh, reports = time.monotonic(), 0, []
    count = _Count(len(files))
    for checked in check_fonts(files, args.jobs, args.store):
        reports += checked.reports
        fresh += checked.fresh
        count(checked.done)
    if args.read:
        from core.fonts.reading_check import read_fonts
        reports = list(read_fonts(reports, store=args.store))
    reports.sort(key=lambda r: (r.file, r.index))
    if args.json:
        _write_json(args.json, reports)
    if args.judge:
        catalogue = Catalogue.load()
        given = catalogue.judge_by_rules(reports)
        catalogue.append(given)
        print(f"{len(given)} verdicts of certain checks written to {catalogue.own}", file=sys.stderr)
    if str(args.json) != "-":
        print(summary(reports))
    print(f"{len(files)} files in {time.monotonic() - start:.1f} s, {fresh} of them looked at now",
          file=sys.stderr)
    return 0


def as_json(report: FontReport) -> dict:
    """A report as the JSON of `fonts check` has it."""
    return {"file": report.file if not report.index else f"{report.file}#{report.index}",
            "sha256": report.sha256, "family": report.family,
            "findings": [{"check": f.check, "character": f.character, "severity": f.severity,
                          "value": f.value, "limit": f.limit, "message": f.message}
                         for f in report.findings]}


def _write_json(path: Path, reports: list[FontReport]) -> None:
    text = json.dumps([as_json(r) for r in reports], ensure_ascii=False, indent=1) + "\n"
    if str(path) == "-":
        sys.stdout.write(text)
    else:
        from core.files import write_text
        write_text(path, text)


def summary(reports: list[FontReport]) -> str:
    """What a terminal shows: fonts most suspicious first, then how many each check found."""
    lines = []
    for report in sorted(reports, key=lambda r: (-r.suspicion, r.file)):
        told = [f for f in report.findings if f.severity != "information"]
        if told:
            lines.append(f"{report.file}")
            lines += [f"  {line}" for line in _by_check(report)]
    lines.append("")
    for check in CHECKS:
        fonts = {s: sum(any(f.check == check and f.severity == s for f in r.findings)
                        for r in reports) for s in SEVERITIES}
        if any(fonts.values()):
            lines.append(f"{check:<18}" + "  ".join(f"{s} {n}" for s, n in fonts.items() if n)
                         + " fonts")
    looks = sum(r.needs_look for r in reports)
    rejected = sum("" in r.rejected() for r in reports)
    clean = sum(not r.needs_look and not r.rejected() for r in reports)
    lines.append(f"{len(reports)} fonts: {clean} clean, {rejected} rejected whole, "
                 f"{looks} need a person's look")
    return "\n".join(lines)


def _by_check(report: FontReport) -> list[str]:
    """A line for each check and severity: the first message, and which other characters."""
    groups: dict[tuple[str, str], list] = {}
    for f in report.findings:
        if f.severity != "information":
            groups.setdefault((f.severity, f.check), []).append(f)
    lines = []
    for (severity, check), found in groups.items():
        others = "".join(f.character for f in found)
        more = f" [{others}]" if len(found) > 1 else ""
        lines.append(f"{severity}: {check}{more}: {found[0].message}")
    return lines


def _list(args: argparse.Namespace) -> int:
    catalogue = Catalogue.load()
    for font in shipped():
        line = f"{font.path.name}\t{font.family}\t{font.weight * catalogue.weight(font.family):g}"
        if args.verdicts:
            sha = sha256_of(font.path)
            refused = len(catalogue.allowed("")) - len(catalogue.allowed(sha))
            line += f"\t{catalogue.judged(sha) or 'not judged'}\t{refused} characters refused"
        print(line)
    return 0


def _verdict(args: argparse.Namespace) -> int:
    catalogue, sha = Catalogue.load(), sha256_of(args.file)
    who = args.who or _login()
    if args.decision == "undo":
        last = next((v for v in reversed(catalogue.of(sha)) if v.who == who), None)
        if last is None:
            raise Usage(f"there is no verdict of {who} on {args.file.name} to take back")
        catalogue.undo(who, last.id)
        print(f"taken back: {last.decision} {last.scope} {last.target}".rstrip())
        return 0
    if args.decision == "show":
        for v in catalogue.of(sha):
            print(f"{v.when}\t{v.who}\t{v.decision}\t{v.scope}\t{v.target}\t{v.reason}")
        return 0
    scope, target = (("character", args.character) if args.character else
                     ("class", args.class_) if args.class_ else ("font", ""))
    catalogue.verdict(sha, scope, target, args.decision, args.reason, who, args.file.name)
    left = len(catalogue.allowed(sha))
    print(f"{args.decision} {scope} {target}".rstrip() + f": {left} characters may be drawn")
    return 0


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name for this user, as in some containers
        return "unknown"


class _Count:
    """How far a pass has come, on stderr: in place on a terminal, else now and then."""

    def __init__(self, total: int) -> None:
        self.total, self.start = total, time.monotonic()

    def __call__(self, done: int) -> None:
        if sys.stderr.isatty():
            left = (time.monotonic() - self.start) / done * (self.total - done)
            print(f"\r\x1b[K{done}/{self.total} fonts, {left:.0f} s left",
                  end="\n" if done == self.total else "", file=sys.stderr, flush=True)
        elif done % 500 == 0:
            print(f"{done}/{self.total} fonts", file=sys.stderr, flush=True)
