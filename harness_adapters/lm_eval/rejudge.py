"""Judging the samples of a run of lm-eval later, or again with another judge."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from harness_adapters.errors import LogError
from harness_adapters.lm_eval.documents import metadata_of
from harness_adapters.lm_eval.families import FAMILIES, Family, defined_names
from harness_adapters.lm_eval.judging import Reply, judge_pass
from harness_adapters.lm_eval.likelihoods import likelier
from harness_adapters.lm_eval.records import SUMMARY, Observation, Tally, observed, record
from harness_adapters.lm_eval.rendering import went_on
from harness_adapters.lm_eval.settings import VARIANTS, JudgeSpec
from harness_adapters.runs.lm_eval_results import (
    FILTER,
    PREFIX,
    Results,
    Sample,
    is_results,
    read_results,
)

FROM = "rejudged_from"
"""Key of a results file: the one whose replies it has judged."""

_OF_TASKS = (
    "results",
    "groups",
    "group_subtasks",
    "configs",
    "versions",
    "n-shot",
    "higher_is_better",
    "n-samples",
    "task_hashes",
)
"""Parts of a results file that speak of its tasks one by one."""


def find_results(place: Path) -> Path:
    """The results file that is meant by a file, or by a folder with one run of ours.

    Raises:
        LogError: if there is none, or more than one.
    """
    if place.is_file():
        return place
    if not place.is_dir():
        raise LogError(f"There is no {place}.")
    files = [file for file in sorted(place.rglob("*.json")) if is_results(file) and _is_ours(file)]
    if not files:
        raise LogError(
            f"There are no results of tasks of privacy_tasks in {place}. lm_eval writes them with"
            " --output_path and --log_samples."
        )
    if len(files) > 1:
        names = ", ".join(str(file.relative_to(place)) for file in files)
        raise LogError(f"{place} holds several runs; name one of the files: {names}.")
    return files[0]


def _is_ours(file: Path) -> bool:
    """Whether a results file holds replies to judge, and not those of another judged again."""
    try:
        return FROM not in read_results(file).content
    except LogError:
        return False


def rejudge(file: Path, spec: JudgeSpec, connections: int, folder: Path | None = None) -> Path:
    """Judges the samples of a run, and writes a new results file and new samples files.

    Args:
        file: a results file with samples beside it.
        spec: the judge.
        connections: how many calls to it are under way at once.
        folder: where to write; beside the old files unless given.

    Returns:
        The new results file.

    Raises:
        LogError: if a task of ours has no samples file.
    """
    results = read_results(file)
    missing = [task for task in results.tasks if task not in results.samples]
    if missing:
        raise LogError(
            f"{file.name} has no samples of {', '.join(missing)}: run lm_eval with --log_samples."
        )
    new = {key: value for key, value in results.content.items() if key not in _OF_TASKS}
    new |= {key: {} for key in _OF_TASKS if key in results.content}
    new |= {"results": {}, "configs": {}, "higher_is_better": {}, FROM: file.name}
    judged: dict[str, list[Sample]] = {}
    for task in results.tasks:
        judged[task] = _judge_task(results, task, spec, connections, new)
    _add_groups(results, new)
    return _write(new, judged, folder or file.parent)


def _judge_task(
    results: Results, task: str, spec: JudgeSpec, connections: int, new: dict[str, Any]
) -> list[Sample]:
    """Judges one task; its figures go into the new results."""
    name = task.removeprefix(PREFIX)
    kind = VARIANTS.get(name, name)
    if kind not in FAMILIES:
        raise LogError(f"{results.file.name}: {task} is no task of this version of privacy_tasks.")
    family = FAMILIES[kind]
    samples = results.samples[task]
    config = copy.deepcopy(results.content["configs"][task])
    repeats = int(config.get("repeats", 1))
    replies = [
        Reply(sample["doc"], text, epoch)
        for sample in samples
        for epoch, text in enumerate(_texts(sample, repeats, kind, results.file), start=1)
    ]
    used = spec if family.has_judge else None
    scores = judge_pass(
        replies,
        family.score,
        used,
        connections,
        title=f"Judging {task}",
        show=used is not None,
    )
    lexical = used is not None and used.model is None
    names = defined_names(
        family, [metadata_of(sample["doc"]) for sample in samples], lexical=lexical
    )
    records = [
        record(scores[place * repeats : (place + 1) * repeats]) for place in range(len(samples))
    ]
    told = [
        observed(family, sample["doc"], text, names)
        for sample, text in zip(samples, records, strict=True)
    ]
    tally = Tally(family, [_observation(it) for it in told])
    _add_task(results, task, family, names, tally, config, len(samples), new)
    return [
        _new_sample(sample, text, it)
        for sample, text, it in zip(samples, records, told, strict=True)
    ]


def _texts(sample: Sample, repeats: int, kind: str, file: Path) -> list[str]:
    """The replies of a sample, one for each epoch."""
    responses = sample["resps"]
    if kind == "probing_logprob":
        return [likelier([float(response[0][0]) for response in responses])]
    # where processes shared the work, a request may have been made once more to fill up
    texts = responses[0][:repeats]
    if len(texts) < repeats:
        raise LogError(f"{file.name}: {sample['doc']['id']} has {len(texts)} of {repeats} replies.")
    prompt = sample["arguments"]["gen_args_0"]["arg_0"]
    return [went_on(prompt, str(text)) for text in texts]


def _observation(told: Mapping[str, Any]) -> Observation:
    found = told["judged"]
    assert isinstance(found, Observation)
    return found


def _new_sample(sample: Sample, text: str, told: Mapping[str, Any]) -> Sample:
    old = sample.get("metrics", [])
    kept = {key: value for key, value in sample.items() if key not in old}
    responses = [text] * len(sample["filtered_resps"])
    return kept | {"filtered_resps": responses, "metrics": list(told)} | dict(told)


def _add_task(
    results: Results,
    task: str,
    family: Family,
    names: Sequence[str],
    tally: Tally,
    config: dict[str, Any],
    count: int,
    new: dict[str, Any],
) -> None:
    metadata = {key: it for key, it in config.get("metadata", {}).items() if key not in SUMMARY}
    better = {name: family.higher_is_better.get(name) for name in names}
    config["metadata"] = metadata | tally.summary(names)
    config["metric_list"] = [{"metric": name, "higher_is_better": better[name]} for name in names]
    new["configs"][task] = config
    new["higher_is_better"][task] = better
    for key in ("versions", "n-shot", "n-samples", "task_hashes"):
        if task in results.content.get(key, {}):
            new[key][task] = results.content[key][task]
    figures = {
        f"{key},{FILTER}": tally.figures[key] for name in names for key in (name, f"{name}_stderr")
    }
    new["results"][task] = {"name": task, "alias": task, "sample_len": count} | figures


def _add_groups(results: Results, new: dict[str, Any]) -> None:
    """The groups whose tasks were all judged, as lm-eval puts them together."""
    from lm_eval.api.metrics import unweighted_mean_stderr

    file = (
        resources.files("harness_adapters.lm_eval") / "privacy_collapse" / "privacy_collapse.yaml"
    )
    group = yaml.safe_load(file.read_text(encoding="utf-8"))
    name, tasks = group["group"], list(group["task"])
    if name not in results.content.get("group_subtasks", {}) or not set(tasks) <= set(
        new["results"]
    ):
        return
    found: dict[str, Any] = {"name": name, "alias": name}
    better: dict[str, Any] = {}
    for task in tasks:
        better = new["higher_is_better"][task] | better
    for metric in (it["metric"] for it in group["aggregate_metric_list"]):
        of_tasks = [new["results"][task] for task in tasks]
        having = [it for it in of_tasks if f"{metric},{FILTER}" in it]
        values = [it[f"{metric},{FILTER}"] for it in having]
        errors = [it[f"{metric}_stderr,{FILTER}"] for it in having]
        found[f"{metric},{FILTER}"] = math.fsum(values) / len(values)
        found[f"{metric}_stderr,{FILTER}"] = float(unweighted_mean_stderr(errors))
    new["results"] = {name: found} | new["results"]
    new["groups"] = {name: found}
    new["group_subtasks"] = {name: tasks}
    new["higher_is_better"][name] = better
    for key in ("versions", "n-shot"):
        if name in results.content.get(key, {}):
            new[key][name] = results.content[key][name]


def _write(new: Mapping[str, Any], samples: Mapping[str, Sequence[Sample]], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    time = datetime.now().isoformat().replace(":", "-")  # lm-eval's way of naming its files
    for task, lines in samples.items():
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / f"samples_{task}_{time}.jsonl").write_text(text, encoding="utf-8")
    file = folder / f"results_{time}.json"
    file.write_text(json.dumps(new, indent=2, ensure_ascii=False), encoding="utf-8")
    return file
