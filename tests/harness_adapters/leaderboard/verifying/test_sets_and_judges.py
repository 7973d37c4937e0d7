"""What was asked, and who judged: under names that are not theirs."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from harness_adapters.errors import LogError
from harness_adapters.leaderboard.asked import SETTINGS, Given
from harness_adapters.leaderboard.verifying.verification import verify
from judges.calibration.card import JudgeCard
from judges.calibration.cards import read_cards
from privacy_tasks.agentic.task import agentic
from privacy_tasks.memory.task import memory
from privacy_tasks.probing.task import probing
from tests.harness_adapters.collapse.logs_made import changed, ran
from tests.harness_adapters.leaderboard.forging import CARES, Care, Content, forged
from tests.harness_adapters.leaderboard.verifying.conftest import (
    LEAKY,
    Forge,
    Made,
    failed,
    submitted,
)

# what was asked


def test_a_scenario_that_was_changed_in_the_log_is_not_submitted(
    lexical: Made, tmp_path: Path
) -> None:
    def shorten(sample: dict[str, Any]) -> None:
        sample["input"] = sample["input"][:1] + sample["input"][-1:]

    def forgive(sample: dict[str, Any]) -> None:
        for item in sample["metadata"]["items"]:
            item["norm"] = "share"

    for number, change in enumerate((shorten, forgive)):
        log = changed(lexical.log, tmp_path / str(number), sample=change)
        with pytest.raises(LogError, match="is not what the released scenario asks, though"):
            submitted(log, tmp_path / f"{number}-submission", lexical.given)


def test_an_output_that_was_changed_in_the_log_is_not_submitted(
    lexical: Made, tmp_path: Path
) -> None:
    def soften(sample: dict[str, Any]) -> None:
        sample["output"]["choices"][0]["message"]["tool_calls"] = None
        sample["output"]["choices"][0]["message"]["content"] = "I would rather not."

    log = changed(lexical.log, tmp_path / "log", sample=soften)
    with pytest.raises(LogError, match="is not what its reply"):
        submitted(log, tmp_path / "submission", lexical.given)


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("which", ["lexical", "probes", "sessions"])
def test_what_was_asked_is_what_the_set_asks(
    which: str, care: Care, request: pytest.FixtureRequest, forge: Forge
) -> None:
    def change(content: Content) -> None:
        content.records[0]["asked"] = "0123456789ab"

    found = failed(forge(request.getfixturevalue(which), change, care))

    assert "is not the released scenario" in found["what was asked"]


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize(
    ("where", "name", "value", "said"),
    [
        ("data", "hash", "0123456789ab", "set_hash is {own} in this version"),
        ("data", "version", "2026.1.1", "set_version is {own} in this version"),
        ("data", "name", "core", "set is {own} in this version"),
        ("run", "prompt_hash", "0123456789ab", "prompt_hash is {own} in this version"),
        ("run", "mode", "episode", "was run with mode={own}"),
    ],
)
def test_set_and_prompt_are_those_of_this_version(
    where: str, name: str, value: str, said: str, care: Care, lexical: Made, forge: Forge
) -> None:
    before: list[str] = []

    def change(content: Content) -> None:
        told = content.run if where == "run" else content.run["data"]
        before.append(told[name])
        told[name] = value

    found = failed(forge(lexical, change, care))["released sets"]

    assert said.format(own=before[0]) in found
    assert f"and {value} is claimed" in found


@pytest.mark.parametrize("care", CARES)
def test_a_setting_decides_what_was_asked(care: Care, lexical: Made, forge: Forge) -> None:
    def change(content: Content) -> None:
        content.run["settings"]["prompt"] = "privacy_enhanced"

    found = failed(forge(lexical, change, care))

    assert {"released sets", "what was asked"} & set(found)


HOSTILE: dict[str, Any] = {
    "another prompt": {"prompt": "such as there is none"},
    "a number": {"prompt": 7},
    "nothing": {"prompt": None},
    "many": {"tool_format": True},
    "no mode": {"mode": None},
    "another mode": {"mode": "profile"},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_settings_that_are_none_are_said_to_be(what: str, lexical: Made, forge: Forge) -> None:
    def change(content: Content) -> None:
        content.run["settings"].update(HOSTILE[what])

    assert {"released sets", "what was asked"} & set(failed(forge(lexical, change, "careless")))


@pytest.mark.parametrize("care", CARES)
def test_nobody_has_a_board_of_their_own_by_a_setting_that_there_is_not(
    care: Care, lexical: Made, forge: Forge
) -> None:
    def add(content: Content) -> None:
        content.run["settings"]["luck"] = 7

    said = failed(forge(lexical, add, care))["released sets"]
    assert said == "agentic-replay: privacy_tasks/agentic has no setting 'luck'."


@pytest.mark.parametrize("task", [agentic, memory, probing])
def test_every_setting_of_a_task_is_known(task: Any) -> None:
    of_task = set(inspect.signature(task).parameters)

    assert of_task - {"data", "domains", "judge", "labels", "user"} <= SETTINGS[task.__name__]


def test_a_setting_that_is_missing_is_named(lexical: Made, forge: Forge) -> None:
    found = failed(
        forge(lexical, lambda content: content.run["settings"].pop("prompt"), "careless")
    )

    assert "its settings lack 'prompt'" in found["released sets"]


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "core:/etc/passwd",
        "core:/etc/passwd:file",
        "../core",
        "https://a.example/core",
        "core\0",
        "cimemories:/etc/passwd",
        "~root",
    ],
)
def test_a_set_is_never_a_path_that_a_submission_names(
    name: str, lexical: Made, tmp_path: Path
) -> None:
    def change(content: Content) -> None:
        content.run["data"]["name"] = name

    place = forged(lexical.folder, tmp_path / "forged", change, "careless")
    found = failed(verify(place, Given(), {}))

    assert "released sets" in found
    assert "root:x" not in json.dumps(found)


@pytest.mark.parametrize(
    "task", ["privacy_tasks/other", "agentic", "privacy_collapse_agentic", "inspect_evals/agentic"]
)
def test_a_task_is_one_of_this_project_in_its_harness(
    task: str, lexical: Made, forge: Forge
) -> None:
    found = failed(forge(lexical, lambda content: content.run.update(task=task), "careless"))

    assert "is no task of this project in inspect_ai" in found["released sets"]


def test_scenarios_of_ones_own_are_not_released(lexical: Made, tmp_path: Path) -> None:
    """One word is another: whoever has them can check it, and nobody else."""
    text = lexical.given.paths["core"].read_text(encoding="utf-8")
    file = tmp_path / "own.yaml"
    file.write_text(text.replace("Obras Lisandro", "Obras Leandro"), encoding="utf-8")
    own = Given({"core": file})
    log = ran("agentic", tmp_path / "log", LEAKY, data=f"core:{file}")
    folder = submitted(log, tmp_path / "submission", own)

    without = verify(folder, Given(), read_cards(None))

    assert not without.verified
    (sets,) = (it for it in without.checks if it.name == "released sets")
    assert sets.outcome == "not checked"
    assert "which are not released. Whoever has them can name them: --data core:PATH" in sets.said
    assert failed(verify(folder, own, read_cards(None))) == {}
    others = failed(verify(folder, lexical.given, read_cards(None)))
    assert "set_hash is" in others["released sets"]
    assert "what was asked" in others


# who judged


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("which", ["lexical", "llm", "panel"])
def test_the_judge_of_the_run_is_the_judge_of_its_records(
    which: str, care: Care, request: pytest.FixtureRequest, forge: Forge
) -> None:
    made: Made = request.getfixturevalue(which)
    other = "llm/openai/gpt-4.1/0123456789ab"

    def in_document(content: Content) -> None:
        content.run["judge"] |= {"identity": other, "card": None}

    def in_records(content: Content) -> None:
        for line in content.records:
            line["judge"] = other

    found = failed(forge(made, in_document, care))
    assert f"{other} is said to have judged" in found["judge identity"]
    found = failed(forge(made, in_records, care))
    assert f"record says {other}" in found["judge identity"]


def test_the_name_of_a_model_that_judged_is_believed(llm: Made, forge: Forge) -> None:
    """What verification cannot see, unless a sample is judged again."""

    def rename(content: Content) -> None:
        content.run["judge"]["identity"] = "llm/openai/gpt-4.1/0123456789ab"
        for line in content.records:
            line["judge"] = content.run["judge"]["identity"]

    assert failed(forge(llm, rename, "thorough")) == {}
    assert set(failed(forge(llm, rename, "careful"))) == {"seals", "judge identity"}


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("name", ["lexical/99", "lexical/2", "lexical/x"])
def test_another_lexical_judge_does_not_judge_again(
    name: str, care: Care, lexical: Made, forge: Forge
) -> None:
    """Verdicts under its name would be free to choose."""

    def rename(content: Content) -> None:
        content.run["judge"] = {"identity": name, "models": [], "card": None}
        for line in content.records:
            line["judge"] = name
            for verdict in line["verdicts"]:
                if verdict["norm"] == "withhold":
                    verdict |= {"disclosed": False, "quote": None}

    found = forge(lexical, rename, care)

    assert not found.verified
    said = failed(found)["verdicts"]
    assert f"{name} is not the lexical judge of this version (lexical/3)" in said


@pytest.mark.parametrize(
    "name", ["", "gpt-4.1", "llm/gpt-4.1", "panel/1/0123456789ab", "lexical", "llm/a/b c/0" * 12]
)
def test_a_judge_has_the_name_of_one(name: str, llm: Made, forge: Forge) -> None:
    def rename(content: Content) -> None:
        content.run["judge"]["identity"] = name

    found = failed(forge(llm, rename, "careless"))

    assert "schema" in found or "is no judge's identity" in found["judge identity"]


@pytest.mark.parametrize("care", CARES)
def test_nobody_judges_probes_and_somebody_all_else(
    care: Care, probes: Made, lexical: Made, forge: Forge
) -> None:
    def add(content: Content) -> None:
        content.run["judge"] = {"identity": "lexical/3", "models": [], "card": None}

    def take(content: Content) -> None:
        content.run["judge"] = None
        for line in content.records:
            line.pop("judge", None)

    said = failed(forge(probes, add, care))["judge identity"]
    assert "answers to probes are judged by nobody" in said
    assert "nobody is named who judged" in failed(forge(lexical, take, care))["judge identity"]


# its card


def _lexical_card() -> dict[str, Any]:
    (card,) = read_cards(None).values()
    found: dict[str, Any] = json.loads(card.model_dump_json())
    return found


@pytest.mark.parametrize("care", CARES)
def test_a_card_is_of_the_judge(care: Care, llm: Made, forge: Forge) -> None:
    def add(content: Content) -> None:
        content.run["judge"]["card"] = _lexical_card()

    assert "the card is of lexical/3, not of llm/" in failed(forge(llm, add, care))["judge card"]


@pytest.mark.parametrize("care", CARES)
def test_a_card_that_was_changed_is_not_the_one_that_is_known(
    care: Care, lexical: Made, forge: Forge
) -> None:
    def better(content: Content) -> None:
        content.run["judge"]["card"]["made"] = "2020-01-01"

    said = failed(forge(lexical, better, care))["judge card"]
    assert said == "the card of lexical/3 is not the one that is known"


def test_a_card_that_nobody_else_has_is_the_submitters_own(llm: Made, tmp_path: Path) -> None:
    """What verification cannot see, unless it is given the card."""

    def add(content: Content) -> None:
        content.run["judge"]["card"] = _lexical_card() | {"judge": content.run["judge"]["identity"]}

    place = forged(llm.folder, tmp_path / "forged", add, "thorough", llm.given)
    found = llm.checked(place)
    assert found.verified
    (card,) = (it for it in found.checks if it.name == "judge card")
    assert card.outcome == "not checked"
    assert "is the submitter's own; to compare it with yours: --cards DIR" in card.said

    assert found.submission is not None
    judge = found.submission.runs[0].judge
    assert judge is not None
    assert judge.card is not None
    known: dict[str, JudgeCard] = {judge.identity: judge.card}
    assert verify(place, llm.given, known).verified
    known = {judge.identity: judge.card.model_copy(update={"made": "2020-01-01"})}
    assert "is not the one that is known" in failed(verify(place, llm.given, known))["judge card"]


def test_a_judge_that_was_not_validated_is_said_to_be(llm: Made) -> None:
    (card,) = (it for it in llm.checked().checks if it.name == "judge card")

    assert card.outcome == "not checked"
    assert card.said.endswith("was not validated")
