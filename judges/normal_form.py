"""One normal form for words, numbers, money, dates, times, phone numbers and codes.

`€ 1.200,50`, `1,200.50 EUR` and `1200.5 euros` become the same token, so do `3 May 2025` and
`2025-05-03`. Tokens keep their place in the text, so that a match can be quoted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

Kind = Literal["word", "number", "phone", "date", "time", "code", "email"]


class Token(NamedTuple):
    """A token in normal form and where it stands in the text."""

    kind: Kind
    form: str
    start: int
    end: int


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_SCALES = {
    "k": 1_000,
    "thousand": 1_000,
    "million": 1_000_000,
    "bn": 1_000_000_000,
    "billion": 1_000_000_000,
}
_NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
    if number != 1  # "one" is mostly a pronoun
}
_CURRENCY_WORDS = (
    "eur|euros?|usd|dollars?|gbp|pounds?|chf|francs?|inr|rupees?|jpy|yen|cny|yuan|brl|reais|real|"
    "zar|rand|ngn|naira|kes|shillings?|sek|nok|dkk|kronor|kroner|pln|zloty|mxn|pesos?|cad|aud|nzd|"
    "sgd|aed|dirhams?|try|lira"
)
_CURRENCY_SIGN = r"[$€£¥₹₦₩₺₽¢]"
_UNITS = "mg|mcg|kg|g|ml|cl|l|km|cm|mm|m|h|hrs?|mins?|days?|weeks?|months?|years?"
_GROUP = r"[ ,.'’\u00a0\u202f]"

_AFTER = (
    r"(?:st|nd|rd|th)?(?:\s?(?P<scale>k|thousand|million|bn|billion)\b)?"
    r"(?:\s?(?P<percent>%|per\s?cent\b))?"
    rf"(?:\s?(?:{_CURRENCY_SIGN}|(?:{_CURRENCY_WORDS})\b))?"
)

_AFTER_NUMBER = _AFTER.replace("scale", "scale2").replace("percent", "percent2")

_SCANNER = re.compile(
    rf"""
    (?P<email>[\w.+-]{{1,64}}@[\w-]{{1,64}}(?:\.[\w-]{{1,64}}){{1,8}})
  | (?P<iso>\b(?P<iso_y>\d{{4}})-(?P<iso_m>\d{{1,2}})-(?P<iso_d>\d{{1,2}})(?!\d))(?:T(?=\d{{2}}:))?
  | (?P<dmy>\b(?P<dmy_d>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?P<dmy_m>{_MONTH})\b\.?
        (?:,?\s+(?P<dmy_y>\d{{4}})\b)?)
  | (?P<mdy>\b(?P<mdy_m>{_MONTH})\.?\s+(?P<mdy_d>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.]\d)
        (?:,?\s+(?P<mdy_y>\d{{4}})\b)?)
  | (?P<numeric_date>\b(?P<nd_a>\d{{1,2}})(?P<nd_s>[./])(?P<nd_b>\d{{1,2}})(?P=nd_s)
        (?P<nd_y>\d{{4}})\b)
  | (?P<time>(?<![\d.:])(?P<t_h>[01]?\d|2[0-3])(?:[:h](?P<t_m>[0-5]\d)(?::[0-5]\dZ?)?)(?!\d)
        \s*(?P<t_half>[ap]\.?m\b\.?)?)
  | (?P<clock>\b(?P<c_h>1[0-2]|[1-9])\s*(?P<c_half>[ap]\.?m\b\.?))
  | (?:(?:{_CURRENCY_SIGN}|\b(?:{_CURRENCY_WORDS}|us|ca|au|nz|r|kr)\s?{_CURRENCY_SIGN}
        |\b(?:{_CURRENCY_WORDS}|kr|r|rs|ksh|tsh|ush)\.?(?=\s?\d))\s?)?
    (?P<grouped>(?<![\d+(])(?:\d{{1,2}}(?:,\d{{2}}){{1,5}},\d{{3}}
        |\d{{1,3}}(?:{_GROUP}\d{{3}}){{1,6}}(?:[.,]\d{{1,2}})?)(?!\d|[ .\-/]\d|{_GROUP}\d)){_AFTER}
  | (?P<phone>(?<![\w])\+?\(?\d{{1,4}}\)?(?:[ \u00a0().\-/]{{1,2}}\d{{1,4}}){{2,8}}(?![\w]))
  | (?P<code>\b(?=[\w-]{{0,40}}\d)(?=[\w-]{{0,40}}[^\W\d_])
        (?!\d+(?:[.,]\d+)?(?:st|nd|rd|th|k|bn|{_UNITS}|{_CURRENCY_WORDS})\b)(?!\d+-[^\W\d_]{{3}})
        (?!(?:{_CURRENCY_WORDS}|kr|rs?|ksh|tsh|ush)\d)\w{{1,40}}(?:-\w{{1,40}}){{0,8}}\b)
  | (?:(?:{_CURRENCY_SIGN}|\b(?:{_CURRENCY_WORDS}|us|ca|au|nz|r|kr)\s?{_CURRENCY_SIGN}
        |\b(?:{_CURRENCY_WORDS}|kr|r|rs|ksh|tsh|ush)\.?(?=\s?\d))\s?)?
    (?P<number>\d{{1,18}}(?:[.,]\d{{1,18}})?){_AFTER_NUMBER}
  | (?P<word>[^\W_]+(?:['’][^\W_]+)*)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def tokens(text: str) -> list[Token]:
    """The tokens of `text` in normal form, in order of appearance."""
    found = []
    for match in _SCANNER.finditer(_foldable(text)):
        kind, form = _normal_form(match)
        found.append(Token(kind, form, match.start(), match.end()))
    return found


def same(one: Token, other: Token) -> bool:
    """Whether two tokens say the same thing.

    A date without a year matches that day in any year; a phone number of seven digits or more may
    be the end of another number, so that its national form meets the international one.
    """
    if one.form == other.form:
        return True
    if one.kind == other.kind == "date":
        return _same_date(one.form, other.form)
    if "phone" in (one.kind, other.kind):
        short, long = sorted((one.form.lstrip("0"), other.form.lstrip("0")), key=len)
        return len(short) >= 7 and short.isdigit() and long.endswith(short)
    return False


class TokenIndex:
    """The tokens of a text, so that many needles can be looked for in it."""

    def __init__(self, haystack: Sequence[Token]) -> None:
        self.tokens = haystack
        self._by_form: dict[str, list[int]] = {}
        self._dates: list[int] = []
        self._phones: list[int] = []
        for place, token in enumerate(haystack):
            self._by_form.setdefault(token.form, []).append(place)
            if token.kind == "date":
                self._dates.append(place)
            elif token.kind == "phone":
                self._phones.append(place)

    def places(self, token: Token) -> list[int]:
        """Where a token that says the same stands, in order."""
        if token.kind == "phone":
            return [at for at, other in enumerate(self.tokens) if same(token, other)]
        alike = self._dates if token.kind == "date" else []
        others = [at for at in (*alike, *self._phones) if same(token, self.tokens[at])]
        exact = self._by_form.get(token.form, [])
        return sorted({*exact, *others}) if others else exact

    def find(self, needle: Sequence[Token]) -> int | None:
        """Where `needle` begins as a contiguous run, or None."""
        if not needle:
            return None
        for start in self.places(needle[0]):
            run = self.tokens[start : start + len(needle)]
            if len(run) == len(needle) and all(map(same, needle, run)):
                return start
        return None


def find(needle: Sequence[Token], haystack: Sequence[Token]) -> int | None:
    """Index in `haystack` at which `needle` begins as a contiguous run, or None."""
    return TokenIndex(haystack).find(needle)


ESCAPED_SPACE = re.compile(r"\\[nrt]")
"""A line break or tab that was escaped once too often, as models do in tool arguments."""

_DASHES = "‐‑‒–—−"


def _foldable(text: str) -> str:
    """The text with look-alike characters folded one to one, so that positions stay."""
    return "".join(map(_folded, ESCAPED_SPACE.sub("  ", text)))


def _folded(char: str) -> str:
    if char in _DASHES:
        return "-"
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) == 1 else char


def _normal_form(match: re.Match[str]) -> tuple[Kind, str]:
    group = match.lastgroup
    get = match.group
    if get("email"):
        return "email", get("email").casefold()
    for prefix in ("iso", "dmy", "mdy"):
        if get(prefix):
            month = get(f"{prefix}_m").casefold()
            number = _MONTHS.get(month) or int(month)
            return "date", _date(get(f"{prefix}_y"), number, int(get(f"{prefix}_d")))
    if get("numeric_date"):
        day, month = int(get("nd_a")), int(get("nd_b"))
        if month > 12 >= day:  # month first
            day, month = month, day
        return "date", _date(get("nd_y"), month, day)
    if get("time") or get("clock"):
        return "time", _time(
            int(get("t_h") or get("c_h")), get("t_m") or "00", get("t_half") or get("c_half")
        )
    if get("phone"):
        digits = re.sub(r"\D", "", get("phone"))
        return "phone", digits
    if get("code"):
        return "code", re.sub(r"[-_]", "", get("code")).casefold()
    if get("grouped"):
        return "number", _number(get("grouped"), get("scale"), get("percent"))
    if get("number"):
        return "number", _number(get("number"), get("scale2"), get("percent2"))
    assert group is not None
    return _word(get("word"))


def _date(year: str | None, month: int, day: int) -> str:
    return f"{year or '----'}-{month:02d}-{day:02d}"


def _same_date(one: str, other: str) -> bool:
    years = {one[:4], other[:4]}
    return one[5:] == other[5:] and "----" in years


def _time(hour: int, minute: str, half: str | None) -> str:
    if half:
        hour = hour % 12 + (12 if half.casefold().startswith("p") else 0)
    return f"{hour:02d}:{minute}"


_GROUPED = re.compile(rf"(\d{{1,3}}(?:{_GROUP}\d{{2,3}})*{_GROUP}\d{{3}})(?:([.,])(\d{{1,2}}))?")


def _number(digits: str, scale: str | None, percent: str | None) -> str:
    groups = re.fullmatch(
        rf"(\d{{1,3}}(?:{_GROUP}\d{{2,3}})*{_GROUP}\d{{3}})(?:([.,])(\d{{1,2}}))?", digits
    )
    # a dot before three digits parts thousands, except in 0.125 and 7.125 %
    decimal = digits.startswith("0") or (percent and digits.count(".") == 1)
    if groups and not decimal:
        whole = re.sub(r"\D", "", groups[1])
        digits = f"{whole}.{groups[3]}" if groups[3] else whole
    elif digits.isdigit() and digits.startswith("0") and len(digits) > 1:
        return digits  # a code; its zeros count
    value = Decimal(digits.replace(",", "."))
    if scale:
        value *= _SCALES[scale.casefold()]
    return format(value.normalize(), "f") + ("%" if percent else "")


def _word(word: str) -> tuple[Kind, str]:
    folded = word.casefold().replace("’", "'")
    folded = folded.removesuffix("'s")
    if folded in _NUMBER_WORDS:
        return "number", str(_NUMBER_WORDS[folded])
    if len(folded) > 4 and folded.endswith("ies"):
        folded = folded[:-3] + "y"
    elif len(folded) > 3 and folded.endswith("s") and not folded.endswith(("ss", "us", "is")):
        folded = folded[:-1]
    return "word", folded
