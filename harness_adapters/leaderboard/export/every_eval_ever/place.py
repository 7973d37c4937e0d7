"""Where the datastore of Every Eval Ever keeps a record, and under which number."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import UTC, datetime

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.submission import Run, Submission


def seconds(day: str) -> str:
    """The start of a day in UTC, in seconds since 1970."""
    try:
        return str(int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()))
    except ValueError as error:
        raise AdapterError(
            f"{day!r} is no day: the submission's `made` is a date in UTC."
        ) from error


def identifier(submission: Submission, run: Run) -> uuid.UUID:
    """A UUID of version 4 in its form, and a hash in fact."""
    whole = f"{submission.model_dump_json()}\n{run.key}"
    return uuid.UUID(bytes=hashlib.sha256(whole.encode()).digest()[:16], version=4)


_NO_PATH = re.compile(r'[<>"\\|?*\x00-\x1f]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?", re.IGNORECASE)


def model_folders(name: str, developer: str | None) -> tuple[str, str]:
    """The developer's folder and the model's, as the datastore derives them from a model's name.

    Raises:
        AdapterError: if they cannot be.
    """
    first, *rest = name.strip().split("/")
    if not rest:
        if developer is None:
            raise AdapterError(
                f"The model's name {name!r} does not begin with who made it: name them with"
                " --developer."
            )
        first, rest = developer, [first]
    parts = [part.strip().replace(":", "_") for part in (first, *rest)]
    for part in parts:
        if (
            part.lower() in ("", ".", "..", "unknown", "data")
            or "/" in part
            or part.endswith(".")
            or _NO_PATH.search(part)
            or _RESERVED.fullmatch(part)
        ):
            raise AdapterError(
                f"{part!r} in the model's name {name!r} can be no folder of the datastore; submit"
                " under a name that can."
            )
    return parts[0], "_".join(parts[1:])
