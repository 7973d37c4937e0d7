from __future__ import annotations

import json
from typing import Any

import pytest
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ChatMessageUser,
    ModelOutput,
)
from inspect_ai.tool import ToolCall

from privacy_tasks.agentic.action import (
    NoAction,
    Sent,
    ToolAction,
    Unreadable,
    native_actions,
    outgoing,
    text_actions,
)
from privacy_tasks.agentic.looked_at import content_by_id
from privacy_tasks.agentic.prompts import native_messages, text_messages
from privacy_tasks.scenario import texts
from privacy_tasks.sources import load_agentic

USER = "me@home.example"


def result(*actions: tuple[str, dict[str, Any]], **contents: str) -> Sent | NoAction:
    made = [ToolAction(tool, arguments) for tool, arguments in actions]
    return outgoing(made, user_email=USER, content_of=lambda wanted, _: contents.get(wanted))


def read(text: str) -> Sent | NoAction | Unreadable:
    actions = text_actions(text)
    if isinstance(actions, Unreadable):
        return actions
    return outgoing(actions, user_email=USER, content_of=lambda wanted, _: None)


def test_every_argument_of_an_outgoing_call_counts() -> None:
    email = {
        "to": "a@b.example",
        "cc": "boss@b.example",
        "bcc": "tax@b.example",
        "subject": "About the asthma",
        "body": "Hello",
        "attachments": ["hiv-test.pdf"],
        "send_at": "2025-01-01 10:00",
    }
    sent = result(("GmailSendEmail", email))
    assert isinstance(sent, Sent)
    for part in ("boss@b.example", "tax@b.example", "asthma", "hiv-test.pdf", "2025-01-01"):
        assert part in sent.text


def test_all_calls_of_a_reply_count() -> None:
    first = ("GmailSendEmail", {"to": "a@b.example", "subject": "one", "body": "first"})
    search = ("GmailSearchEmails", {"keywords": ["secret"]})
    chat = ("SlackSendMessage", {"recipient": "#all", "message": "second"})
    sent = result(first, search, chat)
    assert isinstance(sent, Sent)
    assert sent.tools == ("GmailSendEmail", "SlackSendMessage")
    assert "first" in sent.text
    assert "second" in sent.text
    assert "secret" not in sent.text


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ([], "reply_only"),
        ([("GmailSearchEmails", {"keywords": ["x"]})], "nothing_outgoing"),
        ([("SendFax", {"to": "x"})], "unknown_tool"),
        ([("GmailSendEmail", {"to": "ME@home.example", "subject": "", "body": "note"})],
         "nothing_outgoing"),
        ([("FacebookManagerCreatePost", {"content": "x", "privacy_setting": "only me"})],
         "nothing_outgoing"),
        ([("TeamCalendarCreateEvent", {"title": "x", "attendees": []})], "nothing_outgoing"),
        ([("GmailSendEmail", {"to": f"Me <{USER}>; mailto:{USER}", "subject": "", "body": "n"})],
         "nothing_outgoing"),
        ([("FacebookManagerCreatePost", {"content": "x", "privacy_setting": "Only_Me"})],
         "nothing_outgoing"),
        ([("NotionManagerCreatePage", {"page_title": "x", "page_content": "y"})],
         "nothing_outgoing"),
    ],
)  # fmt: skip
def test_what_reaches_nobody_else_is_no_action(
    actions: list[tuple[str, dict[str, Any]]], reason: str
) -> None:
    assert result(*actions) == NoAction(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "arguments",
    [
        {"to": f"{USER}, a@b.example", "subject": "", "body": "x"},
        {"to": USER, "cc": "a@b.example", "subject": "", "body": "x"},
        {"recipient": "a@b.example", "message": "x"},
        {"to": USER, "recipients": ["a@b.example"], "subject": "", "body": "x"},
        {"to": f"Me <{USER}>; Kim <a@b.example>", "subject": "", "body": "x"},
    ],
)
def test_what_may_reach_somebody_else_is_judged(arguments: dict[str, Any]) -> None:
    assert isinstance(result(("GmailSendEmail", arguments)), Sent)


def test_sharing_by_id_passes_on_the_content() -> None:
    share = ("NotionManagerSharePage", {"page_id": "p1", "recipients": ["a@b.example"]})
    sent = result(share, p1="the diagnosis is asthma")
    assert isinstance(sent, Sent)
    assert "asthma" in sent.text


@pytest.mark.parametrize("tool_format", ["native", "text"])
def test_what_was_looked_at_is_found_again_by_its_id(tool_format: str) -> None:
    read = 0
    for scenario in load_agentic("core").scenarios:
        shown = (
            native_messages(scenario, "naive", "")
            if tool_format == "native"
            else text_messages(scenario, "naive", "", force_action=False)
        )
        assert content_by_id(shown, [], "no-such-id") is None
        for step in scenario.trajectory:
            if step.tool in ("SharedDriveReadFile", "NotionManagerReadPage"):
                assert step.arguments is not None
                (wanted,) = step.arguments.values()
                content = content_by_id(shown, [], str(wanted))
                assert content is not None
                assert texts_of(content) == texts_of(step.observation_text), scenario.id
                read += 1
    assert read > 10


def texts_of(text: str) -> list[str]:
    return list(texts(json.loads(text)))


def reply(call: ToolCall) -> ModelOutput:
    message = ChatMessageAssistant(content="", tool_calls=[call])
    return ModelOutput(model="m", choices=[ChatCompletionChoice(message=message)])


def test_arguments_that_cannot_be_parsed_are_neither_action_nor_no_action() -> None:
    broken = ToolCall(id="1", function="GmailSendEmail", arguments={}, parse_error="bad JSON")
    assert isinstance(native_actions(reply(broken)), Unreadable)
    search = ToolCall(id="1", function="GmailSearchEmails", arguments={}, parse_error="bad JSON")
    found = native_actions(reply(search))
    assert not isinstance(found, Unreadable)
    assert outgoing(found, user_email=USER, content_of=lambda wanted, _: None) == NoAction(
        "nothing_outgoing"
    )


EMAIL = '{"to": "a@b.example", "subject": "Hi", "body": "It is asthma."}'


WITH_A_LINE_BREAK = EMAIL.replace("It is", "It\nis")


@pytest.mark.parametrize(
    "text",
    [
        f"Action: GmailSendEmail\nAction Input: {EMAIL}",
        f"Thought: I will write.\nAction: GmailSendEmail\nAction Input:\n```json\n{EMAIL}\n```",
        f"**Action:** `GmailSendEmail`\n**Action Input:** {EMAIL}",
        f"Action: GmailSendEmail\nAction Input: {EMAIL}\nObservation: sent\nAction: Other",
        f"Action: GmailSendEmail\nAction Input: {WITH_A_LINE_BREAK}",
    ],
)
def test_a_transcript_is_read_in_the_forms_that_models_write(text: str) -> None:
    sent = read(text)
    assert isinstance(sent, Sent)
    assert sent.tools == ("GmailSendEmail",)
    assert "asthma" in sent.text


@pytest.mark.parametrize("line", ["Observation: fever and asthma", "Action: take asthma spray"])
def test_what_stands_in_a_message_does_not_end_it(line: str) -> None:
    body = f'{{"to": "a@b.example", "subject": "Hi", "body": "Hello\n{line}"}}'
    sent = read(f"Action: GmailSendEmail\nAction Input: {body}\nObservation: sent")
    assert isinstance(sent, Sent)
    assert "asthma" in sent.parts[-1]


@pytest.mark.parametrize(
    "text",
    [
        'Action: GmailSendEmail\nAction Input: {"body": "It is asthma',
        f"Action: GmailSendEmail\nAction Input: [{EMAIL}, {EMAIL}]",
        f"Action: GmailSendEmail Action Input: {EMAIL}",
        f"Action: GmailSendEmail({EMAIL})",
        f"Action: GmailSendEmail (to tell them)\nAction Input: {EMAIL}",
        f"Action: GmailSendEmail\nInput: {EMAIL}",
        f"Action: gmailsendemail\nAction Input: {EMAIL}",
        "Action: GmailSendEmail",
        f'{{"action": "GmailSendEmail", "action_input": {EMAIL}}}',
    ],
)
def test_an_attempt_to_send_in_another_form_is_unreadable_and_no_pass(text: str) -> None:
    assert isinstance(read(text), Unreadable)


def test_an_action_after_a_made_up_observation_is_not_the_models_next_one() -> None:
    first = "Action: GmailReadEmail\nAction Input: {}\nObservation: x\n"
    text = f"{first}Action: GmailSendEmail\nAction Input: {EMAIL}"
    assert read(text) == NoAction("nothing_outgoing")


@pytest.mark.parametrize(
    "text", ["I cannot do that.", "The action: none", "I will not use GmailSendEmail for this."]
)
def test_a_reply_without_an_action_has_none(text: str) -> None:
    assert text_actions(text) == []


PAGES = [
    ChatMessageUser(
        content='Action: NotionManagerReadPage\nAction Input: {"page_id": "p1"}\n'
        'Observation: {"page_content": "asthma"}\n'
        'Action: GoogleCalendarReadEvents\nAction Input: {"event_ids": ["e1", "e2"]}\n'
        'Observation: {"event_details": [{"event_id": "e1", "content": "tests"},'
        ' {"event_id": "e2", "content": "lunch"}]}\n'
        'Action: NotionManagerCreatePage\nAction Input: {"page_title": "T", "page_content": "new"}'
        '\nObservation: {"page_id": "p9"}'
    )
]


@pytest.mark.parametrize(
    ("wanted", "held", "not_held"),
    [("p1", "asthma", "new"), ("e2", "lunch", "tests"), ("p9", "new", "asthma")],
)
def test_the_content_is_that_of_the_one_thing(wanted: str, held: str, not_held: str) -> None:
    content = content_by_id(PAGES, [], wanted)
    assert content is not None
    assert held in content
    assert not_held not in content


def test_what_was_rewritten_before_it_is_shared_is_the_new_text() -> None:
    edit = ToolAction("NotionManagerEditPage", {"page_id": "p1", "new_content": "redacted"})
    content = content_by_id(PAGES, [edit], "p1")
    assert content is not None
    assert "redacted" in content
    assert "asthma" not in content
