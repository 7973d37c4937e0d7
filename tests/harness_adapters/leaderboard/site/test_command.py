"""`privacy-tasks leaderboard`, with submissions that verification has already looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness_adapters.cli import main
from harness_adapters.leaderboard.checked import Check, Checked
from harness_adapters.leaderboard.verifying import verification
from tests.harness_adapters.leaderboard.site.made import laid_out, several


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["leaderboard", *map(str, arguments)])


@pytest.fixture
def submitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders of submissions, and what verification says of them."""
    them = several()
    places = [laid_out(it, tmp_path / f"submission-{n}") for n, it in enumerate(them)]
    known = dict(zip(places, them, strict=True))
    monkeypatch.setattr(verification, "verify", lambda place, given, cards: known[place])
    return places


def test_it_writes_a_site_and_says_where(submitted: list[Path], tmp_path: Path) -> None:
    result = call(*submitted, "-o", tmp_path / "site", "--title", "Our board")
    assert result.exit_code == 0, result.output
    assert "6 verified submissions, 21 files" in result.output
    assert "<title>Our board</title>" in (tmp_path / "site" / "index.html").read_text("utf-8")


def test_json_says_what_was_written(submitted: list[Path], tmp_path: Path) -> None:
    result = call(*submitted, "-o", tmp_path / "site", "--json")
    said = json.loads(result.stdout)
    assert said["submissions"] == 6
    assert len(said["written"]) == 21
    assert all((tmp_path / "site" / it).is_file() for it in said["written"])


def test_one_that_is_not_verified_ends_it_with_one_sentence(
    submitted: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Check(name="seals", outcome="failed", said="record 3 was changed")
    fine = verification.verify

    def verify(place: Path, given: object, cards: object) -> Checked:
        found = fine(place, given, cards)  # type: ignore[arg-type]
        return found._replace(name=place.name, checks=(wrong,)) if place == submitted[2] else found

    monkeypatch.setattr(verification, "verify", verify)
    result = call(*submitted, "-o", tmp_path / "site")
    assert result.exit_code == 1
    assert "submission-2 (seals: record 3 was changed)" in result.output
    assert result.stdout == ""
    assert not (tmp_path / "site").exists()


def test_what_is_no_submission_is_refused_by_verification_itself(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    place.mkdir()
    (place / "submission.json").write_text("{}")
    result = call(place, "-o", tmp_path / "site")
    assert result.exit_code == 1
    assert "mine (files: It has no records.jsonl.zst.)" in result.output
    assert not (tmp_path / "site").exists()


def test_a_folder_that_is_taken_is_refused_before_anything_is_verified(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("mine")
    result = call(tmp_path / "none", "-o", tmp_path / "site")
    assert result.exit_code == 1
    assert "'index.html', which is not of a leaderboard" in " ".join(result.output.split())
