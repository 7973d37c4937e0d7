"""The shared-assistant part of the core set: who told it what, and who asks for it."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from privacy_tasks.errors import DataError
from privacy_tasks.norms import Flow, Item, Recipient
from privacy_tasks.scenario import Exchange, Person, SharedScenario
from privacy_tasks.sources.core import Annotation, annotated, core_folder, read_entries

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
            items=annotated(self.items, asker.norms),
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
    settings = read_entries(file, Setting, "setting")
    for setting in settings:
        known = {person.name for person in setting.people}
        ids = {item.id for item in setting.items}
        where = f"{file.name}, {setting.setting}"
        for asker in setting.askers:
            if asker.name not in known:
                raise DataError(f"{where}: {asker.name!r} is not among the people")
            if set(asker.norms) != ids:
                odd = ", ".join(sorted(set(asker.norms) ^ ids))
                raise DataError(f"{where}: norms of {asker.id} and items differ in {odd}")
    return settings
