"""Samples to publish: shards, a data card, and the licences of all that is shown."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from core.recognizer.alphabet import CHARACTERS
from core.synth import corpus
from core.synth.fonts import Atlas
from core.synth.photos import put
from core.synth.sample import Sample, SampleSettings, sample

SHARD = 10_000  # samples in a file
PACKAGES = ("numpy", "opencv-python", "freetype-py")  # whose versions the pixels depend on
CARD = """# Synthetic word windows

{n} images of short texts, 32 px high, 8-bit gray, PNG, made by a program; no image of a real
document and no person's data is in them.

- made by: `python main.py synth --release --count {n} --seed {seed}`; samples 0 to {last} of seed
  {seed}, settings {settings}, fonts {atlas}, {packages}
- shards: tar files of {shard} samples; `KEY.png` the window, `KEY.txt` its text (UTF-8, empty
  where there is nothing to read), `KEY.json` its recipe: font, size and every transform's numbers
- texts: printable ASCII; median length {median}, {empty:.1%} without text; {distinct} different
- use: training and testing of recognisers of printed words. Not in it: handwriting, other scripts,
  letters with accents
- biases: English words (US and British), Malaysian and American receipt terms, US food names

## Licences

The images show fonts and texts of other people, listed with their licences in `fonts.md`,
`corpus.md` and `lexicon.md`; the licence texts are in `licences/`. Fonts' licences (OFL, Apache,
GPL with font exception, free) allow images of text set in them to be given away. The arrangement
is under the licence of the program that made it.

## Settings

```json
{full}
```

## Kinds of text

| kind | samples |
| --- | --- |
{kinds}

## Characters

| character | times |
| --- | --- |
{characters}
"""


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def recipe_json(made: Sample, seed: int, i: int) -> str:
    """One line: seed, i, text, kind, font, size, steps as [name, [numbers]]."""
    recipe = made.recipe
    return json.dumps({"seed": seed, "i": i, "text": made.text, "kind": recipe.kind,
                       "font": recipe.font, "size": recipe.size,
                       "steps": [[s.name, [round(float(v), 6) for v in s.numbers]]
                                 for s in recipe.steps]})


def write_release(settings: SampleSettings, seed: int, count: int, out: Path, atlas: Atlas,
                  ) -> None:
    """out/words-NNNNN.tar, README.md (the data card) and the licences of all that is shown.

    The same call gives the same bytes: names, order and times in the shards are fixed.
    """
    kinds, characters, lengths, texts = Counter(), Counter(), [], set()
    for first in range(0, count, SHARD):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as shard:
            for i in range(first, min(first + SHARD, count)):
                made = sample(settings, seed, i, atlas)
                kinds[made.recipe.kind if made.text else f"no text: {made.recipe.kind}"] += 1
                characters.update(made.text)
                lengths.append(len(made.text))
                texts.add(made.text)
                for ending, content in (("png", png(made.image)), ("txt", made.text.encode()),
                                        ("json", recipe_json(made, seed, i).encode())):
                    entry = tarfile.TarInfo(f"{i:08}.{ending}")
                    entry.size = len(content)
                    shard.addfile(entry, io.BytesIO(content))
        put(out / f"words-{first // SHARD:05}.tar", packed.getvalue())
    put(out / "README.md", CARD.format(
        n=count, seed=seed, last=count - 1, settings=settings.digest, atlas=atlas.digest,
        packages=", ".join(f"{p} {version(p)}" for p in PACKAGES), shard=SHARD,
        median=int(np.median(lengths)), empty=lengths.count(0) / len(lengths),
        distinct=len(texts), full=json.dumps(asdict(settings), indent=1),
        kinds="\n".join(f"| {k} | {n} |" for k, n in kinds.most_common()),
        characters="\n".join(f"| `{c}` | {characters[c]} |" if c != "`" else
                             f"| `` {c} `` | {characters[c]} |" for c in CHARACTERS)).encode())
    _copy_licences(out, atlas)


def _copy_licences(out: Path, atlas: Atlas) -> None:
    """The sources of fonts, corpus and lexicon, and every licence text they name."""
    folders = dict.fromkeys(font.path.parent for font in atlas.fonts)
    for n, folder in enumerate(folders):
        sources = folder / "SOURCES.md"
        if sources.exists():
            put(out / ("fonts.md" if n == 0 else f"fonts-{n + 1}.md"), sources.read_bytes())
        for text in sorted((folder / "licences").glob("*")):
            put(out / "licences" / text.name, text.read_bytes())
    for folder, name in ((corpus.CORPUS, "corpus.md"), (corpus.CORPUS.parent / "lexicon",
                                                        "lexicon.md")):
        if (folder / "SOURCES.md").exists():
            put(out / name, (folder / "SOURCES.md").read_bytes())
        for text in sorted(folder.glob("LICEN*")):
            put(out / "licences" / f"{folder.name}-{text.name}", text.read_bytes())
