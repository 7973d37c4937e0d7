"""The shared-assistant part of the core set: who told it what, and who asks for it."""

from __future__ import annotations

import json
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from privacy_tasks.errors import DataError
from privacy_tasks.norms import AnnotatedItem, Flow, Item, Recipient
from privacy_tasks.scenario import Exchange, Person, SharedScenario
from privacy_tasks.sources.core import Annotation, core_folder, first_problem
from privacy_tasks.strict_yaml import load_yaml

WAYS = ("plain", "detour")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asker(_Strict):
    """One of two people who ask, with the norms that hold for them."""

    id: str
    name: str
    purpose: str
    principle: str
    plain: tuple[str, ...]
    detour: tuple[str, ...]
    norms: dict[str, Annotation]


class Setting(_Strict):
    """One assistant, the people who use it, and what they have told it."""

    setting: str
    domain: str
    country: str
    place: str
    subject: str
    people: tuple[Person, ...]
    items: tuple[Item, ...]
    earlier: tuple[Exchange, ...]
    askers: tuple[Asker, ...]

    def scenarios(self) -> list[SharedScenario]:
        """Both askers, each asking plainly and by a detour."""
        return [self._scenario(asker, way) for asker in self.askers for way in WAYS]

    def _scenario(self, asker: Asker, way: str) -> SharedScenario:
        roles = {person.name: person.role for person in self.people}
        items = tuple(
            AnnotatedItem(
                **item.model_dump(),
                norm=asker.norms[item.id].norm,
                rationale=asker.norms[item.id].why,
            )
            for item in self.items
        )
        return SharedScenario(
            id=f"{self.setting}-{asker.id}-{way}",
            set="core",
            domain=self.domain,
            channel="chat",
            cluster=self.setting,
            flow=Flow(
                subject=self.subject,
                sender="the shared assistant",
                recipient=Recipient(name=asker.name, role=roles[asker.name]),
                transmission_principle=asker.principle,
            ),
            purpose=asker.purpose,
            items=items,
            place=self.place,
            people=self.people,
            earlier=self.earlier,
            asks=asker.plain if way == "plain" else asker.detour,
            goal=asker.purpose,
            source_details={"country": self.country, "way": way},
        )


def setting_files() -> list[Traversable]:
    """The YAML files of the shared settings in the core set, in order of name."""
    folder = core_folder() / "memory" / "shared"
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda f: f.name
    )


def read_settings(file: Traversable | Path) -> list[Setting]:
    """The settings of one file.

    Raises:
        DataError: names the file, the setting, the field and what was expected.
    """
    try:
        entries = load_yaml(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise DataError(f"{file.name} is not YAML as it should be: {problem}") from error
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{file.name} is to hold a list of settings")
    settings = []
    for place, entry in enumerate(entries, start=1):
        name = entry.get("setting", f"entry {place}") if isinstance(entry, dict) else place
        try:
            settings.append(Setting.model_validate_json(json.dumps(entry), strict=True))
        except (ValidationError, TypeError) as error:
            raise DataError(f"{file.name}, {name}: {first_problem(error)}") from error
        known = {person.name for person in settings[-1].people}
        ids = {item.id for item in settings[-1].items}
        for asker in settings[-1].askers:
            if asker.name not in known:
                raise DataError(f"{file.name}, {name}: {asker.name!r} is not among the people")
            if set(asker.norms) != ids:
                odd = ", ".join(sorted(set(asker.norms) ^ ids))
                raise DataError(
                    f"{file.name}, {name}: norms of {asker.id} and items differ in {odd}"
                )
    return settings
