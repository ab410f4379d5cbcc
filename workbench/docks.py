"""Makes the views, puts each in its dock and connects them to the session.

A view knows core tables and no other view; everything that one view does to another goes through
the session or through `Docks`.
"""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPlainTextEdit,
    QStackedWidget,
    QStyle,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core import geometry
from core.errors import OcrError
from core.pdf.existing import FoundWords
from core.reading import STAGES, Ref, bounds, kept
from views.blob_tree import BlobTree
from views.canvas import Canvas
from views.ctc_plot import CtcPlot
from views.gap_plot import GapPlot
from views.lineage_panel import LineagePanel
from views.pdf_view import PdfView
from views.settings_tree import SettingsTree
from views.stage_rail import StageRail
from views.table import TableView
from views.what_if import WhatIf
from workbench import messages
from workbench.session import Session, failure, place

REFRESH = 15        # ms in which tables that arrive together are shown as one
LOG_LINES = 5_000
HINT = ("<h2>Drop a document here</h2><p>or press <b>Ctrl+O</b> to open a PDF or an image.</p>"
        "<p>Every stage of the reading appears on the page as soon as it is done.</p>")
Area = Qt.DockWidgetArea


class Docks(QObject):
    """All views and their docks. `chosen` is the stage whose settings and rows are shown."""

    def __init__(self, window: QMainWindow, session: Session) -> None:
        super().__init__(window)
        self.session, self.chosen = session, "words"
        self.canvas, self.rail = Canvas(), StageRail()
        self.lineage, self.plot = LineagePanel(), CtcPlot()
        self.settings, self.table = SettingsTree(), TableView()
        self.tree, self.gaps, self.what_if = BlobTree(), GapPlot(), WhatIf()
        self._is_rule_raised = False   # "What if" was put in front by a pick, not by a person
        self.log = QPlainTextEdit(readOnly=True, maximumBlockCount=LOG_LINES)
        self.log.setAccessibleName("Log")
        self.banner, self.pdf = Banner(), PdfView()
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.setAccessibleName("What is shown of the page")
        self.tabs.addTab(self.canvas, "Page")
        self.tabs.addTab(self.pdf, "PDF")
        self.tabs.setTabToolTip(1, "The words as a viewer finds them in the written PDF")
        self._is_proof_stale = True
        self.centre = _centre(self.banner, self.tabs)
        window.setCentralWidget(self.centre)
        self.docks = self._make_docks(window)
        self._states: dict[str, tuple[str, float]] = {}
        self._refresh = QTimer(self, singleShot=True, interval=REFRESH)
        self._refresh.timeout.connect(self.show_reading)
        self._connect_session()
        self._connect_views()
        self.show_settings()

    # ---- places --------------------------------------------------------------------------------

    def _make_docks(self, window: QMainWindow) -> dict[str, QDockWidget]:
        places = (("stages", "Stages", self.rail, Area.LeftDockWidgetArea),
                  ("settings", "Settings", self.settings, Area.LeftDockWidgetArea),
                  ("lineage", "Lineage", self.lineage, Area.RightDockWidgetArea),
                  ("tree", "Blob tree", self.tree, Area.RightDockWidgetArea),
                  ("plot", "Net output", self.plot, Area.RightDockWidgetArea),
                  ("gaps", "Gaps", self.gaps, Area.RightDockWidgetArea),
                  ("what_if", "What if", self.what_if, Area.RightDockWidgetArea),
                  ("table", "Rows", self.table, Area.BottomDockWidgetArea),
                  ("log", "Log", self.log, Area.BottomDockWidgetArea))
        docks = {}
        for name, title, view, area in places:
            dock = QDockWidget(title, window)
            dock.setObjectName(f"dock-{name}")  # by which Qt finds it in a saved layout
            dock.setWidget(view)
            window.addDockWidget(area, dock)
            docks[name] = dock
        return docks

    def arrange(self, window: QMainWindow) -> None:
        """The places of a first start."""
        for dock in self.docks.values():  # from nothing: Qt forgets tab bars of layouts it changes
            window.removeDockWidget(dock)
        for name, area in (("stages", Area.LeftDockWidgetArea), ("settings", Area.LeftDockWidgetArea),
                           ("lineage", Area.RightDockWidgetArea), ("plot", Area.RightDockWidgetArea),
                           ("table", Area.BottomDockWidgetArea)):
            window.addDockWidget(area, self.docks[name])
        window.setCorner(Qt.Corner.BottomLeftCorner, Area.LeftDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, Area.RightDockWidgetArea)
        for front, behind in (("table", ("log",)), ("lineage", ("tree",)),
                              ("plot", ("gaps", "what_if"))):
            for name in behind:
                window.tabifyDockWidget(self.docks[front], self.docks[name])
        for dock in self.docks.values():
            dock.setFloating(False)
            dock.show()
        for front in ("table", "lineage", "plot"):
            self.docks[front].raise_()
        side = [self.docks["stages"], self.docks["lineage"]]
        window.resizeDocks(side, [300, 400], Qt.Orientation.Horizontal)
        window.resizeDocks([self.docks["stages"], self.docks["settings"]], [560, 340],
                           Qt.Orientation.Vertical)
        window.resizeDocks([self.docks["lineage"], self.docks["plot"]], [560, 340],
                           Qt.Orientation.Vertical)
        window.resizeDocks([self.docks["table"]], [200], Qt.Orientation.Vertical)

    # ---- connections ---------------------------------------------------------------------------

    def _connect_session(self) -> None:
        session = self.session
        session.opened.connect(self._document_opened)
        session.made.connect(self._made)
        session.state.connect(self._stage_state)
        session.busy.connect(self._busy_changed)
        session.proved.connect(self._show_proof)
        self.tabs.currentChanged.connect(lambda _: self.prove())
        session.picked.connect(self._picked)
        session.settings_changed.connect(self.show_settings)
        session.failed.connect(self.tell_failure)
        session.said.connect(self.write_log)
        session.trial.changed.connect(self._show_trial)

    def _connect_views(self) -> None:
        for view in (self.canvas, self.lineage, self.table, self.tree, self.gaps):
            view.picked.connect(self.session.pick)
        self.plot.picked.connect(self.session.pick)
        self.plot.time_hovered.connect(self.canvas.mark_time)
        self.canvas.probed.connect(self._probed)
        self.canvas.pointed.connect(self.gaps.point)
        self.what_if.asked.connect(self.session.try_settings)
        self.what_if.kept.connect(self.session.keep_trial)
        self.what_if.discarded.connect(self.session.leave_trial)
        self.what_if.marked.connect(self.canvas.mark_changes)
        self.rail.layer_changed.connect(self.canvas.set_layer)
        self.rail.solo.connect(self.canvas.solo)
        self.rail.chosen.connect(self.choose)
        self.settings.changed.connect(self._setting_edited)
        self.settings.failed.connect(self.tell)

    def _document_opened(self) -> None:
        self.banner.hide()
        self.centre.findChild(QStackedWidget).setCurrentIndex(1)
        source = self.session.source
        pages = f"{source.n_pages} pages" if source.n_pages > 1 else "1 page"
        self.write_log(f"Opened {self.session.path} ({source.kind}, {pages})")
        if source.note:
            self.tell(f"{source.name}: {source.note}")

    def _made(self, name: str) -> None:
        if not self._refresh.isActive():
            self._refresh.start()
        page = self.session.reading.page
        if name == "placed":
            self._is_proof_stale = True
        if name == "page" and page is not None and page.note:
            # A page cut short or already holding text: it must outlive the next status message.
            self.tell(f"{self.session.source.name}, page {self.session.page + 1}: {page.note}")

    def prove(self) -> None:
        """Have the words read back from a written PDF, if that is looked at and not known yet."""
        if self.tabs.currentWidget() is self.pdf and self._is_proof_stale:
            self._is_proof_stale = False
            self.session.prove()

    def _show_proof(self, words: FoundWords) -> None:
        page, upright = self.session.reading.page, self.session.reading.upright
        if page is None or upright is None:
            return
        image, points_from_image = page.image, page.points_from_page
        if self.session.source.kind == "image" and upright.quarter_turns:
            image = np.rot90(image, upright.quarter_turns)  # an image's PDF page is turned upright
            across, down = points_from_image[0, 0], points_from_image[1, 1]
            odd = upright.quarter_turns % 2
            points_from_image = geometry.scaling(*((down, across) if odd else (across, down)))
        self.pdf.show(np.ascontiguousarray(image),
                      list(zip(words.text, words.box, strict=True)), points_from_image)

    def _busy_changed(self, busy: bool) -> None:
        if busy:
            self.banner.hide()  # what went wrong is being tried anew
        elif self.session.reading.placed is not None:
            self.prove()
        for name in self._states:
            self._show_state(name)

    def _stage_state(self, name: str, state: str, seconds: float) -> None:
        self._states[name] = state, seconds
        self._show_state(name)

    def _show_state(self, name: str) -> None:
        state, seconds = self._states[name]
        if state == "waiting":
            self.rail.set_stage_state(name, "queued" if self.session.is_busy else "idle")
        elif state in ("done", "known"):
            self.rail.set_stage_state(name, state, seconds)
        else:
            self.rail.set_stage_state(name, state, note=self.banner.sentence
                                      if state == "failed" else "")

    def show_reading(self) -> None:
        """Show the session's reading in all views."""
        self._refresh.stop()
        reading = self.session.reading
        for view in (self.canvas, self.rail, self.lineage, self.plot, self.tree, self.gaps,
                     self.what_if):
            view.show(reading)
        for name in self._states:  # the rail judges by tables alone; who runs or failed has none
            self._show_state(name)
        self._show_rows()
        self._picked(self.session.selection)

    def _show_rows(self) -> None:
        table = self.session.reading.table(self.chosen)
        self.table.show_table(table)
        n_kept = "" if table is None or len(kept(table)) == len(table) else f", {len(kept(table))} kept"
        count = "not made yet" if table is None else f"{len(table)}{n_kept}"
        self.docks["table"].setWindowTitle(f"Rows of {self.chosen} ({count})")

    def _picked(self, ref: Ref | None) -> None:
        found = self.session.lineage()
        for view in (self.canvas, self.lineage, self.plot, self.tree, self.gaps, self.what_if):
            view.highlight(found)
        self._raise_rule()
        if found is not None and self.chosen in found.rows:
            self.table.highlight(found.rows[self.chosen])
        box = self.selection_box()
        if box is not None and not self.canvas.is_in_view(box):
            self.canvas.zoom_to(box)

    def _raise_rule(self) -> None:
        """A refused row has no net output: its rule comes in front there, and goes again."""
        if self.session.trial.settings is not None:
            return
        if self.what_if.is_offering and self.plot.isVisible():
            self.docks["what_if"].raise_()
            self._is_rule_raised = True
        elif not self.what_if.is_offering and self._is_rule_raised:
            if self.what_if.isVisible():
                self.docks["plot"].raise_()
            self._is_rule_raised = False

    def _show_trial(self) -> None:
        trial = self.session.trial
        self.what_if.show_trial(trial.reading, trial.settings, trial.what, trial.state)

    def _probed(self, box: np.ndarray) -> None:
        self.docks["lineage"].raise_()
        self.lineage.show_region(self.session.reading, box)

    def choose(self, name: str) -> None:
        """Show the rows and the settings of that stage."""
        self.chosen = name
        self._show_rows()
        self.show_settings()
        found = self.session.lineage()
        if found is not None and name in found.rows:
            self.table.highlight(found.rows[name])

    def show_settings(self, _settings: object = None) -> None:
        """Show the chosen stage's settings as they are now."""
        self.settings.show_settings(getattr(self.session.settings, self.chosen), self.chosen)
        self.gaps.set_settings(self.session.settings.boxes)
        self.what_if.set_settings(self.session.settings)
        self.docks["settings"].setWindowTitle(f"Settings of {self.chosen}")

    def _setting_edited(self, path: str, value: object) -> None:
        inside = path.partition(".")[0] in STAGES
        self.session.set_setting(path if inside else f"{self.chosen}.{path}", value)

    # ---- the selection -------------------------------------------------------------------------

    def selection_box(self) -> np.ndarray | None:
        """(4,) upright px: where the selection lies on the page, None where it lies nowhere."""
        ref, reading = self.session.selection, self.session.reading
        if ref is None or ref.table in ("page", "upright"):
            return None
        if ref.table == "placed":  # in points: shown where its word lies
            ref = Ref("words", int(reading.placed.parents.of(ref.row)[0]))
        found = place(reading, ref)
        return None if found is None else found[1]

    def step(self, step: int) -> None:
        """Select the next (1) or previous (-1) kept row in reading order, of the selection's table."""
        ref, reading = self.session.selection, self.session.reading
        name = ref.table if ref else self.chosen
        table = reading.table(name)
        if table is None or bounds(table) is None:
            name, table = "words", reading.words
        if table is None or not len(kept(table)):
            return
        rows = kept(table)
        if ref is None or ref.table != name:
            row = rows[0] if step > 0 else rows[-1]
        else:
            i = int(np.searchsorted(rows, ref.row, "right" if step > 0 else "left"))
            row = rows[(i if step > 0 else i - 1) % len(rows)]
        self.session.pick(Ref(name, int(row)))

    def climb(self, step: int) -> None:
        """Select a parent (-1) or a child (1): the first row of the next table on the road."""
        found = self.session.lineage()
        if found is None:
            return
        names = [name for name in STAGES if name in found.rows]
        i = names.index(found.picked.table) + step
        if 0 <= i < len(names):
            self.session.pick(Ref(names[i], int(found.rows[names[i]][0])))

    # ---- what went wrong -----------------------------------------------------------------------

    def tell(self, sentence: str) -> None:
        """Show a sentence above the page and in the log."""
        self.write_log(sentence)
        self.banner.tell(sentence)

    def tell_failure(self, failed: messages.Failed) -> None:
        """Show an error: its sentence above the page, its traceback in the log."""
        self.write_log(failed.message)
        if failed.traceback and failed.kind not in ("Unreadable", "NeedsPassword", "Usage"):
            self.log.appendPlainText(failed.traceback.rstrip())
        self.banner.tell(failed.message)

    def tell_trace(self, sentence: str, trace: str) -> None:
        """Show an uncaught error."""
        self.tell(sentence)
        self.log.appendPlainText(trace.rstrip())

    def tell_error(self, error: OcrError) -> None:
        """Show an error that arose in the window."""
        self.tell_failure(failure("", error))

    def write_log(self, text: str) -> None:
        """A line in the log, with the time."""
        self.log.appendPlainText(f"{time.strftime('%H:%M:%S')}  {text}")


class Banner(QFrame):
    """A sentence above the page about what went wrong; stays until it is closed or mended."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("Problem")
        self.sentence = ""
        icon = QLabel()
        warning = self.style().standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning)
        icon.setPixmap(warning.pixmap(20, 20))
        self.text = QLabel(wordWrap=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.close_button = QToolButton(text="✕", autoRaise=True)
        self.close_button.setAccessibleName("Close the message")
        self.close_button.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.addWidget(icon)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.close_button)
        self.hide()

    def tell(self, sentence: str) -> None:
        """Show a sentence."""
        self.sentence = capitalised(sentence)
        self.text.setText(self.sentence)
        self.show()


def capitalised(sentence: str) -> str:
    """A sentence with a capital, unless it begins with a file's or a setting's name."""
    first = sentence.partition(" ")[0]
    return sentence[:1].upper() + sentence[1:] if first.isalpha() else sentence


def _centre(banner: Banner, page: QWidget) -> QWidget:
    hint = QLabel(HINT, alignment=Qt.AlignmentFlag.AlignCenter)
    stack = QStackedWidget()
    stack.addWidget(hint)
    stack.addWidget(page)
    centre = QWidget()
    layout = QVBoxLayout(centre)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(banner)
    layout.addWidget(stack, 1)
    return centre
