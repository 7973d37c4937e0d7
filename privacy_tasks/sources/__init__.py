"""Where scenarios come from. A set is named on the command line; its files are read here.

`core` and `privacylens` name the published sets; `core:PATH` and `privacylens:PATH` read files of
the same schema from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from privacy_tasks.errors import DataError, OptionError
from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.sources import core, core_check, privacylens
from privacy_tasks.sources.fetch import fetch
from privacy_tasks.strict_yaml import load_yaml


class ScenarioSet(NamedTuple):
    """Scenarios with what identifies them."""

    name: str
    version: str
    hash: str
    """First twelve hex digits of the SHA-256 of the files."""
    scenarios: tuple[AgenticScenario, ...]


class CoreHeader(NamedTuple):
    """What `data/core/set.yaml` says of the core set."""

    version: str
    canary: str


@cache
def core_header() -> CoreHeader:
    """Version and canary GUID of the core set."""
    file = core.core_folder() / "set.yaml"
    header = load_yaml(file.read_text(encoding="utf-8"))
    return CoreHeader(version=header["version"], canary=header["canary"])


@cache
def load_agentic(data: str) -> ScenarioSet:
    """The agentic scenarios of a set.

    Args:
        data: `core`, `privacylens`, `core:PATH` (a YAML file or a folder of them) or
            `privacylens:PATH` (a JSON file in PrivacyLens' schema).

    Raises:
        OptionError: if there is no such set.
        DataError: if a file is missing, changed or not of the expected form.
    """
    name, _, path = data.partition(":")
    if name not in _READERS or (path == "" and ":" in data):
        known = ", ".join([*_READERS, *(f"{known}:PATH" for known in _READERS)])
        raise OptionError(f"There is no data set {data!r}; data can be: {known}.")
    loaded = _READERS[name](Path(path).expanduser() if path else None)
    ids = [scenario.id for scenario in loaded.scenarios]
    twice = sorted({scenario for scenario in ids if ids.count(scenario) > 1})
    if twice:
        raise DataError(f"The data set {data!r} has several scenarios named {', '.join(twice)}.")
    return loaded


def _read_core(path: Path | None) -> ScenarioSet:
    files: Sequence[Path] | None = None
    if path is not None:
        if not path.exists():
            raise DataError(f"The data file {path} does not exist.")
        files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not files:
            raise DataError(f"There are no .yaml files in {path}.")
    chosen = files or core.core_files()
    pairs = [(file.name, pair) for file in chosen for pair in core.read_pairs(file)]
    for file_name, pair in pairs:
        for problem in core_check.problems(pair) if files else ():
            raise DataError(f"{file_name}, {pair.pair}: {problem}.")
    return ScenarioSet(
        name="core" if path is None else "core:file",
        version=core_header().version if path is None else "unversioned",
        hash=core.content_digest(chosen)[:12],
        scenarios=tuple(scenario for _, pair in pairs for scenario in pair.scenarios()),
    )


def _read_privacylens(path: Path | None) -> ScenarioSet:
    if path is None:
        file = fetch(
            privacylens.REMOTE,
            instead="get main_data.json of PrivacyLens yourself and pass data=privacylens:PATH.",
        )
    else:
        if not path.is_file():
            raise DataError(f"{path} does not exist or is no file.")
        file = path
    digest = core.content_digest([file])
    published = digest == privacylens.REMOTE.sha256
    return ScenarioSet(
        name="privacylens" if published else "privacylens:file",
        version=privacylens.REVISION[:7] if published else "unversioned",
        hash=digest[:12],
        scenarios=tuple(privacylens.read_privacylens(file)),
    )


_READERS: dict[str, Callable[[Path | None], ScenarioSet]] = {
    "core": _read_core,
    "privacylens": _read_privacylens,
}
