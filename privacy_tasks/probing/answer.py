"""Reading the answer to a probe. What is not plainly one of the options is no answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from privacy_tasks.probing.probes import Right

_AROUND = r"[\s*_`\"'“”.:]*"
_LETTER = r"(?:\((?P<marked>[ABab])\)|(?P<bare>[AB])(?=[).:,\s*]|$)\)?)"
_WORD = r"(?P<word>yes|no)\b"

_DIRECT = re.compile(
    rf"^{_AROUND}(?:(?:the\s+)?answer(?:\s+is)?{_AROUND})?"
    rf"(?:{_LETTER}{_AROUND}(?:{_WORD})?|(?P<alone>yes|no)\b)(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_LAST_LINE = re.compile(
    rf"(?:final\s+)?answer(?:\s+is)?{_AROUND}(?:{_LETTER}{_AROUND}(?:{_WORD})?|(?P<alone>yes|no)\b)"
    rf"(?P<rest>[^\n]*)",
    re.IGNORECASE,
)
_OTHER = re.compile(r"\(([ABab])\)")


def read_answer(completion: str, options: Mapping[str, Right], *, cot: bool) -> Right | None:
    """What a reply answers: yes, no, or None where that cannot be read.

    Args:
        completion: the reply.
        options: what each letter stands for.
        cot: whether reasoning comes first; then the last line with an answer counts, and nothing
            else.
    """
    if cot:
        found = list(_LAST_LINE.finditer(completion))
        return _meant(found[-1], options) if found else None
    match = _DIRECT.match(completion.strip())
    return _meant(match, options) if match else None


def _meant(match: re.Match[str], options: Mapping[str, Right]) -> Right | None:
    letter = (match["marked"] or match["bare"] or "").upper()
    if not letter:
        return _right(match["alone"])
    # a letter is an answer only on its own: "A doctor may …" names no option
    rest = match["rest"]
    if match["bare"] and not match["word"] and re.match(r"\w", rest):
        return None
    others = {other.upper() for other in _OTHER.findall(rest)} - {letter}
    said = options[letter]
    if others or (match["word"] and _right(match["word"]) != said):
        return None
    return said


def _right(word: str) -> Right:
    return "yes" if word.lower() == "yes" else "no"
