from __future__ import annotations

import math
import random

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score  # type: ignore[import-untyped]

from judges.calibration.agreement import cohens_kappa, krippendorffs_alpha


def pairs(both: int, first: int, second: int, neither: int) -> list[tuple[bool, bool]]:
    return [
        *[(True, True)] * both,
        *[(True, False)] * first,
        *[(False, True)] * second,
        *[(False, False)] * neither,
    ]


@pytest.mark.parametrize("seed", range(12))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    draw = random.Random(seed)
    rate, agree = draw.random(), draw.random()
    one = [draw.random() < rate for _ in range(60)]
    told = [(it, it if draw.random() < agree else draw.random() < 0.5) for it in one]
    found = cohens_kappa(told, range(60))
    assert found is not None
    theirs = cohen_kappa_score(*zip(*told, strict=True))
    assert found.value == pytest.approx(theirs, abs=1e-12)
    assert -1 <= found.lower <= found.value <= found.upper <= 1


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("seed", range(6))
def test_alpha_is_that_of_the_krippendorff_package_also_with_gaps(
    seed: int, missing: float
) -> None:
    draw = np.random.default_rng(seed)
    true = draw.random(50) < 0.4
    ratings = np.where(draw.random((4, 50)) < 0.8, true, ~true).astype(float)
    ratings[draw.random((4, 50)) < missing] = math.nan
    units = [[bool(it) for it in column if not math.isnan(it)] for column in ratings.T]
    found = krippendorffs_alpha(units, range(50))
    assert found is not None
    theirs = krippendorff.alpha(reliability_data=ratings, level_of_measurement="nominal")
    assert found.value == pytest.approx(theirs, abs=1e-12)


def test_kappa_by_hand() -> None:
    # 20 yes of both, 5 and 10 alone, 15 no of both: agreement 0.7; by chance 0.5·0.6 + 0.5·0.4 =
    # 0.5; so (0.7 - 0.5) / (1 - 0.5)
    found = cohens_kappa(pairs(20, 5, 10, 15), range(50))
    assert found is not None
    assert found.value == pytest.approx(0.4)


def test_alpha_by_hand() -> None:
    # ten units of two, as in Krippendorff's computation for binary data: 4 of 10 differ, 14 zeros
    # and 6 ones; 1 - 19·8 / (2·14·6) = 1 - 152/168
    one = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    other = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    units = [[bool(a), bool(b)] for a, b in zip(one, other, strict=True)]
    found = krippendorffs_alpha(units, range(10))
    assert found is not None
    assert found.value == pytest.approx(1 - 152 / 168)
    assert round(found.value, 3) == 0.095


def test_a_unit_with_one_value_says_nothing_of_agreement() -> None:
    units = [[True, True], [False, False], [True, False]]
    alone = [[True], [], [False]]
    some = krippendorffs_alpha(units, "abc")
    more = krippendorffs_alpha([*units, *alone], "abcdef")
    assert some is not None
    assert some == more


@pytest.mark.parametrize("told", [[], pairs(5, 0, 0, 0), pairs(0, 0, 0, 5)])
def test_there_is_no_kappa_where_chance_agrees_always(told: list[tuple[bool, bool]]) -> None:
    assert cohens_kappa(told, range(len(told))) is None


@pytest.mark.parametrize(
    "units", [[], [[True]], [[True], [False]], [[True, True], [True, True, True]]]
)
def test_there_is_no_alpha_where_nothing_can_disagree(units: list[list[bool]]) -> None:
    assert krippendorffs_alpha(units, range(len(units))) is None


def test_one_who_always_says_the_same_agrees_by_chance_only() -> None:
    found = cohens_kappa(pairs(10, 10, 0, 0), range(20))
    assert found is not None
    assert found.value == 0


@pytest.mark.parametrize("clusters", [5, 20, 60])
def test_full_agreement_is_not_certain_and_less_so_in_fewer_clusters(clusters: int) -> None:
    names = [place % clusters for place in range(60)]
    told = [(bool(place % 2), bool(place % 2)) for place in range(60)]
    kappa = cohens_kappa(told, names)
    alpha = krippendorffs_alpha([list(pair) for pair in told], names)
    for found in (kappa, alpha):
        assert found is not None
        assert found.value == found.upper == 1
        assert found.lower < 1 - 3 / clusters
        assert found.lower > -1 or clusters == 5


def test_full_disagreement_ends_at_minus_one() -> None:
    found = cohens_kappa(pairs(0, 20, 20, 0), range(40))
    assert found is not None
    assert found.value == found.lower == -1
    assert -1 < found.upper < -0.7


def test_an_interval_ends_where_agreement_does() -> None:
    # hardly anything can differ by chance, so that a few differences more are far below -1
    found = cohens_kappa(pairs(8, 1, 1, 0), range(10))
    assert found is not None
    assert found.lower == -1 < found.value < 0 < found.upper <= 1


def test_one_cluster_says_nothing() -> None:
    found = cohens_kappa(pairs(20, 2, 2, 20), ["one"] * 44)
    assert found is not None
    assert (found.lower, found.upper) == (-1, 1)


@pytest.mark.parametrize(("rate", "accuracy"), [(0.5, 0.9), (0.5, 0.7), (0.25, 0.85)])
def test_the_interval_covers_the_true_kappa(rate: float, accuracy: float) -> None:
    """Forty situations of four outputs; in each the judge is a little better or worse."""
    draw = np.random.default_rng(7)
    runs, clusters, size = 500, 40, 4
    names = [cluster for cluster in range(clusters) for _ in range(size)]
    yes = rate * accuracy + (1 - rate) * (1 - accuracy)
    expected = rate * yes + (1 - rate) * (1 - yes)
    true = (accuracy - expected) / (1 - expected)
    concentration = 12
    held = 0
    for _ in range(runs):
        own = draw.beta(accuracy * concentration, (1 - accuracy) * concentration, clusters)
        label = draw.random(clusters * size) < rate
        right = draw.random(clusters * size) < np.repeat(own, size)
        told = list(zip(label.tolist(), (label == right).tolist(), strict=True))
        found = cohens_kappa(told, names)
        assert found is not None
        held += found.lower <= true <= found.upper
    assert 0.92 <= held / runs <= 0.99
