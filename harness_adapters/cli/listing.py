"""`privacy-tasks list`: the scenario sets, with what identifies them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from harness_adapters.cli.output import examples, json_option, out, print_json
from privacy_tasks.items_in_text import items_in
from privacy_tasks.probing.probes import probes_of
from privacy_tasks.probing.prompts import ORDERS
from privacy_tasks.scenario import AgenticScenario, Scenario
from privacy_tasks.sources import REMOTE, cimemories, core_header, load_agentic, privacylens
from privacy_tasks.sources.fetch import RemoteFile, cache_folder
from privacy_tasks.sources.memory import MODES, load_memory
from privacy_tasks.sources.scenario_set import S, ScenarioSet


@click.command(
    "list",
    epilog=examples(
        "privacy-tasks list",
        "privacy-tasks list --data privacylens:main_data.json",
        "privacy-tasks list --task memory --data cimemories:profiles.json --json",
        "privacy-tasks list --json | jq '.[0].hash'",
    ),
)
@click.option(
    "--task",
    default="agentic",
    show_default=True,
    type=click.Choice(["agentic", "memory"]),
    help="With --data: the task whose data it is (probing uses those of agentic).",
)
@click.option("--data", multiple=True, help="A set to describe, as for -T data=…; may be repeated.")
@json_option
def list_sets(task: str, data: tuple[str, ...], as_json: bool) -> None:
    """List the scenario sets: sizes, versions, hashes.

    Without --data, the embedded core set, and the published ones with what is known of them here;
    nothing is fetched for this.
    """
    if data:
        sets = [
            describe(load_agentic(name), "privacy_tasks/agentic")
            if task == "agentic"
            else describe(load_memory(name, "profile"), "privacy_tasks/memory")
            for name in data
        ]
    else:
        sets = [describe(load_agentic("core"), "privacy_tasks/agentic")]
        sets += [
            describe(load_memory("core", mode), f"privacy_tasks/memory -T mode={mode}")
            for mode in MODES
        ]
        sets.append(_probes())
        sets += [_published(name, remote) for name, remote in REMOTE.items()]
        sets.append(_CIMEMORIES)
    if as_json:
        print_json(sets)
        return
    console = out()
    for described in sets:
        title = escape(f"{described['set']}: {described['task']}")
        table = Table(show_header=False, title=title, title_justify="left")
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for key, value in described.items():
            if key not in ("set", "task"):
                table.add_row(key.replace("_", " "), escape(_text(value)))
        console.print(table)


def describe(scenario_set: ScenarioSet[S], task: str) -> dict[str, Any]:
    """Sizes and identity of a set."""
    scenarios = scenario_set.scenarios
    described: dict[str, Any] = {
        "set": scenario_set.name,
        "task": task,
        "version": scenario_set.version,
        "hash": scenario_set.hash,
        "scenarios": len(scenarios),
        "clusters": len({scenario.cluster for scenario in scenarios}),
    }
    agentic = [scenario for scenario in scenarios if isinstance(scenario, AgenticScenario)]
    if agentic:
        described["tool_calls"] = sum(len(scenario.trajectory) for scenario in agentic)
    described |= {
        "items": dict(Counter(item.norm for scenario in scenarios for item in scenario.items)),
        "items_not_found_lexically": sum(map(_not_found, scenarios)),
        "domains": dict(sorted(Counter(scenario.domain for scenario in scenarios).items())),
        "channels": dict(sorted(Counter(scenario.channel for scenario in scenarios).items())),
    }
    if scenario_set.name == "core":
        described["canary"] = core_header().canary
    return described


def _probes() -> dict[str, Any]:
    """The probes that the core set makes."""
    core = load_agentic("core")
    probes = probes_of(core.scenarios, "vignette")
    return {
        "set": core.name,
        "task": "privacy_tasks/probing",
        "version": core.version,
        "hash": core.hash,
        "probes": len(probes),
        "asked": f"{len(probes) * len(ORDERS)} times, each in both orders",
        "right_answers": dict(Counter(probe.right for probe in probes)),
    }


def _not_found(scenario: Scenario) -> int:
    """Items to withhold or share that the lexical judge does not find in what the model sees."""
    items = [item for item in scenario.items if item.norm != "discretionary"]
    return len(items) - len(items_in(scenario.visible_text, items))


def _published(name: str, remote: RemoteFile) -> dict[str, Any]:
    fetched = (cache_folder() / remote.name).exists()
    return {
        "set": name,
        "task": "privacy_tasks/agentic, privacy_tasks/probing",
        "version": privacylens.REVISION[:7],
        "hash": remote.sha256[:12],
        "scenarios": privacylens.CASES[name],
        "fetched": "yes" if fetched else f"no; it is when first used (or pass {name}:PATH)",
    }


_CIMEMORIES = {
    "set": "cimemories",
    "task": "privacy_tasks/memory -T mode=profile",
    "version": "that of the hub when it is fetched; the log says which",
    "fetched": f"from {cimemories.HUB_ID} when used (or pass cimemories:PATH)",
}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {count}" for key, count in value.items())
    return str(value)
