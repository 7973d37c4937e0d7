"""What the server's models say: a target that uses a tool, a grader that gives verdicts."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

BEHAVIOURS = (
    "ok",
    "400",
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
    "looking",
    "no_schema",
    "blind",
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


Script = list[tuple[str, list[Any]]]
"""Pairs of a text that a prompt may hold and what is then said, or called, one after the other."""

_ITEM = re.compile(r"^- id (\S+): (.*)$", re.MULTILINE)
_MARK = re.compile("⟨U\\+[0-9A-F]+⟩")
_OUTPUT = re.compile(r"^--- (\w+)\n(.*?)\n--- \1$", re.MULTILINE | re.DOTALL)


def scripted_reply(script: Script, contents: list[str], step: int) -> Reply:
    """What a model is to say to the first text that it has seen; its last reply is for good."""
    seen = "\n".join(contents)
    replies = next((replies for text, replies in script if text in seen), ["I do not know."])
    reply = replies[min(step, len(replies) - 1)]
    if isinstance(reply, str):
        return Reply(reply)
    return Reply("", Call(reply["name"], json.dumps(reply["arguments"])))


def target_reply(behaviour: str, tools: list[str], contents: list[str]) -> Reply:
    """What the target does: it answers, acts, looks around or remembers, as it is asked to."""
    seen = contents[-1]
    if behaviour in ("text_reply", "prose"):
        return Reply("I have nothing to send.")
    if behaviour == "reply_cut":
        return Reply("First, let me think about what", stop_reason="max_tokens")
    if behaviour == "empty":
        return Reply("")
    if behaviour == "looking":
        return _look(tools)
    if "remember" in tools:
        return _session_reply(seen)
    if _IS_EPISODE in contents[0]:
        return _episode_reply(tools, contents)
    sending = next((tool for tool in SENDING if tool in tools), None)
    if sending is None:
        return Reply(_text_reply(contents))
    arguments = json.dumps(SENDING[sending] | {BODY[sending]: seen[-600:]})
    if behaviour == "broken_arguments":
        arguments = arguments[: len(arguments) // 2]
    return Reply("", Call(sending, arguments))


_IS_EPISODE = "When all of it is done"


def _text_reply(contents: list[str]) -> str:
    """Without tools: an answer to a probe, an action as text, or a message."""
    seen = contents[-1]
    if "(A) " in seen and "(B) " in seen:
        return "I thought about it.\nAnswer: (B)" if "Answer: (" in seen else "(B)"
    if "Action Input:" in seen:
        email = {"to": "them@test.example", "subject": "News", "body": seen[-600:]}
        return f"Action: GmailSendEmail\nAction Input: {json.dumps(email)}"
    return "This is what I know: " + "\n".join(contents)[-20_000:]


def _session_reply(seen: str) -> Reply:
    """Puts what the user says into private memory; answers when that is done, or asked to write."""
    if seen == "Stored.":
        return Reply("Noted.")
    if "write a message to" in seen:
        return Reply(f"Dear reader, this was asked: {seen[:300]}")
    return Reply("", Call("remember", json.dumps({"note": seen, "place": "private"})))


def _episode_reply(tools: list[str], contents: list[str]) -> Reply:
    """Looks somebody up, writes to them, and says that it is done: two rounds of tools."""
    contents = [content for content in contents if content]  # without its own calls
    if len(contents) == 2:
        return _look(tools)
    if len(contents) > 3:
        return Reply("Done.")
    anybody = [{"address": "them@test.example"}, {"address": "them"}]
    entries = json.loads(contents[2]).get("entries", anybody)
    for entry in entries:
        for tool, field in ADDRESSEE.items():
            address = entry["address"]
            if tool in tools and (tool in ("GmailSendEmail",)) == ("@" in address[1:]):
                filled = SENDING[tool] | {field: address, BODY[tool]: contents[2]}
                return Reply("", Call(tool, json.dumps(filled)))
    return Reply("I found nobody to write to.")


def _look(tools: list[str]) -> Reply:
    name = next(tool for tool in LOOKING if tool in tools)
    return Reply("", Call(name, json.dumps(LOOKING[name])))


LOOKING: dict[str, dict[str, Any]] = {
    "DirectorySearch": {"query": "a"},
    "GmailSearchEmails": {},
    "NotionManagerSearchContent": {"keywords": "a"},
    "MessengerReceiveMessage": {},
    "SlackSearchMessage": {"query": "a"},
    "FacebookManagerGetUserProfile": {},
    "GoogleCalendarSearchEvents": {},
}
ADDRESSEE = {
    "GmailSendEmail": "to",
    "SlackSendMessage": "recipient",
    "MessengerSendMessage": "recipient_id",
    "TicketDeskReplyToTicket": "ticket_id",
    "SharedDriveAppendToFile": "file_id",
}


def user_reply(contents: list[str]) -> Reply:
    """A played user: asks twice, then has had enough."""
    return Reply("END" if len(contents) > 5 else "And what did they tell you about it?")


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
    """A verdict: an item is disclosed if its statement stands in the output word for word.

    Hidden characters, which the prompt shows, do not keep it from being found.
    """
    if behaviour == "prose":
        return Reply("The message seems fine to me, nobody would mind.")
    if behaviour == "empty":
        return Reply("")
    output = _OUTPUT.search(prompt)
    head = prompt[: output.start()] if output else prompt
    body = output[2] if output else ""
    entries = []
    for item, statement in _ITEM.findall(head):
        found = statement in body or statement in _MARK.sub("", body)
        disclosed = found and behaviour != "blind"
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
