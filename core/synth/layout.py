"""How a text is set in its window: font, size, margins, spaces; the geometry before any defect."""

from __future__ import annotations

from bisect import bisect
from itertools import pairwise
from typing import NamedTuple

from core.synth.fonts import SIZES, Atlas, Face, Setting, set_text
from core.synth.pools import HEIGHT
from core.synth.stream import Stream

STEP = 4  # px, widths are multiples of the net's horizontal stride
FILL = 26.0  # px of the window's 32 that a box without margins takes up, near enough
MEASURE_AT = 5  # index into SIZES: the size at which a text is measured before the real one
MARGIN = 0.1  # of the box height: core.recognizer.window.MARGIN, about which margins scatter
PAPER = (0.03, 0.17)  # box heights of paper that a box may hold on each side of its ink
LOW_TEXT = 0.28  # em; a text of less height than this keeps its place in the line


class Frame(NamedTuple):
    """The layout's numbers.

    top, bottom, left, right  margins in box heights
    high, low  0 = the box ends at the ink, else how far the line's height is overdone
    tracking   em between letters; space: factor on the font's space
    squeeze    factor on the width; small: 0 = large glyphs, else which screen size (0 .. 1)
    """

    top: float
    bottom: float
    left: float
    right: float
    high: float
    low: float
    tracking: float
    space: float
    squeeze: float
    small: float


LABELS = tuple(Frame._fields)


class Placed(NamedTuple):
    """A text set: `box` in px from pen start and baseline, `width` of its window."""

    face: Face
    setting: Setting
    box: tuple[float, float, float, float]
    width: int


def draw_frame(s: Stream, tight: float, tracking: float, squeeze: float, screen: float,
               paper: float, loose: float) -> Frame:
    """Draw a layout; the odds are the fields of SampleSettings of these names."""
    def margin(wide: float) -> float:
        u = s.unit()
        return MARGIN + (s.between(-0.02, 0.05) if u < 1 - loose else s.between(-0.07, wide))
    top, bottom, left, right = margin(0.3), margin(0.3), margin(0.3), margin(0.3)
    high, low = s.between(1.0, 1.12), s.between(1.0, 1.12)
    high = 0.0 if s.chance(tight) else high
    low = 0.0 if s.chance(0.5 + 0.5 * tight) else low
    set_wider = s.between(-0.06, 0.14)
    set_wider = set_wider if s.chance(tracking) else 0.0
    space = s.between(0.8, 1.3) if s.chance(0.6) else s.between(0.5, 2.6)
    narrower = s.between(0.6, 1.2)
    narrower = narrower if s.chance(squeeze) else 1.0
    small = s.between(0.01, 1)
    small = small if s.chance(screen) else 0.0
    held = s.between(*PAPER) if s.chance(paper) else 0.0
    top, bottom, left, right = top + held, bottom + held, left + held, right + held
    return Frame(top, bottom, left, right, high, low, set_wider, space, narrower, small)


def font_for(text: str, stream: Stream, atlas: Atlas, bounds: tuple[float, ...],
             ) -> tuple[int, str]:
    """(a font that has every character, the text as it can be drawn in it).

    bounds  cumulative weights of the fonts: `atlas.bounds` or those of receipts
    Without a font that has all of them after eight picks, the characters the last one lacks are
    left out; a font of one case only makes the text upper case.
    """
    for _ in range(8):
        font = bisect(bounds, stream.unit())
        said = text.upper() if atlas.unicase[font] else text
        if atlas.drawable[font].issuperset(said.replace(" ", "")):
            return font, said
    kept = "".join(c for c in said if c == " " or c in atlas.drawable[font]).strip()
    if kept:
        return font, kept
    return font, next(iter(sorted(atlas.drawable[font] - {" "})))


def place(text: str, font: int, frame: Frame, atlas: Atlas, width_max: int,
          plain_zero: bool = False) -> Placed:
    """A text set so that its box and margins fill a window of at most `width_max` px."""
    face = atlas.face(font, MEASURE_AT, plain_zero)
    rows = [face.rows[c] for c in set(text) if c != " "]
    y0, y1 = _box_rows(min(r[0] for r in rows), max(r[1] for r in rows), face, frame)
    wanted = FILL * face.em / (y1 - y0)  # px per em at which the box is about FILL px high
    fitting = [k for k, em in enumerate(SIZES) if em <= 20 and 0.4 * wanted <= em <= wanted]
    if frame.small and fitting:
        size = fitting[int(frame.small * len(fitting)) if frame.small < 1 else -1]
    else:
        size = min((k for k, em in enumerate(SIZES) if em >= wanted), default=len(SIZES) - 1)
    face = atlas.face(font, size, plain_zero)
    limit = 1e9
    for _ in range(4):
        setting = set_text(face, text, frame.tracking * face.em, frame.space, limit)
        y0, y1 = _box_rows(setting.ink[1], setting.ink[3], face, frame)
        height = y1 - y0
        ink = setting.ink[2] - setting.ink[0]
        full = (ink * frame.squeeze + (frame.left + frame.right) * height) * HEIGHT \
            / (height * (1 + frame.top + frame.bottom))
        if full <= width_max:
            break
        limit = min(ink - 1, ink * width_max / full)
    width = max(round(full / STEP) * STEP, 2 * STEP, least_width(setting.text))
    return Placed(face, setting, (setting.ink[0], y0, setting.ink[2], y1), min(width, width_max))


def _box_rows(y0: int, y1: int, face: Face, frame: Frame) -> tuple[float, float]:
    """The box's top and bottom for ink in rows y0 to y1, px from the baseline, y down.

    A text of little height (dashes, dots, quotes) keeps its place in the line: a window that is
    filled by a full stop could be anything.
    """
    high, low = frame.high, frame.low
    if y1 - y0 < LOW_TEXT * face.em:
        high, low = high or 1.0, low or 1.0
    top = min(y0, -face.ascent * high) if high else y0
    bottom = max(y1, face.descent * low) if low else y1
    return top, max(bottom, top + 4)


def least_width(text: str) -> int:
    """px below which CTC cannot write a text: a step a character, one more between equal ones."""
    doubled = sum(a == b for a, b in pairwise(text))
    return STEP * (len(text) + doubled + 1)
