"""Fine-tuning: batches half of real words and half of drawn ones, from weights that exist."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from core.errors import Usage
from core.recognizer.window import pad_windows
from core.train.batch import Batch, Source, stacked
from core.train.processes import ALONE, Crew
from core.train.real import LONGEST, Crop, Draw, RealSettings, RealWords
from core.train.words import TrainSettings

CARD = ("Trained on synthetic words, then fine-tuned on words of receipts (ICDAR 2019 SROIE, train; "
        "no explicit licence of the images found) and of screenshots of Debian documentation "
        "(PSF-2.0, PostgreSQL), mixed with synthetic ones. Never on forms.")


def mixed(settings: TrainSettings, words: RealWords, crew: Crew = ALONE) -> Source:
    """Batches of `settings.batch_size`, the share `real.share` of each from `words`.

    Both halves of a block of batches are sorted by width before they are paired, so that little
    of a batch is padding; batches then come in a shuffled order.
    """
    from core.synth import loader
    from core.synth.sample import SampleSettings

    real = settings.real or RealSettings()
    n_real = round(settings.batch_size * real.share)
    n_drawn = settings.batch_size - n_real
    if not n_real:
        raise Usage("fine-tuning with a share of 0 real words is training on drawn ones; leave "
                    "--finetune out")
    synth = SampleSettings(width_max=max(LONGEST, settings.net.max_width))
    block = loader.BLOCK * settings.batch_size
    crop = words.drawn(real)

    def blocks(number: int) -> Iterator[list[Batch]]:
        drawn = loader.batches(synth, settings.seed, number * loader.BLOCK * n_drawn, n_drawn,
                               settings.workers, crew.size) if n_drawn else itertools.repeat(None)
        while True:
            parts = _by_width(crop, settings.seed, number, n_real, loader.BLOCK)
            if n_drawn:
                others = sorted(itertools.islice(drawn, loader.BLOCK),
                                key=lambda b: (b.window.shape[2], b.first))
                parts = [stacked([a, Batch(b.window, b.width, list(b.text), None, b.font)])
                         for a, b in zip(parts, others, strict=True)]
            order = np.random.default_rng([settings.seed, number]).permutation(len(parts))
            yield [parts[k] for k in order]
            number += crew.size

    def stream(start: int) -> Iterator[Batch]:
        mine = start // crew.size
        skip = mine % block // settings.batch_size
        batches = itertools.chain.from_iterable(blocks(mine // block * crew.size + crew.rank))
        yield from itertools.islice(batches, skip, None)

    return stream


def _by_width(crop: Draw, seed: int, number: int, size: int, n_batches: int) -> list[Batch]:
    """Block `number` of real crops as batches of `size`, narrow ones first."""
    first = number * size * n_batches
    crops = [crop(seed, i) for i in range(first, first + size * n_batches)]
    order = sorted(range(len(crops)), key=lambda k: (crops[k].window.shape[1], k))
    return [_batch([crops[k] for k in order[a:a + size]]) for a in range(0, len(order), size)]


def _batch(crops: list[Crop]) -> Batch:
    window, width = pad_windows([c.window for c in crops])
    return Batch(window, width, [c.text for c in crops], np.array([c.cased for c in crops]))
