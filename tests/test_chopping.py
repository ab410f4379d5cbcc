"""Segments: windows of word boxes, chopped and joined."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core import geometry
from core.detector import chopping, grouping, mser
from core.detector.chopping import SegmentSettings
from core.detector.spacing import PADDING
from core.reading import Boxes, Segments, Upright, kept
from tests.pages import draw_page, upright_of

END, GAP, INK = range(3)


def boxes_on(gray: np.ndarray) -> tuple[Upright, Boxes]:
    """The page and its word boxes."""
    upright = upright_of(gray)
    blobs = mser.blobs(upright)
    return upright, grouping.word_boxes(upright, blobs, grouping.lines(upright, blobs))


def test_a_short_word_is_one_whole_window_dark_on_light():
    gray, words = draw_page(["word"], ink=240, paper=20)
    upright, boxes = boxes_on(gray)
    segments = chopping.segments(upright, boxes)
    assert len(segments) == 1 and segments.cut.tolist() == [[END, END]]
    window = segments.window[0, :, :segments.width[0]]
    assert window.shape[0] == 32 and segments.width[0] % 4 == 0
    assert np.median(window) > 200, "paper is light in a window, whatever the page"
    # the box has a tenth of its height of paper around the ink, and the blobs 1 px
    paper = PADDING * (words[0].box[3] - words[0].box[1])
    assert np.abs(segments.box[0] - words[0].box).max() <= paper + 2


@pytest.mark.parametrize("width_max", [64, 100, 128, 256])
def test_spans_of_a_chopped_words_pieces_tile_the_box(width_max):
    gray, _ = draw_page(["internationalisationism"], size=(900, 100), scale=1.2)
    upright, boxes = boxes_on(gray)
    row = int(kept(boxes)[0])
    segments = chopping.segments(upright, boxes, SegmentSettings(width_max=width_max))
    assert len(segments) > 1 and (segments.width <= width_max).all()
    assert (segments.parents.rows == row).all()
    ends = segments.box[:, [0, 2]]
    assert ends[0, 0] == pytest.approx(boxes.box[row, 0], abs=0.01)
    assert ends[-1, 1] == pytest.approx(boxes.box[row, 2], abs=0.01)
    assert ends[1:, 0] == pytest.approx(ends[:-1, 1], abs=0.01)
    assert (segments.cut[0, 0], segments.cut[-1, 1]) == (END, END)
    assert (segments.cut[1:, 0] == segments.cut[:-1, 1]).all()
    assert (segments.cut[1:, 0] != END).all()


def test_a_span_leads_back_to_its_quad_on_the_page():
    gray, _ = draw_page(["internationalisationism short"], size=(1000, 100), scale=1.2)
    upright, boxes = boxes_on(gray)
    segments = chopping.segments(upright, boxes)
    for row in range(len(segments)):
        x = segments.span[row]
        assert 0 <= x[0] < x[1] <= segments.width[row]
        page = geometry.apply(segments.upright_from_window[row], [[x[0], 16], [x[1], 16]])
        assert page[:, 0] == pytest.approx(segments.box[row, [0, 2]], abs=0.1)


def test_a_long_word_is_cut_between_letters():
    gray, _ = draw_page(["HHHHHHHHHHHHHHHH"], size=(700, 100))
    upright, boxes = boxes_on(gray)
    segments = chopping.segments(upright, boxes, SegmentSettings(width_max=128))
    inner = segments.cut[1:, 0]
    assert len(inner) >= 2 and (inner == GAP).all()
    for x in segments.box[1:, 0]:
        assert gray[:, int(x)].min() > 200, "the cut column holds no ink"


def test_a_solid_bar_is_cut_through_ink_and_says_so():
    gray = np.full((60, 700), 235, np.uint8)
    upright = upright_of(gray)
    gray[20:40, 20:680] = 20
    boxes = _boxes([(18, 18, 682, 42)])  # the bar and a tenth of its height of paper
    segments = chopping.segments(upright, boxes)
    assert len(segments) > 1 and (segments.cut[1:, 0] == INK).all()


def test_pieces_see_a_little_of_their_neighbour():
    gray, _ = draw_page(["internationalisationism"], size=(900, 100), scale=1.2)
    upright, boxes = boxes_on(gray)
    settings = SegmentSettings(width_max=128, context=8.0)
    segments = chopping.segments(upright, boxes, settings)
    left_of_cut = segments.span[1:, 0]
    assert (left_of_cut >= 8).all()  # window px: the context, and the margin on top


def test_short_neighbours_share_a_window_when_asked():
    gray, words = draw_page(["a bc de f", "a line below"])
    upright, boxes = boxes_on(gray)
    alone = chopping.segments(upright, boxes)
    joined = chopping.segments(upright, boxes, SegmentSettings(join_neighbours=True))
    assert len(alone) == len(words)
    assert len(joined) < len(alone) and (joined.width <= 256).all()
    assert sorted(joined.parents.rows.tolist()) == sorted(alone.parents.rows.tolist())
    for row in range(len(joined)):
        mine = joined.parents.of(row)
        assert len(set(boxes.line[mine].tolist())) == 1
        assert np.abs(joined.box[row] - geometry.union(boxes.box[mine])).max() < 2  # slope


def test_a_dash_is_framed_like_its_line():
    boxes = _boxes([(20, 20, 80, 50), (100, 33, 120, 37), (140, 20, 200, 50)])
    frames = chopping.framed(boxes)
    assert frames[1, :, 1].tolist() == [20, 20, 50, 50]
    assert (frames[[0, 2]] == boxes.quad[[0, 2]]).all()


def test_refused_boxes_have_no_segment():
    boxes = _boxes([(20, 20, 80, 50), (100, 20, 160, 50)], fate=(0, 1))
    gray = np.full((80, 200), 235, np.uint8)
    assert chopping.segments(upright_of(gray), boxes).parents.rows.tolist() == [0]


@pytest.mark.parametrize("seed", range(8))
def test_any_segmentation_with_perfect_transcripts_gives_back_the_words(seed):
    rng = np.random.default_rng(seed)
    alphabet = list("abdeghkmnopqrsuwxyzABCDEFHKMNPRSTUVXYZ2345678")
    lines = [" ".join("".join(rng.choice(alphabet, rng.integers(1, 15)))
                      for _ in range(rng.integers(1, 5))) for _ in range(3)]
    gray, words = draw_page(lines, size=(1600, 240), word_gap=int(rng.integers(18, 30)))
    upright = upright_of(gray)
    boxes = _boxes([(w.box[0] - 2, w.box[1] - 2, w.box[2] + 2, w.box[3] + 2) for w in words],
                   line=[i for i, text in enumerate(lines) for _ in text.split()])
    settings = SegmentSettings(
        width_max=int(rng.choice([64, 96, 128, 256])), padding=0.05,
        context=float(rng.uniform(0, 12)), join_neighbours=bool(rng.integers(2)),
        join_gap=float(rng.uniform(0.3, 2)))
    segments = chopping.segments(upright, boxes, settings)
    assert put_together(boxes, segments, letters_of(gray, words)) == [w.text for w in words]


def letters_of(gray: np.ndarray, words: list) -> list[list[tuple[float, float, float, str]]]:
    """For each word its letters: x0, x1 and middle y on the page, text."""
    found = []
    for word in words:
        x, letters = word.box[0], []
        for i, letter in enumerate(word.text):
            (before, _), _ = cv2.getTextSize(word.text[:i], cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
            (after, _), _ = cv2.getTextSize(word.text[:i + 1], cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
            letters.append((x + before, x + after, (word.box[1] + word.box[3]) / 2, letter))
        found.append(letters)
    return found


def put_together(boxes: Boxes, segments: Segments, letters: list) -> list[str]:
    """The words, from a transcript of each segment that names the letters whose middle is in its span.

    A segment's quad on the page is its span; a space parts boxes that share a window.
    """
    text = [""] * len(boxes)
    for row in range(len(segments)):
        mine = segments.parents.of(row)
        x0, _, x1, _ = segments.box[row]
        transcript = []
        for box in mine:
            here = [c for a, b, _, c in letters[box] if x0 <= min((a + b) / 2, boxes.box[box, 2]) < x1]
            transcript.append("".join(here))
        for box, part in zip(mine, " ".join(transcript).split(" "), strict=True):
            text[box] += part
    return text


def test_no_boxes_give_an_empty_table():
    segments = chopping.segments(upright_of(np.full((5, 5), 255, np.uint8)), _boxes([]))
    assert isinstance(segments, Segments) and len(segments) == 0
    assert segments.window.shape[:2] == (0, 32)


def _boxes(box: list, fate: tuple = (), line: list | None = None) -> Boxes:
    """Word boxes made by hand, of one line if not said otherwise."""
    from core.reading import Parents
    n = len(box)
    bound = np.array(box, np.float32).reshape(-1, 4)
    nan = np.full(n, np.nan, np.float32)
    return Boxes(line=np.array(line or [0] * n, np.int32), quad=geometry.quads_from_boxes(bound), box=bound,
                 polarity=np.zeros(n, np.uint8), gap=nan, gap_limit=nan,
                 fate=np.array(fate or [0] * n, np.uint8), fate_value=nan, fate_limit=nan,
                 parents=Parents.one_each("blobs", np.arange(n)))
