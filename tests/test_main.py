import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import main
from core.errors import Mismatch, Missing, StageFailed, Usage
from core.read_files import FORMATS, Order, page_indexes, unused_stem
from core.reading import STAGES
from workbench.display import has_display

ROOT = Path(__file__).parents[1]


@pytest.fixture
def page_file(tmp_path):
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), np.full((60, 80), 255, np.uint8))
    return path


def test_help_answers_without_loading_torch_opencv_or_qt():
    code = ("import sys, main; code = main.main(['--help']); "
            "assert not {'torch', 'cv2', 'numpy', 'PySide6'} & set(sys.modules), 'heavy'; sys.exit(code)")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert "evaluate" in done.stdout


def test_the_light_copies_of_names_are_those_of_the_core():
    from core.engines.engine import NAMES
    assert main.STAGES == STAGES
    assert main.FORMATS == FORMATS
    assert main.ENGINES == NAMES


@pytest.mark.parametrize("argv", [["read"], ["read", "x.png"], ["--nonsense"], ["train", "nothing"],
                                  ["read", "x.png", "--out", "o", "--stage", "soup"],
                                  ["evaluate", "x", "--engine", "soup"]])
def test_a_wrong_command_line_is_usage(argv, capsys):
    assert main.main(argv) == 2
    assert "usage" in capsys.readouterr().err


def test_an_unknown_format_or_job_number_is_usage(tmp_path, page_file, capsys):
    assert main.main(["read", str(page_file), "--out", str(tmp_path), "--formats", "doc"]) == 2
    assert "'doc'" in capsys.readouterr().err
    assert main.main(["evaluate", str(tmp_path), "--jobs", "0"]) == 2


@pytest.mark.parametrize(("name", "content"), [
    ("missing.png", None), ("empty.png", b""), ("words.txt", b"only some words, no document"),
    ("cut.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), ("cut.pdf", b"%PDF-1.7\n1 0 obj\n<<")])
def test_a_bad_file_is_named_and_nothing_is_written(tmp_path, capsys, name, content):
    out = tmp_path / "out"
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main.main(["read", str(tmp_path / name), "--out", str(out), "--stage", "page"]) == 3
    assert name in capsys.readouterr().err
    assert not out.exists() or not list(out.iterdir())


def test_a_folder_is_no_document(tmp_path, capsys):
    assert main.main(["read", str(tmp_path), "--out", str(tmp_path / "o"), "--stage", "page"]) == 3


def test_the_first_failure_gives_the_exit_code_and_the_others_go_on(tmp_path, page_file, capsys):
    out = tmp_path / "out"
    code = main.main(["read", str(tmp_path / "none.png"), str(page_file), "--out", str(out),
                      "--stage", "page"])
    assert code == 3
    assert sorted(p.name for p in out.iterdir()) == ["page-p0001.page.json", "page-p0001.page.png"]


def test_equal_stems_get_a_number(tmp_path, page_file):
    other = tmp_path / "deep" / "page.png"
    other.parent.mkdir()
    other.write_bytes(page_file.read_bytes())
    out = tmp_path / "out"
    assert main.main(["read", str(page_file), str(other), "--out", str(out), "--stage", "page",
                      "--formats", "png"]) == 0
    assert sorted(p.name for p in out.iterdir()) == ["page-2-p0001.page.png", "page-p0001.page.png"]
    used: set[str] = set()
    assert [unused_stem(s, used) for s in ("a", "A", "a", "b")] == ["a", "A-2", "a-3", "b"]


def test_settings_come_from_toml_and_bad_ones_are_usage(tmp_path, page_file, capsys):
    toml = tmp_path / "s.toml"
    arguments = ["read", str(page_file), "--out", str(tmp_path / "o"), "--stage", "page",
                 "--settings", str(toml)]
    assert main.main(arguments) == 4  # there is no such file
    toml.write_text("[page]\ndpi = 9000\n")
    assert main.main(arguments) == 2
    assert "dpi" in capsys.readouterr().err
    toml.write_text("[page]\ndpi = 200\n")
    assert main.main(arguments) == 0


@pytest.mark.parametrize(("text", "pages"), [("", [0, 1, 2, 3, 4]), ("2", [1]), ("1-3", [0, 1, 2]),
                                             ("4-", [3, 4]), ("5,1-2,2", [0, 1, 4])])
def test_pages_are_chosen_from_one_on(text, pages):
    assert page_indexes(text, 5, "a.pdf") == pages


@pytest.mark.parametrize("text", ["0", "6", "3-2", "one", "1-9", "-2", ","])
def test_pages_that_are_not_there_are_usage(text):
    with pytest.raises(Usage):
        page_indexes(text, 5, "a.pdf")


def test_a_stage_alone_is_written_only_as_picture_or_table(tmp_path):
    with pytest.raises(Usage, match="pdf"):
        Order(tmp_path, ("pdf",), stage="boxes")


@pytest.mark.parametrize(("error", "code"), [
    (Missing("m"), 4), (Mismatch("m"), 5), (StageFailed("words", "m"), 6), (KeyboardInterrupt(), 130),
    (ZeroDivisionError("of ours"), 1)])
def test_each_cause_has_its_exit_code(monkeypatch, capsys, error, code):
    def fails(argv):
        raise error
    monkeypatch.setattr(main, "commands", lambda: {"fail": (fails, "")})
    assert main.main(["fail"]) == code
    shown = capsys.readouterr().err
    assert ("Traceback" in shown) == (code == 1)


def test_commands_without_a_module_are_not_listed(monkeypatch):
    monkeypatch.setattr(main, "ELSEWHERE", {"dream": ("core.dream", "no such module")})
    assert set(main.commands()) == {"read", "evaluate", "train", "screenshot"}


def test_evaluating_an_empty_folder_is_missing(tmp_path, capsys):
    assert main.main(["evaluate", str(tmp_path)]) == 4
    assert "no documents" in capsys.readouterr().err


def test_without_a_display_the_sample_is_a_real_page(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not has_display()
    monkeypatch.setenv("DISPLAY", ":7654")  # left over from a session that is closed
    assert not has_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert has_display()
    assert main.first_sample().parent.name != "drawn"


def models_are_there() -> bool:
    models = ROOT / "resources" / "models"
    return (models / "orientation.pt").exists() and any(models.glob("words*.pt"))


@pytest.mark.skipif(not models_are_there(), reason="no trained nets in resources/models")
def test_without_a_display_the_work_is_done_headless(tmp_path):
    env = {k: v for k, v in os.environ.items()
           if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    sample = ROOT / "resources" / "samples" / "scanned_docs" / "phototest.png"
    done = subprocess.run([sys.executable, str(ROOT / "main.py"), str(sample)], cwd=tmp_path, env=env,
                          capture_output=True, text=True, check=False)
    if sys.platform != "linux":
        pytest.skip("other systems have a display")
    assert done.returncode == 0, done.stderr
    assert "no display" in done.stderr
    out = {p.name for p in (tmp_path / "out").iterdir()}
    assert out == {"phototest.pdf", "phototest.json",
                   *(f"phototest-p0001.{stage}.png" for stage in STAGES)}
    pages = json.loads((tmp_path / "out" / "phototest.json").read_text())["pages"]
    assert len(pages[0]["words"]) > 10




def pdf_with_a_password(path, password):
    import pymupdf
    with pymupdf.open() as pdf:
        pdf.new_page(width=60, height=60)
        pdf.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="theirs", user_pw=password)
    return path


def test_a_password_opens_an_encrypted_pdf_and_its_absence_is_told_with_the_option(tmp_path, capsys):
    pdf = pdf_with_a_password(tmp_path / "closed.pdf", "sesame")
    arguments = ["read", str(pdf), "--out", str(tmp_path / "out"), "--stage", "page", "--formats", "png"]
    assert main.main(arguments) == 3
    shown = capsys.readouterr().err
    assert "closed.pdf" in shown and "--password" in shown
    assert main.main([*arguments, "--password", "wrong"]) == 3
    assert "does not open" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())
    assert main.main([*arguments, "--password", "sesame"]) == 0
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["closed-p0001.page.png"]


def test_an_output_folder_that_is_a_file_is_told_before_anything_is_read(tmp_path, page_file, capsys):
    assert main.main(["read", str(page_file), "--out", str(page_file), "--stage", "page"]) == 3
    shown = capsys.readouterr().err
    assert f"{page_file} is a file" in shown
    assert "page 1 of 1" not in shown


def test_a_picture_that_is_cut_short_is_read_with_a_note_that_says_so(tmp_path, capsys):
    done, jpeg = cv2.imencode(".jpg", np.random.default_rng(3).integers(0, 256, (200, 200), np.uint8))
    assert done
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(jpeg.tobytes()[:len(jpeg) // 2])
    assert main.main(["read", str(cut), "--out", str(tmp_path / "out"), "--stage", "page"]) == 0
    assert "note: cut.jpg, page 1: cut.jpg is damaged" in capsys.readouterr().err


def test_a_page_that_failed_is_not_reported_as_read(tmp_path, capsys):
    image = tmp_path / "large.png"
    cv2.imwrite(str(image), np.full((1200, 1200), 255, np.uint8))
    toml = tmp_path / "s.toml"
    toml.write_text("[page]\nmax_megapixels = 1\n")
    assert main.main(["read", str(image), "--out", str(tmp_path / "out"), "--stage", "page",
                      "--settings", str(toml)]) == 3
    shown = capsys.readouterr().err
    assert "megapixels" in shown and "page 1 of 1" not in shown


def test_settings_that_are_no_text_are_usage(tmp_path, page_file, capsys):
    toml = tmp_path / "s.toml"
    toml.write_bytes(b"\xff\xfe[page]")
    assert main.main(["read", str(page_file), "--out", str(tmp_path / "o"), "--stage", "page",
                      "--settings", str(toml)]) == 2
    assert str(toml) in capsys.readouterr().err


def test_no_format_at_all_is_usage(tmp_path, page_file, capsys):
    assert main.main(["read", str(page_file), "--out", str(tmp_path / "o"), "--formats", ","]) == 2
    assert main.main(["read", str(page_file), "--out", str(tmp_path / "o"), "--formats", ""]) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path, capsys):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    assert main.main(["read", str(pipe), "--out", str(tmp_path / "o"), "--stage", "page"]) == 3
    assert "pipe.png" in capsys.readouterr().err


@pytest.mark.skipif(not models_are_there(), reason="no trained nets in resources/models")
def test_a_pdf_that_has_text_is_refused_with_the_option_that_permits_it(tmp_path, capsys):
    import pymupdf
    pdf = tmp_path / "born.pdf"
    with pymupdf.open() as new:
        new.new_page(width=200, height=80).insert_text((20, 40), "Hello there")
        new.save(pdf)
    out = tmp_path / "out"
    assert main.main(["read", str(pdf), "--out", str(out), "--formats", "pdf"]) == 2
    shown = capsys.readouterr().err
    assert "--existing-text" in shown and "born.pdf" in shown
    assert not list(out.iterdir())
    assert main.main(["read", str(pdf), "--out", str(out), "--formats", "pdf",
                      "--existing-text", "redo"]) == 0
