"""The world of an episode: it shows what the trajectory showed, and refuses what there is not."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from privacy_tasks.agentic.live_tools import (
    Addresses,
    Desk,
    ToolRefusedError,
    carry_out,
    handled_tools,
)
from privacy_tasks.agentic.world import World
from privacy_tasks.scenario import AgenticScenario, ToolUse, texts
from privacy_tasks.sources import load_agentic
from privacy_tasks.toolkits import tool_index
from tests.conftest import PRIVACYLENS, needs_privacylens


def desk_of(scenario: AgenticScenario) -> Desk:
    return Desk(World(scenario.trajectory), Addresses([], complete=False))


def desk(*steps: tuple[str, dict[str, Any], Any], addresses: list[str] | None = None) -> Desk:
    taken = [ToolUse(tool=name, arguments=given, observation=shown) for name, given, shown in steps]
    return Desk(World(taken), Addresses(addresses or [], complete=addresses is not None))


def lost(desk: Desk, step: ToolUse) -> list[str]:
    """What the trajectory showed at a step and the world does not."""
    shown = step.observation
    if isinstance(shown, str):
        with contextlib.suppress(ValueError):
            shown = json.loads(shown)
    result = "\n".join(texts(carry_out(desk, step.tool, step.arguments or {})))
    return [text for text in texts(shown) if text.strip() and text not in result]


def test_every_tool_can_be_carried_out() -> None:
    assert handled_tools() == set(tool_index())


def test_the_world_shows_all_that_the_core_trajectories_showed() -> None:
    missing = {}
    for scenario in load_agentic("core").scenarios:
        desk = desk_of(scenario)
        for number, step in enumerate(scenario.trajectory):
            if gone := lost(desk, step):
                missing[scenario.id, number] = gone
    assert missing == {}


@pytest.mark.data
@pytest.mark.skipif(not PRIVACYLENS.exists(), reason="no ../shared/data")
def test_the_world_shows_what_the_privacylens_trajectories_showed() -> None:
    """All but a few inconsistent observations (one id for two things, odd arguments)."""
    assert needs_privacylens
    steps = refused = incomplete = 0
    for scenario in load_agentic(f"privacylens:{PRIVACYLENS}").scenarios:
        desk = desk_of(scenario)
        for step in scenario.trajectory:
            steps += 1
            try:
                incomplete += bool(lost(desk, step))
            except ToolRefusedError:
                refused += 1  # the source itself has arguments that the tool does not take
    assert steps == 928
    assert refused <= 15
    assert incomplete <= 19


MAILS = (
    "GmailSearchEmails",
    {"keywords": ["rent"]},
    {
        "emails": [
            {
                "id": "m1",
                "subject": "Rent",
                "from": "a@x.example",
                "to": "me@x.example",
                "timestamp": "2025-01-02 10:00",
            },
            {
                "id": "m2",
                "subject": "Rent again",
                "from": "b@x.example",
                "to": "me@x.example",
                "timestamp": "2025-03-02 10:00",
            },
        ]
    },
)
READ = ("GmailReadEmail", {"email_id": "m1"}, {"body": "It rises to 900.", "subject": "Rent"})


def ids(result: Any) -> list[str]:
    return [entry["id"] for entry in result["emails"]]


def test_searches_filter_and_can_come_back_empty() -> None:
    here = desk(MAILS, READ)
    search = "GmailSearchEmails"
    assert ids(carry_out(here, search, {})) == ["m1", "m2"]
    assert ids(carry_out(here, search, {"from": "b@x.example"})) == ["m2"]
    assert ids(carry_out(here, search, {"keywords": ["900"]})) == ["m1"]
    assert ids(carry_out(here, search, {"keywords": ["holiday"]})) == []
    assert ids(carry_out(here, search, {"limit": 1})) == ["m1"]
    late = {"date_range": {"start_date": "2025-02-01"}}
    assert ids(carry_out(here, search, late)) == ["m2"]


def test_reading_needs_an_id_that_exists() -> None:
    here = desk(MAILS, READ)
    assert carry_out(here, "GmailReadEmail", {"email_id": "m1"})["body"] == "It rises to 900."
    assert "no text" in carry_out(here, "GmailReadEmail", {"email_id": "m2"})["body"]
    with pytest.raises(ToolRefusedError, match="no email with the id 'm9'"):
        carry_out(here, "GmailReadEmail", {"email_id": "m9"})


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("GmailOpenEmail", {}, "There is no tool 'GmailOpenEmail'"),
        ("GmailReadEmail", {}, "needs the argument 'email_id'"),
        ("GmailReadEmail", {"email_id": "m1", "mood": "x"}, "has no argument 'mood'"),
        ("GmailSendEmail", {"to": "Anna", "subject": "s", "body": "b"}, "'Anna' is no email"),
        ("GmailSendEmail", {"to": " ", "subject": "s", "body": "b"}, "No address was given"),
        (
            "MessengerSendMessage",
            {"recipient_id": "who", "message": "m"},
            "no person or chat 'who'",
        ),
        ("SlackSendMessage", {"recipient": "#no", "message": "m"}, "no channel or person '#no'"),
        ("TicketDeskReplyToTicket", {"ticket_id": "T-9", "message": "m"}, "no ticket 'T-9'"),
        ("SharedDriveCreateFile", {"folder": "/no", "name": "n", "content": "c"}, "no folder"),
        ("NotionManagerEditPage", {"page_id": "p9", "new_content": "c"}, "no page with the id"),
        ("ZoomManagerGetMeetingTranscript", {"meeting_id": "z9"}, "no meeting with the id"),
    ],
)
def test_what_there_is_not_is_refused(tool: str, given: dict[str, Any], said: str) -> None:
    here = desk(MAILS, READ, addresses=["#team", "anna.k"])
    with pytest.raises(ToolRefusedError) as caught:
        carry_out(here, tool, given)
    assert said in str(caught.value)


def test_what_is_written_can_be_read() -> None:
    here = desk()
    made = carry_out(here, "NotionManagerCreatePage", {"page_title": "T", "page_content": "one"})
    carry_out(here, "NotionManagerEditPage", {"page_id": made["page_id"], "new_content": "two"})
    read = carry_out(here, "NotionManagerReadPage", {"page_id": made["page_id"]})
    assert read == {"page_content": "two"}
    found = carry_out(here, "NotionManagerSearchContent", {"keywords": "two"})
    assert [entry["id"] for entry in found["results"]] == [made["page_id"]]


def test_an_observation_of_an_odd_form_is_kept() -> None:
    here = desk(("NotionManagerSearchContent", {"keywords": "key"}, "Page: the key is under it."))
    found = carry_out(here, "NotionManagerSearchContent", {"keywords": "key"})
    assert [entry["content"] for entry in found["results"]] == ["Page: the key is under it."]


def test_two_messages_with_one_id_are_two() -> None:
    def message(text: str) -> dict[str, Any]:
        return {"messages": [{"message_id": "m", "sender_id": "s", "time": "t", "message": text}]}

    here = desk(
        ("MessengerReceiveMessage", {}, message("one")),
        ("MessengerReceiveMessage", {"max_count": 1}, message("two")),
    )
    shown = carry_out(here, "MessengerReceiveMessage", {"max_count": 5})
    assert [entry["message"] for entry in shown["messages"]] == ["two", "one"] or [
        entry["message"] for entry in shown["messages"]
    ] == ["one", "two"]
    assert {entry["message_id"] for entry in shown["messages"]} == {"m"}
