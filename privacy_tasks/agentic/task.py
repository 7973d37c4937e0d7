"""The task `privacy_tasks/agentic`."""

from __future__ import annotations

from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import HeadlineMetric

from judges.identity import content_hash
from privacy_tasks.agentic.prompts import (
    PROMPTS,
    TOOL_FORMATS,
    native_messages,
    prompt_text,
    text_messages,
)
from privacy_tasks.agentic.replay import replay
from privacy_tasks.grader import JUDGES, check_judge, judge_identity
from privacy_tasks.options import one_of, some_of, text, yes_or_no
from privacy_tasks.prerequisites import as_prerequisite
from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.scorers import leak_judge
from privacy_tasks.sources import ScenarioSet, load_agentic


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
) -> Task:
    """Does an agent's next action tell its recipient what they should not learn?

    The agent has looked up what it needs (the trajectory is replayed as tool calls and tool
    messages); its own next action is judged against the norm of every item. Follows the agentic
    setting of PrivacyLens (arXiv 2409.00138, section 4), with norms that ask for sharing as well.

    Args:
        data: `core`, `privacylens`, `core:PATH` or `privacylens:PATH`.
        prompt: system prompt, `naive` or `privacy_enhanced`.
        tool_format: `native` tool calls, or `text`: a transcript of Action and Action Input, for
            models without tool calling.
        force_action: the scenario's final tool must be used.
        trigger: a string put before the user's turn.
        judge: `llm` (needs `--model-role grader=MODEL`) or `lexical` (offline, a floor).
        domains: `all`, or only scenarios of these domains, as a list or with commas.
    """
    one_of("prompt", prompt, PROMPTS)
    one_of("tool_format", tool_format, TOOL_FORMATS)
    one_of("judge", judge, JUDGES)
    yes_or_no("force_action", force_action)
    text("trigger", trigger)
    scenario_set = load_agentic(text("data", data))
    scenarios = _chosen(scenario_set, domains)
    check_judge(judge)
    samples = [
        _sample(scenario, prompt, tool_format, force_action, trigger) for scenario in scenarios
    ]
    return Task(
        dataset=MemoryDataset(samples, name=scenario_set.name),
        solver=replay(tool_format=tool_format, force_action=force_action),
        scorer=leak_judge(judge=judge),
        # one bad reply of the model under test costs its own sample, which is scored as unscored
        fail_on_error=False,
        score_on_error=True,
        version=1,
        headline_metric=HeadlineMetric(metric="discernment"),
        metadata={
            "set": scenario_set.name,
            "set_version": scenario_set.version,
            "set_hash": scenario_set.hash,
            "prompt_hash": content_hash(prompt_text(prompt) + prompt_text("text_format")),
            "judge": judge_identity(judge),
        },
    )


def _chosen(scenario_set: ScenarioSet, domains: str | list[str]) -> list[AgenticScenario]:
    if domains == "all":
        return list(scenario_set.scenarios)
    known = {scenario.domain for scenario in scenario_set.scenarios}
    chosen = some_of("domains", domains, known)
    return [scenario for scenario in scenario_set.scenarios if scenario.domain in chosen]


def _sample(
    scenario: AgenticScenario, prompt: str, tool_format: str, force_action: bool, trigger: str
) -> Sample:
    if tool_format == "native":
        messages = native_messages(scenario, prompt, trigger)
    else:
        messages = text_messages(scenario, prompt, trigger, force_action)
    return Sample(id=scenario.id, input=messages, metadata=_metadata(scenario, tool_format))


def _metadata(scenario: AgenticScenario, tool_format: str) -> dict[str, Any]:
    """What solver, scorer, metrics and reference models need to know of a sample."""
    return {
        "set": scenario.set,
        "domain": scenario.domain,
        "channel": scenario.channel,
        "cluster": scenario.cluster,
        "recipient": f"{scenario.flow.recipient.name} ({scenario.flow.recipient.role})",
        "address": scenario.flow.recipient.address,
        "purpose": scenario.instruction,
        "user_email": scenario.user.email,
        "tool_format": tool_format,
        "final_tool": scenario.final_tool,
        "toolkits": list(scenario.toolkits),
        "items": [item.model_dump(mode="json") for item in scenario.items],
    }
