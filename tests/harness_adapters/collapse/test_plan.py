from __future__ import annotations

import inspect as python_inspect
import itertools
import json
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import lm_eval
import pytest
import yaml
from click.testing import CliRunner, Result

import tests.standard_benchmarks  # noqa: F401  # puts inspect_evals on the path
from harness_adapters.cli import main
from tests.conftest import ModelServer, command

GRADER = "openai/gpt-4.1"
OFFLINE = ("--base", "reference/leaky", "--tuned", "mine=reference/discreet", "--judge", "lexical")
SERVER = "openai-api/openai/test-target"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plan", *arguments])


def planned(*arguments: str) -> dict[str, Any]:
    done = call(*arguments, "--json")
    assert done.exit_code == 0, done.output
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def commands(made: dict[str, Any], program: str, arm: str | None = None) -> list[list[str]]:
    return [
        step["command"]
        for step in made["steps"]
        if step["command"][0] == program and arm in (None, step["arm"])
    ]


def values(words: list[str], option: str) -> list[str]:
    return [after for before, after in itertools.pairwise(words) if before == option]


@pytest.mark.slow
def test_the_privacy_commands_run_without_a_warning(tmp_path: Path, server: ModelServer) -> None:
    made = planned(
        "--base", "reference/leaky", "--tuned", "mine=reference/discreet", "--grader",
        "openai-api/openai/test-grader", "--epochs", "2", "--max-tokens", "500",
        "--utility", "none", "--safety", "none",
    )  # fmt: skip
    base = commands(made, "inspect", "base")
    assert len(base) == 4

    def run(words: list[str]) -> subprocess.CompletedProcess[str]:
        return command(*words, "--limit", "1", "--display", "plain", cwd=tmp_path, env=server.env)

    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(run, base[:2]))  # the others differ in their mode alone
    for words, done in zip(base, runs, strict=False):
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert "not used by task" not in said, words
        assert "WARN" not in said, words
    shown = call_results(tmp_path / "study" / "base")
    assert {run["mode"]: run["epochs"] for run in shown} == dict.fromkeys(
        ("replay", "episode", "profile", "vignette"), 2
    )
    assert all(run["metrics"]["judged"]["mean"] == 1 for run in shown)
    assert server.stats("grader")["calls"] >= 6  # three judged tasks, two epochs


def call_results(folder: Path) -> list[dict[str, Any]]:
    done = CliRunner().invoke(main, ["results", str(folder), "--json"])
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_sizes_are_those_of_the_tasks(tmp_path: Path) -> None:
    from inspect_ai import Task

    from privacy_tasks.agentic.task import agentic
    from privacy_tasks.memory.task import memory
    from privacy_tasks.probing.task import probing

    tasks: dict[str, Task] = {
        "agentic, replay": agentic(judge="lexical"),
        "agentic, episode": agentic(judge="lexical", mode="episode"),
        "memory, profile": memory(judge="lexical"),
        "memory, sessions": memory(judge="lexical", mode="sessions"),
        "memory, shared": memory(judge="lexical", mode="shared"),
        "probing, vignette": probing(),
    }
    made = planned(
        "--base", "openai/a", "--tuned", "b=openai/b,openai/c", "--grader", GRADER, "--epochs", "3",
        "--temperature", "1",
    )  # fmt: skip
    parts = [part for step in made["steps"] if step["arm"] == "base" for part in step["parts"]]
    sizes = {part["task"]: part for part in parts}
    for label, task in tasks.items():
        assert sizes[label]["samples"] == 3 * len(task.dataset), label
        asked = 0 if label.startswith("probing") else 3 * len(task.dataset)
        assert sizes[label]["grader_calls"] == asked, label
    assert sizes["memory, shared"]["calls"] == 3 * sum(
        len((sample.metadata or {})["asks"]) for sample in tasks["memory, shared"].dataset
    )
    assert sizes["agentic, episode"]["calls_at_most"] == 3 * 20 * len(
        tasks["agentic, episode"].dataset
    )
    base, arm = made["costs"]
    assert base["calls"] == sum(part["calls"] for part in parts)
    assert (arm["models"], arm["calls"]) == (2, 2 * base["calls"])
    assert arm["grader_calls"] == 2 * base["grader_calls"]


@pytest.mark.parametrize(
    ("task", "mode", "limit"),
    [("agentic", "episode", 6), ("agentic", "replay", 2), ("memory", "sessions", 3),
     ("memory", "shared", 4), ("memory", "profile", 2)],
)  # fmt: skip
def test_a_reference_model_takes_as_many_calls_as_are_counted(
    tmp_path: Path, task: str, mode: str, limit: int
) -> None:
    from inspect_ai import eval as inspect_eval
    from inspect_ai.dataset import Sample
    from inspect_ai.event import ModelEvent

    from harness_adapters.collapse.plan.privacy import calls_of

    (log,) = inspect_eval(
        f"privacy_tasks/{task}",
        model="reference/discreet",
        task_args={"mode": mode, "judge": "lexical"},
        log_dir=str(tmp_path),
        display="none",
        limit=limit,
        score=False,
    )
    assert len(log.samples or []) == limit
    for sample in log.samples or []:
        taken = sum(isinstance(event, ModelEvent) for event in sample.events)
        assert taken == calls_of(Sample(input="", metadata=sample.metadata)), sample.id


def test_sizes_of_the_benchmarks_are_those_that_inspect_evals_states() -> None:
    import inspect_evals

    made = planned("--base", "openai/a", "--tuned", "openai/b", "--grader", GRADER)
    for name in ("commonsense_qa", "agentharm"):
        stated = yaml.safe_load(
            (Path(inspect_evals.__file__).parent / name / "eval.yaml").read_text()
        )
        (size,) = (it["dataset_samples"] for it in stated["tasks"] if it["name"] == name)
        parts = [part for step in made["steps"] for part in step["parts"]]
        planned_sizes = {it["samples"] for it in parts if it["task"] == f"inspect_evals/{name}"}
        assert planned_sizes == {size}


def test_inspect_takes_every_option_and_every_task_knows_its_arguments() -> None:
    from inspect_ai._cli.eval import eval_set_command
    from inspect_ai._util.config import parse_cli_args
    from inspect_ai._util.entrypoints import ensure_entry_points
    from inspect_ai._util.registry import registry_lookup

    ensure_entry_points()
    made = planned(
        "--base", "hf/acme/Llama-3.1-8B", "--tuned", "hf//data/tuned", "--grader", GRADER,
        "--temperature", "0.7", "--max-tokens", "900", "--seed", "4", "--epochs", "2",
        "--base-url", "http://localhost:8000/v1", "-M", "device=cpu",
        "--safety", "inspect_evals/agentharm", "--safety", "inspect_evals/agentharm_benign",
    )  # fmt: skip
    found = commands(made, "inspect")
    assert len(found) == 2 * 8
    offline = commands(planned(*OFFLINE), "inspect")
    assert [values(words, "-T") for words in offline if words[2].endswith("probing")] == [[], []]
    for words in offline:
        given = eval_set_command.make_context("eval-set", words[2:]).params
        for name in given["tasks"]:
            task = registry_lookup("task", name)
            python_inspect.signature(task).bind(**parse_cli_args(given["t"]))
    for words in found:
        assert words[:2] == ["inspect", "eval-set"]
        context = eval_set_command.make_context("eval-set", words[2:])
        given = context.params
        assert given["model"] in ("hf/acme/Llama-3.1-8B", "hf//data/tuned")
        assert given["model_base_url"] == "http://localhost:8000/v1"
        assert "device=cpu" in given["m"]
        assert given["log_dir"].startswith("study/")
        arguments = parse_cli_args(given["t"])
        for name in given["tasks"]:
            task = registry_lookup("task", name)
            assert task is not None, name
            python_inspect.signature(task).bind(**arguments)  # type: ignore[arg-type]
        if given["tasks"] == ("inspect_evals/commonsense_qa",):
            assert arguments == {"shuffle": False}
        elif "agentharm" in given["tasks"][0]:
            assert arguments == {
                "refusal_judge": GRADER,
                "semantic_judge": GRADER,
                "agent_kwargs": {"system_prompt_template": "default"},
            }
        else:
            assert (given["temperature"], given["max_tokens"], given["seed"]) == (0.7, 900, 4)
            assert str(given["epochs"]) == "2"
            if given["tasks"] != ("privacy_tasks/probing",):
                assert given["model_role"] == (f"grader={GRADER}",)
            if given["tasks"] == ("privacy_tasks/agentic",):
                assert arguments["tool_format"] == "text"
    assert len({words[-1] for words in found}) == len(found)  # an eval-set wants its own folder


def test_arms_differ_in_model_and_folder_alone() -> None:
    made = planned(
        "--base", "hf/acme/base", "--tuned", "one=hf/acme/one", "--tuned", "s=hf/x/s1,hf/x/s2",
        "--grader", GRADER, "--harness", "both", "--temperature", "0.5", "--seed", "1",
    )  # fmt: skip

    def shape(model: str, arm: str, below: str = "") -> list[list[str]]:
        swaps = ((f"hf/{model}", "MODEL"), (f"pretrained={model}", "MODEL"))
        shaped = []
        for step in made["steps"]:
            words = [dict(swaps).get(word, word) for word in step["command"]]
            if "MODEL" in words:
                *words, last = (
                    [*(it for it in words if it != "--log_samples")]
                    if words[0] == "lm_eval"
                    else words
                )
                harness = "lm-eval" if words[0] == "lm_eval" else "inspect"
                start = f"study/{arm}/{harness}{below}/"
                assert last.startswith(start), last
                shaped.append([*words, last.removeprefix(start)])
        return shaped

    base = shape("acme/base", "base")
    assert len(base) == 9
    assert shape("acme/one", "one") == base
    assert shape("x/s1", "s", "/1") == shape("x/s2", "s", "/2") == base


def test_transformers_is_told_not_to_sample_where_temperature_is_0() -> None:
    """It refuses a temperature of 0, which both benchmarks set by themselves."""
    local = ("--base", "hf/a", "--tuned", "hf/b", "--grader", GRADER)
    for words in commands(planned(*local, "--temperature", "0"), "inspect"):
        assert values(words, "-M") == ["do_sample=false"]
        assert "--temperature" not in words
    for words in commands(planned(*local), "inspect"):
        benchmark = words[2].startswith("inspect_evals/")
        assert values(words, "-M") == (["do_sample=false"] if benchmark else [])
    for words in commands(planned(*local, "-M", "do_sample=true"), "inspect"):
        assert values(words, "-M") == ["do_sample=true"]
    servers = planned("--base", "openai/a", "--tuned", "openai/b", "--grader", GRADER,
                      "--temperature", "0")  # fmt: skip
    for words in commands(servers, "inspect"):
        assert values(words, "-M") == []
        if words[2].startswith("privacy_tasks/"):
            assert values(words, "--temperature") == ["0"]


def test_lm_eval_takes_every_option_and_has_every_task(monkeypatch: pytest.MonkeyPatch) -> None:
    from lm_eval._cli.harness import HarnessCLI
    from lm_eval.models import MODEL_MAPPING

    builtin = Path(lm_eval.__file__).parent / "tasks"
    settings = ("--grader", GRADER, "--harness", "lm-eval", "--temperature", "0.7", "--epochs", "2",
                "--seed", "4", "--max-tokens", "900")  # fmt: skip
    for provider, model, arguments in (
        ("hf", "hf", {"pretrained": "a", "dtype": "bfloat16"}),
        ("vllm", "vllm", {"pretrained": "a", "dtype": "bfloat16"}),
        ("openai", "openai-chat-completions", {"model": "a", "dtype": "bfloat16"}),
        ("anthropic", "anthropic-chat-completions", {"model": "a", "dtype": "bfloat16"}),
        (
            "openai-api/local",
            "local-chat-completions",
            {
                "model": "a",
                "base_url": "http://localhost:8000/v1/chat/completions",
                "dtype": "bfloat16",
            },
        ),
    ):
        server = ("--base-url", "http://localhost:8000/v1") if "api" in provider else ()
        made = planned("--base", f"{provider}/a", "--tuned", f"{provider}/b", *settings, *server,
                       "--lm-eval-arg", "dtype=bfloat16")  # fmt: skip
        privacy, benchmarks = commands(made, "lm_eval", "base")
        for words in (privacy, benchmarks):
            monkeypatch.setattr("sys.argv", list(words))
            given = HarnessCLI().parse_args()
            assert given.model == model
            assert model in MODEL_MAPPING
            assert given.model_args == arguments
            assert given.apply_chat_template is True
            assert given.log_samples
            assert given.seed == [4, 4, 4, 4]
            if words is privacy:
                assert given.tasks == ["privacy_collapse"]
                assert given.metadata == {"judge": GRADER, "epochs": 2}
                assert given.gen_kwargs == {
                    "do_sample": True,
                    "temperature": 0.7,
                    "max_gen_toks": 900,
                }
            else:
                task = "commonsense_qa" if provider in ("hf", "vllm") else "gsm8k"
                assert given.tasks == [task]
                files = (builtin / task).glob("*.yaml")
                assert any(f"task: {task}\n" in file.read_text() for file in files)


@pytest.mark.slow
def test_the_privacy_command_of_lm_eval_runs(tmp_path: Path, server: ModelServer) -> None:
    made = planned(
        "--base", SERVER, "--tuned", "mine=openai-api/openai/test-other", "--grader",
        "openai-api/openai/grader", "--harness", "lm-eval", "--base-url", f"{server.url}/v1",
        "--lm-eval-arg", "tokenizer_backend=None", "--epochs", "2", "--temperature", "0.5",
        "--seed", "3", "--folder", "the study",
    )  # fmt: skip
    words = commands(made, "lm_eval", "base")[0]
    done = command(*words, "--limit", "1", cwd=tmp_path, env=server.env)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(call_results(tmp_path / "the study" / "base")) == 3
    assert server.stats("grader")["calls"] > 0


def test_what_is_printed_is_a_script_of_the_same_commands() -> None:
    arguments = (
        "--base", "openai/gpt-4.1-mini", "--tuned", "openai/ft:gpt-4.1-mini:acme::a1",
        "--tuned", "odd=openai/it's;rm", "--grader", GRADER, "--folder", "my study $HOME",
    )  # fmt: skip
    made = planned(*arguments)
    shown = call(*arguments).stdout
    lines = [line for line in shown.splitlines() if line and not line.startswith("#")]
    stops, *rest = [shlex.split(line) for line in lines]
    assert stops == ["set", "-e"]  # a study that lacks a run cannot be compared
    assert rest == [step["command"] for step in made["steps"]]
    assert "806 calls, about 318 of the grader" in shown
    assert "# == ft-gpt-4.1-mini-acme-a1 ==" in shown


def test_the_comparison_reads_what_the_commands_wrote() -> None:
    arguments = ("--base", "hf/a", "--tuned", "x=hf/b", "--tuned", "y=hf/c,hf/d",
                 "--grader", GRADER)  # fmt: skip
    (words,) = commands(planned(*arguments), "privacy-tasks")
    assert words[:4] == ["privacy-tasks", "compare", "--base", "study/base"]
    assert values(words, "--tuned") == ["x=study/x", "y=study/y"]
    assert values(words, "--utility") == ["commonsense_qa"]
    assert values(words, "--safety") == ["agentharm:refusal", "agentharm:score:lower"]
    assert values(words, "--report") == ["study/report.html"]
    assert values(words, "--fail-on") == ["collapse"]
    both = commands(planned(*arguments, "--harness", "both"), "privacy-tasks")
    assert [values(it, "--base") for it in both] == [["study/base/inspect"], ["study/base/lm-eval"]]
    assert values(both[1], "--utility") == ["commonsense_qa"]
    assert values(both[1], "--safety") == []
    assert values(both[1], "--report") == ["study/report-lm-eval.html"]
    for it in (words, *both):
        if "compare" in main.commands:
            main.commands["compare"].make_context("compare", it[2:])


def test_other_benchmarks_can_be_named() -> None:
    made = planned(
        *OFFLINE, "--utility", "inspect_evals/gsm8k:accuracy", "--utility", "inspect_evals/gsm8k",
        "--safety", "none",
    )  # fmt: skip
    (words,) = commands(made, "privacy-tasks")
    assert values(words, "--utility") == ["gsm8k:accuracy", "gsm8k"]
    assert values(words, "--safety") == []
    runs = [it for it in commands(made, "inspect", "base") if "inspect_evals/gsm8k" in it]
    assert len(runs) == 1
    assert made["costs"][0]["not_counted"] == ["inspect_evals/gsm8k"]
    assert "size not known here" in call(*OFFLINE, "--utility", "inspect_evals/gsm8k").stdout


A = ("--base", "openai/a")
B = ("--tuned", "openai/b")
G = ("--grader", GRADER)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--base", "", *B, *G), "--base: '' is no model"),
        (("--base", "openai/", *B, *G), "--base: 'openai/' is no model"),
        ((*A, "--tuned", "", *G), "'' is no model"),
        ((*A, "--tuned", "mine=", *G), "--tuned mine: '' is no model"),
        ((*A, "--tuned", "mine=openai/b,", *G), "--tuned mine: '' is no model"),
        ((*A, "--tuned", "openai/b,openai/c", *G), "several models of one recipe need a name"),
        ((*A, "--tuned", "mine=openai/b,openai/b", *G), "names openai/b twice"),
        (("--base", "openai/a,openai/b", *B, *G), "has a comma or a space"),
        (("--base", "openai/a\nrm -rf x", *B, *G), "has a comma or a space"),
        (("--base", "acme/model", *B, *G), "hf/acme/model or vllm/acme/model"),
        ((*A, "--tuned", "x=openai/b", "--tuned", "X=openai/c", *G), "Two tuned arms are named"),
        ((*A, "--tuned", "hf/one/final", "--tuned", "hf/two/final", *G), "Two tuned arms"),
        ((*A, "--tuned", "base=openai/b", *G), "'base' is the name of the base arm"),
        ((*A, "--tuned", "../up=openai/b", *G), "Inspect has no provider '..'"),
        ((*A, "--tuned", "..=openai/b", *G), "'..' cannot be an arm's name"),
        ((*A, *B), "No grader was named"),
        ((*A, *B, "--grader", "openai/b"), "openai/b is a model under test"),
        ((*A, *B, "--grader", "lexical"), "--grader: 'lexical' is no model"),
        ((*A, *B, *G, "--utility", "gsm8k"), "this study is for Inspect"),
        ((*A, *B, *G, "--harness", "lm-eval", "--safety", "inspect_evals/x"), "--harness both"),
        ((*A, *B, *G, "--utility", "privacy_tasks/agentic"), "is no standard benchmark"),
        ((*A, *B, *G, "--utility", "a b"), "TASK[:METRIC[:lower]] is expected"),
        ((*A, *B, *G, "--utility", "none", "--utility", "inspect_evals/x"), "no others"),
        ((*A, *B, "--judge", "lexical", "--safety", "inspect_evals/agentharm"), "by --grader"),
        ((*A, *B, *G, "-M", "device"), "-M 'device': name=value is expected"),
        ((*A, *B, *G, "--harness", "lm-eval", "-M", "a=1"), "-M is for Inspect"),
        ((*A, *B, *G, "--lm-eval-arg", "a=1"), "--lm-eval-arg is for lm-eval"),
        ((*A, *B, *G, "--epochs", "2", "--temperature", "0"), "all epochs would be alike"),
        ((*A, *B, *G, "--epochs", "2", "--harness", "lm-eval"), "needs --temperature"),
        ((*A, "--tuned", "google/b", *G, "--harness", "both"), "has no counterpart in lm-eval"),
        ((*A, "--tuned", "openai-api/x/b", *G, "--harness", "lm-eval"), "pass --base-url"),
        (
            ("--base", "hf/a", "--tuned", "hf/b", *G, "--harness", "lm-eval", "--lm-eval-arg",
             "a=1,b=2"),
            "separates the arguments of a model by commas",
        ),
        ((*A, *B, *G, "--folder", ""), "name a folder"),
        ((*A, *B, *G, "--folder", "lr=1"), "without an equals sign"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_one_sentence(arguments: tuple[str, ...], expected: str) -> None:
    done = call(*arguments)
    assert done.exit_code == 1, done.output
    assert expected in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
