"""The panel: several judges, a majority for each item."""

from __future__ import annotations

from collections.abc import Sequence

from inspect_ai.util import collect

from judges.errors import JudgeError
from judges.identity import panel_identity
from judges.judge import Judge
from judges.question import Question
from judges.verdict import ItemVerdict, JudgeFailure, Usage, Verdict


class PanelJudge:
    """Asks every member, and goes by what most of all members say, item by item.

    A member without a verdict has no vote, and the majority is still one of all members: two of
    three decide, one of three does not. An item without a majority leaves the sample unscored
    (`panel_tie`). The quote is that of the first member who called the item disclosed. Helpfulness
    is the median of those who gave one, and None where its two middle values differ.

    Args:
        members: two or more judges, each of another identity; an odd number ties less often.

    Raises:
        JudgeError: if there are fewer, or one of them twice.
    """

    def __init__(self, members: Sequence[Judge]) -> None:
        identities = [member.identity for member in members]
        if len(members) < 2:
            raise JudgeError(f"A panel needs two or more judges, not {len(members)}.")
        if len(set(identities)) != len(members):
            raise JudgeError(
                f"Two members of the panel are the same judge: {', '.join(identities)}."
            )
        self._members = tuple(members)
        self.identity = panel_identity(identities)
        self.made_of = {
            f"member {number}": identity for number, identity in enumerate(identities, start=1)
        }

    async def judge(self, question: Question) -> Verdict | JudgeFailure:
        """The verdict of the majority, or the reason why there is none."""
        answers = await collect(*(member.judge(question) for member in self._members))
        return decided(question, answers, self.identity)


def decided(
    question: Question, answers: Sequence[Verdict | JudgeFailure], identity: str
) -> Verdict | JudgeFailure:
    """What a panel says, by what its members said.

    Args:
        question: what was asked.
        answers: of every member.
        identity: of the panel.
    """
    usage = sum((answer.usage for answer in answers), Usage())
    verdicts = [answer for answer in answers if isinstance(answer, Verdict)]
    failures = [answer for answer in answers if isinstance(answer, JudgeFailure)]
    needed = len(answers) // 2 + 1
    if len(verdicts) < needed:
        return JudgeFailure(
            reason=failures[0].reason,
            detail=f"{len(failures)} of {len(answers)} members gave no verdict; the first:"
            f" {failures[0].detail}",
            judge=identity,
            usage=usage,
            members=tuple(answers),
        )
    items, tied = [], []
    for place, item in enumerate(question.items):
        votes = [verdict.items[place] for verdict in verdicts]
        settled = _majority(votes, needed)
        if settled is None:
            tied.append(item.id)
        else:
            items.append(settled)
    if tied:
        return JudgeFailure(
            reason="panel_tie",
            detail=f"no majority of {len(answers)} members for: {', '.join(tied)}",
            judge=identity,
            usage=usage,
            members=tuple(answers),
        )
    return Verdict(
        items=tuple(items),
        helpfulness=_median([it.helpfulness for it in verdicts if it.helpfulness is not None]),
        helpfulness_reasoning="; ".join(
            it.helpfulness_reasoning for it in verdicts if it.helpfulness_reasoning
        ),
        judge=identity,
        usage=usage,
        members=tuple(answers),
    )


def _majority(votes: Sequence[ItemVerdict], needed: int) -> ItemVerdict | None:
    """The first vote of the side that has enough of them."""
    for disclosed in (True, False):
        side = [vote for vote in votes if vote.disclosed is disclosed]
        if len(side) >= needed:
            counted = f"{len(side)} of {len(votes)} votes: {side[0].reasoning}"
            return side[0].model_copy(update={"reasoning": counted})
    return None


def _median(values: Sequence[int]) -> int | None:
    """The middle value; None where there is none, or the two in the middle differ."""
    if not values:
        return None
    ordered = sorted(values)
    low, high = ordered[(len(values) - 1) // 2], ordered[len(values) // 2]
    return low if low == high else None
