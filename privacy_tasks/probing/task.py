"""The task `privacy_tasks/probing`."""

from __future__ import annotations

from inspect_ai import Epochs, Task, task
from inspect_ai.solver import Generate, Solver, TaskState, solver

from privacy_tasks.agentic.replay import check_room
from privacy_tasks.prerequisites import as_prerequisite
from privacy_tasks.probing.metrics import answers_of_n
from privacy_tasks.probing.samples import probe_cases
from privacy_tasks.probing.scorer import probe_answer
from privacy_tasks.task_frame import framed


@task
@as_prerequisite
def probing(
    level: str = "vignette",
    data: str = "core",
    cot: bool = False,
    shots: int = 0,
    trigger: str = "",
    protocol: str = "paired",
    domains: str | list[str] = "all",
) -> Task:
    """Does a model know which item may go to which recipient, when it is asked?

    Follows the probing of PrivacyLens (arXiv 2409.00138, section 3), where the right answer is
    always no; here each core probe has a twin whose right answer is the other, and each is asked
    with either option first. Knowing is not doing: see the agentic task for that.

    Args:
        level: `seed` (the five parameters of the flow), `vignette` (a story), or `trajectory` (all
            that the agent has seen).
        data: `core`, `privacylens`, `confaide`, or one of them with `:PATH`.
        cot: the model reasons before it answers.
        shots: how many solved probes, of other clusters, come first.
        trigger: a string put before the question.
        protocol: `paired`, or `paper`: inappropriate flows only, yes first, no reasoning and no
            solved probes, as in the privacy-collapse paper.
        domains: `all`, or only probes of these domains, as a list or with commas.
    """
    cases = probe_cases(
        data=data,
        level=level,
        cot=cot,
        shots=shots,
        trigger=trigger,
        protocol=protocol,
        domains=domains,
    )
    return framed(
        cases,
        solver=answer(),
        scorer=probe_answer(),
        headline="accuracy" if protocol == "paired" else "paper_accuracy",
        epochs=Epochs(1, answers_of_n()),
    )


@solver
def answer() -> Solver:
    """Ask, once."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        check_room(state)
        return await generate(state)

    return solve
