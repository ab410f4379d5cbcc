"""The stages in reading order, and `read`, which runs those whose result is not known yet.

A stage is a pure function `(tables it reads..., its settings[, its tool]) -> its table`. The key of
a result is a hash of stage name, settings, tool digest and the keys of what it reads, and a memo
maps keys to tables. So there is no invalidation code: a changed setting changes the keys from its
stage down, and changing it back finds the old tables again.
"""

from __future__ import annotations

import hashlib
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import OcrError, StageFailed
from core.reading import STAGES, Reading, Table
from core.settings import Settings, digest

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
MEMO_BYTES = 512 << 20  # tables kept for changing a setting back


@dataclass(frozen=True)
class Stage:
    """One stage: `run(*tables named in reads, settings)` gives the table called `name`.

    tool: digest of the net or lexicon bound into `run`, "" without one.
    """

    name: str
    run: Callable[..., Table]
    reads: tuple[str, ...]
    tool: str = ""


@dataclass(frozen=True)
class Made:
    """A stage has ended: its table, the key it is known by, and what it cost.

    seconds is wall time, 0 when the table was known already (`known`).
    """

    name: str
    table: Table
    key: str
    seconds: float
    known: bool = False


@dataclass(frozen=True)
class Tools:
    """The expensive things, loaded once per process; each has a `digest`."""

    orientation_net: Any
    word_net: Any
    lexicon: Any


def load_tools(resources: Path = RESOURCES) -> Tools:
    """Nets and lexicon from the resources folder. Raises `Missing` naming what is not there."""
    from core import lexicon
    from core.orientation import net as orientation_net
    from core.recognizer import net as word_net
    models = resources / "models"
    return Tools(orientation_net.load(models / "orientation.pt"),
                 word_net.load(default_words(models)), lexicon.load())


def default_words(models: Path) -> Path:
    """The weights that read words: fine-tuned ones before synthetic ones."""
    tuned = models / "words.pt"
    return tuned if tuned.exists() else models / "words-synthetic.pt"


def stages(tools: Tools) -> tuple[Stage, ...]:
    """All stages after `page`, tools bound, in reading order."""
    from core.detector import chopping, grouping, mser
    from core.orientation import upright
    from core.pdf import placing
    from core.recognizer import prior, transcribe
    from core.wordinator import buckets, moves, words
    turn, net, lexicon = tools.orientation_net, tools.word_net, tools.lexicon
    return (
        Stage("upright", lambda *a: upright.upright(*a, turn), ("page",), turn.digest),
        Stage("blobs", mser.blobs, ("upright",)),
        Stage("lines", grouping.lines, ("upright", "blobs")),
        Stage("boxes", grouping.word_boxes, ("upright", "blobs", "lines")),
        Stage("segments", chopping.segments, ("upright", "boxes")),
        Stage("transcripts", lambda *a: transcribe.transcripts(*a, net), ("segments",),
              net.digest + prior.shipped().digest),
        Stage("buckets", buckets.buckets, ("transcripts",)),
        Stage("attempts", lambda *a: moves.attempts(*a, lexicon),
              ("boxes", "lines", "segments", "transcripts", "buckets"), lexicon.digest),
        Stage("words", words.words, ("upright", "boxes", "segments", "transcripts", "attempts")),
        Stage("placed", placing.placed, ("page", "upright", "words", "lines")),
    )


class Memo:
    """Tables by key, least recently used first out once they hold more than `limit` bytes."""

    def __init__(self, limit: int = MEMO_BYTES) -> None:
        self.limit, self.nbytes = limit, 0
        self._tables: OrderedDict[str, Table] = OrderedDict()

    def get(self, key: str) -> Table | None:
        """The table of that key, now the most recently used one, or None."""
        if key in self._tables:
            self._tables.move_to_end(key)
        return self._tables.get(key)

    def put(self, key: str, table: Table) -> None:
        """Keep a table; drops the oldest others while over the limit, never the new one."""
        if key in self._tables:
            self.nbytes -= self._tables.pop(key).nbytes
        self._tables[key] = table
        self.nbytes += table.nbytes
        while self.nbytes > self.limit and len(self._tables) > 1:
            _, old = self._tables.popitem(last=False)
            self.nbytes -= old.nbytes

    def __len__(self) -> int:
        return len(self._tables)

    def __contains__(self, key: str) -> bool:
        return key in self._tables

    def keys(self) -> tuple[str, ...]:
        """Of all tables held, the oldest first."""
        return tuple(self._tables)


def key_of(name: str, *parts: str) -> str:
    """The key of a result made by stage `name` from `parts`."""
    return f"{name}:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def keys(source_digest: str, stages: tuple[Stage, ...], settings: Settings,
         replaced: dict[str, Table] | None = None) -> dict[str, str]:
    """Stage name -> the key that `read` will give its table; nothing is run."""
    found: dict[str, str] = {}
    for stage in (Stage("page", lambda _: None, (), source_digest), *stages):
        table = (replaced or {}).get(stage.name)
        found[stage.name] = (key_of(stage.name, "replaced", content_digest(table))
                             if table is not None else _key(stage, settings, found))
    return found


def _key(stage: Stage, settings: Settings, keys: dict[str, str]) -> str:
    mine = digest(getattr(settings, stage.name))
    return key_of(stage.name, mine, stage.tool, *(keys[name] for name in stage.reads))


def read(source: Any, stages: tuple[Stage, ...], settings: Settings, memo: Memo,
         until: str = STAGES[-1], replaced: dict[str, Table] | None = None) -> Iterator[Made]:
    """Run the stages on one page, yielding each table as it is made.

    source    a page source of `core.load`: anything with `.digest` that `load.page` takes, or a
              `Page` that is made already
    until     name of the last stage wanted
    replaced  tables of a person's that stand in for a stage's own ("what if this box were whole?")
    Raises `StageFailed` (or the page's own `Unreadable`); tables yielded before it remain valid.
    """
    from core import load
    from core.reading import Page
    if isinstance(source, Page):
        first = Stage("page", lambda _: source, (), source.digest)
    else:
        first = Stage("page", lambda s: load.page(source, s), (), source.digest)
    made: dict[str, Made] = {}
    for stage in (first, *stages):
        made[stage.name] = _made(stage, made, settings, memo, (replaced or {}).get(stage.name))
        yield made[stage.name]
        if stage.name == until:
            return


def _made(stage: Stage, made: dict[str, Made], settings: Settings, memo: Memo,
          replacement: Table | None) -> Made:
    if replacement is not None:
        return Made(stage.name, replacement, key_of(stage.name, "replaced", content_digest(replacement)),
                    0.0, True)
    mine = getattr(settings, stage.name)
    key = _key(stage, settings, {name: made[name].key for name in stage.reads})
    known = memo.get(key)
    if known is not None:
        return Made(stage.name, known, key, 0.0, True)
    start = time.perf_counter()
    try:
        table = stage.run(*(made[name].table for name in stage.reads), mine)
    except OcrError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise StageFailed(stage.name, text, traceback.format_exc()) from error
    memo.put(key, table)
    return Made(stage.name, table, key, time.perf_counter() - start)


def content_digest(table: Table) -> str:
    """A hash of what a table holds."""
    import pickle
    return hashlib.sha256(pickle.dumps(table)).hexdigest()


def read_page(source: Any, stages: tuple[Stage, ...], settings: Settings, memo: Memo | None = None,
              until: str = STAGES[-1]) -> Reading:
    """The whole reading of one page at once, for callers that need no step in between."""
    reading = Reading()
    for made in read(source, stages, settings, memo or Memo(), until):
        reading = reading.with_table(made.table)
    return reading
