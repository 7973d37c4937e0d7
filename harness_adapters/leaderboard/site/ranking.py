"""Ranks that say no more than the data do: who is better, beyond error, than whom.

Runs are compared in pairs (`comparing`), if anybody can check them and nearly all of their samples
are judged. Over all pairs of a board the p-values are corrected; those of tuned models with their
bases are corrected by themselves, so that who else submits has no part in them. A difference is
beyond error if its corrected p-value is below 5 % and its 95 % interval leaves out 0. A model's
rank is 1 + the number of models that are better than it beyond error.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from harness_adapters.collapse.report.wording import hundredths
from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.site.bases import base_of
from harness_adapters.leaderboard.site.boards import Board, Entry
from harness_adapters.leaderboard.site.comparing import (
    Gap,
    Pair,
    corrected,
    gap,
    values_of,
    weights_of,
)
from harness_adapters.leaderboard.site.unlike import Same, same_outputs, unlike_most
from harness_adapters.leaderboard.submission import Figure, headline_of

LOWER_IS_BETTER = frozenset({"leak_rate"})
"""Among what can be a headline."""

LEAST_JUDGED = 0.9
"""Share of its samples that has to be judged of a run that is ranked."""

HASHED = "outputs are not published, so nobody can check its verdicts"

_ROUNDING = 1e-6


class Ranked(NamedTuple):
    """A run with its place on its board."""

    entry: Entry
    headline: str
    """The metric that ranks, the same for the whole board."""
    rank: int | None
    """None where it cannot be ranked."""
    tied: bool
    """Whether others have the same rank."""
    among: int
    """How many on the board can be ranked."""
    why_not: str
    """Why it cannot be ranked; empty where it can."""
    base: Entry | None
    """The run of the model that it was tuned from, on this board."""
    moved: Gap | None
    """From there to here; None where that cannot be told."""
    no_base: str
    """Why it cannot; empty where it can, and where no base is named."""
    same: tuple[Same, ...]
    """Other submissions that wrote the same."""
    unlike: tuple[str, ...]
    """Its limits and versions that are not those of most on its board."""

    @property
    def alone(self) -> bool:
        """Whether it is the only one that can be ranked: there is nobody to be better than."""
        return self.rank is not None and self.among == 1

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


def ranked(board: Board, names: Collection[str] = ()) -> tuple[Ranked, ...]:
    """The runs of a board, best first.

    Args:
        board: the board.
        names: of all models of the site, casefolded.

    Raises:
        AdapterError: if the values of a run's samples do not make its headline.
    """
    name, entries = headline_on(board), board.entries
    why_not = [_why_not(entry, name) for entry in entries]
    fit = [place for place, why in enumerate(why_not) if not why]
    gaps = {
        (one, other): gap(entries[one].checked, entries[other].checked, name)
        for one, other in combinations(fit, 2)
    }
    for place in _not_comparable(gaps):
        why_not[place] = "too few of its samples have a value in other runs as well"
    ranks = _ranks(gaps, why_not, name)
    among = sum(rank is not None for rank in ranks)
    moved = _from_bases(board, gaps, why_not, names)
    found = [
        Ranked(
            entry,
            name,
            ranks[place],
            ranks[place] is not None and ranks.count(ranks[place]) > 1,
            among,
            why_not[place],
            *moved[place],
            same_outputs(entries, place),
            unlike_most(entries, place),
        )
        for place, entry in enumerate(entries)
    ]
    return tuple(sorted(found, key=_order))


Gaps = Mapping[Pair, Gap | None]
"""The first less the second; None where they cannot be compared."""


def _not_comparable(gaps: Gaps) -> set[int]:
    """Those that have no rank as they cannot be compared with others, most of all first."""
    left_out: set[int] = set()
    while True:
        missing = Counter(
            place
            for pair, it in gaps.items()
            if it is None and not left_out & set(pair)
            for place in pair
        )
        if not missing:
            return left_out
        most = max(missing.values())
        left_out |= {place for place, count in missing.items() if count == most}


def _ranks(gaps: Gaps, why_not: Sequence[str], name: str) -> list[int | None]:
    """1 + how many are better beyond error; None for those that cannot be ranked."""
    ranks = [None if why else 1 for why in why_not]
    known = {
        pair: it
        for pair, it in gaps.items()
        if it is not None and not any(why_not[place] for place in pair)
    }
    for (one, other), it in corrected(known).items():
        for worse, seen in ((other, it), (one, it.reversed)):
            rank = ranks[worse]
            if rank is not None and is_better(seen, name):
                ranks[worse] = rank + 1
    return ranks


OfBase = tuple[Entry | None, Gap | None, str]
"""The base's run, the way from it, and why there is none."""


def _from_bases(
    board: Board, gaps: Gaps, why_not: Sequence[str], names: Collection[str]
) -> list[OfBase]:
    """From each tuned model's base to it; corrected for how many there are of these alone."""
    entries = board.entries
    bases = [base_of(entry, entries, names) for entry in entries]
    pairs = [(place, it.place) for place, it in enumerate(bases) if it.place is not None]
    known = {pair: it for pair in pairs if (it := _either_way(gaps, pair)) is not None}
    moved = {place: it for (place, _), it in corrected(known).items()}
    found: list[OfBase] = []
    for place, base in enumerate(bases):
        if base.place is None:
            found.append((None, None, base.why_not))
        elif place in moved:
            found.append((entries[base.place], moved[place], ""))
        elif why_not[place] or why_not[base.place]:
            why = "not compared with its base: only runs that can be ranked are"
            found.append((entries[base.place], None, why))
        else:
            why = "too few samples have a value of its base as well"
            found.append((entries[base.place], None, why))
    return found


def _either_way(gaps: Gaps, pair: Pair) -> Gap | None:
    if (found := gaps.get(pair)) is not None:
        return found
    other = gaps.get((pair[1], pair[0]))
    return None if other is None else other.reversed


def _why_not(entry: Entry, name: str) -> str:
    """Why a run cannot be ranked; nothing if it can."""
    reasons = (
        HASHED if entry.submission.outputs == "hashed" else "",
        _too_few_judged(entry),
        _undefined(entry, name),
    )
    return "; ".join(it for it in reasons if it)


def _too_few_judged(entry: Entry) -> str:
    """Samples without a verdict may be those that leak, so that few of them are no matter."""
    judged = figure_of(entry, "judged")
    if judged is None or judged.mean is None:
        return "nobody knows how many of its samples are judged"
    # a mean of many values may be off by a rounding
    if judged.mean >= LEAST_JUDGED - _ROUNDING:
        return ""
    least = hundredths(LEAST_JUDGED).removesuffix(".0")
    return f"only {hundredths(judged.mean)} % of its samples are judged, and ranks need {least} %"


def _undefined(entry: Entry, name: str) -> str:
    """Why it has no headline.

    Ranks and figures have to be of the same values: a page on which they differ is wrong.

    Raises:
        AdapterError: if they are not.
    """
    values = values_of(entry.checked, name)
    figure = figure_of(entry, name)
    claimed = None if figure is None else figure.mean
    weights = weights_of([part for part, _ in values], name)
    made = None if weights is None else float(np.average([*values.values()], weights=weights))
    if claimed is not None and not values:
        return "its records give no value of each sample"
    if (made is None) != (claimed is None) or abs((made or 0.0) - (claimed or 0.0)) > _ROUNDING:
        raise AdapterError(
            f"{entry.model.name}, run {entry.run.key}: the values of its samples make {name}"
            f" {made}, and it says {claimed}. It cannot be ranked; verify it again."
        )
    return "" if claimed is not None else f"its {name} is undefined"


def _order(one: Ranked) -> tuple[float, float, float, str, str]:
    mean = one.figure.mean if one.figure is not None else None
    judged = figure_of(one.entry, "judged")
    sign = 1.0 if one.headline in LOWER_IS_BETTER else -1.0
    return (
        math.inf if one.rank is None else one.rank,
        math.inf if mean is None else sign * mean,
        0.0 if judged is None or judged.mean is None else -judged.mean,
        one.entry.model.name.casefold(),
        one.entry.slug,
    )
