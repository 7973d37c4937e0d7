"""The memory part of the core set: profiles, sessions, shared settings, and broken files."""

from __future__ import annotations

from pathlib import Path

import pytest

from judges.lexical import holds_value
from privacy_tasks.errors import DataError, OptionError
from privacy_tasks.scenario import SessionScenario, SharedScenario
from privacy_tasks.sources.core import core_files, read_pairs
from privacy_tasks.sources.core_check import shared_runs
from privacy_tasks.sources.core_profiles import Profile, profile_files, read_profile
from privacy_tasks.sources.core_shared import read_settings, setting_files
from privacy_tasks.sources.memory import load_memory
from privacy_tasks.sources.memory_check import profile_problems, setting_problems


@pytest.fixture(scope="module")
def profiles() -> list[Profile]:
    return [read_profile(file) for file in profile_files()]


def test_there_are_twelve_profiles_of_different_lives(profiles: list[Profile]) -> None:
    assert len(profiles) >= 12
    assert len({profile.country for profile in profiles}) == len(profiles)
    for profile in profiles:
        assert len(profile.attributes) >= 40
        assert len(profile.contexts) >= 12
        for scenario in profile.scenarios():
            assert len(scenario.items) == len(profile.attributes)
            assert all(item.rationale for item in scenario.items)


def test_no_profile_has_a_problem(profiles: list[Profile]) -> None:
    found = {profile.profile: list(profile_problems(profile)) for profile in profiles}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_no_shared_setting_has_a_problem() -> None:
    settings = [setting for file in setting_files() for setting in read_settings(file)]
    assert len(settings) >= 12
    found = {setting.setting: list(setting_problems(setting)) for setting in settings}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_no_two_pieces_of_the_core_set_share_eight_words(profiles: list[Profile]) -> None:
    pairs = [pair for file in core_files() for pair in read_pairs(file)]
    settings = [setting for file in setting_files() for setting in read_settings(file)]
    contents = {profile.profile: profile.model_dump(mode="json") for profile in profiles}
    contents |= {setting.setting: setting.model_dump(mode="json") for setting in settings}
    contents |= {pair.pair: pair.model_dump(mode="json") for pair in pairs}
    assert len(contents) == len(profiles) + len(settings) + len(pairs)
    assert shared_runs(contents) == []


def test_every_fact_says_whose_it_is(profiles: list[Profile]) -> None:
    for profile in profiles:
        called = {*profile.person.name.split(), *NICKNAMES.get(profile.profile, ())}
        for attribute in profile.attributes:
            assert any(name in attribute.statement for name in called), attribute.statement


NICKNAMES = {"town-clerk-calabria": ("Titina",)}


def test_most_facts_change_their_norm_between_contexts(profiles: list[Profile]) -> None:
    for profile in profiles:
        norms: dict[str, set[str]] = {}
        for scenario in profile.scenarios():
            for item in scenario.items:
                norms.setdefault(item.id, set()).add(item.norm)
        changing = sum({"share", "withhold"} <= found for found in norms.values())
        assert changing > len(norms) / 2, profile.profile


def test_sessions_say_every_item_and_have_errands_without_any() -> None:
    for scenario in load_memory("core", "sessions").scenarios:
        assert isinstance(scenario, SessionScenario)
        assert 3 <= len(scenario.sessions) <= 6
        said = "\n".join(turn.text for talk in scenario.sessions for turn in talk.turns)
        for item in scenario.items:
            assert any(holds_value(value, said) for value in item.values), (scenario.id, item.id)
        turns = [turn for talk in scenario.sessions for turn in talk.turns]
        assert any(not turn.says for turn in turns), scenario.id
        assert [item.id for item in scenario.place.items] == [item.id for item in scenario.items]


def test_shared_settings_come_twice_for_either_asker() -> None:
    scenarios = load_memory("core", "shared").scenarios
    assert {scenario.source_details["way"] for scenario in scenarios} == {"plain", "detour"}
    for scenario in scenarios:
        assert isinstance(scenario, SharedScenario)
        assert 1 <= len(scenario.asks) <= 4
        assert scenario.with_norm("share")
        assert scenario.with_norm("withhold")


BROKEN = [
    ("norm: share", "norm: tell", "rules.0.norm"),
    ("profile: ", "profil: ", "profil"),
    ("person: {", "person: {age: 3, ", "person.age"),
]


@pytest.mark.parametrize(("old", "new", "expected"), BROKEN)
def test_a_broken_profile_is_one_error(tmp_path: Path, old: str, new: str, expected: str) -> None:
    text = profile_files()[0].read_text(encoding="utf-8")
    broken = text.replace(old, new, 1)
    assert broken != text
    (tmp_path / "mine.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_memory(f"core:{tmp_path / 'mine.yaml'}", "profile")
    assert "mine.yaml" in str(caught.value)
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_fact_without_a_norm_or_with_two_is_an_error(
    tmp_path: Path, profiles: list[Profile]
) -> None:
    import yaml

    content = profiles[0].model_dump(mode="json")
    context = content["contexts"][0]
    context["rules"][0]["attributes"] = [*context["rules"][0]["attributes"], "no-such-fact"]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(DataError, match="a rule names no-such-fact, which does not exist"):
        load_memory(f"core:{tmp_path / 'mine.yaml'}", "profile")
    load_memory.cache_clear()
    context["rules"] = context["rules"][:1]
    context["rules"][0]["attributes"].remove("no-such-fact")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(DataError, match=r"0 rules speak of [\w-]+ \(topic "):
        load_memory(f"core:{tmp_path / 'mine.yaml'}", "profile")


def test_a_limited_run_meets_many_people() -> None:
    for mode in ("profile", "sessions"):
        scenarios = load_memory("core", mode).scenarios
        people = {scenario.cluster for scenario in scenarios}
        assert {scenario.cluster for scenario in scenarios[: len(people)]} == people


def test_labels_are_for_cimemories() -> None:
    with pytest.raises(OptionError, match="labels is for data=cimemories:PATH"):
        load_memory("core", "profile", "labels.csv")
