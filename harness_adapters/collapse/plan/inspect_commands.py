"""The commands of Inspect."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from harness_adapters.collapse.plan.benchmarks import Benchmark, benchmark_part
from harness_adapters.collapse.plan.privacy import groups_of, privacy_part
from harness_adapters.collapse.plan.study import (
    Part,
    Settings,
    Step,
    StudyArm,
    model_folders,
    provider_of,
)


def inspect_steps(settings: Settings, arm: StudyArm, chosen: Sequence[Benchmark]) -> Iterable[Step]:
    """What one arm runs in Inspect, model by model."""
    # the provider's own format for tool calls is unsafe for calls that are replayed; and all arms
    # are to be asked the same way
    tool_format = (
        "text" if any(provider_of(model) == "hf" for model in settings.models) else "native"
    )
    for folder, model in model_folders(settings, arm, "inspect"):
        for arguments, tasks in groups_of(settings, tool_format):
            yield _inspect_step(
                settings,
                purpose=f"privacy: {'; '.join(it.label for it in tasks)}",
                arm=arm.name,
                model=model,
                tasks=[f"privacy_tasks/{it.task}" for it in tasks],
                arguments=arguments,
                sampling=_sampling(settings, model),
                role=settings.judge == "llm" and any(it.asks_grader for it in tasks),
                folder=f"{folder}/{'-'.join(it.folder for it in tasks)}",
                parts=[privacy_part(settings, it.label, tool_format) for it in tasks],
            )
        for benchmark in chosen:
            if benchmark.harness == "inspect":
                yield _inspect_step(
                    settings,
                    purpose=f"{benchmark.kind}: {benchmark.task}",
                    arm=arm.name,
                    model=model,
                    tasks=[benchmark.task],
                    arguments=_benchmark_arguments(benchmark.task, settings.grader),
                    sampling=_greedy(settings, model),
                    role=False,
                    folder=f"{folder}/{benchmark.task.rpartition('/')[2]}",
                    parts=[benchmark_part(benchmark)],
                )


def _inspect_step(
    settings: Settings,
    *,
    purpose: str,
    arm: str,
    model: str,
    tasks: Sequence[str],
    arguments: Mapping[str, str],
    sampling: Sequence[str],
    role: bool,
    folder: str,
    parts: Sequence[Part],
) -> Step:
    command = ["inspect", "eval-set", *tasks, "--model", model]
    if settings.base_url:
        command += ["--model-base-url", settings.base_url]
    for argument in settings.model_args:
        command += ["-M", argument]
    if role:
        command += ["--model-role", f"grader={settings.grader}"]
    for name, value in arguments.items():
        command += ["-T", f"{name}={value}"]
    command += [*sampling, "--log-dir", folder]
    return Step(
        purpose=purpose,
        arm=arm,
        harness="inspect",
        command=tuple(command),
        folder=folder,
        parts=tuple(parts),
    )


def _sampling(settings: Settings, model: str) -> list[str]:
    """How the privacy tasks are answered; the same for every arm."""
    options: list[str] = []
    if settings.epochs > 1:
        options += ["--epochs", str(settings.epochs)]
    if settings.temperature == 0 and provider_of(model) == "hf":
        options += _greedy(settings, model)
    elif settings.temperature is not None:
        options += ["--temperature", f"{settings.temperature:g}"]
    if settings.max_tokens is not None:
        options += ["--max-tokens", str(settings.max_tokens)]
    if settings.seed is not None:
        options += ["--seed", str(settings.seed)]
    return options


def _greedy(settings: Settings, model: str) -> list[str]:
    """Temperature 0, where the provider wants another word for it.

    The benchmarks set it themselves; transformers refuses it unless told not to sample.
    """
    told = any(argument.startswith("do_sample=") for argument in settings.model_args)
    return ["-M", "do_sample=false"] if provider_of(model) == "hf" and not told else []


def _benchmark_arguments(task: str, grader: str | None) -> dict[str, str]:
    if task == "inspect_evals/commonsense_qa":
        # it shuffles without a seed: with a --limit no two arms would get the same questions
        return {"shuffle": "false"}
    if task in ("inspect_evals/agentharm", "inspect_evals/agentharm_benign"):
        return {
            "refusal_judge": str(grader),
            "semantic_judge": str(grader),
            # its system prompt is another one for models with llama-3.1 in their name, which a
            # tuned model loses easily
            "agent_kwargs": json.dumps({"system_prompt_template": "default"}),
        }
    return {}
