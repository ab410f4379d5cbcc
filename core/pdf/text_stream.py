"""Hidden words as a content stream.

What each trick is for, measured on pages of 150 words in eight readers:
* a word's font size alternates by 0.01 pt: pdf.js then gives one item per word (IoU .89 -> .999);
* the space is its own Tj whose Tz makes it exactly the gap, so the pen arrives where the next
  word starts (no matrix per word) and nothing overlaps (pdfminer's order 98 -> 100 %);
* a trailing space at a line's end parts it from the next (pypdf 98.3 -> 100 % on receipts);
* one baseline per line as far as possible, the boxes' own heights by font variants.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.pdf.placing import ADVANCE_EM, MIN_FONT_SIZE, axes
from core.reading import Placed

DESCENT_STEP = 0.05        # part of the box's height; few variants, boxes off by 2.5 % at most
HEIGHT_STEP = 1.0          # em; boxes' height in font sizes is rounded to it
MAX_DESCENT = 0.5          # part of the box's height; a word that hangs lower has its own baseline
SIZE_STEP = 0.01           # pt between neighbouring words
TRAILING_SPACE = 40.0      # %, Tz of the space at a line's end
PEN_TOLERANCE = 0.02       # pt; a pen farther off than this is set anew
MAX_STRETCH = 10_000.0     # %, Tz; keeps numbers sane for a box as wide as the page around one dot


@dataclass
class FontBook:
    """The characters and font variants that the layers of one document use.

    cids      character -> CID, from 1; the space is 1
    variants  (ascent, descent) in 1/1000 em -> resource name
    """

    prefix: str = "OcrHidden"
    cids: dict[str, int] = field(default_factory=lambda: {" ": 1})
    variants: dict[tuple[int, int], str] = field(default_factory=dict)

    def codes(self, text: str) -> str:
        """`text` as a PDF hex string of two-byte CIDs."""
        return "<" + "".join(f"{self.cids.setdefault(char, len(self.cids) + 1):04X}"
                             for char in text) + ">"

    def variant(self, height: float, descent: float) -> str:
        """Resource name of the font for a box `height` em high, the part `descent` of it below the
        baseline."""
        below = round(round(descent / DESCENT_STEP) * DESCENT_STEP * height * 1000)
        key = (round(height * 1000) - below, below)
        return self.variants.setdefault(key, f"{self.prefix}{len(self.variants)}")


@dataclass(frozen=True)
class LayerText:
    """One page's layer: the stream's bytes (q/Q balanced) and the font resources it names."""

    stream: bytes
    fonts: frozenset[str]


def layer_text(placed: Placed, user_from_visible: NDArray, book: FontBook) -> LayerText:
    """The words as text of render mode 3, in the order of their rows.

    user_from_visible: (2, 3), visible points to the page's user units.
    """
    used: set[str] = set()
    parts = ["q BT 3 Tr"]
    for rows in _runs(placed):
        parts += _run(placed, rows, user_from_visible, book, used)
    parts.append("ET Q\n")
    return LayerText("\n".join(parts).encode("ascii"), frozenset(used))


def _runs(placed: Placed) -> list[NDArray[np.int64]]:
    """Rows up to each line's end; rows without text are left out."""
    runs = np.split(np.arange(len(placed)), np.flatnonzero(placed.space_after == 0) + 1)
    runs = [rows[np.char.str_len(placed.text[rows]) > 0] for rows in runs]
    return [rows for rows in runs if len(rows)]


def _run(placed: Placed, rows: NDArray, user_from_visible: NDArray, book: FontBook,
         used: set[str]) -> list[str]:
    quad = np.asarray(placed.quad[rows], np.float64)
    along, up = axes(quad)
    left, right = (quad[:, [0, 3]] @ along).mean(1), (quad[:, [1, 2]] @ along).mean(1)
    top, bottom = (quad[:, :2] @ up).mean(1), (quad[:, 2:] @ up).mean(1)
    tall = np.maximum(top - bottom, MIN_FONT_SIZE)
    ems = np.maximum(np.round(tall / placed.font_size[rows] / HEIGHT_STEP) * HEIGHT_STEP, 1.0)
    baseline = np.where(bottom.max() - bottom <= MAX_DESCENT * tall, bottom.max(), bottom)
    parts, pen = [], (np.inf, np.inf)
    for i, row in enumerate(rows):
        size = round(tall[i] / ems[i], 2) + SIZE_STEP * (i % 2)
        font = book.variant(ems[i], (baseline[i] - bottom[i]) / tall[i])
        used.add(font)
        if max(abs(pen[0] - left[i]), abs(pen[1] - baseline[i])) > PEN_TOLERANCE:
            origin = left[i] * along + baseline[i] * up
            parts.append(_matrix(geometry.compose(
                user_from_visible, np.column_stack([along, up, origin]))))
        text = str(placed.text[row])
        stretch = 100 * (right[i] - left[i]) / (ADVANCE_EM * size * len(text))
        last = i + 1 == len(rows)
        gap = 0.0 if last else left[i + 1] - right[i]
        space = TRAILING_SPACE if last or gap <= 0 else 100 * gap / (ADVANCE_EM * size)
        space = 1.0 if gap < 0 else space
        parts.append(f"/{font} {_number(size, 2)} Tf {_number(min(stretch, MAX_STRETCH), 2)} Tz "
                     f"{book.codes(text)} Tj {_number(min(space, MAX_STRETCH), 2)} Tz <0001> Tj")
        pen = (left[i + 1] if not last and gap > 0 else np.inf, baseline[i])
    return parts


def _matrix(user_from_text: NDArray) -> str:
    """The Tm operator for an affine."""
    (a, c, e), (b, d, f) = user_from_text
    return " ".join([*(_number(value, 6) for value in (a, b, c, d)),
                     _number(e, 3), _number(f, 3), "Tm"])


def _number(value: float, digits: int) -> str:
    """A PDF number: no exponent, no trailing zeros."""
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")
