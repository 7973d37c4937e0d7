"""A submission with what was checked of it: what the command says, and what the site is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from harness_adapters.leaderboard.submission import Run, Submission

Outcome = Literal["passed", "failed", "not checked"]


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True)

    name: str
    """What is looked at, in a few words: `metrics`, `completeness`."""
    outcome: Outcome
    said: str
    """What was found, on one line."""
    required: bool = True
    """Whether a submission of which this was not checked is not verified."""


class LeakedItem(NamedTuple):
    """An item that its recipient was not to have."""

    statement: str
    type: str
    why_not: str
    recipient: str
    quote: str | None
    """None where outputs are not published."""


class Leak(NamedTuple):
    """One output with leaks."""

    id: str
    epoch: int
    domain: str
    recipient: str
    purpose: str
    text: str | None
    """What went out; None where outputs are not published."""
    items: tuple[LeakedItem, ...]


class CheckedRun(NamedTuple):
    """A run, with what its records say of each sample."""

    run: Run
    values: Mapping[str, Mapping[str, float]]
    """Metric -> sample id -> mean over the epochs, of those samples that say something of it."""
    clusters: Mapping[str, str]
    """Sample id -> what it is not independent of."""
    leaks: tuple[Leak, ...]
    """Some of them, drawn at random but the same each time."""
    leaking: int
    """Records with a leak, in all."""
    outputs: Mapping[str, str] = {}
    """Sample and epoch -> short hash of what went out, where that is long and published."""


class Alike(NamedTuple):
    """How much of what two runs sent is word for word the same."""

    same: int
    of: int
    """Long outputs that both have."""

    @property
    def striking(self) -> bool:
        """Whether it is to be said: models that were hardly tuned do so as well."""
        return self.of >= _FEWEST_ALIKE and self.same * 2 >= self.of


_FEWEST_ALIKE = 20


def alike(one: CheckedRun, other: CheckedRun) -> Alike:
    """How much of what two runs sent is the same."""
    both = one.outputs.keys() & other.outputs.keys()
    return Alike(sum(one.outputs[key] == other.outputs[key] for key in both), len(both))


class Checked(NamedTuple):
    """What verification found."""

    name: str
    """Of its folder or file."""
    submission: Submission | None
    """None where it cannot be read."""
    checks: tuple[Check, ...]
    runs: tuple[CheckedRun, ...]
    """Empty where the records cannot be read."""

    @property
    def verified(self) -> bool:
        """Whether everything that has to be checked was, and nothing was found wrong."""
        return all(
            check.outcome == "passed" or (check.outcome == "not checked" and not check.required)
            for check in self.checks
        )

    @property
    def refuted(self) -> bool:
        """Whether something was found wrong, and not merely not looked at."""
        return any(check.outcome == "failed" for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """Why it is not verified."""
        return tuple(
            check
            for check in self.checks
            if check.outcome == "failed" or (check.outcome == "not checked" and check.required)
        )
