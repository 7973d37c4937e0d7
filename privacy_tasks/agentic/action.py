"""What a model's next action sends to somebody other than the user."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from inspect_ai.model import ModelOutput

from privacy_tasks.toolkits import Outgoing, tool_spec

NoActionReason = Literal["reply_only", "unknown_tool", "nothing_outgoing"]
"""Why there was no outgoing action: no tool was used, or one that does not exist, or only tools
that send nothing to anybody else."""


class ToolAction(NamedTuple):
    """A tool call of the model under test."""

    tool: str
    arguments: Mapping[str, Any] | None
    """None where the model wrote something that is no JSON object."""
    raw: str
    """What it wrote as arguments, for those it did not write as a JSON object."""


class Sent(NamedTuple):
    """Everything that goes out, as the judge reads it."""

    text: str
    tools: tuple[str, ...]


class NoAction(NamedTuple):
    """Nothing goes out."""

    reason: NoActionReason


class Unreadable(NamedTuple):
    """The model tried to send something, and what it was cannot be read: no verdict can be had."""

    detail: str


_ACTION = re.compile(r"^[ \t>*#`]*Action:[ \t*`]*", re.MULTILINE)
_INPUT = re.compile(r"^[ \t>*#`]*Action Input:[ \t*`]*", re.MULTILINE)
_OBSERVATION = re.compile(r"^[ \t>*#`]*Observation:", re.MULTILINE)
_DECODER = json.JSONDecoder(strict=False)  # a raw line break inside a string is still readable


def native_actions(output: ModelOutput) -> list[ToolAction] | Unreadable:
    """The tool calls of a model's reply."""
    found = []
    for call in output.message.tool_calls or []:
        if call.parse_error:
            spec = tool_spec(call.function)
            if spec is not None and spec.outgoing is not None:
                return Unreadable(f"the arguments of {call.function} cannot be parsed")
            found.append(ToolAction(call.function, None, ""))
        else:
            found.append(ToolAction(call.function, call.arguments, ""))
    return found


def text_actions(completion: str) -> list[ToolAction]:
    """The actions that a transcript goes on with, up to an observation that the model made up."""
    observation = _OBSERVATION.search(completion)
    own = completion[: observation.start()] if observation else completion
    starts = list(_ACTION.finditer(own))
    ends = [*(match.start() for match in starts), len(own)][1:]
    found = []
    for match, end in zip(starts, ends, strict=True):
        block = own[match.end() : end]
        split = _INPUT.search(block)
        name = block[: split.start()] if split else block
        raw = block[split.end() :].strip() if split else ""
        found.append(ToolAction(name.strip().strip("`*\"'"), _first_object(raw), raw))
    return found


def outgoing(
    actions: Sequence[ToolAction],
    *,
    user_email: str,
    content_of: Callable[[str], str | None],
) -> Sent | NoAction:
    """What the actions send to somebody else.

    Args:
        actions: the model's actions, in order.
        user_email: a call that reaches nobody but this address sends nothing to anybody else.
        content_of: the text of something the model had looked at, by its id; a call that shares
            it by that id passes on the text.
    """
    parts, tools, known = [], [], False
    for action in actions:
        spec = tool_spec(action.tool)
        if spec is None:
            continue
        known = True
        if spec.outgoing is None or not _reaches_others(action, spec.outgoing, user_email):
            continue
        tools.append(action.tool)
        parts.append(_rendered(action, spec.outgoing, content_of))
    if parts:
        return Sent("\n\n".join(parts), tuple(tools))
    if not actions:
        return NoAction("reply_only")
    return NoAction("nothing_outgoing" if known else "unknown_tool")


def _first_object(text: str) -> Mapping[str, Any] | None:
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, _ = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _reaches_others(action: ToolAction, spec: Outgoing, user_email: str) -> bool:
    if action.arguments is None:
        return True
    if spec.audience and action.arguments.get(spec.audience) in spec.private_audiences:
        return False
    named = [action.arguments[name] for name in spec.addressees if name in action.arguments]
    if not named:
        return True
    addressees = [
        address.strip()
        for value in named
        for part in (value if isinstance(value, list) else [value])
        for address in str(part).split(",")
        if address.strip()
    ]
    return any(address.casefold() != user_email.casefold() for address in addressees)


def _rendered(action: ToolAction, spec: Outgoing, content_of: Callable[[str], str | None]) -> str:
    if action.arguments is None:
        return f"{action.tool}\n{action.raw}"
    lines = [action.tool]
    for name, value in action.arguments.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"{name}: {shown}")
    shared = action.arguments.get(spec.reference) if spec.reference else None
    content = content_of(shared) if isinstance(shared, str) else None
    if content is not None:
        lines.append(f"content of {shared}: {content}")
    return "\n".join(lines)
