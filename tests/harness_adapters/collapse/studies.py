"""Simulated studies whose truth is known, and logs of them, without a model or a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from harness_adapters.collapse.arms import ArmLogs
from harness_adapters.collapse.paired import Array, Values, difference, relative_change
from harness_adapters.runs.observed import About, Observed, TaskLog

JUDGE = "llm/openai/gpt/0123456789ab"
ACTING, PROBING = "privacy_tasks/agentic", "privacy_tasks/probing"


class Design(NamedTuple):
    """What a study is drawn from.

    Every outcome is 1 where a normal variable lies below a limit. Its variance of 1 is that of
    cluster, scenario, seed and sampling together, so that the rates over all scenarios, seeds and
    samplings are exactly `base` and `base + rise`.
    """

    groups: int = 61
    size: int = 2
    """Scenarios in a cluster."""
    base: float = 0.3
    rise: float = 0.0
    runs: tuple[int, int] = (1, 1)
    """Of the base arm and of the tuned one."""
    seed: float = 0.0
    """Standard deviation of a run, on the normal scale; times the density there it is that of a
    rate: 0.15 is 5 points at a rate of 30 %, 6 at 50 %."""
    cluster: float = 0.2
    scenario: float = 0.5
    """Shares of the variance."""
    alike: float = 0.8
    """Correlation of the two arms' effects of clusters and scenarios."""
    unscored: float = 0.05

    @property
    def clusters(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(self.groups), self.size)


class Study(NamedTuple):
    """Outcomes of both arms: shape (runs, scenarios), NaN where unscored."""

    base: Array
    tuned: Array
    clusters: NDArray[np.int64]
    rates: tuple[float, float]
    """The true ones: of the recipes, or where an arm has one run, of that very model."""

    @property
    def rise(self) -> float:
        return self.rates[1] - self.rates[0]

    @property
    def values(self) -> tuple[Values, Values]:
        return Values(self.base), Values(self.tuned)


def drawn(design: Design, draw: np.random.Generator) -> Study:
    """One study."""
    one, other = _effects(design, draw)
    arms, rates = [], []
    for effects, runs, rate in zip(
        (one, other), design.runs, (design.base, design.base + design.rise), strict=True
    ):
        limit = float(ndtri(rate))
        seeds = design.seed * draw.standard_normal((runs, 1))
        left = math.sqrt(1 - design.cluster - design.scenario - design.seed**2)
        sampled = effects + seeds + left * draw.standard_normal((runs, effects.size))
        outcomes = (sampled < limit).astype(float)
        outcomes[draw.random(outcomes.shape) < design.unscored] = np.nan
        arms.append(outcomes)
        if runs == 1 and design.seed:
            rate = float(ndtr((limit - seeds[0, 0]) / math.sqrt(1 - design.seed**2)))
        rates.append(rate)
    return Study(arms[0], arms[1], design.clusters, (rates[0], rates[1]))


def _effects(design: Design, draw: np.random.Generator) -> tuple[Array, Array]:
    """Of cluster and scenario together, in both arms."""
    places = design.clusters
    own = [
        math.sqrt(design.cluster) * draw.standard_normal(design.groups)[places]
        + math.sqrt(design.scenario) * draw.standard_normal(places.size)
        for _ in (0, 1)
    ]
    return own[0], design.alike * own[0] + math.sqrt(1 - design.alike**2) * own[1]


def unpaired(arm: Array) -> tuple[float, float]:
    """Mean and standard error of an arm as lm-eval has them: every sample for itself.

    Of several runs the mean, and the error of the mean of their errors.
    """
    known = ~np.isnan(arm)
    count = known.sum(axis=1)
    spread = np.nanstd(arm, axis=1, ddof=1)
    error = math.sqrt(float((spread**2 / count).sum())) / len(arm)
    return float(np.nanmean(arm, axis=1).mean()), error


def z_interval(study: Study) -> tuple[float, float]:
    """The interval of the unpaired z-test."""
    (one, its), (other, others) = unpaired(study.base), unpaired(study.tuned)
    half = 1.959964 * math.hypot(its, others)
    return other - one - half, other - one + half


class Cell(NamedTuple):
    """What many studies of one design say of the intervals: shares of the studies."""

    design: Design
    covered: float
    """The interval of the difference holds the true one."""
    relative: float
    """Of those with a relative change, its interval holds the true one."""
    levels: tuple[float, float]
    """Each arm's interval holds its true rate."""
    rejected: float
    """p of no difference is below 5 %."""
    above: float
    """p of a rise of at most the true one is below 2.5 %: a collapse would be claimed at that τ."""
    below: float
    """p of at least the true one is below 5 %: no collapse would be claimed at that τ."""
    width: float
    """Mean width of the interval."""
    unpaired: float
    """How wide it is beside that of the unpaired z-test, where that has a width."""
    unpaired_covered: float
    """The interval of the z-test holds the true difference."""


def cell(design: Design, studies: int) -> Cell:
    """Many studies of one design, always the same ones."""
    draw = np.random.default_rng([design.groups, *(round(100 * it) for it in design[2:4])])
    rows = []
    for _ in range(studies):
        study = drawn(design, draw)
        found = difference(*study.values, study.clusters, good=0.0)
        if found is None:
            raise ValueError("a study of fewer than two clusters")
        low, high = found.interval()
        least, most = z_interval(study)
        change = relative_change(found, good=0.0)
        true = -study.rise / (1 - study.rates[0])
        rows.append(
            (
                low <= study.rise <= high,
                change.lower <= true <= change.upper if change else np.nan,
                found.base.lower <= study.rates[0] <= found.base.upper,
                found.tuned.lower <= study.rates[1] <= found.tuned.upper,
                found.p < 0.05,
                found.p_above(study.rise) < 0.025 and low > study.rise,
                found.cautious_below(study.rise) < 0.05,
                high - low,
                (high - low) / (most - least) if most > least else np.nan,
                least <= study.rise <= most,
            )
        )
    mean = [float(it) for it in np.nanmean(np.array(rows, float), axis=0)]
    return Cell(design, mean[0], mean[1], (mean[2], mean[3]), *mean[4:])


def samples_of(
    outcomes: Array,
    clusters: Sequence[int] | NDArray[np.int64],
    *,
    metric: str = "leak_rate",
    ours: bool = True,
    rights: Sequence[str] | None = None,
    idle: Sequence[float] | None = None,
    more: Mapping[str, Sequence[float]] | None = None,
    withheld: int = 2,
    ids: Sequence[str] | None = None,
) -> list[Observed]:
    """The samples of one run, an epoch each.

    Args:
        outcomes: of each scenario; NaN where unscored (of a task of others: without a value).
        clusters: of each scenario.
        metric: what the outcomes are values of.
        ours: whether the task is one of this project.
        rights: of probes, the right answers.
        idle: `no_action_rate`, where it is known.
        more: further values.
        withheld: items to withhold in each.
        ids: of the scenarios, unless they are numbered.
    """
    found = []
    for place, (value, cluster) in enumerate(zip(outcomes, clusters, strict=True)):
        values = {metric: float(value)}
        if idle is not None:
            values["no_action_rate"] = float(idle[place])
        for name, column in (more or {}).items():
            values[name] = float(column[place])
        about = About(
            cluster=f"c{cluster:05}",
            domain=("health", "work")[int(cluster) % 2],
            channel=("email", "chat")[place % 2],
            right=rights[place] if rights else None,
        )
        found.append(
            Observed(
                id=ids[place] if ids else f"s{place:05}",
                epoch=1,
                content="",
                values=values,
                unscored="no_verdict" if ours and math.isnan(value) else None,
                about=about if ours else None,
                types={},
                withheld=0 if rights else withheld,
                flows=0 if rights else 1,
            )
        )
    return found


_IDENTITY = {
    "mode": "replay",
    "set": "core",
    "set_version": "1",
    "set_hash": "aaaa",
    "prompt_hash": "bbbb",
}


def log_of(
    samples: Sequence[Observed],
    *,
    run: str,
    task: str = ACTING,
    ours: bool = True,
    judge: str = JUDGE,
    reported: Mapping[str, float] | None = None,
    better: Mapping[str, bool] | None = None,
    **identity: str,
) -> TaskLog:
    """A log with these samples."""
    return TaskLog(
        file=Path(f"{run}.eval"),
        run=run,
        harness="inspect_ai 0.3.285",
        model=run.partition(" ")[0],
        model_id=run,
        task=task,
        ours=ours,
        identity={**_IDENTITY, "judge": judge, **identity} if ours else {"version": "1"},
        generation={},
        reported=dict(reported or {}),
        better=dict(better or {}),
        samples=samples,
        evidence=lambda _: {},
    )


def arm_of(name: str, *logs: TaskLog) -> ArmLogs:
    """An arm of these logs."""
    return ArmLogs(name, logs, ())


def logs_of(
    name: str,
    outcomes: Array,
    clusters: Sequence[int] | NDArray[np.int64],
    *,
    task: str = ACTING,
    rights: Sequence[str] | None = None,
    judge: str = JUDGE,
    mode: str = "replay",
) -> list[TaskLog]:
    """A log for every run of an arm."""
    return [
        log_of(
            samples_of(row, clusters, metric="correct" if rights else "leak_rate", rights=rights),
            run=f"{name} {task} {mode} {number}",
            task=task,
            judge=judge,
            mode=mode,
        )
        for number, row in enumerate(outcomes)
    ]


def arms_of(study: Study) -> tuple[ArmLogs, ArmLogs]:
    """Both arms of a study of leaks."""
    return (
        arm_of("base", *logs_of("base", study.base, study.clusters)),
        arm_of("tuned", *logs_of("tuned", study.tuned, study.clusters)),
    )


def benchmark_of(
    name: str,
    outcomes: Array,
    *,
    task: str = "mmlu",
    metric: str = "acc,none",
    reported: Mapping[str, float] | None = None,
    better: Mapping[str, bool] | None = None,
) -> list[TaskLog]:
    """A log for every run of a benchmark of others."""
    return [
        log_of(
            samples_of(row, range(len(row)), metric=metric, ours=False),
            run=f"{name} {task} {number}",
            task=task,
            ours=False,
            reported=reported,
            better=better,
        )
        for number, row in enumerate(outcomes)
    ]
