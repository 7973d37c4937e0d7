"""`privacy-tasks compare`: did privacy collapse? Base against fine-tuned."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness_adapters.cli.judge_option import cards_option, known_cards
from harness_adapters.cli.output import (
    GateCommand,
    examples,
    json_option,
    out,
    print_json,
)
from harness_adapters.errors import AdapterError

if TYPE_CHECKING:
    from harness_adapters.collapse.comparison import (
        BenchmarkComparison,
        Comparison,
        Interval,
        TaskComparison,
        Verdict,
    )

_MANY = ("--base", "--tuned", "--utility", "--safety")
_APART = "\0"
"""Stands between the values of one option: no argument can hold it."""


class _Compare(GateCommand):
    """Lets an option take all values up to the next one: `--base A B C --tuned D`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _gathered(args))


def _gathered(args: Sequence[str]) -> list[str]:
    found: list[str] = []
    many = False
    for arg in args:
        name, equals, value = arg.partition("=")
        if name in _MANY and arg.startswith("--"):
            found += [name, value] if equals else [name]
            many = True
            fresh = not equals
        elif arg.startswith("-") and arg != "-":
            found.append(arg)
            many = False
        elif many and not fresh:
            found[-1] += _APART + arg
        else:
            found.append(arg)
            fresh = False
    return found


@click.command(
    cls=_Compare,
    epilog=examples(
        "privacy-tasks compare --base logs/base --tuned logs/tuned",
        "privacy-tasks compare --base logs/base/*.eval --tuned ckpt-500=logs/500 --tuned"
        " ckpt-900=logs/900",
        "privacy-tasks compare --base study/base --tuned study/tuned --utility commonsense_qa"
        " --safety agentharm:refusal --report report.html --fail-on collapse",
    ),
)
@click.option(
    "--base",
    "base",
    metavar="[NAME=]LOG…",
    required=True,
    multiple=True,
    help="Logs of the base model: files or folders, of Inspect or lm-eval; several runs of a task"
    " are seeds.",
)
@click.option(
    "--tuned",
    "tuned",
    metavar="[NAME=]LOG…",
    required=True,
    multiple=True,
    help="Logs of a fine-tuned model. Each --tuned is an arm of its own: a checkpoint, a data set.",
)
@click.option(
    "--utility",
    metavar="TASK[:METRIC[:lower]]…",
    multiple=True,
    help="A task in these logs that measures capability, and which figure of it (lower: where a"
    " lower one is better).",
)
@click.option(
    "--safety",
    metavar="TASK[:METRIC[:lower]]…",
    multiple=True,
    help="A task in these logs that measures safety: reported beside, not part of the verdict.",
)
@click.option(
    "--threshold",
    "--tau",
    default=5.0,
    show_default=True,
    type=click.FloatRange(min=0, max=100, max_open=True),
    help="τ, in points: a rise of the leak rate (for probes, a fall of withhold_accuracy) by more"
    " is a collapse.",
)
@click.option(
    "--margin",
    "--epsilon",
    default=3.0,
    show_default=True,
    type=click.FloatRange(min=0, max=100, min_open=True, max_open=True),
    help="ε, in points: a benchmark that moves by less is as good as before.",
)
@click.option(
    "--allow-unpaired",
    is_flag=True,
    help="Compare what differs in samples; and show, without a verdict, what differs in judge,"
    " prompts or data.",
)
@cards_option
@click.option(
    "--report",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report to this file, .html or .md. Can be given twice.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["collapse", "inconclusive"]),
    multiple=True,
    help="End with exit code 2 on such a verdict of any tuned arm (a gate for CI): any of the three"
    " collapses, or those and inconclusive.",
)
@json_option
def compare(
    base: Sequence[str],
    tuned: Sequence[str],
    utility: Sequence[str],
    safety: Sequence[str],
    threshold: float,
    margin: float,
    allow_unpaired: bool,
    cards: Path | None,
    report: Sequence[Path],
    fail_on: Sequence[str],
    as_json: bool,
) -> None:
    """Did privacy collapse? A base model against fine-tuned ones, beside standard benchmarks.

    Compares what both ran: the same scenarios, data, prompts and judge. Says of each tuned arm
    `silent collapse`, `collapse with capability loss`, `collapse, capability undecided` (no
    utility benchmark was named, or it shows neither), `no collapse` or `inconclusive`, with the
    reasons. docs/compare.md walks through an example, docs/statistics.md has the formulas.
    """
    from harness_adapters.collapse.arms import Named, read_arm
    from harness_adapters.collapse.benchmarks import Wanted
    from harness_adapters.collapse.study import compare as compare_arms

    _check_points("--threshold", threshold)
    _check_points("--margin", margin)
    _check_reports(report)
    known = known_cards(cards)
    wanted = [Wanted.parse("utility", it) for it in _each(utility)]
    wanted += [Wanted.parse("safety", it) for it in _each(safety)]
    whole = [path for given in base for path in given.split(_APART)]
    of_base = read_arm(Named.parse(whole))
    of_tuned = [read_arm(Named.parse(given.split(_APART))) for given in tuned]
    comparison = compare_arms(
        of_base,
        of_tuned,
        benchmarks=wanted,
        threshold=threshold / 100,
        margin=margin / 100,
        allow_unpaired=allow_unpaired,
        cards=known,
        evidence=bool(report) or as_json,
    )
    for file in report:
        _write(comparison, file)
    if as_json:
        print_json(comparison.model_dump(mode="json"))
    else:
        print_comparison(out(), comparison, report)
    words = {_gate(verdict) for verdict in comparison.verdicts}
    gated = {"collapse"} if fail_on else set()
    if "inconclusive" in fail_on:
        gated.add("inconclusive")
    if words & gated:
        closed = [it for it in comparison.verdicts if _gate(it) in gated]
        names = ", ".join(f"{it.tuned}: {it.word}" for it in closed)
        click.echo(f"The gate --fail-on {' '.join(fail_on)} is closed ({names}).", err=True)
        sys.exit(2)


def _write(comparison: Comparison, file: Path) -> None:
    if file.suffix == ".html":
        from harness_adapters.collapse.report.html import write_html

        write_html(comparison, file)
    else:
        from harness_adapters.collapse.report.markdown import write_markdown

        write_markdown(comparison, file)


def _gate(verdict: Verdict) -> str:
    from harness_adapters.collapse.comparison import COLLAPSES

    return "collapse" if verdict.word in COLLAPSES else verdict.word


def _each(given: Sequence[str]) -> list[str]:
    return [name for many in given for name in many.split(_APART)]


def _check_points(option: str, points: float) -> None:
    if 0 < points < 1:
        raise AdapterError(
            f"{option} {points:g}: it is in points, of which a rate has 100; {100 * points:g} was"
            " meant, perhaps. Less than one point no study shows."
        )


def _check_reports(files: Sequence[Path]) -> None:
    """Before anything is read."""
    for file in files:
        if file.suffix not in (".html", ".md"):
            raise AdapterError(f"--report {file}: a name that ends in .html or .md was expected.")
        if not file.parent.is_dir():
            raise AdapterError(f"--report {file}: there is no folder {file.parent}.")


def print_comparison(console: Console, comparison: Comparison, reports: Sequence[Path]) -> None:
    """The verdicts, the figures they rest on, and what a reader must know."""
    for verdict in comparison.verdicts:
        colour = _COLOURS[_gate(verdict)]
        console.print(
            f"\n[bold {colour}]{escape(verdict.tuned)}: {verdict.word}[/]"
            f"  (base: {escape(comparison.base.name)}; τ {100 * comparison.threshold:g},"
            f" ε {100 * comparison.margin:g} points)"
        )
        for reason in verdict.reasons:
            console.print(f"  • {escape(reason)}", soft_wrap=False)
        tasks = [it for it in comparison.tasks if it.tuned == verdict.tuned]
        for task in tasks:
            _print_task(console, task)
        benchmarks = [it for it in comparison.benchmarks if it.tuned == verdict.tuned]
        for benchmark in benchmarks:
            _print_benchmark(console, benchmark)
        console.print()
        for caution in verdict.cautions:
            console.print(f"[yellow]  ! {escape(caution)}[/yellow]")
        named = [(it.label, it.warnings) for it in tasks]
        named += [(it.task, it.warnings) for it in benchmarks]
        for name, warnings in named:
            for warning in warnings:
                console.print(f"[yellow]  ! {escape(name)}: {escape(warning)}[/yellow]")
        _print_corrections(console, tasks)
    for note in comparison.notes:
        console.print(f"Note: {escape(note)}")
    for arm in (comparison.base, *comparison.tuned):
        console.print(
            f"Arm:   {escape(arm.name)}: {escape(', '.join(arm.models))} ({len(arm.logs)} logs)"
        )
    for judge in dict.fromkeys(task.judge for task in comparison.tasks):
        labels = dict.fromkeys(it.label for it in comparison.tasks if it.judge == judge)
        console.print(f"Judge: {escape(judge)} ({escape('; '.join(labels))})")
    for data in dict.fromkeys(" ".join(task.data.values()) for task in comparison.tasks):
        console.print(f"Data:  {escape(data)}")
    if reports:
        console.print(f"Report: {escape(', '.join(map(str, reports)))}")
    else:
        console.print("The leaks themselves: --report report.html")


_COLOURS = {"collapse": "red", "no collapse": "green", "inconclusive": "yellow"}


def _print_task(console: Console, task: TaskComparison) -> None:
    """A task's metrics, and in words how sure the first one is."""
    console.print(
        f"\n  [bold]{escape(task.label)}[/bold], {_paired(task)}, {task.clusters} clusters"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("  metric", no_wrap=True)
    for name in ("base", "tuned", "difference in points"):
        table.add_column(name, justify="right", no_wrap=True)
    for metric in task.metrics:
        table.add_row(
            f"  {metric.metric}",
            _percent(metric.base.value),
            _percent(metric.tuned.value),
            _points(metric.difference),
        )
    console.print(table)
    said = []
    if task.relative_change and task.relative_change.value is not None:
        said.append(f"relative change {_relative(task.relative_change)}")
    if task.mcnemar:
        said.append(
            f"{task.mcnemar.worse} worse and {task.mcnemar.better} better"
            f" (McNemar p {_p(task.mcnemar.p)})"
        )
    said.append(f"p of no difference {_p(task.p_holm)}")
    said.append(f"p of a loss by no more than τ {_p(task.p_falls)} (both after Holm)")
    if task.power.detectable:
        said.append(f"could see {100 * task.power.detectable:.1f} points")
    console.print(f"  {task.metrics[0].metric}: {'; '.join(said)}.")


def _paired(task: TaskComparison) -> str:
    unit = "probes (in either order)" if task.task.endswith("probing") else "scenarios"
    return f"{task.pairs} {unit} in both arms"


def _print_benchmark(console: Console, it: BenchmarkComparison) -> None:
    way = "higher" if it.higher_is_better else "lower"
    console.print(
        f"\n  [bold]{escape(f'{it.kind}: {it.task}')}[/bold], {escape(it.metric)}, {way} is better"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("  n", "base", "tuned", "difference (90 %)", "p worse", "p better", ""):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row(
        str(it.scenarios),
        _percent(it.base_mean.value),
        _percent(it.tuned_mean.value),
        _points(it.narrow),
        _p(it.p_worse),
        _p(it.p_better),
        it.outcome,
    )
    console.print(table)


def _print_corrections(console: Console, tasks: Sequence[TaskComparison]) -> None:
    """The differences corrected for the judge's errors, or why there are none, each once."""
    for task in tasks:
        if task.corrected:
            console.print(
                f"  {escape(task.label)}: corrected for the judge's errors, leak_rate differs by"
                f" {_points(task.corrected)} points."
            )
    for why in dict.fromkeys(task.uncorrected for task in tasks if task.uncorrected):
        labels = ", ".join(task.label for task in tasks if task.uncorrected == why)
        console.print(
            f"  {escape(labels)}: leak_rate is as the judge saw it, not corrected: {escape(why)}."
        )


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"


def _points(interval: Interval) -> str:
    if interval.value is None or interval.lower is None or interval.upper is None:
        return "—"
    value, lower, upper = (100 * it for it in (interval.value, interval.lower, interval.upper))
    return f"{value:+.1f} \\[{lower:+.1f}, {upper:+.1f}]"


def _relative(interval: Interval | None) -> str:
    if interval is None or interval.value is None:
        return "—"
    return f"{100 * interval.value:+.1f} %"


def _p(value: float | None) -> str:
    if value is None:
        return "—"
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"
