from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar as theirs
from statsmodels.stats.multitest import multipletests

from harness_adapters.collapse.comparison import McNemar
from harness_adapters.collapse.paired import Values
from harness_adapters.collapse.significance import holm, mcnemar


def pairs(both: int, worse: int, better: int, neither: int) -> tuple[Values, Values]:
    base = [1] * both + [0] * worse + [1] * better + [0] * neither
    tuned = [1] * both + [1] * worse + [0] * better + [0] * neither
    return Values(np.array([base], float)), Values(np.array([tuned], float))


TABLES = [(3, 6, 1, 10), (0, 0, 0, 5), (5, 0, 9, 1), (2, 1, 0, 0), (40, 30, 17, 35), (0, 8, 8, 0)]


@pytest.mark.parametrize("table", TABLES)
def test_of_one_run_each_it_is_the_exact_test_of_the_2x2_table(
    table: tuple[int, int, int, int],
) -> None:
    both, worse, better, neither = table
    found = mcnemar(*pairs(*table))
    assert found is not None
    assert (found.worse, found.better) == (worse, better)
    stated = theirs([[both, better], [worse, neither]], exact=True).pvalue
    assert found.p == pytest.approx(min(stated, 1.0))
    if worse + better:
        binomial = binomtest(worse, worse + better, 0.5).pvalue
        assert found.p == pytest.approx(binomial)
    else:
        assert found.p == 1


def test_by_hand_six_against_one_is_16_of_128() -> None:
    # two tails of seven throws: 2 · (1 + 7) / 2⁷
    assert mcnemar(*pairs(2, 6, 1, 11)) == McNemar(worse=6, better=1, p=0.125)


def test_of_answers_that_are_right_worse_is_the_other_way_round() -> None:
    leaks = mcnemar(*pairs(2, 6, 1, 11))
    right = mcnemar(*pairs(2, 6, 1, 11), good=1.0)
    assert leaks is not None
    assert right == McNemar(worse=1, better=6, p=leaks.p)


def test_of_several_runs_it_is_the_sign_test_of_their_means() -> None:
    nan = np.nan
    base = Values(np.array([[0, 1, 0, nan, 0], [0, 0, 0, 1, nan]]))
    tuned = Values(np.array([[1, 1, 0, 1, nan], [0, 1, 0, 1, nan], [1, nan, 0, 1, nan]]))
    # means 0, .5, 0, 1, 0 against 2/3, 1, 0, 1 and none
    assert mcnemar(base, tuned) == McNemar(worse=2, better=0, p=0.5)


def test_a_rounding_is_no_difference() -> None:
    # (0.2 + 0.2 + 0.2) / 3 is a speck more than 0.2
    base, tuned = Values(np.full((1, 9), 0.2)), Values(np.full((3, 9), 0.2))
    assert (tuned.runs.mean(axis=0) != base.runs[0]).all()
    assert mcnemar(base, tuned) == McNemar(worse=0, better=0, p=1.0)
    assert mcnemar(tuned, base) == McNemar(worse=0, better=0, p=1.0)


def test_where_no_scenario_has_both_there_is_no_test() -> None:
    nan = np.nan
    assert mcnemar(Values(np.array([[0, nan]])), Values(np.array([[nan, 1]]))) is None


def test_it_rejects_in_at_most_5_of_100_studies_without_a_difference() -> None:
    draw, studies, rejected = np.random.default_rng(3), 400, 0
    for _ in range(studies):
        both = draw.random((2, 1, 122)) < 0.3
        found = mcnemar(Values(both[0].astype(float)), Values(both[1].astype(float)))
        rejected += found is not None and found.p < 0.05
    assert rejected <= 0.05 * studies + 2 * (studies * 0.05 * 0.95) ** 0.5


def by_hand(values: list[float]) -> list[float]:
    """Holm (1979): the smallest times m, the next times m - 1, ..., and none below the one before.

    The loop is the definition, not the library's code.
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    found, least = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(values) - rank) * values[place]))
        found[place] = least
    return found


def test_holm_by_hand() -> None:
    # .01 · 3 = .03; .03 · 2 = .06; .04 · 1 = .04, but not below .06
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.3]) == [0.3]
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_holm_is_statsmodels_and_ours_by_the_definition(many_studies: None) -> None:
    draw = np.random.default_rng(1)
    for count in range(1, 9):
        values = [float(it) for it in draw.random(count) ** 3]
        assert holm(values) == pytest.approx(by_hand(values))
        assert holm(values) == pytest.approx(multipletests(values, method="holm")[1].tolist())
