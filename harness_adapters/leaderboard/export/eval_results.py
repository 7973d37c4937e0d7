"""Results on the page of a model on the Hugging Face hub: `.eval_results/privacy-tasks.yaml`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.export.headline import (
    OF_THE_CORE_SET,
    headline,
    refuse_own_scenarios,
    task_id,
)
from harness_adapters.leaderboard.submission import Run, Setting, Submission

FILE = ".eval_results/privacy-tasks.yaml"

SOURCE_NAME = "privacy-tasks submission"

_REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def write_eval_results(
    submission: Submission,
    folder: Path,
    *,
    dataset: str,
    revision: str | None,
    source: str | None,
    runs: Collection[str] = (),
) -> list[Path]:
    """Writes the entries of a submission into the clone of a model's repository.

    What the file held before is replaced; other files of results are left alone.

    Args:
        submission: of the model.
        folder: the clone.
        dataset: id on the hub where the core set lies.
        revision: commit of that data set.
        source: address where the submission can be looked at.
        runs: keys of the runs to take; all on the core set unless given.

    Raises:
        AdapterError: before anything is written, if a run cannot be shown in this way.
    """
    if not folder.is_dir():
        raise AdapterError(f"{folder} is no folder; name a clone of the model's repository.")
    _check_reference(dataset, revision, source)
    chosen = runs_shown(submission, runs)
    entries = [_entry(run, dataset, revision, source, _to_know(submission, run)) for run in chosen]
    content = yaml.safe_dump(
        eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True, width=100
    )
    file = folder / FILE
    file.parent.mkdir(exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return [file]


def runs_shown(submission: Submission, keys: Collection[str] = ()) -> list[Run]:
    """The runs whose results belong to the core set on the hub: one for each task.

    Runs on other published sets (PrivacyLens, CIMemories) are left out unless they are asked for:
    their results do not belong to that data set.

    Raises:
        AdapterError: if a run is of a set that is not released, or two are of one task.
    """
    unknown = sorted(set(keys) - {run.key for run in submission.runs})
    if unknown:
        known = ", ".join(run.key for run in submission.runs)
        raise AdapterError(f"The submission has no run {unknown[0]!r}; it has: {known}.")
    asked = [run for run in submission.runs if not keys or run.key in keys]
    for run in asked:
        refuse_own_scenarios(run)
        if keys and run.data.name != OF_THE_CORE_SET:
            raise AdapterError(
                f"Run {run.key!r}: it is on {run.data.name}, and the data set on the hub is the"
                " core set; leave the run out."
            )
    shown = [run for run in asked if run.data.name == OF_THE_CORE_SET]
    if not shown:
        raise AdapterError(
            "No run of the submission is on the core set, to which results on the hub belong."
        )
    _refuse_two_of_one_task(shown)
    return shown


def _refuse_two_of_one_task(runs: Sequence[Run]) -> None:
    """A model has one value for each task; which of two it is, is not ours to choose."""
    times = Counter(map(task_id, runs))
    for name, number in times.items():
        if number > 1:
            keys = ", ".join(run.key for run in runs if task_id(run) == name)
            raise AdapterError(
                f"{number} runs are {name} ({keys}), and a model's page shows one value for each"
                " task: name the runs to show, with --run KEY for each."
            )


def _check_reference(dataset: str, revision: str | None, source: str | None) -> None:
    if not _REPO_ID.fullmatch(dataset):
        raise AdapterError(
            f"{dataset!r} is no data set on the hub; name it as ORGANIZATION/NAME (--dataset)."
        )
    if revision is not None and not _COMMIT.fullmatch(revision):
        raise AdapterError(
            f"{revision!r} is no commit; name the 40 hex digits of the data set's (--revision)."
        )
    if source is not None and not re.fullmatch(r"https?://\S+", source):
        raise AdapterError(f"{source!r} is no address; name one with https:// (--source).")


def _entry(
    run: Run, dataset: str, revision: str | None, source: str | None, more: Sequence[str]
) -> EvalResultEntry:
    return EvalResultEntry(
        dataset_id=dataset,
        task_id=task_id(run),
        value=headline(run).mean,
        dataset_revision=revision,
        date=_began(run),
        source_url=source,
        source_name=SOURCE_NAME if source else None,
        notes="; ".join([_notes(run), *more]),
    )


def _to_know(submission: Submission, run: Run) -> list[str]:
    """What makes the value another one than it looks."""
    found = []
    if submission.outputs == "hashed":
        found.append("outputs are not published, so that nobody can check the verdicts")
    if run.kind == "probe":
        found.append("asked with the prompts of privacy-tasks, not with those of eval.yaml")
    return found


def _began(run: Run) -> str:
    try:
        datetime.fromisoformat(run.began)
    except ValueError as error:
        raise AdapterError(
            f"Run {run.key!r}: {run.began!r} is no time in ISO 8601, which the hub asks for; verify"
            " the submission first."
        ) from error
    return run.began


def _notes(run: Run) -> str:
    """What a reader has to know to compare the value with another."""
    shown = headline(run)
    low, high = shown.figure.lower, shown.figure.upper
    interval = (
        "no interval" if low is None or high is None else f"95 % interval [{low:.4f}, {high:.4f}]"
    )
    judge = f"judge {run.judge.identity}" if run.judge else "answers are read, no judge"
    settings = ", ".join(
        f"{name}={_told(value)}"
        for name, value in sorted(run.settings.items())
        if value not in (None, "")
    )
    return "; ".join(
        [
            f"{shown.metric} (higher is better), {interval}, {run.clusters} clusters",
            judge,
            f"set {run.data.name} {run.data.version} ({run.data.hash})",
            f"{run.harness} {run.harness_version}, privacy-tasks {run.privacy_tasks}",
            f"{run.samples} samples, {run.epochs} epoch{'s' if run.epochs > 1 else ''}",
            *([f"settings: {settings}"] if settings else []),
        ]
    )


def _told(value: Setting) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
