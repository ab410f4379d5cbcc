"""Where a PDF page's own units lie on the page as a viewer shows it.

Built from CropBox, Rotate and UserUnit here, not taken from MuPDF: its `rotation_matrix` ignores
UserUnit while its text extraction applies it. PDF 1.7 (ISO 32000-1) table 30.

Frames: *user* = the content stream's units, y up. *visible* = points of the page as shown: crop
box, turned by /Rotate, times UserUnit, origin top left, y down (that of `Page.points_from_page`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core import geometry

if TYPE_CHECKING:
    import pymupdf

LETTER = (0.0, 0.0, 612.0, 792.0)  # what MuPDF shows where the page has no usable box
MAX_PARENTS = 64                   # page tree depth; more is a loop
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")


@dataclass(frozen=True)
class PageFrame:
    """box: x0 y0 x1 y1 in user units; rotate: 0, 90, 180 or 270 clockwise; user_unit: pt per unit."""

    box: tuple[float, float, float, float]
    rotate: int = 0
    user_unit: float = 1.0

    @property
    def size(self) -> tuple[float, float]:
        """Width, height of the visible page, pt."""
        x0, y0, x1, y1 = self.box
        width, height = (x1 - x0) * self.user_unit, (y1 - y0) * self.user_unit
        return (height, width) if self.rotate in (90, 270) else (width, height)

    @property
    def visible_from_unturned(self) -> NDArray[np.float64]:
        """(2, 3): points before /Rotate (origin top left, y down) -> visible points."""
        width, height = (side * self.user_unit for side in (self.box[2] - self.box[0],
                                                            self.box[3] - self.box[1]))
        return geometry.quarter_turns(-self.rotate // 90, width, height)

    @property
    def visible_from_user(self) -> NDArray[np.float64]:
        """(2, 3): user units -> visible points."""
        x0, _, _, y1 = self.box
        unit = self.user_unit
        unturned_from_user = np.array([[unit, 0.0, -x0 * unit], [0.0, -unit, y1 * unit]])
        return geometry.compose(self.visible_from_unturned, unturned_from_user)

    @property
    def user_from_visible(self) -> NDArray[np.float64]:
        """(2, 3): visible points -> user units."""
        return geometry.invert(self.visible_from_user)


def frame_of(page: pymupdf.Page) -> PageFrame:
    """The frame of a page, from its own and its inherited entries."""
    pdf, xref = page.parent, page.xref
    media = _box(pdf, inherited(pdf, xref, "MediaBox")) or LETTER
    crop = _box(pdf, inherited(pdf, xref, "CropBox")) or media
    both = (max(media[0], crop[0]), max(media[1], crop[1]),
            min(media[2], crop[2]), min(media[3], crop[3]))
    box = both if both[0] < both[2] and both[1] < both[3] else LETTER
    turns = _numbers(pdf, inherited(pdf, xref, "Rotate"))
    unit = _numbers(pdf, pdf.xref_get_key(xref, "UserUnit"))
    rotate = int((turns[0] + 45) // 90) % 4 * 90 if turns else 0  # 45 counts as 90, as in MuPDF
    return PageFrame(box, rotate, unit[0] if unit and unit[0] > 0 else 1.0)


def inherited(pdf: pymupdf.Document, xref: int, key: str) -> tuple[str, str]:
    """(type, value) of a page's entry, from the page or the nearest parent that has it."""
    path = key
    for _ in range(MAX_PARENTS):
        found = pdf.xref_get_key(xref, path)
        if found[0] != "null":
            return found
        if pdf.xref_get_key(xref, path.removesuffix(key) + "Parent")[0] == "null":
            break
        path = "Parent/" + path
    return "null", "null"


def resolved(pdf: pymupdf.Document, entry: tuple[str, str]) -> str:
    """An entry's text, the object's own where the entry is a reference; "" for null."""
    kind, value = entry
    if kind == "xref":
        return pdf.xref_object(int(value.split()[0]), compressed=True)
    return "" if kind == "null" else value


def _numbers(pdf: pymupdf.Document, entry: tuple[str, str]) -> list[float]:
    """Numbers of an entry, references among them followed."""
    text = re.sub(r"(\d+) 0 R", lambda match: pdf.xref_object(int(match[1]), compressed=True),
                  resolved(pdf, entry))
    return [float(number) for number in NUMBER.findall(text)]


def _box(pdf: pymupdf.Document, entry: tuple[str, str]) -> tuple[float, ...] | None:
    """Corners in order; None for a missing or flat box."""
    numbers = _numbers(pdf, entry)
    if len(numbers) != 4:
        return None
    x0, x1 = sorted(numbers[0::2])
    y0, y1 = sorted(numbers[1::2])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
