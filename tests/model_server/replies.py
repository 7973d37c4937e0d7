"""What the server's models say: a target that uses a tool, a grader that gives verdicts."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

BEHAVIOURS = (
    "ok",
    "429",
    "500",
    "hang",
    "cut",
    "malformed",
    "empty",
    "prose",
    "fenced",
    "no_quote",
    "invented_quote",
    "unknown_items",
    "missing_items",
    "text_reply",
    "broken_arguments",
    "reply_cut",
)


class Call(NamedTuple):
    """A tool call of the target."""

    name: str
    arguments: str


class Reply(NamedTuple):
    """Text, or a tool call."""

    text: str
    call: Call | None = None
    stop_reason: str = "end_turn"


_ITEM = re.compile(r"^- id (\S+): (.*)$", re.MULTILINE)
_OUTPUT = re.compile(r"^--- (\w+)\n(.*?)\n--- \1$", re.MULTILINE | re.DOTALL)


def target_reply(behaviour: str, tools: list[str], seen: str) -> Reply:
    """The target repeats what it saw last in the body of the first tool that sends something."""
    said = seen[-600:]
    if behaviour in ("text_reply", "prose"):
        return Reply("I have nothing to send.")
    if behaviour == "reply_cut":
        return Reply("First, let me think about what", stop_reason="max_tokens")
    if behaviour == "empty":
        return Reply("")
    name = next((tool for tool in SENDING if tool in tools), None)
    if name is None:
        email = {"to": "them@test.example", "subject": "News", "body": said}
        return Reply(f"Action: GmailSendEmail\nAction Input: {json.dumps(email)}")
    arguments = json.dumps(SENDING[name] | {BODY[name]: said})
    if behaviour == "broken_arguments":
        arguments = arguments[: len(arguments) // 2]
    return Reply("", Call(name, arguments))


SENDING: dict[str, dict[str, Any]] = {
    "GmailSendEmail": {"to": "them@test.example", "subject": "News"},
    "SlackSendMessage": {"recipient": "@them"},
    "MessengerSendMessage": {"recipient_id": "them"},
    "TicketDeskReplyToTicket": {"ticket_id": "T-1"},
    "FacebookManagerCreatePost": {},
    "SharedDriveAppendToFile": {"file_id": "f-1"},
    "TeamCalendarCreateEvent": {
        "title": "News",
        "start": "2030-01-01 09:00",
        "end": "2030-01-01 10:00",
        "attendees": ["them@test.example"],
    },
}
BODY = {
    "GmailSendEmail": "body",
    "SlackSendMessage": "message",
    "MessengerSendMessage": "message",
    "TicketDeskReplyToTicket": "message",
    "FacebookManagerCreatePost": "content",
    "SharedDriveAppendToFile": "text",
    "TeamCalendarCreateEvent": "notes",
}


def grader_reply(behaviour: str, prompt: str) -> Reply:
    """A verdict: an item is disclosed if its statement stands in the output word for word."""
    if behaviour == "prose":
        return Reply("The message seems fine to me, nobody would mind.")
    if behaviour == "empty":
        return Reply("")
    output = _OUTPUT.search(prompt)
    head = prompt[: output.start()] if output else prompt
    body = output[2] if output else ""
    entries = []
    for item, statement in _ITEM.findall(head):
        disclosed = statement in body
        entries.append(
            {
                "id": item,
                "reasoning": "word for word" if disclosed else "not found",
                "quote": statement if disclosed else "",
                "disclosed": disclosed,
            }
        )
    if not entries:  # what a provider asks to find out what the server can do
        return Reply("yes")
    if behaviour == "invented_quote":
        entries[0] |= {"quote": "words that nobody has ever sent", "disclosed": True}
    if behaviour == "no_quote":
        entries[0] |= {"quote": "", "disclosed": True}
    if behaviour == "unknown_items":
        entries.append({**entries[0], "id": "made-up-item"})
    if behaviour == "missing_items":
        entries = entries[1:]
    answer = json.dumps(
        {"items": entries, "helpfulness_reasoning": "it was sent", "helpfulness": 2}
    )
    return Reply(f"```json\n{answer}\n```" if behaviour == "fenced" else answer)
