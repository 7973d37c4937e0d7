"""Entries for the register of inspect_evals: one task each, pinned to a commit of this project."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from harness_adapters.errors import AdapterError
from privacy_tasks.agentic.samples import replay_cases
from privacy_tasks.memory.samples import profile_cases
from privacy_tasks.probing.samples import probe_cases
from privacy_tasks.task_frame import Cases

PAPER = "https://arxiv.org/abs/2601.15220"

_REPOSITORY = re.compile(r"https://github\.com/[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_USER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}")


class Pin(NamedTuple):
    """Where the code is, and who looks after it."""

    repository: str
    """`https://github.com/OWNER/NAME`."""
    commit: str
    """40 hex digits."""
    maintainers: Sequence[str]
    """GitHub user names."""


class _Entry(NamedTuple):
    """What an entry says of a task."""

    task: str
    full_title: str
    common_title: str
    description: str
    cases: Cases
    """Of the task as it is run without parameters."""
    tags: tuple[str, ...]


def write_register_entries(folder: Path, pin: Pin) -> list[Path]:
    """Writes `register/ID/eval.yaml` for each task, as they lie in the register's repository.

    Raises:
        AdapterError: before anything is written, if the pin is none.
    """
    _check(pin)
    written = []
    for entry in _entries():
        file = folder / "register" / f"privacy_tasks_{entry.task}" / "eval.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        # wide: a description is to be one line
        text = yaml.safe_dump(_content(entry, pin), sort_keys=False, allow_unicode=True, width=2000)
        file.write_text(text, encoding="utf-8")
        written.append(file)
    return written


def _check(pin: Pin) -> None:
    if not _REPOSITORY.fullmatch(pin.repository) or pin.repository.endswith(".git"):
        raise AdapterError(
            f"{pin.repository!r} is no repository; name it as https://github.com/OWNER/NAME"
            " (--repository)."
        )
    if not _COMMIT.fullmatch(pin.commit):
        raise AdapterError(
            f"{pin.commit!r} is no commit; name its 40 hex digits (--commit), as git rev-parse"
            " HEAD prints them: branches and tags move."
        )
    if not pin.maintainers:
        raise AdapterError("Name who looks after it, by GitHub user name (--maintainer).")
    for name in pin.maintainers:
        if not _USER.fullmatch(name):
            raise AdapterError(f"{name!r} is no user name on GitHub (--maintainer).")


def _content(entry: _Entry, pin: Pin) -> dict[str, Any]:
    return {
        "full_title": entry.full_title,
        "common_title": entry.common_title,
        "description": entry.description,
        "arxiv": PAPER,
        "contributors": list(pin.maintainers),
        "tasks": [
            {
                "name": entry.task,
                "dataset_samples": len(entry.cases.samples),
                "task_path": f"privacy_tasks/{entry.task}/task.py",
            }
        ],
        "source": {
            "repository_url": pin.repository,
            "repository_commit": pin.commit,
            "maintainers": list(pin.maintainers),
        },
        "tags": list(entry.tags),
    }


def _entries() -> list[_Entry]:
    return [
        _Entry(
            task="agentic",
            full_title="Contextual Privacy of an Agent's Actions (privacy-tasks)",
            common_title="privacy-tasks agentic",
            description="An agent has looked up what it needs and takes its next action. A judge"
            " says, with a quote as evidence, which facts went out; each fact has a norm for that"
            " recipient, to withhold or to share. Scenarios come in twins whose norms differ, so"
            " that discretion can be told from silence. Needs a grader model.",
            cases=replay_cases(data="core", prompt="naive", tool_format="native"),
            tags=("Privacy", "Agent"),
        ),
        _Entry(
            task="memory",
            full_title="Contextual Privacy of an Assistant with Memory (privacy-tasks)",
            common_title="privacy-tasks memory",
            description="An assistant that remembers its user writes a message to somebody for a"
            " purpose. A judge says which of the remembered facts it passed on; each fact has a"
            " norm for that recipient, to withhold or to share. Further modes spread the facts over"
            " earlier conversations, or have one assistant for several people. Needs a grader"
            " model.",
            cases=profile_cases(data="core", prompt="basic"),
            tags=("Privacy", "Memory"),
        ),
        _Entry(
            task="probing",
            full_title="Knowledge of Contextual Privacy Norms (privacy-tasks)",
            common_title="privacy-tasks probing",
            description="Does a model know, when it is asked, which fact may go to which recipient?"
            " Each fact is asked about for the recipient who is to get it and for the one who is"
            " not, with either option first, so that always yes and always no both get 0.5. Three"
            " levels of detail; no judge.",
            cases=probe_cases(data="core", level="vignette"),
            tags=("Privacy", "Multiple choice"),
        ),
    ]
