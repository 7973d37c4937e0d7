from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness_adapters.cli import main
from tests.conftest import (
    PRIVACYLENS,
    REPO,
    ModelServer,
    command,
    needs_privacylens,
    run_agentic,
)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_every_command_has_help_with_examples_and_json() -> None:
    assert set(main.commands) >= {"demo", "doctor", "list", "results", "check"}
    for name, listed in main.commands.items():
        inner = [[name, it] for it in getattr(listed, "commands", {})]
        for words in [[name], *inner]:
            done = call(*words, "--help")
            assert done.exit_code == 0
            assert f"  privacy-tasks {' '.join(words)}" in done.stdout.split("Examples:")[1]
            assert "--json" in done.stdout or (inner and words == [name])


@pytest.fixture(scope="module")
def demo_output(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    folder = tmp_path_factory.mktemp("demo")
    done = command("privacy-tasks", "demo", "--json", "--log-dir", folder / "logs", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout, done.stderr


def test_the_demo_gives_the_known_figures_as_json_and_its_progress_aside(
    demo_output: tuple[Path, str, str],
) -> None:
    _, stdout, stderr = demo_output
    runs = {run["model"]: run for run in json.loads(stdout)}
    assert "122/122" in stderr
    means = {
        name: {key: run["metrics"][key]["mean"] for key in ("leak_rate", "discernment")}
        for name, run in runs.items()
    }
    assert means["reference/leaky"] == {"leak_rate": 1, "discernment": 0}
    assert means["reference/discreet"] == {"leak_rate": 0, "discernment": 1}
    assert means["reference/silent"] == {"leak_rate": 0, "discernment": 0}
    mixed = runs["reference/mixed"]["metrics"]
    for name, rate in (("item_leak_rate", 0.3), ("share_rate", 0.8)):
        assert mixed[name]["lower"] <= rate <= mixed[name]["upper"]
    assert runs["reference/leaky"]["metrics"]["helpful_rate"]["mean"] is None


def test_results_of_a_folder_show_figures_intervals_judge_data_and_leaks(
    demo_output: tuple[Path, str, str],
) -> None:
    folder, _, _ = demo_output
    done = call("results", folder / "logs", "--domains", "--leaks", "2")
    assert done.exit_code == 0, done.output
    for part in (
        "reference/leaky",
        "[0.94, 1.00]",
        "Judge: lexical/3",
        "core 2026.11.1",
        "housing",
    ):
        assert part in done.stdout
    assert done.stdout.count("  leaked: ") == 4  # two of leaky, two of mixed
    assert "helpful_rate" not in done.stdout  # the lexical judge cannot tell
    as_json = json.loads(call("results", folder / "logs", "--json").stdout)
    assert len(as_json) == 4
    assert as_json[0]["domains"]["leak_rate"].keys() >= {"health", "legal"}


def test_results_say_what_is_missing_and_bound_it(tmp_path: Path, server: ModelServer) -> None:
    # the four samples are judged at once; the fifth call is the second for one of them
    server.set("grader", script=["prose"] * 5)
    run_agentic(
        "anthropic/test-target",
        tmp_path,
        grader="anthropic/test-grader",
        limit=4,
    )
    done = call("results", tmp_path)
    assert done.exit_code == 0, done.output
    shown = " ".join(done.stdout.split())
    assert "1 of 4 samples unscored (invalid_answer 1)" in shown
    assert "leak_rate is between 0.00 and 0.25" in shown


def test_results_of_something_else_are_one_clear_error(tmp_path: Path) -> None:
    from inspect_ai import Task
    from inspect_ai import eval as inspect_eval
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import match

    output = ModelOutput.from_content("mockllm", "1")
    output.usage = ModelUsage()
    (log,) = inspect_eval(
        Task(dataset=[Sample(input="1", target="1")], scorer=match()),
        model=get_model("mockllm/model", custom_outputs=[output]),
        log_dir=str(tmp_path / "other"),
        display="none",
    )
    cut = tmp_path / "cut.eval"
    cut.write_bytes(Path(log.location.removeprefix("file://")).read_bytes()[:500])
    (tmp_path / "empty").mkdir()
    for path, message in (
        (tmp_path / "other", "is no log of a task of privacy_tasks"),
        (cut, "cannot be read as an Inspect log"),
        (tmp_path / "empty", "There are no logs of privacy_tasks"),
        (tmp_path / "gone.eval", "There is no log"),
    ):
        done = call("results", path)
        assert done.exit_code == 1, path
        assert message in done.stderr
        assert "Traceback" not in done.output


def test_logs_of_other_tasks_in_a_folder_are_named_and_passed_over(
    demo_output: tuple[Path, str, str], tmp_path: Path
) -> None:
    folder, _, _ = demo_output
    for file in (folder / "logs").glob("*.eval"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "broken.eval").write_bytes(b"PK")
    done = call("results", tmp_path)
    assert done.exit_code == 0
    assert "reference/leaky" in done.stdout
    assert "Passed over: broken.eval cannot be read" in done.stderr


def test_list_tells_size_version_hash_and_canary() -> None:
    sets = json.loads(call("list", "--json").stdout)
    core, profile, sessions, shared, probes, privacylens, confaide, cimemories = sets
    assert core["set"] == "core"
    assert core["scenarios"] == 2 * core["clusters"] >= 120
    assert core["items_not_found_lexically"] == 0
    assert len(core["hash"]) == 12
    assert len(core["canary"]) == 36
    assert profile["scenarios"] >= 12 * 12
    assert profile["clusters"] == sessions["clusters"] >= 12
    assert shared["task"] == "privacy_tasks/memory -T mode=shared"
    assert probes["right_answers"] == {"yes": probes["probes"] / 2, "no": probes["probes"] / 2}
    assert (privacylens["scenarios"], confaide["scenarios"]) == (493, 32)
    assert "hub" in cimemories["version"]
    assert call("list").exit_code == 0
    wrong = call("list", "--data", "corr")
    assert wrong.exit_code == 1
    assert "There is no data set 'corr'" in wrong.stderr


class TestPrivacyLens:
    pytestmark = needs_privacylens

    def test_list_describes_a_file(self) -> None:
        (described,) = json.loads(
            call("list", "--data", f"privacylens:{PRIVACYLENS}", "--json").stdout
        )
        assert described["tool_calls"] == 928
        assert described["items"] == {"withhold": 1487}
        assert described["domains"] == {"crowdsourcing": 337, "literature": 87, "regulation": 69}


def test_check_accepts_the_core_set_and_names_what_is_wrong(tmp_path: Path) -> None:
    folder = REPO / "privacy_tasks/data/core/agentic"
    done = call("check", folder, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["problems"] == []
    copy = tmp_path / "mine.yaml"
    copy.write_text((folder / "housing.yaml").read_text().replace("housing-mould", "housing-mold"))
    doubled = call("check", folder / "housing.yaml", copy)
    assert doubled.exit_code == 1
    assert "housing-mould-repair and housing-mold-repair share the words" in doubled.stdout


def test_doctor_never_prints_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-value")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    for arguments in ((), ("--json",)):
        done = call("doctor", *arguments)
        assert done.exit_code == 0, done.output
        assert "very-secret" not in done.output
    found = {entry["what"]: entry for entry in json.loads(done.stdout)}
    assert found["OPENAI_API_KEY"]["detail"] == "set"
    assert found["ANTHROPIC_API_KEY"]["detail"] == "not set"
    assert found["Inspect plug-in"]["status"] == "ok"
    assert found["judges package"]["status"] == "ok"


def test_doctor_asks_a_grader_for_one_verdict(server: ModelServer) -> None:
    done = call("doctor", "--grader", "anthropic/test-grader", "--json")
    (grader,) = [entry for entry in json.loads(done.stdout) if "test-grader" in entry["what"]]
    assert grader["status"] == "ok", grader
    assert "judge identity llm/anthropic/test-grader/" in grader["detail"]
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("fault", "detail"),
    [("prose", "invalid_answer"), ("invented_quote", "quote_not_in_output"), ("500", "judge_")],
)
def test_doctor_says_what_is_wrong_with_a_grader(
    server: ModelServer, fault: str, detail: str
) -> None:
    server.set("grader", default=fault)
    done = call("doctor", "--grader", "anthropic/test-grader", "--json")
    (grader,) = [entry for entry in json.loads(done.stdout) if "test-grader" in entry["what"]]
    assert grader["status"] == "problem"
    assert detail in grader["detail"]
    assert done.exit_code == 1


def test_doctor_sees_another_package_named_judges(tmp_path: Path) -> None:
    info = tmp_path / "judges-0.1.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: judges\nVersion: 0.1.1\n")
    (info / "RECORD").write_text("judges/__init__.py,,\n")
    (info / "top_level.txt").write_text("judges\n")
    done = command(
        "privacy-tasks",
        "doctor",
        cwd=tmp_path,
        env={"PYTHONPATH": os.pathsep.join([str(REPO), str(tmp_path)])},
    )
    assert done.returncode == 1
    assert "pip uninstall judges" in done.stdout
