"""`main.py synth`: what it writes, and that it writes the same again."""

from __future__ import annotations

import csv
import json
import tarfile

import cv2

import main
from core.synth.sample import SampleSettings, sample


def test_images_texts_and_recipes_are_those_of_the_samples(tmp_path) -> None:
    assert main.main(["synth", "--count", "12", "--seed", "4", "--out", str(tmp_path)]) == 0
    with (tmp_path / "samples.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    recipes = [json.loads(line) for line in (tmp_path / "recipes.jsonl").read_text().splitlines()]
    assert len(rows) == len(recipes) == 12
    for row, recipe in zip(rows, recipes):
        made = sample(SampleSettings(), int(row["seed"]), int(row["i"]))
        image = cv2.imread(str(tmp_path / row["file"]), cv2.IMREAD_GRAYSCALE)
        assert (image == made.image).all() and row["text"] == made.text == recipe["text"]
        assert [name for name, *_ in recipe["steps"]] == [s.name for s in made.recipe.steps]


def test_a_release_is_the_same_each_time_and_names_its_licences(tmp_path) -> None:
    for name in ("a", "b"):
        code = main.main(["synth", "--release", "--count", "20", "--out", str(tmp_path / name)])
        assert code == 0
    first, second = ((tmp_path / name / "words-00000.tar").read_bytes() for name in ("a", "b"))
    assert first == second
    with tarfile.open(tmp_path / "a" / "words-00000.tar") as shard:
        names = shard.getnames()
    assert len(names) == 60 and names[:3] == ["00000000.png", "00000000.txt", "00000000.json"]
    card = (tmp_path / "a" / "README.md").read_text()
    assert SampleSettings().digest in card
    fonts = (tmp_path / "a" / "fonts.md").read_text()
    for i in range(20):
        font = sample(SampleSettings(), 1, i).recipe.font
        assert not font or f"| {font} |" in fonts
    assert list((tmp_path / "a" / "licences").glob("corpus-LICEN*"))


def test_pages_are_documents(tmp_path) -> None:
    assert main.main(["synth", "--pages", "--count", "2", "--out", str(tmp_path)]) == 0
    truths = sorted(tmp_path.rglob("*.json"))
    assert len(truths) == 2
    for path in truths:
        truth = json.loads(path.read_text())
        image = cv2.imread(str(path.with_suffix(".png")))
        assert truth["size"] == [image.shape[1], image.shape[0]]
        assert truth["category"] == path.parent.name and truth["items"]


def test_settings_can_be_given_and_mistakes_are_said(tmp_path, capsys) -> None:
    assert main.main(["synth", "--histogram", "--count", "200", "--set", "word=0"]) == 0
    assert "median" in capsys.readouterr().out
    assert main.main(["synth", "--count", "1"]) == 2
    assert main.main(["synth", "--set", "blurr=1", "--out", str(tmp_path)]) == 2
    assert "blurr" in capsys.readouterr().err
