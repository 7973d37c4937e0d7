"""A run of Inspect, as it is submitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from inspect_ai.log import EvalLog
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score
from inspect_ai.util import Store

from harness_adapters.errors import LogError
from harness_adapters.leaderboard.asked import (
    Asked,
    AskedRun,
    Given,
    asked_by,
    asked_hash,
    shown_in_inspect,
)
from harness_adapters.leaderboard.record import Flow, Record, Reply
from harness_adapters.leaderboard.rereading import OF_THE_JUDGE, REREAD, flow_of, reply_of, reread
from harness_adapters.leaderboard.submission import Setting, TargetUsage
from harness_adapters.leaderboard.submitting.draft import Draft, record_of, utc
from harness_adapters.runs.inspect_samples import header, last_of_ours, raw_samples
from harness_adapters.runs.observed import UNREADABLE, TaskLog, number, plain_judge, plain_value
from privacy_tasks.sent import by_recipient, recorded_flows

_NOT_SETTINGS = ("judge", "data", "labels", "domains", "user")
"""Parameters that are said elsewhere: the judge, the data. All domains are submitted, or none."""


def draft_of(log: TaskLog, given: Given) -> Draft:
    """A run of one of this project's tasks.

    Raises:
        LogError: if it is no whole run of a task.
    """
    whole = header(log.file)
    arguments = dict(whole.eval.task_args or {})
    _refuse_parts(log, whole, arguments)
    settings: dict[str, Setting] = {
        name: _setting(log, name, value)
        for name, value in sorted(arguments.items())
        if name not in _NOT_SETTINGS
    }
    family = log.task.partition("/")[2] or log.task
    asked = asked_by("inspect_ai", family, log.identity["set"], settings, given)
    epochs = whole.eval.config.epochs or 1
    return Draft(
        log=log,
        harness="inspect_ai",
        family=family,
        settings=settings,
        conditions=_conditions(log),
        epochs=epochs,
        began=utc(whole.stats.started_at or whole.eval.created),
        privacy_tasks=str(
            whole.eval.packages.get("privacy-tasks")
            or whole.eval.packages.get("privacy_tasks")
            or "unknown"
        ),
        asked=asked,
        target_usage=_usage(whole),
        generation=_seed(whole),
        records=partial(_records, log, asked),
        secrets=_of_the_submitter(whole),
    )


def _seed(whole: EvalLog) -> dict[str, str]:
    """The seed of sampling, by which two arms of a comparison may differ."""
    for config in (whole.eval.model_generate_config, whole.plan.config):
        if config.seed is not None:
            return {"seed": str(config.seed)}
    return {}


def _refuse_parts(log: TaskLog, whole: EvalLog, arguments: Mapping[str, Any]) -> None:
    if arguments.get("domains", "all") != "all":
        raise LogError(
            f"{log.file.name} was run on some domains: a submission is of the whole set. Run it"
            " without -T domains."
        )
    if whole.eval.task_registry_name and not log.task.startswith("privacy_tasks/"):
        raise LogError(f"{log.file.name}: {log.task} is no task that is submitted.")


def _setting(log: TaskLog, name: str, value: Any) -> Setting:
    if value is None or isinstance(value, str | bool | int):
        return value
    raise LogError(f"{log.file.name}: -T {name}={value!r:.80} is no setting of this task.")


_SAID_ELSEWHERE = ("set", "set_version", "set_hash", "mode", "prompt_hash", "judge")


def _conditions(log: TaskLog) -> dict[str, str]:
    return {
        name: plain_value(value)
        for name, value in log.identity.items()
        if name not in _SAID_ELSEWHERE and not name.startswith("-T ")
    }


def _usage(whole: EvalLog) -> TargetUsage | None:
    used = whole.stats.model_usage.get(whole.eval.model)
    if used is None:
        return None
    graders = [
        str(getattr(model, "model", model)) for model in (whole.eval.model_roles or {}).values()
    ]
    return TargetUsage(
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        dollars=used.total_cost,
        shared=whole.eval.model in graders,
    )


def _of_the_submitter(whole: EvalLog) -> tuple[str, ...]:
    """Addresses and remotes in a log, which are nobody's business."""
    told = [getattr(whole.eval.revision, "origin", None), whole.eval.model_base_url]
    told += [getattr(it, "base_url", None) for it in (whole.eval.model_roles or {}).values()]
    return tuple(str(it) for it in told if it)


def _records(log: TaskLog, asked: AskedRun, run: str) -> Iterator[Record]:
    for raw in raw_samples(log.file, replies=True):
        id_ = str(raw.get("id"))
        where = f"{log.file.name}, sample {id_[:80]}"
        if id_ not in asked.samples:
            raise LogError(f"{where}: the released set has no such sample.")
        try:
            yield _record(raw, asked.samples[id_], run)
        except UNREADABLE as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise LogError(f"{where}: {' '.join(what.split())[:300]}.") from error


def _record(raw: Mapping[str, Any], asked: Asked, run: str) -> Record:
    kept = last_of_ours(raw)
    if kept is None:
        raise ValueError("it was not scored; score it with inspect score")
    told = dict(kept.get("metadata") or {})
    if "judge" in told:
        told["judge"] = plain_judge(str(told["judge"]))
    values = {name: number(value) for name, value in kept["value"].items()}
    score = Score(value=values, answer=kept.get("answer"), metadata=told)
    # a sample that ended with an error is scored by what had come until then, if anything had
    output = ModelOutput.model_validate(raw["output"])
    reply = reply_of(output) if asked.metadata["kind"] in REREAD else None
    return record_of(
        run,
        asked,
        int(raw["epoch"]),
        asked_hash(shown_in_inspect(raw["input"]), raw["metadata"]),
        reply,
        _flows(raw, asked, reply, told),
        score,
    )


def _flows(
    raw: Mapping[str, Any], asked: Asked, reply: Reply | None, told: Mapping[str, Any]
) -> tuple[Flow, ...]:
    """What was judged."""
    if "no_action" in told or ("unscored" in told and not _went_out(str(told["unscored"]))):
        return ()
    if asked.metadata["kind"] in REREAD:
        return () if reply is None else reread(reply, asked).flows
    sent = by_recipient(recorded_flows(Store(dict(raw.get("store") or {}))))
    return tuple(map(flow_of, sent))


def _went_out(reason: str) -> bool:
    return reason in OF_THE_JUDGE or reason == "norm_unknown"
