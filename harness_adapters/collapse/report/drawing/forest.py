"""All differences on one sheet: the tasks, then the benchmarks, with what counts as no move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness_adapters.collapse.comparison import Comparison, Interval
from harness_adapters.collapse.report.drawing.canvas import (
    WIDTH,
    Sheet,
    draw_interval,
    draw_lane,
    draw_mark,
    draw_post,
    finish,
    shorten,
    text_width,
)
from harness_adapters.collapse.report.drawing.chart import Chart
from harness_adapters.collapse.report.drawing.palette import BAND, INK, MUTED, Look
from harness_adapters.collapse.report.table import Table
from harness_adapters.collapse.report.wording import (
    better_or_worse,
    direction,
    known,
    line,
    margin,
    points,
    short_points,
)

_ROW = 33.0
_NAME = 19.0
_HEAD = 40.0
_FOOT = 30.0
_SIDE = 10.0


class _Row(NamedTuple):
    name: str
    tuned: str
    difference: Interval
    narrow: Interval | None


class _Section(NamedTuple):
    title: str
    direction: str
    band: float
    sign: str
    rows: list[_Row]


def forest(comparison: Comparison, looks: Mapping[str, Look]) -> Chart | str:
    """The chart, or why there is none."""
    sections = _sections(comparison)
    known_rows = [
        row
        for section in sections
        for row in section.rows
        if known(row.difference.value) is not None
    ]
    title = "Differences, tuned − base"
    if not known_rows:
        return f"{title}: no task and no benchmark has a difference."
    description = (
        "Points are differences, thin lines their 95 % intervals"
        + (", thick lines the 90 % intervals of benchmarks" if comparison.benchmarks else "")
        + ". The shaded band is the move that does not count:"
        f" ±τ = ±{margin(comparison.threshold)} for tasks,"
        f" ±ε = ±{margin(comparison.margin)} for benchmarks."
    )
    name = "forest"
    return Chart(
        name,
        title,
        description,
        finish(_drawn(comparison, sections, looks), name, title, description),
        _table(sections),
    )


def _sections(comparison: Comparison) -> list[_Section]:
    sections: dict[tuple[str, str], _Section] = {}
    for task in comparison.tasks:
        first = task.first
        key = ("task", first.metric)
        way = direction(first)
        title = f"Privacy: {first.metric}"
        section = sections.setdefault(key, _Section(title, way, comparison.threshold, "τ", []))
        section.rows.append(_Row(task.label, task.tuned, first.difference, None))
    for kind in ("utility", "safety"):
        for bench in comparison.benchmarks:
            if bench.kind == kind:
                way = better_or_worse(bench.higher_is_better)
                key = (kind, f"{way} {bench.margin}")
                title = kind.capitalize() + " benchmarks"
                section = sections.setdefault(key, _Section(title, way, bench.margin, "ε", []))
                section.rows.append(_Row(bench.task, bench.tuned, bench.difference, bench.narrow))
    return list(sections.values())


def _drawn(comparison: Comparison, sections: list[_Section], looks: Mapping[str, Look]) -> Sheet:
    several = len(comparison.tuned) > 1
    bodies = [_body_height(section, several) for section in sections]
    sheet = Sheet(sum(bodies) + len(sections) * (_HEAD + _FOOT))
    limits = _limits(sections)
    top = 0.0
    for section, body in zip(sections, bodies, strict=True):
        axes = sheet.axes(_SIDE, top + _HEAD, WIDTH - 2 * _SIDE, body)
        axes.set_xlim(*limits)
        axes.set_ylim(body, 0)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(_tick)
        sheet.text(2, top + 12, shorten(section.title, WIDTH - 4), weight="bold")
        sheet.text(WIDTH - 2, top + 29, f"points, {section.direction}", color=MUTED, ha="right")
        sheet.text(2, top + 29, f"band ±{section.sign} = ±{margin(section.band)}", color=MUTED)
        _draw_rows(axes, section, looks, several)
        top += _HEAD + body + _FOOT
    return sheet


def _body_height(section: _Section, several: bool) -> float:
    names = len({row.name for row in section.rows}) if several else 0
    return _ROW * len(section.rows) + _NAME * names


def _draw_rows(axes: Axes, section: _Section, looks: Mapping[str, Look], several: bool) -> None:
    """Row by row; with several tuned arms the name of the task goes before its rows."""
    names = list(dict.fromkeys(row.name for row in section.rows))
    top = 0.0
    for name in names:
        if several:
            axes.text(axes.get_xlim()[0], top + 10, shorten(name, WIDTH - 2 * _SIDE), va="center")
            top += _NAME
        for row in section.rows:
            if row.name == name:
                _draw_row(axes, row, row.tuned if several else name, top, section, looks)
                top += _ROW


def _draw_row(
    axes: Axes, row: _Row, name: str, top: float, section: _Section, looks: Mapping[str, Look]
) -> None:
    lower, upper = axes.get_xlim()
    figures = short_points(row.difference)
    room = WIDTH - 2 * _SIDE - text_width(figures + "  ")
    colour = INK if name == row.name else MUTED
    axes.text(lower, top + 9, shorten(name, room), va="center", color=colour)
    axes.text(upper, top + 9, figures, va="center", ha="right")
    band = section.band * 100
    axes.fill_between([-band, band], top + 16, top + _ROW - 1, color=BAND, linewidth=0, zorder=0)
    draw_lane(axes, top + 16, top + _ROW - 1)
    draw_post(axes, 0, top + 16, top + _ROW - 1, MUTED)
    value = known(row.difference.value)
    if value is None:
        return
    look = looks[row.tuned]
    draw_interval(axes, row.difference, top + 24, look)
    if row.narrow is not None:
        draw_interval(axes, row.narrow, top + 24, look, width=4)
    draw_mark(axes, value * 100, top + 24, look)


def _limits(sections: list[_Section]) -> tuple[float, float]:
    ends = [0.0]
    for section in sections:
        ends += [-section.band * 115, section.band * 115]
        for row in section.rows:
            figures = (row.difference.value, row.difference.lower, row.difference.upper)
            ends += [value * 100 for value in map(known, figures) if value is not None]
    room = (max(ends) - min(ends)) * 0.03
    return min(ends) - room, max(ends) + room


def _tick(value: float, _place: float) -> str:
    return "0" if abs(value) < 1e-9 else f"{value:+g}".replace("-", "−")


def _table(sections: list[_Section]) -> Table:
    with_intervals = [
        (
            line(row.name),
            line(row.tuned),
            section.title,
            points(row.difference),
            f"±{margin(section.band)}",
            section.direction,
        )
        for section in sections
        for row in section.rows
    ]
    return Table(
        "Differences",
        ("Task or benchmark", "Tuned arm", "What", "Difference", "Band", "Direction"),
        tuple(with_intervals),
    )
