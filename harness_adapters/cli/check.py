"""`privacy-tasks check`: are scenario files fit to be used?"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import yaml

from harness_adapters.cli.output import examples, json_option, print_json
from privacy_tasks.errors import DataError
from privacy_tasks.sources.core import read_pairs
from privacy_tasks.sources.core_check import problems, shared_runs
from privacy_tasks.sources.core_profiles import read_profile
from privacy_tasks.sources.core_shared import read_settings
from privacy_tasks.sources.memory_check import profile_problems, setting_problems
from privacy_tasks.strict_yaml import load_yaml


class _Piece(NamedTuple):
    """A pair, profile or setting, with what is wrong with it."""

    name: str
    kind: str
    content: Any
    problems: list[str]


@click.command(
    epilog=examples(
        "privacy-tasks check my-pairs.yaml",
        "privacy-tasks check privacy_tasks/data/core/memory/profiles/",
    )
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@json_option
def check(paths: Sequence[Path], as_json: bool) -> None:
    """Check files of twin pairs, profiles or shared settings.

    Form, norms, findable items, and runs of words that two of them share. PATHS are YAML files, or
    folders of them. The exit code is 1 if anything is wrong.
    """
    files = [
        file
        for path in paths
        for file in (sorted(path.rglob("*.yaml")) if path.is_dir() else [path])
        if path.is_file() or file.name != "set.yaml"
    ]
    found: list[str] = [] if files else ["there is no .yaml file in what was named"]
    pieces: list[_Piece] = []
    for file in files:
        try:
            read = list(_pieces(file))
        except DataError as error:
            found.append(str(error))
            continue
        pieces += read
        found += [f"{file.name}, {it.name}: {problem}" for it in read for problem in it.problems]
    counts = Counter(piece.name for piece in pieces)
    found += [f"{name} stands twice" for name, count in counts.items() if count > 1]
    for one, other, run in shared_runs({piece.name: piece.content for piece in pieces}):
        found.append(f"{one} and {other} share the words “{run}”")
    kinds = Counter(piece.kind for piece in pieces)
    if as_json:
        print_json({"files": len(files), **kinds, "problems": found})
    else:
        for problem in found:
            click.echo(problem)
        counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "nothing"
        click.echo(f"{counted} in {len(files)} files, {len(found)} problems.")
    if found or not pieces:
        sys.exit(1)


def _pieces(file: Path) -> Iterator[_Piece]:
    """What a file holds; its form says which of the three kinds it is of."""
    try:
        content = load_yaml(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        content = None  # the reader says what is wrong
    first = content[0] if isinstance(content, list) and content else content
    if isinstance(content, dict):
        profile = read_profile(file)
        shown = profile.model_dump(mode="json")
        yield _Piece(profile.profile, "profiles", shown, list(profile_problems(profile)))
    elif isinstance(first, dict) and "setting" in first:
        for setting in read_settings(file):
            shown = setting.model_dump(mode="json")
            yield _Piece(setting.setting, "settings", shown, list(setting_problems(setting)))
    else:
        for pair in read_pairs(file):
            shown = pair.model_dump(mode="json")
            yield _Piece(pair.pair, "pairs", shown, list(problems(pair)))
