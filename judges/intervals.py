"""Means with clustered standard errors and 95 % intervals that hold at small n."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from functools import cache
from operator import mul
from typing import NamedTuple

LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean with its clustered standard error (NaN where one cluster gives none) and interval."""

    mean: float
    stderr: float
    lower: float
    upper: float


UNDEFINED = Estimate(math.nan, math.nan, math.nan, math.nan)
"""The estimate where nothing was observed."""

_ROUNDING = 1e-15


def estimate(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    units: Sequence[float] | None = None,
    lowest: float = 0.0,
    weights: Sequence[float] | None = None,
) -> Estimate:
    """A mean of values between `lowest` and 1, with a Wilson interval for clustered data.

    The interval is Wilson's (1927) with the effective sample size `p(1-p)/v`, where `v` is the
    clustered variance of the mean (Miller 2024, arXiv 2411.00640, section 2.2, with the factor
    G/(G-1) for G clusters), and Student's t with G-1 degrees of freedom for the normal quantile
    (Korn and Graubard 1998; Franco et al. 2019). The effective size is never larger than the number
    of units observed. Values that can be negative are first mapped to [0, 1]. Where all clusters
    are alike, the variance says nothing: then at most a share u of clusters can be different, u
    being Wilson's upper limit for none in G, and the interval is as far as they could move the
    mean (for a rate of 0 it is [0, u]). One cluster says nothing: the interval is all there is.

    Args:
        values: one per sample, each in [lowest, 1].
        clusters: the cluster of each sample.
        units: how many units (items) each value is a mean of; 1 each unless given.
        lowest: the smallest value there can be.
        weights: how much each value counts for the mean; the same unless given.

    Raises:
        ValueError: if a value lies outside [lowest, 1].
    """
    if not values:
        return UNDEFINED
    if any(not lowest <= value <= 1 for value in values):
        raise ValueError(f"values between {lowest} and 1 were expected")
    width = 1 - lowest
    shares = [(value - lowest) / width for value in values]
    heavy = _scaled(weights) if weights is not None else [1.0] * len(shares)
    mean = math.fsum(map(mul, heavy, shares)) / len(shares)
    sums = _deviation_sums(shares, heavy, clusters, mean)
    groups = len(sums)
    variance = _variance(sums, len(shares))
    if groups < 2:
        lower, upper = 0.0, 1.0
    elif variance > 0:
        ceiling = math.fsum(units) if units is not None else float(len(shares))
        size = min(mean * (1 - mean) / variance, ceiling)
        lower, upper = wilson(mean, size, _quantile(groups))
    else:
        _, other = wilson(0.0, groups, _quantile(groups))
        lower, upper = mean - other * mean, mean + other * (1 - mean)
    return Estimate(
        lowest + width * mean if weights is not None else math.fsum(values) / len(values),
        width * math.sqrt(variance) if groups > 1 else math.nan,
        lowest + width * lower,
        lowest + width * upper,
    )


def effective_size(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    weights: Sequence[float] | None = None,
) -> float:
    """How many independent trials a mean of clustered values between 0 and 1 is worth.

    `p(1-p)/v`, never more than there are values; where all clusters are alike, and the variance
    says nothing, the number of clusters. NaN where there are no values.
    """
    if not values:
        return math.nan
    found = estimate(values, clusters, weights=weights)
    groups = len(set(clusters))
    if not found.stderr > 0:
        return float(groups)
    return min(found.mean * (1 - found.mean) / found.stderr**2, float(len(values)))


def quantile(groups: int) -> float:
    """Student's t of the 95 % level for that many clusters."""
    return _quantile(groups)


def wilson(mean: float, size: float, quantile: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion observed on `size` trials."""
    square = quantile * quantile
    scale = 1 + square / size
    centre = (mean + square / (2 * size)) / scale
    half = quantile / scale * math.sqrt(mean * (1 - mean) / size + square / (4 * size * size))
    # exact at the ends, where rounding would leave a speck
    lower = 0.0 if mean == 0 else max(0.0, centre - half)
    upper = 1.0 if mean == 1 else min(1.0, centre + half)
    return lower, upper


def _scaled(weights: Sequence[float]) -> list[float]:
    """The weights, so that they are 1 on average."""
    total = math.fsum(weights)
    return [weight * len(weights) / total for weight in weights]


def _deviation_sums(
    values: Sequence[float],
    weights: Sequence[float],
    clusters: Sequence[Hashable],
    mean: float,
) -> list[float]:
    """For each cluster the sum of its values' weighted deviations from the mean."""
    groups: dict[Hashable, list[float]] = {}
    for value, weight, cluster in zip(values, weights, clusters, strict=True):
        groups.setdefault(cluster, []).append(weight * (value - mean))
    return [math.fsum(deviations) for deviations in groups.values()]


def _variance(sums: Sequence[float], samples: int) -> float:
    groups = len(sums)
    if groups < 2:
        return 0.0
    squares = math.fsum(value * value for value in sums)
    variance = squares / samples**2 * groups / (groups - 1)
    return variance if variance > _ROUNDING else 0.0


@cache
def _quantile(groups: int) -> float:
    # imported here, so that not every inspect command pays; scipy.stats would take far longer
    from scipy.special import stdtrit

    return float(stdtrit(groups - 1, 0.5 + LEVEL / 2))
