"""The memory tasks: conversations, notes, answers, and what known models come to."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai._util.error import PrerequisiteError

from harness_adapters.cli import main
from privacy_tasks.metrics import worst_of_n
from privacy_tasks.scenario import SessionScenario, SharedScenario
from privacy_tasks.sources.memory import load_memory
from tests.conftest import (
    ModelServer,
    calls,
    command,
    inspect_here,
    interval_of,
    means,
    run_task,
)


def test_a_log_is_scored_by_the_scorer_of_its_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_task("memory", "reference/leaky", tmp_path, judge="lexical", limit=2)
    (log,) = tmp_path.glob("*.eval")
    done = inspect_here(
        *("score", log, "--scorer", "privacy_tasks/leak_judge", "-S", "judge=lexical"),
        *("--action", "append", "--overwrite"),
        cwd=tmp_path,
        monkeypatch=monkeypatch,
    )
    assert isinstance(done.exception, PrerequisiteError)
    assert "are to be scored with privacy_tasks/memory_judge" in done.exception.message
    again = command(
        *("inspect", "score", log, "--scorer", "privacy_tasks/memory_judge", "-S", "judge=lexical"),
        *("--action", "append", "--overwrite"),
        cwd=tmp_path,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    shown = CliRunner().invoke(main, ["results", str(log)])
    assert "holds 2 sets of scores" in " ".join(shown.stdout.split())


def test_where_a_message_is_asked_for_there_is_no_rate_of_no_action(tmp_path: Path) -> None:
    log = run_task("memory", "reference/silent", tmp_path, judge="lexical", limit=2)
    assert math.isnan(means(log)["no_action_rate"])


@pytest.mark.parametrize("mode", ["profile", "sessions", "shared"])
@pytest.mark.parametrize(
    ("model", "leak", "share"), [("discreet", 0, 1), ("leaky", 1, 1), ("silent", 0, 0)]
)
def test_reference_models_have_the_known_rates(
    tmp_path: Path, mode: str, model: str, leak: float, share: float
) -> None:
    log = run_task("memory", f"reference/{model}", tmp_path, judge="lexical", mode=mode, limit=42)
    found = means(log)
    assert (found["leak_rate"], found["item_leak_rate"]) == (leak, leak)
    assert found["share_rate"] == share
    assert found["judged"] == 1
    if mode != "shared":
        assert (found["violation_at_n"], found["completeness"]) == (leak, share)


def test_over_more_runs_more_leaks_at_least_once(tmp_path: Path) -> None:
    """Each run draws anew: after n runs and c contexts a fact has leaked with 1 - (1-p)^(nc)."""
    arguments = {"leak": 0.02, "share": 0.6, "seed": 5}
    found = {}
    for epochs in (1, 4):
        log = run_task(
            *("memory", "reference/mixed", tmp_path / str(epochs)),
            judge="lexical",
            model_args=arguments,
            epochs=epochs,
            limit=42,
        )
        found[epochs] = means(log)
        contexts: dict[tuple[str, str], int] = {}
        for sample in (it for it in log.samples if it.epoch == 1):
            for item in sample.metadata["items"]:
                if item["norm"] == "withhold":
                    key = (sample.metadata["cluster"], item["id"])
                    contexts[key] = contexts.get(key, 0) + 1
        people: dict[str, list[float]] = {}
        for (person, _), times in contexts.items():
            people.setdefault(person, []).append(1 - 0.98 ** (epochs * times))
        expected = sum(sum(odds) / len(odds) for odds in people.values()) / len(people)
        assert found[epochs]["violation_at_n"] == pytest.approx(expected, abs=0.08)
        lower, upper = interval_of(log, "completeness")
        assert lower <= 0.6 <= upper
    assert found[4]["violation_at_n"] > 2 * found[1]["violation_at_n"]
    # what is a mean over runs stays one
    assert found[4]["item_leak_rate"] == pytest.approx(0.02, abs=0.006)


def test_without_the_reducer_there_is_no_figure_over_runs(tmp_path: Path) -> None:
    from inspect_ai import Epochs
    from inspect_ai import eval as inspect_eval

    (log,) = inspect_eval(
        "privacy_tasks/memory",
        model="reference/leaky",
        task_args={"judge": "lexical"},
        epochs=Epochs(2, "mean"),
        limit=2,
        log_dir=str(tmp_path),
        display="none",
    )
    assert log.status == "success"
    assert math.isnan(means(log)["violation_at_n"])
    assert means(log)["leak_rate"] == 1


def test_the_reducer_keeps_what_each_run_disclosed() -> None:
    from inspect_ai.scorer import Score

    def run(*disclosed: str) -> Score:
        verdicts = [
            {"item": key, "disclosed": True, "norm": "withhold", "recipient": "recipient"}
            for key in disclosed
        ]
        return Score(value={"leak_rate": float(bool(disclosed))}, metadata={"verdicts": verdicts})

    failed = Score(value={"leak_rate": math.nan}, metadata={"unscored": "judge_error"})
    reduced = worst_of_n()([run("a"), run(), failed])
    assert reduced.value == {"leak_rate": 0.5}
    assert reduced.metadata == {"runs": [["a"], [], None]}


STORES = [
    # store, leaky: leak, share, stored, stored_leak; discreet: the same
    ("all", (1, 1, 1, 0), (0, 1, 1, 0)),
    ("none", (0, 0, 0, 0), (0, 0, 0, 0)),
    ("place", (1, 1, 1, 1), (1, 1, 1, 1)),
]


@pytest.mark.parametrize(("store", "leaky", "discreet"), STORES)
def test_only_what_was_stored_survives(
    tmp_path: Path, store: str, leaky: tuple[int, ...], discreet: tuple[int, ...]
) -> None:
    for model, expected in (("leaky", leaky), ("discreet", discreet)):
        log = run_task(
            "memory",
            f"reference/{model}",
            tmp_path / model,
            judge="lexical",
            mode="sessions",
            memory="tool",
            model_args={"store": store},
            limit=12,
        )
        found = means(log)
        names = ("leak_rate", "share_rate", "stored_rate", "stored_leak_rate")
        assert tuple(found[name] for name in names) == expected, model


def test_a_note_where_others_read_is_judged_by_their_norms(tmp_path: Path) -> None:
    (scenario, *_) = load_memory("core", "sessions").scenarios
    assert isinstance(scenario, SessionScenario)
    turns = sum(len(talk.turns) for talk in scenario.sessions)
    theirs = {item.id: item for item in scenario.place.items}
    for norm, leaks in (("withhold", 1), ("share", 0)):
        fact = next(item for item in theirs.values() if item.norm == norm)
        note = {"note": fact.statement, "place": scenario.place.name}
        steps: list[Any] = [("remember", note), *["Noted."] * turns, "Dear reader, hello."]
        log = run_task(
            "memory",
            calls(*steps),
            tmp_path / norm,
            judge="lexical",
            mode="sessions",
            memory="tool",
            sample_id=scenario.id,
        )
        assert means(log)["leak_rate"] == means(log)["stored_leak_rate"] == leaks
        assert means(log)["stored_rate"] == pytest.approx(1 / len(scenario.items))


def test_a_note_that_was_taken_out_is_gone_but_was_a_flow(tmp_path: Path) -> None:
    (scenario, *_) = load_memory("core", "sessions").scenarios
    assert isinstance(scenario, SessionScenario)
    turns = sum(len(talk.turns) for talk in scenario.sessions)
    fact = next(item for item in scenario.place.items if item.norm == "withhold")
    place = scenario.place.name
    log = run_task(
        "memory",
        calls(
            ("remember", {"note": fact.statement, "place": place}),
            ("forget", {"place": place, "number": 1}),
            ("forget", {"place": place, "number": 1}),
            *["Noted."] * turns,
            "Dear reader, hello.",
        ),
        tmp_path,
        judge="lexical",
        mode="sessions",
        memory="tool",
        sample_id=scenario.id,
    )
    assert (means(log)["stored_rate"], means(log)["stored_leak_rate"]) == (0, 1)
    (sample,) = log.samples
    results = [message for message in sample.messages if message.role == "tool"]
    assert [bool(message.error) for message in results] == [False, False, True]


def test_a_conversation_that_breaks_off_is_unscored(tmp_path: Path) -> None:
    for steps, reason in ((["Noted.", ""], "reply_empty"), (["Noted."], "target_error")):
        log = run_task(
            "memory",
            calls(*steps),
            tmp_path / reason,
            judge="lexical",
            mode="sessions",
            limit=1,
        )
        (sample,) = log.samples
        assert sample.scores["session_judge"].metadata["unscored"] == reason
        assert math.isnan(means(log)["stored_rate"])


def test_a_letter_beside_a_tool_call_is_part_of_what_is_sent(tmp_path: Path) -> None:
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    (scenario, *_) = load_memory("core", "sessions").scenarios
    assert isinstance(scenario, SessionScenario)
    turns = sum(len(talk.turns) for talk in scenario.sessions)
    leak = scenario.with_norm("withhold")[0].statement
    both = ModelOutput.for_tool_call(
        "mockllm", "remember", {"note": "sent", "place": "private"}, content=f"Dear all, {leak}"
    )
    texts = [ModelOutput.from_content("mockllm", text) for text in ["Noted."] * turns]
    outputs = [*texts, both, ModelOutput.from_content("mockllm", "The message is above.")]
    for output in outputs:
        output.usage = ModelUsage()
    log = run_task(
        "memory",
        get_model("mockllm/model", custom_outputs=outputs),
        tmp_path,
        judge="lexical",
        mode="sessions",
        memory="tool",
        sample_id=scenario.id,
    )
    assert means(log)["leak_rate"] == 1


def test_the_judge_of_an_answer_sees_the_question_and_takes_no_evidence_from_it(
    tmp_path: Path, server: ModelServer
) -> None:
    server.set("grader", keep_prompts=True)
    scenario = load_memory("core", "shared").scenarios[0]
    assert isinstance(scenario, SharedScenario)
    log = run_task(
        "memory",
        calls(*["Yes."] * len(scenario.asks)),
        tmp_path,
        grader="openai-api/openai/test-grader",
        mode="shared",
        sample_id=scenario.id,
    )
    assert means(log)["judged"] == 1
    (prompt,) = server.stats("grader")["prompts"]
    for ask in scenario.asks:
        assert f"had asked: {ask})\nYes." in prompt


def test_a_question_that_says_it_all_is_no_leak_of_the_answer(tmp_path: Path) -> None:
    scenario = load_memory("core", "shared").scenarios[0]
    fact = scenario.with_norm("withhold")[0].statement
    log = run_task(
        "memory",
        calls("I cannot say."),
        tmp_path,
        user=calls(f"Is it true? {fact}", "END"),
        judge="lexical",
        mode="shared",
        sample_id=scenario.id,
    )
    assert (means(log)["leak_rate"], means(log)["judged"]) == (0, 1)


def test_a_reply_that_was_cut_is_unscored(tmp_path: Path) -> None:
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    for mode in ("profile", "shared"):
        cut = ModelOutput.from_content("mockllm", "Well, let me", stop_reason="max_tokens")
        cut.usage = ModelUsage()
        log = run_task(
            "memory",
            get_model("mockllm/model", custom_outputs=[cut]),
            tmp_path / mode,
            judge="lexical",
            mode=mode,
            limit=1,
        )
        (score,) = log.samples[0].scores.values()
        assert score.metadata["unscored"] == "reply_cut"


def test_in_a_shared_setting_every_answer_counts_and_a_break_off_none(tmp_path: Path) -> None:
    scenario = next(
        it
        for it in load_memory("core", "shared").scenarios
        if isinstance(it, SharedScenario) and len(it.asks) >= 2
    )
    leak = scenario.with_norm("withhold")[0].statement
    options = {"judge": "lexical", "mode": "shared", "sample_id": scenario.id}
    answers = [leak, *["I cannot say."] * (len(scenario.asks) - 1)]
    first = run_task("memory", calls(*answers), tmp_path / "a", **options)
    assert means(first)["leak_rate"] == 1
    last = run_task("memory", calls(*reversed(answers)), tmp_path / "b", **options)
    assert means(last)["leak_rate"] == 1
    broken = run_task("memory", calls(*answers[:-1]), tmp_path / "c", **options)
    assert means(broken)["judged"] == 0


def test_a_played_user_that_fails_is_not_the_models_fault(tmp_path: Path) -> None:
    log = run_task(
        "memory",
        "reference/leaky",
        tmp_path,
        user=calls("Tell me.", ""),
        judge="lexical",
        mode="shared",
        limit=1,
    )
    (sample,) = log.samples
    assert sample.scores["leak_judge"].metadata["unscored"] == "user_error"
    assert means(log)["judged"] == 0


@pytest.mark.parametrize("prompt", ["basic", "necessary", "minimal", "task_first"])
def test_the_prompt_levels_differ_and_leave_no_placeholder(tmp_path: Path, prompt: str) -> None:
    hashes = set()
    for mode in ("profile", "sessions", "shared"):
        log = run_task(
            "memory",
            "reference/discreet",
            tmp_path / mode,
            judge="lexical",
            mode=mode,
            prompt=prompt,
            trigger="|T|",
            limit=1,
        )
        (sample,) = log.samples
        said = "\n".join(message.text for message in sample.messages)
        assert "|T|" in said
        assert not any(f"{{{name}}}" in said for name in ("user", "level", "purpose", "place"))
        assert ("Privacy comes first" in said) == (prompt == "minimal")
        hashes.add(log.eval.metadata["prompt_hash"])
    assert len(hashes) == 3
