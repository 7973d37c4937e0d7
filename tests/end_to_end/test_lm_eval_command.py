"""The stock `lm_eval` command, as users run it: local models, servers, several processes."""

from __future__ import annotations

import json
import os
import shutil
import venv
from pathlib import Path
from typing import Any

import lm_eval
import pytest
from click.testing import CliRunner

from harness_adapters.cli import main
from tests.conftest import ModelServer, built_wheel, command
from tests.tiny_llama import make_tiny_llama

TASKS = "privacy_collapse"
SHORT = ("--gen_kwargs", "max_gen_toks=48")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_llama(tmp_path_factory.mktemp("model") / "tiny")


def results_in(folder: Path) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The one results file, and the samples of each task."""
    (file,) = folder.rglob("results_*.json")
    samples = {
        found.name.removeprefix("samples_").rpartition("_")[0]: [
            json.loads(line) for line in found.read_text().splitlines()
        ]
        for found in folder.rglob("samples_*.jsonl")
    }
    return json.loads(file.read_text()), samples


def link_or_copy(source: str, to: str) -> None:
    try:
        os.link(source, to)
    except OSError:  # another file system
        shutil.copy2(source, to)


def linked(package: Path, to: Path) -> None:
    """A copy of lm-eval as it is without our task files."""
    shutil.copytree(
        package,
        to,
        copy_function=link_or_copy,
        ignore=shutil.ignore_patterns(TASKS, "__pycache__"),
        dirs_exist_ok=True,
    )


def local(llama: Path) -> tuple[str, ...]:
    return ("--model", "hf", "--model_args", f"pretrained={llama}", "--device", "cpu")


@pytest.mark.slow
def test_from_a_wheel_in_a_fresh_environment(tmp_path: Path, llama: Path) -> None:
    wheel = built_wheel(tmp_path)
    fresh = tmp_path / "fresh"
    venv.create(fresh, with_pip=True)
    (site,) = (fresh / "lib").glob("python3.*/site-packages")
    # lm-eval lies in another folder than the one that the wheel goes into
    apart = tmp_path / "apart"
    linked(Path(lm_eval.__file__).parent, apart / "lm_eval")
    (site / "dependencies.pth").write_text(f"{apart}\n{Path(pytest.__file__).parents[1]}\n")
    install = ("python", "-m", "pip", "install", "--no-deps", "--force-reinstall", wheel)
    done = command(*install, cwd=tmp_path, executables=fresh / "bin")
    assert done.returncode == 0, done.stderr
    doctor = command("privacy-tasks", "doctor", cwd=tmp_path, executables=fresh / "bin")
    assert doctor.returncode == 1
    told = " ".join(doctor.stdout.split())
    assert "--include_path" in told
    assert "not where lm-eval looks" in told
    linked(apart / "lm_eval", site / "lm_eval")  # now it is installed beside them
    doctor = command("privacy-tasks", "doctor", cwd=tmp_path, executables=fresh / "bin")
    assert "lm_eval --tasks privacy_collapse finds them" in doctor.stdout
    listed = command("python", "-m", "lm_eval", "ls", "groups", cwd=tmp_path,
                     executables=fresh / "bin")  # fmt: skip
    assert f"lm_eval/tasks/{TASKS}/privacy_collapse.yaml" in listed.stdout
    run = command(
        "python", "-m", "lm_eval", "--tasks", TASKS, *local(llama), "--limit", "8",
        "--apply_chat_template", "--metadata", '{"judge": "lexical"}', *SHORT,
        cwd=tmp_path, executables=fresh / "bin",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    assert "| - privacy_collapse_agentic" in run.stdout
    rows = [row for row in run.stdout.splitlines() if "leak_rate_upper" in row]
    assert len(rows) == 2
    assert all("±" in row and "N/A" not in row for row in rows)
    pip = ("python", "-m", "pip", "uninstall", "-y", "privacy-tasks")
    gone = command(*pip, cwd=tmp_path, executables=fresh / "bin")
    assert gone.returncode == 0
    assert not (site / "lm_eval" / "tasks" / TASKS).exists()
    assert not list(site.glob("*privacy*"))


@pytest.mark.slow
def test_from_an_editable_install_judged_later(tmp_path: Path, llama: Path) -> None:
    config = tmp_path / "config.yaml"
    settings = {
        "model": "hf",
        "model_args": {"pretrained": str(llama)},
        "device": "cpu",
        "tasks": [TASKS, f"{TASKS}_probing_logprob"],
        "limit": 4,
        "gen_kwargs": {"max_gen_toks": 48},
        "metadata": {"agentic.force_action": True},
    }
    config.write_text(json.dumps(settings))  # YAML has JSON in it
    refused = command("lm_eval", "--config", config, cwd=tmp_path)
    assert refused.returncode == 1
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("privacy_collapse_agentic: No judge was named.")
    assert "Traceback" not in refused.stderr
    assert "Running generate_until" not in refused.stderr
    run = command(
        "lm_eval", "--config", config, "--predict_only", "--output_path", "out", cwd=tmp_path
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert "Judging" not in run.stderr
    assert "force_action=True" in run.stderr
    shown = CliRunner().invoke(main, ["results", str(tmp_path / "out")])
    assert shown.exit_code == 1
    assert "privacy-tasks rejudge" in shown.stderr
    judged = command(
        "privacy-tasks", "rejudge", "out", "--judge", "lexical", "-o", "judged", cwd=tmp_path
    )
    assert judged.returncode == 0, judged.stderr
    assert "privacy_collapse_memory, profile" in judged.stdout
    results, samples = results_in(tmp_path / "judged")
    old, old_samples = results_in(tmp_path / "out")
    assert results["rejudged_from"].startswith("results_")
    assert set(samples) == set(old_samples)
    assert len(samples) == 4
    # a model of random weights finds no end, and a reply that was cut is no message
    assert results["configs"][f"{TASKS}_memory"]["metadata"]["unscored"] == {"reply_cut": 4}
    assert results["results"][TASKS]["sample_len"] == 12
    assert results["model_name"] == old["model_name"]
    again = CliRunner().invoke(main, ["results", str(tmp_path / "judged")])
    assert again.exit_code == 0, again.stderr
    assert "reply_cut 4" in " ".join(again.stdout.split())
    likely = results["results"][f"{TASKS}_probing_logprob"]
    assert likely["judged,none"] == 1.0
    assert all("bypass" not in sample for sample in samples[f"{TASKS}_memory"])


@pytest.mark.slow
def test_several_processes_report_what_one_does(
    tmp_path: Path, llama: Path, server: ModelServer
) -> None:
    options = (
        "--tasks", f"{TASKS}_memory,{TASKS}_probing_logprob", *local(llama), "--limit", "7",
        "--apply_chat_template", "--metadata", '{"judge": "openai-api/openai/grader"}',
        # the model goes round in circles; at this sign its replies have an end
        "--log_samples", "--gen_kwargs", "max_gen_toks=48,until=<",
    )  # fmt: skip
    one = command("lm_eval", *options, "--output_path", "one", cwd=tmp_path, env=server.env)
    assert one.returncode == 0, one.stderr[-3000:]
    assert server.stats("grader")["calls"] == 7
    server.reset()
    two = command(
        "accelerate", "launch", "--cpu", "--num_processes", "2", "-m", "lm_eval", *options,
        "--output_path", "two", cwd=tmp_path, env=server.env,
    )  # fmt: skip
    assert two.returncode == 0, two.stderr[-3000:]
    assert server.stats("grader")["calls"] == 7  # seven is odd: one request is made twice
    (alone, its_samples), (shared, their_samples) = (
        results_in(tmp_path / name) for name in ("one", "two")
    )
    for task in (f"{TASKS}_memory", f"{TASKS}_probing_logprob"):
        assert alone["results"][task] == shared["results"][task]
        assert alone["configs"][task] == shared["configs"][task]
        assert by_id(its_samples[task]) == by_id(their_samples[task])
        assert len(their_samples[task]) == 7


def by_id(samples: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        sample["doc"]["id"]: (sample["filtered_resps"], sample["prompt_hash"], sample["judged"])
        for sample in samples
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "address", "chat"),
    [
        ("local-chat-completions", "/v1/chat/completions", ("--apply_chat_template",)),
        ("local-completions", "/v1/completions", ()),
    ],
)
def test_servers_with_faults(
    tmp_path: Path, server: ModelServer, model: str, address: str, chat: tuple[str, ...]
) -> None:
    server.set("target", script=["ok", "429", "ok", "500", "empty"])
    server.set("grader", script=["429", "ok", "500", "ok", "prose", "prose"])
    arguments = (
        f"model=target,base_url={server.url}{address},num_concurrent=1,max_retries=3,"
        "tokenizer_backend=None"
    )
    run = command(
        "lm_eval", "--tasks", TASKS, "--model", model, "--model_args", arguments, *chat,
        "--limit", "6", "--output_path", "out", "--log_samples",
        "--metadata", '{"judge": "openai-api/openai/grader", "judge_connections": 1}',
        cwd=tmp_path, env=server.env,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    asked = server.stats("target")["behaviours"]
    assert asked["429"] == asked["500"] == 1  # each was asked again by lm-eval
    results, samples = results_in(tmp_path / "out")
    unscored = {
        task: results["configs"][f"{TASKS}_{task}"]["metadata"]["unscored"]
        for task in ("agentic", "memory", "probing")
    }
    reasons = [reason for told in unscored.values() for reason in told]
    assert sorted(reasons) == ["invalid_answer", "reply_empty"]
    assert [len(it) for it in samples.values()] == [6, 6, 6]
    for task in ("agentic", "memory"):
        found = results["results"][f"{TASKS}_{task}"]
        without = sum(unscored[task].values())
        assert found["judged,none"] == pytest.approx(1 - without / 6)
        assert found["leak_rate_upper,none"] == pytest.approx(
            found["leak_rate_lower,none"] + without / 6
        )
    assert results["results"][f"{TASKS}_agentic"]["no_action_rate,none"] == 0.0
    assert results["results"][f"{TASKS}_probing"]["invalid_rate,none"] == 0.0
    secrets = (server.env["OPENAI_API_KEY"], server.env["ANTHROPIC_API_KEY"])
    written = "".join(file.read_text() for file in (tmp_path / "out").rglob("*.json*"))
    assert not any(secret in written for secret in secrets)
