"""The commands of lm-eval."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from harness_adapters.collapse.plan.benchmarks import Benchmark, benchmark_part
from harness_adapters.collapse.plan.privacy import IN_LM_EVAL, privacy_part
from harness_adapters.collapse.plan.study import Part, Settings, Step, StudyArm, model_folders
from harness_adapters.errors import AdapterError

_LM_EVAL_MODELS = {
    "hf": ("hf", "pretrained"),
    "vllm": ("vllm", "pretrained"),
    "sglang": ("sglang", "pretrained"),
    "openai": ("openai-chat-completions", "model"),
    "anthropic": ("anthropic-chat-completions", "model"),
    "openai-api": ("local-chat-completions", "model"),
}
"""Provider in Inspect -> what lm-eval calls it, and its argument for the name of the model."""


def lm_eval_steps(settings: Settings, arm: StudyArm, chosen: Sequence[Benchmark]) -> Iterable[Step]:
    """What one arm runs in lm-eval, model by model.

    Raises:
        AdapterError: if lm-eval has no such models.
    """
    metadata: dict[str, Any] = {
        "judge": "lexical" if settings.judge == "lexical" else settings.grader
    }
    if settings.epochs > 1:
        metadata["epochs"] = settings.epochs
    tasks = [it.task for it in chosen if it.harness == "lm-eval"]
    for folder, model in model_folders(settings, arm, "lm-eval"):
        yield _lm_eval_step(
            settings,
            purpose=f"privacy: {'; '.join(IN_LM_EVAL)}",
            arm=arm.name,
            model=model,
            tasks=["privacy_collapse"],
            options=["--metadata", json.dumps(metadata), *_gen_kwargs(settings)],
            folder=f"{folder}/privacy",
            parts=[privacy_part(settings, label, "text") for label in IN_LM_EVAL],
        )
        if tasks:
            yield _lm_eval_step(
                settings,
                purpose=f"benchmarks: {', '.join(tasks)}",
                arm=arm.name,
                model=model,
                tasks=tasks,
                options=[],
                folder=f"{folder}/benchmarks",
                parts=[benchmark_part(it) for it in chosen if it.harness == "lm-eval"],
            )


def _lm_eval_step(
    settings: Settings,
    *,
    purpose: str,
    arm: str,
    model: str,
    tasks: Sequence[str],
    options: Sequence[str],
    folder: str,
    parts: Sequence[Part],
) -> Step:
    kind, arguments = _lm_eval_model(settings, model)
    command = ["lm_eval", "--tasks", ",".join(tasks), "--model", kind, "--model_args", arguments]
    command += ["--apply_chat_template", *options]
    if settings.seed is not None:
        command += ["--seed", str(settings.seed)]
    command += ["--output_path", folder, "--log_samples"]
    return Step(
        purpose=purpose,
        arm=arm,
        harness="lm-eval",
        command=tuple(command),
        folder=folder,
        parts=tuple(parts),
    )


def _lm_eval_model(settings: Settings, model: str) -> tuple[str, str]:
    """What lm-eval calls a model that is named as in Inspect: `--model` and `--model_args`.

    Raises:
        AdapterError: if lm-eval has no such models, or needs an address.
    """
    provider, _, name = model.partition("/")
    if provider not in _LM_EVAL_MODELS:
        raise AdapterError(
            f"{model} has no counterpart in lm-eval here: pass --harness inspect, or a model of"
            f" {', '.join(_LM_EVAL_MODELS)}."
        )
    kind, key = _LM_EVAL_MODELS[provider]
    if provider == "openai-api":
        name = name.partition("/")[2]  # by the service Inspect finds its address and key
        if not name:
            raise AdapterError(f"{model}: openai-api/SERVICE/MODEL is expected.")
        if settings.base_url is None:
            raise AdapterError(
                f"{model} in lm-eval needs the address of the server: pass --base-url, say"
                " http://localhost:8000/v1."
            )
    arguments = [f"{key}={name}"]
    if settings.base_url is not None and provider in ("openai", "openai-api"):
        arguments.append(f"base_url={settings.base_url.rstrip('/')}/chat/completions")
    for argument in (*arguments, *settings.lm_eval_args):
        if "," in argument:
            raise AdapterError(
                f"{argument}: lm-eval separates the arguments of a model by commas, so none can"
                " have one."
            )
    return kind, ",".join([*arguments, *settings.lm_eval_args])


def _gen_kwargs(settings: Settings) -> list[str]:
    kwargs: list[str] = []
    if settings.temperature:  # 0 is what lm-eval does anyway
        kwargs += ["do_sample=true", f"temperature={settings.temperature:g}"]
    if settings.max_tokens is not None:
        kwargs.append(f"max_gen_toks={settings.max_tokens}")
    return ["--gen_kwargs", ",".join(kwargs)] if kwargs else []
