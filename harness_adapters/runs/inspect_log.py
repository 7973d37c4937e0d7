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
from privacy_tasks.metrics import DEFINITIONS, PER_DOMAIN, domain_name, figure_names

SCORER = "leak_judge"


class Figure(BaseModel):
    """A metric with its standard error and 95 % interval; None where it is not defined."""

    model_config = ConfigDict(frozen=True)

    mean: float | None
    stderr: float | None
    lower: float | None
    upper: float | None


class Leak(BaseModel):
    """An item that went to somebody who should not have it."""

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
    status: str
    judge: str
    data: dict[str, str]
    """Name, version and hash of the scenario set."""
    samples: int
    metrics: dict[str, Figure]
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
    """The results of one log of a task whose outputs are judged for disclosure.

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
        status=log.status,
        judge=_judge(samples, str(metadata.get("judge", "unknown"))),
        data={
            key: str(metadata.get(field, "unknown"))
            for key, field in (("name", "set"), ("version", "set_version"), ("hash", "set_hash"))
        },
        samples=log.results.total_samples,
        metrics={name: _figure(score, name) for name in DEFINITIONS},
        domains={name: _domains(score, name) for name in PER_DOMAIN},
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


def _our_scores(scores: Sequence[EvalScore], file: Path) -> list[EvalScore]:
    """The figures of our judges; a log that was judged again may hold several."""
    ours = [score for score in scores if score.scorer.startswith(SCORER)]
    if not ours or not all(set(DEFINITIONS) <= set(score.metrics) for score in ours):
        raise LogError(f"{file.name} is no log of a task of privacy_tasks judged by {SCORER}.")
    return ours


_USUAL = {
    "prompt": "naive",
    "tool_format": "native",
    "force_action": False,
    "trigger": "",
    "domains": "all",
}
_SHOWN_MODEL_ARGUMENTS = ("leak", "share", "seed")


def _settings(task: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    """What was asked for besides the defaults; data and judge are shown by themselves.

    Of a model's arguments only those of the reference models: others may be paths or secrets.
    """
    return {name: task[name] for name in _USUAL if task.get(name, _USUAL[name]) != _USUAL[name]} | {
        name: model[name] for name in _SHOWN_MODEL_ARGUMENTS if name in model
    }


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
    names = [name for name in sample.scores or {} if name.startswith(SCORER)]
    return ((sample.scores or {})[names[-1]].metadata or {}) if names else {}


def _judge(samples: Sequence[EvalSample], planned: str) -> str:
    """Who judged; a log that was judged again says so in its samples only."""
    judges = {found["judge"] for sample in samples if (found := _score_metadata(sample))}
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
        items = {item["id"]: item for item in (sample.metadata or {}).get("items", [])}
        for verdict in _score_metadata(sample).get("verdicts", []):
            if verdict["norm"] == "withhold" and verdict["disclosed"]:
                item = items[verdict["item"]]
                found.append(
                    Leak(
                        scenario=str(sample.id),
                        recipient=str((sample.metadata or {})["recipient"]),
                        item=item["statement"],
                        quote=verdict["quote"] or "",
                        why_not=item["rationale"],
                    )
                )
                break
    return found
