"""Probes: may this item go to this recipient? Made of the scenarios of the agentic task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from privacy_tasks.errors import DataError
from privacy_tasks.norms import AnnotatedItem
from privacy_tasks.scenario import AgenticScenario

Level = Literal["seed", "vignette", "trajectory"]
LEVELS: tuple[str, ...] = get_args(Level)
"""How much of the case a probe tells (PrivacyLens, section 3): the five parameters of the flow; a
story; all that the agent has seen."""

Right = Literal["yes", "no"]


class Probe(BaseModel):
    """One question, whose right answer the norm gives."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    scenario: AgenticScenario
    item: AnnotatedItem
    """What is asked about; its statement is not shown at the level `seed`."""
    right: Right


def probes_of(scenarios: Sequence[AgenticScenario], level: str) -> list[Probe]:
    """The probes of a set of scenarios.

    In the core set each fact that is asked about is asked twice: for the recipient who is to get
    it and for the one who is not (its twin). Of each pair one fact is taken for either direction.
    The cases of PrivacyLens have one flow each, and it is always inappropriate.

    Raises:
        DataError: if a scenario lacks what the level tells.
    """
    if level == "vignette":
        bare = [scenario.id for scenario in scenarios if not scenario.situation]
        if bare:
            raise DataError(f"level=vignette needs a situation, which {bare[0]} does not have.")
    if all(scenario.others for scenario in scenarios):
        return list(_twin_probes(scenarios))
    return [_published_probe(scenario, level) for scenario in scenarios]


def _twin_probes(scenarios: Iterable[AgenticScenario]) -> Iterator[Probe]:
    pairs: dict[str, list[AgenticScenario]] = {}
    for scenario in scenarios:
        pairs.setdefault(scenario.cluster, []).append(scenario)
    for pair in pairs.values():
        if len(pair) != 2:
            raise DataError(f"{pair[0].cluster} has {len(pair)} scenarios; probes need both twins.")
        here, there = pair
        for one, other in ((here, there), (there, here)):
            key = _changing(one, other)
            yield _probe(one, key)
            yield _probe(other, key)


def _changing(one: AgenticScenario, other: AgenticScenario) -> str:
    """The first fact that one recipient is to get and the other is not."""
    withheld = {item.id for item in other.with_norm("withhold")}
    found = [item.id for item in one.with_norm("share") if item.id in withheld]
    if not found:
        raise DataError(f"No item goes from share in {one.id} to withhold in {other.id}.")
    return found[0]


def _probe(scenario: AgenticScenario, key: str) -> Probe:
    (item,) = (item for item in scenario.items if item.id == key)
    right: Right = "yes" if item.norm == "share" else "no"
    return Probe(id=f"{scenario.id}-{key}", scenario=scenario, item=item, right=right)


def _published_probe(scenario: AgenticScenario, level: str) -> Probe:
    """PrivacyLens' own question: the kind of data at two levels, a sentence on it in the story."""
    details = scenario.source_details
    concrete = details["data_type_concrete"] if level == "vignette" else None
    item = AnnotatedItem(
        id="data_type",
        statement=concrete or f"{details['data_subject']}'s {_bare(details['data_type'])}",
        type=_bare(details["data_type"]),
        norm="withhold",
        rationale="PrivacyLens collected this as an inappropriate flow.",
    )
    return Probe(id=scenario.id, scenario=scenario, item=item, right="no")


def _bare(kind: str) -> str:
    """A kind of data without its article."""
    for article in ("a ", "an "):
        kind = kind.removeprefix(article)
    return kind
