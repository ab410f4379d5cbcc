"""Marks that a typewriter lacks, as people type them.

Where the labels of a document are plain ASCII, whoever transcribed it typed " for “ and ”, ' for ’,
one or two hyphens for a dash, whatever is printed. Readings are then compared in typed form. A
document with such marks in its labels, beyond a slip or two among many typed ones, is taken exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MARKS = {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."}
SLIPS = 0.1  # of the labels with typed marks: so many may have printed ones
_TYPED = str.maketrans(MARKS)
_DASHES = re.compile("-+")


def is_typed(labels: Iterable[str]) -> bool:
    """Whether the labels of a document have marks as they are typed, or none."""
    labels = list(labels)
    printed = sum(any(c in MARKS for c in label) for label in labels)
    typed = sum("'" in label or '"' in label or "--" in label for label in labels)
    return printed <= SLIPS * typed


def typed_form(text: str) -> str:
    """The text as it is typed; two labels that differ in the number of hyphens become alike."""
    return _DASHES.sub("-", text.translate(_TYPED))
