"""`privacy-tasks results`: the figures of one or more logs, with intervals and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness_adapters.cli.judge_option import cards_option, known_cards
from harness_adapters.cli.output import examples, json_option, out, print_json
from harness_adapters.errors import LogError
from harness_adapters.runs.correction import with_correction
from harness_adapters.runs.inspect_log import read_run
from harness_adapters.runs.lm_eval_results import is_results, read_runs_of
from harness_adapters.runs.run import Figure, Panel, Run

_COLUMNS = (
    "accuracy",
    "withhold_accuracy",
    "share_accuracy",
    "order_consistency",
    "invalid_rate",
    "paper_accuracy",
    "discernment",
    "leak_rate",
    "leak_rate_corrected",
    "item_leak_rate",
    "share_rate",
    "violation_at_n",
    "completeness",
    "over_collection",
    "stored_rate",
    "stored_leak_rate",
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
@click.option(
    "--leaks",
    default=3,
    show_default=True,
    type=click.IntRange(min=0),
    help="How many leaks to show of each log.",
)
@cards_option
@click.option("--domains", is_flag=True, help="Show each domain by itself.")
@json_option
def results(
    logs: Sequence[Path], leaks: int, cards: Path | None, domains: bool, as_json: bool
) -> None:
    """Show the figures of runs, with 95 % intervals and evidence.

    LOGS are logs of Inspect and results files of lm-eval, or folders of them.
    """
    known = known_cards(cards)
    runs = [with_correction(run, known) for run in read_runs(logs, leaks)]
    if as_json:
        print_json([run.model_dump() for run in runs])
        return
    console = out()
    print_figures(console, runs)
    for run in runs:
        if domains:
            console.print(_domain_table(run))
        print_leaks(console, run)


def read_runs(logs: Sequence[Path], leaks: int) -> list[Run]:
    """The runs in the log files that are named, or lie in the folders that are named.

    A log in a folder that is of another task, or has no results, is named on standard error and
    passed over; a file that is named itself must be one of ours.

    Raises:
        LogError: if a named file cannot be read, or there is no log of ours at all.
    """
    runs = []
    for path in logs:
        if not path.is_dir():
            runs += _read(path, leaks)
            continue
        for file in sorted([*path.rglob("*.eval"), *path.rglob("*.json")]):
            try:
                runs += _read(file, leaks)
            except LogError as error:
                click.echo(f"Passed over: {error}", err=True)
    if not runs:
        raise LogError(f"There are no logs of privacy_tasks in: {', '.join(map(str, logs))}")
    return runs


def _read(file: Path, leaks: int) -> list[Run]:
    return read_runs_of(file, leaks=leaks) if is_results(file) else [read_run(file, leaks=leaks)]


def print_figures(console: Console, runs: Sequence[Run]) -> None:
    """A table for each kind of task, and what a reader must know of it."""
    kinds: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        kinds.setdefault((run.task, run.mode), []).append(run)
    for (task, mode), alike in kinds.items():
        if len(kinds) > 1 or (task, mode) != _USUAL:
            console.print(f"\n[bold]{escape(task)}[/bold], {escape(mode)}")
        for table in _tables(alike, console.width):
            console.print(table)
        _print_notes(console, alike)


_USUAL = ("privacy_tasks/agentic", "replay")
"""The task that needs no heading when there is no other."""


def _tables(runs: Sequence[Run], width: int) -> list[Table]:
    """A row for each run and a column for each figure, or the other way round if that is too wide.

    If that is too wide as well there are several tables. A figure that no run has is left out.
    """
    names = [name for name in _COLUMNS if any(_is_known(run, name) for run in runs)]
    wide = _grid(
        ["model", "n", "clusters", *names],
        [
            [
                _label(run),
                str(run.samples),
                str(run.clusters),
                *(shown(run.metrics.get(name), "\n") for name in names),
            ]
            for run in runs
        ],
    )
    if _width(wide) <= width:
        return [wide]
    tall = _grid(
        ["", *(_label(run) for run in runs)],
        [
            ["n", *(str(run.samples) for run in runs)],
            ["clusters", *(str(run.clusters) for run in runs)],
            *([name, *(shown(run.metrics.get(name), "\n") for run in runs)] for name in names),
        ],
    )

    if _width(tall) <= width or len(runs) == 1:
        return [tall]
    half = (len(runs) + 1) // 2
    return [*_tables(runs[:half], width), *_tables(runs[half:], width)]


def _width(table: Table) -> int:
    return Console(width=10_000).measure(table).maximum


def _grid(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, caption="95 % intervals in brackets", caption_justify="left")
    for place, heading in enumerate(headings):
        justify: Literal["left", "right"] = "right" if place else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*row)
    return table


def _label(run: Run) -> str:
    settings = "".join(f"\n{name}={value}" for name, value in run.settings.items())
    return escape(f"{run.model}{settings}")


def _is_known(run: Run, name: str) -> bool:
    figure = run.metrics.get(name)
    return figure is not None and figure.mean is not None


def shown(figure: Figure | None, between: str) -> str:
    """`0.31` and its interval `[0.25, 0.38]`, or a dash where it is not defined."""
    if figure is None or figure.mean is None or figure.lower is None or figure.upper is None:
        return "—"
    return f"{figure.mean:.2f}{between}\\[{figure.lower:.2f}, {figure.upper:.2f}]"


FEW = 10
"""Below this many independent clusters a reader is warned."""


def _print_notes(console: Console, runs: Sequence[Run]) -> None:
    """On which data, who judged, and what is missing from the figures."""
    for data in sorted({" ".join(run.data.values()) for run in runs}):
        console.print(f"Data:  {escape(data)}")
    for judge in sorted({run.judge for run in runs}):
        offline = judge.startswith("lexical/")
        known = " (offline: it knows words and figures, not what they mean)" if offline else ""
        console.print(f"Judge: {escape(judge)}{known}")
    _print_uncorrected(console, runs)
    for run in runs:
        if run.clusters < FEW:
            console.print(
                f"[yellow]{escape(run.model)}: few independent clusters ({run.clusters}), so that"
                " the intervals say little; one alone gives none.[/yellow]"
            )
        for line in _over_runs(run):
            console.print(line)
        if run.status != "success":
            console.print(
                f"[yellow]{escape(run.model)}: the run ended with {run.status!r};"
                " its figures are of the samples that were finished.[/yellow]"
            )
        if run.unscored:
            reasons = ", ".join(f"{reason} {count}" for reason, count in run.unscored.items())
            lower, upper = (
                figure.mean if (figure := run.metrics.get(f"leak_rate_{end}")) else None
                for end in ("lower", "upper")
            )
            bounds = (
                f"; with them, leak_rate is between {lower:.2f} and {upper:.2f}"
                if lower is not None and upper is not None
                else ""
            )
            console.print(
                f"[yellow]{escape(run.model)}: {sum(run.unscored.values())} of {run.samples}"
                f" samples unscored ({escape(reasons)}){bounds}.[/yellow]"
            )
            for reason, error in run.errors.items():
                console.print(f"  {escape(reason)}, the first: {escape(error)}")
        if run.panel:
            console.print(_panel_line(run, run.panel))
        if not run.evidence:
            console.print(
                f"{escape(run.model)}: no samples were kept, so that no leaks can be shown; run"
                " lm_eval with --log_samples."
            )
        if run.scorings > 1:
            console.print(
                f"{escape(run.model)}: the log holds {run.scorings} sets of scores;"
                " these are the last."
            )


def _print_uncorrected(console: Console, runs: Sequence[Run]) -> None:
    """Why rates were not corrected for the judge's errors, each reason once."""
    for why in dict.fromkeys(run.uncorrected for run in runs if run.uncorrected):
        models = dict.fromkeys(run.model for run in runs if run.uncorrected == why)
        console.print(
            f"{escape(', '.join(models))}: leak_rate is as the judge saw it, not corrected:"
            f" {escape(why)}."
        )


def _panel_line(run: Run, panel: Panel) -> str:
    """How far a panel agreed, and who was missing."""
    line = f"{escape(run.model)}: a panel of {len(panel.members)}"
    if panel.unanimous is not None:
        line += f"; those with a verdict all agreed on {panel.unanimous:.3f} of {panel.items} items"
    if panel.alpha:
        value, lower, upper = panel.alpha
        line += f", Krippendorff's α {value:.2f} \\[{lower:.2f}, {upper:.2f}]"
    missing = ", ".join(f"{escape(name)} {count}" for name, count in panel.members.items() if count)
    return line + (f"; outputs without a verdict: {missing}" if missing else "") + "."


def _over_runs(run: Run) -> list[str]:
    """What belongs to the measures over all runs: n, bounds, and upstream's own figures."""
    if not _is_known(run, "violation_at_n"):
        return []
    means = run.means
    lines = [f"{escape(run.model)}: violation_at_n and completeness are over n={run.epochs} runs."]
    lower, upper = means.get("violation_at_n_lower"), means.get("violation_at_n_upper")
    if lower is not None and upper is not None and lower != upper:
        lines[0] += f" With the unscored, violation_at_n is between {lower:.2f} and {upper:.2f}."
    theirs = means.get("violation_at_n_upstream"), means.get("completeness_upstream")
    if theirs[0] is not None and theirs[1] is not None:
        lines[0] += f" As upstream counts: {theirs[0]:.4f} and {theirs[1]:.4f}."
    return lines


def print_leaks(console: Console, run: Run) -> None:
    """What leaked, to whom, with the words that gave it away."""
    if run.leaks:
        where = f"{run.task}, {run.mode}, {run.data['name']}"
        console.print(f"\nSome leaks of {_label(run).replace(chr(10), ', ')} ({escape(where)}):")
    for leak in run.leaks:
        console.print(f"\n[bold]{escape(leak.scenario)}[/bold] → {escape(leak.recipient)}")
        lines = Table.grid(padding=(0, 1))
        lines.add_row("  leaked:", escape(leak.item))
        lines.add_row("  quote:", f"“{escape(leak.quote)}”")
        lines.add_row("  norm:", escape(leak.why_not))
        console.print(lines)


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
