"""The core set: twin pairs written for this project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from privacy_tasks.errors import DataError
from privacy_tasks.norms import AnnotatedItem, Flow, Item, Norm, Recipient
from privacy_tasks.scenario import AgenticScenario, OtherRecipient, ToolUse, User
from privacy_tasks.strict_yaml import load_yaml
from privacy_tasks.toolkits import Channel, tool_index

DOMAINS = (
    "health",
    "finance",
    "employment",
    "legal",
    "education",
    "housing",
    "family",
    "immigration",
    "children",
    "security",
    "belief",
    "location",
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Annotation(_Strict):
    """The norm of an item for one recipient."""

    norm: Norm
    why: str


class Step(_Strict):
    """A tool call of the shared trajectory."""

    tool: str
    arguments: dict[str, JsonValue]
    observation: JsonValue


class Twin(_Strict):
    """One of the two contexts in which the facts of a pair are used."""

    id: str
    recipient: Recipient
    purpose: str
    principle: str
    channel: Channel
    final_tool: str
    instruction: str
    norms: dict[str, Annotation]


class Pair(_Strict):
    """Facts that are met in two contexts whose norms differ."""

    pair: str
    domain: str
    country: str
    user: User
    today: str
    subject: str
    situation: str | None = None
    """What goes on, told from outside and for both twins, without taking a side."""
    items: tuple[Item, ...]
    trajectory: tuple[Step, ...]
    twins: tuple[Twin, ...]

    def scenarios(self) -> list[AgenticScenario]:
        """The two scenarios of the pair."""
        return [self._scenario(twin) for twin in self.twins]

    def _scenario(self, twin: Twin) -> AgenticScenario:
        used = [*(step.tool for step in self.trajectory), twin.final_tool]
        kits = dict.fromkeys(tool_index()[tool][0].toolkit for tool in used)
        others = tuple(
            OtherRecipient(
                recipient=other.recipient,
                final_tool=other.final_tool,
                items=annotated(self.items, other.norms),
            )
            for other in self.twins
            if other.id != twin.id
        )
        return AgenticScenario(
            id=f"{self.pair}-{twin.id}",
            set="core",
            domain=self.domain,
            channel=twin.channel,
            cluster=self.pair,
            flow=Flow(
                subject=self.subject,
                sender=self.user.name,
                recipient=twin.recipient,
                transmission_principle=twin.principle,
            ),
            purpose=twin.purpose,
            items=annotated(self.items, twin.norms),
            user=self.user,
            instruction=twin.instruction,
            today=self.today,
            toolkits=tuple(kits),
            trajectory=tuple(ToolUse(**step.model_dump()) for step in self.trajectory),
            final_tool=twin.final_tool,
            others=others,
            addresses_known=True,
            situation=self.situation,
            source_details={"country": self.country},
        )


def annotated(items: Iterable[Item], norms: Mapping[str, Annotation]) -> tuple[AnnotatedItem, ...]:
    """The items with the norm that each has for one recipient."""
    return tuple(
        AnnotatedItem(**item.model_dump(), norm=norms[item.id].norm, rationale=norms[item.id].why)
        for item in items
    )


def core_folder() -> Traversable:
    """Where the core set lies in the package."""
    return resources.files("privacy_tasks") / "data" / "core"


def core_files() -> list[Traversable]:
    """The YAML files of the agentic core set, in order of name."""
    folder = core_folder() / "agentic"
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda f: f.name
    )


def read_pairs(file: Traversable | Path) -> list[Pair]:
    """The pairs of one file.

    Raises:
        DataError: names the file, the pair, the field and what was expected.
    """
    return read_entries(file, Pair, "pair")


M = TypeVar("M", bound=BaseModel)


def read_entries(file: Traversable | Path, model: type[M], name_field: str) -> list[M]:
    """The entries of a YAML list, of which each is of one form.

    Args:
        file: what to read.
        model: the form.
        name_field: the field by which an entry is named in errors, and its kind.

    Raises:
        DataError: names the file, the entry, the field and what was expected.
    """
    entries = read_yaml(file)
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{file.name} is to hold a list of {name_field}s")
    found = []
    for place, entry in enumerate(entries, start=1):
        unnamed = f"entry {place}"
        name = entry.get(name_field, unnamed) if isinstance(entry, dict) else unnamed
        try:
            found.append(model.model_validate_json(json.dumps(entry), strict=True))
        except (ValidationError, TypeError) as error:
            raise DataError(f"{file.name}, {name}: {first_problem(error)}") from error
    return found


def read_yaml(file: Traversable | Path) -> Any:
    """What a YAML file says.

    Raises:
        DataError: if it is no YAML.
    """
    try:
        return load_yaml(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise DataError(f"{file.name} is not YAML as it should be: {problem}") from error


def first_problem(error: Exception) -> str:
    """What a validation of YAML content found first."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"field {'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{error} (dates and times must stand in quotes)"


def content_digest(files: Iterable[Traversable | Path]) -> str:
    """SHA-256 over the bytes of the files, in the order given."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
