from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import tests.standard_benchmarks  # noqa: F401 (puts inspect_evals where it can be imported)
from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.export.register import Pin, write_register_entries
from tests.conftest import REPO

SHA = "0123456789abcdef0123456789abcdef01234567"
PIN = Pin("https://github.com/acme/privacy-tasks", SHA, ["somebody", "some-body2"])


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_register_entries(tmp_path_factory.mktemp("inspect_evals"), PIN)


def test_inspect_evals_reads_every_entry(entries: list[Path]) -> None:
    from inspect_evals.metadata import load_listing

    # as in its repository: the package in src/inspect_evals, and beside it the register
    root = entries[0].parents[2]
    package = root / "src" / "inspect_evals"
    package.mkdir(parents=True)
    listing: Any = load_listing(package)
    assert [it.id for it in listing.external_evals] == [
        "privacy_tasks_agentic",
        "privacy_tasks_memory",
        "privacy_tasks_probing",
    ]
    assert listing.internal_evals == []
    for it, samples in zip(listing.external_evals, (122, 196, 488), strict=True):
        assert it.source.repository_commit == SHA
        assert it.source.maintainers == ["somebody", "some-body2"]
        assert it.package == "privacy-tasks"
        assert str(it.arxiv) == "https://arxiv.org/abs/2601.15220"
        assert it.tasks[0].dataset_samples == samples
        assert "\n" not in it.description
    shutil.rmtree(package)


def test_its_tooling_finds_our_tasks_where_entries_point(entries: list[Path]) -> None:
    from register_tooling.source_url import parse_source_url
    from register_tooling.task_resolver import resolve_task

    for file in entries:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        (task,) = content["tasks"]
        source = content["source"]
        blob = f"{source['repository_url']}/blob/{source['repository_commit']}/{task['task_path']}"
        parsed = parse_source_url(blob)
        assert parsed.is_permalink
        assert parsed.repository_url == source["repository_url"]
        found = resolve_task(
            (REPO / parsed.task_path).read_text(encoding="utf-8"), line_anchor=None
        )
        assert found.name == task["name"]


def test_entries_have_the_fields_that_its_own_tooling_writes(entries: list[Path]) -> None:
    from inspect_evals.metadata import ExternalEvalMetadata

    for file in entries:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert set(content) <= set(ExternalEvalMetadata.model_fields) - {"id", "title"}
        description = next(
            line for line in file.read_text().splitlines() if line.startswith("description:")
        )
        assert content["description"] in description  # one line in the file as well


@pytest.mark.parametrize(
    ("pin", "message"),
    [
        (PIN._replace(commit="main"), "40 hex digits"),
        (PIN._replace(commit=SHA[:7]), "40 hex digits"),
        (PIN._replace(commit=SHA.upper()), "40 hex digits"),
        (PIN._replace(commit=SHA + "\n"), "40 hex digits"),
        (PIN._replace(repository="https://example.org/acme/x"), "no repository"),
        (PIN._replace(repository="https://github.com/acme"), "no repository"),
        (PIN._replace(repository="https://github.com/acme/x/tree/main"), "no repository"),
        (PIN._replace(repository="https://github.com/acme/x.git"), "no repository"),
        (PIN._replace(maintainers=[]), "who looks after"),
        (PIN._replace(maintainers=["some body"]), "no user name"),
    ],
)
def test_a_pin_that_is_none_is_refused_before_anything_is_written(
    pin: Pin, message: str, tmp_path: Path
) -> None:
    with pytest.raises(AdapterError, match=message):
        write_register_entries(tmp_path, pin)
    assert list(tmp_path.iterdir()) == []
