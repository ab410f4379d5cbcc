"""Checks of how glyphs look: twins, cases, baseline, and what all other fonts draw.

Equal outlines are facts. What the consensus of fonts says is a doubt at most.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from core.fonts import consensus
from core.fonts.findings import Finding
from core.fonts.glyphs import POSITION, Glyphs
from core.fonts.lettering import plain_forms
from core.recognizer.alphabet import ASCII

LOOK_ALIKES = ("lI1|", "0O")
# Pairs that many typefaces draw as one on purpose; a net can tell them by their neighbours at most.
BY_DESIGN = ("lI1|iL", "0OoQ", "'`", "\"", "-_", ",.", "D0", "VU", "vu", "cC", "nN", "mM")
# Pairs that square, pixel and black letter faces draw as one: told, but nothing to decide.
KNOWN_TWINS = ("5S", "2Z", "IJ", "([", ")]")
MANY = 4  # different characters with one outline: a box or logo for what was never drawn
UNLIKE = "abdeghnqrt"  # letters whose capital has another form
ALIKE = 0.8  # overlap of two glyphs scaled to one box from which they look the same
ALIKE_PAIRS = 5  # of the ten of UNLIKE, from which a font has one case
SAME_HEIGHT = 0.93  # lower case by capital; below it they are small capitals
SAME_FORM = "cosvwxz"  # letters whose two cases differ in size only
FLAT = "HEFILTZAhikmnrxz"  # letters that stand on the baseline
OFF = 0.12  # cap heights that all letters stand off the baseline
FAR_OFF = 0.45  # beyond what the tails of swash and black letters explain
UNEVEN = 0.05  # cap heights of spread from which letters stand on no line
UPRIGHT = "HEILTinrx"  # letters that hardly ever have a tail
ONE_OFF = 0.3  # cap heights that one letter stands off the others
SURE = 0.93  # probability of another character from which a glyph is doubted
UNLIKELY = 0.007  # probability of its own below which it is
# Signs -> what the consensus takes ornate, hatched or broad forms of them for, though they are right.
FORMS = {"&": "E{($S", "\\": "%", ".": "="}
READABLE = 0.75  # share of letters and digits read right, below which single glyphs tell nothing
UNREADABLE = 0.5  # share below which the whole font is unlike others
STRANGE = 0.22  # share, of its plain forms too, below which it is doubted
MISLEADING = 0.12  # share of them that are surely others, from which it is: Greek in Latin places
LETTERS_DIGITS = "".join(c for c in ASCII if c.isalnum())


def shapes(glyphs: Glyphs, probabilities: NDArray[np.float32],
           names: dict[str, str]) -> Iterator[Finding]:
    """Findings of all checks in this module.

    probabilities  as `consensus` gives them; names: character -> glyph name, where known
    """
    own = (probabilities * consensus.groups()).sum(1)
    twins = list(notdef(glyphs, own))
    yield from twins
    known = {f.character for f in twins}
    same = list(duplicates(glyphs, own, known))
    yield from same
    yield from look_alikes(glyphs)
    one_case = list(cases(glyphs, probabilities))
    yield from one_case
    yield from baseline(glyphs)
    told = known | {f.character for f in [*same, *one_case]}
    named = list(glyph_names(names, told))
    yield from named
    told |= {f.character for f in named}
    yield from against_consensus(glyphs, probabilities, own, told)


def notdef(glyphs: Glyphs, own: NDArray[np.float32]) -> Iterator[Finding]:
    """Characters drawn like .notdef. One alone that reads as itself: then .notdef is the odd one."""
    if not glyphs.blank_bitmap.size:
        return
    equal = [c for k, c in enumerate(ASCII)
             if glyphs.index[k] and glyphs.bitmap[k].size
             and (glyphs.outline[k] == glyphs.blank_outline
                  or np.array_equal(glyphs.bitmap[k], glyphs.blank_bitmap))]
    if len(_different(equal)) == 1 and own[POSITION[equal[0]]] > 0.5:
        c = equal[0]
        yield Finding("odd-notdef", c, "information", 1, 0,
                      f".notdef is drawn as '{c}', which is right: it is the sign for missing "
                      f"characters that is odd, and what the font lacks prints '{c}'")
        return
    for c in equal:
        yield Finding("notdef", c, "reject", 1, 0, f"'{c}' is drawn like the sign for missing "
                      "characters (.notdef): the label would name a box")


def duplicates(glyphs: Glyphs, own: NDArray[np.float32], known: set[str]) -> Iterator[Finding]:
    """Characters with equal ink at equal height that must differ.

    Where one alone looks like itself to the consensus of fonts, that one is right and not told of.
    """
    groups: dict[bytes, list[str]] = {}
    for k, c in enumerate(ASCII):
        if glyphs.inked[k] and c not in known:
            groups.setdefault(glyphs.outline[k], []).append(c)
    for same in groups.values():
        different = _different(same)
        if len(different) < 2:
            continue
        right = _right_one(same, own)
        many = len(different) >= MANY
        for c in same:
            others = [o for o in same if not _may_equal(c, o)]
            if others and (right is None or not _may_equal(c, right)):
                told = f"'{right}'" if right else ", ".join(f"'{o}'" for o in others[:6])
                severity, meaning = _twin_meaning(same, right, many)
                yield Finding("duplicate", c, severity, len(different), MANY if many else 1,
                              f"'{c}' has the same outline as {told}{meaning}")


def _twin_meaning(same: list[str], right: str | None, many: bool) -> tuple[str, str]:
    """(severity, what it means) of an outline that several characters share."""
    if right is not None:
        return ("reject" if many else "doubt",
                ", which is right: the label would not fit the picture")
    if many:
        return "reject", ": one picture stands for many characters, and tells none"
    if any({c.upper() for c in same} <= set(twins) for twins in KNOWN_TWINS):
        return "information", ", as in other faces of its kind: only the neighbours tell them apart"
    return "doubt", ": one of them shows the wrong character"


def _right_one(same: list[str], own: NDArray[np.float32]) -> str | None:
    """Of characters with one outline, the one that all other fonts draw so, if it is one alone."""
    good = [c for c in same if own[POSITION[c]] > 0.5]
    lots = _different(good)
    rest = [c for c in same if not any(_may_equal(c, g) for g in good)]
    return lots[0] if len(lots) == 1 and all(own[POSITION[c]] < 0.1 for c in rest) else None


def _may_equal(a: str, b: str) -> bool:
    """Whether two characters may have one outline: twins in case, or alike in many typefaces."""
    pairs = {a + b, a.swapcase() + b, a + b.swapcase(), a.swapcase() + b.swapcase()}
    return a.lower() == b.lower() or any(p[0] in g and p[1] in g for p in pairs for g in BY_DESIGN)


def _different(same: list[str]) -> list[str]:
    """Of characters with one outline, one of each lot that may be equal."""
    kept: list[str] = []
    for c in same:
        if not any(_may_equal(c, k) for k in kept):
            kept.append(c)
    return kept


def look_alikes(glyphs: Glyphs) -> Iterator[Finding]:
    """Pairs of l I 1 | and 0 O by how much of their ink is shared; 1 = equal."""
    for several in LOOK_ALIKES:
        there = glyphs.has(several)
        for n, a in enumerate(there):
            for b in there[n + 1:]:
                shared = _shared(glyphs, a, b)
                if shared >= 0.9:
                    how = "are the same" if shared >= 0.995 else "differ by a hair"
                    yield Finding("look-alike", a, "information", round(shared, 3), 0.9,
                                  f"'{a}' and '{b}' {how} ({shared:.0%} of their ink): in this "
                                  "font only the neighbours tell which it is")


def _shared(glyphs: Glyphs, a: str, b: str) -> float:
    """Ink that two glyphs share when set at one place on the baseline, over the ink of both."""
    if glyphs.outline[POSITION[a]] == glyphs.outline[POSITION[b]]:
        return 1.0
    boxes = [glyphs.box[POSITION[c]] for c in (a, b)]
    if abs(boxes[0] - boxes[1])[[1, 3]].max() > 0.1:
        return 0.0
    x, y = glyphs.bitmap[POSITION[a]], glyphs.bitmap[POSITION[b]]
    top = max(boxes[0][3], boxes[1][3])
    high = 64 * 3
    wide = max(x.shape[1], y.shape[1]) + 2
    canvas = np.zeros((2, high, wide), np.float32)
    for layer, bitmap, box in zip(canvas, (x, y), boxes, strict=True):
        down = round(float(top - box[3]) * 64)
        part = bitmap[:high - down]
        left = (wide - part.shape[1]) // 2
        layer[down:down + part.shape[0], left:left + part.shape[1]] = part
    return float(canvas.min(0).sum() / max(canvas.max(0).sum(), 1))


def _overlap(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Intersection over union of two glyphs' ink, both stretched to one 24 px box."""
    x, y = (cv2.resize(g, (24, 24), interpolation=cv2.INTER_AREA).astype(np.float32)
            for g in (a, b))
    return float(np.minimum(x, y).sum() / max(np.maximum(x, y).sum(), 1.0))


def cases(glyphs: Glyphs, probabilities: NDArray[np.float32]) -> Iterator[Finding]:
    """Lower case drawn as capitals, as scaled capitals, or the two exchanged."""
    pairs = [c for c in UNLIKE if len(glyphs.has(c + c.upper())) == 2]
    alike = [c for c in pairs if _overlap(glyphs.bitmap[POSITION[c]],
                                          glyphs.bitmap[POSITION[c.upper()]]) > ALIKE]
    ratio = _case_heights(glyphs)
    if len(alike) >= ALIKE_PAIRS:
        heights = [_height(glyphs, c) / _height(glyphs, c.upper()) for c in alike]
        small = float(np.median(heights)) < SAME_HEIGHT
        form = (f"lower case is drawn as capitals of {np.median(heights):.0%} height" if small else
                "capitals are drawn like lower case" if _mostly_lower(probabilities, alike) else
                "lower case is drawn like capitals")
        yield Finding("small-caps" if small else "one-case", "", "information", len(alike),
                      ALIKE_PAIRS, f"{form} ({len(alike)} of {len(pairs)} letters compared): texts "
                      "are set in capitals only, which costs lower case in this font")
    else:
        for c in alike:
            yield Finding("one-case", c, "information", 1, 0, f"'{c}' is drawn like "
                          f"'{c.upper()}': its case cannot be read in this font")
    wrong = _capitals_as_lower(glyphs, probabilities)
    if len(wrong) >= 4:
        yield Finding("swapped-case", "", "doubt", len(wrong), 4,
                      f"capitals {' '.join(wrong)} are drawn as lower case: the label says capital "
                      "and the picture does not")
        for c in wrong:
            yield Finding("swapped-case", c, "doubt", 1, 0, f"'{c}' is drawn as '{c.lower()}'")
    elif ratio is not None and ratio > 1.15:
        yield Finding("swapped-case", "", "doubt", round(ratio, 2), 1.15,
                      f"lower case is {ratio:.2f} times as high as capitals: the cases may be "
                      "exchanged")


def _capitals_as_lower(glyphs: Glyphs, probabilities: NDArray[np.float32]) -> str:
    """Capitals of UNLIKE that look like their lower case to the consensus of fonts."""
    wrong = ""
    for c in glyphs.has(UNLIKE.upper()):
        row = probabilities[POSITION[c]]
        if row[consensus.MARKS.index(c.lower())] > 0.8:
            wrong += c
    return wrong


def _mostly_lower(probabilities: NDArray[np.float32], letters: list[str]) -> bool:
    """Whether capitals of these lower case letters look more like lower case to other fonts."""
    lower = sum(probabilities[POSITION[c.upper()], POSITION[c] - 1] for c in letters)
    return lower > sum(probabilities[POSITION[c.upper()], POSITION[c.upper()] - 1] for c in letters)


def _height(glyphs: Glyphs, c: str) -> float:
    box = glyphs.box[POSITION[c]]
    return max(float(box[3] - box[1]), 1 / 64)


def _case_heights(glyphs: Glyphs) -> float | None:
    """Median height of lower case by capital over letters of one form, None with too few."""
    ratios = [_height(glyphs, c) / _height(glyphs, c.upper()) for c in SAME_FORM
              if len(glyphs.has(c + c.upper())) == 2]
    return float(np.median(ratios)) if len(ratios) >= 4 else None


def baseline(glyphs: Glyphs) -> Iterator[Finding]:
    """Letters that stand off the baseline: all of them, or one against the others."""
    there = glyphs.has(FLAT)
    if len(there) < 4:
        return
    bottoms = glyphs.bottoms(FLAT) / glyphs.cap_height
    middle = float(np.median(bottoms))
    spread = float(np.median(np.abs(bottoms - middle)))
    if abs(middle) > OFF:
        severity = "doubt" if abs(middle) > FAR_OFF and spread < UNEVEN else "information"
        yield Finding("baseline", "", severity, round(middle, 3), OFF,
                      f"letters stand {abs(middle):.2f} cap heights "
                      f"{'above' if middle > 0 else 'below'} the baseline: beside other fonts on a "
                      "line they would hop; alone they are drawn where they should be")
    if spread > UNEVEN:
        return  # hand lettering: nothing stands on a line
    for c, bottom in zip(there, bottoms, strict=True):
        off = float(bottom - middle)
        if abs(off) > ONE_OFF:
            odd = off > 0 or c in UPRIGHT and off < -FAR_OFF  # tails go below, seldom so far
            yield Finding("baseline", c, "doubt" if odd else "information", round(off, 3), ONE_OFF,
                          f"'{c}' stands {abs(off):.2f} cap heights "
                          f"{'above' if off > 0 else 'below'} the other letters: beside them it may "
                          "be taken for another")


def glyph_names(names: dict[str, str], told: set[str]) -> Iterator[Finding]:
    """Letters and digits whose glyph is named as another character: Greek in Latin slots.

    names  character -> glyph name; by the Adobe Glyph List and its rules for "uni1234"
    """
    from fontTools import agl

    wrong = {}
    for c, name in names.items():
        means = unicodedata.normalize("NFKC", agl.toUnicode(name))  # a bold A of formulas is an A
        if c.isalnum() and len(means) == 1 and means.isalpha() and means.lower() != c.lower():
            wrong[c] = f"{name} ({means})" if means != name else name
    if len(wrong) > len(names) // 4 and len(wrong) > 5:
        yield Finding("wrong-symbol", "", "doubt", len(wrong), 5,
                      f"{len(wrong)} letters are named as others: a font of another script in "
                      "Latin places")
    for c, name in wrong.items():
        if c not in told:
            yield Finding("wrong-symbol", c, "doubt", 1, 0, f"'{c}' is the glyph named {name}: "
                          f"training would learn to read that as '{c}'")


def against_consensus(glyphs: Glyphs, probabilities: NDArray[np.float32], own: NDArray[np.float32],
                      told: set[str]) -> Iterator[Finding]:
    """The whole font unlike others, or single glyphs in a font that is otherwise like them."""
    there = glyphs.has(LETTERS_DIGITS)
    if len(there) < 5:
        return
    share = _read_right(own, there)
    if share < UNREADABLE:
        yield _unlike(glyphs, share)
    if share < READABLE:
        return
    for k in np.flatnonzero(glyphs.inked):
        c = ASCII[k]
        seen, sure = consensus.best(probabilities, c)
        if c in told or seen in FORMS.get(c, ""):
            continue
        if sure > SURE and own[k] < UNLIKELY:
            yield Finding("wrong-symbol", c, "doubt", round(sure, 3), SURE,
                          f"'{c}' looks like '{seen}' in all other fonts: if it is one, training "
                          f"would learn to read '{seen}' as '{c}'")


def _read_right(own: NDArray[np.float32], there: str) -> float:
    """Share of characters that look like themselves to the consensus of fonts."""
    return float(np.mean([own[POSITION[c]] > 0.5 for c in there]))


def _unlike(glyphs: Glyphs, share: float) -> Finding:
    """Unlike all others: a doubt, unless its outlines enclose letters or its dots make them up."""
    best, others = share, _surely_others(glyphs)
    for form in plain_forms(glyphs):
        there = form.has(LETTERS_DIGITS)
        if len(there) >= 5:
            own = (consensus.load().probabilities(form) * consensus.groups()).sum(1)
            right = _read_right(own, there)
            best, others = max((best, others), (right, _surely_others(form)))
    told = f"{share:.0%} of letters and digits look as in other fonts"
    if best < STRANGE:
        return Finding("unlike-others", "", "doubt", round(best, 2), STRANGE,
                       f"{told}: pictures, another script, or lettering too ornate to teach reading")
    if best < UNREADABLE and others >= MISLEADING:
        return Finding("unlike-others", "", "doubt", round(others, 2), MISLEADING,
                       f"{told}, and {others:.0%} look like other characters: another script, or "
                       "signs in the places of letters")
    return Finding("unlike-others", "", "information", round(best, 2), UNREADABLE,
                   f"{told}, {best:.0%} when outlines are filled and gaps closed: display "
                   "lettering, most of it readable")


def _surely_others(glyphs: Glyphs) -> float:
    """Share of letters and digits that the consensus takes for another character, and not for it."""
    p = consensus.load().probabilities(glyphs)
    rows = [POSITION[c] for c in glyphs.has(LETTERS_DIGITS)]
    own = (p * consensus.groups()).sum(1)[rows]
    return float(np.mean((own < 0.02) & (p[rows].max(1) > 0.8))) if rows else 0.0
