"""Boxes, quads and affines agree with what NumPy does to pixels."""

import numpy as np
import pytest

from core import geometry


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_pixel_turned_by_rot90_is_where_the_affine_says(turns):
    page = np.zeros((7, 11), np.uint8)
    page[2, 9] = 255  # its box is x 9..10, y 2..3
    turned_from_page = geometry.quarter_turns(turns, 11, 7)
    box = geometry.transform_boxes(turned_from_page, np.array([[9, 2, 10, 3]]))[0].astype(int)
    turned = np.rot90(page, turns)
    assert turned[box[1]:box[3], box[0]:box[2]].tolist() == [[255]]


def test_an_affine_and_its_inverse_cancel():
    affine = geometry.compose(geometry.translation(5, -3), geometry.scaling(2, 0.5))
    points = np.array([[1.0, 2.0], [-4.0, 9.0]])
    assert np.allclose(geometry.apply(geometry.invert(affine), geometry.apply(affine, points)), points)


def test_compose_applies_the_right_one_first():
    move_then_double = geometry.compose(geometry.scaling(2), geometry.translation(1, 0))
    assert geometry.apply(move_then_double, [1, 0]).tolist() == [4, 0]


def test_boxes_become_quads_and_come_back():
    box = np.array([[1, 2, 5, 4], [0, 0, 3, 9]], np.float32)
    assert np.array_equal(geometry.boxes_from_quads(geometry.quads_from_boxes(box)), box)


def test_iou_of_half_overlapping_squares_is_a_third():
    assert geometry.iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]]).tolist() == [[pytest.approx(1 / 3), 0]]


def test_the_smallest_box_under_the_point_comes_first():
    box = np.array([[0, 0, 100, 100], [10, 10, 20, 20], [50, 50, 60, 60]], np.float32)
    assert geometry.rows_at(box, 15, 15).tolist() == [1, 0]


def test_boxes_are_half_open():
    box = np.array([[0, 0, 10, 10]], np.float32)
    assert geometry.rows_at(box, 10, 5).tolist() == []
    assert geometry.rows_at(box, 0, 0).tolist() == [0]


def test_empty_tables_have_empty_geometry():
    assert geometry.boxes_from_quads(np.zeros((0, 4, 2))).shape == (0, 4)
    assert geometry.quads_from_boxes(np.zeros((0, 4))).shape == (0, 4, 2)
    assert geometry.iou(np.zeros((0, 4)), [[0, 0, 1, 1]]).shape == (0, 1)
