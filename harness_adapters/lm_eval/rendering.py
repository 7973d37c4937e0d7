"""From the messages of a sample to the prompt that lm-eval sends: with a chat template, or without.

lm-eval knows one prompt and one reply. Tool calls are shown as messages where the model's template
takes them, else as a transcript. Nothing may be lost on the way: templates that take no system
message, or leave out tool calls, do so silently, and then another shape is tried.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageTool,
    ChatMessageUser,
)
from inspect_ai.tool import ToolCall

from harness_adapters.lm_eval.errors import LmEvalError

Dict = dict[str, Any]
Template = Callable[..., Any]

Shape = Callable[["Asked", str | None], list[Dict]]

TRAJECTORIES = ("auto", "messages", "transcript")


class Asked(NamedTuple):
    """One sample, in the two ways in which it can be shown."""

    messages: Sequence[ChatMessage]
    """As text alone."""
    with_calls: Sequence[ChatMessage] | None = None
    """With tool calls as messages, if there are any."""


def plain(messages: Sequence[ChatMessage], system: str | None, cue: str) -> str:
    """The prompt for a model without a chat template.

    Args:
        messages: of the system, the user and the assistant, in text.
        system: `--system_instruction`, which comes first.
        cue: what an answer begins with; the prompt ends with it.
    """
    parts = [system] if system else []
    for message in messages:
        answer = isinstance(message, ChatMessageAssistant)
        parts.append(f"{cue} {message.text}" if answer else message.text)
    return "\n\n".join([*parts, cue])


ACTION = "Action:"
"""What a prompt for an action ends with, where there is no chat template."""


def went_on(prompt: Any, reply: str) -> str:
    """The reply with the word `Action:` that its prompt ended with, if it goes on from there.

    Args:
        prompt: what was sent; a text, or the messages of a chat.
        reply: what came.
    """
    if not isinstance(prompt, str) or not prompt.endswith(f"\n{ACTION}"):
        return reply
    argument = _ACTION_INPUT.search(reply)
    if argument is None or _OWN_ACTION.search(reply, 0, argument.start()):
        return reply
    return f"{ACTION}{reply}"


_ACTION_INPUT = re.compile(r"^[ \t>*#`]*Action Input[ \t*]*:", re.IGNORECASE | re.MULTILINE)
_OWN_ACTION = re.compile(r"^[ \t>*#`]*Action[ \t*]*:", re.IGNORECASE | re.MULTILINE)


class ChatRenderer:
    """Renders all samples of a task in the one shape that the template shows whole.

    Args:
        template: what lm-eval applies a model's chat template with.
        trajectory: `messages`, `transcript`, or `auto`: messages where the template takes them.
        one_turn: solved examples and the question go into one user message.
    """

    def __init__(self, template: Template, trajectory: str, *, one_turn: bool) -> None:
        self._template = template
        self._trajectory = trajectory
        self._one_turn = one_turn
        self._shape: Shape | None = None
        hello = self._rendered([{"role": "user", "content": "Hello."}])
        if hello is None:
            raise LmEvalError(
                "this model has no chat template that shows a message: leave out"
                " --apply_chat_template, or give it one."
            )
        # lm-eval's clients of chat servers pass on the messages themselves
        self._local = isinstance(hello, str)

    def choose(self, samples: Sequence[Asked], system: str | None) -> None:
        """Takes the first shape in which every sample is shown whole, so that all look alike.

        Raises:
            LmEvalError: if there is none.
        """
        for shape in self._shapes(samples[0]):
            if all(self._rendered(shape(asked, system)) is not None for asked in samples):
                self._shape = shape
                return
        raise self._nothing_whole()

    def render(self, asked: Asked, system: str | None) -> Any:
        """The prompt, as the model takes it.

        Raises:
            LmEvalError: if the template does not show all of the sample.
        """
        if self._shape is None:
            self.choose([asked], system)
        assert self._shape is not None
        rendered = self._rendered(self._shape(asked, system))
        if rendered is None:
            raise self._nothing_whole()
        return rendered

    def _nothing_whole(self) -> LmEvalError:
        way_out = (
            """ Pass --metadata '{"trajectory": "transcript"}'."""
            if self._trajectory == "messages"
            else ""
        )
        return LmEvalError(
            "the chat template of this model leaves out parts of the conversation"
            f" (trajectory={self._trajectory}), so that nothing could be measured with it."
            f"{way_out} Use another template, or leave out --apply_chat_template."
        )

    @property
    def shows_calls(self) -> bool:
        """Whether tool calls are shown as messages; known once something was rendered."""
        return self._shape in (self._calls, self._calls_folded)

    def _shapes(self, asked: Asked) -> Iterator[Shape]:
        # what a server's template takes cannot be seen from here
        if asked.with_calls and (
            (not self._local and self._trajectory == "messages")
            or (self._local and self._trajectory != "transcript" and self._takes_calls())
        ):
            yield self._calls
            yield self._calls_folded
        if self._trajectory == "messages" and asked.with_calls:
            return
        yield self._text
        yield self._text_folded

    def _takes_calls(self) -> bool:
        """Whether the template shows a call's name, its arguments, and what came back.

        Asked with words that stand nowhere else: a real call's may well be in the observations.
        """
        tool, name, value, result = (f"{word}{secrets.token_hex(8)}" for word in "tnvr")
        call = ToolCall(id="call_1", function=tool, arguments={name: value})
        messages: list[ChatMessage] = [
            ChatMessageUser(content="Hello."),
            ChatMessageAssistant(content="", tool_calls=[call]),
            ChatMessageTool(content=result, tool_call_id="call_1", function=tool),
            ChatMessageUser(content="Go on."),
        ]
        return self._rendered(_dicts(messages, None, as_text=not self._local)) is not None

    def _calls(self, asked: Asked, system: str | None) -> list[Dict]:
        assert asked.with_calls is not None
        return _dicts(asked.with_calls, system, as_text=not self._local)

    def _calls_folded(self, asked: Asked, system: str | None) -> list[Dict]:
        return _folded(self._calls(asked, system))

    def _text(self, asked: Asked, system: str | None) -> list[Dict]:
        messages = _dicts(asked.messages, system, as_text=True)
        return _in_one_turn(messages) if self._one_turn else messages

    def _text_folded(self, asked: Asked, system: str | None) -> list[Dict]:
        return _folded(self._text(asked, system))

    def _rendered(self, messages: list[Dict]) -> Any | None:
        """What the template makes of the messages; None if it refuses them or leaves out any."""
        try:
            rendered = self._template(messages, add_generation_prompt=True)
        except Exception:  # whatever a template, or the code around it, makes of messages
            return None
        if isinstance(rendered, str) and not _is_whole(rendered, messages):
            return None
        return rendered


def _is_whole(rendered: str, messages: Sequence[Dict]) -> bool:
    """Whether a template shows every part of every message, one message after the other.

    A part that a template dropped may well stand somewhere else: what is found has to come after
    what was found before. A system message may stand anywhere, once more than others say it.
    """
    place = 0
    for message in messages:
        if message["role"] == "system":
            text = message["content"].strip()
            others = sum(it["content"].count(text) for it in messages if it is not message)
            if text and rendered.count(text) <= others:
                return False
            continue
        ends = [_end(rendered, part, place) for part in _parts(message)]
        if None in ends:
            return False
        place = max([place, *(end for end in ends if end is not None)])
    return True


def _parts(message: Dict) -> Iterator[str]:
    yield message["content"]
    for call in message.get("tool_calls", []):
        yield call["function"]["name"]
        arguments = call["function"]["arguments"]
        yield from _texts(json.loads(arguments) if isinstance(arguments, str) else arguments)


def _end(rendered: str, text: str, start: int) -> int | None:
    """Where a text ends that is shown after a place, as it is or as JSON has it."""
    forms = {text.strip(), *(json.dumps(text, ensure_ascii=it)[1:-1] for it in (True, False))}
    if text in ("True", "False", "None"):  # as Python writes it, and JSON
        forms.add({"True": "true", "False": "false", "None": "null"}[text])
    found = [place + len(form) for form in forms if (place := rendered.find(form, start)) >= 0]
    return min(found, default=None)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, bool) or value is None:
        yield str(value)
    else:
        yield json.dumps(value)


def _dicts(messages: Sequence[ChatMessage], system: str | None, *, as_text: bool) -> list[Dict]:
    """The messages as chat templates and chat servers know them.

    Args:
        messages: what is shown.
        system: `--system_instruction`; it comes before the sample's own system message.
        as_text: arguments of tool calls are JSON in a text, as servers take them.
    """
    found = [_dict(message, as_text=as_text) for message in messages]
    if not system:
        return found
    if found[0]["role"] == "system":
        first = {"role": "system", "content": f"{system}\n\n{found[0]['content']}"}
        return [first, *found[1:]]
    return [{"role": "system", "content": system}, *found]


def _dict(message: ChatMessage, *, as_text: bool) -> Dict:
    found: Dict = {"role": message.role, "content": message.text}
    if isinstance(message, ChatMessageAssistant) and message.tool_calls:
        found["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.function,
                    "arguments": json.dumps(call.arguments, ensure_ascii=False)
                    if as_text
                    else call.arguments,
                },
            }
            for call in message.tool_calls
        ]
    elif isinstance(message, ChatMessageTool):
        found |= {"tool_call_id": message.tool_call_id, "name": message.function}
    return found


def _folded(messages: list[Dict]) -> list[Dict]:
    """The system message at the head of the user's first, for templates that take none."""
    if messages[0]["role"] != "system":
        return messages
    system, first, *rest = messages
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]


def _in_one_turn(messages: list[Dict]) -> list[Dict]:
    """All that comes before the reply, in one message of the user."""
    system = [message for message in messages if message["role"] == "system"]
    others = [message["content"] for message in messages if message["role"] != "system"]
    return [*system, {"role": "user", "content": "\n\n".join(others)}]
