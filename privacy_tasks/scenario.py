"""Scenarios: what a model under test is shown, and the items that are judged in what it sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from privacy_tasks.norms import AnnotatedItem, Flow, Recipient


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

    @property
    def visible_text(self) -> str:
        """All that the model sees of the case."""
        raise NotImplementedError

    def with_norm(self, norm: str) -> tuple[AnnotatedItem, ...]:
        """The items that carry that norm."""
        return tuple(item for item in self.items if item.norm == norm)


class OtherRecipient(BaseModel):
    """Somebody else whom a scenario's facts may go to, with the norms that hold for them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    recipient: Recipient
    final_tool: str
    items: tuple[AnnotatedItem, ...]


class AgenticScenario(Scenario):
    """An agent that has gathered what it needs and takes its final action next."""

    user: User
    instruction: str
    today: str | None = None
    toolkits: tuple[str, ...]
    trajectory: tuple[ToolUse, ...]
    final_tool: str
    others: tuple[OtherRecipient, ...] = ()
    """Who else has norms of their own: the recipient of the twin."""
    addresses_known: bool = False
    """Whether the scenario says where everybody in it is reached."""
    situation: str | None = None
    """The case as a short story that takes no side, for probing."""

    @property
    def visible_text(self) -> str:
        """All that the model sees of the case: the instruction and every call with its result."""
        parts = [self.instruction]
        for step in self.trajectory:
            parts += [step.arguments_text, *texts(step.observation)]
        return "\n".join(parts)


class MemoryScenario(Scenario):
    """An assistant that remembers its user, and writes one message for them."""

    user: User

    @property
    def visible_text(self) -> str:
        """All that the model sees of the case."""
        return "\n".join([*(item.statement for item in self.items), self.purpose])


class Turn(BaseModel):
    """Something that a user says to their assistant."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    text: str
    says: tuple[str, ...] = ()
    """The items that come up in it."""


class Session(BaseModel):
    """One earlier conversation of a user with their assistant."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    errand: str
    turns: tuple[Turn, ...]


class Place(BaseModel):
    """Somewhere that an assistant can store things and somebody else reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    readers: Recipient
    purpose: str
    items: tuple[AnnotatedItem, ...]
    """The items of the scenario with their norms for these readers."""


class SessionScenario(MemoryScenario):
    """The same, where all that is known of the user came up in earlier conversations."""

    sessions: tuple[Session, ...]
    place: Place

    @property
    def visible_text(self) -> str:
        """All that the model sees of the case."""
        said = [turn.text for session in self.sessions for turn in session.turns]
        return "\n".join([*said, self.purpose])


class Exchange(BaseModel):
    """What somebody said to a shared assistant, and what it answered."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    speaker: str
    said: str
    answered: str


class Person(BaseModel):
    """Somebody who uses a shared assistant."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    role: str


class SharedScenario(Scenario):
    """An assistant of several people; one of them asks for what another has told it."""

    place: str
    people: tuple[Person, ...]
    earlier: tuple[Exchange, ...]
    asks: tuple[str, ...]
    """What the asker says, turn by turn, when no model plays them."""
    goal: str
    """What the asker is after, for a model that plays them."""

    @property
    def visible_text(self) -> str:
        """All that the model sees of the case."""
        return "\n".join([*(talk.said for talk in self.earlier), *self.asks])


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
