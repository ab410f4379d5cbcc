"""CPU time of the component tree against `cv2.MSER` and `connectedComponentsWithStats`, page by page.

    python tests/bench/bench_tree.py DOCUMENTS_DIR [--pages N] [--repeat N] [--json FILE]

On each page the three run in turn, several times over, and the median of each counts
(`time.process_time`, one thread). The tree's time is all of `tree.build`: paper, choice of
threshold, both polarities, hierarchy, variation, panels. `cv2.MSER` gets the grey page, both
polarities, min_diversity=0 and the defaults of `BlobSettings`; making arrays of its points, its
polarity and its hierarchy would come on top. Both get the same least area.
The components are those of Otsu's threshold, whose time does not count.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from core.detector import tree
from core.detector.mser import BlobSettings

SETTINGS = BlobSettings()
IMAGES = {".png", ".jpg", ".jpeg", ".tif"}


def by_tree(gray: np.ndarray) -> None:
    tree.build(gray, SETTINGS.min_area)


def by_mser(gray: np.ndarray) -> None:
    cv2.MSER_create(SETTINGS.delta, SETTINGS.min_area, SETTINGS.max_area, SETTINGS.max_variation,
                    0.0).detectRegions(gray)


def by_components(binary: np.ndarray) -> None:
    cv2.connectedComponentsWithStats(binary)


def milliseconds(call: Callable, image: np.ndarray) -> float:
    start = time.process_time()
    call(image)
    return 1000 * (time.process_time() - start)


def measure(path: Path, repeat: int) -> tuple[float, float, float, float]:
    """(megapixels, ms of tree, of cv2.MSER, of connectedComponentsWithStats) for one page."""
    gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    _, binary = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    runs = [[milliseconds(by_tree, gray), milliseconds(by_mser, gray),
             milliseconds(by_components, binary)] for _ in range(repeat)]
    return gray.size / 1e6, *np.median(runs, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("documents", type=Path)
    parser.add_argument("--pages", type=int, help="a subset of that many, evenly spread")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    paths = sorted(p for p in arguments.documents.rglob("*") if p.suffix.lower() in IMAGES)
    if arguments.pages:
        paths = [paths[i] for i in np.linspace(0, len(paths) - 1, arguments.pages).astype(int)]
    cv2.setNumThreads(1)
    tree.build(cv2.imread(str(paths[0]), cv2.IMREAD_GRAYSCALE))  # compile, or load what was compiled
    rows = []
    for path in paths:
        rows.append(measure(path, arguments.repeat))
        size, mine, mser, components = rows[-1]
        print(f"{path.parent.name + '/' + path.name:40} {size:5.2f} MP  tree {mine:6.1f} ms  "
              f"MSER {mser:6.1f} ms = {mser / mine:5.1f}x  components {components:5.1f} ms, "
              f"tree = {mine / components:4.2f}x", flush=True)
    size, mine, mser, components = np.array(rows).T
    figures = {
        "pages": len(rows), "megapixels": round(float(size.sum()), 1),
        "ms_per_megapixel": round(float(mine.sum() / size.sum()), 2),
        "mser_to_tree": round(float(mser.sum() / mine.sum()), 2),
        "mser_to_tree_one_page_in_ten_below": round(float(np.percentile(mser / mine, 10)), 2),
        "mser_to_tree_worst": round(float((mser / mine).min()), 2),
        "tree_to_components": round(float(mine.sum() / components.sum()), 2),
        "tree_to_components_worst": round(float((mine / components).max()), 2)}
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
