"""The published schemas of a submission's two files; beside this file they lie as JSON."""

from __future__ import annotations

from typing import Any

from harness_adapters.leaderboard.record import Record
from harness_adapters.leaderboard.submission import FORMAT, Part, Submission

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> JSON Schema, made of the models that submissions are read by."""
    return {
        f"submission-{FORMAT}.schema.json": _schema(
            Submission, "submission", "What a submission of privacy-tasks claims"
        ),
        f"record-{FORMAT}.schema.json": _schema(
            Record, "record", "One line of the records of a submission of privacy-tasks"
        ),
    }


def _schema(model: type[Part], name: str, title: str) -> dict[str, Any]:
    found = model.model_json_schema()
    return {
        "$schema": _DIALECT,
        "$id": f"urn:privacy-tasks:{name}:{FORMAT}",
        **found,
        "title": title,
    }
