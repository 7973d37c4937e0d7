"""The options `--judge` and `--cards`: who judges, and where the cards of judges lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from judges.calibration.card import JudgeCard
from judges.calibration.cards import FOLDER, read_cards

if TYPE_CHECKING:
    from harness_adapters.judge_choice import JudgeSpec

judge_option = click.option(
    "--judge",
    required=True,
    multiple=True,
    help="A grader model as in Inspect, or an object as for --metadata, or lexical. Given several"
    " times: a panel of them.",
)


cards_option = click.option(
    "--cards",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Folder with judge cards, by which leak_rate is corrected ({FOLDER} if it is there).",
)


def known_cards(folder: Path | None) -> dict[str, JudgeCard]:
    """The cards in a folder, or in the usual one if it is there, and those that come along.

    Raises:
        JudgeError: if the folder is missing, or holds a file that is no card.
    """
    return read_cards(folder or (FOLDER if FOLDER.is_dir() else None))


def named_judge(given: tuple[str, ...]) -> JudgeSpec:
    """The judge that a command was given.

    Raises:
        AdapterError: if it is none.
        click.BadParameter: if it begins like an object and is none.
    """
    from harness_adapters.judge_choice import judge_spec

    values = [_value(judge) for judge in given]
    return judge_spec(values[0] if len(values) == 1 else values)


def _value(judge: str) -> Any:
    """An object, or a list of them, is JSON; anything else is a name."""
    if not judge.lstrip().startswith(("{", "[")):
        return judge
    try:
        return json.loads(judge)
    except ValueError as error:
        raise click.BadParameter(f"is no JSON object: {error}", param_hint="--judge") from error
