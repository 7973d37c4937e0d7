"""The commands that run it again, as a submission shows them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from harness_adapters.leaderboard.submission import Setting
from harness_adapters.leaderboard.submitting.draft import Draft

_USUAL: Mapping[str, Setting] = {
    "prompt": None,
    "force_action": False,
    "trigger": "",
    "turns": None,
    "memory": None,
    "cot": False,
    "shots": 0,
    "protocol": "paired",
}
USER = "--model-role user"
_ALWAYS = ("mode", "level", "tool_format")


def recipe_of(draft: Draft, model: str, judge: str | None) -> tuple[str, ...]:
    """Installing the same versions, and running the same task.

    Args:
        draft: the run.
        model: its name for others: where it was run from may be a folder of the submitter's.
        judge: identity of the judge, if there is one.
    """
    package = draft.log.harness.replace("_", "-").replace(" ", "==")
    install = f"pip install privacy-tasks=={draft.privacy_tasks} {package}"
    run = _inspect(draft, model, judge) if draft.harness == "inspect_ai" else _lm_eval(draft, model)
    commands = [install, run]
    if draft.harness == "lm_eval" and (told := _told(draft, judge)):
        commands[-1] += f" --metadata {shlex.quote(json.dumps(told))}"
    return (*commands, "privacy-tasks results DIR")


def _inspect(draft: Draft, model: str, judge: str | None) -> str:
    log = draft.log
    named = log.model if _has_provider(log.model) else model
    if _is_local(log.model):
        named = f"{log.model.partition('/')[0]}/{model}"
    parts = ["inspect", "eval", log.task, "--model", named]
    parts += [word for it in log.arguments.split() for word in ("-M", it)]
    for name, given in log.generation.items():
        if name.startswith("-M "):
            parts += ["-M", f"{name.removeprefix('-M ')}={given}"]
        else:
            parts += [f"--{name.replace('_', '-')}", given]
    data = draft.asked.cases.scenario_set.name.partition(":")[0]
    for name, value in {"data": data, **draft.settings}.items():
        usual = "core" if name == "data" else _USUAL.get(name)
        if name in _ALWAYS or value != usual:
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            parts += ["-T", f"{name}={shown}"]
    if judge is not None and judge.startswith("lexical/"):
        parts += ["-T", "judge=lexical"]
    elif judge is not None and judge.startswith("panel/"):
        parts += ["-T", "judge=panel"]
    for number, grader in enumerate(draft.graders, start=1):
        parts += ["--model-role", f"grader{'' if number == 1 else f'_{number}'}={grader}"]
    if USER in draft.conditions:
        parts += ["--model-role", f"user={draft.conditions[USER]}"]
    if draft.epochs > 1:
        parts += ["--epochs", str(draft.epochs)]
    return shlex.join([*parts, "--log-dir", "DIR"])


def _lm_eval(draft: Draft, model: str) -> str:
    parts = ["lm_eval", "--tasks", draft.log.task, "--model", "hf"]
    parts += ["--model_args", f"pretrained={model}"]
    if draft.conditions.get("chat template") == "yes":
        parts.append("--apply_chat_template")
    if draft.settings.get("shots"):
        parts += ["--num_fewshot", str(draft.settings["shots"])]
    given = draft.log.generation.get("gen_kwargs")
    if given:
        parts += ["--gen_kwargs", _flat(given)]
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


def _told(draft: Draft, judge: str | None) -> dict[str, object]:
    """What `--metadata` is to say."""
    found: dict[str, object] = {} if judge is None else {"judge": _grader(judge)}
    data = draft.asked.cases.scenario_set.name.partition(":")[0]
    if data != "core":
        found["data"] = data
    for name, value in draft.settings.items():
        if name not in ("mode", "tool_format", "shots", "trajectory") and value != _USUAL.get(name):
            found[name] = value
    if draft.epochs > 1:
        found["epochs"] = draft.epochs
    return found


def _grader(judge: str) -> str:
    """The judge as a run names it: a panel's members are not in its identity."""
    if judge.startswith("lexical/"):
        return "lexical"
    if judge.startswith("llm/"):
        return judge.removeprefix("llm/").rpartition("/")[0]
    return "the members of the panel"


def _has_provider(model: str) -> bool:
    return "/" in model


def _is_local(model: str) -> bool:
    """Whether the model was loaded by this machine, under whatever path."""
    return model.startswith(("hf/", "vllm/", "sglang/", "llama-cpp-python/"))
