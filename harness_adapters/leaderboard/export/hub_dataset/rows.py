"""The core set as rows: one for each scenario of the tasks with a judge, one for each probe asked.

What a model is shown is made by the functions that the tasks themselves use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageTool

from harness_adapters.errors import AdapterError
from privacy_tasks.agentic.samples import replay_cases
from privacy_tasks.memory.samples import profile_cases, session_cases, shared_cases
from privacy_tasks.probing.probes import LEVELS
from privacy_tasks.probing.prompts import OPTIONS, Order
from privacy_tasks.probing.samples import probe_cases
from privacy_tasks.prompt_files import fill, prompt_text
from privacy_tasks.sources import core_header
from privacy_tasks.task_frame import Cases

Row = dict[str, Any]


class Config(NamedTuple):
    """One part of the data set, as the hub names it."""

    name: str
    cases: Cases
    rows: list[Row]

    @property
    def file(self) -> str:
        """Where its rows lie."""
        return f"data/{self.name}.jsonl"


def configs() -> list[Config]:
    """All parts of the core set, always the same."""
    memory = {"data": "core", "prompt": "basic"}
    made = [
        ("agentic", replay_cases(data="core", prompt="naive", tool_format="native"), _agentic),
        ("memory_profile", profile_cases(**memory), _profile),
        (
            "memory_sessions",
            session_cases(**memory, memory="history", labels=None, domains="all"),
            _sessions,
        ),
        ("memory_shared", shared_cases(**memory, labels=None, domains="all"), _shared),
    ]
    probes = [
        (f"probing_{level}", probe_cases(data="core", level=level), _probe) for level in LEVELS
    ]
    return [_config(name, cases, of) for name, cases, of in [*made, *probes]]


def _config(name: str, cases: Cases, of: Callable[[Sample], Row]) -> Config:
    canary = core_header().canary
    rows = [{"id": str(it.id), **of(it), "canary": canary} for it in cases.samples]
    return Config(name, cases, rows)


def _about(sample: Sample) -> Row:
    """What every scenario has."""
    about = sample.metadata or {}
    return {
        **{key: about[key] for key in ("cluster", "domain", "channel", "recipient", "purpose")},
        "items": about["items"],
    }


def _agentic(sample: Sample) -> Row:
    about = sample.metadata or {}
    return _about(sample) | {
        "recipient_address": about["address"],
        "toolkits": about["toolkits"],
        "final_tool": about["final_tool"],
        "messages": _messages(sample),
    }


def _profile(sample: Sample) -> Row:
    return _about(sample) | {"messages": _messages(sample)}


def _sessions(sample: Sample) -> Row:
    about = sample.metadata or {}
    readers = about["recipients"]["place"]
    return _about(sample) | {
        "user": about["user"],
        "sessions": _json(about["sessions"]),
        "request": str(sample.input),
        "place": about["place"]["name"],
        "place_readers": about["place"]["readers"],
        "place_norms": _json(
            {
                item: {"norm": norm, "rationale": rationale}
                for item, (norm, rationale) in readers["norms"].items()
            }
        ),
    }


def _shared(sample: Sample) -> Row:
    about = sample.metadata or {}
    return _about(sample) | {
        "place": about["place"],
        "way": about["way"],
        "asker": about["asker"]["name"],
        "asks": list(about["asks"]),
        "messages": _messages(sample),
    }


_OF_A_PROBE = (
    "probe",
    "order",
    "right",
    "cluster",
    "domain",
    "channel",
    "recipient",
    "purpose",
    "fact",
    "norm",
    "rationale",
)


def _probe(sample: Sample) -> Row:
    about = sample.metadata or {}
    options = OPTIONS[about["order"]]
    (target,) = (letter for letter, right in options.items() if right == about["right"])
    return {
        "question": _question(sample, about["order"]),
        "choices": [right.capitalize() for right in options.values()],
        "target": target,
        **{key: about[key] for key in _OF_A_PROBE},
    }


def _question(sample: Sample, order: Order) -> str:
    """What is asked, without the options: whoever asks it puts them in a form of their own."""
    (message,) = _given(sample)
    first, second = (right.capitalize() for right in OPTIONS[order].values())
    how = prompt_text("probing", "directly")
    values = {"first": first, "second": second, "how": how}
    ending = "\n" + fill(prompt_text("probing", "options"), values)
    if not message.text.endswith(ending):
        raise AdapterError(
            f"Probe {sample.id} does not end with its options, so they cannot be left out; the"
            " prompts of probing and this export have to be changed together."
        )
    return message.text.removesuffix(ending)


def _messages(sample: Sample) -> str:
    return _json([_message(message) for message in _given(sample)])


def _given(sample: Sample) -> Sequence[ChatMessage]:
    assert not isinstance(sample.input, str)
    return sample.input


def _message(message: ChatMessage) -> Row:
    """A message without the ids that Inspect draws anew each time."""
    told: Row = {"role": message.role, "content": message.text}
    if isinstance(message, ChatMessageAssistant) and message.tool_calls:
        told["tool_calls"] = [
            {"id": call.id, "function": call.function, "arguments": call.arguments}
            for call in message.tool_calls
        ]
    if isinstance(message, ChatMessageTool):
        told |= {"tool_call_id": message.tool_call_id, "function": message.function}
    return told


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)
