"""What a model sent, to whom, or why there is nothing to judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from inspect_ai.util import Store

RECIPIENT = "recipient"
"""Key of the scenario's own recipient among the `recipients` of a sample."""

NoActionReason = Literal[
    "reply_only", "unknown_tool", "nothing_outgoing", "done_early", "turn_limit", "limit"
]
"""Why there was no outgoing action: no tool was used, or one that does not exist, or only tools
that send nothing to anybody else; in an episode, the agent said that it was done, or its turns or
another limit of the run ran out, before anything was sent."""


class Sent(NamedTuple):
    """Everything that goes out to one recipient."""

    text: str
    """As the judge reads it, with the names of tools and arguments."""
    parts: tuple[str, ...]
    """What the model wrote itself, and what it shared by its id; evidence must stand in these."""
    tools: tuple[str, ...] = ()
    addressees: tuple[str, ...] = ()
    recipient: str | None = RECIPIENT
    """Key among the sample's `recipients`; None for somebody whom no norm speaks of."""


class NoAction(NamedTuple):
    """Nothing goes out."""

    reason: NoActionReason


class Unreadable(NamedTuple):
    """The model tried to send something, and what it was cannot be read: no verdict can be had."""

    detail: str


_FLOWS = "privacy_tasks_flows"


def record_flow(store: Store, sent: Sent) -> None:
    """Keeps a flow of a sample that takes several turns, for the scorer and for the log."""
    store.set(_FLOWS, [*store.get(_FLOWS, []), sent._asdict()])


def recorded_flows(store: Store) -> list[Sent]:
    """The flows of a sample, in their order."""
    records: list[dict[str, Any]] = store.get(_FLOWS, [])
    return [_sent(record) for record in records]


def by_recipient(flows: Sequence[Sent]) -> list[Sent]:
    """The flows put together for each recipient, in the order of their first."""
    together: dict[str | None, list[Sent]] = {}
    for flow in flows:
        together.setdefault(flow.recipient, []).append(flow)
    return [
        Sent(
            text="\n\n".join(flow.text for flow in group),
            parts=tuple(part for flow in group for part in flow.parts),
            tools=tuple(tool for flow in group for tool in flow.tools),
            addressees=tuple(address for flow in group for address in flow.addressees),
            recipient=key,
        )
        for key, group in together.items()
    ]


def _sent(record: dict[str, Any]) -> Sent:
    return Sent(
        text=record["text"],
        parts=tuple(record["parts"]),
        tools=tuple(record["tools"]),
        addressees=tuple(record["addressees"]),
        recipient=record["recipient"],
    )
