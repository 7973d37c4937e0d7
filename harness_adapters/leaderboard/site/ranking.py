"""Ranks that say no more than the data do: who is better, beyond error, than whom.

Two models of a board answered the same samples, so that they are compared in pairs:
`harness_adapters.collapse.paired.difference` of the headline, clustered, as in `privacy-tasks
compare` (`docs/statistics.md`). Over all pairs of a board the p-values are corrected (Holm 1979). A
difference is beyond error if its corrected p-value is below 5 % and its 95 % interval leaves out 0.
A model's rank is 1 + the number of models that are better than it beyond error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness_adapters.collapse.paired import Array, Values, difference
from harness_adapters.collapse.significance import holm
from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.checked import CheckedRun
from harness_adapters.leaderboard.site.boards import Board, Entry
from harness_adapters.leaderboard.submission import Figure, headline_of
from privacy_tasks.metrics import DEFINITIONS

ACCURACY = "accuracy"
SIDES = ("share_accuracy", "withhold_accuracy")
"""Of probes: those whose right answer is yes, and no, count half each."""

LOWER_IS_BETTER = frozenset({"leak_rate"})
"""Among what can be a headline."""

_ALPHA = 0.05
_ROUNDING = 1e-6


class Gap(NamedTuple):
    """How far one model's headline lies above another's."""

    value: float
    lower: float
    upper: float
    p: float
    """Corrected for the number of pairs on the board."""
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


class Ranked(NamedTuple):
    """A run with its place on its board."""

    entry: Entry
    headline: str
    """The metric that ranks, the same for the whole board."""
    rank: int | None
    """None where it cannot be ranked."""
    tied: bool
    """Whether others have the same rank."""
    why_not: str
    """Why it cannot be ranked; empty where it can."""
    base: Entry | None
    """The run of the model that it was tuned from, on this board."""
    moved: Gap | None
    """From there to here; None without a base, or where too few samples have values of both."""

    @property
    def figure(self) -> Figure | None:
        """The headline; None where it is undefined."""
        return figure_of(self.entry, self.headline)

    @property
    def figure_of_base(self) -> Figure | None:
        """That of the base."""
        return None if self.base is None else figure_of(self.base, self.headline)


def figure_of(entry: Entry, name: str) -> Figure | None:
    """A metric of a run; None where it is undefined."""
    found = entry.run.metrics.get(name)
    return found if found is not None and found.mean is not None else None


def headline_on(board: Board) -> str:
    """The metric by which all runs of a board are ranked: what most of them have as their headline.

    What is defined hangs on the set, so that it is nearly always that of all.
    """
    names = sorted(headline_of(entry.run) for entry in board.entries)
    return max(names, key=names.count)


def is_better(gap: Gap, name: str) -> bool:
    """Whether one model is better than the other beyond error."""
    return gap.beyond and (gap.value < 0) == (name in LOWER_IS_BETTER)


def ranked(board: Board) -> tuple[Ranked, ...]:
    """The runs of a board, best first.

    Raises:
        AdapterError: if the values of a run's samples do not make its headline.
    """
    name, entries = headline_on(board), board.entries
    why_not = [_why_not(entry, name) for entry in entries]
    gaps = _gaps(entries, name)
    ranks = [
        None if why_not[place] else 1 + _better_ones(gaps, place, name)
        for place in range(len(entries))
    ]
    found = []
    for place, entry in enumerate(entries):
        base = _base_of(entry, entries)
        found.append(
            Ranked(
                entry,
                name,
                ranks[place],
                ranks[place] is not None and ranks.count(ranks[place]) > 1,
                why_not[place],
                None if base is None else entries[base],
                None if base is None else gaps.get((place, base)),
            )
        )
    return tuple(sorted(found, key=_order))


def _better_ones(gaps: Mapping[tuple[int, int], Gap], place: int, name: str) -> int:
    """How many are better than the one at that place."""
    return sum(is_better(gap, name) for (_, than), gap in gaps.items() if than == place)


def _gaps(entries: Sequence[Entry], name: str) -> dict[tuple[int, int], Gap]:
    """Of every two runs, both ways; without those of which too little is known."""
    found = {
        (one, other): gap
        for one, other in combinations(range(len(entries)), 2)
        if (gap := _gap(entries[one].checked, entries[other].checked, name)) is not None
    }
    corrected = holm([gap.p for gap in found.values()])
    both: dict[tuple[int, int], Gap] = {}
    for (one, other), p in zip(found, corrected, strict=True):
        gap = found[one, other]._replace(p=p)
        both |= {(one, other): gap, (other, one): gap.reversed}
    return both


def _gap(one: CheckedRun, other: CheckedRun, name: str) -> Gap | None:
    """One run less the other, over the samples of which both have a value."""
    mine, others = _values(one, name), _values(other, name)
    shared = sorted(mine.keys() & others.keys())
    weights = _weights([part for part, _ in shared], name)
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


def _values(checked: CheckedRun, name: str) -> dict[tuple[str, str], float]:
    """Metric and sample -> value, of all that the headline is made of."""
    return {
        (part, id_): value
        for part in _parts(name)
        for id_, value in checked.values.get(part, {}).items()
        if not math.isnan(value)
    }


def _parts(name: str) -> tuple[str, ...]:
    return SIDES if name == ACCURACY else (name,)


def _weights(parts: Sequence[str], name: str) -> Array | None:
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


def _why_not(entry: Entry, name: str) -> str:
    """Why a run cannot be ranked; nothing if it can.

    Ranks and figures have to be of the same values: a page on which they differ is wrong.

    Raises:
        AdapterError: if they are not.
    """
    values = _values(entry.checked, name)
    figure = figure_of(entry, name)
    claimed = None if figure is None else figure.mean
    weights = _weights([part for part, _ in values], name)
    made = None if weights is None else float(np.average([*values.values()], weights=weights))
    if claimed is not None and not values:
        return "its records give no value of each sample"
    if (made is None) != (claimed is None) or abs((made or 0.0) - (claimed or 0.0)) > _ROUNDING:
        raise AdapterError(
            f"{entry.model.name}, run {entry.run.key}: the values of its samples make {name}"
            f" {made}, and it says {claimed}. It cannot be ranked; verify it again."
        )
    return "" if claimed is not None else f"its {name} is undefined"


def _base_of(entry: Entry, entries: Sequence[Entry]) -> int | None:
    """The place of the model that it was tuned from."""
    tuning = entry.model.tuning
    if tuning is None:
        return None
    wanted = (tuning.base.name, tuning.base.revision)
    return next(
        (
            place
            for place, it in enumerate(entries)
            if (it.model.name, it.model.revision) == wanted and it is not entry
        ),
        None,
    )


def _order(one: Ranked) -> tuple[float, float, str, str]:
    mean = one.figure.mean if one.figure is not None else None
    sign = 1.0 if one.headline in LOWER_IS_BETTER else -1.0
    return (
        math.inf if one.rank is None else one.rank,
        math.inf if mean is None else sign * mean,
        one.entry.model.name.casefold(),
        one.entry.slug,
    )
