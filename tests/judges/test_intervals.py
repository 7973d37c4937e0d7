from __future__ import annotations

import math
import random

import numpy as np
import pytest
from inspect_ai.scorer import SampleScore, Score, ci_wilson, stderr
from scipy.stats import binomtest

from judges.intervals import UNDEFINED, estimate, wilson


def as_scores(values: list[float], clusters: list[str]) -> list[SampleScore]:
    return [
        SampleScore(score=Score(value=value), sample_id=str(i), sample_metadata={"c": cluster})
        for i, (value, cluster) in enumerate(zip(values, clusters, strict=True))
    ]


@pytest.mark.parametrize(("successes", "trials"), [(0, 9), (1, 12), (7, 20), (60, 60), (31, 493)])
def test_wilson_is_scipys(successes: int, trials: int) -> None:
    theirs = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    lower, upper = wilson(successes / trials, trials, 1.959963984540054)
    assert lower == pytest.approx(theirs.low, abs=1e-12)
    assert upper == pytest.approx(theirs.high, abs=1e-12)


def test_standard_error_and_interval_are_inspects_where_both_are_defined() -> None:
    draw = random.Random(5)
    values = [float(draw.random() < 0.4) for _ in range(80)]
    clusters = [f"pair-{i // 2}" for i in range(80)]
    ours = estimate(values, clusters)
    scores = as_scores(values, clusters)
    theirs = ci_wilson(cluster="c")(scores)
    assert ours.stderr == pytest.approx(stderr(cluster="c")(scores), rel=1e-12)
    assert ours.lower == pytest.approx(theirs["lower"], rel=1e-9)  # type: ignore
    assert ours.upper == pytest.approx(theirs["upper"], rel=1e-9)  # type: ignore


def test_the_clustered_standard_error_by_hand() -> None:
    # mean 0.5; cluster sums of deviations 1, 0, -1; (1 + 0 + 1) / 6**2 * 3/2 = 1/12
    found = estimate([1, 1, 1, 0, 0, 0], list("aabbcc"))
    assert found.mean == 0.5
    assert found.stderr == pytest.approx(math.sqrt(1 / 12))


def test_twins_that_agree_count_once() -> None:
    values = [1.0, 1.0, 0.0, 0.0] * 10
    together = estimate(values, [f"c{i // 2}" for i in range(40)])
    apart = estimate(values, [f"c{i}" for i in range(40)])
    assert together.upper - together.lower > 1.3 * (apart.upper - apart.lower)


@pytest.mark.parametrize(("value", "lowest"), [(0.0, 0.0), (1.0, 0.0), (0.0, -1.0), (1.0, -1.0)])
def test_an_interval_does_not_collapse_where_all_are_alike(value: float, lowest: float) -> None:
    found = estimate([value] * 40, [f"c{i // 2}" for i in range(40)], lowest=lowest)
    assert found.mean == value
    assert found.stderr == 0
    assert found.upper - found.lower > 0.1
    assert lowest <= found.lower <= value <= found.upper <= 1


def test_one_cluster_says_nothing_of_the_error() -> None:
    found = estimate([0.5, 1.0], ["a", "a"])
    assert math.isnan(found.stderr)
    assert (found.lower, found.upper) == (0, 1)
    assert estimate([0.5], ["a"], lowest=-1)[2:] == (-1, 1)


def test_more_clusters_make_the_interval_narrower() -> None:
    widths = [
        found.upper - found.lower
        for pairs in range(1, 8)
        for found in [estimate([1.0] * 2 * pairs, [i // 2 for i in range(2 * pairs)])]
    ]
    assert widths == sorted(widths, reverse=True)


def test_nothing_observed_is_undefined_and_wrong_values_are_refused() -> None:
    assert estimate([], []) is UNDEFINED
    with pytest.raises(ValueError, match=r"between 0\.0 and 1"):
        estimate([1.5], ["a"])
    with pytest.raises(ValueError, match=r"between 0\.0 and 1"):
        estimate([math.nan], ["a"])


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [10, 30, 60])
@pytest.mark.parametrize(("leak", "share"), [(0.02, 0.98), (0.1, 0.9), (0.3, 0.8), (0.5, 0.5)])
@pytest.mark.parametrize("likeness", [0.0, 0.3])
def test_the_intervals_cover(pairs: int, leak: float, share: float, likeness: float) -> None:
    """Twin pairs with three items each way, alike or not; 95 % intervals of three metrics."""
    draw = np.random.default_rng(7)
    studies, samples = 400, 2 * pairs
    clusters = [i // 2 for i in range(samples)]
    covered = {"leak_rate": 0, "item_leak_rate": 0, "discernment": 0}

    def rates(rate: float) -> np.ndarray:
        if likeness == 0:
            return np.full(samples, rate)
        scale = (1 - likeness) / likeness
        return np.repeat(draw.beta(rate * scale, (1 - rate) * scale, pairs), 2)

    for _ in range(studies):
        leaked = draw.binomial(3, rates(leak)) / 3
        shared = draw.binomial(3, rates(share)) / 3
        for name, values, truth, units, lowest in (
            ("item_leak_rate", leaked, leak, 3, 0.0),
            ("discernment", shared - leaked, share - leak, 6, -1.0),
        ):
            found = estimate(values.tolist(), clusters, units=[units] * samples, lowest=lowest)
            covered[name] += found.lower <= truth <= found.upper
        binary = (draw.random(samples) < rates(leak)).astype(float)
        found = estimate(binary.tolist(), clusters)
        covered["leak_rate"] += found.lower <= leak <= found.upper
    # 400 studies: a true coverage of 95 % falls below 92 % once in two hundred
    assert {name: count / studies >= 0.92 for name, count in covered.items()} == dict.fromkeys(
        covered, True
    ), {name: count / studies for name, count in covered.items()}
