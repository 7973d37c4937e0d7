"""Which runs may be compared: the same task, on the same data, with the same prompt and judge."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness_adapters.collapse.arms import ArmLogs
from harness_adapters.collapse.paired import Array, Values
from harness_adapters.errors import AdapterError
from harness_adapters.runs.observed import Observed, TaskLog


class UnpairedError(AdapterError):
    """Arms that do not go together."""


class Match(NamedTuple):
    """The runs of one task in both arms."""

    task: str
    identity: dict[str, str]
    base: tuple[TaskLog, ...]
    tuned: tuple[TaskLog, ...]
    warnings: tuple[str, ...]
    comparable: bool
    """False where judge, prompt or data differ, and it was allowed."""


class Grid(NamedTuple):
    """The samples of both arms, scenario by scenario."""

    ids: tuple[str, ...]
    """Scenarios of either arm, sorted."""
    first: tuple[Observed, ...]
    """A sample of each."""
    base: tuple[dict[str, list[Observed]], ...]
    """For each run of the base arm: id -> its epochs."""
    tuned: tuple[dict[str, list[Observed]], ...]
    unpaired_base: int
    """Scenarios that the tuned arm does not have."""
    unpaired_tuned: int
    whole: bool
    """Whether every run has every scenario."""

    @property
    def clusters(self) -> NDArray[np.int64]:
        """The cluster of each scenario; a scenario of other tasks is one by itself."""
        names = [it.about.cluster if it.about else it.id for it in self.first]
        return np.unique(names, return_inverse=True)[1].astype(np.int64)

    def values(
        self, value: Callable[[Observed], float], arm: Sequence[dict[str, list[Observed]]]
    ) -> Values:
        """A value of every scenario in each run of an arm: the mean over epochs that have one."""
        rows: Array = np.full((len(arm), len(self.ids)), np.nan)
        for row, run in zip(rows, arm, strict=True):
            for place, id_ in enumerate(self.ids):
                known = [it for sample in run.get(id_, ()) if not math.isnan(it := value(sample))]
                if known:
                    row[place] = math.fsum(known) / len(known)
        return Values(rows)


def matches(
    base: ArmLogs, tuned: ArmLogs, *, allow_unpaired: bool
) -> tuple[list[Match], list[str]]:
    """The tasks of this project that both arms ran, and notes on what was left out.

    Raises:
        UnpairedError: names every task that does not go together, and why, unless it is allowed.
    """
    ours = [_groups(log for log in arm.logs if log.ours) for arm in (base, tuned)]
    if not ours[0] or not ours[1]:
        lacking = base if not ours[0] else tuned
        raise UnpairedError(f"The arm {lacking.name!r} has no log of a task of privacy_tasks.")
    _check_harnesses(base, tuned)
    found = []
    for key in [key for key in ours[0] if key in ours[1]]:
        found.append(_match(ours[0].pop(key), ours[1].pop(key), base.name, tuned.name))
    faults, notes = [], []
    for one in list(ours[0].values()):
        nearest = _nearest(one[0], ours[1].values())
        if nearest is None:
            faults.append(_lonely(one[0], base.name, tuned.name))
            notes.append(_lonely(one[0], base.name, tuned.name))
            continue
        del ours[1][_key(nearest[0])]
        differing = _differing(one[0], nearest[0])
        what = _named(one[0], base.name, nearest[0], tuned.name, differing)
        faults.append(what)
        match = _match(one, nearest, base.name, tuned.name)
        found.append(match._replace(comparable=False, warnings=(what, *match.warnings)))
    for other in ours[1].values():
        faults.append(_lonely(other[0], tuned.name, base.name))
        notes.append(_lonely(other[0], tuned.name, base.name))
    if faults and not allow_unpaired:
        raise UnpairedError(
            "The arms cannot be compared:\n"
            + "\n".join(f"- {fault}" for fault in faults)
            + "\nRun both arms alike; or, if you know what it means, pass --allow-unpaired."
        )
    return found, [f"Left out: {note}" for note in notes]


def one_task(name: str, base: ArmLogs, tuned: ArmLogs, *, allow_unpaired: bool) -> Match:
    """The runs of a task by its name, with or without what stands before its last `/`.

    Raises:
        UnpairedError: if an arm has no such task, has it in several variants, or the arms differ.
    """
    groups = []
    for arm in (base, tuned):
        mine = _groups(log for log in arm.logs if name in (log.task, log.task.rpartition("/")[2]))
        if not mine:
            there = sorted({log.task for log in arm.logs})
            raise UnpairedError(
                f"The arm {arm.name!r} has no log of {name!r}. It has: {', '.join(there)}."
            )
        if len(mine) > 1:
            one, other = list(mine.values())[:2]
            what = _named(
                one[0], one[0].file.name, other[0], other[0].file.name, _differing(one[0], other[0])
            )
            raise UnpairedError(f"The arm {arm.name!r} has {name!r} in several variants: {what}")
        groups.append(next(iter(mine.values())))
    differing = _differing(groups[0][0], groups[1][0])
    match = _match(groups[0], groups[1], base.name, tuned.name)
    if not differing:
        return match
    what = _named(groups[0][0], base.name, groups[1][0], tuned.name, differing)
    if not allow_unpaired:
        raise UnpairedError(f"The arms cannot be compared: {what}")
    return match._replace(comparable=False, warnings=(what, *match.warnings))


def _check_harnesses(base: ArmLogs, tuned: ArmLogs) -> None:
    """The tasks of the two harnesses have names of their own: nothing of theirs goes together."""
    one, other = (
        {log.harness.partition(" ")[0] for log in arm.logs if log.ours} for arm in (base, tuned)
    )
    if not one & other:
        raise UnpairedError(
            f"{base.name!r} was run in {' and '.join(sorted(one))}, and {tuned.name!r} in"
            f" {' and '.join(sorted(other))}: templates and sampling differ between harnesses. Run"
            " both arms in the same one."
        )


def _key(log: TaskLog) -> tuple[str, tuple[tuple[str, str], ...]]:
    return log.task, tuple(sorted(log.identity.items()))


def _groups(logs: Iterable[TaskLog]) -> dict[object, tuple[TaskLog, ...]]:
    found: dict[object, tuple[TaskLog, ...]] = {}
    for log in logs:
        found[_key(log)] = (*found.get(_key(log), ()), log)
    return found


def _differing(one: TaskLog, other: TaskLog) -> list[str]:
    names = dict.fromkeys([*one.identity, *other.identity])
    return [name for name in names if one.identity.get(name) != other.identity.get(name)]


def _nearest(log: TaskLog, others: Iterable[tuple[TaskLog, ...]]) -> tuple[TaskLog, ...] | None:
    alike = [
        other
        for other in others
        if other[0].task == log.task and other[0].identity.get("mode") == log.identity.get("mode")
    ]
    return min(alike, key=lambda other: len(_differing(log, other[0])), default=None)


def _title(log: TaskLog) -> str:
    mode = log.identity.get("mode")
    return f"{log.task}, {mode}" if mode else log.task


def _named(
    one: TaskLog, its_name: str, other: TaskLog, other_name: str, differing: Sequence[str]
) -> str:
    fields = "; ".join(
        f"{_FIELDS.get(name, name)} is {one.identity.get(name, 'not set')} in {its_name} and"
        f" {other.identity.get(name, 'not set')} in {other_name}"
        for name in differing
    )
    return f"{_title(one)}: {fields}."


_FIELDS = {
    "set": "the data",
    "set_version": "the version of the data",
    "set_hash": "the hash of the data",
    "prompt_hash": "the hash of the prompts",
    "judge": "the judge",
    "version": "the version of the task",
}


def _lonely(log: TaskLog, there: str, not_there: str) -> str:
    return f"{_title(log)}: {there} has a log of it, and {not_there} has none."


def _match(
    base: tuple[TaskLog, ...], tuned: tuple[TaskLog, ...], base_name: str, tuned_name: str
) -> Match:
    warnings = []
    for name in dict.fromkeys(key for log in (*base, *tuned) for key in log.generation):
        seen = [
            sorted({log.generation.get(name, "not set") for log in logs}) for logs in (base, tuned)
        ]
        if seen[0] != seen[1] or len(seen[0]) > 1:
            warnings.append(
                f"{name} is {', '.join(seen[0])} in {base_name} and {', '.join(seen[1])} in"
                f" {tuned_name}: what differs may come from there."
            )
    harnesses = [sorted({log.harness for log in logs}) for logs in (base, tuned)]
    if harnesses[0] != harnesses[1]:
        warnings.append(
            f"{base_name} was run with {', '.join(harnesses[0])}, {tuned_name} with"
            f" {', '.join(harnesses[1])}."
        )
    return Match(base[0].task, base[0].identity, base, tuned, tuple(warnings), True)


def grid_of(match: Match, base: str, tuned: str, *, allow_unpaired: bool) -> Grid:
    """The samples of both arms side by side.

    Raises:
        UnpairedError: if a run lacks samples that another has, unless it is allowed; or if the
            same id asks for something else in another run, always.
    """
    runs = [[_by_id(log) for log in logs] for logs in (match.base, match.tuned)]
    first: dict[str, Observed] = {}
    for log, run in zip((*match.base, *match.tuned), (*runs[0], *runs[1]), strict=True):
        for id_, samples in run.items():
            known = first.setdefault(id_, samples[0])
            if known.content != samples[0].content or known.about != samples[0].about:
                raise UnpairedError(
                    f"{match.task}: sample {id_} of {log.file.name} asks something else than the"
                    " sample of that id in another log: the runs were on other data, or in another"
                    " order (a task that shuffles without a seed, say)."
                )
    have = [set().union(*arm) for arm in runs]
    everywhere = all(set(run) == have[0] | have[1] for arm in runs for run in arm)
    if not everywhere and not allow_unpaired:
        raise UnpairedError(_unpaired(match, runs, set(first)))
    ids = sorted(first)
    return Grid(
        ids=tuple(ids),
        first=tuple(first[id_] for id_ in ids),
        base=tuple(runs[0]),
        tuned=tuple(runs[1]),
        unpaired_base=len(have[0] - have[1]),
        unpaired_tuned=len(have[1] - have[0]),
        whole=everywhere,
    )


def _by_id(log: TaskLog) -> dict[str, list[Observed]]:
    found: dict[str, list[Observed]] = {}
    for sample in log.samples:
        found.setdefault(sample.id, []).append(sample)
    return found


def _unpaired(
    match: Match, runs: Sequence[Sequence[dict[str, list[Observed]]]], every: set[str]
) -> str:
    lines = []
    for logs, arm in zip((match.base, match.tuned), runs, strict=True):
        for log, run in zip(logs, arm, strict=True):
            lacking = sorted(every - set(run))
            if lacking:
                some = ", ".join(lacking[:3]) + (" …" if len(lacking) > 3 else "")
                lines.append(f"- {log.file.name} lacks {len(lacking)} of {len(every)}: {some}")
    return (
        f"{_title(match.base[0])}: not all runs have the same samples.\n"
        + "\n".join(lines)
        + "\nRun them on the same samples (the same --limit, domains, data); or pass"
        " --allow-unpaired to compare all that there is."
    )
