from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard, DatasetCardData
from inspect_ai._eval.task.hf import HFTask

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.export.hub_dataset import write_dataset
from privacy_tasks.probing.probes import LEVELS
from privacy_tasks.probing.samples import probe_cases
from privacy_tasks.sources import core_header, load_agentic
from privacy_tasks.strict_yaml import load_yaml
from tests.conftest import REPO
from tests.standard_benchmarks.hub import local_hub, own_caches

PARTS = {
    "agentic": 122,
    "memory_profile": 196,
    "memory_sessions": 84,
    "memory_shared": 64,
    "probing_seed": 488,
    "probing_vignette": 488,
    "probing_trajectory": 488,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hub") / "core"
    write_dataset(made)
    return made


def rows(folder: Path, part: str) -> list[dict[str, Any]]:
    lines = (folder / "data" / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("part", PARTS)
def test_every_row_has_an_id_of_its_own_and_the_canary(folder: Path, part: str) -> None:
    found = rows(folder, part)
    assert len(found) == PARTS[part]
    assert len({row["id"] for row in found}) == len(found)
    assert {row["canary"] for row in found} == {core_header().canary}


def test_the_hubs_client_reads_the_card_back(folder: Path) -> None:
    card = DatasetCard.load(folder / "README.md")
    assert isinstance(card.data, DatasetCardData)
    told = card.data.to_dict()
    assert DatasetCardData(**told).to_dict() == told
    assert (told["license"], told["language"], told["size_categories"]) == (
        "mit",
        ["en"],
        ["1K<n<10K"],
    )
    assert [config["config_name"] for config in told["configs"]] == list(PARTS)
    for config in told["configs"]:
        (file,) = config["data_files"]
        assert (folder / file["path"]).is_file()
    for word in (core_header().canary, core_header().version, load_agentic("core").hash):
        assert word in card.text
    assert not any(brace in card.text.replace('{"judge": "GRADER"}', "") for brace in "{}")


def test_what_the_card_counts_is_so(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "`agentic`: 61 situations" in text
    assert "have 14 persons and 16 settings" in text
    for level in LEVELS:
        found = rows(folder, f"probing_{level}")
        assert Counter(row["right"] for row in found) == {"yes": 244, "no": 244}
        # as in the package: who knows one letter, or one word, is right half of the time
        assert Counter(row["target"] for row in found) == {"A": 244, "B": 244}
        assert set(Counter((row["cluster"], row["fact"]) for row in found).values()) == {4}


def test_datasets_load_every_part_by_the_card(folder: Path, tmp_path: Path) -> None:
    script = (
        "import json, sys, datasets; datasets.disable_progress_bars();"
        "print(json.dumps({name: [loaded.num_rows, loaded[0]] for name in"
        " datasets.get_dataset_config_names(sys.argv[1]) for loaded in"
        " [datasets.load_dataset(sys.argv[1], name, split='test')]}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        env={**os.environ, **own_caches(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert {name: rows_ for name, (rows_, _) in loaded.items()} == PARTS
    first = loaded["agentic"][1]
    assert first == rows(folder, "agentic")[0]
    assert loaded["probing_vignette"][1]["choices"] == ["Yes", "No"]


def test_a_scenario_has_its_norms_and_what_the_model_is_shown(folder: Path) -> None:
    row = rows(folder, "agentic")[0]
    scenario = load_agentic("core").scenarios[0]
    assert row["id"] == scenario.id
    assert [(it["id"], it["norm"], it["rationale"]) for it in row["items"]] == [
        (it.id, it.norm, it.rationale) for it in scenario.items
    ]
    messages = json.loads(row["messages"])
    assert messages[1] == {"role": "user", "content": scenario.instruction}
    call = messages[2]["tool_calls"][0]
    assert (call["function"], call["arguments"]) == (
        scenario.trajectory[0].tool,
        scenario.trajectory[0].arguments,
    )
    assert messages[3]["tool_call_id"] == call["id"]
    session = rows(folder, "memory_sessions")[0]
    assert json.loads(session["sessions"])[0]["turns"]
    assert set(json.loads(session["place_norms"])) == {it["id"] for it in session["items"]}
    assert rows(folder, "memory_shared")[0]["asks"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_probe_is_the_tasks_own_without_its_options(folder: Path, level: str) -> None:
    samples = {str(it.id): it for it in probe_cases(data="core", level=level).samples}
    for row in rows(folder, f"probing_{level}"):
        sample = samples[row["id"]]
        assert not isinstance(sample.input, str)
        whole = sample.input[0].text
        assert whole.startswith(row["question"] + "\n(A) " + row["choices"][0] + "\n(B) ")
        assert "(A)" not in row["question"].splitlines()[-1]
        assert row["choices"]["AB".index(row["target"])].lower() == sample.target


def test_the_same_scenarios_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for file in write_dataset(tmp_path):
        assert file.read_bytes() == (folder / file.relative_to(tmp_path)).read_bytes()
    with pytest.raises(AdapterError, match="is a file"):
        write_dataset(file)


def test_inspect_takes_every_task_of_eval_yaml(folder: Path) -> None:
    text = (folder / "eval.yaml").read_text(encoding="utf-8")
    content = load_yaml(text)
    tasks = [HFTask.model_validate(task) for task in content["tasks"]]
    assert [task.id for task in tasks] == [task.config for task in tasks]
    assert {task.config for task in tasks} == {f"probing_{level}" for level in LEVELS}
    assert content["evaluation_framework"] == "inspect-ai"
    assert yaml.safe_load(text) == content
    columns = set(rows(folder, "probing_seed")[0])
    assert {"question", "target", "choices", *tasks[0].field_spec.metadata} <= columns  # type: ignore[misc]


def test_inspect_runs_a_task_from_a_hub(folder: Path, tmp_path: Path) -> None:
    files = {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
    with local_hub({("acme/core", "main"): files}, tmp_path / "cache") as hub:
        done = subprocess.run(
            [sys.executable, "-m", "tests.harness_adapters.leaderboard.export.run_from_hub",
             "acme/core/probing_seed", str(folder / "data/probing_seed.jsonl"), str(tmp_path)],
            cwd=REPO,
            env={**os.environ, **hub},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["accuracy"] == 0.5
    assert "Answer the following multiple choice question" in told["prompt"]
    assert told["prompt"].count("A) ") == 1
    assert set(told["metadata"]) == {"id", "probe", "order", "right", "cluster", "domain"}
