"""A rate read off a judge that errs, corrected for its sensitivity and specificity.

A judge of sensitivity `se` and specificity `sp` finds a leak in `p = π·se + (1-π)·(1-sp)` of the
outputs if π of them leak, so that `π = (p + sp - 1) / (se + sp - 1)` (Rogan and Gladen 1978). The
interval carries the error of all three estimates. It holds every π that a score test does not
reject: the test's variance is taken at the π in question, with the `se` and `sp` that fit it best
(as Miettinen and Nurminen 1985 do for differences), and near 0 and 1 its limits are those of
Feldman and Cousins (1998, arXiv physics/9711021, section IV), so that it covers 95 % there as well:
an interval of two equal tails, cut off at 0, would cover 97.5 % or more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from judges.intervals import LEVEL, quantile, wilson

_Array = NDArray[np.float64]


class Rate(NamedTuple):
    """A share, and how much it rests on."""

    share: float
    size: float
    """How many independent trials it is worth (`judges.intervals.effective_size`)."""
    groups: int
    """How many clusters it was seen in."""

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval with Student's t."""
        if self.groups < 2:
            return 0.0, 1.0
        return wilson(self.share, self.size, quantile(self.groups))

    @property
    def _variance(self) -> float:
        # that of the share moved towards the middle, so that it is not 0 at rates of 0 and 1
        shrunk = (self.share * self.size + 1) / (self.size + 2)
        return shrunk * (1 - shrunk) / self.size


class Accuracy(NamedTuple):
    """How often a judge was right, on outputs whose leaks are known."""

    sensitivity: Rate
    """Share of the leaks that it found."""
    specificity: Rate
    """Share of the outputs without a leak in which it found none."""

    @property
    def youden(self) -> float:
        """`sensitivity + specificity - 1`: 0 for a judge that guesses."""
        return self.sensitivity.share + self.specificity.share - 1

    @property
    def youden_lower(self) -> float:
        """Lower limit of its 95 % interval, from those of the two (Donner and Zou 2010, MOVER)."""
        gaps = [rate.share - rate.interval[0] for rate in self]
        return self.youden - math.hypot(*gaps)


class Arm(NamedTuple):
    """One arm of a comparison: its raw rate, and the judge's accuracy."""

    raw: Rate
    judge: Accuracy
    judged: float = 1.0
    """Share of the samples in which there was anything to judge; the others do not leak."""


class Corrected(NamedTuple):
    """A corrected rate with its 95 % interval."""

    rate: float
    lower: float
    upper: float


class NotCorrected(NamedTuple):
    """Why a rate cannot be corrected."""

    why: str


def correct(raw: Rate, judge: Accuracy) -> Corrected | NotCorrected:
    """The share of outputs that leak, from the share in which the judge found a leak.

    Args:
        raw: the share of judged outputs with a leak by the judge's verdict.
        judge: its accuracy.

    Returns:
        The corrected rate; or, in a sentence, why there is none: the judge is not clearly better
        than guessing, or the raw rate is one that a judge of this accuracy does not give, so that
        it must err otherwise on these outputs than it did on the gold cases.

    Raises:
        ValueError: if a rate is no share.
    """
    arm = Arm(raw, judge)
    refusal = _refused(arm)
    if refusal:
        return refusal
    rate = min(max(_anywhere(arm), 0.0), 1.0)
    grid = np.linspace(0.0, 1.0, 2001)
    inside = grid[_accepted(grid, raw, judge)]
    # a rate between two points of the grid is always one that fits
    return Corrected(
        rate, min([rate, *map(float, inside[:1])]), max([rate, *map(float, inside[-1:])])
    )


def of_all(found: Corrected, judged: Rate) -> Corrected:
    """A rate among the judged samples as a rate among all: what was never sent does not leak.

    The interval of the product is put together from those of its factors (Donner and Zou 2010).

    Args:
        found: the corrected rate among those in which there was something to judge.
        judged: their share of all samples.
    """
    least, most = judged.interval
    rate, share = found.rate, judged.share
    below = math.hypot(share * (rate - found.lower), rate * (share - least))
    above = math.hypot(share * (found.upper - rate), rate * (most - share))
    return Corrected(share * rate, max(0.0, share * rate - below), min(1.0, share * rate + above))


def over_mixes(of_gold: Corrected, of_plain: Corrected) -> Corrected | NotCorrected:
    """A corrected rate that holds whether outputs are like all gold cases or like the plain ones.

    Nobody knows how often a model's outputs are as hard to judge as the gold cases. The interval
    reaches over both; where they contradict each other there is no rate.

    Args:
        of_gold: corrected by the accuracy on all gold outputs.
        of_plain: corrected by that on the outputs that disclose plainly, or say nothing.
    """
    if of_gold.lower > of_plain.upper or of_plain.lower > of_gold.upper:
        return NotCorrected(
            "it hangs on how hard the outputs are to judge:"
            f" {of_gold.rate:.2f} [{of_gold.lower:.2f}, {of_gold.upper:.2f}] if they are like all"
            f" gold cases, {of_plain.rate:.2f} [{of_plain.lower:.2f}, {of_plain.upper:.2f}] if they"
            " are like the plain ones"
        )
    return Corrected(
        of_gold.rate,
        min(of_gold.lower, of_plain.lower),
        max(of_gold.upper, of_plain.upper),
    )


def corrected_difference(
    base: Arm, tuned: Arm, *, same_judge: bool, covariance: float = 0.0
) -> Corrected | NotCorrected:
    """How much more the tuned arm leaks than the base: each is corrected by itself before.

    The interval is that of the delta method with Welch's degrees of freedom. What one calibration
    says of both arms is one error, not two: it cancels as far as the arms are alike.

    Args:
        base: the arm that is compared with.
        tuned: the other one.
        same_judge: whether one judge with one calibration judged both.
        covariance: that of the two raw rates, where both arms answered the same scenarios.

    Returns:
        The difference of the corrected rates, each wherever the formula puts it (a rate below 0
        is noise, and cutting it off would bend the difference); or the first arm's reason for
        having none.
    """
    arms = (base, tuned)
    for arm in arms:
        if refusal := _refused(arm):
            return refusal
    rates = [_anywhere(arm) for arm in arms]
    parts = [(_raw_variance(arm) / arm.judge.youden**2, arm.raw.groups) for arm in arms]
    # what an error of the sensitivity, and of the specificity, does to each arm
    slopes = [
        (-sign * rate / arm.judge.youden, sign * (arm.judged - rate) / arm.judge.youden)
        for sign, rate, arm in zip((-1, 1), rates, arms, strict=True)
    ]
    for which in (0, 1):
        of_base, of_tuned = (arm.judge[which] for arm in arms)
        one, other = slopes[0][which], slopes[1][which]
        if same_judge:
            parts.append(((one + other) ** 2 * of_base._variance, of_base.groups))
        else:
            parts.append((one**2 * of_base._variance, of_base.groups))
            parts.append((other**2 * of_tuned._variance, of_tuned.groups))
    paired = -2 * covariance / (base.judge.youden * tuned.judge.youden)
    variance = max(sum(part for part, _ in parts) + paired, 0.0)
    half = _student_of(parts) * math.sqrt(variance)
    middle = min(max(rates[1] - rates[0], -1.0), 1.0)
    return Corrected(middle, max(-1.0, middle - half), min(1.0, middle + half))


def _raw_variance(arm: Arm) -> float:
    """Of the raw rate less the false alarms among what was judged."""
    raw, alarms = arm.raw, 1 - arm.judge.specificity.share
    judged = arm.judged * (1 - arm.judged) / raw.size
    together = raw.share * (1 - arm.judged) / raw.size
    return max(raw._variance + alarms**2 * judged - 2 * alarms * together, 0.0)


def _student_of(parts: Sequence[tuple[float, int]]) -> float:
    """Student's t for a sum of variances from that many clusters (Welch and Satterthwaite)."""
    from scipy.special import stdtrit

    if any(groups < 2 for _, groups in parts):
        return math.inf
    total = sum(part for part, _ in parts)
    parted = sum(part**2 / (groups - 1) for part, groups in parts)
    return float(stdtrit(total**2 / parted, 0.5 + LEVEL / 2)) if parted else 0.0


def _anywhere(arm: Arm) -> float:
    """The corrected rate, wherever it lies."""
    return (arm.raw.share - arm.judged * (1 - arm.judge.specificity.share)) / arm.judge.youden


def _refused(arm: Arm) -> NotCorrected | None:
    raw, judge, judged = arm
    shares = (raw.share, judge.sensitivity.share, judge.specificity.share, judged)
    if any(not 0 <= share <= 1 for share in shares) or raw.share > judged + 1e-9:
        raise ValueError(f"shares between 0 and 1 were expected, not {shares}")
    if judged == 0:
        return NotCorrected("nothing was sent that a judge could have erred on")
    return refused(judge) or _does_not_fit(raw, judge, judged)


def refused(judge: Accuracy) -> NotCorrected | None:
    """Why rates are not corrected by this judge, if it is not clearly better than a guess."""
    if judge.youden_lower > 0:
        return None
    return NotCorrected(
        f"sensitivity + specificity - 1 of the judge is {judge.youden:.2f}, and not clearly above 0"
        f" (from {judge.youden_lower:.2f}): its verdicts say too little of what leaked"
    )


_CLEARLY = 1.645
"""Standard errors beyond which at most one study in twenty lies by chance."""


def _does_not_fit(raw: Rate, judge: Accuracy, judged: float) -> NotCorrected | None:
    """A rate above what all leaks would give, or below what none would."""
    se, sp = judge.sensitivity, judge.specificity
    for end, limit, rate in (
        (1, judged * se.share, se),
        (-1, judged * (1 - sp.share), sp),
    ):
        error = math.sqrt(raw._variance + judged**2 * rate._variance)
        if end * (raw.share - limit) > _CLEARLY * error:
            return NotCorrected(
                f"a judge with sensitivity {se.share:.2f} and specificity {sp.share:.2f} gives"
                f" rates from {judged * (1 - sp.share):.2f} to {judged * se.share:.2f}, not"
                f" {raw.share:.2f}: on these outputs it errs otherwise than on the gold cases"
            )
    return None


_STEPS = 3
"""Rounds after which the best-fitting accuracies do not move any more."""
_SPECK = 1e-6


def _accepted(grid: _Array, raw: Rate, judge: Accuracy) -> NDArray[np.bool_]:
    """Which rates the test does not reject."""
    (se_seen, se_size, _), (sp_seen, sp_size, _) = judge
    clean = 1.0 - grid
    residual = raw.share - grid * se_seen - clean * (1 - sp_seen)
    se = np.full_like(grid, (se_seen * se_size + 0.5) / (se_size + 1))
    sp = np.full_like(grid, (sp_seen * sp_size + 0.5) / (sp_size + 1))
    for _ in range(_STEPS):
        parts = _variances(grid, clean, se, sp, raw, judge)
        pull = residual / sum(parts)
        se = np.clip(se_seen + pull * se * (1 - se) / se_size * grid, _SPECK, 1 - _SPECK)
        sp = np.clip(sp_seen - pull * sp * (1 - sp) / sp_size * clean, _SPECK, 1 - _SPECK)
    parts = _variances(grid, clean, se, sp, raw, judge)
    total: _Array = sum(parts, np.zeros_like(grid))
    error = np.sqrt(total)
    widened = _student(parts, total, (raw, *judge))
    place = residual / error / widened
    unit = judge.youden / error
    left, right = _limits(grid * unit, clean * unit)
    inside: NDArray[np.bool_] = (-left <= place) & (place <= right)
    return inside


def _variances(
    grid: _Array, clean: _Array, se: _Array, sp: _Array, raw: Rate, judge: Accuracy
) -> list[_Array]:
    expected = np.clip(grid * se + clean * (1 - sp), _SPECK, 1 - _SPECK)
    return [
        expected * (1 - expected) / raw.size,
        grid**2 * se * (1 - se) / judge.sensitivity.size,
        clean**2 * sp * (1 - sp) / judge.specificity.size,
    ]


def _student(parts: list[_Array], total: _Array, rates: tuple[Rate, ...]) -> Any:
    """By how much few clusters widen the limits: Student's t with Welch's degrees of freedom."""
    from scipy.special import ndtri, stdtrit

    parted = sum(
        part**2 / max(rate.groups - 1, 0.01) for part, rate in zip(parts, rates, strict=True)
    )
    upper = 0.5 + LEVEL / 2
    return stdtrit(total**2 / parted, upper) / ndtri(upper)


def _limits(to_lowest: _Array, to_highest: _Array) -> tuple[_Array, _Array]:
    """How far below and above its mean a measurement may lie, by Feldman and Cousins' ordering.

    Args:
        to_lowest: distance of the mean from the lowest possible one, in standard errors.
        to_highest: its distance from the highest.
    """
    from scipy.special import ndtr

    low, high = np.zeros_like(to_lowest), np.full_like(to_lowest, 2.0)
    for _ in range(40):
        radius = (low + high) / 2
        covered = ndtr(_reach(to_highest, radius)) - ndtr(-_reach(to_lowest, radius))
        low = np.where(covered < LEVEL, radius, low)
        high = np.where(covered < LEVEL, high, radius)
    return _reach(to_lowest, high), _reach(to_highest, high)


def _reach(room: _Array, radius: _Array) -> _Array:
    """How far the accepted measurements go on one side, beyond whose end no mean can lie."""
    beyond = (radius**2 - room**2) / (2 * np.maximum(room, 1e-300)) + room
    return np.where(room >= radius, radius, beyond)
