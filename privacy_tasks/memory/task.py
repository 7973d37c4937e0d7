"""The task `privacy_tasks/memory`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from inspect_ai import Epochs, Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Solver, generate

from privacy_tasks.errors import OptionError
from privacy_tasks.grader import JUDGES, check_judge, judge_identity
from privacy_tasks.memory.prompts import (
    PROMPTS,
    profile_messages,
    prompt_hash,
    request_text,
    shared_messages,
)
from privacy_tasks.memory.sessions import MEMORIES, sessions
from privacy_tasks.memory.shared import USER_ROLE, USERS, shared
from privacy_tasks.memory.stored import PLACE
from privacy_tasks.metrics import worst_of_n
from privacy_tasks.options import one_of, text
from privacy_tasks.prerequisites import as_prerequisite
from privacy_tasks.sample import label, recipient_record, scenario_metadata
from privacy_tasks.scenario import MemoryScenario, SessionScenario, SharedScenario
from privacy_tasks.scorers import leak_judge, memory_judge, session_judge
from privacy_tasks.sent import RECIPIENT
from privacy_tasks.sources.memory import MODES, load_memory
from privacy_tasks.task_frame import framed, of_domains


@task
@as_prerequisite
def memory(
    mode: str = "profile",
    data: str = "core",
    prompt: str = "basic",
    memory: str | None = None,
    user: str = "auto",
    labels: str | None = None,
    trigger: str = "",
    judge: str = "llm",
    domains: str | list[str] = "all",
) -> Task:
    """Does an assistant that remembers pass on to others what they should not learn?

    `profile`: all that is remembered of the user stands in the prompt, and one message is to be
    written to somebody for a purpose (the protocol of CIMemories, arXiv 2511.14937). `sessions`:
    the facts come up over several earlier conversations, which the model answers itself; then a
    new one asks for the message. `shared`: one assistant of several people; one of them asks for
    what another has said in confidence.

    Args:
        mode: `profile`, `sessions` or `shared`.
        data: `core` or `core:PATH`; with mode=profile also `cimemories` or `cimemories:PATH`.
        prompt: `basic`, `necessary`, `minimal` or `task_first`.
        memory: in sessions, `history` (the conversations are carried over, the default) or `tool`
            (only what the model stores survives).
        user: in mode=shared, who asks: `scripted`, `model` (the role `user`), or `auto`: the model
            in that role if one is named.
        labels: for profile files of CIMemories without labels, a file with them.
        trigger: a string put before the user's turns.
        judge: `llm` (needs `--model-role grader=MODEL`) or `lexical` (offline, a floor).
        domains: `all`, or only scenarios of these domains, as a list or with commas.
    """
    one_of("mode", mode, MODES)
    one_of("prompt", prompt, PROMPTS)
    one_of("judge", judge, JUDGES)
    one_of("user", user, USERS)
    text("trigger", trigger)
    if memory is not None:
        one_of("memory", memory, MEMORIES)
        _only_in("memory", mode, "sessions")
    if user != "auto":
        _only_in("user", mode, "shared")
    played = mode == "shared" and _is_played(user)
    scenario_set = load_memory(
        text("data", data), mode, labels=None if labels is None else text("labels", labels)
    )
    scenarios = of_domains(scenario_set.scenarios, domains)
    check_judge(judge)
    family = _family(mode, prompt, memory or "history", trigger, judge, played)
    return framed(
        [family.sample(scenario) for scenario in scenarios],
        scenario_set,
        solver=family.solver,
        scorer=family.scorer,
        headline="discernment",
        metadata={
            "mode": mode,
            "prompt_hash": prompt_hash(mode, prompt),
            "judge": judge_identity(judge),
        },
        epochs=None if mode == "shared" else Epochs(1, worst_of_n()),
    )


class _Family(NamedTuple):
    """What the modes differ in."""

    sample: Callable[[Any], Sample]
    solver: Solver
    scorer: Scorer


def _family(mode: str, prompt: str, memory: str, trigger: str, judge: str, played: bool) -> _Family:
    if mode == "profile":
        return _Family(
            lambda scenario: _profile_sample(scenario, prompt, trigger),
            generate(),
            memory_judge(judge=judge),
        )
    if mode == "sessions":
        return _Family(
            lambda scenario: _session_sample(scenario, prompt, memory),
            sessions(memory=memory, prompt=prompt, trigger=trigger),
            session_judge(judge=judge),
        )
    return _Family(
        lambda scenario: _shared_sample(scenario, prompt),
        shared(user="model" if played else "scripted", trigger=trigger),
        leak_judge(judge=judge),
    )


def _profile_sample(scenario: MemoryScenario, prompt: str, trigger: str) -> Sample:
    return Sample(
        id=scenario.id,
        input=profile_messages(scenario, prompt, trigger),
        metadata=scenario_metadata(scenario, "message"),
    )


def _session_sample(scenario: SessionScenario, prompt: str, memory: str) -> Sample:
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


def _shared_sample(scenario: SharedScenario, prompt: str) -> Sample:
    recipient = scenario.flow.recipient
    metadata = scenario_metadata(scenario, "shared") | {
        "asker": {"name": recipient.name, "role": recipient.role},
        "asks": list(scenario.asks),
        "place": scenario.place,
        "way": scenario.source_details["way"],
    }
    return Sample(id=scenario.id, input=shared_messages(scenario, prompt), metadata=metadata)


def _only_in(name: str, mode: str, where: str) -> None:
    if mode != where:
        raise OptionError(f"{name} is for mode={where}; this is mode={mode}.")


def _is_played(user: str) -> bool:
    """Whether a model plays the asker."""
    if user == "scripted":
        return False
    try:
        get_model(role=USER_ROLE, required=True)
    except PrerequisiteError as error:
        if "is required and was not specified" not in str(error.message):
            raise
        if user == "model":
            raise OptionError(
                "user=model needs a model that plays the user: pass --model-role user=MODEL."
            ) from error
        return False
    return True
