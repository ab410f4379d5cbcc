"""`main.py synth`: what it writes, and that it writes the same again."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

import main
from core.fonts.catalogue import FontFile, shipped
from core.recognizer.alphabet import CHARACTERS
from core.synth import fonts, release
from core.synth.corpus import KINDS
from core.synth.page_kinds import KINDS as PAGE_KINDS
from core.synth.sample import SampleSettings, sample

ROOT = Path(__file__).parents[1]


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


def test_the_card_says_cc0_and_names_every_character(tmp_path) -> None:
    assert main.main(["synth", "--release", "--count", "150", "--out", str(tmp_path)]) == 0
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "CC0-1.0" in card and "CC0 1.0 Universal" in (tmp_path / "LICENSE").read_text()
    rows = [line for line in card.partition("## Characters")[2].splitlines() if "U+" in line]
    assert [chr(int(row.split("U+")[1].split(" ")[0], 16)) for row in rows] == list(CHARACTERS)
    counts = {c: int(row.rstrip(" |").rsplit(" ", 1)[1]) for c, row in zip(CHARACTERS, rows)}
    said = "".join(sample(SampleSettings(), 1, i).text for i in range(150))
    assert counts == {c: said.count(c) for c in CHARACTERS}
    assert all(row.count("|") - row.count("\\|") == 4 for row in rows)  # each is a row of a table


def test_a_release_with_other_fonts_carries_their_licences(tmp_path) -> None:
    package = tmp_path / "fonts-more"
    package.mkdir()
    shutil.copy(shipped()[3].path, package / "More.otf")
    (package / "copyright").write_text("OFL")
    font = FontFile(package / "More.otf", "More", 5.0)
    bare = FontFile(tmp_path / "Bare.otf", "Bare", 5.0)
    shutil.copy(shipped()[4].path, bare.path)
    release.write_release(SampleSettings(), 1, 5, tmp_path / "out", fonts.build((font, bare)))
    listed = (tmp_path / "out" / "fonts-more.md").read_text()
    assert "| More.otf | More | fonts-more | licences/fonts-more-copyright |" in listed
    assert (tmp_path / "out" / "licences" / "fonts-more-copyright").read_text() == "OFL"
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "1 fonts lay without a licence text" in card


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


@pytest.mark.parametrize("args", [
    ["--count", "0"], ["--count", "-1"], ["--seed", "-1"], ["--start", "-1"], ["--out", ""],
    ["--forms"], ["--release", "--start", "5"], ["--histogram"], ["--set", "word"],
    ["--set", "word=2"], ["--set", "word=NaN"], ["--set", 'word="x"'],
    ["--photos", "DIR", "--fonts", "DIR"],
    [part for name, _ in KINDS for part in ("--set", f"{name}=0")],
    ["--pages", *(part for name in PAGE_KINDS for part in ("--set", f"{name}=0"))]])
def test_arguments_that_make_no_sense_are_said(args, tmp_path, capsys) -> None:
    out = [] if "--out" in args else ["--out", str(tmp_path / "out")]
    assert main.main(["synth", *args, *out]) == 2
    said = capsys.readouterr().err
    assert "error:" in said and "Traceback" not in said
    assert not list(tmp_path.rglob("*.*"))


@pytest.mark.parametrize("what", [[], ["--release"], ["--pages"]])
def test_a_folder_that_is_a_file_is_said_before_anything_is_drawn(what, tmp_path, capsys) -> None:
    (tmp_path / "file").write_text("")
    assert main.main(["synth", *what, "--count", "1", "--out", str(tmp_path / "file")]) == 3
    assert "is a file" in capsys.readouterr().err
    assert main.main(["synth", *what, "--count", "1", "--out", str(tmp_path / "file" / "x")]) == 3
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("what", [[], ["--release"]])
def test_what_another_run_wrote_is_not_written_over(what, tmp_path, capsys) -> None:
    assert main.main(["synth", *what, "--count", "2", "--out", str(tmp_path)]) == 0
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert main.main(["synth", *what, "--count", "1", "--seed", "2", "--out", str(tmp_path)]) == 2
    assert "another folder" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_accents_are_written_as_utf_8_into_a_folder_of_any_name(tmp_path) -> None:
    out = tmp_path / "žluťoučký kůň 日本"
    assert main.main(["synth", "--count", "6", "--set", "accented=1", "--set", "word=0",
                      "--set", "numeric=0", "--set", "negative=0", "--out", str(out)]) == 0
    said = (out / "samples.tsv").read_bytes().decode("utf-8")
    settings = replace(SampleSettings(), accented=1.0, word=0.0, numeric=0.0, negative=0.0)
    texts = [sample(settings, 1, i).text for i in range(6)]
    assert [line.split("\t")[1] for line in said.splitlines()[1:]] == texts
    assert not "".join(texts).isascii()


def test_ctrl_c_ends_a_huge_run_with_a_word_and_no_half_written_file(tmp_path) -> None:
    # a shell gives what it runs in the background an ignored SIGINT, which children inherit
    code = ("import signal, sys, main\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "sys.exit(main.main(sys.argv[1:]))")
    run = subprocess.Popen([sys.executable, "-c", code, "synth", "--count", "1000000000", "--out",
                            str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    patience = time.monotonic() + 60
    while not list(tmp_path.glob("1-0000001*.png")) and time.monotonic() < patience:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130 and said.strip() == "cancelled"
    assert all(p.suffix == ".png" for p in tmp_path.iterdir())


def test_a_terminal_that_cannot_show_the_characters_gets_their_codes(tmp_path) -> None:
    done = subprocess.run([sys.executable, "main.py", "synth", "--histogram", "--count", "20"],
                          cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "ascii"},
                          capture_output=True, check=False)
    assert done.returncode == 0 and b"\\xe9" in done.stdout
