"""The samples of Inspect's logs, of any task.

A log in Inspect's `.eval` format is a zip file of JSON files, one for each sample. They are read
one by one as they are: through Inspect's own reader, which builds every message and event as an
object, ten thousand samples take a minute.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
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
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from harness_adapters.errors import LogError
from harness_adapters.runs.inspect_log import is_ours
from harness_adapters.runs.observed import (
    UNREADABLE,
    About,
    Evidence,
    Observed,
    Place,
    TaskLog,
    disclosed_of,
    flows_of,
    number,
    plain_judge,
    plain_name,
    plain_value,
    types_of,
    withheld_of,
)
from harness_adapters.runs.run import NO_JUDGE

if sys.version_info < (3, 14):
    import zipfile_zstd  # noqa: F401  # lets zipfile read what Inspect writes


class _Raw(TypedDict, total=False):
    """What is used of a sample; the rest, events above all, is passed over without being built."""

    id: Any
    epoch: Any
    input: Any
    choices: Any
    target: Any
    scores: Any
    metadata: Any
    error: Any


class _RawWithReply(_Raw, total=False):
    """The same with what the model said, and what solvers kept."""

    output: Any
    store: Any


class _RawLog(TypedDict):
    samples: list[_Raw]


class _RawLogWithReplies(TypedDict):
    samples: list[_RawWithReply]


_RAW: TypeAdapter[Any] = TypeAdapter(_Raw)
_RAW_LOG: TypeAdapter[Any] = TypeAdapter(_RawLog)
_RAW_WITH_REPLY: TypeAdapter[Any] = TypeAdapter(_RawWithReply)
_RAW_LOG_WITH_REPLIES: TypeAdapter[Any] = TypeAdapter(_RawLogWithReplies)

_LARGEST = 512 * 1024 * 1024
"""Bytes that one sample may have: a log with more is no log of a run."""

_BROKEN = (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
"""What reading a damaged zip file meets."""


def read_task(file: Path) -> TaskLog:
    """A log with what was observed in each of its samples.

    Raises:
        LogError: if the log cannot be read, its run did not end well, or it was not scored.
    """
    log = header(file)
    if log.status != "success":
        raise UnfinishedError(
            f"{file.name}: the run ended with {log.status!r}; finish it, in its folder, with"
            f" inspect eval-retry {file.name}, or leave it out."
        )
    if log.invalidated:
        raise UnfinishedError(
            f"{file.name}: some of its samples were declared invalid; run them again, in its"
            f" folder, with inspect eval-retry {file.name}, or leave it out."
        )
    if log.results is None or not log.results.scores:
        raise LogError(f"{file.name} has no scores: score it with inspect score, or leave it out.")
    ours = [score for score in log.results.scores if is_ours(score.scorer)]
    samples: list[Observed] = []
    judges: set[str] = set()
    to_float = value_to_float()
    for raw in raw_samples(file):
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
    judge = plain_judge(next(iter(judges), None) or str(metadata.get("judge", NO_JUDGE)))
    places = {(it.id, it.epoch): number for number, it in enumerate(samples)}
    return TaskLog(
        file=file,
        run=f"inspect {log.eval.task_id}",
        harness=f"inspect_ai {log.eval.packages.get('inspect_ai', 'unknown')}",
        model=plain_name(log.eval.model),
        arguments=_of_reference(log),
        model_id=_model_id(log),
        task=log.eval.task,
        ours=bool(ours),
        identity=_identity(log, judge) if ours else _identity_of_others(log),
        generation=_generation(log),
        reported=_reported(ours[-1:] or log.results.scores),  # the last scoring counts
        better={},
        samples=samples,
        evidence=partial(_evidence, file, places),
    )


class UnfinishedError(LogError):
    """A log of a run that did not end well."""


def task_id_of(file: Path) -> str:
    """What a run and its retries have in common."""
    return header(file).eval.task_id


def header(file: Path) -> EvalLog:
    """A log without its samples.

    Raises:
        LogError: if it cannot be read.
    """
    if not file.is_file():
        raise LogError(f"There is no log {file}.")
    if file.suffix == ".eval":
        _check_members(file)
    try:
        return read_eval_log(str(file), header_only=True)
    except Exception as error:  # whatever Inspect's reader meets in a broken file
        reason = " ".join(str(error).replace(str(file), file.name).split())[:200]
        raise LogError(
            f"{file.name} cannot be read as an Inspect log: {reason or type(error).__name__}."
            f" {_AGAIN}"
        ) from error


_AGAIN = "Copy it again from where it was made, run it again, or leave it out."


def _damaged(file: Path, what: object) -> LogError:
    return LogError(f"{file.name} is damaged: {what}. {_AGAIN}")


def _check_members(file: Path) -> None:
    """Of a zip file, before any of it is unpacked: nothing is in it twice, or too large."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except _BROKEN as error:
        raise _damaged(file, error) from error
    for name, n in Counter(member.filename for member in members).items():
        if n > 1:
            raise _damaged(file, f"{name} is in it {n} times")
    for member in members:
        if member.file_size > _LARGEST:
            raise _damaged(
                file,
                f"{member.filename} has {member.file_size:,} bytes when unpacked, more than any log"
                " of a run",
            )


def raw_samples(
    file: Path, only: Collection[int] | None = None, *, replies: bool = False
) -> Iterator[Any]:
    """The samples as they stand in the file, one at a time.

    Args:
        file: the log.
        only: places in the file; all unless given.
        replies: whether the model's output and the store are read as well.

    Raises:
        LogError: if the file is damaged.
    """
    if file.suffix != ".eval":
        adapter = _RAW_LOG_WITH_REPLIES if replies else _RAW_LOG
        try:
            samples = adapter.validate_json(file.read_bytes())["samples"]
        except (OSError, ValidationError) as error:
            raise _damaged(file, _first(error)) from error
        for place, raw in enumerate(samples):
            if only is None or place in only:
                yield raw
        return
    one = _RAW_WITH_REPLY if replies else _RAW
    try:
        with zipfile.ZipFile(file) as archive:
            members = [it for it in archive.infolist() if it.filename.startswith("samples/")]
            for place, member in enumerate(members):
                if only is None or place in only:
                    yield _sample(file, archive, member, one)
    except _BROKEN as error:
        raise _damaged(file, error) from error


def _sample(
    file: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, one: TypeAdapter[Any]
) -> Any:
    try:
        return one.validate_json(archive.read(member))
    except ValidationError as error:
        raise _damaged(file, f"{member.filename}: {_first(error)}") from error


def _first(error: Exception) -> str:
    """What is wrong, on one line and without what was given."""
    if not isinstance(error, ValidationError):
        return str(getattr(error, "strerror", error))
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(map(str, fault["loc"]))
    return f"{where}: {fault['msg']}" if where else fault["msg"]


@contextmanager
def _told(file: Path, raw: _Raw) -> Iterator[None]:
    """Says in which sample something is not as it should be."""
    try:
        yield
    except UNREADABLE as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise LogError(
            f"{file.name}, sample {str(raw.get('id'))[:80]}: {what}. It is not as these tasks write"
            " it: run it again, or leave it out."
        ) from error


def _of_ours(raw: _Raw) -> tuple[Observed, str | None]:
    about = raw["metadata"]
    score = last_of_ours(raw)
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


def last_of_ours(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sample's last verdict."""
    scores = raw.get("scores") or {}
    names = [name for name in scores if is_ours(name)]
    return scores[names[-1]] if names else None


def _of_others(raw: _Raw, to_float: Any) -> Observed:
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


def _without_ids(asked: str, raw: _Raw) -> str:
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
    return {**known, "judge": judge, **settings, **_asked_otherwise(log, judged=True)}


def _identity_of_others(log: EvalLog) -> dict[str, str]:
    given = {
        f"-T {name}": plain_value(it)
        for name, it in sorted((log.eval.task_args or {}).items())
        if not _SECRET.search(name)
    }
    return {
        "version": str(log.eval.task_version),
        **given,
        **_asked_otherwise(log, judged=False),
    }


def _asked_otherwise(log: EvalLog, *, judged: bool) -> dict[str, str]:
    """What else makes two runs of a task two different questions: system prompt, roles, solver.

    Args:
        log: the log.
        judged: whether the identity of a judge stands for the graders already.
    """
    found = {}
    message = log.plan.config.system_message or log.eval.model_generate_config.system_message
    if message:
        found["system message"] = f"#{_hash(message)}"
    for role, model in sorted((log.eval.model_roles or {}).items()):
        if not (judged and role.startswith("grader")):
            found[f"--model-role {role}"] = plain_name(str(getattr(model, "model", model)))
    if log.eval.solver is not None:
        given = json.dumps(log.eval.solver_args or {}, sort_keys=True, default=str)
        found["--solver"] = f"{log.eval.solver} #{_hash(given)}"
    return found


def _of_reference(log: EvalLog) -> str:
    """What a reference model was told, which makes it another one; of others it may be a secret."""
    given = log.eval.model_args if log.eval.model.startswith("reference/") else {}
    return " ".join(f"{name}={value}" for name, value in (given or {}).items())


def _model_id(log: EvalLog) -> str:
    given = log.eval.model_args or {}
    told = {name: given[name] for name in _OF_THE_MODEL if name in given}
    whole = [log.eval.model, log.eval.model_base_url, told]
    return _hash(json.dumps(whole, sort_keys=True, default=str))


_LIMITS = ("message_limit", "token_limit", "time_limit", "working_limit")
_OF_THE_MODEL = ("model_path", "model_name", "base_url", "seed", "leak", "share", "store")
"""Arguments that say which model it is; the last three are those of the reference models."""
_NO_MATTER = (*_OF_THE_MODEL, "tokenizer_path", "device")


_SECRET = re.compile(r"key|secret|password|credential|(?<!max_)token$", re.IGNORECASE)
"""Names of arguments that may be nobody's business."""

_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "stop_seqs",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "reasoning_tokens",
    "extra_body",
)


def _generation(log: EvalLog) -> dict[str, str]:
    found = {}
    for config in (log.plan.config, log.eval.model_generate_config):
        for name in _SAMPLING:
            value = getattr(config, name, None)
            if value is not None:
                found[name] = plain_value(value)
    for name in _LIMITS:
        limit = getattr(log.eval.config, name, None)
        if limit is not None:
            found[name] = str(limit)
    if not log.eval.model.startswith("reference/"):
        for name, value in sorted((log.eval.model_args or {}).items()):
            if name not in _NO_MATTER and not _SECRET.search(name):
                found[f"-M {name}"] = plain_value(value)
    return found


def _reported(scores: list[EvalScore]) -> dict[str, float]:
    found: dict[str, float] = {}
    for score in scores:
        for name, metric in score.metrics.items():
            found.setdefault(name, float(metric.value))
    return found


def _evidence(
    file: Path, places: Mapping[Place, int], wanted: Collection[Place]
) -> dict[Place, Evidence]:
    found: dict[Place, Evidence] = {}
    for raw in raw_samples(file, {places[place] for place in wanted}):
        with _told(file, raw):
            place = (str(raw["id"]), int(raw["epoch"]))
            about = raw["metadata"]
            score = last_of_ours(raw) or {}
            told = score.get("metadata") or {}
            found[place] = Evidence(
                text=str(score.get("answer") or ""),
                unscored=told.get("unscored"),
                recipient=str(about["recipient"]),
                purpose=str(about["purpose"]),
                disclosed=disclosed_of(about, told),
            )
    return found
