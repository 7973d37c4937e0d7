"""A table, before it is HTML or Markdown."""

from __future__ import annotations

from typing import NamedTuple


class Table(NamedTuple):
    """Rows of text; a cell may have several lines. Its text is not escaped for anything yet."""

    title: str
    columns: tuple[str, ...]
    """The first one names the row."""
    rows: tuple[tuple[str, ...], ...]
