"""A standard benchmark beside the privacy tasks: did it move by less than ε?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from harness_adapters.collapse.comparison import (
    BenchmarkComparison,
    Holding,
    Interval,
    Standing,
)
from harness_adapters.collapse.matching import Grid, Match
from harness_adapters.collapse.paired import Difference, Values, difference
from harness_adapters.collapse.power import needed
from harness_adapters.errors import AdapterError
from harness_adapters.runs.observed import Observed, TaskLog
from privacy_tasks.metrics import DEFINITIONS

_OF_OURS = {name: it.higher_is_better for name, it in DEFINITIONS.items()} | {"invalid": False}
"""Which way the values of this project's own tasks are better."""

Kind = Literal["utility", "safety"]
Value = Callable[[Observed], float]


class Wanted(NamedTuple):
    """A benchmark that was named: `TASK[:METRIC[:lower]]`."""

    kind: Kind
    task: str
    metric: str | None
    higher_is_better: bool | None
    """None: as the harness says, and where it does not, higher is better."""

    @classmethod
    def parse(cls, kind: Kind, given: str) -> Wanted:
        """Out of an option.

        Raises:
            AdapterError: if it is no such name.
        """
        task, _, rest = given.partition(":")
        metric, colon, way = rest.partition(":")
        if not task or (colon and way not in ("lower", "higher")):
            raise AdapterError(
                f"--{kind} {given}: TASK, TASK:METRIC or TASK:METRIC:lower was expected (lower:"
                " where a lower figure is better)."
            )
        return cls(kind, task, metric or None, None if not way else way == "higher")


def series_of(log: TaskLog, wanted: str | None) -> str:
    """Which value of the samples is meant by a metric's name.

    A sample has a value by the name of its scorer (`choice`), or of scorer and key
    (`combined_scorer.refusal`), in lm-eval of metric and filter (`exact_match,strict-match`). Any
    part of it names it if no other fits; so does a figure that the harness reports, if it is the
    mean of one of them (`accuracy`).

    Raises:
        AdapterError: names those that there are.
    """
    names = dict.fromkeys(
        name
        for sample in log.samples
        for name, value in sample.values.items()
        if not math.isnan(value)
    )
    if log.ours and wanted is None:
        raise AdapterError(f"{log.task}: name a metric of it: {', '.join(names)}.")
    if wanted is None:
        if len(names) == 1:
            return next(iter(names))
        first = [name for name in names if name.partition(",")[0] in ("acc", "exact_match")]
        if len(first) == 1:
            return first[0]
    else:
        fitting = [name for name in names if wanted in (name, *_parts(name))]
        fitting = fitting or [name for name in names if _is_mean(log, name, wanted)]
        if len(fitting) == 1:
            return fitting[0]
    what = "no metric was named" if wanted is None else f"{wanted!r} is no metric of its samples"
    raise AdapterError(
        f"{log.file.name}, {log.task}: {what}; name one with {log.task}:METRIC. Its samples have:"
        f" {', '.join(names) or 'no numbers'}."
    )


def _parts(name: str) -> list[str]:
    for mark in (",", "."):
        if mark in name:
            return name.split(mark, 1)
    return []


def _is_mean(log: TaskLog, name: str, metric: str) -> bool:
    """Whether a reported figure is the mean of the samples' values."""
    reported = log.reported.get(metric)
    if reported is None or math.isnan(reported):
        return False
    values = [
        sample.values[name]
        for sample in log.samples
        if not math.isnan(sample.values.get(name, math.nan))
    ]
    return bool(values) and abs(math.fsum(values) / len(values) - reported) < 1e-6


def compare_benchmark(
    wanted: Wanted,
    match: Match,
    grid: Grid,
    *,
    base: str,
    tuned: str,
    margin: float,
    paired: bool,
) -> BenchmarkComparison:
    """Whether a benchmark stays within ε of the base arm, by two one-sided tests.

    Args:
        wanted: which one, and which of its figures.
        match: its runs in both arms.
        grid: their samples.
        base: name of the base arm.
        tuned: name of the tuned arm.
        margin: ε, in shares.
        paired: whether only samples that both arms have count.

    Raises:
        AdapterError: if its figure cannot be found, is not between 0 and 1, or rests on fewer than
            two samples.
    """
    series = {series_of(log, wanted.metric) for log in (*match.base, *match.tuned)}
    if len(series) > 1:
        raise AdapterError(
            f"{match.task}: {wanted.metric or 'its metric'} means {' and '.join(sorted(series))} in"
            f" different logs; name one with {match.task}:METRIC."
        )
    (name,) = series

    def value(sample: Observed) -> float:
        return sample.values.get(name, math.nan)

    of_base, of_tuned = (grid.values(value, arm) for arm in (grid.base, grid.tuned))
    _check_range(match, name, (of_base, of_tuned))
    found = difference(of_base, of_tuned, grid.clusters, paired=paired)
    if found is None:
        raise AdapterError(
            f"{match.task}: {name} rests on fewer than two samples with a value in both arms."
        )
    higher = _way(wanted, match.base[0], name)
    sign = 1.0 if higher else -1.0
    p_worse = found.cautious_above(-margin) if higher else found.cautious_below(margin)
    p_better = found.cautious_below(margin) if higher else found.cautious_above(-margin)
    beyond = found.p_below(-margin) if higher else found.p_above(margin)
    lower, upper = found.interval()
    lower90, upper90 = found.cautious(0.90)
    outcome: Standing = "undecided"
    if match.comparable:
        outcome = _standing(p_worse, p_better, beyond)
    bounds = _bounds(grid, (of_base, of_tuned), higher)
    hidden = outcome in ("within", "no worse") and bounds and sign * bounds.most <= -margin
    if hidden:
        outcome = "undecided"
    return BenchmarkComparison(
        kind=wanted.kind,
        task=match.task,
        metric=name,
        higher_is_better=higher,
        base=base,
        tuned=tuned,
        runs={base: len(grid.base), tuned: len(grid.tuned)},
        scenarios=found.scenarios,
        left_out={base: _lacking(grid.base, value), tuned: _lacking(grid.tuned, value)},
        bounds=bounds,
        base_mean=Interval(value=found.base.mean, lower=found.base.lower, upper=found.base.upper),
        tuned_mean=Interval(
            value=found.tuned.mean, lower=found.tuned.lower, upper=found.tuned.upper
        ),
        difference=Interval(value=found.mean, lower=lower, upper=upper),
        narrow=Interval(value=found.mean, lower=lower90, upper=upper90),
        margin=margin,
        p_worse=p_worse,
        p_better=p_better,
        p=found.p,
        outcome=outcome,
        why=_why(match, name, higher, found, outcome, margin, bounds if hidden else None),
        needed=needed(found, margin, one_sided=True, both_sides=True),
        warnings=match.warnings,
    )


def _standing(p_worse: float, p_better: float, beyond: float) -> Standing:
    """Schuirmann's two one-sided tests (1987) at 5 %; a loss is to be clear at 2.5 %."""
    if p_worse < 0.05:
        return "within" if p_better < 0.05 else "no worse"
    return "worse" if beyond < 0.025 else "undecided"


def _check_range(match: Match, name: str, values: Sequence[Values]) -> None:
    for one in values:
        known = one.runs[~np.isnan(one.runs)]
        if len(known) and (known.min() < 0 or known.max() > 1):
            raise AdapterError(
                f"{match.task}: {name} goes from {known.min():g} to {known.max():g}, and ε is a"
                " share of the range from 0 to 1: name a figure between 0 and 1."
            )


def _way(wanted: Wanted, log: TaskLog, name: str) -> bool:
    if wanted.higher_is_better is not None:
        return wanted.higher_is_better
    ours = _OF_OURS.get(name) if log.ours else None
    return log.better.get(name.partition(",")[0], True) if ours is None else ours


def _lacking(arm: Sequence[dict[str, list[Observed]]], value: Value) -> int:
    """Samples of an arm without a value."""
    return sum(
        math.isnan(value(sample)) for run in arm for samples in run.values() for sample in samples
    )


def _bounds(grid: Grid, values: tuple[Values, Values], higher: bool) -> Holding | None:
    """The difference with what has no value at its best and at its worst, where there is any."""
    present = [
        np.array([[id_ in run for id_ in grid.ids] for run in arm])
        for arm in (grid.base, grid.tuned)
    ]
    lacking = [np.isnan(one.runs) & there for one, there in zip(values, present, strict=True)]
    if not any(one.any() for one in lacking):
        return None
    bad = 0.0 if higher else 1.0
    ends = []
    for fills in ((bad, 1 - bad), (1 - bad, bad)):
        means = [
            Values(np.where(gone, fill, one.runs)).means
            for one, gone, fill in zip(values, lacking, fills, strict=True)
        ]
        ends.append(float(np.nanmean(means[1]) - np.nanmean(means[0])))
    return Holding(least=ends[0], most=ends[1])


def _why(
    match: Match,
    name: str,
    higher: bool,
    found: Difference,
    outcome: Standing,
    margin: float,
    hidden: Holding | None,
) -> str:
    lower, upper = (100 * end for end in found.cautious(0.90))
    way = "higher" if higher else "lower"
    text = (
        f"{match.task}, {name} ({way} is better): {100 * found.base.mean:.1f} to"
        f" {100 * found.tuned.mean:.1f} (difference {100 * found.mean:+.1f} points, 90 % interval"
        f" [{lower:+.1f}, {upper:+.1f}], ε = {100 * margin:g})"
    )
    if not match.comparable:
        return f"{text}, but the arms are not comparable: {match.warnings[0]}"
    if hidden:
        return (
            f"{text}, but with all samples that have no value counted against the tuned arm the"
            f" difference is {100 * hidden.most:+.1f} points."
        )
    return (
        f"{text}: "
        + {
            "within": "within ε.",
            "no worse": "not worse by ε or more.",
            "worse": "worse by more than ε.",
            "undecided": "neither within ε nor worse by more was shown.",
        }[outcome]
    )
