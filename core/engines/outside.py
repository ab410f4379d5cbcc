"""Engines of others, where they are installed: a second opinion on the same page.

Their readings fill only `page` and `words`; without `upright` the words are in page px.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from core import geometry
from core.errors import Missing, StageFailed
from core.reading import Page, Parents, Reading, Words, text_array

SECONDS = 300  # a page that takes another engine longer than this has failed


def words_table(texts: list[str], quads, confidence, lines) -> Words:
    """A `words` table, page px, of words that came from no attempt of ours."""
    quad = np.asarray(quads, np.float32).reshape(-1, 4, 2)
    n = len(texts)
    return Words(text_array(texts), quad, geometry.boxes_from_quads(quad),
                 np.asarray(confidence, np.float32), np.asarray(lines, np.int32),
                 np.zeros(n, np.int32), np.array([len(t) for t in texts], np.int32),
                 Parents.from_lists("attempts", [[]] * n))


class Tesseract:
    """The `tesseract` command with its default settings (English, automatic page segmentation)."""

    name = "tesseract"

    def __init__(self) -> None:
        self.command = shutil.which("tesseract")
        if self.command is None:
            raise Missing("the command tesseract is not installed; install tesseract-ocr "
                          "(Debian, Ubuntu) or tesseract (Homebrew), or choose another engine")

    def read(self, page: Page) -> Reading:
        """Words with the boxes and confidences of Tesseract's TSV output."""
        import cv2
        with tempfile.TemporaryDirectory() as folder:
            image = Path(folder) / "page.png"
            stored = page.image if page.image.ndim == 2 else page.image[:, :, ::-1]
            if not cv2.imwrite(str(image), stored):
                raise StageFailed("words", f"could not write {image} for tesseract")
            # no --dpi: 300 for files that do not say costs it .08 of F1 on 100 dpi forms; it guesses better
            try:
                done = subprocess.run(
                    [self.command, str(image), "stdout", "tsv"],
                    capture_output=True, text=True, encoding="utf-8", timeout=SECONDS, check=False,
                    env={**os.environ, "OMP_THREAD_LIMIT": "1"})
            except subprocess.TimeoutExpired as error:
                raise StageFailed("words", f"tesseract took more than {SECONDS} s") from error
        if done.returncode:
            raise StageFailed("words", f"tesseract ended with {done.returncode}: "
                                       f"{done.stderr.strip()[-300:]}")
        return Reading(page=page, words=words_from_tsv(done.stdout))


def words_from_tsv(tsv: str) -> Words:
    """Tesseract's TSV (level 5 = word; left, top, width, height in px) as a table of words."""
    texts, boxes, confidence, lines, numbers = [], [], [], [], {}
    for row in csv.DictReader(io.StringIO(tsv), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] != "5" or not row["text"].strip():
            continue
        line = (row["block_num"], row["par_num"], row["line_num"])
        x, y, width, height = (float(row[k]) for k in ("left", "top", "width", "height"))
        for text in row["text"].split():
            texts.append(text)
            boxes.append([x, y, x + width, y + height])
            confidence.append(max(0.0, float(row["conf"])) / 100)
            lines.append(numbers.setdefault(line, len(numbers)))
    quads = geometry.quads_from_boxes(np.array(boxes, np.float32).reshape(-1, 4))
    return words_table(texts, quads, confidence, lines)


class Rapid:
    """RapidOCR (PaddleOCR's nets under ONNX Runtime), English words cut from its lines."""

    name = "rapidocr"

    def __init__(self) -> None:
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise Missing(f"rapidocr cannot be used ({error}); run pip install rapidocr onnxruntime, "
                          "or choose another engine") from error
        self.engine = RapidOCR()

    def read(self, page: Page) -> Reading:
        """Words of RapidOCR's lines; a word's quad is its share of the line by characters."""
        found = self.engine(page.image if page.image.ndim == 2 else page.image[:, :, ::-1])
        texts, quads, confidence, lines = [], [], [], []
        if found.txts is None:
            return Reading(page=page, words=words_table([], [], [], []))
        for line, (text, quad, score) in enumerate(zip(found.txts, found.boxes, found.scores,
                                                       strict=True)):
            start = 0
            for word in text.split(" "):
                if word:
                    texts.append(word)
                    quads.append(part_of_quad(quad, start / len(text),
                                              (start + len(word)) / len(text)))
                    confidence.append(score)
                    lines.append(line)
                start += len(word) + 1
        return Reading(page=page, words=words_table(texts, quads, confidence, lines))


def part_of_quad(quad, start: float, end: float) -> np.ndarray:
    """(4, 2): the part of a quad between two shares (0..1) of its length."""
    q = np.asarray(quad, np.float64)
    top, bottom = q[1] - q[0], q[2] - q[3]
    return np.array([q[0] + start * top, q[0] + end * top, q[3] + end * bottom, q[3] + start * bottom])
