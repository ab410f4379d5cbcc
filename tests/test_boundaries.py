"""Imports go main -> workbench -> views -> core; the core knows no window; the window no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("core", "views", "workbench", "main")  # each may import itself and what stands left of it
QT = {"PySide6", "pyqtgraph", "superqt"}


def modules(layer: str) -> list[Path]:
    return [ROOT / "main.py"] if layer == "main" else sorted((ROOT / layer).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """First parts of the names of all modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("layer", LAYERS)
def test_arrows_only_go_right(layer):
    above = set(LAYERS[LAYERS.index(layer) + 1:])
    wrong = {str(p.relative_to(ROOT)): imported(p) & above for p in modules(layer)}
    assert {path: names for path, names in wrong.items() if names} == {}


def test_core_knows_no_qt():
    assert [str(p) for p in modules("core") if imported(p) & QT] == []


def test_views_open_no_document_themselves():
    """A crash in native decoding must cost a page, not the window."""
    assert [str(p) for p in modules("views") if imported(p) & {"pymupdf", "fitz", "torch"}] == []


def test_the_windows_own_modules_import_without_torch():
    code = ("import sys, workbench.window, workbench.session, core.settings, core.pipeline\n"
            "sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("path", modules("core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_each_core_module_imports_alone(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    done = subprocess.run([sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_name_says_nothing():
    """A module called after nothing in particular collects what belongs elsewhere."""
    idle = {"utils", "util", "helper", "helpers", "manager", "common", "misc"}
    assert [str(p) for layer in LAYERS for p in modules(layer) if p.stem in idle] == []
