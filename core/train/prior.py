"""Make the prior over texts: `python main.py train prior`. Seconds, from the corpus alone."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from core.recognizer import prior
from core.recognizer.alphabet import covers
from core.synth import corpus, tape
from core.synth.sample import SampleSettings
from core.synth.stream import Stream

SAMPLES = 400_000
SEED = 777  # no training run's: the prior should not be made of the very texts the net saw
TAPES = 0.3  # of the texts are a receipt's: as many as in training
# What is drawn to show every character is rarer in print; pieces and missing spaces are defects.
FACTORS = {"symbols": 0.3, "accented": 0.3, "code_text": 0.5, "piece": 0.0, "joined": 0.0}


ENDS = ('."', ',"', '?"', '!"', ".)", "),", ';"', ":", "--", ".", ",", '"', "'")
LONE = "-:&/*=#|123xX@%$"


def texts(n: int, seed: int = SEED) -> list[str]:
    """n texts of the corpus, kinds as often as training draws them but for FACTORS."""
    defaults = {f.name: f.default for f in fields(SampleSettings)}
    odds, of_tapes = (tuple(weights.get(name, 0.0) * FACTORS.get(name, 1.0)
                            for name, _ in corpus.KINDS) for weights in (defaults, tape.TEXTS))
    found = []
    for i in range(n):
        stream = Stream(seed, i, "tape")
        receipt = tape.draw_tape(stream, TAPES)
        text = corpus.draw_text(Stream(seed, i, "text"), of_tapes if receipt else odds)[1]
        text = " ".join(text.split())
        if receipt:
            shouted = text.upper()
            found.append(shouted if receipt.upper and covers(shouted) else text)
        else:
            found.append(_as_printed(text, Stream(seed, i, "printed")))
    return found


def _as_printed(text: str, stream: Stream) -> str:
    """The text, one time in five as running text and programs have words: broken at the end of a
    line, quoted, in a name of several words; or a mark or digit that stands alone."""
    u = stream.unit()
    if u < 0.13 and text.isalpha():
        return (text + "-" if u < 0.04 else text + stream.pick(ENDS) if u < 0.09
                else stream.pick("\"\"\"('*-") + text)
    if u < 0.17:
        return _name(stream)
    return stream.pick(LONE) if u < 0.20 else text


def _name(stream: Stream) -> str:
    """CMAKE_BUILD_TYPE, build_type, BuildType, ./build-type."""
    words = [corpus.load().word(stream).replace("'", "") for _ in range(stream.pick((2, 2, 3, 3, 4)))]
    return stream.pick(("_".join(words).upper(), "_".join(words).lower(),
                        "".join(word.title() for word in words),
                        stream.pick(("./", "/", "--", "-", ".", "../")) + "-".join(words[:2]).lower()))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `main.py train prior`."""
    parser.add_argument("--out", type=Path, default=prior.SHIPPED, help="default: the shipped one")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="texts it is made of")
    parser.add_argument("--seed", type=int, default=SEED)


def run(args: argparse.Namespace) -> int:
    """`main.py train prior`: make it and write it. Returns an exit code."""
    made = prior.fitted(texts(args.samples, args.seed))
    made.save(args.out)
    print(f"{args.out}: {', '.join(f'{len(k):,}' for k in made.keys)} n-grams of 1 to {made.order} "
          f"characters, of {args.samples:,} texts, {args.out.stat().st_size / 1e6:.1f} MB")
    return 0
