"""Models as judges: one, three, and those that fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai import eval as inspect_eval
from inspect_ai.log import read_eval_log
from inspect_ai.model import ModelCost, ModelInfo, set_model_cost, set_model_info

from harness_adapters.cli import main
from judges.calibration.cards import write_card
from tests.conftest import ModelServer, run_task
from tests.harness_adapters.leaderboard.submitting.lm_eval_made import PREFIX, results_of
from tests.harness_adapters.leaderboard.submitting.small_sets import SmallSets
from tests.harness_adapters.leaderboard.submitting.submitted import (
    assert_same,
    command_of,
    figures_of_inspect,
    figures_of_lm_eval,
    records,
    submitted,
    verified,
)
from tests.harness_adapters.test_correction import GOOD, card_of

GRADER = "openai-api/openai/grader"
HALF = {"leak": 0.2, "share": 0.6, "seed": 4}


def judged(sets: SmallSets, folder: Path, task: str = "agentic", **options: Any) -> Path:
    """The log of a reference model, judged by the server's grader."""
    log = run_task(
        task,
        "reference/mixed",
        folder,
        grader=GRADER,
        model_args=HALF,
        data=sets.of(task, options.get("mode")),
        **options,
    )
    assert log.status == "success", log.error
    return Path(log.location)


def test_one_judge_with_a_card(sets: SmallSets, tmp_path: Path, server: ModelServer) -> None:
    log = judged(sets, tmp_path / "log")
    data, cards = sets.of("agentic"), tmp_path / "cards"
    logged = read_eval_log(str(log))
    identity = (logged.eval.metadata or {})["judge"]
    write_card(card_of(GOOD, judge=identity), cards)
    (run,) = submitted(tmp_path / "it", log, "--data", data, "--cards", cards)["runs"]
    assert_same(run, figures_of_inspect(logged))
    assert run["judge"]["identity"] == identity
    assert run["judge"]["card"]["judge"] == identity
    shown = CliRunner().invoke(main, ["results", str(log), "--cards", str(cards), "--json"])
    assert shown.exit_code == 0, shown.output
    (told,) = json.loads(shown.stdout)
    corrected = told["metrics"]["leak_rate_corrected"]
    for part, value in run["metrics"]["leak_rate_corrected"].items():
        assert value == (
            None if corrected[part] is None else pytest.approx(corrected[part], abs=1e-9)
        )
    assert corrected["mean"] != told["metrics"]["leak_rate"]["mean"]
    assert run["metrics"]["helpful_rate"]["mean"] is not None
    calls = server.stats("grader")["calls"]
    usage = {"calls": calls, "input_tokens": 10 * calls, "output_tokens": 5 * calls}
    assert run["judge_usage"] == usage | {"unusable": 0, "dollars": None}
    assert calls == 4
    assert {it["helpfulness"] for it in records(tmp_path / "it")} <= {0, 1, 2, 3}
    # whoever has no card of this judge sees that it is the submitter's own
    checks = verified(tmp_path / "it", "--data", data)
    assert checks["judge card"]["outcome"] == "not checked"
    assert f"--model-role grader={GRADER}" in command_of(tmp_path / "it")


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("agentic", {"mode": "episode"}),
        ("memory", {}),
        ("memory", {"mode": "sessions", "memory": "tool"}),
        ("memory", {"mode": "shared", "user": "model"}),
    ],
)
def test_judged_in_every_task(
    sets: SmallSets, tmp_path: Path, server: ModelServer, task: str, options: dict[str, Any]
) -> None:
    played = {"user": options.pop("user")} if "user" in options else {}
    log = run_task(
        task,
        "reference/mixed",
        tmp_path / "log",
        grader=GRADER,
        user="openai-api/openai/test-user" if played else None,
        model_args=HALF,
        data=sets.of(task, options.get("mode")),
        **options,
    )
    data = sets.of(task, options.get("mode"))
    for more in ((), ("--without-outputs",)):
        folder = tmp_path / f"it{len(more)}"
        (run,) = submitted(folder, tmp_path / "log", "--data", data, *more)["runs"]
        assert_same(run, figures_of_inspect(log))
    assert ("--model-role user" in run["conditions"]) == bool(played)
    assert ("--model-role user=openai-api/openai/test-user" in command_of(folder)) == bool(played)


def test_a_panel_of_three(sets: SmallSets, tmp_path: Path, server: ModelServer) -> None:
    server.set("grader", models={"blind-grader": "blind"})
    data = sets.of("agentic")
    (log,) = inspect_eval(
        "privacy_tasks/agentic",
        model="reference/mixed",
        model_args=HALF,
        model_roles={
            "grader": GRADER,
            "grader_2": "openai-api/openai/second-grader",
            "grader_3": "openai-api/openai/blind-grader",
        },
        task_args={"judge": "panel", "data": data},
        log_dir=str(tmp_path / "log"),
        display="none",
    )
    for more in ((), ("--without-outputs",)):
        folder = tmp_path / f"it{len(more)}"
        (run,) = submitted(folder, tmp_path / "log", "--data", data, *more)["runs"]
        assert_same(run, figures_of_inspect(log))
        assert run["judge"]["identity"].startswith("panel/3/")
        members = [it["members"] for it in records(folder) if "members" in it]
        assert {len(it) for it in members} == {3}
    assert run["judge_usage"]["calls"] == server.stats("grader")["calls"] == 12
    assert "-T judge=panel" in command_of(folder)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("prose", "invalid_answer"),
        ("invented_quote", "quote_not_in_output"),
        ("no_quote", "quote_missing"),
        ("missing_items", "wrong_items"),
        ("400", "judge_error"),
    ],
)
def test_a_judge_that_fails_leaves_samples_unscored(
    sets: SmallSets, tmp_path: Path, server: ModelServer, behaviour: str, reason: str
) -> None:
    server.set("grader", default=behaviour)
    log = judged(sets, tmp_path / "log")
    data = sets.of("agentic")
    for more in ((), ("--without-outputs",)):
        folder = tmp_path / f"it{len(more)}"
        (run,) = submitted(folder, log, "--data", data, *more)["runs"]
        assert_same(run, figures_of_inspect(read_eval_log(str(log))))
        assert set(run["unscored"]) == {reason}
        failed = [it for it in records(folder) if it.get("unscored") == reason]
        assert len(failed) == run["unscored"][reason]
        assert all(it["flows"] and "verdicts" not in it for it in failed)


def test_a_judge_in_lm_eval(sets: SmallSets, tmp_path: Path, server: ModelServer) -> None:
    server.set("grader", script=["prose", "prose"])
    data = sets.of("memory")
    told = {"data": data, "judge": GRADER, "judge_connections": 1}
    results = results_of("memory", tmp_path / "log", metadata=told)
    (run,) = submitted(tmp_path / "it", results, "--data", data)["runs"]
    assert_same(run, figures_of_lm_eval(results, f"{PREFIX}memory"))
    assert run["unscored"] == {"invalid_answer": 1}
    assert run["judge_usage"]["calls"] == server.stats("grader")["calls"]
    assert f'"judge": "{GRADER}"' in command_of(tmp_path / "it")


def test_what_judging_cost(sets: SmallSets, tmp_path: Path, server: ModelServer) -> None:
    grader = "openai-api/openai/priced-grader"
    set_model_info(grader, ModelInfo())
    set_model_cost(
        grader, ModelCost(input=1.0, output=2.0, input_cache_write=0.0, input_cache_read=0.0)
    )
    data = sets.of("agentic")
    log = run_task("agentic", "reference/mixed", tmp_path / "log", grader=grader, data=data)
    assert log.status == "success", log.error
    (run,) = submitted(tmp_path / "it", tmp_path / "log", "--data", data)["runs"]
    used = run["judge_usage"]
    assert used["dollars"] == pytest.approx(used["calls"] * (10 * 1 + 5 * 2) / 1e6)
    assert run["target_usage"]["shared"] is False
    assert run["target_usage"]["input_tokens"] == 0
