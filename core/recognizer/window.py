"""Word windows: the strip of a page that the net reads, and the affine that leads back.

One function cuts every window, whether the Word Detector, the evaluation or a fine-tuning run asks
for it, so the net sees the same framing everywhere.

Frames: geometry is measured at pixel edges; OpenCV indexes pixel centres. The half pixel between
them is handled here and nowhere else.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core import geometry

HEIGHT = 32  # px, the height of every window (the net's input)
MARGIN = 0.1  # of the box height, added on each of the four sides
MAX_WIDTH = 256  # px, eight times as wide as high; longer text is chopped by the detector or squeezed
STEP = 4  # px, a window's width is a multiple of the net's horizontal stride
MIN_WIDTH = 8  # px, two time steps
AREA_FROM = 1.5  # shrinking by more than this aliases thin strokes under bilinear sampling

LEAST_STD = 6.0  # grey levels; keeps an empty window's noise small
DARK_ON_LIGHT, LIGHT_ON_DARK = 0, 1  # codes of core.reading.Blobs.POLARITIES


def window_affine(quad: NDArray, height: int = HEIGHT, margin: float = MARGIN,
                  max_width: int = MAX_WIDTH) -> tuple[NDArray[np.float64], int]:
    """(`upright_from_window` (2, 3), width in window px) for one quad.

    quad    (4, 2) upright px, top left, top right, bottom right, bottom left along the baseline;
            anything but a parallelogram is replaced by its mean parallelogram
    margin  in box heights, on all four sides
    The width follows the quad's aspect, rounded to a multiple of STEP, at least MIN_WIDTH and at
    most `max_width`; a longer quad is squeezed horizontally.
    """
    q = np.asarray(quad, np.float64).reshape(4, 2)
    along = (q[1] - q[0] + q[2] - q[3]) / 2
    down = (q[3] - q[0] + q[2] - q[1]) / 2
    length, tall = max(np.hypot(*along), 1e-3), max(np.hypot(*down), 1e-3)
    pad = margin * tall
    full_length, full_height = length + 2 * pad, tall + 2 * pad
    width = round(full_length * height / full_height / STEP) * STEP
    width = int(np.clip(width, MIN_WIDTH, max_width // STEP * STEP))
    x_axis = along / length * (full_length / width)
    y_axis = down / tall * (full_height / height)
    origin = q.mean(0) - x_axis * width / 2 - y_axis * height / 2
    return np.column_stack([x_axis, y_axis, origin]), width


def sample_window(gray: NDArray[np.uint8], upright_from_window: NDArray, width: int,
                  height: int = HEIGHT, polarity: int = DARK_ON_LIGHT) -> NDArray[np.uint8]:
    """The (height, width) pixels under an affine, inverted when the text is light on dark.

    Beyond the page its border pixels are repeated. Where the page is shrunk by more than
    AREA_FROM, its pixels are averaged first (INTER_AREA), then sampled bilinearly.
    """
    affine = np.asarray(upright_from_window, np.float64)
    shrink_x, shrink_y = np.hypot(*affine[:, 0]), np.hypot(*affine[:, 1])
    # the integer box of the page that the window touches, two target pixels wider for the filter
    corners = geometry.apply(affine, [[0, 0], [width, 0], [width, height], [0, height]])
    reach = 2 * max(shrink_x, shrink_y, 1.0) + 1
    page_height, page_width = gray.shape
    x0 = int(np.clip(np.floor(corners[:, 0].min() - reach), 0, page_width - 1))
    y0 = int(np.clip(np.floor(corners[:, 1].min() - reach), 0, page_height - 1))
    x1 = int(np.clip(np.ceil(corners[:, 0].max() + reach), x0 + 1, page_width))
    y1 = int(np.clip(np.ceil(corners[:, 1].max() + reach), y0 + 1, page_height))
    part = np.ascontiguousarray(gray[y0:y1, x0:x1])
    part_from_upright = geometry.translation(-x0, -y0)
    factor = _area_factors(affine, shrink_x, shrink_y)
    if max(factor) > AREA_FROM:
        small = (max(1, round((x1 - x0) / factor[0])), max(1, round((y1 - y0) / factor[1])))
        part = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
        shrunk = geometry.scaling(small[0] / (x1 - x0), small[1] / (y1 - y0))
        part_from_upright = geometry.compose(shrunk, part_from_upright)
    part_from_window = geometry.compose(part_from_upright, affine)
    # pixel edges -> pixel centres: index = edge - 0.5 on both sides
    indexed = geometry.compose(geometry.translation(-0.5, -0.5),
                               geometry.compose(part_from_window, geometry.translation(0.5, 0.5)))
    window = cv2.warpAffine(part, indexed, (width, height),
                            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                            borderMode=cv2.BORDER_REPLICATE)
    return cv2.bitwise_not(window) if polarity == LIGHT_ON_DARK else window


def _area_factors(affine: NDArray, shrink_x: float, shrink_y: float) -> tuple[float, float]:
    """How much to shrink the page along its own x and y before sampling.

    Each is the shrink of the window axis that runs mostly along it; on a slanted window the
    smaller shrink is used for both, so that nothing is blurred more than the window itself does.
    """
    (ax, bx), (ay, by) = np.abs(affine[:, :2])
    if ay < 0.2 * ax and bx < 0.2 * by:
        return shrink_x, shrink_y
    if ax < 0.2 * ay and by < 0.2 * bx:
        return shrink_y, shrink_x
    return min(shrink_x, shrink_y), min(shrink_x, shrink_y)


def cut_window(gray: NDArray[np.uint8], quad: NDArray, polarity: int = DARK_ON_LIGHT,
               height: int = HEIGHT, margin: float = MARGIN, max_width: int = MAX_WIDTH,
               ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """(window (height, w) uint8 dark on light, `upright_from_window` (2, 3) float64).

    gray      (H, W) uint8, the upright page (or any gray image; the frame is that image's)
    quad      (4, 2) upright px, along the baseline; for a box use `geometry.quads_from_boxes`
    polarity  code of Blobs.POLARITIES; light on dark is inverted, so windows are dark on light
    w is a multiple of 4, between 8 and `max_width`; see `window_affine` for margin and squeeze.
    """
    affine, width = window_affine(quad, height, margin, max_width)
    return sample_window(gray, affine, width, height, polarity), affine


def moved_window(window: NDArray[np.uint8], stretch: float, down: float) -> NDArray[np.uint8]:
    """The same window another way: (32, w') with w' about `stretch` times w, a multiple of STEP, its
    content `down` px lower; the border is repeated."""
    height, width = window.shape
    wide = max(MIN_WIDTH, round(width * stretch / STEP) * STEP)
    factor = wide / width
    # pixel edges -> pixel centres, as in sample_window
    affine = np.array([[factor, 0, 0.5 * factor - 0.5], [0, 1, down]])
    return cv2.warpAffine(window, affine, (wide, height), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)


def guess_polarity(gray: NDArray[np.uint8], quad: NDArray) -> int:
    """Code of Blobs.POLARITIES by comparing a box's border with its inside.

    The border of a word box is mostly background: text is light on dark where the pixels that
    differ most from the border's median are brighter than it.
    """
    affine, width = window_affine(quad, HEIGHT, MARGIN, MAX_WIDTH)
    window = sample_window(gray, affine, width).astype(np.int16)
    border = np.median(np.concatenate([window[:2].ravel(), window[-2:].ravel(),
                                       window[:, :2].ravel(), window[:, -2:].ravel()]))
    low, high = np.percentile(window, (2, 98))
    return LIGHT_ON_DARK if high - border > border - low else DARK_ON_LIGHT


def pad_windows(windows: list[NDArray[np.uint8]], value: int = 255,
                ) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """(`window` (n, 32, W) padded on the right to the widest, `width` (n,) px in use)."""
    width = np.array([w.shape[1] for w in windows], np.int32)
    stack = np.full((len(windows), HEIGHT, int(width.max(initial=0))), value, np.uint8)
    for row, window in enumerate(windows):
        stack[row, :, :window.shape[1]] = window
    return stack, width


def standardise(window: NDArray[np.uint8], width: NDArray[np.int32]) -> NDArray[np.float32]:
    """What the net sees of windows (n, 32, W): (x - mean) / max(std, LEAST_STD), per window.

    Only the `width` px in use count; the padding right of them becomes the median of the last two
    columns, so that it looks like more of the window's own background. Training, evaluation and
    the stage all go through here.
    """
    x = window.astype(np.float32)
    width = np.asarray(width)
    used = np.arange(x.shape[2])[None, None] < width[:, None, None]  # (n, 1, W)
    padded = np.flatnonzero(width < x.shape[2])
    last = np.maximum(width[padded, None] - (2, 1), 0)  # columns
    last_two = x[padded[:, None], :, last].reshape(len(padded), 2 * x.shape[1])
    edge = np.median(last_two, axis=1).astype(np.float32)
    x[padded] = np.where(used[padded], x[padded], edge[:, None, None])
    count = np.maximum(width * x.shape[1], 1).astype(np.float32)
    mean = (x * used).sum((1, 2)) / count
    x -= mean[:, None, None]
    std = np.sqrt((np.square(x) * used).sum((1, 2)) / count)
    return x / np.maximum(std, LEAST_STD)[:, None, None]
