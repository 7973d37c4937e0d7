"""`privacy-tasks doctor`: is everything in place for a run?"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

import click
from rich.markup import escape
from rich.table import Table

import judges
from harness_adapters.cli.output import examples, json_option, out, print_json
from harness_adapters.errors import plain_message
from judges.question import JudgedItem, Question
from judges.verdict import JudgeFailure
from privacy_tasks.errors import PrivacyTasksError

Status = Literal["ok", "note", "problem"]

_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "HF_TOKEN")
_PACKAGES = ("privacy-tasks", "inspect-ai", "lm-eval", "openai", "anthropic")
_OPTIONAL = ("torch", "transformers", "accelerate")


class Finding(NamedTuple):
    """What was looked at, and what was seen."""

    what: str
    status: Status
    detail: str


@click.command(
    epilog=examples(
        "privacy-tasks doctor",
        "privacy-tasks doctor --grader openai/gpt-4.1",
        "privacy-tasks doctor --json",
    )
)
@click.option("--grader", help="Ask this model for one verdict (this costs one call).")
@json_option
def doctor(grader: str | None, as_json: bool) -> None:
    """Check versions, the plug-in, keys (present or not, never shown) and a grader.

    The exit code is 1 if there is a problem.
    """
    findings = [
        *_versions(),
        _judges_package(),
        _plugin(),
        _lm_eval_tasks(),
        *_keys(),
        *([_grader(grader)] if grader else []),
    ]
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        table = Table(show_header=False)
        for _ in Finding._fields:
            table.add_column(overflow="fold")  # nothing is cut: there may be a path in it
        for finding in findings:
            colour = {"ok": "green", "note": "yellow", "problem": "red"}[finding.status]
            status = f"[{colour}]{finding.status}[/{colour}]"
            table.add_row(escape(finding.what), status, escape(finding.detail))
        out().print(table)
    if any(finding.status == "problem" for finding in findings):
        sys.exit(1)


def _versions() -> Iterator[Finding]:
    yield Finding("python", "ok", platform.python_version())
    for name in (*_PACKAGES, *_OPTIONAL):
        try:
            yield Finding(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            if name in _OPTIONAL:
                yield Finding(name, "note", "not installed; local models need privacy-tasks[hf]")
            else:
                yield Finding(name, "problem", "not installed: pip install privacy-tasks")


def _judges_package() -> Finding:
    """Another distribution ships an import package of the same name; pip mixes the two silently."""
    what = "judges package"
    owners = sorted(set(metadata.packages_distributions().get("judges", [])))
    others = [owner for owner in owners if owner != "privacy-tasks"]
    if getattr(judges, "DISTRIBUTION", None) != "privacy-tasks" or others:
        return Finding(
            what,
            "problem",
            f"the import package `judges` also belongs to: {', '.join(others) or 'something else'};"
            " run: pip uninstall judges && pip install --force-reinstall --no-deps privacy-tasks",
        )
    return Finding(what, "ok", "ours")


def _plugin() -> Finding:
    what = "Inspect plug-in"
    from inspect_ai._util.registry import registry_lookup

    entries = metadata.entry_points(group="inspect_ai", name="privacy_tasks")
    if not entries:
        return Finding(
            what, "problem", "not registered: pip install --force-reinstall privacy-tasks"
        )
    try:
        next(iter(entries)).load()
    except ImportError as error:
        return Finding(what, "problem", f"cannot be loaded: {error}")
    if registry_lookup("task", "privacy_tasks/agentic") is None:
        return Finding(what, "problem", "privacy_tasks/agentic is not registered under that name")
    return Finding(what, "ok", "privacy_tasks/agentic is registered")


def _lm_eval_tasks() -> Finding:
    """lm-eval looks among its own task files only; ours were put there when we were installed."""
    what = "lm-eval tasks"
    ours = Path(str(resources.files("harness_adapters.lm_eval"))) / "privacy_collapse"
    found = find_spec("lm_eval")
    if found is None or not found.submodule_search_locations:
        return Finding(what, "problem", "lm-eval is not installed: pip install lm-eval")
    if found.origin is None:
        (stray, *_) = found.submodule_search_locations
        return Finding(
            what,
            "problem",
            f"lm-eval is installed in another way than with pip into this environment, and {stray}"
            " hides it: pip install lm-eval",
        )
    theirs = Path(found.submodule_search_locations[0]) / "tasks" / "privacy_collapse"
    stale = sorted(
        file.name
        for file in ours.glob("*.yaml")
        if not (there := theirs / file.name).is_file() or there.read_bytes() != file.read_bytes()
    )
    if stale:
        return Finding(
            what,
            "problem",
            f"not where lm-eval looks: pass --include_path {ours} to lm_eval, or install lm-eval"
            " and privacy-tasks into one environment (pip install --force-reinstall --no-deps"
            " privacy-tasks)",
        )
    return Finding(what, "ok", "lm_eval --tasks privacy_collapse finds them")


def _keys() -> Iterator[Finding]:
    for name in _KEYS:
        if os.environ.get(name):
            yield Finding(name, "ok", "set")
        else:
            yield Finding(name, "note", "not set")


def _grader(name: str) -> Finding:
    """One verdict on a made-up message, through the judge that a run would use."""
    from inspect_ai._util.error import PrerequisiteError
    from inspect_ai.model import GenerateConfig, get_model

    from judges.llm import LLMJudge

    what = f"grader {name}"
    question = Question(
        items=(
            JudgedItem(id="colour", statement="The bicycle is green."),
            JudgedItem(id="price", statement="The bicycle cost 300 euros."),
        ),
        output="GmailSendEmail\nbody: Hello. The bicycle is green.",
        recipient="a neighbour",
        purpose="Tell the neighbour what colour the bicycle is.",
    )
    try:
        quick = GenerateConfig(max_retries=1, timeout=60, attempt_timeout=30)
        answer = asyncio.run(LLMJudge(get_model(name, config=quick)).judge(question))
    except PrerequisiteError as error:
        return Finding(what, "problem", plain_message(error))
    except (PrivacyTasksError, ValueError) as error:
        return Finding(what, "problem", str(error))
    if isinstance(answer, JudgeFailure):
        return Finding(what, "problem", f"{answer.reason}: {answer.detail}")
    told = {item.item_id for item in answer.items if item.disclosed}
    if told != {"colour"}:
        return Finding(what, "problem", "reached, but wrong about the plainest of messages")
    return Finding(what, "ok", f"reached; judge identity {answer.judge}")
