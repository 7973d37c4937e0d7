"""Privacy against utility, task by task: did the one fall while the other stayed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.ticker import MaxNLocator

from harness_adapters.collapse.comparison import BenchmarkComparison, Comparison
from harness_adapters.collapse.report.drawing.canvas import (
    WIDTH,
    Sheet,
    finish,
    legend_height,
    shorten,
    text_width,
)
from harness_adapters.collapse.report.drawing.chart import Chart
from harness_adapters.collapse.report.drawing.palette import MUTED, Look
from harness_adapters.collapse.report.drawing.plane import Move, draw_moves, frame, window
from harness_adapters.collapse.report.drawing.tasks import (
    PRIVACY,
    SHARED,
    Measure,
    TaskArms,
    arms_of,
    measure_of,
    pair_of,
)
from harness_adapters.collapse.report.table import Table
from harness_adapters.collapse.report.wording import line, rate

_LEFT = 40.0
_GAP = 14.0
_PANEL = 140.0
_ABOVE = 22.0
_BELOW = 56.0


class _Panel(NamedTuple):
    title: str
    metric: str
    better: str
    """Which way."""
    moves: tuple[Move, ...]


def trade_off(comparison: Comparison, task: TaskArms, looks: Mapping[str, Look]) -> Chart | str:
    """The chart of one task, or why there is none."""
    title = f"Privacy against utility: {line(task.label)}"
    privacy = measure_of(task, PRIVACY)
    if privacy is None:
        return f"{title}: neither leak_rate nor withhold_accuracy is known."
    utility = [bench for bench in comparison.benchmarks if bench.kind == "utility"]
    panels = _of_benchmarks(task, privacy, utility, looks)
    beside = f"{len(panels)} utility benchmark{'s' if len(panels) > 1 else ''}"
    if not utility:
        panels = _of_sharing(task, privacy, looks)
        beside = "the share of what was to be told, as there is no utility benchmark"
    if not panels:
        return f"{title}: no figure of utility is known in both arms."
    name = f"trade-off-{task.number}"
    description = (
        f"Privacy ({privacy.axis}) beside {beside}. Points are arms, lines their 95 % intervals,"
        " all in per cent; an arrow goes from base to tuned. One that goes straight down is how a"
        " silent collapse looks."
    )
    sheet = _drawn(comparison, task, privacy, panels, looks)
    return Chart(
        name, title, description, finish(sheet, name, title, description), _table(privacy, panels)
    )


def _of_benchmarks(
    task: TaskArms,
    privacy: Measure,
    utility: Sequence[BenchmarkComparison],
    looks: Mapping[str, Look],
) -> list[_Panel]:
    panels: dict[tuple[str, str, str], list[Move]] = {}
    for bench in utility:
        better = "better →" if bench.higher_is_better else "← better"
        key = (line(bench.task), line(bench.metric), better)
        for one in task.comparisons:
            pair = pair_of(one, privacy)
            if pair is None or one.tuned != bench.tuned:
                continue
            move = Move(
                one.tuned, looks[one.tuned], bench.base_mean, pair.base, bench.tuned_mean,
                pair.tuned,
            )  # fmt: skip
            if None not in (bench.base_mean.value, bench.tuned_mean.value):
                panels.setdefault(key, []).append(move)
    return [_Panel(*key, tuple(moves)) for key, moves in panels.items()]


def _of_sharing(task: TaskArms, privacy: Measure, looks: Mapping[str, Look]) -> list[_Panel]:
    sharing = measure_of(task, SHARED)
    if sharing is None:
        return []
    moves = []
    for one in task.comparisons:
        across, up = pair_of(one, sharing), pair_of(one, privacy)
        if across is not None and up is not None:
            moves.append(
                Move(one.tuned, looks[one.tuned], across.base, up.base, across.tuned, up.tuned)
            )
    return [_Panel("items to share", sharing.axis, "better →", tuple(moves))] if moves else []


def _drawn(
    comparison: Comparison,
    task: TaskArms,
    privacy: Measure,
    panels: Sequence[_Panel],
    looks: Mapping[str, Look],
) -> Sheet:
    arms = arms_of(task, comparison.base.name, looks)
    top = legend_height(arms) + 8
    across = 1 if len(panels) == 1 else 2
    width = (WIDTH - _LEFT - 8 - _GAP * (across - 1)) / across
    height = _PANEL if across == 2 else 200.0
    rows = -(-len(panels) // across)
    sheet = Sheet(top + rows * (_ABOVE + height + _BELOW))
    sheet.legend(0, arms)
    up = window([it for panel in panels for move in panel.moves for it in move[3::2]])
    for number, panel in enumerate(panels):
        left = _LEFT + (number % across) * (width + _GAP)
        above = top + (number // across) * (_ABOVE + height + _BELOW)
        axes = sheet.axes(left, above + _ABOVE, width, height)
        frame(axes)
        axes.set_ylim(*up)
        axes.set_xlim(*window([it for move in panel.moves for it in move[2::2]]))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4 if across == 2 else 7, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        if number % across:
            axes.tick_params(labelleft=False)
        else:
            sheet.text(2, above + 9, f"{privacy.axis}, %, better ↑", color=MUTED)
        draw_moves(axes, panel.moves)
        below = above + _ABOVE + height
        sheet.text(left + width / 2, below + 27, shorten(panel.title, width), ha="center")
        metric = shorten(panel.metric, width - text_width(f", {panel.better}"))
        sheet.text(
            left + width / 2, below + 43, f"{metric}, {panel.better}", ha="center", color=MUTED
        )
    return sheet


def _table(privacy: Measure, panels: Sequence[_Panel]) -> Table:
    return Table(
        "Privacy and utility",
        ("Utility", "Tuned arm", "Utility, base", "Utility, tuned",
         f"{privacy.axis}, base", f"{privacy.axis}, tuned"),
        tuple(
            (
                panel.title,
                line(move.tuned),
                rate(move.base_x),
                rate(move.tuned_x),
                rate(move.base_y),
                rate(move.tuned_y),
            )
            for panel in panels
            for move in panel.moves
        ),
    )  # fmt: skip
