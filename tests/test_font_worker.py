"""The processes that open font files: what they answer, and that a crash costs a job, not the window."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtTest import QTest

from core.fonts import drawing
from core.fonts.catalogue import FONTS
from core.pipeline import RESOURCES
from core.recognizer.alphabet import ASCII
from core.synth.fonts import SIZES
from workbench import font_messages as say
from workbench import font_worker, messages
from workbench.font_desk import Desk

PATIENCE = 60  # s
SANS = FONTS / "LiberationSans-Regular.ttf"
ROOT = Path(__file__).parents[1]


class Talk:
    """A font process of the test's own, spoken to without Qt."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=font_worker.main, args=(theirs, "x", RESOURCES),
                                     daemon=True)
        self.process.start()
        theirs.close()
        self.job = 0

    def answers(self, kind, *values):
        """All answers to a request, the one that ends its job left out; Failed is the last."""
        self.job += 1
        self.pipe.send(kind(self.job, *values))
        got = []
        while True:
            assert self.pipe.poll(PATIENCE), f"no answer; until now: {got}"
            got.append(self.pipe.recv())
            if isinstance(got[-1], messages.Done):
                return [g for g in got[:-1] if not isinstance(g, messages.Ready)]
            if isinstance(got[-1], messages.Failed):
                return got


@pytest.fixture(scope="module")
def talk():
    talk = Talk()
    yield talk
    talk.process.kill()
    talk.process.join(PATIENCE)


@pytest.fixture
def desk(qapp):
    desk = Desk()
    yield desk
    desk.close()


def ref(path: Path = SANS) -> say.FontRef:
    return say.FontRef("k" * 64, path)


def test_a_sheet_holds_the_pixels_that_freetype_draws_for_each_character(talk):
    import freetype
    sheet = talk.answers(say.DrawSheet, ref())[0]
    assert set(sheet.cells.characters) == set(ASCII) - {" "}
    face = freetype.Face(str(SANS))
    em = round(64 * drawing.EM_OF_CELL)
    face.set_pixel_sizes(0, em)
    for c in "Ag7@":
        face.load_char(c, freetype.FT_LOAD_RENDER | freetype.FT_LOAD_NO_HINTING)
        ink = np.array(face.glyph.bitmap.buffer, int).sum()
        cell = sheet.cells.pixels[sheet.cells.characters.index(c)].astype(int)
        assert (255 - cell).sum() == ink, c
    assert sheet.line.shape[1] > 20 * em / 2  # some forty characters side by side


def test_checking_a_folder_names_its_fonts_and_their_faults(talk, tmp_path):
    folder = tmp_path / "fonts"
    folder.mkdir()
    shutil.copy(SANS, folder)
    (folder / "torn.ttf").write_bytes(SANS.read_bytes()[:300])
    answers = talk.answers(say.CheckFonts, (folder,), (), tmp_path / "store")
    assert isinstance(answers[0], say.Found) and len(answers[0].files) == 2
    reports = {r.path.name: r for a in answers[1:] for r in a.reports}
    assert reports["torn.ttf"].rejected() == {""}
    assert "" not in reports[SANS.name].rejected()
    assert (answers[-1].done, answers[-1].total) == (2, 2)


def test_the_large_glyph_fits_its_outline(talk):
    made = talk.answers(say.DrawGlyph, ref(), "H", True)[0]
    close = made.closeup
    points = np.concatenate(close.outline.contours) * close.em
    assert abs(points[:, 1].max() - close.top) <= 1  # px: the raster's top row is the outline's top
    assert abs(points[:, 0].min() - close.left) <= 1
    assert len(made.words) == len(font_worker.WORDS)


def test_a_file_that_is_no_font_is_an_answer_in_words(talk, tmp_path):
    path = tmp_path / "page.ttf"
    path.write_text("<html>")
    failure = talk.answers(say.DrawSheet, ref(path))[-1]
    assert isinstance(failure, messages.Failed) and "page.ttf" in failure.message


def test_the_recogniser_reads_a_plain_font_better_than_chance(talk):
    if not (RESOURCES / "models" / "words-synthetic.pt").exists():
        pytest.skip("no weights")
    read = talk.answers(say.ReadGlyphs, ref())[0].readings
    right = sum(a == b for a, b in zip(read.characters, read.glyphs, strict=True))
    assert right > 20  # of 94; chance is one
    tried = talk.answers(say.TryWords, ref(), frozenset("abcdefghijklmnopqrstuvwxyz"), 30)[0].trial
    assert tried.n == 30 and len(tried.misread) == tried.n_wrong
    assert all(set(m.text) <= set("abcdefghijklmnopqrstuvwxyz ") for m in tried.misread)
    low, high = tried.interval
    assert low <= tried.n_wrong / tried.n <= high


def test_the_nearest_font_to_a_word_drawn_in_it_is_that_font(talk):
    import cv2
    fonts = tuple(say.FontRef(name, FONTS / name) for name in (
        "LiberationSans-Regular.ttf", "LiberationSerif-Regular.ttf", "Lato-Bold.ttf",
        "DejaVuSansMono.ttf", "EBGaramond12-Regular.otf"))
    for font in fonts[1:4]:
        crop = cv2.GaussianBlur(drawing.word(font.path, "Total due", SIZES[-2]), (0, 0), 1.2)
        found = talk.answers(say.FindNearest, crop, "Total due", fonts)[0].likenesses
        assert max(found, key=lambda like: like.score).sha256 == font.key


def test_a_crash_is_told_with_its_request_and_the_next_one_is_answered(desk, qapp):
    died, answered = [], []
    desk.died.connect(died.append)
    desk.answered.connect(answered.append)
    request = say.DrawCharacter(Desk.job(), "a", (ref(),) * 3000)
    desk.ask(request, "many", 0)
    desk.ask(say.DrawSheet(Desk.job(), ref()), "sheet", 1)
    wait(lambda: desk.link.pid is not None)
    QTest.qWait(50)
    os.kill(desk.link.pid, signal.SIGSEGV)
    wait(lambda: answered)
    assert died == [request]
    assert isinstance(answered[0], say.SheetDrawn)


def test_the_urgent_goes_first_and_nothing_is_done_twice(desk, qapp):
    done = []
    desk.finished.connect(lambda request, _complete: done.append(request.font.key))
    for key, urgency in (("first", 2), ("later", 2), ("now", 0), ("soon", 1), ("later", 1)):
        desk.ask(say.DrawSheet(Desk.job(), say.FontRef(key, SANS)), key, urgency)
    wait(lambda: desk.is_idle)
    assert done == ["first", "now", "soon", "later"]


def test_the_window_needs_neither_torch_nor_a_font_library():
    code = ("import sys, workbench.font_docks; "
            "print([m for m in ('torch', 'freetype', 'fontTools') if m in sys.modules])")
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                         check=True, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    assert out.stdout.strip() == "[]"


def wait(is_so, seconds: float = PATIENCE) -> None:
    for _ in range(int(seconds * 50)):
        if is_so():
            return
        QTest.qWait(20)
    raise AssertionError("it did not happen in time")
