"""Fetch the full font set for training: python -m core.fonts.install [--into DIR] [--from apt|npm]

Some 2,200 font files of 199 Debian packages (170 MB to download), unpacked without being installed
and so without root; where there is no apt, as many families of npm's @fontsource. They go into the
user's data folder, a folder per package with the package's licence beside its fonts. What is there
already is not fetched again, so a fetch that was cut short goes on where it stopped. How words are
drawn with them: core.synth.full_set.
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
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_data_dir

from core.errors import Missing, OcrError, Unreadable, Usage
from core.fonts.formats import SUFFIXES

LISTS = Path(__file__).parents[2] / "resources" / "fonts"
DEBIAN, NPM = LISTS / "debian-packages.txt", LISTS / "npm-packages.txt"
BATCH = 20  # packages asked for at once
FEW = 3  # packages; when more than these are asked for and none comes, the source itself fails
SECONDS = 600  # a batch that takes longer is given up
LICENCES = ("copyright", "license", "licence", "ofl.txt", "copying")  # first letters, lower case
FETCH, PART, LOCK = ".fetch-", ".part-", ".lock"  # what a fetch leaves in the folder while it runs
ADVICE = {"apt": "look to the network, run `apt-get update` as root, or fetch from npm: --from npm",
          "npm": "look to the network and to `npm ping`"}
# A folder of fonts that everything is drawn with beside the shipped ones: training, the window, synth
FOLDER_VARIABLE = "OCR_WORKBENCH_FONTS"
CANCELLED = 130  # exit code after Ctrl+C, as a shell has it
# As few waits as make sense: a package that cannot be had must not take a minute.
NPM_PACK = ("npm", "pack", "--loglevel=error", "--fetch-retries=1",
            "--fetch-retry-mintimeout=2000")


class Fetched(NamedTuple):
    """A package that was asked for: how many font files came, and if none, why."""

    name: str
    n_fonts: int
    problem: str = ""


def default_folder() -> Path:
    """Where the full set lies."""
    return Path(user_data_dir("ocr-workbench")) / "fonts"


def packages(path: Path) -> list[str]:
    """The names in a list of packages, one a line. Raises Missing without the list."""
    if not path.exists():
        raise Missing(f"no package list at {path}; restore resources/fonts from the repository")
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip() and not line.startswith("#")]


def source() -> str:
    """"apt" or "npm", whichever this machine has, apt first. Raises Missing with neither."""
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        return "apt"
    if shutil.which("npm"):
        return "npm"
    raise Missing("neither apt-get nor npm is on this machine; install one of them, or put font "
                  f"files into {default_folder()} by hand")


def install(folder: Path, origin: str) -> Iterator[Fetched]:
    """Fetch from `origin` ("apt" or "npm") what a folder lacks; each package as it is done.

    Raises Missing where nothing at all can be had, Unreadable for a folder that cannot be written,
    Usage where another fetch into it is under way.
    """
    fetch, names = (_from_debian, packages(DEBIAN)) if origin == "apt" else \
        (_from_npm, packages(NPM))
    if shutil.which("apt-get" if origin == "apt" else "npm") is None:
        raise Missing(f"there is no {origin} on this machine; leave --from {origin} out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            lacking = [name for name in names if not (folder / _plain(name)).exists()]
            for start in range(0, len(lacking), BATCH):
                some = lacking[start:start + BATCH]
                with tempfile.TemporaryDirectory(dir=folder, prefix=FETCH) as work:
                    yield from _checked(fetch(some, Path(work), folder), len(some), origin)
    except OSError as error:
        raise Unreadable(f"{error.filename or folder} cannot be written ({error.strerror}); free "
                         "space, or name another folder: --into DIR") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The only fetch into a folder; what one that was killed has left there is removed."""
    with (folder / LOCK).open("w") as lock:
        try:
            import fcntl
        except ImportError:  # Windows: nothing there would fetch twice at once
            pass
        else:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Usage(f"another fetch into {folder} is under way; wait for it or end "
                            "it") from None
        for left in (*folder.glob(f"{FETCH}*"), *folder.glob(f"{PART}*")):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _checked(some: Iterator[Fetched], n: int, origin: str) -> Iterator[Fetched]:
    """Pass on what a batch of n gives. Raises Missing when it is nothing, and n more than a few:
    then no later batch would give anything either."""
    failed = []
    for one in some:
        failed += [] if one.n_fonts else [one]
        yield one
    if len(failed) == n > FEW:
        raise Missing(f"none of {n} packages could be had from {origin} ({failed[-1].problem}); "
                      f"{ADVICE[origin]}; then run this again")


def _from_debian(names: list[str], work: Path, folder: Path) -> Iterator[Fetched]:
    """Download and unpack Debian packages."""
    problems = _download(("apt-get", "download", "-qq"), names, work)
    for name in names:
        found = next(iter(sorted(work.glob(f"{name}_*.deb"))), None)
        tree, problem = work / name, problems.get(name, "")
        if found is not None:
            problem = _run(["dpkg-deb", "-x", str(found), str(tree)], work)
        yield _result(name, tree, folder, problem)


def _from_npm(names: list[str], work: Path, folder: Path) -> Iterator[Fetched]:
    """Download and unpack npm packages; of each, the files with western letters."""
    problems = _download(NPM_PACK, names, work)
    for name in names:
        found = next(iter(sorted(work.glob(f"{_plain(name)}-[0-9]*.tgz"))), None)
        tree, problem = work / _plain(name), problems.get(name, "")
        if found is not None:
            try:
                with tarfile.open(found) as archive:
                    archive.extractall(tree, filter="data")
            except (tarfile.TarError, EOFError) as error:
                problem = f"{found.name} cannot be unpacked: {error}"
            # of each weight a file per script: Latin has the characters of our alphabet
            for path in [*tree.rglob("*.woff2"), *tree.rglob("*.woff")]:
                if path.suffix == ".woff2" or "-latin-" not in path.name \
                        or "-latin-ext-" in path.name:
                    path.unlink()
        yield _result(name, tree, folder, problem)


def _download(command: tuple[str, ...], names: list[str], work: Path) -> dict[str, str]:
    """Have apt or npm download packages into `work`; why each could not be had, "" if it could.

    Both take a whole batch or none, so after a failure they are asked one by one.
    """
    if not _run([*command, *names], work):
        return {}
    return {name: _run([*command, name], work) for name in names}


def _result(name: str, tree: Path, folder: Path, problem: str) -> Fetched:
    """Keep what was unpacked, unless there was a problem."""
    n = _keep(tree, folder / _plain(name)) if not problem and tree.is_dir() else 0
    return Fetched(name, n, "" if n else problem or "there is no font in it")


def _keep(tree: Path, target: Path) -> int:
    """Move the font files and licences of an unpacked package into its folder, whole or not at
    all; how many fonts."""
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=PART))
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


def _run(command: list[str], folder: Path) -> str:
    """Run a command in a folder; "" when it went well, else what it says of the cause."""
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=SECONDS, check=False, text=True, errors="replace")
    except subprocess.TimeoutExpired:
        return f"{command[0]} took longer than {SECONDS} s"
    except OSError as error:
        return f"{command[0]} cannot be run: {error.strerror}"
    return "" if done.returncode == 0 else _cause(done.stderr) or \
        f"{command[0]} ended with {done.returncode}"


def _cause(said: str) -> str:
    """The line of apt's or npm's messages that tells the cause, "" where there is none."""
    lines = [line.removeprefix("E:").removeprefix("npm error").removeprefix("npm ERR!").strip()
             for line in said.splitlines() if line.startswith(("E:", "npm error", "npm ERR!"))]
    told = [line for line in lines if " " in line and not line.startswith(("code ", "at "))]
    return told[0] if told else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=default_folder(), metavar="DIR",
                        help="default: %(default)s")
    parser.add_argument("--from", choices=("apt", "npm"), dest="origin",
                        help="default: apt where there is one, else npm")
    args = parser.parse_args()
    try:
        return _report(args.into, args.origin or source())
    except KeyboardInterrupt:
        print("cancelled; what is there is kept, run this again to go on", file=sys.stderr)
        return CANCELLED
    except OcrError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _report(folder: Path, origin: str) -> int:
    """Fetch, and say what came and what did not."""
    files, failed = 0, []
    for name, n, problem in install(folder, origin):
        files += n
        failed += [] if n else [name]
        print(f"{name}: {n} font file{'s' * (n != 1)}" if n else f"{name}: not had: {problem}",
              flush=True)
    inside = [p for p in folder.glob("*/*") if p.name.lower().endswith(SUFFIXES)]
    n_packages = len({path.parent for path in inside})
    print(f"{files} font files are new; {len(inside)} files of {n_packages} packages lie in {folder}\n"
          f"to draw with them: main.py synth --fonts '{folder}'; to train with them or see them in "
          f"the window, set {FOLDER_VARIABLE} to that folder")
    if failed:
        print(f"{len(failed)} packages could not be had: {', '.join(failed)}; {ADVICE[origin]}; "
              "then run this again", file=sys.stderr)
    return 0 if inside else Missing.exit_code


if __name__ == "__main__":
    sys.exit(main())
