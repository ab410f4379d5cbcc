"""The OCR workbench: a window on a document, or one of the subcommands without a window.

Nothing heavy is imported until it is known what is wanted, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
import traceback
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Missing, OcrError, Usage

if TYPE_CHECKING:
    from core.evaluate.run import Evaluation

CANCELLED = 130  # exit code after Ctrl+C, as a shell has it
SAMPLES = Path(__file__).resolve().parent / "resources" / "samples"
HEADLESS_OUT = Path("out")
FORMATS = ("pdf", "json", "txt", "tsv", "hocr", "png")  # core.read_files.FORMATS, light to import
STAGES = ("page", "upright", "blobs", "lines", "boxes", "segments", "transcripts", "buckets",
          "attempts", "words", "placed")  # core.reading.STAGES, light to import
ENGINES = ("ours", "tesseract", "rapidocr")  # core.engines.engine.NAMES, light to import
PICTURES = (".png", ".jpg", ".jpeg")

# Subcommands whose arguments and work are in a module of their own: add_arguments(parser), run(args)
ELSEWHERE = {"synth": ("core.synth.command", "draw synthetic words, see what the net learns from"),
             "fonts": ("core.fonts.command", "inspect fonts for missing, empty and broken glyphs"),
             "notebook": ("core.notebook_command", "list and show the lab notebook's experiments")}
TRAINABLE = {"words": "core.train.words_command", "orientation": "core.train.orientation",
             "prior": "core.train.prior"}


def main(argv: list[str] | None = None) -> int:
    """Run what the arguments say and return the exit code.

    0 done, 2 usage, 3 unreadable, 4 missing resource, 5 mismatch, 6 stage failed, 130 cancelled,
    1 an error of the program's own.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        command = commands().get(argv[0]) if argv else None
        return window(argv) if command is None else command[0](argv[1:])
    except SystemExit as end:  # argparse ends so, after --help or with a usage error
        return end.code if isinstance(end.code, int) else 2
    except KeyboardInterrupt:
        print("cancelled", file=sys.stderr)
        return CANCELLED
    except OcrError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception:  # noqa: BLE001  # the last resort: nothing may end without an exit code
        traceback.print_exc()
        print("this is an error of the program; please report it with the lines above",
              file=sys.stderr)
        return 1


def commands() -> dict[str, tuple[Callable[[list[str]], int], str]]:
    """Name -> (what runs it, a line of help). A command whose module is not there is not listed."""
    found = {"read": (read, "read files and write searchable PDF, JSON, text and pictures"),
             "evaluate": (evaluate, "score an engine on documents with known text"),
             "train": (train, "train a net: " + ", ".join(TRAINABLE)),
             "screenshot": (screenshot, "save a picture of the window on a document")}
    for name, (module, help_line) in ELSEWHERE.items():
        if _exists(module):
            found[name] = (lambda argv, n=name, m=module: _delegate(n, m, argv), help_line)
    return found


def _exists(module: str) -> bool:
    return find_spec(module) is not None


def _delegate(name: str, module: str, argv: list[str]) -> int:
    """Run a subcommand that lives in a module of its own."""
    work = importlib.import_module(module)
    parser = argparse.ArgumentParser(prog=f"main.py {name}", description=work.__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    work.add_arguments(parser)
    return work.run(parser.parse_args(argv)) or 0


# ---- the window --------------------------------------------------------------------------------

def window(argv: list[str]) -> int:
    """Open the window on a document, or do its work without one where there is no display."""
    listed = "\n".join(f"  {name:<12}{help_line}" for name, (_, help_line) in commands().items())
    parser = argparse.ArgumentParser(
        prog="main.py", description="Open the workbench on a document.",
        epilog=f"subcommands, each with its own --help:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", nargs="?", type=Path, metavar="DOC",
                        help="an image or PDF; default: a sample page")
    document = parser.parse_args(argv).document or first_sample()
    from workbench.display import has_display
    if not has_display():
        return headless(document)
    from workbench.app import run
    return run(str(document)) or 0


def first_sample() -> Path:
    """A real page that comes with the program. Raises Missing without one."""
    found = sorted(p for p in SAMPLES.rglob("*") if p.suffix in PICTURES)
    real = [p for p in found if p.parent.name != "drawn"]
    if not found:
        raise Missing(f"no sample page under {SAMPLES}; name a document, or restore the folder "
                      "from the repository")
    return (real or found)[0]


def headless(document: Path) -> int:
    """The window's work without a window: PDF, JSON and a picture of each stage in `out/`."""
    print(f"There is no display to open a window on, so {document.name} is read without one; the searchable PDF, the JSON and a picture of each stage go to "
          f"{HEADLESS_OUT}/.", file=sys.stderr)
    from core.read_files import Order, read_files
    from core.settings import Settings
    code = read_files([document], Order(HEADLESS_OUT, ("pdf", "json", "png"), existing="redo"),
                      Settings())
    if code == 0:
        for path in sorted(HEADLESS_OUT.glob(f"{document.stem}[.-]*")):
            print(path)
    return code


# ---- subcommands -------------------------------------------------------------------------------

def read(argv: list[str]) -> int:
    """`main.py read FILE... --out DIR`."""
    parser = argparse.ArgumentParser(prog="main.py read", description=(
        "Read images and PDFs. Writes DIR/STEM.EXT, and pictures DIR/STEM-p0001.STAGE.png."))
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--formats", metavar="LIST", help=(
        f"of {','.join(FORMATS)}; default pdf,json,txt; png is a picture of each stage"))
    parser.add_argument("--stage", choices=STAGES, help=(
        "read only up to this stage and write its table (json) and picture (png)"))
    parser.add_argument("--settings", type=Path, metavar="FILE", help="TOML, a table per stage")
    parser.add_argument("--pages", default="", metavar="LIST", help="such as 1-3,5; default all")
    parser.add_argument("--existing-text", choices=("refuse", "skip", "redo", "force"),
                        default="refuse", help="what to do with PDF pages that have text already")
    parser.add_argument("--password", metavar="TEXT", help="opens an encrypted PDF")
    args = parser.parse_args(argv)
    from core.read_files import Order, read_files
    default = "pdf,json,txt" if args.stage is None else "png,json"
    wanted = default if args.formats is None else args.formats
    formats = tuple(f.strip() for f in wanted.split(",") if f.strip())
    order = Order(args.out, formats, args.stage, args.pages, args.existing_text, args.password)
    return read_files(args.files, order, _settings(args.settings))


def evaluate(argv: list[str]) -> int:
    """`main.py evaluate DOCUMENTS_DIR`, or of one part: `--words TSV`, `--boxes DIR`."""
    for option, module in (("--words", "core.evaluate.words"), ("--boxes", "core.evaluate.boxes")):
        if any(a == option or a.startswith(option + "=") for a in argv):
            return _delegate("evaluate", module, argv)
    parser = argparse.ArgumentParser(
        prog="main.py evaluate", description=(
            "Score an engine on documents: CATEGORY/NAME.json with `items` beside an image. "
            "Words as in ICDAR 2019 SROIE task 2, by category and overall."),
        epilog="Of one part only: evaluate --words TSV, evaluate --boxes DIR (each with --help).")
    parser.add_argument("documents", type=Path, metavar="DOCUMENTS_DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--engine", choices=ENGINES, default="ours")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="TOML, a table per stage")
    parser.add_argument("--note", metavar="TITLE", help="write the figures into the lab notebook")
    parser.add_argument("--goal", default="", help="with --note: what the experiment is for")
    parser.add_argument("--learnt", default="", help="with --note: what to do differently")
    args = parser.parse_args(argv)
    if args.jobs < 1:
        raise Usage(f"--jobs is {args.jobs}; give 1 or more")
    from core import files
    from core.evaluate.run import evaluate as score_documents
    from core.evaluate.run import first_exit_code
    start = time.monotonic()
    result = score_documents(args.documents, args.engine, _settings(args.settings),
                             _Count(), args.jobs)
    for error in result.errors:
        print(f"error: {error}", file=sys.stderr)
    print(result.to_text())
    if args.json:
        files.write_text(args.json, result.to_json())
    if args.note:
        # the folder by its name alone: where it lies is this machine's business
        words = [args.documents.name if Path(word) == args.documents else word
                 for word in argv[:argv.index("--note")]]
        print(_note(result, args, " ".join(["python main.py evaluate", *words]),
                    time.monotonic() - start))
    return first_exit_code(result.errors)


def _note(result: Evaluation, args: argparse.Namespace, command: str, seconds: float) -> Path:
    """Write an evaluation into the lab notebook; the entry's path."""
    from dataclasses import asdict

    from core import notebook
    figures = result.figures()
    settings = {} if args.settings is None else asdict(_settings(args.settings))
    return notebook.write(notebook.Entry(
        title=args.note, goal=args.goal, command=command, settings=settings, seed=0,
        sources=f"the documents of {args.documents.name} with their truth; nothing was trained",
        samples=0, seconds=seconds, table={**figures["categories"], "overall": figures["overall"]},
        learnt=args.learnt))


class _Count:
    """How far an evaluation has come, on stderr: in place on a terminal, else now and then."""

    def __call__(self, done: int, total: int, name: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{done}/{total} {name}", end="\n" if done == total else "",
                  file=sys.stderr, flush=True)
        elif done == total or done % 10 == 0:
            print(f"{done}/{total} documents", file=sys.stderr, flush=True)


def train(argv: list[str]) -> int:
    """`main.py train words|orientation|prior ...`."""
    parser = argparse.ArgumentParser(prog="main.py train", description="Train a net.")
    parser.add_argument("net", choices=[name for name, m in TRAINABLE.items() if _exists(m)])
    args = parser.parse_args(argv[:1])
    return _delegate(f"train {args.net}", TRAINABLE[args.net], argv[1:])


def screenshot(argv: list[str]) -> int:
    """`main.py screenshot OUT.png [DOC]`: a picture of the window, as in the README."""
    parser = argparse.ArgumentParser(prog="main.py screenshot", description=(
        "Read a document's first page in the window and save a picture of the window."))
    parser.add_argument("out", type=Path, metavar="OUT.png")
    parser.add_argument("document", nargs="?", type=Path, metavar="DOC", help="default: a sample page")
    parser.add_argument("--layers", default="lines,boxes,words", metavar="LIST",
                        help="stages whose overlay is shown; default lines,boxes,words")
    parser.add_argument("--word", default="", help="the text of the word to select")
    parser.add_argument("--zoom", type=float, default=0.0, help="screen px per page px; 0 = all of it")
    parser.add_argument("--size", default="1600x1000", metavar="WxH", help="of the window, px")
    args = parser.parse_args(argv)
    try:
        width, height = (int(side) for side in args.size.split("x"))
    except ValueError:
        raise Usage(f"--size is {args.size!r}; give it as 1600x1000") from None
    layers = tuple(name for name in args.layers.split(",") if name)
    if unknown := set(layers) - set(STAGES):
        raise Usage(f"--layers: there is no stage {min(unknown)!r}; known are {', '.join(STAGES)}")
    from workbench.display import has_display
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from workbench import app
    app.screenshot(args.document or first_sample(), args.out, (width, height), layers, args.word, args.zoom)
    return 0


def _settings(path: Path | None):
    from core import settings
    return settings.Settings() if path is None else settings.load(path)


if __name__ == "__main__":
    sys.exit(main())
