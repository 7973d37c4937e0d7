from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from huggingface_hub import EvalResultEntry, parse_eval_result_entries

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.export.eval_results import write_eval_results
from harness_adapters.leaderboard.submission import DataSet, Submission
from tests.harness_adapters.leaderboard.export.submissions import (
    DISCERNMENT,
    LLM,
    UNDEFINED,
    memory_run,
    probing_run,
    replay_run,
    submission,
)

SHA = "1234567890" * 4
PRIVACYLENS = DataSet(name="privacylens", version="9c2ee07", hash="2a8b3bfa470f")
OWN = DataSet(name="core:file", version="unversioned", hash="ffffffffffff")


def written(
    given: Submission,
    folder: Path,
    *,
    dataset: str = "acme/privacy",
    revision: str | None = SHA,
    source: str | None = "https://example.org/submission",
    runs: tuple[str, ...] = (),
) -> list[EvalResultEntry]:
    """What the hub's own client reads out of what was written."""
    (file,) = write_eval_results(
        given, folder, dataset=dataset, revision=revision, source=source, runs=runs
    )
    assert file == folder / ".eval_results" / "privacy-tasks.yaml"
    return parse_eval_result_entries(yaml.safe_load(file.read_text(encoding="utf-8")))


def test_each_run_has_its_headline_under_a_stable_id(tmp_path: Path) -> None:
    entries = written(submission(replay_run(), memory_run(), probing_run()), tmp_path)
    assert [(it.task_id, it.value) for it in entries] == [
        ("agentic_replay", 0.4875),
        ("memory_profile", 0.4875),
        ("probing_vignette", 0.81),
    ]
    first = entries[0]
    assert (first.dataset_id, first.dataset_revision) == ("acme/privacy", SHA)
    assert first.date == "2026-11-20T09:30:00+00:00"
    assert first.source_url == "https://example.org/submission"


def test_notes_say_what_a_value_hangs_on(tmp_path: Path) -> None:
    judged, read = written(submission(replay_run(), probing_run()), tmp_path)
    for told in (
        "discernment (higher is better), 95 % interval [0.4071, 0.5662], 61 clusters",
        f"judge {LLM}",
        "set core 2026.11.1 (a3548f07da23)",
        "inspect_ai 0.3.285, privacy-tasks 0.1.0",
        "force_action=false",
    ):
        assert told in (judged.notes or "")
    assert "turns" not in (judged.notes or "")  # not set
    assert "accuracy (higher" in (read.notes or "")
    assert "no judge" in (read.notes or "")


def test_without_a_source_or_revision_none_is_told(tmp_path: Path) -> None:
    (entry,) = written(submission(), tmp_path, revision=None, source=None)
    assert (entry.source_url, entry.source_name, entry.dataset_revision) == (None, None, None)


def test_the_papers_protocol_is_another_task_with_another_headline(tmp_path: Path) -> None:
    by_the_paper = probing_run(
        settings={"protocol": "paper"},
        metrics={"accuracy": UNDEFINED, "paper_accuracy": DISCERNMENT},
    )
    (entry,) = written(submission(by_the_paper), tmp_path)
    assert (entry.task_id, entry.value) == ("probing_vignette_paper", 0.4875)


def test_runs_on_other_published_sets_are_none_of_the_core_sets(tmp_path: Path) -> None:
    other = replay_run(key="on-privacylens", data=PRIVACYLENS)
    assert len(written(submission(replay_run(), other), tmp_path)) == 1
    with pytest.raises(AdapterError, match="on privacylens"):
        written(submission(replay_run(), other), tmp_path, runs=("on-privacylens",))
    with pytest.raises(AdapterError, match="No run"):
        written(submission(other), tmp_path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (submission(replay_run(metrics={"discernment": UNDEFINED})), "discernment is undefined"),
        (submission(replay_run(metrics={})), "discernment is undefined"),
        (submission(replay_run(), replay_run(key="b", data=OWN)), "somebody's own"),
        (submission(replay_run(), replay_run(key="again")), "agentic-replay, again.*--run"),
        (submission(replay_run(began="yesterday")), "no time in ISO 8601"),
        (submission(replay_run(mode="dream")), "no mode 'dream'"),
        (submission(replay_run(task="other/agentic")), "no task of this project"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_nothing_is_written(
    given: Submission, message: str, tmp_path: Path
) -> None:
    with pytest.raises(AdapterError, match=message):
        written(given, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_of_two_runs_of_a_task_the_user_names_one(tmp_path: Path) -> None:
    both = submission(replay_run(), replay_run(key="again", samples=10))
    (entry,) = written(both, tmp_path, runs=("again",))
    assert "10 samples" in (entry.notes or "")
    with pytest.raises(AdapterError, match="no run 'third'"):
        written(both, tmp_path, runs=("third",))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset": "privacy"}, "ORGANIZATION/NAME"),
        ({"dataset": "a/b/c"}, "ORGANIZATION/NAME"),
        ({"revision": "main"}, "40 hex digits"),
        ({"source": "see our page"}, "no address"),
    ],
)
def test_a_reference_that_the_hub_could_not_follow_is_refused(
    options: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(AdapterError, match=message):
        written(submission(), tmp_path, **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_the_clone_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="clone of the model's"):
        written(submission(), tmp_path / "nowhere")
