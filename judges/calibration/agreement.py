"""Agreement between judges, raters and repeats: Cohen's κ and Krippendorff's α, with intervals.

Both are `1 - observed / expected disagreement`. Their intervals are those of the observed
disagreement, clustered and holding at small n and where nobody ever disagreed
(`judges.intervals.estimate`); the disagreement expected by chance, a function of the margins, is
taken as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from judges.intervals import estimate


class Agreement(NamedTuple):
    """A coefficient with its 95 % interval: 1 for full agreement, 0 for agreement by chance."""

    value: float
    lower: float
    upper: float


def cohens_kappa(
    pairs: Sequence[tuple[float, float]], clusters: Sequence[Hashable]
) -> Agreement | None:
    """Cohen's κ (1960) of two raters who judged the same things.

    Args:
        pairs: for each thing, what the one and the other said: 0 or 1 (or False and True). The
            other may have been asked several times; then it is the share of 1.
        clusters: the cluster of each thing.

    Returns:
        None where chance would agree always: there are no pairs, or both said but one thing.
    """
    count = len(pairs)
    if not count:
        return None
    one, other = (sum(pair[rater] for pair in pairs) / count for rater in (0, 1))
    expected = one * (1 - other) + (1 - one) * other
    observed = [abs(first - second) for first, second in pairs]
    return _coefficient(observed, [1.0] * count, clusters, expected)


def krippendorffs_alpha(
    units: Sequence[Sequence[bool]], clusters: Sequence[Hashable]
) -> Agreement | None:
    """Krippendorff's α (2019, Content Analysis, 4th ed., chapter 12) of nominal values.

    Args:
        units: for each thing, the values that it was given, by whomever; those with fewer than two
            say nothing of agreement.
        clusters: the cluster of each thing.

    Returns:
        None where nothing could disagree: no unit has two values, or all values are one.
    """
    rated = [(unit, cluster) for unit, cluster in zip(units, clusters, strict=True) if unit[1:]]
    counts = Counter(value for unit, _ in rated for value in unit)
    total = counts.total()
    if total < 2:
        return None
    expected = 2 * counts[True] * counts[False] / (total * (total - 1))
    return _coefficient(
        [_disagreement(unit) for unit, _ in rated],
        [float(len(unit)) for unit, _ in rated],
        [cluster for _, cluster in rated],
        expected,
    )


def _disagreement(unit: Sequence[bool]) -> float:
    """Share of the pairs of values that differ."""
    yes = sum(unit)
    return 2 * yes * (len(unit) - yes) / (len(unit) * (len(unit) - 1))


def _coefficient(
    observed: Sequence[float],
    weights: Sequence[float],
    clusters: Sequence[Hashable],
    expected: float,
) -> Agreement | None:
    if not expected:
        return None
    found = estimate(observed, clusters, weights=weights)
    lower, upper = (1 - end / expected for end in (found.upper, found.lower))
    return Agreement(1 - found.mean / expected, max(-1.0, lower), min(1.0, upper))
