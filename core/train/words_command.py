"""Train the Word Deep Net: `main.py train words --out DIR --minutes 60`.

Fine-tune it on real words:  --finetune TRAIN.tsv --from WEIGHTS --minutes 8
Average several runs:        --average WEIGHTS WEIGHTS --export WEIGHTS
Calibrate its confidence:    --calibrate WEIGHTS --fit TRAIN.tsv --eval DEV.tsv
Several settings in turn:    --sweep FILE.toml
Several processes:           torchrun --nproc-per-node 2 main.py train words ...
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from core.errors import Usage
from core.recognizer import net
from core.recognizer.architecture import NetSettings
from core.train import checkpoint, processes
from core.train.exam import Exam, exam_of
from core.train.finetune import CARD as CARD_TUNED
from core.train.finetune import mixed
from core.train.real import RealSettings, real_words
from core.train.words import CARD, STATE, TrainSettings, average, export, settings_of, train

TUNING_RATE = 4e-4  # AdamW, a fifth of training's: the weights are good already


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
    parser.add_argument("--batch", type=int, default=TrainSettings.batch_size)
    parser.add_argument("--rate", type=float, help="learning rate (default 1.4e-3; fine-tuning 4e-4)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that draw samples")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--channels", type=lambda s: tuple(map(int, s.split(","))),
                        default=NetSettings().channels, help="e.g. 48,96,192,288 for the L net")
    parser.add_argument("--hidden", type=int, default=NetSettings().hidden)
    parser.add_argument("--without", type=lambda s: tuple(filter(None, s.split(","))), default=(),
                        metavar="NAMES", help="transforms that are not drawn, e.g. thermal,dots")
    parser.add_argument("--eval", type=Path, dest="exam", help="a words TSV read now and then")
    parser.add_argument("--root", type=Path, help="what the TSV's files are relative to "
                        "(default: the folder above the TSV's)")
    parser.add_argument("--eval-words", type=int, default=1500, help="words of each kind")
    parser.add_argument("--eval-minutes", type=float, default=5.0)
    tuning = parser.add_argument_group("fine-tuning on real words")
    tuning.add_argument("--finetune", type=Path, metavar="TSV", help="words to train on, half of "
                        "each batch; only receipts and screenshots of it are taken")
    tuning.add_argument("--from", type=Path, dest="start", metavar="WEIGHTS",
                        help="weights to begin with, and to check the labels with; with --note "
                        "what the entry says it began with (default: words-synthetic.pt)")
    tuning.add_argument("--real-share", type=float, default=RealSettings().share,
                        help="of each batch that is real")
    tuning.add_argument("--learn-norms", action="store_true", help="let the batch norms' "
                        "statistics follow the mixed batches; else they stay as they are")
    tuning.add_argument("--most", type=int, help="real words at most, for a trial")
    other = parser.add_argument_group("instead of training")
    other.add_argument("--calibrate", type=Path, metavar="WEIGHTS", help="fit what turns its path "
                       "probability into a confidence, and store it there")
    other.add_argument("--fit", type=Path, metavar="TSV", help="with --calibrate: words to fit on; "
                       "only documents that fine-tuning leaves out are taken")
    other.add_argument("--sweep", type=Path, metavar="FILE", help="TOML, a table per run; each "
                       "writes a notebook entry (needs --eval)")
    other.add_argument("--export", type=Path, metavar="WEIGHTS",
                       help="write the weights of --resume (default: of --out) here and end")
    other.add_argument("--average", type=Path, nargs="+", metavar="WEIGHTS", help="with --export: "
                       "write the mean of these weights there")
    other.add_argument("--split", type=Path, metavar="FOLDER", help="copy the state of --resume "
                       "(default: of --out) there in files of at most 16 MiB")
    other.add_argument("--card", type=Path, metavar="WEIGHTS", help="with --eval: write the model "
                       "card beside the weights (.md): data, licences, figures, commit")
    other.add_argument("--note", metavar="TITLE", help="with --eval: score the run in --out on "
                       "the whole list, write its notebook entry and end")
    other.add_argument("--goal", default="", help="with --note: the entry's first sentence")
    other.add_argument("--scored", type=Path, metavar="WEIGHTS", help="with --note: score these "
                       "instead of the run's own, a mean with other runs for instance")
    other.add_argument("--learnt", default="", help="with --note: its last")


def run(args: argparse.Namespace) -> int:
    """`main.py train words`: train, or do one of the other things. Returns an exit code."""
    if args.average:
        if not args.export:
            raise Usage("--average needs a file to write: --export WEIGHTS")
        samples = average(args.average, args.export)
        print(f"{args.export}: mean of {len(args.average)} weights, {samples:,} samples; calibrate it")
        return 0
    if args.export:
        samples = export(args.resume or args.out / STATE, args.export)
        print(f"{args.export}: weights after {samples:,} samples")
        return 0
    if args.split:
        for path in checkpoint.split(args.resume or args.out / STATE, args.split):
            print(path)
        return 0
    if args.card:
        from core.train.card import write_card
        if not args.exam:
            raise Usage("a card needs words to measure on: --eval WORDS.tsv")
        print(write_card(args.card, args.exam, root_of(args, args.exam)))
        return 0
    if args.calibrate:
        from core.train.calibrate import command
        return command(args)
    if args.sweep:
        from core.train.sweep import command
        return command(args)
    if args.note:
        return _note(args)
    _train(args)
    return 0


def settings_from(args: argparse.Namespace) -> TrainSettings:
    """The settings that the options ask for. Raises Usage where they contradict each other."""
    if args.branch and not args.resume:
        raise Usage("--branch needs a checkpoint to start from: --resume STATE")
    if bool(args.finetune) != bool(args.start):
        raise Usage("fine-tuning needs both --finetune TSV and --from WEIGHTS")
    shape = NetSettings(channels=args.channels, hidden=args.hidden)
    if args.resume:
        shape = NetSettings(**checkpoint.load(args.resume).settings["net"])
    elif args.start:
        shape = net.load_raw(args.start)[0].settings
    settings = TrainSettings(
        net=shape, minutes=args.minutes, samples=args.samples, batch_size=args.batch,
        rate=args.rate or (TUNING_RATE if args.finetune else TrainSettings.rate),
        decay_start=args.decay_start, seed=args.seed, workers=args.workers, threads=args.threads,
        evaluate_minutes=args.eval_minutes, without=args.without)
    if args.finetune:
        settings = replace(settings, decay_start=0.0, warm_up=100,
                           freeze_norms=not args.learn_norms,
                           real=RealSettings(share=args.real_share))
    return settings


def root_of(args: argparse.Namespace, tsv: Path) -> Path:
    """What the files of a words TSV are relative to."""
    return args.root or tsv.resolve().parent.parent


def exam_for(args: argparse.Namespace, settings: TrainSettings) -> Exam | None:
    """The exam that --eval asks for."""
    if not args.exam:
        return None
    return exam_of(args.exam, root_of(args, args.exam), args.eval_words, settings.net.max_width)


def _train(args: argparse.Namespace) -> None:
    settings, crew = settings_from(args), processes.join()
    exam = exam_for(args, settings) if crew.leads else None
    source, card = None, CARD
    if args.finetune:
        words = real_words(args.finetune, root_of(args, args.finetune), net.load(args.start),
                           args.most)
        _say(f"fine-tuning on {words}")
        source, card = mixed(settings, words, crew), CARD_TUNED
    train(settings, args.out, args.resume, args.branch, exam, source,
          args.start if not args.resume else None, _say, card, crew)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _note(args: argparse.Namespace) -> int:
    """Write the notebook entry of the run in --out, scored on all of --eval."""
    from core.train.note import note_of_run

    if not args.exam:
        raise Usage("--note needs the words to score on: --eval WORDS.tsv")
    settings = settings_of(checkpoint.load(args.out / STATE).settings)
    budget = (f"--minutes {settings.minutes:g}" if settings.minutes
              else f"--samples {settings.samples}")
    command = f"python main.py train words {budget} --batch {settings.batch_size} " \
              f"--rate {settings.rate:g} --seed {settings.seed}"
    if settings.real:
        start = args.start.name if args.start else "words-synthetic.pt"
        command += f" --finetune TRAIN.tsv --from {start} --real-share {settings.real.share:g}"
        command += "" if settings.freeze_norms else " --learn-norms"
    else:
        command += f" --decay-start {settings.decay_start:g}"
    print(note_of_run(args.out, args.exam, root_of(args, args.exam), args.note, args.goal, command,
                      args.learnt, weights=args.scored))
    return 0


