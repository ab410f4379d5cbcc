"""The component tree: equal to thresholding by brute force, and what it finds on drawn pages."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from core.detector import tree, tree_build

FRACTION = 0.45  # a gap of 2 px between letters keeps a third of their contrast after a 3 x 3 blur
SHAPES = ((12, 17), (1, 17), (12, 1), (1, 1), (9, 33), (20, 8))


# ---- the tree is exact ---------------------------------------------------------------------------

def keys_of(gray, paper, least, shift):
    """(H, W): level + 128 for what is lighter than its paper, by the definition."""
    contrast = paper.astype(int) - gray
    level = np.where(np.abs(contrast) < least, 0, ((np.abs(contrast) - least) >> shift) + 1)
    return np.where((contrast < 0) & (level > 0), level + 128, level)


def regions_by_thresholding(keys):
    """Sorted (level, polarity, area, box, peak, sum of levels) of every extremal region."""
    found = []
    for polarity in (0, 1):
        level = np.where(keys >> 7 == polarity, keys & 127, 0)
        for threshold in np.unique(level[level > 0]):
            label, _ = ndimage.label(level >= threshold)
            for i, (rows, columns) in enumerate(ndimage.find_objects(label), start=1):
                inside = level[rows, columns][label[rows, columns] == i]
                if inside.min() == threshold:  # else it is the same set as one level higher
                    found.append((int(threshold), polarity, inside.size, columns.start, rows.start,
                                  columns.stop, rows.stop, int(inside.max()), int(inside.sum())))
    return sorted(found)


def regions_by_tree(gray, paper, least, shift, min_area=1):
    nodes, n = tree_build.build(gray, paper, least, shift)
    parent, key, peak, area, box, seed, level_sum = tree_build.settle(
        nodes, n, gray.shape[1], min_area)
    columns = zip(key & 127, key >> 7, area, *box.T, peak, level_sum, strict=True)
    return sorted(tuple(map(int, row)) for row in columns), parent, seed


def random_page(seed):
    rng = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    reach = rng.integers(1, 128)
    gray = rng.integers(128 - reach, 128 + reach, shape).astype(np.uint8)
    if seed % 3 == 0:
        gray = ndimage.uniform_filter(gray, 3)
    paper = np.full(shape, 128, np.uint8) if seed % 2 else \
        rng.integers(90, 160, shape).astype(np.uint8)
    return gray, paper, int(rng.integers(2, 40)), int(rng.integers(1, 6))


@pytest.mark.parametrize("first", range(0, 600, 100))
def test_tree_equals_brute_force_thresholding(first):
    for seed in range(first, first + 100):
        gray, paper, least, shift = random_page(seed)
        expected = regions_by_thresholding(keys_of(gray, paper, least, shift))
        assert regions_by_tree(gray, paper, least, shift)[0] == expected, f"seed {seed}"


def test_every_contrast_from_minus_255_to_255_has_its_level():
    gray = np.concatenate([np.arange(256), np.arange(256)]).astype(np.uint8)[None]
    paper = np.repeat([0, 255], 256).astype(np.uint8)[None]
    for least, shift in ((2, 1), (8, 2), (32, 3)):
        keys = np.zeros(512, np.uint8)
        tree_build.row_keys(gray[0], paper[0], np.uint8(least), np.uint8(shift), keys)
        assert (keys == keys_of(gray, paper, least, shift)[0]).all()


def test_regions_below_the_least_area_are_left_out_and_their_pixels_count():
    for seed in range(60):
        gray, paper, least, shift = random_page(seed)
        every, _, _ = regions_by_tree(gray, paper, least, shift)
        large, _, _ = regions_by_tree(gray, paper, least, shift, min_area=5)
        assert large == [region for region in every if region[2] >= 5]


def test_a_parent_is_the_smallest_region_around_its_child_and_comes_before_it():
    for seed in range(120):
        gray, paper, least, shift = random_page(seed)
        keys = keys_of(gray, paper, least, shift)
        found, parent, start = tree_build.settle(
            *tree_build.build(gray, paper, least, shift), gray.shape[1], 1), None, None
        parent, key, _, area, _, start, _ = found
        masks = []
        for k, place in zip(key, start, strict=True):
            level = np.where(keys >> 7 == k >> 7, keys & 127, 0)
            label, _ = ndimage.label(level >= k & 127)
            masks.append(label == label.flat[place])
        assert [int(m.sum()) for m in masks] == area.tolist()
        for i, p in enumerate(parent):
            around = [j for j, m in enumerate(masks) if j != i and m[masks[i]].all()]
            assert p == (min(around, key=lambda j: area[j]) if around else -1)
            assert p < i


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (30, 30), (3, 700)])
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_page_of_one_grey_has_no_regions(shape, grey):
    found = tree.build(np.full(shape, grey, np.uint8))
    assert len(found) == 0 and found.box.shape == (0, 4)
    assert tree.dedupe(found, 0.3).shape == (0,)


def test_variation_and_stability_follow_their_definition():
    # one branch: 40 px at level 1 shrink to 10, 10, 9, 4
    parent = np.arange(-1, 4, dtype=np.int32)
    level = np.arange(1, 6, dtype=np.uint8)
    area = np.array([40, 10, 10, 9, 4], np.int32)
    variation, stable = tree_build.stability(parent, level, area, 1, 0.5)
    assert np.allclose(variation, [np.inf, 3, 0, 1 / 9, 5 / 4])
    assert stable.tolist() == [False, False, True, False, False]


# ---- drawn pages ---------------------------------------------------------------------------------

def page(paper=235, shape=(600, 900)):
    return np.full(shape, paper, np.uint8)


def write(image, text, x, y, ink, scale=1.2):
    """Draw text and return its true bound (x0, y0, x1, y1)."""
    clean = np.zeros(image.shape, np.uint8)
    cv2.putText(clean, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 2, cv2.LINE_AA)
    image[:] = (image * (1 - clean / 255.0) + ink * (clean / 255.0)).round().astype(np.uint8)
    return (*np.argwhere(clean > 127).min(0)[::-1], *(np.argwhere(clean > 127).max(0)[::-1] + 1))


def letters_in(found, bound, polarity, slack=3):
    """Boxes of the regions of one polarity, one per branch, that lie in a bound, of its height."""
    taken = tree.dedupe(found, FRACTION) & (found.polarity == polarity)
    box = found.box[taken]
    x0, y0, x1, y1 = bound
    inside = ((box[:, 0] >= x0 - slack) & (box[:, 1] >= y0 - slack) & (box[:, 2] <= x1 + slack)
              & (box[:, 3] <= y1 + slack) & (box[:, 3] - box[:, 1] >= 0.6 * (y1 - y0)))
    return box[inside]


@pytest.mark.parametrize("paper, ink, polarity", [
    (235, 20, 0), (20, 230, 1), (235, 200, 0), (128, 90, 0), (100, 160, 1)])
def test_each_letter_is_one_region_of_its_polarity(paper, ink, polarity):
    image = page(paper)
    bound = write(image, "HAMLET", 100, 300, ink)
    assert len(letters_in(tree.build(image), bound, polarity)) == 6


def test_letters_are_found_on_noisy_and_unevenly_lit_paper():
    image = page()
    bound = write(image, "HAMLET", 100, 300, 40)
    light = np.linspace(0.45, 1.0, 900)[None] * np.linspace(0.8, 1.0, 600)[:, None]
    rng = np.random.default_rng(0)
    photo = np.clip(image * light + rng.normal(0, 5, image.shape), 0, 255).astype(np.uint8)
    found = tree.build(photo)
    assert len(letters_in(found, bound, 0)) == 6
    assert (found.box[tree.dedupe(found, 0.32)][:, 2] > bound[2] + 3).sum() < 20


def test_a_bilevel_scan_is_blurred_and_its_letters_are_found():
    image = page()
    bound = write(image, "HAMLET", 100, 300, 20)
    scan = np.where(image > 128, 255, 0).astype(np.uint8)
    found = tree.build(scan)
    assert found.choice.blur == 3 and "bilevel" in found.choice.reason
    assert len(letters_in(found, bound, 0)) == 6


@pytest.mark.parametrize("height", [50, 90, 150, 260])
@pytest.mark.parametrize("paper, panel, ink, polarity", [(240, 30, 245, 1), (25, 220, 15, 0)])
def test_inverse_text_is_found_on_panels_of_any_height(height, paper, panel, ink, polarity):
    image = page(paper)
    image[120:120 + height, 60:840] = panel
    first = write(image, "FIRST", 100, 160, ink)
    bounds = [first] if height < 90 else [first, write(image, "FINE", 600, 110 + height, ink)]
    bounds.append(write(image, "OUT", 100, 560, panel))
    found = tree.build(image)
    counts = [len(letters_in(found, b, polarity)) for b in bounds[:-1]]
    assert counts == [5, 4][:len(counts)]
    assert len(letters_in(found, bounds[-1], 1 - polarity)) == 3


def test_regions_on_a_panel_hang_below_it():
    image = page()
    image[120:170, 60:840] = 30
    write(image, "FIRST", 100, 160, 245)
    found = tree.build(image)
    light = np.flatnonzero((found.polarity == 1) & (found.area > 60))
    assert len(light)
    for row in light:
        assert tree.panel_of(found, row).tolist() == [60, 120, 840, 170]


def test_pixels_of_a_region_have_its_area_and_its_box():
    image = page()
    image[120:170, 60:840] = 30
    write(image, "FIRST", 100, 160, 245)
    write(image, "HAMLET", 100, 300, 20)
    found = tree.build(image)
    assert set(found.polarity) == {0, 1}
    for row in range(0, len(found), 7):
        xy = tree.pixels(image, found, row)
        assert len(xy) == found.area[row]
        assert (*xy.min(0), *(xy.max(0) + 1)) == tuple(found.box[row])


# ---- choosing ------------------------------------------------------------------------------------

def test_no_taken_region_lies_in_another_of_its_polarity():
    rng = np.random.default_rng(3)
    image = cv2.GaussianBlur(rng.integers(0, 256, (200, 300)).astype(np.uint8), (0, 0), 2)
    found = tree.build(image, min_area=4)
    taken = tree.dedupe(found, 0.4)
    assert taken.sum() > 20
    for row in np.flatnonzero(taken):
        above = found.parent[row]
        while above >= 0 and found.polarity[above] == found.polarity[row]:
            assert not taken[above]
            above = found.parent[above]


def test_every_branch_keeps_a_region():
    rng = np.random.default_rng(4)
    image = cv2.GaussianBlur(rng.integers(0, 256, (200, 300)).astype(np.uint8), (0, 0), 2)
    found = tree.build(image)
    covered = tree.dedupe(found, 0.4).copy()
    for row in range(len(found)):
        covered[row] |= found.parent[row] >= 0 and covered[found.parent[row]]
    leaf = np.ones(len(found), bool)
    leaf[found.parent[found.parent >= 0]] = False
    assert covered[leaf].all()


def test_a_subset_links_to_the_nearest_kept_ancestor():
    image = page()
    write(image, "HAMLET", 100, 300, 20)
    found = tree.build(image)
    keep = np.random.default_rng(0).random(len(found)) < 0.4
    part, rows = tree.subset(found, keep), np.flatnonzero(keep)
    for i, row in enumerate(rows):
        above = found.parent[row]
        while above >= 0 and not keep[above]:
            above = found.parent[above]
        assert (rows[part.parent[i]] if part.parent[i] >= 0 else -1) == above
        assert (part.box[i] == found.box[row]).all()


def test_where_a_region_is_not_eligible_those_inside_it_stand_in():
    image = page()
    write(image, "HAMLET", 100, 300, 20)
    image[294:306, 80:260] = np.minimum(image[294:306, 80:260], 120)  # a grey bar joins the letters
    found = tree.build(image)
    narrow = (found.box[:, 2] - found.box[:, 0] < 40) & (found.polarity == 0)
    joined = found.box[tree.dedupe(found, 0.32)]
    assert (joined[:, 2] - joined[:, 0]).max() >= 180
    assert tree.dedupe(found, 0.32, narrow).sum() == 6


def test_counters_of_letters_on_a_panel_are_no_regions():
    image = page()
    image[120:170, 60:840] = 30
    write(image, "BOARD", 100, 160, 245)
    found = tree.build(image)
    taken = tree.dedupe(found, 0.32)
    box = found.box[taken & (found.polarity == 0)]
    assert len(box) == 1 and box[0].tolist() == [60, 120, 840, 170]


def test_a_page_is_read_alike_on_every_call():
    image = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    first, second = tree.build(image), tree.build(image)
    assert all((getattr(first, name) == getattr(second, name)).all() for name in tree.COLUMNS)
