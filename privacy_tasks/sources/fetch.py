"""Published data files: fetched at one pinned revision, checked by SHA-256, kept in a cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from privacy_tasks.errors import DataError

MIRROR_VARIABLE = "PRIVACY_TASKS_MIRROR"
"""Environment variable with a base URL to use in place of the public hub's."""


class RemoteFile(NamedTuple):
    """A file on a public hub."""

    hub: str
    """Base URL; the mirror variable replaces it."""
    path: str
    """Path below the hub, with the pinned revision in it."""
    sha256: str
    name: str


def cache_folder() -> Path:
    """Where fetched files are kept."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("privacy-tasks"))


def fetch(file: RemoteFile, *, instead: str) -> Path:
    """The path of the file, fetched unless it is in the cache already.

    Args:
        file: what to fetch.
        instead: what the user can do without the hub, for the error message.

    Raises:
        DataError: if the hub cannot be reached, or holds something else than expected.
    """
    import pooch  # type: ignore[import-untyped]
    import requests

    url = f"{os.environ.get(MIRROR_VARIABLE, file.hub).rstrip('/')}/{file.path}"
    pooch.get_logger().setLevel("ERROR")
    try:
        return Path(
            pooch.retrieve(
                url, known_hash=f"sha256:{file.sha256}", fname=file.name, path=cache_folder()
            )
        )
    except (requests.RequestException, OSError) as error:
        raise DataError(f"{url} cannot be fetched ({type(error).__name__}); {instead}") from error
    except ValueError as error:
        if "hash" not in str(error).lower():  # pooch does not know what to do with the address
            raise DataError(f"{url} is no address to fetch from; {instead}") from error
        raise DataError(
            f"{url} has changed: its SHA-256 is not the expected {file.sha256[:12]}…; {instead}"
        ) from error
