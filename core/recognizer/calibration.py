"""From a path probability to a confidence that means what it says.

The forward probability of a text sorts right from wrong readings well, but a net may be too sure or
too modest. One number, the slope of its logit (the inverse of a temperature: Guo, Pleiss, Sun,
Weinberger 2017, "On calibration of modern neural networks"), puts that right. It is fitted on words
whose text is known, none of which the net was trained on, and travels in the weights file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-6  # probability; its logit, and that of 1 - SMALLEST, end the scale
SLOPES = (0.2, 5.0)  # beyond, the readings were no sample of anything
LEAST_EXPONENT, MOST_EXPONENT = 0.25, 4.0  # of character confidences: none is made 0 or 1


@dataclass(frozen=True)
class Calibration:
    """logit(confidence) = slope * logit(p), p the forward probability; 1 leaves p as it is.

    A bias too (Platt 1999) fitted the held-out receipts better and everything else worse: other
    pages are harder, and a bias is mostly how hard the words are. Length of the text, margin to
    the next text and the least sure character add nothing to p; p taken per character, and the
    best path's, sort worse (notebook).
    """

    slope: float = 1.0

    def confidences(self, log_p: NDArray, n_characters: NDArray) -> NDArray[np.float32]:
        """(n,) confidences in 0..1 of texts with forward scores `log_p` (n,), natural log.

        An empty text keeps its probability: nothing was read, so nothing can be wrong with it.
        """
        p = np.exp(np.asarray(log_p, np.float64)).clip(0, 1)
        if self == Calibration():
            return p.astype(np.float32)
        found = 1 / (1 + np.exp(-self.slope * logit(p)))
        return np.where(np.asarray(n_characters) > 0, found, p).astype(np.float32)

    def characters(self, confidence: NDArray, log_p: NDArray, char_confidence: NDArray,
                   counts: NDArray) -> NDArray[np.float32]:
        """(m,) character confidences that go with calibrated ones of their texts.

        Those of a text are raised to one power, so that their product moves as the text's
        probability did, and their order stays. counts: (n,) characters of each text.
        """
        if self == Calibration():
            return np.asarray(char_confidence, np.float32)
        before = np.minimum(np.asarray(log_p, np.float64), -SMALLEST)
        after = np.minimum(np.log(np.maximum(confidence, SMALLEST)), -SMALLEST)
        power = np.clip(after / before, LEAST_EXPONENT, MOST_EXPONENT)
        return (np.asarray(char_confidence, np.float64) ** np.repeat(power, counts)).astype(np.float32)

    def to_plain(self) -> dict[str, float]:
        """For the weights file."""
        return asdict(self)


def logit(p: NDArray) -> NDArray[np.float64]:
    """ln(p / (1 - p)), p kept SMALLEST away from 0 and 1."""
    p = np.clip(np.asarray(p, np.float64), SMALLEST, 1 - SMALLEST)
    return np.log(p / (1 - p))


def fit(log_p: NDArray, right: NDArray[np.bool_]) -> Calibration:
    """The calibration under which the readings that were `right` (n,) are likeliest.

    Raises ValueError without readings.
    """
    from scipy.optimize import minimize_scalar

    if not len(right):
        raise ValueError("no readings to calibrate on")
    signed = np.where(right, 1, -1) * logit(np.exp(np.asarray(log_p, np.float64)))
    found = minimize_scalar(lambda slope: np.mean(np.logaddexp(0, -slope * signed)),
                            bounds=SLOPES, method="bounded")
    return Calibration(round(float(found.x), 4))


@dataclass(frozen=True)
class Reliability:
    """How confidences and shares right go together, bin by bin of equal width in 0..1.

    n, confidence (mean), right (share), each (n_bins,); NaN where a bin is empty
    error  expected calibration error: the mean of |confidence - right|, weighted by n
           (Naeini, Cooper, Hauskrecht 2015)
    """

    n: NDArray[np.int64]
    confidence: NDArray[np.float64]
    right: NDArray[np.float64]
    error: float


def reliability(confidence: NDArray, right: NDArray[np.bool_], n_bins: int = 10) -> Reliability:
    """Reliability of (n,) confidences whose readings were `right` (n,)."""
    confidence = np.asarray(confidence, np.float64)
    of = np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)
    n = np.bincount(of, minlength=n_bins)
    some = np.where(n > 0, n, np.nan)
    mean = np.bincount(of, confidence, n_bins) / some
    share = np.bincount(of, np.asarray(right, np.float64), n_bins) / some
    gap = np.nansum(np.abs(mean - share) * n)
    return Reliability(n, mean, share, float(gap / max(1, n.sum())))
