"""Results and leaks out of Inspect's logs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog, EvalSample, EvalScore, read_eval_log

from harness_adapters.errors import LogError
from harness_adapters.runs.panel import panel_of
from harness_adapters.runs.run import (
    FIGURES,
    MEANS,
    NO_JUDGE,
    Figure,
    Run,
    Scored,
    leaks_of,
    shape_of,
)
from privacy_tasks.metrics import PER_DOMAIN, domain_name, figure_names

JUDGES = ("leak_judge", "episode_judge", "memory_judge", "session_judge")
SCORERS = (*JUDGES, "probe_answer")


def read_run(file: Path, *, leaks: int = 0) -> Run:
    """The results of one log of a task of this project.

    Args:
        file: an `.eval` or `.json` log.
        leaks: how many leaks to show, at most one of each scenario.

    Raises:
        LogError: if the log cannot be read, has no results, or is of another task.
    """
    log = _read(file)
    if log.results is None or not log.results.scores:
        raise LogError(f"{file.name} has no results: the run ended with {log.status!r}.")
    ours = _our_scores(log.results.scores, file)
    score = ours[-1]
    samples = log.samples or []
    metadata = log.eval.metadata or {}
    scored = [_scored(sample) for sample in samples]
    shape = shape_of(scored)
    return Run(
        model=log.eval.model,
        task=log.eval.task,
        mode=str(metadata.get("mode", "unknown")),
        scorer=_name(score.scorer),
        status=log.status,
        judge=_judge(samples, str(metadata.get("judge", NO_JUDGE))),
        data={
            key: str(metadata.get(field, "unknown"))
            for key, field in (("name", "set"), ("version", "set_version"), ("hash", "set_hash"))
        },
        samples=log.results.total_samples,
        clusters=len({str((sample.metadata or {}).get("cluster")) for sample in samples}),
        epochs=log.eval.config.epochs or 1,
        metrics={name: _figure(score, name) for name in FIGURES if name in score.metrics},
        means={name: _number(score, name) for name in MEANS if name in score.metrics},
        domains={
            name: found for name in (*PER_DOMAIN, "accuracy") if (found := _domains(score, name))
        },
        settings=_settings(log.eval.task_args, log.eval.model_args),
        scorings=len(ours),
        unscored=_unscored(samples),
        errors=_errors(samples),
        leaks=tuple(leaks_of(scored))[:leaks],
        withheld=shape.withheld,
        flows=shape.flows,
        panel=panel_of(scored),
        log=str(file),
    )


def _read(file: Path) -> EvalLog:
    if not file.is_file():
        raise LogError(f"There is no log {file}.")
    try:
        return read_eval_log(str(file))
    except Exception as error:  # whatever Inspect's reader meets in a broken file
        raise LogError(f"{file.name} cannot be read as an Inspect log: {error}") from error


_LEAST = {"probe_answer": "invalid_rate"}
"""A metric that a log of a scorer must hold; of the others, `discernment`."""


def _name(scorer: str) -> str:
    """A scorer's name without its namespace, and without the number of a second scoring."""
    return scorer.rpartition("/")[2].rstrip("0123456789")


def is_ours(scorer: str) -> bool:
    """Whether a scorer is one of this project."""
    return _name(scorer) in SCORERS


def _our_scores(scores: Sequence[EvalScore], file: Path) -> list[EvalScore]:
    """The figures of our scorers; a log that was judged again may hold several."""
    ours = [score for score in scores if is_ours(score.scorer)]
    whole = all(_LEAST.get(_name(it.scorer), "discernment") in it.metrics for it in ours)
    if not ours or not whole:
        raise LogError(
            f"{file.name} is no log of a task of privacy_tasks judged by {', '.join(SCORERS)}."
        )
    return ours


_USUAL = {
    "level": "vignette",
    "cot": False,
    "shots": 0,
    "protocol": "paired",
    "memory": None,
    "user": "auto",
    "turns": None,
    "tool_format": "native",
    "force_action": False,
    "trigger": "",
    "domains": "all",
}
_USUAL_PROMPTS = (None, "naive", "basic")
_SHOWN_MODEL_ARGUMENTS = ("leak", "share", "seed", "store")


def _settings(task: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    """What was asked for besides the defaults; data and judge are shown by themselves.

    Of a model's arguments only those of the reference models: others may be paths or secrets.
    """
    shown = {name: task[name] for name in _USUAL if task.get(name, _USUAL[name]) != _USUAL[name]}
    if task.get("prompt") not in _USUAL_PROMPTS:
        shown["prompt"] = task["prompt"]
    return shown | {name: model[name] for name in _SHOWN_MODEL_ARGUMENTS if name in model}


def _errors(samples: Sequence[EvalSample]) -> dict[str, str]:
    found: dict[str, str] = {}
    for sample in samples:
        metadata = _score_metadata(sample)
        if "unscored" in metadata:
            detail = sample.error.message if sample.error else str(metadata["detail"])
            found.setdefault(str(metadata["unscored"]), " ".join(detail.split())[:200])
    return found


def _figure(score: EvalScore, name: str) -> Figure:
    mean, stderr, lower, upper = (_number(score, key) for key in figure_names(name))
    return Figure(mean=mean, stderr=stderr, lower=lower, upper=upper)


def _number(score: EvalScore, name: str) -> float | None:
    value = float(score.metrics[name].value)
    return None if math.isnan(value) else value


def _domains(score: EvalScore, name: str) -> dict[str, float | None]:
    prefix = domain_name(name, "")
    return {
        key.removeprefix(prefix): _number(score, key)
        for key in score.metrics
        if key.startswith(prefix)
    }


def _score_metadata(sample: EvalSample) -> dict[str, Any]:
    """Metadata of the sample's last verdict."""
    names = [name for name in sample.scores or {} if is_ours(name)]
    return ((sample.scores or {})[names[-1]].metadata or {}) if names else {}


def _scored(sample: EvalSample) -> Scored:
    return Scored(str(sample.id), sample.metadata or {}, _score_metadata(sample))


def _judge(samples: Sequence[EvalSample], planned: str) -> str:
    """Who judged; a log that was judged again says so in its samples only."""
    every = [_score_metadata(sample) for sample in samples]
    judges = {found["judge"] for found in every if "judge" in found}
    return ", ".join(sorted(judges)) or planned


def _unscored(samples: Sequence[EvalSample]) -> dict[str, int]:
    reasons = Counter(
        str(found["unscored"])
        for sample in samples
        if "unscored" in (found := _score_metadata(sample))
    )
    missing = sum(not _score_metadata(sample) for sample in samples)
    if missing:
        reasons["not_scored"] = missing
    return dict(sorted(reasons.items()))
