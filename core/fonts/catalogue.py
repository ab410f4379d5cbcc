"""The fonts that synthetic text is drawn with, and what people and certain checks decided on them.

`families.tsv` lists the shipped fonts and how often each is picked. Verdicts are JSON lines, in
resources/fonts/verdicts.jsonl and after it in the user's own file: nothing is ever changed or
removed, the last line on a thing wins, and an undo is a line too. They are keyed by the SHA-256 of
the font file, so that they hold wherever the file lies and lapse when it changes.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import math
import os
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from platformdirs import user_config_dir

from core.errors import Missing, Unreadable, Usage
from core.fonts.findings import RULES, FontReport
from core.recognizer.alphabet import ASCII

FONTS = Path(__file__).parents[2] / "resources" / "fonts"
FAMILIES = "families.tsv"
VERDICTS = "verdicts.jsonl"
CLASSES = {"digits": frozenset("0123456789"),
           "lower": frozenset("abcdefghijklmnopqrstuvwxyz"),
           "upper": frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
           "symbols": frozenset(c for c in ASCII if not c.isalnum() and c != " ")}
SCOPES = ("character", "class", "font", "family")
DECISIONS = ("accept", "reject", "weight")
REASONS = ("missing", "square", "wrong symbol", "case", "broken", "other")  # keys 1 to 6
RULES_WHO = f"rules {RULES}"  # signs the verdicts of certain checks


RECEIPTS = ("tape", "office", "needles")  # printers of receipts, each a column of weights (FontFile)


@dataclass(frozen=True)
class FontFile:
    """A font file, the family it belongs to, and its weight: picks relative to the others; `tape`,
    `office` and `needles` are the same on receipts of tills, of computers and of needle printers
    (`core.synth.tape`)."""

    path: Path
    family: str
    weight: float
    tape: float = 0.0
    office: float = 0.0
    needles: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """A line of the verdict file.

    sha256    of the font file; "" in scope family
    scope     one of SCOPES; `target` is the character, the class (a key of CLASSES), "" for a
              font, the family's name
    decision  one of DECISIONS; weight only in scope family, with `weight` the factor on its picks
    reason    one of REASONS, or free text; `who` a person's name, or "rules N" for certain checks
    when      ISO 8601, UTC; `rules` the version of the checks then in force
    file      the file's name then, for people who read the lines
    revokes   the `id` of the line that this one takes back; the rest then only repeats it
    """

    sha256: str
    scope: str
    target: str
    decision: str
    reason: str = ""
    who: str = ""
    when: str = ""
    rules: int = RULES
    file: str = ""
    weight: float = 1.0
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    revokes: str = ""

    def __post_init__(self) -> None:
        if self.scope not in SCOPES or self.decision not in DECISIONS:
            raise Usage(f"a verdict has scope {'|'.join(SCOPES)} and decision "
                        f"{'|'.join(DECISIONS)}, not {self.scope!r} and {self.decision!r}")
        if (self.decision == "weight") != (self.scope == "family"):
            raise Usage("a weight is given to a family, and a family is given nothing else")
        if self.scope == "character" and self.target not in set(ASCII):
            raise Usage(f"{self.target!r} is not one printable ASCII character")
        if self.scope == "class" and self.target not in CLASSES:
            raise Usage(f"{self.target!r} is no class; choose one of {', '.join(CLASSES)}")
        if not (math.isfinite(self.weight) and 0 <= self.weight <= 1000):
            raise Usage(f"weight {self.weight} is not between 0 and 1000")

    @property
    def key(self) -> tuple[str, str, str]:
        """What the verdict is on; a later line with the same key replaces it."""
        return self.sha256, self.scope, self.target

    @property
    def by_rules(self) -> bool:
        return self.who.startswith("rules ")


def own_verdicts() -> Path:
    """The user's own verdict file; it need not exist."""
    return Path(user_config_dir("ocr-workbench")) / VERDICTS


def shipped(folder: Path = FONTS) -> tuple[FontFile, ...]:
    """The fonts listed in a folder's families.tsv (file, family, weight, and RECEIPTS), in its order; a
    list without the last has no fonts of receipts.

    Raises Missing if the list or a listed file is not there, Unreadable for a malformed row.
    """
    path = folder / FAMILIES
    if not path.exists():
        raise Missing(f"no font list at {path}; restore resources/fonts from the repository")
    fonts = []
    with path.open(encoding="utf-8", newline="") as lines:
        for n, row in enumerate(csv.DictReader(lines, delimiter="\t"), start=2):
            try:
                font = FontFile(folder / row["file"], row["family"], float(row["weight"]),
                                *(float(row.get(name) or 0) for name in RECEIPTS))
            except (KeyError, TypeError, ValueError) as error:
                raise Unreadable(f"{path}, line {n}: expected file, family and weight: "
                                 f"{error}") from error
            if not font.path.exists():
                raise Missing(f"{path}, line {n}: {font.path.name} is not in the folder; restore "
                              "it or remove the line")
            fonts.append(font)
    if not fonts:
        raise Missing(f"{path} lists no font; restore it from the repository")
    return tuple(fonts)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal. Raises Unreadable when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from error


class Catalogue:
    """Verdicts as they stand, and the file that new ones are appended to.

    Several processes may have the same file open: lines are appended whole under a lock, and
    `refresh` takes in what others have written.
    """

    def __init__(self, own: Path, lines: Iterable[Verdict] = ()) -> None:
        self.own = own
        self._shipped = tuple(lines)
        self._own: list[Verdict] = []
        self._read_to = 0  # bytes of the own file that are in _own
        self._identity: tuple[int, int] = (0, 0)  # (device, inode) of the file they came from
        self._current: dict[str, dict[tuple[str, str, str], Verdict]] = {}
        self.refresh(force=True)

    @classmethod
    def load(cls, own: Path | None = None, shipped_lines: Path | None = None) -> Catalogue:
        """The catalogue of shipped verdicts and the user's own.

        own            default: `own_verdicts()`; it is made when the first verdict is given
        shipped_lines  default: resources/fonts/verdicts.jsonl
        Raises Unreadable naming file and line for a line that is no verdict.
        """
        path = FONTS / VERDICTS if shipped_lines is None else shipped_lines
        lines = _parsed(path, path.read_bytes()) if path.exists() else ()
        return cls(own_verdicts() if own is None else own, lines)

    def refresh(self, force: bool = False) -> bool:
        """Take in lines that others have appended; whether there were any."""
        try:
            with self.own.open("rb") as file:
                stat = os.fstat(file.fileno())
                if (stat.st_dev, stat.st_ino) != self._identity or stat.st_size < self._read_to:
                    self._own, self._read_to, force = [], 0, True
                    self._identity = stat.st_dev, stat.st_ino
                file.seek(self._read_to)
                content = file.read()
        except FileNotFoundError:
            content, force = b"", force or bool(self._own)
            self._own, self._read_to = [], 0
        content = content[:content.rfind(b"\n") + 1]  # a line still being written is for next time
        if not content and not force:
            return False
        self._own += _parsed(self.own, content, first_line=len(self._own) + 1)
        self._read_to += len(content)
        self._settle()
        return True

    def _settle(self) -> None:
        """Which verdicts stand: of each thing the last line that is not taken back."""
        lines = self.lines
        revoked = {line.revokes for line in lines if line.revokes}
        self._current = {}
        for line in lines:
            if not line.revokes and line.id not in revoked:
                of_font = self._current.setdefault(line.sha256, {})
                of_font.pop(line.key, None)  # so that the order is that of the last lines
                of_font[line.key] = line

    @property
    def lines(self) -> tuple[Verdict, ...]:
        """Every line, shipped ones first, in the order they were written."""
        return (*self._shipped, *self._own)

    # ---- asking ----------------------------------------------------------------------------

    def current(self, sha256: str, scope: str = "font", target: str = "") -> Verdict | None:
        """The verdict that stands on a font, one of its characters or classes, or a family."""
        return self._current.get(sha256, {}).get((sha256, scope, target))

    def of(self, sha256: str) -> tuple[Verdict, ...]:
        """All verdicts that stand on a font file, oldest first."""
        return tuple(self._current.get(sha256, {}).values())

    def judged(self, sha256: str) -> str:
        """"accept" or "reject" of the whole font, "some" if parts are judged, "" if nothing is."""
        whole = self.current(sha256)
        return whole.decision if whole else "some" if self.of(sha256) else ""

    def allowed(self, sha256: str) -> frozenset[str]:
        """The characters that may be drawn; none where the font is rejected.

        A verdict on a character goes before one on its class, and a class before the font.
        """
        whole = self.current(sha256)
        if whole is not None and whole.decision == "reject":
            return frozenset()
        good = set(ASCII)
        verdicts = self.of(sha256)
        for verdict in verdicts:
            if verdict.scope == "class" and verdict.decision == "reject":
                good -= CLASSES[verdict.target]
        for verdict in verdicts:
            if verdict.scope == "character":
                (good.add if verdict.decision == "accept" else good.discard)(verdict.target)
        return frozenset(good)

    def weight(self, family: str) -> float:
        """The factor on how often a family is picked; 1 unless a verdict says otherwise."""
        verdict = self.current("", "family", family)
        return verdict.weight if verdict else 1.0

    # ---- deciding --------------------------------------------------------------------------

    def verdict(self, sha256: str, scope: str, target: str, decision: str, reason: str, who: str,
                file: str = "", weight: float = 1.0) -> Verdict:
        """Give a verdict (see `Verdict`): append it to the user's own file and let it stand.

        Raises Usage if it makes no sense, Unreadable if the file cannot be written.
        """
        given = Verdict(sha256, scope, target, decision, reason, who, _now(), RULES, file, weight)
        self.append([given])
        return given

    def undo(self, who: str = "", verdict_id: str = "") -> Verdict | None:
        """Take back the last of the user's own verdicts that stands, and return it.

        who         only verdicts signed so; verdict_id: this one, wherever it stands
        None if there is none. What stood before it stands again. Undoing again goes further back.
        """
        self.refresh()
        revoked = {line.revokes for line in self.lines if line.revokes}
        for line in reversed(self.lines if verdict_id else self._own):
            fits = line.id == verdict_id if verdict_id else not who or line.who == who
            if fits and not line.revokes and line.id not in revoked:
                self.append([replace(line, who=who or line.who, when=_now(), revokes=line.id,
                                     id=uuid.uuid4().hex[:12])])
                return line
        return None

    def append(self, verdicts: list[Verdict]) -> None:
        """Append verdicts in one write and let them stand. Raises Unreadable if it fails."""
        text = "".join(to_line(verdict) for verdict in verdicts)
        try:
            self.own.parent.mkdir(parents=True, exist_ok=True)
            _append(self.own, text.encode())
        except OSError as error:
            raise Unreadable(f"{self.own} cannot be written ({error.strerror}); free space or "
                             "change its permissions") from error
        self.refresh()

    def judge_by_rules(self, reports: Iterable[FontReport]) -> list[Verdict]:
        """The verdicts of certain checks (severity reject) that are not given yet, not appended.

        Nothing on what a person has judged: the same character or font, accepted or rejected.
        """
        given = []
        for report in reports:
            whole = "" in report.rejected()
            for character in [""] if whole else sorted(report.rejected()):
                scope = "character" if character else "font"
                if self.current(report.sha256, scope, character) is None:
                    checks = [f.check for f in report.of(character) if f.severity == "reject"]
                    given.append(Verdict(report.sha256, scope, character, "reject",
                                         ", ".join(dict.fromkeys(checks)), RULES_WHO, _now(),
                                         RULES, report.path.name))
        return given


@cache
def standing() -> Catalogue:
    """The catalogue of this user, read once a process."""
    return Catalogue.load()


def to_line(verdict: Verdict) -> str:
    """A verdict as its JSON line, with what is at its default left out."""
    values = asdict(verdict)
    for name, default in (("weight", 1.0), ("revokes", ""), ("file", "")):
        if values[name] == default and not (name == "weight" and verdict.decision == "weight"):
            del values[name]
    return json.dumps(values, ensure_ascii=False) + "\n"


def _parsed(path: Path, content: bytes, first_line: int = 1) -> tuple[Verdict, ...]:
    found = []
    for n, line in enumerate(content.split(b"\n"), start=first_line):
        if not line.strip():
            continue
        try:
            found.append(Verdict(**json.loads(line)))
        except (ValueError, TypeError, Usage) as error:
            raise Unreadable(f"{path}, line {n}: not a verdict ({error}); correct or remove the "
                             "line") from error
    return tuple(found)


def _append(path: Path, content: bytes) -> None:
    """Append in one write under a lock; start on a new line if a torn one is at the end."""
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        _lock(fd)
        end = os.lseek(fd, 0, os.SEEK_END)
        if end:
            os.lseek(fd, end - 1, os.SEEK_SET)
            if os.read(fd, 1) != b"\n":
                content = b"\n" + content
        if os.write(fd, content) != len(content):
            os.ftruncate(fd, end)
            raise OSError(errno.ENOSPC, "only part of the line could be written")
        os.fsync(fd)
    finally:
        os.close(fd)  # gives the lock back


def _lock(fd: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: one appending write is atomic enough there
        return
    fcntl.flock(fd, fcntl.LOCK_EX)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
