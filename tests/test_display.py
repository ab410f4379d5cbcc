"""Screenshots among the samples: nothing of paper and printers befalls them, nothing else changes."""

from dataclasses import replace

import numpy as np

from core.recognizer.window import HEIGHT
from core.synth import display, transforms
from core.synth.sample import SampleSettings, sample

N = 150
ON = SampleSettings(tape=0.0, display=1.0, negative=0.0)


def _is_display(made) -> bool:
    return any(step.name == "display" for step in made.recipe.steps)


def _ink_rows(window) -> tuple[int, int]:
    """First and last row that differ from the ground, which the corners show."""
    ground = float(np.median(window[[0, 0, -1, -1], [0, -1, 0, -1]]))
    rows = np.flatnonzero((np.abs(window - ground) > 0.4 * np.abs(window - ground).max()).any(1))
    return int(rows[0]), int(rows[-1])


def test_no_paper_and_no_printer_comes_between():
    never = {name for name in transforms.NAMES if display.ODDS.get(name) == 0.0}
    assert {"thermal", "perspective", "texture", "shadow"} <= never
    for i in range(N):
        assert never.isdisjoint(step.name for step in sample(ON, 3, i).recipe.steps)


def test_boxes_end_at_the_ink():
    plain = replace(ON, lines=0.0, neighbours=0.0, beside=0.0, pattern=0.0, jpeg=0.0, noise=0.0)
    rows = np.array([_ink_rows(s.image) for s in (sample(plain, 3, i) for i in range(N))
                     if any(c in "bdfhklt" for c in s.text) and any(c in "gpqy" for c in s.text)])
    assert len(rows) > 20
    free = np.median(rows[:, 0]), HEIGHT - 1 - np.median(rows[:, 1])
    assert max(free) <= 0.15 * HEIGHT  # the margin of a window is a tenth of its box


def test_receipts_and_windows_without_text_are_no_screenshots():
    for settings in (replace(ON, tape=1.0), replace(ON, negative=1.0)):
        assert not any(_is_display(sample(settings, 3, i)) for i in range(30))
