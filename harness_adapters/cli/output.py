"""How every command speaks: the result on standard output, progress on standard error."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click
from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """The option `--json`, which every command has."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(
        function
    )


def print_json(result: Any) -> None:
    """The result for a program to read."""
    click.echo(json.dumps(result, indent=2, ensure_ascii=False))


def out() -> Console:
    """Where a result goes; wide where there is no terminal and nobody says how wide it is to be."""
    console = Console(highlight=False)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(highlight=False, width=160)


def progress() -> Console:
    """Where progress goes."""
    return Console(stderr=True, highlight=False)


def examples(*lines: str) -> str:
    """The epilog of a command's help: examples, one a line."""
    return "\n\n".join(["\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)])


class GateCommand(click.Command):
    """A command whose exit code 2 is a finding: options that are wrong end it with 1."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise WrongUseError(error.format_message(), error.ctx) from error


class WrongUseError(click.UsageError):
    """Options that do not fit together, of such a command."""

    exit_code = 1
