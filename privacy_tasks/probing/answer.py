"""Reading the answer to a probe. What is not plainly one of the options is no answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from privacy_tasks.probing.probes import Right

_MARK = r"[ \t*_`\"'“”>#\[\]{}$.:!\\-]*"
"""What may stand around an answer on its line."""

_OPTION = r"(?:\\boxed\{)?(?:\((?P<marked>[ABab])\)|(?P<bare>[ABab])(?![\w'’]))"
_SAYS_ANSWER = (
    r"(?:(?:so|thus|therefore|hence)?,?\s*(?:the|my)?\s*(?:final|correct|best|right)?\s*"
    r"(?:answer|option|choice)(?:\s+is)?"
    r"|(?:so\s+)?i(?:\s+would|\s+will|'d)?\s+(?:choose|pick|go with|answer|select|say)"
    r"|it\s+is|it's)"
)
_ANSWER_LINE = re.compile(
    rf"^{_MARK}{_SAYS_ANSWER}{_MARK}(?:option\s+)?(?:{_OPTION}|(?P<word>yes|no)\b)(?P<rest>.*)$",
    re.IGNORECASE,
)
_OPTION_LINE = re.compile(rf"^{_MARK}(?:option\s+)?{_OPTION}(?P<rest>.*)$")
_WORD_LINE = re.compile(r"^(?P<word>yes|no)\b(?P<rest>.*)$", re.IGNORECASE)

_OTHER_OPTION = re.compile(
    r"\(([ABab])\)|(?<![\w'’])([AB])(?=[\s*_`\"”)\].,:;!?-]*(?:$|yes|no|or\b))"
)
_YES_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
_LEADING_WORD = re.compile(rf"^{_MARK}[,;)\]–—-]*{_MARK}(?P<word>yes|no)\b", re.IGNORECASE)
_ECHO = re.compile(r"\bA\b\W{0,6}(?:yes|no)\b\W+\(?B\b\W{0,6}(?:yes|no)\b", re.IGNORECASE)


def read_answer(completion: str, options: Mapping[str, Right], *, cot: bool) -> Right | None:
    """What a reply answers: yes, no, or None where that cannot be read.

    A line that says that it is the answer counts before all else, and of several the last. Where
    no reasoning was asked for, so does the first line if it begins with an option, or is a word.
    An answer is none if its own line names the other option or says the other word as well.

    Args:
        completion: the reply.
        options: what each letter stands for.
        cot: whether reasoning comes first; then a line with the answer has to follow.
    """
    lines = [line.strip() for line in completion.strip().splitlines() if line.strip()]
    if not lines:
        return None
    said = [match for line in lines if (match := _ANSWER_LINE.match(line))]
    if said:
        return _meant(said[-1], options)
    if cot:  # the option alone on the last line
        match = _OPTION_LINE.match(lines[-1])
        alone = match is not None and not re.search(r"\w", match["rest"])
        return _meant(match, options) if match and alone else None
    if _ECHO.search(completion):  # it repeats the options
        return None
    match = _OPTION_LINE.match(lines[0]) or _WORD_LINE.match(lines[0].lstrip("*_`\"'“ "))
    if match is None or _names_another(match, lines[1:], options):
        return None
    return _meant(match, options)


def _meant(match: re.Match[str], options: Mapping[str, Right]) -> Right | None:
    groups = match.groupdict()
    letter = (groups.get("marked") or groups.get("bare") or "").upper()
    rest = groups["rest"]
    others = {(one or two).upper() for one, two in _OTHER_OPTION.findall(rest)} - {letter}
    if others:
        return None
    if not letter:
        return _of_word(groups["word"], rest)
    bare = groups.get("bare")
    # a letter without brackets is an answer only on its own: "A doctor may …" names no option
    if bare and (bare.islower() and not rest.startswith((")", "."))):
        return None
    if bare and re.match(r"[ \t]+\w", rest) and not _LEADING_WORD.match(rest):
        return None
    said = options[letter]
    word = _LEADING_WORD.match(rest)
    return said if word is None or _right(word["word"]) == said else None


def _of_word(word: str, rest: str) -> Right | None:
    """What a bare yes or no says: only where nothing qualifies it in the same breath."""
    said = _right(word)
    if rest and not re.match(r"\W", rest):
        return None
    if re.match(r"\s+\w|\s*[/(]", rest) or re.search(r"\bwait\b", rest, re.IGNORECASE):
        return None
    if any(_right(other) != said for other in _YES_NO.findall(rest)):
        return None
    return said


def _names_another(match: re.Match[str], later: list[str], options: Mapping[str, Right]) -> bool:
    """Whether a line further down begins with another option than the first."""
    groups = match.groupdict()
    letter = (groups.get("marked") or groups.get("bare") or "").upper()
    for line in later:
        other = _OPTION_LINE.match(line)
        if other is None or (other["bare"] and re.match(r"[ \t]+\w", other["rest"])):
            continue
        named = (other["marked"] or other["bare"]).upper()
        if letter and named != letter:
            return True
        if not letter and options[named] != _right(groups["word"]):
            return True
    return False


def _right(word: str) -> Right:
    return "yes" if word.lower() == "yes" else "no"
