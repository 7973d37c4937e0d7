"""The scenarios in which an arm leaked, with what was sent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness_adapters.collapse.comparison import (
    Change,
    ItemLeak,
    LeakCase,
    LeakedItem,
    Output,
)
from harness_adapters.runs.observed import Disclosed, Evidence, Observed, Place, TaskLog

ROOM = 1_800_000
"""Characters of evidence that are kept: what a page can hold that is still opened on a phone."""
_FRAME = 350
"""Characters that an item takes besides its own."""
_LONGEST = 4_000
"""Characters of an output that are shown."""


class Seen(NamedTuple):
    """The runs of one task in every arm; the base arm first."""

    label: str
    arms: tuple[tuple[str, tuple[TaskLog, ...]], ...]


def leak_cases(tasks: Sequence[Seen], *, room: int = ROOM) -> tuple[list[LeakCase], int]:
    """The scenarios with a leak in any arm, and how many there are in all.

    Those in which a tuned arm leaks and the base arm does not come first, then the others, in the
    order of their ids. Where there is no room for all, each task has as much of it as the others.

    Args:
        tasks: the runs of each task.
        room: characters of evidence that are kept.
    """
    found: list[list[tuple[str, dict[str, Change]]]] = []
    for task in tasks:
        found.append(_changes(task))
    cases: list[LeakCase] = []
    left = len(tasks)
    for task, changed in sorted(zip(tasks, found, strict=True), key=lambda it: len(it[1])):
        share = room // left
        for case in _cases(task, changed):
            share -= _size(case)
            if share < 0:
                break
            room -= _size(case)
            cases.append(case)
        left -= 1
    return cases, sum(map(len, found))


def _size(case: LeakCase) -> int:
    outputs = sum(len(output.text) for output in case.outputs)
    return outputs + sum(
        len(item.statement)
        + len(item.why_not)
        + sum(len(leak.quote or "") for leak in item.leaks)
        + _FRAME
        for item in case.items
    )


def _leaks(sample: Observed) -> bool:
    return sample.values.get("leak_rate", math.nan) == 1.0


def _changes(task: Seen) -> list[tuple[str, dict[str, Change]]]:
    """Scenarios with a leak -> what changed in each tuned arm."""
    (_, base), *tuned = task.arms
    in_base = {it.id for log in base for it in log.samples if _leaks(it)}
    changes: dict[str, dict[str, Change]] = {id_: {} for id_ in in_base}
    for name, logs in tuned:
        mine = {it.id for log in logs for it in log.samples if _leaks(it)}
        for id_ in mine | in_base:
            changes.setdefault(id_, {})[name] = (
                "both" if id_ in mine and id_ in in_base else "new" if id_ in mine else "gone"
            )
    order = ("new", "both", "gone")
    return sorted(
        changes.items(), key=lambda it: (min(map(order.index, it[1].values()), default=3), it[0])
    )


def _cases(task: Seen, changed: Sequence[tuple[str, dict[str, Change]]]) -> Iterator[LeakCase]:
    ids = {id_ for id_, _ in changed}
    about: dict[str, Observed] = {}
    of_arms: list[tuple[str, dict[str, list[tuple[str, Observed, Evidence]]]]] = []
    for name, logs in task.arms:
        mine: dict[str, list[tuple[str, Observed, Evidence]]] = {}
        for number, log in enumerate(logs, start=1):
            wanted: set[Place] = {(it.id, it.epoch) for it in log.samples if it.id in ids}
            evidence = log.evidence(wanted)
            for sample in log.samples:
                if (sample.id, sample.epoch) in evidence:
                    about.setdefault(sample.id, sample)
                    run = f"run {number}, epoch {sample.epoch}"
                    mine.setdefault(sample.id, []).append(
                        (run, sample, evidence[sample.id, sample.epoch])
                    )
        of_arms.append((name, mine))
    for id_, changes in changed:
        yield _case(task.label, id_, about[id_], changes, of_arms)


def _case(
    label: str,
    id_: str,
    sample: Observed,
    changes: dict[str, Change],
    of_arms: Sequence[tuple[str, dict[str, list[tuple[str, Observed, Evidence]]]]],
) -> LeakCase:
    items: dict[tuple[str, str], tuple[Disclosed, dict[str, tuple[int, str | None]]]] = {}
    judged: dict[str, int] = {}
    outputs = []
    for name, samples in of_arms:
        mine = samples.get(id_, [])
        judged[name] = sum(it.unscored is None for _, it, _ in mine)
        shown = next((it for it in mine if _leaks(it[1])), mine[0] if mine else None)
        if shown is not None:
            outputs.append(_output(name, shown, len(mine)))
        for one in ([shown] if shown else []) + [it for it in mine if it is not shown]:
            for leak in one[2].disclosed:
                _, counts = items.setdefault((leak.item, leak.recipient), (leak, {}))
                times, quote = counts.get(name, (0, leak.quote))
                counts[name] = (times + 1, quote)
    evidence = next(it for _, samples in of_arms for _, _, it in samples.get(id_, []))
    assert sample.about is not None
    return LeakCase(
        task=label,
        scenario=id_,
        domain=sample.about.domain,
        channel=sample.about.channel,
        recipient=evidence.recipient,
        purpose=evidence.purpose,
        changes=changes,
        outputs=tuple(outputs),
        items=tuple(
            LeakedItem(
                statement=leak.statement,
                type=leak.type,
                why_not=leak.why_not,
                recipient=leak.recipient,
                leaks=tuple(
                    ItemLeak(
                        arm=name,
                        leaked=counts.get(name, (0, None))[0],
                        judged=judged[name],
                        quote=counts.get(name, (0, None))[1],
                    )
                    for name, _ in of_arms
                ),
            )
            for leak, counts in items.values()
        ),
    )


def _output(arm: str, shown: tuple[str, Observed, Evidence], of: int) -> Output:
    run, _, evidence = shown
    return Output(
        arm=arm,
        run=run if of > 1 else "",
        text=evidence.text[:_LONGEST],
        left_out=max(0, len(evidence.text) - _LONGEST),
        unscored=evidence.unscored,
    )
