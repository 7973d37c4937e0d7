"""Which run on a board is that of the model that another was tuned from."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from harness_adapters.collapse.report.wording import line
from harness_adapters.leaderboard.site.boards import Entry

_COMMIT = re.compile(r"[0-9a-f]{7,}")


class Base(NamedTuple):
    """What was found of a base."""

    place: int | None
    """Of its run on the board."""
    why_not: str
    """Why there is none; empty where there is one, and where no base is named."""


def base_of(entry: Entry, entries: Sequence[Entry], names: Collection[str]) -> Base:
    """The base's run.

    Names are the same in whichever case; a revision may be the beginning of a longer one, if both
    are hashes of a commit and no other begins so.

    Args:
        entry: the run of the tuned model.
        entries: all of the board.
        names: of all models of the site, casefolded.
    """
    tuning = entry.model.tuning
    if tuning is None:
        return Base(None, "")
    name, revision = tuning.base.name, tuning.base.revision
    named = [
        place
        for place, it in enumerate(entries)
        if it is not entry and it.model.name.casefold() == name.casefold()
    ]
    if not named:
        here = name.casefold() in names and name.casefold() != entry.model.name.casefold()
        return Base(None, "base not on this board" if here else "base not submitted")
    revisions = {place: entries[place].model.revision for place in named}
    fitting = [place for place in named if revisions[place] == revision]
    fitting = fitting or [place for place in named if _begins(revisions[place], revision)]
    if len(fitting) > 1:
        fitting = [it for it in fitting if entries[it].model.name == name] or fitting
    if len(fitting) == 1:
        return Base(fitting[0], "")
    if fitting:
        return Base(None, line(f"several runs here fit its base at revision {revision}"))
    there = " and ".join(sorted(set(revisions.values())))
    return Base(None, line(f"base is here at revision {there}, not {revision}"))


def _begins(one: str, other: str) -> bool:
    """Whether one hash of a commit is the beginning of the other."""
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    return bool(_COMMIT.fullmatch(short) and _COMMIT.fullmatch(long)) and long.startswith(short)
