"""The headline as a bar: a point with its interval, and an arrow from a base model to a tuned one.

All bars of a page have one scale. Where a line is, is worked out here; the template draws it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

from harness_adapters.collapse.report.wording import hundredths
from harness_adapters.leaderboard.site.ranking import Ranked, is_better
from harness_adapters.leaderboard.submission import Figure

WIDTH = 150.0
_SIDE = 11.0
_HEAD = 6.0
_STEP = 0.5

Way = Literal["falls", "rises", "open"]


class Tick(NamedTuple):
    """A mark of the scale."""

    x: float
    label: str
    zero: bool


class Arrow(NamedTuple):
    """From the base model's headline to its own."""

    start: float
    end: float
    head: float
    """Where its head begins."""
    way: Way


class Bar(NamedTuple):
    """One headline."""

    at: float
    lower: float
    upper: float
    arrow: Arrow | None


class Scale(NamedTuple):
    """From `least` to 1, in hundredths."""

    least: float

    def x(self, value: float) -> float:
        """Where a value lies."""
        share = (min(max(value, self.least), 1.0) - self.least) / (1 - self.least)
        return round(_SIDE + (WIDTH - 2 * _SIDE) * share, 1)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """At every half, and at its ends."""
        values = sorted({self.least, *(it for it in (-0.5, 0.0, 0.5, 1.0) if it >= self.least)})
        return tuple(Tick(self.x(it), hundredths(it).removesuffix(".0"), it == 0) for it in values)


def scale_of(figures: Iterable[Figure | None]) -> Scale:
    """One scale for all of them: from 0, or from as far below as an interval reaches."""
    least = min(
        (it.lower for it in figures if it is not None and it.lower is not None), default=0.0
    )
    return Scale(max(-1.0, min(0.0, math.floor(least / _STEP) * _STEP)))


def way_of(one: Ranked) -> Way:
    """Whether a tuned model is worse than its base, or better, beyond error."""
    if one.moved is None or not one.moved.beyond:
        return "open"
    return "rises" if is_better(one.moved, one.headline) else "falls"


def bar(scale: Scale, one: Ranked) -> Bar | None:
    """How a headline is drawn; None where it is undefined."""
    own, base = one.figure, one.figure_of_base if one.moved is not None else None
    if own is None or own.mean is None or own.lower is None or own.upper is None:
        return None
    at = scale.x(own.mean)
    arrow = None
    if base is not None and base.mean is not None:
        arrow = _arrow(scale.x(base.mean), at, way_of(one))
    return Bar(at, scale.x(own.lower), scale.x(own.upper), arrow)


def _arrow(start: float, end: float, way: Way) -> Arrow:
    sign = math.copysign(1.0, end - start)
    return Arrow(start, end, round(end - sign * min(_HEAD, abs(end - start)), 1), way)
