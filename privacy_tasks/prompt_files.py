"""Prompts as Markdown files beside the code of each task family."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def prompt_text(family: str, name: str) -> str:
    """The Markdown file of a prompt, with its placeholders.

    Args:
        family: folder of the task family, such as `agentic`.
        name: name of the file in its folder `prompts`, without the ending.
    """
    file = resources.files("privacy_tasks") / family / "prompts" / f"{name}.md"
    return file.read_text(encoding="utf-8").strip()


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with every `{name}` replaced, in one pass: a value is never looked at again."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)
