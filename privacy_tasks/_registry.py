"""The entry point that Inspect loads: everything that its decorators register.

Every `inspect` command imports this module, so nothing heavy may be imported from here.
"""

from __future__ import annotations

import judges

if getattr(judges, "DISTRIBUTION", None) != "privacy-tasks":
    raise ImportError(
        f"The package `judges` at {judges.__path__} is not the one of privacy-tasks: another"
        " distribution of that name is installed. Run: pip uninstall judges &&"
        " pip install --force-reinstall --no-deps privacy-tasks"
    )

from inspect_ai.model import ModelAPI, modelapi

from privacy_tasks.agentic.episode import episode
from privacy_tasks.agentic.replay import replay
from privacy_tasks.agentic.task import agentic
from privacy_tasks.memory.sessions import sessions
from privacy_tasks.memory.shared import shared
from privacy_tasks.memory.task import memory
from privacy_tasks.metrics import (
    by_domain,
    completeness,
    discernment,
    helpful_rate,
    item_leak_rate,
    judged,
    leak_rate,
    leak_rate_helpful,
    leak_rate_lower,
    leak_rate_upper,
    no_action_rate,
    over_collection,
    share_rate,
    stored_leak_rate,
    stored_rate,
    upstream,
    violation_at_n,
    violation_at_n_bounds,
    worst_of_n,
)
from privacy_tasks.probing.metrics import (
    accuracy,
    accuracy_by_domain,
    answers_of_n,
    invalid_rate,
    order_consistency,
    paper_accuracy,
    probes_judged,
    share_accuracy,
    withhold_accuracy,
)
from privacy_tasks.probing.scorer import probe_answer
from privacy_tasks.probing.task import answer, probing
from privacy_tasks.scorers import episode_judge, leak_judge, memory_judge, session_judge


@modelapi(name="reference")
def reference() -> type[ModelAPI]:
    """The reference models: `reference/discreet`, `leaky`, `silent` and `mixed`."""
    from privacy_tasks.reference.model import ReferenceAPI

    return ReferenceAPI


__all__ = [
    "accuracy",
    "accuracy_by_domain",
    "agentic",
    "answer",
    "answers_of_n",
    "by_domain",
    "completeness",
    "discernment",
    "episode",
    "episode_judge",
    "helpful_rate",
    "invalid_rate",
    "item_leak_rate",
    "judged",
    "leak_judge",
    "leak_rate",
    "leak_rate_helpful",
    "leak_rate_lower",
    "leak_rate_upper",
    "memory",
    "memory_judge",
    "no_action_rate",
    "order_consistency",
    "over_collection",
    "paper_accuracy",
    "probe_answer",
    "probes_judged",
    "probing",
    "reference",
    "replay",
    "session_judge",
    "sessions",
    "share_accuracy",
    "share_rate",
    "shared",
    "stored_leak_rate",
    "stored_rate",
    "upstream",
    "violation_at_n",
    "violation_at_n_bounds",
    "withhold_accuracy",
    "worst_of_n",
]
