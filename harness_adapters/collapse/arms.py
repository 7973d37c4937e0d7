"""An arm: the logs of one model, or of one recipe with several seeds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from harness_adapters.errors import AdapterError, LogError
from harness_adapters.runs import inspect_samples, lm_eval_samples
from harness_adapters.runs.lm_eval_results import is_results
from harness_adapters.runs.observed import TaskLog

_NAMED_AS_RESULTS = re.compile(r"_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d[\d.]*\.json$")


class ArmLogs(NamedTuple):
    """What was read of one arm."""

    name: str
    logs: tuple[TaskLog, ...]
    notes: tuple[str, ...]
    """What was passed over."""


class Named(NamedTuple):
    """Where the logs of an arm are, and what it is called."""

    name: str | None
    """None: as its model is called."""
    paths: tuple[Path, ...]

    @classmethod
    def parse(cls, given: Sequence[str]) -> Named:
        """`[NAME=]PATH PATH…`: a name is what stands before the first `=`, unless that is a path.

        Raises:
            AdapterError: if the name is empty.
        """
        if not all(given):
            raise AdapterError("A log or folder without a name was given: an empty variable?")
        first, *rest = given
        name, equals, path = first.partition("=")
        if not equals or Path(first).exists():
            return cls(None, tuple(map(Path, given)))
        if not name.strip() or not path:
            raise AdapterError(f"{first!r} should be NAME=PATH, with both.")
        return cls(name.strip(), tuple(map(Path, [path, *rest])))


def read_arm(named: Named) -> ArmLogs:
    """The logs of an arm: files, and all those in folders.

    In a folder, a run that did not end well is passed over if the same folder holds its retry.

    Raises:
        AdapterError: if the arm has logs of several models and no name.
        LogError: if a log cannot be read, or stands for the same run as another.
    """
    logs: list[TaskLog] = []
    notes: list[str] = []
    unfinished: list[tuple[Path, LogError]] = []
    for path in named.paths:
        if not path.exists():
            raise LogError(f"There is no log or folder {path}.")
        files = _logs_in(path, notes) if path.is_dir() else [path]
        if not files:
            raise LogError(f"There are no logs in {path}.")
        for file in files:
            try:
                logs += _read(file)
            except (inspect_samples.UnfinishedError, lm_eval_samples.NotJudgedError) as error:
                if not path.is_dir():
                    raise
                unfinished.append((file, error))
    runs = {log.run for log in logs}
    judged = {lm_eval_samples.rejudged_of(log.file) for log in logs if _is_of_lm_eval(log.file)}
    for file, reason in unfinished:
        if isinstance(reason, lm_eval_samples.NotJudgedError):
            if file.name not in judged:
                raise reason
            notes.append(f"{file.name} was passed over: its replies were judged in another file.")
            continue
        if f"inspect {inspect_samples.task_id_of(file)}" not in runs:
            raise reason
        notes.append(f"{file.name} was passed over: its retry is there.")
    _check_runs(logs)
    return ArmLogs(_name(named, logs), tuple(logs), tuple(notes))


def _logs_in(folder: Path, notes: list[str]) -> list[Path]:
    found = []
    for file in sorted([*folder.rglob("*.eval"), *folder.rglob("*.json")]):
        if file.suffix == ".eval" or _is_of_lm_eval(file) or _is_json_log(file):
            found.append(file)
        elif file.name not in _OF_EVAL_SET:
            notes.append(f"{file.name} was passed over: it is no log.")
    return found


_OF_EVAL_SET = ("eval-set.json", "logs.json", "listing.json")
"""What Inspect writes beside the logs of a set."""


def _is_of_lm_eval(file: Path) -> bool:
    """Whether a file is one of results; by its name a broken one too, which must be told of."""
    return bool(_NAMED_AS_RESULTS.search(file.name)) or is_results(file)


def _is_json_log(file: Path) -> bool:
    """Whether a file begins as Inspect's JSON logs do."""
    try:
        with file.open(encoding="utf-8") as stream:
            begins = "".join(stream.read(200).split())
    except (OSError, UnicodeDecodeError):
        return False
    return begins.startswith('{"version":') and '"status"' in begins


def _read(file: Path) -> list[TaskLog]:
    if _is_of_lm_eval(file):
        return lm_eval_samples.read_tasks(file)
    return [inspect_samples.read_task(file)]


def _check_runs(logs: Sequence[TaskLog]) -> None:
    seen: dict[str, TaskLog] = {}
    for log in logs:
        other = seen.setdefault(log.run, log)
        if other is not log:
            raise LogError(
                f"{log.file.name} and {other.file.name} hold the same run of {log.task}: it would"
                " count twice. Name one of them."
            )


def _name(named: Named, logs: Iterable[TaskLog]) -> str:
    if named.name is not None:
        return named.name
    models = sorted({log.model for log in logs})
    if len({log.model_id for log in logs}) > 1:
        raise AdapterError(
            f"{' '.join(map(str, named.paths))}: logs of several models, or of one with several"
            f" arguments ({', '.join(models)}). If they are seeds of one recipe, give the arm a"
            f" name: NAME={named.paths[0]}; if not, name each with an option of its own."
        )
    return models[0]


def check_names(base: ArmLogs, tuned: Sequence[ArmLogs]) -> None:
    """No two arms may share a name, or a run.

    Raises:
        AdapterError: names the arms.
    """
    arms = [base, *tuned]
    names = [arm.name for arm in arms]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise AdapterError(
            f"Two arms are called {twice!r}. Name them: --base NAME=PATH, --tuned NAME=PATH."
        )
    seen: dict[str, tuple[ArmLogs, TaskLog]] = {}
    for arm in arms:
        for log in arm.logs:
            other, earlier = seen.setdefault(log.run, (arm, log))
            if other is not arm:
                raise AdapterError(
                    f"{log.file.name} is in two arms, {other.name!r} and {arm.name!r}"
                    f" (as {earlier.file.name} in the first)."
                )
