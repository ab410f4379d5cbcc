"""What our own recogniser reads in a font: every glyph alone, and a sentence with every letter.

It ranks and informs: a net that has not learnt a font misreads it whether the font is right or
not. A misread sentence makes a doubt, a misread glyph is only told. torch is imported on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import Cancelled, OcrError
from core.fonts import consensus, drawing
from core.fonts.findings import Finding, FontReport
from core.fonts.glyphs import POSITION
from core.recognizer.alphabet import CHARACTERS

WEIGHTS = Path(__file__).parents[2] / "resources" / "models" / "words-synthetic.pt"
PANGRAM = "Sphinx of black quartz, judge my vow: $12.50 367489"
EM = 48  # px; windows are scaled to 32 px of height from it
SURE = 0.9  # confidence from which a wrong reading of a glyph is told
MISREAD = 0.5  # edits by characters of the pangram from which the font is doubted


@dataclass(frozen=True)
class Readings:
    """What the net reads in a font.

    glyphs      (n,) the text read in each of `characters` alone; `confidence` (n,) 0 to 1
    pangram     the sentence read, word by word; `error` its edits by PANGRAM's characters
    """

    characters: str
    glyphs: tuple[str, ...]
    confidence: NDArray[np.float32]
    pangram: str
    error: float


def load_net(weights: Path = WEIGHTS) -> Any:
    """The recogniser's LoadedNet. Raises Missing without weights."""
    from core.recognizer import net
    return net.load(weights)


def read_font(path: Path, net: Any, index: int = 0, characters: str = CHARACTERS[1:]) -> Readings:
    """What `net` (from `load_net`) reads in a font. Raises Unreadable for a file that is none."""
    from rapidfuzz.distance import Levenshtein

    from core.recognizer.transcribe import TranscriptSettings, read_windows

    words = PANGRAM.split(" ")
    windows = [_window(drawing.word(path, text, EM, index)) for text in [*characters, *words]]
    texts, confidence = read_windows(windows, TranscriptSettings(), net)
    n = len(characters)
    pangram = " ".join(texts[n:])
    error = Levenshtein.distance(pangram, PANGRAM) / len(PANGRAM)
    return Readings(characters, tuple(texts[:n]), confidence[:n], pangram, error)


def read_fonts(reports: Iterable[FontReport], net: Any = None,
               stop: Callable[[], bool] = lambda: False) -> Iterator[FontReport]:
    """The reports with what the recogniser reads in them added, one by one; 0.1 s each.

    Fonts that cannot be opened come back as they are; without weights each says that it was not
    read. Raises Cancelled when `stop` says so.
    """
    missing = ""
    if net is None:
        try:
            net = load_net()
        except OcrError as error:
            missing = str(error)
    for report in reports:
        if stop():
            raise Cancelled("reading fonts was cancelled")
        if missing:
            found = [Finding("reading", "", "information", 0, 1, f"not read: {missing}")]
        elif "" in report.rejected():
            yield report
            continue
        else:
            rejected = report.rejected()
            good = "".join(c for c in CHARACTERS[1:] if c not in rejected)
            found = list(_findings(read_font(report.path, net, report.index, good), report))
        others = [f for f in report.findings if f.check not in ("reading", "pangram")]
        yield replace(report, findings=(*others, *found), read=not missing)


def _findings(readings: Readings, report: FontReport) -> Iterator[Finding]:
    capitals_only = any(f.check in ("one-case", "small-caps") and not f.character
                        for f in report.findings)
    lost = sum(c in report.rejected() for c in PANGRAM)
    if readings.error > MISREAD and not capitals_only and lost < 5:
        yield Finding("pangram", "", "doubt", round(readings.error, 2), MISREAD,
                      f"our recogniser reads '{readings.pangram}' for '{PANGRAM}': far from what "
                      "it has learnt, or broken")
    groups = consensus.groups()
    for c, text, sure in zip(readings.characters, readings.glyphs, readings.confidence,
                             strict=True):
        same = len(text) == 1 and text != " " and groups[POSITION[c], POSITION[text] - 1] > 0
        if text and not same and sure >= SURE:
            yield Finding("reading", c, "information", round(float(sure), 2), SURE,
                          f"our recogniser reads '{c}' alone as '{text}'")


def _window(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A strip drawn dark on white as the net's window, cut as the detector's boxes are."""
    from core.recognizer.window import cut_window

    ink = strip < 255
    if not ink.any():
        return np.full((32, 32), 255, np.uint8)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    if y1 - y0 < EM // 2:  # a dash or a dot: boxes are never so flat
        middle = (y0 + y1) / 2
        y0, y1 = middle - EM / 4, middle + EM / 4
    quad = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    padded = np.pad(strip, EM, constant_values=255)
    return cut_window(padded, quad + EM)[0]
