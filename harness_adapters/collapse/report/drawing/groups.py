"""Rates by domain, by channel and by type of item: where it leaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from harness_adapters.collapse.comparison import Comparison, Group, GroupRate, Interval
from harness_adapters.collapse.report.drawing.canvas import (
    WIDTH,
    Sheet,
    draw_interval,
    draw_lane,
    draw_mark,
    finish,
    legend_height,
    shorten,
)
from harness_adapters.collapse.report.drawing.chart import Chart
from harness_adapters.collapse.report.drawing.palette import BASE, MUTED, Look
from harness_adapters.collapse.report.drawing.tasks import TaskArms, arms_of
from harness_adapters.collapse.report.table import Table
from harness_adapters.collapse.report.wording import count, known, line, rate

Kind = Literal["domain", "channel", "type"]

_WORDS: dict[Kind, tuple[str, str]] = {
    "domain": ("domain", "scenarios"),
    "channel": ("channel", "scenarios"),
    "type": ("type of item", "items to withhold"),
}
_SIDE = 10.0
_NAME = 18.0
_ARM = 11.0
_BETWEEN = 7.0


_MOST = 20
"""Groups that are drawn: what a type of item has is often a single fact."""


class _Row(NamedTuple):
    name: str
    rates: list[tuple[GroupRate, Look]]


def groups(
    comparison: Comparison, task: TaskArms, kind: Kind, looks: Mapping[str, Look]
) -> Chart | str:
    """The chart of one task, or why there is none."""
    words, units = _WORDS[kind]
    metric = _metric(task, kind)
    title = f"{metric} by {words}: {line(task.label)}"
    every = _rows(comparison, task, kind, looks)
    rows = _largest(every)
    if not any(known(one.rate.value) is not None for row in rows for one, _ in row.rates):
        return f"{title}: no rate is known."
    name = f"{kind}-{task.number}"
    description = (
        f"Points are the {metric} of each arm, lines their 95 % intervals, which are wide where"
        f" there are few {units}."
    )
    if len(rows) < len(every):
        description += (
            f" These are the {len(rows)} of {len(every)} with the most {units}; all are in the JSON"
            " of privacy-tasks compare."
        )
    sheet = _drawn(arms_of(task, comparison.base.name, looks), rows, metric)
    return Chart(
        name,
        title,
        description,
        finish(sheet, name, title, description),
        Table(
            title,
            (words.capitalize(), "Arm", metric, units.capitalize()),
            tuple(
                (line(row.name), line(one.arm), rate(one.rate), count(one.n))
                for row in rows
                for one, _ in row.rates
            ),
        ),
    )


def _largest(rows: list[_Row]) -> list[_Row]:
    """The rows with the most in them, in their order."""
    by_size = sorted(rows, key=lambda row: -max((one.n for one, _ in row.rates), default=0))
    kept = {row.name for row in by_size[:_MOST]}
    return [row for row in rows if row.name in kept]


def _metric(task: TaskArms, kind: Kind) -> str:
    """What the rates are of: scenarios, by the task's first metric, or items to withhold."""
    return "item_leak_rate" if kind == "type" else line(task.comparisons[0].first.metric)


def _rows(
    comparison: Comparison, task: TaskArms, kind: Kind, looks: Mapping[str, Look]
) -> list[_Row]:
    """Each group once, with the arms that have it; a base that differs by arm is there twice."""
    rows: dict[str, _Row] = {}
    seen: set[tuple[str, str, Interval, int]] = set()
    for one in task.comparisons:
        of_kind: dict[Kind, Sequence[Group]] = {
            "domain": one.by_domain,
            "channel": one.by_channel,
            "type": one.by_type,
        }
        for group in of_kind[kind]:
            row = rows.setdefault(group.name, _Row(group.name, []))
            for found in group.rates:
                key = (group.name, found.arm, found.rate, found.n)
                if key in seen:
                    continue
                seen.add(key)
                look = BASE if found.arm == one.base else looks.get(found.arm, BASE)
                row.rates.append((found, look))
    return list(rows.values())


def _drawn(arms: list[tuple[str, Look]], rows: list[_Row], metric: str) -> Sheet:
    top = legend_height(arms) + 8
    heights = [_NAME + _ARM * len(row.rates) + _BETWEEN for row in rows]
    sheet = Sheet(top + sum(heights) + 44)
    sheet.legend(0, arms)
    axes = sheet.axes(_SIDE, top, WIDTH - 2 * _SIDE, sum(heights))
    axes.set_ylim(sum(heights), 0)
    axes.set_xlim(-1, 101)
    axes.set_yticks([])
    axes.set_xticks(range(0, 101, 20))
    at = 0.0
    for row, height in zip(rows, heights, strict=True):
        axes.text(-1, at + 9, shorten(row.name, WIDTH - 2 * _SIDE), va="center")
        for number, (one, look) in enumerate(row.rates):
            value = known(one.rate.value)
            y = at + _NAME + _ARM * (number + 0.3)
            if value is not None:
                draw_interval(axes, one.rate, y, look)
                draw_mark(axes, value * 100, y, look)
        draw_lane(axes, at + _NAME - 2, at + height - _BETWEEN + 2)
        at += height
    sheet.text(WIDTH - _SIDE, top + sum(heights) + 32, f"{metric}, %", color=MUTED, ha="right")
    return sheet
