"""The settings tree edits any settings dataclass and lets nothing out that it refuses."""

from dataclasses import dataclass, field

import pytest

from core.parameters import check_limits, param
from core.settings import Settings
from views.settings_tree import SettingsTree


@dataclass(frozen=True)
class Inner:
    area: int = param(12, unit="px", low=1, high=200, help="smallest blob")
    share: float = param(0.5, low=0.0, high=1.0)
    way: str = param("fast", choices=("fast", "good"))
    on: bool = param(True)
    sides: tuple = param((1, 2))

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class Outer:
    blobs: Inner = field(default_factory=Inner)
    lines: Inner = field(default_factory=lambda: Inner(area=30))


@pytest.fixture
def tree(qtbot):
    tree = SettingsTree()
    qtbot.addWidget(tree)
    tree.resize(400, 400)
    tree.show_settings(Inner(), "blobs")
    tree.told, tree.refused = [], []
    tree.changed.connect(lambda path, value: tree.told.append((path, value)))
    tree.failed.connect(tree.refused.append)
    return tree


def test_each_field_has_an_editor_with_unit_choices_and_help(tree):
    assert list(tree.leaves) == ["blobs.area", "blobs.share", "blobs.way", "blobs.on", "blobs.sides"]
    area = tree.leaves["blobs.area"]
    assert area.opts["suffix"] == "px"
    assert "smallest blob" in area.opts["tip"] and "1 to 200 px" in area.opts["tip"]
    assert tree.leaves["blobs.way"].opts["limits"] == ["fast", "good"]


@pytest.mark.parametrize(("name", "value"), [("area", 20), ("share", 0.25), ("way", "good"),
                                             ("on", False)])
def test_an_edit_is_told_with_its_path(tree, name, value):
    tree.leaves[f"blobs.{name}"].setValue(value)
    assert tree.told == [(f"blobs.{name}", value)] and not tree.refused
    assert type(tree.told[0][1]) is type(value)


def test_a_tuple_is_edited_as_text(tree):
    tree.leaves["blobs.sides"].setValue("3, 4")
    assert tree.told == [("blobs.sides", (3, 4))]
    tree.leaves["blobs.sides"].setValue("three")
    assert len(tree.told) == 1 and len(tree.refused) == 1


def test_a_value_out_of_range_never_gets_out(tree):
    """pyqtgraph emits the typed 500 before its own clamped 200."""
    tree.leaves["blobs.area"].setValue(500)
    assert tree.told == [] and "at most 200" in tree.refused[0]
    assert tree.leaves["blobs.area"].value() == 12
    assert "at most 200" in tree._note.text()


def test_the_editor_shows_the_old_value_after_each_refusal(tree, qtbot):
    """pyqtgraph's editor wrote the refused value back from the second refusal on."""
    area = tree.leaves["blobs.area"]
    for i, typed in enumerate((500, 600, 700), start=1):
        area.setValue(typed)
        qtbot.wait(10)
        shown = [item.widget.value() for item in area.items]
        assert shown == [12] and area.value() == 12 and len(tree.refused) == i


def test_what_is_typed_into_the_editor_is_checked_too(tree, qtbot):
    item = next(iter(tree.leaves["blobs.area"].items))
    item.widget.setValue(500)
    qtbot.wait(50)
    assert tree.told == [] and tree.leaves["blobs.area"].value() == 12
    item.widget.setValue(50)
    qtbot.waitUntil(lambda: tree.told == [("blobs.area", 50)], timeout=2000)


def test_reset_brings_the_defaults_back(tree):
    tree.leaves["blobs.area"].setValue(99)
    tree.leaves["blobs.on"].setValue(False)
    tree.reset()
    assert tree.settings == Inner()
    assert tree.told[-2:] == [("blobs.area", 12), ("blobs.on", True)]


def test_new_values_from_outside_are_shown_and_not_told(tree):
    leaf = tree.leaves["blobs.area"]
    tree.show_settings(Inner(area=77), "blobs")
    assert tree.leaves["blobs.area"] is leaf and leaf.value() == 77 and tree.told == []


def test_nested_settings_are_edited_by_dotted_path(tree):
    tree.show_settings(Outer())
    assert tree.leaves["lines.area"].value() == 30
    tree.leaves["lines.area"].setValue(31)
    assert tree.told == [("lines.area", 31)]
    assert tree.settings == Outer(lines=Inner(area=31))


def test_a_stage_without_settings_says_so(tree):
    @dataclass(frozen=True)
    class Nothing:
        pass
    tree.show_settings(Nothing(), "words")
    assert "no settings" in tree._note.text()


def test_all_settings_of_a_reading_can_be_shown(tree):
    """Every field of every stage gets an editor that shows its value and tells nothing."""
    tree.show_settings(Settings())
    settings = Settings()
    for path, leaf in tree.leaves.items():
        stage, name = path.split(".")
        value = getattr(getattr(settings, stage), name)
        assert leaf.value() == (", ".join(map(str, value)) if isinstance(value, tuple) else value)
    assert len(tree.leaves) > 10 and not tree.told and not tree.refused
