"""`privacy-tasks rejudge`: the replies of a run of lm-eval, judged later or by another judge."""

from __future__ import annotations

from pathlib import Path

import click

from harness_adapters.cli.judge_option import (
    cards_option,
    judge_option,
    known_cards,
    named_judge,
)
from harness_adapters.cli.output import examples, json_option, out, print_json, progress
from harness_adapters.cli.results import print_figures, print_leaks
from harness_adapters.runs.correction import with_correction
from harness_adapters.runs.lm_eval_results import read_runs_of


@click.command(
    epilog=examples(
        "privacy-tasks rejudge results/my-model --judge openai/gpt-4.1",
        "privacy-tasks rejudge results/my-model/results_2026-11-22T10-00-00.json --judge lexical",
        """privacy-tasks rejudge results --judge '{"model": "openai/gpt-4.1", "seed": 1}'""",
    )
)
@click.argument("place", metavar="DIR", type=click.Path(path_type=Path))
@judge_option
@click.option(
    "--judge-connections",
    default=32,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many calls to the judge are under way at once.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write; beside the old results unless given.",
)
@cards_option
@json_option
def rejudge(
    place: Path,
    judge: tuple[str, ...],
    judge_connections: int,
    folder: Path | None,
    cards: Path | None,
    as_json: bool,
) -> None:
    """Judge the samples of a run of lm-eval, and write a new results file.

    DIR is where lm_eval wrote results and samples (--output_path, --log_samples), or one of its
    results files.
    """
    from harness_adapters.judge_choice import make_judge
    from harness_adapters.lm_eval.rejudge import find_results
    from harness_adapters.lm_eval.rejudge import rejudge as judge_again

    file = find_results(place)
    spec = named_judge(judge)
    make_judge(spec, 1)  # a missing key or package is known before the first call
    new = judge_again(file, spec, judge_connections, folder)
    known = known_cards(cards)
    runs = [with_correction(run, known) for run in read_runs_of(new, leaks=3)]
    progress().print(f"Written: {new}", markup=False, soft_wrap=True)
    if as_json:
        print_json([run.model_dump() for run in runs])
        return
    console = out()
    print_figures(console, runs)
    for run in runs:
        print_leaks(console, run)
