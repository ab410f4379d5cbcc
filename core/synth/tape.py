"""Receipts: what a till prints, in which print and how worn. A share of the samples is drawn so.

The parts belong together: a till has fonts of one pitch made of dots, sets them narrow (ESC/POS
font A is 12 dots wide and 24 high), and prints prices and capitals by heat. Drawn one by one they
hardly ever meet in a sample; nets trained on receipts as a whole read real ones better, which
`tests/bench/bench_generators.py` measures. Its fonts are those with a weight in the column `tape`
of resources/fonts/families.tsv, and its noughts are mostly plain, where most fonts of one pitch
have a dot or a stroke in theirs. Of the real receipts looked at half were a computer's instead, in
the sans serifs of the column `office`.

Older tills strike an inked ribbon with a column of needles instead (ESC/P, 9 pins): capitals, often
of double width, in strokes one dot wide (the fonts of the column `needles`), on rough paper and
paler the older the ribbon is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.synth.stream import Stream

if TYPE_CHECKING:
    from core.synth.fonts import Atlas

# What receipts say, as weights of corpus.KINDS.
TEXTS = {"till": 0.75, "word": 0.05, "punctuated": 0.03, "numeric": 0.04, "entity": 0.04,
         "receipt": 0.03, "symbols": 0.02, "several": 0.04}
# Odds that differ from other samples', named like the fields of SampleSettings.
TILL = {"tight": 0.8, "loose": 0.12, "paper": 0.8, "screen": 0.12, "oblique": 0.0, "lines": 0.03,
        "neighbours": 0.12, "beside": 0.03, "perspective": 0.02, "faint": 0.15, "starved": 0.25,
        "thermal": 0.6, "bilevel": 0.02, "texture": 0.4, "shadow": 0.01, "sharpen": 0.4,
        "tone_curve": 0.25, "noise": 0.2, "jpeg": 0.35, "resampled": 0.9, "inversion": 0.015}
# A computer's, in few dots, scanned until its paper is white: points hardly show.
OFFICE = TILL | {"thermal": 0.35, "starved": 0.35, "low_resolution": 0.25, "tone_curve": 0.35}
# Rows of little space between them, on paper that shows its grain.
NEEDLES = TILL | {"thermal": 0.0, "faint": 0.25, "starved": 0.1, "dots": 0.85, "uneven": 0.35,
                  "weight": 0.03, "neighbours": 0.45, "texture": 0.6, "noise": 0.6}
ODDS = {"tape": TILL, "office": OFFICE, "needles": NEEDLES}
BY_NEEDLES, BY_COMPUTER = 0.2, 0.33  # of the receipts
ANY_FONT = 0.15    # of a computer's are in a font that need not be common on receipts
PLAIN_ZERO = 0.8   # of the receipts have noughts without a dot or stroke in them

LABELS = ("width", "needles", "computer", "plain zero")


@dataclass(frozen=True)
class Tape:
    """One receipt.

    squeeze  factor on the width of its print; upper: it has capitals only
    printer  one of catalogue.RECEIPTS, a key of ODDS: "tape" burnt by a till's heat, "office" a
             computer's print, or struck by "needles"
    any_font printed in any font; plain_zero: noughts have neither dot nor stroke
    """

    squeeze: float
    upper: bool
    printer: str
    any_font: bool
    plain_zero: bool

    @property
    def numbers(self) -> tuple[float, ...]:
        """What a recipe tells of it; labels LABELS."""
        return (self.squeeze, float(self.printer == "needles"), float(self.printer == "office"),
                float(self.plain_zero))

    @property
    def odds(self) -> dict[str, float]:
        """Odds of what befalls its print, by the names of the fields of SampleSettings."""
        return ODDS[self.printer]

    def font_bounds(self, atlas: Atlas) -> tuple[float, ...]:
        """Cumulative weights of the fonts that may print it."""
        return atlas.bounds if self.any_font else atlas.receipt_bounds[self.printer]


def draw_tape(stream: Stream, odds: float) -> Tape | None:
    """The receipt that a sample is part of, None for the others."""
    if not stream.chance(odds):
        return None
    squeeze = stream.between(0.66, 0.98) if stream.chance(0.6) else stream.between(0.92, 1.2)
    upper, which = stream.unit(), stream.unit()
    printer = "needles" if which < BY_NEEDLES else \
        "office" if which < BY_NEEDLES + BY_COMPUTER else "tape"
    if printer == "office":
        squeeze = 0.5 + 0.5 * squeeze
    struck = printer == "needles"
    if stream.chance(0.12 if struck else 0.02):  # double width (ESC/P "expanded", ESC/POS GS !)
        squeeze *= stream.between(1.6, 2.0)
    return Tape(squeeze, upper < (0.75 if struck else 0.4), printer,
                printer == "office" and stream.chance(ANY_FONT),
                stream.chance(PLAIN_ZERO))
