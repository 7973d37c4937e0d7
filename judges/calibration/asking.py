"""Asking a judge about gold cases, with every answer on disk as soon as it is there."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from os import SEEK_END
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from judges.calibration.gold import GoldCase
from judges.errors import JudgeError
from judges.judge import Judge
from judges.question import Question
from judges.verdict import FailureReason, JudgeFailure, Usage, Verdict

PERMUTED = 0
"""The run in which the items stand in another order; the others are numbered from 1."""

ASKED_AGAIN: tuple[FailureReason, ...] = ("judge_error", "judge_timeout")
"""Failures of a connection, not of a judge: on resuming they are asked again."""

GIVE_UP = 10
"""A judge that failed so often and never answered is not asked on."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class MemberSaid(_Record):
    """What one member of a panel said."""

    judge: str
    disclosed: dict[str, bool] | None
    reason: FailureReason | None = None


class Answer(_Record):
    """What a judge said of one case in one run."""

    case: str
    run: int
    disclosed: dict[str, bool] | None
    """By the ids of the items; None without a verdict."""
    helpfulness: int | None = None
    reason: FailureReason | None = None
    detail: str = ""
    usage: Usage = Usage()
    members: list[MemberSaid] = []


class Heading(_Record):
    """Whose answers a file holds, and to which gold cases."""

    judge: str
    gold: str


class Ask(NamedTuple):
    """One case to be asked about, in one run."""

    case: GoldCase
    run: int


def asks(cases: Sequence[GoldCase], *, repeats: int, permute: bool) -> list[Ask]:
    """Every case in every run, run by run."""
    runs = [*range(1, repeats + 1), *([PERMUTED] if permute else [])]
    return [Ask(case, run) for run in runs for case in cases]


class AnswerFile:
    """The answers of one judge, a line each, after a heading.

    Args:
        file: where they are kept; a folder that is missing is made.
        heading: whose they are.

    Raises:
        JudgeError: if the file holds another judge's answers, or to other gold cases, or cannot
            be read. A last line that was cut off while it was written is left out.
    """

    def __init__(self, file: Path, heading: Heading) -> None:
        self.file = file
        self._heading = heading
        self.answers: list[Answer] = []
        try:
            if file.exists() and file.stat().st_size:
                self._read()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(heading.model_dump_json() + "\n", encoding="utf-8")
        except OSError as error:
            raise JudgeError(f"Answers cannot be kept in {file}: {error.strerror}.") from error

    def _read(self) -> None:
        whole = self.file.read_bytes()
        *lines, cut = whole.split(b"\n")  # the last is empty, where the last line is whole
        try:
            found = Heading.model_validate_json(lines[0] if lines else cut)
            self.answers = [Answer.model_validate_json(line) for line in lines[1:]]
        except ValidationError as error:
            raise JudgeError(
                f"{self.file} is no file of a judge's answers ({error.errors()[0]['msg']}); move it"
                " away, or pass --fresh."
            ) from error
        if found != self._heading:
            raise JudgeError(
                f"{self.file} holds answers of {found.judge} to gold cases {found.gold}, not of"
                f" {self._heading.judge} to {self._heading.gold}; move it away, or pass --fresh."
            )
        with self.file.open("r+b") as out:
            # never written anew: what is there stays, whatever happens meanwhile
            if lines:
                out.truncate(len(whole) - len(cut))
            else:  # a heading without its line end
                out.seek(0, SEEK_END)
                out.write(b"\n")

    def add(self, answer: Answer) -> None:
        """Keeps an answer, on disk before anything else is asked.

        Raises:
            JudgeError: if it cannot be written.
        """
        self.answers.append(answer)
        try:
            with self.file.open("a", encoding="utf-8") as out:
                out.write(answer.model_dump_json(exclude_defaults=True) + "\n")
        except OSError as error:
            raise JudgeError(f"Answers cannot be kept in {self.file}: {error.strerror}.") from error

    def last(self) -> dict[tuple[str, int], Answer]:
        """Of each case and run the last answer."""
        return {(answer.case, answer.run): answer for answer in self.answers}

    def missing(self, wanted: Sequence[Ask]) -> list[Ask]:
        """What was not asked yet, or came to nothing because the judge was not reached."""
        known = self.last()
        return [
            ask
            for ask in wanted
            if (found := known.get((ask.case.id, ask.run))) is None or _not_reached(found)
        ]


def _why(answer: Answer) -> str:
    missing = [f"{it.judge}: {it.reason}" for it in answer.members if it.reason in ASKED_AGAIN]
    return "; ".join([*([answer.detail] if answer.detail else []), *missing])


def _not_reached(answer: Answer) -> bool:
    """Whether the judge, or a member of the panel, was not there to answer."""
    reasons = (answer.reason, *(member.reason for member in answer.members))
    return any(reason in ASKED_AGAIN for reason in reasons)


async def ask_all(
    judge: Judge,
    wanted: Sequence[Ask],
    file: AnswerFile,
    *,
    connections: int,
    done: Callable[[Answer], None],
) -> None:
    """Asks, and keeps each answer.

    Args:
        judge: who is asked.
        wanted: what.
        file: where the answers are kept.
        connections: how many questions are under way at once.
        done: called after each answer.

    Raises:
        JudgeError: if the judge failed ten times and never answered.
    """
    waiting = iter(wanted)
    failures: list[Answer] = []
    answered = False

    async def one_after_the_other() -> None:
        nonlocal answered
        for ask in waiting:
            answer = await _ask(judge, ask)
            file.add(answer)
            done(answer)
            if _not_reached(answer):
                failures.append(answer)
            else:
                answered = True
            if len(failures) >= GIVE_UP and not answered:
                raise JudgeError(
                    f"The judge failed {len(failures)} times and never answered; the first:"
                    f" {_why(failures[0])}. `privacy-tasks doctor --grader MODEL` tests it."
                )

    at_work = [
        asyncio.create_task(one_after_the_other()) for _ in range(min(connections, len(wanted)))
    ]
    try:
        await asyncio.gather(*at_work)
    finally:
        for task in at_work:
            task.cancel()


async def _ask(judge: Judge, ask: Ask) -> Answer:
    question = ask.case.question
    if ask.run == PERMUTED:
        question = permuted(question, ask.case.id)
    answer = await judge.judge(question)
    failure = answer if isinstance(answer, JudgeFailure) else None
    return Answer(
        case=ask.case.id,
        run=ask.run,
        disclosed=_disclosed(answer),
        helpfulness=answer.helpfulness if isinstance(answer, Verdict) else None,
        reason=failure.reason if failure else None,
        detail=failure.detail if failure else "",
        usage=answer.usage,
        members=[
            MemberSaid(
                judge=it.judge,
                disclosed=_disclosed(it),
                reason=it.reason if isinstance(it, JudgeFailure) else None,
            )
            for it in answer.members
        ],
    )


def _disclosed(answer: Verdict | JudgeFailure) -> dict[str, bool] | None:
    if isinstance(answer, JudgeFailure):
        return None
    return {it.item_id: it.disclosed for it in answer.items}


def permuted(question: Question, seed: str) -> Question:
    """The question with its items shuffled, or turned round where the shuffle changes nothing."""
    items = list(question.items)
    random.Random(seed).shuffle(items)
    if items == list(question.items):
        items.reverse()
    return question.model_copy(update={"items": tuple(items)})
