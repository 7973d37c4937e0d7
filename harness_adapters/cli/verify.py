"""`privacy-tasks verify`: is a submission what it claims?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness_adapters.cli.data_option import data_option, given_data, labels_option
from harness_adapters.cli.judge_option import cards_option, known_cards, named_judge
from harness_adapters.cli.output import (
    GateCommand,
    WrongUseError,
    examples,
    json_option,
    out,
    print_json,
)
from harness_adapters.cli.submit import coverage
from judges.visible import visible

if TYPE_CHECKING:
    from harness_adapters.leaderboard.checked import Checked
    from harness_adapters.leaderboard.verifying.rejudging import Rejudging

NOT_VERIFIED = 2


@click.command(
    cls=GateCommand,
    epilog=examples(
        "privacy-tasks verify submissions/my-model",
        "privacy-tasks verify submissions/* --json",
        "privacy-tasks verify my-model.zip --rejudge 100 --judge openai/gpt-4.1",
        "privacy-tasks verify my-model --data privacylens:main_data.json",
    ),
)
@click.argument("places", metavar="DIR…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--rejudge",
    metavar="N",
    type=click.IntRange(min=1),
    help="Have N records, drawn at random, judged again by --judge.",
)
@click.option(
    "--judge",
    multiple=True,
    help="With --rejudge: a grader model as in Inspect, or lexical. Given several times: a panel.",
)
@click.option(
    "--seed", type=int, help="Of the draw, to repeat one; another each time unless given."
)
@click.option(
    "--judge-connections",
    default=16,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many calls to the judge are under way at once.",
)
@data_option
@labels_option
@cards_option
@json_option
def verify(
    places: Sequence[Path],
    rejudge: int | None,
    judge: tuple[str, ...],
    seed: int | None,
    judge_connections: int,
    data: Sequence[str],
    labels: Path | None,
    cards: Path | None,
    as_json: bool,
) -> None:
    """Check submissions: is what they claim what their records make?

    DIR… are folders of submissions, or zip files of them. Every figure is computed again from the
    records and the norms of the released sets; replies are read again; every quote is looked for
    in its output; with the lexical judge everything is judged again. Exit code 0: verified. 2: not
    verified, and why. 1: it could not be looked at, or not at everything. docs/submitting.md says
    what this proves and what it cannot.
    """
    from harness_adapters.leaderboard.verifying.verification import verify as verified

    if (rejudge is None) != (not judge):
        raise WrongUseError("--rejudge and --judge go together.")
    if seed is not None and rejudge is None:
        raise WrongUseError("--seed is of the draw for --rejudge.")
    given, known = given_data(data, labels), known_cards(cards)
    found = [
        verified(place, given, known, _rejudging(rejudge, judge, seed, judge_connections))
        for place in places
    ]
    copies = _copies(places, found)
    if as_json:
        print_json(
            [
                _json(checked) | {"copies": copies.get(place, [])}
                for place, checked in zip(places, found, strict=True)
            ]
        )
    else:
        for checked in found:
            print_checked(out(), checked, briefly=len(found) > 1)
        for said in _alike(found):
            out().print(said, markup=False, soft_wrap=True)
        for place, same in copies.items():
            said = visible(f"{place} {'; '.join(same)}")
            out().print(said, markup=False, soft_wrap=True)
    if copies or any(checked.refuted for checked in found):
        sys.exit(NOT_VERIFIED)
    if not all(checked.verified for checked in found):
        sys.exit(1)


def _rejudging(
    size: int | None, judge: tuple[str, ...], seed: int | None, connections: int
) -> Rejudging | None:
    if size is None:
        return None
    from harness_adapters.leaderboard.verifying.rejudging import Rejudging

    return Rejudging(size, named_judge(judge), seed=seed, connections=connections)


def _alike(found: Sequence[Checked]) -> list[str]:
    """Runs of two submissions whose outputs are largely the same, which is said and no fault."""
    from harness_adapters.leaderboard.checked import alike
    from harness_adapters.leaderboard.submission import board_of

    runs = [(checked, run, board_of(run.run)) for checked in found for run in checked.runs]
    said = []
    for place, (one, mine, board) in enumerate(runs):
        for other, theirs, another in runs[:place]:
            if other is not one and board == another and (same := alike(mine, theirs)).striking:
                said.append(
                    visible(
                        f"Note: {same.same} of {same.of} long outputs of {one.name}"
                        f" ({mine.run.key}) are word for word those of {other.name}."
                    )
                )
    return said


def _copies(places: Sequence[Path], found: Sequence[Checked]) -> dict[Path, list[str]]:
    """Runs that stand in two submissions: under two names they are one model's."""
    seen: dict[tuple[str, str], tuple[Path, str]] = {}
    said: dict[Path, list[str]] = {}
    for place, checked in zip(places, found, strict=True):
        if checked.submission is None:
            continue
        for run in checked.submission.runs:
            other, model = seen.setdefault(
                (run.task, run.run_id), (place, checked.submission.model.name)
            )
            if other.resolve() != place.resolve():
                said.setdefault(place, []).append(
                    f"holds the run of {run.task} that {other} ({model}) holds as well"
                )
    return said


def _json(checked: Checked) -> dict[str, Any]:
    model = checked.submission.model if checked.submission else None
    return {
        "name": checked.name,
        "verified": checked.verified,
        "model": None if model is None else model.name,
        "revision": None if model is None else model.revision,
        "checks": [check.model_dump() for check in checked.checks],
    }


_MARKS = {"passed": "[green]✓[/green]", "failed": "[red]✗[/red]", "not checked": "–"}


def print_checked(console: Console, checked: Checked, *, briefly: bool = False) -> None:
    """What was found, on a terminal.

    Args:
        console: where to.
        checked: what was found.
        briefly: whether what passed in a verified submission is left out.
    """
    model = checked.submission.model if checked.submission else None
    named = f" ({_shown(model.name)}, {_shown(model.revision)})" if model else ""
    word = "[green]verified[/green]" if checked.verified else "[red]NOT VERIFIED[/red]"
    if not checked.verified and not checked.refuted:
        word = "[red]NOT VERIFIED: not everything could be looked at[/red]"
    console.print(f"[bold]{_shown(checked.name)}[/bold]{named}: {word}", soft_wrap=True)
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for check in checked.checks:
        if briefly and checked.verified and check.outcome == "passed":
            continue
        said = check.said
        if check.outcome == "not checked":
            said = f"not checked: {said}" + ("" if check.required else " (not required)")
        table.add_row(_MARKS[check.outcome], escape(check.name), escape(said))
    console.print(table)
    if checked.submission is not None:
        for note in coverage(checked.submission):
            console.print(f"Note: {visible(note)}", markup=False, soft_wrap=True)


def _shown(name: str) -> str:
    """A name that somebody else chose, on one line."""
    return escape(" ".join(visible(name).split()))
