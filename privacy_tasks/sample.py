"""What a sample of any task family tells its solver, scorer, metrics and the reference models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from privacy_tasks.norms import AnnotatedItem, Recipient
from privacy_tasks.scenario import Scenario


def scenario_metadata(scenario: Scenario, kind: str) -> dict[str, Any]:
    """The metadata that every sample has.

    Args:
        scenario: what the sample is made of.
        kind: how what went out is read: `action`, `episode`, `message`, `sessions` or `shared`.
    """
    return {
        "set": scenario.set,
        "kind": kind,
        "domain": scenario.domain,
        "channel": scenario.channel,
        "cluster": scenario.cluster,
        "recipient": label(scenario.flow.recipient),
        "purpose": scenario.purpose,
        "items": [item.model_dump(mode="json") for item in scenario.items],
    }


def label(recipient: Recipient) -> str:
    """A recipient as the judge and the reader of a log see them."""
    return f"{recipient.name} ({recipient.role})" if recipient.role else recipient.name


def recipient_record(recipient: Recipient, items: Sequence[AnnotatedItem]) -> dict[str, Any]:
    """One of several recipients of a sample, with the norm of every item for them."""
    return {
        "name": recipient.name,
        "role": recipient.role,
        "norms": {item.id: [item.norm, item.rationale] for item in items},
    }
