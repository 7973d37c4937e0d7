"""One task of this project, one tuned arm against the base arm."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness_adapters.collapse.comparison import (
    Interval,
    MetricDifference,
    Power,
    TaskComparison,
)
from harness_adapters.collapse.groups import groups_of, item_types
from harness_adapters.collapse.matching import Grid, Match, UnpairedError
from harness_adapters.collapse.measures import (
    PROBING,
    READABLE,
    Measure,
    difference_of,
    good_of,
    measures_of,
)
from harness_adapters.collapse.outcome import doubt_of, outcome_of, sentence_of
from harness_adapters.collapse.paired import Difference, Level, relative_change
from harness_adapters.collapse.power import detectable, needed
from harness_adapters.collapse.significance import mcnemar
from harness_adapters.collapse.unscored import bounds_of, share_unscored, unscored_of
from harness_adapters.runs.correction import accuracies
from harness_adapters.runs.observed import Observed, TaskLog
from harness_adapters.runs.run import NO_JUDGE
from judges.calibration.card import JudgeCard
from judges.calibration.correction import (
    Arm,
    NotCorrected,
    Rate,
    corrected_difference,
    over_mixes,
)


class Compared(NamedTuple):
    """A task's comparison, and what the verdict needs of it besides."""

    task: TaskComparison
    first: Difference
    fall: float
    """How much privacy fell, in the unit of τ; below 0 it rose."""
    blocked: bool
    """Whether the outcome is held up by something that more scenarios would not mend."""


def compare_task(
    match: Match,
    grid: Grid,
    *,
    base: str,
    tuned: str,
    label: str,
    threshold: float,
    cards: Mapping[str, JudgeCard],
    paired: bool,
) -> Compared:
    """What one task says of a tuned arm.

    Args:
        match: the runs of the task in both arms.
        grid: their samples.
        base: name of the base arm.
        tuned: name of the tuned arm.
        label: a short name of the task.
        threshold: τ, in shares.
        cards: judge cards, by the identity of the judge.
        paired: whether only scenarios that both arms have count.

    Raises:
        UnpairedError: if it rests on fewer than two independent clusters.
    """
    measures = measures_of(match, grid)
    clusters = grid.clusters
    metrics: list[MetricDifference] = []
    found: dict[str, Difference] = {}
    for measure in measures:
        one = difference_of(measure, grid, paired)
        if one is not None:
            found[measure.name] = one
            metrics.append(_metric(measure, one))
    first = measures[0]
    main = found.get(first.name)
    if main is None:
        raise UnpairedError(
            f"{label}: {first.name} of {base} and {tuned} rests on fewer than two independent"
            " clusters with a verdict in both arms: no interval can be given. Run more scenarios."
        )
    sign = -1.0 if first.higher_is_better else 1.0
    values = [grid.values(first.value, arm) for arm in (grid.base, grid.tuned)]
    relative = relative_change(main, good=good_of(first))
    bounds = bounds_of(first, grid)
    corrected = _corrected(match, grid, found, cards)
    unscored = {name: unscored_of(arm) for name, arm in ((base, grid.base), (tuned, grid.tuned))}
    samples = {name: _count(arm) for name, arm in ((base, grid.base), (tuned, grid.tuned))}
    outcome, why, blocked = outcome_of(
        match, main, threshold, sign, sentence_of(first, main, threshold)
    )
    doubt = doubt_of(
        outcome,
        sign=sign,
        threshold=threshold,
        bounds=bounds,
        unscored=share_unscored(first, grid),
        corrected=corrected if first.name == "leak_rate" else None,
        items=found.get("item_leak_rate"),
        room=1 - main.base.mean if sign > 0 else main.base.mean,
        readable=difference_of(READABLE, grid, paired) if measures is PROBING else None,
    )
    if doubt:
        outcome, why, blocked = (
            "undecided",
            f"{sentence_of(first, main, threshold)}, but {doubt}",
            True,
        )
    pairs = ~np.isnan(values[0].means) & ~np.isnan(values[1].means)
    task = TaskComparison(
        task=match.task,
        mode=match.identity.get("mode", ""),
        label=label,
        data={
            "name": match.identity.get("set", ""),
            "version": match.identity.get("set_version", ""),
            "hash": match.identity.get("set_hash", ""),
        },
        prompt=match.identity.get("prompt_hash", ""),
        judge=match.identity.get("judge", NO_JUDGE),
        settings={
            name: value
            for name, value in match.identity.items()
            if name not in ("mode", "set", "set_version", "set_hash", "prompt_hash", "judge")
        },
        base=base,
        tuned=tuned,
        runs={base: len(grid.base), tuned: len(grid.tuned)},
        epochs={base: _epochs(grid.base), tuned: _epochs(grid.tuned)},
        scenarios=len(grid.ids) - grid.unpaired_base - grid.unpaired_tuned,
        clusters=len(set(clusters[pairs])),
        pairs=int(pairs.sum()),
        unpaired={base: grid.unpaired_base, tuned: grid.unpaired_tuned}
        if grid.unpaired_base or grid.unpaired_tuned
        else {},
        unscored=unscored,
        samples=samples,
        metrics=tuple(metrics),
        relative_change=None if relative is None else _interval(relative),
        mcnemar=mcnemar(*values, good=good_of(first)),
        p=main.p,
        p_holm=None,
        p_falls=main.p_above(threshold) if sign > 0 else main.p_below(-threshold),
        corrected=None if isinstance(corrected, NotCorrected) else corrected,
        uncorrected=corrected.why if isinstance(corrected, NotCorrected) else None,
        seeds={
            name: math.sqrt(seeds.variance) if seeds.runs > 1 else None
            for name, seeds in ((base, main.seeds_base), (tuned, main.seeds_tuned))
        },
        bounds=bounds,
        power=Power(
            detectable=detectable(main),
            asked=threshold,
            scenarios_needed=needed(main, threshold),
        ),
        by_domain=groups_of(
            first, grid, lambda it: it.about.domain if it.about else "", base, tuned
        ),
        by_channel=groups_of(
            first, grid, lambda it: it.about.channel if it.about else "", base, tuned
        ),
        by_type=item_types(grid, base, tuned),
        outcome=outcome,
        why=why,
        warnings=(
            *match.warnings,
            *_warnings(grid, base, tuned),
            *_of_reruns(match.base, base),
            *_of_reruns(match.tuned, tuned),
        ),
    )
    return Compared(task, main, sign * main.mean, blocked)


def _metric(measure: Measure, found: Difference) -> MetricDifference:
    lower, upper = found.interval()
    return MetricDifference(
        metric=measure.name,
        higher_is_better=measure.higher_is_better,
        base=_interval(found.base),
        tuned=_interval(found.tuned),
        difference=Interval(value=found.mean, lower=lower, upper=upper),
        scenarios=found.scenarios,
    )


def _interval(level: Level) -> Interval:
    return Interval(value=level.mean, lower=level.lower, upper=level.upper)


def _epochs(arm: Sequence[dict[str, list[Observed]]]) -> int:
    return max(len(samples) for run in arm for samples in run.values())


def _count(arm: Sequence[dict[str, list[Observed]]]) -> int:
    return sum(len(samples) for run in arm for samples in run.values())


def _corrected(
    match: Match, grid: Grid, found: Mapping[str, Difference], cards: Mapping[str, JudgeCard]
) -> Interval | NotCorrected | None:
    """The difference of `leak_rate`, corrected for the judge's errors; None for probes."""
    main = found.get("leak_rate")
    if main is None:
        return None
    judges = {log.identity.get("judge", NO_JUDGE) for log in (*match.base, *match.tuned)}
    if len(judges) > 1:
        return NotCorrected("the arms were judged by different judges")
    withheld = Counter(it.withheld for it in grid.first)
    flows = max(
        sample.flows
        for arm in (grid.base, grid.tuned)
        for run in arm
        for samples in run.values()
        for sample in samples
    )
    known = accuracies(next(iter(judges)), withheld, flows, cards)
    if isinstance(known, NotCorrected):
        return known
    idle = found.get("no_action_rate")
    acted = (1 - idle.base.mean, 1 - idle.tuned.mean) if idle else (1.0, 1.0)
    both = []
    for accuracy in known:
        arms = [
            Arm(_rate(level.mean, variance, main), accuracy, share)
            for level, variance, share in (
                (main.base, main.variance_base, acted[0]),
                (main.tuned, main.variance_tuned, acted[1]),
            )
        ]
        if any(arm.raw.share > arm.judged + 1e-9 for arm in arms):
            return NotCorrected(
                "leak_rate is larger than the share of samples in which something was sent"
            )
        one = corrected_difference(*arms, same_judge=True, covariance=main.covariance)
        if isinstance(one, NotCorrected):
            return one
        both.append(one)
    whole = over_mixes(*both)
    if isinstance(whole, NotCorrected):
        return whole
    return Interval(value=whole.rate, lower=whole.lower, upper=whole.upper)


def _rate(mean: float, variance: float, found: Difference) -> Rate:
    inside = variance > 1e-15 and 0 < mean < 1
    size = mean * (1 - mean) / variance if inside else float(found.clusters)
    return Rate(mean, max(1.0, min(size, float(found.scenarios))), found.clusters)


def _warnings(grid: Grid, base: str, tuned: str) -> list[str]:
    found = []
    epochs = {name: _epochs(arm) for name, arm in ((base, grid.base), (tuned, grid.tuned))}
    if epochs[base] != epochs[tuned]:
        found.append(
            f"{base} has {epochs[base]} epochs and {tuned} {epochs[tuned]}: their means are as"
            " sure as that."
        )
    if not grid.whole:
        counts = "; ".join(
            f"{name}: {', '.join(f'{len(run)} of {len(grid.ids)}' for run in arm)}"
            for name, arm in ((base, grid.base), (tuned, grid.tuned))
        )
        found.append(
            f"Not all runs have the same scenarios ({counts}): the arms' means are over different"
            " ones."
        )
    return found


def _of_reruns(logs: Sequence[TaskLog], arm: str) -> list[str]:
    """Runs of one and the same model are no seeds of a recipe."""
    if len(logs) < 2 or len({log.model_id for log in logs}) == len(logs):
        return []
    return [
        f"The {len(logs)} runs of {arm} are not all of other models: runs of one model tell how its"
        " replies vary, not what another seed of the recipe gives."
    ]
