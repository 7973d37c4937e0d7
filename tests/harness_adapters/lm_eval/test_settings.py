from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from inspect_ai._util.error import PrerequisiteError

from harness_adapters.errors import AdapterError
from harness_adapters.lm_eval.errors import LmEvalError, one_message
from harness_adapters.lm_eval.settings import DEFAULTS, VARIANTS, read_settings
from privacy_tasks.errors import OptionError
from tests.conftest import REPO

TASKS = [*DEFAULTS, *VARIANTS]


def refusal(task: str, metadata: dict[str, Any], environ: dict[str, str] | None = None) -> str:
    """What is said of settings that are refused."""
    with pytest.raises(LmEvalError) as refused:
        read_settings(task, metadata, environ or {})
    return str(refused.value)


class TestDefaults:
    @pytest.mark.parametrize("kind", DEFAULTS)
    def test_hold_where_nothing_is_said(self, kind: str) -> None:
        assert read_settings(kind, {}, {"PATH": "/bin", "HOME": "/root"}) == DEFAULTS[kind]

    def test_are_those_of_the_inspect_tasks(self) -> None:
        agentic = read_settings("agentic", {}, {})
        memory = read_settings("memory", {}, {})
        probing = read_settings("probing", {}, {})
        logprob = read_settings("probing_logprob", {}, {})
        assert (agentic["data"], agentic["prompt"], agentic["trajectory"]) == (
            "core",
            "naive",
            "auto",
        )
        assert (memory["prompt"], memory["labels"], memory["judge"]) == ("basic", None, None)
        assert (probing["level"], probing["cot"], probing["protocol"]) == (
            "vignette",
            False,
            "paired",
        )
        assert logprob["level"] == "trajectory"
        assert "judge" not in probing
        assert "epochs" not in logprob

    def test_are_not_changed_by_what_a_run_sets(self) -> None:
        for task in TASKS:
            read_settings(task, {"prompt": "privacy", "epochs": 5}, {})["level"] = "seed"
        for kind in DEFAULTS:
            found = read_settings(kind, {}, {})
            assert (found["data"], found.get("epochs", 1)) == ("core", 1)
        assert read_settings("memory", {}, {})["prompt"] == "basic"
        assert read_settings("probing", {}, {})["level"] == "vignette"


class TestPlaces:
    """`--metadata` before the environment; a task's own key before the one for all."""

    ORDER = (
        ({"memory.prompt": "one"}, {}),
        ({"prompt": "two"}, {}),
        ({}, {"PRIVACY_TASKS_MEMORY_PROMPT": "three"}),
        ({}, {"PRIVACY_TASKS_PROMPT": "four"}),
    )

    @pytest.mark.parametrize(("first", "value"), [*enumerate(("one", "two", "three", "four"))])
    def test_the_first_that_says_something_holds(self, first: int, value: str) -> None:
        metadata: dict[str, Any] = {}
        environ: dict[str, str] = {}
        for said, set_ in self.ORDER[first:]:
            metadata |= said
            environ |= set_
        assert read_settings("memory", metadata, environ)["prompt"] == value

    def test_a_tasks_own_key_is_for_no_other_task(self) -> None:
        metadata = {"memory.prompt": "mine", "memory.epochs": 3}
        environ = {"PRIVACY_TASKS_MEMORY_DOMAINS": "health"}
        assert read_settings("memory", metadata, environ)["domains"] == "health"
        for other in ("agentic", "memory_cimemories"):
            found = read_settings(other, metadata, environ)
            assert (found["prompt"], found["epochs"], found["domains"]) == (
                DEFAULTS["agentic" if other == "agentic" else "memory"]["prompt"],
                1,
                "all",
            )

    def test_a_key_for_all_goes_to_every_task_that_knows_it(self) -> None:
        metadata = {"domains": "health", "level": "seed", "judge": "lexical"}
        for task in TASKS:
            found = read_settings(task, metadata, {})
            assert found["domains"] == "health"
            assert found.get("level", "seed") == "seed"
            assert found.get("judge", "lexical") == "lexical"
            assert found.keys() == DEFAULTS[VARIANTS.get(task, task)].keys()

    def test_a_setting_may_be_set_to_what_is_false(self) -> None:
        environ = {"PRIVACY_TASKS_FORCE_ACTION": "true", "PRIVACY_TASKS_TRIGGER": "|X|"}
        found = read_settings("agentic", {"force_action": False, "trigger": ""}, environ)
        assert found["force_action"] is False
        assert found["trigger"] == ""

    @pytest.mark.parametrize(
        ("key", "text", "value"),
        [
            ("cot", "true", True),
            ("epochs", "4", 4),
            ("domains", '["health", "legal"]', ["health", "legal"]),
            ("domains", "health,legal", "health,legal"),
            ("data", "privacylens:/a/b.json", "privacylens:/a/b.json"),
            ("trigger", "2024", "2024"),
            ("trigger", '"12"', '"12"'),
            ("judge", '{"model": "a/b"}', {"model": "a/b"}),
            ("trigger", "{not JSON", "{not JSON"),
        ],
    )
    def test_the_environment_holds_json_or_else_a_text(
        self, key: str, text: str, value: Any
    ) -> None:
        task = "memory" if key == "judge" else "probing"
        found = read_settings(task, {}, {f"PRIVACY_TASKS_{key.upper()}": text})
        assert found[key] == value
        assert type(found[key]) is type(value)

    def test_a_judge_with_its_settings_can_stand_in_the_environment(self) -> None:
        environ = {"PRIVACY_TASKS_JUDGE": '{"model": "openai/x", "max_tokens": 4000}'}
        assert read_settings("agentic", {}, environ)["judge"] == {
            "model": "openai/x",
            "max_tokens": 4000,
        }


class TestVariants:
    @pytest.mark.parametrize("task", VARIANTS)
    def test_run_on_their_own_data(self, task: str) -> None:
        own = "cimemories" if "cimemories" in task else "privacylens"
        kind = VARIANTS[task]
        assert read_settings(task, {}, {}) == DEFAULTS[kind] | {"data": own}
        for metadata in ({"data": f"{own}:/a:b.json"}, {f"{task}.data": f"{own}:/a:b.json"}):
            assert read_settings(task, metadata, {})["data"] == f"{own}:/a:b.json"

    @pytest.mark.parametrize("task", VARIANTS)
    @pytest.mark.parametrize("data", ["core", "other:/a.json", "", None, 3, ["core"]])
    def test_refuse_other_data_and_say_how_theirs_is_set(self, task: str, data: Any) -> None:
        own = "cimemories" if "cimemories" in task else "privacylens"
        for metadata in ({"data": data}, {f"{task}.data": data}):
            said = refusal(task, metadata)
            assert f"privacy_collapse_{task} runs on data={own} or {own}:PATH" in said
            assert repr(data) in said
            assert f'{{"{task}.data": "{own}:PATH"}}' in said

    def test_refuse_data_whose_name_only_begins_like_theirs(self) -> None:
        for data in ("privacylens2", "privacylens-new:/x.json"):
            assert repr(data) in refusal("agentic_privacylens", {"data": data})

    def test_refuse_what_the_environment_sets_for_all(self) -> None:
        environ = {"PRIVACY_TASKS_DATA": "core"}
        assert "data='core' was given" in refusal("agentic_privacylens", {}, environ)
        scoped = {"PRIVACY_TASKS_AGENTIC_PRIVACYLENS_DATA": "privacylens:/x.json"}
        found = read_settings("agentic_privacylens", {}, environ | scoped)
        assert found["data"] == "privacylens:/x.json"
        assert read_settings("agentic", {}, environ | scoped)["data"] == "core"

    def test_other_tasks_take_any_data(self) -> None:
        assert read_settings("agentic", {"data": "privacylens"}, {})["data"] == "privacylens"


class TestUnknownKeys:
    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("promt", "prompt"),
            ("Prompt", "prompt"),
            ("judges", "judge"),
            ("judge-connections", "judge_connections"),
            ("judge_conections", "judge_connections"),
            ("force-action", "force_action"),
            ("forced_action", "force_action"),
            ("epoch", "epochs"),
            ("domain", "domains"),
            ("trajectry", "trajectory"),
            ("COT", "cot"),
            ("levels", "level"),
            ("protocoll", "protocol"),
            ("label", "labels"),
        ],
    )
    def test_a_mistyped_one_is_refused_with_the_one_that_was_meant(
        self, name: str, meant: str
    ) -> None:
        # whichever task comes first: it need not be one that knows the key
        for task in TASKS:
            assert refusal(task, {name: 1}) == (
                f"--metadata: {name!r} is not known. Did you mean {meant!r}?"
            )

    @pytest.mark.parametrize(
        ("name", "allowed"),
        [
            ("memory.promt", "prompt"),
            ("agentic.labels", "trajectory"),  # of another task
            ("probing.judge", "protocol"),  # which has none
            ("probing_logprob.cot", "level"),
            ("memory_cimemories.mode", "labels"),
            ("memory.", "labels"),
        ],
    )
    def test_with_a_task_before_it_is_refused_with_those_that_there_are(
        self, name: str, allowed: str
    ) -> None:
        task = name.partition(".")[0]
        for asked in (task, "agentic"):
            said = refusal(asked, {name: 1})
            assert f"{name!r} is not known; {task} takes: " in said
            listed = said.partition("takes: ")[2].rstrip(".").split(", ")
            assert allowed in listed
            assert listed == sorted(DEFAULTS[VARIANTS.get(task, task)])

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("PRIVACY_TASKS_PROMT", "PRIVACY_TASKS_PROMPT"),
            ("PRIVACY_TASKS_JUDGES", "PRIVACY_TASKS_JUDGE"),
            ("PRIVACY_TASKS_MEMORY_PROMTP", "PRIVACY_TASKS_MEMORY_PROMPT"),
        ],
    )
    def test_a_variable_of_ours_that_is_not_known_is_refused(self, name: str, meant: str) -> None:
        said = refusal("memory", {}, {name: "x"})
        assert said == f"the environment variable {name} is not known. Did you mean {meant}?"

    def test_a_variable_that_resembles_none_gets_no_suggestion(self) -> None:
        said = refusal("memory", {}, {"PRIVACY_TASKS_AGENTIC_LABELS": "x"})
        assert said == "the environment variable PRIVACY_TASKS_AGENTIC_LABELS is not known."

    @pytest.mark.parametrize("name", ["agentc.prompt", "Memory.prompt", "mine.judge"])
    def test_a_mistyped_task_before_a_key_is_refused(self, name: str) -> None:
        assert "there is no task" in refusal("memory", {name: "minimal"})

    def test_a_key_may_have_the_whole_name_of_its_task_before_it(self) -> None:
        given = {"privacy_collapse_memory.prompt": "minimal"}
        assert read_settings("memory", given, {})["prompt"] == "minimal"
        assert read_settings("agentic", given, {})["prompt"] == "naive"

    def test_variables_of_others_are_left_alone(self) -> None:
        environ = {"PRIVACY_TASKS_MIRROR": "https://x.example", "PROMPT": "$", "OPENAI_API_KEY": ""}
        assert read_settings("memory", {}, environ) == DEFAULTS["memory"]

    def test_a_variable_is_set_for_tasks_that_this_is_not(self) -> None:
        environ = {"PRIVACY_TASKS_AGENTIC_TRAJECTORY": "messages"}
        assert read_settings("memory", {}, environ) == DEFAULTS["memory"]


def constructor_arguments(module: Path, of_class: str | None = None) -> set[str]:
    """What the models in a module of lm-eval take, read without loading them."""
    return {
        argument.arg
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ClassDef) and of_class in (None, node.name)
        for function in node.body
        if isinstance(function, ast.FunctionDef) and function.name == "__init__"
        for argument in (*function.args.args[1:], *function.args.kwonlyargs)
    }


class TestArgumentsOfModels:
    """lm-eval hands over `--model_args` together with `--metadata`."""

    PASSED_ON = """
        attn_implementation load_in_4bit load_in_8bit bnb_4bit_compute_dtype low_cpu_mem_usage
        device_map torch_dtype quantization_config cache_dir token use_auth_token local_files_only
        use_safetensors variant
        gpu_memory_utilization enforce_eager swap_space max_num_seqs max_num_batched_tokens
        max_logprobs kv_cache_dtype block_size disable_log_stats load_format cpu_offload_gb
        enable_prefix_caching pipeline_parallel_size distributed_executor_backend rope_scaling
        hf_overrides limit_mm_per_prompt data_parallel_rank data_parallel_backend task runner
        model_impl reasoning_parser optimization_level enable_chunked_prefill tokenizer_pool_size
        model temperature max_tokens log_level data_type database_url prompt_template
    """.split()
    """What those models take besides, and hand on."""

    @staticmethod
    def models() -> Path:
        spec = find_spec("lm_eval")
        assert spec is not None
        assert spec.submodule_search_locations
        return Path(spec.submodule_search_locations[0]) / "models"

    @pytest.mark.parametrize(
        ("module", "of_class", "some"),
        [
            ("huggingface", "HFLM", {"pretrained", "dtype", "device", "peft", "delta"}),
            ("vllm_causallms", "VLLM", {"pretrained", "max_model_len", "data_parallel_size"}),
            ("api_models", "TemplateAPI", {"base_url", "model", "num_concurrent", "timeout"}),
        ],
    )
    def test_are_neither_refused_nor_taken_for_settings(
        self, module: str, of_class: str, some: set[str]
    ) -> None:
        names = constructor_arguments(self.models() / f"{module}.py", of_class)
        assert names > some
        self.assert_left_alone(names)

    def test_of_every_other_model_of_lm_eval_are_left_alone_too(self) -> None:
        names = set[str]().union(*map(constructor_arguments, self.models().glob("*.py")))
        assert len(names) > 80
        self.assert_left_alone(names)

    def test_that_are_handed_on_to_other_libraries_are_left_alone_too(self) -> None:
        self.assert_left_alone(set(self.PASSED_ON))

    @staticmethod
    def assert_left_alone(names: set[str]) -> None:
        for task in TASKS:
            plainly = read_settings(task, {}, {})
            assert read_settings(task, dict.fromkeys(names, "a value"), {}) == plainly


class TestTheError:
    @staticmethod
    def python(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPO,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def test_is_caught_like_any_exception_of_this_project(self) -> None:
        try:
            raise LmEvalError("What is wrong.")
        except Exception as error:
            caught: BaseException = error
        assert isinstance(caught, AdapterError)
        assert str(caught) == "What is wrong."
        again = pickle.loads(pickle.dumps(caught))
        assert (type(again), str(again), again.code) == (LmEvalError, str(caught), str(caught))

    def test_ends_python_with_its_message_alone(self) -> None:
        code = "from harness_adapters.lm_eval.errors import LmEvalError as E; raise E('Mend it.')"
        done = self.python(code)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "Mend it.\n")

    def test_of_the_settings_ends_python_with_its_message_alone(self) -> None:
        done = self.python(
            "from harness_adapters.lm_eval.settings import read_settings\n"
            "read_settings('memory', {'promt': 1}, {})\n"
        )
        assert done.returncode == 1
        assert done.stderr == "--metadata: 'promt' is not known. Did you mean 'prompt'?\n"

    @pytest.mark.parametrize(
        ("raised", "shown"),
        [
            (OptionError("level=3 is not allowed."), "here: level=3 is not allowed."),
            (AdapterError("It is gone."), "here: It is gone."),
            (PrerequisiteError("[bold]Missing[/bold]\n  package"), "here: Missing package"),
            (LmEvalError("It is known."), "here: It is known."),
            (LmEvalError("What is here is known."), "What is here is known."),  # said already
        ],
    )
    def test_stands_for_those_of_the_parts_below(self, raised: Exception, shown: str) -> None:
        with pytest.raises(LmEvalError) as error, one_message("here"):
            raise raised
        assert str(error.value) == shown

    def test_leaves_faults_of_the_program_as_they_are(self) -> None:
        with pytest.raises(ZeroDivisionError), one_message("here"):
            raise ZeroDivisionError
