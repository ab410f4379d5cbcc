"""Which tokens make sense: words of the lexicon, and patterns such as prices and dates.

The Wordinator asks it about readings, the corpus draws words from it. No torch, no OpenCV: the
window's process may load it too.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from core.errors import Missing, Unreadable

WORDS = Path(__file__).parents[1] / "resources" / "lexicon" / "words.txt.gz"

# What printing puts around a word without being part of it.
AROUND = "\"'`()[]{}<>,.;:!?*-_=+/\\|~^#&@$%‘’“”„«»–—…•→©®™€£¥§°±×÷¡¿"

_MONTH = (r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
          r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)")
_AMOUNT = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?"
# Asked in this order; the first that matches the whole text names it.
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE)) for name, pattern in (
        ("date", r"(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:\d{4}|\d{2})"),
        ("date", r"(?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:\d{4}|\d{2})"),
        ("date", r"(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"),
        ("date", (rf"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?[-/ ]?{_MONTH}[-/, ]*"
                  r"(?:\d{4}|'?\d{2})?")),
        ("date", (rf"{_MONTH}\.?[-/ ]?(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
                  r"(?:[-/, ]+(?:\d{4}|'?\d{2}))?")),
        ("time", r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?: ?[ap]\.?m\.?)?"),
        ("time", r"(?:0?[1-9]|1[0-2])(?:[.:][0-5]\d)? ?[ap]\.?m\.?"),
        ("percent", r"[-+]?\d+(?:[.,]\d+)? ?%"),
        ("price", rf"[-+]?(?:RM|US\$|USD|EUR|GBP|Rs\.?|[$€£¥]) ?-?(?:{_AMOUNT})(?:-|/-)?"),
        ("price", r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)\.\d\d(?:-| ?(?:RM|USD|EUR|GBP|[€£]))?"),
        ("number", r"[-+]?\d+|[-+]?\d{1,3}(?:,\d{3})+|[-+]?\d+[.,]\d+"),
        ("ordinal", r"\d*(?:1st|2nd|3rd|[04-9]th|1[123]th)"),
        ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
        ("url", r"(?:https?://|ftp://|www\.)[\w-]+(?:\.[\w-]+)*(?::\d+)?(?:[/?#]\S*)?"),
        ("url", (r"[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|co|my|uk|de|eu|io|info)"
                 r"(?:\.[a-z]{2})?(?:/\S*)?")),
        ("phone", r"(?:\+\d{1,3}[- .]?)?(?:\(\d{1,4}\)[- .]?)?\d{2,4}(?:[- .]\d{3,4}){1,3}"),
        ("phone", r"\+\d{1,3}[- .]?\d{2,4}[- .]?\d{6,8}"),
        ("size", (r"\d+(?:\.\d+)? ?(?:x ?\d+(?:\.\d+)? ?)?(?:g|gm|kg|mg|ml|cl|l|lt|oz|lb|lbs|qt"
                  r"|gal|ct|pk|pc|pcs|cm|mm|m|km|in|ft|w|v|hz|kb|mb|gb|dpi|px|pt|hrs?|min|sec)")),
        ("quantity", r"(?:\d+ ?[x@*]|[x@*] ?\d+(?:\.\d+)?)"),
        ("version", r"v?\d+(?:\.\d+){2,4}"),
        # capitals before digits, or three digits at least: "T0TAL" is a misread word, no code
        ("code", r"(?-i:[A-Z]{1,5}[-/.]?\d+[A-Z]?|\d+[-/.]?[A-Z])"),
        ("code", r"(?-i:(?=(?:\D*\d){3})(?=.*[A-Z])[A-Z0-9]+(?:[-/.][A-Z0-9]+)*)"),
        ("code", r"\d+(?:[-/]\d+)+"),
        ("rule", r"([-=*_.~#+])\1{2,}"),
    ))


class Lexicon:
    """The words of one word list, and the question whether a token is one of them.

    `levels` has the words by how common they are (SCOWL's classes, 10 the commonest), `digest`
    counts as a part of every stage that asks.
    """

    def __init__(self, path: Path = WORDS) -> None:
        """Read a gzipped list: a word a line, "# LEVEL" before each level's words.

        Raises Missing without the file, Unreadable if it is not such a list.
        """
        try:
            packed = path.read_bytes()
        except FileNotFoundError:
            raise Missing(f"no lexicon at {path}; restore resources/lexicon from the "
                          "repository") from None
        try:
            text = gzip.decompress(packed).decode("utf-8")
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise Unreadable(f"{path} is not a gzipped word list: {error}; restore it from the "
                             "repository") from error
        self.digest: str = hashlib.sha256(packed).hexdigest()[:16]
        self.levels: dict[int, tuple[str, ...]] = {}
        for part in text.split("# ")[1:]:
            level, _, words = part.partition("\n")
            self.levels[int(level)] = tuple(words.split())
        self.words: frozenset[str] = frozenset(w for ws in self.levels.values() for w in ws)
        if not self.words:
            raise Unreadable(f"{path} has no word in it; restore it from the repository")
        self._folded = frozenset(w.lower() for w in self.words)

    def __len__(self) -> int:
        return len(self.words)

    def known(self, word: str) -> bool:
        """Whether a token is a word, whatever its case and the punctuation around it.

        "London", "LONDON", "(London)," and "London's" are known, and "well-known" or "and/or"
        where every part is. A token without letters is never known: ask `pattern`. A lone letter
        is known only as "a" or "I".
        """
        if word in self.words and len(word) > 1:
            return True
        bare = word.strip(AROUND).lower().replace("’", "'")
        if self._one(bare):
            return True
        parts = [p for p in re.split(r"[-/&.–—…]", bare) if p]
        return len(parts) > 1 and all(self._one(p) for p in parts)

    def _one(self, bare: str) -> bool:
        if bare.endswith(("'s", "s'")) and len(bare) > 3 and bare not in self._folded:
            bare = bare[:-2] if bare.endswith("'s") else bare[:-1]
        if len(bare) < 2:
            return bare in ("a", "i")
        return bare in self._folded

    def pattern(self, text: str) -> str | None:
        """What kind of token a text is by its form, or None.

        date, time, percent, price, number, ordinal, email, url, phone, size, quantity, version,
        code or rule. Brackets, quotes and a comma around it do not count.
        """
        bare = text.strip().strip("\"'`()[]{}<>,;:!?‘’“”„«»").rstrip(".").removeprefix("#")
        for candidate in (text.strip(), bare):
            for name, pattern in PATTERNS:
                if pattern.fullmatch(candidate):
                    return name
        return None


@lru_cache(maxsize=2)
def load(path: Path = WORDS) -> Lexicon:
    """The lexicon of a file, read once a process."""
    return Lexicon(path)
