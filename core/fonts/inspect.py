"""Findings of one font: what is wrong with it, glyph by glyph, and what that means for training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.errors import Unreadable
from core.fonts import consensus
from core.fonts.catalogue import sha256_of
from core.fonts.findings import Finding, FontReport
from core.fonts.formats import Opened, Refused, instance_faces, n_faces, open_font
from core.fonts.glyphs import Glyphs, glyph_names, rasterise
from core.fonts.shape_checks import shapes
from core.fonts.table_checks import tables

INSTANCES_MAX = 24  # named instances looked at; more only repeat what the extremes show


def inspect(path: Path, index: int = 0, sha256: str = "") -> FontReport:
    """The report of a font file's face: findings by tables, outlines and the consensus of fonts.

    index   the face in a collection
    sha256  of the file's bytes, if the caller has it already
    A file that cannot be read gives a report with the reason as its one finding. The named
    instances of a variable font are looked at too: what they add is told with their names.
    Raises Missing without resources/fonts/consensus.npz. Takes some 30 ms.
    """
    path = Path(path)
    try:
        opened = open_font(path, index)
        sha256 = sha256 or sha256_of(path)
        key = f"{sha256}:{index}" if index else sha256
        glyphs = rasterise(opened.face)
    except Refused as refused:
        return _refusal(path, index, sha256, refused)
    findings, distance = _findings(opened, glyphs)
    named = []
    for name, face in list(instance_faces(opened))[:INSTANCES_MAX]:
        named += [replace(f, message=f"{f.message} (instance {name})")
                  for f in _findings(replace(opened, face=face), rasterise(face))[0]
                  if f.check not in ("clipping", "vertical-metrics", "damaged-table")]
    seen = {(f.check, f.character) for f in findings}
    for finding in named:
        if (finding.check, finding.character) not in seen:
            seen.add((finding.check, finding.character))
            findings.append(finding)
    return FontReport(str(path), key, index, opened.names.family or path.stem, opened.names.style,
                      opened.names.licence, opened.kind, bool(opened.face.is_fixed_width),
                      opened.instances, tuple(findings), distance)


def faces(path: Path, sha256: str = "") -> list[FontReport]:
    """The reports of all faces of a file; one unless it is a collection."""
    try:
        n = n_faces(path)
    except OSError:
        n = 1  # `inspect` says why it cannot be read
    return [inspect(path, index, sha256) for index in range(n)]


def _findings(opened: Opened, glyphs: Glyphs) -> tuple[list[Finding], tuple[float, ...]]:
    if (glyphs.index == 0).all():
        return list(tables(opened, glyphs)), tuple(-1.0 for _ in glyphs.index)
    probabilities = consensus.load().probabilities(glyphs)
    found = [*tables(opened, glyphs), *shapes(glyphs, probabilities, glyph_names(opened.face, glyphs))]
    return found, tuple(np.round(consensus.distances(probabilities, glyphs), 2).tolist())


def _refusal(path: Path, index: int, sha256: str, refused: Refused) -> FontReport:
    if not sha256:
        try:
            sha256 = sha256_of(path)
        except Unreadable:  # the refusal says already that it cannot be read
            sha256 = ""
    finding = Finding(refused.check, "", "reject", 0, 1, refused.message)
    return FontReport(str(path), sha256, index, path.stem, kind=refused.kind, findings=(finding,))
