"""What is shown beside the Word Detector's tables: the tree at a blob, a line's gaps, relaxed rules."""

from __future__ import annotations

import numpy as np
import pytest

from core.detector import grouping, mser
from core.detector.inspect import SETTINGS, gap_histogram, relaxed, tree_walk
from core.errors import Usage
from core.reading import Blobs, Boxes, Lines, kept
from tests.pages import draw_page, upright_of


def page() -> np.ndarray:
    """Words, a rule, specks, a disc and faint print."""
    gray, _ = draw_page(["some words of ink", "and more below it"], size=(640, 400))
    gray[180:183, 20:500] = 20
    gray[230:290, 500:600] = 20
    rng = np.random.default_rng(4)
    for x, y in rng.integers((10, 200), (480, 380), (30, 2)):
        gray[y:y + 2, x:x + 3] = 20
    for x in range(20, 400, 24):
        gray[330:345, x:x + 9] = 213
    return gray


def test_a_walk_leads_from_the_root_through_the_blob_into_its_largest_children():
    upright = upright_of(page())
    blobs = mser.blobs(upright)
    row = int(kept(blobs)[0])
    walk = tree_walk(blobs, row)
    assert row in walk.branch and (np.diff(walk.area) < 0).all()
    assert (blobs.tree_parent[walk.branch[1:]] == walk.branch[:-1]).all()
    assert blobs.tree_parent[walk.branch[0]] == -1
    assert (blobs.tree_parent[walk.children] == row).all()
    assert (np.diff(walk.level.astype(int)) > 0).all()
    with pytest.raises(IndexError):
        tree_walk(blobs, len(blobs))


def test_the_histogram_counts_every_gap_of_the_line_and_tells_its_threshold():
    upright = upright_of(page())
    blobs = mser.blobs(upright)
    lines = grouping.lines(upright, blobs)
    boxes = grouping.word_boxes(upright, blobs, lines)
    line = int(kept(lines)[0])
    found = gap_histogram(blobs, lines, line)
    mine = np.flatnonzero(boxes.line == line)
    assert found.count.sum() == len(found.gap) == len(lines.parents.of(line)) - 1
    assert (found.gap > found.threshold).sum() == len(mine) - 1
    assert found.threshold * found.height == pytest.approx(float(boxes.gap_limit[mine[0]]), rel=1e-4)
    assert (found.page_count >= found.count).all()
    refused = np.flatnonzero(lines.fate)
    if len(refused):
        with pytest.raises(ValueError, match="refused"):
            gap_histogram(blobs, lines, int(refused[0]))


def test_a_relaxed_rule_no_longer_refuses_the_row():
    upright = upright_of(page())
    blobs = mser.blobs(upright)
    lines = grouping.lines(upright, blobs)
    boxes = grouping.word_boxes(upright, blobs, lines)
    makers = {"blobs": lambda s: mser.blobs(upright, s),
              "lines": lambda s: grouping.lines(upright, blobs, s),
              "boxes": lambda s: grouping.word_boxes(upright, blobs, lines, s)}
    tried = 0
    for table, names in ((blobs, Blobs.FATES), (lines, Lines.FATES), (boxes, Boxes.FATES)):
        settings = SETTINGS[table.name]()
        seen = set()
        for row in np.flatnonzero(table.fate):
            try:
                looser = relaxed(settings, table, int(row))
            except Usage:
                continue
            changed = [f for f in vars(looser) if getattr(looser, f) != getattr(settings, f)]
            assert len(changed) == 1
            if (table.fate[row], changed[0]) in seen or np.all(table.box[row] == 0):
                continue
            seen.add((table.fate[row], changed[0]))
            again = makers[table.name](looser)
            same = np.flatnonzero((again.box == table.box[row]).all(1))
            assert len(same), names[table.fate[row]]
            later = again.fate[same]
            still = (later == table.fate[row]) & np.isclose(again.fate_limit[same],
                                                            table.fate_limit[row])
            assert not still.all(), (names[table.fate[row]], changed)
            tried += 1
    assert tried >= 2


def test_a_kept_row_and_a_duplicate_have_no_rule_to_relax():
    blobs = mser.blobs(upright_of(page()))
    duplicate = np.flatnonzero(blobs.fate == Blobs.FATES.index("duplicate of a tree neighbour"))
    for row in (int(kept(blobs)[0]), int(duplicate[0])):
        with pytest.raises(Usage, match="choose a row"):
            relaxed(mser.BlobSettings(), blobs, row)
