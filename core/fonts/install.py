"""Fetch the full font set for training: python -m core.fonts.install [--into DIR]

Some 2,000 font files of 199 Debian packages (170 MB to download), unpacked without being installed
and so without root; where there is no apt, some 200 families of npm's @fontsource. They go into the
user's data folder, a folder per package with the package's licence beside its fonts. What is there
already is not fetched again, so a fetch that was cut short goes on where it stopped.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from platformdirs import user_data_dir

from core.errors import Missing
from core.fonts.formats import SUFFIXES

LISTS = Path(__file__).parents[2] / "resources" / "fonts"
DEBIAN, NPM = LISTS / "debian-packages.txt", LISTS / "npm-packages.txt"
BATCH = 20  # packages asked of apt at once
SECONDS = 600  # a batch that takes longer is given up
LICENCES = ("copyright", "license", "licence", "ofl.txt", "copying")  # first letters, lower case


def default_folder() -> Path:
    """Where the full set lies."""
    return Path(user_data_dir("ocr-workbench")) / "fonts"


def packages(path: Path) -> list[str]:
    """The names in a list of packages, one a line. Raises Missing without the list."""
    if not path.exists():
        raise Missing(f"no package list at {path}; restore resources/fonts from the repository")
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip() and not line.startswith("#")]


def install(folder: Path) -> Iterator[tuple[str, int]]:
    """Fetch what is lacking into a folder; (package, number of its font files) as each is done.

    A package that cannot be had counts 0 files. Raises Missing where there is neither apt nor npm.
    """
    if shutil.which("apt-get") and (shutil.which("dpkg-deb") or shutil.which("dpkg")):
        fetch, names = _from_debian, packages(DEBIAN)
    elif shutil.which("npm"):
        fetch, names = _from_npm, packages(NPM)
    else:
        raise Missing("neither apt-get nor npm is on this machine; fonts can be put into "
                      f"{folder} by hand")
    folder.mkdir(parents=True, exist_ok=True)
    lacking = [name for name in names if not (folder / _plain(name)).exists()]
    for start in range(0, len(lacking), BATCH):
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as work:
            yield from fetch(lacking[start:start + BATCH], Path(work), folder)


def _from_debian(names: list[str], work: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """Download and unpack Debian packages; apt takes a whole batch or none, so failing ones
    are tried one by one."""
    if not _run(["apt-get", "download", "-qq", *names], work):
        for name in names:
            _run(["apt-get", "download", "-qq", name], work)
    for name in names:
        found = next(iter(sorted(work.glob(f"{name}_*.deb"))), None)
        tree = work / name
        unpacked = found is not None and _run(["dpkg-deb", "-x", str(found), str(tree)], work)
        yield name, _keep(tree, folder / name) if unpacked else 0


def _from_npm(names: list[str], work: Path, folder: Path) -> Iterator[tuple[str, int]]:
    for name in names:
        tree = work / _plain(name)
        tree.mkdir()
        if _run(["npm", "pack", "--silent", name], tree):
            for packed in tree.glob("*.tgz"):
                with tarfile.open(packed) as archive:
                    archive.extractall(tree, filter="data")
        # of each weight a file per script: Latin has the characters of our alphabet
        for path in [*tree.rglob("*.woff2"), *tree.rglob("*.woff")]:
            if path.suffix == ".woff2" or "-latin-" not in path.name or "-latin-ext-" in path.name:
                path.unlink()
        yield name, _keep(tree, folder / _plain(name))


def _keep(tree: Path, target: Path) -> int:
    """Move the font files and licences of an unpacked package into its folder, whole or not at
    all; how many fonts."""
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=".part-"))
    n = 0
    for path in sorted(p for p in tree.rglob("*") if p.is_file() and not p.is_symlink()):
        is_font = path.name.lower().endswith(SUFFIXES)
        if is_font or path.name.lower().startswith(LICENCES):
            to = part / path.name
            if to.exists():  # the same name in two folders of one package
                to = part / f"{path.parent.name}-{path.name}"
            shutil.copyfile(path, to)
            n += is_font
    if not n:
        shutil.rmtree(part)
        return 0
    part.chmod(0o755)
    os.replace(part, target)
    return n


def _plain(name: str) -> str:
    return name.replace("@", "").replace("/", "-")


def _run(command: list[str], folder: Path) -> bool:
    try:
        return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=default_folder(), metavar="DIR")
    folder = parser.parse_args().into
    files, failed = 0, []
    for name, n in install(folder):
        files += n
        if not n:
            failed.append(name)
        print(f"{name}: {n} fonts" if n else f"{name}: could not be had", flush=True)
    print(f"{files} new font files; the full set is in {folder}")
    if failed:
        print(f"{len(failed)} packages could not be had; `apt-get update` as root may help, then "
              "run this again", file=sys.stderr)
    return 1 if failed and not files else 0


if __name__ == "__main__":
    sys.exit(main())
