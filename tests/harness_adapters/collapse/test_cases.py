"""The scenarios in which an arm leaked, with what was sent."""

from __future__ import annotations

import math
from collections.abc import Collection

import pytest

from harness_adapters.collapse.arms import ArmLogs
from harness_adapters.collapse.cases import Seen, leak_cases
from harness_adapters.collapse.study import compare
from harness_adapters.runs.observed import Disclosed, Evidence, Observed, Place, TaskLog
from tests.harness_adapters.collapse.test_matching import log, sample


def sent(run: str, samples: list[Observed], text: str = "") -> TaskLog:
    """A log whose leaking samples disclosed one item."""
    by_place = {(it.id, it.epoch): it for it in samples}

    def evidence(wanted: Collection[Place]) -> dict[Place, Evidence]:
        return {
            place: Evidence(
                text=text or f"{run} says in {place[0]}, {place[1]}",
                unscored=by_place[place].unscored,
                recipient="the clinic",
                purpose="to book",
                disclosed=(item(run),) if by_place[place].values["leak_rate"] == 1 else (),
            )
            for place in wanted
        }

    return log(run, samples, evidence=evidence)


def item(run: str) -> Disclosed:
    return Disclosed("debt", "She owes rent.", "money", "not theirs", "the clinic", f"by {run}")


def test_changes_and_their_order() -> None:
    base = sent("b", [sample("a", 0.0), sample("b", 1.0), sample("c", 1.0), sample("d", 0.0)])
    tuned = sent("t", [sample("a", 1.0), sample("b", 0.0), sample("c", 1.0), sample("d", 0.0)])
    cases, in_all = leak_cases([Seen("agentic", (("base", (base,)), ("tuned", (tuned,))))])
    assert in_all == 3
    assert [(it.scenario, it.changes) for it in cases] == [
        ("a", {"tuned": "new"}),
        ("c", {"tuned": "both"}),
        ("b", {"tuned": "gone"}),
    ]
    first = cases[0]
    assert (first.recipient, first.purpose, first.domain) == ("the clinic", "to book", "health")
    assert [(it.arm, it.text) for it in first.outputs] == [
        ("base", "b says in a, 1"),
        ("tuned", "t says in a, 1"),
    ]
    (leaked,) = first.items
    assert leaked.statement == "She owes rent."
    assert [(it.arm, it.leaked, it.judged, it.quote) for it in leaked.leaks] == [
        ("base", 0, 1, None),
        ("tuned", 1, 1, "by t"),
    ]


def test_the_output_that_leaked_is_shown_of_several() -> None:
    base = sent("b", [sample("a", 0.0), sample("a", 0.0, 2)])
    one = sent("one", [sample("a", 0.0), sample("a", None, 2)])
    two = sent("two", [sample("a", 0.0), sample("a", 1.0, 2)])
    ((case,), _) = leak_cases([Seen("agentic", (("base", (base,)), ("tuned", (one, two))))])
    assert [(it.run, it.text) for it in case.outputs] == [
        ("run 1, epoch 1", "b says in a, 1"),
        ("run 2, epoch 2", "two says in a, 2"),
    ]
    (leaked,) = case.items
    assert [(it.arm, it.leaked, it.judged) for it in leaked.leaks] == [
        ("base", 0, 2),
        ("tuned", 1, 3),  # one of four is unscored
    ]


def test_an_arm_without_the_scenario() -> None:
    base = sent("b", [sample("a", 1.0)])
    tuned = sent("t", [sample("z", 0.0)])
    ((case,), _) = leak_cases([Seen("agentic", (("base", (base,)), ("tuned", (tuned,))))])
    assert case.changes == {"tuned": "gone"}
    assert [it.arm for it in case.outputs] == ["base"]
    assert [(it.arm, it.leaked, it.judged) for it in case.items[0].leaks] == [
        ("base", 1, 1),
        ("tuned", 0, 0),
    ]


def test_a_long_output_is_cut_and_says_so() -> None:
    base, tuned = sent("b", [sample("a")]), sent("t", [sample("a", 1.0)], "x" * 5_000)
    ((case,), _) = leak_cases([Seen("agentic", (("base", (base,)), ("tuned", (tuned,))))])
    assert case.outputs[1].text == "x" * 4_000
    assert case.outputs[1].left_out == 1_000


def test_an_unscored_output_says_why() -> None:
    base, tuned = sent("b", [sample("a", None)]), sent("t", [sample("a", 1.0)])
    ((case,), _) = leak_cases([Seen("agentic", (("base", (base,)), ("tuned", (tuned,))))])
    assert [it.unscored for it in case.outputs] == ["timeout", None]


def test_where_there_is_no_room_for_all_each_task_has_as_much() -> None:
    many = [sample(f"{n:03}", 1.0) for n in range(90)]
    none = [it._replace(values={"leak_rate": 0.0}) for it in many]
    tasks = [
        Seen(name, (("base", (sent("b", none[:n], "x" * 450),)), ("t", (sent("t", many[:n]),))))
        for name, n in (("many", 90), ("few", 3))
    ]
    cases, in_all = leak_cases(tasks, room=20_000)  # each takes between 800 and 1,000
    assert in_all == 93
    shown = [it.task for it in cases]
    assert shown.count("few") == 3
    assert 10 < shown.count("many") < 30
    assert [it.scenario for it in cases if it.task == "many"][:3] == ["000", "001", "002"]
    (few, lots) = leak_cases(tasks, room=1_000_000)
    assert len(few) == lots == 93


def test_no_leak_at_all() -> None:
    clean = [sample("a"), sample("b", None)]
    found = leak_cases([Seen("x", (("base", (sent("b", clean),)), ("t", (sent("t", clean),))))])
    assert found == ([], 0)
    assert math.isnan(clean[1].values["leak_rate"])


def test_evidence_is_read_only_where_it_is_wanted() -> None:
    ids = [f"{cluster}-{twin}" for cluster in "abc" for twin in "xy"]
    asked: list[Collection[Place]] = []

    def evidence(wanted: Collection[Place]) -> dict[Place, Evidence]:
        asked.append(wanted)
        return {
            place: Evidence("text", None, "r", "p", (item("t"),) if place[0] == "a-x" else ())
            for place in wanted
        }

    base = log("b", [sample(id_) for id_ in ids], evidence=evidence)
    tuned = log("t", [sample(id_, float(id_ == "a-x")) for id_ in ids], evidence=evidence)
    arms = ArmLogs("base", (base,), ()), [ArmLogs("tuned", (tuned,), ())]
    assert compare(*arms, evidence=False).cases == ()
    assert asked == []
    found = compare(*arms)
    assert [it.scenario for it in found.cases] == ["a-x"]
    assert asked == [{("a-x", 1)}, {("a-x", 1)}]


@pytest.mark.parametrize("swapped", [False, True])
def test_variants_of_a_task_in_different_arms_are_not_mixed(swapped: bool) -> None:
    ids = [f"{cluster}-{twin}" for cluster in "abc" for twin in "xy"]
    naive, strict = (
        sent(run, [sample(id_, 1.0) for id_ in ids]).model_copy(update={"identity": identity})
        for run, identity in (
            ("naive", {"mode": "replay", "-T prompt": "naive"}),
            ("strict", {"mode": "replay", "-T prompt": "strict"}),
        )
    )
    tuned = [
        ArmLogs(f"tuned-{it.run}", (it.model_copy(update={"run": f"t-{it.run}"}),), ())
        for it in ((strict, naive) if swapped else (naive, strict))
    ]
    found = compare(ArmLogs("base", (naive, strict), ()), tuned, allow_unpaired=True)
    assert len(found.cases) == 12
    for case in found.cases:
        (arm,) = case.changes
        assert case.outputs[0].text.startswith(arm.removeprefix("tuned-"))
        assert len(case.outputs) == 2
