"""How far one run lies above another: a paired difference, clustered, corrected by Holm's method.

As `privacy-tasks compare` has it (`docs/statistics.md`): two models of a board were asked the same
samples, so that the values of each sample are compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness_adapters.collapse.paired import Array, Values, difference
from harness_adapters.collapse.significance import holm
from harness_adapters.leaderboard.checked import CheckedRun
from privacy_tasks.metrics import DEFINITIONS

ACCURACY = "accuracy"
SIDES = ("share_accuracy", "withhold_accuracy")
"""Of probes: those whose right answer is yes, and no, count half each."""

_ALPHA = 0.05

Pair = tuple[int, int]
"""Places of two runs on a board."""


class Gap(NamedTuple):
    """How far one model's headline lies above another's."""

    value: float
    lower: float
    upper: float
    p: float
    samples: int
    """With a value of both."""
    clusters: int

    @property
    def beyond(self) -> bool:
        """Whether it is beyond error."""
        return self.p < _ALPHA and not self.lower <= 0 <= self.upper

    @property
    def reversed(self) -> Gap:
        """The same, seen from the other model."""
        return self._replace(value=-self.value, lower=-self.upper, upper=-self.lower)


def gap(one: CheckedRun, other: CheckedRun, name: str) -> Gap | None:
    """One run less the other, over the samples of which both have a value.

    Args:
        one: the first run.
        other: what is taken from it.
        name: the metric.

    Returns:
        The gap, its p-value as it is; None if too few samples have values of both.
    """
    mine, others = values_of(one, name), values_of(other, name)
    shared = sorted(mine.keys() & others.keys())
    weights = weights_of([part for part, _ in shared], name)
    if weights is None:
        return None
    places = {label: place for place, label in enumerate(sorted(set(one.clusters.values())))}
    found = difference(
        Values(np.array([[others[sample] for sample in shared]])),
        Values(np.array([[mine[sample] for sample in shared]])),
        np.array([places[one.clusters[id_]] for _, id_ in shared], dtype=np.int64),
        weights=(weights, weights),
        lowest=DEFINITIONS[name].lowest if name in DEFINITIONS else 0.0,
    )
    if found is None:
        return None
    lower, upper = found.interval()
    return Gap(found.mean, lower, upper, found.p, found.scenarios, found.clusters)


def corrected(gaps: Mapping[Pair, Gap]) -> dict[Pair, Gap]:
    """The gaps with their p-values corrected for how many there are (Holm 1979)."""
    values = holm([it.p for it in gaps.values()])
    return {pair: it._replace(p=p) for (pair, it), p in zip(gaps.items(), values, strict=True)}


def values_of(checked: CheckedRun, name: str) -> dict[tuple[str, str], float]:
    """Metric and sample -> value, of all that a headline is made of."""
    return {
        (part, id_): value
        for part in _parts(name)
        for id_, value in checked.values.get(part, {}).items()
        if not math.isnan(value)
    }


def weights_of(parts: Sequence[str], name: str) -> Array | None:
    """How much each value counts: all parts the same together. None where one is missing.

    Args:
        parts: for each value the metric that it is of.
        name: the headline, which is made of them.
    """
    wanted = _parts(name)
    counts = {part: parts.count(part) for part in wanted}
    if not all(counts.values()):
        return None
    weights: NDArray[np.float64] = np.array([1 / counts[part] for part in parts])
    return weights


def _parts(name: str) -> tuple[str, ...]:
    return SIDES if name == ACCURACY else (name,)
