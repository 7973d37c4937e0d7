"""`privacy-tasks submit`: what a run claims, so that others can check it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness_adapters.cli.data_option import data_option, given_data, labels_option
from harness_adapters.cli.judge_option import cards_option, known_cards
from harness_adapters.cli.output import examples, json_option, out, print_json, progress
from harness_adapters.errors import AdapterError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from harness_adapters.leaderboard.submission import Model, Submission, Submitter

ACCESS = ("open-weights", "api", "closed", "reference")


@click.command(
    epilog=examples(
        "privacy-tasks submit logs/my-model -o my-model --revision 5503434d --access open-weights",
        "privacy-tasks submit logs/tuned/*.eval -o tuned --name my-org/my-model --revision v2"
        " --access closed --base meta-llama/Llama-3.1-8B-Instruct@0e9e39f --tuning-data"
        " 'our support tickets, 12,000'",
        "privacy-tasks submit results/gpt-4.1 -o gpt-4.1 --name openai/gpt-4.1 --revision"
        " 2025-04-14 --access api --without-outputs",
    )
)
@click.argument("logs", metavar="LOG…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The submission's folder; it must not be there yet.",
)
@click.option("--name", help="The model, as others know it; as the run names it unless given.")
@click.option(
    "--revision",
    required=True,
    help="Commit of the weights, or dated name of the snapshot; unknown if nobody can tell.",
)
@click.option(
    "--access",
    required=True,
    type=click.Choice(ACCESS),
    help="How others get at the model.",
)
@click.option("--base", metavar="NAME@REVISION", help="Of a tuned model: what it was tuned from.")
@click.option("--tuning-data", help="Of a tuned model: what it was tuned on.")
@click.option("--tuning-method", help="Of a tuned model: LoRA, full, DPO, …")
@click.option("--url", help="Where the model is described (https://…).")
@click.option("--submitter", help="Who submits: a person or organization.")
@click.option("--contact", help="Where they can be asked.")
@click.option("--notes", default="", help="What a reader should know besides.")
@click.option(
    "--without-outputs",
    is_flag=True,
    help="Put hashes in the place of what the model wrote, and of quotes of it. Then nobody can"
    " judge it again.",
)
@click.option(
    "--hub-eval-results",
    metavar="MODEL_REPO",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Also write .eval_results/*.yaml into this clone of the model's repository on the Hugging"
    " Face Hub (needs --dataset).",
)
@click.option("--dataset", metavar="ORG/NAME", help="Where the core set lies on the Hub.")
@data_option
@labels_option
@cards_option
@json_option
def submit(
    logs: Sequence[Path],
    folder: Path,
    name: str | None,
    revision: str,
    access: str,
    base: str | None,
    tuning_data: str | None,
    tuning_method: str | None,
    url: str | None,
    submitter: str | None,
    contact: str | None,
    notes: str,
    without_outputs: bool,
    hub_eval_results: Path | None,
    dataset: str | None,
    data: Sequence[str],
    labels: Path | None,
    cards: Path | None,
    as_json: bool,
) -> None:
    """Make a submission of one model's runs, which a third party can check.

    LOG… are logs of Inspect or results of lm-eval (files or folders) of whole released sets. The
    submission is a folder with submission.json (what is claimed) and records.jsonl.zst (one record
    for each sample and epoch: output, verdicts, quotes). Before anything is written everything is
    computed again from the verdicts and compared with the log. docs/submitting.md has the way from
    run to pull request.
    """
    from harness_adapters.leaderboard.submitting.making import About, make_submission

    if (hub_eval_results is None) != (dataset is None):
        raise click.UsageError("--hub-eval-results and --dataset go together.")
    model = _model(name, revision, access, base, tuning_data, tuning_method, url)
    made = make_submission(
        logs,
        folder,
        About(model, _submitter(submitter, contact), notes),
        named=name is not None,
        given=given_data(data, labels),
        cards=known_cards(cards),
        publish_outputs=not without_outputs,
    )
    told = progress()
    for note in made.notes:
        told.print(f"Left out: {note}", markup=False, soft_wrap=True)
    if hub_eval_results is not None and dataset is not None:
        from harness_adapters.leaderboard.export.eval_results import write_eval_results

        for file in write_eval_results(
            made.submission, hub_eval_results, dataset=dataset, revision=None, source=None
        ):
            told.print(f"Written: {file}", markup=False, soft_wrap=True)
    told.print(f"Written: {folder}", markup=False, soft_wrap=True)
    if as_json:
        print_json(made.submission.model_dump(mode="json"))
    else:
        print_submission(out(), made.submission)
        for note in coverage(made.submission):
            told.print(f"Note: {note}", markup=False, soft_wrap=True)
        told.print(f"Check it as others will: privacy-tasks verify {folder}", markup=False,
                   soft_wrap=True)  # fmt: skip


def coverage(submission: Submission) -> Iterator[str]:
    """What is unscored, and whether so much of it that a run gets no rank."""
    from harness_adapters.leaderboard.site.ranking import LEAST_JUDGED

    for run in submission.runs:
        missing, every = sum(run.unscored.values()), run.samples * run.epochs
        if missing:
            reasons = ", ".join(f"{reason} {n}" for reason, n in run.unscored.items())
            ranked = missing <= (1 - LEAST_JUDGED) * every
            yield f"{run.key}: {missing} of {every} records are unscored ({reasons})" + (
                "." if ranked else f"; with less than {LEAST_JUDGED:.0%} judged it gets no rank."
            )


def _model(
    name: str | None,
    revision: str,
    access: str,
    base: str | None,
    data: str | None,
    method: str | None,
    url: str | None,
) -> Model:
    from pydantic import ValidationError

    from harness_adapters.leaderboard.submission import BaseModelOf, Model, Tuning

    if (base is None) != (data is None):
        raise click.UsageError(
            "--base NAME@REVISION and --tuning-data go together: of a tuned model both."
        )
    if revision.lower() in ("main", "master", "head", "latest"):
        raise click.UsageError(
            f"--revision {revision} is another model tomorrow: name the commit of the weights or"
            " the dated snapshot (unknown, if nobody can tell)."
        )
    if method is not None and base is None:
        raise click.UsageError("--tuning-method is of a tuned model: name its --base as well.")
    if url is not None and not url.startswith(("https://", "http://")):
        raise click.UsageError(f"--url {url!r} is no address: it begins with https://.")
    try:
        tuning = None
        if base is not None and data is not None:
            of, at, revision_of_base = base.rpartition("@")
            if not (at and of and revision_of_base):
                raise click.UsageError(f"--base {base!r} is to be NAME@REVISION.")
            tuning = Tuning(
                base=BaseModelOf(name=of, revision=revision_of_base), data=data, method=method
            )
        return Model.model_validate(
            {
                "name": "as it was run" if name is None else name,
                "revision": revision,
                "access": access,
                "tuning": tuning,
                "url": url,
                "run_as": "as it was run",
            }
        )
    except ValidationError as error:
        raise _told(error, "The model's") from error


def _told(error: ValidationError, whose: str) -> AdapterError:
    """What is wrong with something that was said of a submission."""
    first = error.errors(include_input=False)[0]
    return AdapterError(f"{whose} {'.'.join(map(str, first['loc']))}: {first['msg']}.")


def _submitter(name: str | None, contact: str | None) -> Submitter | None:
    from pydantic import ValidationError

    from harness_adapters.leaderboard.submission import Submitter

    if name is None:
        if contact is not None:
            raise click.UsageError("--contact is of a --submitter: name them as well.")
        return None
    try:
        return Submitter(name=name, contact=contact)
    except ValidationError as error:
        raise _told(error, "The submitter's") from error


def print_submission(console: Console, submission: Submission) -> None:
    """What a submission claims, on a terminal."""
    from harness_adapters.leaderboard.submission import headline_of

    model = submission.model
    console.print(f"[bold]{escape(model.name)}[/bold] ({escape(model.revision)}, {model.access})")
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("run", "set", "judge", "headline", "95 %", "leak rate", "unscored", "records"):
        table.add_column(column, overflow="fold")
    for run in submission.runs:
        headline = headline_of(run)
        figure = run.metrics[headline]
        leak = run.metrics.get("leak_rate")
        table.add_row(
            escape(run.key),
            escape(f"{run.data.name} {run.data.version}"),
            escape(run.judge.identity if run.judge else "–"),
            f"{headline} {_shown(figure.mean)}",
            f"{_shown(figure.lower)} – {_shown(figure.upper)}",
            "–" if leak is None else _shown(leak.mean),
            str(sum(run.unscored.values())),
            f"{run.samples} × {run.epochs}",
        )
    console.print(table)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
