"""How fast the font view goes on: from a key to the next font painted, over a scripted pass.

    python tests/bench/bench_font_inspector.py [FOLDER …] [--fonts 200]

Fonts of the folders named, else copies of the shipped ones (those have verdicts already). Each font is judged by
keys sent to the real view, offscreen: J twice, then A or X (every tenth). `key` is the time of
handling the key, `painted` until the new font is on screen, `pixels` until its rasters had come too;
`cpu` is what the window's thread computes from key to paint, which other programs do not lengthen.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.fonts.catalogue import shipped
from workbench.app import forget_opencvs_qt
from workbench.font_docks import FontDocks
from workbench.font_session import FontSession

PATIENCE = 600  # s for the checks
LOOK = 30  # ms between a font that is painted and the first key on it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--fonts", type=int, default=200)
    args = parser.parse_args()
    forget_opencvs_qt()
    app = QApplication([])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = args.folders or [copies(folder, args.fonts)]
        docks = opened(folder, paths)
        times = passed(app, docks, args.fonts)
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


if __name__ == "__main__":
    main()
