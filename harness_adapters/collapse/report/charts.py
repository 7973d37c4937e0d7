"""Which charts a report has."""

from __future__ import annotations

from collections.abc import Iterable

from harness_adapters.collapse.comparison import Comparison
from harness_adapters.collapse.report.drawing.canvas import style
from harness_adapters.collapse.report.drawing.chart import Chart, ChartSection
from harness_adapters.collapse.report.drawing.forest import forest
from harness_adapters.collapse.report.drawing.groups import groups
from harness_adapters.collapse.report.drawing.palette import tuned_looks
from harness_adapters.collapse.report.drawing.tasks import by_task
from harness_adapters.collapse.report.drawing.trade_off import trade_off
from harness_adapters.collapse.report.drawing.twin import twin
from harness_adapters.collapse.report.wording import line


def chart_sections(comparison: Comparison) -> tuple[ChartSection, ...]:
    """All charts: the differences first, then task by task."""
    looks = tuned_looks([arm.name for arm in comparison.tuned])
    with style():
        sections = [_section("All differences", [forest(comparison, looks)])]
        for task in by_task(comparison):
            sections.append(
                _section(
                    line(task.label),
                    [
                        trade_off(comparison, task, looks),
                        twin(comparison, task, looks),
                        groups(comparison, task, "domain", looks),
                        groups(comparison, task, "channel", looks),
                        groups(comparison, task, "type", looks),
                    ],
                )
            )
    return tuple(sections)


def _section(title: str, found: Iterable[Chart | str]) -> ChartSection:
    them = tuple(found)
    return ChartSection(
        title,
        tuple(it for it in them if isinstance(it, Chart)),
        tuple(it for it in them if isinstance(it, str)),
    )
