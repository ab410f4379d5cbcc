"""An image as a PDF page: the JPEG's own bytes untouched, everything else without loss."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.image_header import NEXT_MARKER, SOF_MARKERS, ImageHeader
from core.load import EXIF_STEPS

if TYPE_CHECKING:
    import pymupdf

COLOUR_SPACES = {1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}
# Frames that DCTDecode reads in every viewer: baseline, extended sequential, progressive Huffman.
EMBEDDABLE_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
ZLIB_LEVEL = 6


def add_jpeg(pdf: pymupdf.Document, content: bytes, header: ImageHeader) -> int | None:
    """xref of an image object holding the JPEG file as it is; None where PDF could not show it."""
    frame = _jpeg_frame(content)
    if frame is None or header.cut:
        return None
    precision, n_components, inverted = frame
    if precision != 8 or n_components not in COLOUR_SPACES:
        return None
    decode = "/Decode [1 0 1 0 1 0 1 0]" if inverted else ""
    return _add_image(pdf, header.width, header.height, COLOUR_SPACES[n_components], 8,
                      content, "/DCTDecode", decode)


def add_pixels(pdf: pymupdf.Document, image: NDArray[np.uint8]) -> int:
    """xref of an image object with the pixels (H, W) or (H, W, 3), deflated; 1 bit where they are
    only black and white."""
    if image.ndim == 3 and (image[:, :, :1] == image[:, :, 1:]).all():
        image = np.ascontiguousarray(image[:, :, 0])
    height, width = image.shape[:2]
    if image.ndim == 2 and ((image == 0) | (image == 255)).all():
        rows, bits, n = np.packbits(image > 0, axis=1), 1, 1
    else:
        rows, bits, n = image.reshape(height, -1), 8, 1 if image.ndim == 2 else 3
    # PNG's "up" filter: a scan's rows resemble each other, a third off the size of plain deflate.
    before = np.vstack([np.zeros((1, rows.shape[1]), np.uint8), rows[:-1]])
    filtered = np.hstack([np.full((height, 1), 2, np.uint8), rows - before])
    parms = (f"/DecodeParms <</Predictor 15 /Colors {n} /BitsPerComponent {bits} "
             f"/Columns {width}>>")
    return _add_image(pdf, width, height, COLOUR_SPACES[n], bits,
                      zlib.compress(filtered.tobytes(), ZLIB_LEVEL), "/FlateDecode", parms)


def _add_image(pdf: pymupdf.Document, width: int, height: int, colour_space: str, bits: int,
               stream: bytes, coding: str, more: str) -> int:
    xref = pdf.get_new_xref()
    pdf.update_object(xref, f"<</Type /XObject /Subtype /Image /Width {width} /Height {height} "
                            f"/ColorSpace {colour_space} /BitsPerComponent {bits} {more}>>")
    parms = pdf.xref_get_key(xref, "DecodeParms")
    pdf.update_stream(xref, stream, compress=False)  # drops Filter and DecodeParms: set after
    pdf.xref_set_key(xref, "Filter", coding)
    if parms[0] != "null":
        pdf.xref_set_key(xref, "DecodeParms", parms[1])
    return xref


def _jpeg_frame(content: bytes) -> tuple[int, int, bool] | None:
    """(bits, components, whether its CMYK is inverted) of a JPEG; None for a frame PDF has not.

    Adobe programs write CMYK inverted and mark the file with an APP14 "Adobe" segment.
    """
    adobe, at = False, 2
    while (match := NEXT_MARKER.search(content, at)) is not None:
        marker, at = content[match.start() + 1], match.end()
        if marker in SOF_MARKERS:
            precision, n_components = content[at + 2], content[at + 7]
            inverted = adobe and n_components == 4
            return (precision, n_components, inverted) if marker in EMBEDDABLE_FRAMES else None
        if marker == 0xEE and content[at + 2:at + 7] == b"Adobe":
            adobe = True
        at += int.from_bytes(content[at:at + 2], "big")
    return None


def page_from_stored(orientation: int, width: int, height: int) -> NDArray[np.float64]:
    """(2, 3): px of the stored image (width x height) -> page px after EXIF `orientation`."""
    transpose, left_right, top_bottom = EXIF_STEPS[orientation]
    affine = geometry.IDENTITY
    if transpose:
        affine, width, height = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), height, width
    if left_right:
        affine = geometry.compose(np.array([[-1.0, 0.0, width], [0.0, 1.0, 0.0]]), affine)
    if top_bottom:
        affine = geometry.compose(np.array([[1.0, 0.0, 0.0], [0.0, -1.0, height]]), affine)
    return affine


def drawing(name: str, width: int, height: int, user_from_px: NDArray) -> bytes:
    """Content stream that draws image resource `name` of width x height px."""
    px_from_square = np.array([[width, 0.0, 0.0], [0.0, -height, height]])  # PDF's unit square, y up
    (a, c, e), (b, d, f) = geometry.compose(user_from_px, px_from_square)
    return f"q {a:.6f} {b:.6f} {c:.6f} {d:.6f} {e:.6f} {f:.6f} cm /{name} Do Q\n".encode()
