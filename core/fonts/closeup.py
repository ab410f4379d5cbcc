"""One glyph large: its pixels as the generator would draw them, and the outline they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import Unreadable
from core.fonts import drawing
from core.fonts.formats import open_font
from core.synth.fonts import draw_glyph

EM = 220  # px per em
LARGEST = 4 * EM  # px; what an outline gone astray has beyond it is cut


@dataclass(frozen=True)
class Closeup:
    """A glyph at `em` px per em.

    raster     (h, w) uint8, 255 = ink; left, top: of its corner, px from pen start and baseline,
               y up
    outline    see `drawing.Outline`
    number     of the glyph in the font; 0 = the font lacks the character, .notdef is shown
    """

    raster: NDArray[np.uint8]
    left: int
    top: int
    em: int
    outline: drawing.Outline
    number: int
    units_per_em: int


def closeup(path: Path, character: str, index: int = 0) -> Closeup:
    """A character of a font. Raises Unreadable for a file that cannot be opened."""
    import freetype

    face = open_font(path, index).face
    number = face.get_char_index(character)
    face.set_pixel_sizes(0, EM)
    flags = freetype.FT_LOAD_RENDER | freetype.FT_LOAD_NO_HINTING
    try:
        raster, (left, top, _) = draw_glyph(face, number, flags)
    except freetype.FT_Exception as error:
        raise Unreadable(f"{path.name}: {character!r} cannot be drawn ({error}); flag it") from error
    return Closeup(raster[:LARGEST, :LARGEST], int(left), int(top), EM,
                   drawing.outline(path, character, index), number, face.units_per_EM or 1000)
