"""A sample that is judged again: by an honest judge, by a stricter one, and by one that fails."""

from __future__ import annotations

from math import comb
from pathlib import Path
from typing import Any

import pytest

from harness_adapters.judge_choice import JudgeSpec
from harness_adapters.leaderboard.record import Record
from harness_adapters.leaderboard.verifying.rejudging import Rejudging
from tests.conftest import ModelServer
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
    assert "no sign that the submitter's judge was easier: of 6 records" in said
    assert "0 against 0 differ, one-sided p = 1" in said
    assert server.stats("grader")["calls"] in (6, 7)  # the first is to see what it can do


def test_an_easier_judge_is_found_by_a_stricter_one(
    llm: Made, server: ModelServer, forge: Forge
) -> None:
    found = leaks(llm)
    again = Rejudging(100, GRADER, seed=1)

    checked = forge(llm, hide_leaks, "thorough", again)
    said = failed(checked)["judged again"]

    assert found >= 5, "too few to tell"
    assert f"{found} against 0 differ, one-sided p = {exact(found, 0):.2g};" in said
    assert f"finds a leak in {found / 6:.1%} and the submitter's judge in 0.0%" in said
    assert "(seed 1)" in said


def test_a_stricter_judge_of_the_submitters_is_no_fault(llm: Made, server: ModelServer) -> None:
    server.set("grader", default="blind")
    again = Rejudging(100, GRADER, seed=1)

    checked = llm.checked(rejudging=again)

    assert checked.verified
    (said,) = (it.said for it in checked.checks if it.name == "judged again")
    assert f"0 against {leaks(llm)} differ, one-sided p = 1" in said


def test_a_failure_of_the_judge_agrees_with_nobody(llm: Made, server: ModelServer) -> None:
    server.set("grader", script=["ok", "prose", "prose"], default="ok")
    again = Rejudging(100, GRADER, seed=1, connections=1)

    checked = llm.checked(rejudging=again)

    assert checked.verified
    (said,) = (it.said for it in checked.checks if it.name == "judged again")
    assert "of 5 records drawn at random (seed 1, 1 unscored)" in said


def test_a_judge_that_always_fails_has_shown_nothing(llm: Made, server: ModelServer) -> None:
    server.set("grader", default="prose")

    checked = llm.checked(rejudging=Rejudging(100, GRADER, seed=1))

    assert not checked.verified
    said = failed(checked)["judged again"]
    assert "gave no verdict on any of 6 records (seed 1)" in said


@pytest.mark.parametrize("stricter", range(7))
@pytest.mark.parametrize("easier", [0, 1, 3])
def test_p_is_that_of_an_exact_test(stricter: int, easier: int) -> None:
    """Against binomial coefficients, counted here."""
    again = Rejudging(100, LEXICAL, seed=1)
    pairs = [(False, True)] * stricter + [(True, False)] * easier + [(True, True)] * 2

    result = again._compared([_record(there) for there, _ in pairs], [_said(it) for _, it in pairs])

    assert (result.stricter, result.easier, result.both) == (stricter, easier, 2)
    assert result.p == pytest.approx(exact(stricter, easier))
    assert result.failed == (exact(stricter, easier) < 0.05)
    assert (result.items, result.items_differ) == (2 * len(pairs), stricter + easier)


def test_records_without_a_verdict_count_nowhere() -> None:
    again = Rejudging(100, LEXICAL, seed=1)

    result = again._compared([_record(False)] * 9, [_said(True)] * 4 + [None] * 5)

    assert (result.drawn, result.unscored, result.stricter, result.items) == (9, 5, 4, 8)
    assert result.p == pytest.approx(1 / 16)
    nothing = again._compared([_record(False)] * 2, [None, None])
    assert nothing.p is None
    assert nothing.nothing
    assert not nothing.failed


def _record(leaks: bool) -> Record:
    def verdict(item: str, norm: str, disclosed: bool) -> dict[str, Any]:
        return {
            "recipient": "recipient",
            "item": item,
            "norm": norm,
            "disclosed": disclosed,
            "quote": "x" if disclosed else None,
            "reasoning": "",
        }

    return Record.model_validate(
        {
            "run": "r",
            "id": "i",
            "epoch": 1,
            "asked": "0" * 12,
            "seal": "0" * 64,
            "verdicts": [verdict("debt", "withhold", leaks), verdict("time", "share", True)],
        }
    )


def _said(leaks: bool) -> dict[tuple[str | None, str], bool]:
    return {("recipient", "debt"): leaks, ("recipient", "time"): True}


def drawn(made: Made, size: int, seed: int) -> list[tuple[str, int]]:
    """What is judged again."""
    seen: list[tuple[str, int]] = []

    class Watching(Rejudging):
        def _compared(self, drawn: Any, answers: Any) -> Any:
            seen.extend((it.id, it.epoch) for it in drawn)
            return super()._compared(drawn, answers)

    made.checked(rejudging=Watching(size, LEXICAL, seed=seed))
    return seen


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
    assert "gave no verdict on any of 0 records" in failed(checked)["judged again"]
    assert server.stats("grader")["calls"] == 0


def test_outputs_that_are_not_published_cannot_be_judged_again(
    llm: Made, server: ModelServer, tmp_path: Path
) -> None:
    folder = submitted(llm.log, tmp_path / "submission", llm.given, publish=False)

    plain = llm.checked(folder)
    assert plain.verified
    unchecked = {it.name for it in plain.checks if it.outcome == "not checked"}
    assert unchecked == {"replies", "quotes", "judge card"}

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
    assert "0 of " in said.rpartition(";")[2]
