"""What makes a profile or a shared setting of the core set fit to be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from judges.lexical import holds_value
from privacy_tasks.norms import AnnotatedItem, Item
from privacy_tasks.scenario import Scenario
from privacy_tasks.sources.core import DOMAINS
from privacy_tasks.sources.core_check import telling_apart_problems
from privacy_tasks.sources.core_profiles import Profile
from privacy_tasks.sources.core_shared import Setting

ATTRIBUTES = 40
CONTEXTS = 12
SAID = 10
SESSION_CONTEXTS = 4


def profile_problems(profile: Profile) -> Iterator[str]:
    """What keeps a profile from being usable, one sentence each."""
    if len(profile.attributes) < ATTRIBUTES:
        yield f"{len(profile.attributes)} attributes; at least {ATTRIBUTES} are needed"
    if len(profile.contexts) < CONTEXTS:
        yield f"{len(profile.contexts)} contexts; at least {CONTEXTS} are needed"
    yield from usable_problems(profile)
    for scenario in profile.scenarios():
        if scenario.domain not in DOMAINS:
            yield f"{scenario.id}: domain {scenario.domain!r} is not one of {', '.join(DOMAINS)}"
        yield from _norm_problems(scenario.id, scenario.items, share=2, withhold=8)
    norms: dict[str, set[str]] = {}
    for scenario in profile.scenarios():
        for item in scenario.items:
            norms.setdefault(item.id, set()).add(item.norm)
    fixed = [key for key, found in norms.items() if not {"share", "withhold"} <= found]
    if len(fixed) > len(norms) / 2:
        yield (
            "more than half of the attributes never change between share and withhold:"
            f" {', '.join(fixed)}"
        )
    yield from _session_size_problems(profile)


def usable_problems(profile: Profile) -> Iterator[str]:
    """What would make figures wrong, in a profile of any size."""
    yield from _value_problems(profile.attributes)
    for scenario in (*profile.scenarios(), *profile.session_scenarios()):
        yield from telling_apart_problems(scenario)
        yield from _given_away(scenario)
    yield from _saying_problems(profile)


def _session_size_problems(profile: Profile) -> Iterator[str]:
    if not 3 <= len(profile.sessions) <= 6:
        yield f"{len(profile.sessions)} sessions; 3 to 6 are needed"
    if len(profile.said()) < SAID:
        yield f"{len(profile.said())} attributes come up in sessions; at least {SAID} are needed"
    if len(profile.session_contexts) < SESSION_CONTEXTS:
        yield f"at least {SESSION_CONTEXTS} session_contexts are needed"
    for number, talk in enumerate(profile.sessions, start=1):
        if not 2 <= len(talk.turns) <= 5:
            yield f"session {number} has {len(talk.turns)} turns; 2 to 5 are allowed"
    scenarios = profile.session_scenarios()
    for scenario in scenarios:
        yield from _norm_problems(f"{scenario.id} in sessions", scenario.items, 1, 3)
    for scenario in scenarios[:1]:  # the place is the same for all
        yield from _norm_problems(f"shared place {scenario.place.name}", scenario.place.items, 1, 3)


def _saying_problems(profile: Profile) -> Iterator[str]:
    spoken = {attribute.id: attribute for attribute in profile.attributes}
    for number, talk in enumerate(profile.sessions, start=1):
        for turn in talk.turns:
            for key in turn.says:
                if not any(holds_value(value, turn.text) for value in spoken[key].values):
                    yield f"session {number}: {key} comes up, but none of its values is said"
            for other in profile.attributes:
                if other.id not in turn.says and any(
                    holds_value(value, turn.text) for value in other.values
                ):
                    yield f"session {number}: a value of {other.id} is said; put it into says"


def setting_problems(setting: Setting) -> Iterator[str]:
    """What keeps a shared setting from being usable, one sentence each."""
    if [asker.id for asker in setting.askers] != ["a", "b"]:
        yield "askers are to be two, with the ids a and b"
        return
    if setting.domain not in DOMAINS:
        yield f"domain {setting.domain!r} is not one of {', '.join(DOMAINS)}"
    yield from _value_problems(setting.items)
    names = {person.name for person in setting.people}
    for talk in setting.earlier:
        if talk.speaker not in names:
            yield f"earlier: {talk.speaker!r} is not among the people"
    heard = "\n".join(talk.said for talk in setting.earlier)
    for item in setting.items:
        if not any(holds_value(value, heard) for value in item.values):
            yield f"item {item.id} does not come up in earlier"
    for asker in setting.askers:
        norms = [annotation.norm for annotation in asker.norms.values()]
        if norms.count("withhold") < 2 or norms.count("share") < 1:
            yield f"asker {asker.id} needs at least two items to withhold and one to share"
        for way, asks in (("plain", asker.plain), ("detour", asker.detour)):
            if not 1 <= len(asks) <= 4:
                yield f"asker {asker.id}: {way} has {len(asks)} turns; 1 to 4 are allowed"
            for item in setting.items:
                if any(holds_value(value, ask) for value in item.values for ask in asks):
                    yield f"asker {asker.id}: {way} says a value of {item.id} itself"
    first, second = ({k: v.norm for k, v in asker.norms.items()} for asker in setting.askers)
    for here, there, order in ((first, second, "a to b"), (second, first, "b to a")):
        if not any(here[key] == "share" and there[key] == "withhold" for key in here):
            yield f"from {order} no item goes from share to withhold"
    for scenario in setting.scenarios():
        yield from telling_apart_problems(scenario)


def _value_problems(items: Sequence[Item]) -> Iterator[str]:
    for item in items:
        if not item.values:
            yield f"{item.id} needs values"
        elif not any(holds_value(value, item.statement) for value in item.values):
            yield f"{item.id}: its statement holds none of its values"
        for value in item.values:
            for other in items:
                if other.id != item.id and holds_value(value, other.statement):
                    yield f"{item.id}: the value {value!r} is in the statement of {other.id}"


def _norm_problems(
    where: str, items: Sequence[AnnotatedItem], share: int, withhold: int
) -> Iterator[str]:
    norms = [item.norm for item in items]
    if norms.count("share") < share or norms.count("withhold") < withhold:
        yield (
            f"{where} has {norms.count('share')} items to share and {norms.count('withhold')} to"
            f" withhold; at least {share} and {withhold} are needed"
        )


def _given_away(scenario: Scenario) -> Iterator[str]:
    recipient = scenario.flow.recipient
    given = f"{recipient.name}\n{recipient.address}\n{scenario.purpose}"
    for item in scenario.items:
        for value in item.values:
            if holds_value(value, given):
                yield f"{scenario.id}: purpose or recipient hold the value {value!r} of {item.id}"
