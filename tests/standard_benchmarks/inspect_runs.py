"""`inspect eval` of a task of inspect_evals for several models; the log of each by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from inspect_ai.log import read_eval_log

from tests.conftest import ModelServer, command
from tests.standard_benchmarks import FOLDER
from tests.standard_benchmarks.hub import Files, local_hub

PROVIDER = "openai-api/openai"


def run_inspect_evals(
    server: ModelServer,
    folder: Path,
    task: str,
    models: Sequence[str],
    datasets: Mapping[tuple[str, str], Files],
    *options: str,
) -> dict[str, Path]:
    """Runs the task once for all models; each log lies in `folder/MODEL`, alone."""
    folder.mkdir(parents=True, exist_ok=True)
    unsorted = folder / "logs"
    with local_hub(datasets, folder / "cache") as hub:
        done = command(
            "inspect", "eval", f"inspect_evals/{task}",
            "--model", ",".join(f"{PROVIDER}/{model}" for model in models),
            "--log-dir", unsorted, "--display", "plain", "--no-log-realtime", *options,
            cwd=folder, env={**server.env, **hub, "PYTHONPATH": str(FOLDER)},
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    logs = {}
    for file in sorted(unsorted.glob("*.eval")):
        log = read_eval_log(str(file), header_only=True)
        assert log.status == "success", log.error
        model = log.eval.model.removeprefix(f"{PROVIDER}/")
        (folder / model).mkdir(exist_ok=True)
        logs[model] = file.rename(folder / model / file.name)
    assert set(logs) == set(models), done.stdout
    unsorted.rmdir()
    return logs
