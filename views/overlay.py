"""All boxes of all layers as one graphics item, the highlighted few as another, and picking.

One item, because ten separately cached items overflow Qt's pixmap cache; one draw call per style,
because 30,000 items cost 73 ms a frame and one call 26; pens of width 1, because wider ones take a
slow path (906 ms against 39 for 30,000 polygons). Scene frame: upright px.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from core import geometry
from core.reading import Lineage, Lines, Reading, Ref
from views.layers import (
    AMBER,
    GREEN,
    HIDDEN_AT_FIRST,
    LAYER_STYLES,
    LAYERS,
    SHOWN_AT_FIRST,
    VERMILION,
    LayerRows,
    LayerStyle,
    baselines,
    layer_rows,
)
from views.primitives import Shapes

POLYGONS_FROM = 12.0   # screen px: smaller slanted quads are drawn as their boxes
CACHE_FROM = 5_000     # shapes in view from which the item is kept as one pixmap
THICK_UP_TO = 500      # shapes that may have pens wider than 1
DIMMED = 0.35          # opacity of everything else while something is highlighted
BASELINE, X_HEIGHT = LayerStyle("baseline", VERMILION), LayerStyle("x-height", AMBER, "dash")
COME, GONE = LayerStyle("comes", GREEN), LayerStyle("goes", VERMILION, "dash")
PEN_STYLES = {"solid": Qt.PenStyle.SolidLine, "dash": Qt.PenStyle.DashLine,
              "dot": Qt.PenStyle.DotLine}


def pen_of(style: LayerStyle, opacity: float = 1.0, width: float = 1.0) -> QPen:
    """The pen of a style; its width is in screen px at any zoom."""
    colour = QColor(style.colour)
    colour.setAlphaF(opacity)
    pen = QPen(colour, width, PEN_STYLES[style.dash])
    pen.setCosmetic(True)
    return pen


def in_quads(quad: NDArray, x: float, y: float) -> NDArray[np.bool_]:
    """(n,) whether the point lies in each convex quad (n, 4, 2), edges included."""
    side = np.roll(quad, -1, axis=1) - quad
    cross = side[..., 0] * (y - quad[..., 1]) - side[..., 1] * (x - quad[..., 0])
    return (cross >= 0).all(1) | (cross <= 0).all(1)


def distances(box: NDArray, x: float, y: float) -> NDArray[np.float64]:
    """(n,) distance from the point to each box (n, 4), 0 inside."""
    dx = np.maximum(np.maximum(box[:, 0] - x, x - box[:, 2]), 0)
    dy = np.maximum(np.maximum(box[:, 1] - y, y - box[:, 3]), 0)
    return np.hypot(dx, dy)


class OverlayItem(QGraphicsItem):
    """Draws the visible layers of one reading and answers what lies under a point."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: dict[str, LayerRows] = {}
        self.visible = {name: name in SHOWN_AT_FIRST for name in LAYERS}
        self.opacity_of = dict.fromkeys(LAYERS, 1.0)
        self.hidden_codes: set[tuple[str, int]] = set(HIDDEN_AT_FIRST)
        self.polarity: int | None = None   # code of Blobs.POLARITIES; the other blobs are hidden
        self.solo: str | None = None
        self._made_from: dict[str, tuple] = {}
        self._bounds = QRectF()
        self._shapes = Shapes()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    # ---- what is shown -------------------------------------------------------------------------

    def show(self, reading: Reading) -> None:
        """Take the layers of a reading; those whose tables are the same objects are kept."""
        self.prepareGeometryChange()
        for name in LAYERS:
            key = _sources(reading, name)
            if self._made_from.get(name) == key and name in self._made_from:
                continue
            self._made_from[name] = key
            rows = layer_rows(reading, name)
            if rows is None:
                self.layers.pop(name, None)
            else:
                self.layers[name] = rows
        self._bounds = self._bound_of_all()
        self.update()

    def _bound_of_all(self) -> QRectF:
        boxes = [geometry.union(rows.box) for rows in self.layers.values() if len(rows)]
        if not boxes:
            return QRectF()
        x0, y0, x1, y1 = geometry.union(np.array(boxes)).tolist()
        return QRectF(x0, y0, x1 - x0, y1 - y0).adjusted(-2, -2, 2, 2)

    def shown(self) -> list[LayerRows]:
        """The layers that are drawn now, bottom to top."""
        names = [self.solo] if self.solo else [name for name in LAYERS if self.visible[name]]
        return [self.layers[name] for name in names if name in self.layers]

    def code_shown(self, name: str, code: int) -> bool:
        """Whether the legend entry is switched on."""
        return (name, code) not in self.hidden_codes

    def _open_codes(self, name: str) -> NDArray[np.bool_]:
        return np.array([self.code_shown(name, code) for code in range(len(LAYER_STYLES[name]))])

    def _open_rows(self, rows: LayerRows, at: NDArray) -> NDArray[np.bool_]:
        """Whether each row of `at` is let through by the legend's entries and filters."""
        is_open = self._open_codes(rows.name)[rows.code[at]]
        if self.polarity is not None and rows.polarity is not None:
            is_open &= rows.polarity[at] == self.polarity
        return is_open

    def tune_cache(self, view: NDArray) -> bool:
        """Keep the item as one pixmap only when more than CACHE_FROM shapes meet `view` (4,).

        A cached zoom step costs more than an uncached one when few shapes are in view (18 against
        8 ms at 50,000 shapes, 16 times enlarged), a cached pan much less when many are.
        """
        n = sum(int(np.count_nonzero(_meets(rows.box, view))) for rows in self.shown())
        mode = (QGraphicsItem.CacheMode.DeviceCoordinateCache if n > CACHE_FROM
                else QGraphicsItem.CacheMode.NoCache)
        if mode != self.cacheMode():
            self.setCacheMode(mode)
        return n > CACHE_FROM

    # ---- drawing -------------------------------------------------------------------------------

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem,
              widget: QWidget | None = None) -> None:
        scale = option.levelOfDetailFromTransform(painter.worldTransform())
        x0, y0, x1, y1 = option.exposedRect.getCoords()
        pad = 1.5 / max(scale, 1e-6)
        exposed = np.array([x0 - pad, y0 - pad, x1 + pad, y1 + pad])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for rows in self.shown():
            self._paint_layer(painter, rows, exposed, scale)

    def _paint_layer(self, painter: QPainter, rows: LayerRows, exposed: NDArray,
                     scale: float) -> None:
        stop, opacity = 0, self.opacity_of[rows.name]
        in_view = _meets(rows.box, exposed)
        for code, n in enumerate(rows.counts.tolist()):
            start, stop = stop, stop + n
            if not n or not self.code_shown(rows.name, code):
                continue
            mine = rows.by_code[start:stop]
            mine = mine[in_view[mine]]
            if self.polarity is not None and rows.polarity is not None:
                mine = mine[rows.polarity[mine] == self.polarity]
            painter.setPen(pen_of(LAYER_STYLES[rows.name][code], opacity))
            box = rows.box[mine]
            side = np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
            slanted = rows.slanted[mine] & (side * scale >= POLYGONS_FROM)
            self._shapes.draw_boxes(painter, box[~slanted])
            self._shapes.draw_quads(painter, rows.quad[mine[slanted]])

    # ---- picking -------------------------------------------------------------------------------

    def rows_under(self, x: float, y: float) -> list[Ref]:
        """Every drawn row that contains the point, latest stage first, smallest area first."""
        found: list[Ref] = []
        for rows in reversed(self.shown()):
            at = geometry.rows_at(rows.box, x, y)
            at = at[self._open_rows(rows, at)]
            at = at[~rows.slanted[at] | in_quads(rows.quad[at], x, y)]
            found += [Ref(rows.name, int(row)) for row in at]
        return found

    def pick(self, x: float, y: float, reach: float = 0.0, below: Ref | None = None) -> Ref | None:
        """The row at the point, the one below `below` in the same stack, or the nearest in reach.

        x, y, reach: upright px. At the stack's end the search begins again at its top.
        """
        under = self.rows_under(x, y)
        if under:
            return under[(under.index(below) + 1) % len(under)] if below in under else under[0]
        return self._nearest(x, y, reach)

    def _nearest(self, x: float, y: float, reach: float) -> Ref | None:
        best, nearest = reach, None
        for rows in reversed(self.shown()):
            if not len(rows):
                continue
            away = distances(rows.box, x, y)
            away[~self._open_rows(rows, np.arange(len(rows)))] = np.inf
            row = int(away.argmin())
            if away[row] < best or (nearest is None and away[row] <= best):
                best, nearest = float(away[row]), Ref(rows.name, row)
        return nearest


class HighlightItem(QGraphicsItem):
    """The picked row, its ancestors and descendants: filled and thick, drawn above all layers.

    Also serves as the hover mark, which is a highlight of one row.
    """

    def __init__(self) -> None:
        super().__init__()
        self._marked: list[tuple[LayerRows, NDArray[np.int64]]] = []
        self._picked: tuple[LayerRows, int] | None = None
        self._bounds = QRectF()
        self._shapes = Shapes()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    @property
    def n_marked(self) -> int:
        """Rows that are drawn."""
        return sum(len(rows) for _, rows in self._marked)

    def mark(self, layers: dict[str, LayerRows], lineage: Lineage | None) -> None:
        """Draw the rows of a lineage in their layers' colours, whether or not these are shown."""
        self.prepareGeometryChange()
        found = lineage.rows if lineage else {}
        self._marked = [(layers[name], _known(layers[name], found[name]))
                        for name in LAYERS if name in found and name in layers]
        picked = lineage.picked if lineage else None
        self._picked = None
        if picked and picked.table in layers and 0 <= picked.row < len(layers[picked.table]):
            self._picked = (layers[picked.table], picked.row)
        boxes = [rows.box[some] for rows, some in self._marked if len(some)]
        self._bounds = QRectF()
        if boxes:
            x0, y0, x1, y1 = geometry.union(np.concatenate(boxes)).tolist()
            self._bounds = QRectF(x0, y0, x1 - x0, y1 - y0).adjusted(-6, -6, 6, 6)
        self.setVisible(bool(boxes))
        self.update()

    def box(self) -> NDArray[np.float32] | None:
        """(4,) bound of the picked row, upright px."""
        return None if self._picked is None else self._picked[0].box[self._picked[1]]

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem,
              widget: QWidget | None = None) -> None:
        thick = self.n_marked <= THICK_UP_TO
        for rows, some in self._marked:
            for code in np.unique(rows.code[some]).tolist():
                mine = some[rows.code[some] == code]
                style = LAYER_STYLES[rows.name][code]
                if rows.name == "blobs" and thick:
                    tint = QColor(style.colour)
                    tint.setAlphaF(0.25)
                    painter.setBrush(tint)
                else:
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(pen_of(style, 1.0, 2.0 if thick and rows.name != "blobs" else 1.0))
                self._shapes.draw_boxes(painter, rows.box[mine[~rows.slanted[mine]]])
                self._shapes.draw_quads(painter, rows.quad[mine[rows.slanted[mine]]])
        if self._picked:
            self._paint_picked(painter, *self._picked)

    def _paint_picked(self, painter: QPainter, rows: LayerRows, row: int) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        colour = LAYER_STYLES[rows.name][int(rows.code[row])].colour
        # A white seam under the thick line keeps it readable on dark print.
        for pen_colour, width in (("#ffffff", 5.0), (colour, 3.0)):
            pen = QPen(QColor(pen_colour), width)
            pen.setCosmetic(True)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            self._shapes.draw_quads(painter, rows.quad[row:row + 1])


class BaselineItem(QGraphicsItem):
    """Baselines of the kept lines as polylines, and their x-heights dashed above them."""

    def __init__(self) -> None:
        super().__init__()
        self._made_from: Lines | None = None
        self._base = self._top = np.zeros((0, 4), np.float32)   # pieces, x0 y0 x1 y1
        self._bounds = QRectF()
        self._shapes = Shapes()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def show(self, reading: Reading) -> None:
        """Take the lines of a reading."""
        if reading.lines is self._made_from:
            return
        self.prepareGeometryChange()
        self._made_from = reading.lines
        none = np.zeros((0, 4), np.float32)
        self._base, self._top = baselines(reading.lines) if reading.lines else (none, none)
        self._bounds = _bound_of(np.concatenate([self._base, self._top]).reshape(-1, 2))
        self.update()

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem,
              widget: QWidget | None = None) -> None:
        for pieces, style in ((self._base, BASELINE), (self._top, X_HEIGHT)):
            painter.setPen(pen_of(style))
            self._shapes.draw_lines(painter, pieces)


class ChangeItem(QGraphicsItem):
    """What another reading has more (filled green) and less (dashed vermilion) than this one."""

    def __init__(self) -> None:
        super().__init__()
        self.come = self.gone = np.zeros((0, 4, 2), np.float32)
        self._bounds = QRectF()
        self._shapes = Shapes()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def mark(self, come: NDArray, gone: NDArray) -> None:
        """Draw quads (n, 4, 2), (m, 4, 2), upright px."""
        self.prepareGeometryChange()
        self.come, self.gone = come, gone
        self._bounds = _bound_of(np.concatenate([come, gone]).reshape(-1, 2))
        self.setVisible(bool(len(come) + len(gone)))
        self.update()

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem,
              widget: QWidget | None = None) -> None:
        thick = len(self.come) + len(self.gone) <= THICK_UP_TO
        tint = QColor(GREEN)
        tint.setAlphaF(0.3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint)
        if len(self.come):
            self._shapes.draw_boxes(painter, geometry.boxes_from_quads(self.come))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for quad, style in ((self.come, COME), (self.gone, GONE)):
            painter.setPen(pen_of(style, 1.0, 2.0 if thick else 1.0))
            self._shapes.draw_quads(painter, quad)


def _bound_of(xy: NDArray) -> QRectF:
    """The rectangle around points (n, 2), with room for pens."""
    if not len(xy):
        return QRectF()
    (x0, y0), (x1, y1) = xy.min(0).tolist(), xy.max(0).tolist()
    return QRectF(x0, y0, x1 - x0, y1 - y0).adjusted(-6, -6, 6, 6)


def _meets(box: NDArray, view: NDArray) -> NDArray[np.bool_]:
    """(n,) whether boxes (n, 4) meet `view` (4,)."""
    return ((box[:, 2] >= view[0]) & (box[:, 0] <= view[2])
            & (box[:, 3] >= view[1]) & (box[:, 1] <= view[3]))


def _known(rows: LayerRows, some: Iterable[int]) -> NDArray[np.int64]:
    """Rows that the layer has (a lineage may be of an older reading)."""
    some = np.asarray(some, np.int64)
    return some[some < len(rows)]


def _sources(reading: Reading, name: str) -> tuple:
    """The tables a layer is drawn from. Held by the item, so their ids cannot be used again."""
    needed = {"placed": ("page", "upright"), "transcripts": ("segments",),
              "buckets": ("segments", "transcripts"), "attempts": ("segments", "transcripts")}
    return tuple(_Same(reading.table(other)) for other in (name, *needed.get(name, ())))


class _Same:
    """Equal exactly when it is the same object (tables of arrays have no cheap equality)."""

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.thing is self.thing
