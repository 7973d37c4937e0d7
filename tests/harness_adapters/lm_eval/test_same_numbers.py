"""The same answers get the same verdicts and the same figures in Inspect and in lm-eval."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PRIVACYLENS, ModelServer, means, run_task
from tests.harness_adapters.lm_eval.harness import ChatModel, evaluate, figures, scores

MIXED = {"leak": 0.3, "share": 0.8, "seed": 1}


def recorded(log: Any) -> dict[tuple[str, int], str]:
    return {
        (str(it.id), it.epoch): it.output.message.text if it.output.choices else ""
        for it in log.samples
    }


def replaying(log: Any) -> ChatModel:
    """A model that says in lm-eval what another said in Inspect, epoch by epoch."""
    replies = recorded(log)
    asked: dict[str, int] = {}

    def answer(request: Any) -> str:
        name = request.doc["id"]
        asked[name] = asked.get(name, 0) + 1
        return replies[name, asked[name]]

    return ChatModel(answer)


def same(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(same(mine[it], theirs[it]) for it in mine)
    if mine is None and isinstance(theirs, float):
        return math.isnan(theirs)
    return bool(mine == theirs)


def check(log: Any, results: dict[str, Any], task: str) -> None:
    """Each sample's values and verdicts, and each figure with its error and interval."""
    by_sample = scores(results, task)
    assert len(by_sample) == len({it.id for it in log.samples}) > 30
    for sample in log.samples:
        (score,) = sample.scores.values()
        kept = by_sample[str(sample.id)][sample.epoch - 1]
        assert same(kept["value"], score.value), sample.id
        assert same(kept["metadata"], score.metadata), sample.id
    theirs, mine = means(log), figures(results, task)
    summary = results["configs"][f"privacy_collapse_{task}"]["metadata"]
    shown = [name for name in mine if not name.endswith(("_stderr", "_stderr_stderr"))]
    assert len(shown) > 4
    for name in shown:
        assert same(_known(mine[name]), theirs[name]), name
        assert same(_known(mine[f"{name}_stderr"]), theirs[f"{name}_stderr"]), name
        for place, end in enumerate(("lower", "upper")):
            if f"{name}_ci95_{end}" in theirs:
                assert same(summary["ci95"][name][place], theirs[f"{name}_ci95_{end}"]), name
    for name, mean in summary["by_domain"].items():
        assert same(mean, theirs[name]), name
    left_out = {
        name
        for name, value in theirs.items()
        if "ci95" not in name and "." not in name and name not in mine and not math.isnan(value)
    }
    assert not left_out


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("agentic", {"tool_format": "text"}),
        ("memory", {}),
        ("probing", {"level": "seed"}),
    ],
)
def test_on_the_core_set(tmp_path: Path, task: str, options: dict[str, Any]) -> None:
    judge = {} if task == "probing" else {"judge": "lexical"}
    log = run_task(task, "reference/mixed", tmp_path, model_args=MIXED, **judge, **options)
    metadata = judge | {key: it for key, it in options.items() if key == "level"}
    results = evaluate(replaying(log), task, metadata=metadata, apply_chat_template=True)
    check(log, results, task)
    if judge:
        assert 0.1 < figures(results, task)["item_leak_rate"] < 0.5


def test_over_several_epochs(tmp_path: Path) -> None:
    domains = "health"
    log = run_task(
        "memory", "reference/mixed", tmp_path, epochs=3, model_args=MIXED | {"seed": 2},
        judge="lexical", domains=domains,
    )  # fmt: skip
    results = evaluate(
        replaying(log),
        "memory",
        metadata={"judge": "lexical", "epochs": 3, "domains": domains},
        gen_kwargs="do_sample=true,temperature=1",
        apply_chat_template=True,
    )
    check(log, results, "memory")
    replies = recorded(log)
    assert any(replies[name, 1] != replies[name, 2] for name, _ in replies)


@pytest.mark.data
def test_on_100_cases_of_privacylens_with_a_grader(tmp_path: Path, server: ModelServer) -> None:
    data = f"privacylens:{PRIVACYLENS}"
    log = run_task(
        "agentic", "openai-api/openai/test-target", tmp_path, grader="openai-api/openai/grader",
        data=data, tool_format="text", limit=100,
    )  # fmt: skip
    calls = server.stats("grader")["calls"]
    assert calls == 100
    results = evaluate(
        replaying(log),
        "agentic_privacylens",
        metadata={"judge": "openai-api/openai/grader", "data": data},
        limit=100,
        apply_chat_template=True,
    )
    check(log, results, "agentic_privacylens")
    assert server.stats("grader")["calls"] == 2 * calls
    assert (
        results["configs"]["privacy_collapse_agentic_privacylens"]["metadata"]["judge"]
        == (log.eval.metadata["judge"])
    )
