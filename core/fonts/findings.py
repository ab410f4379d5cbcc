"""What is wrong with a font: a row per finding, a report per font."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

RULES = 2  # version of all checks; raise it when one changes: kept results are then made anew
SEVERITIES = ("reject", "doubt", "information")

# Every check, in the order of the inspector: name -> what it looks for.
CHECKS = {
    "unparseable": "a file that is no font, or a damaged one",
    "format": "a kind of font file that cannot be drawn from",
    "damaged-table": "a table that cannot be parsed, though the font can be drawn",
    "symbol-cmap": "characters mapped to a private area, or not at all",
    "missing": "a character that the font does not have",
    "empty": "a character that is there and draws nothing",
    "notdef": "a character drawn like the sign for missing characters",
    "odd-notdef": "a sign for missing characters that is a letter, or is blank",
    "zero-advance": "a character that does not move the pen",
    "negative-advance": "a character that moves the pen back",
    "huge-advance": "a character that moves the pen much too far",
    "space": "a space with ink, or of an absurd width",
    "duplicate": "two characters with the same outline that must differ",
    "look-alike": "l, I, 1 and | or 0 and O that cannot be told apart",
    "one-case": "lower case drawn like capitals",
    "small-caps": "lower case drawn as scaled capitals",
    "swapped-case": "capitals drawn as lower case, or smaller than it",
    "clipping": "ink far outside the font's own ascent and descent",
    "vertical-metrics": "absurd ascent or descent",
    "baseline": "letters that do not stand on the baseline",
    "wrong-symbol": "a character that all other fonts draw differently",
    "unlike-others": "a font of which few characters look as in other fonts",
    "reading": "a character that our own recogniser reads as another",
    "pangram": "a sentence that our own recogniser misreads",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    check      a name of CHECKS
    character  the character concerned; "" = the whole font
    severity   reject (certain: must not be drawn), doubt (a person should look), information
    value      what was measured, `limit` what it was compared with; their unit is the check's own
    message    what was found and what it means for training
    """

    check: str
    character: str
    severity: str
    value: float
    limit: float
    message: str


@dataclass(frozen=True)
class FontReport:
    """All findings of one face of a font file, and what the inspector lists it by.

    file      path as given; `index` is the face in a collection (0 in any other file)
    sha256    of the file's bytes, hexadecimal: the key of verdicts; faces after the first of a
              collection have ":INDEX" behind it
    kind      TrueType, CFF, collection, variable, WOFF, WOFF2, Type 1, bitmap or unknown
    distance  one number for each of alphabet.CHARACTERS: how far from the consensus of fonts,
              0 (like all others) to 6; -1 where there is no glyph
    rules     version of the checks, `read` whether the recogniser has read the glyphs too
    """

    file: str
    sha256: str
    index: int = 0
    family: str = ""
    style: str = ""
    licence: str = ""
    kind: str = "unknown"
    monospaced: bool = False
    instances: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    distance: tuple[float, ...] = ()
    rules: int = RULES
    read: bool = False

    @property
    def path(self) -> Path:
        return Path(self.file)

    def of(self, character: str) -> tuple[Finding, ...]:
        """The findings on one character; "" = those on the whole font."""
        return tuple(f for f in self.findings if f.character == character)

    def rejected(self) -> frozenset[str]:
        """Characters that a certain check rejects; "" in it means the whole font."""
        return frozenset(f.character for f in self.findings if f.severity == "reject")

    @property
    def suspicion(self) -> float:
        """Orders fonts for a person's look: doubts first, by number; then what is rejected."""
        weight = {"reject": 0.1, "doubt": 1.0, "information": 0.02}
        checks = {}
        for f in self.findings:
            n = checks.get((f.check, f.severity), 0.0)
            checks[f.check, f.severity] = n + 1.0 / (1.0 + n)  # many of one kind count little more
        whole = any(f.severity == "reject" and not f.character for f in self.findings)
        return (0.5 if whole else 0.0) + sum(weight[s] * n for (_, s), n in checks.items())

    @property
    def needs_look(self) -> bool:
        """Whether a check doubts, so that a person has to decide."""
        return any(f.severity == "doubt" for f in self.findings)


def to_json(report: FontReport) -> dict[str, Any]:
    """A report as plain values, without losing anything."""
    return asdict(report)


def from_json(values: dict[str, Any]) -> FontReport:
    """The report that `to_json` gave. Raises KeyError or TypeError for anything else."""
    known = {f.name: values[f.name] for f in fields(FontReport)}
    known["findings"] = tuple(Finding(**f) for f in known["findings"])
    known["distance"] = tuple(known["distance"])
    known["instances"] = tuple(known["instances"])
    return FontReport(**known)
