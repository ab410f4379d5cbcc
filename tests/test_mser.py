"""Blobs on drawn pages: polarity, tree, fates, pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core import geometry
from core.detector import branches, mser, refusal
from core.reading import Blobs, kept
from tests.pages import draw_page, upright_of

DARK, LIGHT = 0, 1


def blobs_in(blobs: Blobs, box: np.ndarray, polarity: int) -> np.ndarray:
    """Kept rows of that polarity whose middle lies in `box`."""
    rows = geometry.rows_within(blobs.box, box)
    return rows[(blobs.fate[rows] == 0) & (blobs.polarity[rows] == polarity)]


@pytest.mark.parametrize(("ink", "paper", "polarity"), [(20, 235, DARK), (235, 20, LIGHT)])
def test_letters_are_found_with_their_polarity(ink, paper, polarity):
    gray, words = draw_page(["Maple", "river"], ink=ink, paper=paper)
    blobs = mser.blobs(upright_of(gray))
    for word in words:
        rows = blobs_in(blobs, np.array(word.box), polarity)
        bound = geometry.union(blobs.box[rows])
        # 2 px: the blur before MSER widens a letter by one on each side
        assert np.abs(bound - word.box).max() <= 2, word
        assert len(rows) >= len(word.text)
        assert not len(blobs_in(blobs, np.array(word.box), 1 - polarity)), "a counter is no ink"


def test_white_on_black_letters_in_a_panel_of_a_white_page_are_found():
    gray, _ = draw_page(["some dark text", "and more of it"], size=(640, 400))
    panel, words = draw_page(["Total"], size=(300, 60), top=42, ink=240, paper=30)
    gray[240:300, 100:400] = panel
    blobs = mser.blobs(upright_of(gray))
    box = np.array(words[0].box) + (100, 240, 100, 240)
    rows = blobs_in(blobs, box, LIGHT)
    assert len(rows) >= 4  # the blur may join t and a
    assert np.abs(geometry.union(blobs.box[rows]) - box).max() <= 2


def test_one_blob_per_letter_is_kept():
    gray, words = draw_page(["HNUTZ"], thickness=3, scale=1.5)
    blobs = mser.blobs(upright_of(gray))
    assert len(blobs_in(blobs, np.array(words[0].box), DARK)) == 5


def test_a_ruled_line_is_refused_as_a_rule_and_its_text_kept():
    gray, words = draw_page(["Name"], size=(640, 120))
    bottom = words[0].box[3]
    gray[bottom - 1:bottom + 2, 10:600] = 20  # the letters stand in the line
    blobs = mser.blobs(upright_of(gray))
    fates = {Blobs.FATES[f] for f in blobs.fate[blobs.box[:, 2] - blobs.box[:, 0] > 300]}
    assert fates == {"rule or frame"}
    rows = blobs_in(blobs, np.array(words[0].box) + (0, -3, 0, 3), DARK)
    bound = geometry.union(blobs.box[rows])
    assert abs(bound[0] - words[0].box[0]) <= 2 and abs(bound[2] - words[0].box[2]) <= 2


def test_refused_blobs_broke_their_limit_and_kept_ones_have_none():
    gray, _ = draw_page(["Some words", "below them"], size=(640, 300))
    gray[200:203, 20:500] = 20
    rng = np.random.default_rng(1)
    gray = np.clip(gray + rng.normal(0, 6, gray.shape), 0, 255).astype(np.uint8)
    blobs = mser.blobs(upright_of(gray))
    refused = np.flatnonzero(blobs.fate)
    assert len(refused)
    for row in refused:
        name = Blobs.FATES[blobs.fate[row]]
        value, limit = blobs.fate_value[row], blobs.fate_limit[row]
        assert value < limit if name in refusal.BELOW_LIMIT else value > limit, name
    assert np.isnan(blobs.fate_value[kept(blobs)]).all()


def test_a_tree_parent_has_the_polarity_of_its_child_and_holds_it():
    gray, _ = draw_page(["Branches", "of a tree"])
    blobs = mser.blobs(upright_of(gray))
    child = np.flatnonzero(blobs.tree_parent >= 0)
    parent = blobs.tree_parent[child]
    assert len(child)
    assert (blobs.polarity[child] == blobs.polarity[parent]).all()
    assert (blobs.area[child] < blobs.area[parent]).all()
    assert (blobs.box[child, :2] >= blobs.box[parent, :2]).all()
    assert (blobs.box[child, 2:] <= blobs.box[parent, 2:]).all()


def test_pixels_of_a_blob_fill_its_box_and_area():
    gray, _ = draw_page(["Pixels"], size=(300, 80))
    gray[70:73, 10:290] = 20
    upright = upright_of(gray)
    blobs = mser.blobs(upright)
    rows = [*kept(blobs)[:4], *np.flatnonzero(blobs.polarity == LIGHT)[:3],
            int(np.argmax(blobs.box[:, 2] - blobs.box[:, 0]))]
    for row in rows:
        xy = mser.pixels(upright, blobs, int(row))
        assert len(xy) == blobs.area[row]
        assert (xy.min(0) == blobs.box[row, :2]).all()
        assert (xy.max(0) + 1 == blobs.box[row, 2:]).all()


def test_pixels_with_other_settings_are_refused_in_words():
    gray, _ = draw_page(["Pixels"], size=(300, 80))
    blobs = mser.blobs(upright_of(gray))
    with pytest.raises(ValueError, match="settings"):
        mser.pixels(upright_of(gray), blobs, int(kept(blobs)[0]),
                    mser.BlobSettings(engine="cv2", blur=9, clahe_clip=0.0))
    with pytest.raises(ValueError, match="settings"):
        mser.pixels(upright_of(gray), blobs, int(kept(blobs)[-1]), mser.BlobSettings(min_area=60))


def test_ink_at_the_very_edge_is_found():
    gray = np.full((60, 200), 235, np.uint8)
    gray[0:20, 0:6] = 20
    blobs = mser.blobs(upright_of(gray))
    assert (blobs.box[blobs.polarity == DARK, :2].min(0) == 0).all()


def test_a_bilevel_page_gives_letters():
    gray, words = draw_page(["Bilevel"])
    blobs = mser.blobs(upright_of(np.where(gray > 127, 255, 0).astype(np.uint8)))
    rows = blobs_in(blobs, np.array(words[0].box) + (-1, -1, 1, 1), DARK)
    assert len(rows) >= len("Bilevel") - 1    # the blur may join v and e
    assert np.abs(geometry.union(blobs.box[rows]) - words[0].box).max() <= 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (2, 2), (3, 3), (9, 9), (200, 300)])
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_blank_page_of_any_size_is_an_empty_table(shape, grey):
    assert len(mser.blobs(upright_of(np.full(shape, grey, np.uint8)))) == 0


def test_steps_count_to_the_nearest_taken_region():
    #        0 <- 1 <- 2 <- 3,  4 (nothing taken on its branch)
    parent = np.array([-1, 0, 1, 2, -1], np.int32)
    taken = np.array([False, False, True, False, False])
    steps = branches.steps_to(parent, taken)
    assert steps[:4].tolist() == [2, 1, 0, 1] and steps[4] > 1000
    assert branches.outermost(parent, np.array([False, True, True, True, True])).tolist() == \
        [False, True, False, False, True]


@pytest.mark.parametrize("engine", ["tree", "cv2"])
def test_the_tree_equals_containment_by_pixels(engine):
    rng = np.random.default_rng(3)
    gray = cv2.GaussianBlur(rng.integers(0, 256, (60, 70), dtype=np.uint8), (9, 9), 3)
    gray = cv2.normalize(gray, None, 0, 255, cv2.NORM_MINMAX)
    upright = upright_of(gray)
    settings = mser.BlobSettings(engine=engine, blur=0, clahe_clip=0, min_area=8, small_print=0)
    blobs = mser.blobs(upright, settings)
    sets = [frozenset(map(tuple, mser.pixels(upright, blobs, i, settings)))
            for i in range(len(blobs))]
    assert len(sets) > 5
    for i, mine in enumerate(sets):
        holders = [j for j in range(len(sets)) if blobs.polarity[j] == blobs.polarity[i]
                   and len(sets[j]) > len(mine) and mine < sets[j]]
        smallest = min(holders, key=lambda j: len(sets[j]), default=-1)
        assert blobs.tree_parent[i] == smallest


def measured(n_letters: int, n_specks: int) -> refusal.Measures:
    """Regions side by side: letters of 8 x 12 px and 50 px of ink, specks of 4 px."""
    n = n_letters + n_specks
    side = np.where(np.arange(n)[:, None] < n_letters, (8, 12), (2, 2))
    low = np.stack([20 * np.arange(n), np.zeros(n)], 1)
    same = np.ones(n, np.float32)
    return refusal.Measures(
        box=np.concatenate([low, low + side], 1).astype(np.float32),
        area=np.where(np.arange(n) < n_letters, 50, 4).astype(np.int32),
        parent=np.full(n, -1, np.int32), polarity=np.zeros(n, np.uint8), level=np.ones(n, np.uint8),
        variation=same, contrast=100 * same, edge_contrast=100 * same, peak_contrast=100 * same)


def test_dots_of_four_pixels_are_kept_beside_letters_and_refused_on_a_page_of_specks():
    fate, _, _ = refusal.fates(measured(40, 10), mser.BlobSettings())
    assert (fate == 0).all()
    fate, value, limit = refusal.fates(measured(40, 60), mser.BlobSettings())
    assert (fate[:40] == 0).all()
    assert (fate[40:] == refusal.FATE["too small"]).all()
    assert (value[40:] == 2).all() and (value[40:] < limit[40:]).all()


def test_a_dot_may_be_fainter_than_a_letter():
    m = measured(40, 1)
    m.contrast[40] = 0.9 * mser.BlobSettings().min_contrast * 100
    assert (refusal.fates(m, mser.BlobSettings())[0] == 0).all()
    m.contrast[39] = m.contrast[40]
    assert refusal.fates(m, mser.BlobSettings())[0][39] == refusal.FATE["too faint"]
