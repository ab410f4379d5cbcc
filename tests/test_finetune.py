"""Fine-tuning: which rows are taken, how crops are varied, labels whose case nobody knows."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from core.evaluate.words import WordTruth
from core.recognizer import alphabet, net
from core.recognizer.architecture import NetSettings
from core.synth.stream import Stream
from core.train import negatives, pictures, real, wear, words
from core.train.batch import Batch, stacked
from core.train.finetune import mixed
from core.train.piece import RealWord
from core.train.real import RealSettings, RealWords

TINY = NetSettings(channels=(4, 8, 8, 8), hidden=8)
HEAD = "file\tx0\ty0\tx1\ty1\ttext\tprinted\thow\tseg\n"


def drawn(text, cased=True):
    page = np.full((60, 40 + 22 * len(text)), 235, np.uint8)
    cv2.putText(page, text, (20, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, 10, 2)
    truth = WordTruth("documents/train/register_tapes/a.png", (18, 15, 20 + 20 * len(text), 44),
                      text, "", "")
    return RealWord(page, truth.box, 0, text, cased, truth)


def row(x0, x1, text, y=10, printed=""):
    return WordTruth("a.png", (x0, y, x1, y + 20), text, printed, "")


def test_only_receipts_and_screenshots_are_taken(tmp_path):
    tsv = tmp_path / "words.tsv"
    tsv.write_text(HEAD + "".join(
        f"documents/train/{folder}/{n}.png\t0\t0\t9\t9\tword\t\tsplit\t0\n"
        for n in range(40) for folder in ("forms", "register_tapes", "screenshots", "letters")))
    rows = real.training_rows(tsv, tmp_path)
    kept = real.training_rows(tsv, tmp_path, held_out=True)
    assert {r.category for r in rows} == {"register_tapes", "screenshots"}
    assert len(rows) + len(kept) == 80 and 0 < len(kept) < 30
    assert not {r.file for r in rows} & {r.file for r in kept}


def test_receipts_of_one_shop_are_on_one_side(tmp_path):
    folder = tmp_path / "documents/train/register_tapes"
    folder.mkdir(parents=True)
    for n in range(60):
        (folder / f"{n}.json").write_text(json.dumps({"group": f"shop {n % 6}"}))
    files = [f"documents/train/register_tapes/{n}.png" for n in range(60)]
    sides = [real.is_held_out(f, tmp_path) for f in files]
    assert sides == sides[:6] * 10


def test_words_of_a_line_are_joined_and_others_are_not():
    rows = [row(0, 40, "ONE", printed="One"), row(46, 80, "TWO", printed="two"),
            row(81, 99, "X"), row(0, 40, "NEXT", y=60), row(200, 240, "FAR", y=60)]
    found = real.joined_rows(rows)
    assert [r.text for r in found] == ["ONE TWO"]  # a gap of 1 px is a word cut in two
    assert found[0].box == (0, 10, 80, 30) and found[0].printed == "One two"
    three = [row(0, 40, "A"), row(46, 80, "B"), row(86, 99, "C")]
    assert [r.text for r in real.joined_rows(three)] == ["A B", "A B C", "B C"]
    assert real.joined_rows(three)[0].printed == ""  # not known of both, so not known


def test_crops_are_the_same_again_and_differ_among_themselves():
    words_ = RealWords([drawn("TOTAL")], [], [], [], 256)
    a, b = (words_.drawn(RealSettings())(1, i) for i in (0, 1))
    again = words_.drawn(RealSettings())(1, 0)
    assert np.array_equal(a.window, again.window) and a.text == "TOTAL"
    assert a.window.shape != b.window.shape or not np.array_equal(a.window, b.window)
    assert a.window.shape[0] == 32 and a.window.shape[1] % 4 == 0


def test_a_varied_crop_still_holds_the_whole_word():
    word = drawn("HHHHH")  # its ink reaches both ends of the box, in the window too
    for i in range(60):
        settings = RealSettings(inversion=0, noise=0, coarse=0, blur=0, contrast=0)
        column = real.varied(word, Stream(1, i, "t"), settings, 256).window.mean(0)
        dark = (column < (column.min() + column.max()) / 2).astype(int)
        stems = np.flatnonzero(np.diff(np.concatenate([[0], dark, [0]])) == 1)
        assert len(stems) >= 10, i  # both of each letter, none cut off


def test_hard_words_and_small_shops_come_more_often():
    pool = [replace(drawn("EASY"), shop="many")] * 96 + [replace(drawn("HARD"), shop="many",
                                                                  hard=True)] * 4
    pool.append(replace(drawn("LONE"), shop="few"))
    taken = RealWords(pool, [], [], [], 256)

    def counts(**settings):
        crop = taken.drawn(RealSettings(worn=0, **settings))
        texts = [crop(1, i).text for i in range(600)]
        return [texts.count(text) / 600 for text in ("EASY", "HARD", "LONE")]

    alike = counts(hard=1, even=0)
    assert alike == pytest.approx([96 / 101, 4 / 101, 1 / 101], abs=0.03)
    assert counts(hard=6, even=0)[1] == pytest.approx(24 / 121, abs=0.05)
    assert counts(hard=1, even=1)[2] == pytest.approx(0.5, abs=0.06)  # every shop alike


def test_worn_print_is_still_the_word_and_differs_each_time():
    window = drawn("RECEIPT").window(256)
    found = [wear.worn(window, Stream(3, i, "wear")) for i in range(60)]
    assert all(w.shape == window.shape and w.dtype == np.uint8 for w in found)
    assert len({w.tobytes() for w in found}) > 45
    assert np.array_equal(found[0], wear.worn(window, Stream(3, 0, "wear")))
    soft = [cv2.GaussianBlur(np.float32(w), (0, 0), 1).ravel() for w in (window, *found)]
    assert min(np.corrcoef(soft[0], w)[0, 1] for w in soft[1:]) > 0.6
    assert any(np.ptp(w) < 0.6 * np.ptp(window) for w in found)  # some of them pale


def test_pieces_of_pictures_say_nothing_and_repeat():
    pieces = pictures.picture_pieces(2, 5)
    again = pictures.picture_pieces(2, 5)
    assert len(pieces) > 30 and all(p.text == "" and p.cased for p in pieces)
    assert all(np.array_equal(a.piece, b.piece) and a.box == b.box for a, b in zip(pieces, again))
    for piece in pieces:
        x0, y0, x1, y1 = piece.box
        assert 0 <= x0 < x1 <= piece.piece.shape[1] and 0 <= y0 < y1 <= piece.piece.shape[0]
        assert piece.window(256).shape[0] == 32


@pytest.mark.parametrize("seed", range(4))
def test_stripes_of_pictures_are_slanted(seed):
    tone = pictures._stripes(np.random.default_rng(seed), np.full((500, 700), 0.5, np.float32))
    changed = (np.abs(tone - 0.5) > 0.2).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(changed)
    longest = np.argmax(stats[1:, cv2.CC_STAT_AREA]) + 1
    y, x = np.nonzero(labels == longest)
    assert len(x) > 20 and np.ptp(x) > 2 and np.ptp(y) > 2  # neither upright nor level


@pytest.mark.parametrize("seed", range(4))
def test_lattices_of_pictures_are_many_small_blots(seed):
    tone = pictures._lattice(np.random.default_rng(seed), np.full((500, 700), 0.5, np.float32))
    n, _, stats, _ = cv2.connectedComponentsWithStats((np.abs(tone - 0.5) > 0.05).astype(np.uint8))
    height = stats[1:, cv2.CC_STAT_HEIGHT]
    assert n - 1 >= 3 and np.mean((height >= 3) & (height <= pictures.LETTER[1])) > 0.5


def test_either_case_is_right_where_the_case_is_not_known():
    classes = {c: alphabet.encode(c)[0] for c in "Aa"}
    log_probs = torch.full((2, 3, alphabet.N_CLASSES), -20.0)
    log_probs[:, :, classes["a"]] = 0.0
    log_probs = log_probs.log_softmax(2)
    merged = words._either_case(log_probs, torch.tensor([True, False]))
    assert torch.allclose(merged.exp().sum(2), torch.ones(2, 3), atol=1e-5)
    assert merged[0, 0, classes["A"]] > -0.01 and merged[1, 0, classes["A"]] < -10
    batch = Batch(np.zeros((2, 32, 8), np.uint8), np.full(2, 8, np.int32), ["Ab", "Ab"],
                  np.array([True, False]))
    assert words._labels(batch) == ["Ab", "AB"]


def test_a_batch_is_half_real_and_half_drawn_and_goes_on_alike():
    settings = words.TrainSettings(net=TINY, samples=100, batch_size=8, real=RealSettings())
    source = mixed(settings, RealWords([drawn("REAL", False)], [], [], [], 256))
    first = [b for b, _ in zip(source(0), range(20))]
    for batch in first:
        assert sum(not cased for cased in batch.cased) == 4 and len(batch.texts) == 8
        assert sum(bool(font) for font in batch.fonts) <= 4
    later = [b for b, _ in zip(source(64), range(12))]
    for a, b in zip(first[8:], later):
        assert a.texts == b.texts and np.array_equal(a.window, b.window)


def test_stacked_batches_keep_their_rows():
    one = Batch(np.zeros((1, 32, 8), np.uint8), np.array([8], np.int32), ["a"], None, ("f.ttf",))
    two = Batch(np.ones((2, 32, 16), np.uint8), np.array([12, 16], np.int32), ["b", ""],
                np.array([False, True]))
    both = stacked([one, two])
    assert both.window.shape == (3, 32, 16) and (both.window[0, :, 8:] == 255).all()
    assert both.texts == ["a", "b", ""] and both.fonts == ("f.ttf", "", "")
    assert list(both.cased) == [True, False, True] and list(both.width) == [8, 12, 16]


def test_frozen_norms_keep_their_statistics(tmp_path):
    torch.manual_seed(0)
    net.save(net.WordNet(TINY), tmp_path / "w.pt", 500)
    settings = words.TrainSettings(net=TINY, samples=64, batch_size=8, freeze_norms=True,
                                   real=RealSettings())
    source = mixed(settings, RealWords([drawn("REAL")], [], [], negatives.drawn_pieces(5, 1), 256))
    state = words.train(settings, tmp_path / "run", source=source, start=tmp_path / "w.pt",
                        say=lambda _: None, card="tuned")
    before, _ = net.load_raw(tmp_path / "w.pt")
    for name, value in before.state_dict().items():
        if "running" in name:
            assert torch.equal(value, state.model[name]), name
    assert not torch.equal(before.out.weight, state.model["out.weight"])
    assert state.samples == 564  # the samples that the weights have seen before count on
    _, content = net.load_raw(tmp_path / "run" / words.WEIGHTS)
    assert content["card"] == "tuned"
    assert words.settings_of(state.settings) == settings


@pytest.mark.parametrize("seed", [1, 2])
def test_drawn_pieces_without_text_are_varied_and_repeat(seed):
    pieces = negatives.drawn_pieces(50, seed)
    again = negatives.drawn_pieces(50, seed)
    assert all(np.array_equal(a.piece, b.piece) for a, b in zip(pieces, again))
    assert len({p.piece.tobytes() for p in pieces}) > 45 and all(p.text == "" for p in pieces)
