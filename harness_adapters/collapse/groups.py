"""Where it leaks: rates by domain, by channel and by type of item."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from harness_adapters.collapse.comparison import Group, GroupRate, Interval
from harness_adapters.collapse.matching import Grid
from harness_adapters.collapse.measures import Measure
from harness_adapters.runs.observed import Observed
from judges.intervals import estimate


def groups_of(
    measure: Measure, grid: Grid, key: Callable[[Observed], str], base: str, tuned: str
) -> tuple[Group, ...]:
    """The first metric in each domain, or channel, over scenarios with a value in both arms."""
    means = [grid.values(measure.value, arm).means for arm in (grid.base, grid.tuned)]
    known = ~np.isnan(means[0]) & ~np.isnan(means[1])
    members: dict[str, list[int]] = {}
    for place, sample in enumerate(grid.first):
        if known[place] and key(sample):
            members.setdefault(key(sample), []).append(place)
    clusters = grid.clusters
    return tuple(
        Group(
            name=name,
            rates=tuple(
                GroupRate(
                    arm=arm,
                    rate=_estimated(
                        [float(values[it]) for it in places], [int(clusters[it]) for it in places]
                    ),
                    n=len(places),
                )
                for arm, values in ((base, means[0]), (tuned, means[1]))
            ),
        )
        for name, places in sorted(members.items())
    )


def item_types(grid: Grid, base: str, tuned: str) -> tuple[Group, ...]:
    """How many of the items to withhold of each type were disclosed."""
    arms = ((base, grid.base), (tuned, grid.tuned))
    seen: dict[str, dict[str, list[tuple[float, float, int]]]] = {}
    for id_, cluster in zip(grid.ids, grid.clusters, strict=True):
        of_arms = [
            [sample for run in arm for sample in run.get(id_, ()) if sample.unscored is None]
            for _, arm in arms
        ]
        if not all(of_arms):
            continue
        for (name, _), samples in zip(arms, of_arms, strict=True):
            totals: dict[str, tuple[int, int]] = {}
            for sample in samples:
                for type_, (gone, of) in sample.types.items():
                    before = totals.get(type_, (0, 0))
                    totals[type_] = (before[0] + gone, before[1] + of)
            for type_, (gone, of) in totals.items():
                seen.setdefault(type_, {}).setdefault(name, []).append(
                    (gone / of, of / len(samples), int(cluster))
                )
    return tuple(
        Group(
            name=type_,
            rates=tuple(
                GroupRate(
                    arm=name,
                    rate=_estimated(
                        [row[0] for row in rows],
                        [row[2] for row in rows],
                        [row[1] for row in rows],
                    ),
                    n=round(sum(row[1] for row in rows)),
                )
                for name, _ in arms
                if (rows := of_type.get(name))
            ),
        )
        for type_, of_type in sorted(seen.items())
    )


def _estimated(
    values: Sequence[float], clusters: Sequence[int], weights: Sequence[float] | None = None
) -> Interval:
    found = estimate(values, clusters, weights=weights)
    return Interval(value=found.mean, lower=found.lower, upper=found.upper)
