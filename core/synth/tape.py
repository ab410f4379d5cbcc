"""Receipts: what a till prints, in which print and how worn. A share of the samples is drawn so.

The parts belong together: a till has fonts of one pitch made of dots, sets them narrow (ESC/POS
font A is 12 dots wide and 24 high), and prints prices and capitals by heat. Drawn one by one they
hardly ever meet in a sample; nets trained on receipts as a whole read real ones better, which
`tests/bench/bench_generators.py` measures. Its fonts are those with a weight in the column `tape`
of resources/fonts/families.tsv.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.synth.stream import Stream

# What receipts say, as weights of corpus.KINDS.
TEXTS = {"till": 0.75, "word": 0.05, "punctuated": 0.03, "numeric": 0.04, "entity": 0.04,
         "receipt": 0.03, "symbols": 0.02, "several": 0.04}
# Odds that differ from other samples', named like the fields of SampleSettings.
ODDS = {"thermal": 0.6, "oblique": 0.0, "lines": 0.03, "faint": 0.25, "paper": 0.8}


@dataclass(frozen=True)
class Tape:
    """One receipt: squeeze is the factor on the width of its print, upper that it has capitals only."""

    squeeze: float
    upper: bool


def draw_tape(stream: Stream, odds: float) -> Tape | None:
    """The receipt that a sample is part of, None for the others."""
    if not stream.chance(odds):
        return None
    squeeze = stream.between(0.66, 0.98) if stream.chance(0.6) else stream.between(0.92, 1.2)
    return Tape(squeeze, stream.chance(0.4))
