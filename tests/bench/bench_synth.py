"""How many word windows a CPU-second makes, and where the time goes.

    python tests/bench/bench_synth.py [--count N] [--repeat N]

One thread, the default mix, the atlas loaded before. A transform's share is measured by wrapping
its draw and apply; the rest is text, layout, glyphs, warp and the mix of ink and paper.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[2]))
from core.synth import corpus, layout, negatives, transforms
from core.synth import sample as making
from core.synth.sample import SampleSettings, sample


def rate(settings: SampleSettings, count: int, repeat: int) -> list[float]:
    """Samples a CPU-second, once for each repeat."""
    rates = []
    for k in range(repeat):
        began = time.process_time()
        for i in range(count):
            sample(settings, 1, k * count + i)
        rates.append(count / (time.process_time() - began))
    return rates


def timed(spent: dict[str, float], times: dict[str, int], name: str, f: Callable) -> Callable:
    def g(*args, **named):
        began = time.process_time()
        try:
            return f(*args, **named)
        finally:
            spent[name] += time.process_time() - began
            times[name] += 1
    return g


def shares(settings: SampleSettings, count: int) -> tuple[dict[str, float], dict[str, int], float]:
    """(seconds by part, calls by part, seconds in all) with every part wrapped."""
    spent, times = defaultdict(float), defaultdict(int)
    kept = {name: getattr(transforms, name.upper()) for name, _ in transforms.PLACES}
    parts = ((corpus, "draw_text", "text"), (layout, "place", "layout"),
             (layout, "font_for", "font"), (transforms, "warp", "warp"),
             (transforms, "warp_matrix", "warp"), (making, "paint", "glyphs"),
             (transforms, "compose", "compose"), (negatives, "draw", "negatives"),
             (making._Making, "_legible", "legible"))
    originals = [(owner, attribute, getattr(owner, attribute)) for owner, attribute, _ in parts]
    for name, place in kept.items():
        setattr(transforms, name.upper(), tuple(
            t._replace(draw=timed(spent, times, t.name + " (draw)", t.draw),
                       apply=timed(spent, times, t.name, t.apply)) for t in place))
    for owner, attribute, name in parts:
        setattr(owner, attribute, timed(spent, times, name, getattr(owner, attribute)))
    try:
        began = time.process_time()
        for i in range(count):
            sample(settings, 1, i)
        return spent, times, time.process_time() - began
    finally:
        for name, place in kept.items():
            setattr(transforms, name.upper(), place)
        for owner, attribute, original in originals:
            setattr(owner, attribute, original)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    settings = SampleSettings()
    rate(settings, 300, 1)  # faces, pools and lists are made at first use
    rates = rate(settings, args.count, args.repeat)
    print(f"{statistics.median(rates):.0f} samples a CPU-second "
          f"(from {min(rates):.0f} to {max(rates):.0f})")
    spent, times, total = shares(settings, args.count)
    for name, seconds in sorted(spent.items(), key=lambda kv: -kv[1]):
        print(f"  {name:<24}{seconds / total:6.1%}  {1e6 * seconds / times[name]:7.0f} us each, "
              f"in {times[name] / args.count:.0%} of samples")
    print(f"  {'streams and the rest':<24}{1 - sum(spent.values()) / total:6.1%}")


if __name__ == "__main__":
    main()
