"""A page from a template: all from outside is escaped, and a policy forbids what is not ours."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from judges.visible import visible


class Dress(NamedTuple):
    """What stands inside every page of a kind: its style, its script, and what it may do."""

    style: Markup
    script: Markup
    policy: str
    """Of Content-Security-Policy: no request, and no style or script but these two."""


def environment(package: str) -> Environment:
    """Templates of a package: everything is escaped, and no text keeps its hidden characters.

    Args:
        package: where the templates lie.
    """
    return Environment(
        loader=FunctionLoader(lambda name: own_file(package, name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def dress(package: str, style: str, script: str) -> Dress:
    """The style and the script of a page.

    Args:
        package: where they lie.
        style: name of the style sheet, which follows what all pages share.
        script: name of the script, likewise.
    """
    rules = own_file(__package__, "base.css") + own_file(package, style)
    code = own_file(__package__, "base.js") + own_file(package, script)
    policy = (
        f"default-src 'none'; style-src {_hash(rules)}; script-src {_hash(code)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    return Dress(Markup(rules), Markup(code), policy)  # noqa: S704 (files of ours)


def own_file(package: str, name: str) -> str:
    """The text of a file that comes with a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _shown(value: object) -> object:
    """What a template puts in."""
    return visible(value) if type(value) is str else value


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
