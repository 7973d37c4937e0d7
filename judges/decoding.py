"""Undoes what hides words from a search: spelling, ciphers, encodings, joined words, acrostics.

Whatever can be undone without guessing is written out in place, so that the sentences around it
stay. Nothing depends on whether the result makes sense: a wrong decoding holds nothing that
anybody looks for.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import lru_cache
from itertools import pairwise
from string import ascii_lowercase
from typing import NamedTuple
from urllib.parse import unquote

from judges.words import FUNCTION_WORDS


class Piece(NamedTuple):
    """A passage of the text, and what it says when it is undone."""

    start: int
    end: int
    says: str


class Reading:
    """A text with hidden passages written out, which knows where all of it stood."""

    def __init__(self, text: str, pieces: Sequence[Piece], beside: Iterable[Piece] = ()) -> None:
        self._source = text
        parts: list[str] = []
        self._starts: list[int] = []  # in the reading, of each part
        self._origins: list[tuple[int, int | None]] = []  # in the source: start, end if hidden
        self._length = 0

        def add(part: str, start: int, end: int | None) -> None:
            self._starts.append(self._length)
            self._origins.append((start, end))
            self._length += len(part)
            parts.append(part)

        at = 0
        for piece in pieces:
            add(text[at : piece.start], at, None)
            add(f" {piece.says} ", piece.start, piece.end)
            at = piece.end
        add(text[at:], at, None)
        for piece in beside:
            add(f"\n{piece.says}\n", piece.start, piece.end)
        self.text = "".join(parts)

    def origin(self, start: int, end: int) -> tuple[int, int, bool]:
        """Where a run of the reading stood in the text, and whether it was hidden there."""
        part = bisect_right(self._starts, start) - 1
        begin, finish = self._origins[part]
        if finish is not None:
            return begin, finish, True
        first = begin + start - self._starts[part]
        return first, min(first + end - start, len(self._source)), False


def undone(text: str, wanted: Sequence[str]) -> Reading | None:
    """The text with everything written out that hides words; None if there is no such thing.

    Args:
        text: what may hide something.
        wanted: texts whose words are looked for; what only looks like a cipher is told from
            names and foreign words by them.
    """
    words = [_Word(*match.span(), match[0].casefold()) for match in _WORDS.finditer(text)]
    looked_for = {word for each in wanted for word in _words(each)}
    found: list[Piece] = []
    for undo in (_spelled, _bytes, _morse, _escapes, _invisible):
        found += undo(text)
    found += (piece for piece in _joined(text) if _may_tell(piece, looked_for))
    found += _phonetic(text, words)
    found += _digits(text, words)
    found += _substituted(text, words, wanted)
    found += _leet(text, looked_for)
    beside = list(_acrostics(text, looked_for))
    pieces = list(_apart(found))
    return Reading(text, pieces, beside) if pieces or beside else None


def _may_tell(piece: Piece, wanted: Set[str]) -> bool:
    """Whether a name has a figure, or a word that begins as one that is looked for.

    Most names of channels and fields have none, and need no reading of their own.
    """
    if any(char.isdigit() for char in piece.says):
        return True
    begins = {word[:_SHORTEST_WANTED] for word in wanted}
    return any(word[:_SHORTEST_WANTED] in begins for word in piece.says.casefold().split())


class _Word(NamedTuple):
    start: int
    end: int
    form: str


_WORDS = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=65536)
def _words(text: str) -> frozenset[str]:
    """The words that a text may be recognised by."""
    return frozenset(
        match[0] for match in _WORDS.finditer(text.casefold()) if len(match[0]) >= _SHORTEST_WANTED
    )


_SHORTEST_WANTED = 4


def _apart(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces in order, of those that overlap the longest."""
    kept: list[Piece] = []
    for piece in sorted(pieces, key=lambda it: (it.start, -it.end)):
        if kept and piece.start < kept[-1].end:
            if piece.end - piece.start > kept[-1].end - kept[-1].start:
                kept[-1] = piece
        else:
            kept.append(piece)
    return iter(kept)


# letters written one by one ----------------------------------------------------------------------

_SPELLED = re.compile(
    r"(?<![\w.*·/|-])[^\W_](?P<by>, | ?[-–·*./|_] ?| {1,2})[^\W_](?:(?P=by)[^\W_]){2,}"
    r"(?![\w*·/|]|[-.]\w)"
)


def _spelled(text: str) -> Iterator[Piece]:
    """`d-i-v-o-r-c-e`, `d i v o r c e`; with a space between words, or two."""
    for match in _SPELLED.finditer(text):
        yield Piece(*match.span(), match[0].replace(match["by"], ""))


_ALPHABET = {
    **{
        name[0]: name
        for name in "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike "
        "november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee "
        "zulu".split()
    }
}
_PHONETIC = {name: letter for letter, name in _ALPHABET.items()} | {
    "alfa": "a", "juliett": "j", "whisky": "w", "ray": "", "niner": "9", "fife": "5", "tree": "3",
    "fower": "4",
}  # fmt: skip
_FEWEST_LETTERS = 3
_LETTER_AS = re.compile(
    r"\b(?P<letter>[^\W\d_])(?: as in | like | for | wie | = ?)[\"'“]?[^\W\d_]{2,20}[\"'”]?"
)


def _phonetic(text: str, words: Sequence[_Word]) -> Iterator[Piece]:
    """`Delta India Victor …` and `D as in Delta, I as in India, …`."""
    run: list[_Word] = []
    for word in [*words, _Word(len(text) + 99, len(text) + 99, "")]:
        known = word.form in _PHONETIC or (run and word.form in _DIGITS)
        if run and (not known or word.start - run[-1].end > _WIDEST_GAP):
            if len(run) >= _FEWEST_LETTERS:
                yield Piece(run[0].start, run[-1].end, _letters(text, run))
            run = []
        if word.form in _PHONETIC or (run and known):
            run.append(word)
    named = list(_LETTER_AS.finditer(text)) if " as in " in text or " for " in text else []
    start = 0
    for place in range(1, len(named) + 1):
        if place < len(named) and named[place].start() - named[place - 1].end() <= _WIDEST_GAP:
            continue
        if place - start >= _FEWEST_LETTERS:
            letters = "".join(match["letter"] for match in named[start:place])
            yield Piece(named[start].start(), named[place - 1].end(), letters)
        start = place


_WIDEST_GAP = 5


def _letters(text: str, run: Sequence[_Word]) -> str:
    """The letters of a run; a sign that not all have between them parts words."""
    gaps = [text[one.end : after.start] for one, after in pairwise(run)]
    usual = Counter(gaps).most_common(1)[0][0]
    said = [_PHONETIC.get(word.form) or _DIGITS.get(word.form, "") for word in run]
    if any(gap == " " for gap in gaps):
        usual = " "
    ends = ["" if gap == usual or gap == "-" else " " for gap in gaps]
    return "".join(letter + end for letter, end in zip(said, [*ends, ""], strict=True))


# figures read one by one -------------------------------------------------------------------------

_DIGITS = {
    word: str(number)
    for number, word in enumerate("zero one two three four five six seven eight nine".split())
} | {"oh": "0", "nought": "0"}
_TEENS = {
    word: str(number)
    for number, word in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
        start=10,
    )
}
_TENS = {
    word: str(number)
    for number, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_TIMES = {"double": 2, "triple": 3}
_FEWEST_FIGURES = 3


def _digits(text: str, words: Sequence[_Word]) -> Iterator[Piece]:
    """`fifty-one ninety-three` read as 5193, as one reads out a code or a year."""
    run: list[_Word] = []
    for word in [*words, _Word(len(text) + 99, len(text) + 99, "")]:
        figure = word.form in _DIGITS or word.form in _TENS or word.form in _TEENS
        known = figure or word.form in _TIMES
        if run and (not known or text[run[-1].end : word.start].strip(" ,-–.\n")):
            figures = _figures(run)
            if len(run) > 1 and len(figures) >= _FEWEST_FIGURES:
                yield Piece(run[0].start, run[-1].end, figures)
            run = []
        if known:
            run.append(word)


def _figures(run: Sequence[_Word]) -> str:
    said, times, ten = "", 1, False
    for word in run:
        if word.form in _TIMES:
            times = _TIMES[word.form]
            continue
        if ten and word.form in _DIGITS and _DIGITS[word.form] != "0":
            said = said[:-1] + _DIGITS[word.form]
            ten = False
            continue
        ten = word.form in _TENS
        figures = f"{_TENS[word.form]}0" if ten else _DIGITS.get(word.form) or _TEENS[word.form]
        said += figures * times
        times = 1
    return said


# bytes written as text ---------------------------------------------------------------------------

_BASE64 = re.compile(r"(?<![\w+/=@.-])(?:[\w+/-]{56,}+\n)*+[\w+/-]{8,}+={0,2}(?![\w@])")
_HEX = re.compile(
    r"(?<![\w])(?:0x|\\x)?[0-9a-fA-F]{2}(?:(?P<by>[ :,-]?(?:0x|\\x)?)[0-9a-fA-F]{2})"
    r"(?:(?P=by)[0-9a-fA-F]{2}){2,}(?!\w)"
)
_BINARY = re.compile(r"(?<!\w)[01]{7,8}(?:[ ,-]?[01]{7,8}){2,}(?!\w)")
_DECIMAL = re.compile(
    r"(?<!\w)(?:[3-9]\d|1[01]\d|12[0-6])(?:(?:, ?|[ -])(?:[3-9]\d|1[01]\d|12[0-6])){3,}(?!\w)"
)


def _bytes(text: str) -> Iterator[Piece]:
    """Base64, hexadecimal, binary and decimal bytes."""
    for match in _BASE64.finditer(text):
        said = _base64(match[0])
        if said:
            yield Piece(*match.span(), said)
    if not any(digit in text for digit in "0123456789"):
        return
    for match in _HEX.finditer(text):
        said = _readable(
            bytes.fromhex("".join(re.findall(r"[0-9a-fA-F]{2}", re.sub(r"0x|\\x", " ", match[0]))))
        )
        if said:
            yield Piece(*match.span(), said)
    for pattern, figures, base in ((_BINARY, r"[01]{7,8}", 2), (_DECIMAL, r"\d+", 10)):
        for match in pattern.finditer(text):
            said = _readable(bytes(int(each, base) for each in re.findall(figures, match[0])))
            if said:
                yield Piece(*match.span(), said)


def _base64(coded: str) -> str | None:
    body = coded.replace("\n", "").replace("-", "+").replace("_", "/").rstrip("=")
    plain = body.isalpha() and (body.islower() or body[1:].islower() or body.isupper())
    if len(body) % 4 == 1 or (plain and "=" not in coded):
        return None  # a word
    try:
        return _readable(base64.b64decode(body + "=" * (-len(body) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None


def _readable(coded: bytes) -> str | None:
    try:
        said = coded.decode()
    except UnicodeDecodeError:
        return None
    return said if all(char.isprintable() or char in "\n\t\r" for char in said) else None


_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|&#\d{2,6};|&#x[0-9A-Fa-f]{2,5};){1,}")


def _escapes(text: str) -> Iterator[Piece]:
    """Bytes of addresses (`%C3%A9`) and of pages (`&#233;`), with the word that they stand in."""
    if not _ESCAPES.search(text):
        return
    for match in re.finditer(r"\S+", text):
        if _ESCAPES.search(match[0]):
            yield Piece(*match.span(), _ESCAPES.sub(_unescaped, match[0]))


def _unescaped(match: re.Match[str]) -> str:
    said = unquote(match[0])
    said = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda it: _char(int(it[1], 16)), said)
    said = re.sub(r"&#(\d{2,6});", lambda it: _char(int(it[1])), said)
    return re.sub(r"&#x([0-9A-Fa-f]{2,5});", lambda it: _char(int(it[1], 16)), said)


def _char(code: int) -> str:
    return chr(code) if 32 <= code < 0x110000 and not 0xD800 <= code < 0xE000 else " "


_MORSE_LETTERS = {
    code: letter
    for letter, code in zip(
        "abcdefghijklmnopqrstuvwxyz0123456789",
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- "
        ".-- -..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.".split(),
        strict=True,
    )
}
_MORSE = re.compile(r"(?<!\S)[.\-·•−–_]{1,6}(?:[ /|]{1,4}[.\-·•−–_]{1,6}){3,}(?!\w)")
_MORSE_SIGNS = str.maketrans("·•−–_", "..---")


def _morse(text: str) -> Iterator[Piece]:
    for match in _MORSE.finditer(text):
        said = [
            "".join(_MORSE_LETTERS.get(sign, "") for sign in word.split())
            for word in re.split(r" *[/|]+ *| {2,}", match[0].translate(_MORSE_SIGNS))
        ]
        if len("".join(said)) >= _FEWEST_LETTERS:
            yield Piece(*match.span(), " ".join(said))


# words that are joined, or parted by signs that nobody sees ------------------------------------

_NAME = re.compile(r"(?<![\w@./-])[^\W_]+(?:[-_+.][^\W_]+){1,40}(?![\w@])")
_ENDING = re.compile(r"\.[a-z][a-z0-9]{1,4}$", re.IGNORECASE)
_HUMPS = re.compile(r"(?<!\w)(?:[A-Z][a-z]++\d*+){3,40}(?!\w)")
_FEWEST_HYPHENS = 3


def _joined(text: str) -> Iterator[Piece]:
    """Names of files and channels: `Two-months-unpaid_1180-EUR.pdf`, `TwoMonthsUnpaid`."""
    for match in _NAME.finditer(text):
        name = match[0]
        if "_" in name or name.count("-") >= _FEWEST_HYPHENS or _ENDING.search(name):
            yield Piece(*match.span(), re.sub(r"[-_+.](?!\d)|(?<!\d)[-_+.]|_", " ", name))
    for match in _HUMPS.finditer(text):
        yield Piece(*match.span(), re.sub(r"(?<=[^\W_])(?=[A-Z]|(?<!\d)\d)", " ", match[0]))


_UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_WITHOUT_UNSEEN = str.maketrans("", "", _UNSEEN)


def _invisible(text: str) -> Iterator[Piece]:
    """Words with soft hyphens or spaces of no width inside."""
    if text.isascii() or not any(char in text for char in _UNSEEN):
        return
    for match in re.finditer(rf"[\w{_UNSEEN}]+", text):
        if any(char in match[0] for char in _UNSEEN):
            yield Piece(*match.span(), match[0].translate(_WITHOUT_UNSEEN))


# letters put for others, or read backwards -------------------------------------------------------

_Cipher = Callable[[str], str]


def _shift(by: int) -> _Cipher:
    moved = ascii_lowercase[by:] + ascii_lowercase[:by]
    table = str.maketrans(ascii_lowercase + ascii_lowercase.upper(), moved + moved.upper())
    return lambda text: text.translate(table)


def _mirrored(text: str) -> str:
    return text.translate(_MIRROR)


_MIRROR = str.maketrans(
    ascii_lowercase + ascii_lowercase.upper(),
    ascii_lowercase[::-1] + ascii_lowercase[::-1].upper(),
)


def _backwards(text: str) -> str:
    return text[::-1]


_ENCODE: tuple[_Cipher, ...] = (*(_shift(by) for by in range(1, 26)), _mirrored, _backwards)
_DECODE: tuple[_Cipher, ...] = (*(_shift(26 - by) for by in range(1, 26)), _mirrored, _backwards)
_COMMON = frozenset(word for word in FUNCTION_WORDS if len(word) >= 3)
_LONG_ENOUGH = 5
"""Letters of a word that is no accident when it appears in a cipher."""


def _ciphers(words: Iterable[str], shortest: int) -> dict[str, set[int]]:
    """How the words look in each cipher."""
    coded: dict[str, set[int]] = {}
    for word in words:
        if len(word) >= shortest:
            for number, encode in enumerate(_ENCODE):
                coded.setdefault(encode(word), set()).add(number)
    return coded


_CODED_COMMON = {
    word: ciphers for word, ciphers in _ciphers(_COMMON, 3).items() if word not in _COMMON
}


@lru_cache(maxsize=16384)
def _coded(text: str) -> dict[str, set[int]]:
    return _ciphers(sorted(_words(text)), _LONG_ENOUGH)


def _substituted(text: str, words: Sequence[_Word], wanted: Sequence[str]) -> Iterator[Piece]:
    """Passages in ROT13 or another shift of the alphabet, in Atbash, or written backwards."""
    votes: Counter[int] = Counter()
    forms = {word.form for word in words}
    known = {form for form in forms if form in _CODED_COMMON}
    for form in known:
        votes.update(_CODED_COMMON[form])
    hits = {form: _CODED_COMMON[form] for form in known}
    for each in wanted:
        coded = _coded(each)
        for form in coded.keys() & forms:
            for number in coded[form]:
                if _DECODE[number](form) != form and form not in _words(each):
                    votes[number] += 2
                    hits[form] = hits.get(form, set()) | {number}
    likely = sorted(votes, key=lambda number: (-votes[number], number))[:2]
    for number in likely:
        if votes[number] >= 2:
            mine = {form for form, numbers in hits.items() if number in numbers}
            yield from _passages(text, words, mine, _DECODE[number])


def _passages(
    text: str, words: Sequence[_Word], hits: Set[str], decode: _Cipher
) -> Iterator[Piece]:
    """The runs of words, between words in clear, in which something was hit."""
    run: list[_Word] = []
    for word in [*words, _Word(len(text), len(text), "")]:
        clear = word.form in _COMMON and word.form not in hits and decode(word.form) not in _COMMON
        end = not word.form or clear or (run and "\n" in text[run[-1].end : word.start])
        if end and run:
            if any(it.form in hits for it in run):
                start, stop = run[0].start, run[-1].end
                yield Piece(start, stop, decode(text[start:stop]))
            run = []
        if word.form and not clear:
            run.append(word)


_LEET = re.compile(r"(?<![\w@$])(?=[\w@$!]{0,30}[0-9@$!][\w@$!])[\w@$!]{4,30}(?![\w@$])")
_LEET_LETTERS = str.maketrans("034578@$!", "oeastbasi")


def _leet(text: str, wanted: Set[str]) -> Iterator[Piece]:
    """`d1v0rc3`, where a word that is looked for comes out."""
    for match in _LEET.finditer(text):
        said = match[0].casefold().translate(_LEET_LETTERS)
        for one in "il":
            word = said.replace("1", one)
            if word in wanted and word != match[0].casefold():
                yield Piece(*match.span(), word)
                break


# acrostics --------------------------------------------------------------------------------------

_LINE_HEAD = re.compile(r"^[^\w\n]*(?:\d{1,2}[.)][^\w\n]*)?(?P<head>[^\W\d_])", re.MULTILINE)
_FEWEST_LINES = 4
_SHORTEST_HIDDEN = 5  # letters that come together in the heads of lines by no accident


def _acrostics(text: str, wanted: Set[str]) -> Iterator[Piece]:
    """Words that are looked for, down the first letters of the lines."""
    heads = list(_LINE_HEAD.finditer(text)) if text.count("\n") >= _FEWEST_LINES - 1 else []
    if len(heads) < _FEWEST_LINES:
        return
    line = "".join(match["head"] for match in heads).casefold()
    if len(line) != len(heads):
        return
    found = sorted(
        (line.index(word), word)
        for word in wanted
        if len(word) >= _SHORTEST_HIDDEN and word in line
    )
    if found:
        first, last = found[0][0], max(at + len(word) for at, word in found) - 1
        finish = text.find("\n", heads[last].start())
        end = len(text) if finish < 0 else finish
        yield Piece(heads[first].start("head"), end, " ".join(word for _, word in found))
