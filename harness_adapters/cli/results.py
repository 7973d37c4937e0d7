"""`privacy-tasks results`: the figures of one or more logs, with intervals and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness_adapters.cli.output import examples, json_option, out, print_json
from harness_adapters.errors import LogError
from harness_adapters.runs.inspect_log import Figure, Run, read_run

_COLUMNS = (
    "discernment",
    "leak_rate",
    "item_leak_rate",
    "share_rate",
    "helpful_rate",
    "leak_rate_helpful",
    "no_action_rate",
    "judged",
)


@click.command(
    epilog=examples(
        "privacy-tasks results logs/",
        "privacy-tasks results logs/2026-11-20_agentic.eval --domains --leaks 5",
        "privacy-tasks results logs/ --json > results.json",
    )
)
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--leaks", default=3, show_default=True, help="How many leaks to show of each log.")
@click.option("--domains", is_flag=True, help="Show each domain by itself.")
@json_option
def results(logs: Sequence[Path], leaks: int, domains: bool, as_json: bool) -> None:
    """Show the figures of Inspect logs, with 95 % intervals and evidence.

    LOGS are log files, or folders of them.
    """
    runs = [read_run(file, leaks=leaks) for file in log_files(logs)]
    if as_json:
        print_json([run.model_dump() for run in runs])
        return
    console = out()
    print_figures(console, runs)
    for run in runs:
        if domains:
            console.print(_domain_table(run))
        print_leaks(console, run)


def log_files(logs: Sequence[Path]) -> list[Path]:
    """The log files that are named, or lie in the folders that are named.

    Raises:
        LogError: if a path does not exist or a folder holds no log.
    """
    files: list[Path] = []
    for path in logs:
        if path.is_dir():
            found = sorted(path.glob("*.eval"))
            if not found:
                raise LogError(f"There are no .eval logs in {path}.")
            files += found
        else:
            files.append(path)
    return files


def print_figures(console: Console, runs: Sequence[Run]) -> None:
    """The table, and what a reader must know of it."""
    console.print(_table(runs))
    _print_notes(console, runs)


def _table(runs: Sequence[Run]) -> Table:
    """One row a run: each figure with its interval; a figure that no run has is left out."""
    names = [name for name in _COLUMNS if any(run.metrics[name].mean is not None for run in runs)]
    table = Table(box=box.SIMPLE_HEAD, caption="95 % intervals in brackets", caption_justify="left")
    table.add_column("model", no_wrap=True)
    table.add_column("n", justify="right")
    for name in names:
        table.add_column(name, justify="right", overflow="fold")
    for run in runs:
        figures = (shown(run.metrics[name]) for name in names)
        table.add_row(escape(run.model), str(run.samples), *figures)
    return table


def shown(figure: Figure) -> str:
    """`0.31` over its interval `[0.25, 0.38]`, or a dash where it is not defined."""
    if figure.mean is None or figure.lower is None or figure.upper is None:
        return "—"
    return f"{figure.mean:.2f}\n\\[{figure.lower:.2f}, {figure.upper:.2f}]"


def _print_notes(console: Console, runs: Sequence[Run]) -> None:
    """On which data, who judged, and what is missing from the figures."""
    for data in sorted({" ".join(run.data.values()) for run in runs}):
        console.print(f"Data:  {escape(data)}")
    for judge in sorted({run.judge for run in runs}):
        floor = " (a floor: it finds no paraphrase)" if judge.startswith("lexical/") else ""
        console.print(f"Judge: {escape(judge)}{floor}")
    for run in runs:
        if run.status != "success":
            console.print(
                f"[yellow]{escape(run.model)}: the run ended with {run.status!r};"
                " its figures are of the samples that were finished.[/yellow]"
            )
        if run.unscored:
            reasons = ", ".join(f"{reason} {count}" for reason, count in run.unscored.items())
            lower, upper = (run.metrics[f"leak_rate_{end}"].mean for end in ("lower", "upper"))
            bounds = (
                f"; with them, leak_rate is between {lower:.2f} and {upper:.2f}"
                if lower is not None and upper is not None
                else ""
            )
            console.print(
                f"[yellow]{escape(run.model)}: {sum(run.unscored.values())} of {run.samples}"
                f" samples unscored ({escape(reasons)}){bounds}.[/yellow]"
            )


def print_leaks(console: Console, run: Run) -> None:
    """What leaked, to whom, with the words that gave it away."""
    for leak in run.leaks:
        console.print(f"\n[bold]{escape(leak.scenario)}[/bold] → {escape(leak.recipient)}")
        console.print(f"  leaked: {escape(leak.item)}")
        console.print(f"  quote:  “{escape(leak.quote)}”")
        console.print(f"  norm:   {escape(leak.why_not)}")


def _domain_table(run: Run) -> Table:
    table = Table(title=f"{escape(run.model)}, by domain")
    table.add_column("domain")
    for name in run.domains:
        table.add_column(name, justify="right")
    names = sorted({domain for means in run.domains.values() for domain in means})
    for domain in names:
        means = (means.get(domain) for means in run.domains.values())
        table.add_row(escape(domain), *("—" if mean is None else f"{mean:.2f}" for mean in means))
    return table
