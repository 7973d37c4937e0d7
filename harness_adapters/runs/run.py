"""What one run says, whichever harness it was run in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from privacy_tasks.metrics import DEFINITIONS, OVER_RUNS
from privacy_tasks.probing import metrics as probing

FIGURES = tuple(dict.fromkeys([*DEFINITIONS, *OVER_RUNS, *probing.FIGURES]))
"""Every figure with an interval that a log of ours can hold."""

MEANS = (
    "violation_at_n_lower",
    "violation_at_n_upper",
    "violation_at_n_upstream",
    "completeness_upstream",
)
"""Figures without an interval."""

NO_JUDGE = "none: the answers are read"
"""What stands for a judge where none is needed."""


class Figure(BaseModel):
    """A metric with its standard error and 95 % interval; None where it is not defined."""

    model_config = ConfigDict(frozen=True)

    mean: float | None
    stderr: float | None
    lower: float | None
    upper: float | None


class Leak(BaseModel):
    """An item that went to somebody who is not to have it."""

    model_config = ConfigDict(frozen=True)

    scenario: str
    recipient: str
    item: str
    quote: str
    why_not: str


class Panel(BaseModel):
    """How far the members of a panel agreed."""

    model_config = ConfigDict(frozen=True)

    members: dict[str, int]
    """Identity -> outputs on which this member gave no verdict."""
    items: int
    """Verdicts on single items that two or more members gave."""
    unanimous: float | None
    """Share of them on which all agreed."""
    alpha: tuple[float, float, float] | None
    """Krippendorff's α with its 95 % interval."""


class Run(BaseModel):
    """What one log says."""

    model_config = ConfigDict(frozen=True)

    model: str
    task: str
    mode: str
    """Mode of the task; of probes, their level."""
    scorer: str
    status: str
    judge: str
    data: dict[str, str]
    """Name, version and hash of the scenario set."""
    samples: int
    """How many were run, each epoch (and each order of a probe) counted."""
    clusters: int
    """How many of them are independent: twin pairs, persons, settings."""
    epochs: int
    metrics: dict[str, Figure]
    """Every figure that the log holds; the headline is the first."""
    means: dict[str, float | None]
    """Further figures, without an interval."""
    domains: dict[str, dict[str, float | None]]
    """Metric -> domain -> mean."""
    settings: dict[str, Any]
    """Parameters of the task and of the model that are not their defaults."""
    scorings: int
    """How many sets of scores the log holds; the figures are of the last."""
    unscored: dict[str, int]
    """Reason -> number of samples without a verdict."""
    errors: dict[str, str]
    """Reason -> what went wrong in the first of these samples."""
    leaks: tuple[Leak, ...]
    withheld: dict[int, int] | None = None
    """Number of items to withhold -> samples with so many; None where no samples are there."""
    flows: int | None = None
    """How many outputs were judged for one sample, at most; None where no samples are there."""
    uncorrected: str | None = None
    """Why `leak_rate` was not corrected for the judge's errors; None where it was, or none was
    asked."""
    panel: Panel | None = None
    """Where a panel judged."""
    evidence: bool = True
    """Whether the samples are there from which leaks can be shown."""
    log: str


class Scored(NamedTuple):
    """One sample, and what its scorer noted of it."""

    id: str
    about: Mapping[str, Any]
    """Metadata of the sample: items with their norms, recipients."""
    told: Mapping[str, Any]
    """Metadata of its score: verdicts, or why there are none."""


class Shape(NamedTuple):
    """How much is judged at once."""

    withheld: dict[int, int] | None
    flows: int | None


def shape_of(samples: Sequence[Scored]) -> Shape:
    """How many samples have how many items to withhold, and the most outputs of one sample."""
    if not samples:
        return Shape(None, None)
    withheld = [
        sum(item["norm"] == "withhold" for item in sample.about.get("items", []))
        for sample in samples
    ]
    flows = [
        len({verdict["recipient"] for verdict in sample.told.get("verdicts", [])})
        for sample in samples
    ]
    return Shape(dict(sorted(Counter(withheld).items())), max(flows))


def leaks_of(samples: Iterable[Scored]) -> list[Leak]:
    """The leaks, at most one of each sample."""
    found = []
    for sample in samples:
        about = sample.about
        items = {item["id"]: item for item in about.get("items", [])}
        for verdict in sample.told.get("verdicts", []):
            if verdict["norm"] == "withhold" and verdict["disclosed"]:
                item = items[verdict["item"]]
                found.append(
                    Leak(
                        scenario=sample.id,
                        recipient=reader_of(about, verdict["recipient"]),
                        item=item["statement"],
                        quote=verdict["quote"] or "",
                        why_not=why_not(about, verdict["recipient"], item),
                    )
                )
                break
    return found


def reader_of(about: Mapping[str, Any], key: str | None) -> str:
    """Who got it: the sample's recipient, or another whom its norms speak of."""
    person = about.get("recipients", {}).get(key)
    return f"{person['name']} ({person['role']})" if person else str(about["recipient"])


def why_not(about: Mapping[str, Any], key: str | None, item: dict[str, Any]) -> str:
    """Why the reader is not to have an item."""
    person = about.get("recipients", {}).get(key)
    return str(person["norms"][item["id"]][1] if person else item["rationale"])
