"""Records that were taken away, doubled, moved, chosen; and such as only lie in another order."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness_adapters.leaderboard.forging import CARES, Care, Content, Line, content_of
from tests.harness_adapters.leaderboard.verifying.conftest import (
    Forge,
    Made,
    failed,
    submitted,
)


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("which", ["lexical", "probes"])
def test_a_sample_that_is_missing_is_named(
    which: str, care: Care, request: pytest.FixtureRequest, forge: Forge
) -> None:
    made: Made = request.getfixturevalue(which)
    gone = content_of(made.folder).records[1]["id"]

    found = failed(forge(made, lambda content: content.records.pop(1), care))

    assert f"there is no record of {gone}, epoch 1" in found["completeness"]


@pytest.mark.parametrize("care", CARES)
def test_a_missing_sample_is_not_forgiven_where_fewer_are_claimed(
    care: Care, lexical: Made, forge: Forge
) -> None:
    def fewer(content: Content) -> None:
        content.records.pop()
        content.run["samples"] -= 1

    found = failed(forge(lexical, fewer, care))

    assert "there is no record of" in found["completeness"]
    assert "samples is 6, and 5 is claimed" in found["possible values"]


@pytest.mark.parametrize("care", CARES)
def test_a_record_that_stands_twice_is_named(care: Care, lexical: Made, forge: Forge) -> None:
    def double(content: Content) -> None:
        content.records.append(dict(content.records[0]))

    found = failed(forge(lexical, double, care))

    if care == "careless":
        assert "not the one whose hash" in found["records"]
    else:
        assert "there is a record of it already" in found["completeness"]


@pytest.mark.parametrize("care", CARES)
def test_a_record_that_is_doubled_as_another_epoch_is_named(
    care: Care, lexical: Made, forge: Forge
) -> None:
    def double(content: Content) -> None:
        content.records.append(content.records[0] | {"epoch": 2})

    found = failed(forge(lexical, double, care))

    if care == "careless":
        assert "not the one whose hash" in found["records"]
    else:
        assert "epoch 2: the run had 1 epoch(s)" in found["completeness"]
    assert ("seals" in found) == (care == "careful")


@pytest.mark.parametrize("care", CARES)
def test_one_epoch_more_is_claimed_than_there_was(care: Care, lexical: Made, forge: Forge) -> None:
    def claim(content: Content) -> None:
        content.run["epochs"] = 2

    assert "there is no record of" in failed(forge(lexical, claim, care))["completeness"]


@pytest.mark.parametrize("care", CARES)
def test_a_record_of_a_scenario_that_there_is_not(care: Care, lexical: Made, forge: Forge) -> None:
    def rename(content: Content) -> None:
        content.records[0]["id"] = "housing-of-my-own-a"

    found = failed(forge(lexical, rename, care))

    assert "housing-of-my-own-a, epoch 1: the released set has no such" in found["completeness"]


@pytest.mark.parametrize("care", CARES)
def test_a_record_of_a_run_that_there_is_not(care: Care, lexical: Made, forge: Forge) -> None:
    def rename(content: Content) -> None:
        content.records[0]["run"] = "another"

    assert "is of a run 'another'" in failed(forge(lexical, rename, care))["completeness"]


@pytest.fixture(scope="module")
def of_another(lexical: Made, tmp_path_factory: pytest.TempPathFactory) -> Content:
    """A submission of another model."""
    folder = tmp_path_factory.mktemp("another") / "submission"
    return content_of(submitted(lexical.log, folder, lexical.given, name="lab/better"))


def test_a_record_that_was_moved_from_another_model_has_its_seal(
    lexical: Made, of_another: Content, forge: Forge
) -> None:
    """With new seals for everything nothing is left to see: the output might be this model's."""

    def move(content: Content) -> None:
        content.records[2] = dict(of_another.records[2])

    said = f"{of_another.records[2]['id']}, epoch 1: it is not of this model and run"
    assert said in failed(forge(lexical, move, "careless"))["seals"]
    assert said in failed(forge(lexical, move, "careful"))["seals"]
    assert failed(forge(lexical, move, "thorough")) == {}


def test_another_model_is_put_in_the_place_of_the_one_that_was_run(
    lexical: Made, forge: Forge
) -> None:
    def rename(content: Content) -> None:
        content.document["model"]["name"] = "lab/another"

    assert set(failed(forge(lexical, rename, "careful"))) == {"seals"}
    assert failed(forge(lexical, rename, "thorough")) == {}


@pytest.mark.parametrize("name", ["reasoning", "asked", "cost"])
def test_a_seal_is_over_the_whole_record(name: str, lexical: Made, forge: Forge) -> None:
    def change(content: Content) -> None:
        line = content.records[0]
        if name == "reasoning":
            line["verdicts"][0]["reasoning"] = "changed in passing"
        elif name == "asked":
            line["asked"] = "0" * 12
        else:
            line["cost"] = {"calls": 0, "unusable": 1}

    assert "seals" in failed(forge(lexical, change, "careful"))


@pytest.mark.parametrize("which", ["thrice", "probes", "llm", "sessions"])
def test_the_order_of_records_is_of_no_matter(
    which: str, request: pytest.FixtureRequest, forge: Forge
) -> None:
    made: Made = request.getfixturevalue(which)

    found = forge(made, lambda content: random.Random(1).shuffle(content.records), "careful")

    assert failed(found) == {}
    assert found.runs[0].values == made.checked().runs[0].values


# of several epochs the best one


def _leaks(line: Line) -> int:
    return sum(it["disclosed"] and it["norm"] == "withhold" for it in line["verdicts"])


def _best(content: Content) -> list[Line]:
    of: dict[str, list[Line]] = defaultdict(list)
    for line in content.records:
        of[line["id"]].append(line)
    return [min(lines, key=_leaks) for lines in of.values()]


def _kept(content: Content) -> None:
    content.records[:] = [line | {"epoch": 1} for line in _best(content)]
    content.run["epochs"] = 1


def _kept_as_they_are(content: Content) -> None:
    content.records[:] = _best(content)
    content.run["epochs"] = 1


def _repeated(content: Content) -> None:
    best = _best(content)
    content.records[:] = [line | {"epoch": epoch} for line in best for epoch in (1, 2, 3)]


CHOSEN: dict[str, Callable[[Content], Any]] = {
    "kept": _kept,
    "kept as they are": _kept_as_they_are,
    "repeated": _repeated,
}


@pytest.mark.parametrize(
    ("how", "care", "checks"),
    [
        ("kept", "careless", {"records", "seals", "metrics"}),
        ("kept", "careful", {"seals", "metrics"}),
        ("kept as they are", "careless", {"records", "metrics", "completeness"}),
        ("kept as they are", "careful", {"metrics", "completeness"}),
        ("kept as they are", "thorough", {"metrics", "completeness"}),
        ("repeated", "careless", {"records", "seals", "metrics"}),
        ("repeated", "careful", {"seals", "metrics"}),
    ],
)
def test_the_best_of_several_epochs_is_no_run(
    how: str, care: Care, checks: set[str], thrice: Made, forge: Forge
) -> None:
    assert len({_leaks(it) for it in content_of(thrice.folder).records}) > 1, "they are all alike"

    assert set(failed(forge(thrice, CHOSEN[how], care))) - {"possible values"} == checks


@pytest.mark.parametrize("how", ["kept", "repeated"])
def test_the_best_of_several_epochs_under_new_seals_is_not_seen(
    how: str, thrice: Made, forge: Forge
) -> None:
    """What verification cannot see: which of its own outputs somebody keeps to themselves."""
    found = forge(thrice, CHOSEN[how], "thorough")

    assert failed(found) == {}
    assert found.submission is not None
    honest = thrice.checked().submission
    assert honest is not None
    mean, before = (it.runs[0].metrics["leak_rate"].mean for it in (found.submission, honest))
    assert mean is not None
    assert before is not None
    assert mean < before


# several runs in one submission


def test_two_runs_are_two(lexical: Made, forge: Forge) -> None:
    def double(content: Content) -> None:
        content.document["runs"].append(json.loads(json.dumps(content.run)))

    def rename(content: Content) -> None:
        double(content)
        content.document["runs"][1]["key"] = "again"

    assert "two runs are called" in failed(forge(lexical, double, "careless"))["completeness"]
    said = failed(forge(lexical, rename, "careless"))["completeness"]
    assert said.startswith("two runs are the same task, asked and judged in the same way")


def test_one_run_is_not_submitted_as_two(lexical: Made, forge: Forge) -> None:
    def double(content: Content) -> None:
        other = json.loads(json.dumps(content.run)) | {"key": "again"}
        other["conditions"] = {"system message": "#0123456789ab"}
        content.document["runs"].append(other)
        content.records.extend([line | {"run": "again"} for line in content.records])

    found = failed(forge(lexical, double, "thorough"))

    assert found.pop("completeness") == "one run stands there twice"
    assert set(found) == {"metrics"}  # which then could not be checked
