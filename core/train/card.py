"""The model card of a weights file: what it is, what it was trained on, what it reads how well."""

from __future__ import annotations

from pathlib import Path

from core import notebook
from core.evaluate.words import is_right, score_words
from core.files import write_text
from core.recognizer import net
from core.recognizer.alphabet import CHARACTERS
from core.recognizer.calibration import reliability

TUNED = "fine-tuned"  # in the weights' own sentence about data, where real words were among them
DATA = """\
- Synthetic words drawn by `core/synth` with the fonts of `resources/fonts` and the lists of
  `resources/corpus`, whose licences stand in their SOURCES.md."""
REAL = """\
- Words of receipts of ICDAR 2019 SROIE, train (github.com/zzzDavid/ICDAR-2019-SROIE, MIT for its
  code; no explicit licence of the images found) and of screenshots of Debian documentation (PSF-2.0,
  PostgreSQL). None of their pixels are in this repository. Not among them: an eighth of the
  receipts' shops and of the screenshots, on which the confidence was calibrated."""
LIMITS = """\
Printed English and numbers, with the letters and signs of western print, upright, one line to a window of
32 px. Other characters are read as the likest of these. Handwriting is not its business. Windows
wider than 512 px are squeezed; the Word Detector chops longer text."""


def write_card(weights: Path, tsv: Path, root: Path) -> Path:
    """Measure the weights on a words TSV and write WEIGHTS.md; its path comes back."""
    model, content = net.load_raw(weights)
    loaded = net.load(weights)
    scores = score_words(tsv, root, loaded)
    right = [is_right(word, text) for word, text in zip(scores.truth, scores.texts)]
    error = reliability(scores.confidence, right).error
    real = "\n" + REAL if TUNED in content["card"] else ""
    s = model.settings
    text = f"""\
# {weights.name}

{content["card"] or "Trained on synthetic words only."}

- Word Deep Net: convolutions {", ".join(map(str, s.channels))}, depth {s.depth}, {s.layers}
  bidirectional LSTM of {s.hidden}, CTC over blank + {len(CHARACTERS)} characters;
  {net.n_parameters(model):,} parameters, fp16, {weights.stat().st_size / 1e6:.1f} MB
- {content["samples"]:,} training samples; digest {loaded.digest}; commit `{notebook.git_sha()}`
- Licence AGPL-3.0-or-later, as the program that made it

## Trained on

{DATA}{real}
- Never on FUNSD forms, whose terms are non-commercial.

## Read how well

Single Word Accuracy on `{tsv.name}`, in percent; none of these words were trained on. Case counts
only under "exact".

{scores.table()}

Expected calibration error of the confidence: {error:.4f} (slope {loaded.calibration.slope:g}).

## Meant for

{LIMITS}
"""
    return write_text(weights.with_suffix(".md"), text)
