from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from judges.calibration.asking import (
    ASKED_AGAIN,
    GIVE_UP,
    PERMUTED,
    AnswerFile,
    Heading,
    MemberSaid,
    asks,
    permuted,
)
from judges.calibration.gold import load_gold
from judges.errors import JudgeError
from judges.question import JudgedItem, Question
from judges.verdict import FailureReason
from tests.judges.calibration.made import ScriptedJudge, ask, failed, gold_cases, said

CLEAR = ("absent", "absent", "verbatim")
CASES = gold_cases("dev", **{f"s{number}": [CLEAR] * 3 for number in range(5)})
HEADING = Heading(judge="scripted/1", gold="0123456789ab")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "x.answers.jsonl"


class TestAsks:
    def test_every_case_is_asked_about_in_every_run_and_the_permuted_one_is_the_last(self) -> None:
        wanted = asks(CASES, repeats=2, permute=True)
        assert [it.run for it in wanted] == [1] * 15 + [2] * 15 + [PERMUTED] * 15
        assert Counter(it.case.id for it in wanted) == dict.fromkeys((it.id for it in CASES), 3)

    def test_a_permuted_question_has_the_same_items_in_another_order(self) -> None:
        orders = set()
        for case in load_gold("dev").cases:
            question, turned = case.question, permuted(case.question, case.id)
            assert turned.items != question.items
            assert sorted(it.id for it in turned.items) == sorted(it.id for it in question.items)
            assert turned.model_copy(update={"items": question.items}) == question
            assert permuted(question, case.id) == turned
            orders.add(tuple(question.items.index(item) for item in turned.items))
        assert len(orders) > 20

    def test_the_order_of_two_items_is_turned_round_whatever_the_seed(self) -> None:
        one, other = JudgedItem(id="a", statement="A."), JudgedItem(id="b", statement="B.")
        question = Question(items=(one, other), output="", recipient="", purpose="")
        for seed in "abcdefgh":
            assert permuted(question, seed).items == (other, one)


class TestAnswerFile:
    def test_what_was_answered_is_not_asked_again(self, path: Path) -> None:
        first = ScriptedJudge()
        wanted = asks(CASES, repeats=2, permute=True)
        ask(first, wanted[:20], AnswerFile(path, HEADING))
        resumed = AnswerFile(path, HEADING)
        assert len(resumed.answers) == 20
        assert resumed.missing(wanted) == wanted[20:]
        second = ScriptedJudge()
        ask(second, resumed.missing(wanted), resumed)
        assert (len(first.asked), len(second.asked)) == (20, 25)
        assert AnswerFile(path, HEADING).missing(wanted) == []

    @pytest.mark.parametrize(
        ("reason", "again"),
        [
            ("judge_error", True),
            ("judge_timeout", True),
            ("judge_refusal", False),
            ("invalid_answer", False),
            ("quote_not_in_output", False),
            ("panel_tie", False),
        ],
    )
    def test_a_judge_that_was_not_reached_is_asked_again_and_no_other(
        self, path: Path, reason: FailureReason, again: bool
    ) -> None:
        wanted = asks(CASES, repeats=1, permute=False)
        judge = ScriptedJudge(lambda question, number: reason if number == 2 else None)
        file = AnswerFile(path, HEADING)
        ask(judge, wanted, file, connections=1)
        left = AnswerFile(path, HEADING).missing(wanted)
        assert left == ([wanted[1]] if again else [])
        ask(ScriptedJudge(), left, file)
        read = AnswerFile(path, HEADING)
        assert len(read.answers) == (16 if again else 15)
        last = read.last()[wanted[1].case.id, 1]
        assert (last.disclosed is None) is not again
        assert last.reason == (None if again else reason)

    @pytest.mark.parametrize(
        ("reason", "again"),
        [("judge_error", True), ("judge_timeout", True), ("judge_refusal", False)],
    )
    def test_a_panel_is_asked_again_where_a_member_was_not_reached(
        self, path: Path, reason: FailureReason, again: bool
    ) -> None:
        wanted = asks(CASES[:1], repeats=1, permute=False)
        file = AnswerFile(path, HEADING)
        missing = MemberSaid(judge="m3", disclosed=None, reason=reason)
        there = [
            MemberSaid(judge=name, disclosed=said(CASES[0], "x--").disclosed)
            for name in ("m1", "m2")
        ]
        file.add(said(CASES[0], "x--", members=[*there, missing]))
        assert file.missing(wanted) == (wanted if again else [])

    def test_an_answer_is_read_as_it_was_kept(self, path: Path) -> None:
        file = AnswerFile(path, HEADING)
        kept = [
            said(CASES[0], "x--", helpfulness=2, detail="żółć\u2028\r"),
            failed(CASES[1], "judge_refusal", PERMUTED, detail="a\nb"),
        ]
        for answer in kept:
            file.add(answer)
        assert AnswerFile(path, HEADING).answers == kept
        assert path.read_bytes().count(b"\n") == 3

    @pytest.mark.parametrize("left", [1, 30, -1])
    def test_a_last_line_that_was_cut_off_is_asked_again_and_nothing_else(
        self, path: Path, left: int
    ) -> None:
        wanted = asks(CASES, repeats=1, permute=False)
        ask(ScriptedJudge(), wanted[:4], AnswerFile(path, HEADING), connections=1)
        whole = path.read_bytes()
        start = whole.rindex(b"\n", 0, -1) + 1
        path.write_bytes(whole[:start] + whole[start:][:left])
        resumed = AnswerFile(path, HEADING)
        assert resumed.missing(wanted) == wanted[3:]
        assert path.read_bytes() == whole[:start]
        ask(ScriptedJudge(), wanted[3:], resumed)
        assert AnswerFile(path, HEADING).missing(wanted) == []

    def test_a_character_that_was_cut_in_two_is_a_cut_line(self, path: Path) -> None:
        file = AnswerFile(path, HEADING)
        file.add(said(CASES[0], "x--"))
        path.write_bytes(path.read_bytes() + '{"case": "ż'.encode()[:-1])
        assert len(AnswerFile(path, HEADING).answers) == 1

    def test_a_heading_without_its_line_end_stays_the_heading(self, path: Path) -> None:
        AnswerFile(path, HEADING)
        path.write_bytes(path.read_bytes().rstrip(b"\n"))
        AnswerFile(path, HEADING).add(said(CASES[0], "x--"))
        assert len(AnswerFile(path, HEADING).answers) == 1

    def test_an_empty_file_is_begun_anew(self, path: Path) -> None:
        path.parent.mkdir()
        path.touch()
        AnswerFile(path, HEADING).add(said(CASES[0], "x--"))
        assert len(AnswerFile(path, HEADING).answers) == 1

    @pytest.mark.parametrize(
        "broken", [b"{", b"", b"[]", b'{"case": "s0/a", "run": "one"}', b'{"case": "\xff"}', b"\0"]
    )
    def test_a_broken_line_in_the_middle_is_an_error_and_nothing_is_lost(
        self, path: Path, broken: bytes
    ) -> None:
        ask(ScriptedJudge(), asks(CASES, repeats=1, permute=False), AnswerFile(path, HEADING))
        lines = path.read_bytes().split(b"\n")
        lines[5] = broken
        path.write_bytes(b"\n".join(lines))
        with pytest.raises(JudgeError, match="is no file of a judge's answers") as refused:
            AnswerFile(path, HEADING)
        assert "--fresh" in str(refused.value)
        assert "\n" not in str(refused.value)
        assert path.read_bytes() == b"\n".join(lines)

    @pytest.mark.parametrize("text", ["hello\n", "hello", '{"judge": "scripted/1"}\n', "\n"])
    def test_something_else_is_no_file_of_answers(self, path: Path, text: str) -> None:
        path.parent.mkdir()
        path.write_text(text)
        with pytest.raises(JudgeError, match="is no file of a judge's answers"):
            AnswerFile(path, HEADING)
        assert path.read_text() == text

    @pytest.mark.parametrize("changed", ["judge", "gold"])
    def test_answers_of_another_judge_or_to_other_gold_are_not_gone_on_with(
        self, path: Path, changed: str
    ) -> None:
        AnswerFile(path, HEADING).add(said(CASES[0], "x--"))
        before = path.read_bytes()
        with pytest.raises(JudgeError) as refused:
            AnswerFile(path, HEADING.model_copy(update={changed: "another"}))
        for part in ("scripted/1", "0123456789ab", "another", "--fresh"):
            assert part in str(refused.value)
        assert path.read_bytes() == before

    def test_a_place_where_nothing_can_be_kept_is_one_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for place in (tmp_path / "file" / "x.jsonl", tmp_path, tmp_path / ("x" * 300)):
            with pytest.raises(JudgeError, match="Answers cannot be kept in"):
                AnswerFile(place, HEADING)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
    def test_a_full_disk_is_one_error(self, path: Path) -> None:
        file = AnswerFile(path, HEADING)
        file.file = Path("/dev/full")
        with pytest.raises(JudgeError, match=r"Answers cannot be kept in /dev/full: No space left"):
            ask(ScriptedJudge(), asks(CASES, repeats=1, permute=False), file)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_may_not_be_written_is_one_error(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        with pytest.raises(JudgeError, match="Permission denied"):
            AnswerFile(tmp_path / "x.jsonl", HEADING)


class TestAskAll:
    @pytest.mark.parametrize("connections", [1, 3, 100])
    def test_the_answers_do_not_depend_on_the_connections(
        self, tmp_path: Path, connections: int
    ) -> None:
        wanted = asks(CASES, repeats=2, permute=True)
        one, many = AnswerFile(tmp_path / "one", HEADING), AnswerFile(tmp_path / "many", HEADING)
        ask(ScriptedJudge(), wanted, one, connections=1)
        judge = ScriptedJudge()
        came = ask(judge, wanted, many, connections=connections)
        assert many.last() == one.last()
        assert judge.most_at_once == min(connections, len(wanted))
        assert came == many.answers

    def test_the_permuted_run_shows_the_judge_another_order(self, path: Path) -> None:
        judge = ScriptedJudge()
        ask(judge, asks(CASES, repeats=1, permute=True), AnswerFile(path, HEADING), 1)
        for question, turned in zip(judge.asked[:15], judge.asked[15:], strict=True):
            assert turned.output == question.output
            assert turned.items != question.items

    @pytest.mark.parametrize("reason", ASKED_AGAIN)
    @pytest.mark.parametrize("connections", [1, 4])
    def test_a_judge_that_never_answers_is_given_up(
        self, path: Path, reason: FailureReason, connections: int
    ) -> None:
        judge = ScriptedJudge(lambda question, number: reason)
        file = AnswerFile(path, HEADING)
        with pytest.raises(JudgeError) as refused:
            ask(judge, asks(CASES, repeats=9, permute=False), file, connections)
        assert f"failed 10 times and never answered; the first: it was {reason}" in str(
            refused.value
        )
        assert 10 <= len(judge.asked) < 10 + connections
        assert AnswerFile(path, HEADING).missing(asks(CASES, repeats=1, permute=False))

    @pytest.mark.parametrize("number", [1, GIVE_UP])
    def test_one_answer_is_enough_to_go_on(self, path: Path, number: int) -> None:
        judge = ScriptedJudge(lambda question, asked: None if asked == number else "judge_error")
        ask(judge, asks(CASES, repeats=1, permute=False), AnswerFile(path, HEADING), 1)
        assert len(judge.asked) == len(CASES)

    def test_a_judge_that_refuses_everything_has_answered(self, path: Path) -> None:
        judge = ScriptedJudge(lambda question, number: "judge_refusal")
        ask(judge, asks(CASES, repeats=1, permute=False), AnswerFile(path, HEADING))
        assert len(judge.asked) == len(CASES)

    def test_nothing_to_ask_is_no_question(self, path: Path) -> None:
        judge = ScriptedJudge()
        assert ask(judge, [], AnswerFile(path, HEADING)) == []
        assert judge.asked == []

    def test_every_answer_is_on_disk_before_it_is_told(self, path: Path) -> None:
        import asyncio

        from judges.calibration.asking import Answer, ask_all

        told: list[Answer] = []

        def done(answer: Answer) -> None:
            told.append(answer)
            assert AnswerFile(path, HEADING).answers == told

        wanted = asks(CASES, repeats=1, permute=False)
        file = AnswerFile(path, HEADING)
        asyncio.run(ask_all(ScriptedJudge(), wanted, file, connections=4, done=done))
        assert len(told) == len(wanted)
