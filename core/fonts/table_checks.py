"""Checks of what a font's tables say: characters, advances, metrics. Most are certain."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.fonts.findings import Finding
from core.fonts.formats import Opened
from core.fonts.glyphs import POSITION, Glyphs
from core.recognizer.alphabet import ASCII

FEWEST = 20  # printable characters; a font with fewer is one of another script or of ornaments
ZERO = 0.005  # em; an advance below it does not part a character from the next
NEGATIVE_FROM = 32768  # font units; OpenType keeps advances as uint16, tools write negative ones
HUGE = 4.0  # times the median advance of letters
HUGE_EM = 3.0  # em
NARROW_SPACE, WIDE_SPACE = 0.05, 1.2  # em
HIGHEST, LOWEST = 2.0, 1.5  # em of ascent, of descent; stacked scripts keep below them
FLATTEST = 0.5  # em from descent to ascent
OUTSIDE = 0.1  # em of ink beyond ascent or descent; swashes pass it a little
NEEDED = ("glyf", "loca", "CFF ", "CFF2", "cmap", "hmtx", "head", "maxp")  # to draw at all
LETTERS_DIGITS = "".join(c for c in ASCII if c.isalnum())


def tables(opened: Opened, glyphs: Glyphs) -> Iterator[Finding]:
    """Findings of all checks in this module."""
    yield from damaged_tables(opened)
    yield from symbol_cmap(opened)
    yield from missing(opened, glyphs)
    yield from empty(glyphs)
    yield from advances(opened, glyphs)
    yield from space(glyphs)
    yield from vertical_metrics(opened)
    yield from clipping(opened, glyphs)


def damaged_tables(opened: Opened) -> Iterator[Finding]:
    for tag, error in opened.damaged:
        cut = "beyond the end" in error and tag in NEEDED
        yield Finding("damaged-table", "", "reject" if cut else "information", 1, 0,
                      f"the {tag.strip()} table is damaged ({error[:90]}); "
                      + ("glyphs may be missing or garbled" if cut else "the glyphs draw all the "
                         "same, so training loses nothing if they are right"))


def symbol_cmap(opened: Opened) -> Iterator[Finding]:
    import freetype

    if any(c.encoding == freetype.FT_ENCODING_UNICODE for c in opened.face.charmaps):
        return
    has = ", ".join(f"({c.platform_id}, {c.encoding_id})" for c in opened.face.charmaps) or "none"
    yield Finding("symbol-cmap", "", "reject", 0, 1,
                  f"no Unicode character map (platform, encoding: {has}); every character would be "
                  "drawn as the sign for missing ones, or as a pictogram")


def missing(opened: Opened, glyphs: Glyphs) -> Iterator[Finding]:
    lacking = [c for k, c in enumerate(ASCII) if glyphs.index[k] == 0]
    n = len(ASCII) - len(lacking)
    if n < FEWEST:
        yield Finding("missing", "", "reject", n, FEWEST,
                      f"has {n} of {len(ASCII)} printable ASCII characters: a font of another "
                      "script or of ornaments, there is next to nothing to draw")
    instead = "nothing at all" if not glyphs.blank_bitmap.size else "the sign for missing ones"
    for c in lacking:
        yield Finding("missing", c, "reject", 0, 1,
                      f"{_named(c)} is missing; drawn anyway it would show {instead}, a label "
                      "without its picture")
    if lacking and not glyphs.blank_bitmap.size:
        yield Finding("odd-notdef", "", "information", len(lacking), 0,
                      f".notdef is blank: {len(lacking)} missing characters vanish without a trace "
                      "in a text set by other programs")


def empty(glyphs: Glyphs) -> Iterator[Finding]:
    for k, c in enumerate(ASCII):
        if c in glyphs.failed:
            yield Finding("empty", c, "reject", 0, 1, f"{_named(c)} cannot be drawn: its outline "
                          "is damaged")
        elif glyphs.index[k] and not glyphs.bitmap[k].size and c != " ":
            yield Finding("empty", c, "reject", 0, 1, f"{_named(c)} is in the font and draws "
                          "nothing: training would learn to read it in white paper")


def advances(opened: Opened, glyphs: Glyphs) -> Iterator[Finding]:
    inked = glyphs.inked
    letters = np.array([inked[POSITION[c]] for c in LETTERS_DIGITS])
    of_letters = glyphs.advance[[POSITION[c] for c in LETTERS_DIGITS]][letters]
    of_letters = of_letters[of_letters > ZERO]
    usual = float(np.median(of_letters)) if len(of_letters) else 0.5
    units = opened.face.units_per_EM or 1000
    for k in np.flatnonzero(inked):
        c, advance = ASCII[k], float(glyphs.advance[k])
        if advance * units >= NEGATIVE_FROM or advance < -ZERO:
            back = advance - 65536 / units if advance > 0 else advance
            yield Finding("negative-advance", c, "reject", round(back, 3), 0,
                          f"{_named(c)} moves the pen back by {-back:.2f} em: the next character "
                          "is drawn over the one before")
        elif advance < ZERO:
            yield Finding("zero-advance", c, "reject", round(advance, 3), ZERO,
                          f"{_named(c)} does not move the pen: the next character is drawn on it")
        elif advance > HUGE_EM or advance > HUGE * usual and advance > glyphs.box[k, 2] + 2 * usual:
            yield Finding("huge-advance", c, "reject", round(advance, 2),
                          round(min(HUGE_EM, HUGE * usual), 2),
                          f"{_named(c)} moves the pen by {advance:.1f} em ({advance / usual:.1f} "
                          "times a usual letter): a word falls apart after it")


def space(glyphs: Glyphs) -> Iterator[Finding]:
    k = POSITION[" "]
    if not glyphs.index[k]:
        return
    advance = float(glyphs.advance[k])
    if glyphs.bitmap[k].size:
        yield Finding("space", " ", "reject", 1, 0, "the space draws ink: every gap between words "
                      "would be labelled wrongly")
    elif not NARROW_SPACE <= advance <= WIDE_SPACE:
        limit = NARROW_SPACE if advance < NARROW_SPACE else WIDE_SPACE
        yield Finding("space", " ", "information", round(advance, 3), limit,
                      f"the space is {advance:.2f} em wide; the generator takes 0.3 em instead")


def vertical_metrics(opened: Opened) -> Iterator[Finding]:
    """The generator places glyphs by their ink; only pages set by other programs suffer."""
    units = opened.face.units_per_EM or 1000
    pairs = [("hhea", opened.face.ascender, opened.face.descender)]
    if opened.sfnt is not None and "OS/2" in opened.sfnt:
        os2 = opened.sfnt["OS/2"]
        pairs += [("OS/2 typo", os2.sTypoAscender, os2.sTypoDescender),
                  ("OS/2 win", os2.usWinAscent, -os2.usWinDescent)]
    told = set()
    for name, ascender, descender in pairs:
        ascent, descent = ascender / units, descender / units
        problem = _metrics_problem(name, ascent, descent)
        if problem and problem[0] not in told:
            told.add(problem[0])
            what, value, limit = problem
            yield Finding("vertical-metrics", "", "information", round(value, 3), limit,
                          f"{name} {what} ({value:+.2f} em, limit {limit:+.2f}): lines set by it "
                          "overlap or fly apart; the generator goes by the ink and is not misled")


def _metrics_problem(name: str, ascent: float, descent: float) -> tuple[str, float, float] | None:
    if ascent == descent == 0:
        return None  # old fonts leave a table's values out
    if ascent <= 0:
        return "ascent is not above the baseline", ascent, 0.0
    if descent > 0:
        return "descender is positive, above the baseline", descent, 0.0
    if ascent > HIGHEST:
        return "ascent is absurdly high", ascent, HIGHEST
    if descent < -LOWEST:
        return "descent is absurdly deep", descent, -LOWEST
    if name == "hhea" and ascent - descent < FLATTEST:
        return "ascent to descent is less than letters need", ascent - descent, FLATTEST
    return None


def clipping(opened: Opened, glyphs: Glyphs) -> Iterator[Finding]:
    units = opened.face.units_per_EM or 1000
    ascent, descent = opened.face.ascender / units, opened.face.descender / units
    if opened.sfnt is not None and "OS/2" in opened.sfnt:  # what Windows cuts glyphs at
        os2 = opened.sfnt["OS/2"]
        ascent = max(ascent, os2.usWinAscent / units)
        descent = min(descent, -os2.usWinDescent / units)
    if ascent <= 0 and descent >= 0:
        return
    inked = glyphs.inked
    excess = np.maximum(glyphs.box[:, 3] - ascent, descent - glyphs.box[:, 1])
    for k in np.flatnonzero(inked & (excess > OUTSIDE)):
        yield Finding("clipping", ASCII[k], "information", round(float(excess[k]), 3), OUTSIDE,
                      f"{_named(ASCII[k])} reaches {excess[k]:.2f} em beyond the font's own "
                      "ascent or descent: other programs cut it, the generator draws it whole")


def _named(c: str) -> str:
    return "the space" if c == " " else f"'{c}'"
