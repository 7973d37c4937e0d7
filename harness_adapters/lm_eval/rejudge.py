"""Judging the samples of a run of lm-eval later, or again with another judge."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from harness_adapters.errors import LogError
from harness_adapters.judge_choice import JudgeSpec
from harness_adapters.lm_eval.families import FAMILIES, Family, defined_names
from harness_adapters.lm_eval.judging import Reply, judge_pass
from harness_adapters.lm_eval.likelihoods import OPTIONS, likelier
from harness_adapters.lm_eval.records import SUMMARY, Observation, Tally, observed, record
from harness_adapters.lm_eval.replies import Said, said
from harness_adapters.lm_eval.settings import VARIANTS
from harness_adapters.runs.lm_eval_results import (
    FILTER,
    PREFIX,
    About,
    OtherTasksError,
    Results,
    Sample,
    is_results,
    read_results,
)
from privacy_tasks.norms import AnnotatedItem

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
        raise LogError(f"{place} holds several runs; name one: {', '.join(map(str, files))}")
    return files[0]


def _is_ours(file: Path) -> bool:
    """Whether a results file holds replies to judge, and not those of another judged again."""
    try:
        return FROM not in read_results(file).content
    except OtherTasksError:
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
    new: dict[str, Any] = {"results": {}, FROM: file.name, "configs": {}, "higher_is_better": {}}
    new |= {key: {} for key in _OF_TASKS if key in results.content}
    new |= {key: value for key, value in results.content.items() if key not in _OF_TASKS}
    judged: dict[str, list[dict[str, Any]]] = {}
    for task in results.tasks:
        judged[task] = _judge_task(results, task, spec, connections, new)
    _add_groups(results, new)
    return _write(new, judged, folder or file.parent)


def _judge_task(
    results: Results, task: str, spec: JudgeSpec, connections: int, new: dict[str, Any]
) -> list[dict[str, Any]]:
    """Judges one task; its figures go into the new results."""
    name = task.removeprefix(PREFIX)
    kind = VARIANTS.get(name, name)
    if kind not in FAMILIES:
        raise LogError(f"{results.file.name}: {task} is no task of this version of privacy_tasks.")
    family, about, samples = FAMILIES[kind], results.tasks[task], results.samples[task]
    expected = results.content.get("n-samples", {}).get(task, {}).get("effective")
    if not results.content["results"].get(task, {}).get("sample_len") == len(samples) == expected:
        raise LogError(
            f"{results.file.name}: {task} was run on {expected} samples, and its samples file has"
            f" {len(samples)}."
        )
    for sample in samples:
        _check_sample(sample, family, about, kind, results.file)
    told = [replies_of(sample, kind) for sample in samples]
    replies = [
        Reply(sample.raw["doc"], it.text, epoch, it.cut)
        for sample, epochs in zip(samples, told, strict=True)
        for epoch, it in enumerate(epochs, start=1)
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
    lexical = used is not None and used.is_lexical
    names = defined_names(family, [it.line.doc.metadata for it in samples], lexical=lexical)
    size = about.epochs
    records = [
        record(scores[place * size : (place + 1) * size], epochs)
        for place, epochs in enumerate(told)
    ]
    found = [
        observed(family, sample.raw["doc"], text, names)
        for sample, text in zip(samples, records, strict=True)
    ]
    tally = Tally(family, [_observation(it) for it in found])
    _add_task(results, task, family, names, tally, len(samples), new)
    return [
        _new_sample(sample, text, it)
        for sample, text, it in zip(samples, records, found, strict=True)
    ]


_REQUESTS = {"probing_logprob": len(OPTIONS)}
"""How many requests a document has; of other tasks, as many as epochs."""


def _check_sample(sample: Sample, family: Family, about: About, kind: str, file: Path) -> None:
    """Refuses a sample that a run of this task cannot have written.

    Raises:
        LogError: names it, and says what is wrong.
    """
    where = f"{file.name}: {sample.line.doc.id}"
    metadata, responses = sample.line.doc.metadata, sample.line.resps
    if metadata.get("kind") != family.kind:
        raise LogError(f"{where} is no sample of this task: kind={metadata.get('kind')!r}.")
    wanted = _REQUESTS.get(kind, about.epochs)
    whole = len(responses) == wanted and all(responses)
    if kind == "probing_logprob":
        whole = whole and all(_is_number(response[0]) for response in responses)
    else:
        whole = whole and all(isinstance(response[0], str) for response in responses)
        whole = whole and len(sample.record.cut) == wanted
        whole = whole and "arg_0" in sample.line.arguments.get("gen_args_0", {})
    if not whole:
        raise LogError(f"{where} does not have the {wanted} replies of its run.")
    try:
        for item in metadata["items"] if family.has_judge else ():
            AnnotatedItem.from_record(item)
        needed = ("cluster", "domain", "set", *family.needs)
        missing = [key for key in needed if key not in metadata]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LogError(f"{where}: its items cannot be read: {error!r}") from error
    if missing:
        raise LogError(f"{where} has no {', '.join(missing)} in its metadata.")


def _is_number(response: Any) -> bool:
    """Whether a response is a log-likelihood with what lm-eval says beside it."""
    try:
        float(response[0])
    except (ValueError, TypeError, IndexError, KeyError):
        return False
    return True


def replies_of(sample: Sample, kind: str) -> list[Said]:
    """The replies of a sample, one for each epoch."""
    responses = sample.line.resps
    if kind == "probing_logprob":
        return [Said(likelier([float(response[0][0]) for response in responses]), cut=False)]
    prompt = sample.line.arguments["gen_args_0"]["arg_0"]
    return [
        said(prompt, response[0], cut=cut)
        for response, cut in zip(responses, sample.record.cut, strict=True)
    ]


def _observation(told: Mapping[str, Any]) -> Observation:
    found = told["judged"]
    assert isinstance(found, Observation)
    return found


def _new_sample(sample: Sample, text: str, told: Mapping[str, Any]) -> dict[str, Any]:
    old = sample.line.metrics
    kept = {key: value for key, value in sample.raw.items() if key not in old}
    responses = [text] * len(sample.line.filtered_resps)
    return kept | {"filtered_resps": responses, "metrics": list(told)} | dict(told)


def _add_task(
    results: Results,
    task: str,
    family: Family,
    names: Sequence[str],
    tally: Tally,
    count: int,
    new: dict[str, Any],
) -> None:
    config = copy.deepcopy(results.content["configs"][task])
    metadata = {key: it for key, it in config.get("metadata", {}).items() if key not in SUMMARY}
    better = {name: family.higher_is_better.get(name) for name in names}
    judged_by = {"privacy_tasks": version("privacy-tasks")}
    config["metadata"] = metadata | judged_by | tally.summary(names)
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
    count = sum(new["results"][task]["sample_len"] for task in tasks)
    found: dict[str, Any] = {"name": name, "alias": name, "sample_len": count}
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


def _json(value: Any, indent: int | None = None) -> bytes:
    """As lm-eval writes it; half a surrogate pair, which models write, stays an escape."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def _write(
    new: Mapping[str, Any], samples: Mapping[str, Sequence[dict[str, Any]]], folder: Path
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    time = datetime.now().isoformat().replace(":", "-")  # lm-eval's way of naming its files
    for task, lines in samples.items():
        written = b"".join(_json(line) + b"\n" for line in lines)
        (folder / f"samples_{task}_{time}.jsonl").write_bytes(written)
    file = folder / f"results_{time}.json"
    file.write_bytes(_json(new, indent=2))
    return file
