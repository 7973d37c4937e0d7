"""Numbers, dates and times that are written out in words, or only in part.

`thirteen thousand six hundred and fifty`, `half a million`, `the third of May`, `quarter past two`;
and `the 8th`, which is a day of the month that was named before.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from decimal import Decimal

from judges.tokens import Kind, Token, open_time

MONTHS = {
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
SCALES = {
    "dozen": 12,
    "hundred": 100,
    "k": 1_000,
    "grand": 1_000,
    "thousand": 1_000,
    "lakh": 100_000,
    "mn": 1_000_000,
    "million": 1_000_000,
    "crore": 10_000_000,
    "bn": 1_000_000_000,
    "billion": 1_000_000_000,
}
_SMALL = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * number
    for number, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
NUMBER_WORDS = {word: number for word, number in {**_SMALL, **_TENS}.items() if number != 1}
"""Those that are numbers on their own; "one" is mostly a pronoun."""
_COUNTED = {**_SMALL, **_TENS}
_ORDINALS = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
        "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth".split(),
        start=1,
    )
} | {f"{word[:-1]}ieth": number for word, number in _TENS.items()}
_AMBIGUOUS_ORDINALS = {"first", "second"}  # at first, in a second
_SCALE_WORDS = {word: scale for word, scale in SCALES.items() if word.isalpha() and len(word) > 2}
_HALVES = {"half": Decimal("0.5"), "quarter": Decimal("0.25")}
_CLOCKS = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}
_OF_A_TIME = {"at", "by", "before", "after", "until", "till", "from", "around", "past"}
_STARTS = {
    "fortnight", *_ORDINALS, *_SCALE_WORDS, *_HALVES, *_CLOCKS, *MONTHS,
    "one", "a", "an",
}  # fmt: skip
_LISTED = {"and", "or", "to", "until", "till", "the", "through"}
_LONGEST_GAP = 2
_FARTHEST_MONTH = 60  # tokens


def spoken(found: list[Token], text: str) -> list[Token]:
    """The tokens with those in words put together, and further readings of the others."""
    starts = {
        place
        for place, token in enumerate(found)
        if token.kind == "number" or (token.kind == "word" and token.form in _STARTS)
    }
    if not starts:
        return _with_context(found, text)
    return _with_context(_measured(_joined(found, starts, text), text), text)


def date_form(year: str | None, month: int, day: int) -> str:
    """The form of a date, whose year may be open."""
    return f"{year or '----'}-{month:02d}-{day:02d}"


def _joined(found: list[Token], starts: Container[int], text: str) -> list[Token]:
    joined: list[Token] = []
    place = 0
    while place < len(found):
        token = found[place]
        read = None
        if place in starts:
            for reader in (_clock, _date, _number):
                read = reader(found, place, text)
                if read:
                    break
        if read is None:
            joined.append(token)
            place += 1
            continue
        kind, form, also, stop = read
        joined.append(Token(kind, form, token.start, found[stop - 1].end, also))
        place = stop
    return joined


_Read = tuple[Kind, str, tuple[tuple[Kind, str], ...], int]
"""Kind, form and other readings, and the place after the last token that was read."""


def _clock(found: Sequence[Token], place: int, text: str) -> _Read | None:
    """`half past nine`, `a quarter to six`, `ten minutes to seven`, `nine o'clock`, `noon`."""
    token, after = found[place], place + 1
    if token.form in _CLOCKS and token.kind == "word":
        return "time", _CLOCKS[token.form], (), place + 1
    if token.form in _HALVES:
        minutes = 30 if token.form == "half" else 15
        hour = _hour(found, after)
        if minutes == 30 and hour and hour > 1 and _adjoin(found, place, after + 1, text):
            follows = _form(found, after + 1)
            if follows not in ("past", "to", *SCALES):  # half eight, as the British say
                return "time", open_time(hour, 30), (), after + 1
    elif token.kind == "number" and token.form.isdigit() and len(token.form) < 3:
        value, stop, _ = _cardinal(found, place, text)
        minutes, after = (int(value), stop) if value and value < 60 else (int(token.form), after)
    else:
        return None
    if _form(found, after) == "o'clock":
        return ("time", open_time(minutes, 0), (), after + 1) if 1 <= minutes <= 12 else None
    if _form(found, after) == "minute":
        after += 1
    side = _form(found, after)
    hour = _hour(found, after + 1)
    if side not in ("past", "after", "to") or hour is None or not 0 < minutes < 60:
        return None
    if (side != "past" and minutes % 5) or not _adjoin(found, place, after + 2, text):
        return None
    form = open_time(hour, minutes) if side != "to" else open_time(hour + 11, 60 - minutes)
    stop = after + 2 + (_form(found, after + 2) == "o'clock")
    return "time", form, (), stop


def _date(found: Sequence[Token], place: int, text: str) -> _Read | None:
    """`the third of May`, `May the third`; days in figures beside a month are read before."""
    token, after = found[place], place + 1
    if token.kind == "word" and token.form in MONTHS:
        after += _form(found, after) == "the"
        read = _ordinal(found, after)
        if read is None or not _adjoin(found, place, read[1], text):
            return None
        day, stop = read
        month = MONTHS[token.form]
    else:
        read = _ordinal(found, place)
        if read is None:
            return None
        day, stop = read
        stop += _form(found, stop) == "of"
        month = MONTHS.get(_form(found, stop), 0)
        stop += 1
        if not month or not _adjoin(found, place, stop, text):
            return None
    year = found[stop] if stop < len(found) else None
    if year and year.kind == "number" and len(year.form) == 4 and year.form[:2] in ("19", "20"):
        return "date", date_form(year.form, month, day), (), stop + 1
    return "date", date_form(None, month, day), (), stop


def _number(found: Sequence[Token], place: int, text: str) -> _Read | None:
    """A number of several words; `9` and `nine` are numbers already."""
    value, stop, ordinal = _cardinal(found, place, text)
    if value is None:
        return None
    form = format(value.normalize(), "f")
    if not ordinal and _form(found, stop) in ("percent", "per", "%"):
        two = _form(found, stop) == "per"
        if not two or _form(found, stop + 1) == "cent":
            return "number", f"{form}%", (), stop + 1 + two
    if stop == place + 1 and found[place].kind == "number":
        return None
    return "number", form, (("ordinal", form),) if ordinal else (), stop


def _cardinal(
    found: Sequence[Token], place: int, text: str
) -> tuple[Decimal | None, int, bool]:  # value, stop, whether it says which one in a row
    total, current = Decimal(0), None
    largest, stop, at = Decimal(10) ** 12, place, place
    while at < len(found):
        token = found[at]
        if at > place and not _near(found[at - 1], token, text):
            break
        word = _said(token, text)
        after = _said(found[at + 1], text) if at + 1 < len(found) else ""
        if word in _COUNTED:
            count = _COUNTED[word]
            if current is None:
                if word == "zero":  # nothing goes on it
                    return (Decimal(0), at + 1, False) if at == place else (None, place, False)
                if word == "one" and after not in _SCALE_WORDS and not _half(found, at + 1):
                    break
                current = Decimal(count)
            elif _takes(current, count):
                current += count
            else:
                break
            if after == "point" and at + 2 < len(found):
                point = _said(found[at + 2], text)
                if point in _SMALL:
                    current += Decimal(_SMALL[point]) / (10 if _SMALL[point] < 10 else 100)
                    at += 2
        elif word in _ORDINALS and word not in ({"second", "first"} if current is None else ()):
            if current is not None and not _takes(current, _ORDINALS[word]):
                break
            return total + (current or 0) + _ORDINALS[word], at + 1, True
        elif word in _SCALE_WORDS:
            scale = Decimal(_SCALE_WORDS[word])
            if current is None:
                break
            if scale <= 100:
                if current >= 100:
                    break
                current *= scale
            elif scale < largest:
                total, current, largest = total + current * scale, Decimal(0), scale
            else:
                break
        elif word in ("a", "an") and after in _SCALE_WORDS and current is None:
            current = Decimal(1)
        elif word == "half" and current is None and after in ("a", *_SCALE_WORDS):
            scale_at = at + 1 + (after == "a")
            word = _form(found, scale_at)
            if word not in _SCALE_WORDS:
                break
            return _SCALE_WORDS[word] * Decimal("0.5"), scale_at + 1, False
        elif word == "and" and current is not None:
            if _half(found, at):
                current += _HALVES[_form(found, at + 2)]
                at += 2
            elif not (after in _COUNTED or after in _ORDINALS) or current % 100:
                break
            else:
                at += 1
                continue
        elif at == place and token.kind == "number" and token.form.isdigit() and after == "and":
            if not _half(found, at + 1):
                break
            current = Decimal(token.form)
        else:
            break
        at += 1
        stop = at
    if stop == place or current is None:
        return None, place, False
    return total + current, stop, False


def _half(found: Sequence[Token], place: int) -> bool:
    """Whether `and a half` stands there."""
    words = [_form(found, place + step) for step in range(3)]
    return words[:2] == ["and", "a"] and words[2] in _HALVES


def _takes(current: Decimal, count: int) -> bool:
    """Whether `count` goes on a number: five on twenty or on three hundred."""
    if current == 0 or (current >= 100 and current % 100 == 0):
        return count < 100
    return 20 <= current % 100 < 100 and current % 10 == 0 and 0 < count < 10


def _with_context(said: list[Token], text: str) -> list[Token]:
    """Adds what a number may be by what stands before or behind it."""
    changed = list(said)
    month: tuple[str, int] | None = None  # year and month last named, and where
    for place, token in enumerate(said):
        if token.kind == "date":
            month = (token.form[:7], place)
            _spread_over_list(changed, said, place)
        if token.kind != "number":
            continue
        more = [*_as_time(said, place, text), *_as_code(said, place, text)]
        more += _as_share(said, place, text)
        if month and place - month[1] < _FARTHEST_MONTH and ("ordinal", token.form) in token.also:
            more.append(("date", f"{month[0]}-{int(token.form):02d}"))
        if more:
            changed[place] = token._replace(also=(*token.also, *more))
    return changed


def _as_time(said: Sequence[Token], place: int, text: str) -> list[tuple[Kind, str]]:
    """`at nine`, `nine in the evening`, `at 0930` and `nine thirty` are times of day."""
    token = said[place]
    if not token.form.isdigit() or len(token.form) > 4:
        return []
    number, after = int(token.form), place + 1
    begins = place > 0 and said[place - 1].form in _OF_A_TIME
    if len(token.form) == 4 or (len(token.form) == 3 and token.end - token.start == 4):
        hour, minute = divmod(number, 100)
        good = begins and hour < 24 and minute < 60
        return [("time", f"{hour:02d}:{minute:02d}")] if good else []
    if number > 23:
        return []
    if after < len(said) and said[after].kind == "number" and _near(token, said[after], text):
        minute = int(said[after].form) if said[after].form.isdigit() else 0
        words = text[token.start].isalpha() and text[said[after].start].isalpha()
        return [("time", _open_or_not(number, minute))] if words and 10 <= minute < 60 else []
    parts = [_form(said, after + step) for step in range(3)]
    day = parts[:2] == ["in", "the"] and parts[2] in ("morning", "afternoon", "evening")
    return [("time", open_time(number, 0))] if 1 <= number <= 12 and (begins or day) else []


def _open_or_not(hour: int, minute: int) -> str:
    return open_time(hour, minute) if 1 <= hour <= 12 else f"{hour:02d}:{minute:02d}"


def _as_code(said: Sequence[Token], place: int, text: str) -> list[tuple[Kind, str]]:
    """`RD 5518` is RD-5518."""
    before = said[place - 1] if place else None
    if before is None or before.kind != "word" or len(before.form) > _LONGEST_PREFIX:
        return []
    letters = text[before.start : before.end]
    if not letters.isupper() or not _near(before, said[place], text):
        return []
    return [("code", (letters + text[said[place].start : said[place].end]).casefold())]


def _as_share(said: Sequence[Token], place: int, text: str) -> list[tuple[Kind, str]]:
    """`one in four` and `three out of four` are so many per cent."""
    parts = [_form(said, place - 1 - step) for step in range(3)]
    many = parts[1] if parts[0] == "in" else parts[2] if parts[:2] == ["of", "out"] else ""
    many = "1" if many == "one" else many
    whole = said[place].form
    if not (many.isdigit() and whole.isdigit() and len(many) < 4 and len(whole) < 5):
        return []
    if not 0 < int(many) < int(whole):
        return []
    return [("number", f"{_plain(Decimal(int(many)) * 100 / int(whole))}%")]


_LONGEST_PREFIX = 4


def _spread_over_list(changed: list[Token], said: Sequence[Token], place: int) -> None:
    """`8`, `15` and `22 October` are all days of October."""
    before = place - 1
    while before >= 0 and place - before < 8:
        token = said[before]
        if token.kind == "number" and token.form.isdigit() and 1 <= int(token.form) <= 31:
            day: tuple[Kind, str] = ("date", f"{said[place].form[:7]}-{int(token.form):02d}")
            changed[before] = changed[before]._replace(also=(*changed[before].also, day))
        elif token.form not in _LISTED:
            break
        before -= 1


_UNITS = {
    name: unit
    for unit, names in (
        ("hour", "h hr hrs"),
        ("minute", "min mins"),
        ("day", ""),
        ("week", ""),
        ("month", ""),
        ("mg", "milligram milligramme"),
        ("g", "gram gramme"),
        ("kg", "kilo kilogram"),
        ("ml", "millilitre milliliter"),
        ("l", "litre liter"),
        ("cm", "centimetre centimeter"),
        ("m", "metre meter"),
        ("km", "kilometre kilometer"),
    )
    for name in (unit, *names.split())
}
_LONGER_UNITS = {"minute": (60, 15, "hour"), "hour": (24, 24, "day"), "day": (7, 7, "week"),
                 "month": (12, 6, "year")}  # fmt: skip
"""Of each unit, how many make the next one, and in what steps one says it in that."""
_HALF_UNITS = {"hour", "day", "week", "month", "year"}


def _measured(found: list[Token], text: str) -> list[Token]:
    """Numbers with units: `11 h 30 min` is 11.5 hours, `an hour and a half` 1.5 of them."""
    measured: list[Token] = []
    place = 0
    while place < len(found):
        token = found[place]
        place += 1
        unit = _UNITS.get(_form(found, place))
        if token.form in ("a", "an", "half", "fortnight"):
            read = _half_unit(found, place - 1, text)
            if read:
                measured += read[0]
                place = read[1]
                continue
        if token.kind != "number" or unit is None or not _near(token, found[place], text):
            measured.append(token)
            continue
        name = found[place]._replace(form=unit, kind="word")
        minutes = _form(found, place + 1)
        if unit == "hour" and _UNITS.get(_form(found, place + 2)) == "minute" and minutes.isdigit():
            hours = Decimal(token.form) + Decimal(int(minutes[:3])) / 60
            token = token._replace(form=_plain(hours))
            name = name._replace(end=found[place + 2].end)
            place += 2
        elif unit in _LONGER_UNITS and token.form.isdigit() and len(token.form) < 7:
            many, step, longer = _LONGER_UNITS[unit]
            if int(token.form) % step == 0:
                other = _plain(Decimal(int(token.form)) / many)
                token = token._replace(also=(*token.also, ("number", other)))
                name = name._replace(also=(("word", longer),))
        measured += [token, name]
        place += 1
    return measured


def _half_unit(found: Sequence[Token], place: int, text: str) -> tuple[list[Token], int] | None:
    """`half an hour`, `an hour and a half`, `a fortnight`."""
    token = found[place]
    if token.form == "fortnight":
        middle = (token.start + token.end) // 2
        return [
            Token("number", "2", token.start, middle),
            Token("word", "week", middle, token.end),
        ], place + 1
    if token.form == "half":
        article, unit, stop, count = place + 1, place + 2, place + 3, "0.5"
        if _form(found, article) not in ("a", "an"):
            return None
    else:
        article, unit, stop, count = place, place + 1, place + 5, "1.5"
        if not _half(found, place + 2) or _form(found, place + 4) != "half":
            return None
    if _form(found, unit) not in _HALF_UNITS or not _adjoin(found, place, stop, text):
        return None
    return [
        Token("number", count, token.start, found[article].end),
        Token("word", found[unit].form, found[unit].start, found[stop - 1].end),
    ], stop


def _plain(value: Decimal) -> str:
    return format(value.quantize(Decimal("0.01")).normalize(), "f")


def _form(found: Sequence[Token], place: int) -> str:
    return found[place].form if 0 <= place < len(found) else ""


def _hour(found: Sequence[Token], place: int) -> int | None:
    form = _form(found, place)
    if form == "one":
        return 1
    return int(form) if form.isdigit() and len(form) < 3 and 1 <= int(form) <= 12 else None


def _ordinal(found: Sequence[Token], place: int) -> tuple[int, int] | None:
    """A day of the month in words or with an ending, and the place after it."""
    form = _form(found, place)
    if form in _ORDINALS and _ORDINALS[form] < 31:
        return _ORDINALS[form], place + 1
    token = found[place] if place < len(found) else None
    if token and ("ordinal", form) in token.also and form.isdigit() and 1 <= int(form) <= 31:
        return int(form), place + 1
    unit = _ORDINALS.get(_form(found, place + 1), 99)
    if form in ("20", "30") and unit < 10:
        return int(form) + unit, place + 2
    return None


def _said(token: Token, text: str) -> str:
    """A word as it stands in the text: `hundreds` is no number."""
    return text[token.start : token.end].casefold()


def _near(one: Token, other: Token, text: str) -> bool:
    return other.start - one.end <= _LONGEST_GAP and not text[one.end : other.start].strip(" -\n")


def _adjoin(found: Sequence[Token], start: int, stop: int, text: str) -> bool:
    return all(_near(found[at], found[at + 1], text) for at in range(start, stop - 1))
