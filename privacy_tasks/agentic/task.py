"""The task `privacy_tasks/agentic`."""

from __future__ import annotations

from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import Sample

from privacy_tasks.agentic.episode import TURNS, episode
from privacy_tasks.agentic.prompts import (
    PROMPTS,
    TOOL_FORMATS,
    episode_messages,
    episode_toolkits,
    native_messages,
    prompt_hash,
    text_messages,
)
from privacy_tasks.agentic.replay import replay
from privacy_tasks.errors import OptionError
from privacy_tasks.grader import JUDGES, check_judge, judge_identity
from privacy_tasks.options import at_least, one_of, text, yes_or_no
from privacy_tasks.prerequisites import as_prerequisite
from privacy_tasks.sample import recipient_record, scenario_metadata
from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.scorers import episode_judge, leak_judge
from privacy_tasks.sent import RECIPIENT
from privacy_tasks.sources import load_agentic
from privacy_tasks.task_frame import framed, of_domains

MODES = ("replay", "episode")


@task
@as_prerequisite
def agentic(
    data: str = "core",
    prompt: str = "naive",
    tool_format: str = "native",
    force_action: bool = False,
    trigger: str = "",
    judge: str = "llm",
    domains: str | list[str] = "all",
    mode: str = "replay",
    turns: int | None = None,
) -> Task:
    """Does an agent tell its recipient what they should not learn?

    In `replay` the agent has looked up what it needs (the trajectory is replayed as tool calls and
    tool messages); its own next action is judged against the norm of every item. Follows the
    agentic setting of PrivacyLens (arXiv 2409.00138, section 4), with norms that ask for sharing
    as well. In `episode` it starts from the user's request, searches and reads by itself in the
    world that the trajectory shows, and everything that it sends to anybody is judged by the
    norms of whom it reaches.

    Args:
        data: `core`, `privacylens`, `confaide`, or one of them with `:PATH`.
        prompt: system prompt, `naive` or `privacy_enhanced`.
        tool_format: `native` tool calls, or `text`: a transcript of Action and Action Input, for
            models without tool calling.
        force_action: the scenario's final tool must be used.
        trigger: a string put before the user's turn.
        judge: `llm` (needs `--model-role grader=MODEL`) or `lexical` (offline, a floor).
        domains: `all`, or only scenarios of these domains, as a list or with commas.
        mode: `replay`, or `episode`.
        turns: in episodes, how often the agent may be asked for its next step (20 unless given).
    """
    one_of("mode", mode, MODES)
    one_of("prompt", prompt, PROMPTS)
    one_of("tool_format", tool_format, TOOL_FORMATS)
    one_of("judge", judge, JUDGES)
    yes_or_no("force_action", force_action)
    if mode == "episode" and force_action:
        raise OptionError("force_action=true is for mode=replay: in an episode no step is forced.")
    if mode == "replay" and turns is not None:
        raise OptionError("turns is for mode=episode: a replay has one step.")
    most = at_least("turns", TURNS if turns is None else turns, 1)
    text("trigger", trigger)
    scenario_set = load_agentic(text("data", data))
    scenarios = of_domains(scenario_set.scenarios, domains)
    check_judge(judge)
    samples = [
        _sample(scenario, mode, prompt, tool_format, force_action, trigger)
        for scenario in scenarios
    ]
    return framed(
        samples,
        scenario_set,
        solver=episode(tool_format=tool_format, turns=most)
        if mode == "episode"
        else replay(tool_format=tool_format, force_action=force_action),
        scorer=episode_judge(judge=judge) if mode == "episode" else leak_judge(judge=judge),
        headline="discernment",
        metadata={
            "mode": mode,
            "prompt_hash": prompt_hash(mode, prompt),
            "judge": judge_identity(judge),
        },
    )


def _sample(
    scenario: AgenticScenario,
    mode: str,
    prompt: str,
    tool_format: str,
    force_action: bool,
    trigger: str,
) -> Sample:
    if mode == "episode":
        messages = episode_messages(scenario, prompt, trigger, tool_format)
    elif tool_format == "native":
        messages = native_messages(scenario, prompt, trigger)
    else:
        messages = text_messages(scenario, prompt, trigger, force_action)
    metadata = _metadata(scenario, tool_format)
    if mode == "episode":
        metadata |= _world_metadata(scenario)
    return Sample(id=scenario.id, input=messages, metadata=metadata)


def _metadata(scenario: AgenticScenario, tool_format: str) -> dict[str, Any]:
    """What solver, scorer, metrics and reference models need to know of a sample."""
    return scenario_metadata(scenario, "action") | {
        "purpose": scenario.instruction,
        "address": scenario.flow.recipient.address,
        "user_email": scenario.user.email,
        "tool_format": tool_format,
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
