"""What the overlay draws of a reading, and which row a point picks."""

import numpy as np
import pytest
from hand_readings import WORD_BOXES, large_reading, small_reading
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from core import geometry
from core.reading import Boxes, Reading, Ref, lineage
from views.layers import LAYER_STYLES, LAYERS, caption, fate_text, layer_rows
from views.overlay import HighlightItem, OverlayItem, in_quads
from views.primitives import Shapes

pytestmark = pytest.mark.usefixtures("qapp")
WHITE = 0xffffffff


def overlay_of(reading, *shown) -> OverlayItem:
    item = OverlayItem()
    item.show(reading)
    for name in LAYERS:
        item.visible[name] = name in shown
    return item


def drawn(*items, width=400, height=300, scale=1.0) -> np.ndarray:
    """(H, W) bool: pixels that items, drawn on white at a scale, have touched."""
    scene = QGraphicsScene(0, 0, width, height)
    for item in items:
        scene.addItem(item)
    image = QImage(round(width * scale), round(height * scale), QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    scene.render(painter, QRectF(image.rect()), QRectF(0, 0, width, height))
    painter.end()
    for item in items:
        scene.removeItem(item)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)
    return (pixels[:, :image.width()] | 0xff000000) != WHITE


# ---- layers ------------------------------------------------------------------------------------

def test_every_layer_has_a_style_for_every_code():
    reading = small_reading()
    for name in LAYERS:
        rows = layer_rows(reading, name)
        assert len(rows) == len(reading.table(name)) == rows.counts.sum()
        assert rows.code.max() < len(LAYER_STYLES[name])


def test_no_two_entries_of_a_legend_look_alike():
    for name, styles in LAYER_STYLES.items():
        assert len({(s.colour, s.dash) for s in styles}) == len(styles), name


def test_a_refused_row_is_never_a_solid_line():
    for name in ("blobs", "lines", "boxes"):
        assert all(s.dash != "solid" for s in LAYER_STYLES[name] if not s.label.startswith("kept"))


def test_placed_words_lie_on_the_words_of_the_page():
    reading = small_reading()
    np.testing.assert_allclose(layer_rows(reading, "placed").box, reading.words.box, atol=0.01)


def test_a_joined_attempt_spans_all_its_segments():
    from dataclasses import replace

    from core.reading import Parents
    reading = small_reading()
    joined = replace(reading.attempts, parents=Parents.from_lists("transcripts", [[0, 1], [1], [2], []]))
    box = layer_rows(reading.with_table(joined), "attempts").box
    np.testing.assert_allclose(box[0], geometry.union(WORD_BOXES[:2]))
    np.testing.assert_allclose(box[1], WORD_BOXES[1])


def test_a_layer_waits_for_what_places_it():
    reading = small_reading()
    assert layer_rows(Reading(transcripts=reading.transcripts), "transcripts") is None
    assert layer_rows(Reading(), "blobs") is None


def test_a_refusal_is_told_with_value_and_limit():
    assert fate_text(small_reading().blobs, 9) == "too small (9 < 12)"
    assert fate_text(small_reading().blobs, 10) == "too big (106,400 > 40,000)"
    assert caption(small_reading(), "words", 3) == "words 3 · “world” · 0.45"


# ---- drawing -----------------------------------------------------------------------------------

def test_boxes_are_drawn_on_their_edges_and_nowhere_else():
    touched = drawn(overlay_of(small_reading(), "boxes"))
    for x0, y0, x1, y1 in WORD_BOXES.astype(int):
        assert touched[y0, x0 + 5:x1 - 5].all() and touched[y0 + 5:y1 - 5, x0].all()
        assert not touched[y0 + 3:y1 - 3, x0 + 3:x1 - 3].any()
    assert not touched[200:, :].any()


def test_a_hidden_legend_entry_is_not_drawn():
    item = overlay_of(small_reading(), "blobs")
    assert drawn(item)[10, 20:380].any()
    item.hidden_codes.add(("blobs", 4))   # "too big": the frame around the page
    assert not drawn(item)[10, 20:380].any()


def test_solo_draws_one_layer_even_if_its_eye_is_shut():
    item = overlay_of(small_reading(), "blobs", "words")
    item.solo = "lines"
    touched = drawn(item)
    assert touched[40, 105:115].any() and not touched[10, 20:380].any()


def test_a_slanted_quad_is_drawn_slanted_when_large_and_as_its_box_when_small():
    quad = np.array([[[50, 60], [350, 100], [346, 130], [46, 90]]], np.float32)
    one, zero = np.zeros(1, np.float32), np.zeros(1, np.uint8)
    base = small_reading()
    boxes = Boxes(np.zeros(1, np.int32), quad, geometry.boxes_from_quads(quad), zero, one, one, zero,
                  one, one, type(base.boxes.parents).from_lists("blobs", [[0]]))
    item = overlay_of(base.with_table(boxes), "boxes")
    assert layer_rows(base.with_table(boxes), "boxes").slanted.tolist() == [True]
    large = drawn(item)
    assert not large[60, 200:340].any()            # the box's top edge is not there
    assert large[79:82, 200].any()                 # the quad's is, half way down
    small = drawn(item, scale=0.03)                # 300 px become 9
    assert small.any()


def test_the_fallback_draws_what_the_fast_path_draws():
    pictures = []
    for fallback in (False, True):
        item = overlay_of(small_reading(), *LAYERS)
        item._shapes = Shapes(fallback)
        pictures.append(drawn(item))
    assert pictures[0].any()
    np.testing.assert_array_equal(*pictures)


def test_culling_leaves_out_nothing_that_is_in_view():
    """A part drawn alone equals the same part cut from the whole."""
    item = overlay_of(large_reading(3000, 900, 800), "boxes")
    whole = drawn(item, width=900, height=800)
    scene = QGraphicsScene(0, 0, 900, 800)
    scene.addItem(item)
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    scene.render(painter, QRectF(0, 0, 300, 200), QRectF(400, 300, 300, 200))
    painter.end()
    part = (np.frombuffer(image.constBits(), np.uint32).reshape(200, 300) | 0xff000000) != WHITE
    # A corner pixel may round the other way after the shift; a box left out would be 32 px or more.
    assert part.sum() > 1000 and (part != whole[300:500, 400:700]).sum() < 32
    scene.removeItem(item)


def test_many_shapes_are_kept_as_a_pixmap_and_few_are_not():
    item = overlay_of(large_reading(6000), "blobs")
    assert item.tune_cache(np.array([0, 0, 3000, 4000]))
    assert item.cacheMode() == QGraphicsItem.CacheMode.DeviceCoordinateCache
    assert not item.tune_cache(np.array([0, 0, 300, 300]))
    assert item.cacheMode() == QGraphicsItem.CacheMode.NoCache


def test_a_reading_with_the_same_tables_is_not_laid_out_again():
    reading = small_reading()
    item = overlay_of(reading)
    before = item.layers["blobs"]
    item.show(Reading(page=reading.page, upright=reading.upright, blobs=reading.blobs))
    assert item.layers["blobs"] is before and "words" not in item.layers


def test_an_empty_table_draws_and_picks_nothing():
    reading = large_reading(0)
    item = overlay_of(reading, "blobs", "boxes")
    assert not drawn(item).any() and item.pick(50, 50, 100) is None


# ---- picking -----------------------------------------------------------------------------------

def test_the_latest_stage_is_picked_first_and_alt_goes_below():
    item = overlay_of(small_reading(), "blobs", "boxes", "words")
    seen, ref = [], None
    for _ in range(5):
        ref = item.pick(30, 55, below=ref)
        seen.append(ref)
    assert seen == [Ref("words", 0), Ref("boxes", 0), Ref("blobs", 0), Ref("blobs", 10),
                    Ref("words", 0)]


def test_the_smallest_of_a_layer_is_picked_first():
    item = overlay_of(small_reading(), "blobs")
    assert item.rows_under(30, 55) == [Ref("blobs", 0), Ref("blobs", 10)]


def test_hidden_rows_and_layers_cannot_be_picked():
    item = overlay_of(small_reading(), "blobs")
    item.hidden_codes |= {("blobs", 0), ("blobs", 4)}
    assert item.pick(30, 55) is None
    item.hidden_codes.discard(("blobs", 4))
    assert item.pick(30, 55) == Ref("blobs", 10)


@pytest.mark.parametrize(("away", "found"), [(5.0, Ref("words", 0)), (7.0, None)])
def test_the_nearest_row_is_picked_within_reach(away, found):
    item = overlay_of(small_reading(), "words")
    assert item.pick(20 - away, 55, reach=6.0) == found


def test_a_point_in_the_box_but_beside_the_slanted_quad_is_not_in_it():
    quad = np.array([[[0, 0], [100, 50], [95, 60], [-5, 10]]], np.float32)
    assert in_quads(quad, 50, 30).all()
    assert not in_quads(quad, 90, 10).any()
    assert in_quads(quad[:, ::-1], 50, 30).all()    # the other way round


# ---- the highlight -----------------------------------------------------------------------------

def test_the_highlight_draws_ancestors_and_descendants_of_hidden_layers_too():
    reading = small_reading()
    item, mark = overlay_of(reading, "words"), HighlightItem()
    mark.mark(item.layers, lineage(reading, Ref("words", 3)))
    touched = drawn(mark)
    assert touched[130, 25:80].all()                # its blobs are filled
    assert not touched[:100].any()                  # the other line is untouched
    np.testing.assert_allclose(mark.box(), reading.words.box[3])


def test_the_highlight_of_nothing_draws_nothing():
    mark = HighlightItem()
    mark.mark({}, None)
    assert not drawn(mark).any() and mark.n_marked == 0


def test_a_lineage_of_a_longer_reading_does_not_break_the_highlight():
    reading = small_reading()
    found = lineage(reading, Ref("words", 3))
    item = overlay_of(large_reading(2), "blobs")
    mark = HighlightItem()
    mark.mark(item.layers, found)
    drawn(mark)
