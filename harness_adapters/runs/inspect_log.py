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
    unscored: dict[str, int]
    """Reason -> number of samples without a verdict."""
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
    score = _last_score(log.results.scores, file)
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
        unscored=_unscored(samples),
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


def _last_score(scores: Sequence[EvalScore], file: Path) -> EvalScore:
    """The figures of the last judge; a log that was judged again may hold several."""
    ours = [score for score in scores if score.scorer.startswith(SCORER)]
    if not ours or not set(DEFINITIONS) <= set(ours[-1].metrics):
        raise LogError(f"{file.name} is no log of a task of privacy_tasks judged by {SCORER}.")
    return ours[-1]


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
