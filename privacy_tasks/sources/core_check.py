"""What makes a pair of the core set fit to be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import combinations
from typing import Any

from judges.lexical import holds_value
from judges.normal_form import tokens
from privacy_tasks.items_in_text import items_in
from privacy_tasks.scenario import Scenario, texts
from privacy_tasks.sources.core import Pair
from privacy_tasks.toolkits import argument_problems, tool_index, tool_spec

SHARED_RUN = 8
"""No two pairs may share a run of this many words."""


def problems(pair: Pair) -> Iterator[str]:
    """What keeps a pair from being usable, one sentence each."""
    form = list(_form_problems(pair))
    yield from form
    if not form:  # the rest looks at the scenarios that the pair makes
        yield from _norm_problems(pair)
        yield from _finding_problems(pair)
        for scenario in pair.scenarios():
            yield from telling_apart_problems(scenario)


def _form_problems(pair: Pair) -> Iterator[str]:
    if not pair.pair.startswith(f"{pair.domain}-"):
        yield f"the pair's name is to begin with its domain: {pair.domain}-…"
    if [twin.id for twin in pair.twins] != ["a", "b"]:
        yield "twins are to be two, with the ids a and b"
    if not 2 <= len(pair.trajectory) <= 6:
        yield f"the trajectory has {len(pair.trajectory)} calls; 2 to 6 are allowed"
    ids = [item.id for item in pair.items]
    if len(set(ids)) != len(ids):
        yield "two items share an id"
    for step in pair.trajectory:
        spec = tool_spec(step.tool)
        if spec is None:
            yield f"unknown tool {step.tool}{_meant(step.tool)}"
        elif spec.outgoing:
            yield f"{step.tool} sends something: the trajectory is for gathering only"
        else:
            yield from argument_problems(spec, step.arguments)
    for twin in pair.twins:
        spec = tool_spec(twin.final_tool)
        if spec is None or spec.outgoing is None or spec.outgoing.body is None:
            tool = f"{twin.final_tool} is no tool that sends a text"
            yield f"twin {twin.id}: {tool}{_meant(twin.final_tool)}"
        elif spec.outgoing.channel != twin.channel:
            yield f"twin {twin.id}: {twin.final_tool} is of the channel {spec.outgoing.channel}"
        elif spec.outgoing.addressee and not twin.recipient.address:
            yield f"twin {twin.id}: the recipient needs an address for {twin.final_tool}"
        if set(twin.norms) != set(ids):
            odd = sorted(set(twin.norms) ^ set(ids))
            yield f"twin {twin.id}: norms and items differ in {', '.join(odd)}"


def _meant(tool: str) -> str:
    close = get_close_matches(tool, tool_index(), n=1)
    return f" (did you mean {close[0]}?)" if close and close[0] != tool else ""


def _norm_problems(pair: Pair) -> Iterator[str]:
    for twin in pair.twins:
        norms = [annotation.norm for annotation in twin.norms.values()]
        if norms.count("withhold") < 2 or norms.count("share") < 1:
            yield f"twin {twin.id} needs at least two items to withhold and one to share"
    first, second = ({k: v.norm for k, v in twin.norms.items()} for twin in pair.twins)
    for here, there, order in ((first, second, "a to b"), (second, first, "b to a")):
        if not any(here[key] == "share" and there[key] == "withhold" for key in here):
            yield f"from {order} no item goes from share to withhold"


def _finding_problems(pair: Pair) -> Iterator[str]:
    for twin, scenario in zip(pair.twins, pair.scenarios(), strict=True):
        address = twin.recipient.address
        if address and address not in scenario.visible_text:
            yield f"twin {twin.id}: the address {address!r} is not in what the model sees"
    observed = "\n".join(text for step in pair.trajectory for text in texts(step.observation))
    for item in pair.items:
        if not item.values:
            yield f"item {item.id} needs values"
        if not any(holds_value(value, item.statement) for value in item.values):
            yield f"item {item.id}: its statement holds none of its values"
        for value in item.values:
            if not holds_value(value, observed):
                yield f"item {item.id}: the value {value!r} is in no observation"
            for other in pair.items:
                if other.id != item.id and holds_value(value, other.statement):
                    yield f"item {item.id}: the value {value!r} is in the statement of {other.id}"
            for twin in pair.twins:
                given = f"{twin.instruction}\n{twin.recipient.name}\n{twin.recipient.address}"
                if holds_value(value, f"{given}\n{twin.purpose}"):
                    yield (
                        f"item {item.id}: the value {value!r} is in the instruction, purpose or"
                        f" recipient of twin {twin.id}"
                    )


def telling_apart_problems(scenario: Scenario) -> Iterator[str]:
    """The statements of one norm, sent together, must read as those items and no other."""
    for norm in ("share", "withhold", "discretionary"):
        sent = scenario.with_norm(norm)
        text = "\n".join(item.statement for item in sent)
        found = items_in(text, scenario.items, recipient=scenario.flow.recipient.name)
        odd = found ^ {item.id for item in sent}
        if odd:
            listed = ", ".join(sorted(odd))
            yield f"{scenario.id}: the statements to {norm} do not tell {listed} apart"


def shared_runs(contents: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Runs of words that two pieces of the core set share: the two names and the run.

    Args:
        contents: what each pair, profile or setting holds, by its name.
    """
    runs = {name: _runs(content) for name, content in contents.items()}
    return [
        (one, other, " ".join(min(common)))
        for one, other in combinations(runs, 2)
        if (common := runs[one] & runs[other])
    ]


def _runs(content: Any) -> set[tuple[str, ...]]:
    found = set()
    for text in texts(content):
        words = [token.form for token in tokens(text)]
        found |= {tuple(words[at : at + SHARED_RUN]) for at in range(len(words) - SHARED_RUN + 1)}
    return found
