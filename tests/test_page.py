"""Drawn pages say what their truth says, where it says it; photos carry the truth along."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.errors import Missing, Usage
from core.synth.page import PageSettings, page
from core.synth.page_kinds import KINDS
from core.synth.page_transforms import PhotoSettings, photograph
from core.synth.photos import photograph_documents

CLEAN = PageSettings(scaled=0.0, blur=0.0, noise=0.0, jpeg=0.0)
DEFECTS = ("turn", "perspective", "curl", "fold", "gradient", "shadow", "glare", "blur", "motion",
           "noise", "jpeg")
SHARP = replace(PhotoSettings(), **dict.fromkeys(DEFECTS[4:], 0.0))


def only(kind: str, settings: PageSettings = CLEAN) -> PageSettings:
    return replace(settings, **{name: float(name == kind) for name in KINDS})


def _ink(image: np.ndarray) -> np.ndarray:
    """Where a page differs from its commonest tone, its paper."""
    paper = int(np.bincount(image.ravel()).argmax())
    return np.abs(image.astype(int) - paper) > 12


@pytest.mark.parametrize("kind", KINDS)
def test_each_box_is_the_bound_of_its_words_ink(kind: str) -> None:
    for i in range(2):
        drawn = page(only(kind), 5, i)
        ink = _ink(drawn.image)
        assert drawn.kind == kind and len(drawn.items) > 8
        for item in drawn.items:
            x0, y0, x1, y1 = (int(v) for v in item.box)
            part = ink[y0:y1, x0:x1]
            assert part[0].any() or part[1].any(), item
            assert part[:, 0].any() or part[:, 1].any(), item
            assert part[-2:].any() and part[:, -2:].any(), item
            assert item.text and " " not in item.text


def test_a_letter_has_no_ink_outside_its_boxes() -> None:
    drawn = page(only("letter"), 5, 3)
    ink = _ink(drawn.image)
    for item in drawn.items:
        x0, y0, x1, y1 = (int(v) for v in item.box)
        ink[y0:y1, x0:x1] = False
    assert not ink.any()


def test_boxes_follow_a_page_of_another_resolution() -> None:
    exact = page(only("letter"), 5, 8)
    scaled = page(only("letter", replace(CLEAN, scaled=1.0)), 5, 8)
    factor = scaled.image.shape[1] / exact.image.shape[1]
    assert factor != 1
    assert [i.text for i in exact.items] == [i.text for i in scaled.items]
    for a, b in zip(exact.items, scaled.items):
        assert np.allclose(np.array(a.box) * factor, b.box, atol=1.0)


def test_the_same_page_is_made_again() -> None:
    a, b = page(PageSettings(), 2, 7), page(PageSettings(), 2, 7)
    assert (a.image == b.image).all() and a[1:] == b[1:]
    assert (page(PageSettings(), 3, 7).image.shape != a.image.shape
            or (page(PageSettings(), 3, 7).image != a.image).any())


def test_every_kind_of_page_comes() -> None:
    settings = replace(CLEAN)
    assert {page(settings, 1, i).kind for i in range(40)} == set(KINDS)


# ---- photos ------------------------------------------------------------------------------------

def _spots() -> tuple[np.ndarray, np.ndarray]:
    """A page of black bars, their boxes."""
    image, boxes = np.full((800, 600), 255, np.uint8), []
    for y in range(40, 760, 90):
        for x in range(40, 480, 140):
            image[y:y + 24, x:x + 90] = 0
            boxes.append((x, y, x + 90, y + 24))
    return image, np.array(boxes, np.float32)


def test_boxes_of_a_photo_bound_what_they_bounded_on_the_page() -> None:
    image, boxes = _spots()
    for i in range(3):
        photo = photograph(image, boxes, SHARP, 3, i)
        for k in range(0, len(boxes), 7):
            # this bar alone: the page without it differs just there
            without = image.copy()
            x0, y0, x1, y1 = boxes[k].astype(int)
            without[y0:y1, x0:x1] = 255
            moved = np.abs(photograph(without, boxes, SHARP, 3, i).image.astype(int)
                           - photo.image) > 128
            rows, columns = np.flatnonzero(moved.any(1)), np.flatnonzero(moved.any(0))
            # a pixel of sampling, half of one of the threshold
            assert np.allclose((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1),
                               photo.box[k], atol=1.5), (i, k)
        assert (np.abs(photo.quads.min(1) - photo.box[:, :2]) < 8).all()


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_switched_off_leaves_the_others_alone(name: str) -> None:
    image, boxes = _spots()
    strong = replace(PhotoSettings(), **dict.fromkeys(DEFECTS, 1.0))
    a = photograph(image, boxes, strong, 1, 1)
    b = photograph(image, boxes, replace(strong, **{name: 0.0}), 1, 1)
    assert tuple(s for s in a.recipe if s.name != name) == b.recipe != a.recipe
    if name in DEFECTS[4:]:
        assert (a.box == b.box).all() and (a.image != b.image).any()


def test_colour_and_quads_pass_and_other_truth_is_refused() -> None:
    image, boxes = _spots()
    colour = photograph(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), boxes, PhotoSettings(), 1, 2)
    quads = photograph(image, boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2),
                       PhotoSettings(), 1, 2)
    assert colour.image.shape == (*quads.image.shape, 3)
    assert np.allclose(colour.box, quads.box)
    assert photograph(image, [], PhotoSettings(), 1, 2).box.shape == (0, 4)
    with pytest.raises(Usage, match="shape"):
        photograph(image, boxes[:, :3], PhotoSettings(), 1, 2)


def test_documents_are_photographed_but_forms_only_when_asked(tmp_path) -> None:
    image, boxes = _spots()
    for category in ("letters", "forms"):
        folder = tmp_path / "in" / category
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "a.png"), image)
        items = [{"text": "x", "box": b.tolist(), "ignore": True} for b in boxes]
        (folder / "a.json").write_text(json.dumps(
            {"category": category, "level": "word", "case": "printed", "items": items}))
    written = photograph_documents(tmp_path / "in", tmp_path / "out", PhotoSettings(), 1)
    assert [p.relative_to(tmp_path / "out").as_posix() for p in written] == ["photos/a.json"]
    truth = json.loads(written[0].read_text())
    photo = cv2.imread(str(written[0].with_suffix(".jpg")))
    assert truth["category"] == "photos" and truth["size"] == [photo.shape[1], photo.shape[0]]
    assert len(truth["items"]) == len(boxes) and all(i["ignore"] for i in truth["items"])
    both = photograph_documents(tmp_path / "in", tmp_path / "all", PhotoSettings(), 1, forms=True)
    assert [p.name for p in both] == ["a.json", "a-2.json"]
    with pytest.raises(Missing):
        photograph_documents(tmp_path / "out", tmp_path / "x", PhotoSettings(), 1)
