"""What a reference model does in each kind of sample: a tool call, or what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from inspect_ai.model import ChatMessage, ChatMessageAssistant
from inspect_ai.solver import TaskState

from privacy_tasks.agentic.action import ToolAction
from privacy_tasks.memory.sessions import PRIVATE
from privacy_tasks.norms import AnnotatedItem
from privacy_tasks.reference.policy import Policy
from privacy_tasks.toolkits import ToolSpec, tool_spec

_ADDRESS = "recipient@reference.example"
"""For scenarios that name no address."""

NOTHING = "I would rather not send anything."


class Asked(NamedTuple):
    """A model that is asked for its next step."""

    policy: Policy
    state: TaskState
    messages: Sequence[ChatMessage]

    @property
    def metadata(self) -> dict[str, Any]:
        """What the sample says of itself."""
        return self.state.metadata

    @property
    def last(self) -> str:
        """The text of the last message."""
        return self.messages[-1].text if self.messages else ""

    def chosen(self) -> list[AnnotatedItem]:
        """The items that the policy discloses."""
        items = [AnnotatedItem.from_record(item) for item in self.metadata["items"]]
        return self.policy.disclosed(str(self.state.sample_id), self.state.epoch, items)


Done = str | ToolAction


def conduct_of(kind: Any) -> Callable[[Asked], Done] | None:
    """What to do in samples of a kind; None for those of other projects."""
    return _CONDUCTS.get(kind)


def _action(asked: Asked) -> Done:
    if not asked.policy.acts:
        return NOTHING
    return _written(asked, _sending(asked))


def _episode(asked: Asked) -> Done:
    """Looks at all that the trajectory looks at, sends once, and says that it is done."""
    if not asked.policy.acts:
        return NOTHING
    steps = [
        ToolAction(step["tool"], step["arguments"])
        for step in asked.metadata["world"]
        if step["arguments"] is not None
    ]
    taken = sum(isinstance(message, ChatMessageAssistant) for message in asked.messages)
    if taken < len(steps):
        return _written(asked, steps[taken])
    return _written(asked, _sending(asked)) if taken == len(steps) else "Done."


def _message(asked: Asked) -> Done:
    return _letter(asked.chosen()) if asked.policy.acts else NOTHING


def _sessions(asked: Asked) -> Done:
    """Stores what it is told as its policy says, and later writes from what it still knows."""
    says = _said(asked)
    if says is None:
        if asked.messages[-1].role == "tool":
            return "Noted."
        if not asked.policy.acts:
            return NOTHING
        shown = "\n".join(message.text for message in asked.messages)
        known = _known(asked, shown)
        return _letter([item for item in asked.chosen() if item.id in known])
    if not says or not asked.metadata["memory_tool"] or asked.policy.store == "none":
        return "Noted."
    place = asked.metadata["place"]["name"] if asked.policy.store == "place" else PRIVATE
    statements = [item["statement"] for item in asked.metadata["items"] if item["id"] in says]
    return ToolAction("remember", {"note": "\n".join(statements), "place": place})


def _said(asked: Asked) -> list[str] | None:
    """The items that come up in the turn to be answered; None where it is none of the sessions'."""
    for session in asked.metadata["sessions"]:
        for turn in session["turns"]:
            if asked.last.endswith(turn["text"]):
                says: list[str] = turn["says"]
                return says
    return None


def _known(asked: Asked, shown: str) -> set[str]:
    """The items that stand in what it is shown: as a note, or as the turn that told them."""
    known = {item["id"] for item in asked.metadata["items"] if item["statement"] in shown}
    for session in asked.metadata["sessions"]:
        for turn in session["turns"]:
            if turn["text"] in shown:
                known |= set(turn["says"])
    return known


def _shared(asked: Asked) -> Done:
    return _letter(asked.chosen()) if asked.policy.acts else NOTHING


def _probe(asked: Asked) -> Done:
    about = asked.metadata
    says = asked.policy.answers(about["probe"], asked.state.epoch, about["norm"])
    if says is None:
        return NOTHING
    (letter,) = (key for key, right in about["options"].items() if right == says)
    return f"It follows from who would read it.\nAnswer: ({letter})" if about["cot"] else letter


def _letter(items: Sequence[AnnotatedItem]) -> str:
    return "\n".join(["Hello,", *(item.statement for item in items), "Regards"])


def _sending(asked: Asked) -> ToolAction:
    spec = tool_spec(asked.metadata["final_tool"])
    assert spec is not None
    statements = [item.statement for item in asked.chosen()]
    return ToolAction(spec.name, compose(spec, asked.metadata["address"], statements))


def _written(asked: Asked, action: ToolAction) -> Done:
    """The action, or the lines that stand for it."""
    if asked.metadata["tool_format"] == "native":
        return action
    arguments = json.dumps(action.arguments, ensure_ascii=False)
    return f"Action: {action.tool}\nAction Input: {arguments}"


def compose(spec: ToolSpec, address: str | None, statements: Sequence[str]) -> dict[str, Any]:
    """Arguments of an outgoing tool that say these statements and nothing else of substance."""
    assert spec.outgoing is not None
    assert spec.outgoing.body is not None
    arguments: dict[str, Any] = {}
    for name, parameter in spec.parameters.items():
        if name == spec.outgoing.addressee:
            value = address or _ADDRESS
            arguments[name] = [value] if parameter.type == "array" else value
        elif name == spec.outgoing.body:
            arguments[name] = "\n".join(["Hello,", *statements, "Regards"])
        elif parameter.required:
            arguments[name] = [] if parameter.type == "array" else _FILLERS.get(name, "Update")
    return arguments


_FILLERS = {"start": "2030-01-01 09:00", "end": "2030-01-01 09:30"}

_CONDUCTS: dict[Any, Callable[[Asked], Done]] = {
    "action": _action,
    "episode": _episode,
    "message": _message,
    "sessions": _sessions,
    "shared": _shared,
    "probe": _probe,
}
