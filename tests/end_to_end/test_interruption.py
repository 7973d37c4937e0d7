"""A run that is killed in the middle and taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log

from tests.conftest import BIN, ModelServer, command

SAMPLES = 40
IN_FLIGHT = 4


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_judged_twice(tmp_path: Path, server: ModelServer) -> None:
    server.set("grader", keep_prompts=True, latency=0.4)
    running = subprocess.Popen(
        [
            *(BIN / "inspect", "eval", "privacy_tasks/agentic", "--model", "anthropic/test-target"),
            *("--model-role", "grader=anthropic/test-grader", "--limit", str(SAMPLES)),
            *("--max-samples", str(IN_FLIGHT), "--display", "plain"),
        ],
        cwd=tmp_path,
        env={**os.environ, **server.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while server.stats("grader")["calls"] < 18:
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    (broken,) = (tmp_path / "logs").glob("*.eval")
    cut = read_eval_log(str(broken))
    kept = {sample.id for sample in cut.samples or []}
    assert cut.status == "started"
    assert 0 < len(kept) < SAMPLES
    server.set("grader", latency=0.0)

    done = command(
        "inspect", "eval-retry", broken, "--display", "plain", cwd=tmp_path, env=server.env
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (whole,) = (file for file in (tmp_path / "logs").glob("*.eval") if file != broken)
    log = read_eval_log(str(whole))
    assert log.status == "success"
    assert len({sample.id for sample in log.samples}) == len(log.samples) == SAMPLES
    assert all(s.scores["leak_judge"].value["judged"] == 1 for s in log.samples)
    # only what was under way when it was killed is asked again
    assert server.stats("grader")["calls"] <= SAMPLES + IN_FLIGHT
    asked = Counter(
        sample.id
        for prompt in server.stats("grader")["prompts"]
        for sample in log.samples
        if sample.scores["leak_judge"].answer in prompt
        and all(item["statement"] in prompt for item in sample.metadata["items"])
        and sample.metadata["recipient"] in prompt
    )
    assert {asked[sample] for sample in kept} == {1}
    assert set(asked) == {sample.id for sample in log.samples}
