"""The words behind an entry's figures, and what two entries read differently.

Stored beside the entry as a compressed TSV: file x0 y0 x1 y1 category text printed read confidence
right (1 or 0). The images themselves are not stored.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from core.errors import Unreadable
from core.files import write_bytes


@dataclass(frozen=True)
class WordResult:
    """One word: where it is (px of the stored image), its text, what was read.

    right  exactly as printed where that is known, else with case and spaces left out
    """

    file: str
    x0: float
    y0: float
    x1: float
    y1: float
    category: str
    text: str
    printed: str
    read: str
    confidence: float
    right: bool

    @property
    def place(self) -> tuple[str, float, float, float, float]:
        """What makes two results ones of the same word."""
        return self.file, self.x0, self.y0, self.x1, self.y1


COLUMNS = tuple(f.name for f in fields(WordResult))
NUMBERS = ("x0", "y0", "x1", "y1", "confidence")


def write_results(results: Iterable[WordResult], path: Path) -> None:
    """Write atomically; the same results give the same bytes (no time in the gzip header)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None,
                        escapechar="\\", lineterminator="\n")
    writer.writerow(COLUMNS)
    for r in results:
        writer.writerow([r.file, *(f"{v:g}" for v in r.place[1:]), r.category, r.text, r.printed,
                         r.read, f"{r.confidence:.4f}", int(r.right)])
    write_bytes(path, gzip.compress(text.getvalue().encode(), 9, mtime=0))


def read_results(path: Path) -> list[WordResult]:
    """The results of a file. Raises Unreadable naming it."""
    try:
        text = gzip.decompress(Path(path).read_bytes()).decode()
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t",
                              quoting=csv.QUOTE_NONE, escapechar="\\")
        return [WordResult(**{**row, **{k: float(row[k]) for k in NUMBERS},
                              "right": row["right"] == "1"}) for row in rows]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{path}: no list of word results ({error}); write the entry again") \
            from None


def fixed_and_broken(before: list[WordResult], after: list[WordResult],
                     ) -> tuple[list[tuple[WordResult, WordResult]],
                                list[tuple[WordResult, WordResult]], int]:
    """(words wrong before and right after, words right before and wrong after, words in both)."""
    of = {r.place: r for r in before}
    pairs = [(of[r.place], r) for r in after if r.place in of]
    fixed = [(a, b) for a, b in pairs if b.right and not a.right]
    broken = [(a, b) for a, b in pairs if a.right and not b.right]
    return fixed, broken, len(pairs)
