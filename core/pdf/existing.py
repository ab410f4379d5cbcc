"""What a PDF already holds: its words, and reasons to leave it alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.errors import Usage
from core.load import open_pdf, open_source
from core.pdf.frame import frame_of
from core.reading import Frozen

if TYPE_CHECKING:
    import pymupdf

INVISIBLE = 3             # text render mode, PDF 1.7 table 106
EVERYWHERE = 30_000.0     # pt; farther out than any page (14,400) in every direction


@dataclass(frozen=True)
class FoundWords(Frozen):
    """Words of a PDF page in content order. text: (n,) tuple; box: (n, 4) float32, visible points."""

    text: tuple[str, ...]
    box: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.text)


def read_words(pdf: bytes | Path | str, page: int = 0, password: str | None = None) -> FoundWords:
    """The words MuPDF finds on page `page` (0-based) of a PDF, hidden ones included.

    Raises Unreadable, NeedsPassword.
    """
    source = open_source(pdf, password=password)
    index = source.page_source(page).index
    with open_pdf(source.content, source.name, password) as document:
        return words_on(document[index])


def words_on(page: pymupdf.Page) -> FoundWords:
    """As `read_words`, of an open page."""
    found = page.get_textpage().extractWORDS()  # get_text would clip to a crop box beside the page
    box = np.array([word[:4] for word in found], np.float64).reshape(-1, 4)
    if page.rotation:  # PyMuPDF then extracts with /Rotate set to 0; UserUnit is in the boxes
        box = geometry.transform_boxes(frame_of(page).visible_from_unturned, box)
    return FoundWords(tuple(word[4] for word in found), box)


def has_text(page: pymupdf.Page) -> bool:
    """Whether the page holds any text, visible or hidden."""
    return bool(page.get_text("text").strip())


def strip_hidden(page: pymupdf.Page) -> None:
    """Remove the page's invisible text (render mode 3) and nothing else.

    Raises Usage where someone marked the page for redaction: their marks would be applied too.
    """
    import pymupdf

    if not any(span["type"] == INVISIBLE for span in page.get_texttrace()):
        return
    if next(page.annots(types=[pymupdf.PDF_ANNOT_REDACT]), None) is not None:
        raise Usage(f"page {page.number + 1} holds redaction marks that are not applied yet; apply "
                    "or remove them, or choose skip")
    page.add_redact_annot(pymupdf.Rect(-EVERYWHERE, -EVERYWHERE, EVERYWHERE, EVERYWHERE), fill=False)
    page.apply_redactions(images=pymupdf.PDF_REDACT_IMAGE_NONE,
                          graphics=pymupdf.PDF_REDACT_LINE_ART_NONE,
                          text=pymupdf.PDF_REDACT_TEXT_REMOVE_INVISIBLE)


def is_signed(pdf: pymupdf.Document) -> bool:
    """Whether the document holds a digital signature, which any change breaks (SigFlags bit 1)."""
    return pdf.get_sigflags() > 0 and bool(pdf.get_sigflags() & 1)


def is_tagged(pdf: pymupdf.Document) -> bool:
    """Whether the document has a structure tree, which hidden text would not be part of."""
    catalog = pdf.pdf_catalog()
    return pdf.xref_get_key(catalog, "StructTreeRoot")[0] != "null" \
        or pdf.xref_get_key(catalog, "MarkInfo/Marked")[1] == "true"
