"""The fonts as a stock that training draws from: how often each, and what a verdict takes away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.fonts.catalogue import CLASSES, FONTS, Catalogue, shipped
from core.fonts.findings import FontReport
from core.recognizer.alphabet import ASCII

RARE = "".join(c for c in ASCII if c in CLASSES["symbols"])
FEW = 12  # fonts of a kind, below which a verdict says how many it leaves
LEAST = 0.005  # share below which a loss is not worth a word
# kind -> words in a family's or file's name; the first that fits. Names are all that fonts say.
KINDS = (
    ("dot-matrix", ("doto", "dot matrix", "dotmatrix", "matrix", "dots", "5x7", "receipt")),
    ("seven-segment", ("dseg", "segment", "lcd")),
    ("pixel", ("pixel", "vt220", "vt323", "terminus", "spleen", "proggy", "tiny5", "micro-5", "jersey",
               "silkscreen", "pressstart", "press start", "px437", "pxplus", "ibm_", "amiga", "c-64",
               "c64", "vga", "bios", "bitmap", "unscii", "8x16", "ac437", "bescii", "topaz")),
    ("OCR", ("ocra", "ocrb", "ocr-a", "ocr-b", "ocr a", "ocr b", "micr", "e13b")),
    ("typewriter", ("typewriter", "specialelite", "special elite", "cmtt", "tlwgtypist", "typo")),
    ("blackletter", ("fraktur", "blackletter", "textura", "gotisch", "unz1a", "schwabach", "oldenglish")),
    ("script", ("script", "hand", "dancing", "lobster", "kaushan", "chancery", "chorus", "breip",
                "leckerli", "rock salt", "rock-salt", "calligra", "brush", "comic", "cursive")),
    ("ornate", ("bungee", "monoton", "nosifer", "ewert", "shadow", "outline", "inline", "stencil")),
    ("serif", ("serif", "roman", "times", "garamond", "goudy", "bodoni", "caladea", "gelasio",
               "libertine", "schola", "pagella", "bonum", "termes", "vollkorn", "gentium", "charis",
               "century", "antiqua", "slab", "bookletter", "oldstandard", "baskerville", "crimson")),
)


def kind_of(report: FontReport) -> str:
    """The kind of typeface by its name: one of KINDS, else "monospaced" or "sans or other"."""
    name = f"{report.family} {report.path.stem}".lower().replace("sans serif", "sans").replace(
        "sansserif", "sans")
    found = next((kind for kind, marks in KINDS if any(m in name for m in marks)), "")
    if found and not (found == "serif" and "sans" in name and "serif" not in name):
        return found
    return "monospaced" if report.monospaced or "mono" in name else "sans or other"


@dataclass(frozen=True)
class Stock:
    """A row per font: its key, kind, weight (picks relative to the others) and allowed (n, 95)."""

    key: tuple[str, ...]
    kind: tuple[str, ...]
    weight: NDArray[np.float64]
    allowed: NDArray[np.bool_]

    @property
    def row(self) -> dict[str, int]:
        """Key -> row."""
        return {key: n for n, key in enumerate(self.key)}

    @property
    def effective(self) -> NDArray[np.float64]:
        """(n,) weights, 0 for fonts of which nothing may be drawn."""
        return self.weight * self.allowed[:, 1:].any(1)

    def share(self, key: str) -> float:
        """Of all picks, those of this font: 0 to 1."""
        weight = self.effective
        return float(weight[self.row[key]] / weight.sum()) if weight.sum() else 0.0

    def coverage(self) -> NDArray[np.float64]:
        """(95,) of each character: weight of the fonts that may draw it."""
        return self.effective @ self.allowed


def stock(reports: Iterable[FontReport], catalogue: Catalogue) -> Stock:
    """The stock as it stands. Fonts of families.tsv have its weights, any other has weight 1."""
    known = _shipped_weights()
    reports = list(reports)
    allowed = np.zeros((len(reports), len(ASCII)), bool)
    weight = np.ones(len(reports))
    for n, report in enumerate(reports):
        allowed[n] = allowed_row(report, catalogue)
        base = known.get(report.path.name, 1.0) if report.path.parent == FONTS else 1.0
        weight[n] = base * catalogue.weight(report.family)
    return Stock(tuple(r.sha256 for r in reports), tuple(kind_of(r) for r in reports), weight, allowed)


def allowed_row(report: FontReport, catalogue: Catalogue) -> NDArray[np.bool_]:
    """(95,) what may be drawn: by verdicts, and by certain checks where no verdict says otherwise."""
    good = catalogue.allowed(report.sha256)
    rejected = report.rejected()
    if "" in rejected and catalogue.current(report.sha256) is None:
        return np.zeros(len(ASCII), bool)
    doubtful = {c for c in rejected if c and catalogue.current(report.sha256, "character", c) is None}
    return np.array([c in good and c not in doubtful for c in ASCII])


@cache
def _shipped_weights() -> dict[str, float]:
    return {font.path.name: font.weight for font in shipped()}


def is_shipped(report: FontReport) -> bool:
    """Whether training draws with the font now: it is one of families.tsv."""
    return report.path.parent == FONTS and report.path.name in _shipped_weights()


def cost(before: Stock, after: dict[str, NDArray[np.bool_]]) -> str:
    """What it costs to allow only `after[key]` (95,) of some fonts: "leaves 2 dot-matrix fonts".

    "" where it costs nothing worth a word.
    """
    allowed = before.allowed.copy()
    row = before.row
    for key, good in after.items():
        allowed[row[key]] = good
    then = Stock(before.key, before.kind, before.weight, allowed)
    said = _lost_kinds(before, then)
    had, has = before.coverage(), then.coverage()
    rare = [ASCII.index(c) for c in RARE]
    lost = 1 - has[rare].mean() / had[rare].mean() if had[rare].any() else 0.0
    if lost >= LEAST:
        said.append(f"rare signs −{lost:.1%}")
    elif lost <= -LEAST:
        said.append(f"rare signs +{-lost:.1%}")
    part = 1 - then.effective.sum() / before.effective.sum() if before.effective.any() else 0.0
    if abs(part) >= LEAST:
        said.append(f"{abs(part):.1%} of draws go to other fonts" if part > 0
                    else f"{-part:.1%} more draws")
    gone = [c for k, c in enumerate(ASCII) if had[k] > 0 and has[k] == 0]
    if gone:
        said.append(f"nothing left that draws {' '.join(gone[:8])}")
    return "; ".join(said)


def _lost_kinds(before: Stock, then: Stock) -> list[str]:
    """"leaves 2 dot-matrix fonts" of each kind that gets fewer and is rare."""
    said = []
    had, has = before.effective > 0, then.effective > 0
    kinds = np.array(before.kind)
    for kind in dict.fromkeys(kinds[had & ~has].tolist()):
        left = int((has & (kinds == kind)).sum())
        if left < FEW:
            said.append(f"leaves {left or 'no'} {kind} font{'s' * (left != 1)}")
    return said
