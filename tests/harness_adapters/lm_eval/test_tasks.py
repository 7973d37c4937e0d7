"""The tasks inside lm-eval's own evaluator: options, judge pass, figures, refusals."""

from __future__ import annotations

import json
import logging
import math
import os
import signal
from importlib import metadata, resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from lm_eval.api.instance import Instance
from lm_eval.tasks import TaskManager

from harness_adapters.lm_eval.errors import LmEvalError
from tests.conftest import ModelServer
from tests.harness_adapters.lm_eval.harness import (
    TASK_FILES,
    ChatModel,
    Model,
    about,
    evaluate,
    figures,
    scores,
)

LEXICAL = {"judge": "lexical"}
GRADER = {"judge": "openai-api/openai/grader"}


ACTING = ("agentic", "memory")


def leaky(request: Instance) -> str:
    """Tells everybody everything; answers yes."""
    asked = about(request)
    if asked["kind"] == "probe":
        return next(f"({key})" for key, it in asked["options"].items() if it == "yes")
    facts = " ".join(item["statement"] for item in asked["items"])
    if asked["kind"] == "message":
        return facts
    email = {"to": "them@test.example", "subject": "News", "body": facts}
    return f"Action: GmailSendEmail\nAction Input: {json.dumps(email)}"


def silent(request: Instance) -> str:
    return ""


def test_the_group_has_its_tasks_its_directions_and_an_error_for_each_figure() -> None:
    results = evaluate(Model(leaky), "", metadata=LEXICAL, limit=20)
    assert results["group_subtasks"]["privacy_collapse"] == [
        "privacy_collapse_agentic",
        "privacy_collapse_memory",
        "privacy_collapse_probing",
    ]
    group = results["groups"]["privacy_collapse"]
    assert group["leak_rate,none"] == 1.0
    assert group["discernment,none"] == 0.0
    better = results["higher_is_better"]
    assert better["privacy_collapse"]["leak_rate"] is False
    assert better["privacy_collapse"]["discernment"] is True
    assert better["privacy_collapse"]["accuracy"] is True
    assert better["privacy_collapse"]["leak_rate_upper"] is None
    for task in ("agentic", "memory", "probing"):
        found = figures(results, task)
        names = [name for name in found if not name.endswith("_stderr")]
        assert set(names) == set(better[f"privacy_collapse_{task}"])
        for name in names:
            assert isinstance(found[f"{name}_stderr"], float), (task, name)
    assert figures(results, "probing")["share_accuracy"] == 1.0
    assert figures(results, "probing")["withhold_accuracy"] == 0.0
    assert results["versions"]["privacy_collapse_agentic"].startswith("20")


def test_the_groups_error_is_that_of_a_mean_of_two_tasks() -> None:
    def mostly(request: Instance) -> str:
        quiet = request.doc_id is not None and request.doc_id % 3 == 0
        return "Hello." if quiet else leaky(request)

    few = LEXICAL | {"agentic.domains": "health"}  # fewer samples weigh no less
    results = evaluate(Model(mostly), "", metadata=few, limit=30)
    sizes = [results["n-samples"][f"privacy_collapse_{it}"]["effective"] for it in ACTING]
    assert sizes[0] < sizes[1]
    rates = [figures(results, task)["leak_rate"] for task in ACTING]
    assert results["groups"]["privacy_collapse"]["leak_rate,none"] == pytest.approx(sum(rates) / 2)
    each = [figures(results, task)["leak_rate_stderr"] for task in ACTING]
    assert all(error > 0 for error in each)
    of_group = results["groups"]["privacy_collapse"]["leak_rate_stderr,none"]
    assert of_group == pytest.approx(math.sqrt(each[0] ** 2 + each[1] ** 2) / 2)


def test_standard_errors_are_clustered() -> None:
    # both twins of every third pair leak: 10 clusters of 2, and not 20 samples
    def by_pair(request: Instance) -> str:
        return leaky(request) if (request.doc_id or 0) // 2 % 3 == 0 else "Hello."

    results = evaluate(Model(by_pair), "agentic", metadata=LEXICAL, limit=20)
    found = figures(results, "agentic")
    rate = found["leak_rate"]
    assert rate == 0.4
    between = sum((x - rate) ** 2 for x in [1, 0, 0, 1, 0, 0, 1, 0, 0, 1])  # by hand
    assert found["leak_rate_stderr"] == pytest.approx(math.sqrt(between / 10 / 9))


def test_without_a_judge_nothing_is_asked() -> None:
    model = Model(leaky)
    with pytest.raises(LmEvalError, match="No judge was named"):
        evaluate(model, "", limit=2)
    assert model.requests == []


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"judge": "gpt-4.1"}, "is no judge"),
        ({"judge": "openai/gpt-4.1"}, "OPENAI_API_KEY"),
        ({"judge": "nosuch/model"}, "nosuch"),
        ({**LEXICAL, "prompt": "kind"}, "naive, privacy_enhanced"),
        ({**LEXICAL, "data": "privacylens:/nowhere.json"}, "/nowhere.json"),
        ({**LEXICAL, "domains": "cooking"}, "cooking"),
        ({**LEXICAL, "judge_connections": 0}, "judge_connections"),
        ({**LEXICAL, "epochs": 2}, "greedy"),
        ({**LEXICAL, "trajectory": "messages"}, "needs --apply_chat_template"),
        ({**LEXICAL, "trajectory": "tape"}, "trajectory"),
    ],
)
def test_a_bad_setting_is_one_message_before_any_call(
    metadata: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    model = Model(leaky)
    with pytest.raises(LmEvalError, match=said) as caught:
        evaluate(model, "agentic", metadata=metadata, limit=2)
    assert "privacy_collapse_agentic" in str(caught.value)
    assert model.requests == []


def test_probing_needs_no_judge() -> None:
    results = evaluate(Model(leaky), "probing", limit=8)
    assert figures(results, "probing")["accuracy"] == 0.5


def test_settings_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVACY_TASKS_JUDGE", "lexical")
    monkeypatch.setenv("PRIVACY_TASKS_AGENTIC_PROMPT", "privacy_enhanced")
    results = evaluate(Model(leaky), "agentic", "memory", limit=2)
    configs = results["configs"]
    assert configs["privacy_collapse_agentic"]["metadata"]["prompt"] == "privacy_enhanced"
    assert configs["privacy_collapse_memory"]["metadata"]["prompt"] == "basic"
    assert configs["privacy_collapse_memory"]["metadata"]["judge"].startswith("lexical/")


def test_few_shot_is_refused_where_there_is_none() -> None:
    model = Model(leaky)
    with pytest.raises(LmEvalError, match="no few-shot examples"):
        evaluate(model, "memory", metadata=LEXICAL, num_fewshot=2, limit=2)
    assert model.requests == []


@pytest.mark.parametrize(("in_turns", "users", "answers"), [(True, 3, 2), (False, 1, 0)])
def test_probing_has_solved_examples(in_turns: bool, users: int, answers: int) -> None:
    model = ChatModel(leaky)
    results = evaluate(
        model,
        "probing",
        num_fewshot=2,
        limit=2,
        apply_chat_template=True,
        fewshot_as_multiturn=in_turns,
    )
    prompt = str(model.requests[0].args[0])
    assert prompt.count("<user>") == users
    assert prompt.count("<assistant>(") == answers
    assert prompt.count("May it go to this recipient?") == 3
    assert results["n-shot"]["privacy_collapse_probing"] == 2


def test_the_system_instruction_comes_first() -> None:
    for model in (Model(leaky), ChatModel(leaky)):
        chat = isinstance(model, ChatModel)
        evaluate(
            model,
            "",
            metadata=LEXICAL,
            limit=1,
            system_instruction="Speak plainly.",
            apply_chat_template=chat,
        )
        assert len(model.requests) == 3
        start = "<system>Speak plainly." if chat else "Speak plainly."
        assert all(str(request.args[0]).startswith(start) for request in model.requests)


def test_without_a_template_an_answer_may_go_on_from_its_cue() -> None:
    def goes_on(request: Instance) -> str:
        assert request.args[0].endswith("\nAction:")
        return leaky(request).removeprefix("Action:")

    results = evaluate(Model(goes_on), "agentic", metadata=LEXICAL, limit=4)
    assert figures(results, "agentic")["leak_rate"] == 1.0
    assert figures(results, "agentic")["no_action_rate"] == 0.0


def test_requests_are_never_taken_from_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("lm_eval.caching.cache.PATH", str(tmp_path))
    prompts = []
    for prompt in ("naive", "privacy_enhanced"):
        model = Model(leaky)
        with caplog.at_level(logging.WARNING):
            evaluate(
                model,
                "agentic",
                metadata=LEXICAL | {"prompt": prompt},
                limit=1,
                cache_requests=True,
            )
        prompts.append(model.requests[0].args[0])
    assert prompts[0] != prompts[1]
    assert caplog.text.count("--cache_requests is off") == 2
    assert list(tmp_path.iterdir()) == []


def test_replies_are_taken_from_use_cache(tmp_path: Path) -> None:
    kept = str(tmp_path / "replies")
    first = Model(leaky)
    evaluate(first, "agentic", metadata=LEXICAL, limit=3, use_cache=kept)
    assert len(first.requests) == 3
    again = Model(silent)
    results = evaluate(again, "agentic", metadata=LEXICAL, limit=3, use_cache=kept)
    assert again.requests == []
    assert figures(results, "agentic")["leak_rate"] == 1.0


def test_predict_only_judges_nothing(server: ModelServer) -> None:
    results = evaluate(Model(leaky), "", metadata=GRADER, limit=2, predict_only=True)
    assert server.stats("grader")["calls"] == 0
    assert figures(results, "agentic") == {"bypass": 999, "bypass_stderr": "N/A"}
    (first, _) = results["samples"]["privacy_collapse_agentic"]
    assert first["resps"][0][0].startswith("Action:")
    without_judge = evaluate(Model(leaky), "memory", limit=2, predict_only=True)
    assert len(without_judge["samples"]["privacy_collapse_memory"]) == 2


def test_each_sample_is_judged_once_and_failures_are_unscored(server: ModelServer) -> None:
    server.set("grader", script=["ok", "prose", "prose", "ok", "no_quote", "no_quote"])
    results = evaluate(Model(leaky), "memory", metadata=GRADER | {"judge_connections": 1}, limit=5)
    assert server.stats("grader")["calls"] == 7  # two of five were asked once more, in vain
    kept = scores(results, "memory")
    reasons = [score[0]["metadata"].get("unscored") for score in kept.values()]
    assert sorted(map(str, reasons)) == [
        "None", "None", "None", "invalid_answer", "quote_missing",
    ]  # fmt: skip
    found = figures(results, "memory")
    assert found["judged"] == pytest.approx(3 / 5)
    assert found["leak_rate"] == 1.0
    assert found["leak_rate_lower"] == pytest.approx(3 / 5)
    assert found["leak_rate_upper"] == 1.0
    summary = results["configs"]["privacy_collapse_memory"]["metadata"]
    assert summary["unscored"] == {"invalid_answer": 1, "quote_missing": 1}
    unscored = [it for it in results["samples"]["privacy_collapse_memory"] if it["judged"] == 0]
    assert [it["leak_rate"] for it in unscored] == [None, None]


def test_a_judge_that_never_answers_is_given_up(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("harness_adapters.lm_eval.judging._PATIENCE", 0.05)
    server.set("grader", default="500", latency=0.05)
    judge = {"model": "openai-api/openai/grader", "max_retries": 0}
    results = evaluate(
        Model(leaky), "memory", metadata={"judge": judge, "judge_connections": 4}, limit=40
    )
    assert server.stats("grader")["calls"] < 40
    found = figures(results, "memory")
    assert found["judged"] == 0.0
    assert (found["leak_rate_lower"], found["leak_rate_upper"]) == (0.0, 1.0)
    assert "No verdict after" in caplog.text
    assert "40 of 40 replies are unscored (judge_error 40)" in caplog.text
    assert "privacy-tasks doctor --grader" in caplog.text
    details = {score[0]["metadata"]["detail"] for score in scores(results, "memory").values()}
    assert any("never answered" in detail for detail in details)


def test_an_empty_reply_is_unscored_and_costs_no_call(
    server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    results = evaluate(Model(silent), "", metadata=GRADER, limit=4)
    assert server.stats("grader")["calls"] == 0
    for task in ("agentic", "memory", "probing"):
        assert figures(results, task)["judged"] == 0.0
        summary = results["configs"][f"privacy_collapse_{task}"]["metadata"]
        assert summary["unscored"] == {"reply_empty": 4}
    assert figures(results, "agentic")["leak_rate_upper"] == 1.0
    assert math.isnan(figures(results, "agentic")["leak_rate"])
    assert math.isnan(results["groups"]["privacy_collapse"]["leak_rate,none"])
    assert results["groups"]["privacy_collapse"]["judged,none"] == 0.0
    assert caplog.text.count("4 of 4 replies are unscored (reply_empty 4)") == 3


def test_calls_under_way_are_bounded(server: ModelServer) -> None:
    server.set("grader", latency=0.05)
    evaluate(Model(leaky), "memory", metadata=GRADER | {"judge_connections": 3}, limit=12)
    assert server.stats("grader")["most_at_once"] == 3


def test_many_replies_are_judged_by_several_processes(server: ModelServer) -> None:
    server.set("grader", latency=0.6)  # long enough for all of them to be under way at once
    many = evaluate(Model(leaky), "memory", metadata=GRADER | {"judge_connections": 64}, limit=110)
    assert server.stats("grader")["calls"] == 110
    assert 50 < server.stats("grader")["most_at_once"] <= 64
    server.set("grader", latency=0)
    one = evaluate(Model(leaky), "memory", metadata=GRADER | {"judge_connections": 8}, limit=110)
    assert figures(many, "memory") == figures(one, "memory")
    assert scores(many, "memory") == scores(one, "memory")


def test_what_results_say_of_a_run_names_no_path(tmp_path: Path) -> None:
    folder = tmp_path / "secret-folder"
    folder.mkdir()
    source = Path(__file__).parents[3] / "privacy_tasks" / "data" / "core" / "agentic"
    file = sorted(source.rglob("*.yaml"))[0]
    (folder / file.name).write_bytes(file.read_bytes())
    results = evaluate(
        Model(leaky), "agentic", metadata=LEXICAL | {"data": f"core:{folder}"}, limit=2
    )
    told = results["configs"]["privacy_collapse_agentic"]
    assert "secret-folder" not in json.dumps(told)
    assert told["metadata"]["set"] == "core:file"
    assert told["metadata"]["set_hash"]


def test_a_prompt_without_room_is_refused() -> None:
    class Narrow(Model):
        tokenizer = SimpleNamespace()
        max_length = 1500

        def tok_encode(self, text: str) -> list[int]:
            return list(range(len(text.split())))

    model = Narrow(leaky)
    with pytest.raises(LmEvalError, match=r"the model takes 1500.*max_gen_toks"):
        evaluate(model, "memory", metadata=LEXICAL, limit=3)
    assert model.requests == []
    evaluate(model, "memory", metadata=LEXICAL, limit=3, gen_kwargs="max_gen_toks=100")
    assert len(model.requests) == 3


def test_the_longest_prompt_is_that_of_most_tokens() -> None:
    class Numbers(Model):
        """Digits cost most."""

        tokenizer = SimpleNamespace()

        def tok_encode(self, text: str) -> list[int]:
            return [1] * (len(text) // 100 + 50 * sum(letter.isdigit() for letter in text))

    asked = Numbers(leaky)
    asked.max_length = 10**6
    evaluate(asked, "memory", metadata=LEXICAL, limit=20)
    prompts = [request.args[0] for request in asked.requests]
    most = max(len(asked.tok_encode(prompt)) for prompt in prompts)
    assert most > len(asked.tok_encode(max(prompts, key=len)))
    room = "max_gen_toks=100"
    asked.max_length = most + 99
    with pytest.raises(LmEvalError, match=f"has {most} tokens"):
        evaluate(asked, "memory", metadata=LEXICAL, limit=20, gen_kwargs=room)
    asked.max_length = most + 100
    evaluate(asked, "memory", metadata=LEXICAL, limit=20, gen_kwargs=room)


def test_generation_settings_are_the_users() -> None:
    model = Model(leaky)
    evaluate(model, "agentic", metadata=LEXICAL, limit=1, gen_kwargs="max_gen_toks=77,until=STOP")
    assert model.requests[0].args[1]["max_gen_toks"] == 77
    assert model.requests[0].args[1]["until"] == ["STOP"]


def test_the_likelier_option_is_the_answer() -> None:
    def prefers_no(request: Instance) -> float:
        letter = request.args[1].strip()
        return -1.0 if about(request)["options"][letter] == "no" else -2.0

    model = Model(silent, prefers_no)
    results = evaluate(model, "probing_logprob", limit=12)
    found = figures(results, "probing_logprob")
    assert (found["accuracy"], found["withhold_accuracy"], found["share_accuracy"]) == (0.5, 1, 0)
    assert found["order_consistency"] == 1.0
    assert len(model.requests) == 24
    assert {request.args[1] for request in model.requests} == {" A", " B"}
    undecided = evaluate(Model(silent, lambda request: -1.0), "probing_logprob", limit=12)
    assert figures(undecided, "probing_logprob")["invalid_rate"] == 1.0
    broken = evaluate(Model(silent, lambda request: math.nan), "probing_logprob", limit=12)
    assert figures(broken, "probing_logprob")["judged"] == 0.0


def test_both_orders_share_their_context_up_to_the_options() -> None:
    model = Model(silent, lambda request: -1.0)
    evaluate(model, "probing_logprob", limit=2)
    one, other = (model.requests[place].args[0] for place in (0, 2))
    shared = next(place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    assert one[shared:].startswith("Yes")
    assert other[shared:].startswith("No")
    assert shared > 0.95 * len(one)
    assert "What you have done so far:" in one[:shared]


def test_a_task_file_of_ones_own_sets_nothing_in_silence(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = (TASK_FILES / "agentic.yaml").read_text().replace("privacy_collapse_agentic", "mine")
    file.write_text(text + "num_fewshot: 3\n")
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    with pytest.raises(LmEvalError, match="num_fewshot"):
        manager.load(["mine"])


def test_task_files_hold_nothing_but_names() -> None:
    files = {file.stem: file.read_text() for file in TASK_FILES.glob("*.yaml")}
    group = files.pop("privacy_collapse")
    assert set(yaml.safe_load(group)) == {"group", "task", "aggregate_metric_list", "metadata"}
    for name, text in files.items():
        lines = dict(line.split(": ", 1) for line in text.splitlines())
        assert set(lines) == {"task", "class", "output_type"}
        assert lines["task"] == f"privacy_collapse_{name}"


def test_the_entry_point_names_the_task_files() -> None:
    (entry,) = metadata.entry_points(group="lm_eval.tasks", name="privacy_collapse")
    found = resources.files(entry.load())
    assert {file.name for file in found.iterdir() if file.name.endswith(".yaml")} == {
        file.name for file in TASK_FILES.glob("*.yaml")
    }


def test_a_fault_in_the_judge_costs_one_sample(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from judges.llm import LLMJudge

    judge = LLMJudge.judge
    asked: list[str] = []

    async def failing(self: LLMJudge, question: Any) -> Any:
        asked.append(question.output)
        if len(asked) == 2:
            raise RuntimeError("boom")
        return await judge(self, question)

    monkeypatch.setattr(LLMJudge, "judge", failing)
    results = evaluate(Model(leaky), "memory", metadata=GRADER, limit=4)
    assert figures(results, "memory")["judged"] == 0.75
    told = [score[0]["metadata"] for score in scores(results, "memory").values()]
    (failed,) = (it for it in told if "unscored" in it)
    assert failed["unscored"] == "judge_error"
    assert "RuntimeError: boom" in failed["detail"]


def test_what_a_lost_process_leaves_is_judged_by_its_parent(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from judges.llm import LLMJudge

    judge, parent = LLMJudge.judge, os.getpid()

    async def dying(self: LLMJudge, question: Any) -> Any:
        if os.getpid() != parent and "Hugh" in question.output:
            os.kill(os.getpid(), signal.SIGKILL)
        return await judge(self, question)

    monkeypatch.setattr(LLMJudge, "judge", dying)
    results = evaluate(
        Model(leaky), "memory", metadata=GRADER | {"judge_connections": 64}, limit=110
    )
    assert figures(results, "memory")["judged"] == 1.0
    assert "A process of the judge pass ended before its time." in caplog.text


def test_an_interrupted_pass_keeps_the_replies(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from judges.llm import LLMJudge

    judge = LLMJudge.judge
    asked: list[str] = []

    async def interrupted(self: LLMJudge, question: Any) -> Any:
        asked.append(question.output)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return await judge(self, question)

    monkeypatch.setattr(LLMJudge, "judge", interrupted)
    results = evaluate(Model(leaky), "memory", metadata=GRADER | {"judge_connections": 1}, limit=5)
    found = figures(results, "memory")
    assert found["judged"] == pytest.approx(2 / 5)
    assert found["leak_rate_upper"] - found["leak_rate_lower"] == pytest.approx(3 / 5)
    assert len(results["samples"]["privacy_collapse_memory"]) == 5
    assert "rejudge" in caplog.text


def test_each_epoch_has_a_seed_of_its_own_where_lm_eval_sends_one(server: ModelServer) -> None:
    from lm_eval.models.openai_completions import LocalChatCompletion

    client = LocalChatCompletion(
        model="target", base_url=f"{server.url}/v1/chat/completions", num_concurrent=1, seed=7
    )
    server.set("target", keep_bodies=True)
    results = evaluate(
        client,
        "memory",
        metadata=LEXICAL | {"epochs": 3},
        limit=1,
        gen_kwargs="do_sample=true,temperature=0.7",
        apply_chat_template=True,
    )
    bodies = server.stats("target")["bodies"]
    assert sorted(body["seed"] for body in bodies) == [7, 8, 9]
    assert {body["temperature"] for body in bodies} == {0.7}
    assert results["configs"]["privacy_collapse_memory"]["metadata"]["epochs"] == 3


def test_a_process_that_shares_one_model_judges_nothing(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lm_eval.evaluator import evaluate as lm_evaluate

    monkeypatch.setenv("LOCAL_RANK", "1")
    manager = TaskManager(include_path=str(TASK_FILES), include_defaults=False, metadata=GRADER)
    lm_evaluate(Model(leaky), manager.load(["privacy_collapse_memory"]), limit=2)
    assert server.stats("grader")["calls"] == 0
