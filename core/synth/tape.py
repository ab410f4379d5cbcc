"""Receipts: what a till prints, in which print and how worn. A share of the samples is drawn so.

The parts belong together: a till has fonts of one pitch made of dots, sets them narrow (ESC/POS
font A is 12 dots wide and 24 high), and prints prices and capitals by heat. Drawn one by one they
hardly ever meet in a sample; nets trained on receipts as a whole read real ones better, which
`tests/bench/bench_generators.py` measures. Its fonts are those with a weight in the column `tape`
of resources/fonts/families.tsv, or any where a computer prints the receipt.

Older tills strike an inked ribbon with a column of needles instead (ESC/P, 9 pins): capitals, often
of double width, made of dots that show, on rough paper and paler the older the ribbon is.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.synth.stream import Stream

# What receipts say, as weights of corpus.KINDS.
TEXTS = {"till": 0.75, "word": 0.05, "punctuated": 0.03, "numeric": 0.04, "entity": 0.04,
         "receipt": 0.03, "symbols": 0.02, "several": 0.04}
# Odds that differ from other samples', named like the fields of SampleSettings.
ODDS = {"thermal": 0.6, "oblique": 0.0, "lines": 0.03, "faint": 0.25, "paper": 0.8, "starved": 0.25}
MATRIX_ODDS = ODDS | {"thermal": 0.0, "faint": 0.5, "starved": 0.1, "dots": 0.8, "uneven": 0.4,
                      "texture": 0.4, "noise": 0.5}
MATRIX = 0.2  # of the receipts are struck by needles
ANY_FONT = 0.2  # of the others are printed in a font that need be no till's


@dataclass(frozen=True)
class Tape:
    """One receipt.

    squeeze  factor on the width of its print; upper: it has capitals only
    matrix   struck by needles, not burnt by heat; any_font: printed by a computer, in any font
    """

    squeeze: float
    upper: bool
    matrix: bool
    any_font: bool

    @property
    def odds(self) -> dict[str, float]:
        """Odds of what befalls its print, by the names of the fields of SampleSettings."""
        return MATRIX_ODDS if self.matrix else ODDS


def draw_tape(stream: Stream, odds: float) -> Tape | None:
    """The receipt that a sample is part of, None for the others."""
    if not stream.chance(odds):
        return None
    squeeze = stream.between(0.66, 0.98) if stream.chance(0.6) else stream.between(0.92, 1.2)
    upper, matrix = stream.unit(), stream.chance(MATRIX)
    if stream.chance(0.25 if matrix else 0.05):  # double width (ESC/P "expanded", ESC/POS GS !)
        squeeze *= stream.between(1.6, 2.0)
    return Tape(squeeze, upper < (0.75 if matrix else 0.4), matrix,
                not matrix and stream.chance(ANY_FONT))
