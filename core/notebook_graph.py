"""Graphs of notebook entries as SVG: error against samples, reliability, a metric over entries.

Drawn by hand so that an entry needs nothing but a browser, and the same entry gives the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import floor, isfinite, log10

WIDTH, HEIGHT = 640, 360  # px
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 28, 44  # px about the plot; names of the curves on the right
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")  # Okabe, Ito

Points = Sequence[tuple[float, float]]


def graph(curves: dict[str, Points], title: str, x_label: str, y_label: str,
          y_top: float | None = None, dashed: frozenset[str] = frozenset()) -> str:
    """An SVG of several curves of (x, y), from 0 on both axes; "" without a point.

    y_top: where the y axis ends; None = a little above the highest point.
    """
    curves = {name: [p for p in points if all(map(isfinite, p))] for name, points in curves.items()}
    points = [p for curve in curves.values() for p in curve]
    if not points:
        return ""
    x_top = max(max(x for x, _ in points), 1e-9)
    y_top = y_top or max(1.05 * max(y for _, y in points), 1e-9)
    inner_w, inner_h = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        return LEFT + inner_w * x / x_top, TOP + inner_h * (1 - min(y, y_top) / y_top)

    out = [(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="11">'),
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="16" font-size="13">{escape(title)}</text>']
    for value in ticks(y_top):
        x, y = at(0, value)
        out += [f'<path d="M{x:.1f} {y:.1f}H{x + inner_w:.1f}" stroke="#ddd"/>',
                f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>']
    for value in ticks(x_top):
        x, y = at(value, 0)
        out += [f'<path d="M{x:.1f} {y:.1f}v4" stroke="#333"/>',
                f'<text x="{x:.1f}" y="{y + 17:.1f}" text-anchor="middle">{number(value)}</text>']
    out += [f'<path d="M{LEFT} {TOP}V{TOP + inner_h}H{LEFT + inner_w}" fill="none" stroke="#333"/>',
            (f'<text x="{LEFT + inner_w / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
            f'{escape(x_label)}</text>'),
            (f'<text transform="translate(13 {TOP + inner_h / 2}) rotate(-90)" '
            f'text-anchor="middle">{escape(y_label)}</text>')]
    for k, (name, curve) in enumerate(curves.items()):
        out += _curve([at(*p) for p in curve], name, k, name in dashed)
    return "\n".join([*out, "</svg>"]) + "\n"


def _curve(places: list[tuple[float, float]], name: str, k: int, dashed: bool) -> list[str]:
    colour, y = COLOURS[k % len(COLOURS)], TOP + 8 + 16 * k
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "" if dashed else "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'
                                     for x, y in places)
    return [f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>'
            + dots,
            (f'<path d="M{WIDTH - RIGHT + 10} {y}h16" stroke="{colour}" stroke-width="2"{dash}/>'
            f'<text x="{WIDTH - RIGHT + 30}" y="{y + 4}">{escape(name)}</text>')]


def ticks(top: float, about: int = 5) -> list[float]:
    """Round values from 0 to at most `top`, about so many."""
    rough = top / about
    power = 10 ** floor(log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough)
    return [step * k for k in range(int(top / step + 1e-9) + 1)]


def number(value: float) -> str:
    """A short label: 1.2 M, 50 k, 0.25."""
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def error_graph(curve: list[dict[str, float]], title: str) -> str:
    """Error in percent against samples of a run's evaluations: {"samples": n, metric: share}."""
    names = list(dict.fromkeys(name for point in curve for name in point if name != "samples"))
    curves = {name: [(p["samples"], 100 * (1 - p[name])) for p in curve
                     if p.get(name) is not None] for name in names}
    # the first evaluations of a net that knows nothing would press the rest onto the axis
    late = sorted(y for points in curves.values() for _, y in points[len(points) // 4:])
    top = 1.3 * late[int(0.97 * (len(late) - 1))] if late else None
    return graph(curves, title, "samples", "error, %", max(top, 1.0) if top else None)


def reliability_graph(rows: list[dict], title: str) -> str:
    """Share right against confidence: rows of {"confidence", "right"}; the diagonal is honest."""
    points = [(row["confidence"], row["right"]) for row in rows]
    return graph({"measured": points, "honest": [(0, 0), (1, 1)]}, title, "confidence",
                 "share right", 1.0, frozenset({"honest"})) if points else ""


def trade_graph(rows: list[dict], title: str) -> str:
    """Precision and recall over the least confidence kept."""
    return graph({name: [(row["above"], row[name]) for row in rows if row.get(name) is not None]
                  for name in ("precision", "recall")}, title, "least confidence kept", "share", 1.0)
