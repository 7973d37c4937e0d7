"""What numbers of scenarios can see."""

from __future__ import annotations

import math

from harness_adapters.collapse.paired import Difference, Part

CHANCE = 0.8
"""The power that is asked for."""

_MOST = 1_000_000
"""Above this many scenarios nobody is helped by a number."""


def detectable(found: Difference) -> float:
    """The smallest difference that a two-sided test at 5 % sees with power 0.8.

    `(t_{0.975} + t_{0.8}) · stderr` (Miller 2024, arXiv 2411.00640, section 5); where few scenarios
    differ, at least what they would have to rise by so that t is not the narrower one.
    """
    from scipy.special import stdtrit

    quantiles = stdtrit(found.freedom, 0.975) + stdtrit(found.freedom, CHANCE)
    seen = float(quantiles) * found.stderr
    if found.few_differ:
        low, high = found.cautious(0.95)
        seen = max(seen, (high - low) / 2)
    return seen


def needed(
    found: Difference, distance: float, *, one_sided: bool = False, both_sides: bool = False
) -> int | None:
    """How many scenarios would see a difference of `distance` with power 0.8.

    What a scenario adds to the variance is taken from those that were seen, and so is how many are
    in a cluster; what seeds add does not shrink with more scenarios.

    Args:
        found: what was seen.
        distance: the difference that is asked about, from the value that is to be excluded.
        one_sided: whether it is to be shown to be less, by the cautious limits of a one-sided test
            at 5 %; otherwise it is to be seen by a two-sided test at 5 %.
        both_sides: whether two such tests, one on either side, have to succeed.

    Returns:
        The number; None where none would do, as the difference is nothing, or the seeds alone
        make the error too large.
    """
    target = abs(distance)
    if target <= 0 or not _does(found, _MOST / found.scenarios, target, one_sided, both_sides):
        return None
    low, high = 2 / found.clusters, _MOST / found.scenarios
    if _does(found, low, target, one_sided, both_sides):
        return max(2, math.ceil(found.scenarios * low))
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        if _does(found, middle, target, one_sided, both_sides):
            high = middle
        else:
            low = middle
    return math.ceil(found.scenarios * high)


def _does(
    found: Difference, times: float, target: float, one_sided: bool, both_sides: bool
) -> bool:
    """Whether so many times the scenarios would show it in 80 % of studies."""
    from scipy.special import ndtri, stdtrit

    groups = max(2.0, found.clusters * times)
    of_scenarios = found.variance_scenarios / times
    unseen = found.variance_unseen / times**2
    freedom = _freedom(found, of_scenarios + unseen, groups)
    level = 0.90 if one_sided else 0.95
    error = math.sqrt(of_scenarios + unseen + found.variance_seeds)
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    if one_sided:
        half = max(half, _limit(found, times, groups, level))
    # each of two tests fails in half of the studies that may fail
    chance = (1 + CHANCE) / 2 if both_sides else CHANCE
    return half + float(ndtri(chance)) * math.sqrt(of_scenarios + found.variance_seeds) <= target


def _freedom(found: Difference, of_scenarios: float, groups: float) -> float:
    total = of_scenarios + found.variance_seeds
    parts = of_scenarios**2 / (groups - 1)
    for seeds in (found.seeds_base, found.seeds_tuned):
        if seeds.variance > 0:
            parts += (seeds.seen / seeds.runs) ** 2 / (seeds.runs - 1)
    return max(1.0, total**2 / parts) if parts > 0 else groups - 1


def _limit(found: Difference, times: float, groups: float, level: float) -> float:
    """How far the cautious limits would reach on the farther side."""
    rises, falls = (
        Part(part.share, part.size * times, round(groups)) for part in (found.rises, found.falls)
    )
    of_rises, of_falls = rises.interval(level), falls.interval(level)
    up = math.hypot(of_rises[1] - rises.share, falls.share - of_falls[0])
    down = math.hypot(rises.share - of_rises[0], of_falls[1] - falls.share)
    return found.width * max(up, down)
