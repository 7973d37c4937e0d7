"""The published schemas: they are those of the models, and real submissions are valid by them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from harness_adapters.leaderboard import schema
from harness_adapters.leaderboard.schema import schemas
from tests.harness_adapters.collapse.logs_made import ran
from tests.harness_adapters.leaderboard.submitting.lm_eval_made import results_of
from tests.harness_adapters.leaderboard.submitting.small_sets import SmallSets
from tests.harness_adapters.leaderboard.submitting.submitted import document, records, submitted

FOLDER = Path(schema.__file__).parent
SUBMISSION = Draft202012Validator(schemas()["submission-1.schema.json"])
RECORD = Draft202012Validator(schemas()["record-1.schema.json"])


@pytest.fixture(scope="module")
def made(
    sets: SmallSets, replay: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Submissions of several kinds of records."""
    folder = tmp_path_factory.mktemp("made")
    agentic, shared = sets.of("agentic"), sets.of("memory", "shared")
    ran("memory", folder / "shared", data=shared, mode="shared")
    ran("agentic", folder / "episode", data=agentic, mode="episode")
    results_of("probing", folder / "probing", metadata={"data": agentic})
    for name, log, data in (
        ("of replay", replay, agentic),
        ("of shared", folder / "shared", shared),
        ("of episode", folder / "episode", agentic),
        ("of probing", folder / "probing", agentic),
    ):
        submitted(folder / name, log, "--data", data)
    more = ("--base", "a/b@1", "--tuning-data", "x", "--submitter", "y", "--notes", "z")
    hashed = folder / "hashed"
    submitted(hashed, replay, "--data", agentic, "--without-outputs", *more)
    return {it.name: it for it in (*folder.glob("of *"), hashed)}


def test_the_files_are_the_models() -> None:
    on_disk = {it.name: json.loads(it.read_text()) for it in FOLDER.glob("*.json")}
    assert on_disk == schemas(), "write them anew: see tests/…/test_schema.py"


def test_they_are_schemas_with_a_name() -> None:
    for name, content in schemas().items():
        Draft202012Validator.check_schema(content)
        assert content["$id"] == f"urn:privacy-tasks:{name.partition('-')[0]}:1"
        assert content["title"]
        assert content["additionalProperties"] is False


def test_real_submissions_are_valid(made: dict[str, Path]) -> None:
    assert len(made) == 5
    for name, folder in made.items():
        errors = [it.message for it in SUBMISSION.iter_errors(document(folder))]
        for record in records(folder):
            errors += [it.message for it in RECORD.iter_errors(record)]
        assert not errors, name


@pytest.mark.parametrize(
    "spoil",
    [
        lambda it: it.update(format=2),
        lambda it: it.update(format="1"),
        lambda it: it.update(more="x"),
        lambda it: it.pop("runs"),
        lambda it: it.update(runs=[]),
        lambda it: it["model"].update(access="mine"),
        lambda it: it["model"].update(name=""),
        lambda it: it["runs"][0].update(samples=0),
        lambda it: it["runs"][0].update(key="../x"),
        lambda it: it["runs"][0]["data"].update(hash="xyz"),
        lambda it: it["runs"][0]["metrics"]["judged"].update(mean="1"),
        lambda it: it["records"].update(file="../records"),
    ],
)
def test_wrong_submissions_are_not(
    made: dict[str, Path], spoil: Callable[[dict[str, Any]], Any]
) -> None:
    content = copy.deepcopy(document(made["of replay"]))
    spoil(content)
    assert not SUBMISSION.is_valid(content)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda it: it.update(more="x"),
        lambda it: it.update(epoch=0),
        lambda it: it.update(seal="0"),
        lambda it: it.update(unscored="tired"),
        lambda it: it["verdicts"][0].update(norm="keep"),
        lambda it: it["verdicts"][0].update(disclosed="no"),
        lambda it: it["reply"].update(text={"sha256": "0"}),
        lambda it: it.pop("asked"),
    ],
)
def test_wrong_records_are_not(
    made: dict[str, Path], spoil: Callable[[dict[str, Any]], Any]
) -> None:
    record = next(it for it in records(made["of replay"]) if "verdicts" in it)
    spoil(record)
    assert not RECORD.is_valid(record)
