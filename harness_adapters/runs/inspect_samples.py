"""The samples of Inspect's logs, of any task.

A log in Inspect's `.eval` format is a zip file of JSON files, one for each sample. They are read
one by one as they are: through Inspect's own reader, which builds every message and event as an
object, ten thousand samples take a minute.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog, EvalScore, read_eval_log
from inspect_ai.scorer import value_to_float

from harness_adapters.errors import LogError
from harness_adapters.runs.inspect_log import is_ours
from harness_adapters.runs.observed import (
    About,
    Evidence,
    Observed,
    Place,
    TaskLog,
    disclosed_of,
    flows_of,
    number,
    plain_name,
    types_of,
    withheld_of,
)
from harness_adapters.runs.run import NO_JUDGE

if sys.version_info < (3, 14):
    import zipfile_zstd  # noqa: F401  # lets zipfile read what Inspect writes

_LARGEST = 512 * 1024 * 1024
"""Bytes that one sample may have: a log with more is no log of a run."""

_BROKEN = (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)


def read_task(file: Path) -> TaskLog:
    """A log with what was observed in each of its samples.

    Raises:
        LogError: if the log cannot be read, its run did not end well, or it was not scored.
    """
    log = _header(file)
    if log.status != "success":
        raise UnfinishedError(
            f"{file.name}: the run ended with {log.status!r}; finish it with inspect eval-retry"
            f" {file.name}, or leave it out."
        )
    if log.results is None or not log.results.scores:
        raise LogError(f"{file.name} has no scores: score it with inspect score, or leave it out.")
    ours = [score for score in log.results.scores if is_ours(score.scorer)]
    samples = []
    judges: set[str] = set()
    to_float = value_to_float()
    for raw in _samples(file):
        with _told(file, raw):
            if ours:
                observed, judge = _of_ours(raw)
                if judge is not None:
                    judges.add(judge)
            else:
                observed = _of_others(raw, to_float)
        samples.append(observed)
    _check(file, log, samples)
    if len(judges) > 1:
        raise LogError(
            f"{file.name}: its samples were judged by several judges: {', '.join(sorted(judges))}."
            " Judge them all again with one: inspect score … --action append --overwrite"
        )
    metadata = log.eval.metadata or {}
    judge = next(iter(judges), None) or str(metadata.get("judge", NO_JUDGE))
    return TaskLog(
        file=file,
        run=f"inspect {log.eval.task_id}",
        harness=f"inspect_ai {log.eval.packages.get('inspect_ai', 'unknown')}",
        model=plain_name(log.eval.model),
        task=log.eval.task,
        ours=bool(ours),
        identity=_identity(log, judge) if ours else _identity_of_others(log),
        generation=_generation(log),
        reported=_reported(ours or log.results.scores),
        better={},
        samples=samples,
        evidence=partial(_evidence, file),
    )


class UnfinishedError(LogError):
    """A log of a run that did not end well."""


def task_id_of(file: Path) -> str:
    """What a run and its retries have in common."""
    return _header(file).eval.task_id


def _header(file: Path) -> EvalLog:
    if not file.is_file():
        raise LogError(f"There is no log {file}.")
    try:
        return read_eval_log(str(file), header_only=True)
    except Exception as error:  # whatever Inspect's reader meets in a broken file
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise LogError(f"{file.name} cannot be read as an Inspect log: {reason}") from error


def _samples(file: Path) -> Iterator[dict[str, Any]]:
    """The samples as they stand in the file, one at a time."""
    if file.suffix != ".eval":
        log = read_eval_log(str(file))
        for sample in log.samples or []:
            yield sample.model_dump()
        return
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if member.filename.startswith("samples/"):
                    yield _sample(file, archive, member)
    except _BROKEN as error:
        raise LogError(f"{file.name} is damaged: {error}") from error


def _sample(file: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> dict[str, Any]:
    if member.file_size > _LARGEST:
        raise LogError(
            f"{file.name}, {member.filename}: unpacked it has {member.file_size:,} bytes, which no"
            " sample has."
        )
    try:
        raw = json.loads(archive.read(member))
    except (ValueError, RecursionError) as error:
        raise LogError(f"{file.name}, {member.filename}, is no JSON: {error}") from error
    if not isinstance(raw, dict):
        raise LogError(f"{file.name}, {member.filename}, is no sample.")
    return raw


@contextmanager
def _told(file: Path, raw: Mapping[str, Any]) -> Iterator[None]:
    """Says in which sample something is not as it should be."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise LogError(f"{file.name}, sample {str(raw.get('id'))[:80]}: {what}.") from error


def _of_ours(raw: Mapping[str, Any]) -> tuple[Observed, str | None]:
    about = raw["metadata"]
    score = _last_of_ours(raw)
    told = (score or {}).get("metadata") or {}
    values = {} if score is None else {key: number(it) for key, it in score["value"].items()}
    unscored = "not_scored" if score is None else told.get("unscored")
    if any(not -1 <= value <= 1 for value in values.values() if not math.isnan(value)):
        raise ValueError("a value lies outside [-1, 1]")
    observed = Observed(
        id=str(raw["id"]),
        epoch=int(raw["epoch"]),
        content="",
        values=values,
        unscored=None if unscored is None else str(unscored),
        about=About(
            cluster=str(about["cluster"]),
            domain=str(about["domain"]),
            channel=str(about.get("channel", "")),
            right=about.get("right"),
        ),
        types=types_of(about, told) if score is not None else {},
        withheld=withheld_of(about),
        flows=flows_of(told),
    )
    return observed, told.get("judge")


def _last_of_ours(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sample's last verdict."""
    scores = raw.get("scores") or {}
    names = [name for name in scores if is_ours(name)]
    return scores[names[-1]] if names else None


def _of_others(raw: Mapping[str, Any], to_float: Any) -> Observed:
    values: dict[str, float] = {}
    for scorer, score in (raw.get("scores") or {}).items():
        value = score["value"]
        if isinstance(value, Mapping):
            for key, part in value.items():
                if isinstance(part, bool | int | float | str) or part is None:
                    values[f"{scorer}.{key}"] = _float(part, to_float)
        elif isinstance(value, bool | int | float | str) or value is None:
            values[scorer] = _float(value, to_float)
    asked = json.dumps([raw.get("input"), raw.get("choices"), raw.get("target")], sort_keys=True)
    return Observed(
        id=str(raw["id"]),
        epoch=int(raw["epoch"]),
        content=_hash(_without_ids(asked, raw)),
        values=values,
        unscored="error" if raw.get("error") else None if values else "not_scored",
        about=None,
        types={},
        withheld=0,
        flows=0,
    )


def _float(value: Any, to_float: Any) -> float:
    """As Inspect itself reads a score: C is 1, I is 0, P a half; NaN for what is no number."""
    if isinstance(value, str) and not _is_grade(value):
        return math.nan
    return number(to_float(value)) if isinstance(value, str) else number(value)


def _is_grade(value: str) -> bool:
    if value in ("C", "I", "P", "N") or value.lower() in ("yes", "no", "true", "false"):
        return True
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _without_ids(asked: str, raw: Mapping[str, Any]) -> str:
    """What was asked, without the ids that Inspect gives to messages anew in every run."""
    given = raw.get("input")
    if not isinstance(given, list):
        return asked
    said = [[it.get("role"), it.get("content")] for it in given if isinstance(it, Mapping)]
    return json.dumps([said, raw.get("choices"), raw.get("target")], sort_keys=True)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _check(file: Path, log: EvalLog, samples: list[Observed]) -> None:
    """All samples are there, and each once."""
    twice = [place for place, n in Counter((it.id, it.epoch) for it in samples).items() if n > 1]
    if twice:
        (id_, epoch), more = twice[0], len(twice) - 1
        raise LogError(
            f"{file.name} holds sample {id_}, epoch {epoch}, more than once"
            + (f" (and {more} others)." if more else ".")
        )
    assert log.results is not None
    if len(samples) != log.results.total_samples:
        raise LogError(
            f"{file.name} says that it has {log.results.total_samples} samples, and holds"
            f" {len(samples)}: it is not whole."
        )


_NOT_COMPARED = ("judge", "data", "labels", "domains")
"""Parameters that are compared by what they lead to: the judge's identity, the data's hash, the
scenarios that are there. Data and labels may be paths."""


def _identity(log: EvalLog, judge: str) -> dict[str, str]:
    metadata = log.eval.metadata or {}
    known = {
        name: str(metadata.get(name, "unknown"))
        for name in ("mode", "set", "set_version", "set_hash", "prompt_hash")
    }
    settings = {
        f"-T {name}": str(it)
        for name, it in sorted((log.eval.task_args or {}).items())
        if name not in _NOT_COMPARED
    }
    return {**known, "judge": judge, **settings}


def _identity_of_others(log: EvalLog) -> dict[str, str]:
    given = {f"-T {name}": str(it) for name, it in sorted((log.eval.task_args or {}).items())}
    return {"version": str(log.eval.task_version), **given}


_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "stop_seqs",
    "frequency_penalty",
    "presence_penalty",
    "system_message",
    "reasoning_effort",
    "reasoning_tokens",
)


def _generation(log: EvalLog) -> dict[str, str]:
    found = {}
    for config in (log.plan.config, log.eval.model_generate_config):
        for name in _SAMPLING:
            value = getattr(config, name, None)
            if value is not None:
                found[name] = str(value)
    return found


def _reported(scores: list[EvalScore]) -> dict[str, float]:
    found: dict[str, float] = {}
    for score in scores:
        for name, metric in score.metrics.items():
            found.setdefault(name, float(metric.value))
    return found


def _evidence(file: Path, wanted: Collection[Place]) -> dict[Place, Evidence]:
    found: dict[Place, Evidence] = {}
    for raw in _samples(file):
        place = (str(raw["id"]), int(raw["epoch"]))
        if place not in wanted:
            continue
        with _told(file, raw):
            about = raw["metadata"]
            score = _last_of_ours(raw) or {}
            told = score.get("metadata") or {}
            found[place] = Evidence(
                text=str(score.get("answer") or ""),
                unscored=told.get("unscored"),
                recipient=str(about["recipient"]),
                purpose=str(about["purpose"]),
                disclosed=disclosed_of(about, told),
            )
    return found
