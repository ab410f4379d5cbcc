"""Confidence: what a calibration does to probabilities, and how its honesty is measured."""

import numpy as np
import pytest
import torch

from core.recognizer import net
from core.recognizer.architecture import NetSettings
from core.recognizer.calibration import Calibration, fit, reliability
from core.train.calibrate import trades

TINY = NetSettings(channels=(4, 8, 8, 8), hidden=8)


def test_without_calibration_the_probability_stays():
    log_p = np.log([0.5, 0.9, 1.0])
    assert Calibration().confidences(log_p, [3, 3, 3]) == pytest.approx([0.5, 0.9, 1.0])


def test_a_net_that_is_too_sure_is_made_more_modest():
    rng = np.random.default_rng(0)
    true = rng.uniform(0.05, 0.95, 20_000)
    said = 1 / (1 + np.exp(-2 * np.log(true / (1 - true))))  # twice as sure as it should be
    right = rng.random(len(true)) < true
    found = fit(np.log(said), right)
    assert found.slope == pytest.approx(0.5, abs=0.03)  # 20,000 draws
    before = reliability(said, right).error
    after = reliability(found.confidences(np.log(said), np.ones(len(said))), right).error
    assert before > 0.05 and after < 0.02


def test_order_is_kept_and_one_half_stays():
    c = Calibration(0.6).confidences(np.log([0.2, 0.5, 0.7, 0.99]), [1, 1, 1, 1])
    assert (np.diff(c) > 0).all() and c[1] == pytest.approx(0.5)


def test_nothing_read_keeps_its_probability():
    assert Calibration(0.3).confidences(np.log([0.99]), [0])[0] == pytest.approx(0.99)


def test_characters_follow_their_word():
    calibration, log_p = Calibration(0.5), np.log([0.81, 0.999])
    word = calibration.confidences(log_p, [2, 1])
    c = calibration.characters(word, log_p, np.array([0.9, 0.9, 0.999]), np.array([2, 1]))
    assert np.prod(c[:2]) == pytest.approx(word[0], rel=1e-3)  # .9 * .9 is the word's .81
    assert c[0] == c[1] < 0.9 and 0 < c[2] <= 1


def test_reliability_of_known_readings():
    found = reliability(np.array([0.95, 0.95, 0.15, 0.15]), np.array([1, 0, 0, 0], bool))
    assert found.n[9] == 2 and found.right[9] == 0.5 and found.right[1] == 0.0
    assert found.error == pytest.approx((2 * 0.45 + 2 * 0.15) / 4)


def test_precision_and_recall_over_the_confidence_kept():
    rows = trades(np.array([0.99, 0.6, 0.6, 0.99]), ["a", "b", "c", ""],
                  np.array([True, True, False, False]))
    at = {t.above: t for t in rows}
    assert at[0.0].precision == pytest.approx(2 / 3) and at[0.0].recall == 0.5
    assert at[0.9].precision == 1.0 and at[0.9].recall == 0.25  # the empty reading is not returned


def test_a_calibration_travels_with_the_weights(tmp_path):
    torch.manual_seed(0)
    net.save(net.WordNet(TINY), tmp_path / "w.pt", 7, "a card")
    assert net.load(tmp_path / "w.pt").calibration == Calibration()
    digest = net.load(tmp_path / "w.pt").digest
    net.save_calibration(tmp_path / "w.pt", Calibration(0.8))
    loaded = net.load(tmp_path / "w.pt")
    assert loaded.calibration == Calibration(0.8)
    assert loaded.digest != digest  # so that a stage is run again
    assert net.load_raw(tmp_path / "w.pt")[1]["samples"] == 7
