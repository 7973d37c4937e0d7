"""Results and samples that lm-eval has written.

A run of lm-eval writes `results_TIME.json`, and with `--log_samples` a `samples_TASK_TIME.jsonl`
for each task beside it.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness_adapters.errors import LogError
from harness_adapters.runs.run import FIGURES, MEANS, NO_JUDGE, Figure, Run, Scored, leaks_of

PREFIX = "privacy_collapse_"
FILTER = "none"

Sample = dict[str, Any]


class Results(NamedTuple):
    """One run of lm-eval."""

    file: Path
    content: dict[str, Any]
    """The results file."""
    samples: dict[str, list[Sample]]
    """Task -> its samples, of those of our tasks that have a samples file."""

    @property
    def tasks(self) -> list[str]:
        """The tasks of this project among those that were run."""
        return [name for name in self.content["configs"] if name.startswith(PREFIX)]


def is_results(file: Path) -> bool:
    """Whether a file is results of lm-eval, by how it begins."""
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(200).lstrip("{ \n\t").startswith('"results"')
    except (OSError, UnicodeDecodeError):
        return False


def read_results(file: Path) -> Results:
    """A results file, with the samples of our tasks.

    Raises:
        LogError: if it cannot be read, or holds none of our tasks.
    """
    content = _json(file)
    configs = content.get("configs")
    if not isinstance(configs, dict) or not isinstance(content.get("results"), dict):
        raise LogError(f"{file.name} is no results file of lm-eval.")
    results = Results(file, content, {})
    if not results.tasks:
        raise LogError(f"{file.name} has no task of privacy_tasks: {', '.join(configs) or 'none'}.")
    time = file.stem.rpartition("_")[2]
    for task in results.tasks:
        beside = file.with_name(f"samples_{task}_{time}.jsonl")
        if beside.is_file():
            results.samples[task] = _samples(beside)
    return results


def read_runs_of(file: Path, *, leaks: int = 0) -> list[Run]:
    """What a results file says of each of our tasks.

    Args:
        file: a results file.
        leaks: how many leaks to show of each, where samples were kept.

    Raises:
        LogError: if it cannot be read, or nothing in it was judged.
    """
    results = read_results(file)
    runs = [_run(results, task, leaks) for task in results.tasks if _is_scored(results, task)]
    if not runs:
        raise LogError(
            f"{file.name} has no scores: it was run with --predict_only. Judge it with"
            f" `privacy-tasks rejudge {file.parent.name} --judge …`."
        )
    return runs


def _is_scored(results: Results, task: str) -> bool:
    return f"judged,{FILTER}" in results.content["results"].get(task, {})


def _run(results: Results, task: str, leaks: int) -> Run:
    content, config = results.content, results.content["configs"][task]
    metadata = config.get("metadata", {})
    figures = content["results"][task]
    samples = [_scored(sample) for sample in results.samples.get(task, [])]
    return Run(
        model=str(content.get("model_name") or content.get("config", {}).get("model", "unknown")),
        task=task,
        mode=str(metadata.get("mode", "unknown")),
        scorer="lm_eval",
        status="success",
        judge=str(metadata.get("judge", NO_JUDGE)),
        data={
            key: str(metadata.get(field, "unknown"))
            for key, field in (("name", "set"), ("version", "set_version"), ("hash", "set_hash"))
        },
        samples=int(figures.get("sample_len", 0)) * int(config.get("repeats", 1)),
        clusters=int(metadata.get("clusters", 0)),
        epochs=int(config.get("repeats", 1)),
        metrics={
            name: _figure(figures, metadata, name)
            for name in FIGURES
            if f"{name},{FILTER}" in figures
        },
        means={name: _number(figures, name) for name in MEANS if f"{name},{FILTER}" in figures},
        domains=_domains(metadata.get("by_domain", {})),
        settings=_settings(metadata, config),
        scorings=1,
        unscored={str(reason): int(n) for reason, n in metadata.get("unscored", {}).items()},
        errors=_errors(samples),
        leaks=tuple(leaks_of(samples))[:leaks],
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


def _scored(sample: Sample) -> Scored:
    """A sample and its last epoch's score."""
    scores = json.loads(sample["filtered_resps"][0])["scores"]
    about = json.loads(sample["doc"]["metadata"])
    return Scored(str(sample["doc"]["id"]), about, scores[-1]["metadata"] or {})


def _errors(samples: Sequence[Scored]) -> dict[str, str]:
    found: dict[str, str] = {}
    for sample in samples:
        if "unscored" in sample.told:
            detail = " ".join(str(sample.told.get("detail", "")).split())
            found.setdefault(str(sample.told["unscored"]), detail[:200])
    return found


def _figure(figures: Mapping[str, Any], metadata: Mapping[str, Any], name: str) -> Figure:
    lower, upper = metadata.get("ci95", {}).get(name, (None, None))
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


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LogError(f"{file.name} cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise LogError(f"{file.name} is no results file of lm-eval.")
    return content


def _samples(file: Path) -> list[Sample]:
    """The samples in the order of their documents, however many processes wrote them."""
    samples = []
    with file.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                sample = json.loads(line)
                sample["doc"]["id"], sample["doc_id"], sample["resps"]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise LogError(
                    f"{file.name}, line {number}, is no sample of ours: {error!r}"
                ) from error
            samples.append(sample)
    twice = [id_ for id_, n in Counter(it["doc"]["id"] for it in samples).items() if n > 1]
    if twice:
        raise LogError(f"{file.name} holds {twice[0]} more than once.")
    return sorted(samples, key=lambda sample: int(sample["doc_id"]))
