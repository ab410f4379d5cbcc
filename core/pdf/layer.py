"""The searchable PDF: the document as it was, with the words as hidden text under its content.

The layer is a content stream of its own, put *before* the page's (a page that leaks its CTM
would carry an appended layer off), balanced by q and Q. It changes no pixel. A PDF keeps its
encryption and everything else; an image becomes a page of its own size.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core import geometry
from core.errors import Unreadable, Usage
from core.image_header import read_header
from core.load import Source, mupdf_errors, open_pdf
from core.parameters import check_limits, param
from core.pdf import glyphless, picture
from core.pdf.existing import (  # read_words is the way back, for tests and the PDF tab
    has_text,
    is_signed,
    is_tagged,
    read_words,
    strip_hidden,
    words_on,
)
from core.pdf.frame import PageFrame, frame_of, inherited, resolved
from core.pdf.text_stream import FontBook, layer_text
from core.reading import Page, Placed

if TYPE_CHECKING:
    import pymupdf

__all__ = ["LayerSettings", "PageLayer", "Written", "read_words", "write_pdf"]

POLICIES = ("refuse", "skip", "redo", "force")
MAX_PAGE_SIDE = 14_400.0    # user units, PDF 1.7 annex C.2; larger pages take a UserUnit
COVERED = 0.5               # part of a word's box on visible text from which it is not written again
IMAGE_NAME = "OcrPicture"


@dataclass(frozen=True)
class LayerSettings:
    """What to do with PDF pages that already have text, signatures or tags."""

    existing_text: str = param(
        "refuse", choices=POLICIES,
        help="refuse: write nothing. skip: leave pages with text as they are. redo: replace their "
             "hidden text, keep the visible. force: turn them into pictures (also allows signed "
             "and tagged files).")

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class PageLayer:
    """One page to write. index: 0-based in the source. quarter_turns: of `upright`, counterclockwise;
    an image's page is shown turned by them, a PDF's page keeps the way it lies."""

    index: int
    page: Page
    placed: Placed
    quarter_turns: int = 0


@dataclass(frozen=True)
class Written:
    """What `write_pdf` did. skipped: pages left alone for their text; n_words in the hidden layer."""

    path: Path
    n_pages: int
    n_words: int
    skipped: tuple[int, ...] = ()


def write_pdf(source: Source, pages: Sequence[PageLayer], out_path: Path | str,
              settings: LayerSettings = LayerSettings()) -> Written:
    """Write the document with a hidden text layer to `out_path`, at once or not at all.

    A PDF keeps all its pages, only those in `pages` get a layer; of an image only `pages` are
    written, in their order. Raises Usage (existing text, signed, tagged: choose a policy),
    Unreadable (the source, or a folder that cannot be written to).
    """
    out_path, book = Path(out_path), FontBook()
    if source.kind == "pdf":
        pdf = open_pdf(source.content, source.name, source.password)
    else:
        pdf = _new_pdf()
    with pdf:
        try:
            if source.kind == "pdf":
                pages, skipped = _permitted(pdf, source, pages, settings)
                n_words = _onto_pages(pdf, pages, book, settings)
            else:
                n_words, skipped = _onto_pictures(pdf, source, pages, book), ()
            n_pages = pdf.page_count
            _save(pdf, out_path, source.kind == "image" or b"/ObjStm" in source.content)
        except mupdf_errors() as error:
            raise Unreadable(f"{source.name} cannot be written with a text layer: {error}; "
                             "repair the file, or choose force") from error
    return Written(out_path, n_pages, n_words, skipped)


# ---- an existing PDF ---------------------------------------------------------------------------

def _permitted(pdf: pymupdf.Document, source: Source, pages: Sequence[PageLayer],
               settings: LayerSettings) -> tuple[list[PageLayer], tuple[int, ...]]:
    """(pages to write, indexes left alone), by the policy. Raises Usage where it forbids the work."""
    policy, name = settings.existing_text, source.name
    if policy != "force" and is_signed(pdf):
        raise Usage(f"{name} is digitally signed and any change breaks the signature; "
                    "choose force to write it all the same")
    if policy != "force" and is_tagged(pdf):
        raise Usage(f"{name} is a tagged PDF, its text is already accessible; "
                    "choose force to write it all the same")
    with_text = tuple(layer.index for layer in pages if has_text(pdf[layer.index]))
    if with_text and policy == "refuse":
        raise Usage(f"{name}, page {with_text[0] + 1} already has text; choose skip, redo or force")
    if policy != "skip":
        return list(pages), ()
    return [layer for layer in pages if layer.index not in with_text], with_text


def _onto_pages(pdf: pymupdf.Document, pages: Sequence[PageLayer], book: FontBook,
                settings: LayerSettings) -> int:
    n_words, written = 0, []
    for layer in pages:
        page, placed = pdf[layer.index], layer.placed
        if settings.existing_text == "force" and has_text(page):
            _rasterise(pdf, page, layer.page)
        if settings.existing_text == "redo":
            strip_hidden(page)
            page = pdf[layer.index]
            placed = _uncovered(placed, page)
        text = layer_text(placed, frame_of(page).user_from_visible, book)
        _set_contents(pdf, page.xref, [_add_stream(pdf, text.stream), *page.get_contents()])
        written.append((page.xref, text.fonts))
        n_words += int((np.char.str_len(placed.text) > 0).sum())
    _attach_fonts(pdf, written, book)
    return n_words


def _uncovered(placed: Placed, page: pymupdf.Page) -> Placed:
    """`placed` with the text of words that lie on the page's own (visible) text blanked."""
    own = words_on(page).box
    if not len(own) or not len(placed):
        return placed
    box = geometry.boxes_from_quads(placed.quad)
    shared = geometry.intersection(box, own).max(1)
    covered = shared > COVERED * np.maximum(geometry.areas(box), 1e-9)
    return replace(placed, text=np.where(covered, "", placed.text))


def _rasterise(pdf: pymupdf.Document, page: pymupdf.Page, shown: Page) -> None:
    """Replace the page's content by its picture; links stay, other annotations are in the picture."""
    for annot in list(page.annots() or ()):
        page.delete_annot(annot)
    image = picture.add_pixels(pdf, shown.image)
    user_from_px = geometry.compose(frame_of(page).user_from_visible, shown.points_from_page)
    width, height = shown.size
    stream = _add_stream(pdf, picture.drawing(IMAGE_NAME, width, height, user_from_px))
    pdf.xref_set_key(page.xref, "Resources", f"<</XObject <</{IMAGE_NAME} {image} 0 R>>>>")
    _set_contents(pdf, page.xref, [stream])


# ---- a new PDF around images -------------------------------------------------------------------

def _new_pdf() -> pymupdf.Document:
    import pymupdf

    return pymupdf.open()


def _onto_pictures(pdf: pymupdf.Document, source: Source, pages: Sequence[PageLayer],
                   book: FontBook) -> int:
    n_words, written = 0, []
    for layer in pages:
        xref, frame, drawing = _picture_page(pdf, source, layer)
        text = layer_text(layer.placed, frame.user_from_visible, book)
        _set_contents(pdf, xref, [_add_stream(pdf, text.stream), drawing])
        if layer.quarter_turns % 4:  # Rotate is clockwise and turns layer and picture together
            pdf.xref_set_key(xref, "Rotate", str(-90 * layer.quarter_turns % 360))
        written.append((xref, text.fonts))
        n_words += int((np.char.str_len(layer.placed.text) > 0).sum())
    _attach_fonts(pdf, written, book)
    return n_words


def _picture_page(pdf: pymupdf.Document, source: Source,
                  layer: PageLayer) -> tuple[int, PageFrame, int]:
    """(page xref, frame, content xref) of a new page that shows the image as large as its dpi says."""
    page = layer.page
    width, height = page.size
    size = np.abs(page.points_from_page[:, :2]) @ (width, height)  # pt
    unit = float(np.ceil(max(size) / MAX_PAGE_SIDE))
    frame = PageFrame((0.0, 0.0, size[0] / unit, size[1] / unit), 0, unit)
    xref = pdf.new_page(width=frame.box[2], height=frame.box[3]).xref
    if unit > 1:
        pdf.xref_set_key(xref, "UserUnit", f"{unit:g}")
    user_from_px = geometry.compose(frame.user_from_visible, page.points_from_page)
    header = read_header(source.content, layer.index)
    image = picture.add_jpeg(pdf, source.content, header) if header.kind == "jpeg" else None
    if image is None:
        image = picture.add_pixels(pdf, page.image)
    else:
        width, height = header.width, header.height
        user_from_px = geometry.compose(
            user_from_px, picture.page_from_stored(header.orientation, width, height))
    stream = _add_stream(pdf, picture.drawing(IMAGE_NAME, width, height, user_from_px))
    pdf.xref_set_key(xref, "Resources", f"<</XObject <</{IMAGE_NAME} {image} 0 R>>>>")
    return xref, frame, stream


# ---- objects -----------------------------------------------------------------------------------

def _add_stream(pdf: pymupdf.Document, stream: bytes, entries: str = "") -> int:
    xref = pdf.get_new_xref()
    pdf.update_object(xref, f"<<{entries}>>")
    pdf.update_stream(xref, stream, compress=True)
    return xref


def _set_contents(pdf: pymupdf.Document, page_xref: int, streams: Sequence[int]) -> None:
    refs = " ".join(f"{xref} 0 R" for xref in streams)
    pdf.xref_set_key(page_xref, "Contents", f"[{refs}]")


def _attach_fonts(pdf: pymupdf.Document, written: Sequence[tuple[int, frozenset[str]]],
                  book: FontBook) -> None:
    """Add the book's fonts to the document and name them in each written page's resources."""
    used = frozenset().union(*(fonts for _, fonts in written))
    if not used:
        return
    characters = "".join(sorted(book.cids, key=book.cids.__getitem__))
    to_unicode = _add_stream(pdf, glyphless.to_unicode(characters))
    cid_to_gid = _add_stream(pdf, glyphless.cid_to_gid(len(characters)))
    fonts = {name: _add_font(pdf, ascent, descent, cid_to_gid, to_unicode)
             for (ascent, descent), name in book.variants.items() if name in used}
    for page_xref, names in written:
        _own_resources(pdf, page_xref)
        for name in sorted(names):
            pdf.xref_set_key(page_xref, f"Resources/Font/{name}", f"{fonts[name]} 0 R")


def _own_resources(pdf: pymupdf.Document, page_xref: int) -> None:
    """Give the page resources and a font dictionary of its own, not shared with other pages."""
    resources = resolved(pdf, inherited(pdf, page_xref, "Resources")) or "<<>>"
    pdf.xref_set_key(page_xref, "Resources", resources)
    fonts = resolved(pdf, pdf.xref_get_key(page_xref, "Resources/Font")) or "<<>>"
    pdf.xref_set_key(page_xref, "Resources/Font", fonts)


def _add_font(pdf: pymupdf.Document, ascent: int, descent: int, cid_to_gid: int,
              to_unicode: int) -> int:
    """xref of a Type 0 font, Identity-H, with its program embedded (PDF 1.7, 9.7)."""
    program = glyphless.font_program(ascent, descent)
    file = _add_stream(pdf, program, f"/Length1 {len(program)}")
    name = f"OCRWBH+Hidden-{ascent}-{descent}"
    descriptor, descendant, font = (pdf.get_new_xref() for _ in range(3))
    pdf.update_object(descriptor, (
        f"<</Type /FontDescriptor /FontName /{name} /Flags 4 /ItalicAngle 0 /StemV 80 "
        f"/Ascent {ascent} /Descent {-descent} /CapHeight {ascent} "
        f"/FontBBox [0 {-descent} {glyphless.ADVANCE} {ascent}] /FontFile2 {file} 0 R>>"))
    pdf.update_object(descendant, (
        f"<</Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /DW {glyphless.ADVANCE} "
        f"/CIDToGIDMap {cid_to_gid} 0 R /FontDescriptor {descriptor} 0 R "
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (Identity) /Supplement 0>>>>"))
    pdf.update_object(font, (
        f"<</Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H "
        f"/DescendantFonts [{descendant} 0 R] /ToUnicode {to_unicode} 0 R>>"))
    return font


def _save(pdf: pymupdf.Document, out_path: Path, object_streams: bool) -> None:
    """Write to a neighbour of `out_path`, then rename: a failure leaves what was there."""
    import pymupdf

    try:
        handle, temporary = tempfile.mkstemp(".part", f".{out_path.name}.", out_path.parent)
        os.close(handle)
    except OSError as error:
        raise Unreadable(f"{out_path} cannot be written: {error.strerror}; choose another folder") \
            from error
    try:
        pdf.save(temporary, garbage=1, encryption=pymupdf.PDF_ENCRYPT_KEEP,
                 use_objstms=int(object_streams))
        os.chmod(temporary, _mode_for(out_path))  # mkstemp makes it private
        os.replace(temporary, out_path)
    except OSError as error:
        raise Unreadable(f"{out_path} cannot be written: {error.strerror}; choose another folder "
                         "or make room") from error
    except pymupdf.mupdf.FzErrorSystem as error:  # what the disk said, through MuPDF
        reason = str(error).rpartition(": ")[2]
        raise Unreadable(f"{out_path} cannot be written: {reason}; choose another folder "
                         "or make room") from error
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _mode_for(path: Path) -> int:
    """The mode of the file that is replaced, else what the umask allows."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
