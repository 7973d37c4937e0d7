"""The memory part of the core set: lives in forty facts or more, and who may hear which of them.

A profile holds what an assistant remembers of one person, the contexts in which it writes for
them, and for each context rules that give every fact its norm. Some contexts are also met after
earlier conversations (`sessions`), in which the facts came up one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from privacy_tasks.errors import DataError
from privacy_tasks.norms import AnnotatedItem, Flow, Item, Norm, Recipient
from privacy_tasks.scenario import MemoryScenario, Place, Session, SessionScenario, Turn, User
from privacy_tasks.sources.core import core_folder, first_problem, read_yaml

Channel = Literal["email", "chat", "post", "ticket", "calendar", "document", "letter", "form"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Attribute(Item):
    """One remembered fact, and the topic by which rules can name it."""

    topic: str


class Rule(_Strict):
    """A norm for some facts in one context, with the reason."""

    norm: Norm
    why: str
    topics: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


class Context(_Strict):
    """Somebody who is written to, and what for."""

    id: str
    domain: str
    recipient: Recipient
    purpose: str
    principle: str
    channel: Channel
    rules: tuple[Rule, ...]


class SharedPlace(_Strict):
    """Somewhere that the assistant can store things and somebody else reads."""

    name: str
    readers: Recipient
    purpose: str
    rules: tuple[Rule, ...]


class Conversation(_Strict):
    """One of the earlier conversations: what the user said, turn by turn."""

    errand: str
    turns: tuple[Turn, ...]


class Profile(_Strict):
    """One person."""

    profile: str
    country: str
    person: User
    attributes: tuple[Attribute, ...]
    contexts: tuple[Context, ...]
    sessions: tuple[Conversation, ...] = ()
    session_contexts: tuple[str, ...] = ()
    shared_place: SharedPlace | None = None

    def scenarios(self) -> list[MemoryScenario]:
        """One scenario for each context."""
        return [self._scenario(context) for context in self.contexts]

    def session_scenarios(self) -> list[SessionScenario]:
        """One scenario for each context that is met after the earlier conversations."""
        chosen = [context for context in self.contexts if context.id in self.session_contexts]
        return [self._session_scenario(context) for context in chosen]

    def said(self) -> list[Attribute]:
        """The facts that come up in the earlier conversations."""
        ids = {key for talk in self.sessions for turn in talk.turns for key in turn.says}
        return [attribute for attribute in self.attributes if attribute.id in ids]

    def _scenario(self, context: Context) -> MemoryScenario:
        return MemoryScenario(
            id=f"{self.profile}-{context.id}",
            set="core",
            domain=context.domain,
            channel=context.channel,
            cluster=self.profile,
            flow=Flow(
                subject=self.person.name,
                sender=self.person.name,
                recipient=context.recipient,
                transmission_principle=context.principle,
            ),
            purpose=context.purpose,
            items=annotated(self.attributes, context.rules),
            user=self.person,
            source_details={"country": self.country},
        )

    def _session_scenario(self, context: Context) -> SessionScenario:
        scenario = self._scenario(context)
        said = self.said()
        keys = {attribute.id for attribute in said}
        place = self.shared_place
        assert place is not None
        return SessionScenario(
            **scenario.model_dump(exclude={"items", "flow", "user"}),
            flow=scenario.flow,
            user=scenario.user,
            items=tuple(item for item in scenario.items if item.id in keys),
            sessions=tuple(Session(errand=it.errand, turns=it.turns) for it in self.sessions),
            place=Place(
                name=place.name,
                readers=place.readers,
                purpose=place.purpose,
                items=annotated(said, place.rules),
            ),
        )


def annotated(attributes: Sequence[Attribute], rules: Sequence[Rule]) -> tuple[AnnotatedItem, ...]:
    """The facts with the norm that the rules give them.

    A rule that names a fact by its id goes before one that names its topic.
    """
    found = []
    for attribute in attributes:
        (rule,) = rules_for(attribute, rules)
        found.append(
            AnnotatedItem(
                **attribute.model_dump(exclude={"topic"}), norm=rule.norm, rationale=rule.why
            )
        )
    return tuple(found)


def rules_for(attribute: Attribute, rules: Sequence[Rule]) -> list[Rule]:
    """The rules that speak of a fact: exactly one, in a profile that is as it should be."""
    named = [rule for rule in rules if attribute.id in rule.attributes]
    return named or [rule for rule in rules if attribute.topic in rule.topics]


def profile_files() -> list[Traversable]:
    """The YAML files of the profiles in the core set, in order of name."""
    folder = core_folder() / "memory" / "profiles"
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda f: f.name
    )


def read_profile(file: Traversable | Path) -> Profile:
    """The profile of one file.

    Raises:
        DataError: names the file, the field and what was expected.
    """
    entry = read_yaml(file)
    try:
        profile = Profile.model_validate_json(json.dumps(entry), strict=True)
    except (ValidationError, TypeError) as error:
        raise DataError(f"{file.name}: {first_problem(error)}") from error
    for problem in _rule_problems(profile):
        raise DataError(f"{file.name}: {problem}")
    return profile


def _rule_problems(profile: Profile) -> Iterator[str]:
    """Facts without a norm or with two, and rules that name nothing there is."""
    ids = [attribute.id for attribute in profile.attributes]
    topics = {attribute.topic for attribute in profile.attributes}
    twice = sorted({key for key in ids if ids.count(key) > 1})
    if twice:
        yield f"several attributes are named {', '.join(twice)}"
    places = [(f"context {context.id}", context.rules) for context in profile.contexts]
    if profile.shared_place:
        places.append(("shared_place", profile.shared_place.rules))
    for name, rules in places:
        for rule in rules:
            unknown = [*(set(rule.topics) - topics), *(set(rule.attributes) - set(ids))]
            if unknown:
                yield f"{name}: a rule names {', '.join(sorted(unknown))}, which does not exist"
        for attribute in profile.attributes:
            number = len(rules_for(attribute, rules))
            if number != 1:
                yield f"{name}: {number} rules speak of {attribute.id} (topic {attribute.topic})"
    contexts = [context.id for context in profile.contexts]
    if len(set(contexts)) != len(contexts):
        yield "two contexts share an id"
    unknown = sorted(set(profile.session_contexts) - set(contexts))
    if unknown:
        yield f"session_contexts: there is no context {', '.join(unknown)}"
    said = {key for talk in profile.sessions for turn in talk.turns for key in turn.says}
    if said - set(ids):
        yield f"sessions: there is no attribute {', '.join(sorted(said - set(ids)))}"
    if profile.session_contexts and not (profile.sessions and profile.shared_place):
        yield "session_contexts need sessions and a shared_place"
