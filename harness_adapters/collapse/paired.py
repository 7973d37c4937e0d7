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
        return means


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
    rises: Part | None
    """The mean of the differences above 0, as a share of `width`; None for unpaired arms."""
    falls: Part | None
    """That of those below 0, without its sign."""
    relative: Array | None
    """Resampled relative changes of `1 - value` or of `value`; see `relative_change`."""

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The limits of the interval of that level."""
        low, high = _stretched(self.mean, self.spread, self.freedom, self.clusters, level)
        return max(low, -self.width), min(high, self.width)

    def cautious(self, level: float) -> tuple[float, float]:
        """Limits that allow for scenarios that differ and were not seen to, as few of them do.

        They are those of Student's t, or those put together of the rises and falls (Donner and Zou
        2010), whichever lie farther out. What is shown not to have changed is shown by them.
        """
        from scipy.special import stdtrit

        half = float(stdtrit(self.freedom, 0.5 + level / 2)) * self.stderr
        down = up = half
        if self.rises is not None and self.falls is not None:
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
    weights: Array | None = None,
    paired: bool = True,
    lowest: float = 0.0,
    good: float = 1.0,
) -> Difference | None:
    """The mean difference of two arms.

    Args:
        base: values of the base arm, scenarios in the columns.
        tuned: those of the tuned arm, for the same scenarios in the same order.
        clusters: the cluster of each scenario, as whole numbers from 0.
        weights: how much each scenario counts; the same unless given.
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
    heavy = np.ones(len(clusters)) if weights is None else weights
    heavies = [np.where(which, heavy, 0.0) for which in known]
    filled = [np.where(which, means, 0.0) for which, means in zip(known, seen, strict=True)]
    either = known[0] | known[1]
    labels, places = np.unique(clusters[either], return_inverse=True)
    groups = len(labels)
    if groups < 2 or not all(one.sum() > 0 for one in heavies):
        return None
    sizes = [_per_cluster(places, one[either], groups) for one in heavies]
    sums = [
        _per_cluster(places, (one * values)[either], groups)
        for one, values in zip(heavies, filled, strict=True)
    ]
    means = [float(total.sum() / size.sum()) for total, size in zip(sums, sizes, strict=True)]
    pulls = [
        (total - mean * size) / size.sum()
        for total, mean, size in zip(sums, means, sizes, strict=True)
    ]
    correction = groups / (groups - 1)
    of_scenarios = correction * float(((pulls[1] - pulls[0]) ** 2).sum())
    alone = [
        one * (values - mean) / one.sum()
        for one, values, mean in zip(heavies, filled, means, strict=True)
    ]
    independent = float(((alone[1] - alone[0])[either] ** 2).sum())
    unseen = _UNSEEN * _worth(of_scenarios, independent, heavies, groups)
    seeds = [
        _seeds(arm.runs, which, one, clusters)
        for arm, which, one in zip((base, tuned), known, heavies, strict=True)
    ]
    of_seeds = sum(one.of_mean for one in seeds)
    variance = of_scenarios + of_seeds + unseen
    freedom = _freedom(of_scenarios + unseen, groups, seeds)
    noise = np.random.default_rng(SEED + 1).standard_normal((2, RESAMPLES))
    drawn = [
        _resampled_means(total, size) + math.sqrt(one.of_mean + unseen / 2) * moved
        for total, size, one, moved in zip(sums, sizes, seeds, noise, strict=True)
    ]
    accuracy = [value if good else 1 - value for value in means]
    relative = None
    if lowest >= 0 and accuracy[0] > 0:
        level = drawn[0] if good else 1 - drawn[0]
        if (level > 0).all():
            sign = 1.0 if good else -1.0
            relative = sign * (drawn[1] - drawn[0]) / level
            relative -= sign * (means[1] - means[0]) / accuracy[0]
    width = 1 - lowest
    levels = [
        _level(mean, lowest, width, correction * float((pull**2).sum()), one, groups, size, heavy_)
        for mean, pull, one, size, heavy_ in zip(means, pulls, seeds, sizes, heavies, strict=True)
    ]
    parts: list[Part | None] = [None, None]
    if paired:
        design = _design(alone, sums, sizes, means, groups)
        change = (filled[1] - filled[0])[either] / width
        parts = [
            _part(np.clip(sign * change, 0.0, 1.0), heavies[0][either], places, groups, design)
            for sign in (1, -1)
        ]
    return Difference(
        mean=means[1] - means[0],
        stderr=math.sqrt(variance),
        freedom=freedom,
        scenarios=int((known[0] & known[1]).sum()) if paired else int(either.sum()),
        clusters=groups,
        base=levels[0],
        tuned=levels[1],
        seeds_base=seeds[0],
        seeds_tuned=seeds[1],
        variance_scenarios=of_scenarios + unseen,
        variance_seeds=of_seeds,
        variance_base=correction * float((pulls[0] ** 2).sum()) + seeds[0].of_mean,
        variance_tuned=correction * float((pulls[1] ** 2).sum()) + seeds[1].of_mean,
        covariance=correction * float((pulls[0] * pulls[1]).sum()),
        spread=(drawn[1] - drawn[0]) - (means[1] - means[0]),
        width=width,
        rises=parts[0],
        falls=parts[1],
        relative=relative,
    )


def relative_change(found: Difference, *, good: float) -> Level | None:
    """`(Acc_tuned - Acc_base) / Acc_base`, Acc being the values, or one less the values.

    The measure of the privacy-collapse paper (arXiv 2601.15220). None where the base arm's
    accuracy is 0, or so near that resamples reach it.
    """
    if found.relative is None:
        return None
    base = found.base.mean if good else 1 - found.base.mean
    mean = (found.mean if good else -found.mean) / base
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


def _worth(clustered: float, independent: float, weights: list[Array], groups: int) -> float:
    """1/n² of the effective number of scenarios n: the variance of one that was not seen to differ.

    As Agresti and Min (2005) add pseudo-observations to paired proportions, so that no difference
    seen is not taken for no difference.
    """
    scenarios = max(float((one > 0).sum()) for one in weights)
    most = scenarios / groups
    design = min(max(clustered / independent, 1.0), most) if independent > 0 else most
    return (design / scenarios) ** 2


_FEW = 5
"""Differing clusters below which they do not tell how alike the scenarios of one are."""


def _part(
    values: Array, weights: Array, places: NDArray[np.int64], groups: int, design: float
) -> Part:
    heavy = weights / weights.sum()
    mean = float((heavy * values).sum())
    pulls = _per_cluster(places, heavy * (values - mean), groups)
    variance = groups / (groups - 1) * float((pulls**2).sum())
    size = float((heavy > 0).sum())
    if int((_per_cluster(places, values, groups) > 0).sum()) < _FEW:
        return Part(mean, size / design, groups)
    return Part(mean, min(mean * (1 - mean) / variance, size) if mean < 1 else size, groups)


def _design(
    alone: list[Array], sums: list[Array], sizes: list[Array], means: list[float], groups: int
) -> float:
    """How alike the scenarios of a cluster are in the arms themselves: the design effect (Kish)."""
    most = float(alone[0].size) / groups
    found = []
    for pulls, total, size, mean in zip(alone, sums, sizes, means, strict=True):
        independent = float((pulls**2).sum())
        if independent > 0:
            clustered = float((((total - mean * size) / size.sum()) ** 2).sum())
            found.append(groups / (groups - 1) * clustered / independent)
    return min(max(*found, 1.0), most) if found else most


def _seeds(
    runs: Array, known: NDArray[np.bool_], weights: Array, clusters: NDArray[np.int64]
) -> Seeds:
    """τ² by moments: the variance of the runs' means less what sampling explains of it."""
    count = len(runs)
    if count < 2:
        return Seeds(count, 0.0, 0.0)
    values = runs[:, known]
    heavy = weights[known]
    present = ~np.isnan(values)
    per = present.sum(axis=0)
    centre = np.where(present, values, 0.0).sum(axis=0) / np.maximum(per, 1)
    off = np.where(present, values - centre, 0.0)
    mass = (present * heavy).sum(axis=1)
    shift = (off * heavy).sum(axis=1) / mass
    seen = float((shift**2).sum() / (count - 1))
    left = np.where(present, off - shift[:, None], 0.0) * heavy / mass[:, None]
    _, places = np.unique(clusters[known], return_inverse=True)
    noise = sum(float((np.bincount(places, row) ** 2).sum()) for row in left) / (count - 1)
    return Seeds(count, max(0.0, seen - noise), seen)


def _freedom(of_scenarios: float, groups: int, seeds: list[Seeds]) -> float:
    """Welch and Satterthwaite; a seed variance is as unsure as all that was seen between runs."""
    total = of_scenarios + sum(one.of_mean for one in seeds)
    parts = of_scenarios**2 / (groups - 1)
    for one in seeds:
        if one.variance > 0:
            parts += (one.seen / one.runs) ** 2 / (one.runs - 1)
    return max(1.0, total**2 / parts)


def _level(
    mean: float,
    lowest: float,
    width: float,
    variance: float,
    seeds: Seeds,
    groups: int,
    sizes: Array,
    weights: Array,
) -> Level:
    """One arm's mean with Wilson's interval at its effective size, seeds included."""
    from scipy.special import stdtrit

    share = min(max((mean - lowest) / width, 0.0), 1.0)
    inside = int((sizes > 0).sum())
    scaled = variance / width**2
    spread = scaled + seeds.of_mean / width**2
    if inside < 2:
        return Level(mean, lowest, lowest + width)
    if spread > 1e-15 and 0 < share < 1:
        # never worth more than there are values
        size = min(share * (1 - share) / spread, float((weights > 0).sum()) * seeds.runs)
        quantile = float(stdtrit(_freedom(scaled, groups, [_rescaled(seeds, width)]), 0.975))
        lower, upper = wilson(share, size, quantile)
    else:
        _, other = wilson(0.0, inside, float(stdtrit(inside - 1, 0.975)))
        lower, upper = share - other * share, share + other * (1 - share)
    return Level(mean, lowest + width * lower, lowest + width * upper)


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
