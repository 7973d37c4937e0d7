"""The scenario sets of the memory tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Literal, get_args

from privacy_tasks.errors import DataError, OptionError
from privacy_tasks.scenario import MemoryScenario, Scenario, SharedScenario
from privacy_tasks.sources import cimemories, core_header
from privacy_tasks.sources.core import content_digest
from privacy_tasks.sources.core_profiles import Profile, profile_files, read_profile
from privacy_tasks.sources.core_shared import Setting, read_settings, setting_files
from privacy_tasks.sources.memory_check import setting_problems, usable_problems
from privacy_tasks.sources.scenario_set import ScenarioSet, checked, parts_of, yaml_files

Mode = Literal["profile", "sessions", "shared"]
MODES: tuple[str, ...] = get_args(Mode)

MEMORY_SETS = ("core", "cimemories")


@cache
def load_memory(data: str, mode: str, labels: str | None = None) -> ScenarioSet[Scenario]:
    """The scenarios of a memory task.

    Args:
        data: `core` or `core:PATH` (a YAML file of the mode's form, or a folder of them);
            `cimemories` or `cimemories:PATH` (profiles only; see `sources.cimemories`).
        mode: `profile`, `sessions` or `shared`.
        labels: for profile files of CIMemories without labels, the file that has them.

    Raises:
        OptionError: if there is no such set, or it has nothing for the mode.
        DataError: if a file is missing or not of the expected form.
    """
    name, path = parts_of(data, MEMORY_SETS)
    if name == "cimemories" and mode != "profile":
        raise OptionError(f"data=cimemories has nothing for mode={mode}; it is for mode=profile.")
    if labels is not None and name != "cimemories":
        raise OptionError("labels is for data=cimemories:PATH: the core set has its norms.")
    if name == "cimemories":
        return checked(data, _read_cimemories(path, labels))
    return checked(data, _read_shared(path) if mode == "shared" else _read_profiles(path, mode))


def _read_profiles(path: Path | None, mode: str) -> ScenarioSet[Scenario]:
    files = profile_files() if path is None else yaml_files(path)
    profiles = [(file.name, read_profile(file)) for file in files]
    for file_name, profile in profiles if path else ():
        for problem in usable_problems(profile):
            raise DataError(f"{file_name}: {problem}.")
    scenarios = _in_turn([list(_of_mode(profile, mode)) for _, profile in profiles])
    if not scenarios:
        raise DataError(f"There is no context to be met after sessions in {path}.")
    return ScenarioSet(
        name="core" if path is None else "core:file",
        version=core_header().version if path is None else "unversioned",
        hash=content_digest(files)[:12],
        scenarios=tuple(scenarios),
    )


def _in_turn(groups: Sequence[Sequence[MemoryScenario]]) -> list[MemoryScenario]:
    """One of each person after the other, so that a limited run meets many of them."""
    return [it for row in zip_longest(*groups) for it in row if it is not None]


def _of_mode(profile: Profile, mode: str) -> Iterator[MemoryScenario]:
    yield from profile.scenarios() if mode == "profile" else profile.session_scenarios()


def _read_shared(path: Path | None) -> ScenarioSet[Scenario]:
    files = setting_files() if path is None else yaml_files(path)
    settings: list[tuple[str, Setting]] = [
        (file.name, setting) for file in files for setting in read_settings(file)
    ]
    for file_name, setting in settings if path else ():
        for problem in setting_problems(setting):
            raise DataError(f"{file_name}, {setting.setting}: {problem}.")
    scenarios: list[SharedScenario] = [
        scenario for _, setting in settings for scenario in setting.scenarios()
    ]
    return ScenarioSet(
        name="core" if path is None else "core:file",
        version=core_header().version if path is None else "unversioned",
        hash=content_digest(files)[:12],
        scenarios=tuple(scenarios),
    )


def _read_cimemories(path: Path | None, labels: str | None) -> ScenarioSet[Scenario]:
    label_file = None if labels is None else Path(labels).expanduser()
    if path is None:
        if label_file is not None:
            raise OptionError("labels is for data=cimemories:PATH: the set on the hub has its own.")
        revision, files = cimemories.fetch_from_hub()
        name = "cimemories"
    else:
        revision, files = "unversioned", [path]
        name = "cimemories:file"
    people: dict[str, list[MemoryScenario]] = {}
    for scenario in cimemories.read_cimemories(files, label_file):
        people.setdefault(scenario.cluster, []).append(scenario)
    return ScenarioSet(
        name=name,
        version=revision,
        hash=content_digest([*files, *([label_file] if label_file else [])])[:12],
        scenarios=tuple(_in_turn(list(people.values()))),
    )
