"""Two measures against each other: arms as points with both intervals, base to tuned an arrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from harness_adapters.collapse.comparison import Interval
from harness_adapters.collapse.report.drawing.canvas import (
    draw_arrow,
    draw_grid,
    draw_interval,
    draw_mark,
    draw_upright,
)
from harness_adapters.collapse.report.drawing.palette import BASE, MUTED, Look
from harness_adapters.collapse.report.wording import known


class Move(NamedTuple):
    """Where the base arm is, and where a tuned arm is."""

    tuned: str
    look: Look
    base_x: Interval
    base_y: Interval
    tuned_x: Interval
    tuned_y: Interval


def draw_moves(axes: Axes, moves: Iterable[Move]) -> None:
    """All points of one panel; a base that is the same for several arms is drawn once."""
    drawn: set[tuple[Interval, Interval]] = set()
    for move in moves:
        start = _at(move.base_x, move.base_y)
        end = _at(move.tuned_x, move.tuned_y)
        if start is None or end is None:
            continue
        if (move.base_x, move.base_y) not in drawn:
            drawn.add((move.base_x, move.base_y))
            _point(axes, start, move.base_x, move.base_y, BASE)
        _point(axes, end, move.tuned_x, move.tuned_y, move.look)
        draw_arrow(axes, start, end)


def frame(axes: Axes) -> None:
    """A grid in both directions and a line at the left."""
    axes.spines["left"].set_visible(True)
    axes.spines["left"].set_color(MUTED)
    draw_grid(axes)


def window(intervals: Sequence[Interval]) -> tuple[float, float]:
    """Limits that hold all intervals, in hundredths, at least 20 apart and within 0 and 100."""
    figures = [(it.value, it.lower, it.upper) for it in intervals]
    ends = [value * 100 for three in figures for value in map(known, three) if value is not None]
    if not ends:
        return 0.0, 100.0
    lower, upper = min(ends), max(ends)
    room = max((upper - lower) * 0.12, (20 - (upper - lower)) / 2, 2)
    lower, upper = lower - room, upper + room
    if min(ends) >= 0 and max(ends) <= 100:
        lower, upper = max(lower, -3.0), min(upper, 103.0)
    return lower, upper


def _point(axes: Axes, at: tuple[float, float], x: Interval, y: Interval, look: Look) -> None:
    draw_interval(axes, x, at[1], look)
    draw_upright(axes, y, at[0], look)
    draw_mark(axes, at[0], at[1], look)


def _at(x: Interval, y: Interval) -> tuple[float, float] | None:
    across, up = known(x.value), known(y.value)
    return None if across is None or up is None else (across * 100, up * 100)
