"""Draw what the net learns from: word windows, whole pages, photos of pages.

    main.py synth --count 1000 --seed 1 --out DIR            images, samples.tsv, recipes
    main.py synth --release --count 100000 --seed 1 --out DIR   shards, data card, licences
    main.py synth --pages --count 20 --seed 1 --out DIR      pages with exact truth, by kind
    main.py synth --photos DOCUMENTS_DIR --seed 1 --out DIR  documents photographed: DIR/photos
    main.py synth --histogram --count 20000 --seed 1         how often each character is drawn
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from core.errors import Usage

DEFAULT_COUNT = 1000
BAR = 60  # characters of the histogram's longest bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `main.py synth`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--pages", action="store_true", help="draw whole pages")
    what.add_argument("--photos", type=Path, metavar="DOCUMENTS_DIR",
                      help="photograph the documents of a folder")
    what.add_argument("--release", action="store_true", help="write shards with a data card")
    what.add_argument("--histogram", action="store_true", help="count characters, draw no image")
    parser.add_argument("--count", type=int, metavar="N",
                        help=f"samples, pages or photos (default {DEFAULT_COUNT}; photos: all)")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--start", type=int, default=0, metavar="I", help="number of the first")
    parser.add_argument("--out", type=Path, metavar="DIR")
    parser.add_argument("--forms", action="store_true",
                        help="with --photos: the category `forms`, too")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="values",
                        help="a setting, such as blur=0 (repeatable)")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; the exit code. Raises Usage, Missing or Unreadable."""
    if args.count is not None and args.count < 1 or args.start < 0 or args.seed < 0:
        raise Usage("--count must be at least 1, --seed and --start at least 0")
    if args.out is None and not args.histogram:
        raise Usage("name a folder for what is drawn: --out DIR")
    import cv2
    cv2.setNumThreads(1)
    count = args.count or DEFAULT_COUNT
    if args.photos:
        return _photos(args)
    if args.pages:
        return _pages(args, count)
    from core.synth import release
    from core.synth.fonts import default_atlas
    from core.synth.sample import SampleSettings, sample
    from core.synth.sample_files import Batch
    settings, atlas = _with(SampleSettings(), args.values), default_atlas()
    if args.histogram:
        return _histogram(settings, args.seed, count)
    if args.release:
        release.write_release(settings, args.seed, count, args.out, atlas)
    else:
        with Batch(args.out, settings, args.seed) as batch:
            for i in range(args.start, args.start + count):
                batch.add(i, sample(settings, args.seed, i, atlas))
    print(f"{count} samples of seed {args.seed}, settings {settings.digest}, in {args.out}")
    return 0


def _with(settings: Any, values: list[str]) -> Any:
    """Settings with each NAME=VALUE put in. Raises Usage for what is none."""
    from core.settings import changed
    for pair in values:
        name, _, value = pair.partition("=")
        try:
            settings = changed(settings, name, json.loads(value))
        except ValueError:
            raise Usage(f"--set {pair}: write it NAME=NUMBER, such as blur=0.5") from None
    return settings


def _photos(args: argparse.Namespace) -> int:
    from core.synth.page_transforms import PhotoSettings
    from core.synth.photos import photograph_documents
    settings = _with(PhotoSettings(), args.values)
    written = photograph_documents(args.photos, args.out, settings, args.seed, args.forms,
                                   args.count or 0)
    print(f"{len(written)} photos in {args.out / 'photos'}")
    return 0


def _pages(args: argparse.Namespace, count: int) -> int:
    """DIR/KIND/page-SEED-I.png and .json, as documents with known words are kept."""
    from core.synth.page import PageSettings, page
    from core.synth.photos import put
    from core.synth.release import png
    settings = _with(PageSettings(), args.values)
    for i in range(args.start, args.start + count):
        drawn = page(settings, args.seed, i)
        path = args.out / drawn.kind / f"page-{args.seed}-{i:06}.png"
        height, width = drawn.image.shape
        head = {"category": drawn.kind, "source": f"drawn by synth, seed {args.seed}, {i}",
                "license": "that of the program; fonts and word lists as in resources", "level": "word",
                "case": "printed", "group": path.stem, "size": [width, height],
                "fonts": drawn.fonts, "recipe": [[s.name, list(s.numbers)] for s in drawn.recipe],
                "items": [{"text": item.text, "box": list(item.box)} for item in drawn.items]}
        put(path, png(drawn.image))
        put(path.with_suffix(".json"), json.dumps(head).encode())
    print(f"{count} pages of seed {args.seed} in {args.out}")
    return 0


def _histogram(settings: Any, seed: int, count: int) -> int:
    import numpy as np

    from core.recognizer.alphabet import ASCII, CHARACTERS
    from core.synth.sample import character_histogram
    counts = character_histogram(settings, seed, count)
    for c, n in zip(CHARACTERS[1:], counts[1:]):
        print(f"{c} {n:8} {'#' * round(BAR * n / max(1, counts[1:].max()))}")
    inked = counts[1:len(ASCII)]
    print(f"of ASCII: median {np.median(inked):.0f}, rarest {CHARACTERS[1 + int(inked.argmin())]!r} "
          f"{inked.min()} ({inked.min() / max(1, np.median(inked)):.2f} of the median)")
    return 0
