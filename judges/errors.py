"""The exceptions of this package."""

from __future__ import annotations


class JudgeError(Exception):
    """A judge that cannot be set up as asked; the message says what to do."""
