"""Many fonts judged: in several processes, what is known already taken from the user's cache.

The cache is two append-only files of JSON lines: which file (path, size, time) has which SHA-256,
and the reports by SHA-256. So a pass that was cancelled goes on where it stopped, a second pass
over unchanged fonts reads two files, and a copied font is not looked at twice.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from platformdirs import user_cache_dir

from core.errors import Cancelled, Unreadable
from core.fonts.catalogue import sha256_of
from core.fonts.findings import RULES, Finding, FontReport, from_json, to_json
from core.fonts.inspect import faces

AHEAD = 16  # files handed to each process beyond the one it works on
GLANCE = 0.5  # seconds between two questions whether to stop
SECONDS = 60.0  # a font that takes longer is taken to hang its reader


@dataclass(frozen=True)
class Checked:
    """One file of a pass is done: the reports of its faces, `fresh` if they were made now."""

    done: int
    total: int
    reports: tuple[FontReport, ...]
    fresh: bool


def default_store() -> Path:
    """Where reports are kept between passes."""
    return Path(user_cache_dir("ocr-workbench")) / "fonts"


def check_fonts(files: Iterable[Path], jobs: int = 2, store: Path | None = None,
                stop: Callable[[], bool] = lambda: False) -> Iterator[Checked]:
    """Each file's reports, known ones first and the others as they are made.

    files  font files, as `formats.font_files` finds them
    jobs   processes; 0 = in this one
    store  folder of the cache, default `default_store()`
    stop   asked between files; when it says yes the pass ends with Cancelled, and another pass
           over the same files goes on from there
    A file that crashes its reader is reported as unparseable; the pass goes on.
    """
    files = [Path(f) for f in files]
    kept = _Store(default_store() if store is None else store)
    done, todo = 0, []
    try:
        for path in files:
            reports = kept.find(path)
            if reports is None:
                todo.append(path)
            else:
                done += 1
                yield Checked(done, len(files), reports, fresh=False)
        for path, reports in _made(todo, jobs, stop):
            kept.keep(path, reports)
            done += 1
            yield Checked(done, len(files), reports, fresh=True)
    finally:
        kept.close()


def reports_of(files: Iterable[Path], jobs: int = 2, store: Path | None = None) -> list[FontReport]:
    """All reports of files, in the order of their names."""
    found = [r for checked in check_fonts(files, jobs, store) for r in checked.reports]
    return sorted(found, key=lambda r: (r.file, r.index))


def _made(files: list[Path], jobs: int, stop: Callable[[], bool],
          ) -> Iterator[tuple[Path, tuple[FontReport, ...]]]:
    if jobs <= 0 or len(files) <= 2:
        for path in files:
            _check_stop(stop)
            yield path, _one(path)
        return
    waiting = list(reversed(files))
    while waiting:
        broken = yield from _pooled(waiting, jobs, stop)
        # A reader has crashed on one of these: each is tried in a process of its own.
        for path in broken:
            _check_stop(stop)
            yield path, _alone(path)


def _pooled(waiting: list[Path], jobs: int, stop: Callable[[], bool]) -> Iterator:
    """Empty `waiting` through a pool; return the files that were in it when a process died or
    hung."""
    pool = ProcessPoolExecutor(jobs, mp_context=_context())
    running: dict[Future, Path] = {}
    last = time.monotonic()
    try:
        while waiting or running:
            _check_stop(stop)
            try:
                while waiting and len(running) < jobs * AHEAD:
                    future = pool.submit(_one, waiting[-1])
                    running[future] = waiting.pop()
            except BrokenProcessPool:
                return list(running.values())
            done = wait(running, GLANCE, FIRST_COMPLETED).done
            if done:
                last = time.monotonic()
            elif time.monotonic() - last > SECONDS:
                _kill(pool)
                return list(running.values())
            for future in done:
                if isinstance(future.exception(), BrokenProcessPool):
                    return list(running.values())
                yield running.pop(future), future.result()
        return []
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _kill(pool: ProcessPoolExecutor) -> None:
    """End a pool's processes: one of them hangs in native code and would not listen."""
    for process in list((pool._processes or {}).values()):
        process.kill()


def _context():
    """Processes that start from a clean one: the caller may have threads, a window or a net."""
    import multiprocessing
    return multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")


def _one(path: Path) -> tuple[FontReport, ...]:
    return tuple(faces(path))


def _alone(path: Path) -> tuple[FontReport, ...]:
    """A file's reports from a process of its own; unparseable if that dies too, or hangs."""
    pool = ProcessPoolExecutor(1, mp_context=_context())
    try:
        return pool.submit(_one, path).result(SECONDS)
    except (BrokenProcessPool, TimeoutError) as error:
        _kill(pool)
        how = "hangs" if isinstance(error, TimeoutError) else "crashes"
        text = f"{path.name} {how} the program that reads it; remove it"
        found = Finding("unparseable", "", "reject", 0, 1, text)
        return (FontReport(str(path), sha256_of(path), family=path.stem, findings=(found,)),)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _check_stop(stop: Callable[[], bool]) -> None:
    if stop():
        raise Cancelled("checking fonts was cancelled; what is done is kept, start it again to go on")


class _Store:
    """Reports kept in a folder. A folder that cannot be written costs only the next pass."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shas: dict[str, tuple[int, int, str]] = {}  # path -> size, time, SHA-256
        self.lines: dict[str, str] = {}  # SHA-256 -> the JSON of its reports
        for row in _rows(folder / "files.jsonl"):
            path, size, when, sha = row
            self.shas[path] = size, when, sha
        reports = folder / f"reports-{RULES}.jsonl"
        if reports.exists():
            for line in reports.read_text(encoding="utf-8", errors="replace").splitlines():
                self.lines[line[:64]] = line[65:]
        self._files = self._reports = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._files = _to_append(folder / "files.jsonl")
            self._reports = _to_append(reports)
        except OSError:
            pass

    def find(self, path: Path) -> tuple[FontReport, ...] | None:
        """The kept reports of a file, None if it is new, changed, or was cut off in writing."""
        sha = self._sha(path)
        line = self.lines.get(sha)
        if line is None:
            return None
        try:
            return tuple(replace(from_json(values), file=str(path)) for values in json.loads(line))
        except (ValueError, KeyError, TypeError):
            return None

    def keep(self, path: Path, reports: tuple[FontReport, ...]) -> None:
        sha = reports[0].sha256[:64]
        if len(sha) != 64:
            return  # it could not even be read
        line = json.dumps([to_json(r) for r in reports], ensure_ascii=True, separators=(",", ":"))
        self.lines[sha] = line
        self._append(self._reports, f"{sha} {line}\n")

    def close(self) -> None:
        for file in (self._files, self._reports):
            if file is not None:
                file.close()

    def _sha(self, path: Path) -> str:
        name = str(path.absolute())
        try:
            stat = path.stat()
            known = self.shas.get(name)
            if known and known[:2] == (stat.st_size, stat.st_mtime_ns):
                return known[2]
            sha = sha256_of(path)
        except (OSError, Unreadable):
            return ""
        self.shas[name] = stat.st_size, stat.st_mtime_ns, sha
        self._append(self._files, json.dumps([name, *self.shas[name]]) + "\n")
        return sha

    @staticmethod
    def _append(file, line: str) -> None:
        if file is not None:
            try:
                file.write(line.encode())  # one call, so that two passes do not mix their lines
            except OSError:
                pass


def _to_append(path: Path) -> BinaryIO:
    """A file to append to, unbuffered, on a new line if a killed pass left half of one."""
    file = path.open("ab+", buffering=0)
    if file.tell():
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
    return file


def _rows(path: Path) -> Iterator[list]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue  # torn when a pass was killed
        if isinstance(row, list) and len(row) == 4:
            yield row
