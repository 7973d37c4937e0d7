"""What the tools of an episode do: search, read, write and send, over its world."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.world import (
    Record,
    World,
    attached_names,
    found_so,
    matches,
    named,
    plain_address,
    readers_of,
    says,
    words_of,
)
from privacy_tasks.toolkits import argument_problems, tool_spec


class ToolRefusedError(Exception):
    """A tool's answer to a call that it cannot carry out; the message is shown to the model."""


class Addresses:
    """Where something can be sent."""

    def __init__(self, known: Sequence[str], *, complete: bool) -> None:
        self._known = {plain_address(address) for address in known}
        self.complete = complete
        """Whether the scenario says all of them; if not, any address will do."""

    def check(self, address: str, what: str) -> None:
        """Refuses an address that there is not.

        Raises:
            ToolRefusedError: if it is known that nobody is reached there.
        """
        if not address.strip():
            raise ToolRefusedError(f"{what}: no address was given.")
        if self.complete and plain_address(address) not in self._known:
            raise ToolRefusedError(f"There is no {what} {address!r}.")


class Desk:
    """The world, and where things can be sent in it."""

    def __init__(self, world: World, addresses: Addresses) -> None:
        self.world = world
        self.addresses = addresses

    def check_emails(self, given: Any) -> None:
        """Refuses what is not one email address after the other.

        Raises:
            ToolRefusedError: names the part that is none.
        """
        for entry in given if isinstance(given, list) else [given or ""]:
            for part in re.split(r"[,;]", str(entry)):
                if part.strip() and not _EMAIL.fullmatch(part.strip()):
                    raise ToolRefusedError(f"{part.strip()!r} is no email address.")

    def check_files(self, names: Any) -> None:
        """Refuses files that there are not, where the scenario says what there is.

        Raises:
            ToolRefusedError: names the file.
        """
        if not self.addresses.complete:
            return
        for name in names if isinstance(names, list) else [names]:
            known = named(self.world, str(name)) is not None
            if name and not known and _base(name) not in attached_names(self.world):
                raise ToolRefusedError(f"There is no file {name!r}.")

    def give(self, record: Record, people: Sequence[str]) -> None:
        """Lets people have something."""
        known = record.fields.get("shared_with") or []
        record.fields["shared_with"] = [*known, *(it for it in people if it not in known)]


_EMAIL = re.compile(r"(?:[^<>@,;]*<)?(?:mailto:)?[\w.+'-]+@[\w-]+(?:\.[\w-]+)+>?")


def _base(name: Any) -> str:
    return str(name).rpartition("/")[2].casefold()


Handler = Callable[[Desk, dict[str, Any]], JsonValue]
_HANDLERS: dict[str, Handler] = {}


def carry_out(desk: Desk, tool: str, arguments: Mapping[str, Any]) -> JsonValue:
    """The result of a call.

    Raises:
        ToolRefusedError: if the tool does not exist, its arguments are wrong, or what they name
            does not exist.
    """
    spec = tool_spec(tool)
    if spec is None or tool not in _HANDLERS:
        raise ToolRefusedError(f"There is no tool {tool!r}.")
    given = dict(arguments)
    problems = argument_problems(spec, given)
    if problems:
        raise ToolRefusedError("; ".join(problems) + ".")
    return _HANDLERS[tool](desk, given)


def handled_tools() -> set[str]:
    """The names of all tools that can be carried out."""
    return set(_HANDLERS)


def _handles(name: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        _HANDLERS[name] = handler
        return handler

    return register


def _found(
    given: dict[str, Any], records: Sequence[Record], words: Sequence[str], limit: Any = None
) -> list[Record]:
    """The records that hold most of the words first; all of them if no words are given.

    What the source says this very search finds comes before all else, and no limit cuts it.
    """
    known = [record for record in records if found_so(record, given)]
    scored = [
        (matches(record, words) if words else 1, record)
        for record in records
        if record not in known
    ]
    hits = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
    most = limit if isinstance(limit, int) and not isinstance(limit, bool) else len(records)
    return known + [record for _, record in hits][: max(most - len(known), 0)]


def _only(record: Record, names: Sequence[str]) -> dict[str, Any]:
    return {name: record.fields.get(name, "") for name in names} | _loose(record)


def _loose(record: Record) -> dict[str, Any]:
    """What the source shows beside the usual fields of a record."""
    return {"text": record.fields["text"]} if "text" in record.fields else {}


def _existing(desk: Desk, kind: Any, key: Any, what: str) -> Record:
    record = desk.world.get(kind, key)
    if record is None:
        raise ToolRefusedError(f"There is no {what} with the id {key!r}.")
    return record


def _between(record: Record, field: str, start: Any, end: Any) -> bool:
    day = str(record.fields.get(field, ""))[:10]
    if not day[:4].isdigit():  # a thing without a date is not kept back
        return True
    return (not start or day >= str(start)[:10]) and (not end or day <= str(end)[:10])


# --- Gmail


@_handles("GmailSearchEmails")
def _search_emails(desk: Desk, given: dict[str, Any]) -> JsonValue:
    span = given.get("date_range") or {}
    chosen = [
        record
        for record in desk.world.of("email")
        if found_so(record, given)
        or (
            says(record, "from", "from", given.get("from"))
            and says(record, "to", "to", given.get("to"))
            and _between(record, "timestamp", span.get("start_date"), span.get("end_date"))
            and _in_folders(record, given.get("folders"))
        )
    ]
    hits = _found(given, chosen, words_of(given.get("keywords")), given.get("limit", 5))
    names = ("subject", "from", "to", "timestamp")
    return {"emails": [{"id": record.key} | _only(record, names) for record in hits]}


def _in_folders(record: Record, folders: Any) -> bool:
    folder = record.fields.get("folder")
    return not folders or not folder or folder in folders


@_handles("GmailReadEmail")
def _read_email(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = _existing(desk, "email", given["email_id"], "email")
    # an email of which the source shows the subject line only
    return {"body": "(This email has no text.)"} | {
        name: value for name, value in record.fields.items() if name != "id"
    }


@_handles("GmailSearchContacts")
def _search_contacts(desk: Desk, given: dict[str, Any]) -> JsonValue:
    words = words_of([given.get(name) or "" for name in ("name", "email", "remark")])
    hits = _found(given, desk.world.of("contact"), words, given.get("limit", 5))
    return {"contacts": [record.fields for record in hits]}


@_handles("GmailSendEmail")
def _send_email(desk: Desk, given: dict[str, Any]) -> JsonValue:
    for name in ("to", "cc", "bcc"):
        desk.check_emails(given.get(name))
    desk.check_files(given.get("attachments"))
    if not str(given["to"]).strip():
        raise ToolRefusedError("No address was given.")
    return {"success": True}


# --- Google Calendar


@_handles("GoogleCalendarSearchEvents")
def _search_events(desk: Desk, given: dict[str, Any]) -> JsonValue:
    chosen = [
        record
        for record in desk.world.of("event")
        if found_so(record, given)
        or _between(record, "start_time", given.get("start_date"), given.get("end_date"))
    ]
    words = words_of(given.get("keywords")) + words_of(given.get("attendees"))
    return {"events": [record.key for record in _found(given, chosen, words)]}


@_handles("GoogleCalendarReadEvents")
def _read_events(desk: Desk, given: dict[str, Any]) -> JsonValue:
    records = [_existing(desk, "event", key, "event") for key in given["event_ids"]]
    return {"event_details": [{"event_id": it.key} | it.fields for it in records]}


@_handles("GoogleCalendarSendInvitations")
def _send_invitations(desk: Desk, given: dict[str, Any]) -> JsonValue:
    _existing(desk, "event", given["event_id"], "event")
    return {"success": True}


# --- Messenger


@_handles("MessengerReceiveMessage")
def _receive(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = _found(given, desk.world.of("message"), [], given.get("max_count", 10))
    names = ("sender_id", "time", "message")
    return {"messages": [{"message_id": _message_id(it)} | _only(it, names) for it in hits]}


def _message_id(record: Record) -> str:
    return str(record.fields.get("message_id") or record.key)


@_handles("MessengerSearchInChat")
def _search_chat(desk: Desk, given: dict[str, Any]) -> JsonValue:
    in_chat = [
        record
        for record in desk.world.of("message")
        if says(record, "chat_id", "chat_id", given["chat_id"])
    ]
    known = in_chat or desk.addresses.complete is False
    if not known:
        desk.addresses.check(given["chat_id"], "chat")
    hits = _found(given, in_chat, words_of(given["term"]))
    return {"results": [{"message_id": _message_id(it)} | _only(it, ("message",)) for it in hits]}


@_handles("MessengerSendMessage")
def _send_message(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.addresses.check(given["recipient_id"], "person or chat")
    return {"message_id": desk.world.new_id("message")}


@_handles("MessengerSendMediaFile")
@_handles("MessengerShareFile")
def _send_file(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.addresses.check(given["recipient_id"], "person or chat")
    desk.check_files(given["file_path"])
    return {"file_id": desk.world.new_id("file")}


# --- Notion


@_handles("NotionManagerSearchContent")
def _search_pages(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = _found(given, desk.world.of("page"), words_of(given["keywords"]))
    return {
        "results": [
            {"id": it.key, "title": it.fields.get("title", ""), "content": _shown_content(it)}
            for it in hits
        ]
    }


def _shown_content(page: Record) -> str:
    """A page's text in search results: what the source shows there, or the beginning of it."""
    content = page.fields.get("content") or page.fields.get("text")
    return str(content or str(page.fields.get("page_content", ""))[:200])


@_handles("NotionManagerReadPage")
def _read_page(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = _existing(desk, "page", given["page_id"], "page")
    fields = record.fields
    return {"page_content": next((fields[n] for n in _PAGE_TEXTS if fields.get(n)), "")}


_PAGE_TEXTS = ("page_content", "content", "text")
"""Where the text of a page stands: as it was read, as a search showed it, or as it came."""


@_handles("NotionManagerCreatePage")
def _create_page(desk: Desk, given: dict[str, Any]) -> JsonValue:
    key = desk.world.new_id("page")
    fields = {"title": given["page_title"], "page_content": given["page_content"]}
    desk.world.put("page", key, fields)
    return {"page_id": key}


@_handles("NotionManagerEditPage")
def _edit_page(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = _existing(desk, "page", given["page_id"], "page")
    record.fields["page_content"] = given["new_content"]
    record.fields.pop("content", None)
    return {"success": True}


@_handles("NotionManagerSharePage")
def _share_page(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.check_emails(given["recipients"])
    desk.give(_existing(desk, "page", given["page_id"], "page"), given["recipients"])
    return {"success": True}


# --- Shared drive


@_handles("SharedDriveSearchFiles")
def _search_files(desk: Desk, given: dict[str, Any]) -> JsonValue:
    chosen = [
        record
        for record in desk.world.of("file")
        if says(record, "folder", "folder", given.get("folder"))
    ]
    names = ("name", "folder", "shared_with")
    hits = _found(given, chosen, words_of(given["query"]))
    return {"files": [{"file_id": record.key} | _only(record, names) for record in hits]}


@_handles("SharedDriveReadFile")
def _read_file(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = _existing(desk, "file", given["file_id"], "document")
    shown = {name: value for name, value in record.fields.items() if name != "made"}
    return {"content": "(This document is empty.)", "file_id": record.key} | shown


@_handles("SharedDriveCreateFile")
def _create_file(desk: Desk, given: dict[str, Any]) -> JsonValue:
    inside = [
        record
        for record in desk.world.of("file")
        if plain_address(str(record.fields.get("folder", ""))) == plain_address(given["folder"])
    ]
    if not inside:
        desk.addresses.check(given["folder"], "folder")
    key = desk.world.new_id("file")
    fields = {"name": given["name"], "folder": given["folder"], "content": given["content"]}
    record = desk.world.put("file", key, fields | {"made": True})
    # whoever has the folder has it too: by its address, or as they have what lies in it already
    desk.give(record, [given["folder"]] if not inside else [])
    for other in inside:
        desk.give(record, readers_of(other))
    return {"file_id": key}


@_handles("SharedDriveAppendToFile")
def _append(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = desk.world.get("file", given["file_id"])
    if record is None:
        desk.addresses.check(given["file_id"], "document")
        record = desk.world.put("file", given["file_id"], {"content": ""})
    record.fields["content"] = f"{record.fields.get('content', '')}\n{given['text']}"
    return {"success": True}


@_handles("SharedDriveShareFile")
def _share_file(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.check_emails(given["people"])
    desk.give(_existing(desk, "file", given["file_id"], "document"), given["people"])
    return {"success": True}


# --- Slack


@_handles("SlackSearchMessage")
def _search_slack(desk: Desk, given: dict[str, Any]) -> JsonValue:
    chosen = [
        record
        for record in desk.world.of("slack")
        if says(record, "in", "in", given.get("in"))
        and says(record, "from", "from", given.get("from"))
    ]
    hits = _found(given, chosen, words_of(given["query"]), given.get("max_results", 10))
    return {"messages": [record.fields for record in hits]}


@_handles("SlackSearchChannelOrUser")
def _search_slack_places(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = _found(
        given, desk.world.of("slack_place"), words_of(given["query"]), given.get("max_results", 10)
    )
    return {"results": [record.fields for record in hits]}


@_handles("SlackGetUserDetails")
def _slack_user(desk: Desk, given: dict[str, Any]) -> JsonValue:
    for record in desk.world.of("slack_user"):
        if record.key.casefold().lstrip("@") == given["user_name"].casefold().lstrip("@"):
            return dict(record.fields)
    raise ToolRefusedError(f"There is no profile of {given['user_name']!r}.")


@_handles("SlackSendMessage")
def _send_slack(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.addresses.check(given["recipient"], "channel or person")
    desk.check_files(given.get("file_path"))
    return {"success": True}


# --- Facebook


@_handles("FacebookManagerGetUserProfile")
def _profile(desk: Desk, given: dict[str, Any]) -> JsonValue:
    records = desk.world.of("profile")
    return dict(records[0].fields) if records else {"profile": {}}


@_handles("FacebookManagerUpdateUserProfile")
def _update_profile(desk: Desk, given: dict[str, Any]) -> JsonValue:
    return {"success": True}


@_handles("FacebookManagerSearchFriends")
def _friends(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = _found(
        given, desk.world.of("friend"), words_of(given["keyword"]), given.get("max_results", 10)
    )
    return {"friends_info": [record.fields for record in hits]}


@_handles("FacebookManagerCreatePost")
def _create_post(desk: Desk, given: dict[str, Any]) -> JsonValue:
    return {"post_id": desk.world.new_id("post")}


@_handles("FacebookManagerSearchPosts")
def _search_posts(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = _found(
        given, desk.world.of("post"), words_of(given["keyword"]), given.get("max_results", 10)
    )
    return {"posts": [record.fields for record in hits]}


# --- Team calendar


@_handles("TeamCalendarSearchEvents")
def _search_team_events(desk: Desk, given: dict[str, Any]) -> JsonValue:
    chosen = [
        record
        for record in desk.world.of("team_event")
        if found_so(record, given)
        or _between(record, "start", given.get("start_date"), given.get("end_date"))
    ]
    names = ("title", "start", "end", "attendees")
    hits = _found(given, chosen, words_of(given.get("query")))
    return {"events": [{"event_id": record.key} | _only(record, names) for record in hits]}


@_handles("TeamCalendarReadEvent")
def _read_team_event(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = _existing(desk, "team_event", given["event_id"], "event")
    return {"event_id": record.key, "notes": ""} | record.fields


@_handles("TeamCalendarCreateEvent")
def _create_team_event(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.check_emails(given["attendees"])
    key = desk.world.new_id("event")
    desk.world.put("team_event", key, {"event_id": key} | given)
    return {"event_id": key}


# --- Tickets


@_handles("TicketDeskSearchTickets")
def _search_tickets(desk: Desk, given: dict[str, Any]) -> JsonValue:
    chosen = [
        record
        for record in desk.world.of("ticket")
        if found_so(record, given)
        or (
            says(record, "state", "state", given.get("state"))
            and says(record, "requester", "requester", given.get("requester"))
        )
    ]
    names = ("title", "state", "requester")
    hits = _found(given, chosen, words_of(given["query"]))
    return {"tickets": [{"ticket_id": record.key} | _only(record, names) for record in hits]}


@_handles("TicketDeskReadTicket")
def _read_ticket(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = _existing(desk, "ticket", given["ticket_id"], "ticket")
    return {"ticket_id": record.key, "history": []} | record.fields


@_handles("TicketDeskReplyToTicket")
def _reply(desk: Desk, given: dict[str, Any]) -> JsonValue:
    if desk.world.get("ticket", given["ticket_id"]) is None:
        desk.addresses.check(given["ticket_id"], "ticket")
    desk.check_files(given.get("attachments"))
    return {"reply_id": desk.world.new_id("reply")}


@_handles("TicketDeskOpenTicket")
def _open_ticket(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.addresses.check(given["queue"], "queue")
    key = desk.world.new_id("ticket")
    watchers = [given["queue"], *given.get("watchers", [])]
    fields = {"title": given["title"], "state": "open", "watchers": watchers}
    entry = {"text": given["description"]}
    desk.world.put("ticket", key, {"ticket_id": key} | fields | {"history": [entry]})
    return {"ticket_id": key}


# --- Zoom


@_handles("ZoomManagerSearchMeetings")
def _search_meetings(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = _found(given, desk.world.of("transcript"), words_of(given.get("criteria")))
    return {"search_results": [record.key for record in hits]}


@_handles("ZoomManagerGetMeetingTranscript")
def _transcript(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = _existing(desk, "transcript", given["meeting_id"], "meeting")
    lines = record.fields.get("lines", [])
    return {"transcript": record.fields.get("transcript") or "\n".join(map(str, lines))}


@_handles("ZoomManagerSearchTranscript")
def _search_transcript(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = _existing(desk, "transcript", given["meeting_id"], "meeting")
    lines = [
        *str(record.fields.get("transcript", "")).splitlines(),
        *map(str, record.fields.get("lines", [])),
    ]
    words = [word.casefold() for word in words_of(given["keyword"])]
    known = record.fields.get("lines", [])
    return {
        "search_results": [
            line
            for line in dict.fromkeys(lines)
            if line in known or any(word in line.casefold() for word in words)
        ]
    }


@_handles("ZoomManagerGetParticipants")
def _participants(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = _existing(desk, "transcript", given["meeting_id"], "meeting")
    return {"participants": record.fields.get("participants", [])}


# --- Directory


@_handles("DirectorySearch")
def _directory(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = _found(given, desk.world.of("entry"), words_of(given["query"]))
    return {"entries": [record.fields for record in hits]}
