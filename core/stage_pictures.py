"""A picture of each stage: its table drawn on the page, with a legend that counts the rows.

Stages in upright px are drawn on the upright page, `page` and `placed` on the page itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.reading import STAGES, Attempts, Blobs, Boxes, Buckets, Lines, Reading, Segments

# RGB, told apart by the colour-blind too (Okabe and Ito 2008, "Color universal design")
GREEN, BLUE, ORANGE, RED = (0, 158, 115), (0, 114, 178), (230, 159, 0), (213, 94, 0)
PURPLE, SKY, GREY, BLACK = (204, 121, 167), (86, 180, 233), (140, 140, 140), (0, 0, 0)
REFUSED = (RED, ORANGE, PURPLE, SKY, GREY, (160, 110, 60), (200, 60, 60), (120, 120, 200),
           (170, 170, 60), (60, 60, 60))  # by fate, 1 and up
FADE = 0.45  # of the page's contrast that is left under a drawing
LEGEND_PX = 26  # height of a legend line at 1500 px page width
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Layer:
    """Quads of one colour: quad (n, 4, 2) in the picture's px; label for the legend; texts above."""

    label: str
    colour: tuple[int, int, int]
    quad: NDArray
    thick: bool = False
    texts: tuple[str, ...] = field(default=())


def stage_picture(reading: Reading, stage: str) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: the stage's rows on the page. Raises ValueError while it is not made."""
    table = reading.table(stage)
    if table is None:
        raise ValueError(f"the stage {stage} is not made yet")
    if stage == "page":
        return _with_legend(_rgb(reading.page.image), _page_title(reading), [])
    if stage == "upright":
        turns = reading.upright.quarter_turns
        title = f"upright: turned {turns} quarter turns. {reading.upright.reason}"
        return _with_legend(_rgb(reading.upright.gray), title, [])
    if stage == "placed" or reading.upright is None:
        ground = reading.page.image
    else:
        ground = reading.upright.gray
    layers = LAYERS[stage](reading)
    picture = _faded(_rgb(ground))
    line = max(1, round(max(picture.shape[:2]) / 1500))
    for layer in reversed(layers):  # what is kept comes first in the legend and on top
        quads = [np.round(q * 16).astype(np.int32) for q in layer.quad]  # 4 bits of subpixel
        cv2.polylines(picture, quads, True, layer.colour, line + layer.thick, cv2.LINE_AA, 4)
    for layer in layers:
        _write_texts(picture, layer)
    if stage == "lines":
        _draw_baselines(picture, reading.lines, line)
    return _with_legend(picture, f"{stage}: {len(table)} rows", layers)


def _page_title(reading: Reading) -> str:
    width, height = reading.page.size
    note = f". {reading.page.note}" if reading.page.note else ""
    return f"page: {width} x {height} px at {reading.page.dpi:.0f} dpi{note}"


# ---- what each stage shows ---------------------------------------------------------------------

def _blobs(reading: Reading) -> list[Layer]:
    blobs = reading.blobs
    quads = geometry.quads_from_boxes(blobs.box)
    kept = [Layer(f"kept, {name}", colour, quads[(blobs.fate == 0) & (blobs.polarity == code)])
            for code, (name, colour) in enumerate(zip(Blobs.POLARITIES, (GREEN, BLUE), strict=True))]
    return kept + _refused(blobs.fate, quads, Blobs.FATES)


def _lines(reading: Reading) -> list[Layer]:
    lines = reading.lines
    return [Layer("kept", GREEN, lines.quad[lines.fate == 0], True),
            *_refused(lines.fate, lines.quad, Lines.FATES)]


def _boxes(reading: Reading) -> list[Layer]:
    boxes = reading.boxes
    return [Layer("kept", GREEN, boxes.quad[boxes.fate == 0], True),
            *_refused(boxes.fate, boxes.quad, Boxes.FATES)]


def _refused(fate: NDArray, quad: NDArray, names: tuple[str, ...]) -> list[Layer]:
    return [Layer(f"refused: {names[code]}", REFUSED[(code - 1) % len(REFUSED)], quad[fate == code])
            for code in range(1, len(names)) if (fate == code).any()]


def _segments(reading: Reading) -> list[Layer]:
    segments = reading.segments
    worst = segments.cut.max(1) if len(segments) else np.zeros(0, np.uint8)
    n_boxes = np.diff(segments.parents.offsets)
    labels = ("a whole box", *Segments.CUTS[1:])
    layers = [Layer(label, colour, segments.quad[(worst == code) & (n_boxes < 2)], True)
              for code, (label, colour) in enumerate(zip(labels, (GREEN, ORANGE, RED), strict=True))]
    return [*layers, Layer("several boxes in one window", PURPLE, segments.quad[n_boxes > 1], True)]


def _transcript_quads(reading: Reading) -> NDArray:
    """(n, 4, 2) upright px, a transcript each."""
    return reading.segments.quad[reading.transcripts.parents.rows]


def _transcripts(reading: Reading) -> list[Layer]:
    read, quads = reading.transcripts, _transcript_quads(reading)
    bands = np.digitize(read.confidence, (0.3, 0.9))
    return [Layer(label, colour, quads[bands == band], False, tuple(read.text[bands == band]))
            for band, label, colour in ((2, "confidence from .9", GREEN), (1, ".3 to .9", ORANGE),
                                        (0, "below .3", RED))]


def _buckets(reading: Reading) -> list[Layer]:
    buckets, quads = reading.buckets, _transcript_quads(reading)
    text = reading.transcripts.text
    return [Layer(name, colour, quads[buckets.bucket == code], True,
                  tuple(text[buckets.bucket == code]))
            for code, (name, colour) in enumerate(zip(Buckets.BUCKETS, (GREEN, ORANGE, RED),
                                                      strict=True))]


def _attempts(reading: Reading) -> list[Layer]:
    attempts, quads = reading.attempts, _transcript_quads(reading)
    colours = (GREEN, PURPLE, BLUE, ORANGE, SKY, RED)
    layers = []
    for code, (name, colour) in enumerate(zip(Attempts.MOVES, colours, strict=True)):
        rows = np.flatnonzero(attempts.chosen & (attempts.move == code))
        bounds = [geometry.union(geometry.boxes_from_quads(quads[attempts.parents.of(row)]))
                  for row in rows if len(attempts.parents.of(row))]
        layers.append(Layer(f"{name}, chosen", colour,
                            geometry.quads_from_boxes(np.array(bounds).reshape(-1, 4)), True,
                            tuple(attempts.text[rows])))
    return layers


def _words(reading: Reading) -> list[Layer]:
    return [Layer("words", BLUE, reading.words.quad, True, tuple(reading.words.text))]


def _placed(reading: Reading) -> list[Layer]:
    page_from_points = geometry.invert(reading.page.points_from_page)
    quad = geometry.transform_quads(page_from_points, reading.placed.quad)
    return [Layer("hidden text", PURPLE, quad, True, tuple(reading.placed.text))]


LAYERS = {"blobs": _blobs, "lines": _lines, "boxes": _boxes, "segments": _segments,
          "transcripts": _transcripts, "buckets": _buckets, "attempts": _attempts,
          "words": _words, "placed": _placed}
assert set(LAYERS) | {"page", "upright"} == set(STAGES)


# ---- drawing -----------------------------------------------------------------------------------

def _rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image.copy()


def _faded(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Paler, so that coloured outlines stand out."""
    return cv2.addWeighted(image, FADE, np.full_like(image, 255), 1 - FADE, 0)


def _write_texts(picture: NDArray[np.uint8], layer: Layer) -> None:
    """Each text at the upper left of its quad, at most as wide as the quad and 0.6 as high."""
    for text, quad in zip(layer.texts, layer.quad if layer.texts else (), strict=True):
        height = float(np.hypot(*(quad[3] - quad[0])))
        width = float(np.hypot(*(quad[1] - quad[0])))
        (full, tall), _ = cv2.getTextSize(text or " ", FONT, 1.0, 1)
        scale = min(0.6 * height / tall, width / max(full, 1))
        if scale <= 0.1 or not text:
            continue
        x, y = quad[0]
        cv2.putText(picture, text, (round(float(x)), round(float(y) + scale * tall)), FONT, scale,
                    layer.colour, 1, cv2.LINE_AA)


def _draw_baselines(picture: NDArray[np.uint8], lines: Lines, thickness: int) -> None:
    for row in np.flatnonzero(lines.fate == 0):
        xy = lines.baseline_xy[lines.baseline_offsets[row]:lines.baseline_offsets[row + 1]]
        if len(xy):
            cv2.polylines(picture, [np.round(xy * 16).astype(np.int32)], False, BLUE, thickness,
                          cv2.LINE_AA, 4)


def _with_legend(picture: NDArray[np.uint8], title: str, layers: list[Layer]) -> NDArray[np.uint8]:
    """The picture under a white strip: the title, then a swatch, label and count per layer."""
    width = picture.shape[1]
    unit = max(12, round(LEGEND_PX * min(width, 3000) / 1500))
    scale, pad = unit / 40, unit // 3
    entries = [(None, title)] + [(layer.colour, f"{layer.label} {len(layer.quad)}")
                                 for layer in layers if len(layer.quad)]
    placed, x, y = [], pad, 0
    for colour, text in entries:
        length = cv2.getTextSize(text, FONT, scale, 1)[0][0] + (unit if colour else 0)
        if x > pad and x + length > width:
            x, y = pad, y + unit
        placed.append((x, y, colour, text))
        x += length + unit
    strip = np.full((y + unit + pad, width, 3), 255, np.uint8)
    for x, y, colour, text in placed:
        if colour:
            cv2.rectangle(strip, (x, y + pad), (x + unit // 2, y + unit - 2), colour, -1)
            x += unit
        cv2.putText(strip, text, (x, y + unit - 4), FONT, scale, BLACK, 1, cv2.LINE_AA)
    return np.vstack([strip, picture])
