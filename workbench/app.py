"""The application: starts Qt, opens the window on a document, catches what nobody caught."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import platformdirs
from PySide6.QtCore import QBuffer, QEventLoop, QIODevice, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from core import files
from core.errors import OcrError, StageFailed, Unreadable
from core.reading import STAGES, Ref
from workbench.collector import Collector
from workbench.display import has_display
from workbench.window import Window

OPENCV_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
SIGNAL_CHECK = 250             # ms between moments in which Python may see a Ctrl+C
SCREENSHOT_PATIENCE = 120_000  # ms


def run(document: str) -> int:
    """Open the window on a document; the exit code when it is closed."""
    app = application()
    _log_crashes()
    window = Window()
    _tell_uncaught(window)
    window.show()
    window.open(document)
    _quit_on_interrupt(app)
    return app.exec()


def application() -> QApplication:
    """The QApplication, made if there is none. Raises Unreadable where there is no display."""
    forget_opencvs_qt()
    existing = QApplication.instance()
    if existing is not None:
        return existing
    if not has_display():
        raise Unreadable("there is no display for a window; use `read` to read without one")
    app = QApplication(sys.argv[:1])
    app.setApplicationName("ocr-workbench")
    app.setApplicationDisplayName("OCR workbench")
    Collector(app)
    return app


def forget_opencvs_qt() -> None:
    """opencv-python carries a Qt of its own and on import points ours at its plugins and fonts."""
    for name in OPENCV_QT_VARIABLES:
        if "cv2" in os.environ.get(name, ""):
            del os.environ[name]


def screenshot(document: str | Path, out_png: str | Path, size: tuple[int, int] = (1600, 1000),
               layers: Sequence[str] = ("words",), word: str = "", zoom: float = 0.0) -> None:
    """Read the document's first page and write a picture of the window showing it.

    size   of the window, px
    layers stages whose overlays are shown
    word   its text; it is selected, so its road lights up (default: one in the middle of the page)
    zoom   screen px per page px, the word in the middle; 0 = the whole page
    Raises Unreadable and the other errors of a reading.
    """
    app = application()
    window = Window(store=QSettings(os.devnull, QSettings.Format.IniFormat))
    window.resize(*size)
    window.show()
    failures: list = []
    window.session.failed.connect(failures.append)
    try:
        window.open(document)
        _wait_for(lambda: failures or window.session.reading.placed is not None)
        if failures or window.session.reading.placed is None:
            message = failures[0].message if failures else f"{document} was not read in time"
            raise StageFailed(failures[0].stage if failures else "page", message)
        for name in STAGES[1:]:
            window.docks.rail.set_visible(name, name in layers or name == "upright")
        _settle(app)
        row = _word_to_show(window.session.reading.words, word)
        if row is not None:
            window.session.pick(Ref("words", row))
            if zoom:
                x0, y0, x1, y1 = window.session.reading.words.box[row].tolist()
                window.docks.canvas.set_camera(zoom, (x0 + x1) / 2, (y0 + y1) / 2)
        _settle(app)
        picture = QBuffer()
        picture.open(QIODevice.OpenModeFlag.WriteOnly)
        window.grab().save(picture, "PNG")
        files.write_bytes(Path(out_png), picture.data().data())
    finally:
        window.close()


def _word_to_show(words, text: str) -> int | None:
    """Row of the word of that text, or of a longish one near the middle of the reading order."""
    for row in range(len(words)):
        if text and words.text[row] == text:
            return row
    long = [row for row in range(len(words)) if len(words.text[row]) >= 5] or range(len(words))
    return long[len(long) // 2] if len(long) else None


def _wait_for(is_there) -> None:
    loop, watch, limit = QEventLoop(), QTimer(interval=30), QTimer(singleShot=True)
    watch.timeout.connect(lambda: is_there() and loop.quit())
    limit.timeout.connect(loop.quit)
    watch.start()
    limit.start(SCREENSHOT_PATIENCE)
    loop.exec()


def _settle(app: QApplication) -> None:
    """Let layouts, delayed refreshes and repaints happen."""
    loop = QEventLoop()
    QTimer.singleShot(400, loop.quit)
    loop.exec()
    app.processEvents()


# ---- what nobody caught --------------------------------------------------------------------------

def _log_crashes() -> None:
    """A crash of the window itself leaves its stack in the user's log folder."""
    folder = Path(platformdirs.user_log_dir("ocr-workbench", appauthor=False))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        faulthandler.enable((folder / "crash.log").open("a"))
    except OSError:  # a home that cannot be written to: the stack goes to the terminal
        faulthandler.enable()


def _tell_uncaught(window: Window) -> None:
    """Uncaught exceptions, of Qt slots and threads too, go to the log dock; the window lives on."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        sys.__stderr__.write(text)
        sentence = str(error) if isinstance(error, OcrError) else (
            f"an error in the window: {kind.__name__}: {error}; the log holds where it happened")
        QTimer.singleShot(0, window, lambda: window.docks.tell_trace(sentence, text))

    sys.excepthook = tell
    threading.excepthook = lambda args: tell(args.exc_type, args.exc_value, args.exc_traceback)


def _quit_on_interrupt(app: QApplication) -> None:
    """Ctrl+C in the terminal closes the windows; Qt's loop lets Python see it now and then."""
    signal.signal(signal.SIGINT, lambda *_: app.closeAllWindows())
    timer = QTimer(app, interval=SIGNAL_CHECK)
    timer.timeout.connect(lambda: None)
    timer.start()
