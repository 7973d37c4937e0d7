"""`privacy-tasks compare` on logs of real runs, of both harnesses, beside standard benchmarks."""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result
from inspect_ai.log import read_eval_log

from harness_adapters.cli import main
from harness_adapters.cli.compare import _gathered
from harness_adapters.collapse import paired
from tests.conftest import ModelServer, command
from tests.harness_adapters.collapse.logs_made import (
    CAREFUL,
    LOOSE,
    changed,
    copied,
    json_in,
    ran,
    ran_in_lm_eval,
    samples_of,
    written,
)
from tests.harness_adapters.lm_eval.harness import ChatModel
from tests.standard_benchmarks import agentharm, commonsense_qa, lm_eval_questions
from tests.standard_benchmarks.inspect_runs import run_inspect_evals

LIMIT = 24


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No interval's ends are looked at; and statsmodels collects garbage in each comparison."""
    monkeypatch.setattr(paired, "RESAMPLES", 500)
    monkeypatch.setattr(gc, "collect", lambda *_: 0)
    paired._resamples.cache_clear()
    yield
    paired._resamples.cache_clear()


class Study(NamedTuple):
    """Folders with logs."""

    base: Path
    again: Path
    """The base model once more."""
    tuned: Path
    seed: Path
    """Another seed of the tuned one."""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("study") / "alice-secret"
    again = {**CAREFUL, "seed": 7}
    seed = {**LOOSE, "seed": 3}
    for name, args in (("base", CAREFUL), ("again", again), ("tuned", LOOSE), ("seed", seed)):
        ran("agentic", folder / name, args, limit=LIMIT, tool_format="text")
    return Study(*(folder / name for name in Study._fields))


@pytest.fixture(scope="module")
def in_lm_eval(study: Study, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same replies in lm-eval; the results file of each arm."""
    folder = tmp_path_factory.mktemp("lm_eval")
    options = {"metadata": {"judge": "lexical"}, "limit": LIMIT, "apply_chat_template": True}
    base, tuned = (
        ran_in_lm_eval(
            read_eval_log(str(only(of))), "agentic", folder / of.name, model=of.name, **options
        )
        for of in (study.base, study.tuned)
    )
    return base, tuned


def only(folder: Path) -> Path:
    (file,) = folder.glob("*.eval")
    return file


def compare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def figures(*arguments: str | Path) -> dict[str, Any]:
    """What `--json` prints, which is JSON to the letter."""
    done = compare(*arguments, "--json")
    assert done.exit_code == 0, done.output

    def never(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    found: dict[str, Any] = json.loads(done.stdout, parse_constant=never)
    return found


def refusal(*arguments: str | Path) -> str:
    """The one error, which comes before anything else."""
    done = compare(*arguments)
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    return done.stderr


def arms(study: Study) -> tuple[str | Path, ...]:
    return "--base", f"base={study.base}", "--tuned", f"tuned={study.tuned}"


# the command


def test_a_real_command_gates(study: Study, tmp_path: Path) -> None:
    gate = ("--fail-on", "collapse")
    run = ("privacy-tasks", "compare")
    collapsed = command(*run, *arms(study), *gate, cwd=tmp_path)
    assert collapsed.returncode == 2, collapsed.stderr
    assert "tuned: collapse, capability undecided" in collapsed.stdout
    (tmp_path / "broken.eval").write_bytes(only(study.base).read_bytes()[:5000])
    broken = command(*run, "--base", "broken.eval", "--tuned", study.tuned, *gate, cwd=tmp_path)
    assert broken.returncode == 1
    assert broken.stdout == ""
    assert broken.stderr.startswith("Error: broken.eval ")
    assert broken.stderr.count("\n") == 1


def test_exit_codes(study: Study) -> None:
    fine = "--base", f"base={study.base}", "--tuned", f"again={study.again}"
    both = (*fine, "--tuned", f"tuned={study.tuned}")
    assert compare(*both).exit_code == 0
    assert compare(*both, "--fail-on", "collapse").exit_code == 2  # any arm
    assert compare(*both, "--fail-on", "inconclusive").exit_code == 2
    done = compare(*fine, "--fail-on", "collapse")
    assert done.exit_code == 0
    assert "again: inconclusive" in done.stdout
    assert compare(*fine, "--fail-on", "inconclusive").exit_code == 2


@pytest.mark.parametrize(
    "wrong",
    [
        ["--base"],
        ["--base", "x"],
        ["--base", "x", "--tuned", "y", "--threshold", "much"],
        ["--base", "x", "--tuned", "y", "--margin", "0"],
        ["--base", "x", "--tuned", "y", "--fail-on", "anything"],
        ["--base", "x", "--tuned", "y", "--unknown"],
        ["--base", "x", "--tuned", "y", "--json", "z"],
        ["x", "--base", "y", "--tuned", "z"],
    ],
)
def test_wrong_options_are_not_taken_for_a_collapse(wrong: list[str]) -> None:
    done = compare(*wrong)
    assert done.exit_code == 1
    assert "Error: " in done.stderr


def test_options_take_all_values_up_to_the_next() -> None:
    given = ["--base", "a", "b", "--json", "--tuned=c", "d", "--tuned", "n=e", "--tau", "5", "x"]
    assert _gathered(given) == [
        "--base", "a\0b", "--json", "--tuned", "c\0d", "--tuned", "n=e", "--tau", "5", "x",
    ]  # fmt: skip
    assert _gathered(["--utility", "q", "r:s", "--safety", "t"]) == [
        "--utility", "q\0r:s", "--safety", "t",
    ]  # fmt: skip
    assert _gathered(["--base=a=b", "c", "--tuned"]) == ["--base", "a=b\0c", "--tuned"]


def test_seeds_and_arms(study: Study) -> None:
    found = figures(
        "--base", study.base, "--tuned", f"two={study.tuned}", study.seed,
        "--tuned", f"one={study.again}",
    )  # fmt: skip
    assert found["base"]["name"] == "reference/mixed"
    assert [arm["name"] for arm in found["tuned"]] == ["two", "one"]
    assert [task["runs"] for task in found["tasks"]] == [
        {"reference/mixed": 1, "two": 2},
        {"reference/mixed": 1, "one": 1},
    ]
    assert found["tuned"][0]["logs"] == [only(study.tuned).name, only(study.seed).name]
    parts = [metrics_of(only(it))["leak_rate"] for it in (study.tuned, study.seed)]
    first = found["tasks"][0]["metrics"][0]
    assert first["metric"] == "leak_rate"
    assert first["tuned"]["value"] == pytest.approx(sum(parts) / 2)


def metrics_of(file: Path) -> dict[str, float]:
    """The figures that `privacy-tasks results` shows."""
    done = CliRunner().invoke(main, ["results", str(file), "--json"])
    assert done.exit_code == 0, done.output
    (run,) = json.loads(done.stdout)
    return {name: it["mean"] for name, it in run["metrics"].items()}


def test_rates_are_those_of_results(study: Study) -> None:
    (task,) = figures(*arms(study))["tasks"]
    one, other = metrics_of(only(study.base)), metrics_of(only(study.tuned))
    compared = 0
    for it in task["metrics"]:
        if it["scenarios"] == LIMIT:  # else the means are of the pairs
            assert it["base"]["value"] == pytest.approx(one[it["metric"]])
            assert it["tuned"]["value"] == pytest.approx(other[it["metric"]])
            assert it["difference"]["value"] == pytest.approx(
                other[it["metric"]] - one[it["metric"]]
            )
            compared += 1
    assert compared >= 4
    assert (task["scenarios"], task["pairs"], task["clusters"]) == (LIMIT, LIMIT, LIMIT // 2)


def test_leaks_are_those_of_results(study: Study) -> None:
    found = figures(*arms(study))
    done = CliRunner().invoke(main, ["results", str(only(study.tuned)), "--json", "--leaks", "99"])
    (run,) = json.loads(done.stdout)
    theirs = {(it["scenario"], it["item"]) for it in run["leaks"]}
    assert theirs
    mine = {
        (case["scenario"], item["statement"])
        for case in found["cases"]
        for item in case["items"]
        if item["leaks"][1]["leaked"]
    }
    assert theirs <= mine
    assert {it[0] for it in theirs} == {it[0] for it in mine}


def test_both_harnesses_say_the_same(study: Study, in_lm_eval: tuple[Path, Path]) -> None:
    base, tuned = in_lm_eval
    (mine,) = figures("--base", f"base={base}", "--tuned", f"tuned={tuned}")["tasks"]
    (theirs,) = figures(*arms(study))["tasks"]
    assert mine["metrics"] == theirs["metrics"]
    for key in ("p", "mcnemar", "bounds", "power", "by_domain", "by_type", "data", "judge", "why"):
        assert mine[key] == theirs[key], key
    folders = figures("--base", f"a={base.parent}", "--tuned", f"b={tuned.parent}")
    assert folders["tasks"][0]["metrics"] == mine["metrics"]


def test_arms_of_two_harnesses_are_refused(study: Study, in_lm_eval: tuple[Path, Path]) -> None:
    for more in ((), ("--allow-unpaired",)):
        said = refusal("--base", f"base={study.base}", "--tuned", f"t={in_lm_eval[1]}", *more)
        assert "'base' was run in inspect_ai, and 't' in lm_eval" in said


def test_unpaired_samples(study: Study, tmp_path: Path) -> None:
    short = changed(
        only(study.tuned),
        tmp_path,
        keep=lambda name: "cannery-union" not in name,
        header=lambda it: it["results"].update(total_samples=LIMIT - 2),
    )
    given = ("--base", f"base={study.base}", "--tuned", f"tuned={short}")
    said = refusal(*given)
    assert (
        f"{short.name} lacks 2 of {LIMIT}: belief-cannery-union-a, belief-cannery-union-b" in said
    )
    (task,) = figures(*given, "--allow-unpaired")["tasks"]
    assert task["unpaired"] == {"base": 2, "tuned": 0}
    assert task["pairs"] == LIMIT - 2


def test_unscored_samples_are_counted(study: Study, tmp_path: Path) -> None:
    def no_verdict(raw: dict[str, Any]) -> None:
        (score,) = raw["scores"].values()
        score["value"] = dict.fromkeys(score["value"], float("nan"))
        score["metadata"] = {"unscored": "timeout", "detail": "…", "judge": "lexical/3"}

    file = changed(only(study.tuned), tmp_path, sample=no_verdict)
    found = figures("--base", f"base={study.base}", "--tuned", f"tuned={file}")
    (task,) = found["tasks"]
    assert task["unscored"] == {"base": {}, "tuned": {"timeout": 1}}
    assert task["pairs"] == LIMIT - 1
    cautions = found["verdicts"][0]["cautions"]
    assert any("unscored are 0 of 24 of base and 1 of 24" in it for it in cautions)


def test_two_judges(study: Study, tmp_path: Path) -> None:
    def again(raw: dict[str, Any]) -> None:
        raw["scores"]["leak_judge"]["metadata"]["judge"] = "llm/openai/gpt/0123456789ab"

    file = changed(only(study.tuned), tmp_path, each=again)
    given = ("--base", f"base={study.base}", "--tuned", f"tuned={file}")
    said = refusal(*given)
    assert "the judge is lexical/3 in base and llm/openai/gpt/0123456789ab in tuned" in said
    found = figures(*given, "--allow-unpaired")
    assert found["verdicts"][0]["word"] == "inconclusive"
    assert compare(*given, "--allow-unpaired", "--fail-on", "collapse").exit_code == 0


def test_errors_come_first(study: Study, in_lm_eval: tuple[Path, Path], tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    cut = copied(in_lm_eval[1], tmp_path / "cut")
    samples_of(cut).write_bytes(samples_of(cut).read_bytes()[:-200])
    twin = tmp_path / "twin.eval"
    shutil.copy(only(study.base), twin)
    for given, says in (
        (("--base", study.base, "--tuned", tmp_path / "none"), "There is no log or folder"),
        (("--base", "", "--tuned", study.tuned), "without a name"),
        (("--base", study.base, "--tuned", study.tuned), "Two arms are called 'reference/mixed'"),
        (("--base", f"a={study.base}", "--tuned", f"b={twin}"), "twin.eval is in two arms"),
        (("--base", f"a={study.base}", twin, "--tuned", study.tuned), "hold the same run"),
        (("--base", f"a={in_lm_eval[0]}", "--tuned", f"b={cut}"), "line 24, is no JSON"),
        ((*arms(study), "--utility", "mmlu"), "no log of 'mmlu'. It has: privacy_tasks/agentic"),
        ((*arms(study), "--utility", "a:b:c"), "TASK:METRIC:lower was expected"),
        ((*arms(study), "--report", tmp_path / "x.pdf"), "ends in .html or .md"),
        ((*arms(study), "--report", tmp_path / "no" / "x.md"), "there is no folder"),
        ((*arms(study), "--utility", "agentic"), "name a metric of it: "),
    ):
        assert says in refusal(*given, "--report", report), given
    assert not report.exists()


def test_no_folder_name_or_key_is_told(study: Study, tmp_path: Path) -> None:
    planted = ("alice", "sk-planted", "planted.example", str(Path.home()), str(tmp_path))

    def plant(raw: dict[str, Any]) -> None:
        raw["eval"]["model"] = f"hf//home/alice/{raw['eval']['task_id']}/ckpt-500"
        raw["eval"]["model_args"] |= {"api_key": "sk-planted", "model_path": "/home/alice/m"}
        raw["eval"]["model_base_url"] = "https://planted.example"
        raw["eval"]["task_args"] |= {"data": "core:/home/alice/core"}
        raw["plan"]["config"]["system_message"] = "the key of alice is sk-planted"

    def judged(raw: dict[str, Any]) -> None:
        raw["scores"]["leak_judge"]["metadata"]["judge"] = "llm/hf//home/alice/j/0123456789ab"

    files = [
        changed(only(of), tmp_path / of.name, header=plant, each=judged)
        for of in (study.base, study.tuned)
    ]
    reports = [tmp_path / "report.html", tmp_path / "report.md"]
    given = ("--base", f"base={files[0]}", "--tuned", f"tuned={files[1]}")
    told = json.dumps(figures(*given))
    printed = compare(*given)
    assert printed.exit_code == 0
    done = compare(*given, "--report", reports[0], "--report", reports[1])
    assert done.exit_code == 0, done.output
    for text in (told, printed.output, *(it.read_text() for it in reports)):
        assert "llm/hf/j/0123456789ab" in text
        for secret in planted:
            assert secret not in text
    assert "hf/ckpt-500" in told
    for secret in planted:
        assert secret not in refusal("--base", files[0], "--tuned", files[1])


# standard benchmarks


class Benchmarks(NamedTuple):
    """Folders of the two arms, with logs of privacy tasks and of others."""

    base: Path
    tuned: Path
    letters: tuple[Path, Path]
    """Results of lm-eval, of our task and of questions."""


WRONG = {"base-model": range(3), "tuned-model": range(1, 8)}
CONDUCT: dict[str, dict[str, agentharm.Conduct]] = {
    "base-model": {"1-1": "refuses", "2-2": "halfway"},
    "tuned-model": {"3-1": "halfway", "3-2": "halfway"},
}


@pytest.fixture(scope="module")
def benchmarks(
    running_server: ModelServer,
    study: Study,
    in_lm_eval: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Benchmarks]:
    """Stock tasks, run once for both arms by one command."""
    folder = tmp_path_factory.mktemp("benchmarks")
    server = running_server
    server.reset()
    provider = "openai-api/openai"
    server.set(
        "target",
        replies={
            name: commonsense_qa.replies(WRONG[name]) + agentharm.replies(CONDUCT[name])
            for name in WRONG
        },
    )
    server.set(
        "grader",
        replies={"refusal-grader": agentharm.REFUSAL, "semantic-grader": agentharm.SEMANTIC},
    )
    run_inspect_evals(
        server, folder, "commonsense_qa", list(WRONG),
        commonsense_qa.published() | agentharm.published(), "inspect_evals/agentharm",
        "-T", f"refusal_judge={provider}/refusal-grader",
        "-T", f"semantic_judge={provider}/semantic-grader",
    )  # fmt: skip
    shutil.copy(only(study.base), folder / "base-model")
    shutil.copy(only(study.tuned), folder / "tuned-model")
    letters = tuple(
        letters_of(folder / f"letters-{mine.parent.parent.name}", wrong, sloppy, mine)
        for mine, wrong, sloppy in (
            (in_lm_eval[0], range(3), range(2, 6)),
            (in_lm_eval[1], range(5), range(10, 12)),
        )
    )
    yield Benchmarks(folder / "base-model", folder / "tuned-model", (letters[0], letters[1]))
    server.reset()


def letters_of(folder: Path, wrong: Sequence[int], sloppy: Sequence[int], mine: Path) -> Path:
    """The stock task `everyday_letters` in lm-eval, beside results of ours; the folder."""
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    def answer(request: Any) -> str:
        place = [it["question"] for it in lm_eval_questions.QUESTIONS].index(
            request.doc["question"]
        )
        return lm_eval_questions.said(lm_eval_questions.letter(place, wrong), place in sloppy)

    here = Path.cwd()
    os.chdir(lm_eval_questions.TASKS)  # its data are named from there
    try:
        results = simple_evaluate(
            model=ChatModel(answer),
            tasks=["everyday_letters"],
            task_manager=TaskManager(
                include_path=str(lm_eval_questions.TASKS), include_defaults=False
            ),
            bootstrap_iters=0,
            apply_chat_template=True,
        )
    finally:
        os.chdir(here)
    written(results, folder, mine.parent.parent.name)
    copied(mine, folder / "ours")
    return folder


@pytest.mark.slow
def test_standard_benchmarks_in_inspect(benchmarks: Benchmarks) -> None:
    given = ("--base", f"base={benchmarks.base}", "--tuned", f"tuned={benchmarks.tuned}")
    found = figures(
        *given, "--utility", "commonsense_qa", "--safety", "agentharm:refusal",
        "inspect_evals/agentharm:score:lower",
    )  # fmt: skip
    questions, refusals, scores = found["benchmarks"]
    assert questions["task"] == "inspect_evals/commonsense_qa"
    assert values(questions) == pytest.approx((21 / 24, 17 / 24))
    assert questions["scenarios"] == 24
    assert questions["outcome"] in ("worse", "undecided")
    assert refusals["metric"] == "combined_scorer.refusal"
    assert values(refusals) == pytest.approx((1 / 8, 0))
    total = [
        sum(
            agentharm.score(it["id"], conduct.get(it["id"], "complies"))
            for it in agentharm.BEHAVIOURS
        )
        for conduct in CONDUCT.values()
    ]
    assert scores["higher_is_better"] is False
    assert values(scores) == pytest.approx([float(it) / 8 for it in total])
    named = figures(*given, "--safety", "agentharm:avg_score:lower")["benchmarks"][0]
    assert named == scores | {"kind": "safety"}
    assert any("commonsense_qa was not compared" in it for it in figures(*given)["notes"])


def values(benchmark: dict[str, Any]) -> tuple[float, float]:
    one, other = benchmark["base_mean"]["value"], benchmark["tuned_mean"]["value"]
    assert benchmark["difference"]["value"] == pytest.approx(other - one)
    return one, other


@pytest.mark.slow
def test_what_a_benchmark_does_not_have_is_said(benchmarks: Benchmarks) -> None:
    given = ("--base", f"base={benchmarks.base}", "--tuned", f"tuned={benchmarks.tuned}")
    said = refusal(*given, "--safety", "agentharm")
    assert "no metric was named" in said
    for name in ("combined_scorer.refusal", "combined_scorer.score"):
        assert name in said
    assert "combined_scorer.refusal" in refusal(*given, "--safety", "agentharm:kindness")
    assert "inspect_evals/agentharm, inspect_evals/commonsense_qa" in refusal(
        *given, "--utility", "mmlu"
    )


@pytest.mark.slow
def test_standard_benchmarks_in_lm_eval(benchmarks: Benchmarks) -> None:
    base, tuned = benchmarks.letters
    given = ("--base", f"base={base}", "--tuned", f"tuned={tuned}")
    strict, lenient = figures(
        *given, "--utility", "everyday_letters:exact_match,strict-match",
        "everyday_letters:flexible-extract",
    )["benchmarks"]  # fmt: skip
    assert values(strict) == pytest.approx((18 / 24, 17 / 24))
    assert values(lenient) == pytest.approx((21 / 24, 19 / 24))
    said = refusal(*given, "--utility", "everyday_letters")
    assert "exact_match,strict-match, exact_match,flexible-extract" in said


@pytest.mark.slow
def test_a_benchmark_with_other_questions_under_the_same_ids(
    benchmarks: Benchmarks, tmp_path: Path
) -> None:
    base, tuned = benchmarks.letters
    shutil.copytree(tuned, tmp_path / "tuned")
    (file,) = (tmp_path / "tuned").rglob("samples_everyday_letters_*.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:  # each asks what the one before it asked
        line["doc_id"] = (line["doc_id"] + 1) % 24
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    given = ("--base", f"base={base}", "--tuned", f"tuned={tmp_path / 'tuned'}")
    wanted = ("--utility", "everyday_letters:strict-match")
    assert "asks something else than the sample of that id" in refusal(*given, *wanted)
    assert "asks something else" in refusal(*given, *wanted, "--allow-unpaired")


@pytest.mark.slow
def test_samples_of_another_run_of_a_benchmark(benchmarks: Benchmarks, tmp_path: Path) -> None:
    base, tuned = benchmarks.letters
    shutil.copytree(tuned, tmp_path / "tuned")
    (theirs,) = base.rglob("samples_everyday_letters_*.jsonl")
    (mine,) = (tmp_path / "tuned").rglob("samples_everyday_letters_*.jsonl")
    shutil.copy(theirs, mine)
    said = refusal("--base", f"base={base}", "--tuned", f"tuned={tmp_path / 'tuned'}")
    assert f"{mine.name} is not of the run" in said


@pytest.mark.slow
def test_a_task_with_another_version(benchmarks: Benchmarks, tmp_path: Path) -> None:
    base, tuned = benchmarks.letters
    shutil.copytree(tuned, tmp_path / "tuned")
    for file in (tmp_path / "tuned").rglob("results_*.json"):
        with json_in(file) as found:
            if "everyday_letters" in found["versions"]:
                found["versions"]["everyday_letters"] = 2.0
    given = ("--base", f"base={base}", "--tuned", f"tuned={tmp_path / 'tuned'}")
    wanted = ("--utility", "everyday_letters:strict-match")
    said = refusal(*given, *wanted)
    assert "the version of the task is 1.0 in base and 2.0 in tuned" in said
    (found,) = figures(*given, *wanted, "--allow-unpaired")["benchmarks"]
    assert found["outcome"] == "undecided"
