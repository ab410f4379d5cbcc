"""Screenshots: what a screen shows, cut out exactly. A share of the samples is drawn so.

Small hinted glyphs in boxes that end at the ink, on an even ground; no paper, no printer and no
camera comes between. Beside the wear of scans, drawn sample by sample, such windows hardly ever
occur, and a small net tells the drawn ones from real ones at a glance
(`tests/bench/bench_discriminator.py`).
"""

from __future__ import annotations

# What screens say, as weights of corpus.KINDS: running text, programs, file names.
TEXTS = {"word": 0.5, "piece": 0.02, "punctuated": 0.14, "numeric": 0.08, "entity": 0.03,
         "address": 0.03, "code_text": 0.11, "symbols": 0.03, "accented": 0.03, "typographic": 0.02,
         "joined": 0.01, "several": 0.05}
# Odds that differ from other samples', named like the fields of SampleSettings.
ODDS = {"tight": 0.95, "loose": 0.06, "paper": 0.03, "screen": 1.0, "tracking": 0.02,
        "squeeze": 0.02, "faint": 0.06, "weight": 0.03, "neighbours": 0.02, "beside": 0.03,
        "lines": 0.04, "rotation": 0.0, "shear": 0.0, "oblique": 0.03, "perspective": 0.0,
        "curve": 0.0, "elastic": 0.0, "spread": 0.0, "starved": 0.0, "uneven": 0.0, "thermal": 0.0,
        "dots": 0.0, "bilevel": 0.04, "texture": 0.0, "pattern": 0.01, "gradient": 0.02,
        "shadow": 0.0, "crease": 0.0, "glare": 0.0, "motion": 0.0, "blur": 0.05, "defocus": 0.0,
        "low_resolution": 0.05, "sharpen": 0.0, "tone_curve": 0.02, "specks": 0.0, "noise": 0.01,
        "threshold": 0.0, "fax": 0.0, "jpeg": 0.12, "resampled": 0.15, "inversion": 0.05}
