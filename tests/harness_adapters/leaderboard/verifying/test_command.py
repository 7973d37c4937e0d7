"""`privacy-tasks verify`: exit codes, and what it says."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness_adapters.cli.submit import submit
from harness_adapters.cli.verify import verify
from tests.conftest import ModelServer, command
from tests.harness_adapters.leaderboard.forging import Content, content_of, forged, write_document
from tests.harness_adapters.leaderboard.verifying.conftest import Made, failed, submitted


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as on a wide terminal: narrow ones fold what is looked for."""
    monkeypatch.setenv("COLUMNS", "200")


def ran(made: Made, *arguments: str | Path) -> Result:
    """The command in this process, with the data that the submission needs."""
    data = f"core:{made.given.paths['core']}"
    return CliRunner().invoke(verify, [*map(str, arguments), "--data", data])


def lower(content: Content) -> None:
    content.run["metrics"]["leak_rate"]["mean"] -= 1e-9


def test_the_real_command_makes_a_submission_and_checks_it(lexical: Made, tmp_path: Path) -> None:
    data = ("--data", f"core:{lexical.given.paths['core']}")
    about = ("--name", "lab/model", "--revision", "1", "--access", "closed")
    made = command(
        "privacy-tasks", "submit", lexical.log, "-o", "mine", *about, *data, cwd=tmp_path
    )
    assert made.returncode == 0, made.stderr
    assert sorted(it.name for it in (tmp_path / "mine").iterdir()) == [
        "records.jsonl.zst",
        "submission.json",
    ]

    forged(tmp_path / "mine", tmp_path / "forged", lower, "careless")
    found = command("privacy-tasks", "verify", "mine", "forged", *data, "--json", cwd=tmp_path)
    assert found.returncode == 2
    mine, other = json.loads(found.stdout)
    assert mine["verified"]
    assert not other["verified"]
    (metrics,) = (it for it in other["checks"] if it["outcome"] == "failed")
    assert metrics["name"] == "metrics"
    assert "leak_rate is" in metrics["said"]
    assert other["copies"]


def test_each_failure_stands_on_one_line(lexical: Made, tmp_path: Path) -> None:
    def spoil(content: Content) -> None:
        lower(content)
        content.records[0]["id"] = "a\nb\u202e\x1b[2Jc"
        content.records[1]["asked"] = "0" * 12

    place = forged(lexical.folder, tmp_path / "forged", spoil, "careful", lexical.given)
    result = ran(lexical, place)

    assert result.exit_code == 2
    assert "NOT VERIFIED" in result.output
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    lines = result.output.splitlines()
    for check in ("what was asked", "completeness", "seals"):
        (line,) = (it for it in lines if it.startswith(f"✗  {check} "))
        assert line.split(check, 1)[1].strip()
    assert "–  metrics" in result.output  # not checked, which is required
    said = " ".join(result.output.split())  # however wide the terminal is
    assert "a b⟨U+202E⟩⟨U+001B⟩[2Jc, epoch 1: the released set has no such sample" in said


def test_what_passed_and_what_could_not_be_checked_is_said(llm: Made, tmp_path: Path) -> None:
    result = ran(llm, llm.folder)

    assert result.exit_code == 0
    assert result.output.startswith("submission (lab/model, 1): verified")
    assert "✗" not in result.output
    assert "✓  quotes" in result.output
    assert "–  judge card" in result.output
    assert "(not required)" in result.output
    hashed = submitted(llm.log, tmp_path / "hashed", llm.given, publish=False)
    result = ran(llm, hashed)
    assert result.exit_code == 0
    assert "not checked: outputs are not published (not required)" in result.output


@pytest.mark.parametrize(
    "name", ["\x1b[2Jlab/model", "lab/\u202emodel", "lab/a\nb: verified", "[red]x"]
)
def test_names_show_what_they_hide(name: str, lexical: Made, tmp_path: Path) -> None:
    def rename(content: Content) -> None:
        content.document["model"]["name"] = name

    place = forged(lexical.folder, tmp_path / "forged", rename, "thorough", lexical.given)
    result = ran(lexical, place)

    assert result.exit_code == 0
    first = result.output.splitlines()[0]
    assert first.isprintable()
    assert first.endswith(", 1): verified")
    assert "[red]x" in first or name != "[red]x"


def test_the_name_of_a_judge_shows_what_it_hides(llm: Made, tmp_path: Path) -> None:
    def rename(content: Content) -> None:
        content.run["judge"]["identity"] = "llm/openai/\x1b[2J\u202e/0123456789ab"
        for line in content.records:
            line["judge"] = content.run["judge"]["identity"]

    place = forged(llm.folder, tmp_path / "forged", rename, "thorough", llm.given)
    output = ran(llm, place).output

    assert "llm/openai/⟨U+001B⟩[2J⟨U+202E⟩/0123456789ab" in output
    assert all(line.isprintable() for line in output.splitlines())


# several, and copies


def test_one_that_is_not_verified_is_enough(lexical: Made, probes: Made, tmp_path: Path) -> None:
    assert ran(lexical, lexical.folder, probes.folder).exit_code == 0
    forged_one = forged(lexical.folder, tmp_path / "forged", lower, "careless")
    result = ran(lexical, forged_one, probes.folder)
    assert result.exit_code == 2
    assert result.output.count("NOT VERIFIED") == 1
    assert result.output.count(": verified") == 1


def test_one_run_under_two_names_is_a_copy(lexical: Made, tmp_path: Path) -> None:
    other = submitted(lexical.log, tmp_path / "other", lexical.given, name="lab/better")

    result = ran(lexical, lexical.folder, other)

    assert result.exit_code == 2
    assert "NOT VERIFIED" not in result.output
    said = f"{other} holds the run of privacy_tasks/agentic that {lexical.folder} (lab/model) holds"
    assert said in result.output
    told = json.loads(ran(lexical, lexical.folder, other, "--json").output)
    assert [len(it["copies"]) for it in told] == [0, 1]


def test_a_copy_is_one_in_a_folder_of_the_same_name(lexical: Made, tmp_path: Path) -> None:
    other = submitted(lexical.log, tmp_path / lexical.folder.name, lexical.given, name="lab/better")
    assert other.name == lexical.folder.name

    assert ran(lexical, lexical.folder, other).exit_code == 2
    told = json.loads(ran(lexical, lexical.folder, other, "--json").output)
    assert [len(it["copies"]) for it in told] == [0, 1]


def test_a_submission_is_no_copy_of_itself(lexical: Made) -> None:
    assert ran(lexical, lexical.folder, lexical.folder).exit_code == 0


def test_an_archive_is_a_copy_of_its_folder(lexical: Made, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        for file in lexical.folder.iterdir():
            archive.write(file, file.name)

    assert ran(lexical, tmp_path / "mine.zip").exit_code == 0
    assert ran(lexical, tmp_path / "mine.zip", lexical.folder).exit_code == 2


def test_a_run_that_was_given_another_identity_is_not_seen_to_be_a_copy(
    lexical: Made, tmp_path: Path
) -> None:
    """What verification cannot see: a run is known by what its log was called."""

    def rename(content: Content) -> None:
        content.document["model"]["name"] = "lab/better"
        content.run["run_id"] = "0123456789ab"

    place = forged(lexical.folder, tmp_path / "forged", rename, "thorough", lexical.given)
    assert ran(lexical, lexical.folder, place).exit_code == 0


# what cannot be looked at


def test_what_is_not_there_ends_with_1(lexical: Made, tmp_path: Path) -> None:
    result = ran(lexical, tmp_path / "nowhere")

    assert result.exit_code == 1
    assert "There is no submission" in str(result.exception) + result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rejudge", "10"), "--rejudge and --judge go together"),
        (("--judge", "lexical"), "--rejudge and --judge go together"),
        (("--seed", "1"), "--seed is of the draw for --rejudge"),
        (("--rejudge", "0", "--judge", "lexical"), "0 is not in the range"),
        (("--luck",), "No such option"),
    ],
)
def test_wrong_options_end_with_1(options: Any, said: str, lexical: Made) -> None:
    result = ran(lexical, lexical.folder, *options)

    assert result.exit_code == 1
    assert said in result.output


def test_what_is_broken_ends_with_2_and_says_so(lexical: Made, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(lexical.folder, broken)
    write_document(broken, content_of(lexical.folder).document | {"format": 2})
    (tmp_path / "empty").mkdir()

    result = ran(lexical, broken, tmp_path / "empty")

    assert result.exit_code == 2
    assert "submission.json says format=2, and this version reads format 1" in result.output
    assert "It has no submission.json." in result.output
    told = json.loads(ran(lexical, broken, "--json").output)
    assert told[0]["model"] is None
    assert not told[0]["verified"]


def test_judging_again_is_asked_for_with_options(llm: Made, server: ModelServer) -> None:
    judge = ("--rejudge", "4", "--judge", "openai/the-grader", "--seed", "3")

    result = ran(llm, llm.folder, *judge)

    assert result.exit_code == 0
    assert "agentic-replay: of 4 drawn" in " ".join(result.output.split())


def test_a_judge_that_cannot_be_had_ends_with_1(llm: Made) -> None:
    result = ran(llm, llm.folder, "--rejudge", "4", "--judge", "nosuch/judge")

    assert result.exit_code == 1


def test_submitting_says_how_it_is_checked(lexical: Made, tmp_path: Path) -> None:
    arguments = [str(lexical.log), "-o", str(tmp_path / "mine"), "--revision", "1"]
    data = ["--access", "closed", "--name", "lab/a", "--data"]
    data.append(f"core:{lexical.given.paths['core']}")

    result = CliRunner().invoke(submit, arguments + data)

    assert result.exit_code == 0
    assert "privacy-tasks verify" in result.output
    assert failed(lexical.checked(tmp_path / "mine")) == {}


def test_a_folder_of_submissions_is_none(lexical: Made) -> None:
    """A slip, and no fault of the submissions."""
    result = ran(lexical, lexical.folder.parent)

    assert result.exit_code == 1
    assert "is no submission; it holds 1: name them, " in str(result.exception)


def test_what_is_unscored_is_said_and_what_comes_of_it(lexical: Made, tmp_path: Path) -> None:
    def fail(content: Content) -> None:
        for line in content.records[:3]:
            for name in ("flows", "verdicts", "reply", "cost"):
                line.pop(name, None)
            line["unscored"] = "target_error"

    place = forged(lexical.folder, tmp_path / "forged", fail, "thorough", lexical.given)
    result = ran(lexical, place)

    assert "Note: agentic-replay: 3 of 6 records are unscored (target_error 3); with less than" in (
        result.output
    )
    assert "90% judged it gets no rank." in result.output
    assert "Note" not in ran(lexical, lexical.folder).output


def test_outputs_of_another_are_pointed_out(lexical: Made, tmp_path: Path) -> None:
    """It is said and no fault: models that were hardly tuned do so as well."""
    import harness_adapters.leaderboard.checked as checked

    def rename(content: Content) -> None:
        content.document["model"]["name"] = "other/model"
        content.run["run_id"] = "0123456789ab"

    place = forged(lexical.folder, tmp_path / "forged", rename, "thorough", lexical.given)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checked, "_FEWEST_ALIKE", 3)
        result = ran(lexical, lexical.folder, place)

    assert result.exit_code == 0
    assert "long outputs of forged (agentic-replay) are word for word those of" in result.output
