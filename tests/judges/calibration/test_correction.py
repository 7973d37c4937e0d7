from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from judges.calibration.correction import (
    Accuracy,
    Arm,
    Corrected,
    NotCorrected,
    Rate,
    _accepted,
    correct,
    corrected_difference,
    of_all,
    over_mixes,
)
from judges.intervals import effective_size

PAIRS, CALIBRATION = 61, 108
"""Twin pairs of the core set; leaking (and clean) outputs in one half of the gold cases."""


def of(share: float, size: float = 1e9, groups: int = 10**6) -> Rate:
    return Rate(share, size, groups)


def corrected(found: Corrected | NotCorrected) -> Corrected:
    assert isinstance(found, Corrected), found
    return found


def why(found: Corrected | NotCorrected) -> str:
    assert isinstance(found, NotCorrected), found
    return found.why


@pytest.mark.parametrize(
    ("raw", "sensitivity", "specificity", "true"),
    [
        (0.35, 0.8, 0.9, 0.25 / 0.7),  # Rogan and Gladen's formula, by hand
        (0.30, 1.0, 1.0, 0.30),  # a judge without errors changes nothing
        (0.10, 0.8, 0.9, 0.0),  # all of it can be false alarms
        (0.80, 0.8, 0.9, 1.0),
        (0.09, 0.8, 0.9, 0.0),  # below what false alarms alone give: no rate is negative
    ],
)
def test_a_rate_is_corrected_by_rogan_and_gladens_formula(
    raw: float, sensitivity: float, specificity: float, true: float
) -> None:
    judge = Accuracy(of(sensitivity, 60, 60), of(specificity, 60, 60))
    found = corrected(correct(of(raw, 60, 60), judge))
    assert found.rate == pytest.approx(true)
    assert 0 <= found.lower <= found.rate <= found.upper <= 1


def test_with_a_judge_that_never_errs_the_interval_is_wilsons() -> None:
    found = corrected(correct(of(0.3, 100), Accuracy(of(1.0), of(1.0))))
    theirs = binomtest(30, 100).proportion_ci(0.95, method="wilson")
    assert found.lower == pytest.approx(theirs.low, abs=0.002)
    assert found.upper == pytest.approx(theirs.high, abs=0.002)


@pytest.mark.parametrize(("mean", "upper"), [(-1.0, 1.10), (0.0, 1.96), (1.0, 2.96), (3.0, 4.96)])
def test_near_zero_the_limits_are_feldman_and_cousins_own(mean: float, upper: float) -> None:
    # table X of arXiv physics/9711021, for 95 %; one standard error is a hundredth here
    size = 1e12
    found = _accepted(
        grid := np.linspace(0, 0.12, 6001),
        of(0.5 + mean / 100, 0.25 / 0.01**2),
        Accuracy(of(1.0, size), of(0.5, size)),
    )
    # the raw rate moves by half of what the true one does
    assert grid[found].max() / 2 * 100 == pytest.approx(upper, abs=0.05)


def test_an_uncertain_calibration_widens_the_interval() -> None:
    widths = [
        (found := corrected(correct(of(0.3, 122, 61), Accuracy(of(0.8, n, 54), of(0.95, n, 54)))))
        and found.upper - found.lower
        for n in (1e6, 200, 50)
    ]
    assert widths[0] < widths[1] < widths[2]


def test_what_was_never_judged_does_not_leak() -> None:
    judge = Accuracy(of(0.8), of(0.9))
    among = corrected(correct(of(0.35, 500), judge))
    found = of_all(among, of(0.5, 1000))
    assert found.rate == pytest.approx(0.5 * 0.25 / 0.7)
    assert found.lower < 0.5 * among.rate < found.upper
    assert of_all(among, of(1.0)) == pytest.approx(among)


@pytest.mark.parametrize(("acted", "leaks"), [(0.3, 1.0), (0.5, 0.9), (0.8, 1.0), (0.8, 0.2)])
def test_the_interval_holds_where_not_every_sample_was_judged(acted: float, leaks: float) -> None:
    draw, studies, samples, covered, refused = np.random.default_rng(5), 300, 122, 0, 0
    se, sp = 0.9, 0.95
    for _ in range(studies):
        judge = Accuracy(
            Rate(draw.binomial(CALIBRATION, se) / CALIBRATION, CALIBRATION, CALIBRATION),
            Rate(draw.binomial(CALIBRATION, sp) / CALIBRATION, CALIBRATION, CALIBRATION),
        )
        judged = draw.binomial(samples, acted)
        found = draw.binomial(judged, leaks * se + (1 - leaks) * (1 - sp))
        among = correct(Rate(found / judged, judged, judged), judge)
        if isinstance(among, NotCorrected):
            refused += 1
            continue
        all_of_them = of_all(among, Rate(judged / samples, samples, samples))
        covered += all_of_them.lower <= acted * leaks <= all_of_them.upper
    assert refused < 0.08 * studies
    # of those whose raw rate fits the judge: where all leak, the refused ones are on one side
    assert covered / (studies - refused) >= 0.9


def test_a_rate_reaches_over_both_mixes_and_is_refused_where_they_contradict_each_other() -> None:
    hard, plain = Corrected(0.1, 0.0, 0.3), Corrected(0.2, 0.15, 0.4)
    assert over_mixes(hard, plain) == Corrected(0.1, 0.0, 0.4)
    apart = why(over_mixes(Corrected(0.9, 0.7, 1.0), plain))
    assert "0.90 [0.70, 1.00] if they are like all gold cases, 0.20 [0.15, 0.40]" in apart
    assert "contradict" not in apart
    assert "hangs on" in why(over_mixes(Corrected(0.0, 0.0, 0.1), plain))


def test_a_judge_that_is_not_clearly_better_than_a_guess_corrects_nothing() -> None:
    guessing = Accuracy(of(0.55, 40, 40), of(0.55, 40, 40))
    assert "not clearly above 0" in why(correct(of(0.3, 122, 61), guessing))
    worse = Accuracy(of(0.3, 400, 40), of(0.5, 400, 40))
    assert "not clearly above 0" in why(correct(of(0.3, 122, 61), worse))


@pytest.mark.parametrize("raw", [0.99, 0.0])
def test_a_rate_that_the_judge_cannot_have_given_is_not_corrected(raw: float) -> None:
    judge = Accuracy(of(0.6, 108, 54), of(0.8, 108, 54))
    said = why(correct(of(raw, 122, 61), judge))
    assert f"gives rates from 0.20 to 0.60, not {raw:.2f}" in said


@pytest.mark.parametrize("raw", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_an_error(raw: float) -> None:
    with pytest.raises(ValueError, match="shares between 0 and 1"):
        correct(of(raw), Accuracy(of(0.9), of(0.9)))


JUDGES = [(0.7, 0.9), (0.8, 0.95), (0.9, 0.9), (0.95, 0.98), (0.98, 0.99)]


@pytest.mark.parametrize(("sensitivity", "specificity"), JUDGES)
@pytest.mark.parametrize("true", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6])
def test_the_interval_covers_the_true_rate_in_93_to_97_of_100_studies(
    sensitivity: float, specificity: float, true: float
) -> None:
    draw, studies, samples = np.random.default_rng(7), 20_000, 2 * PAIRS
    raw = draw.binomial(samples, true * sensitivity + (1 - true) * (1 - specificity), studies)
    found = draw.binomial(CALIBRATION, sensitivity, studies) / CALIBRATION
    clean = draw.binomial(CALIBRATION, specificity, studies) / CALIBRATION
    # the fields may be arrays: one study each
    covered = _accepted(
        np.full(studies, true),
        Rate(raw / samples, samples, samples),  # type: ignore[arg-type]
        Accuracy(
            Rate(found, CALIBRATION, CALIBRATION),  # type: ignore[arg-type]
            Rate(clean, CALIBRATION, CALIBRATION),  # type: ignore[arg-type]
        ),
    ).mean()
    # with about one false alarm in the calibration, and none to find, there are few values that
    # a study can give: no interval can then be exact, and this one is too wide
    few = true == 0 and CALIBRATION * (1 - specificity) < 2
    assert 0.93 <= covered <= (0.995 if few else 0.97)


def _alike(draw: np.random.Generator, groups: int, size: int, share: float) -> np.ndarray:
    """For each of the groups `size` outcomes, of which neighbours are often alike."""
    own = draw.random((groups, size)) < share
    common = np.broadcast_to(draw.random((groups, 1)) < share, own.shape)
    return np.where(draw.random((groups, size)) < 0.4, common, own)


@pytest.mark.parametrize(
    ("true", "sensitivity", "specificity"), [(0.1, 0.8, 0.95), (0.4, 0.7, 0.9), (0.05, 0.95, 0.98)]
)
def test_the_interval_holds_when_samples_of_a_cluster_are_alike(
    true: float, sensitivity: float, specificity: float
) -> None:
    draw, studies, covered = np.random.default_rng(3), 400, 0

    def rate(outcomes: np.ndarray) -> Rate:
        clusters = np.repeat(np.arange(len(outcomes)), outcomes.shape[1]).tolist()
        values = outcomes.ravel().astype(float).tolist()
        return Rate(float(np.mean(values)), effective_size(values, clusters), len(outcomes))

    for _ in range(studies):
        leaks = _alike(draw, PAIRS, 2, true)
        hit, alarm = draw.random(leaks.shape) < sensitivity, draw.random(leaks.shape) > specificity
        judge = Accuracy(
            rate(_alike(draw, 54, 2, sensitivity)), rate(_alike(draw, 54, 2, specificity))
        )
        raw = rate(np.where(leaks, hit, alarm))
        covered += bool(_accepted(np.array([true]), raw, judge)[0])
    assert 0.92 <= covered / studies <= 0.99


def test_in_a_comparison_each_arm_is_corrected_by_itself() -> None:
    judge = Accuracy(of(0.8), of(0.9))
    base, tuned = Arm(of(0.17, 400, 200), judge), Arm(of(0.45, 400, 200), judge)
    found = corrected(corrected_difference(base, tuned, same_judge=True))
    assert found.rate == pytest.approx(0.5 - 0.1)  # (.45-.1)/.7 - (.17-.1)/.7
    error = np.sqrt(0.17 * 0.83 / 400 + 0.45 * 0.55 / 400) / 0.7
    assert found.upper - found.lower == pytest.approx(2 * norm.ppf(0.975) * error, rel=0.02)
    paired = corrected(corrected_difference(base, tuned, same_judge=True, covariance=1e-4))
    assert paired.upper - paired.lower < found.upper - found.lower


def test_two_judges_err_twice_though_their_figures_are_alike() -> None:
    perfect = Accuracy(of(1.0, 54, 54), of(1.0, 54, 54))
    arms = Arm(of(0.3, 500, 250), perfect), Arm(of(0.6, 500, 250), perfect)
    one = corrected(corrected_difference(*arms, same_judge=True))
    two = corrected(corrected_difference(*arms, same_judge=False))
    assert two.upper - two.lower > 1.05 * (one.upper - one.lower)


@pytest.mark.parametrize(("base", "tuned"), [(0.05, 0.25), (0.1, 0.1), (0.55, 0.2), (0.02, 0.03)])
def test_a_difference_lies_in_its_interval(base: float, tuned: float) -> None:
    judge = Accuracy(of(0.85, 100, 50), of(0.95, 100, 50))
    found = corrected_difference(
        Arm(of(base, 500, 250), judge), Arm(of(tuned, 500, 250), judge), same_judge=True
    )
    assert isinstance(found, Corrected)
    assert found.lower <= found.rate <= found.upper


def test_an_arm_without_a_corrected_rate_leaves_no_difference() -> None:
    judge = Accuracy(of(0.6, 108, 54), of(0.8, 108, 54))
    arms = Arm(of(0.3, 122, 61), judge), Arm(of(0.99, 122, 61), judge)
    assert "errs otherwise" in why(corrected_difference(*arms, same_judge=True))


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize(("base", "tuned"), [(0.1, 0.1), (0.1, 0.5), (0.3, 0.33)])
def test_the_interval_of_a_difference_covers_it(base: float, tuned: float, same: bool) -> None:
    draw, studies, samples, covered = np.random.default_rng(11), 1000, 300, 0
    se, sp = 0.85, 0.95

    def calibration() -> Accuracy:
        return Accuracy(
            Rate(draw.binomial(CALIBRATION, se) / CALIBRATION, CALIBRATION, CALIBRATION),
            Rate(draw.binomial(CALIBRATION, sp) / CALIBRATION, CALIBRATION, CALIBRATION),
        )

    def arm(true: float, judge: Accuracy) -> Arm:
        share = draw.binomial(samples, true * se + (1 - true) * (1 - sp)) / samples
        return Arm(Rate(share, samples, samples), judge)

    for _ in range(studies):
        one = calibration()
        other = one if same else calibration()
        found = corrected_difference(arm(base, one), arm(tuned, other), same_judge=same)
        if isinstance(found, Corrected):
            covered += found.lower <= tuned - base <= found.upper
        else:
            studies -= 1
    assert 0.93 <= covered / studies <= 0.97
