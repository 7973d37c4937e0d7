"""The samples of lm-eval's runs, of any task."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from harness_adapters.errors import LogError
from harness_adapters.runs.lm_eval_results import FILTER, PREFIX, About, load_json, read_about
from harness_adapters.runs.observed import (
    UNREADABLE,
    Disclosed,
    Evidence,
    Observed,
    Place,
    TaskLog,
    disclosed_of,
    flows_of,
    number,
    plain_judge,
    plain_name,
    types_of,
    withheld_of,
)
from harness_adapters.runs.observed import (
    About as AboutSample,
)
from harness_adapters.runs.run import NO_JUDGE


def read_tasks(file: Path) -> list[TaskLog]:
    """What was observed in the samples of each task of a results file.

    Raises:
        LogError: if it or a samples file cannot be read, samples were not kept, or a task of this
            project was not judged.
    """
    content = load_json(file)
    configs, results = content.get("configs"), content.get("results")
    if not isinstance(configs, dict) or not isinstance(results, dict):
        raise LogError(f"{file.name} is no results file of lm-eval.")
    if not configs:
        raise LogError(f"{file.name} holds no task.")
    try:
        return [_task(file, content, task) for task in configs]
    except UNREADABLE as error:
        raise LogError(
            f"{file.name} is not as lm-eval writes its results: {error}. Copy it again from where"
            " it was made, run it again, or leave it out."
        ) from error


def _task(file: Path, content: Mapping[str, Any], task: str) -> TaskLog:
    time = file.stem.rpartition("_")[2]
    beside = file.with_name(f"samples_{task}_{time}.jsonl")
    if not beside.is_file():
        raise LogError(
            f"{file.name}: the samples of {task} are not there ({beside.name}): run lm_eval with"
            " --log_samples, and keep the files together."
        )
    config, figures = content["configs"][task], content["results"].get(task, {})
    if not isinstance(config, dict) or not isinstance(figures, dict):
        raise LogError(f"{file.name}: {task} is described as no task of lm-eval.")
    ours = task.startswith(PREFIX)
    about = read_about(file, task, config) if ours else None
    if about is not None and f"judged,{FILTER}" not in figures:
        raise NotJudgedError(
            f"{file.name}: {task} was not judged: it was run with --predict_only. To judge it:"
            f" privacy-tasks rejudge {file.name} --judge …"
        )
    samples = _of_ours(beside, about) if about is not None else _of_others(beside)
    _check(file, content, task, samples)
    _check_figures(beside, config, figures, samples, ours=ours)
    better = _of(content, "higher_is_better", task)
    return TaskLog(
        file=file,
        run=f"lm_eval {_run_of(file, content)} {task}",
        harness=f"lm_eval {content.get('lm_eval_version', 'unknown')}",
        model=_plain_model(_model(content) or str(content.get("model_name", "unknown"))),
        task=task,
        model_id=_model_id(content),
        ours=ours,
        identity={**(_identity(about) if about is not None else {}), **_asked(content, task)},
        generation=_generation(content),
        reported={
            name: float(value)
            for name, value in figures.items()
            if isinstance(value, int | float) and "_stderr" not in name and "," in name
        },
        better={name: value for name, value in better.items() if isinstance(value, bool)},
        samples=samples,
        evidence=partial(_evidence, beside),
    )


class NotJudgedError(LogError):
    """Results of a task of this project with replies and no verdicts."""


def rejudged_of(file: Path) -> str | None:
    """The name of the results file whose replies were judged again in this one."""
    name = load_json(file).get("rejudged_from")
    return None if name is None else str(name)


def _of(content: Mapping[str, Any], part: str, task: str) -> dict[str, Any]:
    """What a part of the results says of a task; nothing where it says nothing."""
    found = content.get(part)
    told = found.get(task) if isinstance(found, dict) else None
    return told if isinstance(told, dict) else {}


def _run_of(file: Path, content: Mapping[str, Any]) -> str:
    """When it began: the same in a copy, and in the file of another judge."""
    date, start = content.get("date"), content.get("start_time")
    return file.name if date is None else f"{date} {start}"


def _plain_model(name: str) -> str:
    """A model's name on the hub has one slash; what has more is a path."""
    return Path(name).name if name.count("/") > 1 else plain_name(name)


def _model(content: Mapping[str, Any]) -> str | None:
    """The model as it was named to lm-eval."""
    config = content.get("config")
    arguments = config.get("model_args") if isinstance(config, dict) else None
    if isinstance(arguments, dict):
        found = arguments.get("pretrained") or arguments.get("model")
        return str(found) if found else None
    return None


def _lines(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line of a samples file, and where it is."""
    try:
        with file.open("rb") as stream:
            for count, line in enumerate(stream, start=1):  # broken at \n alone
                where = f"{file.name}, line {count}"
                try:
                    raw = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise LogError(f"{where}, is no JSON: {error}") from error
                if not isinstance(raw, dict):
                    raise LogError(f"{where}, is no sample.")
                yield where, raw
    except OSError as error:
        raise LogError(f"{file.name} cannot be read: {error.strerror}.") from error


def _wrong(where: str, error: Exception) -> LogError:
    what = f"no {error}" if isinstance(error, KeyError) else str(error)
    return LogError(f"{where}: {what}.")


def _of_ours(file: Path, about: About) -> list[Observed]:
    found: list[Observed] = []
    for where, raw in _lines(file):
        try:
            doc = raw["doc"]
            if (doc["set"], doc["set_hash"]) != (about.set, about.set_hash):
                raise ValueError(
                    f"{doc['id']} is of {doc['set']} {doc['set_hash']}, and the results are of"
                    f" {about.set} {about.set_hash}"
                )
            metadata = json.loads(doc["metadata"])
            scores = json.loads(raw["filtered_resps"][0])["scores"]
            if not scores:
                raise ValueError(f"{doc['id']} was not judged")
            if len(scores) != about.epochs:
                raise ValueError(
                    f"{doc['id']} has {len(scores)} replies, and the results are of {about.epochs}"
                )
            for epoch, score in enumerate(scores, start=1):
                found.append(_observed(str(doc["id"]), epoch, metadata, score))
        except UNREADABLE as error:
            raise _wrong(where, error) from error
    return found


def _observed(id_: str, epoch: int, metadata: Mapping[str, Any], score: Any) -> Observed:
    told = score.get("metadata") or {}
    values = {name: number(value) for name, value in score["value"].items()}
    if any(not -1 <= value <= 1 for value in values.values() if not math.isnan(value)):
        raise ValueError("a value lies outside [-1, 1]")
    return Observed(
        id=id_,
        epoch=epoch,
        content="",
        values=values,
        unscored=told.get("unscored"),
        about=AboutSample(
            cluster=str(metadata["cluster"]),
            domain=str(metadata["domain"]),
            channel=str(metadata.get("channel", "")),
            right=metadata.get("right"),
        ),
        types=types_of(metadata, told),
        withheld=withheld_of(metadata),
        flows=flows_of(told),
    )


def _of_others(file: Path) -> list[Observed]:
    """A document's values by metric and filter; lm-eval writes a line for each filter."""
    values: dict[str, dict[str, float]] = {}
    contents: dict[str, str] = {}
    for where, raw in _lines(file):
        try:
            id_ = str(raw["doc_id"])
            mine = values.setdefault(id_, {})
            content = f"{raw['doc_hash'][:12]} {raw['target_hash'][:12]}"
            if contents.setdefault(id_, content) != content:
                raise ValueError(f"document {id_} is not the one of an earlier line")
            for metric in raw["metrics"]:
                name = f"{metric},{raw['filter']}"
                if name in mine:
                    raise ValueError(f"document {id_} has {name} more than once")
                value = raw[metric]
                plain = value is None or isinstance(value, bool | int | float)
                mine[name] = number(value) if plain else math.nan
        except UNREADABLE as error:
            raise _wrong(where, error) from error
    return [
        Observed(
            id=id_,
            epoch=1,
            content=contents[id_],
            values=mine,
            unscored=None,
            about=None,
            types={},
            withheld=0,
            flows=0,
        )
        for id_, mine in values.items()
    ]


def _check(file: Path, content: Mapping[str, Any], task: str, samples: list[Observed]) -> None:
    seen: set[Place] = set()
    for sample in samples:
        if (sample.id, sample.epoch) in seen:
            raise LogError(f"{file.name}, {task}: its samples hold {sample.id} more than once.")
        seen.add((sample.id, sample.epoch))
    figures = content["results"].get(task, {})
    expected = _of(content, "n-samples", task).get("effective", figures.get("sample_len"))
    documents = len({sample.id for sample in samples})
    if expected is not None and documents != expected:
        raise LogError(
            f"{file.name} says that {task} has {expected} documents, and its samples file holds"
            f" {documents}: it is not whole."
        )


def _check_figures(
    file: Path,
    config: Mapping[str, Any],
    figures: Mapping[str, Any],
    samples: list[Observed],
    *,
    ours: bool,
) -> None:
    """The means of the samples are those of the results: else they are of another run."""
    listed = config.get("metric_list")
    means = {
        str(it["metric"])
        for it in (listed if isinstance(listed, list) else [])
        if isinstance(it, dict) and it.get("aggregation") == "mean"
    }
    if ours:
        means = {"leak_rate", "share_rate", "invalid"}
    named = {name for sample in samples for name in sample.values}
    for name in sorted(named):
        metric = name.partition(",")[0]
        key = f"invalid_rate,{FILTER}" if name == "invalid" else f"{name},{FILTER}"
        reported = figures.get(key if ours else name)
        if metric not in means or not isinstance(reported, int | float):
            continue
        found = _mean(samples, name)
        if (math.isnan(reported) and math.isnan(found)) or abs(found - reported) < 1e-6:
            continue
        raise LogError(
            f"{file.name} is not of the run that its results file is of: {metric} is {found:.4g}"
            f" in the samples and {reported:.4g} in the results. Keep each run's files together."
        )


def _mean(samples: list[Observed], name: str) -> float:
    """The mean over documents of the means over their epochs."""
    of_documents: dict[str, list[float]] = {}
    for sample in samples:
        value = sample.values.get(name, math.nan)
        if not math.isnan(value):
            of_documents.setdefault(sample.id, []).append(value)
    means = [math.fsum(values) / len(values) for values in of_documents.values()]
    return math.fsum(means) / len(means) if means else math.nan


def _identity(about: About) -> dict[str, str]:
    known = {
        "mode": about.mode,
        "set": about.set,
        "set_version": about.set_version,
        "set_hash": about.set_hash,
        "prompt_hash": str((about.model_extra or {}).get("prompt_hash", "unknown")),
        "judge": plain_judge(about.judge or NO_JUDGE),
    }
    settings = {
        name: str(value)
        for name, value in sorted((about.model_extra or {}).items())
        if name in _SETTINGS
    }
    return known | settings


_SETTINGS = (
    "prompt",
    "force_action",
    "trajectory",
    "level",
    "cot",
    "protocol",
    "trigger",
)


def _asked(content: Mapping[str, Any], task: str) -> dict[str, str]:
    """What else makes two runs of a task two different questions."""
    versions, shots = content.get("versions") or {}, content.get("n-shot") or {}
    return {
        "version": str(versions.get(task)),
        "shots": str(shots.get(task)),
        "chat template": "no" if content.get("chat_template") is None else "yes",
        "system instruction": str(content.get("system_instruction_sha") or "none")[:8],
        "shots as turns": str(bool(content.get("fewshot_as_multiturn"))),
    }


def _generation(content: Mapping[str, Any]) -> dict[str, str]:
    config = content.get("config")
    options = config if isinstance(config, dict) else {}
    told = {
        "gen_kwargs": options.get("gen_kwargs"),
        "fewshot_seed": options.get("fewshot_seed"),
        "dtype": options.get("model_dtype"),
    }
    return {
        name: json.dumps(value, sort_keys=True) for name, value in told.items() if value is not None
    }


def _model_id(content: Mapping[str, Any]) -> str:
    config = content.get("config")
    options = config if isinstance(config, dict) else {}
    named = [options.get(name) for name in ("model", "model_args", "model_sha")]
    whole = json.dumps([*named, content.get("model_name")], sort_keys=True, default=str)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _evidence(file: Path, wanted: Collection[Place]) -> dict[Place, Evidence]:
    found: dict[Place, Evidence] = {}
    ids = {id_ for id_, _ in wanted}
    for where, raw in _lines(file):
        try:
            id_ = str(raw["doc"]["id"])
            if id_ not in ids:
                continue
            metadata = json.loads(raw["doc"]["metadata"])
            scores = json.loads(raw["filtered_resps"][0])["scores"]
            for epoch, score in enumerate(scores, start=1):
                if (id_, epoch) not in wanted:
                    continue
                told = score.get("metadata") or {}
                disclosed: tuple[Disclosed, ...] = disclosed_of(metadata, told)
                found[id_, epoch] = Evidence(
                    text=str(score.get("answer") or ""),
                    unscored=told.get("unscored"),
                    recipient=str(metadata["recipient"]),
                    purpose=str(metadata["purpose"]),
                    disclosed=disclosed,
                )
        except UNREADABLE as error:
            raise _wrong(where, error) from error
    return found
