"""`main.py fonts`: JSON as promised, unchanged fonts from the cache, verdicts from the shell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import main
from core.errors import Cancelled, Missing, Usage
from core.fonts import catalogue, formats, install
from core.fonts.check import check_fonts
from core.recognizer.alphabet import ASCII

ROOT = Path(__file__).parents[1]
FONTS = ROOT / "resources" / "fonts"
FEW = ("OSP-DIN.ttf", "Caladea-Bold.ttf", "GNUTypewriter.ttf", "Amiga-Regular.ttf")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of four fonts, one of them in a folder below, and things that are no fonts."""
    (tmp_path / "fonts" / "below").mkdir(parents=True)
    for name in FEW:
        shutil.copy(FONTS / name, tmp_path / "fonts" / ("below" if name.startswith("A") else "") / name)
    (tmp_path / "fonts" / "page.otf").write_text("<html>")
    (tmp_path / "fonts" / "notes.txt").write_text("not looked at")
    return tmp_path / "fonts"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A user of the command line with folders of his own."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setattr(catalogue, "own_verdicts", lambda: tmp_path / "home" / "verdicts.jsonl")
    return tmp_path / "home"


def _check(folder: Path, tmp_path: Path, *more: str) -> list[dict]:
    out = tmp_path / "found.json"
    assert main.main(["fonts", "check", str(folder), "--json", str(out), "--store",
                      str(tmp_path / "store"), *more]) == 0
    return json.loads(out.read_text())


def test_check_writes_the_promised_json(folder, tmp_path, home) -> None:
    found = _check(folder, tmp_path)
    assert [Path(entry["file"]).name for entry in found] == [
        "Caladea-Bold.ttf", "GNUTypewriter.ttf", "OSP-DIN.ttf", "Amiga-Regular.ttf", "page.otf"]
    for entry in found:
        assert set(entry) == {"file", "sha256", "family", "findings"}
        assert entry["sha256"] == catalogue.sha256_of(Path(entry["file"]))
        for finding in entry["findings"]:
            assert set(finding) == {"check", "character", "severity", "value", "limit", "message"}
    by_name = {Path(entry["file"]).name: entry for entry in found}
    assert by_name["Caladea-Bold.ttf"]["family"] == "Caladea"
    empty = [f["character"] for f in by_name["OSP-DIN.ttf"]["findings"] if f["check"] == "empty"]
    assert empty == ["@"]
    assert [f["check"] for f in by_name["page.otf"]["findings"]] == ["unparseable"]


def test_json_to_standard_output_is_json_alone(folder, tmp_path, home, capsys) -> None:
    assert main.main(["fonts", "check", str(folder / "OSP-DIN.ttf"), "--json", "-", "--store",
                      str(tmp_path / "store")]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["family"] == "OSP-DIN"


def test_a_path_that_is_not_there_is_a_missing_resource(tmp_path, home, capsys) -> None:
    assert main.main(["fonts", "check", str(tmp_path / "none.ttf")]) == 4
    assert "none.ttf" in capsys.readouterr().err


def test_unchanged_fonts_are_not_looked_at_again(folder, tmp_path) -> None:
    files = formats.font_files([folder])
    first = list(check_fonts(files, 2, tmp_path / "store"))
    assert all(c.fresh for c in first) and len(first) == 5
    again = list(check_fonts(files, 2, tmp_path / "store"))
    assert not any(c.fresh for c in again)
    in_order = [sorted((r for c in checked for r in c.reports), key=lambda r: r.file)
                for checked in (first, again)]
    assert in_order[0] == in_order[1]


def test_a_changed_font_is_looked_at_again_and_a_moved_one_is_not(folder, tmp_path) -> None:
    store = tmp_path / "store"
    list(check_fonts(formats.font_files([folder]), 0, store))
    os.replace(folder / "Caladea-Bold.ttf", folder / "moved.ttf")
    shutil.copy(FONTS / "Lato-Bold.ttf", folder / "OSP-DIN.ttf")
    checked = list(check_fonts(formats.font_files([folder]), 0, store))
    assert {Path(c.reports[0].file).name for c in checked if c.fresh} == {"OSP-DIN.ttf"}
    moved = next(c.reports[0] for c in checked if c.reports[0].file.endswith("moved.ttf"))
    assert moved.family == "Caladea"


def test_a_cancelled_pass_goes_on_where_it_stopped(folder, tmp_path) -> None:
    files, done = formats.font_files([folder]), []
    with pytest.raises(Cancelled):
        for checked in check_fonts(files, 0, tmp_path / "store", stop=lambda: len(done) == 2):
            done.append(checked)  # noqa: PERF402  `stop` looks at it on the way
    rest = list(check_fonts(files, 0, tmp_path / "store"))
    assert [c.fresh for c in rest].count(False) == 2 and len(rest) == 5


def test_a_torn_cache_costs_only_the_torn_font(folder, tmp_path) -> None:
    store, files = tmp_path / "store", formats.font_files([folder])
    list(check_fonts(files, 0, store))
    (reports,) = store.glob("reports-*.jsonl")
    reports.write_bytes(reports.read_bytes()[:-200])
    checked = list(check_fonts(files, 0, store))
    assert [c.fresh for c in checked].count(True) == 1 and len(checked) == 5
    assert not any(c.fresh for c in check_fonts(files, 0, store))


def test_links_to_a_font_are_one_font(folder) -> None:
    (folder / "again.ttf").symlink_to(folder / "OSP-DIN.ttf")
    assert sum(p.name in ("again.ttf", "OSP-DIN.ttf") for p in formats.font_files([folder])) == 1
    assert folder / "OSP-DIN.ttf" in formats.font_files([folder])


def test_a_verdict_from_the_shell_stands_until_it_is_undone(folder, home, capsys) -> None:
    font = str(folder / "Caladea-Bold.ttf")
    sha = catalogue.sha256_of(Path(font))

    def allowed() -> frozenset[str]:
        return catalogue.Catalogue.load().allowed(sha)

    before = allowed()
    for scope, refused in ((["--character", "Q"], {"Q"}), (["--class", "digits"], set("0123456789")),
                           (["--font"], set(ASCII))):
        assert main.main(["fonts", "verdict", font, *scope, "reject", "--reason", "broken"]) == 0
        assert before - allowed() == refused & before
        assert main.main(["fonts", "verdict", font, "undo"]) == 0
        assert allowed() == before
    assert main.main(["fonts", "verdict", font, "undo"]) == 2
    assert main.main(["fonts", "verdict", font, "--character", "QQ", "reject"]) == 2
    capsys.readouterr()


def test_list_names_every_shipped_font(capsys, home) -> None:
    assert main.main(["fonts", "list"]) == 0
    listed = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [f.path.name for f in catalogue.shipped()]


def test_checking_fonts_needs_no_torch(folder, tmp_path) -> None:
    code = ("import sys, main\n"
            f"main.main(['fonts', 'check', {str(folder / 'OSP-DIN.ttf')!r}, '--store', "
            f"{str(tmp_path / 's')!r}])\nsys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True,
                          check=False).returncode == 0


def test_an_installed_package_is_its_fonts_and_licences(tmp_path) -> None:
    tree = tmp_path / "tree"
    (tree / "usr/share/fonts/a").mkdir(parents=True)
    (tree / "usr/share/doc/a").mkdir(parents=True)
    (tree / "usr/share/doc/b").mkdir()
    (tree / "usr/share/fonts/a/one.ttf").write_bytes(b"1")
    (tree / "usr/share/fonts/a/readme.html").write_bytes(b"2")
    (tree / "usr/share/doc/a/copyright").write_bytes(b"3")
    (tree / "usr/share/doc/b/copyright").write_bytes(b"4")
    assert install._keep(tree, tmp_path / "fonts-a") == 1
    assert {p.name for p in (tmp_path / "fonts-a").iterdir()} == {"one.ttf", "copyright", "b-copyright"}
    assert len(install.packages(install.DEBIAN)) == 199 and install.packages(install.NPM)


# ---- fetching the full set -----------------------------------------------------------------------

NPM = """#!/bin/sh
# As npm: packs every name asked for, or none and says why. It notes what it was asked.
echo "$@" >> "$NOTES"
for name in "$@"; do
  case "$name" in
    *gone*) echo "npm error code E404" >&2; echo "npm error 404 Not Found - GET $name" >&2; exit 1;;
  esac
done
for name in "$@"; do
  case "$name" in
    @*) plain=$(echo "$name" | tr -d @ | tr / -); tar -czf "$plain-1.0.0.tgz" -C "$TREE" package;;
  esac
done
"""


@pytest.fixture
def npm(tmp_path, monkeypatch) -> Path:
    """A program `npm` in the path; the file of what it was asked. No network is used."""
    files = tmp_path / "tree" / "package" / "files"
    files.mkdir(parents=True)
    (files.parent / "LICENSE").write_text("OFL")
    for name in ("a-latin-400-normal.woff", "a-latin-ext-400-normal.woff", "a-latin-400-normal.woff2"):
        (files / name).write_bytes(b"wOFF")
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "npm"
    script.write_text(NPM)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TREE", str(tmp_path / "tree"))
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    return tmp_path / "notes"


def _wanted(monkeypatch, *names: str) -> None:
    monkeypatch.setattr(install, "packages", lambda path: list(names))


def test_of_a_package_the_western_letters_are_kept_and_a_package_that_is_gone_is_said(
        npm, tmp_path, monkeypatch) -> None:
    _wanted(monkeypatch, "@f/one", "@f/gone", "@f/two")
    got = {one.name: one for one in install.install(tmp_path / "set", "npm")}
    assert {name: one.n_fonts for name, one in got.items()} == {"@f/one": 1, "@f/gone": 0, "@f/two": 1}
    assert "404 Not Found" in got["@f/gone"].problem
    assert {p.name for p in (tmp_path / "set" / "f-one").iterdir()} == {"a-latin-400-normal.woff",
                                                                       "LICENSE"}


def test_a_fetch_goes_on_where_one_was_killed_and_removes_what_that_left(
        npm, tmp_path, monkeypatch) -> None:
    _wanted(monkeypatch, "@f/one")
    list(install.install(tmp_path / "set", "npm"))
    (tmp_path / "set" / ".fetch-dead" / "half").mkdir(parents=True)
    (tmp_path / "set" / ".part-dead").mkdir()
    npm.unlink()
    _wanted(monkeypatch, "@f/one", "@f/two")
    assert [one.name for one in install.install(tmp_path / "set", "npm")] == ["@f/two"]
    assert "@f/one" not in npm.read_text()
    assert {p.name for p in (tmp_path / "set").iterdir()} == {".lock", "f-one", "f-two"}


def test_where_nothing_can_be_had_it_gives_up_after_one_batch(npm, tmp_path, monkeypatch) -> None:
    _wanted(monkeypatch, *(f"@f/gone{k}" for k in range(3 * install.BATCH)))
    with pytest.raises(Missing, match="none of 20 packages could be had from npm .*404"):
        list(install.install(tmp_path / "set", "npm"))
    assert len(npm.read_text().splitlines()) == 1 + install.BATCH


def test_two_fetches_into_one_folder_do_not_mix(npm, tmp_path, monkeypatch) -> None:
    _wanted(monkeypatch, "@f/one", "@f/two")
    first = install.install(tmp_path / "set", "npm")
    next(first)
    with pytest.raises(Usage, match="under way"):
        list(install.install(tmp_path / "set", "npm"))
    assert [one.n_fonts for one in first] == [1]


def test_a_folder_that_cannot_be_written_is_said_without_a_traceback(npm, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run([sys.executable, "-m", "core.fonts.install", "--from", "npm", "--into",
                           str(tmp_path / "file")], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 3 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error:") and "--into" in done.stderr


def test_without_apt_and_npm_it_is_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="neither"):
        install.source()


@pytest.mark.slow
def test_a_package_is_fetched_once(tmp_path, monkeypatch) -> None:
    if not shutil.which("apt-get"):
        pytest.skip("apt-get is not on this machine")
    _wanted(monkeypatch, "fonts-amiga", "fonts-none-such")
    got = {one.name: one for one in install.install(tmp_path, "apt")}
    if not got["fonts-amiga"].n_fonts:
        pytest.skip("the package cannot be had")
    assert "Unable to locate" in got["fonts-none-such"].problem
    assert list((tmp_path / "fonts-amiga").glob("*.ttf"))
    assert "fonts-amiga" not in [one.name for one in install.install(tmp_path, "apt")]
