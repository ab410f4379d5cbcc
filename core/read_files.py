"""`main.py read`: files to searchable PDF, JSON, text, tables and pictures, without a window."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from core import export, load, pipeline
from core.errors import Missing, NeedsPassword, OcrError, Usage
from core.files import check_folder, write_png, write_text
from core.pdf.layer import LayerSettings, PageLayer, write_pdf
from core.reading import STAGES, Reading
from core.settings import Settings

FORMATS = ("pdf", "json", "txt", "tsv", "hocr", "png")
STAGE_FORMATS = ("png", "json")  # what one stage alone can be written as
BAR = 24  # characters of the progress bar

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What to do with each file.

    stage     read only up to here and write its picture and table; None = everything
    pages     "1-3,5" (1-based), "" = all
    existing  policy for PDF pages that have text already, see `LayerSettings`
    password  of encrypted PDFs, None = without
    """

    out: Path
    formats: tuple[str, ...]
    stage: str | None = None
    pages: str = ""
    existing: str = "refuse"
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        known = FORMATS if self.stage is None else STAGE_FORMATS
        for name in self.formats:
            if name not in known:
                what = f"a stage alone is written as {', '.join(known)}" if self.stage else \
                    f"choose from {', '.join(known)}"
                raise Usage(f"format {name!r} cannot be written here; {what}")
        if not self.formats:
            raise Usage(f"no format is given; choose from {', '.join(known)}")


class Progress:
    """A bar on stderr, redrawn in place on a terminal; elsewhere a line per page."""

    def __init__(self, n_files: int, stream=None) -> None:
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.n_files, self.done = n_files, 0.0

    def stage(self, name: str, page: int, n_pages: int, stage: str) -> None:
        """A stage of a page has ended (page counts from 0)."""
        share = (page + (STAGES.index(stage) + 1) / len(STAGES)) / n_pages
        self._draw((self.done + share) / self.n_files, f"{name} {page + 1}/{n_pages} {stage}")

    def page(self, name: str, page: int, n_pages: int, n_words: int | None) -> None:
        """A page has ended."""
        if not self.live:
            words = "" if n_words is None else f", {n_words} words"
            print(f"{name}: page {page + 1} of {n_pages}{words}", file=self.stream, flush=True)

    def file(self, name: str) -> None:
        """A file has ended, well or not."""
        self.done += 1
        self._draw(self.done / self.n_files, name)

    def say(self, text: str) -> None:
        """A line of text that stays, above the bar."""
        print(("\r\x1b[K" if self.live else "") + text, file=self.stream, flush=True)

    def close(self) -> None:
        """Leave the bar behind."""
        if self.live:
            print(file=self.stream)

    def _draw(self, share: float, text: str) -> None:
        if self.live:
            full = round(BAR * share)
            print(f"\r\x1b[K[{'#' * full}{' ' * (BAR - full)}] {share:4.0%} {text[:60]}", end="",
                  file=self.stream, flush=True)


def read_files(files: Sequence[Path], order: Order, settings: Settings,
               progress: Progress | None = None) -> int:
    """Read each file and write what was ordered. Returns the first failure's exit code, else 0.

    A file or page that fails is reported and the others go on; what its other pages gave is still
    written. Raises Missing when a model or the lexicon is not there, Unreadable where nothing can be
    written in `order.out`.
    """
    check_folder(order.out)
    progress = progress or Progress(len(files))
    codes: list[int] = []
    stems: set[str] = set()
    tools: tuple[pipeline.Stage, ...] | None = None
    for file in files:
        try:
            source = load.open_source(file, password=order.password)
            chosen = page_indexes(order.pages, source.n_pages, source.name)
            if tools is None and order.stage != "page":
                tools = pipeline.stages(pipeline.load_tools())
            stem = unused_stem(Path(file).stem, stems)
            codes += _read_file(source, chosen, stem, tools or (), order, settings, progress)
        except Missing:
            raise
        except OcrError as error:
            progress.say(f"error: {_naming(file, error)}")
            codes.append(error.exit_code)
        progress.file(Path(file).name)
    progress.close()
    return next((code for code in codes if code), 0)


def _naming(file: Any, error: OcrError) -> str:
    """The error's text, with the file's name where it is not in there, and the option that helps."""
    text = str(error) if Path(file).name in str(error) else f"{file}: {error}"
    if isinstance(error, NeedsPassword):
        return f"{text} with --password"
    if isinstance(error, Usage) and text.partition("choose ")[2].startswith(("skip", "force")):
        return f"{text} with --existing-text"
    return text


def _read_file(source: load.Source, indexes: Sequence[int], stem: str,
               stages: tuple[pipeline.Stage, ...], order: Order, settings: Settings,
               progress: Progress) -> list[int]:
    """Exit codes of the pages that failed."""
    codes, layers, pages = [], [], []
    for n, index in enumerate(indexes):
        reading, memo = Reading(), pipeline.Memo(limit=0)
        try:
            for made in pipeline.read(source.page_source(index), stages, settings, memo,
                                      order.stage or STAGES[-1]):
                reading = reading.with_table(made.table)
                progress.stage(source.name, n, len(indexes), made.name)
                if made.name == "page" and made.table.note:
                    progress.say(f"note: {source.name}, page {index + 1}: {made.table.note}")
        except OcrError as error:
            text = str(error)
            where = "" if source.name in text else f"{source.name}, page {index + 1}: "
            progress.say(f"error: {where}{text}")
            codes.append(error.exit_code)
        _write_pictures(reading, order, f"{stem}-p{index + 1:04d}")
        if reading.page is not None:
            pages.append(export.read_page_of(reading, index + 1))
        if reading.placed is not None:
            layers.append(_layer(reading, index, source.kind == "pdf" and order.existing != "force"))
        n_words = None if reading.words is None else len(reading.words)
        if reading.table(order.stage or STAGES[-1]) is not None:
            progress.page(source.name, n, len(indexes), n_words)
    if order.stage is None and pages:
        _write_texts(source.name, pages, order, stem)
        if "pdf" in order.formats and layers:
            write_pdf(source, layers, order.out / f"{stem}.pdf", LayerSettings(order.existing))
    return codes


def _layer(reading: Reading, index: int, own_pixels: bool) -> PageLayer:
    """own_pixels: the PDF shows the page itself, so the rendered one need not be kept in memory."""
    page = reading.page
    if own_pixels:
        page = replace(page, image=np.zeros((1, 1), np.uint8))
    return PageLayer(index, page, reading.placed, reading.upright.quarter_turns)


def _write_pictures(reading: Reading, order: Order, stem: str) -> None:
    from core.stage_pictures import stage_picture
    wanted = STAGES if order.stage is None else (order.stage,)
    for stage in wanted:
        table = reading.table(stage)
        if table is None:
            continue
        if "png" in order.formats:
            write_png(order.out / f"{stem}.{stage}.png", stage_picture(reading, stage))
        if order.stage is not None and "json" in order.formats:
            write_text(order.out / f"{stem}.{stage}.json", export.table_to_json(table))


def _write_texts(name: str, pages: list[export.ReadPage], order: Order, stem: str) -> None:
    writers = {"json": lambda: export.to_json(name, pages), "txt": lambda: export.to_txt(pages),
               "tsv": lambda: export.to_tsv(pages), "hocr": lambda: export.to_hocr(name, pages)}
    for ending, text in writers.items():
        if ending in order.formats:
            write_text(order.out / f"{stem}.{ending}", text())


def unused_stem(stem: str, used: set[str]) -> str:
    """`stem`, or `stem-2`, `stem-3` ... where it is taken (upper and lower case count as equal)."""
    candidate, n = stem, 1
    while candidate.casefold() in used:
        n += 1
        candidate = f"{stem}-{n}"
    used.add(candidate.casefold())
    return candidate


def page_indexes(text: str, n_pages: int, name: str) -> list[int]:
    """0-based pages of "1-3,5" (1-based, in any order, each once). Raises Usage naming the file."""
    if not text:
        return list(range(n_pages))
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d*)\s*)?", part)
        if match is None:
            raise Usage(f"--pages {text!r} is not understood; write it like 1-3,5")
        first = int(match[1])
        last = first if match[2] is None else int(match[2] or n_pages)
        if not 1 <= first <= last <= n_pages:
            raise Usage(f"{name} has {n_pages} pages, not {part.strip()}; give --pages within them")
        found += range(first - 1, last)
    return sorted(set(found))
