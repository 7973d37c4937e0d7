"""`eval.yaml`: which of the parts Inspect runs straight from the hub, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from harness_adapters.leaderboard.export.hub_dataset.card import SPLIT
from harness_adapters.leaderboard.export.hub_dataset.rows import Config
from privacy_tasks.sources import core_header

FILE = "eval.yaml"

_WHY = """\
# Only the probes are listed. Here a task can name Inspect's built-in solvers and scorers alone, and
# none of them can say whether an output disclosed an item. The agentic and the memory tasks are in
# the package privacy-tasks, from which Inspect and lm-evaluation-harness run them.
# The accuracy of these tasks is that of plain multiple choice; README.md says how it differs.
# Benchmark data: keep it out of training corpora. Canary GUID {canary}
"""


def eval_yaml(configs: Sequence[Config]) -> str:
    """The file, with a task for each part that is made of probes."""
    content: dict[str, Any] = {
        "name": "privacy-tasks",
        "description": "Contextual privacy: does a model know which fact may go to which recipient,"
        " and does it act on it? Here: the probes, which ask.",
        "evaluation_framework": "inspect-ai",
        "tasks": [_task(config) for config in configs if config.name.startswith("probing_")],
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    return _WHY.format(canary=core_header().canary) + text


def _task(config: Config) -> dict[str, Any]:
    return {
        "id": config.name,
        "config": config.name,
        "split": SPLIT,
        "field_spec": {
            "input": "question",
            "target": "target",
            "choices": "choices",
            "metadata": ["id", "probe", "order", "right", "cluster", "domain"],
        },
        "solvers": [{"name": "multiple_choice", "args": {}}],
        "scorers": [{"name": "choice", "args": {}}],
    }
