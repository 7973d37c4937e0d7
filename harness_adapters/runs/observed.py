"""What was observed in every sample of a run, whichever harness it was run in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, SkipValidation

from harness_adapters.runs.run import reader_of, why_not


class About(NamedTuple):
    """What a sample of a task of this project is about."""

    cluster: str
    domain: str
    channel: str
    right: str | None
    """Of a probe: its right answer."""


class Observed(NamedTuple):
    """One sample in one epoch."""

    id: str
    epoch: int
    content: str
    """Hash of what was asked, by which two runs are seen to have asked the same; empty where the
    data's own hash says so."""
    values: Mapping[str, float]
    """Name -> value; NaN where the sample says nothing of it."""
    unscored: str | None
    """Why there is no verdict, if there is none."""
    about: About | None
    """None for tasks of others."""
    types: Mapping[str, tuple[int, int]]
    """Type of information -> how many items to withhold were disclosed, of how many."""
    withheld: int
    """Items to withhold."""
    flows: int
    """Outputs that were judged for it."""


class Disclosed(NamedTuple):
    """An item to withhold that went out."""

    item: str
    statement: str
    type: str
    why_not: str
    recipient: str
    quote: str | None


class Evidence(NamedTuple):
    """What was sent in a sample, and what of it was not to be sent."""

    text: str
    unscored: str | None
    recipient: str
    purpose: str
    disclosed: tuple[Disclosed, ...]


Place = tuple[str, int]
"""A sample's id and epoch."""


class TaskLog(BaseModel):
    """One run of one task, with what was observed in its samples."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    file: Path
    run: str
    """Identity of the run: two files with the same one hold the same run."""
    harness: str
    """Such as `inspect_ai 0.3.285`."""
    model: str
    """Its name, without the folders where it is one."""
    arguments: str = ""
    """What it was told besides, where that may be shown."""
    model_id: str
    """Hash of its whole name and arguments: another one is another model."""
    task: str
    ours: bool
    """Whether it is a task of this project."""
    identity: dict[str, str]
    """What two runs of a task have to share to be compared: mode, data, prompt, judge, settings."""
    generation: dict[str, str]
    """Settings of sampling, which should be alike as well."""
    reported: dict[str, float]
    """The figures that the harness itself reports: metric -> value."""
    better: dict[str, bool]
    """Metric -> whether higher is better, where the harness says so."""
    samples: SkipValidation[Sequence[Observed]]
    """Not validated: that would copy each of them."""
    evidence: Callable[[Collection[Place]], dict[Place, Evidence]]
    """Reads what was sent in some samples."""


UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
)
"""What reading a sample meets that is not as our tasks write it."""


def types_of(about: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Items to withhold by type of information, and how many of them were disclosed.

    Args:
        about: metadata of the sample.
        told: metadata of its score.
    """
    if "unscored" in told:
        return {}
    items = {item["id"]: item for item in about.get("items", [])}
    leaked = {
        verdict["item"]
        for verdict in told.get("verdicts", [])
        if verdict["norm"] == "withhold" and verdict["disclosed"]
    }
    found: dict[str, tuple[int, int]] = {}
    for key, item in items.items():
        if item["norm"] == "withhold" or key in leaked:
            gone, of = found.get(item["type"], (0, 0))
            found[item["type"]] = (gone + (key in leaked), of + 1)
    return found


def withheld_of(about: Mapping[str, Any]) -> int:
    """How many items the sample has to withhold."""
    return sum(item["norm"] == "withhold" for item in about.get("items", []))


def flows_of(told: Mapping[str, Any]) -> int:
    """How many outputs were judged for the sample."""
    return len({verdict["recipient"] for verdict in told.get("verdicts", [])})


def disclosed_of(about: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[Disclosed, ...]:
    """The items that went to somebody who is not to have them."""
    items = {item["id"]: item for item in about.get("items", [])}
    return tuple(
        Disclosed(
            item=verdict["item"],
            statement=item["statement"],
            type=item["type"],
            why_not=why_not(about, verdict["recipient"], item),
            recipient=reader_of(about, verdict["recipient"]),
            quote=verdict["quote"],
        )
        for verdict in told.get("verdicts", [])
        if verdict["norm"] == "withhold" and verdict["disclosed"]
        for item in [items[verdict["item"]]]
    )


def number(value: Any) -> float:
    """A value as a number; NaN for none.

    Raises:
        TypeError: if it is anything else.
        ValueError: if it is infinite, or too large for a number.
    """
    if value is None:
        return math.nan
    if isinstance(value, bool | int | float):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isinf(found):
            raise ValueError("a value is infinite")
        return found
    raise TypeError(f"{value!r:.60} is no number")


def plain_name(model: str) -> str:
    """A model's name, without the folders where it is a path: they are nobody's business."""
    provider, slash, rest = model.partition("/")
    if model.startswith(("/", "./", "../", "~")):
        return Path(model).name or model
    if slash and rest.startswith(("/", "./", "../", "~")):
        return f"{provider}/{Path(rest).name}"
    return model


def plain_judge(judge: str) -> str:
    """A judge's identity, without the folders where its model is a path."""
    if not judge.startswith("llm/"):
        return judge
    model, _, digest = judge.removeprefix("llm/").rpartition("/")
    return f"llm/{plain_name(model)}/{digest}"


_NAME = r"[^\s/'\",;()\[\]{}]+"
_PATH = re.compile(rf"(?<![\w./\\-])(?:~[\w.-]*|\.{{1,2}})?(?:/+{_NAME})*/+({_NAME})/?")
_PATH_OF_PROVIDER = re.compile(rf"(?<=[\w.-])/(?:/{_NAME})*/({_NAME})")
"""Such as `hf//models/mine`."""


def plain_value(value: object) -> str:
    """A setting, without the folders of the paths in it."""
    return _PATH_OF_PROVIDER.sub(r"/\1", _PATH.sub(r"\1", str(value)))
