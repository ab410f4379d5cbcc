"""How fast the font view goes on: from a key to the next font painted, over a scripted pass.

    python tests/bench/bench_font_inspector.py [FOLDER …] [--fonts 200] [--curate]

Fonts of the folders named, else copies of the shipped ones (those have verdicts already). Each font is judged by
keys sent to the real view, offscreen: J twice, then A or X (every tenth). `key` is the time of
handling the key, `painted` until the new font is on screen, `pixels` until its rasters had come too;
`cpu` is what the window's thread computes from key to paint, which other programs do not lengthen.

With --curate the fonts are judged as a curator would: the clean ones by the sheet (B, and A for each
sheet), then X for a font that is doubted or rejected as a whole (or in more than MANY glyphs), G on
each doubted glyph, clicked if it is not the current one, and S where the same is offered for its
siblings, and then A for the others. Keys and clicks are counted per font.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).parents[2]))
from core.fonts.catalogue import shipped
from workbench.app import forget_opencvs_qt
from workbench.font_docks import FontDocks
from workbench.font_session import FontSession

PATIENCE = 600  # s for the checks
LOOK = 30  # ms between a font that is painted and the first key on it
MANY = 5  # doubted glyphs, beyond which a font is rejected rather than mended
SHEET_LOOK = 1700  # ms on a sheet of clean fonts; the view asks for 1.5 s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--fonts", type=int, default=200)
    parser.add_argument("--curate", action="store_true", help="count a curator's keys per font")
    args = parser.parse_args()
    forget_opencvs_qt()
    app = QApplication([])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = args.folders or [copies(folder, args.fonts)]
        docks = opened(folder, paths)
        times = (curated if args.curate else passed)(app, docks, args.fonts)
        docks.close()
    print(f"{len(docks.session.reports)} fonts open, {len(times)} judged")
    for column, what in enumerate(("key", "painted", "pixels", "cpu")):
        values = np.array([row[column] for row in times]) * 1000
        print(f"{what:8} ms: median {np.median(values):.1f}, 90 % {np.quantile(values, .9):.1f}, "
              f"99 % {np.quantile(values, .99):.1f}, most {values.max():.1f}; "
              f"over 50 ms: {np.mean(values > 50):.1%}")


def copies(folder: Path, n: int) -> Path:
    """n shipped fonts with a few bytes more behind them, so that each is a font of its own."""
    into = folder / "copies"
    into.mkdir()
    fonts = shipped()
    for k in range(max(n, 0)):
        path = fonts[k % len(fonts)].path
        target = into / f"{k:03}-{path.name}"
        shutil.copyfile(path, target)
        with target.open("ab") as file:
            file.write(b"\0" * 4 * (1 + k // len(fonts)))
    return into


def opened(folder: Path, paths: list[Path]) -> FontDocks:
    """The view with the fonts checked and the first one shown."""
    docks = FontDocks(FontSession(folder / "own" / "verdicts.jsonl", store=folder / "store"))
    docks.view.resize(1600, 960)
    docks.view.show()
    start = time.monotonic()
    docks.open(paths)
    while not (docks.session.reports and docks.session.checking.is_idle and docks.key):
        QTest.qWait(20)
        assert time.monotonic() - start < PATIENCE, "the checks did not end in time"
    print(f"checked in {time.monotonic() - start:.1f} s")
    QTest.qWait(1500)  # processes warm up
    return docks


def passed(app: QApplication, docks: FontDocks, n: int) -> list[tuple[float, ...]]:
    """(key, painted, pixels, cpu) seconds of each font's last key."""
    times, view = [], docks.view
    view.sheet.setFocus()
    for k in range(n):
        QTest.qWait(LOOK)
        before = docks.key
        for _ in range(2):
            QTest.keyClick(view.sheet, Qt.Key.Key_J)
        start, cpu = time.perf_counter(), time.thread_time()
        QTest.keyClick(view.sheet, Qt.Key.Key_X if k % 10 == 9 else Qt.Key.Key_A)
        handled = time.perf_counter()
        if docks.key == before:
            break
        view.sheet.viewport().repaint()
        painted, cpu = time.perf_counter(), time.thread_time() - cpu
        while not view.has_sheet(docks.key) and time.perf_counter() - start < 5:
            app.processEvents()
        view.sheet.viewport().repaint()
        times.append((handled - start, painted - start, time.perf_counter() - start, cpu))
    return times


def curated(app: QApplication, docks: FontDocks, n: int) -> list[tuple[float, ...]]:
    """All fonts judged as a curator would; keys per font are printed, times are as of `passed`."""
    times, view, session = [], docks.view, docks.session
    keys: dict[str, float] = dict.fromkeys(session.reports, 0.0)
    looked = set()
    sheets = by_the_sheet(docks, keys)
    view.sheet.setFocus()
    docks.go_on()
    while session.left() and len(times) < n:
        QTest.qWait(LOOK)
        key, report = docks.key, session.reports[docks.key]
        doubts = [f for f in report.findings if f.severity == "doubt"]
        whole = ("" in report.rejected() or len(doubts) > MANY
                 or any(not f.character for f in doubts))
        looked.add(key)
        if not whole:
            keys[key] += flagged(docks)
        start, cpu = time.perf_counter(), time.thread_time()
        QTest.keyClick(view.sheet, Qt.Key.Key_X if whole else Qt.Key.Key_A)
        keys[key] += 1
        handled = time.perf_counter()
        view.sheet.viewport().repaint()
        painted, cpu = time.perf_counter(), time.thread_time() - cpu
        while not view.has_sheet(docks.key) and time.perf_counter() - start < 5:
            app.processEvents()
        times.append((handled - start, painted - start, time.perf_counter() - start, cpu))
    print_keys(docks, keys, looked, sheets)
    return times


def flagged(docks: FontDocks) -> int:
    """Flag each doubted glyph of the font shown, its siblings' too where offered; keys pressed."""
    view, session, pressed = docks.view, docks.session, 0

    def press(key: Qt.Key) -> None:
        nonlocal pressed
        QTest.keyClick(view.sheet, key)
        pressed += 1
    report = session.reports[docks.key]
    drawn = {slot.key for slot in view.sheet.cells.slots}
    doubted = [f.character for f in report.findings
               if f.severity == "doubt" and f.character in drawn]
    for character in doubted:
        if session.glyph_verdicts(docks.key).get(character) == "reject":
            continue  # by a sibling's offer
        if view.character != character:
            view.sheet.choose(character)  # a click, or some J
            pressed += 1
        press(Qt.Key.Key_G)
        if view.offer.text():
            press(Qt.Key.Key_S)
    return pressed


def by_the_sheet(docks: FontDocks, keys: dict[str, float]) -> int:
    """Accept the clean fonts sheet by sheet; how many sheets."""
    view, sheets = docks.view, 0
    QTest.keyClick(view.sheet, Qt.Key.Key_B)
    while view.clean.cells.slots:
        shown = [slot.key for slot in view.clean.cells.slots]
        start = time.monotonic()
        while not docks._drawn_since and time.monotonic() - start < 30:
            QTest.qWait(50)
        QTest.qWait(SHEET_LOOK)
        QTest.keyClick(view.clean, Qt.Key.Key_A)
        if [slot.key for slot in view.clean.cells.slots] == shown:
            break  # the sheet could not be drawn in time
        sheets += 1
        for key in shown:
            keys[key] += 1 / len(shown)
    QTest.keyClick(view.clean, Qt.Key.Key_B)
    return sheets


def print_keys(docks: FontDocks, keys: dict[str, float], looked: set[str], sheets: int) -> None:
    """Keys per font, of all and of those that a person has to look at one by one."""
    left = docks.session.left()
    for name, some in (("all", list(keys)), ("one by one", sorted(looked))):
        n = np.array([keys[k] for k in some] or [0.0])
        print(f"keys of {len(some)} fonts ({name}): median {np.median(n):.2f}, mean {n.mean():.2f}, "
              f"90 % {np.quantile(n, .9):.1f}, most {n.max():.0f}, sum {n.sum():.0f}")
    print(f"{sheets} sheets of clean fonts; {left} of {len(keys)} fonts left unjudged")


if __name__ == "__main__":
    main()
