"""The main window: menus, toolbar, where things stand, and the dialogs that ask for a file."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSettings, Qt
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMainWindow,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QSpinBox,
    QTextEdit,
    QToolBar,
)

from core import files
from core import settings as settings_files
from core.errors import OcrError, Unreadable
from core.reading import STAGES
from core.settings import Settings
from workbench.actions import Actions
from workbench.docks import Docks, capitalised
from workbench.palette import Keys, Palette
from workbench.session import Session
from workbench.workspaces import DOCUMENTS, WORKSPACES, Workspaces

TITLE = "OCR workbench"
MENUS = ("File", "Edit", "Read", "Go", "View", "Help")
TOOLBAR = ("open", "save_pdf", None, "rerun", "cancel", None, "turn_left", "turn_right", None,
           "zoom_to_page", "palette")
N_RECENT = 10
LAYOUT_VERSION = 2  # raise it when docks are added or renamed: older saved layouts are then ignored
OPEN_FILTER = ("Documents (*.pdf *.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp *.gif *.jp2 *.pnm "
               "*.pgm *.ppm);;All files (*)")
EXISTING_TEXT = ("Skip leaves pages with text as they are. Redo replaces their hidden text and keeps the "
                 "visible. Force turns them into pictures.")
# actions that make sense in every workspace; all others are about the document
EVERYWHERE = frozenset({"open", "paste", "quit", "palette", "keys"})
TYPED_IN = (QLineEdit, QSpinBox, QComboBox, QTextEdit, QPlainTextEdit)


class Window(QMainWindow):
    """`store` keeps geometry and recent files between starts (default: the user's own)."""

    def __init__(self, session: Session | None = None, store: QSettings | None = None) -> None:
        super().__init__()
        self.session = session or Session()
        self.session.setParent(self)
        self.store = store or QSettings("ocr-workbench", "ocr-workbench")
        self.docks = Docks(self, self.session)
        self.actions_by_name = Actions(self, self.docks.canvas)
        self.workspaces = Workspaces(self.takeCentralWidget(), self)
        self.setCentralWidget(self.workspaces)
        self._document_layout = None  # of the docks, while another workspace is shown
        self._put_off: list[QAction] = []  # actions that wait for the documents to be shown again
        self.setWindowTitle(TITLE)
        self.setAcceptDrops(True)
        self.resize(1600, 1000)
        self._make_menus()
        self._make_toolbar()
        self._make_status()
        self._connect()
        self._restore()
        QApplication.instance().installEventFilter(self)

    # ---- making --------------------------------------------------------------------------------

    def _make_menus(self) -> None:
        self.recent = QMenu("Open &recent", self)
        self.recent.aboutToShow.connect(self._fill_recent)
        self.workspace_menu = QMenu(self)
        for name in MENUS:
            if name == "Help":
                self.menuBar().addMenu(self.workspace_menu).setVisible(False)
            menu = self.menuBar().addMenu(f"&{name}")
            for action in self.actions_by_name.in_menu(name):
                menu.addAction(action)
                if action.objectName() == "open":
                    menu.addMenu(self.recent)
            if name == "View":
                menu.addSeparator()
                for dock in self.docks.docks.values():
                    menu.addAction(dock.toggleViewAction())
                menu.addSeparator()
                for n, name in enumerate((DOCUMENTS, *(w.name for w in WORKSPACES)), start=1):
                    show = menu.addAction(f"Show {name}")
                    show.setShortcut(f"Ctrl+{n}")
                    show.triggered.connect(
                        lambda _=False, name=name: self.workspaces.show_workspace(name))

    def _make_toolbar(self) -> None:
        bar = QToolBar("Main")
        bar.setObjectName("toolbar-main")
        self.addToolBar(bar)
        for name in TOOLBAR:
            bar.addAction(self.actions_by_name[name]) if name else bar.addSeparator()
        spacer = QLabel("  Page ")
        bar.addSeparator()
        bar.addWidget(spacer)
        self.page_box = QSpinBox(minimum=1, maximum=1)
        self.page_box.setAccessibleName("Page")
        self.page_box.setKeyboardTracking(False)
        self.page_count = QLabel(" of 1 ")
        bar.addWidget(self.page_box)
        bar.addWidget(self.page_count)

    def _make_status(self) -> None:
        self.under_cursor, self.at_work = QLabel(), QProgressBar()
        self.at_work.setRange(0, len(STAGES))
        self.at_work.setMaximumWidth(220)
        self.at_work.setAccessibleName("Progress of the reading")
        self.at_work.hide()
        self.statusBar().addPermanentWidget(self.under_cursor)
        self.statusBar().addPermanentWidget(self.at_work)

    def _connect(self) -> None:
        session, docks = self.session, self.docks
        session.opened.connect(self._document_opened)
        session.page_changed.connect(self._page_changed)
        session.needs_password.connect(self._ask_password)
        session.busy.connect(self._show_busy)
        session.write_refused.connect(self._ask_existing_text)
        session.said.connect(self.statusBar().showMessage)
        session.state.connect(self._show_progress)
        docks.canvas.hovered.connect(self.under_cursor.setText)
        self.workspaces.shown.connect(self._workspace_shown)
        self.workspaces.said.connect(self.statusBar().showMessage)
        self.workspaces.said.connect(docks.write_log)
        self.page_box.valueChanged.connect(lambda page: session.go_to(page - 1))
        history = session.history
        history.changed.connect(self._show_history)
        for name in ("undo", "redo", "cancel"):
            self.actions_by_name[name].setEnabled(False)
        self.actions_by_name.connect(
            open=self.ask_open, paste=self.paste, reload=self._reload,
            save_pdf=lambda: self.ask_write("pdf"), save_json=lambda: self.ask_write("json"),
            save_text=lambda: self.ask_write("txt"), export_picture=self.ask_picture,
            quit=self.close, undo=history.undo, redo=history.redo, load_settings=self.ask_settings,
            store_settings=self.ask_store_settings,
            default_settings=lambda: session.set_settings(Settings()), rerun=session.read,
            cancel=session.cancel, turn_left=lambda: self._turn(1),
            turn_right=lambda: self._turn(-1), turn_by_net=lambda: session.turn_by_hand(None),
            previous_page=lambda: session.go_to(session.page - 1),
            next_page=lambda: session.go_to(session.page + 1),
            next_object=lambda: docks.step(1), previous_object=lambda: docks.step(-1),
            parent=lambda: docks.climb(-1), child=lambda: docks.climb(1),
            zoom_to_selection=self._zoom_to_selection, zoom_to_page=docks.canvas.fit,
            previous_stage=lambda: self._step_stage(-1), next_stage=lambda: self._step_stage(1),
            all_stages=lambda: docks.rail.press(0), reset_layout=self._reset_layout,
            page_or_pdf=lambda: docks.tabs.setCurrentIndex(1 - docks.tabs.currentIndex()),
            palette=lambda: Palette(self._all_actions(), self).open(),
            keys=lambda: Keys(self._all_actions(), self).open(),
            **{f"stage_{n}": lambda n=n: docks.rail.press(n) for n in range(1, 10)})
        self.actions_by_name["hide_overlays"].toggled.connect(docks.canvas.hide_overlays)

    # ---- workspaces ----------------------------------------------------------------------------

    def _all_actions(self) -> list[QAction]:
        return [*self.workspaces.actions_here, *self.actions_by_name]

    def _workspace_shown(self, name: str) -> None:
        """The docks and the document's actions are there only beside the document."""
        toolbar = self.findChild(QToolBar, "toolbar-main")
        self.workspace_menu.clear()
        self.workspace_menu.setTitle(name)
        self.workspace_menu.addActions(self.workspaces.actions_here)
        self.workspace_menu.menuAction().setVisible(bool(self.workspaces.actions_here))
        if name == DOCUMENTS and self._document_layout is not None:
            self.restoreState(self._document_layout, LAYOUT_VERSION)
            self._document_layout = None
            toolbar.show()
            for action in self._put_off:
                action.setEnabled(True)
            self._put_off = []
            self._show_busy(self.session.is_busy)
            self._show_history()
            if self.session.source is not None:
                self._page_changed(self.session.page)
        elif name != DOCUMENTS and self._document_layout is None:
            self._document_layout = self.saveState(LAYOUT_VERSION)
            for dock in self.docks.docks.values():
                dock.hide()
            toolbar.hide()
            self._put_off = [a for a in self.actions_by_name
                             if a.isEnabled() and a.objectName() not in EVERYWHERE]
            for action in self._put_off:
                action.setEnabled(False)

    # ---- opening -------------------------------------------------------------------------------

    def open(self, path: str | Path, password: str | None = None) -> None:
        """Open a document and read its first page."""
        self.workspaces.show_workspace(DOCUMENTS)
        self.session.open(path, password)

    def ask_open(self) -> None:
        """Ask which file to open."""
        folder = str(Path(self.session.path).parent) if self.session.path else ""
        path, _ = QFileDialog.getOpenFileName(self, "Open document", folder, OPEN_FILTER)
        if path:
            self.open(path)

    def paste(self) -> None:
        """Open the picture or the first file on the clipboard."""
        found = QGuiApplication.clipboard().mimeData()
        paths = [url.toLocalFile() for url in found.urls() if url.isLocalFile()]
        if paths:
            self.open(paths[0])
        elif found.hasImage():
            path = Path(tempfile.mkdtemp(prefix="ocr-workbench-")) / "pasted.png"
            if QGuiApplication.clipboard().image().save(str(path)):
                self.open(path)
        else:
            self.docks.tell("there is no picture or file on the clipboard; copy one first")

    def _reload(self) -> None:
        if self.session.path:
            self.open(self.session.path, self.session.source.password)

    def _document_opened(self) -> None:
        source = self.session.source
        self.setWindowTitle(f"{source.name} – {TITLE}")
        self.setWindowFilePath(self.session.path)
        self.page_count.setText(f" of {source.n_pages} ")
        self.page_box.setMaximum(source.n_pages)
        recent = [p for p in self._recent_paths() if p != self.session.path]
        self.store.setValue("recent", [self.session.path, *recent][:N_RECENT])

    def _page_changed(self, page: int) -> None:
        self.page_box.blockSignals(True)
        self.page_box.setValue(page + 1)
        self.page_box.blockSignals(False)
        self.actions_by_name["previous_page"].setEnabled(page > 0)
        self.actions_by_name["next_page"].setEnabled(page + 1 < self.session.source.n_pages)

    def _ask_password(self, path: str, sentence: str) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle("Password")
        dialog.setLabelText(capitalised(sentence))
        dialog.setTextEchoMode(QLineEdit.EchoMode.Password)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(lambda password: self.open(path, password))
        dialog.rejected.connect(lambda: self.docks.tell(sentence))
        dialog.open()

    def _recent_paths(self) -> list[str]:
        paths = self.store.value("recent") or []
        return [paths] if isinstance(paths, str) else list(paths)  # QSettings unwraps lists of one

    def _fill_recent(self) -> None:
        self.recent.clear()
        for path in self._recent_paths():
            self.recent.addAction(path).triggered.connect(lambda _=False, path=path: self.open(path))
        self.recent.setEnabled(True)
        if not self.recent.actions():
            self.recent.addAction("(nothing yet)").setEnabled(False)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first dropped file."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open(paths[0])

    # ---- writing -------------------------------------------------------------------------------

    def ask_write(self, format: str) -> None:
        """Ask where to write the document's words and have it done."""
        suggestion = self._beside(f".{format}" if format != "pdf" else "-searchable.pdf")
        path, _ = QFileDialog.getSaveFileName(self, f"Save {format.upper()}", suggestion,
                                              f"{format.upper()} (*.{format})")
        if path:
            self.session.write(path, format)

    def _ask_existing_text(self, path: str, sentence: str) -> None:
        """The PDF has text, tags or a signature: ask what to do about it."""
        box = QMessageBox(QMessageBox.Icon.Question, "Save searchable PDF",
                          capitalised(sentence), parent=self)
        box.setInformativeText(EXISTING_TEXT)
        for policy in ("skip", "redo", "force"):
            button = box.addButton(policy.capitalize(), QMessageBox.ButtonRole.AcceptRole)
            button.clicked.connect(lambda _=False, policy=policy:
                                   self.session.write(path, "pdf", policy))
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def ask_picture(self) -> None:
        """Ask where to write the page as it is shown."""
        path, _ = QFileDialog.getSaveFileName(self, "Export picture", self._beside("-stages.png"),
                                              "PNG (*.png);;SVG (*.svg)")
        if path:
            self.export_picture(path)

    def export_picture(self, path: str | Path) -> None:
        """Write the page with its shown overlays as PNG or SVG."""
        try:
            with tempfile.TemporaryDirectory() as folder:
                drawn = Path(folder) / f"picture{Path(path).suffix}"
                self.docks.canvas.save_picture(drawn)
                files.write_bytes(Path(path), drawn.read_bytes())
        except OSError as error:
            self.docks.tell_error(Unreadable(f"{path} cannot be written: {error}"))
        except OcrError as error:
            self.docks.tell_error(error)
        else:
            self.session.said.emit(f"Saved {path}")

    def ask_settings(self) -> None:
        """Ask for a TOML file and take its settings."""
        path, _ = QFileDialog.getOpenFileName(self, "Load settings", "", "Settings (*.toml)")
        if not path:
            return
        try:
            self.session.set_settings(settings_files.load(path), f"settings to those of {path}")
        except OcrError as error:
            self.docks.tell_error(error)

    def ask_store_settings(self) -> None:
        """Ask where to write the settings."""
        path, _ = QFileDialog.getSaveFileName(self, "Save settings", "settings.toml",
                                              "Settings (*.toml)")
        if not path:
            return
        try:
            files.write_text(Path(path), settings_files.to_toml(self.session.settings))
        except OcrError as error:
            self.docks.tell_error(error)

    def _beside(self, ending: str) -> str:
        path = Path(self.session.path or "page")
        return str(path.with_name(path.stem + ending))

    # ---- looking -------------------------------------------------------------------------------

    def _step_stage(self, step: int) -> None:
        """Choose the next stage and show its layer alone."""
        name = STAGES[max(0, min(STAGES.index(self.docks.chosen) + step, len(STAGES) - 1))]
        if name != self.docks.chosen:
            self.docks.rail.choose(name)
            self.docks.rail.toggle_solo(name)

    def _zoom_to_selection(self) -> None:
        box = self.docks.selection_box()
        if box is not None:
            self.docks.canvas.zoom_to(box)

    def _turn(self, step: int) -> None:
        upright = self.session.reading.upright
        if upright is not None:
            now = self.session.turns.get(self.session.page, upright.quarter_turns)
            self.session.turn_by_hand((now + step) % 4)

    def _show_history(self, _said: object = None) -> None:
        for name, what in (("undo", self.session.history.undo_text),
                           ("redo", self.session.history.redo_text)):
            action = self.actions_by_name[name]
            action.setEnabled(bool(what))
            action.setText(f"&{name.capitalize()} {what}".rstrip())

    def _show_busy(self, busy: bool) -> None:
        self.actions_by_name["cancel"].setEnabled(busy)
        self.at_work.setVisible(busy)

    def _show_progress(self, _name: str, _state: str, _seconds: float) -> None:
        done = sum(self.session.reading.table(name) is not None for name in STAGES)
        self.at_work.setValue(done)
        missing = [name for name in STAGES if self.session.reading.table(name) is None]
        self.at_work.setFormat(missing[0] if missing else "done")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """While H is held the overlays are hidden."""
        if (event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease)
                and event.key() == Qt.Key.Key_H and not event.isAutoRepeat()
                and not event.modifiers() and self.isActiveWindow()
                and not isinstance(QApplication.focusWidget(), TYPED_IN)):
            held = event.type() == QEvent.Type.KeyPress
            self.docks.canvas.hide_overlays(
                held or self.actions_by_name["hide_overlays"].isChecked())
        return super().eventFilter(watched, event)

    # ---- the layout ----------------------------------------------------------------------------

    def _restore(self) -> None:
        geometry, layout = self.store.value("geometry"), self.store.value("layout")
        if geometry is not None:
            self.restoreGeometry(geometry)
        # Either the one or the other: Qt leaves the first layout's tab bars on screen after a second.
        if layout is None or not self.restoreState(layout, LAYOUT_VERSION):
            self.docks.arrange(self)

    def _reset_layout(self) -> None:
        toolbar = self.findChild(QToolBar, "toolbar-main")
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, toolbar)
        toolbar.show()
        self.docks.arrange(self)  # restoreState would leave tab bars of the old layout on screen

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep the layout, end the worker."""
        QApplication.instance().removeEventFilter(self)
        self.workspaces.show_workspace(DOCUMENTS)  # its layout is the one to keep
        self.workspaces.close_all()
        self.store.setValue("geometry", self.saveGeometry())
        self.store.setValue("layout", self.saveState(LAYOUT_VERSION))
        self.session.close()
        super().closeEvent(event)
