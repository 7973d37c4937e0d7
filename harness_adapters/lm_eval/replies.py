"""What a model under test has said: its reply without its thoughts, and whether it was cut short.

lm-eval keeps the text of a reply and nothing else. A reply that ended because its tokens ran out is
no whole message: what is not in it might have come. So that is found out where it can be.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from harness_adapters.lm_eval.rendering import went_on


class Said(NamedTuple):
    """A reply, as it is to be judged."""

    text: str
    cut: bool


def said(prompt: Any, reply: str, *, cut: bool) -> Said:
    """The reply without what the model thought before it.

    Args:
        prompt: what was sent.
        reply: what came.
        cut: whether it ended because its tokens ran out.
    """
    text, unfinished = _without_thoughts(reply)
    return Said(went_on(prompt, text), cut or unfinished)


_THOUGHTS = re.compile(r"\s*<think[^>]*>.*?</think>", re.DOTALL)
_OPENED = re.compile(r"\s*<think[^>]*>")
_CLOSED = "</think>"


def _without_thoughts(reply: str) -> tuple[str, bool]:
    """What follows the thoughts at the beginning, and whether they never came to an end.

    Where the template of a model opens the thoughts, the reply has their end alone.
    """
    match = _THOUGHTS.match(reply)
    if match:
        return reply[match.end() :].strip(), False
    if _OPENED.match(reply):
        return "", True
    if _CLOSED in reply:
        return reply.partition(_CLOSED)[2].strip(), False
    return reply, False


class Limits:
    """Knows which replies ended at their limit of tokens.

    A server says so itself; of a model whose tokenizer lm-eval has, the tokens are counted.

    Args:
        lm: lm-eval's model.
        tokens: how many a reply may have.
    """

    def __init__(self, lm: Any, tokens: int) -> None:
        self._tokens = tokens
        self._ended: _Ended | None = None
        self._count: Callable[[str], int] | None = None
        if hasattr(lm, "parse_generations"):
            self._ended = _watched(lm)
        elif hasattr(lm, "tok_encode") and getattr(lm, "tokenizer", None) is not None:
            self._count = lambda text: len(lm.tok_encode(text))

    @property
    def are_seen(self) -> bool:
        """Whether it can be found out at all."""
        return self._ended is not None or self._count is not None

    def cut(self, reply: str) -> bool:
        """Whether a reply ended at its limit; no, where that cannot be seen."""
        if self._ended is not None:
            return reply in self._ended
        if self._count is not None and reply:
            # a text that was made of tokens may come to a few less when it is split up again
            return self._count(reply) >= self._tokens - 2 - self._tokens // 50
        return False


_WATCHED = "_privacy_collapse_ended"
_ENDS = ("length", "max_tokens")


class _Ended:
    """The replies that ended at their limit; with `--use_cache`, those of runs before as well."""

    def __init__(self, lm: Any) -> None:
        self._texts: set[str] = set()
        self._kept = getattr(getattr(lm, "cache_hook", None), "dbdict", None)

    def add(self, text: str) -> None:
        self._texts.add(text)
        if self._kept is not None:
            self._kept[_key(text)] = True

    def __contains__(self, text: str) -> bool:
        return text in self._texts or (self._kept is not None and _key(text) in self._kept)


def _key(text: str) -> str:
    return f"{_WATCHED}:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def _watched(lm: Any) -> _Ended:
    """The replies of a client of a server that ended at their limit, as they come in."""
    known: _Ended | None = getattr(lm, _WATCHED, None)
    if known is not None:
        return known
    ended = _Ended(lm)
    parse = lm.parse_generations

    @wraps(parse)
    def watching(outputs: Any, *arguments: Any, **options: Any) -> Any:
        texts = parse(outputs, *arguments, **options)
        answers = outputs if isinstance(outputs, list) else [outputs]
        reasons = [reason for answer in answers for reason in _reasons(answer)]
        if len(reasons) == len(texts):
            for text, reason in zip(texts, reasons, strict=True):
                if text and reason in _ENDS:
                    ended.add(text)
        return texts

    lm.parse_generations = watching
    setattr(lm, _WATCHED, ended)
    return ended


def _reasons(answer: Any) -> list[str | None]:
    """Why each choice of a server's answer ended, in the order of their numbers."""
    if not isinstance(answer, dict):
        return []
    if isinstance(answer.get("choices"), list):
        choices = sorted(answer["choices"], key=lambda choice: choice.get("index", 0))
        return [choice.get("finish_reason") for choice in choices]
    return [answer.get("stop_reason")]
