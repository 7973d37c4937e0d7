"""What a run can say of how it was made: closed lists, so that nobody's own word makes a board.

Names are those that this project's readers give; values have a form each. What is asked of a task
is checked against the released set (`asked`); what stands here cannot be checked, and only its form
is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from harness_adapters.leaderboard.recipe import NOT_PUBLISHED
from harness_adapters.leaderboard.submission import Harness, Run, Setting, effective_settings
from harness_adapters.lm_eval.settings import DEFAULTS, VARIANTS

TASKS: Mapping[Harness, frozenset[str]] = {
    "inspect_ai": frozenset(
        ("privacy_tasks/agentic", "privacy_tasks/memory", "privacy_tasks/probing")
    ),
    "lm_eval": frozenset(f"privacy_collapse_{name}" for name in (*DEFAULTS, *VARIANTS)),
}

_HASH = r"#[0-9a-f]{12}"
_MODEL = r"[\w.:@+-]+(/[\w.:@+-]+)*"
_CONDITIONS: Mapping[Harness, Mapping[str, str]] = {
    "inspect_ai": {
        "system message": _HASH,
        "--solver": rf"[\w@./-]+ {_HASH}",
        r"--model-role \w+": _MODEL,
    },
    "lm_eval": {
        "version": r"[\w.-]+",
        "shots": r"\d+",
        "chat template": "yes|no",
        "system instruction": "none|[0-9a-f]{8}",
        "shots as turns": "True|False",
    },
}
"""Name (a pattern) -> the form of its value."""

_SETTINGS: Mapping[str, str] = {
    "prompt": r"\w+",
    "mode": r"\w+",
    "level": r"\w+",
    "protocol": r"\w+",
    "tool_format": r"\w+",
    "memory": "history|tool|None",
    "trajectory": "messages|transcript|auto",
    "force_action": "True|False",
    "cot": "True|False",
    "turns": r"\d{1,4}|None",
    "shots": r"\d{1,3}",
    "trigger": r"[\s\S]*",
}
_UNUSED: frozenset[Setting] = frozenset((None, False, "", 0))

_VERSION = r"\d+(\.\w+)+([.+-]\w+)*|unknown"

_NUMBER = r"-?\d+(\.\d+)?(e-?\d+)?"
_GENERATION: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "max_tokens",
            "frequency_penalty",
            "presence_penalty",
            "reasoning_tokens",
            "seed",
            "fewshot_seed",
            "message_limit",
            "token_limit",
            "time_limit",
            "working_limit",
        ),
        _NUMBER,
    ),
    "reasoning_effort": r"\w+",
    "--model": r"[\w-]{1,40}",
    "dtype": r'"?[\w.]+"?',
    "gen_kwargs": r"[\s\S]*",
    "stop_seqs": r"[\s\S]*",
    "extra_body": r"[\s\S]*",
}

_MODEL_ARGUMENTS = frozenset(
    (
        "attn_implementation",
        "chat_template_kwargs",
        "do_sample",
        "dtype",
        "enable_thinking",
        "enforce_eager",
        "gpu_memory_utilization",
        "load_in_4bit",
        "load_in_8bit",
        "max_length",
        "max_model_len",
        "quantization",
        "tensor_parallel_size",
        "torch_dtype",
    )
)
"""Arguments of a model that say how it ran, and nothing of whoever ran it."""
_PLAIN = re.compile(r"[\w.+-]{1,40}")

_GENERATION_KWARGS = frozenset(
    (
        "do_sample",
        "frequency_penalty",
        "max_gen_toks",
        "max_tokens",
        "min_p",
        "num_beams",
        "presence_penalty",
        "reasoning_effort",
        "repetition_penalty",
        "seed",
        "temperature",
        "top_k",
        "top_p",
        "until",
    )
)


def published_generation(told: Mapping[str, str]) -> dict[str, str]:
    """Settings of sampling as they may be shown: what could say more than that is only named."""
    found = {}
    for name, value in told.items():
        if name.startswith("-M "):
            known = name.removeprefix("-M ") in _MODEL_ARGUMENTS and _PLAIN.fullmatch(value)
            found[name] = value if known else NOT_PUBLISHED
        elif name == "gen_kwargs":
            found[name] = _generation_kwargs(value)
        elif name in ("extra_body", "stop_seqs") or not _fits(name, value, _GENERATION):
            found[name] = NOT_PUBLISHED
        else:
            found[name] = value
    return found


def _generation_kwargs(value: str) -> str:
    """What `--gen_kwargs` said, if it was about sampling."""
    try:
        told = json.loads(value)
    except ValueError:
        return NOT_PUBLISHED
    if told in ("", None):
        return "{}"
    if not isinstance(told, dict):
        return NOT_PUBLISHED
    kept = {
        name: it
        if name in _GENERATION_KWARGS and isinstance(it, bool | int | float | None)
        else NOT_PUBLISHED
        for name, it in told.items()
    }
    return json.dumps(kept, sort_keys=True)


def problems(run: Run) -> Iterator[str]:
    """What no reader of this project can have written of a run."""
    if run.task not in TASKS[run.harness]:
        yield f"{run.task!r} is no task of this project in {run.harness}"
    yield from _of_settings(run)
    for name, value in run.conditions.items():
        if not _fits(name, value, _CONDITIONS[run.harness]):
            yield f"{name!r} = {value!r:.80} is no condition of a run"
    for name, value in run.generation.items():
        known = value == NOT_PUBLISHED and re.fullmatch(r"\w+", name)
        if not (known or _is_argument(name, value) or _fits(name, value, _GENERATION)):
            yield f"{name!r} = {value!r:.80} is no setting of sampling"
    for what, version in (
        (run.harness, run.harness_version),
        ("privacy-tasks", run.privacy_tasks),
    ):
        if not re.fullmatch(_VERSION, version):
            yield f"{version!r} is no version of {what}"


def _of_settings(run: Run) -> Iterator[str]:
    used = effective_settings(run)
    for name, value in run.settings.items():
        if not _fits(name, str(value), _SETTINGS):
            yield f"{name}={value!r:.80} is no setting of a task"
        elif name not in used and name != "mode" and value not in _UNUSED:
            yield f"{name}={value!r:.80} is nothing that {run.mode} goes by"


def _fits(name: str, value: str, forms: Mapping[str, str]) -> bool:
    return any(re.fullmatch(key, name) and re.fullmatch(form, value) for key, form in forms.items())


def _is_argument(name: str, value: str) -> bool:
    bare = name.removeprefix("-M ")
    if bare == name or not re.fullmatch(r"\w+", bare):
        return False
    if value == NOT_PUBLISHED:
        return True
    return bare in _MODEL_ARGUMENTS and _PLAIN.fullmatch(value) is not None
