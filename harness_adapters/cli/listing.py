"""`privacy-tasks list`: the scenario sets, with what identifies them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from harness_adapters.cli.output import examples, json_option, out, print_json
from judges.lexical import LexicalJudge
from judges.question import JudgedItem, Question
from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.sources import core_header, load_agentic, privacylens
from privacy_tasks.sources.fetch import cache_folder
from privacy_tasks.sources.scenario_set import ScenarioSet


@click.command(
    "list",
    epilog=examples(
        "privacy-tasks list",
        "privacy-tasks list --data privacylens:main_data.json",
        "privacy-tasks list --json | jq '.[0].hash'",
    ),
)
@click.option("--data", multiple=True, help="A set to describe, as for -T data=…; may be repeated.")
@json_option
def list_sets(data: tuple[str, ...], as_json: bool) -> None:
    """List the scenario sets: sizes, versions, hashes.

    Without --data, the embedded core set and whether PrivacyLens has been fetched; nothing is
    fetched for this.
    """
    sets = [describe(load_agentic(name)) for name in data or ("core",)]
    if not data:
        sets.append(_privacylens_status())
    if as_json:
        print_json(sets)
        return
    console = out()
    for described in sets:
        table = Table(show_header=False, title=escape(str(described["set"])), title_justify="left")
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for key, value in described.items():
            if key != "set":
                table.add_row(key.replace("_", " "), escape(_text(value)))
        console.print(table)


def describe(scenario_set: ScenarioSet[AgenticScenario]) -> dict[str, Any]:
    """Sizes and identity of a set."""
    scenarios = scenario_set.scenarios
    described: dict[str, Any] = {
        "set": scenario_set.name,
        "task": "privacy_tasks/agentic",
        "version": scenario_set.version,
        "hash": scenario_set.hash,
        "scenarios": len(scenarios),
        "clusters": len({scenario.cluster for scenario in scenarios}),
        "tool_calls": sum(len(scenario.trajectory) for scenario in scenarios),
        "items": dict(Counter(item.norm for scenario in scenarios for item in scenario.items)),
        "items_not_found_lexically": sum(map(_not_found, scenarios)),
        "domains": dict(sorted(Counter(scenario.domain for scenario in scenarios).items())),
        "channels": dict(sorted(Counter(scenario.channel for scenario in scenarios).items())),
    }
    if scenario_set.name == "core":
        described["canary"] = core_header().canary
    return described


def _not_found(scenario: AgenticScenario) -> int:
    """Items to withhold or share that the lexical judge does not find in what the model sees."""
    items = [item for item in scenario.items if item.norm != "discretionary"]
    verdict = LexicalJudge().judge_now(
        Question(
            items=tuple(
                JudgedItem(id=item.id, statement=item.statement, values=item.values)
                for item in items
            ),
            output=scenario.visible_text,
            recipient="",
            purpose="",
        )
    )
    return sum(not item.disclosed for item in verdict.items)


def _privacylens_status() -> dict[str, Any]:
    fetched = (cache_folder() / privacylens.REMOTE.name).exists()
    return {
        "set": "privacylens",
        "task": "privacy_tasks/agentic",
        "version": privacylens.REVISION[:7],
        "hash": privacylens.REMOTE.sha256[:12],
        "scenarios": privacylens.CASES,
        "fetched": "yes" if fetched else "no; it is when first used (or pass privacylens:PATH)",
    }


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {count}" for key, count in value.items())
    return str(value)
