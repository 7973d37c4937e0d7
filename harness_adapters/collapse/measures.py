"""The metrics of a task, as values of its samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness_adapters.collapse.matching import Grid, Match
from harness_adapters.collapse.paired import Array, Difference, difference
from harness_adapters.runs.observed import Observed

Value = Callable[[Observed], float]


_MANY_FACTS = ("profile", "sessions")
"""Modes in which dozens of items may leak at once: in which sample any did says little there."""


class Measure(NamedTuple):
    """A metric as a value of each sample."""

    name: str
    value: Value
    higher_is_better: bool | None
    lowest: float = 0.0
    balanced: bool = False
    """Whether probes whose right answer is yes, and no, count half each."""


def _named(name: str) -> Value:
    return lambda sample: sample.values.get(name, math.nan)


def _correct(right: str | None = None) -> Value:
    def value(sample: Observed) -> float:
        asked = right is None or (sample.about is not None and sample.about.right == right)
        return sample.values.get("correct", math.nan) if asked else math.nan

    return value


def _valid(right: str) -> Value:
    """Whether a probe's answer is right, of those that could be read."""

    def value(sample: Observed) -> float:
        readable = sample.values.get("invalid", math.nan) == 0
        return _correct(right)(sample) if readable else math.nan

    return value


_ACTING = (
    Measure("leak_rate", _named("leak_rate"), False),
    Measure("item_leak_rate", _named("item_leak_rate"), False),
    Measure("share_rate", _named("share_rate"), True),
    Measure("discernment", _named("discernment"), True, lowest=-1.0),
    Measure("helpful_rate", _named("helpful_rate"), True),
    Measure("no_action_rate", _named("no_action_rate"), None),
    Measure("over_collection", _named("over_collection"), False),
    Measure("stored_rate", _named("stored_rate"), None),
    Measure("stored_leak_rate", _named("stored_leak_rate"), False),
)
"""The first is that of the verdict."""


_MANY = (_ACTING[1], _ACTING[0], *_ACTING[2:])


PROBING = (
    Measure("withhold_accuracy", _correct("no"), True),
    Measure("share_accuracy", _correct("yes"), True),
    Measure("accuracy", _correct(), True, balanced=True),
    Measure("invalid_rate", _named("invalid"), False),
)


READABLE = Measure("withhold_accuracy", _valid("no"), True)


def measures_of(match: Match, grid: Grid) -> tuple[Measure, ...]:
    """The metrics of a task, that of the verdict first."""
    if any("correct" in it.values for it in grid.first):
        return PROBING
    return _MANY if match.identity.get("mode") in _MANY_FACTS else _ACTING


def difference_of(measure: Measure, grid: Grid, paired: bool) -> Difference | None:
    """How much a metric differs between the arms; None on fewer than two clusters."""
    base, tuned = (grid.values(measure.value, arm) for arm in (grid.base, grid.tuned))
    return difference(
        base,
        tuned,
        grid.clusters,
        weights=_balance(grid, base.means, tuned.means, paired) if measure.balanced else None,
        paired=paired,
        lowest=measure.lowest,
        good=good_of(measure),
    )


def good_of(measure: Measure) -> float:
    """The value that is good."""
    return 0.0 if measure.higher_is_better is False else 1.0


def _balance(grid: Grid, base: Array, tuned: Array, paired: bool) -> tuple[Array, Array]:
    """Weights of each arm by which right answers of yes and no count half each."""
    rights = np.array([it.about.right if it.about else "" for it in grid.first])
    known = [~np.isnan(base), ~np.isnan(tuned)]
    if paired:
        known = [known[0] & known[1]] * 2
    return _halves(rights, known[0]), _halves(rights, known[1])


def _halves(rights: NDArray[np.str_], known: NDArray[np.bool_]) -> Array:
    weights: Array = np.zeros(len(rights))
    for side in ("yes", "no"):
        mine = rights == side
        count = int((mine & known).sum())
        weights[mine] = 1 / count if count else 0.0
    return weights
