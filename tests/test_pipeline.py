"""A changed setting runs its stage and those below again, and changing it back runs nothing."""

import numpy as np
import pytest

from core.errors import StageFailed, Unreadable
from core.geometry import IDENTITY
from core.pipeline import Memo, Stage, read
from core.reading import Buckets, Page, Parents, Upright
from core.settings import Settings, changed


def a_page(value: int = 200) -> Page:
    return Page(np.full((20, 30), value, np.uint8), 300.0, IDENTITY, f"digest-{value}")


def to_gray(page: Page, settings) -> Upright:
    return Upright(0, np.array([1, 0, 0, 0], np.float32), page.image, IDENTITY)


def three_stages(fail: Exception | None = None) -> tuple[Stage, ...]:
    """Stages by the real names, so that they find their real settings, with small bodies."""
    def bucketed(upright, settings):
        if fail:
            raise fail
        return Buckets(np.zeros(1, np.uint8), Parents.one_each("transcripts", [0]))
    return (Stage("upright", to_gray, ("page",)), Stage("buckets", bucketed, ("upright",)))


def ran(settings, memo, page=None) -> list[str]:
    return [made.name for made in read(page or a_page(), three_stages(), settings, memo) if not made.known]


def test_a_second_reading_runs_nothing():
    memo = Memo()
    assert ran(Settings(), memo) == ["page", "upright", "buckets"]
    assert ran(Settings(), memo) == []


def test_a_changed_setting_runs_only_from_its_stage_down_and_back_is_free():
    memo, settings = Memo(), Settings()
    ran(settings, memo)
    other = changed(settings, "buckets.keep_above", settings.buckets.keep_above / 2 + 0.4)
    assert other != settings
    assert ran(other, memo) == ["buckets"]
    assert ran(settings, memo) == []


def test_another_page_shares_nothing():
    memo = Memo()
    ran(Settings(), memo)
    assert ran(Settings(), memo, a_page(100)) == ["page", "upright", "buckets"]


def test_a_stage_that_raises_names_itself_and_keeps_what_was_made():
    made = []
    with pytest.raises(StageFailed, match="buckets.*ZeroDivisionError"):
        for step in read(a_page(), three_stages(ZeroDivisionError("by zero")), Settings(), Memo()):
            made.append(step.name)
    assert made == ["page", "upright"]


def test_an_error_for_the_user_passes_through_unchanged():
    with pytest.raises(Unreadable, match="scan.png"):
        list(read(a_page(), three_stages(Unreadable("scan.png is cut off")), Settings(), Memo()))


def test_a_table_of_the_users_replaces_the_stages_own():
    mine = Upright(2, np.zeros(4, np.float32), np.zeros((3, 3), np.uint8), IDENTITY)
    made = list(read(a_page(), three_stages(), Settings(), Memo(), replaced={"upright": mine}))
    assert made[1].table is mine
    assert not made[2].known


def test_a_memo_over_its_limit_lets_the_oldest_go():
    memo = Memo(limit=1000)
    for name in "abc":
        memo.put(name, Page(np.zeros((20, 20), np.uint8), 300.0, IDENTITY, name))
    assert ("a" in memo, "c" in memo) == (False, True)
    assert memo.nbytes <= 1000
