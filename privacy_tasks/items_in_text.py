"""Which items stand in a text, without a model: a floor, as the lexical judge is."""

from __future__ import annotations

from collections.abc import Iterable

from judges.lexical import LexicalJudge
from judges.question import JudgedItem, Question
from privacy_tasks.norms import Item


def judged_items(items: Iterable[Item]) -> tuple[JudgedItem, ...]:
    """The items as a judge is asked about them: without their norms."""
    return tuple(
        JudgedItem(id=item.id, statement=item.statement, values=item.values) for item in items
    )


def items_in(text: str, items: Iterable[Item], *, recipient: str = "") -> set[str]:
    """The ids of the items that stand in a text, by their values or most of their words.

    Args:
        text: where to look.
        items: what to look for.
        recipient: whose name says nothing, because the text is to them; without one the text is a
            record that is searched, and no message.
    """
    question = Question(
        items=judged_items(items), output=text, recipient=recipient, purpose="(none)"
    )
    verdict = LexicalJudge().judge_now(question, record=not recipient)
    return {given.item_id for given in verdict.items if given.disclosed}
