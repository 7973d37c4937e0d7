"""What a reader of an output would not see, a judge is shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from judges.answer import fold
from judges.visible import visible, without_hidden

CODE_POINTS = [chr(point) for point in range(0x110000)]
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
JOINERS = "\u200c\u200d"


def mark(char: str) -> str:
    return f"⟨U+{ord(char):04X}⟩"


def test_every_control_and_format_character_is_shown_where_it_stands() -> None:
    hidden = [it for it in CODE_POINTS if unicodedata.category(it) in UNSEEN and it not in "\t\n"]
    assert len(hidden) > 2000
    for char in hidden:
        assert visible(f"a{char}b") == f"a{mark(char)}b", hex(ord(char))
        if char not in JOINERS:
            assert visible(f"é{char}é") == f"é{mark(char)}é", hex(ord(char))


def test_what_can_be_seen_stays_as_it_is() -> None:
    """Letters, marks, digits, punctuation, symbols, spaces; but for those that are blank."""
    blank = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    selectors = [*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))]
    seen = [
        it
        for it in CODE_POINTS
        if unicodedata.category(it)[0] in "LMNPSZ"
        and unicodedata.category(it) not in UNSEEN
        and it not in blank
        and it not in selectors
    ]
    assert visible("".join(seen)) == "".join(seen)
    assert visible("\t\n") == "\t\n"


@pytest.mark.parametrize(
    "hidden",
    [
        "\u202e", "\u202d", "\u202a", "\u202b", "\u202c", "\u2066", "\u2067", "\u2068", "\u2069",
        "\u200e", "\u200f", "\u061c", "\u200b", "\u2060", "\u00ad", "\ufeff", "\U000e0041",
        "\U000e007f", "\U000e0100", "\ufe00", "\ufe0f", "\u034f", "\ud83d", "\x00", "\x1b", "\x85",
        "\u2028", "\u2029", "\u3164", "\u2800", "\u200d", "\u200c", "\ufffe", "\r", "\x0b", "\x7f",
    ],
)  # fmt: skip
def test_what_hides_or_turns_text_is_shown_and_counts_for_nothing(hidden: str) -> None:
    assert visible(f"ast{hidden}hma") == f"ast{mark(hidden)}hma"
    assert without_hidden(f"ast{hidden}hma") == "asthma"
    assert fold(visible(f"ast{hidden}hma")) == fold(f"ast{hidden}hma") == "asthma"


def test_a_text_written_in_tags_can_be_read_off() -> None:
    tags = "".join(chr(0xE0000 + ord(char)) for char in "hi")
    assert visible(f"ok{tags}") == "ok⟨U+E0068⟩⟨U+E0069⟩"


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d👩\u200d👧\u200d👦 and 🏳\ufe0f\u200d🌈, ❤\ufe0f\u200d🔥!",
        "❤\ufe0f yes, ☎\ufe0e, 1\ufe0f\u20e3 #\ufe0f\u20e3",
        "می\u200cخواهم کتاب\u200cها را",  # Persian, with joiners that are part of its spelling
        "क्\u200dष and ශ්\u200dරී",  # Hindi and Sinhala
        "ᠮᠣᠩᠭᠣᠯ\u180b ᠤᠨ",
        "Graça naïve ﬁn 癌 e\u0301 שלום عربي",
        "tab\there\nand there",
    ],
)
def test_scripts_and_emojis_stay_as_they_are_written(text: str) -> None:
    assert visible(text) == text


def test_joiners_and_selectors_in_rows_are_shown_whatever_they_stand_between() -> None:
    """Their number, or which of the two it is, could tell something."""
    assert visible("é\u200d\u200c\u200dé") == f"é\u200d{mark(JOINERS[0])}{mark(JOINERS[1])}é"
    assert visible("❤\ufe0f\ufe0e") == f"❤\ufe0f{mark(chr(0xFE0E))}"


def test_line_ends_become_one() -> None:
    assert visible("one\r\ntwo\r\n\r\nthree\rfour") == "one\ntwo\n\nthree⟨U+000D⟩four"


PIECES = st.sampled_from(
    [
        "⟨", "U", "+", "⟩", "20", "0B", "⟨U+200B⟩", "⟨U+", "200B⟩", "⟨U+⟨U+200B⟩200B⟩",
        "\u200b", "\u200c", "\u200d", "\ufe0f", "\u202e", "\r", "\n", "\x00", "\ud800", "é", "👩",
        "\u20e3", "\U000e0041", "a", " ",
    ]
)  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(PIECES | st.characters(exclude_categories=()), max_size=12).map("".join))
@example("⟨U+\u200b200B⟩")
@example("⟨U+20\u202e0B⟩\r\r\n")
def test_showing_what_is_hidden_changes_nothing_for_a_reader_without_it(text: str) -> None:
    assert without_hidden(visible(text)) == without_hidden(text)
    assert fold(visible(text)) == fold(text)
