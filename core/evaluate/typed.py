"""Marks that a typewriter lacks, as people type them.

Where all labels of a document are plain ASCII, whoever transcribed it typed " for “ and ”, ' for ’,
one or two hyphens for a dash, whatever is printed. Readings are then compared in typed form. A
document with one such mark in its labels is taken exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_TYPED = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-",
                        "…": "..."})
_DASHES = re.compile("-+")


def is_typed(labels: Iterable[str]) -> bool:
    """Whether the labels of a document are plain ASCII."""
    return all(label.isascii() for label in labels)


def typed_form(text: str) -> str:
    """The text as it is typed; two labels that differ in the number of hyphens become alike."""
    return _DASHES.sub("-", text.translate(_TYPED))
