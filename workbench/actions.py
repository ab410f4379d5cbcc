"""One QAction per user verb: its words, its keys, its group. What it does is connected elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

SEPARATOR = "-"


@dataclass(frozen=True)
class Verb:
    """What a user can do.

    name     attribute-like name, unique
    text     in menu, palette and keys list
    keys     shortcuts, the first is the one that is shown
    menu     in which menu it stands, "" for none
    tip      one sentence for status bar and tool tip
    on_page  True: the keys count only while the page has the focus (Tab moves the focus elsewhere)
    checkable  a state rather than a deed
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    menu: str = ""
    tip: str = ""
    on_page: bool = False
    checkable: bool = False


VERBS = (
    Verb("open", "&Open document …", ("Ctrl+O",), "File", "Open a PDF or an image"),
    Verb("paste", "Open from the clip&board", ("Ctrl+V",), "File",
         "Read a picture or a file that was copied"),
    Verb("reload", "Re&load from disk", ("F5",), "File", "Open the same file again"),
    Verb("save_pdf", "&Save searchable PDF …", ("Ctrl+S",), "File",
         "All pages with the words as an invisible text layer"),
    Verb("save_json", "Save words as &JSON …", ("Ctrl+Shift+S",), "File",
         "All pages' words with boxes and confidence"),
    Verb("save_text", "Save plain &text …", (), "File", "All pages' words, line by line"),
    Verb("export_picture", "&Export picture …", ("Ctrl+E",), "File",
         "What the page shows now, as a PNG"),
    Verb("quit", "&Quit", ("Ctrl+Q",), "File"),
    Verb("undo", "&Undo", ("Ctrl+Z",), "Edit", "Take back a change of settings"),
    Verb("redo", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Edit"),
    Verb("load_settings", "&Load settings …", (), "Edit", "Settings from a TOML file"),
    Verb("store_settings", "Sa&ve settings …", (), "Edit", "Settings as a TOML file"),
    Verb("default_settings", "&Default settings", (), "Edit", "All settings as they came"),
    Verb("rerun", "&Read again", ("Ctrl+R",), "Read", "Read the page; what is known is not made again"),
    Verb("cancel", "&Cancel", ("Esc",), "Read", "Stop reading at once; finished stages are kept"),
    Verb("turn_left", "Turn &left by hand", ("Ctrl+L",), "Read", "A quarter turn counterclockwise"),
    Verb("turn_right", "Turn ri&ght by hand", ("Ctrl+Shift+L",), "Read", "A quarter turn clockwise"),
    Verb("turn_by_net", "Turn as the &net says", (), "Read", "Forget the turn by hand"),
    Verb("previous_page", "&Previous page", ("Ctrl+PgUp",), "Go"),
    Verb("next_page", "&Next page", ("Ctrl+PgDown",), "Go"),
    Verb("next_object", "Next &object", ("Tab",), "Go", "In reading order", on_page=True),
    Verb("previous_object", "Previous o&bject", ("Shift+Tab", "Backtab", "Shift+Backtab"), "Go",
         "In reading order", on_page=True),
    Verb("parent", "P&arent", ("P",), "Go", "What the selection was made from"),
    Verb("child", "&Child", ("C",), "Go", "What was made of the selection"),
    Verb("zoom_to_selection", "&Zoom to selection", ("F",), "View"),
    Verb("zoom_to_page", "&Whole page", ("Home",), "View", "Fit the page", on_page=True),
    Verb("previous_stage", "&Previous stage alone", ("[",), "View"),
    Verb("next_stage", "&Next stage alone", ("]",), "View"),
    *(Verb(f"stage_{n}", f"Stage &{n} alone", (str(n),), "View") for n in range(1, 10)),
    Verb("all_stages", "&All stages", ("0",), "View"),
    Verb("hide_overlays", "&Hide overlays (hold H)", (), "View", "Hold H to see the bare page",
         checkable=True),
    Verb("page_or_pdf", "Page or PD&F", ("Ctrl+T",), "View",
         "The page with its stages, or the words read back from a written PDF"),
    Verb("reset_layout", "Reset &layout", (), "View", "Docks as they were at first"),
    Verb("palette", "Command &palette …", ("Ctrl+Shift+P",), "Help", "Find any action by its name"),
    Verb("keys", "&Keys …", ("?", "F1"), "Help", "All actions and their keys"),
)


class Actions:
    """All actions by name: `actions["open"].triggered.connect(...)`."""

    def __init__(self, window: QWidget, page: QWidget) -> None:
        """Actions of `window`; those of the page alone get their keys only inside `page`."""
        self._actions: dict[str, QAction] = {}
        for verb in VERBS:
            action = QAction(verb.text, window)
            action.setObjectName(verb.name)
            action.setShortcuts([QKeySequence(keys) for keys in verb.keys])
            action.setCheckable(verb.checkable)
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            tip = verb.tip or plain(verb.text)
            action.setStatusTip(tip)
            action.setToolTip(f"{tip} ({keys})" if keys else tip)
            context = (Qt.ShortcutContext.WidgetWithChildrenShortcut if verb.on_page
                       else Qt.ShortcutContext.WindowShortcut)
            action.setShortcutContext(context)
            (page if verb.on_page else window).addAction(action)
            self._actions[verb.name] = action

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self):
        return iter(self._actions.values())

    def connect(self, **deeds: Callable[[], None]) -> None:
        """Connect verbs by name to functions without arguments."""
        for name, deed in deeds.items():
            self._actions[name].triggered.connect(lambda _checked=False, deed=deed: deed())

    def in_menu(self, menu: str) -> list[QAction]:
        """The actions of one menu, in order."""
        return [self._actions[verb.name] for verb in VERBS if verb.menu == menu]


def plain(text: str) -> str:
    """An action's text without mnemonic marks."""
    return text.replace("&", "")
