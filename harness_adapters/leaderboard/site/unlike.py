"""Limits and versions by which a run differs from most of its board, and outputs that it shares."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness_adapters.collapse.report.wording import line
from harness_adapters.leaderboard.checked import Alike, alike
from harness_adapters.leaderboard.site.boards import HARNESSES, Entry
from harness_adapters.leaderboard.submission import Run

_UNSET = "none"
_LONGEST = 60


class Same(NamedTuple):
    """Another submission whose outputs are often those of this one."""

    entry: Entry
    alike: Alike


def same_outputs(entries: Sequence[Entry], place: int) -> tuple[Same, ...]:
    """The other submissions of a board that wrote the same, word for word."""
    own = entries[place]
    found = [Same(it, alike(own.checked, it.checked)) for it in entries if it.slug != own.slug]
    return tuple(it for it in found if it.alike.striking)


def unlike_most(entries: Sequence[Entry], place: int) -> tuple[str, ...]:
    """What of a run's limits and versions is not that of most runs on its board.

    Where no value is the most common, each of them is told.
    """
    told = [dict(_limits_and_versions(entry.run)) for entry in entries]
    return tuple(
        said
        for name in dict.fromkeys(name for one in told for name in one)
        if (said := _unlike(name, [one.get(name, _UNSET) for one in told], place))
    )


def _unlike(name: str, values: Sequence[str], place: int) -> str:
    counts = Counter(values)
    most = max(counts.values())
    usual = sorted(value for value, count in counts.items() if count == most)
    own = values[place]
    if usual == [own]:
        return ""
    who = "most" if own not in usual else "others"
    others = ", ".join(_short(it) for it in usual if it != own)
    return f"{_short(name)}: {_short(own)} ({who} have {others})"


def _limits_and_versions(run: Run) -> Iterator[tuple[str, str]]:
    yield f"version of {HARNESSES[run.harness]}", run.harness_version
    yield "version of privacy-tasks", run.privacy_tasks
    for name, value in run.generation.items():
        if name == "gen_kwargs":
            yield from _limits_in(value)
        elif _is_limit(name):
            yield name, value


def _limits_in(arguments: str) -> Iterator[tuple[str, str]]:
    """Those of lm-eval, which has all settings of sampling in one."""
    try:
        told = json.loads(arguments)
    except ValueError:
        return
    if isinstance(told, dict):
        yield from ((name, str(value)) for name, value in told.items() if _is_limit(name))


def _is_limit(name: str) -> bool:
    bare = name.removeprefix("-M ")
    return bare.endswith("_limit") or bare.startswith("max_") or bare == "reasoning_tokens"


def _short(text: str) -> str:
    shown = line(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
