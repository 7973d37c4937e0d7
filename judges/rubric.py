"""Rubrics: the prompts of a judge, as Markdown files with front matter."""

from __future__ import annotations

import re
from importlib import resources
from typing import NamedTuple

import yaml

from judges.errors import JudgeError
from judges.identity import content_hash

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)


class Rubric(NamedTuple):
    """What a judge is told to do."""

    id: str
    version: int
    text: str

    @property
    def hash(self) -> str:
        """Hash of the text."""
        return content_hash(self.text)


def load_rubric(name: str = "disclosure") -> Rubric:
    """The rubric of that name.

    Raises:
        JudgeError: if there is none, or its front matter lacks `id` or `version`.
    """
    folder = resources.files("judges") / "rubrics"
    file = folder / f"{name}.md"
    if not file.is_file():
        known = sorted(entry.name.removesuffix(".md") for entry in folder.iterdir())
        raise JudgeError(f"There is no rubric {name!r}; there are: {', '.join(known)}.")
    match = _FRONT_MATTER.match(file.read_text(encoding="utf-8"))
    header = yaml.safe_load(match[1]) if match else None
    if match is None or not isinstance(header, dict) or not {"id", "version"} <= set(header):
        raise JudgeError(f"The rubric {name!r} needs front matter with id and version.")
    return Rubric(str(header["id"]), int(header["version"]), match[2].strip())
