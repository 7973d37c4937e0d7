"""`privacy-tasks check`: are scenario files fit to be used?"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from harness_adapters.cli.output import examples, json_option, print_json
from privacy_tasks.errors import DataError
from privacy_tasks.sources import core, core_check


@click.command(
    epilog=examples(
        "privacy-tasks check my-pairs.yaml",
        "privacy-tasks check privacy_tasks/data/core/agentic/",
    )
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@json_option
def check(paths: Sequence[Path], as_json: bool) -> None:
    """Check files of twin pairs: form, norms, findable items, runs of words shared by pairs.

    PATHS are YAML files, or folders of them. The exit code is 1 if anything is wrong.
    """
    files = [
        file
        for path in paths
        for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])
    ]
    found: list[str] = [] if files else ["there is no .yaml file in what was named"]
    pairs: list[core.Pair] = []
    for file in files:
        try:
            read = core.read_pairs(file)
        except DataError as error:
            found.append(str(error))
            continue
        pairs += read
        found += [
            f"{file.name}, {pair.pair}: {it}" for pair in read for it in core_check.problems(pair)
        ]
    counts = Counter(pair.pair for pair in pairs)
    found += [f"the pair {name} stands twice" for name, count in counts.items() if count > 1]
    for one, other, run in core_check.shared_runs(pairs):
        found.append(f"{one} and {other} share the words “{run}”")
    if as_json:
        print_json({"files": len(files), "pairs": len(pairs), "problems": found})
    else:
        for problem in found:
            click.echo(problem)
        click.echo(f"{len(pairs)} pairs in {len(files)} files, {len(found)} problems.")
    if found or not pairs:
        sys.exit(1)
