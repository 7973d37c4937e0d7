"""What tests of several parts use: the model server, real commands, data of other projects."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click.testing
import pytest
from click.testing import CliRunner
from tenacity import wait_none

REPO = Path(__file__).parents[1]
SHARED = REPO.parent / "shared" / "data"
PRIVACYLENS = SHARED / "privacylens" / "main_data.json"
BIN = Path(sys.executable).parent

OFFLINE = {"HF_HUB_OFFLINE": "1"}
"""No test needs the Hugging Face hub, and where it is not reached each question waits for it."""
os.environ.update(OFFLINE)  # before anything loads its client, which reads this once

# a whole collection takes half a second with all the libraries loaded: a sixth of the suite's time
gc.set_threshold(20_000, 20, 5)

CONFAIDE = SHARED / "privacylens" / "confaide_subset.json"
CIMEMORIES = SHARED / "cimemories" / "data_openai_gpt-oss-120b.json"

needs_privacylens = [
    pytest.mark.data,
    pytest.mark.skipif(not PRIVACYLENS.exists(), reason="no ../shared/data"),
]


class ModelServer:
    """The local server: its address, its behaviour, its counts."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.model_server"],
            cwd=REPO,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """Environment variables that send both SDKs here."""
        return {
            "OPENAI_API_KEY": "test-key-openai",
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "ANTHROPIC_API_KEY": "test-key-anthropic",
            "ANTHROPIC_BASE_URL": self.url,
        }

    def set(self, role: str, **settings: Any) -> None:
        """Settings of a role: script, default, latency, keep_prompts, reset."""
        body = json.dumps({"role": role, **settings}).encode()
        request = urllib.request.Request(f"{self.url}/control", data=body, method="POST")
        with urllib.request.urlopen(request) as response:
            assert response.status == 200

    def reset(self) -> None:
        """Forgets all calls and settings."""
        for role in ("target", "grader", "user"):
            self.set(role, reset=True)

    def stats(self, role: str) -> dict[str, Any]:
        """What a role was asked."""
        with urllib.request.urlopen(f"{self.url}/stats") as response:
            counted: dict[str, Any] = json.load(response)[role]
        return counted

    def stop(self) -> None:
        """Ends the server."""
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def running_server() -> Iterator[ModelServer]:
    server = ModelServer()
    yield server
    server.stop()


@pytest.fixture
def server(running_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    """The server with nothing set; this process and its children talk to it.

    In this process a call that failed is tried again at once: Inspect would wait 3 to 6 seconds,
    and the SDKs up to 2.
    """
    monkeypatch.setattr("inspect_ai.model._retry.wait_exponential_jitter", lambda **_: wait_none())
    for sdk in ("openai", "anthropic"):
        client = f"{sdk}._base_client.BaseClient"
        monkeypatch.setattr(f"{client}._calculate_retry_timeout", lambda *_, **__: 0.0)
    running_server.reset()
    for name, value in running_server.env.items():
        monkeypatch.setenv(name, value)
    return running_server


def command(
    *arguments: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 240,
    executables: Path = BIN,
) -> subprocess.CompletedProcess[str]:
    """Runs a real command of the environment, as a user would."""
    name, *rest = map(str, arguments)
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.endswith("_API_KEY") and not key.startswith(("INSPECT_", "OPENAI_"))
    }
    return subprocess.run(
        [str(executables / name), *rest],
        cwd=cwd,
        env={**clean, **OFFLINE, "COLUMNS": "160", "NO_COLOR": "1", **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def inspect_here(
    *arguments: str | Path, cwd: Path, monkeypatch: pytest.MonkeyPatch
) -> click.testing.Result:
    """The `inspect` command in this process: no two seconds to load it.

    For what is said by our part of it; that the real one says it, other tests see to.
    """
    from inspect_ai._cli.main import inspect

    monkeypatch.chdir(cwd)
    return CliRunner().invoke(inspect, list(map(str, arguments)))


def built_wheel(folder: Path) -> Path:
    """The wheel of this project, built into a folder."""
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(REPO)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def means(log: Any) -> dict[str, float]:
    """Every figure's name -> value, out of an Inspect log."""
    (score,) = log.results.scores
    return {name: metric.value for name, metric in score.metrics.items()}


def interval_of(log: Any, name: str) -> tuple[float, float]:
    """The 95 % interval of a metric, out of an Inspect log."""
    return means(log)[f"{name}_ci95_lower"], means(log)[f"{name}_ci95_upper"]


def only_log(folder: Path) -> Any:
    """The one log in a folder."""
    from inspect_ai.log import read_eval_log

    (file,) = sorted(folder.glob("*.eval"))
    return read_eval_log(str(file))


def calls(*steps: tuple[str, dict[str, Any]] | str) -> Any:
    """A model that does these steps one after the other: a tool call, or something it says."""
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    outputs = []
    for step in steps:
        output = (
            ModelOutput.from_content("mockllm", step)
            if isinstance(step, str)
            else ModelOutput.for_tool_call("mockllm", step[0], step[1])
        )
        output.usage = ModelUsage()
        outputs.append(output)
    return get_model("mockllm/model", custom_outputs=outputs)


def run_agentic(model: Any, folder: Path, **options: Any) -> Any:
    """The agentic task in this process; the log."""
    return run_task("agentic", model, folder, **options)


def run_task(
    task: str,
    model: Any,
    folder: Path,
    *,
    grader: Any = None,
    user: Any = None,
    limit: int | Sequence[int] | None = None,
    epochs: int = 1,
    model_args: Mapping[str, Any] | None = None,
    message_limit: int | None = None,
    sample_id: str | None = None,
    config: Mapping[str, Any] | None = None,
    **task_args: Any,
) -> Any:
    """A task of this project in this process; the log."""
    from inspect_ai import eval as inspect_eval

    roles = {name: model for name, model in (("grader", grader), ("user", user)) if model}
    (log,) = inspect_eval(
        f"privacy_tasks/{task}",
        model=model,
        model_args=dict(model_args or {}),
        model_roles=roles or None,
        task_args=task_args,
        message_limit=message_limit,
        sample_id=sample_id,
        log_dir=str(folder),
        limit=limit if limit is None or isinstance(limit, int) else (limit[0], limit[1]),
        epochs=epochs,
        display="none",
        log_realtime=False,  # nobody looks on while it runs: a quarter of the time
        score_display=False,
        **(config or {}),
    )
    return log
