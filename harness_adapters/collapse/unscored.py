"""What unscored samples could have said."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from harness_adapters.collapse.comparison import Holding
from harness_adapters.collapse.matching import Grid
from harness_adapters.collapse.measures import Measure, Value
from harness_adapters.runs.observed import Observed


def unscored_of(arm: Sequence[dict[str, list[Observed]]]) -> dict[str, int]:
    """Reason -> samples of an arm without a verdict."""
    reasons = Counter(
        sample.unscored
        for run in arm
        for samples in run.values()
        for sample in samples
        if sample.unscored is not None
    )
    return dict(sorted(reasons.items()))


def share_unscored(measure: Measure, grid: Grid) -> float:
    """The larger share of unscored samples of the two arms, of those that the metric asks about."""
    shares = []
    for arm in (grid.base, grid.tuned):
        asked = [
            sample.unscored is not None
            for run in arm
            for samples in run.values()
            for sample in samples
            if sample.unscored is None or not math.isnan(_counted(measure, 1.0)(sample))
            if sample.unscored is not None or not math.isnan(measure.value(sample))
        ]
        shares.append(sum(asked) / len(asked) if asked else 0.0)
    return max(shares)


def bounds_of(measure: Measure, grid: Grid) -> Holding | None:
    """The difference with the unscored at their best and at their worst."""
    bad = 0.0 if measure.higher_is_better else 1.0
    if not any(
        sample.unscored is not None
        for arm in (grid.base, grid.tuned)
        for run in arm
        for samples in run.values()
        for sample in samples
    ):
        return None

    ends = []
    for of_base, of_tuned in ((bad, 1 - bad), (1 - bad, bad)):
        base = grid.values(_counted(measure, of_base), grid.base).means
        tuned = grid.values(_counted(measure, of_tuned), grid.tuned).means
        both = ~np.isnan(base) & ~np.isnan(tuned)
        if not grid.whole:
            ends.append(float(np.nanmean(tuned) - np.nanmean(base)))
        else:
            ends.append(float((tuned - base)[both].mean()))
    return Holding(least=ends[0], most=ends[1])


def _counted(measure: Measure, worst: float) -> Value:
    """The value of a sample, and of an unscored one `worst`."""

    def value(sample: Observed) -> float:
        if sample.unscored is None:
            return measure.value(sample)
        if measure.name in ("leak_rate", "item_leak_rate"):
            return worst if sample.withheld else math.nan
        return measure.value(sample._replace(values={"correct": worst}))

    return value
