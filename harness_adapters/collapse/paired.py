"""The difference of two arms over the same scenarios, with an interval.

`docs/statistics.md` states the formulas and their sources. In short: every scenario's value is the
mean over its runs; the interval is a bootstrap over clusters, widened for few of them and for what
the seeds of a recipe add.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from judges.intervals import wilson

Array = NDArray[np.float64]

RESAMPLES = 4000
SEED = 20260122
"""Of the bootstrap: the same logs give the same figures."""

_NORMAL = 1.959963984540054
_UNSEEN = 0.5


class Values(NamedTuple):
    """What the runs of one arm say of each scenario."""

    runs: Array
    """Shape (runs, scenarios): the mean over the epochs; NaN where there is no value."""

    @property
    def means(self) -> Array:
        """The mean over the runs that have a value, per scenario; NaN where none has."""
        known = ~np.isnan(self.runs)
        count = known.sum(axis=0)
        total = np.where(known, self.runs, 0.0).sum(axis=0)
        means: Array = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
        return np.round(means, 12)  # sums of the same values in another order are the same


class Seeds(NamedTuple):
    """How much the runs of one arm differ beyond what sampling explains."""

    runs: int
    variance: float
    """Of one run's mean around the recipe's (τ²); 0 for one run, which stands for itself."""
    seen: float
    """Variance of the runs' means, with the sampling noise in it."""

    @property
    def of_mean(self) -> float:
        """What it adds to the variance of the mean over the runs."""
        return self.variance / self.runs


class Level(NamedTuple):
    """A mean with its 95 % interval."""

    mean: float
    lower: float
    upper: float


class Part(NamedTuple):
    """A mean of values between 0 and 1, and how many independent ones it is worth."""

    share: float
    size: float
    groups: int

    def interval(self, level: float) -> tuple[float, float]:
        """Wilson's interval with Student's t."""
        from scipy.special import stdtrit

        if self.groups < 2:
            return 0.0, 1.0
        return wilson(self.share, self.size, float(stdtrit(self.groups - 1, 0.5 + level / 2)))


class Difference(NamedTuple):
    """`tuned - base` over scenarios."""

    mean: float
    stderr: float
    freedom: float
    """Degrees of freedom of Student's t."""
    scenarios: int
    clusters: int
    base: Level
    tuned: Level
    seeds_base: Seeds
    seeds_tuned: Seeds
    variance_scenarios: float
    """The part of the variance that more scenarios make smaller."""
    variance_unseen: float
    """The part that stands for scenarios that differ and were not seen to."""
    variance_seeds: float
    """The part that only more seeds make smaller."""
    variance_base: float
    """Of the base arm's mean, seeds included."""
    variance_tuned: float
    covariance: float
    """Of the two arms' means."""
    spread: Array
    """Resampled differences, less their mean."""
    width: float
    """The largest difference that there can be."""
    rises: Part
    """Mean of the differences above 0, as a share of `width`; of unpaired arms, the tuned mean."""
    falls: Part
    """That of those below 0, without its sign; of unpaired arms, the base mean."""
    few_differ: bool
    """Whether so few clusters differ that resampling them says little."""
    relative: Array | None
    """Resampled relative changes of `1 - value` or of `value`; see `relative_change`."""

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The limits of the interval of that level; the cautious ones where few clusters differ."""
        low, high = _stretched(self.mean, self.spread, self.freedom, self.clusters, level)
        if self.few_differ:
            least, most = self.cautious(level)
            low, high = min(low, least), max(high, most)
        return max(low, -self.width), min(high, self.width)

    def cautious(self, level: float) -> tuple[float, float]:
        """Limits that allow for scenarios that differ and were not seen to, as few of them do.

        They are those of Student's t, or those put together of the rises and falls (Donner and Zou
        2010), whichever lie farther out. What is shown not to have changed is shown by them.
        """
        from scipy.special import stdtrit

        half = float(stdtrit(self.freedom, 0.5 + level / 2)) * self.stderr
        rises, falls = self.rises.interval(level), self.falls.interval(level)
        lost, gained = self.rises.share - rises[0], falls[1] - self.falls.share
        down = max(half, self.width * math.hypot(lost, gained))
        gained, lost = rises[1] - self.rises.share, self.falls.share - falls[0]
        up = max(half, self.width * math.hypot(lost, gained))
        return max(self.mean - down, -self.width), min(self.mean + up, self.width)

    def p_above(self, threshold: float) -> float:
        """One-sided p-value of the hypothesis that the difference is at most `threshold`."""
        return self._tail(self.mean - threshold)

    def p_below(self, threshold: float) -> float:
        """One-sided p-value of the hypothesis that the difference is at least `threshold`."""
        return self._tail(threshold - self.mean)

    @property
    def p(self) -> float:
        """Two-sided p-value of the hypothesis that there is no difference."""
        return min(1.0, 2 * self._tail(abs(self.mean)))

    def cautious_above(self, threshold: float) -> float:
        """As `p_above`, by the cautious limits."""
        return self._outside(threshold, 0, self.p_above(threshold))

    def cautious_below(self, threshold: float) -> float:
        """As `p_below`, by the cautious limits."""
        return self._outside(threshold, 1, self.p_below(threshold))

    def _tail(self, distance: float) -> float:
        from scipy.special import stdtr

        return float(stdtr(self.freedom, -distance / self.stderr))

    def _outside(self, threshold: float, end: int, least: float) -> float:
        """The tail of the widest limits that do not reach the threshold."""
        if least >= 0.5 or not self._reaches(threshold, end, least):
            return least
        low, high = least, 0.5
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self._reaches(threshold, end, middle) else (low, middle)
        return high

    def _reaches(self, threshold: float, end: int, tail: float) -> bool:
        limit = self.cautious(1 - 2 * tail)[end]
        return limit > threshold if end else limit < threshold


def difference(
    base: Values,
    tuned: Values,
    clusters: NDArray[np.int64],
    *,
    weights: tuple[Array, Array] | None = None,
    paired: bool = True,
    lowest: float = 0.0,
    good: float = 1.0,
) -> Difference | None:
    """The mean difference of two arms.

    Args:
        base: values of the base arm, scenarios in the columns.
        tuned: those of the tuned arm, for the same scenarios in the same order.
        clusters: the cluster of each scenario, as whole numbers from 0.
        weights: how much each scenario counts in the base arm, and in the tuned one; the same
            unless given.
        paired: whether only scenarios with a value in both arms count; otherwise each arm's mean
            is over all that it has.
        lowest: the smallest possible value; the largest is 1.
        good: 1 if a high value is good, and 0 if a low one is: `relative_change` is that of the
            values, or of one less the values.

    Returns:
        The difference; None where it rests on fewer than two clusters.
    """
    seen = [arm.means for arm in (base, tuned)]
    known = [~np.isnan(means) for means in seen]
    if paired:
        known = [known[0] & known[1]] * 2
    heavy = weights or (np.ones(len(clusters)),) * 2
    either = known[0] | known[1]
    labels, places = np.unique(clusters[either], return_inverse=True)
    groups = len(labels)
    if groups < 2 or any(not (one * it).any() for one, it in zip(heavy, known, strict=True)):
        return None
    arms = [
        _side(arm, means, which, one, either, places, groups)
        for arm, means, which, one in zip((base, tuned), seen, known, heavy, strict=True)
    ]
    of_base, of_tuned = arms
    correction = groups / (groups - 1)
    moved = of_tuned.pulls - of_base.pulls
    of_scenarios = correction * float((moved**2).sum())
    width = 1 - lowest
    design = (
        (_design(of_scenarios, float(((of_tuned.alone - of_base.alone) ** 2).sum()), arms),) * 2
        if paired
        else (of_base.design, of_tuned.design)
    )
    worth = [(it / one.scenarios) ** 2 for it, one in zip(design, arms, strict=True)]
    unseen = _UNSEEN * width**2 * (worth[0] if paired else sum(worth))
    of_seeds = sum(one.seeds.of_mean for one in arms)
    noise = np.random.default_rng(SEED + 1).standard_normal((2, RESAMPLES))
    drawn = [
        _resampled_means(one.sums, one.sizes) + math.sqrt(one.seeds.of_mean + unseen / 2) * some
        for one, some in zip(arms, noise, strict=True)
    ]
    parts = (
        _rises_and_falls(arms, places, width)
        if paired
        else [_part((one.values - lowest) / width, one, places, one.design) for one in arms[::-1]]
    )
    change = of_tuned.values - of_base.values
    return Difference(
        mean=of_tuned.mean - of_base.mean,
        stderr=math.sqrt(of_scenarios + of_seeds + unseen),
        freedom=_freedom(of_scenarios + unseen, groups, [one.seeds for one in arms]),
        scenarios=int((known[0] & known[1]).sum()) if paired else int(either.sum()),
        clusters=groups,
        base=_level(of_base, lowest, width, groups),
        tuned=_level(of_tuned, lowest, width, groups),
        seeds_base=of_base.seeds,
        seeds_tuned=of_tuned.seeds,
        variance_scenarios=of_scenarios,
        variance_unseen=unseen,
        variance_seeds=of_seeds,
        variance_base=correction * of_base.clustered + of_base.seeds.of_mean,
        variance_tuned=correction * of_tuned.clustered + of_tuned.seeds.of_mean,
        covariance=correction * float((of_base.pulls * of_tuned.pulls).sum()),
        spread=(drawn[1] - drawn[0]) - (of_tuned.mean - of_base.mean),
        width=width,
        rises=parts[0],
        falls=parts[1],
        few_differ=not paired or _differing(places, change, groups) < _FEW,
        relative=_relative(drawn, of_base.mean, of_tuned.mean, good) if lowest >= 0 else None,
    )


class _Side(NamedTuple):
    """One arm of a difference; scenarios of either arm, clusters of either arm."""

    weights: Array
    values: Array
    """0 where there is none, whose weight is 0."""
    mean: float
    sums: Array
    """Of each cluster."""
    sizes: Array
    pulls: Array
    """How far each cluster moves the mean."""
    alone: Array
    """How far each scenario does."""
    seeds: Seeds
    scenarios: float
    """With a value."""
    groups: int
    """Clusters with a value."""

    @property
    def clustered(self) -> float:
        return float((self.pulls**2).sum())

    @property
    def independent(self) -> float:
        return float((self.alone**2).sum())

    @property
    def design(self) -> float:
        """How alike the scenarios of a cluster are: the design effect (Kish 1965)."""
        most = max(1.0, self.scenarios / self.groups)
        if not self.independent > 0 or self.groups < 2:
            return most
        found = self.groups / (self.groups - 1) * self.clustered / self.independent
        return min(max(found, 1.0), most)


def _side(
    arm: Values,
    means: Array,
    known: NDArray[np.bool_],
    heavy: Array,
    either: NDArray[np.bool_],
    places: NDArray[np.int64],
    groups: int,
) -> _Side:
    """What an arm adds.

    Args:
        arm: its values.
        means: their means over the runs.
        known: which scenarios count.
        heavy: how much each does.
        either: which scenarios count in either arm.
        places: the cluster of each of these.
        groups: how many clusters there are.
    """
    every = np.where(known, heavy, 0.0)
    weights, values = every[either], np.where(known, means, 0.0)[either]
    sizes = _per_cluster(places, weights, groups)
    sums = _per_cluster(places, weights * values, groups)
    mean = float(sums.sum() / sizes.sum())
    return _Side(
        weights=weights,
        values=values,
        mean=mean,
        sums=sums,
        sizes=sizes,
        pulls=(sums - mean * sizes) / sizes.sum(),
        alone=weights * (values - mean) / weights.sum(),
        seeds=_seeds(arm.runs[:, either], weights, places, groups),
        scenarios=float((weights > 0).sum()),
        groups=int((sizes > 0).sum()),
    )


def _relative(drawn: list[Array], base: float, tuned: float, good: float) -> Array | None:
    """Resampled relative changes of the accuracy, less what was seen."""
    sign, zero = (1.0, 0.0) if good else (-1.0, 1.0)
    level, mean = zero + sign * drawn[0], zero + sign * base
    if mean <= 0 or (level <= 0).any():
        return None
    found: Array = sign * (drawn[1] - drawn[0]) / level - sign * (tuned - base) / mean
    return found


def relative_change(found: Difference, *, good: float) -> Level | None:
    """`(Acc_tuned - Acc_base) / Acc_base`, Acc being the values, or one less the values.

    The measure of the privacy-collapse paper (arXiv 2601.15220). None where the base arm's
    accuracy is 0, or so near that resamples reach it.
    """
    if found.relative is None:
        return None
    base = found.base.mean if good else 1 - found.base.mean
    mean = (found.mean if good else 0.0 - found.mean) / base
    lower, upper = _stretched(mean, found.relative, found.freedom, found.clusters, 0.95)
    return Level(mean, max(lower, -1.0), upper)


def _stretched(
    mean: float, spread: Array, freedom: float, groups: int, level: float
) -> tuple[float, float]:
    """Percentiles, moved outwards as far as t is wider than the normal (Hesterberg 2015)."""
    from scipy.special import ndtri, stdtrit

    tail = (1 - level) / 2
    factor = float(stdtrit(freedom, 1 - tail) / ndtri(1 - tail)) * math.sqrt(groups / (groups - 1))
    low, high = np.quantile(spread, [tail, 1 - tail])
    return mean + factor * float(low), mean + factor * float(high)


def _design(clustered: float, independent: float, arms: list[_Side]) -> float:
    """The design effect of the differences; where none differs, the larger of the arms' own.

    With it the variance has a part for scenarios that differ and were not seen to, as Agresti and
    Min (2005) add pseudo-observations to paired proportions: no difference seen is not taken for no
    difference.
    """
    if not independent > 0:
        return _own_design(arms)
    most = max(1.0, arms[0].scenarios / arms[0].groups)
    return min(max(clustered / independent, 1.0), most)


def _own_design(arms: list[_Side]) -> float:
    """How alike scenarios of a cluster leak, where they do; a whole cluster as one where none does.

    It stands for how alike they would change, which is not seen where too few of them do.
    """
    varying = [one.design for one in arms if one.independent > 0]
    return max(varying) if varying else arms[0].design


_FEW = 5
"""Differing clusters below which they do not tell how alike the scenarios of one are."""


def _rises_and_falls(arms: list[_Side], places: NDArray[np.int64], width: float) -> list[Part]:
    base, tuned = arms
    design = _own_design(arms)
    change = (tuned.values - base.values) / width
    return [_part(np.clip(sign * change, 0.0, 1.0), base, places, design) for sign in (1.0, -1.0)]


def _part(values: Array, side: _Side, places: NDArray[np.int64], design: float) -> Part:
    """The mean of some values of the scenarios of an arm, and what it is worth."""
    heavy = side.weights / side.weights.sum()
    mean = min(max(float((heavy * values).sum()), 0.0), 1.0)
    pulls = _per_cluster(places, heavy * (values - mean), len(side.sizes))
    variance = side.groups / max(side.groups - 1, 1) * float((pulls**2).sum())
    if variance < 1e-15 or _differing(places, heavy * values, len(side.sizes)) < _FEW:
        return Part(mean, side.scenarios / design, side.groups)
    return Part(mean, min(mean * (1 - mean) / variance, side.scenarios), side.groups)


def _differing(places: NDArray[np.int64], change: Array, groups: int) -> int:
    """In how many clusters anything differs."""
    return int((_per_cluster(places, np.abs(change), groups) > 0).sum())


def _seeds(runs: Array, weights: Array, places: NDArray[np.int64], groups: int) -> Seeds:
    """τ² by moments: the variance of the runs' means less what sampling explains of it."""
    count = len(runs)
    if count < 2:
        return Seeds(count, 0.0, 0.0)
    present = ~np.isnan(runs) & (weights > 0)
    filled = np.where(present, runs, 0.0)
    centre = filled.sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    off = np.where(present, filled - centre, 0.0)
    mass = np.maximum((present * weights).sum(axis=1), 1e-12)
    shift = (off * weights).sum(axis=1) / mass
    seen = float((shift**2).sum() / (count - 1))
    left = np.where(present, off - shift[:, None], 0.0) * weights / mass[:, None]
    noise = sum(float((_per_cluster(places, row, groups) ** 2).sum()) for row in left)
    return Seeds(count, max(0.0, seen - noise / (count - 1)), seen)


def _freedom(of_scenarios: float, groups: int, seeds: list[Seeds]) -> float:
    """Welch and Satterthwaite; a seed variance is as unsure as all that was seen between runs."""
    total = of_scenarios + sum(one.of_mean for one in seeds)
    parts = of_scenarios**2 / (groups - 1)
    for one in seeds:
        if one.variance > 0:
            parts += (one.seen / one.runs) ** 2 / (one.runs - 1)
    return max(1.0, total**2 / parts)


def _level(side: _Side, lowest: float, width: float, groups: int) -> Level:
    """One arm's mean with Wilson's interval at its effective size, seeds included."""
    from scipy.special import stdtrit

    share = min(max((side.mean - lowest) / width, 0.0), 1.0)
    scaled = groups / (groups - 1) * side.clustered / width**2
    spread = scaled + side.seeds.of_mean / width**2
    if side.groups < 2:
        return Level(side.mean, lowest, lowest + width)
    if spread > 1e-15 and 0 < share < 1:
        # never worth more than there are values
        size = min(share * (1 - share) / spread, side.scenarios * side.seeds.runs)
        freedom = _freedom(scaled, side.groups, [_rescaled(side.seeds, width)])
        lower, upper = wilson(share, size, float(stdtrit(freedom, 0.975)))
    else:
        _, other = wilson(0.0, side.groups, float(stdtrit(side.groups - 1, 0.975)))
        lower, upper = share - other * share, share + other * (1 - share)
    return Level(side.mean, lowest + width * lower, lowest + width * upper)


def _rescaled(seeds: Seeds, width: float) -> Seeds:
    return Seeds(seeds.runs, seeds.variance / width**2, seeds.seen / width**2)


def _per_cluster(places: NDArray[np.int64], values: Array, groups: int) -> Array:
    return np.bincount(places, values, groups).astype(np.float64)


_ROWS = 500


def _resampled_means(sums: Array, sizes: Array) -> Array:
    """The mean of each resample of clusters, from each cluster's sum and size."""
    both = np.stack([sums, sizes], axis=1)
    counts = _resamples(len(sums))
    rows = [counts[at : at + _ROWS] @ both for at in range(0, RESAMPLES, _ROWS)]
    totals = np.concatenate(rows)
    return totals[:, 0] / np.maximum(totals[:, 1], 1e-12)


@lru_cache(maxsize=4)
def _resamples(groups: int) -> NDArray[np.uint8]:
    """How often each cluster is in each resample: shape (resamples, clusters)."""
    random = np.random.default_rng(SEED)
    rows = np.empty((RESAMPLES, groups), dtype=np.uint8)  # more than 255 times is out of reach
    for row in rows:
        row[:] = np.bincount(random.integers(0, groups, groups), minlength=groups)
    return rows
