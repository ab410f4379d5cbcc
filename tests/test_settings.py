"""Settings keep their limits, survive TOML, and say what is wrong with what they are given."""

from dataclasses import fields

import pytest

from core.errors import Usage
from core.reading import STAGES
from core.settings import Settings, changed, digest, from_toml, to_toml


def numbers() -> list[tuple[str, dict, object]]:
    """(dotted path, metadata, default) of every bounded number in the settings."""
    return [(f"{stage.name}.{f.name}", f.metadata, getattr(getattr(Settings(), stage.name), f.name))
            for stage in fields(Settings) for f in fields(stage.default_factory)
            if f.metadata and f.metadata["high"] is not None]


def test_every_stage_has_settings_of_its_name():
    assert tuple(f.name for f in fields(Settings)) == STAGES


def test_every_field_says_what_it_does():
    silent = [f"{stage.name}.{f.name}" for stage in fields(Settings) for f in fields(stage.default_factory)
              if not f.metadata.get("help")]
    assert silent == []


def test_defaults_lie_within_their_own_limits():
    assert [path for path, m, value in numbers() if not m["low"] <= value <= m["high"]] == []


def test_a_number_outside_its_limits_is_refused_by_name():
    for path, m, default in numbers():
        with pytest.raises(Usage, match=path.split(".")[1]):
            changed(Settings(), path, type(default)(m["high"] + 1))


def test_toml_comes_back_as_it_went():
    path, m, default = next(row for row in numbers() if isinstance(row[2], float))
    settings = changed(Settings(), path, (m["low"] + default) / 2)
    assert from_toml(to_toml(settings)) == settings
    assert from_toml(to_toml(settings, only_changed=True)) == settings
    assert from_toml("") == Settings()


@pytest.mark.parametrize("text, said", [
    ("[blobs]\nnonsense = 1", "nonsense"), ("[nonsense]\nx = 1", "nonsense"),
    ("blobs = 3", "blobs"), ("[blobs", "TOML"), ('[buckets]\nkeep_above = "high"', "keep_above")])
def test_wrong_toml_is_named(text, said):
    with pytest.raises(Usage, match=said):
        from_toml(text, "mine.toml")


def test_the_digest_tells_settings_apart():
    path, m, default = numbers()[0]
    other = changed(Settings(), path, type(default)(m["high"]))
    assert digest(Settings()) == digest(Settings())
    assert (digest(other) == digest(Settings())) == (other == Settings())
