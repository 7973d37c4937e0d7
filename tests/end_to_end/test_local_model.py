"""A local model with transformers, as target and as grader."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import command, means, only_log
from tests.tiny_llama import make_tiny_llama


@pytest.mark.slow
def test_a_local_model_runs_in_the_text_format_and_babble_is_no_verdict(tmp_path: Path) -> None:
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

    grader = f"{{model: hf/tiny, model_path: {llama}, device: cpu, max_tokens: 16}}"
    done = command(
        *("inspect", "eval", "privacy_tasks/agentic", "--model", "reference/leaky"),
        *("--model-role", f"grader={grader}", "--limit", "2", "--display", "plain"),
        *("--log-dir", "judged"),
        cwd=tmp_path,
        env={"HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    log = only_log(tmp_path / "judged")
    assert means(log)["judged"] == 0
    assert {s.scores["leak_judge"].metadata["unscored"] for s in log.samples} == {"invalid_answer"}
