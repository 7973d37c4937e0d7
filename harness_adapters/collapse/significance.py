"""Tests that come with the figures, as statsmodels has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness_adapters.collapse.comparison import McNemar
from harness_adapters.collapse.paired import Values


def mcnemar(base: Values, tuned: Values, *, good: float = 0.0) -> McNemar | None:
    """The exact test of paired outcomes: scenarios that leak more, against those that leak less.

    With one run in each arm this is McNemar's test (1947); with several it is the sign test of
    their means, which is the same test of the scenarios that differ. It takes scenarios for
    independent, which twins are not quite: the interval is what the verdict goes by.

    Args:
        base: leaks (1) or none (0) of the base arm; of probes, right answers (1) or wrong ones.
        tuned: those of the tuned arm, for the same scenarios.
        good: the value that is good: 0 of leaks, 1 of right answers.

    Returns:
        The test; None where no scenario has a verdict in both arms.
    """
    from statsmodels.stats.contingency_tables import mcnemar as exact

    change = (tuned.means - base.means) * (-1 if good else 1)
    known = change[~np.isnan(change)]
    if not len(known):
        return None
    # means of equal values over unlike numbers of runs differ by a rounding
    worse, better = int((known > 1e-9).sum()), int((known < -1e-9).sum())
    alike = len(known) - worse - better
    found = exact([[alike, worse], [better, 0]], exact=True)
    return McNemar(worse=worse, better=better, p=float(found.pvalue))


def holm(values: Sequence[float]) -> list[float]:
    """p-values corrected for how many there are (Holm 1979)."""
    from statsmodels.stats.multitest import multipletests

    if not values:
        return []
    return [float(value) for value in multipletests(values, method="holm")[1]]
