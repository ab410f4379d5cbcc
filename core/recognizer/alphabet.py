"""The classes of the net: the CTC blank, then the 95 printable ASCII characters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.errors import Mismatch

BLANK = 0  # class of "no character here" (Graves et al. 2006, section 3)
CHARACTERS = "".join(map(chr, range(0x20, 0x7F)))  # class k is CHARACTERS[k - 1]
N_CLASSES = len(CHARACTERS) + 1
DIGEST = hashlib.sha256(CHARACTERS.encode()).hexdigest()[:16]  # stored in every weights file

_CLASS_OF = {c: k for k, c in enumerate(CHARACTERS, start=1)}


def encode(text: str) -> NDArray[np.int64]:
    """(len(text),) classes. Raises Mismatch for a character outside the alphabet."""
    try:
        return np.array([_CLASS_OF[c] for c in text], np.int64)
    except KeyError as error:
        raise Mismatch(f"{error.args[0]!r} in {text!r} is not in the alphabet of the Word Deep Net "
                       "(printable ASCII); replace it or leave the word out") from None


def decode(classes: Iterable[int]) -> str:
    """The text of classes 1 to 95, blanks left out; nothing is collapsed."""
    return "".join(CHARACTERS[k - 1] for k in classes if k != BLANK)


def covers(text: str) -> bool:
    """Whether every character of `text` is in the alphabet."""
    return all(c in _CLASS_OF for c in text)


def check(digest: str, name: str) -> None:
    """Raise Mismatch when a file named `name` was made for another alphabet."""
    if digest != DIGEST:
        raise Mismatch(f"{name} was trained for another alphabet ({digest}, this program has "
                       f"{DIGEST}); train or fetch weights for this version")
