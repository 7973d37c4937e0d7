"""What must never be in a submission, looked for once more before anything is published.

A submission is put together from named fields, none of which holds a path, an address or a key.
This is the second lock: it refuses, and repairs nothing.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness_adapters.errors import AdapterError

_KEYS = re.compile(
    r"sk-[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|github_pat_[A-Za-z0-9_]{20,}|AKIA[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|AIza[0-9A-Za-z_-]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY|\bBearer [A-Za-z0-9._-]{16,}"
)
_PASSWORD = re.compile(r"\w+://[^/@\s\"]+:[^/@\s\"]+@")
_FOLDER = re.compile(
    r"(?<![\w.:/])(?:/(?:home|Users|root|mnt|data|scratch|srv|gpfs|nfs|tmp|var|opt)/|[A-Z]:\\\\)"
    r"|\bfile:/"
)
_PLACES = re.compile(
    r"(?<![\w./:])(?:~|\.{1,2})?/[\w.-]+/[\w./-]*|[A-Za-z]:\\\\|\\\\\\\\|\w+:/{1,3}\w"
    r"|[\w.+-]+@[\w-]+\.\w|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
)
"""A path, an address on the net, of mail or of a machine (in JSON, where a backslash is two)."""
_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$")
_SHORTEST = 16
"""Characters of a secret: what is shorter may be a word of any text, or stand for no key at all."""


class SecretError(AdapterError):
    """Something that is nobody's business was about to be published."""


def known_secrets(of_log: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """What this machine and the logs know of the submitter: text -> what it is."""
    found = dict.fromkeys(of_log, "an address or remote of the log")
    for name, value in environ.items():
        if _SECRET_NAME.search(name.upper()):
            found[value] = f"the value of {name}"
    home = str(Path.home())
    if home != "/root":  # a word of many texts
        found[home] = "the home folder"
    return {text: what for text, what in found.items() if _is_telling(text)}


def _is_telling(text: str) -> bool:
    """Whether a text is one that nobody writes by chance."""
    if len(text) < _SHORTEST:
        return "/" in text and len(text) > _SHORTEST // 2
    return not text.isalpha()


def refuse_secrets(text: str, where: str, known: Mapping[str, str]) -> None:
    """Refuses a text that holds one of them.

    Raises:
        SecretError: says what it is, and never the thing itself.
    """
    for secret, what in known.items():
        if any(form in text for form in _forms(secret)):
            raise SecretError(f"{where} holds {what}; nothing was published. Take it out.")


def _forms(secret: str) -> set[str]:
    """A text as it is, and as JSON writes it."""
    return {secret, *(json.dumps(secret, ensure_ascii=ascii_)[1:-1] for ascii_ in (True, False))}


def refuse_marks(text: str, typed: Mapping[str, str], where: str) -> None:
    """Refuses a document that looks as if it held a key, a path, an address or a name of one's own.

    Args:
        text: the document, as JSON.
        typed: what the submitter has written into it, by where: in that only keys and plain paths
            are looked for.
        where: the document's name.

    Raises:
        SecretError: says which.
    """
    everywhere = (
        (_KEYS, "what looks like a key"),
        (_PASSWORD, _WITH_PASSWORD),
        (_FOLDER, "a path"),
    )
    for option, one in typed.items():
        _refuse(json.dumps(one, ensure_ascii=False), option, everywhere)
    _refuse(text, where, everywhere)
    for one in sorted(typed.values(), key=len, reverse=True):
        text = text.replace(json.dumps(one, ensure_ascii=False)[1:-1], "")
    _refuse(text, where, ((_PLACES, "a path or an address"),))
    for name, what in ((_host(), "the name of this machine"), (_user(), "your user name")):
        if (
            len(name) >= 4
            and name not in _COMMON
            and re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", text)
        ):
            raise SecretError(f"{where} holds {what}; nothing was published. Take it out.")


_WITH_PASSWORD = "an address with a password"  # noqa: S105 (a description)


def _refuse(text: str, where: str, marks: Iterable[tuple[re.Pattern[str], str]]) -> None:
    for pattern, what in marks:
        if pattern.search(text):
            raise SecretError(f"{where} holds {what}; nothing was published. Take it out.")


_COMMON = ("root", "user", "admin", "localhost", "model", "base", "ubuntu", "debian")
"""Names of accounts and machines that are words as well."""


def _host() -> str:
    return socket.gethostname()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, in a container
        return os.environ.get("USER", "")
