"""What leaked against what was shared: where a model stands between discretion and silence."""

from __future__ import annotations

from collections.abc import Mapping

from harness_adapters.collapse.comparison import Comparison
from harness_adapters.collapse.report.drawing.canvas import (
    WIDTH,
    Sheet,
    finish,
    legend_height,
)
from harness_adapters.collapse.report.drawing.chart import Chart
from harness_adapters.collapse.report.drawing.palette import MUTED, Look
from harness_adapters.collapse.report.drawing.plane import Move, draw_moves, frame
from harness_adapters.collapse.report.drawing.tasks import (
    LEAKED,
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
_SIDE = 290.0


def twin(comparison: Comparison, task: TaskArms, looks: Mapping[str, Look]) -> Chart | str:
    """The chart of one task, or why there is none."""
    title = f"Leaked against shared: {line(task.label)}"
    leaked, shared = measure_of(task, LEAKED), measure_of(task, SHARED)
    moves = [] if leaked is None or shared is None else _moves(task, leaked, shared, looks)
    if leaked is None or shared is None or not moves:
        return f"{title}: what leaked and what was shared are not both known in both arms."
    name = f"twin-{task.number}"
    description = (
        "Top left is discretion: what is to be shared is shared and nothing else. On the diagonal"
        " discernment is 0: the model tells as much of what it must withhold as of what it must"
        " share. An arrow goes from base to tuned."
    )
    sheet = _drawn(comparison, task, leaked, shared, moves, looks)
    return Chart(
        name,
        title,
        description,
        finish(sheet, name, title, description),
        _table(leaked, shared, moves),
    )


def _moves(
    task: TaskArms, leaked: Measure, shared: Measure, looks: Mapping[str, Look]
) -> list[Move]:
    moves = []
    for one in task.comparisons:
        across, up = pair_of(one, leaked), pair_of(one, shared)
        if across is not None and up is not None:
            moves.append(
                Move(one.tuned, looks[one.tuned], across.base, up.base, across.tuned, up.tuned)
            )
    return moves


def _drawn(
    comparison: Comparison,
    task: TaskArms,
    leaked: Measure,
    shared: Measure,
    moves: list[Move],
    looks: Mapping[str, Look],
) -> Sheet:
    arms = arms_of(task, comparison.base.name, looks)
    top = legend_height(arms) + 8
    sheet = Sheet(top + 22 + _SIDE + 42)
    sheet.legend(0, arms)
    sheet.text(2, top + 9, f"{shared.axis}, %, better ↑", color=MUTED)
    axes = sheet.axes(_LEFT, top + 22, _SIDE, _SIDE)
    frame(axes)
    axes.set_xlim(-3, 103)
    axes.set_ylim(-3, 103)
    axes.set_xticks(range(0, 101, 20))
    axes.set_yticks(range(0, 101, 20))
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1.2, dashes=(4, 3), zorder=1)
    axes.text(
        62, 58, "discernment 0", rotation=45, rotation_mode="anchor", color=MUTED, va="top",
        ha="left",
    )  # fmt: skip
    draw_moves(axes, moves)
    sheet.text(
        WIDTH - 30, top + 22 + _SIDE + 30, f"{leaked.axis}, %, worse →", color=MUTED, ha="right"
    )
    return sheet


def _table(leaked: Measure, shared: Measure, moves: list[Move]) -> Table:
    return Table(
        "Leaked and shared",
        ("Tuned arm", f"{leaked.axis}, base", f"{leaked.axis}, tuned",
         f"{shared.axis}, base", f"{shared.axis}, tuned"),
        tuple(
            (
                line(move.tuned),
                rate(move.base_x),
                rate(move.tuned_x),
                rate(move.base_y),
                rate(move.tuned_y),
            )
            for move in moves
        ),
    )  # fmt: skip
