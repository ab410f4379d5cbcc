"""The child process that reads: what it answers, and that nothing of it is left behind."""

import multiprocessing
import os
import pickle
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import NeedsPassword, StageFailed, Unreadable
from core.pipeline import RESOURCES
from core.reading import STAGES, Page
from core.settings import Settings
from workbench import messages, worker
from workbench.shared import Sender, segment_name, sweep, unpack

PATIENCE = 60.0  # s until a test gives up on the worker


def drawn_page(path: Path, lines: tuple[str, ...]) -> Path:
    """A white page at 200 dpi, 90 px per line, with lines of 16 pt text."""
    import pymupdf
    with pymupdf.open() as pdf:
        page = pdf.new_page(width=324, height=32.4 * len(lines) + 21.6)  # pt
        page.insert_font("F0", RESOURCES / "fonts" / "LiberationSans-Regular.ttf")
        for i, line in enumerate(lines):
            page.insert_text((18, 32.4 * (i + 1)), line, fontname="F0", fontsize=16)
        page.get_pixmap(dpi=200).save(path)
    return path


class Talk:
    """A worker process of the test's own, spoken to without Qt."""

    def __init__(self, resources: Path = RESOURCES) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.prefix = f"ocrt{os.getpid()}-{time.monotonic_ns() % 10**8}"
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=worker.main, args=(theirs, self.prefix, resources),
                                     daemon=True)
        self.process.start()
        theirs.close()

    def answers(self, request) -> list:
        """Send a request; all messages up to the one that ends its job."""
        self.pipe.send(request)
        return self.rest(request.job)

    def rest(self, job: int) -> list:
        got = []
        while True:
            assert self.pipe.poll(PATIENCE), f"no answer; until now: {got}"
            got.append(self.pipe.recv())
            if isinstance(got[-1], messages.Done | messages.Failed) and got[-1].job == job:
                return got

    def end(self) -> None:
        self.process.kill()
        self.process.join(PATIENCE)
        self.pipe.close()


@pytest.fixture(scope="module")
def talk():
    talk = Talk()
    yield talk
    talk.end()
    sweep(talk.prefix, 0)


def of(kind: type, got: list) -> list:
    return [m for m in got if isinstance(m, kind)]


def opened(talk: Talk, path: Path, job: int):
    got = talk.answers(messages.Open(job, str(path)))
    return unpack(of(messages.Opened, got)[0].source)


def test_a_drawn_page_is_read_to_the_last_stage(talk, tmp_path):
    source = opened(talk, drawn_page(tmp_path / "page.png", ("Invoice", "Total amount")), 1)
    got = talk.answers(messages.Read(2, source.digest, 0, Settings(), "placed"))
    made = of(messages.MadeTable, got)
    assert isinstance(got[-1], messages.Done) and got[-1].complete
    assert [m.name for m in made] == list(STAGES)
    tables = {m.name: unpack(m.table) for m in made}
    assert tables["page"].image.shape[:2] == (240, 900)
    assert len(tables["boxes"]) >= 3
    assert not tables["upright"].gray.flags.writeable
    assert len(tables["placed"]) == len(tables["words"])


def test_the_page_arrives_before_the_nets_are_loaded(tmp_path):
    talk = Talk()
    try:
        source = opened(talk, drawn_page(tmp_path / "page.png", ("Early",)), 1)
        got = talk.answers(messages.Read(2, source.digest, 0, Settings(), "upright"))
        kinds = [type(m) for m in got]
        page = next(i for i, m in enumerate(got) if isinstance(m, messages.MadeTable))
        assert got[page].name == "page"
        assert page < kinds.index(messages.Loaded)
        for m in of(messages.MadeTable, got):
            unpack(m.table)
    finally:
        talk.end()


def test_tables_that_the_window_has_are_not_sent_again(talk, tmp_path):
    source = opened(talk, drawn_page(tmp_path / "page.png", ("Known",)), 11)
    first = of(messages.MadeTable,
               talk.answers(messages.Read(12, source.digest, 0, Settings(), "blobs")))
    for m in first:
        unpack(m.table)
    again = of(messages.MadeTable, talk.answers(messages.Read(
        13, source.digest, 0, Settings(), "blobs", have=frozenset(m.key for m in first))))
    assert [m.key for m in again] == [m.key for m in first]
    assert all(m.known and m.table is None for m in again)


def test_a_stopped_job_ends_incomplete(talk, tmp_path):
    source = opened(talk, drawn_page(tmp_path / "page.png", ("Stop",)), 21)
    talk.pipe.send(messages.Read(22, source.digest, 0, Settings(), "placed"))
    talk.pipe.send(messages.Stop(22))
    got = talk.rest(22)
    for m in of(messages.MadeTable, got):
        unpack(m.table)
    assert got[-1] == messages.Done(22, complete=False)
    assert isinstance(talk.answers(messages.Read(23, source.digest, 0, Settings(), "page"))[-1],
                      messages.Done)


@pytest.mark.parametrize("content, says", [
    (b"", "empty"), (b"hello, this is no picture", "no document known"),
    (b"%PDF-1.7\nnothing follows", "damaged"), (b"\x89PNG\r\n\x1a\n\0\0", "cannot be read")])
def test_a_bad_file_is_a_sentence_with_its_name(talk, tmp_path, content, says):
    path = tmp_path / "bad.bin"
    path.write_bytes(content)
    answer = talk.answers(messages.Open(31, str(path)))[-1]
    assert isinstance(answer, messages.Failed)
    assert "bad.bin" in answer.message and says in answer.message
    assert (answer.kind, answer.exit_code) == ("Unreadable", 3)


def test_missing_weights_name_the_file_and_the_page_is_there(tmp_path):
    talk = Talk(tmp_path)  # a resources folder with nothing in it
    try:
        source = opened(talk, drawn_page(tmp_path / "page.png", ("Bare",)), 1)
        got = talk.answers(messages.Read(2, source.digest, 0, Settings(), "placed"))
        assert [m.name for m in of(messages.MadeTable, got)] == ["page"]
        unpack(of(messages.MadeTable, got)[0].table)
        assert (got[-1].kind, got[-1].exit_code) == ("Missing", 4)
        assert "orientation.pt" in got[-1].message
    finally:
        talk.end()


def test_errors_cross_as_data():
    broken = worker.failed(7, StageFailed("lines", "ValueError: no blobs", "Traceback ..."))
    assert (broken.stage, broken.exit_code, broken.traceback) == ("lines", 6, "Traceback ...")
    locked = worker.failed(7, NeedsPassword("a.pdf is encrypted; give its password"))
    assert (locked.kind, locked.exit_code) == ("NeedsPassword", Unreadable.exit_code)
    other = worker.failed(7, ZeroDivisionError("division by zero"))
    assert "ZeroDivisionError" in other.message and other.exit_code == 1
    assert pickle.loads(pickle.dumps(broken)) == broken


# ---- shared memory -------------------------------------------------------------------------------

def page_of(side: int) -> Page:
    image = np.arange(side * side, dtype=np.uint8).reshape(side, side)
    return Page(image, 300.0, np.eye(2, 3), "digest")


def is_there(prefix: str, number: int) -> bool:
    from multiprocessing.shared_memory import SharedMemory
    try:
        SharedMemory(segment_name(prefix, number)).close()
    except FileNotFoundError:
        return False
    return True


def test_a_table_crosses_shared_memory_whole_and_leaves_nothing():
    sender = Sender(f"ocrt{os.getpid()}a")
    page = page_of(700)
    parcel = sender.pack(page)
    assert len(parcel.pickled) < 2_000  # the image is not in the pipe
    back = unpack(parcel)
    assert np.array_equal(back.image, page.image) and not back.image.flags.writeable
    assert not is_there(sender.prefix, 0)


def test_small_tables_need_no_shared_memory():
    parcel = Sender(f"ocrt{os.getpid()}b").pack(page_of(20))
    assert parcel.segment == ""
    assert np.array_equal(unpack(parcel).image, page_of(20).image)


def test_segments_of_a_dead_sender_are_swept():
    sender = Sender(f"ocrt{os.getpid()}c")
    parcels = [sender.pack(page_of(400)) for _ in range(4)]
    unpack(parcels[0])
    assert sweep(sender.prefix, 1) == 3
    assert not any(is_there(sender.prefix, i) for i in range(4))


def test_pages_kept_for_a_text_hold_their_size_and_no_pixels(tmp_path):
    from core import export, load, pipeline
    from workbench import writing
    source = load.open_source(drawn_page(tmp_path / "page.png", ("Some words here",)))
    stages = pipeline.stages(pipeline.load_tools())
    memo = pipeline.Memo()
    full = writing.page_reading(source, 0, stages, Settings(), memo)
    light = writing.page_reading(source, 0, stages, Settings(), memo,
                                 writing.needs_pixels(source, "json", "refuse"))
    assert set(light.page.image.strides) == set(light.upright.gray.strides) == {0}
    pages = [export.to_json("page.png", [export.read_page_of(r, 1)]) for r in (full, light)]
    assert pages[0] == pages[1]
    assert writing.needs_pixels(source, "pdf", "refuse")  # the new PDF shows the picture
