"""The samples of the memory family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspect_ai.dataset import Sample

from privacy_tasks.memory.prompts import (
    PROMPTS,
    profile_messages,
    prompt_hash,
    request_text,
    shared_messages,
)
from privacy_tasks.memory.stored import PLACE
from privacy_tasks.options import one_of, text
from privacy_tasks.sample import label, recipient_record, scenario_metadata
from privacy_tasks.scenario import MemoryScenario, SessionScenario, SharedScenario
from privacy_tasks.sent import RECIPIENT
from privacy_tasks.sources.memory import load_memory
from privacy_tasks.task_frame import Cases, of_domains


def profile_cases(
    *,
    data: str,
    prompt: str,
    labels: str | None = None,
    trigger: str = "",
    domains: str | list[str] = "all",
) -> Cases:
    """The samples of `mode=profile`; see the task for the parameters."""
    text("trigger", trigger)
    return _cases(
        "profile", data, prompt, labels, domains, lambda it: _profile(it, prompt, trigger)
    )


def session_cases(
    *, data: str, prompt: str, memory: str, labels: str | None, domains: str | list[str]
) -> Cases:
    """The samples of `mode=sessions`."""
    return _cases(
        "sessions", data, prompt, labels, domains, lambda it: _session(it, prompt, memory)
    )


def shared_cases(*, data: str, prompt: str, labels: str | None, domains: str | list[str]) -> Cases:
    """The samples of `mode=shared`."""
    return _cases("shared", data, prompt, labels, domains, lambda it: _shared(it, prompt))


def _cases(
    mode: str,
    data: str,
    prompt: str,
    labels: str | None,
    domains: str | list[str],
    sample: Callable[[Any], Sample],
) -> Cases:
    one_of("prompt", prompt, PROMPTS)
    scenario_set = load_memory(
        text("data", data), mode, labels=None if labels is None else text("labels", labels)
    )
    samples = [sample(it) for it in of_domains(scenario_set.scenarios, domains)]
    return Cases(scenario_set, samples, mode, prompt_hash(mode, prompt))


def _profile(scenario: MemoryScenario, prompt: str, trigger: str) -> Sample:
    return Sample(
        id=scenario.id,
        input=profile_messages(scenario, prompt, trigger),
        metadata=scenario_metadata(scenario, "message"),
    )


def _session(scenario: SessionScenario, prompt: str, memory: str) -> Sample:
    place = scenario.place
    metadata = scenario_metadata(scenario, "sessions") | {
        "user": scenario.user.name,
        "memory_tool": memory == "tool",
        "sessions": [session.model_dump(mode="json") for session in scenario.sessions],
        "place": {
            "name": place.name,
            "readers": label(place.readers),
            "purpose": place.purpose,
        },
        "recipients": {
            RECIPIENT: recipient_record(scenario.flow.recipient, scenario.items),
            PLACE: recipient_record(place.readers, place.items),
        },
    }
    # the solver holds the conversations; what a reader of the log sees first is the request
    request = request_text(label(scenario.flow.recipient), scenario.purpose, prompt)
    return Sample(id=scenario.id, input=request, metadata=metadata)


def _shared(scenario: SharedScenario, prompt: str) -> Sample:
    recipient = scenario.flow.recipient
    metadata = scenario_metadata(scenario, "shared") | {
        "asker": {"name": recipient.name, "role": recipient.role},
        "asks": list(scenario.asks),
        "place": scenario.place,
        "way": scenario.source_details["way"],
    }
    return Sample(id=scenario.id, input=shared_messages(scenario, prompt), metadata=metadata)
