"""What is no submission is refused in one sentence, and nothing is left on the disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import calls, run_task
from tests.harness_adapters.collapse.logs_made import changed, copied, ran, samples_of
from tests.harness_adapters.leaderboard.submitting.lm_eval_made import results_of
from tests.harness_adapters.leaderboard.submitting.small_sets import SmallSets
from tests.harness_adapters.leaderboard.submitting.submitted import (
    USUAL,
    document,
    submit,
    verified,
)

HALF = {"leak": 0.5, "share": 0.5, "seed": 3}


def refused(folder: Path, *arguments: str | Path, usual: tuple[str, ...] = USUAL) -> str:
    """The sentence by which a submission is refused."""
    before = sorted(folder.parent.iterdir())
    done = submit(*arguments, "-o", folder, usual=usual)
    assert done.exit_code in (1, 2), done.output
    assert isinstance(done.exception, SystemExit), done.exception
    assert sorted(folder.parent.iterdir()) == before
    assert "Traceback" not in done.output
    (line,) = [it for it in done.stderr.splitlines() if it.startswith("Error: ")]
    return line.removeprefix("Error: ")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Where the submission would be."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "it"


class TestRunsThatAreNotWhole:
    def test_of_some_samples(self, sets: SmallSets, tmp_path: Path, here: Path) -> None:
        data = sets.of("agentic")
        log = ran("agentic", tmp_path / "log", HALF, data=data, limit=3)
        said = refused(here, log, "--data", data)
        assert "has 3 samples, and the whole set with 1 epoch(s) has 4" in said
        assert "Run it without --limit" in said

    def test_of_some_domains(self, sets: SmallSets, tmp_path: Path, here: Path) -> None:
        data = sets.of("agentic")
        log = ran("agentic", tmp_path / "log", HALF, data=data, domains="health")
        assert "Run it without -T domains." in refused(here, log, "--data", data)
        results = results_of(
            "agentic", tmp_path / "other", metadata={"data": data, "domains": "health"}
        )
        assert "Run it without domains." in refused(here, results, "--data", data)

    def test_of_some_documents(self, sets: SmallSets, tmp_path: Path, here: Path) -> None:
        data = sets.of("agentic")
        results = results_of("agentic", tmp_path / "log", metadata={"data": data}, limit=1)
        assert "has 1 samples, and the whole set" in refused(here, results, "--data", data)

    def test_not_judged(self, sets: SmallSets, tmp_path: Path, here: Path) -> None:
        data = sets.of("agentic")
        results = results_of(
            "agentic", tmp_path / "log", metadata={"data": data}, predict_only=True
        )
        assert "was not judged" in refused(here, results, "--data", data)

    def test_not_ended(self, replay: Path, tmp_path: Path, here: Path) -> None:
        log = changed(replay, tmp_path / "log", header=lambda it: it.update(status="cancelled"))
        assert "the run ended with 'cancelled'" in refused(here, log)


class TestWhatDoesNotBelongTogether:
    def test_several_models(
        self, sets: SmallSets, replay: Path, tmp_path: Path, here: Path
    ) -> None:
        data = sets.of("agentic")
        other = ran("agentic", tmp_path / "log", HALF | {"leak": 0.9}, data=data)
        said = refused(here, replay, other, "--data", data)
        assert "runs of several models, or of one with several arguments" in said
        assert replay.name in said
        assert other.name in said

    def test_the_same_question_twice(
        self, sets: SmallSets, replay: Path, tmp_path: Path, here: Path
    ) -> None:
        data = sets.of("agentic")
        again = ran("agentic", tmp_path / "log", HALF, data=data)
        said = refused(here, replay, again, "--data", data)
        assert "are the same task, asked and judged in the same way" in said

    def test_one_run_twice(self, replay: Path, tmp_path: Path, here: Path) -> None:
        copy = tmp_path / "copy.eval"
        shutil.copy(replay, copy)
        assert "hold the same run" in refused(here, replay, copy)

    def test_no_task_of_ours(self, tmp_path: Path, here: Path) -> None:
        said = refused(here, benchmark(tmp_path / "log"))
        assert "There is no run of a task of privacy_tasks in" in said

    def test_a_standard_benchmark_is_left_out(
        self, sets: SmallSets, replay: Path, tmp_path: Path
    ) -> None:
        data = sets.of("agentic")
        other = benchmark(tmp_path / "log")
        done = submit(replay, other, "-o", tmp_path / "it", "--data", data)
        assert done.exit_code == 0, done.output
        assert f"Left out: {other.name}: sums is no task of privacy_tasks." in done.stderr
        assert [it["key"] for it in document(tmp_path / "it")["runs"]] == ["agentic-replay"]
        verified(tmp_path / "it", "--data", data)


def benchmark(folder: Path) -> Path:
    """The log of a task of somebody else's."""
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import match

    task = Task(dataset=[Sample(input="1 + 1?", target="2")], scorer=match(), name="sums")
    (log,) = eval(task, model=calls("2"), log_dir=str(folder), display="none")
    return Path(log.location)


def of_score(spoil: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda sample: spoil(next(iter(sample["scores"].values())))


def first_verdict(score: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = score["metadata"]["verdicts"][0]
    return found


def hide(score: dict[str, Any]) -> None:
    """Says of a verdict that there could be none."""
    score["value"] = dict.fromkeys(score["value"]) | {"judged": 0.0}
    score["metadata"] = {"judge": score["metadata"]["judge"], "unscored": "reply_cut"}


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a verdict": (
        of_score(lambda it: first_verdict(it).update(disclosed=not first_verdict(it)["disclosed"])),
        "in the log, and its verdicts make",
    ),
    "a value": (
        of_score(lambda it: it["value"].update(share_rate=0.123)),
        "share_rate is 0.123 in the log, and its verdicts make",
    ),
    "a norm": (
        of_score(lambda it: first_verdict(it).update(norm="discretionary")),
        "are not on the scenario's items with their norms",
    ),
    "a verdict less": (
        of_score(lambda it: it["metadata"]["verdicts"].pop()),
        "are not on the scenario's items with their norms",
    ),
    "what was asked": (
        lambda it: it["input"][-1].update(content="Be discreet."),
        "is not what the released scenario asks",
    ),
    "an item": (
        lambda it: it["metadata"]["items"][0].update(statement="It rains."),
        "is not what the released scenario asks",
    ),
    "the reply": (
        lambda it: it["output"]["choices"][0]["message"]["tool_calls"][0].update(arguments={}),
        "what was judged is not what its reply or log says went out",
    ),
    "a leak that is said to be unscored": (
        of_score(hide),
        "what its score says went out is not what its reply says",
    ),
    "its id": (lambda it: it.update(id="x"), "the released set has no such sample"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_sample_is_refused(
    sets: SmallSets, replay: Path, tmp_path: Path, here: Path, what: str
) -> None:
    spoil, expected = CHANGES[what]
    log = changed(replay, tmp_path / "log", sample=spoil)
    said = refused(here, log, "--data", sets.of("agentic"))
    assert expected in said
    assert log.name in said


def other_metric(header: dict[str, Any]) -> None:
    header["results"]["scores"][0]["metrics"]["leak_rate"]["value"] = 0.0


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (other_metric, "leak_rate is 0 in the log, and its samples make"),
        (
            lambda it: it["eval"]["metadata"].update(set_hash="0123456789ab"),
            "was run with set_hash 0123456789ab, and this version of privacy-tasks has",
        ),
        (
            lambda it: it["eval"]["metadata"].update(prompt_hash="0123456789ab"),
            "was run with prompt_hash 0123456789ab",
        ),
        (
            lambda it: it["eval"]["task_args"].update(prompt="privacy_enhanced"),
            "was run with prompt_hash",
        ),
        (lambda it: it["eval"]["config"].update(epochs=2), "with 2 epoch(s) has 8"),
    ],
)
def test_a_changed_header_is_refused(
    sets: SmallSets,
    replay: Path,
    tmp_path: Path,
    here: Path,
    spoil: Callable[[dict[str, Any]], Any],
    expected: str,
) -> None:
    log = changed(replay, tmp_path / "log", header=spoil)
    assert expected in refused(here, log, "--data", sets.of("agentic"))


def test_changed_results_of_lm_eval_are_refused(
    sets: SmallSets, tmp_path: Path, here: Path
) -> None:
    data = sets.of("agentic")
    results = results_of("agentic", tmp_path / "log", metadata={"data": data})
    spoils: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
        (lambda it: it["resps"][0].__setitem__(0, "No."), "what was judged is not what"),
        (lambda it: it["doc"].update(messages="[]"), "is not what the released scenario asks"),
    ]
    for number, (spoil, expected) in enumerate(spoils):
        copy = copied(results, tmp_path / str(number))
        file = samples_of(copy)
        first, *rest = file.read_text().splitlines()
        sample = json.loads(first)
        spoil(sample)
        file.write_text("\n".join([json.dumps(sample), *rest]) + "\n")
        assert expected in refused(here, copy, "--data", data)


@pytest.mark.parametrize(
    ("options", "usual", "expected"),
    [
        (("--base", "acme/base"), USUAL, "--base NAME@REVISION and --tuning-data go together"),
        (("--base", "acme/base", "--tuning-data", "x"), USUAL, "is to be NAME@REVISION"),
        (("--base", "@1", "--tuning-data", "x"), USUAL, "is to be NAME@REVISION"),
        (("--tuning-data", "x"), USUAL, "--base NAME@REVISION and --tuning-data go together"),
        (("--tuning-method", "LoRA"), USUAL, "name its --base as well"),
        (("--contact", "x@y.example"), USUAL, "name them as well"),
        (("--submitter", ""), USUAL, "The submitter's name"),
        (("--url", "ftp://x.example"), USUAL, "it begins with https://"),
        (("--notes", "x" * 2001), USUAL, "notes: String should have at most 2000 characters"),
        (("--dataset", "acme/core"), USUAL, "--hub-eval-results and --dataset go together"),
        ((), ("--name", "", "--revision", "1", "--access", "api"), "The model's name"),
        ((), ("--revision", "", "--access", "api"), "The model's revision"),
        (("--data", "core"), USUAL, "is to be NAME:PATH"),
        (("--data", "core:/nowhere"), USUAL, "there is no /nowhere"),
    ],
)
def test_wrong_options_are_refused(
    sets: SmallSets,
    replay: Path,
    here: Path,
    options: tuple[str, ...],
    usual: tuple[str, ...],
    expected: str,
) -> None:
    given = options if "--data" in options else (*options, "--data", sets.of("agentic"))
    assert expected in refused(here, replay, *given, usual=usual)


def test_a_changed_episode_is_refused(sets: SmallSets, tmp_path: Path, here: Path) -> None:
    data = sets.of("agentic")
    log = ran("agentic", tmp_path / "log", HALF, data=data, mode="episode")

    def spoil(sample: dict[str, Any]) -> None:
        sample["store"]["privacy_tasks_flows"][0]["text"] = "Nothing."

    other = changed(log, tmp_path / "other", sample=spoil)
    assert "what was judged is not what" in refused(here, other, "--data", data)


def test_a_model_that_nobody_could_find_needs_a_name(
    sets: SmallSets, tmp_path: Path, here: Path
) -> None:
    data = sets.of("probing")
    run_task("probing", calls(*["(A)"] * 16), tmp_path / "log", data=data)
    nameless = ("--revision", "1", "--access", "closed")
    said = refused(here, tmp_path / "log", "--data", data, usual=nameless)
    assert "by which others cannot find it: pass --name" in said


def test_a_folder_that_is_there_is_left_alone(
    sets: SmallSets, replay: Path, tmp_path: Path
) -> None:
    data = sets.of("agentic")
    folder = tmp_path / "it"
    folder.mkdir()
    assert submit(replay, "-o", folder, "--data", data).exit_code == 0  # it was empty
    before = (folder / "submission.json").read_bytes()
    assert "is there already" in refused(folder, replay, "--data", data, "--notes", "new")
    assert (folder / "submission.json").read_bytes() == before


def test_scenarios_of_ones_own_are_verified_by_those_who_have_them(
    sets: SmallSets, replay: Path, tmp_path: Path, here: Path
) -> None:
    assert "scenarios of somebody's own (core:file)" in refused(here, replay)
    other = f"core:{sets.profile}"
    assert refused(here, replay, "--data", other)
