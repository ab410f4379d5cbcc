"""The list of fonts: families with their files, most suspicious first, filtered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from core.fonts.findings import CHECKS, FontReport
from views.layers import AMBER, GREEN, GREY, VERMILION

Index = QModelIndex | QPersistentModelIndex
NO_PARENT = QModelIndex()
ANY = "any"
# what the filter offers -> the verdicts that pass ("" = nobody has judged)
VERDICTS = {ANY: None, "to judge": ("", "some"), "accepted": ("accept",), "rejected": ("reject",),
            "single glyphs": ("some",)}
NEEDS = {ANY: None, "needs a look": True, "clean": False}
# verdict -> sign and colour; signs, so that no meaning hangs on hue alone
SIGNS = {"accept": ("✓", GREEN), "reject": ("✕", VERMILION), "some": ("◐", AMBER), "": ("", GREY)}
FAMILY_HEIGHT, FONT_HEIGHT = 24, 38  # px
BAR = 44  # px, of the longest bar of suspicion
MOST = 3.0  # suspicion that fills the bar
KEY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class FontRow:
    """A font as the list shows it. `report.sha256` names it everywhere.

    verdict  "accept", "reject", "some" (of its glyphs) or ""
    kind     of typeface, as the cost of a verdict counts it
    n_copies files with the same bytes beside this one
    """

    report: FontReport
    verdict: str = ""
    kind: str = ""
    n_copies: int = 0

    @property
    def key(self) -> str:
        return self.report.sha256

    @property
    def name(self) -> str:
        return self.report.style or self.report.path.stem

    def summary(self) -> str:
        """"2 doubts, 3 rejected: missing, duplicate", what the checks say in a few words."""
        if not self.report.findings:
            return "clean"
        counts = {s: sum(f.severity == s for f in self.report.findings)
                  for s in ("doubt", "reject", "information")}
        said = [f"{counts['doubt']} doubt{'s' * (counts['doubt'] > 1)}"] if counts["doubt"] else []
        said += [f"{counts['reject']} rejected"] if counts["reject"] else []
        serious = [f.check for f in self.report.findings if f.severity != "information"]
        names = list(dict.fromkeys(serious or [f.check for f in self.report.findings]))
        return (", ".join(said) or "clean, noted") + ": " + ", ".join(names[:4])


@dataclass(frozen=True)
class Filter:
    """Which fonts are listed; ANY lets all pass. `text` is looked for in family, style and file."""

    verdict: str = ANY
    look: str = ANY
    check: str = ANY
    licence: str = ANY
    style: str = ANY
    text: str = ""

    def passes(self, row: FontRow) -> bool:
        report = row.report
        wanted, needs = VERDICTS[self.verdict], NEEDS[self.look]
        return ((wanted is None or row.verdict in wanted)
                and (needs is None or report.needs_look == needs)
                and (self.check == ANY or any(f.check == self.check for f in report.findings))
                and (self.licence == ANY or (report.licence or "not said") == self.licence)
                and (self.style == ANY or self.style in (row.kind, report.style))
                and (not self.text or self.text.lower() in
                     f"{report.family} {report.style} {report.path.name}".lower()))


class FontModel(QAbstractListModel):
    """Families and their fonts, most suspicious first; a heading where a family has several.

    A verdict changes a row where it stands; the order changes only by `set_fonts` and `set_filter`,
    so nothing jumps away under the eyes of whoever judges.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fonts: dict[str, FontRow] = {}
        self._shown: list[str | tuple[str, int]] = []  # a font's key, or (family, number of fonts)
        self._row_of: dict[str, int] = {}
        self.alone: set[str] = set()  # fonts without a heading: the only ones of their family
        self.n_families = 0
        self.filter = Filter()

    def set_fonts(self, fonts: Iterable[FontRow]) -> None:
        """Show other fonts."""
        self._fonts = {row.key: row for row in fonts}
        self._arrange()

    def set_filter(self, wanted: Filter) -> None:
        """Show those that pass."""
        self.filter = wanted
        self._arrange()

    def set_verdict(self, key: str, verdict: str) -> None:
        """Show another verdict on a font."""
        if key in self._fonts:
            self._fonts[key] = replace(self._fonts[key], verdict=verdict)
            if key in self._row_of:
                index = self.index(self._row_of[key])
                self.dataChanged.emit(index, index)

    def _arrange(self) -> None:
        self.beginResetModel()
        families: dict[str, list[FontRow]] = {}
        for row in self._fonts.values():
            if self.filter.passes(row):
                families.setdefault(row.report.family, []).append(row)
        suspicion = {key: row.report.suspicion for key, row in self._fonts.items()}
        worst = {f: max(suspicion[r.key] for r in rows) for f, rows in families.items()}
        self._shown = []
        for family in sorted(families, key=lambda f: (-worst[f], f.lower())):
            rows = sorted(families[family], key=lambda r: (-suspicion[r.key], r.name, r.key))
            self._shown += [*([(family, len(rows))] if len(rows) > 1 else []), *(r.key for r in rows)]
        self._row_of = {key: n for n, key in enumerate(self._shown) if isinstance(key, str)}
        self.alone = {rows[0].key for rows in families.values() if len(rows) == 1}
        self.n_families = len(families)
        self.endResetModel()

    # ---- asking --------------------------------------------------------------------------------

    def font(self, key: str) -> FontRow | None:
        """The row of a font, None if it is not among them."""
        return self._fonts.get(key)

    @property
    def keys(self) -> list[str]:
        """The fonts shown, in order."""
        return list(self._row_of)

    def row_of(self, key: str) -> int:
        """Where a font stands, -1 if the filter hides it."""
        return self._row_of.get(key, -1)

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        if not isinstance(self._shown[index.row()], str):
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or not 0 <= index.row() < len(self._shown):
            return None
        shown = self._shown[index.row()]
        if role == KEY:
            return shown if isinstance(shown, str) else ""
        if role == Qt.ItemDataRole.SizeHintRole:
            return QSize(180, FONT_HEIGHT if isinstance(shown, str) else FAMILY_HEIGHT)
        if role == Qt.ItemDataRole.DisplayRole:
            if not isinstance(shown, str):
                return f"{shown[0]} ({shown[1]})" if shown[1] > 1 else shown[0]
            row = self._fonts[shown]
            return f"{row.report.family} {row.name}, {row.verdict or 'not judged'}, {row.summary()}"
        if role == Qt.ItemDataRole.ToolTipRole and isinstance(shown, str):
            row = self._fonts[shown]
            copies = f"\n{row.n_copies} more files with the same bytes" if row.n_copies else ""
            return f"{row.report.file}\n{row.report.kind}, {row.report.licence or 'licence not said'}" \
                   f"{copies}\n{row.summary()}"
        return None


class FontDelegate(QStyledItemDelegate):
    """Draws a family's heading, or a font with its sign, findings and bar of suspicion."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return index.data(Qt.ItemDataRole.SizeHintRole)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model: FontModel = index.model()
        palette, rect = option.palette, option.rect
        key = index.data(KEY)
        font = painter.font()
        painter.save()
        if not key:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.AlternateBase))
            font.setBold(True)
            painter.setFont(font)
            painter.setPen(palette.color(QPalette.ColorRole.Text))
            self._text(painter, rect.adjusted(6, 0, -6, 0), index.data())
            painter.restore()
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Highlight))
        ink = palette.color(QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text)
        row = model.font(key)
        sign, colour = SIGNS[row.verdict]
        painter.setPen(ink if chosen else QColor(colour))
        font.setBold(True)
        painter.setFont(font)
        painter.drawText(QRect(rect.left() + 4, rect.top(), 20, rect.height()),
                         Qt.AlignmentFlag.AlignCenter, sign)
        is_alone = key in model.alone
        font.setBold(is_alone)
        painter.setFont(font)
        painter.setPen(ink)
        half = rect.height() // 2
        body = rect.adjusted(28, 2, -6, 0)
        self._text(painter, QRect(body.left(), body.top(), body.width() - BAR - 6, half),
                   f"{row.report.family} {row.report.style}" if is_alone else row.name)
        font.setBold(False)
        _bar(painter, QRect(body.right() - BAR, body.top() + 6, BAR, half - 10), row.report, chosen)
        quiet = QColor(ink)
        quiet.setAlpha(190)
        painter.setPen(quiet)
        font.setPointSizeF(font.pointSizeF() * 0.88)
        painter.setFont(font)
        self._text(painter, QRect(body.left(), body.top() + half - 2, body.width(), half),
                   row.summary())
        painter.restore()

    @staticmethod
    def _text(painter: QPainter, rect: QRect, text: str) -> None:
        said = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, said)


def _bar(painter: QPainter, rect: QRect, report: FontReport, chosen: bool) -> None:
    """How suspicious a font is, as a bar; nothing for a clean one."""
    width = round(min(report.suspicion / MOST, 1.0) * rect.width())
    if width:
        colour = QColor(VERMILION if report.needs_look else GREY)
        painter.fillRect(QRect(rect.right() - width, rect.top(), width, rect.height()),
                         colour.lighter(150) if chosen else colour)


class FontList(QWidget):
    """The filters and the list."""

    picked = Signal(str)     # the key of the font that is to be shown
    filtered = Signal(object)  # the new Filter

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = FontModel(self)
        self.list = QListView()
        self.list.setAccessibleName("Fonts")
        self.list.setModel(self.model)
        self.list.setItemDelegate(FontDelegate(self.list))
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setLayoutMode(QListView.LayoutMode.Batched)
        self.list.setBatchSize(400)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.selectionModel().currentChanged.connect(self._current_changed)
        self.counts = QLabel()
        self.boxes: dict[str, QComboBox] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        for n, (name, choices) in enumerate((
                ("verdict", list(VERDICTS)), ("look", list(NEEDS)), ("check", [ANY, *CHECKS]),
                ("licence", [ANY]), ("style", [ANY]))):
            box = QComboBox()
            box.addItems(choices)
            box.setAccessibleName(f"Filter by {name}")
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.currentIndexChanged.connect(lambda _: self._refilter())
            if name == "check":
                for k, text in enumerate(CHECKS.values(), start=1):
                    box.setItemData(k, text, Qt.ItemDataRole.ToolTipRole)
            self.boxes[name] = box
            grid.addWidget(QLabel(name.capitalize()), n, 0)
            grid.addWidget(box, n, 1)
        self.search = QLineEdit(placeholderText="Family, style or file", clearButtonEnabled=True)
        self.search.setAccessibleName("Search fonts")
        self.search.textChanged.connect(lambda _: self._refilter())
        grid.addWidget(self.search, 5, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(grid)
        layout.addWidget(self.counts)
        layout.addWidget(self.list, 1)
        self._is_telling = True

    # ---- what is shown -------------------------------------------------------------------------

    def show_fonts(self, fonts: list[FontRow]) -> None:
        """Show these fonts; the one that was current stays so if it is among them."""
        current = self.current
        self._offer("licence", sorted({r.report.licence or "not said" for r in fonts}))
        kinds = sorted({r.kind for r in fonts if r.kind})
        styles = sorted({r.report.style for r in fonts if r.report.style} - set(kinds))
        self._offer("style", [*kinds, *styles])
        self._is_telling = False
        self.model.set_fonts(fonts)
        self._is_telling = True
        self.choose(current, tell=False)
        self._count()

    def set_verdict(self, key: str, verdict: str) -> None:
        """Show another verdict on a font."""
        self.model.set_verdict(key, verdict)

    @property
    def current(self) -> str:
        """The key of the font that is shown, "" where none is."""
        return self.list.currentIndex().data(KEY) or ""

    def choose(self, key: str, tell: bool = True) -> bool:
        """Make a font current; whether the filter shows it."""
        row = self.model.row_of(key)
        if row < 0:
            return False
        index = self.model.index(row)
        before, self._is_telling = self._is_telling, self._is_telling and tell
        self.list.setCurrentIndex(index)
        self._is_telling = before
        self.list.scrollTo(index)
        return True

    def step(self, by: int) -> str:
        """Go to the next or the previous font shown; its key, "" at an end."""
        keys = self.model.keys
        at = keys.index(self.current) + by if self.current in self.model._row_of else 0
        if not 0 <= at < len(keys):
            return ""
        self.choose(keys[at])
        return keys[at]

    def neighbours(self, n: int) -> list[str]:
        """The fonts after the current one, then one before it: what will be looked at next."""
        keys = self.model.keys
        if not keys:
            return []
        at = keys.index(self.current) if self.current in self.model._row_of else 0
        return [*keys[at:at + n], *keys[max(0, at - 1):at]]

    def next_to_judge(self) -> str:
        """The next font that nobody has judged, from the current one on and round; "" if none."""
        keys = self.model.keys
        at = keys.index(self.current) + 1 if self.current in self.model._row_of else 0
        return next((key for key in keys[at:] + keys[:at]
                     if self.model.font(key).verdict in ("", "some") and key != self.current), "")

    # ---- what the user does --------------------------------------------------------------------

    def set_filter(self, wanted: Filter) -> None:
        """Show those that pass, and say so in the boxes."""
        for name, box in self.boxes.items():
            box.blockSignals(True)
            box.setCurrentText(getattr(wanted, name))
            box.blockSignals(False)
        self.search.blockSignals(True)
        self.search.setText(wanted.text)
        self.search.blockSignals(False)
        self._refilter()

    def _refilter(self) -> None:
        current = self.current
        wanted = Filter(text=self.search.text(),
                        **{name: box.currentText() for name, box in self.boxes.items()})
        self._is_telling = False
        self.model.set_filter(wanted)
        self._is_telling = True
        if not self.choose(current, tell=False) and self.model.keys:
            self.choose(self.model.keys[0])
        self._count()
        self.filtered.emit(wanted)

    def _offer(self, name: str, choices: list[str]) -> None:
        box = self.boxes[name]
        if [box.itemText(k) for k in range(1, box.count())] == choices:
            return
        before = box.currentText()
        box.blockSignals(True)
        box.clear()
        box.addItems([ANY, *choices])
        box.setCurrentText(before)
        box.blockSignals(False)

    def _count(self) -> None:
        rows = [self.model.font(key) for key in self.model.keys]
        left = sum(r.verdict not in ("accept", "reject") for r in rows)
        self.counts.setText(f"{len(rows):,} fonts in {self.model.n_families:,} families, {left:,} to judge")

    def _current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        key = index.data(KEY)
        if key and self._is_telling:
            self.picked.emit(key)
