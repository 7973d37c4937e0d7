"""The card of the data set: what the hub shows first, and where it finds the parts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from huggingface_hub import DatasetCard, DatasetCardData

from harness_adapters.leaderboard.export.hub_dataset.rows import Config
from privacy_tasks.prompt_files import fill
from privacy_tasks.sources import core_header

SPLIT = "test"

_KINDS = {
    "agentic": "a scenario: an agent's next action",
    "memory_profile": "a scenario: one message, from all that is remembered",
    "memory_sessions": "a scenario: the same after earlier conversations",
    "memory_shared": "a scenario: a question to an assistant of several people",
    "probing_seed": "a question: the five parameters of the flow",
    "probing_vignette": "a question: a story",
    "probing_trajectory": "a question: all that the agent has seen",
}


def dataset_card(configs: Sequence[Config]) -> DatasetCard:
    """The card, as the hub's own client writes one."""
    data = DatasetCardData(
        language=["en"],
        license="mit",
        pretty_name="privacy-tasks core set",
        size_categories=[_size(sum(len(config.rows) for config in configs))],
        source_datasets=["original"],
        tags=["privacy", "contextual-integrity", "benchmark", "evaluation", "agents", "inspect-ai"],
        configs=[
            {
                "config_name": config.name,
                "data_files": [{"split": SPLIT, "path": config.file}],
                **({"default": True} if number == 0 else {}),
            }
            for number, config in enumerate(configs)
        ],
    )
    return DatasetCard(f"---\n{data.to_yaml()}\n---\n\n{_body(configs)}")


def _body(configs: Sequence[Config]) -> str:
    file = resources.files("harness_adapters") / "leaderboard/export/hub_dataset/card.md"
    header = core_header()
    table = "\n".join(
        f"| `{config.name}` | {len(config.rows)} | `{config.cases.scenario_set.hash}` |"
        f" {_KINDS[config.name]} |"
        for config in configs
    )
    values = {"canary": header.canary, "version": header.version, "table": table} | _counts(configs)
    return fill(file.read_text(encoding="utf-8"), values)


def _counts(configs: Sequence[Config]) -> dict[str, str]:
    """How much of what there is; the words of the card hang on it."""
    clusters = {it.name: len({row["cluster"] for row in it.rows}) for it in configs}
    agentic = configs[0].cases.scenario_set.scenarios
    countries = {scenario.source_details["country"] for scenario in agentic}
    return {
        "pairs": str(clusters["agentic"]),
        "persons": str(clusters["memory_profile"]),
        "settings": str(clusters["memory_shared"]),
        "countries": str(len(countries)),
    }


_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"))


def _size(rows: int) -> str:
    """The hub's word for how many rows there are."""
    return next((name for limit, name in _SIZES if rows < limit), "10K<n<100K")
