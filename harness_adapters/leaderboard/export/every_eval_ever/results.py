"""The results of a run in Every Eval Ever: each metric with its direction, limits and interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.export.every_eval_ever.judges import llm_scoring
from harness_adapters.leaderboard.export.headline import headline_name, task_id
from harness_adapters.leaderboard.recipe import recipe_of
from harness_adapters.leaderboard.submission import DataSet, Figure, Model, Run
from privacy_tasks import metrics
from privacy_tasks.probing import metrics as probing
from privacy_tasks.sources import REMOTE, cimemories

COLLECTION = "privacy-tasks"

Json = dict[str, Any]
"""An object of the schema; the schema is what checks it."""


def results(run: Run, model: Model, dataset: str | None, members: Sequence[str]) -> list[Json]:
    """The results of a run, the headline first.

    Args:
        run: whose results.
        model: whose run.
        dataset: id on the Hugging Face hub where the core set lies.
        members: identities of a panel's members, where the records say them.

    Raises:
        AdapterError: if no figure is defined, or one cannot be.
    """
    scoring = llm_scoring(run, members)
    directions = probing.HIGHER_IS_BETTER if run.kind == "probe" else metrics.HIGHER_IS_BETTER
    alone = {
        name: Figure(mean=mean, stderr=None, lower=None, upper=None)
        for name, mean in run.means.items()
    }
    figures = {**run.metrics, **alone}
    told: list[Json] = []
    for name in sorted(figures, key=lambda it: it != headline_name(run)):  # the headline first
        better, figure = directions.get(name), figures[name]
        if better is not None and figure.mean is not None:
            told.append(_result(run, model, name, figure, better, dataset))
            if scoring and name not in _READ_OFF_CALLS:
                told[-1]["metric_config"]["llm_scoring"] = scoring
    if not told:
        raise AdapterError(f"Run {run.key!r}: none of its figures is defined, so nothing is told.")
    told[0]["score_details"]["details"] |= _without_direction(figures, directions, run)
    return told


def _without_direction(
    figures: Mapping[str, Figure], directions: Mapping[str, bool | None], run: Run
) -> dict[str, str]:
    """What has to be known beside the results and is no result."""
    told = {
        name: str(figure.mean)
        for name, figure in figures.items()
        if directions.get(name) is None and figure.mean is not None
    }
    undefined = sorted(name for name, figure in figures.items() if figure.mean is None)
    if undefined:
        told["undefined"] = ", ".join(undefined)
    if run.unscored:
        told["unscored"] = ", ".join(f"{why}: {n}" for why, n in sorted(run.unscored.items()))
    return told


def _result(
    run: Run, model: Model, name: str, figure: Figure, better: bool, dataset: str | None
) -> Json:
    lowest = metrics.DEFINITIONS[name].lowest if name in metrics.DEFINITIONS else 0.0
    if figure.mean is None or not lowest <= figure.mean <= 1:
        raise AdapterError(
            f"Run {run.key!r}: a {name} of {figure.mean} cannot be; verify the submission first."
        )
    config: Json = {
        "metric_id": f"privacy_tasks.{name}",
        "metric_name": name,
        "metric_unit": "proportion",
        "lower_is_better": not better,
        "score_type": "continuous",
        "min_score": lowest,
        "max_score": 1.0,
    }
    if name.startswith("violation_at_n"):
        config["metric_parameters"] = {"n": run.epochs}
    if name in _READ_OFF_CALLS:
        config["additional_details"] = {"scored_by": "tool calls and results are read; no judge"}
    elif run.judge is None:
        config["additional_details"] = {"scored_by": "answers are read; nobody judges"}
    elif run.judge.identity.startswith("lexical/"):
        config["additional_details"] = {
            "scored_by": f"{run.judge.identity}: a deterministic judge that is no language model"
        }
    return {
        "evaluation_result_id": f"{run.key}/{name}",
        "evaluation_name": f"{COLLECTION}/{task_id(run)}",
        "source_data": _source_data(run.data, run.samples, dataset),
        "evaluation_timestamp": run.began,
        "metric_config": config,
        "score_details": _score_details(run, name, figure),
        "generation_config": _generation(run, model),
    }


_READ_OFF_CALLS = frozenset({"over_collection"})

_INTERVAL = (
    "Wilson, with the effective sample size of the clustered variance and Student's t"
    " (privacy-tasks, docs/statistics.md)"
)


def _score_details(run: Run, name: str, figure: Figure) -> Json:
    uncertainty: Json = {}
    if figure.stderr is not None:
        uncertainty["standard_error"] = {"value": figure.stderr, "method": "clustered"}
    if figure.lower is not None and figure.upper is not None:
        uncertainty["confidence_interval"] = {
            "lower": figure.lower,
            "upper": figure.upper,
            "confidence_level": 0.95,
            "method": _INTERVAL,
        }
    number = _samples_behind(run, name)
    if uncertainty and number is not None:
        uncertainty["num_samples"] = number
    details: Json = {
        "score": figure.mean,
        "details": {
            "samples": str(run.samples),
            "clusters": str(run.clusters),
            "epochs": str(run.epochs),
        },
    }
    return details | ({"uncertainty": uncertainty} if uncertainty else {})


_OVER_ALL_JUDGED = frozenset(
    {"discernment", "leak_rate", "item_leak_rate", "share_rate", "accuracy", "invalid_rate"}
)
"""Metrics of which, on the released sets, every sample with a verdict says something."""


def _samples_behind(run: Run, name: str) -> int | None:
    """How many samples a figure is a mean over; None where the submission does not tell."""
    if name in metrics.OVER_RUNS:
        return run.clusters
    missing = sum(run.unscored.values())
    if name not in _OVER_ALL_JUDGED or (missing and run.epochs > 1):
        return None
    return run.samples - missing


def _source_data(data: DataSet, samples: int, dataset: str | None) -> Json:
    details = {"version": data.version, "hash": data.hash}
    told: Json = {"dataset_name": data.name}
    if data.name in REMOTE:
        remote = REMOTE[data.name]
        address = f"{remote.hub.rstrip('/')}/{remote.path}"
        return told | {"source_type": "url", "url": [address], "additional_details": details}
    hub = {"core": dataset, "cimemories": cimemories.HUB_ID}.get(data.name)
    if hub is None:
        return told | {"source_type": "other", "additional_details": details}
    return told | {
        "source_type": "hf_dataset",
        "hf_repo": hub,
        "samples_number": samples,
        "additional_details": details,
    }


_NUMBERS = ("temperature", "top_p", "top_k")


def _generation(run: Run, model: Model) -> Json:
    arguments: Json = {}
    rest = {f"setting {name}": str(value) for name, value in sorted(run.settings.items())}
    rest |= {f"condition {name}": value for name, value in sorted(run.conditions.items())}
    rest["prompt_hash"] = run.prompt_hash
    for name, value in sorted(run.generation.items()):
        number = _number(name, value)
        if number is None:
            rest[name] = value
        else:
            arguments[name] = number
    if isinstance(run.settings.get("cot"), bool):
        arguments["reasoning"] = run.settings["cot"]
    arguments["execution_command"] = "\n".join(recipe_of(run, model))
    return {"generation_args": arguments, "additional_details": rest}


def _number(name: str, value: str) -> float | int | None:
    """A setting of sampling for which the schema wants a number; None if it is none."""
    try:
        if name == "max_tokens":
            return int(value) if int(value) >= 1 else None
        number = float(value) if name in _NUMBERS else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
