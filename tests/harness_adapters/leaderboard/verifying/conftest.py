"""Submissions of small runs, made once: tests forge copies of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from inspect_ai import eval as inspect_eval

from harness_adapters.leaderboard.asked import Given
from harness_adapters.leaderboard.checked import Checked
from harness_adapters.leaderboard.submission import Model
from harness_adapters.leaderboard.submitting.making import About, make_submission
from harness_adapters.leaderboard.verifying.rejudging import Rejudging
from harness_adapters.leaderboard.verifying.verification import verify
from judges.calibration.cards import read_cards
from privacy_tasks.sources.core import core_folder
from tests.conftest import ModelServer
from tests.harness_adapters.collapse.logs_made import ran
from tests.harness_adapters.leaderboard.forging import CARES, Care, Change, forged

LEAKY = {"leak": 0.6, "share": 0.8, "seed": 1}
PAIRS = 3


class Made(NamedTuple):
    """A submission, the log that it was made of, and the data that both need."""

    folder: Path
    log: Path
    given: Given

    def checked(self, place: Path | None = None, rejudging: Rejudging | None = None) -> Checked:
        """What is found of it, or of what was made out of it."""
        return verify(place or self.folder, self.given, read_cards(None), rejudging)


Forge = Callable[..., Checked]


def small_set(folder: Path, pairs: int = PAIRS) -> Path:
    """Some pairs of the core set as a set of one's own."""
    text = (core_folder() / "agentic" / "housing.yaml").read_text(encoding="utf-8")
    parts = text.split("\n- pair:")[:pairs]
    file = folder / "small.yaml"
    file.write_text("\n- pair:".join(parts) + "\n", encoding="utf-8")
    return file


def submitted(
    log: Path, folder: Path, given: Given, *, name: str = "lab/model", publish: bool = True
) -> Path:
    """A submission of a log."""
    model = Model(name=name, revision="1", access="closed", tuning=None, run_as="set by the log")
    make_submission(
        [log],
        folder,
        About(model),
        named=True,
        given=given,
        cards=read_cards(None),
        publish_outputs=publish,
    )
    return folder


def failed(checked: Checked) -> dict[str, str]:
    """What did not pass -> what is said of it; each on one line."""
    found = {check.name: check.said for check in checked.failures}
    assert all("\n" not in said and said.isprintable() for said in found.values())
    return found


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Given:
    return Given({"core": small_set(tmp_path_factory.mktemp("set"))})


def _made(
    tmp_path_factory: pytest.TempPathFactory, task: str, given: Given, **options: Any
) -> Made:
    folder = tmp_path_factory.mktemp("made")
    log = ran(task, folder / "logs", LEAKY, data=given.data("core"), **options)
    return Made(submitted(log, folder / "submission", given), log, given)


@pytest.fixture(scope="session")
def lexical(tmp_path_factory: pytest.TempPathFactory, small: Given) -> Made:
    """Replays, judged by the lexical judge."""
    return _made(tmp_path_factory, "agentic", small)


@pytest.fixture(scope="session")
def thrice(tmp_path_factory: pytest.TempPathFactory, small: Given) -> Made:
    """The same three times."""
    return _made(tmp_path_factory, "agentic", small, epochs=3)


@pytest.fixture(scope="session")
def probes(tmp_path_factory: pytest.TempPathFactory, small: Given) -> Made:
    return _made(tmp_path_factory, "probing", small)


@pytest.fixture(scope="session")
def episodes(tmp_path_factory: pytest.TempPathFactory, small: Given) -> Made:
    return _made(tmp_path_factory, "agentic", small, mode="episode")


@pytest.fixture(scope="session")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """After earlier conversations, with a memory tool."""
    file = core_folder() / "memory" / "profiles" / "midwife-student-kumasi.yaml"
    given = Given({"core": Path(str(file))})
    return _made(tmp_path_factory, "memory", given, mode="sessions", memory="tool")


@pytest.fixture(scope="session")
def grading(running_server: ModelServer) -> Iterator[ModelServer]:
    """The model server, while a run is made: its graders look for statements word for word."""
    with pytest.MonkeyPatch.context() as patch:
        running_server.reset()
        for name, value in running_server.env.items():
            patch.setenv(name, value)
        yield running_server


@pytest.fixture(scope="session")
def llm(tmp_path_factory: pytest.TempPathFactory, small: Given, grading: ModelServer) -> Made:
    """Replays, judged by a model."""
    return _judged(tmp_path_factory, small, "llm", {"grader": "openai/the-grader"})


@pytest.fixture(scope="session")
def panel(tmp_path_factory: pytest.TempPathFactory, small: Given, grading: ModelServer) -> Made:
    """Replays, judged by three models."""
    members = {"grader": "openai/a-grader", "grader_2": "openai/b-grader"}
    members["grader_3"] = "anthropic/c-grader"
    return _judged(tmp_path_factory, small, "panel", members)


def _judged(
    tmp_path_factory: pytest.TempPathFactory, given: Given, judge: str, roles: dict[str, Any]
) -> Made:
    folder = tmp_path_factory.mktemp(judge)
    (log,) = inspect_eval(
        "privacy_tasks/agentic",
        model="reference/mixed",
        model_args=dict(LEAKY),
        model_roles=roles,
        task_args={"data": given.data("core"), "judge": judge},
        log_dir=str(folder / "logs"),
        display="none",
        log_realtime=False,
        score_display=False,
    )
    assert log.status == "success", log.error
    file = Path(log.location)
    return Made(submitted(file, folder / "submission", given), file, given)


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """Forges a submission at each level of care, and says what is found of it."""

    def made(of: Made, change: Change, care: Care, rejudging: Rejudging | None = None) -> Checked:
        number = len(os.listdir(tmp_path))
        place = forged(of.folder, tmp_path / f"forged-{number}", change, care, of.given)
        return of.checked(place, rejudging)

    return made


__all__ = ["CARES", "Made", "failed", "small_set", "submitted"]
