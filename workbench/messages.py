"""What the window and the worker say to each other. Plain frozen dataclasses, no Qt.

Requests go to the worker, answers come back; both carry the number of the job they belong to.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.settings import Settings
from workbench.shared import Parcel

NO_JOB = 0  # the number of answers that belong to no job


# ---- requests ----------------------------------------------------------------------------------

@dataclass(frozen=True)
class Open:
    """Say what the file at `path` is, and keep its bytes."""

    job: int
    path: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Read:
    """Read one page.

    digest    of the source; the worker keeps the last one it opened or was given
    source    parcel of the `core.load.Source`, None where this worker has it already
    page      0-based
    until     name of the last stage wanted
    known     parcel of {key: table} that this worker may not have
    have      keys of the tables that need not be sent back
    replaced  parcel of {stage name: table} that stand in for a stage's own, or None
    is_trial  whether its reading stays beside the one on screen
    """

    job: int
    digest: str
    page: int
    settings: Settings
    until: str
    source: Parcel | None = None
    known: Parcel | None = None
    have: frozenset[str] = field(default=frozenset(), repr=False)
    replaced: Parcel | None = None
    is_trial: bool = False


@dataclass(frozen=True)
class Write:
    """Read all `pages` and write them to `path`: format "pdf", "json" or "txt".

    turns          (page, quarter turns) of the pages a person has turned by hand
    existing_text  what to do with a PDF's own text, see `core.pdf.layer.LayerSettings`
    """

    job: int
    digest: str
    pages: tuple[int, ...]
    settings: Settings
    path: str
    format: str
    turns: tuple[tuple[int, int], ...] = ()
    existing_text: str = "refuse"
    source: Parcel | None = None
    known: Parcel | None = None


@dataclass(frozen=True)
class Prove:
    """Write page `page` as a PDF that nobody keeps and read its words back from it."""

    job: int
    digest: str
    page: int
    settings: Settings
    source: Parcel | None = None
    known: Parcel | None = None


@dataclass(frozen=True)
class Stop:
    """Give up the job after the stage that runs now; ignored when it is over already."""

    job: int


@dataclass(frozen=True)
class Quit:
    """Leave the loop."""


# ---- answers -----------------------------------------------------------------------------------

@dataclass(frozen=True)
class Ready:
    """The process runs; its tools are not loaded yet."""

    pid: int


@dataclass(frozen=True)
class Loaded:
    """The tools are there; their digests, as `core.pipeline.stages` uses them."""

    orientation_net: str
    word_net: str
    lexicon: str


@dataclass(frozen=True)
class Opened:
    """The document: a parcel of its `core.load.Source`."""

    job: int
    source: Parcel


@dataclass(frozen=True)
class Progress:
    """A stage begins; of a job over several pages, page number `page` of `n_pages`."""

    job: int
    stage: str
    page: int = 0
    n_pages: int = 1


@dataclass(frozen=True)
class MadeTable:
    """A stage has ended (see `core.pipeline.Made`); no parcel where the window has the table."""

    job: int
    name: str
    key: str
    seconds: float
    known: bool
    table: Parcel | None


@dataclass(frozen=True)
class Wrote:
    """The file is there."""

    job: int
    path: str


@dataclass(frozen=True)
class Proved:
    """What a viewer finds in the written PDF: a parcel of `core.pdf.existing.FoundWords`."""

    job: int
    words: Parcel


@dataclass(frozen=True)
class Failed:
    """A job ended in an error. `message` is a sentence for the user.

    stage  that raised, "" where it was none; kind: the exception's class name
    """

    job: int
    stage: str
    message: str
    traceback: str = field(repr=False)
    kind: str
    exit_code: int


@dataclass(frozen=True)
class Done:
    """A job is over; `complete` is False when it was stopped."""

    job: int
    complete: bool = True
