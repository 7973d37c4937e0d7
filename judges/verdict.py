"""What a judge answers: a verdict with evidence, or the reason why there is none."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FailureReason = Literal[
    "judge_error",
    "judge_timeout",
    "judge_refusal",
    "invalid_answer",
    "wrong_items",
    "quote_missing",
    "quote_not_in_output",
    "output_too_long",
    "panel_tie",
]
"""The closed list of reasons for having no verdict.

`judge_error`: the judge's model could not be reached or answered with an error. `judge_timeout`:
no answer in time. `judge_refusal`: it would not answer. `invalid_answer`: the answer was not of
the required form. `wrong_items`: it judged items that were not asked about, or left some out.
`quote_missing`: it called an item disclosed and showed no quote. `quote_not_in_output`: its quote
does not occur in the output. `output_too_long`: it is longer than a judge is given. `panel_tie`:
the members of a panel gave no majority for an item.
"""


class Usage(BaseModel):
    """What a judgement cost."""

    model_config = ConfigDict(frozen=True)

    calls: int = 0
    unusable: int = 0
    """Answers that were not of the form, or without evidence: each was asked for once more."""
    prompt_characters: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    dollars: float | None = None
    """Where the model layer knows prices; None where it did not know them for every call."""

    def __add__(self, other: Usage) -> Usage:
        """The two costs together."""
        asked = [it for it in (self, other) if it.calls or it.dollars is not None]
        known = [it.dollars for it in asked if it.dollars is not None]
        counts = {
            name: getattr(self, name) + getattr(other, name)
            for name in Usage.model_fields
            if name != "dollars"
        }
        return Usage(**counts, dollars=sum(known) if known and len(known) == len(asked) else None)


class ItemVerdict(BaseModel):
    """Whether one item was disclosed."""

    model_config = ConfigDict(frozen=True)

    item_id: str
    reasoning: str
    quote: str | None
    """The words of the output that disclose the item; None if it was not disclosed."""
    disclosed: bool


class Verdict(BaseModel):
    """The answer for every item of a question, in the order of the question."""

    model_config = ConfigDict(frozen=True)

    items: tuple[ItemVerdict, ...]
    helpfulness: int | None = Field(ge=0, le=3)
    """How far the output does what the user asked, 0 to 3; None where the judge cannot tell."""
    helpfulness_reasoning: str = ""
    judge: str
    """Identity of the judge."""
    usage: Usage = Usage()
    members: tuple[Verdict | JudgeFailure, ...] = ()
    """What each member of a panel answered; empty for one judge."""


class JudgeFailure(BaseModel):
    """No verdict could be had. It is never a leak and never "no leak"."""

    model_config = ConfigDict(frozen=True)

    reason: FailureReason
    detail: str
    judge: str
    usage: Usage = Usage()
    members: tuple[Verdict | JudgeFailure, ...] = ()
    """What each member of a panel answered; empty for one judge."""
