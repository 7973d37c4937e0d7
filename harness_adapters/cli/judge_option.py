"""The option `--judge`: how commands name the judge that they ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from harness_adapters.judge_choice import JudgeSpec

judge_option = click.option(
    "--judge",
    required=True,
    multiple=True,
    help="A grader model as in Inspect, or an object as for --metadata, or lexical. Given several"
    " times: a panel of them.",
)


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
