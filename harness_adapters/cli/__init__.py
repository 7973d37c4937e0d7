"""The `privacy-tasks` command. Each command has its own file here."""

from __future__ import annotations

import sys

import click

from harness_adapters.cli.check import check
from harness_adapters.cli.compare import compare
from harness_adapters.cli.demo import demo
from harness_adapters.cli.doctor import doctor
from harness_adapters.cli.export import export
from harness_adapters.cli.judge import judge
from harness_adapters.cli.leaderboard import leaderboard
from harness_adapters.cli.listing import list_sets
from harness_adapters.cli.plan import plan
from harness_adapters.cli.rejudge import rejudge
from harness_adapters.cli.results import results
from harness_adapters.cli.submit import submit
from harness_adapters.cli.verify import verify
from harness_adapters.errors import AdapterError
from judges.errors import JudgeError
from privacy_tasks.errors import PrivacyTasksError


class _Command(click.Group):
    """Shows this project's own errors as one sentence, and ends with exit code 1."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (AdapterError, JudgeError, PrivacyTasksError) as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(1)


@click.group(
    cls=_Command,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Evaluations themselves run in Inspect (inspect eval privacy_tasks/agentic --help) or"
    " lm-evaluation-harness (lm_eval --tasks privacy_collapse).",
)
@click.version_option(package_name="privacy-tasks")
def main() -> None:
    """Did fine-tuning break a model's contextual privacy?

    The evaluations run in Inspect or lm-evaluation-harness; this command is for everything around
    them.
    """


for command in (
    demo,
    doctor,
    list_sets,
    results,
    rejudge,
    compare,
    judge,
    check,
    plan,
    submit,
    verify,
    leaderboard,
    export,
):
    main.add_command(command)
