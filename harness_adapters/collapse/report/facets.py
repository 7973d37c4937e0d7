"""What the leaks of a page can be filtered by, as numbers: a filter never compares hostile text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from harness_adapters.collapse.comparison import Comparison, LeakCase
from harness_adapters.collapse.report.wording import CHANGES, line

UNCHANGED = "no leak"


class Facet(NamedTuple):
    """One filter."""

    name: str
    """For ids and attributes, of ours."""
    label: str
    options: tuple[str, ...]
    counts: tuple[int, ...]
    """Cases of each option."""
    cases: tuple[tuple[int, ...], ...]
    """For each case, its options."""


def facets(comparison: Comparison) -> tuple[Facet, ...]:
    """All filters; those that tell nothing apart are left out."""
    cases = comparison.cases
    found = [
        _facet("task", "Task", cases, lambda case: [case.task]),
        _facet("domain", "Domain", cases, lambda case: [case.domain]),
        _facet("channel", "Channel", cases, lambda case: [case.channel]),
        _facet("type", "Type of item", cases, lambda case: [item.type for item in case.items]),
    ]
    several = len(comparison.tuned) > 1
    for number, arm in enumerate(comparison.tuned):
        label = f"Change, {line(arm.name)}" if several else "Change"
        found.append(_facet(f"change-{number}", label, cases, _change_in(arm.name)))
    return tuple(facet for facet in found if len(facet.options) > 1)


def _change_in(arm: str) -> Callable[[LeakCase], list[str]]:
    def change(case: LeakCase) -> list[str]:
        return [CHANGES[case.changes[arm]] if arm in case.changes else UNCHANGED]

    return change


def _facet(
    name: str,
    label: str,
    cases: Sequence[LeakCase],
    of: Callable[[LeakCase], Iterable[str]],
) -> Facet:
    values = [sorted({line(value) for value in of(case)}) for case in cases]
    counts = Counter(value for them in values for value in them)
    options = tuple(sorted(counts, key=str.casefold))
    place = {option: number for number, option in enumerate(options)}
    return Facet(
        name,
        label,
        options,
        tuple(counts[option] for option in options),
        tuple(tuple(place[value] for value in them) for them in values),
    )
