"""The world of an episode: what there is to find, taken from a scenario's trajectory.

Every observation of the trajectory becomes records (emails, messages, pages, files, …) that the
live tools search, read and change. An observation that is not of its tool's usual form is kept as
a record with its text, so that nothing which the replayed model would have seen is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from privacy_tasks.scenario import ToolUse, texts

Kind = Literal[
    "email",
    "contact",
    "event",
    "message",
    "page",
    "file",
    "slack",
    "slack_user",
    "slack_place",
    "post",
    "friend",
    "profile",
    "team_event",
    "ticket",
    "transcript",
    "entry",
]


class Record:
    """One thing in the world, with the searches that are known to find it."""

    def __init__(self, kind: Kind, key: str, fields: dict[str, Any]) -> None:
        self.kind = kind
        self.key = key
        self.fields = fields
        self.found_by: list[dict[str, Any]] = []

    @property
    def text(self) -> str:
        """All text of it."""
        return "\n".join([self.key, *texts(self.fields)])


class _Shape(NamedTuple):
    """How the results of a tool become records."""

    kind: Kind
    entries: str | None
    """Key of the list of things in the result; None where the result is the thing."""
    key: tuple[str, ...]
    """Fields (or arguments) that hold a thing's id; the first that is there counts."""


_SHAPES: dict[str, _Shape] = {
    "GmailSearchEmails": _Shape("email", "emails", ("id",)),
    "GmailReadEmail": _Shape("email", None, ("email_id",)),
    "GmailSearchContacts": _Shape("contact", "contacts", ("contact_id", "email", "name")),
    "GoogleCalendarSearchEvents": _Shape("event", "events", ("event_id", "id")),
    "GoogleCalendarReadEvents": _Shape("event", "event_details", ("event_id",)),
    "MessengerReceiveMessage": _Shape("message", "messages", ("message_id",)),
    "MessengerSearchInChat": _Shape("message", "results", ("message_id",)),
    "NotionManagerSearchContent": _Shape("page", "results", ("id",)),
    "NotionManagerReadPage": _Shape("page", None, ("page_id",)),
    "SharedDriveSearchFiles": _Shape("file", "files", ("file_id",)),
    "SharedDriveReadFile": _Shape("file", None, ("file_id",)),
    "SlackSearchMessage": _Shape("slack", "messages", ()),
    "SlackSearchChannelOrUser": _Shape("slack_place", "results", ("name",)),
    "SlackGetUserDetails": _Shape("slack_user", None, ("user_name",)),
    "FacebookManagerSearchPosts": _Shape("post", "posts", ("post_id",)),
    "FacebookManagerSearchFriends": _Shape("friend", "friends_info", ("user_id",)),
    "FacebookManagerGetUserProfile": _Shape("profile", None, ()),
    "TeamCalendarSearchEvents": _Shape("team_event", "events", ("event_id",)),
    "TeamCalendarReadEvent": _Shape("team_event", None, ("event_id",)),
    "TicketDeskSearchTickets": _Shape("ticket", "tickets", ("ticket_id",)),
    "TicketDeskReadTicket": _Shape("ticket", None, ("ticket_id",)),
    "ZoomManagerSearchMeetings": _Shape("transcript", "search_results", ()),
    "ZoomManagerGetMeetingTranscript": _Shape("transcript", None, ("meeting_id",)),
    "ZoomManagerSearchTranscript": _Shape("transcript", None, ("meeting_id",)),
}


class World:
    """Everything that the tools of an episode can reach."""

    def __init__(self, steps: Sequence[ToolUse] = ()) -> None:
        self._records: dict[tuple[Kind, str], Record] = {}
        self._made = 0
        for step in steps:
            self._take_in(step)

    def of(self, kind: Kind) -> list[Record]:
        """All records of a kind, in the order in which they came."""
        return [record for record in self._records.values() if record.kind == kind]

    def get(self, kind: Kind, key: Any) -> Record | None:
        """The record of that kind and id."""
        return self._records.get((kind, str(key)))

    def put(self, kind: Kind, key: str, fields: dict[str, Any]) -> Record:
        """Adds a record, or what is new to it: a longer text wins over a shorter one."""
        record = self._records.setdefault((kind, key), Record(kind, key, {}))
        for name, value in fields.items():
            known = record.fields.get(name)
            if known is None or len(_text(value)) >= len(_text(known)):
                record.fields[name] = value
        return record

    def new_id(self, prefix: str) -> str:
        """An id that nothing has yet."""
        self._made += 1
        return f"{prefix}-new-{self._made}"

    def _take_in(self, step: ToolUse) -> None:
        arguments = step.arguments or {}
        result = _parsed(step.observation)
        if step.tool in ("NotionManagerCreatePage", "NotionManagerEditPage"):
            key = arguments.get("page_id") or _field(result, "page_id")
            content = arguments.get("page_content") or arguments.get("new_content", "")
            title = arguments.get("page_title")
            self.put(
                "page", str(key), {"page_content": content} | ({"title": title} if title else {})
            )
            return
        shape = _SHAPES.get(step.tool)
        if shape is None:
            self._keep_as_text(step, arguments)
            return
        found = [self._record(shape, entry, arguments) for entry in _entries(shape, result)]
        if not found:
            self._keep_as_text(step, arguments)
        for record in found:
            record.found_by.append(arguments)

    def _record(self, shape: _Shape, entry: Any, arguments: dict[str, Any]) -> Record:
        fields = dict(entry) if isinstance(entry, dict) else {"text": entry}
        if shape.kind == "message":
            chat = arguments.get("chat_id") or fields.get("chat_id") or fields.get("sender_id")
            fields["chat_id"] = chat
        key = next((fields[name] for name in shape.key if fields.get(name)), None)
        key = key or next((arguments[name] for name in shape.key if arguments.get(name)), None)
        if isinstance(entry, str) and shape.kind in ("event", "transcript") and not key:
            key, fields = entry, {}
        if key is None:
            self._made += 1
            key = f"{shape.kind}-{self._made}"
        if shape.kind == "message" and self._is_taken(str(key), fields.get("message")):
            self._made += 1  # the source gives one id to two messages
            key = f"{key}#{self._made}"
        if shape.kind == "transcript" and "search_results" in fields:
            lines = fields.pop("search_results")
            fields["lines"] = lines if isinstance(lines, list) else [str(lines)]
        return self.put(shape.kind, str(key), fields)

    def _is_taken(self, key: str, message: Any) -> bool:
        known = self.get("message", key)
        return known is not None and known.fields.get("message") != message

    def _keep_as_text(self, step: ToolUse, arguments: dict[str, Any]) -> None:
        """What a tool showed that is not of its usual form."""
        shape = _SHAPES.get(step.tool)
        kind: Kind = shape.kind if shape else "page"
        if _is_empty(_parsed(step.observation)):
            return
        keys = [str(arguments[name]) for name in (shape.key if shape else ()) if name in arguments]
        record = self.put(
            kind, keys[0] if keys else self.new_id(kind), {"text": step.observation_text}
        )
        record.found_by.append(arguments)


def plain_address(address: str) -> str:
    """An address, channel, chat or folder, however it is written."""
    return address.casefold().strip().strip("/").lstrip("@#")


_READERS = ("requester", "watchers", "shared_with", "attendees")
"""The fields of a record that say who else reads it."""


def readers_of(record: Record) -> list[str]:
    """Who has a thing, as it says itself."""
    found: list[str] = []
    for name in _READERS:
        value = record.fields.get(name) or []
        for entry in value if isinstance(value, list) else [value]:
            found.append(str(entry.get("email", "")) if isinstance(entry, dict) else str(entry))
    return [address for address in found if address]


_SHAREABLE: tuple[Kind, ...] = ("page", "file", "event", "team_event")


def content_of(world: World, key: str) -> str | None:
    """The text of something that can be shared by its id."""
    for kind in _SHAREABLE:
        record = world.get(kind, key)
        if record is not None:
            return "\n".join(texts(record.fields))
    return None


def named(world: World, name: str) -> Record | None:
    """The page or document with that id, name or title."""
    wanted = name.rpartition("/")[2].casefold()
    for kind in _SHAREABLE:
        for record in world.of(kind):
            names = [record.key, *(record.fields.get(field) for field in ("name", "title"))]
            if wanted in {str(it).casefold() for it in names if it}:
                return record
    return None


_WITH_FILES: tuple[Kind, ...] = ("email", "ticket", "slack")


def attached_names(world: World) -> set[str]:
    """The names of all files that something in the world has attached."""
    found = set()
    for kind in _WITH_FILES:
        for record in world.of(kind):
            for entry in record.fields.get("attachments") or []:
                found.add(str(entry.get("name", "")) if isinstance(entry, dict) else str(entry))
            found.add(str(record.fields.get("file_id") or ""))
    return {name.casefold() for name in found if name}


def matches(record: Record, words: Sequence[str]) -> int:
    """How many of the words stand in a record, or in a search that is known to find it."""
    known = "\n".join([record.text, *(_text(query) for query in record.found_by)]).casefold()
    return sum(word.casefold() in known for word in words)


def found_so(record: Record, query: dict[str, Any]) -> bool:
    """Whether the source says that exactly this search finds the record."""
    return query in record.found_by


def says(record: Record, field: str, argument: str, value: Any) -> bool:
    """Whether a filter lets a record through: by its field, or as a search known to find it."""
    wanted = _name(value)
    if not wanted:
        return True
    if wanted in _name(record.fields.get(field)):
        return True
    return any(_name(query.get(argument)) == wanted for query in record.found_by)


def words_of(value: Any) -> list[str]:
    """The words that a search asks for."""
    joined = " ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return [word.strip(".,;:!?\"'()") for word in joined.split() if word.strip(".,;:!?\"'()")]


def _name(value: Any) -> str:
    return _text(value).casefold().strip().lstrip("@#") if value else ""


def _entries(shape: _Shape, result: Any) -> Iterator[Any]:
    if shape.entries is None:
        if isinstance(result, dict) and "error" not in result:
            yield result
        return
    listed = _field(result, shape.entries)
    if isinstance(listed, list):
        yield from listed


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _parsed(observation: Any) -> Any:
    if not isinstance(observation, str):
        return observation
    try:
        return json.loads(observation)
    except (ValueError, RecursionError):
        return observation


def _is_empty(result: Any) -> bool:
    return not any(text.strip() for text in texts(result))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
