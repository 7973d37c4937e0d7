"""The exceptions of this package."""

from __future__ import annotations


class AdapterError(Exception):
    """Something that the user can mend; the message says what, where, and what to do."""


class LogError(AdapterError):
    """A log that cannot be read, or is of another task."""
