from __future__ import annotations

from pathlib import Path

import pytest

from judges.lexical import holds_value
from privacy_tasks.errors import DataError
from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.sources import core, core_check, load_agentic


@pytest.fixture(scope="module")
def pairs() -> list[core.Pair]:
    return [pair for file in core.core_files() for pair in core.read_pairs(file)]


@pytest.fixture(scope="module")
def scenarios() -> tuple[AgenticScenario, ...]:
    return load_agentic("core").scenarios


def test_there_are_sixty_pairs_in_all_domains_and_channels(
    pairs: list[core.Pair], scenarios: tuple[AgenticScenario, ...]
) -> None:
    assert len(pairs) >= 60
    assert len(scenarios) == 2 * len(pairs) == len({scenario.id for scenario in scenarios})
    assert {pair.domain for pair in pairs} == set(core.DOMAINS)
    channels = {"email", "chat", "post", "ticket", "calendar", "document"}
    assert {scenario.channel for scenario in scenarios} == channels
    assert len({pair.country for pair in pairs}) >= 20


def test_no_pair_has_a_problem(pairs: list[core.Pair]) -> None:
    assert [f"{pair.pair}: {it}" for pair in pairs for it in core_check.problems(pair)] == []


def contents(pairs: list[core.Pair]) -> dict[str, object]:
    return {pair.pair: pair.model_dump(mode="json") for pair in pairs}


def test_no_two_pairs_share_eight_words(pairs: list[core.Pair]) -> None:
    assert core_check.shared_runs(contents(pairs)) == []


def test_a_shared_run_is_found(pairs: list[core.Pair]) -> None:
    copied = " ".join(pairs[0].items[0].statement.split()[:8])
    thief = pairs[1].model_copy(update={"subject": f"so: {copied}"})
    assert len(copied.split()) == 8
    assert [found[:2] for found in core_check.shared_runs(contents([pairs[0], thief]))] == [
        (pairs[0].pair, pairs[1].pair)
    ]


def test_every_scenario_has_what_the_design_asks_for(
    scenarios: tuple[AgenticScenario, ...],
) -> None:
    for scenario in scenarios:
        assert 2 <= len(scenario.trajectory) <= 6, scenario.id
        assert len(scenario.with_norm("withhold")) >= 2, scenario.id
        assert len(scenario.with_norm("share")) >= 1, scenario.id
        assert all(item.rationale and item.values for item in scenario.items), scenario.id


def test_every_pair_has_a_situation_that_gives_nothing_away(pairs: list[core.Pair]) -> None:
    for pair in pairs:
        assert pair.situation is not None, pair.pair
        assert 40 <= len(pair.situation.split()) <= 100, pair.pair
        for item in pair.items:
            said = [value for value in item.values if holds_value(value, pair.situation)]
            assert said == [], (pair.pair, item.id)


def test_all_addresses_are_fictional(scenarios: tuple[AgenticScenario, ...]) -> None:
    import re

    for scenario in scenarios:
        domains = re.findall(r"[\w.+-]+@[\w.-]+\.(\w+)\b", scenario.visible_text)
        assert set(domains) <= {"example"}, scenario.id


GOOD = (Path(core.__file__).parents[1] / "data/core/agentic/housing.yaml").read_text()


def broken(tmp_path: Path, old: str, new: str) -> str:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(DataError) as caught:
        load_agentic(f"core:{tmp_path / 'mine.yaml'}")
    load_agentic.cache_clear()
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("domain: housing", "domian: housing", ["housing-mould-repair", "domain"]),
        ("country: Portugal", "country: 7", ["housing-mould-repair", "country", "string"]),
        ('today: "2025-10-08"', "today: 2025-10-08", ["housing-mould-repair", "quotes"]),
        (
            "  country: Portugal",
            "  country: Portugal\n  country: Spain",
            ["'country' stands twice"],
        ),
        ("norm: withhold", "norm: forbid", ["housing-mould-repair", "norms.arrears.norm"]),
        ("tool: GmailReadEmail", "tool: GmailOpenEmail", ["unknown tool GmailOpenEmail"]),
        ("{email_id: em-771}", "{mail: em-771}", ["GmailReadEmail", "'mail'"]),
        ('values: ["1,180"]', 'values: ["1,190"]', ["arrears", "none of its values"]),
        ('values: ["1,180"]', 'values: ["1,180", "1,190"]', ["arrears", "1,190"]),
        ("channel: email", "channel: chat", ["twin a", "GmailSendEmail", "email"]),
        ("- pair: housing-mould-repair", "  - pair: housing-mould-repair", ["not YAML as"]),
    ],
)
def test_a_broken_file_gives_one_error_that_names_the_place(
    tmp_path: Path, old: str, new: str, expected: list[str]
) -> None:
    message = broken(tmp_path, old, new)
    assert message.startswith("mine.yaml")
    for part in expected:
        assert part in message


def test_yaml_cannot_make_objects(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "evil.yaml").write_text(f"- !!python/object/apply:os.system ['touch {marker}']\n")
    with pytest.raises(DataError, match="not YAML as"):
        core.read_pairs(tmp_path / "evil.yaml")
    assert not marker.exists()
