"""One normal form for words, numbers, money, dates, times, phone numbers and codes.

`€ 1.200,50`, `1,200.50 EUR` and `1200.5 euros` become the same token, so do `3 May 2025` and
`2025-05-03`. What is written out in words is read in judges.number_words. Tokens keep
their place in the text, so that a match can be quoted.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from itertools import pairwise

from judges.number_words import MONTHS, NUMBER_WORDS, SCALES, date_form, spoken
from judges.tokens import Kind, Token, open_time

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_FOREIGN_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januar jänner janvier enero gennaio janeiro januari stycznia",
            "februar février fevrier febrero febbraio fevereiro februari lutego",
            "märz mars marzo março marco maart marca",
            "avril abril aprile kwietnia",
            "mai mayo maggio maio mei maj maja",
            "juni juin junio giugno junho czerwca",
            "juli juillet julio luglio julho lipca",
            "août aout agosto augustus augusti sierpnia",
            "septembre septiembre settembre setembro września",
            "oktober octobre octubre ottobre outubro października",
            "novembre noviembre novembro listopada",
            "dezember décembre decembre diciembre dicembre dezembro desember grudnia",
        ),
        start=1,
    )
    for name in names.split()
}
"""Of German, French, Spanish, Italian, Portuguese, Dutch, Swedish and Polish, after a day only."""
_ANY_MONTH = "|".join(sorted({*MONTHS, *_FOREIGN_MONTHS}, key=len, reverse=True))
_SCALE = "|".join(SCALES)
_CURRENCY_WORDS = (
    "eur|euros?|usd|dollars?|gbp|pounds?|chf|francs?|inr|rupees?|jpy|yen|cny|yuan|brl|reais|real|"
    "zar|rand|ngn|naira|kes|shillings?|sek|nok|dkk|kronor|kroner|pln|zloty|mxn|pesos?|cad|aud|nzd|"
    "sgd|aed|dirhams?|try|lira"
)
_CURRENCY_SIGN = r"[$€£¥₹₦₩₺₽¢]"
_UNITS = "mg|mcg|kg|g|ml|cl|l|km|cm|mm|m|h|hrs?|mins?|days?|weeks?|months?|years?"
_GROUP = r"[ ,.'’\u00a0\u202f]"

_AFTER = (
    r"(?:st|nd|rd|th)?(?:\s?(?P<scale>" + _SCALE + r")\b)?"
    r"(?:\s?(?P<percent>%|per\s?cent\b))?"
    rf"(?:\s?(?:{_CURRENCY_SIGN}|(?:{_CURRENCY_WORDS})\b))?"
)

_AFTER_NUMBER = _AFTER.replace("scale", "scale2").replace("percent", "percent2")

_SCANNER = re.compile(
    rf"""
    (?P<plain>[^\W\d_]++(?:['’][^\W\d_]++)*+(?=,?[ ][^\W\d]))  # most words by far
  | (?P<email>[\w.+-]{{1,64}}@[\w-]{{1,64}}(?:\.[\w-]{{1,64}}){{1,8}})
  | (?P<iso>\b(?P<iso_y>\d{{4}})(?P<iso_s>[-/])(?P<iso_m>\d{{1,2}})(?P=iso_s)
        (?P<iso_d>\d{{1,2}})(?!\d))(?:T(?=\d{{2}}:))?
  | (?P<dmy>\b(?P<dmy_d>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:(?:of|de|di)\s+)?
        (?P<dmy_m>{_ANY_MONTH})\b\.?(?:(?:,|\s+del?)?\s+(?P<dmy_y>\d{{4}})\b)?)
  | (?P<mdy>\b(?P<mdy_m>{_MONTH})\.?\s+(?P<mdy_d>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.]\d)
        (?:,?\s+(?P<mdy_y>\d{{4}})\b)?)
  | (?P<numeric_date>\b(?P<nd_a>\d{{1,2}})(?P<nd_s>[./-])(?P<nd_b>\d{{1,2}})(?P=nd_s)
        (?P<nd_y>\d{{4}}|\d\d(?![./]?\d))\b)
  | (?P<day_month>(?<![\w./])(?!24/7)(?:(?P<dm_d>1[3-9]|2\d|3[01])/(?P<dm_m>0?[1-9]|1[0-2])
        |(?P<md_m>0?[1-9]|1[0-2])/(?P<md_d>1[3-9]|2\d|3[01])
        |(?P<am_a>0\d|1[0-2])/(?P<am_b>0?[1-9]|1[0-2])|(?P<am_c>[1-9])/(?P<am_d>0[1-9]|1[0-2])
        )(?![\w/]|[.,]\d))
  | (?P<time>(?<![\d.:])(?P<t_h>[01]?\d|2[0-3])(?:[:h](?P<t_m>[0-5]\d)(?::[0-5]\dZ?)?)(?!\d)
        \s*(?P<t_half>[ap]\.?m\b\.?)?)
  | (?P<dotted_time>(?<![\d.:])(?P<p_h>1[0-2]|0?[1-9])\.(?P<p_m>[0-5]\d)\s*
        (?P<p_half>[ap]\.?m\b\.?))
  | (?P<clock>\b(?P<c_h>1[0-2]|[1-9])\s*(?P<c_half>[ap]\.?m\b\.?))
  | (?:(?:{_CURRENCY_SIGN}|\b(?:{_CURRENCY_WORDS}|us|ca|au|nz|r|kr)\s?{_CURRENCY_SIGN}
        |\b(?:{_CURRENCY_WORDS}|kr|r|rs|ksh|tsh|ush)\.?(?=\s?\d))\s?)?
    (?P<grouped>(?<![\d+(])(?:\d{{1,2}}(?:,\d{{2}}){{1,5}},\d{{3}}
        |\d{{1,3}}(?:{_GROUP}\d{{3}}){{1,6}}(?:[.,]\d{{1,2}})?)(?!\d|[ .\-/]\d|{_GROUP}\d)){_AFTER}
  | (?P<phone>(?<![\w])\+?\(?\d{{1,4}}\)?(?:[ \u00a0().\-/]{{1,2}}\d{{1,4}}){{2,8}}(?![\w]))
  | (?P<code>\b(?=[\w-]{{0,40}}\d)(?=[\w-]{{0,40}}[^\W\d_])
        (?!\d+(?:[.,]\d+)?(?:st|nd|rd|th|k|bn|{_UNITS}|{_CURRENCY_WORDS})\b)(?!\d+-[^\W\d_]{{3}})
        (?!(?:{_CURRENCY_WORDS}|kr|rs?|ksh|tsh|ush)\d)\w{{1,40}}(?:-\w{{1,40}}){{0,8}}\b)
  | (?P<paid>(?:{_CURRENCY_SIGN}|\b(?:{_CURRENCY_WORDS}|us|ca|au|nz|r|kr)\s?{_CURRENCY_SIGN}
        |\b(?:{_CURRENCY_WORDS}|kr|r|rs|ksh|tsh|ush)\.?(?=\s?\d))\s?)?
    (?P<number>\d{{1,18}}(?:[.,]\d{{1,18}})?)(?:(?(paid)(?P<millions>m(?:io|n)?\b)|(?!)))?
        {_AFTER_NUMBER}
  | (?P<word>[^\W_]+(?:['’][^\W_]+)*)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def tokens(text: str) -> list[Token]:
    """The tokens of `text` in normal form, in order of appearance."""
    found = []
    folded = _foldable(text)
    for match in _SCANNER.finditer(folded):
        if match.lastgroup == "plain":
            kind, form = _word(match.group())
            found.append(Token(kind, form, match.start(), match.end()))
            continue
        kind, form, *also = _normal_form(match)
        found.append(Token(kind, form, match.start(), match.end(), tuple(also)))
    return spoken(found, folded)


ESCAPED_SPACE = re.compile(r"\\[nrt]")
"""A line break or tab that was escaped once too often, as models do in tool arguments."""

_DASHES = "‐‑‒–—−"


class _Folding(dict[int, str]):
    """Look-alike characters and the digits of all scripts, filled as they are met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded(chr(code))
        return folded


_FOLDING = _Folding()


def _foldable(text: str) -> str:
    """The text with look-alike characters folded one to one, so that positions stay."""
    text = ESCAPED_SPACE.sub("  ", text) if "\\" in text else text
    return text if text.isascii() else text.translate(_FOLDING)


def _folded(char: str) -> str:
    if char in _DASHES:
        return "-"
    folded = unicodedata.normalize("NFKC", char)
    if len(folded) != 1:
        return char
    digit = unicodedata.decimal(folded, None)
    return folded if digit is None else str(digit)


_Readings = tuple[Kind, str, *tuple[tuple[Kind, str], ...]]


def _normal_form(match: re.Match[str]) -> _Readings:
    """Kind and form of a match, and the other readings that it allows."""
    get = match.group
    if get("word"):
        kind, form = _word(get("word"))
        return (kind, form, *_roman(get("word")))
    if get("email"):
        return "email", get("email").casefold()
    if get("time") or get("clock") or get("dotted_time"):
        return _clock(match)
    if get("phone"):
        return "phone", re.sub(r"\D", "", get("phone"))
    if get("code"):
        code = re.sub(r"[-_]", "", get("code")).casefold()
        return ("code", code, *_military(code))
    if get("grouped"):
        return "number", _number(get("grouped"), get("scale"), get("percent"))
    if get("number"):
        scale = "million" if get("millions") else get("scale2")
        form = _number(get("number"), scale, get("percent2"))
        return ("number", form, *_number_readings(match, form))
    day = _day(match)
    a, b = get("nd_a") or get("am_a") or get("am_c"), get("nd_b") or get("am_b") or get("am_d")
    if a and b and int(a) <= 12 and int(b) <= 12:  # either may be the month
        return "date", day, ("date", date_form(day[:4].strip("-"), int(a), int(b)))
    return "date", day


def _day(match: re.Match[str]) -> str:
    """The form of a date in any order of its parts."""
    get = match.group
    for prefix in ("iso", "dmy", "mdy"):
        if get(prefix):
            name = get(f"{prefix}_m").casefold()
            number = MONTHS.get(name) or _FOREIGN_MONTHS.get(name) or int(name)
            return date_form(get(f"{prefix}_y"), number, int(get(f"{prefix}_d")))
    if get("dm_d") or get("md_d"):
        month, day = get("dm_m") or get("md_m"), get("dm_d") or get("md_d")
        return date_form(None, int(month), int(day))
    if get("day_month"):
        first, second = get("am_a") or get("am_c"), get("am_b") or get("am_d")
        return date_form(None, int(second), int(first))
    one, other, year = int(get("nd_a")), int(get("nd_b")), get("nd_y")
    if other > 12 >= one:  # month first
        one, other = other, one
    return date_form(year if len(year) == 4 else f"20{year}", other, one)


def _clock(match: re.Match[str]) -> _Readings:
    get = match.group
    hour = get("t_h") or get("c_h") or get("p_h")
    minute = get("t_m") or get("p_m") or "00"
    half = get("t_half") or get("c_half") or get("p_half")
    form = _time(int(hour), minute, half)
    if half or hour.startswith("0") or not 1 <= int(hour) <= 12:
        return "time", form
    return "time", form, ("time", open_time(int(hour), int(minute)))


_DOTTED_TIME = re.compile(r"([01]?\d|2[0-3])\.([0-5]\d)")
_MILITARY_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)(?:h|hrs|hours)")
_ORDINAL = re.compile(r"(\d{1,3})(?:st|nd|rd|th)\b", re.IGNORECASE)
_ROMAN = re.compile(r"(?=[CXVI]{2,8}$)C{0,3}(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def _number_readings(match: re.Match[str], form: str) -> list[tuple[Kind, str]]:
    """A number may be a time with a dot, or say which one in a row is meant."""
    said = match["number"]
    clock = _DOTTED_TIME.fullmatch(said)
    if clock and match.end() == match.end("number"):
        hour, minute = int(clock[1]), int(clock[2])
        twice = 1 <= hour <= 12 and not clock[1].startswith("0")
        return [("time", open_time(hour, minute) if twice else f"{hour:02d}:{minute:02d}")]
    ordinal = _ORDINAL.match(match.string, match.start("number"))
    return [("ordinal", form)] if ordinal else []


def _military(code: str) -> list[tuple[Kind, str]]:
    clock = _MILITARY_TIME.fullmatch(code)
    return [("time", f"{clock[1]}:{clock[2]}")] if clock else []


def _roman(word: str) -> list[tuple[Kind, str]]:
    """A Roman numeral of two letters or more, in capitals: `IX` may be 9."""
    if not word.isupper() or not _ROMAN.fullmatch(word):
        return []
    digits = [_ROMAN_DIGITS[letter] for letter in word]
    signs = [-1 if after > one else 1 for one, after in pairwise([*digits, 0])]
    return [("number", str(sum(sign * digit for sign, digit in zip(signs, digits, strict=True))))]


def _time(hour: int, minute: str, half: str | None) -> str:
    if half:
        hour = hour % 12 + (12 if half.casefold().startswith("p") else 0)
    return f"{hour:02d}:{minute}"


_GROUPED = re.compile(rf"(\d{{1,3}}(?:{_GROUP}\d{{2,3}})*{_GROUP}\d{{3}})(?:([.,])(\d{{1,2}}))?")


def _number(digits: str, scale: str | None, percent: str | None) -> str:
    groups = _GROUPED.fullmatch(digits)
    # a dot before three digits parts thousands, except in 0.125 and 7.125 %
    one_sign = len(re.findall(r"\D", digits)) == 1
    decimal = one_sign and (digits.startswith("0") or (percent and "." in digits))
    if groups and not decimal:
        digits = re.sub(r"\D", "", groups[1]) + (f".{groups[3]}" if groups[3] else "")
    elif digits.isdigit() and digits.startswith("0") and len(digits) > 1:
        return digits  # a code; its zeros count
    if len(re.findall(r"\D", digits)) > 1:
        return re.sub(r"\D", "", digits)
    value = Decimal(re.sub(r"\D", ".", digits))
    if scale:
        value *= SCALES[scale.casefold()]
    return format(value.normalize(), "f") + ("%" if percent else "")


def _word(word: str) -> tuple[Kind, str]:
    folded = word.casefold().replace("’", "'")
    folded = folded.removesuffix("'s")
    if folded in NUMBER_WORDS:
        return "number", str(NUMBER_WORDS[folded])
    if len(folded) > 4 and folded.endswith("ies"):
        folded = folded[:-3] + "y"
    elif len(folded) > 3 and folded.endswith("s") and not folded.endswith(("ss", "us", "is")):
        folded = folded[:-1]
    return "word", folded
