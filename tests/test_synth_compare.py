"""Measures of windows with known blur, noise, slant and contrast; the nearest of several crops."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import Missing, Unreadable
from core.synth import compare, survey, transforms
from core.synth.sample import SampleSettings, sample

SHARED = Path(__file__).parents[2] / "shared" / "data"
CLEAN = replace(SampleSettings(), negative=0.0, faint=0.0, screen=0.0,
                **{t.name: 0.0 for _, place in transforms.PLACES for t in place})


def bars(paper: int = 230, ink: int = 30, tan: float = 0.0, width: int = 120) -> np.ndarray:
    """Upright strokes 4 px wide in rows 6 to 26, drawn eight times as large and averaged."""
    k = 8
    big = np.zeros((32 * k, width * k), np.float32)
    for x in range(15, width - 15, 14):
        corners = [(x + tan * (16 - 6), 6), (x + 4 + tan * (16 - 6), 6),
                   (x + 4 + tan * (16 - 26), 26), (x + tan * (16 - 26), 26)]
        cv2.fillPoly(big, [np.int32(np.round(np.array(corners) * k))], 1.0)
    small = cv2.resize(big, (width, 32), interpolation=cv2.INTER_AREA)
    return np.round(paper + (ink - paper) * small).astype(np.uint8)


def measure(window: np.ndarray, name: str) -> float:
    return float(getattr(compare.measured([window]), name)[0])


def test_contrast_is_paper_less_ink() -> None:
    assert measure(bars(230, 30), "contrast") == pytest.approx(200, abs=2)
    assert measure(bars(140, 100), "contrast") == pytest.approx(40, abs=2)


def test_light_ink_on_dark_paper_measures_like_its_negative() -> None:
    dark, light = compare.measured([bars(230, 30, 0.2), 255 - bars(230, 30, 0.2)]).columns()
    assert dark == pytest.approx(light, abs=0.5)


def test_height_is_that_of_the_strokes() -> None:
    # 20 px of strokes, of which the middle 90 % count
    assert measure(bars(), "height") == pytest.approx(18, abs=0.7)


@pytest.mark.parametrize("tan", [-0.3, -0.1, 0.0, 0.1, 0.2, 0.35])
def test_slant_is_that_of_the_strokes(tan: float) -> None:
    assert measure(bars(tan=tan), "slant") == pytest.approx(np.degrees(np.arctan(tan)), abs=1.0)


@pytest.mark.parametrize("sigma", [0.8, 1.2, 2.0])
def test_blur_is_that_of_a_blurred_edge(sigma: float) -> None:
    edge = np.where(np.arange(96) < 48, 30, 230).astype(np.uint8)[None].repeat(32, 0)
    assert measure(cv2.GaussianBlur(edge, (0, 0), sigma), "blur") == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("sigma", [2.0, 5.0, 9.0])
def test_noise_is_what_was_added_and_strokes_are_none(sigma: float) -> None:
    grain = np.random.default_rng(1).normal(0, sigma, (32, 120))
    noisy = np.clip(bars(200, 60) + grain, 0, 255).astype(np.uint8)
    assert measure(noisy, "noise") == pytest.approx(sigma, rel=0.25)
    assert measure(bars(200, 60), "noise") < 0.3


def test_empty_paper_has_no_blur_and_no_slant() -> None:
    found = compare.measured([np.full((32, 60), 200, np.uint8)])
    assert np.isnan(found.blur[0]) and np.isnan(found.slant[0]) and np.isnan(found.height[0])
    assert found.width[0] == 60 and found.contrast[0] == 0


def test_a_blurred_set_lies_apart_in_blur_and_a_set_from_itself_nowhere() -> None:
    windows = [sample(CLEAN, 5, i).image for i in range(60)]
    plain = compare.measured(windows)
    soft = compare.measured([cv2.GaussianBlur(w, (0, 0), 1.6) for w in windows])
    apart = {gap.name: gap.apart for gap in compare.gaps(plain, soft)}
    assert apart["blur"] > 0.8 and apart["width"] == 0
    assert all(gap.apart == 0 for gap in compare.gaps(plain, plain))


def test_the_nearest_of_many_is_the_window_itself() -> None:
    windows = [sample(SampleSettings(), 5, i).image for i in range(80)]
    many = compare.measured(windows)
    for k in (0, 17, 63):
        rows, distances = compare.nearest(compare.measured([windows[k]]), many, 3)
        assert rows[0] == k and distances[0] == 0 and (np.diff(distances) >= 0).all()


def test_the_nearest_text_is_the_same_one_in_any_case() -> None:
    assert compare.nearest_text("Total", ["TOTA", "tOTAL", "x", "Subtotal"], 2).tolist() == [1, 0]


def real_page(folder: Path) -> Path:
    """A page with two words and its word list."""
    page = np.full((80, 200), 240, np.uint8)
    cv2.putText(page, "Total", (20, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 20, 2)
    cv2.putText(page, "9.50", (120, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 20, 2)
    (folder / "documents" / "slips").mkdir(parents=True)
    cv2.imwrite(str(folder / "documents" / "slips" / "a.png"), page)
    tsv = folder / "words.tsv"
    tsv.write_text("file\tx0\ty0\tx1\ty1\ttext\tprinted\thow\n"
                   "documents/slips/a.png\t20\t20\t92\t42\tTOTAL\tTotal\ttruth\n"
                   "documents/slips/a.png\t120\t20\t180\t42\t9.50\t9.50\ttruth\n")
    return tsv


def test_real_words_are_cut_as_the_net_gets_them(tmp_path: Path) -> None:
    tsv = real_page(tmp_path)
    crops = compare.cut_crops(compare.chosen_rows(tsv, 10), tmp_path)
    assert [row.text for row in crops.rows] == ["TOTAL", "9.50"]
    assert all(w.shape[0] == 32 and w.shape[1] % 4 == 0 for w in crops.windows)
    assert crops.measures.contrast == pytest.approx(220, abs=12)
    assert compare.categories(tsv) == ("slips",)


def test_what_is_wrong_with_a_word_list_is_said(tmp_path: Path) -> None:
    tsv = real_page(tmp_path)
    with pytest.raises(Missing, match="receipts"):
        compare.chosen_rows(tsv, 10, "receipts")
    with pytest.raises(Unreadable, match="a.png"):
        compare.cut_crops(compare.chosen_rows(tsv, 10), tmp_path / "elsewhere")


@pytest.mark.skipif(not SHARED.exists(), reason="needs the real documents")
def test_real_receipts_can_be_measured() -> None:
    rows = compare.chosen_rows(SHARED / "words" / "train.tsv", 50, "register_tapes")
    crops = compare.cut_crops(rows, SHARED)
    assert len(crops.windows) == len(crops.measures) == 50
    assert {row.category for row in crops.rows} == {"register_tapes"}
    assert 5 < np.nanmedian(crops.measures.height) < 32


# ---- surveys -------------------------------------------------------------------------------------

def facts_of(settings: SampleSettings, n: int) -> survey.Facts:
    return survey.facts_of([sample(settings, 3, i) for i in range(n)], range(n))


def test_facts_say_what_the_recipes_say() -> None:
    samples = [sample(SampleSettings(), 3, i) for i in range(120)]
    facts = survey.joined([survey.facts_of(samples[:50], range(50)),
                           survey.facts_of(samples[50:], range(50, 120))])
    assert facts.text.tolist() == [s.text for s in samples]
    for i, one in enumerate(samples):
        for step in one.recipe.steps:
            drawn = facts.of(step.name)
            row = drawn.numbers[drawn.i == i]
            assert row.shape == (1, len(step.numbers))
            assert row[0] == pytest.approx(np.float32(step.numbers))
    assert sum(len(d.i) for d in facts.draws) == sum(len(s.recipe.steps) for s in samples)


def test_a_query_finds_by_text_font_transform_and_emptiness() -> None:
    facts = facts_of(SampleSettings(negative=0.3), 200)
    samples = [sample(SampleSettings(negative=0.3), 3, i) for i in range(200)]

    def found(**query) -> list[int]:
        return np.flatnonzero(survey.matching(facts, survey.Query(**query))).tolist()

    assert found(negatives=True) == [i for i, s in enumerate(samples) if not s.text]
    assert found(text="TO") == [i for i, s in enumerate(samples) if "to" in s.text.lower()]
    assert found(font="mono") == [i for i, s in enumerate(samples)
                                  if "mono" in s.recipe.font.lower()]
    assert found(transform="blur") == [i for i, s in enumerate(samples)
                                       if "blur" in [step.name for step in s.recipe.steps]]
    assert found(transform="no such step") == []
    assert found() == list(range(200))


def test_the_hardest_come_first_and_the_unread_last() -> None:
    samples = [sample(CLEAN, 3, i) for i in range(4)]
    read = [survey.ReadBack("a", 0.5, loss) for loss in (1.0, 9.0, float("nan"), 4.0)]
    found = survey.Collection()
    found.add(survey.facts_of(samples, range(4), read))
    assert found.numbers(survey.Query(), hardest_first=True).tolist() == [1, 3, 0, 2]


def test_a_growing_collection_finds_what_all_facts_at_once_give() -> None:
    samples = [sample(SampleSettings(), 3, i) for i in range(300)]
    collection, query = survey.Collection(), survey.Query(transform="blur")
    for start in range(0, 300, 4):  # 75 parts: two blocks and a tail
        collection.add(survey.facts_of(samples[start:start + 4], range(start, start + 4)))
        if start % 40 == 0:
            collection.numbers(query)  # asked in between, as the sheet does
    facts = survey.facts_of(samples, range(300))
    for asked in (query, survey.Query(text="a"), survey.Query(), query):
        assert collection.numbers(asked).tolist() == \
            facts.i[survey.matching(facts, asked)].tolist()
    assert len(collection) == 300 and collection.first(300).text.tolist() == facts.text.tolist()
    assert 100 <= len(collection.first(100)) < 300


def test_comparing_and_surveying_need_no_torch() -> None:
    code = ("import sys, core.synth.compare, core.synth.survey, core.synth.sample_files\n"
            "sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
