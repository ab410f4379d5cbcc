"""The walk through the tree at a blob: what is listed, plotted and picked."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from core.detector import mser
from core.reading import Reading, Ref, kept, lineage
from tests.pages import draw_page, upright_of
from views.blob_tree import BlobTree, siblings
from views.canvas import Canvas

LEFT, RIGHT = [150, 220, 160, 240], [172, 220, 182, 240]   # two bars, px, half-open


def reading() -> Reading:
    """Words, and two dark bars that a grey bridge joins into one region at a lower contrast."""
    gray, _ = draw_page(["some words of ink", "and more below it"], size=(640, 400))
    for x0, y0, x1, y1 in (LEFT, RIGHT):
        gray[y0:y1, x0:x1] = 20
    gray[228:234, 160:172] = 150
    upright = upright_of(gray)
    return Reading(upright=upright, blobs=mser.blobs(upright))


@pytest.fixture(scope="module")
def page() -> Reading:
    return reading()


@pytest.fixture
def tree(qtbot, page):
    view = BlobTree()
    qtbot.addWidget(view)
    view.resize(420, 420)
    view.show()
    view.show(page)
    view.seen = []
    view.picked.connect(view.seen.append)
    return view


def look_at(view: BlobTree, page: Reading, row: int) -> None:
    view.highlight(lineage(page, Ref("blobs", row)))


def row_of(page: Reading, box: list[int]) -> int:
    return int(np.flatnonzero((page.blobs.box == box).all(1))[0])


def listed(view: BlobTree, group: int) -> list[int]:
    item = view.tree.topLevelItem(group)
    return [item.child(i).data(0, Qt.ItemDataRole.UserRole) for i in range(item.childCount())]


def test_the_other_bar_is_a_sibling_and_the_region_of_both_the_parent(tree, page):
    left, right = row_of(page, LEFT), row_of(page, RIGHT)
    both = row_of(page, [*LEFT[:2], *RIGHT[2:]])
    assert siblings(page.blobs, left).tolist() == [right]
    look_at(tree, page, left)
    assert [listed(tree, group) for group in (0, 1, 3)] == [[both], [left], [right]]
    tree.steps["next"].click()
    assert tree.seen == [Ref("blobs", right)]


def test_a_root_has_no_siblings(page):
    assert len(siblings(page.blobs, int(np.flatnonzero(page.blobs.tree_parent < 0)[0]))) == 0


def test_parent_children_and_siblings_are_listed(tree, page):
    row = int(kept(page.blobs)[0])
    look_at(tree, page, row)
    parents = page.blobs.tree_parent
    assert listed(tree, 0) == ([int(parents[row])] if parents[row] >= 0 else [])
    assert listed(tree, 1) == [row]
    assert set(listed(tree, 2)) == set(np.flatnonzero(parents == row).tolist())


def test_a_click_on_a_listed_region_picks_it(tree, page):
    row = next(int(r) for r in kept(page.blobs) if page.blobs.tree_parent[r] >= 0)
    look_at(tree, page, row)
    tree.tree.itemClicked.emit(tree.tree.topLevelItem(0).child(0), 0)
    assert tree.seen == [Ref("blobs", int(page.blobs.tree_parent[row]))]


def test_up_and_down_lead_back_to_the_same_branch(tree, page):
    row = next(int(r) for r in kept(page.blobs) if page.blobs.tree_parent[r] >= 0)
    look_at(tree, page, row)
    tree.steps["parent"].click()
    look_at(tree, page, tree.seen[-1].row)
    assert tree.seen[-1].row == page.blobs.tree_parent[row]
    tree.steps["child"].click()
    assert page.blobs.tree_parent[tree.seen[-1].row] == page.blobs.tree_parent[row]


def test_a_click_in_the_plot_picks_the_region_of_that_level(qtbot, tree, page):
    rows = kept(page.blobs)
    row = int(max(rows, key=lambda r: page.blobs.level[r]))
    look_at(tree, page, row)
    qtbot.wait(50)
    walk, plot = tree.walk, tree.area
    level = float(walk.level[-1])
    box = plot.plotItem.vb
    at = plot.mapFromScene(box.mapViewToScene(QPointF(level, box.viewRect().center().y())))
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert tree.seen == [Ref("blobs", int(walk.branch[-1]))]


def test_a_word_leads_to_a_blob_and_nothing_picked_empties_the_view(tree, page):
    look_at(tree, page, int(kept(page.blobs)[0]))
    assert tree.walk is not None
    tree.highlight(None)
    assert tree.walk is None and tree.tree.topLevelItemCount() == 0


# ---- the layer of blobs on the page --------------------------------------------------------------

def shown_rows(canvas, page: Reading) -> set[int]:
    """Blobs that a click could pick."""
    rows = canvas.overlay.layers["blobs"]
    return set(np.flatnonzero(canvas.overlay._open_rows(rows, np.arange(len(rows)))).tolist())


def test_the_quick_filters_show_raw_stable_kept_refused_and_each_polarity(qtbot, page):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(900, 700)
    canvas.show(page)
    canvas.set_layer("blobs", True)
    blobs, filters = page.blobs, canvas._legend.filters
    is_stable = blobs.fate != blobs.FATES.index("duplicate of a tree neighbour")
    wanted = {"raw": blobs.fate >= 0, "stable": is_stable, "kept": blobs.fate == 0,
              "refused": is_stable & (blobs.fate > 0)}
    for name, rows in wanted.items():
        filters[name].click()
        assert shown_rows(canvas, page) == set(np.flatnonzero(rows).tolist()), name
    filters["raw"].click()
    for name, code in (("dark", 0), ("light", 1)):
        filters[name].click()
        assert shown_rows(canvas, page) == set(np.flatnonzero(blobs.polarity == code).tolist())
    filters["both"].click()
    assert len(shown_rows(canvas, page)) == len(blobs)
    assert all(entry.isChecked() for entry in canvas._legend.entries.values())
