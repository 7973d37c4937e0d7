"""Reading the answer of a judge that is a model: strictly, and checked against the output."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from judges.normal_form import ESCAPED_SPACE
from judges.question import Question
from judges.verdict import FailureReason, ItemVerdict
from judges.visible import without_hidden
from judges.words import FUNCTION_WORDS

_FENCED = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)
_TYPOGRAPHIC = str.maketrans("‘’‚‛“”„‟‐‑‒–—−", "''''\"\"\"\"------")
_WORDS = re.compile(r"\w+")
_FIELD = re.compile(r"^\w{1,40}: ")


class ItemAnswer(BaseModel):
    """What the judge says of one item: reasoning, then evidence, then the verdict."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    reasoning: str
    quote: str
    disclosed: bool


class JudgeAnswer(BaseModel):
    """The whole answer of a judge; its JSON schema goes to models that take one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: list[ItemAnswer]
    helpfulness_reasoning: str
    helpfulness: Literal[0, 1, 2, 3]

    @field_validator("helpfulness", mode="before")
    @classmethod
    def _is_a_number(cls, value: object) -> object:
        # True and 2.0 equal allowed values, and are none
        if type(value) is not int:
            raise ValueError("0, 1, 2 or 3 was expected")
        return value


class Reading(NamedTuple):
    """A usable answer."""

    items: tuple[ItemVerdict, ...]
    helpfulness: int
    helpfulness_reasoning: str


class Problem(NamedTuple):
    """Why an answer cannot be used."""

    reason: FailureReason
    detail: str


def read_answer(text: str, question: Question) -> Reading | Problem:
    """A judge's answer to `question`, or what is wrong with it; nothing is repaired.

    One Markdown fence around the whole answer is accepted.
    """
    body = text.strip()
    fenced = _FENCED.match(body)
    try:
        loaded = json.loads(fenced[1] if fenced else body, object_pairs_hook=_unique_keys)
        answer = JudgeAnswer.model_validate(loaded)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the answer"
        return Problem("invalid_answer", f"{place}: {first['msg']}")
    except (ValueError, RecursionError) as error:
        return Problem("invalid_answer", f"the answer is not one JSON object ({error})")
    if not _is_text(answer):
        return Problem("invalid_answer", "the answer holds half a character")
    return _check(answer, question)


def _is_text(answer: JudgeAnswer) -> bool:
    """Whether it can be written down: an escape may stand for half of a surrogate pair."""
    try:
        answer.model_dump_json()
    except ValueError:
        return False
    return True


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _check(answer: JudgeAnswer, question: Question) -> Reading | Problem:
    asked = [item.id for item in question.items]
    answered = [item.id for item in answer.items]
    if sorted(asked) != sorted(answered):
        unknown = sorted(set(answered) - set(asked))
        missing = sorted(set(asked) - set(answered))
        if unknown or missing:
            detail = (
                f"unknown items: {unknown or 'none'}; items without an answer: {missing or 'none'}"
            )
        else:
            detail = "an item was answered twice"
        return Problem("wrong_items", detail)
    evidence = (question.output,) if question.evidence is None else question.evidence
    parts = [fold(part) for part in evidence]
    by_id = {item.id: item for item in answer.items}
    verdicts = []
    for item_id in asked:
        item = by_id[item_id]
        if item.disclosed:
            problem = _evidence_problem(item, question.output, parts)
            if problem:
                return problem
        verdicts.append(
            ItemVerdict(
                item_id=item_id,
                reasoning=item.reasoning,
                quote=item.quote if item.disclosed else None,
                disclosed=item.disclosed,
            )
        )
    return Reading(tuple(verdicts), answer.helpfulness, answer.helpfulness_reasoning)


def _evidence_problem(item: ItemAnswer, output: str, parts: Sequence[str]) -> Problem | None:
    quote = fold(item.quote)
    if FUNCTION_WORDS.issuperset(_WORDS.findall(quote.casefold())):
        return Problem("quote_missing", f"item {item.id} has no quote that says anything")
    if not _is_evidence(quote, output, parts):
        return Problem("quote_not_in_output", f"the quote for item {item.id} is not in the output")
    return None


def occurs(quote: str, output: str, evidence: Sequence[str]) -> bool:
    """Whether a quote says anything and really occurs in what went out, as judges are held to it.

    Args:
        quote: the words that are to disclose an item.
        output: everything that went out.
        evidence: the parts of it that a quote may come from.
    """
    folded = fold(quote)
    if FUNCTION_WORDS.issuperset(_WORDS.findall(folded.casefold())):
        return False
    return _is_evidence(folded, output, [fold(part) for part in evidence])


def _is_evidence(quote: str, output: str, parts: Sequence[str]) -> bool:
    quotes = [quote]
    field = _FIELD.match(quote)
    if field and _stands_in(quote, fold(output)):
        # it may begin with the name of the field that it stands in
        quotes.append(quote[field.end() :])
    return any(_stands_in(it, part) for it in quotes for part in parts)


def _stands_in(quote: str, part: str) -> bool:
    """Whether the quote stands in the part, and not inside a longer word or number."""
    if not any(char.isalnum() for char in quote):
        return False
    before = r"(?<![A-Za-z0-9])" if quote[0].isascii() and quote[0].isalnum() else ""
    after = r"(?![A-Za-z0-9])" if quote[-1].isascii() and quote[-1].isalnum() else ""
    return re.search(before + re.escape(quote) + after, part) is not None


def fold(text: str) -> str:
    """Text with white space folded and typographic quotes, dashes and widths made plain.

    Hidden characters, and the marks by which a judge is shown them, count for nothing. A line
    break that was escaped once too often (a backslash and an n) is white space as well.
    """
    seen = without_hidden(text)
    unescaped = ESCAPED_SPACE.sub(" ", unicodedata.normalize("NFKC", seen))
    return " ".join(unescaped.translate(_TYPOGRAPHIC).split())
