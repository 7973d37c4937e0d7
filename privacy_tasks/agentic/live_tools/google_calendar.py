"""The live tools of the Google Calendar toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import Desk, between, existing, found, handles
from privacy_tasks.agentic.world import found_so, words_of


@handles("GoogleCalendarSearchEvents")
def _search_events(desk: Desk, given: dict[str, Any]) -> JsonValue:
    chosen = [
        record
        for record in desk.world.of("event")
        if found_so(record, given)
        or between(record, "start_time", given.get("start_date"), given.get("end_date"))
    ]
    words = words_of(given.get("keywords")) + words_of(given.get("attendees"))
    return {"events": [record.key for record in found(given, chosen, words)]}


@handles("GoogleCalendarReadEvents")
def _read_events(desk: Desk, given: dict[str, Any]) -> JsonValue:
    records = [existing(desk, "event", key, "event") for key in given["event_ids"]]
    return {"event_details": [{"event_id": it.key} | it.fields for it in records]}


@handles("GoogleCalendarSendInvitations")
def _send_invitations(desk: Desk, given: dict[str, Any]) -> JsonValue:
    existing(desk, "event", given["event_id"], "event")
    return {"success": True}
