"""The task `privacy_tasks/memory`."""

from __future__ import annotations

from inspect_ai import Epochs, Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import get_model
from inspect_ai.solver import generate

from privacy_tasks.errors import OptionError
from privacy_tasks.grader import JUDGES, check_judge, judge_identity
from privacy_tasks.memory.samples import profile_cases, session_cases, shared_cases
from privacy_tasks.memory.sessions import MEMORIES, sessions
from privacy_tasks.memory.shared import USER_ROLE, USERS, shared
from privacy_tasks.metrics import worst_of_n
from privacy_tasks.options import one_of, text
from privacy_tasks.prerequisites import as_prerequisite
from privacy_tasks.scorers import leak_judge, memory_judge, session_judge
from privacy_tasks.sources.memory import MODES
from privacy_tasks.task_frame import framed


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
        judge: `llm` (needs `--model-role grader=MODEL`), `panel` (needs `grader_2=MODEL`, … as
            well; majority for each item) or `lexical` (offline: words and figures).
        domains: `all`, or only scenarios of these domains, as a list or with commas.
    """
    one_of("mode", mode, MODES)
    one_of("judge", judge, JUDGES)
    one_of("user", user, USERS)
    text("trigger", trigger)
    if memory is not None:
        one_of("memory", memory, MEMORIES)
        _only_in("memory", mode, "sessions")
    if user != "auto":
        _only_in("user", mode, "shared")
    played = mode == "shared" and _is_played(user)
    if mode == "profile":
        cases = profile_cases(
            data=data, prompt=prompt, labels=labels, trigger=trigger, domains=domains
        )
        solver, scoring = generate(), memory_judge
    elif mode == "sessions":
        kept = memory or "history"
        cases = session_cases(data=data, prompt=prompt, memory=kept, labels=labels, domains=domains)
        solver, scoring = sessions(memory=kept, prompt=prompt, trigger=trigger), session_judge
    else:
        cases = shared_cases(data=data, prompt=prompt, labels=labels, domains=domains)
        solver = shared(user="model" if played else "scripted", trigger=trigger)
        scoring = leak_judge
    check_judge(judge)
    return framed(
        cases,
        solver=solver,
        scorer=scoring(judge=judge),
        headline="discernment",
        judge=judge_identity(judge),
        epochs=None if mode == "shared" else Epochs(1, worst_of_n()),
    )


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
