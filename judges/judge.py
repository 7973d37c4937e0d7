"""What every judge can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from judges.question import Question
from judges.verdict import JudgeFailure, Verdict


class Judge(Protocol):
    """Whoever says what an output disclosed."""

    @property
    def identity(self) -> str:
        """A short name that changes whenever a verdict could."""
        ...

    @property
    def made_of(self) -> Mapping[str, str]:
        """What the identity stands for, for a reader; without secrets and addresses."""
        ...

    async def judge(self, question: Question) -> Verdict | JudgeFailure:
        """The verdict on all items, or the reason why there is none."""
        ...
