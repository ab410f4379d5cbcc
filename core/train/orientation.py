"""Train the orientation net: `python main.py train orientation --pages TSV --root DIR`.

Tiles come from real pages that are known to be upright and from pages drawn here with the fonts
of resources/fonts, about half and half, each at several scales. Since the net compares the four
turns of a tile with the same weights, upright tiles are all it needs.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from core.errors import Missing
from core.orientation import net
from core.orientation.tiles import TILE, cut_tiles, page_tiles, standardise, to_reading_scale
from core.orientation.upright import UprightSettings, decide, page_scores
from core.parameters import check_limits, param
from core.recognizer.net import has_bf16

ROOM = 272  # px, edge of a stored tile: TILE x sqrt(2), so that it may be rotated
NOT_TRAINED_ON = ("forms",)  # FUNSD: non-commercial terms
RESOURCES = Path(__file__).parents[2] / "resources"
# Faces of ordinary print; display and pixel fonts teach little about direction.
FACES = ("Caladea", "Carlito", "CharisSIL", "DejaVu", "EBGaramond", "FiraCode", "Gentium",
         "Inconsolata", "Lato", "Liberation", "LinLibertine", "OpenSans", "PTM", "Roboto",
         "Vollkorn", "texgyre", "OCR")


@dataclass(frozen=True)
class OrientationTrainSettings:
    """One run."""

    minutes: float = param(10.0, unit="min", low=0.0)
    drawn: int = param(250, unit="pages", low=0, help="pages drawn for variety")
    tiles: int = param(12, unit="tiles", low=1, help="per page and scale")
    batch_size: int = param(32, unit="tiles", low=1, help="each seen in four turns")
    rate: float = param(2e-3, low=0.0)
    seed: int = param(1, low=0)
    threads: int = param(1, low=1)

    def __post_init__(self) -> None:
        check_limits(self)


def pages_of(tsv: Path, root: Path) -> list[Path]:
    """Usable upright pages of an orientation TSV (`file items usable why`)."""
    if not Path(tsv).is_file():
        raise Missing(f"{tsv}: no such list of pages")
    with open(tsv, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Path(root) / row["file"] for row in rows if row["usable"] == "1"]


def drawn_page(seed: int, words: list[str], fonts: list[Path]) -> NDArray[np.uint8]:
    """A page of text at 90 to 160 dpi in one font: paragraphs, columns, or a list."""
    import pymupdf

    rng = random.Random(seed)
    size = rng.uniform(7, 15)
    width, height = (595, 842) if rng.random() < 0.7 else (842, 595)
    page = pymupdf.open().new_page(width=width, height=height)
    font = rng.choice(fonts)
    page.insert_font(fontname="F0", fontfile=str(font))
    columns = rng.choice((1, 1, 2, 3))
    case = rng.choice((str.lower, str.lower, str.title, str.upper, str.capitalize))
    for column in range(columns):
        x0 = 40 + column * (width - 80) / columns
        x1, y = x0 + (width - 80) / columns - 12, 40.0
        listed = rng.random() < 0.3
        while y < height - 60:
            n = rng.randrange(2, 8) if listed else rng.randrange(20, 120)
            text = " ".join(_word(rng, words, case) for _ in range(n))
            box = pymupdf.Rect(x0, y, x1, min(height - 40, y + size * (2 if listed else 14)))
            left = page.insert_textbox(box, text[:int(n * 8)], fontname="F0", fontsize=size,
                                       lineheight=rng.uniform(1.1, 1.4), color=(0, 0, 0))
            y = (box.y1 - left if left > 0 else box.y1) + size * rng.uniform(0.2, 1.0)
    pixels = page.get_pixmap(dpi=rng.randrange(90, 160), colorspace=pymupdf.csGRAY)
    return np.frombuffer(pixels.samples, np.uint8).reshape(pixels.h, pixels.w).copy()


def _word(rng: random.Random, words: list[str], case) -> str:
    if rng.random() < 0.1:
        return rng.choice(("{:,}", "{}.50", "{}%", "#{}", "({})")).format(rng.randrange(10000))
    word = case(rng.choice(words))
    return word + rng.choice(("", "", "", "", "", "", ",", ".", ";"))


def corpus_words() -> list[str]:
    """Single words of the shipped corpus."""
    words: set[str] = set()
    for path in sorted((RESOURCES / "corpus").glob("*.txt.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                words.update(w for w in line.replace(",", " ").split()
                             if w.isascii() and w.isalpha() and len(w) > 1)
    if not words:
        raise Missing(f"{RESOURCES / 'corpus'}: no word lists to draw pages from")
    return sorted(words)


def gather(pages: list[Path], settings: OrientationTrainSettings, say=print) -> NDArray[np.uint8]:
    """(n, ROOM, ROOM) upright tiles of the real pages and of drawn ones."""
    rng = random.Random(settings.seed)
    tiles = []
    for path in pages:
        gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if gray is not None:
            for scale in (rng.uniform(0.6, 0.95), rng.uniform(0.95, 1.5)):
                tiles.append(cut_tiles(to_reading_scale(gray, scale), settings.tiles, ROOM))
    say(f"{sum(map(len, tiles)):,} tiles of {len(pages)} real pages")
    words = corpus_words()
    fonts = [p for p in sorted((RESOURCES / "fonts").glob("*.[ot]tf")) if p.name.startswith(FACES)]
    for k in range(settings.drawn if fonts else 0):
        gray = drawn_page(settings.seed * 100_000 + k, words, fonts)
        tiles.append(cut_tiles(to_reading_scale(gray, rng.uniform(0.6, 1.5)),
                               2 * settings.tiles, ROOM))
    tile = np.concatenate(tiles)
    say(f"{len(tile):,} tiles with {settings.drawn} drawn pages")
    return tile


def varied(tile: NDArray[np.uint8], rng: random.Random) -> NDArray[np.uint8]:
    """A (TILE, TILE) cut of a stored tile: rotated by up to 6 degrees, scaled, moved, and with
    blur, noise, contrast, inversion and JPEG at times."""
    angle, scale = rng.gauss(0, 2.5), rng.uniform(0.8, 1.3)
    m = cv2.getRotationMatrix2D((ROOM / 2, ROOM / 2), max(-8, min(8, angle)), scale)
    m[:, 2] += (TILE - ROOM) / 2 + rng.uniform(-20, 20), (TILE - ROOM) / 2 + rng.uniform(-20, 20)
    x = cv2.warpAffine(tile, m, (TILE, TILE), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.3:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.1))
    if rng.random() < 0.3:
        low = rng.randrange(0, 120)
        x = cv2.LUT(x, np.linspace(low, rng.randrange(low + 60, 256), 256).astype(np.uint8))
    if rng.random() < 0.3:
        noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(2, 14), x.shape)
        x = np.clip(x + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        x = 255 - x
    if rng.random() < 0.15:
        x = cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY,
                                                  rng.randrange(25, 80)])[1], 0)
    return x


@dataclass(frozen=True)
class Measured:
    """Pages (n), share right for each turn that was undone, upright pages turned by mistake."""

    n: int
    right_by_turn: tuple[float, float, float, float]
    false_turns: int
    unsure: int


def measure(pages: list[Path], loaded: net.LoadedUprightNet,
            settings: UprightSettings | None = None) -> Measured:
    """Each page turned 0 to 3 quarters; right when the stage's decision undoes it."""
    settings = settings or UprightSettings()
    right, false_turns, unsure, n = np.zeros(4), 0, 0, 0
    for path in pages:
        gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if gray is None:
            continue
        n += 1
        for undo in range(4):
            seen = np.ascontiguousarray(np.rot90(gray, -undo))
            tile = page_tiles(seen, settings.tiles)
            scores = page_scores(loaded.log_scores(tile))
            turns, _ = decide(scores, len(tile), settings.margin)
            right[undo] += turns == undo
            false_turns += undo == 0 and turns != 0
            unsure += turns == 0 and int(scores.argmax()) != 0
    return Measured(n, tuple(right / max(1, n)), false_turns, unsure)


def train(settings: OrientationTrainSettings, pages: list[Path], out: Path, say=print,
          start_from: Path | None = None) -> int:
    """Train for the budget and write the weights to `out`; returns the samples seen.

    start_from: weights to go on from, else random ones.
    """
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(settings.threads)
    torch.manual_seed(settings.seed)
    rng = random.Random(settings.seed)
    tile = gather(pages, settings, say)
    model = net.UprightNet()
    if start_from is not None:
        model.load_state_dict(net.load(start_from).net.state_dict())
        model.requires_grad_(True)
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=1e-2)
    start = logged = time.monotonic()
    samples, losses = 0, []
    while (spent := (time.monotonic() - start) / 60 / settings.minutes) < 1:
        for group in optimiser.param_groups:  # short warm-up, then a cosine over the budget
            group["lr"] = settings.rate * min(1, samples / 3200 + 0.01) * (
                0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * spent)))
        seen = np.stack([varied(tile[rng.randrange(len(tile))], rng)
                         for _ in range(settings.batch_size)])
        turned = np.array([rng.randrange(4) for _ in seen])  # batch statistics see all turns
        seen = np.stack([np.rot90(t, -k) for t, k in zip(seen, turned)])
        x = torch.from_numpy(standardise(seen)).unsqueeze(1)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16()):
            scores = net.turned_scores(model.train(), x)  # (B, 4)
        loss = F.cross_entropy(scores.float(), torch.from_numpy(turned))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        samples += len(seen)
        losses.append(float(loss.detach()))
        if time.monotonic() - logged > 20:
            say(f"{samples:>8,} tiles  loss {np.mean(losses):.4f}  {100 * spent:.0f} %")
            net.save(model, out, samples)
            logged, losses = time.monotonic(), []
    net.save(model, out, samples, "Receipts of ICDAR 2019 SROIE, screenshots of Debian "
             "documentation, drawn pages; no FUNSD.")
    return samples


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `main.py train orientation`."""
    parser.add_argument("--pages", type=Path, help="TSV of upright pages to train on")
    parser.add_argument("--eval", type=Path, dest="exam", help="TSV of upright pages to measure on")
    parser.add_argument("--root", type=Path, help="what the TSV's files are relative to "
                        "(default: the TSV's folder)")
    parser.add_argument("--out", type=Path, default=Path("runs/orientation.pt"))
    parser.add_argument("--resume", type=Path, help="weights to go on from")
    parser.add_argument("--minutes", type=float, default=10.0, help="0 = measure only")
    parser.add_argument("--drawn", type=int, default=250, help="pages drawn for variety")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)


def run(args: argparse.Namespace) -> int:
    """`main.py train orientation`: train, then measure by category. Returns an exit code."""
    if args.minutes:
        settings = OrientationTrainSettings(minutes=args.minutes, drawn=args.drawn, rate=args.rate,
                                            seed=args.seed, threads=args.threads)
        pages = pages_of(args.pages, args.root or args.pages.parent) if args.pages else []
        pages = [p for p in pages if p.parent.name not in NOT_TRAINED_ON]
        samples = train(settings, pages, args.out, lambda line: print(line, file=sys.stderr,
                                                                      flush=True), args.resume)
        print(f"{args.out}: {samples:,} tiles seen")
    if args.exam:
        loaded = net.load(args.out)
        pages = pages_of(args.exam, args.root or args.exam.parent)
        for name in sorted({p.parent.name for p in pages}):
            m = measure([p for p in pages if p.parent.name == name], loaded)
            by_turn = " ".join(f"{100 * r:.1f}" for r in m.right_by_turn)
            print(f"{name}: {m.n} pages, right at 0/90/180/270: {by_turn} %, "
                  f"{m.false_turns} upright turned by mistake, "
                  f"{m.unsure} left alone below the margin")
    return 0
