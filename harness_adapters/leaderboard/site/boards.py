"""Which runs may be ranked against each other, and what a board is in words."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from harness_adapters.collapse.report.wording import line
from harness_adapters.leaderboard.checked import Checked, CheckedRun
from harness_adapters.leaderboard.submission import Model, Run, Submission, board_of
from harness_adapters.runs.run import NO_JUDGE

HARNESSES = {"inspect_ai": "Inspect", "lm_eval": "lm-eval"}

USUAL: dict[str, tuple[str, ...]] = {
    "prompt": ("naive", "basic"),
    "tool_format": ("native",),
    "force_action": ("False",),
    "trigger": ("",),
    "cot": ("False",),
    "shots": ("0",),
    "protocol": ("paired",),
    "memory": ("history",),
    "turns": ("20",),
    "trajectory": ("auto",),
}
"""What the tasks do unless told otherwise, as boards have it; a heading does not repeat it."""

_USUAL_CONDITIONS: dict[str, tuple[str, ...]] = {
    "shots": ("0",),
    "shots as turns": ("False",),
    "system instruction": ("none",),
    "chat template": ("yes",),
}
_SAID_BY_THE_SET = "version"

_MODES = ("mode", "level")
"""What a task calls its mode."""

_SETTING, _CONDITION = "setting ", "condition "
"""Before the names of what a board is told apart by."""

_FAMILIES = ("agentic", "memory", "probing")


class Entry(NamedTuple):
    """One run on a board."""

    submission: Submission
    checked: CheckedRun
    slug: str
    """Of the submission's page."""

    @property
    def run(self) -> Run:
        """What is claimed of it, which verification found to be so."""
        return self.checked.run

    @property
    def model(self) -> Model:
        """Which model was run."""
        return self.submission.model


class Board(NamedTuple):
    """Runs that were asked the same and judged by the same judge."""

    key: tuple[tuple[str, str], ...]
    id: str
    """For links to it."""
    entries: tuple[Entry, ...]

    @property
    def first(self) -> Run:
        """Any of its runs: what a board says is the same of all."""
        return self.entries[0].run

    @property
    def task(self) -> str:
        """`Agentic · replay · Inspect`."""
        run = self.first
        return task_words(run.model_copy(update={"task": dict(self.key)["task"]}))

    @property
    def judge(self) -> str:
        """Who judged."""
        return judge_words(self.first)

    @property
    def data(self) -> str:
        """Name and version of the set."""
        return f"{self.first.data.name} {self.first.data.version}"

    @property
    def differs(self) -> tuple[tuple[str, str], ...]:
        """Settings and conditions that are not the usual ones."""
        settings = [
            (name.removeprefix(_SETTING), value)
            for name, value in self.key
            if name.startswith(_SETTING)
        ]
        conditions = [
            (name.removeprefix(_CONDITION), value)
            for name, value in self.key
            if name.startswith(_CONDITION)
        ]
        return (
            *(
                (name, value)
                for name, value in settings
                if value not in USUAL.get(name, ())
                and not (name in _MODES and value == self.first.mode)
            ),
            *(
                (name, value)
                for name, value in conditions
                if value not in _USUAL_CONDITIONS.get(name, ()) and name != _SAID_BY_THE_SET
            ),
        )


def boards_of(submissions: Sequence[Checked]) -> tuple[Board, ...]:
    """Every board, by task, then by set; the entries in an order that says nothing."""
    found: dict[tuple[tuple[str, str], ...], list[Entry]] = {}
    for one in submissions:
        assert one.submission is not None, "a verified submission could be read"
        for run in one.runs:
            entry = Entry(one.submission, run, slug_of(one.submission))
            found.setdefault(board_of(run.run), []).append(entry)
    boards = [
        Board(key, f"board-{_short(key)}", tuple(sorted(entries, key=_name)))
        for key, entries in found.items()
    ]
    return tuple(sorted(boards, key=_place))


def slug_of(submission: Submission) -> str:
    """Name of a submission's folder: a to z, figures, hyphens, and a hash of whose it is.

    Whatever a model is called, two never share a folder, and none leads out of the site.
    """
    model = submission.model
    readable = re.sub("[^a-z0-9]+", "-", model.name.lower())[:60].strip("-") or "model"
    return f"{readable}-{_short([model.name, model.revision, submission.records.sha256])}"


def task_words(run: Run) -> str:
    """A task with its mode and harness."""
    harness = HARNESSES[run.harness]
    return line(f"{_bare(run).replace('_', ' ').capitalize()} · {run.mode} · {harness}")


def judge_words(run: Run) -> str:
    """Who judged a run."""
    return line(run.judge.identity) if run.judge else NO_JUDGE


def _bare(run: Run) -> str:
    return run.task.removeprefix("privacy_tasks/").removeprefix("privacy_collapse_")


def _short(of: Iterable[object]) -> str:
    # as ASCII: half a surrogate pair is no UTF-8
    return hashlib.sha256(json.dumps(list(of)).encode("ascii")).hexdigest()[:12]


def _name(entry: Entry) -> tuple[str, str, str]:
    return entry.model.name.casefold(), entry.model.revision, entry.slug


def _place(board: Board) -> tuple[int, tuple[tuple[str, str], ...]]:
    family = _bare(board.first).partition("_")[0]
    return _FAMILIES.index(family) if family in _FAMILIES else len(_FAMILIES), board.key
