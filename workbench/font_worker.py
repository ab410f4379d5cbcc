"""The child process for fonts: it opens font files and, if asked to read, the recogniser; never Qt.

The window has three of them, so that none waits for another: one draws, one checks, one reads. A
file that crashes FreeType costs the job that opened it, not the window.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import Unreadable
from core.fonts import closeup, drawing, trial
from core.fonts.check import check_fonts
from core.fonts.formats import font_files
from workbench.font_messages import (
    CharacterDrawn,
    CheckedFonts,
    CheckFonts,
    CropRead,
    DrawCharacter,
    DrawGlyph,
    DrawLines,
    DrawSheet,
    FindNearest,
    FontRef,
    Found,
    GlyphDrawn,
    GlyphsRead,
    LinesDrawn,
    NearestFound,
    ReadCrop,
    ReadGlyphs,
    SheetDrawn,
    TryWords,
    WordsTried,
)
from workbench.job_server import JobServer
from workbench.worker import serve_until_closed

LINE = "Hamburgefonstiv QXWKZ 0123456789 &@%$#?!"
WORDS = ("Handgloves Total 09", "$1,234.56 #0789 (8%)", "Il1| O0 rn/m cl/d vv/w", "@&*+=~^_\\<>{}[]",
         "\"Quote's\" a-b; x:y?!")
LINE_EM, WORD_EM = 20, 34  # px per em
KNOWN_AT_ONCE = 64  # reports of the cache that are sent together
NEAREST_AT_ONCE = 50  # fonts compared between two messages
CROP_LARGEST = 4000  # px, longest side of a real word's picture


def main(pipe: Connection, prefix: str, resources: Path) -> None:
    """Entry of the child process. `prefix` (of shared memory) is not used: rasters are small."""
    serve_until_closed(lambda: FontWorker(pipe, resources))


class FontWorker(JobServer):
    """Answers requests on fonts."""

    def __init__(self, pipe: Connection, resources: Path) -> None:
        super().__init__(pipe)
        self.resources = resources
        self._net: Any = None

    def answer(self, request: Any) -> bool | None:
        """Do what is asked, see the methods."""
        return {CheckFonts: self._check, DrawSheet: self._sheet, DrawCharacter: self._character,
                DrawLines: self._lines, DrawGlyph: self._glyph, ReadGlyphs: self._read,
                TryWords: self._try, ReadCrop: self._crop,
                FindNearest: self._nearest}[type(request)](request)

    # ---- checking ------------------------------------------------------------------------------

    def _check(self, request: CheckFonts) -> None:
        files = request.files or tuple(font_files(list(request.paths)))
        self.pipe.send(Found(request.job, files))
        held: list = []
        done = 0

        def tell() -> None:
            if held:
                self.pipe.send(CheckedFonts(request.job, done, len(files), tuple(held)))
                held.clear()

        # In this process: the window starts it anew, without the file, if one crashes it.
        for checked in check_fonts(files, jobs=0, store=request.store,
                                   stop=lambda: self.is_stopped(request.job)):
            held += checked.reports
            done = checked.done
            if checked.fresh or len(held) >= KNOWN_AT_ONCE:
                tell()
        tell()

    # ---- drawing -------------------------------------------------------------------------------

    def _sheet(self, request: DrawSheet) -> None:
        font = request.font
        self.pipe.send(SheetDrawn(request.job, font.key, drawing.glyph_cells(font.path, font.index),
                                  drawing.word(font.path, LINE, LINE_EM, font.index)))

    def _character(self, request: DrawCharacter) -> None:
        cells = drawing.character_cells([(f.path, f.index) for f in request.fonts],
                                        request.character)
        self.pipe.send(CharacterDrawn(request.job, request.character,
                                      tuple(f.key for f in request.fonts), cells))

    def _lines(self, request: DrawLines) -> None:
        self.pipe.send(LinesDrawn(request.job, tuple(f.key for f in request.fonts),
                                  tuple(_line(f) for f in request.fonts)))

    def _glyph(self, request: DrawGlyph) -> None:
        font = request.font
        close = closeup.closeup(font.path, request.character, font.index)
        words = tuple(drawing.word(font.path, text, WORD_EM, font.index)
                      for text in WORDS) if request.with_words else ()
        self.pipe.send(GlyphDrawn(request.job, font.key, request.character, close, words))

    # ---- reading -------------------------------------------------------------------------------

    @property
    def net(self) -> Any:
        """The recogniser, loaded when first asked for (2 s, most of it torch)."""
        if self._net is None:
            import torch

            from core.pipeline import default_words
            from core.recognizer import net
            torch.set_num_threads(1)  # the window and the page worker want the other cores
            self._net = net.load(default_words(self.resources / "models"))
        return self._net

    def _read(self, request: ReadGlyphs) -> None:
        from core.fonts import reading_check

        font = request.font
        readings = reading_check.read_font(font.path, self.net, font.index)
        self.pipe.send(GlyphsRead(request.job, font.key, readings, self._trained_on()))

    def _trained_on(self) -> int:
        from core.pipeline import default_words
        from core.recognizer import net

        if not hasattr(self, "_samples"):
            self._samples = int(net.load_raw(default_words(self.resources / "models"))[1]
                                .get("samples", 0))
        return self._samples

    def _try(self, request: TryWords) -> None:
        font = request.font
        found = trial.try_words(font.path, request.allowed, self.net, request.n)
        self.pipe.send(WordsTried(request.job, font.key, found))

    def _crop(self, request: ReadCrop) -> None:
        import cv2

        from core.recognizer.transcribe import NET_ALONE, read_windows
        from core.recognizer.window import cut_window

        content = np.frombuffer(request.path.read_bytes(), np.uint8)
        gray = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE) if content.size else None
        if gray is None or max(gray.shape) > CROP_LARGEST:
            raise Unreadable(f"{request.path} is no picture of a word that can be read; give a PNG "
                             f"or JPEG of one word, at most {CROP_LARGEST} px wide")
        if np.median(gray) < 128:  # light on dark
            gray = 255 - gray
        quad = ink_quad(gray)
        text = read_windows([cut_window(gray, quad)[0]], NET_ALONE, self.net)[0][0]
        self.pipe.send(CropRead(request.job, gray, text))

    def _nearest(self, request: FindNearest) -> bool:
        fonts = [(f.key, f.path, f.index) for f in request.fonts]
        for start in range(0, len(fonts), NEAREST_AT_ONCE):
            if self.is_stopped(request.job):
                return False
            some = fonts[start:start + NEAREST_AT_ONCE]
            self.pipe.send(NearestFound(request.job, start + len(some), len(fonts),
                                        tuple(trial.likeness(request.crop, request.text, some))))
        return True


def ink_quad(gray: np.ndarray) -> np.ndarray:
    """(4, 2) float32: the box of the ink of a picture of one word, its own px."""
    dark = gray < (int(gray.min()) + int(np.median(gray))) / 2
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    if not len(rows):
        h, w = gray.shape
        return np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def _line(font: FontRef) -> np.ndarray:
    """The line of text in a font, (0, 0) if it cannot be drawn."""
    try:
        return drawing.word(font.path, LINE, LINE_EM, font.index)
    except Unreadable:
        return np.zeros((0, 0), np.uint8)
