"""The live tools of the shared drive toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import Desk, existing, found, handles, only
from privacy_tasks.agentic.world import plain_address, readers_of, says, words_of


@handles("SharedDriveSearchFiles")
def _search_files(desk: Desk, given: dict[str, Any]) -> JsonValue:
    chosen = [
        record
        for record in desk.world.of("file")
        if says(record, "folder", "folder", given.get("folder"))
    ]
    names = ("name", "folder", "shared_with")
    hits = found(given, chosen, words_of(given["query"]))
    return {"files": [{"file_id": record.key} | only(record, names) for record in hits]}


@handles("SharedDriveReadFile")
def _read_file(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = existing(desk, "file", given["file_id"], "document")
    shown = {name: value for name, value in record.fields.items() if name != "made"}
    return {"content": "(This document is empty.)", "file_id": record.key} | shown


@handles("SharedDriveCreateFile")
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


@handles("SharedDriveAppendToFile")
def _append(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = desk.world.get("file", given["file_id"])
    if record is None:
        desk.addresses.check(given["file_id"], "document")
        record = desk.world.put("file", given["file_id"], {"content": ""})
    record.fields["content"] = f"{record.fields.get('content', '')}\n{given['text']}"
    return {"success": True}


@handles("SharedDriveShareFile")
def _share_file(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.check_emails(given["people"])
    desk.give(existing(desk, "file", given["file_id"], "document"), given["people"])
    return {"success": True}
