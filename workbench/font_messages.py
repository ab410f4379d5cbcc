"""What the window and its font processes say to each other. Plain frozen dataclasses, no Qt.

`workbench.messages` has what all processes say (Ready, Done, Failed, Stop). A `FontRef` names a
face of a file, so that no process needs to know what another has opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.fonts.closeup import Closeup
from core.fonts.drawing import Cells
from core.fonts.findings import FontReport
from core.fonts.reading_check import Readings
from core.fonts.trial import Likeness, Trial


@dataclass(frozen=True)
class FontRef:
    """A face of a font file; `key` is the SHA-256 that verdicts are kept by."""

    key: str
    path: Path
    index: int = 0


# ---- requests ----------------------------------------------------------------------------------

@dataclass(frozen=True)
class CheckFonts:
    """Find the font files under `paths` (or take `files`, when they are known) and check them."""

    job: int
    paths: tuple[Path, ...]
    files: tuple[Path, ...] = ()
    store: Path | None = None


@dataclass(frozen=True)
class DrawSheet:
    """Draw all glyphs of a font, and a line of text."""

    job: int
    font: FontRef


@dataclass(frozen=True)
class DrawCharacter:
    """Draw one character in many fonts."""

    job: int
    character: str
    fonts: tuple[FontRef, ...]


@dataclass(frozen=True)
class DrawLines:
    """Draw the line of text of many fonts."""

    job: int
    fonts: tuple[FontRef, ...]


@dataclass(frozen=True)
class DrawGlyph:
    """Draw one glyph large, with its outline, and the sample words if `with_words`."""

    job: int
    font: FontRef
    character: str
    with_words: bool


@dataclass(frozen=True)
class ReadGlyphs:
    """Let the recogniser read each glyph of a font and a sentence in it."""

    job: int
    font: FontRef


@dataclass(frozen=True)
class TryWords:
    """Let the recogniser read `n` held-out words in a font; `allowed` characters only."""

    job: int
    font: FontRef
    allowed: frozenset[str]
    n: int


@dataclass(frozen=True)
class ReadCrop:
    """Read the picture file of a real word."""

    job: int
    path: Path


@dataclass(frozen=True)
class FindNearest:
    """Compare a real word with its text set in each font."""

    job: int
    crop: NDArray[np.uint8] = field(repr=False)
    text: str = ""
    fonts: tuple[FontRef, ...] = field(default=(), repr=False)


# ---- answers -----------------------------------------------------------------------------------

@dataclass(frozen=True)
class Found:
    """The font files under the paths asked for, in the order in which they are checked."""

    job: int
    files: tuple[Path, ...]


@dataclass(frozen=True)
class CheckedFonts:
    """Some files are checked: `done` of `total` so far."""

    job: int
    done: int
    total: int
    reports: tuple[FontReport, ...]


@dataclass(frozen=True)
class SheetDrawn:
    """All glyphs of a font, and its line of text (h, w) uint8, 255 = paper."""

    job: int
    key: str
    cells: Cells = field(repr=False)
    line: NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True)
class CharacterDrawn:
    """One character in fonts `keys`, a cell each."""

    job: int
    character: str
    keys: tuple[str, ...]
    cells: Cells = field(repr=False)


@dataclass(frozen=True)
class LinesDrawn:
    """The lines of text of fonts, each (h, w) uint8, 255 = paper; (0, 0) where it cannot be drawn."""

    job: int
    keys: tuple[str, ...]
    lines: tuple[NDArray[np.uint8], ...] = field(repr=False)


@dataclass(frozen=True)
class GlyphDrawn:
    """One glyph large; `words` is empty where they were not asked for."""

    job: int
    key: str
    character: str
    closeup: Closeup = field(repr=False)
    words: tuple[NDArray[np.uint8], ...] = field(repr=False)


@dataclass(frozen=True)
class GlyphsRead:
    """What the recogniser reads; `trained_on` is how many samples its weights have seen."""

    job: int
    key: str
    readings: Readings
    trained_on: int


@dataclass(frozen=True)
class WordsTried:
    """The words read in a font."""

    job: int
    key: str
    trial: Trial


@dataclass(frozen=True)
class CropRead:
    """A real word: its pixels (h, w) uint8, dark on light, and what the recogniser reads."""

    job: int
    pixels: NDArray[np.uint8] = field(repr=False)
    text: str = ""


@dataclass(frozen=True)
class NearestFound:
    """Likenesses of some of the fonts asked for, in their order; `done` of `total` so far."""

    job: int
    done: int
    total: int
    likenesses: tuple[Likeness, ...]
