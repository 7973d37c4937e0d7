"""A set of scenarios, and how one is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from privacy_tasks.errors import DataError, OptionError
from privacy_tasks.scenario import Scenario

S = TypeVar("S", bound=Scenario)


class ScenarioSet(NamedTuple, Generic[S]):
    """Scenarios with what identifies them."""

    name: str
    version: str
    hash: str
    """First twelve hex digits of the SHA-256 of the files."""
    scenarios: tuple[S, ...]


def parts_of(data: str, known: Sequence[str]) -> tuple[str, Path | None]:
    """The name of a set, and the path behind its colon.

    Raises:
        OptionError: if there is no such set; it lists those that there are.
    """
    name, _, path = data.partition(":")
    if name not in known or (path == "" and ":" in data):
        allowed = ", ".join([*known, *(f"{one}:PATH" for one in known)])
        raise OptionError(f"There is no data set {data!r}; data can be: {allowed}.")
    return name, Path(path).expanduser() if path else None


def checked(data: str, loaded: ScenarioSet[S]) -> ScenarioSet[S]:
    """The set, if no two scenarios share an id.

    Raises:
        DataError: names the ids.
    """
    twice = sorted(key for key, n in Counter(it.id for it in loaded.scenarios).items() if n > 1)
    if twice:
        raise DataError(f"The data set {data!r} has several scenarios named {', '.join(twice)}.")
    return loaded


def yaml_files(path: Path) -> Sequence[Traversable | Path]:
    """The YAML files that a path names: itself, or those in the folder.

    Raises:
        DataError: if there are none.
    """
    if not path.exists():
        raise DataError(f"The data file {path} does not exist.")
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"There are no .yaml files in {path}.")
    return files
