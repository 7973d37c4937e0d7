"""Checking the parameters of a task before any model is called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from privacy_tasks.errors import OptionError


def one_of(name: str, value: object, allowed: Sequence[str]) -> str:
    """`value`, if it is one of the allowed ones.

    Raises:
        OptionError: names the parameter, the value and all allowed values.
    """
    if not isinstance(value, str) or value not in allowed:
        raise OptionError(f"{name}={value!r} is not allowed; {name} can be: {', '.join(allowed)}.")
    return value


def some_of(name: str, value: object, allowed: Iterable[str]) -> list[str]:
    """The allowed values that `value` lists: a list, or a text with commas.

    Raises:
        OptionError: names the parameter, the unknown values and all allowed ones.
    """
    known = sorted(set(allowed))
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise OptionError(
            f"{name}={value!r} is not allowed; {name} lists some of: {', '.join(known)}."
        )
    chosen = [str(part).strip() for part in parts]
    unknown = [part for part in chosen if part not in known]
    if unknown or not chosen:
        raise OptionError(
            f"{name}: {', '.join(map(repr, unknown)) or 'nothing'} is not in this data set;"
            f" {name} can be: {', '.join(known)}."
        )
    return chosen


def yes_or_no(name: str, value: object) -> bool:
    """`value`, if it is a boolean.

    Raises:
        OptionError: if it is anything else.
    """
    if not isinstance(value, bool):
        raise OptionError(f"{name}={value!r} is not allowed; {name} can be: true, false.")
    return value


def text(name: str, value: object) -> str:
    """`value`, if it is a text: the command line makes lists, numbers and null of some.

    Raises:
        OptionError: if it is anything else; it says how to pass it as it is.
    """
    if not isinstance(value, str):
        raise OptionError(
            f"{name} was read as {value!r} and is to be a text. In Inspect, pass it in a YAML file"
            f' with a line such as {name}: "…" and --task-config FILE; in lm-eval, as JSON:'
            f""" --metadata '{{"{name}": "…"}}'."""
        )
    return value


def at_least(name: str, value: object, least: int) -> int:
    """`value`, if it is a whole number that is large enough.

    Raises:
        OptionError: if it is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise OptionError(f"{name}={value!r} is not allowed; {name} is a whole number >= {least}.")
    return value
