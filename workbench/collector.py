"""Python's cyclic garbage, collected in the window's thread alone.

The collector runs in whichever thread allocates when a threshold is passed, here also in those that
read the workers' pipes. Qt objects in the garbage would be destroyed there: a running QTimer is then
stopped "from another thread", which Qt forbids, and its next event finds freed memory. So the
automatic collector is switched off, and a timer of the window's thread does the same work by the
same thresholds. It runs between two events, never in the middle of a paint or a model's answer.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL = 500  # ms: at 100,000 new objects a second (a large table unpickled) some 10 MB wait


class Collector(QObject):
    """Switches the automatic collector off while it lives; make it in the window's thread.

    `stop` gives the interpreter its own collector back.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.timeout.connect(collect_due)
        self._timer.start()

    def stop(self) -> None:
        """Collect no more; the interpreter does again, in any thread."""
        self._timer.stop()
        gc.enable()


def collect_due() -> int:
    """Collect the oldest generation that is due by the interpreter's thresholds; -1: none was.

    Gives the generation, 0 to 2. Call it in the thread that owns the Qt objects.
    """
    due = [generation for generation, (count, limit) in enumerate(
        zip(gc.get_count(), gc.get_threshold(), strict=True)) if count > limit]
    if not due:
        return -1
    gc.collect(due[-1])
    return due[-1]
