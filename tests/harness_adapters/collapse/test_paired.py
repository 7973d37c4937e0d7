from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from pandas import DataFrame
from scipy.stats import bootstrap, t
from statsmodels.formula.api import ols
from statsmodels.stats.power import NormalIndPower, TTestPower
from statsmodels.stats.weightstats import ttost_paired

from harness_adapters.collapse import paired
from harness_adapters.collapse.paired import (
    Array,
    Difference,
    Part,
    Values,
    difference,
    relative_change,
)
from harness_adapters.collapse.power import detectable, needed
from judges.intervals import estimate
from tests.harness_adapters.collapse.studies import Cell, Design, cell, drawn

nan = math.nan


def found(
    base: Array | list[list[float]],
    tuned: Array | list[list[float]],
    clusters: Array | list[int] | None = None,
    **more: object,
) -> Difference:
    one, other = (np.asarray(it, float) for it in (base, tuned))
    places = np.arange(one.shape[1]) if clusters is None else np.asarray(clusters, np.int64)
    it = difference(Values(one), Values(other), places, **more)  # type: ignore[arg-type]
    assert it is not None
    return it


HAND_BASE = [[0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
HAND_TUNED = [[1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
HAND_CLUSTERS = [place // 2 for place in range(20)]


def test_an_example_worked_by_hand() -> None:
    """Ten pairs of twins, twenty scenarios, one run an arm; 1 is a leak.

    ====== ============== ============== ========== ==== ====
    pair   base           tuned          d          Σ d  less 2 · 0.25
    ====== ============== ============== ========== ==== ====
    1      0 0            1 1            +1 +1       2    1.5
    2      0 0            1 1            +1 +1       2    1.5
    3      0 1            1 1            +1  0       1    0.5
    4      0 0            1 0            +1  0       1    0.5
    5      1 0            0 0            -1  0      -1   -1.5
    6      1 0            1 0             0  0       0   -0.5
    7..10  0 0            0 0             0  0       0   -0.5
    ====== ============== ============== ========== ==== ====

    The table of pairs: 2 leak in both arms, 6 in the tuned one only, 1 in the base only, 11 in
    neither. McNemar: 2 · (1 + 7) / 2⁷ = 0.125.

    Difference: 5 / 20 = 0.25, from 3/20 = 0.15 to 8/20 = 0.40. Relative change of what is kept:
    -0.25 / 0.85 = -0.2941.

    Clustered variance: 10/9 · (3 · 1.5² + 2 · 0.5² + 5 · 0.5²) / 20² = 10/9 · 8.5 / 400 = 0.023611.
    As if scenarios were independent: (6 · 0.75² + 1.25² + 13 · 0.25²) / 400 = 5.75 / 400 =
    0.014375; so the design effect is 1.6425, and the scenarios are worth 20 / 1.6425 = 12.18.
    What was not seen to differ adds 0.5 / 12.18² = 0.003372. Standard error: √0.026983 = 0.16427,
    with 10 - 1 = 9 degrees of freedom (t = 2.2622).

    p of no difference: t = 0.25 / 0.16427 = 1.522, two-sided 0.162. p of a rise of at most τ =
    0.05: t = 0.20 / 0.16427 = 1.218, one-sided 0.127. Detectable: (2.2622 + 0.8834) · 0.16427 =
    0.517. To see 0.05 takes 74.45 times as many, 1,489 scenarios: the error of so many,
    √(0.023611 / 74.45 + 0.003372 / 74.45²) = 0.017826, times t = 1.9632 of 744.5 - 1, and
    √(0.023611 / 74.45) = 0.017808 times 0.8416, are 0.0500 together.

    Arms: Σ leaks of a pair, less 2 · 0.15, squared: 3 · 0.7² + 7 · 0.3² = 2.1; variance
    10/9 · 2.1 / 400 = 0.005833; worth 0.15 · 0.85 / 0.005833 = 21.9, but never more than 20.
    Tuned: 3 · 1.2² + 2 · 0.2² + 5 · 0.8² = 7.6; 0.021111; worth 0.24 / 0.021111 = 11.37; Wilson's
    interval of 0.4 on 11.37 with t = 2.2622: [0.1563, 0.7057]. Covariance: 10/9 · 0.6 / 400 =
    0.001667; check: 0.005833 + 0.021111 - 2 · 0.001667 = 0.023611.

    90 % limits of what is shown: 0.25 ∓ 1.8331 · 0.16427 = [-0.051, 0.551]. Those of the rises
    (0.30) and falls (0.05), worth 20 / 1.7593 = 11.37 by the larger design effect of the arms
    (7.6 · 10/9 / 4.8), are Wilson's [0.122, 0.569] and [0.006, 0.299]: the upper limit is
    0.25 + √(0.2692² + 0.0435²) = 0.523, inside; the lower one 0.25 - √(0.1780² + 0.2489²) =
    -0.056, which lies farther out, and holds.
    """
    it = found(HAND_BASE, HAND_TUNED, HAND_CLUSTERS, good=0.0)
    assert (it.scenarios, it.clusters) == (20, 10)
    assert it.mean == pytest.approx(0.25)
    assert (it.base.mean, it.tuned.mean) == pytest.approx((0.15, 0.40))
    change = relative_change(it, good=0.0)
    assert change is not None
    assert change.mean == pytest.approx(-0.25 / 0.85)
    assert change.lower < change.mean < change.upper
    assert it.variance_scenarios == pytest.approx(10 / 9 * 8.5 / 400)
    assert it.variance_unseen == pytest.approx(0.5 * (1.642512 / 20) ** 2)
    assert it.variance_seeds == 0
    assert it.stderr == pytest.approx(0.16427, abs=1e-5)
    assert it.freedom == pytest.approx(9)
    assert it.p == pytest.approx(0.162, abs=5e-4)
    assert it.p_above(0.05) == pytest.approx(0.127, abs=5e-4)
    assert it.p_below(0.05) == pytest.approx(1 - it.p_above(0.05))
    assert detectable(it) == pytest.approx(0.517, abs=5e-4)
    assert needed(it, 0.05) == pytest.approx(1489, abs=2)
    assert it.variance_base == pytest.approx(10 / 9 * 2.1 / 400)
    assert it.variance_tuned == pytest.approx(10 / 9 * 7.6 / 400)
    assert it.covariance == pytest.approx(10 / 9 * 0.6 / 400)
    assert (it.tuned.lower, it.tuned.upper) == pytest.approx((0.1563, 0.7057), abs=5e-5)
    assert it.rises == pytest.approx((0.30, 20 / 1.759259, 10), abs=1e-5)
    assert it.falls == pytest.approx((0.05, 20 / 1.759259, 10), abs=1e-5)
    assert it.rises.interval(0.9) == pytest.approx((0.122, 0.569), abs=5e-4)
    assert it.falls.interval(0.9) == pytest.approx((0.006, 0.299), abs=5e-4)
    assert it.cautious(0.9) == pytest.approx((-0.056, 0.551), abs=5e-4)
    # the interval is of resamples, near 0.25 ± 2.2622 · 0.16427
    assert it.interval() == pytest.approx((-0.122, 0.622), abs=0.02)


def test_the_error_and_p_are_those_of_statsmodels_with_clusters(nothing_unseen: None) -> None:
    draw = np.random.default_rng(8)
    for clusters in (np.repeat(np.arange(20), 3), np.sort(draw.integers(0, 9, 60))):
        d = (draw.random((1, 60)) < 0.4) * 1.0
        zero = (draw.random((1, 60)) < 0.2) * 1.0
        it = found(zero, d, clusters)
        fit = sm.OLS((d - zero)[0], np.ones(60)).fit(
            cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True
        )
        # its factor G/(G-1) · (n-1)/(n-k) is ours for the one parameter there is
        assert it.mean == pytest.approx(fit.params[0])
        assert it.stderr == pytest.approx(fit.bse[0])
        assert it.freedom == pytest.approx(len(set(clusters)) - 1)
        assert it.p == pytest.approx(fit.pvalues[0])
        low, high = fit.conf_int()[0]
        assert it.interval() == pytest.approx((low, high), abs=0.15 * (high - low))


def test_with_weights_as_well(nothing_unseen: None) -> None:
    draw = np.random.default_rng(4)
    clusters, weights = np.repeat(np.arange(15), 4), np.tile([1.0, 1.0, 3.0, 0.5], 15)
    one, other = (draw.random((2, 1, 60)) < 0.4) * 1.0
    it = found(one, other, clusters, weights=(weights, weights))
    fit = sm.WLS((other - one)[0], np.ones(60), weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True
    )
    assert it.mean == pytest.approx(fit.params[0])
    assert it.stderr == pytest.approx(fit.bse[0])
    assert it.p == pytest.approx(fit.pvalues[0])


@pytest.mark.parametrize("margin", [0.03, 0.05, 0.1])
def test_two_one_sided_tests_are_those_of_statsmodels(
    margin: float, nothing_unseen: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(2)
    one = (draw.random((1, 400)) < 0.7) * 1.0
    other = np.where(draw.random((1, 400)) < 0.1, 1 - one, one)
    it = found(one, other)
    p, (_, p_low, freedom), (_, p_high, _) = ttost_paired(other[0], one[0], -margin, margin)
    assert (it.p_above(-margin), it.p_below(margin)) == pytest.approx((p_low, p_high))
    assert max(it.p_above(-margin), it.p_below(margin)) == pytest.approx(p)
    assert it.freedom == pytest.approx(freedom)
    # caution never makes it easier
    assert it.cautious_above(-margin) >= p_low - 1e-12
    assert it.cautious_below(margin) >= p_high - 1e-12
    nothing = Part(0.0, 1e12, 400)
    bare = it._replace(rises=nothing, falls=nothing)
    assert bare.cautious_above(-margin) == pytest.approx(p_low)
    assert bare.cautious_below(margin) == pytest.approx(p_high)
    # and what was not seen adds half a scenario's square: one part in 160 at one in ten
    monkeypatch.setattr(paired, "_UNSEEN", 0.5)
    careful = found(one, other)
    assert 1 < (careful.stderr / it.stderr) ** 2 < 1 + 1.1 * 0.5 / 400**2 / it.stderr**2
    assert careful.stderr == pytest.approx(it.stderr, rel=0.01)


def test_the_cautious_p_is_where_the_cautious_limit_meets_the_threshold() -> None:
    for threshold in (0.3, 0.45, 0.6):
        it = found(HAND_BASE, HAND_TUNED, HAND_CLUSTERS)
        p = it.cautious_below(threshold)
        assert p < 0.5
        assert it.cautious(1 - 2 * p)[1] == pytest.approx(threshold, abs=1e-6)
    for threshold in (0.1, -0.1, -0.3):
        p = it.cautious_above(threshold)
        assert it.cautious(1 - 2 * p)[0] == pytest.approx(threshold, abs=1e-6)
    # on the wrong side it is the plain one, above a half
    assert it.cautious_below(0.2) == it.p_below(0.2) > 0.5


def test_the_resamples_are_those_of_scipy(nothing_unseen: None) -> None:
    draw = np.random.default_rng(6)
    one, other = (draw.random((2, 1, 150)) < [[[0.2]], [[0.4]]]) * 1.0
    it = found(one, other)
    theirs = bootstrap(
        ((other - one)[0],), np.mean, method="percentile", n_resamples=20_000, rng=draw
    )
    low, high = it.mean + np.quantile(it.spread, [0.025, 0.975])
    # a mean of 150 goes in steps of 1/150
    assert (low, high) == pytest.approx(tuple(theirs.confidence_interval), abs=1.01 / 150)
    assert it.spread.std() == pytest.approx(theirs.standard_error, rel=0.04)
    # and are widened as Hesterberg (2015) has it
    factor = t.ppf(0.975, 149) / 1.959964 * math.sqrt(150 / 149)
    expected = [it.mean + factor * (end - it.mean) for end in (low, high)]
    assert it.interval() == pytest.approx(tuple(expected))


def test_the_relative_change_is_resampled_in_both_arms(nothing_unseen: None) -> None:
    draw = np.random.default_rng(6)
    one, other = (draw.random((2, 1, 150)) < [[[0.7]], [[0.5]]]) * 1.0
    change = relative_change(found(one, other), good=1.0)
    assert change is not None
    assert change.mean == pytest.approx(other.mean() / one.mean() - 1)
    theirs = bootstrap(
        (one[0], other[0]),
        lambda a, b, axis: b.mean(axis) / a.mean(axis) - 1,
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        rng=draw,
    ).confidence_interval
    assert (change.lower, change.upper) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    # of leaks it is that of what does not leak
    mirrored = relative_change(found(1 - one, 1 - other, good=0.0), good=0.0)
    assert mirrored == pytest.approx(change, abs=1e-9)


def test_there_is_no_relative_change_of_nothing() -> None:
    leaks, none = np.ones((1, 10)), np.zeros((1, 10))
    assert relative_change(found(leaks, none, good=0.0), good=0.0) is None
    assert relative_change(found(none, leaks), good=1.0) is None
    # nor where resamples could hold nothing
    nearly = leaks.copy()
    nearly[0, 0] = 0
    assert relative_change(found(nearly, none, good=0.0), good=0.0) is None
    assert relative_change(found(none, leaks, lowest=-1.0), good=1.0) is None
    all_gone = relative_change(found(none, leaks, good=0.0), good=0.0)
    assert all_gone is not None
    assert (all_gone.mean, all_gone.lower) == (-1.0, -1.0)


class TestSeeds:
    def test_their_variance_by_hand(self) -> None:
        """Three runs of four scenarios that are no twins.

        Means 0.75, 0.25, 0.50: seen, 2 · 0.25² / 2 = 0.0625. Scenario means 2/3, 1/3, 2/3, 1/3.
        What run and scenario leave, in twelfths (outcome - scenario - run + all):
        1: 1-8/12-9/12+6/12 = 1; 1-4/12-3/12 = 5; 1; 0-4/12-3/12 = -7; 2: 0-8/12+3/12 = -5; -1;
        1-5/12 = 7; -1; 3: 4, -4, -8, 8. Squares 1+25+1+49 = 76, 25+1+49+1 = 76, 16+16+64+64 = 160,
        all of it 312/144 = 13/6. Noise of a run's mean: 13/6 / 2 / 4² = 0.0677. More than was seen:
        the runs differ by no more than sampling does.
        """
        runs = [[1, 1, 1, 0], [0, 0, 1, 0], [1, 0, 0, 1]]
        it = found([[0, 0, 0, 0]], runs)
        assert it.seeds_base == (1, 0.0, 0.0)
        assert it.seeds_tuned.seen == pytest.approx(0.0625)
        assert it.seeds_tuned.variance == 0
        assert it.variance_seeds == 0
        # without what sampling does there is a variance left: 0.5 · (1/2)² over two clear runs
        clear = found([[0, 0, 0, 0]], [[1, 1, 1, 1], [0, 0, 0, 0]])
        assert clear.seeds_tuned == pytest.approx((2, 0.5, 0.5))
        assert clear.variance_seeds == pytest.approx(0.25)

    def test_their_variance_is_that_of_an_analysis_of_variance(self) -> None:
        draw = np.random.default_rng(12)
        runs, scenarios = 5, 80
        effects = np.array([-0.2, 0.0, 0.25, 0.1, -0.15])[:, None]
        values = (draw.random((runs, scenarios)) < 0.4 + effects) * 1.0
        it = found(np.zeros((1, scenarios)), values)
        rows = DataFrame(
            {
                "y": values.ravel(),
                "run": np.repeat(np.arange(runs), scenarios),
                "scenario": np.tile(np.arange(scenarios), runs),
            }
        )
        table = sm.stats.anova_lm(ols("y ~ C(run) + C(scenario)", rows).fit())
        of_runs, _, left = table["mean_sq"]
        assert it.seeds_tuned.seen == pytest.approx(of_runs / scenarios)
        # ours divides by n², not by n (n - 1), as sums over clusters are taken
        noise = left / scenarios * (scenarios - 1) / scenarios
        assert it.seeds_tuned.variance == pytest.approx(of_runs / scenarios - noise)
        assert it.variance_seeds == pytest.approx(it.seeds_tuned.variance / runs)
        assert it.seeds_tuned.variance == pytest.approx((of_runs - left) / scenarios, rel=0.01)

    def test_it_finds_what_was_put_in(self) -> None:
        draw = np.random.default_rng(13)
        design = Design(groups=61, base=0.5, runs=(2, 6), seed=0.2)
        # a rate of a half moves by 0.2 · φ(0) = 0.080
        seen = []
        for _ in range(150):
            study = drawn(design, draw)
            seen.append(found(study.base, study.tuned, study.clusters).seeds_tuned.variance)
        assert float(np.mean(seen)) == pytest.approx((0.2 * 0.3989) ** 2, rel=0.15)

    def test_unlike_seeds_widen_the_interval_and_cost_degrees_of_freedom(self) -> None:
        base = np.tile([[1.0, 0.0, 0.0, 0.0]], (1, 30))
        alike = np.concatenate([base, base])
        apart = np.concatenate([np.maximum(base, np.tile([[0.0, 1, 0, 0]], (1, 30))), base])
        one, other = found(base, alike), found(base, apart)
        assert one.variance_seeds == 0
        assert one.freedom == pytest.approx(119)
        # seen: 2 · (1/8)²
        assert other.seeds_tuned.seen == pytest.approx(2 / 64)
        assert other.freedom < 2
        low, high = other.interval()
        assert high - low > 1
        # Welch and Satterthwaite by hand
        scenarios = other.variance_scenarios + other.variance_unseen
        seeds = other.variance_seeds
        by_hand = (scenarios + seeds) ** 2 / (scenarios**2 / 119 + (2 / 64 / 2) ** 2 / 1)
        assert other.freedom == pytest.approx(max(1.0, by_hand))


class TestPower:
    def test_what_can_be_seen_is_what_statsmodels_says(self, nothing_unseen: None) -> None:
        draw = np.random.default_rng(2)
        for count in (30, 122, 500):
            d = (draw.random((1, count)) < 0.3) * 1.0
            it = found(np.zeros((1, count)), d)
            theirs = TTestPower().solve_power(nobs=count, alpha=0.05, power=0.8)
            spread = it.stderr * math.sqrt(count)
            # t for the noncentral t
            assert detectable(it) == pytest.approx(theirs * spread, rel=0.01)

    @pytest.mark.parametrize(("one_sided", "way"), [(False, "two-sided"), (True, "larger")])
    def test_how_many_it_takes_is_what_statsmodels_says(
        self, one_sided: bool, way: str, nothing_unseen: None
    ) -> None:
        d = (np.random.default_rng(2).random((1, 122)) < 0.3) * 1.0
        it = found(np.zeros((1, 122)), d)
        spread = it.stderr * math.sqrt(122)
        for distance in (0.02, 0.05, 0.1):
            theirs = NormalIndPower().solve_power(
                distance / spread, alpha=0.05, power=0.8, ratio=0, alternative=way
            )
            # t for the normal, and of one-sided tests the cautious limits, take a little more
            count = needed(it, distance, one_sided=one_sided)
            assert count is not None
            assert theirs <= count <= (1.05 if one_sided else 1.01) * theirs + 3
            assert needed(it, -distance, one_sided=one_sided) == count

    def test_seeds_that_differ_too_much_are_not_helped_by_scenarios(self) -> None:
        base = np.zeros((1, 40))
        it = found(base, np.concatenate([base, base + 1]))
        assert it.variance_seeds > 0.2
        assert needed(it, 0.05) is None
        assert needed(found(HAND_BASE, HAND_TUNED, HAND_CLUSTERS), 0.0) is None
        assert needed(found(HAND_BASE, HAND_TUNED, HAND_CLUSTERS), 1e-4) is None

    def test_what_seeds_add_is_there_however_many_scenarios_there_are(self) -> None:
        study = drawn(Design(runs=(5, 5), seed=0.15, unscored=0), np.random.default_rng(1))
        it = found(study.base, study.tuned, study.clusters)
        assert it.variance_seeds > 0
        count = needed(it, 0.2)
        assert count is not None
        times = count / it.scenarios
        scenarios, unseen = it.variance_scenarios / times, it.variance_unseen / times**2
        parts = (scenarios + unseen) ** 2 / (it.clusters * times - 1)
        for seeds in (it.seeds_base, it.seeds_tuned):
            parts += (seeds.seen / 5) ** 2 / 4 if seeds.variance > 0 else 0
        freedom = (scenarios + unseen + it.variance_seeds) ** 2 / parts
        half = t.ppf(0.975, freedom) * math.sqrt(scenarios + unseen + it.variance_seeds)
        reached = half + 0.841621 * math.sqrt(scenarios + it.variance_seeds)
        assert reached == pytest.approx(0.2, rel=0.01)

    def test_two_tests_at_once_take_more_than_one(self, nothing_unseen: None) -> None:
        d = (np.random.default_rng(2).random((1, 122)) < 0.3) * 1.0
        it = found(np.zeros((1, 122)), d)
        # (1.645 + 1.282)² against (1.645 + 0.842)²
        one, two = (needed(it, 0.03, one_sided=True, both_sides=both) for both in (False, True))
        assert one is not None
        assert two is not None
        assert two / one == pytest.approx((1.6449 + 1.2816) ** 2 / (1.6449 + 0.8416) ** 2, rel=0.01)
        # that many do: the difference of nothing is shown to be within in 80 % of studies
        draw, within, studies = np.random.default_rng(5), 0, 400
        spread = it.stderr * math.sqrt(122)
        for _ in range(studies):
            mean, error = draw.normal(0, spread / math.sqrt(two)), spread / math.sqrt(two)
            within += abs(mean) + 1.6449 * error < 0.03
        assert within / studies == pytest.approx(0.8, abs=0.05)


class TestUnscored:
    def test_scenarios_without_a_value_in_both_arms_do_not_count(self) -> None:
        base = [[0, 1, nan, 0, 0, 1]]
        tuned = [[1, 1, 1, nan, 0, 0]]
        it = found(base, tuned)
        same = found([[0, 1, 0, 1]], [[1, 1, 0, 0]])
        assert (it.mean, it.stderr, it.interval()) == (same.mean, same.stderr, same.interval())
        assert (it.scenarios, it.clusters) == (4, 4)
        assert (it.base, it.tuned, it.rises, it.falls) == (
            same.base,
            same.tuned,
            same.rises,
            same.falls,
        )

    def test_runs_that_have_a_value_stand_for_those_that_have_none(self) -> None:
        it = found([[0, 0, 1, 1]], [[1, nan, 1, nan], [0, 1, nan, 1]])
        assert it.tuned.mean == pytest.approx((0.5 + 1 + 1 + 1) / 4)
        assert it.scenarios == 4

    def test_arms_that_do_not_pair_are_each_over_what_they_have(self, nothing_unseen: None) -> None:
        base = [[0, 1, nan, 0, 0, 1]]
        tuned = [[1, 1, 1, nan, 0, nan]]
        it = found(base, tuned, paired=False)
        assert it.mean == pytest.approx(3 / 4 - 2 / 5)
        assert it.scenarios == 6
        # each mean by its own interval
        assert (it.rises.share, it.falls.share) == pytest.approx((0.75, 0.4))
        # variance by hand: pulls of the base (y - .4)/5, of the tuned (y - .75)/4
        pulls = np.array(
            [
                0.25 / 4 + 0.4 / 5,
                0.25 / 4 - 0.6 / 5,
                0.25 / 4,
                0.4 / 5,
                -0.75 / 4 + 0.4 / 5,
                -0.6 / 5,
            ]
        )
        assert it.variance_scenarios == pytest.approx(6 / 5 * float((pulls**2).sum()))

    def test_fewer_than_two_clusters_are_no_study(self) -> None:
        one = np.array([[0.0, 1.0, 1.0]])
        clusters = np.zeros(3, np.int64)
        assert difference(Values(one), Values(one), clusters) is None
        none = np.full((1, 3), nan)
        assert difference(Values(one), Values(none), np.arange(3)) is None
        assert difference(Values(one), Values(none), np.arange(3), paired=False) is None


class TestLevels:
    def test_the_level_of_one_run_is_that_of_the_other_commands(self) -> None:
        draw = np.random.default_rng(9)
        for rate in (0.0, 0.05, 0.5, 1.0):
            values = (draw.random((1, 60)) < rate) * 1.0
            clusters = np.repeat(np.arange(30), 2)
            level = found(values, values, clusters).base
            other = estimate(values[0].tolist(), clusters.tolist())
            assert level == pytest.approx((other.mean, other.lower, other.upper), abs=1e-9)

    def test_the_level_of_values_below_0_as_well(self) -> None:
        values = np.random.default_rng(9).integers(-2, 3, (1, 60)) / 2
        level = found(values, values, np.repeat(np.arange(30), 2), lowest=-1.0).tuned
        other = estimate(values[0].tolist(), np.repeat(np.arange(30), 2).tolist(), lowest=-1.0)
        assert level == pytest.approx((other.mean, other.lower, other.upper), abs=1e-9)


class TestEnds:
    """Where all is alike a variance says nothing."""

    def test_arms_that_are_alike_have_an_interval_about_0(self) -> None:
        draw = np.random.default_rng(1)
        values = (draw.random((1, 122)) < 0.3) * 1.0
        it = found(values, values, np.repeat(np.arange(61), 2))
        low, high = it.interval()
        assert it.mean == 0
        assert it.p == 1
        assert low < 0 < high
        assert low > -0.035
        assert high < 0.035
        # u of none in so many: t²/(n + t²)
        size = it.rises.size
        square = t.ppf(0.95, 60) ** 2
        assert it.cautious(0.9)[1] == pytest.approx(max(square / (size + square), 0.0))

    @pytest.mark.parametrize("scenarios", [16, 20])
    @pytest.mark.parametrize("lowest", [0.0, -1.0])
    def test_arms_that_differ_alike_everywhere_have_an_interval_too(
        self, scenarios: int, lowest: float
    ) -> None:
        # all tell, against none; and all by a half
        one, none = np.ones((1, scenarios)), np.zeros((1, scenarios))
        clusters = np.repeat(np.arange(scenarios // 2), 2)
        for base, tuned in ((one, none), (none, one), (none, none + 0.5)):
            it = found(base, tuned, clusters, lowest=lowest)
            for low, high in (it.interval(), it.cautious(0.9)):
                assert low <= it.mean <= high
                assert low < high

    def test_where_few_clusters_differ_the_interval_is_the_cautious_one(self) -> None:
        clusters, base = np.repeat(np.arange(61), 2), np.zeros((1, 122))
        for count, few in ((1, True), (4, True), (5, False)):
            tuned = base.copy()
            tuned[0, : 2 * count : 2] = 1
            it = found(base, tuned, clusters)
            assert it.few_differ == few
            assert (it.interval()[1] >= it.cautious(0.95)[1]) == few

    def test_no_interval_leaves_what_is_possible(self) -> None:
        one, none = np.ones((1, 6)), np.zeros((1, 6))
        assert found(none, one).interval()[1] == 1
        assert found(one, none).interval()[0] == -1
        assert found(one, -one, lowest=-1.0).interval()[0] == -2

    def test_unscored_scenarios_make_clusters_no_larger(self) -> None:
        full = np.zeros((1, 40))
        half = np.where(np.arange(40) < 20, 0.0, nan)[None]
        clusters = np.repeat(np.arange(20), 2)
        alone = found(full[:, :20], full[:, :20], clusters[:20])
        assert found(full, half, clusters).rises == alone.rises
        # twins say one thing, if nothing tells how alike they are
        assert alone.rises == (0.0, 10.0, 10)


def test_the_same_logs_give_the_same_figures() -> None:
    draw = np.random.default_rng(0)
    study = drawn(Design(runs=(2, 3), seed=0.1), draw)
    one, other = (found(study.base, study.tuned, study.clusters) for _ in range(2))
    assert one.interval() == other.interval()
    # also if scenarios come in another order of their clusters' numbers
    order = draw.permutation(study.clusters.size)
    moved = found(study.base[:, order], study.tuned[:, order], study.clusters[order])
    assert moved.stderr == pytest.approx(one.stderr)
    assert moved.interval() == pytest.approx(one.interval())


def test_the_difference_turns_round_with_the_arms() -> None:
    study = drawn(Design(rise=0.1, runs=(2, 3), seed=0.1), np.random.default_rng(0))
    one = found(study.base, study.tuned, study.clusters)
    other = found(study.tuned, study.base, study.clusters)
    assert other.mean == pytest.approx(-one.mean)
    assert other.stderr == pytest.approx(one.stderr)
    assert other.p_below(-0.05) == pytest.approx(one.p_above(0.05))
    assert other.cautious_above(-0.2) == pytest.approx(one.cautious_below(0.2))
    low, high = one.interval()
    assert other.interval() == pytest.approx((-high, -low), abs=0.1 * (high - low))


STUDIES = 500
CELLS = [
    Design(groups, size, base, rise, (runs, runs), seed)
    for (groups, size), base, rise, runs, seed in (
        ((61, 2), 0.3, 0.0, 1, 0.0),
        ((61, 2), 0.1, 0.0, 1, 0.0),
        ((61, 2), 0.3, 0.03, 2, 0.15),
        ((61, 2), 0.3, 0.1, 3, 0.15),
        ((61, 2), 0.1, 0.4, 5, 0.15),
        ((61, 2), 0.1, 0.0, 5, 0.15),
        ((61, 2), 0.02, 0.1, 1, 0.15),
        ((61, 2), 0.3, 0.4, 1, 0.15),
        ((14, 14), 0.3, 0.0, 1, 0.0),
        ((14, 14), 0.1, 0.1, 1, 0.0),
        ((14, 14), 0.3, 0.0, 3, 0.15),
        ((14, 14), 0.1, 0.03, 2, 0.15),
        ((14, 14), 0.02, 0.4, 5, 0.15),
        # too wide: see the table
        ((61, 2), 0.02, 0.0, 1, 0.0),
        ((61, 2), 0.1, 0.03, 3, 0.0),
        ((14, 14), 0.02, 0.0, 5, 0.15),
    )
]


@pytest.fixture(scope="module")
def table() -> dict[Design, Cell]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paired, "RESAMPLES", 1000)
        paired._resamples.cache_clear()
        found = {design: cell(design, STUDIES) for design in CELLS}
    paired._resamples.cache_clear()
    return found


class TestSimulatedStudies:
    """Studies whose truth is known, 5 % unscored: what the intervals hold, and how wide they are.

    Of the whole table (`coverage.py`: 192 designs, 2,000 studies each; 61 pairs of twins and 14
    clusters of 14; base rates 2, 10, 30 %; rises of 0, 3, 10, 40 points; 1, 2, 3, 5 seeds an arm
    that differ or do not) these shares of intervals hold the true difference, in per cent:

    ===================================  ===========  ==========================================
    seeds                                base 10, 30  base 2 (no rise; 3; 10 and 40 points)
    ===================================  ===========  ==========================================
    one                                  93.6 - 95.8  97.7 - 98.9; 96.8 - 97.4; 93.2 - 96.3
    2, 3 or 5 that differ                93.8 - 97.0  97.8 - 98.8; 94.4 - 97.1; 93.0 - 95.8
    2, 3 or 5 that do not                95.3 - 98.5  98.5 - 99.4; 96.0 - 98.2; 94.6 - 96.9
    ===================================  ===========  ==========================================

    None holds less than 93.0. Two kinds hold more than 97: where next to nothing leaks in either
    arm, so that few scenarios can differ (no exact interval is possible of so few values), and
    where seeds do not differ, as a variance that is 0 is estimated to be 0 or more, never less.
    At most 5.7 % of the studies without a difference have a p below 5 %.
    """

    @staticmethod
    def slack(share: float) -> float:
        return 2.6 * math.sqrt(share * (1 - share) / STUDIES)

    @pytest.mark.parametrize("design", CELLS)
    def test_intervals_hold_the_truth(self, design: Design, table: dict[Design, Cell]) -> None:
        it = table[design]
        few = design.base == 0.02 and design.rise == 0.0
        alike = design.seed == 0 and design.runs[0] > 1
        most = 0.995 if few else 0.98 if alike else 0.97
        for share in (it.covered, it.relative):
            assert 0.93 - self.slack(0.93) <= share <= most + self.slack(most)
        for share in it.levels:
            assert share >= 0.93 - self.slack(0.93)

    def test_on_the_whole_they_hold_it_in_95_of_100(self, table: dict[Design, Cell]) -> None:
        usual = [it for it in table.values() if it.design in CELLS[:13]]
        for shares in ([it.covered for it in usual], [it.relative for it in usual]):
            assert 0.94 <= float(np.mean(shares)) <= 0.965
        for arm in (0, 1):
            assert 0.94 <= float(np.mean([it.levels[arm] for it in usual])) <= 0.97

    @pytest.mark.parametrize("design", CELLS)
    def test_errors_are_as_rare_as_they_are_said_to_be(
        self, design: Design, table: dict[Design, Cell]
    ) -> None:
        it = table[design]
        # of two seeds that differ there is next to nothing to tell by how much
        two = 0.01 if design.runs[0] == 2 and design.seed else 0.0
        assert it.above <= 0.025 + two + self.slack(0.025)
        assert it.below <= 0.05 + two + self.slack(0.05)
        if design.rise == 0 and (design.runs[0] > 1 or not design.seed):
            assert it.rejected <= 0.06 + self.slack(0.06)

    def test_pairing_makes_the_interval_of_arms_that_are_alike_narrower(
        self, table: dict[Design, Cell]
    ) -> None:
        # of pairs of twins, one run: the z-test takes twins for independent, and is wider still
        for design in CELLS[:2]:
            assert table[design].unpaired < 0.93
            assert table[design].unpaired_covered > 0.965
        # where scenarios come in large clusters, or seeds differ, the z-test is narrow and wrong
        for design in (CELLS[3], CELLS[10]):
            assert table[design].unpaired > 1.5
            assert table[design].unpaired_covered < 0.85

    def test_against_arms_with_errors_that_know_of_clusters_it_is_narrower_as_well(self) -> None:
        draw = np.random.default_rng(1)
        for design in (Design(), Design(14, 14), Design(14, 14, rise=0.1)):
            ratios = []
            for _ in range(50):
                study = drawn(design, draw)
                it = found(study.base, study.tuned, study.clusters, good=0.0)
                assert it.covariance > 0
                ratios.append(it.stderr / math.sqrt(it.variance_base + it.variance_tuned))
            assert float(np.mean(ratios)) < 0.85
