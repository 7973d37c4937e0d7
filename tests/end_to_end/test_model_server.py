"""Targets and graders over both wire formats, and what each fault does to the figures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import read_eval_log

from privacy_tasks.toolkits import tools_of
from tests.conftest import (
    PRIVACYLENS,
    ModelServer,
    command,
    inspect_here,
    means,
    needs_privacylens,
    only_log,
    run_agentic,
)

PROVIDERS = ["openai", "openai-api/openai", "anthropic"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_as_target_and_as_grader(
    tmp_path: Path, server: ModelServer, provider: str
) -> None:
    log = run_agentic(
        f"{provider}/test-target", tmp_path, grader=f"{provider}/test-grader", limit=12
    )
    assert log.status == "success"
    assert means(log)["judged"] == 1
    assert means(log)["no_action_rate"] == 0
    assert means(log)["helpful_rate"] == 1
    assert log.eval.metadata["judge"].startswith(f"llm/{provider}/test-grader/")
    for sample in log.samples:
        score = sample.scores["leak_judge"]
        assert score.metadata["usage"]["calls"] == 1
        assert "Judged by" in score.explanation


def test_the_model_gets_the_tools_of_its_toolkits(tmp_path: Path, server: ModelServer) -> None:
    log = run_agentic("anthropic/test-target", tmp_path, judge="lexical", limit=1)
    (sample,) = log.samples
    (event,) = [event for event in sample.events if event.event == "model"]
    assert [tool["name"] for tool in event.call.request["tools"]] == [
        tool.name for tool in tools_of(sample.metadata["toolkits"])
    ]


def test_a_forced_action_is_forced_on_the_wire(tmp_path: Path, server: ModelServer) -> None:
    log = run_agentic(
        "openai-api/openai/test-target", tmp_path, judge="lexical", force_action=True, limit=1
    )
    (sample,) = log.samples
    (event,) = [event for event in sample.events if event.event == "model"]
    wanted = sample.metadata["final_tool"]
    assert event.call.request["tool_choice"] == {"type": "function", "function": {"name": wanted}}


def test_the_text_format_needs_no_tools(tmp_path: Path, server: ModelServer) -> None:
    log = run_agentic(
        "openai-api/openai/test-target", tmp_path, judge="lexical", tool_format="text", limit=4
    )
    assert means(log)["no_action_rate"] == 0
    for sample in log.samples:
        (event,) = [event for event in sample.events if event.event == "model"]
        assert not event.call.request.get("tools")


UNSCORED = {
    "prose": "invalid_answer",
    "empty": "invalid_answer",
    "no_quote": "quote_missing",
    "invented_quote": "quote_not_in_output",
    "unknown_items": "wrong_items",
    "missing_items": "wrong_items",
}


@pytest.mark.parametrize("fault", UNSCORED)
def test_no_fault_of_the_grader_becomes_a_verdict(
    tmp_path: Path, server: ModelServer, fault: str
) -> None:
    server.set("grader", default=fault)
    log = run_agentic("anthropic/test-target", tmp_path, grader="anthropic/test-grader", limit=3)
    assert log.status == "success"
    found = means(log)
    assert math.isnan(found["leak_rate"])
    assert math.isnan(found["discernment"])
    assert (found["judged"], found["leak_rate_lower"], found["leak_rate_upper"]) == (0, 0, 1)
    for sample in log.samples:
        score = sample.scores["leak_judge"]
        assert score.reason == score.metadata["unscored"] == UNSCORED[fault]
        assert "neither a leak nor" in score.explanation


@pytest.mark.parametrize("fault", ["malformed", "cut", "429", "500"])
def test_one_bad_reply_costs_one_sample_at_most(
    tmp_path: Path, server: ModelServer, fault: str
) -> None:
    """What can be retried is; a reply that is no JSON costs its own sample and no other."""
    server.set("target", script=[fault])
    log = run_agentic("anthropic/test-target", tmp_path, grader="anthropic/test-grader", limit=6)
    assert log.status == "success"
    reasons = [sample.scores["leak_judge"].metadata.get("unscored") for sample in log.samples]
    lost = 1 if fault == "malformed" else 0
    assert reasons.count("target_error") == lost
    assert reasons.count(None) == 6 - lost
    assert means(log)["judged"] == pytest.approx((6 - lost) / 6)
    assert server.stats("grader")["calls"] == 6 - lost


@pytest.mark.parametrize("calls", [1, 40])
def test_a_target_that_hangs_is_waited_for_and_then_unscored(
    tmp_path: Path, server: ModelServer, calls: int
) -> None:
    models = {"model": "anthropic/test-target", "grader": "anthropic/test-grader"}
    run_agentic(**models, folder=tmp_path / "first", limit=1)  # loading the SDK takes time as well
    server.set("target", script=["hang"] * calls)
    impatient = {"attempt_timeout": 3, "max_retries": 1}
    log = run_agentic(**models, folder=tmp_path, limit=4, config=impatient)
    assert log.status == "success"
    reasons = [sample.scores["leak_judge"].metadata.get("unscored") for sample in log.samples]
    assert reasons == ([None] * 4 if calls == 1 else ["target_error"] * 4)
    assert math.isnan(means(log)["leak_rate"]) == (calls == 40)


def test_what_a_target_does_not_send_is_no_action_and_costs_no_judgement(
    tmp_path: Path, server: ModelServer
) -> None:
    server.set("target", default="text_reply")
    log = run_agentic("anthropic/test-target", tmp_path, grader="anthropic/test-grader", limit=4)
    found = means(log)
    assert (found["no_action_rate"], found["leak_rate"], found["share_rate"]) == (1, 0, 0)
    assert (found["discernment"], found["helpful_rate"]) == (0, 0)
    assert server.stats("grader")["calls"] == 0


@pytest.mark.parametrize("fault", ["reply_cut", "reply_empty"])
def test_a_reply_that_is_cut_short_or_empty_is_unscored(
    tmp_path: Path, server: ModelServer, fault: str
) -> None:
    server.set("target", default="empty" if fault == "reply_empty" else fault)
    log = run_agentic("anthropic/test-target", tmp_path, grader="anthropic/test-grader", limit=3)
    reasons = {sample.scores["leak_judge"].metadata["unscored"] for sample in log.samples}
    assert reasons == {fault}
    assert math.isnan(means(log)["no_action_rate"])


def test_a_model_that_judges_itself_is_pointed_out(tmp_path: Path, server: ModelServer) -> None:
    done = command(
        *("inspect", "eval", "privacy_tasks/agentic", "--model", "anthropic/test-grader"),
        *("--model-role", "grader=anthropic/test-grader", "--limit", "1", "--display", "plain"),
        cwd=tmp_path,
        env=server.env,
    )
    assert "judges itself" in " ".join((done.stdout + done.stderr).split())


def test_a_call_that_cannot_be_read_is_unscored(tmp_path: Path, server: ModelServer) -> None:
    server.set("target", default="broken_arguments")
    log = run_agentic(
        "openai-api/openai/test-target", tmp_path, grader="anthropic/test-grader", limit=3
    )
    reasons = {sample.scores["leak_judge"].metadata["unscored"] for sample in log.samples}
    assert reasons == {"action_unreadable"}
    assert server.stats("grader")["calls"] == 0


def test_a_log_is_judged_again_without_the_target(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = run_agentic("anthropic/test-target", tmp_path, judge="lexical", limit=6)
    asked = server.stats("target")["calls"]
    base = ("inspect", "score", log.location.removeprefix("file://"), "--scorer")
    again = command(
        *base,
        *("privacy_tasks/leak_judge", "-S", "judge=llm", "--action", "overwrite"),
        *("--model-role", "grader=anthropic/test-grader", "--output-file", "again.eval"),
        *("--display", "plain"),
        cwd=tmp_path,
        env=server.env,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    rejudged = read_eval_log(str(tmp_path / "again.eval"))
    judges = {sample.scores["leak_judge"].metadata["judge"] for sample in rejudged.samples}
    assert len(judges) == 1
    assert judges.pop().startswith("llm/anthropic/test-grader/")
    assert means(rejudged)["helpful_rate"] == 1
    assert server.stats("target")["calls"] == asked
    assert server.stats("grader")["calls"] == 6

    refused = inspect_here(
        *base[1:], "privacy_tasks/leak_judge", "--action", "append", "--output-file", "no.eval",
        "--display", "plain",
        cwd=tmp_path, monkeypatch=monkeypatch,
    )  # fmt: skip
    assert isinstance(refused.exception, PrerequisiteError)
    assert "No judge was named" in " ".join(refused.exception.message.split())
    assert not (tmp_path / "no.eval").exists()


def test_no_key_stands_in_a_log(tmp_path: Path, server: ModelServer) -> None:
    import zipfile

    log = run_agentic("openai/test-target", tmp_path, grader="anthropic/test-grader", limit=2)
    with zipfile.ZipFile(log.location.removeprefix("file://")) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"test-target" in content
    for key in (server.env["OPENAI_API_KEY"], server.env["ANTHROPIC_API_KEY"]):
        assert key.encode() not in content


@pytest.mark.slow
class TestPrivacyLens:
    pytestmark = needs_privacylens

    def test_all_cases_are_judged_with_one_call_each_and_every_action_is_replayed(
        self, tmp_path: Path, server: ModelServer
    ) -> None:
        server.set("grader", keep_prompts=True)
        log = run_agentic(
            "anthropic/test-target",
            tmp_path,
            grader="anthropic/test-grader",
            data=f"privacylens:{PRIVACYLENS}",
        )
        assert log.status == "success"
        assert log.eval.metadata["set"] == "privacylens"
        assert means(log)["judged"] == 1
        prompts = server.stats("grader")["prompts"]
        assert len(prompts) == 493
        assert sum(map(len, prompts)) / 493 <= 5500

        assert len(log.samples) == 493
        replayed = sum(
            len(message.tool_calls)
            for sample in log.samples
            for message in sample.input
            if message.role == "assistant"
        )
        cases = json.loads(PRIVACYLENS.read_text())
        written = sum(
            case["trajectory"]["executable_trajectory"].count("Action Input:") for case in cases
        )
        assert replayed == written == 928

    def test_by_the_command_with_the_lexical_judge(self, tmp_path: Path) -> None:
        done = command(
            *("inspect", "eval", "privacy_tasks/agentic", "--model", "reference/mixed"),
            *("-M", "leak=0.3", "-M", "seed=1", "-T", "judge=lexical", "--limit", "20"),
            *("-T", f"data=privacylens:{PRIVACYLENS}", "--display", "plain"),
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        log = only_log(tmp_path / "logs")
        assert len(log.samples) == 20
        assert log.eval.dataset.samples == 493
        assert means(log)["judged"] == 1
