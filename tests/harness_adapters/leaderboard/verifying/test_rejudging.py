"""A sample that is judged again: by an honest judge, by a stricter one, and by one that fails."""

from __future__ import annotations

import math
from math import comb
from pathlib import Path
from typing import Any

import pytest

from harness_adapters.judge_choice import JudgeSpec
from harness_adapters.leaderboard.record import Record
from harness_adapters.leaderboard.verifying.rejudging import (
    Lot,
    OfRun,
    Pair,
    Rejudging,
    corrected,
    of_run,
)
from tests.conftest import REPO, ModelServer
from tests.harness_adapters.leaderboard.forging import Content, content_of
from tests.harness_adapters.leaderboard.verifying.conftest import (
    Forge,
    Made,
    failed,
    submitted,
)

GRADER = JudgeSpec("openai/the-grader")
LEXICAL = JudgeSpec(None)


def leaks(made: Made) -> int:
    """Records with a leak, by the submission's own verdicts."""
    return sum(
        any(it["norm"] == "withhold" and it["disclosed"] for it in line["verdicts"])
        for line in content_of(made.folder).records
    )


def hide_leaks(content: Content) -> None:
    for line in content.records:
        for verdict in line["verdicts"]:
            if verdict["norm"] == "withhold":
                verdict |= {"disclosed": False, "quote": None}


def exact(stricter: int, easier: int) -> float:
    """One-sided exact test of McNemar: half of those that differ are expected to be stricter."""
    apart = stricter + easier
    return float(sum(comb(apart, k) for k in range(stricter, apart + 1)) / 2**apart)


def test_the_same_judge_says_the_same_of_an_honest_submission(
    llm: Made, server: ModelServer
) -> None:
    again = Rejudging(100, GRADER, seed=1)

    checked = llm.checked(rejudging=again)

    assert failed(checked) == {}
    (said,) = (it.said for it in checked.checks if it.name == "judged again")
    assert said.startswith(
        "no sign that the submitter's judge was easier; by llm/openai/the-grader/"
    )
    assert f"of 6 drawn {leaks(llm)} leak by the submitter's judge and {leaks(llm)} by this" in said
    assert server.stats("grader")["calls"] in (6, 7)  # the first is to see what it can do


def test_an_easier_judge_is_found_by_a_stricter_one(
    llm: Made, server: ModelServer, forge: Forge
) -> None:
    found = leaks(llm)
    again = Rejudging(100, GRADER, seed=1)

    checked = forge(llm, hide_leaks, "thorough", again)
    said = failed(checked)["judged again"]

    assert found >= 5, "too few to tell"
    assert f"{found} against 0, p = {3 * exact(found, 0):.2g}" in said  # Holm: of three tests
    assert f"of 6 drawn 0 leak by the submitter's judge and {found} by this one" in said
    assert "seed 1" in said


def test_a_stricter_judge_of_the_submitters_is_no_fault(llm: Made, server: ModelServer) -> None:
    server.set("grader", default="blind")
    again = Rejudging(100, GRADER, seed=1)

    checked = llm.checked(rejudging=again)

    assert checked.verified
    (said,) = (it.said for it in checked.checks if it.name == "judged again")
    assert said.startswith("no sign that")
    assert f"of 6 drawn {leaks(llm)} leak by the submitter's judge and 0 by this one" in said


def test_a_failure_of_the_judge_agrees_with_nobody(llm: Made, server: ModelServer) -> None:
    server.set("grader", script=["ok", "prose", "prose"], default="ok")
    again = Rejudging(100, GRADER, seed=1, connections=1)

    checked = llm.checked(rejudging=again)

    assert checked.verified
    (said,) = (it.said for it in checked.checks if it.name == "judged again")
    assert "of 5 drawn, 1 unscored" in said


def test_a_judge_that_always_fails_has_shown_nothing(llm: Made, server: ModelServer) -> None:
    server.set("grader", default="prose")

    checked = llm.checked(rejudging=Rejudging(100, GRADER, seed=1))

    assert not checked.verified
    said = failed(checked)["judged again"]
    assert "gave no verdict on any of 6 records (seed 1)" in said


NOTHING_ELSE = {"discernment": math.nan, "helpful_rate": math.nan}


def pair(theirs: float, here: float, **more: tuple[float, float]) -> Pair:
    """What two judges say of a leak, and of other figures."""
    first = NOTHING_ELSE | {name: both[0] for name, both in more.items()}
    second = NOTHING_ELSE | {name: both[1] for name, both in more.items()}
    return Pair({"leak_rate": theirs, **first}, {"leak_rate": here, **second}, 2, theirs != here)


@pytest.mark.parametrize("kinder", range(7))
@pytest.mark.parametrize("stricter", [0, 1, 3])
def test_p_is_that_of_an_exact_test(kinder: int, stricter: int) -> None:
    """Against binomial coefficients, counted here."""
    pairs = [pair(0, 1)] * kinder + [pair(1, 0)] * stricter + [pair(1, 1)] * 2

    (result,) = compared({"a": pairs})

    (test,) = result.tests
    assert (test.kinder, test.stricter) == (kinder, stricter)
    assert test.p == test.corrected == pytest.approx(exact(kinder, stricter))
    assert (result.easier is not None) == (exact(kinder, stricter) < 0.05)
    assert result.leaks == (stricter + 2, kinder + 2)
    assert (result.items, result.items_differ) == (2 * len(pairs), kinder + stricter)


def test_records_without_a_verdict_count_nowhere() -> None:
    (result,) = compared({"a": [pair(0, 1)] * 4 + [None] * 5})

    assert (result.drawn, result.unscored, result.judged, result.items) == (9, 5, 4, 8)
    assert result.tests[0].p == pytest.approx(1 / 16)


def test_all_tests_of_all_runs_are_corrected_together() -> None:
    """Holm, by hand: the smallest of three times 3, the next times 2."""
    one = [pair(0, 1, discernment=(0.9, 0.1))] * 6 + [pair(0, 0, discernment=(0.9, 0.1))]
    other = [pair(1, 0)] * 3

    first, second = compared({"one": one, "other": other})

    told = {(run.run, test.figure): test for run in (first, second) for test in run.tests}
    assert told["one", "discernment"].corrected == pytest.approx(3 * 0.5**7)
    assert told["one", "leak_rate"].corrected == pytest.approx(2 * 0.5**6)
    assert told["other", "leak_rate"].corrected == 1
    assert first.easier is not None
    assert first.easier.figure == "discernment"
    assert second.easier is None


def test_a_judge_that_is_kind_to_what_is_shared_is_found_as_well() -> None:
    """It changes no leak, and lifts the headline."""
    (result,) = compared({"a": [pair(0, 0, discernment=(1.0, 0.5))] * 8})

    assert result.easier is not None
    assert result.easier.figure == "discernment"


def compared(runs: dict[str, list[Pair | None]]) -> list[OfRun]:
    """What is said of runs whose records got these two verdicts."""
    found = [of_run(run, [LOT] * len(pairs), pairs, "j") for run, pairs in runs.items()]
    return list(corrected(found))


LOT: Any = Lot(0.5, Record.model_construct(judge="j"), None)  # type: ignore[arg-type]


def drawn(made: Made, size: int, seed: int) -> list[tuple[str, int]]:
    """What is judged again."""
    again = Rejudging(size, LEXICAL, seed=seed)
    made.checked(rejudging=again)
    return [(lot.record.id, lot.record.epoch) for lots in again.drawn().values() for lot in lots]


def test_the_seed_says_what_is_drawn(thrice: Made) -> None:
    first = drawn(thrice, 3, seed=7)

    assert drawn(thrice, 3, seed=7) == first
    assert any(drawn(thrice, 3, seed=seed) != first for seed in range(5))
    assert len(first) == 3


def test_of_a_sample_one_epoch_is_drawn_at_most(thrice: Made) -> None:
    found = drawn(thrice, 100, seed=7)

    assert len(found) == 6
    assert len({id_ for id_, _ in found}) == 6
    assert len({epoch for _, epoch in found}) > 1


def test_without_a_seed_each_draw_is_another() -> None:
    """The submitter cannot know it."""
    assert len({Rejudging(1, LEXICAL).seed for _ in range(5)}) > 1


def test_what_was_not_judged_is_not_judged_again(probes: Made, server: ModelServer) -> None:
    checked = probes.checked(rejudging=Rejudging(100, GRADER, seed=1))

    assert not checked.verified
    assert "there is nothing to judge again" in failed(checked)["judged again"]
    assert server.stats("grader")["calls"] == 0


def test_outputs_that_are_not_published_cannot_be_judged_again(
    llm: Made, server: ModelServer, tmp_path: Path
) -> None:
    folder = submitted(llm.log, tmp_path / "submission", llm.given, publish=False)

    plain = llm.checked(folder)
    assert plain.verified
    unchecked = {it.name for it in plain.checks if it.outcome == "not checked"}
    assert unchecked == {"replies", "quotes", "judge card", "verdicts"}

    again = llm.checked(folder, Rejudging(100, GRADER, seed=1))
    assert failed(again) == {"judged again": "outputs are not published: nobody can judge them"}
    assert server.stats("grader")["calls"] == 0


@pytest.mark.parametrize("which", ["lexical", "episodes", "sessions"])
def test_the_lexical_judge_is_one_to_judge_again(
    which: str, request: pytest.FixtureRequest
) -> None:
    made: Made = request.getfixturevalue(which)

    checked = made.checked(rejudging=Rejudging(100, LEXICAL, seed=1))

    assert checked.verified
    (said,) = (it.said for it in checked.checks if it.name == "judged again")
    assert ", 0 of " in said.rpartition("by this one")[2]


def test_the_page_tells_how_often_turned_leaks_are_noticed() -> None:
    """Six against none are needed; how many of those turned are drawn is hypergeometric."""
    assert 3 * exact(6, 0) < 0.05 <= 3 * exact(5, 0)  # three tests of one run
    assert 6 * exact(7, 0) < 0.05 <= 6 * exact(6, 0)  # of two runs
    page = (REPO / "docs" / "submitting.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.endswith("% |")]
    size = 0
    for run, drawn_, *told in ([cell.strip() for cell in row] for row in rows):
        size = int("".join(filter(str.isdigit, run))) if run else size
        for turned, said in zip((5, 6, 8, 10, 15, 20, 30), told, strict=True):
            chance = sum(
                comb(turned, k) * comb(size - turned, int(drawn_) - k)
                for k in range(6, turned + 1)
                if int(drawn_) >= k
            ) / comb(size, int(drawn_))
            assert said == f"{100 * chance:.0f} %", (run, drawn_, turned)
    assert len(rows) == 5
