"""BEND and INK: how ink lies on bent paper, and what printers and wear make of it.

All work on ink (32, W) uint8, 255 = full ink. BEND moves pixels and comes first; INK changes them.
"""

from __future__ import annotations

from math import pi

import cv2
import numpy as np

from core.synth.defect import Numbers, Transform
from core.synth.pools import HEIGHT, Ink, mesh, pool, pool_piece, ramp
from core.synth.stream import Stream

# ---- BEND ------------------------------------------------------------------------------------

def curve(ink: Ink, numbers: Numbers) -> Ink:
    """The baseline bends like a sine: columns move up and down by up to 3 px."""
    amplitude, waves, phase = numbers
    width = ink.shape[1]
    x, y = mesh(width)
    lift = np.float32(amplitude) * np.sin(x[:1] * np.float32(2 * pi * waves / width)
                                          + np.float32(phase))
    return cv2.remap(ink, x, y + lift, cv2.INTER_LINEAR)


def elastic(ink: Ink, numbers: Numbers) -> Ink:
    """Crumpled a little: every pixel moves its own way, neighbours alike (Simard et al. 2003)."""
    reach, u, v, w = numbers
    width = ink.shape[1]
    x, y = mesh(width)
    k = np.float32(reach)
    return cv2.remap(ink, x + k * pool_piece("bend", width, u, v),
                     y + k * pool_piece("bend", width, u, w), cv2.INTER_LINEAR)


# ---- INK -------------------------------------------------------------------------------------

def spread(ink: Ink, numbers: Numbers) -> Ink:
    """Ink runs (amount > 0) or wears off (< 0), mixed with the sharp form by |amount|."""
    amount, wide, tall = numbers
    kernel = np.ones((1 + (tall < 0.7) + (tall < 0.12), 1 + (wide < 0.7) + (wide < 0.12)), np.uint8)
    changed = cv2.dilate(ink, kernel) if amount > 0 else cv2.erode(ink, kernel)
    part = abs(amount)
    return cv2.addWeighted(changed, part, ink, 1 - part, 0)


def _draw_spread(s: Stream, severity: float) -> Numbers:
    amount = s.between(0.25, 0.5 + 0.5 * severity)
    return amount * (1 if s.chance(.45) else -0.8), s.unit(), s.unit()


def starved(ink: Ink, numbers: Numbers) -> Ink:
    """What has little ink about it gets less: points, commas and hairlines fade before stems do, by
    the head's heat, the lens or the scanner's idea of white.

    full   share of the window's thickest print from which on nothing is lost
    least  what is left of a lone speck
    """
    full, least = numbers
    about = cv2.blur(ink, (7, 7))
    most = max(1.0, full * float(about.max()))
    keep = np.clip(np.arange(256, dtype=np.float32) / most, least, 1) * 255
    return cv2.multiply(ink, cv2.LUT(about, keep.astype(np.uint8)), scale=1 / 255)


def uneven(ink: Ink, numbers: Numbers) -> Ink:
    """Ink that took unevenly: rough edges and pale patches, as on fibrous or glossy paper."""
    rough, pale, grain, u, v = numbers
    width = ink.shape[1]
    field = pool_piece("grain" if grain < 0.6 else "fibre", width, u, v)
    edge = ink + np.float32(rough) * field * (ink.astype(np.float32) * np.float32(1 / 255))
    keep = 1 - np.float32(pale) * np.clip(pool_piece("cloud", width, v, u), 0, 1.5)
    return np.clip(edge * keep, 0, 255).astype(np.uint8)


def thermal(ink: Ink, numbers: Numbers) -> Ink:
    """A thermal printer: dots of uneven heat; missing rows and dots, fading, smear."""
    pitch, soft, unlike, rows, columns, fade, along, smear, u, v, w, lost, at = numbers
    width = ink.shape[1]
    n_x, n_y = max(4, round(width / pitch)), max(8, round(HEIGHT / pitch))
    small = cv2.resize(ink, (n_x, n_y), interpolation=cv2.INTER_AREA)
    heat = np.float32(1) + np.float32(unlike) * pool_piece("noise", n_x, u, v, n_y)
    if rows > 0:  # the feed stutters: some rows get less heat
        heat = heat * np.clip(1.15 - rows * np.abs(pool("grain")[:n_y, int(w * 2000)]),
                              0.2, 1)[:, None]
    if columns > 0:  # dead dots of the head
        for k in range(1 + int(columns * 2)):
            heat[:, int((w * 7.3 + k * 0.37 + u) % 1 * n_x)] *= 0.15
    if fade:
        heat = heat * np.clip(0.9 + fade * np.linspace(-1, 1, n_x if along < .7 else n_y,
                                                       dtype=np.float32), 0.25, 1)[
            None if along < .7 else slice(None), slice(None) if along < .7 else None]
    # the paper turns black over a threshold of heat; `soft` is how sharply
    turn = np.float32(0.42 * max(float(small.max()), 90.0))  # thin strokes must not all go
    small = np.clip((small - turn) * np.float32(soft) + 128, 0, 255)
    small = np.clip(small * heat, 0, 255).astype(np.uint8)
    if lost > 0:
        _lose(small, lost, at, pitch)
    if smear > 0:
        small = cv2.addWeighted(small, 1 - smear, cv2.blur(small, (1, 3) if v < .7 else (3, 1)),
                                smear, 0)
    return cv2.resize(small, (width, HEIGHT),
                      interpolation=cv2.INTER_LINEAR if along < .9 else cv2.INTER_CUBIC)


def _lose(small: Ink, lost: float, at: float, pitch: float, left: float = 1 / 8) -> None:
    """Rows of dots that print as good as nothing, all along the line: a T becomes an I, a 3 a 5.
    They take a horizontal stroke, 1.5 to 3.5 px of the window, most often that at the top.
    `left` is the share of their ink that stays."""
    inked = np.flatnonzero(small.max(1) > 96)
    if inked.size:
        top, bottom = int(inked[0]), int(inked[-1])
        n = max(1, round((1.5 + 2 * lost) / pitch))
        row = top if at < .5 else bottom - n + 1 if at < .65 else round(top + at * (bottom - top))
        small[row:row + n] = (small[row:row + n] * np.float32(left)).astype(np.uint8)


def _draw_thermal(s: Stream, severity: float) -> Numbers:
    return (s.between(1.0, 1.5 + 0.7 * severity), s.between(0.8, 2.5),
            s.between(0, 0.15 + 0.35 * severity),
            s.between(.1, .2 + .6 * severity) if s.chance(.35) else 0.0,
            s.unit() if s.chance(.08 + .1 * severity) else 0.0,
            s.between(-.5, .5) * (.3 + .7 * severity) if s.chance(.3) else 0.0, s.unit(),
            s.between(.3, .9) if s.chance(.3) else 0.0, s.unit(), s.unit(), s.unit(),
            s.unit() if s.chance(.1 + .15 * severity) else 0.0, s.unit())


def dots(ink: Ink, numbers: Numbers) -> Ink:
    """Printed by needles: round dots on a coarse grid, each struck or not."""
    pitch, phase_x, phase_y, depth, level, skew, weak, at = numbers
    width = ink.shape[1]
    n_x, n_y = max(4, round(width / pitch)), max(8, round(HEIGHT / pitch))
    struck = cv2.resize(ink, (n_x, n_y), interpolation=cv2.INTER_AREA)
    level = np.float32(level * max(float(struck.max()), 90.0))
    struck = np.clip((struck - level) * 4 + 128, 0, 255).astype(np.uint8)
    if weak > 0:  # a worn needle
        _lose(struck, 0.0, at, pitch, 1 - weak)
    coarse = cv2.resize(struck, (width, HEIGHT), interpolation=cv2.INTER_LINEAR)
    k_x, k_y = np.float32(2 * pi * n_x / width), np.float32(2 * pi * n_y / HEIGHT)
    x, y = ramp(width)
    # the grid's dots lie where `struck` was sampled, up to the printer's skew
    gx = -np.cos((x + 1) * np.float32(0.5 * width) * k_x + np.float32(0.5 * phase_x))
    gy = -np.cos((y + 1) * np.float32(0.5 * HEIGHT) * k_y + np.float32(0.5 * phase_y))
    if skew > 0.6:  # two passes of the head that do not quite meet
        gy = np.roll(gy, 1, 0)
    grid = np.clip(0.8 + 0.5 * (gx + gy), 0, 1)
    return (coarse * (1 - np.float32(depth) * (1 - grid))).astype(np.uint8)


def _draw_dots(s: Stream, severity: float) -> Numbers:
    return (s.between(1.9, 2.8 + 0.7 * severity), s.unit(), s.unit(),
            s.between(.2, .5 + .5 * severity), s.between(.25, .42), s.unit(),
            s.between(.2, 1) if s.chance(.3) else 0.0, s.unit())


def bilevel(ink: Ink, numbers: Numbers) -> Ink:
    """Ink or no ink, nothing between: stamps, screens without smoothing."""
    return cv2.threshold(ink, int(numbers[0] * float(ink.max())), 255, cv2.THRESH_BINARY)[1]


BEND = (
    Transform("curve", ("amplitude px", "waves", "phase"),
              lambda s, v: (s.between(0.4, 1 + 1.5 * v), s.between(0.3, 1.5), s.between(0, 6.28)),
              curve),
    Transform("elastic", ("reach px", "u", "v", "w"),
              lambda s, v: (s.between(0.3, 0.6 + 0.7 * v), s.unit(), s.unit(), s.unit()), elastic),
)
INK = (
    Transform("spread", ("amount", "wide", "tall"), _draw_spread, spread),
    Transform("starved", ("full", "least"),
              lambda s, v: (s.between(.35, .5 + .4 * v), s.between(.2, .6)), starved),
    Transform("uneven", ("rough", "pale", "grain", "u", "v"),
              lambda s, v: (s.between(5, 30 + 70 * v), s.between(0, .15 + .5 * v), s.unit(),
                            s.unit(), s.unit()), uneven),
    Transform("thermal", ("pitch px", "sharpness", "unlike", "rows", "columns", "fade", "along",
                          "smear", "u", "v", "w", "lost", "at"), _draw_thermal, thermal),
    Transform("dots", ("pitch px", "phase x", "phase y", "depth", "level", "skew", "weak",
                       "at"), _draw_dots, dots),
    Transform("bilevel", ("level",), lambda s, v: (s.between(.35, .6),), bilevel),
)
