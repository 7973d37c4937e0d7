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

from privacy_tasks.agentic.replay import replay
from privacy_tasks.agentic.task import agentic
from privacy_tasks.metrics import (
    by_domain,
    discernment,
    helpful_rate,
    item_leak_rate,
    judged,
    leak_rate,
    leak_rate_helpful,
    leak_rate_lower,
    leak_rate_upper,
    no_action_rate,
    share_rate,
)
from privacy_tasks.scorers import leak_judge


@modelapi(name="reference")
def reference() -> type[ModelAPI]:
    """The reference models: `reference/discreet`, `leaky`, `silent` and `mixed`."""
    from privacy_tasks.reference.model import ReferenceAPI

    return ReferenceAPI


__all__ = [
    "agentic",
    "by_domain",
    "discernment",
    "helpful_rate",
    "item_leak_rate",
    "judged",
    "leak_judge",
    "leak_rate",
    "leak_rate_helpful",
    "leak_rate_lower",
    "leak_rate_upper",
    "no_action_rate",
    "reference",
    "replay",
    "share_rate",
]
