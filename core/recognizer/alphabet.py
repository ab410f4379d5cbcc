"""The classes of the net: the CTC blank, printable ASCII, then what western print has beside it.

ASCII comes first, so that weights and states made for it alone can be widened to the whole
alphabet (`core.train.checkpoint`). Marks that a window cannot tell from ASCII (¹ ¸ ¦ ·) are left
out: the net would only learn to doubt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.errors import Mismatch

BLANK = 0  # class of "no character here" (Graves et al. 2006, section 3)
ASCII = "".join(map(chr, range(0x20, 0x7F)))
ACCENTED = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØŒÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøœùúûüýÿ"
QUOTES = "‘’“”„«»"
SIGNS = "–—…•→©®™€£¥§°±×÷µ²³¼½¾¡¿"
CHARACTERS = ASCII + ACCENTED + QUOTES + SIGNS  # class k is CHARACTERS[k - 1]
N_CLASSES = len(CHARACTERS) + 1


def digest_of(characters: str) -> str:
    """16 hex digits that name an alphabet."""
    return hashlib.sha256(characters.encode()).hexdigest()[:16]


DIGEST = digest_of(CHARACTERS)  # stored in every weights file

_CLASS_OF = {c: k for k, c in enumerate(CHARACTERS, start=1)}


def encode(text: str) -> NDArray[np.int64]:
    """(len(text),) classes. Raises Mismatch for a character outside the alphabet."""
    try:
        return np.array([_CLASS_OF[c] for c in text], np.int64)
    except KeyError as error:
        raise Mismatch(f"{error.args[0]!r} in {text!r} is not in the alphabet of the Word Deep Net "
                       "(western print); replace it or leave the word out") from None


def decode(classes: Iterable[int]) -> str:
    """The text of classes 1 and up, blanks left out; nothing is collapsed."""
    return "".join(CHARACTERS[k - 1] for k in classes if k != BLANK)


def covers(text: str) -> bool:
    """Whether every character of `text` is in the alphabet."""
    return all(c in _CLASS_OF for c in text)


def check(digest: str, name: str, characters: str = CHARACTERS) -> None:
    """Raise Mismatch when a file named `name` was made for an alphabet that ours does not begin
    with. `characters` and `digest` are what the file says of its own."""
    if digest != digest_of(characters) or not CHARACTERS.startswith(characters):
        raise Mismatch(f"{name} was trained for another alphabet ({digest}, this program has "
                       f"{DIGEST}); train or fetch weights for this version")
