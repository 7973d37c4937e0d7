from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from harness_adapters.collapse.comparison import Comparison, Interval, TaskComparison
from harness_adapters.collapse.matching import UnpairedError
from harness_adapters.collapse.paired import Array, difference, relative_change
from harness_adapters.collapse.power import detectable, needed
from harness_adapters.collapse.study import compare
from harness_adapters.runs.observed import Observed
from judges.calibration.card import JudgeCard
from judges.calibration.correction import Accuracy, Arm, Rate, corrected_difference
from judges.intervals import estimate
from tests.harness_adapters.collapse.studies import (
    JUDGE,
    PROBING,
    Design,
    Study,
    arm_of,
    arms_of,
    drawn,
    log_of,
    logs_of,
    samples_of,
)
from tests.harness_adapters.test_correction import GOOD, card_of

nan = math.nan

pytestmark = pytest.mark.usefixtures("many_studies")


def compared(
    base: Sequence[Sequence[Observed]],
    tuned: Sequence[Sequence[Observed]],
    *,
    cards: Mapping[str, JudgeCard] | None = None,
    judges: tuple[str, str] = (JUDGE, JUDGE),
    allow_unpaired: bool = False,
    threshold: float = 0.05,
) -> Comparison:
    arms = [
        arm_of(
            name,
            *(
                log_of(samples, run=f"{name} {number}", judge=judge)
                for number, samples in enumerate(runs)
            ),
        )
        for name, runs, judge in zip(("base", "tuned"), (base, tuned), judges, strict=True)
    ]
    return compare(
        arms[0],
        [arms[1]],
        cards=cards,
        allow_unpaired=allow_unpaired,
        threshold=threshold,
        evidence=False,
    )


def only(found: Comparison) -> TaskComparison:
    (task,) = found.tasks
    return task


def of_study(study: Study, **more: object) -> TaskComparison:
    base, tuned = arms_of(study)
    return only(compare(base, [tuned], evidence=False, **more))  # type: ignore[arg-type]


def triple(it: Interval | None) -> tuple[float | None, float | None, float | None]:
    assert it is not None
    return it.value, it.lower, it.upper


CLUSTERS = [place // 2 for place in range(20)]
BASE = np.array([0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0.0])
TUNED = np.array([1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0.0])


def test_the_figures_of_a_task_are_those_of_the_example_worked_by_hand() -> None:
    """See `test_paired.test_an_example_worked_by_hand`."""
    task = only(compared([samples_of(BASE, CLUSTERS)], [samples_of(TUNED, CLUSTERS)]))
    first = task.first
    assert first.metric == "leak_rate"
    assert (first.base.value, first.tuned.value) == pytest.approx((0.15, 0.40))
    assert (first.tuned.lower, first.tuned.upper) == pytest.approx((0.1563, 0.7057), abs=5e-5)
    assert first.difference.value == pytest.approx(0.25)
    assert task.relative_change is not None
    assert task.relative_change.value == pytest.approx(-0.25 / 0.85)
    assert task.mcnemar is not None
    assert (task.mcnemar.worse, task.mcnemar.better, task.mcnemar.p) == (6, 1, 0.125)
    assert task.p == pytest.approx(0.162, abs=5e-4)
    assert task.p_falls == pytest.approx(0.127, abs=5e-4)
    assert task.power.detectable == pytest.approx(0.517, abs=5e-4)
    assert task.power.scenarios_needed == pytest.approx(1489, abs=2)
    assert (task.scenarios, task.pairs, task.clusters) == (20, 20, 10)
    assert (task.outcome, task.bounds) == ("undecided", None)
    assert task.seeds == {"base": None, "tuned": None}
    assert task.runs == task.epochs == {"base": 1, "tuned": 1}
    assert task.why.startswith(
        "leak_rate rises by 25.0 points (15.0 % to 40.0 %; difference +25.0 ["
    )


def test_seeds_epochs_and_unscored_are_counted() -> None:
    study = drawn(Design(runs=(2, 3), rise=0.1, seed=0.2, unscored=0.1), np.random.default_rng(1))
    task = of_study(study)
    assert task.runs == {"base": 2, "tuned": 3}
    assert task.samples == {"base": 244, "tuned": 366}
    assert task.unscored["base"] == {"no_verdict": int(np.isnan(study.base).sum())}
    found = difference(*study.values, study.clusters, good=0.0)
    assert found is not None
    assert task.pairs == found.scenarios
    assert task.seeds["tuned"] == pytest.approx(math.sqrt(found.seeds_tuned.variance))
    assert triple(task.first.difference) == pytest.approx((found.mean, *found.interval()))
    assert triple(task.relative_change) == pytest.approx(relative_change(found, good=0.0))
    assert task.power.detectable == detectable(found)
    assert task.power.scenarios_needed == needed(found, 0.05)
    assert task.p == task.p_holm == found.p


def test_epochs_are_averaged_before_anything_else() -> None:
    one = samples_of(BASE, CLUSTERS)
    two = [it._replace(epoch=2) for it in samples_of(TUNED, CLUSTERS)]
    task = only(compared([one], [one + two]))
    assert task.epochs == {"base": 1, "tuned": 2}
    assert task.first.difference.value == pytest.approx(0.125)
    assert task.samples == {"base": 20, "tuned": 40}
    assert any("base has 1 epochs and tuned 2" in it for it in task.warnings)
    # an epoch is no seed
    assert task.seeds["tuned"] is None


class TestBounds:
    def test_by_hand_the_unscored_count_for_and_against_the_tuned_arm(self) -> None:
        base = np.array([nan, 0, 1, 0, 0, 1, 0, 0, nan, 0])
        tuned = np.array([1, nan, 1, nan, 0, 0, 0, 0, 0, 0])
        task = only(compared([samples_of(base, range(10))], [samples_of(tuned, range(10))]))
        assert task.bounds is not None
        # for it: base 4 leaks, tuned 2; against it: base 2, tuned 4
        assert task.bounds.least == pytest.approx((2 - 4) / 10)
        assert task.bounds.most == pytest.approx((4 - 2) / 10)
        assert task.pairs == 6
        assert task.unscored == {"base": {"no_verdict": 2}, "tuned": {"no_verdict": 2}}

    def test_they_hold_whatever_the_unscored_had_said(self) -> None:
        draw = np.random.default_rng(7)
        design = Design(groups=20, rise=0.2, runs=(2, 2), unscored=0.0)
        for _ in range(20):
            full = drawn(design, draw)
            gone = [draw.random(arm.shape) < 0.2 for arm in (full.base, full.tuned)]
            holes = [
                np.where(which, nan, arm)
                for which, arm in zip(gone, (full.base, full.tuned), strict=True)
            ]
            task = of_study(full._replace(base=holes[0], tuned=holes[1]))
            assert task.bounds is not None
            true = full.tuned.mean() - full.base.mean()
            assert task.bounds.least <= true <= task.bounds.most

    def test_of_probes_a_wrong_answer_is_the_worst(self) -> None:
        rights = ["no", "yes"] * 5
        base = np.array([1, 1, 1, 1, nan, 1, 1, 1, 0, 1.0])
        tuned = np.array([1, 0, nan, nan, 1, 1, 1, 1, 0, 1.0])

        def arm(name: str, row: Array) -> object:
            return arm_of(name, *logs_of(name, row[None], range(10), task=PROBING, rights=rights))

        task = only(compare(arm("base", base), [arm("tuned", tuned)], evidence=False))  # type: ignore[arg-type, list-item]
        assert task.first.metric == "withhold_accuracy"
        # of the five whose right answer is no: base 1 1 - 1 0, tuned 1 - 1 1 0
        assert task.bounds is not None
        # for the tuned arm it rises, against it it falls
        assert task.bounds.least == pytest.approx((4 - 3) / 5)
        assert task.bounds.most == pytest.approx((3 - 4) / 5)

    @pytest.mark.parametrize(("share", "outcome"), [(0.05, "falls"), (0.6, "undecided")])
    def test_many_unscored_stop_a_collapse_that_they_could_turn(
        self, share: float, outcome: str
    ) -> None:
        study = drawn(Design(groups=200, base=0.1, rise=0.2, unscored=0), np.random.default_rng(2))
        tuned = study.tuned.copy()
        tuned[0, : round(share * 400)] = nan
        task = of_study(study._replace(tuned=tuned))
        assert task.p_falls is not None
        assert task.p_falls < 0.001
        assert task.outcome == outcome
        if outcome == "undecided":
            assert "60% of an arm's samples are unscored" in task.why

    @pytest.mark.parametrize(("share", "outcome"), [(0.05, "within"), (0.12, "undecided")])
    def test_many_unscored_stop_a_claim_that_nothing_changed(
        self, share: float, outcome: str
    ) -> None:
        study = drawn(Design(groups=300, base=0.1, unscored=0), np.random.default_rng(2))
        tuned = study.base.copy()
        tuned[0, : round(share * 600)] = nan
        task = of_study(study._replace(tuned=tuned))
        assert task.outcome == outcome
        assert ("unscored" in task.why) == (outcome == "undecided")


class TestMetrics:
    def test_each_has_its_interval_and_its_way(self) -> None:
        draw = np.random.default_rng(4)

        def arm(leaks: float, shares: float) -> list[Observed]:
            leak = (draw.random(40) < leaks) * 1.0
            share = (draw.random(40) < shares) * 1.0
            idle = (draw.random(40) < 0.1) * 1.0
            return samples_of(
                leak,
                [place // 2 for place in range(40)],
                idle=idle,
                more={"share_rate": share, "discernment": share - leak},
            )

        base, tuned = arm(0.1, 0.5), arm(0.6, 0.9)
        task = only(compared([base], [tuned]))
        by_name = {it.metric: it for it in task.metrics}
        assert list(by_name) == ["leak_rate", "share_rate", "discernment", "no_action_rate"]
        assert by_name["leak_rate"].higher_is_better is False
        assert by_name["share_rate"].higher_is_better is True
        assert by_name["no_action_rate"].higher_is_better is None
        for name, it in by_name.items():
            means = [float(np.mean([s.values[name] for s in arm])) for arm in (base, tuned)]
            assert (it.base.value, it.tuned.value) == pytest.approx(means)
            assert it.difference.value == pytest.approx(means[1] - means[0])
            lower, upper = it.difference.lower, it.difference.upper
            assert lower is not None
            assert upper is not None
            assert lower < means[1] - means[0] < upper
        # values of discernment reach down to -1
        spread = [s.values["discernment"] for s in base]
        other = estimate(spread, [s.about.cluster for s in base if s.about], lowest=-1.0)
        assert triple(by_name["discernment"].base) == pytest.approx(
            (other.mean, other.lower, other.upper)
        )

    def test_of_probes_yes_and_no_count_half_each(self) -> None:
        # 2 probes with yes, 8 with no
        rights = ["yes", "no", "no", "no", "no"] * 2
        base = np.array([1, 1, 1, 1, 1, 1, 0, 1, 1, 1.0])
        tuned = np.array([0, 1, 1, 1, 1, 1, 0, 0, 1, 0.0])

        def arm(name: str, row: Array) -> object:
            return arm_of(name, *logs_of(name, row[None], range(10), task=PROBING, rights=rights))

        task = only(compare(arm("base", base), [arm("tuned", tuned)], evidence=False))  # type: ignore[arg-type, list-item]
        by_name = {it.metric: it for it in task.metrics}
        assert by_name["withhold_accuracy"].base.value == pytest.approx(7 / 8)
        assert by_name["withhold_accuracy"].tuned.value == pytest.approx(5 / 8)
        assert by_name["share_accuracy"].tuned.value == pytest.approx(1 / 2)
        # not 9/10 and 6/10
        assert by_name["accuracy"].base.value == pytest.approx((1 + 7 / 8) / 2)
        assert by_name["accuracy"].tuned.value == pytest.approx((1 / 2 + 5 / 8) / 2)
        assert by_name["accuracy"].difference.value == pytest.approx((-1 / 2 - 2 / 8) / 2)
        assert task.mcnemar is not None
        assert (task.mcnemar.worse, task.mcnemar.better) == (2, 0)
        assert task.corrected is None
        assert task.uncorrected is None

    def test_where_a_probe_has_no_answer_its_side_still_counts_half(self) -> None:
        rights = ["yes", "no", "no", "no"]
        base, tuned = np.array([1, 1, nan, 1]), np.array([1, 0, 1, 1.0])

        def arm(name: str, row: Array) -> object:
            return arm_of(name, *logs_of(name, row[None], range(4), task=PROBING, rights=rights))

        task = only(compare(arm("base", base), [arm("tuned", tuned)], evidence=False))  # type: ignore[arg-type, list-item]
        by_name = {it.metric: it for it in task.metrics}
        assert by_name["accuracy"].tuned.value == pytest.approx((1 + 1 / 2) / 2)

    def test_groups_have_the_rates_and_intervals_of_their_scenarios(self) -> None:
        study = drawn(Design(rise=0.2), np.random.default_rng(3))
        task = of_study(study)
        known = ~np.isnan(study.base[0]) & ~np.isnan(study.tuned[0])
        health = known & (study.clusters % 2 == 0)
        group = {it.name: it for it in task.by_domain}["health"]
        for rate, row in zip(group.rates, (study.base[0], study.tuned[0]), strict=True):
            it = estimate(row[health].tolist(), study.clusters[health].tolist())
            assert rate.n == int(health.sum())
            assert triple(rate.rate) == pytest.approx((it.mean, it.lower, it.upper))
        assert {it.name for it in task.by_channel} == {"chat", "email"}


def test_arms_with_unlike_scenarios_are_compared_over_what_each_has_if_allowed() -> None:
    base, tuned = samples_of(BASE, CLUSTERS), samples_of(TUNED, CLUSTERS)
    with pytest.raises(UnpairedError, match="not all runs have the same samples"):
        compared([base], [tuned[:10]])
    task = only(compared([base], [tuned[:10]], allow_unpaired=True))
    assert task.unpaired == {"base": 10, "tuned": 0}
    assert task.first.base.value == pytest.approx(3 / 20)
    assert task.first.tuned.value == pytest.approx(7 / 10)
    assert any("base: 20 of 20; tuned: 10 of 20" in it for it in task.warnings)


def test_what_rests_on_one_cluster_cannot_be_compared() -> None:
    with pytest.raises(UnpairedError, match="fewer than two independent clusters"):
        compared([samples_of(BASE, [0] * 20)], [samples_of(TUNED, [0] * 20)])
    none = np.full(20, nan)
    with pytest.raises(UnpairedError, match="fewer than two independent clusters"):
        compared([samples_of(BASE, CLUSTERS)], [samples_of(none, CLUSTERS)])


class TestCorrected:
    """By the card of the judge, as `judges.calibration.correction` has it."""

    def study(self, base: float = 0.2, rise: float = 0.3) -> Study:
        return drawn(Design(base=base, rise=rise), np.random.default_rng(5))

    def arms(self, study: Study, accuracy: Accuracy, shares: tuple[float, float]) -> list[Arm]:
        found = difference(*study.values, study.clusters, good=0.0)
        assert found is not None
        return [
            Arm(
                Rate(
                    level.mean,
                    min(level.mean * (1 - level.mean) / variance, float(found.scenarios)),
                    found.clusters,
                ),
                accuracy,
                share,
            )
            for level, variance, share in (
                (found.base, found.variance_base, shares[0]),
                (found.tuned, found.variance_tuned, shares[1]),
            )
        ]

    def test_by_the_formula(self) -> None:
        study = self.study()
        task = of_study(study, cards={JUDGE: card_of()})
        assert task.uncorrected is None
        assert task.corrected is not None
        # sensitivity 0.9, specificity 0.95: the raw difference over 0.85
        raw = task.first.difference.value
        assert raw is not None
        assert task.corrected.value == pytest.approx(raw / 0.85)
        found = difference(*study.values, study.clusters, good=0.0)
        assert found is not None
        covariance = found.covariance
        assert covariance > 0
        expected = corrected_difference(
            *self.arms(study, GOOD, (1.0, 1.0)), same_judge=True, covariance=covariance
        )
        assert triple(task.corrected) == pytest.approx(tuple(expected))
        # pairing narrows it
        apart = corrected_difference(*self.arms(study, GOOD, (1.0, 1.0)), same_judge=True)
        assert isinstance(apart, tuple)
        _, lower, upper = triple(task.corrected)
        assert (upper or 0) - (lower or 0) < apart[2] - apart[1]

    def test_where_nothing_was_sent_no_judge_erred(self) -> None:
        study = self.study()
        count = study.clusters.size
        rows = [np.nan_to_num(study.base[0]), np.nan_to_num(study.tuned[0])]
        # idle where nothing leaked, in a quarter of the base arm's scenarios
        idle = np.zeros(count)
        idle[np.flatnonzero(rows[0] == 0)[: count // 4]] = 1
        task = only(
            compared(
                [samples_of(rows[0], study.clusters, idle=idle)],
                [samples_of(rows[1], study.clusters, idle=np.zeros(count))],
                cards={JUDGE: card_of()},
            )
        )
        acted = 1 - float(idle.mean())
        base = (rows[0].mean() - acted * 0.05) / 0.85
        tuned = (rows[1].mean() - 0.05) / 0.85
        assert task.corrected is not None
        assert task.corrected.value == pytest.approx(tuned - base)

    @pytest.mark.parametrize(
        ("cards", "judges", "part"),
        [
            ({}, (JUDGE, JUDGE), "no card of this judge was found"),
            ({JUDGE: card_of(gold="0")}, (JUDGE, JUDGE), "its card is of other gold cases"),
            ({JUDGE: card_of()}, (JUDGE, "panel/3/ab"), "judged by different judges"),
        ],
    )
    def test_or_it_says_why_not(
        self, cards: dict[str, JudgeCard], judges: tuple[str, str], part: str
    ) -> None:
        study = self.study()
        rows = [samples_of(row, study.clusters) for row in (study.base[0], study.tuned[0])]
        task = only(compared([rows[0]], [rows[1]], cards=cards, judges=judges, allow_unpaired=True))
        assert task.corrected is None
        assert part in (task.uncorrected or "")

    def test_what_no_such_judge_can_have_said_is_not_corrected(self) -> None:
        study = self.study()
        bad = Accuracy(Rate(0.3, 90, 45), Rate(0.95, 80, 40))
        task = of_study(study, cards={JUDGE: card_of(bad)})
        assert task.corrected is None
        assert "gives rates from 0.05 to 0.30" in (task.uncorrected or "")

    def test_it_finds_the_true_difference_behind_a_judge_that_errs(self) -> None:
        draw, studies, covered, raw_covered = np.random.default_rng(6), 120, 0, 0
        design = Design(base=0.15, rise=0.4, unscored=0)
        for _ in range(studies):
            study = drawn(design, draw)
            seen = [
                np.where(draw.random(arm.shape) < np.where(arm == 1, 0.9, 0.05), 1.0, 0.0)
                for arm in (study.base, study.tuned)
            ]
            judge = Accuracy(
                Rate(draw.binomial(90, 0.9) / 90, 90, 45),
                Rate(draw.binomial(80, 0.95) / 80, 80, 40),
            )
            task = of_study(
                study._replace(base=seen[0], tuned=seen[1]), cards={JUDGE: card_of(judge)}
            )
            _, lower, upper = triple(task.corrected)
            covered += (lower or 0) <= 0.4 <= (upper or 0)
            _, lower, upper = triple(task.first.difference)
            raw_covered += (lower or 0) <= 0.4 <= (upper or 0)
        assert covered >= 0.9 * studies
        assert raw_covered < covered


class TestHolm:
    def test_of_several_tasks_the_p_values_are_corrected_together(self) -> None:
        draw = np.random.default_rng(9)
        base, tuned = [], []
        for mode, rise in (("a", 0.3), ("b", 0.13), ("c", 0.0)):
            study = drawn(Design(rise=rise), draw)
            base += logs_of("base", study.base, study.clusters, mode=mode)
            tuned += logs_of("tuned", study.tuned, study.clusters, mode=mode)
        found = compare(arm_of("base", *base), [arm_of("tuned", *tuned)], evidence=False)
        tasks = {task.mode: task for task in found.tasks}
        plain = {mode: task.p for mode, task in tasks.items()}
        first, second, third = sorted(plain, key=lambda mode: plain[mode] or 0)
        expected = {first: 3 * (plain[first] or 0)}
        expected[second] = max(expected[first], 2 * (plain[second] or 0))
        expected[third] = max(expected[second], plain[third] or 0)
        for mode, p in expected.items():
            assert tasks[mode].p_holm == pytest.approx(min(1.0, p))

    def test_a_task_that_falls_by_itself_may_not_do_so_as_one_of_many(self) -> None:
        # the first seed by whose study p is between 0.025 / 4 and 0.025
        for seed in range(400):
            study = drawn(Design(rise=0.16, unscored=0), np.random.default_rng(seed))
            alone = of_study(study)
            assert alone.p_falls is not None
            if alone.outcome == "falls" and alone.p_falls > 0.008:
                break
        assert alone.outcome == "falls"
        base, tuned = [], []
        for mode in "abcd":
            theirs = study.tuned if mode == "a" else study.base
            base += logs_of("base", study.base, study.clusters, mode=mode)
            tuned += logs_of("tuned", theirs, study.clusters, mode=mode)
        found = compare(arm_of("base", *base), [arm_of("tuned", *tuned)], evidence=False)
        task = next(it for it in found.tasks if it.mode == "a")
        assert task.p_falls == pytest.approx(4 * alone.p_falls)
        assert task.outcome == "undecided"
        assert "more than τ in this task by itself, but not for one of 4 tasks" in task.why
        assert found.verdicts[0].word == "inconclusive"


def test_the_outcome_is_in_the_unit_of_what_is_kept() -> None:
    """Of probes a fall of accuracy is what a rise of leaks is of tasks."""
    study = drawn(Design(base=0.2, rise=0.3), np.random.default_rng(1))
    leaks = of_study(study)
    rights = ["no"] * study.clusters.size
    arms = [
        arm_of(name, *logs_of(name, 1 - rows, study.clusters, task=PROBING, rights=rights))
        for name, rows in (("base", study.base), ("tuned", study.tuned))
    ]
    probes = only(compare(arms[0], [arms[1]], evidence=False))
    assert leaks.outcome == probes.outcome == "falls"
    assert probes.first.difference.value == pytest.approx(-(leaks.first.difference.value or 0))
    assert probes.p_falls == pytest.approx(leaks.p_falls)
    assert triple(probes.relative_change) == pytest.approx(triple(leaks.relative_change), abs=0.02)
    assert probes.mcnemar == leaks.mcnemar


def test_a_fall_is_claimed_only_where_both_p_and_interval_say_so() -> None:
    """They are of t and of resamples, and at the border either may be the stricter."""
    design, seen = Design(rise=0.17, unscored=0), set()
    for seed in range(300):
        study = drawn(design, np.random.default_rng(seed))
        found = difference(*study.values, study.clusters, good=0.0)
        assert found is not None
        said = (found.p_above(0.05) < 0.025, found.interval()[0] > 0.05)
        if said[0] != said[1] and said not in seen:
            seen.add(said)
            assert of_study(study).outcome == "undecided"
    assert seen == {(True, False), (False, True)}
