"""The task `privacy_tasks/probing`."""

from __future__ import annotations

from typing import Literal, get_args

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import Sample
from inspect_ai.solver import Generate, Solver, TaskState, solver

from privacy_tasks.agentic.replay import check_room
from privacy_tasks.errors import OptionError
from privacy_tasks.options import at_least, one_of, text, yes_or_no
from privacy_tasks.prerequisites import as_prerequisite
from privacy_tasks.probing.metrics import answers_of_n
from privacy_tasks.probing.probes import LEVELS, Probe, probes_of
from privacy_tasks.probing.prompts import OPTIONS, ORDERS, Asking, Order, messages, prompt_hash
from privacy_tasks.probing.scorer import probe_answer
from privacy_tasks.sample import label
from privacy_tasks.sources import load_agentic
from privacy_tasks.task_frame import framed, of_domains

Protocol = Literal["paired", "paper"]
PROTOCOLS: tuple[str, ...] = get_args(Protocol)


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
    one_of("level", level, LEVELS)
    one_of("protocol", protocol, PROTOCOLS)
    yes_or_no("cot", cot)
    at_least("shots", shots, 0)
    if protocol == "paper" and (cot or shots):
        raise OptionError("protocol=paper asks directly: leave out cot and shots.")
    scenario_set = load_agentic(text("data", data))
    asking = Asking(level=level, cot=cot, shots=shots, trigger=text("trigger", trigger))
    every = probes_of(scenario_set.scenarios, level)
    chosen = {it.id for it in of_domains(scenario_set.scenarios, domains)}
    samples = [
        _sample(probe, order, asking, every)
        for probe in every
        if probe.scenario.id in chosen and (protocol == "paired" or probe.right == "no")
        for order in (ORDERS if protocol == "paired" else ORDERS[:1])
    ]
    return framed(
        samples,
        scenario_set,
        solver=answer(),
        scorer=probe_answer(),
        headline="accuracy" if protocol == "paired" else "paper_accuracy",
        metadata={"mode": level, "prompt_hash": prompt_hash(asking)},
        epochs=Epochs(1, answers_of_n()),
    )


@solver
def answer() -> Solver:
    """Ask, once."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        check_room(state)
        return await generate(state)

    return solve


def _sample(probe: Probe, order: Order, asking: Asking, others: list[Probe]) -> Sample:
    scenario = probe.scenario
    return Sample(
        id=f"{probe.id}/{order}",
        input=messages(probe, order, asking, others),
        target=probe.right,
        metadata={
            "set": scenario.set,
            "kind": "probe",
            "probe": probe.id,
            "order": order,
            "options": OPTIONS[order],
            "cot": asking.cot,
            "right": probe.right,
            "domain": scenario.domain,
            "channel": scenario.channel,
            "cluster": scenario.cluster,
            "recipient": label(scenario.flow.recipient),
            "purpose": scenario.purpose,
            "fact": probe.item.statement if asking.level != "seed" else probe.item.type,
            "norm": probe.item.norm,
            "rationale": probe.item.rationale,
        },
    )
