"""Any settings dataclass as a tree of editors: unit, limits, choices, help and reset.

The limits live in the dataclass (`core.parameters.check_limits`), so an edit is first tried there;
pyqtgraph's tree alone emits a typed 500 before its own clamped 200.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass, replace
from typing import Any

from pyqtgraph.parametertree import Parameter, ParameterTree
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QLabel, QPushButton, QVBoxLayout, QWidget

from core.errors import Usage

DECIMALS = 6           # significant digits of a number
STEP_SHARE = 0.01      # of the range (or of the default) that one step of the arrows changes


class SettingsTree(QWidget):
    """Edits the fields of one dataclass, or of several nested in one.

    changed(path, value): "stage.field" and its new value, always one the dataclass accepts.
    failed(text): what was typed and why it does not go; the editor then shows the old value again.
    """

    changed = Signal(str, object)
    failed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Settings")
        self.settings: Any = None
        self._stage = ""
        self._filling = False
        self.leaves: dict[str, Parameter] = {}
        self._root: Parameter | None = None
        self._unsettled: list[Parameter] = []
        self._note = QLabel()
        self._note.setWordWrap(True)
        self._note.hide()
        self._reset = QPushButton("Reset all")
        self._reset.setAccessibleName("Reset all shown settings to their defaults")
        self._reset.setToolTip("Set everything shown here back to its default")
        self._reset.clicked.connect(self.reset)
        self.tree = ParameterTree(showHeader=True)
        self.tree.setAccessibleName("Settings, one per row")
        self.tree.setHeaderLabels(["setting", "value"])
        self.tree.setAlternatingRowColors(True)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        below = QHBoxLayout()
        below.addWidget(self._note, 1)
        below.addWidget(self._reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.tree)
        layout.addLayout(below)

    # ---- what is shown -------------------------------------------------------------------------

    def show_settings(self, settings: Any, stage: str = "") -> None:
        """Show a dataclass; `stage` goes before the field in what `changed` says, if given.

        The same kind of settings again only takes new values, so the cursor stays where it is.
        """
        alike = (self._root is not None and type(settings) is type(self.settings)
                 and stage == self._stage)
        self.settings, self._stage = settings, stage
        self._note.hide()
        self._filling = True
        try:
            if alike:
                for path, leaf in self.leaves.items():
                    leaf.setValue(self._shown(_value_at(settings, self._inner(path))))
            else:
                self._build()
        finally:
            self._filling = False

    def _inner(self, path: str) -> str:
        """The path below the shown dataclass."""
        return path.removeprefix(f"{self._stage}.") if self._stage else path

    def _build(self) -> None:
        self.leaves = {}
        self._root = Parameter.create(name=self._stage or "settings", type="group",
                                      children=self._children(self.settings, self._stage))
        self._collect(self._root, self._stage)
        self.tree.setParameters(self._root, showTop=False)
        self.tree.resizeColumnToContents(0)
        for leaf in self.leaves.values():
            leaf.sigValueChanged.connect(self._edited)
            _name_editors(leaf)
        self._reset.setEnabled(bool(self.leaves))
        if not self.leaves:
            self._note.setText(f"{self._stage or 'This'} has no settings.")
            self._note.show()

    def _children(self, settings: Any, stage: str) -> list[dict]:
        children = []
        for f in fields(settings):
            value = getattr(settings, f.name)
            if is_dataclass(value):
                children.append({"name": f.name, "type": "group",
                                 "children": self._children(value, f.name)})
            else:
                children.append(self._leaf(f, value))
        return children

    def _leaf(self, f: Field, value: Any) -> dict:
        """The options of one editor, in pyqtgraph's words."""
        meta, default = f.metadata, _default(f, value)
        tip = meta.get("help", "")
        bounds = _bounds_text(meta)
        options = {"name": f.name, "title": f.name.replace("_", " "), "value": self._shown(value),
                   "default": self._shown(default),
                   "tip": "\n".join(filter(None, [tip, bounds, f"default: {default}"]))}
        if meta.get("choices"):
            return options | {"type": "list", "limits": list(meta["choices"])}
        if isinstance(value, bool):
            return options | {"type": "bool"}
        if isinstance(value, int | float):
            kind = "int" if isinstance(value, int) else "float"
            options |= {"type": kind, "step": _step(kind, meta, default), "decimals": DECIMALS,
                        "compactHeight": False}
            if meta.get("unit"):
                options["suffix"] = meta["unit"]
                options["siPrefix"] = False
            # No "limits" for the editor: it would clamp silently after it emitted the typed value.
            return options
        return options | {"type": "str"}

    @staticmethod
    def _shown(value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, tuple) else value

    def _collect(self, parameter: Parameter, path: str) -> None:
        for child in parameter.children():
            here = f"{path}.{child.name()}" if path else child.name()
            if child.isType("group"):
                self._collect(child, here)
            else:
                self.leaves[here] = child

    # ---- edits ---------------------------------------------------------------------------------

    def _edited(self, leaf: Parameter, shown: Any) -> None:
        if self._filling:
            return
        path = next(path for path, other in self.leaves.items() if other is leaf)
        old = _value_at(self.settings, self._inner(path))
        try:
            value = _typed(shown, old, path)
            settings = _replaced(self.settings, self._inner(path), value)
        except Usage as error:
            self._refuse(leaf, old, str(error))
            return
        if value == old:
            return
        self.settings = settings
        self._note.hide()
        self.changed.emit(path, value)

    def _refuse(self, leaf: Parameter, old: Any, text: str) -> None:
        """Put the old value back into the editor and say why."""
        self._filling = True
        leaf.setValue(self._shown(old))
        self._filling = False
        if leaf in self._unsettled:   # pyqtgraph says the refused value twice, see _settle
            return
        self._unsettled.append(leaf)
        QTimer.singleShot(0, self, self._settle)
        self._note.setText(f"⚠ {text}")
        self._note.show()
        self.failed.emit(text)

    def _settle(self) -> None:
        """Make refused editors show what their parameter holds.

        An editor that is told of the refused value after us (pyqtgraph connects it anew at each
        change) writes it back once more, and would keep showing it.
        """
        unsettled, self._unsettled = self._unsettled, []
        self._filling = True
        try:
            for leaf in unsettled:
                for item in list(leaf.items):
                    item.valueChanged(leaf, leaf.value(), force=True)
        finally:
            self._filling = False

    def reset(self) -> None:
        """Set every shown field back to its default."""
        for leaf in self.leaves.values():
            leaf.setToDefault()


def _value_at(settings: Any, path: str) -> Any:
    for name in path.split("."):
        settings = getattr(settings, name)
    return settings


def _replaced(settings: Any, path: str, value: Any) -> Any:
    """Settings with one field replaced; raises `Usage` from the dataclass's own check."""
    name, _, rest = path.partition(".")
    if rest:
        value = _replaced(getattr(settings, name), rest, value)
    return replace(settings, **{name: value})


def _typed(shown: Any, old: Any, path: str) -> Any:
    """What an editor holds, in the type of the field. Raises `Usage` for a text that is no number."""
    try:
        if isinstance(old, tuple):
            kind = type(old[0]) if old else str
            return tuple(kind(part.strip()) for part in str(shown).split(",") if part.strip())
        return type(old)(shown)
    except (TypeError, ValueError):
        raise Usage(f"{path} is {shown!r}; it must look like {old!r}") from None


def _default(f: Field, value: Any) -> Any:
    if f.default is not MISSING:
        return f.default
    return f.default_factory() if f.default_factory is not MISSING else value


def _step(kind: str, meta: Any, default: float) -> float:
    """What one press of an arrow adds: a hundredth of the range, rounded to 1, 2 or 5 of a decade."""
    low, high = meta.get("low"), meta.get("high")
    finite = low is not None and high is not None and high - low < float("inf")
    wanted = (high - low if finite else abs(default) * 10 or 1.0) * STEP_SHARE
    if kind == "int":
        return max(1, int(wanted)) if wanted < 5 else int(float(f"{wanted:.0e}"))
    return float(f"{wanted:.0e}")


def _bounds_text(meta: Any) -> str:
    low, high, unit = meta.get("low"), meta.get("high"), meta.get("unit", "")
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {low} {unit}".rstrip()
    return f"{'up' if low is None else low} to {high} {unit}".rstrip()


def _name_editors(leaf: Parameter) -> None:
    """Accessible names for the editor and the reset button that pyqtgraph made."""
    for item in list(leaf.items):
        for widget, name in ((getattr(item, "widget", None), leaf.title()),
                             (getattr(item, "defaultBtn", None), f"Reset {leaf.title()}")):
            if widget is not None:
                widget.setAccessibleName(name)
                widget.setToolTip(leaf.opts.get("tip", "") if name == leaf.title()
                                  else "Back to the default")
