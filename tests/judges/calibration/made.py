"""Gold cases and judges that tests make by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from judges.calibration.asking import Answer, AnswerFile, Ask, ask_all
from judges.calibration.gold import GoldCase, GoldSet, Half, Situation, cases_of
from judges.question import Question
from judges.verdict import FailureReason, ItemVerdict, JudgeFailure, Usage, Verdict

ITEMS = (("debt", "withhold"), ("illness", "withhold"), ("hour", "share"))


def situation(name: str, *outputs: Mapping[str, str], **changed: Any) -> dict[str, Any]:
    """A situation with three items, as YAML would give it; outputs are a, b, c, …"""
    made = {
        "id": name,
        "origin": "written",
        "recipient": "Rui",
        "purpose": "Write to Rui.",
        "items": [{"id": id_, "norm": norm, "statement": f"The {id_}."} for id_, norm in ITEMS],
        "outputs": [
            {"id": "abcdefgh"[place], "text": f"Text {place} of {name}.", "labels": dict(labels)}
            for place, labels in enumerate(outputs)
        ],
    }
    return made | changed


def gold_cases(half: Half, **situations: Sequence[Sequence[str]]) -> list[GoldCase]:
    """Cases from the kinds of the three items: situation -> for each output debt, illness, hour."""
    names = [name for name, _ in ITEMS]
    return [
        case
        for name, outputs in situations.items()
        for case in cases_of(
            Situation.model_validate(
                situation(name, *(dict(zip(names, kinds, strict=True)) for kinds in outputs))
            ),
            half,
        )
    ]


def gold_set(*cases: GoldCase) -> GoldSet:
    return GoldSet(tuple(cases), "0123456789ab")


def said(case: GoldCase, verdict: str, run: int = 1, **more: Any) -> Answer:
    """An answer: a letter for each item, x for disclosed."""
    items = [item.id for item in case.question.items]
    disclosed = {item: letter == "x" for item, letter in zip(items, verdict, strict=True)}
    return Answer(case=case.id, run=run, disclosed=disclosed, **more)


def failed(case: GoldCase, reason: FailureReason, run: int = 1, **more: Any) -> Answer:
    return Answer(case=case.id, run=run, disclosed=None, reason=reason, **more)


class ScriptedJudge:
    """Says what a function says: an item's verdict, or why there is none; counts what it is asked.

    Its answers come in another order than they were asked for.
    """

    identity = "scripted/1"
    made_of: Mapping[str, str] = {"kind": "scripted"}

    def __init__(
        self, reason: Callable[[Question, int], FailureReason | None] | None = None
    ) -> None:
        self.asked: list[Question] = []
        self.at_once = self.most_at_once = 0
        self._reason = reason or (lambda question, number: None)

    async def judge(self, question: Question) -> Verdict | JudgeFailure:
        self.asked.append(question)
        number = len(self.asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.0005 * (number % 3))
        self.at_once -= 1
        reason = self._reason(question, number)
        if reason:
            return JudgeFailure(
                reason=reason, detail=f"it was {reason}", judge=self.identity, usage=Usage(calls=1)
            )
        return Verdict(
            items=tuple(
                ItemVerdict(
                    item_id=item.id,
                    reasoning="",
                    quote=None,
                    disclosed=len(item.id + question.output) % 2 == 0,
                )
                for item in question.items
            ),
            helpfulness=1,
            judge=self.identity,
            usage=Usage(calls=1),
        )


def ask(
    judge: ScriptedJudge, wanted: Sequence[Ask], file: AnswerFile, connections: int = 4
) -> list[Answer]:
    """Asks what is wanted; the answers in the order in which they came."""
    came: list[Answer] = []
    asyncio.run(ask_all(judge, wanted, file, connections=connections, done=came.append))
    return came
