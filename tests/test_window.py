"""The window: keys, errors, drops, passwords, and what must never happen in its process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QInputDialog, QMessageBox
from test_worker import drawn_page

from core.reading import STAGES, Ref
from workbench import app
from workbench.actions import VERBS
from workbench.palette import Keys, Palette
from workbench.session import Session
from workbench.window import Window

PATIENCE = 60_000  # ms
ROOT = Path(__file__).parents[1]
Key = Qt.Key


@pytest.fixture(scope="module")
def window(qapp, tmp_path_factory):
    """A window that has read a drawn page; tests leave it on that page."""
    folder = tmp_path_factory.mktemp("window")
    store = QSettings(str(folder / "store.ini"), QSettings.Format.IniFormat)
    window = Window(Session(), store)
    window.drawn = drawn_page(folder / "page.png", ("Invoice number", "Total amount"))
    window.show()
    window.open(window.drawn)
    wait_until(qapp, lambda: window.session.reading.placed is not None)
    window.activateWindow()
    window.docks.canvas.setFocus()
    yield window
    window.close()


def wait_until(qapp, is_so, patience=PATIENCE):
    from PySide6.QtCore import QElapsedTimer
    clock = QElapsedTimer()
    clock.start()
    while not is_so():
        assert clock.elapsed() < patience, "it did not happen in time"
        qapp.processEvents()
        QTest.qWait(10)


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window.docks.canvas.focusProxy() or window.docks.canvas, key, modifier)


def test_every_table_is_on_screen(window, qapp):
    QTest.qWait(50)
    for name in STAGES:
        assert window.docks.rail.rows[name].state in ("done", "known"), name
    assert window.drawn.name in window.windowTitle()
    assert window.page_box.value() == 1


def test_a_pick_lights_up_its_lineage_everywhere(window):
    window.session.pick(Ref("boxes", 0))
    found = window.session.lineage()
    assert {"blobs", "boxes", "segments"} <= set(found.rows)
    assert window.docks.canvas._picked == Ref("boxes", 0)
    assert len(window.docks.lineage.nodes) > 0


def test_parent_and_child_keys_walk_the_lineage(window):
    window.session.pick(Ref("boxes", 0))
    press(window, Key.Key_C)
    assert window.session.selection.table == "segments"
    press(window, Key.Key_P)
    assert window.session.selection == Ref("boxes", 0)
    press(window, Key.Key_P)
    assert window.session.selection.table == "lines"


def test_tab_steps_in_reading_order(window):
    window.session.pick(Ref("boxes", 0))
    press(window, Key.Key_Tab)
    assert window.session.selection == Ref("boxes", 1)
    press(window, Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert window.session.selection == Ref("boxes", 0)
    press(window, Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert window.session.selection == Ref("boxes", len(window.session.reading.boxes) - 1)


def test_brackets_step_through_the_stages(window):
    window.docks.rail.choose("boxes")
    press(window, Key.Key_BracketRight)
    assert window.docks.chosen == "segments"
    assert "segments" in window.docks.docks["settings"].windowTitle()
    press(window, Key.Key_BracketLeft)
    assert window.docks.chosen == "boxes"
    assert f"{len(window.session.reading.boxes)}" in window.docks.docks["table"].windowTitle()
    press(window, Key.Key_0)


def test_digits_show_and_hide_layers(window):
    before = window.docks.rail.layer("lines")[0]
    press(window, Key.Key_4)
    assert window.docks.rail.layer("lines")[0] != before
    press(window, Key.Key_4)
    assert window.docks.rail.layer("lines")[0] == before


def test_overlays_are_hidden_while_h_is_held(window):
    canvas = window.docks.canvas
    QTest.keyPress(canvas.focusProxy(), Key.Key_H)
    assert not canvas.overlay.isVisible()
    QTest.keyRelease(canvas.focusProxy(), Key.Key_H)
    assert canvas.overlay.isVisible()


def test_f_zooms_to_the_selection(window):
    window.docks.canvas.fit()
    window.session.pick(Ref("boxes", 1))
    box = window.session.reading.boxes.box[1]
    press(window, Key.Key_F)
    view = window.docks.canvas.view_box()
    assert window.docks.canvas.is_in_view(box)
    assert view[2] - view[0] < 8 * (box[2] - box[0])
    window.docks.canvas.fit()


def test_a_probed_region_lists_its_rows(window):
    x0, y0, x1, y1 = window.session.reading.boxes.box[0]
    window.docks.canvas.probed.emit(np.array([x0 - 5, y0 - 5, x1 + 5, y1 + 5], np.float32))
    assert len(window.docks.lineage.nodes) > 1


def test_an_edited_setting_runs_its_stage_again_and_undo_takes_it_back(window, qapp):
    before = window.session.reading.blobs
    old = window.session.settings.blobs.delta
    window.docks.settings.changed.emit("blobs.delta", type(old)(old + 2))
    wait_until(qapp, lambda: window.session.reading.blobs is not None
               and window.session.reading.blobs is not before
               and not window.session.is_busy)
    press(window, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait_until(qapp, lambda: window.session.reading.blobs is before)
    assert window.session.settings.blobs.delta == old


@pytest.mark.parametrize("name, content", [("empty.png", b""), ("text.pdf", b"not a PDF"),
                                           ("cut.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF")])
def test_a_bad_file_shows_a_sentence_and_the_window_lives_on(window, qapp, tmp_path, name, content):
    bad = tmp_path / name
    bad.write_bytes(content)
    window.docks.banner.hide()
    window.open(bad)
    wait_until(qapp, lambda: window.docks.banner.isVisible())
    assert name in window.docks.banner.text.text()
    assert name in window.docks.log.toPlainText()
    assert window.session.reading.placed is not None


def test_a_dropped_file_is_opened(window, qapp, tmp_path):
    path = drawn_page(tmp_path / "dropped.png", ("Dropped",))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(QDropEvent(QPointF(10, 10), Qt.DropAction.CopyAction, mime,
                                Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier))
    wait_until(qapp, lambda: window.session.path == str(path) and not window.session.is_busy)
    assert window._recent_paths()[0] == str(path)
    window.open(window.drawn)
    wait_until(qapp, lambda: window.session.path == str(window.drawn)
               and not window.session.is_busy)


def test_a_locked_pdf_asks_and_opens(window, qapp, tmp_path):
    import pymupdf
    path = tmp_path / "locked.pdf"
    with pymupdf.open() as pdf:
        pdf.new_page(width=200, height=100)
        pdf.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="sesame", owner_pw="x")
    window.open(path)
    wait_until(qapp, lambda: window.findChild(QInputDialog) is not None)
    dialog = window.findChild(QInputDialog)
    dialog.setTextValue("sesame")
    dialog.accept()
    wait_until(qapp, lambda: window.session.path == str(path) and not window.session.is_busy)
    window.open(window.drawn)
    wait_until(qapp, lambda: window.session.path == str(window.drawn)
               and not window.session.is_busy)


def test_a_pdf_with_text_is_written_only_after_asking(window, qapp, tmp_path):
    import pymupdf
    path, out = tmp_path / "text.pdf", tmp_path / "out.pdf"
    with pymupdf.open() as pdf:
        pdf.new_page(width=200, height=100).insert_text((20, 40), "Already here")
        pdf.save(path)
    window.open(path)
    wait_until(qapp, lambda: window.session.path == str(path) and not window.session.is_busy)
    window.session.write(out, "pdf")
    wait_until(qapp, lambda: window.findChild(QMessageBox) is not None)
    assert not out.exists()
    box = window.findChild(QMessageBox)
    assert "already has text" in box.text()
    next(b for b in box.buttons() if b.text() == "Redo").click()
    wait_until(qapp, lambda: not window.session.is_busy)
    assert out.stat().st_size > 0
    window.open(window.drawn)
    wait_until(qapp, lambda: window.session.path == str(window.drawn)
               and not window.session.is_busy)


def test_the_pdf_tab_shows_the_words_read_back_from_a_written_file(window, qapp):
    window.docks.tabs.setCurrentIndex(1)
    wait_until(qapp, lambda: len(window.docks.pdf.words.texts) > 0)
    assert list(window.docks.pdf.words.texts) == window.session.reading.words.text.tolist()
    shift = np.abs(window.docks.pdf.words.box - window.session.reading.words.box)
    assert shift.max() < 12  # px at 200 dpi: the layer rounds heights to the line's
    window.docks.tabs.setCurrentIndex(0)
    window.docks.canvas.setFocus()


def test_the_palette_finds_and_runs_any_action(window):
    palette = Palette(window.actions_by_name, window)
    palette.search.setText("whole pa")
    assert palette.found.count() == 1
    window.docks.canvas.zoom(5)
    palette._run()
    assert window.docks.canvas._fitted


def test_every_verb_has_an_action_and_keys_are_unique(window):
    keys = [key for verb in VERBS for key in verb.keys]
    assert len(keys) == len(set(keys))
    listed = {a.objectName() for a in window.actions_by_name}
    assert listed == {verb.name for verb in VERBS}
    assert Keys(window.actions_by_name, window).findChild(object) is not None


def test_an_exported_picture_has_the_page_in_it(window, tmp_path):
    import cv2
    out = tmp_path / "picture.png"
    window.export_picture(out)
    assert cv2.imread(str(out)).shape[:2] == window.session.reading.upright.gray.shape


def test_the_layout_comes_back(window, qapp):
    window.docks.docks["log"].hide()
    state = window.saveState(1)
    window.actions_by_name["reset_layout"].trigger()
    assert not window.docks.docks["log"].isHidden()
    assert window.restoreState(state, 1)
    assert window.docks.docks["log"].isHidden()
    window.actions_by_name["reset_layout"].trigger()


def test_every_control_of_the_docks_has_a_name(window):
    for view in (window.docks.canvas, window.docks.rail, window.docks.lineage, window.docks.plot,
                 window.docks.settings, window.docks.table, window.docks.log):
        assert view.accessibleName(), view


# ---- the process -----------------------------------------------------------------------------------

def test_void_calls_of_qt_keep_the_references_of_none(qapp):
    """Some builds of PySide6 drop one reference to None on each void call, and abort in the end."""
    from PySide6.QtCore import QRectF
    rect = QRectF(0, 0, 10, 10)
    before = sys.getrefcount(None)
    for i in range(300):
        rect.moveTo(i, i)
    assert abs(sys.getrefcount(None) - before) < 50


def test_opencvs_qt_is_forgotten(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", "/x/site-packages/cv2/qt/plugins")
    monkeypatch.setenv("QT_QPA_FONTDIR", "/x/site-packages/cv2/qt/fonts")
    app.forget_opencvs_qt()
    assert not {"QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"} & set(os.environ)
    monkeypatch.setenv("QT_QPA_FONTDIR", "/usr/share/fonts")  # a user's own stays
    app.forget_opencvs_qt()
    assert os.environ["QT_QPA_FONTDIR"] == "/usr/share/fonts"


SCREENSHOT = """
import sys
from workbench import app
if __name__ == "__main__":
    app.screenshot(sys.argv[1], sys.argv[2], size=(900, 600), layers=("boxes", "words"))
    sys.exit(7 if "torch" in sys.modules else 0)
"""


def test_the_window_shows_a_whole_reading_without_torch(tmp_path):
    page = drawn_page(tmp_path / "page.png", ("Picture",))
    script = tmp_path / "shoot.py"
    script.write_text(SCREENSHOT)
    done = subprocess.run([sys.executable, script, page, tmp_path / "window.png"], cwd=ROOT,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    import cv2
    assert cv2.imread(str(tmp_path / "window.png")).shape == (600, 900, 3)


def test_a_page_cut_short_is_told_for_as_long_as_it_is_shown(window, qapp, tmp_path):
    import cv2
    page = cv2.imread(str(window.drawn))
    cut = tmp_path / "cut.jpg"
    done, jpeg = cv2.imencode(".jpg", page)
    assert done
    cut.write_bytes(jpeg.tobytes()[:len(jpeg) * 2 // 3])
    window.open(cut)
    wait_until(qapp, lambda: window.session.path == str(cut) and not window.session.is_busy
               and window.session.reading.placed is not None)
    assert window.docks.banner.isVisible()
    assert "cut.jpg is damaged" in window.docks.banner.text.text()
    window.open(window.drawn)
    wait_until(qapp, lambda: window.session.path == str(window.drawn)
               and window.session.reading.placed is not None)
    assert not window.docks.banner.isVisible()
