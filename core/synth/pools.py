"""Fields of noise made once a process, from which windows take their pieces, and light ramps."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT = 32  # px of every window: core.recognizer.window.HEIGHT, which needs no import here
POOL = (96, 2048)  # px, the size of the noise pools that windows are cut from
POOL_SEED = 20240229  # of the pools; another one makes other samples
# name -> (salt, sigma px): noise is white, a fibre is long and thin
FIELDS = {"noise": (0, (0.0, 0.0)), "grain": (1, (1.0, 1.0)), "cloud": (2, (6.0, 6.0)),
          "fibre": (3, (5.0, 0.7)), "bend": (4, (5.0, 5.0))}

Ink = NDArray[np.uint8]
Tones = NDArray[np.float32]


@cache
def pool(name: str) -> Tones:
    """A (96, 2048) float32 field, a key of FIELDS, of mean 0 and standard deviation 1."""
    salt, (sigma_x, sigma_y) = FIELDS[name]
    noise = np.random.Generator(np.random.PCG64([POOL_SEED, salt])) \
        .standard_normal(POOL, np.float32)
    if sigma_x:
        noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)
        noise = (noise - noise.mean()) / noise.std()
    return np.ascontiguousarray(noise, np.float32)


def pool_piece(name: str, width: int, u: float, v: float, height: int = HEIGHT) -> Tones:
    """A (height, width) piece of a pool; u and v in [0, 1) choose where."""
    top, left = int(u * (POOL[0] - height)), int(v * (POOL[1] - width))
    return pool(name)[top:top + height, left:left + width]


@cache
def ramp(width: int) -> tuple[Tones, Tones]:
    """(1, width) and (32, 1): -1 to 1 along x and along y."""
    return (np.linspace(-1, 1, width, dtype=np.float32)[None],
            np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None])


@cache
def mesh(width: int) -> tuple[Tones, Tones]:
    """Column and row of each of (32, width) pixels, as cv2.remap wants them."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    return x, y
