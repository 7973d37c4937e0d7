"""Where scenarios come from. A set is named on the command line; its files are read here.

`core`, `privacylens` and `confaide` name the published sets; `core:PATH` and the like read files
of the same schema from elsewhere.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from privacy_tasks.errors import DataError
from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.sources import core, core_check, privacylens
from privacy_tasks.sources.fetch import RemoteFile, fetch
from privacy_tasks.sources.scenario_set import ScenarioSet, checked, parts_of, yaml_files
from privacy_tasks.strict_yaml import load_yaml


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
def load_agentic(data: str) -> ScenarioSet[AgenticScenario]:
    """The agentic scenarios of a set.

    Args:
        data: `core`, `privacylens`, `confaide`, `core:PATH` (a YAML file or a folder of them),
            `privacylens:PATH` or `confaide:PATH` (a JSON file in PrivacyLens' schema).

    Raises:
        OptionError: if there is no such set.
        DataError: if a file is missing, changed or not of the expected form.
    """
    name, path = parts_of(data, AGENTIC_SETS)
    if name == "core":
        return checked(data, _read_core(path))
    return checked(data, _read_privacylens(name, path))


AGENTIC_SETS = ("core", "privacylens", "confaide")


def _read_core(path: Path | None) -> ScenarioSet[AgenticScenario]:
    files = core.core_files() if path is None else yaml_files(path)
    pairs = [(file.name, pair) for file in files for pair in core.read_pairs(file)]
    for file_name, pair in pairs:
        for problem in core_check.problems(pair) if path else ():
            raise DataError(f"{file_name}, {pair.pair}: {problem}.")
    return ScenarioSet(
        name="core" if path is None else "core:file",
        version=core_header().version if path is None else "unversioned",
        hash=core.content_digest(files)[:12],
        scenarios=tuple(scenario for _, pair in pairs for scenario in pair.scenarios()),
    )


def _read_privacylens(name: str, path: Path | None) -> ScenarioSet[AgenticScenario]:
    remote = REMOTE[name]
    if path is None:
        file = fetch(
            remote,
            instead=f"get {Path(remote.path).name} of PrivacyLens yourself and pass"
            f" data={name}:PATH.",
        )
    else:
        if not path.is_file():
            raise DataError(f"{path} does not exist or is no file.")
        file = path
    digest = core.content_digest([file])
    published = digest == remote.sha256
    return ScenarioSet(
        name=name if published else f"{name}:file",
        version=privacylens.REVISION[:7] if published else "unversioned",
        hash=digest[:12],
        scenarios=tuple(privacylens.read_privacylens(file, name)),
    )


REMOTE: dict[str, RemoteFile] = {
    "privacylens": privacylens.REMOTE,
    "confaide": privacylens.CONFAIDE,
}
"""The published files in PrivacyLens' schema."""
