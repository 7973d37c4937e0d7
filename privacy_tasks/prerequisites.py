"""Errors that a user can mend, shown by Inspect as one message and no traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from inspect_ai._util.error import PrerequisiteError

from judges.errors import JudgeError
from privacy_tasks.errors import PrivacyTasksError

P = ParamSpec("P")
R = TypeVar("R")


def as_prerequisite(function: Callable[P, R]) -> Callable[P, R]:
    """Turns this project's own errors into Inspect's for unmet prerequisites."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (PrivacyTasksError, JudgeError) as error:
            raise PrerequisiteError(_plain(str(error))) from error

    return wrapped


def _plain(message: str) -> str:
    """The message with nothing in it that the console would take for markup."""
    from rich.markup import escape

    return escape(message)
