"""Samples on disk: PNG each, one TSV of texts, one JSON line a recipe, the settings; and addresses.

The address of a sample is `(settings digest, seed, i)`. `Shelf` keeps settings by their digest, so
that an address can be followed later.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from core import files
from core.errors import Mismatch, Missing, Usage
from core.synth.sample import Sample, SampleSettings

COLUMNS = ("file", "text", "seed", "i", "kind", "font")
_ADDRESS = re.compile(r"\b([0-9a-f]{16})\b\W+(\d+)\W+(\d+)(?:\W+fonts\W+([0-9a-f]{16}))?")


class Batch:
    """Writes samples into a folder; samples.tsv, recipes.jsonl and settings.json come last, so a
    batch that was broken off has none of them.

    Raises Unreadable where nothing can be written, Usage where another batch is there already.
    """

    def __init__(self, folder: Path, settings: SampleSettings, seed: int) -> None:
        self.folder, self.settings, self.seed = Path(folder), settings, seed
        self._rows: list[str] = []
        self._recipes: list[str] = []
        if (self.folder / "samples.tsv").exists():
            raise Usage(f"{self.folder} holds another batch, whose samples.tsv would be lost; name "
                        "another folder")

    def __enter__(self) -> Self:
        return self

    def add(self, i: int, sample: Sample) -> None:
        """Write one sample's picture and note the rest."""
        name = f"{self.seed}-{i:08d}.png"
        files.write_png(self.folder / name, sample.image)
        recipe = sample.recipe
        self._rows.append("\t".join((name, sample.text, str(self.seed), str(i), recipe.kind,
                                     recipe.font)))
        self._recipes.append(json.dumps({
            "file": name, "text": sample.text, "settings": self.settings.digest, "seed": self.seed,
            "i": i, "kind": recipe.kind, "font": recipe.font, "size": recipe.size,
            "steps": [[step.name, *step.numbers] for step in recipe.steps]}))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.finish()

    def finish(self) -> None:
        """Write the lists of what was added, if anything was."""
        if self._rows:
            files.write_text(self.folder / "recipes.jsonl", "\n".join(self._recipes) + "\n")
            files.write_text(self.folder / "settings.json", to_json(self.settings))
            files.write_text(self.folder / "samples.tsv",
                              "\n".join(("\t".join(COLUMNS), *self._rows)) + "\n")


@dataclass(frozen=True)
class Address:
    """Where a sample is to be found. `fonts`: digest of the atlas it was seen with, "" unknown."""

    settings: str
    seed: int
    i: int
    fonts: str = ""

    def __str__(self) -> str:
        text = f"({self.settings}, {self.seed}, {self.i})"
        return f"{text} fonts {self.fonts}" if self.fonts else text


def parse_address(text: str) -> Address:
    """The address in a text. Raises Usage where there is none."""
    found = _ADDRESS.search(text)
    if not found:
        raise Usage(f"{text.strip()[:60]!r} is no address of a sample; it must look like "
                    "(0123456789abcdef, 1, 42): the settings' hash, the seed and the number")
    return Address(found[1], int(found[2]), int(found[3]), found[4] or "")


def to_json(settings: SampleSettings) -> str:
    """The settings as JSON that `from_json` reads back."""
    return json.dumps(asdict(settings), indent=1) + "\n"


def from_json(text: str, name: str) -> SampleSettings:
    """Settings from JSON. Raises Mismatch, naming the file, where this program has other fields."""
    try:
        return SampleSettings(**json.loads(text))
    except (TypeError, ValueError, Usage) as error:
        raise Mismatch(f"{name} holds settings of another version of this program ({error}); "
                       "the sample can only be seen with that version") from error


class Shelf:
    """Settings by digest, a JSON file each, in a folder of the user's."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def put(self, settings: SampleSettings) -> None:
        """Keep settings. Raises Unreadable where the folder cannot be written."""
        path = self.folder / f"{settings.digest}.json"
        if not path.exists():
            files.write_text(path, to_json(settings))

    def get(self, digest: str) -> SampleSettings:
        """The settings of a digest. Raises Missing for an unknown one, Mismatch for one that
        this version of the program understands otherwise."""
        if digest == SampleSettings().digest:
            return SampleSettings()
        path = self.folder / f"{digest}.json"
        try:
            settings = from_json(path.read_text(encoding="utf-8"), str(path))
        except OSError:
            raise Missing(f"the settings {digest} are not known here; copy {digest}.json into "
                          f"{self.folder} from where the sample was made, or from the "
                          "settings.json of an exported batch") from None
        if settings.digest != digest:
            raise Mismatch(f"{path} was kept by another version of this program, whose settings "
                           "have other fields; the sample can only be seen with that version")
        return settings
