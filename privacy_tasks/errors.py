"""The exceptions of this package."""

from __future__ import annotations


class PrivacyTasksError(Exception):
    """Something that the user can mend; the message says what, where, and what to do."""


class DataError(PrivacyTasksError):
    """Scenario data that is missing, changed or not of the expected form."""


class OptionError(PrivacyTasksError):
    """A parameter with a value that is not allowed."""
