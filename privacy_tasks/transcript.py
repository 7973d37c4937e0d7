"""Trajectories as text: `Action`, `Action Input` and `Observation` for each step (ReAct)."""

from __future__ import annotations

import re
from typing import NamedTuple

_ACTION = re.compile(r"[ \t]*Action:[ \t]*(?=[^\n]*\n[ \t]*Action Input:)")
_INPUT = re.compile(r"\n?[ \t]*Action Input:[ \t]*")
_OBSERVATION = re.compile(r"\n?[ \t]*Observation:[ \t]*")


class Action(NamedTuple):
    """One step, as its text gives it."""

    tool: str
    input_text: str
    observation: str


def actions(trajectory: str) -> list[Action]:
    """The steps of a trajectory, with nothing repaired and nothing left out.

    An action is what follows an `Action:` whose next line is an `Action Input:` (one action that
    PrivacyLens publishes does not begin on a line of its own); its input ends where `Observation:`
    begins, however many lines that takes.
    """
    starts = list(_ACTION.finditer(trajectory))
    ends = [*(match.start() for match in starts), len(trajectory)][1:]
    found = []
    for match, end in zip(starts, ends, strict=True):
        name, rest = _split(_INPUT, trajectory[match.end() : end])
        input_text, observation = _split(_OBSERVATION, rest)
        found.append(Action(name.strip(), input_text.strip(), observation.strip()))
    return found


def _split(separator: re.Pattern[str], text: str) -> tuple[str, str]:
    match = separator.search(text)
    if match is None:
        return text, ""
    return text[: match.start()], text[match.end() :]
