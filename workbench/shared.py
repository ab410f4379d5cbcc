"""Objects with large arrays, handed from one process to another through shared memory.

An object is pickled (protocol 5); arrays above `INLINE_BYTES` leave the pickle and are copied into
one shared memory segment, the rest travels in the pipe. Whoever receives a parcel copies it out
and unlinks the segment at once, so a segment lives only between sending and receiving.

Segments of one sender are numbered without gaps, so `sweep` finds and unlinks those that a killed
process had made and nobody had received.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass, field
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np

INLINE_BYTES = 1 << 16  # smaller buffers cost less in the pipe than a segment's mapping
ALIGNMENT = 64          # bytes, a cache line: NumPy reads aligned arrays faster


@dataclass(frozen=True)
class Parcel:
    """A pickled object and where its large buffers lie.

    spans  for each buffer (start, length) in the segment, or its bytes where it is small
    """

    pickled: bytes = field(repr=False)
    spans: tuple[tuple[int, int] | bytes, ...] = field(repr=False)
    segment: str = ""
    nbytes: int = 0


class Sender:
    """Makes parcels; `prefix` is unique to this sender on the machine, at most 20 characters."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.n_segments = prefix, 0
        self._open: list[SharedMemory] = []

    def pack(self, thing: Any) -> Parcel:
        """A parcel to send. Raises OSError when the machine has no shared memory left."""
        buffers: list[pickle.PickleBuffer] = []
        pickled = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
        spans, large, end = [], [], 0
        for buffer in buffers:
            raw = buffer.raw()
            if raw.nbytes <= INLINE_BYTES:
                spans.append(bytes(raw))
                continue
            spans.append((end, raw.nbytes))
            large.append((end, raw))
            end += -(-raw.nbytes // ALIGNMENT) * ALIGNMENT
        if not large:
            return Parcel(pickled, tuple(spans))
        segment = SharedMemory(segment_name(self.prefix, self.n_segments), create=True, size=end)
        self.n_segments += 1
        for start, raw in large:
            _copy(raw, segment.buf[start:start + raw.nbytes])
        if os.name == "posix":
            segment.close()  # the name keeps it alive
        else:
            self._open.append(segment)  # Windows frees a segment with its last handle
        return Parcel(pickled, tuple(spans), segment.name, end)

    def received(self) -> None:
        """The other side has read all parcels so far: let go of what only this side holds."""
        while self._open:
            self._open.pop().close()


def segment_name(prefix: str, number: int) -> str:
    """Name of a sender's segment; segments are numbered from 0 in the order of sending."""
    return f"{prefix}-{number}"


def unpack(parcel: Parcel) -> Any:
    """The object; its segment is unlinked. Raises FileNotFoundError when that happened before."""
    whole = memoryview(b"")
    if parcel.segment:
        segment = SharedMemory(parcel.segment)
        whole = memoryview(np.empty(parcel.nbytes, np.uint8))
        _copy(segment.buf[:parcel.nbytes], whole)
        whole = whole.toreadonly()
        segment.close()
        segment.unlink()
    buffers = [span if isinstance(span, bytes) else whole[span[0]:span[0] + span[1]]
               for span in parcel.spans]
    return pickle.loads(parcel.pickled, buffers=buffers)


def _copy(source: memoryview, target: memoryview) -> None:
    """Copy bytes by NumPy, which lets the other threads run: a page may take a tenth of a second."""
    np.copyto(np.frombuffer(target, np.uint8), np.frombuffer(source, np.uint8))


def sweep(prefix: str, start: int) -> int:
    """Unlink a dead sender's segments from number `start` on; gives how many there were."""
    number = start
    while unlink(prefix, number):
        number += 1
    return number - start


def unlink(prefix: str, number: int) -> bool:
    """Unlink one segment of a dead sender or receiver; False where there is none of that number."""
    name = segment_name(prefix, number)
    try:
        segment = SharedMemory(name)
    except FileNotFoundError:
        return False
    except ValueError:  # the sender died between making the segment and giving it a size
        import _posixshmem  # only POSIX can leave a segment without one
        _posixshmem.shm_unlink("/" + name)
        return True
    segment.close()
    segment.unlink()
    return True
