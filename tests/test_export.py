import json
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from wordinator_tables import SmallLexicon, lines, one_window_per_box, upright

from core import export, files, geometry
from core.errors import Unreadable
from core.reading import STAGES, Page, Parents, Placed, Reading, Upright
from core.stage_pictures import stage_picture
from core.wordinator.buckets import BucketSettings, buckets
from core.wordinator.moves import AttemptSettings, attempts
from core.wordinator.words import WordSettings, words


def reading(texts, turned=False, line=None):
    """A reading of a 500 x 400 page; turned: the page lay on its side, upright is 400 x 500."""
    word_boxes, windows, read = one_window_per_box(texts, [0.97] * len(texts), line=line)
    verdict = buckets(read, BucketSettings())
    n_lines = 1 if line is None else max(line) + 1
    tried = attempts(word_boxes, lines(n_lines), windows, read, verdict, AttemptSettings(),
                     SmallLexicon())
    page = Page(np.full((400, 500, 3), 255, np.uint8), 72.0, geometry.IDENTITY.copy(), "digest", 1, "")
    if turned:
        up = Upright(1, np.zeros(4, np.float32), np.full((500, 400), 255, np.uint8),
                     geometry.invert(geometry.quarter_turns(1, 500, 400)))
    else:
        up = upright(500, 400)
    made = words(up, word_boxes, windows, read, tried, WordSettings())
    n = len(made)
    placed = Placed(made.text, made.quad, np.full(n, 10, np.float32), np.full(n, 100, np.float32),
                    np.zeros(n, np.float32), Parents.one_each("words", np.arange(n)))
    return Reading(page=page, upright=up, lines=lines(n_lines), boxes=word_boxes, segments=windows,
                   transcripts=read, buckets=verdict, attempts=tried, words=made, placed=placed)


def test_json_holds_the_words_in_page_px():
    page = export.read_page_of(reading(["of", "it"]), 3)
    written = json.loads(export.to_json("a.png", [page]))
    assert written["file"] == "a.png"
    assert {k: v for k, v in written["pages"][0].items() if k != "words"} \
        == {"page": 3, "size": [500, 400], "quarter_turns": 0}
    assert written["pages"][0]["words"][1] == {
        "text": "it", "box": [44.0, 0.0, 68.0, 32.0],
        "quad": [[44.0, 0.0], [68.0, 0.0], [68.0, 32.0], [44.0, 32.0]],
        "confidence": 0.97, "line": 0}


def test_words_of_a_turned_page_lie_where_the_page_shows_them():
    page = export.read_page_of(reading(["of"], turned=True), 1)
    # upright (x, y) of a page turned once counterclockwise is page (W - y, x), W = 500
    assert page.words.box[0] == pytest.approx([500 - 32, 0, 500, 24])
    assert page.quarter_turns == 1


def test_text_has_a_line_per_line_and_a_form_feed_between_pages():
    one = export.read_page_of(reading(["of", "it", "up"], line=[0, 0, 1]), 1)
    two = export.read_page_of(reading(["end"]), 2)
    assert export.to_txt([one, two]) == "of it\nup\n\fend\n"


def test_tsv_has_a_word_per_row():
    page = export.read_page_of(reading(["of", "it"]), 1)
    rows = export.to_tsv([page]).splitlines()
    assert rows[0].split("\t") == ["page", "line", "x0", "y0", "x1", "y1", "confidence", "text"]
    assert rows[2].split("\t") == ["1", "0", "44", "0", "68", "32", "0.9700", "it"]


def test_hocr_is_xml_with_words_and_their_boxes():
    page = export.read_page_of(reading(["R&D", "<b>"]), 1)
    text = export.to_hocr("a&b.png", [page])
    root = ElementTree.fromstring(text.split("\n", 2)[2])
    found = [e for e in root.iter() if e.get("class") == "ocrx_word"]
    assert [e.text for e in found] == ["R&D", "<b>"]
    assert found[0].get("title") == "bbox 0 0 36 32; x_wconf 97"


def test_a_page_without_words_is_written_in_every_format():
    page = export.read_page_of(Reading(page=reading(["x"]).page), 1)
    assert json.loads(export.to_json("a", [page]))["pages"][0]["words"] == []
    assert export.to_txt([page]) == ""
    assert len(export.to_tsv([page]).splitlines()) == 1


def test_a_table_is_written_with_its_codes_spelled_out():
    made = reading(["of", "x"])
    rows = json.loads(export.table_to_json(made.buckets))["rows"]
    assert rows[0] == {"bucket": "keep", "parents": {"table": "transcripts", "rows": [0]}}
    for stage in STAGES:
        if made.table(stage) is not None:
            assert json.loads(export.table_to_json(made.table(stage)))["stage"] == stage


def test_gaps_that_are_not_known_are_null():
    rows = json.loads(export.table_to_json(reading(["of", "x"]).boxes))["rows"]
    assert rows[0]["gap"] is None
    assert rows[1]["gap"] == 20.0


@pytest.mark.parametrize("stage", [s for s in STAGES if s != "blobs"])
def test_each_stage_has_a_picture_with_a_legend_above_the_page(stage):
    picture = stage_picture(reading(["of", "it"]), stage)
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (500, 3)
    assert picture.shape[0] > 400
    assert (picture[:picture.shape[0] - 400] < 100).any()  # something is written in the legend
    drawn = picture[-400:]
    coloured = (drawn.max(2).astype(int) - drawn.min(2)) > 60
    if stage in ("page", "upright"):
        assert not coloured.any()
    else:
        assert coloured[:34, :70].any()
        assert stage == "lines" or not coloured[40:, 80:].any()


def test_kept_and_dropped_rows_differ_in_colour():
    made = reading(["of", "it"])
    low = made.buckets.__class__(np.array([0, 2], np.uint8), made.buckets.parents)
    picture = stage_picture(made.with_table(low), "buckets")[-400:]
    assert picture[16, 0].tolist() != picture[16, 44].tolist()


def test_a_stage_that_is_not_made_has_no_picture():
    with pytest.raises(ValueError, match="blobs"):
        stage_picture(reading(["x"]), "blobs")


def test_a_written_picture_has_its_colours_and_no_temporary_file_is_left(tmp_path):
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0] = (200, 10, 20)
    files.write_png(tmp_path / "deep" / "a.png", image)
    assert cv2.imread(str(tmp_path / "deep" / "a.png"))[0, 0].tolist() == [20, 10, 200]
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.png"]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unreadable, match="cannot be written"):
        files.write_text(tmp_path / "file" / "a.txt", "x")
