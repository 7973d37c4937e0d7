"""Making the plan: all arms, the comparison, the costs, and what to know before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from harness_adapters.collapse.plan.benchmarks import Benchmark, benchmarks_of
from harness_adapters.collapse.plan.inspect_commands import inspect_steps
from harness_adapters.collapse.plan.lm_eval_commands import lm_eval_steps
from harness_adapters.collapse.plan.refusals import check
from harness_adapters.collapse.plan.study import (
    BASE,
    Cost,
    Harness,
    Plan,
    Settings,
    Step,
    StudyArm,
    arm_folder,
    provider_of,
)


def make_plan(settings: Settings) -> Plan:
    """The commands of a study, arm by arm, and the one that compares what they wrote.

    Raises:
        AdapterError: if the study could not be run as it is asked for, or would mislead.
    """
    check(settings)
    arms = (StudyArm(name=BASE, models=(settings.base,)), *settings.tuned)
    chosen = benchmarks_of(settings)
    steps = [
        step
        for arm in arms
        for harness in settings.harnesses
        for step in (
            inspect_steps(settings, arm, chosen)
            if harness == "inspect"
            else lm_eval_steps(settings, arm, chosen)
        )
    ]
    return Plan(
        steps=(*steps, *(_comparison(settings, harness, chosen) for harness in settings.harnesses)),
        costs=tuple(_cost(arm, steps) for arm in arms),
        notes=tuple(_notes(settings, chosen)),
    )


def _comparison(settings: Settings, harness: Harness, chosen: Sequence[Benchmark]) -> Step:
    several = len(settings.harnesses) > 1
    report = PurePath(settings.folder, f"report-{harness}.html" if several else "report.html")
    command = ["privacy-tasks", "compare", "--base", arm_folder(settings, BASE, harness)]
    for arm in settings.tuned:
        command += ["--tuned", f"{arm.name}={arm_folder(settings, arm.name, harness)}"]
    for benchmark in chosen:
        if benchmark.harness == harness:
            for name in benchmark.compared:
                command += [f"--{benchmark.kind}", name]
    return Step(
        purpose=f"did contextual privacy collapse?{f' ({harness})' if several else ''}",
        arm=None,
        harness=None,
        command=(*command, "--report", str(report), "--fail-on", "collapse"),
        folder=settings.folder,
    )


def _cost(arm: StudyArm, steps: Iterable[Step]) -> Cost:
    parts = [part for step in steps if step.arm == arm.name for part in step.parts]
    return Cost(
        arm=arm.name,
        models=len(arm.models),
        calls=sum(part.calls or 0 for part in parts),
        calls_at_most=sum(part.calls_at_most or 0 for part in parts),
        grader_calls=sum(part.grader_calls or 0 for part in parts),
        not_counted=tuple(dict.fromkeys(part.task for part in parts if part.calls is None)),
    )


def _notes(settings: Settings, chosen: Sequence[Benchmark]) -> Iterable[str]:
    local = any(provider_of(model) == "hf" for model in settings.models)
    if any(it.task.startswith("inspect_evals/") for it in chosen):
        yield "The benchmarks of Inspect come with: pip install inspect-evals"
    llama = any("llama-3.1" in model.lower() for model in settings.models)
    if llama and any(it.task == "inspect_evals/agentharm" for it in chosen):
        yield (
            "AgentHarm takes another system prompt for a model with llama-3.1 in its name; here all"
            " arms get the default one, so these figures are not the published ones."
        )
    if "inspect" in settings.harnesses and settings.grader is None and not settings.safety:
        yield "No safety benchmark of Inspect: AgentHarm is judged by a model (--grader)."
    if settings.harnesses == ("lm-eval",) and not settings.safety:
        yield (
            "No safety benchmark: lm-eval has none in which a model acts or refuses. With --harness"
            " both AgentHarm runs in Inspect; --safety TASK takes any task of lm-eval."
        )
    if settings.judge == "lexical":
        yield "The lexical judge knows words and figures only: this is a rehearsal."
    if local and "inspect" in settings.harnesses:
        yield (
            "The agentic task shows its tools as text: for hf/ models that is safe whatever their"
            " chat template does with tool calls."
        )
    if "inspect" in settings.harnesses and settings.temperature is None:
        yield (
            "Without --temperature a server or a checkpoint (generation_config.json) decides how"
            " the privacy tasks are sampled: see that base and tuned agree, or pass it."
        )
    if settings.seed is not None and settings.epochs > 1 and "inspect" in settings.harnesses:
        yield "Inspect sends the same --seed in every epoch: a server may answer all of them alike."
    if "inspect" in settings.harnesses:
        yield "A command of Inspect that was interrupted goes on where it stopped when run again."
