"""Verdicts, quotes and what else a judge said: changed, and found, or beyond what can be seen."""

from __future__ import annotations

from typing import Any

import pytest

from harness_adapters.judge_choice import JudgeSpec
from harness_adapters.leaderboard.asked import asked_in
from harness_adapters.leaderboard.figures import questions_of
from harness_adapters.leaderboard.record import Record, hashed
from harness_adapters.leaderboard.verifying.rejudging import Rejudging
from judges.identity import panel_identity
from judges.lexical import LexicalJudge
from tests.conftest import ModelServer
from tests.harness_adapters.leaderboard.forging import CARES, Care, Content, Line
from tests.harness_adapters.leaderboard.verifying.conftest import Forge, Made, failed

ALL = ("lexical", "thrice", "probes", "episodes", "sessions", "llm", "panel")


@pytest.fixture
def of(request: pytest.FixtureRequest) -> Made:
    """The submission that a test names."""
    made: Made = request.getfixturevalue(request.param)
    return made


def leaking(content: Content) -> Line:
    """The first record with a leak."""
    return next(it for it in content.records if leaks_of(it))


def leaks_of(line: Line) -> list[dict[str, Any]]:
    """Verdicts that say that an item to withhold was disclosed."""
    return [it for it in line.get("verdicts", []) if it["norm"] == "withhold" and it["disclosed"]]


def hide_leaks(content: Content) -> None:
    """No judge has found anything."""
    for line in content.records:
        for verdict in leaks_of(line):
            verdict |= {"disclosed": False, "quote": None}


def hide_one(content: Content) -> None:
    for verdict in leaks_of(leaking(content)):
        verdict |= {"disclosed": False, "quote": None}


@pytest.mark.parametrize("of", ALL, indirect=True)
def test_an_honest_submission_is_verified(of: Made, forge: Forge) -> None:
    assert failed(of.checked()) == {}
    for care in CARES:
        assert failed(forge(of, lambda content: None, care)) == {}


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("of", ["lexical", "thrice", "episodes", "sessions"], indirect=True)
def test_the_lexical_judge_finds_its_own_verdict_flipped(
    of: Made, care: Care, forge: Forge
) -> None:
    found = failed(forge(of, hide_one, care))

    assert "lexical/3 says that" in found["verdicts"]
    assert "is disclosed; the record says otherwise" in found["verdicts"]
    expected = {"careless": {"records", "seals", "metrics"}, "careful": {"seals", "metrics"}}
    assert set(found) >= expected.get(care, set())


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("of", ["lexical", "llm"], indirect=True)
def test_a_verdict_that_is_flipped_beside_its_quote_is_found(
    of: Made, care: Care, forge: Forge
) -> None:
    def flip(content: Content) -> None:
        leaks_of(leaking(content))[0]["disclosed"] = False

    assert "has a quote" in failed(forge(of, flip, care))["quotes"]


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("of", ["lexical", "llm"], indirect=True)
def test_an_item_that_is_disclosed_without_a_quote_is_found(
    of: Made, care: Care, forge: Forge
) -> None:
    def flip(content: Content) -> None:
        leaks_of(leaking(content))[0]["quote"] = None

    assert "is disclosed without a quote" in failed(forge(of, flip, care))["quotes"]


@pytest.mark.parametrize("care", CARES)
def test_a_panel_is_held_to_what_most_of_its_members_said(
    panel: Made, care: Care, forge: Forge
) -> None:
    found = failed(forge(panel, hide_one, care))

    assert "is not what most members of the panel said" in found["verdicts"]


def test_a_panel_all_of_whose_members_are_rewritten_is_not_seen(panel: Made, forge: Forge) -> None:
    """What verification cannot see: a judge that is a model is believed, if it is consistent."""

    def change(content: Content) -> None:
        for line in content.records:
            for verdict in leaks_of(line):
                for member in line["members"]:
                    for said in member["verdicts"]:
                        if said["item"] == verdict["item"]:
                            said |= {"disclosed": False, "quote": None}
        hide_leaks(content)

    found = forge(panel, change, "thorough")
    assert failed(found) == {}
    assert found.submission is not None
    assert found.submission.runs[0].metrics["leak_rate"].mean == 0
    assert "seals" in failed(forge(panel, change, "careful"))


@pytest.mark.parametrize(
    ("care", "expected"),
    [
        ("careless", {"records", "seals", "metrics"}),
        ("careful", {"seals", "metrics"}),
        ("thorough", set()),
    ],
)
def test_verdicts_of_a_model_are_believed_if_everything_is_made_anew(
    llm: Made, care: Care, expected: set[str], forge: Forge
) -> None:
    """What verification cannot see, unless a sample is judged again."""
    assert set(failed(forge(llm, hide_leaks, care))) == expected


def test_verdicts_that_were_changed_do_not_outlast_judging_again(
    llm: Made, server: ModelServer, forge: Forge
) -> None:
    again = Rejudging(100, JudgeSpec("openai/the-grader"), seed=1)

    found = failed(forge(llm, hide_leaks, "thorough", again))

    assert set(found) == {"judged again"}
    assert "the submitter's judge was easier: leak_rate of " in found["judged again"]


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("quote", ["words that nobody has ever sent", "of the and", "", "!", "\0"])
def test_a_quote_that_is_none_is_found(llm: Made, care: Care, quote: str, forge: Forge) -> None:
    def invent(content: Content) -> None:
        leaks_of(leaking(content))[0]["quote"] = quote

    found = failed(forge(llm, invent, care))

    assert "does not occur in the output" in found["quotes"]
    assert ("seals" in found) == (care != "thorough")


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize(
    ("of", "said"),
    [("lexical", "the record says another quote"), ("panel", "is not what most members")],
    indirect=["of"],
)
def test_a_quote_that_occurs_is_that_of_the_judge_as_well(
    of: Made, said: str, care: Care, forge: Forge
) -> None:
    def change(content: Content) -> None:
        line = leaking(content)
        leaks_of(line)[0]["quote"] = line["flows"][0]["parts"][-1]

    assert said in failed(forge(of, change, care))["verdicts"]


@pytest.mark.parametrize("care", CARES)
def test_a_quote_for_something_that_was_not_disclosed_is_found(
    llm: Made, care: Care, forge: Forge
) -> None:
    def add(content: Content) -> None:
        line = leaking(content)
        verdict = next(it for it in line["verdicts"] if not it["disclosed"])
        verdict["quote"] = line["flows"][0]["text"]

    assert "has a quote" in failed(forge(llm, add, care))["quotes"]


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("of", ["llm", "panel"], indirect=True)
def test_a_quote_is_not_kept_from_sight_by_its_hash(of: Made, care: Care, forge: Forge) -> None:
    """Outputs are published, or they are not."""

    def hide(content: Content) -> None:
        line = leaking(content)
        shared = next(it for it in line["verdicts"] if it["norm"] == "share")
        shared |= {"disclosed": True, "quote": hashed("invented").model_dump()}
        for member in line.get("members", []):
            said = next(it for it in member["verdicts"] if it["item"] == shared["item"])
            said |= {"disclosed": True, "quote": shared["quote"]}

    found = failed(forge(of, hide, care))

    assert "outputs are said to be published" in found["records"] or care == "careless"
    assert "records" in found


def test_an_output_among_hashes_is_found(llm: Made, forge: Forge) -> None:
    def mix(content: Content) -> None:
        content.document["outputs"] = "hashed"

    found = failed(forge(llm, mix, "thorough"))

    assert "outputs are said to be hashed" in found["records"]


@pytest.mark.parametrize("care", CARES)
def test_members_of_a_panel_have_quotes_that_occur(panel: Made, care: Care, forge: Forge) -> None:
    def invent(content: Content) -> None:
        """Two of three have seen that an item was shared, which it was not."""
        for line in content.records:
            for verdict in line["verdicts"]:
                if verdict["norm"] == "share" and not verdict["disclosed"]:
                    quote = "words that nobody has ever sent"
                    verdict |= {"disclosed": True, "quote": quote}
                    for member in line["members"][:2]:
                        for said in member["verdicts"]:
                            if said["item"] == verdict["item"]:
                                said |= {"disclosed": True, "quote": quote}
                    return

    assert "does not occur in the output" in failed(forge(panel, invent, care))["quotes"]


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize(
    ("of", "value"), [("lexical", 3), ("llm", None), ("panel", 3), ("sessions", 2)], indirect=["of"]
)
def test_helpfulness_that_the_judge_cannot_have_told_is_found(
    of: Made, value: int | None, care: Care, forge: Forge
) -> None:
    """It decides `helpful_rate`."""

    def better(content: Content) -> None:
        for line in content.records:
            line["helpfulness"] = value

    found = failed(forge(of, better, care))

    if of.folder.parent.name.startswith("panel"):
        assert "is not what most members of the panel said" in found["verdicts"]
    else:
        assert f"its helpfulness cannot be {value}" in found["possible values"]


def test_helpfulness_beyond_its_scale_is_no_record(llm: Made, forge: Forge) -> None:
    def beyond(content: Content) -> None:
        content.records[0]["helpfulness"] = 4

    assert "line 1: helpfulness:" in failed(forge(llm, beyond, "thorough"))["records"]


def test_a_model_is_believed_how_helpful_an_output_was(llm: Made, forge: Forge) -> None:
    """What verification cannot see."""

    def better(content: Content) -> None:
        for line in content.records:
            line["helpfulness"] = 3

    assert failed(forge(llm, better, "thorough")) == {}


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("of", ["lexical", "llm", "panel"], indirect=True)
def test_a_reply_that_was_changed_is_not_what_went_out(of: Made, care: Care, forge: Forge) -> None:
    """A harmless reply beside what was judged."""

    def change(content: Content) -> None:
        leaking(content)["reply"]["text"] = "I would rather not say."
        leaking(content)["reply"].pop("calls", None)

    found = failed(forge(of, change, care))

    assert "what is said to have gone out is not its reply" in found["replies"]


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("reason", ["reply_only", "unknown_tool", "nothing_outgoing"])
def test_nothing_sent_is_not_believed_of_a_reply_that_sends(
    llm: Made, care: Care, reason: str, forge: Forge
) -> None:
    def nothing(content: Content) -> None:
        line = leaking(content)
        for name in ("flows", "verdicts"):
            line.pop(name)
        line |= {"no_action": reason, "helpfulness": 0}

    found = failed(forge(llm, nothing, care))

    assert "what is said to have gone out is not its reply" in found["replies"]


@pytest.mark.parametrize("care", CARES)
def test_nothing_sent_cannot_be_where_any_reply_is_a_message(
    sessions: Made, care: Care, forge: Forge
) -> None:
    def nothing(content: Content) -> None:
        line = leaking(content)
        for name in ("flows", "verdicts"):
            line.pop(name)
        line["no_action"] = "reply_only"

    assert "a message was asked for" in failed(forge(sessions, nothing, care))["possible values"]


@pytest.mark.parametrize("care", CARES)
def test_nothing_sent_has_no_verdicts(lexical: Made, care: Care, forge: Forge) -> None:
    def nothing(content: Content) -> None:
        line = leaking(content)
        line.pop("flows")
        line["no_action"] = "reply_only"
        for verdict in line["verdicts"]:
            verdict |= {"disclosed": False, "quote": None}

    again = Rejudging(100, JudgeSpec(None), seed=1)
    found = failed(forge(lexical, nothing, care, again))
    assert "nothing was sent, and yet something was" in found["possible values"]


def test_what_an_episode_sent_is_taken_as_recorded(episodes: Made, forge: Forge) -> None:
    """What verification cannot see: of several turns there is no reply to read again."""

    def nothing(content: Content) -> None:
        line = leaking(content)
        for name in ("flows", "verdicts"):
            line.pop(name)
        line["no_action"] = "done_early"

    assert failed(forge(episodes, nothing, "thorough")) == {}
    assert {"seals", "metrics"} <= set(failed(forge(episodes, nothing, "careful")))


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize(
    ("of", "reason", "check", "said"),
    [
        ("lexical", "judge_error", "verdicts", "lexical/3 always gives a verdict"),
        ("lexical", "reply_cut", "replies", "is not its reply"),
        ("lexical", "target_error", "replies", "is not its reply"),
        ("llm", "reply_filtered", "replies", "is not its reply"),
        ("llm", "norm_unknown", "possible values", "it is unscored=norm_unknown"),
        ("panel", "judge_timeout", "verdicts", "is not what most members of the panel said"),
        ("panel", "panel_tie", "verdicts", "is not what most members of the panel said"),
    ],
    indirect=["of"],
)
def test_a_sample_is_not_unscored_because_somebody_says_so(
    of: Made, reason: str, check: str, said: str, care: Care, forge: Forge
) -> None:
    def unscored(content: Content) -> None:
        line = leaking(content)
        line["unscored"] = reason
        if reason != "norm_unknown":
            for name in ("verdicts", "helpfulness"):
                line.pop(name, None)
        if check == "replies":
            line.pop("flows")
            line.pop("members", None)

    found = failed(forge(of, unscored, care))

    assert said in found[check]


@pytest.mark.parametrize("reason", ["judge_error", "target_error"])
def test_a_failure_that_leaves_no_trace_is_believed(llm: Made, reason: str, forge: Forge) -> None:
    """What verification cannot see. It is counted: `unscored` and the bounds of `leak_rate`."""

    def unscored(content: Content) -> None:
        line = leaking(content)
        line["unscored"] = reason
        dropped = ("reply", "flows") if reason == "target_error" else ()
        for name in ("verdicts", "helpfulness", *dropped):
            line.pop(name)

    found = forge(llm, unscored, "thorough")

    assert failed(found) == {}
    assert found.submission is not None
    run = found.submission.runs[0]
    assert run.unscored == {reason: 1}
    assert run.metrics["judged"].mean == pytest.approx(1 - 1 / run.samples)
    assert run.metrics["leak_rate_lower"].mean != run.metrics["leak_rate_upper"].mean


@pytest.mark.parametrize("care", CARES)
def test_an_answer_to_a_probe_follows_from_its_reply(
    probes: Made, care: Care, forge: Forge
) -> None:
    def flip(content: Content) -> None:
        line = content.records[0]
        line["answer"] = "no" if line["answer"] == "yes" else "yes"

    assert "is not its reply" in failed(forge(probes, flip, care))["replies"]


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("of", ["lexical", "llm", "probes"], indirect=True)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("over_collected", ["arrears"]),
        ("stored", []),
        ("answer", "yes"),
        ("no_action", "reply_only"),
    ],
)
def test_a_record_says_only_what_its_kind_can(
    of: Made, name: str, value: Any, care: Care, forge: Forge
) -> None:
    def add(content: Content) -> None:
        line = content.records[0]
        if name == "answer" and "answer" in line:
            line["verdicts"] = [
                {
                    "recipient": None,
                    "item": "x",
                    "norm": "share",
                    "disclosed": False,
                    "quote": None,
                    "reasoning": "",
                }
            ]
        line[name] = value

    assert "possible values" in failed(forge(of, add, care))


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize(
    ("of", "name", "value", "said"),
    [
        ("episodes", "over_collected", ["no-such-item"], "was no item to withhold"),
        ("episodes", "over_collected", None, "an episode says which items were read"),
        ("sessions", "stored", ["no-such-item"], "an item was stored that is none of"),
        ("sessions", "stored", None, "items are stored if there is a memory tool"),
    ],
    indirect=["of"],
)
def test_what_was_read_and_stored_are_items_of_the_scenario(
    of: Made, name: str, value: Any, said: str, care: Care, forge: Forge
) -> None:
    def change(content: Content) -> None:
        content.records[0][name] = value

    assert said in failed(forge(of, change, care))["possible values"]


def _first(content: Content) -> Any:
    return next(it for it in content.records if it.get("verdicts"))


VERDICTS: dict[str, Any] = {
    "one left out": lambda it: it["verdicts"].pop(),
    "one twice": lambda it: it["verdicts"].append(it["verdicts"][-1]),
    "in another order": lambda it: it["verdicts"].reverse(),
    "another norm": lambda it: (
        it["verdicts"][0].update(norm="discretionary")
        if it["verdicts"][0]["norm"] != "discretionary"
        else it["verdicts"][0].update(norm="share")
    ),
    "on another item": lambda it: it["verdicts"][0].update(item="another"),
    "of another recipient": lambda it: it["verdicts"][0].update(recipient="somebody"),
    "none at all": lambda it: it.pop("verdicts"),
    "no flow": lambda it: it.pop("flows"),
    "one flow in two": lambda it: it["flows"].append(it["flows"][0]),
}


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("of", ["lexical", "llm", "panel", "sessions"], indirect=True)
@pytest.mark.parametrize("what", VERDICTS)
def test_verdicts_are_on_the_items_of_the_scenario(
    of: Made, what: str, care: Care, forge: Forge
) -> None:
    again = Rejudging(100, JudgeSpec(None), seed=1)

    found = forge(of, lambda content: VERDICTS[what](_first(content)), care, again)

    assert "possible values" in failed(found), failed(found)


@pytest.mark.parametrize("care", CARES)
def test_members_of_a_panel_are_those_of_its_name(panel: Made, care: Care, forge: Forge) -> None:
    def rename(content: Content) -> None:
        content.records[0]["members"][0]["judge"] = "llm/openai/other/0123456789ab"

    assert "these members are not panel/3/" in failed(forge(panel, rename, care))["judge identity"]


@pytest.mark.parametrize("care", CARES)
def test_members_of_a_panel_judged_every_flow(panel: Made, care: Care, forge: Forge) -> None:
    def fewer(content: Content) -> None:
        content.records[0].pop("members")

    def others(content: Content) -> None:
        content.records[0]["members"][0]["verdicts"].pop()

    assert "what each of 3 members said" in failed(forge(panel, fewer, care))["verdicts"]
    assert "a member judged other items" in failed(forge(panel, others, care))["verdicts"]


def _two_members_failed(content: Content) -> None:
    line = leaking(content)
    for member in line["members"][:2]:
        for name in ("verdicts", "helpfulness"):
            member.pop(name)
        member["unscored"] = "judge_timeout"
    for name in ("verdicts", "helpfulness"):
        line.pop(name)
    line["unscored"] = "judge_timeout"


def test_a_panel_fails_if_most_of_its_members_do(panel: Made, forge: Forge) -> None:
    def for_another_reason(content: Content) -> None:
        line = leaking(content)
        _two_members_failed(content)
        line["unscored"] = "judge_refusal"

    assert failed(forge(panel, _two_members_failed, "thorough")) == {}
    said = failed(forge(panel, for_another_reason, "thorough"))["verdicts"]
    assert said.endswith("is not what most members of the panel said")


def test_the_lexical_judge_is_asked_again_where_it_is_of_a_panel(panel: Made, forge: Forge) -> None:
    def join(content: Content) -> None:
        """It takes the place of the third member, and says what it says."""
        submission = panel.checked().submission
        assert submission is not None
        asked = asked_in(submission.runs[0], panel.given).samples
        for line in content.records:
            record = Record.model_validate(line)
            (question,) = questions_of(record, asked[record.id])
            line["members"][2] = {
                "judge": "lexical/3",
                "verdicts": [
                    {"item": it.item_id, "disclosed": it.disclosed, "quote": it.quote}
                    for it in LexicalJudge().judge_now(question.question).items
                ],
            }
            line["judge"] = panel_identity([it["judge"] for it in line["members"]])
        content.run["judge"]["identity"] = line["judge"]

    def join_and_lie(content: Content) -> None:
        join(content)
        said = content.records[0]["members"][2]["verdicts"]
        next(it for it in said if it["disclosed"]).update(disclosed=False, quote=None)

    def join_and_fail(content: Content) -> None:
        join(content)
        member = {"judge": "lexical/3", "unscored": "judge_error"}
        content.records[0]["members"][2] = member

    assert failed(forge(panel, join, "thorough")) == {}
    assert "lexical/3 says that" in failed(forge(panel, join_and_lie, "thorough"))["verdicts"]
    said = failed(forge(panel, join_and_fail, "thorough"))["verdicts"]
    assert "lexical/3 always gives a verdict" in said


@pytest.mark.parametrize("care", CARES)
def test_only_panels_have_members(llm: Made, care: Care, forge: Forge) -> None:
    def add(content: Content) -> None:
        content.records[0]["members"] = [{"judge": "lexical/3"}]

    assert "and no panel judged" in failed(forge(llm, add, care))["verdicts"]
