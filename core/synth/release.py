"""Samples to publish: shards, a data card, and the licences of all that is shown."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from core.errors import Usage
from core.files import write_bytes, write_text
from core.fonts.catalogue import FontFile
from core.fonts.install import LICENCES
from core.recognizer.alphabet import ACCENTED, CHARACTERS
from core.synth import corpus
from core.synth.fonts import Atlas
from core.synth.sample import Sample, SampleSettings, sample

SHARD = 10_000  # samples in a file
PACKAGES = ("numpy", "opencv-python", "freetype-py")  # whose versions the pixels depend on
LICENCE = "CC0-1.0"  # of what is drawn: a picture of a text set in a font is no copy of the font
LEGAL_CODE = corpus.CORPUS / "CC0-1.0.txt"
NAMES = {" ": "space", "|": "\\|", "`": "`` ` ``"}  # what a table cell cannot show as it is
CARD = """# Synthetic word windows

{n} images of short texts, 32 px high, 8-bit gray, PNG, made by a program; no image of a real
document and no person's data is in them.

**Licence: [CC0-1.0](https://creativecommons.org/publicdomain/zero/1.0/)**, see `LICENSE` and below.

- made by: `python main.py synth --release --count {n} --seed {seed}`{more}; samples 0 to {last} of
  seed {seed}, settings {settings}, fonts {atlas}, {packages}
- shards: tar files of {shard} samples; `KEY.png` the window, `KEY.txt` its text (UTF-8, empty
  where there is nothing to read), `KEY.json` its recipe: font, size and every transform's numbers
- texts: {alphabet} characters, all listed below with how often they occur: printable ASCII,
  {letters} letters with accents and ligatures of western Europe, quotes, dashes, currencies and
  other signs; median length {median}, {empty:.1%} without text; {distinct} different
- fonts: {fonts}, of {families} families
- use: training and testing of recognisers of printed words. Not in it: handwriting, other scripts
- biases: English words (US and British), few with accents, Malaysian and American receipt terms,
  US food names

## Licences

The images, their texts and recipes and this card are released under CC0-1.0: to the extent
possible under law, their makers waive all rights in them. The program that made them has a licence
of its own, which does not extend to what it draws.

What the images show was made by others, whom this waiver does not bind:

- fonts, each with its licence in {font_lists}. No font file is in this collection; their licences
  (OFL, Apache, GUST, GPL with font exception, public domain and the like) allow texts set in them
  to be drawn and the pictures to be given away.{unlicensed}
- words: `corpus.md` and `lexicon.md` list where they are from and their licences (public domain,
  MIT, SCOWL's), whose notices must stay with copies of the lists.

The licence texts are in `licences/`.

## Settings

```json
{full}
```

## Kinds of text

| kind | samples |
| --- | --- |
{kinds}

## Characters

| character | code | times |
| --- | --- | --- |
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
                  tell: Callable[[int, int], None] = lambda done, count: None) -> None:
    """out/words-NNNNN.tar, README.md (the data card) and the licences of all that is shown.

    The same call gives the same bytes: names, order and times in the shards are fixed. `tell` gets
    (samples done, count) before each sample. Raises Usage where a release is there already,
    Unreadable where nothing can be written.
    """
    found = next(iter(sorted(out.glob("words-*.tar"))), None)
    if found is not None:
        raise Usage(f"{found} is there from another run; name another folder, or remove it")
    kinds, characters, lengths, texts = Counter(), Counter(), [], set()
    for first in range(0, count, SHARD):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as shard:
            for i in range(first, min(first + SHARD, count)):
                tell(i, count)
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
        write_bytes(out / f"words-{first // SHARD:05}.tar", packed.getvalue())
    lists, unlicensed = _copy_licences(out, atlas)
    drawn = [font for font in atlas.fonts if font.weight > 0]
    write_text(out / "README.md", CARD.format(
        n=count, seed=seed, last=count - 1, settings=settings.digest, atlas=atlas.digest,
        more=" --set …, as below" if settings != SampleSettings() else "",
        packages=", ".join(f"{p} {version(p)}" for p in PACKAGES), shard=SHARD,
        alphabet=len(CHARACTERS), letters=len(ACCENTED),
        median=int(np.median(lengths)), empty=lengths.count(0) / len(lengths),
        distinct=len(texts), full=json.dumps(asdict(settings), indent=1),
        fonts=len(drawn), families=len({font.family for font in drawn}),
        font_lists=" and ".join(f"`{name}`" for name in lists), unlicensed=unlicensed,
        kinds="\n".join(f"| {k} | {n} |" for k, n in kinds.most_common()),
        characters="\n".join(f"| {NAMES.get(c) or f'`{c}`'} | U+{ord(c):04X} | {characters[c]} |"
                             for c in CHARACTERS)))


def _copy_licences(out: Path, atlas: Atlas) -> tuple[list[str], str]:
    """The sources of fonts, corpus and lexicon, and every licence text they name; (names of the
    lists of fonts, a sentence on fonts without a licence text, "" where there are none)."""
    write_bytes(out / "LICENSE", LEGAL_CODE.read_bytes())
    lists, others = [], []
    for folder, fonts in _by_folder(atlas).items():
        sources = folder / "SOURCES.md"
        if sources.exists():
            lists.append("fonts.md" if not lists else f"fonts-{len(lists) + 1}.md")
            write_bytes(out / lists[-1], sources.read_bytes())
            for text in sorted((folder / "licences").glob("*")):
                write_bytes(out / "licences" / text.name, text.read_bytes())
        else:
            others += _listed(out, folder, fonts)
    unlicensed = sum(row.endswith("| none found |") for row in others)
    if others:
        lists.append("fonts-more.md")
        rows = "\n".join(sorted(others))
        write_text(out / lists[-1], f"# More fonts\n\n| file | family | package | text |\n"
                                    f"| --- | --- | --- | --- |\n{rows}\n")
    for folder, name in ((corpus.CORPUS, "corpus.md"), (corpus.CORPUS.parent / "lexicon",
                                                        "lexicon.md")):
        if (folder / "SOURCES.md").exists():
            write_bytes(out / name, (folder / "SOURCES.md").read_bytes())
        for text in sorted(folder.glob("LICEN*")):
            write_bytes(out / "licences" / f"{folder.name}-{text.name}", text.read_bytes())
    return lists, "" if not unlicensed else (
        f" **{unlicensed} fonts lay without a licence text: see to them before you publish.**")


def _by_folder(atlas: Atlas) -> dict[Path, list[FontFile]]:
    """The fonts that are picked, by the folder they lie in."""
    folders: dict[Path, list[FontFile]] = {}
    for font in atlas.fonts:
        if font.weight > 0:
            folders.setdefault(font.path.parent, []).append(font)
    return folders


def _listed(out: Path, folder: Path, fonts: list[FontFile]) -> list[str]:
    """A row for each font of a package's folder, whose licence texts are copied."""
    names = []
    for text in sorted(folder.iterdir()):
        if text.is_file() and text.name.lower().startswith(LICENCES):
            names.append(f"licences/{folder.name}-{text.name}")
            write_bytes(out / names[-1], text.read_bytes())
    said = ", ".join(names) or "none found"
    return [f"| {font.path.name} | {font.family} | {folder.name} | {said} |" for font in fonts]
