"""Readings made by hand for the tests of the views: truth is what is written here."""

from __future__ import annotations

import numpy as np

from core import geometry
from core.reading import (
    Attempts,
    Blobs,
    Boxes,
    Buckets,
    Lines,
    Page,
    Parents,
    Placed,
    Reading,
    Segments,
    Transcripts,
    Upright,
    Words,
    ragged,
    text_array,
)

WIDTH, HEIGHT = 400, 300   # px
ALPHABET = "".join(map(chr, range(32, 127)))   # classes 1 to 95; 0 is blank
TEXTS = ("Total", "12.50", "hello w0rld")
WORD_BOXES = np.array([[20, 40, 100, 70], [120, 40, 210, 70], [20, 120, 230, 150]], np.float32)
WORDS = ("Total", "12.50", "hello", "world")


def small_reading() -> Reading:
    """Two lines, three boxes, 12 blobs (two refused), three transcripts, four words.

    The third transcript, "hello w0rld", is split and corrected into "hello" and "world".
    """
    gray = np.full((HEIGHT, WIDTH), 245, np.uint8)
    for x0, y0, x1, y1 in WORD_BOXES.astype(int):
        gray[y0 + 6:y1 - 4, x0 + 2:x1 - 2:6] = 30
    page = Page(image=np.repeat(gray[..., None], 3, axis=2), dpi=100.0,
                points_from_page=geometry.scaling(0.72), digest="hand")
    upright = Upright(0, np.array([.9, .02, .05, .03], np.float32), gray, geometry.IDENTITY.copy(),
                      "upright by a wide margin")
    return Reading(page=page, upright=upright, blobs=_blobs(), lines=_lines(), boxes=_boxes(),
                   segments=_segments(gray), transcripts=_transcripts(), buckets=_buckets(),
                   attempts=_attempts(), words=_words(), placed=_placed())


def _blobs() -> Blobs:
    box = []
    for x0, y0, x1, y1 in WORD_BOXES:
        step = (x1 - x0) / 3
        box += [[x0 + i * step, y0 + 4, x0 + (i + 1) * step - 2, y1 - 4] for i in range(3)]
    box += [[300, 200, 303, 203], [10, 10, 390, 290], [20, 44, 46, 66]]
    n = len(box)
    fate = np.zeros(n, np.uint8)
    fate[9], fate[10], fate[11] = 2, 3, 1
    value, limit = np.zeros(n, np.float32), np.zeros(n, np.float32)
    value[9], limit[9], value[10], limit[10] = 9, 12, 106400, 40000
    box = np.array(box, np.float32)
    return Blobs(box, np.zeros(n, np.uint8), geometry.areas(box).astype(np.int32),
                 np.linspace(.05, .3, n).astype(np.float32), np.full(n, 128, np.uint8),
                 np.full(n, -1, np.int32), fate, value, limit,
                 Parents.one_each("upright", np.zeros(n)))


def _lines() -> Lines:
    box = np.array([[20, 40, 210, 70], [20, 120, 230, 150]], np.float32)
    offsets, xy = np.array([0, 2, 4]), np.array([[20, 66], [210, 66], [20, 146], [230, 146]],
                                                np.float32)
    zero = np.zeros(2, np.float32)
    return Lines(geometry.quads_from_boxes(box), box, offsets, xy, np.array([14, 15], np.float32),
                 np.zeros(2, np.uint8), np.zeros(2, np.uint8), zero, zero,
                 Parents.from_lists("blobs", [range(6), range(6, 9)]))


def _boxes() -> Boxes:
    zero = np.zeros(3, np.float32)
    return Boxes(np.array([0, 0, 1], np.int32), geometry.quads_from_boxes(WORD_BOXES), WORD_BOXES,
                 np.zeros(3, np.uint8), np.array([np.nan, 20, np.nan], np.float32),
                 np.full(3, 9, np.float32), np.zeros(3, np.uint8), zero, zero,
                 Parents.from_lists("blobs", [range(3), range(3, 6), range(6, 9)]))


def _segments(gray: np.ndarray) -> Segments:
    width = np.array([84, 96, 224], np.int32)
    window = np.full((3, 32, 224), 255, np.uint8)
    affine = []
    for i, (x0, y0, x1, y1) in enumerate(WORD_BOXES.astype(int)):
        crop = gray[y0:y1, x0:x1]
        rows = np.linspace(0, len(crop) - 1, 32).astype(int)
        columns = np.linspace(0, crop.shape[1] - 1, width[i]).astype(int)
        window[i, :, :width[i]] = crop[rows][:, columns]
        affine.append([[(x1 - x0) / width[i], 0, x0], [0, (y1 - y0) / 32, y0]])
    cut = np.array([[0, 0], [0, 0], [0, 1]], np.uint8)
    span = np.stack([np.full(3, 2), width - 2], axis=1).astype(np.float32)
    return Segments(np.array(affine), window, width, span, cut,
                    geometry.quads_from_boxes(WORD_BOXES), WORD_BOXES,
                    Parents.one_each("boxes", range(3)))


def _transcripts() -> Transcripts:
    steps = (21, 24, 56)
    log_probs = np.full((3, 56, 96), np.log(1e-4), np.float32)
    log_probs[:, :, 0] = np.log(0.98)
    times = []
    for i, text in enumerate(TEXTS):
        t = np.linspace(1, steps[i] - 2, len(text)).round().astype(int)
        for at, character in zip(t, text, strict=True):
            sure = 0.55 if character == "0" and i == 2 else 0.95
            log_probs[i, at, 0] = np.log(0.02)
            log_probs[i, at, 1 + ALPHABET.index(character)] = np.log(sure)
            if sure < 0.9:
                log_probs[i, at, 1 + ALPHABET.index("o")] = np.log(0.4)
        times.append(t)
    char_offsets, char_t = ragged(times, np.float32)
    confident = [[.95] * 5, [.95] * 5, [.95] * 7 + [.55] + [.95] * 3]
    top_offsets = np.array([0, 1, 2, 4], np.int64)
    return Transcripts(text_array(TEXTS), np.array([.95, .93, .55], np.float32), char_offsets,
                       char_t, ragged(confident, np.float32)[1], top_offsets,
                       text_array(["Total", "12.50", "hello w0rld", "hello world"]),
                       np.array([-.1, -.2, -.5, -.9], np.float32),
                       text_array(TEXTS), log_probs.astype(np.float16),
                       Parents.one_each("segments", range(3)))


def _buckets() -> Buckets:
    return Buckets(np.array([0, 0, 1], np.uint8), Parents.one_each("transcripts", range(3)))


def _attempts() -> Attempts:
    return Attempts(text_array(["Total", "12.50", "hello w0rld", "hello world"]),
                    np.array([0, 0, 1, 3], np.uint8), np.array([1, 1, .2, .8], np.float32),
                    text_array(["sure enough", "a price", "w0rld is not in the lexicon",
                                "one letter changed, 0 to o"]),
                    np.array([True, True, False, True]), np.array([True, True, False, True]),
                    Parents.from_lists("transcripts", [[0], [1], [2], [2]]))


def _words() -> Words:
    box = np.array([[20, 40, 100, 70], [120, 40, 210, 70], [20, 120, 115, 150],
                    [135, 120, 230, 150]], np.float32)
    return Words(text_array(WORDS), geometry.quads_from_boxes(box), box,
                 np.array([.95, .93, .8, .45], np.float32), np.array([0, 0, 1, 1], np.int32),
                 np.array([0, 0, 0, 6], np.int32), np.array([5, 5, 5, 11], np.int32),
                 Parents.one_each("attempts", [0, 1, 3, 3]))


def _placed() -> Placed:
    quad = geometry.transform_quads(geometry.scaling(0.72), _words().quad)
    return Placed(text_array(WORDS), quad, np.array([15, 15, 16, 16], np.float32),
                  np.array([98, 101, 97, 103], np.float32),
                  np.array([14.4, 0, 14.4, 0], np.float32), Parents.one_each("words", range(4)))


def large_reading(n_blobs: int = 50_000, width: int = 3000, height: int = 4000,
                  slanted: bool = False, seed: int = 7) -> Reading:
    """A page of n_blobs random blobs, 8 to 40 px, a fifth of them kept, all in one line each 20."""
    rng = np.random.default_rng(seed)
    gray = rng.integers(190, 255, (height, width), np.uint8)
    corner = rng.uniform(0, [width - 40, height - 40], (n_blobs, 2))
    box = np.concatenate([corner, corner + rng.uniform(8, 40, (n_blobs, 2))], 1).astype(np.float32)
    fate = rng.choice(10, n_blobs, p=[.5] + [.5 / 9] * 9).astype(np.uint8)
    none = np.zeros(n_blobs, np.float32)
    blobs = Blobs(box, rng.integers(0, 2, n_blobs).astype(np.uint8),
                  geometry.areas(box).astype(np.int32), rng.random(n_blobs).astype(np.float32),
                  np.full(n_blobs, 100, np.uint8), np.full(n_blobs, -1, np.int32), fate, none, none,
                  Parents.one_each("upright", np.zeros(n_blobs)))
    page = Page(image=gray, dpi=300.0, points_from_page=geometry.scaling(0.24), digest=f"big{seed}")
    upright = Upright(0, np.ones(4, np.float32) / 4, gray, geometry.IDENTITY.copy())
    quad = geometry.quads_from_boxes(box)
    if slanted:
        quad = quad + np.array([[0, 3], [0, 0], [0, -3], [0, 0]], np.float32)
    zero = np.zeros(n_blobs, np.uint8)
    boxes = Boxes(np.zeros(n_blobs, np.int32), quad, geometry.boxes_from_quads(quad), zero, none,
                  none, zero, none, none, Parents.one_each("blobs", np.arange(n_blobs)))
    return Reading(page=page, upright=upright, blobs=blobs, boxes=boxes)
