"""What a settings field says about itself: unit, limits, help.

A stage's settings are a frozen dataclass beside the stage, its fields declared with `param` and
its limits checked by `check_limits` in `__post_init__`. `core.settings` nests them all.
This module and every settings dataclass import neither torch nor Qt: the window reads them too.
"""

from __future__ import annotations

from dataclasses import field, fields
from typing import Any

from core.errors import Usage


def param(default: Any, *, unit: str = "", low: float | None = None, high: float | None = None,
          choices: tuple[str, ...] = (), help: str = "") -> Any:
    """A dataclass field with its unit, inclusive limits and a sentence of help in the metadata."""
    metadata = {"unit": unit, "low": low, "high": high, "choices": choices, "help": help}
    return field(default=default, metadata=metadata)


def check_limits(settings: Any) -> None:
    """Raise `Usage` naming the first field that lies outside its limits or choices."""
    name = type(settings).__name__
    for f in fields(settings):
        value, m = getattr(settings, f.name), f.metadata
        if not m:
            continue
        if m["choices"] and value not in m["choices"]:
            raise Usage(f"{name}.{f.name} is {value!r}; choose one of {', '.join(m['choices'])}")
        if m["low"] is not None and not value >= m["low"]:
            raise Usage(f"{name}.{f.name} is {value}; it must be at least {m['low']} {m['unit']}".rstrip())
        if m["high"] is not None and not value <= m["high"]:
            raise Usage(f"{name}.{f.name} is {value}; it must be at most {m['high']} {m['unit']}".rstrip())
