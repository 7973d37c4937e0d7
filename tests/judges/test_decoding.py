from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.decoding import undone

WANTED = ("The board ranked her ninth.", "divorce", "He owes money to the bank.")


def says(text: str) -> str:
    reading = undone(text, WANTED)
    return "" if reading is None else " ".join(reading.text.split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("it is d-i-v-o-r-c-e now", "it is divorce now"),
        ("it is d i v o r c e now", "it is divorce now"),
        ("so: d.i.v.o.r.c.e", "so: divorce"),
        ("Delta India Victor Oscar", "divo"),
        ("Hotel Echo / Oscar Whiskey Echo Sierra", "he owes"),
        ("D as in Delta, I as in India, V as in Victor", "DIV"),
        ("code eighty-eight, forty-three, zero two.", "code 884302 ."),
        ("fifty-one ninety-three opens it", "5193 opens it"),
        ("double seven one four", "7714"),
        ("ZGl2b3JjZQ==", "divorce"),
        ("64 69 76 6f 72 63 65", "divorce"),
        ("646976 0x64 0x69 0x76 0x6f", "646976 divo"),
        ("01100100 01101001 01110110", "div"),
        ("100 105 118 111", "divo"),
        ("%64ivorce", "divorce"),
        ("-.. .. ...- --- .-. -.-. .", "divorce"),
        ("Ur bjrf zbarl gb gur onax", "He owes money to the bank"),
        ("knab eht ot yenom sewo eH", "He owes money to the bank"),
        ("d1v0rc3", "divorce"),
        ("divo\u200brce", "divorce"),
        ("Two-months_1180-EUR.pdf", "Two months 1180 EUR pdf"),
        ("NinthBoardMeeting", "Ninth Board Meeting"),
    ],
)
def test_what_hides_words_is_written_out(text: str, said: str) -> None:
    assert says(text) == said


def test_a_word_down_the_line_heads_is_read() -> None:
    assert says("Never\nIn\nNo\nThing\nHere").endswith("ninth")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear Rui, the twenty-first of June suits us; please call 0470 12 34 56 at noon.",
        "A well-known mother-in-law came at 9.30, e.g. with 3 friends - and so on ...",
        "post it to #team_lunch_friday or in TicketDeskReply",
        "Der Vater hat gestern das Auto verkauft.",
    ],
)
def test_plain_text_hides_nothing(text: str) -> None:
    assert undone(text, WANTED) is None


def test_a_reading_knows_where_its_words_stood() -> None:
    text = "It is d-i-v-o-r-c-e now"
    reading = undone(text, WANTED)
    assert reading is not None
    start = reading.text.index("divorce")
    begin, end, hidden = reading.origin(start, start + 7)
    assert (text[begin:end], hidden) == ("d-i-v-o-r-c-e", True)
    start = reading.text.index("now")
    begin, end, hidden = reading.origin(start, start + 3)
    assert (text[begin:end], hidden) == ("now", False)


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    reading = undone(text, WANTED)
    if reading is not None:
        for place in range(len(reading.text)):
            start, end, _ = reading.origin(place, place + 1)
            assert 0 <= start <= end <= len(text)
