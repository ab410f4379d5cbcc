"""Train the Word Deep Net on synthetic words: `python main.py train words --out DIR --minutes 60`.

Top to bottom: settings, schedule, one step, the run, the command line. The recipe (AdamW, constant
rate, then a cosine decay) gives its gain in the decay: plan it for each run, or keep a trunk at
constant rate (`--decay-start 1`) and branch a short decay off it (`--resume TRUNK --branch`).
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from core.errors import Usage
from core.evaluate.words import WordTruth, cut_truth, read_truth, scores_of, some_of
from core.parameters import check_limits, param
from core.recognizer import alphabet, net
from core.recognizer.architecture import TIME_STRIDE, NetSettings
from core.recognizer.transcribe import TranscriptSettings, read_windows
from core.recognizer.window import standardise
from core.train import checkpoint
from core.train.checkpoint import State

STATE = "state.pt"  # the resumable state in the run's folder
WEIGHTS = "words.pt"  # weights of the latest evaluation, ready to read with
LOG = "log.jsonl"  # one object per line: progress and evaluations
# Documents with exact truth, and those whose labels are folded (receipts): scored differently.
EXACT = ("screenshots", "letter_sized", "scanned_docs")
FOLDED = ("register_tapes",)


@dataclass(frozen=True)
class TrainSettings:
    """One training run. Rates and betas are those of training at batch 64."""

    net: NetSettings = field(default_factory=NetSettings)
    minutes: float = param(0.0, unit="min", low=0, help="budget in time; 0 = none")
    samples: int = param(0, unit="samples", low=0, help="budget in samples; 0 = none")
    batch_size: int = param(64, unit="windows", low=1, high=8192)
    rate: float = param(2e-3, low=0.0, high=1.0, help="AdamW learning rate at its constant level")
    beta1: float = param(0.9, low=0.0, high=1.0)
    beta2: float = param(0.98, low=0.0, high=1.0)
    weight_decay: float = param(1e-2, low=0.0, help="on weights, not on norms and biases")
    warm_up: int = param(300, unit="steps", low=0, help="linear, from 0 to the rate")
    decay_start: float = param(0.5, low=0.0, high=1.0,
                               help="share of the budget after which the rate falls (cosine)")
    final_rate: float = param(0.01, low=0.0, high=1.0, help="share of the rate left at the end")
    clip: float = param(5.0, low=0.0, help="largest gradient norm")
    ema: float = param(0.998, low=0.0, high=1.0,
                       help="average of the weights, kept beside them; 0 = none")
    seed: int = param(1, low=0, help="of the samples, the first weights and dropout")
    workers: int = param(0, unit="processes", low=0, high=512,
                         help="that draw samples; 0 = this one draws them")
    threads: int = param(1, unit="threads", low=1, high=256)
    checkpoint_minutes: float = param(3.0, unit="min", low=0.0)
    evaluate_minutes: float = param(5.0, unit="min", low=0.0)
    log_seconds: float = param(20.0, unit="s", low=0.0)

    def __post_init__(self) -> None:
        check_limits(self)
        if not self.minutes and not self.samples:
            raise Usage("a training run needs a budget: --minutes or --samples")


class Batch(NamedTuple):
    """window (B, 32, W) uint8 padded on the right, width (B,) px in use, B texts."""

    window: NDArray[np.uint8]
    width: NDArray[np.int32]
    texts: list[str]


# A source yields batches from a sample index on; the same index gives the same batches.
Source = Callable[[int], Iterator[Batch]]


def synthetic(settings: TrainSettings) -> Source:
    """Batches of drawn words of `core.synth`, sample i depending on (seed, i) alone."""
    from core.synth import loader
    from core.synth.sample import SampleSettings

    synth = SampleSettings(width_max=settings.net.max_width)
    block = loader.BLOCK * settings.batch_size

    def stream(start: int) -> Iterator[Batch]:
        # batches are made by the block; a run that was broken off within one skips what it had
        first = start - start % block
        made = loader.batches(synth, settings.seed, first, settings.batch_size, settings.workers)
        for b in itertools.islice(made, (start - first) // settings.batch_size, None):
            yield Batch(b.window, b.width, list(b.text))

    return stream


# ---- the schedule ------------------------------------------------------------------------------

def rate_at(settings: TrainSettings, spent: float, steps: int) -> float:
    """Learning rate after `steps` steps and a share `spent` (0..1) of the budget."""
    rate = settings.rate
    if settings.warm_up and steps < settings.warm_up:
        rate *= (steps + 1) / settings.warm_up
    if spent > settings.decay_start:
        share = min(1.0, (spent - settings.decay_start) / max(1e-9, 1 - settings.decay_start))
        low = settings.final_rate
        rate *= low + (1 - low) * 0.5 * (1 + np.cos(np.pi * share))
    return float(rate)


def spent_of(settings: TrainSettings, samples: int, seconds: float) -> float:
    """Share of the budget used up; with both budgets, of the one that ends first."""
    return max(samples / settings.samples if settings.samples else 0.0,
               seconds / 60 / settings.minutes if settings.minutes else 0.0)


# ---- one step ----------------------------------------------------------------------------------

class Trainer:
    """Model, optimiser and average, and what one step does to them."""

    def __init__(self, settings: TrainSettings) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = net.WordNet(settings.net).to(self.device, memory_format=torch.channels_last)
        weights = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": weights, "weight_decay": settings.weight_decay},
             {"params": others, "weight_decay": 0.0}],
            lr=settings.rate, betas=(settings.beta1, settings.beta2),
            fused=self.device.type == "cuda")
        self.average = copy.deepcopy(self.model.state_dict()) if settings.ema else {}

    def step(self, batch: Batch, rate: float, steps: int) -> Tensor:
        """Train on one batch; its loss per character, still on the device."""
        self.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        x = torch.from_numpy(standardise(batch.window, batch.width)).unsqueeze(1)  # (B, 1, 32, W)
        x = x.to(self.device).contiguous(memory_format=torch.channels_last)
        classes = [alphabet.encode(text) for text in batch.texts]
        lengths = torch.tensor([len(c) for c in classes])
        targets = torch.from_numpy(np.concatenate(classes))
        times = torch.from_numpy(-(-batch.width.astype(np.int64) // TIME_STRIDE))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=net.has_bf16()
                            or self.device.type == "cuda"):
            scores = self.model(x)
        log_probs = scores.float().log_softmax(2).transpose(0, 1)  # (T, B, 96)
        # "mean" divides each loss by its text's length (empty texts by 1), then averages; a text
        # that does not fit into its window has an infinite loss and is left out
        loss = F.ctc_loss(log_probs, targets, times, lengths, alphabet.BLANK, "mean", True)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.optimiser.step()
        self._follow(steps)
        return loss.detach()

    @torch.no_grad()
    def _follow(self, steps: int) -> None:
        """Move the average towards the weights; faster at first, when there is nothing to keep."""
        if not self.average:
            return
        keep = min(self.settings.ema, (1 + steps) / (10 + steps))
        now = self.model.state_dict()
        floats = [name for name, t in now.items() if t.is_floating_point()]
        torch._foreach_lerp_([self.average[n] for n in floats], [now[n] for n in floats], 1 - keep)

    def state(self) -> State:
        """A checkpoint's content; counters are the caller's."""
        return State(model=self.model.state_dict(), average=self.average,
                     optimiser=self.optimiser.state_dict(), settings=plain(self.settings),
                     random=torch.get_rng_state())

    def restore(self, state: State) -> None:
        """Continue from a checkpoint. Raises Mismatch when it is of another shape of net."""
        self.model.load_state_dict(state.model)
        self.optimiser.load_state_dict(state.optimiser)
        if self.average:
            source = state.average or state.model
            self.average = {n: t.to(self.device).clone() for n, t in source.items()}
        if state.random is not None:
            torch.set_rng_state(state.random)

    def reader(self) -> net.WordNet:
        """A copy of the net to read with: the average where there is one."""
        copied = net.WordNet(self.settings.net)
        copied.load_state_dict(self.average or self.model.state_dict())
        return copied.eval()


def plain(settings: TrainSettings) -> dict:
    """Settings as plain values, which weights_only loading accepts."""
    return json.loads(json.dumps(asdict(settings)))


def settings_of(values: dict) -> TrainSettings:
    """The inverse of `plain`."""
    return TrainSettings(**{**values, "net": NetSettings(**values["net"])})


# ---- evaluation while it runs ------------------------------------------------------------------

@dataclass(frozen=True)
class Exam:
    """Windows with known text, cut once: true words scored exactly, receipts folded."""

    truth: list[WordTruth]
    windows: list[NDArray[np.uint8]]


def exam_of(tsv: Path, root: Path, each: int, max_width: int) -> Exam:
    """About `each` rows of the true words and as many of the receipts of a words TSV."""
    truth = (some_of(read_truth(tsv, EXACT), each)
             + some_of([w for w in read_truth(tsv, FOLDED) if w.how != "ocr"], each))
    return Exam(truth, cut_truth(truth, root, max_width))


def examine(reader: net.WordNet, exam: Exam | None, drawn: Batch) -> dict[str, float]:
    """Shares right: `exact` on true words, `receipts` (folded, no spaces), `synthetic` on drawn
    words, `empty` on drawn windows without text."""
    loaded = net.LoadedNet(copy.deepcopy(reader), "in training", "")
    read = TranscriptSettings()
    found: dict[str, float] = {}
    windows = [w[:, :n] for w, n in zip(drawn.window, drawn.width)]
    texts, _ = read_windows(windows, read, loaded)
    for name, keep in (("synthetic", True), ("empty", False)):
        right = [a == b for a, b in zip(texts, drawn.texts) if bool(b) is keep]
        if right:
            found[name] = float(np.mean(right))
    if exam is not None and exam.truth:
        texts, confidence = read_windows(exam.windows, read, loaded)
        scores = scores_of(exam.truth, texts, confidence)
        words = [(w, t) for w, t in zip(exam.truth, texts) if w.category in EXACT and w.printed]
        if words:
            found["exact"] = float(np.mean([w.printed == t for w, t in words]))
        tapes = [s for name, s in scores.categories.items() if name in FOLDED]
        if tapes:
            found["receipts"] = tapes[0].no_spaces
    return found


# ---- the run -----------------------------------------------------------------------------------

def train(settings: TrainSettings, out_dir: Path, resume: Path | None = None, branch: bool = False,
          exam: Exam | None = None, source: Source | None = None,
          say: Callable[[str], None] = print) -> State:
    """Train until the budget is spent or SIGTERM comes; the state is in `out_dir` either way.

    resume  a checkpoint to continue, with its samples, schedule and optimiser
    branch  start a new budget from that checkpoint, its whole length in decay
    exam    real words read now and then; drawn ones always are
    source  batches instead of the synthetic ones
    """
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    if branch:
        settings = replace(settings, decay_start=0.0, warm_up=0)
    trainer = Trainer(settings)
    done = State({}, {}, {}, {})
    if resume is not None:
        done = checkpoint.load(resume)
        trainer.restore(done)
    samples, steps = done.samples, done.steps
    # A branch counts its budget anew; a resumed run goes on where the budget was.
    first_samples, before = (samples, 0.0) if branch else (0, done.seconds)
    source = source or synthetic(settings)
    drawn = _held_out(settings, source)
    stop = _Stop()
    say(f"{net.n_parameters(trainer.model):,} parameters on {trainer.device}, "
        f"{samples:,} samples seen, seed {settings.seed}")
    start = time.monotonic()
    saved = examined = logged = start
    recent: list[Tensor] = []
    logged_samples = samples

    def seconds() -> float:
        return before + time.monotonic() - start

    def keep() -> State:
        state = trainer.state()
        state.samples, state.steps, state.seconds = samples, steps, seconds()
        state.spent = spent_of(settings, samples - first_samples, state.seconds)
        checkpoint.save(state, out_dir / STATE)
        return state

    def report(entry: dict) -> None:
        entry = {"samples": samples, "steps": steps, "seconds": round(seconds(), 1), **entry}
        with open(out_dir / LOG, "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")

    def evaluate() -> None:
        reader = trainer.reader()
        found = examine(reader, exam, drawn)
        net.save(reader, out_dir / WEIGHTS, samples)
        report({"evaluation": found})
        say(f"{samples:>11,}  " + "  ".join(f"{n} {100 * v:.1f}" for n, v in found.items()))

    with stop:
        for batch in source(samples):
            spent = spent_of(settings, samples - first_samples, seconds())
            if spent >= 1 or stop.asked:
                break
            rate = rate_at(settings, spent, steps)
            recent.append(trainer.step(batch, rate, steps))
            samples += len(batch.texts)
            steps += 1
            now = time.monotonic()
            if now - logged >= settings.log_seconds:
                loss = float(torch.stack(recent).mean())
                speed = (samples - logged_samples) / (now - logged)
                left = seconds() * (1 - spent) / spent if spent > 0 else float("nan")
                report({"loss": round(loss, 4), "rate": rate, "speed": round(speed, 1)})
                say(f"{samples:>11,}  loss {loss:.3f}  rate {rate:.1e}  {speed:.0f}/s  "
                    f"{left / 60:.0f} min left")
                recent, logged, logged_samples = [], now, samples
            if now - examined >= settings.evaluate_minutes * 60:
                evaluate()
                examined = time.monotonic()
            if now - saved >= settings.checkpoint_minutes * 60:
                keep()
                saved = time.monotonic()
        if recent:
            report({"loss": round(float(torch.stack(recent).mean()), 4)})
        state = keep()
        evaluate()
    say(f"{'stopped' if stop.asked else 'done'}: {samples:,} samples, "
        f"{state.seconds / 60:.1f} min; state in {out_dir / STATE}, weights in {out_dir / WEIGHTS}")
    return state


HELD_OUT = 1 << 40  # sample index no run reaches: drawn words that are never trained on


def _held_out(settings: TrainSettings, source: Source, least: int = 1024) -> Batch:
    """Drawn samples from far beyond the run, enough that negatives (6 %) are among them."""
    batches, n = [], 0
    for batch in source(HELD_OUT):
        batches.append(batch)
        n += len(batch.texts)
        if n >= min(least, 16 * settings.batch_size):
            break
    widest = max(b.window.shape[2] for b in batches)
    stack = np.full((n, 32, widest), 255, np.uint8)
    row = 0
    for b in batches:
        stack[row:row + len(b.texts), :, :b.window.shape[2]] = b.window
        row += len(b.texts)
    return Batch(stack, np.concatenate([b.width for b in batches]),
                 [text for b in batches for text in b.texts])


class _Stop:
    """Turns SIGTERM and Ctrl-C into a wish to stop after the current step."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        self._old = {s: signal.signal(s, self._ask) for s in (signal.SIGTERM, signal.SIGINT)}
        return self

    def _ask(self, *_: object) -> None:
        self.asked = True

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)


def export(state_path: Path, weights_path: Path, card: str = "") -> int:
    """Write the averaged weights of a checkpoint as a weights file; samples seen come back."""
    state = checkpoint.load(state_path)
    model = net.WordNet(NetSettings(**state.settings["net"]))
    model.load_state_dict(state.average or state.model)
    net.save(model, weights_path, state.samples, card)
    return state.samples


# ---- command line ------------------------------------------------------------------------------

def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `main.py train words`."""
    parser.add_argument("--out", type=Path, default=Path("runs/words"), help="the run's folder")
    parser.add_argument("--minutes", type=float, default=0.0, help="budget in time")
    parser.add_argument("--samples", type=int, default=0, help="budget in samples")
    parser.add_argument("--resume", type=Path, help="a state.pt to continue")
    parser.add_argument("--branch", "--decay", action="store_true",
                        help="with --resume: a new budget, decaying from its start to its end")
    parser.add_argument("--decay-start", type=float, default=0.5,
                        help="share of the budget at constant rate; 1 trains a trunk")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that draw samples")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--channels", type=lambda s: tuple(map(int, s.split(","))),
                        default=NetSettings().channels, help="e.g. 48,96,192,288 for the L net")
    parser.add_argument("--hidden", type=int, default=NetSettings().hidden)
    parser.add_argument("--eval", type=Path, dest="exam", help="a words TSV read now and then")
    parser.add_argument("--root", type=Path, help="what the TSV's files are relative to "
                        "(default: the folder above the TSV's)")
    parser.add_argument("--eval-words", type=int, default=1500, help="words of each kind")
    parser.add_argument("--eval-minutes", type=float, default=5.0)
    parser.add_argument("--export", type=Path, metavar="WEIGHTS",
                        help="write the weights of --resume (default: of --out) here and end")
    parser.add_argument("--note", metavar="TITLE", help="with --eval: score the run in --out on "
                        "the whole list, write its notebook entry and end")
    parser.add_argument("--goal", default="", help="with --note: the entry's first sentence")
    parser.add_argument("--learnt", default="", help="with --note: its last")


def run(args: argparse.Namespace) -> int:
    """`main.py train words`: train, or export the weights of a state. Returns an exit code."""
    if args.export:
        state_path = args.resume or args.out / STATE
        samples = export(state_path, args.export, "Trained on synthetic words only.")
        print(f"{args.export}: weights after {samples:,} samples")
        return 0
    if args.branch and not args.resume:
        raise Usage("--branch needs a checkpoint to start from: --resume STATE")
    if args.note:
        return _note(args)
    shape = NetSettings(channels=args.channels, hidden=args.hidden)
    if args.resume:
        shape = NetSettings(**checkpoint.load(args.resume).settings["net"])
    settings = TrainSettings(
        net=shape, minutes=args.minutes, samples=args.samples, batch_size=args.batch,
        rate=args.rate, decay_start=args.decay_start, seed=args.seed, workers=args.workers,
        threads=args.threads, evaluate_minutes=args.eval_minutes)
    exam = None
    if args.exam:
        root = args.root or args.exam.resolve().parent.parent
        exam = exam_of(args.exam, root, args.eval_words, shape.max_width)
    train(settings, args.out, args.resume, args.branch, exam,
          say=lambda line: print(line, file=sys.stderr, flush=True))
    return 0


def _note(args: argparse.Namespace) -> int:
    """Write the notebook entry of the run in --out, scored on all of --eval."""
    from core import notebook
    from core.evaluate.words import score_words
    from core.train.note import entry_of_run

    if not args.exam:
        raise Usage("--note needs the words to score on: --eval WORDS.tsv")
    root = args.root or args.exam.resolve().parent.parent
    scores = score_words(args.exam, root, net.load(args.out / WEIGHTS))
    settings = settings_of(checkpoint.load(args.out / STATE).settings)
    budget = (f"--minutes {settings.minutes:g}" if settings.minutes
              else f"--samples {settings.samples}")
    command = (f"python main.py train words {budget} --batch {settings.batch_size} "
               f"--rate {settings.rate:g} --decay-start {settings.decay_start:g} "
               f"--seed {settings.seed}")
    path = notebook.write(entry_of_run(args.out, scores, args.note, args.goal, command,
                                       args.learnt))
    print(path)
    return 0
