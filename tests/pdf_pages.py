"""Small PDF and image pages whose words and places are known exactly, for the tests of the PDF side."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pymupdf

from core import geometry
from core.reading import Lines, Page, Parents, Upright, Words

WORDS = ("The", "quick", "brown", "fox", "a", "I", "jumps", "over", "12.50", "naïve", "€3,99",
         "Œuvre", "f&n", "dog!")
PER_LINE = 4
WORD_HEIGHT, WORD_GAP, LINE_STEP = 10.0, 4.0, 24.0  # visible points


def word_quads(n: int, width: float, degrees: float = 0.0, left: float = 30.0,
               top: float = 40.0) -> tuple[np.ndarray, np.ndarray]:
    """(quads (n, 4, 2), line (n,)): rows of words inside a page `width` wide, visible points,
    the whole turned by `degrees` clockwise about the first word."""
    quads, line, x = [], [], left
    for i in range(n):
        if i % PER_LINE == 0:
            x = left
        y = top + (i // PER_LINE) * LINE_STEP
        w = max(len(WORDS[i % len(WORDS)]) * 5.0, 4.0)
        quads.append([(x, y), (x + w, y), (x + w, y + WORD_HEIGHT), (x, y + WORD_HEIGHT)])
        line.append(i // PER_LINE)
        x += w + WORD_GAP
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0]])
    about = geometry.compose(geometry.translation(left, top),
                             geometry.compose(turn, geometry.translation(-left, -top)))
    return geometry.apply(about, np.array(quads)), np.array(line, np.int32)


def words_table(texts, upright_quads, line) -> Words:
    """Words with the given quads (upright px)."""
    n, quad = len(texts), np.asarray(upright_quads, np.float32).reshape(-1, 4, 2)
    zero = np.zeros(n, np.int32)
    return Words(np.array(texts, dtype=f"<U{max([1, *map(len, texts)])}"), quad,
                 geometry.boxes_from_quads(quad), np.ones(n, np.float32),
                 np.asarray(line, np.int32), zero, zero, Parents.one_each("attempts", np.arange(n)))


def upright_of(page: Page, turns: int = 0) -> Upright:
    """The page turned by `turns` counterclockwise quarter turns."""
    gray = np.zeros((page.size[1], page.size[0]), np.uint8)
    turned = geometry.quarter_turns(turns, *page.size)
    return Upright(turns, np.eye(4, dtype=np.float32)[turns], np.rot90(gray, turns),
                   geometry.invert(turned))


def lines_of(words: Words, baseline_y: float | None = None) -> Lines:
    """One line per value of `words.line`; its baseline at `baseline_y`, or along the words' bottoms."""
    n = int(words.line.max()) + 1 if len(words) else 0
    quads, points = [], []
    for row in range(n):
        mine = words.quad[words.line == row]
        quads.append([mine[0, 0], mine[-1, 1], mine[-1, 2], mine[0, 3]])
        points.append(mine[:, 2:].mean(1))
        if baseline_y is not None:
            points[-1][:, 1] = baseline_y
    offsets = np.concatenate([[0], np.cumsum([len(p) for p in points])]).astype(np.int64)
    quad = np.array(quads, np.float32).reshape(-1, 4, 2)
    f, u = np.zeros(n, np.float32), np.zeros(n, np.uint8)
    return Lines(quad, geometry.boxes_from_quads(quad), offsets,
                 np.concatenate([np.zeros((0, 2)), *points]).astype(np.float32), f + 5, u, u, f, f,
                 Parents.from_lists("blobs", [[] for _ in range(n)]))


def pdf_page(width: float = 300, height: float = 240, rotate: int = 0, crop=None, unit: float = 1,
             content: bytes = b"", n_pages: int = 1) -> bytes:
    """A PDF whose pages hold a picture (noise, so that any shift shows) and no text.

    content: put before the picture, inside the page's stream and not balanced, so it leaks.
    """
    pdf = pymupdf.open()
    noise = np.random.default_rng(1).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    for _ in range(n_pages):
        page = pdf.new_page(width=width, height=height)
        page.insert_image(pymupdf.Rect(20, 20, width - 40, height - 70),
                          stream=cv2.imencode(".png", noise)[1].tobytes(), keep_proportion=False)
        if content:
            own = b"".join(pdf.xref_stream(xref) for xref in page.get_contents())
            xref = pdf.get_new_xref()
            pdf.update_object(xref, "<<>>")
            pdf.update_stream(xref, content + b"\n" + own)
            pdf.xref_set_key(page.xref, "Contents", f"{xref} 0 R")
        if crop:
            pdf.xref_set_key(page.xref, "CropBox", f"[{' '.join(map(str, crop))}]")
        if rotate:
            pdf.xref_set_key(page.xref, "Rotate", str(rotate))
        if unit != 1:
            pdf.xref_set_key(page.xref, "UserUnit", f"{unit:g}")
    return pdf.tobytes()


def image_file(path: Path, image: np.ndarray) -> Path:
    """`image` encoded as its name's ending says."""
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


def exif_jpeg(path: Path, image: np.ndarray, orientation: int) -> Path:
    """A JPEG whose header says it must be turned."""
    content = cv2.imencode(".jpg", image)[1].tobytes()
    tiff = (b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0"
            + bytes([orientation]) + b"\0\0\0" + b"\0\0\0\0")
    body = b"Exif\0\0" + tiff
    path.write_bytes(content[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
                     + content[2:])
    return path
