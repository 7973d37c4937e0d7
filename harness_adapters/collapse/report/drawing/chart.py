"""A chart, once it is drawn."""

from __future__ import annotations

from typing import NamedTuple

from harness_adapters.collapse.report.table import Table


class Chart(NamedTuple):
    """One figure of the report."""

    name: str
    """For ids and files: letters, digits and hyphens of ours."""
    title: str
    description: str
    """What it shows, how to read it."""
    svg: str
    """Well-formed, with nothing in it but shapes and text, in the colours of `palette`."""
    table: Table
    """Its figures."""


class ChartSection(NamedTuple):
    """Charts that belong together."""

    title: str
    charts: tuple[Chart, ...]
    missing: tuple[str, ...]
    """Charts that could not be drawn: which and why, a sentence each."""
