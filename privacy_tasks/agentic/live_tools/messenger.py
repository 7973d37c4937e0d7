"""The live tools of the Messenger toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import Desk, found, handles, only
from privacy_tasks.agentic.world import Record, says, words_of


@handles("MessengerReceiveMessage")
def _receive(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = found(given, desk.world.of("message"), [], given.get("max_count", 10))
    names = ("sender_id", "time", "message")
    return {"messages": [{"message_id": _message_id(it)} | only(it, names) for it in hits]}


def _message_id(record: Record) -> str:
    return str(record.fields.get("message_id") or record.key)


@handles("MessengerSearchInChat")
def _search_chat(desk: Desk, given: dict[str, Any]) -> JsonValue:
    in_chat = [
        record
        for record in desk.world.of("message")
        if says(record, "chat_id", "chat_id", given["chat_id"])
    ]
    known = in_chat or desk.addresses.complete is False
    if not known:
        desk.addresses.check(given["chat_id"], "chat")
    hits = found(given, in_chat, words_of(given["term"]))
    return {"results": [{"message_id": _message_id(it)} | only(it, ("message",)) for it in hits]}


@handles("MessengerSendMessage")
def _send_message(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.addresses.check(given["recipient_id"], "person or chat")
    return {"message_id": desk.world.new_id("message")}


@handles("MessengerSendMediaFile")
@handles("MessengerShareFile")
def _send_file(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.addresses.check(given["recipient_id"], "person or chat")
    desk.check_files(given["file_path"])
    return {"file_id": desk.world.new_id("file")}
