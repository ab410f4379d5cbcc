"""All settings of a reading: one frozen dataclass per stage, named like the stage's table.

The same object serves window, command line, tests, notebook entries and checkpoints. A stage's own
dataclass stands beside the stage; nothing here imports torch.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from core.detector.chopping import SegmentSettings
from core.detector.grouping import BoxSettings, LineSettings
from core.detector.mser import BlobSettings
from core.errors import Missing, Usage
from core.load import PageSettings
from core.orientation.upright import UprightSettings
from core.pdf.placing import PlacingSettings
from core.recognizer.transcribe import TranscriptSettings
from core.wordinator.buckets import BucketSettings
from core.wordinator.moves import AttemptSettings
from core.wordinator.words import WordSettings


@dataclass(frozen=True)
class Settings:
    """What a user may tune, stage by stage, in the order of the stages."""

    page: PageSettings = field(default_factory=PageSettings)
    upright: UprightSettings = field(default_factory=UprightSettings)
    blobs: BlobSettings = field(default_factory=BlobSettings)
    lines: LineSettings = field(default_factory=LineSettings)
    boxes: BoxSettings = field(default_factory=BoxSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    transcripts: TranscriptSettings = field(default_factory=TranscriptSettings)
    buckets: BucketSettings = field(default_factory=BucketSettings)
    attempts: AttemptSettings = field(default_factory=AttemptSettings)
    words: WordSettings = field(default_factory=WordSettings)
    placed: PlacingSettings = field(default_factory=PlacingSettings)


def changed(settings: Any, path: str, value: Any) -> Any:
    """Settings with the field at a dotted path ("blobs.delta") replaced.

    An int is taken for a float field, nothing else is converted. Raises `Usage` for an unknown
    field, a value of the wrong type or one outside the field's limits.
    """
    name, _, rest = path.partition(".")
    if name not in {f.name for f in fields(settings)}:
        known = ", ".join(f.name for f in fields(settings))
        raise Usage(f"there is no setting {name!r} in {type(settings).__name__}; known are: {known}")
    old = getattr(settings, name)
    if rest:
        return replace(settings, **{name: changed(old, rest, value)})
    if isinstance(old, float) and type(value) is int:
        value = float(value)
    if isinstance(old, tuple) and isinstance(value, list):
        value = tuple(value)
    if type(old) is not type(value):
        raise Usage(f"{type(settings).__name__}.{name} is {value!r}; "
                    f"it must be a {type(old).__name__} such as {old!r}")
    return replace(settings, **{name: value})


def from_toml(text: str, name: str = "settings") -> Settings:
    """Settings from TOML with a table per stage; fields that are absent keep their defaults."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Usage(f"{name} is not valid TOML: {error}") from error
    settings = Settings()
    for stage, values in tables.items():
        if not isinstance(values, dict):
            raise Usage(f"{name}: {stage!r} stands outside a stage; write it under a [stage] heading")
        for key, value in values.items():
            settings = changed(settings, f"{stage}.{key}", value)
    return settings


def load(path: str | Path) -> Settings:
    """Settings from a TOML file. Raises `Missing` or `Usage`, naming the file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise Missing(f"cannot read the settings file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Usage(f"{path} is no text in UTF-8; give a TOML file of settings") from error
    return from_toml(text, str(path))


def to_toml(settings: Settings, only_changed: bool = False) -> str:
    """The settings as TOML that `from_toml` reads back; `only_changed` leaves out the defaults."""
    lines: list[str] = []
    for stage in fields(settings):
        mine, default = getattr(settings, stage.name), stage.default_factory()
        rows = [f"{f.name} = {_toml_value(getattr(mine, f.name))}" for f in fields(mine)
                if not (only_changed and getattr(mine, f.name) == getattr(default, f.name))]
        if rows:
            lines += [f"[{stage.name}]", *rows, ""]
    return "\n".join(lines)


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return repr(value)


def digest(settings: Any) -> str:
    """A short hash of any settings dataclass: equal exactly when all fields are."""
    text = repr((type(settings).__name__, sorted(asdict(settings).items(), key=lambda kv: kv[0])))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
