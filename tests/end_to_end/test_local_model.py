"""A local model with transformers, as target and as grader."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import command, means, only_log, run_agentic
from tests.tiny_llama import make_tiny_llama


@pytest.mark.slow
def test_a_local_model_runs_in_the_text_format(tmp_path: Path) -> None:
    llama = make_tiny_llama(tmp_path / "llama")
    local = ("-M", f"model_path={llama}", "-M", "device=cpu", "-M", "do_sample=false")
    done = command(
        *("inspect", "eval", "privacy_tasks/agentic", "--model", "hf/tiny", *local),
        *("-T", "tool_format=text", "-T", "judge=lexical", "--limit", "2", "--max-tokens", "16"),
        *("--display", "plain"),
        cwd=tmp_path,
        env={"HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    log = only_log(tmp_path / "logs")
    assert log.status == "success"
    for sample in log.samples:
        assert sample.output.usage.output_tokens == 16
        # Inspect's hf provider does not say that a reply was cut short
        assert sample.output.stop_reason not in ("max_tokens", "model_length")
        assert sample.scores["leak_judge"].metadata["no_action"] == "reply_only"


@pytest.mark.slow
def test_a_local_grader_that_babbles_leaves_every_sample_unscored(tmp_path: Path) -> None:
    from inspect_ai.model import GenerateConfig, get_model

    llama = make_tiny_llama(tmp_path / "llama")
    short = GenerateConfig(max_tokens=16)
    grader = get_model("hf/tiny", model_path=str(llama), device="cpu", config=short)
    log = run_agentic("reference/leaky", tmp_path, grader=grader, limit=2)
    assert means(log)["judged"] == 0
    assert {s.scores["leak_judge"].metadata["unscored"] for s in log.samples} == {"invalid_answer"}
