"""Tasks of lm-eval, by its stock command, give models of known answers the figures counted by hand.

Those of inspect_evals are run, and counted, in `test_compare_command.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ModelServer
from tests.standard_benchmarks.lm_eval_questions import run_lm_eval_choices, run_lm_eval_questions
from tests.standard_benchmarks.taught_llama import teach
from tests.tiny_llama import make_tiny_llama


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
