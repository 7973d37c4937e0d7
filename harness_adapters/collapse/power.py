"""What numbers of scenarios can see."""

from __future__ import annotations

import math

from harness_adapters.collapse.paired import Difference

CHANCE = 0.8
"""The power that is asked for."""

_MOST = 1_000_000
"""Above this many scenarios nobody is helped by a number."""


def detectable(found: Difference) -> float:
    """The smallest difference that a two-sided test at 5 % sees with power 0.8.

    `(t_{0.975} + t_{0.8}) · stderr` (Miller 2024, arXiv 2411.00640, section 5).
    """
    from scipy.special import stdtrit

    quantiles = stdtrit(found.freedom, 0.975) + stdtrit(found.freedom, CHANCE)
    return float(quantiles) * found.stderr


def needed(found: Difference, distance: float, *, one_sided: bool = False) -> int | None:
    """How many scenarios would see a difference of `distance` with power 0.8.

    What a scenario adds to the variance is taken from those that were seen; what seeds add does not
    shrink with more scenarios.

    Args:
        found: what was seen.
        distance: the difference that is asked about, from the value that is to be excluded.
        one_sided: whether the test is one-sided at 5 %; otherwise two-sided at 5 %.

    Returns:
        The number; None where none would do, as the difference is nothing, or the seeds alone
        make the error too large.
    """
    from scipy.special import ndtri

    quantile = ndtri(0.95 if one_sided else 0.975) + ndtri(CHANCE)
    allowed = (abs(distance) / float(quantile)) ** 2 - found.variance_seeds
    if allowed <= 0:
        return None
    count = math.ceil(found.scenarios * found.variance_scenarios / allowed)
    return count if count <= _MOST else None
