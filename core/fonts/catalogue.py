"""The fonts that synthetic text is drawn with: files, families and how often each is picked."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from core.errors import Missing, Unreadable

FONTS = Path(__file__).parents[2] / "resources" / "fonts"
FAMILIES = "families.tsv"


@dataclass(frozen=True)
class FontFile:
    """A font file, the family it belongs to, and its weight: picks relative to the others."""

    path: Path
    family: str
    weight: float


def shipped(folder: Path = FONTS) -> tuple[FontFile, ...]:
    """The fonts listed in a folder's families.tsv (file, family, weight), in its order.

    Raises Missing if the list or a listed file is not there, Unreadable for a malformed row.
    """
    path = folder / FAMILIES
    if not path.exists():
        raise Missing(f"no font list at {path}; restore resources/fonts from the repository")
    fonts = []
    with path.open(encoding="utf-8", newline="") as lines:
        for n, row in enumerate(csv.DictReader(lines, delimiter="\t"), start=2):
            try:
                font = FontFile(folder / row["file"], row["family"], float(row["weight"]))
            except (KeyError, TypeError, ValueError) as error:
                raise Unreadable(f"{path}, line {n}: expected file, family and weight: "
                                 f"{error}") from error
            if not font.path.exists():
                raise Missing(f"{path}, line {n}: {font.path.name} is not in the folder; restore "
                              "it or remove the line")
            fonts.append(font)
    if not fonts:
        raise Missing(f"{path} lists no font; restore it from the repository")
    return tuple(fonts)
