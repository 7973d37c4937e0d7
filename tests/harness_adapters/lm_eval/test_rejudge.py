"""Judging the samples of a run again, and files that nobody can have written so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lm_eval.loggers import EvaluationTracker

from harness_adapters.cli import main
from harness_adapters.errors import LogError
from harness_adapters.judge_choice import JudgeSpec
from harness_adapters.lm_eval.rejudge import find_results, rejudge
from harness_adapters.runs.lm_eval_results import read_runs_of
from tests.conftest import ModelServer, command
from tests.harness_adapters.lm_eval.harness import Model, evaluate
from tests.harness_adapters.lm_eval.test_tasks import leaky

LEXICAL = JudgeSpec(model=None)
TASKS = ("agentic", "memory", "probing")


def written(results: dict[str, Any], folder: Path) -> Path:
    """The results and samples of a run, as the lm_eval command writes them."""
    tracker = EvaluationTracker(output_path=str(folder))
    tracker.general_config_tracker.model_name_sanitized = "model"
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    for task in results["configs"]:
        tracker.save_results_samples(task_name=task, samples=samples[task])
    (file,) = folder.rglob("results_*.json")
    return file


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was judged, of two epochs of the memory task and one of the others."""
    results = evaluate(
        Model(leaky, lambda request: -float(len(request.args[0]) % 7 + request.idx)),
        "",
        "probing_logprob",
        metadata={"judge": "lexical", "memory.epochs": 2},
        limit=6,
        gen_kwargs="do_sample=true,temperature=1",
    )
    return written(results, tmp_path_factory.mktemp("judged"))


@pytest.fixture
def run(judged: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    shutil.copytree(judged.parent, tmp_path / "run")
    return tmp_path / "run" / judged.name


def test_the_same_judge_says_the_same(run: Path) -> None:
    new = rejudge(run, LEXICAL, 4)
    assert new.parent == run.parent
    old, again = (json.loads(file.read_text()) for file in (run, new))
    assert again["rejudged_from"] == run.name
    for name, figures in old["results"].items():
        kept = {key: it for key, it in figures.items() if "_stderr_stderr" not in key}
        kept.pop("sample_count", None)
        assert repr(again["results"][name]) == repr(
            {key: kept[key] for key in again["results"][name]}
        ), name
        assert set(again["results"][name]) == set(kept), name
    assert again["configs"] == old["configs"]
    assert again["higher_is_better"] == old["higher_is_better"]
    assert again["groups"]["privacy_collapse"]["leak_rate,none"] == 1.0
    for task in TASKS:
        (before, after) = sorted(run.parent.glob(f"samples_privacy_collapse_{task}_2*.jsonl"))
        assert before.read_text() == after.read_text()


def test_another_judge_gets_another_file_that_results_can_read(
    run: Path, server: ModelServer
) -> None:
    new = rejudge(run, JudgeSpec(model="openai-api/openai/grader"), 4, run.parent / "by-grader")
    assert server.stats("grader")["calls"] == 6 + 2 * 6
    runs = {it.task: it for it in read_runs_of(new, leaks=1)}
    memory = runs["privacy_collapse_memory"]
    assert memory.judge.startswith("llm/openai-api/openai/grader/")
    assert memory.epochs == 2
    assert memory.samples == 12
    assert memory.leaks
    assert runs["privacy_collapse_probing"].judge == "none: the answers are read"
    shown = command("privacy-tasks", "results", new.parent, cwd=run.parent)
    assert shown.returncode == 0, shown.stderr
    assert "Judge: llm/openai-api/openai/grader/" in shown.stdout


def test_a_folder_with_one_run_is_enough_to_name_it(run: Path) -> None:
    assert find_results(run.parent.parent) == run
    rejudge(run, LEXICAL, 4)
    assert find_results(run.parent) == run  # what was judged again is not judged anew
    shutil.copy(run, run.with_name("results_2030-01-01.json"))
    with pytest.raises(LogError, match="several runs"):
        find_results(run.parent)
    with pytest.raises(LogError, match="no results of tasks"):
        find_results(Path(__file__).parent)


Spoil = Callable[[dict[str, Any]], Any]


def in_results(run: Path, spoil: Spoil) -> None:
    content = json.loads(run.read_text())
    spoil(content)
    run.write_text(json.dumps(content))


def in_sample(run: Path, spoil: Spoil, task: str = "memory") -> None:
    (file,) = run.parent.glob(f"samples_privacy_collapse_{task}_*.jsonl")
    first, *others = file.read_text().split("\n")
    sample = json.loads(first)
    spoil(sample)
    file.write_text("\n".join([json.dumps(sample), *others]))


def of_doc(spoil: Spoil) -> Spoil:
    def spoiled(sample: dict[str, Any]) -> None:
        metadata = json.loads(sample["doc"]["metadata"])
        spoil(metadata)
        sample["doc"]["metadata"] = json.dumps(metadata)

    return spoiled


MEMORY = "privacy_collapse_memory"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda it: it["configs"][MEMORY]["metadata"].pop("epochs"), "epochs"),
        (lambda it: it["configs"][MEMORY]["metadata"].update(epochs=0), "epochs"),
        (lambda it: it["configs"][MEMORY]["metadata"].update(epochs="2"), "epochs"),
        (lambda it: it["configs"][MEMORY]["metadata"].update(epochs=3), "3 replies"),
        (lambda it: it["configs"][MEMORY]["metadata"].update(set_hash="0"), "results are of"),
        (lambda it: it["configs"][MEMORY]["metadata"].update(ci95={"judged": [0.1]}), "ci95"),
        (lambda it: it["configs"][MEMORY].update(metadata=None), "valid dictionary"),
        (lambda it: it["configs"].update({MEMORY: []}), "valid dictionary"),
        (lambda it: it["n-samples"][MEMORY].update(effective=5), "run on 5 samples"),
        (lambda it: it["configs"].update({"privacy_collapse_../x": {}}), "no name of a task"),
        (lambda it: it["configs"].update({"privacy_collapse_new": it["configs"][MEMORY]}),
         "no samples of privacy_collapse_new"),
        (lambda it: it.update(configs={"hellaswag": {}}), "no task of privacy_tasks"),
        (lambda it: it.pop("configs"), "no results file"),
    ],
)  # fmt: skip
def test_results_that_nobody_wrote_so_are_refused(run: Path, spoil: Spoil, said: str) -> None:
    in_results(run, spoil)
    with pytest.raises(LogError, match=said):
        rejudge(run, LEXICAL, 4)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda it: it.update(resps=["hello"]), "resps"),
        (lambda it: it.update(resps=[["hello"]]), "2 replies"),
        (lambda it: it.update(resps=[["hello"], [None]]), "2 replies"),
        (lambda it: it.update(resps=[["hello"], []]), "2 replies"),
        (lambda it: it.update(resps=[]), "resps"),
        (lambda it: it.pop("resps"), "resps"),
        (lambda it: it.pop("arguments"), "arguments"),
        (lambda it: it.update(arguments={}), "2 replies"),
        (lambda it: it.update(doc_id="first"), "doc_id"),
        (lambda it: it.update(filtered_resps=["{}"]), "filtered_resps"),
        (lambda it: it.update(filtered_resps=["no JSON"]), "filtered_resps"),
        (lambda it: it["doc"].update(set_hash="0"), "results are of"),
        (lambda it: it["doc"].pop("messages"), "messages"),
        (lambda it: it["doc"].update(metadata="no JSON"), "metadata"),
        (of_doc(lambda it: it.update(kind="action")), "no sample of this task"),
        (of_doc(lambda it: it.pop("cluster")), "cluster"),
        (of_doc(lambda it: it.pop("items")), "items"),
        (of_doc(lambda it: it["items"][0].pop("norm")), "items"),
    ],
)
def test_samples_that_nobody_wrote_so_are_refused(run: Path, spoil: Spoil, said: str) -> None:
    in_sample(run, spoil)
    with pytest.raises(LogError, match=said):
        rejudge(run, LEXICAL, 4)


def test_likelihoods_have_to_be_numbers(run: Path) -> None:
    in_sample(run, lambda it: it.update(resps=[[["-1", "False"]], [["high", "False"]]]),
              "probing_logprob")  # fmt: skip
    with pytest.raises(LogError, match="2 replies"):
        rejudge(run, LEXICAL, 4)


def test_a_samples_file_with_lines_missing_or_twice_is_refused(run: Path) -> None:
    (file,) = run.parent.glob("samples_privacy_collapse_agentic_*.jsonl")
    lines = file.read_text().rstrip("\n").split("\n")
    file.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(LogError, match="run on 6 samples, and its samples file has 5"):
        rejudge(run, LEXICAL, 4)
    file.write_text("\n".join([*lines[:-1], lines[0]]) + "\n")
    with pytest.raises(LogError, match="more than once"):
        rejudge(run, LEXICAL, 4)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(LogError, match="cannot be read"):
        rejudge(run, LEXICAL, 4)
    with pytest.raises(LogError, match="cannot be read"):
        find_results(run.parent)


def test_a_run_without_samples_is_refused(run: Path) -> None:
    (file,) = run.parent.glob("samples_privacy_collapse_agentic_*.jsonl")
    file.unlink()
    with pytest.raises(LogError, match="--log_samples"):
        rejudge(run, LEXICAL, 4)


def test_results_without_samples_say_why_there_are_no_leaks(run: Path) -> None:
    for file in run.parent.glob("samples_*"):
        file.unlink()
    shown = CliRunner().invoke(main, ["results", str(run)])
    assert shown.exit_code == 0, shown.stderr
    assert "run lm_eval with --log_samples" in " ".join(shown.stdout.split())
    assert "limit=6" in shown.stdout
    assert "chat_template=no" in shown.stdout


def test_line_separators_in_a_reply_are_no_lines(run: Path) -> None:
    in_sample(run, lambda it: it.update(resps=[["one\u2028two\x85three"], ["\x0b\x1c"]]))
    text = next(run.parent.glob("samples_privacy_collapse_memory_*.jsonl"))
    raw = [json.loads(line) for line in text.read_text().rstrip("\n").split("\n")]
    text.write_text("".join(json.dumps(it, ensure_ascii=False) + "\n" for it in raw))
    new = rejudge(run, LEXICAL, 4)
    (memory,) = (it for it in read_runs_of(new) if it.task == MEMORY)
    assert memory.samples == 12
