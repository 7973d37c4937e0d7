"""`privacy-tasks export`: results and data in the forms that others read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness_adapters.cli.data_option import data_option, given_data, labels_option
from harness_adapters.cli.judge_option import cards_option, known_cards
from harness_adapters.cli.output import examples, json_option, out, print_json, progress

if TYPE_CHECKING:
    from harness_adapters.leaderboard.export.every_eval_ever import Relationship
    from harness_adapters.leaderboard.submission import Submission

_SUBMISSION = click.argument("submission", metavar="DIR", type=click.Path(path_type=Path))
_INTO = click.option(
    "--into",
    required=True,
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Where it is written.",
)
_SHA = "0123456789abcdef0123456789abcdef01234567"


@click.group(
    epilog=examples(
        "privacy-tasks export eval-results submission --into my-model --dataset acme/privacy-core",
        "privacy-tasks export every-eval-ever submission --into datastore --organization Acme"
        " --relationship third_party",
        "privacy-tasks export dataset --into privacy-core",
        "privacy-tasks export inspect-evals --repository https://github.com/acme/privacy-tasks"
        f" --commit {_SHA} --maintainer somebody --into inspect_evals",
    )
)
def export() -> None:
    """Write results or data for the Hugging Face hub, Every Eval Ever or inspect_evals.

    Nothing is sent anywhere: what is written is yours to look at, commit and push.
    """


@export.command(
    "eval-results",
    epilog=examples(
        "privacy-tasks export eval-results submission --into my-model --dataset acme/privacy-core",
        "privacy-tasks export eval-results submission --into my-model --dataset acme/privacy-core"
        f" --revision {_SHA} --source https://example.org/submission --json",
    ),
)
@_SUBMISSION
@click.option(
    "--into",
    required=True,
    metavar="MODEL_REPO",
    type=click.Path(path_type=Path),
    help="A clone of the model's repository on the hub.",
)
@click.option(
    "--dataset", required=True, metavar="ORG/NAME", help="Where on the hub the core set lies."
)
@click.option("--revision", metavar="SHA", help="Commit of that data set.")
@click.option("--source", metavar="URL", help="Where the submission can be looked at.")
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="KEY",
    help="A run to show; may be repeated. [default: all that are on the core set]",
)
@data_option
@labels_option
@cards_option
@json_option
def eval_results(
    submission: Path,
    into: Path,
    dataset: str,
    revision: str | None,
    source: str | None,
    runs: tuple[str, ...],
    data: Sequence[str],
    labels: Path | None,
    cards: Path | None,
    as_json: bool,
) -> None:
    """Put the headline of each run on a model's page on the Hugging Face hub.

    The submission is verified first.
    Replaces .eval_results/privacy-tasks.yaml in the clone of the model's repository.
    """
    from harness_adapters.leaderboard.export.eval_results import runs_shown, write_eval_results
    from harness_adapters.leaderboard.export.headline import task_id

    read = _read(submission, data, labels, cards)
    files = write_eval_results(
        read, into, dataset=dataset, revision=revision, source=source, runs=runs
    )
    shown = {run.key for run in runs_shown(read, runs)}
    left_out = [run.key for run in read.runs if run.key not in shown]
    if left_out:
        why = "not asked for, or on other data than the core set"
        progress().print(f"Left out: {', '.join(left_out)} ({why}).", markup=False)
    unlisted = [task_id(run) for run in read.runs if run.key in shown and run.kind != "probe"]
    if unlisted:
        progress().print(
            f"Note: eval.yaml of the data set can list probing tasks only, so that the hub may show"
            f" {', '.join(unlisted)} on the model's page alone.",
            markup=False,
        )
    _told(files, as_json)


@export.command(
    "every-eval-ever",
    epilog=examples(
        "privacy-tasks export every-eval-ever submission --into datastore --organization Acme"
        " --relationship first_party",
        "privacy-tasks export every-eval-ever submission --into datastore --organization 'Lab X'"
        " --relationship third_party --dataset acme/privacy-core --json",
    ),
)
@_SUBMISSION
@_INTO
@click.option(
    "--organization", required=True, metavar="NAME", help="Who hands the results on: you."
)
@click.option(
    "--relationship",
    required=True,
    type=click.Choice(["first_party", "third_party", "collaborative", "other"]),
    help="Of who ran the evaluation to who made the model.",
)
@click.option("--dataset", metavar="ORG/NAME", help="Where on the hub the core set lies.")
@click.option(
    "--developer",
    metavar="NAME",
    help="Who made the model, where its name does not begin with that (NAME/model).",
)
@data_option
@labels_option
@cards_option
@json_option
def every_eval_ever(
    submission: Path,
    into: Path,
    organization: str,
    relationship: Relationship,
    dataset: str | None,
    developer: str | None,
    data: Sequence[str],
    labels: Path | None,
    cards: Path | None,
    as_json: bool,
) -> None:
    """Write a record for each run, in the form and layout of Every Eval Ever's datastore.

    The submission is verified first.
    Check them with its own validator (pip install every-eval-ever, Python 3.12 or later) before you
    propose them there: in FOLDER, every_eval_ever validate 'data/*/*/*/*.json'.
    """
    from harness_adapters.leaderboard.export.every_eval_ever import Teller, write_every_eval_ever

    read = _read(submission, data, labels, cards)
    teller = Teller(organization, relationship, dataset, developer)
    _told(write_every_eval_ever(read, into, teller, _panels(submission)), as_json)


def _read(place: Path, data: Sequence[str], labels: Path | None, cards: Path | None) -> Submission:
    """A submission that was verified: what is not goes nowhere.

    Raises:
        AdapterError: says why it is not.
    """
    from harness_adapters.leaderboard.verifying.verification import verified

    return verified(place, given_data(data, labels), known_cards(cards))


def _panels(submission: Path) -> dict[str, Sequence[str]]:
    """Who sat in the panel of each run, as its records say."""
    from harness_adapters.leaderboard.packing import Packed, read_submission

    read = read_submission(submission)
    wanted = {run.key for run in read.runs if run.judge and run.judge.identity.startswith("panel/")}
    found: dict[str, Sequence[str]] = {}
    if not wanted:
        return found
    for record in Packed(submission).records(read.records):
        if record.run in wanted and record.run not in found and record.members:
            found[record.run] = list(dict.fromkeys(member.judge for member in record.members))
        if len(found) == len(wanted):
            break
    return found


@export.command(
    "dataset",
    epilog=examples(
        "privacy-tasks export dataset --into privacy-core",
        "privacy-tasks export dataset --into privacy-core --json",
    ),
)
@_INTO
@json_option
def dataset(into: Path, as_json: bool) -> None:
    """Write the core set as a data set for the Hugging Face hub: card, rows, eval.yaml."""
    from harness_adapters.leaderboard.export.hub_dataset import write_dataset

    _told(write_dataset(into), as_json)


@export.command(
    "inspect-evals",
    epilog=examples(
        "privacy-tasks export inspect-evals --repository https://github.com/acme/privacy-tasks"
        f" --commit {_SHA} --maintainer somebody --into inspect_evals",
        'privacy-tasks export inspect-evals … --commit "$(git rev-parse HEAD)" --json',
    ),
)
@click.option(
    "--repository",
    required=True,
    metavar="URL",
    help="Of this project: https://github.com/OWNER/NAME.",
)
@click.option("--commit", required=True, metavar="SHA", help="Its commit, 40 hex digits.")
@click.option(
    "--maintainer",
    "maintainers",
    required=True,
    multiple=True,
    metavar="NAME",
    help="GitHub user who looks after the entries; may be repeated.",
)
@_INTO
@json_option
def inspect_evals(
    repository: str, commit: str, maintainers: tuple[str, ...], into: Path, as_json: bool
) -> None:
    """Write an entry for each task for the register of inspect_evals.

    Name a clone of inspect_evals as folder; its own tools make the rest of an entry.
    """
    from harness_adapters.leaderboard.export.register import Pin, write_register_entries

    _told(write_register_entries(into, Pin(repository, commit, maintainers)), as_json)


def _told(files: Sequence[Path], as_json: bool) -> None:
    """Which files were written."""
    if as_json:
        print_json({"written": [str(file) for file in files]})
        return
    console = out()
    for file in files:
        console.print(str(file), markup=False, soft_wrap=True)
