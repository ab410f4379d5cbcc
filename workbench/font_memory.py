"""What the font view remembers: where it was, how fast one judges, and whether one agrees with oneself."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

from core.files import write_text
from core.fonts.catalogue import Catalogue

PLACE = "font-view.json"
SECOND = "second-looks.jsonl"  # beside the verdicts: what was said at the second look
ONE_IN = 50  # fonts shown again, unannounced: 2 %
LEAST_BETWEEN = 15  # verdicts from the first look to the second
PAUSE = 60.0  # s; a longer gap between verdicts is a pause and does not count
PACE_OVER = 60  # verdicts that the pace is taken over


@dataclass(frozen=True)
class Place:
    """Where the view was left: the folders that were open, and the font that was shown."""

    paths: tuple[str, ...] = ()
    at: str = ""

    @staticmethod
    def load(folder: Path) -> Place:
        """As it was left; at the start if there is no such file or it is damaged."""
        try:
            values = json.loads((folder / PLACE).read_text(encoding="utf-8"))
            return Place(tuple(map(str, values["paths"])), str(values["at"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Place()

    def save(self, folder: Path) -> None:
        """Keep it. A folder that cannot be written costs only the place."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / PLACE, json.dumps(asdict(self)))
        except OSError:
            pass


@dataclass
class Pace:
    """Verdicts a minute, pauses left out."""

    times: deque[float] = field(default_factory=lambda: deque(maxlen=PACE_OVER))

    def count(self, now: float | None = None) -> None:
        """A verdict was given."""
        self.times.append(time.monotonic() if now is None else now)

    @property
    def per_minute(self) -> float:
        """0 until there are three verdicts without a pause."""
        times = list(self.times)
        gaps = [b - a for a, b in pairwise(times) if b - a < PAUSE]
        return 60.0 * len(gaps) / max(sum(gaps), 1e-3) if len(gaps) >= 2 else 0.0

    def left(self, n: int) -> str:
        """"1 h 05 min" for n more fonts at this pace, "" while it is not known."""
        if not self.per_minute:
            return ""
        minutes = n / self.per_minute
        return (f"{int(minutes // 60)} h {int(minutes % 60):02d} min" if minutes >= 60
                else f"{minutes:.0f} min" if minutes >= 1 else "less than a minute")


class SecondLooks:
    """Every fiftieth judged font comes again later, its verdict hidden.

    What is said then goes into a catalogue of its own and never changes the first verdict; where
    the two differ, the font is told at the end.
    """

    def __init__(self, folder: Path) -> None:
        self.catalogue = Catalogue(folder / SECOND)
        self._due: list[tuple[int, str]] = []  # (number of verdicts from which it may come, key)
        self._n = 0
        self.open = ""  # the font that is being looked at for the second time

    def judged(self, key: str) -> None:
        """A font was judged for the first time."""
        self._n += 1
        if is_drawn(key) and not self.catalogue.judged(key):
            self._due.append((self._n + LEAST_BETWEEN, key))

    def take(self, at_end: bool = False) -> str:
        """The font that is to be shown again now, "" mostly; at the end none waits any longer."""
        if self._due and (at_end or self._due[0][0] <= self._n):
            self.open = self._due.pop(0)[1]
            return self.open
        return ""

    def agreement(self, first: Catalogue) -> tuple[int, list[str]]:
        """(fonts judged twice, those judged otherwise the second time)."""
        twice = {line.sha256 for line in self.catalogue.lines
                 if self.catalogue.judged(line.sha256) in ("accept", "reject")
                 and first.judged(line.sha256) in ("accept", "reject")}
        return len(twice), sorted(key for key in twice
                                  if first.judged(key) != self.catalogue.judged(key))


def is_drawn(key: str) -> bool:
    """Whether a font belongs to the 2 % that are shown twice: by its SHA-256, so by no habit."""
    return int(key[:8], 16) % ONE_IN == 0
