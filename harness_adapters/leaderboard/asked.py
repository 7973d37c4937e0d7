"""What a run asked, made again from the released scenarios and the settings that it names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from inspect_ai.dataset import Sample

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.submission import Harness, Kind, Run, Setting
from privacy_tasks.agentic.samples import episode_cases, replay_cases
from privacy_tasks.errors import PrivacyTasksError
from privacy_tasks.memory.samples import profile_cases, session_cases, shared_cases
from privacy_tasks.norms import AnnotatedItem
from privacy_tasks.probing.samples import probe_cases
from privacy_tasks.task_frame import Cases


class Given(NamedTuple):
    """Data that somebody has on disk: what stands behind `data=NAME:PATH`, and labels."""

    paths: Mapping[str, Path] = {}
    """Name of a set -> its file or folder."""
    labels: Path | None = None

    def data(self, name: str) -> str:
        """A set as tasks name it."""
        bare = name.partition(":")[0]
        return f"{bare}:{self.paths[bare]}" if bare in self.paths else bare


class UnreleasedError(AdapterError):
    """A set that is none of the released ones, or that cannot be had here."""


class Asked:
    """One sample: what the model was shown, and by which norms its output is judged."""

    def __init__(self, sample: Sample, harness: Harness) -> None:
        self.id = str(sample.id)
        # as a log holds it: JSON knows no tuples
        self.metadata: dict[str, Any] = json.loads(json.dumps(sample.metadata or {}))
        self.sample = sample
        self._harness = harness

    @cached_property
    def hash(self) -> str:
        """Of all of it."""
        if self._harness == "lm_eval":
            assert not isinstance(self.sample.input, str)
            shown: Any = [[message.role, message.text] for message in self.sample.input]
        else:
            shown = shown_in_inspect(self.sample.input)
        return asked_hash(shown, self.metadata)

    @cached_property
    def items(self) -> list[AnnotatedItem]:
        """With the norms of the scenario's own recipient; none for a probe."""
        return [AnnotatedItem.from_record(item) for item in self.metadata.get("items", [])]


def shown_in_inspect(given: Any) -> Any:
    """What was shown in a harness that has tool calls, without the ids of messages and calls.

    Args:
        given: the input of a sample, as Inspect has it or as its log does.
    """
    if isinstance(given, str):
        return given
    return [_message(it if isinstance(it, Mapping) else it.model_dump()) for it in given]


def _message(raw: Mapping[str, Any]) -> list[Any]:
    calls = [[call["function"], call["arguments"]] for call in raw.get("tool_calls") or []]
    content = raw["content"]
    if not isinstance(content, str):
        content = [[part.get("type"), part.get("text")] for part in content]
    return [raw["role"], content, raw.get("function"), calls]


def asked_hash(shown: Any, metadata: Mapping[str, Any]) -> str:
    """Hash of what a model was shown and is judged by.

    Args:
        shown: a list of messages, or a text.
        metadata: of the sample: items with norms and reasons, recipients, purpose, cluster.
    """
    whole = json.dumps([shown, metadata], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


class AskedRun(NamedTuple):
    """All that a run asked."""

    cases: Cases
    samples: dict[str, Asked]
    """By id, in the order of the set."""
    kind: Kind

    @property
    def clusters(self) -> int:
        """How many samples are independent."""
        return len({it.metadata["cluster"] for it in self.samples.values()})


def asked_by(
    harness: Harness, task: str, data: str, settings: Mapping[str, Setting], given: Given
) -> AskedRun:
    """What a run of a task asked.

    Args:
        harness: where it was run.
        task: its family: `agentic`, `memory` or `probing`.
        data: name of the set, as the run's identity has it.
        settings: the parameters of the task.
        given: data on disk.

    Raises:
        UnreleasedError: if the set cannot be had.
        AdapterError: if the settings are none of this task.
    """
    if data.endswith(":file") and data.partition(":")[0] not in given.paths:
        name = data.partition(":")[0]
        raise UnreleasedError(
            f"It was run on scenarios of somebody's own ({data}), which are not released. Whoever"
            f" has them can name them: --data {name}:PATH."
        )
    try:
        cases = _cases(harness, task, given.data(data), settings, given)
    except KeyError as error:
        raise AdapterError(f"{task}: its settings lack {error}.") from error
    except PrivacyTasksError as error:
        if not data.startswith("core"):
            raise UnreleasedError(f"{data}: {error}") from error
        raise AdapterError(f"{task}: {error}") from error
    kind: Any = (cases.samples[0].metadata or {})["kind"]
    return AskedRun(cases, {str(it.id): Asked(it, harness) for it in cases.samples}, kind)


def _cases(
    harness: Harness, task: str, data: str, settings: Mapping[str, Setting], given: Given
) -> Cases:
    known: Any = dict(settings)
    labels = None if given.labels is None else str(given.labels)
    if task == "probing":
        return probe_cases(
            data=data,
            level=known["level"],
            cot=known["cot"],
            shots=known["shots"],
            trigger=known["trigger"],
            protocol=known["protocol"],
        )
    if task == "agentic":
        if known["mode"] == "episode":
            return episode_cases(
                data=data,
                prompt=known["prompt"],
                tool_format=known["tool_format"],
                trigger=known["trigger"],
            )
        return replay_cases(
            data=data,
            prompt=known["prompt"],
            tool_format=known["tool_format"],
            force_action=known["force_action"],
            trigger=known["trigger"],
        )
    if task != "memory":
        raise AdapterError(f"{task!r} is no task: agentic, memory and probing are.")
    labels = labels if data.startswith("cimemories:") else None
    if known["mode"] == "profile":
        return profile_cases(
            data=data, prompt=known["prompt"], labels=labels, trigger=known["trigger"]
        )
    if known["mode"] == "sessions":
        memory = known["memory"] or "history"
        return session_cases(
            data=data, prompt=known["prompt"], memory=memory, labels=labels, domains="all"
        )
    return shared_cases(data=data, prompt=known["prompt"], labels=labels, domains="all")


SETTINGS: Mapping[str, frozenset[str]] = {
    "agentic": frozenset(
        ("force_action", "mode", "prompt", "tool_format", "trajectory", "trigger", "turns")
    ),
    "memory": frozenset(("memory", "mode", "prompt", "trigger")),
    "probing": frozenset(("cot", "level", "protocol", "shots", "trigger")),
}
"""What can be set of each family of tasks, in either harness."""


def family_of(run: Run) -> str:
    """Which of the families a run's task is of: `privacy_collapse_agentic_privacylens` is agentic.

    Raises:
        AdapterError: if it is of none.
    """
    bare = run.task.removeprefix("privacy_tasks/").removeprefix("privacy_collapse_")
    family = bare.partition("_")[0]
    expected = "privacy_tasks/" if run.harness == "inspect_ai" else "privacy_collapse_"
    if family not in SETTINGS or not run.task.startswith(expected):
        raise AdapterError(f"{run.task!r} is no task of this project in {run.harness}.")
    return family


def asked_in(run: Run, given: Given) -> AskedRun:
    """What a run of a submission asked; see `asked_by`.

    Raises:
        UnreleasedError: if the set cannot be had.
        AdapterError: if the task is none, or the settings are none of it.
    """
    family = family_of(run)
    for name in sorted(set(run.settings) - SETTINGS[family]):
        raise AdapterError(f"{run.task} has no setting {name!r}.")
    mode = run.settings.get("mode", run.mode)
    if mode != run.mode:
        raise AdapterError(f"{run.task} was run with mode={mode}, and {run.mode} is claimed.")
    return asked_by(run.harness, family, run.data.name, run.settings, given)
