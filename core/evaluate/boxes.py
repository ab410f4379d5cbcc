"""How well word boxes fit the truth of real documents: `main.py evaluate --boxes DIR`.

A documents folder holds CATEGORY/NAME.png|jpg with NAME.json beside it (`level`, `items`; the
README tells the format). Boxes are made on the images as they stand: stored images are upright.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.detector import grouping, mser
from core.errors import Missing, Unreadable
from core.files import write_text
from core.reading import Boxes, Upright, kept

HIT_IOU = 0.5          # the usual bar for "found" (ICDAR robust reading)
IGNORED_PART = 0.5     # of a predicted box inside an ignored item: neither hit nor false alarm
SHARED_HEIGHT = 0.5    # of the lower one: a box on another line covers nothing of this one
WORD_SPACE = 1.0       # segment heights: 99.7 % of the spaces between receipts' words are narrower
IMAGES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class BoxScore:
    """Counts that add up over pages. Widths in px; the ratios are None where nothing was measured."""

    hits: int = 0
    truths: int = 0
    predictions: int = 0
    covered_px: float = 0.0
    strict_px: float = 0.0
    truth_px: float = 0.0
    seconds: float = 0.0
    pages: int = 0

    def __add__(self, other: BoxScore) -> BoxScore:
        mine, theirs = asdict(self), asdict(other)
        return BoxScore(**{key: mine[key] + theirs[key] for key in mine})

    def figures(self) -> dict[str, float | int | None]:
        """What the command prints and writes: recall, precision, covered, ms_per_page, pages.

        `covered_strict` leaves out the spaces between words, see `covered_width`.
        """
        def ratio(a: float, b: float) -> float | None:
            return round(a / b, 4) if b else None
        return {"recall": ratio(self.hits, self.truths),
                "precision": ratio(self.hits, self.predictions),
                "covered": ratio(self.covered_px, self.truth_px),
                "covered_strict": ratio(self.strict_px, self.truth_px),
                "ms_per_page": ratio(1000 * self.seconds, self.pages), "pages": self.pages}


@dataclass(frozen=True)
class Truth:
    """Truth of one page, px of the stored image.

    box (n, 4) float32, ignore (n,) bool; spaces (n,) int64, between the words of each item's text.
    """

    level: str
    box: NDArray[np.float32]
    ignore: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    spaces: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


def read_truth(path: Path) -> Truth:
    """The truth file of one document. Raises `Unreadable` naming it."""
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
        items = page["items"]
        box = np.array([item["box"] for item in items], np.float32).reshape(-1, 4)
        ignore = np.array([bool(item.get("ignore")) for item in items], bool)
        spaces = np.array([max(0, len(item["text"].split()) - 1) for item in items], np.int64)
        return Truth(page["level"], box, ignore, spaces)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{path}: no truth file in the documents format ({error})") from error


def score_boxes(box: NDArray, truth: Truth) -> BoxScore:
    """Score of predicted boxes (n, 4) in the frame of `truth`, without time.

    Word truth: one-to-one hits at IoU >= .5. Line truth: the part of the segments' width that
    boxes on the same line cover (`covered_width`); words inside a segment have no boxes to compare
    with.
    """
    box = np.asarray(box, np.float32).reshape(-1, 4)
    wanted = truth.box[~truth.ignore]
    if truth.level == "line":
        spaces = truth.spaces[~truth.ignore] if len(truth.spaces) else np.zeros(len(wanted), int)
        inside, between = covered_width(box, wanted, spaces)
        return BoxScore(covered_px=inside + between, strict_px=inside,
                        truth_px=float(np.clip(wanted[:, 2] - wanted[:, 0], 0, None).sum()),
                        pages=1)
    hit = matches(box, wanted)
    if truth.ignore.any() and len(box):
        inside = geometry.intersection(box, truth.box[truth.ignore]).max(1)
        free = np.ones(len(box), bool)
        free[hit[:, 0]] = False
        box = box[~(free & (inside > IGNORED_PART * np.maximum(geometry.areas(box), 1e-6)))]
    return BoxScore(hits=len(hit), truths=len(wanted), predictions=len(box), pages=1)


def matches(box: NDArray, wanted: NDArray) -> NDArray[np.int64]:
    """(m, 2) rows of `box` (n, 4) and of `wanted` (k, 4) that match, best IoU first, each row once."""
    if len(box) == 0 or len(wanted) == 0:
        return np.zeros((0, 2), np.int64)
    overlap = geometry.iou(box, wanted)
    a, b = np.nonzero(overlap >= HIT_IOU)
    found, used_a, used_b = [], set(), set()
    for k in np.argsort(-overlap[a, b], kind="stable"):
        if a[k] not in used_a and b[k] not in used_b:
            used_a.add(a[k])
            used_b.add(b[k])
            found.append((a[k], b[k]))
    return np.array(found, np.int64).reshape(-1, 2)


def covered_width(box: NDArray, segments: NDArray, spaces: NDArray) -> tuple[float, float]:
    """Px of the width of `segments` (k, 4) that boxes (n, 4) of the same line cover, in total, and
    px of the spaces between them.

    Word boxes leave out the spaces between words, which are part of a segment. So a gap between two
    boxes counts as covered too when it is no wider than the segment is high and the segment's text
    has a space for it: the narrowest gaps first, `spaces` (k,) of them at most. By its width alone
    a space cannot be told from the hole that one missed letter leaves.
    """
    inside = between = 0.0
    for (x0, y0, x1, y1), most in zip(np.asarray(segments, np.float64), spaces, strict=True):
        shared = np.minimum(box[:, 3], y1) - np.maximum(box[:, 1], y0)
        low = np.minimum(box[:, 3] - box[:, 1], y1 - y0)
        mine = box[(shared >= SHARED_HEIGHT * low) & (box[:, 0] < x1) & (box[:, 2] > x0)]
        reached, gaps = x0, []
        for a, b in sorted(zip(np.maximum(mine[:, 0], x0), np.minimum(mine[:, 2], x1), strict=True)):
            if reached > x0 and 0 < a - reached <= WORD_SPACE * (y1 - y0):
                gaps.append(a - reached)
            inside += max(0.0, b - max(a, reached))
            reached = max(reached, b)
        between += sum(sorted(gaps)[:int(most)])
    return float(inside), float(between)


def upright_of(path: Path) -> Upright:
    """The image as it stands. Raises `Unreadable` naming the file."""
    # imdecode, not imread: imread only prints a warning, and fails on names outside the code page
    gray = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if gray is None:
        raise Unreadable(f"{path}: no readable image; remove it or store it again as PNG")
    return Upright(0, np.array([1, 0, 0, 0], np.float32), gray, geometry.IDENTITY,
                   "taken as it stands")


def word_detector(upright: Upright, blob_settings: mser.BlobSettings = mser.BlobSettings(),
                  line_settings: grouping.LineSettings = grouping.LineSettings(),
                  box_settings: grouping.BoxSettings = grouping.BoxSettings()) -> Boxes:
    """Stages blobs, lines and boxes in one call."""
    blobs = mser.blobs(upright, blob_settings)
    lines = grouping.lines(upright, blobs, line_settings)
    return grouping.word_boxes(upright, blobs, lines, box_settings)


def documents(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """(category, image, truth file) of each document under `folder`, sorted.

    Raises `Missing` when there is none.
    """
    images = sorted(p for p in folder.rglob("*")
                    if p.suffix.lower() in IMAGES and p.with_suffix(".json").exists())
    if not images:
        raise Missing(f"{folder}: no documents; it must hold CATEGORY/NAME.png or .jpg, each with "
                      "its NAME.json beside it")
    for image in images:
        yield image.parent.name, image, image.with_suffix(".json")


def evaluate(folder: Path) -> dict[str, dict]:
    """`overall` figures and `categories` by name, over all documents under `folder`."""
    by_category: dict[str, BoxScore] = {}
    for category, image, truth in documents(folder):
        upright = upright_of(image)
        begin = time.process_time()
        boxes = word_detector(upright)
        seconds = time.process_time() - begin
        score = score_boxes(boxes.box[kept(boxes)], read_truth(truth)) + BoxScore(seconds=seconds)
        by_category[category] = by_category.get(category, BoxScore()) + score
    overall = sum(by_category.values(), BoxScore())
    return {"overall": overall.figures(),
            "categories": {name: score.figures() for name, score in by_category.items()}}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `evaluate --boxes DIR [--json FILE]`."""
    parser.add_argument("--boxes", type=Path, metavar="DIR",
                        help="score the Word Detector's boxes on the documents under DIR; covered = part "
                             "of the truth segments' width inside boxes or in the spaces between "
                             "two of them that the text has (no wider than the segment is high), "
                             "strict = inside boxes only")
    if not any("--json" in action.option_strings for action in parser._actions):
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")


def run(args: argparse.Namespace) -> int:
    """Print the table of figures by category; write them as JSON where asked. Exit code."""
    figures = evaluate(args.boxes)
    print(f"{'category':<18}{'recall':>9}{'precision':>11}{'covered':>9}{'strict':>9}{'ms/page':>9}{'pages':>7}")
    for name, row in [*figures["categories"].items(), ("overall", figures["overall"])]:
        cells = ["-" if row[key] is None else f"{row[key]:.3f}"
                 for key in ("recall", "precision", "covered", "covered_strict")]
        print(f"{name:<18}{cells[0]:>9}{cells[1]:>11}{cells[2]:>9}{cells[3]:>9}"
              f"{row['ms_per_page'] or 0:>9.0f}{row['pages']:>7}")
    if args.json:
        write_text(args.json, json.dumps(figures, indent=1))
    return 0
