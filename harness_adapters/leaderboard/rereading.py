"""What went out, read again from a model's reply by the project's own rules.

Of replays, profiles and probes a record holds the reply itself, so that nobody has to believe what
the run made of it. Episodes, sessions and shared assistants take several turns: of them the record
holds what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast, get_args

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    ModelName,
    ModelOutput,
    StopReason,
)
from inspect_ai.solver import TaskState
from inspect_ai.tool import ToolCall

from harness_adapters.leaderboard.asked import Asked
from harness_adapters.leaderboard.record import Call, Flow, Record, Reply
from judges.verdict import FailureReason
from privacy_tasks.outcome import Broken, broken_reply, outcome_of
from privacy_tasks.probing.answer import read_answer
from privacy_tasks.sent import NoAction, Sent, by_recipient

REREAD = ("action", "message", "probe")
"""Kinds of samples whose outcome follows from the reply."""


class Came(NamedTuple):
    """What came of a reply."""

    flows: tuple[Flow, ...] = ()
    no_action: str | None = None
    unscored: str | None = None
    answer: str | None = None


def reread(reply: Reply, asked: Asked) -> Came:
    """What came of a reply that is published."""
    state = _state(reply, asked)
    if asked.metadata["kind"] == "probe":
        return _answer(state)
    outcome = outcome_of(state)
    if isinstance(outcome, Broken):
        return Came(unscored=outcome.reason)
    if isinstance(outcome, NoAction):
        return Came(no_action=outcome.reason)
    return Came(flows=tuple(flow_of(sent) for sent in by_recipient(outcome)))


def _answer(state: TaskState) -> Came:
    broken = broken_reply(state)
    if broken is not None and broken.reason != "reply_cut":
        return Came(unscored=broken.reason)
    about = state.metadata
    said = read_answer(state.output.completion, about["options"], cot=about["cot"])
    if said is None and broken is not None:
        return Came(unscored=broken.reason)
    return Came(answer=said or "invalid")


def flow_of(sent: Sent) -> Flow:
    """What was sent, as a record holds it."""
    return Flow(
        recipient=sent.recipient,
        text=sent.text,
        parts=sent.parts,
        tools=sent.tools,
        addressees=sent.addressees,
    )


def came_of(record: Record) -> Came:
    """What a record says that came."""
    judged = record.unscored is None or record.unscored == "norm_unknown"
    return Came(
        flows=record.flows if judged else (),
        no_action=record.no_action,
        unscored=None if judged else record.unscored,
        answer=record.answer,
    )


OF_THE_JUDGE: frozenset[str] = frozenset(get_args(FailureReason))
"""Reasons for having no verdict that a reply says nothing of: something went out."""


def reply_of(output: ModelOutput) -> Reply | None:
    """A model's output as a record holds it; None where there was none."""
    if output.error or not output.choices:
        return None
    message = output.message
    calls = tuple(
        Call(
            function=call.function[:200] or "(none)",
            arguments=json.dumps(call.arguments, ensure_ascii=False),
            unreadable=call.parse_error is not None,
        )
        for call in message.tool_calls or []
    )
    return Reply(text=output.completion, calls=calls, stop=output.stop_reason)


def _state(reply: Reply, asked: Asked) -> TaskState:
    shown: list[ChatMessage] = (
        [ChatMessageUser(content=asked.sample.input)]
        if isinstance(asked.sample.input, str)
        else list(asked.sample.input)
    )
    message = ChatMessageAssistant(
        content=str(reply.text),
        tool_calls=[
            ToolCall(
                id=f"call-{number}",
                function=str(call.function),
                arguments=_arguments(call),
                parse_error="unreadable" if call.unreadable else None,
            )
            for number, call in enumerate(reply.calls)
        ]
        or None,
    )
    choice = ChatCompletionChoice(message=message, stop_reason=cast(StopReason, reply.stop))
    output = ModelOutput(model="submitted", choices=[choice])
    return TaskState(
        model=ModelName("submitted/model"),
        sample_id=asked.id,
        epoch=1,
        input=asked.sample.input,
        messages=[*shown, message],
        output=output,
        metadata=dict(asked.metadata),
    )


def _arguments(call: Call) -> dict[str, Any]:
    found = json.loads(str(call.arguments))
    if not isinstance(found, Mapping):
        raise ValueError("a tool call's arguments are no object")
    return dict(found)
