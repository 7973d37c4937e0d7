"""The figures of one task over all tuned arms, as the charts of single tasks need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from harness_adapters.collapse.comparison import (
    Comparison,
    Interval,
    MetricDifference,
    TaskComparison,
)
from harness_adapters.collapse.report.drawing.palette import BASE, Look
from harness_adapters.collapse.report.wording import known


class TaskArms(NamedTuple):
    """One task."""

    label: str
    number: int
    """From 1, for names of charts."""
    comparisons: tuple[TaskComparison, ...]
    """One for each tuned arm."""


class Measure(NamedTuple):
    """A metric to draw, maybe turned round."""

    metric: str
    axis: str
    """What to write at the axis."""
    turned: bool = False
    """Whether 1 - metric is drawn."""


class Pair(NamedTuple):
    """A measure of both arms."""

    base: Interval
    tuned: Interval


PRIVACY = (
    Measure("leak_rate", "1 − leak_rate", turned=True),
    Measure("withhold_accuracy", "withhold_accuracy"),
)
LEAKED = (
    Measure("item_leak_rate", "item_leak_rate"),
    Measure("withhold_accuracy", "1 − withhold_accuracy", turned=True),
)
SHARED = (
    Measure("share_rate", "share_rate"),
    Measure("share_accuracy", "share_accuracy"),
)


def by_task(comparison: Comparison) -> tuple[TaskArms, ...]:
    """The tasks in their order, each with its tuned arms."""
    tasks: dict[str, list[TaskComparison]] = {}
    for task in comparison.tasks:
        tasks.setdefault(task.label, []).append(task)
    return tuple(
        TaskArms(label, number, tuple(them))
        for number, (label, them) in enumerate(tasks.items(), 1)
    )


def measure_of(task: TaskArms, measures: Sequence[Measure]) -> Measure | None:
    """The first of the measures that some arm of the task has."""
    for measure in measures:
        if any(pair_of(one, measure) for one in task.comparisons):
            return measure
    return None


def pair_of(task: TaskComparison, measure: Measure) -> Pair | None:
    """The measure in both arms, or None where it is not known of both."""
    metric = _named(task.metrics, measure.metric)
    if metric is None or known(metric.base.value) is None or known(metric.tuned.value) is None:
        return None
    if measure.turned:
        return Pair(_turned(metric.base), _turned(metric.tuned))
    return Pair(metric.base, metric.tuned)


def arms_of(task: TaskArms, base: str, looks: Mapping[str, Look]) -> list[tuple[str, Look]]:
    """The arms for a legend, the base arm first."""
    return [(base, BASE)] + [(one.tuned, looks[one.tuned]) for one in task.comparisons]


def _named(metrics: Iterable[MetricDifference], name: str) -> MetricDifference | None:
    return next((metric for metric in metrics if metric.metric == name), None)


def _turned(interval: Interval) -> Interval:
    value, lower, upper = (known(it) for it in (interval.value, interval.lower, interval.upper))
    return Interval(
        value=None if value is None else 1 - value,
        lower=None if upper is None else 1 - upper,
        upper=None if lower is None else 1 - lower,
    )
