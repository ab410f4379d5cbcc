"""Random numbers that depend only on (seed, i, name): one short stream per transform.

Every transform of a sample draws from a stream of its own, so switching one off or changing its
odds leaves what the others draw untouched, and any sample can be made again alone. A stream is a
counter hash (SplitMix64; Steele, Lea, Flood 2014), not a generator object with a long state:
making one costs about a microsecond, and a draw about half of one.
"""

from __future__ import annotations

import hashlib
from bisect import bisect
from collections.abc import Sequence
from functools import lru_cache
from math import cos, log, pi, sqrt
from typing import TypeVar

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15  # SplitMix64's increment: the golden ratio times 2**64
_TO_UNIT = 2.0 ** -53

T = TypeVar("T")


def _mix(z: int) -> int:
    """SplitMix64's finaliser: 64 well mixed bits."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


@lru_cache(maxsize=4096)  # some sixty names, and a seed or a few
def _root(seed: int, name: str) -> int:
    """Where the streams of one name start in a seed."""
    bits = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    return _mix((seed * _GAMMA + bits) & _MASK)


class Stream:
    """The random numbers of one name in one sample."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, i: int, name: str) -> None:
        z = (_root(seed, name) + i * _GAMMA) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        self._state = z ^ (z >> 31)

    def unit(self) -> float:
        """Uniform in [0, 1)."""
        self._state = z = (self._state + _GAMMA) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((z ^ (z >> 31)) >> 11) * _TO_UNIT

    def chance(self, probability: float) -> bool:
        return self.unit() < probability

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self.unit()

    def below(self, n: int) -> int:
        """One of 0 .. n - 1."""
        return int(self.unit() * n)

    def whole(self, low: int, high: int) -> int:
        """One of low .. high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def pick(self, things: Sequence[T]) -> T:
        return things[int(self.unit() * len(things))]

    def which(self, bounds: Sequence[float]) -> int:
        """An index of `bounds`, cumulated weights, as often as its weight says; they need not add
        up to 1."""
        return min(bisect(bounds, self.unit() * bounds[-1]), len(bounds) - 1)

    def normal(self) -> float:
        """Standard normal (Box and Muller 1958), two draws."""
        return sqrt(-2.0 * log(1.0 - self.unit())) * cos(2 * pi * self.unit())
