"""The cards that come along say what the judges of this version do."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from judges.calibration.asking import AnswerFile, Heading, ask_all, asks
from judges.calibration.card import JudgeCard, measure
from judges.calibration.card_text import as_markdown
from judges.calibration.cards import file_name, read_cards
from judges.calibration.gold import HALVES, load_gold
from judges.lexical import LexicalJudge
from tests.conftest import REPO

CARDS = REPO / "judges" / "calibration" / "cards"


def lexical_card() -> JudgeCard:
    return read_cards()[LexicalJudge().identity]


def test_the_card_of_the_lexical_judge_is_what_it_does_now(tmp_path: Path) -> None:
    judge, gold = LexicalJudge(), load_gold()
    file = AnswerFile(tmp_path / "answers.jsonl", Heading(judge=judge.identity, gold="x"))
    wanted = asks(gold.cases, repeats=1, permute=True)
    asyncio.run(ask_all(judge, wanted, file, connections=1, done=lambda answer: None))
    card = lexical_card()
    assert card.gold == gold.hash
    for half in HALVES:
        cases = [case for case in gold.cases if case.half == half]
        assert measure(cases, file.answers) == card.halves[half]
    assert card.halves["test"].permuted is not None
    assert card.halves["test"].permuted.flipped == 0


def test_every_card_has_its_markdown_beside_it() -> None:
    for card in read_cards().values():
        text = (CARDS / f"{file_name(card.judge)}.md").read_text(encoding="utf-8")
        assert text == as_markdown(card)


def test_the_page_on_judges_shows_the_figures_of_the_card() -> None:
    page = (REPO / "docs" / "judges.md").read_text(encoding="utf-8")
    card = as_markdown(lexical_card())
    test_half = card[card.index("## Test half") : card.index("## Dev half")]
    rows = re.findall(r"^\| .*\[\d.*$", test_half, re.MULTILINE)
    assert len(rows) == 3 + 17
    assert all(row in page for row in rows)
