"""Fonts beyond the shipped ones: a folder of font files, such as `make fonts` fills, to draw with.

Shipped fonts keep their weights among each other; the folder's are a long tail behind them. What a
certain check or a standing verdict rejects is not drawn, and a font that a check doubts (ornaments,
other scripts) only once a person has accepted it in the font view.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from core.errors import Missing
from core.fonts.catalogue import Catalogue, FontFile, sha256_of, shipped, standing
from core.fonts.check import check_fonts
from core.fonts.findings import FontReport
from core.fonts.formats import font_files
from core.fonts.stock import allowed_row
from core.recognizer.alphabet import ASCII
from core.synth import fonts
from core.synth.fonts import Atlas

TAIL = 0.4  # of all picks, those of the folder's fonts
# One file of each name, in the format that is drawn best; the rest cannot be drawn at all.
FORMATS = (".ttf", ".otf", ".ttc", ".otc", ".woff", ".pfb", ".pfa", ".t1")
NEEDED = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"  # a font that lacks one of these is for other scripts
LEAST = 80  # of the 95 characters of ASCII that a font must be able to draw
TELL_EVERY = 200  # fonts checked between two lines of progress
log = logging.getLogger(__name__)


@cache
def atlas_of(folder: Path) -> Atlas:
    """The atlas of the shipped fonts and a folder's, once a process.

    Fonts are checked and rasterised the first time, some 0.3 s each; both are kept in the user's
    cache folder. Raises Missing where the folder is not there or has no font that can be used.
    """
    reports = checked(folder)
    files = chosen(reports, standing(), shipped())
    if not files:
        raise Missing(f"none of the {len(reports)} fonts in {folder} can be used; see "
                      f"`main.py fonts check {folder}`, or fetch the full set with `make fonts`")
    catalogue = with_rules(standing(), reports)
    log.info("%d fonts of %s beside the shipped ones; the first time it takes some minutes to "
             "rasterise them", len(files), folder)
    return fonts.obeying(fonts.cached((*shipped(), *weighed(files, shipped()))), catalogue)


def checked(folder: Path) -> list[FontReport]:
    """The reports of a folder's fonts, one of each name; of collections the first face."""
    found: dict[str, Path] = {}
    for path in sorted(font_files([folder]), key=lambda p: (_rank(p), str(p))):
        if path.suffix.lower() in FORMATS:
            found.setdefault(path.stem.lower(), path)
    if not found:
        raise Missing(f"there is no font in {folder}; fetch the full set with `make fonts`, or name "
                      "another folder")
    reports = []
    for one in check_fonts(found.values(), _jobs()):
        reports += [report for report in one.reports if not report.index]
        if one.fresh and one.done % TELL_EVERY == 0:
            log.info("%d of %d fonts checked", one.done, one.total)
    return sorted(reports, key=lambda r: r.path.name)


def _jobs() -> int:
    """Processes to check with; 0 in one that may start none (the window's, a loader's)."""
    return 0 if multiprocessing.current_process().daemon else os.cpu_count() or 1


def _rank(path: Path) -> int:
    suffix = path.suffix.lower()
    return FORMATS.index(suffix) if suffix in FORMATS else len(FORMATS)


def chosen(reports: Iterable[FontReport], catalogue: Catalogue, have: Iterable[FontFile],
           ) -> list[FontReport]:
    """The reports of fonts that can be used: they may draw what western print needs, no check
    doubts them unless a person has accepted them, and `have` has no file of the same bytes or name.
    """
    have = list(have)
    names, shas = {f.path.name for f in have}, {sha256_of(f.path) for f in have}
    needed = [ASCII.index(c) for c in NEEDED]
    found = []
    for report in reports:
        allowed = allowed_row(report, catalogue)
        is_sure = not report.needs_look or catalogue.judged(report.sha256) == "accept"
        if is_sure and allowed[needed].all() and allowed.sum() >= LEAST \
                and report.sha256 not in shas and report.path.name not in names:
            shas.add(report.sha256)
            found.append(report)
    return found


def weighed(reports: list[FontReport], have: Iterable[FontFile]) -> tuple[FontFile, ...]:
    """Font files with weights: TAIL of all picks together, the typefaces of a package alike.

    A package of n typefaces is picked as often as sqrt(n) that come alone: one of ornaments, with
    200 of them, would be a third of the tail else.
    """
    n_files = Counter(_typeface(report) for report in reports)
    n_faces = Counter(package for package, _ in n_files)
    share = {face: n_faces[face[0]] ** -0.5 for face in n_files}
    unit = TAIL / (1 - TAIL) * sum(f.weight for f in have) / sum(share.values())
    return tuple(FontFile(r.path, r.family, unit * share[_typeface(r)] / n_files[_typeface(r)])
                 for r in reports)


def _typeface(report: FontReport) -> tuple[Path, str]:
    """A package and the first word of a family: many give each weight a family of its own."""
    return report.path.parent, report.family.lower().partition(" ")[0]


def with_rules(catalogue: Catalogue, reports: Iterable[FontReport]) -> Catalogue:
    """A catalogue in which the certain checks' verdicts stand, too, where no person's does."""
    given = catalogue.judge_by_rules(reports)
    return Catalogue(catalogue.own, (*catalogue.lines, *given))
