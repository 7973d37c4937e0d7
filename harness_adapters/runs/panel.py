"""How far the members of a panel agreed in a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness_adapters.runs.run import Panel, Scored
from judges.calibration.agreement import krippendorffs_alpha
from judges.intervals import estimate


def panel_of(samples: Sequence[Scored]) -> Panel | None:
    """The agreement of the members on single items; None where no panel judged."""
    units: list[list[bool]] = []
    clusters: list[str] = []
    members: dict[str, int] = {}
    for sample in samples:
        for flow in _flows(sample.told.get("members", [])):
            for member in flow:
                members.setdefault(member["judge"], 0)
                members[member["judge"]] += "unscored" in member
            said = [_by_item(member) for member in flow if "verdicts" in member]
            if len(said) > 1:
                units += [[verdicts[item] for verdicts in said] for item in said[0]]
                clusters += [str(sample.about.get("cluster"))] * len(said[0])
    if not members:
        return None
    agreed = estimate([float(len(set(unit)) == 1) for unit in units], clusters)
    alpha = krippendorffs_alpha(units, clusters)
    return Panel(
        members=members,
        items=len(units),
        unanimous=agreed.mean if units else None,
        alpha=None if alpha is None else (alpha.value, alpha.lower, alpha.upper),
    )


def _flows(members: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """The answers to one output each: in every one of them each member stands once."""
    flow: list[Mapping[str, Any]] = []
    for member in members:
        if any(member["judge"] == other["judge"] for other in flow):
            yield flow
            flow = []
        flow.append(member)
    if flow:
        yield flow


def _by_item(member: Mapping[str, Any]) -> dict[str, bool]:
    return {verdict["item"]: verdict["disclosed"] for verdict in member["verdicts"]}
