"""What a run of lm-eval is told beside its own options: `--metadata`, or the environment.

The keys are those of the Inspect tasks. A key goes to every task of the run that knows it; with a
task's name and a dot before it (`memory.prompt`), to that task alone. What `--metadata` says wins
over the environment (`PRIVACY_TASKS_JUDGE`, `PRIVACY_TASKS_MEMORY_PROMPT`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from harness_adapters.lm_eval.errors import LmEvalError

TASK_PREFIX = "privacy_collapse_"
PREFIX = "PRIVACY_TASKS_"
_OTHER_VARIABLES = ("PRIVACY_TASKS_MIRROR",)
"""Variables of ours that are no settings of a run."""

_COMMON = {"data": "core", "trigger": "", "domains": "all", "epochs": 1}
_JUDGED = {"judge": None, "judge_connections": 32}

DEFAULTS: dict[str, dict[str, Any]] = {
    "agentic": _COMMON | _JUDGED | {"prompt": "naive", "force_action": False, "trajectory": "auto"},
    "memory": _COMMON | _JUDGED | {"prompt": "basic", "labels": None},
    "probing": _COMMON | {"level": "vignette", "cot": False, "protocol": "paired"},
    "probing_logprob": {
        "data": "core",
        "trigger": "",
        "domains": "all",
        "level": "trajectory",
        "protocol": "paired",
    },
}
"""Of each kind of task, what can be set, and what holds unless it is."""

VARIANTS = {
    "agentic_privacylens": "agentic",
    "memory_cimemories": "memory",
    "probing_privacylens": "probing",
    "probing_logprob_privacylens": "probing_logprob",
}
"""Tasks on other projects' data, and of which kind they are."""

_KIND_OF = {kind: kind for kind in DEFAULTS} | VARIANTS


def read_settings(
    task: str, metadata: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, Any]:
    """Every setting of a task.

    Args:
        task: its name without `privacy_collapse_`.
        metadata: what `--metadata` and `--model_args` say; lm-eval hands over both as one.
        environ: the environment.

    Raises:
        LmEvalError: names a key that is none of ours but looks like one.
    """
    metadata = {str(name).removeprefix(TASK_PREFIX): it for name, it in metadata.items()}
    _check_keys(metadata)
    variables = _variables(environ)
    defaults = dict(DEFAULTS[_KIND_OF[task]])
    if task in VARIANTS:
        defaults["data"] = task.rpartition("_")[2]
    found = {}
    for key, default in defaults.items():
        places = (
            (metadata, f"{task}.{key}"),
            (metadata, key),
            (variables, f"{task}.{key}"),
            (variables, key),
        )
        found[key] = next((given[name] for given, name in places if name in given), default)
    if task in VARIANTS:
        _check_variant(task, own=defaults["data"], data=found["data"])
    return found


def _check_variant(task: str, own: str, data: Any) -> None:
    """Refuses for a variant data of another set than its own."""
    if not isinstance(data, str) or data.partition(":")[0] != own:
        raise LmEvalError(
            f"privacy_collapse_{task} runs on data={own} or {own}:PATH, and data={data!r} was"
            " given."
            f' To set it for this task alone: --metadata \'{{"{task}.data": "{own}:PATH"}}\'.'
        )


_SCOPED = 'is a task: write its settings with a dot, such as "memory.prompt"'

_OF_INSPECT = {
    "mode": "is for Inspect: in lm-eval agentic is a replay, and memory a profile",
    "tool_format": "is for Inspect: lm-eval reads text; trajectory says how calls are shown",
    "turns": "is for Inspect, which has episodes",
    "user": "is for Inspect, which has shared assistants",
    "shots": "is --num_fewshot in lm-eval",
    "grader": "is judge in lm-eval",
    "scorer": "is for Inspect",
}
"""Parameters of Inspect's tasks that no task has here."""


def _check_keys(metadata: Mapping[str, Any]) -> None:
    """Refuses a key that is meant for us and that we do not know.

    Others are left alone: the arguments of the model stand among them, and the keys of other tasks.
    """
    known = sorted({key for keys in DEFAULTS.values() for key in keys})
    for name in metadata:
        task, dot, key = str(name).partition(".")
        if dot and task in _KIND_OF:
            allowed = sorted(DEFAULTS[_KIND_OF[task]])
            if key not in allowed:
                raise LmEvalError(
                    f"--metadata: {name!r} is not known; {task} takes: {', '.join(allowed)}."
                )
        elif name in _OF_INSPECT or (name in _KIND_OF and name not in known):
            raise LmEvalError(f"--metadata: {name!r} {_OF_INSPECT.get(name, _SCOPED)}.")
        elif dot and key in known:
            raise LmEvalError(
                f"--metadata: {name!r}: there is no task {task!r}; a key may have one of these and"
                f" a dot before it: {', '.join(_KIND_OF)}."
            )
        elif name not in known and (close := _meant(str(name), known)):
            raise LmEvalError(f"--metadata: {name!r} is not known. Did you mean {close!r}?")


def _meant(name: str, known: Iterable[str]) -> str | None:
    """The key that somebody meant who mistyped it; no argument of a model is that near to one."""
    folded = name.lower().replace("-", "_")
    close = get_close_matches(folded, known, n=1, cutoff=0.8)
    return close[0] if close else None


def _variables(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings in the environment, by the names that `--metadata` has for them."""
    names = {
        f"{PREFIX}{name.replace('.', '_').upper()}": name
        for task, kind in _KIND_OF.items()
        for key in DEFAULTS[kind]
        for name in (key, f"{task}.{key}")
    }
    found = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable in _OTHER_VARIABLES:
            continue
        if variable not in names:
            bare = {it.removeprefix(PREFIX): it for it in names}
            close = get_close_matches(variable.removeprefix(PREFIX), bare, n=1, cutoff=0.8)
            hint = f" Did you mean {bare[close[0]]}?" if close else ""
            raise LmEvalError(f"the environment variable {variable} is not known.{hint}")
        name = names[variable]
        found[name] = _value(value, _default(name.rpartition(".")[2]))
    return found


def _default(key: str) -> Any:
    return next(defaults[key] for defaults in DEFAULTS.values() if key in defaults)


def _value(text: str, default: Any) -> Any:
    """Numbers, `true` and `false` where one is expected; lists and objects; else a text."""
    if not isinstance(default, bool | int) and not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
