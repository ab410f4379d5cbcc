"""The font of the hidden text layer: every glyph has the same advance and no ink.

A glyph is not empty but a line from the bottom left to the top right of its box and back: pdfium
takes a character's box from the outline, and drops one-letter words (and everything on pages
with /Rotate 90 or 270) when there is none. A variant is made for each pair of ascent and descent,
so words of one line can share a font size and a baseline and still have boxes of their own height.

CIDs start at 1 and all map to GID 1: GID 0 is .notdef, which upsets Acrobat. All advances equal /DW and the program
is embedded, as PDF/A (ISO 19005-2, 6.2.11) asks. /ToUnicode lists the used characters as bfchar:
Ghostscript loses bfrange entries.
"""

from __future__ import annotations

import io
from functools import lru_cache

from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphCoordinates
from fontTools.ttLib.tables.ttProgram import Program

from core.pdf.placing import ADVANCE_EM

UNITS_PER_EM = 1000
ADVANCE = round(ADVANCE_EM * UNITS_PER_EM)
BFCHAR_PER_BLOCK = 100  # limit of one beginbfchar block, Adobe Technical Note 5014
EPOCH_1904 = 2082844800  # seconds from 1904 to 1970: a constant date keeps output reproducible


@lru_cache(maxsize=256)
def font_program(ascent: int, descent: int) -> bytes:
    """A TrueType font of one glyph beside .notdef, only the tables that PDF asks for (9.9).

    ascent, descent: of the glyph and of the font, 1/1000 em, descent positive downwards.
    """
    names = [".notdef", "stroke"]
    builder = FontBuilder(UNITS_PER_EM, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({})
    builder.setupGlyf({name: _stroke(ascent, descent) for name in names})
    builder.setupHorizontalMetrics({name: (ADVANCE, 0) for name in names})
    builder.setupHorizontalHeader(ascent=ascent, descent=-descent)
    del builder.font["cmap"]  # CIDs find their glyph by cid_to_gid
    builder.font["head"].created = builder.font["head"].modified = EPOCH_1904
    builder.font.recalcTimestamp = False
    stream = io.BytesIO()
    builder.save(stream)
    return stream.getvalue()


def _stroke(ascent: int, descent: int) -> Glyph:
    """An outline without area, bottom left to top right and back."""
    glyph = Glyph()
    glyph.numberOfContours = 1
    glyph.coordinates = GlyphCoordinates([(0, -descent), (ADVANCE, ascent), (0, -descent)])
    glyph.endPtsOfContours = [2]
    glyph.flags = bytearray([1, 1, 1])
    glyph.program = Program()
    glyph.program.fromBytecode(b"")
    return glyph


def cid_to_gid(n_characters: int) -> bytes:
    """The CIDToGIDMap stream: every CID from 1 on is glyph 1."""
    return b"\0\0" + b"\0\1" * n_characters


def to_unicode(characters: str) -> bytes:
    """The CMap stream for CID i + 1 = characters[i]."""
    entries = [f"<{cid:04X}> <{char.encode('utf-16-be').hex().upper()}>"
               for cid, char in enumerate(characters, 1)]
    blocks = [entries[i:i + BFCHAR_PER_BLOCK] for i in range(0, len(entries), BFCHAR_PER_BLOCK)]
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar"
                     for block in blocks)
    return ("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
            f"{body}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n").encode()
