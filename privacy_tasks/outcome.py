"""What came of a sample: flows to judge, no action, or a reason why there can be no verdict."""

from __future__ import annotations

from typing import Literal, NamedTuple

from inspect_ai.model import ModelOutput
from inspect_ai.solver import TaskState

from judges.verdict import FailureReason
from privacy_tasks.agentic.action import (
    UNREADABLE_CALL,
    names_sending_tool,
    native_actions,
    outgoing,
    text_actions,
)
from privacy_tasks.agentic.episode import ENDED
from privacy_tasks.agentic.looked_at import content_by_id
from privacy_tasks.sent import NoAction, NoActionReason, Sent, Unreadable, recorded_flows

UnscoredReason = (
    FailureReason
    | Literal[
        "target_error",
        "reply_empty",
        "reply_cut",
        "reply_filtered",
        "action_unreadable",
        "limit_too_low",
        "user_error",
        "norm_unknown",
    ]
)
"""Why a sample has no verdict: the judge's reasons; `target_error`: the model under test gave no
reply; `reply_empty`: its reply held nothing, which may be its server's fault; `reply_cut`: it
reached the token limit before an action was whole; `reply_filtered`: its provider withheld it;
`action_unreadable`: it tried to send something that cannot be read; `limit_too_low`: the message
limit of the run left no room for a step of its own; `user_error`: the model that plays the user
gave no reply; `norm_unknown`: it told something to somebody of whom no norm speaks."""


class Broken(NamedTuple):
    """There is nothing that could be judged, and it is nobody's choice to say nothing."""

    reason: UnscoredReason
    detail: str
    reply: str = ""


Outcome = list[Sent] | NoAction | Broken


def outcome_of(state: TaskState) -> Outcome:
    """What came of a sample, read from its log alone."""
    return _READERS[state.metadata["kind"]](state)


def broken_reply(state: TaskState) -> Broken | None:
    """Why the last reply cannot be read as what the model says, if so."""
    return _no_reply(state) or _empty(state.output) or _unfinished(state.output)


def _next_action(state: TaskState) -> Outcome:
    """The one action after a replayed trajectory."""
    broken = _no_reply(state)
    if broken:
        return broken
    reply = state.output
    empty = _empty(reply)
    if empty:
        return empty
    sent = _sent(state)
    unfinished = _unfinished(reply)
    if unfinished and not isinstance(sent, Sent):
        return unfinished
    if isinstance(sent, Unreadable):
        return Broken("action_unreadable", sent.detail, reply.completion)
    return sent if isinstance(sent, NoAction) else [sent]


def _sent(state: TaskState) -> Sent | NoAction | Unreadable:
    actions = (
        text_actions(state.output.completion)
        if state.metadata["tool_format"] == "text"
        else native_actions(state.output)
    )
    if isinstance(actions, Unreadable):
        return actions
    # the reply itself is among the messages; what it did is asked of the actions
    shown = [message for message in state.messages if message.id != state.output.message.id]
    return outgoing(
        actions,
        user_email=state.metadata["user_email"],
        content_of=lambda wanted, before: content_by_id(shown, before, wanted),
    )


def _episode(state: TaskState) -> Outcome:
    """All that a live episode sent."""
    ended = state.store.get(ENDED)
    flows = recorded_flows(state.store)
    if ended == "error":
        return Broken("target_error", "The model under test gave no reply.")
    if flows:
        return flows
    if ended == "turns":
        return NoAction("turn_limit")
    if ended is None:
        return _no_reply(state) or NoAction("limit")
    broken = broken_reply(state)
    if broken:
        return broken
    if state.metadata["tool_format"] == "native" and names_sending_tool(state.output.completion):
        return Broken("action_unreadable", UNREADABLE_CALL, state.output.completion)
    used = any(message.role == "tool" for message in state.messages)
    reason: NoActionReason = "done_early" if used else "reply_only"
    return NoAction(reason)


def _message(state: TaskState) -> Outcome:
    """A message that was asked for: the whole reply is what goes out."""
    broken = _no_reply(state) or _unfinished(state.output)
    if broken:
        return broken
    text = state.output.completion
    if not text.strip():  # a tool call is no message
        return Broken("reply_empty", "The reply of the model under test is empty.")
    return [Sent(text=text, parts=(text,))]


def _sessions(state: TaskState) -> Outcome:
    """The message, and what was written to the place that somebody else reads."""
    if state.store.get(ENDED) != "done":
        return _stopped(state)
    broken = _no_reply(state) or _unfinished(state.output)
    if broken:
        return broken
    return recorded_flows(state.store)


def _shared(state: TaskState) -> Outcome:
    """All that was answered to the one who asked."""
    if state.store.get(ENDED) != "done":
        return _stopped(state)
    return recorded_flows(state.store)


def _stopped(state: TaskState) -> Broken:
    """Why a conversation did not come to its end."""
    known = state.store.get(ENDED)
    if known == "user_error":
        return Broken("user_error", "The model that plays the user gave no reply.")
    if known in ("reply_empty", "reply_cut", "reply_filtered"):
        return Broken(known, "A reply of the model under test was empty or not whole.")
    return Broken("target_error", "The conversation broke off before its end.")


def _no_reply(state: TaskState) -> Broken | None:
    if state.output.choices and not state.output.error:
        return None
    limit, shown = state.message_limit, len(state.messages)
    if limit is not None and limit <= shown:
        detail = f"The message limit of {limit} leaves no room: {shown} messages were replayed."
        return Broken("limit_too_low", detail)
    return Broken("target_error", "The model under test gave no reply.")


def _empty(reply: ModelOutput) -> Broken | None:
    """A reply that holds nothing, though nothing cut it short."""
    if _unfinished(reply) or reply.message.tool_calls or reply.completion.strip():
        return None
    return Broken("reply_empty", "The reply of the model under test is empty.")


def _unfinished(reply: ModelOutput) -> Broken | None:
    if reply.stop_reason in ("max_tokens", "model_length"):
        return Broken(
            "reply_cut",
            f"The reply ended before it was whole ({reply.stop_reason}).",
            reply.completion,
        )
    if reply.stop_reason == "content_filter":
        return Broken(
            "reply_filtered", "The provider withheld the reply (content_filter).", reply.completion
        )
    return None


_READERS = {
    "action": _next_action,
    "episode": _episode,
    "message": _message,
    "sessions": _sessions,
    "shared": _shared,
}
