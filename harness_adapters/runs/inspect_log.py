"""Results and leaks out of Inspect's logs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog, EvalSample, EvalScore, read_eval_log
from pydantic import BaseModel, ConfigDict

from harness_adapters.errors import LogError
from privacy_tasks.metrics import DEFINITIONS, OVER_RUNS, PER_DOMAIN, domain_name, figure_names
from privacy_tasks.probing import metrics as probing

JUDGES = ("leak_judge", "episode_judge", "memory_judge", "session_judge")
SCORERS = (*JUDGES, "probe_answer")

FIGURES = tuple(dict.fromkeys([*DEFINITIONS, *OVER_RUNS, *probing.FIGURES]))
"""Every figure with an interval that a log of ours can hold."""

MEANS = (
    "violation_at_n_lower",
    "violation_at_n_upper",
    "violation_at_n_upstream",
    "completeness_upstream",
)
"""Figures without an interval."""


class Figure(BaseModel):
    """A metric with its standard error and 95 % interval; None where it is not defined."""

    model_config = ConfigDict(frozen=True)

    mean: float | None
    stderr: float | None
    lower: float | None
    upper: float | None


class Leak(BaseModel):
    """An item that went to somebody who is not to have it."""

    model_config = ConfigDict(frozen=True)

    scenario: str
    recipient: str
    item: str
    quote: str
    why_not: str


class Run(BaseModel):
    """What one log says."""

    model_config = ConfigDict(frozen=True)

    model: str
    task: str
    mode: str
    """Mode of the task; of probes, their level."""
    scorer: str
    status: str
    judge: str
    data: dict[str, str]
    """Name, version and hash of the scenario set."""
    samples: int
    """How many were run, each epoch (and each order of a probe) counted."""
    clusters: int
    """How many of them are independent: twin pairs, persons, settings."""
    epochs: int
    metrics: dict[str, Figure]
    """Every figure that the log holds; the headline is the first."""
    means: dict[str, float | None]
    """Further figures, without an interval."""
    domains: dict[str, dict[str, float | None]]
    """Metric -> domain -> mean."""
    settings: dict[str, Any]
    """Parameters of the task and of the model that are not their defaults."""
    scorings: int
    """How many sets of scores the log holds; the figures are of the last."""
    unscored: dict[str, int]
    """Reason -> number of samples without a verdict."""
    errors: dict[str, str]
    """Reason -> what went wrong in the first of these samples."""
    leaks: tuple[Leak, ...]
    log: str


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
        leaks=tuple(_leaks(samples))[:leaks],
        log=str(file),
    )


def _read(file: Path) -> EvalLog:
    if not file.is_file():
        raise LogError(f"There is no log {file}.")
    try:
        return read_eval_log(str(file))
    except Exception as error:  # whatever Inspect's reader meets in a broken file
        raise LogError(f"{file.name} cannot be read as an Inspect log: {error}") from error


NO_JUDGE = "none: the answers are read"
"""What stands for a judge where none is needed."""

_LEAST = {"probe_answer": "invalid_rate"}
"""A metric that a log of a scorer must hold; of the others, `discernment`."""


def _name(scorer: str) -> str:
    """A scorer's name without its namespace, and without the number of a second scoring."""
    return scorer.rpartition("/")[2].rstrip("0123456789")


def _is_ours(scorer: str) -> bool:
    return _name(scorer) in SCORERS


def _our_scores(scores: Sequence[EvalScore], file: Path) -> list[EvalScore]:
    """The figures of our scorers; a log that was judged again may hold several."""
    ours = [score for score in scores if _is_ours(score.scorer)]
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
    names = [name for name in sample.scores or {} if _is_ours(name)]
    return ((sample.scores or {})[names[-1]].metadata or {}) if names else {}


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


def _leaks(samples: Sequence[EvalSample]) -> list[Leak]:
    found = []
    for sample in samples:
        about = sample.metadata or {}
        items = {item["id"]: item for item in about.get("items", [])}
        for verdict in _score_metadata(sample).get("verdicts", []):
            if verdict["norm"] == "withhold" and verdict["disclosed"]:
                item = items[verdict["item"]]
                found.append(
                    Leak(
                        scenario=str(sample.id),
                        recipient=_reader(about, verdict["recipient"]),
                        item=item["statement"],
                        quote=verdict["quote"] or "",
                        why_not=_why_not(about, verdict["recipient"], item),
                    )
                )
                break
    return found


def _reader(about: dict[str, Any], key: str | None) -> str:
    """Who got it: the sample's recipient, or another whom its norms speak of."""
    person = about.get("recipients", {}).get(key)
    return f"{person['name']} ({person['role']})" if person else str(about["recipient"])


def _why_not(about: dict[str, Any], key: str | None, item: dict[str, Any]) -> str:
    person = about.get("recipients", {}).get(key)
    return str(person["norms"][item["id"]][1] if person else item["rationale"])
