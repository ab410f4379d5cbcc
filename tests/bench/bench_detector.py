"""The Word Detector's time by stage, and what skew and a phone's camera cost it.

    python tests/bench/bench_detector.py DOCUMENTS_DIR [--pages N] [--drawn N] [--json FILE]

Time: CPU ms (`time.process_time`, one thread, median of three) of blobs, and of grouping (lines and
word boxes), page by page, and grouping per 400 words. Skew: N drawn pages with known words, upright
and turned by 5 and 10 degrees either way; a hit is an IoU of at least .5 of the words' bounds.
Photos: pages of DOCUMENTS_DIR with word truth, photographed by `core.synth.page_transforms`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from core import geometry
from core.detector import grouping, mser
from core.evaluate.boxes import (
    BoxScore,
    Truth,
    documents,
    read_truth,
    score_boxes,
    upright_of,
    word_detector,
)
from core.reading import Upright, kept
from core.synth import page as synth_page
from core.synth.page_transforms import PhotoSettings, photograph

DEGREES = (0, -10, -5, 5, 10)
SEED = 71


def as_upright(gray: np.ndarray) -> Upright:
    return Upright(0, np.array([1, 0, 0, 0], np.float32), gray, geometry.IDENTITY, "as it stands")


def timed(upright: Upright) -> tuple[float, float, int]:
    """(ms of blobs, ms of grouping, words): medians of three runs."""
    runs = []
    for _ in range(3):
        start = time.process_time()
        blobs = mser.blobs(upright)
        middle = time.process_time()
        boxes = grouping.word_boxes(upright, blobs, grouping.lines(upright, blobs))
        runs.append((1000 * (middle - start), 1000 * (time.process_time() - middle)))
    return *np.median(runs, axis=0), len(kept(boxes))


def scored(gray: np.ndarray, truth: Truth) -> BoxScore:
    boxes = word_detector(as_upright(gray))
    return score_boxes(boxes.box[kept(boxes)], truth)


def turned(gray: np.ndarray, box: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """(page, bounds of the words) turned about the page's middle, with room for its corners."""
    height, width = gray.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    room = np.ceil(np.abs(matrix[:, :2]) @ (width, height)).astype(int)
    matrix[:, 2] += (room - (width, height)) / 2
    page = cv2.warpAffine(gray, matrix, tuple(int(v) for v in room), flags=cv2.INTER_CUBIC,
                          borderValue=int(np.median(gray)))
    return page, geometry.transform_boxes(matrix, box)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("documents", type=Path)
    parser.add_argument("--pages", type=int, default=12, help="real pages, evenly spread")
    parser.add_argument("--drawn", type=int, default=10, help="drawn pages")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    every = [(image, truth) for _, image, truth in documents(arguments.documents)]
    chosen = [every[i] for i in np.linspace(0, len(every) - 1, arguments.pages).astype(int)]
    timed(upright_of(chosen[0][0]))  # compile, or load what was compiled
    times = np.array([timed(upright_of(image)) for image, _ in chosen])
    figures: dict[str, object] = {
        "ms_blobs": round(float(times[:, 0].mean()), 1),
        "ms_grouping": round(float(times[:, 1].mean()), 1),
        "ms_grouping_per_400_words": round(float(400 * times[:, 1].sum() / times[:, 2].sum()), 1)}
    by_angle = {degrees: BoxScore() for degrees in DEGREES}
    for i in range(arguments.drawn):
        drawn = synth_page.page(synth_page.PageSettings(), SEED, i)
        box = np.array([item.box for item in drawn.items], np.float32).reshape(-1, 4)
        for degrees in DEGREES:
            gray, bounds = turned(drawn.image, box, degrees)
            by_angle[degrees] += scored(gray, Truth("word", bounds, np.zeros(len(box), bool)))
    figures["drawn"] = {str(d): score.figures()["recall"] for d, score in by_angle.items()}
    words = [(image, truth) for image, truth in every if read_truth(truth).level == "word"]
    words = [words[i] for i in np.linspace(0, len(words) - 1, arguments.pages).astype(int)]
    flat, photos = BoxScore(), BoxScore()
    for i, (image, path) in enumerate(words):
        gray, truth = upright_of(image).gray, read_truth(path)
        photo = photograph(gray, truth.box, PhotoSettings(), SEED, i)
        flat += scored(gray, truth)
        photos += scored(photo.image, Truth("word", photo.box, truth.ignore))
    figures["flat"], figures["photographed"] = flat.figures()["recall"], photos.figures()["recall"]
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
