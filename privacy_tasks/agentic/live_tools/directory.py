"""The live tools of the directory toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import Desk, found, handles
from privacy_tasks.agentic.world import words_of


@handles("DirectorySearch")
def _directory(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = found(given, desk.world.of("entry"), words_of(given["query"]))
    return {"entries": [record.fields for record in hits]}
