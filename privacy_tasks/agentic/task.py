"""The task `privacy_tasks/agentic`."""

from __future__ import annotations

from inspect_ai import Task, task

from privacy_tasks.agentic.episode import TURNS, episode
from privacy_tasks.agentic.prompts import TOOL_FORMATS
from privacy_tasks.agentic.replay import replay
from privacy_tasks.agentic.samples import episode_cases, replay_cases
from privacy_tasks.errors import OptionError
from privacy_tasks.grader import JUDGES, check_judge, judge_identity
from privacy_tasks.options import at_least, one_of, yes_or_no
from privacy_tasks.prerequisites import as_prerequisite
from privacy_tasks.scorers import episode_judge, leak_judge
from privacy_tasks.task_frame import framed

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
        judge: `llm` (needs `--model-role grader=MODEL`), `panel` (needs `grader_2=MODEL`, … as
            well; majority for each item) or `lexical` (offline: words and figures).
        domains: `all`, or only scenarios of these domains, as a list or with commas.
        mode: `replay`, or `episode`.
        turns: in episodes, how often the agent may be asked for its next step (20 unless given).
    """
    one_of("mode", mode, MODES)
    one_of("tool_format", tool_format, TOOL_FORMATS)
    one_of("judge", judge, JUDGES)
    yes_or_no("force_action", force_action)
    if mode == "episode" and force_action:
        raise OptionError("force_action=true is for mode=replay: in an episode no step is forced.")
    if mode == "replay" and turns is not None:
        raise OptionError("turns is for mode=episode: a replay has one step.")
    most = at_least("turns", TURNS if turns is None else turns, 1)
    if mode == "episode":
        cases = episode_cases(
            data=data, prompt=prompt, tool_format=tool_format, trigger=trigger, domains=domains
        )
    else:
        cases = replay_cases(
            data=data,
            prompt=prompt,
            tool_format=tool_format,
            force_action=force_action,
            trigger=trigger,
            domains=domains,
        )
    check_judge(judge)
    return framed(
        cases,
        solver=episode(tool_format=tool_format, turns=most)
        if mode == "episode"
        else replay(tool_format=tool_format, force_action=force_action),
        scorer=episode_judge(judge=judge) if mode == "episode" else leak_judge(judge=judge),
        headline="discernment",
        judge=judge_identity(judge),
    )
