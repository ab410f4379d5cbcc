"""CPU milliseconds per frame of the canvas with 50,000 shapes on a 12 megapixel page.

    python tests/bench/bench_overlay.py [n_shapes]

Window 1600 x 1000, offscreen raster engine, median of 12 pans of 30 px, of 12 hover repaints, and of
six zoom steps; `time.process_time`, so what else runs on the machine does not count.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from hand_readings import large_reading
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from core.reading import Lineage, Ref, lineage
from views.canvas import Canvas


def median_ms(step, n: int = 12) -> float:
    """Median CPU ms of `step(i)` and the repaint it causes."""
    times = []
    for i in range(n):
        start = time.process_time()
        step(i)
        QApplication.processEvents()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times)


def measure(name: str, canvas: Canvas, picked: Lineage) -> None:
    """Print pan, hover, highlight and zoom figures at three magnifications."""
    bar = canvas._view.verticalScrollBar()

    def pan(i: int) -> None:
        bar.setValue(bar.value() + (30 if i % 4 < 2 else -30))

    for factor in (1, 4, 16):
        canvas.fit()
        canvas.zoom(factor)
        canvas._tune()   # as after ZOOM_RESTS
        QApplication.processEvents()
        panned = median_ms(pan)
        hover = median_ms(lambda i: canvas.hover(QPointF(300 + 37 * i, 300 + 11 * i)))
        light = median_ms(lambda i: canvas.highlight(picked if i % 2 else None))
        canvas.highlight(None)
        cached = canvas.overlay.cacheMode().name
        step = median_ms(lambda _: canvas.zoom(1.02), 6)
        print(f"{name:24} x{factor:<3} pan {panned:6.1f}  hover {hover:6.2f}  highlight {light:6.1f}"
              f"  zoom step {step:6.1f}  {cached}")


def main(n: int) -> None:
    app = QApplication([])
    canvas = Canvas()
    canvas.resize(1600, 1000)
    canvas.show()
    for slanted in (False, True):
        reading = large_reading(n, slanted=slanted)
        start = time.process_time()
        canvas.show(reading)
        app.processEvents()
        print(f"first frame, {n:,} blobs and boxes hidden: {1000 * (time.process_time() - start):.0f} ms")
        for layer in ("boxes", "blobs"):
            if slanted and layer == "blobs":
                continue
            for other in ("boxes", "blobs"):
                canvas.set_layer(other, other == layer)
            measure(f"{n:,} {layer}{', slanted' if slanted else ''}", canvas,
                    lineage(reading, Ref("blobs", 5)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
