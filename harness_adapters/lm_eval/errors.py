"""The exception of this adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness_adapters.errors import AdapterError, plain_message
from judges.errors import JudgeError
from privacy_tasks.errors import PrivacyTasksError


class LmEvalError(AdapterError, SystemExit):
    """Something that the user of `lm_eval` can mend; the message says what, where, what to do.

    lm-eval shows whatever is raised with its traceback. Being a `SystemExit` as well, this one is
    shown as one message and ends with exit code 1, and in Python it is caught like any exception.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message


@contextmanager
def one_message(where: str) -> Iterator[None]:
    """Shows this project's own errors, and Inspect's for what is missing, as one message."""
    from inspect_ai._util.error import PrerequisiteError

    try:
        yield
    except LmEvalError as error:
        if where in str(error):
            raise
        raise LmEvalError(f"{where}: {error}") from error
    except (AdapterError, JudgeError, PrivacyTasksError) as error:
        raise LmEvalError(f"{where}: {error}") from error
    except PrerequisiteError as error:
        raise LmEvalError(f"{where}: {plain_message(error)}") from error
