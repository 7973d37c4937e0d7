"""Where the quotes of a verdict stand in an output."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from judges.answer import fold
from judges.visible import visible

_LONGEST = 2_000
_FIELD = re.compile(r"^\w{1,40}: ")
_SPACE = r"(?:\s|\\[nrt])+"
_HIDDEN = r"(?:⟨U\+[0-9A-F]{4,6}⟩)*"
_LOOK_ALIKE = {
    "'": "['‘’‚‛]",
    '"': '["“”„‟]',
    "-": "[-‐‑‒–—−]",
}


class Passage(NamedTuple):
    """A part of an output."""

    text: str
    """With its hidden characters made visible."""
    quoted: bool


def passages(output: str, quotes: Iterable[str]) -> tuple[Passage, ...]:
    """The output in parts, those that are quoted marked.

    A quote is found as the judge's is: whatever the white space, the shape of quotation marks and
    dashes, and the hidden characters between its letters. One that is not found marks nothing.
    """
    text = visible(output)
    found: list[Passage] = []
    end = 0
    for first, last in _merged(_places(text, quotes)):
        if first > end:
            found.append(Passage(text[end:first], False))
        found.append(Passage(text[first:last], True))
        end = last
    if end < len(text) or not found:
        found.append(Passage(text[end:], False))
    return tuple(found)


def _places(text: str, quotes: Iterable[str]) -> Iterable[tuple[int, int]]:
    for quote in dict.fromkeys(quotes):
        seen = fold(quote)
        place = _place(text, seen) or _place(text, _FIELD.sub("", seen))
        if place:
            yield place


def _place(text: str, quote: str) -> tuple[int, int] | None:
    if not quote or len(quote) > _LONGEST:
        return None
    hidden = _HIDDEN if "⟨U+" in text else ""
    words = (hidden.join(map(_char, word)) for word in quote.split(" "))
    pattern = (hidden + _SPACE + hidden).join(words)
    before = r"(?<![A-Za-z0-9])" if quote[0].isascii() and quote[0].isalnum() else ""
    after = r"(?![A-Za-z0-9])" if quote[-1].isascii() and quote[-1].isalnum() else ""
    match = re.search(before + pattern + after, text)
    return match.span() if match else None


def _char(char: str) -> str:
    return _LOOK_ALIKE.get(char) or re.escape(char)


def _merged(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(places):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
