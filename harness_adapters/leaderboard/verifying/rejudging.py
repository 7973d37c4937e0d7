"""A random sample, judged again by somebody else: was the submitter's judge easier?

Of each run records are drawn while they are read, by a seed that the submitter cannot know. Two
verdicts on one output are a pair. One-sided exact sign tests (of yes and no: McNemar 1947) ask of
each run whether the submitter's judge came out on the kinder side more often than the other: no
leak where the other finds one, a higher `discernment`, helpful where the other says it is not. Holm
(1979) corrects for their number.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from harness_adapters.judge_choice import JudgeSpec, make_judge
from harness_adapters.leaderboard.asked import Asked, AskedRun
from harness_adapters.leaderboard.figures import Impossible, questions_of, score_of, sent_of
from harness_adapters.leaderboard.record import Record
from judges.judge import Judge
from judges.verdict import JudgeFailure, Usage
from privacy_tasks.scorers import Told, verdict_score

LEVEL = 0.05

_KINDER_IS_HIGHER: Mapping[str, bool] = {
    "leak_rate": False,
    "discernment": True,
    "helpful_rate": True,
}
"""What is compared, sample by sample, and which way the kinder judge errs."""


class SignTest(NamedTuple):
    """Of one figure: on how many samples the submitter's judge was kinder, and the other."""

    figure: str
    kinder: int
    stricter: int
    p: float
    """One-sided."""
    corrected: float
    """For the number of tests."""


class OfRun(NamedTuple):
    """What judging a run's records again has shown."""

    run: str
    same: bool
    """Whether the other judge is, by its identity, the submitter's own."""
    drawn: int
    unscored: int
    """Records on which the other judge gave no verdict; they count nowhere else."""
    leaks: tuple[int, int]
    """Among the others: with a leak by the submitter's judge, and by the other."""
    items: int
    items_differ: int
    tests: tuple[SignTest, ...]

    @property
    def judged(self) -> int:
        """Records with both verdicts."""
        return self.drawn - self.unscored

    @property
    def easier(self) -> SignTest | None:
        """The test that says so, if one does."""
        found = [test for test in self.tests if test.corrected < LEVEL]
        return min(found, key=lambda test: test.corrected, default=None)


class Result(NamedTuple):
    """What judging again has shown of a submission."""

    judge: str
    seed: int
    runs: tuple[OfRun, ...]

    @property
    def failed(self) -> bool:
        """Whether the submitter's judge was easier beyond chance."""
        return any(run.easier for run in self.runs)

    @property
    def nothing(self) -> bool:
        """Whether nothing was judged again."""
        return not any(run.judged for run in self.runs)

    @property
    def said(self) -> str:
        """On one line."""
        if not any(run.drawn for run in self.runs):
            return "there is nothing to judge again: no record has a verdict"
        if self.nothing:
            drawn = sum(run.drawn for run in self.runs)
            return f"{self.judge} gave no verdict on any of {drawn} records (seed {self.seed})"
        first = next((run for run in self.runs if run.easier), None)
        verdict = "no sign that the submitter's judge was easier"
        if first is not None and first.easier is not None:
            verdict = (
                f"the submitter's judge was easier: {first.easier.figure} of {first.run},"
                f" {first.easier.kinder} against {first.easier.stricter}, p ="
                f" {first.easier.corrected:.2g}"
            )
            if not first.same:
                verdict += " (another judge than the submitter's: this says that theirs is kinder)"
        return f"{verdict}; by {self.judge}, seed {self.seed}: {'; '.join(map(_told, self.runs))}"


def _told(run: OfRun) -> str:
    missing = f", {run.unscored} unscored" if run.unscored else ""
    return (
        f"{run.run}: of {run.judged} drawn{missing} {run.leaks[0]} leak by the submitter's judge"
        f" and {run.leaks[1]} by this one, {run.items_differ} of {run.items} verdicts on items"
        " differ"
    )


class Lot(NamedTuple):
    """A record that may be drawn."""

    lot: float
    record: Record
    asked: Asked


class Pair(NamedTuple):
    """Two judges' values of one record."""

    theirs: Mapping[str, float]
    here: Mapping[str, float]
    items: int
    items_differ: int


class Rejudging:
    """Draws records while they are read, and has them judged again.

    Args:
        size: how many of each run.
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
        self._lots: dict[str, dict[str, Lot]] = {}

    def offer(self, record: Record, asked: AskedRun) -> None:
        """One more record: whether it is drawn hangs on the seed alone.

        Of a sample's epochs one is drawn at most: they are not independent.
        """
        sample = asked.samples.get(record.id)
        if sample is None or not record.verdicts:
            return
        lot = self._draw.random()
        of_run = self._lots.setdefault(record.run, {})
        if record.id not in of_run or lot < of_run[record.id].lot:
            of_run[record.id] = Lot(lot, record, sample)

    def drawn(self) -> dict[str, list[Lot]]:
        """What is judged again, by run."""
        return {
            run: heapq.nsmallest(self._size, lots.values(), key=lambda it: it.lot)
            for run, lots in self._lots.items()
        }

    def result(self) -> Result:
        """Judges what was drawn."""
        from inspect_ai.util._concurrency import init_concurrency

        drawn = self.drawn()

        async def judged() -> list[Pair | None]:
            init_concurrency()
            judge = make_judge(self._spec, self._connections)
            bound = asyncio.Semaphore(self._connections)
            every = [lot for lots in drawn.values() for lot in lots]
            return await asyncio.gather(*(_judged(judge, bound, lot) for lot in every))

        answers = iter(asyncio.run(judged()))
        found = [
            of_run(run, lots, [next(answers) for _ in lots], self.judge)
            for run, lots in drawn.items()
        ]
        return Result(self.judge, self.seed, tuple(corrected(found)))


def of_run(run: str, lots: Sequence[Lot], answers: Sequence[Pair | None], judge: str) -> OfRun:
    """What two judges' values of a run's records say, before p-values are corrected.

    Args:
        run: its key.
        lots: what was drawn.
        answers: both judges' values of each; None without a verdict of the other.
        judge: identity of the other.
    """
    pairs = [pair for pair in answers if pair is not None]
    return OfRun(
        run=run,
        same=all(lot.record.judge == judge for lot in lots),
        drawn=len(lots),
        unscored=len(lots) - len(pairs),
        leaks=(
            sum(pair.theirs["leak_rate"] == 1 for pair in pairs),
            sum(pair.here["leak_rate"] == 1 for pair in pairs),
        ),
        items=sum(pair.items for pair in pairs),
        items_differ=sum(pair.items_differ for pair in pairs),
        tests=tuple(_tests(pairs)),
    )


def _tests(pairs: Sequence[Pair]) -> Iterator[SignTest]:
    """A test of each figure that both judges speak of."""
    from scipy.stats import binomtest

    for figure, higher in _KINDER_IS_HIGHER.items():
        apart = [
            (pair.theirs[figure] - pair.here[figure]) * (1 if higher else -1) for pair in pairs
        ]
        told = [it for it in apart if not math.isnan(it)]
        if not told:
            continue
        kinder, stricter = sum(it > 1e-9 for it in told), sum(it < -1e-9 for it in told)
        differ = kinder + stricter
        p = binomtest(kinder, differ, alternative="greater").pvalue if differ else 1.0
        yield SignTest(figure, kinder, stricter, float(p), float(p))


def corrected(runs: Sequence[OfRun]) -> Iterator[OfRun]:
    """The runs with the p-values of all their tests corrected by Holm."""
    from harness_adapters.collapse.significance import holm

    values = iter(holm([test.p for run in runs for test in run.tests]))
    for run in runs:
        tests = tuple(test._replace(corrected=next(values)) for test in run.tests)
        yield run._replace(tests=tests)


async def _judged(judge: Judge, bound: asyncio.Semaphore, lot: Lot) -> Pair | None:
    """What the other judge's verdicts make of a record; None without a verdict on all of it."""
    try:
        theirs: Any = score_of(lot.record, lot.asked).value
        questions = questions_of(lot.record, lot.asked)
    except Impossible:
        return None
    told: list[Told] = []
    for flow, question in zip(lot.record.flows, questions, strict=True):
        async with bound:
            answer = await judge.judge(question.question)
        if isinstance(answer, JudgeFailure):
            return None
        told.append(Told(sent_of(flow), question.who, question.items, answer))
    score = verdict_score(told, lot.asked.items, Usage())
    here: Any = score.value
    if "unscored" in (score.metadata or {}):
        return None
    own = {
        (it.flow.recipient, one.item_id): one.disclosed for it in told for one in it.verdict.items
    }
    differ = sum(own[it.recipient, it.item] != it.disclosed for it in lot.record.verdicts)
    return Pair(theirs, here, len(lot.record.verdicts), differ)
