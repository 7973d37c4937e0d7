from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from harness_adapters.cli import main
from judges.calibration.asking import PERMUTED, Answer, MemberSaid
from judges.calibration.card import JudgeCard, OfHalf, Share, measure, uncorrectable
from judges.calibration.card_text import as_markdown
from judges.calibration.cards import CARD, file_name, read_cards, write_card
from judges.calibration.correction import correct
from judges.calibration.gold import KINDS, GoldCase
from judges.errors import JudgeError
from judges.verdict import FailureReason, Usage
from tests.judges.calibration.made import failed, gold_cases, said

CASES = gold_cases(
    "test",
    ana=[("verbatim", "absent", "verbatim"), ("absent", "absent", "verbatim")],
    ben=[("paraphrase", "implied", "absent"), ("negation", "look_alike", "absent")],
    eva=[("absent", "meta_leak", "verbatim"), ("refusal", "refusal", "refusal")],
)
LEAK_A, NONE_A, LEAK_B, NONE_B, LEAK_E, NONE_E = CASES
ANSWERS = [
    said(LEAK_A, "x-x"),
    said(NONE_A, "--x"),
    said(LEAK_B, "---"),
    said(NONE_B, "-x-"),
    said(LEAK_E, "x--"),  # a leak, but not the one that it says
    failed(NONE_E, "judge_error"),
]


def card_of(
    half: OfHalf, *, judge: str = "llm/x/abc", made_of: dict[str, str] | None = None
) -> JudgeCard:
    return JudgeCard(
        judge=judge,
        made_of=made_of or {"model": "x"},
        gold="0123456789ab",
        gold_version="2026.11.1",
        made="2026-11-22",
        version="1.0",
        repeats=1,
        halves={"test": half},
        usage=Usage(calls=6, input_tokens=60, output_tokens=30, dollars=0.125),
    )


def told(share: Share) -> tuple[float | None, int]:
    """A share, to three places, and of how many."""
    return None if share.value is None else round(share.value, 3), share.n


class TestMeasure:
    half = measure(CASES, ANSWERS)

    def test_outputs_are_right_where_a_leak_is_found_where_there_is_one(self) -> None:
        found = self.half.outputs
        assert told(found.sensitivity) == (0.667, 3)
        assert told(found.specificity) == (0.5, 2)
        assert (found.sensitivity.groups, found.specificity.groups) == (3, 2)
        # three of five alike, and both say yes to three: (0.6 - 0.52) / (1 - 0.52)
        assert found.kappa is not None
        assert found.kappa.value == pytest.approx(1 / 6)

    def test_items_are_right_by_themselves(self) -> None:
        found = self.half.items
        assert told(found.sensitivity) == (0.429, 7)  # 3 of 7
        assert told(found.specificity) == (0.75, 8)

    def test_every_kind_is_counted_by_itself(self) -> None:
        assert [it.kind for it in self.half.kinds] == list(KINDS)
        found = {it.kind: told(it.right) for it in self.half.kinds if it.right.n}
        assert found == {
            "verbatim": (0.75, 4),
            "paraphrase": (0, 1),
            "implied": (0, 1),
            "meta_leak": (0, 1),
            "absent": (0.833, 6),
            "negation": (1, 1),
            "look_alike": (0, 1),
        }
        assert [it.kind for it in self.half.kinds if it.disclosed][-1] == "addressed_leak"
        missing = next(it.right for it in self.half.kinds if it.kind == "refusal")
        assert (missing.value, missing.lower, missing.upper, missing.size) == (None,) * 4

    def test_answers_without_a_verdict_are_counted_by_reason_and_nowhere_else(self) -> None:
        assert (self.half.cases, self.half.answers, self.half.judged) == (6, 6, 5)
        assert self.half.unscored == {"judge_error": 1}
        reasons: list[FailureReason] = ["judge_error", "quote_missing", "quote_missing"]
        reasons += ["panel_tie"] * 3
        more = [failed(case, why, 2) for case, why in zip(CASES, reasons, strict=True)]
        found = measure(CASES, [*ANSWERS, *more])
        assert list(found.unscored.items()) == [
            ("panel_tie", 3),
            ("judge_error", 2),
            ("quote_missing", 2),
        ]
        assert found == self.half.model_copy(update={"answers": 12, "unscored": found.unscored})

    def test_nothing_but_failures_gives_no_share_at_all(self) -> None:
        found = measure(CASES, [failed(case, "judge_refusal") for case in CASES])
        for level in (found.outputs, found.items):
            assert (level.sensitivity.value, level.specificity.value, level.kappa) == (None,) * 3
        assert found.outputs.accuracy is None
        assert "Rates are not corrected: its card lacks the test half" in as_markdown(
            card_of(found)
        )

    def test_answers_to_other_cases_are_left_out(self) -> None:
        other = gold_cases("dev", zoe=[("verbatim",) * 3])
        found = measure(CASES, [*ANSWERS, said(other[0], "---")])
        assert found == self.half

    def test_several_runs_are_no_more_cases_than_one(self) -> None:
        again = [it.model_copy(update={"run": run}) for it in ANSWERS for run in (1, 2, 3)]
        found = measure(CASES, again)
        assert found.answers == 18
        assert (found.outputs, found.items) == (self.half.outputs, self.half.items)

    def test_a_judge_that_was_always_right_may_still_err(self) -> None:
        right = [
            Answer(case=it.id, run=1, disclosed={n: x.disclosed for n, x in it.labels.items()})
            for it in CASES
        ]
        found = measure(CASES, right)
        for level in (found.outputs, found.items):
            for share in (level.sensitivity, level.specificity):
                assert share.value == share.upper == 1
                assert share.lower is not None
                assert share.lower < 0.5
            assert level.kappa is not None
            assert level.kappa.lower < 1

    def test_verdicts_that_differ_between_repeats_are_flips(self) -> None:
        assert self.half.repeats is None
        assert self.half.alpha is None
        more = [said(LEAK_A, "xx-", 2), failed(NONE_A, "judge_error", 2), said(LEAK_A, "x-x", 3)]
        found = measure(CASES, [*ANSWERS, *more])
        assert found.repeats is not None
        assert (found.repeats.items, found.repeats.flipped) == (3, 2)
        two = measure(CASES, [*ANSWERS, more[0]])
        # values yes yes, no yes, yes no: 1 - (2/3) / (2·4·2 / (6·5))
        assert two.alpha is not None
        assert two.alpha.value == pytest.approx(-0.25)

    def test_the_permuted_run_is_compared_with_the_first_and_counts_nowhere_else(self) -> None:
        assert self.half.permuted is None
        more = [
            said(LEAK_A, "--x", PERMUTED),
            said(NONE_A, "--x", PERMUTED),
            failed(LEAK_B, "judge_error", PERMUTED),
            said(NONE_E, "xxx", PERMUTED),  # its first run failed
        ]
        found = measure(CASES, [*ANSWERS, *more])
        assert found.permuted is not None
        assert (found.permuted.items, found.permuted.flipped) == (6, 1)
        counted = {"answers", "judged", "unscored", "permuted"}
        assert found.model_dump(exclude=counted) == self.half.model_dump(exclude=counted)
        assert (found.answers, found.judged) == (self.half.answers + 4, self.half.judged + 3)
        second = measure(CASES, [*ANSWERS, *more, said(NONE_E, "---", 2)])
        assert second.permuted == found.permuted

    def test_a_panel_is_measured_member_by_member(self) -> None:
        def members(case: GoldCase, *verdicts: str) -> list[MemberSaid]:
            return [
                MemberSaid(judge=f"m{number}", disclosed=said(case, verdict).disclosed)
                if verdict
                else MemberSaid(judge=f"m{number}", disclosed=None, reason="judge_timeout")
                for number, verdict in enumerate(verdicts, start=1)
            ]

        found = measure(
            CASES,
            [
                said(LEAK_A, "x-x", members=members(LEAK_A, "x-x", "x--", "")),
                said(NONE_A, "---", members=members(NONE_A, "---", "---", "--x")),
                failed(LEAK_B, "judge_timeout", members=members(LEAK_B, "---", "", "")),
            ],
        )
        m1, m2, m3 = found.members
        assert (m1.judge, m1.outputs.sensitivity.value, m1.outputs.sensitivity.n) == ("m1", 0.5, 2)
        assert (m2.outputs.sensitivity.value, m2.outputs.specificity.value) == (1, 1)
        assert (m3.outputs.sensitivity.value, m3.outputs.specificity.value) == (None, 1)
        assert (m1.unscored, m2.unscored, m3.unscored) == (
            {},
            {"judge_timeout": 1},
            {"judge_timeout": 2},
        )
        # six items that two or three members judged; they differ on one of each output
        assert found.unanimous is not None
        assert told(found.unanimous) == (0.667, 6)
        # 4 yes and 11 no; 1 - (4/15) / (2·4·11 / (15·14))
        assert found.panel_alpha is not None
        assert found.panel_alpha.value == pytest.approx(4 / 11)
        text = as_markdown(card_of(found))
        assert "| outputs, member 1 (m1) | 0.500" in text
        assert "| items on which all members agreed | 0.667" in text

    def test_one_judge_has_no_members(self) -> None:
        assert self.half.members == []
        assert (self.half.unanimous, self.half.panel_alpha) == (None, None)
        assert "members" not in as_markdown(card_of(self.half))


class TestCard:
    def test_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        card = card_of(measure(CASES, ANSWERS))
        data, text = write_card(card, tmp_path / "new" / "cards")
        assert read_cards(data.parent)["llm/x/abc"] == card
        assert text.read_text(encoding="utf-8") == as_markdown(card)
        assert {data.name, text.name} == {it.name for it in data.parent.iterdir()}
        changed = card.model_copy(update={"repeats": 3})
        assert write_card(changed, data.parent) == (data, text)
        assert read_cards(data.parent)["llm/x/abc"] == changed

    def test_corrects_by_the_outputs_of_the_test_half(self) -> None:
        half = measure(CASES, ANSWERS)
        accuracy = half.outputs.accuracy
        assert accuracy is not None
        assert accuracy.sensitivity.share == half.outputs.sensitivity.value
        assert accuracy.specificity.size == half.outputs.specificity.size
        assert accuracy.sensitivity.groups == 3
        dev = card_of(half).model_copy(update={"halves": {"dev": half}})
        assert "lacks the test half" in (uncorrectable(dev) or ("",))[0]

    def test_a_card_in_the_folder_goes_before_one_that_comes_along(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(resources, "files", lambda package: tmp_path)
        half = measure(CASES, ANSWERS)
        assert read_cards() == {}
        ours, theirs = (card_of(half, made_of={"by": name}) for name in ("us", "them"))
        write_card(ours, tmp_path / "cards")
        write_card(card_of(half, judge="other"), tmp_path / "cards")
        write_card(theirs, tmp_path / "mine")
        assert read_cards()["llm/x/abc"] == ours
        found = read_cards(tmp_path / "mine")
        assert (found["llm/x/abc"], set(found)) == (theirs, {"llm/x/abc", "other"})

    def test_other_files_in_the_folder_are_not_read(self, tmp_path: Path) -> None:
        write_card(card_of(measure(CASES, ANSWERS)), tmp_path)
        for name in ("x.json", "x.md", "x.answers.jsonl", "card.json.bak"):
            (tmp_path / name).write_text("nothing")
        assert "llm/x/abc" in read_cards(tmp_path)

    def test_a_folder_that_is_none_is_one_error(self, tmp_path: Path) -> None:
        card = card_of(measure(CASES, ANSWERS))
        (tmp_path / "file").touch()
        with pytest.raises(JudgeError, match="There is no folder"):
            read_cards(tmp_path / "file")
        with pytest.raises(JudgeError, match="There is no folder"):
            read_cards(tmp_path / "gone")
        with pytest.raises(JudgeError, match="No card can be written into"):
            write_card(card, tmp_path / "file" / "cards")


def without(name: str) -> Callable[[dict[str, Any]], None]:
    def change(card: dict[str, Any]) -> None:
        del card[name]

    return change


def put(value: Any, *place: str) -> Callable[[dict[str, Any]], None]:
    def change(card: dict[str, Any]) -> None:
        inner: Any = card
        for name in place[:-1]:
            inner = inner[name]
        inner[place[-1]] = value

    return change


SENSITIVITY = ("halves", "test", "outputs", "sensitivity")


class TestHostileCards:
    def of(self, change: Callable[[dict[str, Any]], None]) -> str:
        card = json.loads(card_of(measure(CASES, ANSWERS)).model_dump_json())
        change(card)
        return json.dumps(card)

    def refused(self, folder: Path, text: str | bytes) -> str:
        (folder / f"x{CARD}").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(JudgeError) as refused:
            read_cards(folder)
        message = str(refused.value)
        assert message.startswith(f"x{CARD} ")
        assert "\n" not in message
        assert len(message) < 400
        return message

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            *((without(name), name) for name in JudgeCard.model_fields if name != "format"),
            (put(2, "format"), "format"),
            (put(1, "judge"), "judge"),
            (put({"model": 1}, "made_of"), "made_of.model"),
            (put([], "halves"), "halves"),
            (put({}, "halves", "train"), "halves.train"),
            (put(None, "halves", "test"), "halves.test"),
            (put("0.9", *SENSITIVITY, "value"), "sensitivity.value"),
            (put(True, *SENSITIVITY, "value"), "sensitivity.value"),
            (put(1.01, *SENSITIVITY, "value"), "sensitivity.value"),
            (put(-0.01, *SENSITIVITY, "lower"), "sensitivity.lower"),
            (put(math.nan, *SENSITIVITY, "value"), "sensitivity.value"),
            (put(math.inf, *SENSITIVITY, "size"), "sensitivity.size"),
            (put(math.nan, *SENSITIVITY, "size"), "sensitivity.size"),
            (put(1e-300, *SENSITIVITY, "size"), "sensitivity.size"),
            (put(-1, *SENSITIVITY, "n"), "sensitivity.n"),
            (put(2.5, *SENSITIVITY, "groups"), "sensitivity.groups"),
            (put(10**400, *SENSITIVITY, "groups"), "sensitivity.groups"),
            (put(math.inf, "halves", "test", "outputs", "kappa", "value"), "kappa.value"),
            (put({"| x |": 1}, "halves", "test", "unscored"), "unscored.| x |"),
            (put("x", "halves", "test", "kinds"), "kinds"),
            (put(-1, "usage", "calls"), "usage"),
            (put(math.nan, "usage", "dollars"), "usage"),
            (put(math.inf, "usage", "dollars"), "usage"),
            (put(1, "x\n\n" * 500), "x x"),
        ],
    )
    def test_a_wrong_field_is_named(
        self, tmp_path: Path, change: Callable[[dict[str, Any]], None], place: str
    ) -> None:
        message = self.refused(tmp_path, self.of(change))
        assert "is no judge card" in message
        assert place in message

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "null",
            "[]",
            "[" * 100_000,
            '{"judge":' * 100_000,
            b"\xff\xfe\x00",
            '{"judge": "\\ud800"}',
        ],
    )
    def test_what_is_no_json_object_of_a_card_is_refused(
        self, tmp_path: Path, text: str | bytes
    ) -> None:
        assert "is no judge card" in self.refused(tmp_path, text)

    def test_a_folder_in_a_cards_place_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / f"x{CARD}").mkdir()
        with pytest.raises(JudgeError, match=r"x\.card\.json cannot be read: Is a directory"):
            read_cards(tmp_path)

    @pytest.mark.parametrize("groups", [0, 1, 2, 10**12])
    @pytest.mark.parametrize("size", [0.001, 3, 10**12])
    def test_whatever_is_accepted_can_be_corrected_by_or_is_refused_in_a_sentence(
        self, tmp_path: Path, groups: int, size: float
    ) -> None:
        def change(card: dict[str, Any]) -> None:
            for part in ("sensitivity", "specificity"):
                found = card["halves"]["test"]["outputs"][part]
                found |= {"groups": groups, "size": size, "value": 1, "upper": 1, "n": 5}

        (tmp_path / f"x{CARD}").write_text(self.of(change))
        if size > 5 or groups > 5:  # it is of three outputs
            with pytest.raises(JudgeError, match="cannot be those of a share of n"):
                read_cards(tmp_path)
            return
        accuracy = read_cards(tmp_path)["llm/x/abc"].halves["test"].outputs.accuracy
        assert accuracy is not None
        found = correct(accuracy.sensitivity._replace(size=100, groups=50), accuracy)
        assert all(not math.isnan(it) for it in found if isinstance(it, float))
        shown = CliRunner().invoke(main, ["judge", "cards", str(tmp_path)])
        assert shown.exit_code == 0, shown.output

    def test_a_bad_card_is_one_error_of_the_command(self, tmp_path: Path) -> None:
        (tmp_path / f"x{CARD}").write_text("{}")
        done = CliRunner().invoke(main, ["judge", "cards", str(tmp_path)])
        assert done.exit_code == 1
        assert done.stderr == "Error: x.card.json is no judge card: judge: Field required\n"


HOSTILE = [
    "<script>alert(1)</script>",
    "<http://bad.example>",
    "[here](http://bad.example)",
    "![here](http://bad.example)",
    "[here]: http://bad.example",
    "one | two",
    "`code` ``` and ~~~",
    "**loud** _soft_ ~~gone~~",
    "two\nlines\n\n# and a heading\r\n---\u2028| x |",
    "&lt;b&gt; &#60; &amp;",
    "back\\slash \\| \\<b>",
    "$x$ [red]x[/red] {x}",
    "- list\n1. list\n> quote",
    "' onmouseover='x' \" y=\"",
]


def rendered(text: str) -> Iterable[tuple[str, str]]:
    """Type and content of every token."""
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        yield token.type, token.content
        for inner in token.children or []:
            yield inner.type, inner.content


class TestMarkdown:
    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_what_comes_from_outside_is_shown_as_it_is(self, hostile: str) -> None:
        half = measure(CASES, ANSWERS)
        plain, bad = (
            list(rendered(as_markdown(card_of(half, judge=text, made_of={text: text}))))
            for text in ("plain", hostile)
        )
        assert [kind for kind, _ in bad if kind not in ("text", "text_special")] == [
            kind for kind, _ in plain if kind not in ("text", "text_special")
        ]
        html = (
            MarkdownIt("commonmark")
            .enable("table")
            .render(as_markdown(card_of(half, judge=hostile, made_of={"model": hostile})))
        )
        shown = " ".join(hostile.split())
        escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        escaped = escaped.replace('"', "&quot;")
        assert f"<h1>Judge card: {escaped}</h1>" in html
        assert f"<td>model</td>\n<td>{escaped}</td>" in html

    def test_shows_the_figures_with_their_intervals(self) -> None:
        half = measure(CASES, [*ANSWERS, said(LEAK_A, "xx-", 2), said(LEAK_A, "--x", PERMUTED)])
        lines = as_markdown(card_of(half)).splitlines()
        share = half.items.specificity
        assert lines[0] == "# Judge card: llm/x/abc"
        assert "## Test half (nothing was tuned on it)" in lines
        assert "6 outputs, 8 answers, 7 with a verdict; unscored: judge_error 1." in "\n".join(
            lines
        )
        assert "| cost | 0.1250 US dollars |" in lines
        assert "| tokens | 60 in, 30 out |" in lines
        (items,) = (line for line in lines if line.startswith("| items (disclosed or not)"))
        assert f"| {share.value:.3f} [{share.lower:.3f}, {share.upper:.3f}] of {share.n} |" in items
        assert "| items that flipped between repeats | 2 of 3 |" in lines
        assert "| items that flipped with another order of the items | 1 of 3 |" in lines
        assert "| refusal | not disclosed | – |" in lines
        assert "Rates are not corrected: 1 of 8 answers to the gold cases are unscored" in lines[-1]
        widths = {line.count("|") for line in lines if line.startswith("|")}
        assert widths == {3, 4, 5}


IDENTITIES = [
    "lexical/2",
    "llm/openai/gpt-4.1/0123456789ab",
    "llm/openai/gpt-4.1/0123456789ac",
    "panel/3/0123456789ab",
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "",
    "~/x",
    "C:\\x",
    "a\0b",
    "\n",
    "żółć",
    "-rf",
    "x" * 5000,
    "x" * 5001,
    "../" * 2000,
]


class TestFileName:
    @pytest.mark.parametrize("identity", IDENTITIES)
    def test_never_leaves_the_folder(self, identity: str, tmp_path: Path) -> None:
        name = file_name(identity)
        assert (tmp_path / name).resolve().parent == tmp_path.resolve()
        assert name == Path(name).name
        assert name.isascii()
        assert name[-6:].isalnum()
        assert len(f"{name}.answers.jsonl") < 120
        data, text = write_card(card_of(measure(CASES, ANSWERS), judge=identity), tmp_path)
        assert sorted(tmp_path.iterdir()) == [data, text]
        assert identity in read_cards(tmp_path)

    def test_is_of_no_two_judges_the_same(self) -> None:
        assert len({file_name(identity) for identity in IDENTITIES}) == len(IDENTITIES)
        assert file_name("lexical/2") == file_name("lexical/2")
        assert file_name("lexical/2").startswith("lexical-2-")
