"""The report as Markdown, with its charts as SVG files beside it.

Everything from outside is text here too: names and sentences are escaped, outputs stand in code
blocks with fences longer than any in them. There is no HTML in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote as in_address

from harness_adapters.collapse.comparison import Comparison, ItemLeak, LeakCase, Output, Verdict
from harness_adapters.collapse.report.charts import chart_sections
from harness_adapters.collapse.report.drawing.chart import Chart
from harness_adapters.collapse.report.drawing.svg import standing_alone
from harness_adapters.collapse.report.table import Table
from harness_adapters.collapse.report.tables import (
    arm_table,
    benchmark_table,
    certainty_table,
    metric_table,
    parameter_table,
    provenance_table,
    task_table,
    warnings,
)
from harness_adapters.collapse.report.wording import CHANGES, count, line, margin
from judges.visible import visible
from privacy_tasks.explanation import plain

_WWW = re.compile(r"(www)\.", re.IGNORECASE)
_NUMBER = re.compile(r"^(\d+)([.)])(?=\s|$)")
_AT = re.compile(r"(?<=\S)@(?=\S)|@(?=\w)")
_FENCES = re.compile(r"`{3,}")


def write_markdown(comparison: Comparison, file: Path) -> None:
    """Writes the report of a comparison, and its charts into `NAME_files` beside it.

    Args:
        comparison: what is to be said.
        file: where to, such as `report.md`; it and charts of the same names are overwritten.
    """
    folder = file.with_name(f"{file.stem}_files")
    folder.mkdir(exist_ok=True)
    sections = chart_sections(comparison)
    for section in sections:
        for chart in section.charts:
            path = folder / f"{chart.name}.svg"
            path.write_text(standing_alone(chart.svg), encoding="utf-8", newline="\n")
    lines = [
        *_head(comparison),
        *_tables(comparison),
        "## Charts",
        "",
    ]
    for section in sections:
        lines += [f"### {_text(section.title)}", ""]
        for chart in section.charts:
            lines += _chart(chart, folder.name)
        for sentence in section.missing:
            lines += [f"Left out. {_text(sentence)}", ""]
    lines += [*_methods(comparison), *_leaks(comparison)]
    file.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8", newline="\n")


def _head(comparison: Comparison) -> Iterator[str]:
    names = ", ".join(f"**{_text(arm.name)}**" for arm in comparison.tuned)
    yield "# Did contextual privacy collapse?"
    yield ""
    yield (
        f"Base **{_text(comparison.base.name)}** against {names}. A difference is tuned − base,"
        f" with its 95 % interval. τ = {margin(comparison.threshold)},"
        f" ε = {margin(comparison.margin)}."
    )
    yield ""
    for verdict in comparison.verdicts:
        yield from _verdict(verdict)


def _verdict(verdict: Verdict) -> Iterator[str]:
    yield f"## {_text(verdict.tuned)}: {verdict.word}"
    yield ""
    for reason in verdict.reasons:
        yield f"- {_text(reason)}"
    if verdict.scenarios_needed is not None:
        yield f"- About {count(verdict.scenarios_needed)} scenarios of a task would decide."
    yield ""
    if verdict.cautions:
        yield "To know before believing it:"
        yield ""
        for caution in verdict.cautions:
            yield f"- {_text(caution)}"
        yield ""


def _tables(comparison: Comparison) -> Iterator[str]:
    yield "## Privacy tasks"
    yield ""
    if comparison.tasks:
        for table in (task_table, certainty_table, metric_table):
            yield from _table(table(comparison))
    else:
        yield "No privacy task was in both arms."
        yield ""
    yield "## Standard benchmarks"
    yield ""
    if comparison.benchmarks:
        yield from _table(benchmark_table(comparison))
    else:
        yield ("No benchmark was named, so nothing is said about capability or safety.")
        yield ""


def _chart(chart: Chart, folder: str) -> Iterator[str]:
    yield f"![{_text(chart.title)}]({in_address(folder)}/{chart.name}.svg)"
    yield ""
    yield _text(chart.description)
    yield ""
    yield from _table(chart.table)


def _methods(comparison: Comparison) -> Iterator[str]:
    yield "## Methods and provenance"
    yield ""
    notes = [_text(note) for note in comparison.notes]
    notes += [f"{_text(name)}: {_text(warning)}" for name, warning in warnings(comparison)]
    if notes:
        yield from (f"- {note}" for note in notes)
        yield ""
    for table in (parameter_table, arm_table, provenance_table):
        yield from _table(table(comparison))


def _leaks(comparison: Comparison) -> Iterator[str]:
    yield "## Leaks"
    yield ""
    if not comparison.cases:
        yield "No scenario has a leak in any arm."
    if comparison.cases_in_all > len(comparison.cases):
        yield (
            f"{count(comparison.cases_in_all)} scenarios have a leak;"
            f" {count(len(comparison.cases))} of them are shown here. Figures above count all."
        )
        yield ""
    for case in comparison.cases:
        yield from _case(case)


def _case(case: LeakCase) -> Iterator[str]:
    yield f"### {_text(case.scenario)}"
    yield ""
    yield f"- {_text(case.task)}; {_text(case.domain)}; {_text(case.channel)}"
    yield f"- Recipient: {_text(case.recipient)}"
    yield f"- Purpose: {_text(case.purpose)}"
    for arm, change in case.changes.items():
        yield f"- {_text(arm)}: {CHANGES[change]}"
    for item in case.items:
        yield f"- **{_text(item.statement)}** ({_text(item.type)})"
        whom = "" if item.recipient == case.recipient else f" from {_text(item.recipient)}"
        yield f"    - To withhold{whom}: {_text(item.why_not)}"
        for leak in item.leaks:
            yield f"    - {_leak(leak)}"
    yield ""
    for output in case.outputs:
        yield from _output(output)


def _leak(leak: ItemLeak) -> str:
    said = f", “{_text(leak.quote)}”" if leak.quote else ""
    return f"{_text(leak.arm)}: leaked {leak.leaked} of {leak.judged}{said}"


def _output(output: Output) -> Iterator[str]:
    unscored = "" if output.unscored is None else f", unscored: {_text(output.unscored)}"
    run = f", {_text(output.run)}" if output.run else ""
    yield f"{_text(output.arm)}{run}{unscored}:"
    yield ""
    text = visible(output.text)
    fence = "`" * (max((len(found) for found in _FENCES.findall(text)), default=2) + 1)
    yield f"{fence}text"
    yield text
    yield fence
    yield ""
    if output.left_out > 0:
        yield f"{count(output.left_out)} more characters are not shown."
        yield ""


def _table(table: Table) -> Iterator[str]:
    yield f"**{_text(table.title)}**"
    yield ""
    yield _row(table.columns)
    yield "|" + " --- |" * len(table.columns)
    for row in table.rows:
        yield _row(row)
    yield ""


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_text("; ".join(cell.split("\n"))) for cell in cells) + " |"


def _text(text: str) -> str:
    """Text that no reader of Markdown makes anything of, on one line.

    What `plain` leaves are the addresses that GitHub finds by itself, and numbers of lists. An @ is
    set as code, as nothing else stops GitHub from making mail addresses and mentions of it.
    """
    escaped = _NUMBER.sub(r"\1\\\2", plain(line(text)))
    return _AT.sub("`@`", _WWW.sub(r"\1\\.", escaped))
