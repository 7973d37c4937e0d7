"""Ranks and arrows, by cases made by hand and by other packages' statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import statsmodels.api as sm

from harness_adapters.collapse import paired
from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.checked import Checked
from harness_adapters.leaderboard.site.bars import Scale, bar, scale_of, way_of
from harness_adapters.leaderboard.site.boards import boards_of
from harness_adapters.leaderboard.site.ranking import Ranked, ranked
from harness_adapters.leaderboard.site.wording import moved
from harness_adapters.leaderboard.submission import Figure
from tests.harness_adapters.leaderboard.site.made import (
    Samples,
    answered,
    checked,
    checked_run,
    cluster_of,
    drawn,
    scenarios,
)


def on_one_board(submissions: Sequence[Checked]) -> dict[str, Ranked]:
    """Model -> its place, of submissions that are on one board."""
    (board,) = boards_of(submissions)
    return {it.entry.model.name: it for it in ranked(board)}


def ranks(submissions: Sequence[Checked]) -> dict[str, tuple[int | None, bool]]:
    """Model -> rank, and whether it is shared."""
    return {name: (it.rank, it.tied) for name, it in on_one_board(submissions).items()}


def of_values(name: str, values: Samples, **more: object) -> Checked:
    """A submission with these values of discernment."""
    judged = dict.fromkeys(values, 1.0)
    return checked(name, checked_run({"discernment": values, "judged": judged}), **more)  # type: ignore[arg-type]


def noisy(mean: float, swing: float, shift: int = 0) -> dict[str, float]:
    """Values that swing around a mean, alike in both twins of a pair."""
    steps = (-1.0, 0.0, 1.0, 0.5, -0.5)
    return {id_: mean + swing * steps[(n // 2 + shift) % 5] for n, id_ in enumerate(scenarios())}


def test_a_clear_order_has_ranks_one_two_three() -> None:
    found = ranks(
        [of_values("c", noisy(0.1, 0.1)), of_values("a", noisy(0.8, 0.1, 1)),
         of_values("b", noisy(0.5, 0.1, 2))]
    )  # fmt: skip
    assert found == {"a": (1, False), "b": (2, False), "c": (3, False)}
    assert list(found) == ["a", "b", "c"]


def test_models_within_error_share_a_rank() -> None:
    found = ranks(
        [of_values("a", noisy(0.50, 0.3)), of_values("b", noisy(0.52, 0.3, 1)),
         of_values("c", noisy(-0.4, 0.3, 2))]
    )  # fmt: skip
    assert found == {"b": (1, True), "a": (1, True), "c": (3, False)}


def test_being_tied_is_not_handed_on() -> None:
    found = ranks(
        [of_values("a", noisy(0.60, 0.3)), of_values("b", noisy(0.45, 0.3, 1)),
         of_values("c", noisy(0.30, 0.3, 2))]
    )  # fmt: skip
    # a and b, b and c are within error; a is better than c
    assert found == {"a": (1, True), "b": (1, True), "c": (2, False)}


def test_the_same_outputs_are_a_tie() -> None:
    same = noisy(0.4, 0.2)
    found = ranks([of_values("a", same), of_values("b", dict(same), revision="other")])
    assert found == {"a": (1, True), "b": (1, True)}


def test_only_samples_with_values_of_both_are_compared() -> None:
    one, other = noisy(0.9, 0.05), noisy(0.2, 0.05)
    half = scenarios()[:30]
    # where both have values they are the same: that one did the rest better is not to be seen
    patchy = {id_: other[id_] for id_ in half}
    full = {id_: other[id_] if id_ in half else one[id_] for id_ in one}
    assert ranks([of_values("full", full), of_values("patchy", patchy)]) == {
        "full": (1, True),
        "patchy": (1, True),
    }


def test_a_run_without_its_headline_has_no_rank_and_comes_last() -> None:
    values = drawn(0.2, 0.9, "x")
    none = checked("none", checked_run(values | {"discernment": {}}))
    found = on_one_board(
        [none, checked("a", checked_run(values)), checked("b", checked_run(drawn(0.9, 0.2, "y")))]
    )
    assert list(found) == ["a", "b", "none"]
    assert (found["none"].rank, found["none"].why_not) == (None, "its discernment is undefined")
    assert (found["a"].rank, found["b"].rank) == (1, 2)


def test_values_that_do_not_make_the_headline_stop_everything() -> None:
    run = checked_run(drawn(0.2, 0.9, "x"))
    first = next(iter(run.values["discernment"]))
    others = {**run.values["discernment"], first: run.values["discernment"][first] - 0.01}
    wrong = run._replace(values={**run.values, "discernment": others})
    (board,) = boards_of([checked("a", wrong)])
    with pytest.raises(AdapterError, match="values of its samples make discernment"):
        ranked(board)


def test_a_run_without_values_of_each_sample_is_shown_without_a_rank() -> None:
    run = checked_run(answered(0.9, 0.8, "x"), task="privacy_tasks/probing", judge=None)
    bare = run._replace(values={"correct": {"a": 1.0}})
    found = on_one_board([checked("bare", bare)])["bare"]
    assert (found.rank, found.why_not) == (None, "its records give no value of each sample")


def test_leak_rate_ranks_where_a_set_has_nothing_to_share_and_lower_is_better() -> None:
    def leaking(rate: float, seed: str) -> dict[str, Samples]:
        found = drawn(rate, 0.9, seed)
        return {"discernment": {}, "leak_rate": found["leak_rate"], "judged": found["judged"]}

    base, tuned = ("low", "9c1f0e7"), checked_run(leaking(0.7, "b"))
    found = on_one_board(
        [checked("low", checked_run(leaking(0.1, "a"))), checked("high", tuned, base=base)]
    )
    assert {name: it.rank for name, it in found.items()} == {"low": 1, "high": 2}
    assert list(found) == ["low", "high"]
    assert found["high"].moved is not None
    assert moved(found["high"].moved).startswith("rose by")
    assert way_of(found["high"]) == "falls"  # more leaks are worse


def random_board(seed: int, models: int) -> list[dict[str, float]]:
    """Values of several models on the same scenarios, hard ones hard for all."""
    random_ = np.random.default_rng(seed)
    hard = random_.normal(0, 0.25, 60)
    means = random_.choice([0.1, 0.25, 0.4, 0.55], models)
    return [
        dict(zip(scenarios(), np.clip(each, -1, 1).tolist(), strict=True))
        for each in (mean + hard + random_.normal(0, 0.3, 60) for mean in means)
    ]


def clustered_t(
    difference: np.ndarray, groups: Sequence[str], weights: np.ndarray
) -> tuple[float, float]:
    """The mean of differences and its p-value, by statsmodels."""
    _, places = np.unique(groups, return_inverse=True)
    fit = sm.WLS(difference, np.ones((len(difference), 1)), weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": places}, use_t=True
    )
    return float(fit.params[0]), float(fit.pvalues[0])


def holm_by_hand(values: Sequence[float]) -> list[float]:
    """Holm 1979, section 3."""
    order = sorted(range(len(values)), key=lambda place: values[place])
    found, most = [0.0] * len(values), 0.0
    for step, place in enumerate(order):
        most = max(most, min(1.0, (len(values) - step) * values[place]))
        found[place] = most
    return found


@pytest.mark.parametrize("seed", range(6))
def test_ranks_are_those_of_statsmodels_and_holm(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paired, "_UNSEEN", 0.0)  # pseudo-observations, which no textbook has
    values = random_board(seed, 5)
    found = ranks([of_values(f"m{n}", one) for n, one in enumerate(values)])
    ids = scenarios()
    groups = [cluster_of(id_) for id_ in ids]
    pairs = [(a, b) for a in range(5) for b in range(a + 1, 5)]
    tested = [
        clustered_t(
            np.array([values[a][it] - values[b][it] for it in ids]), groups, np.ones(len(ids))
        )
        for a, b in pairs
    ]
    corrected = holm_by_hand([p for _, p in tested])
    expected = [1] * 5
    for (a, b), (mean, _), p in zip(pairs, tested, corrected, strict=True):
        if p < 0.05:
            expected[b if mean > 0 else a] += 1
    assert [found[f"m{n}"][0] for n in range(5)] == expected
    assert [found[f"m{n}"][1] for n in range(5)] == [expected.count(it) > 1 for it in expected]


def test_the_boards_of_that_test_have_ties_and_differences() -> None:
    found = [ranks([of_values(f"m{n}", one) for n, one in enumerate(random_board(seed, 5))])
             for seed in range(6)]  # fmt: skip
    every = [it for one in found for it in one.values()]
    assert sum(tied for _, tied in every) > 5
    assert len({rank for rank, _ in every}) > 3


def test_accuracy_of_probes_is_compared_with_half_the_weight_for_each_right_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paired, "_UNSEEN", 0.0)
    base, tuned = answered(0.95, 0.8, "x"), answered(0.9, 0.55, "y")
    few = list(base["share_accuracy"])[:20]  # sides of unlike size
    base, tuned = (
        it | {"share_accuracy": {id_: it["share_accuracy"][id_] for id_ in few}}
        for it in (base, tuned)
    )
    more = {"task": "privacy_tasks/probing", "judge": None}
    gap = on_one_board(
        [checked("base", checked_run(base, **more)),
         checked("tuned", checked_run(tuned, **more), base=("base", "9c1f0e7"))]
    )["tuned"].moved  # fmt: skip
    assert gap is not None
    sides = ("share_accuracy", "withhold_accuracy")
    rows = [
        (tuned[name][id_] - base[name][id_], cluster_of(id_), 1 / len(base[name]))
        for name in sides
        for id_ in base[name]
    ]
    mean, p = clustered_t(
        np.array([row[0] for row in rows]), [row[1] for row in rows], np.array([r[2] for r in rows])
    )
    assert gap.value == pytest.approx(mean, abs=1e-12)
    assert gap.p == pytest.approx(p, rel=1e-9)  # one pair: nothing to correct
    half = [np.mean([tuned[n][i] - base[n][i] for i in base[n]]) for n in sides]
    assert gap.value == pytest.approx(sum(half) / 2, abs=1e-12)
    assert gap.samples == 80


def test_probes_of_one_right_answer_are_ranked_by_what_is_defined_of_them() -> None:
    def refusing(rate: float, seed: str) -> Checked:
        values = answered(0.9, rate, seed) | {"share_accuracy": {}}
        run = checked_run(values, task="privacy_tasks/probing", judge=None)
        assert run.run.metrics["accuracy"].mean is None
        return checked(f"{seed}", run)

    found = on_one_board([refusing(0.2, "low"), refusing(0.95, "high")])
    assert {it.headline for it in found.values()} == {"withhold_accuracy"}
    assert {name: it.rank for name, it in found.items()} == {"high": 1, "low": 2}


BASE = ("base", "9c1f0e7")


def test_a_tuned_model_is_compared_with_its_base_of_that_revision() -> None:
    base, tuned = drawn(0.1, 0.95, "a"), drawn(0.7, 0.95, "b")
    found = on_one_board(
        [checked("base", checked_run(base)),
         checked("base", checked_run(drawn(0.5, 0.95, "c")), revision="other", records=b"2"),
         checked("tuned", checked_run(tuned), base=BASE),
         checked("itself", checked_run(drawn(0.4, 0.95, "d")), base=("itself", "9c1f0e7"))]
    )["tuned"]  # fmt: skip
    assert found.base is not None
    assert (found.base.model.name, found.base.model.revision) == BASE
    differences = [tuned["discernment"][it] - base["discernment"][it] for it in scenarios()]
    assert found.moved is not None
    assert found.moved.value == pytest.approx(math.fsum(differences) / 60)
    assert found.moved.lower < found.moved.value < found.moved.upper < 0
    assert way_of(found) == "falls"


def test_a_model_that_names_itself_or_nobody_here_as_base_has_none() -> None:
    found = on_one_board(
        [checked("base", checked_run(drawn(0.1, 0.9, "a")), revision="other"),
         checked("tuned", checked_run(drawn(0.4, 0.9, "b")), base=BASE),
         checked("itself", checked_run(drawn(0.4, 0.9, "d")), base=("itself", "9c1f0e7"))]
    )  # fmt: skip
    assert [it.base for it in found.values()] == [None] * 3


def test_a_gain_rises_and_what_is_within_error_is_open() -> None:
    def way(tuned: float, seed: str) -> tuple[str, str]:
        one = on_one_board(
            [checked("base", checked_run(drawn(0.6, 0.95, "a"))),
             checked("tuned", checked_run(drawn(tuned, 0.95, seed)), base=BASE)]
        )["tuned"]  # fmt: skip
        assert one.moved is not None
        return way_of(one), moved(one.moved).partition(" by")[0]

    assert way(0.05, "b") == ("rises", "rose")
    assert way(0.6, "b")[0] == "open"


def test_a_bar_lies_where_its_figures_are() -> None:
    one = on_one_board(
        [checked("base", checked_run(drawn(0.1, 0.95, "a"))),
         checked("tuned", checked_run(drawn(0.7, 0.95, "b")), base=BASE)]
    )["tuned"]  # fmt: skip
    scale = Scale(-1.0)
    drawing = bar(scale, one)
    assert drawing is not None
    assert drawing.arrow is not None
    assert one.figure is not None
    assert one.figure_of_base is not None
    assert drawing.at == scale.x(one.figure.mean or 0)
    assert drawing.lower < drawing.at < drawing.upper
    assert drawing.arrow.start == scale.x(one.figure_of_base.mean or 0)
    assert drawing.arrow.end == drawing.at < drawing.arrow.head < drawing.arrow.start
    assert (scale.x(-1), scale.x(0), scale.x(1)) == (11.0, 75.0, 139.0)


@pytest.mark.parametrize(
    ("lowest", "expected"), [(0.2, 0.0), (0.0, 0.0), (-0.01, -0.5), (-0.5, -0.5), (-0.51, -1.0)]
)
def test_the_scale_begins_at_zero_or_at_a_round_figure_below(lowest, expected) -> None:
    figure = Figure(mean=0.5, stderr=0.1, lower=lowest, upper=0.9)
    assert scale_of([None, figure]).least == expected
    assert [tick.label for tick in scale_of([figure]).ticks][-1] == "100"
