"""The upright stage: what is turned, what is left alone, and where a point of the page goes."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core import geometry
from core.errors import Mismatch, Missing
from core.orientation import net
from core.orientation.tiles import TILE, cut_tiles, standardise, to_reading_scale
from core.orientation.upright import UprightSettings, decide, page_scores, upright
from core.reading import Page

WEIGHTS = Path(__file__).parents[1] / "resources" / "models" / "orientation.pt"
SHARED = Path(__file__).parents[2] / "shared" / "data"
needs_weights = pytest.mark.skipif(not WEIGHTS.exists(), reason="no shipped weights")


def page_of(image):
    return Page(image=image, dpi=150.0, points_from_page=geometry.scaling(72 / 150), digest="")


def text_page(ink=0, paper=255):
    """A page of printed prose, upright, 150 dpi."""
    import pymupdf

    page = pymupdf.open().new_page(width=420, height=595)
    prose = ("The river rises in the hills above the town and runs south past the old mill, "
             "where the road to Westfield crosses it by a bridge of three arches. ") * 9
    page.insert_textbox(pymupdf.Rect(40, 40, 380, 550), prose, fontsize=11, fontname="tiro")
    pixels = page.get_pixmap(dpi=150, colorspace=pymupdf.csGRAY)
    gray = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.h, pixels.w)
    return cv2.LUT(gray, np.linspace(ink, paper, 256).astype(np.uint8))


@pytest.fixture(scope="module")
def loaded():
    return net.load(WEIGHTS)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_turn_by_hand_carries_points_back_to_the_page(turn):
    image = np.full((60, 100), 255, np.uint8)
    image[10:12, 70:72] = 0  # centre (71, 11)
    table = upright(page_of(image), UprightSettings(turn=turn), None)
    assert table.quarter_turns == turn
    y, x = np.argwhere(table.gray == 0).mean(0) + 0.5
    assert geometry.apply(table.page_from_upright, [x, y]) == pytest.approx((71, 11))
    assert np.array_equal(table.gray, np.rot90(image, turn))


def test_a_page_above_the_limit_is_scaled_and_says_so():
    image = np.full((1000, 500), 255, np.uint8)
    table = upright(page_of(image), UprightSettings(turn=1, megapixels=0.125), None)
    assert table.gray.shape == (250, 500)
    assert geometry.scale_of(table.page_from_upright) == pytest.approx(2)
    corners = geometry.apply(table.page_from_upright, [[0, 0], [500, 250]])
    assert corners == pytest.approx(np.array([[500, 0], [0, 1000]]))


def test_colour_becomes_gray():
    table = upright(page_of(np.full((20, 30, 3), (255, 0, 0), np.uint8)),
                    UprightSettings(enabled=False), None)
    assert table.gray.shape == (20, 30) and table.gray[0, 0] == 76  # Rec. 601 red


def test_a_blank_page_is_left_alone():
    class Never:
        def log_scores(self, tile):
            assert len(tile) == 0
            return np.zeros((0, 4), np.float32)

    table = upright(page_of(np.full((300, 200), 250, np.uint8)), UprightSettings(), Never())
    assert table.quarter_turns == 0 and "nothing" in table.reason


def test_a_turn_needs_the_margin():
    assert decide(np.array([0.3, 0.6, 0.05, 0.05]), 12, 0.5)[0] == 0
    assert decide(np.array([0.1, 0.8, 0.05, 0.05]), 12, 0.5)[0] == 1
    assert decide(np.array([0.6, 0.4, 0.0, 0.0]), 12, 0.5)[0] == 0


def test_page_scores_are_probabilities_and_grow_surer_with_agreement():
    one = np.log(np.array([[0.1, 0.7, 0.1, 0.1]], np.float32))
    scores = [page_scores(np.repeat(one, n, 0)) for n in (1, 4, 16)]
    assert all(s.sum() == pytest.approx(1) and s.argmax() == 1 for s in scores)
    assert scores[0][1] < scores[1][1] < scores[2][1]


def test_tiles_lie_on_the_ink():
    page = np.full((1200, 1200), 255, np.uint8)
    page[:200, 900:] = text_page()[100:300, 100:400]
    tiles = cut_tiles(page, 3)
    assert 1 <= len(tiles) <= 3 and tiles.shape[1:] == (TILE, TILE)
    assert all((t < 128).any() for t in tiles)


def test_light_on_dark_looks_like_dark_on_light_to_the_net():
    tile = cut_tiles(text_page(), 4)
    np.testing.assert_allclose(standardise(tile), standardise(255 - tile), atol=1e-4)


def test_a_large_page_is_shrunk_and_a_stamp_hardly_enlarged():
    assert to_reading_scale(np.zeros((3508, 2480), np.uint8)).shape == (1427, 1009)
    assert to_reading_scale(np.zeros((100, 100), np.uint8)).shape == (150, 150)


@needs_weights
@pytest.mark.parametrize("turn", [0, 1, 2, 3])
@pytest.mark.parametrize("tones", [(0, 255), (230, 20)], ids=["dark on light", "light on dark"])
def test_a_printed_page_comes_upright(turn, tones, loaded):
    image = np.ascontiguousarray(np.rot90(text_page(*tones), -turn))
    table = upright(page_of(image), UprightSettings(), loaded)
    assert table.quarter_turns == turn, table.reason
    assert np.array_equal(table.gray, text_page(*tones))


@needs_weights
@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared documents")
def test_real_pages_come_upright(loaded):
    folder = SHARED / "documents" / "dev"
    pages = [p for name in ("letter_sized", "scanned_docs", "screenshots", "register_tapes")
             for p in sorted((folder / name).glob("*.*g"))[:2]]
    assert pages
    for path in pages:
        gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        for turn in (0, 1, 2, 3):
            image = np.ascontiguousarray(np.rot90(gray, -turn))
            table = upright(page_of(image), UprightSettings(), loaded)
            assert table.quarter_turns == turn, (path.name, table.reason)


def test_missing_or_foreign_weights_say_so(tmp_path):
    with pytest.raises(Missing, match="gone.pt"):
        net.load(tmp_path / "gone.pt")
    (tmp_path / "junk.pt").write_bytes(b"junk")
    with pytest.raises(Mismatch, match="junk.pt"):
        net.load(tmp_path / "junk.pt")


def test_saved_weights_score_alike(tmp_path):
    import torch

    torch.manual_seed(0)
    model = net.UprightNet().eval()
    net.save(model, tmp_path / "o.pt", 0)
    tile = cut_tiles(text_page(), 2)
    first = net.LoadedUprightNet(model, "", "").log_scores(tile)
    np.testing.assert_allclose(net.load(tmp_path / "o.pt").log_scores(tile), first, atol=0.01)
    # a tile turned once needs one turn fewer: the columns move along
    turned = net.LoadedUprightNet(model, "", "").log_scores(np.rot90(tile, 1, (1, 2)).copy())
    np.testing.assert_allclose(np.roll(first, -1, 1), turned, atol=1e-4)
