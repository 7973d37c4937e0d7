"""The commands that run it again, made of what a submission says: nobody's text is a command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping

from harness_adapters.judge_choice import LOCAL
from harness_adapters.leaderboard.submission import Model, Run, Setting

NOT_PUBLISHED = "(not published)"
"""Stands for the value of an option that may say more of the submitter than of the run."""

USER = "--model-role user"
_USUAL: Mapping[str, Setting] = {
    "force_action": False,
    "trigger": "",
    "turns": None,
    "memory": None,
    "cot": False,
    "shots": 0,
    "protocol": "paired",
}


def recipe_of(run: Run, model: Model) -> tuple[str, ...]:
    """Installing the same versions, and running the same task.

    Args:
        run: the run.
        model: whose; its name is that by which others know it.

    Returns:
        Commands, one a line. What is known to differ and not published stands in lines that begin
        with `#`.
    """
    package = f"{run.harness.replace('_', '-')}=={run.harness_version}"
    install = shlex.join(["pip", "install", f"privacy-tasks=={run.privacy_tasks}", package])
    command = _inspect(run, model) if run.harness == "inspect_ai" else _lm_eval(run, model)
    return (install, *_missing(run), command, "privacy-tasks results DIR")


def _missing(run: Run) -> Iterator[str]:
    """What the command lacks."""
    for name, value in run.conditions.items():
        if name in ("system message", "system instruction") and value != "none":
            yield f"# It was run with a {name} that is not published (its hash: {_one(value)})."
        if name == "--solver":
            yield f"# It was run with another solver: {_one(value)}."
    for name, value in run.generation.items():
        if NOT_PUBLISHED in value:
            yield f"# It was run with {_one(name)}, whose value is not published."
    if run.data.name.endswith(":file"):
        yield f"# The scenarios ({_one(run.data.name)}) are not released."


def _one(text: str) -> str:
    """A text that cannot end its line."""
    return " ".join(text.split())


def _inspect(run: Run, model: Model) -> str:
    named = model.run_as if "/" in model.run_as else model.name
    if model.run_as.startswith(LOCAL):
        named = f"{model.run_as.partition('/')[0]}/{model.name}"
    parts = ["inspect", "eval", run.task, "--model", named]
    parts += [word for it in model.arguments.split() for word in ("-M", it)]
    for name, given in run.generation.items():
        if NOT_PUBLISHED in given:
            continue
        if name.startswith("-M "):
            parts += ["-M", f"{name.removeprefix('-M ')}={given}"]
        else:
            parts += [f"--{name.replace('_', '-')}", given]
    parts += [word for it in _parameters(run) for word in ("-T", it)]
    identity = run.judge.identity if run.judge else ""
    if identity and not identity.startswith("llm/"):
        parts += ["-T", f"judge={identity.partition('/')[0]}"]
    for number, grader in enumerate(run.judge.models if run.judge else (), start=1):
        parts += ["--model-role", f"grader{'' if number == 1 else f'_{number}'}={grader}"]
    if USER in run.conditions:
        parts += ["--model-role", f"user={run.conditions[USER]}"]
    if run.epochs > 1:
        parts += ["--epochs", str(run.epochs)]
    return shlex.join([*parts, "--log-dir", "DIR"])


def _parameters(run: Run) -> Iterator[str]:
    data = run.data.name.partition(":")[0]
    if data != "core":
        yield f"data={data}"
    for name, value in run.settings.items():
        if name not in _USUAL or value != _USUAL[name]:
            yield f"{name}={str(value).lower() if isinstance(value, bool) else value}"


def _lm_eval(run: Run, model: Model) -> str:
    kind = run.generation.get("--model", "MODEL_TYPE")
    parts = ["lm_eval", "--tasks", run.task, "--model", kind]
    if kind == "hf":
        revision = "" if model.revision == "unknown" else f",revision={model.revision}"
        parts += ["--model_args", f"pretrained={model.name}{revision}"]
    elif kind != "dummy":
        parts += ["--model_args", f"model={model.name}"]
    if run.conditions.get("chat template") == "yes":
        parts.append("--apply_chat_template")
    if run.settings.get("shots"):
        parts += ["--num_fewshot", str(run.settings["shots"])]
    given = run.generation.get("gen_kwargs", "")
    if given not in ("", "{}") and NOT_PUBLISHED not in given:
        parts += ["--gen_kwargs", _flat(given)]
    told = _told(run)
    if told:
        parts += ["--metadata", json.dumps(told)]
    return shlex.join([*parts, "--output_path", "DIR", "--log_samples"])


def _flat(given: str) -> str:
    """Settings as `--gen_kwargs` takes them."""
    try:
        told = json.loads(given)
    except ValueError:
        return given
    if not isinstance(told, dict):
        return str(told)
    return ",".join(f"{name}={value}" for name, value in told.items())


_NOT_METADATA = ("mode", "tool_format", "shots")


def _told(run: Run) -> dict[str, object]:
    """What `--metadata` is to say."""
    found: dict[str, object] = {}
    if run.judge is not None:
        models = run.judge.models
        found["judge"] = "lexical" if not models else models[0] if len(models) == 1 else models
    data = run.data.name.partition(":")[0]
    if data != "core":
        found["data"] = data
    for name, value in run.settings.items():
        if name not in _NOT_METADATA and (name not in _USUAL or value != _USUAL[name]):
            found[name] = value
    if run.epochs > 1:
        found["epochs"] = run.epochs
    return found
