"""What a text consists of for the lexical judge, and when two parts of texts say the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Kind = Literal["word", "number", "ordinal", "phone", "date", "time", "code", "email"]

_FEWEST_DIGITS = 7  # of a phone number that may be the end of a longer one


class Token(NamedTuple):
    """A token in normal form and where it stands in the text."""

    kind: Kind
    form: str
    start: int
    end: int
    also: tuple[tuple[Kind, str], ...] = ()
    """Other readings of the same characters: `9.30` is a number, and may be a time."""

    @property
    def readings(self) -> tuple[tuple[Kind, str], ...]:
        """All the kinds and forms that it may have, the likeliest first."""
        return ((self.kind, self.form), *self.also)


def same(one: Token, other: Token) -> bool:
    """Whether two tokens say the same thing.

    A date without a year matches that day in any year, a time that leaves open which half of the
    day it means either of them; a phone number of seven digits or more may be the end of another
    number, so that its national form meets the international one.
    """
    if one.form == other.form:
        return True
    if not one.also and not other.also:
        return _same(one.kind, one.form, other.kind, other.form)
    return any(_same(*here, *there) for here in one.readings for there in other.readings)


class TokenIndex:
    """The tokens of a text, so that many needles can be looked for in it."""

    def __init__(self, haystack: Sequence[Token]) -> None:
        self.tokens = haystack
        self._places: dict[str, list[int]] = {}
        for place, token in enumerate(haystack):
            for kind, form in token.readings:
                for key in _keys(kind, form):
                    self._places.setdefault(key, []).append(place)

    def places(self, token: Token) -> list[int]:
        """Where a token that says the same stands, in order."""
        if token.kind == "word":
            return self._places.get(token.form, [])
        keys = [key for kind, form in token.readings for key in _keys(kind, form)]
        near = {place for key in keys for place in self._places.get(key, ())}
        return sorted(place for place in near if same(token, self.tokens[place]))

    def find(self, needle: Sequence[Token]) -> int | None:
        """Where `needle` first begins as a contiguous run, or None."""
        return next(self.all(needle), None)

    def all(self, needle: Sequence[Token]) -> Iterator[int]:
        """Where `needle` begins as a contiguous run.

        `the ninth cubicle` is a `cubicle 9` too.
        """
        if not needle:
            return
        for start in self.places(needle[0]):
            run = self.tokens[start : start + len(needle)]
            if len(run) == len(needle) and all(map(same, needle, run)):
                yield start
        if len(needle) == 2 and needle[1].kind == "number":
            for second in self.places(needle[0]):
                before = self.tokens[second - 1] if second else None
                if before and ("ordinal", needle[1].form) in before.also:
                    yield second - 1


def find(needle: Sequence[Token], haystack: Sequence[Token]) -> int | None:
    """Index in `haystack` at which `needle` begins as a contiguous run, or None."""
    return TokenIndex(haystack).find(needle)


def open_time(hour: int, minute: int) -> str:
    """The form of a time that leaves open which half of the day it means."""
    return f"{hour % 12}:{minute:02d}?"


def _keys(kind: Kind, form: str) -> tuple[str, ...]:
    """Under which a form is found; forms that may be the same share one."""
    if kind == "date":
        return (form[4:],)
    if kind == "time":
        return (_without_half(form),)
    if form.isdigit() and len(form) >= _FEWEST_DIGITS:
        return form, f"…{form[-_FEWEST_DIGITS:]}"
    return (form,)


def _same(kind: Kind, form: str, other_kind: Kind, other: str) -> bool:
    if kind == other_kind:
        if kind == "date":
            return form == other or (form[4:] == other[4:] and "----" in (form[:4], other[:4]))
        if kind == "time":
            return form == other or (
                form.endswith("?") != other.endswith("?")
                and _without_half(form) == _without_half(other)
            )
        if kind != "phone":
            return form == other
    if "phone" in (kind, other_kind):
        short, long = sorted((form.lstrip("0"), other.lstrip("0")), key=len)
        return len(short) >= _FEWEST_DIGITS and short.isdigit() and long.endswith(short)
    return form == other


def _without_half(form: str) -> str:
    """A time of day as the hands of a clock show it."""
    hour, minute = form.rstrip("?").split(":")
    return open_time(int(hour), int(minute))
