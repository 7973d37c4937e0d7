"""The report as one HTML file that asks nobody for anything.

Everything from outside is text: the template escapes it, hidden characters are shown by their code
points, and a policy in the page forbids every request and every script but the page's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from harness_adapters.collapse.comparison import COLLAPSES, Comparison, LeakCase, Output, Verdict
from harness_adapters.collapse.report.charts import chart_sections
from harness_adapters.collapse.report.drawing.palette import VARIABLES
from harness_adapters.collapse.report.drawing.svg import with_variables
from harness_adapters.collapse.report.facets import facets
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
from harness_adapters.pages.page import dress, environment
from harness_adapters.pages.passages import Passage, passages

_INTERVAL = re.compile(r"\[([+−]?[\d.]+), ([+−]?[\d.]+)\]")
_UNIT = re.compile(r"(?<=\d) (?=%|points)|(?<=[τε]) (?==)|(?<==) (?=\d)")
_LONG = 3_000
"""Outputs of more characters scroll in a box of their own."""


class _Shown(NamedTuple):
    """One output in a card."""

    output: Output
    parts: tuple[Passage, ...]
    long: bool


class _Card(NamedTuple):
    """One case."""

    case: LeakCase
    outputs: tuple[_Shown, ...]
    changes: tuple[tuple[str, str, str], ...]
    """Tuned arm, change, and the change in words."""
    options: dict[str, str]
    """Filter -> its numbers, with spaces around them."""


def write_html(comparison: Comparison, file: Path) -> None:
    """Writes the report of a comparison.

    Args:
        comparison: what is to be said.
        file: where to; it is overwritten.
    """
    file.write_text(_page(comparison), encoding="utf-8", newline="\n")


def _page(comparison: Comparison) -> str:
    templates = environment(__package__)
    templates.filters.update(
        {
            "line": line,
            "count": count,
            "margin": margin,
            "word_class": _word_class,
            "unbroken": _unbroken,
        }
    )
    worn = dress(__package__, "report.css", "report.js")
    template = templates.get_template("report.html.j2")
    found = facets(comparison)
    return template.render(
        comparison=comparison,
        policy=worn.policy,
        style=worn.style,
        script=worn.script,
        verdicts=comparison.verdicts,
        task_table=task_table(comparison),
        certainty_table=certainty_table(comparison),
        metric_table=metric_table(comparison),
        benchmark_table=benchmark_table(comparison),
        parameter_table=parameter_table(comparison),
        arm_table=arm_table(comparison),
        provenance_table=provenance_table(comparison),
        warnings=warnings(comparison),
        chart_sections=chart_sections(comparison),
        inlined=_inlined,
        facets=found,
        cards=[
            _card(comparison, case, {facet.name: facet.cases[number] for facet in found})
            for number, case in enumerate(comparison.cases)
        ],
    )


def _unbroken(text: str) -> str:
    """The text with figures that no line end parts from their interval's end or their unit."""
    return _UNIT.sub("\u00a0", _INTERVAL.sub("[\\1,\u00a0\\2]", text))


def _inlined(svg: str) -> Markup:
    """A chart: its text was escaped when it was written as XML."""
    return Markup(with_variables(svg, VARIABLES))  # noqa: S704


def _word_class(verdict: Verdict) -> str:
    if verdict.word in COLLAPSES:
        return "falls"
    return "stays" if verdict.word == "no collapse" else "open"


def _card(comparison: Comparison, case: LeakCase, options: Mapping[str, tuple[int, ...]]) -> _Card:
    return _Card(
        case,
        tuple(_output(case, output) for output in case.outputs),
        tuple(
            (arm.name, case.changes[arm.name], CHANGES[case.changes[arm.name]])
            for arm in comparison.tuned
            if arm.name in case.changes
        ),
        {name: f" {' '.join(map(str, numbers))} " for name, numbers in options.items()},
    )


def _output(case: LeakCase, output: Output) -> _Shown:
    quotes = [
        leak.quote
        for item in case.items
        for leak in item.leaks
        if leak.arm == output.arm and leak.quote
    ]
    return _Shown(output, passages(output.text, quotes), len(output.text) > _LONG)
