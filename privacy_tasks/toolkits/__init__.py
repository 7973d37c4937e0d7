"""The tools that an agent under test is given, read from the YAML files beside this module.

The eight toolkits of PrivacyLens keep the tool names and parameters that its trajectories use
(Shao et al. 2024, arXiv 2409.00138, built on ToolEmu); the others were made for the core set.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from privacy_tasks.errors import DataError
from privacy_tasks.strict_yaml import load_yaml

Channel = Literal["email", "chat", "post", "ticket", "calendar", "document"]
"""How an outgoing flow travels."""

JsonType = Literal["string", "integer", "number", "boolean", "array", "object"]


class Parameter(BaseModel):
    """One argument of a tool."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    type: JsonType
    description: str
    required: bool = False
    items: JsonType | None = None
    """Type of the elements of an array."""


class Outgoing(BaseModel):
    """What makes a tool call a flow to somebody other than the user."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Channel
    addressees: tuple[str, ...] = ()
    """Arguments that name who gets it. Empty: the audience follows from the place it is put in."""
    addressee: str | None = None
    """The argument that holds the recipient's address when this project composes a call."""
    title: str | None = None
    """The argument for a subject or title when this project composes a call."""
    body: str | None = None
    """The argument for the text when this project composes a call."""
    reference: str | None = None
    """The argument with the id of something whose whole content the call passes on."""
    audience: str | None = None
    """The argument that says who may see a post."""
    private_audiences: tuple[str, ...] = ()
    """Values of `audience` under which nobody but the user sees it."""


class ToolSpec(BaseModel):
    """One tool as the model under test sees it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    parameters: dict[str, Parameter]
    returns: dict[str, str] = Field(default_factory=dict)
    outgoing: Outgoing | None = None


class Toolkit(BaseModel):
    """Tools that belong to one application."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    toolkit: str
    description: str
    origin: str
    tools: tuple[ToolSpec, ...]


@cache
def toolkits() -> dict[str, Toolkit]:
    """All toolkits by name.

    Raises:
        DataError: if a toolkit file does not have the expected form.
    """
    found: dict[str, Toolkit] = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            kit = Toolkit.model_validate(load_yaml(file.read_text(encoding="utf-8")))
        except (yaml.YAMLError, ValidationError) as error:
            raise DataError(f"The toolkit file {file.name} is not as expected: {error}") from error
        found[kit.toolkit] = kit
    return found


@cache
def tool_index() -> dict[str, tuple[Toolkit, ToolSpec]]:
    """Every tool by its name, with the toolkit that it belongs to."""
    return {tool.name: (kit, tool) for kit in toolkits().values() for tool in kit.tools}


def tool_spec(name: str) -> ToolSpec | None:
    """The tool of that name, or None where no toolkit has it."""
    entry = tool_index().get(name)
    return entry[1] if entry else None


def tools_of(names: Iterable[str]) -> list[ToolSpec]:
    """Every tool of the toolkits of these names."""
    return [tool for name in names for tool in toolkits()[name].tools]


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
}


def argument_problems(tool: ToolSpec, arguments: dict[str, Any]) -> list[str]:
    """What is wrong with the arguments of a call of `tool`; empty if nothing is."""
    problems = [
        f"{tool.name} has no argument {name!r}" for name in arguments if name not in tool.parameters
    ]
    for name, parameter in tool.parameters.items():
        if name not in arguments:
            if parameter.required:
                problems.append(f"{tool.name} needs the argument {name!r}")
            continue
        value = arguments[name]
        wrong_bool = isinstance(value, bool) and parameter.type != "boolean"
        if wrong_bool or not isinstance(value, _PYTHON_TYPES[parameter.type]):
            problems.append(f"{tool.name}.{name} is to be a {parameter.type}")
        elif isinstance(value, list) and not all(
            isinstance(element, _PYTHON_TYPES[parameter.items or "string"]) for element in value
        ):
            problems.append(f"every element of {tool.name}.{name} is to be a {parameter.items}")
    return problems
