"""The child process that draws samples, the session that asks it, and samples on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_synth_compare import real_page

from core.errors import Mismatch, Missing, Usage
from core.pipeline import RESOURCES, default_words
from core.synth import sample_files
from core.synth.sample import SampleSettings, sample, strip
from core.synth.sample_files import Address, Batch, Shelf, parse_address
from core.synth.survey import Query
from workbench import sample_messages as said
from workbench.messages import Failed
from workbench.sample_session import RECIPES, SampleSession

PATIENCE = 60_000  # ms
OTHER = replace(SampleSettings(), blur=0.9, negative=0.3)


@pytest.fixture(scope="module")
def running(qapp, tmp_path_factory):
    """One worker for all tests: starting one and loading the fonts takes seconds."""
    session = SampleSession(Shelf(tmp_path_factory.mktemp("shelf")), seed=3, count=200)
    yield session
    session.close()


@pytest.fixture
def session(running):
    """The session as at first: samples 0 to 199 of seed 3, nothing selected, nothing failed."""
    running.pick(None)
    running.set_reading(False)
    running.set_query(Query())
    running.set_locked(False)
    running.settings, running.seed, running.start, running.count = SampleSettings(), 3, 0, 200
    running.by, running._measured_to, running.real = "look", None, None
    running._restart()
    failures = []
    running.failed.connect(failures.append)
    running.failures = failures
    yield running
    running.failed.disconnect(failures.append)


def made(qtbot, session: SampleSession, numbers: list[int]) -> None:
    """Wait until these samples are in the cache."""
    session.want(numbers)
    qtbot.waitUntil(lambda: all(session.sample(i) is not None for i in numbers), timeout=PATIENCE)


def same(a, b) -> bool:
    return (a.image.tobytes(), a.text, a.recipe) == (b.image.tobytes(), b.text, b.recipe)


def test_the_window_shows_the_very_samples_the_trainer_sees(qtbot, session) -> None:
    session.open()
    made(qtbot, session, [0, 7, 150])
    assert all(same(session.sample(i), sample(SampleSettings(), 3, i)) for i in (0, 7, 150))


def test_other_settings_show_other_samples_and_nothing_of_the_old(qtbot, session) -> None:
    session.open()
    made(qtbot, session, [1, 2, 3])
    with qtbot.waitSignal(session.changed, timeout=PATIENCE):
        session.set_settings(OTHER)
    assert session.sample(1) is None
    made(qtbot, session, [1, 2, 3])
    assert all(same(session.sample(i), sample(OTHER, 3, i)) for i in (1, 2, 3))


def test_a_sheet_of_a_hundred_thousand_is_not_made(qtbot, session) -> None:
    session.set_range(0, 100_000)
    session.open()
    assert len(session.numbers) == 100_000
    made(qtbot, session, list(range(20)))
    qtbot.waitUntil(lambda: session.looked == RECIPES, timeout=PATIENCE)
    qtbot.wait(300)
    assert session.looked == RECIPES and len(session._samples) == 20


def test_resample_takes_the_next_seed_or_the_next_samples_of_a_locked_one(session) -> None:
    session.resample()
    assert (session.seed, session.start) == (4, 0)
    session.set_locked(True)
    session.resample()
    session.resample()
    assert (session.seed, session.start) == (4, 400)
    assert session.numbers == range(400, 600)


def test_a_filter_looks_through_all_samples(qtbot, session) -> None:
    session.set_settings(OTHER)
    session.set_query(Query(negatives=True))
    session.open()
    qtbot.waitUntil(lambda: session.looked == 200, timeout=PATIENCE)
    negatives = [i for i in range(200) if not sample(OTHER, 3, i).text]
    assert session.numbers.tolist() == negatives and negatives


def test_switching_a_transform_off_leaves_the_other_steps_numbers(qtbot, session) -> None:
    settings = replace(SampleSettings(), negative=0.0, blur=1.0, jpeg=1.0, noise=1.0)
    session.set_settings(settings)
    session.open()
    with qtbot.waitSignal(session.strip_made, timeout=PATIENCE) as whole:
        session.pick(11)
    with qtbot.waitSignal(session.strip_made, timeout=PATIENCE) as cut:
        session.set_without(frozenset({"noise"}))
    whole, cut = whole.args[0], cut.args[0]
    numbers = {still.name: still.numbers for still in whole.stills}
    left = {still.name: still.numbers for still in cut.stills}
    del numbers["noise"]
    assert left.items() >= {k: v for k, v in numbers.items() if k != "legible"}.items()
    assert "noise" not in left
    assert "noise" in {still.name for still in cut.all}
    assert whole.stills[-1].image.tobytes() == sample(settings, 3, 11).image.tobytes()
    assert whole.stills[-1].image.tobytes() != cut.stills[-1].image.tobytes()


def test_an_address_shows_the_same_bytes_again(qtbot, session) -> None:
    session.set_settings(OTHER)
    session.open()
    qtbot.waitUntil(lambda: session.settings == OTHER and session.fonts != "", timeout=PATIENCE)
    session.pick(123)
    made(qtbot, session, [123])
    before, address = session.sample(123), str(session.address())
    session.set_settings(SampleSettings())
    session.set_seed(99)
    session.pick(5)
    session.follow(f"look at {address}, please")
    assert (session.settings, session.seed, session.selected) == (OTHER, 3, 123)
    made(qtbot, session, [123])
    assert same(session.sample(123), before) and not session.failures


def test_an_unknown_hash_is_said_and_changes_nothing(session) -> None:
    session.follow("(0123456789abcdef, 1, 42)")
    assert "0123456789abcdef" in session.failures[0].message and session.failures[0].kind == "Missing"
    session.follow("hello")
    assert session.failures[1].kind == "Usage"
    assert (session.settings, session.seed, session.selected) == (SampleSettings(), 3, None)


@pytest.mark.skipif(not default_words(RESOURCES / "models").exists(), reason="needs weights")
def test_the_net_reads_what_is_shown_and_the_hardest_come_first(qtbot, session) -> None:
    session.set_range(0, 100)
    session.set_hardest_first(True)
    session.open()
    qtbot.waitUntil(lambda: session.looked == 100, timeout=PATIENCE)
    assert session.is_reading
    facts = session.facts
    loss = facts.loss[[np.flatnonzero(facts.i == i)[0] for i in session.numbers]]
    assert len(loss) == 100 and (np.diff(loss) <= 0).all()
    right = facts.reading == facts.text
    assert right.mean() > 0.5 and facts.loss[right].mean() < facts.loss[~right].mean()
    with qtbot.waitSignal(session.strip_made, timeout=PATIENCE) as caught:
        session.pick(0)
    assert len(caught.args[0].readings) == len(caught.args[0].stills)


def test_missing_weights_are_said_and_the_samples_are_shown_unread(qtbot, tmp_path) -> None:
    session = SampleSession(Shelf(tmp_path), count=50, resources=tmp_path)
    try:
        session.set_reading(True)
        with qtbot.waitSignal(session.failed, timeout=PATIENCE) as caught:
            session.open()
        assert caught.args[0].kind == "Missing" and not session.is_reading
        made(qtbot, session, [0, 1])
    finally:
        session.close()


def test_real_crops_are_measured_and_the_nearest_in_text_found(qtbot, session, tmp_path) -> None:
    tsv = real_page(tmp_path)
    settings = replace(SampleSettings(), negative=0.0)
    session.set_settings(settings)
    session.open()
    session.compare()
    with qtbot.waitSignal(session.measured, timeout=PATIENCE,
                          check_params_cb=lambda: session.real is not None):
        session.cut_real(tsv, tmp_path)
    assert len(session.real) == 2
    session.set_by("text")
    with qtbot.waitSignal(session.nearest_found, timeout=PATIENCE) as caught:
        session.pick(0)
    assert {row.text for row in caught.args[0].crops.rows} == {"TOTAL", "9.50"}
    qtbot.waitUntil(lambda: len(session.drawn) >= 200, timeout=PATIENCE)


def long_list(tsv):
    """Beside a list of two words one of a thousand, the same again and again."""
    head, *rows = tsv.read_text(encoding="utf-8").splitlines()
    path = tsv.with_name("long.tsv")
    path.write_text("\n".join([head, *rows * 500]) + "\n", encoding="utf-8")
    return path


def test_while_real_crops_are_cut_what_is_looked_at_is_drawn(qtbot, session, tmp_path) -> None:
    tsv = long_list(real_page(tmp_path))
    session.open()
    made(qtbot, session, [0])
    order = []
    session.made.connect(lambda numbers: order.append("drawn"))
    session.measured.connect(lambda: order.append("measured"))
    session.cut_real(tsv, tmp_path)
    made(qtbot, session, [150, 151])
    assert order == ["drawn"]
    qtbot.waitUntil(lambda: "measured" in order, timeout=2 * PATIENCE)
    assert len(session.real) == 1000


def test_cutting_real_crops_can_be_stopped_and_begun_anew(qtbot, session, tmp_path) -> None:
    tsv = real_page(tmp_path)
    session.open()
    made(qtbot, session, [0])
    sentences = []
    session.progress.connect(sentences.append)
    session.progress.connect(lambda s: session.stop() if "word 100 of" in s else None)
    session.cut_real(long_list(tsv), tmp_path)
    qtbot.waitUntil(lambda: len(sentences) == 3, timeout=PATIENCE)
    assert "word 0 of" in sentences[0] and "word 100 of" in sentences[1] and sentences[2] == ""
    made(qtbot, session, [150])
    assert session.real is None
    with qtbot.waitSignal(session.measured, timeout=PATIENCE):
        session.cut_real(tsv, tmp_path)
    assert len(session.real) == 2


def test_a_missing_word_list_is_said_and_drawing_goes_on(qtbot, session, tmp_path) -> None:
    session.open()
    with qtbot.waitSignal(session.failed, timeout=PATIENCE) as caught:
        session.cut_real(tmp_path / "none.tsv", tmp_path)
    assert "none.tsv" in caught.args[0].message
    made(qtbot, session, [4])


def test_after_a_crash_a_fresh_worker_goes_on(qtbot, session) -> None:
    import os
    session.open()
    made(qtbot, session, [0])
    with qtbot.waitSignal(session.failed, timeout=PATIENCE) as caught:
        os.kill(session.link.pid, 11)  # as native code would
    assert isinstance(caught.args[0], Failed) and "started again" in caught.args[0].message
    made(qtbot, session, [1])


def test_a_batch_holds_pictures_texts_and_recipes(qtbot, session, tmp_path) -> None:
    session.set_settings(OTHER)
    session.open()
    folder = tmp_path / "batch"
    with qtbot.waitSignal(session.written, timeout=PATIENCE):
        session.write(folder, [5, 9, 2])
    rows = [line.split("\t") for line in (folder / "samples.tsv").read_text().splitlines()]
    assert rows[0] == list(sample_files.COLUMNS)
    recipes = [json.loads(line) for line in (folder / "recipes.jsonl").read_text().splitlines()]
    for i, row, recipe in zip((5, 9, 2), rows[1:], recipes, strict=True):
        one = sample(OTHER, 3, i)
        assert row[1:4] == [one.text, "3", str(i)]
        stored = cv2.imread(str(folder / row[0]), cv2.IMREAD_GRAYSCALE)
        assert (stored == one.image).all()
        assert recipe["settings"] == OTHER.digest
        assert [step[0] for step in recipe["steps"]] == [step.name for step in one.recipe.steps]
    assert sample_files.from_json((folder / "settings.json").read_text(), "") == OTHER


def test_while_a_batch_is_written_what_is_looked_at_is_drawn(qtbot, session, tmp_path) -> None:
    session.open()
    made(qtbot, session, [0])
    order = []
    session.made.connect(lambda numbers: order.append("drawn"))
    session.written.connect(lambda folder: order.append("written"))
    session.write(tmp_path / "batch", range(2000))
    session.pick(7)
    with qtbot.waitSignal(session.strip_made, timeout=PATIENCE):
        made(qtbot, session, [150, 151])
    assert order == ["drawn"]
    qtbot.waitUntil(lambda: "written" in order, timeout=2 * PATIENCE)
    rows = (tmp_path / "batch" / "samples.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert [row.split("\t")[3] for row in rows] == [str(i) for i in range(2000)]


def test_a_batch_is_of_the_samples_it_was_asked_for_whatever_is_shown_next(
        qtbot, session, tmp_path) -> None:
    session.open()
    made(qtbot, session, [0])
    session.write(tmp_path / "batch", range(120))
    with qtbot.waitSignal(session.written, timeout=PATIENCE):
        session.set_seed(8)
    rows = (tmp_path / "batch" / "samples.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert [row.split("\t")[1:3] for row in rows] == [
        [sample(SampleSettings(), 3, i).text, "3"] for i in range(120)]


def test_a_stopped_batch_has_no_list_and_the_next_one_is_whole(qtbot, session, tmp_path) -> None:
    session.open()
    made(qtbot, session, [0])
    said, progress = [], []
    session.said.connect(said.append)
    session.progress.connect(progress.append)
    session.write(tmp_path / "a", range(100_000))
    qtbot.waitUntil(lambda: any("50 of" in p for p in progress), timeout=PATIENCE)
    session.stop()
    assert progress[-1] == "" and "given up" in said[-1]
    with qtbot.waitSignal(session.written, timeout=PATIENCE):
        session.write(tmp_path / "b", [1, 2])
    assert not (tmp_path / "a" / "samples.tsv").exists()
    assert len((tmp_path / "b" / "samples.tsv").read_text(encoding="utf-8").splitlines()) == 3


def test_a_batch_that_cannot_be_written_is_said_and_drawing_goes_on(qtbot, session, tmp_path) -> None:
    session.open()
    (tmp_path / "file").write_text("")
    with qtbot.waitSignal(session.failed, timeout=PATIENCE) as caught:
        session.write(tmp_path / "file", range(200))
    assert "file" in caught.args[0].message
    made(qtbot, session, [60])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "samples.tsv").write_text("of another batch")
    with qtbot.waitSignal(session.failed, timeout=PATIENCE) as caught:
        session.write(tmp_path / "full", range(200))
    assert "another folder" in caught.args[0].message
    assert (tmp_path / "full" / "samples.tsv").read_text() == "of another batch"
    made(qtbot, session, [70])
    assert len(session.failures) == 2


# ---- addresses and shelf -------------------------------------------------------------------------

def test_an_address_is_found_in_any_text_around_it() -> None:
    address = Address("0123456789abcdef", 12, 345, "fedcba9876543210")
    assert parse_address(f"see {address}.") == address
    assert parse_address("0123456789abcdef 12 345") == replace(address, fonts="")
    with pytest.raises(Usage, match="no address"):
        parse_address("(0123, 1, 2)")


def test_settings_are_found_by_their_hash_and_unknown_ones_are_said(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(OTHER)
    assert shelf.get(OTHER.digest) == OTHER
    assert shelf.get(SampleSettings().digest) == SampleSettings()
    with pytest.raises(Missing, match="not known here"):
        shelf.get("0" * 16)


def test_settings_of_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / ("1" * 16 + ".json")).write_text('{"blur": 0.5, "rain": 1.0}')
    with pytest.raises(Mismatch, match="another version"):
        Shelf(tmp_path).get("1" * 16)
    (tmp_path / ("2" * 16 + ".json")).write_text('{"blur": 0.5}')
    with pytest.raises(Mismatch, match="another version"):
        Shelf(tmp_path).get("2" * 16)


def test_a_batch_that_is_broken_off_has_no_list(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Batch(tmp_path, OTHER, 3) as batch:
        batch.add(0, sample(OTHER, 3, 0))
        raise KeyboardInterrupt
    assert not (tmp_path / "samples.tsv").exists()


def test_the_messages_name_what_strip_gives(qtbot, session) -> None:
    session.open()
    with qtbot.waitSignal(session.strip_made, timeout=PATIENCE) as caught:
        session.pick(2)
    made_strip: said.StripMade = caught.args[0]
    here = strip(SampleSettings(), 3, 2)
    assert [(s.name, s.numbers, s.image.tobytes()) for s in made_strip.stills] == \
        [(s.name, s.numbers, s.image.tobytes()) for s in here]
