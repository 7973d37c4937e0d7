"""The samples of the agentic family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage

from privacy_tasks.agentic.prompts import (
    PROMPTS,
    described_messages,
    episode_messages,
    episode_toolkits,
    native_messages,
    prompt_hash,
    text_messages,
)
from privacy_tasks.options import one_of, text, yes_or_no
from privacy_tasks.sample import recipient_record, scenario_metadata
from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.sent import RECIPIENT
from privacy_tasks.sources import load_agentic
from privacy_tasks.task_frame import Cases, of_domains


def replay_cases(
    *,
    data: str,
    prompt: str,
    tool_format: str,
    force_action: bool = False,
    trigger: str = "",
    domains: str | list[str] = "all",
) -> Cases:
    """The samples of a replay; see the task for the parameters.

    Args:
        data: the scenarios.
        prompt: system prompt.
        tool_format: `native`; `text`; or `described`: tool calls as messages, and the tools in
            words, for harnesses that can give no tools to a model.
        force_action: the scenario's final tool must be used; in words, unless `native`.
        trigger: a string put before the user's turn.
        domains: which scenarios.
    """
    yes_or_no("force_action", force_action)

    def shown(scenario: AgenticScenario) -> list[ChatMessage]:
        if tool_format == "native":
            return native_messages(scenario, prompt, trigger)
        if tool_format == "described":
            return described_messages(scenario, prompt, trigger, force_action)
        return text_messages(scenario, prompt, trigger, force_action)

    return _cases(
        "replay", data, prompt, trigger, domains, shown, lambda it: _metadata(it, tool_format)
    )


def episode_cases(
    *,
    data: str,
    prompt: str,
    tool_format: str,
    trigger: str = "",
    domains: str | list[str] = "all",
) -> Cases:
    """The samples of live episodes; see the task for the parameters."""
    return _cases(
        "episode",
        data,
        prompt,
        trigger,
        domains,
        lambda it: episode_messages(it, prompt, trigger, tool_format),
        lambda it: _metadata(it, tool_format) | _world_metadata(it),
    )


def _cases(
    mode: str,
    data: str,
    prompt: str,
    trigger: str,
    domains: str | list[str],
    shown: Callable[[AgenticScenario], list[ChatMessage]],
    metadata: Callable[[AgenticScenario], dict[str, Any]],
) -> Cases:
    one_of("prompt", prompt, PROMPTS)
    text("trigger", trigger)
    scenario_set = load_agentic(text("data", data))
    samples = [
        Sample(id=it.id, input=shown(it), metadata=metadata(it))
        for it in of_domains(scenario_set.scenarios, domains)
    ]
    return Cases(scenario_set, samples, mode, prompt_hash(mode, prompt))


def _metadata(scenario: AgenticScenario, tool_format: str) -> dict[str, Any]:
    """What solver, scorer, metrics and reference models need to know of a sample."""
    return scenario_metadata(scenario, "action") | {
        "purpose": scenario.instruction,
        "address": scenario.flow.recipient.address,
        "user_email": scenario.user.email,
        # what is described in words is answered in words
        "tool_format": "native" if tool_format == "native" else "text",
        "final_tool": scenario.final_tool,
        "toolkits": list(scenario.toolkits),
    }


def _world_metadata(scenario: AgenticScenario) -> dict[str, Any]:
    """What a live episode needs to know besides."""
    people = {RECIPIENT: (scenario.flow.recipient, scenario.final_tool, scenario.items)}
    people |= {
        f"other_{number}": (other.recipient, other.final_tool, other.items)
        for number, other in enumerate(scenario.others, start=1)
    }
    kits = episode_toolkits(scenario)
    return {
        "kind": "episode",
        "toolkits": kits,
        "world": [step.model_dump(mode="json") for step in scenario.trajectory],
        "addresses_complete": scenario.addresses_known,
        "recipients": {
            key: recipient_record(recipient, items)
            | {"tool": tool, "addresses": _addresses(recipient.address)}
            for key, (recipient, tool, items) in people.items()
        },
    }


def _addresses(address: str | None) -> list[str]:
    return [part.strip() for part in (address or "").split(",") if part.strip()]
