"""Recognisers of others on the same word crops, where they are installed: to compare with.

Each gets the crop from the page itself, a little wider than the box and enlarged to the height it
likes, and is told that it is one line of text. The time is the recogniser's alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import Missing, StageFailed, Unreadable, Usage
from core.evaluate.words import WordTruth

NAMES = ("tesseract", "rapidocr")
AROUND = 0.25  # box heights of page about the box
HEIGHT = 48  # px of a crop: PP-OCR's own input height, and 30 px capitals for Tesseract
TESSDATA = ("usr/share/tesseract-ocr/*/tessdata/eng.traineddata",  # Debian, Ubuntu
            "usr/share/tessdata/eng.traineddata", "opt/homebrew/share/tessdata/eng.traineddata")
AT_ONCE = 250  # crops for one call of the tesseract command

Crop = NDArray[np.uint8]
# Crops to (texts, confidences 0..1 or NaN).
Recogniser = Callable[[list[Crop]], tuple[list[str], NDArray[np.float32]]]


def crops_of(truth: list[WordTruth], root: Path) -> list[Crop]:
    """Gray crops, HEIGHT px high, one a row. Raises Unreadable for a missing image."""
    crops, name, gray = [], None, None
    for word in truth:
        if word.file != name:
            name, gray = word.file, cv2.imread(str(Path(root) / word.file), cv2.IMREAD_GRAYSCALE)
            if gray is None:
                raise Unreadable(f"{Path(root) / word.file}: cannot be read as an image")
        x0, y0, x1, y1 = word.box
        pad = AROUND * (y1 - y0)
        a, b = max(0, int(y0 - pad)), max(0, int(x0 - pad))
        crop = gray[a:max(a + 2, round(y1 + pad)), b:max(b + 2, round(x1 + pad))]
        width = max(8, round(crop.shape[1] * HEIGHT / crop.shape[0]))
        shrinks = crop.shape[0] > HEIGHT
        crops.append(cv2.resize(crop, (width, HEIGHT), interpolation=cv2.INTER_AREA if shrinks
                                else cv2.INTER_CUBIC))
    return crops


def recogniser(name: str) -> tuple[str, Recogniser]:
    """(name with version, the recogniser). Raises Usage, or Missing where it is not installed."""
    if name == "tesseract":
        try:
            import tesserocr  # noqa: F401  # asked for here, used below
            return _tesserocr()
        except ImportError:
            return _tesseract_command()
    if name == "rapidocr":
        return _rapidocr()
    raise Usage(f"{name!r} is no engine; choose one of ours, {', '.join(NAMES)}")


def read_with(reader: Recogniser, crops: list[Crop]) -> tuple[list[str], NDArray[np.float32], float]:
    """(texts, confidences, ms a word)."""
    start = time.perf_counter()
    texts, confidence = reader(crops)
    return texts, confidence, 1000 * (time.perf_counter() - start) / max(1, len(crops))


def _tesserocr() -> tuple[str, Recogniser]:
    import tesserocr

    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    found = [p.parent for pattern in TESSDATA for p in sorted(Path("/").glob(pattern))]
    if "TESSDATA_PREFIX" not in os.environ and not found:
        return _tesseract_command()  # it knows where its own language data are
    api = tesserocr.PyTessBaseAPI(path=os.environ.get("TESSDATA_PREFIX") or f"{found[-1]}/",
                                  psm=tesserocr.PSM.SINGLE_LINE)

    def read(crops: list[Crop]) -> tuple[list[str], NDArray[np.float32]]:
        texts, confidence = [], []
        for crop in crops:
            api.SetImageBytes(crop.tobytes(), crop.shape[1], crop.shape[0], 1, crop.shape[1])
            texts.append(api.GetUTF8Text().strip())
            confidence.append(api.MeanTextConf() / 100)
        return texts, np.array(confidence, np.float32)

    return f"Tesseract {tesserocr.tesseract_version().split()[1]} (tesserocr)", read


def _tesseract_command() -> tuple[str, Recogniser]:
    command = shutil.which("tesseract")
    if command is None:
        raise Missing("neither tesserocr nor the command tesseract is installed; run "
                      "pip install .[peers], or install tesseract-ocr")
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    version = (said.stdout or said.stderr).split("\n")[0].split()[-1]

    def read(crops: list[Crop]) -> tuple[list[str], NDArray[np.float32]]:
        texts: list[str] = []
        for start in range(0, len(crops), AT_ONCE):
            texts += _tesseract_texts(command, crops[start:start + AT_ONCE])
        return texts, np.full(len(crops), np.nan, np.float32)

    return f"Tesseract {version} (command)", read


def _tesseract_texts(command: str, crops: list[Crop]) -> list[str]:
    """Texts of crops in one call: a list of files in, one page each out, form feeds between."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for k, crop in enumerate(crops):
            names.append(str(Path(folder) / f"{k:04d}.png"))
            cv2.imwrite(names[-1], crop)
        listed = Path(folder) / "crops.txt"
        listed.write_text("\n".join(names) + "\n", encoding="utf-8")
        done = subprocess.run([command, str(listed), "stdout", "--psm", "7"], check=False,
                              capture_output=True, text=True, encoding="utf-8", errors="replace",
                              env={**os.environ, "OMP_THREAD_LIMIT": "1"})
    pages = done.stdout.split("\f")
    if len(pages) == len(crops) + 1:  # some versions end the last page with a form feed too
        pages.pop()
    if done.returncode or len(pages) != len(crops):
        raise StageFailed("peers", f"tesseract gave {len(pages)} texts for {len(crops)} crops "
                          f"(exit code {done.returncode}): {done.stderr.strip()[-200:]}")
    return [page.strip() for page in pages]


def _rapidocr() -> tuple[str, Recogniser]:
    from importlib.metadata import version
    try:
        from rapidocr import RapidOCR
        engine = RapidOCR()
    except ImportError as error:
        raise Missing(f"rapidocr cannot be used ({error}); run pip install .[peers]") from error

    def read(crops: list[Crop]) -> tuple[list[str], NDArray[np.float32]]:
        texts, confidence = [], []
        for crop in crops:
            found = engine(cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR), use_det=False, use_cls=False,
                           use_rec=True)
            texts.append(" ".join(found.txts or ()).strip())
            confidence.append(float(found.scores[0]) if found.scores else 0.0)
        return texts, np.array(confidence, np.float32)

    nets = f"{engine.cfg.Rec.ocr_version.value} {engine.cfg.Rec.model_type.value}"
    return f"RapidOCR {version('rapidocr')} ({nets})", read
