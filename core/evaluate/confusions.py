"""Which characters are read as which: readings aligned with their truth, character by character."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.evaluate.words import WordTruth


@dataclass(frozen=True)
class CharacterScores:
    """How often each character of the truth was read right, and what was read instead.

    n, right    by character of the truth; where only the folded text is known, its capital
    confusions  (truth, read) -> count; "" on the left is one too many, on the right one left out
    """

    n: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def to_json(self, most: int = 100) -> dict:
        """{"characters": {c: {"n", "right"}}, "confusions": [[truth, read, count], ...]}"""
        return {"characters": {c: {"n": n, "right": self.right[c] / n}
                               for c, n in sorted(self.n.items())},
                "confusions": [[a, b, n] for (a, b), n in self.confusions.most_common(most)]}

    def table(self, most: int = 20) -> str:
        """The commonest confusions, and the characters that are read worst (of at least 20)."""
        said = [f"{a or 'nothing'} > {b or 'nothing'} {n}"
                for (a, b), n in self.confusions.most_common(most)]
        worst = sorted((self.right[c] / n, c) for c, n in self.n.items() if n >= 20)[:most]
        return ("Confusions (truth > read): " + ", ".join(said)
                + "\nCharacters read worst: "
                + ", ".join(f"{c} {100 * share:.1f} %" for share, c in worst))


def confusions_of(truth: Iterable[WordTruth], texts: Iterable[str]) -> CharacterScores:
    """Counts over readings `texts[i]` of `truth[i]`, aligned by least edits (Levenshtein)."""
    from rapidfuzz.distance import Levenshtein

    found = CharacterScores()
    for word, text in zip(truth, texts):
        wanted = word.printed or word.text.upper()
        read = text if word.printed else text.upper()
        found.n.update(wanted)
        for op in Levenshtein.opcodes(wanted, read):
            a, b = wanted[op.src_start:op.src_end], read[op.dest_start:op.dest_end]
            if op.tag == "equal":
                found.right.update(a)
            elif op.tag == "replace":
                found.confusions.update(zip(a, b))
            elif op.tag == "delete":
                found.confusions.update((c, "") for c in a)
            else:
                found.confusions.update(("", c) for c in b)
    return found
