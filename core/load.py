"""Stage 1, `page`: a document's file to the image of one page, and where it lies in points.

`open_source` reads the file and says what it is; `page` makes one page of it. Size is judged
before anything is decoded or rendered. Everything a person should know about the page (repaired,
cut short, scaled down, already has text) goes into `Page.note`; what to do about it is decided
by whoever writes the PDF.

Frames: page px is the visible page (EXIF orientation and /Rotate applied). PDF points are those of
the visible page too: 1/72 inch, origin at the top left corner of the crop box as a viewer shows
it, y down, UserUnit already multiplied in. So `points_from_page` is a scaling for every source.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.errors import NeedsPassword, Unreadable
from core.image_header import ImageHeader, image_kind, read_header
from core.parameters import check_limits, param
from core.reading import Page

if TYPE_CHECKING:
    import pymupdf

POINTS_PER_INCH = 72.0        # PDF default user space
UNKNOWN_DPI = 300.0           # what a scan most often is, where the file does not say
DPI_RANGE = (50.0, 1200.0)    # outside, a file's dpi is a camera's or a bug
PIXELS_PER_MEGAPIXEL = 1_000_000
MAX_FILE_BYTES = 2 << 30      # the bytes are held in memory and cross to the worker
PDF_SIGNATURE_WITHIN = 1024   # bytes; PDF 1.7 appendix H, note 13: readers accept leading junk
FORMATS = "PDF, PNG, JPEG, TIFF, BMP, WebP, JPEG 2000, GIF or PNM"
# OpenCV's own names for the mirrored and turned orientations of EXIF, as NumPy steps:
# orientation -> (transpose first, mirror left-right, mirror top-bottom)
EXIF_STEPS = {1: (False, False, False), 2: (False, True, False), 3: (False, True, True),
              4: (False, False, True), 5: (True, False, False), 6: (True, True, False),
              7: (True, True, True), 8: (True, False, True)}


@dataclass(frozen=True)
class PageSettings:
    """How a page is made from its file."""

    dpi: float = param(300.0, unit="px/inch", low=50, high=1200,
                       help="Resolution at which a PDF page is rendered. Images keep their own.")
    max_megapixels: float = param(400.0, unit="Mpx", low=1, high=1000,
                                  help="An image with more pixels is refused before decoding.")
    max_render_megapixels: float = param(
        40.0, unit="Mpx", low=1, high=400,
        help="A PDF page that would have more pixels is rendered at a lower resolution.")

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class Source:
    """A document's file in memory. It can be pickled and sent to another process.

    name      for messages: the file's name
    content   the file's bytes
    kind      "image" or "pdf"
    n_pages   >= 1
    digest    of the bytes
    path      where it was read from, None for bytes
    password  the user password that opens it, None where none is needed
    note      what concerns the whole file ("the PDF is damaged and was repaired"), or ""
    """

    name: str
    content: bytes = field(repr=False)
    kind: str
    n_pages: int
    digest: str
    path: Path | None = None
    password: str | None = field(default=None, repr=False)
    note: str = ""

    def page_source(self, index: int) -> PageSource:
        """Page `index`, 0-based. Raises Unreadable where there is no such page."""
        if not 0 <= index < self.n_pages:
            raise Unreadable(f"{self.name} has no page {index + 1}; choose one of 1 to {self.n_pages}")
        return PageSource(self, index)


@dataclass(frozen=True)
class PageSource:
    """One page of a source: what the stage `page` reads. `index` is 0-based."""

    source: Source
    index: int

    @property
    def digest(self) -> str:
        """Digest of the file's bytes and the page's place in it."""
        return f"{self.source.digest}-{self.index}"


def open_source(file: Path | str | bytes, name: str | None = None,
                password: str | None = None) -> Source:
    """What a document's file is and how many pages it has; no page is decoded yet.

    file      a path, or the file's bytes
    name      for messages; default: the file's name
    password  of an encrypted PDF
    Raises Unreadable (missing, empty, no document, damaged beyond use) and NeedsPassword.
    """
    path = None if isinstance(file, bytes | bytearray | memoryview) else Path(file)
    name = name or (path.name if path is not None else "the document")
    content = bytes(file) if path is None else _file_bytes(path)
    if not content:
        raise Unreadable(f"{name} is empty (0 bytes); scan or copy it again")
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    if b"%PDF-" in content[:PDF_SIGNATURE_WITHIN]:
        with open_pdf(content, name, password) as pdf:
            note = "the PDF is damaged and was repaired; parts may be missing" if pdf.is_repaired else ""
            return Source(name, content, "pdf", pdf.page_count, digest, path, password, note)
    if image_kind(content) is None:
        raise Unreadable(f"{name} is no document known here; give a {FORMATS} file")
    return Source(name, content, "image", _header(content, 0, name).n_pages, digest, path)


def page(source: PageSource, settings: PageSettings) -> Page:
    """The image of one page. Raises Unreadable, NeedsPassword."""
    if source.source.kind == "pdf":
        return _pdf_page(source, settings)
    return _image_page(source, settings)


def _file_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise Unreadable(f"{path} is a folder; give a file in it")
    try:
        kind = os.stat(path)
        if not stat.S_ISREG(kind.st_mode):  # a pipe may never end, a device may never stop
            raise Unreadable(f"{path} is a device or a pipe, no file; give a {FORMATS} file")
        if kind.st_size > MAX_FILE_BYTES:
            raise Unreadable(f"{path} is larger than {MAX_FILE_BYTES >> 30} GiB; split it first")
        return path.read_bytes()
    except FileNotFoundError:
        raise Unreadable(f"{path} does not exist; check its name and folder") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable(f"{path} cannot be read: {reason}; check its permissions") from error


def _digest(image: NDArray[np.uint8], index: int) -> str:
    """Of the pixels, their shape and the page's place in its document."""
    digest = hashlib.blake2b(np.ascontiguousarray(image), digest_size=16)
    digest.update(repr((image.shape, index)).encode())
    return digest.hexdigest()


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


# ---- images ------------------------------------------------------------------------------------

def _image_page(source: PageSource, settings: PageSettings) -> Page:
    name, content = source.source.name, source.source.content
    header = _header(content, source.index, name)
    _check_size(header, name, settings)
    image = _on_white(_decoded(content, source.index, header, name))
    image = exif_applied(image, header.orientation)
    (across, down), dpi_note = header_dpi(header)
    points_from_page = geometry.scaling(POINTS_PER_INCH / across, POINTS_PER_INCH / down)
    cut = header.cut and f"{name} is damaged: {header.cut}; what is missing shows as one grey"
    return Page(image, float(np.sqrt(across * down)), points_from_page,
                _digest(image, source.index), header.orientation,
                _joined(source.source.note, cut, dpi_note))


def _header(content: bytes, index: int, name: str) -> ImageHeader:
    try:
        header = read_header(content, index)
    except ValueError as error:
        raise Unreadable(f"{name} cannot be read: {error}; scan or copy it again") from error
    if not header.width or not header.height:
        why = header.cut or "its header gives no size"
        raise Unreadable(f"{name} cannot be read: {why}; scan or copy it again")
    return header


def _check_size(header: ImageHeader, name: str, settings: PageSettings) -> None:
    megapixels = header.width * header.height / PIXELS_PER_MEGAPIXEL
    if megapixels > settings.max_megapixels:
        raise Unreadable(
            f"{name} is {header.width:,} x {header.height:,} px, {megapixels:,.0f} megapixels; "
            f"at most {settings.max_megapixels:,.0f} are read. Scale it down or cut it into pages")


def header_dpi(header: ImageHeader) -> tuple[tuple[float, float], str]:
    """((across, down) dpi of the page after EXIF, note). Absurd or absent: 300."""
    if header.dpi is None:
        return (UNKNOWN_DPI, UNKNOWN_DPI), ""
    low, high = DPI_RANGE
    if not all(low <= value <= high for value in header.dpi):
        return (UNKNOWN_DPI, UNKNOWN_DPI), f"the file says {header.dpi[0]:.4g} dpi; taken as 300"
    across, down = header.dpi
    return ((down, across) if header.orientation >= 5 else (across, down)), ""


def exif_applied(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """The stored image turned and mirrored as EXIF `orientation` (1 to 8) asks."""
    transpose, left_right, top_bottom = EXIF_STEPS[orientation]
    if transpose:
        image = np.swapaxes(image, 0, 1)
    if left_right:
        image = image[:, ::-1]
    if top_bottom:
        image = image[::-1]
    return np.ascontiguousarray(image)


def _decoded(content: bytes, index: int, header: ImageHeader, name: str) -> NDArray:
    """Pixels as stored, (H, W[, 3 or 4]) RGB[A], any depth. OpenCV first, MuPDF where it gives up."""
    image = _opencv_pixels(content, index, header)
    if image is None and header.n_pages == 1:
        image = _mupdf_pixels(content)
    if image is None:
        why = header.cut or "its pixels cannot be decoded"
        raise Unreadable(f"{name} cannot be read: {why}; scan or copy it again")
    return image


def _opencv_pixels(content: bytes, index: int, header: ImageHeader) -> NDArray | None:
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # our own errors say it
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    buffer = np.frombuffer(content, np.uint8)
    try:
        if header.n_pages > 1:
            found, images = cv2.imdecodemulti(buffer, flags, range=(index, index + 1))
            image = images[0] if found and len(images) else None
        else:
            image = cv2.imdecode(buffer, flags)
    except cv2.error:
        return None
    if image is None or image.ndim == 2:
        return image
    if image.shape[2] == 3:
        return image[:, :, ::-1]
    return image[:, :, [2, 1, 0, 3]] if image.shape[2] == 4 else image[:, :, 0]


def _mupdf_pixels(content: bytes) -> NDArray[np.uint8] | None:
    pymupdf = _mupdf()
    try:
        pixmap = pymupdf.Pixmap(content)
        if pixmap.colorspace is None or pixmap.colorspace.n not in (1, 3):
            pixmap = pymupdf.Pixmap(pymupdf.csRGB, pixmap)
    except mupdf_errors():
        return None
    image = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, pixmap.n)
    if pixmap.n == 2:
        image = image[:, :, [0, 0, 0, 1]]
    return image[:, :, 0] if pixmap.n == 1 else image


def _on_white(image: NDArray) -> NDArray[np.uint8]:
    """(H, W) or (H, W, 3) uint8: deeper pixels scaled to 8 bits, transparency laid on white."""
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    elif image.dtype == bool:
        image = image.astype(np.uint8) * 255
    elif image.dtype != np.uint8:
        low, high = float(np.nanmin(image)), float(np.nanmax(image))
        image = np.nan_to_num((image - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
    if image.ndim == 2 or image.shape[2] == 3:
        return image
    alpha = image[:, :, 3:].astype(np.uint16)
    shown = image[:, :, :3] * alpha + 255 * (255 - alpha)  # white paper under a transparent drawing
    return ((shown + 127) // 255).astype(np.uint8)


# ---- PDF ---------------------------------------------------------------------------------------

def _mupdf():
    """PyMuPDF, quiet: its warnings are asked for, not printed. The window never needs it."""
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    return pymupdf


def mupdf_errors() -> tuple[type[Exception], ...]:
    """What PyMuPDF raises over a bad file: its own errors are RuntimeErrors, MuPDF's are not."""
    return RuntimeError, ValueError, IndexError, _mupdf().mupdf.FzErrorBase


def open_pdf(content: bytes, name: str, password: str | None = None) -> pymupdf.Document:
    """An opened, unlocked PDF with at least one page. Raises Unreadable, NeedsPassword."""
    pymupdf = _mupdf()
    try:
        pdf = pymupdf.open(stream=content, filetype="pdf")
    except mupdf_errors() as error:
        raise Unreadable(f"{name} is damaged beyond repair: {error}; get another copy") from error
    if pdf.needs_pass and not pdf.authenticate(password or ""):
        pdf.close()
        if password:
            raise NeedsPassword(f"{name}: the password does not open it; give another one")
        raise NeedsPassword(f"{name} is encrypted; give its password")
    if not pdf.page_count:
        pdf.close()
        raise Unreadable(f"{name} has no pages left: the file is cut short or damaged; "
                         "get another copy")
    return pdf


def _pdf_page(source: PageSource, settings: PageSettings) -> Page:
    pymupdf, name = _mupdf(), source.source.name
    with open_pdf(source.source.content, name, source.source.password) as pdf:
        pymupdf.TOOLS.reset_mupdf_warnings()
        try:
            shown = pdf[source.index]
            width, height = shown.rect.width, shown.rect.height  # pt, turned, UserUnit applied
            dpi, dpi_note = _render_dpi(width, height, settings)
            zoom = dpi / POINTS_PER_INCH
            pixmap = shown.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB,
                                      alpha=False)
            n_words = len(shown.get_text("words"))
        except mupdf_errors() as error:
            raise Unreadable(f"{name}, page {source.index + 1} cannot be rendered: {error}; "
                             "repair the file or leave the page out") from error
        warnings = pymupdf.TOOLS.mupdf_warnings()
    image = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3).copy()
    text_note = n_words and f"the page already has text ({n_words} words)"
    warning = warnings and f"MuPDF says: {warnings.splitlines()[0]}"
    return Page(image, dpi, geometry.scaling(1 / zoom), _digest(image, source.index), 1,
                _joined(source.source.note, warning, dpi_note, text_note or ""))


def _render_dpi(width: float, height: float, settings: PageSettings) -> tuple[float, str]:
    """(dpi, note) for a page of width x height pt: the settings' dpi, lower for a huge page."""
    inches2 = width * height / POINTS_PER_INCH ** 2
    if not inches2 > 0:
        raise ValueError("the page has no area")
    limit = float(np.sqrt(settings.max_render_megapixels * PIXELS_PER_MEGAPIXEL / inches2))
    if limit >= settings.dpi:
        return settings.dpi, ""
    dpi = np.floor(limit * 10) / 10 if limit > 1 else limit
    return float(dpi), (f"rendered at {dpi:.4g} dpi instead of {settings.dpi:g}: the page is "
                        f"{width / POINTS_PER_INCH:,.0f} x {height / POINTS_PER_INCH:,.0f} inches")
