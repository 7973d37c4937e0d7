"""From a run to a verified submission, with the commands that a user types."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.conftest import command, inspect_here, run_task
from tests.harness_adapters.leaderboard.submitting.lm_eval_made import results_of
from tests.harness_adapters.leaderboard.submitting.small_sets import write_small_sets
from tests.harness_adapters.leaderboard.submitting.submitted import (
    command_of,
    document,
    submit,
    verify,
)
from tests.harness_adapters.lm_eval.test_same_numbers import replaying

POLICIES = {"discreet": (0.0, 1.0), "leaky": (1.0, 1.0), "silent": (0.0, 0.0)}
"""Reference model -> its leak rate and its share rate."""


def rates(folder: Path, key: str) -> tuple[float, float]:
    """Leak rate and share rate of a run."""
    (run,) = (it for it in document(folder)["runs"] if it["key"] == key)
    return run["metrics"]["leak_rate"]["mean"], run["metrics"]["share_rate"]["mean"]


def test_run_submitted_and_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = command(
        *("inspect", "eval", "privacy_tasks/agentic", "--model", "reference/leaky"),
        *("-T", "judge=lexical", "--display", "none", "--log-dir", "logs"),
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    monkeypatch.chdir(tmp_path)
    made = submit(
        *("logs", "-o", "leaky", "--revision", "1", "--access", "reference"),
        *("--submitter", "Example lab", "--notes", "It tells all."),
        usual=(),
    )
    assert made.exit_code == 0, made.output
    assert "reference/leaky" in made.stdout
    assert "privacy-tasks verify leaky" in " ".join(made.stderr.split())
    checked = command("privacy-tasks", "verify", "leaky", "--json", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    (told,) = json.loads(checked.stdout)
    assert told["verified"]
    assert {it["outcome"] for it in told["checks"]} == {"passed"}
    assert rates(tmp_path / "leaky", "agentic-replay") == (1.0, 1.0)
    # whoever follows the recipe gets the same figures
    (run,) = document(tmp_path / "leaky")["runs"]
    name, *words = shlex.split(command_of(tmp_path / "leaky"))
    assert name == "inspect"
    again = inspect_here(*words, "--display", "none", cwd=tmp_path, monkeypatch=monkeypatch)
    assert again.exit_code == 0, again.output
    done = submit("DIR", "-o", "again", "--revision", "1", "--access", "reference", usual=())
    assert done.exit_code == 0, done.output
    (repeated,) = document(tmp_path / "again")["runs"]
    for key in ("task", "data", "settings", "conditions", "metrics", "domains", "judge"):
        assert repeated[key] == run[key], key


def test_results_of_the_lm_eval_command(tmp_path: Path) -> None:
    """A model that says the same to everybody."""
    data = write_small_sets(tmp_path).of("memory")
    ran = command(
        *("lm_eval", "--model", "dummy", "--tasks", "privacy_collapse_memory"),
        *("--metadata", json.dumps({"judge": "lexical", "data": data})),
        *("--output_path", "results", "--log_samples"),
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    named = ("--name", "example/dummy", "--revision", "1", "--access", "closed")
    done = submit(
        tmp_path / "results",
        "-o",
        tmp_path / "it",
        "--data",
        data,
        "--without-outputs",
        usual=named,
    )
    assert done.exit_code == 0, done.output
    assert verify(tmp_path / "it", "--data", data).exit_code == 0
    assert rates(tmp_path / "it", "memory-profile") == (0.0, 0.0)
    assert document(tmp_path / "it")["runs"][0]["conditions"]["chat template"] == "no"


@pytest.mark.parametrize("policy", POLICIES)
def test_reference_models_are_what_their_policy_says(tmp_path: Path, policy: str) -> None:
    """On the whole core set, in both harnesses."""
    nameless = ("--revision", "1", "--access", "reference")
    log = run_task(
        "agentic", f"reference/{policy}", tmp_path / "log", judge="lexical", tool_format="text"
    )
    done = submit(tmp_path / "log", "-o", tmp_path / "it", usual=nameless)
    assert done.exit_code == 0, done.output
    results_of("agentic", tmp_path / "other", model=replaying(log))
    named = ("--name", f"reference/{policy}", *nameless)
    done = submit(tmp_path / "other", "-o", tmp_path / "in-lm-eval", usual=named)
    assert done.exit_code == 0, done.output
    assert verify(tmp_path / "it", tmp_path / "in-lm-eval").exit_code == 0
    for folder in ("it", "in-lm-eval"):
        assert rates(tmp_path / folder, "agentic-replay") == POLICIES[policy]
    mine, theirs = (document(tmp_path / it)["runs"][0] for it in ("it", "in-lm-eval"))
    for name, figure in mine["metrics"].items():
        assert theirs["metrics"][name] == figure, name
    assert mine["samples"] == theirs["samples"] > 100
