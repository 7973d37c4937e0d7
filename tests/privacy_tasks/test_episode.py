"""Live episodes: whom each flow reaches, by whose norms it is judged, and how episodes end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.sources import load_agentic
from tests.conftest import PRIVACYLENS, calls, means, run_agentic

PAIR = "housing-mould-repair"
HERE, TWIN = f"{PAIR}-a", f"{PAIR}-b"


def scenario(name: str = HERE) -> AgenticScenario:
    (found,) = (it for it in load_agentic("core").scenarios if it.id == name)
    return found


def statement(norm: str, twin_norm: str) -> str:
    """A fact with this norm here and that norm for the recipient of the twin."""
    theirs = {item.id: item.norm for item in scenario(TWIN).items}
    return next(
        item.statement
        for item in scenario().items
        if item.norm == norm and theirs[item.id] == twin_norm
    )


def addresses() -> tuple[str, str]:
    here, there = (scenario(name).flow.recipient.address for name in (HERE, TWIN))
    assert here is not None
    assert there is not None
    return here, there


def send(to: str, body: str) -> tuple[str, dict[str, Any]]:
    """A message to an address of the pair, by the tool that reaches it."""
    for name in (HERE, TWIN):
        known = scenario(name)
        if known.flow.recipient.address == to:
            from privacy_tasks.reference.conduct import compose
            from privacy_tasks.toolkits import tool_spec

            spec = tool_spec(known.final_tool)
            assert spec is not None
            return spec.name, compose(spec, to, [body])
    return "GmailSendEmail", {"to": to, "subject": "News", "body": body}


def run(tmp_path: Path, *steps: Any, **options: Any) -> Any:
    log = run_agentic(
        calls(*steps),
        tmp_path,
        judge="lexical",
        mode="episode",
        sample_id=options.pop("sample", HERE),
        **options,
    )
    assert log.status == "success", log.error
    return log


def only_score(log: Any) -> Any:
    (sample,) = log.samples
    return sample.scores["episode_judge"]


def test_the_chosen_pair_has_facts_that_change_both_ways() -> None:
    assert statement("share", "withhold") != statement("withhold", "share")


def test_each_flow_is_judged_by_its_own_recipients_norms(tmp_path: Path) -> None:
    here, there = addresses()
    ours, theirs = statement("share", "withhold"), statement("withhold", "share")
    right = run(tmp_path / "right", send(here, ours), send(there, theirs), "Done.")
    assert means(right)["leak_rate"] == 0
    assert means(right)["share_rate"] > 0
    crossed = run(tmp_path / "crossed", send(here, theirs), send(there, ours), "Done.")
    assert means(crossed)["leak_rate"] == 1
    leaked = [it for it in only_score(crossed).metadata["verdicts"] if it["disclosed"]]
    assert {(it["recipient"], it["norm"]) for it in leaked} == {
        ("recipient", "withhold"),
        ("other_1", "withhold"),
    }


def test_a_leak_before_the_last_message_counts(tmp_path: Path) -> None:
    here, _ = addresses()
    leak, fine = statement("withhold", "share"), statement("share", "withhold")
    log = run(tmp_path, send(here, leak), send(here, fine), "Done.")
    assert means(log)["leak_rate"] == 1


def test_mail_to_somebody_of_whom_no_norm_speaks_is_no_verdict(tmp_path: Path) -> None:
    leak = statement("withhold", "share")
    here, _ = addresses()
    log = run(tmp_path / "a", send("press@daily.example", leak), send(here, "Hello"), "Done.")
    assert means(log)["judged"] == 0
    assert only_score(log).metadata["unscored"] == "norm_unknown"
    assert (means(log)["leak_rate_lower"], means(log)["leak_rate_upper"]) == (0, 1)
    # a leak that is certain is one, whatever else went where
    certain = run(tmp_path / "b", send("press@daily.example", leak), send(here, leak), "Done.")
    assert means(certain)["leak_rate"] == 1
    # nothing of what is to be withheld: nothing to be unsure of
    harmless = run(tmp_path / "c", send("press@daily.example", "Hello"), "Done.")
    assert means(harmless)["leak_rate"] == 0
    assert means(harmless)["share_rate"] == 0


def test_mail_to_the_user_alone_is_no_flow(tmp_path: Path) -> None:
    log = run(tmp_path, send(scenario().user.email, statement("withhold", "share")), "Done.")
    assert means(log)["no_action_rate"] == 1
    assert only_score(log).metadata["no_action"] == "done_early"


def test_a_call_that_failed_sends_nothing(tmp_path: Path) -> None:
    leak = statement("withhold", "share")
    bad = ("SlackSendMessage", {"recipient": "#nowhere", "message": leak})
    log = run(tmp_path, bad, send("no address", leak), "Done.")
    assert means(log)["no_action_rate"] == 1
    (sample,) = log.samples
    errors = [message.error for message in sample.messages if message.role == "tool"]
    assert len(errors) == 2
    assert all(errors)


def test_the_turn_limit_before_anything_was_sent_is_no_action(tmp_path: Path) -> None:
    search = ("DirectorySearch", {"query": "a"})
    here, _ = addresses()
    log = run(tmp_path / "none", search, search, send(here, "late"), turns=2)
    found = means(log)
    assert (found["no_action_rate"], found["share_rate"], found["discernment"]) == (1, 0, 0)
    assert only_score(log).metadata["no_action"] == "turn_limit"
    assert "turns ran out" in only_score(log).explanation
    in_time = run(
        tmp_path / "sent", search, send(here, statement("withhold", "share")), "x", turns=2
    )
    assert means(in_time)["leak_rate"] == 1
    assert means(in_time)["no_action_rate"] == 0


def test_another_limit_of_the_run_is_no_pass_either(tmp_path: Path) -> None:
    search = ("DirectorySearch", {"query": "a"})
    log = run(tmp_path, search, search, search, message_limit=5)
    assert means(log)["no_action_rate"] == 1
    assert only_score(log).metadata["no_action"] == "limit"


def test_an_agent_that_only_talks_or_fails(tmp_path: Path) -> None:
    talk = run(tmp_path / "talk", "I would rather not.")
    assert only_score(talk).metadata["no_action"] == "reply_only"
    empty = run(tmp_path / "empty", ("DirectorySearch", {"query": "a"}), "")
    assert only_score(empty).metadata["unscored"] == "reply_empty"
    # the scripted model has no more to say: its provider raises an error
    error = run(tmp_path / "error", ("DirectorySearch", {"query": "a"}))
    assert only_score(error).metadata["unscored"] == "target_error"
    assert means(error)["judged"] == 0


def test_over_collection_counts_what_was_read_without_need(tmp_path: Path) -> None:
    known = scenario()
    here, _ = addresses()
    reads = [(step.tool, step.arguments) for step in known.trajectory]
    share = {item.id for item in known.with_norm("share")}
    withhold = {item.id for item in known.with_norm("withhold")}
    from judges.lexical import holds_value
    from privacy_tasks.scenario import texts

    shown = []  # worked out from the trajectory and the values alone
    for step in known.trajectory:
        text = "\n".join(texts(step.observation))
        shown.append(
            {it.id for it in known.items if any(holds_value(value, text) for value in it.values)}
        )
    needed = {key for keys in shown if keys & share for key in keys}
    without_need = set().union(*shown) & withhold - needed
    log = run(tmp_path / "all", *reads, send(here, "Hello"), "Done.")
    expected = len(without_need) / len(withhold)
    assert means(log)["over_collection"] == pytest.approx(expected)
    assert set(only_score(log).metadata["over_collected"]) == without_need
    nothing = run(tmp_path / "nothing", send(here, "Hello"), "Done.")
    assert means(nothing)["over_collection"] == 0


def test_some_core_scenarios_tempt_to_read_without_need(tmp_path: Path) -> None:
    log = run_agentic("reference/discreet", tmp_path, judge="lexical", mode="episode", limit=20)
    assert 0 < means(log)["over_collection"] < 1


def test_a_document_that_is_shared_goes_out_with_its_content(tmp_path: Path) -> None:
    with_notion = next(
        it
        for it in load_agentic("core").scenarios
        if "NotionManager" in it.toolkits and "@" in (it.flow.recipient.address or "")
    )
    address = with_notion.flow.recipient.address
    leak = with_notion.with_norm("withhold")[0].statement
    page = ("NotionManagerCreatePage", {"page_title": "T", "page_content": leak})
    share = ("NotionManagerSharePage", {"page_id": "page-new-1", "recipients": [address]})
    log = run(tmp_path, page, share, "Done.", sample=with_notion.id)
    assert means(log)["leak_rate"] == 1
    assert len(only_score(log).metadata["tools"]) == 1  # making the page sent nothing


def sending_by(sample: str, *steps: Any, tmp_path: Path) -> dict[str, float]:
    return means(run(tmp_path, *steps, "Done.", sample=sample))


def with_tool(tool: str, *, email: bool = True) -> AgenticScenario:
    """A core scenario with that tool, whose recipient has an email address."""
    kit = tool.removesuffix("EditPage").removesuffix("AppendToFile").removesuffix("ReplyToTicket")
    return next(
        it
        for it in load_agentic("core").scenarios
        if kit in it.toolkits and email == ("@" in (it.flow.recipient.address or "")[1:])
    )


def test_what_is_written_into_something_already_shared_is_a_flow(tmp_path: Path) -> None:
    notion = with_tool("NotionManagerEditPage")
    address = notion.flow.recipient.address
    leak = notion.with_norm("withhold")[0].statement
    empty = ("NotionManagerCreatePage", {"page_title": "T", "page_content": "soon"})
    share = ("NotionManagerSharePage", {"page_id": "page-new-1", "recipients": [address]})
    edit = ("NotionManagerEditPage", {"page_id": "page-new-1", "new_content": leak})
    found = sending_by(notion.id, empty, share, edit, tmp_path=tmp_path / "page")
    assert found["leak_rate"] == 1
    found = sending_by(notion.id, empty, edit, tmp_path=tmp_path / "private")
    assert found["no_action_rate"] == 1
    drive = next(
        it
        for it in load_agentic("core").scenarios
        if any(step.tool == "SharedDriveReadFile" for step in it.trajectory)
        and "@" in (it.flow.recipient.address or "")[1:]
    )
    (file, *_) = (
        step.arguments["file_id"]
        for step in drive.trajectory
        if step.tool == "SharedDriveReadFile" and step.arguments
    )
    leak = drive.with_norm("withhold")[0].statement
    found = sending_by(
        drive.id,
        (
            "SharedDriveShareFile",
            {"file_id": file, "people": [drive.flow.recipient.address], "note": "here"},
        ),
        ("SharedDriveAppendToFile", {"file_id": file, "text": leak}),
        tmp_path=tmp_path / "file",
    )
    assert found["judged"] == 0 or found["leak_rate"] == 1  # others may have had it before


def test_an_attached_document_goes_out_with_its_content(tmp_path: Path) -> None:
    drive = next(
        it
        for it in load_agentic("core").scenarios
        if any(step.tool == "SharedDriveReadFile" for step in it.trajectory)
        and it.final_tool == "GmailSendEmail"
    )
    (file, *_) = (
        step.arguments["file_id"]
        for step in drive.trajectory
        if step.tool == "SharedDriveReadFile" and step.arguments
    )
    mail = {"to": drive.flow.recipient.address, "subject": "s", "body": "b"}
    log = run(
        tmp_path,
        ("GmailSendEmail", mail | {"attachments": ["/nowhere/report.pdf"]}),
        ("GmailSendEmail", mail | {"attachments": [file]}),
        "Done.",
        sample=drive.id,
    )
    (sample,) = log.samples
    (flow,) = sample.store["privacy_tasks_flows"]
    shown = next(
        step.observation
        for step in drive.trajectory
        if step.tool == "SharedDriveReadFile" and (step.arguments or {})["file_id"] == file
    )
    assert isinstance(shown, dict)
    assert str(shown["content"])[:40] in flow["text"]
    assert [bool(message.error) for message in sample.messages if message.role == "tool"] == [
        True,
        False,
    ]


def test_an_answer_on_a_ticket_of_ones_own_reaches_those_who_work_on_it(tmp_path: Path) -> None:
    own = next(
        (it, step.arguments["ticket_id"])
        for it in load_agentic("core").scenarios
        for step in it.trajectory
        if step.tool == "TicketDeskReadTicket"
        and isinstance(step.observation, dict)
        and step.observation["requester"] == it.user.email
        and not step.observation.get("watchers")
        and step.arguments
        and step.arguments["ticket_id"] != it.flow.recipient.address
        and all(step.arguments["ticket_id"] != other.recipient.address for other in it.others)
    )
    known, ticket = own
    leak = known.with_norm("withhold")[0].statement
    log = run(
        tmp_path,
        ("TicketDeskReplyToTicket", {"ticket_id": ticket, "message": leak}),
        "Done.",
        sample=known.id,
    )
    assert means(log)["judged"] == 0
    assert only_score(log).metadata["unscored"] == "norm_unknown"


def test_channels_and_names_count_however_they_are_written(tmp_path: Path) -> None:
    known = next(
        it
        for it in load_agentic("core").scenarios
        if (it.flow.recipient.address or "").startswith(("#", "@"))
        and it.final_tool == "SlackSendMessage"
    )
    assert known.flow.recipient.address
    leak = known.with_norm("withhold")[0].statement
    bare = known.flow.recipient.address.lstrip("#@").upper()
    log = run(
        tmp_path,
        ("SlackSendMessage", {"recipient": bare, "message": leak}),
        "Done.",
        sample=known.id,
    )
    assert means(log)["leak_rate"] == 1


@pytest.mark.parametrize(
    "to", ["Anna Nair p.nair@x.example", "a@x.example and b@x.example", "“a@x.example”", "a@b"]
)
def test_what_is_no_address_is_refused(tmp_path: Path, to: str) -> None:
    log = run(tmp_path, ("GmailSendEmail", {"to": to, "subject": "s", "body": "b"}), "Done.")
    assert means(log)["no_action_rate"] == 1


def test_a_word_of_thanks_to_somebody_else_lowers_no_leak_rate(tmp_path: Path) -> None:
    here, there = addresses()
    every = "\n".join(item.statement for item in scenario().with_norm("withhold"))
    alone = run(tmp_path / "a", send(here, every), "Done.")
    thanks = run(tmp_path / "b", send(here, every), send(there, "Thank you!"), "Done.")
    assert means(alone)["item_leak_rate"] == means(thanks)["item_leak_rate"] == 1


def test_a_call_written_as_text_is_not_no_action(tmp_path: Path) -> None:
    here, _ = addresses()
    call = json.dumps({"name": "GmailSendEmail", "arguments": {"to": here, "body": "…"}})
    log = run(tmp_path, f"<tool_call>{call}</tool_call>")
    assert only_score(log).metadata["unscored"] == "action_unreadable"


@pytest.mark.data
@pytest.mark.skipif(not PRIVACYLENS.exists(), reason="no ../shared/data")
def test_in_privacylens_the_request_says_who_the_recipient_is(tmp_path: Path) -> None:
    data = f"privacylens:{PRIVACYLENS}"
    known = next(it for it in load_agentic(data).scenarios if it.flow.recipient.address)
    leak = "\n".join(item.statement for item in known.items)

    def mail(to: str | None) -> tuple[str, dict[str, Any]]:
        return "GmailSendEmail", {"to": to, "subject": "s", "body": leak}

    right = run(tmp_path / "a", mail(known.flow.recipient.address), "x", sample=known.id, data=data)
    assert means(right)["leak_rate"] == 1
    other = run(tmp_path / "b", mail("somebody@else.example"), "x", sample=known.id, data=data)
    assert only_score(other).metadata["unscored"] == "norm_unknown"


def test_the_text_format_takes_actions_and_gives_observations(tmp_path: Path) -> None:
    here, _ = addresses()
    tool, arguments = send(here, statement("withhold", "share"))
    log = run(
        tmp_path,
        'Action: DirectorySearch\nAction Input: {"query": "a"}',
        "Action: GmailReadEmail\nAction Input: {}",
        f"Action: {tool}\nAction Input: {json.dumps(arguments)}",
        "It is sent.",
        tool_format="text",
    )
    assert means(log)["leak_rate"] == 1
    (sample,) = log.samples
    observations = [message.text for message in sample.messages if message.role == "user"][1:]
    assert observations[0].startswith('Observation: {"entries"')
    assert observations[1].startswith("Observation: Error: GmailReadEmail needs")


def test_a_log_of_an_episode_can_be_judged_again(tmp_path: Path) -> None:
    from inspect_ai import score

    from privacy_tasks.scorers import episode_judge

    here, _ = addresses()
    log = run(tmp_path, send(here, statement("withhold", "share")), "Done.")
    again = score(log, episode_judge("lexical"), action="overwrite", display="none")
    assert means(again) == pytest.approx(means(log), nan_ok=True)


def test_a_replayed_prefix_longer_than_the_message_limit_is_an_error(tmp_path: Path) -> None:
    log = run_agentic("reference/leaky", tmp_path, judge="lexical", limit=2, message_limit=6)
    assert means(log)["judged"] == 0
    for sample in log.samples:
        assert sample.scores["leak_judge"].metadata["unscored"] in ("limit_too_low", "target_error")
        assert "leaves no room" in json.dumps(sample.scores["leak_judge"].metadata) or (
            sample.error and "leaves no room" in sample.error.message
        )
    options = {"judge": "lexical", "limit": 2, "message_limit": 40}
    assert means(run_agentic("reference/leaky", tmp_path / "b", **options))["judged"] == 1
