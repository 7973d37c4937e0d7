"""What was found wrong, by what was looked at."""

from __future__ import annotations

from harness_adapters.leaderboard.checked import Check, Outcome
from judges.visible import visible

FILES = "files"
SCHEMA = "schema"
RECORDS = "records"
SETS = "released sets"
ASKED = "what was asked"
COMPLETE = "completeness"
SEALS = "seals"
POSSIBLE = "possible values"
REPLIES = "replies"
QUOTES = "quotes"
JUDGE = "judge identity"
CARD = "judge card"
VERDICTS = "verdicts"
METRICS = "metrics"
REJUDGED = "judged again"

ORDER = (
    FILES,
    SCHEMA,
    RECORDS,
    SETS,
    ASKED,
    COMPLETE,
    SEALS,
    POSSIBLE,
    REPLIES,
    QUOTES,
    JUDGE,
    CARD,
    VERDICTS,
    METRICS,
    REJUDGED,
)
"""In which they are told."""

_LONGEST = 300


def _line(text: str, longest: int = _LONGEST) -> str:
    """A text on one line, nothing in it hidden: submissions' own words stand in it."""
    return " ".join(visible(text).split())[:longest]


def _longest(check: str) -> int:
    """How much is said of a check: of what was judged again, something of each run."""
    return 20 * _LONGEST if check == REJUDGED else _LONGEST


class Findings:
    """Collects what is wrong, and what could not be looked at."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._count: dict[str, int] = {}
        self._unchecked: dict[str, tuple[str, bool]] = {}
        self._said: dict[str, str] = {}

    def wrong(self, check: str, what: str) -> None:
        """Something is wrong."""
        if check not in self._first:
            self._first[check] = _line(what, _longest(check))
        self._count[check] = self._count.get(check, 0) + 1

    def unchecked(self, check: str, why: str, *, required: bool) -> None:
        """Something could not be looked at."""
        known = self._unchecked.get(check)
        if known is None or (required and not known[1]):
            self._unchecked[check] = (_line(why), required)

    def fine(self, check: str, what: str) -> None:
        """What is said of a check in which nothing was wrong."""
        self._said[check] = _line(what, _longest(check))

    def failed(self, check: str) -> bool:
        """Whether something was wrong."""
        return check in self._first

    def checks(self) -> tuple[Check, ...]:
        """All that was looked at, in order."""
        return tuple(
            self._check(name)
            for name in ORDER
            if name in self._first or name in self._unchecked or name in self._said
        )

    def _check(self, name: str) -> Check:
        if name in self._first:
            more = self._count[name] - 1
            said = self._first[name] + (f" (and {more:,} more)" if more else "")
            return Check(name=name, outcome="failed", said=said)
        outcome: Outcome = "passed"
        if name in self._unchecked:
            said, required = self._unchecked[name]
            return Check(name=name, outcome="not checked", said=said, required=required)
        return Check(name=name, outcome=outcome, said=self._said[name])
