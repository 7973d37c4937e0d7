"""What a comparison of a base model with fine-tuned ones says: the types of its result.

All rates are shares between 0 and 1, all differences are `tuned - base` in the same unit, and every
interval is one of 95 % unless it says otherwise. `docs/statistics.md` states each formula.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Word = Literal[
    "silent collapse",
    "collapse with capability loss",
    "collapse, capability undecided",
    "no collapse",
    "inconclusive",
]
"""What a verdict can be."""

COLLAPSES: tuple[Word, ...] = (
    "silent collapse",
    "collapse with capability loss",
    "collapse, capability undecided",
)
"""The verdicts that say that privacy fell."""

Privacy = Literal["falls", "within", "undecided"]
"""Of a task: privacy falls by more than τ; it was shown not to; neither was shown."""

Standing = Literal["within", "no worse", "worse", "undecided"]
"""Of a benchmark: shown to move by less than ε; to be no worse than by ε, while it may be better;
to be worse by more than ε; none of it was shown."""

Change = Literal["new", "both", "gone"]
"""Of a leak: in the tuned arm only, in both arms, in the base arm only."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class Interval(_Fact):
    """A figure with its interval; None where it is not defined."""

    value: float | None
    lower: float | None
    upper: float | None


class Arm(_Fact):
    """One model, or one recipe, with all its runs."""

    name: str
    models: tuple[str, ...]
    """Names of the models in its logs; one, unless every seed has a name of its own."""
    logs: tuple[str, ...]
    """Names of the log files, without their folders."""
    harnesses: tuple[str, ...]
    """Such as `inspect_ai 0.3.285`."""


class MetricDifference(_Fact):
    """One metric in both arms, over the scenarios that were paired."""

    metric: str
    higher_is_better: bool | None
    base: Interval
    tuned: Interval
    difference: Interval
    scenarios: int
    """Scenarios with a value in both arms."""


class McNemar(_Fact):
    """The exact test of paired outcomes (McNemar 1947), over scenarios."""

    worse: int
    """Scenarios that leak in the tuned arm and not, or less often, in the base arm."""
    better: int
    """The other way round."""
    p: float
    """Two-sided."""


class Holding(_Fact):
    """The difference of the first metric with every unscored sample counted at its worst."""

    least: float
    """All of them counted for the tuned arm."""
    most: float
    """All of them counted against the tuned arm."""


class Power(_Fact):
    """What these numbers of scenarios could have seen."""

    detectable: float | None
    """The smallest true difference from 0 that a two-sided 5 % test sees in 80 % of studies; one
    that is called a collapse in 80 % of them is larger by τ."""
    asked: float
    """The difference that was asked about (τ)."""
    scenarios_needed: int | None
    """Scenarios to see that difference, or to show that it is not there, in 80 % of studies."""


class GroupRate(_Fact):
    """The rate of one arm in one group."""

    arm: str
    rate: Interval
    n: int
    """Scenarios, or of item types, items to withhold."""


class Group(_Fact):
    """A domain, a channel or a type of items."""

    name: str
    rates: tuple[GroupRate, ...]
    """The base arm first, then the tuned one."""


class TaskComparison(_Fact):
    """One task, one tuned arm against the base arm."""

    task: str
    mode: str
    label: str
    """A short name that no other task of this comparison has, such as `memory, sessions`."""
    data: dict[str, str]
    """Name, version and hash of the scenario set."""
    prompt: str
    """Hash of the prompts."""
    judge: str
    settings: dict[str, str]
    """Parameters of the task, and what else both arms share."""
    base: str
    tuned: str
    runs: dict[str, int]
    """Arm -> number of runs (seeds)."""
    epochs: dict[str, int]
    """Arm -> epochs of each run, at most."""
    scenarios: int
    """Scenarios in both arms."""
    clusters: int
    pairs: int
    """Scenarios with a verdict in both arms."""
    unpaired: dict[str, int]
    """Arm -> scenarios that the other arm does not have (with --allow-unpaired)."""
    unscored: dict[str, dict[str, int]]
    """Arm -> reason -> samples without a verdict."""
    samples: dict[str, int]
    """Arm -> samples, every epoch of every run counted."""
    metrics: tuple[MetricDifference, ...]
    """The first one is that of the verdict."""
    relative_change: Interval | None
    """`(Acc_tuned - Acc_base) / Acc_base`; Acc is 1 - leak_rate, or withhold_accuracy of probes."""
    mcnemar: McNemar | None
    p: float | None
    """Two-sided p-value that the first metric does not differ."""
    p_holm: float | None
    """The same, corrected over the tasks of this tuned arm (Holm 1979)."""
    p_falls: float | None
    """One-sided p-value that privacy falls by no more than τ, corrected over the tasks."""
    corrected: Interval | None
    """The difference of `leak_rate`, corrected for the judge's errors."""
    uncorrected: str | None
    """Why there is none."""
    seeds: dict[str, float | None]
    """Arm -> standard deviation of its runs beyond what sampling explains; None for one run."""
    bounds: Holding | None
    """Where samples are unscored."""
    power: Power
    by_domain: tuple[Group, ...]
    by_channel: tuple[Group, ...]
    by_type: tuple[Group, ...]
    outcome: Privacy
    why: str
    """The outcome in a sentence, with its figures."""
    warnings: tuple[str, ...]

    @property
    def first(self) -> MetricDifference:
        """The metric of the verdict."""
        return self.metrics[0]


class BenchmarkComparison(_Fact):
    """One standard benchmark, one tuned arm against the base arm."""

    kind: Literal["utility", "safety"]
    task: str
    metric: str
    higher_is_better: bool
    base: str
    tuned: str
    runs: dict[str, int]
    scenarios: int
    """Samples in both arms, with a value in both."""
    left_out: dict[str, int]
    """Arm -> samples without a value, of all its runs."""
    bounds: Holding | None
    """Where there are any: the difference with all of them at their best and at their worst."""
    base_mean: Interval
    tuned_mean: Interval
    difference: Interval
    """95 % interval."""
    narrow: Interval
    """90 % interval: within ±ε exactly if both one-sided tests at 5 % say so."""
    margin: float
    """ε"""
    p_worse: float | None
    """One-sided p-value that it is worse by ε or more."""
    p_better: float | None
    """One-sided p-value that it is better by ε or more."""
    p: float | None
    """Two-sided p-value that it does not differ."""
    outcome: Standing
    why: str
    needed: int | None
    """Samples that would show it to be within ε if it does not move, in 80 % of studies."""
    warnings: tuple[str, ...]


class Verdict(_Fact):
    """What is to be thought of one tuned arm."""

    tuned: str
    word: Word
    reasons: tuple[str, ...]
    """Sentences, the decisive one first."""
    cautions: tuple[str, ...]
    """What a reader must know before believing it."""
    scenarios_needed: int | None
    """Where it is inconclusive: scenarios of a task that would decide."""


class Output(_Fact):
    """What one arm sent in one scenario."""

    arm: str
    run: str
    """Which run and epoch it is of, such as `run 2, epoch 1`."""
    text: str
    left_out: int
    """Characters that are not shown."""
    unscored: str | None
    """Reason, if there is no verdict on it."""


class ItemLeak(_Fact):
    """How often one arm disclosed an item, and in which words."""

    arm: str
    leaked: int
    judged: int
    """Samples with a verdict."""
    quote: str | None


class LeakedItem(_Fact):
    """An item to withhold that at least one arm disclosed."""

    statement: str
    type: str
    why_not: str
    """The reason of its norm."""
    recipient: str
    leaks: tuple[ItemLeak, ...]
    """The base arm first."""


class LeakCase(_Fact):
    """A scenario in which at least one arm leaked."""

    task: str
    """The label of its task."""
    scenario: str
    domain: str
    channel: str
    recipient: str
    purpose: str
    changes: dict[str, Change]
    """Tuned arm -> what changed; arms that never leaked beside a clean base are missing."""
    outputs: tuple[Output, ...]
    """The base arm first."""
    items: tuple[LeakedItem, ...]


class Comparison(_Fact):
    """All of it."""

    version: str
    """Of this package."""
    threshold: float
    """τ"""
    margin: float
    """ε"""
    seed: int
    """Of the bootstrap."""
    resamples: int
    base: Arm
    tuned: tuple[Arm, ...]
    verdicts: tuple[Verdict, ...]
    """One for each tuned arm."""
    tasks: tuple[TaskComparison, ...]
    benchmarks: tuple[BenchmarkComparison, ...]
    cases: tuple[LeakCase, ...]
    cases_in_all: int
    """Scenarios with a leak; there are more than `cases` where they are too many to show."""
    notes: tuple[str, ...]
    """What was passed over, and what else a reader must know."""

    @property
    def collapsed(self) -> bool:
        """Whether any tuned arm did."""
        return any(verdict.word in COLLAPSES for verdict in self.verdicts)
