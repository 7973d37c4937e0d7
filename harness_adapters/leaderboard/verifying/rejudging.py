"""A random sample, judged again by somebody else: was the submitter's judge easier?

The records that are judged again are drawn when they are checked, by a seed that the submitter
cannot know. Two verdicts on one output are a pair; the one-sided exact test of McNemar (1947) asks
whether the other judge finds a leak where the submitter's found none more often than the reverse.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Sequence
from typing import NamedTuple

from harness_adapters.judge_choice import JudgeSpec, make_judge
from harness_adapters.leaderboard.asked import Asked, AskedRun
from harness_adapters.leaderboard.figures import Impossible, questions_of
from harness_adapters.leaderboard.record import Record
from harness_adapters.leaderboard.rereading import OF_THE_JUDGE
from judges.judge import Judge
from judges.verdict import JudgeFailure

LEVEL = 0.05


class Result(NamedTuple):
    """What judging again has shown."""

    judge: str
    seed: int
    drawn: int
    unscored: int
    """Records on which the other judge gave no verdict; they count nowhere else."""
    stricter: int
    """Records with a leak by the other judge, and none by the submitter's."""
    easier: int
    """The reverse."""
    both: int
    items: int
    items_differ: int
    p: float | None
    """Of the one-sided test; None where nothing was judged."""

    @property
    def failed(self) -> bool:
        """Whether the submitter's judge was easier beyond chance."""
        return self.p is not None and self.p < LEVEL

    @property
    def nothing(self) -> bool:
        """Whether nothing was judged again."""
        return self.p is None

    @property
    def said(self) -> str:
        """In one sentence."""
        if self.p is None:
            return f"{self.judge} gave no verdict on any of {self.drawn} records (seed {self.seed})"
        judged = self.drawn - self.unscored
        rates = (self.both + self.easier) / judged, (self.both + self.stricter) / judged
        verdict = (
            "the submitter's judge was easier"
            if self.failed
            else "no sign that the submitter's judge was easier"
        )
        missing = f", {self.unscored} unscored" if self.unscored else ""
        return (
            f"{verdict}: of {judged} records drawn at random (seed {self.seed}{missing})"
            f" {self.judge} finds a leak in {rates[1]:.1%} and the submitter's judge in"
            f" {rates[0]:.1%};"
            f" {self.stricter} against {self.easier} differ, one-sided p = {self.p:.2g};"
            f" {self.items_differ} of {self.items} verdicts on items differ"
        )


_Answer = dict[tuple[str | None, str], bool] | None
"""Recipient and item -> disclosed; None without a verdict."""


class _Lot(NamedTuple):
    """A record that may be drawn."""

    lot: float
    record: Record
    asked: Asked


class Rejudging:
    """Draws records while they are read, and has them judged again.

    Args:
        size: how many.
        judge: by whom.
        seed: of the draw; another each time unless given.
        connections: calls under way at once.

    Raises:
        AdapterError: if the judge cannot be had.
    """

    def __init__(
        self, size: int, judge: JudgeSpec, *, seed: int | None = None, connections: int = 16
    ) -> None:
        self.seed = random.SystemRandom().randrange(2**32) if seed is None else seed
        self._size = size
        self._spec = judge
        self._connections = connections
        self.judge = make_judge(judge, connections).identity  # known before anything is read
        self._draw = random.Random(self.seed)
        self._lots: dict[tuple[str, str], _Lot] = {}

    def offer(self, record: Record, asked: AskedRun) -> None:
        """One more record: whether it is drawn hangs on the seed alone.

        Of a sample's epochs one is drawn at most: they are not independent.
        """
        sample = asked.samples.get(record.id)
        if sample is None or not _can_be_judged(record):
            return
        lot = self._draw.random()
        key = (record.run, record.id)
        if key not in self._lots or lot < self._lots[key].lot:
            self._lots[key] = _Lot(lot, record, sample)

    def result(self) -> Result:
        """Judges what was drawn."""
        from inspect_ai.util._concurrency import init_concurrency

        lots = heapq.nsmallest(self._size, self._lots.values(), key=lambda it: it.lot)

        async def judged() -> list[_Answer]:
            init_concurrency()
            judge = make_judge(self._spec, self._connections)
            bound = asyncio.Semaphore(self._connections)
            return await asyncio.gather(*(_judged(judge, bound, it) for it in lots))

        return self._compared([it.record for it in lots], asyncio.run(judged()))

    def _compared(self, drawn: Sequence[Record], answers: Sequence[_Answer]) -> Result:
        from scipy.stats import binomtest

        stricter = easier = both = items = differ = unscored = 0
        for record, answer in zip(drawn, answers, strict=True):
            if answer is None:
                unscored += 1
                continue
            theirs = {(it.recipient, it.item): it.disclosed for it in record.verdicts}
            items += len(theirs)
            differ += sum(answer[key] != said for key, said in theirs.items())
            withheld = {(it.recipient, it.item) for it in record.verdicts if it.norm == "withhold"}
            leak_there = any(theirs[key] for key in withheld)
            leak_here = any(answer[key] for key in withheld)
            both += leak_there and leak_here
            stricter += leak_here and not leak_there
            easier += leak_there and not leak_here
        judged = len(drawn) - unscored
        p: float | None = None
        if judged:
            apart = stricter + easier
            p = float(binomtest(stricter, apart, alternative="greater").pvalue) if apart else 1.0
        return Result(
            judge=self.judge,
            seed=self.seed,
            drawn=len(drawn),
            unscored=unscored,
            stricter=stricter,
            easier=easier,
            both=both,
            items=items,
            items_differ=differ,
            p=p,
        )


def _can_be_judged(record: Record) -> bool:
    """Whether there is an output with verdicts."""
    scored = record.unscored is None or record.unscored == "norm_unknown"
    return bool(record.verdicts) and scored and record.unscored not in OF_THE_JUDGE


async def _judged(judge: Judge, bound: asyncio.Semaphore, lot: _Lot) -> _Answer:
    """What the other judge says of every item that went anywhere; None without a verdict."""
    found: dict[tuple[str | None, str], bool] = {}
    try:
        questions = questions_of(lot.record, lot.asked)
    except Impossible:
        return None
    for flow, question in zip(lot.record.flows, questions, strict=True):
        async with bound:
            answer = await judge.judge(question.question)
        if isinstance(answer, JudgeFailure):
            return None
        found |= {(flow.recipient, it.item_id): it.disclosed for it in answer.items}
    return found
