"""What the net saw and answered: the window, class probabilities over time, and the best path."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from core import geometry
from core.reading import Lineage, Reading, Ref
from core.recognizer.alphabet import CHARACTERS
from views.page_image import image_of

STEP = 4                 # window px per time step (core.reading.Transcripts)
SHOWN_FROM = 0.01        # a class is a row when it reaches this probability anywhere
MOST_ROWS = 30           # rows at most, the likeliest classes
LEFT, TOP = 30.0, 4.0    # px for the row labels, and above the crop
TEXT_BAND = 34.0         # px for the characters and their confidences
BLANK_BAND = 6.0         # px for the blank's probability, folded to a strip
CROP_SHARE = 0.3         # of the height that the crop takes at most
LEAST_SCALE = 3.0        # screen px per window px, where there is room: 12 per time step
LEAST_ROW = 13.0         # px per class, so that its label can be read
NAMED = 4                # classes named for a hovered time step


class CtcPlot(QWidget):
    """Shows one transcript of the lineage; ◀ ▶ go through several. Hovering tells each time step.

    time_hovered gives the upright px of the hovered step's middle; NaN, NaN when the mouse leaves.
    """

    time_hovered = Signal(float, float)
    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None, characters: str = CHARACTERS) -> None:
        super().__init__(parent)
        self.setAccessibleName("Class probabilities over time")
        self._reading, self._rows, self._at = Reading(), np.zeros(0, np.int64), 0
        self._characters = characters
        self._title, self._told = QLabel(), QLabel()
        self._told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._map = _Map(self)
        head = QHBoxLayout()
        self._steps = []
        for arrow, by, name in ((Qt.ArrowType.LeftArrow, -1, "Previous transcript"),
                                (Qt.ArrowType.RightArrow, 1, "Next transcript")):
            button = QToolButton(arrowType=arrow, autoRaise=True)
            button.setAccessibleName(name)
            button.setToolTip(f"{name} of the picked row")
            button.clicked.connect(lambda _=False, by=by: self._go(by))
            self._steps.append(button)
            head.addWidget(button)
        head.addWidget(self._title, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(head)
        layout.addWidget(self._map, 1)
        layout.addWidget(self._told)
        self._choose()

    def set_characters(self, characters: str) -> None:
        """The net's alphabet: `characters[i]` is class i + 1, class 0 the blank."""
        self._characters = characters
        self._choose()

    def show(self, reading: Reading | None = None) -> None:
        """Take a reading; without one this is QWidget.show."""
        if reading is None:
            super().show()
            return
        self._reading = reading
        self._choose()

    def highlight(self, lineage: Lineage | None) -> None:
        """Show the transcripts on the road of a row; one of those shown now keeps its neighbours."""
        picked = lineage.picked if lineage else None
        if picked and picked.table == "transcripts" and picked.row in self._rows:
            self._at = int(np.flatnonzero(self._rows == picked.row)[0])
            self._choose()
            return
        none = np.zeros(0, np.int64)
        self._rows, self._at = lineage.rows.get("transcripts", none) if lineage else none, 0
        self._choose()

    def _go(self, by: int) -> None:
        self._at = (self._at + by) % max(len(self._rows), 1)
        self._choose()
        if len(self._rows):
            self.picked.emit(Ref("transcripts", int(self._rows[self._at])))

    def _choose(self) -> None:
        """Show transcript number `_at` of the road, or say why there is none."""
        table, segments = self._reading.transcripts, self._reading.segments
        self._told.setText(" ")
        for button in self._steps:
            button.setVisible(len(self._rows) > 1)
        self._map.clear()
        if table is None or segments is None:
            self._title.setText("No transcripts yet.")
        elif not len(self._rows) or self._rows[self._at] >= len(table):
            self._title.setText("Pick a word to see what the net read.")
        else:
            row = int(self._rows[self._at])
            segment = int(table.parents.of(row)[0])
            place = f" ({self._at + 1} of {len(self._rows)})" if len(self._rows) > 1 else ""
            dropped = "" if len(table.log_probs) else " · probabilities were not kept"
            self._title.setText(f"transcript {row}{place} “{table.text[row]}” "
                                f"{table.confidence[row]:.3f}{dropped}")
            self._map.set_row(self._reading, row, segment, self._characters)

    def tell(self, step: int | None) -> None:
        """Say what the classes are at a time step, and where it lies on the page."""
        if step is None:
            self._told.setText(" ")
            self.time_hovered.emit(float("nan"), float("nan"))
            return
        self._told.setText(self._map.step_text(step))
        x, y = self._map.upright_of(step)
        self.time_hovered.emit(x, y)


class _Map(QWidget):
    """Crop, characters and heat map, drawn in one go and aligned in x."""

    def __init__(self, plot: CtcPlot) -> None:
        super().__init__(plot)
        self._plot = plot
        self.setAccessibleName("Probabilities; left and right arrows go through the time steps")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self._window = QImage()
        self._width, self._span = 1, (0.0, 0.0)
        self._probability = np.zeros((0, 0), np.float32)   # (T, C)
        self._classes = np.zeros(0, np.int64)
        self._path: list[tuple[str, float, float]] = []    # character, window x, confidence
        self._affine = geometry.IDENTITY
        self._characters = ""
        self._step: int | None = None
        self._heat = QImage()
        self.updateGeometry()
        self.update()

    def set_row(self, reading: Reading, row: int, segment: int, characters: str) -> None:
        """Show one transcript and the segment it was read from."""
        table, segments = reading.transcripts, reading.segments
        self._characters = characters
        self._width = int(segments.width[segment])
        self._span = tuple(segments.span[segment].tolist())
        self._affine = segments.upright_from_window[segment]
        self._window = image_of(segments.window[segment][:, :self._width])
        start, stop = table.char_offsets[row:row + 2]
        x = (table.char_t[start:stop] + 0.5) * STEP
        self._path = list(zip(str(table.text[row]), x.tolist(),
                              table.char_confidence[start:stop].tolist(), strict=False))
        if len(table.log_probs):
            steps = min(self._width // STEP, table.log_probs.shape[1])
            self._probability = np.exp(table.log_probs[row, :steps].astype(np.float32))
            self._classes = likely_classes(self._probability)
        self._heat = self._heat_image()
        self.updateGeometry()
        self.update()

    def _heat_image(self) -> QImage:
        """(classes, T) picture: from the background to blue with rising probability."""
        if not len(self._classes):
            return QImage()
        dark = self.palette().base().color().lightness() < 128
        low, high = np.array([(24, 26, 30), (120, 200, 255)] if dark
                             else [(255, 255, 255), (0, 60, 130)], np.float32)
        share = np.sqrt(self._probability[:, self._classes].T)[..., None]  # (classes, T, 1)
        return image_of((low + (high - low) * share).astype(np.uint8))

    # ---- layout --------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(480, 120 + round(LEAST_ROW * max(len(self._classes), 6)))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 160)

    def _scale(self) -> float:
        """Screen px per window px: the whole width, but short words are not pulled out of shape."""
        wide = (self.width() - LEFT - 4) / self._width
        return max(min(wide, max(self.height() * CROP_SHARE / 32, LEAST_SCALE)), 0.01)

    def _x(self, window_x: float) -> float:
        return LEFT + window_x * self._scale()

    def _rects(self) -> tuple[QRectF, QRectF, QRectF]:
        """Crop, heat map and blank strip."""
        wide = self._x(self._width) - LEFT
        crop = QRectF(LEFT, TOP, wide, min(32 * self._scale(), self.height() * CROP_SHARE))
        top = crop.bottom() + TEXT_BAND
        heat = QRectF(LEFT, top, wide, max(self.height() - top - BLANK_BAND - 4, 1))
        return crop, heat, QRectF(LEFT, heat.bottom() + 2, wide, BLANK_BAND)

    # ---- drawing -------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._window.isNull():
            return
        with QPainter(self) as painter:  # ended even where drawing raises, or Qt would draw no more
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        crop, heat, blank = self._rects()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(crop, self._window)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        self._paint_span(painter, crop)
        self._paint_path(painter, crop)
        if not self._heat.isNull():
            steps = len(self._probability)
            used = QRectF(heat.x(), heat.y(), self._x(steps * STEP) - LEFT, heat.height())
            painter.drawImage(used, self._heat)
            self._paint_labels(painter, heat)
            self._paint_blank(painter, blank)
        self._paint_step(painter, crop, blank)

    def _paint_span(self, painter: QPainter, crop: QRectF) -> None:
        painter.setPen(QPen(QColor("#d55e00"), 1, Qt.PenStyle.DashLine))
        for x in self._span:
            painter.drawLine(QPointF(self._x(x), crop.top()), QPointF(self._x(x), crop.bottom()))

    def _paint_path(self, painter: QPainter, crop: QRectF) -> None:
        """The characters of the best path, each with its confidence in % below."""
        large, small = QFont(self.font()), QFont(self.font())
        large.setPointSizeF(self.font().pointSizeF() * 1.25)
        small.setPointSizeF(self.font().pointSizeF() * 0.8)
        colour = self.palette().text().color()
        for character, x, sure in self._path:
            at = self._x(x)
            painter.setPen(colour)
            large.setUnderline(sure < 0.9)
            painter.setFont(large)
            painter.drawText(QRectF(at - 15, crop.bottom(), 30, 20), Qt.AlignmentFlag.AlignCenter,
                             "␣" if character == " " else character)
            painter.setFont(small)
            painter.drawText(QRectF(at - 15, crop.bottom() + 18, 30, 14),
                             Qt.AlignmentFlag.AlignCenter, f"{100 * sure:.0f}")

    def _paint_labels(self, painter: QPainter, heat: QRectF) -> None:
        high = heat.height() / len(self._classes)
        font = QFont(self.font())
        font.setPixelSize(int(min(max(high, 7), 13)))
        painter.setFont(font)
        painter.setPen(self.palette().text().color())
        every = max(1, int(np.ceil(8 / high)))
        for i, code in enumerate(self._classes.tolist()):
            if i % every == 0:
                painter.drawText(QRectF(0, heat.y() + i * high - 2, LEFT - 6, high + 4),
                                 Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                                 self._name(code))
        painter.setPen(self.palette().mid().color())
        painter.drawRect(heat)

    def _paint_blank(self, painter: QPainter, blank: QRectF) -> None:
        share = 255 - (self._probability[:, 0] * 170).astype(np.uint8)[None]
        used = QRectF(blank.x(), blank.y(), self._x(len(self._probability) * STEP) - LEFT,
                      blank.height())
        painter.drawImage(used, image_of(share))
        painter.setPen(self.palette().text().color())
        painter.drawText(QRectF(0, blank.y() - 5, LEFT - 6, blank.height() + 10),
                         Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "∅")

    def _paint_step(self, painter: QPainter, crop: QRectF, blank: QRectF) -> None:
        if self._step is None:
            return
        x0, x1 = self._x(self._step * STEP), self._x((self._step + 1) * STEP)
        painter.setPen(QPen(QColor("#d55e00"), 1))
        painter.drawRect(QRectF(x0, crop.top(), x1 - x0, blank.bottom() - crop.top()))

    # ---- time steps ----------------------------------------------------------------------------

    def _name(self, code: int) -> str:
        if code == 0:
            return "blank"
        known = code - 1 < len(self._characters)
        name = self._characters[code - 1] if known else f"#{code}"
        return "␣" if name == " " else name

    def step_text(self, step: int) -> str:
        """"step 23 · window x 92 to 96 · 0 0.55 · o 0.40 · blank 0.02"."""
        parts = [f"step {step}", f"window x {step * STEP} to {(step + 1) * STEP}"]
        if step < len(self._probability):
            at = self._probability[step]
            for code in np.argsort(-at)[:NAMED].tolist():
                parts.append(f"{self._name(code)} {at[code]:.2f}")
        return " · ".join(parts)

    def upright_of(self, step: int) -> tuple[float, float]:
        """Upright px of a time step's middle, half way up the window."""
        x, y = geometry.apply(self._affine, ((step + 0.5) * STEP, 16.0)).tolist()
        return x, y

    def set_step(self, step: int | None) -> None:
        """Mark a time step and tell about it."""
        if self._window.isNull() or step == self._step:
            return
        self._step = step
        self._plot.tell(step)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = (event.position().x() - LEFT) / self._scale()
        self.set_step(int(x // STEP) if 0 <= x < self._width else None)

    def leaveEvent(self, event: QEvent) -> None:
        self.set_step(None)
        super().leaveEvent(event)

    def keyPressEvent(self, event) -> None:
        by = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(event.key())
        if by is None:
            super().keyPressEvent(event)
            return
        last = self._width // STEP - 1
        self.set_step(min(max((self._step if self._step is not None else -1) + by, 0), last))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._heat = self._heat_image()
        super().changeEvent(event)


def likely_classes(probability: NDArray[np.float32]) -> NDArray[np.int64]:
    """Classes of (T, C) that reach SHOWN_FROM, without the blank, in the order of their peaks."""
    if not probability.size:
        return np.zeros(0, np.int64)
    best = probability[:, 1:].max(0)
    some = 1 + np.flatnonzero(best > SHOWN_FROM)
    some = some[np.argsort(-best[some - 1], kind="stable")][:MOST_ROWS]
    return some[np.argsort(probability[:, some].argmax(0), kind="stable")]
