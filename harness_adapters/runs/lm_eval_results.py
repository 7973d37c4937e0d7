"""Results and samples that lm-eval has written.

A run of lm-eval writes `results_TIME.json`, and with `--log_samples` a `samples_TASK_TIME.jsonl`
for each task beside it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError

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

PREFIX = "privacy_collapse_"
FILTER = "none"

_NAME = re.compile(rf"{PREFIX}\w+")


class About(BaseModel):
    """What a results file says of one of our tasks, in its configuration."""

    model_config = ConfigDict(extra="allow", strict=True)

    set: str
    set_version: str
    set_hash: str
    mode: str
    epochs: int = Field(ge=1)
    judge: str | None = None
    clusters: int = 0
    unscored: dict[str, int] = {}
    ci95: dict[str, Annotated[list[float | None], Field(min_length=2, max_length=2)]] = {}
    by_domain: dict[str, float | None] = {}


class Document(BaseModel):
    """The document of a sample."""

    model_config = ConfigDict(extra="allow", strict=True)

    id: str
    set: str
    set_version: str
    set_hash: str
    messages: Json[list[Annotated[list[str], Field(min_length=2, max_length=2)]]]
    metadata: Json[dict[str, Any]]


class Told(BaseModel):
    """The score of one reply."""

    model_config = ConfigDict(extra="allow", strict=True)

    value: dict[str, float | None]
    metadata: dict[str, Any] | None = None


class Record(BaseModel):
    """What our tasks keep of a document: which replies were cut, and the scores, if any."""

    model_config = ConfigDict(extra="allow", strict=True)

    cut: list[bool]
    scores: list[Told]


class Line(BaseModel):
    """One line of a samples file."""

    model_config = ConfigDict(extra="allow", strict=True)

    doc_id: int
    doc: Document
    arguments: dict[str, dict[str, Any]]
    resps: list[list[Any]] = Field(min_length=1)
    filtered_resps: list[Json[Record]] = Field(min_length=1)
    metrics: list[str]


class Sample(NamedTuple):
    """A sample, as it was written and as it was read."""

    raw: dict[str, Any]
    line: Line

    @property
    def record(self) -> Record:
        """What was kept of it; each of its requests has the same."""
        return self.line.filtered_resps[0]


class Results(NamedTuple):
    """One run of lm-eval."""

    file: Path
    content: dict[str, Any]
    """The results file."""
    tasks: dict[str, About]
    """The tasks of this project among those that were run."""
    samples: dict[str, list[Sample]]
    """Task -> its samples, of those that have a samples file."""


def is_results(file: Path) -> bool:
    """Whether a file is a results file of lm-eval; logs of Inspect begin otherwise."""
    if file.suffix != ".json":
        return False
    try:
        with file.open(encoding="utf-8") as stream:
            begins = stream.read(200).lstrip("{ \n\t")
            if begins.startswith('"version"'):  # a log of Inspect, which may be large
                return False
            stream.seek(0)
            content = json.load(stream)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and {"results", "configs"} <= set(content)


def read_results(file: Path) -> Results:
    """A results file, with the samples of our tasks.

    Raises:
        LogError: if it cannot be read, or holds none of our tasks.
    """
    content = load_json(file)
    configs = content.get("configs")
    if not isinstance(configs, dict) or not isinstance(content.get("results"), dict):
        raise LogError(f"{file.name} is no results file of lm-eval.")
    ours = [name for name in configs if name.startswith(PREFIX)]
    if not ours:
        raise OtherTasksError(
            f"{file.name} has no task of privacy_tasks: {', '.join(configs) or 'none'}."
        )
    tasks = {name: read_about(file, name, configs[name]) for name in ours}
    time = file.stem.rpartition("_")[2]
    samples = {}
    for task, about in tasks.items():
        beside = file.with_name(f"samples_{task}_{time}.jsonl")
        if beside.is_file():
            samples[task] = _samples(beside, about)
    return Results(file, content, tasks, samples)


class OtherTasksError(LogError):
    """A results file of other tasks than ours."""


def read_about(file: Path, task: str, config: Any) -> About:
    """What a results file says of one of our tasks.

    Raises:
        LogError: if it does not say it.
    """
    if not _NAME.fullmatch(task):
        raise LogError(f"{file.name}: {task!r} is no name of a task.")
    try:
        return About.model_validate(config.get("metadata") if isinstance(config, dict) else None)
    except ValidationError as error:
        raise LogError(f"{file.name}, {task}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    """The first fault that was found: where, and what."""
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, fault["loc"])) or "metadata"
    return f"{where}: {fault['msg']}."


def read_runs_of(file: Path, *, leaks: int = 0) -> list[Run]:
    """What a results file says of each of our tasks.

    Args:
        file: a results file.
        leaks: how many leaks to show of each, where samples were kept.

    Raises:
        LogError: if it cannot be read, or nothing in it was judged.
    """
    results = read_results(file)
    scored = [task for task in results.tasks if _is_scored(results, task)]
    runs = [_run(results, task, leaks) for task in scored]
    if not runs:
        raise LogError(
            f"{file.name} has no scores: it was run with --predict_only. To judge it:"
            f" privacy-tasks rejudge {file} --judge …"
        )
    return runs


def _is_scored(results: Results, task: str) -> bool:
    return f"judged,{FILTER}" in results.content["results"].get(task, {})


def _run(results: Results, task: str, leaks: int) -> Run:
    content, about = results.content, results.tasks[task]
    config = content["configs"][task]
    figures = content["results"][task]
    samples = [_scored(sample) for sample in results.samples.get(task, [])]
    shape = shape_of(samples)
    length = figures.get("sample_len")
    if not isinstance(length, int):
        raise LogError(f"{results.file.name}, {task}: sample_len={length!r} is no number.")
    return Run(
        model=str(content.get("model_name") or content.get("config", {}).get("model", "unknown")),
        task=task,
        mode=about.mode,
        scorer="lm_eval",
        status="success",
        judge=about.judge or NO_JUDGE,
        data={"name": about.set, "version": about.set_version, "hash": about.set_hash},
        samples=length * about.epochs,
        clusters=about.clusters,
        epochs=about.epochs,
        metrics={
            name: _figure(figures, about, name) for name in FIGURES if f"{name},{FILTER}" in figures
        },
        means={name: _number(figures, name) for name in MEANS if f"{name},{FILTER}" in figures},
        domains=_domains(about.by_domain),
        settings=_settings(about.model_extra or {}, config) | _of_run(content),
        evidence=task in results.samples,
        scorings=1,
        unscored=about.unscored,
        errors=_errors(samples),
        leaks=tuple(leaks_of(samples))[:leaks],
        withheld=shape.withheld,
        flows=shape.flows,
        panel=panel_of(samples),
        log=str(results.file),
    )


_USUAL = {
    "prompt": ("naive", "basic"),
    "force_action": (False,),
    "trajectory": ("messages",),
    "level": ("vignette",),
    "cot": (False,),
    "protocol": ("paired",),
    "trigger": ("",),
    "domains": ("all",),
}


def _settings(metadata: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for besides the defaults."""
    found = {
        name: metadata[name]
        for name, usual in _USUAL.items()
        if name in metadata and metadata[name] not in usual
    }
    return found | ({"shots": config["num_fewshot"]} if config.get("num_fewshot") else {})


def _of_run(content: Mapping[str, Any]) -> dict[str, Any]:
    """What else makes two runs of lm-eval differ: template, system instruction, sampling, limit."""
    config = content.get("config")
    options = config if isinstance(config, dict) else {}
    told = {
        "chat_template": "no" if content.get("chat_template") is None else None,
        "system_instruction": str(content.get("system_instruction_sha") or "")[:8],
        "gen_kwargs": options.get("gen_kwargs"),
        "limit": options.get("limit"),
        "rejudged": content.get("rejudged_from") and "yes",
    }
    return {name: value for name, value in told.items() if value}


def _scored(sample: Sample) -> Scored:
    """A sample and its last epoch's score."""
    told = sample.record.scores[-1].metadata if sample.record.scores else None
    return Scored(sample.line.doc.id, sample.line.doc.metadata, told or {})


def _errors(samples: Sequence[Scored]) -> dict[str, str]:
    found: dict[str, str] = {}
    for sample in samples:
        if "unscored" in sample.told:
            detail = " ".join(str(sample.told.get("detail", "")).split())
            found.setdefault(str(sample.told["unscored"]), detail[:200])
    return found


def _figure(figures: Mapping[str, Any], about: About, name: str) -> Figure:
    lower, upper = about.ci95.get(name, (None, None))
    return Figure(
        mean=_number(figures, name),
        stderr=_number(figures, f"{name}_stderr"),
        lower=lower,
        upper=upper,
    )


def _number(figures: Mapping[str, Any], name: str) -> float | None:
    value = figures.get(f"{name},{FILTER}")
    return None if not isinstance(value, int | float) or math.isnan(value) else float(value)


def _domains(means: Mapping[str, float | None]) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = {}
    for key, mean in means.items():
        name, _, domain = key.partition(".")
        found.setdefault(name, {})[domain] = mean
    return found


def load_json(file: Path) -> dict[str, Any]:
    """The content of a results file.

    Raises:
        LogError: if it is no JSON object.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LogError(f"{file.name} cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise LogError(f"{file.name} is no results file of lm-eval.")
    return content


def _samples(file: Path, about: About) -> list[Sample]:
    """The samples in the order of their documents, however many processes wrote them."""
    samples = []
    try:
        lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LogError(f"{file.name} cannot be read: {error}") from error
    for number, text in enumerate(lines, start=1):  # other line breaks may stand in a reply
        where = f"{file.name}, line {number}"
        try:
            raw = json.loads(text)
            line = Line.model_validate(raw)
        except ValidationError as error:
            raise LogError(f"{where}: {_first(error)}") from error
        except (ValueError, RecursionError) as error:
            raise LogError(f"{where}, is no JSON: {error}") from error
        doc = line.doc
        if (doc.set, doc.set_hash) != (about.set, about.set_hash):
            raise LogError(
                f"{where}: {doc.id} is of {doc.set} {doc.set_hash}, and the results are of"
                f" {about.set} {about.set_hash}."
            )
        samples.append(Sample(raw, line))
    twice = [id_ for id_, n in Counter(it.line.doc.id for it in samples).items() if n > 1]
    if twice:
        raise LogError(f"{file.name} holds {twice[0]} more than once.")
    return sorted(samples, key=lambda sample: sample.line.doc_id)
