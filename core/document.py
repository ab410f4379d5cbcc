"""A document under work: what a person said about its pages, and the readings made of them.

Readings keep small tables for good, and their pixels and log-probabilities only up to a cap:
the least recently used go first and are made again when a view asks for them. Corrections by a
person are a table of their own, apart from what the machine read.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.load import Source
from core.reading import Reading, Table, Upright, Words, text_array

MAX_HEAVY_BYTES = 512 << 20  # images and log-probabilities; a 700-word page's are about 30 MB
MATCH_IOU = 0.5              # from which a word lies where a correction was made


# ---- corrections -------------------------------------------------------------------------------

@dataclass(frozen=True)
class Corrections(Table):
    """What a person typed instead of a word. Rows in the order they were made.

    page      (n,) int32, 0-based
    quad      (n, 4, 2) float32, *page* px: it outlives another turn or another run
    old, new  (n,) <U, the word as it was read and as it should be ("" = no word there)
    """

    page: NDArray[np.int32]
    quad: NDArray[np.float32]
    old: NDArray[np.str_]
    new: NDArray[np.str_]
    name: ClassVar[str] = "corrections"
    ROWS: ClassVar[tuple[str, ...]] = ("page", "quad", "old", "new")

    @staticmethod
    def none() -> Corrections:
        """An empty table."""
        return Corrections(np.zeros(0, np.int32), np.zeros((0, 4, 2), np.float32), text_array([]),
                           text_array([]))

    def with_row(self, page: int, quad: NDArray, old: str, new: str) -> Corrections:
        """With one more correction. An earlier one of the same place (IoU >= .5) is replaced, and
        what the machine read there stays the old text."""
        box = geometry.boxes_from_quads(quad)
        here = (self.page == page) & (geometry.iou(geometry.boxes_from_quads(self.quad), box)[:, 0]
                                      >= MATCH_IOU)
        if here.any():
            old = str(self.old[here][0])
        kept = self.without_rows(np.flatnonzero(here))
        return Corrections(
            np.append(kept.page, page).astype(np.int32),
            np.concatenate([kept.quad, np.asarray(quad, np.float32).reshape(1, 4, 2)]),
            text_array([*kept.old.tolist(), old]), text_array([*kept.new.tolist(), new]))

    def without_rows(self, rows: NDArray) -> Corrections:
        """With some corrections taken back."""
        stay = np.setdiff1d(np.arange(len(self)), rows)
        return Corrections(self.page[stay], self.quad[stay], text_array(self.old[stay].tolist()),
                           text_array(self.new[stay].tolist()))


@dataclass(frozen=True)
class Corrected:
    """Words after the corrections of their page.

    words  as the machine read them, with the corrected texts in place
    row    (n_corrections,) int64, the word each correction changed; -1 = of another page, or no
           word lies there now: the correction stays listed and a person decides
    """

    words: Words
    row: NDArray[np.int64]


def corrected(words: Words, upright: Upright, corrections: Corrections, page: int) -> Corrected:
    """`words` of page `page` with its corrections, each matched to the word that overlaps it most.

    A word takes one correction; a word that still has the old text goes before one that has not.
    """
    row = np.full(len(corrections), -1, np.int64)
    mine = np.flatnonzero(corrections.page == page)
    on_page = geometry.transform_quads(upright.page_from_upright, words.quad)
    overlap = geometry.iou(geometry.boxes_from_quads(corrections.quad[mine]),
                           geometry.boxes_from_quads(on_page))  # (n_mine, n_words)
    same = corrections.old[mine][:, None] == words.text[None, :]
    texts, taken = words.text.tolist(), set()
    i, j = np.nonzero(overlap >= MATCH_IOU)
    for best in np.lexsort((-overlap[i, j], ~same[i, j])):
        if row[mine[i[best]]] < 0 and j[best] not in taken:
            row[mine[i[best]]] = j[best]
            taken.add(j[best])
            texts[j[best]] = str(corrections.new[mine[i[best]]])
    return Corrected(replace(words, text=text_array(texts)), row)


# ---- the document ------------------------------------------------------------------------------

@dataclass(frozen=True)
class Overrides:
    """What a person set for one page. quarter_turns: counterclockwise, None = let the net decide."""

    quarter_turns: int | None = None


class Document:
    """One document: its source, overrides per page, corrections, and readings by (page, run).

    A run is the name of a set of settings or of another engine ("ours", "tesseract").
    """

    def __init__(self, source: Source, max_heavy_bytes: int = MAX_HEAVY_BYTES) -> None:
        self.source = source
        self.corrections = Corrections.none()
        self.max_heavy_bytes = max_heavy_bytes
        self._overrides: dict[int, Overrides] = {}
        self._readings: OrderedDict[tuple[int, str], Reading] = OrderedDict()  # oldest use first

    @property
    def path(self):
        """Where the document was read from, None for bytes."""
        return self.source.path

    @property
    def digest(self) -> str:
        """Of the file's bytes."""
        return self.source.digest

    @property
    def n_pages(self) -> int:
        """At least 1."""
        return self.source.n_pages

    def overrides(self, page: int) -> Overrides:
        """What a person set for the page, the defaults where nothing."""
        self.source.page_source(page)  # raises for a page that is not there
        return self._overrides.get(page, Overrides())

    def override(self, page: int, overrides: Overrides) -> None:
        """Set what holds for the page from now on; readings made before stay as they are."""
        self.source.page_source(page)
        self._overrides[page] = overrides

    def keep(self, page: int, run: str, reading: Reading) -> None:
        """Keep a reading in place of an older one; pixels of the least recently used give way."""
        self.source.page_source(page)
        self._readings[page, run] = reading
        self._readings.move_to_end((page, run))
        self._make_room()

    def reading(self, page: int, run: str) -> Reading | None:
        """The reading, None where none was made. `is_light` tells whether its pixels are gone."""
        found = self._readings.get((page, run))
        if found is not None:
            self._readings.move_to_end((page, run))
        return found

    def runs(self, page: int) -> tuple[str, ...]:
        """Names of the page's readings, sorted."""
        return tuple(sorted(run for at, run in self._readings if at == page))

    def forget(self, run: str) -> None:
        """Drop all readings of a run."""
        for key in [key for key in self._readings if key[1] == run]:
            del self._readings[key]

    @property
    def heavy_bytes(self) -> int:
        """Bytes of pixels and log-probabilities now held; tables shared by readings count once."""
        held = {id(array): array.nbytes for reading in self._readings.values()
                for array in _heavy(reading)}
        return sum(held.values())

    def _make_room(self) -> None:
        """The newest reading stays whole whatever its size: it is being looked at."""
        for key in list(self._readings)[:-1]:
            if self.heavy_bytes <= self.max_heavy_bytes:
                return
            self._readings[key] = light(self._readings[key])


def _heavy(reading: Reading) -> list[NDArray]:
    tables = [reading.page and reading.page.image, reading.upright and reading.upright.gray,
              reading.transcripts and reading.transcripts.log_probs]
    return [array for array in tables if array is not None]


def light(reading: Reading) -> Reading:
    """The reading without page and upright image and without log-probabilities."""
    transcripts = reading.transcripts
    if transcripts is not None:
        transcripts = replace(transcripts, log_probs=np.zeros((0, 0, 0), np.float16))
    return replace(reading, page=None, upright=None, transcripts=transcripts)


def is_light(reading: Reading) -> bool:
    """Whether the reading's pixels were dropped (or never made)."""
    return reading.page is None
