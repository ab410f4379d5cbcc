"""What our own recogniser reads in a font: every glyph alone, and a sentence with every letter.

It ranks and informs: a net that has not learnt a font misreads it whether the font is right or
not. A misread sentence makes a doubt where the consensus of fonts is content, a misread glyph is
only told. torch is imported on first use. What was read is kept by the font's SHA-256 and the
net's digest, so another net reads anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import Cancelled, OcrError
from core.evaluate.typed import typed_form
from core.fonts import consensus, drawing
from core.fonts.check import default_store
from core.fonts.findings import Finding, FontReport
from core.fonts.glyphs import POSITION

MODELS = Path(__file__).parents[2] / "resources" / "models"
VERSION = 1  # of how windows are drawn and cut; raise it when that changes: kept ones are read anew
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


def load_net(weights: Path | None = None) -> Any:
    """The recogniser's LoadedNet, default the weights that pages are read with. Raises Missing."""
    from core.pipeline import default_words
    from core.recognizer import net
    return net.load(weights or default_words(MODELS))


class Kept:
    """What nets have read in fonts, kept in a folder as lines that are only appended.

    A folder that cannot be written costs only the next pass; a line that is cut off is read anew.
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / f"readings-{VERSION}.jsonl"
        self.known: dict[tuple[str, str, str, str], Readings] = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
                self._take(line)

    def read(self, report: FontReport, net: Any, characters: str) -> Readings:
        """What `net` reads in a report's font, from what is kept where it is."""
        key = report.sha256, net.digest, characters, PANGRAM
        if key not in self.known:
            self.known[key] = read_font(report.path, net, report.index, characters)
            self._append(key, self.known[key])
        return self.known[key]

    def _take(self, line: str) -> None:
        try:
            *key, values = json.loads(line)
            values["glyphs"] = tuple(values["glyphs"])
            values["confidence"] = np.array(values["confidence"], np.float32)
            self.known[tuple(key)] = Readings(**values)
        except (ValueError, TypeError, KeyError):
            pass  # torn when a pass was killed

    def _append(self, key: tuple[str, str, str, str], readings: Readings) -> None:
        values = asdict(readings)
        values["confidence"] = [float(c) for c in readings.confidence]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:  # one call: two passes may write
                file.write((json.dumps([*key, values]) + "\n").encode())
        except OSError:
            pass


def read_font(path: Path, net: Any, index: int = 0, characters: str = consensus.MARKS) -> Readings:
    """What `net` (from `load_net`) reads in a font. Raises Unreadable for a file that is none."""
    from rapidfuzz.distance import Levenshtein

    from core.recognizer.transcribe import NET_ALONE, read_windows

    words = PANGRAM.split(" ")
    windows = [_window(drawing.word(path, text, EM, index)) for text in [*characters, *words]]
    texts, confidence = read_windows(windows, NET_ALONE, net)
    n = len(characters)
    pangram = " ".join(texts[n:])
    error = Levenshtein.distance(pangram, PANGRAM) / len(PANGRAM)
    return Readings(characters, tuple(texts[:n]), confidence[:n], pangram, error)


def read_fonts(reports: Iterable[FontReport], net: Any = None,
               stop: Callable[[], bool] = lambda: False, store: Path | None = None,
               ) -> Iterator[FontReport]:
    """The reports with what the recogniser reads in them added, one by one; 0.1 s each.

    Fonts that cannot be opened come back as they are; without weights each says that it was not
    read. store: folder of what was read before, default `check.default_store()`. Raises Cancelled
    when `stop` says so.
    """
    kept = Kept(default_store() if store is None else store)
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
            good = "".join(c for c in consensus.MARKS if c not in rejected)
            found = list(_findings(kept.read(report, net, good), report))
        others = [f for f in report.findings if f.check not in ("reading", "pangram")]
        yield replace(report, findings=(*others, *found), read=not missing)


def _findings(readings: Readings, report: FontReport) -> Iterator[Finding]:
    capitals_only = any(f.check in ("one-case", "small-caps") and not f.character
                        for f in report.findings)
    lost = sum(c in report.rejected() for c in PANGRAM)
    if readings.error > MISREAD and not capitals_only and lost < 5:
        told = any(f.check == "unlike-others" for f in report.findings)  # which has decided on it
        severity = "information" if told else "doubt"
        yield Finding("pangram", "", severity, round(readings.error, 2), MISREAD,
                      f"our recogniser reads '{readings.pangram}' for '{PANGRAM}': far from what "
                      "it has learnt, or broken")
    groups = consensus.groups()
    for c, text, sure in zip(readings.characters, readings.glyphs, readings.confidence,
                             strict=True):
        typed = typed_form(text)  # a curly quote or a long dash is what many fonts draw for ASCII's
        same = typed in POSITION and typed != " " and groups[POSITION[c], POSITION[typed] - 1] > 0
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
