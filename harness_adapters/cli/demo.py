"""`privacy-tasks demo`: the agentic task on the core set, offline, with the reference models."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from harness_adapters.cli.output import examples, json_option, out, print_json, progress
from harness_adapters.cli.results import print_figures, print_leaks
from harness_adapters.errors import AdapterError
from harness_adapters.runs.inspect_log import read_run
from harness_adapters.runs.run import Run

if TYPE_CHECKING:
    from inspect_ai.model import Model

_MODELS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("reference/discreet", {}),
    ("reference/mixed", {"leak": 0.3, "share": 0.8, "seed": 1}),
    ("reference/leaky", {}),
    ("reference/silent", {}),
)


@click.command(
    epilog=examples(
        "privacy-tasks demo",
        "privacy-tasks demo --log-dir my-logs --limit 20",
        "privacy-tasks demo --json 2>/dev/null | jq '.[].metrics.discernment'",
    )
)
@click.option(
    "--log-dir",
    default=Path("logs/demo"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the logs go.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first scenarios.")
@json_option
def demo(log_dir: Path, limit: int | None, as_json: bool) -> None:
    """Run the agentic task offline: four reference models, the lexical judge, no key needed.

    The reference models disclose exactly what their policy says, so what should come out is known:
    discreet tells what is needed and nothing else, leaky everything, silent nothing; mixed leaks
    30 % of the items to withhold and tells 80 % of those to share.
    """
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AdapterError(f"No logs can be written to {log_dir}: {error.strerror}.") from error
    runs = run_demo(log_dir, limit)
    if as_json:
        print_json([run.model_dump() for run in runs])
        return
    console = out()
    print_figures(console, runs)
    for run in runs:
        if run.model.endswith("/mixed"):
            print_leaks(console, run)
    console.print(f"\nThe logs are in {log_dir}; look at every sample with:", soft_wrap=True)
    console.print(f"  {_command('inspect')} view --log-dir {log_dir}", soft_wrap=True)
    console.print("Your own model, judged by a model:")
    console.print(
        f"  {_command('inspect')} eval privacy_tasks/agentic --model openai/gpt-4.1-mini"
        " --model-role grader=openai/gpt-4.1",
        soft_wrap=True,
    )


def run_demo(log_dir: Path, limit: int | None) -> list[Run]:
    """Runs every reference model, with a progress bar on standard error.

    Raises:
        AdapterError: if a run does not end well.
    """
    from inspect_ai import eval as inspect_eval
    from inspect_ai.model import get_model

    from privacy_tasks.agentic.task import agentic

    models: list[Model] = [get_model(name, **arguments) for name, arguments in _MODELS]
    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=progress()) as bars:
        advance = _progress_hook(bars)
        runs = []
        for model in models:
            task = agentic(judge="lexical")
            total = min(len(task.dataset), limit or len(task.dataset))
            advance(str(model), total)
            log = inspect_eval(
                task, model=model, log_dir=str(log_dir), limit=limit, display="none"
            )[0]
            if log.status != "success":
                raise AdapterError(f"The run of {model} ended with {log.status!r}; see {log_dir}.")
            runs.append(read_run(_path(log.location), leaks=3))
    return runs


def _progress_hook(bars: Progress) -> Callable[[str, int], None]:
    """Inspect tells of every finished sample through its hooks; returns what begins a new bar."""
    from inspect_ai.hooks import Hooks, SampleEnd, hooks

    bar: dict[str, TaskID] = {}

    @hooks(name="demo_progress", description="Progress of privacy-tasks demo")
    class DemoProgress(Hooks):
        async def on_sample_end(self, data: SampleEnd) -> None:
            bars.advance(bar["task"])

    def begin(description: str, total: int) -> None:
        bar["task"] = bars.add_task(description, total=total)

    return begin


def _command(name: str) -> str:
    """How to call a command of this environment from here."""
    if shutil.which(name):
        return name
    beside = Path(sys.executable).parent / name
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)


def _path(location: str) -> Path:
    return Path(location.removeprefix("file://"))
