"""The exceptions of this package, and how others' are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspect_ai._util.error import PrerequisiteError


class AdapterError(Exception):
    """Something that the user can mend; the message says what, where, and what to do."""


def plain_message(error: PrerequisiteError) -> str:
    """What Inspect says is missing, without its markup and on one line."""
    from rich.text import Text

    return " ".join(Text.from_markup(str(error.message)).plain.split())


class LogError(AdapterError):
    """A log that cannot be read, or is of another task."""
