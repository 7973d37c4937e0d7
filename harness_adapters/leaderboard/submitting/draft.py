"""What both harnesses' readers give: a run with its records, before figures are made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from inspect_ai.scorer import Score

from harness_adapters.errors import LogError
from harness_adapters.leaderboard.asked import Asked, AskedRun
from harness_adapters.leaderboard.record import (
    Asking,
    Flow,
    ItemSaid,
    MemberItem,
    MemberSaid,
    Record,
    Reply,
)
from harness_adapters.leaderboard.rereading import OF_THE_JUDGE, REREAD, came_of, reread
from harness_adapters.leaderboard.submission import Harness, Setting, TargetUsage
from harness_adapters.runs.observed import TaskLog

NO_SEAL = "0" * 64


class Draft(NamedTuple):
    """A run, as far as its log says it."""

    log: TaskLog
    harness: Harness
    family: str
    """`agentic`, `memory` or `probing`."""
    settings: Mapping[str, Setting]
    conditions: Mapping[str, str]
    epochs: int
    began: str
    privacy_tasks: str
    asked: AskedRun
    target_usage: TargetUsage | None
    generation: Mapping[str, str]
    """Settings of sampling besides those of the log."""
    records: Callable[[str], Iterator[Record]]
    """The records under a run's key, without seals."""
    secrets: tuple[str, ...]
    """What the log knows of whoever ran it and must not be seen: addresses, remotes."""


def record_of(
    run: str,
    asked: Asked,
    epoch: int,
    shown: str,
    reply: Reply | None,
    flows: tuple[Flow, ...],
    score: Score,
) -> Record:
    """The record of a sample in one epoch.

    Args:
        run: key of its run.
        asked: the sample, as the released set has it.
        epoch: from 1.
        shown: hash of what the log says was shown.
        reply: where what went out follows from it.
        flows: what went out, as it was judged.
        score: its last score.

    Raises:
        ValueError: if the score is none of these tasks', or of another output.
    """
    told: Mapping[str, Any] = score.metadata or {}
    reason = told.get("unscored")
    judged = "verdicts" in told and "no_action" not in told
    if judged and score.answer != "\n\n".join(str(flow.text) for flow in flows):
        raise ValueError(
            f"epoch {epoch}: what was judged is not what its reply or log says went out"
        )
    values: Any = score.value
    helpfulness = told.get("helpfulness")
    if "no_action" in told:
        helpfulness = 0 if values["helpful_rate"] == 0 else None
    probe = asked.metadata["kind"] == "probe"
    answered = probe and reason is None
    return Record(
        run=run,
        id=asked.id,
        epoch=epoch,
        asked=shown,
        reply=reply,
        flows=flows if judged or reason in OF_THE_JUDGE else (),
        no_action=told.get("no_action"),
        unscored=reason,
        judge=None if probe else told["judge"],
        helpfulness=helpfulness,
        verdicts=tuple(ItemSaid.model_validate(it) for it in told.get("verdicts", ())),
        members=tuple(_member(it) for it in told.get("members", ())),
        over_collected=_names(told, "over_collected", asked, "episode"),
        stored=_names(told, "stored", asked, "sessions"),
        answer=(told["answer"] or "invalid") if answered else None,
        cost=_cost(told.get("usage")),
        seal=NO_SEAL,
    )


def _names(told: Mapping[str, Any], key: str, asked: Asked, kind: str) -> tuple[str, ...] | None:
    if asked.metadata["kind"] != kind or key not in told:
        return None
    return tuple(told[key])


def _member(told: Mapping[str, Any]) -> MemberSaid:
    return MemberSaid(
        judge=told["judge"],
        unscored=told.get("unscored"),
        helpfulness=told.get("helpfulness"),
        verdicts=tuple(MemberItem.model_validate(it) for it in told.get("verdicts", ())),
    )


def _cost(usage: Mapping[str, Any] | None) -> Asking | None:
    if usage is None:
        return None
    kept = {name: usage[name] for name in Asking.model_fields if name in usage}
    return Asking.model_validate(kept)


def checked_reply(record: Record, asked: Asked, where: str) -> Record:
    """The record, if what its score says came is what its reply says.

    Raises:
        LogError: if not: the log was changed, or was made by another version.
    """
    if asked.metadata["kind"] not in REREAD or record.reply is None:
        return record
    came = reread(record.reply, asked)
    said = came_of(record)
    if said.unscored in OF_THE_JUDGE:
        said = said._replace(unscored=None, flows=record.flows)
    if came != said:
        raise LogError(
            f"{where}, {record.id}, epoch {record.epoch}: what its score says went out is not what"
            " its reply says. The log was changed, or was scored by another version: score it"
            " again, or run it again."
        )
    return record


def utc(stamp: str | float) -> str:
    """A moment in UTC, to the second."""
    moment = (
        datetime.fromisoformat(stamp)
        if isinstance(stamp, str)
        else datetime.fromtimestamp(stamp, UTC)
    )
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def run_id(log: TaskLog) -> str:
    """Hash of what the harness calls the run."""
    return hashlib.sha256(f"{log.harness.split()[0]} {log.run}".encode()).hexdigest()[:12]
