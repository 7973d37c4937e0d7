from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness_adapters.cli import main
from harness_adapters.leaderboard.packing import (
    RecordsWriter,
    read_submission,
    write_document,
)
from harness_adapters.leaderboard.record import MemberSaid, Record, sealed
from harness_adapters.leaderboard.submission import Judge, Run
from harness_adapters.leaderboard.verifying import verification
from tests.harness_adapters.leaderboard.export import datastore
from tests.harness_adapters.leaderboard.export.submissions import (
    LLM,
    probing_run,
    replay_run,
    submission,
)

OTHER = "llm/anthropic/claude-sonnet-4-5/0a0a0a0a0a0a"


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def packed(folder: Path, *runs: Run, panel_of: str = "") -> Path:
    """A submission on disk, with one record; that of a panel's run has its members."""
    folder.mkdir()
    with RecordsWriter(folder / "records.jsonl.zst") as writer:
        members = tuple(MemberSaid(judge=judge) for judge in (LLM, OTHER)) if panel_of else ()
        bare = Record(
            run=panel_of or runs[0].key,
            id="s",
            epoch=1,
            asked="0" * 12,
            unscored="judge_error",
            members=members,
            seal="0" * 64,
        )
        writer.add(sealed(bare, "m", "r", "0" * 12))
    document = submission(*runs).model_copy(update={"records": writer.written})
    write_document(document, folder)
    return folder


@pytest.fixture(autouse=True)
def _believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """These submissions are of one made-up record: what is written of them is looked at here."""
    monkeypatch.setattr(verification, "verified", lambda place, *_: read_submission(place))


def test_what_is_not_verified_goes_nowhere(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    clone = tmp_path / "model"
    clone.mkdir()
    for more in (
        ("eval-results", place, "--into", clone, "--dataset", "acme/core"),
        ("every-eval-ever", place, "--into", clone, "--organization", "L", "--relationship",
         "other"),
    ):  # fmt: skip
        done = call(*more)
        assert done.exit_code == 1
        assert "submission is not verified: " in done.output
    assert list(clone.iterdir()) == []


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return packed(tmp_path / "submission", replay_run(), probing_run())


def test_results_go_into_the_clone_of_a_model(place: Path, tmp_path: Path) -> None:
    clone = tmp_path / "model"
    clone.mkdir()
    done = call("eval-results", place, "--into", clone, "--dataset", "acme/core", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"written": [str(clone / ".eval_results/privacy-tasks.yaml")]}
    one = call(
        "eval-results", place, "--into", clone, "--dataset", "acme/core", "--run", "agentic-replay"
    )
    assert "Left out: probing-vignette" in one.stderr
    assert "probing" not in (clone / ".eval_results/privacy-tasks.yaml").read_text()


def test_records_name_the_members_of_a_panel(tmp_path: Path) -> None:
    run = replay_run(judge=Judge(identity="panel/2/0123456789ab", models=(), card=None))
    place = packed(tmp_path / "submission", probing_run(), run, panel_of=run.key)
    done = call(
        "every-eval-ever", place, "--into", tmp_path / "store", "--organization", "Lab",
        "--relationship", "other", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    files = [Path(file) for file in json.loads(done.stdout)["written"]]
    reports = datastore.validated(tmp_path / "store", files)
    assert [(it["errors"], it["warnings"]) for it in reports] == [([], [])] * 2
    config = json.loads(files[1].read_text())["evaluation_results"][0]["metric_config"]
    assert [it["additional_details"]["identity"] for it in config["llm_scoring"]["judges"]] == [
        LLM,
        OTHER,
    ]


def test_data_and_register_are_written(tmp_path: Path) -> None:
    done = call("dataset", "--into", tmp_path / "core")
    assert done.exit_code == 0, done.output
    assert f"{tmp_path}/core/README.md" in done.stdout
    done = call(
        "inspect-evals", "--repository", "https://github.com/acme/x", "--commit", "a" * 40,
        "--maintainer", "somebody", "--into", tmp_path / "register",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert len(done.stdout.split()) == 3


def test_what_is_wrong_is_said_in_one_sentence(place: Path, tmp_path: Path) -> None:
    done = call("eval-results", place, "--into", tmp_path / "none", "--dataset", "acme/core")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.output
    gone = call("eval-results", tmp_path / "gone", "--into", tmp_path, "--dataset", "acme/core")
    assert (gone.exit_code, "There is no submission" in gone.stderr) == (1, True)
