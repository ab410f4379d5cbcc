import numpy as np
import pytest
from wordinator_tables import (
    PITCH,
    SmallLexicon,
    boxes,
    lines,
    one_window_per_box,
    segments,
    transcripts,
)

from core.reading import Attempts
from core.wordinator.buckets import BucketSettings, buckets
from core.wordinator.moves import AttemptSettings, attempts

LEXICON = SmallLexicon("world", "of", "engineering", "total", "amount", "modern", "the", "one")


def tried(tables, lexicon=LEXICON, settings=None, n_lines=1):
    word_boxes, windows, read = tables
    verdict = buckets(read, BucketSettings())
    table = attempts(word_boxes, lines(n_lines), windows, read, verdict,
                     settings or AttemptSettings(), lexicon)
    covered = np.concatenate([table.parents.of(i) for i in np.flatnonzero(table.chosen)]
                             or [np.zeros(0, int)])
    assert sorted(covered) == sorted(np.flatnonzero(verdict.bucket != 2)), \
        "exactly one chosen attempt covers each transcript that was not dropped"
    return table


def chosen(table):
    return [(str(table.text[i]), Attempts.MOVES[table.move[i]]) for i in np.flatnonzero(table.chosen)]


def test_a_confident_reading_is_kept_even_when_no_lexicon_knows_it():
    table = tried(one_window_per_box(["Tota1", "xqzv"], [0.99, 0.95]))
    assert chosen(table) == [("Tota1", "keep"), ("xqzv", "keep")]
    assert len(table) == 2
    assert not table.in_lexicon.any()


def test_a_look_alike_is_corrected_where_the_lexicon_knows_the_word():
    table = tried(one_window_per_box(["tota1"], [[0.9, 0.9, 0.9, 0.9, 0.5]]))
    assert chosen(table) == [("total", "correct")]
    assert "tota1" in table.text  # the reading that was not chosen stays
    assert "looks like" in str(table.reason[table.chosen][0])


def test_rn_is_read_as_m_where_the_lexicon_says_so():
    assert chosen(tried(one_window_per_box(["arnount"], [0.7]))) == [("amount", "correct")]
    assert chosen(tried(one_window_per_box(["modem"], [0.7]))) == [("modern", "correct")]


def test_a_sure_character_is_never_exchanged():
    table = tried(one_window_per_box(["tota1"], [[0.5, 0.9, 0.9, 0.9, 0.99]]))
    assert chosen(table) == [("tota1", "keep")]


def test_the_nets_second_reading_wins_when_it_is_a_word():
    tops = [[("tutol", -0.5), ("total", -1.5), ("tutal", -1.0)]]
    assert chosen(tried(one_window_per_box(["tutol"], [0.6], tops=tops))) == [("total", "correct")]


def test_an_unknown_word_with_nothing_better_is_kept():
    assert chosen(tried(one_window_per_box(["Kowalczyk"], [0.8]))) == [("Kowalczyk", "keep")]


def test_of_engineering_is_split():
    table = tried(one_window_per_box(["ofEngineering"], [0.8]))
    assert chosen(table) == [("of Engineering", "split")]
    assert "capital" in str(table.reason[table.chosen][0])


@pytest.mark.parametrize("text", ["03-87686092", "407-64-3484", "25/63", "II", "B12", "S", "J."])
def test_numbers_codes_and_lone_letters_are_left_alone(text):
    assert chosen(tried(one_window_per_box([text], [0.8]))) == [(text, "keep")]


def test_an_abbreviation_in_capitals_is_not_made_a_word():
    lexicon = SmallLexicon("sun", "son", "alan")
    tops = [[("SDN", -0.3), ("SUN", -1.8)], [("ALAM", -0.3), ("ALAN", -2.2)]]
    assert chosen(tried(one_window_per_box(["SDN", "ALAM"], [0.8, 0.8], tops=tops), lexicon)) \
        == [("SDN", "keep"), ("ALAM", "keep")]


def test_a_letter_does_not_become_punctuation():
    lexicon = SmallLexicon("template")
    assert chosen(tried(one_window_per_box(["templatel"], [0.5]), lexicon)) == [("templatel", "keep")]


def test_two_words_in_small_letters_are_split_at_a_wide_gap_only():
    tight = one_window_per_box(["theworld"], [0.8])
    assert chosen(tried(tight)) == [("theworld", "keep")]
    word_boxes, windows, _ = tight
    centres = (np.arange(8) + 0.5) * PITCH
    centres[3:] += 0.8 * PITCH
    assert chosen(tried((word_boxes, windows, transcripts(["theworld"], [centres], [0.8])))) \
        == [("the world", "split")]


def test_wo_and_rld_across_a_narrow_gap_are_joined_once():
    table = tried(one_window_per_box(["wo", "rld"], [0.8, 0.8], gap=3.0))
    assert chosen(table) == [("world", "join")]
    assert list(table.parents.of(int(np.flatnonzero(table.chosen)[0]))) == [0, 1]


def test_a_wide_gap_or_another_line_is_never_joined():
    assert [t for t, _ in chosen(tried(one_window_per_box(["wo", "rld"], [0.8, 0.8], gap=20.0)))] \
        == ["wo", "rld"]
    table = tried(one_window_per_box(["wo", "rld"], [0.8, 0.8], gap=3.0, line=[0, 1]), n_lines=2)
    assert [t for t, _ in chosen(table)] == ["wo", "rld"]


def test_two_words_are_not_joined():
    lexicon = SmallLexicon("in", "to", "into")
    table = tried(one_window_per_box(["in", "to"], [0.8, 0.8], gap=3.0), lexicon)
    assert [t for t, _ in chosen(table)] == ["in", "to"]


def test_unsure_punctuation_soup_is_dropped_with_a_reason():
    table = tried(one_window_per_box([".-'", "total"], [0.4, 0.8]))
    assert chosen(table) == [("", "drop"), ("total", "keep")]
    assert "no word" in str(table.reason[table.chosen][0])


def test_an_unsure_number_is_not_noise():
    assert chosen(tried(one_window_per_box(["7.50"], [0.45]))) == [("7.50", "keep")]


def test_dropped_transcripts_get_no_attempt():
    table = tried(one_window_per_box(["x", "total"], [0.1, 0.95]))
    assert chosen(table) == [("total", "keep")]
    assert list(table.parents.rows) == [1]


def test_a_reading_with_spaces_is_kept_with_its_spaces():
    assert chosen(tried(one_window_per_box(["the total"], [0.95]))) == [("the total", "keep")]


def chopped(left, right, cut, end, confidence=0.95, cuts=((0, 1), (1, 0)), context=2 * PITCH):
    """One box in two pieces that overlap by `context` on both sides of the cut."""
    windows = [(0, cut + context), (cut - context, end)]
    spans = [(0, cut), (context, end - cut + context)]
    texts, centres = zip(*(zip(*part, strict=True) for part in (left, right)), strict=True)
    return (boxes([(0, end)]), segments(windows, [[0], [0]], spans, cuts),
            transcripts(["".join(t) for t in texts],
                        [np.array(c) - w[0] for c, w in zip(centres, windows, strict=True)],
                        [confidence] * 2))


def placed(text):
    return [(c, (i + 0.5) * PITCH) for i, c in enumerate(text)]


@pytest.mark.parametrize("cut", range(3, 11))
@pytest.mark.parametrize("shift", [0.0, 0.2, -0.2, 0.5])
def test_pieces_of_a_chopped_box_are_read_once(cut, shift):
    text = placed("engineering")
    at, context = (cut + shift) * PITCH, 2 * PITCH
    left = [c for c in text if c[1] < at + context]
    right = [c for c in text if c[1] >= at - context]
    table = tried(chopped(left, right, at, 11 * PITCH))
    assert chosen(table) == [("engineering", "assemble")]
    assert list(table.parents.of(0)) == [0, 1]


def test_a_letter_on_the_cut_that_both_windows_place_outside_their_span_is_not_lost():
    text = placed("engineering")
    left = [(c, x + 3) for c, x in text if x < 8 * PITCH]  # each window errs by 3 px, outwards
    right = [(c, x - 3) for c, x in text if x > 4 * PITCH]
    assert chosen(tried(chopped(left, right, 5.5 * PITCH, 11 * PITCH))) \
        == [("engineering", "assemble")]


def test_half_a_letter_at_a_windows_edge_is_not_read_twice():
    text = placed("swimming")
    at = 4 * PITCH  # right of the first m; the second window sees its last leg as an r
    right = [("r", at - 4), *text[4:]]
    assert chosen(tried(chopped(text[:4], right, at, 8 * PITCH))) == [("swimming", "assemble")]


def test_a_double_letter_on_the_cut_stays_double():
    text = placed("balloon")
    at = 3 * PITCH  # between the two l
    left = [c for c in text if c[1] < at + 2 * PITCH]
    right = [c for c in text if c[1] >= at - 2 * PITCH]
    assert chosen(tried(chopped(left, right, at, 7 * PITCH))) == [("balloon", "assemble")]


def test_words_on_both_sides_of_a_cut_keep_their_space_without_any_context():
    text = placed("of engineering")
    left, right = text[:2], text[3:]
    assert chosen(tried(chopped(left, right, 2.5 * PITCH, 14 * PITCH, context=0.0))) \
        == [("of engineering", "assemble")]


def test_an_unsure_piece_sends_the_whole_box_to_the_lexicon():
    text = placed("engineer1ng")
    at = 6 * PITCH
    table = tried(chopped(text[:8], text[4:], at, 11 * PITCH, confidence=0.8))
    assert chosen(table) == [("engineering", "correct")]
    assert "assemble" in {Attempts.MOVES[m] for m in table.move}


def test_every_score_is_finite_and_the_chosen_is_the_best_of_its_transcripts():
    table = tried(one_window_per_box(["tota1", "ofEngineering", "..", "world"], [0.7, 0.6, 0.4, 0.99]))
    assert np.isfinite(table.score).all()
    for row in range(4):
        mine = [i for i in range(len(table)) if row in table.parents.of(i)]
        best = max(mine, key=lambda i: table.score[i])
        assert table.chosen[best]


def test_an_empty_page_gives_no_attempts():
    assert len(tried(one_window_per_box([], []))) == 0
