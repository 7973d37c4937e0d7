"""Scenarios: what a model under test is shown, and the items that are judged in what it sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from privacy_tasks.norms import AnnotatedItem, Flow


class User(BaseModel):
    """The person for whom the agent acts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    email: str
    role: str | None = None


class ToolUse(BaseModel):
    """One step of a trajectory: a tool call and what came back."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tool: str
    arguments: dict[str, JsonValue] | None
    """The arguments, or None where the source holds text that is no JSON object."""
    raw_arguments: str | None = None
    """The source's own text of the arguments, where it is more than a rendering of `arguments`."""
    observation: JsonValue

    @property
    def arguments_text(self) -> str:
        """The arguments as a transcript shows them."""
        if self.raw_arguments is not None:
            return self.raw_arguments
        return json.dumps(self.arguments, ensure_ascii=False)

    @property
    def observation_text(self) -> str:
        """What came back, as a tool message shows it."""
        if isinstance(self.observation, str):
            return self.observation
        return json.dumps(self.observation, ensure_ascii=False)


class Scenario(BaseModel):
    """One test case of any task family."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    set: str
    """The data set that it belongs to."""
    domain: str
    channel: str
    cluster: str
    """What is not independent of it (twin pair, profile): error bars are clustered by this."""
    flow: Flow
    purpose: str
    items: tuple[AnnotatedItem, ...]
    source_details: dict[str, Any] = {}

    def with_norm(self, norm: str) -> tuple[AnnotatedItem, ...]:
        """The items that carry that norm."""
        return tuple(item for item in self.items if item.norm == norm)


class AgenticScenario(Scenario):
    """An agent that has gathered what it needs and takes its final action next."""

    user: User
    instruction: str
    today: str | None = None
    toolkits: tuple[str, ...]
    trajectory: tuple[ToolUse, ...]
    final_tool: str

    @property
    def visible_text(self) -> str:
        """All that the model sees of the case: the instruction and every call with its result."""
        parts = [self.instruction]
        for step in self.trajectory:
            parts += [step.arguments_text, *texts(step.observation)]
        return "\n".join(parts)


def texts(value: JsonValue) -> Iterator[str]:
    """All text and numbers of a nested structure, keys aside, with line breaks as they are."""
    if isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
    elif value is not None:
        yield str(value)
