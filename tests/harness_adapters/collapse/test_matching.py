"""What goes together, and what is refused, named and never silently intersected."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness_adapters.collapse.arms import ArmLogs
from harness_adapters.collapse.matching import UnpairedError, grid_of, matches, one_task
from harness_adapters.collapse.study import compare
from harness_adapters.runs.observed import About, Observed, TaskLog

IDENTITY = {
    "mode": "replay",
    "set": "core",
    "set_version": "2026.11.1",
    "set_hash": "aaaa",
    "prompt_hash": "bbbb",
    "judge": "lexical/3",
    "-T prompt": "naive",
}


def sample(id_: str, leak: float | None = 0.0, epoch: int = 1, **fields: Any) -> Observed:
    """A sample of our task, in the cluster before its `-`; unscored if `leak` is None."""
    made = Observed(
        id=id_,
        epoch=epoch,
        content="",
        values={"leak_rate": math.nan if leak is None else leak},
        unscored="timeout" if leak is None else None,
        about=About(cluster=id_.partition("-")[0], domain="health", channel="email", right=None),
        types={},
        withheld=2,
        flows=1,
    )
    return made._replace(**fields)


IDS = ("one-a", "one-b", "two-a", "two-b", "three-a", "three-b")


def log(run: str, samples: list[Observed] | None = None, **fields: Any) -> TaskLog:
    """A log of our task."""
    identity = IDENTITY | fields.pop("identity", {})
    return TaskLog(
        **{
            "file": Path(f"/home/alice/{run}.eval"),
            "run": run,
            "harness": "inspect_ai 0.3.285",
            "model": "m",
            "model_id": "m",
            "task": "privacy_tasks/agentic",
            "ours": True,
            "identity": {key: it for key, it in identity.items() if it is not None},
            "generation": {},
            "reported": {},
            "better": {},
            "samples": samples if samples is not None else [sample(id_) for id_ in IDS],
            "evidence": lambda _: {},
            **fields,
        }
    )


def other(
    run: str, asked: str = "x", version: str = "1", task: str = "inspect_evals/qa"
) -> TaskLog:
    """A log of another task."""
    samples = [
        sample(str(n), content=f"{asked}{n}", about=None, values={"choice": 1.0}) for n in range(4)
    ]
    return log(run, samples, task=task, ours=False).model_copy(
        update={"identity": {"version": version}}
    )


def arm(name: str, *logs: TaskLog) -> ArmLogs:
    return ArmLogs(name, logs, ())


def refused(base: ArmLogs, tuned: ArmLogs, allow: bool = False) -> str:
    with pytest.raises(UnpairedError) as error:
        compare(base, [tuned], allow_unpaired=allow)
    assert "/home/alice" not in str(error.value)
    return str(error.value)


def test_samples_go_together_by_their_id() -> None:
    base = arm("base", log("b", [sample(id_, n % 2) for n, id_ in enumerate(IDS)]))
    tuned = arm("tuned", log("t", [sample(id_, 1.0) for id_ in reversed(IDS)]))
    ((match,), notes) = matches(base, tuned, allow_unpaired=False)
    grid = grid_of(match, "base", "tuned", allow_unpaired=False)
    assert grid.ids == tuple(sorted(IDS))
    found = dict(zip(grid.ids, grid.values(leak, grid.base).means, strict=True))
    assert found == {id_: n % 2 for n, id_ in enumerate(IDS)}
    assert len(set(grid.clusters)) == 3
    assert all(grid.clusters[::2] == grid.clusters[1::2])
    assert (notes, match.warnings, match.comparable) == ([], (), True)


def leak(sample: Observed) -> float:
    return sample.values["leak_rate"]


def test_epochs_are_averaged_and_seeds_are_not() -> None:
    epochs = [sample("one-a", 1.0), sample("one-a", 0.0, 2), sample("one-a", None, 3)]
    rest = [sample("one-b", None), sample("two-a", 1.0)]
    seed = [sample("one-a", 1.0), sample("one-b", 0.0), sample("two-a", 0.0)]
    base = arm("base", log("1", [*epochs, *rest]), log("2", seed))
    ((match,), _) = matches(base, arm("tuned", log("3", seed)), allow_unpaired=False)
    grid = grid_of(match, "base", "tuned", allow_unpaired=False)
    np.testing.assert_array_equal(
        grid.values(leak, grid.base).runs, [[0.5, np.nan, 1.0], [1.0, 0.0, 0.0]]
    )
    np.testing.assert_array_equal(grid.values(leak, grid.tuned).runs, [[1.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("set", "the data is core in base and new in tuned"),
        ("set_version", r"the version of the data is 2026\.11\.1 in base and new in tuned"),
        ("set_hash", "the hash of the data is aaaa in base and new in tuned"),
        ("prompt_hash", "the hash of the prompts is bbbb in base and new in tuned"),
        ("judge", "the judge is lexical/3 in base and new in tuned"),
        ("-T prompt", "-T prompt is naive in base and new in tuned"),
        ("-T trigger", "-T trigger is not set in base and new in tuned"),
    ],
)
def test_what_differs_is_named_and_refused(field: str, says: str) -> None:
    base = arm("base", log("b"))
    tuned = arm("tuned", log("t", identity={field: "new"}))
    message = refused(base, tuned)
    assert says.replace("\\", "") in message
    assert "privacy_tasks/agentic, replay" in message
    assert "--allow-unpaired" in message
    found = compare(base, [tuned], allow_unpaired=True)
    assert found.tasks[0].outcome == "undecided"
    assert says.replace("\\", "") in found.tasks[0].why
    assert says.replace("\\", "") in found.tasks[0].warnings[0]
    assert found.verdicts[0].word == "inconclusive"


def test_every_fault_is_named_at_once() -> None:
    logs = [log(run, identity={"mode": mode}) for run, mode in (("1", "replay"), ("2", "episode"))]
    mine = [
        log("3", identity={"judge": "lexical/4"}),
        log("4", identity={"mode": "episode", "set_hash": "cccc"}),
        log("5", identity={"mode": "shared"}, task="privacy_tasks/memory"),
    ]
    message = refused(arm("base", *logs), arm("tuned", *mine))
    assert message.count("\n- ") == 3
    for part in ("lexical/4", "cccc", "memory, shared: tuned has a log of it, and base has none"):
        assert part in message


def test_a_task_of_one_arm_alone_is_left_out_only_if_allowed() -> None:
    base = arm("base", log("1"), log("2", identity={"mode": "episode"}))
    tuned = arm("tuned", log("3"))
    assert "agentic, episode: base has a log of it, and tuned has none" in refused(base, tuned)
    found = compare(base, [tuned], allow_unpaired=True)
    assert [task.label for task in found.tasks] == ["agentic, replay"]
    assert found.notes == (
        "Left out: privacy_tasks/agentic, episode: base has a log of it, and tuned has none.",
    )


def test_nothing_in_common_is_no_result_even_if_allowed() -> None:
    base, tuned = arm("base", log("1")), arm("tuned", log("2", task="privacy_tasks/memory"))
    assert "has none" in refused(base, tuned)
    assert "nothing to compare" in refused(base, tuned, allow=True)


@pytest.mark.parametrize("allow", [False, True])
def test_an_arm_without_a_privacy_task(allow: bool) -> None:
    message = refused(arm("base", log("1")), arm("tuned", other("2")), allow)
    assert "The arm 'tuned' has no log of a task of privacy_tasks" in message
    message = refused(arm("base"), arm("tuned", log("2")), allow)
    assert "The arm 'base' has no log" in message


@pytest.mark.parametrize("allow", [False, True])
def test_arms_of_two_harnesses(allow: bool) -> None:
    tuned = log("2", task="privacy_collapse_agentic", harness="lm_eval 0.4.13")
    message = refused(arm("base", log("1")), arm("tuned", tuned), allow)
    assert "'base' was run in inspect_ai, and 'tuned' in lm_eval" in message
    assert "both arms in the same one" in message
    message = refused(arm("base", log("1"), other("q")), arm("tuned", tuned, other("r")), allow)
    assert "was run in inspect_ai" in message


def test_what_only_may_matter_is_a_warning() -> None:
    base = arm("base", log("1", generation={"temperature": "0.0"}))
    tuned = arm("tuned", log("2", generation={"top_p": "0.9"}, harness="inspect_ai 0.4.0"))
    ((match,), _) = matches(base, tuned, allow_unpaired=False)
    assert match.comparable
    assert match.warnings == (
        "temperature is 0.0 in base and not set in tuned: what differs may come from there.",
        "top_p is not set in base and 0.9 in tuned: what differs may come from there.",
        "base was run with inspect_ai 0.3.285, tuned with inspect_ai 0.4.0.",
    )


def test_missing_samples_are_named_and_refused() -> None:
    base = arm("base", log("b"))
    tuned = arm("tuned", log("t", [sample(id_) for id_ in (*IDS[:4], "four-a")]))
    message = refused(base, tuned)
    assert "t.eval lacks 2 of 7: three-a, three-b\n" in message
    assert "b.eval lacks 1 of 7: four-a\n" in message
    assert "--allow-unpaired" in message
    (task,) = compare(base, [tuned], allow_unpaired=True).tasks
    assert task.unpaired == {"base": 2, "tuned": 1}
    assert task.scenarios == task.pairs == 4
    assert any("(base: 6 of 7; tuned: 5 of 7)" in it for it in task.warnings)


def test_a_seed_that_lacks_samples_is_refused_too() -> None:
    base = arm("base", log("b"), log("short", [sample(id_) for id_ in IDS[1:]]))
    message = refused(base, arm("tuned", log("t")))
    assert "short.eval lacks 1 of 6: one-a" in message
    assert "b.eval" not in message
    compare(base, [arm("tuned", log("t"))], allow_unpaired=True)


def test_unscored_samples_are_counted_and_do_not_unpair() -> None:
    gone = [sample(id_, None if n == 0 else 1.0) for n, id_ in enumerate(IDS)]
    arms = arm("base", log("b")), [arm("tuned", log("t", gone))]
    (task,) = compare(*arms, evidence=False).tasks
    assert task.unscored == {"base": {}, "tuned": {"timeout": 1}}
    assert (task.scenarios, task.pairs) == (6, 5)
    assert task.bounds is not None


@pytest.mark.parametrize("allow", [False, True])
def test_the_same_id_that_asks_something_else_is_never_paired(allow: bool) -> None:
    base, tuned = arm("base", log("b"), other("q")), arm("tuned", log("t"), other("r", "y"))
    match = one_task("inspect_evals/qa", base, tuned, allow_unpaired=allow)
    with pytest.raises(UnpairedError, match=r"sample 0 of r\.eval asks something else.*shuffles"):
        grid_of(match, "base", "tuned", allow_unpaired=allow)
    moved = [sample(id_, about=About("zero", "health", "email", None)) for id_ in IDS]
    assert "one-a of t.eval asks something else" in refused(base, arm("t", log("t", moved)), allow)


def test_a_benchmark_that_is_not_there() -> None:
    base, tuned = arm("base", log("b"), other("q")), arm("tuned", log("t"))
    with pytest.raises(UnpairedError, match=r"'base' has no log of 'mmlu'. It has: inspect_evals"):
        one_task("mmlu", base, tuned, allow_unpaired=False)
    with pytest.raises(UnpairedError, match=r"'tuned' has no log of 'qa'. It has: privacy_tasks"):
        one_task("qa", base, tuned, allow_unpaired=True)


def test_a_benchmark_in_two_versions() -> None:
    base = arm("base", log("b"), other("q"))
    tuned = arm("tuned", log("t"), other("r", version="2"))
    with pytest.raises(UnpairedError, match="version of the task is 1 in base and 2 in tuned"):
        one_task("qa", base, tuned, allow_unpaired=False)
    match = one_task("qa", base, tuned, allow_unpaired=True)
    assert not match.comparable
    both = arm("both", log("b"), other("q"), other("r", version="2"))
    with pytest.raises(UnpairedError, match=r"'both' has 'qa' in several variants: .*q\.eval"):
        one_task("qa", both, tuned, allow_unpaired=True)
