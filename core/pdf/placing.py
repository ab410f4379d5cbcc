"""Stage 9, `placed`: each word's quad in points, and the font size, stretch and gap that fill it.

What readers of a PDF make of a hidden word depends on more than its box: they group words into
lines by baseline, and split or join them by the gap in units of the font size. So a line has, as far
as it is straight, one baseline, and its words' font sizes are the same part of their heights.

Frame: PDF points of the visible page, y down (`Page.points_from_page`). "Up" is the direction
from a word's baseline to its top, whatever way the page lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.parameters import check_limits, param
from core.reading import Lines, Page, Parents, Placed, Upright, Words

ADVANCE_EM = 0.5       # advance of every glyph of the hidden font; core.pdf.glyphless makes it so
MIN_FONT_SIZE = 0.5    # pt; smaller sizes are dropped by some readers
MIN_LENGTH = 0.05      # pt; a flat or inverted word box gets at least this
MAX_SHORTENED = 0.25   # of a word's width, to part it from the next
MIN_SPACE = 0.01       # pt; 0 means the end of a line


@dataclass(frozen=True)
class PlacingSettings:
    """How words are laid into the hidden text layer."""

    size_by_height: float = param(
        0.5, unit="em", low=0.2, high=1.5,
        help="Font size as a part of the line's height. Smaller makes gaps between words look "
             "larger to readers that guess spaces (Preview).")
    widest_gap: float = param(
        0.55, unit="em", low=0.2, high=3.0,
        help="A line's usual word gap is at most this many font sizes (the font grows until it "
             "is): above 0.7 poppler takes words for columns.")
    narrowest_gap: float = param(
        0.2, unit="em", low=0, high=1,
        help="A word is shortened (by a quarter at most) where less than this many font sizes are "
             "left to the next one: readers would join the two.")
    flatten: float = param(
        2.0, unit="pt", low=0, high=20,
        help="Words of a line whose baselines differ by no more than this stand on one baseline.")

    def __post_init__(self) -> None:
        check_limits(self)


def placed(page: Page, upright: Upright, words: Words, lines: Lines | None,
           settings: PlacingSettings) -> Placed:
    """Words in points, rows as in `words`.

    A word that floats above its line's baseline (a dash, a quotation mark) is extended down to
    it: with a baseline of its own, readers would take it for a superscript or another line.
    `lines` may be None (another engine's reading): baselines are then the words' own.
    """
    points_from_upright = geometry.compose(page.points_from_page, upright.page_from_upright)
    quad = geometry.apply(points_from_upright, words.quad).reshape(-1, 4, 2)
    n = len(words)
    font_size, space_after = np.zeros(n), np.zeros(n)
    for rows in _runs(words.line, quad):
        along, up = axes(quad[rows])
        baseline = _baseline(quad[rows], up, _baseline_points(lines, words, rows, points_from_upright),
                             settings)
        quad[rows] = _on_baseline(quad[rows], along, up, baseline)
        font_size[rows] = _font_sizes(quad[rows], up, _gaps(quad[rows], along), settings)
        quad[rows] = _parted(quad[rows], along, font_size[rows], settings)
        space_after[rows[:-1]] = np.maximum(_gaps(quad[rows], along), MIN_SPACE)
    width = np.linalg.norm(quad[:, 2] - quad[:, 3], axis=1)
    n_chars = np.maximum(np.char.str_len(words.text), 1)
    stretch = 100 * width / (n_chars * ADVANCE_EM * np.maximum(font_size, MIN_FONT_SIZE))
    return Placed(words.text, quad.astype(np.float32), font_size.astype(np.float32),
                  stretch.astype(np.float32), space_after.astype(np.float32),
                  Parents.one_each("words", np.arange(n)))


def axes(quad: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(along, up): unit vectors of the words' common baseline and of its normal, y down.

    quad: (n, 4, 2) of one line; long words count for more. Flat quads read left to right.
    """
    along = np.sum(np.asarray(quad, np.float64)[:, 2] - np.asarray(quad, np.float64)[:, 3], axis=0)
    length = np.linalg.norm(along)
    along = along / length if length > 1e-9 else np.array([1.0, 0.0])
    return along, np.array([along[1], -along[0]])


def _runs(line: NDArray, quad: NDArray) -> list[NDArray[np.int64]]:
    """Rows of neighbouring words of the same line, in reading order.

    Words without a line (row -1) stay together while the next stands beside, not below, the last.
    """
    n = len(line)
    along = quad[:, 2] - quad[:, 3]
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    step = quad[1:].mean(1) - quad[:-1].mean(1)  # (n - 1, 2)
    sideways = np.abs(step[:, 0] * along[:-1, 1] - step[:, 1] * along[:-1, 0])
    height = np.linalg.norm(quad[:-1, 0] - quad[:-1, 3], axis=1)
    apart = (sideways > height / 2) | ((step * along[:-1]).sum(1) <= 0)
    ends = (np.diff(line) != 0) | ((line[1:] < 0) & apart)
    return [rows for rows in np.split(np.arange(n), np.flatnonzero(ends) + 1) if len(rows)]


def _baseline_points(lines: Lines | None, words: Words, rows: NDArray,
                     points_from_upright: NDArray) -> NDArray[np.float64]:
    """(m, 2) points of the line's measured baseline; (0, 2) where there is none."""
    row = int(words.line[rows[0]])
    if lines is None or not 0 <= row < len(lines):
        return np.zeros((0, 2))
    begin, end = lines.baseline_offsets[row:row + 2]
    return geometry.apply(points_from_upright, lines.baseline_xy[begin:end]).reshape(-1, 2)


def _baseline(quad: NDArray, up: NDArray, measured: NDArray, settings: PlacingSettings) -> NDArray:
    """(n,) height of each word's baseline along `up`, pt: one value for a straight line."""
    own = quad[:, 2:4].mean(1) @ up
    if len(measured):
        along = np.array([-up[1], up[0]])
        at = measured @ along
        order = np.argsort(at, kind="stable")
        own = np.interp(quad.mean(1) @ along, at[order], (measured @ up)[order])
    common = np.median(own)
    return np.where(np.abs(own - common) <= settings.flatten, common, own)


def _on_baseline(quad: NDArray, along: NDArray, up: NDArray, baseline: NDArray) -> NDArray:
    """Rectangles (n, 4, 2) along the line's direction that hold the words and reach the baseline."""
    x, y = quad @ along, quad @ up  # (n, 4)
    left, right = (x[:, 0] + x[:, 3]) / 2, (x[:, 1] + x[:, 2]) / 2
    right = np.maximum(right, left + MIN_LENGTH)
    bottom = np.minimum((y[:, 2] + y[:, 3]) / 2, baseline)
    top = np.maximum((y[:, 0] + y[:, 1]) / 2, bottom + MIN_LENGTH)
    corners = np.stack([np.stack([left, right, right, left], 1),
                        np.stack([top, top, bottom, bottom], 1)], 2)  # (n, 4, 2) along, up
    return corners @ np.stack([along, up])


def _gaps(quad: NDArray, along: NDArray) -> NDArray[np.float64]:
    """(n - 1,) distances from each word's end to the next one's start, pt; negative = overlap."""
    return quad[1:, 3] @ along - quad[:-1, 2] @ along


def _parted(quad: NDArray, along: NDArray, font_size: NDArray,
            settings: PlacingSettings) -> NDArray[np.float64]:
    """The words, shortened at their end where the next one stands too close to be told apart."""
    wanted = settings.narrowest_gap * np.maximum(font_size[:-1], font_size[1:])
    width = (quad[:-1, 2] - quad[:-1, 3]) @ along
    short = np.clip(wanted - _gaps(quad, along), 0, MAX_SHORTENED * width)
    parted = quad.copy()
    parted[:-1, 1:3] -= short[:, None, None] * along
    return parted


def _font_sizes(quad: NDArray, up: NDArray, gaps: NDArray,
                settings: PlacingSettings) -> NDArray[np.float64]:
    """(n,) sizes of a line's words, pt: the same part of each one's height, more where gaps are wide."""
    height = quad[:, 0] @ up - quad[:, 3] @ up
    usual = float(np.median(gaps)) / settings.widest_gap / float(np.median(height)) if len(gaps) else 0
    part = min(max(usual, settings.size_by_height), max(settings.size_by_height, 1.0))
    return np.maximum(height * part, MIN_FONT_SIZE)
