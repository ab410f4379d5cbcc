"""What the worker does to save a document: read its pages, then write them in one go. No Qt."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import export, files, pipeline
from core.load import Source
from core.pdf.existing import FoundWords
from core.reading import Reading
from core.settings import Settings, changed

PROOF_POLICY = "redo"  # a proof shows our words, not the hidden ones that were there before
FORMATS = ("pdf", "json", "txt", "tsv", "hocr")


def with_turn(settings: Settings, turns: int | None) -> Settings:
    """Settings under which a page is turned by hand; None leaves it to the net."""
    return settings if turns is None else changed(settings, "upright.turn", turns)


def page_reading(source: Source, page: int, stages: tuple[pipeline.Stage, ...], settings: Settings,
                 memo: pipeline.Memo, with_pixels: bool = True) -> Reading:
    """The reading of page `page`, 0-based, without the tables that only debugging needs.

    with_pixels: False where the page's picture is not written either. A picture takes 30 MB and
    more, and those of all pages of a book at a time are more than a machine holds.
    """
    reading = pipeline.read_page(source.page_source(page), stages, settings, memo)
    shown, upright = reading.page, replace(reading.upright, gray=_blank(reading.upright.gray))
    if not with_pixels:
        shown = replace(shown, image=_blank(shown.image))
    return Reading(page=shown, upright=upright, lines=reading.lines,
                   words=reading.words, placed=reading.placed)


def needs_pixels(source: Source, format: str, existing_text: str) -> bool:
    """Whether the pages' pictures are written: a PDF keeps its own, except where they are forced."""
    return format == "pdf" and (source.kind == "image" or existing_text == "force")


def _blank(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of the same size, in one byte of memory."""
    return np.broadcast_to(np.uint8(255), image.shape)


def write(source: Source, readings: Mapping[int, Reading], path: str | Path, format: str,
          existing_text: str = "refuse") -> None:
    """Write the words of pages {0-based number: reading} in one of FORMATS, at once or not at all.

    existing_text: what to do with a PDF's own text, see `core.pdf.layer.LayerSettings`.
    Raises Usage (a PDF with text, signed or tagged), Unreadable (nothing can be written there).
    """
    path, in_order = Path(path), sorted(readings.items())
    if format == "pdf":
        from core.pdf.layer import LayerSettings, PageLayer, write_pdf
        layers = [PageLayer(page, reading.page, reading.placed, int(reading.upright.quarter_turns))
                  for page, reading in in_order]
        write_pdf(source, layers, path, LayerSettings(existing_text=existing_text))
        return
    pages = [export.read_page_of(reading, page + 1) for page, reading in in_order]
    texts = {"json": lambda: export.to_json(source.name, pages), "txt": lambda: export.to_txt(pages),
             "tsv": lambda: export.to_tsv(pages), "hocr": lambda: export.to_hocr(source.name, pages)}
    files.write_text(path, texts[format]())


def proof(source: Source, page: int, reading: Reading) -> FoundWords:
    """The words that MuPDF finds in a PDF written of page `page` (0-based), in visible points.

    Raises Usage (signed or tagged), Unreadable.
    """
    from core.pdf.existing import read_words
    with tempfile.TemporaryDirectory(prefix="ocr-workbench-") as folder:
        path = Path(folder) / "proof.pdf"
        write(source, {page: reading}, path, "pdf", PROOF_POLICY)
        return read_words(path, page if source.kind == "pdf" else 0, source.password)
