"""One glyph large with its outline and measures, and all that is known of its font."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.fonts.closeup import Closeup
from core.fonts.findings import CHECKS, Finding
from core.fonts.reading_check import PANGRAM, Readings
from core.fonts.trial import Likeness, Trial
from views.glyphs import as_image
from views.layers import AMBER, BLUE, GREEN, GREY, SKY, VERMILION

COLOURS = {"reject": VERMILION, "doubt": AMBER, "information": GREY}
SIGNS = {"reject": "✕", "doubt": "?", "information": "·"}
ORDER = {"reject": 0, "doubt": 1, "information": 2}
MAX_FINDINGS = 12  # shown; the rest is counted
MARGIN = 22  # px around the large glyph
PICTURE = 260  # px, least height of the large glyph
MAX_WORDS = 24  # misread words shown


class GlyphPicture(QWidget):
    """The large glyph: the generator's pixels, the outline on them, baseline and heights."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("The glyph, large")
        self.setMinimumHeight(PICTURE)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.closeup: Closeup | None = None
        self._image: QImage | None = None
        self._note = ""

    def sizeHint(self) -> QSize:
        return QSize(320, PICTURE)

    def show_closeup(self, closeup: Closeup | None, note: str = "") -> None:
        """Show a glyph, or nothing with a note why."""
        self.closeup, self._note = closeup, note
        self._image = None
        if closeup is not None and closeup.raster.size:
            self._pixels = np.ascontiguousarray(255 - closeup.raster)
            self._image = as_image(self._pixels)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#ffffff"))
        closeup = self.closeup
        if closeup is None:
            painter.setPen(QColor(GREY))
            painter.drawText(self.rect().adjusted(10, 10, -10, -10),
                             int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self._note)
            return
        outline = closeup.outline
        top = max(outline.ascent, outline.box[3], outline.cap_height, 0.7)
        bottom = min(outline.descent, outline.box[1], -0.05)
        left, right = min(0.0, outline.box[0]), max(outline.advance, outline.box[2], 0.1)
        scale = min((self.height() - 2 * MARGIN) / max(top - bottom, 0.1),
                    (self.width() - 2 * MARGIN - 90) / max(right - left, 0.1))
        origin = QPointF((self.width() - 96 - (right + left) * scale) / 2, MARGIN + top * scale)
        self._levels(painter, origin, scale)
        if self._image is not None:
            shrink = scale / closeup.em
            place = QRectF(origin.x() + closeup.left * shrink, origin.y() - closeup.top * shrink,
                           self._image.width() * shrink, self._image.height() * shrink)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
            painter.setOpacity(0.35)
            painter.drawImage(place, self._image)
            painter.setOpacity(1)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        self._outline(painter, origin, scale)

    def _levels(self, painter: QPainter, origin: QPointF, scale: float) -> None:
        """Baseline, heights and the advance, each with its name and em."""
        outline = self.closeup.outline
        levels = [("baseline", 0.0, GREY), ("x-height", outline.x_height, SKY),
                  ("capitals", outline.cap_height, SKY), ("ascent", outline.ascent, GREY),
                  ("descent", outline.descent, GREY)]
        taken: list[float] = []
        for name, y, colour in levels:
            row = origin.y() - y * scale
            painter.setPen(QPen(QColor(colour), 1,
                                Qt.PenStyle.SolidLine if name == "baseline" else Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(4, row), QPointF(self.width() - 98, row))
            text = row + 4
            while any(abs(text - other) < 12 for other in taken):
                text += 12
            taken.append(text)
            painter.drawText(QPointF(self.width() - 94, text), f"{name} {y:.2f}")
        painter.setPen(QPen(QColor(SKY), 1, Qt.PenStyle.DashLine))
        for x in (0.0, outline.advance):
            column = origin.x() + x * scale
            painter.drawLine(QPointF(column, 6), QPointF(column, self.height() - 6))

    def _outline(self, painter: QPainter, origin: QPointF, scale: float) -> None:
        outline = self.closeup.outline
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

        def at(p: NDArray) -> QPointF:
            return QPointF(origin.x() + float(p[0]) * scale, origin.y() - float(p[1]) * scale)

        path = QPainterPath()
        for points, on in zip(outline.contours, outline.on_curve, strict=True):
            add_contour(path, [at(p) for p in points], on.tolist(), outline.cubic)
        painter.setPen(QPen(QColor(BLUE), 1))
        painter.drawPath(path)
        n_points = sum(map(len, outline.contours))
        if n_points > 400:  # of a glyph traced from a picture the points would be all one saw
            return
        for points, on in zip(outline.contours, outline.on_curve, strict=True):
            for p, is_on in zip(points, on, strict=True):
                spot = at(p)
                if is_on:
                    painter.fillRect(QRectF(spot.x() - 2, spot.y() - 2, 4, 4), QColor(BLUE))
                else:
                    painter.setPen(QPen(QColor(VERMILION), 1))
                    painter.drawEllipse(spot, 2, 2)


def add_contour(path: QPainterPath, points: list[QPointF], on: list[bool], cubic: bool) -> None:
    """Add a closed contour of on and off curve points (TrueType quadratic, or cubic in pairs)."""
    if len(points) < 2:
        return
    if not on[0]:  # start between two control points, or at the last point if that is on the curve
        points, on = ([points[-1], *points[:-1]], [on[-1], *on[:-1]]) if on[-1] else (
            [(points[0] + points[-1]) / 2, *points], [True, *on])
    path.moveTo(points[0])
    points, on = [*points[1:], points[0]], [*on[1:], True]
    held: list[QPointF] = []
    for p, is_on in zip(points, on, strict=True):
        if is_on:
            if not held:
                path.lineTo(p)
            elif len(held) == 1:
                path.quadTo(held[0], p)
            else:
                path.cubicTo(held[0], held[1], p)
            held = []
        elif cubic or not held:
            held.append(p)
        else:  # two quadratic control points: the curve passes midway between them
            path.quadTo(held[0], (held[0] + p) / 2)
            held = [p]
    path.closeSubpath()


class Strips(QWidget):
    """Rasters one below the other, (h, w) uint8 with 255 = paper, each with a caption."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._strips: list[tuple[NDArray[np.uint8], QImage, str]] = []
        self._high = 0

    def show_strips(self, strips: list[tuple[NDArray[np.uint8], str]]) -> None:
        """Show others."""
        kept = [(np.ascontiguousarray(pixels), caption) for pixels, caption in strips if pixels.size]
        self._strips = [(pixels, as_image(pixels), caption) for pixels, caption in kept]
        self._high = sum(self._place(i, c)[1] + 3 for _, i, c in self._strips)
        self.setFixedHeight(self._high)
        self.update()

    def __len__(self) -> int:
        return len(self._strips)

    def _place(self, image: QImage, caption: str) -> tuple[float, int]:
        """(scale, height of the row) of a strip."""
        room = max(60, self.width() - 8 - (self.fontMetrics().horizontalAdvance(caption) + 8
                                           if caption else 0))
        scale = min(1.0, room / image.width())
        return scale, max(round(image.height() * scale), 16 if caption else 0) + 4

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        high = sum(self._place(i, c)[1] + 3 for _, i, c in self._strips)
        if high != self._high:
            self._high = high
            self.setFixedHeight(high)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        y = 0
        for _, image, caption in self._strips:
            scale, high = self._place(image, caption)
            painter.fillRect(QRectF(0, y, self.width(), high), QColor("#ffffff"))
            painter.drawImage(QRectF(4, y + 2, image.width() * scale, image.height() * scale), image)
            if caption:
                painter.setPen(QColor("#303030"))
                painter.drawText(QRectF(4, y, self.width() - 10, high),
                                 int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
                                 caption)
            y += high + 3


class GlyphDetail(QScrollArea):
    """The right side: glyph, measures, findings, words, readings, draws, errors, nearest fonts."""

    trial_wanted = Signal()
    crop_wanted = Signal()          # a picture of a word is to be chosen
    nearest_wanted = Signal(str)    # the text on it
    chosen = Signal(str)            # a font among the nearest

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Glyph and font")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Strips are higher the wider they are. A bar that comes and goes would, at some heights,
        # make room for what then needs the bar again: Qt resizes within resizing until the stack
        # of the process ends.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        body = QWidget()
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(6, 4, 8, 8)
        self._column.setSpacing(5)
        self.title, self.picture = _label(), GlyphPicture()
        self.measures, self.findings = _label(), _label()
        self._column.addWidget(self.title)
        self._column.addWidget(self.picture)
        self._column.addWidget(self.measures)
        self._section("Findings")
        self._column.addWidget(self.findings)
        self._section("Words as the generator draws them")
        self.words = Strips("Words in this font")
        self._column.addWidget(self.words)
        self._section("What our recogniser reads")
        self.reading = _label()
        self._column.addWidget(self.reading)
        self._section("Draws in training")
        self.draws = _label()
        self._column.addWidget(self.draws)
        self._section("Errors on words kept out of training")
        self._trial_row()
        self._section("Nearest fonts for a real word (a guess)")
        self._nearest_row()
        self._column.addStretch(1)
        self.setWidget(body)

    def _section(self, title: str) -> None:
        label = QLabel(f"<b>{title}</b>")
        label.setContentsMargins(0, 6, 0, 0)
        self._column.addWidget(label)

    def _trial_row(self) -> None:
        self.trial = _label()
        self.trial_button = QPushButton("Read 200 words in this font (E)")
        self.trial_button.clicked.connect(self.trial_wanted)
        self.misread = Strips("Misread words")
        for widget in (self.trial_button, self.trial, self.misread):
            self._column.addWidget(widget)

    def _nearest_row(self) -> None:
        self.crop = Strips("The real word")
        self.crop_text = QLineEdit(placeholderText="What it says")
        self.crop_text.setAccessibleName("Text of the real word")
        choose, search = QPushButton("Picture …"), QPushButton("Search")
        choose.clicked.connect(self.crop_wanted)
        search.clicked.connect(lambda: self.nearest_wanted.emit(self.crop_text.text()))
        self.crop_text.returnPressed.connect(lambda: self.nearest_wanted.emit(self.crop_text.text()))
        row = QHBoxLayout()
        row.addWidget(choose)
        row.addWidget(self.crop_text, 1)
        row.addWidget(search)
        self.nearest = _label()
        self.nearest.linkActivated.connect(self.chosen)
        self.nearest_strips = Strips("The word in the nearest fonts")
        self._column.addLayout(row)
        for widget in (self.crop, self.nearest, self.nearest_strips):
            self._column.addWidget(widget)

    # ---- showing -------------------------------------------------------------------------------

    def show_title(self, family: str, style: str, facts: str, verdict: str) -> None:
        """Name the font and what stands on it."""
        self.title.setText(f"<span style='font-size:large'><b>{escape(family)}</b> {escape(style)}"
                           f"</span><br><span style='color:{GREY}'>{escape(facts)}</span>"
                           + (f"<br>{escape(verdict)}" if verdict else ""))

    def show_closeup(self, closeup: Closeup | None, distance: float = -1.0, note: str = "") -> None:
        """Show a glyph with its measures; `distance` from the consensus, -1 = no glyph."""
        self.picture.show_closeup(closeup, note)
        if closeup is None:
            self.measures.setText("")
            return
        outline = closeup.outline
        left, bottom, right, top = outline.box
        far = f"{distance:.1f} of 6 from the consensus of fonts" if distance >= 0 else "no glyph"
        number = f"glyph {closeup.number}" if closeup.number else "not in the font: .notdef is shown"
        self.measures.setText(
            f"U+{ord(outline.character):04X} <b>{escape(outline.character)}</b>, {number}; {far}<br>"
            f"advance {outline.advance:.3f} em, ink {left:.2f} … {right:.2f} wide, "
            f"{bottom:.2f} … {top:.2f} high; {len(outline.contours)} contours, "
            f"{sum(map(len, outline.contours))} points, {closeup.units_per_em} units per em")

    def show_findings(self, findings: tuple[Finding, ...], character: str) -> None:
        """Those on the character, those on the whole font, and a line per check for the others."""
        here = [f for f in findings if f.character in (character, "")]
        here.sort(key=lambda f: (f.character == "", ORDER[f.severity]))
        others: dict[tuple[str, str], list[Finding]] = {}
        for f in sorted((f for f in findings if f not in here), key=lambda f: ORDER[f.severity]):
            others.setdefault((f.severity, f.check), []).append(f)
        rows = [_finding_row(f) for f in here[:MAX_FINDINGS]]
        rows += [_group_row(group) for group in others.values()]
        self.findings.setText("".join(rows)
                              or f"<span style='color:{GREEN}'>✓ nothing found by "
                                 f"{len(CHECKS)} checks</span>")

    def show_words(self, strips: tuple[NDArray[np.uint8], ...]) -> None:
        """Sample words, (h, w) uint8 each, 255 = paper."""
        self.words.show_strips([(strip, "") for strip in strips])

    def show_reading(self, readings: Readings | None, character: str, note: str = "") -> None:
        """What the net reads: the character alone, how many glyphs right, the sentence."""
        if readings is None:
            self.reading.setText(escape(note))
            return
        lines = []
        if character in readings.characters:
            k = readings.characters.index(character)
            read, sure = readings.glyphs[k], float(readings.confidence[k])
            sign = "✓" if read == character else "≠"
            lines.append(f"<b>{escape(character)}</b> alone: {sign} "
                         f"<b>{escape(read) or 'nothing'}</b> ({sure:.0%} sure)")
        wrong = [(c, r) for c, r in zip(readings.characters, readings.glyphs, strict=True) if c != r]
        n = len(readings.characters)
        lines.append(f"{n - len(wrong)} of {n} glyphs read as themselves, each alone")
        if wrong:
            lines.append("others: " + "  ".join(f"{escape(c)}→{escape(r) or '∅'}"
                                                for c, r in wrong[:16])
                         + (" …" if len(wrong) > 16 else ""))
        lines.append(f"<span style='color:{GREY}'>{escape(PANGRAM)}</span><br>"
                     f"{escape(readings.pangram)} <span style='color:{GREY}'>"
                     f"({readings.error:.0%} of characters wrong)</span>")
        self.reading.setText("<br>".join(lines))

    def show_draws(self, text: str) -> None:
        """How often training draws with the font."""
        self.draws.setText(escape(text).replace("\n", "<br>"))

    def show_trial(self, trial: Trial | None, note: str = "") -> None:
        """Words read in this font, the misread ones as they were drawn."""
        self.trial_button.setEnabled(not note)
        if trial is None:
            self.trial.setText(escape(note))
            self.misread.show_strips([])
            return
        rate = trial.n_wrong / max(trial.n, 1)
        low, high = trial.interval
        text = (f"{trial.n_wrong} of {trial.n} words misread: {rate:.0%} "
                f"({low:.0%} to {high:.0%})")
        if trial.confusions:
            text += "<br>" + "  ".join(f"{escape(a) or '∅'}→{escape(b) or '∅'} {k}"
                                       for a, b, k in trial.confusions[:10])
        self.trial.setText(text)
        self.misread.show_strips([(m.window, f"{m.text} → {m.read or '∅'}")
                                  for m in trial.misread[:MAX_WORDS]])

    def show_crop(self, pixels: NDArray[np.uint8], text: str) -> None:
        """The real word that the nearest fonts are looked for, and what our recogniser reads."""
        self.crop.show_strips([(pixels, "real")])
        self.crop_text.setText(text)
        self.nearest.setText("")
        self.nearest_strips.show_strips([])

    def show_nearest(self, found: list[tuple[str, Likeness]], note: str = "") -> None:
        """[(name, likeness)] best first; note: how far the search is."""
        self.nearest.setText(escape(note) + "".join(
            f"<br><a href='{escape(like.sha256)}'>{escape(name)}</a> {like.score:.2f}"
            for name, like in found))
        self.nearest_strips.show_strips([(like.strip, name) for name, like in found])


def _label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse
                                  | Qt.TextInteractionFlag.LinksAccessibleByMouse)
    return label


def _finding_row(finding: Finding) -> str:
    colour = COLOURS[finding.severity]
    what = f"<b>{escape(finding.character)}</b> " if finding.character else ""
    body = (f"<span style='color:{colour}'><b>{SIGNS[finding.severity]}</b></span> {what}"
            f"<b>{finding.check}</b> {finding.value:g} (limit {finding.limit:g}), {finding.severity}"
            f": {escape(finding.message)}")
    return f"<p style='margin:2px 0'>{body}</p>"


def _group_row(findings: list[Finding]) -> str:
    """One check's findings on other characters: which, and in words if it is only one."""
    first = findings[0]
    named = " ".join(escape(f.character) for f in findings)
    what = f": {escape(first.message)}" if len(findings) == 1 else ""
    return (f"<p style='margin:2px 0; color:{GREY}'><span style='color:{COLOURS[first.severity]}'><b>"
            f"{SIGNS[first.severity]}</b></span> <b>{first.check}</b> <b>{named}</b>{what}</p>")
