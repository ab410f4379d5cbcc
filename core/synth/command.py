"""Draw what the net learns from: word windows, whole pages, photos of pages.

    main.py synth --count 1000 --seed 1 --out DIR            images, samples.tsv, recipes
    main.py synth --release --count 100000 --seed 1 --out DIR   shards, data card, licences
    main.py synth --pages --count 20 --seed 1 --out DIR      pages with exact truth, by kind
    main.py synth --photos DOCUMENTS_DIR --seed 1 --out DIR  documents photographed: DIR/photos
    main.py synth --histogram --count 20000 --seed 1         how often each character is drawn
    main.py synth --fonts DIR ...                            with more fonts: those `make fonts` fetches
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import Usage

if TYPE_CHECKING:
    from core.synth.fonts import Atlas

DEFAULT_COUNT = 1000
BAR = 60  # characters of the histogram's longest bar
TELL_EVERY = 10_000  # samples between two lines of progress


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
    parser.add_argument("--start", type=int, default=0, metavar="I",
                        help="number of the first sample or page")
    parser.add_argument("--out", type=_folder, metavar="DIR")
    parser.add_argument("--fonts", type=_folder, metavar="DIR",
                        help="draw with the fonts of a folder, too (default: only the shipped ones)")
    parser.add_argument("--forms", action="store_true",
                        help="with --photos: the category `forms`, too")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="values",
                        help="a setting, such as blur=0 (repeatable)")


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("name a folder; an empty name is none")
    return Path(text)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; the exit code. Raises Usage, Missing or Unreadable."""
    _check(args)
    import cv2

    from core import files
    cv2.setNumThreads(1)
    if args.out:
        files.check_folder(args.out)
    count = args.count or DEFAULT_COUNT
    if args.photos:
        return _photos(args)
    atlas = _atlas(args.fonts)
    if args.pages:
        return _pages(args, count, atlas)
    from core.synth import corpus
    from core.synth.sample import SampleSettings
    settings = _with(SampleSettings(), args.values)
    if not any(getattr(settings, name) for name, _ in corpus.KINDS) and settings.negative < 1:
        raise Usage("every kind of text is switched off; leave one on, or set negative=1")
    if args.histogram:
        return _histogram(settings, args.seed, count, atlas)
    if args.release:
        from core.synth.release import write_release
        write_release(settings, args.seed, count, args.out, atlas, _tell)
    else:
        _samples(args, count, atlas, settings)
    print(f"{count} samples of seed {args.seed}, settings {settings.digest}, in {args.out}")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raise Usage for arguments that make no sense, alone or together."""
    if args.count is not None and args.count < 1 or args.start < 0 or args.seed < 0:
        raise Usage("--count must be at least 1, --seed and --start at least 0")
    if args.out is None and not args.histogram:
        raise Usage("name a folder for what is drawn: --out DIR")
    for option, given, fits in (
            ("--forms", args.forms, args.photos),
            ("--start", args.start, not (args.photos or args.release or args.histogram)),
            ("--fonts", args.fonts, not args.photos),
            ("--out", args.out, not args.histogram)):
        if given and not fits:
            raise Usage(f"{option} says nothing here; leave it out, or see main.py synth --help")


def _atlas(folder: Path | None) -> Atlas:
    """The fonts to draw with: the shipped ones, and a folder's."""
    from core.synth.fonts import default_atlas
    if folder is None:
        return default_atlas()
    from core.synth.full_set import atlas_of
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return atlas_of(folder)


def _samples(args: argparse.Namespace, count: int, atlas: Atlas, settings: Any) -> None:
    from core.synth.sample import sample
    from core.synth.sample_files import Batch
    with Batch(args.out, settings, args.seed) as batch:
        for done, i in enumerate(range(args.start, args.start + count)):
            _tell(done, count)
            batch.add(i, sample(settings, args.seed, i, atlas))


def _tell(done: int, count: int) -> None:
    if done and done % TELL_EVERY == 0:
        print(f"{done:,} of {count:,} samples", file=sys.stderr, flush=True)


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


def _pages(args: argparse.Namespace, count: int, atlas: Atlas) -> int:
    """DIR/KIND/page-SEED-I.png and .json, as documents with known words are kept."""
    from core import files
    from core.synth.page import PageSettings, page
    from core.synth.page_kinds import KINDS
    from core.synth.release import LICENCE
    settings = _with(PageSettings(), args.values)
    if not any(getattr(settings, name) for name in KINDS):
        raise Usage("every kind of page is switched off; leave one on")
    for i in range(args.start, args.start + count):
        drawn = page(settings, args.seed, i, atlas)
        path = args.out / drawn.kind / f"page-{args.seed}-{i:06}.png"
        height, width = drawn.image.shape
        head = {"category": drawn.kind, "source": f"drawn by synth, seed {args.seed}, {i}",
                "license": f"{LICENCE}; word lists as in resources/corpus/SOURCES.md",
                "level": "word", "case": "printed", "group": path.stem, "size": [width, height],
                "fonts": drawn.fonts, "recipe": [[s.name, list(s.numbers)] for s in drawn.recipe],
                "items": [{"text": item.text, "box": list(item.box)} for item in drawn.items]}
        files.write_png(path, drawn.image)
        files.write_text(path.with_suffix(".json"), json.dumps(head, ensure_ascii=False))
    print(f"{count} pages of seed {args.seed} in {args.out}")
    return 0


def _histogram(settings: Any, seed: int, count: int, atlas: Atlas) -> int:
    import numpy as np

    from core.recognizer.alphabet import ASCII, CHARACTERS
    from core.synth.sample import character_histogram
    if hasattr(sys.stdout, "reconfigure"):  # a terminal that cannot show "½" gets \xbd
        sys.stdout.reconfigure(errors="backslashreplace")
    counts = character_histogram(settings, seed, count, atlas)
    for c, n in zip(CHARACTERS[1:], counts[1:]):
        print(f"{c} {n:8} {'#' * round(BAR * n / max(1, counts[1:].max()))}")
    inked = counts[1:len(ASCII)]
    print(f"of ASCII: median {np.median(inked):.0f}, rarest {CHARACTERS[1 + int(inked.argmin())]!r} "
          f"{inked.min()} ({inked.min() / max(1, np.median(inked)):.2f} of the median)")
    return 0
