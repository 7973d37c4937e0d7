"""What the model under test had looked at, read back from the messages it was shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageTool, ChatMessageUser

from privacy_tasks.transcript import actions


def content_by_id(messages: Sequence[ChatMessage], wanted: str) -> str | None:
    """The text of the thing with that id in the replayed trajectory, or None.

    A thing is an object with an id among its fields, or all that came back when that one id was
    asked for.
    """
    whole = None
    for arguments, observation in _steps(messages):
        if wanted in _asked_ids(arguments):
            whole = observation
        for key, text in _identified(_parsed(observation)):
            if key == wanted:
                whole = whole or text
    return whole


def _steps(messages: Sequence[ChatMessage]) -> Iterator[tuple[Any, str]]:
    """Arguments and observation of each step, from tool calls or from a transcript."""
    asked: dict[str, Any] = {}
    for message in messages:
        if isinstance(message, ChatMessageAssistant):
            asked |= {call.id: call.arguments for call in message.tool_calls or []}
        elif isinstance(message, ChatMessageTool):
            yield asked.get(message.tool_call_id or ""), message.text
        elif isinstance(message, ChatMessageUser):
            for action in actions(message.text):
                yield _parsed(action.input_text), action.observation


def _asked_ids(arguments: Any) -> list[str]:
    """The ids that a step asked for."""
    if not isinstance(arguments, dict):
        return []
    values = [value for name, value in arguments.items() if name.endswith(("_id", "_ids"))]
    return [key for value in values for key in (value if isinstance(value, list) else [value])]


def _identified(value: Any) -> Iterator[tuple[str, str]]:
    """Every object with an id among its fields, with its text."""
    if isinstance(value, dict):
        for key, content in value.items():
            if (key == "id" or key.endswith("_id")) and isinstance(content, str):
                yield content, json.dumps(value, ensure_ascii=False)
            yield from _identified(content)
    elif isinstance(value, list):
        for element in value:
            yield from _identified(element)


def _parsed(text: str) -> Any:
    """What a text says in JSON, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
