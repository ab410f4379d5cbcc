"""What a generator of synthetic words is worth: nets trained alike on its samples read real words.

    python tests/bench/bench_generators.py against COMMIT WORDS.tsv --out DIR
    python tests/bench/bench_generators.py ablation WORDS.tsv --out DIR --samples 200000

`against` trains on today's samples and on those of COMMIT's core/synth, several seeds each, with
today's trainer and net. `ablation` trains on today's samples, with and without each group of
transforms. Each run ends with `evaluate --words`; word errors are counted over receipts (folded,
without spaces, rows `how=ocr` left out) and screenshots (exact). A net that lies finished in DIR
is not trained again, but reads again: whoever changes how words are read or counted must count
all nets anew. The net is a small one, so that a run takes minutes on one core.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from core.evaluate.words import score_words
from core.recognizer import net
from core.synth import transforms

CATEGORIES = ("register_tapes", "screenshots")
PLACES = {name: tuple(t.name for t in place) for name, place in transforms.PLACES}
GROUPS = {
    "lines and neighbours": PLACES["canvas"],
    "geometry": PLACES["shape"] + PLACES["bend"],
    "print": PLACES["ink"],
    "paper and light": PLACES["tone"],
    "camera and scanner": PLACES["picture"],
}


def tree_of(commit: str, folder: Path) -> Path:
    """Today's tree with the core/synth of `commit`; its loader is given today's two additions."""
    if folder.exists():
        return folder
    git = lambda *words, cwd=ROOT: subprocess.run(["git", *words], cwd=cwd, check=True)
    git("worktree", "add", "-q", "--detach", str(folder), "HEAD")
    shutil.rmtree(folder / "core/synth")
    git("checkout", "-q", commit, "--", "core/synth", cwd=folder)
    loader, corpus = folder / "core/synth/loader.py", folder / "core/synth/corpus.py"
    text = loader.read_text()
    if "    font: tuple" not in text:
        text = text.replace("    first: int\n", "    first: int\n    font: tuple[str, ...] = ()\n", 1)
        text = text.replace("n_workers: int = 0)", "n_workers: int = 0, every: int = 1)")
        text = text.replace("start += stride", "start += every * stride")
        loader.write_text(text)
    # it knew no alphabet but ASCII; its atlas must not be taken for another's in the cache
    corpus.write_text(corpus.read_text().replace(
        "from core.recognizer.alphabet import covers", "covers = str.isascii"))
    # fine-tuning, which is not part of this, wears real words with today's transforms
    real = folder / "core/train/real.py"
    real.write_text(real.read_text().replace("from core.train.wear import worn", "worn = None"))
    fonts = folder / "core/synth/fonts.py"
    fonts.write_text(fonts.read_text().replace("ATLAS_VERSION = ", "ATLAS_VERSION = 1000 + "))
    return folder


def trained(tree: Path, out: Path, seed: int, without: tuple[str, ...],
            args: argparse.Namespace) -> dict[str, float]:
    """Train in `tree` unless `out` has the finished net; errors by category, counted now."""
    finished = out / "finished"
    if not finished.exists():
        command = [sys.executable, "main.py", "train", "words", "--out", str(out), "--seed",
                   str(seed), "--samples", str(args.samples), "--channels", args.channels,
                   "--hidden", str(args.hidden), "--eval-minutes", "1000", "--without",
                   ",".join(without)]
        out.mkdir(parents=True, exist_ok=True)
        with open(out / "log.txt", "w") as log:
            subprocess.run(command, cwd=tree, check=True, stdout=log, stderr=log,
                           env={**os.environ, "OMP_NUM_THREADS": "1"})
        finished.touch()
    return errors(out / "words.pt", args.tsv)


def errors(weights: Path, tsv: Path) -> dict[str, float]:
    """Words read wrong, by category, with their numbers as "N of CATEGORY"."""
    scores = score_words(tsv, tsv.resolve().parent.parent, net.load(weights))
    found: dict[str, float] = {}
    for word, text in zip(scores.truth, scores.texts, strict=True):
        if word.category not in CATEGORIES or word.how == "ocr":
            continue
        receipt = word.category == "register_tapes"
        fold = (lambda t: t.upper().replace(" ", "")) if receipt else str
        found[word.category] = found.get(word.category, 0) + (fold(word.text) != fold(text))
        found[f"n {word.category}"] = found.get(f"n {word.category}", 0) + 1
    return found


def show(name: str, runs: list[dict[str, float]]) -> float:
    """Print a line; the mean number of errors comes back."""
    totals = [sum(run[c] for c in CATEGORIES) for run in runs]
    mean = sum(totals) / len(totals)
    shares = "  ".join(f"{c} {100 * sum(r[c] for r in runs) / sum(r[f'n {c}'] for r in runs):5.1f} %"
                       for c in CATEGORIES)
    print(f"{name:24} {shares}  errors {' '.join(f'{t:.0f}' for t in totals)}  mean {mean:.0f}",
          flush=True)
    return mean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="what", required=True)
    for what in ("against", "ablation"):
        sub = kinds.add_parser(what)
        if what == "against":
            sub.add_argument("commit")
        sub.add_argument("tsv", type=Path)
        sub.add_argument("--out", type=Path, required=True)
        sub.add_argument("--samples", type=int, default=500_000)
        sub.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
        sub.add_argument("--channels", default="16,32,64,96")
        sub.add_argument("--hidden", type=int, default=64)
    args = parser.parse_args()
    args.out = args.out.resolve()
    if args.what == "against":
        then = tree_of(args.commit, args.out / "then")
        runs: dict[str, list[dict[str, float]]] = {"today": [], args.commit: []}
        for seed in args.seeds:
            for name, tree in (("today", ROOT), (args.commit, then)):
                runs[name].append(trained(tree, args.out / f"{name}-{seed}", seed, (), args))
                show(f"{name}, seed {seed}", runs[name][-1:])
        now, before = (show(name, found) for name, found in runs.items())
        print(f"today's generator makes {100 * (1 - now / before):.1f} % fewer word errors")
        return
    for name, without in {"everything": (), **{f"without {n}": g for n, g in GROUPS.items()}}.items():
        folder = args.out / name.replace(" ", "_")
        show(name, [trained(ROOT, folder.with_name(f"{folder.name}-{seed}"), seed, without, args)
                    for seed in args.seeds])


if __name__ == "__main__":
    main()
