"""Train the Word Deep Net on synthetic words: `python main.py train words --out DIR --minutes 60`.

Top to bottom: settings, schedule, one step, the run, the command line. The recipe (AdamW, constant
rate, then a cosine decay) gives its gain in the decay: plan it for each run, or keep a trunk at
constant rate (`--decay-start 1`) and branch a short decay off it (`--resume TRUNK --branch`).
"""

from __future__ import annotations

import copy
import itertools
import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.errors import Usage
from core.parameters import check_limits, param
from core.recognizer import alphabet, net
from core.recognizer.architecture import TIME_STRIDE, NetSettings
from core.recognizer.window import standardise
from core.train import checkpoint
from core.train.batch import Batch, Source, stacked
from core.train.checkpoint import State
from core.train.draws import Draws
from core.train.exam import Exam, examine
from core.train.processes import ALONE, Crew
from core.train.real import RealSettings

STATE = "state.pt"  # the resumable state in the run's folder
WEIGHTS = "words.pt"  # weights of the latest evaluation, ready to read with
LOG = "log.jsonl"  # one object per line: progress and evaluations
CARD = "Trained on synthetic words only."


@dataclass(frozen=True)
class TrainSettings:
    """One training run. At equal samples batches of 32 come out with a tenth fewer errors than
    batches of 64 (notebook), and take a tenth longer."""

    net: NetSettings = field(default_factory=NetSettings)
    minutes: float = param(0.0, unit="min", low=0, help="budget in time; 0 = none")
    samples: int = param(0, unit="samples", low=0, help="budget in samples; 0 = none")
    batch_size: int = param(32, unit="windows", low=1, high=8192)
    rate: float = param(1.4e-3, low=0.0, high=1.0, help="AdamW learning rate at its constant level")
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
    freeze_norms: bool = param(False, help="keep the batch norms' statistics as they are: real "
                               "words are few and of another kind than those they were made of")
    without: tuple[str, ...] = ()  # transforms of core.synth that are never drawn (an ablation)
    real: RealSettings | None = None  # how real words are varied; None = none are trained on

    def __post_init__(self) -> None:
        check_limits(self)
        if not self.minutes and not self.samples:
            raise Usage("a training run needs a budget: --minutes or --samples")


def synthetic(settings: TrainSettings, crew: Crew = ALONE) -> Source:
    """Batches of drawn words of `core.synth`, sample i depending on (seed, i) alone. Processes of
    a crew take turns, a block each."""
    from core.synth import loader
    from core.synth.sample import SampleSettings

    synth = SampleSettings(width_max=settings.net.max_width, **dict.fromkeys(settings.without, 0.0))
    block = loader.BLOCK * settings.batch_size

    def stream(start: int) -> Iterator[Batch]:
        # batches are made by the block; a run that was broken off within one skips what it had
        mine = start // crew.size
        first = (mine // block * crew.size + crew.rank) * block
        made = loader.batches(synth, settings.seed, first, settings.batch_size, settings.workers,
                              crew.size)
        for b in itertools.islice(made, mine % block // settings.batch_size, None):
            yield Batch(b.window, b.width, list(b.text), None, b.font)

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

    def __init__(self, settings: TrainSettings, crew: Crew = ALONE) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.crew = settings, crew
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
        if self.settings.freeze_norms:
            for layer in self.model.cnn:
                layer.train(not isinstance(layer, nn.BatchNorm2d))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        x = torch.from_numpy(standardise(batch.window, batch.width)).unsqueeze(1)  # (B, 1, 32, W)
        x = x.to(self.device).contiguous(memory_format=torch.channels_last)
        classes = [alphabet.encode(text) for text in _labels(batch)]
        lengths = torch.tensor([len(c) for c in classes])
        targets = torch.from_numpy(np.concatenate(classes))
        times = torch.from_numpy(-(-batch.width.astype(np.int64) // TIME_STRIDE))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=net.has_bf16()
                            or self.device.type == "cuda"):
            scores = self.model(x)
        log_probs = scores.float().log_softmax(2)
        if batch.cased is not None and not batch.cased.all():
            log_probs = _either_case(log_probs, torch.from_numpy(~batch.cased).to(self.device))
        log_probs = log_probs.transpose(0, 1)  # (T, B, C)
        # "mean" divides each loss by its text's length (empty texts by 1), then averages; a text
        # that does not fit into its window has an infinite loss and is left out
        loss = F.ctc_loss(log_probs, targets, times, lengths, alphabet.BLANK, "mean", True)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.crew.average(self.model)
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

    def begin_with(self, model: net.WordNet) -> None:
        """Start from weights that were trained before; the optimiser knows nothing of them."""
        self.model.load_state_dict(model.state_dict())
        if self.average:
            self.average = copy.deepcopy(self.model.state_dict())

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


UPPER = [k for k, c in enumerate(alphabet.CHARACTERS, 1) if "A" <= c <= "Z"]
LOWER = [alphabet.encode(alphabet.CHARACTERS[k - 1].lower())[0].item() for k in UPPER]


def _labels(batch: Batch) -> list[str]:
    """The texts, upper case where the case is not known."""
    if batch.cased is None:
        return batch.texts
    return [text if cased else text.upper() for text, cased in zip(batch.texts, batch.cased)]


def _either_case(log_probs: Tensor, rows: Tensor) -> Tensor:
    """`log_probs` (B, T, C) where, in `rows` (B,) bool, a capital stands for its lower case too.

    The lower case's own probability becomes nothing, so that each step still adds up to 1: what
    CTC's gradient takes for granted.
    """
    merged = log_probs.clone()
    both = torch.logaddexp(log_probs[..., UPPER], log_probs[..., LOWER])
    pick = rows[:, None, None]
    merged[..., UPPER] = torch.where(pick, both, log_probs[..., UPPER])
    merged[..., LOWER] = torch.where(pick, -60.0, log_probs[..., LOWER])
    return merged


def plain(settings: TrainSettings) -> dict:
    """Settings as plain values, which weights_only loading accepts."""
    return json.loads(json.dumps(asdict(settings)))


def settings_of(values: dict) -> TrainSettings:
    """The inverse of `plain`."""
    real = values.get("real")
    return TrainSettings(**{**values, "net": NetSettings(**values["net"]),
                            "without": tuple(values.get("without", ())),
                            "real": RealSettings(**real) if real else None})


# ---- the run -----------------------------------------------------------------------------------

def train(settings: TrainSettings, out_dir: Path, resume: Path | None = None, branch: bool = False,
          exam: Exam | None = None, source: Source | None = None, start: Path | None = None,
          say: Callable[[str], None] = print, card: str = CARD, crew: Crew = ALONE) -> State:
    """Train until the budget is spent or SIGTERM comes; the state is in `out_dir` either way.

    resume  a checkpoint to continue, with its samples, schedule and optimiser
    branch  start a new budget from that checkpoint, its whole length in decay
    start   weights to begin with, a new budget and optimiser; the rate decays from the start
    exam    real words read now and then; drawn ones always are
    source  batches instead of the synthetic ones
    card    a sentence about data and licences, kept in the weights file
    crew    the processes that train together; each calls this with its own
    """
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    if branch:
        settings = replace(settings, decay_start=0.0, warm_up=0)
    run = _Run(settings, out_dir, exam, source or synthetic(settings, crew), say, card, crew)
    if resume is not None:
        run.resume(checkpoint.load(resume), branch)
    elif start is not None:
        run.start_with(start)
    return run.through()


class _Run:
    """A run's counters and what it does now and then: log, evaluate, save."""

    def __init__(self, settings: TrainSettings, out_dir: Path, exam: Exam | None, source: Source,
                 say: Callable[[str], None], card: str, crew: Crew) -> None:
        self.settings, self.out_dir, self.exam, self.card = settings, out_dir, exam, card
        self.source, self.crew = source, crew
        self.say = say if crew.leads else (lambda _: None)
        self.trainer = Trainer(settings, crew)
        self.samples = self.steps = self.first = 0
        self.before = 0.0  # seconds trained in earlier sessions
        self.draws = Draws()
        self.began = time.monotonic()

    def resume(self, state: State, branch: bool) -> None:
        """Go on from a checkpoint. A branch counts its budget anew; otherwise the run goes on
        where the budget was."""
        self.trainer.restore(state)
        self.samples, self.steps = state.samples, state.steps
        self.first, self.before = (state.samples, 0.0) if branch else (state.first, state.seconds)
        if self.crew.leads:  # the others' counts are in there too
            self.draws = Draws.of_state(state.draws)

    def start_with(self, weights: Path) -> None:
        """Begin with the weights of a file; their samples count, but not towards the budget."""
        model, content = net.load_raw(weights)
        self.trainer.begin_with(model)
        self.samples = self.first = content["samples"]

    def seconds(self) -> float:
        return self.before + time.monotonic() - self.began

    def spent(self) -> float:
        return spent_of(self.settings, self.samples - self.first, self.seconds())

    def through(self) -> State:
        """The run itself, to the end of the budget or a wish to stop."""
        s, crew = self.settings, self.crew
        self.say(f"{net.n_parameters(self.trainer.model):,} parameters on {self.trainer.device}, "
                 f"{self.samples:,} samples seen, seed {s.seed}, {crew.size} process"
                 f"{'' if crew.size == 1 else 'es'}")
        drawn = _held_out(s, self.source) if crew.leads else None
        self.began = time.monotonic()
        saved = examined = logged = self.began
        recent: list[Tensor] = []
        logged_samples = self.samples
        with _Stop() as stop:
            for batch in self.source(self.samples):
                now = time.monotonic()
                save = crew.leads and now - saved >= s.checkpoint_minutes * 60 and self.steps > 0
                # what the first process knows, all must know alike: one sum instead of messages
                spent, n_stop, n_save, n = crew.total(self.spent() if crew.leads else 0.0,
                                                      stop.asked, save, len(batch.texts))
                if n_save:
                    self.keep()
                    saved = now
                if spent >= 1 or n_stop:
                    break
                rate = rate_at(s, spent, self.steps)
                recent.append(self.trainer.step(batch, rate, self.steps))
                self.draws.add(batch.fonts, batch.texts)
                self.samples += int(n)
                self.steps += 1
                now = time.monotonic()
                if now - logged >= s.log_seconds:
                    loss = float(torch.stack(recent).mean())
                    speed = (self.samples - logged_samples) / (now - logged)
                    left = self.seconds() * (1 - spent) / spent if spent > 0 else float("nan")
                    self.report({"loss": round(loss, 4), "rate": rate, "speed": round(speed, 1)})
                    self.say(f"{self.samples:>11,}  loss {loss:.3f}  rate {rate:.1e}  "
                             f"{speed:.0f}/s  {left / 60:.0f} min left")
                    recent, logged, logged_samples = [], now, self.samples
                if drawn is not None and now - examined >= s.evaluate_minutes * 60:
                    self.evaluate(drawn)
                    examined = time.monotonic()
            if recent:
                self.report({"loss": round(float(torch.stack(recent).mean()), 4)})
            state = self.keep()
            if drawn is not None:
                self.evaluate(drawn)
        self.say(f"{'stopped' if stop.asked else 'done'}: {self.samples:,} samples, "
                 f"{state.seconds / 60:.1f} min; state in {self.out_dir / STATE}, "
                 f"weights in {self.out_dir / WEIGHTS}")
        return state

    def keep(self) -> State:
        """Write the checkpoint. All processes come here at the same step."""
        draws = Draws()
        for of_one in self.crew.gathered(self.draws):
            draws.merge(of_one)
        state = self.trainer.state()
        state.samples, state.steps, state.seconds = self.samples, self.steps, self.seconds()
        state.spent, state.first, state.draws = self.spent(), self.first, draws.state()
        state.card = self.card
        if self.crew.leads:
            checkpoint.save(state, self.out_dir / STATE)
        return state

    def report(self, entry: dict) -> None:
        """A line of the log."""
        if not self.crew.leads:
            return
        entry = {"samples": self.samples, "steps": self.steps,
                 "seconds": round(self.seconds(), 1), **entry}
        with open(self.out_dir / LOG, "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")

    def evaluate(self, drawn: Batch) -> None:
        """Read the exam with the averaged weights, and leave them ready to read with."""
        reader = self.trainer.reader()
        found = examine(reader, self.exam, drawn)
        net.save(reader, self.out_dir / WEIGHTS, self.samples, self.card)
        self.report({"evaluation": found})
        self.say(f"{self.samples:>11,}  " + "  ".join(f"{n} {100 * v:.1f}" for n, v in found.items()))


HELD_OUT = 1 << 40  # sample index no run reaches: drawn words that are never trained on


def _held_out(settings: TrainSettings, source: Source, least: int = 1024) -> Batch:
    """Drawn samples from far beyond the run, enough that negatives (6 %) are among them."""
    batches, n = [], 0
    for batch in source(HELD_OUT):
        batches.append(batch)
        n += len(batch.texts)
        if n >= min(least, 32 * settings.batch_size):
            break
    return stacked(batches)


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


def export(state_path: Path, weights_path: Path, card: str | None = None) -> int:
    """Write the averaged weights of a checkpoint as a weights file; samples seen come back."""
    state = checkpoint.load(state_path)
    model = net.WordNet(NetSettings(**state.settings["net"]))
    model.load_state_dict(state.average or state.model)
    net.save(model, weights_path, state.samples, state.card if card is None else card)
    return state.samples


def average(parts: list[Path], weights_path: Path) -> int:
    """Write the mean of several weights files of one shape; the most samples any has seen come back.

    Runs that began with the same weights lie in one basin, where the mean reads better than either
    (Wortsman et al. 2022, "Model soups"). The mean has no calibration yet. Raises Usage where the
    nets differ in shape or in what they were trained on.
    """
    if len(parts) < 2:
        raise Usage("--average needs two weights files or more")
    loaded = [net.load_raw(part) for part in parts]
    model, content = loaded[0]
    for part, (other, about) in zip(parts, loaded):
        if other.settings != model.settings or about["card"] != content["card"]:
            raise Usage(f"{part}: another net or other data than {parts[0]}; only weights of the "
                        "same shape, trained on the same kinds of words, can be averaged")
    states = [other.state_dict() for other, _ in loaded]
    mean = {name: torch.stack([state[name].float() for state in states]).mean(0).to(value.dtype)
            if value.is_floating_point() else value for name, value in states[0].items()}
    model.load_state_dict(mean)
    samples = max(about["samples"] for _, about in loaded)
    net.save(model.eval(), weights_path, samples, content["card"])
    return samples
