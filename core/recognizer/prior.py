"""How likely a text is before anything is seen: the chance of each character after those before.

An n-gram model of characters with Witten-Bell smoothing (Witten & Bell 1991; Chen & Goodman 1999,
section 2.6), made of texts of the corpus and of nothing real. The recogniser weighs its
alternatives with it: print that could be "l" or "I" is decided by its neighbours.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.errors import Mismatch, Missing
from core.files import write_bytes
from core.recognizer.alphabet import CHARACTERS, DIGEST, encode

SHIPPED = Path(__file__).parents[2] / "resources" / "models" / "prior.npz"
ORDER = 5  # characters of the longest n-gram; each takes 8 bits of a key
BEGIN, END = len(CHARACTERS) + 1, len(CHARACTERS) + 2  # codes beside the characters' classes
NEVER = -60.0  # log chance of what does not happen; float16 holds it
N_CODES = len(CHARACTERS) + 1  # that may come next: the characters and the end
ONCE = 4  # n-grams this long and longer that occur but once are left out
LONGEST = 400  # characters; what follows in a longer text is not weighed


@dataclass(frozen=True)
class Prior:
    """Back-off model. For n = 1, 2, ...: row k of `log_p[n - 1]` belongs to the n-gram of codes
    packed into `keys[n - 1][k]` (sorted uint64, 8 bits a code, the last one lowest).

    log_p     natural log of the chance of its last character after the others
    back_off  natural log of the factor on the shorter context's chances, for what was never seen
              after this n-gram
    """

    keys: tuple[NDArray[np.uint64], ...]
    log_p: tuple[NDArray[np.float32], ...]
    back_off: tuple[NDArray[np.float32], ...]
    digest: str = ""

    @property
    def order(self) -> int:
        return len(self.keys)

    @cached_property
    def unseen(self) -> float:
        """Natural log of the chance of each character that no text had."""
        left = max(1e-6, 1 - float(np.exp(self.log_p[0].astype(np.float64)).sum()))
        return float(np.log(left / max(1, N_CODES + 1 - len(self.keys[0]))))

    def log_likelihoods(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """(n,) natural log of each text's chance, its end included. Raises Mismatch for a
        character outside the alphabet."""
        codes, of_text, n = _codes([text[:LONGEST] for text in texts], self.order)
        keys = _keys(codes, self.order)
        scored = np.flatnonzero(codes != BEGIN)
        total = np.zeros(len(scored))
        open_ = np.arange(len(scored))  # not found at a longer context yet
        for length in range(self.order, 0, -1):
            row, found = _rows(self.keys[length - 1], keys[length - 1][scored[open_]])
            total[open_[found]] += self.log_p[length - 1][row[found]]
            open_ = open_[~found]
            if length > 1:
                before, known = _rows(self.keys[length - 2], keys[length - 2][scored[open_] - 1])
                total[open_[known]] += self.back_off[length - 2][before[known]]
        total[open_] += self.unseen
        return np.bincount(of_text[scored], total, n)

    def save(self, path: Path) -> None:
        """Write as .npz, at once or not at all; chances as float16. Raises Unreadable."""
        arrays = {"alphabet": np.array(DIGEST)}
        for n in range(self.order):
            # sorted keys differ by little: stored as differences they take a third
            arrays[f"steps{n}"] = np.diff(self.keys[n], prepend=np.uint64(0))
            arrays[f"log_p{n}"] = self.log_p[n].astype(np.float16)
            arrays[f"back_off{n}"] = self.back_off[n].astype(np.float16)
        packed = io.BytesIO()
        np.savez_compressed(packed, **arrays)
        write_bytes(path, packed.getvalue())


def load(path: Path = SHIPPED) -> Prior:
    """Raises Missing without the file, Mismatch if it is none or of another alphabet."""
    path = Path(path)
    if not path.is_file():
        raise Missing(f"{path}: no such prior; make it with `python main.py train prior` or "
                      "restore resources/models")
    try:
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        order = sum(name.startswith("steps") for name in arrays)
        keys = tuple(np.cumsum(arrays[f"steps{n}"], dtype=np.uint64) for n in range(order))
        parts = [tuple(arrays[f"{name}{n}"].astype(np.float32) for n in range(order))
                 for name in ("log_p", "back_off")]
        alphabet = str(arrays["alphabet"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise Mismatch(f"{path} is no prior of this program ({error}); restore it") from error
    if alphabet != DIGEST:
        raise Mismatch(f"{path} was made for another alphabet; make it anew with "
                       "`python main.py train prior`")
    return Prior(keys, *parts, hashlib.sha256(path.read_bytes()).hexdigest()[:16])


@cache
def shipped() -> Prior:
    """The shipped prior, read once a process."""
    return load()


def fitted(texts: list[str], order: int = ORDER, once: int = ONCE) -> Prior:
    """A prior of texts. Raises Mismatch for a character outside the alphabet."""
    codes, _, _ = _codes(texts, order)
    scored = np.flatnonzero(codes != BEGIN)
    keys, log_p, back_off = [], [], []
    whole, read = np.zeros(0, np.uint64), np.zeros(0)  # of the length before: n-grams, chances
    for length, all_keys in enumerate(_keys(codes, order), 1):
        found, count = np.unique(all_keys[scored], return_counts=True)
        context = found >> np.uint64(8)
        first = np.flatnonzero(np.append(True, context[1:] != context[:-1]))
        size = np.diff(np.append(first, len(found)))
        seen = np.repeat(np.add.reduceat(count, first), size)  # how often the context occurred
        kinds = np.repeat(size, size)                          # and before how many characters
        shorter = np.full(len(found), 1 / N_CODES)
        if length > 1:
            shorter = read[_rows(whole, found & _mask(length - 1))[0]]
        chance = (count + kinds * shorter) / (seen + kinds)
        kept = count >= (2 if length >= once else 1)
        if length > 1:
            back_off.append(_back_off(keys[-1], context[kept], chance[kept], shorter[kept]))
            row, known = _rows(keys[-1], context)
            backed = np.exp(np.where(known, back_off[-1][row], 0.0)) * shorter
            chance = np.where(kept, chance, backed)  # as it will be read
        whole, read = found, chance
        # what texts begin after is a context too, though nothing makes it happen
        begin = np.uint64(sum(BEGIN << 8 * k for k in range(length)))
        place = int(np.searchsorted(found[kept], begin))
        keys.append(np.insert(found[kept], place, begin))
        log_p.append(np.insert(np.log(chance[kept]), place, NEVER).astype(np.float32))
    back_off.append(np.zeros(len(keys[-1]), np.float32))  # nothing is longer
    return Prior(tuple(keys), tuple(log_p), tuple(back_off))


def _back_off(contexts: NDArray, context: NDArray, chance: NDArray, shorter: NDArray) -> NDArray:
    """(len(contexts),) log factors that give the characters not kept after a context what the
    kept ones leave."""
    row, known = _rows(contexts, context)
    used = np.bincount(row[known], chance[known], len(contexts))
    given = np.bincount(row[known], shorter[known], len(contexts))
    left = np.clip(1 - used, 1e-6, 1) / np.clip(1 - given, 1e-6, 1)
    return np.log(left).astype(np.float32)


def _codes(texts: list[str], order: int) -> tuple[NDArray[np.uint64], NDArray[np.int64], int]:
    """(codes of all texts in a row, each behind order - 1 BEGINs and before an END; the text of
    each code; the number of texts)."""
    size = np.array([len(text) + order for text in texts], np.int64)
    end = np.cumsum(size)
    codes = np.full(int(size.sum()), BEGIN, np.uint64)
    of_text = np.repeat(np.arange(len(texts)), size)
    place = np.arange(len(codes)) - np.repeat(end - size, size) - (order - 1)
    codes[place >= 0] = END
    within = (place >= 0) & (place < np.repeat(size - order, size))
    codes[within] = encode("".join(texts))
    return codes, of_text, len(texts)


def _keys(codes: NDArray[np.uint64], order: int) -> list[NDArray[np.uint64]]:
    """For n = 1 to `order`: (m,) the n-gram that ends at each code, packed."""
    found = [codes.copy()]
    for n in range(1, order):
        longer = found[-1].copy()
        longer[n:] |= codes[:-n] << np.uint64(8 * n)
        found.append(longer)
    return found


def _mask(length: int) -> np.uint64:
    return np.uint64((1 << (8 * length)) - 1)


def _rows(keys: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> tuple[NDArray, NDArray]:
    """(rows of `wanted` in sorted `keys`, whether they are there)."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
    row = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return row, keys[row] == wanted
