"""What happens to a word between its glyphs and the window the net sees: one transform a defect.

A transform draws its numbers from a stream of its own and then applies them; the numbers go into
the recipe. They are fractions (of the text's height, of the range of tones), never indices into
something that other transforms change, so a transform can be switched off alone. How strong they
are is scaled by one number a sample, its severity. There are six places where one can act, in
this order:

    canvas   beside the glyphs, before the warp: lines and neighbours (`Drawing` in, painted on)
    shape    terms of the warp (`warp_matrix` puts them together; nothing is applied here)
    bend     the warped ink (32, W) uint8, 255 = full ink, its pixels moved
    ink      the same, its strength changed
    tone     the gray picture (32, W) float32, 0 .. 255
    picture  the finished picture (32, W) uint8
"""

from __future__ import annotations

from core.synth.defect import Drawing, Numbers, Step, Transform
from core.synth.drawn import CANVAS, SHAPE, warp, warp_matrix
from core.synth.pictured import PICTURE, TONE, compose
from core.synth.pools import HEIGHT, pool_piece
from core.synth.printed import BEND, INK

PLACES: tuple[tuple[str, tuple[Transform, ...]], ...] = (
    ("canvas", CANVAS), ("shape", SHAPE), ("bend", BEND), ("ink", INK), ("tone", TONE),
    ("picture", PICTURE))
NAMES = tuple(t.name for _, place in PLACES for t in place)
LABELS = {t.name: t.labels for _, place in PLACES for t in place}

__all__ = ["BEND", "CANVAS", "HEIGHT", "INK", "LABELS", "NAMES", "PICTURE", "PLACES", "SHAPE",
           "TONE", "Drawing", "Numbers", "Step", "Transform", "compose", "pool_piece", "warp",
           "warp_matrix"]
