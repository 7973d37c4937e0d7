from __future__ import annotations

import pytest

from judges.intervals import estimate
from judges.lexical import LexicalJudge
from judges.question import JudgedItem, Question
from privacy_tasks.agentic.action import ToolAction, outgoing
from privacy_tasks.errors import OptionError
from privacy_tasks.reference.conduct import compose
from privacy_tasks.reference.policy import POLICIES, Policy, make_policy
from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.sent import Sent
from privacy_tasks.sources import load_agentic
from privacy_tasks.toolkits import tool_spec


def told(scenario: AgenticScenario, policy: Policy) -> set[str]:
    """What a reference model says to have disclosed."""
    return {item.id for item in policy.disclosed(scenario.id, 1, scenario.items)}


def found(scenario: AgenticScenario, policy: Policy) -> set[str]:
    """What the lexical judge finds in what the reference model sends."""
    spec = tool_spec(scenario.final_tool)
    assert spec is not None
    chosen = policy.disclosed(scenario.id, 1, scenario.items)
    arguments = compose(spec, scenario.flow.recipient.address, [item.statement for item in chosen])
    sent = outgoing(
        [ToolAction(spec.name, arguments)],
        user_email=scenario.user.email,
        content_of=lambda wanted, _: None,
    )
    assert isinstance(sent, Sent), scenario.id
    question = Question(
        items=tuple(
            JudgedItem(id=item.id, statement=item.statement, values=item.values)
            for item in scenario.items
        ),
        output=sent.text,
        recipient=scenario.flow.recipient.name,
        purpose=scenario.purpose,
    )
    verdict = LexicalJudge().judge_now(question)
    return {item.item_id for item in verdict.items if item.disclosed}


@pytest.mark.parametrize("policy", [Policy(0, 1), Policy(1, 1), Policy(1, 0), Policy(0.5, 0.5, 3)])
def test_the_lexical_judge_finds_exactly_what_a_reference_model_tells(policy: Policy) -> None:
    scenarios = load_agentic("core").scenarios
    wrong = {
        scenario.id: told(scenario, policy) ^ found(scenario, policy)
        for scenario in scenarios
        if told(scenario, policy) != found(scenario, policy)
    }
    assert wrong == {}


@pytest.mark.parametrize(("leak", "share"), [(0.3, 0.8), (0.05, 0.95), (0.6, 0.5)])
def test_over_200_seeds_the_rate_asked_for_is_in_the_interval(leak: float, share: float) -> None:
    """The rates of what was told; that the judge finds just that is the test above."""
    scenarios = load_agentic("core").scenarios
    clusters = [scenario.cluster for scenario in scenarios]
    hits = {"leak": 0, "share": 0, "discernment": 0}
    for seed in range(200):
        policy = make_policy("mixed", leak, share, seed)
        parts: dict[str, list[float]] = {"withhold": [], "share": []}
        for scenario in scenarios:
            disclosed = told(scenario, policy)
            for norm, values in parts.items():
                ids = {item.id for item in scenario.with_norm(norm)}
                values.append(len(ids & disclosed) / len(ids))
        units = {n: [len(scenario.with_norm(n)) for scenario in scenarios] for n in parts}
        leaked = estimate(parts["withhold"], clusters, units=units["withhold"])
        shared = estimate(parts["share"], clusters, units=units["share"])
        difference = estimate(
            [s - w for s, w in zip(parts["share"], parts["withhold"], strict=True)],
            clusters,
            units=[a + b for a, b in zip(units["share"], units["withhold"], strict=True)],
            lowest=-1,
        )
        hits["leak"] += leaked.lower <= leak <= leaked.upper
        hits["share"] += shared.lower <= share <= shared.upper
        hits["discernment"] += difference.lower <= share - leak <= difference.upper
    assert min(hits.values()) >= 186, hits  # 93 % of 200


def test_the_same_seed_tells_the_same() -> None:
    scenario = load_agentic("core").scenarios[0]
    one, same, other = (make_policy("mixed", 0.5, 0.5, seed) for seed in (1, 1, 2))
    draws = [
        [told(s, policy) for s in load_agentic("core").scenarios] for policy in (one, same, other)
    ]
    assert draws[0] == draws[1] != draws[2]
    epochs = {
        frozenset(item.id for item in one.disclosed(scenario.id, epoch, scenario.items))
        for epoch in range(10)
    }
    assert len(epochs) > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "honest"}, "reference/discreet, reference/leaky"),
        ({"name": "leaky", "leak": 0.5}, "takes no leak or share"),
        ({"name": "mixed", "leak": 1.5}, "between 0 and 1"),
        ({"name": "mixed", "leak": "high"}, "between 0 and 1"),
        ({"name": "mixed", "seed": 0.5}, "whole number"),
        ({"name": "leaky", "store": "some"}, "store can be: all, none, place"),
    ],
)
def test_a_wrong_model_or_value_is_an_error(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        make_policy(**arguments)  # type: ignore[arg-type]
    assert set(POLICIES) == {"discreet", "leaky", "silent", "mixed", "always-yes", "always-no"}
