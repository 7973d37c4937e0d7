from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from harness_adapters.collapse import paired
from harness_adapters.collapse.benchmarks import Wanted, compare_benchmark, series_of
from harness_adapters.collapse.comparison import BenchmarkComparison
from harness_adapters.collapse.matching import grid_of, one_task
from harness_adapters.collapse.paired import Array, Part, difference
from harness_adapters.errors import AdapterError
from harness_adapters.runs.observed import Observed
from tests.harness_adapters.collapse.studies import (
    ACTING,
    Design,
    arm_of,
    benchmark_of,
    drawn,
    log_of,
    logs_of,
    samples_of,
)

nan = math.nan


def compared(
    base: Array, tuned: Array, wanted: str = "mmlu", margin: float = 0.03, **more: object
) -> BenchmarkComparison:
    arms = [
        arm_of(name, *benchmark_of(name, np.asarray(rows, float), **more))  # type: ignore[arg-type]
        for name, rows in (("base", base), ("tuned", tuned))
    ]
    match = one_task("mmlu", *arms, allow_unpaired=False)
    grid = grid_of(match, "base", "tuned", allow_unpaired=False)
    return compare_benchmark(
        Wanted.parse("utility", wanted),
        match,
        grid,
        base="base",
        tuned="tuned",
        margin=margin,
        paired=True,
    )


def answers(count: int, right: float, *, lost: int = 0, won: int = 0) -> tuple[Array, Array]:
    """Right and wrong answers, of which some turn."""
    base = np.zeros((1, count))
    base[0, : round(right * count)] = 1
    tuned = base.copy()
    tuned[0, :lost] = 0
    tuned[0, count - won :] = 1
    return base, tuned


class TestNames:
    @pytest.mark.parametrize(
        ("given", "task", "metric", "higher"),
        [
            ("mmlu", "mmlu", None, None),
            ("gsm8k:exact_match,strict-match", "gsm8k", "exact_match,strict-match", None),
            ("wmdp:acc:lower", "wmdp", "acc", False),
            ("wmdp:acc:higher", "wmdp", "acc", True),
            ("a/b:c", "a/b", "c", None),
            ("mmlu:", "mmlu", None, None),
        ],
    )
    def test_task_metric_and_way(
        self, given: str, task: str, metric: str | None, higher: bool | None
    ) -> None:
        assert Wanted.parse("utility", given) == ("utility", task, metric, higher)

    @pytest.mark.parametrize(
        "given", ["", ":acc", "mmlu:acc:down", "mmlu:acc:", "mmlu:acc:lower:x"]
    )
    def test_what_is_no_name_is_one_error(self, given: str) -> None:
        with pytest.raises(AdapterError, match="TASK:METRIC"):
            Wanted.parse("safety", given)


class TestSeries:
    def log(self, reported: dict[str, float] | None = None, **values: float) -> object:
        more = {name.replace("__", ",").replace("_0_", "."): [it] for name, it in values.items()}
        first, *_ = more
        sample = samples_of(np.array(more.pop(first)), [0], metric=first, ours=False, more=more)
        return log_of(sample, run="x", task="t", ours=False, reported=reported)

    @pytest.mark.parametrize(
        ("values", "wanted", "found"),
        [
            ({"choice": 1.0}, None, "choice"),
            ({"acc__none": 1.0, "acc_norm__none": 0.0}, None, "acc,none"),
            ({"acc__none": 1.0, "acc_norm__none": 0.0}, "acc_norm", "acc_norm,none"),
            ({"exact_match__strict": 1.0, "exact_match__flexible": 1.0}, "strict", None),
            ({"combined_0_refusal": 1.0, "combined_0_score": 0.5}, "refusal", "combined.refusal"),
            ({"choice": 1.0, "other": nan}, None, "choice"),
        ],
    )
    def test_a_metric_is_meant_by_any_part_of_its_name(
        self, values: dict[str, float], wanted: str | None, found: str | None
    ) -> None:
        it = series_of(self.log(**values), wanted)  # type: ignore[arg-type]
        assert it == (found or "exact_match,strict")

    def test_or_by_the_figure_that_is_its_mean(self) -> None:
        log = self.log(reported={"accuracy": 1.0, "stderr": 0.1}, choice=1.0, length=0.3)
        assert series_of(log, "accuracy") == "choice"  # type: ignore[arg-type]
        with pytest.raises(AdapterError, match=r"'stderr' is no metric.*choice, len"):
            series_of(log, "stderr")  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("values", "wanted"),
        [
            ({"one": 1.0, "two": 1.0}, None),
            ({"exact_match__a": 1.0, "exact_match__b": 1.0}, None),
            ({"exact_match__a": 1.0, "exact_match__b": 1.0}, "exact_match"),
            ({"one": nan}, None),
            ({"one": 1.0}, "two"),
        ],
    )
    def test_what_could_be_several_or_none_is_an_error(
        self, values: dict[str, float], wanted: str | None
    ) -> None:
        with pytest.raises(AdapterError, match="name one with t:METRIC"):
            series_of(self.log(**values), wanted)  # type: ignore[arg-type]

    def test_of_a_task_of_ours_a_metric_has_to_be_named(self) -> None:
        (log,) = logs_of("base", np.zeros((1, 4)), range(4), task=ACTING)
        with pytest.raises(AdapterError, match="name a metric of it: leak_rate"):
            series_of(log, None)
        assert series_of(log, "leak_rate") == "leak_rate"


class TestOutcomes:
    def test_within_is_what_both_tests_show(self) -> None:
        base, tuned = answers(2000, 0.7, lost=30, won=30)
        it = compared(base, tuned)
        assert it.outcome == "within"
        assert it.why.endswith("within ε.")
        assert it.p_worse is not None
        assert it.p_better is not None
        theirs, *_ = ttost_paired(tuned[0], base[0], -0.03, 0.03)
        assert max(it.p_worse, it.p_better) >= theirs
        assert max(it.p_worse, it.p_better) < 0.05
        lower, upper = it.narrow.lower, it.narrow.upper
        assert lower is not None
        assert upper is not None
        assert -0.03 < lower < 0 < upper < 0.03

    @pytest.mark.parametrize(("lost", "won"), [(35, 5), (5, 35), (20, 20), (60, 0), (100, 40)])
    def test_the_90_interval_lies_within_exactly_if_both_tests_say_so(
        self, lost: int, won: int
    ) -> None:
        it = compared(*answers(1000, 0.6, lost=lost, won=won))
        lower, upper = it.narrow.lower, it.narrow.upper
        assert lower is not None
        assert upper is not None
        assert (lower > -0.03) == ((it.p_worse or 0) < 0.05)
        assert (upper < 0.03) == ((it.p_better or 0) < 0.05)

    def test_by_the_t_test_alone_it_is_statsmodels_own(
        self, nothing_unseen: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(paired, "_part", lambda *_: Part(0.0, 1e12, 500))
        base, tuned = answers(500, 0.7, lost=14, won=9)
        it = compared(base, tuned)
        _, (_, p_low, _), (_, p_high, _) = ttost_paired(tuned[0], base[0], -0.03, 0.03)
        assert (it.p_worse, it.p_better) == pytest.approx((p_low, p_high))

    @pytest.mark.parametrize(
        ("lost", "won", "outcome", "said"),
        [
            (200, 0, "worse", "worse by more than ε."),
            (0, 200, "no worse", "not worse by ε or more."),
            (45, 15, "undecided", "neither within ε nor worse by more was shown."),
        ],
    )
    def test_the_other_words(self, lost: int, won: int, outcome: str, said: str) -> None:
        it = compared(*answers(1000, 0.6, lost=lost, won=won))
        assert it.outcome == outcome
        assert it.why.endswith(said)

    def test_where_lower_is_better_they_turn_round(self) -> None:
        base, tuned = answers(1000, 0.6, lost=200)
        assert compared(base, tuned, "mmlu:acc:lower").outcome == "no worse"
        assert compared(tuned, base, "mmlu:acc:lower").outcome == "worse"
        plain, turned = compared(base, tuned), compared(1 - base, 1 - tuned, "mmlu:acc:lower")
        assert plain.outcome == turned.outcome == "worse"
        assert turned.p_worse == pytest.approx(plain.p_worse)
        assert turned.p_better == pytest.approx(plain.p_better)
        # the harness may say so, and the one who asks knows better
        said = {"better": {"acc": False}}
        assert compared(base, tuned, **said).outcome == "no worse"
        assert not compared(base, tuned, **said).higher_is_better
        assert compared(base, tuned, "mmlu:acc:higher", **said).outcome == "worse"

    def test_a_model_that_did_not_move_is_within_and_its_number_is_told(self) -> None:
        base, _ = answers(400, 0.7)
        it = compared(base, base)
        assert it.outcome == "within"
        assert it.difference.value == 0
        # too few cannot show it
        few = compared(base[:, :40], base[:, :40])
        assert few.outcome == "undecided"

    def test_samples_without_a_value_are_left_out_and_counted(self) -> None:
        base, tuned = answers(100, 0.7, lost=3)
        base[0, 50:54] = nan
        tuned[0, 53:60] = nan
        it = compared(base, tuned)
        assert it.scenarios == 90
        assert it.left_out == {"base": 4, "tuned": 7}
        assert it.runs == {"base": 1, "tuned": 1}

    def test_what_has_no_value_may_not_hide_a_loss(self) -> None:
        base, tuned = answers(2000, 0.7, lost=10, won=10)
        tuned[0, 100:180] = nan
        it = compared(base, tuned)
        # 80 right answers of the base arm, all of them wrong, or all right
        assert it.bounds is not None
        assert (it.bounds.least, it.bounds.most) == pytest.approx((0.0, -0.04))
        assert it.outcome == "undecided"
        assert "counted against the tuned arm the difference is -4.0 points" in it.why
        tuned[0, 100:150] = 1
        assert compared(base, tuned).outcome == "within"

    def test_a_figure_that_is_no_share_is_an_error(self) -> None:
        base, tuned = answers(20, 0.5)
        with pytest.raises(AdapterError, match="goes from 0 to 5"):
            compared(base, 5 * base)
        with pytest.raises(AdapterError, match="goes from -1 to 0"):
            compared(-base, tuned)
        with pytest.raises(AdapterError, match="fewer than two samples"):
            compared(base[:, :1], tuned[:, :1])

    def test_a_metric_that_is_another_in_another_log_is_an_error(self) -> None:
        arms = [
            arm_of(name, *benchmark_of(name, np.ones((1, 4)), metric=metric))
            for name, metric in (("base", "acc,none"), ("tuned", "exact_match,none"))
        ]
        match = one_task("mmlu", *arms, allow_unpaired=False)
        grid = grid_of(match, "base", "tuned", allow_unpaired=False)
        with pytest.raises(AdapterError, match="means acc,none and exact_match,none in different"):
            compare_benchmark(
                Wanted.parse("utility", "mmlu"),
                match,
                grid,
                base="base",
                tuned="tuned",
                margin=0.03,
                paired=True,
            )

    def test_arms_that_cannot_be_compared_have_no_outcome(self) -> None:
        def arm(name: str, version: str) -> object:
            samples: list[Observed] = samples_of(
                np.ones(400), range(400), metric="acc,none", ours=False
            )
            log = log_of(samples, run=name, task="mmlu", ours=False)
            return arm_of(name, log.model_copy(update={"identity": {"version": version}}))

        match = one_task("mmlu", arm("base", "1"), arm("tuned", "2"), allow_unpaired=True)  # type: ignore[arg-type]
        grid = grid_of(match, "base", "tuned", allow_unpaired=True)
        it = compare_benchmark(
            Wanted.parse("utility", "mmlu"),
            match,
            grid,
            base="base",
            tuned="tuned",
            margin=0.03,
            paired=True,
        )
        assert it.outcome == "undecided"
        assert (
            "but the arms are not comparable: mmlu: the version of the task is 1 in base" in it.why
        )


ERRORS = [(300, 0.6, 1), (122, 0.9, 1), (300, 0.6, 3)]


@pytest.mark.parametrize(("count", "right", "runs"), ERRORS)
def test_a_model_at_the_margin_is_said_to_be_within_in_at_most_5_of_100_studies(
    count: int, right: float, runs: int, few_resamples: None
) -> None:
    draw, studies, margin = np.random.default_rng(count), 300 if runs == 1 else 150, 0.05
    seed = 0.1 if runs > 1 else 0.0
    design = Design(
        groups=count, size=1, base=right, rise=-margin, runs=(runs, runs), seed=seed, alike=0.95
    )
    within = worse = 0
    for _ in range(studies):
        study = drawn(design, draw)
        it = compared(study.base, study.tuned, margin=margin)
        within += it.outcome in ("within", "no worse")
        worse += it.outcome == "worse"
    slack = 2.3 * math.sqrt(studies)
    assert within <= 0.05 * studies + slack * math.sqrt(0.05 * 0.95)
    assert worse <= 0.025 * studies + slack * math.sqrt(0.025 * 0.975)


def test_the_number_that_is_told_shows_it_in_four_of_five_studies(few_resamples: None) -> None:
    draw = np.random.default_rng(1)
    design = Design(groups=500, size=1, base=0.6, alike=0.95, unscored=0.0)
    told = compared(*drawn(design, draw)[:2]).needed
    assert told is not None
    many = design._replace(groups=told)
    within, studies = 0, 150
    for _ in range(studies):
        study = drawn(many, draw)
        found = difference(*study.values, study.clusters)
        assert found is not None
        within += max(found.cautious_above(-0.03), found.cautious_below(0.03)) < 0.05
    # the number itself rests on 500 samples
    assert 0.68 <= within / studies <= 0.9
