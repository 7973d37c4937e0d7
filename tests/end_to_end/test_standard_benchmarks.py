"""Standard benchmarks as shipped give models of known answers the figures counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog, read_eval_log

from tests.conftest import ModelServer, means
from tests.standard_benchmarks import agentharm, commonsense_qa
from tests.standard_benchmarks.lm_eval_questions import run_lm_eval_choices, run_lm_eval_questions
from tests.standard_benchmarks.taught_llama import teach
from tests.tiny_llama import make_tiny_llama


def logs_of(files: dict[str, Path]) -> tuple[EvalLog, EvalLog]:
    """The logs of the base and of the tuned model."""
    return read_eval_log(str(files["base-model"])), read_eval_log(str(files["tuned-model"]))


def values(log: EvalLog, scorer: str) -> dict[int | str, Any]:
    """Every sample's id -> its score."""
    assert log.samples is not None
    return {sample.id: (sample.scores or {})[scorer].value for sample in log.samples}


@pytest.mark.slow
def test_commonsense_qa(tmp_path: Path, server: ModelServer) -> None:
    wrong = {"base-model": range(3), "tuned-model": range(1, 8)}
    base, tuned = logs_of(commonsense_qa.run_commonsense_qa(server, tmp_path, wrong=wrong))
    assert base.eval.task == tuned.eval.task == "inspect_evals/commonsense_qa"
    assert means(base)["accuracy"] == 21 / 24
    assert means(tuned)["accuracy"] == 17 / 24
    for log, places in ((base, wrong["base-model"]), (tuned, wrong["tuned-model"])):
        assert values(log, "choice") == {
            question["id"]: "I" if place in places else "C"
            for place, question in enumerate(commonsense_qa.QUESTIONS)
        }


@pytest.mark.slow
def test_agentharm(tmp_path: Path, server: ModelServer) -> None:
    conduct: dict[str, dict[str, agentharm.Conduct]] = {
        "base-model": {"1-1": "refuses", "2-2": "halfway"},
        "tuned-model": {"3-1": "halfway", "3-2": "halfway", "4-1": "refuses"},
    }
    base, tuned = logs_of(agentharm.run_agentharm(server, tmp_path, conduct=conduct))
    assert base.eval.task == tuned.eval.task == "inspect_evals/agentharm"
    # two requests for each of four; who does all of it gets 3/4, 1, 1 and 3/4
    total = 0 + 3 / 4 + 1 + 1 / 3 + 1 + 1 + 3 / 4 + 3 / 4
    assert means(base) == pytest.approx(
        {
            "avg_score": total / 8,
            "avg_full_score": 3 / 8,
            "avg_refusals": 1 / 8,
            "avg_score_non_refusals": total / 7,
            "Fraud_avg_scores": (0 + 3 / 4 + 1 + 1 / 3) / 4,
            "Disinformation_avg_scores": 1,
            "Harassment_avg_scores": 3 / 4,
            "Fraud_avg_refusals": 1 / 4,
            "Disinformation_avg_refusals": 0,
            "Harassment_avg_refusals": 0,
        }
    )
    total = 3 / 4 + 3 / 4 + 1 + 1 + 1 / 5 + 1 / 5 + 0 + 3 / 4
    assert means(tuned)["avg_score"] == pytest.approx(total / 8)
    assert means(tuned)["avg_score_non_refusals"] == pytest.approx(total / 7)
    assert means(tuned)["avg_refusals"] == 1 / 8
    for log, ways in ((base, conduct["base-model"]), (tuned, conduct["tuned-model"])):
        found = values(log, "combined_scorer")
        assert len(found) == 8
        for behaviour, value in found.items():
            way = ways.get(str(behaviour), "complies")
            assert value["score"] == pytest.approx(float(agentharm.score(str(behaviour), way)))
            assert value["refusal"] == (way == "refuses")


def results_of(folder: Path, task: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A task's figures, and what was kept of its samples."""
    (file,) = folder.glob("results_*.json")
    (samples,) = folder.glob(f"samples_{task}_*.jsonl")
    figures = json.loads(file.read_text())["results"][task]
    return figures, [json.loads(line) for line in samples.read_text().splitlines()]


@pytest.mark.slow
def test_letters_that_a_chat_model_says(tmp_path: Path, server: ModelServer) -> None:
    results = run_lm_eval_questions(
        server, tmp_path, model="base-model", wrong=range(3), sloppy=range(2, 6)
    )
    figures, samples = results_of(results, "everyday_letters")
    assert figures["exact_match,strict-match"] == 18 / 24  # six are wrong, sloppy, or both
    assert figures["exact_match,flexible-extract"] == 21 / 24
    right = {
        filtered: [it["doc_id"] for it in samples if it["filter"] == filtered and it["exact_match"]]
        for filtered in ("strict-match", "flexible-extract")
    }
    assert right == {
        "strict-match": list(range(6, 24)),
        "flexible-extract": list(range(3, 24)),
    }


@pytest.mark.slow
def test_letters_that_a_local_model_finds_likely(tmp_path: Path) -> None:
    base = teach(make_tiny_llama(tmp_path / "tiny"), tmp_path / "base", wrong=range(3))
    tuned = teach(base, tmp_path / "tuned", wrong=range(1, 8))
    figures, samples = results_of(
        run_lm_eval_choices(tmp_path / "run", model=tuned), "everyday_choices"
    )
    assert figures["acc,none"] == pytest.approx(17 / 24)
    assert [it["doc_id"] for it in samples if not it["acc"]] == list(range(1, 8))
